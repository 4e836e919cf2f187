"""llm_stack, llm_selfhost, llm_finetune: what savings come to, one after the other; hosting and tuning beside what is paid now."""
import json
import os
import sqlite3
import time
import unittest

from harness import TempDir, connect, error_of, value

DAY = 86400000
STEPS = [{"name": "prompts", "saves": 0.3}, {"name": "routing", "saves": 0.7}, {"name": "caching", "saves": 0.4}, {"name": "batch", "saves": 0.2}]
# $25 of a thousand requests, a rented and an owned machine.
NOTE = {"usd_per_request": 0.025, "hosting": [{"name": "A100", "usd_per_month": 2000, "requests_per_month_each": 4e6},
                                               {"name": "H100", "usd_per_month": 4500, "requests_per_month_each": 1e7}]}


def now():
    return int(time.time() * 1000)


class Economics(unittest.TestCase):
    def setUp(self):
        self.tmp = TempDir()
        self.addCleanup(self.tmp.cleanup)
        self.db = connect(f"{self.tmp.name}/desk.db")
        self.addCleanup(self.db.close)

    def table(self, name, *args):
        cursor = self.db.execute(f"SELECT * FROM {name}({', '.join('?' * len(args))})",
                                 [a if a is None or isinstance(a, (int, float, str)) else json.dumps(a) for a in args])
        names = [d[0] for d in cursor.description]
        return [dict(zip(names, row)) for row in cursor]

    def by_name(self, name, column, options):
        return {row[column]: row for row in self.table(name, options)}

    def fails(self, name, *args):
        return error_of(self.db, f"SELECT * FROM {name}({', '.join('?' * len(args))})",
                        *[a if a is None or isinstance(a, (int, float, str)) else json.dumps(a) for a in args])

    def ledger(self, *calls):
        """Rows of the ledger: an answered call of gpt-4o a day ago, but for what is said. (An import makes the store; what it
        does not know it prices itself.)"""
        base = dict(attempt=1, ts=now() - DAY, kind="call", provider="openai", model="gpt-4o-2024-08-06", model_requested="gpt-4o",
                    input_tokens=1000, output_tokens=100, cost_nusd=3500000)
        path = f"{self.tmp.name}/own.jsonl"
        with open(path, "w") as f:
            f.write(json.dumps({**base, "id": 1, "request_id": "first"}) + "\n")
        self.assertEqual(json.loads(value(self.db, "SELECT llm_import(?)", path))["calls"], 1)
        store = sqlite3.connect(f"{self.tmp.name}/desk.db-llmcost", isolation_level=None)
        store.execute("DELETE FROM llm_calls")
        for i, call in enumerate(calls):
            row = {**base, "request_id": f"r{i}", **call}
            store.execute(f"INSERT INTO llm_calls({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", list(row.values()))
        store.close()


