"""examples/why_did_it_double.sql answers for whatever llm_import reads: two months of each sample, of which the second is twice the first.

A sample is one month; its copies stand in other months under other ids, as a program would have written them. Months are counted from
today, because the example asks for the last one that is over.
"""
import csv
import datetime
import glob
import io
import json
import os
import re
import shutil
import sqlite3
import unittest

from harness import ROOT, TempDir, connect, leave_midnight

SAMPLES = f"{ROOT}/tests/data/imports"
CALLS = ["claude_code", "codex", "helicone_export.csv", "langfuse_observations_v2.jsonl", "litellm_spend_logs.json", "llm_logs.sql",
         "openrouter_generations.csv", "otel_genai_spans.jsonl"]
LISTED = ["claude_code", "codex"]
# What is counted beside the money of an invoice: requests, tokens, or nothing.
INVOICES = {"openrouter_activity.csv": "requests", "openrouter_activity_api.json": "requests", "openai_costs.json": "tokens",
            "openai_cost_dashboard.csv": "tokens", "anthropic_cost_report.json": "money", "anthropic_cost_console.csv": "money"}
USAGE = ["anthropic_usage_console.csv", "anthropic_usage_messages.json", "openai_usage_completions.json"]
# What the samples name, at one price at any time: the catalogue may know some of them from a certain month on only.
MODELS = ["claude-sonnet-5-5", "claude-haiku-4-5", "gpt-6.1-sol", "gpt-6-astra", "gpt-5.6-luna", "gpt-4o-mini"]
PRICES = {"input": 2, "cache_read": 0.2, "cache_write": 2.5, "cache_write_1h": 4, "output": 10}
# Fields of a sum that are twice as much where everything is.
TWICE = re.compile(r"amount|amount_value|value|quantity|usage|byok_usage(_inference)?|requests|\w*_tokens\w*|num_model_requests|cost_usd|list_price_usd"
                   r"|usage_\w+_tokens\w*|web_search_\w+|ephemeral_\w+|BYOK Usage|Usage|Requests|\w+ Tokens")


def month_ago(n):
    """The first day of that month, UTC."""
    now = datetime.datetime.now(datetime.timezone.utc)
    months = now.year * 12 + now.month - 1 - n
    return datetime.datetime(months // 12, months % 12 + 1, 1, tzinfo=datetime.timezone.utc)


def shifted(text, month):
    """A sample's text, of that month."""
    seconds = int((month - datetime.datetime(2026, 11, 1, tzinfo=datetime.timezone.utc)).total_seconds())
    text = re.sub(r"\b2026([-/])(?:11|02)[-/](\d\d)", lambda m: f"{month:%Y}{m[1]}{month:%m}{m[1]}{m[2]}", text)
    return re.sub(r"\b179[34]\d{6}(\d{3}|\d{9})?\b",
                  lambda m: str(int(m[0]) + seconds * 10 ** (len(m[0]) - 10)), text)


def renamed(text, n):
    """The same under other ids: the copy of that number."""
    text = re.sub(r"\b(msg_\d|req_\d|chatcmpl-demo-\d|batch_demo\d|obs-\d|tr-\d|gen-\d+-demo|01kdemo0)", rf"\g<1>{n}", text)
    text = re.sub(r'"(C1|S1|S2|r-\d|u\d|s\d)"', rf'"\g<1>{n}"', text)
    text = re.sub(r"\bd0c0ffee", f"d0c0ff{n:02}", text)
    return re.sub(r"\b([567])b8ef", rf"\g<1>{n}8ef", re.sub(r"\b(eee|aaa|bbb|ccc)19b7", rf"\g<1>{n}9b7", text))


def times_json(value, times):
    """All amounts in it, so many times."""
    if isinstance(value, list):
        return [times_json(v, times) for v in value]
    if not isinstance(value, dict):
        return value
    return {k: number_times(v, times) if TWICE.fullmatch(k) and not isinstance(v, (dict, list)) else times_json(v, times) for k, v in value.items()}


def number_times(value, times):
    if isinstance(value, str):
        return f"{float(value) * times:.12g}" if value else value
    return value if value is None else value * times


def times_csv(text, times):
    rows = list(csv.DictReader(io.StringIO(text)))
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0].keys())
    writer.writeheader()
    writer.writerows({k: number_times(v, times) if TWICE.fullmatch(k) and not k.startswith("usage_date") and k != "usage_type" else v
                      for k, v in row.items()} for row in rows)
    return out.getvalue()


