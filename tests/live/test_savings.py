"""llm_savings and llm_prefix_cache: each saving against its baseline, signed, and all of them adding up to what was spent."""
import hashlib
import json
import os
import random
import unittest

from batch_desk import HAIKU, BatchDesk
from harness import Desk, Standin, TempDir, connect, error_of, open_desk, value
from ledgers import DAY, HOUR, MINUTE, NOW, Ledger, numbered, random_requests, random_rows

SAVINGS = ("structured", "brevity", "zero_shot", "pruning", "routing", "batch", "service", "prefix", "exact", "semantic", "prices")
PLAIN = ("cache_read", "cache_write", "cache_write_1h")
SYSTEM = "You are the desk of a shop. " + "Rule by rule, word by word. " * 400


class Books(unittest.TestCase):
    """A database with a ledger that the tests write."""

    def setUp(self):
        self.tmp = TempDir()
        self.addCleanup(self.tmp.cleanup)
        path = os.path.join(self.tmp.name, "desk.db")
        self.db = connect(path)
        self.addCleanup(self.db.close)
        self.ledger = Ledger(self.db, path)
        self.addCleanup(self.ledger.close)

    def rows(self, sql, *args):
        found = self.db.execute(sql, args)
        names = [d[0] for d in found.description]
        return [dict(zip(names, row)) for row in found.fetchall()]

    def savings(self, options=None, billed="paid"):
        lines = self.rows("SELECT * FROM llm_savings(?)", options)
        return {(r["saving"], r["who"]) if r["who"] else r["saving"]: r for r in lines if r["billed"] == billed}

    def nusd(self, line, **more):
        return self.savings(**more)[line]["nusd"]

    def write(self, *rows):
        self.ledger.write(rows)


def plain(usage, *gone):
    return {k: v for k, v in usage.items() if k not in (gone or PLAIN)}


def pruned(ledger, row, usage):
    """What the history that was not sent had come to, read from the provider's cache: our count, scaled by what was billed."""
    notes = json.loads(row.get("notes") or "{}")
    if "pruned" not in notes or usage["input"] <= 0:
        return 0
    tokens = int(notes["pruned"] * usage["input"] / notes["sent"] + 0.5)
    own = {"input": tokens, "cache_read": tokens, "output": 0, **({"service": usage["service"]} if "service" in usage else {})}
    return ledger.cost(row["model"], own, row["ts"], row["provider"]) or 0


def expected(ledger, rows, billed, of_all=None):
    """The same, said in another way: of each row from its usage alone. `of_all`: the ledger that they are a part of."""
    tiers = [r[0] for r in ledger.db.execute("SELECT model FROM llm_tiers")]
    superseded = {r["escalated_from"] for r in of_all or rows if r.get("escalated_from")}
    lines = dict.fromkeys(["baseline", "spend", *SAVINGS], 0)
    for row in rows:
        cost, kind = row.get("cost_nusd"), row["kind"]
        if (row.get("billed") or "paid") != billed or kind == "refused":
            continue
        if kind in ("hit_exact", "hit_semantic"):
            lines[kind[4:]] += row["saved_nusd"] or 0
            lines["baseline"] += row["saved_nusd"] or 0
            continue
        if cost is None:
            continue
        usage = json.loads(row["usage"])
        own = lambda u: ledger.cost(row["model"], u, row["ts"], row["provider"])
        first = lambda *costs: next(c for c in costs if c is not None)
        cached = first(own(usage), cost)
        sold = first(own(plain(usage)), cached)
        named = first(own(plain(usage, *PLAIN, "service")), sold)
        beside = row.get("purpose") or row["id"] in superseded
        there = [ledger.cost(m, plain(usage, *PLAIN, "service"), row["ts"]) for m in tiers] if row.get("tier") else []
        base = 0 if beside else max((c for c in there if c is not None), default=named)
        spared = pruned(ledger, row, usage)
        base += spared
        lines["pruning"] += spared
        for line, saved in (("prices", cached - cost), ("prefix", sold - cached), ("pruning" if row.get("purpose") == "summary" else "routing", base - spared - named),
                            ("batch" if usage.get("service") == "batch" else "service", named - sold)):
            lines[line] += saved
        lines["baseline"] += base
        lines["spend"] += cost
    return lines


class AddsUp(Books):
    def check(self, rows):
        for billed in {"paid", *(r.get("billed") for r in rows if r.get("billed"))}:
            lines = self.rows("SELECT * FROM llm_savings WHERE billed = ?", billed)
            said = {}
            for line in lines:
                said[line["saving"]] = said.get(line["saving"], 0) + line["nusd"]
            self.assertEqual(said["spend"] + sum(said[s] for s in SAVINGS), said["baseline"])
            self.assertEqual(said, expected(self.ledger, rows, billed))
            spent = [r["cost_nusd"] for r in rows if r["kind"] not in ("refused", "hit_exact", "hit_semantic")
                     and r.get("cost_nusd") is not None and (r.get("billed") or "paid") == billed]
            self.assertEqual(said["spend"], sum(spent))
            for line in lines:
                share = line["nusd"] / said["baseline"] if said["baseline"] else None
                self.assertEqual(line["share"] is None, share is None)
                self.assertAlmostEqual(line["share"] or 0, share or 0, places=9)

    def test_random_ledgers(self):
        negative = 0
        for seed in range(1000):
            self.ledger.clear()
            rows = random_rows(random.Random(seed), self.ledger, requests=12)
            self.write(*rows)
            with self.subTest(seed=seed):
                self.check(rows)
                negative += self.nusd("routing") < 0
        self.assertGreater(negative, 60)

    def test_the_order_of_rows_does_not_matter(self):
        for seed in range(100):
            rnd = random.Random(seed)
            requests = random_requests(rnd, self.ledger, requests=60, days=3)
            said = []
            for _ in range(3):
                self.ledger.clear()
                self.write(*numbered(requests))
                said.append([self.rows(f"SELECT * FROM {t}") for t in ("llm_savings", "llm_prefix_cache", "llm_system_prompts")])
                rnd.shuffle(requests)
            self.assertEqual(said[0], said[1])
            self.assertEqual(said[0], said[2])

    def test_prices_that_changed_since(self):
        """What is priced otherwise now is a line of its own: nothing else moves."""
        rows = random_rows(random.Random(4), self.ledger, requests=60)
        self.write(*rows)
        before = self.savings()["spend"]["nusd"]
        self.db.execute("INSERT INTO llm_prices(model, kind, usd_per_million) VALUES ('gpt-4o', 'output', 50)")
        self.ledger.priced.clear()
        self.check(rows)
        after = self.savings()
        self.assertEqual(after["spend"]["nusd"], before)
        self.assertGreater(after["prices"]["nusd"], 0)

    def test_parts_of_time_add_up(self):
        rows = [r for r in random_rows(random.Random(5), self.ledger, requests=200, days=4) if not r.get("escalated_from")]
        self.write(*rows)
        whole = self.savings()
        cut = NOW - 2 * DAY
        parts = [self.savings(json.dumps(o)) for o in ({"to": cut}, {"from": cut})]
        for line, row in whole.items():
            for column in ("nusd", "calls", "unpriced"):
                self.assertEqual(row[column], sum(p[line][column] for p in parts), (line, column))
        tags = [self.nusd("spend", options=json.dumps({"tag": t})) for t in ("mail", "chat", "it's")]
        untagged = sum(r["cost_nusd"] or 0 for r in rows if r["tag"] is None and r.get("billed") != "list")
        self.assertEqual(sum(tags) + untagged, whole["spend"]["nusd"])

    def test_a_ledger_that_was_handed_on(self):
        """Rows as JSON Lines, imported elsewhere: the same reports, but for what only the row of this store says (notes, escalations)."""
        rows = [r for r in random_rows(random.Random(6), self.ledger, requests=150) if r["kind"] in ("call", "batch", "hit_exact")
                and r.get("cost_nusd") is not None and r.get("saved_nusd", 0) is not None and not r.get("escalated_from") and r.get("billed") != "list"]
        rows = [{**{k: v for k, v in r.items() if k not in ("notes", "source", "billed", "error")}, "id": i, "cost_nusd": r.get("list_nusd", 0)}
                for i, r in enumerate(rows)]
        self.write(*rows)
        path = os.path.join(self.tmp.name, "rows.jsonl")
        with open(path, "w") as f:
            f.writelines(json.dumps(r) + "\n" for r in rows)
        other = connect(os.path.join(self.tmp.name, "other.db"))
        self.addCleanup(other.close)
        self.assertEqual(json.loads(value(other, "SELECT llm_import(?)", path))["calls"], len(rows))
        for sql in ("SELECT saving, who, calls, nusd, unpriced FROM llm_savings WHERE billed = 'paid'",
                    "SELECT tag, model, provider, who, hits, net_nusd, within_1h FROM llm_prefix_cache", "SELECT * FROM llm_conversations",
                    "SELECT tag, version, calls, tokens, cost_usd FROM llm_system_prompts"):
            self.assertEqual(other.execute(sql).fetchall(), self.db.execute(sql).fetchall(), sql)

    def test_nothing(self):
        lines = self.savings()
        self.assertEqual({r["nusd"] for r in lines.values()}, {0})
        self.assertEqual({r["share"] for r in lines.values()}, {None})
        self.assertEqual(len(lines), 15)
        self.assertEqual(self.savings(billed="list"), {})
        for table in ("llm_prefix_cache", "llm_conversations", "llm_system_prompts"):
            self.assertEqual(self.rows(f"SELECT * FROM {table}"), [])


