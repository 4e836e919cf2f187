"""What the guard reads as a name, beside what SQLite itself reads: thousands of texts, random but repeatable."""
import os
import random
import sqlite3
import unittest

from harness import TempDir, connect, error_of, value

JUNK = ["/*", "*/", "--", "'", "''", '"', "[", "]", "`", " ", "\t", "llm_complete", "llm_complete(a)", "LLM_COMPLETE", "x", "(", ")",
        ",", ";", "é", "/", "*", "-", "$", "0"]


class Writer:
    """Writes SQL that is valid whatever junk is in it."""

    def __init__(self, seed):
        self.r = random.Random(seed)

    def junk(self, without=()):
        text = "".join(self.r.choice(JUNK) for _ in range(self.r.randrange(6)))
        for part in without:
            text = text.replace(part, "")
        return text

    def comment(self):
        if self.r.random() < 0.5:
            return "--" + self.junk(["\n"]) + "\n"
        while True:
            text = self.junk(["*/"])
            if "*/" not in text and not text.endswith("*") and text[:1] != "/":
                return "/*" + text + "*/"

    def blank(self):
        return "".join(self.r.choice([" ", "\n", "\t", "\f", "\r", self.comment()]) for _ in range(self.r.randrange(3)))

    def string(self):
        return "'" + self.junk().replace("'", "''") + "'"

    def identifier(self):
        text = self.junk() + str(self.r.randrange(10 ** 9))  # never the bare name
        kind = self.r.choice('"`[')
        if kind == "[":
            return "[" + text.replace("]", "") + "]"
        return kind + text.replace(kind, kind * 2) + kind

    def name(self):
        word = "".join(self.r.choice([c.upper(), c]) for c in "llm_complete")
        return self.r.choice(["{}", '"{}"', "[{}]", "`{}`"]).format(word)

    def call(self):
        return f"{self.name()}{self.blank()}({self.blank()}a{self.blank()})"

    def table(self, calls):
        checked = self.call() if calls else f"length({self.blank()}a{self.blank()} || {self.string()})"
        b = self.blank
        return (f"CREATE{b()} TABLE t{b()}(a{b()} TEXT{b()},{b()}{self.identifier()}{b()} TEXT{b()} DEFAULT{b()} {self.string()}{b()},"
                f"{self.identifier()} {b()}CHECK{b()}({b()}{checked}{b()} IS NOT{b()} {self.string()} || 'y'){b()}){b()}")


