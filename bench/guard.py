#!/usr/bin/python3
"""The guard measured on labelled pairs: what it vetoes of pairs a cache would take for the same.

Usage: bench/guard.py [DATA]      (DATA: a folder with qqp/ and banking77/; default ../shared/data)

Pairs of questions whose cosine (the compiled-in embedder) is high: those labelled as duplicates, whose
veto costs a hit, and those labelled as different, whose veto saves a wrong answer. The halves of QQP are
split by a hash of the pair; the rules and their word lists were tuned on the first only. Needs a C
compiler and libutf8proc. Data that is missing is skipped by name.
"""
import csv
import hashlib
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, "build", "bench")
COSINES = (0.88, 0.92, 0.95)

# Reads "text TAB text" lines, or with "all" labelled lines whose every pair counts. Prints the cosine,
# a bit per rule that objects, and the microseconds of guard_veto.
DRIVER = r"""
#include "core/guard/guard.c"
#include "vec/embed/static_embedder.h"
#include <stdio.h>
#include <time.h>

static double cosine(const float *a, const float *b) {
  float sum = 0;
  for (int i = 0; i < STATIC_DIM; i++) {
    sum += a[i] * b[i];
  }
  return (double)sum;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void judge(const char *a, const char *b, double cos, int same) {
  static Texts p;
  unsigned bits = 0;
  double start = now();
  const char *word = guard_veto(a, strlen(a), b, strlen(b));
  double us = now() - start;
  read_texts(&p, a, strlen(a), b, strlen(b));
  for (size_t i = 0; i < COUNT_OF(RULES) && strcmp(a, b) != 0; i++) {
    bits |= (unsigned)(RULES[i].differs(&p) != 0) << i;
  }
  if ((word != NULL) != (bits != 0)) {
    abort();
  }
  printf("%.4f %u %d %.2f\n", cos, bits, same, us);
}

static char *line; /* the next line of the input, without its end; NULL at the end */
static int read_line(void) {
  static size_t size;
  ssize_t n = getline(&line, &size, stdin);
  if (n > 0 && line[n - 1] == '\n') {
    line[n - 1] = 0;
  }
  return n > 0;
}

static void judge_pairs(void) {
  float u[STATIC_DIM], v[STATIC_DIM];
  while (read_line()) {
    char *b = strchr(line, '\t');
    *b++ = 0;
    int bad = static_embed(line, strlen(line), u) | static_embed(b, strlen(b), v);
    judge(line, b, bad ? 0 : cosine(u, v), 0);
  }
}

static void judge_all(void) {
  enum { MAX = 20000 };
  static float v[MAX][STATIC_DIM];
  static char *text[MAX];
  static int label[MAX];
  size_t n = 0;
  while (n < MAX && read_line()) {
    label[n] = atoi(line);
    text[n] = strdup(strchr(line, '\t') + 1);
    n += static_embed(text[n], strlen(text[n]), v[n]) == VEC_OK;
  }
  for (size_t i = 0; i < n; i++) {
    for (size_t k = 0; k < i; k++) {
      double c = cosine(v[i], v[k]);
      if (c >= 0.88) {
        judge(text[i], text[k], c, label[i] == label[k]);
      }
    }
  }
}

int main(int argc, char **argv) {
  (void)argv;
  guard_veto("a", 1, "b", 1);
  if (argc > 1) {
    judge_all();
  } else {
    judge_pairs();
  }
  for (size_t i = 0; i < COUNT_OF(RULES); i++) {
    printf("rule %s\n", RULES[i].word);
  }
  return 0;
}
"""


def build():
    """Compiles the driver and returns its path."""
    os.makedirs(BUILD, exist_ok=True)
    source, program = os.path.join(BUILD, "guard_bench.c"), os.path.join(BUILD, "guard_bench")
    with open(source, "w", encoding="utf-8") as f:
        f.write(DRIVER)
    files = ["ext/core/guard/guard_tokens.c", "ext/core/guard/guard_words.c", "vec/embed/static_embedder.c",
             "vec/embed/static_rows.c", "vec/embed/wordpiece.c", "vec/engine/kernels/vec.c"]
    subprocess.run([os.environ.get("CC", "cc"), "-O3", "-ffast-math", "-std=c11", "-D_GNU_SOURCE", "-Iext",
                    "-I.", "-o", program, source, *files, "-lutf8proc", "-lpthread", "-lm"],
                   cwd=ROOT, check=True)
    return program


def judged(program, lines, *args):
    """The driver's verdicts on the lines, [cosine, bits, same, us] each, and the names of the rules."""
    text = "".join(line + "\n" for line in lines)
    out = subprocess.run([program, *args], input=text.encode(), stdout=subprocess.PIPE, check=True)
    verdicts, rules = [], []
    for line in out.stdout.decode().split("\n"):
        fields = line.split()
        if fields and fields[0] == "rule":
            rules.append(fields[1])
        elif fields:
            verdicts.append([float(fields[0]), int(fields[1]), int(fields[2]), float(fields[3])])
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


def measure_qqp(program, path):
    with open(path, encoding="utf-8") as f:
        rows = [json.loads(line) for line in f]
    verdicts, rules = judged(program, [flat(r["a"]) + "\t" + flat(r["b"]) for r in rows])
    halves = ([], [])
    for row, verdict in zip(rows, verdicts):
        key = "\n".join(sorted((row["a"], row["b"])))
        verdict[2] = row["duplicate"]
        halves[hashlib.sha256(key.encode()).digest()[0] & 1].append(verdict)
    for title, half in zip(("QQP, the half tuned on", "QQP, the half held out"), halves):
        table(title, half, rules, ("different", "duplicate"))
    times = sorted(v[3] for v in verdicts)
    words = sum(len(r["a"].split()) + len(r["b"].split()) for r in rows) / 2 / len(rows)
    print(f"\n  guard_veto on {len(times)} pairs of {words:.0f} words: median {times[len(times) // 2]:.1f} us,"
          f" 99th percentile {times[len(times) * 99 // 100]:.1f} us")


def measure_banking(program, path):
    with open(path, encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f))
    labels = sorted({r["category"] for r in rows})
    lines = ["%d\t%s" % (labels.index(r["category"]), flat(r["text"])) for r in rows]
    verdicts, rules = judged(program, lines, "all")
    table("banking77, all pairs (the same intent is not always the same answer)", verdicts, rules,
          ("other", "same"))


def main():
    data = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "..", "shared", "data")
    program = None
    for name, measure in (("qqp/tune_pairs.jsonl", measure_qqp), ("banking77/train.csv", measure_banking)):
        path = os.path.join(data, name)
        if not os.path.exists(path):
            print(f"skipped: {name} is not in {data}")
            continue
        program = program or build()
        measure(program, path)


main()
