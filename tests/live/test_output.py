"""What SELECT * shows: times one can read, no bytes, no numbers that a client can't hold; dollars as text."""
import json
import math
import os
import sqlite3
import unittest

from harness import ROOT, Desk, connect, error_of, value

TABLES = "SELECT name FROM pragma_module_list WHERE name LIKE 'llm\\_%' ESCAPE '\\' AND name NOT IN ('llm_call', 'llm_guard')"
LARGEST = 2 ** 53


class SelectStar(Desk):
    def fill(self):
        """Something in every table and view."""
        db = self.db
        db.execute("SELECT llm_config('minilm', '/nonexistent')").fetchall()
        for o in ({"cache": "semantic", "tag": "t", "user": "u", "conversation": "c", "ttl": "1d"}, {}, {"cache": "refresh", "retries": 1}):
            value(db, "SELECT llm_complete('How do I reset my password?', ?)", json.dumps(o))
        value(db, "SELECT llm_complete('how can I reset my password', '{\"cache\":\"semantic\"}')")
        value(db, "SELECT llm_cache_feedback(llm_last_call(), 1)")
        value(db, "SELECT embed('a text', 'text-embedding-3-small')")
        self.standin.scenario("server-error")
        value(db, "SELECT llm_complete(?, '{\"retries\":1}')", self.tmp.name)  # the first time a body is seen
        self.standin.scenario("ok")
        samples = os.path.join(ROOT, "tests/data/imports")
        for name in sorted(os.listdir(samples)):
            try:
                value(db, "SELECT llm_import(?)", os.path.join(samples, name))
            except sqlite3.Error:
                pass
        db.execute("CREATE VIRTUAL TABLE faq USING semantic_cache")
        db.execute("INSERT INTO faq(query, response) VALUES ('How do I return shoes?', 'Send them back.')")

    def test_no_bytes_and_no_large_numbers(self):
        self.fill()
        seen = set()
        for (name,) in self.db.execute(TABLES + " UNION SELECT 'faq'").fetchall():
            try:
                cursor = self.db.execute(f"SELECT * FROM {name} LIMIT 1000")
            except sqlite3.Error as e:  # it wants an argument
                self.assertRegex(str(e), "expected|(is|are) missing")
                continue
            columns = [d[0] for d in cursor.description]
            for row in cursor:
                seen.add(name)
                for column, v in zip(columns, row):
                    self.assertFalse(isinstance(v, bytes), f"{name}.{column} is bytes")
                    self.assertFalse(isinstance(v, int) and abs(v) > LARGEST, f"{name}.{column} is {v}")
        self.assertLessEqual({"llm_calls", "llm_spend", "llm_answers", "llm_cache", "llm_texts", "llm_feedback", "llm_cost_by_tag",
                              "llm_import_files", "llm_invoices", "llm_retries", "faq"}, seen)

    def test_hidden_is_not_gone(self):
        self.fill()
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_answers WHERE key IS NOT NULL AND key_rest IS NOT NULL"),
                         value(self.db, "SELECT count(*) FROM llm_answers"))
        self.assertGreater(value(self.db, "SELECT length(embedding) FROM llm_cache LIMIT 1"), 0)
        self.assertGreater(value(self.db, "SELECT mtime FROM llm_import_files LIMIT 1"), 0)
        key = value(self.db, "SELECT key FROM llm_answers LIMIT 1")
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_answers WHERE key = ?", key), 1)

    def test_time(self):
        value(self.db, "SELECT llm_complete('x')")
        for table in ("llm_calls", "llm_spend"):
            columns = [d[0] for d in self.db.execute(f"SELECT * FROM {table}").description]
            self.assertEqual(columns[columns.index("ts") + 1], "time")
            self.assertEqual(columns.count("time"), 1)
            self.assertEqual(value(self.db, f"SELECT time = datetime(ts / 1000, 'unixepoch') FROM {table}"), 1)
            self.assertEqual(value(self.db, f"SELECT count(*) FROM {table} WHERE time >= '2020-01-01' AND date(time) = date(ts / 1000, 'unixepoch')"), 1)
            self.assertEqual(len(self.db.execute(f"SELECT time FROM {table} ORDER BY time DESC LIMIT 1").fetchall()), 1)
            self.assertEqual(value(self.db, f"SELECT max(time) FROM {table}"), value(self.db, f"SELECT time FROM {table}"))
            self.assertIsNotNone(value(self.db, f"SELECT request_id || kind FROM {table}"))

    def test_time_in_a_zone(self):
        value(self.db, "SELECT llm_complete('x')")
        with sqlite3.connect(self.path + "-llmcost") as raw:
            self.assertEqual(raw.execute("SELECT time = datetime(ts / 1000, 'unixepoch') FROM llm_spend").fetchone()[0], 1)
            raw.execute("UPDATE llm_calls SET ts = 1780272000123")  # 2026-06-01 00:00:00 UTC
        raw.close()
        for zone, text in ((None, "2026-06-01 00:00:00"), ("America/New_York", "2026-05-31 20:00:00"), ("+05:30", "2026-06-01 05:30:00")):
            value(self.db, "SELECT llm_config('time_zone', ?)", zone)
            self.assertEqual(value(self.db, "SELECT time FROM llm_calls"), text)
            self.assertEqual(value(self.db, "SELECT time FROM llm_spend WHERE ts > 5 AND attempt = 1"), text)

    def test_time_in_main(self):
        value(self.db, "SELECT llm_config('store', 'main')")
        value(self.db, "SELECT llm_complete('x')")
        self.assertEqual(value(self.db, "SELECT time = datetime(ts / 1000, 'unixepoch') FROM llm_spend"), 1)


