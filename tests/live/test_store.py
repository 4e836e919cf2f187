"""The store as it is documented, brought up to date, and shared by builds that differ."""
import hashlib
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
import unittest

from harness import ROOT, SO, Desk, connect, open_desk, value

DATA = os.path.join(ROOT, "tests/data")
ALL_VIEWS = "SELECT name, sql FROM sqlite_schema WHERE type = 'view' AND name LIKE 'llm%' ORDER BY name"


def error_of(db, sql):
    try:
        db.execute(sql).fetchall()
    except sqlite3.Error as e:
        return str(e)
    return None


def change(path, *statements):
    """By any SQLite tool."""
    db = sqlite3.connect(path, isolation_level=None)
    for sql in statements:
        db.execute(sql)
    db.close()


def look(path, sql):
    db = sqlite3.connect(path)
    found = db.execute(sql).fetchall()
    db.close()
    return found


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def build_with_views(folder, edit):
    """An extension like ours whose views.sql is another."""
    folders = [os.path.join(ROOT, "sql", f) for f in ("", "report", "report/page")]
    files = [os.path.join(f, n) for f in folders for n in sorted(os.listdir(f)) if n.endswith((".sql", ".tsv", ".js", ".css", ".html"))]
    views = os.path.join(folder, "views.sql")
    with open(os.path.join(ROOT, "sql/views.sql")) as f, open(views, "w") as to:
        to.write(edit(f.read()))
    files = [views if os.path.basename(path) == "views.sql" else path for path in files]
    c, so = os.path.join(folder, "sql_text.c"), os.path.join(folder, "llmcost.so")
    with open(c, "w") as f:
        subprocess.run(["awk", "-f", os.path.join(ROOT, "sql/embed.awk"), *files], stdout=f, check=True)
    objects = [os.path.join(d, n) for top in ("ext", "vec") for d, _, ns in os.walk(os.path.join(ROOT, "build/so", top))
               for n in ns if n.endswith(".o") and os.path.exists(os.path.join(ROOT, os.path.relpath(
                   os.path.join(d, n), os.path.join(ROOT, "build/so"))[:-2] + ".c"))]
    libs = subprocess.run(["pkg-config", "--libs", "libcurl", "libcjson", "libxxhash", "libutf8proc", "libpcre2-8",
                           "libsodium", "zlib", "libbrotlidec"], capture_output=True, text=True, check=True).stdout.split()
    subprocess.run(["cc", "-shared", "-fPIC", "-w", "-I" + ROOT, "-o", so, c, *objects, *libs, "-lpthread", "-lm"],
                   check=True)
    return so


class Documents(Desk):
    def test_each_view_is_told_of(self):
        value(self.db, "SELECT llm_complete('x')")
        with open(os.path.join(ROOT, "sql/manual/ledger.md")) as f:
            page = f.read()
        made = {r[0] for r in look(self.path + "-llmcost", ALL_VIEWS)}
        self.assertEqual(made - set(re.findall(r"`(\w+)`", page)), set())
        inner = page.split("there are also the views")[1].split("\n\n")[0]  # what views of costs are made of
        for view in made - set(re.findall(r"`(\w+)`", inner)):
            self.assertIsNone(error_of(self.db, f"SELECT * FROM {view}"), "each can be read by its bare name")


