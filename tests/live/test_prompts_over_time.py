"""How prompts change: conversations that grow, versions of system prompts, and two of them side by side."""
import json
import os
import random
import unittest

from harness import Desk, TempDir, connect, error_of, value
from ledgers import DAY, HOUR, MINUTE, NOW, WEEK, Ledger
from test_savings import Books

HASHES = [f"{n:032x}" for n in range(40)]


class Conversations(Books):
    def turn(self, n, usage, model="gpt-4o", **more):
        return self.ledger.call(model, usage, ts=NOW + n * MINUTE, **{"conversation": "c", "turn": n, **more})

    def only(self, *rows, **options):
        self.write(*rows)
        (row,) = self.rows("SELECT * FROM llm_conversations(?)", json.dumps(options) if options else None)
        return row

    def test_a_name_that_two_users_share(self):
        """Conversation 1 of one user and conversation 1 of another are two; calls that name no user are a third."""
        self.write(*(self.turn(n, {"input": 100 + 2000 * (n % 2), "output": 5}, user=("a", "b")[n % 2]) for n in range(6)),
                   self.turn(9, {"input": 50, "output": 5}))
        rows = self.rows("SELECT user, turns, slope, inflated_nusd FROM llm_conversations ORDER BY user")
        self.assertEqual([tuple(r.values()) for r in rows], [(None, 1, None, 0), ("a", 3, 0, 0), ("b", 3, 0, 0)])

    def test_a_conversation_that_grows(self):
        inputs = [1000, 1500, 2200, 2500]
        row = self.only(*(self.turn(n, {"input": t, "output": 100}, tag="chat", user="u") for n, t in enumerate(inputs)))
        self.assertEqual((row["conversation"], row["tag"], row["user"], row["billed"]), ("c", "chat", "u", "paid"))
        self.assertEqual((row["turns"], row["calls"], row["hits"]), (4, 4, 0))
        self.assertEqual((row["first_ts"], row["last_ts"]), (NOW, NOW + 3 * MINUTE))
        self.assertEqual((row["first_input_tokens"], row["last_input_tokens"], row["mean_input_tokens"]), (1000, 2500, 1800))
        self.assertAlmostEqual(row["slope"], 520, places=9)  # least squares: (-1.5·1000 - .5·1500 + .5·2200 + 1.5·2500) / 5
        self.assertEqual(row["inflated_nusd"], (500 + 1200 + 1500) * 2500)
        self.assertEqual(row["cost_nusd"], sum(inputs) * 2500 + 400 * 10000)
        self.assertAlmostEqual(row["growth_percent"], 100 * row["inflated_nusd"] / row["cost_nusd"], places=9)
        self.assertEqual((row["cost_usd"], row["inflated_usd"]), (row["cost_nusd"] / 1e9, row["inflated_nusd"] / 1e9))

    def test_what_was_read_from_a_cache_was_cheap(self):
        """2,000 of 3,000 beyond the first turn; the call's input cost 1,000 × 2.50 + 2,000 × 1.25, and two thirds of that."""
        row = self.only(self.turn(0, {"input": 1000, "output": 10}), self.turn(1, {"input": 3000, "cache_read": 2000, "output": 10}))
        self.assertEqual(row["inflated_nusd"], round(5000000 * 2 / 3))

    def test_what_it_really_cost(self):
        """The ledger's cost, not the price list's: a discount of a half is one on the input too."""
        second = self.turn(1, {"input": 3000, "output": 10})
        second["cost_nusd"] //= 2
        row = self.only(self.turn(0, {"input": 1000, "output": 10}), second)
        self.assertEqual(row["inflated_nusd"], 2000 * 1250)

    def test_one_that_shrinks(self):
        row = self.only(self.turn(0, {"input": 3000, "output": 10}), self.turn(1, {"input": 1000, "output": 10}))
        self.assertEqual((row["inflated_nusd"], row["slope"], row["growth_percent"]), (0, -2000, 0))

    def test_a_single_turn(self):
        row = self.only(self.turn(0, {"input": 3000, "output": 10}))
        self.assertEqual((row["turns"], row["slope"], row["inflated_nusd"], row["mean_input_tokens"]), (1, None, 0, 3000))

    def test_retries_and_judges_are_no_turns(self):
        first = self.turn(0, {"input": 1000, "output": 10})
        failed = {**self.turn(1, {"input": 2000, "output": 10}), "error": "schema: no", "request_id": "r"}
        again = {**self.turn(1, {"input": 2100, "output": 10}), "attempt": 2, "request_id": "r"}
        judge = {**self.turn(1, {"input": 9000, "output": 1}), "attempt": 3, "request_id": "r", "purpose": "verifier"}
        row = self.only(first, failed, again, judge)
        self.assertEqual((row["turns"], row["calls"], row["last_input_tokens"], row["slope"]), (2, 4, 2100, 1100))
        self.assertEqual(row["inflated_nusd"], (1000 + 1100) * 2500)
        self.assertEqual(row["cost_nusd"], sum(r["cost_nusd"] for r in (first, failed, again, judge)))

    def test_hits_are_turns_without_tokens(self):
        row = self.only(self.turn(0, {"input": 1000, "output": 10}), self.ledger.hit(ts=NOW + MINUTE, conversation="c"),
                        self.turn(2, {"input": 2000, "output": 10}))
        self.assertEqual((row["turns"], row["calls"], row["hits"], row["mean_input_tokens"], row["slope"]), (3, 2, 1, 1500, 500))

    def test_only_hits(self):
        row = self.only(self.ledger.hit(conversation="c"))
        self.assertEqual((row["turns"], row["first_input_tokens"], row["mean_input_tokens"], row["cost_nusd"], row["growth_percent"]), (1, None, None, 0, None))

    def test_what_is_not_known(self):
        row = self.only(self.turn(0, {"input": 1000, "output": 10}, model="nobody-sells-this"), self.turn(1, {"input": 2000, "output": 10}, model="nobody-sells-this"))
        self.assertEqual((row["cost_nusd"], row["inflated_nusd"], row["growth_percent"], row["unpriced"]), (None, None, None, 2))
        self.ledger.clear()
        stated = [self.turn(n, {"input": 1000 + n, "output": 10}, model="nobody-sells-this", cost_nusd=500) for n in range(2)]
        row = self.only(*stated)
        self.assertEqual((row["cost_nusd"], row["unpriced"]), (1000, 1))

    def test_lost_answers(self):
        row = self.only(self.ledger.lost("gpt-4o", conversation="c"), self.turn(1, {"input": 2000, "output": 10}))
        self.assertEqual((row["turns"], row["first_input_tokens"], row["unpriced"], row["slope"]), (2, 2000, 1, None))

    def test_what_is_at_list_prices_is_apart(self):
        self.write(self.turn(0, {"input": 1000, "output": 10}), self.turn(1, {"input": 2000, "output": 10}, source="claude_code", billed="list"))
        self.assertEqual(self.db.execute("SELECT billed, turns FROM llm_conversations ORDER BY 1").fetchall(), [("list", 1), ("paid", 1)])

    def test_slopes_of_random_ones(self):
        rnd = random.Random(3)
        want = {}
        for c in range(40):
            inputs = [rnd.randrange(1, 90000) for _ in range(rnd.randrange(2, 30))]
            self.write(*(self.turn(n, {"input": t, "output": 1}, conversation=f"c{c}") for n, t in enumerate(inputs)))
            x, y = (len(inputs) + 1) / 2, sum(inputs) / len(inputs)
            want[f"c{c}"] = sum((n + 1 - x) * (t - y) for n, t in enumerate(inputs)) / sum((n + 1 - x) ** 2 for n in range(len(inputs)))
        for name, slope in self.db.execute("SELECT conversation, slope FROM llm_conversations"):
            self.assertAlmostEqual(slope, want[name], places=5)

    def test_a_part(self):
        rows = [self.turn(n, {"input": 1000, "output": 10}, tag="a" if n < 2 else "b") for n in range(4)]
        self.assertEqual(self.only(*rows, tag="b")["turns"], 2)
        self.assertEqual(self.only(**{"from": NOW + MINUTE})["turns"], 3)


