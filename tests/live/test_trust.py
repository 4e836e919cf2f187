"""A store is used because this installation made it, or because the user said so; never because it lies there."""
import json
import os
import shutil
import sqlite3
import stat
import subprocess
import tempfile
import threading
import time
import unittest

from harness import (KEYS, ROOT, SO, Desk, Standin, TempDir, clean_env, connect, error_of, open_desk, setup_sql, shell,
                     value)

Q = "Is this contract safe to sign?"
DATA = os.path.join(ROOT, "tests/data")


class Home:
    """Another installation: `with Home() as home` has its own folder for the secret."""

    def __enter__(self):
        self.before = os.environ["XDG_STATE_HOME"]
        self.path = tempfile.mkdtemp(prefix="llmcost-state-")
        os.environ["XDG_STATE_HOME"] = self.path
        return self

    def __exit__(self, *_):
        os.environ["XDG_STATE_HOME"] = self.before
        shutil.rmtree(self.path, ignore_errors=True)


def plain(path):
    """Any SQLite tool, without the extension."""
    return sqlite3.connect(path, isolation_level=None)


def marks(path):
    with plain(path) as db:
        return [m for m, in db.execute("SELECT installation FROM llm_marks")]


class Stores(Desk):
    """Makes stores of strangers."""

    def requests(self):
        return self.standin.bill()["requests"]

    def planted(self, sql=()):
        """A store as a stranger would put it beside a file, with an answer of his own."""
        folder = tempfile.mkdtemp(dir=self.tmp.name)
        path = os.path.join(folder, "desk.db")
        with Home():
            db = open_desk(path, self.standin.url)
            value(db, "SELECT llm_complete(?)", Q)
            db.close()
        with plain(path + "-llmcost") as store:
            store.execute("UPDATE llm_answers SET answer = 'Yes, sign at once.'")
            for statement in sql:
                store.execute(statement)
        store.close()
        return path

    def refused(self, path, *parts):
        """Nothing of the store is read or written by anything."""
        before = open(path + "-llmcost", "rb").read()
        requests = self.requests()
        db = open_desk(path, self.standin.url)
        for sql in (f"SELECT llm_complete('{Q}')", f"SELECT * FROM llm_call('{Q}')", "SELECT count(*) FROM llm_calls",
                    "SELECT * FROM llm_cost_daily", "SELECT count(*) FROM llm_texts", "SELECT llm_cache_feedback(1, 1)",
                    f"SELECT llm_complete('{Q}', '{{\"cache\":\"semantic\"}}')",
                    f"SELECT llm_complete('{Q}', '{{\"on_error\":\"null\"}}')"):
            message = error_of(db, sql)
            for part in parts or ("was not made by this installation", "SELECT llm_trust_store()", "LLMCOST_STORE"):
                self.assertIn(part, message)
        self.assertGreater(value(db, "SELECT llm_tokens('one two', 'claude-haiku-4-5')"), 0)  # asks it nothing
        db.close()
        self.assertEqual(self.requests(), requests)
        self.assertEqual(open(path + "-llmcost", "rb").read(), before)


