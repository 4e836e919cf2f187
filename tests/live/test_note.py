"""examples/note.sql: every figure of the technical note, from its own inputs. What is expected is worked out here by hand, from the note's
text and from price pages, not by us."""
import json
import os
import sqlite3
import subprocess
import unittest

from harness import ROOT, SO, TempDir, clean_env

GPT, MINI, HAIKU, TODAY_HAIKU = (2.5, 10), (0.15, 0.6), (0.8, 4), (1, 5)  # input, output; dollars per million
IN, OUT = 3000, 1750  # the request whose thousand cost $25.00
SHARES = (0.72, 0.2, 0.08)
NONE = None


def mix(haiku, part):
    """What is left of GPT-4o's cost; part: the weights of input and output."""
    cost = lambda price: price[0] * part[0] + price[1] * part[1]
    return sum(s * cost(p) for s, p in zip(SHARES, (MINI, haiku, GPT))) / cost(GPT)


IN_ONLY, OUT_ONLY, BOTH = (1, 0), (0, 1), (IN, OUT)
LEFT = {"input alone": IN_ONLY, "output alone": OUT_ONLY, "the $25 request": BOTH}
TUNED = (612 * 0.3 + OUT * 1.2) / 1000    # today's tuned mini with the short prompt: $ of 1,000 calls
SCOUT = (612 * 0.11 + OUT * 0.34) / 1000  # Groq's Scout
MINI_1K, GPT_1K = 1.5, 25

