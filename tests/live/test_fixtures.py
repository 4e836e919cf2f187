"""Stores and caches that older versions wrote (tests/data): opened, migrated, read and served by this build."""
import functools
import glob
import json
import os
import re
import shutil
import sqlite3
import sys
import unittest

from harness import KEYS, ROOT, Standin, TempDir, clean_env, connect, open_desk, setup_sql, shell, value

DATA = os.path.join(ROOT, "tests/data")
sys.path.insert(0, DATA)
import contents

NEWEST = 14  # of the versions that have fixtures
# version: {kind: (rows, sum of cost_nusd, sum of saved_nusd)}; a store of its own has one unknown row more than main
LEDGER = {
    1: {"call": (11, 503250, None), "hit_exact": (1, 0, 20700), "refused": (1, 0, None), "unknown": (1, None, None)},
    2: {"call": (13, 538050, None), "embed": (1, 120, None), "hit_exact": (2, 0, 20820), "hit_semantic": (2, 0, 34800),
        "refused": (1, 0, None), "unknown": (1, None, None)},
}
for _later in range(3, NEWEST + 1):
    LEDGER[_later] = LEDGER[2]
VIEWS = ["llm_cost_hourly", "llm_cost_daily", "llm_cost_by_model", "llm_cost_by_tag", "llm_cost_by_user",
         "llm_cost_daily_by_model", "llm_cost_daily_by_tag", "llm_cost_daily_by_user"]
OTHER_VIEWS = ["llm_retries", "llm_unpriced", "llm_reported_costs", "llm_cache_stats"]


def adopt(db):
    """Says that what this database holds of a store is to be trusted, where the build asks for that."""
    if value(db, "SELECT 1 FROM pragma_function_list WHERE name = 'llm_trust_store'"):
        db.execute("SELECT llm_trust_store()").fetchall()


def rows(db, sql, *args):
    return db.execute(sql, args).fetchall()


def each_version(test):
    """The test for the fixture of each version, opened."""
    @functools.wraps(test)
    def run(self):
        for version in range(1, NEWEST + 1):
            with self.subTest(store=self.KIND, version=version):
                db = self.open(version)
                test(self, version, db)
                db.close()
    return run


class Fixture(unittest.TestCase):
    """A copy of a file of tests/data, and a stand-in that counts what it is asked."""

    def setUp(self):
        self.tmp = TempDir()
        self.addCleanup(self.tmp.cleanup)
        self.standin = Standin().__enter__()
        self.addCleanup(self.standin.__exit__)

    def copy(self, name):
        path = os.path.join(self.tmp.name, name)
        shutil.copyfile(os.path.join(DATA, name), path)
        return path

    def requests(self):
        return self.standin.bill()["requests"]

    def close_and_look(self, db, path):
        """What any SQLite tool sees of the file afterwards."""
        db.close()
        plain = sqlite3.connect(path)
        self.addCleanup(plain.close)
        return plain