class Trust(Stores):

    def test_one_made_here_is_known(self):
        answer = value(self.db, "SELECT llm_complete(?)", Q)
        self.db.close()
        self.db = open_desk(self.path, self.standin.url)
        self.assertEqual(value(self.db, "SELECT llm_complete(?)", Q), answer)
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_calls WHERE kind = 'hit_exact'"), 1)
        self.assertEqual(len(marks(self.path + "-llmcost")), 1)

    def test_a_planted_one_is_not_believed(self):
        path = self.planted()
        self.refused(path)
        os.chmod(path + "-llmcost", 0o600)  # what an archive may say as well
        self.refused(path)

    def test_the_statement_adopts_it(self):
        path = self.planted()
        db = open_desk(path, self.standin.url)
        self.assertIn("not made by this installation", error_of(db, f"SELECT llm_complete('{Q}')"))
        self.assertEqual(value(db, "SELECT llm_trust_store()"), path + "-llmcost")
        self.assertEqual(value(db, "SELECT llm_complete(?)", Q), "Yes, sign at once.")
        db.close()
        db = open_desk(path, self.standin.url)  # and from now on
        self.assertEqual(value(db, "SELECT llm_complete(?)", Q), "Yes, sign at once.")
        db.close()
        self.assertEqual(len(marks(path + "-llmcost")), 2)

    def test_nothing_to_adopt(self):
        self.assertIn("there is no store here yet", error_of(self.db, "SELECT llm_trust_store()"))
        self.assertFalse(os.path.exists(self.path + "-llmcost"))

    def test_naming_adopts_it(self):
        path = self.planted()
        db = open_desk(self.path, self.standin.url)
        value(db, "SELECT llm_config('store', ?)", path + "-llmcost")
        self.assertEqual(value(db, "SELECT llm_complete(?)", Q), "Yes, sign at once.")
        db.close()
        self.assertEqual(len(marks(path + "-llmcost")), 2)
        db = open_desk(path, self.standin.url)  # beside its own database too, now
        self.assertEqual(value(db, "SELECT llm_complete(?)", Q), "Yes, sign at once.")
        db.close()

    def test_two_homes_one_store(self):
        shared = os.path.join(self.tmp.name, "shared")

        def ask(env_home):
            env = clean_env(LLMCOST_STORE=shared, XDG_STATE_HOME=env_home, LLMCOST_ALLOW_HOSTS=self.standin.host + "=OPENAI_API_KEY",
                            **KEYS)
            out = shell(self.path, f".load {SO}\nSELECT llm_complete('{Q}') <> '';\n", env=env)
            self.assertEqual(out.stdout, "1\n", out.stderr)

        with Home() as a, Home() as b:
            for home in (a.path, b.path, a.path, b.path):
                ask(home)
            self.assertEqual(len(marks(shared)), 2)

    def test_a_container_with_a_fresh_home(self):
        """Each start has a new home folder, or none at all; the store lies on a volume and is named."""
        shared = os.path.join(self.tmp.name, "volume-store")
        allow = dict(LLMCOST_STORE=shared, LLMCOST_ALLOW_HOSTS=self.standin.host + "=OPENAI_API_KEY", **KEYS)
        homes = [dict(HOME=tempfile.mkdtemp(dir=self.tmp.name)) for _ in range(2)] + [
            dict(HOME="/proc/nowhere"), dict(HOME="/dev/null"), dict(HOME="")]
        for home in homes:
            env = {k: v for k, v in clean_env(**allow).items() if k not in ("XDG_STATE_HOME", "HOME")} | home
            out = shell(self.path, f".load {SO}\nSELECT llm_complete('{Q}') <> '';\nSELECT count(*) > 0 FROM llm_calls;\n", env=env)
            self.assertEqual(out.stdout, "1\n1\n", f"{home}: {out.stderr}")
        self.assertEqual(value(self.db, "SELECT 1"), 1)

    def test_without_a_home_nothing_is_made_by_default(self):
        env = {k: v for k, v in clean_env(HOME="/dev/null", LLMCOST_ALLOW_HOSTS=self.standin.host + "=OPENAI_API_KEY", **KEYS).items()
               if k != "XDG_STATE_HOME"}
        before = self.requests()
        for options in ("{}", '{"on_error":"null"}', '{"on_error":"json"}'):  # a store's failure is never a value
            with self.subTest(options):
                out = shell(self.path, f".load {SO}\nSELECT llm_complete('{Q}', '{options}');\n", env=env)
                self.assertEqual(out.stdout.strip(), "")
                self.assertIn("set XDG_STATE_HOME to a folder of yours, or name the store", out.stderr)
        self.assertFalse(os.path.exists(self.path + "-llmcost"))
        self.assertEqual(self.requests(), before)

    def test_main_and_a_folder_adopt_nothing(self):
        path = self.planted()
        folder = os.path.dirname(path) + "/"
        with plain(path) as db:
            db.execute("CREATE TABLE x(a)")
        os.environ["LLMCOST_STORE"] = folder
        self.addCleanup(lambda: os.environ.pop("LLMCOST_STORE", None))
        db = open_desk(path, self.standin.url)
        mine = value(db, "SELECT llm_config('store')")
        self.assertEqual((os.path.dirname(mine) + "/", mine.endswith("-llmcost")), (folder, True))
        self.assertNotEqual(mine, path + "-llmcost")
        db.close()
        shutil.copy(path + "-llmcost", mine)  # a stranger can guess the name
        db = open_desk(path, self.standin.url)
        self.assertIn("not made by this installation", error_of(db, f"SELECT llm_complete('{Q}')"))
        os.remove(mine)
        self.assertIn("ref", value(db, "SELECT llm_complete(?)", Q))
        db.close()

    def test_the_folder_keeps_databases_apart(self):
        os.mkdir(os.path.join(self.tmp.name, "stores"))
        os.environ["LLMCOST_STORE"] = os.path.join(self.tmp.name, "stores/")
        self.addCleanup(lambda: os.environ.pop("LLMCOST_STORE", None))
        for name in ("a", "b"):
            os.mkdir(os.path.join(self.tmp.name, name))
            db = open_desk(os.path.join(self.tmp.name, name, "same.db"), self.standin.url)
            value(db, "SELECT llm_complete(?)", f"of {name}")
            self.assertEqual(value(db, "SELECT group_concat(text) FROM llm_texts"), f"of {name}")
            db.close()

    def test_tables_of_main_need_the_mark_too(self):
        path = os.path.join(self.tmp.name, "main.db")
        with Home():
            db = open_desk(path, self.standin.url)
            value(db, "SELECT llm_config('store', 'main')")
            value(db, "SELECT llm_complete(?)", Q)
            db.execute("UPDATE llm_answers SET answer = 'Yes, sign at once.'")
            db.close()
        os.environ["LLMCOST_STORE"] = "main"
        self.addCleanup(lambda: os.environ.pop("LLMCOST_STORE", None))
        db = connect(path)
        for sql in (f"SELECT llm_complete('{Q}')", "SELECT llm_config('cache')", "SELECT llm_init()"):
            self.assertIn("SELECT llm_trust_store()", error_of(db, sql))
        self.assertEqual(value(db, "SELECT llm_trust_store()"), "main")
        self.assertEqual(value(db, "SELECT llm_complete(?)", Q), "Yes, sign at once.")
        db.close()
        db = connect(path)
        self.assertEqual(value(db, "SELECT llm_complete(?)", Q), "Yes, sign at once.")
        db.close()

    def test_main_made_here_and_memory(self):
        os.environ["LLMCOST_STORE"] = "main"
        self.addCleanup(lambda: os.environ.pop("LLMCOST_STORE", None))
        for path in (os.path.join(self.tmp.name, "m.db"), ":memory:"):
            db = open_desk(path, self.standin.url)
            self.assertIn("ref", value(db, "SELECT llm_complete(?)", Q))
            self.assertEqual(value(db, "SELECT count(*) FROM llm_marks"), 0 if path == ":memory:" else 1)
            if path == ":memory:":
                other = sqlite3.connect(":memory:")
                db.backup(other)  # what one process makes in memory is no other's
                made = other.execute("SELECT length(value) FROM llm_meta WHERE name = 'process'").fetchone()
                self.assertEqual(made, (32,))
                other.close()
            db.close()
        db = open_desk(os.path.join(self.tmp.name, "m.db"), self.standin.url)
        value(db, "SELECT llm_complete(?)", Q)
        self.assertEqual(value(db, "SELECT count(*) FROM llm_calls WHERE kind = 'hit_exact'"), 1)
        db.execute("BEGIN")  # a rollback takes the tables, the mark with them
        db.execute("DROP TABLE llm_marks")
        db.execute("ROLLBACK")
        value(db, "SELECT llm_complete('again')")
        db.close()

    def test_a_strangers_tables_copied_into_memory(self):
        path = os.path.join(self.tmp.name, "main.db")
        with Home():
            db = open_desk(path, self.standin.url)
            value(db, "SELECT llm_config('store', 'main')")
            value(db, "SELECT llm_complete(?)", Q)
            db.execute("UPDATE llm_answers SET answer = 'Yes, sign at once.'")
            db.close()
        db = connect(":memory:")
        with plain(path) as source:
            source.backup(db)
        source.close()
        self.assertIn("SELECT llm_trust_store()", error_of(db, f"SELECT llm_complete('{Q}')"))
        self.assertEqual(value(db, "SELECT llm_trust_store()"), "main")
        for sql in setup_sql(self.standin.url):
            value(db, sql)
        self.assertEqual(value(db, "SELECT llm_complete(?)", Q), "Yes, sign at once.")
        db.close()

    def test_a_refused_store_is_not_written_by_a_checkpoint_either(self):
        path = self.planted()
        writer = plain(path + "-llmcost")
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        writer.execute("UPDATE llm_answers SET tag = 'x'")
        copies = {}
        for end in ("", "-wal"):
            shutil.copy(path + "-llmcost" + end, path + ".copy" + end)
        writer.close()
        for end in ("", "-wal"):
            os.replace(path + ".copy" + end, path + "-llmcost" + end)
            copies[end] = open(path + "-llmcost" + end, "rb").read()
        db = open_desk(path, self.standin.url)
        self.assertIn("was not made by this installation", error_of(db, f"SELECT llm_complete('{Q}')"))
        db.close()
        for end, before in copies.items():
            self.assertEqual(open(path + "-llmcost" + end, "rb").read(), before, end)

    def test_stores_of_older_versions_are_not_believed_either(self):
        for version in (1, 2, 3):
            folder = tempfile.mkdtemp(dir=self.tmp.name)
            path = os.path.join(folder, "desk.db")
            with plain(path) as db:
                db.execute("CREATE TABLE x(a)")
            shutil.copy(os.path.join(DATA, f"store_v{version}.db"), path + "-llmcost")
            self.refused(path)
            db = open_desk(path, self.standin.url)
            value(db, "SELECT llm_trust_store()")
            self.assertGreater(value(db, "SELECT count(*) FROM llm_calls"), 10)
            db.close()
            db = open_desk(path, self.standin.url)
            self.assertGreater(value(db, "SELECT count(*) FROM llm_calls"), 10)
            db.close()

    def test_backup_copy_and_move_as_the_manual_says(self):
        answer = value(self.db, "SELECT llm_complete(?)", Q)
        requests = self.requests()
        self.db.close()
        ways = {}
        for way in ("copy", "backup", "vacuum", "move"):
            ways[way] = os.path.join(tempfile.mkdtemp(dir=self.tmp.name), "other.db")
        for end in ("", "-llmcost"):
            shutil.copy(self.path + end, ways["copy"] + end)
            with plain(self.path + end) as db, plain(ways["backup"] + end) as to:
                db.backup(to)
            with plain(self.path + end) as db:
                db.execute("VACUUM INTO ?", (ways["vacuum"] + end,))
            db.close()
        for end in ("", "-llmcost"):
            os.rename(self.path + end, ways["move"] + end)
        for way, path in ways.items():
            db = open_desk(path, self.standin.url)
            self.assertEqual(value(db, "SELECT llm_complete(?)", Q), answer, way)
            self.assertEqual(value(db, "SELECT count(*) FROM llm_calls WHERE kind = 'hit_exact'"), 1, way)
            db.close()
        self.assertEqual(self.requests(), requests)
        self.db = open_desk(ways["move"], self.standin.url)


