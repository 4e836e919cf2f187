"""Schemas: what pydantic and zod write is taken by both providers; JSON is found in an answer, and is JSON to SQLite."""
import http.server
import json
import os
import threading
import unittest

from harness import Desk, TempDir, connect, error_of, value

STRING, INTEGER = {"type": "string"}, {"type": "integer"}


def closed(**properties):
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


SCHEMAS = {
    # pydantic: a model with optional members, bounds, an enum, a list of models, a map, a tuple, a set, a union
    "pydantic model": {
        "$defs": {"Kind": {"enum": ["a", "b"], "title": "Kind", "type": "string"},
                  "Item[int]": {"properties": {"n": {"exclusiveMinimum": 0, "title": "N", "type": "integer"}},
                                "required": ["n"], "title": "Item[int]", "type": "object"}},
        "properties": {"kind": {"$ref": "#/$defs/Kind"}, "items": {"items": {"$ref": "#/$defs/Item[int]"}, "maxItems": 3, "type": "array"},
                       "note": {"anyOf": [{"maxLength": 5, "type": "string"}, {"type": "null"}], "default": None}},
        "required": ["kind", "items"], "title": "M", "type": "object"},
    "pydantic map": {"additionalProperties": INTEGER, "type": "object"},
    "pydantic any": {"additionalProperties": True, "type": "object"},
    "pydantic tuple": {"maxItems": 2, "minItems": 2, "prefixItems": [INTEGER, STRING], "type": "array"},
    "pydantic set": {"items": STRING, "type": "array", "uniqueItems": True},
    "pydantic union": {"discriminator": {"mapping": {"a": "#/$defs/A", "b": "#/$defs/B"}, "propertyName": "t"},
                       "oneOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}],
                       "$defs": {"A": closed(t={"const": "a", "type": "string"}), "B": closed(t={"const": "b", "type": "string"})}},
    "pydantic recursive": {"$ref": "#/$defs/Node", "$defs": {"Node": {
        "properties": {"v": INTEGER, "next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}], "default": None}},
        "required": ["v"], "type": "object"}}},
    # zod
    "zod strict": {"$schema": "https://json-schema.org/draft/2020-12/schema", **closed(a=STRING)},
    "zod loose": {"type": "object", "properties": {"a": STRING}, "required": ["a"], "additionalProperties": {}},
    "zod array": {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "array", "items": closed(a=STRING)},
    "zod tuple": {"type": "array", "prefixItems": [STRING], "items": {"type": "number"}, "minItems": 1},
    "zod tuple, draft 7": {"type": "array", "items": [STRING], "additionalItems": {"type": "number"}, "minItems": 1},
    "zod record": {"type": "object", "propertyNames": STRING, "additionalProperties": {"type": "number"}},
    "zod default": closed(a={"default": "x", "type": "string"}),
    "zod literal": {"enum": ["a", 1, None]},
    "zod any": {},
    "zod nullable": {"type": ["string", "null"]},
    "zod nullable, OpenAPI 3.0": {"type": "string", "nullable": True},
    "zod positive, draft 4": closed(a={"type": "integer", "minimum": 0, "exclusiveMinimum": True}),
    "zod email": closed(a={"type": "string", "format": "email", "pattern": "^(?!\\.)[a-z.]+@[a-z.]+$"}),
    "zod url": closed(a={"type": "string", "format": "uri"}),
    "zod startsWith": closed(a={"type": "string", "allOf": [{"pattern": "^s"}, {"pattern": "t"}]}),
    "zod recursive": closed(v=INTEGER, next={"anyOf": [{"$ref": "#"}, {"type": "null"}]}),
    # others
    "an integer": INTEGER, "an enum": {"type": "string", "enum": ["x", "y"]},
    "a condition": {"type": "object", "properties": {"a": STRING}, "if": {"required": ["a"]}, "then": {"required": ["b"]}},
    "bounds": closed(a={"type": "array", "items": INTEGER, "minItems": 2, "maxItems": 5}),
}


class WhatIsSent(Desk):
    """The stand-in refuses what the providers' documents say they refuse."""

    def test_no_provider_refuses_it(self):
        for name, schema in SCHEMAS.items():
            for model in ("gpt-4o-mini", "claude-haiku-4-5"):
                with self.subTest(name=name, model=model):
                    value(self.db, "SELECT llm_complete(?, ?)", name, json.dumps(
                        {"model": model, "schema": schema, "retries": 0, "cache": "off", "on_error": "json"}))
                    self.assertEqual(self.db.execute("SELECT http_status FROM llm_calls ORDER BY id DESC LIMIT 1").fetchone(), (200,),
                                     value(self.db, "SELECT error FROM llm_calls ORDER BY id DESC LIMIT 1"))

    def test_a_root_that_is_no_object_comes_back_bare(self):
        for name in ("zod array", "an integer", "an enum", "zod tuple", "pydantic union", "zod nullable", "pydantic recursive"):
            answer = value(self.db, "SELECT llm_complete('x', ?)", json.dumps({"schema": SCHEMAS[name], "cache": "off"}))
            self.assertEqual(value(self.db, "SELECT json_valid(?)", answer), 1, answer)
            self.assertNotIn("value", answer)


class Teller(http.server.BaseHTTPRequestHandler):
    """Answers with one text, and counts."""
    text, asked = "", 0

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        Teller.asked += 1
        if self.path.endswith("/messages"):
            answer = {"model": "claude-haiku-4-5", "content": [{"type": "text", "text": Teller.text}], "stop_reason": "end_turn",
                      "usage": {"input_tokens": 1, "output_tokens": 1}}
        else:
            answer = {"model": "gpt-4o-mini", "choices": [{"message": {"content": Teller.text}, "finish_reason": "stop"}],
                      "usage": {"prompt_tokens": 1, "completion_tokens": 1}}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class WhatIsFound(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Teller)
        threading.Thread(target=cls.server.serve_forever, args=(0.01,), daemon=True).start()
        cls.host = f"127.0.0.1:{cls.server.server_port}"

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        cls.server.server_close()

    def setUp(self):
        self.tmp = TempDir()
        self.db = connect(os.path.join(self.tmp.name, "desk.db"))
        for sql in ("SELECT llm_config('backoff_ms', 0)", "SELECT llm_init()",
                    *(f"SELECT llm_allow_host('{self.host}', '{k}')" for k in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY")),
                    *(f"SELECT llm_secret('{k}', 'k')" for k in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY")),
                    f"UPDATE llm_models SET base_url = 'http://{self.host}/v1'"):
            self.db.execute(sql).fetchall()

    def tearDown(self):
        self.db.close()
        self.tmp.cleanup()

    def ask(self, text, schema=None, model="gpt-4o-mini"):
        Teller.text, Teller.asked = text, 0
        return value(self.db, "SELECT llm_complete(?, ?)", text, json.dumps(
            {"model": model, "schema": schema or closed(a=INTEGER), "cache": "refresh"}))

    def test_one_request_is_enough(self):
        for text in ('{"a":1}', '\n```json\n{"a":1}\n```', '```json {"a":1}```', 'Here:\n```\n{"a":1}\n```\nok', '```json\n{"a":1}',
                     'Sure: {"a":1}. See [1] and {x}.', '<think>{"a":7}?</think>\n{"a":1}', 'so {"a":7}</think>{"a":1}',
                     '{"a":1}\n{"a":1}', '<|channel|>final<|message|>{"a":1}', '{"value":{"a":1}}'):
            for model in ("gpt-4o-mini", "claude-haiku-4-5"):
                with self.subTest(text=text, model=model):
                    self.assertEqual(self.ask(text, model=model), '{"a":1}')
                    self.assertEqual(Teller.asked, 1)

    def test_what_is_handed_out_is_json_to_sqlite(self):
        for text, path, expected in (
                ('{"a":"line1\nline2"}', "$.a", "line1\nline2"), ('{"a":"x\ty\u0001"}', "$.a", "x\ty\u0001"),
                ('{"a":1.e5}', "$.a", 100000.0), ('{"a":\f1}', "$.a", 1), ('{"a":01}', "$.a", 1), ('{"a":-.5}', "$.a", -0.5),
                ('{"a":1,"a":2}', "$.a", 2), ('{"a":{"b":1,"b":2},"a":{"b":3,"b":4}}', "$.a.b", 4),
                ('{"a":"\\ud83d"}', "$.a", "\ufffd"), ('{"a":"x\\u0000y"}', "$.a", "x\ufffdy"), ('{"a":NaN}', "$.a", None)):
            with self.subTest(text=text):
                answer = self.ask(text, {"type": "object", "required": ["a"]})
                self.assertEqual(Teller.asked, 1)
                self.assertEqual(value(self.db, "SELECT json_valid(?)", answer), 1)
                self.assertEqual(value(self.db, "SELECT ? ->> ?", answer, path), expected)
                cached = value(self.db, "SELECT llm_complete(?, ?)", text, json.dumps({"model": "gpt-4o-mini", "schema": {
                    "type": "object", "required": ["a"]}}))
                self.assertEqual((cached, Teller.asked), (answer, 1))

    def test_digits_are_kept(self):
        self.assertEqual(self.ask('{"a": 12345678901234567890123}'), '{"a":12345678901234567890123}')

    def test_what_is_wrong_is_said(self):
        for text, says in (('Here [1]: {"a":"x"}', "at /a: expected integer"), ("I can't.", "not valid JSON"),
                           ('{"a":1', "expected ',' or '}' at byte 7, where it ends")):
            message = None
            try:
                self.ask(text)
            except Exception as e:
                message = str(e)
            self.assertIn(says, message)

    def test_keywords_are_refused_by_name(self):
        self.assertIn("keyword 'unevaluatedProperties' is not supported (type, enum, const,",
                      error_of(self.db, "SELECT llm_complete('x', ?)", json.dumps({"schema": {"unevaluatedProperties": False}})))


if __name__ == "__main__":
    unittest.main()
