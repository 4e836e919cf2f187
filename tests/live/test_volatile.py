"""Answers of the moment and of a person: what the semantic cache does not give to the next who asks."""
import json
import unittest

from harness import StaticDesk, value

# The same question in other words: close enough for the cache to serve it, unless it knows better.
NOW = [("What is the price of bitcoin?", "What's the price of bitcoin?"),
       ("Wie ist das Wetter heute in Berlin?", "Wie ist heute das Wetter in Berlin?"),
       ("Quel temps fait-il aujourd'hui ?", "Quel temps fait il aujourd'hui"),
       ("¿Qué tiempo hace hoy en Madrid?", "¿Qué tiempo hace en Madrid hoy?")]
PERSONAL = [("What is my balance?", "What's my balance?"),
            ("Wo ist meine Bestellung?", "wo ist meine bestellung"),
            ("Quel est mon solde ?", "quel est mon solde"),
            ("¿Dónde está mi pedido?", "dónde está mi pedido")]
GENERAL = ("How do I reset my password?", "how can I reset my password")


class Volatile(StaticDesk):
    def ask(self, text, **options):
        options = {"cache": "semantic", **options}
        if options["cache"] == "semantic":
            options["threshold"] = 0.6
        return value(self.db, "SELECT llm_complete(?, ?)", text, json.dumps(options))

    def kind(self, text, **options):
        """What asking it was, as the ledger has it."""
        self.ask(text, **options)
        return value(self.db, "SELECT kind FROM llm_calls ORDER BY id DESC LIMIT 1")

    def dry(self, text, **options):
        return json.loads(self.ask(text, dry_run=True, **options)).get("semantic")

    def test_an_answer_of_the_moment_is_neither_looked_up_nor_kept(self):
        for asked, again in NOW:
            with self.subTest(asked):
                self.assertEqual(self.kind(asked, user="ann"), "call")
                self.assertEqual(self.kind(again, user="bob"), "call")
                self.assertEqual(self.kind(again, user="ann"), "hit_exact")
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_cache"), 0)

    def test_an_answer_of_a_person_is_that_persons(self):
        for asked, again in PERSONAL:
            with self.subTest(asked):
                self.assertEqual(self.kind(asked, user="ann"), "call")
                self.assertEqual(self.kind(again, user="bob"), "call")
                self.assertEqual(self.kind(asked + "?", user="ann"), "hit_semantic")
                self.assertEqual(self.kind(asked + "?", user="carl"), "call")

    def test_the_exact_cache_is_as_it_was(self):
        self.assertEqual(self.kind(PERSONAL[0][0], user="ann"), "call")
        self.assertEqual(self.kind(PERSONAL[0][0], user="bob"), "hit_exact")
        self.assertEqual(self.kind(PERSONAL[0][0], user="bob", cache="exact"), "hit_exact")

    def test_what_is_general_is_everybodys(self):
        self.assertEqual(self.kind(GENERAL[0], user="ann"), "call")
        self.assertEqual(self.kind(GENERAL[1], user="bob"), "hit_semantic")
        self.assertIsNone(self.dry(GENERAL[0], user="bob"))

    def test_without_a_user_a_personal_answer_is_everybodys(self):
        self.assertEqual(self.kind(PERSONAL[0][0]), "call")
        self.assertEqual(self.kind(PERSONAL[0][1]), "hit_semantic")
        self.assertEqual(self.dry(PERSONAL[0][0]), {"within": "all", "word": "what is my"})

    def test_off_everything_is_looked_up(self):
        self.db.execute("SELECT llm_config('volatile', 'off')").fetchall()
        for asked, again in NOW + PERSONAL:
            with self.subTest(asked):
                self.assertEqual(self.kind(asked, user="ann"), "call")
                self.assertEqual(self.kind(again, user="bob"), "hit_semantic")
        self.assertIsNone(self.dry(NOW[0][0], user="bob"))
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_calls WHERE notes IS NOT NULL"), 0)

    def test_a_dry_run_and_the_ledger_say_so(self):
        self.assertEqual(self.dry("Hi! What time is it?"), {"skipped": "now", "word": "what time is it"})
        self.assertEqual(self.dry(PERSONAL[0][0], user="ann"), {"within": "user", "word": "what is my"})
        self.assertIsNone(self.dry("What time is it?", cache="exact"))
        self.ask("Hi! What time is it?")
        notes = value(self.db, "SELECT notes FROM llm_calls")
        self.assertEqual(json.loads(notes), {"semantic": {"skipped": "now", "word": "what time is it"}})
        said = json.loads(value(self.db, "SELECT llm_call_explain(1)"))
        self.assertEqual(said["cache"]["semantic"], {"skipped": "now", "word": "what time is it"})

    def test_notes_of_others_stay(self):
        self.db.executescript("""
          INSERT INTO llm_budgets(scope, period, limit_usd, action) VALUES ('*', 'day', 1e-9, 'warn');
        """)
        self.ask("What is my balance?", user="ann")
        self.ask("What is my limit?", user="ann")
        for notes in self.db.execute("SELECT notes FROM llm_calls").fetchall()[1:]:
            self.assertEqual(set(json.loads(notes[0])), {"semantic", "budget"})

    def test_the_last_thing_that_the_user_said_counts(self):
        messages = [{"role": "user", "content": "What is my balance?"}, {"role": "assistant", "content": "$3"},
                    {"role": "user", "content": "Why is the sky blue?"}]
        dry = value(self.db, "SELECT llm_chat(?, ?)", json.dumps(messages), '{"cache": "semantic", "dry_run": true}')
        self.assertNotIn("semantic", json.loads(dry))
        dry = value(self.db, "SELECT llm_chat(?, ?)", json.dumps(messages[:1]), '{"cache": "semantic", "dry_run": true}')
        self.assertEqual(json.loads(dry)["semantic"]["word"], "what is my")

    def test_a_refresh_does_not_keep_it_by_meaning(self):
        self.db.execute("SELECT llm_config('cache', 'semantic')").fetchall()
        self.ask("What time is it?", cache="refresh")
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_cache"), 0)

    def test_the_table_does_the_same(self):
        self.db.execute("CREATE TABLE t AS SELECT 'What time is it?' AS q UNION ALL SELECT 'What time is it now?'")
        options = '{"cache": "semantic", "threshold": 0.6}'
        for (q,) in self.db.execute("SELECT q FROM t").fetchall():
            self.db.execute("SELECT * FROM llm_call(?, ?)", (q, options)).fetchall()
        self.assertEqual([k for (k,) in self.db.execute("SELECT kind FROM llm_calls")], ["call", "call"])


if __name__ == "__main__":
    unittest.main()
