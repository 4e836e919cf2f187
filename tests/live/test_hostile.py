"""Sixty files of strangers and more, and thirty of friends, in three clients: tests/sql/hostile, run by hostile.py."""
import os
import shutil
import sqlite3
import subprocess
import unittest

import harness
import hostile
from harness import KEYS, ROOT, Standin, TempDir, clean_env, connect, error_of, open_desk, value
from hostile import ATTACKED, AWS_SECRET, SECRET_PROMPT

MODELS = [
    "CREATE TABLE llm_models(name TEXT PRIMARY KEY, provider TEXT, api TEXT, base_url TEXT, key_env TEXT,"
    " context_window INTEGER, max_output INTEGER, supports TEXT)",
    "INSERT INTO llm_models VALUES ('gpt-4o-mini', 'openai', 'openai', 'URL/v1', 'OPENAI_API_KEY', 128000, 16384, '{}'),"
    " ('claude', 'anthropic', 'anthropic', 'URL/v1', 'ANTHROPIC_API_KEY', 1, 1, '{}'),"
    " ('evil', 'openai', 'openai', 'URL/v1', 'OPENAI_API_KEY', 1, 1, '{\"embeddings\":true,\"dimensions\":64}')",
    "CREATE TABLE llm_tiers(name TEXT, max_score REAL, model TEXT, rank INTEGER)",
    "INSERT INTO llm_tiers VALUES ('t', 1, 'gpt-4o-mini', 1)",
]


def allowed_hosts(case, host):
    pairs = [f"{host}={k}" for k in KEYS]
    return {"KEY": ",".join([host, *pairs]), "HOST": host}.get(case.switch("allowed", "KEY"), "")


class Cases(unittest.TestCase):
    """What attacks and harmless files share: a stand-in, the clients, the victim's own store."""

    @classmethod
    def setUpClass(cls):
        cls.standin = Standin()
        cls.standin.__enter__()
        cls.addClassCleanup(cls.standin.__exit__, None, None, None)
        cls.tmp = TempDir()
        cls.addClassCleanup(cls.tmp.cleanup)
        cls.drivers = hostile.drivers()
        for driver in cls.drivers:
            cls.addClassCleanup(driver.close)
        cls.state = os.path.join(cls.tmp.name, "state")
        cls.store = os.path.join(cls.tmp.name, "own", "store")
        os.makedirs(os.path.dirname(cls.store))
        results = cls.drivers[1].run({
            "folder": os.path.dirname(cls.store), "file": "other.db",
            "env": {"XDG_STATE_HOME": cls.state, "LLMCOST_STORE": cls.store,
                    "LLMCOST_ALLOW_HOSTS": ",".join([cls.standin.host, *(f"{cls.standin.host}={k}" for k in KEYS)])},
            "statements": [*cls.fill(MODELS), f"SELECT llm_complete('{SECRET_PROMPT}')"]})
        cls.secret_answer = results[-1][1]
        assert "the salary of the board" in cls.secret_answer, results

    @classmethod
    def fill(cls, sqls):
        return [s.replace("HOST", cls.standin.host).replace("URL", cls.standin.url) for s in sqls]

    def requests(self):
        return self.standin.bill()["requests"]

    def environment(self, case, folder):
        env = {"XDG_STATE_HOME": self.state, "LLMCOST_ALLOW_HOSTS": allowed_hosts(case, self.standin.host)}
        store = case.switch("store", "NAMED")
        if store != "beside":
            env["LLMCOST_STORE"] = "main" if store == "main" else os.path.join(folder + "-own", "store")
        return env

    def folder_for(self, case, driver, template=None):
        folder = os.path.join(self.tmp.name, f"{driver.name}-{case.theme}-{self.id()}-{abs(hash(case.name))}")
        if template:
            shutil.copytree(template, folder, symlinks=True)
        else:
            os.makedirs(folder)
        shutil.copytree(os.path.dirname(self.store), folder + "-own")
        return folder

    def each(self, pattern, run):
        for case in hostile.cases(pattern):
            with self.subTest(theme=case.theme, name=case.name):
                run(case)


