"""What batches bring: the field's cases A05 to A08 and A16, each by its name, and the oddities of results. One bad line is one bad row; no row
has another's answer; what was billed and never came is in the ledger as what nobody knows."""
import json
import unittest

from batch_desk import HAIKU, MINI, BatchDesk
from harness import value


class Lines(BatchDesk):
    """A05 to A08: one bad line is one bad row."""

    def test_A05_five_bad_lines_of_200(self):
        self.settings(lines={"cut": 10, "null": 20, "array": 30, "no-usage": 40, "huge": 50}, usage_off=100)
        self.put(200)
        self.flush()
        cut, null, array, no_usage, huge = bad = [self.row_of_line(i) for i in (10, 20, 30, 40, 50)]
        self.settle()
        self.assertEqual(sum(1 for i, s in self.rows("id, status") if i not in bad and s == "done"), 195)
        for id in (cut, null, array, huge):  # paid, and nobody knows how much: the ledger says so
            status, error = self.row(id)
            self.assertIn(status, ("failed", "queued"))
            self.assertTrue(error)
        self.assertEqual(self.row(huge)[0], "failed")
        self.assertRegex(self.row(huge)[1], r"\d{8} bytes")
        self.assertEqual(self.row(no_usage)[0], "done")  # its answer is good
        self.assertEqual(self.row(no_usage, "cost_usd")[0], None)
        self.assertEqual(self.kinds(), {"batch": 196, "unknown": 4})
        self.assertEqual(self.batches()[0]["error"], "3 results bear no id of this batch: nobody got them")
        difference = self.db.execute("SELECT batch_id, cost_nusd, error FROM llm_calls WHERE purpose = 'difference'").fetchall()
        self.assertEqual([d[:2] for d in difference], [(1, 0)])
        known = sum(e["nusd"] for e in self.billed() if e["prompt"] not in {self.row(i, "prompt")[0] for i in bad})
        self.assertEqual(value(self.db, "SELECT sum(cost_nusd) FROM llm_calls"), known)
        self.check_sums()
        self.assertEqual(self.check_batches(1)[0]["difference"], value(self.db, "SELECT id FROM llm_calls WHERE purpose = 'difference'"))

    def test_A05_an_answer_without_a_body(self):
        self.settings(lines={"no-body": 0})
        self.put(3)
        self.flush()
        bad = self.row_of_line(0)
        self.settle()
        self.assertEqual((self.row(bad)[0], self.statuses()), ("failed", {"failed": 1, "done": 2}))
        self.assertTrue(self.row(bad)[1])
        self.check_batches(1)

    def torn(self, model):
        """The file itself ends within its last line: there is no more of it, however often it is read."""
        self.settings(lines={"cut": 0}, file=["no-newline"])
        self.put(5, model=model)
        self.flush()
        bad = self.row_of_line(0)
        self.poll()
        said = self.poll()  # (the second look sees the end)
        self.assertEqual((said["answered"], said["open_rows"], self.batches()[0]["state"]), (4, 1, "ended"))
        self.assertIn("end within a line", said["errors"][0]["error"])
        said = self.settle()
        self.assertEqual((self.row(bad)[0], self.statuses()), ("failed", {"failed": 1, "done": 4}))
        self.assertIn("end within a line", self.row(bad)[1])
        self.assertEqual(self.kinds(), {"batch": 4, "unknown": 1})
        self.assertIn("end within a line", self.check_all(1, unknown=[bad])[0]["error"])

    def test_a_torn_file(self):
        self.torn(MINI)

    def test_a_torn_file_at_anthropic(self):
        self.torn(HAIKU)

    def test_A06_ends_of_lines(self):
        answers = {}
        for file in ([], ["crlf"], ["blank"], ["no-newline"], ["bom"], ["lone-cr"], ["crlf", "bom", "blank"], ["no-newline", "crlf"]):
            for chunk in (0, 1, 64, 65536):
                with self.subTest(file=file, chunk=chunk):
                    self.setUp()
                    self.settings(file=file, chunk=chunk, lines={"separators": 0, "controls": 1})
                    self.put(4)
                    self.flush()
                    spoilt = [self.row_of_line(i) for i in (0, 1)]
                    self.settle()
                    self.assertEqual(self.statuses(), {"done": 4})
                    self.assertIn("a\u2028b\u2029c\x85d\U0001F600e", self.row(spoilt[0], "answer")[0])
                    self.assertIn("a\x0bb\x0cc\rd", self.row(spoilt[1], "answer")[0])
                    answers[str(file), chunk] = self.rows("answer")
                    self.check_all(1)
        self.assertEqual(len({str(a) for a in answers.values()}), 1)

    def test_A06_what_we_upload_is_a_line_a_request(self):
        odd = "a\u2028b\u2029c\x85d\x0be\x0cf\rg\r\nh\ni\U0001F600\ufeff{}"
        self.put(3, text=odd)
        self.flush()
        self.settle()
        self.assertEqual(self.statuses(), {"done": 3})
        self.assertEqual(sorted(e["prompt"] for e in self.billed()), sorted(self.rows("prompt")))
        self.check_all(1)

    def test_A07_custom_ids_stay_here(self):
        ids = ["a.b", "a:b", "é" * 65, "", None, "twin", "twin", "r1-1-x", "x" * 10000]
        for i, custom_id in enumerate(ids):
            self.put(1, text=f"What is {i}?", custom_id=custom_id)
        self.put(1, text="What is 9?", custom_id="of Claude", model=HAIKU)
        self.flush()
        self.settle()
        self.assertEqual(self.rows("custom_id, status"), [(i, "done") for i in [*ids, "of Claude"]])
        self.assertEqual(sorted(self.rows("prompt")), sorted(e["prompt"] for e in self.billed()))
        self.check_all(2)
        body = json.dumps(self.standin.get("/standin/last"))
        for word in ("a.b", "twin", "of Claude"):
            self.assertNotIn(word, body)

    def test_A08_doubled_missing_unknown_and_foreign_ids(self):
        self.put(2, text="Before {}")
        self.flush()
        self.settle()
        self.settings(lines={"double": 0, "missing": 1, "unknown": 2, "foreign": 3})
        self.put(6)
        self.flush()
        double, missing, *_ = lines = [self.row_of_line(i, 2) for i in range(6)]
        said = self.settle()
        self.assertNotIn("(again)", self.row(double, "answer")[0])  # the first is kept
        self.assertEqual(self.row(missing, "status, attempts"), ("queued", 1))
        self.assertIn("no result", self.row(missing)[1])
        self.assertEqual(set(self.rows("status", f"id > 2 AND id <> {missing}")), {"done"})
        told = " ".join(said["errors"])
        self.assertIn("1 results came more than once", told)
        self.assertIn("2 results bear no id of this batch", told)
        self.assertTrue(self.batches()[1]["error"])
        # Billed, and its answer never came: the ledger says that nobody knows.
        self.assertEqual(self.kinds(), {"batch": 7, "unknown": 1})
        self.check_all(2, unknown=[missing])
        self.settings(lines={})
        self.flush()
        self.settle()
        self.assertEqual(self.statuses(), {"done": 8})
        self.check_batches(3)

    def test_A08_a_result_of_an_earlier_batch_of_the_same_row(self):
        """The same row and attempt, in a batch that the provider did not take: another tag, so nobody's."""
        self.settings(refuse="token_limit_exceeded")
        self.put(1)
        self.flush()
        self.settle()
        self.assertEqual(self.row(1, "status, attempts"), ("queued", 0))
        self.settings(refuse="", lines={"foreign": 0, "missing": 0})
        self.flush()
        said = self.settle()
        self.assertEqual(self.row(1, "status, attempts, answer"), ("queued", 1, None))
        self.assertIn("1 results bear no id of this batch", " ".join(said["errors"]))
        self.assertEqual(self.kinds(), {"unknown": 1})
        self.check_all(2, unknown=[1])

    def test_A08_at_anthropic(self):
        self.settings(lines={"double": 0, "missing": 1, "unknown": 2})
        self.put(4, model=HAIKU)
        self.flush()
        double, missing = self.row_of_line(0), self.row_of_line(1)
        self.settle()
        self.assertNotIn("(again)", self.row(double, "answer")[0])
        self.assertEqual((self.row(missing)[0], self.statuses()), ("queued", {"queued": 1, "done": 3}))
        self.check_all(1, unknown=[missing])


