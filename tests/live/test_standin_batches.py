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
        status, data = self.raw(method, path, body and body.encode(), **headers)
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

    def test_all_is_answered_before_the_files_come(self):
        batch = self.make(3, **{"X-Standin-Scenario": "batch-finalizing-2"})
        seen = [self.get(batch) for _ in range(4)]
        self.assertEqual([b["status"] for b in seen], ["in_progress", "finalizing", "finalizing", "completed"])
        self.assertEqual([self.counts(b)[1] for b in seen], [0, 3, 3, 3])
        self.assertEqual([b["output_file_id"] for b in seen[:3]], [None] * 3)
        self.check_bill(3)

    def test_the_queue_is_full(self):
        self.settings(queue_max=5)
        one, two, three = self.make(3), self.make(3), self.make(2)
        two = self.ended(two)
        self.assertEqual((two["status"], two["errors"]["data"][0]["code"]), ("failed", "token_limit_exceeded"))
        self.assertEqual([self.ended(b)["status"] for b in (one, three)], ["completed"] * 2)
        self.assertEqual(self.ended(self.make(5))["status"], "completed")
        self.check_bill(10)

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


class Creating(Batches):
    def report(self):
        return self.standin.get("/standin/batches")

    def made(self):
        r = self.report()
        return [(r[k]["made"], r[k]["deleted"], len(r[k]["there"])) for k in ("files", "batches")]

    def test_a_file_that_comes_a_moment_later(self):
        self.settings(late_file=2)
        one, two = self.upload(self.lines(1)), self.upload(self.lines(1))
        for file in (one, two):
            for i in range(2):  # whatever else stands in the create
                status, data = self.raw("POST", self.ROOT, json.dumps(self.order(file, metadata={"try": str(i)})), **JSON)
                self.assertEqual((status, b"No such File object" in data), (400, True))
            self.assertEqual(self.call("POST", self.ROOT, self.order(file))["status"], "validating")
        self.assertEqual(self.made(), [(2, 0, 2), (2, 0, 2)])
        self.assertEqual(self.report()["steps"]["create"], 6)

    def test_creates_that_are_done_and_not_answered(self):
        for n, scenario in enumerate(("hang", "rst-after", "reset-after", "bad-gateway-after"), 1):
            self.settings(at={"create": scenario})
            order = json.dumps(self.order(self.upload(self.lines(1)), metadata={"mark": str(n)}))
            c = http.client.HTTPConnection(self.standin.host, timeout=1)
            try:
                c.request("POST", self.ROOT, order, {**AUTH, **JSON})
                got = c.getresponse().status
            except (OSError, http.client.HTTPException) as e:
                got = type(e)
            c.close()
            self.assertEqual(got, {"hang": socket.timeout, "rst-after": ConnectionResetError,
                                   "reset-after": http.client.RemoteDisconnected, "bad-gateway-after": 502}[scenario])
            found = self.call("GET", self.ROOT)["data"]
            self.assertEqual(found[0]["metadata"], {"mark": str(n)})
            self.assertEqual(len(found), n)
            self.ended(found[0])  # no other step is struck, nor the next create
        self.assertEqual(self.call("POST", self.ROOT, self.order(self.upload(self.lines(1))))["status"], "validating")
        self.check_bill(4)

    def test_creates_that_are_not_done(self):
        for scenario, status in (("server-error", 500), ("rate-limit", 429), ("overloaded-2", 503)):
            self.settings(at={"create": scenario})
            order = self.order(self.upload(self.lines(1)))
            for _ in range(2 if scenario.endswith("2") else 1):
                self.assertEqual(self.status("POST", self.ROOT, order), status)
            self.assertEqual(self.status("POST", self.ROOT, order), 200)
        self.assertEqual(self.made()[1], (3, 0, 3))

    def test_what_was_just_made_is_not_there_yet(self):
        self.settings(late_list=2, at={"get": "gone-2", "results": "gone"})
        batch = self.make(1)
        self.assertEqual([len(self.call("GET", self.ROOT)["data"]) for _ in range(3)], [0, 0, 1])
        self.assertEqual([self.status("GET", f"{self.ROOT}/{batch['id']}") for _ in range(3)], [404, 404, 200])
        path = f"/v1/files/{self.ended(batch)['output_file_id']}/content"
        self.assertEqual([self.status("GET", path) for _ in range(2)], [404, 200])

    def test_every_step_can_be_struck(self):
        batch = self.ended(self.make(1))
        file, at = batch["output_file_id"], f"{self.ROOT}/{batch['id']}"
        for step, method, path in (("get", "GET", at), ("list", "GET", self.ROOT), ("cancel", "POST", at + "/cancel"),
                                   ("results", "GET", f"/v1/files/{file}/content"), ("get_file", "GET", f"/v1/files/{file}"),
                                   ("list_files", "GET", "/v1/files"), ("delete_file", "DELETE", f"/v1/files/{file}")):
            self.settings(at={step: "bad-gateway-always"})
            self.assertEqual([self.status(method, path) for _ in range(2)], [502, 502], step)
            self.settings(at={})
            self.assertNotEqual(self.status(method, path), 502, step)

    def test_uploads_that_are_too_large_for_a_box_on_the_way(self):
        text = self.lines(20)
        for body, is_there in (("json", b"Request Entity Too Large"), ("empty", None), ("html", b"<html>")):
            self.settings(upload_max=2000, upload_body=body)
            status, data = self.raw("POST", "/v1/files", self.form(text), **FORM)
            self.assertEqual(status, 413)
            self.assertEqual(data == b"" if is_there is None else is_there in data, True, data)
            self.upload(self.lines(5))
        self.assertEqual(self.made()[0], (3, 0, 3))
        self.settings(upload_max=None)
        self.upload(text)

    def test_uploads_that_are_done_and_not_answered(self):
        for n, scenario in enumerate(("hang", "rst-after", "bad-gateway-after"), 1):
            self.settings(at={"upload": scenario})
            c = http.client.HTTPConnection(self.standin.host, timeout=1)
            try:
                c.request("POST", "/v1/files", self.form("x"), {**AUTH, **FORM})
                self.assertEqual(c.getresponse().status, 502)
            except (OSError, http.client.HTTPException):
                self.assertNotEqual(scenario, "bad-gateway-after")
            c.close()
            self.assertEqual(len(self.call("GET", "/v1/files")["data"]), n)
        self.settings(at={"upload": "reset"})
        with self.assertRaises(OSError):
            self.upload("x")
        self.assertEqual(self.made()[0], (3, 0, 3))

    def test_what_is_left_over_is_told(self):
        batch = self.ended(self.make(2))
        spare = self.upload("spare")
        self.assertEqual(self.made(), [(3, 0, 3), (1, 0, 1)])
        self.assertTrue(self.call("DELETE", f"/v1/files/{spare}")["deleted"])
        self.assertEqual(self.status("DELETE", f"/v1/files/{spare}"), 404)
        self.assertEqual(self.made()[0], (3, 1, 2))
        left = {f["id"]: f["purpose"] for f in self.report()["files"]["there"]}
        self.assertEqual(left, {batch["input_file_id"]: "batch", batch["output_file_id"]: "batch_output"})
        there = self.report()["batches"]["there"][0]
        self.assertEqual((there["id"], there["state"], there["completed"], there["nusd"]),
                         (batch["id"], "completed", 2, self.standin.bill()["total_nusd"]))


