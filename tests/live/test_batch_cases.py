"""Batches: the field's cases A01 to A17, each by its name: what others' batches lost, paid twice, or never ended; and the oddities of
providers: each ends in a status, a clear error, and a ledger that is the bill."""
import json
import threading
import time
import unittest

from batch_desk import HAIKU, MINI, BatchDesk
from harness import error_of, value

HOUR_MS, DAY_MS = 3_600_000, 86_400_000


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
        import sqlite3
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
        import urllib.request
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
        import urllib.request
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
        for fault in ("server-error", "bad-gateway", "reset", "truncated", "close"):
            with self.subTest(fault):
                self.setUp()
                self.settings(polls=1, at={"results": fault})
                self.put(4)
                self.flush()
                said = self.poll()
                self.assertEqual((said["answered"], said["open_rows"]), (0, 4))
                self.assertTrue(said["errors"])
                batch, = self.batches()
                self.assertEqual((batch["state"], batch["trouble"]), ("ended", "later"))
                self.assertTrue(batch["error"])
                self.assertEqual(self.statuses(), {"submitted": 4})
                self.settle(self.another())
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
                self.settings(at={"get": fault})
                self.put(2)
                self.flush()
                said = self.poll()
                self.assertEqual((said["open_rows"], self.statuses()), (2, {"submitted": 2}))
                self.assertTrue(said["errors"][0]["error"])
                self.settle()
                self.assertEqual(self.statuses(), {"done": 2})
                self.check_all(1)


