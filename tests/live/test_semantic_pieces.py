"""Vectors of a semantic_cache that stand in pieces: space, bytes, transactions, tables made before, damage, kills."""
import os
import random
import shutil
import signal
import sqlite3
import struct
import subprocess
import time
import unittest

from harness import ROOT, TempDir, connect, error_of, value
import test_semantic_table
from test_semantic_faults import sanitized

DIM = 384  # two pieces
LARGEST = 2**56  # ids beyond it have no number for a piece


def vector(seed, dim=DIM):
    """float32 of unit length, as the table stores what it is given."""
    rng = random.Random(seed)
    v = [rng.gauss(0, 1) for _ in range(dim)]
    length = sum(x * x for x in v) ** 0.5
    return struct.pack(f"<{dim}f", *(x / length for x in v))


def make(db, dim=DIM, extra=""):
    db.execute(f"CREATE VIRTUAL TABLE c USING semantic_cache(embedder='none', dim={dim}, threshold=0.9{extra})")


def insert(db, seed, **columns):
    """A row whose response is its vector's seed."""
    columns = {"embedding": vector(seed), "response": seed, **columns}
    db.execute(f"INSERT INTO c({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", list(columns.values()))


def found(db, seed):
    return db.execute("SELECT response FROM c WHERE query MATCH ?", (vector(seed),)).fetchall()


def integrity(db):
    """None, or what is wrong."""
    try:
        db.execute("INSERT INTO c(c) VALUES ('integrity-check')")
    except sqlite3.Error as e:
        return str(e)
    return None


def as_before(db):
    """Gives the table the form of the version before: every vector in its row, and nothing that knows of pieces."""
    db.execute("UPDATE c_rows SET embedding = (SELECT embedding FROM c WHERE rowid = id)")
    db.execute("UPDATE c_rows SET pieces = NULL")
    db.execute("DROP TABLE c_pieces")
    db.execute("ALTER TABLE c_rows DROP COLUMN pieces")


class Pieces(unittest.TestCase):
    def setUp(self):
        self.tmp = TempDir()
        self.addCleanup(self.tmp.cleanup)
        self.path = self.tmp.name + "/p.db"

    def open(self, path=None, **options):
        db = connect(path or self.path, **options)
        self.addCleanup(db.close)
        return db

    def filled(self, n=10, **options):
        db = self.open()
        make(db, **options)
        for i in range(1, n + 1):
            insert(db, i, system_prompt=None)
        return db

    def reopened(self):
        """Another connection: it has nothing in memory yet."""
        return self.open()


class Space(Pieces):
    def bytes_per_entry(self, answer_bytes, n=2000):
        """Of pages that an entry takes, without a snapshot, which fewer than 8,192 don't have."""
        db = self.open(f"{self.tmp.name}/{answer_bytes}.db")
        make(db)
        before = value(db, "PRAGMA page_count")
        db.execute("BEGIN")
        for i in range(n):
            insert(db, i, query=f"question {i}".ljust(40, "?"), response="a" * answer_bytes)
        db.execute("COMMIT")
        return (value(db, "PRAGMA page_count") - before) * value(db, "PRAGMA page_size") / n

    def test_an_entry_takes_little_more_than_what_it_holds(self):
        for answer_bytes, most in ((12, 1900), (800, 2900)):  # a vector is 1,536 of that
            with self.subTest(answer_bytes):
                self.assertLess(self.bytes_per_entry(answer_bytes), most)

    def test_space_is_used_again(self):
        db = self.filled(300)
        full = value(db, "PRAGMA page_count")
        for _ in range(3):
            db.execute("DELETE FROM c WHERE rowid > 5")
            for i in range(6, 301):
                insert(db, i)
        self.assertLess(value(db, "PRAGMA page_count"), full * 1.15)
        self.assertEqual(value(db, "SELECT count(*) FROM c_pieces"), 600)


