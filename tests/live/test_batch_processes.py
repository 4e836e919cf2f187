"""Batches and what happens to those who work on them: several processes at once, databases that share a store, are copied or moved,
Ctrl-C, kill -9, and the store in the caller's own database."""
import json
import os
import random
import shutil
import sqlite3
import threading
import time
import unittest
from collections import Counter

from batch_desk import HAIKU, MINI, SECRETS, BatchDesk
from harness import connect, error_of, setup_sql, value
from test_budgets import Asker

KILLS = int(os.environ.get("LLMCOST_KILLS", 25))


class Together(BatchDesk):
    """Several processes."""

    def setUp(self):
        super().setUp()
        self.askers = []

    def tearDown(self):
        for a in self.askers:
            if a.process.poll() is None:
                a.end()
            else:
                a.process.stdout.close()

    def asker(self, path=None):
        a = Asker(path or self.path, self.standin.url)
        for name, secret in SECRETS.items():
            a.value("SELECT llm_allow_host(?, ?), llm_secret(?, ?)", self.standin.host, name, name, secret)
        a.value("SELECT llm_config('backoff_ms', 1)")
        for sql in self.SETTINGS:
            a.value(sql)
        self.askers.append(a)
        return a

    def test_A04_polls_of_four_processes_at_once(self):
        self.settings(polls=7, progress=20)
        askers = [self.asker() for _ in range(4)]
        for model in (MINI, HAIKU):
            self.put(200, model=model)
        self.flush(max_requests=100)
        answered = 0
        for _ in range(20):
            for a in askers:
                a.start("SELECT llm_batch_poll()")
            for a in askers:
                kind, rows = a.answer()
                self.assertEqual(kind, "rows", rows)
                answered += json.loads(rows[0][0])["answered"]
            if self.statuses() == {"done": 400}:
                break
        self.assertEqual((self.statuses(), answered, self.kinds()), ({"done": 400}, 400, {"batch": 400}))
        self.check_batches(4)
        self.assertEqual(value(self.db, "SELECT sum(cost_nusd) FROM llm_calls"), self.standin.bill()["total_nusd"])
        self.check_sums()

    def test_flushes_of_four_processes_at_once(self):
        self.put(300)
        askers = [self.asker() for _ in range(4)]
        for a in askers:
            a.start("SELECT llm_batch_flush()")
        said = [a.answer() for a in askers]
        sent = sum(json.loads(rows[0][0])["submitted"] for kind, rows in said if kind == "rows")
        self.assertEqual(sent, 300, said)
        for kind, text in said:
            if kind == "error":
                self.assertIn("another connection flushes this queue", text)
        self.assertEqual(set(self.rows("status || attempts")), {"submitted1"})
        self.settle()
        self.check_all(1)

    def test_rows_come_in_while_it_is_flushed_and_polled(self):
        writers = [self.asker() for _ in range(2)]
        for i in range(60):
            for w, a in enumerate(writers):
                a.start("INSERT INTO batch_submit(prompt, model) VALUES (?, ?)", f"What is {2 * i + w}?", MINI)
            if i % 10 == 5:
                self.flush()
                self.poll()
            for a in writers:
                kind, rows = a.answer()
                self.assertEqual(kind, "rows", rows)
        self.flush()
        self.settle()
        self.assertEqual(self.statuses(), {"done": 120})
        self.check_all()

    def test_rows_that_are_edited_and_deleted_while_others_are_sent(self):
        """A flush has looked at them, and is on its way with others: what is in the table then is what counts."""
        self.put(2, model=HAIKU)
        self.put(4, text="Who is {}?")
        first, second = HAIKU, MINI
        self.standin.latency(700)
        a = self.asker()
        a.start("SELECT llm_batch_flush()")
        while "submitted" not in self.rows("status", f"model = '{first}'") and "sending" not in self.rows("status", f"model = '{first}'"):
            time.sleep(0.005)
        ids = self.rows("id", f"model = '{second}' AND status = 'queued'")
        self.assertEqual(len(ids), 4)
        self.db.execute("UPDATE batch_submit SET prompt = 'What is 99?' WHERE id = ?", (ids[0],))
        self.db.execute("DELETE FROM batch_submit WHERE id = ?", (ids[1],))
        self.db.execute("UPDATE batch_submit SET status = 'cancelled' WHERE id = ?", (ids[2],))
        kind, rows = a.answer()
        self.assertEqual(kind, "rows", rows)
        self.standin.latency(0)
        for _ in range(2):
            self.settle()
            self.flush()
        self.settle()
        self.assertEqual(self.statuses(), {"done": 4, "cancelled": 1})
        self.assertIn("What is 99?", self.row(ids[0], "answer")[0])
        self.assertEqual(sorted(e["prompt"] for e in self.billed()), ["What is 1?", "What is 2?", "What is 99?", "Who is 4?"])
        self.check_money()

    def kill_at(self, step, times):
        """Flushes that are killed while the provider is asked to make something."""
        for attempt in range(1, times + 1):
            a = self.asker()
            before = self.steps().get(step, 0)
            a.start("SELECT llm_batch_flush()")
            while self.steps().get(step, 0) == before:
                time.sleep(0.01)
            a.kill()
            yield attempt

    def test_A13_killed_at_the_same_row_each_time(self):
        self.settings(at={"upload": "hang-unbilled-always"})
        self.put(2)
        for attempt in self.kill_at("upload", 3):
            self.assertEqual(self.rows("status, attempts"), [("sending", attempt)] * 2)  # the crash has counted
            self.poll()
            self.assertEqual(self.rows("status, attempts"), [("queued", attempt)] * 2)
            self.assertIn("not created", self.row(1)[1])
        self.assertEqual(self.flush()["failed"], 2)
        self.assertEqual(self.rows("status, attempts"), [("failed", 3)] * 2)
        self.assertIn("3 attempts", self.row(1)[1])
        self.assertEqual((self.standin.bill()["calls"], self.there()["batches"]["made"]), (0, 0))
        self.check_all(3)

    def test_killed_behind_the_create(self):
        """It is at the provider, and nobody noted its id: found by its mark, or by its size where a form has none."""
        for model in (MINI, HAIKU):
            with self.subTest(model):
                self.standin.post("/standin/reset", {})
                self.settings(at={"create": "hang"})
                self.put(3, text=f"Of {model}: {{}}?", model=model)
                for _ in self.kill_at("create", 1):
                    pass
                self.assertEqual(self.rows("DISTINCT status", f"model = '{model}'"), ["sending"])
                self.settle()
                self.assertEqual(self.rows("DISTINCT status || attempts", f"model = '{model}'"), ["done1"])
                self.assertEqual((self.there()["batches"]["made"], self.standin.bill()["calls"]), (1, 3))
        self.check_batches(2)

    def test_killed_twice_and_the_batches_are_alike(self):
        """One was never created, the next one was, and both have as many requests: a provider that keeps no mark of ours tells them
        apart by the ids in their results alone. Neither takes the other's, nothing is paid twice."""
        for model in (MINI, HAIKU):
            with self.subTest(model):
                self.standin.post("/standin/reset", {})
                for fault in ("hang-unbilled", "hang"):
                    self.settings(at={"create": fault})
                    self.put(3, text=f"{model} {fault} {{}}?", model=model)
                    for _ in self.kill_at("create", 1):
                        pass
                deadline = time.monotonic() + 120
                while set(self.rows("status", f"model = '{model}'")) != {"done"} and time.monotonic() < deadline:
                    self.poll()
                    self.flush()
                    time.sleep(0.3)
                self.assertEqual(self.rows("DISTINCT status", f"model = '{model}'"), ["done"])
                self.assertEqual({p: n for p, n in Counter(e["prompt"] for e in self.billed()).items() if n != 1}, {})
                self.assertEqual(value(self.db, "SELECT sum(cost_nusd) FROM llm_calls WHERE model_requested = ?", model),
                                 self.standin.bill()["total_nusd"])

    def test_killed_while_it_asks_now(self):
        self.standin.latency(400)
        self.put(6, deadline=int(time.time() * 1000) + 3_600_000)
        a = self.asker()
        a.start("SELECT llm_batch_flush()")
        while self.statuses() != {"sending": 6}:
            time.sleep(0.005)
        time.sleep(0.1)
        a.kill()
        self.standin.latency(0)
        time.sleep(0.5)
        self.flush()
        self.assertEqual((self.statuses(), set(self.rows("attempts"))), ({"done": 6}, {2}))
        lost = value(self.db, "SELECT count(*) FROM llm_calls WHERE kind = 'unknown'")
        self.assertEqual((self.kinds().get("call"), lost <= 6), (6, True))
        self.assertEqual(self.standin.bill()["calls"], 6 + lost)

    def test_killed_at_random_moments(self):
        """kill -9 of flushes and polls, again and again: each row is asked and billed once. LLMCOST_KILLS: more."""
        random.seed(int(os.environ.get("LLMCOST_SEED", 20261129)))
        rows = max(120, 8 * KILLS)
        self.standin.latency(3)
        self.settings(polls=2)
        self.put(rows // 4)
        self.put(rows // 4, text="What is it, {}?", model=HAIKU)
        kills = 0
        for i in range(KILLS):
            a = self.asker()
            self.put(rows // KILLS // 2, text=f"What is it in round {i}, {{}}?", model=(MINI, HAIKU)[i % 2])
            a.start(random.choice(["SELECT llm_batch_flush('{\"max_requests\":9}')"] * 2 + ["SELECT llm_batch_poll()"]))
            time.sleep(random.uniform(0, 0.25))
            kills += a.process.poll() is None
            a.kill()
            self.check_sums_while_open()
            self.try_again()
        self.standin.latency(0)
        deadline = time.monotonic() + 150
        rows = sum(self.statuses().values())
        while self.statuses() != {"done": rows} and time.monotonic() < deadline:
            self.try_again()
            self.flush()
            self.poll()
            time.sleep(0.1)
        self.assertEqual(self.statuses(), {"done": rows})
        self.assertEqual({p: n for p, n in Counter(e["prompt"] for e in self.billed()).items() if n != 1}, {})
        self.assertEqual(self.kinds().get("batch"), rows)
        self.check_all()
        left = [f for f in self.there()["files"]["there"] if f["purpose"] == "batch"]
        self.assertLessEqual(len(left), self.there()["batches"]["made"])
        print(f"      {kills} kills over {rows} rows in {len(self.batches())} batches, "
              f"{self.there()['batches']['made']} of them at the provider")

    def try_again(self):
        """(Each kill is an attempt of the rows that it struck.)"""
        self.db.execute("UPDATE batch_submit SET status = 'queued', attempts = 0 WHERE status = 'failed' AND error LIKE '%attempts%'")

    def check_sums_while_open(self):
        check = json.loads(value(self.db, "SELECT llm_check()"))
        self.assertEqual((check["differs"], check["sums"]["differs"], check["sums"]["budgets"]), (0, 0, 0), check)


class Interrupted(BatchDesk):
    """A09: stopping to wait is not stopping the work."""

    def interrupt(self, sql, after):
        timer = threading.Timer(after, self.db.interrupt)
        timer.start()
        try:
            return self.db.execute(sql).fetchall(), None
        except sqlite3.Error as e:
            return None, str(e)
        finally:
            timer.join()

    def test_A09_ctrl_c_in_wait(self):
        self.settings(polls=4)
        self.put(3)
        self.flush()
        began = time.monotonic()
        _, text = self.interrupt("SELECT llm_batch_wait('{\"every\":\"30s\"}')", 0.3)
        self.assertLess(time.monotonic() - began, 5)
        for words in ("interrupted", "nothing was cancelled", "llm_batch_poll"):
            self.assertIn(words, text)
        self.assertNotIn("cancel", self.steps())
        self.assertEqual(self.statuses(), {"submitted": 3})
        other = connect(self.path)
        self.addCleanup(other.close)
        self.assertEqual(other.execute("SELECT state, provider, model, open_rows, provider_id IS NOT NULL FROM llm_batches").fetchall(),
                         [("sent", "openai", MINI, 3, 1)])
        self.settle(self.another())
        self.assertEqual((self.statuses(), self.kinds()), ({"done": 3}, {"batch": 3}))
        self.check_all(1)

    def test_ctrl_c_in_a_flush_at_many_moments(self):
        self.standin.latency(4)
        stopped = 0
        for i in range(30):
            self.put(4, text=f"Round {i}: {{}}?", model=(MINI, HAIKU)[i % 2])
            _, text = self.interrupt("SELECT llm_batch_flush()", i / 1000)
            stopped += text is not None
            if text:
                self.assertIn("interrupted", text)
        self.assertGreater(stopped, 3)
        self.standin.latency(0)
        deadline = time.monotonic() + 120
        while self.statuses() != {"done": 120} and time.monotonic() < deadline:
            self.flush()
            self.poll()
            time.sleep(0.1)
        self.assertEqual(self.statuses(), {"done": 120})
        self.assertEqual({p: n for p, n in Counter(e["prompt"] for e in self.billed()).items() if n != 1}, {})
        self.check_all()

    def test_ctrl_c_in_a_poll_at_many_moments(self):
        self.settings(polls=1, chunk=1000)
        stopped = 0
        for i in range(12):
            self.put(300, text=f"Round {i}: {{}}?")
            self.flush()
            _, text = self.interrupt("SELECT llm_batch_poll()", (1 + 2 * i) / 1000)
            stopped += text is not None
            self.settle()
        self.assertGreater(stopped, 0)
        self.assertEqual((self.statuses(), self.kinds()), ({"done": 3600}, {"batch": 3600}))
        self.check_all(12)


class Files(BatchDesk):
    """One store, many databases; a database that is copied, moved, or in memory."""

    def desk(self, name, store=None):
        """Another database; `store`: the file that it shares."""
        db = connect(os.path.join(self.tmp.name, name))
        self.addCleanup(db.close)
        if store:
            db.execute("SELECT llm_config('store', ?)", (store,)).fetchall()
        for sql in setup_sql(self.standin.url):
            db.execute(sql).fetchall()
        self.configure(db)
        return db

    def test_two_databases_with_one_store(self):
        one, two = (self.desk(name, self.path + "-llmcost") for name in ("one.db", "two.db"))
        self.put(3, db=one)
        self.put(4, text="Who is {}?", db=two)
        self.flush(one)
        self.flush(two)
        self.assertEqual((self.statuses(one), self.statuses(two)), ({"submitted": 3}, {"submitted": 4}))
        self.assertEqual([b["items"] for b in self.batches()], [3, 4])
        self.settle(two)
        self.assertEqual((self.statuses(one), self.statuses(two)), ({"submitted": 3}, {"done": 4}))
        self.settle(one)
        self.assertEqual((self.statuses(one), self.statuses(two)), ({"done": 3}, {"done": 4}))
        self.check_batches(2)
        self.assertEqual(value(one, "SELECT sum(cost_nusd) FROM llm_calls"), self.standin.bill()["total_nusd"])
        self.assertIn("no batch 2", error_of(one, "SELECT llm_batch_cancel(2)"))
        # What one has heard the other finds in the cache that they share.
        self.put(3, db=two)
        self.assertEqual(self.flush(two)["hits"], 3)

    def test_the_same_request_in_two_databases(self):
        one, two = (self.desk(name, self.path + "-llmcost") for name in ("one.db", "two.db"))
        for db in (one, two):
            self.put(2, db=db)
            self.flush(db)
        for db in (one, two):
            self.settle(db)
            self.assertEqual(self.statuses(db), {"done": 2})
        self.check_batches()
        self.assertEqual(value(one, "SELECT sum(cost_nusd) FROM llm_calls"), self.standin.bill()["total_nusd"])

    def test_a_copy_beside_the_same_store(self):
        one = self.desk("one.db", self.path + "-llmcost")
        self.put(3, db=one)
        self.put(1, text="Later {}", db=one)
        one.execute("UPDATE batch_submit SET deadline = NULL WHERE id = 4")
        self.flush(one, max_requests=3)
        copy_path = os.path.join(self.tmp.name, "copy.db")
        one.execute(f"VACUUM INTO '{copy_path}'")
        two = self.desk("copy.db", self.path + "-llmcost")
        said = self.poll(two)
        self.assertEqual(said["answered"], 0)
        for status, error in self.rows("status, error", db=two):
            self.assertEqual(status, "failed")
            self.assertIn("copy", error)
        self.settle(one)
        self.assertEqual((self.statuses(one), self.statuses(two)), ({"done": 4}, {"failed": 4}))
        two.execute("UPDATE batch_submit SET status = 'queued', attempts = 0")
        self.assertEqual(self.flush(two)["hits"], 4)  # asked again there: the cache knows
        self.check_batches(2)
        self.assertEqual(value(one, "SELECT sum(cost_nusd) FROM llm_calls"), self.standin.bill()["total_nusd"])

    def test_a_copy_with_a_store_of_its_own(self):
        """Its store knows of no batch: its rows must not wait for ever unseen."""
        self.put(3)
        self.flush()
        self.db.execute(f"VACUUM INTO '{self.tmp.name}/copy.db'")
        two = self.desk("copy.db")
        for said in (self.poll(two), self.ask("llm_batch_wait", two)):
            (reason,) = said["errors"]
            self.assertEqual((reason["rows"], said["open_batches"]), (3, 0))
            self.assertIn("copy.db-llmcost", reason["error"])
        self.assertEqual(self.statuses(two), {"submitted": 3})  # (it may be a setting that is wrong)
        self.settle()
        self.assertEqual(self.statuses(), {"done": 3})
        self.check_all(1)
        two.execute("UPDATE batch_submit SET status = 'queued', batch_id = NULL, attempts = 0 WHERE status IN ('sending', 'submitted')")
        self.flush(two)
        self.settle(two)
        self.assertEqual(self.statuses(two), {"done": 3})
        self.assertEqual(self.there()["batches"]["made"], 2)

    def test_a_setting_that_names_another_store(self):
        """Nothing is lost by a poll that looks into the wrong one."""
        self.put(3)
        self.flush()
        stranger = connect(self.path)
        self.addCleanup(stranger.close)
        stranger.execute("SELECT llm_config('store', ?)", (os.path.join(self.tmp.name, "other-store"),)).fetchall()
        self.configure(stranger)
        self.assertEqual(self.poll(stranger)["errors"][0]["rows"], 3)
        self.settle()
        self.assertEqual(self.statuses(), {"done": 3})
        self.check_all(1)

    def test_a_database_that_is_moved_goes_on(self):
        self.put(3)
        self.flush()
        self.db.close()
        for name in os.listdir(self.tmp.name):
            if name.startswith("desk.db"):
                os.rename(os.path.join(self.tmp.name, name), os.path.join(self.tmp.name, name.replace("desk.db", "moved.db")))
        self.path = os.path.join(self.tmp.name, "moved.db")
        self.db = self.another()
        self.settle()
        self.assertEqual(self.statuses(), {"done": 3})
        self.check_all(1)

    def test_a_backup_of_both_files_that_is_put_back(self):
        """The store's and the database's state of before: what was settled since is settled again, and nothing is sent twice."""
        self.put(3)
        self.flush()
        self.db.close()
        kept = os.path.join(self.tmp.name, "kept")
        os.mkdir(kept)
        names = [n for n in os.listdir(self.tmp.name) if n.startswith("desk.db")]
        for name in names:
            shutil.copy2(os.path.join(self.tmp.name, name), kept)
        self.db = self.another()
        self.settle()
        self.db.close()
        for name in os.listdir(self.tmp.name):
            if name.startswith("desk.db"):
                os.unlink(os.path.join(self.tmp.name, name))
        for name in names:
            shutil.copy2(os.path.join(kept, name), self.tmp.name)
        self.db = self.another()
        self.settle()
        self.assertEqual((self.statuses(), self.kinds(), self.there()["batches"]["made"]), ({"done": 3}, {"batch": 3}, 1))
        self.check_all(1)

    def test_in_memory(self):
        db = connect(":memory:")
        self.addCleanup(db.close)
        for sql in setup_sql(self.standin.url):
            db.execute(sql).fetchall()
        self.configure(db)
        self.put(3, db=db)
        self.flush(db)
        self.settle(db)
        self.assertEqual(self.statuses(db), {"done": 3})
        self.check_money(db=db)


class InMain(BatchDesk):
    """The store in the caller's own database."""
    SETTINGS = ["SELECT llm_config('store', 'main')"]

    def store(self, sql, *args):
        db = sqlite3.connect(self.path, timeout=20)
        db.row_factory = sqlite3.Row
        try:
            return db.execute(sql, args).fetchall()
        finally:
            db.close()

    def test_the_whole_way(self):
        for model in (MINI, HAIKU, "text-embedding-3-small"):
            self.put(5, model=model)
            self.put(5, model=model)
        self.flush()
        self.assertEqual(self.statuses(), {"submitted": 30})
        self.settle(self.another())
        self.assertEqual((self.statuses(), self.kinds()), ({"done": 30}, {"batch": 15, "hit_exact": 15}))
        self.assertEqual(value(self.db, "SELECT sum(cost_nusd) FROM llm_calls"), self.standin.bill()["total_nusd"])
        self.check_batches(3)
        self.assertFalse(os.path.exists(self.path + "-llmcost"))

    def test_in_a_transaction_it_is_refused_all_the_same(self):
        self.put(2)
        self.db.execute("BEGIN")
        self.assertIn("transaction", error_of(self.db, "SELECT llm_batch_flush()"))
        self.db.execute("ROLLBACK")

    def test_expired_and_again(self):
        self.settings(end="expired", finished=1)
        self.put(4)
        self.flush()
        self.settle()
        self.assertEqual(self.statuses(), {"done": 1, "queued": 3})
        self.settings(end="completed", finished=-1)
        self.flush()
        self.settle()
        self.assertEqual(self.statuses(), {"done": 4})
        self.check_batches(2)

    def test_budget(self):
        self.db.execute("INSERT INTO llm_budgets(scope, period, limit_usd) VALUES ('*', 'day', 0.0007)")
        self.put(4, options='{"max_tokens":1000}')
        self.assertEqual(self.flush()["submitted"], 2)
        self.assertGreater(value(self.db, "SELECT held_usd FROM llm_budget_status"), 0.0006)
        self.settle()
        self.assertEqual(value(self.db, "SELECT held_usd FROM llm_budget_status"), 0)
        self.check_batches(1)

    def test_beside_a_writer(self):
        """Somebody holds the database's lock: the poll says so or waits, and what came is not lost."""
        self.put(3)
        self.flush()
        self.poll()
        other = sqlite3.connect(self.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        value(self.db, "PRAGMA busy_timeout = 50")
        try:
            self.poll()
        except sqlite3.OperationalError as e:
            self.assertRegex(str(e), "lock|busy")
        other.execute("ROLLBACK")
        other.close()
        self.settle()
        self.assertEqual((self.statuses(), self.kinds()), ({"done": 3}, {"batch": 3}))
        self.check_batches(1)


class Beside(BatchDesk):
    def test_beside_a_writer_of_the_queue(self):
        """The store has the outcome, the table is locked: it is told at the next poll, and nothing is booked twice."""
        self.put(3)
        self.flush()
        self.poll()
        other = sqlite3.connect(self.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        value(self.db, "PRAGMA busy_timeout = 50")
        self.assertRegex(error_of(self.db, "SELECT llm_batch_poll()"), "locked|busy")
        self.assertEqual(self.statuses(), {"submitted": 3})
        other.execute("ROLLBACK")
        other.close()
        self.settle()
        self.assertEqual((self.statuses(), self.kinds()), ({"done": 3}, {"batch": 3}))
        self.check_all(1)

    def test_a_flush_beside_a_writer_of_the_queue(self):
        self.put(3)
        other = sqlite3.connect(self.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        value(self.db, "PRAGMA busy_timeout = 50")
        self.assertRegex(error_of(self.db, "SELECT llm_batch_flush()"), "locked|busy")
        other.execute("ROLLBACK")
        other.close()
        for _ in range(3):
            self.flush()
            self.settle()
        self.assertEqual((self.statuses(), self.kinds(), self.there()["batches"]["made"]), ({"done": 3}, {"batch": 3}, 1))
        self.check_money()


if __name__ == "__main__":
    unittest.main()
