"""Our requests and our reading of answers beside the vendors' own clients: npm openai and @anthropic-ai/sdk."""
import gzip
import json
import os
import random
import subprocess
import unittest

from harness import NPM_DIR, ROOT, TempDir, clean_env, connect, npm_package, value
from replay import CLAUDE, MODEL, USAGE, USAGE_CHUNK, Answer, Replay, chat, chunk, claude, sse
from test_peers import forms
from test_schemas import SCHEMAS

PACKAGES = ("openai", "@anthropic-ai/sdk", "anthropic-sdk-2023")
PROMPT = "What is your return policy?"
CLOSED = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}
STREAMS = '{"stream":true}'


def ask_sdks(jobs):
    """The results of jobs (see sdk_ask.js), all of them at once."""
    out = subprocess.run(["node", os.path.join(ROOT, "tests/live/sdk_ask.js"), f"{NPM_DIR}/node_modules"], input=json.dumps(jobs),
                         capture_output=True, text=True, env=clean_env(), timeout=120)
    assert out.returncode == 0, out.stderr
    return json.loads(out.stdout)


class Desk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for package in PACKAGES:
            if not npm_package(package):
                raise unittest.SkipTest(f"npm {package} can't be installed here")
        cls.replay = Replay()
        cls.replay.__enter__()
        cls.tmp = TempDir()
        cls.db = connect(os.path.join(cls.tmp.name, "sdks.db"))
        value(cls.db, "SELECT llm_allow_host(?, 'WIRE_KEY'), llm_secret('WIRE_KEY', 'sk-wire-0123456789'), llm_init()", cls.replay.host)
        value(cls.db, "SELECT llm_config('backoff_ms', 5)")

    @classmethod
    def tearDownClass(cls):
        cls.db.close()
        cls.replay.__exit__()
        cls.tmp.cleanup()

    def serve(self, name, *answers, api="openai", streams=False, model=None, provider=None):
        """A model of that name whose answers these are."""
        self.replay.answers[name] = list(answers)
        self.replay.requests.pop(name, None)
        self.db.execute("INSERT OR REPLACE INTO llm_models(name, provider, api, base_url, key_env, context_window, max_output, supports)"
                        " VALUES (?, ?, ?, ?, 'WIRE_KEY', 0, 0, ?)",
                        (model or name, provider or api, api, self.replay.url(name), STREAMS if streams else "{}"))

    def url(self, name, api):
        """The base URL of the same place for the vendor's client: Anthropic's adds the version itself."""
        return self.replay.url(name) if api == "openai" else self.replay.url(name)[:-len("/v1")]

    def ask(self, name, **options):
        """What we make of it: answer, error, tokens, finish word, model, requests."""
        result = json.loads(value(self.db, "SELECT llm_complete(?, ?)", PROMPT,
                                  json.dumps({"model": name, "cache": "off", "on_error": "json", "retries": 0, **options})))
        row = self.db.execute("SELECT input_tokens, output_tokens, finish_reason, model, ended FROM llm_calls ORDER BY id DESC LIMIT 1").fetchone()
        return {"text": result["value"], "error": (result["error"] or {}).get("message"), "tokens": list(row[:2]), "finish": row[2],
                "model": row[3], "ended": row[4]}


# ---- requests

# What an option is called in each vendor's own request; what is not here has the same name in both.
RENAMED = {"openai": {"max_tokens": "max_completion_tokens", "reasoning": "reasoning_effort", "service": "service_tier"},
           "anthropic": {"stop": "stop_sequences"}}
FUNCTION = {"name": "weather", "description": "of a city", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}
OPTIONS = [
    {}, {"system": "Be brief."}, {"max_tokens": 50}, {"temperature": 0.5}, {"temperature": 0}, {"top_p": 0.9}, {"seed": 7},
    {"seed": 9007199254740991}, {"stop": "END"}, {"stop": ["END", "STOP"]}, {"schema": CLOSED},
    {"system": "Be brief.", "max_tokens": 50, "temperature": 0.1, "top_p": 1, "stop": ["x"], "schema": CLOSED},
    {"reasoning": "low"}, {"reasoning": 2000}, {"service": "flex"}, {"service": "priority"}, {"extra": {"metadata": {"user_id": "u"}, "deep": {"a": [1]}}},
    {"tools": [FUNCTION]}, {"tools": [FUNCTION], "tool_choice": "required"}, {"tools": [FUNCTION], "tool_choice": "weather"},
]
# What one of them has no word for.
ONLY = {"openai": lambda o: o.get("reasoning") != 2000, "anthropic": lambda o: not ("seed" in o or o.get("service") == "flex")}
CHAT = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"},
        {"role": "user", "content": "na\u00efve \"quotes\" \n \U0001f600 \u2028 <&>"}]


