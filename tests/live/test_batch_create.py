"""How batches are made: the field's cases A10 to A14, each by its name, and what a provider refuses before, at and behind the create. A POST
that makes something is never repeated blindly, and an attempt is counted before it leaves."""
import time
import unittest

from batch_desk import HAIKU, MINI, BatchDesk
from harness import value


class Create(BatchDesk):
    """A10, A11, A14: a POST that makes something is never repeated blindly."""
    SETTINGS = ["SELECT llm_config('retries', 0)"]

    def lost(self, fault, model=MINI, at="create"):
        self.settings(at={at: fault})
        self.put(5, model=model)
        said = self.flush()
        if at == "create" and model != HAIKU:  # (which keeps no marks: its results tell, later)
            self.assertGreater(self.steps().get("list", 0), 0)  # it was looked for
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
        deadline = time.monotonic() + 60
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
                creates = self.steps()["create"]
                self.assertGreater(uploads, creates)
                self.put(16, text="Who is {}?")  # the size is remembered: nothing is refused again
                self.flush()
                self.assertEqual(self.steps()["upload"] - uploads, self.steps()["create"] - creates)
                self.settle()
                self.check_all()

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
        for fault, trouble in (("quota", "no_credit"), ("unauthorized", "key"), ("rate-limit", "later"),
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


class Invalid(BatchDesk):
    """A file that the provider does not like once it has read it."""

    def test_a_reason_that_names_no_line(self):
        """Whose fault it is nobody knows: tried again, three times at most."""
        for code in ("invalid_json_line", "model_mismatch", "a_word_of_tomorrow"):
            with self.subTest(code):
                self.setUp()
                self.settings(refuse=code)
                self.put(2)
                self.flush()
                self.settle()
                self.assertEqual(self.rows("status, attempts"), [("queued", 1)] * 2)
                self.assertIn("refused by the settings", self.row(1)[1])
                for _ in range(2):
                    self.flush()
                    self.settle()
                self.assertEqual(self.rows("status, attempts"), [("failed", 3)] * 2)
                self.assertIn("after 3 attempts", self.row(1)[1])
                self.assertEqual(self.standin.bill()["calls"], 0)
                self.check_all(3)

    def test_refused_at_anthropic(self):
        """It has no such end: each line is an error of its own."""
        self.settings(refuse="token_limit_exceeded")
        self.put(2, model=HAIKU)
        self.flush()
        self.settle()
        self.assertEqual(self.statuses(), {"queued": 2})
        self.settings(refuse="")
        self.flush()
        self.settle()
        self.assertEqual(self.statuses(), {"done": 2})
        self.check_all(2)

    def test_files_that_can_not_be_deleted_are_no_error(self):
        self.settings(at={"delete_file": "server-error-always"})
        self.put(2)
        self.flush()
        self.settle(delete_files=True)
        self.assertEqual(self.statuses(), {"done": 2})
        self.check_all(1)


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


if __name__ == "__main__":
    unittest.main()
