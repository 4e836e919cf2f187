"""What scorers and gates are worth: apparent effort on prompts sorted by hand, and on outcomes of models.

    make bench-route            everything, from ../shared/data
    bench/route.py quick        a few rows of each, and a tenth of the resamples

Peers: the prompt's length, and a keyword score like LiteLLM's complexity router (weights of seven dimensions as its
documentation has them; a replica with word lists of ours, not its code). APGR with 95 % intervals of paired resamples; the
difference is to length, on the same rows. `examples` is out of fold, with the label "the strong model did better".
"""
import csv
import json
import math
import os
import random
import re
import shutil
import subprocess
import sys
import unicodedata

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
DATA = os.path.join(os.environ.get("SHARED", os.path.join(ROOT, "..", "shared")), "data")
QUICK = "quick" in sys.argv[1:]
RESAMPLES = 100 if QUICK else 1000
ROWS = 300 if QUICK else None


def ask(what, records, *args):
    data = b"".join(r.encode("utf-8", "replace").replace(b"\0", b" ") + b"\0" for r in records)
    out = subprocess.run([os.path.join(ROOT, "build/bench_route"), what, *args], input=data, stdout=subprocess.PIPE,
                         check=True)
    return out.stdout.decode().splitlines()


def rows_of(name):
    with open(os.path.join(DATA, "routing", name), encoding="utf-8") as f:
        rows = [json.loads(line) for line in f if line.strip()]
    step = max(1, len(rows) // ROWS) if ROWS else 1
    return rows[::step]


def effort(prompts):
    return [tuple(map(float, line.split())) for line in ask("effort", prompts)]


def tier(score):
    return "simple" if score < 0.3 else "medium" if score <= 0.7 else "complex"


# ---- the keyword score

CODE = ("function class def const let var import export return async await try catch exception error debug api endpoint "
        "json sql database query algorithm code python javascript typescript java rust regex compile bug stack").split()
REASONING = ["step by step", "think through", "let's think", "reason through", "analyze this", "explain your reasoning",
             "show your work", "chain of thought", "prove", "derive", "why does", "logic", "theorem", "deduce"]
TECHNICAL = ("architecture distributed scalable microservice machine learning neural network encryption latency "
             "throughput concurrency kubernetes protocol optimize optimization performance infrastructure server "
             "quantum statistical differential matrix vector probability").split()
SIMPLE = ["what is", "what's", "define", "definition of", "who is", "who was", "when did", "when was", "where is",
          "how many", "how much", "yes or no", "hello", "hi", "thanks", "thank you", "good morning"]


def held(words, text):
    return sum(1 for w in words if re.search(r"\b%s\b" % re.escape(w), text))


def keyword_score(prompt):
    text, tokens = prompt.lower(), len(prompt) / 4
    size = -1 if tokens < 15 else 1 if tokens > 400 else 0
    code = held(CODE, text)
    reasoning, technical = held(REASONING, text), held(TECHNICAL, text)
    simple = held(SIMPLE, text)
    steps = bool(re.search(r"first.*then|step \d|\d\.\s|[a-z]\)\s", text))
    questions = prompt.count("?")
    return (0.10 * size + 0.30 * (1 if code >= 2 else 0.5 if code else 0) +
            0.25 * (1 if reasoning >= 2 else 0.7 if reasoning else 0) +
            0.25 * (1 if technical >= 3 else 0.5 if technical >= 2 else 0) - 0.05 * (simple > 0) +
            0.03 * 0.5 * steps + 0.02 * 0.5 * (questions > 3))


# ---- figures

def ranks(values):
    order, out, i = sorted(range(len(values)), key=lambda k: values[k]), [0.0] * len(values), 0
    while i < len(order):
        j = i
        while j < len(order) and values[order[j]] == values[order[i]]:
            j += 1
        for k in order[i:j]:
            out[k] = (i + j - 1) / 2
        i = j
    return out


def spearman(a, b):
    a, b = ranks(a), ranks(b)
    ma, mb = sum(a) / len(a), sum(b) / len(b)
    top = sum((x - ma) * (y - mb) for x, y in zip(a, b))
    return top / math.sqrt(sum((x - ma) ** 2 for x in a) * sum((y - mb) ** 2 for y in b))


def auc(scores, is_one):
    ones = [s for s, y in zip(scores, is_one) if y]
    others = [s for s, y in zip(scores, is_one) if not y]
    return sum((a > b) + 0.5 * (a == b) for a in ones for b in others) / (len(ones) * len(others))


def print_apgr(title, weak, strong, scorers, base="length"):
    names = [base] + [n for n in scorers if n != base]
    records = ["%g %g %s" % (w, s, " ".join("%.8g" % scorers[n][i] for n in names))
               for i, (w, s) in enumerate(zip(weak, strong))]
    print("%s: %d rows, weak %.3f, strong %.3f" % (title, len(weak), sum(weak) / len(weak), sum(strong) / len(strong)))
    out = {}
    for name, line in zip(names, ask("apgr", records, str(RESAMPLES))):
        v = [float(x) for x in line.split()]
        out[name] = v[0]
        against = "" if name == base else "   to %s %+.3f [%+.3f, %+.3f]" % (base, v[3], v[4], v[5])
        print("  %-26s APGR %.3f [%.3f, %.3f]%s" % (name, v[0], v[1], v[2], against))
    return out


# ---- the parts

def typo(prompt, rng):
    words = prompt.split(" ")
    places = [i for i, w in enumerate(words) if sum(c.isalpha() for c in w) >= 4]
    if not places:
        return prompt
    i = rng.choice(places)
    w, k = words[i], rng.randrange(len(words[i]) - 1)
    words[i] = rng.choice([w[:k] + w[k + 1] + w[k] + w[k + 2:], w[:k] + w[k + 1:], w[:k] + w[k] + w[k:]])
    return " ".join(words)


CHANGES = {
    "upper case": lambda p, rng: p.upper(),
    "lower case": lambda p, rng: p.lower(),
    "title case": lambda p, rng: p.title(),
    "doubled blanks": lambda p, rng: p.replace(" ", "  "),
    "blanks around, a line's end": lambda p, rng: " \n " + p + "\n",
    "letters and accents apart (NFD)": lambda p, rng: unicodedata.normalize("NFD", p),
    "one typo": typo,
}


def probe():
    with open(os.path.join(DATA, "routing/probe.jsonl"), encoding="utf-8") as f:
        rows = [json.loads(line) for line in f]
    prompts, order = [r["prompt"] for r in rows], {"simple": 0, "medium": 1, "complex": 2}
    truth = [order[r["tier"]] for r in rows]
    ours = [s for _, s in effort(prompts)]
    print("probe.jsonl, %d prompts sorted by hand" % len(rows))
    for name, scores in (("effort", ours), ("length", [len(p) for p in prompts]),
                         ("keywords", [keyword_score(p) for p in prompts])):
        print("  %-10s Spearman %.3f, AUC complex against the rest %.3f, simple against the rest %.3f" % (
            name, spearman(scores, truth), auc(scores, [t == 2 for t in truth]),
            auc([-s for s in scores], [t == 0 for t in truth])))
    rng, same, all_of_it = random.Random(7), 0, 0
    for name, change in CHANGES.items():
        rounds = 40 if change is typo else 1
        here = 0
        for _ in range(rounds):
            changed = [s for _, s in effort([change(p, rng) for p in prompts])]
            here += sum(tier(a) == tier(b) for a, b in zip(ours, changed))
        print("  tier unchanged under %-32s %.1f %%" % (name, 100 * here / (rounds * len(rows))))
        same, all_of_it = same + here / rounds, all_of_it + len(rows)
    print("  tier unchanged, mean of these %.1f %%" % (100 * same / all_of_it))


def vectors():
    """The rule's own test vectors, where they are there."""
    path = os.path.join(os.path.dirname(DATA), "reference/route_lexicon.json")
    if not os.path.exists(path):
        return print("no %s" % path)
    with open(path, encoding="utf-8") as f:
        wanted = {v["id"]: v for v in json.load(f)["vectors"]}
    with open(os.path.join(DATA, "routing/probe.jsonl"), encoding="utf-8") as f:
        rows = [json.loads(line) for line in f]
    got = effort([r["prompt"] for r in rows])
    held_ = sum(abs(x - wanted[r["id"]]["raw"]) < 1e-3 and abs(s - wanted[r["id"]]["score"]) < 1e-3
                for r, (x, s) in zip(rows, got))
    print("test vectors: %d of %d within .001" % (held_, len(rows)))


def instructions():
    """Of one score: callgrind's count of two less that of one."""
    if not shutil.which("valgrind"):
        return print("no valgrind: instructions are not counted")
    with open(os.path.join(DATA, "routing/probe.jsonl"), encoding="utf-8") as f:
        prompts = [json.loads(line)["prompt"] for line in f]
    english = " ".join(p for p in prompts if p.isascii())[2000:2500].encode()
    other = " ".join(p for p in prompts if not p.isascii()).encode()[:500].decode(errors="ignore").encode()
    long = (b"lorem ipsum " * 200000)
    for title, text in (("500 bytes of English", english), ("500 bytes of other languages", other),
                        ("2.4 MB", long)):
        counts = []
        for times in (1, 2):
            out = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                                  "--toggle-collect=effort_score", os.path.join(ROOT, "build/bench_route"), "effort"],
                                 input=(text + b"\0") * times, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            found = re.search(rb"Collected : (\d+)", out.stderr)
            counts.append(int(found.group(1)) if found else 0)
        print("instructions of effort_score, %s: %s" % (title, format(counts[1] - counts[0], ",")))


