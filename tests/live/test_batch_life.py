"""Batches from SQL, when all goes well: queued rows are split, sent, polled and settled, at every provider; what a cache has, what
others ask too, and what is due soon is not sent. And what rows may do meanwhile."""
import json
import sqlite3
import time
import unittest

from batch_desk import HAIKU, MINI, BatchDesk
from harness import error_of, value

DAY_MS = 86_400_000


def now_ms():
    return int(time.time() * 1000)


class Forms(BatchDesk):
    """The whole way at each provider."""

    def whole_way(self, model, rows=5, **columns):
        self.put(rows, model=model, tag="t", **columns)
        said = self.flush()
        self.assertEqual((said["rows"], said["submitted"], len(said["batches"])), (rows, rows, 1), said)
        begun, = said["batches"]
        self.assertEqual((begun["id"], begun["model"], begun["requests"], begun["state"]), (1, model, rows, "sent"))
        self.assertEqual(set(self.rows("status || attempts || batch_id")), {"submitted11"})
        self.assertEqual(self.kinds(), {})  # the ledger has a row when a bill is known
        said = self.settle()
        self.assertEqual((said["answered"], said["failed"], said["errors"]), (rows, 0, []))
        self.assertAlmostEqual(said["cost_usd"], self.standin.bill()["total_nusd"] / 1e9, 12)
        self.assertAlmostEqual(said["saved_usd"], said["cost_usd"], 12)  # half of the standard price
        self.assertLessEqual(said["cost_usd"], begun["at_most_usd"])
        self.assertEqual(set(self.rows("status || attempts || batch_id")), {"done11"})
        self.assertEqual(self.rows("id", "answer IS NULL OR error IS NOT NULL OR cost_usd IS NULL OR finished_at < created_at"), [])
        self.assertEqual(self.kinds(), {"batch": rows})
        self.assertEqual(self.db.execute("SELECT DISTINCT batch_id, service, tag, http_status, attempt FROM llm_calls").fetchall(),
                         [(1, "batch", "t", 200, 1)])
        self.assertEqual(self.there()["batches"]["made"], 1)
        batch, = self.check_all(1)
        self.assertEqual((batch["requests"], batch["answered"], batch["unpriced"], batch["trouble"], batch["error"], batch["difference"]),
                         (rows, rows, 0, None, None, None), batch)
        self.assertEqual(batch["full_nusd"], 2 * batch["cost_nusd"])
        return batch

    def at(self, path, name=MINI, provider=None, key=None, prices=False):
        self.db.execute("UPDATE llm_models SET base_url = ?, provider = coalesce(?, provider), key_env = coalesce(?, key_env)"
                        " WHERE name = ?", (self.standin.url + path, provider, key, name))
        for kind, usd in ((("input", 1), ("output", 2)) if prices else ()):  # as the stand-in bills what it does not know
            self.db.executemany("INSERT INTO llm_prices(model, kind, usd_per_million, service) VALUES (?, ?, ?, ?)",
                                [(name, kind, usd, None), (name, kind, usd / 2, "batch")])

    def test_openai_chat(self):
        batch = self.whole_way(MINI)
        self.assertEqual((batch["form"], batch["endpoint"]), ("openai", "/v1/chat/completions"))
        self.assertEqual((batch["said_total"], batch["said_done"], batch["said_failed"]), (5, 5, 0))

    def test_openai_embeddings(self):
        batch = self.whole_way("text-embedding-3-small")
        self.assertEqual(batch["endpoint"], "/v1/embeddings")
        for blob, in self.db.execute("SELECT answer FROM batch_submit"):
            self.assertEqual((type(blob), len(blob)), (bytes, 4 * 64))
        self.assertAlmostEqual(value(self.db, "SELECT embed_cosine(answer, answer) FROM batch_submit WHERE id = 1"), 1, 5)
        # The same vector as now, from the cache: nothing is paid again.
        before = self.standin.bill()["calls"]
        self.assertEqual(value(self.db, "SELECT min(embed_cosine(answer, embed(prompt, 'text-embedding-3-small'))) > 0.9999999"
                                        " FROM batch_submit"), 1)
        self.assertEqual(self.standin.bill()["calls"], before)

    def test_azure(self):
        self.at("/azure/openai/v1", provider="azure", key="AZURE_OPENAI_API_KEY")
        batch = self.whole_way(MINI)
        self.assertEqual((batch["form"], batch["endpoint"]), ("azure", "/chat/completions"))

    def test_groq(self):
        self.at("/openai/v1", "llama-3.3-70b-versatile", prices=True)
        self.assertEqual(self.whole_way("llama-3.3-70b-versatile")["form"], "groq")

    def test_openrouter(self):
        self.at("/api/v1", "openrouter/auto", prices=True)
        self.assertEqual(self.whole_way("openrouter/auto")["form"], "openrouter")

    def test_openrouter_without_a_batch_price(self):
        """Nobody says what it costs: NULL, and listed; never 0."""
        self.at("/api/v1", "openrouter/auto")
        self.put(2, model="openrouter/auto")
        self.flush()
        said = self.settle()
        self.assertEqual((said["answered"], said["unpriced"]), (2, 2))
        self.assertEqual(self.rows("status, cost_usd, error"), [("done", None, None)] * 2)
        self.assertEqual(value(self.db, "SELECT sum(calls) FROM llm_unpriced"), 2)
        self.assertEqual(self.batches()[0]["unpriced"], 2)

    def test_anthropic(self):
        self.assertEqual(self.whole_way(HAIKU)["form"], "anthropic")

    def test_mistral(self):
        self.at("/v1", "mistral-small-2603", prices=True)
        self.assertEqual(self.whole_way("mistral-small-2603")["form"], "mistral")

    def test_several_models_are_several_batches(self):
        for model in (MINI, HAIKU, "gpt-4.1-nano", "text-embedding-3-small"):
            self.put(3, model=model)
        self.assertEqual(len(self.flush()["batches"]), 4)
        self.settle()
        self.assertEqual(self.statuses(), {"done": 12})
        self.check_all(4)


