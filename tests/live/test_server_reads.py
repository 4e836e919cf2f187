"""Replicas of libSQL server read, and nothing else: what they refuse, what they say of the primary's ledger, caches, prices."""
import collections
import unittest

from servers import MAIN, Cluster, answers, options

# What changes, sends or pays: none of it on a replica.
CHANGES = [
    "SELECT llm_complete('new')",
    """SELECT llm_chat('[{"role":"user","content":"new"}]')""", "SELECT answer FROM llm_call('new')",
    "SELECT * FROM llm_map('SELECT 1, ''new''')", "SELECT hex(embed('new', 'text-embedding-3-small'))",
    """SELECT * FROM embed_batch('["new"]', 'text-embedding-3-small')""", "SELECT llm_init()", "SELECT llm_prices_import('{}')",
    "SELECT llm_cache_feedback(1, 0)", """SELECT llm_cache_forget('{"model":"gpt-4o"}')""", "SELECT llm_mirror()",
    "SELECT llm_batch_flush()", "SELECT llm_batch_poll()", "SELECT llm_batch_wait()", "SELECT llm_batch_cancel('1')",
    "SELECT llm_route_calibrate()", "SELECT llm_route_train('SELECT 1, 1')", "SELECT llm_check()"]

# What replicas read of the ledger.
VIEWS = ["llm_cost_hourly", "llm_cost_daily", "llm_cost_weekly", "llm_cost_monthly", "llm_cost_by_model", "llm_cost_by_tag",
         "llm_cost_by_user", "llm_cost_daily_by_model", "llm_cost_daily_by_tag", "llm_cost_daily_by_user", "llm_savings",
         "llm_finish_reasons", "llm_unpriced", "llm_reported_costs", "llm_invoices", "llm_sums", "llm_budget_status", "llm_prices",
         "llm_models", "llm_conversations"]


class Reads:
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        asked = ", ".join(f"('Question {i}', 'tag {i % 3}', 'user {i % 2}')" for i in range(12))
        cls.primary.ask(f"SELECT llm_complete(column1, json_object('tag', column2, 'user', column3)) FROM (VALUES {asked})")
        cls.primary.value("SELECT llm_complete('Question 1')")
        cls.primary.error_of("""SELECT llm_complete('no such model', '{"model":"nix"}')""")
        cls.primary.ask("CREATE VIRTUAL TABLE faq USING semantic_cache(embedder=static)")
        cls.primary.ask("INSERT INTO faq(query, response) VALUES ('What is your return policy?', 'Within 30 days.'), "
                        "('How do I reset my password?', 'By mail.')")
        if cls.store != MAIN:
            cls.primary.ask("SELECT llm_mirror()")

    def test_what_changes_sends_or_pays_is_refused(self):
        for replica in self.replicas:
            for sql in CHANGES:
                with self.subTest(sql=sql):
                    self.assertIn("this is a replica", replica.error_of(sql))
        self.assertEqual(self.sent(), 0)

    def test_on_error_does_not_cover_it(self):
        for replica in self.replicas:
            self.assertIn("this is a replica", replica.error_of("""SELECT llm_complete('new', '{"on_error":"null"}')"""))

    def copy(self):
        """Other tests have written since."""
        if self.store != MAIN:
            self.primary.ask("SELECT llm_mirror()")
        self.mark()

    def test_views_of_the_ledger_say_what_the_primary_says(self):
        self.copy()
        for replica in self.replicas:
            for view in VIEWS:
                with self.subTest(view=view):
                    rows = f"SELECT * FROM {view}"
                    self.assertEqual(sorted(replica.ask(rows), key=repr), sorted(self.primary.ask(rows), key=repr))

    def test_the_ledger_is_read(self):
        self.copy()
        rows = "SELECT id, kind, model, tag, user, cost_nusd FROM llm_calls WHERE id <= 15 ORDER BY id"
        kinds = collections.Counter(kind for _, kind, *_ in self.primary.ask(rows))
        self.assertEqual(kinds, {"call": 13, "hit_exact": 1, "refused": 1})
        for replica in self.replicas:
            self.assertEqual(replica.ask(rows), self.primary.ask(rows))
            self.assertEqual(replica.ask(rows.replace("id <= 15", "tag = 'tag 1' AND kind IN ('call')")),
                             self.primary.ask(rows.replace("id <= 15", "tag = 'tag 1' AND kind IN ('call')")))

    def test_a_report_is_made(self):
        self.copy()
        period = options(**{"format": "markdown", "from": "2026-01-01", "until": "2099-01-01"})
        ours = self.primary.value("SELECT llm_report(?)", period).splitlines()
        for replica in self.replicas:
            theirs = replica.value("SELECT llm_report(?)", period).splitlines()
            strange = [line for line in theirs if line not in ours]
            self.assertEqual([line for line in strange if "CAST(round(" not in line and "CASE WHEN" not in line], [])
            self.assertEqual(len(theirs), len(ours))
            self.assertIn("<!doctype html>", replica.value("SELECT llm_report()")[:20].lower())

    def test_similar_questions_are_found(self):
        for replica in self.replicas:
            find = "SELECT response FROM faq WHERE query MATCH ?"
            self.assertEqual(replica.ask(find, "what's your return policy"), [("Within 30 days.",)])
            self.assertEqual(replica.ask(find, "Do you ship to Norway?"), [])

    def test_similar_questions_follow_the_primary(self):
        """Also on a stream that has looked before: what it keeps in memory is not older than the server's copy."""
        find = "SELECT response FROM faq WHERE query MATCH 'Where is the nearest shop of yours?'"
        self.assertEqual([stream.ask(find) for stream in self.kept], [[], []])
        self.primary.ask("INSERT INTO faq(query, response) VALUES ('Where is the nearest shop of yours?', 'In Oslo.')")
        self.mark()
        self.assertEqual([stream.ask(find) for stream in self.kept], [[("In Oslo.",)]] * 2)
        self.primary.ask("DELETE FROM faq WHERE response = 'In Oslo.'")
        self.mark()
        self.assertEqual([stream.ask(find) for stream in self.kept], [[], []])

    def test_prices_follow_the_primary(self):
        cost = "SELECT llm_cost('house-model', 1000000, 0)"
        self.primary.ask("INSERT INTO llm_prices(model, kind, usd_per_million) VALUES ('house-model', 'input', 3), "
                         "('house-model', 'output', 3)")
        self.mark()
        self.assertEqual([stream.value(cost) for stream in self.kept], [3.0, 3.0])
        self.primary.ask("UPDATE llm_prices SET usd_per_million = 4 WHERE model = 'house-model'")
        self.mark()
        self.assertEqual([stream.value(cost) for stream in self.kept], [4.0, 4.0])

    def test_what_only_computes(self):
        for replica in self.replicas:
            for sql in ("SELECT llm_tokens('one two three')", "SELECT hex(embed('a'))", "SELECT llm_normalize(' A  b ')",
                        "SELECT count(*) FROM llm_catalogue", "SELECT llm_cost('gpt-4o', 1000, 10)", "SELECT llm_route('one two')"):
                with self.subTest(sql=sql):
                    self.assertEqual(replica.value(sql), self.primary.value(sql))
            self.assertIn('"cache":"miss"', replica.value("""SELECT llm_complete('new', '{"dry_run":true}')"""))