class Split(Books):
    """By day, tag and model: each split is whole, and together they are what it says without."""

    def split(self, by, **options):
        lines = self.rows("SELECT * FROM llm_savings(?)", json.dumps({**options, "by": by}))
        splits = {}
        for r in lines:
            splits.setdefault((r["day"], r["tag"], r["model"], r["billed"]), []).append(r)
        self.assertEqual(list(splits), sorted(splits, key=lambda k: [(v is not None, v or "") for v in k[:3]] + [k[3] == "list"]))
        return splits

    def key_of(self, row, by):
        day = value(self.db, "SELECT date(? / 1000, 'unixepoch')", row["ts"])
        model = row.get("model") or row["model_requested"]
        own = {"day": day, "tag": row.get("tag"), "model": model}
        return (*(own[d] if d in by else None for d in ("day", "tag", "model")), row.get("billed") or "paid")

    def check(self, rows, by):
        splits, whole = self.split(by), {}
        own = {}
        for row in rows:
            if row["kind"] != "refused":
                own.setdefault(self.key_of(row, by), []).append(row)
        self.assertEqual(set(splits), set(own))
        for key, lines in splits.items():
            said = dict.fromkeys(["baseline", "spend", *SAVINGS], 0)
            for line in lines:
                self.assertGreater(line["calls"] + line["unpriced"], 0)
                said[line["saving"]] += line["nusd"]
                sums = whole.setdefault((line["saving"], line["who"], line["billed"]), [0, 0, 0])
                for i, column in enumerate(("nusd", "calls", "unpriced")):
                    sums[i] += line[column]
            self.assertEqual(said["spend"] + sum(said[s] for s in SAVINGS), said["baseline"])
            self.assertEqual(said, expected(self.ledger, own[key], key[3], rows))
            for line in lines:
                self.assertAlmostEqual(line["share"] or 0, line["nusd"] / said["baseline"] if said["baseline"] else 0, places=9)
        for line in self.rows("SELECT * FROM llm_savings"):
            self.assertEqual([line[c] for c in ("nusd", "calls", "unpriced")], whole.get((line["saving"], line["who"], line["billed"]), [0, 0, 0]), line)

    def test_random_ledgers(self):
        ways = ("tag", ["model"], "day", ["tag", "model"], ["day", "tag"], ["model", "day"], ["day", "model", "tag", "tag"])
        for seed in range(140):
            self.ledger.clear()
            rows = random_rows(random.Random(seed), self.ledger, requests=25, days=4)
            self.write(*rows)
            by = ways[seed % len(ways)]
            with self.subTest(seed=seed, by=by):
                self.check(rows, [by] if isinstance(by, str) else by)
                if isinstance(by, str):
                    self.assertEqual(self.split(by), self.split([by]))

    def test_days_are_those_of_the_time_zone(self):
        usage = {"input": 1000, "output": 10}
        self.write(*(self.ledger.call("gpt-4o", usage, ts=NOW + ms) for ms in (-1, 0, 5 * HOUR, 15 * HOUR, DAY - 1)))
        days = lambda: [(r["day"], r["calls"]) for r in self.rows("""SELECT day, calls FROM llm_savings('{"by":"day"}') WHERE saving = 'spend'""")]
        self.assertEqual(days(), [("2026-11-27", 1), ("2026-11-28", 4)])
        for zone, said in {"Asia/Tokyo": [("2026-11-28", 3), ("2026-11-29", 2)], "-05:00": [("2026-11-27", 2), ("2026-11-28", 3)]}.items():
            self.db.execute("SELECT llm_config('time_zone', ?)", (zone,)).fetchall()
            self.assertEqual(days(), said, zone)

    def test_models_by_their_plain_names(self):
        """Of hits too; where no answer came that which was asked for; none where the ledger has none."""
        usage = {"input": 1000, "output": 10}
        self.write(self.ledger.call("gpt-4o", usage), {**self.ledger.call("gpt-4o", usage), "model": "openai/gpt-4o-2024-08-06"},
                   self.ledger.hit(model="GPT-4o"), self.ledger.lost("gpt-4o-2024-11-20"), self.ledger.hit(model=None))
        lines = {(r["model"], r["saving"]): r["calls"] for r in self.rows("SELECT * FROM llm_savings(?)", '{"by":"model"}')}
        self.assertEqual(lines, {(None, "baseline"): 1, (None, "exact"): 1, ("gpt-4o", "baseline"): 4, ("gpt-4o", "exact"): 1, ("gpt-4o", "spend"): 3})

    def test_a_time_that_no_calendar_has(self):
        self.write(*({**self.ledger.call("gpt-4o", {"input": 9, "output": 1}), "ts": ts} for ts in (-1, 2**62, 253402300799999)))
        self.assertEqual([k[0] for k in self.split("day")], [None, "9999-12-31"])

    def test_with_the_other_options(self):
        self.write(*(self.ledger.call("gpt-4o", {"input": 9, "output": 1}, tag=t, ts=NOW - d * DAY) for t in ("a", "b") for d in range(3)))
        self.assertEqual(list(self.split("day", tag="a", **{"from": "2026-11-27"})), [(d, None, None, "paid") for d in ("2026-11-27", "2026-11-28")])
        self.assertEqual(self.split("tag", tag="c"), {})

    def test_wrong_ones(self):
        for by in ("user", "", ["tag", "moon"], [], [["tag"]], 1, {}, True):
            said = error_of(self.db, "SELECT * FROM llm_savings(?)", json.dumps({"by": by}))
            self.assertIn("llm_savings: option 'by': expected 'day', 'tag' or 'model', or an array of these", said)
        self.assertEqual(len(self.rows("SELECT * FROM llm_savings('{\"by\":null}')")), 15)
        self.assertIn("unknown option 'by'", error_of(self.db, "SELECT * FROM llm_prefix_cache('{\"by\":\"tag\"}')"))

    def test_too_many(self):
        self.write(*({"kind": "hit_exact", "ts": NOW, "tag": f"t{i % 100001}", "request_id": "r", "attempt": 0, "saved_nusd": 7} for i in range(100002)))
        self.assertEqual(self.nusd("exact"), 7 * 100002)
        said = error_of(self.db, "SELECT * FROM llm_savings('{\"by\":[\"tag\",\"day\"]}')")
        self.assertIn("llm_savings: more than 100000 combinations of what 'by' names: leave out one of them", said)
        self.ledger.store.execute("DELETE FROM llm_calls WHERE tag = 't100000'")
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_savings('{\"by\":\"tag\"}') WHERE saving = 'exact'"), 100000)