class Requests(BatchDesk):
    """What a row asks."""

    def sent(self):
        self.flush()
        self.settle()
        self.check_all()

    def test_each_column_reaches_the_ledger(self):
        self.db.execute("INSERT INTO batch_submit(custom_id, prompt, system, model, tag, user, conversation, options) VALUES"
                        " ('mine', 'What is it?', 'Be brief.', ?, 'a', 'ann', 'c1', '{\"max_tokens\":7,\"temperature\":0}')", (MINI,))
        self.sent()
        self.assertEqual(self.db.execute("SELECT tag, user, conversation, output_tokens <= 7, system_hash IS NOT NULL FROM llm_calls")
                         .fetchall(), [("a", "ann", "c1", 1, 1)])
        self.assertEqual(self.row(1, "custom_id, status"), ("mine", "done"))

    def test_columns_go_before_options(self):
        self.put(1, options='{"tag":"of options","model":"gpt-4o","user":"u"}', tag="of the column")
        self.sent()
        self.assertEqual(self.db.execute("SELECT model_requested, tag, user FROM llm_calls").fetchall(), [(MINI, "of the column", "u")])

    def test_without_a_model_the_connections(self):
        self.put(1, model=None, options='{"model":"gpt-4.1-nano"}')
        self.put(1, text="And {}?", model=None)
        self.sent()
        self.assertEqual(self.statuses(), {"done": 2})
        self.assertEqual(self.db.execute("SELECT model_requested FROM llm_calls ORDER BY 1").fetchall()[0], ("gpt-4.1-nano",))

    def test_a_conversation(self):
        messages = [{"role": "user", "content": "My name is Ann."}, {"role": "assistant", "content": "Hello."},
                    {"role": "user", "content": "What is my name?"}]
        self.db.execute("INSERT INTO batch_submit(prompt, model) VALUES (?, ?)", (json.dumps(messages), MINI))
        self.db.execute("INSERT INTO batch_submit(prompt, model) VALUES ('[{\"colour\":\"red\"}] is what?', ?)", (MINI,))
        self.sent()
        self.assertEqual(self.statuses(), {"done": 2})
        # The same as llm_chat asks: it knows the answer.
        before = self.standin.bill()["calls"]
        self.assertEqual(value(self.db, "SELECT llm_chat(?, ?)", json.dumps(messages), '{"model":"gpt-4o-mini"}'),
                         self.row(1, "answer")[0])
        self.assertEqual(self.standin.bill()["calls"], before)

    def test_a_schema_is_kept_to(self):
        self.put(3, options='{"schema":{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"],"additionalProperties":false}}')
        self.sent()
        self.assertEqual(self.statuses(), {"done": 3})
        for answer in self.rows("answer"):
            self.assertIsInstance(json.loads(answer)["a"], int)

    def test_priority_goes_first(self):
        for i in range(6):
            self.put(1, text=f"What is {i}?", priority=i % 3)
        self.flush(max_requests=2)
        self.assertEqual([sorted(self.rows("priority", f"batch_id = {b}")) for b in (1, 2, 3)], [[2, 2], [1, 1], [0, 0]])
        self.settle()
        self.check_all(3)

    def test_limits_of_one_batch(self):
        self.put(10)
        dry = self.flush(dry_run=True, max_requests=4)
        self.assertEqual((dry["submitted"], self.statuses(), self.there()["batches"]["made"]), (10, {"queued": 10}, 0))
        self.assertEqual([b["requests"] for b in self.flush(max_requests=4)["batches"]], [4, 4, 2])
        self.settle()
        self.put(10, text="Who is {}?")
        self.assertGreater(len(self.flush(max_bytes=2000)["batches"]), 2)
        self.settle()
        self.assertEqual(self.statuses(), {"done": 20})
        self.check_all()
        for b in self.batches()[3:]:
            self.assertLess(b["bytes"], 2000)

    def test_max_tokens_waits_for_what_is_under_way(self):
        self.put(6, system="word " * 200)
        said = self.flush(max_tokens=700)
        self.assertEqual(said["submitted"] + said["waiting"], 6, said)
        self.assertGreater(said["waiting"], 0)
        self.assertIn("tokens wait at the provider", said["errors"][0]["error"])
        for _ in range(6):
            self.settle()
            self.flush(max_tokens=700)
        self.settle()
        self.assertEqual(self.statuses(), {"done": 6})
        self.assertEqual(set(self.rows("attempts")), {1})
        self.check_all()

    def test_a_dry_run_says_what_it_would_cost_and_does_nothing(self):
        self.put(4, options='{"max_tokens":100}')
        said = self.flush(dry_run=True)
        self.assertEqual((said["dry_run"], said["submitted"]), (True, 4))
        self.assertAlmostEqual(said["batches"][0]["at_most_now_usd"], 2 * said["batches"][0]["at_most_usd"], 8)
        self.assertEqual((self.statuses(), self.standin.bill()["requests"], self.batches()), ({"queued": 4}, 0, []))
        self.flush()
        self.settle()
        self.assertLessEqual(value(self.db, "SELECT sum(cost_usd) FROM batch_submit"), said["batches"][0]["at_most_usd"])


