"""Prices beside other people's numbers: 36 worked cases, real answers of 22 providers, genai-prices itself."""
import json
import glob
import os
import random
import re
import sqlite3
import subprocess
import unittest
from decimal import Decimal

from harness import clean_env, ROOT, SHARED, SO, Desk, TempDir, connect, error_of, npm_package, open_desk, setup_sql, shell, value

M = 1_000_000

# The worked cases: number, what goes wrong elsewhere, SQL, dollars. Money is compared as the exact REAL.
CASES = [
    (1, "OpenAI's cached tokens are inside the prompt", "llm_cost('gpt-4o', '{\"prompt_tokens\":2006,\"completion_tokens\":300,\"prompt_tokens_details\":{\"cached_tokens\":1920}}')", "0.005615"),
    (2, "the same, mini", "llm_cost('gpt-4o-mini', 2006, 300, '{\"cached\":1920}')", "0.0003369"),
    (3, "the same, gpt-5-mini", "llm_cost('gpt-5-mini', 2746, 197, '{\"cached\":2208}')", "0.0005837"),
    (4, "Gemini's cached tokens", "llm_cost('gemini-3-flash', '{\"promptTokenCount\":20212,\"cachedContentTokenCount\":16298,\"candidatesTokenCount\":931}')", "0.0055649"),
    (5, "Gemini's thoughts are output", "llm_cost('gemini-3-pro-preview', '{\"promptTokenCount\":324,\"candidatesTokenCount\":1364,\"thoughtsTokenCount\":495,\"totalTokenCount\":2183}')", "0.022956"),
    (6, "Anthropic's writes stand beside the input", "llm_cost('claude-sonnet-4-6', '{\"input_tokens\":15460,\"output_tokens\":10370,\"cache_creation_input_tokens\":19810}')", "0.2762175"),
    (7, "1-hour writes", "llm_cost('claude-opus-5', '{\"input_tokens\":0,\"output_tokens\":0,\"cache_creation_input_tokens\":344139,\"cache_creation\":{\"ephemeral_5m_input_tokens\":0,\"ephemeral_1h_input_tokens\":344139}}')", "3.44139"),
    (8, "both lifetimes", "llm_cost('claude-opus-4-8', '{\"input_tokens\":0,\"output_tokens\":0,\"cache_creation_input_tokens\":1000000,\"cache_creation\":{\"ephemeral_5m_input_tokens\":600000,\"ephemeral_1h_input_tokens\":400000}}')", "7.75"),
    (9, "1-hour writes at $3 of input", "llm_cost('claude-sonnet-4-6', 1000000, 0, '{\"cache_write_1h\":1000000}')", "6"),
    (10, "at a tier's threshold", "llm_cost('claude-sonnet-4-5', 200000, 0)", "0.6"),
    (11, "one above it: all tokens", "llm_cost('claude-sonnet-4-5', 200001, 0)", "1.200006"),
    (12, "the output's tier follows the input", "llm_cost('claude-sonnet-4-5', 300000, 100000)", "4.05"),
    (13, "writes in a tier", "llm_cost('claude-sonnet-4-5', 300000, 0, '{\"cache_write\":100000,\"cache_write_1h\":100000}')", "2.55"),
    (14, "a tier is chosen per request, not on the sum", "(SELECT round(sum(llm_cost('claude-sonnet-4-5', 100000, 0)), 9) FROM (SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3))", "0.9"),
    (15, "the last day of a tier", "llm_cost('claude-sonnet-4-6', 300000, 10000, '{\"at\":\"2026-03-12\"}')", "2.025"),
    (16, "the first without", "llm_cost('claude-sonnet-4-6', 300000, 10000, '{\"at\":\"2026-03-13T00:00:00Z\"}')", "1.05"),
    (17, "Sonnet 5 to 2026-08-31", "llm_cost('claude-sonnet-5', 1000000, 1000000, '{\"at\":\"2026-08-31T23:59:59Z\"}')", "12"),
    (18, "tier, write and read", "llm_cost('gpt-5.6-luna', 272001, 1000, '{\"cache_write\":100000,\"cached\":50000,\"at\":\"2026-07-29\"}')", "0.513002"),
    (19, "below it, a day later", "llm_cost('gpt-5.6-luna', 272000, 1000, '{\"cache_write\":100000,\"cached\":50000,\"at\":\"2026-07-30\"}')", "0.0516"),
    (20, "a written token is not input too (before the cut of 2026-08-21)", "llm_cost('gpt-5.6-sol', 12317, 5, '{\"cache_write\":12314,\"at\":\"2026-07-29\"}')", "0.0771275"),
    (21, "off-peak (the discount ended on 2025-09-05)", "llm_cost('deepseek-reasoner', 1000000, 1000000, '{\"at\":\"2025-06-01T00:29:59Z\"}')", "0.685"),
    (21, "peak", "llm_cost('deepseek-reasoner', 1000000, 1000000, '{\"at\":\"2025-06-01T00:30:00Z\"}')", "2.74"),
    (21, "off-peak again", "llm_cost('deepseek-reasoner', 1000000, 1000000, '{\"at\":\"2025-06-01T16:30:00Z\"}')", "0.685"),
    (22, "a fee per request", "llm_cost('sonar-pro', 1000, 1000)", "0.032"),
    (23, "reasoning, citations and searches", "llm_cost('sonar-deep-research', '{\"prompt_tokens\":1000,\"completion_tokens\":500,\"reasoning_tokens\":400,\"citation_tokens\":100,\"num_search_queries\":3}')", "0.0224"),
    (24, "web search", "llm_cost('claude-sonnet-4-6', '{\"input_tokens\":10809,\"output_tokens\":644,\"server_tool_use\":{\"web_search_requests\":1}}')", "0.052087"),
    (25, "a cost in ticks of 1e-10 dollars", "llm_usage('{\"prompt_tokens\":1,\"completion_tokens\":1,\"cost_in_usd_ticks\":49100000}') ->> 'reported_usd'", "0.00491"),
    (26, "the highest tier crossed", "llm_cost('two-tiers', 150000, 0)", "1.35"),
    (27, "a batch above a threshold", "llm_cost('gpt-5.6-luna', 300000, 1000, '{\"service\":\"batch\"}')", "0.0609"),
    (28, "standard", "llm_cost('claude-opus-4-8', 10000, 1000)", "0.075"),
    (28, "US residency", "llm_cost('claude-opus-4-8', '{\"input_tokens\":10000,\"output_tokens\":1000,\"inference_geo\":\"us\"}')", "0.0825"),
    (28, "fast", "llm_cost('claude-opus-4-8', '{\"input_tokens\":10000,\"output_tokens\":1000,\"speed\":\"fast\"}')", "0.15"),
    (28, "batch", "llm_cost('claude-opus-4-8', '{\"input_tokens\":10000,\"output_tokens\":1000,\"service_tier\":\"batch\"}')", "0.0375"),
    # The source gives the first attempt and both totals to four digits; 135 tokens of output are what they imply.
    (29, "each attempt of a fallback at its own model's price", "round(llm_cost('claude-opus-4-8', '{\"input_tokens\":0,\"output_tokens\":135,\"iterations\":[{\"type\":\"message\",\"model\":\"claude-fable-5\",\"input_tokens\":0,\"output_tokens\":299,\"cache_read_input_tokens\":560186},{\"type\":\"fallback_message\",\"model\":\"claude-opus-4-8\",\"input_tokens\":0,\"output_tokens\":135,\"cache_read_input_tokens\":560186}]}'), 4)", "0.8586"),
    (30, "a stream's snapshots: the last one counts", "llm_usage('[{\"usage\":{\"input_tokens\":5,\"output_tokens\":9}},{\"usage\":{\"output_tokens\":9}},{\"usage\":{\"output_tokens\":159}}]') ->> 'output'", "159"),
    (31, "a message logged 14 times", "llm_usage((SELECT json_group_array(json('{\"id\":\"msg\",\"usage\":{\"input_tokens\":175202,\"output_tokens\":0}}')) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 14) SELECT i FROM n))) ->> 'input'", "175202"),
    (32, "explicit zeros are zero", "llm_cost('gpt-4o', '{\"prompt_tokens\":0,\"completion_tokens\":0}')", "0"),
    (34, "an image among the output", "llm_cost('gemini-2.5-flash-image', '{\"promptTokenCount\":0,\"candidatesTokenCount\":1780,\"thoughtsTokenCount\":529,\"candidatesTokensDetails\":[{\"modality\":\"IMAGE\",\"tokenCount\":1120}]}')", "0.0365725"),
    # (The issue it comes from expected 0.1849: it left the tier above 200,000 tokens out.)
    (35, "tier with a cheap cache", "llm_cost('gemini-2.5-pro', 262960, 1744, '{\"cached\":257955}')", "0.10316125"),
    (36, "completed lines of an expired batch", "llm_cost('mocked', 9, 12, '{\"service\":\"batch\"}')", "0.07125"),
]
# What cases 26 and 36 bring themselves.
OVERRIDES = """INSERT INTO llm_prices(model, kind, usd_per_million, above_tokens, service) VALUES
  ('two-tiers', 'input', 3, 0, NULL), ('two-tiers', 'input', 6, 90000, NULL), ('two-tiers', 'input', 9, 128000, NULL),
  ('two-tiers', 'output', 1, 0, NULL), ('mocked', 'input', 2500, 0, NULL), ('mocked', 'output', 10000, 0, NULL),
  ('mocked', 'factor', 0.5, 0, 'batch')"""

