"""The same main path in every client that must load us: Debian's shell, /usr/bin/python3, better-sqlite3."""
import json
import os
import re
import sqlite3
import subprocess
import threading
import unittest

from harness import (ROOT, SO, Standin, TempDir, clean_env, connect, error_of, npm_package, open_desk, setup_sql,
                     shell, value)

# statement, what its first value must be (None: not looked at)
MAIN_PATH = [
    ("CREATE TABLE tickets(id INTEGER PRIMARY KEY, q TEXT)", None),
    ("INSERT INTO tickets(q) VALUES ('How do I return an item?'), ('Where is my order?'), ('Where is my order?')", None),
    ("CREATE TABLE answers(id INTEGER PRIMARY KEY, a TEXT)", None),
    ("BEGIN", None),
    ("INSERT INTO answers SELECT id, llm_complete(q) FROM tickets", None),
    ("ROLLBACK", None),
    ("SELECT count(*) FROM llm_calls", 2),
    ("INSERT INTO answers SELECT id, llm_complete(q) FROM tickets", None),
    ("SELECT count(*) FROM answers", 3),
    ("SELECT count(*) FROM llm_calls WHERE kind = 'call'", 2),
    ("SELECT count(*) FROM llm_calls WHERE kind = 'hit_exact'", 2),
    ("SELECT answer = (SELECT a FROM answers WHERE id = 1) FROM llm_call('How do I return an item?')", 1),
    ("SELECT llm_chat('[{\"role\":\"user\",\"content\":\"Where is my order?\"}]') = (SELECT a FROM answers WHERE id = 2)", 1),
    ("SELECT kind FROM llm_calls WHERE id = llm_last_call()", "hit_exact"),
    ("SELECT sum(calls) FROM llm_cost_daily", 2),
    ("SELECT llm_cost('gpt-4o', 1000000, 0)", 2.5),
    ("SELECT count(*) FROM llm_calls c JOIN llm_texts x ON x.hash = c.prompt_hash JOIN tickets t ON t.q = x.text WHERE c.kind = 'call'", 3),
    ("SELECT json_extract(llm_complete('x', '{\"dry_run\":true}'), '$.model')", "gpt-4o-mini"),
]