class Results(Batches):
    def lines_of(self, n, **settings):
        """The lines of the output, in the order of the requests, as bytes."""
        self.settings(**settings)
        batch = self.ended(self.make(n))
        return batch, self.content(batch["output_file_id"]).split(b"\n")[:-1][::-1]

    def test_lines_that_are_no_results(self):
        batch, lines = self.lines_of(6, lines={"cut": 1, "null": [2], "array": 3, "no-usage": 4, "no-body": 5})
        with self.assertRaises(ValueError):
            json.loads(lines[1])
        self.assertTrue(lines[1].startswith(b'{"id":"batch_req_'))
        self.assertEqual(lines[2], b"null")
        self.assertIsInstance(json.loads(lines[3]), list)
        self.assertNotIn("usage", json.loads(lines[4])["response"]["body"])
        self.assertEqual(json.loads(lines[5])["response"]["body"], {})
        self.assertIn("usage", json.loads(lines[0])["response"]["body"])
        self.assertEqual(batch["request_counts"]["completed"], 6)
        self.check_bill(6)

    def test_a_line_of_30_mib(self):
        _, lines = self.lines_of(2, lines={"huge": 1})
        self.assertLess(len(lines[0]), 2000)
        self.assertTrue(30 << 20 < len(lines[1]) < 31 << 20)
        self.assertEqual(json.loads(lines[1])["custom_id"], "r1-1")
        self.check_bill(2)
        self.settings(huge_bytes=5000)
        _, lines = self.lines_of(2)
        self.assertTrue(5000 < len(lines[1]) < 7000)

    def test_ids(self):
        first = self.ended(self.make(1))
        self.content(first["output_file_id"])
        text = self.lines(5).replace('-1"', '-2"')
        self.settings(lines={"double": 0, "missing": 1, "unknown": 2, "foreign": 3, "unanswered": 4})
        batch = self.ended(self.call("POST", self.ROOT, self.order(self.upload(text))))
        lines = [json.loads(line) for line in self.content(batch["output_file_id"]).split(b"\n")[:-1]]
        self.assertEqual(sorted(r["custom_id"] for r in lines),
                         ["r0-1", "r0-2", "r0-2", "r2-2", "r3-2", "unknown-custom-id"])
        double = [words_of(r) for r in lines if r["custom_id"] == "r0-2"]
        self.assertEqual(double[1], double[0] + " (again)")
        self.assertEqual(batch["request_counts"]["completed"], 4)
        self.check_bill(5)  # the missing one too; of the double one

    def test_letters_that_somebody_takes_for_an_end_of_line(self):
        _, lines = self.lines_of(3, lines={"separators": 0, "controls": 1})
        self.assertEqual(len(lines), 3)
        for letter in "\u2028\u2029\x85\U0001F600":
            self.assertIn(letter.encode(), lines[0])
        self.assertIn("\u2028", words_of(json.loads(lines[0])))
        self.assertIn(b"\x0bb\x0cc\rd", lines[1])
        with self.assertRaises(ValueError):
            json.loads(lines[1])
        self.assertIn("\x0b", words_of(json.loads(lines[1], strict=False)))

    def test_the_file_as_a_whole(self):
        whole = {}
        for file in ([], ["crlf"], ["blank"], ["no-newline"], ["bom"], ["lone-cr"], ["crlf", "bom", "blank"],
                     ["no-newline", "crlf"]):
            self.settings(file=file)
            data = whole["+".join(file)] = self.content(self.ended(self.make(2))["output_file_id"])
            lines = [line for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip()]
            self.assertEqual([json.loads(line)["custom_id"] for line in lines], ["r1-1", "r0-1"])
        self.assertEqual(whole["crlf"].count(b"\r\n"), 2)
        self.assertEqual((whole[""][-2:], whole["blank"][-3:]), (b"}\n", b"}\n\n"))
        self.assertEqual((whole["no-newline"][-1:], whole["no-newline+crlf"][-1:]), (b"}", b"}"))
        self.assertTrue(whole["bom"].startswith(b"\xef\xbb\xbf{"))
        self.assertEqual((whole["lone-cr"].count(b"\r"), whole["lone-cr"].count(b"\n")), (4, 2))
        self.assertTrue(whole["crlf+bom+blank"].endswith(b"}\r\n\r\n"))

    def test_results_that_the_connection_cuts(self):
        batch = self.ended(self.make(4))
        path = f"/v1/files/{batch['output_file_id']}/content"
        whole = self.content(batch["output_file_id"])
        self.settings(cut_at=500, cut_times=2)
        for _ in range(2):
            with self.assertRaises(http.client.IncompleteRead) as e:
                self.raw("GET", path)
            self.assertEqual((e.exception.partial, e.exception.expected), (whole[:500], len(whole) - 500))
        self.assertEqual(self.content(batch["output_file_id"]), whole)
        self.settings(cut_at=500, cut_times=1, chunk=100)
        with self.assertRaises(http.client.IncompleteRead):
            self.raw("GET", path)
        self.assertEqual(self.content(batch["output_file_id"]), whole)
        self.check_bill(4)

    def test_results_in_pieces(self):
        batch = self.ended(self.make(3))
        whole = self.content(batch["output_file_id"])
        for chunk in (1, 64, 65536):
            self.settings(chunk=chunk)
            with socket.create_connection(self.standin.host.split(":"), 10) as s:
                s.sendall(f"GET /v1/files/{batch['output_file_id']}/content HTTP/1.1\r\nHost: a\r\n"
                          "Authorization: Bearer sk-bare\r\nConnection: close\r\n\r\n".encode())
                head, _, body = b"".join(iter(lambda: s.recv(65536), b"")).partition(b"\r\n\r\n")
            self.assertIn(b"chunked", head)
            got, sizes = b"", []
            while body:
                size, _, body = body.partition(b"\r\n")
                sizes.append(int(size, 16))
                got, body = got + body[:sizes[-1]], body[sizes[-1] + 2:]
            self.assertEqual(got, whole)
            self.assertLessEqual(max(sizes), chunk)

    def test_a_usage_that_is_not_the_sum(self):
        self.settings(usage_off=17)
        batch = self.ended(self.make(3))
        own = sum(r["response"]["body"]["usage"]["prompt_tokens"] for r in self.results(batch).values())
        self.assertEqual(batch["usage"]["input_tokens"], own + 17)
        self.check_bill(3)

    def test_no_credit(self):
        self.settings(no_credit=2)
        batch = self.ended(self.make(3))
        self.assertEqual([r["response"]["body"]["error"]["code"] for r in self.results(batch).values()
                          if r["response"]["status_code"] == 429], ["insufficient_quota"] * 2)
        self.check_bill(1)


