"""Every way a provider can fail: what the caller is told, what is tried again, and what the ledger says it cost."""
import contextlib
import http.server
import json
import os
import socket
import subprocess
import threading
import time
import unittest

from harness import (ASAN_SO, KEYS, SO, Standin, TempDir, asan_env, clean_env, connect, error_of, open_desk, setup_sql, shell,
                     value)

# scenario: (attempts the provider saw, piece of the error or None, kinds of the ledger rows)
OPENAI = {
    "ok": (1, None, ["call"]),
    "rate-limit": (2, None, ["call", "call"]),
    "rate-limit-seconds": (2, None, ["call", "call"]),
    "rate-limit-date": (2, None, ["call", "call"]),
    "rate-limit-long": (1, "429 (rate_limit_exceeded)", ["call"]),
    "slow-down": (2, None, ["call", "call"]),
    "quota": (1, "429 (insufficient_quota)", ["call"]),
    "spend-limit": (1, "429 (project_spend_limit_exceeded)", ["call"]),
    "overloaded": (2, None, ["call", "call"]),
    "server-error": (2, None, ["call", "call"]),
    "server-error-always": (3, "500", ["call", "call", "call"]),
    "bad-gateway": (1, "502 (it may have been billed): text/html", ["unknown"]),
    "conflict": (2, None, ["call", "call"]),
    "request-timeout": (2, None, ["call", "call"]),
    "should-retry-false": (1, "500", ["call"]),
    "should-retry-true": (2, None, ["call", "call"]),
    "unauthorized": (1, "401", ["call"]),
    "forbidden": (1, "403", ["call"]),
    "billing": (1, "402", ["call"]),
    "not-found": (1, "404", ["call"]),
    "bad-request": (1, "400", ["call"]),
    "context-length": (1, "400 (context_length_exceeded)", ["call"]),
    "unprocessable": (1, "422", ["call"]),
    "failed-200": (2, None, ["call", "call"]),
    "truncated": (1, None, ["call"]),  # the whole answer came, and less than was promised
    "reset": (1, "the answer was lost", ["unknown"]),
    "reset-after": (1, "the answer was lost", ["unknown"]),
    "length": (1, "the answer was cut off", ["call"]),
    "refusal": (1, "refused to answer", ["call"]),
    "content-filter": (1, "refused to answer", ["call"]),
    "tool-call": (1, "asks for a tool to be called", ["call"]),
    "null-content": (1, "holds no text", ["call"]),
    "empty": (1, "holds no text", ["call"]),
    "no-usage": (1, None, ["call"]),
    "zero-usage": (1, None, ["call"]),
    "bad-usage": (1, None, ["call"]),
    "string-usage": (1, None, ["call"]),
    "bad-json": (1, "not valid JSON", ["unknown"]),
    "not-json": (1, "not valid JSON", ["unknown"]),
    "bad-utf8": (1, None, ["call"]),
    "nul": (1, None, ["call"]),
    "deep-json": (1, "nested", ["unknown"]),
    "huge": (1, "larger than llmcost accepts", ["unknown"]),
    "big-headers": (1, "larger than llmcost accepts", ["unknown"]),
    "redirect": (1, "redirects are not followed (to /s/ok/", ["call"]),
    "redirect-away": (1, "redirects are not followed (to 127.0.0.1:9/)", ["call"]),
    "reported-cost": (1, None, ["call"]),
    "gpt-cached": (1, None, ["call"]),
}
ANTHROPIC = {
    "ok": (1, None, ["call"]),
    "rate-limit": (2, None, ["call", "call"]),
    "spend-limit": (1, "429 (enforced_spend_limit_reached)", ["call"]),
    "overloaded": (2, None, ["call", "call"]),
    "server-error": (2, None, ["call", "call"]),
    "unauthorized": (1, "401 (authentication_error)", ["call"]),
    "billing": (1, "402 (billing_error)", ["call"]),
    "bad-request": (1, "400 (invalid_request_error)", ["call"]),
    "length": (1, "the answer was cut off", ["call"]),
    "refusal": (1, "refused to answer", ["call"]),
    "null-usage-fields": (1, None, ["call"]),
    "no-usage": (1, None, ["call"]),
    "bad-json": (1, "not valid JSON", ["unknown"]),
    "reset-after": (1, "the answer was lost", ["unknown"]),
}
# answers that are paid but must never be served from the cache
NEVER_CACHED = {"length", "empty", "refusal", "content-filter", "tool-call", "null-content"}
# answers whose price can't be known
UNPRICED = {"no-usage", "bad-usage", "string-usage", "bad-json", "not-json", "deep-json", "huge",
            "big-headers", "reset", "reset-after", "bad-gateway"}


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.standin = Standin()
        cls.standin.__enter__()
        cls.tmp = TempDir()

    @classmethod
    def tearDownClass(cls):
        cls.standin.__exit__()
        cls.tmp.cleanup()

    def desk(self, scenario, name="fault"):
        db = open_desk(os.path.join(self.tmp.name, f"{name}-{scenario}.db"), self.standin.url)
        db.execute("UPDATE llm_models SET base_url = ?", (f"{self.standin.url}/s/{scenario}/v1",))
        value(db, "SELECT llm_config('backoff_ms', 5)")
        return db

    def check(self, model, scenario, expected):
        attempts, error, kinds = expected
        db = self.desk(scenario, model)
        before = self.standin.bill()
        ask = f"SELECT llm_complete('question about {scenario}', '{{\"model\":\"{model}\"}}')"
        if error:
            message = error_of(db, ask)
            self.assertIn(error, message)
            self.assertTrue(message.startswith("llm_complete: "), message)
            for key in KEYS.values():
                self.assertNotIn(key, message)
            self.assertNotIn("question about", message)
        else:
            self.assertIsInstance(value(db, ask), str)
        after = self.standin.bill()
        self.assertEqual(after["requests"] - before["requests"], attempts)
        rows = db.execute("SELECT kind, cost_nusd, attempt, error, retry_reason FROM llm_calls ORDER BY id").fetchall()
        self.assertEqual([r[0] for r in rows], kinds)
        self.assertEqual([r[2] for r in rows], list(range(1, len(rows) + 1)))
        self.assertTrue(all(r[3] for r in rows[:-1]), "an attempt that was tried again says why")
        self.assertTrue(all(r[4] for r in rows[1:]), "and so does the one that tries again")
        if scenario in UNPRICED:
            self.assertIsNone(rows[-1][1])
            self.assertEqual(value(db, "SELECT sum(calls) FROM llm_unpriced"), len(rows))
        elif scenario == "failed-200":
            self.assertEqual((rows[0][1], rows[1][1]), (None, after["total_nusd"] - before["total_nusd"]))
        elif scenario != "zero-usage":
            self.assertEqual(sum(r[1] for r in rows), after["total_nusd"] - before["total_nusd"])
        if scenario in NEVER_CACHED:
            self.assertEqual(value(db, "SELECT count(*) FROM llm_answers"), 0)
        db.close()

    def test_openai(self):
        for scenario, expected in OPENAI.items():
            with self.subTest(scenario):
                self.check("gpt-4o-mini", scenario, expected)

    def test_anthropic(self):
        for scenario, expected in ANTHROPIC.items():
            with self.subTest(scenario):
                self.check("claude-haiku-4-5", scenario, expected)

    def test_nul_is_read_as_replacement_character(self):
        self.assertIn("\ufffd", value(self.desk("nul", "nul"), "SELECT llm_complete('x')"))

    def test_wrong_schema_is_tried_again_and_both_are_paid(self):
        db = self.desk("wrong-schema")
        before = self.standin.bill()["total_nusd"]
        answer = value(db, """SELECT llm_complete('a thing', '{"schema":{"type":"object","properties":
            {"n":{"type":"integer"}},"required":["n"],"additionalProperties":false}}') ->> 'n'""")
        self.assertIsInstance(answer, int)
        self.assertEqual(value(db, "SELECT sum(cost_nusd) FROM llm_calls"), self.standin.bill()["total_nusd"] - before)
        self.assertEqual(db.execute("SELECT attempts, reasons FROM llm_retries").fetchall(), [(2, "schema")])
        self.assertGreater(value(db, "SELECT wasted_usd FROM llm_retries"), 0)

    def test_fenced_json_is_taken_out_of_its_fence(self):
        db = self.desk("fenced-json")
        self.assertEqual(value(db, """SELECT json_type(llm_complete('a thing', '{"schema":{"type":"object"}}'))"""), "object")

    def test_timeout(self):
        db = self.desk("hang")
        started = time.time()
        message = error_of(db, "SELECT llm_complete('x', '{\"timeout_ms\":300}')")
        self.assertIn("no answer in time", message)
        self.assertLess(time.time() - started, 10)
        self.assertEqual(db.execute("SELECT kind, cost_nusd, error LIKE 'timeout%' FROM llm_calls").fetchall(),
                         [("unknown", None, 1)])

    def test_slow_loris_ends_by_the_total_timeout(self):
        db = self.desk("slow-loris")
        self.assertIn("no answer in time", error_of(db, "SELECT llm_complete('x', '{\"timeout_ms\":700}')"))

    def test_idle_timeout(self):
        db = self.desk("hang", "idle")
        value(db, "SELECT llm_config('idle_timeout_ms', 200)")
        message = error_of(db, "SELECT llm_complete('x', '{\"timeout_ms\":900}')")
        self.assertIn("no answer in time", message)  # silence before an answer that is not streamed is no loss

    def test_interrupt_ends_a_call(self):
        waits = []
        for scenario in ("hang", "rate-limit-seconds-always", "slow-loris"):
            db = self.desk(scenario, "interrupt")
            at = []
            timer = threading.Timer(0.4, lambda: (at.append(time.time()), db.interrupt()))
            timer.start()
            message = error_of(db, "SELECT llm_complete('x')")
            self.assertIn("interrupt", message)
            self.assertIn("what was paid is kept: run the statement again", message)
            waits.append((time.time() - at[0]) * 1000)
        print(f"      Ctrl-C ends a call after {', '.join(f'{w:.0f}' for w in waits)} ms")
        self.assertLess(max(waits), 5000)

    def test_interrupted_between_attempts_holds_nobody_up(self):
        db = self.desk("rate-limit-seconds-always", "backoff")
        threading.Timer(0.3, db.interrupt).start()
        self.assertIn("interrupted", error_of(db, "SELECT llm_complete('again')"))
        db.execute("UPDATE llm_models SET base_url = ?", (self.standin.url + "/v1",))
        self.assertIn("ref", value(db, "SELECT llm_complete('again', '{\"timeout_ms\":5000}')"))
        self.assertEqual(db.execute("SELECT attempt, kind, http_status FROM llm_calls ORDER BY id").fetchall(),
                         [(1, "call", 429), (1, "call", 200)])

    def test_every_attempt_knows_its_parts(self):
        db = self.desk("server-error", "parts")
        value(db, "SELECT llm_complete('x', '{\"system\":\"Be brief and kind.\"}')")
        self.assertEqual(value(db, "SELECT count(*) FROM llm_calls WHERE system_tokens > 0 AND history_tokens = 0"), 2)

    def test_nothing_listens(self):
        db = self.desk("ok", "refused")
        db.execute("UPDATE llm_models SET base_url = 'http://127.0.0.1:9/v1'")
        value(db, "SELECT llm_allow_host('127.0.0.1:9', 'OPENAI_API_KEY')")
        self.assertIn("cannot reach openai", error_of(db, "SELECT llm_complete('x')"))
        self.assertEqual(db.execute("SELECT kind, cost_nusd FROM llm_calls").fetchall(), [("call", 0)] * 3)

    def test_connect_timeout(self):
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            port = full.getsockname()[1]
            waiting = [socket.socket() for _ in range(8)]
            for s in waiting:  # fill the backlog: further connections get no answer
                s.setblocking(False)
                s.connect_ex(("127.0.0.1", port))
            db = self.desk("ok", "connect")
            db.execute("UPDATE llm_models SET base_url = ?", (f"http://127.0.0.1:{port}/v1",))
            value(db, "SELECT llm_allow_host(?, 'OPENAI_API_KEY')", f"127.0.0.1:{port}")
            value(db, "SELECT llm_config('connect_timeout_ms', 150)")
            self.assertIn("cannot reach openai", error_of(db, "SELECT llm_complete('x', '{\"retries\":0}')"))
            self.assertEqual(db.execute("SELECT kind, cost_nusd FROM llm_calls").fetchall(), [("call", 0)])
            for s in waiting:
                s.close()

    def test_on_error_of_llm_call(self):
        db = self.desk("quota", "onerrorcall")
        row = db.execute("SELECT answer, kind, http_status, error LIKE 'insufficient_quota%' "
                         "FROM llm_call('x', '{\"on_error\":\"null\"}')").fetchall()
        self.assertEqual(row, [(None, "call", 429, 1)])
        db.execute("UPDATE llm_models SET base_url = 'http://127.0.0.1:1/v1'")
        row = db.execute("SELECT answer, kind, cost_nusd FROM llm_call('y', '{\"on_error\":\"json\"}')").fetchall()
        self.assertEqual(row, [(None, "refused", 0)])

    def test_on_error(self):
        db = self.desk("quota", "onerror")
        self.assertIsNone(value(db, "SELECT llm_complete('x', '{\"on_error\":\"null\"}')"))
        row = db.execute("""SELECT e ->> '$.value', e ->> '$.error.code', e ->> '$.error.http_status',
                                   e ->> '$.error.retryable', length(e ->> '$.error.message') > 5
                            FROM (SELECT llm_complete('x', '{"on_error":"json"}') AS e)""").fetchone()
        self.assertEqual(row, (None, "insufficient_quota", 429, 0, 1))
        db.execute("UPDATE llm_models SET base_url = ?", (self.standin.url + "/v1",))
        self.assertEqual(value(db, "SELECT json_type(llm_complete('x', '{\"on_error\":\"json\"}'), '$.error')"), "null")
        self.assertIn("unknown option", error_of(db, "SELECT llm_complete('x', '{\"on_error\":\"null\",\"no\":1}')"))

    def test_one_budget_of_attempts(self):
        db = self.desk("server-error-always", "budget")
        for retries in (0, 1, 4):
            before = self.standin.bill()["requests"]
            error_of(db, f"SELECT llm_complete('x{retries}', '{{\"retries\":{retries}}}')")
            self.assertEqual(self.standin.bill()["requests"] - before, retries + 1)

    def test_reported_cost_stands_beside_ours(self):
        db = self.desk("reported-cost", "reported")
        value(db, "SELECT llm_complete('x')")
        self.assertEqual(value(db, "SELECT cost_nusd - cost_reported_nusd FROM llm_calls"), 0)

    def test_a_kept_connection_that_dies_is_not_resent_silently(self):
        db = self.desk("ok", "resend")
        value(db, "SELECT llm_complete('warm the connection')")
        db.execute("UPDATE llm_models SET base_url = ?", (f"{self.standin.url}/s/reset-after/v1",))
        before = self.standin.bill()["requests"]
        error_of(db, "SELECT llm_complete('x', '{\"retries\":0}')")
        self.assertEqual(self.standin.bill()["requests"] - before, 1)

    def test_sanitized_build_through_every_fault(self):
        sql = [f".load {ASAN_SO}\n"] + setup_sql(self.standin.url)[:-1]
        sql.append("SELECT llm_config('backoff_ms', 5)")
        for model, scenarios in (("gpt-4o-mini", OPENAI), ("claude-haiku-4-5", ANTHROPIC)):
            for scenario in scenarios:
                sql.append(f"UPDATE llm_models SET base_url = '{self.standin.url}/s/{scenario}/v1'")
                sql.append(f"SELECT llm_complete('sanitized {scenario}', '{{\"model\":\"{model}\",\"on_error\":\"json\"}}')")
        sql.append("SELECT count(*) FROM llm_calls")
        out = shell(os.path.join(self.tmp.name, "asan.db"), ";\n".join(sql).replace("\n;", "\n") + ";\n",
                    env=asan_env(leaks=True), timeout=300)
        self.assertNotIn("Sanitizer", out.stderr)
        self.assertNotIn("runtime error", out.stderr)
        self.assertGreater(int(out.stdout.strip().splitlines()[-1]), len(OPENAI) + len(ANTHROPIC))


