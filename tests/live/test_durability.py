"""What was paid is never lost and never paid twice: kill -9, ROLLBACK, full disk, read-only, many processes."""
import collections
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import unittest

from harness import (ROOT, SO, Desk, Standin, TempDir, clean_env, connect, error_of, open_desk, setup_sql, shell, value)

FILL = ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) "
        "INSERT INTO tickets SELECT i, 'Question {label} number ' || i || ' about my order' FROM n")
ANSWER = "INSERT INTO answers SELECT id, llm_complete(question) FROM tickets WHERE 1"


def make_tickets(db, rows, label):
    db.execute("CREATE TABLE IF NOT EXISTS tickets(id INTEGER PRIMARY KEY, question TEXT)")
    db.execute("CREATE TABLE IF NOT EXISTS answers(id INTEGER PRIMARY KEY, answer TEXT NOT NULL)")
    db.execute("DELETE FROM tickets")
    db.execute("DELETE FROM answers")
    db.execute(FILL.format(rows=rows, label=label))


class Ledger:
    """The ledger and the provider's journal, side by side."""

    def __init__(self, db, standin):
        self.rows = db.execute("SELECT request_id || '-' || attempt, kind, cost_nusd FROM llm_calls "
                               "WHERE kind IN ('call', 'unknown')").fetchall()
        self.billed = collections.Counter()
        self.prompts = {}
        for j in standin.journal():
            self.billed[j["client_request_id"]] += j["nusd"]
            self.prompts[j["client_request_id"]] = j["prompt"]
        self.unknown = {r[0] for r in self.rows if r[1] == "unknown"}

    def check(self, test, standin):
        known = sum(r[2] for r in self.rows if r[1] == "call")
        lost = sum(self.billed[i] for i in self.unknown)
        test.assertEqual(standin.bill()["total_nusd"], known + lost)
        for request, kind, cost in self.rows:
            if kind == "call":
                test.assertEqual(cost, self.billed[request], request)
        test.assertEqual(set(self.billed) - {r[0] for r in self.rows}, set(), "spend without a ledger row")

    def paid_per_prompt(self):
        """How often each prompt was paid by an answer that reached us."""
        return collections.Counter(self.prompts[r] for r, k, _ in self.rows if k == "call" and self.billed[r])


