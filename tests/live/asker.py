#!/usr/bin/python3
"""A process that asks: asker.py EXTENSION DATABASE. A line of JSON in, [sql, parameters …]; a line out: ["rows", [[…], …]] or
["error", text]. What is set up comes first, as lines too."""
import json
import sqlite3
import sys


def run(db, job):
    try:
        return ["rows", db.execute(job[0], job[1:]).fetchall()]
    except sqlite3.Error as e:
        return ["error", str(e)]


def main():
    db = sqlite3.connect(sys.argv[2], isolation_level=None, timeout=30)
    db.enable_load_extension(True)
    db.load_extension(sys.argv[1])
    for line in sys.stdin:
        print(json.dumps(run(db, json.loads(line))), flush=True)


main()
