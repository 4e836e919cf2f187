"""What batches may spend: limits hold their worst case for as long as they are under way, and only as many rows go as fit."""
import json
import unittest

from batch_desk import HAIKU, MINI, BatchDesk
from harness import error_of, value


class Budgets(BatchDesk):
    OPTIONS = '{"max_tokens":1000}'  # at most 1000 × 300 nano-dollars and its few input tokens: about $0.0003

    def limit(self, usd, scope="*", **columns):
        names = ", ".join(["scope", "period", "limit_usd", *columns])
        self.db.execute(f"INSERT INTO llm_budgets({names}) VALUES ({', '.join('?' for _ in range(3 + len(columns)))})",
                        (scope, "day", usd, *columns.values()))

    def status(self, columns="spent_nusd, held_nusd", where="1"):
        return self.db.execute(f"SELECT {columns} FROM llm_budget_status WHERE {where}").fetchall()

    def test_only_as_many_as_fit(self):
        self.limit(0.0016)
        self.put(10, options=self.OPTIONS, tag="t")
        said = self.flush()
        sent = said["submitted"]
        self.assertEqual(sent, 5, said)
        self.assertEqual((said["refused"], self.statuses()), (10 - sent, {"submitted": sent, "queued": 10 - sent}))
        for error, attempts in self.rows("error, attempts", "status = 'queued'"):
            self.assertIn("llm_budgets", error)
            self.assertEqual(attempts, 0)
        self.assertIn("llm_budgets", said["errors"][0]["error"])
        self.assertEqual(said["errors"][0]["rows"], 10 - sent)
        # What they hold is shown, and bounds what they come to.
        (spent, held), = self.status()
        self.assertEqual(spent, 0)
        self.assertTrue(sent * 300_000 < held < 1_600_000, held)
        holds = self.db.execute("SELECT owner, tag, model, held_nusd, call_id FROM llm_holds").fetchall()
        self.assertEqual(holds, [("batch 1", "t", MINI, held, None)])
        self.settle()
        self.assertEqual(self.status(), [(self.standin.bill()["total_nusd"], 0)])
        self.check_money()
        # Now there is room again; the rows' reasons go with their being sent.
        for _ in range(5):
            self.flush()
            self.settle()
        self.assertEqual(self.rows("DISTINCT status || coalesce(error, '')"), ["done"])
        self.check_all()

    def test_the_most_urgent_go(self):
        self.limit(0.0010)
        for i in range(6):
            self.put(1, text=f"What is {i}?", options=self.OPTIONS, priority=i)
        self.flush()
        self.assertEqual(self.rows("priority", "status = 'submitted'"), [3, 4, 5])
        self.settle()
        self.check_all(1)

    def test_a_limit_of_a_tag_holds_up_its_rows_alone(self):
        self.limit(0.0004, "tag:small")
        self.put(3, options=self.OPTIONS, tag="small")
        self.put(3, text="Who is {}?", options=self.OPTIONS, tag="large")
        said = self.flush()
        self.assertEqual((said["submitted"], said["refused"]), (4, 2), said)
        self.assertEqual(self.rows("status", "tag = 'large'"), ["submitted"] * 3)
        self.assertEqual(sorted(self.rows("status", "tag = 'small'")), ["queued", "queued", "submitted"])
        self.assertEqual(value(self.db, "SELECT count(DISTINCT batch_id) FROM batch_submit"), 1)
        self.settle()
        self.check_all(1)

    def test_a_limit_for_each_user(self):
        self.limit(0.0007, "user:*")
        for user in ("ann", "bob"):
            self.put(4, text=f"What would {user} do in case {{}}?", options=self.OPTIONS, user=user)
        self.flush()
        for user in ("ann", "bob"):
            self.assertEqual(sorted(self.rows("status", f"user = '{user}'")), ["queued"] * 2 + ["submitted"] * 2)
        self.settle()
        self.check_all(1)

    def test_a_limit_of_a_model(self):
        self.limit(0.0001, "model:" + HAIKU)
        self.put(2, options=self.OPTIONS, model=HAIKU)
        self.put(2, options=self.OPTIONS)
        said = self.flush()
        self.assertEqual((said["submitted"], said["refused"]), (2, 2))
        self.settle()
        self.check_all(1)

    def test_what_batches_hold_calls_see(self):
        self.limit(0.0010)
        self.put(3, options=self.OPTIONS)
        self.flush()
        self.assertEqual(self.statuses(), {"submitted": 3})
        self.assertIn("held", error_of(self.db, "SELECT llm_complete('now', '{\"model\":\"gpt-4o-mini\",\"max_tokens\":1000}')"))
        self.settle()
        self.assertTrue(value(self.db, "SELECT llm_complete('now', '{\"model\":\"gpt-4o-mini\",\"max_tokens\":1000}')"))
        self.check_money()

    def test_none_fits(self):
        self.limit(0.0001)
        self.put(3, options=self.OPTIONS)
        said = self.flush()
        self.assertEqual((said["submitted"], said["refused"], said["batches"]), (0, 3, []))
        self.assertEqual((self.standin.bill()["requests"], self.db.execute("SELECT * FROM llm_holds").fetchall()), (0, []))
        self.check_all()

    def test_a_warning_sends_all(self):
        self.limit(0.0001, action="warn")
        self.put(3, options=self.OPTIONS)
        self.assertEqual(self.flush()["submitted"], 3)
        self.settle()
        self.check_all(1)

    def test_cheapest_has_no_other_model_in_a_batch(self):
        self.limit(0.0001, action="cheapest")
        self.put(3, options=self.OPTIONS)
        said = self.flush()
        self.assertEqual(said["submitted"] + said["refused"], 3)
        self.settle()
        self.check_money()

    def test_what_fails_gives_its_hold_back(self):
        self.limit(0.0010)
        self.settings(errors=-1)
        self.put(3, options=self.OPTIONS)
        self.flush()
        self.settle()
        self.assertEqual((self.status(), self.statuses()), ([(0, 0)], {"failed": 3}))
        self.check_all(1)

    def test_what_is_not_sent_gives_its_hold_back(self):
        self.limit(0.0010)
        self.settings(at={"create": "bad-request", "upload": "ok"})
        self.put(3, options=self.OPTIONS)
        self.flush()
        self.assertEqual(self.status(), [(0, 0)])
        self.check_all(1)

    def test_a_bill_above_its_hold_is_booked(self):
        self.limit(0.0010)
        self.put(2, options='{"max_tokens":20}')
        self.standin.post("/standin/tokens", {"factor": 1000})
        self.addCleanup(self.standin.post, "/standin/tokens", {"factor": 1})
        self.flush()
        self.settle()
        self.assertGreater(self.standin.bill()["total_nusd"], 1_000_000)
        self.assertEqual(self.status(), [(self.standin.bill()["total_nusd"], 0)])
        self.check_all(1)

    def test_twins_hold_once(self):
        self.limit(0.0004)
        for _ in range(5):
            self.put(1, options=self.OPTIONS)
        self.assertEqual(self.statuses(), {"queued": 5})
        self.flush()
        self.assertEqual(self.statuses(), {"submitted": 5})
        self.settle()
        self.assertEqual(self.kinds(), {"batch": 1, "hit_exact": 4})
        self.check_all(1)

    def test_what_nobody_prices_is_refused_beside_a_limit(self):
        self.limit(5)
        self.db.execute("UPDATE llm_models SET base_url = ? WHERE name = 'openrouter/auto'", (self.standin.url + "/api/v1",))
        self.put(2, model="openrouter/auto")
        said = self.flush()
        self.assertEqual((said["submitted"], said["refused"]), (0, 2))
        self.assertIn("price", self.row(1)[1])
        self.db.execute("UPDATE llm_budgets SET unpriced = 'allow'")
        self.assertEqual(self.flush()["submitted"], 2)

    def test_now_holds_as_a_call(self):
        self.limit(0.0010)
        self.put(4, options='{"max_tokens":1000}', deadline="2001-01-02")
        self.assertEqual(self.flush()["expired"], 4)
        self.assertEqual(self.status(), [(0, 0)])


class Allowance(BatchDesk):
    """max_usd and max_calls of the connection; the day's cap of the environment is test_budgets'."""

    def test_max_usd_counts_a_batch_at_its_worst_case(self):
        self.put(4, options='{"max_tokens":1000}')
        value(self.db, "SELECT llm_config('max_usd', 0.0001)")
        said = self.flush()
        self.assertEqual((said["submitted"], said["refused"], self.statuses()), (0, 4, {"queued": 4}), said)
        self.assertIn("max_usd", said["errors"][0]["error"])
        value(self.db, "SELECT llm_config('max_usd', 1)")
        self.assertEqual(self.flush()["submitted"], 4)
        self.settle()
        self.check_all(1)

    def test_max_calls(self):
        self.put(4)
        value(self.db, "SELECT llm_config('max_calls', 3)")
        said = self.flush()
        self.assertEqual((said["submitted"], said["refused"]), (0, 4), said)
        self.assertIn("max_calls", said["errors"][0]["error"])
        self.assertEqual(self.flush(max_requests=2)["submitted"], 2)  # what fits goes: each batch is asked for by itself
        self.settle()
        self.assertEqual(self.statuses(), {"done": 2, "queued": 2})
        self.check_all(1)


if __name__ == "__main__":
    unittest.main()
