"""The catalogue looked at as a whole: what sellers' rows lack of their makers', and what no price list may say."""
import fnmatch
import json
import os
import re
import unittest
from collections import defaultdict

from harness import ROOT, SO, TempDir, connect, error_of, shell, value

AT = "2026-11-28"  # the day it is looked at
RETIRED = {"deepseek-chat": 1784908800000, "deepseek-reasoner": 1784908800000}  # names that nobody serves since (2026-07-24T16:00Z)
MAKERS = ("anthropic", "openai", "google", "x-ai")  # whose models others sell, but nobody else runs
# Prices of tokens; fees are no gap of a seller's: he may have no such tool.
TOKENS = re.compile(r"(input|output|cache_read|cache_write)(_1h|_audio|_image|_video)?$")


def read_tsv(path):
    with open(f"{ROOT}/{path}") as f:
        return [line.rstrip("\n").split("\t") for line in f if line.strip() and line[0] != "#"]


def meaning(model):
    """What a seller's name of a model means at its maker, dates and spelling aside; None for a variant of its own."""
    name = model.lower().lstrip("~").split("/")[-1]
    if ":" in re.sub(r"-v\d+:\d+$", "", name) or re.search("claude.*-fast$", name):
        return None
    name = re.sub(r"^((regional|global|us|eu|au|jp|apac)\.)?(anthropic\.|openai\.|xai\.)?", "", name)
    name = re.sub(r"-v\d+(:\d+)?$", "", name).replace(".", "-")
    name = re.sub(r"(-20\d{6}|-20\d\d-\d\d-\d\d|-latest|-0\d\d)$", "", name)
    name = re.sub(r"^claude-(\d)(-\d)?-(opus|sonnet|haiku)$", lambda m: f"claude-{m[3]}-{m[1]}{m[2] or ''}", name)
    return re.sub(r"(-\d)-0$", r"\1", name)


def matches(globs, text):
    return any(fnmatch.fnmatchcase(text.lower(), g.lower()) for g in globs.split())