# part: {what: (the note's figure, by its prices, by today's, how far off: "" where it is what the note says)}
EXPECTED = {
    1: {
        "prototype to production: $200 to $2,000 a day, times": (10, 10, NONE, ""),
        "$200 a day if each request becomes 2 calls": (NONE, 400, NONE, ""),
        "$200 a day if each request becomes 5 calls": (NONE, 1000, NONE, ""),
        "a 3,000-token prompt, 50,000 requests a day, GPT-4o, $ a day": (NONE, 375, 375, ""),
        "week 1: $ a day for each user": (NONE, 4, NONE, ""),
        "week 3: $ a day for each user": (NONE, 4, NONE, ""),
        "week 5: $ a day for each user": (NONE, 3.75, NONE, ""),
        "week 7: $ a day for each user": (NONE, 4.8, NONE, ""),
        "week 1 to 3: $ a day more by users": (NONE, 600, NONE, ""),
        "week 1 to 3: $ a day more by each user": (NONE, 0, NONE, ""),
        "week 3 to 5: $ a day more by users": (NONE, 771.87, NONE, ""),
        "week 3 to 5: $ a day more by each user": (NONE, -71.87, NONE, ""),
        "week 5 to 7: $ a day more by users": (NONE, 427.29, NONE, ""),
        "week 5 to 7: $ a day more by each user": (NONE, 472.71, NONE, ""),
        "week 1 to 7: $ a day more by users": (NONE, 2038.58, NONE, ""),
        "week 1 to 7: $ a day more by each user": (NONE, 161.42, NONE, ""),
        "week 1 to 7: times": (12, 12, NONE, ""),
        "week 1 to 7: % of the rise that users explain": (NONE, 92.66, NONE, ""),
        "week 7 after routing, caching, compression: $ a day": (320, 302.4, NONE, "-5.5 %"),
        "and with batches: $ a day": (NONE, 241.92, NONE, ""),
        "$2,400 to $320: % saved": (NONE, 86.67, NONE, ""),
    },
    2: {
        "GPT-4o, input": (2.5, 2.5, 2.5, ""), "GPT-4o, output": (10, 10, 10, ""),
        "GPT-4o mini, input": (0.15, 0.15, 0.15, ""), "GPT-4o mini, output": (0.6, 0.6, 0.6, ""),
        "Claude Sonnet 4.6, input": (3, 3, 3, ""), "Claude Sonnet 4.6, output": (15, 15, 15, ""),
        "Claude Haiku 4.5, input": (0.8, 0.8, 1, ""), "Claude Haiku 4.5, output": (4, 4, 5, ""),
        "Mistral Large 3, input": (2, 2, 0.5, ""), "Mistral Large 3, output": (6, 6, 1.5, ""),
        "Llama 4 Maverick, input": (0.3, 0.3, 0.2, ""), "Llama 4 Maverick, output": (0.3, 0.3, 0.6, ""),
        "GPT-4o, context": (128000, NONE, 128000, ""), "GPT-4o mini, context": (128000, NONE, 128000, ""),
        "Claude Sonnet 4.6, context": (200000, NONE, 1000000, ""), "Claude Haiku 4.5, context": (200000, NONE, 200000, ""),
        "Mistral Large 3, context": (128000, NONE, 256000, ""), "Llama 4 Maverick, context": (1000000, NONE, 131072, ""),
        "GPT-4o to GPT-4o mini, input, times": (17, 50 / 3, 50 / 3, ""), "GPT-4o to GPT-4o mini, output, times": (NONE, 50 / 3, 50 / 3, ""),
    },
    3: {
        "simple: input price of gpt-4o-mini": (0.15, 0.15, 0.15, ""),
        "medium: input price of claude-haiku-4-5": (0.8, 0.8, 1, ""),
        "complex: input price of gpt-4o": (2.5, 2.5, 2.5, ""),
        "simple: score below": (0.3, 0.3, NONE, ""), "medium: score below": (0.7, 0.7, NONE, ""),
        "70 % of the traffic to the small model: % saved": (NONE, 65.8, 65.8, ""),
        "80 % of the traffic to the small model: % saved": (NONE, 75.2, 75.2, ""),
        "$38,000 to $6,200: % saved": (84, 83.68, NONE, ""),
        **{f"the mix, {w}: $38,000 a month becomes": (6200, 38000 * mix(HAIKU, p), 38000 * mix(TODAY_HAIKU, p), off)
           for (w, p), off in zip(LEFT.items(), ("+14.7 %", "+24.5 %", "+21.6 %"))},
        "the mix, input alone: % saved": (84, 81.28, 79.68, "-3.2 %"),
        "the mix, output alone: % saved": (84, 79.68, 77.68, "-5.1 %"),
        "the mix, the $25 request: % saved": (84, 80.16, 78.28, "-4.6 %"),
        "what all but the large model's share saves at most: %": (NONE, 92, 92, ""),
    },
    4: {
        **{f"{w}, {n} % hits: $": (NONE, 100 * (100 - n), 100 * (100 - n), "")
           for w, ns in (("exact match", (10, 20)), ("semantic", (30, 50)), ("prompt-aware", (40, 60))) for n in ns},
        **{f"prefix caching, {m}: % saved on what is read": (NONE, NONE, n, "")
           for m, n in (("GPT-4o", 50), ("GPT-4o mini", 50), ("Claude Sonnet 4.6", 90), ("Claude Haiku 4.5", 90))},
        "cosine of the note's two questions (its threshold: 0.95)": (0.95, 0.51, NONE, ""),
    },
    5: {
        "1,847 to 612 tokens: % fewer": (NONE, 66.87, NONE, ""),
        "1,847 to 612 tokens, 50,000 requests a day, GPT-4o: $ a day": (190, 154.375, 154.375, "-18.8 %"),
        "the same: $ in 30 days": (5700, 4631.25, 4631.25, "-18.8 %"),
        "requests a day that would save $190": (50000, 61538.46, 61538.46, "+23.1 %"),
        "the same at Claude Sonnet 4.6: $ a day": (190, 185.25, 185.25, "-2.5 %"),
        # Input is 30 % of the $25 request, output 70 %.
        **{f"{w}, {n} % fewer {side} tokens: % of the bill": (stated, n * share, n * share, "-70.0 %" if stated else "")
           for w, side, share, ns, is_stated in (("dead weight", "input", 0.3, (30, 50), 0), ("system prompt", "input", 0.3, (20, 40), 1),
                                                 ("zero-shot", "input", 0.3, (50, 80), 0), ("structured output", "output", 0.7, (30, 50), 0),
                                                 ("pruning", "input", 0.3, (40, 70), 0), ("response length", "output", 0.7, (20, 60), 0))
           for n in ns for stated in [n if is_stated else NONE]},
    },
    6: {**{m: (50, NONE, 50, "") for m in ("GPT-4o", "GPT-4o mini", "Claude Sonnet 4.6", "Claude Haiku 4.5", "Mistral Large 3")},
        "Llama 4 Maverick": (50, NONE, NONE, "")},
    7: {
        "GPT-4o + detailed prompt: $ of 1,000 calls": (25, 25, 25, ""),
        "GPT-4o mini + few-shot: $ of 1,000 calls": (1.5, 1.5, 1.5, ""),
        "GPT-4o mini fine-tuned: $ of 1,000 calls": (0.9, NONE, TUNED, ""),
        "Llama 4 Scout fine-tuned: $ of 1,000 calls": (0.1, NONE, SCOUT, ""),
        "GPT-4o + detailed prompt: $ of 1,000 right answers": (NONE, 25 / 0.95, 25 / 0.95, ""),
        "GPT-4o mini + few-shot: $ of 1,000 right answers": (NONE, 1.5 / 0.88, 1.5 / 0.88, ""),
        "GPT-4o mini fine-tuned: $ of 1,000 right answers": (NONE, 0.9 / 0.93, TUNED / 0.93, ""),
        "Llama 4 Scout fine-tuned: $ of 1,000 right answers": (NONE, 0.1 / 0.9, SCOUT / 0.9, ""),
        "GPT-4o mini fine-tuned, $50, against GPT-4o + detailed prompt: calls": (NONE, 50 / 0.0241, 50e3 / (GPT_1K - TUNED), ""),
        "GPT-4o mini fine-tuned, $200, against GPT-4o + detailed prompt: calls": (NONE, 8298.76, 200e3 / (GPT_1K - TUNED), ""),
        "GPT-4o mini fine-tuned, $50, against GPT-4o mini + few-shot: calls": (NONE, 83333.33, NONE, ""),
        "GPT-4o mini fine-tuned, $200, against GPT-4o mini + few-shot: calls": (NONE, 333333.33, NONE, ""),
        "Llama 4 Scout fine-tuned, $500, against GPT-4o + detailed prompt: calls": (NONE, 500 / 0.0249, 500e3 / (GPT_1K - SCOUT), ""),
        "Llama 4 Scout fine-tuned, $2000, against GPT-4o + detailed prompt: calls": (NONE, 2000 / 0.0249, 2000e3 / (GPT_1K - SCOUT), ""),
        "Llama 4 Scout fine-tuned, $500, against GPT-4o mini + few-shot: calls": (NONE, 500 / 0.0014, 500e3 / (MINI_1K - SCOUT), ""),
        "Llama 4 Scout fine-tuned, $2000, against GPT-4o mini + few-shot: calls": (NONE, 2000 / 0.0014, 2000e3 / (MINI_1K - SCOUT), ""),
        "GPT-4o mini fine-tuned against GPT-4o + detailed prompt: % saved": (NONE, 96.4, 100 - 4 * TUNED, ""),
        "GPT-4o mini fine-tuned against GPT-4o mini + few-shot: % saved": (NONE, 40, 100 - TUNED / 0.015, ""),
        "Llama 4 Scout fine-tuned against GPT-4o + detailed prompt: % saved": (NONE, 99.6, 100 - 4 * SCOUT, ""),
        "Llama 4 Scout fine-tuned against GPT-4o mini + few-shot: % saved": (NONE, 93.33, 100 - SCOUT / 0.015, ""),
        "good examples that are enough": (500, 500, NONE, ""),
    },
    8: {
        **{f"{m}, {n}K requests: $": (usd, usd, usd, "") for m, row in (("gpt-4o", (2500, 25000, 250000)), ("A100", (2000, 2000, 6000)),
                                                                        ("H100", (4500, 4500, 4500)))
           for n, usd in zip((100, 1000, 10000), row)},
        **{f"Llama 4 Maverick, {n}K requests: $": (NONE, n * 1000 * (IN + OUT) * 0.3e-6, n * (IN * 0.2 + OUT * 0.6) / 1000, "") for n in (100, 1000, 10000)},
        "A100: requests a month at which it breaks even": (NONE, 80000, 80000, ""),
        "H100: requests a month at which it breaks even": (NONE, 180000, 180000, ""),
        **{f"{m}, {n}K requests: % saved": (NONE, p, p, "") for m, row in (("A100", (20, 92, 97.6)), ("H100", (-80, 82, 98.2)))
           for n, p in zip((100, 1000, 10000), row)},
        **{f"A100, {n}K requests: $ of a million tokens": (0.3, usd / (n * 1000 * (IN + OUT)) * 1e6, NONE, off)
           for n, usd, off in ((100, 2000, "+1303.5 %"), (1000, 2000, "+40.4 %"), (10000, 6000, "-57.9 %"))},
        "requests a month that cost $5,000 at GPT-4o": (NONE, 200000, 200000, ""),
    },
    9: {f"{w}, {n} %: $": (NONE, usd, NONE, "") for w, n, usd in (
        ("prompt compression", 20, 8000), ("prompt compression", 40, 6000), ("model routing", 60, 4000), ("model routing", 80, 2000),
        ("semantic caching", 30, 7000), ("semantic caching", 60, 4000), ("batches for 40 % of the traffic", 50, 8000),
        ("batches for all of it", 50, 5000), ("fine-tuning", 70, 3000), ("fine-tuning", 90, 1000), ("self-hosting", 80, 2000), ("self-hosting", 95, 500))},
    10: {f"{w}: $ a month": (usd, usd, NONE, "") for w, usd in (
        ("baseline", 10000), ("prompt cleanup", 7000), ("routing", 2100), ("caching", 1260), ("batches", 1008))},
}


