"""A hostile database file, a hostile environment: nothing is sent, no key leaves."""
import os
import socket
import sqlite3
import threading
import unittest

from harness import KEYS, ROOT, SO, Standin, strange_port, TempDir, clean_env, connect, error_of, open_desk, shell, value


def make_hostile(path, standin, *scripts):
    db = connect(path)
    for script in scripts:
        with open(os.path.join(ROOT, "tests/sql/hostile", script)) as f:
            db.executescript(f.read().replace("URL", standin.url).replace("HOST", standin.host))
    db.close()


# What a user asks himself, of a file whose models are an attacker's.
ASKED = ["SELECT llm_complete('my own question')",
         *(f"SELECT llm_complete('my own question', '{{\"model\":\"{m}\"}}')"
           for m in ("gpt-4o-mini", "claude-haiku-4-5", "gpt-4o", "swapped", "path", "file", "header", "no-key"))]


class Registration(unittest.TestCase):
    """What SQLite says of our functions, held against what a database file can make of them."""
    DIRECTONLY, INNOCUOUS = 0x80000, 0x200000

    def functions(self, db):
        rows = db.execute("SELECT name, narg, flags FROM pragma_function_list WHERE name GLOB 'llm*' OR name GLOB 'embed*'")
        return [(name, n, flags) for name, n, flags in rows]

    def test_no_check_reaches_what_is_direct(self):
        plain = connect(":memory:")
        functions = self.functions(plain)
        plain.close()
        self.assertGreater(len(functions), 30)
        for name, n, flags in functions:
            self.assertEqual(bool(flags & self.DIRECTONLY), not flags & self.INNOCUOUS, name)
            if not flags & self.DIRECTONLY:
                continue
            with self.subTest(name, n=n), TempDir() as tmp:
                path = os.path.join(tmp, "h.db")
                args = ", ".join(["x"] * n)
                stranger = sqlite3.connect(path)
                stranger.create_function(name, n, lambda *a: 1, deterministic=True)
                stranger.execute(f"CREATE TABLE t(x, CHECK ({name}({args}) IS NOT 5))")
                stranger.close()
                db = connect(path)
                message = error_of(db, "INSERT INTO t VALUES ('/no/such/file')")
                self.assertRegex(message, "nothing was done|unsafe use of")
                self.assertNotIn("/no/such/file", message)
                self.assertIn(f"table 't' of 'main' names {name}", error_of(db, "SELECT llm_config('retries')")
                              if name == "llm_config" else message)
                db.close()

    def test_no_table_of_ours_is_read_by_a_view(self):
        with TempDir() as tmp:
            db = connect(os.path.join(tmp, "h.db"))
            modules = [m for m, in db.execute("SELECT name FROM pragma_module_list WHERE name GLOB 'llm_*' OR name = 'embed_batch'")]
            self.assertGreater(len(modules), 15)
            for module in modules:
                if module in ("llm_catalogue", "llm_functions", "llm_stack"):  # what anybody may read
                    continue
                args = "('a', 'b')" if module in ("llm_call", "embed_batch") else ""
                db.execute(f"CREATE VIEW v AS SELECT * FROM {module}{args}")
                self.assertIn("unsafe use of virtual table", error_of(db, "SELECT * FROM v"), module)
                db.execute("DROP VIEW v")
            db.close()


