"""A database and its store are copied: by .backup, VACUUM INTO, cp, a link, a new name; at rest and while calls are on their way.

A copy of a store holds what processes noted in the original. They live, and will never write into the copy: who asks there
must not wait for them. The same file under another name is no copy."""
import json
import os
import shutil
import sqlite3
import threading
import time
import unittest

from batch_desk import SECRETS
from harness import SO, Standin, TempDir, connect, error_of, open_desk, setup_sql, shell, value
from test_budgets import Asker

FILES = ("", "-llmcost")
WAL = ("-wal", "-shm")
QUESTION = "SELECT llm_complete('on its way')"
IN_TIME = "SELECT llm_complete('on its way', '{\"timeout_ms\":30000}')"  # the original's answer never comes
WAITS = "SELECT llm_complete('on its way', '{\"timeout_ms\":500}')"
COPIED = "the file was copied before the answer came: the original has it"


def plain(path, sql, *args):
    """What a program without the extension reads or writes."""
    db = sqlite3.connect(path, timeout=20)
    try:
        rows = db.execute(sql, args).fetchall()
        db.commit()
        return rows
    finally:
        db.close()


def backup(source, target):
    """Database and store as the shell's .backup copies them."""
    for end in FILES:
        one, two = sqlite3.connect(source + end), sqlite3.connect(target + end)
        one.backup(two)
        one.close()
        two.close()


def over_store(source, target):
    """The store alone, into a file that is open."""
    one, two = sqlite3.connect(source + "-llmcost"), sqlite3.connect(target + "-llmcost", timeout=20)
    one.backup(two)
    one.close()
    two.close()


def vacuum(source, target):
    for end in FILES:
        plain(source + end, "VACUUM INTO ?", target + end)


def copy_files(source, target, ends=tuple(f + w for f in FILES for w in ("", "-wal"))):
    for end in ends:
        if os.path.exists(source + end):
            shutil.copyfile(source + end, target + end)


class Copies(unittest.TestCase):
    def setUp(self):
        self.standin = Standin()
        self.standin.__enter__()
        self.addCleanup(self.standin.__exit__, None, None, None)
        self.tmp = TempDir()
        self.addCleanup(self.tmp.cleanup)
        self.path = self.at("desk.db")
        self.db = open_desk(self.path, self.standin.url, check_same_thread=False)
        self.addCleanup(lambda: self.db.close())

    def at(self, name):
        return os.path.join(self.tmp.name, name)

    def desk(self, path):
        """A connection of this process; the database has its models."""
        db = connect(path)
        self.addCleanup(db.close)
        for sql in setup_sql(self.standin.url)[:-2]:
            db.execute(sql).fetchall()
        return db

    def asker(self, path, **env):
        a = Asker(path, self.standin.url, more=env.items())
        self.addCleanup(a.end)
        return a

    def requests(self):
        return self.standin.bill()["requests"]

    def answers(self, path):
        return dict(plain(path + "-llmcost", "SELECT key || '.' || key_rest, answer FROM llm_answers"))