class Stores(Fixture):
    """The checks stand once; a store of its own and a store in main differ in how they are opened."""
    KIND = "store"
    SAME_OF_VIEWS = "name, sql"

    def open(self, version):
        self.path = self.copy(f"store_v{version}.db")
        db = open_desk(os.path.join(self.tmp.name, f"desk{version}.db"), self.standin.url)
        rows(db, "SELECT llm_config('store', ?)", self.path)
        return self.settle(db)

    def settle(self, db):
        rows(db, "SELECT llm_config('minilm', '/nonexistent')")
        self.addCleanup(db.close)
        return db

    def wake(self, db):
        """Asks what was asked before: the first request opens the store and migrates it."""
        contents.ANSWERED[0].run(db)

    def in_flight(self):
        return 1

    def expected(self, version):
        wanted = dict(LEDGER[version])
        wanted["unknown"] = (1 + self.in_flight(), None, None)
        return wanted

    def ledger(self, db):
        return {k: tuple(r) for k, *r in rows(db, "SELECT kind, count(*), sum(cost_nusd), sum(saved_nusd)"
                                                  " FROM llm_calls GROUP BY kind")}

    def added(self, db, before):
        """{kind: rows more than before}"""
        more = {k: r[0] - before.get(k, (0,))[0] for k, r in self.ledger(db).items()}
        return {k: n for k, n in more.items() if n}

    @each_version
    def test_the_ledger_is_all_there(self, version, db):
        self.assertEqual(self.ledger(db), self.expected(version))
        tags = dict(rows(db, "SELECT tag, count(*) FROM llm_calls WHERE tag IS NOT NULL GROUP BY tag"))
        self.assertEqual({k: tags[k] for k in ("policy", "shipping", "orders")},
                         {"policy": 2, "shipping": 2, "orders": 1})
        self.assertEqual(tags["faults"], 4 + self.in_flight())
        self.assertEqual(rows(db, "SELECT user, count(*) FROM llm_calls WHERE user IS NOT NULL GROUP BY user"),
                         [("ann", 4), ("bob", 2)])
        self.assertEqual(rows(db, "SELECT conversation, turn, cost_nusd FROM llm_calls"
                                  " WHERE conversation IS NOT NULL ORDER BY 1"),
                         [("c-1", 2, 33750), ("c-2", 2, 205000)])
        self.assertEqual(rows(db, "SELECT attempt, retry_reason IS NULL, error IS NULL, http_status FROM llm_calls"
                                  " WHERE request_id = (SELECT request_id FROM llm_calls WHERE attempt = 2)"
                                  " ORDER BY 1"), [(1, 1, 0, 429), (2, 0, 1, 200)])

    @each_version
    def test_migrated_once_and_for_good(self, version, db):
        self.wake(db)
        before = self.ledger(db)
        plain = self.close_and_look(db, self.path)
        made = value(plain, "SELECT value FROM llm_meta WHERE name = 'schema_version'")
        self.assertGreaterEqual(made, NEWEST)
        if self.KIND == "store":
            self.assertEqual(value(plain, "PRAGMA user_version"), made)
        self.assertEqual(value(plain, "PRAGMA integrity_check"), "ok")
        self.assertEqual(value(plain, "SELECT count(*) FROM pragma_table_info('llm_calls') WHERE name = 'usage'"), 1)
        usages = value(plain, "SELECT count(usage) FROM llm_calls WHERE kind IN ('call', 'embed')")
        self.assertEqual(usages, 12 if version >= 3 else 0)
        plain.close()
        again = self.reopen(version)
        self.assertEqual(self.ledger(again), before)
        self.assertEqual(value(again, "PRAGMA integrity_check"), "ok")
        again.close()

    def reopen(self, version):
        db = open_desk(os.path.join(self.tmp.name, f"desk{version}.db"), self.standin.url)
        rows(db, "SELECT llm_config('store', ?)", self.path)
        return self.settle(db)

    @each_version
    def test_texts_are_found_by_their_hash(self, version, db):
        asked = contents.ANSWERED + contents.OTHERS + (contents.SIMILAR if version > 1 else [])
        wanted = sorted({a.what for a in asked if isinstance(a.what, str) and a.log_text == "full"} - {"Who are you?"})
        wanted += [contents.KILLED] * self.in_flight() + [contents.EMBEDDED] * (version > 1)
        got = rows(db, "SELECT DISTINCT x.text FROM llm_calls c JOIN llm_texts x ON x.hash = c.prompt_hash"
                       " WHERE c.conversation IS NULL")
        self.assertEqual(sorted(t for t, in got), sorted(wanted))
        self.assertEqual(rows(db, "SELECT x.text, count(*) FROM llm_calls c JOIN llm_texts x"
                                  " ON x.hash = c.system_hash GROUP BY 1"), [(contents.CLERK, 4)])
        # The hashes of a question whose text was not to be kept, and of the refused one, lead nowhere, and are there.
        self.assertEqual(rows(db, "SELECT kind FROM llm_calls WHERE prompt_hash IS NOT NULL"
                                  " AND prompt_hash NOT IN (SELECT hash FROM llm_texts) ORDER BY 1"),
                         [("call",), ("refused",)])

    @each_version
    def test_transcripts_and_the_long_text_in_both(self, version, db):
        shared = []
        for ask in contents.ANSWERED:
            if ask.function != "llm_chat":
                continue
            text = value(db, "SELECT x.text FROM llm_calls c JOIN llm_texts x ON x.hash = c.prompt_hash"
                             " WHERE c.conversation = ?", ask.options["conversation"])
            turns = json.loads(text)
            shared += [t["hash"] for t in turns if "hash" in t]
            full = [{"role": t["role"], "content": t["text"] if "text" in t else
                     value(db, "SELECT text FROM llm_texts WHERE hash = ?", t["hash"])} for t in turns]
            self.assertEqual(full, [m for m in ask.what if m["role"] != "system"])
        self.assertEqual((len(shared), len(set(shared))), (2, 1))
        self.assertEqual(value(db, "SELECT count(*) FROM llm_texts WHERE text = ?", contents.LONG), 1)

    @each_version
    def test_answers_are_served_for_nothing(self, version, db):
        before = self.requests()
        for ask in contents.ANSWERED + contents.SIMILAR[:1] * (version > 1):
            rows(db, "SELECT llm_config('log_text', ?)", ask.log_text)
            answer = ask.run(db)
            kind, cost = rows(db, "SELECT kind, cost_nusd FROM llm_calls ORDER BY id DESC LIMIT 1")[0]
            self.assertEqual((ask.name, kind, cost), (ask.name, "hit_exact", 0))
            self.assertTrue(answer)
            self.assertEqual(value(db, "SELECT count(*) FROM llm_answers WHERE answer = ?", answer), 1, ask.name)
        self.assertEqual(self.requests(), before, "nothing may be sent")

    @each_version
    def test_what_had_no_answer_is_asked(self, version, db):
        before = self.requests()
        for text in ("A question that is refused", "A question whose answer can't be read", contents.KILLED):
            self.assertIn("ref", value(db, "SELECT llm_complete(?, '{\"model\":\"gpt-4o-mini\"}')", text))
        self.assertEqual(self.requests(), before + 3)

    @each_version
    def test_similar_questions(self, version, db):
        self.wake(db)
        before, ledger = self.requests(), self.ledger(db)
        contents.SIMILAR[1].run(db)
        contents.SIMILAR[3].run(db)  # its hit was reported wrong: asked
        self.assertEqual(self.added(db, ledger), {"call": 2} if version == 1 else {"call": 1, "hit_semantic": 1})
        self.assertEqual(self.requests(), before + (2 if version == 1 else 1))
        stats = rows(db, "SELECT hits_semantic, false_hits_reported, entries_semantic FROM llm_cache_stats")
        self.assertEqual(stats, [(0, 0, 2)] if version == 1 else [(3, 1, 3)])
        wrong = rows(db, "SELECT c.kind, x.text, f.ok FROM llm_feedback f JOIN llm_calls c ON c.id = f.call_id"
                         " JOIN llm_texts x ON x.hash = c.prompt_hash")
        self.assertEqual(wrong, [] if version == 1 else [("hit_semantic", contents.SIMILAR[3].what, 0)])

    @each_version
    def test_a_semantic_hit_names_its_answer(self, version, db):
        if version > 1:
            self.assertEqual(contents.SIMILAR[1].run(db), contents.SIMILAR[0].run(db))

    @each_version
    def test_a_vector_that_was_paid_is_served(self, version, db):
        if version > 1:
            rows(db, "UPDATE llm_models SET supports = json_set(supports, '$.dimensions', ?) WHERE name = ?",
                 contents.DIMENSIONS, contents.EMBEDDER)
            before = self.requests()
            self.assertEqual(value(db, "SELECT length(embed(?, ?))", contents.EMBEDDED, contents.EMBEDDER),
                             4 * contents.DIMENSIONS)
            self.assertEqual(self.requests(), before)

    @each_version
    def test_the_killed_call_is_marked(self, version, db):
        self.wake(db)
        dead = rows(db, "SELECT error, cost_nusd FROM llm_calls"
                        " WHERE kind = 'unknown' AND error LIKE 'the process ended%'")
        self.assertEqual(value(db, "SELECT count(*) FROM llm_calls WHERE error LIKE '%in flight%'"), 0)
        self.assertEqual([c for _, c in dead], [None] * self.in_flight())
        plain = self.close_and_look(db, self.path)
        self.assertEqual(value(plain, "SELECT count(*) FROM llm_intents"), 0)
        plain.close()

    @each_version
    def test_views(self, version, db):
        self.wake(db)
        cost = sum(r[1] or 0 for r in self.expected(version).values())
        calls = sum(r[0] for k, r in self.expected(version).items() if k in ("call", "embed", "unknown"))
        hits = sum(r[0] for k, r in self.expected(version).items() if k.startswith("hit")) + 1
        for view in VIEWS:
            got = rows(db, f"SELECT sum(calls), sum(hits), sum(cost_usd) FROM {view}")[0]
            self.assertEqual((view, *got[:2], round(got[2] * 1e9)), (view, calls, hits, cost))
        for view in OTHER_VIEWS:
            rows(db, f"SELECT * FROM {view}")
        self.assertEqual(value(db, "SELECT sum(calls) FROM llm_unpriced"), 1 + self.in_flight())
        self.assertEqual(rows(db, "SELECT attempts FROM llm_retries"), [(2,)])
        self.views_of_the_file(db, version)

    def views_of_the_file(self, db, version):
        """The views as they stand in the file, beside those of a new store."""
        plain = self.close_and_look(db, self.path)
        new = open_desk(os.path.join(self.tmp.name, f"new{version}.db"), self.standin.url)
        self.make_new(new, version)
        contents.ANSWERED[0].run(new)
        made = self.close_and_look(new, self.path_of_new(version))
        sql = f"SELECT {self.SAME_OF_VIEWS} FROM sqlite_schema WHERE type = 'view' AND name LIKE 'llm%' ORDER BY name"
        self.assertEqual(rows(plain, sql), rows(made, sql))
        for view in rows(plain, sql):
            rows(plain, f"SELECT * FROM {view[0]}")
        plain.close()
        made.close()

    def make_new(self, db, version):
        rows(db, "SELECT llm_config('store', ?)", self.path_of_new(version))

    def path_of_new(self, version):
        return os.path.join(self.tmp.name, f"new{version}.db-llmcost")


