"""llm_drift: why spending changed. What moves is named, rows add up to the change, and nothing is made up where nothing is known."""
import json
import math
import os
import random
import subprocess
import unittest

from harness import ASAN_SO, asan_env, connect, error_of
from test_sums import Ledger, ms

BEFORE, AFTER = ms("2026-09-01T00:00:00"), ms("2026-10-01T00:00:00")
PRICES = {"gpt-4o": (2500, 1250, 10000), "gpt-4o-mini": (150, 75, 600), "claude-haiku-4-5": (1000, 100, 5000)}  # nano-dollars a token


def call(month, i, model="gpt-4o-mini", system=800, history=200, own=100, out=150, read=0, **more):
    """A call at list prices, with its usage; month 0 is September."""
    fresh, cached, output = PRICES[model]
    tokens = system + history + own
    batch = more.get("kind") == "batch"
    nusd = fresh * (tokens - read) + cached * read + output * out
    return dict(dict(request_id=f"{month}-{i}", ts=(BEFORE, AFTER)[month] + i * 1000, user=f"u{i % 10}", tag="t", attempt=1, kind="call",
                     provider="anthropic" if "claude" in model else "openai", model=model, model_requested=model, system_tokens=system,
                     history_tokens=history, input_tokens=tokens, cached_input_tokens=read, output_tokens=out,
                     cost_nusd=nusd // 2 if batch else nusd, list_nusd=nusd // 2 if batch else nusd, service="batch" if batch else "standard",
                     usage=json.dumps({"input": tokens, "cache_read": read, "output": out, **({"service": "batch"} if batch else {})})), **more)


class Drifts(Ledger):
    def drift(self, *args, db=None):
        """Rows as dicts; the identity holds in each answer."""
        cursor = (db or self.db).execute(f"SELECT * FROM llm_drift({', '.join('?' * len(args))})", args)
        names = [d[0] for d in cursor.description]
        rows = [dict(zip(names, r)) for r in cursor]
        answer = rows[0]
        self.assertEqual(answer["driver"], "answer")
        self.assertIsNone(answer["change_nusd"])
        self.assertTrue(answer["text"])
        if "per request" not in answer["unit"]:
            self.assertEqual(sum(r["change_nusd"] or 0 for r in rows), round((answer["after"] - answer["before"]) * 1e9))
        for r in rows:
            for name, cell in r.items():
                self.assertFalse(isinstance(cell, float) and not math.isfinite(cell), name)
        return rows

    def by_driver(self, rows):
        found = {}
        for r in rows[1:]:
            key = r["driver"] if r["driver"] != "attempts" else (r["driver"], r["detail"])
            found[key] = found.get(key, 0) + (r["change_nusd"] or 0)
        return found

    def spent(self):
        return [self.raw.execute("SELECT coalesce(sum(cost_nusd), 0) FROM llm_calls WHERE ts >= ? AND ts < ?", p).fetchone()[0]
                for p in ((BEFORE, AFTER), (AFTER, AFTER + 31 * 86400000))]


