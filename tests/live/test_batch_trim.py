"""Trimming the ledger (keep_calls) beside batches: what is under way keeps its texts, what is settled and old goes."""
import unittest

from batch_desk import BatchDesk
from harness import value

DAY_MS = 86400000


class Trim(BatchDesk):
    def trim(self):
        value(self.db, "SELECT llm_config('keep_calls', '3d')")

    def texts(self):
        return {r[0] for r in self.db.execute("SELECT text FROM llm_texts")}

    def test_texts_of_what_is_under_way_stay(self):
        self.db.execute("INSERT INTO batch_submit(prompt, system, model) VALUES ('a question that waits', 'a system prompt', 'gpt-4o-mini')")
        self.flush()
        value(self.db, "SELECT llm_complete('an old question', '{\"model\":\"gpt-4o-mini\",\"cache\":\"off\"}')")
        value(self.db, "SELECT llm_complete('the newest question', '{\"model\":\"gpt-4o-mini\"}')")
        self.store("UPDATE llm_calls SET ts = ts - ? WHERE id = 1", 10 * DAY_MS)
        self.trim()
        self.assertEqual(self.texts(), {"a question that waits", "a system prompt", "the newest question"})
        self.settle()
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_calls c JOIN llm_texts t ON t.hash = c.prompt_hash WHERE c.kind = 'batch'"), 1)

    def test_settled_batches_go_with_their_day(self):
        for i in range(2):
            self.db.execute("INSERT INTO batch_submit(prompt, model) VALUES (?, 'gpt-4o-mini')", (f"question {i}",))
            self.flush()
            if i == 0:
                self.settle()
        self.store("UPDATE llm_batches SET created_at = created_at - ?", 10 * DAY_MS)
        self.trim()
        self.assertEqual([tuple(r) for r in self.db.execute("SELECT id, state FROM llm_batches")], [(2, "sent")])
        self.settle()
        self.assertEqual(value(self.db, "SELECT group_concat(status) FROM batch_submit"), "done,done")


if __name__ == "__main__":
    unittest.main()
