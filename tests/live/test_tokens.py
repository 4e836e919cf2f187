"""Token counts: ids as the official tokenizers give them, models, chats, and what bills teach."""
import json
import os
import sqlite3
import subprocess
import time
import unittest

from harness import ROOT, Standin, TempDir, connect, error_of, npm_package, open_desk, value

ENCODINGS = ("o200k_base", "cl100k_base", "p50k_base", "r50k_base")
CLAUDE = "claude-haiku-4-5"
MORE = {"model": CLAUDE, "cache": "off", "max_tokens": 1}


class Official(unittest.TestCase):
    def packages(self):
        folders = [npm_package(p) for p in ("tiktoken", "js-tiktoken")]
        if not all(folders):
            self.skipTest("npm tiktoken and js-tiktoken can't be installed here")
        return os.path.dirname(folders[0])

    def test_same_ids(self):
        modules = self.packages()
        with TempDir() as tmp:
            texts, ids = os.path.join(tmp, "texts"), os.path.join(tmp, "ids")
            subprocess.run(["/usr/bin/python3", os.path.join(ROOT, "tests/live/token_texts.py"), "4000", texts],
                           check=True, stdout=subprocess.DEVNULL)
            for encoding in ENCODINGS:
                with self.subTest(encoding), open(texts) as f, open(ids, "wb") as out:
                    subprocess.run([os.path.join(ROOT, "build/token_lines"), encoding], stdin=f, stdout=out, check=True)
                    check = subprocess.run(["node", os.path.join(ROOT, "tests/live/token_check.js"), modules, texts, encoding, ids,
                                            os.path.join(ROOT, "ext/core/tokens/ranks/classes.bin")], capture_output=True, text=True)
                    self.assertEqual(check.returncode, 0, check.stdout + check.stderr)
                    self.assertIn("texts 4000 ", check.stdout)
                    self.assertIn("tiktoken_differs 0 ", check.stdout)

    def test_same_encodings_for_models(self):
        with open(os.path.join(self.packages(), "tiktoken/model_to_encoding.json")) as f:
            models = json.load(f)
        same = {"p50k_edit": "p50k_base", "gpt2": "r50k_base"}  # the same ranks
        text = "na\u00efve \u0928\u092e\u0938\u094d\u0924\u0947  \n  x \u4e2d\u6587 'LL"
        db = connect(":memory:")
        for model, encoding in models.items():
            self.assertEqual(value(db, "SELECT llm_tokens(?, ?)", text, model),
                             value(db, "SELECT llm_tokens(?, ?)", text, same.get(encoding, encoding)), model)


