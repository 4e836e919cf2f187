"""Our batch requests under other people's checkers: the vendors' OpenAPI documents served by @stdy/cli, and aimock's files and batches."""
import http.client
import http.server
import json
import os
import threading
import time
import unittest
import urllib.error
import urllib.request

import test_peers
from harness import Standin, TempDir, connect, open_desk, value
from test_schemas import SCHEMAS

SENT = ("content-type", "authorization", "x-api-key", "anthropic-version")  # headers that a checker is to see


class Recorder:
    """A proxy in front of a server: every request as it came, (method, path, headers, body)."""

    def __init__(self, host):
        requests = self.requests = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def pass_on(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                requests.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                c = http.client.HTTPConnection(host, timeout=20)
                try:
                    c.request(self.command, self.path, body, {k: v for k, v in self.headers.items() if k.lower() != "host"})
                    answer = c.getresponse()
                    data = answer.read()
                except (http.client.HTTPException, OSError):  # what it does, so do we
                    self.close_connection = True
                    return
                finally:
                    c.close()
                self.send_response(answer.status)
                for name, text in answer.getheaders():
                    if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                        self.send_header(name, text)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_DELETE = pass_on

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def fill(db, model, word):
    """A row of each shape that we send."""
    shapes = [*test_peers.OPTIONS, {"seed": 7}, *({"schema": s, "retries": 0} for s in SCHEMAS.values())]
    db.executemany("INSERT INTO batch_submit(prompt, model, options) VALUES (?, ?, ?)",
                   [(f"What is your return policy {word} {i}?", model, json.dumps(o)) for i, o in enumerate(shapes)])
    db.execute("INSERT INTO batch_submit(prompt, model) VALUES (?, ?)", (json.dumps([{**m, "content": m["content"] + word} for m in test_peers.CHAT]), model))


def finish(db, seconds=30):
    """Until nothing is under way."""
    until = time.monotonic() + seconds
    while value(db, "SELECT count(*) FROM batch_submit WHERE status IN ('sending', 'submitted')") and time.monotonic() < until:
        value(db, "SELECT llm_batch_poll('{\"delete_files\":true}')")
        time.sleep(0.05)


def sent(models):
    """All requests of lives of batches: one whose create is answered, one that has to be looked for, one that is cancelled."""
    with Standin() as standin, Recorder(standin.host) as recorder, TempDir() as tmp:
        db = open_desk(os.path.join(tmp, "desk.db"), recorder.url)
        for create in ("", "rst-after"):
            standin.post("/standin/batch", {"at": {"create": create} if create else {}})
            for model in models:
                if "embed" in model:
                    db.execute("INSERT INTO batch_submit(prompt, model) VALUES ('a text ' || ?, ?), ('another ' || ?, ?)", (create, model) * 2)
                else:
                    fill(db, model, create)
            value(db, "SELECT llm_batch_flush('{\"max_requests\":20}')")
            finish(db)
        db.execute("INSERT INTO batch_submit(prompt, model) VALUES ('What is to be cancelled?', ?)", (models[0],))
        value(db, "SELECT llm_batch_flush()")
        value(db, "SELECT llm_batch_cancel(?)", value(db, "SELECT max(id) FROM llm_batches"))
        finish(db)
        db.close()
        return recorder.requests


def steps_of(requests):
    """Which kinds of requests there are, ids left out."""
    def plain(path):
        path = path.split("?")[0]
        return "/".join("ID" if any(c.isdigit() for c in part[2:]) else part for part in path.split("/"))
    return {f"{method} {plain(path)}" for method, path, *_ in requests}


def post(url, request, body=None):
    """The status of the answer, and how an error begins."""
    method, path, headers, was = request
    ask = urllib.request.Request(url + path, was if body is None else body, {n: headers[n] for n in SENT if n in headers}, method=method)
    if method != "POST":
        ask.data = None
    try:
        with urllib.request.urlopen(ask, timeout=20) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as e:
        with e:
            return e.code, e.read(600)


def lines_of(upload):
    """The requests in a file that is uploaded."""
    text = upload[3].split(b"\r\n\r\n", 2)[-1].rsplit(b"\r\n--", 1)[0]
    return [json.loads(line) for line in text.splitlines() if line.startswith(b"{")]


class Documents(unittest.TestCase):
    def check(self, checker, requests, strip):
        for method, path, headers, body in requests:
            with self.subTest(f"{method} {path}"):
                self.assertEqual(post(checker.url, (method, path.removeprefix(strip), headers, body)), (200, ""), body[:400])

    def test_openai_document(self):
        with test_peers.Steady.checker(self, "openai-openapi.yaml") as checker:
            requests = sent(["gpt-4o-mini", "text-embedding-3-small"])
            self.assertEqual(steps_of(requests), {
                "POST /v1/files", "POST /v1/batches", "GET /v1/batches", "GET /v1/batches/ID", "POST /v1/batches/ID/cancel",
                "GET /v1/files/ID/content", "DELETE /v1/files/ID"})
            self.check(checker, requests, "/v1")
            lines = [line for r in requests if r[:2] == ("POST", "/v1/files") for line in lines_of(r)]
            self.assertEqual({line["url"] for line in lines}, {"/v1/chat/completions", "/v1/embeddings"})
            for line in lines:
                with self.subTest(line["custom_id"]):
                    self.assertEqual({**line, "body": 0, "url": 0, "custom_id": 0}, {"custom_id": 0, "method": "POST", "url": 0, "body": 0})
                    inner = ("POST", line["url"].removeprefix("/v1"), {"content-type": "application/json", "authorization": "Bearer x"}, b"")
                    self.assertEqual(post(checker.url, inner, json.dumps(line["body"]).encode()), (200, ""), line["body"])
            create = next(r for r in requests if r[:2] == ("POST", "/v1/batches"))
            for change in ({"completion_window": "25h"}, {"endpoint": "/v1/nowhere"}, {"input_file_id": 7}, {"metadata": {"llmcost": 7}}):
                with self.subTest(change):  # (a test that can't fail proves nothing)
                    body = json.dumps({**json.loads(create[3]), **change}).encode()
                    self.assertEqual(post(checker.url, (create[0], "/batches", create[2], b""), body)[0], 400)

    def test_anthropic_document(self):
        with test_peers.Steady.checker(self, "anthropic-openapi.json") as checker:
            requests = sent(["claude-haiku-4-5"])
            self.assertEqual(steps_of(requests), {
                "POST /v1/messages/batches", "GET /v1/messages/batches", "GET /v1/messages/batches/ID", "POST /v1/messages/batches/ID/cancel",
                "GET /v1/messages/batches/ID/results", "DELETE /v1/messages/batches/ID"})
            # The document is of November 2024: older than DELETE, and than output_config.
            creates = [r for r in requests if r[:2] == ("POST", "/v1/messages/batches")]
            self.check(checker, [r for r in requests if r[0] != "DELETE" and r not in creates], "")
            for method, path, headers, body in creates:
                asked = [q for q in json.loads(body)["requests"] if "output_config" not in q["params"]]
                self.assertTrue(asked)
                headers = {**headers, "content-type": headers["content-type"]}
                self.assertEqual(post(checker.url, (method, path, headers, b""), json.dumps({"requests": asked}).encode()), (200, ""))
                for q in asked:
                    with self.subTest(q["custom_id"]):
                        self.assertEqual(post(checker.url, (method, "/v1/messages", headers, b""), json.dumps(q["params"]).encode()), (200, ""))
            for spoiled in ({"requests": "x"}, {"requests": [{"custom_id": 7}]}, {"requests": [{**asked[0], "params": {"max_tokens": "x"}}]}):
                with self.subTest(spoiled):
                    self.assertEqual(post(checker.url, (method, path, headers, b""), json.dumps(spoiled).encode())[0], 400)


class Aimock(unittest.TestCase):
    """Its files and batches (of OpenAI's form alone), end to end: two looks until a batch has ended, an output file for the answers."""
    ANSWER = "Mock batch completion"

    def setUp(self):
        folder = TempDir()
        self.addCleanup(folder.cleanup)
        with open(os.path.join(folder.name, "f.json"), "w") as f:
            json.dump({"fixtures": [{"match": {"userMessage": "x"}, "response": {"content": "x"}}]}, f)
        self.mock = test_peers.Aimock.aimock(self, folder.name).__enter__()
        self.addCleanup(self.mock.__exit__)
        self.db = connect(os.path.join(folder.name, "desk.db"))
        self.addCleanup(self.db.close)
        value(self.db, "SELECT llm_allow_host(?, 'WIRE_KEY'), llm_secret('WIRE_KEY', 'sk-wire-0123456789'), llm_init()", self.mock.url[7:])
        for name, supports in (("m", {}), ("e", {"embeddings": True})):
            self.db.execute("INSERT INTO llm_models(name, provider, api, base_url, key_env, supports) VALUES (?, 'openai', 'openai', ?, 'WIRE_KEY', ?)",
                            (name, self.mock.url + "/v1", json.dumps({**supports, "batch": "openai"})))

    def statuses(self):
        return self.db.execute("SELECT status, count(*), min(answer), max(error) FROM batch_submit GROUP BY 1").fetchall()

    def run_batch(self, options="{}"):
        flush = json.loads(value(self.db, "SELECT llm_batch_flush(?)", options))
        self.assertEqual(flush.get("errors"), None)
        return json.loads(value(self.db, "SELECT llm_batch_wait('{\"every\":0.05,\"timeout\":20}')"))

    def test_answers_of_several_batches(self):
        self.db.executemany("INSERT INTO batch_submit(prompt, model, system) VALUES (?, 'm', 'Be brief, na\u00efve \U0001f600')",
                            [(f"Question {i} \u2028 \"quoted\"",) for i in range(25)])
        self.assertEqual(self.run_batch('{"max_requests":10}')["answered"], 25)
        self.assertEqual(self.statuses(), [("done", 25, self.ANSWER, None)])
        self.assertEqual(self.db.execute("SELECT state, requests, answered, said_total, said_done FROM llm_batches").fetchall(),
                         [("settled", n, n, n, n) for n in (10, 10, 5)])
        self.assertEqual(self.db.execute("SELECT kind, input_tokens, output_tokens, count(*) FROM llm_calls GROUP BY 1, 2, 3").fetchall(),
                         [("batch", 1, 1, 25)])

    def test_vectors(self):
        self.db.execute("INSERT INTO batch_submit(prompt, model) VALUES ('one', 'e'), ('two', 'e')")
        # It answers with three zeros: no vector that could be compared.
        self.assertEqual(self.run_batch()["failed"], 2)
        self.assertEqual(self.statuses(), [("failed", 2, None, "vector 0 of the answer is zero")])

    def test_cancelled(self):
        self.db.execute("INSERT INTO batch_submit(prompt, model) VALUES ('one', 'm'), ('two', 'm')")
        value(self.db, "SELECT llm_batch_flush()")
        self.assertEqual(json.loads(value(self.db, "SELECT llm_batch_cancel(1)"))["word"], "cancelling")
        self.assertEqual(json.loads(value(self.db, "SELECT llm_batch_wait('{\"every\":0.05,\"timeout\":20}')"))["cancelled"], 2)
        self.assertEqual([s[:2] for s in self.statuses()], [("cancelled", 2)])

    def test_found_again_by_its_mark(self):
        """Its answer to the create is lost; its list tells."""
        with Recorder(self.mock.url[7:]) as recorder:
            value(self.db, "SELECT llm_allow_host(?, 'WIRE_KEY')", recorder.url[7:])
            self.db.execute("UPDATE llm_models SET base_url = ?", (recorder.url + "/v1",))
            self.db.execute("INSERT INTO batch_submit(prompt, model) VALUES ('one', 'm')")
            self.lose_creates(recorder)
            self.assertEqual(json.loads(value(self.db, "SELECT llm_batch_flush()"))["submitted"], 1)
            self.assertEqual(self.run_batch()["answered"], 1)
            self.assertEqual(sum(r[:2] == ("POST", "/v1/batches") for r in recorder.requests), 1)
            self.assertIn("GET /v1/batches", steps_of(recorder.requests))

    def lose_creates(self, recorder):
        handler = recorder.server.RequestHandlerClass
        inner = handler.pass_on

        def lose(self):
            if self.path != "/v1/batches":
                return inner(self)
            self.wfile = open(os.devnull, "wb")
            inner(self)
            self.close_connection = True
        handler.do_POST = lose


if __name__ == "__main__":
    unittest.main()
