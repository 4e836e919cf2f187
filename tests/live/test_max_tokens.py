"""max_tokens "p99": as long as the answers of the tag were, but for one in a hundred."""
import json
import unittest

import replay
import test_answers
from harness import error_of, value


def long(tokens, finish="stop"):
    return replay.chat("fine", finish=finish, usage={"prompt_tokens": 10, "completion_tokens": tokens, "total_tokens": 10 + tokens})


class ByTag(test_answers.Desk):
    def fill(self, lengths, tag="t"):
        sizes = iter(lengths)
        self.serve("m", lambda body: test_answers.as_answer(long(next(sizes, 5))))
        for i in range(len(lengths)):
            self.ask("m", f"{tag} {lengths[0]} {i}", tag=tag)

    def sent(self):
        return next((n for name, n in self.replay.body("m").items() if name in ("max_tokens", "max_completion_tokens")), None)

    def last(self):
        return json.loads(value(self.db, "SELECT notes FROM llm_calls WHERE kind = 'call' ORDER BY id DESC LIMIT 1") or "{}").get("asked", {}).get("max_tokens")

    def test_the_limit_and_what_it_would_have_cut(self):
        self.fill([100] * 195 + [300, 500, 800, 1000, 5000])
        self.ask("m", "next", tag="t", max_tokens="p99")
        # the 198th of 200, rounded up to three binary digits
        self.assertEqual(self.sent(), 896)
        self.assertEqual(self.last(), {"p99": 896, "of": 200, "cut": 0.01})

    def test_too_few_are_no_limit(self):
        self.fill([100] * 99)
        self.ask("m", "next", tag="t", max_tokens="p99")
        self.assertIsNone(self.sent())
        self.ask("m", "one more", tag="t", max_tokens="p99")  # that one made a hundred
        self.assertEqual(self.sent(), 112)
        self.ask("m", "another tag", tag="u", max_tokens="p99")
        self.assertIsNone(self.sent())

    def test_an_answer_that_is_cut_is_an_error_and_longer_than_any(self):
        """Answers that grow longer: the limit ends two of them, then it is none; and comes back when it is known how long they are."""
        self.fill([100] * 150)
        cap = lambda body: next((n for name, n in body.items() if name in ("max_tokens", "max_completion_tokens")), 10**9)
        self.serve("m", lambda body: test_answers.as_answer(long(min(400, cap(body)), "length" if cap(body) < 400 else "stop")))
        errors = 0
        for i in range(400):
            try:
                self.ask("m", f"y {i}", tag="t", max_tokens="p99")
            except Exception as e:  # noqa: BLE001
                errors += 1
                self.assertIn("the answer was cut off", str(e))
                self.assertIn("give max_tokens a number", str(e))
        self.assertLessEqual(errors, 8)
        self.ask("m", "z", tag="t", max_tokens="p99")
        self.assertIn(self.sent(), (None, 448))
        if self.last():
            self.assertGreater(self.last()["cut"], 0)

    def test_a_limit_of_the_caller_s_says_nothing(self):
        self.serve("m", long(50, "length"))
        for i in range(120):
            self.ask("m", f"q {i}", tag="t", max_tokens=50)
        self.serve("m", long(5))
        self.ask("m", "x", tag="t", max_tokens="p99")
        self.assertIsNone(self.sent())

    def test_each_model_has_its_own(self):
        """One that thinks is not held to what one needs that does not."""
        self.fill([20] * 110)
        self.serve("thinks", long(900))
        self.ask("thinks", "x", tag="t", max_tokens="p99")
        self.assertIsNone(next((n for name, n in self.replay.body("thinks").items() if name in ("max_tokens", "max_completion_tokens")), None))
        self.ask("m", "x", tag="t", max_tokens="p99")
        self.assertEqual(self.sent(), 20)

    def test_auto_takes_the_longest_of_the_tiers(self):
        self.fill([20] * 110)
        self.db.execute("DELETE FROM llm_tiers")
        self.db.execute("INSERT INTO llm_tiers(name, max_score, model, rank) VALUES ('one', 1, 'm', 1)")
        self.ask("auto", "x", tag="t", max_tokens="p99")
        self.assertEqual(self.sent(), 20)
        self.serve("other", long(5))
        self.db.execute("INSERT INTO llm_tiers(name, max_score, model, rank) VALUES ('two', 1, 'other', 2)")
        self.ask("auto", "y", tag="t", max_tokens="p99")
        self.assertIsNone(self.sent())

    def test_the_key_is_that_of_the_wish(self):
        """The limit moves; what was asked with another one is not asked again."""
        self.fill([100] * 200)
        self.ask("m", "same", tag="t", max_tokens="p99")
        first = self.sent()
        self.fill([3000] * 200)
        n = self.replay.asked("m")
        self.ask("m", "same", tag="t", max_tokens="p99")
        self.assertEqual(self.replay.asked("m"), n)
        self.ask("m", "other", tag="t", max_tokens="p99")
        self.assertGreater(self.sent(), first)

    def test_wrong(self):
        self.serve("m", long(5))
        for given, says in (('"p98"', "'p99'"), ("0", "expected an integer from 1"), ("1.5", "expected an integer"), ('"p99"', "give tag with it")):
            self.assertIn(says, error_of(self.db, "SELECT llm_complete('x', ?)", f'{{"model":"m","max_tokens":{given}}}'))
        self.assertEqual(self.replay.asked("m"), 0)


if __name__ == "__main__":
    unittest.main()
