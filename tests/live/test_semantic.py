"""llm_complete with the semantic cache: what is a hit, what is kept apart, what feedback does, what survives."""
import json
import os
import threading
import time
import unittest

from harness import Standin, StaticDesk, TempDir, connect, error_of, open_desk, setup_sql, value

Q = "How do I reset my password?"
NEAR = "how can I reset my password"


def ask(db, text, **options):
    options.setdefault("cache", "semantic")
    return value(db, "SELECT llm_complete(?, ?)", text, json.dumps(options))


def kinds(db):
    return [k for (k,) in db.execute("SELECT kind FROM llm_calls ORDER BY id")]


class Semantic(StaticDesk):
    def test_a_similar_question_is_a_hit_that_is_ledgered(self):
        answer = ask(self.db, Q)
        self.assertEqual(ask(self.db, NEAR), answer)
        self.assertEqual(value(self.db, "SELECT policy FROM llm_cache_stats"), "agreement")
        row = self.db.execute("SELECT kind, cost_nusd, saved_nusd, similarity, model FROM llm_calls ORDER BY id DESC").fetchone()
        paid = value(self.db, "SELECT cost_nusd FROM llm_calls WHERE kind = 'call'")
        self.assertEqual(row[:3], ("hit_semantic", 0, paid))
        self.assertGreater(row[3], 0.92)
        self.assertIsNotNone(row[4])
        self.assertEqual(value(self.db, "SELECT text FROM llm_texts x JOIN llm_calls c ON c.prompt_hash = x.hash"
                                        " WHERE kind = 'hit_semantic'"), NEAR)

    def test_exact_comes_first(self):
        ask(self.db, Q)
        ask(self.db, Q)
        self.assertEqual(kinds(self.db), ["call", "hit_exact"])

    def test_exact_mode_does_not_look(self):
        ask(self.db, Q)
        ask(self.db, NEAR, cache="exact")
        self.assertEqual(kinds(self.db), ["call", "call"])

    def test_what_is_kept_apart(self):
        ask(self.db, Q)
        for options in ({"system": "You are terse."}, {"model": "gpt-4o"}, {"max_tokens": 7},
                        {"temperature": 0.5}, {"seed": 1}, {"schema": {"type": "object"}}):
            ask(self.db, NEAR, **options)
        self.assertEqual(kinds(self.db).count("hit_semantic"), 0)

    def test_a_conversation_is_part_of_the_partition(self):
        chat = lambda history, text: value(self.db, "SELECT llm_chat(?, '{\"cache\":\"semantic\"}')", json.dumps(
            history + [{"role": "user", "content": text}]))
        before = [{"role": "user", "content": "I use the app."}, {"role": "assistant", "content": "Good."}]
        other = [{"role": "user", "content": "I use the site."}, {"role": "assistant", "content": "Good."}]
        chat(before, Q)
        chat(other, NEAR)
        self.assertEqual(kinds(self.db), ["call", "call"])
        chat(before, NEAR)
        self.assertEqual(kinds(self.db)[-1], "hit_semantic")

    def test_users_share_unless_asked(self):
        ask(self.db, Q, user="ann")
        ask(self.db, NEAR, user="bob")
        self.assertEqual(kinds(self.db), ["call", "hit_semantic"])
        self.db.execute("SELECT llm_config('cache_scope', 'user')").fetchall()
        ask(self.db, Q + " Now?", user="ann")
        ask(self.db, "how can I reset my password now", user="bob")
        self.assertEqual(kinds(self.db)[2:], ["call", "call"])

    def test_no_user_gets_anothers_exact_answer_either(self):
        self.db.execute("SELECT llm_config('cache_scope', 'user')").fetchall()
        ask(self.db, Q, user="ann")
        ask(self.db, Q, user="bob")
        ask(self.db, Q, user="bob")
        self.assertEqual(kinds(self.db), ["call", "call", "hit_exact"])

    def test_a_wrong_chat_answer_is_forgotten_and_others_are_kept(self):
        chat = json.dumps([{"role": "user", "content": "I use the app."}, {"role": "assistant", "content": "Good."},
                           {"role": "user", "content": Q}])
        ask(self.db, Q, system="A")
        ask(self.db, Q, system="B")
        value(self.db, "SELECT llm_chat(?, '{\"cache\":\"semantic\"}')", chat)
        value(self.db, "SELECT llm_cache_feedback(llm_last_call(), 0)")
        value(self.db, "SELECT llm_chat(?, '{\"cache\":\"semantic\"}')", chat)
        ask(self.db, NEAR, system="A")
        ask(self.db, NEAR, system="B")
        self.assertEqual(sorted(kinds(self.db)), ["call"] * 4 + ["hit_semantic"] * 2)

    def test_refresh_of_one_request_replaces_too(self):
        ask(self.db, Q)
        first = value(self.db, "SELECT created_at FROM llm_cache")
        __import__("time").sleep(0.01)
        ask(self.db, Q, cache="refresh")
        ask(self.db, "Something never asked by meaning", cache="refresh")
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_cache"), 1)
        self.assertGreater(value(self.db, "SELECT created_at FROM llm_cache"), first)

    def test_a_hit_names_who_gave_the_answer(self):
        ask(self.db, Q)
        ask(self.db, NEAR)
        self.assertEqual(value(self.db, "SELECT count(DISTINCT provider || tier) FROM llm_calls"), 1)
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_cost_by_model"), 1)

    def test_threshold_is_the_callers(self):
        ask(self.db, Q)
        ask(self.db, NEAR, threshold=0.999)
        self.assertEqual(kinds(self.db), ["call", "call"])

    def test_a_wrong_answer_is_not_served_again(self):
        ask(self.db, Q)
        ask(self.db, NEAR)
        hit = value(self.db, "SELECT llm_last_call()")
        self.assertEqual(value(self.db, "SELECT llm_cache_feedback(?, 0)", hit), 1)
        ask(self.db, NEAR)
        self.assertEqual(kinds(self.db), ["call", "hit_semantic", "call"])
        self.assertEqual(self.db.execute("SELECT hits_semantic, false_hits_reported, entries_semantic FROM llm_cache_stats")
                         .fetchone(), (1, 1, 2))

    def test_a_wrong_paid_answer_is_forgotten(self):
        ask(self.db, Q)
        ask(self.db, Q)
        value(self.db, "SELECT llm_cache_feedback(llm_last_call(), 0)")
        ask(self.db, Q)
        ask(self.db, NEAR)
        self.assertEqual(kinds(self.db), ["call", "hit_exact", "call", "hit_semantic"])

    def test_feedback_on_nothing(self):
        self.assertIn("no call 99", error_of(self.db, "SELECT llm_cache_feedback(99, 1)"))
        self.assertIn("expected", error_of(self.db, "SELECT llm_cache_feedback(1, 'yes')"))
        self.assertIsNone(value(self.db, "SELECT llm_cache_feedback(NULL, 1)"))

    def test_refresh_replaces_what_similar_questions_get(self):
        self.db.execute("SELECT llm_config('cache', 'semantic')").fetchall()
        ask(self.db, Q)
        first = value(self.db, "SELECT created_at FROM llm_cache")
        __import__("time").sleep(0.01)
        ask(self.db, Q, cache="refresh")
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_cache"), 1)
        self.assertGreater(value(self.db, "SELECT created_at FROM llm_cache"), first)

    def test_ttl(self):
        ask(self.db, Q, ttl=0.2)
        self.assertEqual(value(self.db, "SELECT expires_at - created_at FROM llm_cache"), 200)
        __import__("time").sleep(0.25)
        ask(self.db, NEAR)
        self.assertEqual(kinds(self.db), ["call", "call"])

    def test_survives_rollback_and_a_second_connection(self):
        self.db.execute("BEGIN")
        answer = ask(self.db, Q)
        self.db.execute("ROLLBACK")
        other = connect(self.path)
        for sql in setup_sql(self.standin.url)[:3]:
            other.execute(sql).fetchall()
        self.assertEqual(ask(other, NEAR), answer)
        other.close()

    def test_llm_cache_reads_like_a_table(self):
        ask(self.db, Q, system="You are a clerk.")
        self.assertEqual(self.db.execute("SELECT system_prompt, query FROM llm_cache").fetchall(),
                         [("You are a clerk.", Q)])
        scope = value(self.db, "SELECT scope FROM llm_cache")
        hit = self.db.execute("SELECT query, match_kind FROM llm_cache WHERE query MATCH ? AND system_prompt = ?"
                              " AND scope = ?", (NEAR, "You are a clerk.", scope)).fetchall()
        self.assertEqual(hit, [(Q, "semantic")])

    def test_texts_that_are_not_kept_can_not_be_compared(self):
        self.db.execute("SELECT llm_config('log_text', 'hash')").fetchall()
        self.assertIn("log_text", error_of(self.db, "SELECT llm_complete('x', '{\"cache\":\"semantic\"}')"))

    def test_memo_within_a_statement(self):
        ask(self.db, Q)
        rows = self.db.execute("SELECT a = b FROM (SELECT llm_complete(?1, ?2) AS a, llm_complete(?1, ?2) AS b)",
                               (NEAR, '{"cache":"semantic"}')).fetchall()
        self.assertEqual(rows, [(1,)])
        self.assertEqual(kinds(self.db), ["call", "hit_semantic"])

    def test_a_retry_keeps_others_waiting(self):
        """While one is in its second attempt, another connection that asks the same waits, whatever the mode."""
        for mode in ("exact", "semantic"):
            with self.subTest(mode=mode), Standin() as standin, TempDir() as tmp:
                path = os.path.join(tmp, "r.db")
                open_desk(path, standin.url).close()
                standin.scenario("server-error")  # the first time a body is seen
                standin.latency(400)
                answers = {}

                def run(name, delay):
                    time.sleep(delay)
                    db = open_desk(path, standin.url)
                    db.execute("SELECT llm_config('backoff_ms', 0)").fetchall()
                    answers[name] = ask(db, Q, cache=mode)
                    db.close()

                threads = [threading.Thread(target=run, args=a) for a in (("first", 0), ("second", 0.6))]
                for t in threads:
                    t.start()
                for t in threads:
                    t.join()
                self.assertEqual(answers["first"], answers["second"])
                self.assertEqual(standin.bill()["requests"], 2)  # one failed, one answered both
                db = open_desk(path, standin.url)
                self.assertEqual(sorted(kinds(db)), ["call", "call", "hit_exact"])
                db.close()

    def test_a_store_of_version_1_is_taken_along(self):
        ask(self.db, Q, cache="exact")
        self.db.close()
        store = connect(self.path + "-llmcost")
        for sql in ("DROP TABLE llm_cache", "DROP TABLE llm_served", "DROP TABLE llm_feedback", "DROP VIEW llm_cache_stats",
                    "DROP TABLE llm_marks",
                    "UPDATE llm_meta SET value = 1 WHERE name = 'schema_version'", "PRAGMA user_version = 1"):
            store.execute(sql)
        store.close()
        self.db = open_desk(self.path, self.standin.url)
        self.db.execute("SELECT llm_trust_store()").fetchall()
        ask(self.db, Q)
        ask(self.db, Q + " Now?")
        self.assertEqual(sorted(kinds(self.db)), ["call", "call", "hit_exact"])
        self.assertEqual(value(self.db, "SELECT entries_semantic FROM llm_cache_stats"), 1)

    def test_a_damaged_cache_costs_a_call_not_the_answer(self):
        ask(self.db, Q)
        store = connect(self.path + "-llmcost")
        store.execute("UPDATE llm_cache_pieces SET data = x'00'")
        store.close()
        self.db.close()
        self.db = open_desk(self.path, self.standin.url)
        self.assertIsNotNone(ask(self.db, NEAR))
        self.assertEqual(kinds(self.db), ["call", "call"])

    def test_adaptive(self):
        self.db.execute("SELECT llm_config('max_false_hits', 0.05)").fetchall()
        for i in range(4):
            ask(self.db, f"Which documents do I need for a mortgage in year number {i} of my contract?")
        log = "SELECT count(*) FROM llm_cache_decisions WHERE similarity >= 0.92 AND NOT served"
        store = connect(self.path + "-llmcost")
        self.assertGreater(value(store, log), 0)
        store.close()
        self.assertIn("share", error_of(self.db, "SELECT llm_config('max_false_hits', 2)"))

    def test_store_in_main(self):
        db = open_desk(":memory:", self.standin.url)
        db.execute("SELECT llm_config('minilm', '/nonexistent')").fetchall()
        answer = ask(db, Q)
        self.assertEqual(ask(db, NEAR), answer)
        self.assertEqual(kinds(db), ["call", "hit_semantic"])
        db.close()


if __name__ == "__main__":
    unittest.main()
