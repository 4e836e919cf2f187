"""'Could not look' is never 'there is none': files that are none, names that a NUL would cut, sums that can't be
counted, a process without descriptors, a database that is locked."""
import json
import os
import resource
import socket
import sqlite3
import threading
import time
import unittest

from harness import SO, Desk, TempDir, connect, error_of, value


class NoDescriptors:
    """No file can be opened meanwhile."""

    def __enter__(self):
        self.limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        free = os.dup(0)
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, self.limits[1]))

    def __exit__(self, *unused):
        resource.setrlimit(resource.RLIMIT_NOFILE, self.limits)


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
        with NoDescriptors():
            import_error = error_of(self.db, "SELECT llm_prices_import(?)", weights)
            weights_error = error_of(self.db, "SELECT embed('x', 'minilm')")
            debug_error = error_of(self.db, "SELECT llmcost_debug()")
        for error in import_error, weights_error, debug_error:
            self.assertIn("Too many open files", error)
        self.assertIn("not a MiniLM file", error_of(self.db, "SELECT embed('x', 'minilm')"))
        self.assertIsNone(json.loads(value(self.db, "SELECT llmcost_debug()"))["embedders"]["minilm"])


    def test_a_confirming_embedder_that_cannot_be_looked_at_is_asked_for_again(self):
        weights = os.path.join(self.tmp.name, "weights.bin")
        open(weights, "w").close()
        value(self.db, "SELECT llm_config('minilm', ?)", weights)
        self.db.execute("CREATE VIRTUAL TABLE c USING semantic_cache(embedder='static')")
        self.db.execute("INSERT INTO c(query, response) VALUES ('How do I reset my password?', 'so')")
        db = connect(os.path.join(self.tmp.name, "app.db"))
        value(db, "SELECT llm_config('minilm', ?)", weights)
        sql = "SELECT response FROM c WHERE query MATCH 'How do I reset my password today, please'"
        value(db, "SELECT count(*) FROM c")
        with NoDescriptors():
            self.assertIn("Too many open files", error_of(db, sql))
        db.execute(sql).fetchall()  # (these weights confirm nothing: the table does without)
        db.close()


class Ledger(Desk):
    def test_a_ledger_that_cannot_be_opened_is_not_an_empty_one(self):
        value(self.db, "SELECT llm_complete('hello')")
        db = connect(self.path)
        value(db, "SELECT count(*) FROM sqlite_schema")
        sql = "SELECT llm_tokens('hello', 'claude-opus-4-8')"
        with NoDescriptors():
            self.assertIn("cannot read what the ledger teaches", error_of(db, sql))
        self.assertGreater(value(db, sql), 0)
        db.close()


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


class Interrupted(unittest.TestCase):
    """Ctrl-C at any moment: nothing half made, and no transaction left open."""

    def attempt(self, db, sql, argument, delay):
        timer = threading.Timer(delay, db.interrupt)
        timer.start()
        try:
            value(db, sql, *argument)
            return True
        except sqlite3.OperationalError as e:
            self.assertIn("interrupted", str(e))
            return False
        finally:
            timer.join()

    def test_an_import(self):
        models = {f"m-{i}": {"litellm_provider": "openai", "input_cost_per_token": 1e-6,
                             "output_cost_per_token": 2e-6} for i in range(3000)}
        done = set()
        with TempDir() as tmp:
            db = connect(os.path.join(tmp, "app.db"), check_same_thread=False)
            for i in range(60):
                # (one model more each time: what is there is the last one that was finished)
                models[f"n-{i}"] = {"litellm_provider": "openai", "input_cost_per_token": 1e-6}
                known = None if i == 0 else before
                finished = self.attempt(db, "SELECT llm_prices_import(?)", [json.dumps(models)], i / 1000)
                done.add(finished)
                self.assertFalse(db.in_transaction)
                count = value(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'llm_prices'") and \
                    value(db, "SELECT count(*) FROM llm_prices")
                if finished:
                    self.assertEqual(count, 6000 + i + 1)
                elif known is not None: # (it may have come when all was done)
                    self.assertIn(count, (known, 6000 + i + 1))
                before = count
            db.close()
        self.assertEqual(done, {True, False})


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

    def test_what_was_kept_before_a_failure_is_not_taken_for_new(self):
        with TempDir() as tmp:
            path = os.path.join(tmp, "app.db")
            db, other = connect(path, timeout=0), sqlite3.connect(path, isolation_level=None)
            value(db, "SELECT llm_init()")
            for price in range(1, 5):
                other.execute("BEGIN EXCLUSIVE")
                if price > 1:
                    self.assertIn("locked", error_of(db, "SELECT llm_price('gpt-4o', 'input')"))
                other.execute("DELETE FROM llm_prices")
                other.execute("INSERT INTO llm_prices(model, kind, usd_per_million) VALUES ('gpt-4o', 'input', ?)",
                              (price,))
                other.execute("COMMIT")
                self.assertEqual(value(db, "SELECT llm_price('gpt-4o', 'input')"), price)
            other.close()
            db.close()


if __name__ == "__main__":
    unittest.main()
