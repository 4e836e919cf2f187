"""What the tests of batches share: a stand-in that serves every provider, a queue, and what rows, ledger, bill and batches must be in
the end."""
import json
import os
import re
import sqlite3
import unittest
from collections import Counter

from harness import KEYS, Standin, TempDir, connect, leave_midnight, open_desk, value

MINI, HAIKU = "gpt-4o-mini", "claude-haiku-4-5"
SECRETS = {**KEYS, "MISTRAL_API_KEY": "mistral-live-test-55aa77", "OPENROUTER_API_KEY": "sk-or-live-test-31d8",
           "AZURE_OPENAI_API_KEY": "azure-live-test-90c1e2", "GROQ_API_KEY": "gsk-live-test-77f0"}
UNDER_WAY = ("sending", "submitted")


def hand_keys(db, standin):
    """The keys of all providers, which may go to the stand-in."""
    for name, secret in SECRETS.items():
        db.execute("SELECT llm_allow_host(?, ?), llm_secret(?, ?)", (standin.host, name, name, secret)).fetchall()
    db.execute("SELECT llm_config('backoff_ms', 1)").fetchall()


class BatchDesk(unittest.TestCase):
    """A stand-in for all tests of a class, a new database and its store for each."""
    SETTINGS = []
    LASTS = 20  # as in Desk

    @classmethod
    def setUpClass(cls):
        cls.standin = Standin()
        cls.standin.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.standin.__exit__()

    def setUp(self):
        leave_midnight(self.LASTS)
        self.standin.post("/standin/reset", {})
        self.standin.scenario("ok")
        self.standin.latency(0)
        self.tmp = TempDir()
        self.addCleanup(self.tmp.cleanup)
        self.path = os.path.join(self.tmp.name, "desk.db")
        self.db = open_desk(self.path, self.standin.url)
        self.addCleanup(lambda: self.db.close())
        self.configure(self.db)

    def configure(self, db):
        hand_keys(db, self.standin)
        for sql in self.SETTINGS:
            db.execute(sql).fetchall()

    def another(self, **kwargs):
        """Another connection to the same database."""
        db = connect(self.path, **kwargs)
        self.addCleanup(db.close)
        self.configure(db)
        return db

    def settings(self, **settings):
        self.standin.post("/standin/batch", settings)

    # ---- the queue

    def put(self, n=3, text="What is {}?", db=None, **columns):
        """Queues n rows that differ in their prompt."""
        columns = {"model": MINI, **columns}
        names = ", ".join(['prompt', *(f'"{c}"' for c in columns)])
        marks = ", ".join("?" for _ in range(1 + len(columns)))
        (db or self.db).executemany(f"INSERT INTO batch_submit({names}) VALUES ({marks})",
                                    [(text.format(i), *columns.values()) for i in range(1, n + 1)])

    def ask(self, function, db=None, **options):
        return json.loads(value(db or self.db, f"SELECT {function}(?)", json.dumps(options)))

    def flush(self, db=None, **options):
        return self.ask("llm_batch_flush", db, **options)

    def poll(self, db=None, **options):
        return self.ask("llm_batch_poll", db, **options)

    def settle(self, db=None, polls=12, **options):
        """Polls until nothing is under way: what all polls say in sum."""
        total, errors = Counter(), []
        for _ in range(polls):
            said = self.poll(db, **options)
            errors += [e["error"] for e in said.pop("errors", [])]
            last = said
            total.update(said)
            if said["open_batches"] == 0 and said["open_rows"] == 0:
                return {**total, "open_batches": 0, "open_rows": 0, "errors": errors}
        self.fail(f"it does not end: {last}, {errors}, {self.batches()}")

    def rows(self, columns="status", where="1", db=None):
        found = (db or self.db).execute(f"SELECT {columns} FROM batch_submit WHERE {where} ORDER BY id").fetchall()
        return [r[0] for r in found] if len(found) and len(found[0]) == 1 else found

    def row(self, id, columns="status, error"):
        return self.db.execute(f"SELECT {columns} FROM batch_submit WHERE id = ?", (id,)).fetchone()

    def statuses(self, db=None):
        return dict(Counter(self.rows("status", db=db)))

    # ---- the store

    def store(self, sql, *args):
        """What another program reads in the store's file."""
        db = sqlite3.connect(self.path + "-llmcost", timeout=20)
        db.row_factory = sqlite3.Row
        try:
            found = db.execute(sql, args).fetchall()
            db.commit()
            return found
        finally:
            db.close()

    def batches(self):
        return [dict(r) for r in self.store("SELECT * FROM llm_batches ORDER BY id")]

    def row_of_line(self, line, batch=1):
        """The id of the row whose request is that line of a batch, from 0 on, as the stand-in counts."""
        return self.store("SELECT submit_id FROM llm_batch_items WHERE batch = ? AND line = ?", batch, line + 1)[0][0]

    def kinds(self, db=None):
        return dict((db or self.db).execute("SELECT kind, count(*) FROM llm_calls WHERE purpose IS NULL GROUP BY 1").fetchall())

    # ---- what must hold

    def billed(self):
        return [e for e in self.standin.journal() if e["billed"]]

    def check_money(self, unknown=(), db=None):
        """The ledger's sum is the bill, to the nano-dollar, but for rows (of these ids) whose bill nobody can know; so is each row's
        own. No row has another's answer. What is over holds nothing."""
        db = db or self.db
        prompts = {self.row(i, "prompt")[0] for i in unknown}
        billed = self.billed()
        self.assertEqual(sum(e["nusd"] for e in billed), self.standin.bill()["total_nusd"])
        known = sum(e["nusd"] for e in billed if e["prompt"] not in prompts)
        self.assertEqual(value(db, "SELECT coalesce(sum(cost_nusd), 0) FROM llm_calls"), known)
        self.assertEqual(value(db, "SELECT count(*) FROM llm_calls WHERE kind IN ('batch', 'call', 'embed') AND cost_nusd IS NULL"), 0)
        by_prompt = {}
        for e in billed:
            by_prompt.setdefault(e["prompt"], []).append(e["nusd"])
        for id, prompt, answer, cost, status in db.execute("SELECT id, prompt, answer, cost_usd, status FROM batch_submit"):
            told = re.search(r'"What is (\d+)\?"', answer) if isinstance(answer, str) else None
            if told:
                self.assertEqual(f"What is {told[1]}?", prompt, f"row {id} has another's answer")
            if status == "done" and cost and not prompt.startswith("["):
                self.assertIn(round(cost * 1e9), by_prompt[prompt], f"row {id}")
        self.check_sums(db)

    def check_sums(self, db=None):
        """What stands beside the ledger is its sum, and nothing is held for what is over."""
        db = db or self.db
        check = json.loads(value(db, "SELECT llm_check()"))
        self.assertEqual((check["differs"], check["sums"]["differs"], check["sums"]["budgets"]), (0, 0, 0), check)
        if not db.execute("SELECT 1 FROM batch_submit WHERE status IN ('sending', 'submitted')").fetchone():
            self.assertEqual(db.execute("SELECT * FROM llm_holds").fetchall(), [])

    def check_batches(self, n=None):
        """Each batch is settled: its sums are those of its calls, and what was needed for it alone is gone."""
        batches = self.batches()
        for b in batches:
            cost, rows = self.store("SELECT coalesce(sum(cost_nusd), 0), count(*) FROM llm_calls WHERE batch_id = ?", b["id"])[0]
            self.assertEqual((b["state"], b["settled"], b["untold"], b["cost_nusd"]), ("settled", b["items"], 0, cost), b)
        if n is not None:
            self.assertEqual(len(batches), n)
        for table in ("llm_batch_items", "llm_batch_answers", "llm_batch_groups"):
            self.assertEqual(self.store(f"SELECT count(*) FROM {table}")[0][0], 0, table)
        return batches

    def check_all(self, batches=None, unknown=()):
        self.check_money(unknown)
        return self.check_batches(batches)

    def steps(self):
        """How often each step was asked for at the stand-in."""
        return {k: v for k, v in self.standin.get("/standin/batches")["steps"].items() if v}

    def there(self):
        return self.standin.get("/standin/batches")