class Main(Stores):
    """The store in the user's own database."""
    KIND = "main"

    def open(self, version):
        self.path = self.copy(f"main_v{version}.db")
        return self.reopen(version)

    def reopen(self, version):
        db = connect(self.path)
        adopt(db)  # before anything else: tables that are called like ours are not believed
        for sql in setup_sql(self.standin.url):
            rows(db, sql)
        rows(db, "SELECT llm_config('store', 'main')")
        return self.settle(db)

    def in_flight(self):
        return 0

    def make_new(self, db, version):
        rows(db, "SELECT llm_config('store', 'main')")

    def path_of_new(self, version):
        return os.path.join(self.tmp.name, f"new{version}.db")

    @each_version
    def test_the_users_own_tables(self, version, db):
        self.wake(db)
        self.assertEqual(rows(db, "SELECT name, count(c.id) FROM customers LEFT JOIN llm_calls c ON c.user = name"
                                  " GROUP BY 1"), [("ann", 5), ("bob", 2)])
        self.assertGreater(value(db, "SELECT count(*) FROM llm_models"), 20)
        self.assertGreater(value(db, "SELECT count(*) FROM llm_tiers"), 0)


class Named(Fixture):
    """A store named by the environment, in the shell."""

    def test_by_the_environment(self):
        for version in range(1, NEWEST + 1):
            path = self.copy(f"store_v{version}.db")
            sql = (f".load {ROOT}/llmcost.so\nSELECT count(*) FROM llm_calls;\n"
                   "SELECT count(*) FROM llm_cost_by_tag WHERE tag = 'policy';\n")
            out = shell(":memory:", sql, env=clean_env(LLMCOST_STORE=path))
            rows_there = sum(r[0] for r in LEDGER[version].values()) + 1
            self.assertEqual((out.stdout.split(), out.stderr), ([str(rows_there), "1"], ""))


