"""llm_compress, llm_compress_report, llm_prune."""
import json
import random
import unittest

from harness import connect, error_of, value

TASK = "You answer for a shop. Answer in JSON.\n\n"
CONTEXT = ["Our shop opened in 1999.", "Items can be returned within 30 days of delivery.", "We sell shoes, bags and umbrellas of good quality.",
           "The chief likes sailing and old maps of the coast.", "Parcels to Norway take nine days.", "The staff canteen serves soup on Mondays."]


class Base(unittest.TestCase):
    def setUp(self):
        self.db = connect(":memory:")

    def tearDown(self):
        self.db.close()

    def compress(self, text, **options):
        return value(self.db, "SELECT llm_compress(?, ?)", text, json.dumps(options) if options else None)

    def tokens(self, text):
        return value(self.db, "SELECT llm_tokens(?)", text)


class Compress(Base):
    def test_what_it_leaves_out(self):
        self.assertEqual(self.compress("Be  brief.   \n\n\n\nBe kind.  "), "Be brief.\n\nBe kind.")
        self.assertEqual(self.compress('{\n  "a": [1,\n 2.50, 1e400], "a": "x  y"\n}'), '{"a":[1,2.50,1e400],"a":"x  y"}')
        code = "```python\ndef f(a):\n    return a  +  1\n```"
        self.assertEqual(self.compress(code), code)
        self.assertIsNone(self.compress(None))

    def test_blanks_that_are_somebody_s(self):
        """Of strings that begin or end with them, of what is laid out, of a quotation over several paragraphs."""
        for text in ['Split the fields on "  " always.', 'Use {"indent": "  "} for it.', 'Use {"pad": "say \\"hi\\"  there"} for it.',
                     'Print "a  " and stop.', "Print '  ' and `  a` and stop.", "Show <pre>\na   b\n</pre> as it is.",
                     "Run\n  cat <<EOF\n  a    b\nEOF", 'He wrote "I am\n\n\n\nhere" and left.']:
            with self.subTest(text):
                self.assertEqual(self.compress(text), text)
        # JSON below a label is JSON: its own blanks stay
        self.assertEqual(self.compress('Config:\n{\n  "indent": "  "\n}\nBe kind.'), 'Config:\n{"indent":"  "}\nBe kind.')

    def test_what_two_sources_say(self):
        say = "Refunds are paid within five working days of the return."
        text = f'<document id="1">\n{say}\n</document>\n<document id="2">\n{say}\n</document>\nCite the ids of all documents that say when refunds are paid.'
        self.assertEqual(self.compress(text), text)

    def test_tasks_on_a_text_are_no_questions(self):
        """What is not marked as context is not touched, unless that is asked for; code never is guessed to be."""
        for text in ["Translate into German.\n\nThe parcel is late and the lamp is broken. Our dog is called Rex.\n\nUse formal language.",
                     "Extract name and order as JSON.\n\nMail: Hi, Maria here, my order 4711 is late. My dog is called Rex.\n\nGive JSON only."]:
            self.assertEqual(self.compress(text, budget=20), text)
        code = "```python\ndef pay(x):\n    return x / 100\n```"
        text = f"Is there a bug in this code?\n\n{code}\n\nThe amount is in cents, never in euros. The office has a new carpet.\n\nAnswer yes or no."
        self.assertIn(code, self.compress(text, budget=40, context="guessed"))

    def test_a_rule_and_its_exception(self):
        """Together, or neither."""
        rule, exception = "Items can be returned within 30 days of delivery.", "This does not hold for swimwear."
        text = f"Answer only from the documents.\n<document>\n{rule} {exception} The shop was founded in 1999 by two sisters.\n</document>\n\nCan I return {{}}?"
        for asked in ("swim shorts within two weeks", "swimwear"):
            for budget in range(35, 75):
                short = self.compress(text.format(asked), budget=budget)
                self.assertEqual(rule in short, exception in short, (asked, budget, short))

    def test_to_a_budget(self):
        context = " ".join(CONTEXT)
        text = f"{TASK}<context>\n{context}\n</context>\n\nHow long can I return an item after delivery?"
        budget = self.tokens(text) - 30
        short = self.compress(text, budget=budget)
        self.assertLessEqual(self.tokens(short), budget)
        self.assertIn(CONTEXT[1], short)
        self.assertTrue(short.startswith(TASK) and short.endswith("How long can I return an item after delivery?"))
        self.assertEqual(self.compress(short, budget=budget), short)
        whole = self.compress(context, context="whole", query="When does a parcel to Norway arrive?", budget=20)
        self.assertIn(CONTEXT[4], whole)
        self.assertIn(CONTEXT[1], self.compress(context, context="whole", query="May I send goods back?", budget=40, score="embed"))

    def test_properties(self):
        """Never longer, the same again, made of the text's own bytes, JSON the same JSON."""
        rng = random.Random(7)
        pieces = CONTEXT + ["", "\n\n", "- never promise refunds\n", '{"a": [1, 2]}\n', "| a | b |\n|---|---|\n", "# Rules\n", "`a  b` ", "日本語の文です。", "Ünïcode  "]
        for i in range(300):
            text = " ".join(rng.choice(pieces) for _ in range(rng.randrange(1, 25)))
            options = rng.choice([{}, {"methods": "space"}, {"methods": ["json", "repeats"]}, {"budget": rng.randrange(1, 80)},
                                  {"budget": 30, "context": "whole", "query": "return an item"}])
            short = self.compress(text, **options)
            self.assertLessEqual(len(short.encode()), len(text.encode()))
            self.assertLessEqual(self.tokens(short), self.tokens(text))
            self.assertEqual(self.compress(short, **options), short, (text, options))

    def test_a_prefix_that_is_kept_stays(self):
        """What a thousand requests begin with costs a tenth: what depends on the question is paid in full."""
        context = " ".join(f"Rule {i}: parcel number {i} goes by train to city {i} on day {i}." for i in range(200))
        options = {"context": "whole", "query": "Where does parcel 7 go?", "budget": 1500, "model": "claude-haiku-4-5"}
        alone = self.compress(context, **options)
        self.assertLess(len(alone), len(context))
        self.assertEqual(self.compress(context, sharers=1000, **options), context)
        row = self.db.execute("SELECT reason, tokens_before = tokens_after FROM llm_compress_report(?, ?) WHERE what = 'all'",
                              (context, json.dumps({"sharers": 1000, **options}))).fetchone()
        self.assertEqual(row, ("cached_is_cheaper", 1))

    def test_report(self):
        text = "Refunds take five days at most. Refunds take five days at most. Ask away."
        rows = self.db.execute("SELECT what, method, start, length, reason, result FROM llm_compress_report(?)", (text,)).fetchall()
        self.assertEqual([r[:2] for r in rows], [*(("method", m) for m in ("space", "json", "format", "examples", "repeats", "filler", "extract")), ("all", None),
                                                 ("dropped", "repeats")])
        _, _, start, length, reason, dropped = rows[-1]
        self.assertEqual((text.encode()[start:start + length].decode(), reason), (dropped, "same"))
        self.assertEqual(rows[7][5], self.compress(text))
        self.assertEqual(self.db.execute("SELECT * FROM llm_compress_report(NULL)").fetchall(), [])

    def test_a_schema_as_text(self):
        schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
        text = "Name the city. Respond only with valid JSON. Guess never."
        for given in (schema, json.dumps(schema)):
            self.assertEqual(value(self.db, "SELECT llm_compress(?, ?)", text, json.dumps({"schema": given})), "Name the city. Guess never.")
            self.assertEqual(self.db.execute("SELECT changed FROM llm_lint(?, ?) WHERE kind = 'format_prose'", (text, json.dumps({"schema": given}))).fetchall(), [("Name the city. Guess never.",)])
        for wrong in (3, [1], "no JSON", "[1]"):
            self.assertIn("schema", error_of(self.db, "SELECT llm_compress('x', ?)", json.dumps({"schema": wrong})))

    def test_wrong(self):
        for args, says in ((("x", {"query": "a"}), "give it"), (("x", {"budget": 0}), "option 'budget'"), (("x", {"rate": 0.5}), "a share is no budget"),
                           (("x", {"methods": "all"}), "option 'methods'"), (("x", {"score": "embed", "budget": 5}), "compares with a 'query'"),
                           (("x", {"context": "x"}), "option 'context'"), ((b"\xff", {}), "UTF-8")):
            self.assertIn(says, error_of(self.db, "SELECT llm_compress(?, ?)", args[0], json.dumps(args[1])))