class AtRest(Copies):
    """Nothing is on its way."""

    def setUp(self):
        super().setUp()
        self.said = [value(self.db, "SELECT llm_complete(?)", f"question {i}") for i in range(8)]

    def ask_all(self, db):
        return [value(db, "SELECT llm_complete(?)", f"question {i}") for i in range(8)]

    def check_all_there(self, path):
        copy = self.desk(path)
        self.assertEqual(self.ask_all(copy), self.said)
        self.assertEqual(self.requests(), 8, "a whole copy pays nothing again")
        self.assertEqual(value(copy, "SELECT count(*) FROM llm_calls WHERE kind = 'call'"), 8)
        self.assertIsNone(value(copy, "SELECT llmcost_debug() ->> '$.store_warning'"))
        return copy

    def test_backup_of_the_database_only(self):
        """It begins a ledger, asks and pays again, and that is no reason for a warning."""
        one, two = sqlite3.connect(self.path), sqlite3.connect(self.at("copy.db"))
        one.backup(two)
        one.close()
        two.close()
        copy = self.desk(self.at("copy.db"))
        self.assertIsNone(value(copy, "SELECT llmcost_debug() ->> '$.store_warning'"))
        self.assertEqual(value(copy, "SELECT count(*) FROM llm_calls"), 0)
        self.ask_all(copy)
        self.assertEqual(self.requests(), 16)
        self.assertIsNone(value(copy, "SELECT llmcost_debug() ->> '$.store_warning'"))

    def test_backup_of_both_while_in_use(self):
        backup(self.path, self.at("copy.db"))
        self.check_all_there(self.at("copy.db"))

    def test_vacuum_of_both_while_in_use(self):
        vacuum(self.path, self.at("copy.db"))
        self.check_all_there(self.at("copy.db"))
        self.assertEqual(plain(self.at("copy.db-llmcost"), "PRAGMA journal_mode"), [("wal",)])

    def test_cp_of_both_once_closed(self):
        self.db.close()
        copy_files(self.path, self.at("copy.db"), FILES)
        self.check_all_there(self.at("copy.db"))

    def test_cp_of_an_open_pair_without_its_wal(self):
        """Everything is in the WAL still: the copy pays again, and says so, once aloud and then to whoever looks."""
        copy = self.at("copy.db")
        self.assertEqual(os.path.getsize(self.path + "-llmcost"), 4096)
        copy_files(self.path, copy, FILES)
        script = [".log stderr", f".load {SO}", *(s + ";" for s in setup_sql(self.standin.url)[:-2]),
                  "SELECT llm_complete('question 1');", "SELECT llm_complete('question 2');",
                  "SELECT llmcost_debug() ->> '$.store_warning';", "SELECT count(*) FROM llm_calls;", ""]
        out = shell(copy, "\n".join(script))
        warning, rows = out.stdout.splitlines()[-2:]
        self.assertEqual(out.stderr.count("began empty beside a database that was in use"), 1, out.stderr)
        self.assertIn("'" + copy + "-llmcost' began empty", out.stderr)
        self.assertRegex(warning, r"^on \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC it began empty .* without its -wal file")
        self.assertEqual((rows, self.requests()), ("2", 10))
        again = self.desk(copy)
        self.assertEqual(value(again, "SELECT llmcost_debug() ->> '$.store_warning'"), warning)
        self.assertEqual(value(again, "SELECT llm_complete('question 2')"), self.said[2])
        self.assertEqual(self.requests(), 10, "what it has paid for stays")
        self.assertEqual(self.ask_all(self.db), self.said)
        self.assertIsNone(value(self.db, "SELECT llmcost_debug() ->> '$.store_warning'"))

    def test_a_copied_first_page_beside_nothing(self):
        """Beside a database that has no models of its own it is a new store like any other."""
        copy_files(self.path, self.at("new.db"), ("-llmcost",))
        new = connect(self.at("new.db"))
        self.addCleanup(new.close)
        self.assertEqual(value(new, "SELECT count(*) FROM llm_calls"), 0)
        self.assertIsNone(value(new, "SELECT llmcost_debug() ->> '$.store_warning'"))

    def test_new_databases(self):
        """New ones don't warn: not the first process, not those that open the store while another makes it."""
        self.assertIsNone(value(self.db, "SELECT llmcost_debug() ->> '$.store_warning'"))
        for i in range(6):
            path = self.at(f"new{i}.db")
            open_desk(path, self.standin.url).close()
            self.assertFalse(os.path.exists(path + "-llmcost"))
            askers = [self.asker(path) for _ in range(4)]
            for a in askers:
                a.start("SELECT llm_complete('new')")
            self.assertEqual([a.answer()[0] for a in askers], ["rows"] * 4)
            self.assertEqual([a.value("SELECT llmcost_debug() ->> '$.store_warning'") for a in askers], [None] * 4)

    def test_an_older_store_under_a_newer_database(self):
        """What it lacks is paid again; what it has is right."""
        backup(self.path, self.at("old.db"))
        later = value(self.db, "SELECT llm_complete('later')")
        self.db.close()
        os.replace(self.at("old.db-llmcost"), self.path + "-llmcost")
        again = self.desk(self.path)
        self.assertEqual(self.ask_all(again), self.said)
        self.assertEqual(self.requests(), 9)
        self.assertEqual(value(again, "SELECT llm_complete('later')"), later)
        self.assertEqual(self.requests(), 10)
        self.assertIsNone(value(again, "SELECT llmcost_debug() ->> '$.store_warning'"))

    def test_mv_of_another_store_over_the_open_one(self):
        """Nothing is sent until one reconnects; then the other store is this database's."""
        backup(self.path, self.at("other.db"))
        os.replace(self.at("other.db-llmcost"), self.path + "-llmcost")
        self.assertIn("was moved or deleted while it was open", error_of(self.db, "SELECT llm_complete('new')"))
        self.assertEqual(self.requests(), 8)
        self.db.close()
        for end in WAL:  # those of the file that is no more
            if os.path.exists(self.path + "-llmcost" + end):
                os.remove(self.path + "-llmcost" + end)
        again = self.desk(self.path)
        self.assertEqual(self.ask_all(again), self.said)
        self.assertEqual(self.requests(), 8)

    def test_cp_of_all_files_while_a_thread_calls(self):
        """Whatever has come over is whole: no wrong answer, no damage."""
        def call():
            for i in range(24):
                self.db.execute("SELECT llm_complete(?)", (f"meanwhile {i}",)).fetchall()
        thread = threading.Thread(target=call)
        self.standin.latency(20)
        thread.start()
        copies = []
        for i in range(5):
            time.sleep(0.04)
            copies.append(self.at(f"copy{i}.db"))
            copy_files(self.path, copies[-1])
        thread.join()
        for path in copies:
            copy = self.desk(path)
            self.assertEqual(self.ask_all(copy), self.said)
            self.assertIsNone(value(copy, "SELECT llmcost_debug() ->> '$.store_warning'"))
            self.assertEqual(value(copy, "SELECT count(*) FROM llm_calls WHERE kind = 'unknown' AND error = 'in flight'"), 0)
            copy.close()
            self.assertEqual(plain(path + "-llmcost", "PRAGMA integrity_check"), [("ok",)])
            self.assertLessEqual(self.answers(path).items(), self.answers(self.path).items())
        self.assertEqual(self.requests(), 32)