COUNTERS = {"requests": "request", "web_searches": "web_search"}
USAGE_KEY = re.compile(r"(cache|input|output)_(?:(text|audio|image|video)_)?(?:(read|write|tool|reasoning|citation)_)?"
                       r"(?:(5m|1h)_)?tokens")


def our_unit(key):
    """Our word for a usage key of genai-prices."""
    if key in COUNTERS:
        return COUNTERS[key]
    side, modality, kind, ttl = USAGE_KEY.fullmatch(key).groups()
    base = f"cache_{kind}" + (f"_{ttl}" if ttl else "") if side == "cache" else \
        "input_tool" if kind == "tool" else kind or side
    return base + (f"_{modality}" if modality else "")


class WorkedCases(unittest.TestCase):
    def setUp(self):
        self.db = connect(":memory:")
        self.db.execute("SELECT llm_init()").fetchall()
        self.db.execute(OVERRIDES)

    def test_all(self):
        numbers = {33}
        for number, name, sql, dollars in CASES:
            numbers.add(number)
            with self.subTest(number=number, name=name):
                self.assertEqual(float(value(self.db, "SELECT " + sql)), float(dollars))
        self.assertEqual(numbers, set(range(1, 37)))

    def test_33_more_cached_than_there_was(self):
        text = error_of(self.db, "SELECT llm_cost('gpt-4o', 1, 0, '{\"cached\":2}')")
        self.assertIn("more cached", text)

    def test_17_whose_source_was_overtaken(self):
        """The case says 18.00 from 2026-09-01, as announced. The rise was cancelled: the market's price stayed."""
        at = '{"at":"2026-09-01","list":"%s"}'
        sql = "SELECT llm_cost('claude-sonnet-5', 1000000, 1000000, ?)"
        self.assertEqual(value(self.db, sql, at % "catalogue"), 12)
        path = f"{SHARED}/data/prices/genai-prices-v2.json"
        if not os.path.exists(path):
            self.skipTest("no ../shared")
        value(self.db, "SELECT llm_prices_import(?)", path)
        self.assertEqual(value(self.db, sql, at % "genai-prices"), 18)