class Schema(Stores):
    """What does not look as we make it is not read, whoever marked it."""

    FOREIGN = {
        "trigger 't'": "CREATE TRIGGER t AFTER UPDATE ON llm_calls BEGIN SELECT 1; END",
        "trigger 'T2'": "CREATE TRIGGER T2 AFTER INSERT ON llm_cache_rows BEGIN INSERT INTO llm_texts SELECT 1, 2; END",
        "index 'i'": "CREATE INDEX i ON llm_calls(upper(tag))",
        "view 'mine'": "CREATE VIEW mine AS SELECT 1",
        "table 'more'": "CREATE TABLE more(a)",
    }

    def marked(self, *sql):
        path = os.path.join(tempfile.mkdtemp(dir=self.tmp.name), "desk.db")
        db = open_desk(path, self.standin.url)
        value(db, "SELECT llm_complete(?)", Q)
        db.close()
        with plain(path + "-llmcost") as store:
            for statement in sql:
                store.execute(statement)
        store.close()
        return path

    def test_foreign_objects(self):
        for what, sql in self.FOREIGN.items():
            with self.subTest(what=what):
                kind = what.split()[0]
                self.refused(self.marked(sql), "is not as llmcost makes it", what, f"DROP {kind}")

    def test_naming_it_does_not_help(self):
        path = self.marked(self.FOREIGN["trigger 't'"])
        db = open_desk(self.path, self.standin.url)
        value(db, "SELECT llm_config('store', ?)", path + "-llmcost")
        self.assertIn("trigger 't' is not ours", error_of(db, f"SELECT llm_complete('{Q}')"))
        self.assertIn("trigger 't' is not ours", error_of(db, "SELECT llm_trust_store()"))
        with plain(path + "-llmcost") as store:
            store.execute("DROP TRIGGER t")
        store.close()
        self.assertIn("ref", value(db, "SELECT llm_complete(?)", Q))
        db.close()

    def test_other_shapes_of_ours(self):
        def instead(name, sql):
            return ["PRAGMA writable_schema = ON", f"UPDATE sqlite_schema SET sql = {sql} WHERE name = '{name}'"]
        for what, change in {
            "a view": ["ALTER TABLE llm_texts RENAME TO t0", "CREATE VIEW llm_texts AS SELECT hash, 'lies' AS text FROM t0"],
            "a generated column": instead("llm_answers", "replace(sql, 'tag TEXT', 'tag TEXT AS (upper(provider))')"),
            "a check": instead("llm_calls", "replace(sql, 'attempt INTEGER NOT NULL', 'attempt INTEGER CHECK (attempt < 9)')"),
            "a default": instead("llm_calls", "replace(sql, 'tier TEXT', 'tier TEXT DEFAULT (randomblob(9))')"),
            "another view": ["DROP VIEW llm_cost_daily", "CREATE VIEW llm_cost_daily AS SELECT 1 AS day"],
            "a column more": ["ALTER TABLE llm_calls ADD COLUMN x"],
            "a column less": ["ALTER TABLE llm_answers DROP COLUMN tag"],
            "a table less": ["DROP TABLE llm_feedback"],
            "other type": instead("llm_texts", "replace(sql, 'text TEXT NOT NULL', 'text INTEGER NOT NULL')"),
            "a BLOB": instead("llm_texts", "CAST(replace(sql, 'text TEXT', 'text BLOB') AS BLOB)"),
            "a capital type": ["PRAGMA writable_schema = ON", "UPDATE sqlite_schema SET sql = replace(sql, 'NOT NULL', ''), type = 'TABLE'"
                               " WHERE name = 'llm_texts'"],
        }.items():
            with self.subTest(what=what):
                self.refused(self.marked(*change), "the store '")

    def test_older_ones_too(self):
        path = os.path.join(tempfile.mkdtemp(dir=self.tmp.name), "desk.db")
        shutil.copy(os.path.join(DATA, "store_v1.db"), path + "-llmcost")
        with plain(path + "-llmcost") as store:
            store.execute("CREATE TRIGGER t AFTER UPDATE ON llm_calls BEGIN UPDATE llm_texts SET text = 'x'; END")
        store.close()
        db = open_desk(path, self.standin.url)
        self.assertIn("trigger 't' is not ours", error_of(db, "SELECT llm_trust_store()"))
        db.close()
        with plain(path + "-llmcost") as store:
            store.execute("DROP TRIGGER t")
            store.execute("ALTER TABLE llm_answers ADD COLUMN lies")  # compared again when it is brought up to date
        store.close()
        db = open_desk(path, self.standin.url)
        self.assertIn("table 'llm_answers' is not ours", error_of(db, "SELECT llm_trust_store()"))
        db.close()
        with plain(path + "-llmcost") as store:
            self.assertEqual(store.execute("SELECT value FROM llm_meta WHERE name = 'schema_version'").fetchone(), (1,))

    def test_what_sqlite_adds_is_fine(self):
        self.refusable = self.marked("ANALYZE", "PRAGMA optimize", "VACUUM")
        db = open_desk(self.refusable, self.standin.url)
        self.assertEqual(value(db, "SELECT count(*) FROM llm_calls"), 1)
        db.close()

    def test_triggers_on_the_tables_in_main(self):
        path = os.path.join(self.tmp.name, "main.db")
        db = open_desk(path, self.standin.url)
        value(db, "SELECT llm_config('store', 'main')")
        value(db, "SELECT llm_complete(?)", Q)
        db.execute("CREATE TABLE own(a)")
        db.execute("CREATE TRIGGER of_own AFTER INSERT ON own BEGIN DELETE FROM own WHERE a < 0; END")
        db.execute("CREATE VIEW of_views AS SELECT count(*) AS n FROM llm_calls")
        db.close()
        db = open_desk(path, self.standin.url)
        value(db, "SELECT llm_config('store', 'main')")
        value(db, "SELECT llm_complete(?)", Q)
        self.assertEqual(value(db, "SELECT n FROM of_views"), 2)
        db.close()
        with plain(path) as db:
            db.execute("CREATE TRIGGER spy AFTER INSERT ON llm_calls BEGIN INSERT INTO own VALUES (new.tag); END")
        db.close()
        db = connect(path)
        self.assertIn("SELECT llm_trust_store()", error_of(db, "SELECT llm_config('store', 'main')"))
        self.assertIn("trigger 'spy' is not ours", error_of(db, "SELECT llm_trust_store()"))
        db.execute("DROP TRIGGER spy")
        self.assertEqual(value(db, "SELECT llm_config('store', 'main')"), "main")
        db.close()