class Clients(unittest.TestCase):
    def run_path(self, run):
        with Standin() as standin, TempDir() as tmp:
            statements = setup_sql(standin.url) + [s for s, _ in MAIN_PATH]
            values = run(os.path.join(tmp, "desk.db"), statements)[-len(MAIN_PATH):]
            for (sql, expected), got in zip(MAIN_PATH, values):
                if expected is not None:
                    self.assertEqual(got, expected, sql)
            store = sqlite3.connect(os.path.join(tmp, "desk.db-llmcost"))
            self.assertEqual(store.execute("PRAGMA integrity_check").fetchone(), ("ok",))
            self.assertEqual(store.execute("SELECT sum(cost_nusd) FROM llm_calls").fetchone()[0],
                             standin.bill()["total_nusd"])
            self.assertEqual(store.execute("PRAGMA application_id").fetchone()[0], 0x6C6C6D63)
            store.close()

    def test_debian_shell(self):
        def run(path, statements):
            sql = f".load {SO}\n.mode json\n" + "".join(s + ";\nSELECT '---' AS mark;\n" for s in statements)
            out = shell(path, sql)
            self.assertEqual(out.stderr, "")
            parts = re.split(r'\[\{"mark":"---"\}\]\n', out.stdout)
            return [list(json.loads(p)[0].values())[0] if p.strip() else None for p in parts[:-1]]
        self.run_path(run)

    def test_python(self):
        def run(path, statements):
            db = connect(path)
            values = [value(db, s) for s in statements]
            db.close()
            return values
        self.run_path(run)

    def test_better_sqlite3(self):
        folder = npm_package("better-sqlite3")
        if not folder or not os.path.exists(folder + "/build/Release/better_sqlite3.node"):
            self.skipTest("npm better-sqlite3 can't be installed here")

        def run(path, statements):
            out = subprocess.run(["node", os.path.join(ROOT, "tests/live/client.js"), folder, SO, path,
                                  json.dumps(statements)], capture_output=True, text=True, env=clean_env())
            self.assertEqual(out.returncode, 0, out.stderr)
            return [json.loads(line) for line in out.stdout.splitlines()]
        self.run_path(run)

    def test_the_semantic_cache_in_a_newer_sqlite(self):
        """SQLite 3.53: xIntegrity, LIMIT as k, shadow tables that SQL can't write (defensive mode)."""
        folder = npm_package("better-sqlite3")
        if not folder or not os.path.exists(folder + "/build/Release/better_sqlite3.node"):
            self.skipTest("npm better-sqlite3 can't be installed here")
        statements = [
            "CREATE VIRTUAL TABLE c USING semantic_cache(confirm='off')",
            "INSERT INTO c(query, response) VALUES ('What is a bond?', 1), ('What is a share?', 2), ('Where is Oslo?', 3)",
            "SELECT json_group_array(response) FROM (SELECT response FROM c WHERE query MATCH 'what is a bond'"
            " AND verify = 0 ORDER BY similarity DESC LIMIT 2)",
            "SELECT integrity_check FROM pragma_integrity_check",
            "CREATE VIRTUAL TABLE temp.d USING semantic_cache",
            "UPDATE c_rows SET partition = 9"]
        with TempDir() as tmp:
            out = subprocess.run(["node", os.path.join(ROOT, "tests/live/client.js"), folder, SO, tmp + "/c.db",
                                  json.dumps(statements)], capture_output=True, text=True, env=clean_env())
            self.assertEqual(out.stdout.splitlines(), ["null", "null", '"[1,2]"', '"ok"', "null"])
            self.assertIn("may not be modified", out.stderr)
            db = connect(tmp + "/c.db")
            db.execute("UPDATE c_rows SET partition = 9")
            db.close()
            out = subprocess.run(["node", os.path.join(ROOT, "tests/live/client.js"), folder, SO, tmp + "/c.db",
                                  json.dumps(statements[3:4])], capture_output=True, text=True, env=clean_env())
            self.assertEqual(out.stdout, '"semantic_cache c: 3 entries of no partition"\n')

    def test_static_library(self):
        with Standin() as standin, TempDir() as tmp:
            path = os.path.join(tmp, "desk.db")
            open_desk(path, standin.url).close()
            program = os.path.join(ROOT, "build/embed_example")
            env = clean_env(OPENAI_API_KEY="sk-x", LLMCOST_ALLOW_HOSTS=standin.host + "=OPENAI_API_KEY")
            out = subprocess.run([program, path], capture_output=True, text=True, env=env)
            self.assertIn("answer: You can return", out.stdout, out.stderr)
            out = subprocess.run([program], capture_output=True, text=True, env=env)
            self.assertIn("would_send: {", out.stdout, out.stderr)

    def test_only_the_entry_points_are_exported(self):
        out = subprocess.run(["nm", "-D", "--defined-only", SO], capture_output=True, text=True).stdout
        self.assertEqual([line.split()[-1] for line in out.splitlines()], ["sqlite3_llmcost_init", "sqlite3_llmcostro_init"])