class RealAnswers(unittest.TestCase):
    """1,577 answers of real providers, each read by every provider's rules (usages.json of genai-prices), priced from
    its data of the same day."""

    # Where we differ, and why.
    EXTRACTIONS = {
        # Azure reports cache writes like OpenAI; genai-prices has read them since its 0.1.
        ("azure", "chat"): 6, ("azure", "responses"): 7}
    PRICES = {
        # The same written tokens, at their own price. (The answers' own upstream cost says so too.)
        ("azure", "chat", "gpt-5.6-sol"): 1, ("azure", "responses", "gpt-5.6-sol"): 2,
        # Answered as flex traffic, which this list has no prices for: unknown, not the standard price.
        ("google", "default", "gemini-3-flash-preview"): 1,
        # Its list for Google has Sonnet 4 only and takes 4.5 for it; Anthropic's own 4.5 has a tier above 200,000.
        ("google", "anthropic", "claude-sonnet-4-5-20250929"): 2,
        # Weights that DeepSeek does not sell, taken for its own model.
        ("deepseek", "chat", "deepseek-r1-distill-llama-70b"): 2,
        # A variant that OpenRouter gives away, said to be Google's: no price there, not the one of the model it is of.
        ("google", "chat", "google/gemini-2.0-flash-exp:free"): 1}

    @classmethod
    def setUpClass(cls):
        folder = f"{SHARED}/data/prices"
        if not os.path.exists(f"{folder}/usages.json"):
            raise unittest.SkipTest("no ../shared")
        with open(f"{folder}/usages.json") as f:
            cls.answers = json.load(f)
        cls.db = connect(":memory:")
        value(cls.db, "SELECT llm_prices_import(?)", f"{folder}/genai-prices-v2.json")

    @classmethod
    def cases(cls):
        for answer in cls.answers:
            body = json.dumps(answer["body"])
            for group in answer["extracted"]:
                want = {our_unit(k): v for k, v in group["usage"].items() if v}
                for case in group["extractors"]:
                    options = json.dumps({"provider": case["provider_id"], "api": case["api_flavor"],
                                          "list": "genai-prices", "at": "2025-11-06T12:00:00Z",
                                          "unknown": "null"})
                    yield answer.get("model"), body, options, want, case

    def run_all(self, cases, *columns):
        """The values of the columns, a row per case, in one statement."""
        self.db.execute("CREATE TEMP TABLE IF NOT EXISTS cases(model, body, options)")
        self.db.execute("DELETE FROM cases")
        self.db.execute("BEGIN")
        self.db.executemany("INSERT INTO cases VALUES (?, ?, ?)", [c[:3] for c in cases])
        self.db.execute("COMMIT")
        return self.db.execute(f"SELECT {', '.join(columns)} FROM cases ORDER BY rowid").fetchall()

    def test_extractions(self):
        cases, differ = list(self.cases()), {}
        self.assertEqual(len(cases), 19321)
        for (_, _, _, want, case), (got,) in zip(cases, self.run_all(cases, "llm_usage(body, json_remove(options, '$.list', '$.at', '$.unknown'))")):
            got = {k: v for k, v in json.loads(got or "{}").items() if v and k not in ("service", "geo", "reported_usd")}
            if got != want:
                key = (case["provider_id"], case["api_flavor"])
                differ[key] = differ.get(key, 0) + 1
        self.assertEqual(differ, self.EXTRACTIONS)

    def test_prices(self):
        cases, differ = [c for c in self.cases() if "input_price" in c[4]], {}
        self.assertEqual(len(cases), 3474)
        rows = self.run_all(cases, "llm_cost_explain(model, body, options)", "llm_cost(model, body, options)")
        for (model, _, _, _, case), (text, cost) in zip(cases, rows):
            got = json.loads(text, parse_float=Decimal, parse_int=Decimal)
            want = [Decimal(case["input_price"]), Decimal(case["output_price"])]
            want.append(Decimal(case["total_price"]) if "total_price" in case else sum(want))
            if [got.get(k) for k in ("input_usd", "output_usd", "total_usd")] != want or cost != float(want[2]):
                key = (case["provider_id"], case["api_flavor"], model)
                differ[key] = differ.get(key, 0) + 1
        self.assertEqual(differ, self.PRICES)