def user(text):
    return {"role": "user", "content": text}


def assistant(text, *calls):
    return {"role": "assistant", "content": text, **({"tool_calls": [{"id": c, "type": "function", "function": {"name": "f", "arguments": "{}"}} for c in calls]} if calls else {})}


def result(call):
    return {"role": "tool", "tool_call_id": call, "content": "r " * 20}


class Prune(Base):
    def prune(self, messages, **options):
        return json.loads(value(self.db, "SELECT llm_prune(?, ?)", json.dumps(messages), json.dumps(options)))

    def test_system_and_last_turns_stay(self):
        talk = [{"role": "system", "content": "Be kind."}, *[m for i in range(30) for m in (user(f"Question {i}?"), assistant("word " * 40))], user("last?")]
        kept = self.prune(talk, budget=500)
        self.assertEqual((kept[0], kept[-3:]), (talk[0], talk[-3:]))
        self.assertEqual(kept[1]["role"], "user")
        self.assertEqual(kept[1:], talk[-len(kept) + 1:])  # a suffix
        self.assertLessEqual(value(self.db, "SELECT llm_chat_tokens(?)", json.dumps(kept)), 500)
        self.assertEqual(self.prune(talk, budget=100000), talk)

    def test_orders_of_other_words(self):
        """What holds from now on stays, whatever its words; what only sounds so may go."""
        rest = [m for i in range(30) for m in (user(f"q {i}"), assistant("b " * 20))]
        for text, stays in [*((t, True) for t in (
                "From now on, answer in French.", "Stop using emojis.", "Keep answers under 50 words.", "Max 2 sentences.", "Maximal zwei Sätze.",
                "Answer as JSON in every reply.", "Make sure the tests pass before each commit.", "It is forbidden to delete rows.",
                "Refrain from deleting rows.", "The production database is off limits.", "Dorénavant, réponds en anglais.", "Ab sofort bitte per Du.",
                "絶対に削除しないでください。", "常に敬語を使ってください。")), *((t, False) for t in (
                "Never mind.", "No problem, thanks.", "Don't worry about it.", "I don't know.", "Where is my parcel?", "The parcel is late."))]:
            with self.subTest(text):
                kept = self.prune([{"role": "system", "content": "S"}, user(text), assistant("Fine."), *rest], budget=200)
                self.assertEqual(user(text) in kept, stays)

    def test_an_order_that_was_done(self):
        """With the order stays the answer that says so: it would be done again."""
        order, done = user("Refund order 4711 now, and never email the customer."), assistant("Order 4711 is refunded.")
        talk = [{"role": "system", "content": "S"}, order, assistant(None, "1"), result("1"), done, *[m for i in range(30) for m in (user(f"q {i}"), assistant("b " * 20))]]
        kept = self.prune(talk, budget=150)
        self.assertLess(len(kept), len(talk))
        self.assertEqual(kept[:3], [talk[0], order, done])

    def test_pairs_are_never_parted(self):
        """Every budget: never a result without its call, nor a call without all of its results."""
        talk = [{"role": "system", "content": "S"}, user("a " * 30), assistant(None, "1", "2", "3"), result("1"), result("2"), result("3"), assistant("b " * 30),
                user("c"), assistant(None, "4"), result("4"), assistant("d"), user("e"), assistant(None, "5"), result("5")]
        size = self.tokens(json.dumps(talk))
        for budget in range(1, size, 3):
            try:
                kept = self.prune(talk, budget=budget, keep=1)
            except Exception as e:
                self.assertIn("raise it, or keep less", str(e))
                continue
            calls = [c["id"] for m in kept for c in m.get("tool_calls", [])]
            self.assertEqual(sorted(calls), sorted(m["tool_call_id"] for m in kept if m["role"] == "tool"))
            self.assertEqual(kept[-3:], talk[-3:])

    def test_standing_orders_stay(self):
        orders = ["Do not write to the customer.", "Never mention prices.", "Only answer in German.", "Ask first before you delete anything.", "At most two sentences, please."]
        remarks = ["I don't know where it is.", "Is it not here?", "My parcel never came."]
        for text in orders + remarks:
            talk = [user("Hello"), assistant("Hi"), user(text), assistant("ok"), *[m for i in range(20) for m in (user(f"Question {i}?"), assistant("word " * 40))], user("last?")]
            kept = self.prune(talk, budget=300)
            self.assertEqual(user(text) in kept, text in orders, text)

    def test_the_cut_moves_in_steps(self):
        """A conversation that grows: what is sent begins with the same bytes for many turns."""
        talk, firsts = [{"role": "system", "content": "S"}], []
        for i in range(60):
            talk += [user(f"Question {i}?"), assistant("word " * 40)]
            firsts.append(json.dumps(self.prune([*talk, user("now?")], budget=1000)[1]))
        moves = sum(a != b for a, b in zip(firsts, firsts[1:]))
        self.assertLess(moves, 12)
        self.assertGreater(moves, 2)

    def test_bytes_stay(self):
        odd = '{ "role" : "user", "content":"caf\\u00e9  \\"x\\" }]", "n": 12345678901234567890 }'
        text = '[{"role":"system","content":"S"} , ' + odd + "]"
        self.assertEqual(value(self.db, "SELECT llm_prune(?, '{\"budget\":1000}')", text), '[{"role":"system","content":"S"},' + odd + "]")

    def test_wrong(self):
        for messages, options, says in (("[]", {"budget": 5}, "expected a JSON array"), ("x", {"budget": 5}, "not valid JSON"), ("[{}]", {"budget": 5}, "message 1"),
                                        (json.dumps([user("a")]), {}, "give the tokens"), (json.dumps([user("a " * 50)]), {"budget": 5}, "raise it")):
            self.assertIn(says, error_of(self.db, "SELECT llm_prune(?, ?)", messages, json.dumps(options)))


if __name__ == "__main__":
    unittest.main()
