"""What must not be paid twice, given up or refused for good: rows asked at once, and rows that somebody changes by hand."""
import sqlite3
import time
import unittest

from batch_desk import BatchDesk
from harness import value


def now_ms():
    return int(time.time() * 1000)


class Open(BatchDesk):
    def test_now_beside_max_calls(self):
        value(self.db, "SELECT llm_config('max_calls', 1)")
        self.put(5, deadline=now_ms() + 3_600_000)
        for _ in range(4):
            try:
                self.flush()
            except sqlite3.OperationalError as e:
                self.assertIn("max_calls", str(e))
        self.assertEqual(self.rows("status, attempts", "id > 1"), [("queued", 0)] * 4)

    def test_now_beside_a_budget(self):
        self.db.execute("INSERT INTO llm_budgets(scope, period, limit_usd) VALUES ('*', 'day', 0.0000001)")
        self.put(2, deadline=now_ms() + 3_600_000)
        self.flush()
        self.assertNotIn("failed", self.statuses())

    def test_now_beside_a_server_that_is_down(self):
        value(self.db, "SELECT llm_config('retries', 0)")
        self.standin.scenario("server-error")
        self.put(2, deadline=now_ms() + 3_600_000)
        self.flush()
        self.assertNotIn("failed", self.statuses())

    def test_an_answer_that_was_lost_is_not_bought_again(self):
        value(self.db, "SELECT llm_config('retries', 0)")
        for model in ("gpt-4o-mini", "text-embedding-3-small"):
            with self.subTest(model):
                self.standin.scenario("reset-after")
                self.put(1, text=model + " {}", model=model, deadline=now_ms() + 3_600_000)
                self.flush()
                self.standin.scenario("ok")
                self.flush()
                self.assertEqual(self.rows("status || attempts", f"model = '{model}'"), ["failed1"])
                self.assertEqual(len([e for e in self.billed() if model in (e["prompt"] or "")]), 1)

    def test_a_far_deadline_of_a_model_without_a_batch_api(self):
        name = next((r[0] for r in self.db.execute("SELECT name FROM llm_models WHERE provider = 'deepseek'")), None)
        value(self.db, f"SELECT llm_allow_host('{self.standin.host}', 'DEEPSEEK_API_KEY')")
        value(self.db, "SELECT llm_secret('DEEPSEEK_API_KEY', 'sk-deep-test-1234567')")
        self.put(1, model=name or "deepseek-chat", deadline=now_ms() + 10 * 86_400_000)
        self.flush()
        self.assertEqual(self.statuses(), {"queued": 1})

    def test_upserts_and_returning(self):
        upsert = ("INSERT INTO batch_submit(id, prompt, model) VALUES (?, ?, 'gpt-4o-mini') ON CONFLICT(id) DO UPDATE SET prompt = excluded.prompt,"
                  " priority = 3 RETURNING id, status, prompt, priority")
        self.assertEqual(self.db.execute(upsert, (1, "first")).fetchall(), [(1, "queued", "first", 0)])
        self.assertEqual(self.db.execute(upsert, (1, "second")).fetchall(), [(1, "queued", "second", 3)])
        self.assertEqual(self.db.execute("UPDATE batch_submit SET tag = 't' RETURNING tag").fetchall(), [("t",)])
        self.flush()
        with self.assertRaisesRegex(sqlite3.IntegrityError, "under way"):
            self.db.execute(upsert, (1, "third")).fetchall()
        self.settle()
        self.assertIn("second", self.row(1, "answer")[0])

    def test_queued_by_hand_while_under_way(self):
        self.settings(polls=3)
        for cache in ("on", "off"):
            self.put(2, text=cache + " {}", options='{"cache":"off"}' if cache == "off" else "{}")
        self.flush()
        with self.assertRaisesRegex(sqlite3.IntegrityError, "llm_batch_cancel"):
            self.db.execute("UPDATE batch_submit SET status = 'queued'")
        self.flush()
        self.settle()
        self.flush()
        self.settle()
        prompts = [e["prompt"] for e in self.billed()]
        self.assertEqual(len(prompts), len(set(prompts)), "paid twice")

    def test_batch_id_by_hand(self):
        self.put(2, options='{"cache":"off"}')
        self.flush()
        with self.assertRaisesRegex(sqlite3.IntegrityError, "under way"):
            self.db.execute("UPDATE batch_submit SET batch_id = NULL")
        self.flush()
        self.settle()
        prompts = [e["prompt"] for e in self.billed()]
        self.assertEqual(len(prompts), len(set(prompts)), "paid twice")

    def test_an_embedding_asked_now_meets_the_limit_of_its_tag(self):
        self.db.execute("INSERT INTO llm_budgets(scope, period, limit_usd) VALUES ('tag:t1', 'day', 0)")
        self.put(1, model="text-embedding-3-small", tag="t1", deadline=now_ms() + 3_600_000)
        self.put(1, text="another {}", model="text-embedding-3-small", tag="t2", deadline=now_ms() + 3_600_000)
        said = self.flush()
        self.assertEqual((said["refused"], said["now"]), (1, 1), said)
        self.assertEqual(self.rows("status || ' ' || typeof(answer) || ' ' || (cost_usd > 0)", "tag = 't2'"), ["done blob 1"])
        self.assertEqual(self.rows("status || attempts", "tag = 't1'"), ["queued0"])
        self.assertEqual(self.db.execute("SELECT tag FROM llm_calls WHERE kind = 'embed'").fetchall(), [("t2",)])


if __name__ == "__main__":
    unittest.main()