# Reads {usage, model, provider, at} a line, prints genai-prices' total a line, or null.
NODE = """
import { calcPrice } from '@pydantic/genai-prices';
import readline from 'node:readline';
console.warn = () => {};
for await (const line of readline.createInterface({ input: process.stdin })) {
  const { usage, model, provider, at } = JSON.parse(line);
  let price = null;
  try {
    price = calcPrice(usage, model, { providerId: provider, timestamp: new Date(at) })?.total_price ?? null;
  } catch (e) { price = 'error'; }
  console.log(JSON.stringify(price));
}
"""
DUMP = "import { waitForUpdate } from '@pydantic/genai-prices'; console.log(JSON.stringify(await waitForUpdate()));"
LEAVES = {
    "input": ["input_tokens"], "read": ["input_tokens", "cache_read_tokens"],
    "write": ["input_tokens", "cache_write_tokens"],
    "write_1h": ["input_tokens", "cache_write_tokens", "cache_write_1h_tokens"],
    "audio": ["input_tokens", "input_audio_tokens"],
    "audio_read": ["input_tokens", "input_audio_tokens", "cache_read_tokens", "cache_audio_read_tokens"],
    "image": ["input_tokens", "input_image_tokens"],
    "image_read": ["input_tokens", "input_image_tokens", "cache_read_tokens", "cache_image_read_tokens"],
    "output": ["output_tokens"], "reasoning": ["output_tokens", "output_reasoning_tokens"],
    "audio_out": ["output_tokens", "output_audio_tokens"], "image_out": ["output_tokens", "output_image_tokens"],
}


def random_usage(rng):
    """A usage of random leaves, with every count that contains or overlaps them."""
    usage = {k: 0 for units in LEAVES.values() for k in units}
    for leaf in ["input", "output"] + rng.sample(sorted(LEAVES), rng.randrange(5)):
        count = rng.choice([rng.randrange(50), rng.randrange(5000), rng.randrange(400_000)])
        for unit in LEAVES[leaf]:
            usage[unit] += count
    return usage


def names_of(match):
    if "or" in match:
        return [n for m in match["or"] for n in names_of(m)]
    return [match["equals"]] if "equals" in match else []


class BesideGenaiPrices(unittest.TestCase):
    """Random usages over all models, priced by npm @pydantic/genai-prices and by us from the same data."""
    SAMPLES = int(os.environ.get("SAMPLES", 100_000))

    @classmethod
    def setUpClass(cls):
        package = npm_package("@pydantic/genai-prices")
        if not package:
            raise unittest.SkipTest("no npm, or no @pydantic/genai-prices")
        cls.cwd = os.path.join(package, "../../..")

    def node(self, script, text=""):
        out = subprocess.run(["node", "--input-type=module", "-e", script], input=text, capture_output=True, text=True,
                             cwd=self.cwd, timeout=300)
        self.assertEqual(out.returncode, 0, out.stderr[-2000:])
        return out.stdout

    def random_cases(self, providers):
        rng = random.Random(4)
        models = [(p["id"], n, m["prices"]) for p in providers for m in p["models"]
                  for n in {m["id"], *names_of(m["match"])}]
        for _ in range(self.SAMPLES):
            provider, model, prices = rng.choice(models)
            at = rng.randrange(1_735_689_600, 1_798_761_600)  # 2025 and 2026
            yield {"usage": random_usage(rng), "model": model, "provider": provider, "at": at * 1000, "prices": prices}

    def ours(self, db, cases):
        """Our costs, and why there is none: in one statement over a table."""
        db.execute("CREATE TEMP TABLE cases(model, usage, options)")
        db.execute("BEGIN")
        for case in cases:
            usage = {our_unit(k): v for k, v in case["usage"].items()}
            options = {"provider": case["provider"], "at": case["at"], "list": "genai-prices", "unknown": "null"}
            db.execute("INSERT INTO cases VALUES (?, ?, ?)", (case["model"], json.dumps(usage), json.dumps(options)))
        db.execute("COMMIT")
        return db.execute("""SELECT cost, iif(cost IS NULL, llm_cost_explain(model, usage, options) ->> 'unpriced', NULL)
                             FROM (SELECT *, llm_cost(model, usage, options) AS cost FROM cases ORDER BY rowid)""").fetchall()

    def test_costs(self):
        data = self.node(DUMP)
        db = connect(":memory:")
        with TempDir() as tmp:
            with open(f"{tmp}/data.json", "w") as f:
                f.write(data)
            report = json.loads(value(db, "SELECT llm_prices_import(?)", f"{tmp}/data.json"))
        self.assertEqual(set(report["left_out"]), {"audio_hours", "input_audio_hours"})
        cases = list(self.random_cases(json.loads(data)))
        theirs = [json.loads(x) for x in self.node(NODE, "\n".join(map(json.dumps, cases))).splitlines()]
        priced, differ = 0, []
        for case, want, (got, why) in zip(cases, theirs, self.ours(db, cases), strict=True):
            if want is None or want == "error" or got is None and self.may_be_unknown(case["prices"], why):
                continue
            priced += 1
            if got is None or abs(got - want) > 1e-11 * max(abs(want), 1e-6):
                differ.append((case, want, got, why))
        self.assertEqual(differ[:3], [])
        self.assertGreater(priced, self.SAMPLES * 0.8)

    @staticmethod
    def may_be_unknown(prices, why):
        """What they count as 0: output of an embedding model, all of a model that is billed by the hour only."""
        blocks = [set(b["prices"]) for b in prices] if isinstance(prices, list) else [set(prices)]
        if why == "unknown model":
            return all(block and block <= {"audio_hours", "input_audio_hours"} for block in blocks)
        unpriced = {"no price for input": "input_mtok", "no price for output": "output_mtok",
                    "no price for cache_write_1h": "cache_write_1h_mtok"}.get(why)
        return unpriced is not None and any(unpriced not in block for block in blocks)


