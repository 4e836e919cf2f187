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
    "INSERT INTO llm_models VALUES ('gpt-4o-mini', 'openai', 'openai', 'URL/v1', 'OPENAI_API_KEY', 1, 1, '{}'),"
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
        env = {"XDG_STATE_HOME": os.path.join(self.tmp.name, "stranger")}
        env["LLMCOST_ALLOW_HOSTS"] = ",".join(f"{self.standin.host}={k}" for k in KEYS) if has_store else ""
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
        if case.switch("unsaid"):
            self.assertNotIn(case.switch("unsaid"), text)
        errors = "\n".join(r[1] for r in results if r[0] == "error")
        self.assertIn(case.switch("says"), errors)

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
                self.assertEqual(self.requests() - before, 0, f"a request was sent: {results}")
                self.assertNotIsInstance(results, str, results)
                self.check_files(folder)
                self.check_texts(case, results)

    def test_nothing_is_sent_and_nothing_copied(self):
        self.each("attacks_*.sql", self.attack)


class Harmless(Cases):
    def check(self, sql, expectations, result, errors):
        for line in expectations:
            kind, _, wanted = line[3:].partition(":")
            if kind == "error":
                self.assertTrue(any(wanted.strip() in e for e in errors), f"{sql}: expected an error with {wanted}: {result} {errors}")
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
