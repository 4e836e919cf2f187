"""prompt_cache: what a request begins with is marked for the provider to keep, and what that costs is billed as it is."""
import json
import unittest

from batch_desk import HAIKU, BatchDesk
from harness import Desk, error_of, value

SYSTEM = "You are the desk of a shop. " + "Rule by rule, word by word. " * 400
TOKENS = "SELECT input_tokens - cached_input_tokens - cache_write_tokens, cached_input_tokens, cache_write_tokens FROM llm_calls WHERE kind = 'call' ORDER BY id DESC LIMIT 1"


class PromptCache(Desk):
    def setUp(self):
        super().setUp()
        self.standin.post("/standin/reset", {})

    def ask(self, prompt, function="llm_complete", **options):
        options = {"model": "claude-haiku-4-5", "max_tokens": 20, **options}
        value(self.db, f"SELECT {function}(?, ?)", prompt, json.dumps(options))
        return self.db.execute(TOKENS).fetchone()

    def spent(self):
        return value(self.db, "SELECT sum(cost_nusd) FROM llm_calls")

    def test_the_system_prompt_is_kept(self):
        fresh, read, written = self.ask("one", system=SYSTEM, prompt_cache="5m")
        self.assertTrue(fresh < 50 and not read and written > 1500, (fresh, read, written))
        self.assertEqual(self.ask("two", system=SYSTEM, prompt_cache="5m"), (fresh, written, 0))
        # By itself it is marked now, too: it came again in time, and the ledger knows that so short a prefix (of less than 4,096 tokens) was kept
        for options in ({}, {"prompt_cache": "auto"}, {"prompt_cache": None}):
            self.assertEqual(self.ask(f"three {options}", system=SYSTEM, **options)[1:], (written, 0))
        self.assertEqual(value(self.db, "SELECT min_tokens FROM llm_prefix_cache WHERE who = 'ours'"), written)
        # What is not marked is not read
        fresh, read, written = self.ask("four", system=SYSTEM, prompt_cache="off")
        self.assertTrue(fresh > 1500 and not read and not written, (fresh, read, written))
        self.assertEqual(self.spent(), self.standin.bill()["total_nusd"])

    def test_floors_are_learned(self):
        """A prefix that the provider wrote was not too short, whatever the catalogue says."""
        short = lambda: [k for k, in self.db.execute("SELECT kind FROM llm_lint(?, '{\"model\":\"claude-haiku-4-5\"}')", (SYSTEM,)) if k == "below_floor"]
        self.assertEqual((value(self.db, "SELECT llm_cache_minimum('claude-haiku-4-5')"), short()), (4096, ["below_floor"]))
        self.ask("one", system=SYSTEM, prompt_cache="5m")
        self.assertEqual(short(), [])

    def test_an_hour_costs_what_it_costs(self):
        prices = [value(self.db, f"SELECT llm_price('claude-haiku-4-5', '{unit}')") for unit in ("cache_write", "cache_write_1h")]
        self.assertLess(*prices)
        spent = []
        for lifetime in ("5m", "1h"):
            before = self.spent() or 0
            self.standin.post("/standin/reset", {})
            _, _, written = self.ask("one", system=SYSTEM, prompt_cache=lifetime, cache="off")
            spent.append(self.spent() - before)
            self.assertEqual(spent[-1], self.standin.bill()["total_nusd"])
        self.assertAlmostEqual((spent[1] - spent[0]) / written, (prices[1] - prices[0]) * 1000, delta=0.01)

    def test_a_conversation_is_read_by_its_next_turn(self):
        turns = [{"role": "user", "content": "tell me " + "of the sea and the shore " * 400}]
        _, _, written = self.ask(json.dumps(turns), "llm_chat", prompt_cache="5m")
        self.assertFalse(written)  # (a single message is nobody's prefix)
        turns += [{"role": "assistant", "content": "Gladly."}, {"role": "user", "content": "go on"}]
        _, _, written = self.ask(json.dumps(turns), "llm_chat", prompt_cache="5m")
        self.assertGreater(written, 1500)
        turns += [{"role": "assistant", "content": "Well."}, {"role": "user", "content": "and then?"}]
        _, read, more = self.ask(json.dumps(turns), "llm_chat", prompt_cache="5m")
        self.assertEqual(read, written)
        self.assertLess(more, 50)

    def test_it_is_not_part_of_the_key(self):
        options = {"system": SYSTEM, "max_tokens": 500}
        self.ask("one", prompt_cache="1h", **options)
        self.ask("one", **options)
        self.ask("one", prompt_cache="off", **options)
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_calls WHERE kind = 'call'"), 1)

    def test_the_worst_case_is_that_of_an_hour(self):
        price = value(self.db, "SELECT llm_price('claude-haiku-4-5', 'cache_write_1h')")
        limit = len(SYSTEM) * 1.5 * value(self.db, "SELECT llm_price('claude-haiku-4-5', 'input')") / 1e6
        self.assertLess(limit, len(SYSTEM) * price / 1e6)
        self.db.execute("SELECT llm_config('max_usd', ?)", (limit,)).fetchall()
        options = {"model": "claude-haiku-4-5", "max_tokens": 20, "system": SYSTEM, "prompt_cache": "1h"}
        self.assertIn("nothing was sent", error_of(self.db, "SELECT llm_complete('one', ?)", json.dumps(options)))
        self.ask("one", system=SYSTEM)
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_calls WHERE kind = 'call'"), 1)

    def test_models_say_how(self):
        self.db.execute("UPDATE llm_models SET supports = json_set(supports, '$.prompt_cache', json('false')) WHERE name = 'claude-haiku-4-5'")
        self.assertFalse(self.ask("one", system=SYSTEM, prompt_cache="5m")[2])
        self.db.execute("UPDATE llm_models SET supports = json_set(supports, '$.prompt_cache', 'cache') WHERE name = 'claude-haiku-4-5'")
        said = error_of(self.db, "SELECT llm_complete('two', ?)", json.dumps({"model": "claude-haiku-4-5", "system": "s", "prompt_cache": "5m"}))
        self.assertIn("(valid: 'cache_control', 'prompt_cache_breakpoint', or false)", said)
        # OpenAI's own marks, where a model is said to take them: the stand-in refuses members that it does not know
        self.db.execute("UPDATE llm_models SET supports = json_set(supports, '$.prompt_cache', 'prompt_cache_breakpoint') WHERE name = 'gpt-5.6-sol'")
        self.assertTrue(self.ask("three", model="gpt-5.6-sol", system=SYSTEM, prompt_cache="5m"))

    def test_wrong_words(self):
        for word in ("10m", "yes", 5, True):
            said = error_of(self.db, "SELECT llm_complete('one', ?)", json.dumps({"prompt_cache": word}))
            self.assertIn("option 'prompt_cache': expected", said)


class Batches(BatchDesk):
    def test_times_of_calls_mark_nothing_in_a_batch(self):
        """Its lines come together, or hours later: when calls came says nothing of it."""
        ask = lambda i, **more: value(self.db, "SELECT llm_complete(?, ?)", f"q {i}", json.dumps({"model": HAIKU, "max_tokens": 20, "system": SYSTEM, **more}))
        for i in range(4):
            ask(i, prompt_cache="5m")
        self.put(1, model=HAIKU, system=SYSTEM, options='{"max_tokens":20}')
        self.flush()
        self.settle()
        rows = self.db.execute("SELECT cache_write_tokens, cached_input_tokens, notes FROM llm_calls WHERE kind = 'batch'").fetchall()
        self.assertEqual([(w or 0, r or 0, "prefix" in (n or "")) for w, r, n in rows], [(0, 0, False)])
        ask(9)  # a call, by itself, is marked
        self.assertGreater(value(self.db, "SELECT cached_input_tokens FROM llm_calls WHERE kind = 'call' ORDER BY id DESC LIMIT 1"), 1000)


if __name__ == "__main__":
    unittest.main()