class Ledger(Desk):
    """What providers answer becomes units, a cost, or the reason why there is none."""

    def ask(self, scenario, model, prompt="What is your return policy?"):
        self.db.execute("UPDATE llm_models SET base_url = ?", (f"{self.standin.url}/s/{scenario}/v1",))
        value(self.db, "SELECT llm_complete(?, ?)", prompt, json.dumps({"model": model}))
        row = self.db.execute("SELECT cost_nusd, usage, error, input_tokens, output_tokens, cost_reported_nusd FROM llm_calls"
                              " ORDER BY id DESC LIMIT 1").fetchone()
        return row[0], json.loads(row[1]) if row[1] else None, *row[2:]

    def test_usage_prices_the_row_again(self):
        for scenario, model in (("ok", "gpt-4o-mini"), ("gpt-cached", "gpt-4o"), ("ok", "claude-haiku-4-5"),
                                ("reported-cost", "gpt-4o"), ("fallback", "claude-haiku-4-5")):
            cost, usage, error, *_ = self.ask(scenario, model, f"{scenario} {model}")
            with self.subTest(scenario=scenario, model=model):
                self.assertIsNone(error)
                again = value(self.db, "SELECT llm_cost(?, ?)", model, json.dumps(usage))
                self.assertEqual(round(again * 1e9), cost)
                self.assertEqual(len(usage.get("parts", [])), 2 if scenario == "fallback" else 0)

    def test_the_service_that_was_used_is_priced(self):
        cost, usage, error, tokens_in, tokens_out, _ = self.ask("service-tier", "gpt-4o-mini")
        self.assertEqual((usage["service"], error), ("priority", None))
        self.assertEqual(cost, round(tokens_in * 250 + tokens_out * 1000))

    def test_a_service_without_a_price_is_unknown_and_listed(self):
        cost, usage, error, *_ = self.ask("service-tier", "claude-haiku-4-5")
        self.assertIsNone(cost)
        self.assertEqual(usage["service"], "priority")
        self.assertIn("no price for this service ('priority')", error)
        self.assertEqual(self.db.execute("SELECT model, calls, error FROM llm_unpriced").fetchall(),
                         [(value(self.db, "SELECT model FROM llm_calls"), 1, error)])

    def test_attempts_at_their_own_models_price(self):
        cost, usage, error, tokens_in, tokens_out, _ = self.ask("fallback", "claude-haiku-4-5")
        own_in, own_out = tokens_in - 1000, tokens_out - 10
        self.assertIsNone(error)
        self.assertGreater(own_in, 0)
        self.assertEqual(cost, 1000 * 5000 + 10 * 25000 + own_in * 1000 + own_out * 5000)

    def test_reported_costs_and_their_drift(self):
        cost, *_, reported = self.ask("reported-cost", "gpt-4o")
        self.assertEqual(cost, reported)
        self.db.execute("INSERT INTO llm_prices(model, kind, usd_per_million) VALUES ('gpt-4o', 'factor', 0.5)")
        half, *_ = self.ask("reported-cost", "gpt-4o", "and another")
        row = self.db.execute("SELECT calls, cost_usd, reported_usd, drift_usd, drift_percent FROM llm_reported_costs").fetchone()
        self.assertEqual(row[0], 2)
        self.assertAlmostEqual(row[1], (cost + half) / 1e9)
        self.assertAlmostEqual(row[3], half / 1e9)
        self.assertAlmostEqual(row[4], round(100 * half / (cost + half), 3))

    def test_an_older_store_gets_the_column(self):
        self.ask("ok", "gpt-4o-mini")
        path = os.path.join(self.tmp.name, "desk.db")
        self.db.close()
        with sqlite3.connect(path + "-llmcost") as store:
            store.execute("DROP TABLE llm_marks")
            for view, in store.execute("SELECT name FROM sqlite_schema WHERE type = 'view'").fetchall():
                store.execute(f"DROP VIEW {view}")
            for view, group in (("by_model", "model"), ("by_tag", "tag"), ("by_user", "user")):
                store.execute(f"CREATE VIEW llm_cost_{view} AS SELECT {group}, count(*) AS calls FROM llm_calls GROUP BY 1")
            for index, in store.execute("SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'llm_calls' AND sql LIKE '%IS NOT NULL%'").fetchall():
                store.execute(f"DROP INDEX {index}")
            for table in ("sums", "sum_state", "sum_values", "invoices", "import_keys", "import_files", "uncounted"):
                store.execute(f"DROP TABLE llm_{table}")
            for column in ("usage", "ended", "provider_request_id", "service", "geo", "cache_write_long_tokens", "list_nusd", "source",
                           "billed", "answer_hash", "gate", "tier_drawn", "tier_served", "route_score", "route_version",
                           "escalated_from", "purpose", "notes", "held_nusd", "batch_id"):
                store.execute(f"ALTER TABLE llm_calls DROP COLUMN {column}")
            store.execute("UPDATE llm_meta SET value = 2 WHERE name = 'schema_version'")
            store.execute("PRAGMA user_version = 2")
        store.close()
        self.db = open_desk(path, self.standin.url)
        self.assertIn("llm_trust_store()", error_of(self.db, "SELECT count(*) FROM llm_calls"))
        value(self.db, "SELECT llm_trust_store()")
        self.assertEqual(self.db.execute("SELECT count(*), count(usage) FROM llm_calls").fetchone(), (1, 0))
        cost, usage, *_ = self.ask("ok", "gpt-4o-mini", "after")
        self.assertGreater(usage["input"], 0)
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_reported_costs"), 0)
        self.assertEqual(self.db.execute("SELECT errors, unpriced FROM llm_cost_by_tag").fetchall(), [(0, 0)])

    def test_examples(self):
        self.ask("ok", "gpt-4o-mini")
        self.ask("gpt-cached", "gpt-4o", "cached")
        path = os.path.join(self.tmp.name, "desk.db")
        home = os.path.join(self.tmp.name, "home")
        os.mkdir(home)
        os.symlink(f"{ROOT}/tests/data/imports/claude_code", f"{home}/.claude")
        os.symlink(f"{ROOT}/tests/data/imports/codex", f"{home}/.codex")
        self.standin.post("/standin/batch", {"polls": 0, "ms": 1})
        self.db.execute("UPDATE llm_models SET supports = json_set(supports, '$.dimensions', 64) WHERE name = 'text-embedding-3-small'")
        setup = "".join(f"{sql};\n" for sql in setup_sql(self.standin.url) if "llm_secret" in sql or "allow_host" in sql)
        for example in sorted(glob.glob(f"{ROOT}/examples/*.sql"), key=lambda path: ("nightly" in path or "corpus" in path, path)):
            with open(example) as f, self.subTest(example=os.path.basename(example)):
                where = f"{home}/usage.db" if "/my_" in example else path
                before = f".load {SO}\n.output /dev/null\n{setup}.output stdout\n" if "/my_" not in example else f".load {SO}\n"
                if "/why_" in example:
                    before += f".parameter set :exports '{ROOT}/tests/data/imports'\n"
                out = shell(where, before + f.read(), env=clean_env(HOME=home))
                self.assertEqual(out.stderr, "")
                if "/my_" in example:
                    self.assertEqual(out.stdout.splitlines()[0], "2")
                    self.assertEqual(len(out.stdout.splitlines()), 7 if "claude" in example else 6, out.stdout)
                if example.endswith("embed_corpus.sql"):
                    self.assertRegex(out.stdout, r"(?s)^1\n3\n3\n.*\ntext-embedding-3-small\|3\|2\.1e-07\|4\.2e-07\n$")
                if example.endswith("nightly.sql"):
                    self.assertIn("sent_by_batch = 0", out.stdout)
                if example.endswith("reprice.sql"):
                    lines = [line.split("|") for line in out.stdout.splitlines()]
                    paid = {x[0]: float(x[2]) for x in lines if len(x) == 7}
                    joined = {x[0]: float(x[2]) for x in lines if len(x) == 4}
                    self.assertEqual({x[-1] for x in lines if len(x) in (4, 7)}, {"0"})
                    self.assertEqual(len(paid), 2)
                    self.assertEqual(set(paid), set(joined))
                    for model, usd in paid.items():
                        self.assertAlmostEqual(joined[model], usd)