class Meaning(BatchDesk):
    """The semantic cache: what it knows is not sent, and what a batch brought it knows."""
    OPTIONS = '{"cache":"semantic"}'

    def test_both_ways(self):
        self.put(1, text="How can I return an item that I bought?", options=self.OPTIONS)
        self.flush()
        self.settle()
        self.assertEqual(self.statuses(), {"done": 1})
        before = self.standin.bill()["calls"]
        other = "How can I return an item I bought?"
        self.assertEqual(value(self.db, "SELECT llm_complete(?, '{\"model\":\"gpt-4o-mini\",\"cache\":\"semantic\"}')", other),
                         self.row(1, "answer")[0])
        self.put(1, text=other, options=self.OPTIONS)
        self.assertEqual(self.flush()["hits"], 1)
        self.assertEqual(self.row(2, "status, answer, cost_usd"), ("done", self.row(1, "answer")[0], 0.0))
        self.assertEqual((self.kinds(), self.standin.bill()["calls"]), ({"batch": 1, "hit_semantic": 2}, before))
        self.check_all(1)


class Prefix(BatchDesk):
    """A16: what batches read of a cache is what their bill says."""

    def test_A16_cached_tokens_are_priced_as_billed(self):
        system = "".join(f" word{i}" for i in range(3000))
        self.put(8, system=system)
        self.put(8, system=system, model=HAIKU)
        self.flush()
        self.settle()
        self.assertEqual(self.statuses(), {"done": 16})
        self.check_all(2)
        # (A warm-up by an ordinary request would be none for a batch: none is sent.)
        self.assertEqual([e["path"] for e in self.standin.journal() if e["billed"] and "batch" not in e["path"] and not e.get("batch")], [])
        read, written = self.db.execute("SELECT total(cached_input_tokens), total(cache_write_tokens) FROM llm_calls").fetchone()
        self.assertGreater(read + written, 0)


