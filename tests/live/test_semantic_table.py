"""The semantic_cache table: transactions, savepoints, connections and processes, snapshots, damage, SQLite's own tools."""
import os
import random
import sqlite3
import struct
import subprocess
import sys
import time
import unittest

from harness import ASAN_SO, ROOT, SO, TempDir, asan_env, clean_env, connect, error_of, value

DIM = 8


def blob(v):
    return struct.pack(f"<{len(v)}f", *v)


def unit(rng):
    v = [rng.gauss(0, 1) for _ in range(DIM)]
    n = sum(x * x for x in v) ** 0.5
    return [x / n for x in v]


def near(rng, v, by=0.05):
    return [x + rng.gauss(0, by) for x in v]


def cosine(a, b):
    dot = sum(x * y for x, y in zip(a, b))
    return dot / (sum(x * x for x in a) * sum(x * x for x in b)) ** 0.5


def rounded(v):
    return list(struct.unpack(f"<{DIM}f", blob(v)))


def make(db, name="c", extra=""):
    db.execute(f"CREATE VIRTUAL TABLE {name} USING semantic_cache(embedder='none', dim={DIM}, threshold=0.9{extra})")


def best(db, v, prompt=None, name="c"):
    return db.execute(f"SELECT rowid, response FROM {name} WHERE query MATCH ? AND system_prompt IS ?",
                      (blob(v), prompt)).fetchone()


class Model:
    """What the table must hold: {id: (prompt, vector, response)}; a lookup by brute force."""

    def __init__(self):
        self.rows = {}

    def best(self, v, prompt):
        found = [(cosine(rounded(w), v), i) for i, (p, w, _) in self.rows.items() if p == prompt]
        found = [x for x in found if x[0] >= 0.9]
        return max(found)[1] if found else None


class KnownPartitions(unittest.TestCase):
    """A connection remembers which number a partition has: not longer than it has it."""

    PROMPTS = ("a", "b", None, b"a")

    def setUp(self):
        self.tmp = TempDir()
        self.addCleanup(self.tmp.cleanup)
        self.path = os.path.join(self.tmp.name, "c.db")
        self.db, self.other = connect(self.path), connect(self.path)
        make(self.db)
        self.vectors = [[1.0 + (i == j) for j in range(DIM)] for i in range(4)]

    def insert(self, db, i, scope=None):
        db.execute("INSERT INTO c(system_prompt, scope, embedding, response) VALUES (?, ?, ?, ?)",
                   (self.PROMPTS[i], scope, blob(self.vectors[i]), f"{i}/{scope}"))

    def found(self, i, scope=None):
        row = self.db.execute("SELECT response FROM c WHERE query MATCH ? AND system_prompt IS ? AND scope IS ?",
                              (blob(self.vectors[i]), self.PROMPTS[i], scope)).fetchone()
        return row and row[0]

    def check(self, answers, scope=None):
        self.assertEqual([self.found(i, scope) for i in range(4)], answers)
        self.db.execute("INSERT INTO c(c) VALUES('integrity-check')")

    def test_each_by_its_texts(self):
        for scope in (None, "u", "a"):
            for i in range(4):
                self.insert(self.db, i, scope)
        for _ in range(2):  # found, and known
            for scope in (None, "u", "a"):
                self.check([f"{i}/{scope}" for i in range(4)], scope)

    def test_another_connection_drops_and_makes_it_anew(self):
        for i in range(4):
            self.insert(self.db, i)
        self.check(["0/None", "1/None", "2/None", "3/None"])
        self.other.execute("DELETE FROM c WHERE system_prompt = 'a'")
        self.check([None, "1/None", "2/None", "3/None"])
        self.other.execute("DELETE FROM c WHERE system_prompt = 'b'")
        self.insert(self.other, 1)
        self.insert(self.db, 0)
        self.check(["0/None", "1/None", "2/None", "3/None"])

    def test_a_rollback_takes_it_back(self):
        self.insert(self.db, 1)
        for end in ("ROLLBACK", "ROLLBACK TO s; RELEASE s; COMMIT"):
            self.db.execute("BEGIN")
            self.db.execute("SAVEPOINT s")
            self.insert(self.db, 0)
            self.assertEqual([self.found(0), self.found(1)], ["0/None", "1/None"])
            for step in end.split("; "):
                self.db.execute(step)
            self.check([None, "1/None", None, None])
        self.insert(self.db, 0)
        self.check(["0/None", "1/None", None, None])


