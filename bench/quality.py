#!/usr/bin/python3
"""Right and wrong hits of cache policies on labelled questions, in one run: `make bench-quality` or
/usr/bin/python3 bench/quality.py [banking77 clinc150 repeating prose two_labels default_answers poisoned qqp ...]; N: questions of a stream;
SHUFFLES: orders it is run in; BEFORE: another build of llmcost.so, whose default is shown beside ours.

Protocol. Streams (bench/streams.py): N questions in an order of the seed, the cache empty at first, one pass; a miss is answered
and inserted. Shares are those of all shuffles together, with 95 % Wilson intervals of the questions of one (shuffles hold the same
questions). QQP: for labelled pairs, insert one question, ask the other: hits among duplicates are right, hits among the rest false.

Policies. exact, normalised: text equality. static t: cosine of the static embedder. GPTCache: its rule 4 - |x - y|^2 >= 4
theta on the same vectors (cosine >= 2 theta - 1). per-entry: vCache's policy (one threshold per entry, explore below it, a
question that was explored is inserted only if its answer differs). naive agreement: the same rule as ours with every neighbour a vote, and nothing learned of answers.
ours: the semantic_cache table itself, through SQL.
"""
import json
import math
import os
import random
import sqlite3
import sys
import time

import streams
from streams import DATA, ROOT

N = int(os.environ.get("N", 5000))
SHUFFLES = int(os.environ.get("SHUFFLES", 3))
BEFORE = os.environ.get("BEFORE")


def connect(so=os.path.join(ROOT, "llmcost.so")):
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.enable_load_extension(True)
    db.load_extension(so)
    return db


def wilson(k, n):
    if not n:
        return 0.0, 1.0
    z, p = 1.96, k / n
    mid, half = p + z * z / 2 / n, z * math.sqrt(p * (1 - p) / n + z * z / 4 / n / n)
    return max(0, (mid - half) / (1 + z * z / n)), min(1, (mid + half) / (1 + z * z / n))


def row(name, hits, false, n, note="", late=""):
    """Of all shuffles; the intervals are those of one."""
    lo, hi = wilson(hits / SHUFFLES, n / SHUFFLES)
    bad_lo, bad_hi = wilson(false / SHUFFLES, hits / SHUFFLES)
    share = false / hits if hits else 0
    print(f"| {name} | {hits / n:.1%} ({lo:.1%}–{hi:.1%}) | {share:.1%} ({bad_lo:.1%}–{bad_hi:.1%}) | {late} | {note} |", flush=True)


def head(title):
    print(f"\n**{title}**\n\n| policy | served (95 %) | of these wrong (95 %) | second half: served, wrong | |\n|---|---|---|---|---|")


class Texts:
    """Equality of texts, or of their normal forms."""

    def __init__(self, normal):
        self.db, self.normal, self.known = connect(), normal, {}

    def key(self, q):
        return self.db.execute("SELECT llm_normalize(?)", (q,)).fetchone()[0] if self.normal else q

    def ask(self, q):
        return self.known.get(self.key(q))

    def insert(self, q, answer):
        self.known[self.key(q)] = answer


class Table:
    """The semantic_cache table."""

    def __init__(self, args, so=None):
        self.db = connect(so) if so else connect()
        self.db.execute(f"CREATE VIRTUAL TABLE c USING semantic_cache({args})")

    def ask(self, q):
        found = self.db.execute("SELECT response FROM c WHERE query MATCH ?", (q,)).fetchone()
        return found and found[0]

    def insert(self, q, answer):
        self.db.execute("INSERT INTO c(query, response) VALUES (?, ?)", (q, answer))


def phi_inverse(p):
    """Quantile of the normal distribution, by bisection on erf."""
    lo, hi = -9.0, 9.0
    for _ in range(60):
        mid = (lo + hi) / 2
        lo, hi = (mid, hi) if 0.5 * (1 + math.erf(mid / math.sqrt(2))) < p else (lo, mid)
    return lo


VARIANCE = dict(zip(range(6, 49), (
    .035445, .028285, .026436, .021349, .019371, .012615, .011433, .010228, .009963, .009253, .011674, .013015, .010897,
    .011841, .013081, .010585, .014255, .012058, .013002, .011715, .00839, .008839, .010628, .009899, .008033, .00457,
    .007335, .008932, .00729, .007445, .00761, .011423, .011233, .006783, .005233, .00872, .010005, .01199, .00977, .01891,
    .01513, .02109, .01531)))
EPSILONS = [1e-6 + (1 - 2e-6) * i / 49 for i in range(50)]
QUANTILES = [phi_inverse(1 - e) for e in EPSILONS]


def sigmoid(z):
    return 1 / (1 + math.exp(-max(-700, min(700, z))))


