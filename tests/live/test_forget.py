"""llm_cache_forget: by tag, model, user, age and question, out of both caches; what it refuses; what it leaves."""
import json
import sqlite3
import unittest

from harness import StaticDesk, connect, error_of, open_desk, value

Q, NEAR = "How do I reset my password?", "how can I reset my password"


class Forget(StaticDesk):
    def ask(self, text, cache="semantic", **options):
        """What asking it was, as the ledger has it."""
        value(self.db, "SELECT llm_complete(?, ?)", text, json.dumps({"cache": cache, **options}))
        return value(self.db, "SELECT kind FROM llm_calls ORDER BY id DESC LIMIT 1")

    def forget(self, **what):
        return value(self.db, "SELECT llm_cache_forget(?)", json.dumps(what))

    def test_by_tag_out_of_both_caches(self):
        self.ask(Q, tag="v1")
        self.ask("What is the capital of Peru?", tag="v2")
        rows = value(self.db, "SELECT count(*) FROM llm_calls")
        self.assertEqual(self.forget(tag="v1"), 2)
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_calls"), rows)
        self.assertEqual(self.ask(NEAR), "call")
        self.assertEqual(self.ask(Q, cache="exact"), "call")
        self.assertEqual(self.ask("What is the capital of Peru?"), "hit_exact")
        self.assertEqual(self.forget(tag="v3"), 0)

    def test_other_connections_see_it(self):
        self.ask(Q)
        other = open_desk(self.path, self.standin.url)
        self.assertEqual(value(other, "SELECT llm_cache_forget(?)", '{"all": true}'), 2)
        other.close()
        self.assertEqual(self.ask(Q), "call")

    def test_by_model_as_asked_or_as_it_answered(self):
        self.ask(Q, model="gpt-4o-mini")
        self.ask(Q, model="gpt-4o")
        asked, answered = self.db.execute(
            "SELECT model_requested, model FROM llm_calls WHERE model_requested = 'gpt-4o'").fetchone()
        self.assertEqual(self.forget(model="gpt"), 0)
        self.assertEqual(self.forget(model=asked), 2)
        self.assertEqual(self.ask(Q, model="gpt-4o"), "call")
        self.assertEqual(self.ask(Q, model="gpt-4o-mini"), "hit_exact")
        self.assertEqual(self.forget(model=answered), 2)

    def test_by_user_who_paid(self):
        self.ask(Q, user="ann")
        self.assertEqual(self.ask(Q, user="bob"), "hit_exact")
        self.assertEqual(self.ask(NEAR, user="bob"), "hit_semantic")
        self.assertEqual(self.forget(user="bob"), 0)
        self.assertEqual(self.forget(user="ann"), 2)
        self.assertEqual(self.ask(NEAR), "call")

    def test_of_a_trimmed_call_nobody_knows_the_user(self):
        self.ask(Q, user="ann", tag="t")
        self.ask("Another question?")
        self.db.close()
        store = sqlite3.connect(self.path + "-llmcost")
        store.execute("DELETE FROM llm_calls WHERE user = 'ann'")
        store.commit()
        store.close()
        self.db = open_desk(self.path, self.standin.url)
        self.assertEqual(self.forget(user="ann"), 0)
        self.assertEqual(self.forget(tag="t"), 2)

    def test_by_age(self):
        self.ask(Q)
        old = value(self.db, "SELECT max(ts) FROM llm_calls") - 40 * 86400000
        self.db.close()
        store = sqlite3.connect(self.path + "-llmcost")
        store.execute("UPDATE llm_answers SET created_at = ?", (old,))
        store.commit()
        store.close()
        self.db = open_desk(self.path, self.standin.url)
        self.assertEqual(self.forget(older_than="60d"), 0)
        self.assertEqual(self.forget(older_than=old), 0)
        self.assertEqual(self.forget(older_than="30d", tag="x"), 0)
        self.assertEqual(self.forget(older_than="30d"), 1)  # the exact one: the entry is new
        self.assertEqual(self.forget(older_than=old + 41 * 86400000), 1)

    def test_by_question_whatever_stands_around_it(self):
        self.ask(Q, system="You are terse.")
        self.ask(Q, cache="exact", temperature=0.5)
        long = "Tell me more about it, please, at some length. " * 10
        chat = [{"role": "user", "content": "Hello there"}, {"role": "assistant", "content": "Hi"}]
        for last in (Q, long):
            value(self.db, "SELECT llm_chat(?)", json.dumps(chat + [{"role": "user", "content": last}]))
        self.ask("How do I reset my phone?", cache="exact")
        self.assertEqual(self.forget(question="how do I reset my password?"), 0)
        self.assertEqual(self.forget(question=" How  do I reset my password? "), 4)
        self.assertEqual(self.forget(question=long), 1)
        self.assertEqual(self.forget(question="Hello there"), 0)
        self.assertEqual(self.ask("How do I reset my phone?", cache="exact"), "hit_exact")

    def test_where_texts_are_hashes_the_very_text_is_found(self):
        self.db.execute("SELECT llm_config('log_text', 'hash')").fetchall()
        self.ask(Q, cache="exact")
        self.assertEqual(self.forget(question=Q + " "), 0)
        self.assertEqual(self.forget(question=Q), 1)

    def test_several_are_joined_by_and(self):
        self.ask(Q, tag="a", user="ann")
        self.ask("What is the capital of Peru?", tag="a", user="bob")
        self.assertEqual(self.forget(tag="a", user="ann", question="What is the capital of Peru?"), 0)
        self.assertEqual(self.forget(tag="a", user="bob"), 2)
        self.assertEqual(self.forget(all=True), 2)

    def test_the_next_entry_is_not_taken_for_a_forgotten_one(self):
        self.ask(Q, user="ann")
        self.forget(all=True)
        self.ask("What is the capital of Peru?", user="bob")
        self.assertEqual(self.forget(user="ann"), 0)
        self.assertEqual(self.forget(user="bob"), 2)

    def test_what_is_refused(self):
        self.ask(Q)
        for options, said in ((None, "nothing says what to forget"), ("{}", "nothing says what to forget"),
                              ('{"all": false}', '{"all": true}'), ('{"all": true, "tag": "a"}', "give it alone"),
                              ('{"tga": "a"}', "tag"), ('{"tag": null}', "option 'tag'"), ('{"tag": 3}', "option 'tag'"),
                              ('{"older_than": 30}', "30d"), ('{"older_than": "30"}', "Unix milliseconds"),
                              ('{"older_than": "soon"}', "option 'older_than'"), ("tag", "llm_cache_forget"),
                              ("[]", "llm_cache_forget")):
            self.assertIn(said, error_of(self.db, "SELECT llm_cache_forget(?)", options), options)
        self.assertEqual(self.ask(Q), "hit_exact")

    def test_none_where_there_is_no_cache_yet(self):
        db = connect(self.tmp.name + "/new.db")
        self.assertEqual(value(db, "SELECT llm_cache_forget(?)", '{"all": true}'), 0)
        db.close()

    def test_a_store_in_main_follows_the_transaction(self):
        db = open_desk(self.tmp.name + "/main.db", self.standin.url)
        db.isolation_level = None
        db.execute("SELECT llm_config('store', 'main')").fetchall()
        self.db, before = db, self.db
        before.close()
        self.ask(Q)
        db.execute("BEGIN")
        self.assertEqual(self.forget(all=True), 2)
        db.execute("ROLLBACK")
        self.assertEqual(self.ask(Q), "hit_exact")
        self.assertEqual(self.forget(all=True), 2)
        self.assertEqual(self.ask(Q), "call")

    def test_not_from_a_view_of_a_stranger(self):
        self.db.execute("CREATE VIEW v AS SELECT llm_cache_forget('{\"all\": true}') AS n")
        self.assertIn("unsafe use", error_of(self.db, "SELECT n FROM v"))


if __name__ == "__main__":
    unittest.main()