class Numbers(Stores):
    """What stands in a store that is ours is still looked at before it is used."""

    def test_odd_values(self):
        value(self.db, "SELECT llm_complete(?)", Q)
        self.db.close()
        for sql in ("UPDATE llm_answers SET cost_nusd = -5", "UPDATE llm_answers SET cost_nusd = 'much'",
                    "UPDATE llm_answers SET cost_nusd = 9e999", "UPDATE llm_answers SET cost_nusd = x'00'"):
            with plain(self.path + "-llmcost") as store:
                store.execute(sql)
            store.close()
            db = open_desk(self.path, self.standin.url)
            value(db, "SELECT llm_complete(?)", Q)
            self.assertIsNone(value(db, "SELECT saved_nusd FROM llm_calls WHERE id = llm_last_call()"), sql)
            db.close()
        for sql in ("UPDATE llm_answers SET answer = x'00ff'", "UPDATE llm_answers SET expires_at = 'never'",
                    "UPDATE llm_answers SET expires_at = -1"):
            with plain(self.path + "-llmcost") as store:
                store.execute(sql)
            store.close()
            requests = self.standin.bill()["requests"]
            db = open_desk(self.path, self.standin.url)
            self.assertIn("ref", value(db, "SELECT llm_complete(?)", Q), sql)
            self.assertEqual(self.standin.bill()["requests"], requests + 1, sql)
            db.close()
        self.db = open_desk(self.path, self.standin.url)

    def test_odd_settings(self):
        value(self.db, "SELECT llm_complete(?)", Q)
        self.db.close()
        for sql, says in (("UPDATE llm_meta SET value = 'x' WHERE name = 'seed'", "damaged"),
                          ("DELETE FROM llm_meta WHERE name = 'seed'", "damaged"),
                          ("UPDATE llm_meta SET value = 99 WHERE name = 'schema_version'", "store"),
                          ("UPDATE llm_meta SET value = NULL WHERE name = 'id'", "not made by this installation"),
                          ("PRAGMA user_version = 99", "newer llmcost"), ("PRAGMA user_version = -1", "store"),
                          ("PRAGMA user_version = 0", "another program's"), ("PRAGMA application_id = 7", "another program's")):
            path = os.path.join(tempfile.mkdtemp(dir=self.tmp.name), "desk.db")
            shutil.copy(self.path + "-llmcost", path + "-llmcost")
            with plain(path + "-llmcost") as store:
                store.execute(sql)
            store.close()
            db = open_desk(path, self.standin.url)
            self.assertIn(says, error_of(db, f"SELECT llm_complete('{Q}')"), sql)
            db.close()
        self.db = open_desk(self.path, self.standin.url)

    def test_leases_at_the_ends_of_time(self):
        value(self.db, "SELECT llm_complete(?)", Q)
        self.db.close()
        with plain(self.path + "-llmcost") as store:
            for i, lease in enumerate((-2**63, 2**63 - 1, 0)):
                store.execute("INSERT INTO llm_intents VALUES (?, ?, 'a/b/1/1', ?)", (900 + i, os.urandom(16), lease))
        store.close()
        self.db = open_desk(self.path, self.standin.url)
        self.assertIn("ref", value(self.db, "SELECT llm_complete('another')"))
        with plain(self.path + "-llmcost") as store:
            self.assertEqual(store.execute("SELECT count(*) FROM llm_intents").fetchone(), (1,))