class Caches(Fixture):
    def setUp(self):
        super().setUp()
        self.path = self.copy("cache_v0.1.db")
        self.db = connect(self.path)
        self.addCleanup(self.db.close)

    def find(self, table, row):
        """The answer to a row's own question in the row's own partition."""
        sql = f"SELECT response, typeof(response), match_kind, tag, cost_nusd FROM {table} WHERE query MATCH ?"
        sql += " AND system_prompt IS ? AND scope IS ?" + (" AND model = ?" if "model" in row else "")
        args = [row.get("query", row.get("embedding")), row.get("system_prompt"), row.get("scope")]
        return rows(self.db, sql, *args, *([row["model"]] if "model" in row else []))

    def test_every_entry_is_found_in_its_partition(self):
        types = {str: "text", int: "integer", float: "real", bytes: "blob"}
        for table in ("faq", "points"):
            for row in contents.TABLES[table][1]:
                with self.subTest(table=table, response=row["response"]):
                    found = self.find(table, row)
                    self.assertEqual(len(found), 1)
                    self.assertEqual(found[0][:2], (row["response"], types[type(row["response"])]))
                    self.assertEqual(found[0][2:], ("exact" if table == "faq" else "semantic", row.get("tag"),
                                                    row.get("cost_nusd")))
            self.assertEqual(value(self.db, f"SELECT count(*) FROM {table}"), len(contents.TABLES[table][1]))

    def test_and_in_no_other(self):
        sql = "SELECT count(*) FROM faq WHERE query MATCH ? AND system_prompt IS ? AND scope IS ?"
        for query, prompt, scope in (("What is your return policy?", None, None), ("Where do I live?", None, None),
                                     ("Where do I live?", "You are a clerk.", "ann"),
                                     ("How many warehouses do you have?", "You are a clerk.", None)):
            self.assertEqual(value(self.db, sql, query, prompt, scope), 0)
        self.assertEqual(value(self.db, "SELECT count(*) FROM points WHERE query MATCH ? AND system_prompt IS NULL",
                               contents.vector(1)), 0)

    def test_similar_questions_and_the_threshold_that_was_set(self):
        sql = "SELECT response, match_kind FROM faq WHERE query MATCH ? AND system_prompt = 'You are a clerk.'"
        self.assertEqual(rows(self.db, sql + " AND model = 'gpt-4o-mini'", "how can I reset my password"),
                         [("With the link on the login page.", "semantic")])
        self.assertEqual(rows(self.db, sql, "How tall is Mont Blanc?"), [])
        self.assertEqual(value(self.db, "SELECT embedding = embed(query) FROM faq WHERE rowid = 1"), 1)

    def test_labels_and_decisions(self):
        told = rows(self.db, "SELECT entry, similarity, ok FROM learned_labels WHERE source = 'feedback' ORDER BY id")
        self.assertEqual(told, [(i + 1, s, int(w == "right")) for i, s, w in contents.LABELS])
        self.assertEqual(value(self.db, "SELECT count(*) FROM learned_labels WHERE source = 'comparison'"), 3)
        self.assertEqual(rows(self.db, "SELECT entry, served FROM learned_decisions ORDER BY id"), [(1, 0), (2, 0)])
        ask = "SELECT response FROM learned WHERE query MATCH ? AND max_false_hits = 0.05"
        self.assertEqual(rows(self.db, ask, contents.TABLES["learned"][1][0]["query"]), [("Form mortgage.",)])
        # 'student' was reported wrong at 0.95: what is no nearer does not get it. 'car' was reported right.
        near = "SELECT response FROM learned WHERE query MATCH ? AND threshold = 0.5"
        self.assertNotIn(("Form student.",), rows(self.db, near, "Which documents do I need for loans of kind student?"))
        self.assertEqual(rows(self.db, near, "Which documents do I need for loans of kind car?"), [("Form car.",)])

    def test_what_expires_and_what_is_kept(self):
        sql = "SELECT response FROM kept WHERE query MATCH ?"
        self.assertEqual(rows(self.db, sql, "What is the capital of Norway?"), [("Oslo.",)])
        self.assertEqual(rows(self.db, sql, "What is the capital of the GDR?"), [])
        self.assertEqual(value(self.db, "SELECT max(expires_at) FROM kept"), contents.FUTURE)
        rows(self.db, "INSERT INTO kept(query, response) VALUES ('Who painted the Scream?', 'Munch.')")
        self.assertEqual(value(self.db, "SELECT expires_at - created_at FROM kept WHERE response = 'Munch.'"),
                         7 * 86_400_000)
        rows(self.db, "INSERT INTO kept(query, response) VALUES ('Who wrote Peer Gynt?', 'Ibsen.')")
        rows(self.db, "INSERT INTO kept(query, response) VALUES ('Who wrote the music to it?', 'Grieg.')")
        left = {r for r, in rows(self.db, "SELECT response FROM kept")}
        self.assertLessEqual(len(left), 4)
        self.assertLessEqual({"Oslo.", "Rome."}, left, "what cost most stays")
        self.assertNotIn("East Berlin.", left)

    def test_it_goes_on(self):
        for table in contents.TABLES:
            with self.subTest(table=table):
                row = {"response": "new", "system_prompt": "You are new."}
                row |= {"embedding": contents.vector(3)} if table == "points" else {"query": "Is this a new question?"}
                self.db.execute(f"INSERT INTO {table}({', '.join(row)}) VALUES (?, ?, ?)", tuple(row.values()))
                self.assertEqual([r[0] for r in self.find(table, row)], ["new"])
                rows(self.db, f"INSERT INTO {table}({table}) VALUES ('flush')")
                rows(self.db, f"INSERT INTO {table}({table}) VALUES ('integrity-check')")
        self.assertEqual(value(self.db, "PRAGMA integrity_check"), "ok")
        rows(self.db, "DELETE FROM faq WHERE tag = 'v1'")
        self.assertEqual(value(self.db, "SELECT count(*) FROM faq"), len(contents.TABLES["faq"][1]) - 3 + 1)
        rows(self.db, "INSERT INTO faq(faq) VALUES ('rebuild')")
        self.assertEqual(value(self.db, "SELECT response FROM faq WHERE query MATCH 'What is your return policy?'"
                                        " AND system_prompt = 'You are a pirate.'"), "Arr, thirty days.")
        for table in contents.TABLES:
            rows(self.db, f"DROP TABLE {table}")
        self.assertEqual(value(self.db, "SELECT count(*) FROM sqlite_schema WHERE name <> 'sqlite_sequence'"), 0)

    def test_integrity_as_it_comes(self):
        for table in contents.TABLES:
            rows(self.db, f"INSERT INTO {table}({table}) VALUES ('integrity-check')")
        self.assertEqual(value(self.db, "PRAGMA integrity_check"), "ok")


class Files(unittest.TestCase):
    def test_no_keys_and_no_paths(self):
        for path in glob.glob(os.path.join(DATA, "*.db")):
            with open(path, "rb") as f:
                data = f.read()
            for word in (*KEYS.values(), "/tmp/", "/home/", ROOT + "/"):
                self.assertNotIn(word.encode(), data, path)
            self.assertEqual(re.findall(rb"sk-[A-Za-z0-9-]{8,}", data), [], path)
            self.assertLess(len(data), 300_000, path)

    def test_each_version_has_its_fixtures(self):
        for version in range(1, NEWEST + 1):
            for kind in ("store", "main"):
                db = sqlite3.connect(f"file:{DATA}/{kind}_v{version}.db?immutable=1", uri=True)
                self.assertEqual(value(db, "SELECT value FROM llm_meta WHERE name = 'schema_version'"), version)
                db.close()


if __name__ == "__main__":
    unittest.main()