class Connections(unittest.TestCase):
    def test_loading_twice_and_closing_in_any_order(self):
        with Standin() as standin, TempDir() as tmp:
            path = os.path.join(tmp, "desk.db")
            a, b, c = (open_desk(path, standin.url) for _ in range(3))
            a.enable_load_extension(True)
            a.execute("SELECT load_extension(?)", (SO,)).fetchall()
            for db in (a, b, c):
                value(db, "SELECT llm_complete('x')")
            b.close()
            value(a, "SELECT llm_complete('y')")
            a.close()
            value(c, "SELECT llm_complete('z')")
            c.close()
            db = connect(path)
            self.assertEqual(value(db, "SELECT count(*) FROM llm_calls"), 5, "hits are written at close at the latest")

    def test_threads(self):
        with Standin() as standin, TempDir() as tmp:
            path = os.path.join(tmp, "desk.db")
            open_desk(path, standin.url).close()
            shared = connect(path, check_same_thread=False)
            errors = []

            def work(n):
                try:
                    own = connect(path, check_same_thread=False)
                    for i in range(20):
                        value(own, "SELECT llm_complete(?)", f"q {i}")
                        value(shared, "SELECT llm_complete(?)", f"q {i} of {n}")
                    own.close()
                except Exception as e:  # noqa: BLE001
                    errors.append(e)
            threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            self.assertEqual(errors, [])
            self.assertEqual(standin.bill()["calls"], 20 + 80)
            self.assertEqual(value(shared, "SELECT sum(cost_nusd) FROM llm_calls"), standin.bill()["total_nusd"])

    def test_close_with_an_open_cursor_on_the_ledger(self):
        with Standin() as standin, TempDir() as tmp:
            db = open_desk(os.path.join(tmp, "desk.db"), standin.url)
            for i in range(5):
                value(db, "SELECT llm_complete(?)", f"q{i}")
            cursor = db.execute("SELECT id FROM llm_calls")
            cursor.fetchone()
            value(db, "SELECT llm_complete('while reading')")
            self.assertEqual(len(cursor.fetchall()), 4, "the reader keeps its snapshot")
            db.close()

    def test_asking_from_the_ledger_itself_ends(self):
        with Standin() as standin, TempDir() as tmp:
            db = open_desk(os.path.join(tmp, "desk.db"), standin.url)
            value(db, "SELECT llm_complete('seed')")
            rows = db.execute("SELECT llm_complete('about call ' || id) FROM llm_calls").fetchall()
            self.assertEqual(len(rows), 1)


