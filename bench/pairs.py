#!/usr/bin/python3
"""What a semantic_cache serves of pairs of questions that are known to be the same, or not.

Usage: bench/pairs.py [--args 'threshold=0.9'] [--list] [--guard] [PAIRS]

PAIRS: a JSON line per pair with cached, asked, label (trap: another answer; harmless: the same), lang and
set; default ../shared/field/pairs.jsonl, skipped by name where it is missing. Through SQL: each pair's cached
text is inserted into a partition of its own of a semantic_cache table, and the other text is looked up there.
Once with the compiled-in embedder alone, once with MiniLM confirming (LLMCOST_MINILM, or minilm.bin beside the
library), each as the table's default and with what --args adds. --guard asks only the guard
(build/bench_guard; make test builds it), --list names what each got wrong.
"""
import argparse
import collections
import json
import os
import sqlite3
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SO = os.path.join(ROOT, "llmcost.so")
PROGRAM = os.path.join(ROOT, "build", "bench_guard")


def group(pair):
    """Where a pair is counted: its set, its language as far as it is English, its label."""
    return (pair["set"], "en" if pair["lang"] == "en" else "other", pair["label"])


def escaped(text):
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")


def vetoed(pairs):
    """The guard's word for each pair, None where it lets it pass."""
    text = "".join(escaped(p["cached"]) + "\t" + escaped(p["asked"]) + "\n" for p in pairs)
    out = subprocess.run([PROGRAM, "explain"], input=text.encode(), stdout=subprocess.PIPE, check=True).stdout
    rules = [line.split("\t")[0] for line in out.decode().split("\n")[:-1]]
    return [None if rule == "-" else rule for rule in rules]


def served(pairs, arguments):
    """Which pairs a table with these arguments serves."""
    db = sqlite3.connect(":memory:")
    db.enable_load_extension(True)
    db.load_extension(SO)
    db.execute(f"CREATE VIRTUAL TABLE c USING semantic_cache({', '.join(arguments)})")
    hits = []
    for i, pair in enumerate(pairs):
        db.execute("INSERT INTO c(system_prompt, query, response) VALUES (?, ?, 'answer')", (str(i), pair["cached"]))
        hits.append(db.execute("SELECT 1 FROM c WHERE query MATCH ? AND system_prompt = ?",
                               (pair["asked"], str(i))).fetchone() is not None)
    db.close()
    return hits


def has_minilm():
    db = sqlite3.connect(":memory:")
    db.enable_load_extension(True)
    db.load_extension(SO)
    return bool(db.execute("SELECT llmcost_debug() ->> '$.embedders.minilm'").fetchone()[0])


def report(title, pairs, hits, verb, listed):
    total, hit = collections.Counter(map(group, pairs)), collections.Counter()
    for pair, is_hit in zip(pairs, hits):
        hit[group(pair)] += is_hit
        wrong = is_hit == (pair["label"] == ("trap" if verb == "served" else "harmless"))
        if listed and wrong:
            print(f"    {title}, {pair['label']} ({pair.get('kind', '')}): {pair['cached']!r} | {pair['asked']!r}")
    for key in sorted(total):
        print(f"{title}: {' '.join(key)} {verb} {hit[key]} of {total[key]}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--args", action="append", default=[], help="an argument of the table, as in SQL")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--guard", action="store_true")
    parser.add_argument("pairs", nargs="?", default=os.path.join(ROOT, "..", "shared", "field", "pairs.jsonl"))
    options = parser.parse_args()
    if not os.path.exists(options.pairs):
        print(f"skipped: {options.pairs} is not there")
        return
    with open(options.pairs, encoding="utf-8") as f:
        pairs = [json.loads(line) for line in f]
    if not os.path.exists(PROGRAM):
        print("skipped: the guard alone (build/bench_guard is not built)")
    else:
        report("guard", pairs, [word is not None for word in vetoed(pairs)], "vetoed", options.list)
    if options.guard:
        return
    report("static", pairs, served(pairs, ["confirm=off", *options.args]), "served", options.list)
    if not has_minilm():
        print("skipped: static with MiniLM (no minilm.bin)")
        return
    report("static + MiniLM", pairs, served(pairs, ["confirm=on", *options.args]), "served", options.list)


main()