class NotSent(BatchDesk):
    """What the cache has, what another row asks, and what is due soon."""

    def test_hits_are_never_sent(self):
        self.assertTrue(value(self.db, "SELECT llm_complete('What is 1?', '{\"model\":\"gpt-4o-mini\"}')"))
        before = self.standin.bill()
        self.put(3)
        said = self.flush()
        self.assertEqual((said["hits"], said["submitted"]), (1, 2))
        self.assertEqual(self.row(1, "status, cost_usd, batch_id, attempts"), ("done", 0.0, None, 0))
        self.settle()
        self.assertEqual(self.kinds(), {"call": 1, "hit_exact": 1, "batch": 2})
        self.assertEqual(self.standin.bill()["calls"], before["calls"] + 2)
        self.assertEqual(value(self.db, "SELECT saved_nusd FROM llm_calls WHERE kind = 'hit_exact'"), before["total_nusd"])
        self.check_money()

    def test_what_a_batch_brought_is_in_the_cache(self):
        self.put(3)
        self.flush()
        self.settle()
        before = self.standin.bill()["calls"]
        self.assertEqual(value(self.db, "SELECT llm_complete('What is 2?', '{\"model\":\"gpt-4o-mini\"}')"), self.row(2, "answer")[0])
        self.put(3)
        self.assertEqual(self.flush()["hits"], 3)
        self.assertEqual(self.standin.bill()["calls"], before)
        self.check_all(1)

    def test_duplicates_are_sent_once(self):
        for _ in range(4):
            self.put(3, tag="twin")
        said = self.flush()
        self.assertEqual((said["rows"], said["submitted"], said["batches"][0]["requests"], said["waiting"]), (12, 3, 3, 9))
        self.assertEqual(self.statuses(), {"submitted": 12})
        self.settle()
        self.assertEqual((self.statuses(), self.kinds()), ({"done": 12}, {"batch": 3, "hit_exact": 9}))
        self.assertEqual(self.rows("count(DISTINCT answer)", "1 GROUP BY prompt"), [1, 1, 1])
        self.assertEqual(self.rows("sum(cost_usd > 0)", "1 GROUP BY prompt"), [1, 1, 1])
        self.check_all(1)

    def test_what_is_under_way_is_waited_for(self):
        self.put(3)
        self.flush()
        self.put(3)
        said = self.flush()
        self.assertEqual((said["submitted"], said["waiting"]), (0, 3))
        self.assertEqual(self.statuses(), {"submitted": 3, "queued": 3})
        self.settle()
        self.assertEqual(self.flush()["hits"], 3)
        self.assertEqual((self.statuses(), self.kinds()), ({"done": 6}, {"batch": 3, "hit_exact": 3}))
        self.check_all(1)

    def test_a_duplicate_of_what_failed_is_queued_again(self):
        self.settings(errors=-1)
        for _ in range(2):
            self.put(1)
        self.flush()
        self.settle()
        self.assertEqual([r[0] for r in self.rows("status, attempts")], ["failed", "queued"])
        self.assertEqual(self.row(2, "attempts, error"), (0, "another row asks the same, and has no answer"))
        self.settings(errors=0)
        self.flush()
        self.settle()
        self.assertEqual(self.rows("status"), ["failed", "done"])
        self.check_all(2)

    def test_cache_off_sends_each(self):
        for _ in range(3):
            self.put(2, options='{"cache":"off"}')
        self.assertEqual(self.flush()["submitted"], 6)
        self.settle()
        self.assertEqual((self.statuses(), self.kinds()), ({"done": 6}, {"batch": 6}))
        before = self.standin.bill()["calls"]
        value(self.db, "SELECT llm_complete('What is 1?', '{\"model\":\"gpt-4o-mini\"}')")
        self.assertEqual(self.standin.bill()["calls"], before + 1)  # nothing was kept
        self.check_money()

    def test_cache_refresh_asks_anew_and_keeps(self):
        value(self.db, "SELECT llm_complete('What is 1?', '{\"model\":\"gpt-4o-mini\"}')")
        self.put(1, options='{"cache":"refresh"}')
        self.assertEqual(self.flush()["submitted"], 1)
        self.settle()
        self.assertEqual(self.kinds(), {"call": 1, "batch": 1})
        before = self.standin.bill()["calls"]
        self.assertEqual(value(self.db, "SELECT llm_complete('What is 1?', '{\"model\":\"gpt-4o-mini\"}')"), self.row(1, "answer")[0])
        self.assertEqual(self.standin.bill()["calls"], before)
        self.check_all(1)

    def test_a_near_deadline_is_asked_now(self):
        self.put(3, deadline=now_ms() + 3_600_000)
        self.put(2, text="What is 10{}?", deadline=now_ms() + 2 * DAY_MS)
        said = self.flush()
        self.assertEqual((said["now"], said["submitted"]), (3, 2))
        self.assertEqual(self.rows("status, attempts, batch_id", "id <= 3"), [("done", 1, None)] * 3)
        self.assertEqual(self.kinds(), {"call": 3})  # at the full price
        self.settle()
        self.assertEqual((self.statuses(), self.kinds()), ({"done": 5}, {"call": 3, "batch": 2}))
        self.check_all(1)

    def test_a_near_deadline_of_each_kind_of_request(self):
        soon = now_ms() + 3_600_000
        self.put(2, deadline=soon, tag="x", options='{"max_tokens":9,"user":"u"}')
        self.put(2, model="text-embedding-3-small", deadline=soon)
        messages = json.dumps([{"role": "user", "content": "What is this?"}])
        self.db.execute("INSERT INTO batch_submit(prompt, model, deadline) VALUES (?, ?, ?)", (messages, HAIKU, soon))
        self.assertEqual(self.flush()["now"], 5)
        self.assertEqual(self.statuses(), {"done": 5})
        self.assertEqual(self.rows("typeof(answer)"), ["text"] * 2 + ["blob"] * 2 + ["text"])
        self.assertEqual(self.db.execute("SELECT DISTINCT tag, user FROM llm_calls WHERE model_requested = ?", (MINI,)).fetchall(), [("x", "u")])
        self.check_money()

    def test_a_deadline_as_a_date(self):
        far, near = "2099-01-01", time.strftime("%Y-%m-%d %H:%M", time.gmtime(time.time() + 7200))
        self.put(1, deadline=far)
        self.put(1, text="And {}?", deadline=near)
        said = self.flush()
        self.assertEqual((said["submitted"], said["now"]), (1, 1))
        self.settle()
        self.check_all(1)

    def test_a_past_deadline_is_expired_unsent(self):
        self.put(2, deadline=now_ms() - 1000)
        self.put(1, text="Old {}", deadline="2001-01-01")
        said = self.flush()
        self.assertEqual((said["expired"], said["submitted"], self.statuses()), (3, 0, {"expired": 3}))
        self.assertEqual(set(self.rows("error")), {"its deadline was over before it was sent"})
        self.assertEqual((self.kinds(), self.standin.bill()["requests"]), ({}, 0))

    def test_a_near_deadline_of_what_fails(self):
        self.standin.scenario("bad-request")
        self.put(2, deadline=now_ms() + 3_600_000)
        said = self.flush()
        self.assertEqual((said["failed"], self.statuses()), (2, {"failed": 2}))
        for error in self.rows("error"):
            self.assertIn("refused by this scenario", error)
        self.check_money()