class Functions(unittest.TestCase):
    def setUp(self):
        self.db = connect(":memory:")

    def test_null_and_empty(self):
        self.assertEqual(self.db.execute("SELECT llm_tokens(NULL), llm_tokens(NULL, 'gpt-4o'), llm_tokens('', 'claude-x'),"
                                         " llm_chat_tokens(NULL), llm_tokens('hi', NULL)").fetchone(), (None, None, 0, None, 1))

    def test_messages_are_checked(self):
        for messages, why in (("[]", "expected a JSON array"), ("{", "JSON"), ('[{"role":"user"}]', "message 1"),
                              ('[{"role":"tool","content":"x"}]', "tool_call_id"), ('[{"role":"assistant","content":"x"}]', "last message")):
            message = error_of(self.db, "SELECT llm_chat_tokens(?)", messages)
            self.assertTrue(message.startswith("llm_chat_tokens: "), message)
            self.assertIn(why, message)

    def test_encoding_of_a_users_own_model(self):
        self.db.execute("SELECT llm_init()").fetchall()
        self.db.execute("INSERT INTO llm_models(name, provider, base_url, supports) VALUES"
                        " ('mine', 'x', 'http://127.0.0.1:1/v1', '{\"tokens\":\"cl100k_base\"}'),"
                        " ('odd', 'x', 'http://127.0.0.1:1/v1', '{\"tokens\":\"words\"}')")
        text = "\u0928\u092e\u0938\u094d\u0924\u0947"
        self.assertEqual(value(self.db, "SELECT llm_tokens(?, 'mine')", text), 6)
        self.assertIn("'words' (valid: o200k_base", error_of(self.db, "SELECT llm_tokens(?, 'odd')", text))

    def test_any_number_of_made_up_models(self):
        self.assertEqual(self.db.execute("WITH RECURSIVE m(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM m WHERE i < 500)"
                                         " SELECT count(*), sum(llm_tokens('Hello world', 'made-up-' || i)) FROM m").fetchone(), (500, 1000))

    def test_indexes_and_views(self):
        self.db.execute("CREATE TABLE t(x TEXT, n INTEGER AS (llm_tokens(x)) STORED)")
        self.db.execute("INSERT INTO t(x) VALUES ('Hello world')")
        self.db.execute("CREATE INDEX i ON t(llm_tokens(x))")
        self.db.execute("CREATE VIEW v AS SELECT llm_tokens(x, 'claude-haiku-4-5') AS n FROM t")
        self.db.execute("PRAGMA trusted_schema = OFF")
        self.assertEqual(self.db.execute("SELECT t.n, v.n FROM t, v").fetchone(), (2, 2))
        with self.assertRaises(sqlite3.Error):
            self.db.execute("CREATE INDEX j ON t(llm_tokens(x, 'claude-haiku-4-5'))")

    def test_threads_read_the_tables_once(self):
        script = ("import sys, threading; sys.path.insert(0, 'tests/live'); from harness import connect, value\n"
                  "out = []\n"
                  "def run():\n"
                  "    out.append(value(connect(':memory:'), \"SELECT llm_tokens('Hello world') + llm_tokens('x y', 'gpt-4')\"))\n"
                  "threads = [threading.Thread(target=run) for _ in range(8)]\n"
                  "[t.start() for t in threads]; [t.join() for t in threads]\n"
                  "print(out)")
        out = subprocess.run(["/usr/bin/python3", "-c", script], capture_output=True, text=True, cwd=ROOT)
        self.assertEqual(out.stdout.strip(), str([4] * 8), out.stderr)


