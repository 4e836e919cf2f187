#!/usr/bin/python3
"""The four caches of a note on costs, measured: how many calls each answers, and how many of those answers are another question's.

  exact         {"cache":"exact"}
  semantic      {"cache":"semantic"} by the compiled-in embedder alone, with MiniLM confirming, with a threshold of 0.95 (the note's),
                and with max_false_hits 0.02; what the exact cache answers is counted there, too
  prompt-aware  the same with three system prompts in turn, each of which is a partition of its own; and what that prevents: of the
                hits with one prompt for all, those whose answer had been given to a call that would have had another prompt
  prefix        the provider's: the share of input tokens that the stand-in reads from its cache, behind a system prompt of
                1,500 tokens, each question asked

All through llm_complete, one call after the other, caches empty at first, the stand-in as the provider. Questions:
examples/support_desk.csv as it stands, where every answer is prose of its own (nobody knows which are the same: `pairs` prints
hits to be read), and 5,000 of CLINC150's tuning rows, all 200 out of scope among them, in one fixed order (bench/streams.py), whose
answer is their intent: a hit is wrong if its intent is another one, and on a question out of scope always.
Shares stand with 95 % Wilson intervals.

Usage: bench/caches.py [quick] [pairs]           quick: 200 questions of each; pairs: 40 hits on support_desk.csv, and no table
MiniLM: LLMCOST_MINILM, or minilm.bin beside the library; its rows are left out where it is missing, CLINC where ../shared is.
"""
import collections
import csv
import json
import os
import sys
import tempfile

import streams
from quality import wilson
from streams import DATA, ROOT

sys.path.insert(0, os.path.join(ROOT, "tests/live"))
import harness  # noqa: E402

QUICK = "quick" in sys.argv
N = 200 if QUICK else 5000
MODEL, MARKED = "gpt-4o-mini", "claude-sonnet-4-6"
PROMPTS = ("You are the support desk of a shop. Answer in two sentences.", "You are a clerk who sorts questions. Answer with a label.",
           "You write for children. Answer in plain words.")
LONG = " ".join(("always be brief and polite to whoever asks " * 188).split()[:1500])  # a word is a token by the stand-in's rule
PAIRS = 40


# ---- questions: (text, what the provider answers or None for its own words, the intent or None)

def support_desk():
    with open(f"{ROOT}/examples/support_desk.csv", newline="") as f:
        return [(row["question"], None, None) for row in csv.DictReader(f)][:N]


def clinc():
    """One intent is one answer to the cache, which does not count blanks; by their number it shows whose answer was served."""
    return [(text, "intent:" + " " * (1 + i % len(PROMPTS)) + intent, intent)
            for i, (text, intent) in enumerate(streams.questions("clinc150", 5000, 1)[:N])]


# ---- one run

class Run:
    """What became of each question: `kinds` of the ledger rows, and of the hits what was `served` and to whom it had been said."""

    def __init__(self, standin, asked, options, settings=(), prompts=(None,)):
        standin.post("/standin/reset", {})
        standin.post("/standin/cache", {"readable_ms": 0})
        if asked[0][1] is not None:
            standin.post("/standin/answers", {text: answer for text, answer, _ in asked})
        self.n, self.hits, self.pairs, first = len(asked), 0, [], {}
        self.kinds, self.wrong, self.foreign = collections.Counter(), 0, 0
        with harness.TempDir() as tmp:
            db = harness.open_desk(os.path.join(tmp, "desk.db"), standin.url)
            for name, value in settings:
                db.execute("SELECT llm_config(?, ?)", (name, value)).fetchall()
            for i, (text, _, intent) in enumerate(asked):
                with_prompt = {"model": MODEL, **options}
                if prompts[i % len(prompts)]:
                    with_prompt["system"] = prompts[i % len(prompts)]
                answer = harness.value(db, "SELECT llm_complete(?, ?)", text, json.dumps(with_prompt))
                kind = harness.value(db, "SELECT kind FROM llm_calls WHERE id = llm_last_call()")
                self.kinds[kind] += 1
                if kind == "call":
                    first.setdefault(answer, (text, i % len(PROMPTS)))
                else:
                    self.hit(kind, text, intent, answer, i % len(PROMPTS), first)
            db.close()
        self.journal = standin.journal()

    def hit(self, kind, text, intent, answer, turn, first):
        self.hits += 1
        self.wrong += intent is not None and answer.split()[1] != intent
        of, of_turn = first[answer]
        self.foreign += of_turn != turn
        if kind == "hit_semantic":
            self.pairs.append((of, text))


def has_minilm(standin):
    with harness.TempDir() as tmp:
        db = harness.open_desk(os.path.join(tmp, "desk.db"), standin.url)
        there = harness.value(db, "SELECT llmcost_debug() ->> '$.embedders.minilm'")
        db.close()
    return bool(there)


def share(k, n):
    if not n:
        return "none"
    low, high = wilson(k, n)
    return f"{100 * k / n:.1f} % ({100 * low:.1f}–{100 * high:.1f})"


