"""Ledgers for tests: rows of llm_calls as they could have come about, of any mix, written straight into a store.

A Ledger is made over an open connection and its path. Rows are dicts of columns; what is left out is NULL, or as `call` says.
`usage` is our own form of it, and the columns of tokens follow from it, as does the cost: what llm_cost says of that usage at that time.

  ledger = Ledger(db, path)
  ledger.write([ledger.call("gpt-4o", {"input": 100, "output": 5}, tag="a"), ledger.hit(saved_nusd=500)])
  ledger.write(random_rows(random.Random(7), ledger, requests=30))
"""
import json
import random
import sqlite3
from decimal import ROUND_HALF_UP, Decimal

NOW = 1795824000000  # 2026-11-28
MINUTE, HOUR, DAY, WEEK = 60000, 3600000, 86400000, 7 * 86400000

# What is sold as a batch and cached; who else sells the same has other prices.
MODELS = [("openai", "gpt-4o"), ("openai", "gpt-4o-mini"), ("openai", "gpt-5.6-sol"), ("openai", "gpt-4.1-mini"), ("anthropic", "claude-haiku-4-5"),
          ("anthropic", "claude-sonnet-4-6"), ("anthropic", "claude-opus-4-8"), ("google", "gemini-2.5-flash"), ("mistral", "mistral-large-latest")]
NOBODY = ("openai", "nobody-sells-this")  # without a price
COUNTS = {"input": "input_tokens", "cache_read": "cached_input_tokens", "cache_write": "cache_write_tokens",
          "cache_write_1h": "cache_write_long_tokens", "output": "output_tokens", "reasoning": "reasoning_tokens"}


def nusd(usd):
    """Nano-dollars, half up, as the ledger rounds."""
    return int((Decimal(repr(usd)) * 10**9).quantize(Decimal(1), ROUND_HALF_UP))


class Ledger:
    """The store beside a database, open for writing."""

    def __init__(self, db, path):
        self.db = db
        db.execute("SELECT llm_init()").fetchall()
        db.execute("SELECT llm_complete('x', '{\"model\":\"nobody\",\"on_error\":\"null\"}')").fetchall()  # makes the store
        self.store = sqlite3.connect(f"{path}-llmcost", isolation_level=None)
        self.clear()
        self.columns = [r[1] for r in self.store.execute("PRAGMA table_info(llm_calls)")]
        self.n = 0
        self.priced = {}

    def close(self):
        self.store.close()

    def clear(self):
        """All rows go, those that wait to be written too."""
        self.db.execute("SELECT count(*) FROM llm_calls").fetchall()
        self.store.execute("DELETE FROM llm_calls")
        self.store.execute("DELETE FROM llm_uncounted")

    def cost(self, model, usage, ts, provider=None):
        """Nano-dollars as llm_cost says them, or None."""
        options = {"at": ts, **({"provider": provider} if provider else {})}
        key = json.dumps([model, usage, options], sort_keys=True)
        if key not in self.priced:
            try:
                usd = self.db.execute("SELECT llm_cost(?, ?, ?)", (model, json.dumps(usage), json.dumps(options))).fetchone()[0]
            except sqlite3.Error as e:
                if "nobody" not in str(e):
                    raise
                usd = None
            self.priced[key] = None if usd is None else nusd(usd)
        return self.priced[key]

    def next_request(self):
        self.n += 1
        return f"request-{self.n}"

    def call(self, model, usage, provider=None, ts=NOW, **columns):
        """The row of an answer that was paid for."""
        provider = provider or dict((m, p) for p, m in [*MODELS, NOBODY]).get(model)
        row = {"request_id": self.next_request(), "attempt": 1, "ts": ts, "kind": "call", "provider": provider, "model_requested": model,
               "model": model, "service": usage.get("service", "standard"), "usage": json.dumps(usage), "latency_ms": 400,
               "http_status": 200, "ended": "complete", "cost_nusd": self.cost(model, usage, ts, provider)}
        row.update({column: usage.get(unit) for unit, column in COUNTS.items()})
        row["list_nusd"] = row["cost_nusd"]
        row.update(columns)
        return row

    def hit(self, kind="hit_exact", saved_nusd=1000, ts=NOW, model="gpt-4o", **columns):
        return {"request_id": self.next_request(), "attempt": 0, "ts": ts, "kind": kind, "model_requested": model, "model": model,
                "provider": "openai", "cost_nusd": 0, "saved_nusd": saved_nusd, "latency_ms": 0,
                "similarity": 0.97 if kind == "hit_semantic" else None, **columns}

    def lost(self, model, ts=NOW, provider=None, **columns):
        """Sent, and no readable answer came back."""
        return {"request_id": self.next_request(), "attempt": 1, "ts": ts, "kind": "unknown", "provider": provider, "model_requested": model,
                "error": "timeout: no answer", "latency_ms": 9000, "cost_nusd": None, **columns}

    def refused(self, ts=NOW, **columns):
        return {"request_id": self.next_request(), "attempt": 0, "ts": ts, "kind": "refused", "model_requested": "gpt-4o",
                "error": "budget: no room", "cost_nusd": None, **columns}

    def write(self, rows):
        """Inserts them as they stand; the ids of those that have none follow."""
        names = sorted({name for row in rows for name in row}) or ["id"]
        assert set(names) <= set(self.columns), set(names) - set(self.columns)
        quoted = ", ".join(f'"{n}"' for n in names)
        self.store.execute("BEGIN")
        self.store.executemany(f"INSERT INTO llm_calls({quoted}) VALUES ({', '.join('?' * len(names))})",
                               [[row.get(n) for n in names] for row in rows])
        self.store.execute("COMMIT")

    def text(self, hash, text):
        self.store.execute("INSERT INTO llm_texts(hash, text) VALUES (?, ?)", (hash, text))

    def seal(self):
        """Makes the sums that views read anew."""
        return json.loads(self.db.execute("SELECT llm_check('{\"repair\":true,\"limit\":0}')").fetchone()[0])


