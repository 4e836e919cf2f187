"""Batches under kill -9: one process flushes, two poll, and any of them dies at any moment. Each row is paid for and answered once.

A killed process leaves a batch anywhere between its intent and its last answer in the table (store/batches/batches.h); who comes next goes
on with it. LLMCOST_KILLS (in all), LLMCOST_ROWS (of a life) and LLMCOST_LIVES: more of it; LLMCOST_SEED: other moments.
"""
import collections
import json
import os
import random
import sqlite3
import subprocess
import sys
import time
import unittest
import urllib.request

from harness import Standin, TempDir, connect, leave_midnight, open_desk, setup_sql, value

MODELS = ("gpt-4o-mini", "claude-haiku-4-5")  # of files and a mark; of one request, found again by time and size
# Of ten rows the last asks what the one before it does.
FILL = ("WITH RECURSIVE n(i) AS (SELECT :first UNION ALL SELECT i + 1 FROM n WHERE i < :last), q(i, q) AS (SELECT i, i - (i % 10 = 9) FROM n)"
        f" INSERT INTO batch_submit(id, prompt, model, tag, custom_id) SELECT i, 'Question ' || q || char(10) || '@say: a-' || q,"
        f" CASE WHEN q / 10 % 2 THEN '{MODELS[0]}' ELSE '{MODELS[1]}' END, 't' || (i % 3), 'a-' || q FROM q")
CHILD = """
import os, sqlite3, sys, time
from harness import connect, setup_sql, value
path, url, stop, sql, *settings = sys.argv[1:]
db = connect(path, timeout=30)
for s in settings + setup_sql(url)[:-2]:
    db.execute(s).fetchall()
while not os.path.exists(stop):
    try:
        value(db, sql)
    except sqlite3.Error as e:
        print(e, flush=True)
    time.sleep(0.01)
"""
OPEN = "status IN ('queued', 'sending', 'submitted')"