class Lines(BatchDesk):
    """A05 to A08: one bad line is one bad row."""

    def test_A05_five_bad_lines_of_200(self):
        self.settings(lines={"cut": 10, "null": 20, "array": 30, "no-usage": 40, "huge": 50}, usage_off=100)
        self.put(200)
        self.flush()
        cut, null, array, no_usage, huge = bad = [self.row_of_line(i) for i in (10, 20, 30, 40, 50)]
        self.settle()
        self.assertEqual(sum(1 for i, s in self.rows("id, status") if i not in bad and s == "done"), 195)
        for id in (cut, null, array, huge):  # paid, and nobody knows how much: the ledger says so
            status, error = self.row(id)
            self.assertIn(status, ("failed", "queued"))
            self.assertTrue(error)
        self.assertEqual(self.row(cut)[0], "failed")
        self.assertEqual(self.row(huge)[0], "failed")
        self.assertIn("long", self.row(huge)[1])
        self.assertEqual(self.row(no_usage)[0], "done")  # its answer is good
        self.assertEqual(self.row(no_usage, "cost_usd")[0], None)
        self.assertEqual(self.kinds(), {"batch": 196, "unknown": 4})
        difference = self.db.execute("SELECT batch_id, cost_nusd, error FROM llm_calls WHERE purpose = 'difference'").fetchall()
        self.assertEqual([d[:2] for d in difference], [(1, 0)])
        known = sum(e["nusd"] for e in self.billed() if e["prompt"] not in {self.row(i, "prompt")[0] for i in bad})
        self.assertEqual(value(self.db, "SELECT sum(cost_nusd) FROM llm_calls"), known)
        self.check_sums()
        self.assertEqual(self.check_batches(1)[0]["difference"], value(self.db, "SELECT id FROM llm_calls WHERE purpose = 'difference'"))

    def test_A05_an_answer_without_a_body(self):
        self.settings(lines={"no-body": 0})
        self.put(3)
        self.flush()
        bad = self.row_of_line(0)
        self.settle()
        self.assertEqual((self.row(bad)[0], self.statuses()), ("failed", {"failed": 1, "done": 2}))
        self.assertTrue(self.row(bad)[1])
        self.check_batches(1)

    def test_A06_ends_of_lines(self):
        answers = {}
        for file in ([], ["crlf"], ["blank"], ["no-newline"], ["bom"], ["lone-cr"], ["crlf", "bom", "blank"], ["no-newline", "crlf"]):
            for chunk in (0, 1, 64, 65536):
                with self.subTest(file=file, chunk=chunk):
                    self.setUp()
                    self.settings(file=file, chunk=chunk, lines={"separators": 0, "controls": 1})
                    self.put(4)
                    self.flush()
                    spoilt = [self.row_of_line(i) for i in (0, 1)]
                    self.settle()
                    self.assertEqual(self.statuses(), {"done": 4})
                    self.assertIn("a\u2028b\u2029c\x85d\U0001F600e", self.row(spoilt[0], "answer")[0])
                    self.assertIn("a\x0bb\x0cc\rd", self.row(spoilt[1], "answer")[0])
                    answers[str(file), chunk] = self.rows("answer")
                    self.check_all(1)
        self.assertEqual(len({str(a) for a in answers.values()}), 1)

    def test_A06_what_we_upload_is_a_line_a_request(self):
        odd = "a\u2028b\u2029c\x85d\x0be\x0cf\rg\r\nh\ni\U0001F600\ufeff{}"
        self.put(3, text=odd)
        self.flush()
        self.settle()
        self.assertEqual(self.statuses(), {"done": 3})
        self.assertEqual(sorted(e["prompt"] for e in self.billed()), sorted(self.rows("prompt")))
        self.check_all(1)

    def test_A07_custom_ids_stay_here(self):
        ids = ["a.b", "a:b", "é" * 65, "", None, "twin", "twin", "r1-1-x", "x" * 10000]
        for i, custom_id in enumerate(ids):
            self.put(1, text=f"What is {i}?", custom_id=custom_id)
        self.put(1, text="What is 9?", custom_id="of Claude", model=HAIKU)
        self.flush()
        self.settle()
        self.assertEqual(self.rows("custom_id, status"), [(i, "done") for i in [*ids, "of Claude"]])
        self.assertEqual(sorted(self.rows("prompt")), sorted(e["prompt"] for e in self.billed()))
        self.check_all(2)
        body = json.dumps(self.standin.get("/standin/last"))
        for word in ("a.b", "twin", "of Claude"):
            self.assertNotIn(word, body)

    def test_A08_doubled_missing_unknown_and_foreign_ids(self):
        self.put(2, text="Before {}")
        self.flush()
        self.settle()
        self.settings(lines={"double": 0, "missing": 1, "unknown": 2, "foreign": 3})
        self.put(6)
        self.flush()
        double, missing, *_ = lines = [self.row_of_line(i, 2) for i in range(6)]
        said = self.settle()
        self.assertNotIn("(again)", self.row(double, "answer")[0])  # the first is kept
        self.assertEqual(self.row(missing, "status, attempts"), ("queued", 1))
        self.assertIn("no result", self.row(missing)[1])
        self.assertEqual(set(self.rows("status", f"id > 2 AND id <> {missing}")), {"done"})
        told = " ".join(said["errors"])
        self.assertIn("1 results came more than once", told)
        self.assertIn("2 results bear no id of this batch", told)
        self.assertTrue(self.batches()[1]["error"])
        # Billed, and its answer never came: the ledger says that nobody knows.
        self.assertEqual(self.kinds(), {"batch": 7, "unknown": 1})
        self.check_all(2, unknown=[missing])
        self.settings(lines={})
        self.flush()
        self.settle()
        self.assertEqual(self.statuses(), {"done": 8})
        self.check_batches(3)

    def test_A08_at_anthropic(self):
        self.settings(lines={"double": 0, "missing": 1, "unknown": 2})
        self.put(4, model=HAIKU)
        self.flush()
        double, missing = self.row_of_line(0), self.row_of_line(1)
        self.settle()
        self.assertNotIn("(again)", self.row(double, "answer")[0])
        self.assertEqual((self.row(missing)[0], self.statuses()), ("queued", {"queued": 1, "done": 3}))
        self.check_all(1, unknown=[missing])