def vendors_request(api, model, messages, options, streams):
    """The request as the vendor's reference writes it."""
    system = options.get("system")
    request = {"model": model, "messages": messages}
    if api == "openai":
        request["messages"] = ([{"role": "system", "content": system}] if system else []) + messages
    else:
        request.update({"max_tokens": 8192, **({"system": system} if system else {})})
    for name, x in options.items():
        if name == "schema" and api == "openai":
            request["response_format"] = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": x}}
        elif name == "schema":
            request["output_config"] = {"format": {"type": "json_schema", "schema": x}}
        elif name == "extra":
            request.update(x)
        elif name == "tools":
            request["tools"] = [{"type": "function", "function": f} if api == "openai" else
                                {"name": f["name"], "description": f["description"], "input_schema": f["parameters"]} for f in x]
        elif name == "tool_choice":
            request["tool_choice"] = (x if x == "required" else {"type": "function", "function": {"name": x}}) if api == "openai" else \
                {"type": "any"} if x == "required" else {"type": "tool", "name": x}
        elif name == "reasoning" and api == "anthropic" and x == "low":
            request.update({"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}})
        elif name == "reasoning" and api == "anthropic":
            request.update({"thinking": {"type": "enabled", "budget_tokens": x}, "max_tokens": 8192 + x})
        elif name == "service" and api == "anthropic":
            request["service_tier"] = "auto"
        elif name == "stop" and api == "anthropic":
            request["stop_sequences"] = [x] if isinstance(x, str) else x
        elif name != "system":
            request[RENAMED[api].get(name, name)] = x
    if streams and api == "openai":
        request["stream_options"] = {"include_usage": True}
    return request


class Requests(Desk):
    """The same request by the vendor's client and by us: path, headers and body, member by member. Anthropic's version is
    2023-06-01: that of 2026-10-21 refuses temperature and top_p, which older models take (and its client sends the key as
    Authorization: Bearer, where the API takes x-api-key as well)."""

    HEADERS = ("authorization", "x-api-key", "anthropic-version", "content-type")

    def compare(self, api, sdk):
        good = {"openai": Answer(chat()), "anthropic": Answer(claude())}[api]
        jobs, n = {}, 0
        for streams in (False, True):
            for options in (*OPTIONS, "chat"):
                if options != "chat" and (not ONLY[api](options) or (streams and "tools" in options)):
                    continue
                name, n = f"{api}{n}", n + 1
                self.serve(name, good, api=api, streams=streams)
                if options == "chat":
                    value(self.db, "SELECT llm_chat(?, ?)", json.dumps(CHAT), json.dumps({"model": name, "cache": "off"}))
                    request = vendors_request(api, name, CHAT[1:], {"system": CHAT[0]["content"]}, streams)
                else:
                    value(self.db, "SELECT llm_complete(?, ?)", PROMPT,
                          json.dumps({"model": name, "cache": "off", "on_error": "json", "retries": 0, **options}))
                    request = vendors_request(api, name, [{"role": "user", "content": PROMPT}], options, streams)
                jobs[name] = {"sdk": sdk, "url": self.url(name, api), "stream": streams, "request": request}
        ask_sdks(jobs)
        for name in jobs:
            with self.subTest(name=name, request=jobs[name]["request"]):
                (ours, our_body, our_path), (theirs, their_body, their_path) = self.replay.requests[name]
                self.assertEqual(our_path, their_path)
                self.assertEqual({h: ours.get(h) for h in self.HEADERS}, {h: theirs.get(h) for h in self.HEADERS})
                self.assertEqual(json.loads(our_body), json.loads(their_body))
        return n

    def test_openai(self):
        self.assertEqual(self.compare("openai", "openai"), 37)

    def test_anthropic(self):
        self.assertEqual(self.compare("anthropic", "anthropic-2023"), 33)


    def test_responses(self):
        """The same by OpenAI's Responses."""
        answer = Answer({"id": "r", "object": "response", "status": "completed", "model": "m", "usage": {"input_tokens": 1, "output_tokens": 2},
                         "output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "fine", "annotations": []}]}]})
        function = {"type": "function", **FUNCTION, "strict": False}
        cases = [({}, {}), ({"system": "Be brief.", "max_tokens": 50}, {"instructions": "Be brief.", "max_output_tokens": 50}),
                 ({"schema": CLOSED}, {"text": {"format": {"type": "json_schema", "name": "answer", "strict": True, "schema": CLOSED}}}),
                 ({"reasoning": "low", "service": "flex"}, {"reasoning": {"effort": "low"}, "service_tier": "flex"}),
                 ({"temperature": 0.5, "top_p": 0.9}, {"temperature": 0.5, "top_p": 0.9}), ({"tools": [FUNCTION]}, {"tools": [function]}),
                 ({"tools": [FUNCTION], "tool_choice": "weather"}, {"tools": [function], "tool_choice": {"type": "function", "name": "weather"}}),
                 ({"extra": {"metadata": {"a": "b"}}}, {"metadata": {"a": "b"}})]
        jobs = {}
        for i, (options, theirs) in enumerate(cases):
            name = f"responses{i}"
            self.serve(name, answer, api="responses", streams=False)
            value(self.db, "SELECT llm_complete(?, ?)", PROMPT, json.dumps({"model": name, "cache": "off", "on_error": "json", "retries": 0, **options}))
            request = {"model": name, "input": [{"role": "user", "content": PROMPT}], "store": False, **theirs}
            jobs[name] = {"sdk": "responses", "url": self.url(name, "openai"), "stream": False, "request": request}
        results = ask_sdks(jobs)
        for name in jobs:
            with self.subTest(name):
                self.assertEqual(results[name]["text"], "fine")
                (ours, our_body, our_path), (theirs, their_body, their_path) = self.replay.requests[name]
                self.assertEqual((our_path, json.loads(our_body)), (their_path, json.loads(their_body)))
                self.assertEqual({h: ours.get(h) for h in self.HEADERS}, {h: theirs.get(h) for h in self.HEADERS})


class Types(unittest.TestCase):
    """Every form of request, as a literal of the type that the vendor's client takes: TypeScript knows each member."""

    IMPORTS = {"openai": "import OpenAI from 'openai';\n", "anthropic": "import Anthropic from '@anthropic-ai/sdk';\n",
               "anthropic-2023": "import Anthropic from 'anthropic-sdk-2023';\n"}
    TYPES = {"/chat/completions": "OpenAI.Chat.ChatCompletionCreateParams", "/embeddings": "OpenAI.EmbeddingCreateParams",
             "/messages": "Anthropic.MessageCreateParams", "/responses": "OpenAI.Responses.ResponseCreateParams"}

    def setUp(self):
        for package in (*PACKAGES, "typescript"):
            if not npm_package(package):
                self.skipTest(f"npm {package} can't be installed here")

    def complaints(self, sdk, bodies):
        """What tsc says of (path, body) pairs: {number of the pair: message}."""
        modules = f"{NPM_DIR}/node_modules"
        with TempDir() as tmp:
            os.symlink(modules, os.path.join(tmp, "node_modules"))
            with open(os.path.join(tmp, "a.ts"), "w") as f:
                f.write(self.IMPORTS[sdk] + "".join(f"export const b{i}: {self.TYPES[path]} = {json.dumps(body)};\n" for i, (path, body) in enumerate(bodies)))
            out = subprocess.run([f"{modules}/.bin/tsc", "--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "commonjs",
                                  "--moduleResolution", "node10", "a.ts"], cwd=tmp, capture_output=True, text=True, timeout=200)
        lines = [line for line in out.stdout.splitlines() if line.startswith("a.ts(")]
        self.assertEqual(out.returncode != 0, bool(lines), out.stdout[:2000])
        return {int(line[5:].split(",")[0]) - 2: line for line in lines}

    def check(self, api, sdk, spoiled):
        sent = forms(api)
        bodies = [(path, body) for _, path, _, body in sent]
        wrong = [next((path, {**body, **change}) for at, path, _, body in sent if at.startswith(name)) for name, change in spoiled]
        found = self.complaints(sdk, bodies + wrong)
        self.assertEqual({sent[i][0]: line for i, line in found.items() if i < len(bodies)}, {})
        self.assertEqual(sorted(i for i in found), list(range(len(bodies), len(bodies) + len(wrong))))

    def test_openai(self):
        self.check("openai", "openai", [
            ("whole", {"max_token": 5}), ("streamed", {"stream_options": {"includes_usage": True}}), ("zod array", {"response_format": {"type": "json"}}),
            ("embeddings", {"encoding_format": "base65"})])

    def test_anthropic(self):
        self.check("anthropic", "anthropic-2023", [
            ("whole", {"stop": ["x"]}), ("streamed", {"stream": "yes"}), ("zod array", {"output_config": {"format": {"type": "json"}}}),
            ("pydantic map", {"system": 7})])

    def test_responses(self):
        self.check("responses", "openai", [("plain", {"input": 7}), ("tools,", {"tools": [{"type": "function"}]}), ("image", {"store": "no"})])

    def test_what_anthropics_next_version_refuses(self):
        """Of 2026-10-21: temperature and top_p, nothing else of what we send."""
        bodies = [(path, body) for _, path, _, body in forms("anthropic")]
        found = self.complaints("anthropic", bodies)
        self.assertEqual(sorted(found), [i for i, (_, body) in enumerate(bodies) if "temperature" in body or "top_p" in body])


# ---- schemas

# Loose by the API's reference ("Supported schemas"), though their helper lets it pass: default, an enum without a type, {},
# nullable, formats and lookaheads that are not on the list.
LOOSE = {"zod default", "zod literal", "zod any", "zod nullable, OpenAPI 3.0", "zod email", "zod url"}
# Sent in words, where their helper closes a map to {}, forgets what stands before other items, or a condition; recursion,
# which the reference excludes; and what it refuses.
IN_WORDS = {"pydantic map", "pydantic any", "pydantic tuple", "pydantic recursive", "zod loose", "zod tuple", "zod tuple, draft 7",
            "zod record", "zod any", "zod recursive", "a condition"}
# Written in another way: nullable as a type, beside allOf the type that they ask for, without what says nothing of a value.
OTHERWISE = {"zod nullable, OpenAPI 3.0", "zod startsWith"}


def bare(schema):
    """Without descriptions, and without the type beside values, which their helper leaves out."""
    if isinstance(schema, list):
        return [bare(x) for x in schema]
    if not isinstance(schema, dict):
        return schema
    has_values = isinstance(schema.get("enum"), list) or "const" in schema
    return {k: bare(x) for k, x in schema.items() if not (k == "description" and isinstance(x, str)) and not (k == "type" and has_values)}


class Schemas(Desk):
    """What is sent of a schema, beside what the vendors' helpers make of it."""

    def sent(self, name, schema, api):
        self.serve(name, Answer({"openai": chat, "anthropic": claude}[api]("null")), api=api)
        self.ask(name, schema=schema)
        body = self.replay.body(name, 0)
        return body["response_format"]["json_schema"] if api == "openai" else body.get("output_config", {}).get("format", {}).get("schema")

    def test_strict_is_what_their_helper_calls_strict(self):
        ours = {name: self.sent(f"o{i}", schema, "openai") for i, (name, schema) in enumerate(SCHEMAS.items())}
        theirs = ask_sdks({name: {"strict": sent["schema"]} for name, sent in ours.items()})
        for name, sent in ours.items():
            with self.subTest(name):
                same = theirs[name].get("schema") == sent["schema"]
                self.assertEqual(sent["strict"], same and name not in LOOSE, theirs[name])

    def test_reduced_is_what_their_helper_sends(self):
        ours = {name: self.sent(f"a{i}", schema, "anthropic") for i, (name, schema) in enumerate(SCHEMAS.items())}
        self.assertEqual({name for name, sent in ours.items() if sent is None}, IN_WORDS)
        ours = {name: sent for name, sent in ours.items() if sent is not None}
        theirs = ask_sdks({**{name: {"reduce": SCHEMAS[name]} for name in ours}, **{"again " + name: {"reduce": sent} for name, sent in ours.items()}})
        for name, sent in ours.items():
            with self.subTest(name):
                self.assertEqual(bare(theirs["again " + name]["schema"]), bare(sent))  # nothing in it is outside their subset
                is_wrapped = list(sent["properties"]) == ["value"] and "value" not in SCHEMAS[name].get("properties", {})
                root = {**sent["properties"]["value"], **({"$defs": sent["$defs"]} if "$defs" in sent else {})} if is_wrapped else sent
                if name not in OTHERWISE:
                    self.assertEqual(bare(theirs[name]["schema"]), bare(root))


# ---- answers

def raw(text, **more):
    return Answer(text, **more)


def events(*chunks, **more):
    """A stream of JSON values, or of lines as they are."""
    text = "".join(c if isinstance(c, str) else f"data: {json.dumps(c)}\n\n" for c in chunks)
    return Answer(text, type="text/event-stream", **more)


DONE = "data: [DONE]\n\n"
WIDE = "na\u00efve \u65e5\u672c \U0001f600 \u2028 \\ \"q\" \t\n"
TOOL = {"id": "t", "type": "function", "function": {"name": "f", "arguments": "{}"}}

ROLE = chunk(role="assistant", content="")
PLAIN = (ROLE, chunk("fi"), chunk("ne"), chunk(finish="stop"))
NULL_TEXT = {**chunk(), "choices": [{"index": 0, "delta": {"role": "assistant", "content": None}, "finish_reason": None}]}


def second(content, **delta):
    """A piece of a second choice."""
    return {**chunk(), "choices": [{"index": 1, "delta": {"content": content, **delta}, "finish_reason": None}]}


def said(text):
    """The bytes of a whole body, to be spoiled."""
    return json.dumps(chat()).replace(*text)


OPENAI_BODIES = {
    "plain": Answer(chat()),
    "wide": Answer(chat(WIDE)),
    "wide, not escaped": raw(json.dumps(chat(WIDE), ensure_ascii=False)),
    "refusal": Answer(chat(None, message={"refusal": "I can't."})),
    "refusal, empty": Answer(chat(message={"refusal": ""})),
    "tools": Answer(chat(None, finish="tool_calls", message={"tool_calls": [TOOL]})),
    "tools beside a text": Answer(chat("I'll look", finish="tool_calls", message={"tool_calls": [TOOL]})),
    "length": Answer(chat("half a sen", finish="length")),
    "length before the first word": Answer(chat("", finish="length")),
    "filtered": Answer(chat("I ca", finish="content_filter")),
    "no usage": Answer(chat(usage=None)),
    "usage null": Answer({**chat(), "usage": None}),
    "usage in detail": Answer(chat(usage={**USAGE, "prompt_tokens_details": {"cached_tokens": 40, "audio_tokens": 0},
                                          "completion_tokens_details": {"reasoning_tokens": 9, "rejected_prediction_tokens": 2}})),
    "usage as 100.0": raw(said(('"prompt_tokens": 100', '"prompt_tokens": 1.00e2'))),
    "more members": Answer(chat(service_tier="default", system_fingerprint="fp", created=1, choice={"logprobs": None},
                                message={"annotations": [], "audio": None, "function_call": None, "tool_calls": None})),
    "filters told": Answer(chat(prompt_filter_results=[{"prompt_index": 0, "content_filter_results": {}}],
                                choice={"content_filter_results": {"hate": {"filtered": False}}})),
    "two choices": Answer({**chat(), "choices": [{"index": 0, "message": {"content": "fine"}, "finish_reason": "stop"},
                                                 {"index": 1, "message": {"content": "other"}, "finish_reason": "length"}]}),
    "no word for the end": Answer(chat(finish=None)),
    "an empty text": Answer(chat("")),
    "blanks": Answer(chat(" \n")),
    "JSON in the text": Answer(chat('{"a":[1,2,"\\u00e9"]}')),
    "long, in chunks": Answer(chat("long " * 40000), chunked=True, pieces=37),
    "gzip": Answer(gzip.compress(json.dumps(chat()).encode()), headers=[("Content-Encoding", "gzip")]),
    "byte order mark": raw("\ufeff" + json.dumps(chat())),
    "blanks around": raw("\n\n \n" + json.dumps(chat(), indent=2) + "\r\n"),
    "a member twice": raw(said(('"content": "fine"', '"content": "first", "content": "second"'))),
    "a member null, then not": raw(said(('"finish_reason"', '"usage": null, "finish_reason"'))),
    "an error as a success": Answer({"error": {"message": "no", "type": "invalid_request_error"}}),
    "half": raw(json.dumps(chat())[:90]),
    "half, cut": Answer(chat(), cut=30),
    "nothing": raw(""),
    "a page": raw("<html></html>", type="text/html"),
    # what they can't read
    "parts": Answer(chat([{"type": "text", "text": "4"}, {"type": "text", "text": "2"}])),
    "another content type": Answer(chat(), type="text/plain"),
    "NaN": raw(said(('"choices"', '"logprobs": [NaN], "choices"'))),
    "a stream unasked": events(*PLAIN, USAGE_CHUNK, DONE),
    "NUL behind": raw(json.dumps(chat()).encode() + b"\0"),
    "a last byte lost": Answer(json.dumps(chat()) + " ", cut=1),
    # letters that SQLite's text has no form for
    "half a surrogate pair": Answer(chat("a\ud83d")),
    "NUL": Answer(chat("a\0b")),
}
OPENAI_STREAMS = {
    "plain": events(*PLAIN, USAGE_CHUNK, DONE),
    "no usage": events(*PLAIN, DONE),
    "usage in the last piece": events(ROLE, chunk("fine"), chunk(finish="stop", usage=USAGE), DONE),
    "usage in each piece": events(ROLE, chunk("fi", usage={"prompt_tokens": 100, "completion_tokens": 1, "total_tokens": 101}),
                                  chunk("ne", "stop", USAGE), DONE),
    "wide": events(ROLE, *(chunk(c) for c in WIDE), chunk(finish="stop"), USAGE_CHUNK, DONE),
    "a letter in two pieces": events(ROLE, chunk("a\ud83d"), chunk("\ude00b"), chunk(finish="stop"), DONE),
    "wide, a byte at a time": Answer("".join(f"data: {json.dumps(c, ensure_ascii=False)}\n\n" for c in (ROLE, chunk(WIDE), chunk(finish="stop"))) + DONE,
                                     type="text/event-stream", chunked=True, pieces=10 ** 6),
    "CRLF": events(*(f"data: {json.dumps(c)}\r\n\r\n" for c in (*PLAIN, USAGE_CHUNK)), "data: [DONE]\r\n\r\n"),
    "CR": events(*(f"data: {json.dumps(c)}\r\r" for c in (*PLAIN, USAGE_CHUNK)), "data: [DONE]\r\r"),
    "CRLF, a byte at a time": events(*(f"data: {json.dumps(c)}\r\n\r\n" for c in PLAIN), "data: [DONE]\r\n\r\n", chunked=True, pieces=10 ** 6),
    "comments": events(": PROCESSING\n\n", ROLE, PLAIN[1], ":\n\n", ": {\"choices\":[]}\n\n", PLAIN[2], PLAIN[3], DONE),
    "other fields": events("retry: 10\n\n", *(f"id: 7\ndata: {json.dumps(c)}\n\n" for c in PLAIN), DONE),
    "no blank behind the colon": events(*(f"data:{json.dumps(c)}\n\n" for c in PLAIN), "data:[DONE]\n\n"),
    "data over several lines": events(*("".join(f"data: {line}\n" for line in json.dumps(c, indent=1).split("\n")) + "\n" for c in PLAIN), DONE),
    "byte order mark": events("\ufeff", *PLAIN, DONE),
    "a text that looks like a field": events(ROLE, chunk("x\ndata: [DONE]\n\nevent: error\n"), chunk("[DONE]"), chunk(finish="stop"), DONE),
    "filters told first": events({"id": "", "object": "", "created": 0, "model": "", "choices": [], "prompt_filter_results": []}, *PLAIN, USAGE_CHUNK, DONE),
    "null and empty texts": events(NULL_TEXT, chunk(""), chunk("fine"), NULL_TEXT, chunk(finish="stop"), DONE),
    "refusal": events(ROLE, chunk(refusal="I "), chunk(refusal="can't."), chunk(finish="stop"), USAGE_CHUNK, DONE),
    "tools": events(ROLE, chunk(None, tool_calls=[{"index": 0, **TOOL}]), chunk(None, tool_calls=[{"index": 0, "function": {"arguments": " "}}]),
                    chunk(finish="tool_calls"), USAGE_CHUNK, DONE),
    "length": events(ROLE, chunk("half a sen"), chunk(finish="length"), USAGE_CHUNK, DONE),
    "filtered": events(ROLE, chunk("I ca"), chunk(finish="content_filter"), USAGE_CHUNK, DONE),
    "two choices": events(ROLE, chunk("fi"), second("ot", role="assistant"), chunk("ne"), second("her"), chunk(finish="stop"), second("!"), {**second(""), "choices": [{"index": 1, "delta": {}, "finish_reason": "length"}]}, USAGE_CHUNK, DONE),
    "more behind the end": events(*PLAIN, USAGE_CHUNK, DONE, chunk("more")),
    "no [DONE]": events(*PLAIN, USAGE_CHUNK, close=True),
    "an error in between": events(chunk("fi"), {"error": {"message": "no", "type": "server_error", "code": "server_error"}}, DONE),
    "an error by its name": events(chunk("fi"), 'event: error\ndata: {"error": {"message": "no"}}\n\n'),
    "an error first": events({"error": {"message": "no", "code": 400}}),
    "no end": events(ROLE, chunk("fi"), chunk("ne"), close=True),
    "no end, but [DONE]": events(ROLE, chunk("fi"), chunk("ne"), DONE),
    "cut": events(*PLAIN, DONE, cut=200),
    "cut within a letter": Answer(f"data: {json.dumps(chunk(WIDE), ensure_ascii=False)}".encode()[:150], type="text/event-stream", close=True),
    "cut behind its word": events(*PLAIN, USAGE_CHUNK, DONE, cut=100),
    "nothing": events(""),
    "nothing but [DONE]": events(DONE),
    # what they can't read
    "a whole answer": Answer(chat()),
    "a whole answer as an event": events(chat(), DONE),
    "a value a line": raw("\n".join(json.dumps(c) for c in (*PLAIN, USAGE_CHUNK))),
    "the last blank line lost": events(*PLAIN, USAGE_CHUNK, DONE, " ", cut=1),
}
CLAUDE_USAGE = {"input_tokens": 100, "output_tokens": 20}
TEXT = {"type": "text", "text": "fine"}


def started(**usage):
    return {"type": "message_start", "message": {**claude([], None), "stop_sequence": None, "usage": {"input_tokens": 100, "output_tokens": 1, **usage}}}


def block(i, first, *deltas):
    return [{"type": "content_block_start", "index": i, "content_block": first},
            *({"type": "content_block_delta", "index": i, "delta": d} for d in deltas), {"type": "content_block_stop", "index": i}]


def texts(*parts):
    return [{"type": "text_delta", "text": p} for p in parts]


def ended(reason="end_turn", **more):
    return [{"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": {"output_tokens": 20}, **more}, {"type": "message_stop"}]


def named(*items, **more):
    """Events with their names; None is a ping."""
    return events(*(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" if isinstance(e, dict) else e or 'event: ping\ndata: {"type": "ping"}\n\n'
                    for e in items), **more)


EMPTY, FINE = {"type": "text", "text": ""}, [*block(0, {"type": "text", "text": ""}, *texts("fi", "ne"))]
OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "r"}
ANTHROPIC_BODIES = {
    "plain": Answer(claude()),
    "wide": Answer(claude(WIDE)),
    "two texts": Answer(claude([{"type": "text", "text": "4"}, {"type": "text", "text": "2"}])),
    "thinking": Answer(claude([{"type": "thinking", "thinking": "hm", "signature": "s"}, TEXT])),
    "thinking, withheld": Answer(claude([{"type": "redacted_thinking", "data": "x"}, TEXT])),
    "tools": Answer(claude([{"type": "tool_use", "id": "t", "name": "f", "input": {}}], "tool_use")),
    "tools beside a text": Answer(claude([TEXT, {"type": "tool_use", "id": "t", "name": "f", "input": {"text": "no"}}], "tool_use")),
    "length": Answer(claude("half", "max_tokens")),
    "the window is full": Answer(claude("half", "model_context_window_exceeded")),
    "stop sequence": Answer(claude("fine", "stop_sequence", stop_sequence="END")),
    "refusal": Answer(claude([], "refusal", stop_details={"type": "refusal", "explanation": "It would do harm."})),
    "cached": Answer(claude(usage={**CLAUDE_USAGE, "cache_read_input_tokens": 30, "cache_creation_input_tokens": 7,
                                   "cache_creation": {"ephemeral_5m_input_tokens": 7, "ephemeral_1h_input_tokens": 0}})),
    "usage with nulls": Answer(claude(usage={**CLAUDE_USAGE, "cache_read_input_tokens": None, "cache_creation_input_tokens": None,
                                             "cache_creation": None, "server_tool_use": None, "service_tier": "standard", "output_tokens_details": None})),
    "citations": Answer(claude([{**TEXT, "citations": [{"type": "char_location", "cited_text": "no", "document_index": 0}]}])),
    "its own tools": Answer(claude([{"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}},
                                    {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"type": "web_search_result", "title": "no"}]}, TEXT])),
    "a block that nobody knows": Answer(claude([{"type": "whatever", "text_of": "no"}, TEXT])),
    "more members": Answer(claude(container=None, diagnostics=None, stop_details=None, context_management=None)),
    "nothing said": Answer(claude([])),
    "an error as a success": Answer(OVERLOADED),
    "half": raw(json.dumps(claude())[:90]),
}
ANTHROPIC_STREAMS = {
    "plain": named(started(), *FINE, *ended()),
    "pings": named(started(), None, FINE[0], None, *FINE[1:], None, *ended()),
    "wide, a byte at a time": Answer("".join(f"event: {e['type']}\ndata: {json.dumps(e, ensure_ascii=False)}\n\n"
                                             for e in (started(), *block(0, EMPTY, *texts(WIDE)), *ended())),
                                     type="text/event-stream", chunked=True, pieces=10 ** 6),
    "CRLF": named(*(f"event: {e['type']}\r\ndata: {json.dumps(e)}\r\n\r\n" for e in (started(), *FINE, *ended()))),
    "comments": named(": hm\n\n", started(), ":\n\n", *FINE, *ended()),
    "data over several lines": named(*("event: %s\n" % e["type"] + "".join(f"data: {line}\n" for line in json.dumps(e, indent=1).split("\n")) + "\n"
                                       for e in (started(), *FINE, *ended()))),
    "a letter in two pieces": named(started(), *block(0, EMPTY, *texts("a\ud83d", "\ude00b")), *ended()),
    "two texts": named(started(), *block(0, EMPTY, *texts("fi")), *block(1, EMPTY, *texts("ne")), *ended()),
    "a text in its first event": named(started(), *block(0, {"type": "text", "text": "fi"}, *texts("ne")), *ended()),
    "thinking": named(started(), *block(0, {"type": "thinking", "thinking": "", "signature": ""}, {"type": "thinking_delta", "thinking": "hm"},
                                        {"type": "signature_delta", "signature": "s"}), *block(1, EMPTY, *texts("fine")), *ended()),
    "tools": named(started(), *block(0, {"type": "tool_use", "id": "t", "name": "f", "input": {}}, {"type": "input_json_delta", "partial_json": "{\"text\":"},
                                     {"type": "input_json_delta", "partial_json": "1}"}), *ended("tool_use")),
    "citations": named(started(), *block(0, {**EMPTY, "citations": []}, {"type": "citations_delta", "citation": {"type": "char_location", "cited_text": "no"}},
                                         *texts("fine")), *ended()),
    "cached": named(started(cache_read_input_tokens=30, cache_creation_input_tokens=7), *FINE, *ended()),
    "cumulative usage": named(started(), *FINE, {**ended()[0], "usage": {"input_tokens": 110, "output_tokens": 5}}, *ended(usage={"input_tokens": 120, "output_tokens": 20})),
    "length": named(started(), *FINE, *ended("max_tokens")),
    "refusal": named(started(), *ended("refusal")),
    "an event that nobody knows": named(started(), {"type": "whatever", "delta_of": 1}, *FINE, *ended()),
    "more behind the end": named(started(), *FINE, *ended(), block(1, EMPTY, *texts("more"))[1]),
    "an error in between": named(started(), *FINE[:2], OVERLOADED),
    "an error first": named(OVERLOADED),
    "no message_stop": named(started(), *FINE, close=True),
    "cut": named(started(), *FINE, *ended(), cut=250),
    "nothing": events(""),
    # what they can't read
    "a whole answer": Answer(claude()),
    "no message_stop, but a reason": named(started(), *FINE, ended()[0], close=True),
}
# Where we differ, on purpose: what they throw, or their text; our answer; why.
DIFFERENCES = {
    ("openai", False, "parts"): ("'4'", "42", "Mistral's reasoning models answer in parts: the text is what they are joined to"),
    ("openai", False, "another content type"): ("Cannot read properties", "fine", "a body that is an answer is one, whatever it is called"),
    ("openai", False, "NaN"): ("is not valid JSON", "fine", "Python servers write NaN in logprobs"),
    ("openai", False, "a stream unasked"): ("Cannot read properties", "fine", "gateways stream unasked"),
    ("openai", False, "NUL behind"): ("non-whitespace", "fine", "it is paid for, and all there"),
    ("openai", False, "a last byte lost"): ("terminated", "fine", "it is paid for, and all there"),
    ("openai", False, "half a surrogate pair"): ("a\\ud83d", "a\ufffd", "no text of SQLite's can hold it"),
    ("openai", False, "NUL"): ("a\\x00b", "a\ufffdb", "no text of SQLite's can hold it"),
    ("openai", True, "no end, but [DONE]"): ("missing finish_reason", "fine", "the stream says that it is over; KoboldCpp has no word for it"),
    ("openai", True, "a whole answer"): ("without sending any chunks", "fine", "a server that does not stream is as good"),
    ("openai", True, "a value a line"): ("without sending any chunks", "fine", "Ollama's framing"),
    ("openai", True, "cut behind its word"): ("terminated", "fine", "it said how it ended; what it cost is unknown"),
    ("anthropic", True, "a whole answer"): ("without sending any chunks", "fine", "a server that does not stream is as good"),
    ("anthropic", True, "no message_stop, but a reason"): ("without producing a Message", "fine", "it said how it ended, and its last usage"),
}


class Answers(Desk):
    """The same bytes to the vendor's client and to us."""

    def check(self, theirs, ours):
        """Where they have a final message, ours is that or says why it is none; where they throw, ours is an error."""
        if "thrown" in theirs:
            self.assertIsNotNone(ours["error"])
            self.assertIsNone(ours["text"])
            return
        self.assertEqual((ours["finish"], ours["model"]), (theirs["finish"], theirs["model"]))
        self.assertEqual(ours["tokens"], theirs["tokens"] or [None, None])
        is_filtered = theirs["finish"] in ("content_filter", "refusal") or theirs["refusal"]
        if is_filtered or theirs["tools"] or not (theirs["text"] or "").strip():
            self.assertIsNone(ours["text"])
            self.assertIsNotNone(ours["error"])
            self.assertEqual(ours["ended"] == "filtered", bool(is_filtered))
        else:
            self.assertEqual(ours["text"], theirs["text"])
            self.assertIsNone(ours["error"])

    def compare(self, table, api, streams):
        self.assertGreaterEqual(len(table), 20)
        jobs, results = {}, {}
        request = {"messages": [{"role": "user", "content": PROMPT}], "max_tokens": 1000}
        for i, (name, answer) in enumerate(table.items()):
            model = f"{api}{streams}{i}"
            self.serve(model, answer, api=api, streams=streams)
            results[name] = self.ask(model, max_tokens=1000)
            more = {"stream_options": {"include_usage": True}} if streams and api == "openai" else {}
            jobs[name] = {"sdk": api, "url": self.url(model, api), "stream": streams, "request": {**request, **more, "model": model}}
        theirs = ask_sdks(jobs)
        for name in table:
            with self.subTest(name, theirs=theirs[name], ours=results[name]):
                difference = DIFFERENCES.get((api, streams, name))
                if difference:
                    they, we, _ = difference
                    self.assertIn(they, theirs[name]["message"] if "thrown" in theirs[name] else repr(theirs[name]["text"]))
                    self.assertEqual(results[name]["text"], we)
                else:
                    self.check(theirs[name], results[name])

    def test_openai_bodies(self):
        self.compare(OPENAI_BODIES, "openai", False)

    def test_openai_streams(self):
        self.compare(OPENAI_STREAMS, "openai", True)

    def test_anthropic_bodies(self):
        self.compare(ANTHROPIC_BODIES, "anthropic", False)

    def test_anthropic_streams(self):
        self.compare(ANTHROPIC_STREAMS, "anthropic", True)


class AtRandom(Answers):
    """Texts of hard letters, cut into pieces and framed at random: we read what the vendors' clients read."""

    LETTERS = ["a", " ", "\n", "\r", "\t", '"', "\\", "{", "}", "[", "]", "data: ", "[DONE]", "event: error\n", ":", "\\ud83d", "\u2028", "\x85", "\ufeff",
               "\u00e9", "\u65e5", "\U0001f600", "\U0001d4b3", "\x7f", "\u200b", "</think", "null", "\x01", "\u0300", "\U0001f469\u200d\U0001f467"]

    def pieces(self, text):
        """The text in pieces of some UTF-16 units each, as servers in JavaScript cut it."""
        units = text.encode("utf-16-le")
        while units:
            n = 2 * self.random.randint(0, 4)
            yield units[:n].decode("utf-16-le", "surrogatepass")
            units = units[n:]

    def frame(self, values, is_done):
        chance, end = self.random.random, self.random.choice(["\n", "\n", "\r\n", "\r"])
        out = "\ufeff" if chance() < 0.1 else ""
        for v in values:
            out += ': c {"choices":[]}' + end if chance() < 0.2 else ""
            out += "event: " + v["type"] + end if "type" in v else ""
            out += "id: 3" + end if chance() < 0.1 else ""
            lines = json.dumps(v, indent=self.random.choice([None, None, 1])).split("\n")
            out += "".join(self.random.choice(["data: ", "data:"]) + line + end for line in lines) + end * self.random.choice([1, 1, 2])
        out += ("data: [DONE]" + end + end) * is_done
        how = {"chunked": True, "pieces": self.random.choice([1, 3, 50, 10 ** 6])} if chance() < 0.7 else {"close": True}
        return Answer(out, type="text/event-stream", **how)

    def tables(self):
        for i in range(30):
            text = "x" + "".join(self.random.choices(self.LETTERS, k=self.random.randint(1, 25))) + "y"
            end = self.random.choice([0, 1])
            yield ("openai", False), f"{i}", Answer(json.dumps(chat(text, ("stop", "length")[end]), ensure_ascii=bool(i % 2)))
            yield ("anthropic", False), f"{i}", Answer(json.dumps(claude(text, ("end_turn", "max_tokens")[end]), ensure_ascii=bool(i % 2)))
            yield ("openai", True), f"{i}", self.frame([ROLE, *map(chunk, self.pieces(text)), chunk(finish=("stop", "length")[end]), USAGE_CHUNK], i % 5 > 0)
            yield ("anthropic", True), f"{i}", self.frame([started(), *block(0, EMPTY, *texts(*self.pieces(text))), *ended(("end_turn", "max_tokens")[end])], False)

    def test_at_random(self):
        self.random, all_tables = random.Random(7), {}
        for key, name, answer in self.tables():
            all_tables.setdefault(key, {})[name] = answer
        for (api, streams), table in all_tables.items():
            self.compare(table, api, streams)

    test_openai_bodies = test_openai_streams = test_anthropic_bodies = test_anthropic_streams = None


# ---- errors

def openai_error(status, type, code=None, message="no", **more):
    return Answer({"error": {"message": message, "type": type, "param": None, "code": code}}, status=status, **more)


def anthropic_error(status, type, message="no", **details):
    return Answer({"type": "error", "error": {"type": type, "message": message, **({"details": details} if details else {})}, "request_id": "r"},
                  status=status)


# name: the answer, the class that the client throws, requests that it makes of three that it may
OPENAI_ERRORS = {
    "a wrong request": (openai_error(400, "invalid_request_error", "unsupported_value"), "BadRequestError", 1),
    "too long": (openai_error(400, "invalid_request_error", "context_length_exceeded"), "BadRequestError", 1),
    "a wrong key": (openai_error(401, "invalid_request_error", "invalid_api_key"), "AuthenticationError", 1),
    "no money": (openai_error(402, "billing_error"), "APIError", 1),
    "forbidden": (openai_error(403, "invalid_request_error", "unsupported_country_region_territory"), "PermissionDeniedError", 1),
    "no such model": (openai_error(404, "invalid_request_error", "model_not_found"), "NotFoundError", 1),
    "a conflict": (openai_error(409, "conflict_error"), "ConflictError", 3),
    "too large": (openai_error(413, "invalid_request_error"), "APIError", 1),
    "not to be processed": (openai_error(422, "invalid_request_error"), "UnprocessableEntityError", 1),
    "too many": (openai_error(429, "requests", "rate_limit_exceeded", headers=[("retry-after-ms", "10")]), "RateLimitError", 3),
    "too many, in words": (Answer("slow down", status=429, type="text/plain", headers=[("retry-after-ms", "10")]), "RateLimitError", 3),
    "an error of theirs": (openai_error(500, "server_error"), "InternalServerError", 3),
    "a body that is none": (Answer("", status=500), "InternalServerError", 3),
    "overloaded": (openai_error(503, "server_error"), "InternalServerError", 3),
    "to be tried again": (openai_error(400, "invalid_request_error", headers=[("x-should-retry", "true")]), "BadRequestError", 3),
    "not to be tried again": (openai_error(500, "server_error", headers=[("x-should-retry", "false")]), "InternalServerError", 1),
    "no money, as too many": (openai_error(429, "insufficient_quota", "insufficient_quota"), "RateLimitError", 3),
    "a gateway's time-out": (Answer("<html></html>", status=504, type="text/html"), "InternalServerError", 3),
    "a gateway without its server": (Answer("Bad Gateway", status=502, type="text/plain"), "InternalServerError", 3),
    "a request's time-out": (Answer("", status=408), "APIError", 3),
    "hung up": (Answer(mute=True), "APIConnectionError", 3),
    "cut": (Answer(chat(), cut=40), "TypeError", 1),
}
ANTHROPIC_ERRORS = {
    "a wrong request": (anthropic_error(400, "invalid_request_error"), "BadRequestError", 1),
    "a wrong request, in detail": (anthropic_error(400, "invalid_request_error", error_code="image_dimensions_too_large"), "ImageDimensionsTooLargeError", 1),
    "no money": (anthropic_error(400, "invalid_request_error", "Your credit balance is too low"), "BadRequestError", 1),
    "a wrong key": (anthropic_error(401, "authentication_error"), "AuthenticationError", 1),
    "billing": (anthropic_error(402, "billing_error"), "PaymentRequiredError", 1),
    "forbidden": (anthropic_error(403, "permission_error"), "PermissionDeniedError", 1),
    "no such model": (anthropic_error(404, "not_found_error"), "NotFoundError", 1),
    "too large": (anthropic_error(413, "request_too_large"), "ContentTooLargeError", 1),
    "too many": (anthropic_error(429, "rate_limit_error"), "RateLimitError", 3),
    "an error of theirs": (anthropic_error(500, "api_error"), "InternalServerError", 3),
    "their own time-out": (anthropic_error(504, "timeout_error"), "GatewayTimeoutError", 3),
    "overloaded": (anthropic_error(529, "overloaded_error"), "OverloadedError", 3),
    "a spend limit": (anthropic_error(429, "rate_limit_error", error_code="enforced_spend_limit_reached"), "EnforcedSpendLimitReachedError", 3),
    "compaction": (anthropic_error(529, "overloaded_error", error_code="compaction_unavailable"), "CompactionUnavailableError", 3),
    "a gateway's time-out": (Answer("error code: 524", status=524, type="text/plain"), "InternalServerError", 3),
}
# Requests that we make, where they make another number; why.
OUR_REQUESTS = {
    "no money, as too many": (1, "it is met again until somebody pays"),
    "a spend limit": (1, "it is met again until somebody raises it"),
    "a gateway's time-out": (1, "behind it the answer may have been made and billed: it is not bought again unasked"),
    "a gateway without its server": (1, "likewise"),
    "a request's time-out": (1, "likewise"),
    "hung up": (1, "likewise"),
}


class Errors(Desk):
    """Which errors there are, and which are worth another request, of three."""

    def compare(self, table, api):
        self.assertGreaterEqual(len(table), 15)
        jobs, ours = {}, {}
        for i, (name, (answer, _, _)) in enumerate(table.items()):
            model = f"e{api}{i}"
            self.serve(model, answer, api=api)
            result = self.ask(model, retries=2)
            self.assertIsNone(result["text"])
            status = self.db.execute("SELECT http_status FROM llm_calls ORDER BY id DESC LIMIT 1").fetchone()[0]
            ours[name] = (self.replay.asked(model), status, result["error"])
            self.replay.requests.pop(model)
            jobs[name] = {"sdk": api, "url": self.url(model, api), "retries": 2,
                          "request": {"model": model, "messages": [{"role": "user", "content": PROMPT}], "max_tokens": 9}}
        theirs = ask_sdks(jobs)
        for i, (name, (answer, thrown, n)) in enumerate(table.items()):
            with self.subTest(name, theirs=theirs[name], ours=ours[name]):
                self.assertEqual((theirs[name]["thrown"], self.replay.asked(f"e{api}{i}")), (thrown, n))
                self.assertEqual(ours[name][0], OUR_REQUESTS.get(name, (n, ""))[0])
                if theirs[name]["status"]:
                    self.assertEqual(ours[name][1], theirs[name]["status"])

    def test_openai(self):
        self.compare(OPENAI_ERRORS, "openai")

    def test_anthropic(self):
        self.compare(ANTHROPIC_ERRORS, "anthropic")


if __name__ == "__main__":
    unittest.main()
