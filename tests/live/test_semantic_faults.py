"""The semantic_cache table against hostile files, savepoints over schema changes, odd values; settings changed in place."""
import json
import os
import random
import sqlite3
import subprocess
import unittest

from harness import (ASAN_SO, ROOT, SO, TempDir, asan_env, clean_env, connect, error_of, npm_package, shell, value)
from test_semantic_table import DIM, best, blob, make, unit

SHADOWS = ("rows", "pieces", "partitions", "log", "snapshots", "labels", "decisions", "meta")


def sanitized(path, body, timeout=300):
    """Runs Python lines under the sanitizers with `db` open; returns what they printed. Fails if the process died."""
    script = (f"import sys, sqlite3; sys.path.insert(0, {os.path.join(ROOT, 'tests/live')!r})\n"
              "from test_semantic_faults import *\n"
              f"db = connect({path!r}, so={ASAN_SO!r})\n"
              "def say(sql, *args):\n"
              "    try: print('ok', db.execute(sql, args).fetchall())\n"
              "    except sqlite3.Error as e: print('error', e)\n" + body)
    out = subprocess.run(["/usr/bin/python3", "-c", script], capture_output=True, text=True, env=asan_env(), timeout=timeout)
    assert out.returncode == 0 and "runtime error" not in out.stderr and "Sanitizer" not in out.stderr, \
        f"exit {out.returncode}: {out.stderr[-3000:]}"
    return out.stdout


class Recursion(unittest.TestCase):
    """Whatever leads from a shadow object back into the table is an error, never a stack that overflows."""

    def setUp(self):
        self.tmp = TempDir()
        self.path = self.tmp.name + "/t.db"

    def tearDown(self):
        self.tmp.cleanup()

    def run_all(self, schema, *statements):
        out = sanitized(self.path, "make(db)\ndb.execute('INSERT INTO c(embedding, response) VALUES (?, 1)', (blob([1] * DIM),))\n"
                        f"db.executescript({schema!r})\n" + "".join(f"say({s!r})\n" for s in statements))
        return out.splitlines()

    def test_triggers_are_refused_by_name(self):
        for shadow, event in (("rows", "AFTER INSERT"), ("log", "BEFORE INSERT"), ("partitions", "INSERT"),
                              ("meta", "UPDATE OF value"), ("labels", "DELETE"), ("snapshots", "AFTER DELETE")):
            path = f"{self.tmp.name}/{shadow}.db"
            out = sanitized(path, "make(db)\n"
                            f"db.execute('CREATE TRIGGER \"My Trap\" {event} ON c_{shadow} BEGIN INSERT INTO c(query, embedding, response)"
                            " VALUES (hex(randomblob(4)), CAST(zeroblob(31) || char(63) AS BLOB), 1); END')\n"
                            "say('INSERT INTO c(embedding, response) VALUES (?, 1)', blob([1] * DIM))\n"
                            "say('SELECT count(*) FROM c')\n"
                            "db.execute('DROP TRIGGER \"My Trap\"')\n"
                            "say('INSERT INTO c(embedding, response) VALUES (?, 1)', blob([1] * DIM))\n")
            lines = out.splitlines()
            self.assertTrue(lines[0].startswith("error") and "My Trap" in lines[0] and f"c_{shadow}" in lines[0]
                            and "DROP TRIGGER" in lines[0], lines)
            self.assertTrue(lines[1].startswith("error"), lines)
            self.assertTrue(lines[2].startswith("ok"), lines)

    def test_the_spelling_of_the_schema_does_not_matter(self):
        """type, tbl_name and sql of sqlite_schema are the stranger's; what SQLite has parsed counts."""
        respell = {"type": "'TrIgGeR'", "type as blob": "CAST('trigger' AS BLOB)", "tbl_name": "'C_ROWS'", "lie": "'elsewhere'"}
        for what, word in respell.items():
            path = f"{self.tmp.name}/{what.replace(' ', '_')}.db"
            column = "type" if what.startswith("type") else "tbl_name"
            out = sanitized(path, "make(db)\n"
                            "db.execute('create  /**/ trigger if not exists \"main\".[t] after insert on [C_Rows] begin insert into c(embedding,response) values(CAST(zeroblob(31) || char(63) AS BLOB),1); end')\n"
                            "db.execute('PRAGMA writable_schema=ON')\n"
                            f"db.execute(\"UPDATE sqlite_schema SET {column} = {word} WHERE name = 't'\")\n"
                            "say('INSERT INTO c(embedding, response) VALUES (?, 1)', blob([1] * DIM))\n"
                            f"db = connect({path!r}, so={ASAN_SO!r})\n"
                            "db.execute('PRAGMA writable_schema=ON')\n"
                            "say('INSERT INTO c(embedding, response) VALUES (?, 1)', blob([1] * DIM))\n")
            for line in out.splitlines():
                self.assertTrue(line.startswith("error") and ("'t'" in line or "malformed" in line), (what, line))

    def test_views_that_read_the_table(self):
        for shadow, columns in (("partitions", "1 AS id, hits AS hash, system_prompt, scope"),
                                ("log", "rowid AS seq, hits AS stamp, 1 AS partition, rowid AS entry"),
                                ("meta", "response AS name, 1 AS value")):
            path = f"{self.tmp.name}/{shadow}.db"
            out = sanitized(path, "make(db)\n"
                            f"db.executescript('DROP TABLE c_{shadow}; CREATE VIEW c_{shadow} AS SELECT {columns} FROM c')\n"
                            f"db = connect({path!r}, so={ASAN_SO!r})\ndb.execute('PRAGMA query_only=ON')\n"
                            "say('SELECT count(*) FROM c')\nsay('SELECT * FROM c WHERE query MATCH ?', blob([1] * DIM))\n"
                            "db.execute('PRAGMA query_only=OFF')\n"
                            "say('INSERT INTO c(embedding, response) VALUES (?, 1)', blob([1] * DIM))\n"
                            "say('DROP TABLE c')\nsay(\"SELECT count(*) FROM sqlite_schema WHERE name LIKE 'c%'\")\n").splitlines()
            for line in out[:3]:
                self.assertTrue(line.startswith("error") and f"c_{shadow}" in line, out)
            self.assertEqual(out[3:], ["ok []", "ok [(0,)]"], out)

    def test_two_tables_that_call_each_other(self):
        lines = self.run_all(
            "CREATE VIRTUAL TABLE d USING semantic_cache(embedder='none', dim=8);"
            "CREATE TEMP TRIGGER a AFTER INSERT ON main.c_rows BEGIN INSERT INTO d(embedding, response) VALUES (CAST(zeroblob(31) || x'3f' AS BLOB), 1); END;"
            "CREATE TEMP TRIGGER b AFTER INSERT ON main.d_rows BEGIN INSERT INTO c(embedding, response) VALUES (CAST(zeroblob(31) || x'3f' AS BLOB), 1); END;",
            "INSERT INTO c(embedding, response) VALUES (CAST(zeroblob(31) || x'3f' AS BLOB), 1)", "SELECT count(*) FROM c", "SELECT count(*) FROM d")
        self.assertTrue(lines[0].startswith("error") and "recursion" in lines[0], lines)
        self.assertEqual(lines[1:], ["ok [(1,)]", "ok [(0,)]"])

    def test_a_temp_trigger_and_a_view_on_the_way(self):
        lines = self.run_all(
            "CREATE TEMP VIEW v AS SELECT *, embedding FROM c; CREATE TEMP TRIGGER iv INSTEAD OF INSERT ON v BEGIN INSERT INTO c(embedding, response)"
            " VALUES (new.embedding, 1); END;"
            "CREATE TEMP TRIGGER t AFTER INSERT ON main.c_log BEGIN INSERT INTO v(response) SELECT count(*) FROM c; END;",
            "INSERT INTO c(embedding, response) VALUES (CAST(zeroblob(31) || x'3f' AS BLOB), 1)", "DELETE FROM c", "SELECT count(*) FROM c")
        self.assertTrue("error" in lines[0] and "error" in lines[1] and lines[2] == "ok [(1,)]", lines)

    def test_a_chain_of_tables_has_an_end(self):
        n = 60
        body = "".join(f"make(db, 'c{i}')\n" for i in range(n)) + "".join(
            f"db.execute('CREATE TEMP TRIGGER t{i} AFTER INSERT ON main.c{i}_rows BEGIN"
            f" INSERT INTO c{i + 1}(embedding, response) VALUES (new.embedding, 1); END')\n" for i in range(n - 1))
        out = sanitized(self.path, body + "say('INSERT INTO c0(embedding, response) VALUES (?, 1)', blob([1] * DIM))\n"
                        "say('INSERT INTO c55(embedding, response) VALUES (?, 1)', blob([1] * DIM))\n"
                        "say('SELECT count(*) FROM c59')\n").splitlines()
        self.assertTrue("recursion" in out[0] and out[1] == "ok []" and out[2] == "ok [(1,)]", out)

    def test_hits_written_at_commit(self):
        """A trigger that shows only when waiting hits are written (in xSync) reads the table."""
        lines = self.run_all(
            "CREATE TEMP TABLE seen(x); CREATE TEMP TRIGGER t AFTER UPDATE ON main.c_rows BEGIN INSERT INTO seen SELECT count(*) FROM c; END;"
            "CREATE TABLE mine(x);",
            "SELECT count(*) FROM c WHERE query MATCH (SELECT embedding FROM c)", "INSERT INTO mine VALUES (1)",
            "INSERT INTO c(embedding, response) VALUES (CAST(zeroblob(31) || x'3f' AS BLOB), 1)", "SELECT count(*) FROM mine", "SELECT count(*) FROM c")
        self.assertTrue(lines[1] == "ok []" and lines[3] == "ok [(1,)]", lines)

    def test_what_is_no_recursion_goes_on(self):
        db = connect(self.path)
        make(db)
        rng = random.Random(1)
        vs = [unit(rng) for _ in range(20)]
        for i, v in enumerate(vs):
            db.execute("INSERT INTO c(embedding, response) VALUES (?, ?)", (blob(v), i))
        db.execute("CREATE TABLE audit(x)")
        db.execute("CREATE TEMP TRIGGER t AFTER INSERT ON main.c_rows BEGIN INSERT INTO audit VALUES (new.id); END")
        db.execute("INSERT INTO c(embedding, response) SELECT a.embedding, b.response FROM c a JOIN c b ON a.rowid = b.rowid")
        self.assertEqual(value(db, "SELECT count(*) FROM audit"), 20)
        self.assertEqual(value(db, "SELECT count(*) FROM c a WHERE EXISTS (SELECT 1 FROM c b WHERE b.query MATCH a.embedding AND b.response = a.response)"), 40)
        self.assertEqual(value(db, "SELECT count(*) FROM c a JOIN c b ON b.query MATCH a.embedding JOIN c d ON d.rowid = b.rowid"), 40)
        db.execute("UPDATE c SET tag = (SELECT response FROM c b WHERE b.query MATCH c.embedding)")
        db.execute("DELETE FROM c WHERE rowid IN (SELECT max(rowid) FROM c GROUP BY tag)")
        self.assertEqual(value(db, "SELECT count(*) FROM c"), 20)
        db.execute("CREATE VIEW v AS SELECT c_rows.id, c.response FROM c JOIN c_rows ON c.rowid = c_rows.id")
        self.assertEqual(value(db, "SELECT count(*) FROM v"), 20)
        db.execute("CREATE TABLE child(x REFERENCES c_rows(id) ON DELETE CASCADE)")
        db.execute("PRAGMA foreign_keys=ON")
        db.execute("INSERT INTO child SELECT min(id) FROM c_rows")
        db.execute("DELETE FROM c WHERE rowid = (SELECT x FROM child)")
        self.assertEqual(value(db, "SELECT count(*) FROM child"), 0)
        db.close()

    def test_tables_in_temp_and_attached(self):
        db = connect(self.path)
        db.execute(f"ATTACH '{self.path}2' AS \"o'd d\"")
        for schema in ("temp", '"o\'d d"'):
            db.execute(f"CREATE VIRTUAL TABLE {schema}.\"t'\"\"x\" USING semantic_cache(embedder='none', dim={DIM})")
            db.execute(f"INSERT INTO {schema}.\"t'\"\"x\"(embedding, response) VALUES (?, 5)", (blob([1] * DIM),))
            self.assertEqual(value(db, f"SELECT response FROM {schema}.\"t'\"\"x\" WHERE query MATCH ?", blob([1] * DIM)), 5)
            db.execute(f"CREATE TRIGGER {schema}.q AFTER INSERT ON \"t'\"\"x_log\" BEGIN SELECT 1; END")
            self.assertIn("trigger 'q'", error_of(db, f"SELECT * FROM {schema}.\"t'\"\"x\""))
            db.execute(f"DROP TABLE {schema}.\"t'\"\"x\"")
        db.close()