class Stack(Economics):
    def test_the_note(self):
        rows = self.table("llm_stack", 10000, STEPS)
        self.assertEqual([(r["step"], r["name"], r["factor"], r["before_usd"], r["after_usd"], r["saved_usd"], r["total_saved_share"]) for r in rows],
                         [(0, "baseline", 1, 10000, 10000, 0, 0), (1, "prompts", 0.7, 10000, 7000, 3000, 0.3),
                          (2, "routing", 0.3, 7000, 2100, 4900, 0.79), (3, "caching", 0.6, 2100, 1260, 840, 0.874),
                          (4, "batch", 0.8, 1260, 1008, 252, 0.8992)])

    def test_ways_to_say_a_step(self):
        for step in (0.2, {"saves": 0.2}, {"keeps": 0.8}, {"saves": 0.5, "share": 0.4}, {"keeps": 0.5, "share": 0.4}):
            with self.subTest(step=step):
                row = self.table("llm_stack", 100, [step])[1]
                self.assertEqual((row["name"], row["factor"], row["after_usd"]), ("step 1", 0.8, 80))

    def test_what_costs_more_is_signed(self):
        rows = self.table("llm_stack", 100, [{"name": "retries", "keeps": 2}, {"name": "logs", "saves": -0.5}, 0.5])
        self.assertEqual([(r["after_usd"], r["saved_usd"], r["total_saved_share"]) for r in rows[1:]], [(200, -100, -1), (300, -100, -2), (150, 150, -0.5)])

    def test_a_share_of_nothing_is_null(self):
        rows = self.table("llm_stack", 0, [0.5])
        self.assertEqual([(r["after_usd"], r["saved_usd"], r["total_saved_share"]) for r in rows], [(0, 0, None)] * 2)

    def test_an_unknown_baseline_stays_unknown(self):
        row = self.table("llm_stack", None, STEPS)[-1]
        self.assertEqual((row["before_usd"], row["after_usd"], row["saved_usd"], row["total_saved_share"]), (None, None, None, 0.8992))

    def test_no_step(self):
        self.assertEqual(len(self.table("llm_stack", 5, [])), 1)
        self.assertEqual(self.table("llm_stack", 5, None), [])

    def test_it_joins(self):
        got = self.db.execute("SELECT b.column1, s.after_usd FROM (VALUES (10), (20)) b, llm_stack(b.column1, '[0.5]') s WHERE s.step = 1").fetchall()
        self.assertEqual(got, [(10, 5), (20, 10)])

    def test_anybody_may_ask(self):
        self.db.execute("CREATE VIEW v AS SELECT after_usd FROM llm_stack(100, '[0.25]') WHERE step = 1")
        self.assertEqual(value(self.db, "SELECT * FROM v"), 75)

    def test_errors(self):
        for args, part in (((100, [30]), "'saves': expected the share that is saved, 0.3 for 30 %"),
                           ((100, [{"saves": 1.1}]), "from -1000 to 1"),
                           ((100, [{"keeps": -0.1}]), "'keeps': expected the share that is left"),
                           ((100, [{"saves": 0.1, "share": 40}]), "'share'"),
                           ((100, [{"saves": 0.1, "keeps": 0.9}]), "step 1: give either 'saves' or 'keeps', not both"),
                           ((100, [0.1, {"name": "x"}]), "step 2: give either"),
                           ((100, [{"saved": 0.1}]), "did you mean 'saves'"),
                           ((100, ["half"]), "step 1: expected an object"),
                           ((100, {"saves": 0.1}), "a JSON array of at most 100"),
                           ((100, [0.01] * 101), "at most 100"),
                           ((100, "[0.1"), "the steps"),
                           ((-1, [0.1]), "dollars from 0"),
                           (("much", [0.1]), "dollars from 0"),
                           ((1e10, [0.1]), "dollars from 0"),
                           ((8e9, [{"keeps": 2}]), "step 1 ('step 1') makes it more than")):
            with self.subTest(args=args):
                message = self.fails("llm_stack", *args)
                self.assertTrue(message.startswith("llm_stack: "), message)
                self.assertIn(part, message)
        self.assertIn("the baseline in dollars or the steps are missing", error_of(self.db, "SELECT * FROM llm_stack"))