def random_usage(rnd, provider):
    """Tokens that fit together, some of them cached."""
    usage = {"input": rnd.choice((0, 7, 300, rnd.randrange(1, 3000), rnd.randrange(1000, 60000))), "output": rnd.randrange(0, 2000)}
    if rnd.random() < 0.4:
        usage["cache_read"] = rnd.randrange(0, usage["input"] + 1)
    if rnd.random() < 0.3 and provider in ("anthropic", "openai"):
        usage["cache_write"] = rnd.randrange(0, usage["input"] - usage.get("cache_read", 0) + 1)
        if provider == "anthropic" and rnd.random() < 0.5:
            usage["cache_write_1h"] = rnd.randrange(0, usage["cache_write"] + 1)
    return usage


def random_call(rnd, ledger, tiers, who):
    """One row of a request: named or routed, of any service, of ours or imported."""
    provider, model = rnd.choice(MODELS) if rnd.random() < 0.95 else NOBODY
    more = dict(who)
    if tiers and rnd.random() < 0.4:
        tier, model = rnd.choice(tiers)
        provider = dict((m, p) for p, m in MODELS).get(model)
        more.update(tier=tier, tier_drawn=tier, tier_served=tier, route_score=round(rnd.random(), 3), route_version="rules")
    usage = random_usage(rnd, provider)
    if rnd.random() < 0.25:
        usage["service"] = rnd.choice(("batch", "batch", "flex", "priority"))
    if rnd.random() < 0.2:
        more["notes"] = '{"prefix":"ours"}'
    if rnd.random() < 0.2:  # history that was not sent, counted by us and billed otherwise
        more["notes"] = more.get("notes", "{}")[:-1] + (", " if "notes" in more else "") + f'"pruned":{rnd.randrange(1, 20000)},"sent":{max(1, usage["input"] * 4 // 5)}}}'
    if rnd.random() < 0.1:
        more.update(source="claude_code", billed=rnd.choice(("paid", "list")))
    row = ledger.call(model, usage, provider, **more)
    row["kind"] = "batch" if usage.get("service") == "batch" else "call"
    if rnd.random() < 0.05 and row["cost_nusd"] is not None:
        row["cost_nusd"] += rnd.randrange(-50, 50) if row["cost_nusd"] > 50 else 1  # a log that states another cost
    return row


def random_request(rnd, ledger, tiers, who):
    """The rows of one request, in their order: a hit, a refusal, or attempts."""
    dice = rnd.random()
    if dice < 0.2:
        kind = rnd.choice(("hit_exact", "hit_semantic"))
        return [ledger.hit(kind, rnd.choice((None, 0, 5, rnd.randrange(1, 10**7))), **who)]
    if dice < 0.25:
        return [ledger.refused(**who)]
    if dice < 0.3:
        return [ledger.lost("gpt-4o", provider="openai", **who)]
    if dice < 0.33:
        usage = {"input": rnd.randrange(1, 500)}
        return [ledger.call("text-embedding-3-small", usage, "openai", kind="embed", **who)]
    rows = [random_call(rnd, ledger, tiers, who)]
    if dice > 0.9:  # it failed, and was asked again
        again = random_call(rnd, ledger, tiers, who)
        rows[0].update(error="rate_limit: slow down", ended="failed", http_status=429, **({} if rnd.random() < 0.3 else {"cost_nusd": None}))
        rows.append({**again, "attempt": 2, "retry_reason": "rate_limit"})
    elif dice > 0.8:  # its answer did not pass, and the next tier was asked
        rows[0].update(error="gate: did not pass")
        rows.append({**random_call(rnd, ledger, tiers, who), "attempt": 2, "retry_reason": "gate", "escalated_from": rows[0]})
    elif dice > 0.75:
        rows.append({**random_call(rnd, ledger, tiers, who), "attempt": 2, "purpose": rnd.choice(("verifier", "audit", "agree", "summary"))})
    for i, row in enumerate(rows):
        row["request_id"] = rows[0]["request_id"]
        row["ts"] += i
    return rows


def random_requests(rnd, ledger, requests=20, days=60):
    """Lists of rows, a list for each request. Routed ones are at the tiers of llm_tiers."""
    tiers = [tuple(r) for r in ledger.db.execute("SELECT name, model FROM llm_tiers ORDER BY rank")]
    out = []
    for _ in range(requests):
        system = rnd.choice((None, "aa" * 16, "bb" * 16, "cc" * 16))
        who = {"ts": NOW - rnd.randrange(days * DAY), "tag": rnd.choice((None, "mail", "chat", "it's")), "user": rnd.choice((None, "u1", "u2")),
               "conversation": rnd.choice((None, "c1", "c2", "c3")), "system_hash": system,
               "system_tokens": {"aa" * 16: 1200, "bb" * 16: 5000}.get(system)}
        out.append(random_request(rnd, ledger, tiers, who))
    return out


def numbered(requests):
    """Their rows one behind the other, with ids, and with those of the rows that escalations name."""
    rows = [dict(row) for request in requests for row in request]
    places = {id(row): i + 1 for i, row in enumerate(row for request in requests for row in request)}
    for i, row in enumerate(rows):
        row["id"] = i + 1
        if row.get("escalated_from") is not None:
            row["escalated_from"] = places[id(row["escalated_from"])]
    return rows


def random_rows(rnd, ledger, requests=20, days=60):
    return numbered(random_requests(rnd, ledger, requests, days))
