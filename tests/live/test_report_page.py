"""The page of llm_report in a browser: nothing is said on its console, nothing is asked of the network, filters, tables, files and
statements give the same numbers. (Debian's chromium; npm playwright-core and axe-core.)"""
import csv
import datetime
import io
import json
import os
import shutil
import subprocess
import unittest
import zoneinfo

import reports
from harness import NPM_DIR, ROOT, TempDir, clean_env, connect, error_of, npm_package, value
from ledgers import DAY, HOUR, NOW, Ledger
from reports import document, report, rows_of
from test_report import OF

LOOK = os.path.join(ROOT, "tests/live/look.js")
WIDTHS, THEMES = (1440, 768, 390), ("light", "dark")


def look(jobs, folder):
    path = os.path.join(folder, "jobs.json")
    with open(path, "w") as f:
        json.dump(jobs, f)
    out = subprocess.run(["node", LOOK, path], capture_output=True, text=True, timeout=240, env=clean_env(NODE_PATH=os.path.join(NPM_DIR, "node_modules")))
    if out.returncode:
        raise AssertionError(out.stderr[-2000:])
    return json.loads(out.stdout)


@unittest.skipUnless(shutil.which("chromium"), "needs chromium")
class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for package in ("playwright-core", "axe-core"):
            if not npm_package(package):
                raise unittest.SkipTest(f"needs npm {package}")

    def setUp(self):
        self.tmp = TempDir()
        self.addCleanup(self.tmp.cleanup)

    def open(self, name="desk.db"):
        db = connect(os.path.join(self.tmp.name, name))
        self.addCleanup(db.close)
        return db

    def page(self, db, name="page.html", **options):
        """The page's file, and what it is drawn from."""
        path = os.path.join(self.tmp.name, name)
        report(db, to=path, **options)
        with open(path, encoding="utf-8", newline="") as f:
            return path, document(f.read())

    def look(self, path, *steps, **more):
        found = look([{"page": path, "steps": [list(s) for s in steps], **more}], self.tmp.name)[0]
        self.assertEqual((found["messages"], found["requests"]), ([], []))
        return found["results"]


class Looks(Page):
    def test_five_ledgers(self):
        """At three widths, light and dark: nothing on the console, no request, nothing too wide, nothing that axe-core objects to; no text ran."""
        jobs, names = [], []
        for name, options in OF.items():
            db = reports.opened(name)
            path, _ = self.page(db, f"{name}.html", prompts=True, **options)
            db.close()
            for width in WIDTHS:
                for theme in THEMES:
                    names.append((name, width, theme))
                    draw = ["eval", "llmcost.tables ? llmcost.tables().length : 0"]
                    check = [["axe"]] if width == 1440 or (width, theme) == (390, "light") else []
                    jobs.append({"page": path, "width": width, "theme": theme, "steps": [draw, ["wait", 100], *check]})
        for name, found in zip(names, look(jobs, self.tmp.name)):
            with self.subTest(ledger=name):
                self.assertEqual((found["messages"], found["requests"], found["overflow"], sum(found["results"][1:], [])), ([], [], [], []))
                self.assertTrue(found["title"].startswith("LLM spending"), found["title"])


class Parts(unittest.TestCase):
    def test_in_node(self):
        """Filters, sums, sentences, CSV: without a browser."""
        if not shutil.which("node"):
            raise unittest.SkipTest("needs node")
        out = subprocess.run(["node", os.path.join(ROOT, "tests/live/report_unit.js")], capture_output=True, text=True)
        self.assertRegex(out.stdout, r"\d+ passed, 0 failed")


