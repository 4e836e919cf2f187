"""What callers turn: extra, reasoning, service, tools, messages with images, api 'responses', what models take."""
import base64
import itertools
import json
import struct
import unittest
import zlib

import harness
import replay
import test_answers
from harness import error_of, value
from replay import COST, MODEL, USAGE, Answer, chat, claude

CALLS = [{"id": "call_a", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Bonn"}'}}]
TOOLS = [{"type": "function", "function": {"name": "weather", "description": "of a city",
                                           "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}},
         {"name": "time", "input_schema": {"type": "object"}}]
QUESTION = {"role": "user", "content": "a question"}


def png(width=40, height=30):
    """The bytes of a PNG of that size."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + b"\1\2\3" * width for _ in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def called(calls=CALLS, content=None):
    return chat(content, "tool_calls", message={"tool_calls": calls})


class Surface(test_answers.Desk):
    def body(self, name, n=-1):
        """What was sent beside model and messages."""
        return {k: v for k, v in self.replay.body(name, n).items() if k not in ("model", "messages", "input")}

    def refused(self, name, options, prompt="a question"):
        before = self.replay.asked(name)
        error = error_of(self.db, "SELECT llm_complete(?, ?)", prompt, json.dumps({"model": name, **options}))
        self.assertEqual(self.replay.asked(name), before)
        return error

    def talk(self, name, messages, **options):
        return value(self.db, "SELECT llm_chat(?, ?)", json.dumps(messages), json.dumps({"model": name, **options}))


class Extra(Surface):
    def test_it_is_merged_into_the_body(self):
        self.serve("extra", chat())
        self.ask("extra", extra={"top_k": 40, "deep": {"a": [1, None]}, "metadata": {"k": "v"}})
        self.assertEqual(self.body("extra"), {"top_k": 40, "deep": {"a": [1, None]}, "metadata": {"k": "v"}})
        self.serve("claude-sonnet-5-x", claude(), api="anthropic")
        self.ask("claude-sonnet-5-x", reasoning="low", extra={"thinking": {"display": "summarized"}})
        self.assertEqual(self.body("claude-sonnet-5-x")["thinking"], {"type": "adaptive", "display": "summarized"})
        self.assertEqual(self.row("notes ->> '$.asked.extra'"), ('["thinking"]',))

    def test_as_text(self):
        self.serve("text", chat())
        self.ask("text", extra='{"top_k":1}')
        self.assertEqual(self.body("text"), {"top_k": 1})
        self.ask("text", extra={})
        self.assertEqual(self.body("text"), {})

    def test_what_is_ours_is_refused(self):
        self.serve("ours", chat())
        for name in ("model", "messages", "stream", "stream_options", "max_tokens", "MAX_completion_tokens", "temperature", "n", "tools",
                     "response_format", "service_tier", "reasoning_effort", "input", "system", "best_of", "background"):
            self.assertIn(f"'extra' can't have '{name}': ", self.refused("ours", {"extra": {name: 1}}))
        for wrong in (7, "7", "[", [1], '"x"', True):
            self.assertIn("option 'extra': ", self.refused("ours", {"extra": wrong}))
        for name in ("", "a b", "\u017ftream", "x" * 65, "models", "speed"):
            self.assertIn("'extra' can't have", self.refused("ours", {"extra": {name: 1}}))
        self.assertIn("too large for JSON", error_of(self.db, "SELECT llm_complete('q', ?)", '{"model":"ours","extra":{"x":{"y":[1e999]}}}'))
        self.assertIn("64 members", self.refused("ours", {"extra": {f"a{i}": 1 for i in range(65)}}))

    def test_of_the_models_row(self):
        self.serve("row", chat())
        self.db.execute("UPDATE llm_models SET extra = '{\"top_k\":5,\"metadata\":{\"b\":\"1\"}}' WHERE name = 'row'")
        self.ask("row", extra={"metadata": {"c": "2"}})
        self.assertEqual(self.body("row"), {"top_k": 5, "metadata": {"b": "1", "c": "2"}})

    def test_a_row_reaches_nobody_else(self):
        self.serve("hostile", chat())
        for extra in ({"plugins": [{"id": "web"}]}, {"mcp_servers": [{"name": "x"}]}, {"a": {"b": ["https://evil.example/x"]}}, {"Webhook": 1},
                      {"callback": "x"}, {"web_search_options": {}}, {"previous_response_id": "r"}, {"tools": [{"type": "mcp"}]},
                      {"messages": []}, {"max_tokens": 100000}, {"n": 9}, {"conversation": "c"}, {"container": "c"}, {"a": {"image_url": "x"}},
                      {"prediction": {"content": "x"}}, {"service_tier": "priority"}, {"speed": "fast"}, {"inference_geo": "us"}, {"models": ["x"]},
                      {"thinking": {"type": "enabled", "budget_tokens": 9000}}, {"reasoning": {"effort": "max"}}, {"provider": {"order": ["x"]}},
                      {"me\u017f\u017fages": []}, {"max_to\u212aens": 9}, {"store": True}, {"metadata": {"a": "//evil.example/x"}}, {"extra_body": {}},
                      {"chat_template_kwargs": {}}, {"top_k": 1e999}):
            self.db.execute("UPDATE llm_models SET extra = ? WHERE name = 'hostile'", (json.dumps(extra),))
            self.assertIn("model 'hostile': extra in llm_models: ", self.refused("hostile", {}))
        for extra in ("[1]", "{", "7", '"a"'):
            self.db.execute("UPDATE llm_models SET extra = ? WHERE name = 'hostile'", (extra,))
            self.assertIn("model 'hostile': extra in llm_models: ", self.refused("hostile", {}))

    def test_a_row_is_part_of_the_key_as_it_is_now(self):
        self.serve("keyed", chat("a"), chat("b"), chat("c"), chat("d"))
        self.assertEqual(self.ask("keyed"), "a")
        self.db.execute("UPDATE llm_models SET extra = '{\"top_k\":1}' WHERE name = 'keyed'")
        self.assertEqual(self.ask("keyed"), "b")
        self.db.execute("UPDATE llm_models SET extra = NULL WHERE name = 'keyed'")
        self.assertEqual(self.ask("keyed"), "a")
        self.db.execute("BEGIN")
        self.db.execute("UPDATE llm_models SET extra = '{\"top_k\":2}' WHERE name = 'keyed'")
        self.assertEqual(self.ask("keyed"), "c")
        self.db.execute("UPDATE llm_models SET extra = '{\"top_k\":1}' WHERE name = 'keyed'")
        self.assertEqual(self.ask("keyed"), "b")
        self.db.execute("ROLLBACK")
        self.assertEqual(self.ask("keyed"), "a")
        self.db.execute("UPDATE llm_models SET headers = '{\"X-Team\":\"a\"}' WHERE name = 'keyed'")
        self.assertEqual(self.ask("keyed"), "d")
        self.serve("beside", chat("z"))
        self.assertEqual(self.ask("beside"), "z")
        self.db.execute("UPDATE llm_models SET extra = '{\"top_k\":9}' WHERE name = 'keyed'")
        self.assertEqual((self.ask("beside"), self.replay.asked("beside")), ("z", 1))  # another's row is not its own


# provider, api, model, reasoning, what is written
REASONING = [
    ("openai", "openai", "gpt-5-mini", "minimal", {"reasoning_effort": "minimal"}),
    ("openai", "openai", "gpt-5.6-luna", "none", {"reasoning_effort": "none"}),
    ("openai", "openai", "gpt-5.6-luna", "max", {"reasoning_effort": "max"}),
    ("openai", "openai", "gpt-4o-mini", "none", {}),
    ("openai", "responses", "gpt-5-pro", "high", {"reasoning": {"effort": "high"}, "store": False}),
    ("anthropic", "anthropic", "claude-haiku-4-5", 4096, {"thinking": {"type": "enabled", "budget_tokens": 4096}, "max_tokens": 12288}),
    ("anthropic", "anthropic", "claude-haiku-4-5", "low", {"thinking": {"type": "enabled", "budget_tokens": 2048}, "max_tokens": 10240}),
    ("anthropic", "anthropic", "claude-haiku-4-5", "none", {"max_tokens": 8192}),
    ("anthropic", "anthropic", "claude-sonnet-5", "none", {"thinking": {"type": "disabled"}, "max_tokens": 8192}),
    ("anthropic", "anthropic", "claude-opus-4-8", "xhigh", {"thinking": {"type": "adaptive"}, "output_config": {"effort": "xhigh"}, "max_tokens": 8192}),
    ("google", "openai", "gemini-2.5-flash", "none", {"reasoning_effort": "none"}),
    ("google", "openai", "gemini-2.5-pro", 512, {"extra_body": {"google": {"thinking_config": {"thinking_budget": 512}}}}),
    ("openrouter", "openai", "claude-sonnet-5", 2000, {"reasoning": {"max_tokens": 2000}}),
    ("openrouter", "openai", "gpt-5", "none", {"reasoning": {"effort": "none"}}),
    ("groq", "openai", "gpt-oss-20b", "low", {"reasoning_effort": "low"}),
    ("mistral", "openai", "magistral-medium-2509", "none", {"prompt_mode": None}),
    ("deepseek", "openai", "deepseek-v4-flash", "none", {"thinking": {"type": "disabled"}}),
    ("alibaba", "openai", "qwen3-max", 300, {"enable_thinking": True, "thinking_budget": 300}),
    ("ollama", "openai", "qwen3:8b", "none", {"reasoning_effort": "none"}),
    ("vllm", "openai", "qwen3", "none", {"chat_template_kwargs": {"enable_thinking": False}}),
]
# provider, api, model, options, the sentence
REFUSED = [
    ("openai", "openai", "gpt-5", {"reasoning": "none"}, "option 'reasoning': gpt-5 thinks always, as 'minimal', 'low', 'medium' or 'high'"),
    ("openai", "openai", "gpt-4o", {"reasoning": "high"}, "gpt-4o does not think"),
    ("openai", "openai", "o3", {"reasoning": 2000}, "o3 thinks always, as 'low', 'medium' or 'high'"),
    ("openai", "openai", "o3", {"temperature": 0}, "o3 takes no sampling parameters"),
    ("openai", "openai", "gpt-5-mini", {"top_p": 0.5}, "gpt-5-mini takes no sampling parameters"),
    ("openai", "openai", "gpt-5.2", {"temperature": 0, "reasoning": "low"}, "takes no sampling parameters while it thinks"),
    ("openai", "openai", "o4-mini", {"stop": "x"}, "o4-mini takes no stop strings"),
    ("openai", "openai", "gpt-5", {"logprobs": True}, "gpt-5 tells none"),
    ("openai", "openai", "gpt-4o", {"service": "flex"}, "gpt-4o is not sold as 'flex'"),
    ("anthropic", "anthropic", "claude-sonnet-5", {"temperature": 0.5}, "claude-sonnet-5 takes no sampling parameters"),
    ("anthropic", "anthropic", "claude-haiku-4-5", {"temperature": 0.5, "reasoning": 2000}, "takes no temperature while it thinks"),
    ("anthropic", "anthropic", "claude-haiku-4-5", {"reasoning": 100}, "at least 1024 tokens"),
    ("anthropic", "anthropic", "claude-haiku-4-5", {"reasoning": 2000, "max_tokens": 1000}, "do not fit into max_tokens 1000"),
    ("anthropic", "anthropic", "claude-fable-5", {"reasoning": "none"}, "claude-fable-5 thinks always"),
    ("anthropic", "anthropic", "claude-haiku-4-5", {"service": "flex"}, "the Anthropic API has 'standard' and 'priority'"),
    ("anthropic", "anthropic", "claude-haiku-4-5", {"seed": 1}, "the Anthropic API has none"),
    ("openai", "responses", "gpt-5.6-sol", {"seed": 1}, "the Responses API has none"),
    ("openai", "responses", "gpt-5.6-sol", {"stop": "x"}, "the Responses API has none"),
    ("openai", "responses", "gpt-5.6-sol", {"max_tokens": 5}, "takes 16 and more"),
    ("google", "openai", "gemini-2.5-pro", {"reasoning": "none"}, "gemini-2.5-pro thinks always"),
    ("mistral", "openai", "mistral-large-2512", {"reasoning": "low"}, "does not think"),
    ("mistral", "openai", "mistral-large-2512", {"logprobs": True}, "the Mistral API has none"),
    ("ollama", "openai", "llama3.2", {"service": "flex"}, "a server of your own has one service"),
]


class Takes(Surface):
    def good(self, api):
        return {"openai": chat(), "anthropic": claude(), "responses": {"object": "response", "status": "completed", "model": MODEL, "output": [
            {"type": "message", "content": [{"type": "output_text", "text": "fine"}]}], "usage": {"input_tokens": 100, "output_tokens": 20}}}[api]

    def test_reasoning_in_each_providers_form(self):
        for provider, api, model, asked, written in REASONING:
            with self.subTest(f"{model} {asked}"):
                self.serve(model, self.good(api), api=api, provider=provider)
                self.assertEqual(self.ask(model, reasoning=asked), "fine")
                self.assertEqual(self.body(model), written)
                self.assertEqual(self.row("notes ->> '$.asked.reasoning'"), (asked,))

    def test_what_a_model_does_not_take_is_refused_before_the_first_row(self):
        for provider, api, model, options, says in REFUSED:
            with self.subTest(f"{model} {options}"):
                self.serve(model, self.good(api), api=api, provider=provider)
                self.assertIn(says, self.refused(model, options))

    def test_the_models_row_knows_better(self):
        self.serve("o3", chat(), provider="openai", supports='{"temperature":true,"reasoning":true}')
        self.ask("o3", temperature=0, reasoning="none")
        self.assertEqual(self.body("o3"), {"temperature": 0, "reasoning_effort": "none"})
        self.serve("plain", chat(), provider="vllm", supports='{"seed":false,"tools":false,"sampling":false}')
        for options in ({"seed": 1}, {"temperature": 1}, {"top_p": 1}):
            self.assertIn("plain takes none, its row in llm_models says", self.refused("plain", options))
        self.assertIn("plain takes none, its row in llm_models says", self.refused("plain", {"tools": TOOLS}))

    def test_a_tier_that_does_not_take_it_is_passed_over(self):
        self.serve("o3", chat("from o3"), provider="openai")
        self.serve("gpt-4o", chat("from 4o"), provider="openai")
        self.db.execute("DELETE FROM llm_tiers")
        self.db.execute("INSERT INTO llm_tiers(name, max_score, model, rank) VALUES ('low', 0.9, 'o3', 1), ('high', 1, 'gpt-4o', 2)")
        self.assertEqual(self.ask("auto", "Hi", score=0.1), "from o3")
        self.assertEqual(self.ask("auto", "Hi", score=0.1, temperature=0.3), "from 4o")
        self.assertIn("takes no sampling", self.row("notes")[0])

    def test_wrong_values(self):
        self.serve("wrong", chat())
        for options in ({"reasoning": "much"}, {"reasoning": -1}, {"reasoning": 1.5}, {"reasoning": True}, {"reasoning": []}, {"service": ""},
                        {"service": "A B"}, {"service": 7}, {"returns": "json"}, {"tool_choice": "auto"}, {"tools": []}, {"tools": {}},
                        {"tools": [1]}, {"tools": [{"name": "a b"}]}, {"tools": [{"name": "a"}, {"name": "a"}]}, {"tools": [{"type": "function"}]},
                        {"tools": [{"name": "a", "parameters": 7}]}, {"tools": TOOLS, "tool_choice": "other"}, {"tools": TOOLS, "tool_choice": 1}):
            self.assertRegex(self.refused("wrong", options), "option '(reasoning|service|returns|tools|tool_choice)'")
        self.assertIn("it is called 'reasoning'", self.refused("wrong", {"thinking_budget": 5}))
        self.assertIn("headers stand in llm_models", self.refused("wrong", {"headers": {}}))


def thinker(body):
    """A model that thinks 900 tokens unless it is told not to."""
    thought = 0 if body.get("reasoning_effort") == "none" else 900
    usage = {"prompt_tokens": 100, "completion_tokens": 20 + thought, "total_tokens": 120 + thought,
             "completion_tokens_details": {"reasoning_tokens": thought}}
    return Answer(chat("42", usage=usage, message={"reasoning_content": "hm " * 5} if thought else None))


class Reasoning(Surface):
    def test_what_it_saves_by_the_ledger(self):
        self.serve("gpt-5.6-luna", thinker, provider="openai")
        for i in range(10):
            self.ask("gpt-5.6-luna", f"question {i}")
            self.ask("gpt-5.6-luna", f"question {i}", reasoning="none")
        rows = self.db.execute("SELECT coalesce(notes ->> '$.asked.reasoning', 'as it is'), count(*), sum(reasoning_tokens), sum(cost_nusd)"
                               " FROM llm_calls GROUP BY 1 ORDER BY 1").fetchall()
        self.assertEqual([r[:3] for r in rows], [("as it is", 10, 9000), ("none", 10, 0)])
        self.assertEqual(rows[0][3] - rows[1][3], 9000 * 600)  # 0.60 dollars per million, by the name that the answer has

    def test_the_thought_is_a_column(self):
        self.serve("gpt-5.6-luna", thinker, provider="openai")
        options = json.dumps({"model": "gpt-5.6-luna", "cache": "off"})
        self.assertEqual(value(self.db, "SELECT reasoning FROM llm_call('q', ?)", options), "hm hm hm hm hm ")

    def dry(self, name, **options):
        return json.loads(self.ask(name, dry_run=True, **options))["reasoning"]

    def test_it_stands_in_dry_run_and_estimate(self):
        self.serve("claude-haiku-4-5", claude(), api="anthropic")
        self.assertEqual(self.dry("claude-haiku-4-5", reasoning=4000), {"asked": "4000", "tokens": 4000, "tokens_are": "at most", "cost_usd": 0.02})
        self.assertEqual(self.dry("claude-haiku-4-5", reasoning="none"), {"asked": "none", "tokens": 0, "tokens_are": "at most", "cost_usd": 0})
        self.serve("gpt-5.6-luna", thinker, provider="openai")
        self.assertEqual(self.dry("gpt-5.6-luna")["tokens_are"], "not known")
        self.ask("gpt-5.6-luna", "one")
        self.ask("gpt-5.6-luna", "two", reasoning="none")
        self.assertEqual(self.dry("gpt-5.6-luna"), {"asked": None, "tokens": 900, "tokens_are": "as lately", "cost_usd": 900 * 1.2e-6})
        sql = "SELECT output_tokens, reasoning_tokens, round(reasoning_usd * 1e6) FROM llm_estimate(?)"
        for asked, line in (("", (920, 900, 1080.0)), (',"reasoning":"none"', (20, 0, 0.0))):
            select = f"""SELECT llm_complete('new', '{{"model":"gpt-5.6-luna"{asked}}}')"""
            self.assertEqual(self.db.execute(sql, (select,)).fetchone(), line)


class OnTheStandIn(harness.Desk):
    def test_what_thinking_costs_and_flex_saves(self):
        """Ten questions as they come, told not to think, and in no hurry: the ledger's sums are the provider's bill."""
        value(self.db, "SELECT llm_allow_host(?, 'GEMINI_API_KEY'), llm_secret('GEMINI_API_KEY', 'sk-gemini-0123456789')", self.standin.url[7:])
        for options in ({}, {"reasoning": "none"}, {"service": "flex"}):
            for i in range(10):
                value(self.db, "SELECT llm_complete(?, ?)", f"Question {i}: where is my order?",
                      json.dumps({"model": "gpt-5-mini" if "service" in options else "gemini-2.5-flash", **options}))
        rows = dict(self.db.execute("SELECT coalesce(notes ->> '$.asked.reasoning', notes ->> '$.asked.service', 'as it comes'), sum(cost_nusd)"
                                    " FROM llm_calls GROUP BY 1").fetchall())
        self.assertGreater(rows["as it comes"], 10 * rows["none"])
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_calls WHERE service = 'flex' AND cost_nusd = list_nusd"), 10)
        bill = self.standin.get("/standin/bill")
        self.assertEqual(value(self.db, "SELECT sum(reasoning_tokens) FROM llm_calls"), 20 * 1024)
        self.assertEqual(rows["flex"], sum(e["nusd"] for e in self.standin.get("/standin/journal") if e["model"].startswith("gpt-5-mini")), bill)


class Service(Surface):
    def test_flex_is_half_price(self):
        self.serve("gpt-5.6-luna", lambda body: Answer({**chat(), "model": "gpt-5.6-luna", "service_tier": body.get("service_tier", "default")}),
                   provider="openai")
        costs = []
        for options in ({}, {"service": "flex"}, {"service": "standard"}):
            self.ask("gpt-5.6-luna", **options)
            costs.append(self.row("cost_nusd")[0])
        self.assertEqual(costs, [costs[0], costs[0] // 2, costs[0]])
        self.assertEqual([self.body("gpt-5.6-luna", i) for i in (1, 2)], [{"service_tier": "flex"}, {"service_tier": "default"}])
        dry = [json.loads(self.ask("gpt-5.6-luna", dry_run=True, max_tokens=1000, **o))["max_cost_usd"] for o in ({}, {"service": "flex"})]
        self.assertAlmostEqual(dry[1], dry[0] / 2)
        options = '{"model":"gpt-5.6-luna","service":"flex","max_tokens":1000}'
        most = value(self.db, "SELECT max_usd FROM llm_estimate(?)", f"SELECT llm_complete('new', '{options}')")
        self.assertLess(most, dry[0] * 0.6)

    def test_an_answer_that_does_not_say_is_unpriced(self):
        self.serve("gpt-5.6-luna", chat(), provider="openai")
        self.ask("gpt-5.6-luna", service="flex")
        self.assertEqual(self.row("cost_nusd, input_tokens, error"),
                         (None, 100, "unpriced: asked for service 'flex'; the answer does not say which it was"))

    def test_a_dearer_service_is_held_at_its_price(self):
        self.serve("gpt-5.6-luna", {**chat(), "service_tier": "priority"}, provider="openai")
        worst = {}
        for service in ("standard", "priority"):
            error = ""
            value(self.db, "SELECT llm_config('max_usd', 0.00001)")
            error = self.refused("gpt-5.6-luna", {"service": service, "max_tokens": 1000})
            worst[service] = float(error.split("this call may cost $")[1].split()[0].rstrip(":"))
        self.assertGreater(worst["priority"], worst["standard"] * 1.5)


def image_part(data=None):
    return {"type": "image_url", "image_url": {"url": "data:image/png;base64," + base64.b64encode(data or png()).decode()}}


class Images(Surface):
    def test_llm_image(self):
        sql = "SELECT llm_image(?), json_valid(llm_image(?))"
        self.assertEqual(json.loads(self.db.execute(sql, (png(), png())).fetchone()[0]), image_part())
        self.assertEqual(value(self.db, "SELECT json_array(llm_image(?)) ->> '$[0].type'", png()), "image_url")
        self.assertEqual(value(self.db, "SELECT llm_image(?) ->> '$.file.file_data'", b"%PDF-1.7"), "data:application/pdf;base64,JVBERi0xLjc=")
        self.assertEqual(value(self.db, "SELECT llm_image(?, 'image/bmp') ->> '$.image_url.url'", b"BM"), "data:image/bmp;base64,Qk0=")
        self.assertIsNone(value(self.db, "SELECT llm_image(NULL)"))
        for args, says in (((b"??",), "give their type"), (("text",), "expected a BLOB"), ((b"",), "expected a BLOB"), ((png(), "png"), "no type such as"),
                           ((png(), "image/p\"g"), "no type such as")):
            self.assertIn(says, error_of(self.db, f"SELECT llm_image({', '.join('?' * len(args))})", *args))

    def test_in_each_apis_form(self):
        data = base64.b64encode(png()).decode()
        pdf = "data:application/pdf;base64,JVBERi0="
        parts = [{"type": "text", "text": "What is this?"}, image_part(), {"type": "image_url", "image_url": {"url": "https://x.example/a.png", "detail": "low"}},
                 {"type": "file", "file": {"filename": "a.pdf", "file_data": pdf}}]
        forms = {
            "openai": parts,
            "anthropic": [{"type": "text", "text": "What is this?"}, {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}},
                          {"type": "image", "source": {"type": "url", "url": "https://x.example/a.png"}},
                          {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}, "title": "a.pdf"}],
            "responses": [{"type": "input_text", "text": "What is this?"}, {"type": "input_image", "image_url": "data:image/png;base64," + data, "detail": "auto"},
                          {"type": "input_image", "image_url": "https://x.example/a.png", "detail": "low"},
                          {"type": "input_file", "filename": "a.pdf", "file_data": pdf}]}
        for api, answer in (("openai", chat()), ("anthropic", claude()), ("responses", Takes().good("responses"))):
            for style, given in forms.items():
                if style == "anthropic":  # it has no word for how closely to look
                    given = [{**p, "image_url": p["source"]["url"], "type": "image_url", "detail": "low"} if p.get("source", {}).get("type") == "url" else p
                             for p in given]
                name = f"seen-{api}"
                self.serve(name, answer, api=api)
                self.assertEqual(self.talk(name, [{"role": "user", "content": given}], cache="off"), "fine")
                body = self.replay.body(name)
                self.assertEqual((body.get("messages") or body["input"])[0]["content"], forms[api])

    def test_the_bytes_are_in_the_key(self):
        self.serve("bytes", chat("a"), chat("b"), chat("c"))
        ask = lambda data, **more: self.talk("bytes", [{"role": "user", "content": [{"type": "text", "text": "?"}, {**image_part(data), **more}]}])
        self.assertEqual([ask(png()), ask(png(41)), ask(png()), ask(png(41))], ["a", "b", "a", "b"])
        spaced = image_part()
        spaced["image_url"]["url"] = spaced["image_url"]["url"].replace("A", "A\n ")
        self.assertEqual(self.talk("bytes", [{"role": "user", "content": [{"type": "text", "text": "?"}, spaced]}]), "a")
        near = self.talk("bytes", [{"role": "user", "content": [{"type": "text", "text": "?"}, image_part(png(42))]}], cache="semantic")
        self.assertEqual(near, "c")

    def test_tokens_are_an_estimate_by_the_rules(self):
        for model, api, size, tokens in (("gpt-4o", "openai", (1024, 1024), 765), ("gpt-4o", "openai", (2048, 4096), 1105), ("gpt-4o-mini", "openai", (512, 512), 8500),
                                         ("claude-haiku-4-5", "anthropic", (1000, 1000), 1334), ("gemini-2.5-flash", "openai", (300, 300), 258)):
            self.serve(model, chat(), api=api, provider={"gemini-2.5-flash": "google"}.get(model, api))
            dry = lambda content: json.loads(self.talk(model, [{"role": "user", "content": content}], dry_run=True))
            plain, seen = dry("What is this?"), dry([{"type": "text", "text": "What is this?"}, image_part(png(*size))])
            self.assertEqual((model, seen["input_tokens"] - plain["input_tokens"], seen["input_tokens_are"]), (model, tokens, "estimated"))

    def test_a_limit_is_not_taken_for_bytes(self):
        self.serve("gpt-4o", chat(), provider="openai")
        value(self.db, "SELECT llm_config('max_usd', 0.1)")
        big = png(900, 900) + b"\0" * 3_000_000
        self.assertEqual(self.talk("gpt-4o", [{"role": "user", "content": [{"type": "text", "text": "?"}, image_part(big)]}], max_tokens=50), "fine")

    def test_the_ledger_keeps_no_bytes(self):
        self.serve("kept", chat())
        self.talk("kept", [{"role": "user", "content": [{"type": "text", "text": "What?"}, image_part()]}])
        text = value(self.db, "SELECT t.text FROM llm_calls c JOIN llm_texts t ON t.hash = c.prompt_hash ORDER BY c.id DESC")
        kept = json.loads(text)
        self.assertEqual((kept[0]["text"], kept[0]["media"][0]["type"], len(kept[0]["media"][0]["hash"])), ("What?", "image/png", 32))
        self.assertLess(len(text), 300)
        self.assertEqual(self.row("notes ->> '$.asked.media'"), (1,))

    def test_wrong_parts(self):
        self.serve("parts", chat())
        for content, says in (([{"type": "image_url", "image_url": {"url": "ftp://x"}}], "message 1, part 1: expected an address"),
                              ([{"type": "image_url"}], "an image needs"), ([{"type": "text", "text": ""}], "a text is empty"), ([{"type": "x"}], "expected a \"type\""),
                              ([{"type": "image_url", "image_url": {"url": "data:image/png;base64,a!"}}], "no base64"), ([7], "part 1"),
                              ([{"type": "file", "file": {}}], "a file needs"), ([{"type": "tool_result"}], "messages of role 'tool'"), ([], "message 1"),
                              ([{"type": "input_audio", "input_audio": {}}], "sound needs")):
            self.assertIn(says, error_of(self.db, "SELECT llm_chat(?, ?)", json.dumps([{"role": "user", "content": content}]), '{"model":"parts"}'))
        for api, part, says in (("openai", {"type": "file", "file": {"file_url": "https://x.example/a"}}, "can't be sent by the Chat Completions API"),
                                ("anthropic", {"type": "input_audio", "input_audio": {"data": "aa", "format": "wav"}}, "sound can't be sent by the Anthropic API")):
            self.serve("parts", chat(), api=api)
            self.assertIn(says, error_of(self.db, "SELECT llm_chat(?, ?)", json.dumps([{"role": "user", "content": [part]}]), '{"model":"parts"}'))
        self.assertEqual(self.replay.asked("parts"), 0)


class Tools(Surface):
    # The functions, in each API's form.
    SENT = {
        "openai": [TOOLS[0], {"type": "function", "function": {"name": "time", "parameters": {"type": "object"}}}],
        "anthropic": [{"name": "weather", "description": "of a city", "input_schema": TOOLS[0]["function"]["parameters"]},
                      {"name": "time", "input_schema": {"type": "object"}}],
        "responses": [{"type": "function", "name": "weather", "description": "of a city", "parameters": TOOLS[0]["function"]["parameters"], "strict": False},
                      {"type": "function", "name": "time", "parameters": {"type": "object"}, "strict": False}]}
    THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "c2ln/+=="}

    def first(self, api):
        """An answer that calls a tool."""
        return {"openai": called(), "anthropic": claude([self.THOUGHT, {"type": "text", "text": "Let me look."},
                                                         {"type": "tool_use", "id": "call_a", "name": "weather", "input": {"city": "Bonn"}}], "tool_use"),
                "responses": {**Takes().good("responses"), "output": [{"type": "reasoning", "id": "r", "summary": []},
                                                                     {"type": "function_call", "call_id": "call_a", "name": "weather", "arguments": '{"city":"Bonn"}'}]}}[api]

    SECOND = {
        "openai": [QUESTION, {"role": "assistant", "content": None, "tool_calls": CALLS}, {"role": "tool", "content": "rain", "tool_call_id": "call_a"}],
        "anthropic": [QUESTION, {"role": "assistant", "content": [THOUGHT, {"type": "text", "text": "Let me look."},
                                                                  {"type": "tool_use", "id": "call_a", "name": "weather", "input": {"city": "Bonn"}}]},
                      {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_a", "content": "rain"}]}],
        "responses": [QUESTION, {"type": "function_call", "call_id": "call_a", "name": "weather", "arguments": '{"city":"Bonn"}'},
                      {"type": "function_call_output", "call_id": "call_a", "output": "rain"}]}

    def test_a_turn_of_tools_in_each_api(self):
        for api in ("openai", "anthropic", "responses"):
            with self.subTest(api):
                self.serve(api, self.first(api), Takes().good(api), api=api)
                message = json.loads(self.talk(api, [QUESTION], tools=TOOLS, returns="message"))
                self.assertEqual(message["tool_calls"], CALLS)
                self.assertEqual(self.body(api)["tools"], self.SENT[api])
                self.assertEqual(self.row("finish_reason IN ('tool_calls', 'tool_use', 'completed'), error, notes ->> '$.asked.tools'"), (1, None, 2))
                end = self.talk(api, [QUESTION, message, {"role": "tool", "tool_call_id": "call_a", "content": "rain"}], tools=TOOLS)
                self.assertEqual(end, "fine")
                body = self.replay.body(api)
                self.assertEqual(body.get("messages") or body["input"], self.SECOND[api])

    def test_choice(self):
        for api, word, sent in (("openai", "required", "required"), ("openai", "weather", {"type": "function", "function": {"name": "weather"}}),
                                ("anthropic", "required", {"type": "any"}), ("anthropic", "weather", {"type": "tool", "name": "weather"}),
                                ("anthropic", "none", {"type": "none"}), ("responses", "weather", {"type": "function", "name": "weather"})):
            self.serve(api, self.first(api), api=api)
            self.talk(api, [QUESTION], tools=TOOLS, tool_choice=word, returns="message")
            self.assertEqual(self.body(api)["tool_choice"], sent)

    def test_a_text_is_what_was_asked_for(self):
        self.serve("text", called())
        error = error_of(self.db, "SELECT llm_chat(?, ?)", json.dumps([QUESTION]), json.dumps({"model": "text", "tools": TOOLS}))
        self.assertIn("asks for a tool to be called", error)
        self.serve("both", called(content="Let me look."))
        self.assertIn("returns 'message' gives the calls", error_of(self.db, "SELECT llm_chat(?, ?)", json.dumps([QUESTION]),
                                                                    json.dumps({"model": "both", "tools": TOOLS})))

    def test_message_of_a_plain_answer(self):
        self.serve("plain", chat("fine"))
        self.assertEqual(json.loads(self.ask("plain", returns="message")), {"role": "assistant", "content": "fine"})
        self.assertEqual(value(self.db, "SELECT json_array(json(llm_complete('again', ?))) ->> '$[0].role'", '{"model":"plain","returns":"message"}'), "assistant")
        self.serve("gemini", called([{**CALLS[0], "extra_content": {"google": {"thought_signature": "s"}}}]), provider="google")
        message = json.loads(self.ask("gemini", tools=TOOLS, returns="message"))
        self.assertEqual(message["tool_calls"][0]["extra_content"], {"google": {"thought_signature": "s"}})

    def test_thoughts_go_back_to_whom_they_came_from_or_not_at_all(self):
        said = {"role": "assistant", "content": "", "tool_calls": CALLS, "reasoning_content": "hm", "reasoning_details": [{"type": "reasoning.encrypted", "data": "x"}],
                "thinking_blocks": [self.THOUGHT], "annotations": [], "refusal": None}
        turns = [QUESTION, said, {"role": "tool", "tool_call_id": "call_a", "content": ""}]
        for provider, kept in (("openai", set()), ("deepseek", {"reasoning_content"}), ("openrouter", {"reasoning_details"})):
            self.serve("thought", chat(), provider=provider)
            self.talk("thought", turns, cache="off")
            self.assertEqual(set(self.replay.body("thought")["messages"][1]) - {"role", "content", "tool_calls"}, kept)

    def test_turns_that_providers_would_refuse(self):
        self.serve("turns", chat())
        result = {"role": "tool", "tool_call_id": "call_a", "content": "rain"}
        said = {"role": "assistant", "content": None, "tool_calls": CALLS}
        for turns, says in (([QUESTION, said, QUESTION], "message 2: its call 'call_a' needs one message"), ([QUESTION, result], "message 2: the assistant before it has no call 'call_a'"),
                            ([QUESTION, said, result, result], "message 2: its call"), ([QUESTION, said], "the last message must be the user's"),
                            ([QUESTION, said, {"role": "tool", "content": "x"}], "message 3: a tool's result needs"),
                            ([QUESTION, {"role": "assistant", "tool_calls": [{"id": "a"}]}, result], "message 2: each of its 'tool_calls'"),
                            ([QUESTION, {"role": "assistant", "tool_calls": 7, "content": "x"}, QUESTION], "'tool_calls' is an array"),
                            ([{"role": "system", "content": "s"}, QUESTION, said, QUESTION], "message 3: its call")):
            self.assertIn(says, error_of(self.db, "SELECT llm_chat(?, ?)", json.dumps(turns), '{"model":"turns"}'))
        bad = {"role": "assistant", "content": None, "tool_calls": [{**CALLS[0], "function": {"name": "weather", "arguments": "[1]"}}]}
        self.serve("turns", claude(), api="anthropic")
        self.assertIn("are no JSON object", error_of(self.db, "SELECT llm_chat(?, ?)", json.dumps([QUESTION, bad, result]), '{"model":"turns"}'))
        self.assertEqual(self.replay.asked("turns"), 0)

    def test_a_forced_tool_where_there_is_no_schema(self):
        schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
        forced = [{"id": "c", "type": "function", "function": {"name": "answer", "arguments": '{"n": 7}'}}]
        for api, answer, supports in (("openai", called(forced), '{"json_schema":false,"tools":true}'),
                                      ("anthropic", claude([{"type": "tool_use", "id": "t", "name": "answer", "input": {"n": 7}}], "tool_use"), '{"json_schema":false}')):
            self.serve(api, answer, api=api, supports=supports)
            self.assertEqual(self.ask(api, schema=schema), '{"n":7}')
            self.assertEqual(self.row("error, ended"), (None, "complete"))
            self.assertEqual((self.ask(api, schema=schema), self.replay.asked(api)), ('{"n":7}', 1))
            self.assertIn("tool_choice", self.body(api))
            self.serve(api, chat('{"n":8}') if api == "openai" else claude('{"n":8}'), api=api, supports=supports)  # it answered all the same
            self.assertEqual(self.ask(api, "another", schema=schema), '{"n":8}')
        self.serve("words", chat('{"n":9}'), supports='{"json_schema":false}')
        self.assertEqual(self.ask("words", schema=schema), '{"n":9}')
        self.assertNotIn("tools", self.body("words"))


class Reviewed(Surface):
    """What somebody who had not seen it made found."""

    def test_names_that_stand_twice(self):
        self.serve("twice", chat())
        for messages, says in (
                ('[{"role":"user","content":"q","tool_calls":[],"tool_calls":[{}]},{"role":"tool","tool_call_id":"a","content":"z"}]', "no call 'a'"),
                ('[{"role":"user","content":"q"},{"role":"assistant","content":"x","tool_calls":[],"tool_calls":[{"bad":1}]},{"role":"user","content":"q"}]',
                 "each of its 'tool_calls'"),
                ('[{"role":"user","content":"q"},{"role":"assistant","content":null,"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}},'
                 '{"id":"a","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"a","content":"z"}]', "two of its calls are 'a'"),
                ('[{"role":"user","content":"q",' + ",".join(f'"m{i}":1' for i in range(1001)) + "}]", "over 1000 members")):
            self.assertIn(says, error_of(self.db, "SELECT llm_chat(?, '{\"model\":\"twice\"}')", messages))
        self.assertEqual(self.replay.asked("twice"), 0)
        value(self.db, "SELECT llm_chat(?, '{\"model\":\"twice\"}')", '[{"role":"user","content":"one","content":"two"}]')
        self.assertEqual(self.replay.body("twice")["messages"][0]["content"], "two")  # as JavaScript, Python and Go read it

    def test_a_prefix_that_is_marked_loses_nothing(self):
        turns = [QUESTION, {"role": "assistant", "content": "yes"}, {"role": "user", "content": [{"type": "text", "text": "And this?"}, image_part()]}]
        self.serve("marked", claude(), api="anthropic")
        self.talk("marked", [{"role": "system", "content": "S"}, *turns], prompt_cache="5m")
        body = self.replay.body("marked")
        self.assertEqual([p["type"] for p in body["messages"][-1]["content"]], ["text", "image"])
        self.assertIn("cache_control", body["system"][0])
        result = [QUESTION, {"role": "assistant", "content": None, "tool_calls": CALLS}, {"role": "tool", "tool_call_id": "call_a", "content": "rain"}]
        self.talk("marked", result, prompt_cache="5m")
        self.assertEqual(self.replay.body("marked")["messages"][-1]["content"][0]["type"], "tool_result")
        mark = {"cache_control": {"type": "ephemeral"}}
        own = lambda n: [{"role": "user", "content": [{"type": "text", "text": str(i), **(mark if i < n else {})} for i in range(5)]}]
        self.talk("marked", own(4), prompt_cache="5m", system="S")
        self.assertEqual(json.dumps(self.replay.body("marked")).count("cache_control"), 4)
        self.assertIn("5 marks", error_of(self.db, "SELECT llm_chat(?, ?)", json.dumps(own(5)), '{"model":"marked"}'))

    def test_four_marks_at_most_and_the_caller_s_stay(self):
        """Wherever the caller's marks stand, each is sent as it came; ours never make five of them."""
        self.serve("four", claude(), api="anthropic")
        marks = [{"type": "ephemeral", "ttl": "1h"}, {"type": "ephemeral"}]
        tool = lambda k, mark: {"type": "function", "function": {"name": f"f{k}", "parameters": {"type": "object"}, **({"cache_control": mark} if mark else {})}}
        part = lambda text, mark: {"type": "text", "text": text, **({"cache_control": mark} if mark else {})}
        found = lambda node: ([node["cache_control"]] if "cache_control" in node else []) + [m for v in node.values() for m in found(v)] if isinstance(node, dict) else \
            [m for v in node for m in found(v)] if isinstance(node, list) else []
        for places in itertools.product((0, 1), repeat=5):
            tools, first, second, old, last = (marks[min(i, 1)] if is_set else None for i, is_set in enumerate(places))
            messages = [{"role": "system", "content": [part("S", first), part("T", second)]}, {"role": "user", "content": [part("a", old)]},
                        {"role": "assistant", "content": "b"}, {"role": "user", "content": [part("c", last)]}]
            for wish in ("auto", "5m", "1h"):
                options = {"model": "four", "tools": [tool(1, tools)], "prompt_cache": wish, "max_tokens": 9, "cache": "off", "conversation": "c"}
                with self.subTest(places=places, wish=wish):
                    if sum(places) == 5:
                        self.assertIn("have 5 marks", error_of(self.db, "SELECT llm_chat(?, ?)", json.dumps(messages), json.dumps(options)))
                        continue
                    value(self.db, "SELECT llm_chat(?, ?)", json.dumps(messages), json.dumps(options))
                    body = self.replay.body("four")
                    self.assertLessEqual(len(found(body)), 4)
                    mine = [body["tools"][0].get("cache_control")] + [p.get("cache_control") for p in body["system"] if isinstance(p, dict)][:1]
                    self.assertEqual(mine[0], tools)
                    if first:
                        self.assertEqual(mine[1], first)
                    for mark in (m for m in (tools, first, second, old, last) if m):
                        self.assertIn(mark, found(body))
                    if any(places):  # a long mark of ours never stands behind a short one
                        lives = [m.get("ttl", "5m") for m in found({k: body[k] for k in ("tools", "system", "messages") if k in body})]
                        self.assertEqual(lives, sorted(lives))

    def test_marks_of_the_caller_s_where_they_are(self):
        """On an answer's part, beside a tool's function; null is none; a short mark of ours never stands in front of a long one."""
        self.serve("own", claude(), api="anthropic")
        mark = {"type": "ephemeral"}
        turns = lambda ttl: [QUESTION, {"role": "assistant", "content": [{"type": "text", "text": "ok then", "cache_control": {**mark, **ttl}}]}, {"role": "user", "content": "go on"}]
        value(self.db, "SELECT llm_chat(?, ?)", json.dumps(turns({})), json.dumps({"model": "own", "system": "S", "cache": "off"}))
        self.assertEqual(self.replay.body("own")["messages"][1]["content"], [{"type": "text", "text": "ok then", "cache_control": mark}])
        value(self.db, "SELECT llm_chat(?, ?)", json.dumps(turns({"ttl": "1h"})), json.dumps({"model": "own", "system": "S", "cache": "off", "prompt_cache": "5m"}))
        self.assertEqual(self.replay.body("own")["system"], "S")
        tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}, "cache_control": mark}]
        value(self.db, "SELECT llm_complete('x', ?)", json.dumps({"model": "own", "tools": tools, "cache": "off"}))
        self.assertEqual(self.replay.body("own")["tools"][0]["cache_control"], mark)
        none = [{"role": "user", "content": [{"type": "text", "text": str(i), "cache_control": None} for i in range(5)]}]
        value(self.db, "SELECT llm_chat(?, ?)", json.dumps(none), json.dumps({"model": "own", "cache": "off"}))
        self.assertNotIn("cache_control", json.dumps(self.replay.body("own")))

    def test_marks_beside_a_content(self):
        """As some callers set them: behind all that the message says."""
        self.serve("beside", claude(), api="anthropic")
        mark = {"type": "ephemeral", "ttl": "1h"}
        messages = [{"role": "system", "content": "S", "cache_control": mark}, {"role": "user", "content": "a", "cache_control": mark},
                    {"role": "assistant", "content": "b", "cache_control": mark}, {"role": "user", "content": [{"type": "text", "text": "c"}, {"type": "text", "text": "d"}], "cache_control": mark}]
        value(self.db, "SELECT llm_chat(?, '{\"model\":\"beside\",\"cache\":\"off\"}')", json.dumps(messages))
        body = self.replay.body("beside")
        marked = {"type": "text", "cache_control": mark}
        self.assertEqual(body["system"], [{**marked, "text": "S"}])
        self.assertEqual([m["content"] for m in body["messages"]], [[{**marked, "text": "a"}], [{**marked, "text": "b"}], [{"type": "text", "text": "c"}, {**marked, "text": "d"}]])
        messages.insert(2, {"role": "user", "content": "e", "cache_control": mark})
        self.assertIn("5 marks", error_of(self.db, "SELECT llm_chat(?, '{\"model\":\"beside\"}')", json.dumps(messages)))

    def test_what_a_tool_says_may_be_any_value(self):
        for given, sent in ((21, "21"), ({"t": 5}, '{"t":5}'), (True, "true"), (None, ""), ([1, 2], "[1,2]"), ("rain", "rain")):
            self.serve("values", chat())
            self.talk("values", [QUESTION, {"role": "assistant", "content": None, "tool_calls": CALLS}, {"role": "tool", "tool_call_id": "call_a", "content": given}],
                      cache="off")
            self.assertEqual(self.replay.body("values")["messages"][-1]["content"], sent)

    def test_instructions_are_texts(self):
        self.serve("system", chat())
        for part in (image_part(), {"type": "tool_use"}, 7):
            messages = [{"role": "system", "content": [{"type": "text", "text": "S"}, part]}, QUESTION]
            self.assertIn("a system message holds texts alone", error_of(self.db, "SELECT llm_chat(?, ?)", json.dumps(messages), '{"model":"system"}'))
        self.talk("system", [{"role": "system", "content": ["A", {"type": "text", "text": "B"}]}, QUESTION])
        self.assertEqual(self.replay.body("system")["messages"][0]["content"], "A\nB")

    def test_where_an_image_stands_is_part_of_the_question(self):
        count = itertools.count()
        self.serve("order", lambda body: Answer(chat(f"answer {next(count)}")))
        text = lambda t: {"type": "text", "text": t}
        a, b = image_part(png(41)), image_part(png(42))
        one, two = text("Compare the first picture with the one that follows it."), text("Say which of them is the newer one.")
        for left, right in (([one, a, two, b], [one, two, a, b]), ([a, one], [one, a])):
            ask = lambda content: self.talk("order", [{"role": "user", "content": content}], cache="semantic", threshold=0.5)
            self.assertNotEqual(ask(left), ask(right))

    def test_half_a_call_is_no_answer(self):
        half = [{"id": "c", "type": "function", "function": {"name": "weather", "arguments": '{"ci'}}]
        self.serve("half", chat(None, "length", message={"tool_calls": half}))
        self.assertIn("within the call of a tool", error_of(self.db, "SELECT llm_complete('q', ?)",
                                                             json.dumps({"model": "half", "tools": TOOLS, "returns": "message", "retries": 0})))

    def test_a_schemas_tool_is_not_in_the_message(self):
        forced = [{"id": "c", "type": "function", "function": {"name": "answer", "arguments": '{"n": 7}'}}]
        self.serve("inner", called(forced), supports='{"json_schema":false,"tools":true}')
        schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
        self.assertEqual(json.loads(self.ask("inner", schema=schema, returns="message")), {"role": "assistant", "content": '{"n":7}'})

    def test_gates_see_the_text(self):
        self.serve("gated", chat("no"))
        gate = {"kind": "regex", "pattern": "^no$"}
        self.assertEqual(json.loads(self.ask("gated", returns="message", gate=gate))["content"], "no")
        self.serve("calling", called())
        self.assertIn("tool_calls", json.loads(self.ask("calling", tools=TOOLS, returns="message", gate=gate)))

    def test_calls_in_a_stream_that_nobody_asked_for(self):
        deltas = [{"index": 0, "id": "call_a", "function": {"name": "weather", "arguments": ""}}, {"index": 0, "function": {"arguments": '{"city"'}},
                  {"index": 0, "function": {"arguments": ':"Bonn"}'}}, {"index": 1, "id": "call_b", "function": {"name": "time", "arguments": "{}"}}]
        stream = replay.sse(*[replay.chunk(tool_calls=[d]) for d in deltas], replay.chunk(finish="tool_calls"), replay.USAGE_CHUNK)
        self.serve("streamed", Answer(stream, type="text/event-stream"))
        message = json.loads(self.ask("streamed", tools=TOOLS, returns="message"))
        self.assertEqual([(c["id"], c["function"]) for c in message["tool_calls"]],
                         [("call_a", {"name": "weather", "arguments": '{"city":"Bonn"}'}), ("call_b", {"name": "time", "arguments": "{}"})])
        events = [{"type": "message_start", "message": {"id": "m", "type": "message", "role": "assistant", "model": replay.CLAUDE, "content": [],
                                                        "usage": {"input_tokens": 9, "output_tokens": 1}}},
                  {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
                  {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Let me look."}},
                  {"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "id": "call_a", "name": "weather", "input": {}}},
                  {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": '{"city":'}},
                  {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": '"Bonn"}'}},
                  {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 9}}, {"type": "message_stop"}]
        self.serve("claude-x", Answer(replay.sse(*events, done=False, names=True), type="text/event-stream"), api="anthropic")
        message = json.loads(self.ask("claude-x", tools=TOOLS, returns="message"))
        self.assertEqual((message["content"], message["tool_calls"]), ("Let me look.", CALLS))

    def test_anthropics_own_members_of_tools(self):
        tool = {"name": "f", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral"}, "input_examples": [{}]}
        self.serve("claude-x", claude(), api="anthropic")
        self.ask("claude-x", tools=[tool])
        self.assertEqual(self.body("claude-x")["tools"], [tool])
        self.serve("plain", chat())
        self.ask("plain", tools=[tool])
        self.assertEqual(self.body("plain")["tools"], [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}])
        self.ask("plain", tools=[tool], tool_choice={"type": "allowed_tools"})
        self.assertEqual(self.body("plain")["tool_choice"], {"type": "allowed_tools"})
        self.serve("claude-y", claude(), api="anthropic")
        self.assertIn("forces no call while a model thinks", self.refused("claude-y", {"tools": [tool], "tool_choice": "f", "reasoning": 2000}))

    def test_signatures_go_to_nobody_else(self):
        signed = [{**CALLS[0], "extra_content": {"google": {"thought_signature": "s"}}}]
        turns = [QUESTION, {"role": "assistant", "content": None, "tool_calls": signed}, {"role": "tool", "tool_call_id": "call_a", "content": "r"}]
        for provider, kept in (("google", True), ("openai", False)):
            self.serve("signed", chat(), provider=provider)
            self.talk("signed", turns, cache="off")
            self.assertEqual("extra_content" in self.replay.body("signed")["messages"][1]["tool_calls"][0], kept)

    def test_long_integers_keep_their_digits(self):
        long = "9007199254740993"
        blocks = '[{"type":"tool_use","id":"call_a","name":"weather","input":{"city":%s,"minus":-12345678901234567890}}]' % long
        body = json.dumps(claude([], "tool_use")).replace('"content": []', '"content": ' + blocks)
        self.serve("claude-x", Answer(body), claude(), api="anthropic")
        message = value(self.db, "SELECT llm_chat(?, ?)", json.dumps([QUESTION]), json.dumps({"model": "claude-x", "tools": TOOLS, "returns": "message"}))
        self.assertEqual(json.loads(json.loads(message)["tool_calls"][0]["function"]["arguments"]), {"city": int(long), "minus": -12345678901234567890})
        messages = json.dumps([QUESTION]).rstrip("]") + "," + message + ',{"role":"tool","tool_call_id":"call_a","content":{"id":%s}}]' % long
        value(self.db, "SELECT llm_chat(?, ?)", messages, json.dumps({"model": "claude-x", "tools": TOOLS}))
        sent = self.replay.requests["claude-x"][-1][1].decode()
        self.assertEqual((sent.count(long), sent.count("-12345678901234567890")), (2, 1))
        self.serve("extra", chat("a"), chat("b"))
        answers = [value(self.db, "SELECT llm_complete('q', ?)", '{"model":"extra","extra":{"id":%s}}' % n) for n in (long, "9007199254740992")]
        self.assertEqual((answers, self.replay.requests["extra"][0][1].count(long.encode())), (["a", "b"], 1))
        self.serve("seed", chat())
        self.ask("seed", seed=9007199254740991, tag=1234567890123456789)
        self.assertEqual((self.body("seed"), self.row("tag")), ({"seed": 9007199254740991}, ("1234567890123456789",)))

    def test_thought_is_within_max_tokens(self):
        self.serve("gemini-2.5-flash", chat(), provider="google")
        self.assertEqual(json.loads(self.ask("gemini-2.5-flash", reasoning=20000, max_tokens=100, dry_run=True))["reasoning"]["tokens"], 100)

    def test_names_with_what_stands_around_them(self):
        for name, options, provider, api in (("ft:o4-mini:org", {"temperature": 0}, "openai", "openai"), ("us.anthropic.claude-opus-4-7-v1:0", {"temperature": 0}, "anthropic", "anthropic"),
                                             ("openai.o3", {"stop": "x"}, "openai", "openai")):
            self.serve(name, chat(), provider=provider, api=api)
            self.assertRegex(self.refused(name, options), "takes no (sampling|stop)")

    def test_parts_from_tables_and_as_prompts(self):
        self.serve("parts", chat())
        part = value(self.db, "SELECT llm_image(?)", png())
        self.assertIn("llm_chat(", error_of(self.db, "SELECT llm_complete(llm_image(?), '{\"model\":\"parts\"}')", png()))
        self.talk("parts", [{"role": "user", "content": ["What is this?", part]}])
        self.assertEqual(self.replay.body("parts")["messages"][0]["content"], [{"type": "text", "text": "What is this?"}, image_part()])
        self.assertEqual(value(self.db, "SELECT llm_image(x'00', 'IMAGE/PNG') ->> '$.type'"), "image_url")
        self.assertEqual(value(self.db, "SELECT llm_image(x'00', 'text/plain') ->> '$.file.filename'"), "file")


class Responses(Surface):
    def test_text_schema_and_usage(self):
        good = {**Takes().good("responses"), "usage": {"input_tokens": 100, "output_tokens": 50, "output_tokens_details": {"reasoning_tokens": 30}}}
        self.serve("gpt-5-pro", good, api="responses", provider="openai")
        self.assertEqual(self.ask("gpt-5-pro", system="Be brief.", max_tokens=100), "fine")
        self.assertEqual(self.replay.body("gpt-5-pro"), {"model": "gpt-5-pro", "instructions": "Be brief.", "input": [QUESTION], "store": False, "max_output_tokens": 100})
        self.assertTrue(self.replay.requests["gpt-5-pro"][0][2].endswith("/v1/responses"))
        self.assertEqual(self.row("input_tokens, output_tokens, reasoning_tokens, finish_reason, ended, error"), (100, 50, 30, "completed", "complete", None))
        schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}
        self.serve("gpt-5-pro", {**good, "output": [{"type": "message", "content": [{"type": "output_text", "text": '{"n":1}'}]}]}, api="responses", provider="openai")
        self.assertEqual(self.ask("gpt-5-pro", schema=schema), '{"n":1}')
        self.assertEqual(self.body("gpt-5-pro")["text"], {"format": {"type": "json_schema", "name": "answer", "strict": True, "schema": schema}})

    def test_cut_off_and_failed(self):
        good = Takes().good("responses")
        self.serve("cut", {**good, "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, api="responses")
        self.assertIn("cut off", error_of(self.db, "SELECT llm_complete('q', '{\"model\":\"cut\",\"retries\":0}')"))
        self.serve("bad", {**good, "status": "failed", "output": [], "error": {"code": "server_error", "message": "broke"}}, api="responses")
        self.assertIn("broke", error_of(self.db, "SELECT llm_complete('q', '{\"model\":\"bad\",\"retries\":0}')"))


# One of each option that can change an answer or what it costs.
VARIANTS = [{}, {"extra": {"top_k": 1}}, {"extra": {"top_k": 2}}, {"reasoning": "low"}, {"reasoning": "none"}, {"reasoning": 2000}, {"service": "flex"},
            {"service": "priority"}, {"tools": TOOLS}, {"tools": TOOLS[:1]}, {"tools": TOOLS, "tool_choice": "none"}, {"returns": "message"},
            {"tools": TOOLS, "returns": "message"}]


class Pairs(Surface):
    def test_no_two_share_an_answer(self):
        for cache in ("exact", "semantic"):
            count = itertools.count()
            self.serve(cache, lambda body: Answer({**chat(f"answer {next(count)}"), "service_tier": body.get("service_tier", "default")}),
                       provider="openrouter")
            ask = lambda options, prompt="What is your return policy?": self.ask(cache, prompt, cache=cache, **options)
            first = [ask(options) for options in VARIANTS]
            self.assertEqual(len(set(first)), len(VARIANTS))
            self.assertEqual([ask(options) for options in VARIANTS], first)
            self.assertEqual(self.replay.asked(cache), len(VARIANTS))
        for one, other in itertools.permutations(range(len(VARIANTS)), 2):  # the like of one is not served to another
            prompt = f"How do I return item number {one * 100 + other}?"
            ask = lambda options, text: value(self.db, "SELECT llm_complete(?, ?)", text, json.dumps({"model": "semantic", "cache": "semantic", "threshold": 0.8, **options}))
            self.assertNotEqual(ask(VARIANTS[one], prompt), ask(VARIANTS[other], prompt + " "))

    def test_one_statement(self):
        count = itertools.count()
        self.serve("memo", lambda body: Answer(chat(f"answer {next(count)}")), provider="openrouter")
        self.db.execute("CREATE TABLE o(id INTEGER PRIMARY KEY, options)")
        self.db.executemany("INSERT INTO o(options) VALUES (?)", [(json.dumps({"model": "memo", **o}),) for o in VARIANTS if "service" not in o])
        rows = self.db.execute("SELECT llm_complete('q', options) FROM o UNION ALL SELECT llm_complete('q', options) FROM o").fetchall()
        self.assertEqual(len({r[0] for r in rows}), len(rows) // 2)

    def test_rows_of_llm_map_and_of_the_queue(self):
        self.serve("gpt-5.6-luna", thinker, provider="openai")
        self.db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, q, reasoning)")
        self.db.execute("INSERT INTO t(q, reasoning) VALUES ('a', 'none'), ('b', 'low'), ('c', NULL)")
        rows = self.db.execute("SELECT reasoning FROM (SELECT id, reasoning FROM t)").fetchall()
        mapped = self.db.execute("SELECT answer, error FROM llm_map('SELECT id, q AS prompt, reasoning FROM t', '{\"model\":\"gpt-5.6-luna\"}')").fetchall()
        self.assertEqual((len(rows), mapped), (3, [("42", None)] * 3))
        sent = sorted(json.loads(b).get("reasoning_effort", "-") for _, b, _ in self.replay.requests["gpt-5.6-luna"])
        self.assertEqual(sent, ["-", "low", "none"])


if __name__ == "__main__":
    unittest.main()
