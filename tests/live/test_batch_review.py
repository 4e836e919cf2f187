"""What is paid for by batch and was lost or paid twice in a review, and what a flush says of its rows."""
import os
import threading
import time
import unittest
import unittest.mock

from batch_desk import HAIKU, MINI, BatchDesk
from harness import connect, error_of, value


def now_ms():
    return int(time.time() * 1000)


class Slow(BatchDesk):
    """A sender that lives, and whose lease is over: an upload on a slow line, a process that was stopped, a machine that slept."""

    def flush_slowly(self, model):
        """A flush whose next request takes long, and its lease is over: the thread, and what the flush says at last."""
        self.put(3, model=model)
        self.standin.latency(2500)
        said = []

        def run():
            db = connect(self.path)
            self.configure(db)
            said.append(error_of(db, "SELECT llm_batch_flush()"))
            db.close()

        t = threading.Thread(target=run)
        t.start()
        while set(self.rows()) != {"sending"}:
            time.sleep(0.02)
        time.sleep(0.5)
        self.assertEqual(self.batches()[0]["state"], "begun")
        self.store("UPDATE llm_batches SET lease_until = 1")
        return t, said

    def test_an_upload_that_takes_longer_than_its_lease(self):
        t, said = self.flush_slowly(MINI)
        self.poll()
        self.assertEqual(self.statuses(), {"queued": 3})
        t.join()
        self.standin.latency(0)
        self.assertIn("took it back", said[0])
        self.assertEqual(self.steps().get("create", 0), 0)
        self.assertEqual(self.flush()["submitted"], 3)
        self.settle()
        self.assertEqual((self.statuses(), self.there()["batches"]["made"]), ({"done": 3}, 1))
        self.check_all(2)

    def test_the_lease_is_as_long_as_the_upload_may_take(self):
        self.put(3)
        self.standin.latency(1000)
        t = threading.Thread(target=lambda: self.another(check_same_thread=False).execute("SELECT llm_batch_flush()").fetchall())
        t.start()
        time.sleep(0.7)
        left = self.batches()[0]["lease_until"] - now_ms()
        t.join()
        self.assertGreater(left, 600_000 + 290_000)  # the lease, and timeout_ms

    def test_created_after_it_was_taken_back(self):
        t, said = self.flush_slowly(HAIKU)
        self.standin.latency(0)
        self.poll()  # (it is not in the list: that may be too early to tell)
        self.store("UPDATE llm_batches SET looked_at = looked_at - 20000, lease_until = 1")
        self.poll()
        self.assertEqual(self.statuses(), {"queued": 3})
        t.join()
        self.assertIn("created as msgbatch", said[0])
        self.assertIn("and cancelled", said[0])
        self.assertEqual(self.steps()["cancel"], 1)
        self.assertIn("not booked", self.batches()[0]["error"])

    def test_a_clock_that_is_ahead(self):
        """The answer to a create is lost, and the provider's clock is twenty minutes behind ours: it may be ours all the same."""
        value(self.db, "SELECT llm_config('retries', 0)")
        self.settings(at={"create": "reset-after"}, polls=30)
        self.put(3, model=HAIKU)
        self.assertEqual(self.flush()["unsure"], 3)
        self.store("UPDATE llm_batches SET created_at = created_at + 1200000, looked_at = NULL")
        for _ in range(3):
            self.poll()
            self.store("UPDATE llm_batches SET looked_at = looked_at - 20000")
        self.assertEqual((self.statuses(), self.there()["batches"]["made"]), ({"sending": 3}, 1))
        self.settings(polls=0)
        self.settle(polls=40)
        self.assertEqual((self.statuses(), self.there()["batches"]["made"]), ({"done": 3}, 1))



class Results(BatchDesk):
    def test_results_that_are_not_there_just_behind_the_end(self):
        for model in (MINI, HAIKU):
            with self.subTest(model):
                self.setUp()
                self.settings(polls=1, at={"results": "gone-3"})
                self.put(3, model=model)
                self.flush()
                said = self.poll()
                self.assertEqual((said["open_rows"], self.statuses()), (3, {"submitted": 3}))
                self.assertTrue(said["errors"])
                self.settle()
                self.assertEqual((self.statuses(), self.kinds()), ({"done": 3}, {"batch": 3}))
                self.check_all(1)

    def test_results_that_stay_away(self):
        self.settings(polls=1, at={"results": "gone-30"})
        self.put(3)
        self.flush()
        self.poll()
        self.store("UPDATE llm_batches SET ended_at = ended_at - 601000")
        self.settle()
        self.assertEqual((self.statuses(), self.kinds()), ({"expired": 3}, {"unknown": 3}))
        self.check_batches(1)


class Flushed(BatchDesk):
    """What becomes of the rows of one flush."""

    def test_now_beside_max_calls_without_a_cache(self):
        """What was paid for is in the table."""
        value(self.db, "SELECT llm_config('max_calls', 2)")
        self.put(5, deadline=now_ms() + 3_600_000, options='{"cache":"off"}')
        self.assertIn("max_calls", error_of(self.db, "SELECT llm_batch_flush()"))
        self.assertEqual(self.statuses()["done"], 2)

    def test_the_greatest_priority(self):
        self.put(2, priority=2**63 - 1)
        self.assertEqual(self.flush()["submitted"], 2)

    def test_two_of_three_fit(self):
        self.put(3, options='{"max_tokens":1000}')
        self.db.execute("INSERT INTO llm_budgets(scope, period, limit_usd) VALUES ('*', 'day', 1)")
        most = self.flush(dry_run=True)["batches"][0]["at_most_usd"]
        self.db.execute("UPDATE llm_budgets SET limit_usd = ?", (most * 0.85,))
        said = self.flush()
        self.assertEqual((said["submitted"], said["refused"]), (2, 1))

    def test_the_sum_of_a_flush_is_its_rows(self):
        self.settings(at={"create": "rate-limit"})
        self.put(6)
        said = self.flush(max_requests=2)
        self.assertEqual(sum(said[k] for k in ("hits", "now", "submitted", "waiting", "refused", "failed", "expired", "unsure")), said["rows"])

    def test_what_was_not_sent_is_not_of_the_days_cap(self):
        with unittest.mock.patch.dict(os.environ, LLMCOST_BUDGET_USD_DAY="0.0018"):
            self.settings(at={"create": "rate-limit"})
            self.put(4, options='{"max_tokens":1000}')  # $0.0012 at most
            self.assertEqual((self.flush()["submitted"], self.statuses()), (0, {"queued": 4}))
            self.assertEqual(self.flush()["submitted"], 4)

    def test_nothing_is_saved_where_a_price_is_not_known(self):
        self.db.execute("INSERT INTO llm_models(name, provider, api, base_url, key_env) SELECT 'tuned', provider, api, base_url, key_env"
                        f" FROM llm_models WHERE name = '{MINI}'")
        self.db.execute("INSERT INTO llm_prices(model, provider, kind, usd_per_million, service) VALUES ('tuned', 'openai', 'input', 1, 'batch'),"
                        " ('tuned', 'openai', 'output', 2, 'batch')")
        self.put(2, model="tuned")
        self.flush()
        self.settle()
        cost, saved, unpriced = self.db.execute("SELECT cost_nusd, saved_nusd, unpriced FROM llm_batches").fetchone()
        self.assertEqual((cost > 0, saved, unpriced), (True, 0, 0))


if __name__ == "__main__":
    unittest.main()