class Drivers(Drifts):
    """One thing is changed at a time: it is named first, and gets all of the change."""

    def one(self, before, after, driver, detail=None):
        self.raw.execute("DELETE FROM llm_calls")
        self.insert(before + after)
        rows = self.drift("2026-10")
        a, b = self.spent()
        self.assertEqual((rows[0]["before"], rows[0]["after"]), (a / 1e9, b / 1e9))
        self.assertEqual((rows[1]["driver"], rows[1]["detail"]), (driver, detail))
        self.assertLessEqual(abs(rows[1]["change_nusd"] - (b - a)), 3, rows[1])
        return rows

    def test_each(self):
        base = [call(0, i) for i in range(100)]
        same = [call(1, i) for i in range(100)]
        self.one(base, [call(1, i, user=f"u{i % 30}") for i in range(300)], "users")
        self.one(base, [call(1, i) for i in range(300)], "requests per user")
        self.one(base, [call(1, i, system=2400) for i in range(100)], "system prompt")
        self.one(base, [call(1, i, history=2000) for i in range(100)], "history")
        self.one(base, [call(1, i, own=2000) for i in range(100)], "user tokens")
        self.one(base, [call(1, i, out=600) for i in range(100)], "output tokens")
        self.one(base, same + [call(1, i, request_id=f"1-{i}", attempt=2, retry_reason="invalid_answer: $.a") for i in range(60)],
                 "attempts", "invalid_answer")
        hits = [dict(request_id=f"h{i}", ts=AFTER + i, kind="hit_exact", attempt=0, cost_nusd=0, saved_nusd=5, model=None, user=f"u{i % 10}",
                     input_tokens=None, output_tokens=None) for i in range(40)]
        rows = self.one(base, same[:60] + hits, "hit rate")
        self.assertEqual((rows[1]["before"], rows[1]["after"]), (0, 0.4))
        self.one(base, [call(1, i, model="gpt-4o") for i in range(100)], "model mix", "gpt-4o")
        self.one(base, [call(1, i, kind="batch") for i in range(100)], "batch and service", "gpt-4o-mini")
        self.one(base, [call(1, i, read=800) for i in range(100)], "prefix caching", "gpt-4o-mini")
        cheaper = [call(1, i) for i in range(100)]
        for c in cheaper:
            c["cost_nusd"] //= 2
        self.one(base, cheaper, "discount", "gpt-4o-mini")
        reasons = [call(1, i, out=600, reasoning_tokens=450) for i in range(100)]
        for c in reasons:
            c["usage"] = json.dumps({"input": 1100, "output": 600, "reasoning": 450})
        self.one(base, reasons, "reasoning")

    def test_a_cached_system_prompt(self):
        """What the prefix cache reads is the beginning of the prompt: a system prompt that grows within it costs what reads cost."""
        self.insert([call(0, i, system=800, read=800) for i in range(50)] + [call(1, i, system=1600, read=1600) for i in range(50)])
        rows = self.by_driver(self.drift("2026-10"))
        change = 50 * 800 * 75
        self.assertAlmostEqual(rows["system prompt"], change, delta=change * 0.02)
        self.assertAlmostEqual(rows.get("prefix caching", 0), 0, delta=2)

    def test_a_list_price_that_fell(self):
        """The same tokens at another price on another day."""
        self.db.execute("INSERT INTO llm_prices(list, provider, model, kind, usd_per_million, valid_from, valid_to) VALUES"
                        " ('l', 'openai', 'mine', 'input', 2, NULL, '2026-10-01'), ('l', 'openai', 'mine', 'input', 1, '2026-10-01', NULL),"
                        " ('l', 'openai', 'mine', 'output', 2, NULL, '2026-10-01'), ('l', 'openai', 'mine', 'output', 2, '2026-10-01', NULL)")
        rows = [dict(call(m, i), model="mine", model_requested="mine", cost_nusd=p * 1100 + 2000 * 150, list_nusd=None)
                for m, p in ((0, 2000), (1, 1000)) for i in range(20)]
        self.insert(rows)
        rows = self.drift("2026-10")
        self.assertEqual((rows[1]["driver"], rows[1]["detail"]), ("list price", "mine"))
        self.assertEqual(rows[1]["change_nusd"], -20 * 1100 * 1000)

    def test_a_price_that_is_gone(self):
        """Where one side of a model has no price any more, its tokens are compared together, not as if all had become others."""
        self.db.execute("INSERT INTO llm_prices(list, provider, model, kind, usd_per_million, valid_from, valid_to) VALUES"
                        " ('l', 'openai', 'mine', 'input', 2, NULL, '2026-10-01'), ('l', 'openai', 'mine', 'output', 2, NULL, '2026-10-01')")
        self.insert([dict(call(m, i), model="mine", model_requested="mine", cost_nusd=2000 * 1250, list_nusd=None) for m in (0, 1)
                     for i in range(20 * (m + 1))])
        rows = self.by_driver(self.drift("2026-10"))
        self.assertEqual({k: v for k, v in rows.items() if v}, {"requests per user": 20 * 2000 * 1250})

    def test_parts_of_prompts_that_are_not_told(self):
        """Of an import nobody knows what the system prompt was: then neither side is split by it."""
        plain = [call(0, i, system_tokens=None, history_tokens=None) for i in range(20)]
        self.insert(plain + [call(1, i, system=3000) for i in range(20)])
        rows = self.by_driver(self.drift("2026-10"))
        self.assertNotIn("system prompt", rows)
        self.assertEqual(rows["input tokens"], 20 * 2200 * 150)

    def test_a_model_that_is_free(self):
        """Calls that go to a local model are the mix, not fewer attempts; and there were calls before, though they cost nothing."""
        free = dict(model="llama3.3", model_requested="llama3.3", provider="ollama", cost_nusd=0, list_nusd=0)
        paid = [[call(m, i) for i in range(100)] for m in (0, 1)]
        half = [[dict(c, **(free if i % 2 else {})) for i, c in enumerate(p)] for p in paid]
        whole = [[dict(c, **free) for c in p] for p in paid]
        rows = self.one(paid[0], half[1], "model mix", "gpt-4o-mini")
        self.assertEqual((rows[1]["before"], rows[1]["after"]), (1, 0.5))
        self.one(paid[0], whole[1], "model mix", "gpt-4o-mini")
        rows = self.one(whole[0], paid[1], "model mix", "gpt-4o-mini")
        self.assertIn("only what was free before", rows[0]["text"])
        self.one(half[0], half[1] + [dict(c, request_id=c["request_id"] + "b") for c in half[1]], "requests per user")
        gratis = [dict(c, cost_nusd=0) for c in paid[0]]
        self.one(gratis, paid[1], "list price", "gpt-4o-mini")

    def test_rows_that_no_report_has_seen(self):
        """The same for the reports beside it, with times that no clock shows and words of any length."""
        rnd = random.Random(3)
        pick = lambda: rnd.choice((2**63 - 1, -2**63 + 1, -2**63, 2**62, -5, 0, 1, None, 10**15, 9 * 10**18))
        numbers = ("cost_nusd", "list_nusd", "saved_nusd", "input_tokens", "output_tokens", "cached_input_tokens", "cache_write_tokens",
                   "cache_write_long_tokens", "reasoning_tokens", "system_tokens", "history_tokens", "turn", "latency_ms")
        asked = ("llm_savings", """llm_savings('{"by":["day","tag","model"]}')""", "llm_prefix_cache", "llm_conversations", "llm_system_prompts",
                 "llm_retries", "llm_advise", "llm_drift('2026', '1970')",
                 "llm_drift(-9223372036854775807, 9223372036854775807, 0, 9223372036854775807)",
                 """(SELECT llm_report('{"format":"markdown"}'))""", """(SELECT llm_report('{"period":"2026-10","prompts":true}'))""")
        for _ in range(4):
            self.raw.execute("DELETE FROM llm_calls")
            rows = [{**call(i % 2, i, model=rnd.choice(("gpt-4o", "claude-haiku-4-5"))), **{n: pick() for n in numbers if rnd.random() < 0.5},
                     "ts": rnd.choice((AFTER + i, AFTER + i, 2**63 - 1, -2**63 + 1, 0, 10**16)), "attempt": rnd.choice((0, 1, 2, 2**63 - 1, -2**63)),
                     "conversation": rnd.choice((None, "c")), "system_hash": rnd.choice(("a" * 32, "b" * 32, "é" * 400)), "tag": rnd.choice((None, "a")),
                     "kind": rnd.choice(("call", "call", "batch", "embed", "hit_exact", "unknown")), "cache_miss": rnd.choice((None, "é" * 60, f"w{i}"))}
                    for i in range(300)]
            for row in rows:  # one shape: what is not said is NULL
                row.update({n: row.get(n) for n in numbers})
            self.insert(rows, repair=False)
            out = subprocess.run(["sqlite3", self.path], input=f".load {ASAN_SO}\n" + "".join(f"SELECT count(*) FROM {a};\n" for a in asked),
                                 capture_output=True, text=True, env=asan_env())
            self.assertEqual((out.stderr[:400], len(out.stdout.split())), ("", len(asked)))

    def test_rows_that_nobody_writes(self):
        """A file of a stranger's: whatever its numbers are, an answer that is finite, and nothing that is not defined."""
        rnd = random.Random(3)
        big = (2**63 - 1, -2**63 + 1, 2**62, -5, 0, 1, None, 10**18, 10**12)
        pick = lambda: rnd.choice(big)
        for _ in range(6):
            self.raw.execute("DELETE FROM llm_calls")
            rows = [dict(call(i % 2, i), cost_nusd=pick(), list_nusd=pick(), input_tokens=pick(), output_tokens=pick(), cached_input_tokens=pick(),
                         cache_write_tokens=pick(), reasoning_tokens=pick(), system_tokens=pick(), history_tokens=pick(), attempt=rnd.choice((0, 1, 2)),
                         usage=rnd.choice((None, "{", '{"input":9007199254740991,"output":1}', '{"input":1000000000,"cache_read":1000000000}')),
                         model=rnd.choice((None, "", "gpt-4o", "gpt-4o-mini")), provider=rnd.choice((None, "openai", "")), user=rnd.choice((None, "", "u")),
                         tag=rnd.choice((None, "", "a", "b")), billed=rnd.choice((None, "list", "paid")), kind=rnd.choice(("call", "batch", "unknown")),
                         retry_reason=rnd.choice((None, "", ":", "x" * 500))) for i in range(60)]
            self.insert(rows, repair=False)
            asked = ["'2026-10'", "'tag:a', 'tag:b'"] + [f"""'2026-10', '{{"by":"{by}"}}'""" for by in ("tag", "model", "user", "provider")]
            for args in asked:
                said = self.db.execute(f"SELECT * FROM llm_drift({args})").fetchall()
                self.assertTrue(all(math.isfinite(c) for r in said for c in r if isinstance(c, float)), args)
            out = subprocess.run(["sqlite3", self.path], input=f".load {ASAN_SO}\n" + "".join(f"SELECT count(*) FROM llm_drift({a});\n" for a in asked),
                                 capture_output=True, text=True, env=asan_env())
            self.assertEqual((out.stderr[:400], len(out.stdout.split())), ("", len(asked)))

    def test_users_that_are_not_named(self):
        self.insert([call(0, i, user=None) for i in range(20)] + [call(1, i) for i in range(40)])
        rows = self.by_driver(self.drift("2026-10"))
        self.assertEqual(set(rows) & {"users", "requests per user", "requests"}, {"requests"})

    def test_calls_without_a_price(self):
        """A row of their own: in no sum, and in no other driver."""
        self.insert([call(0, i) for i in range(20)] + [call(1, i) for i in range(20)]
                    + [call(1, i, model_requested="nobody's", cost_nusd=None, usage=None) for i in range(30, 40)])
        self.raw.execute("UPDATE llm_calls SET model = 'nobody''s' WHERE cost_nusd IS NULL")
        rows = self.drift("2026-10")
        self.assertEqual({r["driver"]: (r["before"], r["after"], r["change_nusd"]) for r in rows}["unpriced"], (0, 10, None))
        self.assertIn("10 calls of which nobody knows the price", rows[0]["text"])
        self.assertEqual({k: v for k, v in self.by_driver(rows).items() if v}, {})