class Echo(http.server.BaseHTTPRequestHandler):
    """A provider that answers what the test tells it to."""
    status, body = 200, {}

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        data = json.dumps(self.body).encode()
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


class Answers(unittest.TestCase):
    """Odd answers, given word for word."""

    def ask(self, status, body, options="{}", sql=""):
        with http.server.HTTPServer(("127.0.0.1", 0), Echo) as server, TempDir() as tmp:
            Echo.status, Echo.body = status, body
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            db = open_desk(os.path.join(tmp, "echo.db"), f"http://127.0.0.1:{server.server_address[1]}")
            db.execute(sql)
            row = db.execute("SELECT answer, kind, input_tokens, output_tokens, cost_nusd, error FROM llm_call(?, ?)",
                             ("my private question about Bob", json.dumps({"retries": 0, "on_error": "null",
                                                                          **json.loads(options)}))).fetchone()
            db.close()
            server.shutdown()
            return row

    USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}

    def test_an_error_in_a_success_is_priced_by_its_usage(self):
        row = self.ask(200, {"error": {"code": 502, "message": "upstream"}, "usage": self.USAGE})
        self.assertEqual(row[:5], (None, "call", 1000, 100, 1000 * 150 + 100 * 600))
        self.assertIn("answered 200 with error 502", row[5])

    def test_and_unpriced_without_one(self):
        self.assertIsNone(self.ask(200, {"error": {"code": 502, "message": "upstream"}})[4])

    def test_the_model_that_answered_is_priced(self):
        def cost(model, sql=""):
            return self.ask(200, {"model": model, "usage": self.USAGE, "choices": [
                {"finish_reason": "stop", "message": {"content": "yes"}}]}, sql=sql)[4]

        self.assertEqual(cost("gpt-4o-2024-08-06"), 1000 * 2500 + 100 * 10000)
        self.assertIsNone(cost("gpt-99"))  # whatever it is, it is not the one that was asked
        own = "INSERT INTO llm_prices(model, kind, usd_per_million) VALUES ('gpt-4o-mini', 'input', 1)"
        self.assertIsNone(cost("my-server-v7", own))
        own += ", ('gpt-4o-mini', 'output', 2)"
        self.assertEqual(cost("my-server-v7", own), 1000 * 1000 + 100 * 2000)  # said so by whoever runs it

    def test_an_empty_error_beside_an_answer_is_none(self):
        body = {"error": {}, "usage": self.USAGE, "choices": [{"finish_reason": "stop", "message": {"content": "yes"}}]}
        self.assertEqual(self.ask(200, body)[0], "yes")

    def test_reasoning_outside_the_count_is_billed(self):
        body = {"usage": {"prompt_tokens": 32, "completion_tokens": 9, "total_tokens": 135},
                "choices": [{"finish_reason": "stop", "message": {"content": "yes"}}]}
        self.assertEqual(self.ask(200, body)[2:4], (32, 103))

    def test_errors_hold_neither_prompt_nor_system_prompt(self):
        for message in ("bad: my private question about Bob", "bad: TOP SECRET SYSTEM PROMPT of ours"):
            body = {"error": {"code": "echo my private question", "type": "x y z", "message": message}}
            row = self.ask(400, body, '{"system":"TOP SECRET SYSTEM PROMPT of ours"}')
            self.assertNotIn("private", row[5])
            self.assertNotIn("SECRET", row[5])


