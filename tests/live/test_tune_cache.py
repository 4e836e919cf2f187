"""examples/tune_cache.sql: its data are what it says, its figures those of the outcomes, and what it advises keeps the bound.

What cosines come to is the embedder's and not judged to the last question. What holds whatever they are: no trap is
served while the guard is on, what is advised is the best of what the tables show, and intervals are Wilson's.
"""
import collections
import math
import os
import re
import sqlite3
import unittest

from harness import ROOT, SO, TempDir, clean_env, shell

MINILM = os.environ.get("LLMCOST_MINILM", f"{ROOT}/minilm.bin")
NOWHERE = "/nowhere/minilm.bin"
TRAPS = ("Rome to Oslo", "Vienna to Paris", "to the gift card", "francs to euros", "Milan to Bern", "5 parcels", "12 instalments", "4 years",
         "100 lamps", "40 kg", "can't be dimmed", "not accepted", "after the due date", "without a plug", "can't open")


def tables(out):
    """The boxes of an output, by the number in front of them: rows as dicts."""
    found, title, names = collections.defaultdict(list), "", None
    for line in out.splitlines():
        if re.match(r"\d\. |The nearest ", line):
            title, names = line.split(" ")[0], None
        elif line.startswith("│"):
            cells = [c.strip() for c in line.strip("│").split("│")]
            if names:
                found[title].append(dict(zip(names, cells)))
            names = names or cells
    return found


def wilson(k, n):
    p, z = k / n, 1.96
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return [100 * (middle + sign * half) / (1 + z * z / n) for sign in (-1, 1)]