class Caches(Batches):
    def test_a_cache_of_their_own(self):
        long = "one two three four five six seven eight " * 200
        for apart in (False, True):
            self.standin.post("/standin/reset", {})
            self.standin.post("/standin/cache", {"apart": apart})
            self.call("POST", "/v1/chat/completions", self.chat(long))
            text = self.lines(2).replace("question ", long)
            self.ended(self.call("POST", self.ROOT, self.order(self.upload(text))))
            cached = [e["cached_tokens"] > 0 for e in self.standin.journal() if e["billed"]]
            self.assertEqual(cached, [False, not apart, True])


class Gone(Batches):
    def test_a_batch_that_is_no_more(self):
        batch = self.ended(self.make(1))
        at, file = f"{self.ROOT}/{batch['id']}", f"/v1/files/{batch['output_file_id']}/content"
        for gone, status, listed, results in (("404", 404, 0, 404), ("error", 200, 0, 404), ("archived", 200, 1, 404),
                                              ("unlisted", 200, 0, 200), ("", 200, 1, 200)):
            self.settings(gone=gone)
            got, data = self.raw("GET", at)
            self.assertEqual((got, "error" in json.loads(data)), (status, gone in ("404", "error")), gone)
            self.assertEqual(len(self.call("GET", self.ROOT)["data"]), listed, gone)
            self.assertEqual(self.raw("GET", file)[0], results, gone)

    def test_a_batch_that_is_old(self):
        self.settings(age_s=30 * 86400)
        batch = self.ended(self.make(1))
        self.assertAlmostEqual(batch["created_at"], time.time() - 30 * 86400, delta=10)
        self.assertLess(batch["expires_at"], time.time())


