"""llm_report: its figures are what their statements give, and the same number wherever they stand; texts are texts; files are whole."""
import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import threading
import time
import unittest

import reports
from harness import SO, TempDir, connect, error_of, shell, value
from ledgers import DAY, HOUR, NOW, Ledger
from reports import HOSTILE, document, report, rows_of

OF = {"empty": {}, "desk": {"until": NOW}, "imported": {"period": "2026-10"}, "year": {"from": NOW - 365 * DAY, "until": NOW}, "hostile": {"until": NOW}}


class Folder(unittest.TestCase):
    def setUp(self):
        self.tmp = TempDir()
        self.addCleanup(self.tmp.cleanup)

    def path(self, name):
        return os.path.join(self.tmp.name, name)

    def open(self, name="desk.db"):
        db = connect(self.path(name))
        self.addCleanup(db.close)
        return db

    def ledger(self, db, name="desk.db"):
        ledger = Ledger(db, self.path(name))
        self.addCleanup(ledger.close)
        return ledger

    def five(self):
        for name, options in OF.items():
            db = reports.opened(name)
            yield name, db, options
            db.close()


def total(figure, column, billed="paid", **only):
    rows = [r for r in rows_of(figure) if r["billed"] == billed and all(r[k] == v for k, v in only.items())]
    return sum(r[column] or 0 for r in rows)