def fit(obs):
    """Logistic regression of c on s: slope and the point of even chance, with its variance."""
    b0, b1 = 0.0, 1.0
    h00 = h01 = h11 = 0
    for _ in range(50):
        g0 = g1 = h00 = h01 = h11 = 0.0
        for s, c in obs:
            p = sigmoid(b0 + b1 * s)
            w = p * (1 - p)
            g0, g1 = g0 + c - p, g1 + (c - p) * s
            h00, h01, h11 = h00 + w, h01 + w * s, h11 + w * s * s
        det = h00 * h11 - h01 * h01
        if det < 1e-12:
            break
        d0, d1 = (h11 * g0 - h01 * g1) / det, (h00 * g1 - h01 * g0) / det
        scale = min(1, 5 / max(abs(d0), abs(d1), 1e-9))
        b0, b1 = b0 + scale * d0, b1 + scale * d1
        if abs(b1) > 1000 or max(abs(d0), abs(d1)) < 1e-8:
            break
    slope = max(b1, 1e-6)
    middle = min(1, max(0, -b0 / slope))
    ones, zeros = [s for s, c in obs if c], [s for s, c in obs if not c]
    if min(ones) > max(zeros):
        return slope, middle, VARIANCE[min(48, len(obs))]
    det = h00 * h11 - h01 * h01
    if det < 1e-12:
        return None
    g = (-1 / slope, b0 / slope ** 2)
    return slope, middle, max(0, (g[0] * g[0] * h11 - 2 * g[0] * g[1] * h01 + g[1] * g[1] * h00) / det)


class PerEntry:
    """One threshold per entry, from the formulas of vCache (Schroeder et al. 2025)."""

    def __init__(self, delta, seed=1):
        self.db = connect()
        self.db.execute("CREATE VIRTUAL TABLE c USING semantic_cache(guard='off', confirm='off')")
        self.delta, self.rng = delta, random.Random(seed)
        self.obs, self.fits, self.explored = {}, {}, None

    def ask(self, q):
        self.explored = None
        found = self.db.execute("SELECT rowid, response, similarity FROM c WHERE query MATCH ? AND verify = 0", (q,)).fetchone()
        if not found:
            return None
        entry, answer, s = found
        if self.chance_to_explore(entry, min(s, 1)) < self.rng.random():
            return answer
        self.explored = (entry, round(s, 3), answer)
        return None

    def chance_to_explore(self, entry, s):
        obs = self.obs.setdefault(entry, [(0.0, 0), (1.0, 1)])
        if len(obs) < 6:
            return 1
        if entry not in self.fits:
            self.fits[entry] = fit(obs)
        if not self.fits[entry]:
            return 1
        slope, middle, variance = self.fits[entry]
        best = 1.0
        for e, z in zip(EPSILONS, QUANTILES):
            t = min(1, max(0, middle + z * math.sqrt(variance)))
            a = (1 - e) * sigmoid(slope * (s - t))
            if a < 1:
                best = min(best, 1 - self.delta / (1 - a))
            else:
                best = min(best, 0)
        return best

    def insert(self, q, answer):
        if self.explored:
            entry, s, known = self.explored
            self.obs[entry].append((s, int(known == answer)))
            self.fits.pop(entry, None)
            if known == answer:
                return
        self.db.execute("INSERT INTO c(query, response) VALUES (?, ?)", (q, answer))


class Naive:
    """Agreement without what keeps it honest: each of the eight nearest is a vote, and nothing is learned of answers."""

    def __init__(self):
        self.db = connect()
        self.db.execute("CREATE VIRTUAL TABLE c USING semantic_cache(guard='off', confirm='off')")

    def ask(self, q):
        near = self.db.execute("SELECT response, similarity FROM c WHERE query MATCH ? AND verify = 0 AND k = 8", (q,)).fetchall()
        if not near or near[0][1] < 0.66:
            return None
        answer, cosine = near[0]
        other = max((s for r, s in near if r != answer), default=cosine - 0.3)
        score = 20 * cosine - 18 + 15 * min(0.3, cosine - other) + 3 * math.log(sum(r == answer for r, _ in near))
        return answer if score >= 4.75 else None

    def insert(self, q, answer):
        self.db.execute("INSERT INTO c(query, response) VALUES (?, ?)", (q, answer))


def stream(name, make, orders):
    hits = false = late_hits = late_false = n = 0
    start = time.process_time()
    for rows in orders:
        policy = make()
        for i, (q, answer, right) in enumerate(rows):
            got = policy.ask(q)
            if got is None:
                policy.insert(q, answer)
                continue
            wrong = not streams.is_right(got, right)
            hits += 1
            false += wrong
            if 2 * i >= len(rows):
                late_hits += 1
                late_false += wrong
        n += len(rows)
    spent = (time.process_time() - start) / n * 1e6
    row(name, hits, false, n, f"{spent:,.0f} µs", f"{2 * late_hits / n:.1%}, {late_false / max(1, late_hits):.1%}")
    return hits / n, false / max(1, hits)