class Words(unittest.TestCase):
    CASES = 1500

    def test_what_sqlite_would_call_is_found_and_nothing_else(self):
        plain = sqlite3.connect(":memory:", isolation_level=None)
        called = []
        plain.create_function("llm_complete", 1, called.append)
        db = connect(":memory:")
        for seed in range(self.CASES):
            sql = Writer(seed).table(calls=seed % 2)
            called.clear()
            plain.execute(sql)
            plain.execute("INSERT INTO t(a) VALUES ('q')")
            self.assertEqual(bool(called), bool(seed % 2), sql)
            plain.execute("DROP TABLE t")
            db.execute(sql)
            if called:
                self.assertIn("names llm_complete", error_of(db, "INSERT INTO t(a) VALUES ('q')"), sql)
                self.assertIn("names llm_complete", error_of(db, "SELECT llm_complete('q', '{\"dry_run\":true}')"), sql)
            else:
                db.execute("INSERT INTO t(a) VALUES ('q')")
                try:
                    self.assertIn("url", value(db, "SELECT llm_complete('q', '{\"dry_run\":true}')"))
                except sqlite3.Error as e:
                    self.fail(f"{e}: {sql}")
            db.execute("DROP TABLE t")

    def test_embed_is_an_ordinary_word(self):
        """One plain argument is the pure function; more may be the one that sends."""
        refused = ["v AS (embed(t, 'm'))", "v CHECK (embed(t/*)*/,'m') <> 1)", "v CHECK (embed /* ( */ (t,'m') <> 1)", 'v CHECK ("embed"(t, t) <> 1)',
                   "v CHECK (embed(t || ')', 'm') <> 1)", "v CHECK (embed('a)', 'm') <> 1)", "v CHECK (embed(\nt\n,\n'm') <> 1)"]
        refused += ["v AS (embed(lower(t), 'm'))", "v CHECK (embed((t),'m') <> 1)", "v CHECK (embed('a''b', 'm') <> 1)",
                    "v CHECK (embed(t -- )\n, 'm') <> 1)", 'v CHECK (embed("t)", t) <> 1)']
        fine = ["v AS (embed(lower(t)))", "v AS (embed(t || ' ' || t))", "v AS (embed(coalesce(t, '')))", "embed TEXT", "v AS (embed(t))", "v AS (embed( t ))", 'v, "embed(t, u)"', "v DEFAULT 'embed(t, u)'", "embedding BLOB",
                "v -- embed(t, 'm')\n", "v /* embed(t,'m') */"]
        for columns, bad in [(c, True) for c in refused] + [(c, False) for c in fine]:
            with self.subTest(columns=columns):
                db = connect(":memory:")
                try:
                    db.execute(f"CREATE TABLE t(t TEXT, {columns})")
                except sqlite3.OperationalError:  # SQLite refuses the generated column itself
                    continue
                if bad:
                    self.assertIn("names embed", error_of(db, "SELECT embed('x', 'static')"))
                else:
                    self.assertEqual(len(value(db, "SELECT embed('x y', 'static')")), 1024)
                self.assertEqual(len(value(db, "SELECT embed('x y')")), 1024)
                db.close()

    def test_it_looks_again_when_the_schema_changes(self):
        db = connect(":memory:")
        dry = "SELECT llm_complete('q', '{\"dry_run\":true}')"
        bad = "CREATE TABLE bad(t CHECK (llm_complete(t) <> ''))"
        self.assertIn("url", value(db, dry))
        for steps in ([bad, "!", "DROP TABLE bad", "ok"],
                      ["BEGIN", "CREATE TABLE good(a)", "ok", "ROLLBACK", "BEGIN", bad, "!", "ROLLBACK", "ok"],
                      ["SAVEPOINT s", "CREATE TABLE good(a)", "ok", "ROLLBACK TO s", bad, "!", "ROLLBACK TO s", "RELEASE s", "ok"],
                      ["ATTACH ':memory:' AS a", "ok", "CREATE TABLE a.bad(t CHECK (llm_complete(t) <> ''))", "!", "DETACH a", "ok"],
                      ["ATTACH ':memory:' AS a", "CREATE TABLE a.good(t)", "ok", "DETACH a", "ATTACH ':memory:' AS a",
                       "CREATE TABLE a.bad(t CHECK (llm_complete(t) <> ''))", "INSERT INTO a.bad VALUES ('q')", "!", "DETACH a", "ok"],
                      ["CREATE TEMP TABLE mine(t CHECK (llm_complete(t) <> ''))", "ok", "DROP TABLE mine"],
                      ["CREATE TABLE x(a)", "ALTER TABLE x ADD COLUMN b CHECK (llm_complete(b) <> '')", "!", "DROP TABLE x", "ok"],
                      ["CREATE TABLE x(a)", "CREATE TRIGGER g AFTER INSERT ON x BEGIN SELECT llm_complete('q'); END", "!", "DROP TRIGGER g", "ok",
                       "CREATE TEMP TRIGGER g AFTER INSERT ON x BEGIN SELECT llm_complete('q', '{\"dry_run\":true}'); END", "ok",
                       "INSERT INTO x VALUES (1)", "DROP TABLE x"]):
            for step in steps:
                if step == "!":
                    self.assertIn("names llm_complete", error_of(db, dry), steps)
                elif step == "ok":
                    self.assertIn("url", value(db, dry), steps)
                elif "INTO a.bad" in step:
                    self.assertIn("names llm_complete", error_of(db, step), steps)
                else:
                    db.execute(step)