def run(folder, prices=None):
    """The example's output where its list has those prices: {part: {what: row}}; what is left in the database is `desk.db`."""
    os.makedirs(f"{folder}/examples")
    with open(f"{ROOT}/examples/note_prices.json") as f:
        known = json.load(f)
    with open(f"{folder}/examples/note_prices.json", "w") as f:
        json.dump(prices(known) if prices else known, f)
    with open(f"{ROOT}/examples/note.sql") as f:
        out = subprocess.run(["sqlite3", "-batch", "desk.db", "-cmd", f".load {SO}"], stdin=f, capture_output=True, text=True, cwd=folder,
                             env=clean_env(), timeout=120)
    assert out.stderr == "", out.stderr
    return parse(out.stdout)


def parse(text):
    parts, part, head = {}, None, None
    for line in text.splitlines():
        if line[:1].isdigit():
            part, head = int(line.split(".")[0]), None
        elif line.startswith("┌"):
            head = None
        elif line.startswith("│"):
            cells = [c.strip() for c in line.strip("│").split("│")]
            if head is None:
                head = cells
            elif head[0] == "what":
                row = dict(zip(head, cells))
                assert row["what"] not in parts.setdefault(part, {}), row
                parts[part][row["what"]] = row
    return parts


def number(text):
    return float(text) if text else None


