"""Models that say what a test wants: a server for several of them, that answers each by its name."""
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def answer(text, tokens_in=100, tokens_out=10, **more):
    body = {"id": "x", "object": "chat.completion", "model": more.pop("model", None),
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop", **more}],
            "usage": {"prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": tokens_in + tokens_out}}
    return 200, {}, body


def failure(status, message="no", headers=None, **error):
    return status, headers or {}, {"error": {"message": message, **error}}


class Models:
    """says[model]: an answer, a list of them (the last stays), or a function of the body. asked: (model, body), in order."""

    def __init__(self):
        self.says, self.asked, self.lock = {}, [], threading.Lock()
        self.now = self.most_at_once = 0
        self.delay = 0
        models = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # headers and body are two packets: the second would wait for the first one's receipt

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, headers, reply = models.reply(body)
                data = json.dumps(reply).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                try:
                    self.end_headers()
                    self.wfile.write(data)
                except ConnectionError:
                    self.close_connection = True  # who asked did not wait

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.host = "127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def reply(self, body):
        model = body["model"]
        with self.lock:
            self.asked.append((model, body))
            self.now += 1
            self.most_at_once = max(self.most_at_once, self.now)
            says = self.says[model]
            if isinstance(says, list):
                says = says.pop(0) if len(says) > 1 else says[0]
        try:
            if self.delay:
                time.sleep(self.delay)
            status, headers, reply = says(body) if callable(says) else says
        finally:
            with self.lock:
                self.now -= 1
        if status == 200 and reply["model"] is None:
            reply = {**reply, "model": model}
        return status, headers, reply

    def names(self):
        return [model for model, _ in self.asked]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
