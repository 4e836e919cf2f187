"""llm_map: every row gets its own answer, each request is paid once, and what ends it ends it cleanly.

A prompt says what it wants to hear (`@say: …`, tests/standin/answer.c), so that an answer in the wrong row is seen.
"""
import collections
import json
import os
import random
import signal
import subprocess
import threading
import time
import unittest

from harness import (ASAN_SO, SO, Desk, Standin, TempDir, asan_env, clean_env, connect, error_of, open_desk, prelude_sql,
                     setup_sql, shell, value)
from test_durability import Ledger

MODEL = "gpt-4o-mini"
OTHER = "gpt-4o"  # the one that fails, where one has to
BODY = "'Question ' || i || ' of {label}' || char(10) || '@say: {label}-' || i"
FILL = ("INSERT INTO t(id, body) WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last}) "
        "SELECT i, " + BODY + " FROM n")


def fill(db, rows, label="a", first=1):
    db.execute("CREATE TABLE IF NOT EXISTS t(id INTEGER PRIMARY KEY, body TEXT, answer TEXT)")
    if rows:
        db.execute(FILL.format(first=first, last=first + rows - 1, label=label))


class MapDesk(Desk):
    """A table t of prompts, and llm_map over it."""

    def setUp(self):
        super().setUp()
        self.standin.post("/standin/reset", {})
        self.standin.latency(0)
        fill(self.db, 0)

    def map(self, inner="SELECT id, body FROM t", tail="", columns="key, answer, error", db=None, **options):
        return (db or self.db).execute(f"SELECT {columns} FROM llm_map(?, ?) {tail}",
                                       (inner, json.dumps({"model": MODEL, **options}))).fetchall()

    def sent(self):
        return self.standin.bill()["requests"]

    def scenario_of(self, model, name):
        """Requests to this model meet a fault."""
        self.db.execute("UPDATE llm_models SET base_url = ? WHERE name = ?", (f"{self.standin.url}/s/{name}/v1", model))

    def kinds(self, db=None):
        return dict((db or self.db).execute("SELECT kind, count(*) FROM llm_calls GROUP BY kind").fetchall())

    def check_bill(self, db=None):
        """The ledger holds what the provider bills, to the nano-dollar; what was lost is a row `unknown`."""
        Ledger(db or self.db, self.standin).check(self, self.standin)

    def expect(self, rows, label="a"):
        """(key, answer, error): each key has its own answer."""
        self.assertEqual([r for r in rows if r[1] != f"{label}-{r[0]}" or r[2] is not None], [])


class Columns(MapDesk):
    def test_a_row_for_each(self):
        fill(self.db, 20)
        rows = self.map(columns="key, answer, error, model, cost_usd, kind, call_id")
        self.expect([r[:3] for r in rows])
        self.assertEqual(sorted(r[0] for r in rows), list(range(1, 21)))
        self.assertEqual({(r[3].startswith(MODEL), r[5]) for r in rows}, {(True, "call")})
        self.assertEqual(round(sum(r[4] for r in rows) * 1e9), self.standin.bill()["total_nusd"])
        for key, cost, call in ((r[0], r[4], r[6]) for r in rows):
            self.assertEqual(value(self.db, "SELECT cost_nusd FROM llm_calls WHERE id = ?", call), round(cost * 1e9), key)
        self.check_bill()
        again = self.map(columns="key, answer, error, cost_usd, kind")
        self.expect([r[:3] for r in again])
        self.assertEqual({r[3:] for r in again}, {(0.0, "hit_exact")})
        self.assertEqual(self.sent(), 20)

    def test_keys_come_back_as_they_are(self):
        rows = self.map("SELECT column1, column2 FROM (VALUES (1, 'q1'), (2.5, 'q2'), ('text', 'q3'), (x'00ff', 'q4'), "
                        "(NULL, 'q5'), ('', 'q6'), (-9223372036854775808, 'q7'))", columns="key, typeof(key), error")
        self.assertEqual({r[:2] for r in rows},
                         {(1, "integer"), (2.5, "real"), ("text", "text"), (b"\x00\xff", "blob"), (None, "null"), ("", "text"),
                          (-2**63, "integer")})
        self.assertEqual({r[2] for r in rows}, {None})

    def test_what_a_prompt_can_be(self):
        """As llm_complete takes it, or that row's error; NULL asks nothing; the others are answered."""
        self.db.execute("CREATE TABLE odd(id INTEGER PRIMARY KEY, p)")
        cases = ["NULL", "''", "'  '", "42", "1.5", "CAST(x'4142ff43' AS TEXT)", "'a' || char(0) || 'b'", "'plain'",
                 "replace(hex(zeroblob(2000000)), '00', 'word ')"]
        for i, sql in enumerate(cases):
            self.db.execute(f"INSERT INTO odd VALUES ({i}, {sql})")
        self.db.execute("INSERT INTO odd VALUES (100, x'4142')")
        rows = {r[0]: r[1:] for r in self.map("SELECT id, p FROM odd", columns="key, answer, error, kind, call_id")}
        self.assertEqual(len(rows), len(cases) + 1)
        self.assertEqual(rows[0], (None, None, None, None))
        self.assertIsNone(rows[100][0])
        self.assertIn("BLOB", rows[100][1])
        sent = self.sent()
        for i, sql in enumerate(cases[1:], 1):
            with self.subTest(sql=sql[:40]):
                try:
                    self.assertEqual(rows[i][:2], (value(self.db, f"SELECT llm_complete({sql}, ?)", json.dumps({"model": MODEL})),
                                                   None))
                except Exception as e:
                    self.assertIsNone(rows[i][0])
                    self.assertIn(str(e).partition(": ")[2], rows[i][1])
        self.assertEqual(self.sent(), sent)  # what llm_complete says was there already

    def test_a_very_long_prompt(self):
        self.db.execute("INSERT INTO t(id, body) VALUES (1, replace(hex(zeroblob(4200000)), '00', 'word ')), (2, 'short')")
        rows = {r[0]: r for r in self.map()}
        self.assertTrue(rows[1][1] or rows[1][2])
        self.assertIn("short", rows[2][1])

    def test_options_of_one_row(self):
        fill(self.db, 6)
        rows = self.map("SELECT id, body, CASE WHEN id < 4 THEN 'gpt-4o' END AS model, 'tag-' || (id % 2) AS tag FROM t",
                        columns="key, answer, error, model")
        self.expect([r[:3] for r in rows])
        self.assertEqual({r[0]: r[3].startswith("gpt-4o-mini") for r in rows}, {i: i > 3 for i in range(1, 7)})
        self.assertEqual(dict(self.db.execute("SELECT tag, count(*) FROM llm_calls GROUP BY tag").fetchall()), {"tag-0": 3, "tag-1": 3})

    def test_options_of_one_row_as_sql_has_them(self):
        """A switch is a number, an array or an object a text, a label may be a number; behind the key stands any of them."""
        fill(self.db, 2)
        rows = self.map("SELECT id, json_array('XX', 'YY') AS stop, 7 AS user, json_object('type', 'object') AS schema, 1 AS escalate, body AS q "
                        "FROM t", prompt="{q}\n@say: {{}}", columns="key, answer, error")
        self.assertEqual([r[1:] for r in rows], [("{}", None)] * 2)
        body = self.standin.get("/standin/last")["body"]
        self.assertEqual(body["stop"], ["XX", "YY"])
        self.assertEqual(body["response_format"]["json_schema"]["schema"]["type"], "object")
        self.assertEqual(self.db.execute("SELECT DISTINCT user FROM llm_calls").fetchall(), [("7",)])
        self.assertIn("two columns are the option 'tag'",
                      error_of(self.db, "SELECT * FROM llm_map('SELECT id, body, 1 AS tag, 2 AS tag FROM t')"))

    def test_a_wrong_option_is_its_rows_error(self):
        fill(self.db, 4)
        rows = self.map("SELECT id, body, CASE id WHEN 2 THEN -1 WHEN 3 THEN 'no' END AS max_tokens FROM t")
        self.assertEqual({r[0]: r[2] is None for r in rows}, {1: True, 2: False, 3: False, 4: True})
        self.assertIn("max_tokens", {r[0]: r[2] for r in rows}[2])
        self.assertEqual(self.sent(), 2)

    def test_messages(self):
        system = "You are terse."
        self.db.execute("INSERT INTO t(id, body) VALUES (1, 'one')")
        inner = ("SELECT id, json_array(json_object('role', 'system', 'content', '" + system + "'), json_object('role', 'user', "
                 "'content', body || char(10) || '@say: heard')) AS messages FROM t")
        self.assertEqual(self.map(inner), [(1, "heard", None)])
        body = self.standin.get("/standin/last")["body"]
        self.assertEqual([m["role"] for m in body["messages"]], ["system", "user"])
        self.assertEqual(body["messages"][0]["content"], system)
        rows = self.map("SELECT column1, column2 AS messages FROM (VALUES (1, 'no JSON'), (2, '[]'), (3, '{}'))")
        self.assertEqual([r for r in rows if r[1] is not None or not r[2]], [])
        self.assertEqual(self.sent(), 1)

    def test_a_key_is_looked_up(self):
        fill(self.db, 50)
        self.assertEqual(self.map(tail="WHERE key = 7"), [(7, "a-7", None)])
        self.assertLessEqual(self.sent(), 1)
        self.assertEqual(self.map(tail="WHERE key = 700"), [])
        self.assertEqual(self.map(tail="WHERE key IS NULL"), [])

    def test_hidden_arguments_can_be_constraints(self):
        fill(self.db, 3)
        rows = self.db.execute("SELECT key, answer, error FROM llm_map WHERE sql = 'SELECT id, body FROM t' AND options = ?",
                               (json.dumps({"model": MODEL}),)).fetchall()
        self.assertEqual(len(rows), 3)
        self.expect(rows)

    def test_nothing_to_ask(self):
        self.assertEqual(self.map(), [])
        self.assertEqual(self.db.execute("SELECT * FROM llm_map(NULL)").fetchall(), [])
        self.assertEqual(self.sent(), 0)


