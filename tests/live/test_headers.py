"""What of a row of llm_models goes out as header lines and as URL: auth, headers, a query in base_url; and what must not."""
import http.client
import json
import os
import sqlite3
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness import KEYS, Desk, TempDir, connect, error_of, value

OLD_MODELS = """CREATE TABLE llm_models(
  name TEXT PRIMARY KEY, provider TEXT NOT NULL, api TEXT NOT NULL DEFAULT 'openai', base_url TEXT NOT NULL,
  key_env TEXT, context_window INTEGER, max_output INTEGER, supports TEXT)"""


class OlderTable(Desk):
    """A table that was made before the columns were there."""

    def setUp(self):
        super().setUp()
        self.old = os.path.join(self.tmp.name, "old.db")
        with sqlite3.connect(self.old) as db:
            db.execute(OLD_MODELS)
            db.execute("INSERT INTO llm_models VALUES('own', 'openai', 'openai', ?, 'OPENAI_API_KEY', 1000, 100, '{}')",
                       (self.standin.url + "/v1",))
        db.close()

    def columns(self, db):
        return [r[1] for r in db.execute("PRAGMA table_info(llm_models)")]

    def test_it_is_used_as_it_is(self):
        db = connect(self.old)
        self.addCleanup(db.close)
        self.assertTrue(value(db, "SELECT llm_complete('hello', '{\"model\":\"own\"}')"))
        self.assertNotIn("auth", self.columns(db))

    def test_read_only(self):
        db = connect(f"file:{self.old}?mode=ro", uri=True)
        self.addCleanup(db.close)
        store = os.path.join(self.tmp.name, "beside.db")
        value(db, "SELECT llm_config('store', ?)", store)
        self.assertTrue(value(db, "SELECT llm_complete('hello', '{\"model\":\"own\"}')"))
        self.assertIn("readonly", error_of(db, "SELECT llm_init()"))
        self.assertTrue(value(db, "SELECT llm_complete('hello again', '{\"model\":\"own\"}')"))

    def test_llm_init_adds_what_is_missing(self):
        db = connect(self.old)
        self.addCleanup(db.close)
        self.assertIn("added 3 columns to llm_models", value(db, "SELECT llm_init()"))
        self.assertEqual(self.columns(db)[-3:], ["extra", "auth", "headers"])
        self.assertEqual(db.execute("SELECT name, extra, auth, headers FROM llm_models").fetchall(),
                         [("own", None, None, None)])
        self.assertTrue(value(db, "SELECT llm_complete('hello', '{\"model\":\"own\"}')"))
        self.assertEqual(value(db, "SELECT llm_init()"), "up to date")

    def test_some_of_them_may_be_there(self):
        db = connect(self.old)
        self.addCleanup(db.close)
        db.execute("ALTER TABLE llm_models ADD COLUMN auth TEXT")
        db.execute("UPDATE llm_models SET auth = 'word'")
        self.assertIn("word", error_of(db, "SELECT llm_complete('hello', '{\"model\":\"own\"}')"))
        self.assertIn("added 2 columns to llm_models", value(db, "SELECT llm_init()"))

    def test_a_new_one_has_them(self):
        columns = self.columns(self.db)
        self.assertEqual(columns[columns.index("supports"):], ["supports", "extra", "auth", "headers"])