class Attacks(Cases):
    def make(self, case):
        """The stranger's folder."""
        folder = os.path.join(self.tmp.name, f"made-{case.theme}-{abs(hash(case.name))}")
        os.makedirs(folder)
        has_store = bool(case.store_text.strip())
        if case.switch("file"):  # the victim's own, whose models are where the attacker listens, too
            db = connect(os.path.join(folder, case.switch("file")), so=ATTACKED)
            for sql in self.fill(MODELS):
                db.execute(sql)
            db.close()
        env = {"XDG_STATE_HOME": os.path.join(self.tmp.name, "stranger")}
        env["LLMCOST_ALLOW_HOSTS"] = allowed_hosts(case, self.standin.host) if has_store else ""
        env["OPENAI_API_KEY"] = "sk-of-the-stranger" if has_store else ""
        made = [] if case.switch("models") == "none" else MODELS
        made = self.fill([*made, *(s for s, _ in hostile.statements(case.stranger_text))])
        maker = hostile.Driver("maker", [*self.drivers[1].argv[:-1], ATTACKED], clean_env())
        results = maker.run({"folder": folder, "file": "hostile.db", "env": env, "statements": made})
        maker.close()
        for sql, result in zip(made, results):
            self.assertEqual(result[0], "value", f"not made: {sql}: {result[1]}")
        if has_store:
            db = sqlite3.connect(os.path.join(folder, "hostile.db-llmcost"), isolation_level=None)
            for sql, _ in hostile.statements(case.store_text):
                db.execute(sql)
            db.close()
        for name in ("hostile.db", "hostile.db-llmcost"):  # SQLite itself must be able to use it
            if os.path.isfile(os.path.join(folder, name)):
                db = sqlite3.connect(os.path.join(folder, name))
                self.assertGreater(value(db, "SELECT count(*) FROM sqlite_schema NOT INDEXED"), 0)
                db.close()
        return folder

    def check_files(self, folder):
        for top, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(top, name)
                if os.path.isfile(path) and not os.path.islink(path):
                    with open(path, "rb") as f:
                        data = f.read()
                    for secret in (*KEYS.values(), AWS_SECRET, SECRET_PROMPT, self.secret_answer):
                        for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
                            self.assertNotIn(secret.encode(encoding), data, f"in {name}")

    def check_texts(self, case, results):
        text = "\n".join(f"{r[1]}\n{r[2]}" for r in results)
        for secret in (*KEYS.values(), AWS_SECRET):
            self.assertNotIn(secret, text)
        self.assertNotIn("cannot reach", text)  # it was tried: only the network was not there
        if case.switch("unsaid"):
            self.assertNotIn(case.switch("unsaid"), text)
        errors = "\n".join(r[1] for r in results if r[0] == "error")
        self.assertTrue(any(said in errors for said in case.switch("says").split("|")), errors)

    def attack(self, case):
        template = self.make(case)
        victim = self.fill([s for s, _ in hostile.statements(case.victim_text)])
        self.assertTrue(victim)
        for driver in self.drivers:
            if driver.name not in case.switch("clients", "shell python node"):
                continue
            with self.subTest(theme=case.theme, name=case.name, client=driver.name):
                folder = self.folder_for(case, driver, template)
                before = self.requests()
                results = driver.run({"folder": folder, "file": case.switch("file", "hostile.db"),
                                      "env": self.environment(case, folder), "statements": victim})
                self.assertLessEqual(self.requests() - before, int(case.switch("requests", "0")),
                                     f"a request was sent: {results}")
                self.assertNotIsInstance(results, str, results)
                self.check_files(folder)
                self.check_texts(case, results)

    def test_nothing_is_sent_and_nothing_copied(self):
        self.each("attacks_*.sql", self.attack)