class Kin(Batches):
    """Those who follow OpenAI: what is theirs."""

    def test_groq_has_windows(self):
        file = self.upload(self.lines(1), "/openai/v1")
        for window, status in (("24h", 200), ("7d", 200), ("100h", 200), ("8d", 400), ("1h", 400), ("24", 400)):
            self.assertEqual(self.status("POST", "/openai/v1/batches", self.order(file, completion_window=window)), status, window)
            self.assertEqual(self.status("POST", "/v1/batches", self.order(file, completion_window=window)),
                             200 if window == "24h" else 400, window)
        batch = self.call("POST", "/openai/v1/batches", self.order(file, completion_window="3d"))
        self.assertEqual(batch["expires_at"] - batch["created_at"], 3 * 86400)
        self.assertEqual(self.status("POST", "/openai/v1/batches", self.order(file, endpoint="/v1/embeddings")), 400)
        self.assertEqual(self.ended(batch)["status"], "completed")
        self.check_bill(1)

    def azure(self, text):
        file = self.upload(text, "/azure/openai/v1")
        return self.ended(self.call("POST", "/azure/openai/v1/batches", self.order(file, endpoint="/chat/completions")))

    def test_azure(self):
        text = self.lines(2).replace("/v1/chat", "/chat")
        batch = self.azure(text)
        self.assertEqual((batch["status"], self.content(batch["error_file_id"])), ("completed", b""))
        self.assertEqual(self.answered(self.results(batch)), ["r0-1", "r1-1"])
        self.check_bill(2)
        for wrong, code in ((self.lines(1), "url_mismatch"), ("\ufeff" + text, "invalid_json_line"), ("", "empty_batch"),
                            (text + text, "duplicate_custom_id"), (text.replace("POST", "GET"), "invalid_request"),
                            (text.replace("4o-mini", "4o", 1), "model_mismatch")):
            batch = self.azure(wrong)
            self.assertEqual((batch["status"], batch["errors"]["data"][0]["code"]), ("failed", code))
        self.check_bill(2)

    def test_azures_key_and_version(self):
        c = http.client.HTTPConnection(self.standin.host, timeout=20)
        for path, header, status in (("/openai/batches?api-version=2025-03-01", "api-key", 200),
                                     ("/openai/batches", "api-key", 404), ("/azure/openai/v1/batches", "api-key", 200),
                                     ("/azure/openai/v1/batches", "x-key", 401)):
            c.request("GET", path, headers={header: "k-azure"})
            r = c.getresponse()
            r.read()
            self.assertEqual(r.status, status, (path, header))
        c.close()

    def test_openrouter(self):
        at, requests = "/api/v1/batches", [{"custom_id": f"r{i}-1", "body": {"messages": self.chat("x")["messages"]}} for i in range(5)]
        create = {"endpoint": "/v1/chat/completions", "model": "vendor/model", "requests": requests}
        status, data = self.raw("POST", at, json.dumps({**create, "metadata": {"mark": "7"}}), **JSON)
        batch = json.loads(data)
        self.assertEqual((status, batch["status"], batch["results"], "metadata" in batch), (202, "validating", None, False))
        self.assertEqual(self.status("POST", at, dict(reversed(create.items()))), 400)
        self.assertEqual(self.status("POST", at, {**create, "requests": requests * 1001}), 400)
        self.assertEqual(self.status("POST", f"{at}/{batch['id']}/cancel"), 404)
        self.assertEqual(self.status("GET", f"{at}/{batch['id']}/results"), 409)
        self.assertEqual(self.status("DELETE", f"{at}/{batch['id']}"), 409)
        for _ in range(2):
            batch = self.call("GET", f"{at}/{batch['id']}")
        self.assertEqual((batch["status"], sorted(r["custom_id"] for r in batch["results"])),
                         ("completed", [f"r{i}-1" for i in range(5)]))
        self.check_bill(5)
        self.assertEqual(round(batch["usage"]["cost"] * 1e9), self.standin.bill()["total_nusd"])
        pages, cursor = [], ""
        while cursor is not None:
            page = self.call("GET", f"{at}/{batch['id']}/results?limit=2{cursor and '&cursor=' + cursor}")
            pages.append([r["custom_id"] for r in page["data"]])
            cursor = page["next_cursor"]
        self.assertEqual(pages, [["r4-1", "r3-1"], ["r2-1", "r1-1"], ["r0-1"]])
        for _ in range(2):
            self.call("POST", at, create)
        first = self.call("GET", at + "?limit=2")
        second = self.call("GET", at + f"?limit=2&cursor={first['next_cursor']}")
        self.assertEqual(([len(p["data"]) for p in (first, second)], second["data"][0]["id"], second["next_cursor"]),
                         ([2, 1], batch["id"], None))
        self.assertEqual(self.call("GET", "/v1/batches")["data"], [])
        self.assertTrue(self.call("DELETE", f"{at}/{batch['id']}")["deleted"])
        self.assertEqual(self.status("GET", f"{at}/{batch['id']}"), 404)

    def test_openrouter_refuses_after_it_accepted(self):
        at = "/api/v1/batches"
        batch = self.call("POST", at, {"endpoint": "/v1/chat/completions", "model": "vendor/model", "requests": [{"custom_id": "a"}]})
        for _ in range(2):
            batch = self.call("GET", f"{at}/{batch['id']}")
        self.assertEqual((batch["status"], batch["results"]), ("failed", None))
        self.assertTrue(batch["error"]["message"])
        self.check_bill(0)