class BadInput(unittest.TestCase):
    """What the caller gets wrong is a clear error; nothing is sent and nothing is ledgered."""
    CASES = [
        ("SELECT llm_complete('')", "llm_complete: the prompt is empty"),
        ("SELECT llm_complete('x', 'no json')", "llm_complete: the options must be one JSON object, such as"),
        ("SELECT llm_complete('x', '[]')", "must be one JSON object"),
        ("SELECT llm_complete('x', '{\"modle\":\"gpt-4o\"}')", "unknown option 'modle': did you mean 'model'? (valid: model, system"),
        ("SELECT llm_complete('x', '{\"max_tokens\":\"many\"}')", "option 'max_tokens': expected an integer from 1"),
        ("SELECT llm_complete('x', '{\"cache\":\"maybe\"}')", "option 'cache': expected 'exact', 'semantic', 'off' or 'refresh'"),
        ("SELECT llm_complete('x', '{\"gate\":\"g\"}')", "no gate 'g' in llm_gates"),
        ("SELECT llm_complete('x', '{\"threshold\":0.9}')", "for the semantic cache"),
        ("SELECT llm_complete('x', '{\"schema\":{\"propertys\":{}}}')", "keyword 'propertys' is not supported"),
        ("SELECT llm_complete('x', '{\"model\":\"gpt-5o\"}')", "no model 'gpt-5o' in llm_models (nearest: gpt-4o, gpt-5"),
        ("SELECT llm_complete('x', '{\"model\":\"claude-haiku-4-5\",\"seed\":1}')", "the Anthropic API has none"),
        ("SELECT llm_complete(CAST(x'41ff42' AS TEXT))", "the prompt is not valid UTF-8 (byte 1)"),
        ("SELECT llm_complete(CAST(x'410042' AS TEXT))", "holds a NUL character"),
        ("SELECT llm_chat('x')", "llm_chat: the messages are a JSON array of"),
        ("SELECT llm_chat('{}')", "expected a JSON array"),
        ("SELECT llm_chat('[{\"role\":\"robot\",\"content\":\"x\"}]')", "role 'robot' (valid: system, user, assistant, tool)"),
        ("SELECT llm_chat('[{\"role\":\"assistant\",\"content\":\"x\"}]')", "the last message must be the user's"),
        ("SELECT * FROM llm_call", "the prompt is missing"),
        ("SELECT * FROM llm_call('x', '{\"no\":1}')", "llm_call: unknown option 'no'"),
        ("SELECT llm_config('colour')", "llm_config: unknown setting 'colour' (valid: store"),
        ("SELECT llm_config('retries', 99)", "expected an integer from 0 to 9"),
        ("SELECT llm_config('log_text', 'some')", "expected 'full', 'hash' or 'none'"),
        ("SELECT llm_secret('not a name', 'x')", "the name must be that of an environment variable"),
        ("SELECT llm_secret('K', 'two words')", "a blank or a line break"),
        ("SELECT llm_allow_host('http://x/')", "is no host or host:port"),
        ("SELECT llm_cost('gpt-4o', -1, 0)", "llm_cost: input_tokens: expected a token count"),
        ("SELECT llm_cost('gpt-4o', 'a', 1)", "llm_cost: input_tokens: expected a token count"),
        ("SELECT llm_price('nope', 'input')", "add it to llm_prices"),
        ("SELECT llm_secret('OPENAI_API_KEY', '')", "the value is empty"),
        ("SELECT llm_secret('OPENAI_API_KEY', '\"sk-quoted\"')", "holds a quote"),
        ("SELECT llm_secret('OPENAI_API_KEY', char(39) || 'sk-quoted' || char(39))", "holds a quote"),
        ("SELECT llm_secret('OPENAI_API_KEY', 'sk-' || char(0) || 'cut')", "holds a NUL"),
        ("SELECT llm_secret('OPENAI_API_KEY', 'sk-line' || char(10))", "a line break"),
        ("SELECT llm_secret('OPENAI_API_KEY', x'41004243')", "both TEXT"),
        ("SELECT llm_secret('OPENAI_API_KEY', 12345678)", "both TEXT"),
        ("SELECT llm_secret('OPENAI' || char(0), 'sk-x')", "the name holds a NUL"),
        ("SELECT llm_allow_host('llm.example.com', 'not a name')", "the name of its environment variable"),
        ("SELECT llm_allow_host('llm.example.com', 'A=B')", "the name of its environment variable"),
        ("SELECT llm_allow_host(x'6c6c6d')", "is no host"),
        ("SELECT llm_cost('gpt-4o', 1, 0, '{\"cached\":2}')", "more cached and written tokens (2) than input tokens (1)"),
        ("SELECT llm_cost('gpt-4p', 1, 1)", "no price for model 'gpt-4p' (nearest: gpt-4"),
        ("SELECT llm_cost('gpt-4o', 'abc')", "the usage: not valid JSON"),
        ("SELECT llm_price('gpt-4o', 'inputs')", "llm_price: kind 'inputs' (valid: 'input'"),
        ("SELECT llm_price('gpt-4o', 'input', 'yesterday')", "expected 'YYYY-MM-DD"),
        ("SELECT embed_cosine(x'00', x'0000803f')", "expected two float32 vectors of one length, received 1 and 4 bytes"),
        ("SELECT embed_cosine(x'00000000', x'0000803f')", "a vector is zero"),
        ("SELECT llm_normalize(CAST(x'ff' AS TEXT))", "not valid UTF-8"),
        ("INSERT INTO llm_calls(id) VALUES (1)", "may not be modified"),
        ("SELECT llm_config('store', '/tmp/elsewhere')", "in use already"),
    ]

    def test_cases(self):
        with Standin() as standin, TempDir() as tmp:
            db = open_desk(os.path.join(tmp, "desk.db"), standin.url)
            value(db, "SELECT llm_complete('open the store')")
            for sql, expected in self.CASES:
                with self.subTest(sql):
                    self.assertIn(expected, error_of(db, sql))
            self.assertEqual(standin.bill()["requests"], 1)
            self.assertEqual(value(db, "SELECT count(*) FROM llm_calls WHERE kind <> 'refused'"), 1)