class Bytes(Pieces):
    """What was stored is what is read."""

    def test_every_dimension(self):
        for dim in (1, 8, 128, 129, 191, 192, 256, 257, 300, 384, 512, 768, 1000, 1024, 1536, 3072, 4097, 16384):
            with self.subTest(dim):
                db = self.open(f"{self.tmp.name}/{dim}.db")
                make(db, dim)
                vectors = [vector(i, dim) for i in range(4)]
                for i, v in enumerate(vectors):
                    insert(db, i, embedding=v)
                db.execute("UPDATE c SET tag = 't' WHERE response = 2")
                stored = [r for r, in db.execute("SELECT embedding FROM c ORDER BY rowid")]
                for given, kept in zip(vectors, stored):
                    far = max(abs(a - b) for a, b in zip(*(struct.unpack(f"<{dim}f", b) for b in (given, kept))))
                    self.assertLess(far, 1e-6)
                other = self.open(f"{self.tmp.name}/{dim}.db")
                self.assertEqual([r for r, in other.execute("SELECT embedding FROM c ORDER BY rowid")], stored)
                for i, v in enumerate(stored):
                    hit = other.execute("SELECT rowid, embedding FROM c WHERE query MATCH ?", (v,)).fetchone()
                    self.assertEqual(hit[1], stored[hit[0] - 1])
                    self.assertTrue(hit[0] == i + 1 or dim == 1)
                self.assertIsNone(integrity(other))
                self.assertEqual(value(db, "SELECT count(*) FROM c_pieces") > 0, dim > 128)

    def test_ids_at_the_ends(self):
        """An id that can't be multiplied has its vector in the row."""
        ids = [0, 1, -1, LARGEST - 1, LARGEST, LARGEST + 1, -LARGEST, -LARGEST - 1, 2**57, 2**58, 2**63 - 2, -2**63, 2**63 - 1]
        db = self.open()
        make(db)
        for seed, i in enumerate(ids):
            insert(db, seed, rowid=i)
        for d in (db, self.reopened()):
            for seed, i in enumerate(ids):
                self.assertEqual(d.execute("SELECT rowid, response FROM c WHERE query MATCH ?", (vector(seed),)).fetchall(), [(i, seed)])
            self.assertIsNone(integrity(d))
        self.assertEqual(value(db, "SELECT count(*) FROM c_rows WHERE (embedding IS NULL) = (pieces IS NULL)"), 0)
        db.execute("INSERT INTO c(c) VALUES ('rebuild')")
        self.assertIsNone(integrity(db))
        for seed, i in enumerate(ids):
            self.assertEqual(found(db, seed), [(seed,)])
            db.execute("DELETE FROM c WHERE rowid = ?", (i,))
            self.assertEqual(found(db, seed), [])
        self.assertEqual((value(db, "SELECT count(*) FROM c_pieces"), integrity(db)), (0, None))

    def test_what_is_next_after_the_largest(self):
        db = self.open()
        make(db)
        insert(db, 1, rowid=LARGEST)
        insert(db, 2)
        self.assertEqual(value(db, "SELECT rowid FROM c WHERE response = 2"), LARGEST + 1)
        self.assertEqual((found(self.reopened(), 2), integrity(db)), ([(2,)], None))

    def test_order_of_rows_does_not_matter(self):
        db = self.filled(200)
        other = self.reopened()
        other.execute("PRAGMA reverse_unordered_selects = 1")
        for i in (1, 7, 200):
            self.assertEqual(found(other, i), [(i,)])

    def test_tags_and_several_matches(self):
        db = self.filled(6)
        db.execute("UPDATE c SET tag = CASE WHEN rowid % 2 THEN 'odd' ELSE 'even' END")
        for d in (db, self.reopened()):
            sql = "SELECT response FROM c WHERE query MATCH ? AND threshold = -1 AND k = 9 AND tag = ?"
            self.assertEqual({r for r, in d.execute(sql, (vector(1), "odd"))}, {1, 3, 5})
            self.assertEqual({r for r, in d.execute(sql, (vector(1), "even"))}, {2, 4, 6})

    def test_no_partition_answers_for_another(self):
        db = self.open()
        make(db)
        for i in range(60):
            insert(db, 5, system_prompt=f"p{i % 3}", response=f"p{i % 3}", scope=str(i))
        for d in (db, self.reopened()):
            for i in range(60):
                self.assertEqual(d.execute("SELECT response FROM c WHERE query MATCH ? AND system_prompt = ? AND scope = ?",
                                           (vector(5), f"p{i % 3}", str(i))).fetchall(), [(f"p{i % 3}",)])
                self.assertEqual(d.execute("SELECT response FROM c WHERE query MATCH ? AND system_prompt = ? AND scope = ?",
                                           (vector(5), f"p{(i + 1) % 3}", str(i))).fetchall(), [])


