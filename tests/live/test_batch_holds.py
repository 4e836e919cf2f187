"""What batches hold, as calls beside them see it: booked for a day, so that nobody waits for it. (Rows of a batch are put into the
store by hand.)"""
import os
import sqlite3
import time
import unittest

from harness import Standin, TempDir, leave_midnight, open_desk, value


class BatchHoldsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.standin = Standin().__enter__()
        cls.addClassCleanup(cls.standin.__exit__)

    def setUp(self):
        leave_midnight(20)
        folder = TempDir()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "desk.db")
        self.db = open_desk(self.path, self.standin.url)
        self.addCleanup(self.db.close)
        self.ask("first")
        self.db.execute("INSERT INTO llm_budgets(scope, period, limit_usd) VALUES ('user:*', 'day', 1)")

    def ask(self, prompt, user="ann"):
        return value(self.db, "SELECT llm_complete(?, ?)", prompt,
                     '{"model":"gpt-4o-mini","max_tokens":20,"timeout_ms":20000,"user":"%s"}' % user)

    def put_batch(self, held_nusd, created_at=None):
        store = sqlite3.connect(self.path + "-llmcost")
        store.execute("INSERT INTO llm_batches(queue, state, form, provider, model, endpoint, base_url, mark, wire_tag, created_at)"
                      " VALUES ('q', 'sent', 'openai', 'openai', 'gpt-4o-mini', '/', '/', 'm', 't', ?)",
                      (created_at or int(time.time() * 1000),))
        store.execute("INSERT INTO llm_batch_groups(batch, number, holder, user, held_nusd) VALUES (1, 0, 0, 'ann', ?)", (held_nusd,))
        store.commit()
        store.close()

    def test_a_call_is_refused_at_once_and_not_kept_waiting(self):
        self.put_batch(1_000_000_000)
        began = time.monotonic()
        with self.assertRaisesRegex(sqlite3.Error, r"llm_budgets.*\$1(\.0*)? held"):
            self.ask("second")
        self.assertLess(time.monotonic() - began, 5)  # its time is 20 s
        self.assertTrue(self.ask("third", user="bob"))

    def test_beside_less_there_is_room(self):
        self.put_batch(900_000_000)
        self.assertTrue(self.ask("second"))

    def test_it_belongs_to_the_day_of_its_intent(self):
        self.put_batch(1_000_000_000, int(time.time() * 1000) - 2 * 86_400_000)
        self.assertTrue(self.ask("second"))

    def test_it_is_listed(self):
        self.put_batch(400_000_000)
        self.assertEqual(self.db.execute("SELECT call_id, owner, user, model, held_usd, lease_until FROM llm_holds").fetchall(),
                         [(None, "batch 1", "ann", "gpt-4o-mini", 0.4, None)])
        self.assertEqual(value(self.db, "SELECT sum(held_usd) FROM llm_budget_status"), 0.4)


if __name__ == "__main__":
    unittest.main()