class Script(http.server.BaseHTTPRequestHandler):
    """A provider that gives one answer after the other: (status, headers, body); the last again and again."""
    answers, times = [], []

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        status, headers, body = self.answers[min(len(self.times), len(self.answers) - 1)]
        self.times.append(time.monotonic())
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        for name, text in headers.items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


JSON = {"Content-Type": "application/json"}
HTML = {"Content-Type": "text/html; charset=UTF-8"}
GOOD = (200, JSON, {"model": "gpt-4o-mini", "usage": {"prompt_tokens": 10, "completion_tokens": 1},
                    "choices": [{"finish_reason": "stop", "message": {"content": "yes"}}]})


def error(message, **more):
    return {"error": {"message": message, **more}}


class Errors(unittest.TestCase):
    """What an error says, wherever it says it; whether it is tried again, and when; what it cost."""

    @classmethod
    def setUpClass(cls):
        cls.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Script)
        threading.Thread(target=cls.server.serve_forever, args=(0.01,), daemon=True).start()
        cls.url = f"http://127.0.0.1:{cls.server.server_port}"

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        cls.server.server_close()

    def ask(self, *answers, **options):
        """(answer, message, rows of the ledger)"""
        Script.answers, Script.times = answers, []
        with TempDir() as tmp:
            db = open_desk(os.path.join(tmp, "script.db"), self.url)
            value(db, "SELECT llm_config('backoff_ms', 1)")
            got = json.loads(value(db, "SELECT llm_complete('a question of mine', ?)",
                                   json.dumps({"on_error": "json", **options})))
            rows = db.execute("SELECT kind, cost_nusd, input_tokens, error FROM llm_calls ORDER BY id").fetchall()
            db.close()
        return got["value"], (got["error"] or {}).get("message", ""), rows

    def told(self, status, body, headers=JSON):
        value_, message, _ = self.ask((status, headers, body), retries=0)
        self.assertIsNone(value_)
        return message

    def test_the_innermost_sentence_is_told(self):
        raw = json.dumps(error("no such voice", type="invalid_request_error", code=None))
        body = error("Provider returned error", code=400, metadata={"raw": raw, "provider_name": "OpenAI"})
        self.assertEqual(self.told(400, body), "openai answered 400 (invalid_request_error): no such voice (OpenAI)")
        body = {"object": "error", "message": {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"],
                                                           "msg": "Extra inputs are not permitted"}]}}
        self.assertEqual(self.told(422, body), "openai answered 422: body.seed: Extra inputs are not permitted")
        self.assertIn("404 page not found", self.told(404, "404 page not found", {"Content-Type": "text/plain"}))
        self.assertEqual(self.told(500, "oops"), "openai answered 500: oops")
        self.assertEqual(self.told(500, ""), "openai answered 500, without a word")
        self.assertEqual(self.told(500, "{}"), "openai answered 500: application/json, 2 bytes: '{}'")
        body = error("Failed to generate JSON", code="json_validate_failed", failed_generation='{"a": oops')
        self.assertEqual(self.told(400, body),
                         "openai answered 400 (json_validate_failed): Failed to generate JSON (it generated: {\"a\": oops)")

    def test_a_word_wins_over_the_number_of_the_status(self):
        self.assertIn("429 (RESOURCE_EXHAUSTED): Quota",
                      self.told(429, [error("Quota", code=429, status="RESOURCE_EXHAUSTED")]))
        self.assertIn("400 (exceed_context_size_error)", self.told(400, error("x", code=400, type="exceed_context_size_error")))
        self.assertIn("answered 402: no credits", self.told(402, error("no credits", code=402)))

    def test_a_page_says_its_title(self):
        page = "<!DOCTYPE html><html><head><title>Not Found</title></head>" + "x" * 1200
        self.assertEqual(self.told(404, page, HTML),
                         "openai answered 404: text/html, 1,258 bytes: 'Not Found': is base_url right?")
        self.assertEqual(self.told(403, "<html><title>Just a moment...</title>", HTML),
                         "openai answered 403: text/html, 37 bytes: 'Just a moment...'")

    def test_the_end_of_a_sentence_is_told(self):
        self.assertIn("THE HELP", self.told(404, error("x" * 300 + " THE HELP")))

    def test_the_key_is_named_only_where_it_is_wrong(self):
        key = KEYS["OPENAI_API_KEY"]
        wrong = self.told(401, error(f"Incorrect API key provided: {key}.", code="invalid_api_key"))
        self.assertEqual(wrong, "openai answered 401 (invalid_api_key): check the key in OPENAI_API_KEY: "
                                "Incorrect API key provided: ***.")
        self.assertIn("check the key in OPENAI_API_KEY", self.told(401, ""))
        self.assertIn("check the key in OPENAI_API_KEY", self.told(400, error("API key not valid. Please pass another.")))
        for status, body, says in ((403, error("Country, region, or territory not supported"), "Country"),
                                   (403, error("Your input was flagged", metadata={"reasons": ["violence"]}), "[violence]"),
                                   (403, error("Project does not have access to model x"), "have access to"),
                                   (401, error("Missing scopes: model.request"), "Missing scopes"),
                                   (403, {"code": "x y", "error": "no credits"}, "no credits"),
                                   (403, "error code: 1010", "error code: 1010"),
                                   (400, error("Incorrect key sk-somebody-elses-9876."), "Incorrect key ***.")):
            message = self.told(status, body)
            self.assertIn(says, message)
            self.assertNotIn("check the key", message)

    def test_a_redirect_says_where_to(self):
        message = self.told(301, "", {"Location": "https://user:pw@example.com/v1/chat?token=abc#x"})
        self.assertEqual(message, "openai answered 301: redirects are not followed (to example.com/v1/chat)")

    def test_a_gateway_does_not_know_the_bill(self):
        page = "<html><head><title>A timeout occurred</title></head></html>"
        for status, headers, body in ((524, HTML, page), (504, HTML, page), (504, JSON, {"message": "Endpoint request timed out"}),
                                      (502, {}, ""), (408, {}, ""), (520, HTML, page)):
            answer, message, rows = self.ask((status, headers, body), GOOD)
            self.assertIn("(it may have been billed)", message)
            self.assertEqual([row[:2] for row in rows], [("unknown", None)], (status, body))
            self.assertEqual(len(Script.times), 1)
        for status, body in ((408, error("Request timed out", type="timeout_error")), (504, error("m", status="DEADLINE_EXCEEDED")),
                             (503, ""), (500, "")):
            answer, message, rows = self.ask((status, JSON, body), GOOD)
            self.assertEqual((answer, [row[:2] for row in rows][:1]), ("yes", [("call", 0)]), (status, body))

    def test_an_error_that_tells_its_usage_is_priced(self):
        body = {**error("stopped"), "usage": {"prompt_tokens": 1000, "completion_tokens": 100}}
        for status in (400, 504):
            _, _, rows = self.ask((status, JSON, body), retries=0)
            self.assertEqual(rows[0][:3], ("call", 1000 * 150 + 100 * 600, 1000))

    def test_when_again_is_said_in_the_body(self):
        details = [{"@type": "x", "retryDelay": "0.7s"}]
        for body in (error("m", code=429, status="RESOURCE_EXHAUSTED", details=details), error("m", retry_after=0.7),
                     error("Rate limit reached. Please try again in 700ms. Visit x")):
            answer, _, _ = self.ask((429, JSON, body), GOOD)
            self.assertEqual(answer, "yes")
            self.assertGreater(Script.times[1] - Script.times[0], 0.6)
        self.ask((429, {**JSON, "Retry-After-Ms": "5"}, error("m", retry_after=30)), GOOD)
        self.assertLess(Script.times[1] - Script.times[0], 5)  # the header wins
        _, message, _ = self.ask((429, JSON, error("Please try again in 6m0s.")), GOOD)
        self.assertEqual((len(Script.times), "6m0s" in message), (1, True))

    def test_a_quota_of_the_day_is_not_waited_for(self):
        violations = [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]
        for status, body in ((429, [error("m", status="RESOURCE_EXHAUSTED", details=[{"violations": violations},
                                                                                    {"retryDelay": "1s"}])]),
                             (429, error("m", type="exceeded_current_quota_error")), (429, error("m", code="1113")),
                             (400, error("m", type="budget_exceeded", code="400")), (429, error("m", type="budget_exceeded")),
                             (402, error("m", code=402)), (500, error("insufficient balance (1008)", type="api_error"))):
            self.ask((status, JSON, body), GOOD)
            self.assertEqual(len(Script.times), 1, body)

    def test_words_are_a_reason_to_try_again(self):
        for status, body in ((200, error("m", type="overloaded_error")), (200, error("m", type="rate_limit_error")),
                             (200, error("m", code="server_error")), (200, error("m", code="429")),
                             (200, {"type": "error", **error("m", type="api_error")}),
                             (200, {"object": "error", "message": "m", "code": 503}),
                             (200, {**error("m", code=502), "choices": [{"message": {"content": None}}]}),
                             (400, error("m", type="overloaded_error")), (400, error("m", code="json_validate_failed"))):
            answer, message, rows = self.ask((status, JSON, body), GOOD)
            self.assertEqual((answer, len(Script.times)), ("yes", 2), (body, message))
        for status, body in ((200, error("m", type="invalid_request_error")), (400, error("m", code="429x"))):
            self.ask((status, JSON, body), GOOD)
            self.assertEqual(len(Script.times), 1, body)
        self.ask((400, JSON, error("m", code="json_validate_failed")))
        self.assertEqual(len(Script.times), 3)  # and it ends

    def test_an_error_inside_a_success_says_so(self):
        self.assertEqual(self.told(200, error("m", type="overloaded_error")),
                         "openai answered 200 with error 529 (overloaded_error): m")
        self.assertEqual(self.told(200, {"object": "error", "message": "m"}), "openai answered 200 with an error: m")

    def test_a_model_that_is_loading_is_waited_for(self):
        loading = (503, JSON, error("Loading model", type="unavailable_error", code=503))
        answer, _, rows = self.ask(loading, loading, GOOD, retries=1)  # two attempts, of which loading takes none
        self.assertEqual((answer, [row[:2] for row in rows[:2]]), ("yes", [("call", 0)] * 2))
        self.assertGreaterEqual(Script.times[1] - Script.times[0], 1.9)
        self.ask(loading, GOOD, retries=0)
        self.assertEqual(len(Script.times), 1)