class Figures(Folder):
    def test_each_statement_gives_its_figure(self):
        """What a user copies gives the rows of the page: over five ledgers."""
        for name, db, options in self.five():
            doc = document(report(db, **options))
            for key, figure in doc["figures"].items():
                self.assertNotRegex(figure["sql"], r"\$[a-z]")
                if figure["left_out"]:
                    continue
                found = [[None if isinstance(v, bytes) else v for v in r] for r in db.execute(figure["sql"])]
                moving = {figure["columns"].index(c) for c in ("projected_nusd", "basis") if key == "budgets"}
                still = lambda rows: [[v for i, v in enumerate(r) if i not in moving] for r in rows]
                self.assertEqual(still(json.loads(json.dumps(found))), still(figure["rows"]), figure["sql"])

    def test_more_rows_than_are_shown(self):
        """At most 20 conversations of a tag, 300 in all: each tag has its own, the statement gives the rows, and that there are more is said."""
        db = self.open()
        ledger = self.ledger(db)
        ledger.write([ledger.call("gpt-4o", {"input": 1000 + 10 * turn + i, "output": 1}, ts=NOW - DAY + turn, tag=f"t{i % 30}", user="u", conversation=f"c{i}", turn=turn)
                      for i in range(900) for turn in (1, 2)])
        ledger.seal()
        figure = document(report(db, until=NOW))["figures"]["conversations"]
        self.assertEqual((len(figure["rows"]), figure["more"]), (300, 1))
        self.assertEqual(len(db.execute(figure["sql"]).fetchall()), 300)
        tags = [r["tag"] for r in rows_of(figure)]
        self.assertLessEqual(max(tags.count(t) for t in tags), 20)
        self.assertEqual(len(set(tags)), 30)

    def test_the_bundle(self):
        """The charts' library is the one that was looked at, within its size; its licence is beside it."""
        folder = os.path.join(reports.ROOT, "sql/report")
        with open(os.path.join(folder, "plot.js"), "rb") as f:
            bundle = f.read()
        with open(os.path.join(folder, "plot.sha256")) as f:
            self.assertEqual(f.read().split()[0], hashlib.sha256(bundle).hexdigest())
        self.assertLessEqual(len(bundle), 400_000)
        self.assertNotRegex(bundle.decode(), "</script|<!--")
        with open(os.path.join(folder, "plot.LICENSE")) as f:
            self.assertIn("Permission to use, copy, modify", f.read())

    def test_totals_are_those_of_the_parts(self):
        """Days are the sum of their models, tags, users and cells, in each measure; the period before likewise; errors and hits too."""
        for name, db, options in self.five():
            doc = document(report(db, **options))
            figures, first = doc["figures"], doc["meta"]["from_day"]
            detail = doc["meta"].get("detail_day", "")
            days = {"columns": figures["days"]["columns"], "rows": [r for r in figures["days"]["rows"] if r[0] >= first]}
            for billed in ("paid", "list"):
                for column in ("calls", "hits", "errors", "unpriced", "input_tokens", "cached_input_tokens", "output_tokens", "cost_nusd", "saved_nusd"):
                    whole = total(days, column, billed)
                    for cube in ("day_models", "day_tags", "day_users"):
                        self.assertEqual(total(figures[cube], column, billed), whole, (cube, column))
                    if name in ("desk", "hostile"):  # every row is kept
                        self.assertEqual(total(figures["cells"], column, billed), whole, column)
                        self.assertEqual(total(figures["user_cells"], column, billed), whole, column)
                    before = total(figures["before"], column, billed)
                    for cube in ("before_models", "before_tags"):
                        self.assertEqual(total(figures[cube], column, billed), before, (cube, column))
            if name == "year":
                kept = {"columns": days["columns"], "rows": [r for r in days["rows"] if r[0] >= detail]}
                self.assertEqual(total(figures["cells"], "cost_nusd"), total(kept, "cost_nusd"))
                self.assertGreater(total(days, "calls"), 9_000_000)

    def test_others_add_up(self):
        """The change is the two sums' difference; savings by tag and model are the savings; what was discarded is in the spend."""
        for name, db, options in self.five():
            f = document(report(db, **options))["figures"]
            first = document(report(db, **options))["meta"]["from_day"]
            now = sum(r["cost_nusd"] or 0 for r in rows_of(f["days"]) if r["day"] >= first and r["billed"] == "paid")
            before = total(f["before"], "cost_nusd")
            drivers = [r for r in rows_of(f["drift"]) if r["driver"] != "answer" and r["billed"] == "paid"]
            if name not in ("empty", "imported"):
                self.assertEqual(sum(r["change_nusd"] or 0 for r in drivers), now - before)
            for by in ("tags", "models"):
                self.assertEqual({r["billed"] for r in rows_of(f[f"drift_{by}"])} - {"paid", "list"}, set())
            for saving in {r["saving"] for r in rows_of(f["savings"])}:
                whole = sum(r["nusd"] for r in rows_of(f["savings"]) if r["saving"] == saving)
                for cube in ("cell_savings", "day_savings"):
                    self.assertEqual(sum(r["nusd"] for r in rows_of(f[cube]) if r["saving"] == saving), whole, saving)
            self.assertLessEqual(total(f["discarded"], "cost_nusd"), now)

    def test_more_values_than_are_named(self):
        """Of 40 tags 12 have a name; 0 stands for the others, and a tag that is the text '0' is itself."""
        db = self.open()
        ledger = self.ledger(db)
        ledger.write([ledger.call("gpt-4o", {"input": 1000 * (i + 1), "output": 1}, ts=NOW - DAY, tag=str(i)) for i in range(40)])
        ledger.seal()
        rows = rows_of(document(report(db, until=NOW))["figures"]["day_tags"])
        self.assertEqual({r["tag"] for r in rows}, {str(i) for i in range(28, 40)} | {0})
        self.assertEqual(sum(r["calls"] for r in rows if r["tag"] == 0), 28)

    def test_one_moment(self):
        """While others write, all figures of a page are of one moment: their totals are the same."""
        db = self.open()
        ledger = self.ledger(db)
        tags = [f"t{i}" for i in range(5)]
        value(db, "SELECT llm_config('store')")
        stop = threading.Event()

        def write():
            other = connect(self.path("desk.db"))
            while not stop.is_set():
                for tag in tags:
                    other.execute("SELECT llm_complete('x', json_object('model', 'nobody', 'tag', ?1, 'user', ?1, 'on_error', 'null'))", (tag,)).fetchall()
                other.execute("SELECT count(*) FROM llm_calls").fetchall()
            other.close()

        ledger.write([ledger.call("gpt-4o", {"input": 1000, "output": 1}, tag=t, user=t, ts=int(time.time() * 1000)) for t in tags])
        ledger.seal()
        writer = threading.Thread(target=write)
        writer.start()
        try:
            seen = set()
            for _ in range(12):
                figures = document(report(db))["figures"]
                errors = {name: total(figures[name], "errors") for name in ("days", "day_models", "day_tags", "day_users", "cells", "user_cells")}
                self.assertEqual(len(set(errors.values())), 1, errors)
                seen.add(errors["days"])
        finally:
            stop.set()
            writer.join()
        self.assertGreater(len(seen), 1)  # something was written meanwhile

    def test_a_share_is_of_the_whole(self):
        """Input contains what was read from a cache, of each provider: 8,780 of 9,980 tokens are 88 %."""
        db = self.open()
        ledger = self.ledger(db)
        ledger.write([ledger.call("gpt-4o", {"input": 4990, "cache_read": 4390}, ts=NOW - DAY),
                      ledger.call("claude-haiku-4-5", {"input": 4990, "cache_read": 4390}, "anthropic", ts=NOW - DAY)])
        ledger.seal()
        text = report(db, until=NOW, format="markdown")
        self.assertIn("| 88 % |", text)
        self.assertEqual([s for s in re.findall(r"\| ([\d,]+) % \|", text) if float(s.replace(",", "")) > 100], [])


