"""llm_drift on many ledgers: what must hold of every one, and whether a driver that was put in is named.

The first class takes ledgers of any mix and compares with sums over their rows, the second one puts invoices beside them. The third makes
pairs of months in which everything moves a little and one thing a lot.
"""
import json
import math
import os
import random
import unittest

from harness import TempDir, connect
from ledgers import DAY, NOW, Ledger, random_rows
from test_sums import ms

HITS = ("hit_exact", "hit_semantic")
SEPTEMBER, OCTOBER, NOVEMBER = (ms(f"2026-{m}-01T00:00:00") for m in ("09", "10", "11"))


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
        self.ledger.store.execute("PRAGMA synchronous = OFF")

    def drift(self, *args, **options):
        args = (*args, json.dumps(options)) if options else args
        found = self.db.execute(f"SELECT * FROM llm_drift({', '.join('?' * len(args))})", args)
        names = [d[0] for d in found.description]
        rows = [dict(zip(names, r)) for r in found]
        for row in rows:
            for name, cell in row.items():
                self.assertFalse(isinstance(cell, float) and not math.isfinite(cell), (name, row))
                self.assertFalse(isinstance(cell, str) and name == "text" and ("nan" in cell.split() or "inf" in cell.split()), row)
        return rows


def moved(rows, **where):
    return sum(r["change_nusd"] for r in rows if r["change_nusd"] is not None and all(r[k] == v for k, v in where.items()))