class OnItsWay(Copies):
    """The store is copied while a call of this process waits for its answer."""

    def setUp(self):
        super().setUp()
        value(self.db, "SELECT llm_complete('before')")
        self.db.execute("UPDATE llm_models SET base_url = ?", (self.standin.url + "/s/hang/v1",))
        self.thread = threading.Thread(target=lambda: error_of(self.db, QUESTION))
        self.thread.start()
        self.addCleanup(self.end_original)
        while self.requests() < 2:
            time.sleep(0.01)

    def end_original(self):
        self.db.interrupt()
        self.thread.join()

    def awake(self, path):
        """Models of a copy answer."""
        plain(path, "UPDATE llm_models SET base_url = ?", self.standin.url + "/v1")
        return path

    def intents(self, path):
        return plain(path + "-llmcost", "SELECT count(*) FROM llm_intents")[0][0]

    def check_copy(self, path, asker, requests):
        """It has asked for itself, the original waits on."""
        self.assertEqual(self.requests(), requests)
        rows = asker("SELECT kind, error, retry_reason, cost_nusd IS NULL FROM llm_calls ORDER BY id")
        self.assertEqual([tuple(r) for r in rows], [("call", None, None, 0), ("unknown", COPIED, None, 1), ("call", None, "lost", 0)])
        self.assertEqual([tuple(r) for r in asker("SELECT count(*) FROM llm_holds")], [(0,)])
        self.assertEqual((self.intents(path), self.intents(self.path)), (0, 1))
        self.assertTrue(self.thread.is_alive())
        self.assertEqual(plain(self.path + "-llmcost", "SELECT kind, error FROM llm_calls ORDER BY id DESC LIMIT 1"),
                         [("unknown", "in flight")])

    def here(self, path):
        db = self.desk(self.awake(path))
        return lambda sql: db.execute(sql).fetchall()

    def there(self, path):
        asker = self.asker(self.awake(path))

        def ask(sql):
            kind, rows = asker.ask(sql)
            self.assertEqual(kind, "rows", rows)
            return rows
        return ask

    def test_copies_ask_for_themselves(self):
        """.backup, VACUUM INTO and cp of all four files; opened by the process that asks and by another."""
        n = 2
        for name, copy in ("backup", backup), ("vacuum", vacuum), ("cp", copy_files):
            for where, opened in ("here", self.here), ("there", self.there):
                with self.subTest(name + " " + where):
                    path = self.at(f"{name}-{where}.db")
                    copy(self.path, path)
                    ask = opened(path)
                    self.assertIn("ref", ask(IN_TIME)[0][0])
                    n += 1
                    self.check_copy(path, ask, n)

    def test_a_copy_of_a_copy(self):
        """The second copy is made before anybody has looked into the first, and once somebody waits in that."""
        first, second, third = self.at("first.db"), self.at("second.db"), self.at("third.db")
        backup(self.path, first)
        backup(first, second)
        self.assertIn("ref", self.there(second)(IN_TIME)[0][0])
        plain(first, "UPDATE llm_models SET base_url = ?", self.standin.url + "/s/hang/v1")
        waiting = self.asker(first)
        waiting.start(QUESTION)
        self.addCleanup(waiting.process.kill)
        while self.requests() < 4:
            time.sleep(0.01)
        self.assertEqual(self.intents(first), 1)
        backup(first, third)
        ask = self.there(third)
        self.assertIn("ref", ask(IN_TIME)[0][0])
        self.assertEqual([r[0] for r in ask("SELECT error FROM llm_calls WHERE kind = 'unknown'")], [COPIED] * 2)
        self.assertEqual((self.intents(first), self.intents(self.path)), (1, 1))

    def test_a_copy_written_over_an_open_store(self):
        """The intent comes into a file that was open and had none: it is seen by whoever asks."""
        for where, opened in ("here", self.here), ("there", self.there):
            with self.subTest(where):
                path = self.at(where + ".db")
                backup(self.path, path)
                ask = opened(path)
                ask("SELECT llm_complete('before')")
                self.assertEqual(self.intents(path), 0)
                over_store(self.path, path)
                self.assertEqual(self.intents(path), 1)
                self.assertIn("ref", ask(IN_TIME)[0][0])
                self.assertEqual(ask("SELECT error FROM llm_calls WHERE kind = 'unknown'")[0][0], COPIED)

    def test_a_new_name_is_no_copy(self):
        """mv on one file system: the same store, whose owner lives. Others wait for it, in its own process too."""
        for end in FILES:
            for wal in ("", *WAL):
                if os.path.exists(self.path + end + wal):
                    os.rename(self.path + end + wal, self.at("new.db") + end + wal)
        asker = self.asker(self.awake(self.at("new.db")))
        self.assertIn("is asking the same", asker.ask(WAITS)[1])
        self.assertIn("is asking the same", error_of(self.desk(self.at("new.db")), WAITS))
        self.assertEqual((self.requests(), self.intents(self.at("new.db"))), (2, 1))

    def test_a_link_is_no_copy(self):
        """A hard link is the same file. (What is in its WAL, only its own name leads to.)"""
        plain(self.path + "-llmcost", "PRAGMA wal_checkpoint(TRUNCATE)")
        os.link(self.path + "-llmcost", self.at("link"))
        backup_of_db = self.at("other.db")
        plain(self.path, "VACUUM INTO ?", backup_of_db)
        asker = self.asker(self.awake(backup_of_db), LLMCOST_STORE=self.at("link"))
        self.assertEqual(asker.value("SELECT count(*) FROM llm_holds"), 0)
        self.assertIn("is asking the same", asker.ask(WAITS)[1])
        self.assertEqual(self.requests(), 2)

    def test_intents_that_name_no_file(self):
        """As versions before wrote them: the owner lives, so one waits, as ever."""
        path = self.at("copy.db")
        backup(self.path, path)
        plain(path + "-llmcost", "UPDATE llm_intents SET owner = substr(owner, 1, instr(owner, '@') - 1)")
        asker = self.asker(self.awake(path))
        self.assertIn("is asking the same", asker.ask(WAITS)[1])
        self.assertEqual(self.requests(), 2)

    def test_intents_of_another_boot(self):
        """Files have other numbers there: that it is another says nothing, the lease decides."""
        path = self.at("copy.db")
        backup(self.path, path)
        plain(path + "-llmcost", "UPDATE llm_intents SET owner = CASE substr(owner, 1, 1) WHEN 'f' THEN 'e' ELSE 'f' END"
                                 " || substr(owner, 2)")
        asker = self.asker(self.awake(path))
        self.assertIn("is asking the same", asker.ask(WAITS)[1])
        plain(path + "-llmcost", "UPDATE llm_intents SET lease_until = 1")
        self.assertIn("ref", asker.value(IN_TIME))

    def test_places_behind_a_pause(self):
        """Who may try a provider behind its pause: one that tries in the original takes no place in the copy."""
        path = self.at("copy.db")
        backup(self.path, path)
        self.awake(path)
        store, url = path + "-llmcost", self.standin.url + "/v1"
        model = plain(path, "SELECT provider, name FROM llm_models WHERE name = 'gpt-4o-mini'")[0]
        past = int(time.time() * 1000) - 1000
        plain(store, "INSERT INTO llm_provider_state VALUES (?, ?, ?, ?, ?, ?, 3, 0, 'down', 1)",
              model[0], url, model[1], past, past, past)
        plain(store, "INSERT INTO llm_trials(provider, base_url, model, owner, lease_until) SELECT ?, ?, ?, owner, lease_until"
                     " FROM llm_intents", model[0], url, model[1])
        asker = self.asker(path)
        kind, rows = asker.ask("SELECT llm_complete('another', '{\"model\":\"gpt-4o-mini\",\"timeout_ms\":5000}')")
        self.assertEqual(kind, "rows", rows)
        self.assertEqual(plain(store, "SELECT count(*) FROM llm_trials"), [(0,)])