class Around(Cases):
    """What takes more than statements on one connection: in Python, and in a process of its own."""

    HOSTILE = "CREATE TABLE notes(t TEXT CHECK (llm_complete(t) <> ''))"

    def setUp(self):
        self.folder = os.path.join(self.tmp.name, self.id())
        os.makedirs(self.folder)
        self.before = self.requests()

    def tearDown(self):
        self.assertEqual(self.requests() - self.before, self.own_requests, "a request was sent")

    own_requests = 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def make(self, name, *sqls):
        db = connect(self.path(name), so=ATTACKED)
        for sql in self.fill([*MODELS, *sqls]):
            db.execute(sql)
        db.close()
        return self.path(name)

    def run_code(self, code, *args, **env):
        """Python code in a process that has `so` and the function q, which prints a value or an error."""
        code = ("import locale, os, sqlite3, sys\nso, args = sys.argv[1], sys.argv[2:]\n"
                "def connect(path):\n    db = sqlite3.connect(path, isolation_level=None)\n"
                "    db.enable_load_extension(True); db.load_extension(so); return db\n"
                "def q(db, sql):\n    try: print(db.execute(sql).fetchall())\n"
                "    except sqlite3.Error as e: print('error', e)\n" + code)
        shutil.copytree(os.path.dirname(self.store), self.folder + "-own", dirs_exist_ok=True)
        env = {"LLMCOST_STORE": self.folder + "-own/store", "XDG_STATE_HOME": self.state, **env}
        hosts = ",".join([self.standin.host, *(f"{self.standin.host}={k}" for k in KEYS)])
        out = subprocess.run(["/usr/bin/python3", "-c", code, ATTACKED, *args], capture_output=True, text=True, timeout=60,
                             env=clean_env(AWS_SECRET_ACCESS_KEY=AWS_SECRET, LLMCOST_ALLOW_HOSTS=hosts, **KEYS, **env), cwd=self.folder)
        self.assertEqual(out.returncode, 0, out.stderr)
        for secret in (*KEYS.values(), AWS_SECRET):
            self.assertNotIn(secret, out.stdout)
        return out.stdout

    def test_two_databases_of_bytes_and_a_question_to_each(self):
        clean = self.make("clean.db", "CREATE TABLE notes(t)", "PRAGMA schema_version = 77")
        bad = self.make("bad.db", self.HOSTILE, "PRAGMA schema_version = 77")
        self.run_code("db = connect(':memory:')\nfor a in args:\n    db.deserialize(open(a, 'rb').read())\n"
                      "    q(db, 'SELECT llm_last_call()')\n    q(db, \"INSERT INTO notes VALUES ('private')\") if 'bad' in a else 0\n", clean, bad)

    def test_a_database_of_bytes_in_place_of_another(self):
        clean = self.make("clean.db", "CREATE TABLE notes(t)", "PRAGMA schema_version = 77")
        bad = self.make("bad.db", self.HOSTILE, "PRAGMA schema_version = 77")
        self.run_code("db = connect(':memory:')\ndb.deserialize(open(args[0], 'rb').read())\nq(db, 'SELECT llm_last_call()')\n"
                      "db.deserialize(open(args[1], 'rb').read())\nq(db, \"INSERT INTO notes VALUES ('private')\")\n", clean, bad)

    def test_a_backup_in_place_of_another(self):
        clean = self.make("clean.db", "CREATE TABLE notes(t)", "PRAGMA schema_version = 77")
        bad = self.make("bad.db", self.HOSTILE, "PRAGMA schema_version = 77")
        self.run_code("db = connect(args[0])\nq(db, 'SELECT llm_last_call()')\nsqlite3.connect(args[1]).backup(db)\n"
                      "q(db, \"INSERT INTO notes VALUES ('private')\")\n", clean, bad)

    def test_another_connection_adds_an_object_after_the_first_look(self):
        clean = self.make("clean.db", "CREATE TABLE quiet(t)")
        out = self.run_code("db = connect(args[0])\nq(db, 'SELECT llm_last_call()')\nother = connect(args[0])\n"
                            f"q(other, \"{self.HOSTILE}\")\nq(db, \"INSERT INTO notes VALUES ('private')\")\n", clean)
        self.assertIn("names llm_complete", out)

    def test_another_connection_writes_the_schema_by_hand(self):
        clean = self.make("clean.db", "CREATE TABLE notes(t TEXT)")
        sql = self.HOSTILE.replace("'", "''")
        self.run_code("db = connect(args[0])\nq(db, 'SELECT llm_last_call()')\nother = connect(args[0])\nq(other, 'PRAGMA writable_schema = ON')\n"
                      f"q(other, \"UPDATE sqlite_schema SET sql = '{sql}' WHERE name = 'notes'\")\n"
                      "q(db, \"INSERT INTO notes VALUES ('private')\")\nthird = connect(args[0])\nq(third, \"INSERT INTO notes VALUES ('private')\")\n"
                      "q(other, 'PRAGMA schema_version = 99')\nq(db, \"INSERT INTO notes VALUES ('private')\")\n", clean)

    def test_a_file_that_is_replaced_while_it_is_open(self):
        clean = self.make("clean.db", "CREATE TABLE notes(t TEXT)", "PRAGMA schema_version = 77")
        bad = self.make("bad.db", self.HOSTILE, "PRAGMA schema_version = 77")
        self.run_code("db = connect(args[0])\nq(db, 'SELECT llm_last_call()')\nos.rename(args[1], args[0])\n"
                      "q(db, \"INSERT INTO notes VALUES ('private')\")\nq(db, f\"ATTACH '{args[0]}' AS a\")\nq(db, \"INSERT INTO a.notes VALUES ('private')\")\n", clean, bad)

    def test_bytes_that_are_written_over_while_it_is_open(self):
        clean = self.make("clean.db", "CREATE TABLE notes(t TEXT)", "PRAGMA schema_version = 77")
        bad = self.make("bad.db", self.HOSTILE, "PRAGMA schema_version = 77")
        self.run_code("db = connect(args[0])\nq(db, 'SELECT llm_last_call()')\nopen(args[0], 'r+b').write(open(args[1], 'rb').read())\n"
                      "q(db, \"INSERT INTO notes VALUES ('private')\")\nother = connect(args[0])\nq(other, \"INSERT INTO notes VALUES ('private')\")\n", clean, bad)

    def test_a_shared_cache(self):
        bad = self.make("bad.db", "CREATE TABLE quiet(t)")
        self.run_code("a = sqlite3.connect(f'file:{args[0]}?cache=shared', uri=True, isolation_level=None)\n"
                      "b = sqlite3.connect(f'file:{args[0]}?cache=shared', uri=True, isolation_level=None)\n"
                      "for db in (a, b):\n    db.enable_load_extension(True); db.load_extension(so)\n"
                      f"q(a, 'SELECT llm_last_call()')\nq(b, \"{self.HOSTILE}\")\nq(a, \"INSERT INTO notes VALUES ('private')\")\n", bad)

    @unittest.skipUnless(shutil.which("localedef"), "no localedef")
    def test_a_turkish_i(self):
        locales = self.path("locales")
        os.makedirs(locales)
        made = subprocess.run(["localedef", "-i", "tr_TR", "-f", "UTF-8", f"{locales}/tr_TR.UTF-8"], capture_output=True)
        if made.returncode:
            self.skipTest("no Turkish locale")
        bad = self.make("bad.db", "CREATE TABLE a(t CHECK (LLM_CONFIG('proxy', 'URL') IS NOT NULL))",
                        "CREATE TABLE b(t CHECK (LLM_INIT() IS NOT NULL))", "CREATE TABLE llm_cost_DAILY(day)")
        out = self.run_code("print(locale.setlocale(locale.LC_ALL, ''))\ndb = connect(args[0])\nq(db, 'INSERT INTO a VALUES (1)')\n"
                            "q(db, 'INSERT INTO b VALUES (1)')\nq(db, \"SELECT llm_config('proxy')\")\nq(db, \"SELECT llm_last_call()\")\n",
                            bad, LC_ALL="tr_TR.UTF-8", LOCPATH=locales)
        self.assertIn("tr_TR", out)
        self.assertNotIn(self.standin.url, out)
        self.assertEqual(out.count("error"), 4, out)

    def test_what_lies_in_the_place_of_a_store(self):
        """A link, a folder, a FIFO, a text, and files that SQLite would take for the store's WAL and journal."""
        self.own_requests = 0
        target = self.path("target")
        kinds = {"link": lambda p: os.symlink(target, p), "folder": os.mkdir, "fifo": os.mkfifo,
                 "text": lambda p: shutil.copy(__file__, p)}
        for kind, plant in kinds.items():
            with self.subTest(kind=kind):
                db = self.make(kind + ".db", "CREATE TABLE x(a)")
                plant(db + "-llmcost")
                out = self.run_code("db = connect(args[0])\nq(db, \"SELECT llm_complete('private')\")\nq(db, 'SELECT * FROM llm_calls')\n"
                                    .replace("db = connect", "del os.environ['LLMCOST_STORE']\ndb = connect"), db)
                self.assertIn("error", out.splitlines()[0])
                self.assertFalse(os.path.exists(target))

    def test_links_in_the_place_of_the_stores_wal_and_journal(self):
        self.own_requests = 2
        for suffix in ("-wal", "-journal", "-shm"):  # the first two SQLite removes, the third it does not follow
            with self.subTest(suffix=suffix):
                db, target = self.make(f"{suffix[1:]}.db", "CREATE TABLE x(a)"), self.path("target" + suffix)
                with open(target, "w") as f:
                    f.write("mine")
                os.symlink(target, db + "-llmcost" + suffix)
                self.run_code("del os.environ['LLMCOST_STORE']\ndb = connect(args[0])\nq(db, \"SELECT llm_complete('private')\")\n", db)
                with open(target) as f:
                    self.assertEqual(f.read(), "mine")

    def test_stores_of_older_versions_beside_a_file(self):
        for version in (1, 2, 3):
            with self.subTest(version=version):
                db = self.make(f"v{version}.db", "CREATE TABLE x(a)")
                shutil.copy(os.path.join(ROOT, f"tests/data/store_v{version}.db"), db + "-llmcost")
                out = self.run_code("del os.environ['LLMCOST_STORE']\ndb = connect(args[0])\nq(db, \"SELECT llm_complete('private')\")\n"
                                    "q(db, 'SELECT * FROM llm_calls')\n", db)
                self.assertEqual(out.count("error"), 2, out)
                self.assertIn("llm_trust_store()", out)

    def test_a_trigger_in_a_store_that_was_named_and_an_index_that_hides_it(self):
        self.own_requests = 0
        named = self.path("named")
        shutil.copy(self.store, named)
        db = sqlite3.connect(named, isolation_level=None)
        for sql in ("CREATE TRIGGER tr AFTER INSERT ON llm_calls BEGIN UPDATE llm_answers SET answer = 'PLANTED'; END",
                    "CREATE TABLE d(type, name, tbl_name, rootpage, sql)",
                    "INSERT INTO d SELECT * FROM sqlite_schema WHERE name NOT IN ('tr', 'd') AND sql IS NOT NULL",
                    "CREATE INDEX i ON d(sql)", "PRAGMA writable_schema = ON",
                    "UPDATE sqlite_schema SET tbl_name = 'sqlite_master', sql = 'CREATE INDEX i ON sqlite_master(sql)' WHERE name = 'i'"):
            db.execute(sql)
        db.close()
        out = self.run_code("db = connect(args[0])\nq(db, \"SELECT llm_complete('private')\")\n", self.make("t.db"), LLMCOST_STORE=named)
        self.assertIn("is not as llmcost makes it", out)

    def test_the_victims_mark_in_another_store(self):
        """A mark fits the id of one store: it says nothing of a store with another."""
        bad = self.make("m.db", "CREATE TABLE x(a)")
        shutil.copy(self.store, bad + "-llmcost")
        db = sqlite3.connect(bad + "-llmcost")
        db.execute("UPDATE llm_meta SET value = value || '0' WHERE name = 'id'")
        db.execute("UPDATE llm_answers SET answer = 'PLANTED'")
        db.commit()
        db.close()
        out = self.run_code("del os.environ['LLMCOST_STORE']\ndb = connect(args[0])\n"
                            f"q(db, \"SELECT llm_complete('{SECRET_PROMPT}')\")\n", bad)
        self.assertIn("was not made by this installation", out)