class Recorder:
    """In front of a stand-in: takes down each request as it arrives, and passes it on with keys that the stand-in takes."""

    def __init__(self, standin):
        self.seen, self.says = [], None  # says: (status, body), in place of passing it on
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.headers.get("Transfer-Encoding"):
                    raise AssertionError("a body of unknown length")
                recorder.seen.append((self.command, self.path, [(n.lower(), v) for n, v in self.headers.items()]))
                status, kind, data = recorder.answer(self.command, self.path, self.headers, body)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_DELETE = do_any

            def log_message(self, *args):
                pass

        self.standin = standin
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.host = "127.0.0.1:%d" % self.server.server_address[1]
        self.url = "http://" + self.host
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, method, path, headers, body):
        if self.says:
            status, reply = self.says
            return status, "application/json", json.dumps(reply).encode()
        path, _, query = path.partition("?")
        query = "&".join(p for p in query.split("&") if p and not p.startswith("api-version="))
        path = "/v1/" + path.partition("/v1/")[2] if "/v1/" in path else "/v1/chat/completions"
        passed = {"Content-Type": headers.get("Content-Type") or "application/json", "anthropic-version": "2023-06-01",
                  "X-Client-Request-Id": headers.get("X-Client-Request-Id") or "none",
                  "Authorization": "Bearer " + KEYS["OPENAI_API_KEY"], "x-api-key": KEYS["ANTHROPIC_API_KEY"]}
        if "messages" not in path:
            del passed["anthropic-version"], passed["x-api-key"]
        there = http.client.HTTPConnection(self.standin.host, timeout=20)
        try:
            there.request(method, path + ("?" + query if query else ""), body, passed)
            reply = there.getresponse()
            return reply.status, reply.headers.get("Content-Type") or "text/plain", reply.read()
        finally:
            there.close()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


# What every request has, whatever its row says.
USUAL = {"host", "accept", "accept-encoding", "content-type", "content-length", "user-agent", "x-client-request-id"}
GATEWAY = "gateway-secret-55e1c2f09a"


class RecordedDesk(Desk):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.recorder = Recorder(cls.standin)

    @classmethod
    def tearDownClass(cls):
        cls.recorder.close()
        super().tearDownClass()

    def setUp(self):
        super().setUp()
        self.recorder.seen.clear()
        self.recorder.says = None
        self.n = 0
        for key in KEYS:
            value(self.db, "SELECT llm_allow_host(?, ?)", self.recorder.host, key)
        value(self.db, "SELECT llm_config('backoff_ms', 1)")

    def model(self, name="own", api="openai", key="OPENAI_API_KEY", path="/v1", supports="{}", url=None, **more):
        columns = {"name": name, "provider": "own", "api": api, "base_url": (url or self.recorder.url) + path,
                   "key_env": key, "supports": supports, **more}
        self.db.execute(f"INSERT OR REPLACE INTO llm_models({', '.join(columns)}) VALUES ({', '.join('?' for _ in columns)})",
                        tuple(columns.values()))

    def ask(self, model="own", **options):
        self.n += 1
        return value(self.db, "SELECT llm_complete(?, ?)", f"question {self.n}", json.dumps({"model": model, **options}))

    def error(self, model="own", **options):
        self.n += 1
        return error_of(self.db, "SELECT llm_complete(?, ?)", f"question {self.n}", json.dumps({"model": model, **options}))

    def own_headers(self, request=-1):
        """What a request had beside what every request has: each once."""
        headers = self.recorder.seen[request][2]
        names = [n for n, _ in headers]
        self.assertEqual(sorted(set(names)), sorted(names))
        return {n: v for n, v in headers if n not in USUAL}