class Exports(unittest.TestCase):
    def setUp(self):
        leave_midnight(20)  # months are counted from now
        self.tmp = TempDir()
        self.addCleanup(self.tmp.cleanup)
        self.folder = f"{self.tmp.name}/exports"
        self.files = 0
        self.db = connect(f"{self.tmp.name}/costs.db")
        self.addCleanup(self.db.close)
        self.db.execute("SELECT llm_init()").fetchall()
        self.db.executemany("INSERT INTO llm_prices(model, kind, usd_per_million) VALUES (?, ?, ?)",  # of any month
                            [(model, kind, usd) for model in MODELS for kind, usd in PRICES.items()])
        with open(f"{ROOT}/examples/why_did_it_double.sql") as f:
            self.statements = [s for s in re.split(r"(?<=;)\n", f.read()) if s.strip()]

    def place(self, path, month, copy):
        """Where the copy of a file goes; a log's name may say whose it is."""
        self.files += 1
        name = renamed(shifted(os.path.relpath(path, SAMPLES), month), copy).replace("S1", f"S1{copy}")
        to = f"{self.folder}/{month:%Y-%m}-{copy}/{name}"
        os.makedirs(os.path.dirname(to), exist_ok=True)
        return to

    def export(self, sample, month, copy=1, times=1):
        """A copy of a sample, as of that month."""
        if not os.path.exists(f"{SAMPLES}/{sample}"):
            self.skipTest(f"{sample} is not in {SAMPLES}")
        for path in [f"{SAMPLES}/{sample}"] + glob.glob(f"{SAMPLES}/{sample}/**/*", recursive=True):
            if os.path.isfile(path):
                with open(path) as f:
                    text = renamed(shifted(f.read(), month), copy)
                if times != 1:
                    text = times_csv(text, times) if path.endswith(".csv") else json.dumps(times_json(json.loads(text), times))
                to = self.place(path, month, copy)
                if path.endswith(".sql"):
                    logs = sqlite3.connect(to.replace(".sql", ".db"))
                    logs.executescript(text)
                    logs.close()
                else:
                    with open(to, "w") as f:
                        f.write(text)

    def run_it(self):
        """What the example's statements say, one list of rows each."""
        answers = []
        for sql in self.statements:
            found = self.db.execute(sql, {"exports": self.folder})
            if found.description:
                names = [d[0] for d in found.description]
                answers.append([dict(zip(names, row)) for row in found.fetchall()])
        return answers

    def spent(self, month, billed="paid"):
        """Nano-dollars of that month, as they were imported: calls, and invoices where no calls are known."""
        return sum(round(1e9 * (usd or 0)) for usd, in self.db.execute("SELECT cost_usd FROM llm_cost_monthly WHERE month = ? AND billed = ?",
                                                                        (f"{month:%Y-%m}", billed)))


    def answer(self):
        """The example's answer and its rows, which hold what was imported: before, after, and the sum of the change."""
        _, answer, rows, _, *_ = self.run_it()
        self.assertEqual(len(answer), 1)
        said = self.db.execute("SELECT d.* FROM asked a, llm_drift(a.before, a.after) d")
        names = [d[0] for d in said.description]
        said = [dict(zip(names, row)) for row in said.fetchall()]
        for row in said:
            self.assertNotIn("nan", str(row).lower())
        self.assertEqual(said[0]["text"], answer[0]["answer"])
        self.assertEqual(sorted(r["driver"] for r in rows), sorted(r["driver"] for r in said[1:] if r["change_nusd"] != 0))
        self.assertEqual(sum(r["change_nusd"] or 0 for r in said), round(1e9 * (said[0]["after"] - said[0]["before"])))
        return said

    def check_money(self, said, months, billed="paid"):
        self.assertEqual([round(1e9 * said[0][k]) for k in ("before", "after")], [self.spent(m, billed) for m in months])
        self.assertGreater(abs(said[0]["after"] - said[0]["before"]), 0)


