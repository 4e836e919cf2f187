"""libSQL server: its nodes load the library; where their stores may lie; namespaces, and attacks by their SQL; kill -9.

sqld.py starts the nodes. What replicas refuse and read is in test_server_reads.py, load in test_server_load.py."""
import collections
import http.client
import os
import re
import shutil
import sqlite3
import subprocess
import threading
import time
import types
import unittest

import sqld
from harness import KEYS, ROOT, SO, Standin, TempDir
from servers import Server, answers


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

# What names a host, a key, a file or a store: none of it where others' SQL runs.
NAMES = [
    "SELECT llm_allow_host('127.0.0.1:9')", "SELECT llm_secret('OPENAI_API_KEY', 'sk-mine')", "SELECT llm_trust_store()",
    "SELECT llm_config('store', '{folder}/mine')", "SELECT llm_config('store', 'main')", "SELECT llm_config('proxy', 'http://127.0.0.1:9')",
    "SELECT llm_config('minilm', '/etc/passwd')", "SELECT llm_import('/etc')", "SELECT llm_prices_import('/etc/passwd')",
    """SELECT llm_report('{{"to":"{folder}/page.html"}}')"""]


class Places(Server):
    """Where a primary's store may lie, and what a node is told to be."""

    def refused(self, primary, why):
        primary.ask("SELECT llm_cost('gpt-4o', 1000, 10)")
        for sql in ("SELECT llm_complete('new')", "SELECT count(*) FROM llm_calls", "SELECT llm_mirror()",
                    """SELECT llm_cache_forget('{"model":"gpt-4o"}')"""):
            with self.subTest(sql=sql):
                self.assertIn(why, primary.error_of(sql))
        self.assertEqual(self.sent(), 0)
        self.assertEqual([f for f in primary.files() if "llmcost" in f], [])

    def test_without_a_place_calls_are_refused(self):
        self.refused(self.primary(), "LLMCOST_STORE is not set")

    def test_a_file_would_be_shared_by_all_databases(self):
        folder = self.store_folder()
        self.refused(self.primary(LLMCOST_STORE=folder + "store.db"), "LLMCOST_STORE is a file")
        self.assertEqual(os.listdir(folder), [])

    def test_the_servers_own_folder_may_be_deleted_by_it(self):
        link = self.store_folder() + "link"
        primary = self.primary(LLMCOST_STORE="main")
        os.symlink(primary.data, link)
        for place in (primary.data, primary.data + "/dbs/default", primary.data + "/dbs/default/new", primary.data + "/../data.sqld",
                      link + "/dbs", "data.sqld/dbs"):
            with self.subTest(place=place):
                primary.kill()
                primary.env["LLMCOST_STORE"] = place + "/"
                primary.restart()
                self.refused(primary, "inside of the server's own folder")

    def test_a_role_that_is_none_is_refused(self):
        primary = self.primary(LLMCOST_STORE="main", LLMCOST_ROLE="leader")
        for sql in ("SELECT llm_init()", "SELECT llm_complete('new')"):
            self.assertIn("LLMCOST_ROLE says neither primary nor replica", primary.error_of(sql))
        self.assertEqual(self.sent(), 0)

    def test_a_role_that_is_told_holds(self):
        primary = self.primary(LLMCOST_STORE="main", LLMCOST_ROLE="replica")
        self.assertIn("this is a replica", primary.error_of("SELECT llm_init()"))

    def test_a_replicas_ledger_is_empty_before_there_is_a_copy(self):
        primary = self.primary(LLMCOST_STORE=self.store_folder())
        replica = self.replica(primary)
        primary.point_models(self.standin)
        primary.value("SELECT llm_complete('of the primary')")
        replica.await_own().await_value("SELECT count(*) > 0 FROM llm_models", 1)
        self.assertEqual(replica.value("SELECT count(*) FROM llm_calls"), 0)
        self.assertEqual(replica.value("SELECT count(*) FROM llm_cost_daily"), 0)
        self.assertIn("this is a replica", replica.error_of("SELECT llm_complete('new')"))