class Pages(Folder):
    def test_it_needs_nothing_else(self):
        """Its policy lets two scripts run, by their hashes, and names no source; a year has under 1 MB."""
        for name, db, options in self.five():
            page = report(db, **options)
            policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page).group(1)
            scripts = re.findall(r"<script>(.*?)</script>", page, re.S)
            hashes = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts]
            self.assertEqual(re.findall(r"'sha256-([^']+)'", policy), hashes)
            self.assertEqual(len(hashes), 2)
            self.assertTrue(policy.startswith("default-src 'none';"), policy)
            self.assertNotRegex(policy, r"https?:|\*|unsafe-eval|script-src[^;]*unsafe")
            self.assertNotRegex(re.sub(r"<script>.*?</script>", "", page, flags=re.S), r"(?:src|href)=[\"']?(?:https?:)?//")
            self.assertLess(len(page.encode()), 1_000_000)

    def test_no_text_leaves_the_data(self):
        """Outside of what is packed the page of a hostile ledger is that of any other."""
        bare = lambda page: re.sub(r'id="data">[^<]*<', "", page)
        empty, hostile = reports.empty(self.tmp.name), reports.hostile(self.tmp.name)
        self.assertEqual(bare(report(hostile, until=NOW, prompts=True)), bare(report(empty, until=NOW, prompts=True)))
        doc = document(report(hostile, until=NOW, prompts=True))
        shown = {r["text"] for r in rows_of(doc["figures"]["dearest"])}
        self.assertEqual(shown, {t.split("\0")[0][:4000] for t in HOSTILE})
        self.assertIn("</script><script>document.title='owned'</script>", {r["tag"] for r in rows_of(doc["figures"]["prefix"])})

    def test_prompts_are_not_in_it_unless_asked_for(self):
        db = self.open()
        ledger = self.ledger(db)
        ledger.text("a" * 32, "MY SECRET PROMPT")
        ledger.text("b" * 32, "MY SECRET RULES")
        ledger.write([ledger.call("gpt-4o", {"input": 1000, "output": 1}, ts=NOW - DAY, prompt_hash="a" * 32, system_hash="b" * 32, system_tokens=900)])
        for form, read in (("html", lambda t: json.dumps(document(t))), ("markdown", str)):
            self.assertNotIn("MY SECRET", read(report(db, until=NOW, format=form)))
            self.assertIn("MY SECRET PROMPT", read(report(db, until=NOW, format=form, prompts=True)))
        self.assertIn("MY SECRET RULES", json.dumps(document(report(db, until=NOW, prompts=True))))