class Life(Pieces):
    """Pieces come and go with their rows."""

    def pieces(self, db):
        return [r for r, in db.execute("SELECT DISTINCT part >> 6 FROM c_pieces ORDER BY 1")]

    def check(self, db, ids):
        self.assertEqual(self.pieces(db), ids)
        self.assertEqual([r for r, in db.execute("SELECT rowid FROM c ORDER BY 1")], ids)
        self.assertIsNone(integrity(db))
        for d in (db, self.reopened()) if not db.in_transaction else (db,):
            for i in ids:
                self.assertEqual(found(d, value(d, "SELECT response FROM c WHERE rowid = ?", i)), [(value(d, "SELECT response FROM c WHERE rowid = ?", i),)])

    def test_rollback(self):
        db = self.filled(3)
        for end in (["ROLLBACK"], ["ROLLBACK TO s", "COMMIT"]):
            db.execute("BEGIN")
            db.execute("SAVEPOINT s")
            insert(db, 4)
            db.execute("DELETE FROM c WHERE rowid = 2")
            db.execute("UPDATE c SET embedding = ?, response = 9 WHERE rowid = 1", (vector(9),))
            self.check(db, [1, 3, 4])
            for sql in end:
                db.execute(sql)
            self.check(db, [1, 2, 3])
            self.assertEqual((found(db, 9), found(db, 1), found(db, 4)), ([], [(1,)], []))

    def test_a_statement_that_fails(self):
        db = self.filled(3)
        self.assertIn("taken", error_of(db, "INSERT INTO c(rowid, embedding, response) VALUES (9, ?, 9), (2, ?, 9)", vector(9), vector(10)))
        self.check(db, [1, 2, 3])

    def test_update_moves_and_replaces(self):
        db = self.filled(3)
        db.execute("UPDATE c SET rowid = 7 WHERE rowid = 2")
        db.execute("UPDATE c SET system_prompt = 'p' WHERE rowid = 3")
        self.assertEqual(self.pieces(db), [1, 3, 7])
        self.assertEqual(db.execute("SELECT rowid FROM c WHERE query MATCH ? AND system_prompt = 'p'", (vector(3),)).fetchall(), [(3,)])
        self.assertEqual((found(self.reopened(), 3), found(self.reopened(), 2)), ([], [(2,)]))
        db.execute("INSERT OR REPLACE INTO c(rowid, embedding, response) VALUES (1, ?, 5)", (vector(5),))
        self.assertEqual((found(db, 1), found(db, 5), integrity(db)), ([], [(5,)], None))

    def test_eviction_expiry_feedback_and_the_same_text(self):
        db = self.open()
        make(db, extra=", max_entries=20, ttl='1h'")
        old = int(time.time() * 1000) - 2 * 3600 * 1000
        for i in range(50):
            insert(db, i, query=f"question {i // 2}", created_at=old if i % 7 == 0 else None)
        self.assertEqual(self.pieces(db), [r for r, in db.execute("SELECT rowid FROM c ORDER BY 1")])
        self.assertLessEqual(len(self.pieces(db)), 20)
        last = self.pieces(db)[-1]
        db.execute("INSERT INTO c(c, rowid, similarity) VALUES ('wrong', ?, 1)", (last,))
        self.assertNotIn(last, self.pieces(db))
        self.assertIsNone(integrity(db))
        db.execute("DELETE FROM c")
        self.assertEqual((self.pieces(db), integrity(db)), ([], None))

    def test_what_a_row_is_worth_counts_its_vector(self):
        """A row with a long vector goes before one with none."""
        db = self.open()
        make(db, extra=", max_entries=3")
        insert(db, 1, cost_nusd=1000)
        db.execute("UPDATE c_rows SET pieces = NULL, query = 'q', text_hash = 1 WHERE id = 1")
        insert(db, 2, cost_nusd=1000)
        insert(db, 3, cost_nusd=100000)
        insert(db, 4, cost_nusd=100000)
        self.assertEqual([r for r, in db.execute("SELECT response FROM c ORDER BY 1")], [1, 3, 4])

    def test_rename_drop_attach_vacuum_backup_and_read_only(self):
        db = self.filled(5)
        db.execute("ALTER TABLE c RENAME TO d")
        self.assertEqual(db.execute("SELECT response FROM d WHERE query MATCH ?", (vector(2),)).fetchall(), [(2,)])
        db.execute("ALTER TABLE d RENAME TO c")
        db.execute("VACUUM")
        self.check(db, [1, 2, 3, 4, 5])
        db.execute(f"ATTACH '{self.path}2' AS two")
        db.execute(f"CREATE VIRTUAL TABLE two.c USING semantic_cache(embedder='none', dim={DIM})")
        db.execute("INSERT INTO two.c(embedding, response) SELECT embedding, response FROM main.c")
        self.assertEqual(value(db, "SELECT count(*) FROM two.c a JOIN main.c b ON a.embedding = b.embedding AND a.rowid = b.rowid"), 5)
        copy = self.open(self.path + "3")
        db.backup(copy)
        self.assertEqual(found(copy, 4), [(4,)])
        copy.close()
        before = open(self.path + "3", "rb").read()
        copy = sqlite3.connect(f"file:{self.path}3?mode=ro", uri=True, isolation_level=None)
        copy.enable_load_extension(True)
        copy.load_extension(os.path.join(ROOT, "llmcost.so"))
        self.assertEqual((found(copy, 4), value(copy, "SELECT embedding FROM c WHERE rowid = 4")), ([(4,)], value(db, "SELECT embedding FROM main.c WHERE rowid = 4")))
        copy.close()
        self.assertEqual(open(self.path + "3", "rb").read(), before)
        db.execute("DROP TABLE main.c")
        self.assertEqual(value(db, "SELECT count(*) FROM main.sqlite_schema WHERE name LIKE 'c\\_%' ESCAPE '\\'"), 0)

    def test_another_connection_follows(self):
        db = self.filled(3)
        other = self.reopened()
        self.assertEqual(found(other, 1), [(1,)])
        insert(db, 4)
        db.execute("UPDATE c SET embedding = ?, response = 8 WHERE rowid = 1", (vector(8),))
        db.execute("DELETE FROM c WHERE rowid = 2")
        self.assertEqual([found(other, i) for i in (1, 2, 3, 4, 8)], [[], [], [(3,)], [(4,)], [(8,)]])
        db.execute("UPDATE c SET system_prompt = 'p' WHERE rowid = 3")
        self.assertEqual((found(other, 3), found(other, 4)), ([], [(4,)]))

    def test_a_new_question_gets_a_new_vector(self):
        db = self.open()
        db.execute("CREATE VIRTUAL TABLE c USING semantic_cache(embedder='static', confirm='off')")
        db.execute("INSERT INTO c(query, response) VALUES ('How do I reset my password?', 1)")
        self.assertGreater(value(db, "SELECT count(*) FROM c_pieces"), 1)
        db.execute("UPDATE c SET query = 'Where is my parcel?'")
        self.assertEqual(value(db, "SELECT embedding = embed(query, 'static') FROM c"), 1)
        db.execute("UPDATE c SET query = 'Where is it?', embedding = embed('Where is my parcel now?', 'static')")
        self.assertEqual(value(db, "SELECT embedding = embed('Where is my parcel now?', 'static') FROM c"), 1)
        db.execute("INSERT INTO c(c) VALUES ('rebuild')")
        self.assertEqual(value(db, "SELECT embedding = embed('Where is it?', 'static') FROM c"), 1)
        self.assertIsNone(integrity(db))

    def test_what_expires(self):
        db = self.open()
        make(db)
        insert(db, 1, expires_at=int(time.time() * 1000) + 600)
        insert(db, 2, expires_at=int(time.time() * 1000) + 3600000)
        other = self.reopened()
        self.assertEqual((found(other, 1), found(other, 2)), ([(1,)], [(2,)]))
        time.sleep(0.7)
        for d in (db, other, self.reopened()):
            self.assertEqual((found(d, 1), found(d, 2)), ([], [(2,)]))

    def test_killed_at_any_moment(self):
        """Whatever was committed is whole, whatever was not has left nothing."""
        script = ("import sys; sys.path.insert(0, %r)\nfrom test_semantic_pieces import *\n"
                  "db = connect(%r)\ndb.execute('PRAGMA synchronous=OFF')\nrng = random.Random(int(sys.argv[1]))\n"
                  "print('ready', flush=True)\n"
                  "for i in range(100000):\n"
                  "    if not db.in_transaction and rng.random() < 0.3: db.execute('BEGIN')\n"
                  "    if rng.random() < 0.3: db.execute('DELETE FROM c WHERE rowid = (SELECT min(id) FROM c_rows)')\n"
                  "    else: insert(db, int(sys.argv[1]) * 1000000 + i)\n"
                  "    if db.in_transaction and rng.random() < 0.2: db.execute(rng.choice(('COMMIT', 'ROLLBACK')))\n")
        script %= os.path.join(ROOT, "tests/live"), self.path
        db = self.filled(3)
        db.execute("PRAGMA journal_mode=WAL")
        rng = random.Random(3)
        for turn in range(12):
            child = subprocess.Popen(["/usr/bin/python3", "-c", script, str(turn + 1)], stdout=subprocess.PIPE)
            self.assertEqual(child.stdout.readline(), b"ready\n")
            time.sleep(0.02 + rng.random() * 0.15)
            child.send_signal(signal.SIGKILL)
            child.wait()
            child.stdout.close()
            self.assertIsNone(integrity(db))
            self.assertEqual(value(db, "PRAGMA integrity_check"), "ok")
            self.assertEqual(value(db, "SELECT count(*) FROM c_rows") * 2, value(db, "SELECT count(*) FROM c_pieces"))
        last = value(db, "SELECT response FROM c ORDER BY rowid DESC LIMIT 1")
        self.assertGreater(last, 1000000)
        self.assertEqual((found(db, last), found(self.reopened(), last)), ([(last,)], [(last,)]))