class Create(BatchDesk):
    """A10, A11, A14: a POST that makes something is never repeated blindly."""
    SETTINGS = ["SELECT llm_config('retries', 0)"]

    def lost(self, fault, model=MINI, at="create"):
        self.settings(at={at: fault})
        self.put(5, model=model)
        said = self.flush()
        for _ in range(3):
            if said.get("unsure"):
                self.poll()
        self.settle(polls=20)
        self.assertEqual((self.statuses(), set(self.rows("attempts"))), ({"done": 5}, {1}), said)
        self.assertEqual((self.there()["batches"]["made"], self.kinds()), (1, {"batch": 5}))
        self.assertEqual(len([f for f in self.there()["files"]["there"] if f["purpose"] == "batch"]), 0 if model == HAIKU else 1)
        self.check_all(1)

    def test_A10_accepted_and_then_reset(self):
        self.lost("reset-after")

    def test_A10_accepted_and_then_a_tcp_reset(self):
        self.lost("rst-after")

    def test_A10_accepted_and_then_502(self):
        self.lost("bad-gateway-after")

    def test_A10_accepted_and_the_answer_torn(self):
        self.lost("truncated")

    def test_A10_accepted_and_then_hangs(self):
        value(self.db, "SELECT llm_config('timeout_ms', 700)")
        self.lost("hang")

    def test_A10_at_anthropic(self):
        for fault in ("reset-after", "bad-gateway-after", "truncated"):
            with self.subTest(fault):
                self.setUp()
                self.lost(fault, HAIKU)

    def test_A10_the_upload_may_be_repeated_and_the_spare_file_goes(self):
        for fault in ("reset-after", "truncated", "bad-gateway-after"):
            with self.subTest(fault):
                self.setUp()
                self.lost(fault, at="upload")
                self.assertGreaterEqual(self.there()["files"]["made"], 3)  # two of ours, one of results

    def test_A10_not_accepted_stays_unsent_until_that_is_certain(self):
        """The create never arrived: the provider's list says so, and the rows go again, no attempt lost."""
        self.settings(at={"create": "reset"})
        self.put(3)
        said = self.flush()
        self.assertEqual((said["submitted"], said["unsure"]), (0, 3), said)
        self.assertEqual(self.statuses(), {"sending": 3})
        self.assertEqual(self.batches()[0]["state"], "begun")
        deadline = time.monotonic() + 25
        while self.statuses() == {"sending": 3} and time.monotonic() < deadline:
            self.poll()
            time.sleep(0.5)
        self.assertEqual(self.statuses(), {"queued": 3})
        self.assertIn("not created", self.row(1)[1])
        self.flush()
        self.settle()
        self.assertEqual((self.statuses(), self.there()["batches"]["made"]), ({"done": 3}, 1))
        self.assertEqual(len([f for f in self.there()["files"]["there"] if f["purpose"] == "batch"]), 1)
        self.check_all(2)

    def test_A11_no_such_file_is_waited_out(self):
        self.settings(late_file=2)
        self.put(3)
        began = time.monotonic()
        self.assertEqual(self.flush()["submitted"], 3)
        self.assertLess(time.monotonic() - began, 15)
        self.assertEqual((self.steps()["upload"], self.steps()["create"]), (1, 3))
        self.settle()
        self.assertEqual(self.statuses(), {"done": 3})
        self.check_all(1)

    def test_A11_a_file_that_never_comes(self):
        self.settings(late_file=1000)
        self.put(3)
        said = self.flush()
        self.assertEqual(said["submitted"], 0, said)
        self.assertEqual(self.rows("status, batch_id"), [("queued", None)] * 3)
        batch, = self.batches()
        self.assertTrue(batch["input_file"])
        self.assertTrue(batch["error"])
        self.assertEqual(self.steps()["upload"], 1)
        self.settings(late_file=0)
        self.flush()
        self.settle()
        self.assertEqual(self.statuses(), {"done": 3})
        self.check_all(2)

    def test_A14_413_goes_in_halves(self):
        for body in ("json", "empty", "html"):
            with self.subTest(body):
                self.setUp()
                self.settings(upload_max=2500, upload_body=body)
                self.put(16)
                said = self.flush()
                self.assertEqual(said["submitted"], 16, said)
                sizes = [b["bytes"] for b in self.batches()]
                self.assertEqual(len(set(sizes[:2])), 2)
                self.settle()
                self.assertEqual((self.statuses(), set(self.rows("attempts"))), ({"done": 16}, {1}))
                self.check_all()
                uploads = self.steps()["upload"]
                self.put(16, text="Who is {}?")  # the size is remembered: nothing is refused again
                self.flush()
                self.assertEqual(self.steps()["create"], self.steps()["upload"] - (uploads - self.there_made_before))
                self.settle()
                self.check_all()

    @property
    def there_made_before(self):
        return sum(1 for b in self.batches() if b["provider_id"] and b["id"] <= self.first_made)

    def test_A14_a_single_row_over_the_limit(self):
        self.settings(upload_max=4000)
        self.put(1, text="What is {}? " + "x" * 8000)
        self.put(3, text="Who is {}?")
        said = self.flush()
        self.assertEqual((said["failed"], said["submitted"]), (1, 3), said)
        self.assertEqual(self.row(1)[0], "failed")
        self.assertIn("413", self.row(1)[1])
        self.settle()
        self.assertEqual(self.statuses(), {"failed": 1, "done": 3})
        self.check_all()

    def test_A14_an_inline_batch_that_is_too_large(self):
        self.settings(upload_max=2500, upload_body="html")
        self.put(16, model=HAIKU)
        self.assertEqual(self.flush()["submitted"], 16)
        self.settle()
        self.assertEqual(self.statuses(), {"done": 16})
        self.check_all()


