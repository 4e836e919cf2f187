#!/usr/bin/python3
"""Many partitions: memory per entry, CPU time per lookup, and whether one ever answers for another.

    bench/partitions.py [PARTITIONS [STEPS [LOOKUPS]]]      (defaults: 100000 1000000 40000; SO names the llmcost.so)

1. PARTITIONS system prompts x 50 entries, embedder='none', dim=64 (vectors from a pool of normal deviates), written
   one entry of each partition after the other, so that a partition's rows lie far apart in the file. Then, on a new
   connection with SQLite's own 2 MB of page cache: the first lookup in each of LOADED partitions at random, which
   loads it, lookups in those, and lookups in one of them, by turns. BEFORE in the environment names an llmcost.so built
   earlier, which is measured the same way on a file of its own. Times are the thread's CPU time without Python's share, which is that of a SELECT
   that binds the same and does nothing.

2. STEPS random steps on two connections by turns - insert, lookup, delete, move, transactions kept and rolled back,
   eviction, close and reopen - over 20 partitions (system prompt and scope) that hold the same texts and vectors. The
   answer says which partition it was written for: every row of a lookup is checked.
"""
import array
import multiprocessing
import os
import random
import sqlite3
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SO = os.environ.get("SO", os.path.join(ROOT, "llmcost.so"))
EACH, DIM, LOADED, POOL = 50, 64, 20000, 1 << 20
LOOKUPS = int(sys.argv[3]) if len(sys.argv) > 3 else 40000
rng = random.Random(1)


def connect(path, so=SO):
    db = sqlite3.connect(path, isolation_level=None)
    db.enable_load_extension(True)
    db.load_extension(so)
    db.execute("PRAGMA journal_mode=WAL")
    return db


def resident():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def quantiles(ns, baseline=0):
    ns = sorted(ns)
    at = lambda share: (ns[int((len(ns) - 1) * share)] - baseline) / 1000
    return f"{at(0.5):.1f} | {at(0.99):.1f}"


# --- 1. memory and time


def make_pool():
    return array.array("f", (rng.gauss(0, 1) for _ in range(POOL)))


def vector(pool, partition, entry):
    at = (partition * EACH + entry) * 2654435761 % (POOL - DIM)
    return pool[at:at + DIM]


def near(v):
    return array.array("f", (x + rng.gauss(0, 0.1) for x in v))


def fill(path, so, pool, partitions):
    db = connect(path, so)
    db.execute("PRAGMA synchronous=NORMAL")
    db.execute("PRAGMA cache_size=-1000000")
    db.execute(f"CREATE VIRTUAL TABLE c USING semantic_cache(embedder='none', dim={DIM}, threshold=0.95)")
    cpu = time.thread_time()
    for entry in range(EACH):
        db.execute("BEGIN")
        db.executemany("INSERT INTO c(system_prompt, embedding, response) VALUES (?, ?, ?)",
                       ((f"p{p}", vector(pool, p, entry).tobytes(), f"p{p}") for p in range(partitions)))
        db.execute("COMMIT")
    cpu = time.thread_time() - cpu
    db.close()
    print(f"Import: {cpu / partitions / EACH * 1e6:.1f} µs of CPU per row, Python's part included; "
          f"{os.path.getsize(path) / partitions / EACH:.0f} bytes of file per entry.")


LOOKUP = "SELECT response FROM c WHERE query MATCH ? AND system_prompt = ?"
NOTHING = "SELECT 1 WHERE ? IS NOT NULL AND ? IS NOT NULL"


def timed(db, sql, questions):
    """Nanoseconds of each, and the answers."""
    times, answers = [], []
    for blob, prompt in questions:
        start = time.thread_time_ns()
        row = db.execute(sql, (blob, prompt)).fetchone()
        times.append(time.thread_time_ns() - start)
        answers.append(row[0] if row else None)
    return times, answers


def questions(pool, chosen, n, hit):
    for i in range(n):
        p = chosen[i] if i < len(chosen) and n == len(chosen) else rng.choice(chosen)
        v = near(vector(pool, p, rng.randrange(EACH))) if hit else [rng.gauss(0, 1) for _ in range(DIM)]
        yield array.array("f", v).tobytes(), f"p{p}"


