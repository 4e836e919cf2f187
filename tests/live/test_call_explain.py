"""llm_call_explain(id): what was asked, what the caches did, attempts, and the price line by line."""
import json
import unittest

from harness import Desk, error_of, value


class Explain(Desk):
    def explain(self, call=None):
        return json.loads(value(self.db, "SELECT llm_call_explain(coalesce(?, llm_last_call()))", call))

    def ask(self, text, **options):
        return value(self.db, "SELECT llm_complete(?, ?)", text, json.dumps(options))

    def test_a_call(self):
        self.ask("x", model="gpt-4o-mini", tag="t", user="u")
        e = self.explain()
        row = self.db.execute("SELECT id, ts, time, request_id, cost_nusd, model FROM llm_calls").fetchone()
        self.assertEqual((e["id"], e["ts"], e["time"], e["request_id"], e["cost_nusd"], e["asked"]["answered_by"]), row)
        self.assertEqual(e["asked"] | {"tag": "t", "user": "u", "model": "gpt-4o-mini", "why": "named", "provider": "openai"}, e["asked"])
        self.assertIsNone(e["cache"]["hit"])
        self.assertIn("had not been asked before", e["cache"]["why_not"])
        self.assertEqual(e["cache"]["nearest"], "not kept")
        self.assertEqual([(a["id"], a["attempt"], a["http_status"], a["cost_nusd"]) for a in e["attempts"]], [(row[0], 1, 200, row[4])])
        self.assertEqual(e["now_nusd"], row[4])
        self.assertAlmostEqual(sum(line["usd"] for line in e["price"]["lines"]), row[4] / 1e9, 12)
        self.assertEqual({line["unit"] for line in e["price"]["lines"]}, {"input", "output"})
        self.assertEqual(e["usage"]["input"], e["price"]["lines"][0]["count"])
        self.assertEqual((e["source"], e["billed"]), (None, "paid"))

    def test_auto(self):
        self.ask("x")
        self.assertIn("the tier that its score asks for", self.explain()["asked"]["why"])
        self.assertEqual(self.explain()["asked"]["tier"], "simple")

    def test_hits(self):
        value(self.db, "SELECT llm_config('minilm', '/nonexistent')")
        self.ask("How do I reset my password?", cache="semantic")
        call = value(self.db, "SELECT id FROM llm_calls")
        paid = value(self.db, "SELECT cost_nusd FROM llm_calls")
        self.ask("How do I reset my password?")
        e = self.explain()
        self.assertEqual(e["cache"], {"hit": "exact", "answer_of": call, "similarity": None, "saved_nusd": paid})
        self.assertEqual((e["attempts"], e["price"], e["now_nusd"], e["cost_nusd"]), ([], None, None, 0))
        self.ask("how can I reset my password", cache="semantic")
        e = self.explain()
        self.assertEqual((e["cache"]["hit"], e["cache"]["answer_of"]), ("semantic", call))
        self.assertGreater(e["cache"]["similarity"], 0.9)

    def test_why_not(self):
        self.ask("x", model="gpt-4o-mini")
        for options, why in (({"model": "gpt-4o"}, "under this text and model"), ({"model": "gpt-4o-mini", "system": "s"}, "text and system prompt"),
                             ({"model": "gpt-4o-mini", "cache": "refresh"}, "cache 'off' or 'refresh', other options, or"),
                             ({"model": "gpt-4o-mini", "max_tokens": 9000}, "cache 'off' or 'refresh', other options, or")):
            with self.subTest(options):
                self.ask("x", **options)
                self.assertIn(why, self.explain()["cache"]["why_not"])
        value(self.db, "SELECT llm_config('log_text', 'none')")
        self.ask("y")
        self.assertIn("log_text", self.explain()["cache"]["why_not"])

    def test_attempts(self):
        self.standin.scenario("server-error")  # the first time a body is seen
        try:
            self.ask(self.tmp.name, retries=1)
        finally:
            self.standin.scenario("ok")
        e = self.explain()
        self.assertEqual([(a["attempt"], a["http_status"], a["error"] is None, a["retry_reason"]) for a in e["attempts"]],
                         [(1, 500, False, None), (2, 200, True, "server_error")])
        self.assertIn("attempt 1", e["cache"]["why_not"])
        first = self.explain(e["attempts"][0]["id"])
        self.assertIn("answered 500", first["error"])
        self.assertIsNone(first["price"])
        self.assertIn("had not been asked", first["cache"]["why_not"])

    def test_a_failure_before(self):
        self.standin.scenario("bad-request-always")
        try:
            error_of(self.db, "SELECT llm_complete('z')")
        finally:
            self.standin.scenario("ok")
        self.ask("z")
        self.assertIn("asked before, not answered", self.explain()["cache"]["why_not"])

    def test_own_prices_and_none(self):
        self.db.execute("INSERT INTO llm_models(name, provider, api, base_url, key_env) VALUES ('mine', 'me', 'openai', ?, 'OPENAI_API_KEY')", (self.standin.url + "/v1",))
        self.ask("x", model="mine")
        e = self.explain()
        self.assertIsNone(e["cost_nusd"])
        self.assertTrue(e["price"]["unpriced"])
        self.db.execute("INSERT INTO llm_prices(model, kind, usd_per_million) VALUES ('mine', 'input', 1), ('mine', 'output', 1)")
        e = self.explain()
        self.assertIsNone(e["cost_nusd"])  # what was settled stays
        self.assertEqual(e["now_nusd"], 1000 * (e["usage"]["input"] + e["usage"]["output"]))
        self.assertEqual(e["price"]["list"], "llm_prices")

    def test_an_embedding(self):
        value(self.db, "SELECT embed('x', 'text-embedding-3-small')")
        e = self.explain()
        self.assertEqual((e["kind"], len(e["price"]["lines"])), ("embed", 1))
        self.assertEqual(e["now_nusd"], e["cost_nusd"])

    def test_what_is_no_call(self):
        self.assertIn("llm_calls has no row 5", error_of(self.db, "SELECT llm_call_explain(5)"))
        self.ask("x")
        self.assertIn("llm_calls has no row 99", error_of(self.db, "SELECT llm_call_explain(99)"))
        self.assertIn("expected the id", error_of(self.db, "SELECT llm_call_explain('x')"))
        self.assertIsNone(value(self.db, "SELECT llm_call_explain(NULL)"))
        self.assertEqual(value(self.db, "SELECT flags & 0x80000 <> 0 FROM pragma_function_list WHERE name = 'llm_call_explain'"), 1)

    def test_in_main(self):
        value(self.db, "SELECT llm_config('store', 'main')")
        self.ask("x")
        self.assertEqual(self.explain()["now_nusd"], value(self.db, "SELECT cost_nusd FROM llm_calls"))


if __name__ == "__main__":
    unittest.main()