class Neighbours(unittest.TestCase):
    """Other connections: what they take away is seen, what they lock stops nobody who does not use it."""

    DRY = "SELECT llm_complete('q', '{\"dry_run\":true}')"

    def setUp(self):
        self.tmp = TempDir()
        self.path = os.path.join(self.tmp.name, "m.db")
        self.db = connect(self.path)
        self.db.execute("CREATE TABLE own(t)")

    def tearDown(self):
        self.db.close()
        self.tmp.cleanup()

    def test_a_culprit_that_another_drops(self):
        other = sqlite3.connect(self.path, isolation_level=None)
        other.execute("CREATE VIEW v AS SELECT llm_complete('x') AS a")
        self.db.execute("SELECT count(*) FROM own").fetchall()
        self.assertIn("names llm_complete", error_of(self.db, self.DRY))
        other.execute("DROP VIEW v")
        self.assertIn("url", value(self.db, self.DRY))
        other.close()

    def test_an_attached_database_that_is_locked(self):
        path = os.path.join(self.tmp.name, "a.db")
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("CREATE TABLE t(a)")
        self.db.execute("PRAGMA busy_timeout = 0")
        self.db.execute("ATTACH ? AS a", (path,))
        for looked_before in (False, True):
            other.execute("BEGIN EXCLUSIVE")
            self.assertIn("url", value(self.db, self.DRY))
            self.assertEqual(value(self.db, "SELECT count(*) FROM llm_calls"), 0)
            self.db.execute("INSERT INTO own SELECT " + self.DRY[7:])
            other.execute("COMMIT")
            self.assertIn("url", value(self.db, self.DRY))
        other.close()

    def test_a_call_holds_no_attached_database(self):
        path = os.path.join(self.tmp.name, "a.db")
        other = sqlite3.connect(path, isolation_level=None, timeout=0)
        other.execute("CREATE TABLE t(a)")
        self.db.execute("ATTACH ? AS a", (path,))
        self.assertIn("url", value(self.db, self.DRY))
        self.db.execute("BEGIN")
        self.assertIn("url", value(self.db, self.DRY))
        other.execute("INSERT INTO t VALUES (1)")  # a reader's lock would refuse it
        self.db.execute("COMMIT")
        other.close()

    def test_a_hostile_file_that_was_locked_at_the_first_look(self):
        path = os.path.join(self.tmp.name, "h.db")
        bad = connect(path)
        bad.execute("CREATE TABLE notes(t CHECK (llm_complete(t) <> ''))")
        bad.close()
        other = sqlite3.connect(path, isolation_level=None)
        self.db.execute("PRAGMA busy_timeout = 0")
        self.db.execute("ATTACH ? AS h", (path,))
        other.execute("BEGIN EXCLUSIVE")
        self.assertIn("url", value(self.db, self.DRY))
        other.execute("COMMIT")
        self.assertIn("names llm_complete", error_of(self.db, "INSERT INTO h.notes VALUES ('private')"))
        other.close()

    def test_a_connection_closes_and_detaches_as_before(self):
        path = os.path.join(self.tmp.name, "a.db")
        self.db.execute("ATTACH ? AS a", (path,))
        self.db.execute("CREATE TABLE a.t(x)")
        self.assertIn("url", value(self.db, self.DRY))
        self.db.execute("DETACH a")
        self.db.execute("VACUUM")
        self.assertEqual(value(self.db, "PRAGMA journal_mode = WAL"), "wal")
        self.assertIn("url", value(self.db, self.DRY))
        self.assertEqual(value(self.db, "PRAGMA journal_mode = DELETE"), "delete")
        self.db.execute("DROP TABLE own")


if __name__ == "__main__":
    unittest.main()