class Signs(Drifts):
    """Field cases Q02 and Q07: signed, never floored; finite, and no percentage of nothing."""

    def test_drivers_against_each_other(self):
        """Routing that made 40 % of the calls dearer, and prompts that shrank: both stand with their signs."""
        self.insert([call(0, i) for i in range(100)] + [call(1, i, model="gpt-4o" if i < 40 else "gpt-4o-mini", system=100) for i in range(100)])
        rows = self.by_driver(self.drift("2026-10"))
        self.assertGreater(rows["model mix"], 0)
        self.assertLess(rows["system prompt"], 0)

    def test_empty_periods(self):
        self.insert([call(1, i) for i in range(5)])
        whole = self.spent()[1]
        for args, before, after, words in ((("2026-10",), 0, whole, "no calls before"), (("2026-11",), whole, 0, "No spending in 2026-11"),
                                           (("2026-08",), 0, 0, "No spending in 2026-07, nor in 2026-08")):
            rows = self.drift(*args)
            self.assertEqual((rows[0]["before"], rows[0]["after"]), (before / 1e9, after / 1e9))
            self.assertEqual(rows[0]["percent"], None if before == 0 else -100)
            self.assertIn(words, rows[0]["text"])
            self.assertNotIn("nan", rows[0]["text"].lower())
            self.assertNotIn("inf", rows[0]["text"].lower().split())
            self.assertEqual({k: v for k, v in self.by_driver(rows).items() if v}, {"requests": after - before} if before != after else {})
            self.assertTrue(all(r["share"] in (None, 1, 0) for r in rows))

    def test_a_driver_that_is_nothing_in_both(self):
        self.insert([call(0, i, history=0) for i in range(5)] + [call(1, i, history=0, out=300) for i in range(5)])
        rows = self.drift("2026-10")
        self.assertNotIn("history", {r["driver"] for r in rows})

    def test_a_period_with_itself(self):
        self.insert([call(0, i, model=random.choice(list(PRICES))) for i in range(50)])
        rows = self.drift("2026-09-01", "2026-10-01", "2026-09-01", "2026-10-01")
        self.assertEqual({r["change_nusd"] for r in rows[1:]}, {0})
        self.assertIn("unchanged", rows[0]["text"])
        self.assertEqual({r["share"] for r in rows[1:]}, {None})