class Differences(BatchDesk):
    def test_the_batchs_own_usage_is_another(self):
        """The lines win; the difference is a row of the ledger, and no money."""
        for off in (100, -20):
            with self.subTest(off):
                self.setUp()
                self.settings(usage_off=off)
                self.put(4)
                self.flush()
                self.settle()
                self.assertEqual((self.statuses(), self.kinds()), ({"done": 4}, {"batch": 4}))
                (id, kind, cost, batch, error, usage), = self.db.execute(
                    "SELECT id, kind, cost_nusd, batch_id, error, usage FROM llm_calls WHERE purpose = 'difference'")
                self.assertEqual((kind, cost, batch), ("batch", 0, 1))
                self.assertIn(f"{off} input", error)
                self.assertEqual(json.loads(usage)["difference"], {"input": off, "output": 0})
                self.assertEqual(self.check_all(1)[0]["difference"], id)
                self.poll()
                self.assertEqual(value(self.db, "SELECT count(*) FROM llm_calls WHERE purpose = 'difference'"), 1)

    def test_none_without_one(self):
        self.put(4)
        self.flush()
        self.settle()
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_calls WHERE purpose = 'difference'"), 0)

    def test_answers_that_are_none(self):
        """What the model itself would not say is judged as any answer of a call, and billed."""
        for fault, status in (("length", "done"), ("refusal", "done"), ("content-filter", None), ("empty", None)):
            with self.subTest(fault):
                self.setUp()
                self.put(2, model=f"{MINI}")
                self.db.execute("INSERT INTO llm_models(name, provider, api, base_url, key_env, context_window, max_output, supports)"
                                " SELECT ?, provider, api, base_url, key_env, context_window, max_output, supports"
                                " FROM llm_models WHERE name = ?", (f"{MINI}@{fault}", MINI))
                self.db.execute("INSERT INTO llm_prices(model, kind, usd_per_million, service) VALUES (?1, 'input', 0.075, 'batch'),"
                                " (?1, 'output', 0.3, 'batch'), (?1, 'input', 0.15, NULL), (?1, 'output', 0.6, NULL)", (f"{MINI}@{fault}",))
                self.put(2, text="Say {}", model=f"{MINI}@{fault}")
                self.flush()
                self.settle()
                self.assertEqual(self.rows("status", "id < 3"), ["done"] * 2)
                self.assertEqual(self.rows("answer IS NULL AND error IS NULL", "id > 2"), [0, 0])
                self.assertEqual(set(self.rows("status", "id > 2")) & {"queued", "submitted"}, set())
                self.assertEqual(self.kinds(), {"batch": 4})
                self.check_all(2)


if __name__ == "__main__":
    unittest.main()
