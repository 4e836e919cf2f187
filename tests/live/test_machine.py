"""A machine that fails: no memory, no descriptors, a disk that is full or broken, forks, kills, stops, a clock that
is set back, files that are none, a process that ends without closing."""
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from harness import ROOT, SO, Desk, Standin, TempDir, clean_env, connect, error_of, open_desk, setup_sql, value
from test_durability import Ledger

FAULT = os.path.join(ROOT, "build/fault")
WALL_CLOCK = os.path.join(ROOT, "build/wall_clock.so")
# How long, and how many places of each kind: short in `make test`, whole in `make test-faults`.
STORM_SECONDS = int(os.environ.get("FAULT_STORM_SECONDS", "8"))
SHARE = os.environ.get("FAULT_SHARE", "6")


class Injected(unittest.TestCase):
    """Every allocation, and every operation on files, fails: see tests/fault/fault.c."""

    def run_faults(self, *args):
        # On memory where there is some: a thousand databases are copied.
        where = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        with Standin() as standin, tempfile.TemporaryDirectory(prefix="llmcost-fault-", dir=where) as tmp:
            out = subprocess.run([FAULT, *args, standin.url, tmp], cwd=ROOT, capture_output=True, text=True,
                                 env=clean_env())
        lines = out.stdout.splitlines()
        cases = sum(int(line.split(" operations,")[1].split()[0]) for line in lines if " operations," in line)
        self.assertEqual(out.returncode, 0, "\n".join(line for line in lines if line.startswith("FAIL")) + out.stderr)
        print(f"      faults {' '.join(args)}: {cases} cases")

    def test_out_of_memory(self):
        self.run_faults("-s", SHARE, "-k", "memory")

    def test_out_of_descriptors_and_disk(self):
        for kind in ("open", "read", "write", "write-io", "sync", "map"):
            with self.subTest(kind):
                self.run_faults("-s", str(int(SHARE) // 6), "-k", kind)


def ask_all(db, questions):
    """The answer to each question, or the error."""
    answers = {}
    for q in questions:
        try:
            answers[q] = value(db, "SELECT llm_complete(?)", q)
        except Exception as e:  # told apart by its text
            answers[q] = f"error: {e}"
    return answers


def in_child(work):
    """Runs work() in a forked process; returns (pid, file that gets what it returns)."""
    out = tempfile.TemporaryFile("w+")
    pid = os.fork()
    if pid == 0:
        try:
            out.write(repr(work()))
            out.flush()
        finally:
            os._exit(0)
    return pid, out


def result_of(pid, out):
    os.waitpid(pid, 0)
    out.seek(0)
    return eval(out.read())  # what our own child wrote


class Fork(Desk):
    def expected(self, questions):
        path = os.path.join(self.tmp.name, "fresh.db")
        db = open_desk(path, self.standin.url)
        answers = ask_all(db, questions)
        db.close()
        return answers

    def test_three_children_and_their_parent(self):
        mine = {w: [f"Question {i} of worker {w}, please" for i in range(30)] for w in range(4)}
        value(self.db, "SELECT llm_complete('before the fork')")
        self.standin.latency(20)
        children = [in_child(lambda w=w: ask_all(self.db, mine[w])) for w in range(1, 4)]
        got = ask_all(self.db, mine[0])
        for child in children:
            got.update(result_of(*child))
        self.standin.latency(0)
        right = self.expected([q for w in mine for q in mine[w]])
        wrong = {q: a for q, a in got.items() if a != right[q] and not a.startswith("error: ")}
        self.assertEqual(wrong, {})
        self.assertEqual([a for a in got.values() if a.startswith("error: ")], [], "the store is opened anew")
        bill = self.standin.bill()["calls"]
        self.db.close()
        self.db = connect(self.path)
        for sql in setup_sql(self.standin.url)[:-2]:
            self.db.execute(sql).fetchall()
        self.assertEqual(ask_all(self.db, list(right)), right, "what is in the cache")
        self.assertEqual(self.standin.bill()["calls"], bill, "all of it is in the cache")
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_calls WHERE kind = 'call'"), 121)
        self.assertEqual(value(self.db, "SELECT count(DISTINCT request_id) FROM llm_calls"),
                         value(self.db, "SELECT count(*) FROM llm_calls"))

    def test_the_parents_rows_are_written_by_the_parent(self):
        ask_all(self.db, ["same"] * 5)  # four hits wait
        pid, out = in_child(lambda: (value(self.db, "SELECT llm_complete('mine')"),
                                     value(self.db, "SELECT count(*) FROM llm_calls"), self.db.close()))
        self.assertIn(result_of(pid, out)[1], range(2, 7), "its own, and what the parent has written")
        ask_all(self.db, ["same"])
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_calls WHERE kind = 'hit_exact'"), 5)
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_calls"), 7)

    def test_a_child_that_exits_takes_nothing_along(self):
        ask_all(self.db, ["same"] * 5)
        pid = os.fork()
        if pid == 0:
            import ctypes
            ctypes.CDLL(None).exit(0)
        os.waitpid(pid, 0)
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_calls"), 5)

    def test_with_the_store_in_main_it_is_an_error(self):
        db = open_desk(os.path.join(self.tmp.name, "main.db"), self.standin.url)
        db.execute("SELECT llm_config('store', 'main')")
        value(db, "SELECT llm_complete('before')")
        for q in ("before", "after"):
            pid, out = in_child(lambda q=q: ask_all(db, [q]))
            self.assertIn("before fork()", result_of(pid, out)[q])
        value(db, "SELECT llm_complete('after')")
        db.close()

    def test_an_open_query_over_the_ledger(self):
        ask_all(self.db, [f"q{i}" for i in range(5)])
        rows = self.db.execute("SELECT id FROM llm_calls")
        next(rows)
        pid, out = in_child(lambda: ask_all(self.db, ["in the child"]))
        self.assertIn("forked while a query", result_of(pid, out)["in the child"])
        self.assertEqual(len(rows.fetchall()), 4)

    def test_the_parents_socket_goes_on(self):
        value(self.db, "SELECT llm_complete('one')")
        pid, out = in_child(lambda: (ask_all(self.db, ["two"]), self.db.close()))
        result_of(pid, out)
        value(self.db, "SELECT llm_complete('three')")
        self.assertEqual(value(self.db, "SELECT sum(attempt > 1 OR kind = 'unknown') FROM llm_calls"), 0)


class Waiting(Desk):
    """Rows of hits that wait in memory."""

    def on_disk(self):
        other = connect(self.path)
        count = value(other, "SELECT count(*) FROM llm_calls")
        other.close()
        return count

    def script(self, body, **env):
        code = (f"import sys, os, time, ctypes\nsys.path.insert(0, {os.path.dirname(__file__)!r})\n"
                f"from harness import *\ndb = connect({self.path!r})\n"
                f"for sql in setup_sql({self.standin.url!r})[:-2]: db.execute(sql).fetchall()\n" + body)
        return subprocess.Popen([sys.executable, "-c", code], env=clean_env(**env), stdout=subprocess.PIPE, text=True)

    def test_after_a_hundred(self):
        ask_all(self.db, ["same"] * 250)
        self.assertGreaterEqual(self.on_disk(), 201)

    def test_after_a_second_with_the_next_call(self):
        ask_all(self.db, ["same"] * 5)
        time.sleep(1.1)
        ask_all(self.db, ["same"])
        self.assertEqual(self.on_disk(), 5)

    def test_before_the_next_request_of_the_connection(self):
        ask_all(self.db, ["same"] * 3 + ["other"])
        rows = self.db.execute("SELECT kind, ts FROM llm_calls ORDER BY id").fetchall()
        self.assertEqual([r[0] for r in rows], ["call", "hit_exact", "hit_exact", "call"])
        self.assertEqual([r[1] for r in rows], sorted(r[1] for r in rows))

    def test_ids_are_in_the_order_of_time(self):
        ask_all(self.db, [random.Random(7).choice(["a", "b", f"n{i}"]) for i in range(150)])
        rows = self.db.execute("SELECT ts FROM llm_calls ORDER BY id").fetchall()
        self.assertEqual(rows, sorted(rows))

    def test_a_process_that_exits_without_closing(self):
        ask_all(self.db, ["same"])
        for end, least in (("ctypes.CDLL(None).exit(0)", 5), ("os._exit(0)", 0), ("sys.exit()", 5)):
            before = self.on_disk()
            child = self.script(f"for i in range(5): value(db, \"SELECT llm_complete('same')\")\n{end}\n")
            child.wait()
            child.stdout.close()
            self.assertIn(self.on_disk() - before, range(least, 6), end)

    def test_an_exit_inside_of_a_call_does_not_hang(self):
        ask_all(self.db, ["same"])
        child = self.script("for i in range(5): value(db, \"SELECT llm_complete('same')\")\n"
                            "db.create_function('quit', 0, lambda: ctypes.CDLL(None).exit(3))\n"
                            "db.execute(\"SELECT llm_complete('same'), quit()\").fetchall()\n")
        self.assertEqual(child.wait(20), 3)
        child.stdout.close()

    def test_a_kill_loses_the_rows_of_a_hundred_hits_at_most(self):
        ask_all(self.db, ["same"])
        child = self.script("for i in range(1234): value(db, \"SELECT llm_complete('same')\")\n"
                            "print('done', flush=True)\ntime.sleep(60)\n")
        child.stdout.readline()
        child.kill()
        child.wait()
        child.stdout.close()
        self.assertGreaterEqual(self.on_disk(), 1 + 1234 - 100)


class Clock(Desk):
    def test_set_back_during_a_wait(self):
        flag = os.path.join(self.tmp.name, "back")
        self.db.execute("UPDATE llm_models SET base_url = ?", (self.standin.url + "/s/rate-limit-seconds/v1",))
        env = clean_env(LD_PRELOAD=WALL_CLOCK, WALL_CLOCK_SET_BACK=flag)
        sql = "\n".join([f".load {SO}"] + [s + ";" for s in setup_sql(self.standin.url)[:-2]] +
                        ["SELECT llm_complete('wait a second');", ""])
        child = subprocess.Popen(["sqlite3", "-batch", self.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 env=env, text=True)
        started = time.monotonic()
        child.stdin.write(sql)
        child.stdin.close()
        while self.standin.bill()["requests"] == 0:
            time.sleep(0.01)
        open(flag, "w").close()
        child.wait(60)
        child.stdout.close()
        self.assertLess(time.monotonic() - started, 30)
        self.assertEqual(self.standin.bill()["calls"], 1)


class Files(Desk):
    """What is no file is not read, and nobody waits for it."""

    def others(self):
        fifo = os.path.join(self.tmp.name, "fifo")
        if not os.path.exists(fifo):
            os.mkfifo(fifo)
        return fifo, "/dev/zero", self.tmp.name

    def test_as_a_store(self):
        for path in self.others():
            db = connect(":memory:")
            db.execute("SELECT llm_config('store', ?)", (path,))
            started = time.monotonic()
            self.assertIn("not a file", error_of(db, "SELECT llm_complete('x', '{\"model\":\"gpt-4o-mini\"}')"))
            self.assertLess(time.monotonic() - started, 5)
            db.close()

    def test_as_a_price_list(self):
        for path in self.others():
            started = time.monotonic()
            error_of(self.db, "SELECT llm_prices_import(?)", path)
            self.assertLess(time.monotonic() - started, 5)

    def test_as_weights(self):
        for path in self.others():
            started = time.monotonic()
            self.db.execute("SELECT llm_config('minilm', ?)", (path,))
            error_of(self.db, "SELECT embed('x', 'minilm')")
            self.assertLess(time.monotonic() - started, 5)


class Wal(Desk):
    def test_comes_back_after_a_long_reader(self):
        wal = self.path + "-llmcost-wal"
        ask_all(self.db, ["one", "two"])
        other = connect(self.path)
        reader = other.execute("SELECT id FROM llm_calls")
        next(reader)
        text = "All of this is the same. " * 20000
        for i in range(60):
            value(self.db, "SELECT llm_complete(?)", f"{i} {text}")
        grown = os.path.getsize(wal)
        self.assertGreater(grown, 20 << 20)
        reader.close()
        other.close()
        ask_all(self.db, ["three", "four", "five"])
        self.assertLessEqual(os.path.getsize(wal), 16 << 20)


class Storm(unittest.TestCase):
    """Processes of two threads each that are killed and stopped at random, on one store."""
    WORKER = """
import sys, threading, random
sys.path.insert(0, sys.argv[1])
from harness import *
path, url, questions, seed = sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
def work(n):
    db = connect(path, timeout=30)
    for sql in setup_sql(url)[:-2]: db.execute(sql).fetchall()
    pick = random.Random(seed * 2 + n)
    while True:
        q = 'Storm question number %d of many' % pick.randrange(questions)
        try:
            answer = value(db, 'SELECT llm_complete(?)', q)
            assert answer, q
        except sqlite3.OperationalError as e:
            if 'no answer in time' not in str(e): raise
for n in range(2):
    threading.Thread(target=work, args=(n,)).start()
"""

    def test_kill_and_stop(self):
        pick = random.Random(20261128)
        kills = stops = 0
        with Standin() as standin, TempDir() as tmp:
            path = os.path.join(tmp, "desk.db")
            open_desk(path, standin.url).close()
            standin.latency(2)
            questions = 300 * STORM_SECONDS
            start = lambda: subprocess.Popen([sys.executable, "-c", self.WORKER, os.path.dirname(__file__), path,
                                              standin.url, str(questions), str(pick.randrange(1 << 30))],
                                             env=clean_env(), stderr=subprocess.PIPE)
            workers = [start() for _ in range(8)]
            stopped, said = [], b""
            end = time.monotonic() + STORM_SECONDS
            while time.monotonic() < end:
                time.sleep(pick.uniform(0.05, 0.4))
                at = pick.randrange(8)
                if pick.random() < 0.5:
                    workers[at].kill()
                    said += workers[at].communicate()[1]
                    workers[at] = start()
                    kills += 1
                else:
                    workers[at].send_signal(signal.SIGSTOP)
                    threading.Timer(pick.uniform(0.1, 1), workers[at].send_signal, (signal.SIGCONT,)).start()
                    stops += 1
            time.sleep(1.1)
            for worker in workers:
                worker.kill()
                said += worker.communicate()[1]
            self.assertEqual(said.decode(), "")
            db = connect(path)
            for sql in setup_sql(standin.url)[:-2]:
                db.execute(sql).fetchall()
            value(db, "SELECT llm_complete('Storm question number 0 of many')")  # what the dead left is marked
            self.assertEqual(value(db, "SELECT count(*) FROM llm_calls WHERE error = 'in flight'"), 0)
            ledger = Ledger(db, standin)
            ledger.check(self, standin)
            self.assertEqual({p: n for p, n in ledger.paid_per_prompt().items() if n != 1}, {})
            print(f"      {STORM_SECONDS} s: {kills} kills, {stops} stops, {len(ledger.rows)} requests, "
                  f"{len(ledger.unknown)} in flight when killed")
            db.close()