class SystemPrompts(Books):
    def use(self, version, *days, tokens=None, tag="mail", model="gpt-4o", usage=None, **more):
        self.write(*(self.ledger.call(model, usage or {"input": 5000, "output": 10}, ts=NOW + int(d * DAY), tag=tag, system_hash=HASHES[version],
                                      system_tokens=tokens, **more) for d in days))

    def versions(self, columns="*"):
        return self.rows(f"SELECT {columns} FROM llm_system_prompts")

    def test_versions_by_first_use(self):
        self.use(2, 0, 1, 2, tokens=1000)
        self.use(1, 1.5, 4, tokens=1300)
        self.use(0, 3, tokens=1250)
        self.use(0, 9, tokens=40, tag=None)
        said = self.versions()
        self.assertEqual([(r["tag"], r["version"], r["system_hash"], r["calls"], r["tokens"], r["grown_by"]) for r in said],
                         [(None, 1, HASHES[0], 1, 40, None), ("mail", 1, HASHES[2], 3, 1000, None), ("mail", 2, HASHES[1], 2, 1300, 300),
                          ("mail", 3, HASHES[0], 1, 1250, -50)])
        self.assertEqual((said[1]["first_ts"], said[1]["last_ts"]), (NOW, NOW + 2 * DAY))

    def test_what_a_day_of_it_costs(self):
        """1,000 tokens in five calls over two days: at $2.50 a million."""
        self.use(0, 0, 0.5, 1, 1.5, 2, tokens=1000)
        (row,) = self.versions()
        self.assertAlmostEqual(row["cost_usd"], 5 * 0.0025, places=12)
        self.assertAlmostEqual(row["usd_per_day"], 5 * 0.0025 / 2, places=12)

    def test_less_than_a_day_is_a_day(self):
        self.use(0, 0, 0.1, tokens=1000)
        self.assertAlmostEqual(self.versions()[0]["usd_per_day"], 0.005, places=12)

    def test_cached_tokens_are_its_first(self):
        for usage, usd in (({"input": 5000, "cache_read": 600, "output": 1}, 600 * 0.1e-6 + 400 * 1e-6),
                           ({"input": 5000, "cache_read": 4000, "output": 1}, 1000 * 0.1e-6),
                           ({"input": 5000, "cache_read": 300, "cache_write": 500, "output": 1}, 300 * 0.1e-6 + 500 * 1.25e-6 + 200 * 1e-6),
                           ({"input": 5000, "cache_write": 900, "cache_write_1h": 900, "output": 1}, 900 * 2e-6 + 100 * 1e-6),
                           ({"input": 400, "output": 1}, 400 * 1e-6),
                           ({"input": 5000, "output": 1, "service": "batch"}, 1000 * 0.5e-6)):
            self.ledger.clear()
            self.use(0, 0, tokens=1000, model="claude-haiku-4-5", usage=usage)
            self.assertAlmostEqual(self.versions()[0]["cost_usd"], usd, places=12, msg=usage)

    def test_what_is_not_known(self):
        self.use(0, 0, 1)
        self.use(1, 2, tokens=1000, model="nobody-sells-this")
        self.use(2, 3, tokens=1000)
        said = self.versions()
        self.assertEqual([(r["tokens"], r["grown_by"], r["cost_usd"], r["usd_per_day"], r["unpriced"]) for r in said[:2]],
                         [(None, None, None, None, 2), (1000, None, None, None, 1)])
        self.assertEqual((said[2]["grown_by"], said[2]["unpriced"]), (0, 0))

    def test_what_changes_weekly(self):
        for name, days, weekly in (("each week", range(0, 29, 7), 1), ("once", (0, 3), 0), ("a new tag", (0, 1, 2, 3), 0),
                                   ("two of three weeks", (0, 7, 20), 1), ("one of four", (0, 27), 0), ("long ago", (0, 1, 2, 60), 0)):
            self.ledger.clear()
            for i, day in enumerate(days):
                self.use(i, day, tokens=10)
            self.use(len(days) - 1, max(days) + 0.5, tokens=10)
            said = self.versions()
            self.assertEqual({r["is_volatile"] for r in said}, {weekly}, name)
            weeks = max(1, (max(days) + 0.5) / 7)
            self.assertAlmostEqual(said[0]["changes_per_week"], (len(days) - 1) / weeks, places=9, msg=name)

    def test_what_is_at_list_prices_is_not_among_them(self):
        self.use(0, 0, tokens=10, source="claude_code", billed="list")
        self.assertEqual(self.versions(), [])

    def test_texts_and_where_they_part(self):
        front = "Grüße aus dem Laden. " * 5
        texts = [front + "Sei kurz.", front + "Sei sehr kurz und höflich.", "Today is 2026-11-28. " + front]
        for i, text in enumerate(texts):
            self.ledger.text(HASHES[i], text)
            self.use(i, i, tokens=10)
        self.use(3, 9, tokens=10)
        said = self.versions("text, first_change, first_change_text")
        self.assertEqual([r["text"] for r in said], [*texts, None])
        at = len((front + "Sei ").encode())
        self.assertEqual([r["first_change"] for r in said], [None, at, 0, None])
        self.assertEqual(said[1]["first_change_text"], (front + "Sei ")[-30:] + "sehr kurz und höflich.")
        self.assertEqual(said[2]["first_change_text"], texts[2][:30])
        self.assertEqual(said[3]["first_change_text"], None)

    def test_whole_characters(self):
        for i, text in enumerate(("aä", "aö", "a", "")):
            self.ledger.text(HASHES[i], text)
            self.use(i, i, tokens=1)
        self.assertEqual([(r["first_change"], r["first_change_text"]) for r in self.versions()], [(None, None), (1, "aö"), (1, "a"), (0, "")])