class Signed(Books):
    def test_writes_count_against_reads(self):
        """Q01: 20,000 written and 1,000 read at $3 a million: -0.0123, not +0.0027."""
        self.write(self.ledger.call("claude-sonnet-4-6", {"input": 21000, "cache_read": 1000, "cache_write": 20000, "output": 0}))
        lines = self.savings()
        self.assertEqual(lines["prefix", "caller"]["nusd"], -12300000)
        self.assertEqual(lines["prefix", "caller"]["usd"], -0.0123)
        self.assertEqual(lines["baseline"]["nusd"], 63000000)
        self.assertEqual(lines["spend"]["nusd"], 75300000)
        (row,) = self.rows("SELECT * FROM llm_prefix_cache")
        self.assertEqual((row["gained_usd"], row["lost_usd"], row["net_usd"], row["net_nusd"]), (0.0027, 0.015, -0.0123, -12300000))

    def test_routing_that_made_calls_dearer(self):
        """Q02: four calls of ten at a model that is dearer than all tiers: the sum is signed, row by row."""
        self.db.execute("DELETE FROM llm_tiers WHERE name = 'complex'")
        usage = {"input": 1000, "output": 500}
        dear, cheap = (self.ledger.call(m, usage, tier="x") for m in ("claude-opus-4-8", "gpt-4o-mini"))
        self.write(*(dict(dear, request_id=f"d{i}") for i in range(4)), *(dict(cheap, request_id=f"c{i}") for i in range(6)))
        base = max(self.ledger.cost(m, usage, NOW) for (m,) in self.db.execute("SELECT model FROM llm_tiers"))
        line = self.savings()["routing"]
        self.assertEqual(line["nusd"], 10 * base - 4 * dear["cost_nusd"] - 6 * cheap["cost_nusd"])
        self.assertLess(line["nusd"], 6 * (base - cheap["cost_nusd"]))
        self.assertEqual((line["calls"], line["unpriced"]), (10, 0))

    def test_the_share_is_of_everything(self):
        """Q03: 590 calls, 466 of them without any saving: they are in the denominator."""
        usage = {"input": 3000, "output": 100}
        self.write(*(self.ledger.call("gpt-4o", usage) for _ in range(466)),
                   *(self.ledger.call("gpt-4o", {**usage, "cache_read": 2048}) for _ in range(124)))
        line, whole = self.savings()["prefix", "provider"], self.ledger.cost("gpt-4o", usage, NOW)
        self.assertEqual(line["nusd"], 124 * 2048 * 1250)
        self.assertAlmostEqual(line["share"], line["nusd"] / (590 * whole), places=9)
        (row,) = self.rows("SELECT * FROM llm_prefix_cache")
        self.assertEqual((row["calls"], row["eligible"], row["hits"]), (590, 590, 124))
        self.assertAlmostEqual(row["hit_percent"], 100 * 124 / 590, places=9)

    def test_an_answer_that_did_not_pass(self):
        """What routing bought in vain counts against it, once, and the request has one baseline."""
        usage = {"input": 1000, "output": 100}
        first = self.ledger.call("gpt-4o-mini", usage, tier="simple", tier_drawn="simple", tier_served="simple", error="gate: no", id=1)
        second = self.ledger.call("gpt-4o", {"input": 1000, "output": 400}, tier="complex", tier_drawn="simple", tier_served="complex",
                                  attempt=2, escalated_from=1, request_id=first["request_id"], id=2)
        judge = self.ledger.call("gpt-4o-mini", usage, purpose="verifier", attempt=3, request_id=first["request_id"], id=3)
        self.write(first, second, judge)
        lines = self.savings()
        self.assertEqual(lines["baseline"]["nusd"], max(self.ledger.cost(m, {"input": 1000, "output": 400}, NOW) for m in ("gpt-4o", "claude-haiku-4-5")))
        self.assertEqual(lines["routing"]["nusd"], lines["baseline"]["nusd"] - sum(r["cost_nusd"] for r in (first, second, judge)))
        self.assertLess(lines["routing"]["nusd"], 0)

    def test_the_dearest_of_the_tiers(self):
        """Wherever it stands among them, and of each call anew: one is dearer in what it reads, the other in what it writes."""
        self.db.execute("UPDATE llm_tiers SET model = CASE name WHEN 'simple' THEN 'reads' WHEN 'medium' THEN 'writes' ELSE 'gpt-4o-mini' END")
        for model, kind, usd in (("reads", "input", 90), ("reads", "output", 1), ("writes", "input", 1), ("writes", "output", 90)):
            self.db.execute("INSERT INTO llm_prices(model, kind, usd_per_million) VALUES (?, ?, ?)", (model, kind, usd))
        self.write(*(self.ledger.call("gpt-4o-mini", u, tier="complex") for u in ({"input": 1000, "output": 10}, {"input": 10, "output": 1000})))
        self.assertEqual(self.nusd("baseline"), 2 * (1000 * 90000 + 10 * 1000))

    def test_a_place_stays_with_who_has_it(self):
        """Where a provider had to run costs more there; the baseline's model, somebody else's, has no such price."""
        row = self.ledger.call("claude-opus-4-8", {"input": 1000, "output": 100, "geo": "us"}, tier="medium")
        self.assertGreater(row["cost_nusd"], self.ledger.cost("claude-opus-4-8", {"input": 1000, "output": 100}, NOW))
        self.write(row)
        line = self.savings()["routing"]
        self.assertEqual((line["nusd"], line["unpriced"]), (self.ledger.cost("gpt-4o", {"input": 1000, "output": 100}, NOW) - row["cost_nusd"], 0))

    def test_what_is_no_request(self):
        """A batch's own usage differs from its answers': a row that cost nothing."""
        self.write(self.ledger.call("gpt-4o", {"difference": {"input": 5, "output": 0}}, kind="batch", purpose="difference", cost_nusd=0))
        self.assertEqual({(r["calls"], r["unpriced"]) for r in self.savings().values()}, {(0, 0)})
        self.assertEqual(self.rows("SELECT * FROM llm_prefix_cache"), [])

    def test_named_models_save_nothing_by_routing(self):
        self.write(self.ledger.call("gpt-4o-mini", {"input": 1000, "output": 100}), self.ledger.call("gpt-4o-mini", {"input": 9, "output": 1}, tier="only key"))
        line = self.savings()["routing"]
        self.assertEqual((line["nusd"], line["calls"]), (0, 0))

    def test_a_routed_call_with_cached_input_in_a_batch(self):
        """Overlapping savings have an order, and no rest."""
        usage = {"input": 10000, "cache_read": 8000, "output": 500, "service": "batch"}
        self.write(self.ledger.call("claude-haiku-4-5", usage, kind="batch", tier="medium"))
        lines = self.savings()
        dollars = {line: row["usd"] for line, row in lines.items() if row["nusd"]}
        # gpt-4o: 10,000 × 2.50 + 500 × 10; haiku: 1 and 5, half of it in a batch, a tenth of that where it is read
        self.assertEqual(dollars, {"baseline": 0.03, "routing": 0.0175, "batch": 0.00625, ("prefix", "caller"): 0.0036, "spend": 0.00265})


