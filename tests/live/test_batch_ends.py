"""How batches end: the field's cases A01 to A04 and A17, each by its name. The word for the end is not the outcome: what was answered is
booked, once, whoever looks first and whatever the batch is called; what was not is asked again, three times at most."""
import json
import sqlite3
import threading
import time
import unittest
import urllib.request

from batch_desk import HAIKU, MINI, BatchDesk
from harness import error_of, value

DAY_MS = 86_400_000


def now_ms():
    return int(time.time() * 1000)


class Ends(BatchDesk):
    """A01, A02: the state's word is not the outcome."""

    def test_A01_all_failed_and_no_output_file(self):
        self.settings(errors=-1)
        self.put(3)
        self.flush()
        said = self.settle()
        self.assertEqual((said["failed"], said["answered"], said["cost_usd"]), (3, 0, 0))
        for status, attempts, error, answer, batch in self.rows("status, attempts, error, answer, batch_id"):
            self.assertEqual((status, attempts, answer, batch), ("failed", 1, None, 1))
            self.assertIn("this line is refused by the settings", error)
        self.assertEqual(self.kinds(), {})  # nothing was billed
        batch, = self.check_all(1)
        self.assertEqual((batch["word"], batch["answered"], batch["said_failed"], batch["output_file"]), ("completed", 0, 3, None))
        self.assertIsNotNone(batch["error_file"])
        before = self.steps()
        self.poll()
        self.assertEqual(self.steps(), before)  # it is settled once

    def test_A01_both_files(self):
        self.settings(errors=2)
        self.put(6)
        self.flush()
        failed = {self.row_of_line(i) for i in (0, 1)}
        self.settle()
        self.assertEqual({i for i, status in self.rows("id, status") if status == "failed"}, failed)
        self.assertEqual((self.statuses(), self.kinds()), ({"failed": 2, "done": 4}, {"batch": 4}))
        self.check_all(1)

    def test_A01_completed_with_nothing_at_all(self):
        """Counts 0/0/0 and no file: nothing was done, and it is tried again, three times at most."""
        self.settings(end="empty")
        self.put(2)
        for attempt in (1, 2):
            self.flush()
            self.settle()
            self.assertEqual(self.rows("status, attempts"), [("queued", attempt)] * 2)
            self.assertIn("no result", self.row(1)[1])
        self.flush()
        self.settle()
        for status, attempts, error in self.rows("status, attempts, error"):
            self.assertEqual((status, attempts), ("failed", 3))
            self.assertIn("after 3 attempts", error)
        self.assertEqual((self.flush()["rows"], self.standin.bill()["calls"]), (0, 0))
        self.assertEqual([b["word"] for b in self.check_all(3)], ["completed"] * 3)

    def some_done(self, end, **settings):
        self.settings(end=end, finished=1, **settings)
        self.put(10)
        self.flush()
        done = self.row_of_line(0)
        said = self.settle()
        self.assertEqual((said["answered"], said["again"]), (1, 9))
        self.assertEqual(self.rows("id", "status = 'done'"), [done])
        self.assertEqual(set(self.rows("status || attempts || (batch_id IS NULL)", f"id <> {done}")), {"queued11"})
        self.assertEqual(self.kinds(), {"batch": 1})
        self.check_all(1)
        self.settings(end="completed", finished=-1)
        self.assertEqual(self.flush()["submitted"], 9)
        self.settle()
        self.assertEqual((self.statuses(), self.kinds()), ({"done": 10}, {"batch": 10}))
        self.assertEqual(sorted(self.rows("attempts")), [1] + [2] * 9)
        self.check_all(2)

    def test_A02_expired_with_one_answer(self):
        self.some_done("expired")

    def test_A02_failed_with_an_output_file(self):
        self.some_done("failed")

    def test_A02_expired_at_anthropic(self):
        self.settings(end="expired", finished=1)
        self.put(4, model=HAIKU)
        self.flush()
        self.settle()
        self.assertEqual((self.statuses(), self.kinds()), ({"done": 1, "queued": 3}, {"batch": 1}))
        self.check_all(1)

    def test_A02_by_its_deadline_to_the_synchronous_path(self):
        self.settings(end="expired", finished=1)
        self.put(3, deadline=now_ms() + DAY_MS + 700)
        self.assertEqual(self.flush()["submitted"], 3)
        time.sleep(0.8)
        self.settle()
        self.assertEqual(self.statuses(), {"done": 1, "queued": 2})
        self.assertEqual(self.flush()["now"], 2)
        self.assertEqual((self.statuses(), self.kinds()), ({"done": 3}, {"batch": 1, "call": 2}))
        self.assertEqual(sorted(self.rows("attempts")), [1, 2, 2])
        self.check_all(1)


