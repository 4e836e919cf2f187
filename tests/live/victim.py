#!/usr/bin/python3
"""Somebody who opens a file in Python: victim.py EXTENSION. Jobs and answers are those of victim.js."""
import json
import os
import sqlite3
import sys


def text_of(value):
    return value.decode("latin-1") if isinstance(value, bytes) else None if value is None else str(value)


def run(db, sql):
    try:
        rows = db.execute(sql).fetchall()
    except (sqlite3.Error, UnicodeError) as e:
        return ["error", str(e), ""]
    values = [text_of(v) for row in rows for v in row]
    return ["value", values[0] if values else None, "|".join(v or "" for v in values)]


def work(job):
    os.chdir(job["folder"])
    for name in list(os.environ):
        if name.startswith("LLMCOST_") or name == "XDG_STATE_HOME":
            del os.environ[name]
    os.environ.update(job["env"])
    try:
        db = sqlite3.connect(job["file"], isolation_level=None)
        db.enable_load_extension(True)
        db.load_extension(sys.argv[1])
        db.enable_load_extension(False)
    except sqlite3.Error as e:
        return [["error", "opening: " + str(e), ""]]
    db.text_factory = lambda b: b.decode("utf-8", "replace")
    results = [run(db, sql) for sql in job["statements"]]
    db.close()
    return results


for line in sys.stdin:
    child = os.fork()  # what is process-wide, a host that was allowed say, ends with the job
    if not child:
        print(json.dumps(work(json.loads(line))), flush=True)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if status:
        os._exit(128 + (status & 127))