def shares(title, prompts):
    tiers = [tier(s) for _, s in effort(prompts)]
    print("%s: %d texts, %s" % (title, len(tiers), " / ".join(
        "%.1f %% %s" % (100 * tiers.count(t) / len(tiers), t) for t in ("simple", "medium", "complex"))))


def desks():
    with open(os.path.join(ROOT, "examples/support_desk.csv"), encoding="utf-8") as f:
        shares("support desk (examples/support_desk.csv)", [r["question"] for r in csv.DictReader(f)])
    with open(os.path.join(DATA, "banking77/train.csv"), encoding="utf-8") as f:
        shares("banking77", [r["text"] for r in csv.DictReader(f)])
    with open(os.path.join(DATA, "clinc150/tune.json"), encoding="utf-8") as f:
        clinc = json.load(f)
    texts = [t for group in clinc.values() for t in texts_in(group)] if isinstance(clinc, dict) else texts_in(clinc)
    if texts:
        shares("clinc150", texts)


def texts_in(group):
    return [row[0] if isinstance(row, list) else row.get("text", "") for row in group
            if isinstance(row, (list, dict))] if isinstance(group, list) else []


def outcomes(title, prompts, weak, strong):
    better = ["%d" % (s > w) for w, s in zip(weak, strong)]
    lines = ask("examples", [x for pair in zip(better, prompts) for x in pair])
    print_apgr(title, weak, strong, {
        "length": [len(p) for p in prompts],
        "effort": [x for x, _ in effort(prompts)],
        "examples (out of fold)": [float(x) for x in lines[1:]],
        "keywords (LiteLLM-like)": [keyword_score(p) for p in prompts],
    })
    q = lines[0].split()
    print("  examples, out of fold: AUC %s, log loss %s (base rate %s), Brier %s (%s)" % (q[0], q[1], q[4], q[2], q[5]))


