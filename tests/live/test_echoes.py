"""A provider that repeats what it was sent, in whatever field, case or encoding: nothing of it is told on."""
import base64
import binascii
import html
import http.server
import json
import os
import re
import threading
import unittest
import urllib.parse

from harness import TempDir, connect, error_of, value

KEY = "sk-proj-Zq7TxW2mVb9KdLs4Rf8NcYg1"
PROMPT = "Patient Anna Kowalska, born 1961, was diagnosed with tuberculosis in Gdansk."
SYSTEM = "You are the clerk of Dr. Wieczorek's surgery; answer briefly."

FORMS = {
    "as it is": lambda s: s,
    "capitals": str.upper,
    "small": str.lower,
    "swapped case": str.swapcase,
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64 of more": lambda s: base64.b64encode(b"k=" + s.encode() + b";").decode(),
    "base64url": lambda s: base64.urlsafe_b64encode(b"?" + s.encode()).decode().rstrip("="),
    "base64 made small": lambda s: base64.b64encode(s.encode()).decode().lower(),
    "hexadecimal": lambda s: binascii.hexlify(s.encode()).decode(),
    "percent": lambda s: "".join(f"%{b:02X}" for b in s.encode()),
    "escapes of JSON": lambda s: "".join(f"\\u{ord(c):04x}" for c in s),
    "entities": lambda s: "".join(f"&#{ord(c)};" for c in s),
    "entities in hexadecimal": lambda s: "".join(f"&#x{ord(c):X};" for c in s),
    "percent for signs": lambda s: urllib.parse.quote(s, safe=""),
    "eight bytes of it": lambda s: s[11:19],
    "its end": lambda s: s[-14:],
    "its beginning": lambda s: s[:9] + "…",
    "inside a word": lambda s: "x" + s[3:] + "y",
    "in brackets": lambda s: f"[{s}]",
}
# field: status, body with ECHO in the place of what is repeated
FIELDS = {
    "message": (400, {"error": {"message": "bad thing: ECHO", "type": "invalid_request_error", "code": "bad"}}),
    "code": (429, {"error": {"message": "slow down", "type": "rate", "code": "ECHO"}}),
    "type": (500, {"error": {"message": "sorry", "type": "ECHO", "code": None}}),
    "status": (403, {"error": {"message": "no", "status": "ECHO"}}),
    "401": (401, {"error": {"message": "Incorrect API key provided: ECHO", "code": "ECHO"}}),
    "404": (404, {"error": {"message": "no such ECHO"}}),
    "error as a text": (400, {"error": "ECHO"}),
    "detail": (422, {"detail": "ECHO"}),
    "detail list": (422, {"detail": [{"msg": "field ECHO", "loc": ["ECHO"]}]}),
    "details": (400, {"error": {"message": "x", "details": {"error_code": "ECHO"}}}),
    "in an array": (400, [{"error": {"message": "ECHO", "status": "ECHO"}}]),
    "error in a success": (200, {"error": {"message": "ECHO", "code": "ECHO"}}),
    "model": (200, {"model": "ECHO", "choices": [{"message": {"content": "fine"}, "finish_reason": "stop"}],
                    "usage": {"prompt_tokens": 1, "completion_tokens": 1}}),
    "vendor of the model": (200, {"model": "ECHO/gpt-4o-mini", "usage": {"prompt_tokens": 1, "completion_tokens": 1},
                                  "choices": [{"message": {"content": "fine"}, "finish_reason": "stop"}]}),
    "finish_reason": (200, {"model": "gpt-4o-mini", "choices": [{"message": {"content": None}, "finish_reason": "ECHO"}],
                            "usage": {"prompt_tokens": 1, "completion_tokens": 1}}),
    "usage": (200, {"model": "gpt-4o-mini", "choices": [{"message": {"content": "fine"}, "finish_reason": "stop"}],
                    "usage": {"prompt_tokens": "ECHO", "completion_tokens": 1, "ECHO": 5,
                              "prompt_tokens_details": {"ECHO": 7}}}),
    "service_tier": (200, {"model": "gpt-4o-mini", "service_tier": "ECHO",
                           "choices": [{"message": {"content": "fine"}, "finish_reason": "stop"}],
                           "usage": {"prompt_tokens": 1, "completion_tokens": 1, "ECHO_tokens": 3}}),
    "no JSON": (500, "<html>ECHO</html>"),
    "a broken success": (200, "{\"ECHO\": ECHO"),
    "a redirect": (302, {"error": {"message": "ECHO"}}),
}


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers as the class attributes say."""
    status, body, headers_more = 200, b"", {}

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.status, self.headers_more.get("reason"))
        for name, text in self.headers_more.items():
            if name != "reason":
                self.send_header(name, text)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_):
        pass


def pieces(secret, window):
    folded = secret.lower()
    return {folded[i:i + window] for i in range(len(folded) - window + 1)}


def readings(text):
    """A text as it is, and whatever may be read out of it."""
    yield text
    yield urllib.parse.unquote(text, errors="replace")
    yield html.unescape(re.sub(r"\\+u([0-9A-Fa-f]{4})", lambda m: chr(int(m[1], 16)), text))
    for run in re.findall(r"[0-9A-Fa-f]{16,}", text):
        for at in (0, 1):
            cut = run[at:]
            yield binascii.unhexlify(cut[:len(cut) // 2 * 2]).decode("latin-1")
    for run in re.findall(r"[0-9A-Za-z+/_-]{11,}", text):
        for at in range(4):
            cut = run[at:].replace("-", "+").replace("_", "/")
            yield base64.b64decode(cut[:len(cut) // 4 * 4] or b"").decode("latin-1")


class Echoes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
        threading.Thread(target=cls.server.serve_forever, args=(0.01,), daemon=True).start()
        cls.host = f"127.0.0.1:{cls.server.server_port}"

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        cls.server.server_close()

    def setUp(self):
        self.tmp = TempDir()
        self.path = os.path.join(self.tmp.name, "desk.db")
        self.seen = 0
        self.db = connect(self.path)
        for sql in ("SELECT llm_config('log_text', 'none')", "SELECT llm_config('backoff_ms', 0)", "SELECT llm_init()",
                    f"SELECT llm_allow_host('{self.host}', 'OPENAI_API_KEY')", f"SELECT llm_secret('OPENAI_API_KEY', '{KEY}')",
                    f"UPDATE llm_models SET base_url = 'http://{self.host}/v1'"):
            self.db.execute(sql).fetchall()

    def tearDown(self):
        self.db.close()
        self.tmp.cleanup()

    def ask(self, **more):
        options = json.dumps({"model": "gpt-4o-mini", "retries": 1, "on_error": "json", "system": SYSTEM, **more})
        return value(self.db, "SELECT llm_complete(?, ?)", PROMPT, options)

    def told(self, **more):
        """Every text a caller or a reader of the ledger gets to see."""
        texts = [self.ask(**more), self.ask(cache="off", **more)]
        try:
            texts.append(value(self.db, "SELECT llm_complete(?, ?)", PROMPT,
                               json.dumps({"model": "gpt-4o-mini", "retries": 0, "cache": "refresh", "system": SYSTEM, **more})))
        except Exception as e:
            texts.append(str(e))
        rows = self.db.execute("SELECT * FROM llm_calls WHERE id > ?", (self.seen,)).fetchall()
        self.assertGreater(len(rows), 0)
        self.seen = max(row[0] for row in rows)
        return [str(t) for t in texts + [c for row in rows for c in row if isinstance(c, str)]]

    def check(self, where, secret, window, only_letters):
        for text in self.told():
            for reading in readings(text):
                got = re.sub(r"[^0-9A-Za-z\x80-\uffff]", "", reading) if only_letters else reading
                found = [p for p in pieces(secret, window) if p in got.lower()]
                self.assertFalse(found, f"{where}: {text!r} holds {found}")

    def say(self, field, echo):
        status, body = FIELDS[field]
        text = body if isinstance(body, str) else json.dumps(body)
        Echo.status, Echo.body = status, text.replace("ECHO", json.dumps(echo)[1:-1]).encode()
        Echo.headers_more = {"x-request-id": "r"}

    def test_no_piece_of_a_key(self):
        for field in FIELDS:
            for form, make in FORMS.items():
                with self.subTest(field=field, form=form):
                    self.say(field, make(KEY))
                    self.check((field, form), KEY, 8, False)
        self.db.close()
        for name in os.listdir(self.tmp.name):
            with open(os.path.join(self.tmp.name, name), "rb") as f:
                data = f.read().decode("latin-1").lower()
            self.assertFalse([p for p in pieces(KEY, 8) if p in data], name)

    def test_no_piece_of_a_prompt(self):
        for field in FIELDS:
            for form in ("as it is", "capitals", "base64", "base64 of more", "hexadecimal", "percent",
                         "escapes of JSON", "entities", "entities in hexadecimal"):
                for secret in (PROMPT, SYSTEM):
                    with self.subTest(field=field, form=form, secret=secret):
                        self.say(field, FORMS[form](secret))
                        self.check((field, form), re.sub(r"[^0-9A-Za-z]", "", secret), 16, True)

    def test_in_headers_and_the_reason(self):
        for form, make in FORMS.items():
            with self.subTest(form=form):
                self.say("message", "nothing")
                echo = make(KEY).encode("ascii", "ignore").decode()
                Echo.headers_more = {"reason": echo, "x-request-id": echo, "retry-after": echo, "x-should-retry": echo,
                                     "Location": f"http://{echo}/", "WWW-Authenticate": f"Bearer {echo}",
                                     "Content-Type": echo, "x-ms-region": echo}
                self.check(form, KEY, 8, False)

    def test_in_an_answer_that_fails_its_schema(self):
        schema = {"type": "object", "additionalProperties": False, "properties": {"a": {"type": "integer"}}}
        for echo in (KEY, PROMPT, FORMS["base64"](KEY)):
            Echo.status, Echo.headers_more = 200, {}
            Echo.body = json.dumps({"model": "gpt-4o-mini", "choices": [
                {"message": {"content": json.dumps({echo: 1})}, "finish_reason": "stop"}]}).encode()
            for text in self.told(schema=schema):
                for reading in readings(text):
                    self.assertFalse([p for p in pieces(KEY, 8) if p in reading.lower()], text)
                self.assertNotIn("Kowalska", text)

    def test_a_message_that_repeats_nothing_is_told(self):
        self.say("message", "the parameter 'top_p' must be at most 1")
        said = self.ask()
        self.assertIn("bad thing: the parameter 'top_p' must be at most 1", said)
        self.assertIn("bad", value(self.db, "SELECT error FROM llm_calls LIMIT 1"))

    def test_embeddings(self):
        self.db.execute("UPDATE llm_models SET supports = json_object('embeddings', json('true'), 'dimensions', 4)"
                        " WHERE name = 'text-embedding-3-small'")
        for field in ("message", "code", "type", "model", "usage", "no JSON", "detail"):
            self.say(field, KEY)
            for sql in ("SELECT embed(?, 'text-embedding-3-small')",
                        "SELECT * FROM embed_batch(json_array(?), 'text-embedding-3-small')"):
                self.assertFalse([p for p in pieces(KEY, 8) if p in error_of(self.db, sql, PROMPT).lower()])
        for text in [c for row in self.db.execute("SELECT * FROM llm_calls") for c in row if isinstance(c, str)]:
            self.assertFalse([p for p in pieces(KEY, 8) if p in text.lower()], text)


if __name__ == "__main__":
    unittest.main()