class Questions(Drifts):
    def setUp(self):
        super().setUp()
        self.insert([call(0, i, tag="v41" if i % 2 else "v40") for i in range(40)]
                    + [call(1, i, tag="v42" if i % 2 else "v40", system=2400, model="gpt-4o" if i % 8 == 1 else "gpt-4o-mini") for i in range(80)])

    def test_releases(self):
        """Cost of a request: how many there were is not in it."""
        rows = self.drift("tag:v41", "tag:v42")
        costs = [self.raw.execute("SELECT sum(cost_nusd) * 1.0 / count(*) FROM llm_calls WHERE tag = ?", (t,)).fetchone()[0] for t in ("v41", "v42")]
        self.assertAlmostEqual(rows[0]["before"] * 1e9, costs[0], delta=0.5)
        self.assertAlmostEqual(rows[0]["after"] * 1e9, costs[1], delta=0.5)
        self.assertEqual(sum(r["change_nusd"] or 0 for r in rows), round(costs[1]) - round(costs[0]))
        self.assertFalse({"users", "requests", "requests per user"} & {r["driver"] for r in rows})
        self.assertEqual(rows[0]["unit"], "dollars per request")
        self.assertEqual(rows[0]["basis"], "calls")
        inside = self.drift("tag:v41", "tag:v42", '{"from":"2026-09-01","to":"2026-10-01"}')
        self.assertIn("No spending in tag:v42", inside[0]["text"])

    def test_by_a_dimension(self):
        """A split for each value; together they are the whole."""
        whole = self.drift("2026-10")[0]
        for by in ("tag", "model", "user", "provider"):
            rows = self.drift("2026-10", json.dumps({"by": by}))
            self.assertEqual((rows[0]["before"], rows[0]["after"]), (whole["before"], whole["after"]))
            values = {r["value"] for r in rows[1:]}
            self.assertEqual(values, {v for v, in self.rows(f"SELECT DISTINCT {by} FROM llm_calls")})
            for v in values:
                change = sum(r["change_nusd"] or 0 for r in rows if r["value"] == v)
                a, b = (self.raw.execute(f"SELECT coalesce(sum(cost_nusd), 0) FROM llm_calls WHERE {by} IS ? AND ts >= ? AND ts < ?",
                                         (v, p, p + 31 * 86400000 - (p == BEFORE) * 86400000)).fetchone()[0] for p in (BEFORE, AFTER))
                self.assertEqual(change, b - a, (by, v))

    def test_too_many_values(self):
        """Of 1,500 tags those that moved most are told of, wherever they stand; the others are one."""
        rows = [call(0, i, tag=f"old{i}", out=150 + i % 7) for i in range(1200)] + [call(1, i, tag=f"new{i}", out=10 + i % 7) for i in range(300)]
        rows += [call(1, i, tag="last", out=5000) for i in range(300, 303)] + [call(1, 304, tag=None)]
        for seed in (None, 1):
            self.raw.execute("DELETE FROM llm_calls")
            random.Random(seed).shuffle(rows) if seed else None
            self.insert(rows)
            whole, said = self.drift("2026-10"), self.drift("2026-10", json.dumps({"by": "tag"}))
            self.assertEqual((said[0]["before"], said[0]["after"]), (whole[0]["before"], whole[0]["after"]))
            values = {r["value"] for r in said if r["change_nusd"] is not None}
            self.assertEqual(len(values), 1002)
            self.assertLessEqual({"last", "(other)", None}, values)
            moved = sum(r["change_nusd"] or 0 for r in said if r["value"] == "last")
            self.assertEqual(moved, 3 * call(1, 0, out=5000)["cost_nusd"])
            first = first if seed else [(r["driver"], r["value"], r["change_nusd"]) for r in said]
        self.assertEqual(first, [(r["driver"], r["value"], r["change_nusd"]) for r in said])

    def test_narrowed(self):
        for options, where in (({"tag": "v40"}, "tag = 'v40'"), ({"model": "openai/gpt-4o"}, "model = 'gpt-4o'"), ({"tag": "v4*"}, "1"),
                               ({"user": "u3", "tag": "v42"}, "user = 'u3' AND tag = 'v42'"), ({"provider": "OpenAI"}, "1")):
            rows = self.drift("2026-10", json.dumps(options))
            cost = self.raw.execute(f"SELECT coalesce(sum(cost_nusd), 0) FROM llm_calls WHERE ts >= ? AND {where}", (AFTER,)).fetchone()[0]
            self.assertEqual(round(rows[0]["after"] * 1e9), cost, options)

    def test_a_narrowed_release_of_a_long_name(self):
        """What a release is called is not cut off where it is narrowed."""
        long = "release-" + "x" * 60
        self.insert([call(1, i, tag=long) for i in range(3)])
        plain, narrowed = (self.drift(f"tag:{long}", "tag:v42", *o) for o in ((), ('{"model":"gpt-4o*"}',)))
        self.assertEqual(plain[0]["before"], narrowed[0]["before"])
        self.assertGreater(narrowed[0]["before"], 0)
        self.assertIn("too long", error_of(self.db, "SELECT * FROM llm_drift(?, 'tag:b', ?)", "tag:" + "x" * 1000, json.dumps({"user": "u" * 30})))

    def test_values_against_each_other(self):
        """Of a sum that hardly moved nothing is most of it; of one that did not, no percent."""
        rows = self.drift("2026-10", '{"by":"tag"}')
        self.assertIn("It is mostly tag ", rows[0]["text"])
        self.raw.execute("DELETE FROM llm_calls")
        self.insert([call(m, i, tag="ab"[i % 2 == m]) for m in (0, 1) for i in range(3)])
        rows = self.drift("2026-10", '{"by":"tag"}')
        self.assertIn("Spending is unchanged", rows[0]["text"])
        self.assertIn("The largest change is of tag ", rows[0]["text"])

    def test_a_value_that_nobody_names(self):
        self.raw.execute("DELETE FROM llm_calls")
        self.insert([call(0, i, tag="a") for i in range(3)] + [call(1, i, tag=None) for i in range(9)])
        self.assertIn("It is mostly what names no tag (+$", self.drift("2026-10", '{"by":"tag"}')[0]["text"])

    def test_drivers_that_are_more_than_the_change(self):
        """Half the users, prompts twice as long: neither is a part of the cent that it came to, nor thousands of percent of it."""
        self.raw.execute("DELETE FROM llm_calls")
        self.insert([call(0, i, user=f"u{i}", system=1000, history=0, own=0, out=0) for i in range(20)]
                    + [call(1, i, user=f"u{i}", system=1990, history=0, own=0, out=0) for i in range(10)])
        text = self.drift("2026-10")[0]["text"]
        self.assertRegex(text, r"^Spending fell .*, −0.5 %. The largest driver is users \(20 → 10\): −\$0.0021; then system prompt \([^)]*\): \+\$0.0021.$")

    def test_a_credit(self):
        """Of what was below nothing there is no percentage, in words as in the columns."""
        self.raw.execute("DELETE FROM llm_calls")
        self.insert([call(0, 0, cost_nusd=-5 * 10**9, list_nusd=None), call(1, 0, cost_nusd=3 * 10**9, list_nusd=None)])
        row = self.drift("2026-10")[0]
        self.assertIn("Spending rose from −$5.00 in 2026-09 to $3.00 in 2026-10: +$8.00. ", row["text"])
        self.assertIsNone(row["percent"])

    def test_a_nano_dollar(self):
        """What did nothing is not told beside what did something, however little that is."""
        self.raw.execute("DELETE FROM llm_calls")
        self.insert([call(0, 0, user="a", cost_nusd=1, list_nusd=1), *(call(1, i, user="ab"[i], cost_nusd=1, list_nusd=1) for i in range(2))])
        self.assertTrue(self.drift("2026-10")[0]["text"].endswith("Most of it is users (1 → 2): +$0.000000001, 100 %."))

    def test_texts_are_whole(self):
        """A long value, a long reason: cut between letters."""
        for pad in range(3):
            self.raw.execute("DELETE FROM llm_calls")
            self.insert([call(m, i, tag="x" * pad + "ü" * 300, attempt=1 + i % 2, retry_reason=None if i % 2 else "y" * pad + "é" * 90) for m in (0, 1)
                         for i in range(4 + m)])
            for row in self.drift("2026-10", '{"by":"tag"}'):
                self.assertNotIn("\ufffd", str(row))

    def test_forms_agree(self):
        a = self.drift("2026-10")
        for args in (("2026-09", "2026-10"), ("2026-09-01", "2026-10-01", "2026-10-01", "2026-11-01"),
                     (BEFORE, AFTER, AFTER, AFTER + 31 * 86400000), ("2026-09", "2026-10", "{}")):
            b = self.drift(*args)
            self.assertEqual([(r["driver"], r["change_nusd"]) for r in a], [(r["driver"], r["change_nusd"]) for r in b], args)

    def test_a_time_zone(self):
        """Months are those of the setting's clocks."""
        self.insert([call(1, 0, request_id="z", ts=AFTER - 3600000, tag="z")])
        self.db.execute("SELECT llm_config('time_zone', '+02:00')").fetchall()
        self.assertEqual(round(self.drift("2026-10", '{"tag":"z"}')[0]["after"] * 1e9), call(1, 0)["cost_nusd"])
        self.assertEqual(round(self.drift("2026-10-01", "2026-10-01", "2026-10-01", "2026-10-02", '{"tag":"z"}')[0]["after"] * 1e9),
                         call(1, 0)["cost_nusd"])

    def test_bad_questions(self):
        for args, part in (((), "expected a period"), (("tag:a",), "one of two releases is missing"), (("last moon",), "is no period: expected 'last month'"), (("2026-10", "tag:a"), "the other is none"),
                           ((None,), "expected a period"), ((None, "2026-10"), "the first argument is NULL"), ((1, None, 3, 4), "a time is NULL"),
                           (("2026-10", "2026-11", "2026-12"), "expected a period"), (("2026-13", "2026-10"), "is no period"),
                           (("a", "b", "c", "d"), "'a' is no time: expected '2026-11-04'"),
                           (("2026-10-01", "2026-09-01", "2026-10-01", "2026-11-01"), "ends before it begins"),
                           (("2026-10", '{"by":"moon"}'), "option 'by': expected 'tag', 'user', 'model' or 'provider'"),
                           (("2026-10", '{"buy":"tag"}'), "unknown option 'buy'"), (("tag:a", "tag:b", '{"by":"model"}'), "by: costs of a request"),
                           (("2026-10", '{"from":"2026-01-01"}'), "from, to:"), (("2026-10", '{"billed":"free"}'), "option 'billed': expected 'paid' or 'list'"),
                           (("{}",), "expected a period")):
            message = error_of(self.db, f"SELECT * FROM llm_drift({', '.join('?' * len(args))})", *args)
            self.assertTrue(message.startswith("llm_drift: "), message)
            self.assertIn(part, message, args)

    def test_null_options_are_none(self):
        """As in every other report."""
        self.assertEqual(self.drift("2026-10", None), self.drift("2026-10"))
        self.assertEqual(self.drift("2026-09", "2026-10", None), self.drift("2026-09", "2026-10"))

    def test_rows_in_another_order(self):
        """The same calls in another order of rows are the same answer."""
        a = self.drift("2026-10")
        rows = [dict(r) for r in self.read_all()]
        random.Random(5).shuffle(rows)
        self.raw.execute("DELETE FROM llm_calls")
        self.insert([{k: v for k, v in r.items() if k != "id"} for r in rows])
        b = self.drift("2026-10")
        self.assertEqual([(r["driver"], r["detail"], r["change_nusd"]) for r in a], [(r["driver"], r["detail"], r["change_nusd"]) for r in b])

    def read_all(self):
        cursor = self.raw.execute("SELECT * FROM llm_calls")
        names = [d[0] for d in cursor.description]
        return [dict(zip(names, r)) for r in cursor.fetchall()]

    def test_without_a_ledger(self):
        """Nothing is made by asking."""
        db = connect(os.path.join(self.tmp.name, "fresh.db"))
        self.addCleanup(db.close)
        rows = self.drift("last month", db=db)
        self.assertIn("No spending", rows[0]["text"])
        self.assertFalse(os.path.exists(os.path.join(self.tmp.name, "fresh.db-llmcost")))


