"""Asks at times that are not now: `python3 later.py URL STEPS`, under libfaketime (tests/live/test_prompt_cache_by_itself.py).

STEPS is JSON: [[seconds since the last step, "llm_complete" or "llm_chat", prompt, options], …]. The clock of this process goes on so much between two steps, and the
one of the stand-in's prompt cache. Prints, as JSON, for each call [fresh, read, written] tokens, and its cost in nano-dollars; and what the provider bills."""
import json
import os
import sys
import urllib.request

from harness import connect, setup_sql


def post(url, path, body):
    urllib.request.urlopen(urllib.request.Request(url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}), timeout=10).read()


def main():
    url, steps = sys.argv[1], json.load(open(sys.argv[2], encoding="utf-8"))
    db = connect(sys.argv[3])
    for statement in setup_sql(url):
        db.execute(statement).fetchall()
    seconds = 0
    for pause, function, prompt, options in steps:
        seconds += pause
        with open(os.environ["FAKETIME_TIMESTAMP_FILE"], "w", encoding="utf-8") as f:
            f.write(f"+{seconds}")
        post(url, "/standin/cache", {"later_ms": 1000 * pause})
        db.execute(f"SELECT {function}(?, ?)", (prompt, json.dumps(options))).fetchall()
    rows = db.execute("SELECT input_tokens - cached_input_tokens - cache_write_tokens, cached_input_tokens, cache_write_tokens, cost_nusd, ts FROM llm_calls"
                      " WHERE kind = 'call' ORDER BY id").fetchall()
    bill = json.load(urllib.request.urlopen(url + "/standin/bill", timeout=10))["total_nusd"]
    prefix = db.execute("SELECT gained_usd, lost_usd, net_usd, hits, min_tokens FROM llm_prefix_cache WHERE who = 'ours'").fetchall()
    print(json.dumps({"calls": rows, "bill": bill, "prefix": prefix}))


main()