class Anthropic(Batches):
    ROOT, HEADERS, MODEL = "/v1/messages/batches", CLAUDE, "claude-haiku-4-5"

    def make(self, n, **headers):
        return self.call("POST", self.ROOT, {"requests": [{"custom_id": f"r{i}-1", "params": self.chat(f"x {i}", max_tokens=50)}
                                                          for i in range(n)]}, **headers)

    def results(self, batch):
        status, data = self.raw("GET", f"{self.ROOT}/{batch['id']}/results")
        self.assertEqual(status, 200, data)
        return {r["custom_id"]: r for r in map(json.loads, data.split(b"\n")[:-1])}

    def kinds(self, batch):
        return {i: r["result"]["type"] for i, r in sorted(self.results(batch).items())}

    def test_ends(self):
        for scenario, kinds in (("ok", ["succeeded"] * 3), ("batch-expired-1", ["succeeded", "expired", "expired"]),
                                ("batch-failed-2", ["succeeded", "succeeded", "errored"]), ("batch-all-failed", ["errored"] * 3),
                                ("batch-token-limit", ["errored"] * 3), ("batch-no-credit-2", ["errored", "errored", "succeeded"])):
            self.standin.post("/standin/reset", {})
            batch = self.make(3, **{"X-Standin-Scenario": scenario})
            self.assertEqual(batch["request_counts"]["processing"], 3)
            batch = self.ended(batch)
            self.assertEqual(list(self.kinds(batch).values()), kinds, scenario)
            counts = {k: v for k, v in batch["request_counts"].items() if v}
            self.assertEqual(counts, {k: kinds.count(k) for k in set(kinds)}, scenario)
            self.check_bill(kinds.count("succeeded"))

    def test_no_credit_is_an_invalid_request(self):
        self.settings(no_credit=1)
        error = self.results(self.ended(self.make(2)))["r0-1"]["result"]["error"]["error"]
        self.assertEqual(error["type"], "invalid_request_error")
        self.assertIn("credit balance is too low", error["message"])

    def test_empty(self):
        batch = self.ended(self.make(2, **{"X-Standin-Scenario": "batch-empty"}))
        self.assertEqual((sum(batch["request_counts"].values()), batch["results_url"]), (0, None))
        self.check_bill(0)

    def test_cancelling(self):
        self.settings(polls=100, cancel_polls=2, cancel_finished=3)
        batch = self.make(5)
        self.get(batch)
        self.assertEqual(self.call("POST", f"{self.ROOT}/{batch['id']}/cancel")["processing_status"], "canceling")
        batch = self.get(batch)
        self.assertEqual((batch["processing_status"], batch["request_counts"]["processing"]), ("canceling", 5))
        batch = self.get(batch)
        self.assertEqual(list(self.kinds(batch).values()), ["succeeded"] * 3 + ["canceled"] * 2)
        self.check_bill(3)

    def test_pages_and_deleting(self):
        made = [self.make(1)["id"] for _ in range(5)][::-1]
        for limit in (1, 2, 5, 100):
            ids, after, more = [], "", True
            while more:
                page = self.call("GET", f"{self.ROOT}?limit={limit}{after}")
                ids += [b["id"] for b in page["data"]]
                more, after = page["has_more"], f"&after_id={page['last_id']}"
            self.assertEqual(ids, made, limit)
        at = f"{self.ROOT}/{made[1]}"
        self.assertEqual(self.status("DELETE", at), 400)
        self.ended({"id": made[1]})
        self.assertEqual(self.call("DELETE", at), {"id": made[1], "type": "message_batch_deleted"})
        self.assertEqual((self.status("GET", at), self.status("GET", at + "/results")), (404, 404))
        self.assertEqual([b["id"] for b in self.call("GET", self.ROOT)["data"]], made[:1] + made[2:])
        self.assertEqual(self.standin.get("/standin/batches")["batches"]["deleted"], 1)

    def test_archived(self):
        batch = self.ended(self.make(1))
        self.assertEqual(batch["archived_at"], None)
        self.settings(gone="archived")
        shown = self.get(batch)
        self.assertEqual((shown["archived_at"] is None, shown["results_url"]), (False, None))
        self.assertEqual(self.status("GET", f"{self.ROOT}/{batch['id']}/results"), 404)

    def test_lines(self):
        self.settings(lines={"no-usage": 0, "separators": 1, "missing": 2}, file=["crlf"], cut_at=100)
        batch = self.ended(self.make(3))
        with self.assertRaises(http.client.IncompleteRead):
            self.results(batch)
        results = self.results(batch)
        self.assertEqual(sorted(results), ["r0-1", "r1-1"])
        self.assertNotIn("usage", results["r0-1"]["result"]["message"])
        self.assertIn("\u2028", words_of(results["r1-1"]))
        self.check_bill(3)