class TuneCache(unittest.TestCase):
    def run_it(self, minilm=NOWHERE, percent="3.0", before=""):
        with open(f"{ROOT}/examples/tune_cache.sql") as f:
            text = f.read()
        self.assertEqual(text.count("SELECT 3.0 AS percent_wrong"), 1)
        text = text.replace("SELECT 3.0 AS percent_wrong", f"SELECT {percent} AS percent_wrong")
        with TempDir() as folder:
            path = os.path.join(folder, "faq.db")
            out = shell(path, f".load {SO}\n{before}\n{text}", env=clean_env(LLMCOST_MINILM=minilm))
            self.assertEqual(out.stderr, "")
            db = sqlite3.connect(path)
            self.faq = db.execute("SELECT question, answer FROM faq").fetchall()
            self.asked = db.execute("SELECT text, want FROM asked").fetchall()
            self.assertEqual({x for x, in db.execute("SELECT name FROM sqlite_schema")}, {"faq", "asked"})  # nothing else stays
            db.close()
        self.seen = tables(out.stdout)
        self.shares = {row["policy"]: row for row in self.seen["1."]}
        self.advised = {row["bound_kept"]: row for row in self.seen["4."]}

    def right(self, policy):
        return int(self.shares[policy]["served"]) - int(self.shares[policy]["wrong"])

    def check(self, percent):
        """What holds with any embedder."""
        for policy, row in self.shares.items():
            served, wrong = int(row["served"]), int(row["wrong"])
            with self.subTest(policy=policy):
                self.assertAlmostEqual(float(row["served_percent"]), served / 2, 1)
                for got, expected in zip(row["wrong_95"].split(" to "), wilson(wrong, served)):
                    self.assertAlmostEqual(float(got), max(0, expected), delta=0.051)
                self.assertAlmostEqual(float(row["wrong_percent"]), 100 * wrong / served, delta=0.051)
        self.assertEqual(self.shares["default"]["wrong"], "0")
        self.assertEqual(sum(int(row["questions"]) for row in self.seen["2."]), int(self.shares["default"]["missed"]))
        self.assertEqual(self.right("default") + int(self.shares["default"]["missed"]), 170)
        counts = collections.Counter()
        for row in self.seen["3."]:
            policies = row["policies"].split("; ")
            counts.update(policies)
            if any(trap in row["text"] for trap in TRAPS):
                self.assertTrue(all("guard off" in p for p in policies), row)
                self.assertEqual(row["want"], "")
            self.assertNotEqual(row["got"], row["want"])
        self.assertEqual(counts, {p.replace("threshold ", ""): int(row["wrong"]) for p, row in self.shares.items() if row["wrong"] != "0"})
        kept = [p for p, row in self.shares.items() if 100 * int(row["wrong"]) <= percent * int(row["served"])]
        self.assertEqual(int(self.advised["as measured"]["right"]), max(map(self.right, kept)))

    def test_as_shipped(self):
        self.run_it()
        self.assertEqual((len(self.faq), len({q for q, _ in self.faq})), (500, 500))
        self.assertEqual((len(self.asked), len({t for t, _ in self.asked}), sum(w is None for _, w in self.asked)), (200, 200, 30))
        wordings = collections.Counter(a for _, a in self.faq)
        self.assertGreater(sum(n == 1 for n in wordings.values()), 30)
        self.assertGreater(max(wordings.values()), 8)
        self.assertEqual({w for _, w in self.asked if w} - set(wordings), set())
        self.assertFalse({t for t, _ in self.asked} & {q for q, _ in self.faq})
        self.assertEqual(sum(any(trap in t for trap in TRAPS) and w is None for t, w in self.asked), 15)
        self.check(3)
        self.assertGreater(int(self.shares["default, guard off"]["wrong"]), 5)  # what the guard is for
        faultless = [p for p, row in self.shares.items() if row["wrong"] == "0" and p.startswith("threshold")]
        self.assertGreater(self.right("default"), max(map(self.right, faultless)))
        self.assertRegex(self.advised["as measured"]["policy"], r"^threshold 0\.8\d?$")
        limit = self.advised["as measured"]["policy"].split()[1]
        self.assertEqual((self.advised["as measured"]["for_a_table_of_yours"], self.advised["as measured"]["or_for_calls"]),
                         (f"INSERT INTO mine(mine) VALUES ('threshold={limit}');", f'{{"cache":"semantic","threshold":{limit}}}'))
        self.assertEqual(self.advised["by the interval"]["policy"], "(none: ask more questions)")

    def test_a_stricter_bound(self):
        self.run_it(percent="0.5")
        self.check(0.5)
        self.assertEqual(self.advised["as measured"]["policy"], "default")
        self.assertEqual(self.advised["as measured"]["or_for_calls"], '{"cache":"semantic"}')
        self.run_it(percent="10.0")
        self.assertNotEqual(self.advised["by the interval"]["policy"], "(none: ask more questions)")

    @unittest.skipUnless(os.path.exists(MINILM), "minilm.bin is not here (make minilm)")
    def test_with_minilm(self):
        self.run_it(minilm=MINILM)
        self.check(3)
        self.assertEqual(self.advised["as measured"]["policy"], "default")

    def test_tables_of_ones_own(self):
        self.run_it(before="""CREATE TABLE faq(question TEXT, answer TEXT); CREATE TABLE asked(text TEXT, want TEXT);
            INSERT INTO faq VALUES ('What is your return policy?', '30 days.'), ('Do you ship to Norway?', 'Yes.');
            INSERT INTO asked VALUES ('what is your return policy', '30 days.'), ('Where is my parcel?', NULL), ('Is Bergen within your reach?', 'Yes.');""")
        self.assertEqual((len(self.faq), len(self.asked)), (2, 3))
        row = self.shares["threshold 0.8"]
        self.assertEqual((row["served"], row["served_percent"], row["wrong"], row["missed"]), ("1", "33.3", "0", "1"))
        self.assertEqual(self.seen["3."], [])

    def test_only_one_filled(self):
        """A FAQ of one's own is not asked about our lamps."""
        self.run_it(before="CREATE TABLE faq(question TEXT, answer TEXT); INSERT INTO faq VALUES ('Who are you?', 'We.');")
        self.assertEqual((len(self.faq), self.asked), (1, []))
        self.assertEqual(self.seen["1."], [])


if __name__ == "__main__":
    unittest.main()
