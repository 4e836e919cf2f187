"""The programs of the page of clients, as printed: each asks once, and pays once."""
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import time
import unittest

from harness import NPM_DIR, ROOT, SO, Standin, TempDir, clean_env, npm_package, shell

JDBC = "/usr/share/java/sqlite-jdbc.jar"
GO = "/usr/share/gocode/src/github.com/mattn/go-sqlite3"


def programs():
    """(language, program), and two for languages with two."""
    with open(os.path.join(ROOT, "sql/manual/clients.md")) as f:
        return re.findall(r"```(\w+)\n(.*?)```", f.read(), re.S)


def runs(*command):
    try:
        return subprocess.run(command, capture_output=True, env=clean_env()).returncode == 0
    except FileNotFoundError:
        return False


def how(language, text):
    """(file, command, what must run, what it needs)."""
    if language == "python":
        module = re.search(r"import (\w+)", text)[1]
        return "ask.py", ["/usr/bin/python3", "ask.py"], ["/usr/bin/python3", "-c", f"import {module}"], f"python3 with {module}"
    return {
        "php": ("ask.php", ["php", "-d", "sqlite3.extension_dir={folder}", "ask.php"],
                ["php", "-r", "exit(class_exists('SQLite3') ? 0 : 1);"], "php-cli, php-sqlite3"),
        "perl": ("ask.pl", ["perl", "ask.pl"], ["perl", "-e", "use DBD::SQLite"], "libdbd-sqlite3-perl"),
        "ruby": ("ask.rb", ["ruby", "ask.rb"], ["ruby", "-e", "require 'sqlite3'"], "ruby-sqlite3"),
        "tcl": ("ask.tcl", ["tclsh", "ask.tcl"], ["sh", "-c", "echo 'package require sqlite3' | tclsh"], "libsqlite3-tcl"),
        "r": ("ask.R", ["Rscript", "ask.R"], ["Rscript", "-e", "library(RSQLite)"], "r-cran-rsqlite"),
        "java": ("Ask.java", ["java", "-cp", JDBC, "Ask.java"], ["sh", "-c", f"command -v javac && test -f {JDBC}"],
                 "libxerial-sqlite-jdbc-java and a JDK"),
        "go": ("ask.go", ["go", "run", "ask.go"], ["sh", "-c", f"command -v go && test -d {GO}"],
               "golang-go, golang-github-mattn-go-sqlite3-dev"),
        "sh": ("ask.sh", ["sh", "ask.sh"], ["sqlite-utils", "--version"], "sqlite-utils"),
        "js": ("ask.js", ["node", "ask.js"], ["sh", "-c", f"test -e {NPM_DIR}/node_modules/better-sqlite3"], "npm better-sqlite3"),
    }[language]


class Programs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        npm_package("better-sqlite3")
        cls.standin = Standin()
        cls.standin.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.standin.__exit__()

    def folder(self):
        """A folder with llmcost.so and a database whose models are at the stand-in; and the environment for it."""
        tmp = TempDir()
        self.addCleanup(tmp.cleanup)
        shutil.copy(SO, os.path.join(tmp.name, "llmcost.so"))
        host = self.standin.host
        env = clean_env(OPENAI_API_KEY="sk-client-programs", LLMCOST_ALLOW_HOSTS=f"{host}=OPENAI_API_KEY", HOME=tmp.name,
                        NODE_PATH=f"{NPM_DIR}/node_modules", GOPATH="/usr/share/gocode", GO111MODULE="off",
                        GOCACHE=os.path.join(tmp.name, "go"), XDG_STATE_HOME=os.environ["XDG_STATE_HOME"])
        out = shell(os.path.join(tmp.name, "desk.db"), f".load {SO}\nSELECT llm_init();\n"
                    f"UPDATE llm_models SET base_url = '{self.standin.url}/v1';", env=env)
        self.assertEqual(out.stderr, "")
        return tmp.name, env

    def start(self, language, text):
        """The program as a process that hears SIGINT, and its folder."""
        name, command, check, needs = how(language, text)
        if not runs(*check):
            self.skipTest(f"needs {needs}")
        folder, env = self.folder()
        with open(os.path.join(folder, name), "w") as f:
            f.write(text)
        return subprocess.Popen([word.format(folder=folder) for word in command], cwd=folder, env=env, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
                                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)), folder

    def run_program(self, language, text):
        """Its output, and the kinds of the ledger's rows."""
        process, folder = self.start(language, text)
        stdout, stderr = process.communicate(timeout=300)
        self.assertEqual(process.returncode, 0, stderr)
        store = sqlite3.connect(os.path.join(folder, "desk.db-llmcost"))
        kinds = [kind for kind, in store.execute("SELECT kind FROM llm_calls ORDER BY id")]
        store.close()
        return stdout, kinds

    def test_libsql(self):
        if not npm_package("libsql"):
            self.skipTest("needs npm libsql")
        out, kinds = self.run_program("js", dict(programs())["js"].replace('"better-sqlite3"', '"libsql"'))
        self.assertIn("Thank you", out)
        self.assertEqual(kinds, ["call"])

    def test_what_php_does_twice(self):
        php = [text for language, text in programs() if language == "php"][0]
        loaded = php[:php.index("echo")]
        off = "SELECT llm_complete('Hello', '{\\\"cache\\\":\\\"off\\\"}')"
        for call, times in ((f'$db->query("{off}")->fetchArray();', 2), (f'$s = $db->prepare("{off}"); $s->execute()->fetchArray();', 2),
                            (f'$db->querySingle("{off}");', 1), (f'$db->exec("CREATE TEMP TABLE a AS {off} AS answer");', 1)):
            self.assertEqual(self.run_program("php", f"{loaded}{call}\n$db->close();\n")[1], ["call"] * times, call)

    def interrupted(self, language, text):
        """How many of 40 calls were made, Ctrl-C being pressed after two."""
        rows = ",".join(str(i) for i in range(40))
        many = text.replace("SELECT llm_complete('Hello')", f"SELECT count(llm_complete('Hello ' || value)) FROM json_each('[{rows}]')")
        many = many.replace(" AS answer FROM", " FROM").replace(" AS answer", "")
        self.assertNotEqual(many, text)
        before = self.standin.bill()["calls"]
        process, _ = self.start(language, many)
        while process.poll() is None and self.standin.bill()["calls"] < before + 2:
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=60)
        return self.standin.bill()["calls"] - before

    def test_ctrl_c(self):
        self.standin.latency(100)
        self.addCleanup(self.standin.latency, 0)
        for language, text in programs():
            if language not in ("r", "go", "sh"):  # (these are deaf; go takes long to build)
                with self.subTest(language=language):
                    self.assertIn(self.interrupted(language, text), range(2, 39))
        python = programs()[0][1]
        self.assertGreaterEqual(self.interrupted("python", re.sub(r"db.set_progress_handler.*", "", python)), 40)
        ruby = dict(programs())["ruby"]
        self.assertGreaterEqual(self.interrupted("ruby", re.sub(r"trap.*", "", ruby)), 40)

    def test_every_language_of_the_table_has_a_program(self):
        self.assertEqual([language for language, _ in programs()],
                         ["python", "python", "js", "php", "perl", "ruby", "tcl", "r", "java", "go", "sh"])


def add(number, language, text):
    def test(self):
        out, kinds = self.run_program(language, text)
        self.assertIn("Thank you", out)
        self.assertEqual(kinds, ["call"])
    setattr(Programs, f"test_{number:02}_{language}", test)


for number, (language, text) in enumerate(programs()):
    add(number, language, text)


if __name__ == "__main__":
    unittest.main()
