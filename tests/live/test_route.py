"""Which model a request goes to, and where it goes instead: tiers, moves, pauses, cascades."""
import csv
import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
import unittest

from harness import ROOT, TempDir, connect, error_of, value
from models import Models, answer, failure


class Tiers(unittest.TestCase):
    """Three tiers a, b, c of one server, at 1, 10 and 100 dollars a million; nothing waits."""

    def setUp(self):
        self.dir = TempDir()
        self.models = Models()
        self.path = os.path.join(self.dir.name, "desk.db")
        self.db = self.open()
        self.db.execute("SELECT llm_init()")
        self.db.execute("DELETE FROM llm_tiers")
        for rank, (name, usd) in enumerate((("a", 1), ("b", 10), ("c", 100))):
            self.db.execute("INSERT INTO llm_models(name, provider, base_url) VALUES (?,?,?)", (name, "box", "http://%s/v1" % self.models.host))
            self.db.execute("INSERT INTO llm_tiers VALUES (?,?,?,?)", ("tier " + name, (0.3, 0.7, 1)[rank], name, rank))
            for kind in ("input", "output"):
                self.db.execute("INSERT INTO llm_prices(model, kind, usd_per_million) VALUES (?,?,?)", (name, kind, usd))
            self.models.says[name] = answer("from " + name)
        self.db.commit()

    def open(self):
        db = connect(self.path)
        db.execute("SELECT llm_allow_host(?)", (self.models.host,))
        db.execute("SELECT llm_config('backoff_ms', 0)")
        return db

    def tearDown(self):
        self.db.close()
        self.models.close()
        self.dir.cleanup()

    def ask(self, prompt="hello", **options):
        return value(self.db, "SELECT llm_complete(?, ?)", prompt, json.dumps(options))

    def outcome(self, prompt="hello", **options):
        return json.loads(self.ask(prompt, on_error="json", **options))

    def rows(self, columns="tier_drawn, tier_served"):
        return self.db.execute(f"SELECT {columns} FROM llm_calls ORDER BY id").fetchall()