def check(name, asked, answers, hit):
    wrong = sum(a is not None and a != q[1] for q, a in zip(asked, answers))
    found = sum(a is not None for a in answers)
    expected = len(asked) if hit else 0
    print(f"({name}: {found} of {expected} expected answers, {wrong} of another partition)")


TURN = 2000  # lookups


def by_turns(db, asked):
    """The times and answers of lists of questions, some of each list by turns."""
    results = {name: ([], []) for name in asked}
    for at in range(0, LOOKUPS, TURN):
        for name, questions in asked.items():
            for all_of, some in zip(results[name], timed(db, LOOKUP, questions[at:at + TURN])):
                all_of += some
    return results


def measure(path, so, pool, partitions):
    db = connect(path, so)
    chosen = rng.sample(range(partitions), min(LOADED, partitions))
    db.execute(LOOKUP, (bytes(DIM * 4 - 4) + b"\0\0\x80\x3f", "nobody")).fetchall()
    asked = {"first, loads the partition": list(questions(pool, chosen, len(chosen), True)),
             "hit": list(questions(pool, chosen, LOOKUPS, True)),
             "miss": list(questions(pool, chosen, LOOKUPS, False)),
             "hit, all in one partition": list(questions(pool, chosen[:1], LOOKUPS, True)),
             "miss, all in one partition": list(questions(pool, chosen[:1], LOOKUPS, False))}
    baseline, _ = timed(db, NOTHING, asked["hit"])
    cost = sorted(baseline)[len(baseline) // 2]
    before, results = resident(), {}
    results["first, loads the partition"] = timed(db, LOOKUP, asked["first, loads the partition"])
    memory = (resident() - before) / len(chosen) / EACH
    results |= by_turns(db, {name: asked[name] for name in asked if name not in results})
    print(f"Memory: {memory:.0f} bytes per entry of {len(chosen):,} loaded partitions (vectors of {DIM}).")
    print(f"\n| lookup in a random partition of {partitions:,} | p50 µs | p99 µs |\n|---|---|---|")
    for name, (times, _) in results.items():
        print(f"| {name} | {quantiles(times, cost)} |")
    many, one = (sorted(results[name][0])[LOOKUPS // 2] - cost for name in ("hit", "hit, all in one partition"))
    print(f"\nLess {cost / 1000:.1f} µs of Python's own. A hit in {partitions:,} partitions takes {many / one:.2f} × one in one partition.")
    for name, (_, answers) in results.items():
        check(name, asked[name], answers, not name.startswith("miss"))
    db.close()


# --- 2. isolation

WORDS = ("return refund parcel invoice password account order delivery address card coupon size colour store "
         "battery screen manual warranty cable").split()
TEXTS = [f"how do i {verb} my {a} with the {b}" for verb in ("change", "find", "cancel")
         for a in WORDS for b in WORDS[:4]]
KEYS = [(prompt, scope) for prompt in (None, *(f"p{i}" for i in range(9))) for scope in (None, "u")]


class Steps:
    def __init__(self, path):
        self.path, self.dbs = path, [None, None]
        self.rows = self.foreign = self.writes = self.evicted = 0
        self.open(0)
        self.dbs[0].execute("CREATE VIRTUAL TABLE c USING semantic_cache(embedder='static', threshold=0.8, "
                            "max_entries=1500)")
        self.open(1)
        self.db = self.dbs[0]

    def open(self, i):
        if self.dbs[i]:
            self.dbs[i].close()
        self.dbs[i] = connect(self.path)
        self.dbs[i].execute("PRAGMA synchronous=OFF")

    def insert(self):
        prompt, scope = rng.choice(KEYS)
        self.db.execute("INSERT INTO c(system_prompt, scope, query, response, cost_nusd) VALUES (?, ?, ?, ?, ?)",
                        (prompt, scope, rng.choice(TEXTS), f"{prompt}/{scope}", rng.randrange(1000)))
        self.writes += 1

    def lookup(self):
        prompt, scope = rng.choice(KEYS)
        text = rng.choice(TEXTS)
        words = text.split()
        if rng.random() < 0.7:
            words[rng.randrange(len(words))] = rng.choice(WORDS)
            text = " ".join(words)
        question = self.embed(text) if rng.random() < 0.3 else text
        rows = self.db.execute("SELECT system_prompt, scope, response FROM c WHERE query MATCH ? AND system_prompt IS ?"
                               " AND scope IS ? AND k = ? AND verify = ?",
                               (question, prompt, scope, rng.choice((1, 1, 3)), rng.random() < 0.7)).fetchall()
        self.rows += len(rows)
        self.foreign += sum(row != (prompt, scope, f"{prompt}/{scope}") for row in rows)

    def embed(self, text):
        return self.db.execute("SELECT embed(?, 'static')", (text,)).fetchone()[0]

    def some_id(self):
        row = self.db.execute("SELECT id FROM c_rows WHERE id >= (abs(random()) % (SELECT max(id) + 1 FROM c_rows))"
                              " LIMIT 1").fetchone()
        return row[0] if row else None

    def delete(self):
        self.db.execute("DELETE FROM c WHERE rowid = ?", (self.some_id(),))
        self.writes += 1

    def delete_partition(self):
        self.db.execute("DELETE FROM c WHERE system_prompt IS ? AND scope IS ?", rng.choice(KEYS))
        self.writes += 1

    def move(self):
        prompt, scope = rng.choice(KEYS)
        self.db.execute("UPDATE c SET system_prompt = ?, scope = ?, response = ? WHERE rowid = ?",
                        (prompt, scope, f"{prompt}/{scope}", self.some_id()))
        self.writes += 1

    def transaction(self):
        if self.db.in_transaction:
            self.db.execute(rng.choice(("COMMIT", "ROLLBACK", "ROLLBACK TO s", "RELEASE s")))
        else:
            self.db.execute("BEGIN IMMEDIATE")
            self.db.execute("SAVEPOINT s")

    def turn(self):
        if not self.db.in_transaction:
            self.db = rng.choice(self.dbs)

    def reopen(self):
        keep = self.db.in_transaction
        for i, db in enumerate(self.dbs):
            if not (keep and db is self.db):
                self.open(i)
        self.db = self.db if keep else rng.choice(self.dbs)

    def run(self, n):
        names = ("insert", "lookup", "delete", "delete_partition", "move", "transaction", "turn", "reopen")
        shares = (25, 60, 6, 0.05, 3, 3, 2.9, 0.05)
        for name in rng.choices(names, shares, k=n):
            try:
                getattr(self, name)()
            except sqlite3.OperationalError as e:
                if "savepoint" not in str(e):
                    raise
        if self.db.in_transaction:
            self.db.execute("COMMIT")


def isolation(path, n):
    steps = Steps(path)
    start = time.time()
    steps.run(n)
    left = steps.db.execute("SELECT count(*) FROM c").fetchone()[0]
    steps.db.execute("INSERT INTO c(c) VALUES('integrity-check')")
    print(f"\n{n:,} random steps over {len(KEYS)} partitions with the same texts in {time.time() - start:.0f} s: "
          f"{steps.writes:,} writes, {left:,} entries at the end, {steps.rows:,} rows returned, "
          f"**{steps.foreign} of another partition**.")
    return steps.foreign


def main():
    partitions = int(sys.argv[1]) if len(sys.argv) > 1 else 100000
    n = int(sys.argv[2]) if len(sys.argv) > 2 else 1000000
    failed = 0
    with tempfile.TemporaryDirectory(prefix="llmcost-bench-", dir=os.environ.get("DIR")) as folder:
        if partitions:
            pool = make_pool()
            for name, so in (("The build", SO), ("The build before", os.environ.get("BEFORE"))):
                for work in (fill, measure) if so else ():  # in processes, whose heaps don't meet
                    print(f"{name}:" if work is fill else "", flush=True)
                    worker = multiprocessing.Process(target=work, args=(f"{folder}/{name}.db", so, pool, partitions))
                    worker.start()
                    worker.join()
                    failed += worker.exitcode != 0
        foreign = isolation(f"{folder}/steps.db", n)
    sys.exit(foreign > 0 or failed > 0)


if __name__ == "__main__":
    main()
