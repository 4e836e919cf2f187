"""Which price a name, an override and an option come to: where a wrong one would look right."""
import json
import os
import unittest

from harness import Desk, TempDir, connect, error_of, value


def price(db, model, kind="input", **options):
    return value(db, "SELECT llm_price(?, ?, ?)", model, kind, json.dumps({"unknown": "null", **options}))


class Names(unittest.TestCase):
    def setUp(self):
        self.db = connect(":memory:")

    def test_names_that_mean_something_else(self):
        """None of these is the model it looks like, or is sold by who sells that one."""
        for model, provider in (
                ("ollama/deepseek-chat", None), ("local/grok-4", None), ("hosted_vllm/gpt-4o", None),  # one's own servers
                ("gpt-oss-120b", "vllm"), ("deepseek-r1:8b", "ollama"), ("gpt-4o", "my-gpu-box"), ("gpt-4o", "vllm-openai"),
                ("groq/deepseek-chat", None), ("together/sonar-pro", None), ("groq/gpt-4o", None),  # sold by others only
                ("anthropic/gpt-4o", None), ("gpt-4o", "anthropic"), ("gpt-4o", "no such provider"),
                ("deepseek-r1:7b", None), ("gpt-oss-120b", None),  # weights that many run, each at his price
                ("gemini-pro-latest", None), ("claude-latest", None),  # whichever is the newest
                ("claude-sonnet-5-1", None), ("claude-opus-4-10", None), ("gpt-5.11", None), ("o31", None),  # other versions
                ("ministral-3b-latest", None),
                ("gpt-oss-120b", "openai"), ("gpt-oss-120b", "azure"), ("deepseek-r1", "azure"),  # not theirs, or at their own
                ("deepseek-r1-distill-llama-70b", "deepseek"), ("amazon.titan-embed-text-v2:0", None),
                ("azure/eu/gpt-4o-2024-08-06", None), ("azure/acme/whatever/gpt-4o", None),  # a place that costs more, who knows
                ("mistral-moderation-latest", None), ("davinci-002", None),  # others have a name that fits
                # the maker's prefix of weights that many run, each at his price
                ("google/gemma-3-27b-it", None), ("gemma-4-31b-it", None), ("deepseek-v3.2-exp", None), ("qwen/qwen3-max", None),
                ("kimi-k2", None), ("gemini-pro", None), ("deepseek/deepseek-r1", None), ("openai/gpt-oss-120b", None),
                ("deepseek/deepseek-r1-distill-llama-70b", None), ("meta-llama/llama-3.3-70b-instruct", None),
                ("gpt-4o-nonsense", None), ("mistral-large-2702", None), ("", None), ("gpt-4o" * 60, None)):
            with self.subTest(model=model[:40], provider=provider):
                self.assertIsNone(price(self.db, model, provider=provider))

    def test_names_that_mean_the_same(self):
        for model, provider, want in (
                ("gpt-4o", "OpenAI", 2.5), ("openai/gpt-4o", "openai", 2.5), ("gpt-4o", "Azure", 2.5),
                ("gpt-5-2025-08-07", None, 1.25), ("claude-haiku-4-5-20251001", None, 1.0), ("claude-sonnet-5-5", None, 2.0),
                ("deepseek/deepseek-r1:free", None, 0.0), ("openrouter/deepseek/deepseek-r1:free", None, 0.0),
                ("claude-opus-4-6-fast", None, 30.0), ("mistral-large-2411", None, 2.0),
                ("gemini-2.0-flash-001", "google", 0.1), ("gemini-2.5-flash-lite-preview-09-2025", "google", 0.1),
                ("gemini-2.5-flash-native-audio-preview-09-2025", "google", 0.5), ("claude-2.1", "anthropic", 8.0),
                ("claude-3-5-sonnet-v2@20241022", "vertex", 3.0), ("z-ai/glm-4.5-air:free", "openrouter", 0.0),
                ("anthropic.claude-3-5-sonnet-20241022-v2:0", "bedrock", 3.0), ("anthropic.claude-3-5-sonnet-20241022-v2:0", None, 3.0),
                ("o4-mini-deep-research", "azure", 2.0), ("anthropic/claude-sonnet-4.5", None, 3.0),
                ("mistral/mistral-large-2512", None, 0.5), ("openai:gpt-5", None, 1.25), ("anthropic:claude-opus-4-8", None, 5),
                ("claude-4.5-sonnet", None, 3), ("claude-4-5-sonnet-thinking", None, 3), ("claude-5.5-haiku", None, 0.1)):
            with self.subTest(model=model, provider=provider):
                self.assertEqual(price(self.db, model, provider=provider), want)

    def test_what_stands_behind_a_name(self):
        """The same price, that of a service, or another model: never silently the base."""
        for model, provider, want in (
                ("claude-sonnet-5-5[1m]", None, 2), ("claude-opus-5[1m]", None, 5), ("claude-opus-4-8-20260512[1m]", None, 5),
                ("claude-fable-5.1[1m]", None, 10), ("claude-opus-4-5-thinking", None, 5), ("claude-opus-4-5-20251101-thinking", None, 5),
                ("gpt-5-high", None, 1.25), ("gpt-5.4-xhigh", None, 2.5), ("openai/gpt-5-mini-low", None, 0.25),
                ("claude-opus-4-8-fast", None, 10), ("anthropic/claude-opus-4.8-fast", None, 10), ("claude-opus-4-8-fast[1m]", None, 10),
                ("claude-opus-4-5-fast", None, None), ("claude-sonnet-4-5-fast", None, None), ("claude-opus-4-8-turbo", None, None),
                ("gpt-5.4-fast", None, None), ("gpt-5-ultrahigh", None, None), ("gpt-4o[1m]", None, None), ("gpt-4o-thinking", None, None),
                ("gpt-4o:online", None, None), ("claude-opus-4-8:nitro", None, None), ("gemini-2.5-pro-exp-fast", None, None),
                ("claude-haiku-5-5-1", None, None), ("claude-sonnet-5-5-1", None, None), ("gemini-3-flash-1", None, None),
                ("grok-4.7-2", None, None), ("claude-sonnet-5-5-20260928", None, 2), ("claude-sonnet-4-5-9999", None, None),
                ("claude-opus-4-8-preview2", None, None), ("claude-sonnet-4-5-20250929-tuned", None, None)):
            with self.subTest(model=model):
                self.assertEqual(price(self.db, model, provider=provider), want)
        self.assertIsNone(price(self.db, "claude-opus-4-8-fast", service="batch"))  # not sold together
        self.assertEqual(price(self.db, "claude-opus-4-8-fast", service="fast"), 10)
        told = json.loads(value(self.db, "SELECT llm_cost_explain('claude-opus-4-8-fast', 1, 1)"))
        self.assertEqual([told["priced_as"], told["service"]], ["claude-opus-4-8", "fast"])
        told = json.loads(value(self.db, "SELECT llm_cost_explain('claude-opus-4-8-fast', 1, 1, '{\"service\":\"batch\"}')"))
        self.assertIn("name tells another service", told["unpriced"])

    def test_a_row_of_ones_own_holds_for_what_may_be_left_out(self):
        value(self.db, "SELECT llm_init()")
        self.db.execute("INSERT INTO llm_prices(model, kind, usd_per_million) VALUES ('claude-opus-5', 'input', 3)")
        self.assertEqual(price(self.db, "claude-opus-5[1m]"), 3)
        self.assertEqual(price(self.db, "anthropic/claude-opus-5-thinking"), 3)

    def test_a_list_of_ones_own_by_its_names(self):
        value(self.db, "SELECT llm_prices_import(?)", json.dumps({name: {"litellm_provider": provider, "input_cost_per_token": 9e-6} for name, provider in (
            ("openrouter/openai/gpt-4o", "openrouter"), ("openrouter/new/model-1", "openrouter"), ("v0/v0-1.5-md", "v0"),
            ("azure/eu/gpt-4o-mini", "azure"), ("bedrock/us-gov-west-1/anthropic.claude-sonnet-4-5-20250929-v1:0", "bedrock"))}))
        for name, options, want in (("openrouter/openai/gpt-4o", {}, 9), ("openrouter/new/model-1", {}, 9), ("v0/v0-1.5-md", {}, 9),
                                    ("azure/eu/gpt-4o-mini", {}, 9), ("gpt-4o-mini", {"provider": "azure"}, 0.15),
                                    ("anthropic.claude-sonnet-4-5-20250929-v1:0", {"provider": "bedrock"}, 3.3)):
            with self.subTest(name=name):
                self.assertEqual(price(self.db, name, **options), want)
        self.db.execute("DELETE FROM llm_prices")
        self.db.execute("INSERT INTO llm_prices(model, kind, usd_per_million, provider) VALUES ('openrouter/openai/gpt-4o', 'input', 7, 'openrouter')")
        self.assertEqual(price(self.db, "openrouter/openai/gpt-4o"), 7)

    def test_what_is_billed_apart_at_a_price_that_nobody_knows(self):
        """A reseller whose list has no price of cached tokens does not sell them at the input's."""
        options = {"provider": "openrouter"}
        self.assertIsNone(price(self.db, "openai/gpt-4o", "cache_read", **options))
        self.assertIsNone(price(self.db, "anthropic/claude-3.7-sonnet", "cache_write_1h", **options))
        self.assertEqual(value(self.db, "SELECT llm_cost('openai/gpt-4o', 2000, 100, ?)", json.dumps(options)), 0.006)
        cached = json.dumps({**options, "cached": 1920})
        self.assertIsNone(value(self.db, "SELECT llm_cost('openai/gpt-4o', 2000, 100, ?)", cached))
        self.assertEqual(value(self.db, "SELECT llm_cost_explain('openai/gpt-4o', 2000, 100, ?) ->> 'unpriced'", cached), "no price for cache_read")
        self.assertEqual(value(self.db, "SELECT count(*) > 50 FROM llm_catalogue WHERE usd_per_million IS NULL AND kind LIKE 'cache%'"), 1)

    def test_a_name_without_a_seller(self):
        """Its maker's price, or an error that names who sells it and for how much."""
        for model in ("qwen3.6-plus", "qwen3.7-plus", "qwen3-max", "nemotron-3.5-lightning", "qwq-32b",
                      "llama-3.1-8b-instruct", "qwen3-32b", "llama-3.3-70b", "glm-5.2", "kimi-k2-instruct"):
            with self.subTest(model=model):
                self.assertIsNone(price(self.db, model))
        for model, maker in (("hy3", "tencent"), ("mimo-v2.5", "xiaomi"), ("muse-spark-1.2", "meta"), ("kimi-k3", "moonshotai")):
            with self.subTest(model=model):
                self.assertEqual(json.loads(value(self.db, "SELECT llm_cost_explain(?, 1, 1)", model))["provider"], maker)
        text = error_of(self.db, "SELECT llm_cost('llama-3.3-70b-instruct', 1, 1)")
        for part in ("depends on who sells it", "huggingface_groq (0.59/0.79)", "dollars per million", "'provider'"):
            self.assertIn(part, text)
        text = error_of(self.db, "SELECT llm_cost('glm-5.2', 1, 1)")  # two shops of one maker
        self.assertIn("zai (1.4/4.4)", text)
        self.assertIn("zhipuai (1.1", text)
        self.assertEqual(price(self.db, "glm-5.2", provider="zai"), 1.4)
        self.assertEqual(price(self.db, "qwen3.7-plus", provider="openrouter"), 0.4)
        self.assertIn("who sells it", json.loads(value(
            self.db, "SELECT llm_cost_explain('glm-5.2', 1, 1, '{\"unknown\":\"null\"}')"))["unpriced"])

    def test_a_model_that_is_resold_has_standard_prices_only(self):
        self.assertEqual(price(self.db, "gpt-5", provider="openai", service="flex"), 0.625)
        self.assertEqual(price(self.db, "gpt-5", provider="azure"), 1.25)
        self.assertIsNone(price(self.db, "gpt-5", provider="azure", service="flex"))

    def test_a_prefix_in_the_other_spelling_is_still_the_seller(self):
        self.assertEqual(price(self.db, "anthropic/claude-3.7-sonnet", "cache_read"), 0.3)  # OpenRouter's row has none
        self.assertEqual(price(self.db, "anthropic/claude-3.5-haiku-20241022", "cache_read"), 0.08)

    def test_what_a_service_or_a_place_does_not_tell(self):
        self.assertIsNone(price(self.db, "claude-opus-4-6", geo="eu"))
        self.assertEqual(price(self.db, "gpt-6-astra", geo="us"), 11)
        for model in ("gpt-6-sol", "claude-mythos-5"):
            self.assertIsNone(price(self.db, model, geo="us"))  # others of the provider cost more there
        self.assertIsNone(price(self.db, "claude-opus-4-6-fast", service="batch"))
        self.assertEqual(price(self.db, "mistral-ocr-2503", "page"), 1000)
        self.assertIsNone(price(self.db, "mistral-ocr-2503", "page", service="batch"))  # half of the tokens, says the list

    def test_prices_at_hand_keep_their_service(self):
        """What was found for one function is told by another: its words are its own."""
        usage = '{"prompt_tokens":1,"completion_tokens":1,"service_tier":"%s"}'
        for service in ("priority", "flex", "batch"):
            value(self.db, "SELECT llm_cost('gpt-5', ?)", usage % service)
            told = json.loads(value(self.db, "SELECT llm_cost_explain('gpt-5', ?)", usage % service))
            self.assertEqual(told["service"], service)
        value(self.db, "SELECT llm_cost('gpt-5', ?)", usage % "nobody-sells-it")
        told = json.loads(value(self.db, "SELECT llm_cost_explain('gpt-5', ?)", usage % "nobody-sells-it"))
        self.assertEqual(told["service"], "nobody-sells-it")

    def test_counts_that_contradict_each_other(self):
        for usage, words in (({"prompt_tokens": 9, "completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 50}}, "more reasoning (50)"),
                             ({"input": 200, "output": 1, "cache_write": 100, "cache_write_5m": 100, "cache_write_1h": 100}, "by lifetime (200)")):
            self.assertIn(words, error_of(self.db, "SELECT llm_cost('claude-opus-5', ?, '{\"provider\":\"anthropic\"}')", json.dumps(usage)))

    def test_a_grounding_without_its_searches(self):
        self.assertIsNone(value(self.db, "SELECT llm_cost('gemini-3-flash', 1000, 100, '{\"grounding\":1}')"))
        self.assertEqual(value(self.db, "SELECT llm_cost('gemini-3-flash', 1000, 100, '{\"grounding\":1,\"web_search\":3}')"), 0.0428)
        for counts in ('"grounding":1', '"web_search":1', '"grounding":1,"web_search":3'):
            self.assertEqual(value(self.db, "SELECT llm_cost('gemini-2.5-flash', 1000, 100, ?)", "{%s}" % counts), 0.03555)

    def test_null_is_not_given(self):
        self.assertEqual(price(self.db, "gpt-4o", provider=None, at=None, service=None, geo=None, list=None, input=None), 2.5)


class Overrides(unittest.TestCase):
    def setUp(self):
        self.db = connect(":memory:")
        value(self.db, "SELECT llm_init()")

    def add(self, *rows):
        for row in rows:
            row = {"kind": "input", **row}
            self.db.execute(f"INSERT INTO llm_prices({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", list(row.values()))

    def test_a_provider_by_any_of_its_names(self):
        for provider in ("azure", "Azure", "azure_ai"):
            with self.subTest(provider=provider):
                self.db.execute("DELETE FROM llm_prices")
                self.add({"model": "gpt-4o", "provider": provider, "usd_per_million": 7})
                self.assertEqual(price(self.db, "gpt-4o", provider="azure"), 7)
                self.assertEqual(price(self.db, "gpt-4o"), 2.5)

    def test_a_provider_nobody_knows(self):
        self.add({"model": "gpt-4o", "provider": "my-gpu-box", "usd_per_million": 7})
        self.assertEqual(price(self.db, "gpt-4o", provider="my-gpu-box"), 7)
        self.assertEqual(price(self.db, "gpt-4o", provider="My-GPU-Box"), 7)
        self.assertEqual(price(self.db, "gpt-4o"), 2.5)
        self.assertIsNone(price(self.db, "gpt-4o", "output", provider="my-gpu-box"))  # and not OpenAI's

    def test_rows_of_several_models_merge_unit_by_unit(self):
        self.add({"model": "gpt-4o*", "usd_per_million": 1}, {"model": "gpt-4o*", "kind": "output", "usd_per_million": 2},
                 {"model": "gpt-4o", "usd_per_million": 3}, {"model": "gpt-4o", "provider": "openai", "usd_per_million": 4})
        self.assertEqual([price(self.db, "gpt-4o"), price(self.db, "gpt-4o", "output")], [4, 2])
        self.assertEqual([price(self.db, "gpt-4o", "input", provider="azure"), price(self.db, "gpt-4o-mini")], [3, 1])

    def test_names_in_any_case_and_spelling(self):
        self.add({"model": "GPT-4O-MINI*", "usd_per_million": 1}, {"model": "Claude-Haiku-4-5", "usd_per_million": 2},
                 {"model": "claude-sonnet-4.5", "usd_per_million": 9})
        self.assertEqual(price(self.db, "gpt-4o-mini-2024-07-18"), 1)
        self.assertEqual(price(self.db, "claude-haiku-4-5-20251001"), 2)
        self.assertEqual(price(self.db, "claude-sonnet-4-5"), 9)  # the list knows both spellings

    def test_a_row_is_of_no_other_model(self):
        for row, asked in (("gemini-2.5-pro-tuned-by-us", "gemini-2.5-pro"), ("gpt-5-codex", "gpt-5"), ("gpt-4o-2024-08-06", "gpt-4o"),
                           ("ft:gpt-4o-mini:acme::a1", "ft:gpt-4o-mini:other::b2"), ("claude-opus-4-1", "claude-opus-4"),
                           ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "eu.anthropic.claude-sonnet-4-5-20250929-v1:0")):
            with self.subTest(row=row):
                before = price(self.db, asked)
                self.add({"model": row, "usd_per_million": 99})
                self.assertEqual([price(self.db, row), price(self.db, asked)], [99, before])

    def test_the_factor_that_fits_best(self):
        for rows, model, want in (
                ([("gpt-4o", None, 0.9, None), ("gpt-4o*", None, 0.5, None)], "gpt-4o", 2.25),
                ([("gpt*", "openai", 0.5, None), ("gpt-4*", None, 0.7, None)], "gpt-4o", 1.25),
                ([("*", None, 0.5, "2026-01-01"), ("gpt-4o", None, 0.9, None)], "gpt-4o", 2.25),
                ([("claude-sonnet-4.5", None, 0.5, None)], "claude-sonnet-4-5", 1.5)):
            with self.subTest(rows=rows):
                self.db.execute("DELETE FROM llm_prices")
                for row in rows:
                    self.add(dict(zip(("model", "provider", "usd_per_million", "valid_from"), row)) | {"kind": "factor"})
                self.assertEqual(price(self.db, model), want)

    def test_rows_that_would_say_nothing_are_errors(self):
        for column, value_, words in (("above_tokens", "abc", "no count"), ("above_tokens", -5, "no count"), ("above_tokens", 1.5, "no count"),
                                      ("service", "Batch", "lower case"), ("service", "x" * 40, "one word"),
                                      ("hours", "10:00-24:30", "no hours"), ("valid_from", 1751328000, "not seconds"),
                                      ("valid_from", 2026, "no date"), ("usd_per_million", 1e-13, "12 decimals")):
            with self.subTest(column=column, value=value_):
                self.db.execute("DELETE FROM llm_prices")
                self.add({"model": "my-own", "usd_per_million": 1, column: value_})
                text = error_of(self.db, "SELECT llm_price('gpt-4o', 'input')")
                self.assertIn(words, text)
                self.assertIn("model 'my-own'", text)

    def test_a_price_as_it_is_written(self):
        self.add({"model": "m", "usd_per_million": 0.1}, {"model": "m", "kind": "factor", "usd_per_million": 1 / 3},
                 {"model": "n", "usd_per_million": 5}, {"model": "n", "kind": "factor", "usd_per_million": 0})
        explained = json.loads(value(self.db, "SELECT llm_cost_explain('m', 1000000, 0)"))
        self.assertEqual(explained["lines"][0]["factor"], 0.333333333333)
        self.assertEqual(value(self.db, "SELECT llm_cost('n', 1000000, 0)"), 0)
        self.add({"model": "o", "kind": "factor", "usd_per_million": 1000.5})
        self.assertIn("at most 1000", error_of(self.db, "SELECT llm_price('gpt-4o', 'input')"))

    def test_a_discount_that_ends(self):
        """The same statement, rows of both sides of a day: each has its own price."""
        self.add({"model": "gpt-4o", "kind": "factor", "usd_per_million": 0.5, "valid_from": "2026-03-01", "valid_to": "2026-04-01"})
        days = ["2026-02-28", "2026-03-01", "2026-02-28", "2026-03-31", "2026-04-01", "2026-03-01"] * 20
        got = self.db.execute("SELECT llm_cost('gpt-4o', 1000000, 0, json_object('at', value)) FROM json_each(?)",
                              [json.dumps(days)]).fetchall()
        self.assertEqual([x for x, in got], [1.25 if "2026-03" in day else 2.5 for day in days])

    def test_a_row_of_a_list_of_ones_own(self):
        self.add({"model": "x1", "usd_per_million": 2, "list": "mine"}, {"model": "x1", "kind": "output", "usd_per_million": 3,
                                                                         "list": "mine"})
        self.assertEqual(value(self.db, "SELECT llm_cost('x1', 1000000, 1000000)"), 5)
        self.assertEqual(price(self.db, "x1", list="mine"), 2)
        self.assertIsNone(price(self.db, "x1", list="catalogue"))

    def test_the_catalogue_says_until_when_a_single_row_holds(self):
        self.add({"model": "m", "usd_per_million": 1}, {"model": "m", "usd_per_million": 2, "valid_from": "2026-05-01"},
                 {"model": "m", "kind": "output", "usd_per_million": 3, "valid_from": "2026-01-01"})
        rows = self.db.execute("SELECT kind, usd_per_million, valid_to IS NULL FROM llm_catalogue WHERE model = 'm' ORDER BY 1, 2")
        self.assertEqual(rows.fetchall(), [("input", 1, 0), ("input", 2, 1), ("output", 3, 1)])

    def test_changes_to_any_column_are_seen(self):
        self.add({"model": "gpt-4o", "usd_per_million": 7, "list": "mine", "hours": "10:00-12:00"})
        at = "2026-03-01T11:00:00Z"
        self.assertEqual(price(self.db, "gpt-4o", at=at), 7)
        self.db.execute("UPDATE llm_prices SET hours = '12:00-14:00'")
        self.assertIsNone(price(self.db, "gpt-4o", at=at))
        self.db.execute("UPDATE llm_prices SET hours = NULL, list = NULL")
        self.assertEqual(price(self.db, "gpt-4o", at=at), 7)
        self.db.execute("UPDATE llm_prices SET provider = 'azure'")
        self.assertEqual(price(self.db, "gpt-4o", at=at), 2.5)


def fallback(**members):
    part = {"type": "message", "model": "claude-opus-4-8", "input_tokens": 0, "output_tokens": 100}
    return {"input_tokens": 0, "output_tokens": 100, **members, "iterations": [part, {**part, "type": "fallback_message"}]}


class WhatWasBilled(unittest.TestCase):
    def setUp(self):
        self.db = connect(":memory:")

    def cost(self, model, usage, **options):
        return value(self.db, "SELECT llm_cost(?, ?, ?)", model, json.dumps(usage), json.dumps(options))

    def test_every_attempt_is_of_the_service_of_the_whole(self):
        for members, options, want in (
                ({}, {}, 0.005), ({"speed": "fast"}, {}, 0.01), ({"inference_geo": "us"}, {}, 0.0055),
                ({"service_tier": "batch"}, {}, 0.0025), ({}, {"service": "batch"}, 0.0025), ({}, {"geo": "us"}, 0.0055),
                ({}, {"service": "fast", "geo": "US"}, 0.011),
                ({"server_tool_use": {"web_search_requests": 1}}, {}, 0.015)):  # one search, not one an attempt
            with self.subTest(**members, **options):
                self.assertAlmostEqual(self.cost("claude-opus-4-8", fallback(**members), **options), want, 12)
        for wrapped in ([fallback()], {"usage": fallback()}, [{"usage": fallback()}], {"message": {"usage": fallback()}}):
            with self.subTest(wrapped=str(wrapped)[:30]):
                self.assertEqual(self.cost("claude-opus-4-8", wrapped), 0.005)
        self.assertIsNone(self.cost("claude-opus-4-8", fallback(), service="priority"))

    def test_parts(self):
        compaction = {"input_tokens": 0, "output_tokens": 0, "iterations": [
            {"type": "compaction", "input_tokens": 180000, "output_tokens": 3500}]}
        self.assertEqual(self.cost("claude-opus-4-8", compaction), 0.9875)  # the whole does not count it
        one = {"type": "fallback_message", "model": "claude-fable-5", "input_tokens": 1000, "output_tokens": 100000}
        declined = {"type": "message", "model": "claude-opus-4-8", "input_tokens": 9, "output_tokens": 0}
        other = {"input_tokens": 1000, "output_tokens": 100000, "iterations": [declined, one]}
        self.assertEqual(self.cost("claude-opus-4-8", other), 5.01)
        kept = json.loads(value(self.db, "SELECT llm_usage(?)", json.dumps(other)))
        self.assertEqual(self.cost("claude-opus-4-8", kept), 5.01)  # our own form says as much
        dear = fallback()
        dear["iterations"] = [{**fallback()["iterations"][0], "output_tokens": 100000}] * 2
        self.assertEqual(self.cost("us.anthropic.claude-opus-4-8-v1:0", dear), 5.5)  # at who sold it
        unknown = {**other, "iterations": [one, {**one, "model": "zzz"}]}
        self.assertIn("'zzz'", error_of(self.db, "SELECT llm_cost('claude-opus-4-8', ?)", json.dumps(unknown)))
        self.assertIsNone(self.cost("claude-opus-4-8", unknown, unknown="null"))

    def test_an_only_part_takes_nothing_from_the_whole(self):
        part = {"type": "message", "input_tokens": 21, "output_tokens": 393}
        hour = {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 1000}
        whole = {"input_tokens": 21, "output_tokens": 393, "cache_read_input_tokens": 20000, "cache_creation_input_tokens": 1000,
                 "cache_creation": hour}
        for one in (part, {**part, "cache_read_input_tokens": 20000, "cache_creation_input_tokens": 1000, "cache_creation": None}):
            with self.subTest(one=one):
                self.assertEqual(self.cost("claude-sonnet-4-5", {**whole, "iterations": [one]}), 0.017958)
        compacted = {"input_tokens": 23000, "output_tokens": 1000, "cache_creation_input_tokens": 50000,
                     "cache_creation": {"ephemeral_1h_input_tokens": 50000}, "iterations": [
                         {"type": "compaction", "input_tokens": 180000, "output_tokens": 3500},
                         {**part, "input_tokens": 23000, "output_tokens": 1000, "cache_creation_input_tokens": 50000}]}
        self.assertEqual(self.cost("claude-sonnet-4-5", compacted), 0.9765)  # all writes for an hour, says the whole

    def test_writes_for_an_hour_are_not_those_of_five_minutes(self):
        usage = {"input_tokens": 0, "output_tokens": 0, "cache_creation_input_tokens": 100000,
                 "cache_creation": {"ephemeral_1h_input_tokens": 100000}}
        self.assertEqual(self.cost("claude-sonnet-4-5", usage), 0.6)
        # Twice the seller's own input, where he sells it at all (AWS's price list, langsmith-sdk #3277; hermes-agent PR 104168).
        self.assertEqual(self.cost("us.anthropic.claude-sonnet-4-5-20250929-v1:0", usage), 0.66)
        self.assertEqual(self.cost("anthropic/claude-sonnet-4.5", usage, provider="openrouter"), 0.6)
        self.assertIsNone(self.cost("us.anthropic.claude-3-7-sonnet-20250219-v1:0", usage))
        converse = {"inputTokens": 30, "outputTokens": 10, "totalTokens": 100040, "cacheWriteInputTokens": 100000}
        for ttl, want in (("1h", 0.660264), ("5m", 0.412764)):
            details = {"usage": {**converse, "cacheDetails": [{"ttl": ttl, "inputTokens": 100000}]}}
            self.assertEqual(self.cost("us.anthropic.claude-sonnet-4-5-20250929-v1:0", details), want)
        langchain = {"input_tokens": 3500, "output_tokens": 240, "total_tokens": 3740, "input_token_details": {
            "cache_creation": 0, "cache_read": 0, "ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 3000}}
        self.assertEqual(self.cost("claude-sonnet-4-5", langchain), 0.0231)

    def test_fast_is_not_sold_in_a_batch(self):
        usage = {"input_tokens": 100000, "output_tokens": 0, "speed": "fast"}
        self.assertEqual(self.cost("claude-opus-4-8", usage), 1)
        self.assertIsNone(self.cost("claude-opus-4-8", {**usage, "service_tier": "batch"}))

    def test_lines_of_a_batch(self):
        openai = {"custom_id": "a", "response": {"status_code": 200, "body": {"service_tier": "default", "usage": {
            "prompt_tokens": 1000, "completion_tokens": 10}}}}
        anthropic = {"custom_id": "a", "result": {"type": "succeeded", "message": {"usage": {
            "input_tokens": 1000, "output_tokens": 10, "service_tier": "batch"}}}}
        self.assertEqual(self.cost("gpt-4o", openai), 0.0013)
        self.assertEqual(self.cost("claude-haiku-4-5", anthropic), 0.000525)
        self.assertEqual(self.cost("gpt-4o", [openai]), 0.0013)
        two = json.dumps([openai, {**openai, "custom_id": "b"}])
        self.assertIn("two ids", error_of(self.db, "SELECT llm_cost('gpt-4o', ?)", two))
        gemini = {"usageMetadata": {"promptTokenCount": 10000, "candidatesTokenCount": 1000, "totalTokenCount": 11000}}
        for line in ({"key": "a", "response": gemini}, {"response": gemini, "metadata": {"key": "a"}},
                     {"status": "", "request": {}, "response": gemini}):
            self.assertEqual(self.cost("gemini-2.5-flash", line), 0.00275)
        self.assertEqual(self.cost("gemini-2.5-flash", {"response": gemini}), 0.0055)  # in somebody's envelope
        gemini["usageMetadata"]["serviceTier"] = "flex"
        self.assertEqual(self.cost("gemini-2.5-flash", gemini), 0.00275)

    def test_other_programs_logs(self):
        for usage in ({"input": 1000, "output": 2, "cached": 500}, {"input_tokens": 1000, "output_tokens": 2, "cached_input_tokens": 500},
                      {"input_tokens": 1000, "output_tokens": 2, "total_tokens": 1002, "input_token_details": {"cache_read": 500}},
                      {"usage_metadata": {"input_tokens": 1000, "output_tokens": 2, "input_token_details": {"cache_read": 500}}},
                      {"inputTokens": 1000, "outputTokens": 2, "totalTokens": 1002, "cachedInputTokens": 500},
                      {"usage": {"inputTokens": 1000, "outputTokens": 2, "inputTokenDetails": {"cacheReadTokens": 500}}}):
            for model, want in (("gpt-4o", 0.001895), ("claude-haiku-4-5", 0.00106 if "cachedInputTokens" in usage else 0.00056)):
                with self.subTest(usage=usage, model=model):
                    self.assertAlmostEqual(self.cost(model, usage), want, 12)
        agent = {"inputTokens": 21, "outputTokens": 393, "cacheReadInputTokens": 20000, "cacheCreationInputTokens": 10000,
                 "webSearchRequests": 0, "costUSD": 0.02}
        self.assertEqual(self.cost("claude-sonnet-4-5", agent), 0.049458)
        pydantic = {"input_tokens": 120000, "cache_write_tokens": 0, "cache_read_tokens": 110000, "output_tokens": 240, "details": {}}
        self.assertEqual(self.cost("claude-sonnet-4-5", pydantic), 0.0666)
        langfuse = {"input": 350, "output": 240, "total_tokens": 590, "cost": 0.1, "latency_ms": 9}
        self.assertEqual(self.cost("gpt-5", langfuse), 0.0028375)
        opencode = '{"input":3,"output":500,"cache":{"read":120000,"write":2000}}'
        self.assertEqual(value(self.db, "SELECT llm_cost('claude-sonnet-4-5', ?)", opencode), 0.051009)
        self.assertIn("'cachd' is no unit", error_of(self.db, "SELECT llm_cost('gpt-4o', '{\"input\":10,\"output\":2,\"cachd\":5}')"))

    def test_what_stands_outside_the_usage(self):
        tools = {"model": "gpt-5", "usage": {"input_tokens": 1000, "output_tokens": 0, "total_tokens": 1000}, "output": [
            {"type": "web_search_call", "action": {"type": "search"}}, {"type": "web_search_call", "action": {"type": "open_page"}},
            {"type": "file_search_call"}, {"type": "message"}]}
        self.assertAlmostEqual(self.cost("gpt-5", tools), 0.00125 + 0.01 + 0.0025, 12)
        for model in ("o3-deep-research", "o3-pro", "gpt-5.3-codex", "ft:gpt-4o-mini:a::b"):
            self.assertGreater(self.cost(model, tools), 0.01)
        self.assertIsNone(self.cost("gpt-4o", {**tools, "tools": [{"type": "web_search_preview"}]}))  # at a price of its own
        seconds = {"prompt_audio_seconds": 600, "prompt_tokens": 4, "completion_tokens": 100, "total_tokens": 7600}
        self.assertIsNone(self.cost("voxtral-small-latest", seconds))  # ten minutes are not free
        self.assertIsNone(self.cost("voxtral-small-latest", json.loads(value(self.db, "SELECT llm_usage(?)", json.dumps(seconds)))))
        images = {"meta": {"billed_units": {"images": 1, "input_tokens": 0, "image_tokens": 258}}}
        self.assertIsNone(self.cost("embed-v4.0", images))
        bedrock = {"usage": {"inputTokens": 100, "outputTokens": 10}, "serviceTier": {"type": "flex"}}
        self.assertIsNone(self.cost("us.anthropic.claude-sonnet-4-5-20250929-v1:0", bedrock))
        moonshot = {"prompt_tokens": 100000, "completion_tokens": 0, "total_tokens": 100000, "cached_tokens": 64000}
        self.assertEqual(self.cost("kimi-k2-thinking", moonshot), 0.0312)
        cohere = {"meta": {"billed_units": {"input_tokens": 100000, "output_tokens": 50000}}}
        self.assertEqual(self.cost("command-a-03-2025", cohere), 0.75)
        self.assertEqual(self.cost("mistral-ocr-2505", {"usage_info": {"pages_processed": 1000}}), 1)  # not the annotated price
        perplexity = {"prompt_tokens": 1000, "completion_tokens": 5, "cost": {"total_cost": 0.008}}
        self.assertEqual(json.loads(value(self.db, "SELECT llm_usage(?)", json.dumps(perplexity)))["reported_usd"], 0.008)
        realtime = {"model": "gpt-realtime", "usage": {"input_tokens": 132, "output_tokens": 121, "input_token_details": {
            "text_tokens": 119, "audio_tokens": 13}, "output_token_details": {"text_tokens": 30, "audio_tokens": 91}}}
        kept = value(self.db, "SELECT llm_usage(?)", json.dumps(realtime))
        self.assertEqual(self.cost("gpt-realtime", json.loads(kept)), self.cost("gpt-realtime", realtime))

    def test_rows_without_a_usage_and_with_a_wrong_one(self):
        for text in ("null", '{"usage":null}', "{}"):
            self.assertIsNone(value(self.db, "SELECT llm_cost('gpt-4o', ?)", text))
            self.assertIsNone(value(self.db, "SELECT llm_cost('gpt-4o', ?, '{\"unknown\":\"null\"}')", text))
        for text in ('{"prompt_tokens":-1,"completion_tokens":1}', '{"prompt_tokens":1,"completion_tokens":1,', "[1"):
            self.assertIsNone(value(self.db, "SELECT llm_cost('gpt-4o', ?, '{\"on_error\":\"null\"}')", text))
            why = value(self.db, "SELECT llm_cost_explain('gpt-4o', ?, '{\"on_error\":\"null\"}') ->> 'unpriced'", text)
            self.assertRegex(why, "no|not")
        self.assertIn("(model 'gpt-4o')", error_of(self.db, "SELECT llm_cost('gpt-4o', '{\"prompt_tokens\":-1}')"))

    def test_whole_answers(self):
        responses = {"service_tier": "flex", "usage": {
            "input_tokens": 5, "output_tokens": 7, "total_tokens": 12, "input_tokens_details": {"cached_tokens": 2},
            "output_tokens_details": {"reasoning_tokens": 3}}}
        flex = {"input": 5, "cache_read": 2, "output": 7, "reasoning": 3, "service": "flex"}
        for body, want in (
                ({"object": "response", **responses}, flex), ({"type": "response.completed", "response": responses}, flex),
                ({"output": {}, "usage": {"inputTokens": 30, "outputTokens": 7, "totalTokens": 67, "cacheReadInputTokens": 20,
                                          "cacheWriteInputTokens": 10}},
                 {"input": 60, "cache_read": 20, "cache_write": 10, "output": 7}),
                # LiteLLM's form of an Anthropic answer: its prompt_tokens are all there was
                ({"prompt_tokens": 30, "completion_tokens": 7, "total_tokens": 37, "cache_creation_input_tokens": 3,
                  "cache_read_input_tokens": 4, "prompt_tokens_details": {"cached_tokens": 4}},
                 {"input": 30, "cache_read": 4, "cache_write": 3, "output": 7})):
            with self.subTest(body=str(body)[:50]):
                self.assertEqual(json.loads(value(self.db, "SELECT llm_usage(?)", json.dumps(body))), want)

    def test_a_total_that_holds_other_things(self):
        audio = json.dumps({"prompt_audio_seconds": 30, "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 400})
        self.assertEqual(json.loads(value(self.db, "SELECT llm_usage(?, '{\"provider\":\"mistral\"}')", audio)),
                         {"input": 10, "output": 5, "other": "prompt_audio_seconds"})
        hidden = json.dumps({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 40})
        self.assertEqual(json.loads(value(self.db, "SELECT llm_usage(?, '{\"provider\":\"x-ai\"}')", hidden)),
                         {"input": 10, "output": 30})

    def test_audio_that_a_service_has_no_price_for(self):
        usage = {"promptTokenCount": 1000, "candidatesTokenCount": 10,
                 "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 400}]}
        self.assertAlmostEqual(self.cost("gemini-2.5-flash", usage), (600 * 0.3 + 400 * 1 + 10 * 2.5) / 1e6, 12)
        self.assertIsNone(self.cost("gemini-2.5-flash", usage, service="priority"))
        # No service of the catalogue prices text where only the standard one prices audio: that would be text's price.
        gaps = self.db.execute("""SELECT model, service FROM llm_catalogue AS text WHERE kind = 'input' AND service <> 'standard'
            AND EXISTS (SELECT 1 FROM llm_catalogue WHERE (provider, model) = (text.provider, text.model) AND kind = 'input_audio')
            AND NOT EXISTS (SELECT 1 FROM llm_catalogue WHERE (provider, model, service) = (text.provider, text.model, text.service)
                            AND kind = 'input_audio')""").fetchall()
        self.assertEqual(gaps, [])

    def test_options(self):
        one = {"prompt_tokens": 1, "completion_tokens": 1}
        self.assertEqual(self.cost("gpt-4o", one, service="Standard", geo="global"), 1.25e-05)
        for options, words in (({"service": "nonsense"}, "no price list has a price for 'nonsense'"), ({"cache": 1}, "unknown option 'cache'"),
                               ({"at": "2026-02-30"}, "option 'at'"), ({"at": "2026-02-28T25:00:00Z"}, "option 'at'"),
                               ({"at": "1e3"}, "option 'at'"), ({"cached": 1.5}, "option 'cached'"), ({"geo": ""}, "option 'geo'"),
                               ({"provider": 3}, "option 'provider'"), ({"unknown": "no"}, "option 'unknown'"),
                               ({"list": "none"}, "no price list 'none'"),
                               ({"input": 5}, "given as 1 already"), ({"cached": 0, "cache_read": 1}, "given before"),
                               ({"at": 1751328000}, "not seconds"), ({"provider": "opnai"}, "nobody is known as provider 'opnai'")):
            with self.subTest(**options):
                text = error_of(self.db, "SELECT llm_cost('gpt-4o', ?, ?)", json.dumps(one), json.dumps(options))
                self.assertIn(words, text)
        for sql in ("llm_price('gpt-4o', 'input', '{\"api\":\"chat\"}')", "llm_price('gpt-4o', 'input', '{\"cached\":3}')",
                    "llm_usage('{}', '{\"at\":3}')"):
            with self.subTest(sql=sql):
                self.assertIn("unknown option", error_of(self.db, "SELECT " + sql))

    def test_more_names_than_are_kept_at_hand(self):
        """What was found for the whole usage is not used for a part once the names at hand were dropped in between."""
        self.db.execute("SELECT llm_init()")
        self.db.executemany("INSERT INTO llm_prices(model, kind, usd_per_million) VALUES (?, ?, ?)",
                            [("whole-*", "input", 1), ("whole-*", "output", 1), ("part-*", "input", 2), ("part-*", "output", 2)])
        got = self.db.execute("""WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2100)
            SELECT DISTINCT llm_cost('whole-' || i, json_object('input_tokens', 5, 'output_tokens', 5, 'iterations', json_array(
                json_object('type', 'message', 'model', 'part-' || i, 'input_tokens', 3, 'output_tokens', 2),
                json_object('type', 'message', 'model', 'whole-' || i, 'input_tokens', 2, 'output_tokens', 3)))) FROM n""").fetchall()
        self.assertEqual(got, [(15e-6,)])

    def test_counts(self):
        self.assertEqual(value(self.db, "SELECT llm_cost('gpt-4o', 100.0, 5.0)"), 0.0003)
        for count in (1.5, -1, "many", 1e300, 10**9 + 1):
            with self.subTest(count=count):
                self.assertIn("token count", error_of(self.db, "SELECT llm_cost('gpt-4o', ?, 5)", count))
        self.assertEqual(value(self.db, "SELECT llm_cost('claude-opus-4-8', ?, 0)", 10**9), 5000)


class Lists(unittest.TestCase):
    """Lists that another program wrote: what can't be read as it means is left out by name, or refused."""

    def setUp(self):
        self.db = connect(":memory:")

    def test_what_is_left_out(self):
        def model(**members):
            return json.dumps([{"id": "openai", "models": [
                {"id": "m", "match": {"equals": "m"}, "prices": {"input_mtok": 1, "output_mtok": 1}, **members}]}])

        for data, left_out, name, want in (
                (model(match={"and": [{"starts_with": "m"}, {"ends_with": "m"}]}), "names under several", "mmm", None),
                (model(prices={"input_mtok": {"base": 1, "tiers": [{"begin": 5, "price": 2}]}, "output_mtok": 1}),
                 "tiers without", "m", None),
                (model(prices={"input_mtok": {"base": 1, "tiers": [{"start": 5, "price": "2"}]}, "output_mtok": 1}),
                 "tiers without", "m", None),
                (model(prices={"input_mtok": 1, "sound_hours": 1}), "sound_hours", "m", 1)):
            with self.subTest(left_out=left_out):
                db = connect(":memory:")
                self.assertIn(left_out, str(json.loads(value(db, "SELECT llm_prices_import(?)", data))["left_out"]))
                self.assertEqual(price(db, name, provider="openai"), want)
        hours = {"start_time": "01:00:00Z", "end_time": "02:00:00Z"}
        for data in (model(prices=[{"constraint": {"weekday": 1}, "prices": {"input_mtok": 1}}]),
                     model(prices=[{"prices": {"input_mtok": 1}}, {"constraint": {**hours, "start_date": "2026-01-01"},
                                                                    "prices": {"input_mtok": 3}}]),
                     model(prices=[{"prices": {"input_mtok": 1}}, {"constraint": {**hours, "end_time": "02:00:00+08:00"},
                                                                    "prices": {"input_mtok": 3}}]),
                     json.dumps({"m": {"litellm_provider": "openai", "input_cost_per_token": 1e-6,
                                       "input_cost_per_token_above_200k_tokens": "2e-06"}}),
                     json.dumps({"m": {"litellm_provider": "openai", "input_cost_per_token": 0, "output_cost_per_second": "0.1"}}),
                     model(prices={"input_mtok": -1})):
            with self.subTest(refused=data):
                self.assertIn("no price", error_of(self.db, "SELECT llm_prices_import(?)", data))

    def test_a_model_billed_by_the_second_is_not_free(self):
        data = {"whisper-x": {"litellm_provider": "openai", "input_cost_per_token": 0, "output_cost_per_token": 0,
                              "input_cost_per_second": 0.0001},
                "m": {"litellm_provider": "openai", "input_cost_per_token": 1e-6}}
        value(self.db, "SELECT llm_prices_import(?)", json.dumps(data))
        self.assertIsNone(price(self.db, "whisper-x"))
        self.assertEqual(price(self.db, "m", provider="openai"), 1)

    def test_a_full_disk_and_a_lock_leave_the_list_as_it_was(self):
        big = {f"m{i}": {"litellm_provider": "openai", "input_cost_per_token": 2e-6} for i in range(2000)}
        with TempDir() as tmp:
            db, other = connect(f"{tmp}/p.db"), connect(f"{tmp}/p.db", timeout=0)
            value(db, "SELECT llm_prices_import(?)", '{"m1":{"litellm_provider":"openai","input_cost_per_token":1e-6}}')
            db.execute(f"PRAGMA max_page_count = {value(db, 'PRAGMA page_count') + 2}").fetchall()
            self.assertIn("full", error_of(db, "SELECT llm_prices_import(?)", json.dumps(big)))
            self.assertEqual([price(db, "m1", provider="openai"), value(db, "SELECT count(*) FROM llm_prices"), db.in_transaction], [1, 1, False])
            self.assertEqual(value(db, "PRAGMA integrity_check"), "ok")
            db.execute("PRAGMA max_page_count = 100000").fetchall()
            db.execute("BEGIN IMMEDIATE")
            self.assertIn("locked", error_of(other, "SELECT llm_prices_import(?)", json.dumps(big)))
            db.execute("COMMIT")
            self.assertEqual(price(other, "m1", provider="openai"), 1)
            value(other, "SELECT llm_prices_import(?)", json.dumps(big))
            self.assertEqual(price(db, "m1", provider="openai"), 2)  # what another connection wrote is seen
            db.close()
            other.close()


class Ledger(Desk):
    def test_a_server_of_ones_own_is_unpriced_until_it_has_prices(self):
        for provider in ("my-gpu-box", "vllm-openai"):
            with self.subTest(provider=provider):
                self.db.execute("DELETE FROM llm_prices")
                self.db.execute("UPDATE llm_models SET provider = ? WHERE name = 'gpt-4o-mini'", [provider])
                ask = "SELECT llm_complete('Hello ' || ?, '{\"model\":\"gpt-4o-mini\"}')"
                last = "SELECT cost_nusd, error FROM llm_calls ORDER BY id DESC LIMIT 1"
                value(self.db, ask, provider)
                cost, error = self.db.execute(last).fetchone()
                self.assertIsNone(cost)
                self.assertEqual(self.db.execute("SELECT model, provider FROM llm_unpriced WHERE provider = ?", [provider]).fetchall(),
                                 [("gpt-4o-mini-2024-07-18", provider)])
                self.db.execute("INSERT INTO llm_prices(model, provider, kind, usd_per_million) VALUES"
                                " ('gpt-4o-mini', ?1, 'input', 0.1), ('gpt-4o-mini', ?1, 'output', 0.1)", [provider])
                value(self.db, ask, provider + " again")
                cost, error = self.db.execute(last).fetchone()
                self.assertGreater(cost, 0)
                self.assertIsNone(error)

    def test_prices_that_cannot_be_read_stop_a_call_before_it_is_sent(self):
        before = self.standin.bill()["requests"]
        self.db.execute("INSERT INTO llm_prices(model, kind, usd_per_million) VALUES ('gpt-4o', 'inputs', 1)")
        self.assertIn("kind 'inputs'", error_of(self.db, "SELECT llm_complete('never sent')"))
        self.assertEqual(self.standin.bill()["requests"], before)
        self.assertEqual(value(self.db, "SELECT llm_tokens('two words', 'gpt-4o')"), 2)
        self.db.execute("DELETE FROM llm_prices")
        value(self.db, "SELECT llm_complete('sent')")
        self.assertEqual(self.standin.bill()["requests"], before + 1)


if __name__ == "__main__":
    unittest.main()