def routers():
    rows = rows_of("mmlu_tune.jsonl")
    pair = ("mistralai/Mixtral-8x7B-Instruct-v0.1", "gpt-4-1106-preview")
    for title, rows in (("MMLU, Mixtral-8x7B, then GPT-4", rows), ("GSM8K, Mixtral-8x7B, then GPT-4",
                                                                 rows_of("gsm8k_tune.jsonl"))):
        outcomes(title, [r["prompt"] for r in rows], *[[float(r[m] == "True") for r in rows] for m in pair])
    rows = rows_of("llmrouter_train.jsonl")
    scores = [r["scores"] if isinstance(r["scores"], dict) else json.loads(r["scores"].replace("'", '"')) for r in rows]
    outcomes("LLMRouter, mistral-7b, then nemotron-51b", [r["question"] for r in rows],
             [s["mistral-7b-instruct-v0.3"] for s in scores], [s["llama-3.1-nemotron-51b-instruct"] for s in scores])


# USD per million tokens, input and output, as published in November 2024; four characters are taken for a token.
PRICES = {"gpt-3.5-turbo-0125": (0.5, 1.5), "claude-3-haiku-20240307": (0.25, 1.25), "gpt-4o-mini-2024-07-18": (0.15, 0.6),
          "Mixtral-8x7B-Instruct-v0.1": (0.24, 0.24), "gpt-4o-2024-08-06": (2.5, 10.0),
          "claude-3-5-sonnet-20241022": (3.0, 15.0)}