class Secret(Desk):
    def secret(self, home):
        return os.path.join(home, "llmcost/secret")

    def ask(self, path, env):
        return shell(path, self.script(), env=env)

    def script(self):
        """One question to the stand-in."""
        setup = "".join(sql + ";\n" for sql in setup_sql(self.standin.url))
        return f".load {SO}\n.output /dev/null\n{setup}.output stdout\nSELECT llm_complete('{Q}') <> '';\n"

    def env(self, **more):
        base = {k: v for k, v in clean_env().items() if k not in ("XDG_STATE_HOME", "HOME")}
        return base | KEYS | {"LLMCOST_ALLOW_HOSTS": self.standin.host + "=OPENAI_API_KEY"} | more

    def test_where_it_is_kept_and_how(self):
        for i, (env, folder) in enumerate((({"XDG_STATE_HOME": "S", "HOME": "H"}, "S"), ({"HOME": "H"}, "H/.local/state"),
                                           ({"XDG_STATE_HOME": "", "HOME": "H"}, "H/.local/state"))):
            base = tempfile.mkdtemp(dir=self.tmp.name)
            env = {k: os.path.join(base, v) if v else v for k, v in env.items()}
            out = self.ask(os.path.join(base, "x.db"), self.env(**env))
            self.assertEqual(out.stdout, "1\n", out.stderr)
            path = self.secret(os.path.join(base, folder))
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
            self.assertEqual(stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode), 0o700)
            self.assertEqual(os.listdir(os.path.dirname(path)), ["secret"])
            self.assertEqual(os.stat(path).st_size, 32)
        env = self.env(XDG_STATE_HOME="relative/state", HOME=os.path.join(self.tmp.name, "R"))
        self.assertEqual(self.ask(os.path.join(self.tmp.name, "r.db"), env).stdout, "1\n")
        self.assertTrue(os.path.exists(os.path.join(self.tmp.name, "R/.local/state/llmcost/secret")))

    def test_looking_makes_none(self):
        base = tempfile.mkdtemp(dir=self.tmp.name)
        out = shell(os.path.join(base, "x.db"), f".load {SO}\nSELECT count(*) FROM llm_calls;\nSELECT llm_cost('gpt-4o', 1, 1) > 0;\n"
                    "SELECT llm_complete('x', '{\"dry_run\":true}') <> '';\n", env=self.env(XDG_STATE_HOME=base))
        self.assertEqual(out.stdout, "0\n1\n1\n", out.stderr)
        self.assertFalse(os.path.exists(os.path.join(base, "llmcost")))
        value(self.db, "SELECT llm_complete(?)", Q)
        self.db.close()
        out = shell(self.path, f".load {SO}\nSELECT count(*) FROM llm_calls;\n", env=self.env(XDG_STATE_HOME=base))
        self.assertIn("not made by this installation", out.stderr)
        self.assertFalse(os.path.exists(os.path.join(base, "llmcost")))
        self.db = open_desk(self.path, self.standin.url)

    def test_one_that_others_could_have_made_is_refused(self):
        def spoil(path, how):
            if how == "others can read it":
                os.chmod(path, 0o644)
            elif how == "it is damaged":
                with open(path, "ab") as f:
                    f.write(b"x")
            elif how == "symbolic link":
                os.rename(path, path + ".real")
                os.symlink(path + ".real", path)
            elif how == "not a file":
                os.remove(path)
                os.mkdir(path)
            elif how == "belongs to another user":
                os.chown(path, 12345, 12345)
        for how in ("others can read it", "it is damaged", "symbolic link", "not a file", "belongs to another user"):
            if how == "belongs to another user" and os.geteuid() != 0:
                continue
            base = tempfile.mkdtemp(dir=self.tmp.name)
            env = self.env(XDG_STATE_HOME=base)
            self.assertEqual(self.ask(os.path.join(base, "x.db"), env).stdout, "1\n")
            spoil(self.secret(base), how)
            for name in ("x.db", "new.db"):
                out = self.ask(os.path.join(base, name), env)
                self.assertEqual(out.stdout, "", how)
                self.assertIn("the secret by which stores are known", out.stderr, how)
            self.assertFalse(os.path.exists(os.path.join(base, "new.db-llmcost")), how)

    def test_many_processes_make_one(self):
        base = tempfile.mkdtemp(dir=self.tmp.name)
        env = self.env(XDG_STATE_HOME=base)
        sql = self.script()
        runs = [subprocess.Popen(["sqlite3", "-batch", os.path.join(base, f"{i}.db")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True, env=env) for i in range(12)]
        for r in runs:
            out, err = r.communicate(sql, timeout=60)
            self.assertEqual(out, "1\n", err)
        self.assertEqual(len({marks(os.path.join(base, f"{i}.db-llmcost"))[0] for i in range(12)}), 1)
        self.assertEqual(os.listdir(os.path.join(base, "llmcost")), ["secret"])

    def test_it_is_in_no_store(self):
        value(self.db, "SELECT llm_complete(?)", Q)
        with open(self.secret(os.environ["XDG_STATE_HOME"]), "rb") as f:
            secret = f.read()
        for name in os.listdir(self.tmp.name):
            with open(os.path.join(self.tmp.name, name), "rb") as f:
                data = f.read()
            self.assertNotIn(secret, data)
            self.assertNotIn(secret.hex().encode(), data)


class Names(Desk):
    def test_texts_are_named_with_the_stores_seed(self):
        names = []
        for i in range(2):
            db = open_desk(os.path.join(self.tmp.name, f"n{i}.db"), self.standin.url)
            value(db, "SELECT llm_complete(?, '{\"system\":\"Be brief.\"}')", Q)
            names.append(db.execute("SELECT prompt_hash, system_hash FROM llm_calls").fetchone())
            self.assertEqual(db.execute("SELECT p.text, s.text FROM llm_calls c JOIN llm_texts p ON p.hash = prompt_hash"
                                        " JOIN llm_texts s ON s.hash = system_hash").fetchall(), [(Q, "Be brief.")])
            value(db, "SELECT llm_complete(?, '{\"system\":\"Be brief.\",\"cache\":\"refresh\"}')", Q)
            self.assertEqual(value(db, "SELECT count(DISTINCT prompt_hash) FROM llm_calls"), 1)
            db.close()
        self.assertEqual(len({n for pair in names for n in pair}), 4)

    def test_old_names_become_the_keyed_hash_of_the_old(self):
        """So a text asked before and after has one name."""
        for version in (1, 2, 3):
            path = os.path.join(self.tmp.name, f"s{version}")
            shutil.copy(os.path.join(DATA, f"store_v{version}.db"), path)
            db = open_desk(os.path.join(self.tmp.name, f"d{version}.db"), self.standin.url)
            value(db, "SELECT llm_config('store', ?)", path)
            for text, in db.execute("SELECT DISTINCT x.text FROM llm_calls c JOIN llm_texts x ON x.hash = c.prompt_hash"
                                    " WHERE c.conversation IS NULL AND c.kind = 'call' LIMIT 4").fetchall():
                value(db, "SELECT llm_complete(?, '{\"cache\":\"off\"}')", text)
                self.assertEqual(value(db, "SELECT count(DISTINCT c.prompt_hash) FROM llm_calls c JOIN llm_texts x"
                                           " ON x.hash = c.prompt_hash WHERE x.text = ?", text), 1)
            db.close()

    def test_conversations_with_long_messages(self):
        long = "The parcel was sent on Tuesday. " * 20
        chat = json.dumps([{"role": "user", "content": long}, {"role": "assistant", "content": "Yes."},
                           {"role": "user", "content": "And now?"}])
        for mode in ("full", "hash"):
            value(self.db, "SELECT llm_config('log_text', ?)", mode)
            for _ in range(2):
                value(self.db, "SELECT llm_chat(?, '{\"cache\":\"off\"}')", chat)
        self.assertEqual(value(self.db, "SELECT count(DISTINCT prompt_hash) FROM llm_calls"), 1)
        transcript = json.loads(value(self.db, "SELECT x.text FROM llm_calls c JOIN llm_texts x ON x.hash = c.prompt_hash LIMIT 1"))
        self.assertEqual(value(self.db, "SELECT text FROM llm_texts WHERE hash = ?", transcript[0]["hash"]), long)


class Migration(Desk):
    """Bringing a large store of version 1 up to date: all of it or nothing."""

    ROWS = 60000

    def large(self):
        path = os.path.join(self.tmp.name, "large")
        shutil.copy(os.path.join(DATA, "store_v1.db"), path)
        with plain(path) as db:
            db.execute("BEGIN")
            columns = [name for _, name, *_ in db.execute("PRAGMA table_info(llm_calls)")]
            row = list(db.execute("SELECT * FROM llm_calls WHERE kind = 'call' LIMIT 1").fetchone())
            for i in range(self.ROWS):
                row[0], row[columns.index("prompt_hash")] = 10000 + i, f"{i:032x}"
                db.execute(f"INSERT INTO llm_calls VALUES ({','.join('?' * len(row))})", row)
                db.execute("INSERT INTO llm_texts VALUES (?, ?)", (f"{i:032x}", f"text {i}"))
            db.execute("COMMIT")
        db.close()
        return path

    def check_old(self, path):
        with plain(path) as db:
            self.assertEqual(db.execute("SELECT value FROM llm_meta WHERE name = 'schema_version'").fetchone(), (1,))
            self.assertEqual(db.execute("SELECT count(*) FROM llm_texts WHERE hash = ?", (f"{7:032x}",)).fetchone(), (1,))
            self.assertEqual(db.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'llm_marks'").fetchone(), (0,))
        db.close()

    def check_new(self, db):
        self.assertGreaterEqual(value(db, "SELECT count(*) FROM llm_calls"), self.ROWS)
        self.assertEqual(value(db, "SELECT count(*) FROM llm_texts WHERE hash = ?", f"{7:032x}"), 0)
        self.assertEqual(value(db, "SELECT count(*) FROM llm_calls c JOIN llm_texts x ON x.hash = c.prompt_hash WHERE x.text = 'text 7'"), 1)

    def test_an_interrupt_takes_all_of_it_back(self):
        path = self.large()
        value(self.db, "SELECT llm_config('store', ?)", path)
        timer = threading.Timer(0.15, self.db.interrupt)
        timer.start()
        self.assertIn("interrupted", error_of(self.db, "SELECT count(*) FROM llm_calls"))
        timer.join()
        self.check_old(path)
        self.check_new(self.db)

    def test_a_kill_too_and_others_wait(self):
        path = self.large()
        code = ("import sys; sys.path.insert(0, sys.argv[1]); from harness import *; db = connect(sys.argv[2]);"
                "db.execute('SELECT llm_config(?, ?)', ('store', sys.argv[3])).fetchall(); print('go', flush=True);"
                "db.execute('SELECT count(*) FROM llm_calls').fetchall(); print('done', flush=True)")

        def start(i):
            return subprocess.Popen(["/usr/bin/python3", "-c", code, os.path.join(ROOT, "tests/live"), f"{self.path}{i}", path],
                                    stdout=subprocess.PIPE, text=True)
        first = start(0)
        first.stdout.readline()
        time.sleep(0.15)
        first.kill()
        self.assertEqual(first.communicate()[0], "")
        self.check_old(path)
        both = [start(i) for i in (1, 2)]
        for process in both:
            self.assertEqual(process.communicate(timeout=60)[0], "go\ndone\n")
        value(self.db, "SELECT llm_config('store', ?)", path)
        self.check_new(self.db)


class Tables(Stores):
    """A semantic_cache whose embedder is a provider's model sends what it is given: only if it was made here."""

    MODEL = "text-embedding-3-small"

    def make(self, path):
        db = open_desk(path, self.standin.url)
        db.execute("UPDATE llm_models SET supports = json_set(supports, '$.dimensions', 64) WHERE name = ?", (self.MODEL,))
        db.execute(f"CREATE VIRTUAL TABLE notes USING semantic_cache(embedder='{self.MODEL}')")
        db.execute("CREATE VIRTUAL TABLE plain USING semantic_cache(embedder='static')")
        db.execute("INSERT INTO notes(query, response) VALUES ('a question', 'an answer')")
        db.execute("INSERT INTO plain(query, response) VALUES ('a question', 'an answer')")
        db.close()

    def test_a_strangers_table_sends_nothing(self):
        path = os.path.join(self.tmp.name, "n.db")
        with Home():
            self.make(path)
        before = self.requests()
        db = open_desk(path, self.standin.url)
        value(db, "SELECT llm_config('store', ?)", os.path.join(self.tmp.name, "own"))
        for sql in ("INSERT INTO notes(query, response) VALUES ('my private text', 1)",
                    "SELECT response FROM notes WHERE query MATCH 'my private text'",
                    "UPDATE notes SET query = 'my private text'", "INSERT INTO notes(notes) VALUES ('rebuild')"):
            message = error_of(db, sql)
            self.assertIn("was not made by this installation: nothing was sent", message)
            self.assertIn("INSERT INTO \"notes\"(\"notes\") VALUES('trust')", message)
        self.assertEqual(value(db, "SELECT response FROM notes"), "an answer")
        self.assertEqual(value(db, "SELECT response FROM plain WHERE query MATCH 'a question'"), "an answer")
        self.assertEqual(self.requests(), before)
        db.execute("INSERT INTO notes(notes) VALUES ('trust')")
        db.close()
        db = open_desk(path, self.standin.url)  # and for good
        value(db, "SELECT llm_config('store', ?)", os.path.join(self.tmp.name, "own"))
        self.assertEqual(value(db, "SELECT response FROM notes WHERE query MATCH 'a question'"), "an answer")
        db.execute("DELETE FROM notes")
        db.execute("DROP TABLE notes")
        db.close()

    def test_one_made_here_goes_on(self):
        path = os.path.join(self.tmp.name, "h.db")
        self.make(path)
        db = open_desk(path, self.standin.url)
        db.execute("ALTER TABLE notes RENAME TO other")
        self.assertEqual(value(db, "SELECT response FROM other WHERE query MATCH 'a question'"), "an answer")
        db.close()

    def test_trust_follows_the_transaction(self):
        path = os.path.join(self.tmp.name, "r.db")
        with Home():
            self.make(path)
        db = open_desk(path, self.standin.url)
        value(db, "SELECT llm_config('store', ?)", os.path.join(self.tmp.name, "own"))
        for begin, back in (("BEGIN", ("ROLLBACK",)), ("SAVEPOINT s", ("ROLLBACK TO s", "RELEASE s"))):
            db.execute(begin)
            db.execute("INSERT INTO notes(notes) VALUES ('trust')")
            for sql in back:
                db.execute(sql)
            self.assertIn("not made by this installation", error_of(db, "INSERT INTO notes(query, response) VALUES ('private', 1)"))
        db.close()

    def test_a_mark_is_of_the_table_and_its_embedder(self):
        path = os.path.join(self.tmp.name, "m.db")
        self.make(path)
        with plain(path) as db:
            mark, = db.execute("SELECT value FROM notes_meta WHERE name = 'mark'").fetchone()
            self.assertEqual(len(mark), 64)
            self.assertIsNone(db.execute("SELECT value FROM plain_meta WHERE name = 'mark'").fetchone())
            db.execute("UPDATE notes_meta SET value = 7 WHERE name = 'seed'")
        db.close()
        db = open_desk(path, self.standin.url)
        self.assertIn("was not made by this installation", error_of(db, "SELECT response FROM notes WHERE query MATCH 'x'"))
        db.close()


class Impostors(Desk):
    """A table or view that has the name of one of ours."""

    def test_it_is_refused_by_name(self):
        value(self.db, "SELECT llm_complete(?)", Q)
        requests = self.standin.bill()["requests"]
        for i, (sql, drop) in enumerate((
                ("CREATE TABLE llm_calls(id, cost_nusd)", "DROP TABLE llm_calls"),
                ("CREATE VIEW llm_texts AS SELECT 1 AS hash, 'forged' AS text", "DROP VIEW llm_texts"),
                ("CREATE TABLE LLM_Cost_Daily(day)", "DROP TABLE LLM_Cost_Daily"),
                ("CREATE VIRTUAL TABLE llm_answers USING fts5(a)", "DROP TABLE llm_answers"),
                ("CREATE VIRTUAL TABLE llm_cache USING fts5(a)", "DROP TABLE llm_cache"),
                ("CREATE TABLE \"llm_call\"(answer)", "DROP TABLE llm_call"))):
            with self.subTest(sql=sql):
                self.db.execute(sql)
                for statement in ("SELECT llm_complete('another')", "SELECT count(*) FROM llm_retries", "SELECT llm_last_call()"):
                    message = error_of(self.db, statement)
                    self.assertIn("has the name of a table of llmcost", message)
                    self.assertIn("of 'main'", message)
                self.db.execute(drop)
                self.assertEqual(value(self.db, "SELECT count(*) FROM llm_calls"), 1)
        self.assertEqual(self.standin.bill()["requests"], requests)

    def test_what_is_called_so_and_reads_it_is_refused_for_both(self):
        """A virtual table's own name is no excuse for what its arguments name."""
        value(self.db, "SELECT llm_complete(?)", Q)
        self.db.execute("CREATE VIRTUAL TABLE llm_texts USING fts5(text, content='llm_texts')")
        self.assertIn("names llm_texts: nothing was done", error_of(self.db, "SELECT count(*) FROM temp.llm_texts"))
        self.db.execute("DROP TABLE llm_texts")
        self.assertEqual(value(self.db, "SELECT count(*) > 0 FROM llm_texts"), 1)

    def test_a_temp_one_is_the_users_own(self):
        value(self.db, "SELECT llm_complete(?)", Q)
        self.db.execute("CREATE TEMP VIEW llm_texts AS SELECT 'mine' AS text")
        self.assertEqual(value(self.db, "SELECT text FROM llm_texts"), "mine")
        self.assertIn("ref", value(self.db, "SELECT llm_complete('another')"))

    def test_the_store_opened_as_a_database(self):
        value(self.db, "SELECT llm_complete(?)", Q)
        self.db.close()
        db = open_desk(self.path + "-llmcost", self.standin.url)
        self.assertEqual(value(db, "SELECT count(*) FROM llm_calls"), 1)
        self.assertEqual(value(db, "SELECT sum(calls) FROM llm_cost_daily"), 1)
        self.assertIn("ref", value(db, "SELECT llm_complete('of the store')"))
        db.close()
        with Home():
            db = connect(self.path + "-llmcost")
            self.assertIn("if it is a store that you trust, SELECT llm_trust_store()", error_of(db, "SELECT llm_init()"))
            value(db, "SELECT llm_trust_store()")
            self.assertEqual(value(db, "SELECT llm_init()"), "up to date")
            db.close()
        self.db = connect(":memory:")

    def test_an_attached_store(self):
        value(self.db, "SELECT llm_complete(?)", Q)
        self.db.close()
        db = open_desk(os.path.join(self.tmp.name, "other.db"), self.standin.url)
        db.execute("ATTACH ? AS s", (self.path + "-llmcost",))
        self.assertEqual(value(db, "SELECT count(*) FROM s.llm_calls"), 1)
        self.assertIn("ref", value(db, "SELECT llm_complete('with it')"))
        db.execute("DETACH s")
        with Home():
            db = open_desk(os.path.join(self.tmp.name, "third.db"), self.standin.url)
            db.execute("ATTACH ? AS s", (self.path + "-llmcost",))
            self.assertIn("'llm_calls' of 's'", error_of(db, "SELECT llm_complete('with it')"))
            db.execute("DETACH s")
            self.assertIn("ref", value(db, "SELECT llm_complete('without it')"))
            db.close()
        self.db = connect(":memory:")


if __name__ == "__main__":
    unittest.main()
