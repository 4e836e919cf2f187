"""Which price a name, an override and an option come to: where a wrong one would look right."""
import json
import os
import unittest

from harness import Standin, TempDir, connect, error_of, open_desk, value


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
                ("gpt-4o-nonsense", None), ("mistral-large-2702", None), ("", None), ("gpt-4o" * 60, None)):
            with self.subTest(model=model[:40], provider=provider):
                self.assertIsNone(price(self.db, model, provider=provider))

    def test_names_that_mean_the_same(self):
        for model, provider, want in (
                ("gpt-4o", "OpenAI", 2.5), ("openai/gpt-4o", "openai", 2.5), ("gpt-4o", "Azure", 2.5),
                ("gpt-5-2025-08-07", None, 1.25), ("claude-haiku-4-5-20251001", None, 1.0), ("claude-sonnet-5-5", None, 2.0),
                ("deepseek/deepseek-r1:free", None, 0.0), ("openrouter/deepseek/deepseek-r1:free", None, 0.0),
                ("claude-opus-4-6-fast", None, 30.0), ("mistral-large-2411", None, 2.0)):
            with self.subTest(model=model, provider=provider):
                self.assertEqual(price(self.db, model, provider=provider), want)

    def test_a_model_that_is_resold_has_standard_prices_only(self):
        self.assertEqual(price(self.db, "gpt-5", provider="openai", service="flex"), 0.625)
        self.assertEqual(price(self.db, "gpt-5", provider="azure"), 1.25)
        self.assertIsNone(price(self.db, "gpt-5", provider="azure", service="flex"))

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
                         {"input": 10, "output": 5})
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
                               ({"provider": 3}, "option 'provider'"), ({"unknown": "no"}, "option 'unknown'")):
            with self.subTest(**options):
                text = error_of(self.db, "SELECT llm_cost('gpt-4o', ?, ?)", json.dumps(one), json.dumps(options))
                self.assertIn(words, text)
        for sql in ("llm_price('gpt-4o', 'input', '{\"api\":\"chat\"}')", "llm_price('gpt-4o', 'input', '{\"cached\":3}')",
                    "llm_usage('{}', '{\"at\":3}')"):
            with self.subTest(sql=sql):
                self.assertIn("unknown option", error_of(self.db, "SELECT " + sql))

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
                (model(prices={"input_mtok": 1, "sound_hours": 1}), "sound_hours", "m", 1)):
            with self.subTest(left_out=left_out):
                db = connect(":memory:")
                self.assertIn(left_out, str(json.loads(value(db, "SELECT llm_prices_import(?)", data))["left_out"]))
                self.assertEqual(price(db, name), want)
        for data in (model(prices=[{"constraint": {"weekday": 1}, "prices": {"input_mtok": 1}}]),
                     model(prices={"input_mtok": -1})):
            with self.subTest(refused=data):
                self.assertIn("no price", error_of(self.db, "SELECT llm_prices_import(?)", data))

    def test_a_model_billed_by_the_second_is_not_free(self):
        data = {"whisper-x": {"litellm_provider": "openai", "input_cost_per_token": 0, "output_cost_per_token": 0,
                              "input_cost_per_second": 0.0001},
                "m": {"litellm_provider": "openai", "input_cost_per_token": 1e-6}}
        value(self.db, "SELECT llm_prices_import(?)", json.dumps(data))
        self.assertIsNone(price(self.db, "whisper-x"))
        self.assertEqual(price(self.db, "m"), 1)


class Ledger(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.standin = Standin()
        cls.standin.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.standin.__exit__()

    def setUp(self):
        self.tmp = TempDir()
        self.db = open_desk(os.path.join(self.tmp.name, "desk.db"), self.standin.url)

    def tearDown(self):
        self.db.close()
        self.tmp.cleanup()

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