class Harmless(Cases):
    def check(self, sql, expectations, result, errors):
        for line in expectations:
            kind, _, wanted = line[3:].partition(":")
            if kind == "error":
                self.assertTrue(any(w in e for e in errors for w in wanted.strip().split("|")),
                                f"{sql}: expected an error with {wanted}: {result} {errors}")
            else:
                self.assertEqual(result[0], "value", f"{sql}: {result}")
                self.assertEqual(result[1] or "", wanted.strip(), sql)

    def use(self, case):
        wanted = hostile.statements(case.stranger_text + case.store_text)
        prelude = [] if case.switch("models") == "none" else MODELS
        for driver in self.drivers:
            if driver.name not in case.switch("clients", "shell python node"):
                continue
            with self.subTest(theme=case.theme, name=case.name, client=driver.name):
                folder = self.folder_for(case, driver)
                results = driver.run({"folder": folder, "file": case.switch("file", "hostile.db"),
                                      "env": self.environment(case, folder),
                                      "statements": self.fill([*prelude, *(s for s, _ in wanted)])})
                self.assertNotIsInstance(results, str, results)
                errors = [r[1] for r in results if r[0] == "error"]
                n_wanted = sum("-- error:" in line for _, lines in wanted for line in lines)
                self.assertEqual(len(errors), n_wanted, errors)
                for (sql, expectations), result in zip(wanted, results[len(prelude):]):
                    own = [result[1]] if result[0] == "error" else errors
                    self.check(sql, expectations, result, own)

    def test_they_go_on_working(self):
        self.each("harmless_*.sql", self.use)


if __name__ == "__main__":
    unittest.main()