class Shapes(Exports):
    """A sample in the month before last, twice as much of it in the last one."""

    def setUp(self):
        super().setUp()
        self.months = [month_ago(2), month_ago(1)]

    def test_calls(self):
        """Twice the calls are twice the requests, or the requests of each user; nothing else moved."""
        for sample in CALLS:
            with self.subTest(sample):
                self.doCleanups()
                self.setUp()
                for copy, month in enumerate([self.months[0], self.months[1], self.months[1]], 1):
                    self.export(sample, month, copy)
                said = self.answer()
                billed = "list" if sample in LISTED else "paid"
                self.check_money(said, self.months, billed)
                self.assertEqual((said[0]["after"], said[0]["basis"]), (2 * said[0]["before"], "calls"))
                self.assertIn(said[1]["driver"], ("requests", "requests per user"))
                self.assertAlmostEqual(said[1]["share"], 1, places=6)
                self.assertEqual(said[1]["after"], 2 * said[1]["before"])
                self.assertIn("+100 %", said[0]["text"])
                self.assertEqual("At list prices" in said[0]["text"], billed == "list")

    def test_invoices(self):
        """What an invoice counts is what doubled; where it counts nothing it is said so."""
        for sample, counts in INVOICES.items():
            with self.subTest(sample):
                self.doCleanups()
                self.setUp()
                self.export(sample, self.months[0], 1)
                self.export(sample, self.months[1], 2, times=2)
                said = self.answer()
                self.check_money(said, self.months)
                self.assertEqual({r["basis"] for r in said}, {"invoice"})
                self.assertEqual(said[0]["after"], 2 * said[0]["before"])
                self.assertEqual("count no tokens" in said[0]["text"], counts == "money")
                self.assertNotIn("attempt", said[0]["text"])
                if counts == "requests":
                    self.assertEqual((said[1]["driver"], said[1]["after"]), ("requests", 2 * said[1]["before"]))
                    self.assertAlmostEqual(said[1]["share"], 1, places=6)
                elif counts == "tokens":
                    self.assertEqual([(r["driver"], r["unit"], r["before"], r["after"]) for r in said[1:3]],
                                     [("input tokens", "tokens", 64200, 128400), ("output tokens", "tokens", 11300, 22600)])
                else:
                    self.assertIn(said[1]["driver"], ("input tokens", "output tokens"))
                    self.assertEqual((said[1]["before"], said[1]["after"]), (None, None))

    def test_usage_without_money(self):
        """No cost is made up, and none is said to be 0: how many tokens have none is told."""
        for sample in USAGE:
            with self.subTest(sample):
                self.doCleanups()
                self.setUp()
                self.export(sample, self.months[0], 1)
                self.export(sample, self.months[1], 2, times=2)
                said = self.answer()
                self.assertIn("No known spending", said[0]["text"])
                self.assertIn("import the costs of that time", said[0]["text"])
                self.assertEqual([(r["driver"], r["unit"], r["after"] / r["before"], r["change_nusd"]) for r in said[1:]], [("unpriced", "tokens", 2, None)])

    def test_fees_are_money(self):
        self.export("openai_costs.json", self.months[0], 1)
        self.export("openai_costs.json", self.months[1], 2, times=2)
        fees = next(r for r in self.answer() if r["driver"] == "fees and others")
        self.assertEqual((fees["before"], fees["after"], fees["unit"]), (0.05, 0.1, "dollars"))
        self.assertIn("fees and others ($0.050 → $0.10): +$0.050", fees["text"])