class Meanwhile(BatchDesk):
    """What may happen to rows while they wait, and are under way."""

    def test_a_rolled_back_insert_queues_nothing(self):
        self.db.execute("BEGIN")
        self.put(3)
        self.db.execute("ROLLBACK")
        self.put(1, text="Kept {}")
        self.assertEqual((self.flush()["rows"], self.statuses()), (1, {"submitted": 1}))
        self.settle()
        self.check_all(1)

    def test_rows_under_way_can_not_be_changed_and_queued_ones_can(self):
        self.put(2)
        self.db.execute("UPDATE batch_submit SET prompt = 'What is 7?' WHERE id = 1")
        self.flush()
        for sql in ("UPDATE batch_submit SET prompt = 'x' WHERE id = 1", "DELETE FROM batch_submit WHERE id = 1",
                    "UPDATE batch_submit SET status = 'queued', model = 'x' WHERE id = 1",
                    "INSERT OR REPLACE INTO batch_submit(id, prompt) VALUES (1, 'x')", "UPDATE batch_submit SET id = 9 WHERE id = 1",
                    "UPDATE batch_submit SET deadline = NULL, tag = 'other' WHERE id = 1"):
            self.assertIn("under way", error_of(self.db, sql), sql)
        self.db.execute("UPDATE batch_submit SET priority = 5 WHERE id = 1")
        self.settle()
        self.assertIn("What is 7?", self.row(1, "answer")[0])
        self.db.execute("DELETE FROM batch_submit")
        self.check_all(1)

    def test_rows_that_are_forced_out_are_settled_all_the_same(self):
        """Somebody drops the triggers: money is not lost by that."""
        self.put(4)
        self.flush()
        self.db.execute("DROP TRIGGER batch_submit_delete")
        self.db.execute("DROP TRIGGER batch_submit_change")
        self.db.execute("DELETE FROM batch_submit WHERE id = 2")
        self.db.execute("UPDATE batch_submit SET prompt = 'What is other?' WHERE id = 3")
        self.assertIn("llm_init", error_of(self.db, "SELECT llm_batch_poll()"))
        value(self.db, "SELECT llm_init()")
        self.settle()
        self.assertEqual(self.statuses(), {"done": 3})
        self.assertEqual(value(self.db, "SELECT sum(cost_nusd) FROM llm_calls WHERE kind = 'batch'"), self.standin.bill()["total_nusd"])
        self.assertEqual(self.kinds(), {"batch": 4})
        self.check_batches(1)

    def test_rows_that_ended_can_be_queued_again(self):
        self.put(2, options='{"cache":"off"}')
        self.flush()
        self.settle()
        self.db.execute("UPDATE batch_submit SET status = 'queued', attempts = 0 WHERE id = 1")
        self.assertEqual(self.flush()["submitted"], 1)
        self.settle()
        self.assertEqual((self.statuses(), self.kinds()), ({"done": 2}, {"batch": 3}))
        self.assertEqual(value(self.db, "SELECT sum(cost_nusd) FROM llm_calls"), self.standin.bill()["total_nusd"])
        self.check_batches(2)

    def test_rows_that_are_replaced_between_flushes(self):
        self.put(4)
        self.flush(max_requests=2)
        self.put(2, text="What is later {}?")
        self.db.execute("DELETE FROM batch_submit WHERE status = 'queued' AND prompt LIKE '%later 1%'")
        self.settle()
        self.flush()
        self.settle()
        self.assertEqual(self.statuses(), {"done": 5})
        self.check_all(3)

    def test_columns_of_ones_own_belong_elsewhere(self):
        self.put(2)
        self.db.execute("ALTER TABLE batch_submit ADD COLUMN note TEXT")
        self.assertIn("note", error_of(self.db, "SELECT llm_batch_flush()"))
        self.assertEqual((self.statuses(), self.standin.bill()["requests"]), ({"queued": 2}, 0))
        self.db.execute("ALTER TABLE batch_submit DROP COLUMN note")
        self.flush()
        self.settle()
        self.check_all(1)

    def test_a_temp_trigger_works(self):
        self.db.execute("CREATE TABLE heard(id, answer)")
        self.db.execute("CREATE TEMP TRIGGER hear AFTER UPDATE OF status ON batch_submit WHEN new.status = 'done' BEGIN"
                        " INSERT INTO heard VALUES (new.id, new.answer); END")
        self.put(3)
        self.flush()
        self.settle()
        self.assertEqual(self.db.execute("SELECT count(*), count(answer) FROM heard").fetchall(), [(3, 3)])
        self.check_all(1)

    def test_a_strangers_trigger_in_the_file_is_named(self):
        self.put(3)
        self.db.execute("CREATE TABLE leak(p)")
        self.db.execute("CREATE TRIGGER spy AFTER UPDATE ON batch_submit BEGIN INSERT INTO leak VALUES (new.prompt); END")
        text = error_of(self.db, "SELECT llm_batch_flush()")
        self.assertIn("spy", text)
        self.assertEqual((self.statuses(), self.standin.bill()["requests"]), ({"queued": 3}, 0))
        self.db.execute("DROP TRIGGER spy")
        self.flush()
        self.settle()
        self.check_all(1)