class Sent(RecordedDesk):
    def test_how_the_key_is_sent(self):
        openai, anthropic = KEYS["OPENAI_API_KEY"], KEYS["ANTHROPIC_API_KEY"]
        version = {"anthropic-version": "2023-06-01"}
        cases = [("openai", None, {"authorization": "Bearer " + openai}),
                 ("openai", "", {"authorization": "Bearer " + openai}),
                 ("openai", "bearer", {"authorization": "Bearer " + openai}),
                 ("openai", "x-api-key", {"x-api-key": openai}),
                 ("openai", "api-key", {"api-key": openai}),
                 ("openai", "none", {}),
                 ("anthropic", None, {"x-api-key": anthropic, **version}),
                 ("anthropic", "bearer", {"authorization": "Bearer " + anthropic, **version}),
                 ("anthropic", "x-api-key", {"x-api-key": anthropic, **version}),
                 ("anthropic", "api-key", {"api-key": anthropic, **version}),
                 ("anthropic", "none", version)]
        for api, auth, sent in cases:
            with self.subTest(api=api, auth=auth):
                self.model(api=api, auth=auth, key=api.upper() + "_API_KEY")
                self.assertTrue(self.ask())
                self.assertEqual(self.own_headers(), sent)

    def test_none_looks_for_no_key(self):
        self.model(auth="none", key="A_KEY_THAT_IS_NOT_SET")
        self.assertTrue(self.ask())
        self.assertEqual(self.own_headers(), {})
        self.model(auth="bearer", key="A_KEY_THAT_IS_NOT_SET")
        self.assertIn("A_KEY_THAT_IS_NOT_SET is not a key of host", self.error())

    def test_headers_of_the_row(self):
        value(self.db, "SELECT llm_allow_host(?, 'GATEWAY_TOKEN'), llm_secret('GATEWAY_TOKEN', ?)", self.recorder.host, GATEWAY)
        self.model(auth="none", headers=json.dumps({"HTTP-Referer": "https://desk.example/?a=b", "X-Title": "my desk",
                                                    "X-Gateway": {"env": "GATEWAY_TOKEN"}}))
        self.assertTrue(self.ask())
        self.assertEqual(self.own_headers(), {"http-referer": "https://desk.example/?a=b", "x-title": "my desk",
                                              "x-gateway": GATEWAY})
        value(self.db, "SELECT llm_secret('GATEWAY_TOKEN', 'another-secret-1')")
        self.assertTrue(self.ask())
        self.assertEqual(self.own_headers()["x-gateway"], "another-secret-1")

    def test_a_variable_of_the_environment(self):
        os.environ["LLMCOST_TEST_TENANT"] = "tenant-of-the-environment"
        self.addCleanup(os.environ.pop, "LLMCOST_TEST_TENANT")
        value(self.db, "SELECT llm_allow_host(?, 'LLMCOST_TEST_TENANT')", self.recorder.host)
        self.model(headers='{"X-Tenant":{"env":"LLMCOST_TEST_TENANT"}}')
        self.assertTrue(self.ask())
        self.assertEqual(self.own_headers()["x-tenant"], "tenant-of-the-environment")

    def test_the_version_of_the_api_may_be_another(self):
        self.model(api="anthropic", key="ANTHROPIC_API_KEY",
                   headers='{"Anthropic-Version":"2099-01-01","anthropic-beta":"some-beta"}')
        self.assertTrue(self.ask())
        self.assertEqual(self.own_headers(), {"x-api-key": KEYS["ANTHROPIC_API_KEY"], "anthropic-version": "2099-01-01",
                                              "anthropic-beta": "some-beta"})

    def test_as_many_as_there_may_be(self):
        many = {f"X-{i:02}": "v" * 122 for i in range(32)}
        self.model(headers=json.dumps(many))
        self.assertTrue(self.ask())
        self.assertEqual(self.own_headers(), {"authorization": "Bearer " + KEYS["OPENAI_API_KEY"],
                                              **{n.lower(): v for n, v in many.items()}})

    def test_a_key_that_is_not_taken(self):
        self.recorder.says = 401, {"error": {"message": "Incorrect API key", "code": "invalid_api_key"}}
        for auth, says in ((None, "check the key in OPENAI_API_KEY: Incorrect"), ("api-key", "check the key in OPENAI_API_KEY and how it is"
                           " sent, auth 'api-key' in llm_models: Incorrect"), ("none", "set key_env of this model in llm_models, and auth,"
                           " which is 'none'")):
            self.model(auth=auth)
            self.assertIn(says, self.error())

    def test_embeddings(self):
        self.model("own-embedding", supports='{"embeddings":true}', auth="api-key", headers='{"X-Title":"t"}')
        self.assertTrue(value(self.db, "SELECT embed('reset my password', 'own-embedding')"))
        self.assertEqual(self.recorder.seen[-1][1], "/v1/embeddings")
        self.assertEqual(self.own_headers(), {"api-key": KEYS["OPENAI_API_KEY"], "x-title": "t"})

    def test_a_retry_has_them_too(self):
        self.model(headers='{"X-Title":"t"}')
        self.recorder.says = 503, {"error": {"message": "busy"}}
        self.error()
        self.assertGreater(len(self.recorder.seen), 1)
        for i in range(len(self.recorder.seen)):
            self.assertEqual(self.own_headers(i)["x-title"], "t")

    def test_others_of_the_same_seller(self):
        """A snapshot is the row's model; one that no row has is asked as its seller's rows are."""
        self.model("own-model", auth="api-key", headers='{"X-Title":"t"}')
        for name in ("own-model-2026-01-01", "own/unlisted"):
            self.assertTrue(self.ask(name))
            self.assertEqual(self.own_headers(), {"api-key": KEYS["OPENAI_API_KEY"], "x-title": "t"})

    def test_a_batch(self):
        self.model("gpt-4o-mini", provider="openai", auth="api-key", path="/v1?api-version=2024-10-21",
                   headers='{"X-Title":"t"}', supports='{"batch":"openai"}')
        self.db.execute("INSERT INTO batch_submit(prompt, model) VALUES ('What is 1?', 'gpt-4o-mini'), ('What is 2?', 'gpt-4o-mini')")
        self.assertEqual(json.loads(value(self.db, "SELECT llm_batch_flush()"))["submitted"], 2)
        self.db.execute("UPDATE llm_models SET base_url = replace(base_url, '2024-10-21', '2099-01-01')")  # it is asked as it was
        for _ in range(12):
            if json.loads(value(self.db, "SELECT llm_batch_poll()"))["open_rows"] == 0:
                break
        self.assertEqual(self.db.execute("SELECT status, count(*) FROM batch_submit GROUP BY 1").fetchall(), [("done", 2)])
        self.assertEqual({m for m, _, _ in self.recorder.seen} - {"DELETE"}, {"GET", "POST"})
        for i, (_, path, _) in enumerate(self.recorder.seen):
            self.assertEqual(self.own_headers(i), {"api-key": KEYS["OPENAI_API_KEY"], "x-title": "t"})
            self.assertRegex(path, r"^/v1/(files|batches)[^?]*\?api-version=2024-10-21(&[a-z]+=[a-zA-Z0-9_-]+)*$")

    def test_a_batch_with_a_secret_header(self):
        value(self.db, "SELECT llm_allow_host(?, 'GATEWAY_TOKEN'), llm_secret('GATEWAY_TOKEN', ?)", self.recorder.host, GATEWAY)
        self.model("gpt-4o-mini", provider="openai", headers='{"X-Gateway":{"env":"GATEWAY_TOKEN"}}', supports='{"batch":"openai"}')
        for text, says in ((GATEWAY, "no such tenant: ***"), (GATEWAY.encode().hex(), "withheld")):
            self.recorder.says = 400, {"error": {"message": f"no such tenant: {text}"}}
            self.db.execute("INSERT INTO batch_submit(prompt, model) VALUES ('What is 1?', 'gpt-4o-mini')")
            said = value(self.db, "SELECT llm_batch_flush()")
            self.assertEqual(self.own_headers()["x-gateway"], GATEWAY)
            self.assertIn(says, said)
            self.assertNotIn(text[:8], said + str(self.db.execute("SELECT * FROM batch_submit").fetchall()))


