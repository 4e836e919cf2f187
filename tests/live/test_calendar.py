"""When a price holds: hours, days of the week, time zones, dated exceptions, and instants to the second."""
import datetime
import json
import random
import unittest
import zoneinfo

from harness import connect, error_of, value

UTC = datetime.timezone.utc
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def at(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class Calendars(unittest.TestCase):
    def setUp(self):
        self.db = connect(":memory:")
        value(self.db, "SELECT llm_init()")

    def set_hours(self, hours):
        self.db.execute("DELETE FROM llm_prices")
        self.db.execute("INSERT INTO llm_prices(model, kind, usd_per_million) VALUES ('m', 'input', 1)")
        self.db.execute("INSERT INTO llm_prices(model, kind, usd_per_million, valid_from, hours) VALUES ('m', 'input', 2, '1971-01-01', ?)",
                        (hours,))

    def holds(self, when):
        return value(self.db, "SELECT llm_price('m', 'input', ?)", when) == 2

    def test_what_can_be_written(self):
        for hours, inside, outside in (
                ("09:00-12:00", ["2026-03-01T09:00:00Z", "2026-03-01T11:59:59Z"], ["2026-03-01T08:59:59Z", "2026-03-01T12:00:00Z"]),
                ("09:00-12:00,14:00-18:00", ["2026-03-01T09:00:00Z", "2026-03-01T17:59:59Z"], ["2026-03-01T13:00:00Z"]),
                ("22:00-02:00", ["2026-03-01T22:00:00Z", "2026-03-01T01:59:59Z"], ["2026-03-01T02:00:00Z", "2026-03-01T21:59:59Z"]),
                # the night that begins on Friday; Saturday's own does not begin
                ("Fri 22:00-06:00", ["2026-11-27T22:00:00Z", "2026-11-28T05:59:59Z"], ["2026-11-27T05:00:00Z", "2026-11-28T22:00:00Z"]),
                ("Sat,Sun", ["2026-11-28T00:00:00Z", "2026-11-29T23:59:59Z"], ["2026-11-27T23:59:59Z", "2026-11-30T00:00:00Z"]),
                ("Fri-Mon", ["2026-11-27T00:00:00Z", "2026-11-30T23:59:59Z"], ["2026-12-01T00:00:00Z"]),
                ("saturday-sunday +08:00", ["2026-11-27T16:00:00Z", "2026-11-29T15:59:59Z"], ["2026-11-27T15:59:59Z", "2026-11-29T16:00:00Z"]),
                ("mon-fri 00:00-24:00", ["2026-11-27T23:59:59Z"], ["2026-11-28T00:00:00Z"]),
                ("Mon-Fri 09:00-18:00 +08:00 except 2026-10-01..2026-10-07",
                 ["2026-09-30T01:00:00Z", "2026-10-08T01:00:00Z"], ["2026-10-01T01:00:00Z", "2026-10-07T09:59:59Z", "2026-10-10T02:00:00Z"]),
                ("Mon-Fri 09:00-18:00 except 2026-10-01..2026-10-07, 2026-12-25 also 2026-10-10",
                 ["2026-10-10T10:00:00Z"], ["2026-12-25T10:00:00Z", "2026-10-11T10:00:00Z"]),
                ("except 2026-11-01..2026-11-30 also 2026-11-28", ["2026-11-28T10:00:00Z", "2026-12-01T10:00:00Z"], ["2026-11-27T10:00:00Z"]),
                ("also 2026-11-28 except 2026-11-01..2026-11-30", ["2026-11-28T10:00:00Z", "2026-12-01T10:00:00Z"], ["2026-11-27T10:00:00Z"]),
                ("-03:30 20:00-22:00", ["2026-03-01T23:30:00Z"], ["2026-03-01T20:00:00Z"]),
                ("also 2026-10-10", ["2026-10-10T10:00:00Z", "2026-10-11T10:00:00Z"], [])):
            self.set_hours(hours)
            for when in inside + outside:
                with self.subTest(hours=hours, when=when):
                    self.assertEqual(self.holds(when), when in inside)

    def test_what_is_none(self):
        for hours in ("25:00-26:00", "all night", "Mon-Fry 09:00-12:00", "09:00", "09:00-12:00,", "+8x", "Mars/Olympus", "except",
                      "except 2026-13-01", "except 2026-10-07..2026-10-01", "09:00-10:00 11:00-12:00", "Mon Tue", " ", "../etc/passwd",
                      "except " + ",".join(["2026-10-01"] * 200), ",".join(["09:00-10:00"] * 9), "Mon," * 9999, "A/" + "b" * 9999, "posix/../Zulu",
                      "09:00-12:00 except 2026-10-01x", "Mon-", "America/New_York/../../x", "+25:00", "2026-10-01"):
            with self.subTest(hours=hours):
                self.set_hours(hours)
                self.assertRegex(error_of(self.db, "SELECT llm_price('m', 'input')"), "are no hours|no time zone")
        self.set_hours("09:00-12:00 Mars/Olympus")
        self.assertIn("no time zone of this system", error_of(self.db, "SELECT llm_price('m', 'input')"))

    def test_places_that_change_their_clocks(self):
        """Beside Python's zoneinfo: random instants of 1971 to 2100, and those around every change."""
        rng = random.Random(13)
        for name in ("America/New_York", "Europe/Berlin", "Australia/Sydney", "Asia/Kolkata", "America/Sao_Paulo", "Asia/Shanghai",
                     "Africa/Casablanca", "America/St_Johns", "Europe/Dublin", "Pacific/Chatham"):
            try:
                zone = zoneinfo.ZoneInfo(name)
            except zoneinfo.ZoneInfoNotFoundError:
                self.skipTest("no tzdata")
            self.set_hours(f"Mon-Fri 08:00-19:30 {name}")
            moments = [datetime.datetime(1971, 1, 1, tzinfo=UTC) + datetime.timedelta(seconds=rng.randrange(0, 129 * 365 * 86400))
                       for _ in range(300)]
            for year in (1999, 2026, 2031, 2038, 2079):  # the hour on which the offset changes, within a few seconds
                day = datetime.datetime(year, 1, 1, tzinfo=UTC)
                for _ in range(366):
                    if day.astimezone(zone).utcoffset() != (day + datetime.timedelta(days=1)).astimezone(zone).utcoffset():
                        moments += [day + datetime.timedelta(minutes=m) for m in range(0, 1440, 20)]
                    day += datetime.timedelta(days=1)
            for when in moments:
                local = when.astimezone(zone)
                want = local.weekday() < 5 and 8 * 60 <= local.hour * 60 + local.minute < 19 * 60 + 30
                text = when.strftime("%Y-%m-%dT%H:%M:%SZ")
                self.assertEqual(self.holds(text), want, f"{name} {text} {local}")

    def test_prices_at_hand_end_with_the_hours(self):
        """Prices are kept from row to row: never past an edge of the calendar."""
        self.set_hours("Mon-Fri 09:00-12:00,14:00-18:00 +08:00 except 2026-10-01..2026-10-07")
        rng = random.Random(7)
        moments = [1758000000 + rng.randrange(0, 60 * 86400) for _ in range(3000)] + [1758000000 + 900 * k for k in range(4000)]
        rows = self.db.execute("SELECT m.value, llm_cost('m', 1000000, 0, json_object('at', m.value * 1000)) FROM json_each(?) m",
                               (json.dumps(moments),)).fetchall()
        for second, cost in rows:
            local = datetime.datetime.fromtimestamp(second, UTC) + datetime.timedelta(hours=8)
            peak = local.weekday() < 5 and (9 <= local.hour < 12 or 14 <= local.hour < 18) and \
                not datetime.date(2026, 10, 1) <= local.date() <= datetime.date(2026, 10, 7)
            self.assertEqual(cost, 2 if peak else 1, local)

    def test_deepseek(self):
        for when, want in (("2026-08-16T15:59:59Z", .435), ("2026-08-16T16:00:00Z", .66), ("2026-08-17T01:00:00Z", 1.32),
                           ("2026-08-22T01:30:00Z", 1.32), ("2026-08-22T16:00:00Z", .66), ("2026-08-23T01:30:00Z", .66),
                           ("2026-08-24T01:30:00Z", 1.32), ("2026-09-25T02:00:00Z", .66), ("2026-10-01T02:00:00Z", .66),
                           ("2026-10-08T02:00:00Z", 1.32), ("2026-11-27T09:59:59Z", 1.32), ("2026-11-27T10:00:00Z", .66),
                           ("2026-11-28T02:00:00Z", .66), ("2027-01-01T02:00:00Z", .66)):
            with self.subTest(when=when):
                self.assertEqual(value(self.db, "SELECT llm_price('deepseek-v4-pro', 'input', ?)", when), want)
        for when, want in (("2026-05-25", .14), ("2026-07-24T15:59:59Z", .14), ("2026-07-24T16:00:00Z", None)):  # an alias that was retired
            self.assertEqual(value(self.db, "SELECT llm_price('deepseek-chat', 'input', ?)", when), want)
        for when, want in (("2026-09-10T03:59:59Z", .22 * 2), ("2026-09-10T04:00:00Z", .15)):
            self.assertEqual(value(self.db, "SELECT llm_price('deepseek-v4-flash', 'input', ?)", when), want)

    def test_the_table_shows_them(self):
        hours = value(self.db, "SELECT hours FROM llm_catalogue WHERE model = 'deepseek-v4-pro' AND valid_to IS NULL AND hours IS NOT NULL LIMIT 1")
        self.assertTrue(hours.startswith("Mon-Fri 09:00-12:00,14:00-18:00 +08:00 except "))
        self.set_hours(hours)  # and llm_prices takes what it shows
        self.assertTrue(self.holds("2026-11-27T02:00:00Z"))
        self.assertFalse(self.holds("2026-11-28T02:00:00Z"))


if __name__ == "__main__":
    unittest.main()