class Mixed(Exports):
    """Of one month another kind of export than of the other."""

    def setUp(self):
        super().setUp()
        self.months = [month_ago(2), month_ago(1)]

    def export_both(self, before, after):
        for n, (samples, month) in enumerate(((before, self.months[0]), (after, self.months[1]))):
            for k, sample in enumerate(samples):
                self.export(sample, month, 4 * n + k + 1)

    def test_calls_and_an_invoice(self):
        """They are compared, as far as both say something: by tokens and models, not by requests."""
        for pair in ((["litellm_spend_logs.json"], ["openai_costs.json"]), (["openai_costs.json"], ["litellm_spend_logs.json"])):
            with self.subTest(pair):
                self.doCleanups()
                self.setUp()
                self.export_both(*pair)
                said = self.answer()
                self.check_money(said, self.months)
                self.assertEqual(said[0]["basis"], "invoice")
                drivers = {r["driver"] for r in said if r["change_nusd"]}
                self.assertLessEqual(drivers, {"model mix", "input tokens", "output tokens", "fees and others", "list price", "prefix caching", "batch and service"})

    def test_calls_that_failed_beside_an_invoice(self):
        """A call that cost nothing does not make a month of calls of it."""
        self.export_both(["litellm_spend_logs.json"], ["openai_costs.json"])
        self.run_it()
        self.db.execute("DROP TABLE temp.asked")
        store = sqlite3.connect(f"{self.tmp.name}/costs.db-llmcost", isolation_level=None)
        store.execute("INSERT INTO llm_calls(request_id, attempt, ts, kind, provider, model_requested, error, cost_nusd)"
                      " VALUES ('f', 1, ?, 'call', 'openai', 'gpt-4o', 'rate_limit: slow down', 0)", (int(self.months[1].timestamp() * 1000) + 1,))
        store.close()
        said = self.answer()
        self.assertEqual({r["basis"] for r in said if r["change_nusd"]}, {"invoice"})
        self.assertEqual(len({r["driver"] for r in said}), len(said))

    def test_list_prices_and_an_invoice(self):
        """What nobody paid is not taken for what was paid: it stands beside."""
        self.export_both(["claude_code"], ["anthropic_cost_report.json"])
        said = self.answer()
        self.check_money(said, self.months)
        self.assertEqual(said[0]["before"], 0)
        self.assertIn("nothing that was paid before", said[0]["text"])
        self.assertRegex(said[0]["text"], r"Beside it what is at list prices only: \$0\.0\d+, then \$0\.00\.$")
        self.assertEqual([r["before"] for r in said if r["driver"] == "left out"], [self.spent(self.months[0], "list") / 1e9])

    def test_list_prices_and_usage(self):
        self.export_both(["claude_code"], ["anthropic_usage_messages.json"])
        said = self.answer()
        self.assertIn("No known spending", said[0]["text"])
        self.assertIn("tokens of usage reports", said[0]["text"])

    def test_costs_with_usage(self):
        """The usage report says how many tokens and requests a cost is of; they are one invoice, not two."""
        for costs, usage, driver in (("openai_cost_dashboard.csv", "openai_usage_completions.json", "requests"),
                                     ("openai_costs.json", "openai_usage_completions.json", "requests"),
                                     ("anthropic_cost_report.json", "anthropic_usage_messages.json", "input tokens"),
                                     ("anthropic_cost_console.csv", "anthropic_usage_console.csv", "output tokens")):
            with self.subTest(costs):
                self.doCleanups()
                self.setUp()
                for n, month in enumerate(self.months):
                    self.export(costs, month, 2 * n + 1, times=n + 1)
                    self.export(usage, month, 2 * n + 2, times=n + 1)
                said = self.answer()
                self.check_money(said, self.months)
                self.assertEqual((said[1]["driver"], said[1]["after"]), (driver, 2 * said[1]["before"]))
                self.assertNotIn("usage report", said[0]["text"])

    def test_requests_of_half_of_the_money(self):
        """One provider counts requests, the other none: then what moved is not put to the requests of the one."""
        for n, month in enumerate(self.months):
            self.export("openai_costs.json", month, 4 * n + 1)
            self.export("openai_usage_completions.json", month, 4 * n + 2)
            self.export("anthropic_cost_report.json", month, 4 * n + 3, times=n + 1)
            self.export("anthropic_usage_messages.json", month, 4 * n + 4, times=n + 1)
        said = self.answer()
        self.check_money(said, self.months)
        self.assertFalse({"requests", "attempts", "hit rate"} & {r["driver"] for r in said})
        self.assertEqual([r["unit"] for r in said if r["driver"] == "input tokens"], ["tokens"])

    def test_two_kinds_of_money(self):
        """Calls of one provider and an invoice of another: two splits, and shares are of all of the change."""
        self.export_both(["litellm_spend_logs.json"], ["openrouter_activity_api.json"])
        for copy in (8, 9):
            self.export("litellm_spend_logs.json", self.months[1], copy)
        said = self.answer()
        self.check_money(said, self.months)
        self.assertEqual({r["basis"] for r in said if r["change_nusd"]}, {"calls", "invoice"})
        self.assertAlmostEqual(sum(r["share"] or 0 for r in said), 1)
        self.assertLess(said[1]["share"], 0.95)
        self.assertIn(f", {100 * said[1]['share']:.0f} %", said[0]["text"])