class Urls(RecordedDesk):
    def arrives(self, path):
        self.model(path=path, auth="api-key")
        self.assertTrue(self.ask())
        return self.recorder.seen[-1][1]

    def test_a_query_goes_behind_the_path(self):
        azure = "/openai/deployments/D"
        for path in (azure, azure + "/", azure + "/chat/completions"):
            self.assertEqual(self.arrives(path + "?api-version=2024-10-21"), azure + "/chat/completions?api-version=2024-10-21")
        self.assertEqual(self.arrives("/v1?a=1&b=x%20y"), "/v1/chat/completions?a=1&b=x%20y")
        self.assertEqual(self.arrives("?a=1"), "/chat/completions?a=1")

    def test_it_is_shown(self):
        self.model(path="/v1?api-version=1")
        shown = json.loads(self.ask(dry_run=True))
        self.assertEqual(shown["url"], self.recorder.url + "/v1/chat/completions?api-version=1")

    def test_what_is_refused(self):
        for path, says in (("/v1 ", "base_url begins or ends with a blank"), ("/v1\n", "base_url begins or ends with a blank"),
                           ("/v1?key=1", "base_url has a secret in its query: keys belong in the variable that key_env names"),
                           ("/v1?a=1&sig=x", "has a secret in its query"), ("/v1?a=" + KEYS["OPENAI_API_KEY"], "has a secret"),
                           ("/v1?a b", "has a character in its query"), ("/v1#a", "has a character that does not belong there"),
                           ("/v1?a=" + "1" * 480, "is too long")):
            with self.subTest(path=path):
                self.model(path=path)
                error = self.error()
                self.assertIn(says, error)
                self.assertNotIn(KEYS["OPENAI_API_KEY"], error)
        self.assertEqual(self.recorder.seen, [])


