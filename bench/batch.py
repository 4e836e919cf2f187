"""Batches from a table beside npm openai used as its documentation shows: the same prompts, each with a stand-in of its own, in one
run, taking turns.

  seconds    from the queue (the prompts) to answers in a table; and beyond what the stand-in itself worked meanwhile (its CPU)
  peak       the most memory of its own that a process had
  inserted   rows a second into batch_submit, by one INSERT … SELECT of the shell
  settled    rows a second of a poll that finds the results: judged, priced, in ledger, caches and batch_submit; and of that, what is
             beyond the stand-in's work

Both look each EVERY ms. Prompts are made to a length of BYTES; the payload is about ROWS * BYTES.

Usage: bench/batch.py [quick]        in the environment: ROWS=50000 BYTES=4000 EVERY=200 ROUNDS=1
"""
import json
import os
import re
import sqlite3
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests/live"))
import harness  # noqa: E402

QUICK = "quick" in sys.argv
ROWS = int(os.environ.get("ROWS", 300 if QUICK else 50000))
BYTES = int(os.environ.get("BYTES", 200 if QUICK else 4000))
EVERY = int(os.environ.get("EVERY", 50 if QUICK else 200))
ROUNDS = int(os.environ.get("ROUNDS", 1))
TICK = os.sysconf("SC_CLK_TCK")