@unittest.skipUnless(shutil.which("cmark-gfm"), "needs cmark-gfm")
class Markdown(Folder):
    def html(self, text):
        done = subprocess.run(["cmark-gfm", "--unsafe", "-e", "table", "-e", "autolink", "-e", "strikethrough"], input=text, capture_output=True,
                              text=True, check=True)
        return done.stdout

    def test_texts_are_texts(self):
        """No link, no picture, no mark-up, no cell or line that a text made: as GitHub's own reader reads it."""
        db = reports.hostile(self.tmp.name)
        for options in ({}, {"prompts": True}):
            html = self.html(report(db, until=NOW, format="markdown", **options))
            tags = set(re.findall(r"<(/?[a-z0-9]+)", html)) - {f"{e}{t}" for e in ("", "/") for t in (
                "h1", "h2", "p", "table", "thead", "tbody", "tr", "th", "td", "pre", "code", "details", "summary", "em")}
            self.assertEqual(tags, set())
            self.assertEqual(set(re.findall(r"<em>(.*?)</em>", html)) - {"none", "others", "blank"}, set())
            for table in re.findall(r"<table>(.*?)</table>", html, re.S):
                widths = {len(re.findall(r"<t[hd]", row)) for row in re.findall(r"<tr>(.*?)</tr>", table, re.S)}
                self.assertEqual(len(widths), 1, table[:300])
                self.assertNotRegex(table, r"<td[^>]*></td>\s*</tr>\s*<tr>\s*<td[^>]*></td>\s*<td[^>]*></td>\s*<td[^>]*></td>\s*<td")

    def test_it_says_what_the_page_says(self):
        """The spend of the first table is the sum of the days; each section's total is the same."""
        for name, db, options in self.five():
            text = report(db, format="markdown", **options)
            doc = document(report(db, **options))
            spent = [r for r in rows_of(doc["figures"]["days"]) if r["day"] >= doc["meta"]["from_day"] and r["billed"] == "paid"]
            nusd = sum(r["cost_nusd"] or 0 for r in spent)
            if nusd >= 10**8:
                self.assertIn(f"| Spent | ${nusd / 1e9:,.2f} |", text)
                self.assertEqual(len(re.findall(rf"\| All \|.*\| \${re.escape(f'{nusd / 1e9:,.2f}')} \| 100 % \|", text)), text.count("\n| All |"))
            self.assertTrue(text.startswith(f"# LLM spending, {doc['meta']['label']}\n"), text[:80])
            for title in re.findall(r"^## (.*)$", text, re.M):
                self.assertIn("\n|---", text.split(f"\n## {title}\n")[1][:400])


class Only(Folder):
    def spent(self, db, tag, model):
        where = ["ts >= ? AND ts < ?", "coalesce(billed, 'paid') = 'paid'"]
        args = [NOW - 30 * DAY, NOW]
        for column, wish in (("tag", tag), ("llm_model_name(coalesce(model, model_requested))", model)):
            if wish is not None:
                where.append(f"{column} = ?")
                args.append(wish)
        return db.execute(f"SELECT coalesce(sum(cost_nusd), 0), sum(is_call) FROM llm_spend WHERE {' AND '.join(where)}", args).fetchone()

    def test_one_tag_or_model(self):
        """Markdown of a tag, a model or both: its spend and calls are the ledger's, and the sum of its parts."""
        db = reports.opened("desk")
        self.addCleanup(db.close)
        for tag, model in (("mail", None), ("it's", None), (None, "gpt-4o"), ("chat", "claude-haiku-4-5"), ("mail", "gpt-4o")):
            only = {k: v for k, v in (("tag", tag), ("model", model)) if v}
            text = report(db, until=NOW, format="markdown", **only)
            nusd, calls = self.spent(db, tag, model)
            with self.subTest(**only):
                self.assertGreater(nusd, 10**8)
                self.assertIn(f"| Spent | ${nusd / 1e9:,.2f} |", text)
                self.assertIn(f"| Calls | {calls} |", text)
                self.assertEqual(len(re.findall(rf"\| All \|.*\| \${re.escape(f'{nusd / 1e9:,.2f}')} \| 100 % \|", text)), 3, text[:3000])
                self.assertNotIn("not told apart", text)
                for other in {"mail", "chat", "it's"} - {tag} if tag else ():
                    self.assertNotIn(f"| {other} ", text.split("<details>")[0])

    def test_what_only_sums_know_is_told(self):
        """A year of sums: a tag's whole is known, its models only of the rows that are kept; the rest is a row of its own."""
        db = reports.opened("year")
        self.addCleanup(db.close)
        text = report(db, format="markdown", tag="team 3", **OF["year"])
        doc = document(report(db, **OF["year"]))
        nusd = total(doc["figures"]["day_tags"], "cost_nusd", tag="team 3") or None
        models = text.split("## By model")[1].split("##")[0]
        self.assertIn("_not told apart_", models)
        if nusd:
            self.assertIn(f"| Spent | ${nusd / 1e9:,.2f} |", text)
            self.assertIn(f"${nusd / 1e9:,.2f} | 100 % |", models)

    def test_a_page_opens_with_it(self):
        db = reports.opened("desk")
        self.addCleanup(db.close)
        doc = document(report(db, until=NOW, tag="$rows", model="m'x"))
        self.assertEqual((doc["meta"]["tag"], doc["meta"]["model"]), ("$rows", "m'x"))

    def test_a_small_one_has_a_name(self):
        """Be it among the dearest or not."""
        db = self.open()
        ledger = self.ledger(db)
        ledger.write([ledger.call("gpt-4o", {"input": 1000 * (i + 1), "output": 1}, ts=NOW - DAY, tag=f"t{i}") for i in range(40)])
        ledger.seal()
        self.assertIn("| t1 | 1 |", report(db, until=NOW, format="markdown", tag="t1"))


