"""Our requests under other people's checkers: the vendors' OpenAPI documents served by @stdy/cli, and aimock."""
import json
import os
import socket
import subprocess
import time
import unittest

from harness import KEYS, SHARED, TempDir, clean_env, connect, npm_package, setup_sql, value

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}
# One of each shape we send.
OPTIONS = [
    {}, {"system": "Be brief."}, {"max_tokens": 50}, {"temperature": 0.5}, {"top_p": 0.9}, {"stop": "END"},
    {"stop": ["END", "STOP"]}, {"schema": SCHEMA},
    {"system": "Be brief.", "max_tokens": 50, "temperature": 0, "top_p": 1, "stop": ["x"]},
]
CHAT = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "hello"}, {"role": "user", "content": "na\u00efve \"quotes\" \n \U0001f600"}]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port, process):
    for _ in range(600):
        if process.poll() is not None:
            return False
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.1)
    return False


class Checker:
    """A checker's server on loopback."""

    def __init__(self, *command):
        self.port = free_port()
        self.command = [c.replace("PORT", str(self.port)) for c in command]

    def __enter__(self):
        self.log = open(os.devnull, "w")
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=self.log, env=clean_env())
        assert wait_for(self.port, self.process), "the checker did not start: " + " ".join(self.command)
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


def ask_all(url, path, model, shapes):
    """Every shape through the extension. Returns the ledger's (http_status, error) rows."""
    with TempDir() as tmp:
        db = connect(os.path.join(tmp, "peer.db"))
        for sql in setup_sql(url)[:-1]:
            db.execute(sql).fetchall()
        db.execute("UPDATE llm_models SET base_url = ?", (url + path,))
        for options in shapes:
            options = {**options, "model": model, "cache": "off", "on_error": "json", "retries": 0}
            value(db, "SELECT llm_complete('What is your return policy?', ?)", json.dumps(options))
        value(db, "SELECT llm_chat(?, ?)", json.dumps(CHAT), json.dumps({"model": model, "on_error": "json", "retries": 0}))
        return db.execute("SELECT http_status, error FROM llm_calls ORDER BY id").fetchall()


class Steady(unittest.TestCase):
    def check(self, document, path, model, shapes):
        folder = npm_package("@stdy/cli")
        spec = os.path.join(SHARED, "data/specs", document)
        if not folder:
            self.skipTest("npm @stdy/cli can't be installed here")
        if not os.path.exists(spec):
            self.skipTest(document + " is not here")
        binary = os.path.join(os.path.dirname(os.path.dirname(folder)), ".bin/steady")
        with Checker(binary, "--host", "127.0.0.1", "-p", "PORT", spec) as checker:
            rows = ask_all(checker.url, path, model, shapes)
            self.assertEqual(len(rows), len(shapes) + 1)
            refused = [r for r in rows if r[0] != 200]
            self.assertEqual(refused, [])

    def test_openai_document(self):
        self.check("openai-openapi.yaml", "", "gpt-4o-mini", OPTIONS + [{"seed": 7}])

    def test_anthropic_document(self):
        # The document is of November 2024: older than output_config, the API's structured outputs.
        self.check("anthropic-openapi.json", "/v1", "claude-haiku-4-5", [o for o in OPTIONS if "schema" not in o])

    def test_the_checker_does_refuse(self):
        """A test that can't fail proves nothing: a request with a wrong type is refused."""
        folder = npm_package("@stdy/cli")
        spec = os.path.join(SHARED, "data/specs/openai-openapi.yaml")
        if not folder or not os.path.exists(spec):
            self.skipTest("npm @stdy/cli or the document is not here")
        import urllib.error
        import urllib.request
        binary = os.path.join(os.path.dirname(os.path.dirname(folder)), ".bin/steady")
        with Checker(binary, "--host", "127.0.0.1", "-p", "PORT", spec) as checker:
            body = json.dumps({"model": "gpt-4o-mini", "messages": "not an array"}).encode()
            request = urllib.request.Request(checker.url + "/chat/completions", body, {"Content-Type": "application/json"})
            with self.assertRaises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(request, timeout=20)
            self.assertEqual(caught.exception.code, 400)
            caught.exception.close()


class Aimock(unittest.TestCase):
    def test_openai_and_anthropic(self):
        folder = npm_package("@copilotkit/aimock")
        if not folder:
            self.skipTest("npm @copilotkit/aimock can't be installed here")
        with TempDir() as tmp:
            fixture = {"fixtures": [{"match": {"userMessage": "return policy"}, "response": {"content": "{\"n\":30}"}},
                                    {"match": {"userMessage": "na"}, "response": {"content": "fine"}}]}
            with open(os.path.join(tmp, "f.json"), "w") as f:
                json.dump(fixture, f)
            with Checker("node", folder + "/dist/cli.js", "-p", "PORT", "-h", "127.0.0.1", "-f", tmp) as checker:
                for model in ("gpt-4o-mini", "claude-haiku-4-5"):
                    with self.subTest(model):
                        rows = ask_all(checker.url, "/v1", model, OPTIONS)
                        self.assertEqual([r for r in rows if r[0] != 200 or (r[1] and "unpriced" not in r[1])], [])


if __name__ == "__main__":
    unittest.main()
