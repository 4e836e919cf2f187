"""Ctrl-C around the moment of an answer: what arrived whole is priced, whatever is interrupted; running again pays nothing."""
import threading
import unittest

from harness import Standin, TempDir, connect, open_desk, setup_sql, value

LATENCY_MS = 10
DELAYS = [ms / 2 for ms in range(2, 44)]  # by half milliseconds, from before the request to behind its answer


class CtrlC(unittest.TestCase):
    """Each kind of request, interrupted at each of many moments."""
    SETTINGS = []

    @classmethod
    def setUpClass(cls):
        cls.standin = Standin().__enter__()
        cls.standin.latency(LATENCY_MS)

    @classmethod
    def tearDownClass(cls):
        cls.standin.__exit__()

    def setUp(self):
        self.tmp = TempDir()
        self.path = self.tmp.name + "/desk.db"
        open_desk(self.path, self.standin.url).close()
        self.open()
        value(self.db, "SELECT llm_complete('the first')")  # there is a store

    def tearDown(self):
        self.db.close()
        self.tmp.cleanup()

    def open(self):
        self.db = connect(self.path)
        for sql in [s for s in setup_sql(self.standin.url) if "secret" in s or "allow" in s] + self.SETTINGS:
            self.db.execute(sql).fetchall()

    def reopen(self):
        self.db.close()
        self.open()

    def interrupted(self, sql, args, delay_ms):
        """Runs it, interrupted after a while: the answer, or None."""
        timer = threading.Timer(delay_ms / 1000, self.db.interrupt)
        timer.start()
        try:
            return self.db.execute(sql, args).fetchall()
        except Exception as e:
            self.assertIn("interrupted", str(e))
            return None
        finally:
            timer.join()

    def storm(self, sql, text, rows=1):
        """Interrupts that statement at each moment, and looks at what is kept with the eyes of another connection. What
        was answered is not paid again."""
        stopped, known = 0, 0
        for i, delay in enumerate(DELAYS):
            args = (text.format(i),)
            before = value(self.db, "SELECT coalesce(max(id), 0) FROM llm_calls")
            self.db.execute("EXPLAIN " + sql, args).fetchall()  # what a connection makes once is not what is interrupted
            is_stopped = self.interrupted(sql, args, delay) is None
            self.reopen()
            kept = self.db.execute("SELECT kind, cost_nusd FROM llm_calls WHERE id > ? AND http_status = 200", (before,)).fetchall()
            stopped += is_stopped
            known += is_stopped and len(kept) > 0
            if is_stopped and len(kept) == rows:
                calls = self.standin.bill()["calls"]
                self.assertTrue(self.db.execute(sql, args).fetchall())
                self.assertEqual(self.standin.bill()["calls"], calls, f"paid again after {delay} ms")
        self.assertGreater(stopped, 5)
        self.check()
        return known

    def check(self):
        """Rows are as documented: lost and unknown, or priced in full."""
        bad = self.db.execute("SELECT id, kind, http_status, cost_nusd, error FROM llm_calls WHERE cost_nusd IS NULL "
                              "AND (kind <> 'unknown' OR usage IS NOT NULL) OR error LIKE 'unpriced%'").fetchall()
        self.assertEqual(bad, [])
        self.assertEqual(self.db.execute("SELECT * FROM llm_unpriced WHERE kind <> 'unknown'").fetchall(), [])

    def test_complete(self):
        tries = [f"question {i} {{}}" for i in range(5)]
        self.assertTrue(any(self.storm("SELECT llm_complete(?)", text) for text in tries), "no interrupt came with an answer")

    def test_many_rows(self):
        self.storm("SELECT llm_complete(?1 || n.column1) FROM (VALUES ('a'), ('b')) n", "row {}", rows=2)

    def test_chat(self):
        self.storm("SELECT llm_chat(?)", '[{{"role":"user","content":"chat {}"}}]')

    def test_call(self):
        self.storm("SELECT answer FROM llm_call(?)", "called {}")

    def test_embed(self):
        self.storm("SELECT embed(?, 'text-embedding-3-small')", "embedded {}")

    def test_embed_batch(self):
        self.storm("SELECT * FROM embed_batch(json_array(?1, ?1 || 'x'), 'text-embedding-3-small')", "batched {}")

    def test_a_table_with_a_providers_embedder(self):
        self.db.execute("UPDATE llm_models SET supports = json_set(supports, '$.dimensions', 64) WHERE name = 'text-embedding-3-small'")
        self.db.execute("CREATE VIRTUAL TABLE faq USING semantic_cache(embedder='text-embedding-3-small')")
        self.db.execute("INSERT INTO faq(query, response) VALUES ('a first question', 'x')")
        self.storm("SELECT * FROM (SELECT count(*) FROM faq WHERE query MATCH ?)", "looked up {}")

    def test_prices_of_ones_own(self):
        self.db.execute("INSERT INTO llm_prices(model, kind, usd_per_million) "
                        "VALUES ('gpt-4o-mini', 'input', 1000), ('gpt-4o-mini', 'output', 1000)")
        self.storm("SELECT llm_complete(?)", "dear {}")
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_calls WHERE kind = 'call' AND cost_nusd > 0 AND id > 1 AND "
                                        "cost_nusd <> 1000000 * (input_tokens + output_tokens)"), 0)

    def test_failed_attempts_are_settled(self):
        self.standin.scenario("server-error")  # the first time a body is seen
        self.SETTINGS = [*self.SETTINGS, "SELECT llm_config('backoff_ms', 1)"]
        self.reopen()
        try:
            self.storm("SELECT llm_complete(?, '{\"model\":\"gpt-4o-mini\",\"retries\":2}')", "retried {}")
        finally:
            self.standin.scenario("ok")


class CtrlCInTransaction(CtrlC):
    """What is read in a transaction is good for one use: it still prices."""

    def open(self):
        super().open()
        self.db.execute("BEGIN")
        self.db.execute("CREATE TABLE IF NOT EXISTS t(a)")

    def reopen(self):
        self.db.execute("COMMIT")
        super().reopen()


class CtrlCInMain(CtrlC):
    SETTINGS = ["SELECT llm_config('store', 'main')"]


if __name__ == "__main__":
    unittest.main()