class Objects(unittest.TestCase):
    """Each shadow object is an ordinary table of ours, or the table is refused and can be dropped."""

    def replaced(self, shadow, sql):
        db = connect(":memory:")
        make(db)
        db.execute("INSERT INTO c(embedding, response) VALUES (?, 1)", (blob([1] * DIM),))
        own = value(db, "SELECT sql FROM sqlite_schema WHERE name = ?", f"c_{shadow}")
        db.execute(f"DROP TABLE c_{shadow}")
        db.executescript(sql.replace("OWN", own))
        return db

    def test_other_kinds_and_columns(self):
        columns = {"rows": "id INTEGER PRIMARY KEY, partition, expires_at, created_at, hits, last_hit_at, cost_nusd, text_hash,"
                           " embedding, query, response, model, tag, second"}
        cases = [(s, f"CREATE VIRTUAL TABLE c_{s} USING fts5(id, hash, name, value)") for s in SHADOWS]
        cases += [(s, f"CREATE TABLE c_{s}(x)") for s in SHADOWS]
        cases += [("rows", f"CREATE TABLE c_rows({columns['rows']}, more)"),
                  ("rows", f"CREATE TABLE c_rows({columns['rows'].replace('hits,', 'hits AS (id * 2),')})"),
                  ("rows", f"CREATE TABLE c_rows({columns['rows']}) WITHOUT ROWID"),
                  ("rows", f"CREATE TABLE c_rows({columns['rows'].replace('INTEGER PRIMARY KEY', 'TEXT PRIMARY KEY')})"),
                  ("rows", f"CREATE TABLE c_rows({columns['rows'].replace('INTEGER PRIMARY KEY', 'INTEGER')})"),
                  ("meta", "CREATE TABLE c_meta(name TEXT PRIMARY KEY, value)"),
                  ("meta", "CREATE TABLE c_meta(name TEXT PRIMARY KEY, value AS (name)) WITHOUT ROWID"),
                  ("log", "CREATE TABLE c_log(seq INTEGER PRIMARY KEY, stamp, partition, entry, x AS (seq) STORED)")]
        for shadow, sql in cases:
            db = self.replaced(shadow, sql)
            for use in ("SELECT * FROM c", "INSERT INTO c(embedding, response) VALUES (CAST(zeroblob(31) || x'3f' AS BLOB), 1)", "DELETE FROM c",
                        "INSERT INTO c(c) VALUES ('flush')"):
                self.assertIn(f"c_{shadow}", error_of(db, use), sql)
            db.execute("DROP TABLE c")
            self.assertEqual(value(db, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'c\\_%' ESCAPE '\\'"), 0, sql)
            db.close()

    def test_our_own_made_again_is_ours(self):
        for shadow in SHADOWS:
            db = self.replaced(shadow, "OWN")
            if shadow not in ("meta", "partitions"):
                value(db, "SELECT * FROM c WHERE query MATCH ?", blob([1] * DIM))
            self.assertIsInstance(value(db, "SELECT count(*) FROM c"), int)
            db.close()

    def test_under_an_authorizer_that_lets_read_only(self):
        db = connect(":memory:")
        make(db)
        db.execute("INSERT INTO c(embedding, response) VALUES (?, 5)", (blob([1] * DIM),))
        allowed = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_READ)
        db.execute("CREATE TABLE other(x)")
        for denied in ((), ("sqlite_master", "sqlite_schema", "sqlite_temp_master")):
            db.set_authorizer(lambda act, a, *_: sqlite3.SQLITE_OK if act in allowed and a not in denied else sqlite3.SQLITE_DENY)
            self.assertEqual(best(db, [1] * DIM)[1], 5)
            self.assertEqual(value(db, "SELECT count(*) FROM c"), 1)
            db.set_authorizer(None)
            db.execute("CREATE INDEX i ON other(x)")
            db.execute("DROP INDEX i")
        db.execute("DROP TABLE c_log")
        db.execute("CREATE TABLE c_log(seq INTEGER PRIMARY KEY, stamp, partition)")
        error_of(db, "SELECT * FROM c")  # a table that is connected: connecting needs more
        db.set_authorizer(lambda act, *_: sqlite3.SQLITE_OK if act in allowed else sqlite3.SQLITE_DENY)
        self.assertIn("c_log", error_of(db, "SELECT * FROM c"))
        db.close()

    def test_tables_made_before(self):
        """Data of 0.1: shadow tables as that version wrote them (tests/data is made of the same text)."""
        with TempDir() as tmp:
            with open(os.path.join(ROOT, "tests/data/semantic_cache_0.1.sql"), encoding="utf-8") as f:
                out = shell(tmp + "/old.db", f.read())
            self.assertEqual(out.stderr, "")
            db = connect(tmp + "/old.db")
            self.assertEqual(value(db, "SELECT response FROM faq WHERE query MATCH 'how can I reset my password' AND system_prompt = 'You are a clerk.'"),
                             "With the link.")
            self.assertEqual(value(db, "SELECT response FROM faq WHERE query MATCH 'What is x?' AND system_prompt = 0"), "zero")
            self.assertEqual(value(db, "SELECT scope FROM faq WHERE query MATCH 'What is y?' AND scope = 'ann'"), "ann")
            self.assertEqual([r[1] for r in db.execute("PRAGMA table_info(faq)")], COLUMNS)
            db.execute("INSERT INTO faq(faq) VALUES ('threshold=0.5')")
            db.execute("INSERT INTO faq(faq) VALUES ('integrity-check')")
            db.execute("INSERT INTO faq(query, response) VALUES ('new', 1)")
            db.execute("ALTER TABLE faq RENAME TO q")
            self.assertEqual(value(db, "SELECT count(*) FROM q"), 4)
            db.execute("DROP TABLE q")
            db.close()


COLUMNS = ["system_prompt", "query", "response", "model", "tag", "cost_nusd", "created_at", "expires_at", "hits", "last_hit_at", "scope"]
HIDDEN = ["embedding", "c", "similarity", "threshold", "k", "match_kind", "verify", "max_false_hits", "policy", "why", "user"]


class Numbers(unittest.TestCase):
    """No number of a shadow table is believed."""

    ADAPTIVE = ("CREATE VIRTUAL TABLE c USING semantic_cache(max_false_hits=0.1, max_entries=50, ttl='1h', seed=3, confirm='off')")

    TEXTS = ("how do I reset my password", "how can I reset my password", "please, how do I reset the password", "can I reset my password")

    def test_every_column_of_every_shadow_table(self):
        """Evil values everywhere, under the sanitizers: an error or an answer, and DROP TABLE works afterwards."""
        evil = ["9e999", "-9e999", "NULL", "9223372036854775807", "-9223372036854775808", "-9223372036854775807", "-1", "0", "1e300", "''",
                "'x'", "x''", "x'ff'", "zeroblob(1048576)", "9223372036854710272", "0.5", "'1e5'", "replace(hex(zeroblob(4)), '00', x'0000c07f')",
                "CAST(x'0000c07f' AS BLOB)", "4294967297"]
        with TempDir() as tmp:
            body = (f"evil, tmp = {evil!r}, {tmp!r}\n"
                    "db.close()\n"
                    "import random, struct\n"
                    "def fresh():\n"
                    "    db = connect(':memory:', so=ASAN_SO)\n"
                    "    db.execute(Numbers.ADAPTIVE)\n"
                    "    for i in range(8): db.execute(\"INSERT INTO c(system_prompt, query, response, cost_nusd) VALUES ('p', ?, ?, 5)\","
                    " (Numbers.TEXTS[i % 4] + ' please' * (i // 4), 'a' * (i % 3)))\n"
                    "    db.execute(\"INSERT INTO c(c, rowid, similarity) VALUES ('right', 2, 0.97)\")\n"
                    "    db.execute(\"INSERT INTO c(c, rowid, similarity) VALUES ('wrong', 3, 0.96)\")\n"
                    "    db.execute(\"SELECT * FROM c WHERE query MATCH 'how do I reset password again' AND system_prompt = 'p'\").fetchall()\n"
                    "    db.execute(\"INSERT INTO c(c) VALUES ('flush')\")\n"
                    "    db.execute(\"INSERT INTO c_snapshots SELECT id, 0, 1, 1, x'00', x'00' FROM c_partitions\")\n"
                    "    return db\n"
                    "uses = [\"SELECT * FROM c WHERE query MATCH 'how do I reset my password now' AND system_prompt = 'p'\",\n"
                    "        \"SELECT * FROM c WHERE query MATCH 'how do I reset my password now' AND system_prompt = 'p' AND threshold = 0.5 AND k = 9\",\n"
                    "        \"SELECT * FROM c WHERE query MATCH 'how do I reset password soon' AND system_prompt = 'p' AND max_false_hits = 0.3\",\n"
                    "        'SELECT * FROM c', \"INSERT INTO c(system_prompt, query, response) VALUES ('p', 'how do I reset the password now', 'n')\",\n"
                    "        \"INSERT INTO c(c, rowid) VALUES ('right', 2)\", \"INSERT INTO c(c) VALUES ('threshold=0.4')\", \"INSERT INTO c(c) VALUES ('max_entries=3')\",\n"
                    "        \"INSERT INTO c(query, response) VALUES ('another', 1)\", 'UPDATE c SET tag = 1 WHERE rowid = 4',\n"
                    "        'DELETE FROM c WHERE rowid = 5', \"INSERT INTO c(c) VALUES ('integrity-check')\", \"INSERT INTO c(c) VALUES ('flush')\",\n"
                    "        \"INSERT INTO c(c) VALUES ('rebuild')\", \"SELECT * FROM c WHERE query MATCH 'how do I reset my password' AND system_prompt = 'p'\"]\n"
                    "db = fresh()\n"
                    "plan = [(t, r[1]) for t in SHADOWS for r in db.execute(f'PRAGMA table_info(c_{t})').fetchall()]\n"
                    "start, n = db.serialize() if hasattr(db, 'serialize') else None, 0\n"
                    "for table, column in plan:\n"
                    "    for v in evil:\n"
                    "        for where in ('1', 'rowid = (SELECT max(rowid) FROM c_%s)' % table):\n"
                    "            if table == 'meta' and where != '1': where = \"name = 'seed'\"\n"
                    "            if where == '1' and column in ('id', 'seq'): where = f'{column} = 1'\n"
                    "            db = connect(':memory:', so=ASAN_SO)\n"
                    "            if start: db.deserialize(start)\n"
                    "            else: db = fresh()\n"
                    "            try: db.execute(f'UPDATE OR IGNORE c_{table} SET {column} = {v} WHERE {where}')\n"
                    "            except sqlite3.Error: db.close(); continue\n"
                    "            n += 1\n"
                    "            for sql in uses:\n"
                    "                try: db.execute(sql).fetchall()\n"
                    "                except sqlite3.Error as e: assert 'memory' not in str(e) and 'recursion' not in str(e), (table, column, v, sql, str(e))\n"
                    "            db.execute('DROP TABLE c')\n"
                    "            assert db.execute('SELECT count(*) FROM sqlite_schema WHERE name LIKE ?', ('c%',)).fetchone()[0] == 0\n"
                    "            db.close()\n"
                    "print(n)\n")
            self.assertGreater(int(sanitized(tmp + "/x.db", body, 600).split()[-1]), 800)

    def adaptive(self):
        db = connect(":memory:")
        db.execute(self.ADAPTIVE)
        for text in self.TEXTS:
            db.execute("INSERT INTO c(query, response) VALUES (?, 'yes')", (text,))
        return db

    def test_labels_and_decisions_out_of_range(self):
        ask = "SELECT * FROM c WHERE query MATCH 'how do I reset my password now'"
        for column, bad in (("similarity", "9e999"), ("similarity", "-9e999"), ("similarity", "1.5"), ("similarity", "'x'"), ("second", "-2"),
                            ("second", "9e999"), ("margin", "-0.1"), ("margin", "9e999"), ("margin", "3"), ("agree", "0"),
                            ("agree", "9223372036854775807"), ("agree", "0.5"), ("ok", "2"), ("ok", "-1"), ("ok", "'x'")):
            db = self.adaptive()
            self.assertGreater(value(db, "SELECT count(*) FROM c_labels"), 0)
            db.execute(ask).fetchall()
            db.execute(f"UPDATE c_labels SET {column} = {bad}")
            db.execute("INSERT INTO c(query, response, system_prompt) VALUES ('other', 1, 2)")
            with TempDir() as tmp:
                db.execute(f"VACUUM INTO '{tmp}/d.db'")
                other = connect(tmp + "/d.db")
                message = error_of(other, ask)
                self.assertTrue("damaged" in message and "labels: row" in message, (column, bad, message))
                other.close()
            db.close()
        db = self.adaptive()
        db.execute("INSERT INTO c_decisions(ts, partition, entry, similarity, margin, agree, served) VALUES (1, 1, 1, 9e999, 0, 1, 1)")
        self.assertIn("decisions on entry 1", error_of(db, "INSERT INTO c(c, rowid) VALUES ('wrong', 1)"))
        db.close()

    def test_the_counter_of_entries_evicts_nobody(self):
        for bad in ("9223372036854775807", "'9223372036854775807'", "-5", "'x'", "1e300", "NULL", "1000000", "x'ff'"):
            db = connect(":memory:")
            db.execute("CREATE VIRTUAL TABLE c USING semantic_cache(max_entries=20)")
            for i in range(10):
                db.execute("INSERT INTO c(query, response) VALUES (?, 1)", (f"number {i}",))
            db.execute(f"UPDATE c_meta SET value = {bad} WHERE name = 'entries'")
            db.execute("INSERT INTO c(query, response) VALUES ('one more', 1)")
            self.assertEqual(value(db, "SELECT count(*) FROM c"), 11, bad)
            for i in range(30):
                db.execute("INSERT INTO c(query, response) VALUES (?, 1)", (f"thing {i}",))
            self.assertLessEqual(value(db, "SELECT count(*) FROM c"), 20, bad)
            db.close()

    def test_vectors_that_are_none(self):
        nan, inf = blob([float("nan")] * DIM), blob([float("inf")] + [0] * (DIM - 1))
        for bad in (nan, inf, blob([0] * DIM), blob([1] * (DIM - 1)), "text of 32 bytes, that is, no vec", b""):
            with TempDir() as tmp:
                db = connect(tmp + "/v.db")
                make(db)
                for i in range(3):
                    db.execute("INSERT INTO c(embedding, response) VALUES (?, 1)", (blob([1] * i + [2] * (DIM - i)),))
                db.execute("UPDATE c_rows SET embedding = ? WHERE id = 2", (bad,))
                db.close()
                db = connect(tmp + "/v.db")
                message = error_of(db, "SELECT * FROM c WHERE query MATCH ?", blob([1] * DIM))
                self.assertTrue("row 2" in message and "rebuild" in message, message)
                db.execute("DELETE FROM c WHERE rowid = 2")
                self.assertIsNotNone(best(db, [1] * DIM))
                db.close()

    def test_a_log_at_its_end_can_be_made_anew(self):
        for seq in ("9223372036854775807", "-9223372036854775808", "-9223372036854775807", "0"):
            with TempDir() as tmp:
                out = sanitized(tmp + "/l.db", "make(db)\ndb.execute('INSERT INTO c(embedding, response) VALUES (?, 1)', (blob([1] * DIM),))\n"
                                "db.execute('BEGIN')\ndb.execute('INSERT INTO c(embedding, response) VALUES (?, 2)', (blob([2, 1] * (DIM // 2)),))\n"
                                f"db.execute('DELETE FROM c_log')\ndb.execute('INSERT INTO c_log VALUES ({seq}, 1, 1, 1)')\ndb.execute('COMMIT')\n"
                                "say('SELECT count(*) FROM c WHERE query MATCH ?', blob([1] * DIM))\n"
                                "say(\"INSERT INTO c(c) VALUES ('rebuild')\")\n"
                                "say('INSERT INTO c(embedding, response) VALUES (?, 1)', blob([-1] * DIM))\n"
                                "say('SELECT count(*) FROM c WHERE query MATCH ?', blob([1] * DIM))\n").splitlines()
                self.assertTrue("rebuild" in out[0] and out[1:] == ["ok []", "ok []", "ok [(1,)]"], (seq, out))

    def test_feedback_takes_cosines_only(self):
        db = self.adaptive()
        for bad in ("9e999", "-9e999", "-1.5", "'x'"):
            self.assertIn("cosine", error_of(db, f"INSERT INTO c(c, rowid, similarity) VALUES ('right', 1, {bad})"))
        db.close()


class Savepoints(unittest.TestCase):
    """What a savepoint takes back of the schema never costs the user's transaction."""
    # Each: statements from BEGIN to COMMIT; what holds afterwards.
    CASES = {
        "a rename taken back": ["INSERT INTO mine VALUES (1)", "SAVEPOINT s", "ALTER TABLE c RENAME TO d", f"INSERT INTO d {{v}}", "ROLLBACK TO s"],
        "written before, too": ["INSERT INTO c {v}", "SAVEPOINT s", "ALTER TABLE c RENAME TO d", "INSERT INTO d {v}", "ROLLBACK TO s", "INSERT INTO c {v}"],
        "renamed twice": ["INSERT INTO c {v}", "SAVEPOINT s", "ALTER TABLE c RENAME TO d", "INSERT INTO d {v}", "ALTER TABLE d RENAME TO e",
                          "INSERT INTO e {v}", "ROLLBACK TO s", "RELEASE s", "INSERT INTO c {v}"],
        "renamed twice and kept": ["INSERT INTO c {v}", "ALTER TABLE c RENAME TO d", "INSERT INTO d {v}", "ALTER TABLE d RENAME TO e", "INSERT INTO e {v}",
                                   "ALTER TABLE e RENAME TO c"],
        "nested": ["INSERT INTO c {v}", "SAVEPOINT a", "ALTER TABLE c RENAME TO d", "INSERT INTO d {v}", "SAVEPOINT b", "ALTER TABLE d RENAME TO e",
                   "INSERT INTO e {v}", "ROLLBACK TO b", "INSERT INTO d {v}", "RELEASE b", "ROLLBACK TO a"],
        "released inside": ["SAVEPOINT a", "INSERT INTO c {v}", "SAVEPOINT b", "ALTER TABLE c RENAME TO d", "INSERT INTO d {v}", "RELEASE b", "ROLLBACK TO a"],
        "making taken back": ["SAVEPOINT s", "CREATE VIRTUAL TABLE n USING semantic_cache(embedder='none', dim=8)", "INSERT INTO n {v}",
                              "SELECT count(*) FROM n WHERE query MATCH CAST(zeroblob(31) || x'3f' AS BLOB)", "ROLLBACK TO s"],
        "made again": ["SAVEPOINT s", "CREATE VIRTUAL TABLE n USING semantic_cache(embedder='none', dim=8)", "INSERT INTO n {v}",
                       "SELECT count(*) FROM n WHERE query MATCH CAST(zeroblob(31) || x'3f' AS BLOB)", "ROLLBACK TO s",
                       "CREATE VIRTUAL TABLE n USING semantic_cache(embedder='none', dim=8)", "INSERT INTO n {v}", "ALTER TABLE n RENAME TO m", "DROP TABLE m"],
        "dropping taken back": ["INSERT INTO c {v}", "SAVEPOINT s", "DROP TABLE c", "ROLLBACK TO s", "INSERT INTO c {v}"],
        "dropped and made": ["INSERT INTO c {v}", "SAVEPOINT s", "DROP TABLE c", "CREATE VIRTUAL TABLE c USING semantic_cache(embedder='none', dim=8)",
                             "INSERT INTO c {v}", "SELECT * FROM c WHERE query MATCH CAST(zeroblob(31) || x'3f' AS BLOB)", "ROLLBACK TO s"],
        "its place taken": ["INSERT INTO c {v}", "SAVEPOINT s", "ALTER TABLE c RENAME TO d", "INSERT INTO d {v}",
                            "SELECT * FROM d WHERE query MATCH CAST(zeroblob(31) || x'3f' AS BLOB)", "ROLLBACK TO s",
                            "CREATE VIRTUAL TABLE d USING semantic_cache(embedder='none', dim=8)", "INSERT INTO d {v}", "DROP TABLE d"],
        "another's schema": ["INSERT INTO c {v}", "SAVEPOINT s", "CREATE TABLE z(x)", "INSERT INTO c {v}", "ROLLBACK TO s", "CREATE TABLE z(x)", "INSERT INTO c {v}",
                             "DROP TABLE z"],
        "hits that wait": ["SELECT * FROM c WHERE query MATCH CAST(zeroblob(31) || x'3f' AS BLOB)", "INSERT INTO c {v}", "SELECT * FROM c WHERE query MATCH CAST(zeroblob(31) || x'3f' AS BLOB)",
                           "SAVEPOINT s", "ALTER TABLE c RENAME TO d", "SELECT * FROM d WHERE query MATCH CAST(zeroblob(31) || x'3f' AS BLOB)", "ROLLBACK TO s",
                           "SELECT * FROM c WHERE query MATCH CAST(zeroblob(31) || x'3f' AS BLOB)"],
        "a rename that fails": ["INSERT INTO c {v}", "!ALTER TABLE c RENAME TO mine", "!ALTER TABLE c RENAME TO taken", "INSERT INTO c {v}"],
    }

    def script(self, statements):
        v = "(embedding, response) VALUES (CAST(zeroblob(31) || x'3f' AS BLOB), 1)"
        return [s.format(v=v) for s in ["BEGIN", "INSERT INTO mine VALUES (7)", *statements, "COMMIT"]]

    def open(self, path=":memory:"):
        db = connect(path)
        make(db)
        db.execute("CREATE TABLE mine(x)")
        db.execute("CREATE TABLE taken_rows(x)")
        db.execute("INSERT INTO c(embedding, response) VALUES (CAST(zeroblob(31) || x'3f' AS BLOB), 0)")
        return db

    def test_the_transaction_is_kept(self):
        for name, statements in self.CASES.items():
            with TempDir() as tmp:
                db = self.open(tmp + "/s.db")
                for sql in self.script(statements):
                    if sql.startswith("!"):
                        error_of(db, sql[1:])
                    else:
                        db.execute(sql).fetchall()
                self.assertGreater(value(db, "SELECT count(*) FROM mine WHERE x = 7"), 0, name)
                fresh = connect(tmp + "/s.db")
                for d in (db, fresh):
                    d.execute("INSERT INTO c(embedding, response) VALUES (CAST(zeroblob(31) || x'bf' AS BLOB), 1)")
                    d.execute("INSERT INTO c(c) VALUES ('integrity-check')")
                    self.assertIsNotNone(value(d, "SELECT rowid FROM c WHERE query MATCH CAST(zeroblob(31) || x'3f' AS BLOB)"), name)
                    self.assertEqual(value(d, "SELECT count(*) FROM sqlite_schema WHERE name IN ('d', 'e', 'm', 'n', 'd_rows', 'e_rows', 'n_rows')"), 0, name)
                    self.assertEqual(value(d, "PRAGMA integrity_check"), "ok")
                fresh.close()
                db.close()

    def test_the_same_in_another_sqlite(self):
        folder = npm_package("better-sqlite3")
        if not folder or not os.path.exists(folder + "/build/Release/better_sqlite3.node"):
            self.skipTest("npm better-sqlite3 can't be installed here")
        for name, statements in self.CASES.items():
            with TempDir() as tmp:
                self.open(tmp + "/s.db").close()
                sql = [s for s in self.script(statements) if not s.startswith("!")] + [
                    "SELECT count(*) FROM mine WHERE x = 7", "INSERT INTO c(c) VALUES ('integrity-check')", "SELECT count(*) > 0 FROM c", "PRAGMA integrity_check"]
                out = subprocess.run(["node", os.path.join(ROOT, "tests/live/client.js"), folder, SO, tmp + "/s.db", json.dumps(sql)],
                                     capture_output=True, text=True, env=clean_env(), timeout=60)
                self.assertEqual(out.stderr, "", name)
                self.assertEqual(out.stdout.split()[-4:], ["1", "null", "1", '"ok"'], name)

    def test_under_the_sanitizers(self):
        with TempDir() as tmp:
            body = "db.close()\n" + "".join(
                f"db = connect(':memory:', so=ASAN_SO)\nmake(db)\ndb.executescript('CREATE TABLE mine(x); CREATE TABLE taken_rows(x)')\n" +
                "".join(f"say({s.lstrip('!')!r})\n" for s in self.script(statements)) + "db.close()\n" for statements in self.CASES.values())
            sanitized(tmp + "/x.db", body)

    def test_random_schedules_over_the_schema(self):
        """What is done to a cache is done to an ordinary table too: both end the same, and no COMMIT fails."""
        rng = random.Random(11)
        put = "(embedding, response) VALUES (CAST(zeroblob(31) || x'3f' AS BLOB), 1)"
        for schedule in range(150):
            db = connect(":memory:")
            names, marks = [], []
            run = lambda sql: db.execute(sql).fetchall()
            done = []
            for step in range(rng.randrange(5, 40)):
                act, free = rng.random(), [n for n in "abcd" if n not in names]
                if act < 0.15 and free:
                    sql = [f"CREATE VIRTUAL TABLE {free[0]} USING semantic_cache(embedder='none', dim=8)", f"CREATE TABLE t{free[0]}(x)"]
                    names = names + [free[0]]
                elif act < 0.27 and names and free:
                    old, new = rng.choice(names), rng.choice(free)
                    sql = [f"ALTER TABLE {old} RENAME TO {new}", f"ALTER TABLE t{old} RENAME TO t{new}"]
                    names = [n for n in names if n != old] + [new]
                elif act < 0.33 and names:
                    old = rng.choice(names)
                    sql = [f"DROP TABLE {old}", f"DROP TABLE t{old}"]
                    names = [n for n in names if n != old]
                elif act < 0.55 and names:
                    n = rng.choice(names)
                    sql = [f"INSERT INTO {n}{put}", f"INSERT INTO t{n} VALUES (1)"]
                elif act < 0.7 and names:
                    sql = [f"SELECT * FROM {rng.choice(names)} WHERE query MATCH CAST(zeroblob(31) || x'3f' AS BLOB)"]
                elif act < 0.82:
                    marks.append(list(names))
                    sql = [f"SAVEPOINT s{len(marks)}"]
                elif act < 0.92 and marks:
                    at = rng.randrange(len(marks))
                    names, marks = list(marks[at]), marks[:at + 1]
                    sql = [f"ROLLBACK TO s{at + 1}"]
                elif marks:
                    at = rng.randrange(len(marks))
                    marks = marks[:at]
                    sql = [f"RELEASE s{at + 1}"]
                else:
                    continue
                for one in sql:
                    done.append(one)
                    try:
                        run(one)
                    except sqlite3.Error as e:
                        self.fail(f"{schedule}: {e}: " + "; ".join(done))
            if marks:
                run("RELEASE s1")
            for n in names:
                self.assertEqual(value(db, f"SELECT count(*) FROM {n}"), value(db, f"SELECT count(*) FROM t{n}"))
                run(f"INSERT INTO {n}({n}) VALUES ('integrity-check')")
                run(f"INSERT INTO {n}{put}")
            self.assertEqual(value(db, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name LIKE '%\\_rows' ESCAPE '\\'"), len(names))
            db.close()

    def test_a_full_rollback(self):
        db = self.open()
        db.execute("BEGIN")
        db.execute("INSERT INTO c(embedding, response) VALUES (CAST(zeroblob(31) || x'3f' AS BLOB), 1)")
        db.execute("ALTER TABLE c RENAME TO d")
        db.execute("INSERT INTO d(embedding, response) VALUES (CAST(zeroblob(31) || x'3f' AS BLOB), 1)")
        db.execute("ROLLBACK")
        self.assertEqual(value(db, "SELECT count(*) FROM c"), 1)
        db.execute("INSERT INTO c(embedding, response) VALUES (CAST(zeroblob(31) || x'3f' AS BLOB), 1)")
        db.close()

    def test_waiting_hits_are_written_before_a_rename(self):
        db = self.open()
        for _ in range(3):
            db.execute("SELECT * FROM c WHERE query MATCH CAST(zeroblob(31) || x'3f' AS BLOB)").fetchall()
        db.execute("ALTER TABLE c RENAME TO d")
        self.assertEqual(value(db, "SELECT hits FROM d"), 3)
        db.close()

    def test_damage_after_a_write_does_not_keep_the_transaction_from_ending(self):
        for damage in ("CREATE TRIGGER t AFTER UPDATE ON c_rows BEGIN SELECT 1; END", "DROP TABLE c_log", "DROP TABLE c_rows"):
            db = self.open()
            db.execute("SELECT * FROM c WHERE query MATCH CAST(zeroblob(31) || x'3f' AS BLOB)").fetchall()
            db.execute("BEGIN")
            db.execute("INSERT INTO mine VALUES (1)")
            db.execute("INSERT INTO c(embedding, response) VALUES (CAST(zeroblob(31) || x'3f' AS BLOB), 1)")
            db.execute("SELECT * FROM c WHERE query MATCH CAST(zeroblob(31) || x'3f' AS BLOB)").fetchall()
            db.execute(damage)
            db.execute("COMMIT")
            self.assertEqual(value(db, "SELECT count(*) FROM mine"), 1)
            db.close()


class Values(unittest.TestCase):
    """Any value is an answer, and values compare by type and bytes."""
    ODD = ["x'ff00fe8081'", "x'80'", "7", "7.5", "-0.0", "NULL", "''", "x''", "zeroblob(0)", "'a' || char(0) || 'b'", "CAST(x'ff00fe' AS TEXT)",
           "x'00'", "zeroblob(100)", "'{\"a\": 1}'", "CAST(x'c328' AS TEXT)", "9223372036854775807", "'a'"]

    def test_any_answer_where_answers_are_compared(self):
        for encoding in ("UTF-8", "UTF-16le"):
            db = connect(":memory:")
            db.execute(f"PRAGMA encoding = '{encoding}'")
            db.execute("CREATE VIRTUAL TABLE c USING semantic_cache(max_false_hits=0.2, seed=1, confirm='off', guard='off')")
            for i, response in enumerate(self.ODD * 2):
                if encoding != "UTF-8" and "AS TEXT" in response:
                    continue
                db.execute(f"INSERT INTO c(query, response, model) VALUES (?, {response}, ?)", (f"how do I reset the password number {i}", f"m{i}"))
                self.assertEqual(value(db, f"SELECT typeof(response) = typeof({response}) AND response IS {response} FROM c WHERE rowid = last_insert_rowid()"),
                                 1, response)
                db.execute("SELECT * FROM c WHERE query MATCH ?", (f"how do I reset my password number {i}",)).fetchall()
            self.assertGreater(value(db, "SELECT count(*) FROM c_labels WHERE ok = 0"), 0)
            db.close()

    def test_bytes_are_the_same_or_not(self):
        def learned(a, b):
            db = connect(":memory:")
            db.execute("CREATE VIRTUAL TABLE c USING semantic_cache(max_false_hits=0.2, seed=1, confirm='off')")
            db.execute(f"INSERT INTO c(query, response) VALUES ('how do I reset my password', {a})")
            db.execute(f"INSERT INTO c(query, response) VALUES ('how can I reset my password', {b})")
            rows = [r[0] for r in db.execute("SELECT ok FROM c_labels")]
            db.close()
            return rows
        self.assertEqual(learned("x'ff00fe'", "x'ff00fe'"), [1])
        self.assertEqual(learned("x'ff00fe'", "x'ff00ff'"), [0])
        self.assertEqual(learned("x'6161'", "'aa'"), [0])
        self.assertEqual(learned("'a' || char(0) || 'b'", "'a' || char(0) || 'c'"), [0])
        self.assertEqual(learned("7", "7"), [1])
        self.assertEqual(learned("CAST(x'ff' AS TEXT)", "CAST(x'ff' AS TEXT)"), [1])
        self.assertEqual(learned("NULL", "'a'"), [0])
        self.assertEqual(learned("'a'", "NULL"), [])

    def test_no_value_is_called_lack_of_memory(self):
        for column in ("query", "response", "system_prompt", "scope", "tag", "model", "cost_nusd", "created_at", "expires_at", "hits", "last_hit_at",
                       "embedding", "c", "similarity", "threshold", "k", "match_kind", "verify", "max_false_hits"):
            for odd in self.ODD:
                db = connect(":memory:")
                db.execute("CREATE VIRTUAL TABLE c USING semantic_cache(max_false_hits=0.2, max_entries=9)")
                db.execute("INSERT INTO c(query, response) VALUES ('What is x?', 1)")
                put = f"query, response, {column}" if column not in ("query", "response") else f"tag, {column}"
                for sql in (f"INSERT INTO c({put}) VALUES ({'1, 1' if put[0] == 'q' else '1'}, {odd})",
                            f"UPDATE c SET {column} = {odd}", f"SELECT * FROM c WHERE {column} = {odd}", f"SELECT * FROM c WHERE query MATCH {odd}",
                            f"SELECT * FROM c WHERE query MATCH 'What is x?' AND {column} = {odd}"):
                    try:
                        db.execute(sql).fetchall()
                    except MemoryError:
                        self.fail("no memory: " + sql)
                    except sqlite3.Error as e:
                        self.assertNotIn("memory", str(e), sql)
                    except OverflowError:
                        pass
                    except UnicodeError:
                        pass
                db.close()

    def test_empty_blobs(self):
        db = connect(":memory:")
        db.execute("CREATE VIRTUAL TABLE c USING semantic_cache")
        for empty in ("x''", "zeroblob(0)"):
            db.execute(f"INSERT INTO c(system_prompt, query, response, model, tag, scope) VALUES ({empty}, {empty}, {empty}, {empty}, {empty}, {empty})")
            self.assertEqual(value(db, f"SELECT count(*) FROM c WHERE query MATCH '' AND system_prompt = {empty} AND scope = {empty} AND tag = {empty} AND model = {empty}"), 1)
            self.assertEqual(value(db, f"SELECT typeof(response) FROM c WHERE system_prompt = {empty}"), "blob")
        self.assertEqual(value(db, "SELECT count(*) FROM c"), 1)
        db.close()

    def test_filters_are_equality(self):
        db = connect(":memory:")
        db.execute("CREATE VIRTUAL TABLE c USING semantic_cache")
        values = ["'v1'", "'v1' || char(0) || 'x'", "'v1' || char(0)", "x'7631'", "x'763100'", "'5'", "x'35'", "'5.0'", "''", "x''", "'V1'"]
        asked = values + ["5", "5.0", "NULL", "x'7631' || ''"]
        db.execute("CREATE TABLE plain(v TEXT)")
        for v in values:
            db.execute(f"INSERT INTO plain VALUES ({v})")
        for column in ("tag", "model"):
            db.execute("DELETE FROM c")
            for i, v in enumerate(values):  # the model keeps entries of one question apart
                db.execute(f"INSERT INTO c(query, response, system_prompt, {column}) VALUES ('What is x?', 1, ?, {v})", (f"p{i}",))
            for a in asked:
                for i, v in enumerate(values):
                    want = value(db, f"SELECT count(*) FROM plain WHERE rowid = {i + 1} AND v = {a}")
                    for match in ("'What is x?'", "embed('What is x?')"):
                        got = value(db, f"SELECT count(*) FROM c WHERE query MATCH {match} AND system_prompt = 'p{i}' AND {column} = {a}")
                        self.assertEqual(got, want, (column, a, v, match))
        db.close()

    def partitions_ok(self, db):
        values = ["'0'", "x'30'", "x'3000'", "'0' || char(0)", "'0.0'", "''", "x''", "'a'", "x'61'", "NULL"]
        same = {"0": "'0'", "0.0": "'0.0'", "CAST('0' AS TEXT)": "'0'"}
        for column in ("system_prompt", "scope"):
            for v in values:
                db.execute(f"INSERT INTO c(query, response, {column}) VALUES ('What is x?', quote({v}), {v})")
            for a in values[:-1]:
                rows = db.execute(f"SELECT response, typeof({column}) FROM c WHERE query MATCH 'What is x?' AND {column} = {a}").fetchall()
                self.assertEqual(rows, db.execute(f"SELECT quote({a}), typeof({a})").fetchall(), a)
                self.assertEqual(value(db, f"SELECT count(*) FROM c WHERE {column} = {a}"), 1, a)
            for number, text in same.items():
                self.assertEqual(value(db, f"SELECT response FROM c WHERE query MATCH 'What is x?' AND {column} = {number}"),
                                 value(db, f"SELECT quote({text})"), number)
            db.execute(f"INSERT INTO c(query, response, {column}) VALUES ('What is x?', 'number', 0)")
            self.assertEqual(value(db, f"SELECT response FROM c WHERE query MATCH 'What is x?' AND {column} = 0"), "number")
            self.assertEqual(value(db, f"SELECT response FROM c WHERE query MATCH 'What is x?' AND {column} = x'30'"), "X'30'")
            db.execute("DELETE FROM c")

    def test_partitions_by_type_and_bytes(self):
        db = connect(":memory:")
        db.execute("CREATE VIRTUAL TABLE c USING semantic_cache")
        self.partitions_ok(db)
        db.close()

    def test_partitions_in_another_sqlite(self):
        folder = npm_package("better-sqlite3")
        if not folder or not os.path.exists(folder + "/build/Release/better_sqlite3.node"):
            self.skipTest("npm better-sqlite3 can't be installed here")
        ask = "SELECT response FROM c WHERE query MATCH 'What is x?' AND system_prompt = "
        sql = ["CREATE VIRTUAL TABLE c USING semantic_cache", *(f"INSERT INTO c(query, response, system_prompt) VALUES ('What is x?', '{n}', {v})"
               for n, v in (("blob", "x'30'"), ("number", "0"), ("long", "'0' || char(0)"))), *(ask + v for v in ("0", "'0'", "x'30'", "'0' || char(0)"))]
        with TempDir() as tmp:
            out = subprocess.run(["node", os.path.join(ROOT, "tests/live/client.js"), folder, SO, tmp + "/s.db", json.dumps(sql)],
                                 capture_output=True, text=True, env=clean_env(), timeout=60)
            self.assertEqual(out.stderr, "")
            self.assertEqual(out.stdout.split()[-4:], ['"number"', '"number"', '"blob"', '"long"'])


class Copies(unittest.TestCase):
    def setUp(self):
        self.tmp = TempDir()
        self.path = self.tmp.name + "/t.db"
        self.db = connect(self.path)
        self.db.execute("CREATE VIRTUAL TABLE c USING semantic_cache(confirm='off')")

    def tearDown(self):
        self.db.close()
        self.tmp.cleanup()

    def test_order_of_columns(self):
        rows = self.db.execute("PRAGMA table_xinfo(c)").fetchall()
        self.assertEqual([r[1] for r in rows if not r[6]], COLUMNS)
        self.assertEqual([r[1] for r in rows if r[6]], HIDDEN)

    def test_a_copy_keeps_the_tenants_apart(self):
        for user in ("ann", "bob", None):
            self.db.execute("INSERT INTO c(query, response, scope, tag, cost_nusd) VALUES ('What is my balance?', ?, ?, 't', 5)", (f"of {user}", user))
        self.db.execute("CREATE VIRTUAL TABLE n USING semantic_cache(threshold=0.9, confirm='off')")
        self.db.execute("INSERT INTO n SELECT * FROM c")
        every = f"SELECT {', '.join(COLUMNS)} FROM "
        self.assertEqual(self.db.execute(every + "n").fetchall(), self.db.execute(every + "c").fetchall())
        self.assertEqual(value(self.db, "SELECT response FROM n WHERE query MATCH 'what''s my balance' AND scope = 'bob'"), "of bob")
        self.db.execute("CREATE VIRTUAL TABLE v USING semantic_cache(embedder='none', dim=256)")
        self.db.execute("INSERT INTO v(query, response, scope, embedding) SELECT query, response, scope, embedding FROM c")
        self.assertEqual(value(self.db, "SELECT response FROM v WHERE query MATCH embed('What is my balance?') AND scope = 'ann'"), "of ann")

    def command(self, text, db=None):
        (db or self.db).execute("INSERT INTO c(c) VALUES (?)", (text,))

    def hit(self, db=None):
        return value(db or self.db, "SELECT response FROM c WHERE query MATCH 'how can I reset my password'")

    def test_settings_in_place(self):
        self.db.execute("INSERT INTO c(query, response) VALUES ('How do I reset my password?', 'link')")
        self.assertEqual(self.hit(), "link")
        other = connect(self.path)
        self.assertEqual(self.hit(other), "link")
        self.command("threshold=0.999")
        self.assertIsNone(self.hit())
        self.assertIsNone(self.hit(other))
        self.command(" threshold = 0.9 ", other)
        self.assertEqual((self.hit(), self.hit(other)), ("link", "link"))
        self.db.execute("BEGIN")
        self.command("threshold=1")
        self.assertIsNone(self.hit())
        self.db.execute("SAVEPOINT s")
        self.command("threshold=0.5")
        self.assertEqual(self.hit(), "link")
        self.db.execute("ROLLBACK TO s")
        self.assertIsNone(self.hit())
        self.db.execute("ROLLBACK")
        self.assertEqual(self.hit(), "link")
        self.command("threshold=1")
        self.db.execute("ALTER TABLE c RENAME TO q")
        self.assertIsNone(value(self.db, "SELECT 1 FROM q WHERE query MATCH 'how can I reset my password'"))
        self.db.execute("ALTER TABLE q RENAME TO c")
        other.close()
        other = connect(self.path)
        self.assertIsNone(self.hit(other))
        self.command("threshold=default", other)
        self.assertEqual((self.hit(), self.hit(other)), ("link", "link"))
        other.close()

    def test_each_setting(self):
        self.command("ttl='1h'")
        self.db.execute("INSERT INTO c(query, response) VALUES ('What is x?', 1)")
        self.assertEqual(value(self.db, "SELECT expires_at - created_at FROM c"), 3600000)
        self.command("ttl=default")
        self.db.execute("INSERT INTO c(query, response) VALUES ('What is y?', 1)")
        self.assertEqual(value(self.db, "SELECT count(*) FROM c WHERE expires_at IS NULL"), 1)
        for i in range(30):
            self.db.execute("INSERT INTO c(query, response) VALUES (?, 1)", (f"What is number {i}?",))
        self.command("max_entries=20")
        self.db.execute("INSERT INTO c(query, response) VALUES ('What is z?', 1)")
        self.assertEqual(value(self.db, "SELECT count(*) FROM c"), 19)
        self.command("max_entries=0")
        for i in range(30):
            self.db.execute("INSERT INTO c(query, response) VALUES (?, 1)", (f"What is thing {i}?",))
        self.assertEqual(value(self.db, "SELECT count(*) FROM c"), 49)
        self.command("max_entries=10")
        self.db.execute("INSERT INTO c(query, response) VALUES ('What is a?', 1)")
        self.assertLessEqual(value(self.db, "SELECT count(*) FROM c"), 10)
        self.command("max_entries=default")
        self.db.execute("INSERT INTO c(query, response, system_prompt) VALUES ('Can I take 5 mg?', 1, 'g')")
        ask = "SELECT count(*) FROM c WHERE query MATCH 'Can I take 50 mg?' AND system_prompt = 'g' AND threshold = 0.5"
        self.assertEqual(value(self.db, ask), 0)
        self.command("guard='off'")
        self.assertEqual(value(self.db, ask), 1)
        self.command("guard=on")
        self.assertEqual(value(self.db, ask), 0)
        self.command("max_false_hits=0.05")
        before = value(self.db, "SELECT count(*) FROM c_labels")
        self.db.execute("INSERT INTO c(query, response, system_prompt) VALUES ('Can we take 5 mg?', 1, 'g')")
        self.assertGreater(value(self.db, "SELECT count(*) FROM c_labels"), before)
        self.command("confirm=on")
        self.command("confirm=off")
        self.hit()

    def test_arguments_of_create_go_behind(self):
        self.db.execute("DROP TABLE c")
        self.db.execute("CREATE VIRTUAL TABLE c USING semantic_cache(threshold=1, ttl='1h', confirm='off')")
        self.db.execute("INSERT INTO c(query, response) VALUES ('How do I reset my password?', 'link')")
        self.assertIsNone(self.hit())
        self.command("threshold=0.8")
        self.assertEqual(self.hit(), "link")
        self.command("threshold=default")  # not CREATE's 1, but that of a table made without it
        self.assertEqual(self.hit(), "link")
        self.command("ttl=default")
        self.db.execute("INSERT INTO c(query, response) VALUES ('What is y?', 1)")
        self.assertEqual(value(self.db, "SELECT count(*) FROM c WHERE expires_at IS NULL"), 1)

    def test_what_is_refused(self):
        for text, piece in (("embedder='minilm'", "copy"), ("dim=3", "copy"), ("seed=3", "copy"), ("threshold=2", "cosine"), ("threshold=", "name=value"),
                            ("colour=1", "valid: embedder"), ("ttl=never", "duration"), ("guard=maybe", "'on' or 'off'"), ("max_false_hits=1", "share"),
                            ("max_entries=-1", "an integer from 0"), ("threshold=nan", "cosine"), ("threshold='0.9", "name=value"), ("optimise", "unknown command"),
                            ("flush\0x", "unknown command"), (b"flush", "unknown command")):
            self.assertIn(piece, error_of(self.db, "INSERT INTO c(c) VALUES (?)", text), text)
        self.assertEqual(value(self.db, "SELECT count(*) FROM c_meta WHERE name LIKE 'set:%'"), 0)

    def test_bad_stored_settings(self):
        for name, bad in (("threshold", "'2'"), ("threshold", "9e999"), ("ttl", "-1"), ("max_entries", "1e300"), ("max_false_hits", "'nan'"), ("guard", "x'ff'"),
                          ("confirm", "zeroblob(100000)"), ("embedder", "'none'"), ("dim", "5"), ("nonsense", "1")):
            self.db.execute(f"INSERT INTO c_meta VALUES ('set:{name}', {bad})")
            db = connect(self.path)
            for use in ("SELECT * FROM c WHERE query MATCH 'x'", "INSERT INTO c(query, response) VALUES ('x', 1)"):
                message = error_of(db, use)
                self.assertTrue("damaged" in message and name in message, message)
            if name not in ("embedder", "dim", "nonsense"):
                self.command(name + "=default", db)
                db.execute("INSERT INTO c(query, response) VALUES ('x', 1)")
            db.close()
            self.db.execute("DELETE FROM c_meta WHERE name LIKE 'set:%'")


if __name__ == "__main__":
    unittest.main()