class Refused(BatchDesk):
    """Rows that make no request, or none that a batch can carry: each says why, and holds up no other."""

    def one(self, status, *words, **columns):
        """A row beside a good one: it gets that status and an error with these words."""
        self.put(1, text="What is a good one?")
        self.put(1, **columns)
        said = self.flush()
        self.assertEqual(said["submitted"], 1, said)
        self.assertEqual(said["refused" if status == "queued" else status], 1, said)
        got, error, attempts = self.row(2, "status, error, attempts")
        self.assertEqual((got, attempts), (status, 0), error)
        for word in words:
            self.assertIn(word, error)
        self.assertEqual(said["errors"][0]["rows"], 1)
        self.settle()
        self.assertEqual(self.row(1, "status")[0], "done")
        self.assertEqual(self.row(2, "status, error"), (status, error))
        self.check_all(1)

    def test_a_model_without_a_batch_api(self):
        self.db.execute("UPDATE llm_models SET key_env = NULL WHERE name = 'llama3.2'")
        self.db.execute("INSERT INTO llm_prices(model, kind, usd_per_million) VALUES ('llama3.2', 'input', 0), ('llama3.2', 'output', 0)")
        self.one("queued", "llama3.2", "llm_map", model="llama3.2")

    def test_an_unknown_model(self):
        self.one("queued", "no-such-model", model="no-such-model")

    def test_a_missing_key(self):
        self.db.execute("UPDATE llm_models SET key_env = 'NOBODYS_API_KEY' WHERE name = 'gpt-4.1'")
        self.one("queued", "NOBODYS_API_KEY", model="gpt-4.1")

    def test_gate(self):
        self.db.execute("INSERT INTO llm_gates(name, kind, spec) VALUES ('short', 'sql', '\"SELECT 1\"')")
        self.one("failed", "gate", options='{"gate":"short"}')

    def test_escalate(self):
        self.one("failed", "escalate", options='{"escalate":true}')

    def test_audit(self):
        self.one("failed", "audit", options='{"audit":0.5}')

    def test_dry_run_of_a_row(self):
        self.one("failed", "dry_run", options='{"dry_run":true}')

    def test_unknown_option(self):
        self.one("failed", "temprature", options='{"temprature":1}')

    def test_an_option_of_the_wrong_type(self):
        self.one("failed", "max_tokens", options='{"max_tokens":"many"}')

    def test_messages_that_are_none(self):
        self.one("failed", "role", text='[{{"role":"nobody","content":"What is {}?"}}]')

    def test_a_model_that_is_not_priced(self):
        self.db.execute("INSERT INTO llm_models(name, provider, api, base_url, key_env) VALUES ('new-model', 'openai', 'openai', ?,"
                        " 'OPENAI_API_KEY')", (self.standin.url + "/v1",))
        self.db.execute("INSERT INTO llm_budgets(scope, period, limit_usd) VALUES ('*', 'day', 5)")
        self.one("queued", "new-model", model="new-model")

    def test_a_configuration_that_is_mended(self):
        self.db.execute("UPDATE llm_models SET key_env = 'NOBODYS_API_KEY' WHERE name = ?", (MINI,))
        self.put(2)
        self.assertEqual(self.flush()["refused"], 2)
        self.db.execute("UPDATE llm_models SET key_env = 'OPENAI_API_KEY' WHERE name = ?", (MINI,))
        self.assertEqual(self.flush()["submitted"], 2)
        self.settle()
        self.assertEqual(self.rows("status, error, attempts"), [("done", None, 1)] * 2)
        self.check_all(1)

    def test_rows_that_the_table_refuses(self):
        for sql in ("INSERT INTO batch_submit(prompt) VALUES (NULL)", "INSERT INTO batch_submit(prompt) VALUES ('')",
                    "INSERT INTO batch_submit(prompt, options) VALUES ('x', '[1]')",
                    "INSERT INTO batch_submit(prompt, deadline) VALUES ('x', 1790000000)",
                    "INSERT INTO batch_submit(prompt, status) VALUES ('x', 'done')",
                    "INSERT INTO batch_submit(prompt, model) VALUES ('x', x'00')"):
            self.assertTrue(error_of(self.db, sql), sql)
        self.assertEqual(self.rows(), [])


