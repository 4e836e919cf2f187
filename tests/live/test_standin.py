"""The stand-in's own rules that other tests lean on: rate limits, prompt caches as slow as a provider's, drawn latencies.

Asked by a bare HTTP client: nothing of the extension takes part.
"""
import http.client
import json
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from harness import Standin

PATHS = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}
MODELS = {"openai": "gpt-4o-mini", "anthropic": "claude-haiku-4-5"}
HEADERS = {"openai": {"Authorization": "Bearer sk-bare"},
           "anthropic": {"x-api-key": "sk-bare", "anthropic-version": "2023-06-01"}}


class Bare(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.standin = Standin()
        cls.standin.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.standin.__exit__()

    def setUp(self):
        self.standin.post("/standin/reset", {})
        self.standin.latency(0)

    def ask(self, body, api="openai"):
        """Status, headers (names in lower case) and the answer."""
        c = http.client.HTTPConnection(self.standin.host, timeout=20)
        c.request("POST", PATHS[api], json.dumps(body), {"Content-Type": "application/json", **HEADERS[api]})
        r = c.getresponse()
        answer = json.loads(r.read())
        c.close()
        return r.status, {k.lower(): v for k, v in r.getheaders()}, answer

    def chat(self, text, api="openai", **more):
        body = {"model": MODELS[api], "messages": [{"role": "user", "content": text}], **more}
        return self.ask({"max_tokens": 50, **body} if api == "anthropic" else body, api)


class Rates(Bare):
    def test_unlimited_but_counted(self):
        for i in range(3):
            status, headers, _ = self.chat(f"free {i}")
            self.assertEqual(status, 200)
            self.assertEqual([h for h in headers if "ratelimit" in h or "retry" in h], [])
        seen = self.standin.get("/standin/rate")
        self.assertEqual((seen["taken"], seen["refused"], seen["at_once"], seen["most_at_once"]), (3, 0, 0, 1))

    def test_how_many_at_once(self):
        self.standin.latency(300)
        with ThreadPoolExecutor(7) as pool:
            list(pool.map(self.chat, [f"at once {i}" for i in range(7)]))
        self.assertEqual(self.standin.get("/standin/rate")["most_at_once"], 7)

    def test_a_window(self):
        self.standin.post("/standin/rate", {"kind": "window", "requests": 10, "request_ms": 60000})
        statuses = [self.chat(f"window {i}")[0] for i in range(14)]
        self.assertEqual(statuses, [200] * 10 + [429] * 4)
        seen = self.standin.get("/standin/rate")
        self.assertEqual((seen["taken"], seen["refused"], sum(a for a, _ in seen["seconds"]),
                          sum(b for _, b in seen["seconds"])), (10, 4, 10, 4))
        self.assertEqual(self.standin.bill()["calls"], 10)  # a refusal is free
        self.assertEqual([e["status"] for e in self.standin.journal()], statuses)

    def test_a_window_opens_again(self):
        self.standin.post("/standin/rate", {"kind": "window", "requests": 3, "request_ms": 400})
        until = time.monotonic() + 2
        statuses = []
        while time.monotonic() < until:
            statuses.append(self.chat("again")[0])
            time.sleep(0.01)
        self.assertIn(429, statuses)
        self.assertGreater(statuses.count(200), 3)
        self.assertLessEqual(statuses.count(200), 3 * 6)  # 2 s and what the last request took

    def test_a_bucket_fills_as_it_says(self):
        self.standin.post("/standin/rate", {"kind": "bucket", "requests": 2, "burst": 5})
        statuses, waits = [], []
        for i in range(8):
            status, headers, _ = self.chat(f"bucket {i}")
            statuses.append(status)
            waits.append(int(headers.get("retry-after-ms", 0)))
        self.assertEqual(statuses[:5], [200] * 5)
        self.assertIn(429, statuses)
        self.assertLessEqual(max(waits), 500)
        time.sleep(0.5)
        self.assertEqual(self.chat("bucket again")[0], 200)

    def test_a_refusal_has_the_providers_shape(self):
        for api in PATHS:
            with self.subTest(api=api):
                self.standin.post("/standin/rate", {"kind": "window", "requests": 1, "request_ms": 50000})
                self.assertEqual(self.chat("first", api)[0], 200)
                status, headers, body = self.chat("second", api)
                self.assertEqual(status, 429)
                self.assertTrue(1 <= int(headers["retry-after"]) <= 50, headers)
                if api == "openai":
                    self.assertEqual((body["error"]["type"], body["error"]["code"]), ("requests", "rate_limit_exceeded"))
                    self.assertTrue(0 < int(headers["retry-after-ms"]) <= 50000)
                    self.assertEqual((headers["x-ratelimit-limit-requests"], headers["x-ratelimit-remaining-requests"]),
                                     ("1", "0"))
                    self.assertRegex(headers["x-ratelimit-reset-requests"], r"^(\d+ms|[\d.]+s|\d+m\d+s)$")
                else:
                    self.assertEqual((body["type"], body["error"]["type"]), ("error", "rate_limit_error"))
                    self.assertEqual((headers["anthropic-ratelimit-requests-limit"],
                                      headers["anthropic-ratelimit-requests-remaining"]), ("1", "0"))
                    reset = datetime.fromisoformat(headers["anthropic-ratelimit-requests-reset"].replace("Z", "+00:00"))
                    self.assertTrue(0 < reset.timestamp() - time.time() < 52)

    def test_headers_and_retry_after_can_be_left_out(self):
        limit = {"kind": "window", "requests": 1, "request_ms": 50000}
        for headers, retry in ((False, True), (True, False), (False, False)):
            with self.subTest(headers=headers, retry=retry):
                self.standin.post("/standin/rate", {**limit, "headers": headers, "retry_after": retry})
                self.chat("first")
                _, got, _ = self.chat("second")
                self.assertEqual(any("ratelimit" in h for h in got), headers)
                self.assertEqual(any("retry-after" in h for h in got), retry)

    def test_tokens(self):
        self.standin.post("/standin/rate", {"kind": "bucket", "tokens": 1000})
        status, headers, body = self.chat("word " * 5000)
        self.assertEqual((status, body["error"]["type"], body["error"]["code"]), (429, "tokens", "rate_limit_exceeded"))
        self.assertIn("Request too large", body["error"]["message"])
        status, headers, _ = self.chat("word " * 197)  # 200 with its message
        self.assertEqual((status, headers["x-ratelimit-limit-tokens"]), (200, "1000"))
        self.assertTrue(800 <= int(headers["x-ratelimit-remaining-tokens"]) <= 803, headers)
        self.assertEqual(self.chat("word " * 97, max_tokens=900)[0], 429)  # what it wants counts, too
        self.assertEqual(self.chat("word " * 97, max_tokens=100)[0], 200)
        _, headers, _ = self.chat("word", "anthropic")
        self.assertEqual((headers["anthropic-ratelimit-tokens-limit"], headers["anthropic-ratelimit-input-tokens-remaining"]),
                         ("1000", "1000"))  # 600 in thousands

    def test_what_one_limit_refuses_the_other_has_not_taken(self):
        self.standin.post("/standin/rate", {"kind": "window", "requests": 3, "request_ms": 60000, "tokens": 500})
        statuses = [self.chat("word " * n)[0] for n in (300, 300, 300, 50, 50, 1)]
        self.assertEqual(statuses, [200, 429, 429, 200, 200, 429])

    def test_wrong_wishes_are_refused(self):
        for body in ({}, {"kind": "wheel"}, {"kind": "window", "requests": "many"}, {"kind": "bucket", "burst": -1}):
            with self.subTest(body=body), self.assertRaisesRegex(Exception, "400"):
                self.standin.post("/standin/rate", body)


class Caches(Bare):
    PREFIX = "word " * 2000

    def cached(self, tail, api="openai"):
        """Tokens that were read from the cache and written to it."""
        if api == "openai":
            usage = self.chat(self.PREFIX + tail)[2]["usage"]
            return usage["prompt_tokens_details"]["cached_tokens"]
        blocks = [{"type": "text", "text": self.PREFIX, "cache_control": {"type": "ephemeral"}}, {"type": "text", "text": tail}]
        usage = self.ask({"model": MODELS[api], "max_tokens": 20, "messages": [{"role": "user", "content": blocks}]}, api)[2]["usage"]
        return usage["cache_read_input_tokens"], usage["cache_creation_input_tokens"]

    def test_at_first_the_next_one_reads(self):
        self.assertEqual([self.cached(t) for t in "ab"], [0, 1920])
        self.assertEqual([self.cached(t, "anthropic") for t in "ab"], [(0, 2003), (2003, 0)])

    def test_readable_a_while_after_the_answer(self):
        self.standin.post("/standin/cache", {"readable_ms": 700})
        self.assertEqual([self.cached(t) for t in "ab"], [0, 0])
        self.assertEqual([self.cached(t, "anthropic") for t in "ab"], [(0, 2003), (0, 2003)])
        time.sleep(0.75)
        self.assertEqual(self.cached("c"), 1920)
        self.assertEqual(self.cached("c", "anthropic"), (2003, 0))

    def test_what_came_before_the_first_answer_ended_reads_nothing(self):
        self.standin.latency(400)
        for together, expected in (({}, 1), ({"readable_ms": 0}, 5)):
            with self.subTest(together=together):
                self.standin.post("/standin/reset", {})
                self.standin.post("/standin/cache", together)
                with ThreadPoolExecutor(5) as pool:
                    read = list(pool.map(self.cached, "abcde"))
                self.assertEqual(read.count(0), expected)
                self.assertEqual(self.cached("f"), 1920)

    def test_some_reads_miss_and_the_same_ones_again(self):
        tails = [f"tail {i}" for i in range(40)]

        def round_of(order, seed):
            self.standin.post("/standin/reset", {})
            self.standin.post("/standin/cache", {"miss": 0.5, "seed": seed})
            self.cached("first")
            return {t for t in order if self.cached(t) == 0}

        one = round_of(tails, 1)
        self.assertTrue(8 <= len(one) <= 32, len(one))
        self.assertEqual(round_of(tails[::-1], 1), one)
        self.assertNotEqual(round_of(tails, 2), one)
        self.standin.post("/standin/cache", {"miss": 1})
        self.assertEqual(self.cached("all", "anthropic"), (0, 2003))
        self.assertEqual(self.cached("all", "anthropic"), (0, 2003))  # written again

    def test_a_shortest_length_of_anthropic_prefixes(self):
        for floor, written in ((2003, 2003), (2004, 0)):
            self.standin.post("/standin/reset", {})
            self.standin.post("/standin/cache", {"floor": floor})
            self.assertEqual([self.cached(t, "anthropic") for t in "ab"], [(0, written), (written, 0)])

    def test_wrong_wishes_are_refused(self):
        with self.assertRaisesRegex(Exception, "400"):
            self.standin.post("/standin/cache", {"miss": 1.5})


class Answers(Bare):
    def said(self, text, api="openai"):
        answer = self.chat(text, api)[2]
        return answer["choices"][0]["message"]["content"] if api == "openai" else answer["content"][0]["text"]

    def test_told_beforehand(self):
        self.standin.post("/standin/answers", {"how far is it": '{"intent": "distance"}', "@say: no": "told first", "ü\n": "ö"})
        for api in PATHS:
            self.assertEqual(self.said("how far is it", api), '{"intent": "distance"}')
            self.assertEqual([self.said("@say: no", api), self.said("ü\n", api)], ["told first", "ö"])
        self.assertIn("(ref ", self.said("how far is it?"))
        self.assertEqual(self.said("@say: yes"), "yes")
        self.standin.post("/standin/answers", {"how far is it": "two miles"})  # instead of all of those
        self.assertEqual([self.said("how far is it"), self.said("@say: no")], ["two miles", "no"])
        self.standin.post("/standin/reset", {})
        self.assertIn("(ref ", self.said("how far is it"))

    def test_many(self):
        self.standin.post("/standin/answers", {f"question {i}": f"answer {i}" for i in range(10000)})
        self.assertEqual([self.said(f"question {i}") for i in (0, 4999, 9999)], ["answer 0", "answer 4999", "answer 9999"])
        self.assertIn("(ref ", self.said("question 10000"))

    def test_wrong_wishes_are_refused(self):
        for wrong in ({"a": 1}, {"a": "b", "c": None}, ["a"], "a"):
            with self.subTest(wrong=wrong), self.assertRaisesRegex(Exception, "400"):
                self.standin.post("/standin/answers", wrong)
        self.assertIn("(ref ", self.said("a"))


class Latencies(Bare):
    def waits(self, seed, order=1):
        self.standin.post("/standin/latency", {"ms": 5, "to_ms": 60, "seed": seed})
        self.standin.post("/standin/reset", {})
        for i in range(20)[::order]:
            self.chat(f"how long {i}")
        return {e["prompt"]: e["wait_ms"] for e in self.standin.journal()}

    def test_drawn_by_the_request_and_the_seed(self):
        one = self.waits(1)
        self.assertEqual(len(one), 20)
        self.assertTrue(all(5 <= ms <= 60 for ms in one.values()), one)
        self.assertGreater(len(set(one.values())), 5)
        self.assertEqual(self.waits(1, order=-1), one)
        self.assertNotEqual(self.waits(2), one)
        self.standin.latency(1)
        self.standin.post("/standin/reset", {})
        self.chat("fixed")
        self.assertEqual(self.standin.journal()[0]["wait_ms"], 1)

    def test_the_wait_is_waited(self):
        self.standin.post("/standin/latency", {"ms": 200, "to_ms": 220})
        began = time.monotonic()
        before = time.time()
        self.chat("slow")
        self.assertGreaterEqual(time.monotonic() - began, 0.2)
        at = self.standin.journal()[0]["at_ms"] / 1000
        self.assertTrue(before - 0.01 <= at <= time.time() - 0.15, (before, at))  # when it came, not when it was answered

    def test_wrong_wishes_are_refused(self):
        with self.assertRaisesRegex(Exception, "400"):
            self.standin.post("/standin/latency", {"ms": 20, "to_ms": 10})


class BatchPages(Bare):
    """What a driver of batches looks through, and a create that was done though its answer says otherwise."""

    def call(self, method, path, body=None, **headers):
        c = http.client.HTTPConnection(self.standin.host, timeout=20)
        c.request(method, path, body, {**HEADERS["openai"], **headers})
        r = c.getresponse()
        data = r.read()
        c.close()
        return r.status, data

    def upload(self, line, purpose="batch"):
        form = "".join(f'--bound\r\nContent-Disposition: form-data; name="{n}"{more}\r\n\r\n{v}\r\n' for n, more, v in
                       (("purpose", "", purpose), ("file", '; filename="a.jsonl"', line))) + "--bound--\r\n"
        return json.loads(self.call("POST", "/v1/files", form, **{"Content-Type": "multipart/form-data; boundary=bound"})[1])["id"]

    def pages(self, path, limit, more=""):
        ids, after = [], ""
        while True:
            page = json.loads(self.call("GET", f"{path}?limit={limit}{more}{after}")[1])
            self.assertLessEqual(len(page["data"]), limit)
            ids += [one["id"] for one in page["data"]]
            if not page["has_more"]:
                return ids
            after = "&after=" + page["last_id"]

    def test_files_by_pages(self):
        made = [self.upload("x", "batch" if i % 2 else "user_data") for i in range(7)][::-1]
        for limit in (1, 3, 7, 100):
            self.assertEqual(self.pages("/v1/files", limit), made)
            self.assertEqual(self.pages("/v1/files", limit, "&purpose=batch"), made[1::2])
        self.assertEqual(self.call("DELETE", "/v1/files/" + made[2])[0], 200)
        self.assertEqual(self.pages("/v1/files", 2), made[:2] + made[3:])

    def test_a_create_whose_answer_is_not_one(self):
        line = json.dumps({"custom_id": "a", "method": "POST", "url": "/v1/chat/completions",
                           "body": {"model": MODELS["openai"], "messages": [{"role": "user", "content": "x"}]}})
        body = json.dumps({"input_file_id": self.upload(line), "endpoint": "/v1/chat/completions", "completion_window": "24h",
                           "metadata": {"job": "7"}})
        for n, scenario in enumerate(("bad-gateway-after", "reset-after"), 1):
            as_json = {"Content-Type": "application/json", "X-Standin-Scenario": scenario}
            if scenario == "reset-after":
                with self.assertRaises(http.client.HTTPException):
                    self.call("POST", "/v1/batches", body, **as_json)
            else:
                status, page = self.call("POST", "/v1/batches", body, **as_json)
                self.assertEqual((status, b"<html>" in page), (502, True))
            found = json.loads(self.call("GET", "/v1/batches?limit=100")[1])["data"]
            self.assertEqual([b["metadata"] for b in found], [{"job": "7"}] * n)
            self.assertEqual(len(self.pages("/v1/batches", 1)), n)


if __name__ == "__main__":
    unittest.main()
