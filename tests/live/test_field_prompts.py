"""What users of other projects suffered with shortened prompts, re-made small. (Of conversations: test_prune; of marks: test_prompt_cache_by_itself, test_call_surface;
of clocks: test_lint.)"""
import json
import re
import unittest
import unicodedata

import replay
import test_answers
from harness import connect, error_of, value


class Compressed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.db = connect(":memory:")

    @classmethod
    def tearDownClass(cls):
        cls.db.close()

    def short(self, text, **options):
        return value(self.db, "SELECT llm_compress(?, ?)", text, json.dumps(options))

    def tokens(self, text):
        return value(self.db, "SELECT llm_tokens(?)", text)

    def budgets(self, text, query, most=40):
        n = self.tokens(text)
        for budget in sorted({1, 2, 3, *range(1, n + 1, max(1, n // most)), n}):
            yield budget, self.short(text, budget=budget, query=query, context="whole")


class CutText(Compressed):
    """A cut by units falls into a character."""
    TEXTS = ["The flag 🇩🇪 hangs here. A family 👨‍👩‍👧‍👦 came by. Ships 🚢 leave at noon. She said é twice.",
             "नमस्ते दुनिया। यह एक वाक्य है। जहाज़ दोपहर को जाता है।", "𠀀𠀁𠀂。𠀃𠀄𠀅。船は正午に出る。", "x̂ ŷ is a pair. Ships leave at noon. 👍🏽 is a thumb."]

    def test_whole_characters_at_every_budget(self):
        for text in self.TEXTS:
            sentences = [s for s in re.split(r"(?<=[.。।])\s*", text) if s]
            for budget, out in self.budgets(text, "When do ships leave?"):
                with self.subTest(text=text, budget=budget):
                    out.encode()  # whole code points
                    rest = out
                    for s in sentences:
                        rest = rest.replace(s, "", 1)
                    self.assertEqual(rest.strip(), "")  # nothing but whole sentences
                    self.assertFalse(out and unicodedata.combining(out[0]))
                    self.assertLessEqual(self.tokens(out), self.tokens(text))


class Json(Compressed):
    """Shortening inside a string splits an escape; with one large element the code falls back to cutting text."""

    def test_valid_or_unchanged(self):
        deep = json.loads("[" * 60 + "1" + "]" * 60)
        for doc in ({"a": "back\\slash \"quoted\" é 😀", "b": [1, 2, {"c": None}]}, [{"i": i, "t": "x " * 20} for i in range(40)], {"big": "y" * (1 << 20)}, deep):
            for text in (json.dumps(doc), json.dumps(doc, indent=4), json.dumps(doc, indent=4, ensure_ascii=False)):
                out = self.short(text)
                self.assertEqual(json.loads(out), doc)
                self.assertLessEqual(len(out), len(text))
                if len(text) < 100000:
                    for budget in (1, 5, 50):
                        cut = self.short(text, budget=budget, query="x", context="whole")
                        self.assertTrue(not cut or json.loads(cut) == doc, cut[:100])

    def test_numbers_names_and_order(self):
        text = '{ "a" : 1e400, "b" : 0.10, "c" : 9223372036854775808, "a" : 2, "z" : 1, "y" : 2 }'
        self.assertEqual(self.short(text), '{"a":1e400,"b":0.10,"c":9223372036854775808,"a":2,"z":1,"y":2}')


class Languages(Compressed):
    """Tokens are dropped, not words: half words, and languages turned to rubbish."""
    TEXTS = {"zh": "商店九点开门。退货须在三十天内。运费由客户承担。头盔不能退货。", "ja": "店は九時に開きます。返品は三十日以内です。送料はお客様のご負担です。",
             "th": "ร้านเปิดเก้าโมง คืนสินค้าได้ภายใน 30 วัน", "ar": "يفتح المتجر في التاسعة. يمكن الإرجاع خلال 30 يومًا. الشحن على العميل.",
             "hi": "दुकान नौ बजे खुलती है। वापसी 30 दिनों में होती है। भाड़ा ग्राहक देता है।",
             "de": "Die Donaudampfschifffahrtsgesellschaft liefert montags. Die Rückgabefrist beträgt dreißig Tage. Der Versand kostet fünf Euro.",
             "code": "Call get_user_by_id first. Then parseHTTPResponse2 reads it. The flag --dry-run writes nothing."}

    def test_whole_sentences_that_stand_in_the_source(self):
        for language, text in self.TEXTS.items():
            n = self.tokens(text)
            for share in (0.3, 0.5, 0.7, 0.9):
                out = self.short(text, budget=max(1, int(n * share)), query="30", context="whole")
                with self.subTest(language, share=share):
                    pieces = [p for p in re.split(r"(?<=[.。।])\s*", out) if p.strip()]
                    self.assertTrue(all(p.strip() in text for p in pieces), out)


class WhiteSpace(Compressed):
    """Blanks are collapsed where they mean something."""
    KEPT = {"indented code without a fence": "Use it so:\n\n    for x in y:\n        print(x)\n\nThat is all.", "Python in an item": "- Run this:\n\n      if a:\n          b()\n\n- Then stop.",
            "Makefile": "all:\n\tcc -o x  x.c\n\tstrip x", "TSV": "name\tage\nAnn\t 3\nBob\t44", "columns": "name      age   town\nAnn         3   Rome\nBob        44   Oslo",
            "YAML": "a:\n  b:\n    - c\n    - d: 1\n", "line break of Markdown": "First line  \nsecond line", "diff": "--- a\n+++ b\n@@ -1 +1 @@\n-  x = 1\n+  x  = 2",
            "inline": "Write `a  b` with two blanks.", "regular expression": "Match /a  +b/ here.", "quotation": 'Say "two  blanks" please.'}

    def test_it_stays(self):
        for name, text in self.KEPT.items():
            with self.subTest(name):
                self.assertEqual(self.short(text, methods="space").rstrip("\n"), text.rstrip("\n"))

    def test_prose_around_is_shortened(self):
        out = self.short("Some   prose   here.\n\n\n\n```\na  =  1\n```\n\n\nMore    prose.", methods="space")
        self.assertEqual(out, "Some prose here.\n\n```\na  =  1\n```\n\nMore prose.")


class NotesOfOurs(Compressed):
    """Where text was cut stands a note, and the model copies it."""

    def test_there_are_none(self):
        text = "Ann is old. Bob is young. Trains to Oslo cost 40 euros. Birds sang. " * 3
        for _, out in self.budgets(text, "What does a train to Oslo cost?"):
            self.assertTrue(set(out.split()) <= set(text.split()), out)


class CutAnswers(test_answers.Desk):
    """A cut answer is closed with brackets and accepted: two of four commands run."""

    def test_no_repaired_list(self):
        for schema in ({"type": "array", "items": {"type": "string"}}, {"type": "array", "items": {"type": "string"}, "minItems": 4},
                       {"type": "object", "properties": {"run": {"type": "array", "items": {"type": "string"}}}, "required": ["run"]}):
            for said in ('["a","b"', '{"run":["a","b"', '["a","b",'):
                self.serve("m", replay.chat(said, finish="length"))
                said_of = error_of(self.db, "SELECT llm_complete('x', ?)", json.dumps({"model": "m", "schema": schema, "retries": 0, "cache": "off"}))
                self.assertRegex(said_of, "cut off|schema|JSON")


if __name__ == "__main__":
    unittest.main()