class Hostile(unittest.TestCase):
    STATEMENTS = [
        "SELECT * FROM inbox", "SELECT * FROM leak", "SELECT * FROM spend", "SELECT * FROM history",
        "INSERT INTO loot VALUES (1)",
        "INSERT INTO tickets(question) VALUES ('mine')", "INSERT INTO seen(x) VALUES (1)",
        *ASKED,
    ]

    def test_prices_that_are_a_view_are_not_read(self):
        with Standin("--port", strange_port()) as standin, TempDir() as tmp:
            make_hostile(os.path.join(tmp, "h.db"), standin, "models.sql", "prices.sql")
            db = connect(os.path.join(tmp, "h.db"))
            for sql in ("SELECT llm_cost('gpt-4o', 1, 1)", "SELECT llm_price('gpt-4o', 'input')"):
                self.assertIn("llm_prices in this database is a view", error_of(db, sql))
            for sql in ASKED:
                self.assertIn("view 'llm_prices' of 'main' names llm_complete", error_of(db, sql))
            self.assertEqual(standin.bill()["requests"], 0)

    def test_nothing_is_sent_and_no_key_leaves(self):
        os.environ.update(KEYS)
        self.addCleanup(lambda: [os.environ.pop(k, None) for k in KEYS])
        for trusted in (0, 1):
            with self.subTest(trusted=trusted), Standin("--port", strange_port()) as standin, TempDir() as tmp:
                path = os.path.join(tmp, "hostile.db")
                make_hostile(path, standin, "make.sql", "models.sql")
                db = connect(path)
                db.execute(f"PRAGMA trusted_schema = {trusted}")
                for sql in self.STATEMENTS:
                    self.assertNotIn("sk-", error_of(db, sql))
                db.close()
                self.check_files(tmp)
                os.remove(path)
                make_hostile(path, standin, "models.sql")  # without the code, only the addresses lie
                db = connect(path)
                for sql in ASKED:
                    message = error_of(db, sql)
                    for key in KEYS.values():
                        self.assertNotIn(key, message)
                self.assertEqual(standin.bill()["requests"], 0)
                refused = value(db, "SELECT count(*) FROM llm_calls WHERE kind = 'refused' AND cost_nusd = 0")
                self.assertGreaterEqual(refused, 4)
                self.assertEqual(value(db, "SELECT count(*) FROM llm_calls WHERE kind <> 'refused'"), 0)
                db.close()
                self.check_files(tmp)

    def check_files(self, folder):
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), "rb") as f:
                data = f.read()
            for key in KEYS.values():
                self.assertNotIn(key.encode(), data, name)

    def test_check_constraints_reach_nothing(self):
        with Standin("--port", strange_port()) as standin, TempDir() as tmp:
            make_hostile(os.path.join(tmp, "h.db"), standin, "checks.sql")
            os.environ.update(KEYS)
            self.addCleanup(lambda: [os.environ.pop(k, None) for k in KEYS])
            db = connect(os.path.join(tmp, "h.db"))
            db.execute("PRAGMA ignore_check_constraints = ON")
            for table in ("notes", "chats", "keys", "settings"):
                db.execute(f"INSERT INTO {table} VALUES ('a row to find')")
            db.execute("PRAGMA ignore_check_constraints = OFF")
            for table in ("notes", "chats", "keys", "settings"):
                for sql in (f"INSERT INTO {table} VALUES ('my private note')", f"UPDATE {table} SET t = t || '!'",
                            f"REPLACE INTO {table} SELECT t || '?' FROM {table}"):
                    self.assertIn("nothing was done, since a database file", error_of(db, sql))
            for sql in ("PRAGMA integrity_check", "PRAGMA quick_check", "SELECT * FROM pragma_integrity_check",
                        "/* x */ PRAGMA integrity_check(notes)", "ATTACH ':memory:' AS a"):
                try:
                    db.execute(sql).fetchall()
                except sqlite3.Error:
                    pass
            self.assertEqual(standin.bill()["requests"], 0)
            db.execute("DROP TABLE settings")  # which names llm_config
            self.assertIsNone(value(db, "SELECT llm_config('proxy')"))
            db.close()

    def test_check_constraints_of_an_attached_file(self):
        with Standin("--port", strange_port()) as standin, TempDir() as tmp:
            make_hostile(os.path.join(tmp, "h.db"), standin, "checks.sql")
            db = open_desk(os.path.join(tmp, "mine.db"), standin.url)
            db.execute("ATTACH ? AS h", (os.path.join(tmp, "h.db"),))
            self.assertIn("of 'h' names llm_", error_of(db, "INSERT INTO h.notes VALUES ('private')"))
            self.assertEqual(standin.bill()["requests"], 0)

    def test_a_column_named_after_a_function_is_no_attack(self):
        with Standin("--port", strange_port()) as standin, TempDir() as tmp:
            db = open_desk(os.path.join(tmp, "mine.db"), standin.url)
            db.execute("CREATE TABLE a AS SELECT llm_complete('x')")
            db.execute("INSERT INTO a SELECT llm_complete('y')")
            self.assertEqual(value(db, "SELECT count(*) FROM a"), 2)

    def test_a_loopback_address_in_the_file_is_not_trusted(self):
        with Standin("--port", strange_port()) as standin, TempDir() as tmp:
            make_hostile(os.path.join(tmp, "h.db"), standin, "models.sql")
            db = connect(os.path.join(tmp, "h.db"))
            message = error_of(db, "SELECT llm_complete('x', '{\"model\":\"no-key\"}')")
            self.assertIn("not allowed", message)
            self.assertIn("llm_allow_host", message)
            self.assertEqual(standin.bill()["requests"], 0)

    def test_a_key_goes_only_to_its_own_host(self):
        with Standin("--port", strange_port()) as standin, TempDir() as tmp:
            make_hostile(os.path.join(tmp, "h.db"), standin, "models.sql")
            db = connect(os.path.join(tmp, "h.db"))
            value(db, "SELECT llm_secret('ANTHROPIC_API_KEY', 'sk-ant-x')")
            message = error_of(db, "SELECT llm_complete('x', '{\"model\":\"swapped\"}')")
            self.assertIn("ANTHROPIC_API_KEY is not a key of host 'api.openai.com'", message)


