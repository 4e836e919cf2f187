"""Batches whose store is the caller's own database: llm_config('store', 'main'). The same life, in one file."""
import json
import os
import sqlite3
import unittest

from batch_desk import HAIKU, MINI, BatchDesk
from harness import connect, error_of, setup_sql, value

LEFT = ("llm_batch_items", "llm_batch_groups", "llm_batch_answers", "llm_intents")


class Main(BatchDesk):
    SETTINGS = ["SELECT llm_config('store', 'main')"]

    def setUp(self):
        super().setUp()
        self.db.execute("INSERT INTO llm_budgets(scope, period, limit_usd) VALUES ('*', 'day', 1), ('tag:*', 'total', 0.02)")
        self.say(20)

    def say(self, n, first=1, **columns):
        """Rows that have their answer in custom_id, of two models and two tags in turn."""
        columns = {"options": '{"max_tokens":100}', **columns}
        names = "".join(f', "{c}"' for c in columns)
        self.db.executemany(f"INSERT INTO batch_submit(prompt, custom_id, model, tag{names}) VALUES (?, ?, ?, ?{', ?' * len(columns)})",
                            [(f"Question {i}\n@say: a-{i}", f"a-{i}", (MINI, HAIKU)[i % 2], f"t{i % 2}", *columns.values())
                             for i in range(first, first + n)])

    def held(self):
        """By batches, by limits of tags, by the limit of all, and listed."""
        return (value(self.db, "SELECT sum(held_nusd) FROM llm_batch_groups"),
                value(self.db, "SELECT sum(held_nusd) FROM llm_budget_status WHERE scope = 'tag:*'"),
                value(self.db, "SELECT held_nusd FROM llm_budget_status WHERE scope = '*'"),
                value(self.db, "SELECT sum(held_nusd) FROM llm_holds"))

    def check_over(self, rows):
        self.assertEqual(self.db.execute("SELECT status, count(*), sum(answer = custom_id) FROM batch_submit GROUP BY 1").fetchall(),
                         [("done", rows, rows)])
        bill = self.standin.bill()
        self.assertEqual(bill["calls"], rows)
        self.assertEqual(self.db.execute("SELECT sum(cost_nusd), sum(cost_nusd > 0) FROM llm_calls").fetchone(), (bill["total_nusd"], rows))
        self.assertEqual(value(self.db, "SELECT spent_nusd FROM llm_budget_status WHERE scope = '*'"), bill["total_nusd"])
        self.assertEqual(value(self.db, "SELECT sum(held_nusd) FROM llm_budget_status"), 0)
        self.assertEqual([value(self.db, f"SELECT count(*) FROM {t}") for t in LEFT], [0] * len(LEFT))
        check = json.loads(value(self.db, "SELECT llm_check()"))
        self.assertEqual((check["differs"], check["sums"]["differs"], check["sums"]["budgets"]), (0, 0, 0))
        self.assertEqual(os.listdir(self.tmp.name), ["desk.db"])

    def test_the_whole_life(self):
        self.say(4, 21, deadline="2000000000000")
        self.assertEqual(self.flush()["submitted"], 24)
        self.assertEqual(set(self.rows()), {"submitted"})
        self.assertEqual(self.settle()["answered"], 24)
        self.check_over(24)

    def test_a_near_deadline_beside(self):
        self.db.execute("UPDATE batch_submit SET deadline = unixepoch() * 1000 + 3600000 WHERE id < 5")
        said = self.flush()
        self.assertEqual((said["now"], said["submitted"]), (4, 16))
        self.settle()
        self.check_over(20)

    def test_what_is_held_is_listed_and_counts(self):
        self.flush()
        held = self.held()
        self.assertGreater(held[0], 2_000_000)
        self.assertEqual(held, (held[0],) * 4)
        self.assertEqual(self.db.execute("SELECT owner, tag, call_id FROM llm_holds ORDER BY 1").fetchall(),
                         [("batch 1", "t1", None), ("batch 2", "t0", None)])
        self.db.execute("UPDATE llm_budgets SET limit_usd = ? WHERE scope = '*'", ((held[0] + 100_000) / 1e9,))
        self.assertIn(f"${held[0] / 1e9:.9f}".rstrip("0"), error_of(self.db, "SELECT llm_complete('x', ?)", json.dumps(
            {"model": HAIKU, "max_tokens": 100})))
        self.say(4, 21)
        self.assertEqual(self.flush()["refused"], 2)  # of the dear model
        self.settle()
        self.assertEqual(self.held(), (None, 0, 0, None))
        self.flush()
        self.settle()
        self.check_over(24)

    def test_a_rollback_before_and_after_takes_nothing_along(self):
        self.db.execute("BEGIN")
        self.say(5, 21)
        self.db.execute("ROLLBACK")
        self.assertEqual(self.flush()["rows"], 20)
        self.db.execute("BEGIN")
        self.assertIn("statement of its own", error_of(self.db, "SELECT llm_batch_poll()"))
        self.db.execute("DELETE FROM batch_submit WHERE status = 'queued'")
        self.db.execute("ROLLBACK")
        self.settle()
        self.db.execute("BEGIN")
        self.db.execute("CREATE TABLE mine(x)")
        self.db.execute("ROLLBACK")
        self.check_over(20)

    def test_two_connections(self):
        """One flushes, another polls, a third looks on."""
        other = self.another()
        looker = sqlite3.connect(self.path)
        self.flush()
        self.assertEqual(looker.execute("SELECT count(*) FROM batch_submit WHERE status = 'submitted'").fetchone(), (20,))
        self.settle(db=other)
        self.assertEqual(looker.execute("SELECT count(*) FROM batch_submit WHERE status = 'done'").fetchone(), (20,))
        looker.close()
        self.check_over(20)

    def test_a_create_whose_answer_is_lost(self):
        self.settings(at={"create": "rst-after-2"}, late_list=3)
        self.assertEqual(self.flush()["unsure"], 20)
        self.assertEqual(set(self.rows()), {"sending"})
        held = self.held()
        self.assertEqual(held, (held[0],) * 4)
        self.settings(at={}, late_list=None)
        self.settle()
        self.check_over(20)
        self.assertEqual(len(self.standin.get("/standin/batches")["batches"]["there"]), 2)

    def test_in_memory(self):
        db = connect(":memory:")
        self.addCleanup(db.close)
        self.configure(db)
        for sql in setup_sql(self.standin.url):
            db.execute(sql).fetchall()
        self.put(7, db=db)
        self.assertEqual(self.flush(db)["submitted"], 7)
        self.assertEqual(self.settle(db)["answered"], 7)
        self.assertEqual(self.statuses(db), {"done": 7})


if __name__ == "__main__":
    unittest.main()
