"""'Could not look' is never 'there is none': files that are none, names that a NUL would cut, sums that can't be
counted, a process without descriptors, a database that is locked."""
import json
import os
import resource
import socket
import sqlite3
import time
import unittest

from harness import SO, Desk, TempDir, connect, error_of, value


class Files(unittest.TestCase):
    """A FIFO, a device, a socket, a folder: the answer is there at once, and says what is wrong."""

    def setUp(self):
        self.tmp = TempDir()
        self.addCleanup(self.tmp.cleanup)
        self.db = connect(os.path.join(self.tmp.name, "app.db"))
        self.addCleanup(self.db.close)
        fifo, sock = os.path.join(self.tmp.name, "fifo"), os.path.join(self.tmp.name, "sock")
        os.mkfifo(fifo)
        s = socket.socket(socket.AF_UNIX)
        self.addCleanup(s.close)
        s.bind(sock)
        self.none = (fifo, sock, "/dev/zero", "/dev/tty", self.tmp.name)

    def refused(self, words, sql, *args):
        begun = time.monotonic()
        with self.subTest(sql=sql, args=args):
            self.assertIn(words, error_of(self.db, sql, *args))
            self.assertLess(time.monotonic() - begun, 5)

    def test_price_lists(self):
        for path in self.none:
            self.refused("cannot", "SELECT llm_prices_import(?)", path)
        with open(os.path.join(self.tmp.name, "list.json"), "w") as f:
            json.dump({"m-x": {"litellm_provider": "openai", "input_cost_per_token": 1e-6}}, f)
        os.symlink(f.name, f.name + ".link")
        self.assertEqual(json.loads(value(self.db, "SELECT llm_prices_import(?)", f.name + ".link"))["prices"], 1)

    def test_weights(self):
        for path in self.none:
            value(self.db, "SELECT llm_config('minilm', ?)", path)
            self.refused("minilm", "SELECT embed('x', 'minilm')")
        self.assertIsNone(json.loads(value(self.db, "SELECT llmcost_debug()"))["embedders"]["minilm"])

    def test_no_descriptors(self):
        """What can't be opened for want of descriptors is there all the same, and found afterwards."""
        weights = os.path.join(self.tmp.name, "weights.bin")
        open(weights, "w").close()
        value(self.db, "SELECT llm_config('minilm', ?)", weights)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        free = os.dup(0)
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
        try:
            import_error = error_of(self.db, "SELECT llm_prices_import(?)", weights)
            weights_error = error_of(self.db, "SELECT embed('x', 'minilm')")
            debug_error = error_of(self.db, "SELECT llmcost_debug()")
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for error in import_error, weights_error, debug_error:
            self.assertIn("Too many open files", error)
        self.assertIn("not a MiniLM file", error_of(self.db, "SELECT embed('x', 'minilm')"))
        self.assertIsNone(json.loads(value(self.db, "SELECT llmcost_debug()"))["embedders"]["minilm"])


