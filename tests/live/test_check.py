"""Every row of the ledger can be priced again from its own columns, and llm_check does so."""
import json
import sqlite3
import unittest

from harness import TempDir, connect, error_of, value
from replay import Answer, Replay, chat, claude


def check(db, **options):
    return json.loads(value(db, "SELECT llm_check(?)", json.dumps(options)))


class Check(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.replay = Replay()
        cls.replay.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.replay.__exit__()

    def setUp(self):
        self.tmp = TempDir()
        self.path = f"{self.tmp.name}/desk.db"
        self.db = connect(self.path)
        value(self.db, "SELECT llm_allow_host(?, 'WIRE_KEY'), llm_secret('WIRE_KEY', 'sk-wire-0123456789'), llm_init()", self.replay.host)
        self.n = 0

    def tearDown(self):
        self.db.close()
        self.tmp.cleanup()

    def ask(self, body, provider="openai", api=None, model=None):
        """One call that is answered so; its row as a dict."""
        self.n += 1
        key = f"m{self.n}"
        name = model or key
        self.replay.answers[key] = [Answer(body)]
        api = api or ("anthropic" if provider == "anthropic" else "openai")
        self.db.execute("INSERT OR REPLACE INTO llm_models(name, provider, api, base_url, key_env) VALUES (?, ?, ?, ?, 'WIRE_KEY')",
                        (name, provider, api, self.replay.url(key)))
        value(self.db, "SELECT llm_complete(?, ?)", f"question {self.n}", json.dumps({"model": name, "cache": "off"}))
        cursor = self.db.execute("SELECT * FROM llm_calls ORDER BY id DESC LIMIT 1")
        return dict(zip((c[0] for c in cursor.description), cursor.fetchone()))

    def several(self):
        yield self.ask(chat())
        yield self.ask(chat(service_tier="priority", model="gpt-4o-mini"))
        yield self.ask(chat(usage={"prompt_tokens": 2006, "completion_tokens": 300, "prompt_tokens_details": {"cached_tokens": 1920},
                                   "completion_tokens_details": {"reasoning_tokens": 200}}, model="gpt-5"))
        yield self.ask(claude(model="claude-opus-4-8", usage={
            "input_tokens": 100, "output_tokens": 20, "cache_read_input_tokens": 5000, "cache_creation_input_tokens": 3000,
            "cache_creation": {"ephemeral_5m_input_tokens": 1000, "ephemeral_1h_input_tokens": 2000},
            "inference_geo": "us", "speed": "fast"}), "anthropic")

    def test_what_decides_a_price_stands_in_columns(self):
        rows = list(self.several())
        self.assertEqual([(r["service"], r["geo"], r["cache_write_long_tokens"]) for r in rows],
                         [("standard", None, None), ("priority", None, None), ("standard", None, None), ("fast", "us", 2000)])
        self.assertEqual(rows[3]["cost_nusd"], round((100 * 5 + 5000 * .5 + 1000 * 6.25 + 2000 * 10 + 20 * 25) * 2 * 1.1 * 1000))
        for r in rows:
            self.assertIsNotNone(r["cost_nusd"])
            self.assertEqual(r["list_nusd"], r["cost_nusd"])

    def test_every_row_is_priced_again(self):
        costs = [r["cost_nusd"] for r in self.several()]
        report = check(self.db)
        self.assertEqual(report.pop("sums")["differs"], 0)
        self.assertEqual(report, {"rows": 4, "same": 4, "differs": 0, "priced_now": 0, "unpriced_now": 0, "no_usage": 0,
                                  "cost_nusd": sum(costs), "now_nusd": sum(costs), "list": []})

    def test_from_the_columns_alone(self):
        list(self.several())
        self.db.close()
        with sqlite3.connect(self.path + "-llmcost") as store:
            store.execute("UPDATE llm_calls SET usage = NULL")
        store.close()
        self.db = connect(self.path)
        self.assertEqual(check(self.db)["same"], 4)

    def test_what_differs_is_named(self):
        first = self.ask(chat())
        self.ask(chat(model="nobody-sells-this"))
        self.ask(chat(model="gpt-4o"))
        self.assertEqual([check(self.db)[k] for k in ("rows", "same")], [3, 3])  # nobody knows what the second costs: as it says
        self.db.execute("INSERT INTO llm_prices(model, kind, usd_per_million) VALUES ('gpt-4o-mini', 'input', 1), ('gpt-4o-mini', 'output', 1),"
                        " ('nobody-sells-this', 'input', 2), ('nobody-sells-this', 'output', 2)")
        found = check(self.db)
        self.assertEqual([found[k] for k in ("rows", "same", "differs", "priced_now", "unpriced_now")], [3, 1, 1, 1, 0])
        self.assertEqual(found["list"], [
            {"id": first["id"], "finding": "differs", "model": first["model"], "cost_nusd": first["cost_nusd"], "now_nusd": 120000},
            {"id": first["id"] + 1, "finding": "priced_now", "model": "nobody-sells-this", "cost_nusd": None, "now_nusd": 240000}])
        self.assertEqual(len(check(self.db, limit=1)["list"]), 1)
        self.assertEqual(check(self.db, limit=0)["list"], [])
        self.db.execute("DELETE FROM llm_prices")
        self.db.execute("INSERT INTO llm_prices(model, kind, usd_per_million, service) VALUES ('gpt-4o', 'input', 1, 'other')")
        self.assertEqual(check(self.db)["same"], 3)

    def test_list_price(self):
        """What it would cost without a discount of one's own."""
        self.db.execute("INSERT INTO llm_prices(model, kind, usd_per_million, provider) VALUES ('*', 'factor', 0.8, 'openai')")
        row = self.ask(chat())
        self.assertEqual((row["cost_nusd"], row["list_nusd"]), (21600, 27000))
        self.db.execute("INSERT INTO llm_prices(model, kind, usd_per_million) VALUES ('my-own', 'input', 1), ('my-own', 'output', 1)")
        row = self.ask(chat(model="my-own"), "vllm")
        self.assertEqual((row["cost_nusd"], row["list_nusd"]), (120000, None))
        self.assertEqual(check(self.db)["same"], 2)

    def test_what_the_asked_name_tells(self):
        """Answers leave out what a seller's name says of the price."""
        usage = {"prompt_tokens": 200000, "completion_tokens": 0, "total_tokens": 200000}
        for asked, answered, provider, usd in (
                ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5-20250929", "bedrock", 0.6),
                ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5-20250929", "bedrock", 0.66),
                ("global.openai.gpt-5.6-luna", "gpt-5.6-luna", "bedrock", 0.04), ("openai.gpt-5.5", "gpt-5.5", "bedrock", 1.1),
                ("deepseek/deepseek-r1:free", "deepseek/deepseek-r1", "openrouter", 0), ("openai/gpt-4o-mini:online", "openai/gpt-4o-mini", "openrouter", None),
                ("gpt-4o-mini", "gpt-4o", "openai", 0.5), ("my-gpt-4o", "gpt-4o", "azure", 0.5), ("gpt-4o-2024-08-06", "gpt-4o", "openai", 0.5)):
            with self.subTest(asked=asked):
                row = self.ask(chat(model=answered, usage=usage), provider, api="openai", model=asked)
                self.assertEqual(row["cost_nusd"], None if usd is None else round(usd * 1e9))
        self.assertEqual(check(self.db)["same"], 9)

    def test_a_service_that_the_name_tells(self):
        row = self.ask(claude(model="claude-opus-4-8-fast"), "anthropic")
        self.assertEqual((row["service"], row["cost_nusd"]), ("fast", 100 * 10000 + 20 * 50000))
        self.assertEqual(check(self.db)["same"], 1)

    def test_failures_with_a_usage_and_answers_without_an_output(self):
        self.replay.answers["bad"] = [Answer({"error": {"message": "no"}, "model": "gpt-4o-mini", "usage": {"prompt_tokens": 100, "completion_tokens": 20}},
                                             status=400)]
        self.db.execute("INSERT INTO llm_models(name, provider, api, base_url, key_env) VALUES ('bad', 'openai', 'openai', ?, 'WIRE_KEY')",
                        (self.replay.url("bad"),))
        self.assertIn("no", error_of(self.db, "SELECT llm_complete('x', '{\"model\":\"bad\"}')"))
        self.assertEqual(self.db.execute("SELECT model, cost_nusd FROM llm_calls").fetchone(), ("gpt-4o-mini", 27000))
        row = self.ask(chat(usage={"prompt_tokens": 10}))
        self.assertIsNone(row["cost_nusd"])
        self.assertEqual([check(self.db)[k] for k in ("rows", "same")], [2, 2])

    def test_rows_that_hold_anything(self):
        """What somebody wrote into the table is counted and named, and nothing else happens."""
        self.ask(chat())
        self.db.close()
        odd = [None, "", "{", "[]", "null", "[[[[", "x\0y", b"\xff\xfe", 7, 1.5, '{"input":1e300,"output":1}', '{"input":-1}', '{"parts":[1]}',
               '{"parts":[' + '{"input":1,"output":1},' * 999 + '{}]}', '{"service":"' + "x" * 9999 + '","input":1,"output":1}', "[" * 100000]
        with sqlite3.connect(self.path + "-llmcost") as store:
            columns = [c[1] for c in store.execute("PRAGMA table_info(llm_calls)") if c[1] != "id"]
            store.execute("PRAGMA ignore_check_constraints = 1")
            for column in ("usage", "service", "geo", "model", "provider", "ts", "input_tokens", "cost_nusd"):
                for thing in odd + [2 ** 63 - 1, -2 ** 63]:
                    try:
                        store.execute(f"INSERT INTO llm_calls({', '.join(columns)}) SELECT {', '.join('?1' if c == column else c for c in columns)}"
                                      " FROM llm_calls WHERE id = 1", (thing,))
                    except sqlite3.IntegrityError:
                        pass
            n = store.execute("SELECT count(*) FROM llm_calls").fetchone()[0]
        store.close()
        self.db = connect(self.path)
        found = check(self.db, limit=1000)
        self.assertEqual(found["rows"], n)
        self.assertEqual(sum(found[k] for k in ("same", "differs", "priced_now", "unpriced_now", "no_usage")), n)

    def test_nothing_to_look_at(self):
        db = connect(":memory:")
        self.assertEqual(check(db)["rows"], 0)
        self.assertIn("limit", error_of(db, "SELECT llm_check('{\"limit\":-1}')"))
        self.assertIn("valid: limit", error_of(db, "SELECT llm_check('{\"limits\":1}')"))

    def test_in_main(self):
        self.db.close()
        self.db = connect(f"{self.tmp.name}/other.db")
        value(self.db, "SELECT llm_config('store', 'main')")
        value(self.db, "SELECT llm_allow_host(?, 'WIRE_KEY'), llm_secret('WIRE_KEY', 'sk-wire-0123456789'), llm_init()", self.replay.host)
        list(self.several())
        self.assertEqual(check(self.db)["same"], 4)


if __name__ == "__main__":
    unittest.main()