class Misuse(MapDesk):
    """Said before anything is sent, and with what to do."""

    def said(self, inner, *words, **options):
        with self.subTest(inner=inner, options=options):
            text = error_of(self.db, "SELECT count(*) FROM llm_map(?, ?)", inner, json.dumps({"model": MODEL, **options}))
            self.assertTrue(text.startswith("llm_map: "), text)
            for word in words:
                self.assertIn(word, text)

    def setUp(self):
        super().setUp()
        fill(self.db, 3)

    def tearDown(self):
        self.assertEqual(self.sent(), 0)
        super().tearDown()

    def test_no_select(self):
        for sql in ("", "   ", "-- nothing", "SELEC id FROM t", "SELECT id, body FROM nowhere"):
            self.said(sql)
        self.said("SELECT id FROM t", "one column")
        self.said("SELECT id, body, answer FROM t", "answer")

    def test_it_may_not_write(self):
        for sql in ("DELETE FROM t RETURNING id, body", "INSERT INTO t(body) VALUES ('x') RETURNING id, body",
                    "UPDATE t SET body = '' RETURNING id, body", "CREATE TABLE made(a)", "DROP TABLE t", "BEGIN",
                    "PRAGMA user_version = 7", "PRAGMA journal_mode = wal", "ATTACH ':memory:' AS other", "VACUUM"):
            self.said(sql)
        self.assertEqual(value(self.db, "SELECT count(*) FROM t"), 3)
        self.assertEqual(value(self.db, "SELECT count(*) FROM sqlite_schema WHERE name = 'made'"), 0)
        self.assertEqual(value(self.db, "PRAGMA user_version"), 0)
        self.assertFalse(self.db.in_transaction)

    def test_one_statement(self):
        for sql in ("SELECT id, body FROM t; SELECT 1, 2", "SELECT id, body FROM t; DELETE FROM t", "; SELECT id, body FROM t; x"):
            self.said(sql)
        self.assertEqual(value(self.db, "SELECT count(*) FROM t"), 3)

    def test_no_parameters(self):
        self.said("SELECT id, body FROM t WHERE id = ?")
        self.said("SELECT id, body FROM t WHERE id = :id")

    def test_options(self):
        self.said("SELECT id, body FROM t", "concurency", "concurrency", "ordered", "max_calls", concurency=3)
        for name, wrong in (("concurrency", 0), ("concurrency", -1), ("concurrency", "many"), ("concurrency", 1e9), ("ordered", "x"),
                            ("max_calls", -1), ("max_usd", -1), ("max_usd", "x"), ("fields", 7), ("on_error", "json"),
                            ("instruction", "without fields")):
            self.said("SELECT id, body FROM t", name, **{name: wrong})
        self.said("SELECT id, body FROM t", "llm_estimate", dry_run=True)

    def test_not_in_a_view_or_trigger(self):
        self.db.execute("CREATE VIEW v AS SELECT * FROM llm_map('SELECT id, body FROM t')")
        self.assertIn("unsafe use of virtual table", error_of(self.db, "SELECT * FROM v"))

    def test_no_sql_is_missing(self):
        self.assertIn("the SELECT is missing", error_of(self.db, "SELECT * FROM llm_map"))


class Semicolons(MapDesk):
    def test_what_follows_a_statement_and_is_none(self):
        fill(self.db, 2)
        for sql in ("SELECT id, body FROM t;", "SELECT id, body FROM t ;;  \n", "SELECT id, body FROM t; -- all of them\n",
                    "/* first */ SELECT id, body FROM t", "WITH x AS (SELECT * FROM t) SELECT id, body FROM x",
                    "VALUES (1, 'Question 1 of a\n@say: a-1')"):
            with self.subTest(sql=sql):
                self.expect(self.map(sql))