class Mistral(Batches):
    ROOT, MODEL = "/v1/batch/jobs", "mistral-small-2603"

    def job(self, file, **more):
        return {"input_files": [file], "model": self.MODEL, "endpoint": "/v1/chat/completions", "timeout_hours": 24, **more}

    def lines(self, n, **more):
        return "".join(json.dumps({"custom_id": f"r{i}-1", "body": {"messages": self.chat(f"x {i}")["messages"]}}) + "\n"
                       for i in range(n))

    def order(self, file, **more):
        return self.job(file, **more)

    def counts(self, job):
        return tuple(job[k + "_requests"] for k in ("total", "completed", "succeeded", "failed"))

    def results(self, job):
        return super().results({"output_file_id": job["output_file"], "error_file_id": job["error_file"]})

    def test_states(self):
        job = self.call("POST", self.ROOT, self.job(self.upload(self.lines(3)), metadata={"mark": "7"}))
        self.assertEqual((job["status"], job["metadata"], job["model"]), ("QUEUED", {"mark": "7"}, self.MODEL))
        self.assertEqual(self.get(job)["status"], "RUNNING")
        job = self.get(job)
        self.assertEqual((job["status"], self.counts(job), job["error_file"]), ("SUCCESS", (3, 3, 3, 0), None))
        self.assertEqual(self.answered(self.results(job)), ["r0-1", "r1-1", "r2-1"])
        self.check_bill(3)

    def test_other_ends(self):
        for scenario, state, answered in (("batch-expired-1", "TIMEOUT_EXCEEDED", 1), ("batch-failed-2", "FAILED", 2),
                                          ("batch-all-failed", "SUCCESS", 0), ("batch-token-limit", "FAILED", 0)):
            self.standin.post("/standin/reset", {})
            job = self.ended(self.make(4, **{"X-Standin-Scenario": scenario}))
            self.assertEqual((job["status"], len(self.answered(self.results(job)))), (state, answered), scenario)
            self.assertEqual(bool(job["errors"]), scenario == "batch-token-limit")
            self.check_bill(answered)

    def test_cancelling(self):
        self.settings(polls=100, cancel_polls=2, cancel_finished=1)
        job = self.make(3)
        self.get(job)
        self.assertEqual(self.call("POST", f"{self.ROOT}/{job['id']}/cancel")["status"], "CANCELLATION_REQUESTED")
        self.assertEqual([self.get(job)["status"] for _ in range(2)], ["CANCELLATION_REQUESTED", "CANCELLED"])
        self.check_bill(1)

    def test_what_is_refused(self):
        file = self.upload(self.lines(1))
        for more, status in (({}, 200), ({"timeout_hours": 168}, 422), ({"timeout_hours": 0}, 422), ({"completion_window": "24h"}, 422),
                             ({"endpoint": "/chat"}, 422), ({"model": None}, 422), ({"requests": []}, 422),
                             ({"input_files": ["nowhere"]}, 400)):
            self.assertEqual(self.status("POST", self.ROOT, self.job(file, **more)), status, more)
        self.settings(late_file=1)
        self.assertEqual([self.status("POST", self.ROOT, self.job(file)) for _ in range(2)], [400, 200])
        self.settings(late_file=0)
        job = self.ended(self.call("POST", self.ROOT, self.job(self.upload('{"custom_id":"a"}'))))
        self.assertEqual((job["status"], job["errors"][0]["count"]), ("FAILED", 1))

    def test_inline(self):
        order = {k: v for k, v in self.job("").items() if k != "input_files"}
        job = self.ended(self.call("POST", self.ROOT, {**order, "requests": [json.loads(s) for s in self.lines(2).split("\n")[:-1]]}))
        self.assertEqual((job["status"], self.answered(self.results(job))), ("SUCCESS", ["r0-1", "r1-1"]))

    def test_pages_and_deleting(self):
        made = [self.make(1)["id"] for _ in range(5)][::-1]
        pages = [self.call("GET", f"{self.ROOT}?page_size=2&page={i}") for i in range(3)]
        self.assertEqual([[j["id"] for j in p["data"]] for p in pages], [made[:2], made[2:4], made[4:]])
        self.assertEqual(pages[0]["total"], 5)
        self.assertTrue(self.call("DELETE", f"{self.ROOT}/{made[0]}")["deleted"])
        self.assertEqual(self.raw("GET", f"{self.ROOT}/{made[0]}"), (404, b'{"detail":"Batch job not found"}'))
        self.settings(gone="error")
        self.assertIn("error", self.call("GET", f"{self.ROOT}/{made[1]}"))
        self.assertEqual(self.call("GET", self.ROOT)["total"], 0)


if __name__ == "__main__":
    unittest.main()