class Bills(unittest.TestCase):
    """The stand-in counts by a rule of its own; here it bills nearly twice that."""

    def texts(self, word, n):
        return [f"The {word} of order {i} arrived {i % 7} days late; please tell the customer what we will do about it, "
                f"and whether item {i * 13} can be returned." for i in range(n)]

    def ask(self, db, texts, **more):
        for text in texts:
            value(db, "SELECT llm_complete(?, ?)", text, json.dumps({**MORE, **more}))

    def billed(self, db):
        return value(db, "SELECT input_tokens FROM llm_calls ORDER BY id DESC LIMIT 1")

    def estimate(self, db, text):
        return json.loads(value(db, "SELECT llm_complete(?, ?)", text, json.dumps({**MORE, "dry_run": True})))

    def test_bills_teach(self):
        with Standin() as standin, TempDir() as tmp:
            standin.token_factor(1.9)
            path = os.path.join(tmp, "b.db")
            db = open_desk(path, standin.url)
            text = "What is the status of the parcel that was sent to Lisbon last Tuesday, and who signed for it?"
            exact = value(db, "SELECT llm_tokens(?)", text)
            self.assertEqual(value(db, "SELECT llm_tokens(?, ?)", text, CLAUDE), round(exact * 1.2))  # the prior
            self.ask(db, self.texts("parcel", 15), system="Answer in one word.")
            self.ask(db, self.texts("letter", 15))
            db.close()
            db = connect(path)  # what was learned is in the ledger, not in the connection
            for sql in (f"SELECT llm_allow_host('{standin.host}', 'ANTHROPIC_API_KEY')", "SELECT llm_secret('ANTHROPIC_API_KEY', 'x')"):
                db.execute(sql).fetchall()
            shown = self.estimate(db, text)
            self.assertEqual(shown["input_tokens_are"], "estimated")
            self.ask(db, [text])
            self.assertLess(abs(shown["input_tokens"] / self.billed(db) - 1), 0.12)
            self.assertGreater(abs(exact * 1.2 / self.billed(db) - 1), 0.2)  # the prior was far off
            self.assertEqual(value(db, "SELECT llm_tokens(?, 'claude-opus-4-8')", text), round(exact * 1.45))  # not its bills

    def test_one_odd_bill_changes_little(self):
        with Standin() as standin, TempDir() as tmp:
            db = open_desk(os.path.join(tmp, "o.db"), standin.url)
            self.ask(db, self.texts("parcel", 30))
            db = connect(os.path.join(tmp, "o.db"))
            text = " ".join(self.texts("box", 20))
            before = value(db, "SELECT llm_tokens(?, ?)", text, CLAUDE)
            standin.token_factor(10)
            db = open_desk(os.path.join(tmp, "o.db"), standin.url)
            self.ask(db, self.texts("odd parcel", 1))
            db = connect(os.path.join(tmp, "o.db"))
            after = value(db, "SELECT llm_tokens(?, ?)", text, CLAUDE)
            self.assertLess(abs(after / before - 1), 0.02)

    def test_exact_models_are_not_taught(self):
        with Standin() as standin, TempDir() as tmp:
            standin.token_factor(3)
            db = open_desk(os.path.join(tmp, "e.db"), standin.url)
            self.ask(db, self.texts("parcel", 10), model="gpt-4o-mini")
            self.assertEqual(value(db, "SELECT llm_tokens('Hello world', 'gpt-4o-mini')"), 2)
            self.assertEqual(json.loads(value(db, "SELECT llm_complete('Hello', '{\"dry_run\":true,\"model\":\"gpt-4o-mini\"}')"))
                             ["input_tokens_are"], "exact")

    def test_counting_writes_nothing(self):
        with Standin() as standin, TempDir() as tmp:
            path = os.path.join(tmp, "n.db")
            db = connect(path)
            value(db, "SELECT llm_tokens('x', ?)", CLAUDE)
            self.assertEqual(os.listdir(tmp), ["n.db"])
            db = open_desk(path, standin.url)
            self.ask(db, self.texts("parcel", 3))
            db.close()
            before = sorted(os.listdir(tmp))
            with open(path + "-llmcost", "rb") as f:
                ledger = f.read()
            db = connect(path)
            value(db, "SELECT llm_tokens('x', ?)", CLAUDE)
            db.close()
            self.assertEqual(sorted(os.listdir(tmp)), before)
            with open(path + "-llmcost", "rb") as f:
                self.assertEqual(f.read(), ledger)

    def test_ledgered_parts_are_the_models_own_count(self):
        with Standin() as standin, TempDir() as tmp:
            db = open_desk(os.path.join(tmp, "p.db"), standin.url)
            chat = [{"role": "system", "content": "Hello world"}, {"role": "user", "content": "\u0928\u092e\u0938\u094d\u0924\u0947"},
                    {"role": "assistant", "content": "Hello world"}, {"role": "user", "content": "and?"}]
            value(db, "SELECT llm_chat(?, '{\"model\":\"gpt-4o-mini\"}')", json.dumps(chat))
            self.assertEqual(db.execute("SELECT system_tokens, history_tokens FROM llm_calls").fetchone(), (2, 4 + 2))

    def test_a_ledger_in_main_teaches_too(self):
        with Standin() as standin:
            standin.token_factor(3)
            db = open_desk(":memory:", standin.url)
            text = self.texts("box", 1)[0]
            before = value(db, "SELECT llm_tokens(?, ?)", text, CLAUDE)
            self.ask(db, self.texts("parcel", 12))
            time.sleep(1.1)  # whether the ledger has grown is asked once a second
            self.assertGreater(value(db, "SELECT llm_tokens(?, ?)", text, CLAUDE), 1.5 * before)


if __name__ == "__main__":
    unittest.main()