class Statement(BatchDesk):
    """They run as a statement of their own."""
    CALLS = ("llm_batch_flush()", "llm_batch_poll()", "llm_batch_wait()", "llm_batch_cancel(1)")

    def unmoved(self):
        self.assertEqual((self.statuses(), self.standin.bill()["requests"]), ({"queued": 2}, 0))

    def test_in_a_transaction(self):
        self.put(2)
        self.db.execute("BEGIN")
        for call in self.CALLS:
            self.assertIn("transaction", error_of(self.db, f"SELECT {call}"), call)
        self.db.execute("COMMIT")
        self.unmoved()

    def test_in_an_insert(self):
        self.put(2)
        self.db.execute("CREATE TABLE t(x)")
        for call in self.CALLS:
            self.assertIn("transaction", error_of(self.db, f"INSERT INTO t SELECT {call}"), call)
        self.unmoved()

    def test_beside_an_open_cursor(self):
        self.put(2)
        cursor = self.db.execute("SELECT id FROM batch_submit")
        cursor.fetchone()
        for call in self.CALLS:
            self.assertIn("beside no other", error_of(self.db, f"SELECT {call}"), call)
        cursor.close()
        self.unmoved()

    def test_over_the_rows_of_a_table(self):
        self.put(2)
        self.assertIn("llm_batch_flush", error_of(self.db, "SELECT llm_batch_flush() FROM batch_submit"))
        self.unmoved()

    def test_from_a_view_or_a_trigger(self):
        self.db.execute("CREATE VIEW v AS SELECT llm_batch_flush()")
        self.assertIn("unsafe use", error_of(self.db, "SELECT * FROM v"))

    def test_options_that_are_none(self):
        for call, words in (("llm_batch_flush('{\"dry\":1}')", "dry"), ("llm_batch_poll('{\"timeout\":\"1s\"}')", "timeout"),
                            ("llm_batch_wait('{\"max_requests\":1}')", "max_requests"), ("llm_batch_flush('{\"max_requests\":0}')", "max_requests"),
                            ("llm_batch_flush('[]')", "object"), ("llm_batch_cancel('x')", "id"), ("llm_batch_cancel(99)", "99")):
            self.assertIn(words, error_of(self.db, f"SELECT {call}"), call)

    def test_without_the_table(self):
        self.db.execute("DROP TABLE batch_submit")
        self.assertIn("llm_init", error_of(self.db, "SELECT llm_batch_flush()"))
        value(self.db, "SELECT llm_init()")
        self.put(1)
        self.flush()
        self.settle()
        self.check_all(1)

    def test_llm_batches(self):
        self.put(2)
        self.put(1)
        self.flush()
        sql = ('SELECT state, provider, model, "rows", requests, open_rows, answered, said_done, word FROM llm_batches')
        self.assertEqual(self.db.execute(sql).fetchall(), [("sent", "openai", MINI, 3, 2, 3, 0, None, "validating")])
        self.assertGreater(value(self.db, "SELECT expected_end > datetime('now', '+23 hours') FROM llm_batches"), 0)
        self.settle()
        self.assertEqual(self.db.execute(sql).fetchall(), [("settled", "openai", MINI, 3, 2, 0, 3, 2, "completed")])
        self.assertEqual(self.db.execute("SELECT cost_nusd, saved_nusd, held_nusd, unpriced, trouble, error FROM llm_batches").fetchall(),
                         [(self.standin.bill()["total_nusd"],) * 2 + (0, 0, None, None)])

    def test_an_empty_queue(self):
        self.assertEqual((self.flush()["rows"], self.flush()["batches"]), (0, []))
        self.assertEqual((self.poll()["open_batches"], self.ask("llm_batch_wait")["open_batches"]), (0, 0))


