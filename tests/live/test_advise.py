"""llm_advise: faults that were planted in a ledger are found with their dollars; what would cost more is not recommended."""
import json
import os
import random
import unittest

from harness import TempDir, connect, error_of
from ledgers import DAY, NOW, Ledger

MONTH = 30 * DAY


class Advice(unittest.TestCase):
    def setUp(self):
        self.tmp = TempDir()
        self.addCleanup(self.tmp.cleanup)
        path = os.path.join(self.tmp.name, "desk.db")
        self.db = connect(path)
        self.addCleanup(self.db.close)
        self.ledger = Ledger(self.db, path)
        self.addCleanup(self.ledger.close)
        self.rnd = random.Random(19)

    def calls(self, model, n, tag, input=400, output=120, spread=None, **more):
        """n calls over a month, tokens a fifth up or down."""
        rows = []
        for i in range(n):
            usage = {"input": int(input * self.rnd.uniform(0.8, 1.2)), "output": int(output * self.rnd.uniform(0.8, 1.2)), **more.get("usage", {})}
            columns = {k: v(i) if callable(v) else v for k, v in more.items() if k != "usage"}
            rows.append(self.ledger.call(model, usage, ts=NOW - MONTH + (i + 1) * MONTH // n if spread is None else spread(i), tag=tag, **columns))
        return rows

    def background(self):
        """A tag with nothing to say of it: routed, long prompts and answers, in conversations."""
        return self.calls("gpt-4o-mini", 300, "assistant", input=900, output=500, tier="simple", tier_drawn="simple", tier_served="simple",
                          conversation=lambda i: f"c{i}", system_tokens=100, history_tokens=0, route_score=0.2)

    def advise(self, options="{}"):
        cursor = self.db.execute("SELECT * FROM llm_advise(?)", (options,))
        names = [d[0] for d in cursor.description]
        rows = [dict(zip(names, r)) for r in cursor]
        self.assertEqual([r["rank"] for r in rows], list(range(1, len(rows) + 1)))
        for r in rows:
            if r["advice"] != "none":
                self.assertLessEqual(r["low_usd"], r["usd_per_month"], r)
                self.assertLessEqual(r["usd_per_month"], r["high_usd"], r)
                self.assertTrue(r["what"] and r["why"] and r["how"] and r["effort"] and r["confidence"], r)
        return rows

    def found(self, rows, advice, tag, usd):
        """It is told once of that tag, with its dollars within a tenth; the query that shows why runs and shows something."""
        matching = [r for r in rows if r["advice"] == advice and (r["subject"] or "").startswith(f"tag {tag}")]
        self.assertEqual(len(matching), 1, [(r["advice"], r["subject"]) for r in rows])
        r = matching[0]
        self.assertAlmostEqual(r["usd_per_month"] / usd, 1, delta=0.1, msg=r)
        self.assertTrue(self.db.execute(r["why"]).fetchall(), r["why"])
        return r

    def names(self, rows):
        return {(r["advice"], r["subject"]) for r in rows}


class Planted(Advice):
    def test_each_alone_and_all_together(self):
        """Premium overuse, a dominated model, a volatile prefix, a retry loop, a missing cache, work that could wait."""
        cost = lambda rows: sum(r["cost_nusd"] for r in rows) / 1e9
        at = lambda rows, model: sum(self.ledger.cost(model, {"input": r["input_tokens"], "output": r["output_tokens"]}, r["ts"]) for r in rows) / 1e9
        premium = self.calls("gpt-4o", 1500, "faq", input=300, output=90, prompt_hash=lambda i: f"{i:032x}")
        dominated = self.calls("gpt-4-turbo", 400, "essays", input=4000, output=900)
        volatile = self.calls("gpt-4o-mini", 2000, "answers", input=6000, output=700, system_tokens=4000, history_tokens=0,
                              system_hash=lambda i: f"aa{i:030x}")
        loop = []
        for i, row in enumerate(self.calls("claude-haiku-4-5", 600, "forms", input=2500, output=600)):
            loop.append(row)
            for attempt in range(2, 2 + i % 4):
                loop.append({**row, "attempt": attempt, "retry_reason": "invalid_answer", "ts": row["ts"] + attempt})
        repeated = self.calls("claude-haiku-4-5", 900, "shop", input=3000, output=400, prompt_hash=lambda i: f"bb{i % 60:030x}")
        nightly = self.calls("gpt-4o", 900, "nightly summaries", input=5000, output=800,
                             spread=lambda i: (NOW - MONTH) // DAY * DAY + i // 30 * DAY + 3 * 3600000 + i % 30 * 1000)
        self.ledger.write(self.background() + premium + dominated + volatile + loop + repeated + nightly)
        rows = self.advise()
        self.found(rows, "route easy prompts", "faq", cost(premium) - at(premium, "gpt-4o-mini"))
        r = self.found(rows, "replace a dominated model", "essays", cost(dominated) - at(dominated, "gpt-4o"))
        self.assertIn("gpt-4o", r["what"])
        self.found(rows, "keep the prefix stable", "answers", 2000 * 4000 * (0.15 - 0.075) / 1e6)
        self.found(rows, "stop a retry loop", "forms", cost([r for r in loop if r["attempt"] > 1]))
        self.found(rows, "cache repeated questions", "shop", cost(repeated) * (900 - 60) / 900)
        self.found(rows, "send it as a batch", "nightly summaries", cost(nightly) / 2)
        self.assertFalse([r for r in rows if "assistant" in (r["subject"] or "")])
        # Each alone in a ledger is the only thing that is said of it, but for what goes with it.
        for plant, advice in ((premium, "route easy prompts"), (dominated, "replace a dominated model"), (loop, "stop a retry loop"),
                              (repeated, "cache repeated questions"), (nightly, "send it as a batch")):
            self.ledger.clear()
            self.ledger.write(plant)
            self.assertEqual(self.advise()[0]["advice"], advice)

    def test_a_dominated_embedding(self):
        """An embedding model has a successor too: it is asked for embeddings."""
        rows = [{**r, "kind": "embed"} for r in self.calls("text-embedding-ada-002", 400, "search", provider="openai", usage={"output": 0})]
        self.ledger.write(rows)
        small = sum(self.ledger.cost("text-embedding-3-small", {"input": r["input_tokens"]}, r["ts"]) for r in rows)
        r = self.found(self.advise(), "replace a dominated model", "search", (sum(r["cost_nusd"] for r in rows) - small) / 1e9)
        self.assertEqual(r["how"], "SELECT embed(question, 'text-embedding-3-small') FROM questions")

    def test_a_model_that_costs_more_and_fails_more(self):
        """Of two models that do the same work the dearer one fails its schema more often: your own ledger says it is dominated."""
        fails = lambda share: (lambda i: "invalid_answer: $.total" if i % 100 < share else None)
        dear = self.calls("claude-sonnet-4-6", 400, "forms", input=3000, output=500, error=fails(12))
        cheap = self.calls("gpt-4o-mini", 400, "forms", input=3000, output=500, error=fails(2))
        other = self.calls("gpt-4o", 400, "essays", input=3000, output=500, error=fails(12))
        self.ledger.write(dear + cheap + other)
        at = sum(self.ledger.cost("gpt-4o-mini", {"input": r["input_tokens"], "output": r["output_tokens"]}, NOW) for r in dear) / 1e9
        rows = self.advise()
        r = self.found(rows, "replace a dominated model", "forms", sum(r["cost_nusd"] for r in dear) / 1e9 - at)
        self.assertIn("costs more than gpt-4o-mini for the same work, and 12 % of its paid answers failed there, of that one's 2 %", r["what"])
        self.assertEqual([r["subject"] for r in rows if r["advice"] == "replace a dominated model"], ["tag forms, claude-sonnet-4-6"])
        self.ledger.store.execute("UPDATE llm_calls SET error = NULL")  # both are as good: no evidence
        self.assertNotIn("replace a dominated model", {r["advice"] for r in self.advise()})

    def test_models_that_do_other_work_are_not_compared(self):
        """What was escalated is the harder part, what was routed is what its score told, a judge and an embedding are no answers, and
        without a tag nobody says that it is the same work: that one fails more often there is no evidence against it."""
        fails = lambda share: (lambda i: "invalid_answer: $.total" if i % 100 < share else None)
        make = lambda model, share, tag, **more: self.calls(model, 400, tag, input=3000, output=500, error=fails(share), **more)
        for name, worse, better in (
                ("escalated", make("gpt-4o", 50, "t", attempt=2, escalated_from=1), make("gpt-4o-mini", 20, "t")),
                ("tried again", make("gpt-4o", 50, "t", attempt=2), make("gpt-4o-mini", 20, "t")),
                ("routed", make("gpt-4o", 12, "t", tier_drawn="complex"), make("gpt-4o-mini", 2, "t", tier_drawn="simple")),
                ("a judge", make("gpt-4o", 12, "t"), make("gpt-4o-mini", 2, "t", purpose="verifier")),
                ("embeddings", make("gpt-4o", 12, "t", usage={"output": 0}),
                 [{**r, "kind": "embed"} for r in self.calls("text-embedding-3-small", 400, "t", provider="openai", usage={"output": 0})]),
                ("no tag", make("gpt-4o", 12, None), make("gpt-4o-mini", 2, None))):
            with self.subTest(name):
                self.ledger.clear()
                self.ledger.write(worse + better)
                self.assertNotIn("replace a dominated model", {r["advice"] for r in self.advise()})

    def test_no_limit_of_a_word(self):
        """Embeddings have no answers, and where half of the answers are a word the long ones are other work: no limit of 0 or 2 tokens."""
        for kind, output in (("embed", 0), ("call", 1)):
            with self.subTest(kind):
                short = [{**r, "kind": kind} for r in self.calls("gpt-4o", 400, "rag", input=500, output=output)]
                self.ledger.clear()
                self.ledger.write(short + self.calls("gpt-4o", 300, "rag", input=3000, output=500))
                self.assertNotIn("limit the length of answers", {r["advice"] for r in self.advise()})

    def test_the_text_decides_where_it_is_kept(self):
        """Hard prompts with short answers are not easy."""
        hard = "Prove that the harmonic series diverges, explain each step of the derivation, and design a counterexample for the converse."
        easy = "Where is my order?"
        self.ledger.text("h" * 32, hard)
        self.ledger.text("e" * 32, easy)
        self.ledger.write(self.calls("gpt-4o", 200, "hard", prompt_hash="h" * 32, history_tokens=lambda i: i)
                          + self.calls("gpt-4o", 200, "easy", prompt_hash="e" * 32, history_tokens=lambda i: i))
        rows = [r for r in self.advise() if r["advice"] == "route easy prompts"]
        self.assertEqual([(r["subject"], r["confidence"]) for r in rows], [("tag easy, gpt-4o", "medium")])

    def test_texts_unknown(self):
        """Without texts the shape decides, and that is said."""
        self.ledger.write(self.calls("gpt-4o", 200, "long", input=9000, output=1500) + self.calls("gpt-4o", 200, "short"))
        rows = [r for r in self.advise() if r["advice"] == "route easy prompts"]
        self.assertEqual([(r["subject"], r["confidence"]) for r in rows], [("tag short, gpt-4o", "low")])
        self.assertIn("nobody kept their text", rows[0]["what"])

    def test_a_prefix_that_nobody_marks(self):
        """The same long system prompt, paid in full each time, where the provider keeps only what is marked."""
        often = {"spread": lambda i: NOW - MONTH + 2 * i * 60000}  # every two minutes
        rare = {"spread": lambda i: NOW - MONTH + 100 * i * 60000}
        prompt = dict(input=9000, output=400, system_tokens=8000, history_tokens=0)
        self.ledger.write(self.calls("claude-sonnet-4-6", 400, "law", system_hash="dd" * 16, **prompt, **often)
                          + self.calls("claude-sonnet-4-6", 400, "rare", system_hash="ee" * 16, **prompt, **rare)
                          + self.calls("gpt-4o", 400, "automatic", system_hash="ff" * 16, **prompt, **often))
        rows = self.advise(json.dumps({"from": NOW - MONTH, "to": NOW}))
        r = self.found(rows, "mark the prefix", "law", 8000 * (399 * (3.0 - 0.3) - 0.75) / 1e6)
        self.assertIn("'model', 'claude-sonnet-4-6', 'prompt_cache', '5m'", r["how"])
        self.assertEqual([r["subject"] for r in rows if r["advice"] == "mark the prefix"], ["tag law, claude-sonnet-4-6"])

    def test_lengths(self):
        outputs = lambda i: 2000 if i % 10 == 0 else 150
        rows = [self.ledger.call("gpt-4o-mini", {"input": 500, "output": outputs(i)}, ts=NOW - MONTH + (i + 1) * MONTH // 500, tag="wordy")
                for i in range(500)]
        self.ledger.write(rows)
        self.assertIn(("limit the length of answers", "tag wordy"), self.names(self.advise()))
        self.ledger.store.execute("UPDATE llm_calls SET ended = 'cut_off' WHERE output_tokens = 2000")
        self.assertNotIn(("limit the length of answers", "tag wordy"), self.names(self.advise()))

    def test_large_bills(self):
        """A model of one's own: fine-tuning where a task is narrow, hosting from $5,000 on, serverless models before it."""
        narrow = self.calls("gpt-4o", 1200, "labels", input=3000, output=200, system_tokens=2500, history_tokens=0, system_hash="ee" * 16)
        self.ledger.write(narrow)
        self.assertFalse({"host an open model", "try an open model, serverless", "fine-tune a small model"} & {r["advice"] for r in self.advise()})
        self.ledger.clear()
        self.ledger.write(self.calls("gpt-4o", 1200, "labels", input=3000000, output=20000, system_tokens=2500, history_tokens=0, system_hash="ee" * 16))
        rows = self.advise()
        order = [r["advice"] for r in rows]
        self.assertIn("fine-tune a small model", order)
        self.assertLess(order.index("try an open model, serverless"), order.index("host an open model"))
        host = rows[order.index("host an open model")]
        spent = self.ledger.store.execute("SELECT sum(cost_nusd) / 1e9 FROM llm_calls").fetchone()[0] * 30 / (30 * 1199 / 1200)
        self.assertAlmostEqual(host["usd_per_month"], 0.875 * spent - 4000, delta=spent / 100)  # rent and work are counted
        for r in rows:
            self.db.execute(r["why"]).fetchall()


class Stated(Advice):
    """A contract, a subscription, a log that says another cost: what can be saved is a part of what was paid."""

    def test_a_tenth_of_the_list(self):
        rows = (self.calls("gpt-4o", 200, "nightly job", output=900)
                + self.calls("gpt-4o", 200, "support", input=9000, output=900, system_tokens=8000, history_tokens=0, system_hash="ab" * 16))
        for row in rows:
            row["cost_nusd"] //= 10
        self.ledger.write(rows)
        found = self.advise()
        self.found(found, "send it as a batch", "nightly job", sum(r["cost_nusd"] for r in rows[:200]) / 2e9)
        self.found(found, "shorten the system prompt", "support", 0.3 * 200 * 8000 * 2.5 / 1e6 / 10)

    def test_a_mark_at_a_tenth_of_the_list(self):
        """With the list price beside it, and where nobody states one: never more than all that was paid."""
        for stated in (True, False):
            with self.subTest(stated=stated):
                rows = self.calls("claude-sonnet-4-6", 400, "law", input=9000, output=400, system_tokens=8000, history_tokens=0, system_hash="dd" * 16,
                                  spread=lambda i: NOW - MONTH + 2 * i * 60000)
                for row in rows:
                    row["cost_nusd"] //= 10
                    row["list_nusd"] = row["list_nusd"] if stated else None
                self.ledger.clear()
                self.ledger.write(rows)
                (r,) = [r for r in self.advise(json.dumps({"from": NOW - MONTH, "to": NOW})) if r["advice"] == "mark the prefix"]
                paid = sum(row["cost_nusd"] for row in rows) / 1e9
                self.assertAlmostEqual(r["usd_per_month"] / (8000 * (399 * (3.0 - 0.3) - 0.75) / 1e7 if stated else paid), 1, delta=0.03)
                self.assertLessEqual(r["share"], 1)


class Sampled(Advice):
    """Of many calls a sample is priced elsewhere: traffic that has a period is no worse seen than other traffic."""

    def test_every_sixteenth_call_is_another(self):
        rows = self.calls("gpt-4o", 6000, "steps", input=400, output=100)
        rows = [self.ledger.call("gpt-4o", {"input": 1900, "output": 290}, ts=r["ts"], tag="steps") if i % 16 == 15 else r for i, r in enumerate(rows)]
        self.ledger.write(rows)
        small = sum(self.ledger.cost("gpt-4o-mini", {"input": r["input_tokens"], "output": r["output_tokens"]}, r["ts"]) for r in rows)
        r = self.found(self.advise(), "route easy prompts", "steps", (sum(r["cost_nusd"] for r in rows) - small) / 1e9)
        self.assertEqual(r["calls"], 6000)

    def test_every_second_call_is_hard(self):
        rows = [{**r, "route_score": (0.1, 0.9)[i % 2]} for i, r in enumerate(self.calls("gpt-4o", 6000, "both"))]
        self.ledger.write(rows)
        r = next(r for r in self.advise() if r["advice"] == "route easy prompts")
        self.assertAlmostEqual(r["calls"], 3000, delta=400)
        self.assertLess(r["low_usd"], 0.47 * sum(r["cost_nusd"] for r in rows) / 1e9)
        self.assertGreater(r["high_usd"], 0.47 * sum(r["cost_nusd"] for r in rows) / 1e9)


class Silence(Advice):
    """Field case Q08, and what must not be said."""

    def test_a_warm_prefix(self):
        """90 % of the dear model's input is read from its cache; cold, the cheap one would cost more. Pricing the same calls there proves it."""
        self.ledger.write([self.ledger.call("claude-opus-4-8", {"input": 20000, "cache_read": 19800, "output": 40}, ts=NOW - MONTH + i * DAY // 20,
                                            tag="desk", conversation=f"c{i // 20}", turn=i % 20 + 2, system_tokens=18000, history_tokens=1900)
                           for i in range(500)])
        self.db.execute("UPDATE llm_tiers SET model = 'claude-haiku-4-5' WHERE rank = (SELECT min(rank) FROM llm_tiers)")
        cold = self.ledger.cost("claude-haiku-4-5", {"input": 20000, "output": 40}, NOW)
        warm = self.ledger.cost("claude-opus-4-8", {"input": 20000, "cache_read": 19800, "output": 40}, NOW)
        self.assertGreater(cold, warm)
        self.assertNotIn("route easy prompts", {r["advice"] for r in self.advise()})
        self.ledger.store.execute("UPDATE llm_calls SET cached_input_tokens = 0, usage = '{\"input\":20000,\"output\":40}', cost_nusd = ?",
                                  (self.ledger.cost("claude-opus-4-8", {"input": 20000, "output": 40}, NOW),))
        self.assertIn("route easy prompts", {r["advice"] for r in self.advise()})

    def test_too_few_calls(self):
        self.ledger.write(self.calls("gpt-4o", 49, "few"))
        rows = self.advise()
        self.assertEqual([(r["advice"], r["usd_per_month"]) for r in rows], [("none", None)])
        self.assertIn("49 calls that cost something: advice needs 50 at least (min_calls)", rows[0]["what"])
        self.assertNotEqual(self.advise('{"min_calls":20}')[0]["advice"], "none")

    def test_nothing_at_all(self):
        (row,) = self.advise()
        said = {name: cell for name, cell in row.items() if cell is not None}
        self.assertEqual({name: said[name] for name in said if name != "what"}, {"rank": 1, "advice": "none", "calls": 0, "billed": "paid"})

    def test_nothing_to_say(self):
        self.ledger.write(self.background())
        self.assertEqual([r["advice"] for r in self.advise()], ["none"])

    def test_who_waits_is_never_batched(self):
        """Chat, moderation, streams, and whatever has turns."""
        rows = []
        for tag in ("chat summaries", "moderation job", "streaming batch", "live"):
            rows += self.calls("gpt-4o", 100, tag, output=900)
        rows += self.calls("gpt-4o", 100, "nightly talks", output=900, conversation="c", turn=3)
        rows += self.calls("gpt-4o", 100, "answers", output=900)
        self.ledger.write(rows)
        self.assertNotIn("send it as a batch", {r["advice"] for r in self.advise()})

    def test_routing_leaves_hard_prompts_where_they_are(self):
        """What is said is what easy ones save. The tiers would send the others to a dearer model than the one they have."""
        self.ledger.write(self.calls("gpt-4.1-mini", 200, "mix", input=2000, output=800, route_score=lambda i: (0.1, 0.9)[i % 2]))
        r = next(r for r in self.advise() if r["advice"] == "route easy prompts")
        self.db.execute("CREATE TABLE questions(id, question)")
        self.db.execute("INSERT INTO questions VALUES (1, 'Where is my order?'), (2, ?)",
                        ("Prove that the harmonic series diverges, explain each step of the derivation, and design a counterexample.",))
        options = r["how"].split("question, ", 1)[1].rsplit(")", 1)[0]
        self.assertEqual(self.db.execute(f"SELECT {options} FROM questions ORDER BY id").fetchall(),
                         [('{"model":"gpt-4o-mini"}',), ('{"model":"gpt-4.1-mini"}',)])

    def test_no_answers_for_text_models(self):
        """Embeddings and audio are not routed to a model for text; what saves nothing is not told."""
        embeds = [{**r, "kind": "embed"} for r in self.calls("gemini-embedding-2", 100, "vectors", provider="google", usage={"output": 0})]
        heard = self.calls("gpt-4o-audio-preview", 100, "calls", provider="openai", usage={"input": 400, "input_audio": 300, "output": 20})
        stated = self.calls("nobody-sells-this", 100, "own", input=3000, output=900, system_tokens=2000, system_hash="ab" * 16, cost_nusd=10**7)
        self.ledger.write(embeds + heard + stated)
        self.assertEqual([r["advice"] for r in self.advise()], ["none"])

    def test_what_was_asked_again_for_nothing(self):
        """A provider refused, for no money, and answered when it was asked again: there is nothing to save."""
        rows = []
        for row in self.calls("gpt-4o", 200, "busy", input=4000, output=900, prompt_hash=lambda i: f"{i:032x}"):
            rows += [{**row, "cost_nusd": None, "usage": None, "error": "rate_limit: slow down", "http_status": 429},
                     {**row, "attempt": 2, "retry_reason": "rate_limit", "ts": row["ts"] + 1000}]
        self.ledger.write(rows)
        self.assertEqual([r["advice"] for r in self.advise()], ["none"])

    def test_what_is_routed_already(self):
        self.ledger.write(self.calls("gpt-4o", 200, "routed", tier="complex", tier_drawn="complex", tier_served="complex", route_score=0.9))
        self.assertNotIn("route easy prompts", {r["advice"] for r in self.advise()})

    def test_rows_in_another_order(self):
        rows = self.background() + self.calls("gpt-4o", 200, "faq") + self.calls("gpt-4-turbo", 100, "old", output=900)
        self.ledger.write(rows)
        a = self.advise()
        self.ledger.clear()
        self.rnd.shuffle(rows)
        self.ledger.write(rows)
        self.assertEqual(a, self.advise())


class Asking(Advice):
    def test_periods(self):
        """A month is thirty days, whatever was seen."""
        self.ledger.write(self.calls("gpt-4o", 600, "faq"))
        month = self.advise()[0]["usd_per_month"]
        half = self.advise(json.dumps({"from": NOW - MONTH // 2, "to": NOW + 1}))[0]["usd_per_month"]
        self.assertAlmostEqual(half / month, 1, delta=0.05)
        self.assertEqual(self.advise('{"tag":"nobody"}')[0]["advice"], "none")
        self.assertEqual(self.advise('{"period":"2025-01"}')[0]["calls"], 0)

    def test_a_month_of_a_monthly_job(self):
        """Its hundred calls a month take two minutes: that is no rate."""
        rows = self.calls("gpt-4o", 400, "report", output=900, spread=lambda i: NOW - i // 100 * 31 * DAY - i % 100 * 1000)
        self.ledger.write(rows)
        r = self.advise()[0]
        self.assertEqual((r["advice"], r["calls"]), ("send it as a batch", 100))
        self.assertAlmostEqual(r["usd_per_month"] / (sum(x["cost_nusd"] for x in rows[:100]) / 2e9), 1, delta=0.01)

    def test_before_a_time(self):
        """`to` alone: the thirty days before the newest call that is before it."""
        self.ledger.write(self.calls("gpt-4o", 100, "new") + self.calls("gpt-4o", 100, "old", spread=lambda i: NOW - 90 * DAY - i * DAY // 4))
        rows = self.advise(json.dumps({"to": NOW - 60 * DAY}))
        self.assertEqual({r["subject"] for r in rows}, {"tag old, gpt-4o"})

    def test_inside_a_transaction(self):
        """There the configuration is read anew each time; the calls of the transaction itself are seen."""
        self.ledger.write(self.calls("gpt-4o", 600, "faq"))
        before = self.advise()
        self.db.isolation_level = None
        self.db.execute("BEGIN IMMEDIATE")
        self.db.execute("CREATE TABLE questions(id, question)")
        self.assertEqual(self.advise(), before)
        self.db.execute("ROLLBACK")

    def test_list_prices(self):
        """Where nobody says what was paid, the advice is by list prices, and says so."""
        self.ledger.write(self.calls("gpt-4o", 100, "code", billed="list", source="claude_code"))
        self.assertEqual({r["billed"] for r in self.advise()}, {"list"})
        self.ledger.write(self.calls("gpt-4o", 100, "faq", billed="paid"))
        rows = self.advise()
        self.assertEqual({r["billed"] for r in rows}, {"paid"})
        self.assertFalse([r for r in rows if "code" in r["subject"]])

    def test_odd_tags(self):
        """A tag is a text: with quotes, in statements too."""
        tag = "it's \"x\" \\ %s"
        self.ledger.write(self.calls("claude-sonnet-4-6", 200, tag, input=5000, system_tokens=4500, history_tokens=0, system_hash=lambda i: f"{i:032x}",
                                     prompt_hash=lambda i: f"{i % 3:032x}"))
        rows = self.advise()
        self.assertGreater(len(rows), 2)
        for r in rows:
            self.assertTrue(self.db.execute(r["why"]).fetchall(), r["why"])

    def test_tags_to_be_pasted(self):
        """A statement is made to be pasted into a terminal: its control characters are spelt, and no tag is too long for it."""
        for tag in ("x'; DROP TABLE t; --\n.shell id\x03\x1b[201~\x7f\u009b", "it's" * 250):
            self.ledger.clear()
            self.ledger.write(self.calls("gpt-4o", 100, tag, input=5000, system_tokens=4500, history_tokens=0, system_hash=lambda i: f"{i:032x}",
                                         output=20))
            rows = self.advise()
            self.assertLessEqual({"keep the prefix stable", "shorten the system prompt", "route easy prompts"}, {r["advice"] for r in rows})
            for r in rows:
                self.assertTrue(self.db.execute(r["why"]).fetchall(), r["why"])
                self.assertTrue((r["why"] + r["how"]).isprintable(), r)

    def test_errors(self):
        for options, part in (('{"min_calls":1}', "option 'min_calls'"), ('{"frm":1}', "unknown option 'frm'"), ('{"period":"moon"}', "is no period"),
                              ("[]", "one JSON object"), ('{"period":"2026-11","from":"2026-11-01"}', "give either 'period'")):
            message = error_of(self.db, "SELECT * FROM llm_advise(?)", options)
            self.assertTrue(message.startswith("llm_advise: ") and part in message, message)


if __name__ == "__main__":
    unittest.main()
