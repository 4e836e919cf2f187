"""What the order of rows and of fields is worth where a provider bills a repeated prefix less: three made tables, the same
rows in several orders, the bill by the stand-in's books.

  given     rows and fields as the table has them, the text that differs in front
  sorted    the finished prompts sorted: what a user can do without knowing the fields
  global    one order of fields for all rows, by repeated characters: the sum over the values v of a field of
            (count(v) - 1) * length(v), then the rows sorted by that (Liu et al. 2024, arXiv 2403.05821): what llm_map is
            measured against
  llm_map   ours in the order of the table: "fields": true, and "fields": "any", which may choose

OpenAI: every prefix of 1,024 tokens and more, in steps of 128, that was seen. Anthropic: what a cache_control says (1.25
of the price to write, 0.1 to read), from 1,024 tokens on. A prefix is found by requests that come after the first
answer with it has ended, so what is sent at the same time pays for it again. given and sorted have Anthropic's mark
behind the instruction, as a user would have; global has it behind the last field that another row begins alike with.

Usage: bench/prefix.py [TABLE ...] [quick]
"""
import itertools
import json
import os
import random
import re
import sqlite3
import subprocess
import sys
from collections import Counter

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests/live"))
import harness  # noqa: E402

QUICK = "quick" in sys.argv
PART = 10 if QUICK else 1  # a table has one in so many of its rows
MODELS = {"openai": "gpt-5-mini", "anthropic": "claude-sonnet-4-6"}  # both read for a tenth, from FLOOR tokens on
FLOOR = 1024
OUTPUT = 8  # tokens of an answer: a label's
AT_ONCE = [(1, 0), (32, 20)]  # requests, ms latency
MARKS = 4  # Anthropic takes so many cache_control blocks


# ---- tables. A word is a token by the stand-in's rule.

class Words:
    def __init__(self, seed):
        self.r = random.Random(seed)
        parts = ["ba", "ce", "di", "fo", "gu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo", "wu", "za"]
        self.known = ["".join(self.r.choice(parts) for _ in range(self.r.randint(1, 4))) for _ in range(3000)]

    def text(self, least, most=None):
        return " ".join(self.r.choices(self.known, k=self.r.randint(least, most or least)))