LITELLM = {
    "sample_spec": {"litellm_provider": "one of …", "input_cost_per_token": 1},
    "gpt-x": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1.5e-07, "output_cost_per_token": 6e-07,
              "cache_read_input_token_cost": 7.5e-08, "input_cost_per_token_above_272k_tokens": 3e-07,
              "input_cost_per_token_flex": 7.5e-08, "output_cost_per_token_flex": 3e-07,
              "input_cost_per_token_above_272k_tokens_priority": 9e-07, "input_cost_per_token_priority": 4e-07,
              "output_cost_per_token_priority": 1.2e-06, "input_cost_per_token_batches": 7.5e-08,
              "search_context_cost_per_query": {"search_context_size_low": 0.01, "search_context_size_medium": 0.01},
              "input_cost_per_second": 0.0001},
    "anthropic.claude-x": {"litellm_provider": "bedrock_converse", "input_cost_per_token": 3e-06,
                           "output_cost_per_token": 1.5e-05, "cache_creation_input_token_cost": 3.75e-06,
                           "cache_creation_input_token_cost_above_1hr": 6e-06},
    "dashscope/qwen-x": {"litellm_provider": "dashscope", "tiered_pricing": [
        {"range": [0, 32000], "input_cost_per_token": 1e-06, "output_cost_per_token": 2e-06},
        {"range": [32000, 128000], "input_cost_per_token": 4e-06, "output_cost_per_token": 8e-06}]},
}