class Routes(Tiers):
    def test_the_score_draws_the_tier(self):
        for score, model in ((0, "a"), (0.29, "a"), (0.3, "b"), (0.7, "c"), (1, "c")):
            self.assertEqual(self.ask(f"question {score}", score=score), "from " + model)
        self.assertEqual(self.rows("tier_drawn, tier_served, tier, route_score, route_version")[2], ("tier b", "tier b", "tier b", 0.3, "option"))
        self.ask("What are your opening hours?")
        self.assertEqual(self.rows("tier_drawn, route_version LIKE 'effort-%'")[-1], ("tier a", 1))

    def test_first_keeps_the_first(self):
        self.db.execute("SELECT llm_config('route', 'first')")
        self.assertEqual(self.ask(score=0.9), "from a")

    def test_a_model_scores(self):
        self.models.says["a"] = lambda body: answer("8") if "How hard is it" in body["messages"][-1]["content"] else answer("from a")
        self.assertEqual(self.ask("tricky", scorer="verifier"), "from c")
        self.assertEqual(self.rows("attempt, purpose, tier_drawn, route_score, route_version"),
                         [(1, "score", None, None, None), (2, None, "tier c", 0.8, "verifier")])
        self.assertEqual(value(self.db, "SELECT llm_route_score('tricky', '{\"scorer\":\"verifier\"}')"), 0.8)
        self.assertEqual(value(self.db, "SELECT count(DISTINCT request_id) FROM llm_calls"), 2)
        self.models.asked.clear()
        self.ask("other", scorer="verifier", dry_run=True)
        self.db.execute("SELECT llm_config('scorer', 'verifier')")
        self.db.execute("SELECT * FROM llm_estimate('SELECT llm_complete(''other'')')").fetchall()
        self.db.execute("SELECT llm_config('scorer', 'heuristic')")
        self.assertEqual(self.models.asked, [])
        self.models.says["a"] = failure(500)
        self.assertEqual(self.ask("simple", scorer="verifier", retries=0, model="b"), "from b")
        self.db.execute("SELECT llm_config('fallback', 'up')")
        self.assertEqual(self.ask("What is it?", scorer="verifier", retries=1), "from b")

    def test_window(self):
        """R01: a tier that is too small is never asked, and said to be."""
        self.db.execute("UPDATE llm_models SET context_window = 4000 WHERE name = 'b'")
        self.db.execute("UPDATE llm_models SET context_window = 1000000 WHERE name = 'c'")
        self.db.execute("UPDATE llm_prices SET usd_per_million = 1")
        self.db.commit()
        self.models.says["a"] = failure(429)
        text = "word " * 15000
        self.assertEqual(self.ask(text, score=0), "from c")
        self.assertNotIn("b", self.models.names())
        self.assertEqual(self.rows()[-1], ("tier a", "tier c"))
        notes = json.loads(self.rows("notes")[-1][0])
        self.assertIn("its window has 4000", {s["tier"]: s["why"] for s in notes["skipped"]}["tier b"])
        why = json.loads(value(self.db, "SELECT llm_route_explain(?, '{\"score\":0.5}')", text))
        self.assertEqual((why["tier_drawn"], why["tier_served"]), ("tier b", "tier a"))
        self.assertIn("its window has 4000", why["tiers"][1]["why_not"])

    def test_longest_answer(self):
        self.db.execute("UPDATE llm_models SET max_output = 8192 WHERE name = 'a'")
        self.db.commit()
        self.assertEqual(self.ask(score=0, max_tokens=64000), "from b")

    def test_no_key(self):
        self.db.execute("UPDATE llm_models SET key_env = 'NO_SUCH_KEY' WHERE name IN ('a', 'b')")
        self.db.commit()
        self.db.execute("SELECT llm_allow_host(?, 'NO_SUCH_KEY')", (self.models.host,))
        self.assertEqual(self.ask(score=0), "from c")
        self.assertEqual(self.rows(), [("tier a", "tier c")])

    def test_attempts_are_one_budget(self):
        """R02: what the stand-in saw is what the ledger has, and no more than 1 + retries."""
        for name in "abc":
            self.models.says[name] = failure(500)
        for retries in (2, 0):
            self.models.asked.clear()
            error_of(self.db, "SELECT llm_complete(?, ?)", f"q{retries}", json.dumps({"retries": retries, "score": 0.5}))
            self.assertEqual(len(self.models.asked), 1 + retries)
        self.assertEqual(len(self.rows()), 4)
        self.assertEqual(self.db.execute("SELECT attempts FROM llm_retries").fetchall(), [(3,)])

    def test_down_last_and_never_up(self):
        self.models.says["b"] = failure(503)
        self.assertEqual(self.ask("one", score=0.5), "from a")
        self.assertEqual(self.models.names(), ["b", "b", "a"])
        self.models.asked.clear()
        self.models.says["a"] = failure(503)
        self.assertIn("503", error_of(self.db, "SELECT llm_complete('two', '{\"score\":0}')"))
        self.assertEqual(set(self.models.names()), {"a"})

    def test_up_at_once_where_that_is_allowed(self):
        self.db.execute("SELECT llm_config('fallback', 'up')")
        self.models.says["a"] = failure(503)
        self.assertEqual(self.ask(score=0), "from b")
        self.assertEqual(self.models.names(), ["a", "b"])
        self.db.execute("SELECT llm_config('fallback', 'off')")
        self.models.asked.clear()
        self.models.says["c"] = failure(503)
        error_of(self.db, "SELECT llm_complete('two', '{\"score\":1}')")
        self.assertEqual(set(self.models.names()), {"c"})

    def test_a_body_for_each_model(self):
        """R03: one that does not take an option is passed over, with the reason."""
        self.db.execute("UPDATE llm_models SET api = 'anthropic' WHERE name = 'b'")
        self.db.commit()
        self.db.execute("SELECT llm_config('fallback', 'up')")
        self.models.says["a"] = failure(503)
        self.assertEqual(self.ask(score=0, seed=4), "from c")
        self.assertIn("seed", self.rows("notes")[-1][0])
        self.db.execute("UPDATE llm_models SET api = 'openai', supports = '{\"sampling\":false}' WHERE name = 'b'")
        self.db.commit()
        self.assertEqual(self.ask("two", score=0, temperature=0), "from c")
        self.assertIn("'temperature': b takes none", self.rows("notes")[-1][0])
        self.assertEqual(self.models.asked[-1][1]["model"], "c")

    def test_why_no_other_tier(self):
        """R03: nobody could take it in its stead; the error says why."""
        self.db.execute("UPDATE llm_models SET max_output = 8192 WHERE name = 'a'")
        self.db.commit()
        self.models.says["b"] = failure(503)
        text = error_of(self.db, "SELECT llm_complete('x', '{\"score\":0.5,\"max_tokens\":64000}')")
        self.assertIn("503", text)
        self.assertIn("tier 'tier a': max_tokens 64000: its answers have at most 8192", text)

    def test_price_of_the_served_model(self):
        """R14: an alias in llm_tiers, a dated name in the answer."""
        self.db.execute("INSERT INTO llm_models(name, provider, base_url) VALUES ('team/fast', 'anthropic', ?)", (f"http://{self.models.host}/v1",))
        self.db.execute("UPDATE llm_tiers SET model = 'team/fast' WHERE rank = 0")
        self.db.commit()
        self.models.says["team/fast"] = answer("x", model="claude-haiku-4-5-20990101")
        self.ask(score=0)
        self.assertEqual(self.rows("cost_nusd"), [(100 * 1000 + 10 * 5000,)])


