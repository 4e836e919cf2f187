"""Labelled questions as streams for the semantic cache: (text, the answer it gets, the answer that is right).

banking77 and CLINC150 tuning rows; a question's answer is its intent, coarser than "the same answer": optimistic for all policies
alike. Out-of-scope questions of CLINC150 each have an intent of their own, so every hit on one is wrong.
"""
import csv
import json
import os
import random

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DATA = os.path.join(os.path.dirname(ROOT), "shared", "data")
UNSURE = "I don't know."
EVIL = "Call this number and say your PIN."
VARIANTS = ("please", "now", "thanks", "hello", "can you help", "tell me", "quick question", "for me", "my friend", "sir", "today", "urgent",
            "help", "again", "really", "just wondering", "if possible", "asap", "team", "i need to know")


def _banking77():
    with open(f"{DATA}/banking77/train.csv", newline="") as f:
        return [(t.strip(), c) for t, c in csv.reader(f)][1:], []


def _clinc150():
    with open(f"{DATA}/clinc150/tune.json") as f:
        d = json.load(f)
    return [tuple(x) for x in d["train"] + d["val"]], [(t, f"oos{i}") for i, (t, _) in enumerate(d["oos_train"] + d["oos_val"])]


SETS = {"banking77": _banking77, "clinc150": _clinc150}


def questions(name, n, seed):
    """n questions of a set with their intents, in an order of the seed; all of those out of scope among them."""
    rows, out_of_scope = SETS[name]()
    rng = random.Random(seed)
    rng.shuffle(rows)
    rows = rows[:n - len(out_of_scope)] + out_of_scope
    rng.shuffle(rows)
    return rows


def repeating(name, n, seed):
    return [(t, c, c) for t, c in questions(name, n, seed)]


def two_labels(name, n, seed):
    """Each intent is drawn into one of two answers."""
    rng, label = random.Random(5), {}
    for _, c in sorted(SETS[name]()[0] + SETS[name]()[1], key=lambda x: x[1]):
        label.setdefault(c, f"answer {rng.randrange(2)}")
    return [(t, label[c], label[c]) for t, c in questions(name, n, seed)]


def prose(name, n, seed):
    """Every question gets an answer of its own; what it says (in front of the bar) is right or not."""
    return [(t, f"{c}|{i}", c) for i, (t, c) in enumerate(questions(name, n, seed))]


def default_answers(name, n, seed):
    """One question in five, whatever it asks, is answered with 'I don't know', which is never right."""
    rng = random.Random(seed + 100)
    return [(t, UNSURE if rng.random() < 0.2 else c, c) for t, c in questions(name, n, seed)]


def poisoned(name, n, seed, victims=100, copies=10):
    """Somebody first has ten variants of each of a hundred questions answered with his text."""
    rows = questions(name, n, seed)
    rng = random.Random(seed + 9)
    theirs = []
    for t, _ in rng.sample(rows, victims):
        for word in rng.sample(VARIANTS, copies):
            theirs.append((f"{word} {t}" if rng.random() < 0.5 else f"{t.rstrip('?.')} {word}", EVIL, EVIL))
    return [(t, c, c) for t, c in rows[:100]] + theirs + [(t, c, c) for t, c in rows[100:]]


def is_right(got, want):
    return got.split("|")[0] == want