class Lists(unittest.TestCase):
    def setUp(self):
        self.db = connect(":memory:")

    def price(self, model, kind, **options):
        return value(self.db, "SELECT llm_price(?, ?, ?)", model, kind, json.dumps(options))

    def test_litellm(self):
        report = json.loads(value(self.db, "SELECT llm_prices_import(?)", json.dumps(LITELLM)))
        self.assertEqual((report["list"], report["models"], report["left_out"]), ("litellm", 3, {"input_cost_per_second": 1}))
        cases = [
            (("gpt-x", "input"), {}, 0.15), (("gpt-x", "cache_read"), {}, 0.075), (("gpt-x", "input"), {"input": 272001}, 0.3),
            (("gpt-x", "output"), {"service": "flex"}, 0.3), (("gpt-x", "input"), {"service": "priority"}, 0.4),
            (("gpt-x", "input"), {"service": "priority", "input": 300000}, 0.9),
            (("gpt-x", "input"), {"service": "batch"}, 0.075), (("gpt-x", "web_search"), {}, 10000),
            (("openai/gpt-x", "input"), {}, 0.15),
            (("anthropic.claude-x", "cache_write_1h"), {"provider": "bedrock"}, 6),
            (("qwen-x", "output"), {"provider": "dashscope", "input": 32000}, 2),
            (("qwen-x", "output"), {"provider": "dashscope", "input": 32001}, 8),
            (("gpt-4o", "input"), {}, 2.5),  # not in the list: the catalogue's
        ]
        for (model, kind), options, want in cases:
            with self.subTest(model=model, kind=kind, **options):
                self.assertEqual(self.price(model, kind, **options), want)
        # again: the list is replaced, not doubled
        n = value(self.db, "SELECT count(*) FROM llm_prices")
        value(self.db, "SELECT llm_prices_import(?)", json.dumps(LITELLM))
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_prices"), n)

    def test_a_list_goes_before_the_catalogue_and_single_rows_before_both(self):
        data = [{"id": "openai", "name": "OpenAI", "api_pattern": "", "models": [
            {"id": "gpt-4o", "match": {"equals": "gpt-4o"}, "prices": [
                {"prices": {"input_mtok": 7, "output_mtok": {"base": 1, "tiers": [{"start": 100, "price": 2}]}}},
                {"constraint": {"start_date": "2026-02-01"}, "prices": {"input_mtok": 8, "output_mtok": 9}},
                {"constraint": {"start_time": "10:00:00Z", "end_time": "12:00:00Z"}, "prices": {"input_mtok": 5, "output_mtok": 6}},
            ]}]}]
        report = json.loads(value(self.db, "SELECT llm_prices_import(?)", json.dumps(data)))
        self.assertEqual((report["list"], report["prices"]), ("genai-prices", 9))
        self.assertEqual(self.price("gpt-4o", "input", at="2026-01-31"), 7)
        self.assertEqual(self.price("gpt-4o", "output", at="2026-01-31", input=101), 2)
        self.assertEqual(self.price("gpt-4o", "input", at="2026-02-01"), 8)
        self.assertEqual(self.price("gpt-4o", "input", at="2026-02-01T10:00:00Z"), 5)
        self.assertEqual(self.price("gpt-4o", "input", at="2026-02-01T12:00:00Z"), 8)
        self.assertEqual(self.price("gpt-4o", "cache_read", at="2026-02-01"), 8)  # the catalogue's does not leak in
        self.assertEqual(self.price("gpt-4o", "input", list="catalogue"), 2.5)
        self.assertEqual(self.price("gpt-4o", "input", at="2026-02-01", service="batch"), 4)  # its service, the list's price
        self.db.execute("INSERT INTO llm_prices(model, kind, usd_per_million) VALUES ('gpt-4o', 'input', 1)")
        self.assertEqual(self.price("gpt-4o", "input"), 1)
        self.assertEqual(self.price("gpt-4o", "output", at="2026-02-01"), 9)

    def test_files_that_are_none(self):
        with TempDir() as tmp:
            with open(f"{tmp}/bad.json", "wb") as f:
                f.write(b'{"gpt-x": {"litellm_provider"')
            for argument, words in ((f"{tmp}/none.json", "cannot open"), (f"{tmp}/bad.json", "not valid JSON"),
                                    ("{}", "neither"), ("[]", "neither"), ('{"a":1}', "neither"), (tmp, "cannot read"),
                                    ('{"m":{"litellm_provider":"x"}}', "no price"), ("", "cannot open")):
                with self.subTest(argument=argument):
                    self.assertIn(words, error_of(self.db, "SELECT llm_prices_import(?)", argument))
        self.assertIsNone(value(self.db, "SELECT llm_prices_import(NULL)"))
        tables = value(self.db, "SELECT count(*) FROM sqlite_schema")
        self.assertEqual(tables, 0)  # nothing was written

    def test_an_import_follows_the_transaction(self):
        value(self.db, "SELECT llm_init()")
        self.db.execute("BEGIN")
        value(self.db, "SELECT llm_prices_import(?)", json.dumps(LITELLM))
        self.assertEqual(self.price("gpt-x", "input"), 0.15)
        self.db.execute("ROLLBACK")
        self.assertIn("no price for model 'gpt-x'", error_of(self.db, "SELECT llm_price('gpt-x', 'input')"))

    def test_a_table_of_an_older_version(self):
        self.db.execute("CREATE TABLE llm_prices(model TEXT NOT NULL, kind TEXT NOT NULL, usd_per_million REAL NOT NULL,"
                        " valid_from TEXT, valid_to TEXT, above_tokens INTEGER NOT NULL DEFAULT 0)")
        self.db.execute("INSERT INTO llm_prices VALUES ('gpt-4o', 'input', 7, NULL, NULL, 0)")
        self.assertEqual(self.price("gpt-4o", "input"), 7)
        self.assertIn("added 7 columns to llm_prices", value(self.db, "SELECT llm_init()"))
        self.assertEqual(value(self.db, "SELECT llm_init()"), "up to date")
        self.assertEqual(self.price("gpt-4o", "input"), 7)
        self.db.execute("INSERT INTO llm_prices(model, kind, usd_per_million, service) VALUES ('gpt-4o', 'input', 3, 'batch')")
        self.assertEqual(self.price("gpt-4o", "input", service="batch"), 3)

    def test_rows_that_are_wrong_are_named(self):
        value(self.db, "SELECT llm_init()")
        for row, words in ((("m", "inputs", 1, None, None), "kind 'inputs'"), (("m", "input", "dear", None, None), "no price"),
                           (("m", "input", -1, None, None), "no price"), (("m", "input", 1, "soon", None), "no date"),
                           (("m", "input", 1, None, "all night"), "no hours")):
            with self.subTest(row=row):
                self.db.execute("INSERT INTO llm_prices(model, kind, usd_per_million, valid_from, hours) VALUES (?,?,?,?,?)", row)
                self.assertIn(words, error_of(self.db, "SELECT llm_price('gpt-4o', 'input')"))
                self.db.execute("DELETE FROM llm_prices")

    def test_the_catalogue_as_a_table(self):
        row = self.db.execute("SELECT usd_per_million, valid_from, service, checked <> '', source <> '' FROM llm_catalogue"
                              " WHERE provider = 'openai' AND model = 'gpt-4o' AND kind = 'input' AND service = 'standard'").fetchall()
        self.assertEqual(row, [(2.5, None, "standard", 1, 1)])
        rows = self.db.execute("SELECT usd_per_million, valid_from, valid_to FROM llm_catalogue WHERE model = 'gpt-5.6-luna' AND"
                               " provider = 'openai' AND kind = 'input' AND above_tokens = 0 AND service = 'standard'").fetchall()
        self.assertEqual(rows, [(1.0, None, 1785369600000), (0.2, 1785369600000, None)])
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_catalogue WHERE source IS NULL OR checked IS NULL"), 0)
        value(self.db, "SELECT llm_prices_import(?)", json.dumps(LITELLM))
        self.assertGreater(value(self.db, "SELECT count(*) FROM llm_catalogue WHERE list = 'litellm'"), 10)
        # one that changes under an open cursor
        cursor = self.db.execute("SELECT model FROM llm_catalogue")
        cursor.fetchone()
        self.db.execute("DELETE FROM llm_prices")
        self.assertGreater(len(cursor.fetchall()), 4000)


if __name__ == "__main__":
    unittest.main()
