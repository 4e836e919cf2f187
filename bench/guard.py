#!/usr/bin/python3
"""The guard measured on labelled pairs: what it vetoes of pairs a cache would take for the same.

Usage: bench/guard.py [DATA [ROWS]]      (DATA: a folder with qqp/ and banking77/; default ../shared/data;
ROWS: only so many of each)

Pairs of questions whose cosine (the compiled-in embedder) is high: those labelled as duplicates, whose
veto costs a hit, and those labelled as different, whose veto saves a wrong answer. The halves of QQP are
split by a hash of the pair; the rules and their word lists were tuned on the first only. Needs
build/bench_guard (bench/guard.c; make test builds it). Data that is missing is skipped by name.
"""
import csv
import hashlib
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAM = os.path.join(ROOT, "build", "bench_guard")
ROWS = int(sys.argv[2]) if len(sys.argv) > 2 else None
COSINES = (0.88, 0.92, 0.95)


def judged(lines, *args):
    """The program's verdicts on the lines, [cosine, bits, same, us, peer] each, and the names of the rules."""
    text = "".join(line + "\n" for line in lines)
    out = subprocess.run([PROGRAM, *args], input=text.encode(), stdout=subprocess.PIPE, check=True)
    verdicts, rules = [], []
    for line in out.stdout.decode().split("\n"):
        fields = line.split()
        if fields and fields[0] == "rule":
            rules.append(fields[1])
        elif fields:
            verdicts.append([float(fields[0]), int(fields[1]), int(fields[2]), float(fields[3]), int(fields[4])])
    return verdicts, rules


def flat(text):
    return " ".join(text.split())


def table(title, pairs, rules, names):
    """Prints who vetoes how many; pairs are [cosine, bits, same, us]."""
    print(f"\n{title}")
    print("  %-11s" % "rule" + "".join(f"|  >= {c}: {names[0]:>9} {names[1]:>9} " for c in COSINES) +
          "| alone at 0.92")
    groups = [[[p for p in pairs if p[0] >= c and p[2] == same] for same in (0, 1)] for c in COSINES]
    for i, rule in enumerate(rules + ["all"]):
        mask = 1 << i if i < len(rules) else -1
        cells = ""
        for both in groups:
            cells += "|  "
            for side in both:
                n = sum(1 for p in side if p[1] & mask)
                cells += "%5d %5.1f%%" % (n, 100 * n / max(1, len(side)))
            cells += "  "
        alone = [sum(1 for p in side if p[1] == mask) for side in groups[1]]
        print("  %-11s" % rule + cells + ("|  %d, %d" % tuple(alone) if mask > 0 else "|"))
    print("  %-11s" % "of" + "".join("|  %11d %10d   " % tuple(map(len, both)) for both in groups) + "|")


def beside_peer(half, rules):
    """The score of "content" beside the rule of yes and no that it replaced, all other rules the same: the share of
    pairs that are vetoed, of those labelled as different (a wrong answer saved) and as duplicates (a hit lost)."""
    content = 1 << rules.index("content")
    print("\n  of pairs from a cosine on: vetoed by the score | by the rule before it | by other rules")
    for least in (0.80, 0.85, 0.88, 0.92, 0.95):
        cells = ""
        for vetoes in (lambda v: v[1], lambda v: v[1] & ~content or v[4], lambda v: v[1] & ~content):
            cells += " |"
            for same, name in ((0, "different"), (1, "duplicate")):
                side = [v for v in half if v[0] >= least and v[2] == same]
                cells += " %4.1f%% %s" % (100 * sum(1 for v in side if vetoes(v)) / max(1, len(side)), name)
        alone = [sum(1 for v in half if v[0] >= least and v[2] and not v[1] & ~content and v[i] & m)
                 for i, m in ((1, content), (4, 1))]
        print("  >= %.2f%s | duplicates by it alone: %d / %d = %.2f" % (least, cells, *alone, alone[0] / max(1, alone[1])))


def measure_qqp(path):
    with open(path, encoding="utf-8") as f:
        rows = [json.loads(line) for line in f][:ROWS]
    verdicts, rules = judged([flat(r["a"]) + "\t" + flat(r["b"]) for r in rows])
    halves = ([], [])
    for row, verdict in zip(rows, verdicts):
        key = "\n".join(sorted((row["a"], row["b"])))
        verdict[2] = row["duplicate"]
        halves[hashlib.sha256(key.encode()).digest()[0] & 1].append(verdict)
    for title, half in zip(("QQP, the half tuned on", "QQP, the half held out"), halves):
        table(title, half, rules, ("different", "duplicate"))
        beside_peer(half, rules)
    times = sorted(v[3] for v in verdicts)
    words = sum(len(r["a"].split()) + len(r["b"].split()) for r in rows) / 2 / len(rows)
    print(f"\n  guard_veto on {len(times)} pairs of {words:.0f} words: median {times[len(times) // 2]:.1f} us,"
          f" 99th percentile {times[len(times) * 99 // 100]:.1f} us")


def measure_banking(path):
    with open(path, encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f))[:ROWS]
    labels = sorted({r["category"] for r in rows})
    lines = ["%d\t%s" % (labels.index(r["category"]), flat(r["text"])) for r in rows]
    verdicts, rules = judged(lines, "all")
    table("banking77, all pairs (the same intent is not always the same answer)", verdicts, rules,
          ("other", "same"))


def main():
    data = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "..", "shared", "data")
    for name, measure in (("qqp/tune_pairs.jsonl", measure_qqp), ("banking77/train.csv", measure_banking)):
        path = os.path.join(data, name)
        if not os.path.exists(path):
            print(f"skipped: {name} is not in {data}")
            continue
        measure(path)


main()