class Selfhost(Economics):
    def test_the_note(self):
        """Both machines at three volumes."""
        for volume, costs, saved in ((100000, (2500, 2000, 4500), (0, 500, -2000)), (1000000, (25000, 2000, 4500), (0, 23000, 20500)),
                                     (10000000, (250000, 6000, 4500), (0, 244000, 245500))):
            with self.subTest(volume=volume):
                rows = self.table("llm_selfhost", {**NOTE, "requests_per_month": volume})
                self.assertEqual([r["option"] for r in rows], ["API", "A100", "H100"])
                self.assertEqual([r["kind"] for r in rows], ["api", "hosted", "hosted"])
                self.assertEqual([r["cost_usd"] for r in rows], list(costs))
                self.assertEqual([r["saved_usd"] for r in rows], list(saved))
                self.assertEqual([r["break_even_requests"] for r in rows], [None, 80000, 180000])
                self.assertEqual({r["rule"].split(":")[0].split(" is ")[1] for r in rows}, {"below about $5000" if volume == 100000 else "above about $5000"})
        self.assertEqual([(r["instances"], r["utilisation"]) for r in rows], [(None, None), (3, 10 / 12), (1, 1)])

    def test_verdicts(self):
        machine = {"usd_per_month": 2000, "requests_per_month_each": 1e6}
        for options, verdict, part in (
                ({"requests_per_month": 79999}, "no", "breaks even at 80000 requests a month; there are 79999"),
                ({"requests_per_month": 100000}, "no", "operations usually cost more than that below about $5,000"),
                ({"requests_per_month": 300000}, "depends", "ops_usd_per_month"),
                ({"requests_per_month": 300000, "ops_usd_per_month": 5000}, "yes", "saves $500.00 a month, operations included"),
                ({"requests_per_month": 300000, "ops_usd_per_month": 5500}, "no", "operations take $5500.00"),
                ({"requests_per_month": 300000, "hosting": {**machine, "usd_per_request": 0.025}}, "never", "no volume pays"),
                ({"requests_per_month": 300000, "hosting": {**machine, "requests_per_month_each": 70000}}, "never", "a full instance serves 70000"),
                ({"requests_per_month": 0, "hosting": {"usd_per_month": 0}}, "no", "it costs $0.00 a month more than the API"),
                ({"requests_per_month": 100001, "hosting": {**machine, "requests_per_month_each": 100000}}, "no", "with 2 instances it costs"),
                ({"requests_per_month": 300001, "hosting": {**machine, "requests_per_month_each": 100000}}, "no", "with 4 instances it costs $499.98 a month more than the API")):
            with self.subTest(options=options):
                row = self.table("llm_selfhost", {"usd_per_request": 0.025, "hosting": machine, **options})[1]
                self.assertEqual(row["verdict"], verdict, row["why"])
                self.assertIn(part, row["why"])
                self.assertEqual(row["break_even_requests"] is None, verdict == "never")

    def test_operations(self):
        """A way's own go before those of all; unknown ones leave unknown what they are part of."""
        rows = self.by_name("llm_selfhost", "option", {"usd_per_request": 0.02, "requests_per_month": 1e6, "ops_usd_per_month": 1000, "hosting": [
            {"name": "a", "usd_per_month": 2000}, {"name": "b", "usd_per_month": 2000, "ops_usd_per_month": 0}]})
        self.assertEqual([(rows[n]["ops_usd"], rows[n]["total_usd"], rows[n]["saved_usd"], rows[n]["saved_with_ops_usd"], rows[n]["break_even_with_ops"])
                          for n in "ab"], [(1000, 3000, 18000, 17000, 150000), (0, 2000, 18000, 18000, 100000)])
        row = self.table("llm_selfhost", {"usd_per_request": 0.02, "requests_per_month": 1e6, "hosting": {"usd_per_month": 2000}})[1]
        self.assertEqual((row["option"], row["ops_usd"], row["total_usd"], row["saved_with_ops_usd"], row["break_even_with_ops"]), ("hosting 1", None, None, None, None))
        self.assertIn("one instance, for 'requests_per_month_each' is not said", row["price_from"])

    def test_gpus_and_utilisation(self):
        """An instance of two GPUs, planned to be half full."""
        row = self.table("llm_selfhost", {"usd_per_request": 0.02, "requests_per_month": 250000, "utilisation": 0.5, "hosting": {
            "usd_per_month": 500, "gpus": 2, "requests_per_month_each": 200000, "usd_per_request": 0.001}})[1]
        self.assertEqual((row["instances"], row["gpus"], row["hosting_usd"], row["requests_usd"], row["cost_usd"]), (3, 6, 3000, 250, 3250))
        self.assertAlmostEqual(row["utilisation"], 250 / 600, 12)
        self.assertAlmostEqual(row["break_even_requests"], 1000 / 0.019, 6)

    def test_prices(self):
        rows = self.by_name("llm_selfhost", "option", {"model": "gpt-4o", "input_tokens": 2000, "output_tokens": 1, "requests_per_month": 1000000,
                                                       "serverless": "groq/meta-llama/llama-4-maverick-17b-128e-instruct"})
        self.assertAlmostEqual(rows["gpt-4o"]["usd_per_request"], value(self.db, "SELECT llm_cost('gpt-4o', 2000, 1)"), 12)
        other = rows["groq/meta-llama/llama-4-maverick-17b-128e-instruct"]
        self.assertAlmostEqual(other["usd_per_request"],
                               value(self.db, "SELECT llm_cost('meta-llama/llama-4-maverick-17b-128e-instruct', 2000, 1, '{\"provider\":\"groq\"}')"), 12)
        self.assertEqual((other["kind"], other["verdict"], other["ops_usd"], other["break_even_requests"]), ("serverless", "yes", 0, 0))
        self.assertAlmostEqual(other["saved_usd"], rows["gpt-4o"]["cost_usd"] - other["cost_usd"], 6)

    def test_a_mean_is_no_whole_number(self):
        """Of short answers rounding would be most of the price."""
        rows = self.table("llm_selfhost", {"model": "gpt-4o", "input_tokens": 0.5, "output_tokens": 1.5, "requests_per_month": 1e6, "hosting": {"usd_per_month": 1}})
        self.assertAlmostEqual(rows[0]["cost_usd"], 0.5 * 2.5 + 1.5 * 10, 9)

    def test_a_price_list(self):
        value(self.db, "SELECT llm_init()")
        value(self.db, "SELECT llm_prices_import(?, '{\"list\":\"mine\"}')", json.dumps(
            {"gpt-4o": {"litellm_provider": "openai", "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6}}))
        options = {"model": "gpt-4o", "input_tokens": 1000, "output_tokens": 500, "requests_per_month": 1000, "hosting": {"usd_per_month": 1}}
        for name, usd in (("mine", 2), ("catalogue", 7.5)):
            self.assertAlmostEqual(self.table("llm_selfhost", {**options, "list": name})[0]["cost_usd"], usd, 9)
        self.assertIn("no price list 'mime'", self.fails("llm_selfhost", {**options, "list": "mime"}))

    def test_from_the_ledger(self):
        """Volume, tokens and price are the month's own; of the model that costs most."""
        self.ledger(*[{}] * 3, {"input_tokens": 3000, "output_tokens": 500, "cost_nusd": 12500000},
                    *[{"model": "gpt-4o-mini", "model_requested": "gpt-4o-mini", "cost_nusd": 1000}] * 50,
                    {"ts": now() - 31 * DAY, "cost_nusd": 10 ** 12}, {"kind": "hit_exact", "cost_nusd": 0, "saved_nusd": 1000},
                    {"kind": "embed", "model": "text-embedding-3-large", "cost_nusd": 10 ** 11})
        row = self.table("llm_selfhost", {"hosting": {"usd_per_month": 1}})[0]
        self.assertEqual((row["option"], row["requests_per_month"], row["cost_usd"]), ("gpt-4o-2024-08-06", 4, 0.023))
        self.assertEqual(row["requests_from"], "4 calls in the ledger in the last 30 days")
        self.assertEqual(row["price_from"], "mean of 4 priced calls in the ledger")
        row = self.table("llm_selfhost", {"model": "gpt-4o", "list": "catalogue", "hosting": {"usd_per_month": 1}})[0]
        self.assertEqual(row["price_from"], "price of 1500 input and 200 output tokens, list catalogue")
        self.assertAlmostEqual(row["usd_per_request"], 0.00575, 12)
        self.assertEqual(self.table("llm_selfhost", {"model": "gpt-4o-mini", "hosting": {"usd_per_month": 1}})[0]["requests_per_month"], 50)
        self.assertEqual(self.table("llm_selfhost", {"model": "gpt-4o", "requests_per_month": 8, "hosting": {"usd_per_month": 1}})[0]["cost_usd"], 0.046)

    def test_a_young_ledger_is_not_scaled_up(self):
        self.ledger({"ts": now() - 3 * DAY}, {})
        row = self.table("llm_selfhost", {"hosting": {"usd_per_month": 1}})[0]
        self.assertEqual(row["requests_per_month"], 2)
        self.assertRegex(row["requests_from"], r"^2 calls in the ledger since \d{4}-\d\d-\d\d: 3\.0 of 30 days, not scaled up$")

    def test_an_old_ledger(self):
        """Of one that ended long ago (an export of last year's) the month before its newest call counts, and that is said."""
        self.ledger({"ts": now() - 200 * DAY}, {"ts": now() - 210 * DAY}, {"ts": now() - 231 * DAY})
        row = self.table("llm_selfhost", {"hosting": {"usd_per_month": 1}})[0]
        self.assertEqual(row["requests_per_month"], 2)
        self.assertRegex(row["requests_from"], r"^2 calls in the ledger in the 30 days up to \d{4}-\d\d-\d\d$")

    def test_a_ledger_in_main(self):
        db = connect(":memory:")
        path = f"{self.tmp.name}/own.jsonl"
        with open(path, "w") as f:
            f.write(json.dumps(dict(id=1, request_id="first", attempt=1, ts=now() - DAY, kind="call", provider="openai", model="gpt-4o",
                                    input_tokens=1000, output_tokens=100, cost_nusd=3500000)) + "\n")
        value(db, "SELECT llm_import(?)", path)
        self.assertEqual(db.execute("SELECT requests_per_month, cost_usd FROM llm_selfhost('{\"hosting\":{\"usd_per_month\":1}}')").fetchone(), (1, 0.0035))
        db.close()

    def test_calls_without_a_price_do_not_count_as_free(self):
        self.ledger({}, {"cost_nusd": None})
        row = self.table("llm_selfhost", {"hosting": {"usd_per_month": 1}})[0]
        self.assertEqual((row["requests_per_month"], row["usd_per_request"], row["cost_usd"]), (2, 0.0035, 0.007))

    def test_by_tag(self):
        self.ledger({"tag": "a"}, *[{"tag": "b", "cost_nusd": 1000}] * 3)
        row = self.table("llm_selfhost", {"tag": "b", "hosting": {"usd_per_month": 1}})[0]
        self.assertEqual((row["requests_per_month"], row["usd_per_request"]), (3, 0.000001))
        self.assertIn("no calls with tag c of the last 30 days", self.fails("llm_selfhost", {"tag": "c", "hosting": {"usd_per_month": 1}}))

    def test_errors(self):
        machine = {"hosting": {"usd_per_month": 1}}
        some = {"model": "gpt-4o", "input_tokens": 1, "output_tokens": 1, "requests_per_month": 1}
        for options, part in (({}, "nothing to compare the API with"),
                              (machine, "option 'requests_per_month' is missing: the ledger has no calls of the last 30 days"),
                              ({**machine, "requests_per_month": 1}, "option 'model' is missing"),
                              ({**machine, "requests_per_month": 1}, "or give 'usd_per_request'"),
                              ({**machine, "requests_per_month": 1, "model": "gpt-4o"}, "option 'input_tokens' is missing: the ledger has no calls of gpt-4o"),
                              ({**machine, "requests_per_month": 1, "model": "gpt-4o", "input_tokens": 5}, "option 'output_tokens' is missing"),
                              ({**machine, **some, "model": "gpt-4x"}, "no price for model 'gpt-4x'"),
                              ({**some, "serverless": "llama-9"}, "no price for model 'llama-9'"),
                              ({**some, "serverless": "llama-4-maverick"}, "of 'serverless': {\"model\":…,\"provider\":…}"),
                              ({"usd_per_request": 1, "requests_per_month": 1, "serverless": "gpt-4o"}, "'input_tokens' is missing: the price of 'serverless'"),
                              ({**some, "hosting": []}, "'hosting': expected 1 to 16 objects"),
                              ({**some, "hosting": [{"usd_per_month": 1}] * 17}, "'hosting': expected 1 to 16 objects"),
                              ({**some, "hosting": [{"name": "x"}]}, "'usd_per_month' in each"),
                              ({**some, "hosting": [{"usd": 1}]}, "unknown member of 'hosting' 'usd'"),
                              ({**some, "hosting": [{"usd_per_month": 1, "gpus": 0}]}, "'gpus': expected an integer from 1"),
                              ({**some, **machine, "utilisation": 80}, "the share of an instance's capacity"),
                              ({**some, **machine, "utilization": 0.8}, "it is called 'utilisation' here"),
                              ({**some, **machine, "requests_per_month": -1}, "'requests_per_month'"),
                              ({**some, "serverless": {"provider": "groq"}}, "'serverless': expected an open model's name")):
            with self.subTest(options=options):
                message = self.fails("llm_selfhost", options)
                self.assertTrue(message.startswith("llm_selfhost: "), message)
                self.assertIn(part, message)
        self.assertIn("the options are missing", error_of(self.db, "SELECT * FROM llm_selfhost"))
        self.assertFalse(os.path.exists(f"{self.tmp.name}/desk.db-llmcost"), "asking makes no store")


class Finetune(Economics):
    GIVEN = {"usd_per_1k_now": 25, "usd_per_1k_tuned": 0.9, "requests_per_month": 100000, "setup_usd": [50, 200], "examples": 800, "stable": True}

    def test_the_note(self):
        for now_1k, tuned, setup, low, high in ((1.5, 0.9, [50, 200], 83333, 333333), (25, 0.9, [50, 200], 2075, 8299),
                                                (25, 0.1, [500, 2000], 20080, 80321), (1.5, 0.1, [500, 2000], 357143, 1428571)):
            with self.subTest(now=now_1k, tuned=tuned):
                row = self.table("llm_finetune", {**self.GIVEN, "usd_per_1k_now": now_1k, "usd_per_1k_tuned": tuned, "setup_usd": setup})[0]
                self.assertEqual((round(row["calls_low"]), round(row["calls_high"])), (low, high))
                self.assertAlmostEqual(row["months_high"], row["calls_high"] / 100000, 12)
                self.assertAlmostEqual(row["saved_per_1k_usd"], now_1k - tuned, 12)
                self.assertAlmostEqual(row["saved_per_month_usd"], (now_1k - tuned) * 100, 6)

    def test_verdicts(self):
        for options, verdict, part in (({}, "yes", "pays back in 0.1 months"),
                                       ({"examples": 499}, "no", "fewer than 500 good examples"),
                                       ({"stable": False}, "no", "requirements change"),
                                       ({"stable": 0, "examples": 3}, "no", "collect more first; requirements change"),
                                       ({"requests_per_month": 100}, "no", "too little volume"),
                                       ({"requests_per_month": 100, "within_months": 120}, "yes", "pays back in 83.0 months"),
                                       ({"requests_per_month": 0}, "no", "too little volume"),
                                       ({"setup_usd": [50, 50000]}, "no", "too little volume"),
                                       ({"usd_per_1k_tuned": 25}, "never", "costs no less"),
                                       ({"usd_per_1k_tuned": 30}, "never", "costs no less"),
                                       ({"examples": None}, "depends", "say how many there are ('examples')"),
                                       ({"stable": None}, "depends", "say whether they do ('stable')")):
            with self.subTest(options=options):
                row = self.table("llm_finetune", {**self.GIVEN, **options})[0]
                self.assertEqual(row["verdict"], verdict, row["why"])
                self.assertIn(part, row["why"])
        row = self.table("llm_finetune", {**self.GIVEN, "usd_per_1k_tuned": 30})[0]
        self.assertEqual((row["saved_per_1k_usd"], row["saved_per_month_usd"], row["calls_low"], row["months_high"]), (-5, -500, None, None))

    def test_prices(self):
        """A tuned model has a price of its own; a prompt whose examples were learnt is shorter."""
        options = {"model": "gpt-4o-mini", "input_tokens": 2000, "output_tokens": 100, "requests_per_month": 1e6, "setup_usd": 100, "to": "gpt-4o-mini"}
        row = self.table("llm_finetune", {**options, "tuned_input_tokens": 300})[0]
        self.assertEqual((row["candidate"], row["now"], row["setup_low_usd"], row["setup_high_usd"]), ("gpt-4o-mini", "gpt-4o-mini", 100, 100))
        self.assertAlmostEqual(row["usd_per_1k_now"], 1000 * value(self.db, "SELECT llm_cost('gpt-4o-mini', 2000, 100)"), 12)
        self.assertAlmostEqual(row["usd_per_1k_tuned"], 1000 * value(self.db, "SELECT llm_cost('ft:gpt-4o-mini', 300, 100)"), 12)
        self.assertEqual(row["tuned_from"], "ft:gpt-4o-mini for 300 input and 100 output tokens")
        self.assertEqual(self.table("llm_finetune", {**options, "to": "ft:gpt-4o-mini:acme::x"})[0]["usd_per_1k_tuned"], self.table("llm_finetune", options)[0]["usd_per_1k_tuned"])
        self.assertEqual(self.table("llm_finetune", options)[0]["verdict"], "never")  # at the same prompt it is dearer
        for price in ({"input": 1, "output": 2}, [1, 2]):
            row = self.table("llm_finetune", {**options, "tuned_price": price})[0]
            self.assertAlmostEqual(row["usd_per_1k_tuned"], 2.2, 12)

    def test_candidates(self):
        """What one does not say is as for all."""
        rows = self.by_name("llm_finetune", "candidate", {
            "model": "gpt-4o", "input_tokens": 2000, "output_tokens": 100, "requests_per_month": 1e6, "setup_usd": [50, 200], "tuned_input_tokens": 500,
            "to": ["gpt-4o-mini", {"name": "own", "usd_per_1k_tuned": 0.1, "setup_usd": [500, 2000]},
                   {"model": "gpt-4o", "tuned_input_tokens": 100}, {"model": "llama", "tuned_price": [1, 1]}]})
        self.assertEqual({n: (r["setup_high_usd"], round(r["usd_per_1k_tuned"], 9)) for n, r in rows.items()},
                         {"gpt-4o-mini": (200, 0.27), "own": (2000, 0.1), "gpt-4o": (200, 1.875), "llama": (200, 0.6)})

    def test_a_price_of_its_own_goes_before_that_of_all(self):
        rows = self.by_name("llm_finetune", "candidate", {**self.GIVEN, "input_tokens": 1000, "output_tokens": 100, "to": [
            "plain", {"name": "own", "usd_per_1k_tuned": 0.5}, {"name": "priced", "model": "m", "tuned_price": [1, 2]}]})
        self.assertEqual({n: round(r["usd_per_1k_tuned"], 9) for n, r in rows.items()}, {"plain": 0.9, "own": 0.5, "priced": 1.2})

    def test_from_the_ledger(self):
        self.ledger(*[{"tag": "triage"}] * 20, {"tag": "else", "cost_nusd": 10 ** 10})
        row = self.table("llm_finetune", {"tag": "triage", "to": "gpt-4o-mini", "setup_usd": 1})[0]
        self.assertEqual((row["now"], row["requests_per_month"], row["usd_per_1k_now"]), ("gpt-4o-2024-08-06", 20, 3.5))
        self.assertAlmostEqual(row["usd_per_1k_tuned"], 1000 * value(self.db, "SELECT llm_cost('ft:gpt-4o-mini', 1000, 100)"), 12)
        self.assertEqual(row["now_from"], "mean of 20 priced calls in the ledger")

    def test_errors(self):
        for options, part in (({}, "option 'requests_per_month' is missing"),
                              ({"requests_per_month": 1}, "option 'model' is missing: the ledger has no calls of the last 30 days to take it from; name it, or give 'usd_per_1k_now'"),
                              ({"usd_per_1k_now": 1, "requests_per_month": 1}, "option 'setup_usd' is missing: say what tuning costs"),
                              ({"usd_per_1k_now": 1, "requests_per_month": 1, "setup_usd": 1}, "option 'to' is missing"),
                              ({"usd_per_1k_now": 1, "requests_per_month": 1, "setup_usd": 1, "to": "gpt-4o-mini"}, "option 'tuned_input_tokens' is missing"),
                              ({**self.GIVEN, "setup_usd": [200, 50]}, "'setup_usd': expected dollars from 0, or [low, high]"),
                              ({**self.GIVEN, "setup_usd": [1, 2, 3]}, "'setup_usd'"),
                              ({**self.GIVEN, "setup_usd": -1}, "'setup_usd'"),
                              ({**self.GIVEN, "setup_usd": {"low": 1}}, "'setup_usd'"),
                              ({**self.GIVEN, "tuned_price": {"input": 1}}, "'tuned_price': expected dollars per million tokens"),
                              ({**self.GIVEN, "to": []}, "'to': expected 1 to 16 models"),
                              ({**self.GIVEN, "to": [{"setup": 1}]}, "unknown member of 'to' 'setup'"),
                              ({**self.GIVEN, "examples": -3}, "'examples'"),
                              ({**self.GIVEN, "stable": "weekly"}, "'stable': expected true or false"),
                              ({"model": "gpt-4o", "input_tokens": 1, "output_tokens": 1, "requests_per_month": 1, "setup_usd": 1, "to": "llama-9"},
                               "no price for model 'ft:llama-9'"),
                              ({"model": "gpt-4o", "input_tokens": 1, "output_tokens": 1, "requests_per_month": 1, "setup_usd": 1, "to": "llama-9"},
                               "; or give 'tuned_price' or 'usd_per_1k_tuned'")):
            with self.subTest(options=options):
                message = self.fails("llm_finetune", options)
                self.assertTrue(message.startswith("llm_finetune: "), message)
                self.assertIn(part, message)
        self.assertIn("the options are missing", error_of(self.db, "SELECT * FROM llm_finetune"))


if __name__ == "__main__":
    unittest.main()
