"""A provider's batch API, step by step (ext/work/remote), driven by build/steps: what is sent and how often, what trouble is told,
whether something may have been made all the same, and results that are read as they come.

Against the stand-in, and against scripts that answer what no stand-in would. A01, A05, A06, A10, A11, A14, A17 of the field cases.
"""
import gzip
import json
import os
import re
import socket
import subprocess
import time
import unittest

from harness import KEYS, ROOT, Standin, clean_env
from test_transfers import Bare, answer, read_request

STEPS = os.path.join(ROOT, "build/steps")
CHECKED = STEPS
MB = 1 << 20
WHO = {"openai": ("openai", "OPENAI_API_KEY"), "anthropic": ("anthropic", "ANTHROPIC_API_KEY"),
       "mistral": ("openai", "MISTRAL_API_KEY"), "openrouter": ("openai", "OPENROUTER_API_KEY"),
       "azure": ("openai", "AZURE_OPENAI_API_KEY"), "groq": ("openai", "GROQ_API_KEY")}
SECRETS = {**KEYS, "MISTRAL_API_KEY": "mistral-live-test-55aa77", "OPENROUTER_API_KEY": "sk-or-live-test-31d8",
           "AZURE_OPENAI_API_KEY": "azure-live-test-90c1e2", "GROQ_API_KEY": "gsk-live-test-77f0"}


def steps(url, *words, who="openai", program=CHECKED, env=None, code=0, supports=""):
    """The lines that were printed."""
    api, key = WHO[who]
    env = {"LLMCOST_ALLOW_HOSTS": "127.0.0.1=" + key, key: SECRETS[key], **(env or {})}
    words = ["backoff", 10, *words]  # (a test that wants another says so behind it)
    out = subprocess.run([program, who, api, url, key, supports, *map(str, words)], capture_output=True, text=True, timeout=100,
                         env=clean_env(**env), stdin=subprocess.DEVNULL)
    if out.returncode != code or (out.stderr and not code):
        raise AssertionError(f"{out.returncode}: {out.stderr[:3000]}")
    return [json.loads(line) for line in out.stdout.splitlines()]


class Script:
    """A server whose n-th request is answered by reply(n, method, path, body): bytes; None hangs up."""

    def __init__(self, reply):
        self.reply, self.requests = reply, []
        self.bare = Bare(self.serve)
        self.url = self.bare.url.replace("/x", "/v1")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.bare.__exit__()

    def serve(self, client, _):
        while request := read_request(client):
            head, body = request
            method, path = head.split()[:2]
            self.requests.append((method, path, head, body))
            data = self.reply(len(self.requests), method, path, body)
            if data is None:
                return
            client.sendall(data)

    def asked(self):
        return [f"{method} {path}" for method, path, _, _ in self.requests]


def reply(value, *headers, status="200 OK"):
    return answer(json.dumps(value).encode(), "Content-Type: application/json", *headers, status=status)


def error(status, message, code=None, *headers):
    return reply({"error": {"message": message, "type": "invalid_request_error", "code": code}}, *headers, status=status)


def batch(name="batch_1", status="validating", **more):
    return {"id": name, "object": "batch", "status": status, "created_at": 1790000000, **more}


def always(data):
    return lambda *_: data