REFUSED = [("auth", "Bearer", "auth 'Bearer' in llm_models (valid: 'bearer', 'x-api-key', 'api-key', 'none'"),
           ("auth", "basic", "valid: 'bearer'"),
           ("auth", "bearer ", "valid: 'bearer'"),
           ("headers", "X: 1", "headers in llm_models is no JSON object"),
           ("headers", "[]", "headers in llm_models is no JSON object"),
           ("headers", '{"X Y":"1"}', "header 'X Y' in llm_models is no name of a header"),
           ("headers", '{"X:":"1"}', "is no name of a header"),
           ("headers", '{"X":"1\\r\\nHost: evil"}', "header 'X' in llm_models holds a line break"),
           ("headers", '{"X\\r\\nHost":"evil"}', "is no name of a header"),
           ("headers", '{"X":"a\\u0000b"}', "not ASCII"),
           ("headers", '{"X":"\u00e4"}', "not ASCII"),
           ("headers", '{"aUTHORIZATION":"Bearer x"}', "header 'aUTHORIZATION' in llm_models can't be set: it carries a key"),
           ("headers", '{"X-Api-Key":{"env":"OPENAI_API_KEY"}}', "can't be set: it carries a key"),
           ("headers", '{"host":"evil"}', "can't be set: it belongs to the connection"),
           ("headers", '{"Content-Length":"0"}', "can't be set: it belongs to the connection"),
           ("headers", '{"transfer-encoding":"chunked"}', "can't be set: it belongs to the connection"),
           ("headers", '{"User-Agent":"x"}', "can't be set: it is of each request"),
           ("headers", '{"X":"1","x":"2"}', "header 'x' in llm_models stands there twice"),
           ("headers", '{"X":1}', "header 'X' in llm_models is neither a text nor"),
           ("headers", '{"X":true}', "is neither a text nor"),
           ("headers", '{"X":{"env":"OPENAI_API_KEY","and":1}}', "is neither a text nor"),
           ("headers", '{"X":{"env":{"env":"OPENAI_API_KEY"}}}', "is neither a text nor"),
           ("headers", '{"X":["1"]}', "is neither a text nor"),
           ("headers", '{"X":""}', "has no value"),
           ("headers", json.dumps({f"X-{i}": "1" for i in range(33)}), "headers in llm_models has over 32 headers"),
           ("headers", json.dumps({"X": "1" * 4096}), "headers in llm_models has over 4096 bytes"),
           ("headers", json.dumps({"X": "1" * 1000000}), "headers in llm_models has over 4096 bytes"),
           ("headers", '{"X":' * 3000, "headers in llm_models is no JSON object"),
           ("headers", '{"X":{"env":"sk-live-a-key-by-mistake"}}', '"env" must be the name of an environment variable'),
           ("headers", '{"X":{"env":"HOME"}}', "HOME is not a key of host"),
           ("headers", '{"X":{"env":"PATH"}}', "PATH is not a key of host"),
           ("headers", '{"X":{"env":"AWS_SECRET_ACCESS_KEY"}}', "AWS_SECRET_ACCESS_KEY is not a key of host")]