class Catalogue(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.db = connect(":memory:")
        names = ("provider", "model", "names", "kind", "price", "from_", "to", "hours", "above", "service", "source", "checked")
        cls.rows = [dict(zip(names, row)) for row in cls.db.execute(
            "SELECT provider, model, names, kind, usd_per_million, valid_from, valid_to, hours, above_tokens, service, source,"
            " checked FROM llm_catalogue WHERE list = 'catalogue' AND usd_per_million IS NOT NULL")]
        cls.of = defaultdict(list)
        for row in cls.rows:
            cls.of[row["provider"], row["model"]].append(row)

    def price(self, provider, model, kind="input", **options):
        options = {"provider": provider, "at": AT, "list": "catalogue", "unknown": "null", **options}
        return value(self.db, "SELECT llm_price(?, ?, ?)", model, kind, json.dumps(options))

    def sold(self, provider, model):
        """What can be bought of a model beside input and output: kinds of tokens, a long-context tier, services, places."""
        at = value(self.db, "SELECT unixepoch(?) * 1000", AT)
        kinds = {r["kind"] for r in self.of.get((provider, model), ()) if r["service"] == "standard" and TOKENS.match(r["kind"])
                 and (r["from_"] or 0) <= at and (r["to"] is None or at < r["to"])}
        services = {r["service"] for r in self.rows if r["provider"] == provider} - {"standard"}
        found = {s for s in services if self.price(provider, model, **(
            {"geo": s[4:]} if s.startswith("geo:") else {"service": s})) is not None}
        base, long = self.price(provider, model), self.price(provider, model, input=900_000_000)
        return kinds | found | ({"long"} if base != long else set())

    # ---- sellers beside makers

    def pairs(self):
        """(seller, his model, maker, the maker's model) wherever a maker's model is sold by somebody else."""
        made = {}
        for provider, model in sorted(self.of, key=lambda key: len(key[1])):  # the family before its snapshots
            if provider in MAKERS and model[0] != "*" and meaning(model) and not (provider == "google" and "gemini" not in model):
                made.setdefault(meaning(model), (provider, model))
        found = [(provider, model, *made[meaning(model)]) for provider, model in self.of
                 if model[0] != "*" and meaning(model) in made and made[meaning(model)][0] != provider]
        own = {(seller, theirs) for seller, _, _, theirs in found}
        for seller, _, _, resells, *_ in read_tsv("sql/providers.tsv"):  # those who sell at the maker's own rows
            found += [(seller, model, maker, model) for maker, model in made.values()
                      if maker in resells.split() and (seller, model) not in own]
        return found

    def gaps(self):
        sold, found = {}, set()
        for seller, model, maker, theirs in self.pairs():
            if (maker, theirs) not in sold:
                sold[maker, theirs] = self.sold(maker, theirs)
            resold = set() if (seller, model) in self.of else {k for k in sold[maker, theirs] if TOKENS.match(k)}
            found |= {(seller, model, what) for what in sold[maker, theirs] - self.sold(seller, model) - resold}
        return found

    def test_what_sellers_lack_stands_on_the_list(self):
        self.assertGreater(len(self.pairs()), 350)
        listed, gaps = read_tsv("tests/gaps.tsv"), self.gaps()
        by_row = defaultdict(set)
        for gap in gaps:
            rows = [i for i, (seller, models, missing, _) in enumerate(listed)
                    if seller == gap[0] and gap[2] in missing.split() and matches(models, gap[1])]
            self.assertNotEqual(rows, [], f"{gap} is a gap that tests/gaps.tsv has not")
            for i in rows:
                by_row[i].add(gap)
        print(f"\n{len(gaps)} prices that sellers' rows lack of their makers':")
        for i, (seller, models, missing, reason) in enumerate(listed):
            print(f"{len(by_row[i]):4}  {seller}: {missing} of {models} ({reason})")
            self.assertTrue(reason)
            for what in missing.split():
                with self.subTest(seller=seller, what=what):
                    self.assertTrue(any(g[2] == what for g in by_row[i]), "no gap any more")
            for glob in models.split():
                with self.subTest(seller=seller, glob=glob):
                    self.assertTrue(any(matches(glob, g[1]) for g in by_row[i]), "no gap any more")

    def test_prices_sellers_charge(self):
        for model, kind, options, want in (
                ("us.anthropic.claude-opus-4-8", "cache_write_1h", {}, 11), ("anthropic/claude-fable-5.1", "cache_write_1h", {}, 20),
                ("anthropic/claude-fable-5.1", "cache_write_1h", {"provider": "openrouter"}, 20),
                ("claude-opus-4-8", "cache_write_1h", {"provider": "vertex"}, 10),
                ("anthropic.claude-3-7-sonnet-20250219-v1:0", "cache_write_1h", {"provider": "bedrock"}, None),
                ("openai.gpt-5.5", "input", {"provider": "bedrock", "input": 272000}, 5.5),
                ("openai.gpt-5.5", "input", {"provider": "bedrock", "input": 272001}, 11),
                ("openai.gpt-5.4", "output", {"provider": "bedrock", "input": 300000}, 24.75),
                ("openai.gpt-6-astra", "input", {"provider": "bedrock"}, 11), ("global.openai.gpt-6-astra", "input", {}, 10),
                ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "output", {"input": 200001}, 24.75),
                ("google/gemini-2.5-pro", "output", {"provider": "openrouter", "input": 200001}, 15),
                ("claude-haiku-4-5", "input", {"provider": "vertex", "geo": "eu"}, 1.1),
                ("claude-sonnet-4-5@20250929", "output", {"provider": "vertex", "geo": "us"}, 16.5),
                ("claude-sonnet-4@20250514", "input", {"provider": "vertex", "geo": "eu"}, None),  # before the endpoints differed
                ("gpt-5.6-luna", "input", {"provider": "azure", "geo": "eu"}, 0.22), ("gpt-6-astra", "input", {"provider": "azure", "geo": "eu"}, None),
                ("gpt-5.5", "input", {"geo": "eu"}, 5.5), ("claude-opus-4-8", "input", {"geo": "eu"}, None),
                ("gpt-5.6-sol", "input", {"provider": "azure", "service": "flex"}, 2), ("gpt-5.5", "input", {"provider": "azure", "service": "flex"}, None)):
            with self.subTest(model=model, kind=kind, **options):
                self.assertEqual(value(self.db, "SELECT llm_price(?, ?, ?)", model, kind, json.dumps({"unknown": "null", **options})), want)

    # ---- batches

    def test_what_is_sold_in_a_batch(self):
        for model, kind, options, want in (
                ("gpt-5.5", "input", {}, 2.5), ("gpt-5.5", "output", {"input": 300000}, 22.5), ("o1", "output", {}, 30),
                ("gpt-4o-2024-08-06", "cache_read", {}, 0.625), ("text-embedding-3-small", "input", {}, 0.01), ("gpt-6.2-sol", "input", {}, 1),
                ("gpt-5-codex", "input", {}, None), ("gpt-5.3-codex", "input", {}, None), ("gpt-5-chat-latest", "input", {}, None),
                ("gpt-realtime", "input", {}, None), ("gpt-4o-search-preview", "input", {}, None), ("gpt-5.6-cyber", "input", {}, None),
                ("gpt-7-sol", "input", {}, None), ("claude-opus-6", "input", {}, None), ("gemini-5-flash", "input", {}, None),
                ("claude-sonnet-5-5", "cache_read", {}, 0.05), ("claude-opus-4-6-fast", "input", {}, None), ("claude-mythos-preview", "input", {}, None),
                ("gemini-2.5-pro", "input", {"input": 200001}, 1.25), ("gemini-2.5-pro", "cache_read", {"input": 200001}, 0.25),
                ("gemini-2.5-flash", "cache_read", {}, 0.03), ("gemini-2.5-flash", "input_audio", {}, 0.5), ("gemini-3.5-flash-lite", "cache_read", {}, 0.02),
                ("gemini-live-2.5-flash", "input", {}, None), ("mistral-large-2512", "input", {}, 0.25), ("mistral-small:free", "input", {}, None),
                ("voyage-3.5", "input", {}, 0.0402), ("grok-4.3", "input", {}, None), ("deepseek-chat", "input", {}, None),
                ("llama-3.3-70b-versatile", "input", {"provider": "groq"}, 0.295), ("gemma2-9b-it", "input", {"provider": "groq"}, None),
                ("gpt-4.1", "input", {"provider": "azure"}, 1), ("gpt-5.5", "input", {"provider": "azure"}, None),
                ("us.anthropic.claude-haiku-4-5-20251001-v1:0", "input", {}, 0.55), ("us.anthropic.claude-opus-5", "input", {}, None),
                ("ft:gpt-4o:org::id", "output", {}, 12.5), ("ft:gpt-4o-mini:org::id", "input", {}, None)):
            with self.subTest(model=model, kind=kind, **options):
                options = {"unknown": "null", "service": "batch", "at": AT, **options}
                self.assertEqual(value(self.db, "SELECT llm_price(?, ?, ?)", model, kind, json.dumps(options)), want)

    # ---- makers

    def test_makers_and_sellers_are_known(self):
        for word in ("z-ai", "z.ai", "zhipu", "bigmodel", "alibaba", "dashscope", "alibaba-cloud", "aliyun", "bailian", "deepinfra",
                     "nebius", "sambanova", "hyperbolic", "nscale", "chutes", "parasail", "friendli", "lambda", "replicate", "vercel",
                     "siliconflow", "volcengine", "bytedance", "tencent", "baidu", "xiaomi", "mimo", "nvidia", "databricks", "snowflake",
                     "upstage", "ai21", "reka", "inception", "stepfun", "watsonx", "oci", "scaleway", "featherless", "venice", "jina", "kimi",
                     "minimaxi", "wandb", "github_models", "DeepInfra", "nebius-ai-studio", "together.ai", "fireworks-ai", "novita-ai",
                     "huggingface", "hf", "grok", "claude", "tongyi", "workers-ai", "modelscope", "opencode", "sarvam", "lambda_ai"):
            with self.subTest(word=word):
                text = error_of(self.db, "SELECT llm_cost('no-such-model', 1, 1, ?)", json.dumps({"provider": word}))
                self.assertIn("of provider", text)
                self.assertNotIn("nobody is known", text)
        for provider, *_ in read_tsv("sql/providers.tsv"):  # none was left out for want of room
            self.assertIn(f"of provider '{provider}'", error_of(self.db, "SELECT llm_cost('no-such-model', 1, 1, ?)", json.dumps({"provider": provider})))
        usage = json.dumps({"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16, "prompt_tokens_details": {"cached_tokens": 4}})
        for word in ("deepinfra", "alibaba", "xiaomi", "nebius"):
            self.assertEqual(json.loads(value(self.db, "SELECT llm_usage(?, ?)", usage, json.dumps({"provider": word}))),
                             {"input": 11, "cache_read": 4, "output": 5})

    def test_a_makers_name_is_found_at_the_maker(self):
        """Priced there or not at all: never at somebody who resells it under that name."""
        for model, want in (
                ("qwen3.6-plus", 0.5), ("qwen3.7-plus", 0.4), ("qwen3.7-max", 2.5), ("qwen3.7-flash", 0.03), ("qwen3.8-max", 2), ("qwen-max", 1.6),
                ("qwen-turbo", 0.05), ("qwen-plus", 0.4), ("qwq-plus", 0.8), ("qvq-max", None), ("qwen3.9-plus", None), ("qwen3.8-flash", 0.15),
                ("mimo-v2.5", 0.14), ("mimo-v3", None), ("hy3", 0.132), ("muse-spark-1.2", 1.25), ("muse-glimmer-30b", None),
                ("nemotron-3.5-lightning", None), ("dashscope/qwen-plus", 0.4), ("xiaomi/mimo-v2.5-pro", 0.435), ("jamba-large", None),
                ("ernie-5.0", None), ("doubao-seed-1-6", None), ("step-3.5-flash", None), ("solar-pro3", None), ("mercury-2", None)):
            with self.subTest(model=model):
                shop = "alibaba/" if model[0] == "q" else ""  # (he has two, with prices of their own)
                self.assertEqual(value(self.db, "SELECT llm_price(?, 'input', '{\"unknown\":\"null\"}')", shop + model), want)
        for model, tokens, want in (("qwen3-coder-plus", 32000, 1), ("qwen3-coder-plus", 32001, 1.8), ("qwen3-coder-plus", 128001, 3),
                                    ("qwen3-coder-plus", 256001, 6), ("qwen3.6-plus", 256000, 0.5), ("qwen3.6-plus", 256001, 2),
                                    ("qwen3-max", 32001, 2.4), ("qwen3-max", 200000, 3)):
            with self.subTest(model=model, tokens=tokens):
                self.assertEqual(self.price("alibaba", model, input=tokens), want)

    def test_models_of_today(self):
        for model, at, want in (
                ("gpt-5.6-cyber", AT, [12.5, 1.25, 75]), ("kimi-k3.1-pro", AT, [2, 0.2, 10]), ("kimi-k3.1-pro-highspeed", AT, [4, 0.2, 20]),
                ("MiniMax-M3.1-Flash", AT, [0.15, 0.015, 0.6]), ("mistral-small-latest", AT, [0.15, 0.015, 0.6]),
                ("mistral-large-4", "2026-10-10", [0.68, 0.68, 2.09]), ("mistral-large-4-0", "2026-10-20", [1.36, 1.36, 4.18]),
                ("mistral-large-4", "2026-10-01", [None] * 3), ("grok-4.5", AT, [2, 0.3, 6])):
            with self.subTest(model=model, at=at):
                options = json.dumps({"at": at, "unknown": "null"})
                self.assertEqual([value(self.db, "SELECT llm_price(?, ?, ?)", model, k, options) for k in ("input", "cache_read", "output")], want)
        writes = [value(self.db, "SELECT llm_price(?, ?)", "kimi-k3.1-pro", k) for k in ("cache_write", "cache_write_1h")]
        self.assertEqual(writes + [value(self.db, "SELECT llm_price('kimi-k3.1-pro-highspeed', 'cache_write_1h')")], [2, 4, 8])

    # ---- what no price list may say

    # (provider, model, what) and why it is so all the same.
    ODD = {
        ("cloudflare", "@cf/meta/llama-guard-3-8b", "output"): "a guard answers in one word",
        ("openai", "gpt-5-image-mini", "output"): "text beside an image, which has a price of its own",
        ("openrouter", "openai/gpt-5-image-mini", "output"): "text beside an image",
        ("minimax", "MiniMax-M2.1-highspeed", "cache_write"): "MiniMax's page has one price of writes for both speeds",
        ("minimax", "MiniMax-M2.5-highspeed", "cache_write"): "the same",
        ("minimax", "MiniMax-M2.7-highspeed", "cache_write"): "the same",
    }
    # Claude's reads where they are not a tenth of the input (GitHub did not follow), and claude-3-haiku's rounded prices.
    CLAUDE = {"cache_write": (1.25, {"3-haiku": 1.2}), "cache_write_1h": (2, {}),
              "cache_read": (0.1, {"github-copilot claude-fable-5-1": 0.1, "3-haiku": 0.12, "fable-5-1": 0.025, "fable-5-2": 0.025, "mythos-5-1": 0.025, "opus-5-5": 0.05,
                                   "sonnet-5-5": (0.1, 0.05), "opus-latest": (0.1, 0.05)})}

    def blocks(self):
        """The prices of one model, service, time and tier: {(provider, model, service, from, hours, above): {kind: price}}."""
        found = defaultdict(dict)
        for r in self.rows:
            if r["kind"] != "factor" and r["model"][0] != "*":
                found[tuple(r[k] for k in ("provider", "model", "service", "from_", "hours", "above"))][r["kind"]] = r["price"]
        return found

    def test_prices_beside_each_other(self):
        odd = set()
        for key, price in self.blocks().items():
            given, left_at = price.get("input"), key[:2]
            if given is None:
                continue
            wrong = {"output": price.get("output", given) < given, "cache_read": price.get("cache_read", 0) > given,
                     "cache_write": price.get("cache_write", given) < given,
                     "cache_write_1h": price.get("cache_write_1h", 1e9) < price.get("cache_write", given)}
            odd |= {(*left_at, what) for what, is_wrong in wrong.items() if is_wrong}
        self.assertEqual(odd, set(self.ODD))

    def test_long_requests_are_not_cheaper(self):
        blocks = self.blocks()
        for key, price in blocks.items():
            base = blocks.get((*key[:5], 0), {}) if key[5] else {}
            for kind in price.keys() & base.keys():
                self.assertGreaterEqual(price[kind], base[kind], (key, kind))

    def test_claudes_ratios(self):
        seen = 0
        for key, price in self.blocks().items():
            if "claude" not in key[1] or not price.get("input"):
                continue
            name = f"{key[0]} {key[1]}".replace(".", "-")
            for kind, (usual, others) in self.CLAUDE.items():
                wants = next((w for part, w in others.items() if part in name), usual)
                if kind in price:
                    seen += 1
                    ratio = price[kind] / price["input"]
                    self.assertTrue(any(abs(ratio - w) < 1e-9 for w in (wants if isinstance(wants, tuple) else (wants,))), (key, kind, ratio))
        self.assertGreater(seen, 250)

    def test_services_beside_the_standard_one(self):
        dearer = {"priority": True, "fast": True, "batch": False, "flex": False}
        seen = 0
        sellers = {(p, m) for p, m in self.of if m[0] != "*"} | {(seller, model) for seller, model, *_ in self.pairs()}
        for provider, model in sellers:
            for kind in ("input", "output"):
                base = self.price(provider, model, kind)
                for service, is_dearer in dearer.items() if base else ():
                    price = self.price(provider, model, kind, service=service)
                    if price is not None:
                        seen += 1
                        with self.subTest(provider=provider, model=model, kind=kind, service=service):
                            self.assertGreater(price, 0)
                            (self.assertGreater if is_dearer else self.assertLess)(price, base)
                for geo in ("us", "eu", "regional") if base else ():
                    price = self.price(provider, model, kind, geo=geo)
                    if price is not None:
                        self.assertGreater(price, base)
        self.assertGreater(seen, 400)

    def test_every_row_has_a_source_and_a_day(self):
        self.assertEqual([r for r in self.rows if not r["source"] or not re.fullmatch(r"20\d\d-\d\d-\d\d", r["checked"] or "")], [])
        with open(f"{ROOT}/sql/prices_more.tsv") as f:  # what is longer would be cut off
            self.assertEqual([line for line in f if line.startswith("@source") and len(line.split("\t")[1].encode()) > 255], [])

    def test_an_end_has_a_successor(self):
        for (provider, model), rows in self.of.items():
            for r in rows:
                if r["to"] is not None and r["to"] != RETIRED.get(model):
                    self.assertTrue(any(x["from_"] == r["to"] and x["service"] == r["service"] for x in rows), (provider, model, r))

    def test_no_row_is_of_a_model_that_is_not_there(self):
        resells = {seller: r.split() for seller, _, _, r, *_ in read_tsv("sql/providers.tsv")}
        for (provider, model), rows in self.of.items():
            of = {provider, *resells.get(provider, [])}
            known = [m for p, m in self.of if p in of and m[0] != "*" and any(r["service"] == "standard" for r in self.of[p, m])]
            if model[0] != "*":
                with self.subTest(provider=provider, model=model):
                    self.assertIn(model, known)
                continue
            for glob in rows[0]["names"].split():
                with self.subTest(provider=provider, model=model, glob=glob):
                    self.assertTrue(any(matches(glob, m) for m in known) or self.price(provider, glob) is not None
                                    or any(matches(glob, n) for p, m in self.of if p in of for n in self.of[p, m][0]["names"].split()))

    def test_batches_name_their_models(self):
        """No GLOB with an open end says what is sold in a batch: tomorrow's model may not be."""
        for r in self.rows:
            if r["service"] == "batch" and r["kind"] == "factor":
                self.assertNotIn("*", r["names"] or "")


class Note(unittest.TestCase):
    """The prices of a well-known cost table, as a list of their own."""

    def test_the_list(self):
        haiku = "SELECT llm_cost('claude-haiku-4-5', 1000000, 1000000%s)"
        with TempDir() as tmp:
            db = connect(f"{tmp}/n.db")
            self.assertEqual(value(db, haiku % ""), 6)
            value(db, "SELECT llm_prices_import(?)", '{"m":{"litellm_provider":"openai","input_cost_per_token":1e-6}}')
            with open(f"{ROOT}/examples/note_prices.sql") as f:
                script = f".load {SO}\n" + f.read()
            for _ in range(2):  # again: replaced, not doubled
                self.assertEqual(shell(f"{tmp}/n.db", script).stderr, "")
            self.assertEqual(db.execute("SELECT list, count(*) FROM llm_prices GROUP BY 1").fetchall(), [("litellm", 1), ("note", 12)])
            self.assertEqual(value(db, haiku % ", '{\"list\":\"note\"}'"), 4.8)
            self.assertEqual(value(db, haiku % ", '{\"list\":\"catalogue\"}'"), 6)
            for model, provider, want in (
                    ("gpt-4o", None, [2.5, 10]), ("gpt-4o-mini", None, [0.15, 0.6]), ("claude-sonnet-4-6", None, [3, 15]),
                    ("mistral-large-2512", "mistral", [2, 6]), ("llama-4-maverick", "self-hosted", [0.3, 0.3]),
                    ("llama-4-maverick", "vllm", [0.3, 0.3]), ("llama-4-maverick", "ollama", [0.3, 0.3])):
                with self.subTest(model=model, provider=provider):
                    options = json.dumps({"list": "note", "provider": provider})
                    self.assertEqual([value(db, "SELECT llm_price(?, ?, ?)", model, k, options) for k in ("input", "output")], want)
            db.execute("DELETE FROM llm_prices WHERE list = 'note'")
            self.assertEqual(value(db, haiku % ""), 6)
            db.close()


if __name__ == "__main__":
    unittest.main()
