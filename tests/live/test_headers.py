"""What of a row of llm_models goes out as header lines and as URL: auth, headers, a query in base_url; and what must not."""
import http.client
import json
import os
import sqlite3
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness import KEYS, Desk, TempDir, connect, error_of, value

OLD_MODELS = """CREATE TABLE llm_models(
  name TEXT PRIMARY KEY, provider TEXT NOT NULL, api TEXT NOT NULL DEFAULT 'openai', base_url TEXT NOT NULL,
  key_env TEXT, context_window INTEGER, max_output INTEGER, supports TEXT)"""


class OlderTable(Desk):
    """A table that was made before the columns were there."""

    def setUp(self):
        super().setUp()
        self.old = os.path.join(self.tmp.name, "old.db")
        with sqlite3.connect(self.old) as db:
            db.execute(OLD_MODELS)
            db.execute("INSERT INTO llm_models VALUES('own', 'openai', 'openai', ?, 'OPENAI_API_KEY', 1000, 100, '{}')",
                       (self.standin.url + "/v1",))
        db.close()

    def columns(self, db):
        return [r[1] for r in db.execute("PRAGMA table_info(llm_models)")]

    def test_it_is_used_as_it_is(self):
        db = connect(self.old)
        self.addCleanup(db.close)
        self.assertTrue(value(db, "SELECT llm_complete('hello', '{\"model\":\"own\"}')"))
        self.assertNotIn("auth", self.columns(db))

    def test_read_only(self):
        db = connect(f"file:{self.old}?mode=ro", uri=True)
        self.addCleanup(db.close)
        store = os.path.join(self.tmp.name, "beside.db")
        value(db, "SELECT llm_config('store', ?)", store)
        self.assertTrue(value(db, "SELECT llm_complete('hello', '{\"model\":\"own\"}')"))
        self.assertIn("readonly", error_of(db, "SELECT llm_init()"))
        self.assertTrue(value(db, "SELECT llm_complete('hello again', '{\"model\":\"own\"}')"))

    def test_llm_init_adds_what_is_missing(self):
        db = connect(self.old)
        self.addCleanup(db.close)
        self.assertIn("added 3 columns to llm_models", value(db, "SELECT llm_init()"))
        self.assertEqual(self.columns(db)[-3:], ["extra", "auth", "headers"])
        self.assertEqual(db.execute("SELECT name, extra, auth, headers FROM llm_models").fetchall(),
                         [("own", None, None, None)])
        self.assertTrue(value(db, "SELECT llm_complete('hello', '{\"model\":\"own\"}')"))
        self.assertEqual(value(db, "SELECT llm_init()"), "up to date")

    def test_some_of_them_may_be_there(self):
        db = connect(self.old)
        self.addCleanup(db.close)
        db.execute("ALTER TABLE llm_models ADD COLUMN auth TEXT")
        db.execute("UPDATE llm_models SET auth = 'word'")
        self.assertIn("word", error_of(db, "SELECT llm_complete('hello', '{\"model\":\"own\"}')"))
        self.assertIn("added 2 columns to llm_models", value(db, "SELECT llm_init()"))

    def test_a_new_one_has_them(self):
        columns = self.columns(self.db)
        self.assertEqual(columns[columns.index("supports"):], ["supports", "extra", "auth", "headers"])


if __name__ == "__main__":
    unittest.main()
