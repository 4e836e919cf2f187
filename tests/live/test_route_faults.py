"""What cascades and gates meet on the way: configurations that change meanwhile, interrupts, keys that are missing, odd tables."""
import json
import sqlite3
import threading
import time

from harness import connect, error_of, value
from models import answer, failure
from test_route import Tiers

GATE = {"kind": "contains", "all": ["good"]}


class Faults(Tiers):
    def while_asked(self, model, says, do):
        """`do` happens before `model` answers."""
        def reply(body):
            do()
            return says
        self.models.says[model] = reply

    def change(self, *statements):
        db = sqlite3.connect(self.path)
        for sql in statements:
            db.execute(sql)
        db.commit()
        db.close()

    def test_a_configuration_that_changes_before_the_second_opinion(self):
        self.models.says["b"] = failure(500)
        self.while_asked("a", answer("from a"), lambda: self.change("UPDATE llm_tiers SET max_score = max_score / 2"))
        got = self.outcome(model="a", gate={"kind": "agree"}, retries=0)
        self.assertIn("b could not be asked", got["error"]["message"])
        self.assertEqual(got["value"], "from a")

    def test_a_configuration_that_is_gone_after_the_second_opinion(self):
        self.while_asked("b", answer("no"), lambda: self.change("DROP TABLE llm_tiers", "CREATE TABLE llm_tiers(name)"))
        text = error_of(self.db, "SELECT llm_complete('x', ?)", json.dumps({"gate": {"kind": "agree"}, "escalate": True}))
        self.assertTrue("llm_tiers" in text or "no answer passed" in text, text)
        self.assertEqual(self.models.names(), ["a", "b"])

    def test_tiers_that_change_while_one_of_them_scores(self):
        self.while_asked("a", answer("5"), lambda: self.change("DELETE FROM llm_tiers WHERE rank = 2"))
        self.db.execute("UPDATE llm_models SET key_env = 'XAI_API_KEY', base_url = 'https://api.x.ai/v1' WHERE name IN ('b', 'c')")
        self.db.commit()
        self.assertEqual(self.ask("tricky", scorer="verifier"), "5")  # a is the nearest that has a key

    def test_in_a_transaction(self):
        """There the configuration is read anew for each request."""
        self.models.says["b"] = failure(500)
        self.db.execute("BEGIN")
        got = self.outcome(model="a", gate=[{"kind": "agree"}, {"kind": "verifier", "model": "b"}], retries=0)
        self.assertIn("could not be asked", got["error"]["message"])
        self.db.execute("ROLLBACK")

    def test_a_second_model_whose_key_is_not_there(self):
        self.db.execute("UPDATE llm_models SET key_env = 'XAI_API_KEY', base_url = 'https://api.x.ai/v1' WHERE name = 'b'")
        self.db.commit()
        self.models.says["a"] = self.models.says["c"] = answer("It is 12")
        seen = [(s["model"], s["why"]) for s in json.loads(self.ask(score=0, gate={"kind": "agree"}, audit=1, dry_run=True))["seen_by"]]
        self.assertEqual([s for s in seen if s[1] != "instead"], [("a", "answer"), ("c", "agree"), ("c", "audit")])
        self.assertEqual(self.ask(score=0, gate={"kind": "agree"}, audit=1), "It is 12")
        self.assertEqual(self.models.names(), ["a", "c"])  # what the audit asks, the gate has asked
        self.assertEqual(self.rows("purpose, kind")[1:], [("agree", "call"), ("audit", "hit_exact")])

    def test_interrupted_before_it_was_judged(self):
        """It is not served as one that passed."""
        timer = threading.Timer(0.1, self.db.interrupt)
        self.while_asked("b", answer("something else"), lambda: (timer.start(), time.sleep(1)))
        error_of(self.db, "SELECT llm_complete('x', ?)", json.dumps({"gate": {"kind": "agree"}, "score": 0}))
        timer.join()
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_answers"), 0)
        self.assertEqual(self.rows("kind, cost_nusd, answer_hash IS NOT NULL")[0], ("call", 110000, 1))
        self.models.says["b"] = answer("something else")
        self.assertEqual(self.outcome("x", gate={"kind": "agree"}, score=0)["error"]["code"], "gate")

    def test_an_audit_that_is_interrupted(self):
        timer = threading.Timer(0.1, self.db.interrupt)
        self.while_asked("b", answer("something else"), lambda: (timer.start(), time.sleep(1)))
        error_of(self.db, "SELECT llm_complete('x', ?)", json.dumps({"gate": {"kind": "length", "min": 1}, "audit": 1, "score": 0}))
        timer.join()
        self.models.asked.clear()
        self.assertEqual(self.ask("x", gate={"kind": "length", "min": 1}, audit=1, score=0), "from a")
        self.assertEqual(self.models.asked, [])

    def test_without_texts_the_ledger_quotes_nothing(self):
        for mode in ("hash", "none"):
            self.db.execute("SELECT llm_config('log_text', ?)", (mode,))
            self.models.says["a"] = answer("It takes 4711 days, as \"the long passage of the model itself\" has it")
            got = self.outcome("when " + mode, gate=[{"kind": "grounded"}, {"kind": "hedge"}], escalate=True)
            self.assertEqual(got["value"], "from b")
            got = self.outcome("where " + mode, gate={"kind": "grounded"}, score=0)
            self.assertIn("4711", got["error"]["message"])  # who asks is told
        cursor = self.db.execute("SELECT error, notes, gate, retry_reason FROM llm_calls")
        told = repr(cursor.fetchall())
        self.assertNotIn("4711", told)
        self.assertNotIn("passage", told)
        self.assertIn("gate: grounded", told)

    def test_the_probabilities_are_those_of_the_best(self):
        def tokens(p):
            return {"content": [{"token": "x", "logprob": p}]}
        gate = [{"kind": "contains", "all": ["good"]}, {"kind": "length", "max": 6}]
        self.models.says["a"] = answer("so-so", logprobs=tokens(-0.5))
        self.models.says["b"] = self.models.says["c"] = answer("much too long", logprobs=tokens(-0.7))
        row = self.db.execute("SELECT answer, logprobs FROM llm_call('x', ?)", (json.dumps({"gate": gate, "escalate": True, "logprobs": True, "on_error": "json"}),)).fetchone()
        self.assertIn("so-so", row[0])
        self.assertEqual(json.loads(row[1]), tokens(-0.5)["content"])

    def test_a_statement_pays_once(self):
        self.db.execute("CREATE TABLE q(p)")
        self.db.executemany("INSERT INTO q VALUES (?)", [("x",)] * 3)
        for options, asked in (({"escalate": True}, ["a", "b", "c"]), ({"score": 0}, ["a"]), ({"score": 0, "cache": "refresh"}, ["a"]),
                               ({"score": 0, "cache": "semantic"}, ["a"])):
            self.models.asked.clear()
            rows = self.db.execute("SELECT llm_complete(p, ?) FROM q", (json.dumps({"gate": GATE, "on_error": "json", **options}),)).fetchall()
            self.assertEqual(len(set(rows)), 1)
            self.assertEqual(self.models.names(), asked, options)

    def test_by_meaning_an_answer_is_one_of_its_gates(self):
        self.db.execute("SELECT llm_config('cache', 'semantic')")
        self.ask("How do I reset my password?", score=0)
        self.models.says["c"] = answer("good c")
        self.assertEqual(self.ask("how do I reset my password", gate=GATE, escalate=True), "good c")
        self.models.asked.clear()
        self.assertEqual(self.ask("how do I reset my password?", gate=GATE, escalate=True), "good c")
        self.assertEqual(self.ask("how do I reset my password?", score=0), "from a")
        self.assertEqual(self.models.asked, [])

    def test_in_the_main_database(self):
        self.db.close()
        self.db = connect(self.path)
        self.db.execute("SELECT llm_allow_host(?)", (self.models.host,))
        self.db.execute("SELECT llm_config('store', 'main')")
        self.models.says["b"] = answer("good")
        self.assertEqual(self.ask(gate=GATE, escalate=True), "good")
        self.assertEqual(self.rows("id, escalated_from"), [(1, None), (2, 1)])
        self.models.says["a"] = answer("fairly good")
        got = self.outcome("again", gate=[GATE, {"kind": "length", "max": 3}], escalate=True)
        self.assertIn("that of call 4 ", got["error"]["message"])

    def test_a_read_only_database(self):
        self.db.close()
        self.db = connect("file:%s?mode=ro" % self.path, uri=True)
        self.db.execute("SELECT llm_allow_host(?)", (self.models.host,))
        self.models.says["b"] = answer("good")
        self.assertEqual(self.ask(gate=GATE, escalate=True), "good")

    def test_limits_of_the_connection(self):
        self.db.execute("SELECT llm_config('max_calls', 2)")
        got = self.outcome(gate=GATE, escalate=True)
        self.assertEqual((got["value"], self.models.names()), ("from b", ["a", "b"]))
        self.assertIn("'max_calls', 2", got["error"]["message"])

    def test_what_is_no_answer_climbs_as_well(self):
        schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}
        self.models.says["b"] = answer('{"n":1}')
        for says, asked, reason in ((answer('{"n":"x"}'), ["a", "a", "b"], "schema"), (answer("{", finish_reason="length"), ["a", "b"], "schema"),
                                    (answer("", finish_reason="content_filter"), ["a", "b"], "content_filter"), (answer(None), ["a", "b"], "no_text")):
            for gate in (None, {"kind": "schema"}):
                self.models.says["a"] = says
                self.models.asked.clear()
                options = {"schema": schema, "escalate": True, "retries": 1, "gate": gate}
                self.assertEqual(json.loads(self.ask(f"{says} {gate}", **options)), {"n": 1})
                self.assertEqual(self.models.names(), asked)
                self.assertEqual(len(self.models.asked[-1][1]["messages"]), 1)  # another model is not told of it
                last = value(self.db, "SELECT retry_reason || (escalated_from = id - 1) FROM llm_calls ORDER BY id DESC")
                self.assertEqual(last, reason + "1")
        self.models.says["b"] = self.models.says["c"] = answer("no")
        got = self.outcome("none", schema=schema, escalate=True, retries=0)
        self.assertEqual((got["error"]["code"], self.models.names()[-3:]), ("schema", ["a", "b", "c"]))

    def tiers(self, *rows):
        self.db.execute("DROP TABLE IF EXISTS llm_tiers")
        self.db.execute("CREATE TABLE llm_tiers(name, max_score, model, rank)")
        self.db.executemany("INSERT INTO llm_tiers VALUES (?,?,?,?)", rows)
        self.db.commit()

    def test_odd_tiers(self):
        for rows, asked in (
                ([("x", 1, "b", 1)], ["b"]), ([("x", .3, "a", 1), ("y", .6, "a", 2), ("z", 1, "b", 3)], ["a", "b"]),
                ([(None, 1, "a", 1)], ["a"]), ([("x", None, "a", 1), ("y", 1, "b", 2)], ["a", "b"]),
                ([("x", float("nan"), "a", 1), ("y", float("inf"), "b", 2)], ["a", "b"]), ([("x", "zz", "a", "q")], ["a"]),
                ([("x", 1, "a", 3), ("y", .3, "b", 2), ("z", .5, "c", 1)], ["c", "b", "a"]),
                ([(f"t{i}", i / 40, "abc"[i % 3], i) for i in range(40)], ["a", "b", "c"])):
            self.tiers(*rows)
            self.models.asked.clear()
            self.assertEqual(self.outcome(repr(rows), gate=GATE, escalate=True)["error"]["code"], "gate")
            self.assertEqual(self.models.names(), asked, rows)  # no model twice
            json.loads(value(self.db, "SELECT llm_route_explain('hi')"))
        for rows, text in (([], "llm_tiers is empty"), ([("x", 1, None, 1)], "no model ''"), ([(b"\xff\x00", 1, "a", 1)], "NUL"),
                           ([("x", 1, "nobody", 1)], "no model 'nobody'"), ([("n" * 5000, 1, "m" * 5000, 1)], "no model 'mmm")):
            self.tiers(*rows)
            for sql in ("llm_complete('x', '{\"gate\":{\"kind\":\"agree\"}}')", "llm_route('x')", "llm_route_explain('x')"):
                self.assertIn(text, error_of(self.db, "SELECT " + sql))

    def test_odd_gates(self):
        self.db.execute("DROP TABLE llm_gates")
        self.db.execute("CREATE TABLE llm_gates(name, kind, spec)")
        for row, text in ((("x", None, None), "unknown kind of gate ''"), (("x", "json", 5), "a JSON object"), (("x", "json", "[1]"), "a JSON object"),
                          (("x", "json", b"\xff\x00"), "NUL"), (("x", "json", "{" * 100000), "nested 100000 deep"), ((None, "json", None), "no gate 'x'")):
            self.db.execute("DELETE FROM llm_gates")
            self.db.execute("INSERT INTO llm_gates VALUES (?,?,?)", row)
            self.db.commit()
            self.assertIn(text, error_of(self.db, "SELECT llm_complete('x', '{\"gate\":\"x\"}')"))
        self.assertEqual(self.models.asked, [])


del Tiers
