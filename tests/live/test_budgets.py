"""llm_budgets: limits that many processes keep together. B01 … B15 are cases from other projects' trackers."""
import datetime
import json
import multiprocessing
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import unittest
import zoneinfo

from harness import (Desk, ROOT, SO, clean_env, connect, error_of, open_desk, setup_sql, value)

WALL_CLOCK = os.path.join(ROOT, "build/wall_clock.so")
ASKER = os.path.join(ROOT, "tests/live/asker.py")
# `make test` runs the races short; whole: LLMCOST_ROUNDS=1000 LLMCOST_ROWS=2000 LLMCOST_WIDTH=64.
ROUNDS = int(os.environ.get("LLMCOST_ROUNDS", "40"))
ROWS = int(os.environ.get("LLMCOST_ROWS", "240"))
WIDTH = int(os.environ.get("LLMCOST_WIDTH", "16"))
MINI = "gpt-4o-mini"
PRICE = {MINI: (150, 600), "gpt-4o": (2500, 10000)}  # nano-dollars a token


class Asker:
    """An asking process whose clock can be set; `ask` waits for its answer, `start` and `answer` do not."""

    def __init__(self, path, url, clock=None, more=()):
        env = clean_env(**(dict(LD_PRELOAD=WALL_CLOCK, WALL_CLOCK_SET_BACK=clock) if clock else {}), **dict(more))
        self.process = subprocess.Popen([sys.executable, ASKER, SO, path], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, env=env)
        for sql in setup_sql(url)[:-2]:
            self.ask(sql)

    def start(self, sql, *args):
        self.process.stdin.write(json.dumps([sql, *args]) + "\n")
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        return json.loads(line) if line else ["dead", None]

    def ask(self, sql, *args):
        self.start(sql, *args)
        return self.answer()

    def value(self, sql, *args):
        kind, rows = self.ask(sql, *args)
        assert kind == "rows", rows
        return rows[0][0] if rows else None

    def kill(self):
        self.process.kill()
        self.end()

    def end(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()


class Budgets(Desk):
    def setUp(self):
        super().setUp()
        self.standin.post("/standin/reset", {})
        self.standin.latency(0)
        self.standin.token_factor(1)
        self.askers = []
        self.clock = os.path.join(self.tmp.name, "clock")

    def tearDown(self):
        for a in self.askers:
            if a.process.poll() is None:
                a.end()
        super().tearDown()

    def asker(self, clock=False, **more):
        self.askers.append(Asker(self.path, self.standin.url, self.clock if clock else None, more))
        return self.askers[-1]

    def set_clock(self, text, zone="UTC"):
        """The clock of those who ask with one."""
        at = datetime.datetime.fromisoformat(text).replace(tzinfo=zoneinfo.ZoneInfo(zone))
        with open(self.clock + "~", "w") as f:
            f.write(str(int((at.timestamp() - time.time()) * 1000)))
        os.rename(self.clock + "~", self.clock)

    def limit(self, scope, period, usd, action="error", unpriced="refuse"):
        self.db.execute("INSERT INTO llm_budgets VALUES (?, ?, ?, ?, ?)", (scope, period, usd, action, unpriced))

    def all_answers(self, askers):
        """Those of all that were started, and the most holds that there were at once."""
        answers, most = [], 0
        waiting = threading.Thread(target=lambda: answers.extend(a.answer() for a in askers))
        waiting.start()
        while waiting.is_alive():
            most = max(most, value(self.db, "SELECT count(*) FROM llm_holds"))
            time.sleep(0.005)
        return answers, most

    @staticmethod
    def sql(prompt, **options):
        options.setdefault("model", MINI)
        return "SELECT llm_complete(?, ?)", prompt, json.dumps(options)

    def ask(self, prompt, **options):
        return value(self.db, *self.sql(prompt, **options))

    def refused(self, prompt, **options):
        said = error_of(self.db, *self.sql(prompt, **options))
        self.assertIn("llm_budgets: ", said)
        return said

    def status(self, columns, where="1"):
        return self.db.execute(f"SELECT {columns} FROM llm_budget_status WHERE {where}").fetchall()

    def spent(self, where="1"):
        return value(self.db, f"SELECT coalesce(sum(cost_nusd), 0) FROM llm_calls WHERE {where}")

    def check_sums(self):
        """Three ways to the same number: the status, the ledger, and llm_check."""
        for nusd, in self.status("spent_nusd", "scope = '*' AND period = 'month'"):
            self.assertEqual(nusd, self.spent())
        self.assertEqual(json.loads(value(self.db, "SELECT llm_check()"))["sums"]["differs"], 0)

    def put_rows(self, rows):
        """Rows as the ledger has them: (local time, zone, dollars in nano, tag)."""
        self.ask("the store is made", max_tokens=20)
        self.db.execute("SELECT llm_check()").fetchall()
        store = sqlite3.connect(self.path + "-llmcost", isolation_level=None)
        store.execute("BEGIN")
        store.executemany("INSERT INTO llm_calls(request_id, attempt, ts, kind, provider, model_requested, model, tag, cost_nusd)"
                          " VALUES ('x', 1, ?, 'call', 'openai', 'gpt-4o-mini', 'gpt-4o-mini', ?, ?)", rows)
        store.execute("COMMIT")
        store.close()

    def bill(self):
        return self.standin.bill()["total_nusd"]


class Limits(Budgets):
    def test_no_room(self):
        self.limit("*", "day", 0.0001)
        self.assertIsNotNone(self.ask("one", max_tokens=100))
        said = self.refused("two", max_tokens=160)
        for part in ("'*' per day: $0.0000", "held, of $0.0001; this call may cost $0.0000", "nothing was sent; until ",
                     " 00:00 +00:00"):
            self.assertIn(part, said)
        self.assertEqual(self.standin.bill()["calls"], 1)
        self.assertEqual(value(self.db, "SELECT error LIKE 'budget: %' FROM llm_calls WHERE kind = 'refused'"), 1)
        # a refusal is final, on_error covers it, and what was paid is a hit
        self.assertEqual(json.loads(self.ask("two", max_tokens=160, retries=5, on_error="json"))["error"]["code"], "budget")
        self.assertIsNotNone(self.ask("one", max_tokens=100))
        self.check_sums()

    def test_what_is_held_stands_in_the_row(self):
        self.limit("*", "day", 1)
        self.ask("hello", max_tokens=100)
        held, cost = self.db.execute("SELECT held_nusd, cost_nusd FROM llm_calls").fetchone()
        self.assertEqual(held, 150 * 8 + 600 * 100)  # three tokens a message, its role, its word; three for the answer
        self.assertEqual(cost, self.bill())
        self.db.execute("DELETE FROM llm_budgets")
        self.ask("and on", max_tokens=100)
        self.assertIsNone(value(self.db, "SELECT held_nusd FROM llm_calls ORDER BY id DESC"))

    def test_scopes(self):
        self.limit("tag:a", "day", 0.00005)
        self.limit("user:u*", "day", 0.00005)
        self.limit("tag:b & user:v", "day", 0.00005)
        self.limit("provider:openai & model:gpt-4o-mini & tag:c", "day", 0.00005)
        for i, (tag, user, is_refused) in enumerate([("a", None, 1), ("b", None, 0), (None, "u1", 1), (None, "v", 0),
                                                     ("b", "v", 1), ("b", "w", 0), ("c", None, 1), (None, None, 0)]):
            with self.subTest(tag=tag, user=user):
                options = {k: v for k, v in (("tag", tag), ("user", user)) if v is not None}
                ask = self.refused if is_refused else self.ask
                ask(f"question {i}", max_tokens=100, **options)
        self.assertIn("(user:u1)", self.refused("again", max_tokens=100, user="u1"))

    def test_warn_goes_on_and_says_so(self):
        self.limit("*", "day", 0.00001, "warn")
        self.ask("hello", max_tokens=100)
        notes = json.loads(value(self.db, "SELECT notes FROM llm_calls"))
        self.assertIn("budget '*' per day: $0 spent, $0 held, of $0.00001", notes["budget"][0])
        self.assertGreater(self.status("share")[0][0], 1)

    def test_an_unreadable_limit_stops_calls(self):
        self.db.execute("DROP TABLE llm_budgets")
        self.db.execute("CREATE TABLE llm_budgets(scope, period, limit_usd, action, unpriced)")
        for row in (("all", "day", 1, "error", "refuse"), ("*", "daily", 1, "error", "refuse"),
                    ("*", "day", -1, "error", "refuse"), ("*", "day", 1, "stop", "refuse"),
                    ("*", "day", 1, "error", "maybe")):
            self.db.execute("DELETE FROM llm_budgets")
            self.db.execute("INSERT INTO llm_budgets VALUES (?, ?, ?, ?, ?)", row)
            self.assertIn("llm_budgets: ", error_of(self.db, *self.sql("hello")))
        self.assertEqual(self.standin.bill()["requests"], 0)

    def test_more_than_one_limit(self):
        self.limit("*", "month", 1)
        self.limit("*", "day", 1)
        self.limit("tag:*", "24h", 0.00007)
        self.ask("one", tag="a", max_tokens=100)
        self.refused("two", tag="a", max_tokens=100)
        self.ask("three", tag="b", max_tokens=100)
        self.assertEqual(self.status("value", "scope = 'tag:*'"), [("tag:a",), ("tag:b",)])
        self.check_sums()

    def test_rolling_says_when(self):
        self.limit("*", "24h", 0.00008)
        self.ask("one", max_tokens=100)
        self.assertRegex(self.refused("two", max_tokens=120), r"until \d{4}-\d\d-\d\d \d\d:(00|15|30|45) \+00:00, if nothing more is spent")
        self.assertIn("this call alone is more than the limit", self.refused("three", max_tokens=1000))

    def test_embeddings_are_admitted_too(self):
        self.limit("model:text-embedding-3-small", "day", 0.00000005)
        self.assertIsNotNone(value(self.db, "SELECT embed('word', 'text-embedding-3-small')"))
        self.assertIn("llm_budgets: ", error_of(self.db, "SELECT embed('another text, longer', 'text-embedding-3-small')"))

    def test_in_main(self):
        self.db.execute("SELECT llm_config('store', 'main')").fetchall()
        self.limit("*", "day", 0.0001)
        self.db.execute("BEGIN")
        self.ask("one", max_tokens=100)
        self.refused("two", max_tokens=160)
        self.db.execute("ROLLBACK")
        self.assertEqual(self.status("spent_nusd")[0][0], 0)
        self.ask("three", max_tokens=100)
        self.refused("four", max_tokens=160)
        self.assertEqual(self.status("spent_nusd")[0][0], self.spent())

    def test_day_cap_of_a_process(self):
        a = self.asker(LLMCOST_BUDGET_USD_DAY="0.0001")
        self.assertEqual(a.ask(*self.sql("one", max_tokens=100))[0], "rows")
        kind, said = a.ask(*self.sql("two", max_tokens=160))
        self.assertEqual(kind, "error")
        self.assertIn("LLMCOST_BUDGET_USD_DAY: $0.0000", said)
        self.assertIn("of $0.0001", said)
        other = self.asker(LLMCOST_BUDGET_USD_DAY="0.0001")  # its own
        self.assertEqual(other.ask(*self.sql("three", max_tokens=100))[0], "rows")
        for wrong in ("much", "-1", "1e99", "nan", "5 dollars"):
            a = self.asker(LLMCOST_BUDGET_USD_DAY=wrong)
            self.assertIn("LLMCOST_BUDGET_USD_DAY is", a.ask(*self.sql("four"))[1])
        a = self.asker(LLMCOST_BUDGET_USD_DAY="0")
        self.assertIn("LLMCOST_BUDGET_USD_DAY", a.ask(*self.sql("five"))[1])
        self.assertEqual(a.ask(*self.sql("one", max_tokens=100))[0], "rows")  # a hit

    def test_day_cap_over_threads(self):
        script = f"""
import sqlite3, threading, json
def run(i):
    db = sqlite3.connect({self.path!r} + str(i), isolation_level=None)
    db.enable_load_extension(True); db.load_extension({SO!r})
    for sql in {setup_sql(self.standin.url)!r}: db.execute(sql).fetchall()
    db.execute("SELECT llm_complete(?, '{{\\"model\\":\\"gpt-4o-mini\\",\\"max_tokens\\":100,\\"on_error\\":\\"null\\"}}')", ["question %d" % i]).fetchall()
threads = [threading.Thread(target=run, args=(i,)) for i in range(12)]
[t.start() for t in threads]; [t.join() for t in threads]
"""
        subprocess.run([sys.executable, "-c", script], env=clean_env(LLMCOST_BUDGET_USD_DAY="0.0001"), check=True, timeout=60)
        self.assertLessEqual(self.bill(), 100000)
        self.assertGreater(self.bill(), 50000)


class More(Budgets):
    def test_cheapest_routes_down(self):
        self.db.execute("DELETE FROM llm_tiers")
        self.db.execute("INSERT INTO llm_tiers VALUES ('simple', 0.0001, ?, 1), ('complex', 1, 'gpt-4o', 2)", (MINI,))
        self.limit("*", "day", 0.0005, "cheapest")
        self.ask("Prove that there are infinitely many primes, step by step", model="auto", max_tokens=100)
        self.assertEqual(value(self.db, "SELECT model_requested FROM llm_calls WHERE kind = 'call'"), MINI)
        said = error_of(self.db, *self.sql("Prove it again, in another way", model="auto", max_tokens=2000))
        self.assertIn("llm_budgets: ", said)  # nor does the cheapest fit
        self.check_sums()

    def test_what_was_trimmed_still_counts(self):
        old = int((time.time() - 40 * 86400) * 1000)
        self.put_rows([(old + i, tag, 1_000_000) for i, tag in enumerate(["a", "b", None] * 10)])
        self.db.execute("SELECT llm_check('{\"repair\":true}')").fetchall()
        self.db.execute("SELECT llm_config('keep_calls', '7d')").fetchall()
        self.ask("one more", max_tokens=20)
        self.assertLess(value(self.db, "SELECT count(*) FROM llm_calls WHERE ts < ?", old + 86400000), 2)  # (the newest stays)
        made = self.spent("request_id <> 'x'")
        for scope, nusd in (("*", 30_000_000 + made), ("tag:a", 10_000_000), (f"model:{MINI}", 30_000_000 + made)):
            self.db.execute("DELETE FROM llm_budgets")
            self.limit(scope, "total", 50)
            self.assertEqual(self.status("spent_nusd"), [(nusd,)], scope)
        self.assertEqual(json.loads(value(self.db, "SELECT llm_check()"))["sums"]["budgets"], 0)

    def test_a_lost_answer_that_is_priced_by_hand(self):
        self.limit("*", "day", 1)
        self.standin.scenario("close")
        error_of(self.db, *self.sql("hello", max_tokens=1000, retries=0))
        self.assertGreater(self.status("unknown_nusd")[0][0], 600000)
        with sqlite3.connect(self.path + "-llmcost") as store:
            store.execute("UPDATE llm_calls SET cost_nusd = 5 WHERE kind = 'unknown'")
        store.close()
        said = json.loads(value(self.db, "SELECT llm_check('{\"repair\":true}')"))
        self.assertEqual((said["sums"]["budgets"] > 0, said["sums"]["repaired"]), (True, True))
        self.assertEqual(self.status("spent_nusd, unknown_nusd"), [(5, 0)])
        self.check_sums()

    def test_a_wait_has_an_end(self):
        self.limit("*", "day", 0.001)
        self.standin.latency(4000)
        a = self.asker()
        a.start(*self.sql("slow", max_tokens=1300, timeout_ms=10000))
        while not value(self.db, "SELECT count(*) FROM llm_holds"):
            time.sleep(0.01)
        started = time.monotonic()
        said = self.refused("in vain", max_tokens=1300, timeout_ms=400)
        self.assertIn("nothing was sent, and what others hold was not settled in time; until ", said)
        self.assertLess(time.monotonic() - started, 2)
        timer = threading.Timer(0.2, self.db.interrupt)
        timer.start()
        self.assertIn("interrupted", error_of(self.db, *self.sql("stopped", max_tokens=1300)))
        timer.join()
        self.assertEqual(a.answer()[0], "rows")
        self.assertEqual(self.standin.bill()["requests"], 1)

    def test_one_that_stops_and_comes_back(self):
        """Past its lease a hold is no hold: it counts as unknown. Its bill, when it comes, takes that place."""
        self.limit("*", "day", 0.001)
        now = datetime.datetime.utcnow().replace(hour=12)  # at midnight another day begins, with a limit of its own
        self.set_clock(now.isoformat())
        self.standin.latency(300)
        a, b = self.asker(clock=True), self.asker(clock=True)
        a.start(*self.sql("slow", max_tokens=1300, timeout_ms=60000))
        while not value(self.db, "SELECT count(*) FROM llm_holds"):
            time.sleep(0.01)
        a.process.send_signal(signal.SIGSTOP)
        self.set_clock((now + datetime.timedelta(seconds=100)).isoformat())
        held, unknown = b.ask("SELECT held_nusd, unknown_nusd FROM llm_budget_status")[1][0]
        self.assertEqual((held, unknown), (0, value(self.db, "SELECT held_nusd FROM llm_calls")))
        self.assertIn("unknown (may have been billed", b.ask(*self.sql("other", max_tokens=1300))[1])
        a.process.send_signal(signal.SIGCONT)
        self.assertEqual(a.answer()[0], "rows")
        self.assertEqual(b.ask(*self.sql("other", max_tokens=1300))[0], "rows")
        self.check_sums()

    def test_sums_made_anew_beside_readers(self):
        """I14: while sums are given up and made again, every reading is the true one, and nothing is refused for it."""
        self.put_rows([(int(time.time() * 1000) - i * 1000, "a", 990_000) for i in range(1000)])
        made = self.spent()
        self.limit("*", "30d", (made + 400_000) / 1e9)
        self.limit("tag:a", "30d", 1)
        self.assertEqual(self.status("spent_nusd", "scope = '*'"), [(made,)])
        askers, wrong = [self.asker() for _ in range(4)], []

        def read(a):
            while not stop.is_set():
                kind, rows = a.ask("SELECT spent_nusd FROM llm_budget_status WHERE scope = 'tag:a'")
                if kind != "rows" or rows != [[990_000_000]]:
                    wrong.append(rows)

        stop = threading.Event()
        threads = [threading.Thread(target=read, args=(a,)) for a in askers]
        for t in threads:
            t.start()
        for i in range(12):
            store = sqlite3.connect(self.path + "-llmcost", isolation_level=None, timeout=30)
            store.execute("BEGIN IMMEDIATE")
            store.execute("DELETE FROM llm_budget_sums")
            store.execute("DELETE FROM llm_budget_sets")
            store.execute("COMMIT")
            store.close()
            try:
                self.ask(f"question {i}", max_tokens=20)
            except sqlite3.Error as e:
                wrong.append(str(e))
            self.db.execute("SELECT llm_check('{\"repair\":true}')").fetchall()
        stop.set()
        for t in threads:
            t.join()
        self.assertEqual(wrong, [])
        self.check_sums()


class Cases(Budgets):
    def test_b01_race(self):
        self.standin.latency(150)
        self.limit("*", "day", 0.010)
        askers = [self.asker() for _ in range(8)]
        for i, a in enumerate(askers):
            a.start(*self.sql(f"question {i}", max_tokens=6650))  # $0.004
        answers, most = self.all_answers(askers)
        self.assertEqual(most, 2)
        self.assertEqual([kind for kind, _ in answers], ["rows"] * 8)  # they cost little, so that the others' turn came
        self.assertLessEqual(self.bill(), 10_000_000)
        self.assertEqual(self.spent(), self.bill())
        self.check_sums()

    def test_b02_a_value_never_seen(self):
        for scope, options in (("user:*", {"user": "new-1"}), ("tag:*", {"tag": ""}), ("tag:*", {})):
            with self.subTest(scope=scope, options=options):
                self.db.execute("DELETE FROM llm_budgets")
                self.limit(scope, "day", 0.001)
                self.standin.latency(120)
                askers = [self.asker() for _ in range(8)]
                for i, a in enumerate(askers):
                    a.start(*self.sql(f"{scope} {options} {i}", max_tokens=1300, **options))  # $0.0008
                answers, most = self.all_answers(askers)
                self.assertEqual([kind for kind, _ in answers], ["rows"] * 8, answers)
                # '' is a value; NULL is none, and no GLOB means it
                self.assertEqual(most, 1 if options else 0)
                self.assertEqual(self.status("value"), [("user:new-1" if "user" in options else "tag:",)])

    def test_b03_every_end_gives_its_hold_back(self):
        self.limit("*", "day", 4)
        options = {"model": "gpt-4o", "max_tokens": 19990, "retries": 0, "cache": "off"}  # $0.2
        with socket.socket() as closed, socket.socket() as deaf:
            closed.bind(("127.0.0.1", 0))
            deaf.bind(("127.0.0.1", 0))
            deaf.listen(1)
            ports = closed.getsockname()[1], deaf.getsockname()[1]
            for port in ports:
                self.db.execute("SELECT llm_allow_host(?, 'OPENAI_API_KEY')", (f"127.0.0.1:{port}",)).fetchall()
            self.db.execute("UPDATE llm_models SET base_url = ? WHERE name = 'gpt-4o'", (f"http://127.0.0.1:{ports[0]}/v1",))
            for i in range(5):  # never left
                error_of(self.db, *self.sql(f"refused {i}", **options))
        self.assertEqual(self.status("spent_nusd, unknown_nusd, held_nusd"), [(0, 0, 0)])
        self.db.execute("UPDATE llm_models SET base_url = ? WHERE name = 'gpt-4o'", (self.standin.url + "/s/hang/v1",))
        for i in range(5):  # interrupted on the way
            timer = threading.Timer(0.3, self.db.interrupt)
            timer.start()
            self.assertIn("interrupted", error_of(self.db, *self.sql(f"interrupted {i}", **options)))
            timer.join()
        for i in range(5):
            error_of(self.db, *self.sql(f"timed out {i}", timeout_ms=200, **options))
        unknown = self.status("unknown_nusd")[0][0]
        self.assertEqual(unknown, value(self.db, "SELECT sum(held_nusd) FROM llm_calls WHERE kind = 'unknown'"))
        for i in range(5):
            a = self.asker()
            a.start(*self.sql(f"killed {i}", **options))
            while not value(self.db, "SELECT count(*) FROM llm_holds"):
                time.sleep(0.01)
            a.kill()
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_holds"), 0)  # the dead hold nothing
        unknown, held = self.status("unknown_nusd, held_nusd")[0]
        self.assertEqual((round(unknown / 1e9, 1), held), (3.0, 0))
        said = self.refused("one more", model="gpt-4o", max_tokens=110000)
        self.assertRegex(said, r"\$0 spent and \$2\.99\d+ unknown \(may have been billed")
        self.check_sums()

    def test_b04_a_stream_that_breaks_is_its_worst_case(self):
        self.limit("*", "day", 1)
        self.standin.scenario("sse-cut")
        self.db.execute("UPDATE llm_models SET supports = '{\"stream\":true}' WHERE name IN (?, 'claude-haiku-4-5')", (MINI,))
        error_of(self.db, *self.sql("tell me", model="claude-haiku-4-5", max_tokens=4000, retries=0))
        kind, held, cost, usage = self.db.execute("SELECT kind, held_nusd, cost_nusd, usage FROM llm_calls").fetchone()
        self.assertEqual((kind, cost, json.loads(usage)["output"]), ("unknown", None, 1))  # what was seen is kept
        self.assertEqual(self.status("spent_nusd, unknown_nusd, held_nusd"), [(0, held, 0)])
        self.assertGreater(held, 4000 * 5000)
        # OpenAI's says what it used at the very end: the answer is whole, its bill is not known
        self.ask("tell me more", max_tokens=4000)
        more = value(self.db, "SELECT held_nusd FROM llm_calls WHERE cost_nusd IS NULL ORDER BY id DESC")
        self.assertEqual(self.status("unknown_nusd, unpriced"), [(held + more, 2)])
        self.check_sums()

    def test_b05_a_bill_above_its_hold_is_booked_in_full(self):
        self.limit("*", "day", 0.0004)
        self.standin.token_factor(400)
        self.ask("a question with some words in it", max_tokens=500)
        cost, held = self.db.execute("SELECT cost_nusd, held_nusd FROM llm_calls").fetchone()
        self.assertEqual(cost, self.bill())
        self.assertGreater(cost, held)
        spent, share = self.status("spent_nusd, share")[0]
        self.assertEqual((spent, share), (cost, cost / 400000))
        self.assertGreater(share, 1)
        self.refused("another", max_tokens=1)
        self.check_sums()

    def test_b06_free_unpriced_and_exhausted_are_three(self):
        self.ask("paid before", max_tokens=50)
        self.db.execute("INSERT INTO llm_models(name, provider, api, base_url, key_env, context_window, max_output, supports)"
                        " SELECT 'free-1', 'own', api, base_url, key_env, 8000, 1000, NULL"
                        " FROM llm_models WHERE name = ?", (MINI,))
        self.db.execute("INSERT INTO llm_models(name, provider, api, base_url, key_env, context_window, max_output, supports)"
                        " SELECT 'nobody-1', 'own', api, base_url, key_env, 8000, 1000, NULL"
                        " FROM llm_models WHERE name = ?", (MINI,))
        self.db.execute("INSERT INTO llm_prices(model, kind, usd_per_million) VALUES ('free-1', 'input', 0), ('free-1', 'output', 0)")
        for i, usd in enumerate((0.000001, 0)):
            self.db.execute("DELETE FROM llm_budgets")
            self.limit("*", "total", usd)
            self.assertIsNotNone(self.ask(f"free {i}", model="free-1"))
            self.assertIn("which nobody prices (unpriced)", self.refused(f"nobody {i}", model="nobody-1"))
            self.assertIn("until limit_usd is raised" if i else "alone is more", self.refused(f"paid {i}", max_tokens=1)
                          if not i else self.refused(f"paid {i}", max_tokens=1).replace("this call alone is more than the limit",
                                                                                       "until limit_usd is raised"))
            self.assertIsNotNone(self.ask("paid before", max_tokens=50))
        self.assertEqual(self.standin.bill()["calls"], 3)

    def test_b07_each_attempt_is_admitted(self):
        # the first attempt fits; what it billed leaves no room for the second
        self.limit("*", "day", 0.0004)
        self.standin.token_factor(250)
        self.standin.scenario("wrong-schema")
        said = self.refused("a question with some words in it", max_tokens=400, retries=3,
                            schema={"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]})
        self.assertIn("'*' per day", said)
        self.assertEqual(self.standin.bill()["requests"], 1)
        self.assertEqual(self.spent(), self.bill())
        self.assertEqual(self.status("held_nusd"), [(0,)])
        self.check_sums()

    def test_b07_each_tier_is_admitted(self):
        self.ask("paid before", max_tokens=50)
        self.db.execute("INSERT INTO llm_models(name, provider, api, base_url, key_env, context_window, max_output, supports)"
                        " SELECT 'free-1', 'own', api, base_url, key_env, 8000, 1000, NULL"
                        " FROM llm_models WHERE name = ?", (MINI,))
        self.db.execute("UPDATE llm_models SET base_url = ? WHERE name = 'free-1'", (self.standin.url + "/s/overloaded-always/v1",))
        self.db.execute("INSERT INTO llm_prices(model, kind, usd_per_million) VALUES ('free-1', 'input', 0), ('free-1', 'output', 0)")
        self.db.execute("DELETE FROM llm_tiers")
        self.db.execute("INSERT INTO llm_tiers VALUES ('simple', 0.5, 'free-1', 1), ('complex', 1, ?, 2)", (MINI,))
        self.limit("*", "day", 0.000001)
        before = self.standin.bill()["requests"]
        for i, options in enumerate(({}, {"escalate": True})):
            said = error_of(self.db, *self.sql(f"hello {i}", model="auto", retries=1, **options))
            self.assertTrue("llm_budgets" in said or "overloaded" in said.lower(), said)
            paid = [e for e in self.standin.journal()[before:] if e["model"] == MINI]
            self.assertEqual(paid, [])

    def test_r02_a_hold_for_each_attempt(self):
        self.limit("*", "day", 1)
        self.standin.scenario("server-error-always")
        self.db.execute("SELECT llm_config('backoff_ms', 1)").fetchall()
        error_of(self.db, *self.sql("hello", max_tokens=100, retries=2))
        self.assertEqual(self.standin.bill()["requests"], 3)
        self.assertEqual(self.db.execute("SELECT count(*), count(held_nusd), sum(cost_nusd) FROM llm_calls").fetchone(), (3, 3, 0))
        self.assertEqual(self.status("spent_nusd, unknown_nusd, held_nusd"), [(0, 0, 0)])

    def test_b08_a_day_is_that_of_its_zone(self):
        self.limit("*", "day", 0.0001)
        for zone, offset in (("Asia/Tokyo", "+09:00"), ("America/Los_Angeles", "-08:00"), ("Pacific/Auckland", "+13:00")):
            with self.subTest(zone):
                self.set_clock("2026-11-28 23:59", zone)
                a = self.asker(clock=True)
                a.ask("SELECT llm_config('time_zone', ?)", zone)
                self.assertEqual(a.ask(*self.sql(f"{zone} one", max_tokens=100))[0], "rows")
                kind, said = a.ask(*self.sql(f"{zone} two", max_tokens=160))
                self.assertEqual(kind, "error")
                self.assertTrue(said.endswith(f"until 2026-11-29 00:00 {offset}"), said)
                self.set_clock("2026-11-29 00:00:01", zone)
                self.assertEqual(a.ask(*self.sql(f"{zone} two", max_tokens=160))[0], "rows")
                # for the next zone
                a.ask("SELECT llm_config('store', ?)", os.path.join(self.tmp.name, "other"))
                for name in os.listdir(self.tmp.name):
                    if name.startswith("desk.db-llmcost"):
                        os.remove(os.path.join(self.tmp.name, name))
                a.kill()

    def test_b09_over_the_border_in_three_processes(self):
        self.limit("*", "day", 0.0001)
        self.set_clock("2026-11-28 23:59")
        askers = [self.asker(clock=True) for _ in range(3)]
        self.assertEqual(askers[0].ask(*self.sql("one", max_tokens=100))[0], "rows")
        for a in askers:  # all are warm, and know that there is no room
            kind, said = a.ask(*self.sql("two", max_tokens=160))
            self.assertEqual(kind, "error")
            spent, in_ledger = a.ask("SELECT spent_nusd, (SELECT sum(cost_nusd) FROM llm_calls) FROM llm_budget_status")[1][0]
            self.assertEqual(spent, in_ledger)
            self.assertIn(f"per day: ${spent / 1e9:.9f}".rstrip("0") + " spent", said)
        self.set_clock("2026-11-29 00:00:01")
        for i, a in enumerate(askers):
            self.assertEqual(a.value("SELECT spent_nusd FROM llm_budget_status"), i * 0 if i == 0 else a.value(
                "SELECT sum(cost_nusd) FROM llm_calls WHERE ts >= 1795910400000"))
            self.db.execute("UPDATE llm_budgets SET limit_usd = ?", (0.0001 * (i + 1),))  # counts from the next call
            self.assertEqual(a.ask(*self.sql(f"three {i}", max_tokens=100))[0], "rows")
            self.db.execute("UPDATE llm_budgets SET limit_usd = 0.0000001")
            self.assertEqual(a.ask(*self.sql(f"four {i}", max_tokens=100))[0], "error")
            self.db.execute("UPDATE llm_budgets SET limit_usd = 0.0001, period = 'hour'")
            self.assertIn(a.ask(*self.sql(f"five {i}", max_tokens=160))[0], ("error",))
            self.db.execute("UPDATE llm_budgets SET period = 'day'")

    def test_b10_a_new_rule_on_old_rows(self):
        now = time.time()
        month = datetime.datetime.utcfromtimestamp(now).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        first = int(month.replace(tzinfo=datetime.timezone.utc).timestamp() * 1000)
        self.put_rows([(first - 86400000 * 40, None, 100_000_000_000), (first, None, 3_000_000_000)])
        made = self.spent("kind = 'call' AND request_id <> 'x'")
        self.limit("*", "month", 50)
        self.assertEqual(self.status("spent_nusd"), [(3_000_000_000 + made,)])
        self.db.execute("UPDATE llm_budgets SET period = 'day'")
        today = value(self.db, "SELECT sum(cost_nusd) FROM llm_calls WHERE ts >= unixepoch('now', 'start of day') * 1000")
        self.assertEqual(self.status("spent_nusd"), [(today,)])
        self.db.execute("UPDATE llm_budgets SET period = 'total'")
        self.assertEqual(self.status("spent_nusd, from_time, until_time"), [(103_000_000_000 + made, None, None)])
        self.db.execute("UPDATE llm_budgets SET period = ?", (f"total since {month:%Y-%m-%d}",))
        self.assertEqual(self.status("spent_nusd, from_time"), [(3_000_000_000 + made, f"{month:%Y-%m-%d} 00:00 +00:00")])

    def test_b11_the_hold_has_the_price_of_the_bill(self):
        self.db.execute("INSERT INTO llm_models(name, provider, api, base_url, key_env, context_window, max_output, supports)"
                        " SELECT 'long-1', 'own', api, base_url, key_env, 2000000, 1000, '{\"tokens\":\"o200k_base\"}'"
                        " FROM llm_models WHERE name = ?", (MINI,))
        self.db.execute("INSERT INTO llm_prices(model, kind, usd_per_million, above_tokens) VALUES ('long-1', 'input', 1, 0),"
                        " ('long-1', 'output', 1, 0), ('long-1', 'input', 2, 272000), ('long-1', 'output', 2, 272000)")
        text = "word " * 300000
        self.limit("*", "day", 0.45)
        self.assertIn("this call may cost $0.", self.refused(text, model="long-1", max_tokens=10))
        self.assertEqual(self.standin.bill()["requests"], 0)
        # what is written to a cache unasked, at its own price
        self.db.execute("DELETE FROM llm_prices")
        self.db.execute("INSERT INTO llm_prices(model, kind, usd_per_million) VALUES ('long-1', 'input', 1), ('long-1', 'output', 1),"
                        " ('long-1', 'cache_write', 2)")
        self.refused(text, model="long-1", max_tokens=10)
        self.db.execute("UPDATE llm_budgets SET limit_usd = 3")
        self.ask(text, model="long-1", max_tokens=10)

    def test_b12_a_stated_cost_moves_nothing(self):
        self.limit("*", "day", 1)
        self.standin.scenario("reported-cost")
        self.ask("hello", max_tokens=50)
        cost, reported = self.db.execute("SELECT cost_nusd, cost_reported_nusd FROM llm_calls").fetchone()
        self.assertIsNotNone(reported)
        self.assertEqual(self.status("spent_nusd")[0][0], cost)

    def test_b13_what_nobody_prices(self):
        self.db.execute("INSERT INTO llm_models(name, provider, api, base_url, key_env, context_window, max_output, supports)"
                        " SELECT 'nobody-1', 'own', api, base_url, key_env, 8000, 1000, NULL"
                        " FROM llm_models WHERE name = ?", (MINI,))
        self.db.execute("CREATE TABLE q AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 107)"
                        " SELECT 'question ' || i AS q FROM n")
        self.limit("*", "day", 1)
        sql = "SELECT llm_complete(q, '{\"model\":\"nobody-1\",\"on_error\":\"null\"}') FROM q"
        self.db.execute(sql).fetchall()
        self.assertEqual(self.standin.bill()["requests"], 0)
        self.db.execute("UPDATE llm_budgets SET unpriced = 'allow'")
        self.db.execute(sql).fetchall()
        self.assertEqual(self.standin.bill()["calls"], 107)
        self.assertEqual(self.status("spent_nusd, unpriced"), [(0, 107)])
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_calls WHERE kind = 'call' AND cost_nusd IS NULL AND held_nusd IS NULL"), 107)
        self.assertEqual(value(self.db, "SELECT sum(calls) FROM llm_unpriced"), 107)
        self.check_sums()

    def test_b14_projection(self):
        self.limit("*", "week", 1)
        self.limit("*", "day", 1)
        self.limit("*", "24h", 1)
        self.set_clock("2026-11-15 12:00")  # a Sunday
        a = self.asker(clock=True)
        a.ask(*self.sql("one", max_tokens=100))
        rows = dict((p, (n, u, b)) for p, n, u, b in
                    a.ask("SELECT period, spent_nusd, round(projected_usd * 1e9), basis FROM llm_budget_status")[1])
        spent = rows["week"][0]
        self.assertAlmostEqual(rows["week"][1], spent * 14 / 13, delta=3)  # of seven days six and a half are over
        self.assertAlmostEqual(rows["day"][1], spent * 2, delta=3)
        self.assertEqual(rows["24h"][1:], (None, "no end"))
        self.set_clock("2026-11-16 00:00:30")
        for period, usd, basis in a.ask("SELECT period, projected_usd, basis FROM llm_budget_status WHERE period <> '24h'")[1]:
            self.assertEqual((usd, basis), (None, "too early"), period)

    def test_b15_periods_have_one_spelling(self):
        for period in ("hour", "day", "week", "month", "24h", "7d", "30d", "total", "total since 2026-11-01"):
            self.limit("*", period, 1)
        for period in (" Day ", "Day", "daily", "1d", "24H", "0h", "-7d", "7", "1mo", "", "total since now", None, 7):
            said = error_of(self.db, "INSERT INTO llm_budgets(scope, period, limit_usd) VALUES ('*', ?, 1)", period)
            self.assertTrue("24h, 7d, 30d (rolling), total" in said or "NOT NULL" in said, said)
        for scope in ("all", "", "team:x", "Tag:x"):
            self.assertIn("scope is *", error_of(self.db, "INSERT INTO llm_budgets(scope, period, limit_usd) VALUES (?, 'day', 1)", scope))
        for column, wrong in (("limit_usd", -1), ("limit_usd", "much"), ("action", "stop"), ("unpriced", "no")):
            self.assertIn(f"{column} is ", error_of(self.db, f"UPDATE llm_budgets SET {column} = ?", wrong))

    def borders(self, period, before, after, zone="UTC", ends=True):
        self.db.execute("DELETE FROM llm_budgets")
        self.limit("*", period, 0.0001)
        self.set_clock(before, zone)
        a = self.asker(clock=True, LLMCOST_STORE=os.path.join(self.tmp.name, f"store-{period}-{zone.replace('/', '-')}-{after}"))
        a.ask("SELECT llm_config('time_zone', ?)", zone)
        self.assertEqual(a.ask(*self.sql("one", max_tokens=100))[0], "rows")
        self.assertEqual(a.ask(*self.sql("two", max_tokens=160))[0], "error", before)
        self.set_clock(after, zone)
        kind, said = a.ask(*self.sql("two", max_tokens=160))
        self.assertEqual(kind, "rows" if ends else "error", (period, before, after, said))
        a.end()

    def test_each_period_over_its_border(self):
        for period, before, after in (("hour", "2026-11-28 20:59:50", "2026-11-28 21:00:01"), ("day", "2026-11-28 23:59:50", "2026-11-29 00:00:01"),
                                      ("week", "2026-11-29 23:59:50", "2026-11-30 00:00:01"), ("month", "2026-11-30 23:59:50", "2026-12-01 00:00:01"),
                                      ("24h", "2026-11-28 20:59:50", "2026-11-29 21:00:01"), ("7d", "2026-11-28 20:59:50", "2026-12-05 21:00:01"),
                                      ("30d", "2026-11-28 20:59:50", "2026-12-28 21:00:01")):
            for zone in ("UTC", "Asia/Kathmandu"):
                with self.subTest(period=period, zone=zone):
                    self.borders(period, before, after, zone)
        for period, before, after in (("hour", "2026-11-28 20:00:01", "2026-11-28 20:59:59"), ("day", "2026-11-28 00:00:01", "2026-11-28 23:59:59"),
                                      ("week", "2026-11-30 00:00:01", "2026-12-06 23:59:59"), ("month", "2026-12-01 00:00:01", "2026-12-31 23:59:59"),
                                      ("24h", "2026-11-28 23:59:59", "2026-11-29 23:59:50"), ("7d", "2026-11-28 20:59:50", "2026-12-05 20:59:40"),
                                      ("total", "2026-11-28 20:59:50", "2036-12-05 20:59:40")):
            with self.subTest(period=period, inside=after):
                self.borders(period, before, after, ends=False)

    def test_sums_are_those_of_the_detail_in_every_zone(self):
        rng = random.Random(7)
        zones = ("UTC", "Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe", "Europe/Berlin")
        rows = []
        for day in ("2026-04-05", "2026-10-25", "2026-10-04", "2026-11-01", "2026-11-28"):
            base = int(datetime.datetime.fromisoformat(day).replace(tzinfo=datetime.timezone.utc).timestamp() * 1000)
            rows += [(base + rng.randrange(-86400000, 2 * 86400000), rng.choice(("a", "b", None)), rng.randrange(1, 10**6)) for _ in range(4000)]
        self.put_rows(rows)
        for period in ("hour", "day", "week", "month"):
            self.limit("*", period, 1000)
            self.limit("tag:*", period, 1000)
        for at in ("2026-04-05 02:30", "2026-10-25 02:30", "2026-11-28 12:00"):
            for name in zones:
                zone = zoneinfo.ZoneInfo(name)
                self.set_clock(at, name)
                a = self.asker(clock=True)
                a.ask("SELECT llm_config('time_zone', ?)", name)
                for scope, text, start, end, nusd in a.ask("SELECT scope, value, from_ts, to_ts, spent_nusd FROM llm_budget_status")[1]:
                    tag = text.split(":")[1] if ":" in text else None
                    want = sum(c for ts, t, c in rows if start <= ts < end and (tag is None or t == tag))
                    made = 0 if scope != "*" else self.spent(f"request_id <> 'x' AND ts >= {start} AND ts < {end}")
                    self.assertEqual(nusd, want + made, (name, at, text))
                    local = datetime.datetime.fromtimestamp(end / 1000, zone)
                    self.assertEqual((local.minute, local.second), (0, 0), (name, at, text))
                a.end()
        self.assertEqual(json.loads(value(self.db, "SELECT llm_check()"))["sums"]["budgets"], 0)


def race(path, url, n, rounds, seed, said):
    """One process of the race: asks until its rounds are over, whatever the answers are."""
    db = connect(path, timeout=60)
    for sql in setup_sql(url)[:-2]:
        db.execute(sql).fetchall()
    for i in range(rounds):
        try:
            # so long that the bill comes to the limit before the rounds are over
            db.execute("SELECT llm_complete(?, ?)", (f"process {n}, {seed}, round {i}" + " and" * (16000 // ROUNDS),
                                                     json.dumps({"model": MINI, "max_tokens": 100, "timeout_ms": 20000}))).fetchall()
            said[0] += 1
        except sqlite3.Error as e:
            said[1 if "llm_budgets: " in str(e) else 2] += 1
    db.close()


class Races(Budgets):
    def test_eight_processes_and_kills(self):
        limit = 10_000_000
        self.limit("*", "day", limit / 1e9)
        context = multiprocessing.get_context("spawn")
        said = [context.Array("q", 3) for _ in range(8)]
        rng = random.Random(1)
        left, running, kills = [ROUNDS] * 8, {}, 0
        for n in range(8):
            running[n] = context.Process(target=race, args=(self.path, self.standin.url, n, ROUNDS, 0, said[n]))
            running[n].start()
        deadline = time.monotonic() + 550
        while running and time.monotonic() < deadline:
            time.sleep(rng.uniform(0.1, 0.3))
            for n in list(running):
                if running[n].exitcode is not None:
                    running[n].join()
                    left[n] = ROUNDS - sum(said[n])
                    del running[n]
                    if left[n] > 0:
                        running[n] = context.Process(target=race, args=(self.path, self.standin.url, n, left[n], kills, said[n]))
                        running[n].start()
            if running and kills < 24:
                os.kill(running[rng.choice(list(running))].pid, signal.SIGKILL)
                kills += 1
        self.assertEqual(running, {})
        answered, refused, other = (sum(s[i] for s in said) for i in range(3))
        print(f"      race: {answered} answered, {refused} refused, {kills} kills, ${self.bill() / 1e9} of ${limit / 1e9}")
        self.assertEqual(other, 0)
        self.assertLessEqual(self.bill(), limit)
        self.assertGreater(self.bill(), limit // 2)
        # nothing is lost: what was billed is in the ledger, with its cost or as unknown
        self.db.close()
        self.db = open_desk(self.path, self.standin.url)
        billed = [e for e in self.standin.journal() if e["billed"]]
        rows = value(self.db, "SELECT count(*) FROM llm_calls WHERE kind IN ('call', 'unknown')")
        self.assertLessEqual(len(billed), rows)
        spent, unknown, held = self.status("spent_nusd, unknown_nusd, held_nusd")[0]
        self.assertLessEqual(self.bill(), spent + unknown)
        self.assertLessEqual(spent + unknown, limit)
        self.assertEqual((held, value(self.db, "SELECT count(*) FROM llm_holds")), (0, 0))
        self.check_sums()

    def test_all_wait_for_their_turn(self):
        """Rows without max_tokens, side by side, under a limit of twice what they cost: the hold of each is many times its bill."""
        self.db.execute("UPDATE llm_models SET max_output = 1000 WHERE name = ?", (MINI,))
        self.standin.latency(20)
        limit = 2 * ROWS * 18000
        self.limit("*", "day", limit / 1e9)
        failed = []
        script = f"""
import sqlite3, sys
db = sqlite3.connect({self.path!r}, isolation_level=None, timeout=60)
db.enable_load_extension(True); db.load_extension({SO!r})
for sql in {setup_sql(self.standin.url)[:-2]!r}: db.execute(sql).fetchall()
for i in range(int(sys.argv[1]), {ROWS}, {WIDTH}):
    db.execute("SELECT llm_complete(?, '{{\\"model\\":\\"{MINI}\\"}}')", ["row %d" % i]).fetchall()
db.close()
"""
        processes = [subprocess.Popen([sys.executable, "-c", script, str(n)], env=clean_env(), stderr=subprocess.PIPE, text=True)
                     for n in range(WIDTH)]
        for p in processes:
            failed += [line for line in p.communicate()[1].splitlines() if "Error" in line]
        self.assertEqual(failed, [])
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_calls WHERE kind = 'call'"), ROWS)
        print(f"      {ROWS} rows, {WIDTH} at a time: ${self.bill() / 1e9} of ${limit / 1e9}")
        self.assertGreater(limit, 1.5 * self.bill())
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_holds"), 0)

    def test_a_provider_that_bills_more_than_estimated(self):
        self.standin.token_factor(2.5)
        limit = 3_000_000
        self.limit("*", "day", limit / 1e9)
        self.db.execute("CREATE TABLE q AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)"
                        " SELECT 'question ' || i || ' ' || replace(hex(zeroblob(100)), '0', 'word ') AS q FROM n")
        self.db.execute("SELECT llm_complete(q, '{\"model\":\"claude-haiku-4-5\",\"max_tokens\":40,\"on_error\":\"null\"}') FROM q").fetchall()
        self.assertGreater(self.bill(), limit / 2)
        self.assertLessEqual(self.bill(), limit)
        self.assertEqual(self.spent(), self.bill())
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_calls WHERE cost_nusd > held_nusd"), 0)


if __name__ == "__main__":
    unittest.main()