class Transactions(unittest.TestCase):
    def setUp(self):
        self.tmp = TempDir()
        self.path = self.tmp.name + "/t.db"
        self.db = connect(self.path)
        make(self.db)

    def tearDown(self):
        self.db.close()
        self.tmp.cleanup()

    def insert(self, v, response="r", prompt=None, db=None):
        (db or self.db).execute("INSERT INTO c(system_prompt, embedding, response) VALUES (?, ?, ?)",
                                (prompt, blob(v), response))

    def test_rollback_and_savepoints(self):
        rng = random.Random(1)
        a, b, c = unit(rng), unit(rng), unit(rng)
        self.insert(a, "a")
        self.db.execute("BEGIN")
        self.insert(b, "b")
        self.assertEqual(best(self.db, b)[1], "b")
        self.db.execute("SAVEPOINT s")
        self.insert(c, "c")
        self.db.execute("DELETE FROM c WHERE response = 'a'")
        self.assertIsNone(best(self.db, a))
        self.assertEqual(best(self.db, c)[1], "c")
        self.db.execute("ROLLBACK TO s")
        self.assertIsNone(best(self.db, c))
        self.assertEqual(best(self.db, a)[1], "a")
        self.assertEqual(best(self.db, b)[1], "b")
        self.db.execute("ROLLBACK")
        self.assertIsNone(best(self.db, b))
        self.assertEqual(best(self.db, a)[1], "a")

    def test_a_statement_that_fails_leaves_nothing(self):
        rng = random.Random(2)
        a = unit(rng)
        self.db.execute("BEGIN")
        with self.assertRaises(sqlite3.Error):
            self.db.execute("INSERT INTO c(embedding, response) SELECT ?, 1 UNION ALL SELECT x'00', 2", (blob(a),))
        self.assertIsNone(best(self.db, a))
        self.db.execute("COMMIT")
        self.assertEqual(value(self.db, "SELECT count(*) FROM c"), 0)

    def test_random_schedules_against_a_model(self):
        """Inserts, updates, deletes, rollbacks to savepoints, two connections: every lookup is the brute-force one."""
        rng = random.Random(3)
        other = connect(self.path)
        for db in (self.db, other):
            db.execute("PRAGMA synchronous=OFF")
        committed, checks = Model(), 0
        for round_ in range(120):
            db = rng.choice((self.db, other))
            model = Model()
            model.rows = dict(committed.rows)
            db.execute("BEGIN IMMEDIATE")
            marks = []
            for _ in range(rng.randrange(1, 12)):
                act = rng.random()
                if act < 0.5 or not model.rows:
                    p, v = rng.choice((None, "p", "q")), unit(rng)
                    v = near(rng, rng.choice(list(model.rows.values()))[1]) if model.rows and rng.random() < 0.5 else v
                    db.execute("INSERT INTO c(system_prompt, embedding, response) VALUES (?, ?, 0)", (p, blob(v)))
                    model.rows[value(db, "SELECT last_insert_rowid()")] = (p, v, 0)
                elif act < 0.65:
                    i = rng.choice(list(model.rows))
                    db.execute("DELETE FROM c WHERE rowid = ?", (i,))
                    del model.rows[i]
                elif act < 0.8:
                    i, v = rng.choice(list(model.rows)), unit(rng)
                    p = rng.choice((None, "p", "q"))
                    db.execute("UPDATE c SET embedding = ?, system_prompt = ? WHERE rowid = ?", (blob(v), p, i))
                    model.rows[i] = (p, v, 0)
                elif act < 0.9:
                    marks.append(dict(model.rows))
                    db.execute(f"SAVEPOINT s{len(marks)}")
                elif marks:
                    db.execute(f"ROLLBACK TO s{len(marks)}")
                    model.rows = dict(marks[-1])
                for _ in range(3):
                    q = near(rng, rng.choice(list(model.rows.values()))[1]) if model.rows else unit(rng)
                    prompt = rng.choice((None, "p", "q"))
                    got = best(db, q, prompt)
                    self.assertEqual(got[0] if got else None, model.best(rounded(q), prompt))
                    checks += 1
            if rng.random() < 0.3:
                db.execute("ROLLBACK")
            else:
                db.execute("COMMIT")
                committed = model
            for db in (self.db, other):
                q = near(rng, rng.choice(list(committed.rows.values()))[1]) if committed.rows else unit(rng)
                got = best(db, q, "p")
                self.assertEqual(got[0] if got else None, committed.best(rounded(q), "p"))
        self.assertGreater(checks, 1000)
        self.assertEqual(value(self.db, "PRAGMA integrity_check"), "ok")
        self.db.execute("INSERT INTO c(c) VALUES ('integrity-check')")
        other.close()

    def test_a_reader_in_a_snapshot_sees_its_own_time(self):
        self.db.execute("PRAGMA journal_mode=WAL")
        rng = random.Random(4)
        a, b = unit(rng), unit(rng)
        self.insert(a, "a")
        other = connect(self.path)
        other.execute("BEGIN")
        self.assertEqual(best(other, a)[1], "a")
        self.insert(b, "b")
        self.db.execute("DELETE FROM c WHERE response = 'a'")
        self.assertEqual(best(other, a)[1], "a")
        self.assertIsNone(best(other, b))
        other.execute("COMMIT")
        self.assertIsNone(best(other, a))
        self.assertEqual(best(other, b)[1], "b")
        other.close()

    def test_last_insert_rowid_is_the_callers(self):
        rng = random.Random(5)
        self.db.execute("CREATE TABLE mine(x)")
        self.db.execute("BEGIN")
        self.insert(unit(rng))
        self.db.execute("INSERT INTO mine(rowid, x) VALUES (77, 1)")
        self.db.execute("COMMIT")
        self.assertEqual(value(self.db, "SELECT last_insert_rowid()"), 77)