class Elsewhere(Drifts):
    """Money that is no row of the ledger: list prices, trimmed calls, invoices."""

    def test_list_prices_are_apart(self):
        self.insert([call(m, i, billed="list" if i % 2 else "paid", source="claude_code" if i % 2 else None) for m in (0, 1) for i in range(20 * (m + 1))])
        both = self.drift("2026-10")
        self.assertEqual({r["driver"]: r["after"] for r in both}["left out"], 20 * call(1, 0)["cost_nusd"] / 1e9)
        listed = self.drift("2026-10", '{"billed":"list"}')
        self.assertIn("At list prices", listed[0]["text"])
        self.assertEqual(listed[0]["after"], both[0]["after"])
        self.raw.execute("DELETE FROM llm_calls WHERE billed = 'paid'")
        self.assertIn("At list prices", self.drift("2026-10")[0]["text"])

    def test_trimmed_calls(self):
        """What retention leaves are sums: of models, tags and users each for itself."""
        self.insert([call(0, i, model=("gpt-4o", "gpt-4o-mini")[i % 2], tag=f"t{i % 3}") for i in range(60)]
                    + [call(1, i, model="gpt-4o-mini", tag="t0", system=3000) for i in range(90)])
        whole = self.drift("2026-10")
        tagged = self.drift("2026-10", '{"by":"tag"}')
        self.db.execute("SELECT llm_config('keep_calls', ?)", ("45d",)).fetchall()
        self.rows("SELECT count(*) FROM llm_calls")
        left = self.raw.execute("SELECT count(*) FROM llm_calls WHERE ts < ?", (AFTER,)).fetchone()[0]
        self.assertEqual(left, 0, "the test asks for November or later")
        rows = self.drift("2026-10")
        self.assertEqual((rows[0]["before"], rows[0]["after"]), (whole[0]["before"], whole[0]["after"]))
        self.assertIn("input tokens", self.by_driver(rows))
        sums = lambda rows: {v: sum(r["change_nusd"] or 0 for r in rows if r["value"] == v) for v in {r["value"] for r in rows}}
        self.assertEqual(sums(self.drift("2026-10", '{"by":"tag"}')), sums(tagged))
        self.assertIn("were trimmed (keep_calls)", error_of(self.db, "SELECT * FROM llm_drift('2026-10', '{\"by\":\"tag\",\"model\":\"gpt-4o\"}')"))


if __name__ == "__main__":
    unittest.main()