class Full(BatchDesk):
    """A12: a refusal that comes behind the acceptance. And those that look permanent."""

    def test_A12_token_limit_exceeded_after_the_200(self):
        self.settings(refuse="token_limit_exceeded")
        self.put(8)
        self.flush()
        self.assertEqual(self.statuses(), {"submitted": 8})
        said = self.settle(delete_files=True)
        self.assertEqual(said["again"], 8)
        self.assertEqual(self.rows("status, attempts"), [("queued", 0)] * 8)  # not spent: nobody tried it
        self.assertIn("Enqueued token limit", self.row(1)[1])
        batch, = self.batches()
        self.assertEqual((batch["trouble"], batch["state"], batch["word"]), ("queue_full", "settled", "failed"))
        self.assertIn("Enqueued token limit", batch["error"])
        self.assertEqual(self.there()["files"]["there"], [])
        self.settings(refuse="")
        said = self.flush()
        self.assertLess(said["batches"][0]["requests"], 8)  # smaller
        self.assertEqual(said["submitted"] + said["waiting"], 8)
        for _ in range(10):
            self.settle()
            self.flush()
        self.assertEqual((self.statuses(), set(self.rows("attempts"))), ({"done": 8}, {1}))
        self.assertEqual(self.kinds(), {"batch": 8})
        self.check_all()

    def test_A12_a_queue_with_room_for_so_many(self):
        self.settings(queue_max=4)
        self.put(12)
        for _ in range(12):
            self.flush()
            self.settle()
        self.assertEqual((self.statuses(), set(self.rows("attempts"))), ({"done": 12}, {1}))
        self.check_all()

    def test_no_credit_looks_permanent_and_is_not(self):
        """Each line is refused as if it were wrong: it goes again once somebody has paid."""
        for model in (MINI, HAIKU):
            with self.subTest(model):
                self.setUp()
                self.settings(no_credit=-1)
                self.put(3, model=model)
                self.flush()
                self.settle()
                self.assertEqual(self.statuses(), {"queued": 3})
                self.assertRegex(self.row(1)[1], "quota|credit")
                self.settings(no_credit=0)
                self.flush()
                self.settle()
                self.assertEqual(self.statuses(), {"done": 3})
                self.check_all()

    def test_a_create_that_is_refused(self):
        for fault, trouble in (("quota", "no_credit"), ("unauthorized", "key"), ("rate-limit", "later"), ("overloaded", "later"),
                               ("billing", "no_credit")):
            with self.subTest(fault):
                self.setUp()
                value(self.db, "SELECT llm_config('retries', 0)")
                self.settings(at={"create": fault})
                self.put(2)
                said = self.flush()
                self.assertEqual((said["submitted"], said["refused"]), (0, 2), said)
                self.assertEqual(self.rows("status, attempts"), [("queued", 0)] * 2)
                self.assertTrue(self.row(1)[1])
                self.assertEqual(self.batches()[0]["trouble"], trouble)
                self.assertEqual([f for f in self.there()["files"]["there"] if f["purpose"] == "batch"], [])
                self.flush()
                self.settle()
                self.assertEqual((self.statuses(), set(self.rows("attempts"))), ({"done": 2}, {1}))
                self.check_all()

    def test_a_create_that_would_be_refused_again(self):
        self.settings(at={"create": "bad-request"})
        self.put(2)
        said = self.flush()
        self.assertEqual(said["submitted"], 0)
        self.assertEqual(self.statuses(), {"failed": 2})
        self.assertIn("refused by this scenario", self.row(1)[1])
        self.assertEqual(self.standin.bill()["calls"], 0)
        self.check_all()