class Months(Exports):
    """Which months are asked for."""

    def asked(self):
        return self.db.execute("SELECT before, after FROM asked").fetchall()

    def test_old_exports(self):
        """The newest month there is, and the one before it that there is."""
        self.export("openai_costs.json", month_ago(9), 1)
        self.export("openai_costs.json", month_ago(7), 2, times=2)
        said = self.answer()
        self.assertEqual(self.asked(), [(f"{month_ago(9):%Y-%m}", f"{month_ago(7):%Y-%m}")])
        self.assertEqual(said[0]["after"], 2 * said[0]["before"])

    def test_this_month_is_not_over(self):
        for n, month in enumerate((2, 1, 0)):
            self.export("openrouter_activity.csv", month_ago(month), n + 1)
        self.answer()
        self.assertEqual(self.asked(), [(f"{month_ago(2):%Y-%m}", f"{month_ago(1):%Y-%m}")])

    def test_one_month(self):
        for month in (1, 0):
            with self.subTest(month):
                self.doCleanups()
                self.setUp()
                self.export("openai_costs.json", month_ago(month), 1)
                said = self.answer()
                self.assertEqual(self.asked(), [(f"{month_ago(month + 1):%Y-%m}", f"{month_ago(month):%Y-%m}")])
                self.assertIn("nothing before, in", said[0]["text"])
                self.assertIsNone(said[0]["percent"])

    def test_nothing_in_them(self):
        """No answer is made up; what could not be read is said."""
        self.export("litellm_spend_logs_summarized.json", month_ago(1))
        report, answer, *more = self.run_it()
        self.assertEqual(report[0]["files_not_read"], 1)
        self.assertIn("summarize=false", report[0]["first_reason"])
        self.assertEqual([answer, *more], [[]] * (1 + len(more)))

    def test_all_at_once(self):
        """Every export there is, in one folder: what is known twice counts once, and each view has something to say."""
        for sample in CALLS + list(INVOICES) + USAGE:
            self.export(sample, month_ago(2), 1)
            self.export(sample, month_ago(1), 2)
            self.export(sample, month_ago(1), 3)
        _, answer, rows, models, retries, conversations, prompts, prefixes, savings = self.run_it()
        self.assertEqual(len(answer), 1)
        self.assertTrue(rows and models and conversations and prefixes and savings)
        spent = [self.spent(month_ago(m)) for m in (2, 1)]
        self.assertAlmostEqual(sum(r["change_usd"] for r in models), (spent[1] - spent[0]) / 1e9, delta=0.001)


if __name__ == "__main__":
    unittest.main()