class Prices(Books):
    """Q06: what is absent is not free, and what is free is not absent."""

    def price(self, kind, usd):
        self.db.execute("INSERT INTO llm_prices(model, kind, usd_per_million) VALUES ('mine', ?, ?)", (kind, usd))

    def test_a_cache_price_that_is_absent_or_free(self):
        self.price("input", 2)
        self.price("output", 4)
        usage = {"input": 1000, "cache_read": 600, "output": 10}
        for cache_read, saved in ((None, 0), (0, 600 * 2000), (0.5, 600 * 1500)):
            if cache_read is not None:
                self.db.execute("DELETE FROM llm_prices WHERE kind = 'cache_read'")
                self.price("cache_read", cache_read)
            self.ledger.priced.clear()
            self.ledger.clear()
            row = self.ledger.call("mine", usage, "me")
            self.assertEqual(row["cost_nusd"], 1000 * 2000 - saved + 10 * 4000)
            self.write(row)
            lines = self.savings()
            self.assertEqual(lines["prefix", "provider"]["nusd"], saved, cache_read)
            self.assertEqual(lines["spend"]["nusd"] + saved, lines["baseline"]["nusd"])

    def test_a_tier_without_a_price(self):
        """It is no baseline; where none has one, nothing is claimed, and said so."""
        row = self.ledger.call("gpt-4o-mini", {"input": 1000, "output": 100}, tier="simple")
        self.write(row)
        known = self.savings()["routing"]
        self.assertGreater(known["nusd"], 0)
        self.db.execute("UPDATE llm_tiers SET model = 'nobody-sells-this' WHERE name <> 'complex'")
        self.assertEqual(self.savings()["routing"]["nusd"], known["nusd"])
        self.db.execute("UPDATE llm_tiers SET model = 'nobody-sells-this'")
        line = self.savings()["routing"]
        self.assertEqual((line["nusd"], line["unpriced"], line["calls"]), (0, 1, 1))
        self.assertEqual(self.nusd("baseline"), row["cost_nusd"])

    def test_what_has_no_price_is_in_no_sum(self):
        self.write(self.ledger.call("nobody-sells-this", {"input": 10, "output": 5}), self.ledger.lost("gpt-4o"), self.ledger.hit(saved_nusd=None))
        lines = self.savings()
        self.assertEqual({r["nusd"] for r in lines.values()}, {0})
        self.assertEqual((lines["spend"]["unpriced"], lines["baseline"]["unpriced"], lines["exact"]["unpriced"]), (2, 3, 1))

    def test_a_stated_cost_without_a_price(self):
        """The ledger knows what it cost, nobody why: no saving is claimed."""
        self.write(self.ledger.call("nobody-sells-this", {"input": 10, "cache_read": 5, "output": 5}, cost_nusd=777))
        lines = self.savings()
        self.assertEqual((lines["baseline"]["nusd"], lines["spend"]["nusd"], lines["prices"]["unpriced"]), (777, 777, 1))

    def test_a_usage_that_nobody_can_read(self):
        """Nobody says of what service it was: it is no service of its own."""
        self.write({**self.ledger.call("gpt-4o", {"input": 10, "output": 5}), "usage": "{{{"})
        lines = self.savings()
        self.assertEqual((lines["service"]["calls"], lines["spend"]["calls"], lines["prices"]["unpriced"]), (0, 1, 1))

    def test_searches_stay_what_they_cost(self):
        """Fees are not priced at the baseline's model: it may not sell them."""
        usage = {"input": 1000, "output": 100, "web_search": 3}
        row = self.ledger.call("claude-haiku-4-5", usage, tier="medium")
        self.assertGreater(row["cost_nusd"], 30 * 10**6)
        self.write(row)
        lines = self.savings()
        tokens = self.ledger.cost("gpt-4o", plain(usage, "web_search"), NOW) - self.ledger.cost("claude-haiku-4-5", plain(usage, "web_search"), NOW)
        self.assertEqual(lines["routing"]["nusd"], tokens)

    def test_what_is_at_list_prices_is_apart(self):
        row = self.ledger.call("claude-haiku-4-5", {"input": 5000, "cache_read": 4000, "output": 100})
        self.write(row, {**row, "request_id": "b", "source": "claude_code", "billed": "list"})
        for billed in ("paid", "list"):
            self.assertEqual(self.nusd("spend", billed=billed), row["cost_nusd"])
            self.assertEqual(self.nusd(("prefix", "caller"), billed=billed), 4000 * 900)
        self.assertEqual([r["billed"] for r in self.rows("SELECT * FROM llm_prefix_cache")], ["list", "paid"])


