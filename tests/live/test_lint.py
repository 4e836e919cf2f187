"""llm_lint: what moves in front of what stays, what is said twice, blanks; what it costs a day."""
import contextlib
import json
import sqlite3
import unittest

from harness import Desk, connect, error_of, main, value

RULES = "\n".join(f"Parcels for the town of number {i} go by train at {i % 12 + 1} in the morning, and the customer is told so." for i in range(200))
SHORT = "You answer for a shop. Be kind and brief."


def rows(db, text, columns="kind, severity, tokens, usd_day, found, changed, moved", **options):
    return db.execute(f"SELECT {columns} FROM llm_lint(?, ?)", (text, json.dumps(options) if options else None)).fetchall()


class Text(unittest.TestCase):
    """Of a text that is handed in."""

    @classmethod
    def setUpClass(cls):
        cls.db = connect(":memory:")

    @classmethod
    def tearDownClass(cls):
        cls.db.close()

    def moving(self, text, **options):
        return [r for r in rows(self.db, text, model="gpt-4o", calls_day=1000, **options) if r[0] == "volatile_prefix"]

    def test_each_clock_has_its_effect(self):
        """Five thousand tokens behind it are dollars; nothing behind it, or too little to be kept, is none."""
        (_, severity, tokens, usd, found, changed, moved), = self.moving(f"Current time: 2026-11-28 10:31:07\n\n{RULES}")
        rules = self.db.execute("SELECT llm_tokens(?)", (RULES,)).fetchone()[0]
        self.assertEqual((severity, found, changed, moved), ("high", "2026-11-28 10:31:07", RULES, "Current time: 2026-11-28 10:31:07"))
        self.assertAlmostEqual(tokens, rules, delta=2)
        # gpt-4o: 2.5 fresh and 1.25 read per million; one of the thousand calls writes
        self.assertAlmostEqual(usd, 999 * rules * (2.5 - 1.25) / 1e6, delta=0.02)

        (_, severity, tokens, usd, *_), = self.moving(f"Current time: 2026-11-28 10:31:07\n\n{SHORT}")
        self.assertEqual((severity, tokens, usd), ("low", 0, 0))
        self.assertEqual(self.moving(f"{RULES}\n\nCurrent time: 2026-11-28 10:31:07"), [])

        (_, severity, _, by_day, *_), = self.moving(f"Today is 2026-11-28.\n\n{RULES}")
        self.assertEqual(severity, "low")
        self.assertAlmostEqual(by_day, (rules * (2.5 - 1.25)) / 1e6, delta=0.001)

    def test_what_moves(self):
        for front, found in [
                ("Request id: 7f3a9c21-22ab-4e1f-9d0c-0a1b2c3d4e5f", "7f3a9c21-22ab-4e1f-9d0c-0a1b2c3d4e5f"), ("Session ID = sess_9f8e7d6c", "sess_9f8e7d6c"),
                ("The user id is 4711-0815.", "4711-0815"), ("Call #17", "17"), ("The current date is {{ now }}.", "{{ now }}"),
                ("Today is {date}.", "{date}"), ("You have {current_datetime} to think of.", "{current_datetime}"), ("Time: ${timestamp}", "${timestamp}"),
                ("Today is Saturday, November 28, 2026.", "Saturday, November 28, 2026"), ("It is now 10:31 UTC.", "10:31 UTC"),
                ("Datetime: 2026-11-28T10:31:07Z", "2026-11-28T10:31:07Z"), ("Heute ist der 28. November 2026.", "28. November 2026"),
                ("Nous sommes le 28 novembre 2026.", "28 novembre 2026"), ("Hoy es 28/11/2026.", "28/11/2026"), ("今天是2026年11月28日。", "2026年11月28日")]:
            with self.subTest(front):
                self.assertEqual([r[4] for r in self.moving(f"{front}\n\n{RULES}")], [found])

    def test_as_people_write_it(self):
        for front in ["**Current date:** 2026-11-28", "<current_date>2026-11-28</current_date>", "Current Date/Time (UTC): 2026-11-28 10:31",
                      "Current date: Sat, 28 Nov 2026 10:31:07 +0000", "Today is Sat, Nov 28, 2026", "Today is the 28th of November 2026", "It is currently 10:31 AM.",
                      "The current time in Berlin is 10:31.", "Server time: 10:31:07", "Today (UTC): 2026-11-28", "Current timestamp: 1764325867",
                      "Unix time: 1795861867", "Generated at 2026-11-28T10:31:07Z", "As of 2026-11-28 10:31:07, stock is 5.", "Now: 2026-11-28T10:31",
                      "Erstellt am 28.11.2026 um 10:31 Uhr.", "Local time: 10:31", "Fecha y hora actual: 28/11/2026 10:31", "Hora actual: 10:31", "The date today is November 28, 2026.",
                      "As of today, November 28, 2026, you are the assistant.", "Turn 14.", "Conversation turn: 14", "Random seed: 492817", "It's ISO week 2026-W48.", "Date and time: 2026-11-28 10:31",
                      "Trace: 4bf92f3577b34da6a3ce929d0e0e4736", "You are talking to {{user.first_name}}.", "This is message 14 of the conversation.", "今日は2026年11月28日です。", "本日: 2026年11月28日", "今日の日付: 2026年11月28日", "現在の時刻は10:31です。",
                      "今天的日期是2026年11月28日。", "Heure actuelle : 10:31", "Il est 10h31.", "On est le 28 novembre 2026.", "User ID: 48213",
                      "Customer: {{customer_name}}", "Today is Monday."]:
            with self.subTest(front):
                self.assertEqual(len(self.moving(f"{front}\n\n{RULES}")), 1)

    def test_a_day_and_its_time_are_a_clock(self):
        """However they stand together: what moves most often of a sentence is what it costs."""
        for front in ["Today is Saturday, November 28, 2026, and the time is 10:31 AM.", "Today is 28 November 2026 (10:31 UTC).", "Current date: 2026-11-28, current time: 10:31",
                      "Nous sommes le samedi 28 novembre 2026, il est 10h31.", "Heute ist der 28. November 2026 und es ist 10:31 Uhr.",
                      "Hoy es 28 de noviembre de 2026 y son las 10:31.", "Oggi è il 28 novembre 2026, ore 10:31.", "Hoje é 28 de novembro de 2026, 10h31.",
                      "現在時刻：2026年11月28日 10時31分", "当前时间：2026年11月28日 10时31分", "Sat Nov 28 10:31:07 UTC 2026", "[2026-11-28 10:31:07]", "2026-11-28T10:31:07Z",
                      "# Current Date and Time\n2026-11-28 10:31:07", "Today is 2026-11-28, session 7f3c9a52-1b0e-4f6d-9a7e-0c2b5d8e4f11."]:
            with self.subTest(front):
                (_, severity, tokens, usd, *_), = self.moving(f"{front}\n\n{RULES}")
                self.assertEqual(severity, "high")
                self.assertAlmostEqual(usd, 999 * tokens * (2.5 - 1.25) / 1e6, delta=0.1)

    def test_what_is_behind_one_that_moves_always_is_its_own(self):
        """A date behind an id or a clock costs nothing: what stands behind both is read anew for the other's sake."""
        rules = self.db.execute("SELECT llm_tokens(?)", (RULES,)).fetchone()[0]
        for fast in ("Session ID: abc-123-def", "The current time is 10:31."):
            for between in ("\n", "\n\n"):
                with self.subTest(fast):
                    (_, severity, tokens, usd, *_), (_, low, none, nothing, date, *_) = self.moving(f"{fast}{between}Today is 2026-11-28.\n\n{RULES}")
                    self.assertEqual((severity, low, none, nothing, date), ("high", "low", 0, 0, "2026-11-28"))
                    self.assertAlmostEqual(tokens, rules, delta=20)
                    self.assertAlmostEqual(usd, 999 * tokens * (2.5 - 1.25) / 1e6, delta=0.1)
            (_, low, few, *_), (_, severity, most, *_) = self.moving(f"Today is 2026-11-28.\n\n{fast}\n\n{RULES}")
            self.assertEqual((low, severity), ("low", "high"))
            self.assertLess(few, 5)
            self.assertAlmostEqual(most, rules, delta=5)

    def test_nothing_is_gained_below_the_floor_without_it(self):
        """What is left is too short to be kept, though the prompt is long enough with its clock."""
        floor = self.db.execute("SELECT llm_cache_minimum('gpt-4o')").fetchone()[0]
        body = ""
        for line in RULES.split("\n"):
            body += line + "\n"
            for more in range(30):
                text = f"Current time: 2026-11-28 10:31:07 (UTC)\n\n{body}" + "ok " * more
                whole, without = (self.db.execute("SELECT llm_tokens(?, 'gpt-4o')", (t,)).fetchone()[0] for t in (text, text.split("\n\n", 1)[1]))
                if whole >= floor > without + 3:
                    (_, severity, tokens, usd, *_), = self.moving(text)
                    self.assertEqual((severity, tokens, usd), ("low", 0, 0))
                    (missing,), = rows(self.db, text, "tokens", model="gpt-4o")[1:2]
                    self.assertAlmostEqual(missing, floor - without, delta=3)
                    return
            if whole > floor:
                break
        self.fail("no such prompt")

    def test_places_of_templates(self):
        """Of the usual languages, wherever the line stands; one that is spoken of, or that says what to write, is no place that is filled."""
        for place in ["{{now}}", "{{ now() }}", "{now}", "{}", "{0}", "{now:%H:%M}", "${now}", "${new Date().toISOString()}", "$TIME", "%s", "%(now)s", "%TIME%", "<%= Time.now %>", "[time]",
                      "[[time]]", "{{{timestamp}}}", "#{Time.now}", "__TIME__", "@DateTime.Now", "<time>", "{{ strftime_now('%d %b') }}"]:
            for text in (f"Current time: {place}\n\n{RULES}", f"Current time: {place}\nYou answer for a shop in at most two sentences.\n\n{RULES}",
                         f"Current time: {place}\nUser locale: en-GB\n\n{RULES}"):
                with self.subTest(text[:60]):
                    self.assertEqual([r[4] for r in self.moving(text)], [place])
        for spoken in ["Put {today} in the footer.", "Write {{current_date}} where the date goes.", "The variable {{now}} is filled in by the mailer.",
                       "Never print {api_key} or {user_id}.", "The token {session_id} must never be printed.", "Replace {user_name} by the name."]:
            with self.subTest(spoken):
                self.assertEqual([r[4] for r in self.moving(f"{spoken}\n\n{RULES}")], [])

    def test_dates_of_something_else(self):
        for front in ["Release date: 2026-09-14 09:00", "Due date: 2026-12-01 23:59", "Start time: 2026-12-24 18:00", "start_time: 2026-12-24 18:00",
                      "Expiry date: 31 December 2026, 17:00", "Effective date = 2026-01-01 00:00", "Maintenance time: 2026-12-05 02:00 to 04:00",
                      "Prices as of 2026-10-01 00:00 UTC.", "As of 1 January 2026 00:00 the fee is 9 euros.", "Printed on 2026-10-01 08:00, edition 4 of the handbook.",
                      "You play a butler. It is 10:30 and breakfast is late.", "It is 15:00 when the last patients are taken.", "Scene: It is 23:45, the lights are out.",
                      "The time is 90:00 when the match ends.", "Es ist 10:30 Uhr, als der Kommissar eintrifft.", "Account ID: 123456789012 is our AWS account.", "In Texas call #1 is free.", "The function returns a {Request} that can be sent.", "Pull request #343.",
                      "Message number 3 in a thread is where you sum up.", "Timestamp = 1700000000 means the record is a test.",
                      "Date: 2026-12-24 18:00, place: town hall.", "Departure\n\n- 2026-12-05 20:00\n- 2026-12-06 20:00", "Departure:\n2026-12-05 20:00",
                      "The namespace uuid is 6ba7b810-9dad-11d1-80b4-00c04fd430c8.", "Run: 7f3c9a52-1b0e-4f6d-9a7e-0c2b5d8e4f11 is the reference run."]:
            with self.subTest(front):
                self.assertEqual([r[4] for r in self.moving(f"{front}\n\n{RULES}")], [])

    def test_what_others_mean_stays(self):
        """A sentence that says more than the time, or that another one means, is not taken out; a place for a date costs what a date does."""
        for front in ["Today is 2026-11-28. Orders before that date are closed.", "Current time: 10:31:07\n\nUse the time above for the greeting.",
                      "The current date is 2026-11-28 and you must not accept returns of orders older than 30 days before it."]:
            with self.subTest(front):
                (*_, changed, moved), = self.moving(f"{front}\n\n{RULES}")
                self.assertEqual((changed, moved), (None, None))
        (_, severity, _, usd, *_), = self.moving(f"Today's date: {{{{date}}}}\n\n{RULES}")
        self.assertEqual((severity, usd < 0.01), ("low", True))
        # One call a day reads what nobody wrote
        self.assertEqual(rows(self.db, f"Current time: 10:31:07\n\n{RULES}", "usd_day", model="gpt-4o", calls_day=1), [(0,)])

    def test_what_only_looks_so(self):
        """Precision before recall: a date that is fixed, shown, quoted, or a form to be filled in is no clock."""
        for front in ["The current policy took effect on 2026-01-01.", "Date format: 2026-01-31.", "Write dates as 2026-01-31.", "Our shop opened on 2 May 1999.",
                      "Example: \"Today is 2026-11-28\"", "For example, today is 2026-11-28.", "# Examples\n\nToday is 2026-11-28.", "`Current time: 10:31`",
                      "```\nCurrent time: 2026-11-28 10:31:07\n```", "{\"current_time\": \"2026-11-28 10:31:07\"}", "Last updated: 2026-01-01", "We open at 10:30.",
                      "Answer as {name}, {date}, {amount}.", "An order id looks like ORD-12345.", "Version: 2026-01-01", "Ask for the user id and the session id.",
                      "Today is a good day.", "The date is written on the invoice.", "Call 911 in an emergency.", "Request number and name.", "Suppose today is 2026-11-28.", "If it is now 10:31, say so.",
                      "Put {{date}} in the first line of a letter and {{now}} at its end. Be kind.", "Point out f\"{now}\" as bad logging.",
                      "The template language has {{now}} for the time of the rendering of it.", "Our lunch special today is Monday's soup.",
                      "Deadline today: 17:00 for express parcels.", "You play a butler in 1912. The current date is 14 April 1912, the ship is sailing.",
                      "You are a narrator. It is 12 May 1890 in London."]:
            with self.subTest(front):
                self.assertEqual([r[4] for r in self.moving(f"{front}\n\n{RULES}")], [])

    def test_several(self):
        """Each has what is behind it up to the next, so the sum is what moving all of them is worth. One unit is one finding."""
        half = RULES[:len(RULES) // 2].rsplit("\n", 1)[0]
        text = f"Current time: 10:31. Request id: abc-123-def.\n\n{half}\n\nSession id: 99aa88bb77\n\n{half}"
        found = self.moving(text)
        self.assertEqual([r[4] for r in found], ["10:31", "abc-123-def", "99aa88bb77"])
        whole = self.db.execute("SELECT llm_tokens(?)", (text,)).fetchone()[0]
        self.assertLess(abs(sum(r[2] for r in found) - whole), 40)

    def test_what_is_said_twice_and_blanks(self):
        rule = "Items can be returned for free by all customers."
        text = f"Be kind.\n\n{rule}\n\n{rule}\n\nNow answer the customer."
        (kind, severity, tokens, usd, found, *_), = rows(self.db, text, model="gpt-4o", calls_day=1e6)
        self.assertEqual((kind, severity, found), ("duplicate", "medium", rule))
        self.assertAlmostEqual(usd, tokens * 2.5, delta=1e-6)
        text = '{\n   "a": [1,\n  2,\n  3]\n}\n\nAnswer.'
        (kind, _, _, _, _, changed, _), = rows(self.db, text)
        self.assertEqual((kind, changed), ("pretty_json", '{"a":[1,2,3]}\n\nAnswer.'))
        (kind, _, tokens, _, _, changed, _), = rows(self.db, "Be  kind,      and be brief.   \n\n\n\n\nAnswer.")
        self.assertEqual((kind, changed), ("blanks", "Be kind, and be brief.\n\nAnswer."))
        self.assertGreater(tokens, 0)

    def kinds(self, text, *kinds, columns="kind, found", **options):
        return [r for r in rows(self.db, text, columns, **options) if r[0] in kinds]

    def test_filler(self):
        text = f"{SHORT}\n\nPlease note that the shop is closed on Sundays.\n\nThank you in advance."
        (_, severity, tokens, usd, found, changed, _), (_, *_, thanks, without, _) = rows(self.db, text, model="gpt-4o", calls_day=1e6)
        self.assertEqual((severity, tokens, found), ("medium", 3, "Please note that "))
        self.assertAlmostEqual(usd, tokens * 2.5, delta=1e-6)
        self.assertEqual(changed, text.replace("Please note that ", ""))
        self.assertEqual((thanks, without), ("Thank you in advance.", text[:-len("\n\nThank you in advance.")]))

    def test_what_a_schema_says(self):
        """With the schema at hand the text without it is given; what says more than the schema stays in any case."""
        schema = {"type": "object", "required": ["mood"], "properties": {"mood": {"enum": ["good", "bad"]}, "why": {"type": "string"}}}
        text = f"{SHORT}\n\nRespond only with valid JSON. The field `mood` must be one of \"good\", \"bad\". `mood` is bad if the customer swears."
        first, second = "Respond only with valid JSON.", "The field `mood` must be one of \"good\", \"bad\"."
        self.assertEqual(self.kinds(text, "format_prose", columns="kind, found, changed"), [("format_prose", first, None), ("format_prose", second, None)])
        found = self.kinds(text, "format_prose", columns="kind, found, changed", schema=schema)
        self.assertEqual([r[1] for r in found], [first, second])
        self.assertEqual(found[0][2], text.replace(first + " ", ""))
        schema["properties"]["mood"]["enum"].append("mixed")
        self.assertEqual([r[1] for r in self.kinds(text, "format_prose", schema=schema)], [first])
        self.assertIn("schema", error_of(self.db, "SELECT * FROM llm_lint('x', '{\"schema\":[1]}')"))

    def test_examples(self):
        """What they are of the prompt, and which one shows what another one showed."""
        again = "Text: The lamp that came was three days late.\nTopic: delivery"
        text = f"Sort texts by topic.\n\nText: The lamp came three days late.\nTopic: delivery\n\nText: The lamp is broken.\nTopic: fault\n\n{again}\n\nText: {{{{text}}}}\nTopic:"
        (kind, found, said), (few, none, share) = self.kinds(text, "example_repeats", "few_shot", columns="kind, found, suggestion")
        self.assertEqual((kind, found, few, none), ("example_repeats", again, "few_shot", None))
        self.assertIn(f"byte {text.index('Text:')}", said)
        self.assertRegex(share, r"^3 examples are \d\d % of the prompt")

    def test_what_costs_nothing_is_low(self):
        text = f"Current time: 2026-11-28 10:31:07\n\n{RULES}"
        for options in ({"model": "gpt-4o", "calls_day": 0}, {"model": "gpt-4o", "calls_day": 1}, {"model": "text-embedding-3-small", "calls_day": 5000}):
            (severity, usd), = self.kinds(text, "volatile_prefix", columns="kind, severity, usd_day", **options)[0][1:],
            self.assertEqual((severity, usd), ("low", 0))

    def test_contradiction(self):
        (kind, severity, found, said), = rows(self.db, "Use emojis.\n\nBe kind.\n\nNever use emojis.\n\nNow answer.", "kind, severity, found, suggestion")
        self.assertEqual((kind, severity, found), ("contradiction", "medium", "Never use emojis."))
        self.assertIn('byte 0: "Use emojis."', said)

    def test_another_order(self):
        """What stands from the first that differs on is not read from the cache; a list of bullets is given in an order of its own."""
        lines = [f"- Parcels for the town of number {i} go by train in the morning, and the customer is told so." for i in range(100)]
        one, other = "\n".join(lines), "\n".join(lines[1:] + lines[:1])
        (severity, tokens, usd, changed), = self.kinds(f"Rules:\n{other}", "unstable_order", columns="kind, severity, tokens, usd_day, changed", model="gpt-4o",
                                                       calls_day=1000, before=f"Rules:\n{one}")[0][1:],
        whole = self.db.execute("SELECT llm_tokens(?)", (other,)).fetchone()[0]
        self.assertEqual(severity, "high")
        self.assertAlmostEqual(tokens, whole, delta=10)
        self.assertAlmostEqual(usd, 999 * tokens * (2.5 - 1.25) / 1e6, delta=0.05)
        self.assertEqual(changed, "Rules:\n" + "\n".join(sorted(lines)))
        self.assertEqual(self.kinds(f"Rules:\n{one}", "unstable_order", before=f"Rules:\n{one}"), [])

    def test_a_clock_at_the_end(self):
        """Where a mark is set behind the prompt, it is set behind the clock: nothing is ever read. Elsewhere nothing is lost."""
        text = f"{RULES}\n\nCurrent time: 2026-11-28 10:31:07"
        (severity, tokens, usd, changed, said), = rows(self.db, text, "severity, tokens, usd_day, changed, suggestion", model="claude-sonnet-4-6", calls_day=1000)
        self.assertEqual((severity, changed), ("high", RULES))
        self.assertIn("mark", said)
        self.assertGreater(usd, 0.8 * tokens * 3 * 0.9 * 1000 / 1e6)
        self.assertEqual(self.moving(text), [])

    def test_no_limit_of_length(self):
        tutor = "You are a tutor. Explain what the pupil asks for, and be kind."
        self.assertEqual(rows(self.db, tutor, "kind, severity, tokens, usd_day, found", model="gpt-4o", calls_day=5), [("no_length_limit", "low", 0, None, None)])
        self.assertEqual(rows(self.db, tutor + " Be brief."), [])

    def test_below_the_floor(self):
        """Half of the least prefix and more, of the model that is named: other models keep less, or more."""
        text = RULES[:3500].rsplit("\n", 1)[0]
        tokens = self.db.execute("SELECT llm_tokens(?)", (text,)).fetchone()[0]
        floor = self.db.execute("SELECT llm_cache_minimum('gpt-4o')").fetchone()[0]
        self.assertEqual(rows(self.db, text, "kind, tokens, usd_day", model="gpt-4o"), [("below_floor", floor - tokens, 0)])
        self.assertEqual(rows(self.db, text, "kind", model="claude-haiku-4-5"), [])
        self.assertEqual(rows(self.db, text, "kind"), [])

    def test_unknown_is_null(self):
        clock = f"Current time: 10:31:07\n\n{RULES}"
        self.assertEqual(rows(self.db, clock, "usd_day, calls, model"), [(None, None, None)])
        self.assertEqual(rows(self.db, clock, "usd_day, model", model="gpt-4o"), [(None, "gpt-4o")])
        self.assertEqual(rows(self.db, clock, "usd_day", model="nobodys-model", calls_day=5), [(None,)])

    def test_bad_input(self):
        self.assertEqual(self.db.execute("SELECT * FROM llm_lint(NULL)").fetchall(), [])
        self.assertEqual(self.db.execute("SELECT * FROM llm_lint('')").fetchall(), [])
        self.assertEqual(self.db.execute("SELECT * FROM llm_lint()").fetchall(), [])  # no ledger yet
        self.assertIn("UTF-8", error_of(self.db, "SELECT * FROM llm_lint(CAST(x'ff41' AS TEXT))"))
        self.assertIn("calls_day", error_of(self.db, "SELECT * FROM llm_lint('x', '{\"calls\":1}')"))
        self.assertIn("calls_day", error_of(self.db, "SELECT * FROM llm_lint('x', '{\"calls_day\":-1}')"))


class Ledger(Desk):
    """Without a text: the prompts that were sent, as often as they were."""

    CALLS = 24

    def ask(self, systems, model, tag, front=("",) * CALLS):
        for i, system in enumerate(systems):
            options = json.dumps({"model": model, "system": system, "tag": tag, "max_tokens": 20, "prompt_cache": "5m"})
            self.db.execute("SELECT llm_complete(?, ?)", (f"{front[i]}Where is parcel {i}?", options)).fetchall()
        return self.db.execute("SELECT sum(cost_nusd) / 1e9 FROM llm_calls WHERE tag = ? AND kind = 'call'", (tag,)).fetchone()[0]

    def test_the_ledger_s_prompts(self):
        """A clock makes each prompt another text: they are one prompt, with all their calls."""
        clock = [f"Current time: 2026-11-28 10:{i:02}:07\n\n{RULES}" for i in range(self.CALLS)]
        self.ask(clock, "gpt-4o", "clock")
        self.ask([SHORT] * self.CALLS, "gpt-4o", "short")
        (kind, calls, model, usd, system_hash), = self.db.execute(
            "SELECT kind, calls, model, usd_day, system_hash FROM llm_lint() WHERE kind = 'volatile_prefix'").fetchall()
        self.assertEqual((kind, calls, model), ("volatile_prefix", self.CALLS, "gpt-4o-2024-08-06"))
        self.assertEqual(self.db.execute("SELECT text FROM llm_texts WHERE hash = ?", (system_hash,)).fetchone()[0], clock[-1])
        # The same by its text, of a minute that was never sent
        other, = rows(self.db, f"Current time: 2026-12-01 23:59:59\n\n{RULES}", "usd_day, calls")
        self.assertEqual(other[1], self.CALLS)
        self.assertAlmostEqual(other[0], usd, delta=usd / 100)

    def test_orders(self):
        """Shuffled, it is one prompt; what it costs goes by how often the order changed."""
        lines = [f"- Parcels for the town of number {i} go by train in the morning, and the customer is told so." for i in range(200)]
        shuffled = ["Rules:\n" + "\n".join(lines[i:] + lines[:i]) for i in range(self.CALLS)]
        self.ask(shuffled, "gpt-4o", "shuffled")
        (kind, calls, severity, usd, changed), = self.db.execute("SELECT kind, calls, severity, usd_day, changed FROM llm_lint() WHERE kind = 'unstable_order'").fetchall()
        self.assertEqual((calls, severity, changed), (self.CALLS, "high", "Rules:\n" + "\n".join(sorted(lines))))
        # NULL and options: the ledger's prompts with these options; of NULL alone nothing is told
        by_options = self.db.execute("SELECT calls, changed, model FROM llm_lint(NULL, '{\"model\":\"gpt-4o\"}') WHERE kind = 'unstable_order'").fetchall()
        self.assertEqual(by_options, [(calls, changed, "gpt-4o")])
        self.assertEqual(self.db.execute("SELECT * FROM llm_lint(NULL)").fetchall(), [])
        tokens = self.db.execute("SELECT llm_tokens(?)", (shuffled[0],)).fetchone()[0]
        self.assertAlmostEqual(usd, (self.CALLS - 1) * tokens * 1.25 / 1e6, delta=0.2 * usd)

    def test_long_answers(self):
        """Over the ledger a limit is missed only where the answers were long."""
        tutor = "You are a tutor. Explain what the pupil asks for, and be kind."
        self.ask([tutor] * self.CALLS, "gpt-4o", "tutor")
        sql = "SELECT severity, tokens, usd_day FROM llm_lint() WHERE kind = 'no_length_limit'"
        self.assertEqual(self.db.execute(sql).fetchall(), [])  # twenty tokens each
        with contextlib.closing(sqlite3.connect(self.path + "-llmcost")) as store, store:
            store.execute("UPDATE llm_calls SET output_tokens = 400 WHERE tag = 'tutor'")
        self.assertEqual(self.db.execute(sql).fetchall(), [("medium", 400, None)])

    def send(self, systems, **options):
        for i, system in enumerate(systems):
            value(self.db, "SELECT llm_complete(?, ?)", f"question {i}", json.dumps({"model": "gpt-4o", "max_tokens": 9, "cache": "off", "system": system, **options}))

    def told(self):
        return [r for r in self.db.execute("SELECT kind, severity, tokens, usd_day, found, changed, calls FROM llm_lint()").fetchall() if r[0] == "volatile_prefix"]

    def test_what_the_ledger_shows_to_move(self):
        """No word says that it moves; but each call came with another one."""
        names = ["Anna Lindqvist", "Bo", "Carla de la Cruz", "D. Okafor", "Eve Q. Stone", "Farid", "Gro Hansen", "Hu Wei", "Ilse Bauer", "Jo Ann Smith"]
        skies = ["light rain", "fog", "sun and wind", "snow", "hail", "clear skies", "drizzle at times", "storm", "heat", "mist"]
        for front, sentence, values in (("You are kind.", "You are talking to {}, our guest.", names), ("You plan walks.", "The weather is: {}.", skies)):
            self.send([f"{front}\n\n{sentence.format(v)}\n\n{RULES}" for v in values])
        found = {r[4]: r for r in self.told()}
        self.assertEqual(set(found), {f"You are talking to {names[-1]}, our guest.", f"The weather is: {skies[-1]}."})
        for _, severity, tokens, usd, _, changed, calls in found.values():
            self.assertEqual((severity, changed, calls), ("high", None, 10))
            self.assertAlmostEqual(usd, 9 * tokens * (2.5 - 1.25) / 1e6, delta=0.1 * usd)

    def test_what_the_ledger_shows_to_stay(self):
        """Three shops with a prompt each, five versions of one, and prompts that have nothing to do with each other."""
        self.send([f"You answer for shop {c}.\n\n{RULES}" for c in "ABC" for _ in range(12)])
        self.send([f"You are kind. {v}\n\n{RULES}" for v in ("Be brief.", "Be short.", "Two lines.", "One line.", "Say little.") for _ in range(11)])
        self.send([f"You help team {i}. {' '.join(RULES.split()[i * 7:i * 9 + 5])} End." for i in range(20)])
        self.assertEqual(self.told(), [])

    def test_a_day_of_a_desk(self):
        """A desk asks with the clock in front, lints, and asks with what lint gave: the bill falls by what it said."""
        for model in ("gpt-5-mini", "claude-sonnet-4-6"):
            with self.subTest(model):
                clock = [f"Current time: 2026-11-28 11:{i:02}:07\n\n{RULES} {model}." for i in range(self.CALLS)]
                before = self.ask(clock, model, f"{model} before")
                usd = rows(self.db, clock[0], "usd_day")[0][0]
                linted = [rows(self.db, text, "changed, moved || char(10, 10)", model=model)[0] for text in clock]
                after = self.ask([changed for changed, _ in linted], model, f"{model} after", [moved for _, moved in linted])
                print(f"      {model}: ${before:.4f} with the clock in front, ${after:.4f} linted; said: ${usd:.4f} less")
                self.assertLess(after, 0.75 * before)
                self.assertAlmostEqual(before - after, usd, delta=0.2 * usd)


if __name__ == "__main__":
    main()