class Original(Copies):
    """What the original comes to."""

    def test_it_gets_its_answer(self):
        """A copy that asks the same meanwhile changes nothing for it: each has its row and its answer."""
        said = []
        self.standin.latency(5000)
        thread = threading.Thread(target=lambda: said.append(value(self.db, QUESTION)))
        thread.start()
        while self.requests() < 1:
            time.sleep(0.01)
        self.standin.latency(0)
        copies = [self.at("one.db"), self.at("two.db")]
        for path in copies:
            backup(self.path, path)
        askers = [self.asker(path) for path in copies]
        answers = [a.value(IN_TIME) for a in askers]
        self.assertTrue(thread.is_alive(), "they have not waited for it")
        thread.join()
        self.assertEqual(answers, said * 2)
        self.assertEqual(self.requests(), 3)
        self.assertEqual(self.db.execute("SELECT kind, error FROM llm_calls").fetchall(), [("call", None)])
        self.assertEqual(value(self.db, QUESTION), said[0])
        self.assertEqual([a.value("SELECT count(*) FROM llm_calls WHERE kind = 'unknown' AND error = ?", COPIED) for a in askers],
                         [1, 1])
        bill = self.standin.bill()["total_nusd"]
        self.assertEqual(bill, value(self.db, "SELECT sum(cost_nusd) FROM llm_calls") +
                         sum(a.value("SELECT sum(cost_nusd) FROM llm_calls") for a in askers))

    def test_a_hold_is_out(self):
        """What the original holds of a limit is no hold in the copy: nobody waits for it. It may be billed, and counts as that."""
        self.db.execute("INSERT INTO llm_budgets(scope, period, limit_usd) VALUES ('*', 'day', 0.001)")
        self.standin.latency(5000)
        options = json.dumps({"max_tokens": 1300, "timeout_ms": 20000})
        thread = threading.Thread(target=lambda: value(self.db, "SELECT llm_complete('held', ?)", options))
        thread.start()
        while self.requests() < 1:
            time.sleep(0.01)
        held = plain(self.path + "-llmcost", "SELECT held_nusd FROM llm_calls")[0][0]
        before, after = self.at("before.db"), self.at("after.db")
        backup(self.path, before)
        plain(before + "-llmcost", "DELETE FROM llm_intents")
        asker = self.asker(before)  # its store is open when the hold comes
        asker.value("SELECT count(*) FROM llm_calls")
        over_store(self.path, before)
        backup(self.path, after)
        self.assertEqual(asker.ask("SELECT held_nusd, unknown_nusd FROM llm_budget_status")[1], [[0, held]])
        for a in asker, self.asker(after):
            self.assertEqual(a.value("SELECT count(*) FROM llm_holds"), 0)
            self.assertIn("unknown (may have been billed", a.ask("SELECT llm_complete('other', ?)", options)[1])
            self.assertEqual(a.ask("SELECT held_nusd, unknown_nusd FROM llm_budget_status")[1], [[0, held]])
        self.assertTrue(thread.is_alive(), "it was not waited for")
        self.assertEqual(value(connect(self.path), "SELECT count(*) FROM llm_holds"), 1)
        thread.join()
        self.assertEqual(self.requests(), 1)
        self.assertEqual(self.db.execute("SELECT held_nusd, unknown_nusd FROM llm_budget_status").fetchall(), [(0, 0)])

    def test_a_run_goes_on_elsewhere(self):
        """llm_progress of a copy: that run is gone; of the original: it runs."""
        value(self.db, "SELECT llm_complete('makes the store')")
        self.db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, q TEXT)")
        self.db.executemany("INSERT INTO t(q) VALUES (?)", [(f"row {i}",) for i in range(40)])
        self.standin.latency(600)
        thread = threading.Thread(target=lambda: self.db.execute(
            "SELECT count(*) FROM llm_map('SELECT id, q FROM t', '{\"concurrency\":4}')").fetchall())
        thread.start()
        runs = "SELECT count(*) FROM llm_runs WHERE state = 'running'"
        while not plain(self.path + "-llmcost", runs)[0][0]:
            time.sleep(0.05)
        backup(self.path, self.at("copy.db"))
        self.assertEqual(self.asker(self.path).value("SELECT state FROM llm_progress()"), "running")
        self.assertEqual(self.asker(self.at("copy.db")).value("SELECT state FROM llm_progress()"), "gone")
        self.assertEqual(value(self.desk(self.at("copy.db")), "SELECT state FROM llm_progress()"), "gone")
        thread.join()
        self.assertEqual(value(self.db, "SELECT state FROM llm_progress()"), "done")