def cpu_of(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


class Watch(threading.Thread):
    """The most memory of its own that a process has, looked at every 5 ms; in MiB."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.most, self.over = pid, 0, threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.005):
            try:
                with open(f"/proc/{self.pid}/status") as f:
                    self.most = max([self.most, *map(int, re.findall(r"^RssAnon:\s+(\d+) kB", f.read(), re.M))])
            except OSError:
                return

    def end(self):
        self.over.set()
        self.join()
        return self.most / 1024


def prompts(path):
    words = "the parcel has not arrived yet and nobody can say where it is or when it will come "
    body = words * (BYTES // len(words) + 1)
    with open(path, "w") as f:
        for i in range(ROWS):
            f.write(f"Summarise ticket {i}: {body}"[:BYTES] + "\n")


def shell(db, script):
    """One sqlite3 shell: its output, peak memory."""
    process = subprocess.Popen(["sqlite3", "-batch", db], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               env=harness.clean_env())
    watch = Watch(process.pid)
    out = process.communicate(script)[0]
    peak = watch.end()
    assert process.returncode == 0, out
    return out, peak


def ours(folder, file):
    with harness.Standin() as s:
        s.post("/standin/batch", {"polls": 0, "ms": 1})
        db = os.path.join(folder, "ours.db")
        head = harness.prelude_sql(harness.SO, s.url)
        shell(db, head + f"PRAGMA journal_mode=WAL;\nCREATE TABLE t(p TEXT);\n.mode list\n.separator \x01 \\n\n.import {file} t\n")
        began = time.monotonic()
        shell(db, head + "INSERT INTO batch_submit(prompt, model, options)"
              " SELECT p, 'gpt-4o-mini', '{\"max_tokens\":100}' FROM t;\n")
        worked, queued = cpu_of(s.process.pid), time.monotonic()
        flushed, peak_flush = shell(db, head + "SELECT llm_batch_flush();\n")
        sent = time.monotonic()
        polled, peak_poll = shell(db, head + f"SELECT llm_batch_wait('{{\"every\":{EVERY / 1000}}}');\n")
        ended = time.monotonic()
        own = cpu_of(s.process.pid) - worked
        answered = sqlite3.connect(db).execute("SELECT sum(status = 'done') FROM batch_submit").fetchone()[0]
        assert answered == ROWS, (flushed, polled, answered)
        return {"seconds": ended - queued, "own": own, "flush": sent - queued, "poll": ended - sent,
                "peak": max(peak_flush, peak_poll), "insert": queued - began}


def settle_alone(folder, file):
    """A poll that finds everything: how long, and how long the stand-in worked on it."""
    with harness.Standin() as s:
        s.post("/standin/batch", {"polls": 1000, "ms": 1})
        db = harness.open_desk(os.path.join(folder, "settle.db"), s.url)
        db.execute("PRAGMA journal_mode=WAL")
        with open(file) as f:
            rows = [(line.rstrip("\n"),) for line in f]
        db.execute("BEGIN")
        db.executemany("INSERT INTO batch_submit(prompt, model, options) VALUES (?, 'gpt-4o-mini', '{\"max_tokens\":100}')", rows)
        db.execute("COMMIT")
        db.execute("SELECT llm_batch_flush()").fetchall()
        s.post("/standin/batch", {"polls": 0})
        time.sleep(0.05)
        worked, began = cpu_of(s.process.pid), time.monotonic()
        while not json.loads(db.execute("SELECT llm_batch_poll()").fetchone()[0])["answered"]:
            worked, began = cpu_of(s.process.pid), time.monotonic()
            time.sleep(0.05)
        seconds = time.monotonic() - began
        db.close()
        return seconds, cpu_of(s.process.pid) - worked


def inserted(folder):
    """Rows a second of one INSERT … SELECT, with short prompts."""
    n = 2000 if QUICK else 1000000
    out, _ = shell(os.path.join(folder, "insert.db"), harness.prelude_sql(harness.SO, "http://127.0.0.1:1") + f"""PRAGMA journal_mode=WAL;
CREATE TABLE t(id INTEGER PRIMARY KEY, q TEXT);
INSERT INTO t WITH RECURSIVE g(v) AS (VALUES(1) UNION ALL SELECT v + 1 FROM g WHERE v < {n})
  SELECT v, 'Summarise ticket ' || v || ': the parcel has not arrived yet' FROM g;
.timer on
INSERT INTO batch_submit(prompt, model, tag) SELECT q, 'gpt-4o-mini', 'nightly' FROM t;
""")
    return n / max(float(re.findall(r"real ([\d.]+)", out)[-1]), 1e-9)


def peer(folder, file):
    with harness.Standin() as s:
        s.post("/standin/batch", {"polls": 0, "ms": 1})
        worked = cpu_of(s.process.pid)
        process = subprocess.Popen(["node", "--expose-gc", os.path.join(ROOT, "bench/batch.js"), os.path.join(harness.NPM_DIR, "node_modules"), s.url + "/v1",
                                    file, folder, str(EVERY)], stdout=subprocess.PIPE, text=True, env=harness.clean_env())
        watch = Watch(process.pid)
        out = process.communicate()[0].split()
        peak = watch.end()
        assert process.returncode == 0 and int(out[2]) == ROWS, out
        return {"seconds": float(out[0]), "own": cpu_of(s.process.pid) - worked, "peak": peak}


def has_peer():
    return all(os.path.isdir(os.path.join(harness.NPM_DIR, "node_modules", name)) for name in ("openai", "better-sqlite3"))


def main():
    print(f"{ROWS:,} rows, {BYTES:,} bytes each ({ROWS * BYTES / 1e6:.0f} MB); looked at every {EVERY} ms\n")
    print("| client | seconds | of that beyond the stand-in | peak MiB of its own | flush s | wait s |\n|---|---|---|---|---|---|")
    for _ in range(ROUNDS):
        with harness.TempDir() as folder:
            file = os.path.join(folder, "prompts.txt")
            prompts(file)
            us = ours(folder, file)
            print(f"| llmcost | {us['seconds']:.2f} | {us['seconds'] - us['own']:.2f} | {us['peak']:.0f} | {us['flush']:.2f} | {us['poll']:.2f} |")
            if has_peer():
                them = peer(folder, file)
                print(f"| npm openai | {them['seconds']:.2f} | {them['seconds'] - them['own']:.2f} | {them['peak']:.0f} | | |")
                print(f"\nllmcost : npm openai = {us['seconds'] / them['seconds']:.2f} in seconds, {us['peak'] / them['peak']:.2f} in memory")
            else:
                print("\n(npm openai and better-sqlite3 are not here: make deps-test)")
            seconds, own = settle_alone(folder, file)
            print(f"settled {ROWS / seconds:,.0f} rows a second ({ROWS / max(seconds - own, 1e-9):,.0f} beyond the stand-in's {own:.2f} s)")
            print(f"inserted {inserted(folder):,.0f} rows a second")


main()
