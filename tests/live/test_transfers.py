"""The transport's uploads, downloads and methods (ext/net), driven by build/transfer: bounded memory, exact bytes, what is torn,
stopped, interrupted or given up, and what a payer may believe of it.

Against the stand-in, and against bare sockets that say what no stand-in would.
"""
import gzip
import hashlib
import json
import os
import re
import socket
import subprocess
import threading
import time
import unittest
import zlib

from harness import ROOT, Standin, TempDir, clean_env

TRANSFER = os.path.join(ROOT, "build/transfer")
CHECKED = os.path.join(ROOT, "build/transfer_checked")
KEY = ("header", "Authorization: Bearer sk-transfer-test")
PATTERN = bytes(i * 7 % 251 for i in range(65521))
MB = 1 << 20
# Memory of the program with a finished request of a few bytes, and what one of any size may add: curl's buffers, and ours.
ROOM_KB = 4096


def pattern(n):
    return (PATTERN * (n // len(PATTERN) + 1))[:n]


def sha(data):
    return hashlib.sha256(data).hexdigest()


def transfer(*jobs, program=CHECKED, timeout=60):
    """Each job: options and the URL. The lines that were printed."""
    args = [str(a) for job in jobs for a in job]
    out = subprocess.run([program, *args], capture_output=True, text=True, timeout=timeout, env=clean_env(),
                         stdin=subprocess.DEVNULL)
    if out.returncode or out.stderr:
        raise AssertionError(f"{out.returncode}: {out.stderr[:2000]}")
    return [json.loads(line) for line in out.stdout.splitlines()]


class Bare:
    """A server whose every connection is dealt with by serve(connection, number)."""

    def __init__(self, serve):
        self.serve = serve
        self.n = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d/x" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.n += 1
            threading.Thread(target=self.run, args=(client, self.n), daemon=True).start()

    def run(self, client, number):
        try:
            self.serve(client, number)
        except OSError:
            pass
        client.close()


def read_request(client):
    """Its header (text) and body; None at the end of the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = client.recv(65536)
        if not more:
            return None
        data += more
    head, body = data.split(b"\r\n\r\n", 1)
    length = re.search(rb"content-length: *(\d+)", head, re.I)
    want = int(length[1]) if length else 0
    parts = [body]
    got = len(body)
    while got < want:
        more = client.recv(1 << 18)
        if not more:
            return None
        parts.append(more)
        got += len(more)
    return head.decode(), b"".join(parts)


def answer(body, *headers, status="200 OK"):
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def reset(client):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()


class StandIn(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.standin = Standin()
        cls.standin.__enter__()
        cls.files = cls.standin.url + "/v1/files"

    @classmethod
    def tearDownClass(cls):
        cls.standin.__exit__()

    def upload(self, n, *options, program=CHECKED):
        return (*KEY, "field", "purpose=batch", "upload", n, "keep", 1, *options, self.files)

    def test_a_file_goes_up_comes_down_and_is_deleted(self):
        n = 3 * MB + 17
        up, = transfer(self.upload(n))
        self.assertEqual((up["result"], up["status"], up["sent"], up["rewinds"]), ("answered", 200, n, 0), up)
        made = json.loads(up["body"])
        self.assertEqual((made["bytes"], made["filename"], made["purpose"]), (n, "input.jsonl", "batch"))
        one = f"{self.files}/{made['id']}"
        shown, down, gone, again, missing = transfer(
            (*KEY, "method", "GET", "keep", 1, one), (*KEY, "method", "GET", "sink", 1, one + "/content"),
            (*KEY, "method", "DELETE", "keep", 1, one), (*KEY, "method", "DELETE", one),
            (*KEY, "method", "GET", "sink", 1, "keep", 1, one + "/content"))
        self.assertEqual(json.loads(shown["body"])["id"], made["id"])
        self.assertEqual((down["result"], down["status"], down["taken"], down["received"], down["body_n"], down["open_ended"]),
                         ("answered", 200, n, n, 0, False))
        self.assertEqual(down["sha256"], sha(pattern(n)))
        self.assertGreater(down["pieces"], 10)
        self.assertEqual((gone["status"], json.loads(gone["body"])["deleted"]), (200, True))
        self.assertEqual(again["status"], 404)
        self.assertEqual((missing["result"], missing["status"], missing["taken"]), ("answered", 404, 0))
        self.assertIn("No such File object", json.loads(missing["body"])["error"]["message"])

    def test_the_form_is_what_the_provider_wants(self):
        """All that is wrong with a form is told apart from what is right."""
        for fields, error in ((("field", "purpose=batch", "field", "other=x y\"z"), None),
                              (("field", "other=1"), "'purpose' is a required"),
                              (("field", "purpose=nonsense"), "Invalid value")):
            r, = transfer((*KEY, *fields, "upload", 1000, "keep", 1, self.files))
            body = json.loads(r["body"])
            self.assertEqual((r["result"], r["status"]), ("answered", 400 if error else 200))
            self.assertIn(error or "input.jsonl", body["error"]["message"] if error else body["filename"])
        sent = self.standin.get("/standin/last")["headers"]
        self.assertRegex({k.lower(): v for k, v in sent.items()}["content-type"], r"^multipart/form-data; boundary=-+\w+$")

    def test_large_ones_take_no_memory(self):
        small = transfer((*KEY, "method", "GET", self.files + "/none"), program=TRANSFER)[0]["peak_kb"]
        self.assertGreater(small, 1000)
        up, = transfer(self.upload(100 * MB), program=TRANSFER)
        self.assertEqual((up["status"], up["sent"]), (200, 100 * MB))
        self.assertLess(up["peak_kb"], small + ROOM_KB)
        half, = transfer(self.upload(50 * MB), program=TRANSFER)
        down, = transfer((*KEY, "method", "GET", "sink", 1, f"{self.files}/{json.loads(half['body'])['id']}/content"),
                         program=TRANSFER)
        self.assertEqual((down["taken"], down["sha256"]), (50 * MB, sha(pattern(50 * MB))))
        self.assertLess(down["peak_kb"], small + ROOM_KB)

    def test_a_sink_that_stops(self):
        made = json.loads(transfer(self.upload(5 * MB))[0]["body"])
        stopped, after = transfer((*KEY, "method", "GET", "sink", 1, "stop", MB, f"{self.files}/{made['id']}/content"),
                                  (*KEY, "method", "GET", f"{self.files}/{made['id']}"))
        self.assertEqual((stopped["result"], stopped["status"]), ("given_up", 200))
        self.assertTrue(MB - 70000 < stopped["taken"] <= MB, stopped)
        self.assertEqual(after["status"], 200)

    def test_torn_downloads(self):
        made = json.loads(transfer(self.upload(MB))[0]["body"])
        torn, = transfer((*KEY, "header", "X-Standin-Scenario: truncated", "method", "GET", "sink", 1,
                          f"{self.files}/{made['id']}/content"))
        self.assertEqual((torn["result"], torn["status"], torn["taken"]), ("lost", 200, MB))

    def test_a_plain_upload_and_the_old_way(self):
        chat = '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"old way"}]}'
        json_header = ("header", "Content-Type: application/json")
        old, wrong = transfer((*KEY, *json_header, "body", chat, "keep", 1, self.standin.url + "/v1/chat/completions"),
                              (*KEY, *json_header, "upload", 70000, "keep", 1, self.standin.url + "/v1/chat/completions"))
        self.assertEqual((old["status"], old["sent"]), (200, len(chat)))
        self.assertEqual((wrong["status"], wrong["sent"]), (400, 70000))

    def test_a_source_that_fails(self):
        for fields in ((), ("field", "purpose=batch")):
            for how in ("short", "broken"):
                before = self.standin.bill()["requests"]
                r, after = transfer((*KEY, *fields, "upload", 5 * MB, how, 2 * MB, self.files),
                                    (*KEY, "method", "GET", self.files + "/none"))
                self.assertEqual((r["result"], r["sent"], r["status"]), ("given_up", 2 * MB, 0), (fields, how))
                self.assertEqual(after["status"], 404)
                self.assertEqual(self.standin.bill()["requests"], before + 1)  # nothing was made of the half one

    def test_interrupts(self):
        made = json.loads(transfer(self.upload(MB))[0]["body"])
        down, = transfer((*KEY, "header", "X-Standin-Scenario: slow-loris", "method", "GET", "sink", 1, "interrupt", 500,
                          f"{self.files}/{made['id']}/content"))
        self.assertEqual((down["result"], down["status"]), ("interrupted", 200))
        self.assertTrue(0 < down["taken"] < 10)
        self.assertTrue(500 <= down["ms"] < 600 + 150, down["ms"])

    def test_tls(self):
        with TempDir() as tmp:
            cert, key = (os.path.join(tmp, f) for f in ("cert.pem", "key.pem"))
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
                            "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
                           check=True, capture_output=True)
            with Standin("--tls-cert", cert, "--tls-key", key) as standin:
                files = standin.url + "/v1/files"
                refused, up = transfer((*KEY, "field", "purpose=batch", "upload", 9, files),
                                       (*KEY, "ca", cert, "field", "purpose=batch", "upload", 20 * MB, "keep", 1, files))
                self.assertEqual((refused["result"], refused["sent"]), ("not_sent", 0))
                self.assertIn("certificate", refused["why"].lower())
                made = json.loads(up["body"])
                self.assertEqual((up["status"], made["bytes"]), (200, 20 * MB))
                down, = transfer((*KEY, "ca", cert, "method", "GET", "sink", 1, f"{files}/{made['id']}/content"))
                self.assertEqual((down["taken"], down["sha256"]), (20 * MB, sha(pattern(20 * MB))))


class Downloads(unittest.TestCase):
    """Answers word for word."""

    def get(self, data, *options, close=True):
        def serve(client, _):
            while read_request(client):
                client.sendall(data)
                if close:
                    return
        with Bare(serve) as server:
            return transfer(("method", "GET", "sink", 1, "total", 5000, *options, "keep", 1, server.url))[0]

    TEXT = b"".join(b'{"custom_id":"%d","x":"%s"}\n' % (i, b"y" * (i % 50)) for i in range(20000))

    def test_whole_or_torn(self):
        chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"%x\r\n%s\r\n" % (len(self.TEXT), self.TEXT)
        for name, data, result, open_ended in (
                ("length", answer(self.TEXT), "answered", False),
                ("length, torn", answer(self.TEXT)[:-1], "lost", False),
                ("chunks", chunked + b"0\r\n\r\n", "answered", False),
                ("chunks, torn behind one", chunked, "lost", False),
                ("chunks, torn in one", chunked[:-100], "lost", False),
                ("torn within a header", b"HTTP/1.1 200 OK\r\nContent-Leng", "lost", False),
                ("torn between two", b"HTTP/1.1 200 OK\r\nX: y\r\n", "lost", False),
                ("neither", b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + self.TEXT, "answered", True)):
            with self.subTest(name):
                r = self.get(data)
                self.assertEqual((r["result"], r["open_ended"]), (result, open_ended), r)
                if result == "answered":
                    self.assertEqual(r["sha256"], sha(self.TEXT))

    def test_gzip_is_undone_on_the_way(self):
        packed = gzip.compress(self.TEXT)
        two = gzip.compress(self.TEXT[:1000]) + gzip.compress(self.TEXT[1000:])
        for name, body, coding, result in (
                ("gzip", packed, "gzip", "answered"), ("members", two, "gzip", "answered"),
                ("x-gzip", packed, "x-gzip", "answered"), ("not said", packed, "utf-8", "answered"),
                ("said, and it is none", self.TEXT, "gzip", "answered"), ("a name of none", self.TEXT, "utf-8", "answered"),
                ("ends early", packed[:-20], "gzip", "lost"), ("a wrong sum", packed[:-8] + b"\1\2\3\4" + packed[-4:], "gzip", "refused"),
                ("br", self.TEXT, "br", "refused"), ("deflate", zlib.compress(self.TEXT), "deflate", "refused")):
            with self.subTest(name):
                r = self.get(answer(body, "Content-Encoding: " + coding))
                self.assertEqual((r["result"], r["received"] <= len(body)), (result, True), r)
                if result == "answered":
                    self.assertEqual((r["sha256"], r["received"]), (sha(self.TEXT), len(body)))
                if coding in ("br", "deflate"):
                    self.assertEqual(r["taken"], 0)
                    self.assertIn("coded", r["why"])

    def test_a_bomb_is_the_sinks_to_stop(self):
        r = self.get(answer(gzip.compress(b"\0" * 50 * MB), "Content-Encoding: gzip"), "stop", MB)
        self.assertEqual(r["result"], "given_up")
        self.assertLessEqual(r["taken"], MB)

    def test_gzip_alone_is_asked_for(self):
        seen = []

        def serve(client, _):
            while request := read_request(client):
                seen.append(request[0])
                client.sendall(answer(b"{}"))
        with Bare(serve) as server:
            transfer(("method", "GET", "sink", 1, server.url), ("body", "x", server.url), ("method", "DELETE", server.url))
        self.assertEqual([re.search(r"accept-encoding: (.*)\r", h + "\r", re.I)[1] for h in seen],
                         ["gzip", "gzip, deflate, br", "gzip, deflate, br"])
        self.assertEqual([h.split()[0] for h in seen], ["GET", "POST", "DELETE"])
        self.assertNotIn("content-length", (seen[0] + seen[2]).lower())

    def test_other_statuses_are_kept_and_bounded(self):
        for status in ("404 Not Found", "500 Oops", "302 Found", "206 Partial Content"):
            r = self.get(answer(b'{"error":"x"}', "Location: http://127.0.0.1:9/", status=status))
            self.assertEqual((r["result"], r["status"], r["taken"], r["body"]),
                             ("answered", int(status[:3]), 0, '{"error":"x"}'))
        packed = gzip.compress(b'{"error":"packed"}')
        r = self.get(answer(packed, "Content-Encoding: gzip", status="404 Not Found"))
        self.assertEqual(r["body"], '{"error":"packed"}')
        r = self.get(answer(b"x" * (17 * MB), status="404 Not Found"))
        self.assertEqual((r["result"], r["body_n"]), ("refused", 0))

    def test_an_empty_one(self):
        r = self.get(answer(b""))
        self.assertEqual((r["result"], r["status"], r["taken"]), ("answered", 200, 0))

    def test_silence(self):
        def serve(client, _):
            read_request(client)
            client.sendall(answer(self.TEXT)[:5000])
            time.sleep(5)
        with Bare(serve) as server:
            idle, = transfer(("method", "GET", "sink", 1, "idle", 300, server.url))
            total, = transfer(("method", "GET", "sink", 1, "total", 300, server.url))
        self.assertEqual((idle["result"], idle["why"]), ("lost", "no byte arrived in time"))
        self.assertEqual((total["result"], total["why"]), ("timed_out", "no whole answer in time"))
        for r in (idle, total):
            self.assertTrue(300 <= r["ms"] < 500, r["ms"])


class Uploads(unittest.TestCase):
    def test_bytes_arrive_as_they_are(self):
        seen = []

        def serve(client, _):
            while request := read_request(client):
                seen.append(request)
                client.sendall(answer(b"{}"))
        n = 2 * MB + 3
        with Bare(serve) as server:
            transfer(("upload", n, "header", "Content-Type: application/x-ndjson", server.url),
                     ("upload", n, "field", "purpose=batch", "field", "e=<&>", server.url), ("upload", 0, server.url))
            self.assertEqual(server.n, 1)
        self.assertEqual(sha(seen[0][1]), sha(pattern(n)))
        self.assertIn("Content-Type: application/x-ndjson", seen[0][0])
        head, body = seen[1]
        boundary = re.search(r"boundary=(\S+)", head)[1].encode()
        parts = body.split(b"--" + boundary)
        self.assertEqual([p.split(b"\r\n\r\n")[0] for p in parts[1:3]],
                         [b'\r\nContent-Disposition: form-data; name="purpose"', b'\r\nContent-Disposition: form-data; name="e"'])
        self.assertEqual(parts[2], b'\r\nContent-Disposition: form-data; name="e"\r\n\r\n<&>\r\n')
        self.assertEqual(parts[3].split(b"\r\n\r\n", 1)[0],
                         b'\r\nContent-Disposition: form-data; name="file"; filename="input.jsonl"\r\nContent-Type: application/jsonl')
        self.assertEqual(parts[3].split(b"\r\n\r\n", 1)[1], pattern(n) + b"\r\n")
        self.assertNotIn("Transfer-Encoding", head + seen[0][0])
        self.assertNotIn("Expect", head)
        self.assertEqual(seen[2][1], b"")

    def stalled(self, *options):
        """An upload to a server that stops reading."""
        done = threading.Event()

        def serve(client, _):
            client.recv(100)
            done.wait(10)
        with Bare(serve) as server:
            r, = transfer(("upload", 60 * MB, *options, server.url))
            done.set()
        return r

    def test_one_that_stalls(self):
        for fields in ((), ("field", "purpose=batch")):
            r = self.stalled("idle", 400, *fields)
            self.assertEqual((r["result"], r["why"]), ("lost", "no byte arrived in time"))
            self.assertTrue(400 <= r["ms"] < 1500, r["ms"])
            r = self.stalled("total", 400, *fields)
            self.assertEqual(r["result"], "timed_out")
            r = self.stalled("interrupt", 400, *fields)
            self.assertEqual(r["result"], "interrupted")
            self.assertTrue(400 <= r["ms"] < 500 + 100, r["ms"])
            self.assertTrue(0 < r["sent"] < 60 * MB)

    def test_refused_before_it_is_all_there(self):
        """A server that answers 413 early and waits for the rest to be given up."""
        def serve(client, _):
            client.recv(1000)
            client.sendall(answer(b'{"error":"too large"}', "Connection: close", status="413 Payload Too Large"))
            client.shutdown(socket.SHUT_WR)
            while client.recv(1 << 18):
                pass
        with Bare(serve) as server:
            r, = transfer(("upload", 60 * MB, "field", "purpose=batch", "keep", 1, server.url))
        self.assertEqual((r["result"], r["status"], r["body"]), ("answered", 413, '{"error":"too large"}'))
        self.assertLess(r["sent"], 60 * MB)

    def test_nobody_there(self):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        url = f"http://127.0.0.1:{port}/x"
        for options in (("upload", 1000), ("upload", 1000, "field", "a=b"), ("method", "GET"), ("method", "DELETE"), ("body", "")):
            r, = transfer((*options, url))
            self.assertEqual((r["result"], r["sent"]), ("not_sent", 0), options)

    def test_what_left_and_was_not_answered_is_lost(self):
        """Also what has no body of its own: it has left."""
        def serve(client, _):
            read_request(client)
        with Bare(serve) as server:
            for options in (("body", "x"), ("body", ""), ("method", "GET"), ("method", "DELETE"), ("upload", 10),
                            ("upload", 10, "field", "a=b")):
                r, = transfer((*options, server.url))
                self.assertEqual(r["result"], "lost", options)


class DeadKeptConnections(unittest.TestCase):
    """The other end hangs up between libcurl's look at the connection and its first byte."""

    def ask(self, *options, end=reset):
        seen = []

        def serve(client, number):
            if number > 1:
                while request := read_request(client):
                    seen.append(request)
                    client.sendall(answer(b'{"ok":1}'))
                return
            read_request(client)
            client.sendall(answer(b"{}"))
            time.sleep(1.2)  # (within a second of its answer it would be a server that hangs up each time)
            end(client)
        with Bare(serve) as server:
            first, r = transfer(("body", "warm", server.url), ("pause", 1000, "late", 500, *options, "keep", 1, server.url))
            self.assertEqual(first["status"], 200)
        return r, seen

    def test_it_goes_over_a_new_one_once(self):
        n = MB
        for end in (reset, socket.socket.close):
            for options in (("upload", n), ("upload", n, "field", "purpose=batch"), ("body", "x" * 1000)):
                r, seen = self.ask(*options, end=end)
                self.assertEqual((r["result"], r["status"], r["body"], len(seen)), ("answered", 200, '{"ok":1}', 1), (options, r))
                self.assertEqual(r["sent"], n if "upload" in options else 1000)
                if options == ("upload", n):
                    self.assertEqual(sha(seen[0][1]), sha(pattern(n)))
                if "field" in options:
                    self.assertIn(pattern(n), seen[0][1])
            for options in (("method", "GET"), ("method", "DELETE"), ("method", "GET", "sink", 1), ("body", "")):
                r, seen = self.ask(*options, end=end)
                self.assertEqual((r["result"], r["status"], len(seen)), ("answered", 200, 1), options)

    def test_an_upload_that_cannot_go_back(self):
        r, seen = self.ask("upload", MB, "stuck", 1, end=socket.socket.close)
        self.assertEqual((r["result"], r["rewinds"], seen), ("given_up", 1, []))

    def test_one_that_read_it_is_not_asked_again(self):
        """The request was there: whether it was acted on nobody knows."""
        again = []

        def serve(client, number):
            if number == 1:
                read_request(client)
                client.sendall(answer(b"{}"))
                client.recv(10)
                time.sleep(0.2)  # its system has said that it is there
                reset(client)
            again.append(client.recv(10))
        for options in (("upload", MB), ("upload", MB, "field", "a=b"), ("body", "x")):
            again.clear()
            with Bare(serve) as server:
                _, r = transfer(("body", "warm", server.url), (*options, server.url))
                self.assertEqual((r["result"], r["rewinds"], b"".join(again)), ("lost", 0, b""), options)


if __name__ == "__main__":
    unittest.main()
