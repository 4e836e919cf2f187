"""Whether what a question asks for survives compression, beside truncation and BM25 alone; what white space and repetitions are
worth; how fast it is.

    make bench-compress         everything, from ../shared/data
    bench/compress.py quick     a few cases
    bench/compress.py tune      the cases that weights may be chosen on (other passages and other facts than those reported)

A case is a passage of 8 to 30 sentences, a made sentence with a fact at a random place, and a question of whose words at most half
stand in that sentence. The passage is compressed to half and to three tenths of its tokens (o200k); the fact survives if its sentence
is there whole. Intervals: Wilson, 95 %. Facts that share words with their question and those that share none but grammar are
reported apart. Three sets: `tune`, on which weights were chosen; `seen`, kept for the figures, but its misses showed two faults in how sentences
are told apart, which were mended; `unseen`, other facts and passages, whose misses were looked at once later, and two mends made with them in view;
`fresh`, the facts of both in passages drawn since.
"""
import json
import math
import os
import random
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
DATA = os.path.join(os.environ.get("SHARED", os.path.join(ROOT, "..", "shared")), "data", "routing")
QUICK = "quick" in sys.argv[1:]
TUNE = "tune" in sys.argv[1:]
CASES = 40 if QUICK else 500
HOWS = ("bm25", "words", "cosine")
RATIOS = (0.5, 0.3)

# {e}: a made name, {n}: a number, {d}: a date, {p}: a person. Sentence, question.
FACTS_TO_TUNE = [
    ("The {e} pump was delivered on {d}.", "When did the {e} arrive?"),
    ("Customers of {e} pay {n} euros a month.", "How much does {e} cost?"),
    ("{p} founded the {e} workshop in a garage.", "Who started {e}?"),
    ("The warranty of the {e} lasts {n} months.", "For how long is the {e} guaranteed?"),
    ("Its {e} office employs {n} people.", "How many staff work at {e}?"),
    ("Parcels to {e} take {n} business days.", "How long does shipping to {e} need?"),
    ("The password of the {e} gate is changed every {n} weeks.", "How often do we get a new code for {e}?"),
    ("Returns of {e} shoes are accepted within {n} days.", "Until when can I send back {e} boots?"),
    ("The {e} river is {n} kilometres long.", "What length has the stream {e}?"),
    ("{p} signed the {e} contract for the buyer.", "Whose signature is on the paper with {e}?"),
    ("A ticket for the {e} festival costs {n} dollars.", "What is the price of entry at {e}?"),
    ("The committee moved the {e} meeting to {d}.", "What date was chosen for {e}?"),
    ("The {e} engine weighs {n} kilograms.", "How heavy is the motor of {e}?"),
    ("Invoice {n} from {e} was never paid.", "Which bill of {e} is still open?"),
    ("{p} will replace the head of {e} next year.", "Who is the successor at {e}?"),
    ("In {e} the shop closes at {n} o'clock.", "When does the store in {e} shut?"),
    ("The minimum age for the {e} course is {n}.", "How old must I be for {e}?"),
    ("They stored {n} litres of water in {e}.", "What volume was kept at {e}?"),
    # Words in common: grammar at most.
    ("Shipments leave the warehouse {n} hours after payment.", "How fast are orders dispatched?"),
    ("{p} painted the ceiling of the chapel.", "Which artist decorated the church?"),
    ("The lift carries at most {n} persons.", "What is the capacity of the elevator?"),
    ("Employees get {n} days of vacation.", "How much holiday do staff receive?"),
]
FACTS = [
    ("The {e} bridge was opened on {d}.", "Since when can cars use {e}?"),
    ("Subscribers of {e} are charged {n} pounds each year.", "What is the annual fee for {e}?"),
    ("{p} discovered the {e} cave while hiking.", "Who found {e}?"),
    ("The battery of the {e} holds for {n} hours.", "How long can I use the {e} without charging?"),
    ("The {e} library owns {n} books.", "How big is the collection in {e}?"),
    ("Refunds for {e} bookings arrive after {n} days.", "How long until I get my money back from {e}?"),
    ("The filter of the {e} has to be replaced after {n} cycles.", "When does {e} need a new cartridge?"),
    ("The {e} tower has a height of {n} metres.", "How tall is {e}?"),
    ("{p} wrote the report on {e}.", "Who is the author of the {e} document?"),
    ("The deadline for {e} applications is {d}.", "By what date must I apply to {e}?"),
    ("The {e} lorry can load {n} tonnes.", "What weight may {e} carry?"),
    ("Order {n} was shipped to {e} by mistake.", "Which parcel went wrongly to {e}?"),
    ("{p} sold the house in {e}.", "Who was the previous owner of the {e} home?"),
    ("Breakfast in the {e} hotel starts at {n} o'clock.", "What time is the morning meal at {e}?"),
    ("The fine for parking at {e} is {n} francs.", "What does it cost to leave a car in {e} illegally?"),
    ("A loan from {e} has to be repaid in {n} years.", "What is the term of credit at {e}?"),
    # Words in common: grammar at most.
    ("Complaints are answered in {n} hours.", "How quickly does support reply?"),
    ("{p} composed the opera.", "Which musician created this work?"),
    ("The car park has room for {n} vehicles.", "How many automobiles fit?"),
    ("Apprentices earn {n} crowns.", "What salary do trainees receive?"),
]
# Nothing was changed on these.
FACTS_UNSEEN = [
    ("The {e} ferry leaves at {n} past noon.", "What time does the boat to {e} depart?"),
    ("{p} directs the choir of {e}.", "Who is the conductor in {e}?"),
    ("Membership at {e} is {n} dollars per quarter.", "How much must I pay to join {e}?"),
    ("The {e} treaty was ratified on {d}.", "When did {e} become law?"),
    ("A {e} crate holds {n} bottles.", "How many flasks fit in one {e} box?"),
    ("{p} repaired the clock in {e}.", "Whose work fixed the timepiece of {e}?"),
    ("The {e} reservoir contains {n} cubic metres.", "What is the capacity of {e}?"),
    ("Claims against {e} expire after {n} days.", "Until when may one sue {e}?"),
    ("The {e} glacier shrinks by {n} metres every year.", "How fast does {e} retreat?"),
    ("{p} donated the statue to {e}.", "Who gave {e} its sculpture?"),
    # Words in common: grammar at most.
    ("Visitors must book {n} days ahead.", "How early is a reservation needed?"),
    ("Interns receive {n} euros.", "What is the pay of trainees?"),
]
# Of each set: facts, files of passages, seed.
SETS = {"tune": (FACTS_TO_TUNE, ["llmrouter_train.jsonl"], 5),
        "seen": (FACTS, ["ra_claude-3-haiku-20240307.jsonl", "llmrouter_train.jsonl"], 20261129),
        "unseen": (FACTS_UNSEEN, ["mmlu_tune.jsonl"], 777),
        "fresh": (FACTS_UNSEEN + FACTS, ["ra_claude-3-haiku-20240307.jsonl", "llmrouter_train.jsonl", "mmlu_tune.jsonl"], 20261130)}
