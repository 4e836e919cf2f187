"""Five ledgers to look at, and what is in a report's page.

  empty(folder), desk(folder), imported(folder), year(folder), hostile(folder) -> an open connection over a database there
  document(page) -> the JSON that the page is drawn from
"""
import base64
import functools
import gzip
import json
import os
import random
import re
import sqlite3

from harness import ROOT, TempDir, connect
from ledgers import DAY, HOUR, MINUTE, NOW, WEEK, Ledger, numbered, random_requests

MEASURES = ("n", "calls", "hits_exact", "hits_semantic", "misses", "errors", "unpriced", "input_tokens", "cached_input_tokens",
            "output_tokens", "cost_nusd", "saved_nusd", "latency_ms")

# Texts that end a script, a cell, a string or a line somewhere, or begin something.
HOSTILE = ["</script><script>document.title='owned'</script>", "</SCRIPT\n>", "<!--<script>", "]]>", "\" onmouseover=\"document.title='owned'",
           "' onfocus='x", "\u2028 \u2029", "lone \\", "\\\"", "\u202edesrever\u202c", "\u2066a\u2069", "<img src=x onerror=document.title='owned'>", "a | b || c",
           "![x](http://evil.test/x.png)", "[x](javascript:alert(1))", "http://evil.test www.evil.test a@evil.test", "`code` *b* _i_ ~~s~~ # h", "@everyone #1",
           "=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\"=1+1\"", " =1+1", "a,b", "line\nbreak", "{{data}}", "${x}", "%s%n", "x" * 65536, "nul\x00byte", "", " ",
           "(others)", "(none)", "0", "null", "__proto__", "constructor", "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"), "$1 $& $'"]


def empty(folder):
    return connect(os.path.join(folder, "empty.db"))


def desk(folder):
    """Two months of a support desk, of any mix: hits, refusals, lost answers, retries, gates, batches' prices; limits; an unpriced model."""
    path = os.path.join(folder, "desk.db")
    db = connect(path)
    ledger = Ledger(db, path)
    ledger.write(numbered(random_requests(random.Random(23), ledger, requests=900, days=58)))
    ledger.seal()
    ledger.close()
    db.executescript("INSERT INTO llm_budgets(scope, period, limit_usd) VALUES ('*', 'day', 1), ('*', 'month', 40), ('tag:mail', 'day', 0.2)")
    return db


def imported(folder):
    db = connect(os.path.join(folder, "imported.db"))
    db.execute("SELECT llm_import(?)", (os.path.join(ROOT, "examples/two_months.jsonl"),)).fetchall()
    db.execute("SELECT llm_import(?)", (os.path.join(ROOT, "tests/data/imports"),)).fetchall()
    return db


def put_sums(store, rows):
    """Sums of quarters, and the days and months that they come to."""
    names = ("dimension", "grain", "start", "value", "provider", "service", "source", "billed") + MEASURES
    marks = ", ".join("?" * len(names))
    store.executemany(f"INSERT INTO llm_sums({', '.join(names)}) VALUES ({marks})", rows)
    added = ", ".join(f"sum({m})" for m in MEASURES)
    for grain, start in ((1440, "start - start % 86400000"), (43200, "unixepoch(start / 1000, 'unixepoch', 'start of month') * 1000")):
        store.execute(f"INSERT INTO llm_sums({', '.join(names)}) SELECT dimension, {grain}, {start}, value, provider, service, source, billed, {added}"
                      " FROM llm_sums WHERE grain = 15 GROUP BY 1, 3, 4, 5, 6, 7, 8")


