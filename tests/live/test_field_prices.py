"""Public cases of bills that somebody got wrong: each with the number that is right, and where it stands."""
import json
import os
import re
import unittest

from harness import SHARED, connect, value

CASES = f"{SHARED}/field/prices.json"
# Where the source's number is not ours, and why.
ARGUED = {
    "B7": (0.04890445, "the number is that of another model, as the case says itself: gpt-5.5's writes cost what its input costs"),
    "B2": (0.00227005, "the body is additive and agrees with its own total (4,995 + 19 + 4,993 = 10,007): that its input already holds what was"
                       " written is one gateway's reading, without an invoice"),
}


def dollars(want):
    """The first number of "0.02528 or NULL", the value of "(a+b)/1e6 = 0.149067"; None where it has none."""
    text = want.split("=")[-1]
    m = re.search(r"-?\d+(\.\d+)?(e-?\d+)?", text)
    return float(m.group()) if m else None


@unittest.skipUnless(os.path.exists(CASES), "no ../shared")
class Cases(unittest.TestCase):
    def setUp(self):
        self.db = connect(":memory:")

    def cost(self, case):
        options = {"on_error": "null", "unknown": "null", **json.loads(case["options"] or "{}")}
        return value(self.db, "SELECT llm_cost(?, ?, ?)", case["model"], case["usage"], json.dumps(options))

    def reported(self, case):
        provider = json.loads(case["options"] or "{}").get("provider")
        return value(self.db, "SELECT llm_usage(?, ?) ->> 'reported_usd'", case["usage"], json.dumps({"provider": provider} if provider else {}))

    def test_all(self):
        unknown = []
        with open(CASES) as f:
            cases = json.load(f)
        for case in cases:
            want, number = case["want"], dollars(case["want"])
            with self.subTest(id=case["id"], source=case["url"], why=case["why"]):
                got = self.reported(case) if want.startswith("reported") else self.cost(case)
                if case["id"] in ARGUED:
                    number = ARGUED[case["id"]][0]
                if got is None and re.search("NULL|ERR", want):
                    unknown.append(case["id"])
                elif want.strip() == "NULL":
                    self.assertIsNone(got)
                else:
                    self.assertIsNotNone(got)
                    self.assertAlmostEqual(got, number, places=9)
        print(f"{len(cases)} public cases; unknown where the source allows it: {', '.join(unknown) or 'none'}; argued: {', '.join(ARGUED)}")


if __name__ == "__main__":
    unittest.main()