class Tables(unittest.TestCase):
    """The virtual tables against SQLite's own answers on the same rows."""

    def setUp(self):
        self.standin = Standin()
        self.standin.__enter__()
        self.addCleanup(self.standin.__exit__, None, None, None)
        self.tmp = TempDir()
        self.addCleanup(self.tmp.cleanup)
        self.db = open_desk(os.path.join(self.tmp.name, "desk.db"), self.standin.url)
        for i in range(12):
            value(self.db, "SELECT llm_complete(?, json_object('tag', ?))", f"question {i % 8}", "t" + str(i % 3))

    def test_every_shape_of_query(self):
        self.db.execute("CREATE TABLE copy AS SELECT * FROM llm_calls")
        for where in ("id = 5 OR tag = 't0' OR tag = 't1'", "id IN (1, 3, 99) OR kind = 'hit_exact'", "rowid = 4",
                      "tag = 'T0' COLLATE NOCASE", "tag IS NOT 't1'", "ts > '0' AND id BETWEEN 2 AND 9", "tag LIKE 't_'",
                      "cost_nusd > 0.5", "NOT (kind = 'call')", "error IS NULL AND saved_nusd IS NULL"):
            for tail in ("ORDER BY id", "ORDER BY tag DESC, id LIMIT 3 OFFSET 1", "ORDER BY id DESC LIMIT 4"):
                sql = f"SELECT id, tag, kind, cost_nusd FROM {{}} WHERE {where} {tail}"
                with self.subTest(sql):
                    self.assertEqual(self.db.execute(sql.format("llm_calls")).fetchall(),
                                     self.db.execute(sql.format("copy")).fetchall())
        for sql in ("SELECT DISTINCT tag FROM {} ORDER BY 1", "SELECT tag, count(*) FROM {} GROUP BY tag ORDER BY 1",
                    "SELECT a.id, b.id FROM {} a LEFT JOIN {} b ON b.id = a.id + 9 ORDER BY 1",
                    "SELECT count(*) FROM {} a, {} b WHERE a.tag = b.tag",
                    "SELECT id FROM {} WHERE id = (SELECT max(id) FROM {})"):
            with self.subTest(sql):
                self.assertEqual(self.db.execute(sql.replace("{}", "llm_calls")).fetchall(),
                                 self.db.execute(sql.replace("{}", "copy")).fetchall())

    def test_views_under_or(self):
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_cost_by_tag WHERE tag = 't0' OR tag = 't1' OR calls > 99"), 2)

    def test_rowid_is_the_id(self):
        self.assertEqual(value(self.db, "SELECT min(rowid = id) FROM llm_calls"), 1)

    def test_calls_inside_a_scan_of_the_ledger(self):
        rows = self.db.execute("SELECT c.id, n.kind FROM llm_calls c, llm_call('nested ' || c.id) n WHERE c.id < 3").fetchall()
        self.assertEqual(rows, [(1, "call"), (2, "call")])
        rows = self.db.execute("SELECT a.prompt_hash <> b.prompt_hash FROM llm_call('d1') a, llm_call('d2') b").fetchall()
        self.assertEqual(rows, [(1,)])

    def test_rows_are_the_newest_within_a_statement(self):
        rows = self.db.execute("SELECT length(llm_complete('new ' || i)) > 0, (SELECT count(*) FROM llm_calls WHERE i = i) "
                               "FROM (SELECT 1 AS i UNION ALL SELECT 2)").fetchall()
        self.assertLess(rows[0][1], rows[1][1])

    def test_llm_call_shows_its_own_row(self):
        rows = self.db.execute("SELECT q, c.prompt_hash = (SELECT hash FROM llm_texts WHERE text = q) FROM (SELECT 'question 1' AS q "
                               "UNION ALL SELECT 'question 2' UNION ALL SELECT 'question 1') , llm_call(q) c").fetchall()
        self.assertEqual([r[1] for r in rows], [1, 1, 1])

    def test_llm_call_that_fails_before_it_is_sent(self):
        rows = self.db.execute("""SELECT c.answer, c.kind, c.cost_nusd, c.error LIKE 'unknown_model%' FROM
            (SELECT 'gpt-4o' AS m UNION ALL SELECT 'gpt-4oo'), llm_call('x', json_object('model', m, 'on_error', 'null')) c""").fetchall()
        self.assertEqual(rows[1], (None, "refused", 0, 1))
        self.assertEqual(rows[0][1], "call")

    def test_a_wrong_tier_is_an_error_not_a_dearer_model(self):
        self.db.execute("UPDATE llm_tiers SET model = 'gpt-4.1-mimi' WHERE name = 'simple'")
        self.assertIn("tier 'simple' of llm_tiers: no model 'gpt-4.1-mimi'", error_of(self.db, "SELECT llm_complete('y')"))

    def test_supports_must_be_an_object(self):
        self.db.execute("UPDATE llm_models SET supports = '{json' WHERE name = 'gpt-4o-mini'")
        self.assertIn("supports in llm_models is no JSON object", error_of(self.db, "SELECT llm_complete('z')"))


if __name__ == "__main__":
    unittest.main()
