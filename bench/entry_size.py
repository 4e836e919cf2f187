#!/usr/bin/python3
"""File per entry beside sqlite-vec's, both keeping the same: a vector, a system prompt, a question, an answer, a time.

    bench/entry_size.py [ENTRIES [ANSWER_BYTES ...]]      (defaults: 100000, and 12 100 200 400 800; SO, VEC0 name the libraries)

384 dimensions, questions of 40 bytes. Each file is closed before it is measured, so that its log is in it. sqlite-vec
keeps text as auxiliary columns of its own table, which is where its manual puts what is read and not searched.
"""
import os
import random
import sqlite3
import struct
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SO = os.environ.get("SO", os.path.join(ROOT, "llmcost.so"))
VEC0 = os.environ.get("VEC0", os.path.join(ROOT, "build/npm/node_modules/sqlite-vec-linux-x64/vec0.so"))
DIM, SYSTEM = 384, "You answer for the shop."
OURS = ("CREATE VIRTUAL TABLE c USING semantic_cache(embedder='none', dim=%d)" % DIM,
        "INSERT INTO c(embedding, system_prompt, query, response, created_at) VALUES (?, ?, ?, ?, ?)")
THEIRS = ("CREATE VIRTUAL TABLE c USING vec0(embedding float[%d] distance_metric=cosine, system_prompt text partition key,"
          " +query text, +response text, +created_at integer)" % DIM,
          "INSERT INTO c(embedding, system_prompt, query, response, created_at) VALUES (?, ?, ?, ?, ?)")


def rows(entries, answer_bytes):
    """The same rows for both."""
    rng = random.Random(7)
    for row in range(entries):
        vector = [rng.gauss(0, 1) for _ in range(DIM)]
        yield (struct.pack("%df" % DIM, *vector), SYSTEM, ("question %d " % row).ljust(40, "?"),
               ("answer %d " % row).ljust(answer_bytes, "."), 1700000000000 + row)


def bytes_per_entry(library, statements, entries, answer_bytes):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "size.db")
        db = sqlite3.connect(path, isolation_level=None)
        db.enable_load_extension(True)
        db.load_extension(library)
        create, insert = statements
        db.execute(create)
        db.execute("BEGIN")
        db.executemany(insert, rows(entries, answer_bytes))
        db.execute("COMMIT")
        db.close()
        return os.path.getsize(path) / entries


def main():
    entries = int(sys.argv[1]) if len(sys.argv) > 1 else 100000
    sizes = [int(word) for word in sys.argv[2:]] or [12, 100, 200, 400, 800]
    print("| bytes of the answer | ours, bytes per entry | sqlite-vec's | ratio |\n|---|---|---|---|")
    for size in sizes:
        ours = bytes_per_entry(SO, OURS, entries, size)
        theirs = bytes_per_entry(VEC0, THEIRS, entries, size)
        print(f"| {size} | {ours:.0f} | {theirs:.0f} | {ours / theirs:.2f} |", flush=True)


if __name__ == "__main__":
    main()