class Note(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tmp = TempDir()
        cls.addClassCleanup(cls.tmp.cleanup)
        cls.parts = run(f"{cls.tmp.name}/note")

    def check_part(self, part):
        found = self.parts[part]
        self.assertEqual(set(found), set(EXPECTED[part]))
        for what, (note, at_note, at_today, off) in EXPECTED[part].items():
            row = found[what]
            for column, expected in (("note", note), ("at_note_prices", at_note), ("at_todays_prices", at_today)):
                with self.subTest(part=part, what=what, column=column):
                    got = number(row.get(column, ""))
                    if expected is None or got is None:
                        self.assertEqual(got, expected)
                    else:
                        self.assertAlmostEqual(got, expected, delta=max(0.0051, 1e-9 * abs(expected)) if expected >= 1 or expected <= 0 else 0.0015)
            with self.subTest(part=part, what=what, column="off"):
                self.assertEqual(row.get("off", ""), off)

    def test_difference_and_remark(self):
        """What the note's inputs do not give says why."""
        for part, rows in self.parts.items():
            for what, row in rows.items():
                if row.get("off") and not what.startswith("requests a day"):
                    with self.subTest(what=what):
                        self.assertGreater(len(row["remark"]), 5)

    def test_words_that_are_computed(self):
        self.assertIn("asks for 83.7 %", self.parts[3]["what all but the large model's share saves at most: %"]["remark"])
        self.assertIn("today never", self.parts[7]["GPT-4o mini fine-tuned, $50, against GPT-4o mini + few-shot: calls"]["remark"])
        self.assertEqual(self.parts[9]["fine-tuning, 90 %: $"]["remark"], "its own table gives 40.0 to 99.6 %: see part 7")
        self.assertEqual(self.parts[9]["self-hosting, 95 %: $"]["remark"], "its own table gives -80.0 to 98.2 %: see part 8")
        self.assertEqual(self.parts[10]["batches: $ a month"]["remark"], "-252.00, in all 89.92 % saved")

    def test_its_list_is_gone(self):
        db = sqlite3.connect(f"{self.tmp.name}/note/desk.db")
        self.assertEqual(db.execute("SELECT count(*) FROM llm_prices").fetchone()[0], 0)
        db.close()
        self.assertFalse(os.path.exists(f"{self.tmp.name}/note/desk.db-llmcost"), "no store: nothing was asked")

    def test_no_result_is_written_down(self):
        """Other prices, other results: each figure that depends on a model's price follows it, others stay."""
        factor = 1.5

        def dearer(model):
            def change(prices):
                for kind in ("input_cost_per_token", "output_cost_per_token"):
                    prices[model][kind] *= factor
                return prices
            return change

        def changed(model):
            parts = run(f"{self.tmp.name}/{model}", dearer(model))
            return {what: number(row["at_note_prices"]) / number(self.parts[part][what]["at_note_prices"])
                    for part, rows in parts.items() for what, row in rows.items()
                    if row.get("at_note_prices") != self.parts[part][what].get("at_note_prices")}
        follows = {
            "gpt-4o": {"GPT-4o, input": factor, "1,847 to 612 tokens, 50,000 requests a day, GPT-4o: $ a day": factor, "the same: $ in 30 days": factor,
                       "requests a day that would save $190": 1 / factor, "a 3,000-token prompt, 50,000 requests a day, GPT-4o, $ a day": factor,
                       "GPT-4o to GPT-4o mini, input, times": factor, "GPT-4o + detailed prompt: $ of 1,000 calls": factor, "gpt-4o, 1000K requests: $": factor,
                       "A100: requests a month at which it breaks even": 1 / factor, "requests a month that cost $5,000 at GPT-4o": 1 / factor,
                       "the mix, input alone: $38,000 a month becomes": (0.0432 + 0.064) / 0.1872 / factor + 0.08 / 0.1872},
            "gpt-4o-mini": {"GPT-4o mini, output": factor, "GPT-4o to GPT-4o mini, output, times": 1 / factor, "GPT-4o mini + few-shot: $ of 1,000 calls": factor,
                            "70 % of the traffic to the small model: % saved": 70 * (1 - 0.06 * factor) / 65.8,
                            "the mix, output alone: $38,000 a month becomes": (0.0432 * factor + 0.16) / 0.2032},
            "claude-haiku-4-5": {"Claude Haiku 4.5, input": factor, "medium: input price of claude-haiku-4-5": factor,
                                 "the mix, input alone: $38,000 a month becomes": (0.1232 + 0.064 * factor) / 0.1872},
            "claude-sonnet-4-6": {"the same at Claude Sonnet 4.6: $ a day": factor, "Claude Sonnet 4.6, output": factor},
            "mistral-large-2512": {"Mistral Large 3, input": factor, "Mistral Large 3, output": factor},
            "llama-4-maverick": {"Llama 4 Maverick, 100K requests: $": factor, "Llama 4 Maverick, input": factor},
        }
        for model, expected in follows.items():
            found = changed(model)
            for what, ratio in expected.items():
                with self.subTest(model=model, what=what):
                    self.assertIn(what, found)
                    self.assertAlmostEqual(found[what], ratio, 3)
            with self.subTest(model=model, what="what does not depend on it"):
                self.assertNotIn("batches: $ a month", found)
                self.assertNotIn("H100, 1000K requests: $", found)
                self.assertTrue(model == "gpt-4o" or "1,847 to 612 tokens, 50,000 requests a day, GPT-4o: $ a day" not in found)

    def test_no_result_stands_in_its_text(self):
        """Results that the note does not state are nowhere in the file."""
        with open(f"{ROOT}/examples/note.sql") as f:
            text = f.read().replace(",", "")
        for result in ("154.37", "4631", "302.4", "241.92", "83333", "333333", "8298", "8299", "80000", "180000", "2038", "161.4", "771.8", "71.8",
                       "427.2", "472.7", "7113", "7721", "81.28", "81.3", "83.68", "83.7", "92.6", "16.6", "185.25", "61538", "89.92"):
            with self.subTest(result=result):
                self.assertFalse(result in text)


for _part in EXPECTED:
    setattr(Note, f"test_part_{_part:02}", lambda self, part=_part: self.check_part(part))

if __name__ == "__main__":
    unittest.main()