class Tenants(Server):
    """Two namespaces of one server. Whoever may send SQL to one of them attacks the other, the server and its keys."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.evil = cls.enterClassContext(Standin())  # a provider that the server was not told of
        cls.folder = cls.enterClassContext(TempDir())
        env = sqld.spending_env(cls.standin, LLMCOST_STORE=cls.folder + "/", AWS_SECRET_ACCESS_KEY="aws-secret")
        cls.server = cls.enterClassContext(sqld.Primary(env, namespaces=True))
        cls.server.create("a", "b")
        for name in "ab":
            cls.server.point_models(cls.standin, name)
        cls.server.ask("SELECT llm_complete('The secret of b')", namespace="b")

    def ask(self, sql, *args):
        return self.server.ask(sql, *args, namespace="a")

    def error(self, sql, *args):
        return self.server.error_of(sql, *args, namespace="a")

    def test_each_has_a_store_of_its_own(self):
        self.ask("SELECT llm_complete('The secret of a')")
        stores = {name.split("-")[0] for name in os.listdir(self.folder) if name.endswith("-llmcost")}
        self.assertLessEqual({"a", "b"}, stores)
        for table in ("llm_calls", "llm_texts", "llm_answers", "llm_sums", "llm_cache", "llm_cost_daily", "llm_spend"):
            self.assertNotIn("secret of b", repr(self.ask(f"SELECT * FROM {table}")))
        self.assertNotIn("secret of b", repr(self.ask("""SELECT llm_report('{"format":"markdown"}')""")))

    def test_an_answer_is_not_served_to_the_other(self):
        self.ask("SELECT llm_complete('Asked by both')")
        self.server.ask("SELECT llm_complete('Asked by both')", namespace="b")
        self.assertEqual(self.sent(), 2)

    def test_a_namespace_that_is_made_again_has_another_store(self):
        for _ in range(2):
            self.server.create("c")
            self.server.point_models(self.standin, "c")
            self.assertEqual(self.server.value("SELECT count(*) FROM llm_calls", namespace="c"), 0)
            self.server.ask("SELECT llm_complete('Of the one before')", namespace="c")
            self.server.delete("c")
        self.assertEqual(self.sent(), 2)

    def test_what_names_hosts_keys_files_and_stores_is_refused(self):
        folder = self.store_folder()
        for sql in NAMES:
            with self.subTest(sql=sql):
                self.assertIn("refused in server mode", self.error(sql.format(folder=folder)))
        self.assertEqual(os.listdir(folder), [])

    def test_a_key_goes_to_no_other_host(self):
        admin = f"127.0.0.1:{self.server.admin_port}/v1/namespaces/mine/create?x="
        for url in (f"http://{self.evil.host}/v1", f"http://{self.standin.host}@{self.evil.host}/v1",
                    f"http://{self.evil.host}/v1?x={self.standin.host}", f"http://{admin}", "http://169.254.169.254/latest"):
            for key in (*KEYS, None, "AWS_SECRET_ACCESS_KEY"):
                with self.subTest(url=url, key=key):
                    self.ask("UPDATE llm_models SET base_url = ?, key_env = ? WHERE name = 'gpt-4.1'", url, key)
                    self.error("""SELECT llm_complete('to another', '{"model":"gpt-4.1"}')""")
        self.assertEqual((self.evil.bill()["requests"], self.sent()), (0, 0))
        self.assertIn("doesn't exist", self.server.error_of("SELECT 1", namespace="mine"))

    def test_the_servers_environment_goes_to_no_host(self):
        for column, value in (("key_env", "AWS_SECRET_ACCESS_KEY"), ("headers", '{"X-Mine":{"env":"AWS_SECRET_ACCESS_KEY"}}')):
            self.ask(f"UPDATE llm_models SET {column} = ? WHERE name = 'gpt-4o'", value)
            self.assertIn("nothing was sent", self.error("""SELECT llm_complete('a header', '{"model":"gpt-4o"}')"""))
            self.ask("UPDATE llm_models SET key_env = 'OPENAI_API_KEY', headers = NULL WHERE name = 'gpt-4o'")
        self.assertEqual(self.sent(), 0)

    def test_errors_offer_nothing_that_is_refused(self):
        for column, value in (("base_url", "http://127.0.0.1:9/v1"), ("key_env", "NO_SUCH_KEY"), ("key_env", "MISTRAL_API_KEY"),
                              ("headers", '{"X":{"env":"NO_SUCH_KEY"}}')):
            with self.subTest(column=column, value=value):
                self.ask(f"UPDATE llm_models SET {column} = ? WHERE name = 'gpt-4.1-mini'", value)
                text = self.error("""SELECT llm_complete('what next', '{"model":"gpt-4.1-mini"}')""")
                self.assertNotRegex(text, "llm_allow_host|llm_secret|llm_config|llm_trust_store")
        self.ask("DELETE FROM llm_tiers")
        self.ask("UPDATE llm_models SET key_env = 'NO_SUCH_KEY'")
        self.assertNotRegex(self.error("SELECT llm_complete('no key at all')"), "llm_allow_host|llm_secret|llm_config|llm_trust_store")
        self.ask("SELECT llm_init()")
        self.ask("UPDATE llm_models SET key_env = 'OPENAI_API_KEY'")
        self.assertNotIn("llm_config", self.error("SELECT embed('a', 'minilm')"))

    def test_what_one_sets_holds_for_its_own_stream(self):
        with self.server.stream("a") as one, self.server.stream("b") as other:
            before = other.value("SELECT llm_config('max_calls')")
            one.ask("SELECT llm_config('max_calls', 1)")
            self.assertEqual(other.value("SELECT llm_config('max_calls')"), before)

    def test_what_the_other_spends_is_in_no_budget_of_ones_own(self):
        self.ask("INSERT INTO llm_budgets(scope, period, limit_usd) VALUES ('*', 'day', 1)")
        spent = self.ask("SELECT spent_usd FROM llm_budget_status")
        self.server.ask("SELECT llm_complete('b spends')", namespace="b")
        self.assertEqual(self.ask("SELECT spent_usd FROM llm_budget_status"), spent)


class Kill(Server):
    """kill -9 of a primary while eight clients call."""
    CLIENTS = 8

    def call_until_it_ends(self, primary, client, seen):
        try:
            with primary.stream() as stream:
                for i in range(10000):
                    question = f"K{client}-{i}"
                    rows = ", ".join(f"('{question}{part}')" for part in ("ab" if client % 2 else "a"))
                    answered = stream.ask(f"SELECT column1, llm_complete(column1) FROM (VALUES {rows})")
                    seen.extend(q for q, answer in answered if answers(answer, q))
        except (OSError, http.client.HTTPException):
            pass

    def run_and_kill(self, primary):
        """What clients have seen until the primary was killed; it is up again then."""
        seen = []
        self.standin.latency(20)
        clients = [threading.Thread(target=self.call_until_it_ends, args=(primary, c, seen)) for c in range(self.CLIENTS)]
        [c.start() for c in clients]
        while self.sent() < 150:
            time.sleep(0.01)
        primary.kill()
        [c.join() for c in clients]
        time.sleep(0.3)  # what was sent is billed
        self.standin.latency(0)
        primary.restart()
        return seen

    def billed(self):
        """What was billed for each request of this test."""
        return {e["client_request_id"]: e["nusd"] for e in self.standin.journal()[-self.sent():]}

    def seen_are_free(self, primary, seen):
        self.assertGreater(len(seen), 100)
        before = self.sent()
        for question in seen:
            primary.value("SELECT llm_complete(?)", question)
        self.assertEqual(self.sent(), before, "what a client has seen is not paid again")

    def test_with_a_store_of_its_own_the_bill_is_the_ledger(self):
        primary = self.primary(LLMCOST_STORE=self.store_folder())
        primary.point_models(self.standin)
        seen = self.run_and_kill(primary)
        billed = self.billed()
        rows = primary.ask("SELECT request_id || '-' || attempt, kind, cost_nusd FROM llm_calls")
        kinds = collections.Counter(kind for _, kind, _ in rows)
        self.assertEqual(set(billed) - {r for r, _, _ in rows}, set(), "sent, and without a row")
        self.assertEqual([(r, cost, billed.get(r)) for r, kind, cost in rows if kind == "call" and cost != billed.get(r)], [])
        self.assertLessEqual(set(kinds), {"call", "unknown"})
        self.assertLessEqual(kinds["unknown"], self.CLIENTS)
        self.seen_are_free(primary, seen)

    def test_with_the_store_in_main_what_clients_have_seen_is_kept(self):
        primary = self.primary(LLMCOST_STORE="main")
        primary.point_models(self.standin)
        primary.value("SELECT llm_complete('first')")
        seen = self.run_and_kill(primary)
        rows = dict(primary.ask("SELECT request_id || '-' || attempt, cost_nusd FROM llm_calls"))
        billed = self.billed()
        self.assertEqual({r: c for r, c in rows.items() if billed.get(r) != c}, {})
        self.assertLessEqual(len(billed) - len(rows), 2 * self.CLIENTS, "without a row")
        self.seen_are_free(primary, seen)

    def test_replicas_follow_a_primary_that_was_killed(self):
        primary = self.primary(LLMCOST_STORE=self.store_folder())
        replica = self.replica(primary)
        primary.point_models(self.standin)
        for rows, question in enumerate(("before", "after"), 1):
            primary.value("SELECT llm_complete(?)", question)
            primary.ask("SELECT llm_mirror()")
            self.await_rows(replica, rows)
            primary.kill()
            primary.restart()
        self.assertEqual(self.sent(), 2)

    def await_rows(self, replica, rows):
        """(Errors in between are a replica's that fetches the database anew.)"""
        deadline = time.monotonic() + 20
        while True:
            try:
                return replica.await_value("SELECT count(*) FROM llm_calls", rows, seconds=5)
            except (sqld.Refused, OSError) as e:
                self.assertLess(time.monotonic(), deadline, e)
                time.sleep(0.1)


class Page(Server):
    """The commands of the manual's page, as printed but for addresses and the key, in an empty folder."""

    def test_primary_replica_and_backup(self):
        folder = self.enterContext(TempDir())
        shutil.copy(SO, folder)
        with open(f"{ROOT}/sql/manual/server.md") as f:
            primary, replica, backup = re.findall(r"```sh\n(.*?)```", f.read(), re.S)
        ports = sqld.distinct_ports(3)
        env = {**sqld.spending_env(self.standin), "PATH": f"{os.path.dirname(sqld.program())}:{os.environ['PATH']}"}

        def start(text):
            for port, ours in zip(("8080", "8081", "5001"), ports):
                text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{ours}")
            text = text.replace("OPENAI_API_KEY=…", f"OPENAI_API_KEY={KEYS['OPENAI_API_KEY']}").replace("sqld -d", "exec sqld -d")
            process = subprocess.Popen(["sh", "-c", text], cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)

        def await_rows(port, sql, wanted):
            deadline = time.monotonic() + sqld.STARTS_WITHIN
            while True:
                try:
                    with sqld.Stream(types.SimpleNamespace(port=port)) as stream:
                        found = stream.ask(sql)
                except OSError as e:
                    found = e
                if found == wanted or time.monotonic() > deadline:
                    return self.assertEqual(found, wanted)
                time.sleep(0.05)

        start(primary)
        await_rows(ports[0], "SELECT llmcost_debug() ->> '$.node'", [("primary",)])
        with sqld.Stream(types.SimpleNamespace(port=ports[0])) as stream:
            stream.ask("SELECT llm_init()")
            stream.ask("UPDATE llm_models SET base_url = ?", self.standin.url + "/v1")
            stream.ask("SELECT llm_complete('by the page')")
            stream.ask("SELECT llm_mirror()")
        start(replica)
        await_rows(ports[1], "SELECT llmcost_debug() ->> '$.node', (SELECT count(*) FROM llm_calls)", [("replica", 1)])
        subprocess.run(["sh", "-c", backup], cwd=folder, check=True)
        [copy] = os.listdir(os.path.join(folder, "backup"))
        db = sqlite3.connect(os.path.join(folder, "backup", copy))
        self.addCleanup(db.close)
        self.assertEqual(db.execute("SELECT text FROM llm_texts").fetchall(), [("by the page",)])


if __name__ == "__main__":
    unittest.main()
