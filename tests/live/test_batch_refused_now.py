"""Rows of a batch's queue that are asked at once, and are refused: nothing was sent, so they wait, and no attempt is lost."""
import time
import unittest

from batch_desk import BatchDesk


class RefusedNow(BatchDesk):
    def test_a_limit_without_room(self):
        self.db.execute("INSERT INTO llm_budgets(scope, period, limit_usd) VALUES ('*', 'day', 0.0000001)")
        self.put(2, deadline=int(time.time() * 1000) + 3600000)
        said = self.flush()
        self.assertEqual((said["now"], said["refused"], said["failed"]), (0, 2, 0), said)
        self.assertEqual(self.rows("status || attempts"), ["queued0", "queued0"])
        self.assertIn("llm_budgets", self.row(1)[1])
        self.assertEqual(self.standin.bill()["calls"], 0)
        self.db.execute("DELETE FROM llm_budgets")
        self.assertEqual(self.flush()["now"], 2)
        self.assertEqual(self.rows("status || attempts || coalesce(error, '-')"), ["done1-", "done1-"])


if __name__ == "__main__":
    unittest.main()
