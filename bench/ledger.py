#!/usr/bin/python3
"""The views of costs over a ledger of any size, beside DuckDB running the same aggregates over the same rows.

  /usr/bin/python3 bench/ledger.py [CALLS [tickets]]     default 1,000,000; `tickets`: a tag for each call, else 50 tags

Makes a store in a temporary folder, fills its ledger with CALLS rows of one year (1,000 users, 12 models, hits among
them), builds the sums, and times each view and a month of each. DuckDB (npm @duckdb/node-api, where there is npm) reads
the rows from a table of its own and scans: a rollup beside a scan, as the table says.
"""
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
YEAR_MS = 365 * 86400000
NOW = 1795824000000  # 2026-11-28

FILL = """
WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < :calls),
r(n, a, b, c) AS (SELECT n, (n * 2654435761) % 4294967296, (n * 40503 + 12345) % 65536, (n * 7919) % 1000 FROM i)
INSERT INTO llm_calls(request_id, attempt, ts, kind, provider, model_requested, model, tag, user, input_tokens,
                      cached_input_tokens, output_tokens, cost_nusd, saved_nusd, latency_ms, prompt_hash, service)
SELECT printf('%08x-%04x', a, b), iif(c < 300, 0, 1), :from + n * :step, iif(c < 300, 'hit_exact', 'call'),
       'openai', 'model-' || (b % 12), 'model-' || (b % 12),
       iif(:tickets, 'ticket-' || n, 'tag-' || (a % 50)), 'user-' || (a % 1000),
       iif(c < 300, NULL, 200 + b % 3000), iif(c < 300, NULL, b % 200), iif(c < 300, NULL, 20 + a % 700),
       iif(c < 300, 0, 1000 + a % 900000), iif(c < 300, 1000 + a % 900000, NULL), iif(c < 300, 0, 200 + b % 4000),
       printf('%08x%08x%08x%08x', a, b, a, b), 'standard'
FROM r
"""

# What is asked of both; of DuckDB over the rows.
SUMS = """sum(CASE WHEN kind IN ('call', 'batch', 'embed', 'unknown') THEN 1 ELSE 0 END),
sum(CASE WHEN kind LIKE 'hit%' THEN 1 ELSE 0 END), sum(CASE WHEN error IS NOT NULL THEN 1 ELSE 0 END), sum(input_tokens),
sum(output_tokens), sum(cost_nusd) / 1e9, sum(saved_nusd) / 1e9"""
MONTH = "ts >= 1790812800000 AND ts < 1793491200000"
ASKED = [
    ("llm_cost_daily", "SELECT * FROM llm_cost_daily", f"SELECT ts // 86400000, {SUMS} FROM c GROUP BY 1"),
    ("llm_cost_hourly", "SELECT * FROM llm_cost_hourly", f"SELECT ts // 3600000, {SUMS} FROM c GROUP BY 1"),
    ("llm_cost_monthly", "SELECT * FROM llm_cost_monthly", f"SELECT ts // 2592000000, {SUMS} FROM c GROUP BY 1"),
    ("llm_cost_by_model", "SELECT * FROM llm_cost_by_model", f"SELECT model, provider, {SUMS} FROM c GROUP BY 1, 2"),
    ("llm_cost_by_tag", "SELECT * FROM llm_cost_by_tag", f"SELECT tag, {SUMS} FROM c GROUP BY 1"),
    ("llm_cost_by_user", "SELECT * FROM llm_cost_by_user", f"SELECT \"user\", {SUMS} FROM c GROUP BY 1"),
    ("a month by user", "SELECT * FROM llm_cost_by_user WHERE day = '2026-10'",
     f"SELECT \"user\", {SUMS} FROM c WHERE {MONTH} GROUP BY 1"),
    ("a month by day", "SELECT * FROM llm_cost_daily WHERE day >= '2026-10-01' AND day < '2026-11-01'",
     f"SELECT ts // 86400000, {SUMS} FROM c WHERE {MONTH} GROUP BY 1"),
    ("by day in Kolkata", "SELECT * FROM llm_cost_daily", f"SELECT (ts + 19800000) // 86400000, {SUMS} FROM c GROUP BY 1"),
    ("a month by user in Kolkata", "SELECT * FROM llm_cost_by_user WHERE day = '2026-10'",
     f"SELECT \"user\", {SUMS} FROM c WHERE {MONTH} GROUP BY 1"),
    ("llm_cache_stats", "SELECT hits_exact, misses, saved_usd FROM llm_cache_stats",
     "SELECT sum(CASE WHEN kind = 'hit_exact' THEN 1 ELSE 0 END), sum(saved_nusd) FROM c"),
    ("llm_unpriced", "SELECT * FROM llm_unpriced",
     "SELECT model, count(*) FROM c WHERE kind = 'call' AND cost_nusd IS NULL GROUP BY 1"),
    ("llm_retries", "SELECT * FROM llm_retries", "SELECT request_id, max(attempt) FROM c WHERE attempt > 1 GROUP BY 1"),
    ("llm_reported_costs", "SELECT * FROM llm_reported_costs",
     "SELECT model, sum(cost_reported_nusd) FROM c WHERE cost_reported_nusd IS NOT NULL GROUP BY 1"),
    ("one ticket's calls", "SELECT count(*) FROM llm_calls WHERE tag = 'ticket-777' OR tag = 'tag-7' LIMIT 1",
     "SELECT count(*) FROM c WHERE tag = 'ticket-777' OR tag = 'tag-7'"),
]

