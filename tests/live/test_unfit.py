"""What was paid for and is no answer is kept, the row names it, and the error says whose it was and how to go on."""
import json
import sqlite3
import unittest

from harness import Desk, error_of, value

SCHEMA = {"type": "object", "properties": {"label": {"enum": ["a", "b"]}}, "required": ["label"], "additionalProperties": False}
KEPT = "SELECT c.attempt, c.ended, x.text FROM llm_calls c JOIN llm_texts x ON x.hash = c.answer_hash WHERE c.tag = ? ORDER BY c.id"


class Unfit(Desk):
    def ask(self, scenario, text="What?", **options):
        self.standin.scenario(scenario)
        try:
            return error_of(self.db, "SELECT llm_complete(?, ?)", text + self.tmp.name, json.dumps({"retries": 1, "tag": "ticket 6", **options}))
        finally:
            self.standin.scenario("ok")

    def kept(self, tag="ticket 6"):
        return self.db.execute(KEPT, (tag,)).fetchall()

    def test_a_schema_that_is_not_satisfied(self):
        said = self.ask("wrong-schema-always", schema=SCHEMA)
        self.assertIn("does not satisfy the schema: ", said)
        self.assertTrue(said.endswith(" (tag 'ticket 6'; on_error 'null' lets other rows go on)"), said)
        rows = self.kept()
        self.assertEqual([r[:2] for r in rows], [(1, "complete"), (2, "complete")])  # each attempt was paid for
        self.assertNotIn(json.loads(rows[0][2]).get("label"), ("a", "b"))
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_answers"), 0)

    def test_what_llm_call_and_json_say(self):
        self.standin.scenario("wrong-schema-always")
        try:
            options = json.dumps({"schema": SCHEMA, "retries": 0, "tag": "t", "on_error": "json"})
            outcome = json.loads(value(self.db, "SELECT llm_complete('x', ?)", options))
            self.assertNotIn("on_error", outcome["error"]["message"])
            self.assertIn("(tag 't'; on_error", error_of(self.db, "SELECT answer FROM llm_call('y', ?)", options.replace('"json"', '"error"')))
            row = self.db.execute("SELECT answer, (SELECT text FROM llm_texts WHERE hash = answer_hash) FROM llm_call('z', ?)", (options,)).fetchone()
            self.assertIsNone(row[0])
            self.assertEqual(json.loads(row[1]), {})
        finally:
            self.standin.scenario("ok")

    def test_cut_off(self):
        said = self.ask("length-always", retries=0)
        self.assertIn("was cut off", said)
        self.assertEqual(len(self.kept()), 1)
        self.assertEqual(self.kept()[0][1], "cut_off")

    def test_what_can_not_be_read(self):
        self.ask("not-json-always", retries=0)
        self.assertEqual(len(self.kept()), 1)

    def test_log_text(self):
        value(self.db, "SELECT llm_config('log_text', 'hash')")
        self.ask("wrong-schema-always", schema=SCHEMA, retries=0)
        self.assertEqual(self.db.execute("SELECT answer_hash IS NOT NULL, (SELECT count(*) FROM llm_texts) FROM llm_calls").fetchall(), [(1, 0)])
        value(self.db, "SELECT llm_config('log_text', 'none')")
        self.ask("wrong-schema-always", "And?", schema=SCHEMA, retries=0)
        self.assertEqual(value(self.db, "SELECT count(answer_hash) FROM llm_calls"), 1)

    def test_a_good_answer_has_none(self):
        value(self.db, "SELECT llm_complete('x')")
        self.assertEqual(value(self.db, "SELECT count(answer_hash) FROM llm_calls"), 0)

    def test_long_tags_are_cut(self):
        said = self.ask("wrong-schema-always", schema=SCHEMA, retries=0, tag="é" * 500)
        self.assertLess(len(said.split("(tag '")[1]), 150)
        self.assertTrue(said.endswith("lets other rows go on)"))

    def test_other_errors_name_the_tag(self):
        said = self.ask("bad-request-always")
        self.assertTrue(said.endswith(" (tag 'ticket 6')"), said)
        self.assertNotIn("tag", error_of(self.db, "SELECT llm_complete('x', '{\"bad\":1,\"tag\":\"t\"}')").split("valid")[0])

    def test_in_main(self):
        value(self.db, "SELECT llm_config('store', 'main')")
        value(self.db, "SELECT llm_complete('first')")
        self.ask("wrong-schema-always", schema=SCHEMA)
        self.assertEqual(len(self.kept()), 2)

    def test_trimming_takes_it(self):
        self.ask("wrong-schema-always", schema=SCHEMA, retries=0)
        kept = value(self.db, "SELECT answer_hash FROM llm_calls")
        value(self.db, "SELECT llm_complete('newer')")
        raw = sqlite3.connect(self.path + "-llmcost")
        raw.execute("UPDATE llm_calls SET ts = ts - 86400000 * 9 WHERE answer_hash IS NOT NULL")
        raw.commit()
        self.assertEqual(raw.execute("SELECT count(*) FROM llm_texts WHERE hash = ?", (kept,)).fetchone()[0], 1)
        value(self.db, "SELECT llm_check('{\"repair\":true}')")
        value(self.db, "SELECT llm_config('keep_calls', '3d')")
        self.assertEqual(raw.execute("SELECT count(*) FROM llm_calls WHERE answer_hash IS NOT NULL").fetchone()[0], 0)
        self.assertEqual(raw.execute("SELECT count(*) FROM llm_texts WHERE hash = ?", (kept,)).fetchone()[0], 0)
        raw.close()


if __name__ == "__main__":
    unittest.main()