class Refused(RecordedDesk):
    """A row may be a stranger's: what it asks for wrongly, or must not ask for, ends before anything is sent."""

    def test_rows(self):
        for column, text, says in REFUSED:
            for api in ("openai", "anthropic"):
                with self.subTest(text=text[:60], api=api):
                    self.model(api=api, key=api.upper() + "_API_KEY", **{column: text})
                    error = self.error()
                    self.assertIn("model 'own': ", error)
                    self.assertIn(says, error)
                    self.assertNotIn("sk-live-a-key", error)
        self.assertEqual(self.recorder.seen, [])

    def test_embeddings_and_batches(self):
        bad = '{"Host":"evil"}'
        self.model("own-embedding", supports='{"embeddings":true}', headers=bad)
        self.assertIn("can't be set", error_of(self.db, "SELECT embed('a', 'own-embedding')"))
        self.model("gpt-4o-mini", provider="openai", headers=bad, supports='{"batch":"openai"}')
        self.db.execute("INSERT INTO batch_submit(prompt, model) VALUES ('What is 1?', 'gpt-4o-mini')")
        value(self.db, "SELECT llm_batch_flush()")
        self.assertIn("can't be set", value(self.db, "SELECT error FROM batch_submit"))
        self.assertEqual(self.recorder.seen, [])

    def test_no_call_sets_them(self):
        self.model()
        for option in ("headers", "auth"):
            self.assertIn(f"unknown option '{option}'", self.error(**{option: "none"}))
        self.assertEqual(self.recorder.seen, [])

    def test_another_host_gets_no_key(self):
        elsewhere = Recorder(self.standin)  # nobody allowed it
        self.addCleanup(elsewhere.close)
        key = '{"X":{"env":"OPENAI_API_KEY"}}'
        for auth in (None, "none"):
            self.model(url=elsewhere.url, auth=auth, headers=key)
            self.assertIn(f"'{elsewhere.host}', which is not allowed: nothing was sent", self.error())
        value(self.db, "SELECT llm_allow_host(?)", elsewhere.host)
        self.model(url=elsewhere.url, auth="none", headers=key)
        error = self.error()
        self.assertIn(f"OPENAI_API_KEY is not a key of host '{elsewhere.host}': nothing was sent", error)
        value(self.db, "SELECT llm_allow_host(?, 'ANTHROPIC_API_KEY')", elsewhere.host)
        self.assertIn("OPENAI_API_KEY is not a key of host", self.error())
        self.assertEqual(elsewhere.seen, [])
        allow = error[error.index("SELECT llm_allow_host("):].split(")")[0] + ")"
        value(self.db, allow)
        self.assertTrue(self.ask())
        self.assertEqual(dict(elsewhere.seen[-1][2])["x"], KEYS["OPENAI_API_KEY"])

    def test_what_a_variable_must_hold(self):
        value(self.db, "SELECT llm_allow_host(?, 'LLMCOST_TEST_VALUE')", self.recorder.host)
        self.model(headers='{"X":{"env":"LLMCOST_TEST_VALUE"}}')
        self.addCleanup(os.environ.pop, "LLMCOST_TEST_VALUE", None)
        for held, says in ((None, "no value for header 'X' of model 'own': set LLMCOST_TEST_VALUE, or SELECT llm_secret("),
                           ("", "no value for header 'X'"),
                           ("short-1", "the value of LLMCOST_TEST_VALUE, for header 'X', is under 8 characters"),
                           ("with a blank in it", "holds a blank"), ("line\nbreak-5f", "holds a blank or a line break"),
                           ("letter-\u00e4-of-others", "holds a character that no key has"), ("'quoted-5f'", "holds a quote"),
                           ("v" * 4001, "is too long"), ("w" * 3999 + "'", "holds a quote")):
            with self.subTest(held=held):
                os.environ.pop("LLMCOST_TEST_VALUE", None)
                if held is not None:
                    os.environ["LLMCOST_TEST_VALUE"] = held
                error = self.error()
                self.assertIn(says, error)
                self.assertNotIn((held or "?????")[:5] + (held or "")[5:], error)
        self.assertEqual(self.recorder.seen, [])

    def test_a_pair_of_the_environment(self):
        os.environ["LLMCOST_TEST_VALUE"] = GATEWAY
        os.environ["LLMCOST_ALLOW_HOSTS"] = f"{self.recorder.host}=LLMCOST_TEST_VALUE"
        self.addCleanup(os.environ.pop, "LLMCOST_TEST_VALUE")
        self.addCleanup(os.environ.pop, "LLMCOST_ALLOW_HOSTS")
        self.model(headers='{"X":{"env":"LLMCOST_TEST_VALUE"}}')
        self.assertTrue(self.ask())
        self.assertEqual(self.own_headers()["x"], GATEWAY)

    def test_extra_of_any_kind_is_read(self):
        for extra in (None, "", "{}", '{"top_k":5}', "no json", 7, b"bytes"):
            self.model(extra=extra)
            self.assertTrue(value(self.db, "SELECT llm_tokens('a b', 'own')"))