def reviews():
    """6,000 reviews of 120 products by 400 customers, as they came in."""
    w = Words(1)
    products = [(w.text(4), w.text(800, 1500)) for _ in range(120)]
    customers = [(w.text(2), w.text(30)) for _ in range(400)]
    rows = []
    for _ in range(6000 // PART):
        product, customer = w.r.choice(products[:120 // PART]), w.r.choice(customers)
        rows.append((w.text(40, 80), w.r.randint(1, 5), *customer, *product))
    return ("review", "rating", "customer", "segment", "product", "description"), rows


def tickets():
    """4,000 tickets, each with the policy that it is to be held against."""
    w = Words(2)
    policies = [(w.text(3), w.text(1500, 3000)) for _ in range(40)]
    rows = [(w.text(60, 120), w.r.choice(["mail", "chat", "phone", "web"]), w.r.choice(["low", "high", "urgent"]),
             *w.r.choice(policies[:40 // PART])) for _ in range(4000 // PART)]
    return ("ticket", "channel", "priority", "title", "policy"), rows


def documents():
    """30 questions to each of 80 documents, question by question."""
    w = Words(3)
    texts, questions = [w.text(2000, 4000) for _ in range(80 // PART)], [w.text(10, 20) for _ in range(30)]
    return ("question", "document"), list(itertools.product(questions, texts))


TABLES = {"products × reviews": reviews, "tickets × policies": tickets, "documents × questions": documents}
INSTRUCTION = Words(4).text(120)


# ---- orders: what is asked, as (name, value) pairs behind the instruction

def given(names, rows):
    return [list(zip(names, row)) for row in rows]


def finished_sorted(names, rows):
    return sorted(given(names, rows), key=lambda pairs: json.dumps(dict(pairs)))


def repeated(column):
    """Characters of a column that stand there once more."""
    return sum((n - 1) * len(str(v)) for v, n in Counter(column).items())


def global_order(names, rows):
    columns = sorted(range(len(names)), key=lambda c: -repeated(row[c] for row in rows))
    return [[(names[c], row[c]) for c in columns] for row in sorted(rows, key=lambda row: [str(row[c]) for c in columns])]


def shared_fields(asked):
    """How many fields of each row some other begins with, too: where Anthropic's mark goes."""
    counts = Counter(tuple(pairs[:n]) for pairs in asked for n in range(1, len(pairs)))
    return [[n for n in range(1, len(pairs)) if counts[tuple(pairs[:n])] > 1] for pairs in asked]


# ---- requests

def openai_body(pairs, _):
    return {"model": MODELS["openai"], "max_completion_tokens": OUTPUT, "messages": [
        {"role": "system", "content": INSTRUCTION}, {"role": "user", "content": json.dumps(dict(pairs))}]}


def anthropic_body(pairs, marks):
    """The row's JSON in blocks, cut behind the fields that others share (none: the mark is the instruction's)."""
    text, blocks, at = json.dumps(dict(pairs)), [], 0
    for n in marks[-MARKS:]:
        end = len(json.dumps(dict(pairs[:n]))) - 1
        blocks.append({"type": "text", "text": text[at:end], "cache_control": {"type": "ephemeral"}})
        at = end
    system = {"type": "text", "text": INSTRUCTION, **({} if blocks else {"cache_control": {"type": "ephemeral"}})}
    return {"model": MODELS["anthropic"], "max_tokens": OUTPUT, "system": [system],
            "messages": [{"role": "user", "content": [*blocks, {"type": "text", "text": text[at:]}]}]}


def run_bare(tmp, standin, api, asked, marks, at_once):
    path = os.path.join(tmp, "bodies")
    make, where = (openai_body, "chat/completions") if api == "openai" else (anthropic_body, "messages")
    with open(path, "w") as f:
        for pairs, shared in zip(asked, marks):
            f.write(json.dumps(make(pairs, shared)) + "\n")
    out = subprocess.run([f"{harness.BUILD}/bench_map", f"{standin.url}/v1/{where}", path, str(at_once)], capture_output=True,
                         text=True, env=harness.clean_env())
    if out.returncode != 0 or int(out.stdout.split()[3]) != len(asked):
        raise SystemExit(out.stdout + out.stderr)


def run_ours(tmp, standin, api, table, at_once, fields):
    """The same by llm_map. Returns None, or why it can't."""
    names, rows = table
    path = os.path.join(tmp, "ours.db")
    for suffix in ("", "-llmcost", "-llmcost-wal", "-llmcost-shm"):
        if os.path.exists(path + suffix):
            os.remove(path + suffix)
    with sqlite3.connect(path) as db:
        db.execute(f"CREATE TABLE t(id INTEGER PRIMARY KEY, {', '.join(names)})")
        db.executemany(f"INSERT INTO t({', '.join(names)}) VALUES ({', '.join('?' * len(names))})", rows)
    db.close()
    options = {"model": MODELS[api], "max_tokens": OUTPUT, "concurrency": at_once, "instruction": INSTRUCTION, "fields": fields}
    sql = (harness.prelude_sql(harness.SO, standin.url) + ".mode list\nSELECT 'seen', count(answer), max(error) FROM "
           f"llm_map('SELECT id, {', '.join(names)} FROM t ORDER BY id', '{json.dumps(options)}');\n")
    out = harness.shell(path, sql)
    seen = re.search(r"^seen\|(\d+)\|(.*)$", out.stdout, re.M)
    if not seen or int(seen.group(1)) != len(rows):
        return (out.stderr.strip() or out.stdout.strip())[-200:]
    return None


# ---- the books

def books(standin):
    """Requests, tokens in all, read from a cache and written to one, and dollars."""
    sums = [0] * 5
    for e in standin.journal():
        for i, x in enumerate((e["billed"], e["input_tokens"], e["cached_tokens"], e["cache_write_tokens"], e["nusd"])):
            sums[i] += x
    return sums[:4] + [sums[4] / 1e9]


def measure(standin, latency, run):
    standin.post("/standin/reset", {})
    standin.post("/standin/cache", {"readable_ms": 0, "floor": FLOOR})
    standin.latency(latency)
    why = run()
    return why if why else books(standin)


def main():
    asked_for = [t for t in TABLES if any(a in t for a in sys.argv[1:])] or list(TABLES)
    print("| table | provider | at once | order | read from cache | written | bill | against given |\n|---|---|---|---|---|---|---|---|")
    with harness.TempDir() as tmp, harness.Standin() as standin:
        for name in asked_for:
            table = TABLES[name]()
            orders = {}
            for order, f in (("given", given), ("sorted", finished_sorted), ("global", global_order)):
                asked = f(*table)
                orders[order] = asked, shared_fields(asked) if order == "global" else [[]] * len(asked)
            for api, (at_once, latency) in itertools.product(MODELS, AT_ONCE):
                runs = {order: lambda o=o: run_bare(tmp, standin, api, *o, at_once) for order, o in orders.items()}
                for fields in (True, "any"):
                    runs[f"llm_map, fields {json.dumps(fields)}"] = (
                        lambda f=fields: run_ours(tmp, standin, api, table, at_once, f))
                base = None
                for order, r in runs.items():
                    got = measure(standin, latency, r)
                    if isinstance(got, str):
                        print(f"| {name} | {api} | {at_once} | {order} | not measured: {got} |")
                        continue
                    _, tokens, cached, written, usd = got
                    base = base or usd
                    print(f"| {name} | {api} | {at_once} | {order} | {100 * cached / tokens:.1f} % | {100 * written / tokens:.1f} % | "
                          f"${usd:.3f} | {100 * (usd / base - 1):+.1f} % |", flush=True)


if __name__ == "__main__":
    main()