class Diff(Books):
    def setUp(self):
        super().setUp()
        self.ledger.text(HASHES[0], "You are a desk.\nBe short.\n\nNever say never.")
        self.ledger.text(HASHES[1], "You are a desk.\nBe short and kind.\n\nNever say never.\nAsk.")

    def test_line_by_line(self):
        rows = self.db.execute("SELECT op, line, line1, line2 FROM llm_system_diff(?, ?)", HASHES[:2]).fetchall()
        self.assertEqual(rows, [(" ", "You are a desk.", 1, 1), ("-", "Be short.", 2, None), ("+", "Be short and kind.", None, 2),
                                (" ", "", 3, 3), (" ", "Never say never.", 4, 4), ("+", "Ask.", None, 5)])
        for line, tokens in self.db.execute("SELECT line, tokens FROM llm_system_diff(?, ?)", HASHES[:2]).fetchall():
            self.assertEqual(tokens, value(self.db, "SELECT llm_tokens(?)", line))

    def test_the_same_twice(self):
        self.assertEqual(value(self.db, "SELECT group_concat(op, '') FROM llm_system_diff(?, ?)", HASHES[0], HASHES[0]), "    ")

    def test_from_the_report(self):
        """The two latest of a tag, in one statement."""
        self.write(*(self.ledger.call("gpt-4o", {"input": 50, "output": 1}, tag="t", ts=NOW + i, system_hash=HASHES[i]) for i in range(2)))
        sql = ("WITH v AS MATERIALIZED (SELECT * FROM llm_system_prompts WHERE tag = 't') SELECT count(*) FROM v a JOIN v b ON b.version = a.version + 1,"
               " llm_system_diff(a.system_hash, b.system_hash) d WHERE d.op <> ' '")
        self.assertEqual(value(self.db, sql), 3)

    def test_errors(self):
        for args, words in (((HASHES[0], "nothing"), "no text of the name 'nothing' is kept"), ((HASHES[0], "a\0b"), "NUL")):
            said = error_of(self.db, "SELECT * FROM llm_system_diff(?, ?)", *args)
            self.assertTrue(said.startswith("llm_system_diff: "), said)
            self.assertIn(words, said)
        self.assertIn("two names", error_of(self.db, "SELECT * FROM llm_system_diff(?)", HASHES[0]))
        self.assertEqual(self.rows("SELECT * FROM llm_system_diff(NULL, ?)", HASHES[0]), [])