def cost(model, row, answer):
    price = PRICES[model]
    return (len(row["question"]) / 4 * price[0] + len(answer) / 4 * price[1]) / 1e6


def at_gate(title, rows, asked, others, above, escalates):
    """Accuracy and cost where the gate decides, the discarded calls included."""
    answer_of = lambda r, m: r["answers"].get(m) or r["answers"][asked]  # the strong answers' texts are not in the data
    all_strong = sum(cost(above, r, answer_of(r, above)) for r in rows)
    spent = sum(sum(cost(m, r, answer_of(r, m)) for m in [asked] + others) +
                (cost(above, r, answer_of(r, above)) if e else 0) for r, e in zip(rows, escalates))
    thrown = sum(cost(asked, r, answer_of(r, asked)) for r, e in zip(rows, escalates) if e)
    right = sum(r["right"][above if e else asked] for r, e in zip(rows, escalates)) / len(rows)
    print("  %s: %.1f %% escalated, %.1f %% right (%s alone %.1f, %s alone %.1f); cost %.1f %% of %s for all, "
          "%.1f %% of it for discarded calls" % (
              title, 100 * sum(escalates) / len(rows), 100 * right, asked, 100 * sum(r["right"][asked] for r in rows) / len(rows),
              above, 100 * sum(r["right"][above] for r in rows) / len(rows), 100 * spent / all_strong, above,
              100 * thrown / spent))


def cascades():
    rows = rows_of("zeroeval_gsm_tune.jsonl")
    for asked, beside, above in (
            ("gpt-3.5-turbo-0125", "claude-3-haiku-20240307", "gpt-4o-2024-08-06"),
            ("claude-3-haiku-20240307", "gpt-3.5-turbo-0125", "claude-3-5-sonnet-20241022"),
            ("Mixtral-8x7B-Instruct-v0.1", "claude-3-haiku-20240307", "gpt-4o-2024-08-06")):
        a, b = [[r["answers"][m] for r in rows] for m in (asked, beside)]
        agree = [float(line.split()[0]) for line in ask("agree", [x for pair in zip(a, b) for x in pair])]
        sums = [float(line.split()[1]) for line in ask("sums", a)]
        size = [len(r["question"]) for r in rows]
        print_apgr("GSM8K (ZeroEval): %s asked, %s beside it, then %s" % (asked, beside, above),
                   [r["right"][asked] for r in rows], [r["right"][above] for r in rows],
                   {"length": size, "agree": [-s for s in agree],
                    "agree, then length": [-s * 1e5 + n for s, n in zip(agree, size)],
                    "arithmetic": [-s for s in sums],
                    "arithmetic, then length": [-s * 1e5 + n for s, n in zip(sums, size)]})
        at_gate("agree", rows, asked, [beside], above, [s < 0.5 for s in agree])
        at_gate("arithmetic", rows, asked, [], above, [s < 1 for s in sums])


def arithmetic_of_the_note():
    """72/20/8 at the note's input prices: what it saves against all on GPT-4o."""
    mix, prices = (72, 20, 8), (0.15, 0.80, 2.50)
    mean = sum(m * p for m, p in zip(mix, prices)) / 100
    print("the note's mix 72/20/8 at $0.15, $0.80, $2.50 a million input tokens: $%.3f, saves %.1f %% of $2.50 (the note: 84); "
          "38,000 becomes %s a month (the note: 6,200)" % (mean, 100 * (1 - mean / prices[2]), format(round(38000 * mean / prices[2]), ",")))
    print("spread: 2.50 / 0.15 = %.1f" % (prices[2] / prices[0]))


def main():
    if not os.path.isdir(os.path.join(DATA, "routing")):
        print("no %s" % os.path.join(DATA, "routing"))
        return
    vectors()
    probe()
    instructions()
    desks()
    routers()
    cascades()
    arithmetic_of_the_note()


if __name__ == "__main__":
    main()
