"""llm_config('max_usd') and ('max_calls'): a connection that stops before it has spent more."""
import json
import unittest

from harness import Desk, error_of, value

CALLS = "SELECT count(*) FROM llm_calls WHERE kind = 'call'"


class Limits(Desk):
    def setUp(self):
        super().setUp()
        self.db.execute("CREATE TABLE t AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50)"
                        " SELECT i AS id, 'question ' || i AS q FROM n")

    def set(self, name, to):
        return value(self.db, "SELECT llm_config(?, ?)", name, to)

    def spent(self):
        return value(self.db, "SELECT coalesce(sum(cost_nusd), 0) FROM llm_calls")

    def test_settings_are_read_back(self):
        self.assertEqual([self.set("max_usd", v) for v in (5, "0.5", 0, None)], [5.0, 0.5, 0.0, None])
        self.assertEqual([self.set("max_calls", v) for v in (5, "7", 0, None)], [5, 7, 0, None])
        for name, wrong in (("max_usd", -1), ("max_usd", "much"), ("max_calls", 1.5), ("max_calls", -1)):
            self.assertIn(f"setting '{name}': expected", error_of(self.db, "SELECT llm_config(?, ?)", name, wrong))

    def test_so_many_requests(self):
        self.set("max_calls", 7)
        said = error_of(self.db, "SELECT llm_complete(q) FROM t")
        self.assertIn("llm_config('max_calls', 7): 7 requests have been sent, and nothing more", said)
        self.assertEqual(value(self.db, CALLS), 7)
        # what was paid is a hit, which no limit stops; set again, it counts anew
        self.assertEqual(len(self.db.execute("SELECT llm_complete(q) FROM t WHERE id <= 7").fetchall()), 7)
        self.set("max_calls", 3)
        error_of(self.db, "SELECT llm_complete(q) FROM t")
        self.assertEqual(value(self.db, CALLS), 10)
        self.set("max_calls", None)
        self.assertEqual(len(self.db.execute("SELECT llm_complete(q) FROM t").fetchall()), 50)

    def test_zero_is_the_cache_alone(self):
        self.db.execute("SELECT llm_complete('question 1')").fetchall()
        for name in ("max_calls", "max_usd"):
            self.set(name, 0)
            self.assertIsNotNone(value(self.db, "SELECT llm_complete('question 1')"))
            self.assertIn("nothing", error_of(self.db, "SELECT llm_complete('question 2', '{\"on_error\":\"null\"}')"))
            self.set(name, None)
        self.assertEqual(value(self.db, CALLS), 1)

    def test_never_more_dollars(self):
        for model, limit in (("gpt-4o-mini", 0.0004), ("claude-haiku-4-5", 0.002), ("gpt-4o", 0.004)):
            before = self.spent()
            self.set("max_usd", limit)
            said = error_of(self.db, "SELECT llm_complete(q, ?) FROM t", json.dumps({"model": model, "max_tokens": 60, "tag": model}))
            self.assertIn(f"llm_config('max_usd', {limit}): $", said)
            spent = self.spent() - before
            self.assertLessEqual(spent, limit * 1e9)
            self.assertGreater(spent, 0)
        self.set("max_usd", 1)
        self.assertEqual(len(self.db.execute("SELECT llm_complete(q, '{\"max_tokens\":60}') FROM t").fetchall()), 50)

    def test_the_worst_case_counts(self):
        self.set("max_usd", 0.005)  # an answer of gpt-4o-mini of 16,384 tokens costs $0.0098
        self.assertIn("(16384 tokens of answer: max_tokens makes it less)", error_of(self.db, "SELECT llm_complete('q')"))
        self.assertIsNotNone(value(self.db, "SELECT llm_complete('q', '{\"max_tokens\":100}')"))
        self.assertEqual(value(self.db, CALLS), 1)

    def test_what_can_t_be_bounded_is_refused(self):
        self.set("max_usd", 5)
        self.db.execute("INSERT INTO llm_models(name, provider, base_url, key_env) VALUES ('mine', 'my-box', ?, 'OPENAI_API_KEY')",
                        (self.standin.url + "/v1",))
        self.assertIn("nobody prices model 'mine': add it to llm_prices", error_of(self.db, "SELECT llm_complete('q', '{\"model\":\"mine\"}')"))
        self.assertIn("(131072 tokens of answer", error_of(self.db, "SELECT llm_config('max_usd', 0.01), llm_complete('q', '{\"model\":\"openai/o3\"}')"))
        self.assertIsNotNone(value(self.db, "SELECT llm_complete('q', '{\"model\":\"openai/o3\",\"max_tokens\":9}')"))
        self.db.execute("INSERT INTO llm_prices(model, kind, usd_per_million) VALUES ('mine', 'input', 0), ('mine', 'output', 0)")
        self.assertIsNotNone(value(self.db, "SELECT llm_complete('q', '{\"model\":\"mine\"}')"))

    def test_a_server_of_ones_own_costs_nobody(self):
        self.set("max_usd", 0)
        self.assertIn("invalid_api_key", error_of(self.db, "SELECT llm_complete('q', '{\"model\":\"ollama/llama3.2\"}')"))  # it was sent
        self.db.execute("UPDATE llm_models SET key_env = 'OPENAI_API_KEY' WHERE name = 'llama3.2'")
        self.assertIsNotNone(value(self.db, "SELECT llm_complete('q', '{\"model\":\"ollama/llama3.2\"}')"))
        self.db.execute("UPDATE llm_models SET provider = 'a-gateway' WHERE name = 'llama3.2'")  # on this machine, with a key
        self.assertIn("nobody prices", error_of(self.db, "SELECT llm_complete('q2', '{\"model\":\"llama3.2\"}')"))
        self.db.execute("UPDATE llm_models SET provider = 'vllm', base_url = 'https://openrouter.ai/api/v1', key_env = NULL WHERE name = 'llama3.2'")
        self.assertIn("nobody prices", error_of(self.db, "SELECT llm_complete('q2', '{\"model\":\"llama3.2\"}')"))

    def test_each_counts_from_when_it_was_set(self):
        self.set("max_calls", 2)
        error_of(self.db, "SELECT llm_complete(q) FROM t")
        self.set("max_usd", 1)
        self.assertIn("2 requests have been sent", error_of(self.db, "SELECT llm_complete(q) FROM t"))
        self.assertEqual(value(self.db, CALLS), 2)
        self.set("max_calls", None)
        self.set("max_usd", 0.0101)
        self.assertIn("0.0101): $0 spent", error_of(self.db, "SELECT llm_complete('x', '{\"model\":\"gpt-4o\"}')"))
        self.db.execute("SELECT llm_complete('y')").fetchall()
        self.set("max_calls", 1000)
        self.assertRegex(error_of(self.db, "SELECT llm_complete('z', '{\"model\":\"gpt-4o\"}')"), r"\$0\.0000\d+ spent")

    def test_retries_count_and_what_never_left_does_not(self):
        self.standin.scenario("overloaded-always")
        self.addCleanup(self.standin.scenario, "ok")
        self.db.execute("SELECT llm_config('backoff_ms', 0)")
        self.set("max_calls", 2)
        error_of(self.db, "SELECT llm_complete('q', '{\"retries\":5}')")
        self.assertEqual(value(self.db, CALLS), 2)
        self.db.execute("UPDATE llm_models SET base_url = 'http://127.0.0.1:11434/v1', key_env = NULL WHERE name = 'gpt-4o'")
        self.set("max_calls", 1)
        for _ in range(3):
            self.assertIn("cannot reach", error_of(self.db, "SELECT llm_complete('q', '{\"model\":\"gpt-4o\",\"retries\":0}')"))


if __name__ == "__main__":
    unittest.main()