class Dollars(unittest.TestCase):
    def setUp(self):
        self.db = connect(":memory:")

    def tearDown(self):
        self.db.close()

    def test_llm_usd(self):
        for nusd, text in ((0, "0.000000000"), (1, "0.000000001"), (-1, "-0.000000001"), (8250, "0.000008250"), (10 ** 9, "1.000000000"),
                           (-1_500_000_000, "-1.500000000"), (2 ** 63 - 1, "9223372036.854775807"), (-2 ** 63, "-9223372036.854775808"),
                           (1234.0, "0.000001234"), (-0.0, "0.000000000"), (float(LARGEST - 1), "9007199.254740991"), (None, None)):
            with self.subTest(nusd):
                self.assertEqual(value(self.db, "SELECT llm_usd(?)", nusd), text)
                self.assertEqual(value(self.db, "SELECT typeof(llm_usd(?))", nusd), "null" if nusd is None else "text")

    def test_what_is_no_amount(self):
        for bad in (0.5, float(LARGEST), 1e300, math.inf, "12", "", b"12", b""):
            with self.subTest(bad):
                self.assertIn("llm_usd: expected", error_of(self.db, "SELECT llm_usd(?)", bad))

    def test_sums(self):
        self.assertEqual(value(self.db, "SELECT llm_usd(sum(value)) FROM json_each('[1, 2, 3000000000]')"), "3.000000003")
        self.assertEqual(value(self.db, "SELECT llm_usd(total(value)) FROM json_each('[1, 2]')"), "0.000000003")
        self.assertIsNone(value(self.db, "SELECT llm_usd(sum(value)) FROM json_each('[]')"))

    def test_it_is_pure(self):
        self.db.execute("CREATE TABLE t(n, usd AS (llm_usd(n)))")
        self.db.execute("CREATE INDEX i ON t(llm_usd(n))")
        self.db.execute("INSERT INTO t VALUES (5), (NULL)")
        self.assertEqual(self.db.execute("SELECT usd FROM t").fetchall(), [("0.000000005",), (None,)])


if __name__ == "__main__":
    unittest.main()