class Numbers(Page):
    def spent(self, doc, state, db):
        """Nano-dollars of a state of the filters, from the ledger itself."""
        where, args = ["ts >= ? AND ts < ?", "coalesce(billed, 'paid') = ?"], [doc["meta"]["from"], doc["meta"]["to"], state.get("billed", "paid")]
        for name, column in (("model", "llm_model_name(coalesce(model, model_requested))"), ("tag", "tag")):
            if name in state:
                where.append(f"{column} IS ?")
                args.append(state[name])
        for name, op in (("from", ">="), ("to", "<=")):
            if name in state:
                where.append(f"date(ts / 1000, 'unixepoch') {op} ?")
                args.append(state[name])
        return db.execute(f"SELECT sum(cost_nusd), sum(is_call), sum(is_hit) FROM llm_spend WHERE {' AND '.join(where)}", args).fetchone()

    def states(self, doc):
        models = [r["model"] for r in rows_of(doc["figures"]["day_models"]) if isinstance(r["model"], str)]
        tags = [r["tag"] for r in rows_of(doc["figures"]["day_tags"]) if r["tag"] != 0]
        days = sorted({r["day"] for r in rows_of(doc["figures"]["cells"])})
        some = {"from": days[len(days) // 3], "to": days[2 * len(days) // 3]}
        for billed in ("paid", "list"):
            for model in [None, *sorted(set(models))[:3]]:
                for tag in ["*", *sorted(set(tags), key=str)[:3]]:
                    for dates in ({}, some):
                        yield {"billed": billed, **({"model": model} if model else {}), **({} if tag == "*" else {"tag": tag}), **dates}

    ASK = """(state) => { llmcost.set(state); llmcost.tables();
      const money = (at) => [...document.querySelectorAll(at)].map(e => e.dataset.nusd === '' ? null : Number(e.dataset.nusd));
      return {now: money("#now [data-figure=spend]"), foot: money("#spend tfoot [data-figure=spend]"), total: llmcost.total("spend"), calls: llmcost.total("calls"),
        hits: llmcost.total("hits"), csv: llmcost.csv("spend_values"), days: llmcost.csv("spend_days"), sql: document.querySelector("#spend details.sql")?.statements} }"""

    def each_state(self, name, most):
        """(state, what the page says of it, the document, the ledger)"""
        db = reports.opened(name)
        self.addCleanup(db.close)
        path, doc = self.page(db, f"{name}.html", **OF[name])
        states = list(self.states(doc))
        states = states[::max(1, len(states) // most)]
        results = self.look(path, *[["eval", f"({self.ASK})({self.wish(s, doc)})"] for s in states])
        self.assertEqual(len(results), len(states))
        return [(state, found, doc, db) for state, found in zip(states, results)]

    def check_one_number(self, found, nusd, db):
        self.assertEqual(set(found["now"] + found["foot"]) - {nusd}, set())
        self.assertEqual(found["total"] or 0, nusd or 0)
        if nusd and found["csv"]:
            self.assertEqual(self.csv_sum(found["csv"]), nusd)
            self.assertEqual(self.csv_sum(found["days"]), nusd)
            self.assertEqual(db.execute(found["sql"][0]["sql"]).fetchone()[0], nusd, found["sql"][0]["sql"])

    def test_every_filter(self):
        """Headline, foot of the table, CSV, and each statement that the section names: one number, which is the ledger's."""
        for state, found, doc, db in self.each_state("desk", 40):
            with self.subTest(state=state):
                nusd, calls, hits = self.spent(doc, state, db)
                self.assertEqual((found["calls"] or 0, found["hits"] or 0), (calls or 0, hits or 0))
                self.check_one_number(found, nusd if calls else 0, db)

    def test_every_filter_elsewhere(self):
        """The same where only sums are known, of imports and of hostile texts: what the section's statement gives."""
        for name in ("imported", "year", "hostile"):
            for state, found, doc, db in self.each_state(name, 8):
                with self.subTest(ledger=name, state=state):
                    nusd = db.execute(found["sql"][0]["sql"]).fetchone()[0] if found["sql"] else None
                    self.check_one_number(found, nusd if nusd is not None or found["calls"] else 0, db)

    def wish(self, state, doc):
        """What llmcost.set takes: all of them, as the state of a page without filters has them."""
        every = {"from": doc["meta"]["from_day"], "to": doc["meta"]["to_day"]}
        text = json.dumps({**every, **state})
        return "{..." + text + "".join(f", {k}: undefined" for k in ("model", "tag") if k not in state) + "}"

    def csv_sum(self, text):
        rows = list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"), newline="")))
        column = next(c for c in rows[0] if c.startswith("spent") or "cost" in c)
        return sum(round(float(r[column]) * 1e9) for r in rows if r[column])

    def test_why_follows_months_and_weeks(self):
        """The sentence, the waterfall and the statement of a week are llm_drift's of that week against the one before."""
        db = reports.opened("desk")
        self.addCleanup(db.close)
        path, doc = self.page(db, "why.html", **OF["desk"])
        ranges = sorted({(r["first_day"], r["last_day"]) for r in rows_of(doc["figures"]["drift_ranges"])})
        self.assertGreaterEqual(len(ranges), 6)
        ask = """(state) => { llmcost.set({...state, model: undefined, tag: undefined}); llmcost.tables();
          return [document.querySelector("#now .answer").textContent, Number(document.querySelector("#why tfoot [data-figure=change]").dataset.nusd)] }"""
        found = self.look(path, *[["eval", f"({ask})({json.dumps({'from': a, 'to': b})})"] for a, b in ranges])
        for (first, last), (answer, change) in zip(ranges, found):
            at = lambda day, days=0: int((datetime.datetime.fromisoformat(day) + datetime.timedelta(days)).replace(tzinfo=datetime.timezone.utc).timestamp() * 1000)
            from_, to = at(first), at(last, 1)
            rows = db.execute("SELECT driver, text, change_nusd FROM llm_drift(?, ?, ?, ?)", (2 * from_ - to, from_, from_, to)).fetchall()
            self.assertEqual(answer, rows[0][1])
            self.assertEqual(change, sum(r[2] or 0 for r in rows[1:]))

    def test_savings_follow_the_days(self):
        """What was saved in some days is llm_savings' of these days."""
        db = reports.opened("desk")
        self.addCleanup(db.close)
        path, doc = self.page(db, "saved.html", **OF["desk"])
        first, last = doc["meta"]["from"] + 5 * DAY, doc["meta"]["from"] + 12 * DAY
        day = lambda ts: datetime.datetime.utcfromtimestamp(ts / 1000).strftime("%Y-%m-%d")
        ask = f"""(llmcost.set({{from: '{day(first)}', to: '{day(last - DAY)}', model: undefined, tag: undefined}}), llmcost.tables(),
          Number(document.querySelector("#savings tfoot [data-figure=savings]").dataset.nusd))"""
        saved = db.execute("SELECT sum(CASE WHEN saving IN ('baseline', 'spend') THEN 0 ELSE nusd END) FROM llm_savings(?) WHERE billed = 'paid'",
                           (json.dumps({"from": first, "to": last}),)).fetchone()[0]
        self.assertEqual(self.look(path, ["eval", ask]), [saved])

    def test_days_of_three_kinds(self):
        """A ledger that begins within the period, a gap, a day that cost nothing, and today at two in the night: each looks its own."""
        db = self.open()
        ledger = Ledger(db, os.path.join(self.tmp.name, "desk.db"))
        now = int(value(db, "SELECT unixepoch('now') * 1000"))
        today = now - now % DAY
        usage = {"input": 1000, "output": 10}
        ledger.write([ledger.call("gpt-4o", usage, ts=today - i * DAY + HOUR // 2) for i in (20, 19, 18, 10, 9)] +
                     [ledger.hit(ts=today - 8 * DAY), ledger.call("gpt-4o", usage, ts=today + min(HOUR, now - today) // 2)])
        ledger.seal()
        ledger.close()
        path, doc = self.page(db)
        rows = list(csv.DictReader(io.StringIO(self.look(path, ["eval", "(llmcost.tables(), llmcost.csv('spend_days'))"])[0].lstrip("\ufeff"), newline="")))
        day = lambda i: datetime.datetime.utcfromtimestamp((today - i * DAY) / 1000).strftime("%Y-%m-%d")
        state = {r["day"]: r["state"] for r in rows}
        self.assertEqual({state[day(i)] for i in (29, 21, 17, 11, 5)}, {"no data"})
        self.assertEqual(state[day(8)], "zero")
        self.assertNotIn(state[day(20)], ("no data", "zero", "so far"))
        self.assertEqual(state[day(0)], "so far")
        self.assertEqual({r["cost_usd"] for r in rows if r["state"] == "no data"}, {""})
        self.assertFalse(doc["meta"]["is_over"])

    def test_csv_of_any_text(self):
        """A text that a spreadsheet would take for a formula has an apostrophe; a number never; and sums stay."""
        db = self.open()
        ledger = Ledger(db, os.path.join(self.tmp.name, "desk.db"))
        tags = ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", '"=1+1"', " =1+1", "a,b", 'say "x"', "two\nlines", "plain"]
        ledger.write([ledger.call("gpt-4o", {"input": 1000 + i, "output": 10}, ts=NOW - DAY, tag=t) for i, t in enumerate(tags)])
        ledger.seal()
        ledger.close()
        path, doc = self.page(db, until=NOW)
        text = self.look(path, ["click", "input[name=by][value=tag]"], ["save", "#spend .table .csv"])[0]
        self.assertTrue(text.startswith("\ufeff"))
        self.assertNotIn("\n", text.replace("\r\n", "").replace("two\nlines", ""))
        rows = list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"), newline="")))
        cells = {r["tag"] for r in rows}
        for tag in tags:
            shown = [c for c in cells if c.lstrip("'") == tag or c == tag]
            self.assertEqual(len(shown), 1, (tag, cells))
            first = tag.lstrip(" \"")[:1]
            self.assertEqual(shown[0].startswith("'"), first in "=+-@\t\r", tag)
        self.assertEqual(self.csv_sum(text), sum(r["cost_nusd"] for r in rows_of(doc["figures"]["day_tags"])))
        loss = self.look(path, ["eval", "csvOf([{key:'a',label:'a',kind:'money'},{key:'b',label:'b',kind:'text'}], [{a:-12300000,b:'-12'}])"])[0]
        self.assertIn("-0.012300000,'-12", loss)


class Hands(Page):
    """What a person does with it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = TempDir()
        cls.addClassCleanup(cls.folder.cleanup)
        db = reports.opened("desk")
        cls.path = os.path.join(cls.folder.name, "page.html")
        report(db, to=cls.path, **OF["desk"])
        db.close()

    def test_filters_by_hand(self):
        """Chosen from the form, kept in the address over a reload, and cleared."""
        spend = ["eval", "document.querySelector('#now [data-figure=spend]').textContent"]
        all_, one, kept, words, cleared = self.look(
            self.path, spend, ["select", "#model", "gpt-4o"], ["select", "#tag", "mail"], spend, ["reload"], ["wait", 300], spend,
            ["eval", "document.querySelector('#now-title').textContent"], ["click", "#clear"], spend)
        self.assertEqual((all_, one), (cleared, kept))
        self.assertNotEqual(all_, one)
        self.assertIn("gpt-4o", words)
        self.assertIn("mail", words)

    def test_tables_sort(self):
        column = "[...document.querySelectorAll('#spend > .body > div > .table tbody td:nth-child(2)')].map(e => Number(e.textContent.replace(/,/g, '')))"
        head = "#spend > .body > div > .table th[data-key=calls]"
        once, aria, twice = self.look(self.path, ["click", f"{head} button"], ["eval", column], ["eval", f"document.querySelector('{head}').getAttribute('aria-sort')"],
                                      ["press", "Enter"], ["eval", column])
        self.assertEqual(aria, "descending")
        self.assertEqual(once, sorted(once, reverse=True))
        self.assertEqual(twice, sorted(once))

    def test_switches(self):
        """Model, tag, user; chart and table; light and dark: each by a key, too."""
        heads = "document.querySelector('#spend > .body > div > .table th').textContent"
        shown = "[document.querySelector('#spend .view').hidden, document.querySelector('#spend .toggle').getAttribute('aria-pressed')]"
        back = "getComputedStyle(document.body).backgroundColor"
        found = self.look(self.path, ["eval", heads], ["click", "input[name=by][value=tag]"], ["eval", heads], ["press", "ArrowRight"], ["eval", heads],
                          ["eval", shown], ["click", "#spend .toggle"], ["eval", shown], ["eval", back], ["select", "#theme", "dark"], ["eval", back])
        self.assertEqual(found[:3], ["model", "tag", "user"])
        self.assertEqual(found[3:5], [[False, "false"], [True, "true"]])
        self.assertNotEqual(found[5], found[6])

    def test_a_statement_is_copied(self):
        found = self.look(self.path, ["click", "#spend details.sql summary"], ["click", "#spend details.sql .copy"], ["wait", 200],
                          ["eval", "[document.querySelector('#spend details.sql .copy').textContent, document.querySelector('#spend details.sql pre').textContent]"])
        self.assertEqual(found[0][0], "Copied")
        self.assertIn("sum(cost_nusd)", found[0][1])

    def test_by_keys_alone(self):
        """The first Tab is the way past the filters; each control is reached, and what has the focus is seen."""
        steps = [["press", "Tab"], ["eval", "document.activeElement.className"]]
        for _ in range(24):
            steps += [["press", "Tab"], ["eval", "[document.activeElement.tagName, getComputedStyle(document.activeElement).outlineStyle]"]]
        found = self.look(self.path, *steps)
        self.assertEqual(found[0], "skip")
        self.assertLessEqual({"SELECT", "INPUT", "BUTTON"}, {f[0] for f in found[1:]})
        self.assertNotIn("none", {f[1] for f in found[1:]})

    def test_paper(self):
        """On A4 all sections are there, and what was filtered is said."""
        paper = os.path.join(self.tmp.name, "page.pdf")
        self.look(self.path, ["select", "#model", "gpt-4o"], ["pdf", paper])
        if shutil.which("pdftotext"):
            text = subprocess.run(["pdftotext", "-layout", paper, "-"], capture_output=True, text=True, check=True).stdout
            self.assertIn("gpt-4o, all tags", " ".join(text.split()))
            for title in ("Spending over time", "Why it changed", "What was saved", "What to do next", "Limits"):
                self.assertIn(title, text)


class Words(Page):
    def test_times_are_of_the_place(self):
        """Three zones, three languages of the browser: days, the end of a limit and the dearest day are the same words; the end is the refusal's."""
        db = self.open()
        ledger = Ledger(db, os.path.join(self.tmp.name, "desk.db"))
        ts = int(value(db, "SELECT unixepoch('now') * 1000")) - 1000  # of this month, wherever it is
        ledger.write([ledger.call("gpt-4o", {"input": 100_000, "output": 10}, ts=ts)])
        ledger.seal()
        ledger.close()
        db.execute("INSERT INTO llm_budgets(scope, period, limit_usd) VALUES ('*', 'month', 0.2)")
        value(db, "SELECT llm_secret('OPENAI_API_KEY', 'sk-never-sent')")
        jobs, expected = [], []
        for zone in ("UTC", "Asia/Kolkata", "America/Los_Angeles"):
            value(db, "SELECT llm_config('time_zone', ?)", zone)
            path, _ = self.page(db, f"{zone.replace('/', '-')}.html", period="this month")
            until = value(db, "SELECT until_time FROM llm_budget_status")
            self.assertIn(until, error_of(db, "SELECT llm_complete('x', '{\"model\":\"gpt-4o\"}')"))
            day = datetime.datetime.fromtimestamp(ts / 1000, zoneinfo.ZoneInfo(zone)).strftime("%a %Y-%m-%d")
            for locale in ("en-US", "de-DE", "ar-EG"):
                expected.append((zone, day, until))
                jobs.append({"page": path, "locale": locale, "steps": [["eval", "(llmcost.tables(), document.body.innerText)"]]})
        for (zone, day, until), found in zip(expected, look(jobs, self.tmp.name)):
            for words in (zone, day, until):
                self.assertIn(words, found["results"][0])

    def test_a_place_that_the_browser_does_not_know(self):
        """Days are the ledger's all the same; times of day are UTC, and that is said."""
        db = self.open()
        ledger = Ledger(db, os.path.join(self.tmp.name, "desk.db"))
        ledger.write([ledger.call("gpt-4o", {"input": 1000, "output": 1}, ts=NOW - HOUR // 2)])  # 00:30 there: of another day
        ledger.seal()
        ledger.close()
        value(db, "SELECT llm_config('time_zone', 'posix/Europe/Oslo')")
        path, doc = self.page(db, until="2026-11-28T12:00:00Z")
        about, total = self.look(path, ["eval", "document.querySelector('#about').textContent"], ["eval", "llmcost.total('spend')"])
        self.assertIn("this browser does not know that place", about)
        self.assertEqual((doc["meta"]["to_day"], total), ("2026-11-28", rows_of(doc["figures"]["days"])[0]["cost_nusd"]))
        self.assertEqual(rows_of(doc["figures"]["days"])[0]["day"], "2026-11-28")


if __name__ == "__main__":
    unittest.main()