class Forms(Books):
    """`structured`, `brevity`, `zero_shot`: what a prompt cost in one form beside another that differs in nothing else."""

    BASE = "You answer for a shop. Be kind."
    BRIEF = BASE + " Answer in at most two sentences."
    FEW = BASE + "\n\n# Examples\n\n" + "\n\n".join(f"Message: parcel {c} is late\nAnswer: I am sorry, {c}." for c in ("Ann", "Bob", "Cyd", "Dan"))
    OUTPUT, INPUT = 10000, 2500  # nano-dollars a token: gpt-4o

    def ask(self, system=BASE, schema=False, prompt="p", model="gpt-4o", kept=True, error=None, tag=None, ts=NOW, **usage):
        """The row of a call; its system prompt among the texts."""
        name = system and hashlib.md5(system.encode()).hexdigest()
        if name and kept:
            self.ledger.store.execute("INSERT OR IGNORE INTO llm_texts(hash, text) VALUES (?, ?)", (name, system))
        return self.ledger.call(model, {"input": 100, "output": 50, **usage}, prompt_hash=prompt, system_hash=name, error=error, tag=tag, ts=ts,
                                notes='{"asked":{"schema":true}}' if schema else None)

    def forms(self, *rows, options=None):
        """What these rows alone say: of each form its nano-dollars, if it is about any call. In any split they add up, and to the same."""
        self.ledger.clear()
        self.write(*rows)
        whole = self.savings(options)
        self.adds_up(options)
        for by in ("tag", "model", "day"):
            split = self.adds_up(json.dumps({**json.loads(options or "{}"), "by": by}))
            self.assertEqual({s: n for s, n in split.items() if n}, {k[0] if isinstance(k, tuple) else k: r["nusd"] for k, r in whole.items() if r["nusd"]})
        said = {f: whole[f] for f in ("structured", "brevity", "zero_shot") if whole[f]["calls"]}
        self.assertEqual({f: r["unpriced"] for f, r in said.items() if r["unpriced"]}, {})
        return {f: r["nusd"] for f, r in said.items()}

    def adds_up(self, options):
        sums = dict(self.db.execute("SELECT saving, sum(nusd) FROM llm_savings(?) GROUP BY 1", (options,)).fetchall())
        self.assertEqual(sums.get("baseline", 0), sum(n for s, n in sums.items() if s != "baseline"))
        return sums

    def test_each_form(self):
        self.assertEqual(self.forms(self.ask(output=200), self.ask(output=80, schema=True)), {"structured": 120 * self.OUTPUT})
        self.assertEqual(self.forms(self.ask(output=200), self.ask(self.BRIEF, output=60)), {"brevity": 140 * self.OUTPUT})
        self.assertEqual(self.forms(self.ask(self.FEW, input=300), self.ask()), {"zero_shot": 200 * self.INPUT})

    def test_models_that_think(self):
        """What it would have been is a usage too: no more of it can be reasoning than there is. Half gained and half lost is nothing."""
        think = lambda output, reasoning, prompt, **more: self.ask(model="gpt-5.6-sol", output=output, reasoning=reasoning, prompt=prompt, **more)
        price = self.ledger.cost("gpt-5.6-sol", {"input": 0, "output": 1000}, NOW) // 1000
        for form, other in (("structured", {"schema": True}), ("brevity", {"system": self.BRIEF})):
            pairs = [think(1000, 800, "p"), think(500, 450, "p", **other), think(500, 200, "q"), think(1000, 950, "q", **other)]
            self.assertEqual(self.forms(*pairs), {form: 0})
            self.assertEqual(self.forms(think(300, 0, "p"), think(500, 450, "p", **other)), {form: -200 * price})

    def test_losses_of_input_that_was_cached(self):
        """Examples that were shorter than what went without them; the baseline has no cache, so what they come to there is plain."""
        for model, cached in (("gpt-4o", "cache_read"), ("claude-haiku-4-5", "cache_write"), ("claude-haiku-4-5", "cache_write_1h")):
            price = self.ledger.cost(model, {"input": 1000, "output": 0}, NOW) // 1000
            usage = {cached: 4800, **({"cache_write": 4900} if cached == "cache_write_1h" else {})}
            few, zero = self.ask(self.FEW, model=model, input=3000), self.ask(model=model, input=5000, **usage)
            self.assertEqual(self.forms(few, zero), {"zero_shot": -2000 * price}, (model, cached))

    def test_kinds_of_tokens_have_their_share(self):
        """Of fewer tokens each kind has its share: a spoken answer that would have been half as long is half as much sound."""
        for kind, usd in (("input", 1), ("output", 2), ("output_audio", 40)):
            self.db.execute("INSERT INTO llm_prices(model, kind, usd_per_million) VALUES ('speaks', ?, ?)", (kind, usd))
        rows = [self.ask(model="speaks", output=100, output_audio=0), self.ask(self.BRIEF, model="speaks", output=200, output_audio=160)]
        self.assertEqual(self.forms(*rows), {"brevity": -(80 * 40000 + 20 * 2000)})
        rows = [self.ask(model="speaks", output=300, output_audio=0), self.ask(self.BRIEF, model="speaks", output=200, output_audio=160)]
        self.assertEqual(self.forms(*rows), {"brevity": 100 * 2000})

    def test_a_long_bound_is_no_brevity(self):
        for more in ("Write at least 900 words.", "Answers may be up to 2,000 words long.", "Write about 900 words."):
            self.assertEqual(self.forms(self.ask(output=200), self.ask(f"{self.BASE} {more}", output=1200)), {}, more)
            self.assertEqual(self.forms(self.ask(f"{self.BASE} {more}", output=1200), self.ask(self.BRIEF, output=20)), {}, more)

    def test_other_prompts_are_no_forms(self):
        """People say Hello to everybody."""
        bank = "You are a bot of a bank. Be brief."
        self.assertEqual(self.forms(self.ask("You are a novelist. Write rich chapters.", output=900), self.ask(bank, output=20)), {})
        self.assertEqual(self.forms(self.ask(None, output=900), self.ask(bank, output=20)), {})
        self.assertEqual(self.forms(self.ask(self.FEW, input=4000), self.ask("You are a bot of a bank.", input=60)), {})
        self.assertEqual(self.forms(self.ask("You write poems.", output=900), self.ask("You are a bot of a bank.", output=20, schema=True)), {})
        self.assertEqual(self.forms(self.ask(self.FEW, input=300, output=200), self.ask(self.BRIEF, output=60)), {})  # two differences

    def test_nothing_else_differs(self):
        """What a form adds, with the heading or the marker that it stands under, is not compared; all else is, word by word."""
        pair = lambda one, other, **more: self.forms(self.ask(one, output=200, input=300), self.ask(other, **more))
        brief, few, structured = {"brevity": 150 * self.OUTPUT}, {"zero_shot": 200 * self.INPUT}, {"structured": 150 * self.OUTPUT}
        self.assertEqual(pair(None, "Be brief."), brief)
        self.assertEqual(pair("- Be kind.\n- Name the order.", "- Be kind.\n- Keep it short.\n- Name the order."), brief)
        self.assertEqual(pair("1. Be kind.\n2. Name the order.", "1. Be kind.\n2. Keep it short.\n3. Name the order."), brief)
        self.assertEqual(pair("You sell tea.", "You sell tea.\n\n## Length\n\nBe brief. Use at most 50 words.\n"), brief)
        self.assertEqual(pair("You sell tea.", "You sell coffee. Be brief."), {})
        self.assertEqual(pair(self.FEW + "\n\n# Rules\n\nBe fair.", self.BASE + "\n\n# Rules\n\nBe fair."), few)
        shown = "<example>\nMessage: late\nAnswer: Sorry.\n</example>"
        self.assertEqual(pair(f"{self.BASE}\n\n<examples>\n{shown}\n{shown}\n</examples>", self.BASE), few)
        led = "Here are some examples:\n\nInput: late parcel\nOutput: Sorry.\n\nInput: no parcel\nOutput: Sorry again."
        self.assertEqual(pair(f"{self.BASE}\n\n{led}", self.BASE), few)
        self.assertEqual(pair(f"{self.BASE} Respond only with valid JSON.", self.BASE, schema=True), structured)
        self.assertEqual(pair(f"{self.BASE} Respond only with valid JSON.", f"{self.BASE} Be fair.", schema=True), {})

    def test_what_examples_say_is_no_wish(self):
        """A message of an example that asks for brevity is nobody's order."""
        wish = self.FEW + "\n\nMessage: Be brief.\nAnswer: Sure."
        self.assertEqual(self.forms(self.ask(self.FEW, output=200), self.ask(wish, output=60)), {})

    def test_texts_that_are_not_kept(self):
        """Whether prompts differ in nothing else is not known then; that one is the same as itself is."""
        self.ledger.store.execute("DELETE FROM llm_texts")
        ask = lambda system, **more: self.ask(system, kept=False, **more)
        self.assertEqual(self.forms(ask(self.BASE, output=200), ask(self.BRIEF, output=60)), {})
        self.assertEqual(self.forms(ask(self.FEW, input=300), ask(self.BASE)), {})
        self.assertEqual(self.forms(ask(self.BASE, output=200), ask(self.BRIEF, output=80, schema=True)), {})
        self.assertEqual(self.forms(ask(self.BASE, output=200), ask(self.BASE, output=80, schema=True)), {"structured": 120 * self.OUTPUT})

    def test_which_calls_are_counted_changes_no_saving(self):
        """The other form is looked for in the whole ledger: a part of it says what the split says of that part."""
        rows = [self.ask(output=200, tag="prose", ts=NOW - 20 * DAY), self.ask(output=80, schema=True, tag="json"),
                self.ask(self.BRIEF, output=60, tag="brief", ts=NOW - DAY), self.ask(self.FEW, input=300, tag="few", ts=NOW - 30 * DAY)]
        whole = {"structured": 120 * self.OUTPUT, "brevity": 140 * self.OUTPUT, "zero_shot": 200 * self.INPUT}
        self.assertEqual(self.forms(*rows), whole)
        for tag, form in {"json": "structured", "brief": "brevity", "prose": "zero_shot", "few": None}.items():
            by_tag = dict(self.db.execute("SELECT saving, nusd FROM llm_savings('{\"by\":\"tag\"}') WHERE tag = ?", (tag,)).fetchall())
            part = self.forms(*rows, options=json.dumps({"tag": tag}))
            self.assertEqual(part, {f: n for f, n in whole.items() if f == form})
            self.assertEqual(part, {f: n for f, n in by_tag.items() if f in whole})
        self.assertEqual(self.forms(*rows, options=json.dumps({"from": NOW})), {"structured": 120 * self.OUTPUT})
        self.assertEqual(self.forms(*rows, options=json.dumps({"from": NOW - 5 * DAY, "to": NOW})), {"brevity": 140 * self.OUTPUT})

    def test_only_what_the_schema_refused_counts_against_it(self):
        """An attempt that failed for another reason would have failed in prose too."""
        pair = [self.ask(output=200), self.ask(output=80, schema=True)]
        refused = self.ask(output=5, schema=True, error="schema: the answer does not satisfy the schema: at /: no object")
        self.assertEqual(self.forms(*pair, refused), {"structured": 120 * self.OUTPUT - refused["cost_nusd"]})
        for why in ("content_filter: the model refused to answer", "length: it was cut off", "gate: no", "the schema: no", "schema", "schemas: no"):
            self.assertEqual(self.forms(*pair, self.ask(output=5, schema=True, error=why)), {"structured": 120 * self.OUTPUT}, why)
        prose = self.ask(output=5, error="schema: the answer does not satisfy the schema")  # of which nobody says that it had one
        self.assertEqual(self.forms(*pair, prose), {"structured": 120 * self.OUTPUT})

    def test_random_ledgers(self):
        """Forms among tiers, services, caches and failures: all adds up, and a part of the ledger says what its split says."""
        seen = dict.fromkeys(("structured", "brevity", "zero_shot"), 0)
        for name, text in zip("abc", (self.BASE, self.BRIEF, self.FEW)):
            self.ledger.text(name, text)
        for seed in range(40):
            rnd = random.Random(seed)
            rows = random_rows(rnd, self.ledger, requests=60, days=4)
            for row in rows:
                asked = ', "asked":{"schema":true}' if rnd.random() < 0.4 else ""
                row.update(prompt_hash=rnd.choice("pq"), system_hash=rnd.choice("abc"), notes="{" + ((row.get("notes") or "{}")[1:-1] + asked).lstrip(", ") + "}")
                if asked and rnd.random() < 0.2:
                    row["error"] = "schema: no"
            self.ledger.clear()
            self.write(*rows)
            whole = self.adds_up(None)
            for by in ("tag", "model", "day", ["day", "tag", "model"]):
                self.assertEqual({s: n for s, n in self.adds_up(json.dumps({"by": by})).items() if n}, {s: n for s, n in whole.items() if n}, (seed, by))
            lines = lambda options, tag: self.db.execute("SELECT saving, who, billed, calls, nusd, unpriced FROM llm_savings(?1)"
                                                         " WHERE tag IS ?2 AND calls + unpriced > 0", (options, tag)).fetchall()
            for tag in ("mail", "chat", "it's"):
                self.assertEqual(lines(json.dumps({"tag": tag}), None), lines('{"by":"tag"}', tag))
            for form in seen:
                seen[form] += whole[form] != 0
        self.assertGreater(min(seen.values()), 30)

    def test_means_are_of_calls(self):
        """Prose with a word about JSON and without it are one way: each call of them counts once."""
        prose = [self.ask(output=n, prompt="p") for n in (100, 200)] + [self.ask(f"{self.BASE} Respond only with valid JSON.", output=450)]
        self.assertEqual(self.forms(*prose, self.ask(output=50, schema=True)), {"structured": 200 * self.OUTPUT})