def has_minilm():
    try:
        connect().execute("SELECT embed('x', 'minilm')").fetchone()
        return True
    except sqlite3.Error:
        return False


STATIC = (0.70, 0.75, 0.80, 0.84, 0.86, 0.87, 0.88, 0.89, 0.90, 0.91, 0.92, 0.94, 0.96, 0.98)


def table(args, so=None):
    return lambda: Table(args, so)


def ours(orders, adaptive):
    """The default, as it was and as it is, without MiniLM and with it."""
    for label, confirm in [("", ", confirm='off'")] + ([(" + MiniLM", "")] if has_minilm() else []):
        if BEFORE:
            stream(f"default before{label}", table("embedder='static'" + confirm, BEFORE), orders)
        stream(f"**ours, default{label}**", table("embedder='static'" + confirm), orders)
        for share in (0.01, 0.02, 0.05) if adaptive else ():
            stream(f"ours, max_false_hits={share}{label}", table(f"max_false_hits={share}, seed=1{confirm}"), orders)


def peers(orders):
    stream("exact", lambda: Texts(False), orders)
    stream("normalised", lambda: Texts(True), orders)
    for t in STATIC:
        stream(f"static {t:.2f}", table(f"threshold={t}, guard='off', confirm='off'"), orders)
    for t in (0.88, 0.92):
        stream(f"static {t:.2f} + guard", table(f"threshold={t}, confirm='off'"), orders)
    for theta in (0.8, 0.9, 0.95):
        stream(f"GPTCache {theta}", table(f"threshold={2 * theta - 1:.2f}, guard='off', confirm='off'"), orders)
    for delta in (0.01, 0.02, 0.05):
        stream(f"per-entry {delta}", lambda: PerEntry(delta), orders)


def run(kind, sets):
    for name in sets:
        orders = [getattr(streams, kind)(name, N, seed + 1) for seed in range(SHUFFLES)]
        head(f"{name}, {kind.replace('_', ' ')}, {len(orders[0])} questions in {SHUFFLES} orders")
        if kind in ("repeating", "prose"):
            peers(orders)
        elif kind != "two_labels":
            stream("naive agreement", Naive, orders)
        ours(orders, kind == "repeating")


def qqp():
    with open(f"{DATA}/qqp/tune_pairs.jsonl") as f:
        pairs = [json.loads(x) for x in f]
    random.Random(99).shuffle(pairs)
    pairs = pairs[:min(6000, N)]
    both = [sum(p["duplicate"] for p in pairs), sum(not p["duplicate"] for p in pairs)]
    print(f"\n**QQP pairs, {len(pairs)} ({both[0]} duplicates)**\n\n| policy | hits among duplicates | hits among the rest | precision (95 %) |"
          " rest vetoed by the guard | duplicates vetoed |\n|---|---|---|---|---|---|")
    confirms = [("", ", confirm='off'")] + ([(" + MiniLM", "")] if has_minilm() else [])
    for label, confirm in confirms:
        for t in (0.80, 0.85, 0.88, 0.92, 0.95) if not label else (None,):
            seen = {}
            for guard in ("off", "on"):
                args = (f"threshold={t}, " if t else "") + f"guard='{guard}'{confirm}"
                db = connect()
                db.execute(f"CREATE VIRTUAL TABLE c USING semantic_cache({args})")
                hits = [0, 0]
                for i, p in enumerate(pairs):
                    prompt = f"p{i}"
                    db.execute("INSERT INTO c(system_prompt, query, response) VALUES (?, ?, 1)", (prompt, p["a"]))
                    found = db.execute("SELECT 1 FROM c WHERE query MATCH ? AND system_prompt = ?", (p["b"], prompt)).fetchone()
                    hits[not p["duplicate"]] += found is not None
                seen[guard] = hits
                lo, hi = wilson(hits[0], sum(hits))
                veto = ""
                if guard == "on":
                    off = seen["off"]
                    veto = f"{1 - hits[1] / max(1, off[1]):.0%} | {1 - hits[0] / max(1, off[0]):.0%}"
                print(f"| static {t or ''}{label}, guard {guard} | {hits[0] / both[0]:.1%} | {hits[1] / both[1]:.1%} |"
                      f" {hits[0] / max(1, sum(hits)):.1%} ({lo:.1%}–{hi:.1%}) | {veto or ' | '} |", flush=True)


KINDS = ("repeating", "prose", "two_labels", "default_answers", "poisoned")

if __name__ == "__main__":
    if not os.path.isdir(DATA):
        print("quality: no ../shared/data here: skipped")
        sys.exit(0)
    asked = sys.argv[1:]
    sets = [x for x in streams.SETS if x in asked] or list(streams.SETS)
    print(f"MiniLM {'confirms' if has_minilm() else 'is not here (make minilm): its rows are left out'}.")
    for kind in [x for x in KINDS if x in asked] or (() if "qqp" in asked else KINDS):
        run(kind, sets)
    if "qqp" in asked or not asked:
        qqp()