class Cancel(BatchDesk):
    """A03: cancelling takes time, and what is answered meanwhile is paid."""

    def cancelled(self, rows, at, end):
        self.settings(polls=100, progress=at, cancel_polls=3, cancel_finished=end)
        self.put(rows)
        self.flush()
        self.poll()
        said = self.ask_cancel(1)
        self.assertEqual((said["id"], said["word"], said["open_rows"]), (1, "cancelling", rows))
        self.assertEqual(self.statuses(), {"submitted": rows})

    def ask_cancel(self, id, db=None):
        return json.loads(value(db or self.db, "SELECT llm_batch_cancel(?)", id))

    def test_A03_cancelled_at_33_of_2000_ended_at_142(self):
        self.cancelled(2000, 33, 142)
        other = self.another()
        for i in range(2):
            self.poll((self.db, other)[i])
            self.assertEqual(self.statuses(), {"submitted": 2000})  # between the wish and the end
        said = self.settle(other)  # who did not cancel sees the end first
        self.assertEqual((said["answered"], said["cancelled"]), (142, 1858))
        self.assertEqual((self.poll()["answered"], self.statuses()), (0, {"done": 142, "cancelled": 1858}))
        self.assertEqual(self.kinds(), {"batch": 142})
        batch, = self.check_all(1)
        self.assertEqual((batch["word"], batch["answered"]), ("cancelled", 142))
        self.assertEqual(self.flush()["rows"], 0)  # who cancels wants no second try

    def test_A03_two_pollers_at_once(self):
        self.cancelled(300, 33, 142)
        others = [self.another() for _ in range(3)]
        for _ in range(4):
            threads = [threading.Thread(target=self.poll, args=(db,)) for db in others]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
        self.settle()
        self.assertEqual((self.statuses(), self.kinds()), ({"done": 142, "cancelled": 158}, {"batch": 142}))
        self.check_all(1)

    def another(self):
        connect = sqlite3.connect
        try:
            sqlite3.connect = lambda *a, **k: connect(*a, **{**k, "check_same_thread": False, "timeout": 20})
            return super().another()
        finally:
            sqlite3.connect = connect

    def test_cancelled_before_it_began(self):
        self.settings(polls=100)
        self.put(3)
        self.flush()
        self.ask_cancel(1)
        self.settle()
        self.assertEqual((self.statuses(), self.standin.bill()["calls"]), ({"cancelled": 3}, 0))
        self.assertEqual(set(self.rows("error")), {"batch_cancelled: This request was cancelled."})
        self.check_all(1)

    def test_cancelled_at_anthropic_and_mistral(self):
        self.settings(polls=100, progress=1)
        for model in (HAIKU, "mistral-small-2603"):
            self.put(4, model=model)
        self.flush()
        self.poll()
        for id in (1, 2):
            self.ask_cancel(id)
        self.settle()
        self.assertEqual(self.statuses(), {"done": 4, "cancelled": 4})
        self.assertEqual(self.kinds(), {"batch": 4})
        self.check_batches(2)

    def test_cancelled_twice_and_after_the_end(self):
        self.put(2)
        self.flush()
        self.settle()
        self.assertEqual(self.ask_cancel(1)["state"], "settled")
        self.assertNotIn("cancel", self.steps())
        self.put(2, text="Who is {}?")
        self.flush()
        self.ask_cancel(2)
        self.ask_cancel(2)
        self.settle()
        self.assertEqual(self.statuses(), {"done": 2, "cancelled": 2})
        self.check_all(2)

    def test_a_cancel_that_comes_too_late_is_no_error(self):
        """The provider is through already: everything is done and booked."""
        self.settings(polls=1)
        self.put(2)
        self.flush()
        self.poll_at_the_stand_in()
        self.ask_cancel(1)
        self.settle()
        self.assertEqual((self.statuses(), self.kinds()), ({"done": 2}, {"batch": 2}))
        self.check_all(1)

    def poll_at_the_stand_in(self):
        id = self.batches()[0]["provider_id"]
        urllib.request.urlopen(urllib.request.Request(f"{self.standin.url}/v1/batches/{id}", headers={"Authorization": "Bearer x"})).read()

    def test_a_cancel_that_fails_says_so(self):
        self.settings(at={"cancel": "forbidden"}, polls=100)
        self.put(1)
        self.flush()
        self.assertIn("llm_batch_cancel", error_of(self.db, "SELECT llm_batch_cancel(1)"))
        self.assertEqual(self.statuses(), {"submitted": 1})

    def test_cancelled_at_the_provider_by_somebody_else(self):
        """Not our wish: what had no turn is asked again."""
        self.settings(polls=100)
        self.put(2)
        self.flush()
        id = self.batches()[0]["provider_id"]
        urllib.request.urlopen(urllib.request.Request(f"{self.standin.url}/v1/batches/{id}/cancel", b"",
                                                      {"Authorization": "Bearer x"})).read()
        self.settle()
        self.assertEqual(self.rows("status, attempts"), [("queued", 1)] * 2)
        self.assertIn("cancelled", self.row(1)[1])
        self.settings(polls=1)
        self.flush()
        self.settle()
        self.assertEqual(self.statuses(), {"done": 2})
        self.check_all(2)


