"""Texts embedded by a provider: ledgered, priced, batched, never paid twice; and as a table's embedder."""
import json
import struct
import unittest

from harness import Standin, TempDir, error_of, open_desk, value

MODEL = "text-embedding-3-small"


class Remote(unittest.TestCase):
    def setUp(self):
        self.tmp = TempDir()
        self.standin = Standin().__enter__()
        self.db = open_desk(self.tmp.name + "/desk.db", self.standin.url)
        self.db.execute("UPDATE llm_models SET supports = json_set(supports, '$.dimensions', 64) WHERE name = ?", (MODEL,))

    def tearDown(self):
        self.db.close()
        self.standin.__exit__()
        self.tmp.cleanup()

    def requests(self):
        return [e for e in self.standin.journal() if e["path"].endswith("/embeddings")]

    def test_one_text_is_paid_once_and_priced(self):
        first = value(self.db, "SELECT embed('reset my password', ?)", MODEL)
        self.assertEqual(value(self.db, "SELECT embed('reset my password', ?)", MODEL), first)
        self.assertEqual(len(first), 4 * 64)
        self.assertAlmostEqual(sum(x * x for x in struct.unpack("<64f", first)), 1, places=5)
        rows = self.db.execute("SELECT kind, model_requested, output_tokens, cost_nusd = 20 * input_tokens FROM llm_calls"
                               " ORDER BY id").fetchall()
        self.assertEqual(rows, [("embed", MODEL, 0, 1), ("hit_exact", MODEL, None, None)])
        self.assertEqual(len(self.requests()), 1)

    def test_a_batch_is_one_request_and_remembers_each_text(self):
        texts = [f"text number {i}" for i in range(300)]
        value(self.db, "SELECT embed(?, ?)", texts[5], MODEL)
        rows = self.db.execute("SELECT text, embedding FROM embed_batch(?, ?)", (json.dumps(texts), MODEL)).fetchall()
        self.assertEqual([t for t, _ in rows], texts)
        self.assertEqual(len(self.requests()), 1 + 3)
        for i in (0, 5, 150, 299):
            self.assertEqual(value(self.db, "SELECT embed(?, ?)", texts[i], MODEL), rows[i][1])
        self.db.execute("SELECT text FROM embed_batch(?, ?)", (json.dumps(texts[:50]), MODEL)).fetchall()
        self.assertEqual(len(self.requests()), 4)
        bill = self.standin.bill()
        self.assertEqual(value(self.db, "SELECT sum(cost_nusd) FROM llm_calls WHERE kind = 'embed'"), bill["total_nusd"])

    def test_a_text_that_comes_twice_is_sent_once(self):
        rows = self.db.execute("SELECT embedding FROM embed_batch('[\"same\",\"b\",\"same\",\"same\"]', ?)", (MODEL,)).fetchall()
        self.assertEqual((rows[0], rows[0]), (rows[2], rows[3]))
        self.assertNotEqual(rows[0], rows[1])
        self.assertEqual(value(self.db, "SELECT input_tokens FROM llm_calls"), 2)

    def test_a_vector_does_not_go_stale(self):
        self.db.execute("SELECT llm_config('ttl', '100ms')").fetchall()
        value(self.db, "SELECT embed('kept', ?)", MODEL)
        __import__("time").sleep(0.15)
        value(self.db, "SELECT embed('kept', ?)", MODEL)
        self.assertEqual(len(self.requests()), 1)

    def test_survives_rollback(self):
        self.db.execute("BEGIN")
        first = value(self.db, "SELECT embed('kept', ?)", MODEL)
        self.db.execute("ROLLBACK")
        self.assertEqual(value(self.db, "SELECT embed('kept', ?)", MODEL), first)
        self.assertEqual(len(self.requests()), 1)

    def test_as_the_embedder_of_a_table(self):
        self.db.execute(f"CREATE VIRTUAL TABLE c USING semantic_cache(embedder='{MODEL}', threshold=0.8)")
        self.db.execute("INSERT INTO c(query, response) VALUES ('how do I reset my password', 'so')")
        self.assertEqual(value(self.db, "SELECT response FROM c WHERE query MATCH 'how do I reset my password please'"), "so")
        self.assertEqual(value(self.db, "SELECT length(embedding) FROM c"), 256)
        n = len(self.requests())
        self.db.execute("INSERT INTO c(c) VALUES ('rebuild')")
        self.assertEqual(len(self.requests()), n)  # the vectors are remembered

    def test_a_table_with_a_remote_embedder_is_out_of_reach_of_views(self):
        self.db.execute(f"CREATE VIRTUAL TABLE c USING semantic_cache(embedder='{MODEL}')")
        self.db.execute("CREATE VIEW v AS SELECT * FROM c WHERE query MATCH 'x'")
        self.assertIn("unsafe use of virtual table", error_of(self.db, "SELECT * FROM v"))

    def test_errors(self):
        for sql, piece in (("SELECT embed('x', 'nope')", "nope"), ("SELECT embed('x', 'gpt-4o')", "no embedding model"),
                           ("SELECT embed('  ', '%s')" % MODEL, "empty or blank"), ("SELECT embed('x', NULL)", "NULL"),
                           ("SELECT * FROM embed_batch('[1]', '%s')" % MODEL, "no text"),
                           ("SELECT * FROM embed_batch('{}', '%s')" % MODEL, "JSON array"),
                           ("SELECT * FROM embed_batch('[]')", "expected (JSON array"),
                           ("SELECT embed('')", "no word"), ("CREATE VIRTUAL TABLE c USING semantic_cache(embedder='gpt-4o')", "unknown embedder")):
            self.assertIn(piece, error_of(self.db, sql))
        self.assertEqual(self.db.execute("SELECT * FROM embed_batch('[]', ?)", (MODEL,)).fetchall(), [])
        self.assertIsNone(value(self.db, "SELECT embed(NULL, ?)", MODEL))

    def test_a_failing_provider(self):
        self.standin.scenario("server-error-always")
        self.assertIn("500", error_of(self.db, "SELECT embed('x', ?)", MODEL))
        self.assertEqual(value(self.db, "SELECT sum(cost_nusd) FROM llm_calls"), 0)


class Batches(unittest.TestCase):
    def test_local_embedders_too(self):
        with TempDir() as tmp, Standin() as s:
            db = open_desk(tmp + "/d.db", s.url)
            rows = db.execute("SELECT text, embedding = embed(text) FROM embed_batch('[\"a house\",\"a tree\"]', 'static')").fetchall()
            self.assertEqual(rows, [("a house", 1), ("a tree", 1)])
            self.assertEqual(value(db, "SELECT typeof(embed('x')) || length(embed('x')) || (SELECT count(*) FROM llm_calls)"), "blob10240")
            db.close()


if __name__ == "__main__":
    unittest.main()