class Attempts(BatchDesk):
    """A13: an attempt is counted before it leaves."""

    def test_A13_expired_each_time(self):
        self.settings(end="expired", finished=0)
        self.put(2)
        for attempt in (1, 2, 3):
            self.assertEqual(self.flush()["submitted"], 2)
            self.assertEqual(set(self.rows("attempts")), {attempt})  # before anybody knows how it ends
            self.settle()
        for status, attempts, error in self.rows("status, attempts, error"):
            self.assertEqual((status, attempts), ("failed", 3))
            self.assertIn("after 3 attempts", error)
        self.assertEqual((self.flush()["rows"], self.there()["batches"]["made"]), (0, 3))
        # By hand alone it begins anew, and at 0 only where that is said.
        self.settings(end="completed", finished=-1)
        self.db.execute("UPDATE batch_submit SET status = 'queued'")
        self.assertEqual(self.flush()["failed"], 2)
        self.assertIn("attempts = 0", self.row(1)[1])
        self.db.execute("UPDATE batch_submit SET status = 'queued', attempts = 0")
        self.assertEqual(self.flush()["submitted"], 2)
        self.settle()
        self.assertEqual(self.rows("status, attempts"), [("done", 1)] * 2)
        self.check_all(4)

    def test_server_errors_of_lines_are_tried_again(self):
        self.settings(lines={"error": 1}, errors_status=500)
        self.put(3)
        self.flush()
        bad = self.row_of_line(1)
        self.settle()
        self.assertEqual(self.row(bad, "status, attempts"), ("queued", 1))
        self.assertIn("server had an error", self.row(bad)[1])
        self.settings(lines={})
        self.flush()
        self.settle()
        self.assertEqual((self.statuses(), self.row(bad, "attempts")), ({"done": 3}, (2,)))
        self.check_all(2)

    def test_rate_limits_of_lines_are_tried_again(self):
        self.settings(errors=-1, errors_status=429)
        self.put(2)
        for _ in range(3):
            self.flush()
            self.settle()
        self.assertEqual(self.rows("status, attempts"), [("failed", 3)] * 2)
        self.check_all(3)


class Prefix(BatchDesk):
    """A16: what batches read of a cache is what their bill says."""

    def test_A16_cached_tokens_are_priced_as_billed(self):
        system = "".join(f" word{i}" for i in range(3000))
        self.put(8, system=system)
        self.put(8, system=system, model=HAIKU)
        self.flush()
        self.settle()
        self.assertEqual(self.statuses(), {"done": 16})
        self.check_all(2)
        # (A warm-up by an ordinary request would be none for a batch: none is sent.)
        self.assertEqual([e["path"] for e in self.standin.journal() if e["billed"] and "batch" not in e["path"] and not e.get("batch")], [])
        read, written = self.db.execute("SELECT total(cached_input_tokens), total(cache_write_tokens) FROM llm_calls").fetchone()
        self.assertGreater(read + written, 0)


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


class Differences(BatchDesk):
    def test_the_batchs_own_usage_is_another(self):
        """The lines win; the difference is a row of the ledger, and no money."""
        for off in (100, -20):
            with self.subTest(off):
                self.setUp()
                self.settings(usage_off=off)
                self.put(4)
                self.flush()
                self.settle()
                self.assertEqual((self.statuses(), self.kinds()), ({"done": 4}, {"batch": 4}))
                (id, kind, cost, batch, error, usage), = self.db.execute(
                    "SELECT id, kind, cost_nusd, batch_id, error, usage FROM llm_calls WHERE purpose = 'difference'")
                self.assertEqual((kind, cost, batch), ("batch", 0, 1))
                self.assertIn(f"{off} input", error)
                self.assertEqual(json.loads(usage)["difference"], {"input": off, "output": 0})
                self.assertEqual(self.check_all(1)[0]["difference"], id)
                self.poll()
                self.assertEqual(value(self.db, "SELECT count(*) FROM llm_calls WHERE purpose = 'difference'"), 1)

    def test_none_without_one(self):
        self.put(4)
        self.flush()
        self.settle()
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_calls WHERE purpose = 'difference'"), 0)

    def test_answers_that_are_none(self):
        """What the model itself would not say is judged as any answer of a call, and billed."""
        for fault, status in (("length", "done"), ("refusal", "done"), ("content-filter", None), ("empty", None)):
            with self.subTest(fault):
                self.setUp()
                self.put(2, model=f"{MINI}")
                self.db.execute("INSERT INTO llm_models SELECT ?, provider, api, base_url, key_env, context_window, max_output, supports"
                                " FROM llm_models WHERE name = ?", (f"{MINI}@{fault}", MINI))
                self.db.execute("INSERT INTO llm_prices(model, kind, usd_per_million, service) VALUES (?1, 'input', 0.075, 'batch'),"
                                " (?1, 'output', 0.3, 'batch'), (?1, 'input', 0.15, NULL), (?1, 'output', 0.6, NULL)", (f"{MINI}@{fault}",))
                self.put(2, text="Say {}", model=f"{MINI}@{fault}")
                self.flush()
                self.settle()
                self.assertEqual(self.rows("status", "id < 3"), ["done"] * 2)
                self.assertEqual(self.rows("answer IS NULL AND error IS NULL", "id > 2"), [0, 0])
                self.assertEqual(set(self.rows("status", "id > 2")) & {"queued", "submitted"}, set())
                self.assertEqual(self.kinds(), {"batch": 4})
                self.check_all(2)


if __name__ == "__main__":
    unittest.main()
