"""The stand-in's batches: each misfortune that can be asked for comes, and the bill is right in each.

Asked by a bare HTTP client: nothing of the extension takes part.
"""
import http.client
import json
import socket
import time
import unittest

from harness import Standin

AUTH = {"Authorization": "Bearer sk-bare"}
CLAUDE = {"x-api-key": "sk-bare", "anthropic-version": "2023-06-01"}
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "multipart/form-data; boundary=bound"}
PRICES = {"gpt-4o-mini": (150, 600), "claude-haiku-4-5": (1000, 5000), "mistral-small-2603": (1000, 2000),
          "vendor/model": (1000, 2000)}


def words_of(result):
    """The text of an answered line, in either shape; None of one that was not."""
    if "result" in result:
        message = result["result"].get("message")
        return message and message["content"][0]["text"]
    body = (result.get("response") or {}).get("body") or {}
    return body["choices"][0]["message"]["content"] if "choices" in body else None


class Batches(unittest.TestCase):
    ROOT, HEADERS, MODEL = "/v1/batches", AUTH, "gpt-4o-mini"

    @classmethod
    def setUpClass(cls):
        cls.standin = Standin()
        cls.standin.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.standin.__exit__()

    def setUp(self):
        self.standin.post("/standin/reset", {})

    def settings(self, **settings):
        self.standin.post("/standin/batch", settings)

    def raw(self, method, path, body=None, **headers):
        c = http.client.HTTPConnection(self.standin.host, timeout=60)
        try:
            c.request(method, path, body, {**self.HEADERS, **headers})
            r = c.getresponse()
            return r.status, r.read()
        finally:
            c.close()

    def call(self, method, path, body=None, **headers):
        """The answer as JSON; fails where it is none with 200 or 202."""
        if isinstance(body, dict):
            body, headers = json.dumps(body), {**JSON, **headers}
        status, data = self.raw(method, path, body, **headers)
        self.assertIn(status, (200, 202), data[:300])
        return json.loads(data)

    def status(self, method, path, body=None, **headers):
        if isinstance(body, dict):
            body, headers = json.dumps(body), {**JSON, **headers}
        return self.raw(method, path, body, **headers)[0]

    def chat(self, text, **more):
        return {"model": self.MODEL, "messages": [{"role": "user", "content": text}], **more}

    def lines(self, n, **more):
        return "".join(json.dumps({"custom_id": f"r{i}-1", "method": "POST", "url": "/v1/chat/completions",
                                   "body": self.chat(f"question {i}", **more)}) + "\n" for i in range(n))

    def form(self, text):
        return "".join(f'--bound\r\nContent-Disposition: form-data; name="{n}"{more}\r\n\r\n{v}\r\n' for n, more, v in
                       (("purpose", "", "batch"), ("file", '; filename="a.jsonl"', text))) + "--bound--\r\n"

    def upload(self, text, prefix="/v1"):
        return self.call("POST", prefix + "/files", self.form(text), **FORM)["id"]

    def order(self, file, **more):
        return {"input_file_id": file, "endpoint": "/v1/chat/completions", "completion_window": "24h", **more}

    def make(self, n, **headers):
        return self.call("POST", self.ROOT, self.order(self.upload(self.lines(n))), **headers)

    def get(self, batch):
        return self.call("GET", f"{self.ROOT}/{batch['id']}")

    def ended(self, batch, polls=20):
        """Asks until it is over."""
        for _ in range(polls):
            batch = self.get(batch)
            if batch.get("status", batch.get("processing_status")) not in (
                    "validating", "in_progress", "cancelling", "canceling", "QUEUED", "RUNNING", "CANCELLATION_REQUESTED"):
                return batch
        self.fail(f"never ends: {batch}")

    def content(self, file):
        status, data = self.raw("GET", f"/v1/files/{file}/content")
        self.assertEqual(status, 200, data)
        return data

    def results(self, batch):
        """By custom_id: of both files."""
        found = [json.loads(line) for name in ("output_file_id", "error_file_id") if batch[name]
                 for line in self.content(batch[name]).split(b"\n") if line.strip()]
        return {r["custom_id"]: r for r in found}

    def answered(self, results):
        return sorted(i for i, r in results.items() if words_of(r) is not None)

    def check_bill(self, lines, usages=None):
        """So many lines are billed, at half price, and nothing else is."""
        billed = [e for e in self.standin.journal() if e["billed"]]
        self.assertEqual(len(billed), lines)
        for e in billed:
            into, out = PRICES[e["model"]]
            self.assertEqual(e["nusd"], (e["input_tokens"] * into + e["output_tokens"] * out) // 2)
        bill = self.standin.bill()
        self.assertEqual((bill["calls"], bill["total_nusd"]), (lines, sum(e["nusd"] for e in billed)))
        if usages is not None:
            self.assertEqual(sorted((u["prompt_tokens"], u["completion_tokens"]) for u in usages),
                             sorted((e["input_tokens"], e["output_tokens"]) for e in billed))


class Ends(Batches):
    def counts(self, batch):
        c = batch["request_counts"]
        return c["total"], c["completed"], c["failed"]

    def test_the_good_one(self):
        batch = self.ended(self.make(3))
        self.assertEqual((batch["status"], self.counts(batch), batch["error_file_id"]), ("completed", (3, 3, 0), None))
        results = self.results(batch)
        self.assertEqual(self.answered(results), ["r0-1", "r1-1", "r2-1"])
        self.check_bill(3, [r["response"]["body"]["usage"] for r in results.values()])

    def test_so_many_are_done_at_another_end(self):
        for end, unfinished in (("expired", ["batch_expired"] * 9), ("failed", [])):
            for as_scenario in (0, 1):
                self.standin.post("/standin/reset", {})
                if not as_scenario:
                    self.settings(end=end, finished=1)
                headers = {"X-Standin-Scenario": f"batch-{end}-1"} if as_scenario else {}
                batch = self.ended(self.make(10, **headers))
                self.assertEqual((batch["status"], batch["request_counts"]["completed"]), (end, 1))
                results = self.results(batch)
                self.assertEqual(self.answered(results), ["r0-1"])
                self.assertEqual([r["error"]["code"] for r in results.values() if r["error"]], unfinished)
                self.check_bill(1)

    def test_by_default_half(self):
        batch = self.ended(self.make(5, **{"X-Standin-Scenario": "batch-expired"}))
        self.assertEqual(self.counts(batch), (5, 3, 2))
        self.check_bill(3)

    def test_nothing_at_all(self):
        self.settings(end="empty")
        batch = self.ended(self.make(4))
        self.assertEqual((batch["status"], self.counts(batch), batch["output_file_id"], batch["error_file_id"]),
                         ("completed", (0, 0, 0), None, None))
        self.check_bill(0)

    def test_all_are_refused(self):
        batch = self.ended(self.make(3, **{"X-Standin-Scenario": "batch-all-failed"}))
        self.assertEqual((batch["status"], self.counts(batch), batch["output_file_id"]), ("completed", (3, 0, 3), None))
        self.assertEqual([r["response"]["status_code"] for r in self.results(batch).values()], [400] * 3)
        self.check_bill(0)

    def test_some_are_refused(self):
        self.settings(errors=2, errors_status=429)
        batch = self.ended(self.make(5))
        self.assertEqual(self.counts(batch), (5, 3, 2))
        self.assertEqual(self.answered(self.results(batch)), ["r2-1", "r3-1", "r4-1"])
        self.check_bill(3)

    def test_the_old_names(self):
        batch = self.ended(self.make(2, **{"X-Standin-Scenario": "batch-token-limit"}))
        self.assertEqual((batch["status"], batch["errors"]["data"][0]["code"]), ("failed", "token_limit_exceeded"))
        batch = self.ended(self.make(4, **{"X-Standin-Scenario": "batch-errors"}))
        self.assertEqual(self.answered(self.results(batch)), ["r1-1", "r2-1"])
        batch = self.ended(self.make(2, **{"X-Standin-Scenario": "batch-crlf"}))
        self.assertEqual([line[-1:] for line in self.content(batch["output_file_id"]).split(b"\n")], [b"\r"] * 3 + [b""])
        self.check_bill(4)

    def test_a_scenario_in_the_models_name(self):
        file = self.upload(self.lines(4).replace(self.MODEL, self.MODEL + "@batch-expired-3"))
        batch = self.ended(self.call("POST", self.ROOT, self.order(file)))
        self.assertEqual((batch["status"], self.counts(batch)), ("expired", (4, 3, 1)))

    def test_cancelling_takes_time_and_goes_on(self):
        self.settings(polls=100, progress=33, cancel_polls=4, cancel_finished=142)
        batch = self.make(200)
        self.assertEqual(self.counts(self.get(batch)), (200, 33, 0))
        self.assertEqual(self.call("POST", f"{self.ROOT}/{batch['id']}/cancel")["status"], "cancelling")
        self.check_bill(33)
        seen = [self.get(batch) for _ in range(4)]
        self.assertEqual([b["status"] for b in seen], ["cancelling"] * 3 + ["cancelled"])
        self.assertEqual([self.counts(b) for b in seen],
                         [(200, 60, 0), (200, 87, 0), (200, 114, 0), (200, 142, 58)])
        results = self.results(seen[-1])
        self.assertEqual(len(self.answered(results)), 142)
        self.assertEqual(sum(1 for r in results.values() if r["error"]), 58)
        self.check_bill(142)
        self.assertEqual(self.status("POST", f"{self.ROOT}/{batch['id']}/cancel"), 409)

    def test_cancelling_by_the_clock(self):
        self.settings(polls=100, cancel_polls=1000, cancel_ms=300, cancel_finished=2)
        batch = self.make(3)
        self.get(batch)
        self.call("POST", f"{self.ROOT}/{batch['id']}/cancel")
        self.assertEqual(self.get(batch)["status"], "cancelling")
        time.sleep(0.35)
        self.assertEqual(self.counts(self.get(batch)), (3, 2, 1))
        self.check_bill(2)

    def test_cancelled_before_it_began(self):
        batch = self.make(3)
        self.call("POST", f"{self.ROOT}/{batch['id']}/cancel")
        self.assertEqual(self.counts(self.get(batch)), (3, 0, 3))
        self.check_bill(0)

    def test_wrong_wishes_are_refused(self):
        for wish in ({"end": "well"}, {"finished": "1"}, {"finished": -2}, {"lines": {"odd": 1}}, {"lines": {"cut": "x"}},
                     {"file": "crlf"}, {"at": {"create": "no-such"}}, {"at": {"nowhere": "hang"}}, {"what": 1}):
            with self.assertRaisesRegex(Exception, "400", msg=wish):
                self.standin.post("/standin/batch", wish)
        self.settings(finished=3)
        self.settings(finished=None)
        self.assertEqual(self.counts(self.ended(self.make(4, **{"X-Standin-Scenario": "batch-expired"}))), (4, 2, 2))


if __name__ == "__main__":
    unittest.main()