class Prefix(Books):
    def line(self, *rows):
        self.write(*rows)
        (row,) = self.rows("SELECT * FROM llm_prefix_cache")
        return row

    def at(self, *minutes, model="claude-haiku-4-5", tokens=5000, hash="aa" * 16):
        usage = {"input": 6000, "output": 10}
        return [self.ledger.call(model, usage, ts=NOW + int(m * MINUTE), system_hash=hash, system_tokens=tokens) for m in minutes]

    def test_lifetimes_by_the_gaps_there_were(self):
        """$1 a million, written at 1.25 or 2, read at 0.1: one more call within five minutes pays, within the hour two."""
        row = self.line(*self.at(0, 4, 8, 30, 89, 200))
        self.assertEqual((row["first"], row["within_5m"], row["within_1h"], row["later"]), (1, 2, 2, 1))
        prefix = 5000 / 1e6
        for column, times in (("no_cache_usd", 6), ("ttl_5m_usd", 4 * 1.25 + 2 * 0.1), ("ttl_1h_usd", 2 * 2 + 4 * 0.1)):
            self.assertAlmostEqual(row[column], prefix * times, places=12)
        self.assertEqual(row["best_ttl"], "1h")

    def test_a_prompt_that_is_longer_than_the_input(self):
        """An import may say any number: what was not sent costs nothing."""
        row = self.line(*self.at(0, 4, tokens=10**15))
        self.assertAlmostEqual(row["no_cache_usd"], 2 * 6000 / 1e6, places=12)

    def test_formulas(self):
        for minutes, best in (((0, 3), "5m"), ((0, 30), "none"), ((0, 30, 60), "1h"), ((0,), "none"), ((0, 4, 8, 12), "5m")):
            self.ledger.clear()
            row = self.line(*self.at(*minutes))
            n = len(minutes) - 1
            self.assertEqual(row["best_ttl"], best, minutes)
            self.assertAlmostEqual(row["no_cache_usd"], 0.005 * (1 + n), places=12)
            if max(b - a for a, b in zip((0, *minutes), minutes)) <= 5:
                self.assertAlmostEqual(row["ttl_5m_usd"], 0.005 * (1.25 + 0.1 * n), places=12)
                self.assertAlmostEqual(row["ttl_1h_usd"], 0.005 * (2 + 0.1 * n), places=12)

    def test_a_read_begins_its_life_anew(self):
        row = self.line(*self.at(*range(0, 40, 4)))
        self.assertAlmostEqual(row["ttl_5m_usd"], 0.005 * (1.25 + 0.9), places=12)

    def test_why_it_was_missed(self):
        """Providers' own words, and the first byte in which its latest two prompts differ, where their texts are kept."""
        a, b, c = "aa" * 16, "bb" * 16, "cc" * 16
        self.ledger.text(a, "You are a desk. Rule one.")
        self.ledger.text(b, "You are a desk on Monday. Rule one.")
        words = ("tools_changed", "system_changed", "tools_changed", None)
        self.ledger.write([self.ledger.call("claude-haiku-4-5", {"input": 5000, "output": 5}, ts=NOW + i, system_hash=(a, a, b, b)[i], cache_miss=words[i])
                           for i in range(4)])
        row, = self.rows("SELECT misses, first_change, first_change_text FROM llm_prefix_cache")
        self.assertEqual(row, {"misses": "tools_changed 2, system_changed 1", "first_change": len("You are a desk"),
                               "first_change_text": "You are a desk on Monday. Rule one."})
        self.ledger.write([self.ledger.call("claude-haiku-4-5", {"input": 5000, "output": 5}, ts=NOW + 9, system_hash=c)])
        self.assertEqual(self.rows("SELECT first_change FROM llm_prefix_cache"), [{"first_change": None}])

    def test_another_prompt_is_another_prefix(self):
        row = self.line(*self.at(0, 2), *self.at(1, hash="bb" * 16))
        self.assertEqual((row["first"], row["within_5m"]), (2, 1))

    def test_too_short_to_be_kept(self):
        row = self.line(*self.at(0, 1, 2, tokens=1000))
        self.assertEqual(row["min_tokens"], 4096)
        self.assertEqual((row["ttl_5m_usd"], row["ttl_1h_usd"], row["best_ttl"]), (row["no_cache_usd"], row["no_cache_usd"], "none"))

    def test_who_offers_no_lifetimes(self):
        row = self.line(*self.at(0, 1, model="gpt-4o"))
        self.assertEqual((row["ttl_5m_usd"], row["ttl_1h_usd"], row["best_ttl"]), (None, None, None))
        self.assertGreater(row["no_cache_usd"], 0)

    def test_calls_that_could_have_hit(self):
        calls = [self.ledger.call("gpt-4o", {"input": n, "cache_read": c, "output": 1}) for n, c in ((900, 0), (1023, 0), (1024, 0), (5000, 4096))]
        row = self.line(*calls)
        self.assertEqual((row["calls"], row["eligible"], row["hits"], row["hit_percent"], row["min_tokens"]), (4, 2, 1, 50.0, 1024))

    def test_facts_have_dates(self):
        """The shortest prefix became shorter in October; a call is held against what was so on its day."""
        days = 1791158400000, 1791763200000  # 2026-10-05, 2026-10-12
        row = self.line(*(self.ledger.call("claude-opus-4-8", {"input": 2000, "output": 1}, ts=day) for day in days))
        self.assertEqual((row["calls"], row["eligible"], row["min_tokens"]), (2, 1, 1024))

    def test_nobody_says_what_it_came_to(self):
        """Money that is unknown is NULL; where no cache was used it is nothing; of some calls that have a price the others are told."""
        used = lambda model, **more: self.ledger.call(model, {"input": 5000, "cache_read": 4000, "output": 1}, "openai", **more)
        money = ("gained_usd", "lost_usd", "net_usd", "net_nusd", "unpriced")
        row = self.line(used("nobody-sells-this"))
        self.assertEqual([row[c] for c in (*money, "min_tokens")], [None, None, None, None, 1, None])
        self.ledger.clear()
        row = self.line(self.ledger.call("nobody-sells-this", {"input": 5000, "output": 1}))
        self.assertEqual([row[c] for c in money], [0, 0, 0, 0, 0])
        self.ledger.clear()
        row = self.line(used("gpt-4o"), {**used("gpt-4o"), "usage": '{"input":5000,"cache_read":4000,"output":1,"service":"nobody\'s"}', "service": "nobody's"})
        self.assertEqual([row[c] for c in money], [4000 * 1250 / 1e9, 0, 4000 * 1250 / 1e9, 4000 * 1250, 1])

    def test_the_lines_add_up_to_the_savings(self):
        for seed in range(20):
            self.ledger.clear()
            rows = [r for r in random_rows(random.Random(seed), self.ledger, requests=40) if r.get("cost_nusd") is not None]
            self.write(*rows)
            for billed in ("paid", "list"):
                for who in ("ours", "caller", "provider"):
                    said = value(self.db, "SELECT coalesce(sum(net_nusd), 0) FROM llm_prefix_cache WHERE who = ? AND billed = ?", who, billed)
                    line = self.savings(billed=billed).get(("prefix", who))
                    self.assertEqual(said, line["nusd"] if line else 0, (seed, who, billed))