class Wait(BatchDesk):
    def test_until_all_is_over(self):
        self.settings(polls=4)
        self.put(3)
        self.flush()
        said = self.ask("llm_batch_wait", every="20ms")
        self.assertEqual((said["answered"], said["open_batches"]), (3, 0))
        self.assertEqual((self.statuses(), self.steps()["get"]), ({"done": 3}, 4))
        self.check_all(1)

    def test_a_timeout_ends_the_waiting_alone(self):
        self.settings(polls=1000, ms=600000)
        self.put(3)
        self.flush()
        began = time.monotonic()
        said = self.ask("llm_batch_wait", timeout="300ms", every="50ms")
        self.assertLess(time.monotonic() - began, 5)
        self.assertEqual((said["open_batches"], said["open_rows"], self.statuses()), (1, 3, {"submitted": 3}))
        self.assertNotIn("cancel", self.steps())

    def test_delete_files(self):
        self.put(3)
        self.put(3, model=HAIKU)
        self.put(3, model="mistral-small-2603")
        self.flush()
        self.assertEqual(len(self.there()["files"]["there"]), 2)
        self.settle(delete_files=True)
        self.assertEqual((self.there()["files"]["there"], self.there()["batches"]["deleted"]), ([], 2))
        self.assertEqual([b["files_deleted"] for b in self.check_batches(3)], [1] * 3)
        before = self.steps()
        self.poll(delete_files=True)
        self.assertEqual(self.steps(), before)  # once is enough

    def test_files_stay_without_it(self):
        self.put(3)
        self.flush()
        self.settle()
        self.assertEqual(len(self.there()["files"]["there"]), 2)
        self.assertNotIn("delete_file", self.steps())


if __name__ == "__main__":
    unittest.main()