class Files(unittest.TestCase):
    def setUp(self):
        self.tmp = TempDir()
        self.path = self.tmp.name + "/t.db"

    def tearDown(self):
        self.tmp.cleanup()

    def filled(self, n=200, name="c", db=None, seed=7):
        db = db or connect(self.path)
        make(db, name)
        rng = random.Random(seed)
        vs = [unit(rng) for _ in range(n)]
        db.execute("BEGIN")
        db.executemany(f"INSERT INTO {name}(embedding, response) VALUES (?, ?)", [(blob(v), i) for i, v in enumerate(vs)])
        db.execute("COMMIT")
        return db, vs

    def test_vacuum_rename_backup_attach_drop(self):
        db, vs = self.filled()
        db.execute("DELETE FROM c WHERE rowid % 2 = 0")
        db.execute("VACUUM")
        self.assertEqual(best(db, vs[0])[1], 0)
        self.assertNotEqual((best(db, vs[1]) or (None, None))[1], 1)
        db.execute("ALTER TABLE c RENAME TO d")
        self.assertEqual(best(db, vs[2], name="d")[1], 2)
        copy = connect(self.tmp.name + "/copy.db")
        db.backup(copy)
        self.assertEqual(best(copy, vs[4], name="d")[1], 4)
        copy.execute("ATTACH ? AS other", (self.path,))
        self.assertEqual(best(copy, vs[6], name="other.d")[1], 6)
        copy.execute("CREATE VIRTUAL TABLE other.e USING semantic_cache(embedder='static')")
        copy.execute("INSERT INTO other.e(query, response) VALUES ('What is it?', 'this')")
        self.assertEqual(value(copy, "SELECT response FROM other.e WHERE query MATCH 'What is it?'"), "this")
        copy.close()
        db.execute("BEGIN")
        db.execute("DROP TABLE d")
        db.execute("ROLLBACK")
        self.assertEqual(best(db, vs[8], name="d")[1], 8)
        db.execute("DROP TABLE d")
        db.execute("DROP TABLE e")
        self.assertEqual(value(db, "SELECT count(*) FROM sqlite_schema WHERE name <> 'sqlite_sequence'"), 0)
        db.close()

    def test_space_comes_back(self):
        db = connect(self.path)
        db.execute("CREATE VIRTUAL TABLE c USING semantic_cache(embedder='none', dim=256)")
        rng = random.Random(9)
        rows = [(struct.pack("<16f", *[rng.gauss(0, 1) for _ in range(16)]) * 16,) for _ in range(9000)]
        db.execute("BEGIN")
        db.executemany("INSERT INTO c(embedding, response) VALUES (?, 'x')", rows)
        db.execute("COMMIT")
        used = lambda: value(db, "PRAGMA page_count") - value(db, "PRAGMA freelist_count")
        full, snapshots = used(), value(db, "SELECT count(*) FROM c_snapshots")
        db.execute("DELETE FROM c WHERE rowid > 100")
        self.assertLess(used(), full * 0.15)  # what is left is mostly the log of changes, trimmed later
        self.assertEqual((snapshots > 0, value(db, "SELECT count(*) FROM c_snapshots")), (True, 0))
        db.close()

    def test_a_small_partition_costs_kilobytes(self):
        db = connect(self.path)
        db.execute("CREATE VIRTUAL TABLE c USING semantic_cache(embedder='none', dim=384)")
        before = value(db, "PRAGMA page_count") * value(db, "PRAGMA page_size")
        rng = random.Random(1)
        vector = struct.pack("<384f", *[rng.random() for _ in range(384)])
        db.executemany("INSERT INTO c(system_prompt, embedding, response) VALUES (?, ?, 'x')",
                       [(f"p{i // 10}", vector) for i in range(1000)])
        after = value(db, "PRAGMA page_count") * value(db, "PRAGMA page_size")
        self.assertLess((after - before) / 100, 10 * 2200 + 4096)
        db.close()

    def test_snapshots_are_used_thrown_away_and_not_trusted(self):
        db, vs = self.filled(9000)
        self.assertGreater(value(db, "SELECT count(*) FROM c_snapshots"), 0)
        db.close()
        db = connect(self.path)
        self.assertEqual(best(db, vs[10])[1], 10)
        db.execute("DELETE FROM c WHERE rowid = 11")
        db.close()
        db = connect(self.path)  # the snapshot, and what came after it
        self.assertNotEqual((best(db, vs[10]) or (0, None))[1], 10)
        self.assertEqual(best(db, vs[20])[1], 20)
        for damage in ("UPDATE c_snapshots SET data = substr(data, 1, 1000) || x'ff' || substr(data, 1002)",
                       "UPDATE c_snapshots SET data = x''", "UPDATE c_snapshots SET seq = seq + 1",
                       "UPDATE c_snapshots SET stamp = 0", "UPDATE c_snapshots SET checksum = 'x'"):
            db.execute("BEGIN")
            db.execute(damage)
            db.execute("COMMIT")
            fresh = connect(self.path)
            for i in range(0, 9000, 977):
                self.assertEqual(best(fresh, vs[i])[1] if i != 10 else 10, i)
            fresh.close()
        db.close()

    def test_damaged_shadow_tables_are_an_error(self):
        damages = ["UPDATE c_rows SET embedding = x'00'", "UPDATE c_rows SET embedding = 'text'",
                   "UPDATE c_rows SET partition = 99", "DELETE FROM c_partitions", "DELETE FROM c_meta",
                   "UPDATE c_meta SET value = 'x'", "DELETE FROM c_log", "UPDATE c_log SET entry = -1",
                   "DROP TABLE c_log", "DROP TABLE c_rows", "UPDATE c_rows SET text_hash = 3, query = NULL",
                   "UPDATE c_rows SET expires_at = 'never'", "UPDATE c_labels SET similarity = 'x'"]
        for n, damage in enumerate(damages):
            script = (f"import sys; sys.path.insert(0, {os.path.join(ROOT, 'tests/live')!r})\n"
                      "from test_semantic_table import *\n"
                      f"db = connect({self.tmp.name + f'/x{n}.db'!r}, so={ASAN_SO!r})\n"
                      "make(db)\nrng = random.Random(1)\nvs = [unit(rng) for _ in range(50)]\n"
                      "for v in vs: db.execute('INSERT INTO c(embedding, response) VALUES (?, 1)', (blob(v),))\n"
                      f"db.execute({damage!r})\n"
                      "for sql, args in (('SELECT * FROM c WHERE query MATCH ?', (blob(vs[3]),)),\n"
                      "    ('SELECT * FROM c', ()), ('INSERT INTO c(embedding, response) VALUES (?, 2)', (blob(vs[4]),)),\n"
                      "    ('DELETE FROM c WHERE rowid = 5', ()), (\"INSERT INTO c(c) VALUES ('integrity-check')\", ()),\n"
                      "    (\"INSERT INTO c(c) VALUES ('flush')\", ()), ('DROP TABLE c', ())):\n"
                      "    for again in range(2):\n"
                      "        try: db.execute(sql, args).fetchall()\n"
                      "        except sqlite3.Error as e: print(e)\n"
                      "        fresh = connect(db.execute('PRAGMA database_list').fetchone()[2], so=" + repr(ASAN_SO) + ")\n"
                      "        try: fresh.execute(sql, args).fetchall()\n"
                      "        except sqlite3.Error as e: print(e)\n"
                      "        fresh.close()\n")
            out = subprocess.run(["/usr/bin/python3", "-c", script], capture_output=True, text=True, env=asan_env(), timeout=60)
            self.assertEqual(out.returncode, 0, damage + out.stderr[-1500:])
            self.assertNotIn("Sanitizer", out.stderr, damage)

    def test_two_processes(self):
        db, vs = self.filled(50)
        script = (f"import sys; sys.path.insert(0, {os.path.join(ROOT, 'tests/live')!r})\n"
                  "from test_semantic_table import *\n"
                  f"db = connect({self.path!r}, timeout=30)\nrng = random.Random(int(sys.argv[1]))\n"
                  "for i in range(100):\n"
                  "    v = unit(rng)\n"
                  "    db.execute('INSERT INTO c(embedding, response) VALUES (?, ?)', (blob(v), sys.argv[1]))\n"
                  "    assert best(db, v)[1] == sys.argv[1], (i, best(db, v))\n")
        ps = [subprocess.Popen(["/usr/bin/python3", "-c", script, str(n)], env=clean_env()) for n in (101, 102)]
        self.assertEqual([p.wait(60) for p in ps], [0, 0])
        for n in (101, 102):
            rng = random.Random(n)
            for _ in range(100):
                self.assertEqual(best(db, unit(rng))[1], str(n))
        self.assertEqual(value(db, "SELECT count(*) FROM c"), 250)
        db.close()


