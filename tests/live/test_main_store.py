"""The store in the caller's own database (store = main): who waits for whom, what is locked, what is written when."""
import os
import sqlite3
import threading
import time
import unittest

from harness import Desk, connect, setup_sql, value


class MainStore(Desk):
    def setUp(self):
        super().setUp()
        self.db.close()
        self.path = os.path.join(self.tmp.name, "main.db")
        self.db = self.open()
        value(self.db, "SELECT llm_complete('first')")
        self.db.execute("PRAGMA journal_mode=WAL")

    def tearDown(self):
        self.standin.latency(0)
        self.standin.scenario("ok")
        super().tearDown()

    def open(self, **kwargs):
        db = connect(self.path, check_same_thread=False, **kwargs)
        value(db, "SELECT llm_config('store', 'main')")
        for sql in setup_sql(self.standin.url):
            db.execute(sql).fetchall()
        return db

    def sent(self):
        return self.standin.bill()["requests"]

    def at_once(self, count, ask):
        """ask(connection, number) in that many threads, each with a connection; the results, or errors."""
        found = [None] * count
        dbs = [self.open() for _ in range(count)]
        begin = threading.Barrier(count)

        def run(i):
            begin.wait()
            try:
                found[i] = ask(dbs[i], i)
            except sqlite3.Error as e:
                found[i] = e

        threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        for db in dbs:
            db.close()
        return found

    def test_a_hit_looks_through_no_schema(self):
        """What was found in it is believed until it changes, though the store's own tables are there."""
        value(self.db, "SELECT llm_complete('again')")
        ran = []
        self.db.set_trace_callback(ran.append)
        for _ in range(5):
            value(self.db, "SELECT llm_complete('again')")
        self.assertEqual([sql for sql in ran if "SELECT sql FROM" in sql and "sqlite_schema" in sql], [])
        self.db.execute("CREATE TABLE more(x)")
        value(self.db, "SELECT llm_complete('again')")
        self.db.set_trace_callback(None)
        self.assertTrue([sql for sql in ran if "SELECT sql FROM" in sql and "sqlite_schema" in sql])

    def test_connections_of_a_process_pay_once(self):
        self.standin.latency(300)
        before = self.sent()
        found = self.at_once(8, lambda db, i: value(db, "SELECT llm_complete('the same')"))
        self.assertEqual((len(set(found)), self.sent() - before), (1, 1))
        kinds = self.db.execute("SELECT kind, count(*) FROM llm_calls WHERE ts >= 0 GROUP BY 1 ORDER BY 1").fetchall()
        self.assertEqual(kinds, [("call", 2), ("hit_exact", 7)])

    def test_the_first_calls_of_all_make_the_tables_together(self):
        for journal in ("wal", "delete"):
            with self.subTest(journal):
                self.path = os.path.join(self.tmp.name, f"new-{journal}.db")
                db = connect(self.path)
                db.execute(f"PRAGMA journal_mode={journal}")
                db.execute("SELECT llm_init()").fetchall()
                db.close()
                found = self.at_once(5, lambda db, i: value(db, f"SELECT llm_complete('new {journal} {i}')"))
                self.assertTrue(all(isinstance(f, str) for f in found), found)

    def test_also_where_each_reads_a_table_and_sees_no_commit_of_others(self):
        self.db.execute("CREATE TABLE t(x)")
        self.db.executemany("INSERT INTO t VALUES (?)", [(f"row {i}",) for i in range(6)])
        self.standin.latency(50)
        before = self.sent()
        self.at_once(4, lambda db, i: db.execute("SELECT llm_complete(x) FROM t").fetchall())
        self.assertEqual(self.sent() - before, 6)

    def test_an_open_transaction_shares_its_answer(self):
        other = self.open()
        self.addCleanup(other.close)
        self.db.execute("BEGIN")
        answer = value(self.db, "SELECT llm_complete('in a transaction')")
        before = self.sent()
        self.assertEqual(value(other, "SELECT llm_complete('in a transaction')"), answer)
        self.db.execute("ROLLBACK")
        self.assertEqual(self.sent(), before)

    def test_what_was_taken_back_or_deleted_is_asked_again(self):
        self.db.execute("BEGIN")
        value(self.db, "SELECT llm_complete('taken back')")
        self.db.execute("ROLLBACK")
        before = self.sent()
        time.sleep(0.01)  # (what came in the same millisecond counts as not to be seen yet)
        value(self.db, "SELECT llm_complete('taken back')")
        self.assertEqual(self.sent() - before, 1)
        time.sleep(0.01)
        self.db.execute("DELETE FROM llm_answers")
        value(self.db, "SELECT llm_complete('taken back')")
        self.assertEqual(self.sent() - before, 2)
        other = self.open()
        self.addCleanup(other.close)
        self.assertEqual(value(other, "SELECT llm_cache_forget('{\"question\":\"taken back\"}')"), 1)
        value(other, "SELECT llm_complete('taken back')")
        self.assertEqual(self.sent() - before, 3)

    def test_who_waits_for_a_failure_asks_itself(self):
        self.standin.scenario("bad-request")
        before = self.sent()
        found = self.at_once(3, lambda db, i: value(db, "SELECT llm_complete('refused')"))
        self.assertTrue(all(isinstance(f, sqlite3.Error) and "another process" not in str(f) for f in found), found)
        self.assertEqual(self.sent() - before, 3)

    def test_nothing_is_locked_while_a_call_is_on_its_way(self):
        """BEGIN, a read, the call: others write meanwhile."""
        self.db.execute("CREATE TABLE t(x)")
        other = self.open(timeout=0)
        self.addCleanup(other.close)
        for first in ("BEGIN", "BEGIN; SELECT count(*) FROM t"):
            with self.subTest(first):
                self.standin.latency(700)
                before = self.sent()
                for sql in first.split(";"):
                    self.db.execute(sql).fetchall()
                asking = threading.Thread(target=lambda: value(self.db, f"SELECT llm_complete('slow {first}')"))
                asking.start()
                while self.standin.journal()[-1:] == [] or self.sent() == before:
                    if not asking.is_alive():
                        break
                    time.sleep(0.01)
                    if len(self.standin.journal()) > before:
                        break
                other.execute("INSERT INTO t VALUES (1)")  # at once: it has no patience
                asking.join()
                self.db.execute("ROLLBACK")
                self.standin.latency(0)

    def test_texts_come_with_their_row(self):
        self.db.execute("CREATE TABLE t(x)")
        self.db.executemany("INSERT INTO t VALUES (?)", [(f"text {i}",) for i in range(5)])
        other = self.open()
        self.addCleanup(other.close)
        for i, _ in enumerate(self.db.execute("SELECT llm_complete(x) FROM t")):
            other.execute("INSERT INTO t SELECT 'more' WHERE 0")
            other.execute("CREATE TABLE IF NOT EXISTS w(x)")
            other.execute("INSERT INTO w VALUES (1)")
        value(self.db, "SELECT llm_complete('the next')")
        rows = self.db.execute("SELECT count(*), count(t.hash) FROM llm_calls c LEFT JOIN llm_texts t ON t.hash = c.prompt_hash").fetchone()
        self.assertEqual(rows, (7, 7))

    def test_a_stale_snapshot_is_not_tried_again(self):
        """Within a statement it can't clear: one try a row, and no waiting."""
        self.db.execute("CREATE TABLE t(x)")
        self.db.executemany("INSERT INTO t VALUES (?)", [(f"stale {i}",) for i in range(5)])
        other = self.open()
        self.addCleanup(other.close)
        tries = []
        self.db.set_trace_callback(lambda sql: tries.append(sql) if sql.startswith("UPDATE main.llm_meta") else None)
        cursor = self.db.execute("SELECT llm_complete(x) FROM t")
        cursor.fetchone()
        other.execute("CREATE TABLE w(x)")
        other.execute("INSERT INTO w VALUES (1)")
        tries.clear()
        self.assertEqual(len(cursor.fetchall()), 4)
        self.assertLessEqual(len(tries), 2 * 4)  # when a row begins, and when it ends
        self.db.set_trace_callback(None)


if __name__ == "__main__":
    unittest.main()