class Kinds(Desk):
    """What a kind counts as: the list in C beside the view that all others select from."""

    def setUp(self):
        super().setUp()
        with open(os.path.join(ROOT, "ext/store/db/kinds.h")) as f:
            found = re.findall(r'^  X\(\w+, "(\w+)", ([01]), ([01]), ([01])\)', f.read(), re.M)
        self.kinds = {word: tuple(map(int, flags)) for word, *flags in found}

    def test_the_view_and_the_list_agree(self):
        value(self.db, "SELECT llm_complete('x')")
        self.db.close()
        change(self.path + "-llmcost", "DELETE FROM llm_calls",
               *(f"INSERT INTO llm_calls(request_id, attempt, ts, kind, cost_nusd) VALUES ('x', {attempt}, 0, '{kind}', {cost})"
                 for kind in self.kinds for attempt in (1, 2) for cost in ("NULL", "7")))
        self.db = open_desk(self.path, self.standin.url)
        seen = self.db.execute("SELECT kind, attempt, cost_nusd, is_call, is_hit, is_miss, is_unpriced FROM llm_spend")
        wanted = [(kind, attempt, cost, is_call, is_hit, int(is_miss and attempt == 1), int(is_call and cost is None))
                  for kind, (is_call, is_hit, is_miss) in self.kinds.items() for attempt in (1, 2) for cost in (None, 7)]
        self.assertEqual(sorted(seen, key=str), sorted(wanted, key=str))
        calls = 4 * sum(is_call for is_call, _, _ in self.kinds.values())
        value(self.db, "SELECT llm_check('{\"repair\":true}')")
        self.assertEqual(self.db.execute("SELECT calls, unpriced FROM llm_cost_by_tag").fetchall(), [(calls, calls // 2)])
        self.assertGreater(calls, 0)

    def test_no_other_view_lists_kinds(self):
        with open(os.path.join(ROOT, "sql/views.sql")) as f:
            text = f.read()
        self.assertEqual(len(re.findall(r"kind IN", text)), 3)
        self.assertEqual(set(re.findall(r"'(\w+)'", " ".join(re.findall(r"kind (?:IN|=) (?:\([^)]*\)|'\w+')", text))))
                         - set(self.kinds), set())

    def test_the_manual_says_what_each_is(self):
        with open(os.path.join(ROOT, "sql/manual/ledger.md")) as f:
            line = next(line for line in f if line.startswith("| `kind` |"))
        self.assertEqual(set(self.kinds) - set(re.findall(r"`(\w+)`", line)), {"batch"})  # no batches are sent yet


class TwoBuilds(Desk):
    """Builds of one version whose views differ use a store by turns."""

    @staticmethod
    def edit(text):
        """A view more, a column less in another, and one under a name that ours don't know."""
        text = re.sub(r"CREATE VIEW IF NOT EXISTS main.llm_retries AS.*?;\n",
                      "CREATE VIEW IF NOT EXISTS main.llm_slowest AS SELECT max(latency_ms) AS ms FROM llm_calls;\n"
                      "CREATE VIEW IF NOT EXISTS main.llm_retries AS SELECT count(*) AS n FROM llm_calls;\n",
                      text, flags=re.S)
        return text + "CREATE VIEW IF NOT EXISTS main.llm_of_tomorrow(a) AS SELECT ms FROM llm_slowest;\n"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = tempfile.mkdtemp(prefix="llmcost-test-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.other = build_with_views(cls.folder, cls.edit)

    STORE = "-llmcost"

    def open(self, so):
        return open_desk(self.path, self.standin.url, so=so)

    def check(self, so, asked):
        db = self.open(so)
        self.assertIn("ref", value(db, f"SELECT llm_complete('{asked}')"))
        db.close()
        names = {r[0] for r in look(self.path + self.STORE, ALL_VIEWS)}
        self.assertEqual("llm_slowest" in names, so == self.other)
        for name in names:
            look(self.path + self.STORE, f"SELECT * FROM {name}")
        return look(self.path + self.STORE, ALL_VIEWS)

    def test_by_turns(self):
        self.db.close()
        ours, theirs = self.check(SO, "a"), self.check(self.other, "b")
        self.assertNotEqual(ours, theirs)
        for i in range(2):
            self.assertEqual(self.check(SO, f"c{i}"), ours)
            self.assertEqual(self.check(self.other, f"d{i}"), theirs)
        self.assertEqual(look(self.path + self.STORE, "SELECT kind, count(*) FROM llm_calls GROUP BY 1"), [("call", 6)])
        self.assertEqual(look(self.path + self.STORE, "PRAGMA integrity_check"), [("ok",)])

    def test_at_the_same_time(self):
        self.db.close()
        first, second = self.open(SO), self.open(self.other)
        for i in range(3):
            for db in (first, second):
                self.assertIn("ref", value(db, f"SELECT llm_complete('e{i}')"))
                self.assertIsNone(error_of(db, "SELECT * FROM llm_cost_daily"))
        self.assertEqual(value(first, "SELECT count(*) FROM llm_calls"), 6)
        first.close()
        second.close()


class TwoBuildsInMain(TwoBuilds):
    STORE = ""

    def open(self, so):
        db = super().open(so)
        value(db, "SELECT llm_config('store', 'main')")
        return db

    def check(self, so, asked):
        """There a name that is not known is the user's own: such a view stays where ours don't name it."""
        db = self.open(so)
        self.assertIn("ref", value(db, f"SELECT llm_complete('{asked}')"))
        db.close()
        for name, _ in look(self.path, ALL_VIEWS):
            look(self.path, f"SELECT * FROM {name}")
        return look(self.path, ALL_VIEWS)


class OtherViews(Desk):
    """Views that are not ours are dropped where the store says that another build made them, and refused else."""

    def setUp(self):
        super().setUp()
        value(self.db, "SELECT llm_complete('x')")
        self.db.close()
        self.store = self.path + "-llmcost"
        self.made = look(self.store, ALL_VIEWS)

    def ask(self):
        db = open_desk(self.path, self.standin.url)
        said = error_of(db, "SELECT llm_complete('x')")
        db.close()
        return said

    LIES = ("DROP VIEW llm_cost_daily", "CREATE VIEW llm_cost_daily AS SELECT 1 AS day")
    NOTED = ("UPDATE llm_meta SET value = '00 llm_cost_daily llm_old' WHERE name = 'views'",)
    MORE = ("CREATE VIEW llm_old AS SELECT 2 AS two",)

    def test_noted(self):
        for sql in (self.NOTED, self.LIES + self.NOTED, self.MORE + self.NOTED, ("DELETE FROM llm_meta WHERE name = 'views'",),
                    ("UPDATE llm_meta SET value = x'00' WHERE name = 'views'",), ("DROP VIEW llm_unpriced",) + self.NOTED):
            change(self.store, *sql)
            self.assertIsNone(self.ask(), sql)
            self.assertEqual(look(self.store, ALL_VIEWS), self.made, sql)

    def test_not_noted(self):
        copy = self.store + ".copy"
        shutil.copy(self.store, copy)
        for sql, says in ((self.LIES, "view 'llm_cost_daily' is not ours"), (self.MORE, "view 'llm_old' is not ours"),
                          (("CREATE VIEW other AS SELECT 1",) + self.NOTED, "view 'other' is not ours"),
                          (("ALTER TABLE llm_texts RENAME TO t0", "CREATE VIEW llm_texts AS SELECT hash, text FROM t0",
                            "UPDATE llm_meta SET value = '00 llm_texts' WHERE name = 'views'"), "is not ours"),
                          (("CREATE TRIGGER t INSTEAD OF INSERT ON llm_cost_daily BEGIN SELECT 1; END",) + self.NOTED,
                           "trigger 't' is not ours"),
                          (("DROP TABLE llm_feedback",) + self.NOTED, "llm_feedback is missing")):
            shutil.copy(copy, self.store)
            change(self.store, *sql)
            before = digest(self.store)
            self.assertIn(says, self.ask(), sql)
            self.assertEqual(digest(self.store), before)

    def test_a_mark_is_needed_as_ever(self):
        change(self.store, *self.NOTED, "DELETE FROM llm_marks")
        before = digest(self.store)
        self.assertIn("not made by this installation", self.ask())
        self.assertEqual(digest(self.store), before)

    def test_a_marked_store_of_version_4_needs_no_word(self):
        change(self.store, *self.LIES, "DELETE FROM llm_meta WHERE name = 'views'", "PRAGMA user_version = 4",
               "UPDATE llm_meta SET value = 4 WHERE name = 'schema_version'")
        self.assertIsNone(self.ask())
        self.assertEqual(look(self.store, ALL_VIEWS), self.made)

    def test_what_is_read_first_is_ours_in_any_version(self):
        change(self.store, "DROP TABLE llm_marks", "CREATE TABLE llm_marks(installation PRIMARY KEY, mark)",
               "PRAGMA user_version = 4", "UPDATE llm_meta SET value = 4 WHERE name = 'schema_version'")
        self.assertIn("table 'llm_marks' is not ours", self.ask())


class Newer(Desk):
    """A store of a version that is not known yet: said so, and not touched."""

    def newer(self, fixture):
        path = os.path.join(self.tmp.name, fixture)
        shutil.copy(os.path.join(DATA, fixture), path)
        change(path, "UPDATE llm_meta SET value = 99 WHERE name = 'schema_version'", "CREATE TABLE llm_future(a)",
               "CREATE INDEX llm_calls_future ON llm_calls(tag)", "ALTER TABLE llm_answers ADD COLUMN future",
               *(["PRAGMA user_version = 99"] if fixture.startswith("store") else []))
        return path, digest(path)

    def check(self, path, before):
        self.assertEqual(digest(path), before)
        if os.path.exists(path + "-wal"):
            self.assertEqual(os.path.getsize(path + "-wal"), 0)

    def test_a_file(self):
        path, before = self.newer("store_v4.db")
        value(self.db, "SELECT llm_config('store', ?)", path)
        for sql in ("SELECT llm_complete('x')", "SELECT count(*) FROM llm_calls", "SELECT llm_trust_store()"):
            self.assertRegex(error_of(self.db, sql), r"was made by a newer llmcost \(version 99, ours \d+\)")
        self.db.close()
        self.check(path, before)

    def test_main(self):
        path, before = self.newer("main_v4.db")
        db = connect(path)
        self.assertIn("newer llmcost (version 99", error_of(db, "SELECT llm_trust_store()"))
        db.close()
        self.check(path, before)


if __name__ == "__main__":
    unittest.main()
