"""Our requests and our reading of answers beside the vendors' own clients: npm openai and @anthropic-ai/sdk."""
import json
import os
import subprocess
import unittest

from harness import NPM_DIR, ROOT, TempDir, clean_env, connect, npm_package, value
from replay import CLAUDE, MODEL, USAGE, USAGE_CHUNK, Answer, Replay, chat, chunk, claude, sse
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
RENAMED = {"openai": {"max_tokens": "max_completion_tokens"}, "anthropic": {"stop": "stop_sequences"}}
OPTIONS = [
    {}, {"system": "Be brief."}, {"max_tokens": 50}, {"temperature": 0.5}, {"temperature": 0}, {"top_p": 0.9}, {"seed": 7},
    {"seed": 9007199254740991}, {"stop": "END"}, {"stop": ["END", "STOP"]}, {"schema": CLOSED},
    {"system": "Be brief.", "max_tokens": 50, "temperature": 0.1, "top_p": 1, "stop": ["x"], "schema": CLOSED},
]
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
                if api == "anthropic" and "seed" in options:
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
        self.assertEqual(self.compare("openai", "openai"), 26)

    def test_anthropic(self):
        self.assertEqual(self.compare("anthropic", "anthropic-2023"), 22)


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


if __name__ == "__main__":
    unittest.main()