def year_sums(rnd, first, days, calls_a_day, models, tags, users):
    """Rows of sums, as six quarters of each day would have them: of forty kinds of calls each, a model, a tag and a user."""
    none = b""
    for day in range(days):
        for quarter in range(6):
            start, sums = first + day * DAY + quarter * 4 * HOUR, {}
            for _ in range(40):
                n = max(1, int(calls_a_day / 240 * rnd.uniform(0.3, 1.7) * (1 + day / days)))
                hits, tokens = int(n * rnd.uniform(0.1, 0.3)), int(n * rnd.uniform(300, 1500))
                values = [n, n - hits, hits, 0, n - hits, rnd.randrange(n // 50 + 1), 0, tokens, int(tokens * rnd.uniform(0, 0.6)), tokens // rnd.randrange(4, 12),
                          int(tokens * rnd.uniform(150, 2500)), hits * rnd.randrange(10**5, 10**6), n * 400]
                model, tag, user = rnd.choice(models), rnd.choice(tags), rnd.choice(users)
                for key in ((0, none, none), (1, model, "openai"), (2, tag, none), (3, user, none)):
                    sums[key] = [a + b for a, b in zip(sums.get(key, [0] * len(values)), values)]
            for (dimension, value, provider), values in sums.items():
                yield [dimension, 15, start, value, provider, none, none, none, *values]


def year(folder, calls=10_000_000, kept=20_000):
    """A year of ten million calls: rows of the last month, the sums of the rest."""
    path = os.path.join(folder, "year.db")
    db = connect(path)
    ledger, rnd = Ledger(db, path), random.Random(5)
    to = NOW - NOW % DAY
    sealed, first = to - 30 * DAY, to - 365 * DAY
    models = ["gpt-4o", "gpt-4o-mini", "claude-haiku-4-5", "claude-sonnet-4-6", "gemini-2.5-flash", "gpt-4.1-mini", "mistral-large-latest", "gpt-5.6-sol"]
    tags, users = [f"team {i}" for i in range(20)], [f"user {i}" for i in range(40)]
    rows = []
    for i in range(kept):
        rows.append(ledger.call(rnd.choice(models[:4]), {"input": rnd.randrange(500, 3000), "output": rnd.randrange(20, 400)}, ts=sealed + rnd.randrange(30 * DAY),
                                tag=rnd.choice(tags[:9]), user=rnd.choice(users), conversation=f"c{i // 6}", turn=i % 6 + 1))
    ledger.write(rows)
    ledger.seal()
    ledger.store.execute("BEGIN")
    put_sums_before(ledger.store, list(year_sums(rnd, first, 335, calls / 335 / 1.5 / 0.8, models, tags, users)), sealed)
    ledger.store.execute("UPDATE llm_sum_state SET sealed_before = ?", (sealed,))
    ledger.store.execute("COMMIT")
    ledger.close()
    return db


def put_sums_before(store, rows, sealed):
    """The sums of what was trimmed: beside those of what is kept, which stand already (a month may have both)."""
    store.execute("CREATE TEMP TABLE kept AS SELECT * FROM llm_sums")
    store.execute("DELETE FROM llm_sums")
    put_sums(store, rows)
    columns = [r[1] for r in store.execute("PRAGMA table_info(llm_sums)")]
    key, measures = columns[:8], columns[8:]
    added = ", ".join(f"{m} = coalesce(llm_sums.{m}, 0) + coalesce(excluded.{m}, 0)" for m in measures)
    store.execute(f"INSERT INTO llm_sums SELECT * FROM kept WHERE true ON CONFLICT({', '.join(key)}) DO UPDATE SET {added}")


def hostile(folder):
    """Each of HOSTILE as tag, user, model, conversation, error and prompt."""
    path = os.path.join(folder, "hostile.db")
    db = connect(path)
    ledger = Ledger(db, path)
    rows = []
    for i, text in enumerate(HOSTILE):
        ts = NOW - (i % 20) * DAY - HOUR
        usage = {"input": 1000 + i, "output": 100}
        bad = {"tag": text, "user": text, "conversation": text, "prompt_hash": f"{i:032x}", "system_hash": f"{i + 1000:032x}", "system_tokens": 500 + i}
        ledger.text(f"{i:032x}", text)
        ledger.text(f"{i + 1000:032x}", text)
        rows += [ledger.call("gpt-4o", usage, ts=ts + j * MINUTE, turn=j + 1, **bad) for j in range(3)]
        rows.append({**ledger.call("gpt-4o", usage, ts=ts + 4 * MINUTE, **bad), "model": text[:200], "model_requested": text[:200], "cost_nusd": None})
        rows.append({**ledger.lost("gpt-4o", ts=ts + 5 * MINUTE, **bad), "error": text or "timeout"})
        rows.append({**ledger.call("gpt-4o", usage, ts=ts + 6 * MINUTE, **bad), "error": text or "schema", "attempt": 1})
    ledger.write(rows)
    ledger.seal()
    ledger.close()
    return db


@functools.lru_cache(maxsize=None)
def folder_of(name):
    folder = TempDir()
    globals()[name](folder.name).close()
    return folder


def opened(name):
    """A connection to that ledger, which is made once in a process: reports change nothing."""
    return connect(os.path.join(folder_of(name).name, f"{name}.db"))


def report(db, **options):
    return db.execute("SELECT llm_report(?)", (json.dumps(options),)).fetchone()[0]


def document(page):
    packed = re.search(r'<script[^>]*id="data"[^>]*>\s*([A-Za-z0-9+/=\s]*?)\s*</script>', page).group(1)
    return json.loads(gzip.decompress(base64.b64decode(packed)))


def rows_of(figure):
    return [dict(zip(figure["columns"], row)) for row in figure["rows"]]