class Conversations(Tiers):
    """R05, R06: which text is read, and when the model changes."""

    def explain(self, *messages, **options):
        return json.loads(value(self.db, "SELECT llm_route_explain(?, ?)", json.dumps(messages), json.dumps(options)))

    def test_what_is_read(self):
        user, bot = lambda text: {"role": "user", "content": text}, {"role": "assistant", "content": "well"}
        hard = "Prove that there are infinitely many primes, and design an algorithm that lists them"
        alone, follow = self.explain(user(hard)), self.explain(user(hard), bot, user("yes"))
        self.assertIn("follows up", follow["read"])
        self.assertEqual((alone["tier_drawn"], follow["tier_drawn"]), ("tier c", "tier c"))
        self.assertIn("last message", self.explain(user(hard), bot, user("What are your opening hours on Sundays?"))["read"])
        image = user([{"type": "image_url", "image_url": {"url": "data:,"}}])
        self.assertEqual(self.explain(user("write a parser for this language"), bot, image)["text"], "write a parser for this language")
        for messages in ([image], [user("")], [{"role": "system", "content": "be nice"}], [user([{"type": "text", "text": ""}])]):
            with self.subTest(messages):
                got = self.explain(*messages)
                self.assertEqual((got["score"], got["tier_drawn"]), (0.5, "tier b"))
        for text in ("\U0001f600" * 50, "x" * (1 << 20), "[", "[1]", "[]", " "):
            self.assertIn(value(self.db, "SELECT llm_route(?)", text), "abc")
        self.assertIsNone(value(self.db, "SELECT llm_route(NULL)"))

    def turns(self, n, score_of, *, history=80000, **options):
        """A conversation of n turns whose first message is long; asked is whom."""
        messages = [{"role": "user", "content": "word " * (history // 5)}]
        for i in range(n):
            text = value(self.db, "SELECT llm_chat(?, ?)", json.dumps(messages), json.dumps({"score": score_of(i), **options}))
            messages += [{"role": "assistant", "content": text}, {"role": "user", "content": f"turn {i}"}]
        return self.models.names()

    def test_scores_about_a_threshold(self):
        for options in ({"conversation": "c1"}, {}):
            self.models.asked.clear()
            self.assertEqual(self.turns(6, lambda i: 0.35 if i % 2 else 0.25, **options), ["a"] * 6)
            self.db.execute("SELECT llm_config('cache', 'off')")
        self.assertIn("turn before", self.rows("notes")[1][0])
        why = self.explain({"role": "user", "content": "next"}, conversation="c1", score=0.35)
        self.assertEqual((why["tier_drawn"], why["tier_kept"], why["model"]), ("tier b", "tier a", "a"))
        self.assertEqual(self.rows()[1], ("tier b", "tier a"))

    def test_a_hard_turn_climbs(self):
        self.assertEqual(self.turns(3, lambda i: 0.9 if i == 2 else 0.1, conversation="c"), ["a", "a", "c"])

    def test_down_where_it_pays(self):
        """What was read is read again at a tenth; where the other model is not that much cheaper, the first stays."""
        self.db.execute("INSERT INTO llm_prices(model, kind, usd_per_million) VALUES ('c', 'cache_read', 1), ('b', 'cache_read', 1)")
        self.db.commit()
        self.assertEqual(self.turns(3, lambda i: 0.9 if i == 0 else 0.5, conversation="c"), ["c", "c", "c"])
        self.models.asked.clear()
        self.assertEqual(self.turns(3, lambda i: 0.9 if i == 0 else 0.5, conversation="d", history=50), ["c", "b", "b"])


class Budgeted(Tiers):
    def test_cheapest(self):
        self.db.execute("INSERT INTO llm_budgets(scope, period, limit_usd, action) VALUES ('*', 'total', 0.01, 'cheapest')")
        self.db.commit()
        self.assertEqual(self.ask(score=1, max_tokens=100), "from a")
        self.assertEqual(self.rows(), [("tier c", "tier a")])
        self.assertIn("budget", self.rows("notes")[0][0])

    def test_what_is_free_and_what_is_not(self):
        """B07: the limit is asked for whoever is asked."""
        self.db.execute("UPDATE llm_prices SET usd_per_million = 0 WHERE model = 'a'")
        self.db.execute("INSERT INTO llm_budgets(scope, period, limit_usd) VALUES ('*', 'day', 0)")
        self.db.commit()
        self.assertEqual(self.ask("one", score=0), "from a")
        self.db.execute("SELECT llm_config('fallback', 'up')")
        self.models.says["a"] = failure(503)
        self.models.asked.clear()
        self.assertIn("budget", error_of(self.db, "SELECT llm_complete('two', '{\"score\":0}')"))
        self.assertEqual(self.models.names(), ["a"])
        self.models.says["a"] = answer("from a")
        for i, gate in enumerate(({"kind": "agree"}, {"kind": "verifier", "model": "b"}, {"kind": "contains", "all": ["x"]})):
            self.models.asked.clear()
            got = self.outcome(f"three {i}", score=0, gate=gate, escalate=True)
            self.assertEqual((got["value"], got["error"]["code"]), ("from a", "gate"))
            self.assertIn("budget", got["error"]["message"])
            self.assertEqual(self.rows("kind, substr(error, 1, 7)")[-1][0], "refused")
            self.assertEqual(self.models.names(), ["a"])


class Learned(Tiers):
    """The scorer that learns from labelled prompts."""

    def test_examples(self):
        self.assertIn("llm_route_train('examples')", error_of(self.db, "SELECT llm_route_score('x', '{\"scorer\":\"examples\"}')"))
        self.assertIn("20", error_of(self.db, "SELECT llm_route_train('examples')"))
        for i in range(40):
            self.db.execute("INSERT INTO llm_route_examples VALUES (?, ?)", (f"Where is my parcel number {i} and when does it arrive", 0))
            self.db.execute("INSERT INTO llm_route_examples VALUES (?, ?)", (f"Prove theorem {i} about prime numbers and integrals", 1))
        self.db.commit()
        got = json.loads(value(self.db, "SELECT llm_route_train('examples')"))
        self.assertEqual((got["examples"], got["unseen"]["auc"], got["is_better_than_base_rate"]), (80, 1, True))
        score = lambda text: value(self.db, "SELECT llm_route_score(?, '{\"scorer\":\"examples\"}')", text)
        self.assertLess(score("When does my parcel arrive?"), 0.3)
        self.assertGreater(score("A theorem about prime numbers"), 0.7)
        self.db.execute("SELECT llm_config('scorer', 'examples')")
        self.assertEqual(self.ask("Prove this theorem about integrals"), "from c")
        self.assertEqual(self.rows("tier_drawn, route_version"), [("tier c", got["version"])])
        other = self.open()
        self.assertGreater(value(other, "SELECT llm_route_score('a theorem about primes', '{\"scorer\":\"examples\"}')"), 0.5)
        other.close()
        self.db.execute("UPDATE llm_route_examples SET label = 1 - label")
        self.db.commit()
        self.assertNotEqual(json.loads(value(self.db, "SELECT llm_route_train('examples')"))["version"], got["version"])
        self.assertGreater(score("When does my parcel arrive?"), 0.7)

    def test_what_is_wrong_is_said(self):
        with self.assertRaisesRegex(Exception, "label is a number from 0 to 1"):
            self.db.execute("INSERT INTO llm_route_examples VALUES ('x', 'hard')")
        for sql, text in (("SELECT llm_route_train('x')", "valid: examples"), ("SELECT llm_route_train('examples', '{\"k\":0}')", "'k'")):
            self.assertIn(text, error_of(self.db, sql))
        self.db.executemany("INSERT INTO llm_route_examples VALUES (?, 1)", [(f"text {i}",) for i in range(30)])
        self.db.commit()
        self.assertIn("the same label", error_of(self.db, "SELECT llm_route_train('examples')"))


class Calibrated(Tiers):
    """Thresholds by quantile of one's own ledger."""

    def fill(self, n=150):
        """Prompts of n different lengths, so that any share can be cut."""
        for i in range(n):
            self.db.execute("SELECT llm_complete(?)", ("Explain this: " + "word " * (i * 2 + 1),)).fetchone()

    def calibrate(self, **options):
        return json.loads(value(self.db, "SELECT llm_route_calibrate(?)", json.dumps(options)))

    def test_shares(self):
        self.fill()
        before = self.db.execute("SELECT * FROM llm_tiers").fetchall()
        got = self.calibrate(dry_run=True)
        self.assertEqual(self.db.execute("SELECT * FROM llm_tiers").fetchall(), before)
        self.assertEqual(got["rows"], 150)
        got = self.calibrate(shares=[0.66, 0.2, 0.14])
        for tier, share in zip(got["tiers"], (0.66, 0.2, 0.14)):
            self.assertAlmostEqual(tier["share_new"], share, delta=0.03)
        self.assertEqual([t["max_score_new"] for t in got["tiers"]], [m for m, in self.db.execute("SELECT max_score FROM llm_tiers ORDER BY rank")])
        self.assertAlmostEqual(got["usd_per_call_new"], (0.66 * 1 + 0.2 * 10 + 0.14 * 100) * 110e-6, delta=0.0002)
        drawn = [value(self.db, "SELECT llm_route(text) FROM llm_texts ORDER BY hash LIMIT 1 OFFSET ?", i) for i in range(150)]
        self.assertAlmostEqual(drawn.count("a") / 150, 0.66, delta=0.03)

    def test_the_note_s_mix(self):
        """A support desk's questions, 72 / 20 / 8, within three points."""
        with open(os.path.join(ROOT, "examples/support_desk.csv")) as f:
            questions = [row["question"] for row in csv.DictReader(f)]
        for question in questions[::4]:
            self.db.execute("SELECT llm_complete(?)", (question,)).fetchone()
        got = self.calibrate()
        for tier, share in zip(got["tiers"], (0.72, 0.20, 0.08)):
            self.assertAlmostEqual(tier["share_new"], share, delta=0.03)

    def test_cost(self):
        self.fill()
        got = self.calibrate(usd_per_call=0.001)
        self.assertLessEqual(got["usd_per_call_new"], 0.001)
        self.assertGreater(got["usd_per_call_new"], 0.0007)
        self.assertIn("less than the first tier alone", error_of(self.db, "SELECT llm_route_calibrate('{\"usd_per_call\":0.00001}')"))

    def test_what_is_wrong_is_said(self):
        self.db.execute("SELECT llm_config('log_text', 'none')")
        self.ask("mine", score=0.5)
        self.db.execute("SELECT llm_config('log_text', 'full')")
        told = error_of(self.db, "SELECT llm_route_calibrate()")
        self.assertIn("0 requests with a score of the setting scorer", told)
        self.assertIn("(1 more were given a score", told)
        self.fill(60)
        for options, text in (('{"shares":[0.5,0.5]}', "3 tiers"), ('{"shares":[1,1,1]}', "add up to 1"), ('{"shares":[2,-1,0]}', "add up to 1"),
                              ('{"shares":1}', "an array"), ('{"share":1}', "did you mean 'shares'?")):
            self.assertIn(text, error_of(self.db, f"SELECT llm_route_calibrate('{options}')"))
        self.db.execute("DROP TABLE llm_tiers")
        self.db.commit()
        self.assertIn("llm_init()", error_of(self.db, "SELECT llm_route_calibrate()"))


class Pauses(Tiers):
    def test_a_long_pause_is_left_at_once(self):
        """R07: no second request there; the next tier at once; other connections know."""
        for told in ({"headers": {"Retry-After": "10800"}}, {"message": "Please try again in 3h0m0s."}):
            with self.subTest(told):
                self.db.execute("SELECT llm_config('fallback', 'up')")
                self.models.asked.clear()
                model = "a" if "headers" in told else "b"
                self.models.says[model] = failure(429, **told)
                score = 0 if model == "a" else 0.5
                self.assertEqual(self.ask(f"one {model}", score=score, timeout_ms=60000), "from b" if model == "a" else "from c")
                self.assertEqual(self.models.names().count(model), 1)
                until = value(self.db, "SELECT until_ts / 1000.0 FROM llm_provider_state WHERE model = ?", model)
                self.assertAlmostEqual(until - time.time(), 10800, delta=30)
                other = self.open()
                self.models.asked.clear()
                began = time.time()
                text = error_of(other, "SELECT llm_complete(?, ?)", f"two {model}", json.dumps({"model": model, "timeout_ms": 60000}))
                self.assertIn("paused until 20", text)
                self.assertLess(time.time() - began, 5)
                self.assertEqual(self.models.asked, [])
                why = json.loads(value(other, "SELECT llm_route_explain('x')"))
                self.assertIn("paused until", why["tiers"]["abc".index(model)]["paused"])
                other.close()

    def test_a_short_pause_is_waited_for(self):
        self.models.says["a"] = [failure(429, headers={"Retry-After": "1"}), answer("late")]
        began = time.time()
        self.assertEqual(self.ask(score=0), "late")
        self.assertGreater(time.time() - began, 0.9)
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_provider_state"), 1)  # two may try now

    def test_when_a_limit_is_whole_again_is_no_pause(self):
        """Buckets fill as time goes by: that header says when they are full."""
        self.models.says["a"] = [failure(429, headers={"x-ratelimit-reset-requests": "6m0s"}), answer("next")]
        error_of(self.db, "SELECT llm_complete('one', '{\"score\":0}')")
        self.assertEqual(self.ask("two", score=0), "next")

    def test_an_account_without_money(self):
        """R08: it is the provider's state; a fault of the request is not."""
        self.db.execute("UPDATE llm_models SET provider = 'other' WHERE name = 'a'")
        self.db.commit()
        self.models.says["b"] = failure(400, "Your credit balance is too low to access the API.")
        self.assertEqual(self.ask("one", score=0.5), "from a")
        self.assertEqual(self.db.execute("SELECT provider, model FROM llm_provider_state").fetchall(), [("box", "")])
        self.models.asked.clear()
        self.assertEqual(self.ask("two", score=0.5), "from a")
        self.assertEqual(self.models.names(), ["a"])
        for i, (status, message) in enumerate(((400, "Invalid schema for response_format"), (400, "content policy violation"), (404, "no such model"))):
            self.models.says["a"] = failure(status, message)
            self.assertIn(message[:12].strip(), error_of(self.db, "SELECT llm_complete(?, '{\"score\":0}')", f"q{i}"))
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_provider_state"), 1)

    def test_money_in_other_words(self):
        """R08: a budget, a bill, an account that is closed are not faults of the request; a schema that speaks of credit is."""
        self.db.execute("UPDATE llm_models SET provider = 'other' WHERE name = 'a'")
        self.db.commit()
        for status, message, is_account in (
                (400, "You have reached your specified API usage limits. You will regain access on 2099-12-01 at 00:00 UTC.", 1),
                (400, "Gemini API free tier is not available in your country. Please enable billing on your project.", 1),
                (403, "The billing account for the owning project is disabled in state closed", 1),
                (403, "This account is suspended due to an unpaid invoice", 1),
                (400, "Invalid schema: the property 'credit_limit' has no type", 0), (422, "budget_tokens must be below max_tokens", 0)):
            with self.subTest(message):
                self.models.says["b"] = failure(status, message)
                self.assertEqual(self.outcome(message, score=0.5)["value"], "from a" if is_account else None)
                self.assertEqual(value(self.db, "SELECT count(*) FROM llm_provider_state WHERE provider = 'box'"), is_account)
                store = sqlite3.connect(self.path + "-llmcost")
                store.execute("DELETE FROM llm_provider_state")
                store.commit()
                store.close()

    def test_one_tries(self):
        """R09: behind a pause one request tries; then two."""
        self.models.says["a"] = [failure(429, headers={"Retry-After": "1"}), answer("late")]
        self.models.delay = 0.3
        code = f"""
import json, sys; sys.path.insert(0, {os.path.dirname(os.path.abspath(__file__))!r})
from harness import connect
db = connect({self.path!r})
db.execute("SELECT llm_allow_host(?)", ({self.models.host!r},))
for i in range(4):
    db.execute("SELECT llm_complete(?, ?)", (sys.argv[1] + str(i), json.dumps(dict(model="a")))).fetchall()
"""
        error_of(self.db, "SELECT llm_complete('first', '{\"model\":\"a\",\"retries\":0}')")
        self.models.asked.clear()
        self.models.most_at_once = 0
        running = [subprocess.Popen([sys.executable, "-W", "ignore", "-c", code, f"p{i}-"]) for i in range(4)]
        seen = []
        while len(self.models.asked) < 2 and any(p.poll() is None for p in running):
            seen.append(self.models.most_at_once)
            time.sleep(0.02)
        self.assertLessEqual(max(seen), 1)
        self.assertEqual([p.wait(60) for p in running], [0] * 4)
        self.assertEqual(len(self.models.asked), 16)

    def test_who_tries_may_be_killed(self):
        """R09: another takes its place within the lease."""
        self.models.says["a"] = [failure(429, headers={"Retry-After": "1"}), answer("late")]
        error_of(self.db, "SELECT llm_complete('first', '{\"model\":\"a\",\"retries\":0}')")
        time.sleep(1.1)
        self.models.delay = 30
        self.models.asked.clear()
        code = f"""
import sys; sys.path.insert(0, {os.path.dirname(os.path.abspath(__file__))!r})
from harness import connect
db = connect({self.path!r})
db.execute("SELECT llm_allow_host(?)", ({self.models.host!r},))
db.execute("SELECT llm_complete('tries', json_object('model', 'a'))").fetchall()
"""
        tries = subprocess.Popen([sys.executable, "-W", "ignore", "-c", code])
        while not self.models.asked:
            time.sleep(0.02)
        self.models.delay = 0
        other = subprocess.Popen([sys.executable, "-W", "ignore", "-c", code.replace("tries", "other")])
        time.sleep(0.5)
        self.assertEqual(len(self.models.asked), 1)
        tries.kill()
        tries.wait()
        self.assertEqual(other.wait(20), 0)
        self.assertEqual(len(self.models.asked), 2)

    def test_what_a_stopgap_said_is_its_own(self):
        """R10: it is kept under the model that gave it."""
        self.models.says["c"] = failure(503)
        self.assertEqual(self.ask(score=1), "from b")
        self.models.says["c"] = answer("from c")
        self.assertEqual(self.ask(score=1), "from c")
        self.models.asked.clear()
        self.assertEqual(self.ask(model="b", score=1), "from b")
        self.assertEqual(self.models.asked, [])


class Cascades(Tiers):
    GATE = {"kind": "contains", "all": ["good"]}

    def test_escalates_until_it_passes(self):
        self.models.says["b"] = answer("good, since another one wrote it")
        self.assertEqual(self.ask(score=1, gate=self.GATE, escalate=True), "good, since another one wrote it")
        self.assertEqual(self.models.names(), ["a", "b"])
        rows = self.rows("tier_served, error LIKE 'gate: contains%', escalated_from, retry_reason, cost_nusd, json_extract(gate, '$.passes')")
        self.assertEqual(rows, [("tier a", 1, None, None, 110000, 0), ("tier b", None, 1, "gate", 1100000, 1)])
        self.models.asked.clear()
        self.assertEqual(self.ask(score=1, gate=self.GATE, escalate=True), "good, since another one wrote it")
        self.assertEqual(self.models.asked, [])
        self.assertEqual(self.db.execute("SELECT attempts, wasted_usd, calls, discarded_usd FROM llm_retries").fetchall(),
                         [(2, 0.00011, 2, '{"gate":0.00011}')])
        self.assertEqual(self.db.execute("SELECT * FROM llm_gate_checks").fetchall(), [("contains", "contains", 2, 1, 0, 0, 0, None)])
        why = json.loads(value(self.db, "SELECT llm_call_explain(2)"))
        self.assertEqual((why["asked"]["why"], why["gate"]["passes"]), ("the answer of call 1 did not pass its gates", True))

    def test_without_escalate_it_is_an_error(self):
        self.assertIn("did not pass", error_of(self.db, "SELECT llm_complete('x', ?)", json.dumps({"gate": self.GATE, "score": 0})).replace("no answer passed", "did not pass"))
        self.assertEqual(self.rows("cost_nusd, error LIKE 'gate:%'"), [(110000, 1)])
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_answers"), 0)
        got = self.outcome("x", gate=self.GATE, score=0)
        self.assertEqual((got["value"], got["error"]["code"]), ("from a", "gate"))
        self.assertIsNone(self.ask("x", gate=self.GATE, score=0, on_error="null"))

    def test_nobody_passes(self):
        """R13: the best answer is given with its verdict; the same where the strong one is down."""
        gate = [{"kind": "length", "min": 2, "unit": "chars"}, {"kind": "contains", "all": ["good", "great"]}]
        self.models.says["b"] = answer("good from b")
        got = self.outcome(gate=gate, escalate=True)
        self.assertEqual(self.models.names(), ["a", "b", "c"])
        self.assertIn("call 2 ", got["error"]["message"])
        self.assertEqual((got["value"], got["error"]["code"]), ("good from b", "gate"))
        self.models.asked.clear()
        self.models.says["b"] = self.models.says["c"] = failure(503)
        got = self.outcome("again", gate=gate, escalate=True)
        self.assertEqual((got["value"], got["error"]["code"]), ("from a", "gate"))
        self.assertIn("could not be had", got["error"]["message"])
        self.assertLessEqual(len(self.models.asked), 4)
        text = error_of(self.db, "SELECT llm_complete('third', ?)", json.dumps({"gate": gate, "escalate": True}))
        self.assertIn("the best answer is that of call", text)

    def test_gates_of_the_table(self):
        self.db.execute("INSERT INTO llm_gates VALUES ('short', 'length', '{\"max\":4}'), ('sum', 'sql', '{\"expr\":\"1\"}')")
        self.db.commit()
        self.assertEqual(self.ask("one", score=0), "from a")  # a row acts where it is named
        self.assertIn("short: ", error_of(self.db, "SELECT llm_complete('two', '{\"gate\":\"short\",\"score\":0}')"))
        self.db.execute("SELECT llm_config('gate', 'short')")
        self.assertIn("short: ", error_of(self.db, "SELECT llm_complete('three', '{\"score\":0}')"))
        self.db.execute("SELECT llm_config('gate', NULL)")
        self.assertIn("valid: short, sum", error_of(self.db, "SELECT llm_complete('four', '{\"gate\":\"shirt\"}')"))
        self.assertIn("not taken from a table", error_of(self.db, "SELECT llm_complete('four', '{\"gate\":\"sum\"}')"))

    def test_a_changed_gate_asks_anew(self):
        self.db.execute("INSERT INTO llm_gates VALUES ('g', 'length', '{\"max\":40}')")
        self.db.commit()
        self.ask(gate="g", score=0)
        self.ask(gate="g", score=0)
        self.db.execute("UPDATE llm_gates SET spec = '{\"max\":41}'")
        self.db.commit()
        self.ask(gate="g", score=0)
        self.assertEqual(len(self.models.asked), 2)

    def test_agree(self):
        self.models.says["a"] = answer("The answer is 12.")
        self.models.says["b"] = answer("So it is 12")
        self.models.says["c"] = answer("15")
        self.assertEqual(self.ask(gate={"kind": "agree"}, escalate=True), "The answer is 12.")
        self.assertEqual(self.rows("attempt, purpose, tier_served, cost_nusd > 0"), [(1, None, "tier a", 1), (2, "agree", None, 1)])
        self.assertEqual(len({r for r, in self.rows("request_id")}), 1)
        self.models.says["b"] = answer("14")
        self.assertEqual(self.outcome("again", gate={"kind": "agree", "model": "b"}, escalate=True)["error"]["code"], "gate")
        self.assertEqual(value(self.db, "SELECT llm_last_call()"), value(self.db, "SELECT max(id) FROM llm_calls WHERE purpose IS NULL"))

    def test_who_would_see_it(self):
        gate = [{"kind": "agree"}, {"kind": "verifier", "model": "b"}]
        self.db.execute("UPDATE llm_models SET max_output = 1000 WHERE name = 'b'")
        self.db.commit()
        got = json.loads(self.ask(gate=gate, escalate=True, dry_run=True, audit=0.1, max_tokens=100))
        self.assertEqual([(s["model"], s["provider"], s["why"]) for s in got["seen_by"]],
                         [("a", "box", "answer"), ("b", "box", "escalation"), ("c", "box", "escalation"), ("b", "box", "agree"),
                          ("b", "box", "verifier"), ("b", "box", "audit")])
        a, b, c = (s["max_cost_usd"] for s in got["seen_by"][:3])
        mark = got["seen_by"][4]["max_cost_usd"]  # (a mark is an answer of its own: max_tokens does not bound it)
        self.assertGreater(mark, 1000 * 10 / 1e6)
        self.assertAlmostEqual(got["worst_case_usd"], a + b + c + 3 * b + 3 * mark + b)
        row = self.db.execute("SELECT seen_by, max_usd FROM llm_estimate(?)", ("SELECT llm_complete('hello', '%s')" % json.dumps(
            {"gate": gate, "escalate": True, "max_tokens": 100, "audit": 0.1}),)).fetchone()
        self.assertIn("b at box (agree)", row[0])
        self.assertAlmostEqual(row[1], got["worst_case_usd"])
        self.assertEqual(self.models.asked, [])
        self.models.says["a"] = failure(503)
        self.assertEqual([s["why"] for s in json.loads(self.ask(score=1, dry_run=True, max_tokens=1))["seen_by"]], ["answer", "instead", "instead"])

    def test_questions_of_ours_have_their_own_worst_case(self):
        """What a dry run says of them is what is held for them, or more; and it names the model that is asked."""
        self.db.execute("UPDATE llm_models SET max_output = 1000")
        self.db.execute("UPDATE llm_models SET key_env = 'NO_SUCH_KEY' WHERE name = 'a'")
        self.db.execute("SELECT llm_allow_host(?, 'NO_SUCH_KEY')", (self.models.host,))
        self.db.execute("INSERT INTO llm_budgets(scope, period, limit_usd) VALUES ('*', 'day', 100)")
        self.db.commit()
        self.models.says["b"] = lambda body: answer("9" if "How hard" in json.dumps(body) else "0.9")
        options = {"max_tokens": 10, "scorer": "verifier", "gate": {"kind": "verifier"}}
        seen = {s["why"]: s for s in json.loads(self.ask("q", dry_run=True, **options))["seen_by"]}
        self.assertEqual([seen[why]["model"] for why in ("score", "verifier")], ["b", "b"])
        self.ask("q", **options)
        for purpose, model, held in self.db.execute("SELECT purpose, model_requested, held_nusd FROM llm_calls WHERE purpose IS NOT NULL"):
            self.assertEqual(model, "b")
            self.assertGreaterEqual(round(seen[purpose]["max_cost_usd"] * 1e9), held, purpose)

    def test_a_second_model_that_has_a_key(self):
        self.db.execute("UPDATE llm_models SET key_env = 'NO_SUCH_KEY' WHERE name = 'b'")
        self.db.execute("SELECT llm_allow_host(?, 'NO_SUCH_KEY')", (self.models.host,))
        self.db.commit()
        self.models.says["a"] = answer("12")
        self.models.says["c"] = answer("It is 12")
        self.assertEqual(self.ask(gate={"kind": "agree"}, score=0), "12")
        self.assertEqual(self.models.names(), ["a", "c"])

    def test_a_second_model_that_it_fits_into(self):
        """R01 of each attempt: one whose window is too small is not asked for a second opinion."""
        self.db.execute("UPDATE llm_models SET context_window = CASE name WHEN 'b' THEN 4000 ELSE 200000 END, max_output = iif(name = 'a', 50, NULL)")
        self.db.commit()
        for name in "abc":
            self.models.says[name] = answer("It is 12")
        gate = {"kind": "agree"}
        self.assertEqual(self.ask("word " * 6000, gate=gate, score=0), "It is 12")
        self.assertEqual(self.models.names(), ["a", "c"])
        seen = json.loads(self.ask("words " * 6000, gate=gate, score=0, dry_run=True))["seen_by"]
        self.assertEqual([s["model"] for s in seen if s["why"] == "agree"], ["c"])
        self.models.asked.clear()
        self.models.says["a"] = answer("0.9")
        self.assertEqual(self.ask("short", gate={"kind": "verifier"}, model="c", max_tokens=100), "It is 12")
        self.assertEqual(self.models.names(), ["c", "a"])  # it is asked for a mark: no long answer is needed

    def test_one_budget_of_attempts(self):
        """R02: what a second opinion repeats is not repeated again."""
        self.models.says["a"] = [failure(500), answer("12"), failure(500), failure(500), failure(500), failure(500)]
        self.models.says["b"] = failure(500)
        got = self.outcome(gate={"kind": "agree", "model": "b"}, score=0, retries=2)
        self.assertEqual(got["error"]["code"], "gate")
        self.assertEqual(self.models.names(), ["a", "a", "b", "b"])

    def test_killed_during_a_second_opinion(self):
        """What the first answer cost is on disk before the second model is asked."""
        self.models.says["b"] = lambda body: time.sleep(30) or answer("late")
        code = f"""
import sys; sys.path.insert(0, {os.path.dirname(os.path.abspath(__file__))!r})
from harness import connect
db = connect({self.path!r})
db.execute("SELECT llm_allow_host(?)", ({self.models.host!r},))
db.execute("SELECT llm_complete('x', json_object('score', 0, 'gate', json_object('kind', 'agree', 'model', 'b')))").fetchall()
"""
        asks = subprocess.Popen([sys.executable, "-W", "ignore", "-c", code])
        while len(self.models.asked) < 2:
            time.sleep(0.02)
        asks.kill()
        asks.wait()
        db = self.open()
        self.models.says["b"] = answer("from a")
        self.assertEqual(value(db, "SELECT llm_complete('other', '{\"score\":0}')"), "from a")
        self.assertEqual(db.execute("SELECT kind, model_requested, purpose, cost_nusd FROM llm_calls ORDER BY id").fetchall(),
                         [("call", "a", None, 110000), ("unknown", "b", "agree", None), ("call", "a", None, 110000)])
        self.assertEqual(value(db, "SELECT count(*) FROM llm_holds"), 0)
        check = json.loads(value(db, "SELECT llm_check()"))
        self.assertEqual((check["differs"], check["sums"]["differs"]), (0, 0), check)
        self.assertEqual(value(db, "SELECT llm_complete('x', json_object('score', 0, 'gate', json_object('kind', 'agree', 'model', 'b')))"), "from a")
        db.close()

    def test_verifier(self):
        self.models.says["b"] = lambda body: answer("0.9" if "from a" in json.dumps(body) else "0.1")
        self.assertEqual(self.ask(gate={"kind": "verifier", "model": "b"}, score=0), "from a")
        self.assertEqual(self.rows("purpose")[-1], ("verifier",))

    def test_sql(self):
        self.assertEqual(self.ask("one", gate={"kind": "sql", "expr": "length(:answer) < 20 AND :prompt = 'one'"}, score=0), "from a")
        got = self.ask("two", gate={"kind": "sql", "expr": ":answer LIKE '%b'"}, escalate=True, score=0)
        self.assertEqual(got, "from b")
        asked = len(self.models.asked)
        for expr in ("nonsense(", "load_extension('x')", "(SELECT 1 FROM llm_calls)", "1; DROP TABLE x"):
            self.assertIn("gate 'sql'", error_of(self.db, "SELECT llm_complete('three', ?)", json.dumps({"gate": {"kind": "sql", "expr": expr}})))
        self.assertEqual(len(self.models.asked), asked)
        self.db.execute("SELECT llm_config('gate', '{\"kind\":\"sql\",\"expr\":\"0\"}')")
        self.assertEqual(self.outcome("four", score=0)["error"]["code"], "gate")

    def test_logprobs(self):
        tokens = {"content": [{"token": "a", "logprob": -0.1}, {"token": "b", "logprob": -3}]}
        self.models.says["a"] = answer("ab", logprobs=tokens)
        got = self.db.execute("SELECT answer, logprobs FROM llm_call('x', '{\"logprobs\":true,\"score\":0}')").fetchone()
        self.assertEqual((got[0], json.loads(got[1])), ("ab", tokens["content"]))
        self.assertTrue(self.models.asked[0][1]["logprobs"])
        self.assertEqual(self.outcome("y", gate={"kind": "logprob", "min_mean": -1}, score=0)["error"]["code"], "gate")
        self.assertEqual(self.ask("z", gate={"kind": "logprob", "min_mean": -2}, score=0), "ab")

    def test_audit(self):
        self.models.says["b"] = answer("something else entirely, you know")
        self.assertEqual(self.ask(gate={"kind": "length", "max": 100}, audit=1, score=0), "from a")
        self.assertEqual(self.rows("purpose, json_extract(gate, '$.audit.model')"), [(None, "b"), ("audit", None)])
        self.assertEqual(self.db.execute("SELECT answers, failed, audited, missed FROM llm_gate_checks").fetchall(), [(1, 0, 1, 1)])

    def test_false_alarms(self):
        self.models.says["a"] = answer("It is 42.")
        self.models.says["b"] = answer("It is 42, which is good")
        self.ask(gate=self.GATE, escalate=True)
        self.assertEqual(self.db.execute("SELECT failed, false_alarms, false_alarm_usd FROM llm_gate_checks").fetchall(), [(1, 1, 0.0011)])

    def test_a_named_model_climbs_from_its_tier(self):
        self.models.says["c"] = answer("good")
        self.assertEqual(self.ask(model="b", gate=self.GATE, escalate=True), "good")
        self.assertEqual(self.models.names(), ["b", "c"])
        self.assertIn("llm_tiers", error_of(self.db, "SELECT llm_complete('x', '{\"model\":\"ollama/x\",\"escalate\":true}')"))


if __name__ == "__main__":
    unittest.main()
