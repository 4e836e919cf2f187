"""Our requests under other people's checkers: the vendors' OpenAPI documents served by @stdy/cli, and aimock."""
import json
import os
import socket
import subprocess
import time
import unittest
import urllib.error
import urllib.request

from harness import KEYS, SHARED, TempDir, clean_env, connect, npm_package, setup_sql, value
from replay import Answer, Replay, chat, claude
from talks import claude_form, talk
from test_schemas import SCHEMAS

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}
# One of each shape we send.
OPTIONS = [
    {}, {"system": "Be brief."}, {"max_tokens": 50}, {"temperature": 0.5}, {"top_p": 0.9}, {"stop": "END"},
    {"stop": ["END", "STOP"]}, {"schema": SCHEMA},
    {"system": "Be brief.", "max_tokens": 50, "temperature": 0, "stop": ["x"]},
]
CHAT = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "hello"}, {"role": "user", "content": "na\u00efve \"quotes\" \n \U0001f600"}]


TOOLS = [{"name": "weather", "description": "of a city", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}]
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
SEEN = [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, IMAGE]}]
FILE = [{"role": "user", "content": [{"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}}]}]
TURNS = [{"role": "user", "content": "Rain in Bonn?"},
         {"role": "assistant", "content": None,
          "tool_calls": [{"id": "call_a", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Bonn"}'}}]},
         {"role": "tool", "tool_call_id": "call_a", "content": "rain"}, {"role": "user", "content": "And tomorrow?"}]
# Each of these options, and what a conversation may hold beside text: name, model, options, messages (None: a prompt).
TURNED = {
    "openai": [
        ("reasoning low", "gpt-5.6-a", {"reasoning": "low"}, None), ("reasoning none", "gpt-5.6-b", {"reasoning": "none"}, None),
        ("flex", "gpt-5.6-c", {"service": "flex"}, None), ("standard", "gpt-5.6-d", {"service": "standard"}, None),
        ("tools", "gpt-4o-a", {"tools": TOOLS, "returns": "message"}, None), ("tools required", "gpt-4o-b", {"tools": TOOLS, "tool_choice": "required"}, None),
        ("tools named", "gpt-4o-c", {"tools": TOOLS, "tool_choice": "weather"}, None), ("logprobs", "gpt-4o-d", {"logprobs": True}, None),
        ("extra", "gpt-4o-e", {"extra": {"metadata": {"a": "b"}, "verbosity": "low"}}, None), ("turns of tools", "gpt-4o-f", {"tools": TOOLS}, TURNS),
        ("image", "gpt-4o-g", {}, SEEN), ("file", "gpt-4o-h", {}, FILE)],
    "anthropic": [
        ("reasoning low", "claude-haiku-4-5-a", {"reasoning": "low"}, None), ("reasoning tokens", "claude-haiku-4-5-b", {"reasoning": 4000}, None),
        ("adaptive", "claude-opus-4-8-a", {"reasoning": "xhigh"}, None), ("disabled", "claude-sonnet-5-a", {"reasoning": "none"}, None),
        ("standard", "claude-haiku-4-5-c", {"service": "standard"}, None), ("priority", "claude-haiku-4-5-d", {"service": "priority"}, None),
        ("tools", "claude-haiku-4-5-e", {"tools": TOOLS, "returns": "message"}, None),
        ("tools required", "claude-haiku-4-5-f", {"tools": TOOLS, "tool_choice": "required"}, None),
        ("tools named", "claude-haiku-4-5-g", {"tools": TOOLS, "tool_choice": "weather"}, None),
        ("extra", "claude-haiku-4-5-h", {"extra": {"metadata": {"user_id": "u"}}}, None), ("turns of tools", "claude-haiku-4-5-i", {"tools": TOOLS}, TURNS),
        ("image", "claude-haiku-4-5-j", {}, SEEN), ("file", "claude-haiku-4-5-k", {}, FILE)],
    "responses": [
        ("plain", "gpt-5.6-a", {"system": "Be brief.", "max_tokens": 50}, None), ("schema", "gpt-5.6-b", {"schema": SCHEMA}, None),
        ("reasoning low", "gpt-5.6-c", {"reasoning": "low"}, None), ("flex", "gpt-5.6-d", {"service": "flex"}, None),
        ("tools", "gpt-5.6-e", {"tools": TOOLS, "returns": "message"}, None), ("tools named", "gpt-5.6-f", {"tools": TOOLS, "tool_choice": "weather"}, None),
        ("sampling", "gpt-4o-a", {"temperature": 0.5, "top_p": 0.9}, None), ("extra", "gpt-5.6-g", {"extra": {"metadata": {"a": "b"}, "truncation": "auto"}}, None),
        ("conversation", "gpt-5.6-h", {}, CHAT), ("turns of tools", "gpt-5.6-i", {"tools": TOOLS}, TURNS), ("image", "gpt-5.6-j", {}, SEEN), ("file", "gpt-5.6-k", {}, FILE)],
}


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


def forms(api):
    """Every form of request that there is, as it is sent: [(name, path, headers, body)]. Second attempts are those after an
    answer that did not satisfy the schema."""
    bad = Answer({"openai": chat, "anthropic": claude, "responses": chat}[api]('{"n":"x"}'))
    vectors = Answer({"model": "m", "data": [{"index": 0, "embedding": [1, 2]}], "usage": {"prompt_tokens": 2, "total_tokens": 2}})
    asked = []
    if api != "responses":
        asked = [(f"{word}{i}", {"stream": streams}, "SELECT llm_complete('x', ?)", o) for word, streams in (("whole", False), ("streamed", True))
                 for i, o in enumerate(OPTIONS)]
        asked += [(name, {"json_schema": sends, "tools": tools}, "SELECT llm_complete('x', ?)", {"schema": schema, "retries": 1})
                  for sends, tools in ((True, False), (False, False), (False, True)) for name, schema in SCHEMAS.items()]
    first = len(asked)
    asked += [(name, {"stream": False}, "SELECT llm_complete('x', ?)" if messages is None else "SELECT llm_chat('%s', ?)" % json.dumps(messages).replace("'", "''"), o)
              for name, _, o, messages in TURNED[api]]
    names = {first + i: turned[1] for i, turned in enumerate(TURNED[api])}
    if api == "openai":
        asked += [(f"embeddings{n}", {"embeddings": True, "base64": n}, "SELECT length(embed('a text', ?))", None) for n in (True, False)]
    sent = []
    with Replay() as replay, TempDir() as tmp:
        db = connect(os.path.join(tmp, "forms.db"))
        value(db, "SELECT llm_allow_host(?, 'WIRE_KEY'), llm_secret('WIRE_KEY', 'sk-wire-0123456789'), llm_init()", replay.host)
        value(db, "SELECT llm_config('backoff_ms', 0)")
        for i, (name, supports, sql, options) in enumerate(asked):
            model = names.get(i, f"m{i}")
            replay.answers[model] = [vectors if options is None else bad]
            db.execute("INSERT INTO llm_models(name, provider, api, base_url, key_env, context_window, max_output, supports)"
                       " VALUES (?, ?, ?, ?, 'WIRE_KEY', 0, 0, ?)", (model, "openai" if api == "responses" else api, api, replay.url(model), json.dumps(supports)))
            how = {"retries": 0, **(options or {}), "model": model, "cache": "off", "on_error": "json"}
            try:
                value(db, sql, model if options is None else json.dumps(how))
            except Exception as e:
                raise AssertionError(f"{name}: {e}")
            sent += [(f"{name}, attempt {n + 1}", path.split("/v1")[1], headers, json.loads(body))
                     for n, (headers, body, path) in enumerate(replay.requests[model])]
        db.close()
    return sent


def pruned(api):
    """Conversations that were pruned on their way through llm_chat, as they are sent; of Anthropic's form, what llm_prune leaves of it."""
    sent, summary = [], "The user asked about parcels. One was late."
    with Replay() as replay, TempDir() as tmp:
        db = connect(os.path.join(tmp, "pruned.db"))
        value(db, "SELECT llm_allow_host(?, 'WIRE_KEY'), llm_secret('WIRE_KEY', 'sk-wire-0123456789'), llm_init()", replay.host)
        for model, name in (("small", "openai"), ("big", api)):
            replay.answers[model] = [Answer(chat(summary) if name == "openai" else claude("fine"))]
            db.execute("INSERT INTO llm_models(name, provider, api, base_url, key_env, context_window, max_output, supports)"
                       " VALUES (?, ?, ?, ?, 'WIRE_KEY', 0, 0, '{\"stream\":false}')", (model, name, name, replay.url(model)))
        for i, older in enumerate(("drop", "extract", "summary") * 4):
            options = {"budget": 1500 + 300 * i, "older": older, "summary_model": "small"}
            messages = talk(300 + i, 25, tools=i % 3 / 2)[:-1]
            value(db, "SELECT llm_chat(?, ?)", json.dumps(messages), json.dumps({"model": "big", "prune": options}))
            headers, body, path = replay.requests["big"][-1]
            sent.append((f"{older} {i}", path.split("/v1")[1], headers, json.loads(body)))
            if api == "anthropic":
                _, blocks = claude_form(messages, thoughts=False)
                kept = json.loads(value(db, "SELECT llm_prune(?, ?)", json.dumps(blocks), json.dumps(options)))
                sent.append((f"{older} {i}, blocks", path.split("/v1")[1], headers, {**sent[-1][3], "messages": kept}))
        assert replay.asked("small") >= 4
        db.close()
    return sent


class Steady(unittest.TestCase):
    def checker(self, document):
        folder = npm_package("@stdy/cli")
        spec = os.path.join(SHARED, "data/specs", document)
        if not folder:
            self.skipTest("npm @stdy/cli can't be installed here")
        if not os.path.exists(spec):
            self.skipTest(document + " is not here")
        return Checker(os.path.join(os.path.dirname(os.path.dirname(folder)), ".bin/steady"), "--host", "127.0.0.1", "-p", "PORT", spec)

    def post(self, url, headers, body):
        """The status of the answer, and how it begins."""
        names = ("content-type", "authorization", "x-api-key", "anthropic-version")
        request = urllib.request.Request(url, json.dumps(body).encode(), {n: headers[n] for n in names if n in headers})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, ""
        except urllib.error.HTTPError as e:
            with e:
                return e.code, e.read(600)

    def check_forms(self, document, path, sent, spoiled):
        """Every request is accepted; each spoiled one, {name of a request: what is changed in it}, is refused."""
        with self.checker(document) as checker:
            for name, where, headers, body in sent:
                with self.subTest(name):
                    self.assertEqual(self.post(checker.url + path + where, headers, body), (200, ""), body)
            for name, change in spoiled:
                with self.subTest(name, change=change):
                    _, where, headers, body = next(s for s in sent if s[0].startswith(name))
                    self.assertEqual(self.post(checker.url + path + where, headers, {**body, **change})[0], 400)

    def test_pruned_conversations_by_openai_document(self):
        self.check_forms("openai-openapi.yaml", "", pruned("openai"), [("summary", {"messages": [{"role": "assistant", "content": 7}]})])

    def test_pruned_conversations_by_anthropic_document(self):
        sent = pruned("anthropic")
        for name, _, _, body in sent:  # as Anthropic asks: the user begins; each call is answered by the next message
            self.assertEqual(body["messages"][0]["role"], "user", name)
        self.check_forms("anthropic-openapi.json", "/v1", sent, [("summary", {"messages": [{"role": "nobody", "content": "x"}]})])

    def test_every_form_by_openai_document(self):
        sent = forms("openai")
        self.assertGreater(sum(", attempt 2" in s[0] for s in sent), 20)
        self.check_forms("openai-openapi.yaml", "", sent, [
            ("streamed0", {"stream": "yes"}), ("streamed0", {"stream_options": {"include_usage": "yes"}}),
            ("zod array", {"response_format": {"type": "json_schema", "json_schema": {"strict": True}}}),
            ("zod array, attempt 2", {"messages": [{"role": "assistant", "content": 7}]}),
            ("embeddingsTrue", {"encoding_format": "base65"}), ("embeddingsFalse", {"dimensions": "x"})])

    def test_every_form_by_anthropic_document(self):
        # The document is of November 2024: older than output_config, thinking, service_tier, tool_choice "none" and documents as parts.
        sent = [s for s in forms("anthropic") if not {"output_config", "thinking", "service_tier"} & set(s[3]) and "document" not in json.dumps(s[3])]
        self.check_forms("anthropic-openapi.json", "/v1", sent, [
            ("streamed0", {"stream": "yes"}), ("pydantic map, attempt 2", {"messages": [{"role": "nobody", "content": "x"}]}),
            ("pydantic map, attempt 1", {"stop_sequences": "x"})])

    def check(self, document, path, model, shapes):
        with self.checker(document) as checker:
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
        with self.checker("openai-openapi.yaml") as checker:
            body = json.dumps({"model": "gpt-4o-mini", "messages": "not an array"}).encode()
            request = urllib.request.Request(checker.url + "/chat/completions", body, {"Content-Type": "application/json"})
            with self.assertRaises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(request, timeout=20)
            self.assertEqual(caught.exception.code, 400)
            caught.exception.close()


class Aimock(unittest.TestCase):
    WIDE = "na\u00efve \u65e5\u672c \U0001f600 \u2028 \\ \"q\" \t\n and on, " * 9 + "done"
    USAGE = {"openai": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}, "anthropic": {"input_tokens": 100, "output_tokens": 20}}
    # prompt: the response, how it is given, our answer (None: an error), what it ended as, requests of three, and when streamed
    FIXTURES = {
        "plain words": ({"content": "fine"}, {}, "fine", "complete", 1, 1),
        "wide words": ({"content": WIDE}, {"chunkSize": 7}, WIDE, "complete", 1, 1),
        "some thought": ({"content": "fine", "reasoning": "hm"}, {"chunkSize": 1}, "fine", "complete", 1, 1),
        "a tool": ({"toolCalls": [{"name": "f", "arguments": "{}"}]}, {}, None, "cut_off", 1, 1),
        "words and a tool": ({"content": "I'll look", "toolCalls": [{"name": "f", "arguments": "{}"}]}, {}, None, "cut_off", 1, 1),
        "at length": ({"content": "half a sen", "finishReason": "length"}, {}, None, "cut_off", 1, 1),
        "in JSON": ({"content": '{"n":30}'}, {"chunkSize": 1}, '{"n":30}', "complete", 1, 1),
        "blank": ({"content": " "}, {}, None, "complete", 1, 1),
        "dropped": ({"content": "no"}, {"chaos": {"dropRate": 1}}, None, None, 3, 3),
        "garbled": ({"content": "no"}, {"chaos": {"malformedRate": 1}}, None, None, 1, 1),
        "hung up": ({"content": "no"}, {"chaos": {"disconnectRate": 1}}, None, None, 1, 1),
        "cut short": ({"content": "one two three four five six"}, {"chunkSize": 3, "truncateAfterChunks": 3}, None, None, 1, 1),
        "an error of theirs": ({"error": {"message": "no", "type": "server_error"}, "status": 500}, {}, None, None, 3, 3),
        "a wrong request": ({"error": {"message": "no", "type": "invalid_request_error"}, "status": 400}, {}, None, None, 1, 1),
        "overloaded": ({"error": {"message": "no", "type": "overloaded_error"}, "status": 529}, {}, None, None, 3, 3),
    }

    def aimock(self, tmp):
        folder = npm_package("@copilotkit/aimock")
        if not folder:
            self.skipTest("npm @copilotkit/aimock can't be installed here")
        return Checker("node", folder + "/dist/cli.js", "-p", "PORT", "-h", "127.0.0.1", "-f", tmp)

    def test_answers_and_faults(self):
        """Its answers are the fixtures' texts, whole and streamed; its faults are errors."""
        for api in ("openai", "anthropic"):
            with TempDir() as tmp, TempDir() as desk:
                fixtures = [{"match": {"userMessage": prompt}, "response": {**response, **({} if "error" in response else {"usage": self.USAGE[api]})}, **how}
                            for prompt, (response, how, *_) in self.FIXTURES.items()]
                with open(os.path.join(tmp, "f.json"), "w") as f:
                    json.dump({"fixtures": fixtures}, f)
                with self.aimock(tmp) as mock:
                    db = connect(os.path.join(desk, "peer.db"))
                    value(db, "SELECT llm_allow_host(?, 'WIRE_KEY'), llm_secret('WIRE_KEY', 'sk-wire-0123456789'), llm_init()", mock.url[7:])
                    value(db, "SELECT llm_config('backoff_ms', 1)")
                    for streams in (False, True):
                        db.execute("INSERT OR REPLACE INTO llm_models(name, provider, api, base_url, key_env, supports)"
                                   " VALUES ('m', ?, ?, ?, 'WIRE_KEY', ?)", (api, api, mock.url + "/v1", json.dumps({"stream": streams})))
                        for prompt in self.FIXTURES:
                            with self.subTest(prompt, api=api, streams=streams):
                                self.check_one(db, prompt, streams)
                    db.close()

    def check_one(self, db, prompt, streams):
        _, how, answer, ended, *attempts = self.FIXTURES[prompt]
        if "truncateAfterChunks" in how and not streams:
            answer, ended = "one two three four five six", "complete"  # only streams are cut
        first = value(db, "SELECT coalesce(max(id), 0) FROM llm_calls")
        result = json.loads(value(db, "SELECT llm_complete(?, ?)", prompt, json.dumps({"model": "m", "cache": "off", "on_error": "json", "retries": 2})))
        rows = db.execute("SELECT ended, input_tokens, output_tokens, kind FROM llm_calls WHERE id > ?", (first,)).fetchall()
        self.assertEqual(result["value"], answer, result)
        self.assertEqual(len(rows), attempts[streams], result)
        self.assertEqual(rows[-1][0], ended, result)
        if ended:
            self.assertEqual(rows[-1][1:], (100, 20, "call"))

    def test_openai_and_anthropic(self):
        with TempDir() as tmp:
            fixture = {"fixtures": [{"match": {"userMessage": "return policy"}, "response": {"content": "{\"n\":30}"}},
                                    {"match": {"userMessage": "na"}, "response": {"content": "fine"}}]}
            with open(os.path.join(tmp, "f.json"), "w") as f:
                json.dump(fixture, f)
            with self.aimock(tmp) as checker:
                for model in ("gpt-4o-mini", "claude-haiku-4-5"):
                    with self.subTest(model):
                        rows = ask_all(checker.url, "/v1", model, OPTIONS)
                        self.assertEqual([r for r in rows if r[0] != 200 or (r[1] and "unpriced" not in r[1])], [])

    def test_every_option(self):
        with TempDir() as tmp:
            with open(os.path.join(tmp, "f.json"), "w") as f:
                json.dump({"fixtures": [{"match": {}, "response": {"content": '{"n":30}'}}]}, f)
            with self.aimock(tmp) as checker:
                for api, shapes in TURNED.items():
                    path = {"openai": "/chat/completions", "anthropic": "/messages", "responses": "/responses"}[api]
                    sent = [s for s in forms(api) if s[0].split(",")[0] in {t[0] for t in shapes}]
                    self.assertGreaterEqual(len(sent), len(shapes))
                    for name, where, headers, body in sent:
                        with self.subTest(name, api=api):
                            self.assertEqual(where, path)
                            self.assertEqual(Steady.post(self, checker.url + "/v1" + where, headers, body), (200, ""))


if __name__ == "__main__":
    unittest.main()