class Transactions(test_semantic_table.Transactions):
    """Its schedules against a model, savepoints and snapshots, with vectors that are cut."""

    @classmethod
    def setUpClass(cls):
        cls.dim, test_semantic_table.DIM = test_semantic_table.DIM, 136

    @classmethod
    def tearDownClass(cls):
        test_semantic_table.DIM = cls.dim

    def test_they_are_cut(self):
        db = connect(":memory:")
        test_semantic_table.make(db)
        db.execute("INSERT INTO c(embedding, response) VALUES (?, 1)", (vector(1, 136),))
        self.assertGreater(value(db, "SELECT count(*) FROM c_pieces"), 0)
        db.close()


class Before(Pieces):
    """A table of the version before, whose rows have their vectors."""

    def setUp(self):
        super().setUp()
        db = self.filled(5)
        self.stored = db.execute("SELECT rowid, embedding FROM c ORDER BY rowid").fetchall()
        as_before(db)
        db.close()

    def test_it_is_read_as_it_is(self):
        before = open(self.path, "rb").read()
        db = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, isolation_level=None)
        db.enable_load_extension(True)
        db.load_extension(os.path.join(ROOT, "llmcost.so"))
        self.assertEqual(db.execute("SELECT rowid, embedding FROM c ORDER BY rowid").fetchall(), self.stored)
        self.assertEqual([found(db, i) for i in range(1, 6)], [[(i,)] for i in range(1, 6)])
        db.close()
        self.assertEqual(open(self.path, "rb").read(), before)

    def test_it_is_written_to(self):
        db = self.open()
        insert(db, 6)
        self.assertEqual(db.execute("SELECT id, pieces FROM c_rows").fetchall(), [(i, None) for i in range(1, 6)] + [(6, 2)])
        db.execute("UPDATE c SET tag = 'x' WHERE rowid = 2")
        db.execute("DELETE FROM c WHERE rowid IN (1, 6)")
        for d in (db, self.reopened()):
            self.assertEqual([found(d, i) for i in range(1, 7)], [[], [(2,)], [(3,)], [(4,)], [(5,)], []])
            self.assertEqual(d.execute("SELECT rowid, embedding FROM c ORDER BY rowid").fetchall(), self.stored[1:])
        self.assertEqual(db.execute("SELECT id FROM c_rows WHERE pieces = 2").fetchall(), [(2,)])
        self.assertIsNone(integrity(db))

    def test_a_rebuild_gives_it_the_new_form(self):
        db = self.open()
        self.assertIsNone(integrity(db))
        db.execute("INSERT INTO c(c) VALUES ('rebuild')")
        self.assertEqual(value(db, "SELECT count(*) FROM c_rows WHERE pieces = 2 AND embedding IS NULL"), 5)
        self.assertEqual(db.execute("SELECT rowid, embedding FROM c ORDER BY rowid").fetchall(), self.stored)
        for d in (db, self.reopened()):
            self.assertEqual([found(d, i) for i in range(1, 6)], [[(i,)] for i in range(1, 6)])
            self.assertIsNone(integrity(d))

    def test_only_deleted_renamed_and_dropped(self):
        db = self.open()
        db.execute("DELETE FROM c WHERE rowid = 3")
        self.assertEqual((found(db, 3), found(db, 4)), ([], [(4,)]))
        db.execute("ALTER TABLE c RENAME TO d")
        self.assertEqual(value(db, "SELECT count(*) FROM d"), 4)
        db.execute("DROP TABLE d")
        self.assertEqual(value(db, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'd%' OR name LIKE 'c%'"), 0)

    def test_the_first_write_is_taken_back(self):
        db = self.open()
        db.execute("BEGIN")
        insert(db, 6)
        db.execute("ROLLBACK")
        self.assertEqual(value(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'c_pieces'"), 0)
        self.assertEqual((found(db, 6), found(db, 5)), ([], [(5,)]))
        insert(db, 7)
        self.assertEqual((found(db, 7), found(db, 5), integrity(db)), ([(7,)], [(5,)], None))

    def test_what_has_the_name_of_its_pieces(self):
        """A table or view of somebody's is neither used nor taken for ours."""
        for what in ("TABLE c_pieces(x)", "VIEW c_pieces AS SELECT 1 AS part, 2 AS data, 3 AS partition, 4 AS expires_at"):
            path = self.path + what[0]
            shutil.copy(self.path, path)
            plain = sqlite3.connect(path, isolation_level=None)
            plain.execute("CREATE " + what)
            plain.close()
            self.assertIn("c_pieces", error_of(self.open(path), "SELECT * FROM c"))


class Damage(Pieces):
    """Found by the check, told by a lookup that needs it, mended by 'rebuild', and never more than an error."""

    # What is done; what the check says of it; whether entry 3 is found afterwards, without and with a rebuild.
    CASES = {
        "no first piece": ("DELETE FROM c_pieces WHERE part = 192", "without all of their pieces", False),
        "no second piece": ("DELETE FROM c_pieces WHERE part = 193", "without all of their pieces", False),
        "no piece at all": ("DELETE FROM c_pieces WHERE part >> 6 = 3", "without all of their pieces", False),
        "a piece too short": ("UPDATE c_pieces SET data = substr(data, 1, 764) WHERE part = 193", "without all of their pieces", False),
        "a piece too long": ("UPDATE c_pieces SET data = CAST(data || x'00' AS BLOB) WHERE part = 192", "without all of their pieces", False),
        "pieces of other lengths": ("UPDATE c_pieces SET data = CASE part WHEN 192 THEN CAST(data || x'00000000' AS BLOB) ELSE substr(data, 5) END WHERE part >> 6 = 3",
                                    "can't be read", False),
        "an empty piece": ("UPDATE c_pieces SET data = x'' WHERE part = 192", "without all of their pieces", False),
        "text for a piece": ("UPDATE c_pieces SET data = printf('%.768c', 'x') WHERE part = 192", "without all of their pieces", False),
        "a number for a piece": ("UPDATE c_pieces SET data = 9e999 WHERE part = 192", "without all of their pieces", False),
        "no numbers in a piece": ("UPDATE c_pieces SET data = replace(hex(zeroblob(96)), '00', x'0000c07f') WHERE part = 192", None, False),
        "all zeros": ("UPDATE c_pieces SET data = zeroblob(768) WHERE part >> 6 = 3", "unit length", False),
        "not of unit length": ("UPDATE c_pieces SET data = zeroblob(768) WHERE part = 192", "unit length", None),
        "a piece too many": ("INSERT INTO c_pieces SELECT part + 1, data, NULL, NULL FROM c_pieces WHERE part = 193", "pieces", True),
        "a piece of nobody": ("INSERT INTO c_pieces SELECT 64 * 99, data, 1, NULL FROM c_pieces WHERE part = 193", "pieces of no vector", True),
        "pieces of nobody at the ends": ("INSERT INTO c_pieces SELECT 9223372036854775807, data, 1, NULL FROM c_pieces WHERE part = 193"
                                         " UNION ALL SELECT -9223372036854775808, data, 1, NULL FROM c_pieces WHERE part = 193", "pieces of no vector", True),
        "another partition": ("UPDATE c_pieces SET partition = 99 WHERE part = 192", "know their row wrong", None),
        "no partition": ("UPDATE c_pieces SET partition = NULL WHERE part = 192", "know their row wrong", None),
        "a partition that is none": ("UPDATE c_pieces SET partition = 'x' WHERE part = 192", "know their row wrong", None),
        "expired long ago": ("UPDATE c_pieces SET expires_at = 5 WHERE part = 192", "know their row wrong", None),
        "expires never": ("UPDATE c_pieces SET expires_at = 'never' WHERE part = 192", "know their row wrong", None),
        "a row of one piece": ("UPDATE c_rows SET pieces = 1 WHERE id = 3", "pieces", None),
        "a row of too many pieces": ("UPDATE c_rows SET pieces = 9223372036854775807 WHERE id = 3", "pieces", None),
        "a row of less than none": ("UPDATE c_rows SET pieces = -1 WHERE id = 3", "pieces", None),
        "a row of words": ("UPDATE c_rows SET pieces = 'two' WHERE id = 3", "pieces", None),
        "a row of half a piece": ("UPDATE c_rows SET pieces = 0.5 WHERE id = 3", "pieces", None),
        "a vector here and there": ("UPDATE c_rows SET embedding = (SELECT embedding FROM c WHERE rowid = 3) WHERE id = 3", "pieces", True),
        "another vector here": ("UPDATE c_rows SET embedding = x'00' WHERE id = 3", "vectors", None),
        "a row that says it has none": ("UPDATE c_rows SET pieces = NULL WHERE id = 3", "pieces of no vector", None),
        "a row that is gone": ("DELETE FROM c_rows WHERE id = 3", "pieces of no vector", None),
        "a row with another's id": ("UPDATE c_rows SET id = 99 WHERE id = 3", "pieces", None),
        "all rows of a large id": ("UPDATE c_rows SET id = 9223372036854775807 WHERE id = 3", "pieces", None),
    }

    def test_each(self):
        for name, (sql, said, is_kept) in self.CASES.items():
            with self.subTest(name):
                path = f"{self.tmp.name}/{name.replace(' ', '_')}.db"
                db = self.open(path)
                make(db)
                for i in range(1, 6):
                    insert(db, i)
                db.execute(sql)
                db.close()
                db = self.open(path)
                report = integrity(db)
                if said:
                    self.assertIn(said, report or "nothing is wrong")
                try:
                    self.assertIn(found(db, 3), ([], [(3,)]))
                    self.assertIn(found(db, 4), ([], [(4,)]))
                except sqlite3.Error as e:
                    self.assertTrue("damaged" in str(e) and "rebuild" in str(e), str(e))
                    self.assertFalse(is_kept)
                self.assertEqual(value(db, "SELECT count(*) FROM c"), 4 if "gone" in name else 5)
                db.execute("INSERT INTO c(c) VALUES ('rebuild')")
                self.assertIsNone(integrity(db))
                for d in (db, self.open(path)):
                    for i in (1, 2, 4, 5):
                        self.assertEqual(found(d, i), [(i,)])
                    if is_kept is not None:
                        self.assertEqual(found(d, 3), [(3,)] if is_kept else [])
                insert(db, 6)
                db.execute("DELETE FROM c WHERE response = 3")
                self.assertEqual((found(db, 6), found(db, 3), integrity(db)), ([(6,)], [], None))

    def test_each_under_the_sanitizers(self):
        uses = ["SELECT * FROM c WHERE query MATCH (SELECT v FROM given)", "SELECT * FROM c WHERE query MATCH (SELECT v FROM given) AND k = 5 AND threshold = -1",
                "SELECT * FROM c WHERE query MATCH (SELECT v FROM given) AND tag = 'x'", "SELECT sum(length(embedding)) FROM c",
                "SELECT embedding FROM c WHERE rowid = 3", "UPDATE c SET tag = 'x' WHERE rowid = 3", "UPDATE c SET embedding = (SELECT v FROM given) WHERE rowid = 3",
                "INSERT INTO c(embedding, response) SELECT v, 7 FROM given", "INSERT INTO c(c) VALUES ('integrity-check')", "INSERT INTO c(c) VALUES ('max_entries=4')",
                "INSERT INTO c(embedding, response) SELECT v, 8 FROM given", "DELETE FROM c WHERE rowid = 3", "INSERT INTO c(c) VALUES ('rebuild')",
                "SELECT * FROM c WHERE query MATCH (SELECT v FROM given)", "DROP TABLE c"]
        body = ("from test_semantic_pieces import Damage, insert, make, vector\n"
                "make(db)\nfor i in range(1, 6): insert(db, i)\ndb.execute('CREATE TABLE given(v)')\ndb.execute('INSERT INTO given VALUES (?)', (vector(3),))\n"
                "start = db.serialize()\nn = 0\n"
                "for sql, _, _ in Damage.CASES.values():\n"
                f"    for first in range({len(uses)}):\n"
                "        db = connect(':memory:', so=ASAN_SO)\n        db.deserialize(start)\n        db.execute(sql)\n"
                f"        for use in {uses!r}[first:]:\n"
                "            try: db.execute(use).fetchall()\n"
                "            except sqlite3.Error as e: assert 'memory' not in str(e), (sql, use, str(e))\n"
                "        db.close()\n        n += 1\n"
                "print(n)\n")
        self.assertEqual(int(sanitized(self.path, body).split()[-1]), len(self.CASES) * len(uses))

    def test_the_dimension_is_no_number(self):
        db = self.filled(2)
        db.execute("UPDATE c_meta SET value = 'x' WHERE name = 'dim'")
        self.assertIn("dim", error_of(self.reopened(), "SELECT embedding FROM c"))
        for bad in ("1", "16385", "-384", "9e9", "NULL"):
            db.execute(f"UPDATE c_meta SET value = {bad} WHERE name = 'dim'")
            self.assertIn("damaged", error_of(self.reopened(), "SELECT embedding FROM c"))

    def test_the_table_is_gone_or_another(self):
        for sql in ("DROP TABLE c_pieces", "DROP TABLE c_pieces; CREATE VIEW c_pieces AS SELECT 1 AS part, 2 AS data, 3 AS partition, 4 AS expires_at",
                    "DROP TABLE c_pieces; CREATE TABLE c_pieces(part INTEGER PRIMARY KEY, data)",
                    "CREATE TRIGGER t AFTER INSERT ON c_pieces BEGIN SELECT 1; END"):
            with self.subTest(sql):
                db = self.open(f"{self.tmp.name}/{abs(hash(sql))}.db")
                make(db)
                insert(db, 1)
                db.executescript(sql)
                for use in ("SELECT * FROM c", "DELETE FROM c", "INSERT INTO c(c) VALUES ('rebuild')"):
                    self.assertIn("c_pieces", error_of(db, use))
                db.execute("DROP TABLE c")
                self.assertEqual(value(db, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'c\\_%' ESCAPE '\\'"), 0)


if __name__ == "__main__":
    unittest.main()