class Once(BatchDesk):
    """A04: accounting does not hang on the act of looking."""
    SETTINGS = ["SELECT llm_config('retries', 0)"]

    def test_A04_five_polls_before_and_after(self):
        self.settings(polls=6)
        self.put(3)
        self.flush()
        dbs = [self.another() for _ in range(3)]
        for i in range(5):
            self.assertEqual(self.poll(dbs[i % 3])["open_rows"], 3)
            self.assertEqual((self.kinds(), self.batches()[0]["cost_nusd"]), ({}, 0))
        costs = [self.poll(dbs[i % 3])["cost_usd"] for i in range(6)]
        self.assertAlmostEqual(costs[0], self.standin.bill()["total_nusd"] / 1e9, 12)
        self.assertEqual(costs[1:], [0] * 5)
        self.assertEqual(self.kinds(), {"batch": 3})
        self.check_all(1)

    def test_A04_the_first_to_see_the_end_fails_to_read(self):
        for fault in ("server-error", "bad-gateway", "reset", "close"):
            with self.subTest(fault):
                self.setUp()
                self.settings(polls=1, at={"results": fault + "-3"})  # (libcurl itself repeats one on a kept connection)
                self.put(4)
                self.flush()
                said = self.poll()
                self.assertEqual((said["answered"], said["open_rows"]), (0, 4))
                self.assertTrue(said["errors"])
                batch, = self.batches()
                self.assertEqual((batch["state"], batch["trouble"]), ("ended", "later"))
                self.assertTrue(batch["error"])
                self.assertEqual(self.statuses(), {"submitted": 4})
                self.assertEqual(self.settle(self.another())["answered"], 4)
                self.assertEqual((self.statuses(), self.kinds()), ({"done": 4}, {"batch": 4}))
                self.check_all(1)

    def test_A04_results_that_are_cut_off(self):
        self.settings(polls=1, cut_at=1700, cut_times=2)
        self.put(6)
        self.flush()
        said = self.poll()
        self.assertEqual(said["open_batches"], 1)
        self.assertLess(said["answered"], 6)
        self.settle()
        self.assertEqual((self.statuses(), self.kinds()), ({"done": 6}, {"batch": 6}))
        self.check_all(1)

    def test_a_look_that_fails_changes_nothing(self):
        for fault in ("server-error", "rate-limit", "reset", "unauthorized", "bad-json", "not-json"):
            with self.subTest(fault):
                self.setUp()
                self.settings(at={"get": fault + "-3"})
                self.put(2)
                self.flush()
                said = self.poll()
                self.assertEqual((said["open_rows"], self.statuses()), (2, {"submitted": 2}))
                self.assertTrue(said["errors"][0]["error"])
                self.settle()
                self.assertEqual(self.statuses(), {"done": 2})
                self.check_all(1)


class Gone(BatchDesk):
    """A17: the absence of a thing is no fault of transport."""

    def gone(self, model=MINI, **settings):
        self.put(3, model=model)
        self.flush()
        self.store("UPDATE llm_batches SET created_at = created_at - 30 * 86400000, sent_at = sent_at - 30 * 86400000")
        self.settings(**settings)
        self.settle()
        for status, attempts, error, cost in self.rows("status, attempts, error, cost_usd"):
            self.assertEqual((status, attempts, cost), ("expired", 1, None))
            self.assertTrue(error)
        self.assertEqual(self.kinds(), {"unknown": 3})
        self.assertEqual(self.db.execute("SELECT DISTINCT cost_nusd, batch_id FROM llm_calls").fetchall(), [(None, 1)])
        batch, = self.check_batches(1)
        self.assertEqual((batch["trouble"], batch["unpriced"]), ("gone", 3))
        before = self.steps()
        self.poll()
        self.assertEqual(self.steps(), before)  # no further polls

    def test_A17_404(self):
        self.gone(gone="404")

    def test_A17_an_error_with_status_200(self):
        self.gone(gone="error")

    def test_A17_404_at_anthropic(self):
        self.gone(HAIKU, gone="404")

    def test_A17_results_are_archived_after_29_days(self):
        self.gone(HAIKU, gone="archived", age_s=30 * 86400)

    def test_A17_results_alone_are_gone(self):
        self.gone(gone="archived")

    def test_A17_never_found_for_30_days(self):
        """A create whose answer was lost, and an empty listing ever since."""
        value(self.db, "SELECT llm_config('retries', 0)")
        self.settings(at={"create": "reset-after"}, gone="unlisted")
        self.put(2, model=HAIKU)
        self.assertEqual(self.flush()["unsure"], 2)
        self.store("UPDATE llm_batches SET created_at = created_at - 30 * 86400000, looked_at = NULL")
        self.settle()
        self.assertEqual((self.statuses(), self.kinds()), ({"expired": 2}, {"unknown": 2}))
        self.assertIn("never found", self.row(1)[1])
        self.check_batches(1)

    def test_a_young_batch_that_is_not_known_yet_is_waited_for(self):
        self.put(2)
        self.flush()
        self.settings(gone="404")
        self.assertEqual((self.poll()["open_rows"], self.statuses()), (2, {"submitted": 2}))
        self.settings(gone="")
        self.settle()
        self.assertEqual(self.statuses(), {"done": 2})
        self.check_all(1)


if __name__ == "__main__":
    unittest.main()