class Own(Desk):
    """Calls that were really made."""

    def test_a_chat_and_its_system_prompt(self):
        messages = []
        for i in range(3):
            messages.append({"role": "user", "content": f"question {i} " + "and so on " * 20})
            options = {"model": "gpt-4o-mini", "system": "Be short.\nBe kind.", "conversation": "c", "tag": "chat", "user": "u"}
            messages.append({"role": "assistant", "content": value(self.db, "SELECT llm_chat(?, ?)", json.dumps(messages), json.dumps(options))})
        row = self.db.execute("SELECT turns, conversation, tag, user, slope > 0, inflated_nusd > 0, cost_nusd FROM llm_conversations").fetchall()
        self.assertEqual(row, [(3, "c", "chat", "u", 1, 1, self.standin.bill()["total_nusd"])])
        said = self.db.execute("SELECT tag, version, calls, tokens, text FROM llm_system_prompts").fetchall()
        self.assertEqual(said, [("chat", 1, 3, value(self.db, "SELECT llm_tokens('Be short.\nBe kind.')"), "Be short.\nBe kind.")])

    def test_nothing_is_made_by_looking(self):
        for table in ("llm_savings", "llm_prefix_cache", "llm_conversations", "llm_system_prompts"):
            self.db.execute(f"SELECT * FROM {table}").fetchall()
        self.assertFalse(os.path.exists(self.path + "-llmcost"))


if __name__ == "__main__":
    unittest.main()