NAMES = ["Korvel", "Trandis", "Belmora", "Quinto", "Astrel", "Varnholt", "Ostwin", "Lindqua", "Meravo", "Pelstrad", "Zenthar", "Hovelin"]
PEOPLE = ["Mara Ellingsen", "Tobias Renk", "Ifeoma Adeyi", "Luca Ferrant", "Sunita Rao", "Jonas Wexler", "Petra Vaslov", "Omar Haddick"]
MONTHS = "January February March April May June July August September October November December".split()
STOP = set("a an the of in on at to for is are was were be do does did how much many long what when who which whose by with from it its "
           "can i my me we you this that must may has have had and or not until since old big tall next after while still".split())


def passages(of):
    """Sentences of each passage of a set."""
    out, seen = [], set()
    for name in SETS[of][1]:
        with open(os.path.join(DATA, name), encoding="utf-8") as f:
            rows = [json.loads(line) for line in f if line.strip()]
        for i, row in enumerate(rows):
            text = row.get("question") or row.get("prompt")
            if name.startswith("llm") and (i % 5 == 0) == (of == "tune"):  # four fifths to tune on, one to report on
                continue
            if name.startswith("ra_"):
                found = re.search(r"(?:Context|Passage):\s*(.*?)(?:\n\s*Question:|$)", text, re.S)
                text = found.group(1) if found else ""
            body = re.sub(r"\s+", " ", text)
            body = re.sub(r"([a-z]{3}[.!?])(?=[A-Z][a-z])", r"\1 ", body) if name.startswith(("llm", "ra_")) else body
            sentences = [s for s in re.split(r"(?<=[.!?]) (?=[A-Z])", body) if 25 <= len(s) <= 400 and "?" not in s]
            key = " ".join(sentences)[:200]
            if len(sentences) >= 8 and key not in seen:
                seen.add(key)
                out.append(sentences)
    return out


def words(text):
    return re.findall(r"[a-z0-9]+", text.lower())


def cases(of):
    facts, pool, rng = SETS[of][0], passages(of), random.Random(SETS[of][2])
    rng.shuffle(pool)
    for i in range(CASES):
        sentences = pool[i % len(pool)]
        n = rng.randint(8, min(30, len(sentences)))
        at = rng.randrange(len(sentences) - n + 1)
        chosen = sentences[at:at + n]
        fact, question = facts[i % len(facts)]
        made = dict(e=rng.choice(NAMES), n=str(rng.choice([7, 12, 18, 23, 37, 45, 90, 140, 365, 2750])), p=rng.choice(PEOPLE),
                    d="%d %s %d" % (rng.randint(1, 28), rng.choice(MONTHS), rng.randint(1990, 2024)))
        fact, question = fact.format(**made), question.format(**made)
        asked = words(question)
        shared = [w for w in asked if w in words(fact)]
        assert 2 * len(shared) <= len(asked), (fact, question)
        chosen.insert(rng.randrange(n + 1), fact)
        yield " ".join(chosen), question, fact, bool(set(shared) - STOP)