class Identities(Books):
    """Of any ledger: money in cells adds up to the change, whoever asks how."""
    LEDGERS = int(os.environ.get("DRIFT_LEDGERS", 1000))

    def ledger_of(self, rnd):
        """Rows of three months, with users, parts of prompts, free calls and calls without a price among them."""
        rows = random_rows(rnd, self.ledger, requests=rnd.choice((0, 1, 2, 8, 20)), days=85)
        for row in rows:
            input = row.get("input_tokens")
            if input and rnd.random() < 0.8:
                row["system_tokens"] = rnd.choice((0, input // 2, input, 2 * input))
                row["history_tokens"] = rnd.choice((0, input // 3, input))
            if row.get("cost_nusd") and rnd.random() < 0.05:
                row["cost_nusd"] = rnd.choice((0, 1, 2, row["cost_nusd"] * 10**6))
        if rnd.random() < 0.5:
            rows = [{**r, "user": f"u{rnd.randrange(4)}"} for r in rows]
        return rows

    def parts(self, rows, is_list=None):
        """What counts: its rows by period, as paid or at list prices, and which of these it is."""
        spent = [r for r in rows if r["kind"] not in (*HITS, "refused")]
        if is_list is None:
            is_list = not any(r["cost_nusd"] for r in spent if r.get("billed") != "list" and r["cost_nusd"] is not None)
            is_list = is_list and any(r["cost_nusd"] for r in spent)
        return [r for r in spent if (r.get("billed") == "list") == is_list], is_list

    def total(self, rows, span):
        return sum(r["cost_nusd"] or 0 for r in rows if span[0] <= r["ts"] < span[1])

    def check(self, rows, spans, asked, **options):
        """One question, against sums over the rows it is about."""
        within = [r for r in rows if any(a <= r["ts"] < b for a, b in spans)]
        counted, is_list = self.parts(within)
        before, after = (self.total(counted, s) for s in spans)
        said = self.drift(*asked, **options)
        self.assertEqual((said[0]["before"], said[0]["after"]), (before / 1e9, after / 1e9))
        self.assertEqual(moved(said), after - before)
        shares = [r["share"] for r in said if r["share"] is not None]
        if after != before:
            self.assertAlmostEqual(sum(shares), 1, delta=1e-6 * max(1, sum(map(abs, shares))))
        else:
            self.assertEqual(shares, [])
        unpriced = [sum(r["cost_nusd"] is None for r in counted if a <= r["ts"] < b) for a, b in spans]
        self.assertEqual([(r["before"], r["after"]) for r in said if r["driver"] == "unpriced"], [tuple(unpriced)] if any(unpriced) else [])
        self.assertNotIn("unpriced", {r["driver"] for r in said if r["change_nusd"] is not None})
        return said, counted

    def check_dimensions(self, rows, spans, asked):
        for by in ("tag", "model", "user", "provider"):
            said, counted = self.check(rows, spans, asked, by=by)
            column = lambda r: r["model"] or r["model_requested"] if by == "model" and "model" in r else r.get(by if by != "model" else "model_requested")
            for v in {column(r) for r in counted} | {r["value"] for r in said[1:]}:
                mine = [r for r in counted if column(r) == v]
                self.assertEqual(moved(said, value=v), self.total(mine, spans[1]) - self.total(mine, spans[0]), (by, v))

    def check_filters(self, rows, spans, asked):
        for options, wanted in (({"tag": "mail"}, lambda r: r["tag"] == "mail"), ({"user": "u1"}, lambda r: r["user"] == "u1"),
                                ({"provider": "openai"}, lambda r: r.get("provider") == "openai"), ({"model": "gpt-4o"}, lambda r: r.get("model", r["model_requested"]) == "gpt-4o"),
                                ({"tag": "*", "user": "u*"}, lambda r: r["tag"] is not None and (r["user"] or "").startswith("u"))):
            self.check([r for r in rows if wanted(r)], spans, asked, **options)

    def check_mirrors(self, spans):
        """With itself nothing moved; there and back are opposite, but for whole nano-dollars."""
        one, two = spans
        self.assertLessEqual({r["change_nusd"] for r in self.drift(*one, *one)}, {0, None})
        there, back = self.drift(*one, *two), self.drift(*two, *one)
        key = lambda r: (r["driver"], r["detail"] if r["driver"] == "attempts" else None)
        moves = [{key(r): r["change_nusd"] for r in side if r["change_nusd"] is not None} for side in (there, back)]
        self.assertEqual(moves[0].keys(), moves[1].keys())
        for driver, n in moves[0].items():
            slack = 2 + 1e-12 * max(map(abs, moves[0].values()))
            self.assertLessEqual(abs(n + moves[1][driver]), slack, driver)

    def check_per_request(self, rows):
        """Of one request of two tags: each is its spending over its requests, and rows add up to the difference of what is shown."""
        said = self.drift("tag:mail", "tag:chat")
        shown = [round(said[0][k] * 1e9) for k in ("before", "after")]
        self.assertEqual(moved(said), shown[1] - shown[0])
        narrowed = self.drift("tag:mail", "tag:chat", user="u1", provider="*")
        self.assertEqual(moved(narrowed), round(narrowed[0]["after"] * 1e9) - round(narrowed[0]["before"] * 1e9))
        counted, is_list = self.parts([r for r in rows if r["tag"] in ("mail", "chat")])
        for tag, shown in zip(("mail", "chat"), shown):
            mine = [r for r in rows if r["tag"] == tag and r["kind"] != "refused" and (r.get("billed") == "list") == is_list]
            requests = {r["request_id"] for r in mine if r["kind"] in HITS or ((r["attempt"] == 1 or r["kind"] == "batch")
                        and not (r["kind"] != "unknown" and r["cost_nusd"] is None and not r.get("error")))}
            spent = sum(r["cost_nusd"] or 0 for r in mine)
            is_whole = all(r["request_id"] in requests for r in mine if r["cost_nusd"])  # (of one without a price a later attempt may have one)
            if is_whole and requests and len(requests) == sum(r["kind"] == "batch" or r["attempt"] <= 1 for r in mine if r["request_id"] in requests):
                self.assertAlmostEqual(shown, spent / len(requests), delta=1, msg=tag)

    def test_a_thousand(self):
        months = {"2026-09": (SEPTEMBER, OCTOBER), "2026-10": (OCTOBER, NOVEMBER), "2026-11": (NOVEMBER, NOVEMBER + 30 * DAY)}
        for seed in range(self.LEDGERS):
            rnd = random.Random(seed)
            self.ledger.clear()
            self.rows = self.ledger_of(rnd)
            self.ledger.write(self.rows)
            a, b = rnd.sample(sorted(months), 2)
            spans = [months[a], months[b]]
            if rnd.random() < 0.4:
                cuts = sorted(rnd.randrange(NOW - 85 * DAY, NOW) for _ in range(4))
                spans = [(cuts[0], cuts[1]), (cuts[2], cuts[3])]
            asked = (a, b) if spans[0] == months[a] else (*spans[0], *spans[1])
            with self.subTest(seed=seed):
                said, _ = self.check(self.rows, spans, asked)
                self.check_dimensions(self.rows, spans, asked)
                self.check_filters(self.rows, spans, asked)
                self.check_mirrors(spans)
                self.check_per_request(self.rows)
                if seed % 4 == 0:
                    self.check_order(rnd, asked, said)

    def check_order(self, rnd, asked, said):
        rows = [{k: v for k, v in r.items() if k != "id"} for r in self.rows]
        rnd.shuffle(rows)
        self.ledger.clear()
        self.ledger.write(rows)
        key = lambda rows: sorted((r["driver"], r["detail"] or "", r["change_nusd"]) for r in rows if r["change_nusd"] is not None)
        self.assertEqual(key(self.drift(*asked)), key(said))


class Invoices(Books):
    """Invoices and usage reports beside calls, of the same providers and of others, with credits and with lines of all kinds."""
    LEDGERS = int(os.environ.get("DRIFT_LEDGERS", 1000)) // 4

    def line(self, rnd):
        """A line of an invoice, or of a usage report: one day of one month."""
        provider = rnd.choice(("openai", "anthropic", "acme", "acme", "globex", None))
        model = rnd.choice(("gpt-4o", "gpt-4o-mini", "claude-haiku-4-5", "acme-1", None))
        day = rnd.choice((SEPTEMBER, OCTOBER)) + rnd.randrange(28) * DAY
        row = {"source": f"made_{provider}", "from_ts": day, "to_ts": day + DAY, "provider": provider, "model": model, "model_plain": model,
               "user": rnd.choice((None, None, "u1")), "requests": rnd.choice((None, 0, 1, rnd.randrange(1, 5000)))}
        if rnd.random() < 0.7:
            row["amount_nusd"] = rnd.choice((0, 1, rnd.randrange(10**12), -rnd.randrange(10**11)))
            row["list_nusd"] = rnd.choice((None, row["amount_nusd"], int(row["amount_nusd"] * 1.1)))
            row["item"] = rnd.choice((None, "input", "output", "cache_read", "web_search"))
            row["quantity"] = rnd.choice((None, float(rnd.randrange(10**6))))
        if rnd.random() < 0.5:
            row.update(input_tokens=rnd.randrange(10**6), cached_input_tokens=rnd.choice((None, rnd.randrange(10**5))), output_tokens=rnd.randrange(10**5))
        return row

    def bill(self, rows):
        self.ledger.store.execute("DELETE FROM llm_invoices")
        for row in rows:
            marks = ", ".join("?" * len(row))
            self.ledger.store.execute(f"INSERT INTO llm_invoices({', '.join(row)}) VALUES ({marks})", list(row.values()))

    def invoiced(self, span, where="dimension = 0", *args):
        """By the view that says which invoices count."""
        return self.ledger.store.execute(f"SELECT coalesce(sum(cost_nusd), 0) FROM llm_invoiced WHERE start >= ? AND start < ? AND {where}",
                                         (*span, *args)).fetchone()[0]

    def check(self, rows):
        months = ((SEPTEMBER, OCTOBER), (OCTOBER, NOVEMBER))
        paid = [sum(r["cost_nusd"] or 0 for r in rows if a <= r["ts"] < b and r.get("billed") != "list" and r["kind"] not in (*HITS, "refused"))
                for a, b in months]
        bills = [self.invoiced(m) for m in months]
        said = self.drift("2026-10", billed="paid")
        self.assertEqual([round(1e9 * said[0][k]) for k in ("before", "after")], [p + b for p, b in zip(paid, bills)])
        self.assertEqual(moved(said), sum(paid[1:] + bills[1:]) - paid[0] - bills[0])
        self.assertEqual(moved(self.drift("2026-09-01", "2026-10-01", "2026-09-01", "2026-10-01", billed="paid")), 0)
        back = self.drift("2026-10", "2026-09", billed="paid")
        self.assertEqual(moved(back), -moved(said))
        for by in ("tag", "model", "user", "provider"):
            split = self.drift("2026-10", billed="paid", by=by)
            self.assertEqual((split[0]["before"], split[0]["after"], moved(split)), (said[0]["before"], said[0]["after"], moved(said)), by)
        tokens = [r for r in said if r["driver"] == "unpriced" and r["unit"] == "tokens"]
        self.assertTrue(all(r["before"] >= 0 and r["after"] >= 0 and r["change_nusd"] is None for r in tokens))

    def test_money(self):
        for seed in range(self.LEDGERS):
            rnd = random.Random(seed)
            self.ledger.clear()
            rows = random_rows(rnd, self.ledger, requests=rnd.choice((0, 0, 3, 12)), days=85)
            self.ledger.write(rows)
            self.ledger.seal()
            self.bill([self.line(rnd) for _ in range(rnd.choice((1, 3, 10)))])
            with self.subTest(seed=seed):
                self.check(rows)


# Nano-dollars a token by the lists of September and of October: input, read from the cache, output.
LISTED = {"small": (300, 75, 1200), "large": (2500, 625, 10000), "thinker": (1100, 275, 4400)}

# A month as it is made. What is said of tokens is a mean of lognormal lengths.
MONTH = {"users": 60, "each": 8, "hits": 0.2, "rate_limit": 0.05, "schema": 0.05, "verifier": 0.05, "system": 900, "history": 700, "own": 500,
         "output": 250, "reasoning": 150, "large": 0.15, "thinker": 0.25, "price": 1, "paid": 0.9, "batch": 0.15, "cached": 0.15}

# What is put in: of which parts of a month, how much; what has to be named first, and the detail where it is a driver of several.
PUT_IN = {
    "users": (("users",), (1.8, 3), "users", None),
    "requests per user": (("each",), (1.8, 3), "requests per user", None),
    "hit rate": (("hits",), (2.5, 3.5), "hit rate", None),
    "attempts: schema": (("schema",), (10, 16), "attempts", "schema"),
    "attempts: verifier": (("verifier",), (10, 16), "attempts", "verifier"),
    "attempts: rate_limit": (("rate_limit",), (10, 16), "attempts", "rate_limit"),
    "system prompt": (("system",), (3, 6), "system prompt", None),
    "history": (("history",), (3, 6), "history", None),
    "user tokens": (("own",), (4, 8), "user tokens", None),
    "output tokens": (("output",), (3, 6), "output tokens", None),
    "reasoning": (("reasoning",), (6, 12), "reasoning", None),
    "model mix": (("large",), (3, 5), "model mix", "large"),
    "list price": (("price",), (1.7, 3), "list price", None),
    "discount": (("paid",), (0.4, 0.6), "discount", None),
    "batch and service": (("batch",), (4.5, 6), "batch and service", None),
    "prefix caching": (("cached",), (4.5, 6), "prefix caching", None),
}


class Known(Books):
    """Everything moves by up to a tenth, users and lengths are drawn anew, and one thing moves a lot: it is named first."""
    PAIRS = int(os.environ.get("DRIFT_PAIRS", 208))

    def set_prices(self, times):
        """The list: from October on, everything at so many times the price."""
        rows = []
        for model, prices in LISTED.items():
            for kind, nusd in zip(("input", "cache_read", "output"), prices):
                for service, factor in ((None, 1), ("batch", 0.5)):
                    rows.append(("l", "openai", f"known-{model}", kind, nusd / 1000 * factor, None, "2026-10-01", service))
                    rows.append(("l", "openai", f"known-{model}", kind, nusd / 1000 * factor * times, "2026-10-01", None, service))
        self.db.execute("DELETE FROM llm_prices")
        self.db.executemany("INSERT INTO llm_prices(list, provider, model, kind, usd_per_million, valid_from, valid_to, service)"
                            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def length(self, rnd, mean):
        return int(rnd.lognormvariate(math.log(mean) - 0.125, 0.5))

    def attempt(self, rnd, month, times, who, **more):
        """A call with its cost: what the list says, times what is paid of it."""
        dice = rnd.random()
        model = "large" if dice < month["large"] else "thinker" if dice < month["large"] + month["thinker"] else "small"
        system, history, own, output = (self.length(rnd, month[k]) for k in ("system", "history", "own", "output"))
        reasoning = self.length(rnd, month["reasoning"])
        read = system + history if rnd.random() < month["cached"] else 0
        batch = rnd.random() < month["batch"]
        fresh, cached, out = LISTED[model]
        listed = (fresh * (system + history + own - read) + cached * read + out * (output + reasoning)) * times * (0.5 if batch else 1)
        usage = {"input": system + history + own, "cache_read": read, "output": output + reasoning, "reasoning": reasoning}
        return {"kind": "batch" if batch else "call", "provider": "openai", "model": f"known-{model}", "model_requested": f"known-{model}",
                "service": "batch" if batch else "standard", "usage": json.dumps({**usage, **({"service": "batch"} if batch else {})}),
                "input_tokens": usage["input"], "cached_input_tokens": read, "output_tokens": usage["output"], "reasoning_tokens": reasoning,
                "system_tokens": system, "history_tokens": history, "list_nusd": round(listed), "cost_nusd": round(listed * month["paid"]),
                "attempt": 1, **who, **more}

    def request(self, rnd, month, times, who):
        if rnd.random() < month["hits"]:
            return [{"kind": "hit_exact", "attempt": 0, "cost_nusd": 0, "saved_nusd": 5, **who}]
        rows = [self.attempt(rnd, month, times, who)]
        for reason in ("rate_limit", "schema", "verifier"):
            if rnd.random() < month[reason]:
                why = {"purpose": reason} if reason == "verifier" else {"retry_reason": f"{reason}: of this one"}
                rows.append(self.attempt(rnd, month, times, who, attempt=len(rows) + 1, **why))
                rows[-1]["kind"] = "call" if rows[-1]["kind"] == "batch" else rows[-1]["kind"]  # (a batch tells of its last attempt alone)
        return rows

    def month(self, rnd, month, start, times):
        rows = []
        for user in range(round(month["users"])):
            for _ in range(max(1, round(rnd.lognormvariate(math.log(month["each"]) - 0.125, 0.5)))):
                who = {"request_id": self.ledger.next_request(), "ts": start + rnd.randrange(28 * DAY), "user": f"u{user}", "tag": "t"}
                rows += self.request(rnd, month, times, who)
        return rows

    def pair(self, rnd, name):
        """Two months, of which the second differs."""
        before = {k: v * (1 if k == "price" else rnd.uniform(0.7, 1.3)) for k, v in MONTH.items()}
        before["paid"] = min(before["paid"], 1)
        after = {k: v * (1 if k == "price" else rnd.uniform(0.9, 1.1)) for k, v in before.items()}
        keys, factors, *_ = PUT_IN[name]
        for key in keys:
            after[key] = before[key] * rnd.uniform(*factors)
        for key, most in (("hits", 0.85), ("large", 0.7), ("paid", 1), ("batch", 0.98), ("cached", 0.98)):
            after[key] = min(after[key], most)
        if rnd.random() < 0.5:
            before, after = after, before
        times = after["price"] / before["price"]
        self.set_prices(times)
        return [*self.month(rnd, before, SEPTEMBER, 1), *self.month(rnd, after, OCTOBER, times)]

    def test_what_was_put_in_is_named_first(self):
        missed, right, names = {}, 0, list(PUT_IN)
        for i in range(self.PAIRS):
            name = names[i % len(names)]
            self.ledger.clear()
            self.ledger.write(self.pair(random.Random(1000 + i), name))
            first = self.drift("2026-10")[1]
            driver, detail = PUT_IN[name][2:]
            found = first["driver"] == driver and (detail is None or first["detail"].endswith(detail))
            right += found
            if not found:
                said = first["driver"] + (f": {first['detail']}" if first["driver"] == "attempts" else "")
                missed[name, said] = missed.get((name, said), 0) + 1
        self.assertGreaterEqual(right, 0.95 * self.PAIRS, f"(put in, named first): how often: {missed}")


if __name__ == "__main__":
    unittest.main()