# ---- the table

STATIC = [("minilm", "/nonexistent")]
NOTE = {"exact": "10–20 %", "semantic": "30–50 %", "prompt-aware": "40–60 %", "prefix": "automatic"}


def runs(minilm):
    """(the note's name, what it is, options, settings, prompts)"""
    semantic = {"cache": "semantic"}
    yield "exact", "", {"cache": "exact"}, STATIC, (None,)
    yield "semantic", ", static alone", semantic, STATIC, (None,)
    yield "semantic", ", threshold 0.95", {**semantic, "threshold": 0.95}, STATIC, (None,)
    yield "semantic", ", max_false_hits 0.02", semantic, [*STATIC, ("max_false_hits", 0.02)], (None,)
    if minilm:
        yield "semantic", " with MiniLM", semantic, [], (None,)
        yield "semantic", " with MiniLM, max_false_hits 0.02", semantic, [("max_false_hits", 0.02)], (None,)
    yield "prompt-aware", ", three prompts, static alone", semantic, STATIC, PROMPTS
    if minilm:
        yield "prompt-aware", ", three prompts, with MiniLM", semantic, [], PROMPTS


def table(standin, sets, minilm):
    of_each = " | ".join(f"{name}, {len(asked):,} questions" for name, asked in sets.items())
    print(f"| approach | the note | {of_each} | of CLINC's hits wrong |")
    print("|---" * (len(sets) + 3) + "|")
    done = {}
    for approach, what, *how in runs(minilm):
        of = {name: Run(standin, asked, *how) for name, asked in sets.items()}
        done[approach + what] = of
        wrong = share(of["CLINC"].wrong, of["CLINC"].hits) if "CLINC" in of else ""
        print(f"| {approach}{what} | {NOTE[approach]} | {' | '.join(share(r.hits, r.n) for r in of.values())} | {wrong} |", flush=True)
    prefix(standin, sets)
    print()
    if "CLINC" in sets:
        prose(standin, sets["CLINC"], minilm)
    for name in sets:
        for of, apart in (("semantic, static alone", "prompt-aware, three prompts, static alone"),
                          ("semantic with MiniLM", "prompt-aware, three prompts, with MiniLM")):
            if of in done:
                one, three = done[of][name], done[apart][name]
                print(f"{name}, {of}: one prompt for all {one.hits:,} hits, three apart {three.hits:,}; of the first "
                      f"{share(one.foreign, one.hits)} had been answered under another of the three, of the others {three.foreign}")


def prose(standin, asked, minilm):
    """The same where no answer repeats, as from a model that writes: what neighbours agree on says nothing then."""
    asked = [(text, f"{answer} {i}", intent) for i, (text, answer, intent) in enumerate(asked)]
    for what, settings in (("static alone", STATIC), *([("with MiniLM", [])] if minilm else [])):
        run = Run(standin, asked, {"cache": "semantic"}, settings)
        print(f"CLINC where every answer is prose of its own, semantic, {what}: {share(run.hits, run.n)}, "
              f"of these wrong {share(run.wrong, run.hits)}")


def prefix(standin, sets):
    for model, more, what in ((MODEL, {}, "OpenAI"), (MARKED, {"prompt_cache": "5m"}, "Anthropic, prompt_cache 5m")):
        cells = []
        for asked in sets.values():
            options = {"cache": "off", "model": model, "system": LONG, "max_tokens": 50, **more}
            books = Run(standin, asked, options, STATIC).journal
            tokens, read = (sum(e[x] for e in books) for x in ("input_tokens", "cached_tokens"))
            cells.append(f"{100 * read / tokens:.1f} % of input tokens")
        print(f"| prefix, {what} | {NOTE['prefix']} | {' | '.join(cells)} | none can be |", flush=True)


def pairs(standin, minilm):
    """Hits to be read: evenly spread over what was served."""
    run = Run(standin, support_desk(), {"cache": "semantic"}, [] if minilm else STATIC)
    step = max(1, len(run.pairs) / PAIRS)
    for i in range(min(PAIRS, len(run.pairs))):
        print(f"{i + 1}\n  asked  {run.pairs[int(i * step)][1]}\n  served {run.pairs[int(i * step)][0]}")
    print(f"of {len(run.pairs)} semantic hits")


def main():
    if os.path.isdir("/dev/shm"):
        tempfile.tempdir = "/dev/shm"  # no time is measured, and nothing has to survive
    sets = {"support_desk.csv": support_desk()}
    if os.path.exists(f"{DATA}/clinc150/tune.json"):
        sets["CLINC"] = clinc()
    else:
        print("skipped: CLINC (no ../shared/data/clinc150/tune.json)")
    with harness.Standin() as standin:
        minilm = has_minilm(standin)
        if not minilm:
            print("left out: MiniLM (no minilm.bin; make minilm)")
        if "pairs" in sys.argv:
            pairs(standin, minilm)
        else:
            table(standin, sets, minilm)


if __name__ == "__main__":
    main()
