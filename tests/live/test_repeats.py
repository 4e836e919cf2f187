"""Equal requests within one statement: silent for the same asker, a hit with a row of its own for another."""
import json
import unittest

from harness import Desk, value

ANSWERS = "CREATE TABLE {} AS SELECT id, llm_complete(text, json_object('tag','q'||id,'user',customer)) x FROM q"


class Repeats(Desk):
    def setUp(self):
        super().setUp()
        self.sent = len(self.standin.journal())
        self.db.execute("CREATE TABLE q(id INTEGER PRIMARY KEY, customer TEXT, text TEXT)")
        self.db.execute("INSERT INTO q VALUES (1,'ann','Where is my order?'),(2,'bob','Where is my order?'),"
                        "(3,'cyd','Where is my order?'),(4,'ann','Hi')")

    def rows(self, columns="kind, tag, user", where="1"):
        return self.db.execute(f"SELECT {columns} FROM llm_calls WHERE {where} ORDER BY ts, id").fetchall()

    def test_each_customer_has_rows(self):
        self.db.execute(ANSWERS.format("a"))
        self.assertEqual(sorted(self.rows()), [("call", "q1", "ann"), ("call", "q4", "ann"), ("hit_exact", "q2", "bob"),
                                               ("hit_exact", "q3", "cyd")])
        paid = value(self.db, "SELECT cost_nusd FROM llm_calls WHERE tag = 'q1'")
        self.assertEqual(self.rows("cost_nusd, saved_nusd, model", "kind = 'hit_exact'"),
                         [(0, paid, value(self.db, "SELECT model FROM llm_calls WHERE tag = 'q1'"))] * 2)
        self.assertEqual(self.db.execute("SELECT user, calls, hits, cost_usd, saved_usd FROM llm_cost_by_user ORDER BY 1").fetchall(),
                         [("ann", 2, 0, value(self.db, "SELECT sum(cost_nusd) FROM llm_calls") / 1e9, None),
                          ("bob", 0, 1, 0.0, paid / 1e9), ("cyd", 0, 1, 0.0, paid / 1e9)])
        self.assertEqual(len(self.standin.journal()) - self.sent, 2)
        # once more: now all four are hits
        self.db.execute(ANSWERS.format("b"))
        self.assertEqual(self.db.execute("SELECT user, calls, hits FROM llm_cost_by_user ORDER BY 1").fetchall(),
                         [("ann", 2, 2), ("bob", 0, 2), ("cyd", 0, 2)])
        self.assertEqual(self.db.execute("SELECT * FROM a").fetchall(), self.db.execute("SELECT * FROM b").fetchall())
        self.assertEqual(json.loads(value(self.db, "SELECT llm_check()"))["sums"]["differs"], 0)

    def test_llm_call_shows_its_own(self):
        rows = self.db.execute("SELECT q.id, c.kind, c.tag, c.user, c.cost_nusd > 0 FROM q, "
                               "llm_call(text, json_object('tag','q'||q.id,'user',customer)) c ORDER BY 1").fetchall()
        self.assertEqual(rows, [(1, "call", "q1", "ann", 1), (2, "hit_exact", "q2", "bob", 0), (3, "hit_exact", "q3", "cyd", 0),
                                (4, "call", "q4", "ann", 1)])

    def test_llm_last_call(self):
        self.db.execute(ANSWERS.format("a"))
        last = value(self.db, "SELECT llm_last_call()")
        self.assertEqual(value(self.db, "SELECT tag FROM llm_calls WHERE id = ?", last), "q4")
        self.db.execute("DELETE FROM q WHERE id = 4")
        self.db.execute(ANSWERS.format("b"))
        self.assertEqual(value(self.db, "SELECT tag FROM llm_calls WHERE id = llm_last_call()"), "q3")

    def test_the_same_row_again_is_silent(self):
        ask = "llm_complete(text, json_object('tag','q'||id,'user',customer))"
        for sql in (f"SELECT {ask} a FROM q WHERE {ask} <> '' AND length({ask}) > 0 ORDER BY {ask} || id",
                    f"SELECT {ask}, {ask} FROM q ORDER BY {ask}",
                    f"SELECT {ask} FROM q UNION ALL SELECT {ask} FROM q ORDER BY 1",
                    f"SELECT a FROM (SELECT {ask} a FROM q) WHERE a <> '' AND a IS NOT NULL"):
            with self.subTest(sql):
                before = len(self.rows())
                self.db.execute(sql).fetchall()
                self.assertEqual(len(self.rows()) - before, 4)

    def test_equal_options_are_silent(self):
        self.db.execute("SELECT llm_complete(text, '{\"tag\":\"all\"}'), llm_complete(text, '{\"tag\" : \"all\"}') FROM q").fetchall()
        self.assertEqual(self.rows(), [("call", "all", None)] * 2)

    def test_what_tells_askers_apart(self):
        """Each of the three, NULL too, and a text in another one of them."""
        options = [{}, {"tag": "a"}, {"user": "a"}, {"conversation": "a"}, {"tag": "a", "user": "a"}, {"user": "a", "conversation": "a"},
                   {"tag": "b"}, {"tag": ""}]
        self.db.execute("SELECT llm_complete('same', value) FROM json_each(?) UNION ALL SELECT llm_complete('same', value) FROM json_each(?)",
                        [json.dumps([json.dumps(o) for o in options])] * 2).fetchall()
        rows = self.rows("kind, tag, user, conversation")
        self.assertEqual([r[0] for r in rows].count("call"), 1)
        self.assertEqual(len(rows), len(options), rows)
        self.assertEqual(len(set(r[1:] for r in rows)), len(options))

    def test_refresh_is_bought_once(self):
        self.db.execute("SELECT llm_complete(text, json_object('user',customer,'cache','refresh')) FROM q").fetchall()
        self.assertEqual(sorted(self.rows("kind, user")), [("call", "ann"), ("call", "ann"), ("hit_exact", "bob"), ("hit_exact", "cyd")])

    def test_off_is_bought_each_time(self):
        self.db.execute("SELECT llm_complete(text, json_object('user',customer,'cache','off')) FROM q").fetchall()
        self.assertEqual(sorted(self.rows("kind, user")), [("call", "ann"), ("call", "ann"), ("call", "bob"), ("call", "cyd")])

    def test_an_answer_that_the_cache_does_not_keep(self):
        """Cut off where max_tokens allows it: only the statement has it."""
        self.db.execute("SELECT llm_complete(text, json_object('user',customer,'max_tokens',2)) FROM q WHERE id < 4").fetchall()
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_answers"), 0)
        paid, model, provider = self.rows("cost_nusd, model, provider", "kind = 'call'")[0]
        self.assertEqual(sorted(self.rows("kind, user, saved_nusd, model, provider")),
                         [("call", "ann", None, model, provider), ("hit_exact", "bob", paid, model, provider),
                          ("hit_exact", "cyd", paid, model, provider)])

    def test_with_a_ttl(self):
        self.db.execute("SELECT llm_complete(text, json_object('user',customer,'ttl','1h')) FROM q").fetchall()
        self.assertEqual(sorted(self.rows("kind, user")), [("call", "ann"), ("call", "ann"), ("hit_exact", "bob"), ("hit_exact", "cyd")])

    def test_by_meaning(self):
        self.db.execute("SELECT llm_config('minilm', '/nonexistent')").fetchall()
        value(self.db, "SELECT llm_complete('How do I reset my password?', '{\"cache\":\"semantic\"}')")
        paid = value(self.db, "SELECT cost_nusd FROM llm_calls")
        self.db.execute("SELECT llm_complete('how can I reset my password', json_object('cache','semantic','user',customer)) FROM q").fetchall()
        self.assertEqual(sorted(self.rows("kind, user, saved_nusd", "user IS NOT NULL")),
                         [("hit_semantic", "ann", paid), ("hit_semantic", "bob", paid), ("hit_semantic", "cyd", paid)])

    def test_a_failure_is_sent_once(self):
        """Others who ask it are told: a row that nothing was sent, which costs nothing."""
        self.standin.scenario("bad-request-always")
        try:
            n = self.db.execute("SELECT count(*), count(llm_complete(text, json_object('user',customer,'on_error','null')))"
                                " FROM q WHERE id < 4").fetchone()
            self.assertEqual(n, (3, 0))
            self.assertEqual(self.rows("kind, user, cost_nusd"), [("call", "ann", 0), ("refused", "bob", 0), ("refused", "cyd", 0)])
            self.assertIn("not asked again in this statement: ", self.rows("error", "user = 'bob'")[0][0])
            rows = self.db.execute("SELECT c.user, c.kind, c.answer FROM q, llm_call(text, json_object('user',customer,"
                                   "'on_error','null')) c WHERE q.id < 4 ORDER BY q.id").fetchall()
            self.assertEqual(rows, [("ann", "call", None), ("bob", "refused", None), ("cyd", "refused", None)])
            self.assertEqual(len(self.standin.journal()) - self.sent, 2)
        finally:
            self.standin.scenario("ok")

    def test_in_main(self):
        self.db.execute("SELECT llm_config('store', 'main')").fetchall()
        value(self.db, "SELECT llm_complete('the first')")
        self.db.execute(ANSWERS.format("a"))
        self.assertEqual(sorted(self.rows("kind, user", "user IS NOT NULL")), [("call", "ann"), ("call", "ann"), ("hit_exact", "bob"), ("hit_exact", "cyd")])

    def test_many(self):
        """5,000 rows, 50 questions, 1,000 customers, each twice in a row: 50 calls, a hit for each other pair."""
        self.db.execute("CREATE TABLE m AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 4999) "
                        "SELECT i, 'question ' || (i % 50) q, 'c' || (i % 1000) u FROM n")
        self.db.execute("SELECT count(llm_complete(q, json_object('user', u))) FROM m").fetchall()
        self.assertEqual(self.rows("kind, count(*)", "1 GROUP BY kind"), [("call", 50), ("hit_exact", 950)])


if __name__ == "__main__":
    unittest.main()