class Order(MapDesk):
    """M01: answers are paired with the rows that asked, whenever they come."""

    def setUp(self):
        super().setUp()
        self.standin.post("/standin/latency", {"ms": 0, "to_ms": 30, "seed": 7})
        self.scenario_of(OTHER, "server-error")  # fails once, and is answered then

    def shuffled(self, rows, **options):
        fill(self.db, rows)
        self.map("SELECT id, body FROM t WHERE id % 9 = 0")  # hits between
        inner = f"SELECT id, body, iif(id % 7 = 0 AND id % 9, '{OTHER}', '{MODEL}') AS model FROM t ORDER BY id * 7919 % 10007"
        return self.map(inner, columns="key, answer, error, kind", concurrency=64, **options), inner

    def test_as_they_finish(self):
        rows, _ = self.shuffled(10000)
        self.expect([r[:3] for r in rows])
        self.assertEqual(len({r[0] for r in rows}), 10000)
        self.assertEqual(collections.Counter(r[3] for r in rows)["hit_exact"], 10000 // 9)
        self.assertEqual(self.standin.bill()["calls"], 10000)
        self.check_bill()

    def test_in_order(self):
        rows, inner = self.shuffled(3000, ordered=True)
        self.expect([r[:3] for r in rows])
        self.assertEqual([r[0] for r in rows], [r[0] for r in self.db.execute(inner)])

    def test_the_quick_do_not_wait_for_the_slow(self):
        fill(self.db, 10)
        self.scenario_of(OTHER, "slow-1500")
        inner = f"SELECT id, body, iif(id = 1, '{OTHER}', '{MODEL}') AS model FROM t ORDER BY id"
        self.assertEqual(self.map(inner)[-1][0], 1)


class AtOnce(MapDesk):
    def most(self, **options):
        self.standin.post("/standin/reset", {})
        self.expect(self.map(cache="off", **options))
        return self.standin.get("/standin/rate")["most_at_once"]

    def test_as_many_as_it_says(self):
        fill(self.db, 100)
        self.standin.latency(60)
        for k in (1, 8, 50):
            with self.subTest(k=k):
                most = self.most(concurrency=k)
                self.assertTrue(k * 3 // 4 <= most <= k, most)  # (a busy machine may answer the first before the last has come)
        self.assertLessEqual(self.most(concurrency=1000), 100)

    def test_more_than_the_statement_before(self):
        """What a statement was allowed says nothing of what the provider takes."""
        fill(self.db, 50)
        self.map("SELECT id, body || '?' FROM t WHERE id <= 3", concurrency=1)
        self.standin.latency(700)
        self.assertEqual(self.most(concurrency=50), 50)

    def test_rows_come_as_they_are_answered(self):
        fill(self.db, 40)
        self.standin.latency(50)
        cursor = self.db.execute("SELECT key FROM llm_map('SELECT id, body FROM t', ?)", (json.dumps({"model": MODEL, "concurrency": 4}),))
        cursor.fetchone()
        self.assertLess(self.standin.bill()["calls"], 20)
        self.assertEqual(len(cursor.fetchall()), 39)

    def test_closed_early(self):
        fill(self.db, 60)
        self.standin.latency(30)
        cursor = self.db.execute("SELECT key FROM llm_map('SELECT id, body FROM t', ?)", (json.dumps({"model": MODEL, "concurrency": 4}),))
        for _ in range(3):
            cursor.fetchone()
        cursor.close()
        sent = self.sent()
        self.assertLessEqual(sent, 3 + 4)
        time.sleep(0.2)
        self.assertEqual(self.sent(), sent)  # nothing goes on behind it
        self.check_bill()
        self.assertEqual(self.kinds(), {"call": sent})  # what was on its way is kept
        self.expect(self.map())
        self.assertEqual(self.sent(), 60)

    def test_a_limit(self):
        fill(self.db, 200)
        self.standin.latency(20)
        for n in (5, 1):
            with self.subTest(n=n):
                before = self.sent()
                self.assertEqual(len(self.map(f"SELECT id, body || ' {n}' FROM t", tail=f"LIMIT {n}", columns="key", concurrency=32)), n)
                self.assertLessEqual(self.sent() - before, n)
        self.assertEqual(len(self.map("SELECT id, body || ' off' FROM t", tail="LIMIT 3 OFFSET 2", columns="key")), 3)
        self.assertEqual(self.map(tail="LIMIT 0"), [])
        self.check_bill()

    def test_who_stops_reading_has_paid_for_few_others(self):
        """Where SQLite keeps the LIMIT to itself: no more than `concurrency` beyond it, however the answers fall."""
        fill(self.db, 400)
        for n, (rows, concurrency, latency) in enumerate(((1, 16, 0), (5, 16, 30), (20, 8, 30), (33, 32, 10), (7, 1, 0))):
            self.standin.latency(latency)
            before = self.sent()
            found = self.map(f"SELECT id, body || ' {n}' FROM t", tail=f"WHERE error IS NULL LIMIT {rows}", columns="key",
                             concurrency=concurrency)
            self.assertEqual(len(found), rows)
            self.assertLessEqual(self.sent() - before, rows + concurrency)

    def test_a_provider_with_a_limit(self):
        """What it refuses is asked again, later: no row has an error."""
        for kind in ("window", "bucket"):
            for told in ({"headers": True}, {"headers": False, "retry_after": True}, {"headers": False, "retry_after": False}):
                with self.subTest(kind=kind, told=told):
                    self.standin.post("/standin/rate", {"kind": kind, "requests": 40, "request_ms": 500, **told})
                    self.db.execute("DELETE FROM t")
                    fill(self.db, 120, f"{kind}{len(told)}{told['headers']}")
                    rows = self.map(concurrency=32, retries=9)
                    self.assertEqual([r for r in rows if r[2]], [])
                    self.assertEqual(len(rows), 120)
        self.check_bill()


class Equal(MapDesk):
    """M04, M05: equal rows are one question, unless fresh answers are wanted."""

    def same(self, n, text="the same\n@say: one"):
        self.db.executemany("INSERT INTO t(body) VALUES (?)", [(text,)] * n)

    def test_with_the_cache_once(self):
        self.same(3)
        rows = self.map(columns="key, answer, error, kind")
        self.assertEqual({r[1:3] for r in rows}, {("one", None)})
        self.assertEqual(sorted(r[3] for r in rows), ["call", "hit_exact", "hit_exact"])
        self.assertEqual(self.sent(), 1)

    def test_without_it_each(self):
        self.same(3)
        rows = self.map(cache="off", columns="key, answer, error, kind")
        self.assertEqual([r[1:] for r in rows], [("one", None, "call")] * 3)
        self.assertEqual(self.sent(), 3)

    def test_refreshed_once(self):
        self.same(3)
        self.map()
        self.assertEqual(len(self.map(cache="refresh")), 3)
        self.assertEqual(self.sent(), 2)

    def test_one_key_with_three_prompts(self):
        rows = self.map("SELECT 1, column1 FROM (VALUES ('a\n@say: x'), ('b\n@say: y'), ('c\n@say: z'))")
        self.assertEqual(sorted(rows), [(1, "x", None), (1, "y", None), (1, "z", None)])
        self.assertEqual(len(self.map("SELECT 1, column1 FROM (VALUES ('a\n@say: x'), ('b\n@say: y'))", tail="WHERE key = 1")), 2)

    def test_a_burst_has_one_leader(self):
        self.standin.latency(100)
        self.same(64)
        self.assertEqual({r[1:] for r in self.map(concurrency=64)}, {("one", None)})
        self.assertEqual(self.sent(), 1)

    def test_the_leader_fails_and_comes_again(self):
        self.scenario_of(MODEL, "server-error")
        self.same(64)
        self.assertEqual({r[1:] for r in self.map(concurrency=64)}, {("one", None)})
        self.assertEqual(self.sent(), 2)

    def test_the_leader_is_refused_for_good(self):
        self.scenario_of(MODEL, "bad-request")
        self.same(64)
        rows = self.map(concurrency=64)
        self.assertEqual(len(rows), 64)
        self.assertEqual({r[1] for r in rows}, {None})
        self.assertEqual(len({r[2] for r in rows}), 1)
        self.assertIn("refused", rows[0][2])
        self.assertEqual(self.sent(), 1)

    def test_those_that_come_later_are_told_too(self):
        """Not asked again, and nothing is paid: the rows say so, one by one."""
        self.scenario_of(MODEL, "bad-request")
        for n in range(40):
            self.same(1)
            self.same(1, f"other {n}\n@say: one")
        rows = self.map(concurrency=2, columns="key, answer, error, kind")
        self.assertEqual(len(rows), 80)
        self.assertEqual({r[1] for r in rows}, {None})
        self.assertEqual(self.sent(), 41)
        told = [r for r in rows if r[0] % 2 == 1]
        self.assertEqual(len({r[2] for r in told}), 1)
        self.assertEqual(self.db.execute("SELECT count(*) FROM llm_calls WHERE kind = 'refused' AND error LIKE"
                                         " '%: not asked again in this statement: %'").fetchone()[0], 39)

    def test_a_failure_of_many_is_told_once(self):
        """20,000 rows: were each to tell all others again, this would not end."""
        self.scenario_of(MODEL, "bad-request")
        self.db.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
                        " INSERT INTO t(body) SELECT 'the same' FROM n")
        self.assertEqual(self.map(columns="count(error), count(DISTINCT error), count(answer)", concurrency=256), [(20000, 1, 0)])
        self.assertEqual(self.sent(), 1)

    def test_those_that_come_later_are_not_refreshed_again(self):
        for n in range(20):
            self.same(1)
            self.same(1, f"other {n}\n@say: one")
        self.map()
        rows = self.map(cache="refresh", concurrency=2, columns="key, answer, error, kind")
        self.assertEqual({r[1:3] for r in rows}, {("one", None)})
        self.assertEqual(self.sent(), 2 * 21)
        self.assertEqual(sorted(r[3] for r in rows if r[0] % 2 == 1), ["call"] + ["hit_exact"] * 19)

    def test_an_answer_that_is_not_kept_serves_all(self):
        """One that was cut, or is kept for a time only."""
        for more in ({"max_tokens": 1}, {"ttl": "1h"}):
            with self.subTest(more):
                self.db.execute("DELETE FROM t")
                before = self.sent()
                for n in range(10):
                    self.same(1, f"{more}: same\n@say: one two three four five six")
                    self.same(1, f"{more}: other {n}\n@say: one")
                rows = self.map(concurrency=2, **more)
                self.assertEqual(len({r[1:] for r in rows if r[0] % 2 == 1}), 1, rows)
                self.assertEqual(self.sent() - before, 11)

    def test_the_leaders_process_dies(self):
        self.same(8)
        self.db.execute("PRAGMA journal_mode = wal")  # who reads a file with a rollback journal keeps it from writers
        self.db.execute("UPDATE llm_models SET base_url = ?", (self.standin.url + "/s/hang/v1",))
        child = start(self.path, self.standin, "SELECT count(*) FROM llm_map('SELECT id, body FROM t', '{\"model\":\"gpt-4o-mini\"}')")
        while self.sent() == 0:
            time.sleep(0.01)
        self.db.execute("UPDATE llm_models SET base_url = ?", (self.standin.url + "/v1",))
        child.kill()
        child.wait()
        self.assertEqual({r[1:] for r in self.map()}, {("one", None)})
        self.assertEqual(self.sent(), 2)
        self.assertEqual(self.kinds()["unknown"], 1)

    def test_two_connections_at_once(self):
        fill(self.db, 150)
        self.standin.latency(20)
        others = [connect(self.path, check_same_thread=False) for _ in range(2)]
        found = []
        threads = [threading.Thread(target=lambda d=d: found.append(self.map(db=d, concurrency=16))) for d in others]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(len(found), 2)
        for rows in found:
            self.assertEqual(len(rows), 150)
            self.expect(rows)
        self.assertEqual(self.sent(), 150)  # each waits for the other's answer
        for d in others:
            d.close()
        self.check_bill()


class Errors(MapDesk):
    """M10, M11: a row that fails says so in `error`; the others are answered, and are not paid again."""
    INNER = f"SELECT id, body, iif(id % 14 = 0, '{OTHER}', '{MODEL}') AS model FROM t"  # 7 of 100

    def setUp(self):
        super().setUp()
        fill(self.db, 100)
        self.scenario_of(OTHER, "bad-request")

    def test_seven_of_a_hundred(self):
        rows = self.map(self.INNER, columns="key, answer, error, kind, call_id")
        bad = [r for r in rows if r[2]]
        self.assertEqual(sorted(r[0] for r in bad), [14, 28, 42, 56, 70, 84, 98])
        self.assertEqual({r[1] for r in bad}, {None})
        self.expect([r[:3] for r in rows if not r[2]])
        self.assertEqual(len(rows), 100)
        self.assertIn("refused by this scenario", bad[0][2])
        self.assertFalse([r[2] for r in bad if KEY_TAIL in r[2] or "Question" in r[2]], "an error holds no key and no prompt")

    def test_only_the_seven_are_sent_again(self):
        self.db.execute("CREATE TABLE answers(id INTEGER PRIMARY KEY, answer TEXT NOT NULL)")
        insert = ("INSERT INTO answers SELECT key, answer FROM llm_map(?, '{}') WHERE error IS NULL ON CONFLICT DO NOTHING")
        self.db.execute(insert, (self.INNER,))
        self.assertEqual(value(self.db, "SELECT count(*) FROM answers"), 93)
        self.assertEqual(self.sent(), 100)
        self.scenario_of(OTHER, "ok")
        self.db.execute(insert, (self.INNER,))
        self.assertEqual(value(self.db, "SELECT count(*) FROM answers"), 100)
        self.assertEqual(self.sent(), 107)

    def test_on_error_error_ends_it(self):
        self.standin.latency(20)
        said = error_of(self.db, "SELECT count(*) FROM llm_map(?, ?)", self.INNER + " ORDER BY id",
                        json.dumps({"on_error": "error", "concurrency": 4}))
        self.assertTrue(said.startswith("llm_map: "), said)
        self.assertIn("refused by this scenario", said)
        sent = self.sent()
        self.assertLess(sent, 40)
        time.sleep(0.1)
        self.assertEqual(self.sent(), sent)
        self.check_bill()
        self.assertEqual(self.map("SELECT 1, 'still here\n@say: yes'"), [(1, "yes", None)])

    def test_one_breaks_its_schema_for_good(self):
        self.scenario_of(OTHER, "wrong-schema-always")
        schema = {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"], "additionalProperties": False}
        self.db.execute("UPDATE t SET body = 'Question ' || id")
        rows = self.map(f"SELECT id, body, iif(id = 40, '{OTHER}', '{MODEL}') AS model FROM t WHERE id <= 80", schema=schema)
        self.assertEqual([r[0] for r in rows if r[2]], [40])
        self.assertEqual(sum("word" in json.loads(r[1]) for r in rows if r[1]), 79)
        self.check_bill()

    def test_every_kind_of_trouble(self):
        """One row meets it, nine do not."""
        for name in ("unauthorized", "context-length", "reset", "truncated", "bad-json", "deep-json", "empty", "big-headers",
                     "redirect-away", "failed-200-always", "quota", "not-found", "nul", "bad-utf8"):
            with self.subTest(name=name):
                self.scenario_of(OTHER, name)
                self.db.execute("DELETE FROM t")
                fill(self.db, 10, name)
                rows = self.map(f"SELECT id, body, iif(id = 5, '{OTHER}', '{MODEL}') AS model FROM t", retries=1, timeout_ms=5000)
                self.assertEqual(len(rows), 10)
                self.expect([r for r in rows if r[0] != 5], name)

    def test_so_many_calls(self):
        for concurrency in (1, 16):
            with self.subTest(concurrency=concurrency):
                self.db.execute("DELETE FROM t")
                fill(self.db, 100, f"m{concurrency}")
                before = self.sent()
                rows = self.map(max_calls=30, concurrency=concurrency)
                self.assertEqual(self.sent() - before, 30)
                self.assertEqual(len(rows), 100)
                self.expect([r for r in rows if not r[2]], f"m{concurrency}")
                self.assertEqual({"max_calls" in r[2] for r in rows if r[2]}, {True})
                self.assertEqual(sum(r[2] is None for r in rows), 30)
                rows = self.map(max_calls=30, concurrency=concurrency)  # hits do not count
                self.assertEqual(sum(r[2] is None for r in rows), 60)

    def test_so_many_dollars(self):
        """Never more than it says, with all that is on its way counted at its worst."""
        for concurrency in (1, 64):
            with self.subTest(concurrency=concurrency):
                self.db.execute("DELETE FROM t")
                fill(self.db, 100, f"u{concurrency}")
                before = self.standin.bill()["total_nusd"]
                rows = self.map(max_usd=0.0003, concurrency=concurrency, max_tokens=40)
                spent = self.standin.bill()["total_nusd"] - before
                self.assertTrue(0 < spent <= 300000, spent)
                self.assertEqual(len(rows), 100)
                self.expect([r for r in rows if not r[2]], f"u{concurrency}")
                self.assertEqual({"max_usd" in r[2] for r in rows if r[2]}, {True})
        self.assertEqual({r[2] is None for r in self.map("SELECT id, body || '!' FROM t", max_usd=1, max_tokens=40)}, {True})
        rows = self.map("SELECT id, body || '?' FROM t", max_usd=0)
        self.assertEqual({r[2] is None for r in rows}, {False})
        self.check_bill()

    def test_a_budget(self):
        self.db.execute("INSERT INTO llm_budgets(scope, period, limit_usd, action) VALUES ('tag:nightly', 'day', 0.0003, 'error')")
        rows = self.map(tag="nightly", concurrency=32, max_tokens=40)
        self.assertEqual(len(rows), 100)
        self.assertLessEqual(self.standin.bill()["total_nusd"], 300000)
        self.assertTrue(0 < sum(r[2] is None for r in rows) < 100)
        self.assertEqual({"llm_budgets" in r[2] for r in rows if r[2]}, {True})
        self.check_bill()

    def test_limits_of_the_connection(self):
        value(self.db, "SELECT llm_config('max_calls', 10)")
        for concurrency in (16, 1):
            options = json.dumps({"model": MODEL, "concurrency": concurrency})
            said = error_of(self.db, "SELECT count(*) FROM llm_map('SELECT id, body FROM t', ?)", options)
            self.assertIn("llm_config('max_calls', 10): 10 requests have been sent", said)
            self.assertEqual(self.sent(), 10)
        value(self.db, "SELECT llm_config('max_calls', NULL)")
        self.expect(self.map())
        self.assertEqual(self.sent(), 100)


KEY_TAIL = "7f3a"  # of the key that the tests hand over


class InStatements(MapDesk):
    """M15 and more: SQLite scans a table as often as it likes; a request is paid once."""

    def setUp(self):
        super().setUp()
        fill(self.db, 30)

    def once(self, sql, *args, n=30):
        """Runs it: the provider sees n requests, and none the second time."""
        with self.subTest(sql=sql[:90]):
            before = self.sent()
            rows = self.db.execute(sql, args).fetchall()
            self.assertEqual(self.sent() - before, n)
            return rows

    def test_into_the_table_that_it_reads(self):
        self.once("INSERT INTO t(id, body) SELECT key + 1000, answer FROM llm_map('SELECT id, body FROM t', '{\"model\":\"gpt-4o-mini\"}')")
        self.assertEqual(value(self.db, "SELECT count(*) FROM t"), 60)
        self.assertEqual(value(self.db, "SELECT count(*) FROM t WHERE id > 1000 AND body = 'a-' || (id - 1000)"), 30)

    def test_a_loop_that_updates_what_it_reads(self):
        cursor = self.db.execute("SELECT key, answer FROM llm_map('SELECT id, body FROM t', ?)",
                                 (json.dumps({"model": MODEL, "concurrency": 3}),))
        for key, answer in cursor:
            self.db.execute("UPDATE t SET answer = ?, body = 'changed' WHERE id >= ?", (answer, key))
            self.assertEqual(answer, f"a-{key}")
        self.assertEqual(value(self.db, "SELECT count(*) FROM t WHERE body = 'changed'"), 30)
        self.assertEqual(self.sent(), 30)

    def test_a_loop_that_empties_what_it_reads(self):
        cursor = self.db.execute("SELECT key, answer, error FROM llm_map('SELECT id, body FROM t', ?)",
                                 (json.dumps({"model": MODEL, "concurrency": 3}),))
        rows = [cursor.fetchone()]
        self.db.execute("DELETE FROM t")
        rows += cursor.fetchall()
        self.assertEqual(len(rows), 30)
        self.expect(rows)

    def test_update_from(self):
        self.once("UPDATE t SET answer = m.answer FROM llm_map('SELECT id, body FROM t', '{\"model\":\"gpt-4o-mini\"}') m WHERE m.key = t.id")
        self.assertEqual(value(self.db, "SELECT count(*) FROM t WHERE answer = 'a-' || id"), 30)

    def test_a_left_join_of_two_thousand(self):
        fill(self.db, 1970, first=31)
        sql = ("SELECT t.id, m.answer FROM t LEFT JOIN llm_map('SELECT id, body FROM t', '{\"model\":\"gpt-4o-mini\",\"concurrency\":32}') m "
               "ON m.key = t.id")
        rows = self.once(sql, n=2000)
        self.assertEqual([r for r in rows if r[1] != f"a-{r[0]}"], [])
        self.assertEqual(len(rows), 2000)
        self.assertLessEqual(value(self.db, "SELECT count(*) FROM llm_calls"), 2000)
        self.once(sql, n=0)
        self.assertLessEqual(value(self.db, "SELECT count(*) FROM llm_calls"), 4000)
        self.assertEqual(self.kinds()["call"], 2000)

    def test_correlated(self):
        sql = "SELECT id, (SELECT answer FROM llm_map('SELECT id, body FROM t', '{\"model\":\"gpt-4o-mini\"}') m WHERE m.key = t.id) FROM t"
        rows = self.once(sql)
        self.assertEqual([r for r in rows if r[1] != f"a-{r[0]}"], [])
        self.assertEqual(self.kinds(), {"call": 30})
        self.once(sql, n=0)

    def test_where_its_sql_is_made_for_each_row(self):
        rows = self.once("SELECT t.id, m.answer FROM t, llm_map('SELECT ' || t.id || ', body FROM t WHERE id = ' || t.id, "
                         "'{\"model\":\"gpt-4o-mini\"}') m")
        self.assertEqual([r for r in rows if r[1] != f"a-{r[0]}"], [])
        self.assertEqual(len(rows), 30)

    def test_two_in_one_statement(self):
        both = ("SELECT a.key, a.answer, b.answer FROM llm_map('SELECT id, body FROM t', '{\"model\":\"gpt-4o-mini\"}') a JOIN "
                "llm_map('SELECT id, body FROM t', '{\"model\":\"gpt-4o\"}') b ON b.key = a.key")
        rows = self.once(both, n=60)
        self.assertEqual([r for r in rows if r[1] != f"a-{r[0]}" or r[2] != r[1]], [])
        self.assertEqual(len(rows), 30)

    def test_the_same_twice_in_one_statement(self):
        one = "SELECT key, answer FROM llm_map('SELECT id, body FROM t', '{\"model\":\"gpt-4o-mini\"}')"
        self.assertEqual(len(self.once(f"{one} UNION ALL {one}")), 60)
        self.assertEqual(len(self.once(f"WITH m AS ({one}) SELECT a.key FROM m a JOIN m b USING (key)", n=0)), 30)

    def test_one_inside_another(self):
        inner = "SELECT key, ''again '' || answer || char(10) || ''@say: b-'' || key FROM llm_map(''SELECT id, body FROM t'')"
        rows = self.once(f"SELECT key, answer, error FROM llm_map('{inner}', '{{\"model\":\"gpt-4o-mini\"}}')", n=60)
        self.expect(rows, "b")
        self.assertEqual(len(rows), 30)

    def test_llm_complete_inside(self):
        rows = self.once("SELECT key, answer, error FROM llm_map('SELECT id, llm_complete(body, ''{\"model\":\"gpt-4o-mini\"}'') || char(10) || ''@say: c-'' "
                         "|| id FROM t WHERE id <= 3', '{\"model\":\"gpt-4o-mini\"}')", n=6)
        self.expect(rows, "c")

    def test_llm_complete_of_its_answers(self):
        rows = self.once("SELECT key, llm_complete('about ' || answer || char(10) || '@say: d-' || key, '{\"model\":\"gpt-4o-mini\"}'), error "
                         "FROM llm_map('SELECT id, body FROM t', '{\"model\":\"gpt-4o-mini\"}')", n=60)
        self.expect(rows, "d")

    def test_however_it_is_planned(self):
        m = "llm_map('SELECT id, body || '' {0}'' FROM t', '{{\"model\":\"gpt-4o-mini\"}}')"
        shapes = ["SELECT answer FROM {m} WHERE answer <> '' AND answer LIKE '%a%' ORDER BY answer",
                  "SELECT * FROM (SELECT key, answer a FROM {m}) WHERE a <> '' AND a LIKE '%y%' ORDER BY a",
                  "SELECT length(answer), count(*) FROM {m} GROUP BY 1 HAVING count(*) > 0 ORDER BY 2",
                  "SELECT CASE WHEN answer LIKE 'x%' THEN answer ELSE upper(answer) END FROM {m}",
                  "SELECT key, row_number() OVER (ORDER BY answer), lag(answer) OVER (ORDER BY key) FROM {m}",
                  "SELECT count(*) FROM {m} WHERE error IS NULL AND cost_usd >= 0",
                  "SELECT t.id FROM t WHERE EXISTS (SELECT 1 FROM {m} m WHERE m.key = t.id AND answer IS NOT NULL)",
                  "SELECT t.id FROM t WHERE t.id IN (SELECT key FROM {m})",
                  "SELECT max(answer), min(answer) FROM {m}",
                  "WITH m AS MATERIALIZED (SELECT * FROM {m}) SELECT a.answer FROM m a, m b WHERE a.key = b.key",
                  "WITH m AS NOT MATERIALIZED (SELECT * FROM {m}) SELECT a.answer FROM m a, m b WHERE a.key = b.key",
                  "SELECT count(*) FROM t a CROSS JOIN {m} m",
                  "INSERT INTO kept SELECT key, answer FROM {m} WHERE 1 ON CONFLICT(id) DO UPDATE SET answer = excluded.answer RETURNING id, answer"]
        self.db.execute("CREATE TABLE kept(id INTEGER PRIMARY KEY, answer TEXT)")
        for i, shape in enumerate(shapes):
            self.once(shape.format(m=m.format(f"shape {i}")))
        self.assertEqual(value(self.db, "SELECT count(*) FROM kept"), 30)
        self.check_bill()

    def test_executed_again_it_asks_again(self):
        """A prepared statement that is stepped a second time is another execution: hits then, or fresh samples."""
        self.map()
        self.assertEqual(self.kinds(), {"call": 30})
        self.map()
        self.assertEqual(self.kinds(), {"call": 30, "hit_exact": 30})
        self.map(cache="off")
        self.map(cache="off")
        self.assertEqual(self.sent(), 90)

    def test_rolled_back(self):
        self.db.execute("BEGIN")
        self.db.execute("CREATE TABLE kept AS SELECT key, answer FROM llm_map('SELECT id, body FROM t', '{\"model\":\"gpt-4o-mini\"}')")
        self.assertEqual(value(self.db, "SELECT count(*) FROM kept"), 30)
        self.db.execute("ROLLBACK")
        self.assertEqual(value(self.db, "SELECT count(*) FROM sqlite_schema WHERE name = 'kept'"), 0)
        self.check_bill()
        self.expect(self.map())
        self.assertEqual(self.sent(), 30)

    def test_it_sees_the_open_transaction(self):
        self.db.execute("BEGIN IMMEDIATE")
        fill(self.db, 5, first=31)
        self.assertEqual(len(self.map()), 35)
        self.db.execute("ROLLBACK")

    def test_limit_beside_conditions(self):
        """A LIMIT counts the rows that pass: it ends the asking only where there is no condition; and of an OR each side is planned by itself."""
        one = f"llm_map('SELECT id, body FROM t', '{{\"model\":\"{MODEL}\"}}')"
        for tail, n in (("key > 27 LIMIT 2", 2), ("answer = 'a-7' LIMIT 1", 1), ("answer IS 'a-9' LIMIT 1", 1), ("key > 25 LIMIT 2 OFFSET 1", 2),
                        ("kind = 'hit_exact' AND key > 3 LIMIT 2", 2), ("key = 3 LIMIT 4", 1), ("key = 1 OR key = 9", 2),
                        ("answer = 'a-1' OR answer = 'a-2'", 2), ("key = 'x' COLLATE NOCASE OR error IS NOT NULL", 0)):
            with self.subTest(tail):
                self.assertEqual(len(self.db.execute(f"SELECT key FROM {one} WHERE {tail}").fetchall()), n)
        sorted_by_fields = json.dumps({"model": MODEL, "fields": "any", "ordered": True})
        for n in range(1, 8):
            rows = self.db.execute("SELECT key FROM llm_map('SELECT id, ''row '' || id AS a, ''kind '' || id % 2 AS b FROM t', ?) LIMIT ?",
                                   (sorted_by_fields, n)).fetchall()
            self.assertEqual(rows, [(i,) for i in range(1, n + 1)])
        for table in ("llm_map", "llm_map WHERE key = 1", "llm_map WHERE key = 1 OR key = 2"):
            self.assertIn("the SELECT is missing", error_of(self.db, f"SELECT * FROM {table}"))

    def test_many_statements_that_name_it(self):
        """What one execution asked is not another's, however many statements run meanwhile."""
        sql = f"SELECT count(*) FROM llm_map('SELECT id, body FROM t', '{{\"model\":\"{MODEL}\"}}')"
        self.assertEqual(value(self.db, sql), 30)
        held = [self.db.execute(f"SELECT key, {i} FROM llm_map('SELECT id, body FROM t', '{{\"model\":\"{MODEL}\"}}')") for i in range(40)]
        for cursor in held:
            cursor.fetchone()
        fill(self.db, 1, first=31)
        self.assertEqual(value(self.db, sql), 31)
        self.assertEqual(self.sent(), 31)

    def test_a_rollback_while_it_runs(self):
        self.standin.latency(10)
        self.db.execute("BEGIN")
        cursor = self.db.execute("SELECT key, answer, error FROM llm_map('SELECT id, body FROM t', ?)", (json.dumps({"model": MODEL, "concurrency": 2}),))
        rows = [cursor.fetchone()]
        self.db.execute("ROLLBACK")
        try:
            rows += cursor.fetchall()
            self.assertEqual(len(rows), 30)
        except Exception as e:  # SQLite may end a reader with the transaction
            self.assertRegex(str(e), "abort|rollback|interrupt")
        self.expect(rows)
        self.expect(self.map())
        self.check_bill()
        self.assertEqual(self.sent(), 30)

    def test_temp_tables_and_other_schemas(self):
        self.db.execute("CREATE TEMP TABLE mine AS SELECT * FROM t")
        self.db.execute("ATTACH ':memory:' AS other")
        self.db.execute("CREATE TABLE other.theirs AS SELECT * FROM t")
        self.expect(self.map("SELECT id, body FROM mine"))
        self.expect(self.map("SELECT id, body FROM other.theirs"))
        self.assertEqual(self.sent(), 30)

    def test_on_a_read_only_connection(self):
        self.map()
        ro = connect(f"file:{self.path}?mode=ro", uri=True)
        self.expect(self.map(db=ro))
        ro.close()
        self.assertEqual(self.sent(), 30)


class Template(MapDesk):
    """M09: values reach the wire byte for byte, once; what is wrong is said before anything is sent."""
    TITLE = 'a {body} {{x}} } { {title} \\ "q" é 汉'

    def wire(self):
        return self.standin.get("/standin/last")["body"]["messages"][-1]["content"]

    def setUp(self):
        super().setUp()
        self.db.execute('CREATE TABLE books(id INTEGER PRIMARY KEY, title TEXT, "two words" TEXT, "Q""x" TEXT, n INT, b BLOB)')
        self.db.execute("INSERT INTO books VALUES (1, ?, 'w w', 'q', 42, NULL)", (self.TITLE,))

    def asked(self, template, columns="id, title", **options):
        rows = self.map(f"SELECT {columns} FROM books", prompt=template, **options)
        self.assertEqual([r for r in rows if r[2]], [])
        return self.wire()

    def test_values_go_once(self):
        self.assertEqual(self.asked("About {title}: {title}!"), f"About {self.TITLE}: {self.TITLE}!")

    def test_the_templates_own_json(self):
        self.assertEqual(self.asked('Return {{"n":"{title}"}} for {title}'), f'Return {{"n":"{self.TITLE}"}} for {self.TITLE}')
        for template in ('Return {"n":"{title}"}', "{title", "title}", "{}", "{title}}"):
            with self.subTest(template=template):
                said = error_of(self.db, "SELECT * FROM llm_map('SELECT id, title FROM books', ?)", json.dumps({"prompt": template}))
                self.assertIn("write {{ and }} for a brace", said)
                self.assertEqual(self.sent(), 1)

    def test_a_literal_brace(self):
        self.assertEqual(self.asked("{{title}} is {title}"), f"{{title}} is {self.TITLE}")

    def test_names(self):
        self.assertEqual(self.asked("{two words}/{TITLE}/{n}/{id}", 'id, title, "two words", n'), f"w w/{self.TITLE}/42/1")

    def test_an_unknown_name(self):
        said = error_of(self.db, "SELECT * FROM llm_map('SELECT id, title, n FROM books', '{\"prompt\":\"About {titel}\"}')")
        self.assertIn("titel", said)
        self.assertIn("title", said)
        self.assertIn("n", said)
        self.assertEqual(self.sent(), 0)

    def test_null_in_a_template(self):
        rows = self.map("SELECT id, title, b FROM books", prompt="{title} {b}", columns="key, answer, error, kind")
        self.assertEqual(len(rows), 1)  # what NULL makes of it is in the manual


class Interrupt(MapDesk):
    """M12: at once, nothing is begun behind it, and what was on its way is accounted for."""

    def test_from_another_thread(self):
        fill(self.db, 300)
        self.db.close()
        self.db = open_desk(self.path, self.standin.url, check_same_thread=False)
        self.standin.latency(3000)
        when = {}

        def stop():
            while self.standin.get("/standin/rate")["at_once"] < 64:
                time.sleep(0.01)
            when["stop"] = time.time()
            self.db.interrupt()

        thread = threading.Thread(target=stop)
        thread.start()
        with self.assertRaisesRegex(Exception, "interrupt"):
            self.map(concurrency=64)
        ended = time.time()
        thread.join()
        self.assertLess(ended - when["stop"], 1)  # the aim is 0.1 s; this machine has other work
        self.standin.latency(0)
        self.assertEqual(self.map("SELECT 1, 'next\n@say: works'"), [(1, "works", None)])
        time.sleep(3.2)  # until the provider has billed what it was sent
        at = [e["at_ms"] for e in self.standin.journal() if "next" not in e["prompt"]]
        self.assertEqual(len(at), 64)
        self.assertLessEqual(max(at), when["stop"] * 1000 + 50)
        self.check_bill()
        self.assertEqual(self.kinds(), {"unknown": 64, "call": 1})

    def test_between_answers(self):
        fill(self.db, 400)
        self.db.close()
        self.db = open_desk(self.path, self.standin.url, check_same_thread=False)
        self.standin.post("/standin/latency", {"ms": 1, "to_ms": 40, "seed": 1})
        for i in range(12):
            timer = threading.Timer(0.02 + i * 0.013, self.db.interrupt)
            timer.start()
            try:
                self.map(concurrency=16)
            except Exception as e:
                self.assertIn("interrupt", str(e))
            timer.join()
        self.expect(self.map(concurrency=16))
        time.sleep(0.1)
        self.check_bill()
        twice = {p: n for p, n in Ledger(self.db, self.standin).paid_per_prompt().items() if n != 1}
        self.assertEqual(twice, {})

    def test_ctrl_c_in_the_shell(self):
        fill(self.db, 100)
        self.standin.latency(5000)
        child = start(self.path, self.standin, "SELECT count(*) FROM llm_map('SELECT id, body FROM t', '{\"model\":\"gpt-4o-mini\",\"concurrency\":8}');\n"
                      "SELECT 'next works'", stdout=subprocess.PIPE)
        while self.standin.get("/standin/rate")["at_once"] < 8:
            time.sleep(0.01)
        began = time.time()
        child.send_signal(signal.SIGINT)
        child.wait(timeout=4)
        self.assertLess(time.time() - began, 2)
        child.stdout.close()
        self.assertEqual(self.sent(), 8)


class Progress(MapDesk):
    """M14, and what M10 and M11 want seen: how far it is, what it waits for, and that a dead one is gone."""

    def setUp(self):
        super().setUp()
        if not value(self.db, "SELECT count(*) FROM pragma_module_list WHERE name = 'llm_progress'"):
            self.skipTest("llm_progress is not built")
        value(self.db, "SELECT llm_complete('there is a store')")
        fill(self.db, 200)

    def progress(self):
        cursor = self.db.execute("SELECT * FROM llm_progress()")
        return [dict(zip([c[0] for c in cursor.description], row)) for row in cursor.fetchall()]

    def until(self, test):
        """The newest run, once it is so."""
        for _ in range(800):
            rows = self.progress()
            if rows and test(rows[0]):
                return rows[0]
            time.sleep(0.01)
        raise AssertionError(self.progress())

    def start(self, concurrency=4):
        options = json.dumps({"model": MODEL, "concurrency": concurrency})
        return start(self.path, self.standin, f"SELECT count(*) FROM llm_map('SELECT id, body FROM t', '{options}')")

    def test_of_another_process(self):
        self.standin.latency(100)
        child = self.start()
        run = self.until(lambda r: r["done"] > 20)
        self.assertEqual((run["state"], run["rows"], run["requests"], run["errors"]), ("running", 200, 200, 0))
        self.assertLess(run["done"], 200)
        self.assertTrue(run["rows_per_second"] > 0 and run["left_s"] > 0 and run["spent_usd"] > 0, run)
        self.assertTrue(run["started_at"] <= run["updated_at"] <= time.time() * 1000 + 100)
        child.wait()
        run = self.until(lambda r: r["state"] != "running")
        self.assertEqual((run["state"], run["done"], run["calls"], run["hits"]), ("done", 200, 200, 0))
        self.assertAlmostEqual(run["spent_usd"] * 1e9, value(self.db, "SELECT sum(cost_nusd) FROM llm_calls WHERE id > 1"), delta=1)

    def test_a_dead_one_is_gone(self):
        self.standin.latency(100)
        child = self.start()
        self.until(lambda r: r["done"] > 8)
        child.kill()
        child.wait()
        run = self.until(lambda r: r["state"] == "gone")
        self.assertLess(run["done"], 200)

    def test_nothing_to_divide_by(self):
        self.assertEqual(self.progress(), [])
        self.map("SELECT id, body FROM t WHERE 0")
        self.map()
        self.map()  # only hits
        for run in self.progress():
            self.assertIn(run["state"], ("done", "running"))
            self.assertTrue(run["left_s"] is None or run["left_s"] >= 0)

    def test_errors_are_counted(self):
        self.scenario_of(OTHER, "bad-request")
        self.standin.latency(20)
        self.map(f"SELECT id, body, iif(id % 20 = 0, '{OTHER}', '{MODEL}') AS model FROM t", concurrency=2)
        run = self.progress()[0]
        self.assertEqual((run["state"], run["done"], run["errors"]), ("done", 200, 10))

    def test_what_it_waits_for(self):
        for headers in (True, False):
            with self.subTest(headers=headers):
                self.standin.post("/standin/rate", {"kind": "window", "requests": 10, "request_ms": 3000, "headers": headers})
                child = self.start(concurrency=20)
                run = self.until(lambda r: r["state"] == "running" and r["waits_for"])
                child.kill()
                child.wait()
                self.assertIn(run["waits_for"], ("requests", "pause"))
                self.assertLess(abs(run["waits_until"] / 1000 - time.time()), 10)

    def test_closed_early(self):
        self.standin.latency(50)
        cursor = self.db.execute("SELECT key FROM llm_map('SELECT id, body FROM t', ?)", (json.dumps({"model": MODEL, "concurrency": 2}),))
        for _ in range(60):
            cursor.fetchone()
        cursor.close()
        run = self.progress()[0]
        self.assertNotIn(run["state"], ("running", "done"))
        self.assertGreaterEqual(run["done"], 60)

    def test_on_standard_error(self):
        self.standin.latency(20)
        inner = f"SELECT id, body, iif(id % 20 = 0, ''{OTHER}'', ''{MODEL}'') AS model FROM t"
        for progress, expected in (("on", True), ("off", False), ("auto", False)):  # it is no terminal
            sql = (f"UPDATE llm_models SET base_url = '{self.standin.url}/s/bad-request/v1' WHERE name = '{OTHER}';"
                   f"SELECT llm_config('progress', '{progress}'); SELECT count(error) FROM llm_map('{inner}', '{{\"concurrency\":8}}');")
            out = shell(self.path, prelude_sql(SO, self.standin.url) + sql)
            self.assertIn("10", out.stdout.splitlines(), out.stderr)
            self.assertEqual("200" in out.stderr and "10 " in out.stderr, expected, out.stderr)


def start(path, standin, sql, stdout=subprocess.DEVNULL, settings=()):
    """The shell with a statement, in a process of its own."""
    lines = ";\n".join([f".load {SO}\n", *setup_sql(standin.url)[:-2], *settings, sql, ""]).replace("\n;", "\n")
    child = subprocess.Popen(["sqlite3", "-batch", path], stdin=subprocess.PIPE, stdout=stdout, stderr=subprocess.DEVNULL,
                             env=clean_env(), text=True)
    child.stdin.write(lines)
    child.stdin.close()
    return child


class Killed(unittest.TestCase):
    """kill -9 at random moments of 200 rows, again and again until all are answered. LLMCOST_KILLS and LLMCOST_ROWS: more."""
    KILLS, ROWS = int(os.environ.get("LLMCOST_KILLS", 40)), int(os.environ.get("LLMCOST_ROWS", 200))
    SETTINGS = ()
    SQL = ("INSERT INTO answers SELECT key, answer FROM llm_map('SELECT id, body FROM t', "
           "'{\"model\":\"gpt-4o-mini\",\"concurrency\":24}') WHERE answer IS NOT NULL")

    def test_killed(self):
        random.seed(20261129)
        with Standin() as standin, TempDir() as tmp:
            path, kills, label = os.path.join(tmp, "desk.db"), 0, 0
            db = open_desk(path, standin.url)
            db.execute("CREATE TABLE answers(id INTEGER PRIMARY KEY, answer TEXT)")
            fill(db, 0)
            while kills < self.KILLS:
                label += 1
                db.execute("DELETE FROM t")
                db.execute("DELETE FROM answers")
                fill(db, self.ROWS, str(label))
                standin.post("/standin/latency", {"ms": 0, "to_ms": random.choice([5, 30, 100]), "seed": label})
                done = False
                while kills < self.KILLS and not done:
                    child, before = start(path, standin, self.SQL, settings=self.SETTINGS), standin.bill()["calls"]
                    while child.poll() is None and standin.bill()["calls"] <= before:
                        time.sleep(0.001)
                    time.sleep(random.uniform(0, 0.25))
                    done = child.poll() is not None
                    child.kill()
                    child.wait()
                    kills += not done
            standin.latency(0)
            time.sleep(0.2)  # the provider answers into the void what a killed one had asked
            db.execute("DELETE FROM answers")
            db.execute(self.SQL)
            self.assertEqual(value(db, f"SELECT count(*) FROM answers WHERE answer = '{label}-' || id"), self.ROWS)
            ledger = Ledger(db, standin)
            ledger.check(self, standin)
            self.assertEqual({p: n for p, n in ledger.paid_per_prompt().items() if n != 1}, {})
            before = standin.bill()["total_nusd"]
            db.execute("DELETE FROM answers")
            db.execute(self.SQL)
            self.assertEqual(standin.bill()["total_nusd"], before, "the second run must cost nothing")
            db.close()
            print(f"      {kills} kills over {label * self.ROWS} rows: {len(ledger.unknown)} calls were in flight, "
                  f"{sum(1 for i in ledger.unknown if ledger.billed[i])} of them billed")


class Prefix(MapDesk):
    """What rows begin with alike is read from the provider's cache: one order for all, and the first of them goes ahead (M13)."""
    PRODUCTS, ROWS, AHEAD = 4, 60, 17
    CLAUDE = "claude-haiku-4-5"

    def setUp(self):
        super().setUp()
        self.db.execute("CREATE TABLE reviews(id INTEGER PRIMARY KEY, review TEXT, product TEXT)")
        text = ["".join(f" {word}{p}" for word in range(5000)) for p in range(self.PRODUCTS)]
        self.db.executemany("INSERT INTO reviews VALUES (?, ?, ?)",
                            [(i, f"Review number {i}", text[i % self.PRODUCTS]) for i in range(self.ROWS)])

    def tearDown(self):
        self.standin.post("/standin/cache", {"readable_ms": 0, "miss": 0})
        super().tearDown()

    def cost(self, model, fields, **more):
        """Dollars of a run over all rows, and (input tokens, read, written) of its calls."""
        self.standin.post("/standin/reset", {})
        options = {"model": model, "fields": fields, "instruction": "Good or bad?", "concurrency": 16, "cache": "off", "max_tokens": 8,
                   "tag": f"{model} {fields} {more}", **more}
        rows = self.map("SELECT id, review, product FROM reviews", columns="key, cost_usd, error", **options)
        self.assertEqual([r[2] for r in rows if r[2]], [])
        self.assertEqual({r[0] for r in rows}, set(range(self.ROWS)))
        usage = self.db.execute("SELECT sum(input_tokens), total(cached_input_tokens), total(cache_write_tokens) FROM llm_calls"
                                " WHERE tag = ?", (options["tag"],)).fetchone()
        return sum(r[1] for r in rows), usage

    def test_one_order_costs_less(self):
        self.standin.latency(20)
        for model, most in ((self.CLAUDE, 0.45), (OTHER, 0.6)):  # (gpt-4o reads at half the price)
            with self.subTest(model):
                given, _ = self.cost(model, True)
                ours, usage = self.cost(model, "any")
                self.assertLess(ours, most * given)
                self.assertGreater(usage[1], 0.85 * usage[0])

    def test_one_of_each_writes(self):
        self.standin.latency(20)
        _, (tokens, _, written) = self.cost(self.CLAUDE, "any")
        each = tokens / self.ROWS
        self.assertLess(written, (self.PRODUCTS + 0.5) * each)
        self.assertGreater(written, (self.PRODUCTS - 0.5) * each)

    def test_off_marks_nothing(self):
        _, usage = self.cost(self.CLAUDE, "any", prompt_cache="off")
        self.assertEqual(usage[1:], (0, 0))

    def test_written_is_not_yet_readable(self):
        """So many of one beginning pay in full at most, however late it can be read, and if half of the reads miss."""
        self.standin.latency(20)
        for cache in ({"readable_ms": 2000}, {"miss": 0.5, "seed": 3}):
            with self.subTest(cache):
                self.standin.post("/standin/cache", {"readable_ms": 0, "miss": 0, **cache})
                _, (tokens, read, _) = self.cost(self.CLAUDE, "any", tag=str(cache))
                in_full = round((tokens - read) / (tokens / self.ROWS))
                self.assertLessEqual(in_full, self.PRODUCTS * self.AHEAD if "miss" not in cache else self.ROWS * 0.7)


class InMain(MapDesk):
    """With the store in the caller's own database."""

    def setUp(self):
        super().setUp()
        value(self.db, "SELECT llm_config('store', 'main')")
        fill(self.db, 40)

    def test_answered_and_kept(self):
        self.expect(self.map(concurrency=16))
        self.expect(self.map(concurrency=16))
        self.assertEqual(self.sent(), 40)
        self.assertEqual(self.kinds(), {"call": 40, "hit_exact": 40})
        self.check_bill()

    def test_into_a_table(self):
        self.db.execute("INSERT INTO t(id, body) SELECT key + 1000, answer FROM llm_map('SELECT id, body FROM t', '{\"model\":\"gpt-4o-mini\"}')")
        self.assertEqual(value(self.db, "SELECT count(*) FROM t WHERE id > 1000 AND body = 'a-' || (id - 1000)"), 40)
        self.check_bill()


@unittest.skipUnless(os.path.exists(ASAN_SO), "the sanitized build is not here")
class Sanitized(MapDesk):
    """The same under AddressSanitizer and UBSan: rows of every kind, ended early, interrupted and failing."""

    def test_all_of_it(self):
        fill(self.db, 300)
        self.scenario_of(OTHER, "bad-request")
        self.db.execute("UPDATE t SET body = NULL WHERE id = 3")
        self.db.execute("UPDATE t SET body = x'4142' WHERE id = 4")
        self.standin.post("/standin/latency", {"ms": 0, "to_ms": 20, "seed": 3})
        options = '{"concurrency":32}'
        inner = "SELECT id, body, iif(id % 50 = 0, ''gpt-4o'', ''gpt-4o-mini'') AS model FROM t"
        sql = prelude_sql(ASAN_SO, self.standin.url) + f"""
UPDATE llm_models SET base_url = '{self.standin.url}/s/bad-request/v1' WHERE name = 'gpt-4o';
SELECT 'all', count(*), count(answer), count(error) FROM llm_map('{inner}', '{options}');
SELECT 'again', count(*), count(answer), count(error) FROM llm_map('{inner}', '{options}');
SELECT 'limit', count(*) FROM (SELECT * FROM llm_map('SELECT id, body || ''!'' FROM t WHERE id > 4', '{options}') LIMIT 5);
SELECT 'joined', count(m.answer) FROM t LEFT JOIN llm_map('{inner}', '{options}') m ON m.key = t.id;
SELECT 'error' FROM llm_map('{inner}', '{{"on_error":"error"}}');
SELECT 'nested', count(answer) FROM llm_map('SELECT key, answer FROM llm_map(''SELECT id, body FROM t WHERE id > 4 AND id < 20'')');
"""
        out = shell(self.path, sql, env=asan_env(leaks=True))
        self.assertNotIn("Sanitizer", out.stderr)
        self.assertNotIn("runtime error", out.stderr)
        for line in ("all|300|292|7", "again|300|292|7", "limit|5", "joined|292", "nested|15"):
            self.assertIn(line, out.stdout.splitlines(), out.stderr[-2000:])


if __name__ == "__main__":
    unittest.main()