class Names(Desk):
    """A NUL inside a name would make another name of it."""

    def test_arguments(self):
        cut = "char(0) || 'x'"
        for sql in (f"llm_price('gpt-4o' || {cut}, 'input')", f"llm_price('gpt-4o', 'input' || {cut})",
                    f"llm_price('gpt-4o', 'input', '2026-01-01' || {cut})", f"llm_cost('gpt-4o' || {cut}, 1, 1)",
                    f"llm_cost_explain('gpt-4o' || {cut}, 1, 1)", f"llm_cache_minimum('gpt-4o' || {cut})",
                    f"llm_tokens('a', 'gpt-4o' || {cut})", f"llm_chat_tokens('[]', 'gpt-4o' || {cut})",
                    f"embed('a', 'static' || {cut})", f"llm_config('store' || {cut})",
                    f"llm_config('cache', 'off' || {cut})", f"llm_config('ttl', '7d' || {cut})",
                    f"llm_config('proxy', 'http://a' || {cut})", f"llm_allow_host('a.example' || {cut})",
                    f"llm_allow_host('a.example', 'A_KEY' || {cut})", f"llm_secret('A_KEY' || {cut}, 'k')",
                    f"llm_secret('A_KEY', 'k' || {cut})", f"llm_prices_import('/etc/passwd' || {cut})"):
            with self.subTest(sql=sql):
                error = error_of(self.db, "SELECT " + sql)
                self.assertTrue("NUL" in error or "expected" in error, error)
        self.assertIn("both TEXT", error_of(self.db, "SELECT llm_secret('A_KEY', x'41004243')"))
        self.assertIn("NUL", error_of(self.db, "SELECT * FROM embed_batch('[\"a\"]', 'static' || char(0) || 'x')"))

    def test_rows(self):
        for table, row, sql in (
                ("llm_models", "(name, provider, api, base_url) VALUES ('gpt' || char(0) || 'x', 'openai', 'openai', 'https://a')",
                 "SELECT llm_tokens('a', 'some-model')"),
                ("llm_tiers", "(name, max_score, model, rank) VALUES ('t', 1, 'gpt-4o' || char(0) || 'x', 0)",
                 "SELECT llm_tokens('a', 'some-model')"),
                ("llm_prices", "(model, kind, usd_per_million) VALUES ('gpt-4o' || char(0) || 'x', 'input', 1)",
                 "SELECT llm_price('gpt-4o', 'input')")):
            with self.subTest(table=table):
                self.db.execute("BEGIN")
                self.db.execute(f"INSERT INTO {table}{row}")
                self.assertIn(f"a row of {table} holds a NUL", error_of(self.db, sql))
                self.db.execute("ROLLBACK")
                value(self.db, sql)


class Sums(Desk):
    def test_a_sum_that_cannot_be_counted_is_unknown(self):
        parts = [{"model": "claude-opus-4-8", "input": 0, "output": 10**9}]
        one = value(self.db, "SELECT llm_cost('claude-opus-4-8', ?)",
                    json.dumps({"input": 0, "output": 1, "parts": parts * 2}))
        self.assertEqual(one, 50000)
        usage = json.dumps({"input": 0, "output": 1, "parts": parts * 150000})
        self.assertIsNone(value(self.db, "SELECT llm_cost('claude-opus-4-8', ?)", usage))

    def test_factors_that_cannot_be_multiplied_are_none(self):
        self.db.execute("INSERT INTO llm_prices(model, kind, usd_per_million, service) VALUES"
                        " ('f-*', 'input', 1, NULL), ('f-*', 'output', 1, NULL),"
                        " ('f-*', 'factor', 100, 'batch'), ('f-*', 'factor', 100, NULL)")
        self.assertEqual(value(self.db, "SELECT llm_cost('f-1', 1000000, 0)"), 100)
        self.assertIsNone(value(self.db, "SELECT llm_cost('f-1', 1000000, 0, '{\"service\":\"batch\"}')"))
        why = json.loads(value(self.db, "SELECT llm_cost_explain('f-1', 1000000, 0, '{\"service\":\"batch\"}')"))
        self.assertIn("factors", why["unpriced"])


class Locked(unittest.TestCase):
    def test_a_configuration_that_is_locked_is_not_the_compiled_in_one(self):
        with TempDir() as tmp:
            path = os.path.join(tmp, "app.db")
            db = connect(path, timeout=0)
            value(db, "SELECT llm_init()")
            db.execute("INSERT INTO llm_prices(model, kind, usd_per_million) VALUES ('gpt-4o', 'input', 1)")
            db.commit()
            other = sqlite3.connect(path, isolation_level=None)
            other.execute("BEGIN EXCLUSIVE")
            for sql in ("SELECT llm_price('gpt-4o', 'input')", "SELECT llm_tokens('a', 'claude-opus-4-8')",
                        "SELECT count(*) FROM llm_catalogue", "SELECT llm_init()"):
                with self.subTest(sql=sql):
                    self.assertIn("locked", error_of(db, sql))
            other.execute("ROLLBACK")
            self.assertEqual(value(db, "SELECT llm_price('gpt-4o', 'input')"), 1)
            other.close()
            db.close()


if __name__ == "__main__":
    unittest.main()