class Texts(unittest.TestCase):
    def setUp(self):
        self.db = connect(":memory:")

    def tearDown(self):
        self.db.close()

    def test_eviction_takes_the_least_value_first(self):
        self.db.execute("CREATE VIRTUAL TABLE c USING semantic_cache(max_entries=40)")
        for i in range(60):
            self.db.execute("INSERT INTO c(query, response, cost_nusd) VALUES (?, 'x', ?)",
                            (f"question number {i} about a thing", 1000000 if i < 10 else 10))
        self.assertLessEqual(value(self.db, "SELECT count(*) FROM c"), 40)
        self.assertEqual(value(self.db, "SELECT count(*) FROM c WHERE cost_nusd = 1000000"), 10)

    def test_ttl_and_hits(self):
        self.db.execute("CREATE VIRTUAL TABLE c USING semantic_cache(ttl='200ms')")
        self.db.execute("INSERT INTO c(query, response) VALUES ('What is a bond?', 'debt')")
        for _ in range(3):
            self.assertEqual(value(self.db, "SELECT response FROM c WHERE query MATCH 'What is a bond?'"), "debt")
        self.db.execute("INSERT INTO c(query, response) VALUES ('Another question', 'x')")
        self.assertEqual(value(self.db, "SELECT hits FROM c WHERE rowid = 1"), 3)
        time.sleep(0.25)
        self.assertIsNone(value(self.db, "SELECT response FROM c WHERE query MATCH 'What is a bond?'"))

    def test_version_of_the_embedder(self):
        with TempDir() as tmp:
            db = connect(tmp + "/v.db")
            db.execute("CREATE VIRTUAL TABLE c USING semantic_cache")
            db.execute("INSERT INTO c(query, response) VALUES ('What is a bond?', 'debt')")
            db.execute("UPDATE c_meta SET value = 'static-of-old' WHERE name = 'embedder_version'")
            db.close()
            db = connect(tmp + "/v.db")
            self.assertEqual(value(db, "SELECT count(*) FROM c"), 1)
            for sql in ("SELECT * FROM c WHERE query MATCH 'x'", "INSERT INTO c(query, response) VALUES ('a', 1)"):
                self.assertIn("static-of-old", error_of(db, sql))
            db.execute("INSERT INTO c(c) VALUES ('rebuild')")
            self.assertEqual(value(db, "SELECT response FROM c WHERE query MATCH 'what is a bond'"), "debt")
            db.close()

    def test_adaptive_learns_and_its_decisions_can_be_made_again(self):
        def run():
            db = connect(":memory:")
            db.execute("CREATE VIRTUAL TABLE c USING semantic_cache(max_false_hits=0.1, seed=7, confirm='off')")
            rng, served = random.Random(5), 0
            topics = {"card": "my card has not arrived yet", "top": "how do I top up my account",
                      "pin": "I forgot the pin of my card", "fee": "why was I charged a fee"}
            words = ["please", "today", "now", "again", "help", "hello", "thanks", "really"]
            for _ in range(400):
                label = rng.choice(list(topics))
                text = topics[label] + " " + " ".join(rng.sample(words, 2))
                hit = db.execute("SELECT response FROM c WHERE query MATCH ?", (text,)).fetchone()
                if hit:
                    served += 1
                    self.assertEqual(hit[0], label)
                else:
                    db.execute("INSERT INTO c(query, response) VALUES (?, ?)", (text, label))
            log = db.execute("SELECT entry, similarity, chance, needed, draw, served FROM c_decisions").fetchall()
            db.close()
            return served, log
        first, again = run(), run()
        self.assertGreater(first[0], 100)
        self.assertEqual(first, again)

    def test_errors_say_what_and_why(self):
        for args, piece in (("embedder='nope'", "unknown embedder"), ("threshold=2", "threshold"), ("dim=3", "dim"),
                            ("embedder='none'", "dim=N"), ("colour=1", "valid: embedder"), ("ttl='x'", "ttl"),
                            ("max_false_hits=1", "share"), ("guard=maybe", "'on' or 'off'")):
            self.assertIn(piece, error_of(self.db, f"CREATE VIRTUAL TABLE c USING semantic_cache({args})"))
        make(self.db)
        for v, piece in ((blob([0] * DIM), "zeros"), (blob([float("nan")] * DIM), "NaN"),
                         (blob([float("inf")] * DIM), "infinity"), (b"abc", "32 bytes"), (7, "32 bytes")):
            self.assertIn(piece, error_of(self.db, "INSERT INTO c(embedding, response) VALUES (?, 1)", v))
        self.assertIn("expected text or 8 float32 (32 bytes), received 3",
                      error_of(self.db, "SELECT * FROM c WHERE query MATCH x'010203'"))
        self.assertIn("give a vector", error_of(self.db, "SELECT * FROM c WHERE query MATCH 'text'"))
        self.assertIn("unknown command", error_of(self.db, "INSERT INTO c(c) VALUES ('optimise')"))
        self.assertIn("k = 0", error_of(self.db, "SELECT * FROM c WHERE query MATCH ? AND k = 0", blob([1] * DIM)))

    def test_an_empty_blob_is_no_question(self):
        make(self.db)
        self.db.execute("INSERT INTO c(embedding, response) VALUES (?, 1)", (blob([1] * DIM),))
        for bad in ("x''", "zeroblob(0)"):
            self.assertIn("received 0 bytes", error_of(self.db, f"SELECT * FROM c WHERE query MATCH {bad}"))

    def test_a_failed_update_in_a_transaction_loses_nothing(self):
        make(self.db)
        self.db.execute("INSERT INTO c(embedding, response) VALUES (?, 1)", (blob([1] * DIM),))
        self.db.execute("BEGIN")
        self.assertIn("32 bytes", error_of(self.db, "UPDATE c SET embedding = x'00' WHERE rowid = 1"))
        self.db.execute("COMMIT")
        self.assertEqual(best(self.db, [1] * DIM), (1, 1))

    def test_conflicts_and_rowids_are_a_tables(self):
        make(self.db)
        self.db.execute("CREATE TABLE mine(x)")
        self.db.execute("INSERT INTO mine(rowid) VALUES (777)")
        put = "INSERT {} INTO c(rowid, embedding, response) VALUES (?, ?, ?)"
        self.db.execute(put.format(""), (0, blob([1] * DIM), "a"))
        self.assertEqual(value(self.db, "SELECT rowid FROM c"), 0)
        self.assertIn("rowid 0 is taken", error_of(self.db, put.format(""), 0, blob([2] * DIM), "b"))
        self.db.execute("INSERT INTO mine(rowid) VALUES (778)")
        self.db.execute(put.format("OR IGNORE"), (0, blob([2] * DIM), "b"))
        self.assertEqual(value(self.db, "SELECT response FROM c"), "a")
        self.db.execute(put.format("OR REPLACE"), (0, blob([2] * DIM), "c"))
        self.assertEqual(value(self.db, "SELECT response FROM c"), "c")
        self.db.execute("INSERT INTO mine(rowid) VALUES (779)")
        self.db.execute("UPDATE c SET response = 'd'")
        self.db.execute("DELETE FROM c")
        self.assertEqual(value(self.db, "SELECT last_insert_rowid()"), 779)

    def test_feedback_holds_for_k_updates_and_rollbacks(self):
        make(self.db, extra=", seed=1")
        rng = random.Random(2)
        a = unit(rng)
        q = near(rng, a, 0.02)
        self.db.execute("INSERT INTO c(embedding, response) VALUES (?, 'x')", (blob(a),))
        self.assertEqual(best(self.db, q)[1], "x")
        self.db.execute("BEGIN")
        self.db.execute("INSERT INTO c(c, rowid, similarity) VALUES ('wrong', 1, 0.9999)")
        self.assertIsNone(best(self.db, q))
        self.db.execute("ROLLBACK")
        self.assertEqual(best(self.db, q)[1], "x")
        self.db.execute("INSERT INTO c(c, rowid, similarity) VALUES ('wrong', 1, 0.9999)")
        self.db.execute("UPDATE c SET tag = 't'")
        self.assertIsNone(best(self.db, q))
        self.assertEqual(self.db.execute("SELECT 1 FROM c WHERE query MATCH ? AND k = 3", (blob(q),)).fetchall(), [])
        self.db.execute("UPDATE c SET response = 'y'")
        self.assertEqual(best(self.db, q)[1], "y")
        for bad in ("('wrong', 99, 1.0)", "('wrong', NULL, 1.0)", "('wrong', 1, 'abc')"):
            self.assertTrue(error_of(self.db, f"INSERT INTO c(c, rowid, similarity) VALUES {bad}"))

    def test_conditions_mean_what_they_say(self):
        self.db.execute("CREATE VIRTUAL TABLE c USING semantic_cache(confirm='off', ttl='7d', max_entries=10)")
        self.db.execute("INSERT INTO c(system_prompt, query, response, tag, created_at) VALUES (5, 'What is x?', 1, 'V1', 9223372036854775807)")
        self.db.execute("INSERT INTO c(query, response, created_at) VALUES ('What is y?', 1, 100000000000)")
        self.assertEqual(value(self.db, "SELECT count(*) FROM c WHERE tag = 'v1' COLLATE NOCASE"), 1)
        self.assertEqual(value(self.db, "SELECT count(*) FROM c WHERE query MATCH 'What is x?' AND system_prompt = '5'"), 1)
        self.assertIn("verify", error_of(self.db, "SELECT * FROM c WHERE query MATCH 'odd' AND verify = NULL"))
        for i in range(12):
            self.db.execute("INSERT INTO c(query, response) VALUES (?, 1)", (f"What is number {i}?",))

    def test_a_rebuild_that_is_taken_back(self):
        with TempDir() as tmp:
            db = connect(tmp + "/r.db")
            db.execute("CREATE VIRTUAL TABLE c USING semantic_cache(confirm='off')")
            db.execute("INSERT INTO c(query, response) VALUES ('What is x?', 1)")
            db.execute("INSERT INTO c(embedding, response) VALUES (embed('another thing'), 'v')")
            db.execute("UPDATE c_meta SET value = 'older' WHERE name = 'embedder_version'")
            db.close()
            db = connect(tmp + "/r.db")
            db.execute("BEGIN")
            db.execute("INSERT INTO c(c) VALUES ('rebuild')")
            self.assertEqual(value(db, "SELECT response FROM c WHERE query MATCH embed('another thing')"), "v")
            db.execute("ROLLBACK")
            self.assertIn("older", error_of(db, "SELECT * FROM c WHERE query MATCH 'What is x?'"))
            db.close()

    def test_the_old_name_is_free_after_a_rename(self):
        make(self.db)
        self.db.execute("ALTER TABLE c RENAME TO d")
        make(self.db)
        self.db.execute("INSERT INTO c(embedding, response) VALUES (?, 1)", (blob([1] * DIM),))
        self.assertEqual((best(self.db, [1] * DIM), best(self.db, [1] * DIM, name="d")), ((1, 1), None))

    def test_denormal_and_huge_vectors(self):
        make(self.db)
        tiny, huge = [1e-40, 2e-40] + [0] * (DIM - 2), [1e30, 2e30] + [0] * (DIM - 2)
        self.db.execute("INSERT INTO c(embedding, response) VALUES (?, 'tiny')", (blob(tiny),))
        hit = self.db.execute("SELECT response, similarity FROM c WHERE query MATCH ?", (blob(huge),)).fetchone()
        self.assertEqual(hit[0], "tiny")
        self.assertGreater(hit[1], 0.9999)


if __name__ == "__main__":
    unittest.main()