def line(n, text="yes"):
    return json.dumps({"custom_id": f"r{n}-1-steps", "response": {"status_code": 200, "body": {
        "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}}, "error": None})


class Life(unittest.TestCase):
    """Whole batches at the stand-in."""

    @classmethod
    def setUpClass(cls):
        cls.standin = Standin()
        cls.standin.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.standin.__exit__()

    def setUp(self):
        self.standin.post("/standin/reset", {})
        self.url = self.standin.url + "/v1"

    def asked(self, path):
        return sum(1 for r in self.standin.journal() if r["path"] == path)

    def test_files(self):
        up, made, *_, ended, read, found, files, cancelled, gone, again, unknown = steps(
            self.url, "lines", 25, "upload", "mark-1", "create", "-", "get", "@batch", "get", "@batch", "get", "@batch",
            "results", "@output", "find", "0:25", "files", "mark-1", "cancel", "@batch", "delete_file", "@file",
            "delete_file", "@file", "get", "batch_none")
        for step in (up, made, ended, read, found, files, cancelled, gone, again):
            self.assertEqual((step["rc"], step["trouble"]), (0, ""), step)
        self.assertEqual((made["state"], made["mark"], ended["state"], ended["done"]), ("validating", "mark-1", "ended", 25))
        self.assertEqual(sorted(read["results"]), sorted(f"r{i}-1-steps answered" for i in range(1, 26)))
        self.assertEqual((read["lines"], read["unreadable"], read["pages"], read["torn"]), (25, 0, 1, 0))
        self.assertEqual((found["match"], found["id"]), ("yes", made["id"]))
        self.assertEqual((files["files"], files["all"]), ([up["file"]], 1))
        self.assertEqual((cancelled["id"], cancelled["state"]), (made["id"], "ended"))  # (refused: it was over)
        self.assertEqual((unknown["rc"], unknown["trouble"], unknown["status"]), (0, "gone", 404))
        self.assertIn(self.standin.host, unknown["message"])

    def test_inline(self):
        made, *_, ended, read, found, taken, cancelled = steps(
            self.url, "model", "claude-haiku-4-5", "lines", 25, "create", "-", "get", "@batch", "get", "@batch", "get", "@batch",
            "results", "@batch", "find", "0:25", "find", "0:24", "cancel", "@batch", who="anthropic")
        self.assertEqual((made["state"], ended["state"], ended["done"], found["match"]), ("running", "ended", 25, "maybe"))
        self.assertEqual(sorted(read["results"]), sorted(f"r{i}-1-steps answered" for i in range(1, 26)))
        self.assertEqual((taken["match"], taken["trouble"]), ("no", ""))
        self.assertEqual((cancelled["state"], cancelled["trouble"]), ("ended", ""))

    def test_every_form(self):
        """The same at each provider, as far as it has the steps."""
        ids = sorted(f"r{i}-1-steps answered" for i in range(1, 26))
        for who, path, model in (("openai", "/v1", "gpt-4o-mini"), ("azure", "/azure/openai/v1", "gpt-4o-mini"),
                                 ("groq", "/openai/v1", "gpt-4o-mini"), ("mistral", "/v1", "mistral-small-2603"),
                                 ("anthropic", "/v1", "claude-haiku-4-5"), ("openrouter", "/api/v1", "vendor/model")):
            with self.subTest(who):
                takes_file, by_batch = who not in ("anthropic", "openrouter"), who in ("anthropic", "openrouter")
                since = int(time.time() * 1000)
                words = ["model", model, "mark", "m-" + who, "lines", 25, *(["upload", "m-" + who] if takes_file else []), "create", "-"]
                words += ["get", "@batch"] * 3 + ["results", "@batch" if by_batch else "@output", "find", f"{since}:25"]
                words += ["files", "m-" + who, "delete_file", "@file", "files", "m-" + who] if takes_file else []
                words += ["delete", "@batch", "get", "@batch"] if who in ("mistral", "anthropic", "openrouter") else []
                got = steps(self.standin.url + path, *words, who=who)
                by = {}
                for step in got:
                    by.setdefault(step["step"], []).append(step)
                    is_last = step is got[-1] and step["step"] == "get"
                    self.assertEqual((step["rc"], step["trouble"]), (0, "gone" if is_last else ""), step)
                self.assertEqual((by["get"][2]["state"], by["get"][2]["total"], by["get"][2]["done"]), ("ended", 25, 25))
                self.assertEqual(sorted(by["results"][0]["results"]), ids)
                self.assertEqual((by["find"][0]["match"], by["find"][0]["id"]), ("maybe" if by_batch else "yes", by["create"][0]["id"]))
                self.assertEqual([f["all"] for f in by.get("files", [])], [1, 0] if takes_file else [])

    def settings(self, **settings):
        self.standin.post("/standin/batch", settings)

    def test_misfortunes(self):
        self.settings(late_file=2)  # A11
        *_, made = steps(self.url, "lines", 1, "upload", "m", "create", "-")
        self.assertEqual((made["trouble"], made["state"]), ("", "validating"))
        for body in ("json", "empty", "html"):  # A14
            self.settings(upload_max=1000, upload_body=body)
            up, = steps(self.url, "lines", 100, "upload", "m")
            self.assertEqual((up["trouble"], up["may_be_done"]), ("too_large", 0), up)
        for name, trouble in (("404", "gone"), ("error", "gone")):  # A17
            self.settings(upload_max=None, gone=name)
            got, read, found = steps(self.url, "get", made["id"], "results", "file-x", "find", "0:1")
            self.assertEqual((got["trouble"], read["trouble"], read["lines"], found["match"]), (trouble, "gone", 0, "no"), (got, read))

    def test_refused_behind_the_acceptance(self):
        """A12, and A01: all of them failed, and there is no output file."""
        self.settings(refuse="token_limit_exceeded")
        *_, ended = steps(self.url, "lines", 3, "upload", "m", "create", "-", "get", "@batch", "get", "@batch", "get", "@batch")
        self.assertEqual((ended["state"], ended["n_errors"], ended["trouble"]), ("failed", 1, ""))
        self.settings(refuse=None, errors=-1)
        *_, read = steps(self.url, "lines", 3, "upload", "m", "create", "-", "get", "@batch", "get", "@batch", "get", "@batch", "results", "@error")
        self.assertEqual(sorted(read["results"]), [f"r{i}-1-steps refused" for i in (1, 2, 3)])

    def test_results_in_pieces(self):
        whole = None
        for chunk in (0, 1, 64):
            self.standin.post("/standin/reset", {})
            self.settings(chunk=chunk, lines={"separators": 1, "controls": 2, "blank": 3, "null": 5, "double": 7, "foreign": 8})
            *_, read = steps(self.url, "lines", 20, "upload", "m", "create", "-", "get", "@batch", "get", "@batch", "get", "@batch", "results", "@output")
            whole = whole or read["results"]
            self.assertEqual((read["trouble"], read["results"], read["unreadable"]), ("", whole, 1), chunk)
        self.assertEqual(len(whole), 22)
        self.settings(chunk=None, lines=None, cut_at=3000)
        *_, cut, again = steps(self.url, "lines", 20, "upload", "m", "create", "-", "get", "@batch", "get", "@batch", "get", "@batch",
                               "results", "@output", "results", "@output")
        self.assertEqual((cut["trouble"], cut["torn"], again["trouble"], again["lines"]), ("later", 1, "", 20))
        self.assertTrue(0 < cut["lines"] < 20)

    def test_cancel(self):
        self.standin.post("/standin/batch", {"polls": 1000, "ms": 100000})
        *_, made, cancelled = steps(self.url, "lines", 3, "upload", "m", "create", "-", "cancel", "@batch")
        self.assertEqual((cancelled["id"], cancelled["trouble"]), (made["id"], ""))
        self.assertIn(cancelled["state"], ("cancelling", "cancelled"))
        self.standin.post("/standin/batch", {"polls": 2, "ms": 1000})

    def test_created_and_not_told(self):
        """A10: accepted, and the answer is lost. Nothing is sent again, and the list knows it."""
        for who, path, name, match in (("openai", "/v1/batches", "reset-after", "yes"), ("openai", "/v1/batches", "bad-gateway-after", "yes"),
                                       ("anthropic", "/v1/messages/batches", "reset-after", "maybe")):
            with self.subTest(who + name):
                self.standin.post("/standin/reset", {})
                if who == "openai":
                    up, = steps(self.url, "lines", 3, "upload", "m")
                    words = ("file", up["file"])
                else:
                    words = ("model", "claude-haiku-4-5", "lines", 3)
                self.standin.scenario(name)
                lost, = steps(self.url, *words, "create", "-", who=who)
                self.standin.scenario("ok")
                self.assertEqual((lost["rc"], lost["trouble"], lost["may_be_done"]), (0, "later", 1), lost)
                found, = steps(self.url, "find", f"{int(time.time() * 1000)}:3", who=who)
                self.assertEqual((found["match"], found["trouble"]), (match, ""), found)
                self.assertEqual(self.asked(path), 2)  # the create, and the look

    def test_memory(self):
        """60 MB of lines go through a file: not through memory."""
        env = {"TMPDIR": "/tmp"}
        small, = steps(self.url, "lines", 1, "upload", "m", program=STEPS, env=env)
        big, = steps(self.url, "pad", 60000, "lines", 1000, "upload", "m", program=STEPS, env=env)
        self.assertEqual((big["trouble"], big["rc"]), ("", 0), big)
        self.assertLess(big["peak_kb"] - small["peak_kb"], 16 * 1024)


class Requests(unittest.TestCase):
    """What is sent, and how often."""

    def test_an_upload_word_for_word(self):
        with Script(always(reply({"id": "file-1"}))) as server:
            up, = steps(server.url + "/chat/completions/", "line", '{"a":1}\n', "line", '{"a":2}\n', "upload", 'm"\r\n1')
        (method, path, head, body), = server.requests
        self.assertEqual((method, path, up["file"]), ("POST", "/v1/files", "file-1"))
        boundary = re.search(r"(?i)content-type: multipart/form-data; boundary=(\S+)", head)[1].encode()
        parts = body.split(b"--" + boundary)
        self.assertEqual(parts[1], b'\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n')
        self.assertEqual(parts[2].split(b"\r\n\r\n", 1)[1], b'{"a":1}\n{"a":2}\n\r\n')
        self.assertIn(b'name="file"; filename="llmcost-m___1.jsonl"', parts[2])
        self.assertEqual(parts[3], b"--\r\n")
        self.assertIn("User-Agent: llmcost/", head)
        self.assertIn("Authorization: Bearer " + KEYS["OPENAI_API_KEY"], head)

    def test_inline_bodies(self):
        with Script(always(reply(batch()))) as server:
            steps(server.url, "model", "a/b", "lines", 3, "create", "-", who="openrouter")
            steps(server.url + "/", "model", "c", "lines", 2, "create", "-", who="anthropic")
        (_, path, head, body), (_, path2, head2, body2) = server.requests
        tree = json.loads(body)
        self.assertEqual((path, list(tree), tree["model"], len(tree["requests"])), ("/v1/batches", ["endpoint", "model", "requests"], "a/b", 3))
        self.assertEqual([r["custom_id"] for r in tree["requests"]], [f"r{i}-1-steps" for i in (1, 2, 3)])
        self.assertEqual((path2, len(json.loads(body2)["requests"])), ("/v1/messages/batches", 2))
        self.assertIn("anthropic-version: ", head2)
        self.assertIn("x-api-key: ", head2)
        for h in (head, head2):
            self.assertIn("Content-Type: application/json", h)

    def test_gets_are_repeated_and_posts_are_not(self):
        down = error("503 Service Unavailable", "overloaded")
        with Script(lambda n, *_: reply(batch()) if n == 3 else down) as server:
            got, = steps(server.url, "get", "batch_1")
            self.assertEqual((got["trouble"], got["id"], len(server.requests)), ("", "batch_1", 3))
        with Script(always(down)) as server:
            got, = steps(server.url, "retries", 4, "get", "batch_1")
            self.assertEqual((got["trouble"], got["status"], got["may_be_done"], len(server.requests)), ("later", 503, 0, 5))
        for words, done in ((("lines", 1, "upload", "m"), 1), (("create", "-"), 1), (("cancel", "b"), 1)):
            with Script(always(down)) as server:
                got = steps(server.url, *words)[-1]
                self.assertEqual((got["trouble"], got["may_be_done"], len(server.requests)), ("later", done, 1), words)
        with Script(always(None)) as server:  # lost
            got, = steps(server.url, "delete", "b", who="openrouter")
            self.assertEqual((got["trouble"], got["may_be_done"], len(server.requests)), ("later", 0, 3))
            create, = steps(server.url, "create", "-")
            self.assertEqual((create["trouble"], create["may_be_done"], len(server.requests)), ("later", 1, 4))

    def test_when_to_come_again(self):
        for wait, count, least in (("1", 2, 1000), ("120", 1, 0)):
            busy = error("429 Too Many Requests", "slow down", None, "Retry-After: " + wait)
            with Script(lambda n, *_: reply(batch()) if n == 2 else busy) as server:
                got, = steps(server.url, "get", "batch_1")
                self.assertEqual(len(server.requests), count)
                self.assertGreaterEqual(got["ms"], least)
                self.assertEqual(got["retry_after_ms"], -1 if count == 2 else 120000)

    def test_nobody_there(self):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        for words in (("lines", 1, "upload", "m"), ("create", "-"), ("cancel", "b"), ("get", "b"), ("results", "f"), ("find", "0:1")):
            got = steps(f"http://127.0.0.1:{port}/v1", *words)[-1]
            self.assertEqual((got["rc"], got["trouble"], got["may_be_done"], got["status"]), (0, "later", 0, 0), got)
            self.assertIn(f"cannot reach 127.0.0.1:{port}", got["message"])

    def test_a_file_that_is_not_there_yet(self):
        """A11."""
        missing = error("400 Bad Request", "No such File object: file-1")
        with Script(lambda n, *_: reply(batch()) if n == 3 else missing) as server:
            got, = steps(server.url, "create", "-")
            self.assertEqual((got["trouble"], got["id"], len(server.requests)), ("", "batch_1", 3))
            self.assertTrue(700 <= got["ms"] < 3000, got["ms"])
        with Script(always(missing)) as server:
            got, = steps(server.url, "not_yet", 600, "create", "-")
            self.assertEqual((got["trouble"], got["may_be_done"], got["status"], len(server.requests)), ("not_yet", 0, 400, 3))

    def test_too_large_for_a_box_on_the_way(self):
        """A14."""
        for data in (answer(b"", status="413 Payload Too Large"),
                     answer(b"<html><title>413 Request Entity Too Large</title></html>", "Content-Type: text/html", status="413 Payload Too Large")):
            with Script(always(data)) as server:
                got, = steps(server.url, "lines", 2, "upload", "m")
                self.assertEqual((got["trouble"], got["may_be_done"], got["file"], len(server.requests)), ("too_large", 0, "", 1))

    def test_answers_that_are_none(self):
        for data, trouble, done in ((answer(b"OK"), "later", 1), (answer(b""), "later", 1), (reply({"ok": 1}), "later", 1),
                                    (answer(b'{"id":"batch_1"'), "later", 1),
                                    (reply({"error": {"message": "no", "code": "token_limit_exceeded"}}), "queue_full", 0)):
            with Script(always(data)) as server:
                got, = steps(server.url, "create", "-")
                self.assertEqual((got["rc"], got["trouble"], got["may_be_done"], got["id"], len(server.requests)), (0, trouble, done, "", 1), got)

    def test_interrupts(self):
        def hang(*_):
            time.sleep(4)
            return None
        for words, done in ((("create", "-"), 1), (("lines", 1, "upload", "m"), 1), (("get", "b"), 0), (("results", "f"), 0)):
            with Script(hang) as server:
                got = steps(server.url, "interrupt", 200, *words)[-1]
                self.assertEqual((got["rc"], got["code"], got["may_be_done"]), (9, "interrupted", done), got)
                self.assertTrue(200 <= got["ms"] < 600, got["ms"])
        with Script(always(error("503 Oops", "overloaded"))) as server:  # between two tries
            got, = steps(server.url, "backoff", 8000, "interrupt", 200, "get", "b")
            self.assertEqual((got["rc"], got["code"], len(server.requests)), (9, "interrupted", 1))
        with Script(always(error("400 Bad Request", "no such file"))) as server:
            got, = steps(server.url, "interrupt", 400, "create", "-")
            self.assertEqual((got["rc"], got["may_be_done"]), (9, 0))

    def test_ids_that_lead_elsewhere(self):
        with Script(always(reply(batch()))) as server:
            for name in ("../files", "a/b", "a?b", "", "a%2e"):
                for step in ("get", "cancel", "results", "delete_file"):
                    got, = steps(server.url, step, name)
                    self.assertEqual((got["rc"], got["code"], server.requests), (1, "bad_answer", []), got)

    def test_who_may_be_asked(self):
        with Script(always(reply(batch()))) as server:
            for env, code in (({"LLMCOST_ALLOW_HOSTS": ""}, "host_not_allowed"), ({"OPENAI_API_KEY": ""}, "no_key")):
                got, = steps(server.url, "get", "b", env=env)
                self.assertEqual((got["step"], got["code"], server.requests), ("open", code, []))
            got, = steps(server.url, "cancel", "b", who="openrouter")
            self.assertEqual((got["code"], server.requests), ("bad_api", []))

    def test_the_key_is_not_told(self):
        key = KEYS["OPENAI_API_KEY"]
        for data in (error("401 Unauthorized", f"Incorrect API key provided: {key}."), error("400 Bad Request", "x" + key[::-1] + key, key),
                     reply(batch(key)), reply(batch(status=key)), reply({"id": key, "object": "file"}), answer(key.encode()),
                     reply(batch(errors={"data": [{"code": key, "message": key}]}))):
            with Script(always(data)) as server:
                got = steps(server.url, "retries", 0, "get", "b", "create", "-", "lines", 1, "upload", "m", "cancel", "b", "find", "0:1")
                self.assertNotIn(key, json.dumps(got))

    def test_no_room(self):
        got = steps("http://127.0.0.1:9/v1", "lines", 1, env={"SQLITE_TMPDIR": "/nowhere"}, code=3)
        self.assertEqual(got, [])


class Lists(unittest.TestCase):
    def pages(self, items, size=100):
        """A list that goes on behind each page by its last id."""
        def serve(n, method, path, body):
            after = re.search(r"after(?:_id)?=([^&]*)", path)
            at = [i["id"] for i in items].index(after[1]) + 1 if after else 0
            page = items[at:at + size]
            return reply({"object": "list", "data": page, "has_more": at + size < len(items), "last_id": page[-1]["id"] if page else None})
        return Script(serve)

    def test_by_mark(self):
        items = [batch(f"b{i}", "completed", metadata={"llmcost": f"m{i}"}, created_at=1790000000 - i) for i in range(950)]
        with self.pages(items) as server:
            got, = steps(server.url, "mark", "m349", "find", f"{1790000000000 - 400000}:3")
            self.assertEqual((got["match"], got["id"], len(server.requests)), ("yes", "b349", 4))
            got, = steps(server.url, "mark", "none", "find", f"{1789999000000}:3")
            self.assertEqual((got["match"], got["trouble"], len(server.requests)), ("no", "", 14))

    def test_old_ones_are_left_unlooked_at(self):
        items = [batch(f"b{i}", "completed", created_at=1790000000 - 3600 * i) for i in range(500)]
        since = 1790000000000 - 50 * 3600000
        with self.pages(items) as server:
            got, = steps(server.url, "find", f"{since}:3")
            self.assertEqual((got["match"], len(server.requests)), ("no", 1))
        with self.pages(items[::-1]) as server:  # oldest first: the end may hold it
            got, = steps(server.url, "find", f"{since}:3")
            self.assertEqual((got["match"], len(server.requests)), ("no", 5))

    def test_without_marks(self):
        def message_batch(i, total, second):
            return {"id": f"msgbatch_{i}", "type": "message_batch", "processing_status": "in_progress", "created_at": f"2026-09-21T14:13:{second:02}Z",
                    "request_counts": {"processing": total, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0}}
        items = [message_batch(1, 3, 50), message_batch(2, 3, 21), message_batch(3, 4, 20), message_batch(4, 3, 5)]
        since = 1790000000000  # 14:13:20
        with self.pages(items) as server:
            ask = ("find", f"{since}:3")
            first, second, none = steps(server.url, *ask, "taken", "msgbatch_2", *ask, "taken", "msgbatch_1", "taken", "msgbatch_4", *ask,
                                        who="anthropic")
        self.assertEqual([(s["match"], s["id"]) for s in (first, second, none)], [("maybe", "msgbatch_2"), ("maybe", "msgbatch_4"), ("no", "")])

    def test_one_without_end(self):
        def serve(n, method, path, body):
            return reply({"data": [batch(f"b{n}", created_at=1790000000 + n)], "has_more": True})
        with Script(serve) as server:
            got, = steps(server.url, "find", "0:3")
            self.assertEqual((got["match"], got["trouble"], len(server.requests)), ("no", "later", 100))

    def test_trouble_on_the_way_is_no_answer(self):
        items = [batch(f"b{i}", created_at=1790000000 - i) for i in range(300)]
        with self.pages(items) as list_of:
            good = list_of.reply
            with Script(lambda n, *rest: good(n, *rest) if n == 1 else error("500 Oops", "oops")) as server:
                got, = steps(server.url, "find", "0:3")
                self.assertEqual((got["match"], got["trouble"], len(server.requests)), ("no", "later", 4))
        with Script(always(reply({"data": "none"}))) as server:
            self.assertEqual(steps(server.url, "find", "0:3")[0]["trouble"], "later")

    def test_files(self):
        def file(i, mark):
            return {"id": f"file-{i}", "object": "file", "purpose": "batch", "filename": f"llmcost-{mark}.jsonl"}
        items = [file(i, "m1" if i % 50 == 7 else "m11") for i in range(230)]
        with self.pages(items) as server:
            got, none = steps(server.url, "files", "m1", "files", "m")
            self.assertEqual((got["files"], got["all"]), ([f"file-{i}" for i in (7, 57, 107, 157, 207)], 5))
            self.assertEqual((none["files"], none["trouble"]), ([], ""))
            self.assertEqual(server.asked()[:2], ["GET /v1/files?purpose=batch&limit=100", "GET /v1/files?purpose=batch&limit=100&after=file-99"])

        def numbered(n, method, path, body):
            page = int((re.search(r"page=(\d+)$", path) or [0, 0])[1])
            return reply({"data": items[page * 100:page * 100 + 100], "total": len(items)})
        with Script(numbered) as server:
            got, = steps(server.url, "files", "m1", who="mistral")
            self.assertEqual((got["all"], len(server.requests)), (5, 3), server.asked())


class Results(unittest.TestCase):
    def read(self, data, *words, who="openai", name="file-1", program=CHECKED):
        with Script(data if callable(data) else always(data)) as server:
            got = steps(server.url, *words, "results", name, who=who, program=program)[-1]
            self.asked = server.asked()
            return got

    def test_line_ends(self):
        """A06."""
        lines = [line(i, "a\u2028b\u0085c") for i in range(1, 6)]
        for name, body in (("crlf", "\r\n".join(lines) + "\r\n"), ("bom", "\ufeff" + "\n".join(lines) + "\n"),
                           ("no last one", "\n".join(lines)), ("blank ones", "\n\n".join(lines) + "\n\n")):
            for coding, data in (("", body.encode()), ("gzip", gzip.compress(body.encode()))):
                got = self.read(answer(data, *(["Content-Encoding: gzip"] if coding else [])))
                self.assertEqual(got["results"], [f"r{i}-1-steps answered" for i in range(1, 6)], name)
                self.assertEqual((got["trouble"], got["torn"], got["bytes"]), ("", 0, len(body.encode())))

    def test_bad_lines_void_nothing(self):
        """A05."""
        body = "\n".join([line(1), '{"custom_id":"r2-1-steps","resp', "null", "[1]", line(5)]) + "\n"
        got = self.read(answer(body.encode()))
        self.assertEqual((got["trouble"], got["lines"], got["unreadable"]), ("", 5, 3))
        self.assertEqual((got["results"][0], got["results"][4]), ("r1-1-steps answered", "r5-1-steps answered"))

    def test_a_line_of_any_length(self):
        body = "\n".join([line(1), line(2, "x" * (30 * MB)), line(3)]).encode()
        small = self.read(answer(line(1).encode()), program=STEPS)
        got = self.read(answer(body), program=STEPS)
        self.assertEqual(got["results"], ["r1-1-steps answered", "r2-1-steps too_long", "r3-1-steps answered"])
        self.assertEqual((got["trouble"], got["unreadable"]), ("", 1))
        self.assertLess(got["peak_kb"] - small["peak_kb"], 40 * 1024)

    def test_torn_within_a_line(self):
        body = (line(1) + "\n" + line(2) + "\n")[:-30].encode()
        got = self.read(answer(body))
        self.assertEqual((got["results"], got["trouble"], got["torn"], len(self.asked)), (["r1-1-steps answered"], "later", 1, 1))

    def test_broken_off(self):
        """What was handed on is not asked for again; where nothing was, it is."""
        body = "".join(line(i) + "\n" for i in range(2000)).encode()
        whole = answer(body)

        def cut(at):
            def serve(n, *_):
                return whole[:at]
            return serve

        class Cut(Script):
            def serve(self, client, number):
                request = read_request(client)
                head, _ = request
                self.requests.append((*head.split()[:2], head, b""))
                client.sendall(self.reply(len(self.requests)))
        for at, lines, count in ((len(whole) // 2, True, 1), (len(whole) - len(body) + 40, False, 3), (30, False, 3)):
            with Cut(cut(at)) as server:
                got, = steps(server.url, "results", "f")
                self.assertEqual((got["trouble"], got["lines"] > 0, got["torn"], len(server.requests)), ("later", lines, int(at > 50), count), at)
                self.assertLess(got["lines"], 2000)
        with Cut(lambda n: whole[:60] if n == 1 else whole) as server:
            got, = steps(server.url, "results", "f")
            self.assertEqual((got["trouble"], got["lines"], got["torn"]), ("", 2000, 0))
        ends = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body
        with Cut(always(ends)) as server:
            got, = steps(server.url, "results", "f")
            self.assertEqual((got["trouble"], got["lines"], got["open_ended"]), ("", 2000, 1))

    def test_errors_in_their_place(self):
        """A17: an object, a page, another status: never a line."""
        gone = {"error": {"message": "The file is no longer available", "code": None, "type": "invalid_request_error"}}
        later = {"error": {"message": "overloaded", "type": "server_error", "code": "overloaded"}}
        for data, trouble in ((reply(gone), "gone"), (reply(later), "later"), (answer(b"<html><title>Sign in</title>\n<p>x</html>"), "later"),
                              (reply(gone, status="404 Not Found"), "gone"), (reply({"error": "x"}, status="403 Forbidden"), "key"),
                              (answer(b"", status="204 No Content").replace(b"Content-Length: 0\r\n", b""), "later"),
                              (answer(b"{}", status="202 Accepted"), "not_yet"),
                              (error("400 Bad Request", "Batch is still processing"), "not_yet"), (answer(b"", status="302 Found"), None)):
            got = self.read(data, "retries", 0)
            self.assertEqual((got["rc"], got["lines"], got["torn"]), (0, 0, 0), got)
            self.assertTrue(got["message"] and (trouble is None or got["trouble"] == trouble), (got, trouble))
        none = self.read(answer(b""))
        self.assertEqual((none["trouble"], none["lines"], none["pages"]), ("", 0, 1))  # (a file may be empty)

    def test_who_takes_them_may_give_up(self):
        body = "".join(line(i) + "\n" for i in range(50000)).encode()
        got = self.read(answer(body), "stop", 10)
        self.assertEqual((got["rc"], got["code"], got["error"], len(got["results"])), (1, "store", "the taker gave up", 9))
        self.assertEqual(len(self.asked), 1)

    def test_pages(self):
        def serve(n, method, path, body):
            at = int((re.search(r"cursor=c(\d+)", path) or [0, 0])[1])
            page = [json.loads(line(i)) for i in range(at, min(at + 40, 100))]
            return reply({"data": page, "has_more": at + 40 < 100, "next_cursor": f"c{at + 40}" if at + 40 < 100 else None})
        got = self.read(serve, who="openrouter", name="batch_1")
        self.assertEqual(got["results"], [f"r{i}-1-steps answered" for i in range(100)])
        self.assertEqual((got["pages"], got["trouble"], self.asked[1]), (3, "", "GET /v1/batches/batch_1/results?cursor=c40"))
        torn = self.read(lambda n, *rest: answer(serve(n, *rest).split(b"\r\n\r\n", 1)[1][:-20]) if n == 2 else serve(n, *rest),
                         who="openrouter", name="batch_1")
        self.assertEqual((torn["pages"], torn["trouble"], torn["torn"]), (2, "later", 1))
        failed = self.read(reply({"error": {"message": "The batch was deleted", "code": 404}}), who="openrouter", name="batch_1")
        self.assertEqual((failed["lines"], failed["trouble"]), (0, "gone"), failed)


if __name__ == "__main__":
    unittest.main()