class Whose(Desk):
    """Q05: who had the prefix kept."""

    def setUp(self):
        super().setUp()
        self.standin.post("/standin/reset", {})

    def ask(self, prompt, **options):
        options = {"model": "claude-haiku-4-5", "max_tokens": 500, "system": SYSTEM, **options}
        value(self.db, "SELECT llm_complete(?, ?)", prompt, json.dumps(options))

    def lines(self):
        return {who: nusd for who, nusd in self.db.execute("SELECT who, nusd FROM llm_savings WHERE saving = 'prefix' AND billed = 'paid'")}

    def test_a_mark_of_ours(self):
        self.ask("one", prompt_cache="5m")
        self.assertLess(self.lines()["ours"], 0)
        for i in range(3):
            self.ask(f"more {i}", prompt_cache="5m")
        lines = self.lines()
        self.assertGreater(lines["ours"], 0)
        self.assertEqual((lines["caller"], lines["provider"]), (0, 0))
        self.assertEqual(value(self.db, "SELECT group_concat(DISTINCT notes) FROM llm_calls WHERE kind = 'call'"), '{"prefix":"ours"}')

    def test_what_is_not_marked_has_no_note(self):
        self.ask("one")
        self.ask("two", prompt_cache="off")
        self.assertIsNone(value(self.db, "SELECT group_concat(notes) FROM llm_calls"))
        self.ask("one", prompt_cache="5m")  # a hit: nothing was sent
        self.assertEqual(self.lines(), {"ours": 0, "caller": 0, "provider": 0})

    def test_three_lines(self):
        ledger = Ledger(self.db, self.path)
        self.addCleanup(ledger.close)
        usage = {"input": 6000, "cache_read": 5000, "output": 10}
        marked = {"notes": '{"prefix":"ours"}'}
        over = {**marked, "attempt": 2, "retry_reason": "rate_limit", "tier": "simple", "tier_drawn": "medium", "tier_served": "simple"}
        ledger.write([ledger.call("gpt-4o", usage),                                               # by itself
                      ledger.call("claude-haiku-4-5", usage, source="claude_code"),               # its program's marks
                      ledger.call("claude-haiku-4-5", usage, **marked),                           # ours
                      ledger.call("claude-haiku-4-5", usage, **over)])                            # failed over: not ours
        self.assertEqual(self.lines(), {"ours": 5000 * 900, "caller": 5000 * 900, "provider": 5000 * (1250 + 900)})
        self.assertEqual(self.db.execute("SELECT who, model, calls FROM llm_prefix_cache ORDER BY who, model").fetchall(),
                         [("caller", "claude-haiku-4-5", 1), ("ours", "claude-haiku-4-5", 1), ("provider", "claude-haiku-4-5", 1), ("provider", "gpt-4o", 1)])

    def test_the_notes_of_a_route_stay(self):
        """An emergency's note and that of the mark are one object."""
        self.db.execute("UPDATE llm_models SET context_window = 500 WHERE name = 'gpt-4o-mini'")
        self.db.execute("UPDATE llm_tiers SET model = 'claude-haiku-4-5' WHERE name <> 'simple'")
        self.db.execute("INSERT INTO llm_budgets(scope, period, limit_usd, action) VALUES ('*', 'day', 0.0000001, 'warn')")
        self.ask("one", model="auto", prompt_cache="5m")
        notes = json.loads(value(self.db, "SELECT notes FROM llm_calls WHERE kind = 'call'"))
        self.assertEqual((sorted(notes), notes["prefix"]), (["budget", "prefix", "skipped"], "ours"))
        self.db.execute("DELETE FROM llm_budgets")
        self.ask("two", model="auto", prompt_cache="5m")
        notes = json.loads(value(self.db, "SELECT notes FROM llm_calls WHERE kind = 'call' ORDER BY id DESC"))
        self.assertEqual((sorted(notes), notes["prefix"]), (["prefix", "skipped"], "ours"))