COLUMNS = ["ts", "kind", "attempt", "request_id", "provider", "model", "tag", "user", "input_tokens", "output_tokens", "cost_nusd",
           "saved_nusd", "cost_reported_nusd", "error"]

NODE = """
const { DuckDBInstance } = require('@duckdb/node-api');
(async () => {
  const asked = JSON.parse(process.argv[2]);
  const c = await (await DuckDBInstance.create(process.argv[4])).connect();
  await c.run(`CREATE TABLE c AS SELECT * FROM read_csv('${process.argv[3]}', header = true, columns = ${process.argv[5]})`);
  const times = [];
  for (const sql of asked) {
    let best = Infinity;
    for (let i = 0; i < 3; i++) {
      const start = process.hrtime.bigint();
      await (await c.runAndReadAll(sql)).getRows();
      best = Math.min(best, Number(process.hrtime.bigint() - start) / 1e6);
    }
    times.push(best);
  }
  console.log(JSON.stringify(times));
})();
"""


def connect(folder):
    db = sqlite3.connect(os.path.join(folder, "desk.db"), isolation_level=None)
    db.enable_load_extension(True)
    db.load_extension(os.path.join(ROOT, "llmcost.so"))
    return db


def fill(folder, calls, tickets):
    """The ledger's rows, then its sums as llm_check makes them."""
    db = connect(folder)
    db.execute("SELECT llm_init()")
    db.execute("SELECT llm_complete('x', '{\"model\":\"nobody\",\"on_error\":\"null\"}')").fetchall()  # makes the store
    db.close()
    store = sqlite3.connect(os.path.join(folder, "desk.db-llmcost"), isolation_level=None)
    store.execute("PRAGMA journal_mode=WAL")
    store.execute("PRAGMA synchronous=OFF")
    start = time.time()
    store.execute(FILL, {"calls": calls, "from": NOW - YEAR_MS, "step": YEAR_MS // calls, "tickets": tickets})
    print(f"{calls:,} rows in {time.time() - start:.1f} s", flush=True)
    store.close()
    db = connect(folder)
    start = time.time()
    report = json.loads(db.execute("SELECT llm_check('{\"repair\":true,\"limit\":0}')").fetchone()[0])
    print(f"sums built in {time.time() - start:.1f} s (llm_check: {report['sums']['days']} days,"
          f" stopped: {report['sums']['stopped']})", flush=True)
    return db


def best_of(db, sql, times=3):
    best = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        rows = len(db.execute(sql).fetchall())
        best = min(best, (time.perf_counter() - start) * 1000)
        if best > 5000:
            break
    return best, rows


def duckdb(folder, asked):
    """Their times in ms, or None where npm has none of it."""
    peers = os.path.join(ROOT, "build", "npm-duckdb")
    os.makedirs(peers, exist_ok=True)
    npm = shutil.which("npm") and subprocess.run(
        ["npm", "i", "--silent", "--no-audit", "--no-fund", "@duckdb/node-api@1.5.6-r.1"], cwd=peers)
    if not npm or npm.returncode != 0:
        return None
    csv = os.path.join(folder, "calls.csv")
    types = {c: "VARCHAR" if c in ("kind", "request_id", "provider", "model", "tag", "user", "error") else "BIGINT" for c in COLUMNS}
    subprocess.run(["sqlite3", "-readonly", "-csv", "-header", os.path.join(folder, "desk.db-llmcost"),
                    f"SELECT {', '.join(COLUMNS)} FROM llm_calls"], stdout=open(csv, "w"), check=True)
    out = subprocess.run(["node", "-e", NODE, "x", json.dumps(asked), csv, os.path.join(folder, "duck.db"),
                          json.dumps(types)], cwd=peers,
                         capture_output=True, text=True)
    os.remove(csv)
    if out.returncode != 0:
        print("duckdb:", out.stderr[-300:])
        return None
    return json.loads(out.stdout)


def main():
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 1000000
    tickets = "tickets" in sys.argv
    folder = tempfile.mkdtemp(prefix="llmcost-bench-")
    os.environ["XDG_STATE_HOME"] = folder
    try:
        db = fill(folder, calls, tickets)
        theirs = None if os.environ.get("NO_DUCKDB") else duckdb(folder, [d for _, _, d in ASKED])
        print(f"| {calls:,} calls{', a tag for each' if tickets else ''} | ours, sums kept, ms | rows | DuckDB, scan, ms | ratio |")
        print("|---|---|---|---|---|")
        for i, (name, sql, _) in enumerate(ASKED):
            db.execute("SELECT llm_config('time_zone', ?)", ("Asia/Kolkata" if "Kolkata" in name else None,)).fetchall()
            ms, rows = best_of(db, sql)
            peer = f"{theirs[i]:.1f} | {theirs[i] / ms:.2f} ×" if theirs else " | "
            print(f"| {name} | {ms:.1f} | {rows:,} | {peer} |", flush=True)
        store = sqlite3.connect(os.path.join(folder, "desk.db-llmcost"))
        size = os.path.getsize(os.path.join(folder, "desk.db-llmcost"))
        counts = store.execute("SELECT dimension, grain, count(*) FROM llm_sums GROUP BY 1, 2").fetchall()
        print(f"store {size / 1e6:,.0f} MB; rows of llm_sums (dimension, minutes, rows): {counts}")
    finally:
        if os.environ.get("KEEP"):
            print(folder)
            return
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