class Life:
    """A database, its provider, and three processes that work on its queue."""

    def __init__(self, test, standin, folder, batch_rows, settings):
        self.test, self.standin, self.folder, self.batch_rows = test, standin, folder, batch_rows
        self.path, self.stop, self.rows = os.path.join(folder, "desk.db"), os.path.join(folder, "stop"), 0
        self.settings = settings
        self.store_path = self.path if settings else self.path + "-llmcost"
        self.db = connect(self.path, timeout=30)
        for sql in (*settings, *setup_sql(standin.url)):
            self.db.execute(sql).fetchall()
        self.db.execute("INSERT INTO llm_budgets(scope, period, limit_usd) VALUES ('*', 'day', 1000), ('tag:*', 'total', 500)")
        self.store = None
        self.kills = collections.Counter()  # by moment; "+": the moment was met
        self.log = open(os.path.join(folder, "log"), "a+")
        poll = "SELECT llm_batch_poll()"
        self.sql = [self.flush_sql(), poll, poll]
        self.children = [self.start(sql) for sql in self.sql]

    def flush_sql(self):
        return f"SELECT llm_batch_flush('{{\"max_requests\":{self.batch_rows}}}')"

    def start(self, sql):
        env = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.abspath(__file__))}
        return subprocess.Popen([sys.executable, "-c", CHILD, self.path, self.standin.url, self.stop, sql, *self.settings], env=env,
                                stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def add(self, rows):
        if rows > 0:
            self.db.execute(FILL, {"first": self.rows + 1, "last": self.rows + rows})
        self.rows += rows

    def in_store(self, sql):
        """What the store says, 0 while there is none."""
        try:
            self.store = self.store or sqlite3.connect(f"file:{self.store_path}?mode=ro", uri=True)
            return self.store.execute(sql).fetchone()[0] or 0
        except sqlite3.OperationalError:
            return 0

    def provider(self):
        return self.standin.get("/standin/batches")

    # ---- moments

    def await_(self, is_there):
        until = time.monotonic() + 1.5
        while not is_there() and time.monotonic() < until:
            time.sleep(0.0005)

    def at_anywhere(self):
        time.sleep(random.uniform(0, 0.5))

    def at_uploaded(self):
        """Its file is there, the batch is not: creates are told that there is no such file yet."""
        self.standin.post("/standin/batch", {"late_file": 1})
        before = self.provider()["steps"]["create"]
        self.await_(lambda: self.provider()["steps"]["create"] > before)

    def at_created(self):
        before = self.provider()["batches"]["made"]
        self.await_(lambda: self.provider()["batches"]["made"] > before)

    def at_lost(self):
        """It is there, and its answer was lost: the flush looks for it."""
        self.standin.post("/standin/batch", {"at": {"create": "rst-after"}})
        self.at_created()
        time.sleep(random.uniform(0, 0.5))

    def at_settled(self):
        """The store has answers that the table has not."""
        self.await_(lambda: self.in_store("SELECT max(untold) FROM llm_batches"))

    # ---- kills

    def may_kill_flusher(self):
        """Spared while a row had two attempts: a kill may cost it its third, and one that was killed three times is over, by design."""
        return value(self.db, "SELECT count(*) FROM batch_submit WHERE status IN ('queued', 'sending') AND attempts >= 2") == 0

    def kill(self, moment):
        moment = moment if self.may_kill_flusher() else "settled"
        victims = {"anywhere": [random.randrange(3)], "settled": [1, 2]}.get(moment, [0])
        getattr(self, "at_" + moment)()
        for i in victims:
            self.children[i].kill()
            self.children[i].wait()
            self.kills[moment] += 1
            self.kills[moment + "+"] += self.was_met(moment)
            self.children[i] = self.start(self.sql[i])
        self.standin.post("/standin/batch", {"late_file": None, "at": {}})

    def was_met(self, moment):
        if moment == "settled":
            return self.in_store("SELECT max(untold) FROM llm_batches") > 0
        return self.in_store("SELECT count(*) FROM llm_batches WHERE state = 'begun'") > 0 if moment != "anywhere" else 0

    def end(self):
        """The processes end by themselves; what they left is brought to its end."""
        with open(self.stop, "w"):
            pass
        for child in self.children:
            child.wait(60)
        until = time.monotonic() + 150
        while value(self.db, f"SELECT count(*) FROM batch_submit WHERE {OPEN}") and time.monotonic() < until:
            value(self.db, self.flush_sql())
            value(self.db, "SELECT llm_batch_poll()")
            time.sleep(0.05)
        value(self.db, "SELECT llm_batch_wait('{\"timeout\":60}')")

    def close(self):
        for child in self.children:
            child.kill()
            child.wait()
        self.db.close()
        if self.store:
            self.store.close()
        self.log.close()

    # ---- what must be so

    def check(self):
        t = self.test
        t.assertEqual(self.db.execute("SELECT status, count(*), min(error) FROM batch_submit GROUP BY 1").fetchall(),
                      [("done", self.rows, None)], self.batches())
        t.assertEqual(value(self.db, "SELECT count(*) FROM batch_submit WHERE answer IS NOT custom_id"), 0, "another row's answer")
        t.assertLessEqual(value(self.db, "SELECT max(attempts) FROM batch_submit"), 3)
        self.check_money()
        self.check_provider()
        self.check_rest()

    def check_money(self):
        t = self.test
        paid = collections.Counter(e["prompt"] for e in self.standin.journal() if e["billed"])
        t.assertEqual({p: n for p, n in paid.items() if n != 1}, {}, self.batches())
        t.assertEqual(len(paid), value(self.db, "SELECT count(DISTINCT prompt) FROM batch_submit"))
        bill = self.standin.bill()["total_nusd"]
        t.assertEqual(value(self.db, "SELECT sum(cost_nusd) FROM llm_calls"), bill)
        t.assertEqual(round(value(self.db, "SELECT sum(cost_usd) FROM batch_submit") * 1e9), bill)
        t.assertEqual(self.db.execute("SELECT batch_id, request_id, count(*) FROM llm_calls GROUP BY 1, 2 HAVING count(*) > 1").fetchall(), [])
        t.assertEqual(self.db.execute("SELECT kind, count(*) FROM llm_calls WHERE kind NOT LIKE 'hit%' GROUP BY 1").fetchall(),
                      [("batch", len(paid))])
        t.assertEqual(value(self.db, "SELECT count(*) FROM llm_holds"), 0)
        t.assertEqual(self.db.execute("SELECT sum(held_usd), sum(spent_nusd) FROM llm_budget_status").fetchone(), (0, 2 * bill))
        check = json.loads(value(self.db, "SELECT llm_check()"))
        t.assertEqual([check["differs"], check["unpriced_now"], check["sums"]["differs"], check["sums"]["budgets"]], [0, 0, 0, 0])
        value(self.db, self.flush_sql())
        value(self.db, "SELECT llm_batch_poll()")
        t.assertEqual(self.standin.bill()["total_nusd"], bill, "another flush must cost nothing")

    def check_provider(self):
        """Each batch there is known here, and each file that was sent is a batch's."""
        there = self.provider()
        known = [r[0] for r in self.db.execute("SELECT provider_id FROM llm_batches WHERE provider_id IS NOT NULL")]
        self.test.assertEqual(sorted(known), sorted(b["id"] for b in there["batches"]["there"]))
        self.test.assertEqual(sorted(f["id"] for f in there["files"]["there"] if f["purpose"] == "batch"),
                              sorted(b["input"] for b in there["batches"]["there"] if b["input"]))

    def check_rest(self):
        """Nothing is left in the store that belongs to rows under way."""
        for table in ("llm_batch_items", "llm_batch_groups", "llm_batch_answers", "llm_intents"):
            self.test.assertEqual(self.in_store(f"SELECT count(*) FROM {table}"), 0, table)
        self.test.assertEqual(self.in_store("SELECT count(*) FROM llm_batches WHERE state <> 'settled' OR settled < items"), 0)

    def batches(self):
        self.in_store("SELECT 1")
        rows = self.store.execute("SELECT id, form, state, requests, items, answered, provider_id, error FROM llm_batches").fetchall()
        return "\n".join(map(str, rows))


class Kills(unittest.TestCase):
    KILLS, ROWS = int(os.environ.get("LLMCOST_KILLS", 12)), int(os.environ.get("LLMCOST_ROWS", 400))
    LIVES = int(os.environ.get("LLMCOST_LIVES", 1))
    SETTINGS = ()
    MOMENTS = ("anywhere", "created", "settled", "lost", "uploaded", "anywhere")

    def setUp(self):
        leave_midnight(60)

    def test_killed(self):
        random.seed(int(os.environ.get("LLMCOST_SEED", 20261129)))
        kills, errors, attempts, began = collections.Counter(), collections.Counter(), collections.Counter(), time.monotonic()
        for number in range(self.LIVES):
            with self.subTest(life=number), Standin() as standin, TempDir() as folder:
                life = Life(self, standin, folder, max(5, self.ROWS // 40), self.SETTINGS)
                try:
                    self.live(life, self.KILLS // self.LIVES, number)
                    life.end()
                    life.check()
                finally:
                    life.log.seek(0)
                    errors.update(line.strip() for line in life.log)
                    kills.update(life.kills)
                    attempts.update(dict(life.db.execute("SELECT attempts, count(*) FROM batch_submit GROUP BY 1")))
                    life.close()
        print(f"      {sum(n for m, n in kills.items() if '+' not in m)} kills over {self.LIVES * self.ROWS} rows, "
              f"{time.monotonic() - began:.0f} s: {dict(kills)}; attempts {dict(sorted(attempts.items()))}; said meanwhile: {dict(errors)}")

    def live(self, life, kills, number):
        for i in range(10 * kills):
            life.standin.post("/standin/latency", {"ms": 0, "to_ms": random.choice([0, 10, 60]), "seed": i + 1})
            life.add(min(self.ROWS // kills, self.ROWS - life.rows) if life.rows < self.ROWS else 0)
            life.kill(self.MOMENTS[(number + i) % len(self.MOMENTS)])
            if sum(n for m, n in life.kills.items() if "+" not in m) >= kills:
                break
        life.add(self.ROWS - life.rows)
        life.standin.latency(0)


class KillsInMain(Kills):
    """The store is the same database: one file, one lock."""
    SETTINGS = ("SELECT llm_config('store', 'main')",)


class Alike(unittest.TestCase):
    """Where a provider keeps no marks a batch is sought by time and size: of two that are as large, the ids in their results tell."""

    def test_one_that_was_not_created_takes_no_other(self):
        with Standin() as standin, TempDir() as folder:
            db = open_desk(os.path.join(folder, "desk.db"), standin.url)
            standin.post("/standin/batch", {"at": {"create": "close-always"}})  # never got there
            self.add(db, 0)
            self.assertEqual(json.loads(value(db, "SELECT llm_batch_flush()"))["unsure"], 10)
            standin.post("/standin/batch", {"at": {"create": "rst-after"}, "late_list": 3})  # got there, and is not found at once
            self.add(db, 10)
            self.assertEqual([b["requests"] for b in json.loads(value(db, "SELECT llm_batch_flush()"))["batches"]], [10])
            standin.post("/standin/batch", {"at": {}, "late_list": None})
            until = time.monotonic() + 80
            while value(db, f"SELECT count(*) FROM batch_submit WHERE {OPEN}") and time.monotonic() < until:
                value(db, "SELECT llm_batch_poll()")
                value(db, "SELECT llm_batch_flush()")
                time.sleep(0.2)
            self.assertEqual(db.execute("SELECT status, count(*), sum(answer = custom_id) FROM batch_submit GROUP BY 1").fetchall(),
                             [("done", 20, 20)])
            self.assertEqual((standin.bill()["calls"], standin.bill()["total_nusd"]),
                             (20, value(db, "SELECT sum(cost_nusd) FROM llm_calls")))
            db.close()

    def test_a_strangers_batch_of_the_same_size(self):
        """Another program's, which has the same key, is found first: the ids in its results tell, and it is left alone."""
        with Standin() as standin, TempDir() as folder:
            db = open_desk(os.path.join(folder, "desk.db"), standin.url)
            body = {"requests": [{"custom_id": f"x{i}", "params": {"model": MODELS[1], "max_tokens": 9, "messages": [
                {"role": "user", "content": f"theirs {i}"}]}} for i in range(10)]}
            request = urllib.request.Request(standin.url + "/v1/messages/batches", json.dumps(body).encode(), {
                "x-api-key": "sk-theirs", "anthropic-version": "2023-06-01", "Content-Type": "application/json"})
            with urllib.request.urlopen(request, timeout=20) as answer:
                theirs = json.load(answer)["id"]
            self.add(db, 0)
            standin.post("/standin/batch", {"at": {"create": "rst-after"}, "late_list": 1})
            value(db, "SELECT llm_batch_flush()")
            self.assertNotEqual(value(db, "SELECT provider_id FROM llm_batches"), theirs)
            for _ in range(12):
                value(db, "SELECT llm_batch_poll('{\"delete_files\":true}')")
            self.assertEqual(db.execute("SELECT status, count(*), sum(answer = custom_id), max(attempts) FROM batch_submit GROUP BY 1").fetchall(),
                             [("done", 10, 10, 1)])
            self.assertEqual(value(db, "SELECT sum(cost_nusd) FROM llm_calls"),
                             sum(e["nusd"] for e in standin.journal() if (e["prompt"] or "").startswith("Question")))
            self.assertEqual([b["id"] for b in standin.get("/standin/batches")["batches"]["there"]], [theirs])  # ours is deleted
            db.close()

    def add(self, db, first):
        db.executemany("INSERT INTO batch_submit(prompt, model, custom_id) VALUES (?, ?, ?)",
                       [(f"Question {i}\n@say: a-{i}", MODELS[1], f"a-{i}") for i in range(first, first + 10)])


if __name__ == "__main__":
    unittest.main()