class Secrets(RecordedDesk):
    """What a variable put into a header is told no more than a key is."""

    def setUp(self):
        super().setUp()
        value(self.db, "SELECT llm_allow_host(?, 'GATEWAY_TOKEN'), llm_secret('GATEWAY_TOKEN', ?)", self.recorder.host, GATEWAY)
        value(self.db, "SELECT llm_config('log_text', 'full')")
        self.model(headers='{"X-Gateway":{"env":"GATEWAY_TOKEN"}}')

    def everything(self):
        """Every byte that is kept, what is not folded in yet included."""
        self.assertGreater(value(self.db, "SELECT count(*) FROM llm_calls"), 0)
        found = b""
        for name in os.listdir(self.tmp.name):
            with open(os.path.join(self.tmp.name, name), "rb") as f:
                found += f.read()
        return found.decode("latin-1")

    def test_in_errors(self):
        told = (GATEWAY, GATEWAY.upper(), GATEWAY[4:20], "".join(f"\\u{ord(c):04x}" for c in GATEWAY), GATEWAY.encode().hex())
        for status in (400, 401, 404, 500, 503, 200):
            for text in told:
                with self.subTest(status=status, text=text):
                    self.recorder.says = status, {"error": {"message": f"bad tenant {text} here", "code": text}}
                    error = self.error(retries=0)
                    self.assertNotIn(text, error)
        self.assertEqual(self.own_headers()["x-gateway"], GATEWAY)
        kept = self.everything()
        for text in told:
            self.assertNotIn(text, kept)
        self.assertIn("own", kept)

    def test_in_usage_model_and_answers_that_are_none(self):
        self.recorder.says = 200, {"model": "own-" + GATEWAY, "service_tier": GATEWAY, "id": GATEWAY,
                                   "choices": [{"index": 0, "message": {"role": "assistant", "content": "fine"},
                                                "finish_reason": GATEWAY}],
                                   "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}
        try:
            self.ask(retries=0)
        except sqlite3.Error as e:
            self.assertNotIn(GATEWAY, str(e))
        self.assertNotIn(GATEWAY, self.everything())

    def test_not_where_nothing_is_sent(self):
        shown = self.ask(dry_run=True)
        self.assertNotIn(GATEWAY, shown)
        asks = "SELECT llm_complete(value, '{\"model\":\"own\"}') FROM json_each('[1,2]')"
        self.assertNotIn(GATEWAY, str(self.db.execute("SELECT * FROM llm_estimate(?)", (asks,)).fetchall()))
        self.assertEqual(self.recorder.seen, [])

    def test_not_in_what_is_kept(self):
        self.assertTrue(self.ask())
        self.assertNotIn(GATEWAY, self.everything())


if __name__ == "__main__":
    unittest.main()