class Batches(Copies):
    """A flush is just sending when both files are copied."""

    def keys(self, ask):
        for name, secret in SECRETS.items():
            ask("SELECT llm_allow_host(?, ?), llm_secret(?, ?)", self.standin.host, name, name, secret)

    def test_a_flush_is_under_way(self):
        """What the original is sending is the original's: the copy sends only what is new there, takes nothing back at the
        provider, and waits for nobody."""
        value(self.db, "SELECT llm_complete('makes the store')")
        self.keys(lambda sql, *args: self.db.execute(sql, args).fetchall())
        self.db.executemany("INSERT INTO batch_submit(prompt, model) VALUES (?, 'gpt-4o-mini')", [(f"What is {i}?",) for i in range(3)])
        self.standin.latency(1500)
        said = []
        thread = threading.Thread(target=lambda: said.append(json.loads(value(self.db, "SELECT llm_batch_flush()"))))
        thread.start()
        begun = "SELECT count(*) FROM llm_batches b JOIN llm_queues q ON q.id = b.queue WHERE b.state = 'begun' AND q.owner IS NOT NULL"
        while not plain(self.path + "-llmcost", begun)[0][0]:
            time.sleep(0.01)
        copy = self.at("copy.db")
        backup(self.path, copy)
        self.assertEqual(plain(copy + "-llmcost", begun), [(1,)])
        asker = self.asker(copy)
        self.keys(asker.value)
        asker.value("INSERT INTO batch_submit(prompt, model) VALUES ('only in the copy', 'gpt-4o-mini')")
        self.standin.latency(0)
        flushed = json.loads(asker.value("SELECT llm_batch_flush()"))
        self.assertEqual(flushed["submitted"], 1, flushed)
        asker.value("SELECT llm_batch_poll()")
        thread.join()
        self.assertEqual(said[0]["submitted"], 3, said)
        while json.loads(value(self.db, "SELECT llm_batch_poll()"))["open_rows"]:
            time.sleep(0.05)
        self.assertEqual(self.db.execute("SELECT DISTINCT status FROM batch_submit").fetchall(), [("done",)])
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_calls WHERE kind = 'batch' AND cost_nusd > 0"), 3)


if __name__ == "__main__":
    unittest.main()