class Forwarder:
    """Passes TCP through to the stand-in and counts connections."""

    def __init__(self, host):
        self.target = (host.split(":")[0], int(host.split(":")[1]))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.accepted = 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.accepted += 1
            server = socket.create_connection(self.target)
            for a, b in ((client, server), (server, client)):
                threading.Thread(target=self.copy, args=(a, b), daemon=True).start()

    @staticmethod
    def copy(a, b):
        try:
            while data := a.recv(65536):
                b.sendall(data)
        except OSError:
            pass
        a.close()
        b.close()


class KeptConnections(unittest.TestCase):
    def test_one_connection_serves_many_calls(self):
        with Standin() as standin, TempDir() as tmp:
            forwarder = Forwarder(standin.host)
            db = open_desk(os.path.join(tmp, "kept.db"), forwarder.url)
            for i in range(10):
                value(db, "SELECT llm_complete(?)", f"question {i}")
            self.assertEqual((standin.bill()["calls"], forwarder.accepted), (10, 1))
            db.close()
            forwarder.listener.close()


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tmp = TempDir()
        cls.cert, cls.key = (os.path.join(cls.tmp.name, f) for f in ("cert.pem", "key.pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                        "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", cls.key, "-out", cls.cert],
                       check=True, capture_output=True)

    @classmethod
    def tearDownClass(cls):
        cls.tmp.cleanup()

    def ask(self, url, name, sql="SELECT llm_complete('over TLS')", **env):
        sql = [f".load {SO}\n"] + setup_sql(url) + [sql, "SELECT kind, cost_nusd > 0 FROM llm_calls LIMIT 1"]
        return shell(os.path.join(self.tmp.name, name + ".db"), ";\n".join(sql).replace("\n;", "\n") + ";\n",
                     env=clean_env(**env))

    def test_certificates_are_verified(self):
        with Standin("--tls-cert", self.cert, "--tls-key", self.key) as standin:
            out = self.ask(standin.url, "refused")
            self.assertIn("cannot reach openai", out.stderr)
            self.assertIn("certificate", out.stderr.lower())
            out = self.ask(standin.url, "ca", LLMCOST_CA=self.cert)
            self.assertIn("call|1", out.stdout)

    def over_http2(self, ask):
        """What ask(url) gives, and the proxy's log: for each request its client's port, protocol and status."""
        access = os.path.join(self.tmp.name, "access")
        with contextlib.suppress(FileNotFoundError):
            os.remove(access)
        with Standin("--latency-ms", "30") as standin:
            port = 20000 + os.getpid() % 12000  # below those the system gives out
            proxy = subprocess.Popen(["nghttpx", f"-f127.0.0.1,{port}", "-b127.0.0.1," + standin.url.rsplit(":", 1)[1],
                                      "--single-thread", "--accesslog-file=" + access,
                                      "--accesslog-format=$remote_port $alpn $status", self.key, self.cert],
                                     stderr=subprocess.DEVNULL)
            try:
                for _ in range(100):  # until it listens
                    with socket.socket() as probe:
                        if probe.connect_ex(("127.0.0.1", port)) == 0:
                            break
                    time.sleep(0.05)
                out = ask(f"https://127.0.0.1:{port}")
            finally:
                proxy.terminate()
                proxy.wait()
            with open(access) as log:
                return out, [line.split() for line in log]

    def test_http2_where_offered(self):
        out, log = self.over_http2(lambda url: self.ask(url, "h2", LLMCOST_CA=self.cert))
        self.assertIn("call|1", out.stdout, out.stderr)
        self.assertIn(["h2", "200"], [line[1:] for line in log])

    def test_many_over_one_connection(self):
        """llm_map: where a server takes several requests at once over one connection, they go over one."""
        sql = ("SELECT count(answer), count(error) FROM llm_map('WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
               " WHERE i < 64) SELECT i, ''Question '' || i FROM n', '{\"model\":\"gpt-4o-mini\",\"concurrency\":32}')")
        out, log = self.over_http2(lambda url: self.ask(url, "h2map", sql, LLMCOST_CA=self.cert))
        self.assertIn("64|0", out.stdout, out.stderr)
        self.assertEqual([line[1:] for line in log], [["h2", "200"]] * 64)
        self.assertEqual(len({line[0] for line in log}), 1)


if __name__ == "__main__":
    unittest.main()
