#!/usr/bin/python3
"""Questions about spending over a large ledger: llm_drift, llm_savings, llm_advise, … beside one pass of SQL over the same rows.

  /usr/bin/python3 bench/audit.py [CALLS]     default 1,000,000

Makes a store in a temporary folder with CALLS rows of two months (500 users, four models, system prompts, conversations,
retries, hits, cached tokens, batches), and times each question. The peer is the `sqlite3` shell on the store's own file,
grouping the same rows by model in one statement: nobody else answers these questions from a ledger, so what stands
beside them is the least that reading it costs.
"""
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

from ledger import best_of, connect

FROM, STEP_MS = 1788220800000, 61 * 86400000  # 2026-09-01, two months

FILL = """
WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < :calls),
r(n, a, b, c, late) AS (SELECT n, (n * 2654435761) % 4294967296, (n * 40503 + 12345) % 65536, (n * 7919) % 1000, 2 * n > :calls FROM i),
k(n, a, b, c, late, kind, model, system, history, own, out, reads, attempt) AS (
SELECT n, a, b, c, late, iif(c < 200, 'hit_exact', iif(c < 260, 'batch', 'call')),
       CASE WHEN b % 100 < 10 + 25 * late THEN 'gpt-4o' WHEN b % 100 < 70 THEN 'gpt-4o-mini' WHEN b % 100 < 90 THEN 'claude-haiku-4-5'
            ELSE 'claude-sonnet-4-6' END,
       800 + 1200 * late, b % 900, 40 + a % 300, 20 + a % 700, iif(a % 3 = 0, 800, 0), iif(c > 950 AND late, 2, 1) FROM r)
INSERT INTO llm_calls(request_id, attempt, ts, kind, provider, model_requested, model, tag, user, conversation, turn, system_hash, system_tokens,
                      history_tokens, input_tokens, cached_input_tokens, output_tokens, cost_nusd, list_nusd, saved_nusd, latency_ms, prompt_hash,
                      service, retry_reason, usage)
SELECT printf('%08x-%04x', a, b), iif(kind = 'hit_exact', 0, attempt), :from + n * :step, kind,
       iif(kind = 'hit_exact', NULL, iif(model LIKE 'claude%', 'anthropic', 'openai')), model, iif(kind = 'hit_exact', NULL, model),
       'tag-' || (a % 50), 'user-' || (a % (300 + 200 * late)), 'talk-' || (n / 5), n % 5 + 1, printf('%032x', a % 50 + 50 * late),
       iif(kind = 'hit_exact', NULL, system), iif(kind = 'hit_exact', NULL, history), iif(kind = 'hit_exact', NULL, system + history + own),
       iif(kind = 'hit_exact', NULL, reads), iif(kind = 'hit_exact', NULL, out), iif(kind = 'hit_exact', 0, 1), NULL,
       iif(kind = 'hit_exact', 1000000 + a % 900000, NULL), 300, printf('%08x%08x%08x%08x', a, b % 20000, a, b % 20000),
       iif(kind = 'batch', 'batch', 'standard'), iif(attempt > 1, 'invalid_answer', NULL),
       iif(kind = 'hit_exact', NULL, printf('{"input":%d,"cache_read":%d,"output":%d%s}', system + history + own, reads, out,
                                            iif(kind = 'batch', ',"service":"batch"', '')))
FROM k
"""

QUESTIONS = [
    ("llm_drift, a month and the one before", "SELECT * FROM llm_drift('2026-10')"),
    ("llm_drift, by tag", "SELECT * FROM llm_drift('2026-10', '{\"by\":\"tag\"}')"),
    ("llm_drift, two tags", "SELECT * FROM llm_drift('tag:tag-7', 'tag:tag-8')"),
    ("llm_savings", "SELECT * FROM llm_savings"),
    ("llm_prefix_cache", "SELECT * FROM llm_prefix_cache"),
    ("llm_conversations", "SELECT count(*), sum(inflated_usd) FROM llm_conversations"),
    ("llm_system_prompts", "SELECT * FROM llm_system_prompts"),
    ("llm_retries", "SELECT count(*), sum(wasted_usd) FROM llm_retries"),
    ("llm_selfhost", "SELECT * FROM llm_selfhost('{\"serverless\":\"groq/llama-3.1-8b-instant\"}')"),
    ("llm_finetune", "SELECT * FROM llm_finetune('{\"to\":\"gpt-4o-mini\",\"setup_usd\":200}')"),
    ("llm_advise", "SELECT * FROM llm_advise('{\"from\":\"2026-09-01\",\"to\":\"2026-11-01\"}')"),
    ("llm_report, all of these and more", "SELECT length(llm_report('{\"period\":\"2026-10\"}'))"),
]
PEER = "SELECT model, kind, count(*), sum(cost_nusd), sum(input_tokens), sum(output_tokens), sum(length(usage)) FROM llm_calls GROUP BY 1, 2"


def fill(folder, calls):
    """The ledger's rows at their prices, as llm_cost has them, and its sums."""
    db = connect(folder)
    db.execute("SELECT llm_init()")
    db.execute("SELECT llm_complete('x', '{\"model\":\"nobody\",\"on_error\":\"null\"}')").fetchall()  # makes the store
    store = sqlite3.connect(os.path.join(folder, "desk.db-llmcost"), isolation_level=None)
    store.execute("PRAGMA synchronous=OFF")
    store.execute(FILL, {"calls": calls, "from": FROM, "step": STEP_MS // calls})
    for model in ("gpt-4o", "gpt-4o-mini", "claude-haiku-4-5", "claude-sonnet-4-6"):
        fresh, read, out = (db.execute("SELECT llm_price(?, ?)", (model, kind)).fetchone()[0] for kind in ("input", "cache_read", "output"))
        store.execute("UPDATE llm_calls SET cost_nusd = CAST(round((? * (input_tokens - cached_input_tokens) + ? * cached_input_tokens"
                      " + ? * output_tokens) * 1000 * iif(kind = 'batch', 0.5, 1)) AS INTEGER) WHERE model = ? AND kind IN ('call', 'batch')",
                      (fresh, read, out, model))
    store.execute("UPDATE llm_calls SET list_nusd = cost_nusd WHERE kind IN ('call', 'batch')")
    store.close()
    db.execute("SELECT llm_check('{\"repair\":true,\"limit\":0}')").fetchone()
    return db


def shell_ms(path):
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run(["sqlite3", "-readonly", path, PEER], stdout=subprocess.DEVNULL, check=True)
        best = min(best, (time.perf_counter() - start) * 1000)
    return best


def main():
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 1000000
    folder = tempfile.mkdtemp(prefix="llmcost-bench-")
    os.environ["XDG_STATE_HOME"] = folder
    try:
        db = fill(folder, calls)
        peer = shell_ms(os.path.join(folder, "desk.db-llmcost"))
        print(f"| {calls:,} calls | ms | rows | one GROUP BY of the sqlite3 shell, ms | ratio |")
        print("|---|---|---|---|---|")
        for name, sql in QUESTIONS:
            ms, rows = best_of(db, sql)
            print(f"| {name} | {ms:,.0f} | {rows:,} | {peer:,.0f} | {ms / peer:.1f} × |", flush=True)
        assert db.execute("SELECT sum(change_nusd) IS (SELECT sum(cost_nusd * iif(ts >= 1790812800000, 1, -1)) FROM llm_calls"
                          " WHERE ts >= 1788220800000 AND ts < 1793491200000) FROM llm_drift('2026-10')").fetchone()[0]
    finally:
        if os.environ.get("KEEP"):
            print(folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