class InBatches(BatchDesk):
    def test_a_mark_of_ours(self):
        for wish in ("5m", "off"):
            self.put(3, model=HAIKU, system=SYSTEM, options=json.dumps({"prompt_cache": wish}), text="{} " + wish)
        self.flush()
        self.settle()
        self.assertEqual(self.db.execute("SELECT notes, count(*) FROM llm_calls WHERE kind = 'batch' GROUP BY 1").fetchall(),
                         [(None, 3), ('{"prefix":"ours"}', 3)])
        ours, batch, spent = (value(self.db, "SELECT nusd FROM llm_savings WHERE saving = ? AND who IS ?", *line)
                              for line in (("prefix", "ours"), ("batch", None), ("spend", None)))
        self.assertNotEqual(ours, 0)
        self.assertGreater(batch, 0)
        self.assertEqual(value(self.db, "SELECT nusd FROM llm_savings WHERE saving = 'baseline'"), ours + batch + spent)


class InMain(unittest.TestCase):
    """A ledger that lives in the user's own file."""

    def test_it_is_read_too(self):
        with TempDir() as tmp, Standin() as standin:
            db = open_desk(os.path.join(tmp, "desk.db"), standin.url)
            db.execute("SELECT llm_config('store', 'main')").fetchall()
            for system in ("Be short.", "Be kind."):
                value(db, "SELECT llm_complete('q', ?)", json.dumps({"model": "gpt-4o-mini", "system": system, "conversation": "c", "tag": "t"}))
            self.assertEqual(value(db, "SELECT nusd FROM llm_savings WHERE saving = 'spend'"), standin.bill()["total_nusd"])
            self.assertEqual(db.execute("SELECT version, text, first_change FROM llm_system_prompts").fetchall(), [(1, "Be short.", None), (2, "Be kind.", 3)])
            self.assertEqual(db.execute("SELECT turns FROM llm_conversations").fetchall(), [(2,)])
            self.assertEqual(value(db, "SELECT sum(calls) FROM llm_prefix_cache"), 2)
            db.close()


class Options(Books):
    def test_wrong_ones(self):
        for table in ("llm_savings", "llm_prefix_cache", "llm_conversations", "llm_system_prompts"):
            with self.subTest(table):
                said = error_of(self.db, f"SELECT * FROM {table}('{{\"form\":1}}')")
                self.assertTrue(said.startswith(f"{table}: "), said)
                self.assertIn("'form'", said)
                self.assertIn("from, to, tag", said.replace("'", ""))

    def test_times_are_dates_too(self):
        self.write(self.ledger.call("gpt-4o", {"input": 10, "output": 5}, ts=NOW - HOUR))
        self.assertEqual(self.savings('{"from":"2026-11-27","to":"2026-11-28"}')["spend"]["calls"], 1)
        self.assertEqual(self.savings('{"from":"2026-11-28"}')["spend"]["calls"], 0)


if __name__ == "__main__":
    unittest.main()
