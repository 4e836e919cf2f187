"""The normal form of texts: as it was where nothing is quoted, and what is kept apart now."""
import csv
import hashlib
import json
import os
import re
import unittest

from harness import SHARED, Standin, TempDir, connect, open_desk, value

# Texts in which nothing may be kept as it stands: no quotes, no code, no indentation.
MARKS = re.compile("[\"'`/\u201c\u201d\u201e\u00ab\u00bb]|\n[ \t]")
# What llm_normalize gave for those of the two sets before it kept anything, each with a NUL behind it.
BEFORE = "49d9841de9dcd3c12e7e9082e29da2fc2913b055dbdecfcffbeaabd73976e24a"
QQP = os.path.join(SHARED, "data", "qqp", "tune_pairs.jsonl")
BANKING = os.path.join(SHARED, "data", "banking77", "train.csv")

APART = [("Fix this Makefile:\nall:\n\tgcc -o a", "Fix this Makefile:\nall:\n    gcc -o a"),
         ("What does the regex /a  b/ match?", "What does the regex /a b/ match?"),
         ('Is "a  b" the same as "ab"?', 'Is "a b" the same as "ab"?'),
         ("Count the letters of 'cafe\u0301'", "Count the letters of 'caf\u00e9'"),
         ("Run this:\n```\nls  -l\n```", "Run this:\n```\nls -l\n```")]
SAME = [("How do I  reset it?", "How do I reset it? "), ("Is 'a b'  it?", "Is 'a b' it?"),
        ("caf\u00e9 or tea", "cafe\u0301 or tea"), ("a\r\nb", "a\nb")]


def texts():
    with open(QQP) as f:
        for line in f:
            pair = json.loads(line)
            yield pair["a"]
            yield pair["b"]
    with open(BANKING) as f:
        for row in csv.DictReader(f):
            yield row["text"]


class Normal(unittest.TestCase):
    @unittest.skipUnless(os.path.exists(QQP) and os.path.exists(BANKING), "needs ../shared/data/qqp and banking77")
    def test_what_nothing_marks_has_the_form_that_it_had(self):
        db, digest, n = connect(":memory:"), hashlib.sha256(), 0
        for text in texts():
            if not MARKS.search(text):
                digest.update(value(db, "SELECT llm_normalize(?)", text).encode() + b"\0")
                n += 1
        db.close()
        self.assertEqual(n, 55944)
        self.assertEqual(digest.hexdigest(), BEFORE)

    def test_what_is_one_question_and_what_is_two(self):
        with TempDir() as tmp, Standin() as standin:
            db = open_desk(tmp + "/desk.db", standin.url)
            for a, b in APART + SAME:
                value(db, "SELECT llm_complete(?)", a)
                value(db, "SELECT llm_complete(?)", b)
                kinds = [k for (k,) in db.execute("SELECT kind FROM llm_calls ORDER BY id DESC LIMIT 2")]
                self.assertEqual("hit_exact" in kinds, (a, b) in SAME, a)
            db.close()

    def test_a_semantic_cache_finds_what_older_versions_wrote(self):
        """They named texts by the plain form: it is still the hash, and the text itself decides."""
        db = connect(":memory:")
        db.execute("CREATE VIRTUAL TABLE c USING semantic_cache")
        for text, answer in (('Is "a  b" it?', "two"), ('Is "a b" it?', "one")):
            db.execute("INSERT INTO c(query, response) VALUES (?, ?)", (text, answer))
        self.assertEqual(value(db, "SELECT count(DISTINCT text_hash) FROM c_rows"), 1)
        for text, answer in (('Is "a  b" it?', "two"), ('Is "a b" it?', "one"), ('Is  "a  b" it?', "two")):
            self.assertEqual(value(db, "SELECT response FROM c WHERE query MATCH ?", text), answer)
        db.execute("INSERT INTO c(query, response) VALUES (?, ?)", ('Is  "a b" it?', "one again"))
        self.assertEqual([r for (r,) in db.execute("SELECT response FROM c ORDER BY rowid")], ["two", "one again"])
        db.close()


if __name__ == "__main__":
    unittest.main()
