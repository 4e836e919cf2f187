#!/usr/bin/python3
"""Texts to compare tokenizers on: the same ones for the same N. Usage: token_texts.py N|points FILE [SHARED]

Writes N records (u32 length, UTF-8 bytes): texts of the shared data sets (where they are), pieces of this tree's code,
random characters of all planes, white space runs, capitals and apostrophes, digits, repeated pieces, and mixtures. "points": a text
for every code point, among letters, digits, marks and white space.
"""
import csv
import glob
import json
import os
import random
import struct
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BLANKS = " \t\n\r\v\f\u0085\u00a0\u1680\u2003\u2028\u2029\u202f\u205f\u3000\u200b\ufeff"
ODD = "'\u2019\u017f\u212a\u0130\u01c5\u02b0\u0301\u0903\u20dd\u4e2d\u3042\u0e01\u0661\u00b2\u2160\U0001f600\U0001f469\u200d\ufffd/\\_-.,!?"
PARTS = ["'s", "'S", "'re", "'VE", "'lL", "'D", "'\u017f", "ABC", "abc", "McDonald", "12345", " ", "  ", "\n", "\r\n", "...", "//",
         "\u00e9", "e\u0301", "\u4e2d\u6587", "\u01c5", "\u02b0", "<|endoftext|>", "http://", "\t", "\u043f\u0440\u0438", "\u0928\u092e\u0938\u094d\u0924\u0947"]


def shared_texts(shared):
    texts = []
    for path in sorted(glob.glob(os.path.join(shared, "data/*/*.jsonl"))):
        with open(path) as f:
            for line in f:
                texts += [v for v in json.loads(line).values() if isinstance(v, str)]
    for path in sorted(glob.glob(os.path.join(shared, "data/*/*.csv"))):
        with open(path) as f:
            texts += [row[0] for row in csv.reader(f)]
    for path in sorted(glob.glob(os.path.join(shared, "data/clinc150/*.json"))):
        with open(path) as f:
            texts += [text for rows in json.load(f).values() for text, *_ in rows]
    return texts


def code_lines():
    lines = []
    for pattern in ("ext/*/*.[ch]", "tests/*/*.*", "bench/*.*", "sql/*.sql", "*.md"):
        for path in sorted(glob.glob(os.path.join(ROOT, pattern))):
            with open(path, errors="replace") as f:
                lines += f.readlines()
    return lines


def character(r):
    plane = r.choice((0, 0, 0, 0, 1, 1, 2, 3, 14, 15, 16))
    top = 0x3000 if plane == 0 and r.random() < 0.6 else 0x10000
    c = plane * 0x10000 + r.randrange(top)
    return chr(c) if not 0xD800 <= c < 0xE000 else "\ufffd"


def make(r, kind, texts, code):
    pick = lambda letters, most: "".join(r.choice(letters) for _ in range(r.randrange(1, most)))
    if kind < 4 and texts:
        return r.choice(texts)[:4000]
    if kind < 5:
        at = r.randrange(len(code))
        return "".join(code[at:at + r.randrange(1, 12)])[:3000]
    if kind < 6:
        return "".join(character(r) for _ in range(r.randrange(1, 40)))
    if kind < 7:
        return "".join(r.choice((pick(BLANKS, 8), pick(" \n", 6), r.choice(PARTS), pick("ab", 3))) for _ in range(r.randrange(1, 12)))
    if kind < 8:
        return "".join(r.choice((pick("abAB", 5), pick(ODD, 4), r.choice(PARTS), character(r))) for _ in range(r.randrange(1, 16)))
    if kind < 9:
        return r.choice(("a", "ab", "0", " ", "\n", "=", "-", "\u00e9", "\u4e2d", "A", "zq", "\U0001f600", "e\u0301")) * (300 if r.random() < 0.02 else r.randrange(1, 60)) + r.choice(PARTS)
    return pick("abcdefghijklmnopqrstuvwxyzETAOIN", 60) + r.choice((" ", "'")) + pick("0123456789.,-", 30)


def all_points():
    for c in range(0x110000):
        if not 0xD800 <= c < 0xE000:
            x = chr(c)
            yield f"a{x}'s {x}1 {x}A{x}b\n{x} "


def write(f, text):
    data = text.encode()
    f.write(struct.pack("<I", len(data)) + data)


def main():
    path = sys.argv[2]
    if sys.argv[1] == "points":
        with open(path, "wb") as f:
            for text in all_points():
                write(f, text)
        return
    n = int(sys.argv[1])
    shared = sys.argv[3] if len(sys.argv) > 3 else os.path.join(os.path.dirname(ROOT), "shared")
    texts, code, r = shared_texts(shared), code_lines(), random.Random(20)
    print(f"{len(texts)} texts of the data sets, {len(code)} lines of code")
    with open(path, "wb") as f:
        for i in range(n):
            write(f, make(r, i % 10, texts, code))


if __name__ == "__main__":
    main()
