#!/usr/bin/python3
"""llm_cost over a table of models and token counts, beside npm @pydantic/genai-prices in Node: the same million rows, the
same prices (its own data, imported), one core each, in one run. The sums must agree. Usage: prices.py [ROWS]"""
import json
import os
import random
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "live"))
import harness
from test_prices import DUMP, names_of

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
# Reads the rows first, so that only pricing is timed.
NODE = """
import { calcPrice } from '@pydantic/genai-prices';
import { readFileSync } from 'node:fs';
const rows = readFileSync(process.argv[1], 'utf8').trimEnd().split('\\n').map((l) => {
  const [model, provider, input, cached, output] = l.split('\\t');
  return [model, provider, +input, +cached, +output];
});
const timestamp = new Date('2026-06-01T00:00:00Z');
let sum = 0;
const t0 = performance.now();
for (const [model, providerId, input_tokens, cache_read_tokens, output_tokens] of rows)
  sum += calcPrice({ input_tokens, cache_read_tokens, output_tokens }, model, { providerId, timestamp }).total_price;
console.log(JSON.stringify([(performance.now() - t0) / 1000, sum]));
"""


def node(cwd, script, *args):
    out = subprocess.run(["node", "--input-type=module", "-e", script, *args], capture_output=True, text=True, cwd=cwd)
    assert out.returncode == 0, out.stderr
    return json.loads(out.stdout)


def random_rows(providers):
    rng = random.Random(1)
    models = [(n, p["id"]) for p in providers if p["id"] in ("openai", "google", "mistral", "groq", "x-ai", "openrouter")
              for m in p["models"] if "input_mtok" in json.dumps(m["prices"]) and "output_mtok" in json.dumps(m["prices"])
              for n in names_of(m["match"])]
    for _ in range(ROWS):
        model, provider = rng.choice(models)
        tokens = rng.randrange(1, 300_000)
        yield model, provider, tokens, rng.randrange(tokens), rng.randrange(4000)


def timed(db, sql):
    """The best of three, in seconds of processor time, and the value."""
    best = None
    for _ in range(3):
        t0 = time.process_time()
        result = harness.value(db, sql)
        best = min(best or 1e9, time.process_time() - t0)
    return best, result


def main():
    harness.start_npm_install()
    cwd = os.path.join(harness.npm_package("@pydantic/genai-prices"), "../../..")
    providers = node(cwd, DUMP)
    db = harness.connect(":memory:")
    harness.value(db, "SELECT llm_prices_import(?)", json.dumps(providers))
    rows = list(random_rows(providers))
    db.execute("CREATE TABLE t(model, provider, input, cached, output)")
    db.execute("BEGIN")
    db.executemany("INSERT INTO t VALUES (?,?,?,?,?)", rows)
    db.execute("COMMIT")
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as f:
        f.writelines("\t".join(map(str, r)) + "\n" for r in rows)
        f.flush()
        theirs, their_sum = node(cwd, NODE, f.name)
    scan, _ = timed(db, "SELECT sum(input + cached + output) FROM t")
    at = '{"at":"2026-06-01","list":"genai-prices","provider":"openai"}'
    plain, _ = timed(db, f"SELECT sum(llm_cost(model, input, output, '{at}')) FROM t WHERE provider = 'openai'")
    n_plain = harness.value(db, "SELECT count(*) FROM t WHERE provider = 'openai'")
    full, our_sum = timed(db, "SELECT sum(llm_cost(model, input, output, json_object('cached', cached, 'provider', provider,"
                              " 'at', 1780272000000, 'list', 'genai-prices'))) FROM t")
    print(f"rows {ROWS:,}, models {len({r[:2] for r in rows})}")
    print(f"{'scan of the table alone':58} {ROWS / scan:14,.0f} rows/s")
    print(f"{'llm_cost(model, input, output, constant options)':58} {n_plain / plain:14,.0f} rows/s")
    print(f"{'llm_cost(…, json_object(cached, provider, at)) per row':58} {ROWS / full:14,.0f} rows/s")
    print(f"{'genai-prices calcPrice() in Node ' + node(cwd, 'console.log(JSON.stringify(process.version))'):58} "
          f"{ROWS / theirs:14,.0f} rows/s")
    print(f"ratio: {theirs / ROWS / (plain / n_plain):.0f} x with constant options, {theirs / full:.1f} x with an options object per row")
    print(f"sums: {our_sum:.6f} and {their_sum:.6f}, {abs(our_sum - their_sum) / their_sum:.1e} apart")


main()
