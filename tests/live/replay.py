"""A provider that sends the bytes it is told to: a body with its headers, a piece at a time, late, or not to its end."""
import json
import socket
import socketserver
import threading
import time

USAGE = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
MODEL = "gpt-4o-mini-2024-07-18"  # priced: 0.15 and 0.60 dollars per million
COST = 100 * 150 + 20 * 600  # nano-dollars
CLAUDE = "claude-haiku-4-5-20251001"


class Answer:
    """What is sent: `body` (bytes, text or JSON), in `pieces` with `gap` seconds between them, after `wait` seconds; `cut`: the
    connection ends that many bytes early; `close`: behind the last, which a header tells, or "silently"; `hang`: it stays open; `mute`: it
    ends without a byte; `before`: answers in front of it (103, 100), as they are."""

    def __init__(self, body=b"", status=200, type="application/json", headers=(), wait=0, pieces=1, gap=0, cut=0, hang=False,
                 close=False, chunked=False, rst=False, mute=False, before=b""):
        self.body = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
        self.status, self.type, self.headers, self.wait, self.pieces, self.gap = status, type, headers, wait, pieces, gap
        self.before = before
        self.cut, self.hang, self.close, self.chunked, self.rst, self.mute = cut, hang, close, chunked, rst, mute


def chat(content="fine", finish="stop", usage=USAGE, message=None, choice=None, **more):
    """A whole chat completion."""
    inner = {"role": "assistant", "content": content, **(message or {})}
    body = {"id": "c", "object": "chat.completion", "model": MODEL,
            "choices": [{"index": 0, "message": inner, "finish_reason": finish, **(choice or {})}], **more}
    return {**body, "usage": usage} if usage is not None else body


def claude(content="fine", stop="end_turn", **more):
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return {"id": "m", "type": "message", "role": "assistant", "model": CLAUDE, "content": blocks, "stop_reason": stop,
            "usage": {"input_tokens": 100, "output_tokens": 20}, **more}


def sse(*events, done=True, names=False):
    """Server-sent events of JSON values."""
    text = "".join((f"event: {e['type']}\n" if names else "") + f"data: {json.dumps(e)}\n\n" for e in events)
    return text + ("data: [DONE]\n\n" if done else "")


def chunk(content=None, finish=None, usage=None, **delta):
    delta = {**({"content": content} if content is not None else {}), **delta}
    return {"id": "c", "object": "chat.completion.chunk", "model": MODEL, "usage": usage,
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


USAGE_CHUNK = {"id": "c", "model": MODEL, "choices": [], "usage": USAGE}


class Handler(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def read_request(self):
        line = self.rfile.readline().decode()
        if not line:
            return None
        headers = {}
        while (h := self.rfile.readline().decode().strip()):
            name, value = h.split(":", 1)
            headers[name.lower()] = value.strip()
        body = self.rfile.read(int(headers.get("content-length", 0)))
        return line.split()[1], headers, body

    def send(self, a):
        self.wfile.write(a.before)
        head = f"HTTP/1.1 {a.status} X\r\n" + (f"Content-Type: {a.type}\r\n" if a.type else "")
        head += "".join(f"{k}: {v}\r\n" for k, v in a.headers)
        if a.close == "silently":  # the end goes out with the last byte, however busy the machine is
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        if a.chunked:
            head += "Transfer-Encoding: chunked\r\n"
        elif a.close in (False, "silently"):
            head += f"Content-Length: {len(a.body)}\r\n"
        self.wfile.write((head + ("Connection: close\r\n" if a.close is True else "") + "\r\n").encode())
        body = a.body[:len(a.body) - a.cut]
        size = max(1, -(-len(body) // a.pieces))
        for at in range(0, len(body), size):
            part = body[at:at + size]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part) if a.chunked else part)
            self.wfile.flush()
            time.sleep(a.gap)
        if a.chunked and not a.cut and not a.hang:
            self.wfile.write(b"0\r\n\r\n")

    def handle(self):
        try:
            self.answer_all()
        except ConnectionError:  # a client that had enough
            pass

    def answer_all(self):
        while (request := self.read_request()) is not None:
            path, headers, body = request
            name = path.split("/")[2]
            answers = self.server.answers[name]
            with self.server.lock:
                seen = self.server.requests.setdefault(name, [])
                seen.append((headers, body, path))
                a = answers[min(len(seen), len(answers)) - 1]
            a = a(json.loads(body)) if callable(a) else a
            self.server.stopping.wait(a.wait)
            if a.mute:
                return
            try:
                self.send(a)
                if a.hang:
                    self.server.stopping.wait(60)
            except OSError:
                return
            if a.rst:
                self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            if a.cut or a.hang or a.close or a.rst:
                return


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


class Replay:
    """`with Replay() as r: r.answers["name"] = [Answer(…), …]`: the n-th request of a name gets the n-th, then the last."""

    def __enter__(self):
        self.server = Server(("127.0.0.1", 0), Handler)
        self.answers = self.server.answers = {}
        self.requests = self.server.requests = {}
        self.server.lock, self.server.stopping = threading.Lock(), threading.Event()
        self.host = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.stopping.set()
        self.server.shutdown()
        self.server.server_close()

    def url(self, name):
        return f"http://{self.host}/a/{name}/v1"

    def asked(self, name):
        return len(self.requests.get(name, []))

    def body(self, name, n=-1):
        return json.loads(self.requests[name][n][1])
