"""Sums kept beside the ledger: they are what the ledger's rows come to, whatever happens; views of costs by period and
time zone; a ledger that is trimmed."""
import datetime
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import zoneinfo

from harness import Desk, ROOT, SO, TempDir, connect, error_of, open_desk, value

UTC = datetime.timezone.utc
DAY = 86400000


def ms(text):
    return int(datetime.datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def check(db, **options):
    return json.loads(value(db, "SELECT llm_check(?)", json.dumps(options)))


class Ledger(Desk):
    """A desk whose ledger's rows are written by hand; `insert` has the sums made of them."""

    def setUp(self):
        super().setUp()
        self.db.execute("SELECT llm_complete('x', '{\"model\":\"nobody\",\"on_error\":\"null\"}')").fetchall()
        self.db.execute("SELECT count(*) FROM llm_calls").fetchall()  # what waits is written
        self.raw = sqlite3.connect(self.path + "-llmcost", isolation_level=None, timeout=30)
        self.addCleanup(self.raw.close)
        self.raw.executescript("DELETE FROM llm_calls; DELETE FROM llm_uncounted")
        check(self.db, repair=True)

    def insert(self, rows, repair=True):
        """rows: dicts of columns; what is not given is that of an answered call."""
        base = dict(request_id="r", attempt=1, kind="call", provider="openai", model="gpt-4o-mini", cost_nusd=1000, input_tokens=10,
                    output_tokens=5)
        rows = [{**base, **r} for r in rows]
        columns = sorted({c for r in rows for c in r})
        self.raw.execute("BEGIN IMMEDIATE")
        self.raw.executemany(f"INSERT INTO llm_calls({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",
                             [[r.get(c) for c in columns] for r in rows])
        self.raw.execute("COMMIT")
        if repair:
            check(self.db, repair=True)
            self.assertEqual(check(self.db)["sums"]["differs"], 0)

    def rows(self, sql, *args):
        return self.db.execute(sql, args).fetchall()


class Zones(Ledger):
    ZONES = ["UTC", "Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe", "America/New_York", "Asia/Shanghai",
             "Pacific/Chatham", "Africa/Casablanca", "Europe/London"]

    def moments(self, zone):
        """Around each midnight of a week and of both days on which clocks change, to the ms."""
        rng = random.Random(zone)
        tz, days = zoneinfo.ZoneInfo(zone), [datetime.date(2026, 5, 1) + datetime.timedelta(i) for i in range(3)]
        offset = None
        for i in range(365):
            day = datetime.date(2026, 1, 1) + datetime.timedelta(i)
            now = datetime.datetime(day.year, day.month, day.day, 12, tzinfo=tz).utcoffset()
            if offset not in (None, now):
                days += [day, day - datetime.timedelta(1)]
            offset = now
        for day in days:
            midnight = int(datetime.datetime(day.year, day.month, day.day, tzinfo=tz).timestamp() * 1000)
            for at in [midnight, midnight - 1, midnight + DAY] + [midnight + rng.randrange(-DAY, 2 * DAY) for _ in range(300)]:
                yield at

    def test_days_and_hours_are_those_of_the_place(self):
        for zone in self.ZONES:
            with self.subTest(zone=zone):
                self.raw.execute("DELETE FROM llm_calls")
                moments = list(self.moments(zone))
                self.insert({"ts": ts, "cost_nusd": 3 + i, "user": f"u{i % 3}"} for i, ts in enumerate(moments))
                days, hours, users = {}, {}, {}
                for i, ts in enumerate(moments):
                    local = datetime.datetime.fromtimestamp(ts / 1000, zoneinfo.ZoneInfo(zone))
                    for by, label in ((days, local.strftime("%Y-%m-%d")), (hours, local.strftime("%Y-%m-%d %H:00")),
                                      (users, (f"u{i % 3}", local.strftime("%Y-%m-%d")))):
                        n, cost = by.get(label, (0, 0))
                        by[label] = (n + 1, cost + 3 + i)
                self.rows("SELECT llm_config('time_zone', ?)", None if zone == "UTC" else zone)
                found = {d: (n, round(c * 1e9)) for d, n, c in self.rows("SELECT day, calls, cost_usd FROM llm_cost_daily")}
                self.assertEqual(found, days)
                found = {h: (n, round(c * 1e9)) for h, n, c in self.rows("SELECT hour, calls, cost_usd FROM llm_cost_hourly")}
                self.assertEqual(found, hours)
                for day in sorted(days):
                    found = {(u, day): (n, round(c * 1e9)) for u, n, c in self.rows(
                        "SELECT user, calls, cost_usd FROM llm_cost_by_user WHERE day = ?", day)}
                    self.assertEqual(found, {k: v for k, v in users.items() if k[1] == day})
                    self.assertEqual({(u, d): (n, round(c * 1e9)) for u, d, n, c in self.rows(
                        "SELECT user, day, calls, cost_usd FROM llm_cost_daily_by_user WHERE day = ?", day)}, found)
                    one = self.rows("SELECT calls FROM llm_cost_daily WHERE day = ?", day)
                    self.assertEqual(one, [(days[day][0],)])
                found = {(u, d): (n, round(c * 1e9)) for u, d, n, c in self.rows(
                    "SELECT user, day, calls, cost_usd FROM llm_cost_daily_by_user")}
                self.assertEqual(found, users)
                self.assertEqual(sum(n for n, in self.rows("SELECT calls FROM llm_cost_monthly")), len(moments))

    def test_a_call_late_in_the_evening_is_in_todays_window_and_row(self):
        self.rows("SELECT llm_config('time_zone', 'Asia/Shanghai')")
        self.insert([{"ts": ms("2026-11-04T15:30:00"), "tag": "t", "user": "u"}])  # 23:30 there
        for view in ("hourly", "daily", "weekly", "monthly", "by_model", "by_tag", "by_user"):
            self.assertEqual(self.rows(f"SELECT calls FROM llm_cost_{view} WHERE day = '2026-11-04'"), [(1,)], view)
            self.assertEqual(self.rows(f"SELECT calls FROM llm_cost_{view} WHERE day >= '2026-11-05'"), [], view)
        self.assertEqual(self.rows("SELECT day, zone FROM llm_cost_daily"), [("2026-11-04", "Asia/Shanghai")])

    def test_weeks_are_iso(self):
        self.insert({"ts": ms(f"{day}T12:00:00")} for day in
                    ["2024-12-29", "2024-12-30", "2024-12-31", "2025-01-01", "2025-01-05", "2025-01-06", "2026-12-28", "2026-12-31",
                     "2027-01-01", "2027-01-03", "2027-01-04"])
        self.assertEqual(self.rows("SELECT week, calls FROM llm_cost_weekly"),
                         [("2024-W52", 1), ("2025-W01", 4), ("2025-W02", 1), ("2026-W53", 4), ("2027-W01", 1)])

    def test_each_day_has_the_week_that_python_says(self):
        days = [datetime.date(2015, 1, 1) + datetime.timedelta(i) for i in range(0, 5000, 3)]
        self.insert({"ts": ms(f"{d}T00:00:00")} for d in days)
        weeks = {}
        for d in days:
            y, w, _ = d.isocalendar()
            weeks[f"{y}-W{w:02}"] = weeks.get(f"{y}-W{w:02}", 0) + 1
        self.assertEqual(dict(self.rows("SELECT week, calls FROM llm_cost_weekly")), weeks)

    def test_a_bad_zone_is_an_error(self):
        for bad in ("Nowhere/City", "", "+25:00", "IST?", 7):
            self.assertIn("time_zone", error_of(self.db, "SELECT llm_config('time_zone', ?)", bad) or "", bad)


class Periods(Ledger):
    def setUp(self):
        super().setUp()
        self.insert({"ts": ms(f"2026-{m:02}-{d:02}T{at}:00"), "tag": f"t{d % 2}", "cost_nusd": 7}
                    for m in (9, 10, 11) for d in range(1, 31) for at in ("00:10", "09:50", "23:20"))

    def test_as_texts_compare(self):
        every = self.rows("SELECT day, calls FROM llm_cost_daily")
        hours = self.rows("SELECT hour, calls FROM llm_cost_hourly")
        for text in ("2026-10-04", "2026-10", "2026", "2026-10-04 09", "2026-10-04 09:00", "2026-10-04 23:00", "2027",
                     "2025-01-01", "9999", "9999-12", "9999-12-31"):
            for op in ("<", "<=", ">", ">=", "="):
                test = {"<": str.__lt__, "<=": str.__le__, ">": str.__gt__, ">=": str.__ge__, "=": str.__eq__}[op]
                wanted = [r for r in every if test(r[0], text)]
                self.assertEqual(self.rows(f"SELECT day, calls FROM llm_cost_daily WHERE day {op} ?", text), wanted, (op, text))
                wanted_hours = [r for r in hours if test(r[0], text)]
                self.assertEqual(self.rows(f"SELECT hour, calls FROM llm_cost_hourly WHERE hour {op} ?", text), wanted_hours, (op, text))
                if op == "=" and len(text) <= 7:  # a hidden day that equals a month is anywhere in it
                    wanted = [r for r in every if r[0].startswith(text)]
                found = self.rows(f"SELECT sum(calls) FROM llm_cost_by_tag WHERE day {op} ?", text)
                self.assertEqual(found, [(sum(n for _, n in wanted) or None,)], (op, text))
                found = self.rows(f"SELECT sum(calls) FROM llm_cost_by_tag WHERE hour {op} ?", text)
                if op == "=" and len(text) < 16:
                    wanted_hours = [r for r in hours if r[0].startswith(text)]
                self.assertEqual(found, [(sum(n for _, n in wanted_hours) or None,)], (op, text))
        self.assertEqual(self.rows("SELECT sum(calls) FROM llm_cost_by_tag WHERE hour >= '2026-10-03 09:45' AND day = '2026-10-03'"), [(2,)])
        self.assertEqual(self.rows("SELECT sum(calls) FROM llm_cost_by_tag WHERE day BETWEEN '2026-10-03' AND '2026-10-04'"), [(6,)])
        self.assertEqual(self.rows("SELECT sum(calls) FROM llm_cost_by_tag WHERE hour BETWEEN '2026-10-03 09:00' AND '2026-10-04 09:00'"),
                         [(4,)])

    def test_or_in_and_joins(self):
        self.assertEqual(self.rows("SELECT count(*), sum(calls) FROM llm_cost_daily WHERE day = '2026-10-04' OR day = '2026-10-05'"), [(2, 6)])
        self.assertEqual(self.rows("SELECT count(*) FROM llm_cost_daily WHERE day = '2026-10-04' OR calls = 3"), [(90,)])
        self.assertEqual(self.rows("SELECT day, sum(calls) FROM llm_cost_by_tag WHERE day IN ('2026-10-04', '2026-10-05') GROUP BY 1"),
                         [("2026-10-04", 3), ("2026-10-05", 3)])
        self.db.execute("CREATE TEMP TABLE asked(d)")
        self.db.execute("INSERT INTO asked VALUES ('2026-10-04'), ('2026-11')")
        self.assertEqual(self.rows("SELECT d, sum(calls) FROM asked JOIN llm_cost_by_tag ON day = d GROUP BY 1"),
                         [("2026-10-04", 3), ("2026-11", 90)])
        self.assertEqual(self.rows("SELECT calls FROM llm_cost_by_tag WHERE tag = 't1' AND day = '2026-10'"), [(45,)])
        self.assertEqual(self.rows("SELECT calls FROM llm_cost_by_tag WHERE tag = 't1'"), [(135,)])
        self.assertEqual(self.rows("SELECT sum(calls) FROM llm_cost_by_tag WHERE day = '2026-10' COLLATE NOCASE LIMIT 5"), [(90,)])
        self.assertEqual(self.rows("SELECT tag FROM llm_cost_by_tag WHERE day = '2026-10' ORDER BY 1 DESC LIMIT 1 OFFSET 1"), [("t0",)])
        self.assertEqual(self.rows("SELECT calls FROM llm_cost_by_tag WHERE tag = 'T1' COLLATE NOCASE"), [(135,)])

    def test_a_hidden_day_is_a_period_or_an_error(self):
        """What SQLite does not hand over as a bound would be compared with NULL: no rows, and nobody told why."""
        for bad in ("NOT day = '2026-10-04'", "substr(day, 1, 7) = '2026-10'", "day || '' = '2026-10-04'",
                    "day = '2026-10-04' OR calls = 45", "CASE WHEN 1 THEN day = '2026-10-04' END", "+hour >= '2026-10-04 09:00'"):
            self.assertIn("BETWEEN", error_of(self.db, f"SELECT sum(calls) FROM llm_cost_by_tag WHERE {bad}"), bad)
        self.assertIn("BETWEEN", error_of(self.db, "SELECT tag FROM llm_cost_by_tag ORDER BY day"))
        for good, calls in (("unlikely(day = '2026-10-04')", 3), ("(day, tag) = ('2026-10-04', 't0')", 3), ("'2026-10-04' = day", 3),
                            ("day = '2026-10-04' OR (day >= '2026-10-06' AND day < '2026-10-07')", 6)):  # rows that say the same
            self.assertEqual(self.rows(f"SELECT sum(calls) FROM llm_cost_by_tag WHERE {good}"), [(calls,)], good)
        self.assertEqual(self.rows("SELECT d.day, sum(t.calls) FROM llm_cost_daily d LEFT JOIN llm_cost_by_tag t ON t.day >= d.day"
                                   " WHERE d.day >= '2026-11-29' GROUP BY 1"), [("2026-11-29", 6), ("2026-11-30", 3)])

    def test_what_is_no_period_is_an_error(self):
        for bad in ("yesterday", "2026-13", "2026-11-4", "", 20261104, b"2026-11"):
            self.assertIn("expected", error_of(self.db, "SELECT * FROM llm_cost_by_tag WHERE day = ?", bad), bad)
        self.assertIn("BETWEEN", error_of(self.db, "SELECT * FROM llm_cost_by_tag WHERE day LIKE '2026%'"))
        self.assertEqual(self.rows("SELECT * FROM llm_cost_daily WHERE day = 'yesterday'"), [])


class Names(Ledger):
    def test_a_call_just_made_is_in_the_row_of_its_model(self):
        """Rows that are not added to the sums yet, and one whose provider answers under a dated name."""
        for i in range(70):
            self.db.execute("SELECT llm_complete(?, ?)", (f"question {i}", json.dumps({"model": "gpt-4o"}))).fetchall()
            if i in (0, 1, 63, 69):
                self.assertEqual(self.rows("SELECT model, calls FROM llm_cost_by_model"), [("gpt-4o", i + 1)])
        self.assertEqual(self.rows("SELECT DISTINCT model FROM llm_calls"), [("gpt-4o-2024-08-06",)])
        self.standin.scenario("overloaded")
        self.addCleanup(self.standin.scenario, "ok")
        self.db.execute("SELECT llm_config('backoff_ms', 0), llm_complete('tried twice', '{\"model\":\"gpt-4o-2024-08-06\"}')").fetchall()
        self.assertEqual(self.rows("SELECT model, calls FROM llm_cost_by_model"), [("gpt-4o", 72)])

    def test_a_model_is_one_row_in_all_its_spellings(self):
        spelled = ["claude-opus-4-5", "claude-opus-4.5", "claude-opus-4-5-20251101", "anthropic/claude-opus-4.5",
                   "us.anthropic.claude-opus-4-5-20251101-v1:0", "models/claude-opus-4-5", "claude-opus-4-5@20251101", "Claude-Opus-4-5"]
        apart = ["gpt-5", "gpt-5.3-codex", "deepseek/deepseek-r1:free", "deepseek/deepseek-r1", "deepseek-v3", "gpt-4-0613", "gpt-4",
                 "ft:gpt-4o-mini-2024-07-18:org::id", "claude-opus-4", "claude-opus-4-5-fast"]
        self.insert({"ts": ms("2026-11-04"), "model": m, "provider": "x"} for m in spelled + apart)
        found = dict(self.rows("SELECT model, calls FROM llm_cost_by_model"))
        self.assertEqual(found["claude-opus-4-5"], len(spelled))
        self.assertEqual(len(found), 1 + len(apart))
        self.assertEqual(len(self.rows("SELECT DISTINCT model FROM llm_calls")), len(spelled + apart), "raw names are in the ledger")


class Limits(Ledger):
    def test_a_tag_for_each_ticket(self):
        n = 12000
        self.insert(({"ts": ms("2026-11-04") + i * 1000, "tag": f"ticket-{i}", "user": "u"} for i in range(n)), repair=False)
        self.assertEqual(check(self.db, repair=True)["sums"]["stopped"], ["tag"])
        report = check(self.db)["sums"]
        self.assertEqual((report["differs"], report["stopped"]), (0, ["tag"]))
        found = self.rows("SELECT basis, count(*), sum(calls) FROM llm_cost_by_tag GROUP BY 1")
        self.assertEqual(found, [("detail", n, n)])
        self.assertEqual(self.rows("SELECT calls, basis FROM llm_cost_by_user"), [(n, "sums")])
        self.assertEqual(self.rows("SELECT calls FROM llm_cost_by_tag WHERE tag = 'ticket-11999'"), [(1,)])
        kept = self.raw.execute("SELECT count(*) FROM llm_sums WHERE dimension = 2").fetchone()[0]
        self.assertLess(kept, 3.1 * 10001, "it stops")
        # A call more is counted, and adds no sum to a dimension that is stopped.
        value(self.db, "SELECT llm_complete('one more', '{\"tag\":\"ticket-new\",\"model\":\"gpt-4o-mini\"}')")
        self.assertEqual(self.rows("SELECT sum(calls) FROM llm_cost_by_tag"), [(n + 1,)])
        self.assertEqual(self.raw.execute("SELECT count(*) FROM llm_sums WHERE dimension = 2").fetchone()[0], kept)

    def test_what_is_trimmed_of_it_keeps_its_sum(self):
        old = int(time.time() * 1000) - 100 * DAY
        self.insert(({"ts": old + i // 10001 * DAY, "tag": f"ticket-{i}", "cost_nusd": i} for i in range(10100)), repair=False)
        self.assertEqual(check(self.db, repair=True)["sums"]["stopped"], ["tag"])
        before = self.rows("SELECT sum(calls), sum(cost_usd) FROM llm_cost_by_tag")
        self.rows("SELECT llm_config('keep_calls', '90d')")
        self.assertEqual(self.rows("SELECT count(*) FROM llm_calls"), [(1,)])  # the newest id stays
        after = self.rows("SELECT sum(calls), round(sum(cost_usd), 9) FROM llm_cost_by_tag")
        self.assertEqual(after, [(before[0][0], round(before[0][1], 9))])
        self.assertIn(self.rows("SELECT calls FROM llm_cost_by_tag WHERE tag = '(other)'"), [[(99,)], [(100,)]])  # NULL is a value
        self.assertEqual(self.rows("SELECT DISTINCT basis FROM llm_cost_by_tag"), [("sums",)])
        # A log of that time that is imported later finds its place.
        self.insert([{"ts": old, "tag": "ticket-3"}, {"ts": old, "tag": "late"}], repair=False)

    def test_many_users_and_tags_between_two_flushes(self):
        for i in range(2000):
            value(self.db, "SELECT llm_complete('the same', ?)",
                  json.dumps({"model": "gpt-4o-mini", "user": f"user-{i % 1000}", "tag": f"tag-{i % 50}"}))
        self.assertEqual(self.rows("SELECT count(*), sum(calls + hits) FROM llm_cost_by_user WHERE user LIKE 'user-%'"), [(1000, 2000)])
        report = check(self.db)["sums"]
        self.assertEqual((report["differs"], report["list"]), (0, []))
        self.assertEqual(self.rows("SELECT count(*) FROM llm_cost_by_tag WHERE tag LIKE 'tag-%'"), [(50,)])


class Waiting(Desk):
    """Rows are added to the sums some at a time; those that wait are few, whoever wrote them."""

    def test_of_many_short_processes(self):
        for store in ("file", "main"):
            with self.subTest(store=store):
                path = os.path.join(self.tmp.name, store + ".db")
                for i in range(70):
                    db = open_desk(path, self.standin.url)
                    if store == "main":
                        value(db, "SELECT llm_config('store', 'main')")
                    value(db, f"SELECT llm_complete('q{i}', '{{\"model\":\"gpt-4o-mini\"}}')")
                    if i < 69:
                        db.close()
                self.assertEqual(value(db, "SELECT sum(calls) FROM llm_cost_by_model"), 70)
                raw = sqlite3.connect(path + ("-llmcost" if store == "file" else ""))
                self.assertLess(raw.execute("SELECT count(*) FROM llm_uncounted").fetchone()[0], 64)
                raw.close()
                self.assertEqual(check(db)["sums"]["differs"], 0)
                db.close()

    def test_joins_find_their_index(self):
        value(self.db, "SELECT llm_complete('x', '{\"model\":\"gpt-4o-mini\"}')")
        raw = sqlite3.connect(self.path + "-llmcost")
        for column in ("tag", "user", "conversation", "prompt_hash"):
            plan = str(raw.execute(f"EXPLAIN QUERY PLAN SELECT cost_nusd FROM llm_calls WHERE {column} = ?", ("x",)).fetchall())
            self.assertIn("USING INDEX llm_calls_", plan, column)
        raw.close()
        self.db.execute("CREATE TEMP TABLE tickets(tag)")
        plan = str(self.db.execute("EXPLAIN QUERY PLAN SELECT * FROM tickets t JOIN llm_calls c ON c.tag = t.tag").fetchall())
        self.assertRegex(plan, r"SCAN t.*SCAN c VIRTUAL TABLE INDEX 0:[^']*WHERE \"tag\" = \?")


class Retention(Ledger):
    def setUp(self):
        super().setUp()
        self.now = int(time.time() * 1000)

    def test_rows_go_and_sums_stay(self):
        rng = random.Random(7)
        rows = [{"ts": self.now - rng.randrange(0, 300 * DAY), "tag": f"t{i % 7}", "user": f"u{i % 11}", "cost_nusd": i,
                 "model": f"m-{i % 5}x"} for i in range(9000)]
        rows += [{"ts": self.now - 200 * DAY, "kind": "unknown", "cost_nusd": None}, {"ts": self.now - 200 * DAY, "cost_nusd": None},
                 {"ts": self.now - 200 * DAY, "kind": "refused", "cost_nusd": None, "error": "no"},
                 {"ts": self.now - 200 * DAY, "kind": "hit_exact", "attempt": 0, "cost_nusd": 0, "saved_nusd": 5}, {"ts": self.now}]
        self.insert(rows)
        views = [f"SELECT * FROM llm_cost_{v} ORDER BY 1, 2" for v in
                 ("hourly", "daily", "weekly", "monthly", "by_model", "by_tag", "by_user", "daily_by_model", "daily_by_tag",
                  "daily_by_user")]
        views += ["SELECT * FROM llm_cost_by_user WHERE day >= '2026-08' ORDER BY 1"]
        before = [self.rows(v) for v in views]
        self.rows("SELECT llm_config('keep_calls', '90d')")
        self.assertEqual([self.rows(v) for v in views], before)
        edge = (self.now - 90 * DAY) // DAY * DAY
        old = self.rows("SELECT kind, cost_nusd FROM llm_calls WHERE ts < ? ORDER BY 1", edge)
        self.assertEqual(old, [("call", None), ("unknown", None)])
        self.assertEqual(self.rows("SELECT count(*) FROM llm_calls"),
                         [(2 + sum(r["ts"] >= edge for r in rows),)])
        report = check(self.db)["sums"]
        self.assertEqual((report["differs"], report["sealed_before"]), (0, edge))
        check(self.db, repair=True)
        self.assertEqual([self.rows(v) for v in views], before, "a repair leaves what is sealed")
        self.rows("SELECT llm_config('keep_calls', '90d')")
        self.rows("SELECT llm_config('keep_calls', '200d')")
        self.assertEqual([self.rows(v) for v in views], before)

    def test_texts_that_nothing_names_go(self):
        talk = [{"role": "user", "content": "a long story. " * 60}]
        value(self.db, "SELECT llm_complete('kept', '{\"model\":\"gpt-4o-mini\"}')")
        value(self.db, "SELECT llm_complete('gone', '{\"model\":\"gpt-4o-mini\",\"cache\":\"off\",\"system\":\"be brief\"}')")
        value(self.db, "SELECT llm_chat(?, '{\"model\":\"gpt-4o-mini\",\"cache\":\"off\"}')", json.dumps(talk))
        value(self.db, "SELECT llm_chat(?, '{\"model\":\"gpt-4o-mini\"}')", json.dumps(talk + [
            {"role": "assistant", "content": "go on"}, {"role": "user", "content": "another tale. " * 60}]))
        texts = self.raw.execute("SELECT count(*) FROM llm_texts").fetchone()[0]
        self.assertEqual(texts, 2 + 1 + 1 + 2)  # prompts, a system prompt, long contents, transcripts (one is kept as it is)
        self.raw.execute("UPDATE llm_calls SET ts = ts - ?", (100 * DAY,))
        self.raw.execute("DELETE FROM llm_sums")
        check(self.db, repair=True)
        self.insert([{"ts": self.now}])
        self.rows("SELECT llm_config('keep_calls', '1d')")
        self.assertEqual(self.rows("SELECT count(*) FROM llm_calls"), [(1,)])
        left = [t for t, in self.raw.execute("SELECT text FROM llm_texts")]
        self.assertIn("kept", left)  # its answer is in the cache
        self.assertNotIn("gone", left)
        self.assertNotIn("be brief", left)
        self.assertTrue(any("another tale" in t for t in left), "the cached transcript names it")
        self.assertTrue(any("a long story" in t for t in left), "and this one")
        self.raw.execute("DELETE FROM llm_answers")
        self.insert([{"ts": self.now - 50 * DAY}, {"ts": self.now}])
        self.rows("SELECT llm_config('keep_calls', '1d')")
        self.assertEqual(self.raw.execute("SELECT text FROM llm_texts").fetchall(), [])

    def test_readers_beside_it_see_one_of_two_true_values(self):
        self.insert(({"ts": self.now - i % 300 * DAY, "tag": f"t{i % 50}", "cost_nusd": 10} for i in range(20000)))
        wrong, stop = [], threading.Event()

        def read():
            db = connect(self.path)
            while not stop.is_set():
                for sql in ("SELECT sum(calls), round(sum(cost_usd) * 1e9) FROM llm_cost_daily",
                            "SELECT sum(calls), round(sum(cost_usd) * 1e9) FROM llm_cost_by_tag"):
                    found = db.execute(sql).fetchone()
                    if found != (20000, 200000):
                        wrong.append((sql, found))
            db.close()

        readers = [threading.Thread(target=read) for _ in range(4)]
        for r in readers:
            r.start()
        self.raw.execute("UPDATE llm_sums SET n = n + 1 WHERE dimension = 3")  # something to repair
        check(self.db, repair=True)
        self.rows("SELECT llm_config('keep_calls', '30d')")
        stop.set()
        for r in readers:
            r.join()
        self.assertEqual(wrong, [])
        self.assertLessEqual(value(self.db, "SELECT count(*) FROM llm_calls WHERE ts < ?", self.now - 31 * DAY), 1)  # the newest id

    def test_it_goes_on_where_it_was_killed(self):
        self.insert(({"ts": self.now - 100 * DAY - i, "cost_nusd": 1} for i in range(30000)))
        before = self.rows("SELECT * FROM llm_cost_monthly")
        code = ("import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.enable_load_extension(True);"
                " db.load_extension(sys.argv[2]); print('ready', flush=True);"
                " db.execute(\"SELECT llm_config('keep_calls', '90d')\").fetchall()")
        for wait in (0.02, 0.05, 0.08):
            p = subprocess.Popen(["/usr/bin/python3", "-c", code, self.path, SO], stdout=subprocess.PIPE)
            p.stdout.readline()
            time.sleep(wait)
            p.send_signal(signal.SIGKILL)
            p.wait()
            p.stdout.close()
            self.assertEqual(self.rows("SELECT * FROM llm_cost_monthly"), before)
        self.rows("SELECT llm_config('keep_calls', '90d')")
        self.assertEqual(self.rows("SELECT * FROM llm_cost_monthly"), before)
        self.assertEqual(self.rows("SELECT count(*) FROM llm_calls"), [(1,)])


class Random(Desk):
    """Ledgers as they come about: answers, failures, retries, hits, refusals; rolled back, killed, by two processes."""

    WORKER = """
import json, random, sqlite3, sys
path, so, seed, url = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
rng = random.Random(seed)
db = sqlite3.connect(path, isolation_level=None, timeout=30)
db.enable_load_extension(True)
db.load_extension(so)
db.execute("SELECT llm_config('backoff_ms', 1)").fetchall()
print('ready', flush=True)
for i in range(rng.randrange(1, 14)):
    options = {"model": rng.choice(["gpt-4o-mini", "claude-haiku-4-5", "nobody"]), "on_error": "null", "tag": rng.choice([None, "a", "b", ""]),
               "user": rng.choice([None, "ann", "bob"]), "cache": rng.choice(["exact", "off", "semantic", "refresh"]), "retries": 1}
    options = {k: v for k, v in options.items() if v is not None}
    inside = rng.random() < 0.3
    if inside:
        db.execute("BEGIN")
        db.execute("CREATE TABLE IF NOT EXISTS t(a)")
    try:
        db.execute("INSERT INTO t SELECT llm_complete(?, ?)" if inside else "SELECT llm_complete(?, ?)",
                   (f"q{rng.randrange(6)}", json.dumps(options))).fetchall()
    except sqlite3.Error:
        pass
    if inside:
        db.execute(rng.choice(["ROLLBACK", "COMMIT"]))
"""

    def run_some(self, folder, seed, store):
        rng = random.Random(seed)
        path = os.path.join(folder, f"{seed}.db")
        db = open_desk(path, self.standin.url)
        if store == "main":
            self.assertTrue(value(db, "SELECT llm_config('store', 'main')"))
        scenario = rng.choice([None, "rate-limit", "bad-json", "bad-request", "server-error"])
        value(db, "SELECT llm_complete('first', '{\"model\":\"gpt-4o-mini\"}')")
        if scenario:
            db.execute("UPDATE llm_models SET base_url = base_url || '/' WHERE 0")
        self.assertEqual(check(db)["sums"]["differs"], 0)
        db.close()
        env = {**os.environ, "LLMCOST_STORE": "main"} if store == "main" else None
        workers = [subprocess.Popen(["/usr/bin/python3", "-c", self.WORKER, path, SO, str(seed * 10 + i), self.standin.url],
                                    stdout=subprocess.PIPE, env=env) for i in range(rng.choice([1, 1, 2]))]
        for w in workers:
            w.stdout.readline()
        if rng.random() < 0.5:
            time.sleep(rng.random() * 0.03)
            workers[0].send_signal(signal.SIGKILL)
        for w in workers:
            w.wait()
            w.stdout.close()
        db = open_desk(path, self.standin.url)
        if store == "main":
            value(db, "SELECT llm_config('store', 'main')")
        value(db, "SELECT llm_complete('last', '{\"model\":\"gpt-4o-mini\"}')")
        report = check(db)["sums"]
        rows = value(db, "SELECT count(*) FROM llm_calls")
        found = db.execute("SELECT sum(calls + hits) FROM llm_cost_by_user").fetchone()[0]
        real = db.execute("SELECT sum(is_call + is_hit) FROM llm_spend").fetchone()[0]
        db.close()
        self.assertEqual((report["differs"], report["list"], found), (0, [], real), f"seed {seed}, {store}, {rows} rows")
        return rows

    def test_sums_are_what_the_rows_come_to(self):
        n = int(os.environ.get("LLMCOST_LEDGERS", "24"))
        with tempfile.TemporaryDirectory(prefix="llmcost-test-") as folder:
            total = sum(self.run_some(folder, seed, "main" if seed % 4 == 3 else "file") for seed in range(n))
        self.assertGreater(total, 2 * n)


class Older(unittest.TestCase):
    """Stores of older versions: test_fixtures opens each; here the sums that the migration builds, and its speed is measured in
    bench/RESULTS.md."""

    def test_the_migration_builds_the_sums(self):
        import shutil
        for version in range(1, 8):
            with self.subTest(version=version), TempDir() as folder:
                path = os.path.join(folder, "desk.db")
                shutil.copy(os.path.join(ROOT, f"tests/data/store_v{version}.db"), path + "-llmcost")
                db = connect(path)
                value(db, "SELECT llm_trust_store()")
                calls = value(db, "SELECT count(*) FROM llm_spend WHERE is_call")
                self.assertGreater(calls, 10)
                self.assertEqual(value(db, "SELECT sum(calls) FROM llm_cost_by_model"), calls)
                self.assertEqual(check(db)["sums"]["differs"], 0)
                db.close()


    def test_a_migration_that_is_killed_begins_anew(self):
        import shutil
        with TempDir() as folder:
            path = os.path.join(folder, "desk.db")
            shutil.copy(os.path.join(ROOT, "tests/data/store_v7.db"), path + "-llmcost")
            raw = sqlite3.connect(path + "-llmcost", isolation_level=None)
            raw.execute("WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 60000) INSERT INTO llm_calls(request_id,"
                        " attempt, ts, kind, model, tag, user, cost_nusd) SELECT 'r' || n, 1, 1790000000000 + n * 60000, 'call',"
                        " 'm' || (n % 9), 't' || (n % 50), 'u' || (n % 500), n FROM i")
            raw.close()
            code = ("import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.enable_load_extension(True);"
                    " db.load_extension(sys.argv[2]); print('ready', flush=True);"
                    " db.execute('SELECT llm_trust_store()').fetchall()")
            killed = 0
            for wait in (0.01, 0.05, 0.1, 0.2):
                p = subprocess.Popen(["/usr/bin/python3", "-c", code, path, SO], stdout=subprocess.PIPE)
                p.stdout.readline()
                time.sleep(wait)
                p.send_signal(signal.SIGKILL)
                p.wait()
                p.stdout.close()
                raw = sqlite3.connect(path + "-llmcost")
                killed += raw.execute("SELECT value FROM llm_meta WHERE name = 'schema_version'").fetchone() == (7,)
                self.assertEqual(raw.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
                raw.close()
            self.assertGreater(killed, 1)
            db = connect(path)
            value(db, "SELECT llm_trust_store()")
            self.assertEqual(value(db, "SELECT sum(calls) FROM llm_cost_by_user WHERE user LIKE 'u%'"), 60000)
            self.assertEqual(check(db)["sums"]["differs"], 0)
            db.close()


if __name__ == "__main__":
    from harness import main
    main()