class Kill(unittest.TestCase):
    KILLS = 100
    SETTINGS = []

    def start(self, path, standin):
        sql = ";\n".join([f".load {SO}\n"] + setup_sql(standin.url)[:-2] + self.SETTINGS + [ANSWER, ""])
        child = subprocess.Popen(["sqlite3", "-batch", "-bail", path], stdin=subprocess.PIPE,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=clean_env(), text=True)
        child.stdin.write(sql.replace("\n;", "\n"))
        child.stdin.close()
        return child

    def wait_for_spend(self, standin, before, child):
        while child.poll() is None and standin.bill()["calls"] <= before:
            time.sleep(0.001)

    def test_kill_at_100_random_moments(self):
        random.seed(20261122)
        with Standin() as standin, TempDir() as tmp:
            path, kills, label = os.path.join(tmp, "desk.db"), 0, 0
            open_desk(path, standin.url).close()
            generations = []
            while kills < self.KILLS:
                label += 1
                db = connect(path)
                make_tickets(db, 1000, str(label))
                db.close()
                standin.latency(random.choice([0, 1, 2]))
                done = False
                while kills < self.KILLS and not done:
                    child = self.start(path, standin)
                    self.wait_for_spend(standin, standin.bill()["calls"], child)
                    time.sleep(random.uniform(0, 0.06))
                    done = child.poll() is not None
                    child.send_signal(signal.SIGKILL)
                    child.wait()
                    kills += not done
                generations.append(label)
            standin.latency(0)
            db = connect(path)
            for sql in setup_sql(standin.url)[:-2] + self.SETTINGS:
                db.execute(sql).fetchall()
            db.execute("DELETE FROM answers")
            db.execute(ANSWER)
            self.assertEqual(value(db, "SELECT count(*) FROM answers"), 1000)
            self.assertEqual(value(db, "SELECT count(*) FROM llm_calls WHERE kind = 'unknown' AND error = 'in flight'"), 0)
            ledger = Ledger(db, standin)
            ledger.check(self, standin)
            twice = {p: n for p, n in ledger.paid_per_prompt().items() if n != 1}
            self.assertEqual(twice, {})
            before = standin.bill()["total_nusd"]
            db.execute("DELETE FROM answers")
            db.execute(ANSWER)
            self.assertEqual(standin.bill()["total_nusd"], before, "the second run must cost nothing")
            print(f"      {kills} kills over {label * 1000} rows: {len(ledger.unknown)} calls were in flight, "
                  f"{sum(1 for i in ledger.unknown if ledger.billed[i])} of them billed")

    def test_killed_owner_is_taken_over(self):
        with Standin() as standin, TempDir() as tmp:
            path = os.path.join(tmp, "desk.db")
            db = open_desk(path, standin.url)
            db.execute("UPDATE llm_models SET base_url = ?", (standin.url + "/s/hang/v1",))
            child = subprocess.Popen(["sqlite3", "-batch", path], stdin=subprocess.PIPE, env=clean_env(), text=True,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            sql = ";\n".join([f".load {SO}\n"] + setup_sql(standin.url)[:-2] + ["SELECT llm_complete('same question')", ""])
            child.stdin.write(sql.replace("\n;", "\n"))
            child.stdin.close()
            while standin.bill()["requests"] == 0:
                time.sleep(0.01)
            db.execute("UPDATE llm_models SET base_url = ?", (standin.url + "/v1",))
            child.send_signal(signal.SIGKILL)
            child.wait()
            started = time.time()
            self.assertIn("ref", value(db, "SELECT llm_complete('same question')"))
            self.assertLess(time.time() - started, 30, "a dead owner's lease must not be waited for")
            kinds = db.execute("SELECT kind, cost_nusd IS NULL FROM llm_calls ORDER BY id").fetchall()
            self.assertEqual(kinds, [("unknown", 1), ("call", 0)])


class Transactions(unittest.TestCase):
    def setUp(self):
        self.standin = Standin()
        self.standin.__enter__()
        self.addCleanup(self.standin.__exit__, None, None, None)
        self.tmp = TempDir()
        self.addCleanup(self.tmp.cleanup)
        self.path = os.path.join(self.tmp.name, "desk.db")

    def test_rollback_keeps_the_spend(self):
        db = open_desk(self.path, self.standin.url)
        make_tickets(db, 50, "r")
        db.execute("BEGIN")
        db.execute(ANSWER)
        self.assertEqual(value(db, "SELECT count(*) FROM llm_calls"), 50, "rows are visible inside the transaction")
        db.execute("ROLLBACK")
        self.assertEqual(value(db, "SELECT count(*) FROM answers"), 0)
        bill = self.standin.bill()["total_nusd"]
        self.assertEqual(value(db, "SELECT sum(cost_nusd) FROM llm_calls"), bill)
        db.execute(ANSWER)
        self.assertEqual(self.standin.bill()["total_nusd"], bill)
        self.assertEqual(value(db, "SELECT count(*) FROM llm_calls WHERE kind = 'hit_exact'"), 50)

    def test_immediate_transaction_does_not_block_the_ledger(self):
        db = open_desk(self.path, self.standin.url)
        db.execute("BEGIN IMMEDIATE")
        self.assertIn("ref", value(db, "SELECT llm_complete('inside')"))
        db.execute("ROLLBACK")
        self.assertEqual(value(db, "SELECT count(*) FROM llm_calls"), 1)

    def test_constraint_failure_in_row_900(self):
        db = open_desk(self.path, self.standin.url)
        make_tickets(db, 1000, "c")
        db.execute("DROP TABLE answers")
        db.execute("CREATE TABLE answers(id INTEGER PRIMARY KEY CHECK (id <> 900), answer TEXT)")
        self.assertIn("CHECK", error_of(db, ANSWER))
        self.assertEqual(value(db, "SELECT count(*) FROM answers"), 0)
        self.assertEqual(value(db, "SELECT count(*) FROM llm_calls"), 900)
        bill = self.standin.bill()
        self.assertEqual(bill["calls"], 900)
        db.execute(ANSWER.replace("WHERE 1", "WHERE id <> 900"))
        self.assertEqual(self.standin.bill()["calls"], 1000, "900 were paid before, 100 now")
        self.assertEqual(value(db, "SELECT sum(cost_nusd) FROM llm_calls"), self.standin.bill()["total_nusd"])

    def test_read_only_database(self):
        db = open_desk(self.path, self.standin.url)
        db.close()
        db = connect(f"file:{self.path}?mode=ro", uri=True)
        for sql in setup_sql(self.standin.url)[:-2]:
            db.execute(sql).fetchall()
        self.assertIn("ref", value(db, "SELECT llm_complete('read-only')"))
        self.assertEqual(value(db, "SELECT sum(cost_nusd) FROM llm_calls"), self.standin.bill()["total_nusd"])

    def test_loading_and_reading_make_no_file(self):
        db = connect(self.path)
        db.execute("SELECT llmcost_version(), llm_config('store')").fetchall()
        self.assertEqual(db.execute("SELECT * FROM llm_calls").fetchall(), [])
        self.assertEqual(db.execute("SELECT * FROM llm_cost_daily").fetchall(), [])
        value(db, "SELECT llm_complete('x', '{\"dry_run\":true}')")
        db.close()
        self.assertEqual([f for f in os.listdir(self.tmp.name) if "llmcost" in f], [])

    def test_directory_that_can_not_be_written(self):
        db = open_desk(self.path, self.standin.url)
        value(db, "SELECT llm_config('store', '/proc/no-such/store')")
        message = error_of(db, "SELECT llm_complete('x')")
        self.assertIn("llm_complete: the store '/proc/no-such/store': cannot open it", message)
        self.assertIn("LLMCOST_STORE", message)
        self.assertEqual(self.standin.bill()["requests"], 0)

    def test_another_programs_file_is_left_alone(self):
        other = os.path.join(self.tmp.name, "other.db")
        connect(other).execute("CREATE TABLE precious(x)")
        db = open_desk(self.path, self.standin.url)
        value(db, "SELECT llm_config('store', ?)", other)
        self.assertIn("another program's database", error_of(db, "SELECT llm_complete('x')"))
        self.assertEqual(connect(other).execute("SELECT name FROM sqlite_schema").fetchall(), [("precious",)])
        self.assertEqual(self.standin.bill()["requests"], 0)

    def test_damaged_store_is_an_error(self):
        with open(self.path + "-llmcost", "wb") as f:
            f.write(b"SQLite format 3\0" + os.urandom(8000))
        db = open_desk(self.path, self.standin.url)
        self.assertIn("llm_complete: ", error_of(db, "SELECT llm_complete('x')"))
        self.assertIn("llm_calls: ", error_of(db, "SELECT * FROM llm_calls"))
        self.assertEqual(self.standin.bill()["requests"], 0)

    def test_newer_store_is_left_alone(self):
        db = open_desk(self.path, self.standin.url)
        value(db, "SELECT llm_complete('x')")
        db.close()
        raw = connect(self.path + "-llmcost")
        raw.execute("UPDATE llm_meta SET value = 99 WHERE name = 'schema_version'")
        raw.execute("PRAGMA user_version = 99")
        raw.close()
        db = open_desk(self.path, self.standin.url)
        self.assertIn("newer llmcost", error_of(db, "SELECT llm_complete('x')"))


class Store(unittest.TestCase):
    def desk(self, standin, tmp, name="desk.db", **kwargs):
        return open_desk(os.path.join(tmp, name), standin.url, **kwargs)

    def test_file_has_the_permissions_of_its_database(self):
        with Standin() as standin, TempDir() as tmp:
            path = os.path.join(tmp, "desk.db")
            connect(path).execute("CREATE TABLE x(y)")
            os.chmod(path, 0o600)
            db = self.desk(standin, tmp)
            value(db, "SELECT llm_complete('x')")
            modes = {f: oct(os.stat(os.path.join(tmp, f)).st_mode & 0o777) for f in os.listdir(tmp)}
            self.assertEqual({m for f, m in modes.items() if "llmcost" in f}, {"0o600"}, modes)

    def test_a_link_in_its_place_is_not_followed(self):
        with Standin() as standin, TempDir() as tmp:
            os.symlink(os.path.join(tmp, "elsewhere"), os.path.join(tmp, "desk.db-llmcost"))
            db = self.desk(standin, tmp)
            self.assertIn("symbolic link", error_of(db, "SELECT llm_complete('x')"))
            self.assertFalse(os.path.exists(os.path.join(tmp, "elsewhere")))
            self.assertEqual(standin.bill()["requests"], 0)

    def test_deleted_while_open_is_an_error_before_anything_is_sent(self):
        with Standin() as standin, TempDir() as tmp:
            db = self.desk(standin, tmp)
            value(db, "SELECT llm_complete('x')")
            os.unlink(os.path.join(tmp, "desk.db-llmcost"))
            self.assertIn("moved or deleted", error_of(db, "SELECT llm_complete('y')"))
            self.assertEqual(standin.bill()["requests"], 1)

    def leave_intent(self, standin, tmp, owner, lease):
        """A store with an open intent of that owner, as a process that vanished leaves it."""
        db = self.desk(standin, tmp)
        value(db, "SELECT llm_complete('open the store')")
        db.close()
        raw = connect(os.path.join(tmp, "desk.db-llmcost"))
        raw.execute("INSERT INTO llm_calls(id, request_id, attempt, ts, kind, error) "
                    "VALUES (77, 'r', 1, 1, 'unknown', 'in flight')")
        raw.execute("INSERT INTO llm_intents VALUES (77, NULL, ?, ?)", (owner, lease))
        raw.close()
        db = self.desk(standin, tmp)
        value(db, "SELECT llm_complete('open the store')")
        return value(db, "SELECT error FROM llm_calls WHERE id = 77")

    def test_intents_of_another_boot_end_with_their_lease(self):
        with Standin() as standin, TempDir() as tmp:
            self.assertIn("process ended", self.leave_intent(standin, tmp, "other-boot/1/2/3", 1000))
        with Standin() as standin, TempDir() as tmp:
            later = int(time.time() * 1000) + 600000
            self.assertEqual(self.leave_intent(standin, tmp, "other-boot/1/2/3", later), "in flight")

    def test_a_zombie_is_dead(self):
        with Standin() as standin, TempDir() as tmp:
            db = self.desk(standin, tmp)
            db.execute("UPDATE llm_models SET base_url = ?", (standin.url + "/s/hang/v1",))
            child = subprocess.Popen(["sqlite3", "-batch", os.path.join(tmp, "desk.db")], stdin=subprocess.PIPE,
                                     env=clean_env(), text=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            child.stdin.write(f".load {SO}\n" + ";\n".join(setup_sql(standin.url)[:-2]) +
                              ";\nSELECT llm_complete('same');\n")
            child.stdin.close()
            while standin.bill()["requests"] == 0:
                time.sleep(0.01)
            db.execute("UPDATE llm_models SET base_url = ?", (standin.url + "/v1",))
            child.send_signal(signal.SIGKILL)
            time.sleep(0.2)  # not waited for: a zombie
            self.assertIn("ref", value(db, "SELECT llm_complete('same', '{\"timeout_ms\":20000}')"))
            child.wait()


class FullDisk(unittest.TestCase):
    def test_full_disk_loses_nothing(self):
        with Standin() as standin, TempDir() as tmp:
            small = os.path.join(tmp, "small")
            os.mkdir(small)
            if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", small],
                              capture_output=True).returncode:
                self.skipTest("mounting a tmpfs is not allowed here")
            try:
                self.fill(standin, tmp, small)
            finally:
                subprocess.run(["umount", "-l", small], check=True)

    def fill(self, standin, tmp, small):
        db = open_desk(os.path.join(tmp, "desk.db"), standin.url)
        value(db, "SELECT llm_config('store', ?)", os.path.join(small, "store"))
        make_tickets(db, 3000, "f")
        message = error_of(db, ANSWER)
        self.assertIn("full", message)
        paid = standin.bill()
        self.assertGreater(paid["calls"], 10)
        again = error_of(db, ANSWER)
        self.assertIn("full", again)
        self.assertLessEqual(standin.bill()["calls"], paid["calls"] + 1)
        subprocess.run(["mount", "-o", "remount,size=64m", small], check=True)
        db.execute(ANSWER)
        self.assertEqual(value(db, "SELECT count(*) FROM answers"), 3000)
        self.assertEqual(standin.bill()["calls"], 3000, "nothing was paid twice")
        ledger = Ledger(db, standin)
        ledger.check(self, standin)
        self.assertEqual(ledger.unknown, set())


class Stuck(Desk):
    """An answer that is paid for and can't be stored keeps no other connection of the process waiting."""

    def plain(self, sql):
        with sqlite3.connect(self.path + "-llmcost", isolation_level=None) as store:
            store.execute(sql)
        store.close()

    def pay_and_fail(self):
        value(self.db, "SELECT llm_complete('to open the store')")
        self.plain("CREATE TRIGGER full BEFORE UPDATE ON llm_calls BEGIN SELECT raise(ABORT, 'no room'); END")
        self.assertIn("was paid for but can't be stored", error_of(self.db, "SELECT llm_complete('stuck')"))

    def test_another_connection_is_told_at_once(self):
        self.pay_and_fail()
        self.plain("DROP TRIGGER full")
        other = open_desk(self.path, self.standin.url)
        started = time.time()
        self.assertIn("another connection of this process has paid", error_of(other, "SELECT llm_complete('stuck')"))
        self.assertLess(time.time() - started, 5)
        value(self.db, "SELECT llm_complete('to open the store')")  # its next call stores what waited
        self.assertIn("ref", value(other, "SELECT llm_complete('stuck')"))
        self.assertEqual(value(other, "SELECT kind FROM llm_calls WHERE id = llm_last_call()"), "hit_exact")
        other.close()
        self.assertEqual(self.standin.bill()["requests"], 2)

    def test_what_a_closed_connection_lost_is_asked_anew(self):
        before = self.standin.bill()["requests"]
        self.pay_and_fail()
        self.db.close()
        self.plain("DROP TRIGGER full")
        self.db = open_desk(self.path, self.standin.url)
        started = time.time()
        self.assertIn("ref", value(self.db, "SELECT llm_complete('stuck')"))
        self.assertLess(time.time() - started, 5)
        self.assertEqual(self.standin.bill()["requests"], before + 3)
        self.assertEqual(value(self.db, "SELECT error FROM llm_calls WHERE kind = 'unknown'"),
                         "the process ended before the answer was stored")


class Processes(unittest.TestCase):
    def run_workers(self, n, code, *args):
        children = [subprocess.Popen([sys.executable, "-c", code, str(i), *args], env=clean_env(
            PYTHONPATH=os.path.join(ROOT, "tests/live")), stderr=subprocess.PIPE, text=True) for i in range(n)]
        for child in children:
            _, err = child.communicate(timeout=120)
            self.assertEqual(child.returncode, 0, err)

    def test_eight_processes_on_one_database_pay_once(self):
        code = ("import sys; from harness import *\n"
                "db = open_desk_keys(sys.argv[2], sys.argv[3])\n"
                "for i in range(60):\n"
                "    assert 'ref' in value(db, 'SELECT llm_complete(?)', f'shared question {i}')\n")
        self.check_eight(code, lambda tmp, url: [os.path.join(tmp, "desk.db"), url])

    def test_eight_databases_share_one_store(self):
        code = ("import sys, os; from harness import *\n"
                "os.environ['LLMCOST_STORE'] = sys.argv[2] + '/common'\n"
                "db = open_desk(sys.argv[2] + f'/db{sys.argv[1]}', sys.argv[3])\n"
                "for i in range(60):\n"
                "    assert 'ref' in value(db, 'SELECT llm_complete(?)', f'shared question {i}')\n")
        self.check_eight(code, lambda tmp, url: [tmp, url], store="common")

    def check_eight(self, code, args, store=None):
        with Standin("--latency-ms", "5") as standin, TempDir() as tmp:
            path = os.path.join(tmp, "desk.db")
            db = open_desk(path, standin.url)
            self.run_workers(8, code.replace("open_desk_keys(sys.argv[2], sys.argv[3])",
                                             "connect(sys.argv[2]); [db.execute(s).fetchall() for s in "
                                             "setup_sql(sys.argv[3])[:-2]]"), *args(tmp, standin.url))
            self.assertEqual(standin.bill()["calls"], 60)
            if store:
                value(db, "SELECT llm_config('store', ?)", os.path.join(tmp, store))
            self.assertEqual(value(db, "SELECT sum(cost_nusd) FROM llm_calls"), standin.bill()["total_nusd"])
            self.assertEqual(db.execute("SELECT kind, count(*) FROM llm_calls GROUP BY 1 ORDER BY 1").fetchall(),
                             [("call", 60), ("hit_exact", 420)])


class Waiting(unittest.TestCase):
    """A second asker of the same question, while the first has no answer."""

    def setUp(self):
        self.standin = Standin()
        self.standin.__enter__()
        self.addCleanup(self.standin.__exit__, None, None, None)
        self.tmp = TempDir()
        self.addCleanup(self.tmp.cleanup)
        path = os.path.join(self.tmp.name, "desk.db")
        self.first = open_desk(path, self.standin.url, check_same_thread=False)
        self.first.execute("UPDATE llm_models SET base_url = ?", (self.standin.url + "/s/hang/v1",))
        self.second = connect(path, check_same_thread=False)
        self.thread = threading.Thread(target=lambda: error_of(self.first, "SELECT llm_complete('same')"))
        self.thread.start()
        while self.standin.bill()["requests"] == 0:
            time.sleep(0.01)

    def tearDown(self):
        self.first.interrupt()
        self.thread.join()

    def test_can_be_interrupted(self):
        threading.Timer(0.3, self.second.interrupt).start()
        self.assertIn("interrupted", error_of(self.second, "SELECT llm_complete('same')"))
        self.assertEqual(self.standin.bill()["requests"], 1)

    def test_gives_up_in_time_and_says_so(self):
        message = error_of(self.second, "SELECT llm_complete('same', '{\"timeout_ms\":300}')")
        self.assertIn("another process is asking the same", message)
        self.assertEqual(self.standin.bill()["requests"], 1)

    def test_asks_itself_when_the_first_gives_up(self):
        self.second.execute("UPDATE llm_models SET base_url = ?", (self.standin.url + "/v1",))
        threading.Timer(0.3, self.first.interrupt).start()
        self.assertIn("ref", value(self.second, "SELECT llm_complete('same')"))


class MainStore(unittest.TestCase):
    def test_memory_database_keeps_everything_in_main(self):
        with Standin() as standin:
            db = open_desk(":memory:", standin.url)
            self.assertEqual(value(db, "SELECT llm_config('store')"), "main")
            make_tickets(db, 20, "m")
            db.execute(ANSWER)
            db.execute("DELETE FROM answers")
            db.execute(ANSWER)
            self.assertEqual(standin.bill()["calls"], 20)
            self.assertEqual(value(db, "SELECT sum(cost_nusd) FROM llm_calls"), standin.bill()["total_nusd"])
            self.assertEqual(value(db, "SELECT sum(hits) FROM llm_cost_daily"), 20)
            db.close()

    def test_rows_follow_the_transaction_in_main(self):
        with Standin() as standin, TempDir() as tmp:
            db = open_desk(os.path.join(tmp, "desk.db"), standin.url)
            value(db, "SELECT llm_config('store', 'main')")
            value(db, "SELECT llm_complete('first')")
            db.execute("BEGIN")
            value(db, "SELECT llm_complete('second')")
            db.execute("ROLLBACK")
            self.assertEqual(value(db, "SELECT count(*) FROM llm_calls"), 1)
            self.assertEqual(os.listdir(tmp), ["desk.db"])

    def test_rollback_of_the_first_call_takes_the_tables_and_they_come_back(self):
        with Standin() as standin:
            db = open_desk(":memory:", standin.url)
            db.execute("BEGIN")
            value(db, "SELECT llm_complete('first')")
            db.execute("ROLLBACK")
            value(db, "SELECT llm_complete('second')")
            self.assertEqual(db.execute("SELECT kind FROM llm_calls").fetchall(), [("call",)])
            value(db, "SELECT llm_complete('third')")
            self.assertEqual(value(db, "SELECT count(*) FROM llm_calls"), 2)

    def locked(self, standin, tmp, sql, scenario="ok"):
        """Runs the statement while another connection holds the write lock, then closes. Returns the ledger's sum."""
        path = os.path.join(tmp, "desk.db")
        db = open_desk(path, standin.url, timeout=0)
        value(db, "SELECT llm_config('store', 'main')")
        value(db, "SELECT llm_config('backoff_ms', 1)")
        value(db, "SELECT llm_complete('first')")
        db.execute("UPDATE llm_models SET base_url = ?", (f"{standin.url}/s/{scenario}/v1",))
        other = connect(path, timeout=0)
        other.execute("BEGIN IMMEDIATE")
        value(db, sql)
        other.execute("ROLLBACK")
        db.close()
        return value(other, "SELECT sum(cost_nusd) FROM llm_calls")

    def test_busy_main_then_close_writes_what_waits(self):
        with Standin() as standin, TempDir() as tmp:
            self.assertEqual(self.locked(standin, tmp, "SELECT llm_complete('while locked')"),
                             standin.bill()["total_nusd"])

    def test_busy_main_ledgers_each_attempt_once(self):
        with Standin() as standin, TempDir() as tmp:
            paid = self.locked(standin, tmp, """SELECT llm_complete('n', '{"schema":{"type":"object","properties":
                {"n":{"type":"integer"}},"required":["n"],"additionalProperties":false}}')""", "wrong-schema")
            self.assertEqual(paid, standin.bill()["total_nusd"])
            self.assertEqual(standin.bill()["calls"], 3)

    def test_busy_main_is_buffered_not_dropped(self):
        with Standin() as standin, TempDir() as tmp:
            path = os.path.join(tmp, "desk.db")
            db = open_desk(path, standin.url, timeout=0)
            value(db, "SELECT llm_config('store', 'main')")
            value(db, "SELECT llm_complete('first')")
            other = connect(path, timeout=0)
            other.execute("BEGIN IMMEDIATE")
            self.assertIn("ref", value(db, "SELECT llm_complete('while locked')"))
            other.execute("ROLLBACK")
            self.assertIn("ref", value(db, "SELECT llm_complete('while locked')"))
            self.assertEqual(standin.bill()["calls"], 2, "the buffered answer serves")
            self.assertEqual(value(db, "SELECT sum(cost_nusd) FROM llm_calls"), standin.bill()["total_nusd"])


class KillSemantic(Kill):
    """The same while each answer goes into the semantic cache too, in the transaction that settles its call."""
    KILLS = 20
    SETTINGS = ["SELECT llm_config('cache', 'semantic')", "SELECT llm_config('minilm', '/nonexistent')"]

    test_killed_owner_is_taken_over = None  # once is enough


if __name__ == "__main__":
    unittest.main()