class Options(Folder):
    def test_files(self):
        db, there = self.open(), self.path("r.html")
        with open(there, "w") as f:
            f.write("what was there")
        self.assertIn("cannot write", error_of(db, "SELECT llm_report(?)", json.dumps({"to": self.path("no/folder.html")})))
        self.assertEqual(report(db, to=there), there)
        with open(there) as f:
            self.assertEqual(f.read().count("<title>"), 1)
        self.assertEqual(sorted(n for n in os.listdir(self.tmp.name) if "~" in n), [])
        os.chmod(there, 0o600)
        os.symlink(there, self.path("link.html"))
        report(db, to=self.path("link.html"))
        self.assertTrue(os.path.islink(self.path("link.html")))
        self.assertEqual(os.stat(there).st_mode & 0o777, 0o600)
        os.chmod(self.tmp.name, 0o500)
        if os.geteuid() != 0:
            self.assertIn("cannot write", error_of(db, "SELECT llm_report(?)", json.dumps({"to": there})))
        os.chmod(self.tmp.name, 0o700)
        out = shell(self.path("desk.db"), f".load {SO}\nSELECT llm_report('{{\"to\":\"/dev/stdout\",\"format\":\"markdown\"}}');")
        self.assertIn("# LLM spending", str(out))

    def test_what_was_there_stays(self):
        """Where the new one can't be written whole: the old one is as it was, and nothing lies about."""
        db, there = self.open(), self.path("r.html")
        with open(there, "w") as f:
            f.write("what was there")
        limit = f"import resource, sys; sys.path.insert(0, {os.path.dirname(os.path.abspath(__file__))!r}); from harness import connect; db = connect({self.path('desk.db')!r});" \
                f"resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000)); import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);" \
                f"db.execute('SELECT llm_report(?)', ('{{\"to\":\"{there}\"}}',)).fetchall()"
        out = subprocess.run(["/usr/bin/python3", "-c", limit], capture_output=True, text=True, env=dict(os.environ))
        self.assertIn("cannot write", out.stderr)
        with open(there) as f:
            self.assertEqual(f.read(), "what was there")
        self.assertEqual([n for n in os.listdir(self.tmp.name) if "~" in n], [])
        self.assertIn("No space left", error_of(db, "SELECT llm_report(?)", json.dumps({"to": "/dev/full"})))

    def test_what_is_wrong(self):
        db = self.open()
        for options, says in (('{"formt":1}', "did you mean 'format'"), ('{"format":"pdf"}', "'html' or 'markdown'"), ('{"period":"next month"}', "is no period"),
                              ('{"period":"2026","from":0}', "give 'period', or 'from' and 'until'"), ('{"from":0}', "1974 at the earliest"), ('{"period":"2999"}', "has not begun"), ("{", "not valid JSON"),
                              ('{"from":"2026-11-05","until":"2026-11-05"}', "ends before it begins"), ('{"prompts":"yes"}', "prompts")):
            self.assertIn(says, error_of(db, "SELECT llm_report(?)", options), options)
        self.assertIsNotNone(value(db, "SELECT llm_report(NULL)"))

    def test_it_is_no_part_of_an_estimate(self):
        db = self.open()
        self.assertIn("not while llm_estimate runs", error_of(db, "SELECT * FROM llm_estimate('SELECT llm_report()')"))

    def test_days_are_those_of_the_place(self):
        """A call at 23:30 UTC is of the next day in Kolkata, in every figure by day; the page names the place."""
        db = self.open()
        ledger = self.ledger(db)
        ts = NOW - 10 * DAY - HOUR // 2
        ledger.write([{**ledger.call("gpt-4o", {"input": 1000, "output": 1}, ts=ts, tag="a"), "error": "schema: no"}])
        ledger.seal()
        value(db, "SELECT llm_config('time_zone', 'Asia/Kolkata')")
        doc = document(report(db, until=NOW))
        self.assertEqual(doc["meta"]["zone"], "Asia/Kolkata")
        for name in ("days", "day_models", "day_tags", "day_users", "cells", "user_cells", "discarded"):
            self.assertEqual([r["day"] for r in rows_of(doc["figures"][name])], ["2026-11-18"], name)

    def test_stores_of_each_kind(self):
        """In a database that is read-only, in memory, and with the store in main."""
        db = self.open()
        ledger = self.ledger(db)
        ledger.write([ledger.call("gpt-4o", {"input": 1000, "output": 1}, ts=NOW - DAY)])
        ledger.seal()
        readonly = connect(f"file:{self.path('desk.db')}?mode=ro", uri=True)
        self.addCleanup(readonly.close)
        self.assertEqual(len(rows_of(document(report(readonly, until=NOW))["figures"]["cells"])), 1)
        memory = connect(":memory:")
        self.addCleanup(memory.close)
        self.assertIsNone(document(report(memory))["meta"]["database"])
        value(memory, "SELECT llm_complete('x', '{\"model\":\"nobody\",\"on_error\":\"null\"}')")
        value(memory, "SELECT llm_import(?)", os.path.join(reports.ROOT, "examples/two_months.jsonl"))
        doc = document(report(memory, period="2026-10"))
        self.assertEqual(total(doc["figures"]["days"], "calls"), 203)
        self.assertEqual(memory.execute(doc["figures"]["batches"]["sql"]).fetchall(), [])

    def test_inside_a_transaction_and_a_loop(self):
        db = self.open()
        db.execute("BEGIN")
        self.assertEqual(len(db.execute("SELECT llm_report('{\"format\":\"markdown\"}') FROM (SELECT 1 UNION ALL SELECT 2)").fetchall()), 2)
        db.execute("ROLLBACK")

    def test_the_example(self):
        db = self.open()
        ledger = self.ledger(db)
        ledger.write([ledger.call("gpt-4o", {"input": 1000, "output": 1}, tag="it's", ts=NOW - DAY)])
        ledger.seal()
        env = dict(os.environ, LLMCOST=SO[:-3])
        run = lambda *args: subprocess.run(["sh", os.path.join(reports.ROOT, "examples/report.sh"), *args], capture_output=True, text=True, env=env)
        self.assertEqual(rows_of(document(run(self.path("desk.db"), json.dumps({"until": NOW})).stdout)["figures"]["cells"])[0]["tag"], "it's")
        self.assertTrue(run(self.path("desk.db"), '{"format":"markdown"}').stdout.startswith("# LLM spending"))
        self.assertIn("there is no database", run(self.path("none.db")).stderr)
        self.assertIn("did you mean 'format'", run(self.path("desk.db"), '{"formt":"it\'s"}').stderr)
        self.assertEqual(run().returncode, 2)


if __name__ == "__main__":
    unittest.main()