class Network(unittest.TestCase):
    def listen(self):
        s = socket.socket()
        s.bind(("127.0.0.1", 0))
        s.listen(5)
        s.settimeout(0.2)
        self.addCleanup(s.close)
        return s, s.getsockname()[1]

    def test_proxies_of_the_environment_are_not_used(self):
        trap, port = self.listen()
        with Standin("--port", strange_port()) as standin, TempDir() as tmp:
            names = ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY")
            os.environ.update({n: f"http://127.0.0.1:{port}" for n in names})
            self.addCleanup(lambda: [os.environ.pop(n, None) for n in names])
            db = open_desk(os.path.join(tmp, "p.db"), standin.url)
            for n in names:
                os.environ.pop(n)
            os.environ.update({n: f"http://127.0.0.1:{port}" for n in names})
            self.assertIn("ref", value(db, "SELECT llm_complete('x')"))
            with self.assertRaises(TimeoutError):
                trap.accept()

    def test_a_proxy_that_is_asked_for_is_used(self):
        trap, port = self.listen()
        hits = []

        def accept():
            c, _ = trap.accept()
            hits.append(c.recv(200))
            c.close()

        threading.Thread(target=accept, daemon=True).start()
        with Standin("--port", strange_port()) as standin, TempDir() as tmp:
            db = open_desk(os.path.join(tmp, "p.db"), standin.url)
            trap.settimeout(5)
            value(db, "SELECT llm_config('proxy', ?)", f"http://127.0.0.1:{port}")
            error_of(db, "SELECT llm_complete('x', '{\"retries\":0}')")
            self.assertEqual(len(hits), 1)
            self.assertEqual(standin.bill()["requests"], 0)

    def test_plain_http_only_to_this_machine(self):
        with TempDir() as tmp:
            db = connect(os.path.join(tmp, "p.db"))
            value(db, "SELECT llm_init()")
            value(db, "SELECT llm_allow_host('example.com', 'OPENAI_API_KEY')")
            for url in ("http://example.com/v1", "http://127.0.0.1.example.com/v1", "http://10.0.0.1/v1"):
                db.execute("UPDATE llm_models SET base_url = ?", (url,))
                self.assertIn("use https", error_of(db, "SELECT llm_complete('x', '{\"model\":\"gpt-4o\"}')"))

    def test_keys_are_nowhere_to_be_read(self):
        with Standin("--port", strange_port()) as standin, TempDir() as tmp:
            path = os.path.join(tmp, "p.db")
            db = open_desk(path, standin.url)
            value(db, "SELECT llm_complete('x')")
            db.execute("UPDATE llm_models SET base_url = ?", (standin.url + "/s/unauthorized/v1",))
            message = error_of(db, "SELECT llm_complete('y')")
            self.assertIn("check the key in OPENAI_API_KEY", message)
            texts = [message, value(db, "SELECT llmcost_debug()"), str(db.execute("SELECT * FROM llm_calls").fetchall())]
            db.close()
            Hostile.check_files(self, tmp)
            for key in KEYS.values():
                for text in texts:
                    self.assertNotIn(key, text)
            self.assertEqual({j["auth"] for j in standin.journal()}, {"yes"})

    def test_which_key_may_go_where(self):
        """Pairs of the environment and of llm_allow_host, several for a host, with ports and IPv6."""
        allow = ("LLMCOST_ALLOW_HOSTS", "a.example=OPENAI_API_KEY,a.example=MY_KEY [::1]:8080=MY_KEY,b.example:444,c.example")
        cases = [("https://a.example/v1", "OPENAI_API_KEY", None), ("https://A.Example:8443/v1", "MY_KEY", None),
                 ("https://a.example/v1", "OTHER_KEY", "OTHER_KEY is not a key of host 'a.example'"),
                 ("https://a.example/v1", "openai_api_key", "is not a key of host"), ("https://a.example/v1", None, None),
                 ("http://[::1]:8080/v1", "MY_KEY", None), ("http://[::1]:8081/v1", "MY_KEY", "llm_allow_host('[::1]:8081', 'MY_KEY')"),
                 ("https://b.example:444/v1", None, None), ("https://b.example:444/v1", "MY_KEY", "llm_allow_host('b.example:444', 'MY_KEY')"),
                 ("https://b.example/v1", None, "not allowed"), ("https://xa.example/v1", "MY_KEY", "not allowed"),
                 ("https://a.example.evil/v1", "MY_KEY", "not allowed"), ("https://api.openai.com/v1", "MY_KEY", "is not a key of host"),
                 ("https://api.openai.com:444/v1", "OPENAI_API_KEY", "not allowed"), ("https://c.example/v1", "AWS_SECRET_ACCESS_KEY", "is not a key")]
        os.environ.update({allow[0]: allow[1], "OPENAI_API_KEY": "sk-1234567890", "MY_KEY": "k-1234567890", "AWS_SECRET_ACCESS_KEY": "aws-secret"})
        self.addCleanup(lambda: [os.environ.pop(k, None) for k in ("OPENAI_API_KEY", "MY_KEY", allow[0], "AWS_SECRET_ACCESS_KEY")])
        with TempDir() as tmp:
            db = connect(os.path.join(tmp, "k.db"))
            value(db, "SELECT llm_init()")
            value(db, "SELECT llm_config('connect_timeout_ms', 200), llm_config('retries', 0)")
            for url, key, says in cases:
                with self.subTest(url=url, key=key):
                    db.execute("UPDATE llm_models SET base_url = ?, key_env = ?", (url, key))
                    self.assertIn(says or "cannot reach", error_of(db, "SELECT llm_complete('x', '{\"model\":\"gpt-4o\"}')"))
            value(db, "SELECT llm_allow_host('d.example'), llm_allow_host('d.example', 'MY_KEY'), llm_allow_host('d.example', NULL)")
            db.execute("UPDATE llm_models SET base_url = 'https://d.example/v1', key_env = 'MY_KEY'")
            self.assertIn("cannot reach", error_of(db, "SELECT llm_complete('x', '{\"model\":\"gpt-4o\"}')"))
            os.environ[allow[0]] = "a.example, http://x, b=K-1, sk-key-by-mistake=="
            db.execute("UPDATE llm_models SET base_url = 'https://e.example/v1'")
            message = error_of(db, "SELECT llm_complete('x', '{\"model\":\"gpt-4o\"}')")
            self.assertIn("entry 2 of LLMCOST_ALLOW_HOSTS is no host and no host=KEY_NAME", message)
            db.execute("UPDATE llm_models SET base_url = 'https://a.example/v1' || char(0) || '.evil'")
            self.assertIn("holds a NUL", error_of(db, "SELECT llm_complete('x', '{\"model\":\"gpt-4o\"}')"))
            for bad in ('"sk-quoted"', "'sk-quoted'", "sk line", "sk-break\n"):
                os.environ["MY_KEY"] = bad
                os.environ[allow[0]] = allow[1]
                db.execute("UPDATE llm_models SET base_url = 'https://a.example/v1', key_env = 'MY_KEY'")
                self.assertIn("the key in MY_KEY holds", error_of(db, "SELECT llm_complete('x', '{\"model\":\"gpt-4o\"}')"))

    def test_env_var_allows_hosts(self):
        with Standin("--port", strange_port()) as standin, TempDir() as tmp:
            sql = (f".load {SO}\nSELECT llm_init();\nUPDATE llm_models SET base_url = '{standin.url}/v1';\n"
                   "SELECT length(llm_complete('x')) > 0;\n")
            out = shell(os.path.join(tmp, "e.db"), sql, env=clean_env(LLMCOST_ALLOW_HOSTS=f"a.example, {standin.host}=OPENAI_API_KEY", **KEYS))
            self.assertEqual(out.stdout.splitlines()[-1:], ["1"], out.stderr)


if __name__ == "__main__":
    unittest.main()