class OfFolder(Reads, Cluster):
    """The store is a file of the primary's, and the replicas read the copy of its numbers in main."""

    def test_the_copy_has_no_prompts_and_no_answers(self):
        names = self.replicas[0].ask("SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'llm_mirror%'")
        self.assertEqual(len(names), 4)
        for name, in names:
            rows = repr(self.replicas[0].ask(f"SELECT * FROM {name}"))
            self.assertNotRegex(rows, "Question 1|no such model|Thank you")

    def test_a_copy_is_brought_up_to_date(self):
        calls = "SELECT count(*) FROM llm_calls"
        self.primary.ask("SELECT llm_mirror()")
        behind = self.primary.value(calls)
        self.primary.value("SELECT llm_complete('after the first copy')")
        self.mark()
        self.assertEqual([r.value(calls) for r in self.replicas], [behind] * 2)
        self.primary.ask("SELECT llm_mirror()")
        self.mark()
        self.assertEqual([r.value(calls) for r in self.replicas], [behind + 1] * 2)
        self.assertEqual(self.primary.value("SELECT llm_mirror() ->> 'calls'"), 0, "what is equal is not written again")

    def test_an_open_reader_sees_a_new_copy(self):
        calls = "SELECT count(*) FROM llm_calls"
        self.primary.ask("SELECT llm_mirror()")
        self.mark()
        before = [stream.value(calls) for stream in self.kept]
        self.primary.value("SELECT llm_complete('after a reader has begun')")
        self.primary.ask("SELECT llm_mirror()")
        self.mark()
        self.assertEqual([stream.value(calls) for stream in self.kept], [n + 1 for n in before])

    def test_answers_are_not_in_the_copy(self):
        self.assertIn("this is a replica", self.replicas[0].error_of("SELECT llm_complete('Question 1')"))


class OfMain(Reads, Cluster):
    store = MAIN

    def test_a_hit_is_served_and_leaves_no_row(self):
        count = self.primary.value("SELECT count(*) FROM llm_calls")
        for replica in self.replicas:
            self.assertTrue(answers(replica.value("SELECT llm_complete('Question 1')"), "Question 1"))
            self.assertTrue(answers(replica.value("SELECT answer FROM llm_call('Question 1')"), "Question 1"))
            self.assertEqual(replica.value("SELECT count(*) FROM llm_calls"), count)

    def test_a_similar_hit_is_served_and_leaves_no_row(self):
        semantic = options(cache="semantic")
        self.primary.value("SELECT llm_complete('What is your return policy?', ?)", semantic)
        answer = self.primary.value("SELECT llm_complete('what''s your return policy', ?)", semantic)
        self.flush()
        self.assertEqual(self.calls()[:2], [("call",), ("hit_semantic",)])
        self.mark()
        for replica in self.replicas:
            self.assertEqual(replica.value("SELECT llm_complete('what''s your return policy', ?)", semantic), answer)
        self.assertEqual(self.sent(), 1)

    def test_there_is_nothing_to_copy(self):
        self.assertIn("nothing to copy", self.primary.error_of("SELECT llm_mirror()"))


if __name__ == "__main__":
    unittest.main()