def ask(what, records, *args):
    data = b"".join(r.encode("utf-8", "replace").replace(b"\0", b" ") + b"\0" for r in records)
    done = subprocess.run([os.path.join(ROOT, "build/bench_compress"), what, *args], input=data, stdout=subprocess.PIPE, check=True)
    return done.stdout.decode()


def wilson(k, n):
    if n == 0:
        return float("nan"), float("nan")
    z, p = 1.959964, k / n
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def report(title, kept):
    """kept: (survived, shares words) of each case."""
    cells = []
    for want in (None, True, False):
        rows = [k for k, shares in kept if want is None or shares == want]
        low, high = wilson(sum(rows), len(rows))
        cells.append("%5.1f %% (%.1f to %.1f, %d)" % (100 * sum(rows) / max(1, len(rows)), 100 * low, 100 * high, len(rows)))
    print("%-28s all %s | words in common %s | none %s" % (title, *cells))


def truncated(text, ratio):
    """The front of it: its share of the words."""
    parts = text.split(" ")
    return " ".join(parts[:int(len(parts) * ratio)])


def survival(of):
    made = list(cases(of))
    flat = [x for text, question, _, _ in made for x in (text, question)]
    before = list(map(int, ask("tokens", [c[0] for c in made]).split()))
    for ratio in RATIOS:
        report("%s: truncation %.1f" % (of, ratio), [(c[2] in truncated(c[0], ratio), c[3]) for c in made])
        for how in HOWS:
            texts = ask("extract", flat, str(ratio), how).split("\0")[:-1]
            after = list(map(int, ask("tokens", texts).split()))
            assert len(texts) == len(made) and all(a <= max(1, ratio * b) for a, b in zip(after, before))
            report("%s: %s %.1f" % (of, how, ratio), [(c[2] in t, c[3]) for c, t in zip(made, texts)])
            if "misses" in sys.argv and how == "words":
                for c, t in zip(made, texts):
                    if c[2] not in t:
                        print("   ", c[2], "|", c[1])


def whole():
    """What is saved of prompts as people wrote them, by method."""
    with open(os.path.join(DATA, "ra_claude-3-haiku-20240307.jsonl"), encoding="utf-8") as f:
        prompts = [json.loads(line)["question"] for line in f][:80 if QUICK else None]
    before = sum(map(int, ask("tokens", prompts).split()))
    for name, methods in (("space", 1), ("json", 2), ("examples", 8), ("repeats", 16), ("filler", 32), ("all", 63)):
        after = sum(map(int, ask("tokens", ask("whole", prompts, str(methods)).split("\0")[:-1]).split()))
        print("prompts of RouterArena, %-8s %d -> %d tokens (%.2f %%)" % (name, before, after, 100 * (before - after) / before))


def written():
    """The same of prompts that were written for the tests: those in which something was planted, and the clean ones."""
    texts = {True: [], False: []}
    for name in ("tuned", "unseen"):
        with open(os.path.join(ROOT, "tests/data/prompts", name + ".txt"), encoding="utf-8") as f:
            for one in f.read().split("@@ ")[1:]:
                lines = one.split("\n")[1:]
                texts[any(line.startswith("@ ") for line in lines)].append("\n".join(line for line in lines if not line.startswith("@ ")).strip())
    for planted, some in texts.items():
        counts = [list(map(int, ask("tokens", t).split())) for t in (some, ask("whole", some, "63").split("\0")[:-1])]
        shares = sorted(100 * (1 - b / a) for a, b in zip(*counts))
        print("prompts written for the tests, %-12s %3d: %5d -> %5d tokens (%.1f %%), each %.1f to %.1f %%" % (
            "with faults" if planted else "clean", len(some), sum(counts[0]), sum(counts[1]), 100 * (1 - sum(counts[1]) / sum(counts[0])), shares[0], shares[-1]))


def speed():
    with open(os.path.join(DATA, "llmrouter_train.jsonl"), encoding="utf-8") as f:
        text = "\n\n".join(json.loads(line)["question"] for line in f)[:(100 if QUICK else 1000) * 1000]
    for name, methods in (("space", 1), ("json", 2), ("examples", 8), ("repeats", 16), ("filler", 32), ("extract to half", 64), ("all", 127)):
        seconds, n, after, tokens, left = ask("speed", [text], str(methods), "0.5").split()
        print("%-16s %6.1f MB/s (%s bytes -> %s, %s tokens -> %s)" % (name, int(n) / 1e6 / float(seconds), n, after, tokens, left))


if __name__ == "__main__":
    if not os.path.exists(os.path.join(DATA, "llmrouter_train.jsonl")):
        sys.exit("skipped: no data in " + DATA)
    for name in ("tune",) if TUNE else ("seen", "unseen", "fresh"):
        survival(name)
    if not TUNE:
        whole()
        written()
        speed()
