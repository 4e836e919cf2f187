"""llm_estimate: what a SELECT would cost, without a call: held against what it then costs."""
import csv
import json
import os
import random
import sqlite3
import subprocess
import unittest

from harness import Desk, ROOT, SO, clean_env, error_of, npm_package, value

# Statements in which an answer decides over rows, or over what else is asked; and in which none does.
DECIDES = [
    "SELECT CASE WHEN llm_complete(q) NOT LIKE 'y%' THEN 'no' ELSE llm_complete('explain ' || q) END FROM t",
    "SELECT CASE WHEN llm_complete(q) <> 'yes' THEN NULL ELSE llm_complete('explain ' || q) END FROM t",
    "SELECT iif(llm_complete(q) = 'yes', 'ok', llm_complete('explain ' || q)) FROM t",
    "SELECT CASE llm_complete(q) WHEN 'yes' THEN 1 WHEN 'no' THEN 2 ELSE llm_complete('explain ' || q) END FROM t",
    "SELECT CASE WHEN llm_complete(q) = 'yes' THEN 'ok' WHEN plan = 'pro' THEN llm_complete('e' || q) END FROM t",
    "SELECT CASE WHEN llm_complete(q) LIKE 'y%' THEN 1 ELSE (SELECT count(llm_complete('e' || u.q)) FROM t u) END FROM t",
    "SELECT sum(CASE WHEN llm_complete(q) = 'yes' THEN 0 ELSE length(llm_complete('e' || q)) END) FROM t",
    "SELECT id FROM t WHERE llm_complete(q) = 'yes'",
    "SELECT llm_complete('again: ' || llm_complete(q)) FROM t",
    "SELECT CASE llm_complete(q) WHEN 'a' THEN llm_complete(q || '!') END FROM t",
    "SELECT coalesce(nullif(llm_complete(q), 'no'), llm_complete(q || '!')) FROM t",
    "SELECT count(*) FROM t, llm_call(t.q) c WHERE c.answer LIKE 'y%'",
    "SELECT d.answer FROM t, llm_call(t.q) c, llm_call(c.answer) d",
    "SELECT llm_complete(a) FROM (SELECT llm_complete(q) AS a FROM t)",
    "WITH RECURSIVE w(n, a) AS (SELECT 1, llm_complete('x') UNION ALL SELECT n + 1, llm_complete(a) FROM w WHERE n < 3)"
    " SELECT * FROM w",
    "SELECT id FROM t WHERE EXISTS (SELECT 1 FROM t u WHERE u.q = llm_complete(t.q))",
    "SELECT a, count(*) FROM (SELECT llm_complete(q) AS a FROM t) GROUP BY a",
    "SELECT id FROM t WHERE id IN (SELECT llm_complete(q) FROM t)",
    "SELECT id FROM t WHERE +id IN (SELECT llm_complete(q) FROM t)",
    "SELECT id FROM t WHERE (q, plan) IN (SELECT llm_complete(q), plan FROM t)",
    "SELECT llm_complete('More: ' || q) FROM t WHERE CASE WHEN llm_complete(q) LIKE 'Thank%' THEN 1 ELSE 0 END",
    "SELECT id FROM t WHERE CASE llm_complete(q) WHEN 'yes' THEN 1 ELSE 0 END = 1",
    "SELECT id FROM t WHERE iif(llm_complete(q) = 'yes', 1, 0)",
    "SELECT llm_complete(CASE WHEN llm_complete(q) = 'yes' THEN 'A' ELSE 'B' END) FROM t",
    "SELECT llm_complete(iif(llm_complete(q) = 'yes', 'A', 'B')) FROM t",
    "SELECT id FROM t WHERE (llm_complete(q) IS NULL) = 0",
    "SELECT llm_complete('x' || (llm_complete(q) IS NULL)) FROM t",
    "SELECT 1 WHERE (SELECT sum(CASE WHEN llm_complete(q) = 'yes' THEN 1 ELSE 0 END) FROM t) > 3",
    "SELECT llm_complete('top ' || id) FROM (SELECT id FROM t ORDER BY CASE WHEN llm_complete(q) = 'a' THEN 1 END LIMIT 3)",
    "SELECT llm_complete('k') FROM (SELECT CASE WHEN llm_complete(q) = 'a' THEN 1 ELSE 0 END AS k FROM t) WHERE k = 0",
    "SELECT count(*) FROM t, LLM_CALL(t.q) c WHERE c.answer = 'yes'",
    "SELECT llm_complete('v ' || q) FROM tv WHERE answer LIKE 'Thank%'",
    "SELECT llm_complete(answer) FROM tv",
    "SELECT id FROM t LIMIT -1 OFFSET length(llm_complete('abc'))",
    "SELECT id FROM t LIMIT length(llm_complete('abc'))",
    "SELECT llm_complete(q) FROM t UNION SELECT 'x'",
    "SELECT DISTINCT llm_complete(q) FROM t",
    "SELECT id FROM (SELECT id, sum(length(llm_complete(q))) OVER (ORDER BY id) AS s FROM t) WHERE s > 30",
    "SELECT llm_complete('z' || id) FROM (SELECT id, row_number() OVER (ORDER BY llm_complete(q)) AS rn FROM t) WHERE rn = 1",
    "SELECT llm_complete(lag(llm_complete(q)) OVER (ORDER BY id)) FROM t",
    "SELECT llm_complete('More: ' || q), max(llm_complete(q)) FROM t GROUP BY plan",
    "SELECT inner_call(q) FROM t",
    "SELECT id FROM t ORDER BY llm_complete(q) LIMIT 1",
    "SELECT id FROM t GROUP BY plan HAVING max(length(llm_complete(q))) > 3",
]
HARMLESS = [
    "SELECT llm_complete('Summarise: ' || group_concat(q, char(10))) FROM t GROUP BY plan",
    "SELECT max(id), llm_complete(min(q)) FROM t GROUP BY plan",
    "SELECT CASE WHEN llm_complete(q) LIKE 'y%' THEN 'good' ELSE 'bad' END FROM t",
    "SELECT llm_complete(q) = 'yes', upper(llm_complete(q)), id FROM t",
    "SELECT llm_complete(q, json_object('model', CASE plan WHEN 'pro' THEN 'gpt-4o' ELSE 'auto' END)) FROM t",
    "SELECT sum(length(llm_complete(q))), group_concat(llm_complete(q)) FROM t",
    "SELECT llm_complete(q), llm_complete('In short: ' || q), length(llm_complete(plan)) > 3 FROM t ORDER BY plan",
    "SELECT u.id, llm_complete(t.q || u.q) FROM t JOIN t u USING (plan) WHERE u.id < 4",
    "SELECT llm_complete(q) FROM t UNION ALL SELECT llm_complete(q) FROM t",
    "SELECT plan, group_concat(llm_complete(q), '; ') FROM t GROUP BY plan ORDER BY plan",
    "SELECT id, CASE WHEN id > 3 THEN llm_complete(q) END FROM t WHERE plan IN ('pro', 'free') AND q LIKE 'Q%' ORDER BY plan DESC",
    "SELECT DISTINCT plan, (SELECT llm_complete(min(q)) FROM t u WHERE u.plan = t.plan) FROM t LIMIT 0",
    "SELECT llm_complete(value) FROM json_each('[1, 2]')",
    "SELECT llm_complete(q) FROM (SELECT DISTINCT q FROM t)",
    "SELECT t.id, llm_complete(t.q) FROM t LEFT JOIN t u ON u.id = t.id + 1 WHERE u.id IS NULL OR u.plan = 'pro'",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT llm_complete(i) FROM n",
    "SELECT llm_complete(q) FROM t WHERE id BETWEEN 3 AND 9 LIMIT 2 OFFSET 1",
]

COUNTED = "SELECT counted, \"rows\", calls, requests, hits FROM llm_estimate(?) WHERE what = 'asked'"


class Estimates(Desk):
    def setUp(self):
        super().setUp()
        self.db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, plan TEXT, q TEXT)")
        self.db.executemany("INSERT INTO t VALUES (?, ?, ?)",
                            [(i, "pro" if i % 3 else "free", f"Question {i % 30}?") for i in range(40)])
        self.before = self.standin.bill()["calls"]

    def counted(self, sql):
        return self.db.execute(COUNTED, (sql,)).fetchone()

    def nothing_was_sent(self):
        self.assertEqual(self.standin.bill()["calls"], self.before)
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_calls"), 0)

    def test_what_is_counted(self):
        self.assertEqual(self.counted("SELECT llm_complete(q) FROM t"), ("exactly", 40, 40, 30, 0))
        self.assertEqual(self.counted("SELECT llm_complete(q, json_object('tag', id)) FROM t WHERE id < 10 ORDER BY q LIMIT 5"),
                         ("exactly", 5, 5, 5, 0))
        self.assertEqual(self.counted("SELECT llm_chat(json_array(json_object('role', 'user', 'content', q))) FROM t;"),
                         ("exactly", 40, 40, 30, 0))
        self.assertEqual(self.counted("SELECT t.id, c.answer FROM t, llm_call(t.q) c"), ("exactly", 40, 40, 30, 0))
        self.assertEqual(self.counted("SELECT llm_complete(q, '{\"cache\":\"off\"}') FROM t"), ("exactly", 40, 40, 40, 0))
        self.assertEqual(self.counted("SELECT plan, count(llm_complete(q)) FROM t GROUP BY plan"), ("exactly", 2, 40, 30, 0))
        self.assertEqual(self.counted("SELECT llm_complete(q, '{\"schema\":{\"type\":\"object\"}}') ->> '$.x' FROM t"),
                         ("exactly", 40, 40, 30, 0))
        self.assertEqual(self.counted("SELECT id FROM t"), ("exactly", 40, 0, 0, 0))
        self.nothing_was_sent()

    def test_answers_that_decide(self):
        self.db.execute("CREATE TEMP VIEW tv AS SELECT t.q, c.answer FROM t, llm_call(t.q) c")
        self.db.create_function("inner_call", 1, lambda q: self.db.execute("SELECT llm_complete(?)", (q,)).fetchone()[0])
        for sql in DECIDES:
            self.assertEqual(self.counted(sql)[0], "at least", sql)
        for sql in HARMLESS:
            self.assertEqual(self.counted(sql)[0], "exactly", sql)
        self.nothing_was_sent()

    def test_in_a_newer_sqlite(self):
        """Its programs are others."""
        folder = npm_package("better-sqlite3")
        if not folder:
            self.skipTest("needs npm better-sqlite3")
        script = ("const [folder, so, path, list] = process.argv.slice(1); const db = new (require(folder))(path); db.loadExtension(so);"
                  "db.exec(\"CREATE TEMP VIEW tv AS SELECT t.q, c.answer FROM t, llm_call(t.q) c\");"
                  "const get = db.prepare('SELECT counted FROM llm_estimate(?)').pluck();"
                  "console.log(JSON.stringify(JSON.parse(list).map(sql => get.get(sql))))")
        for statements, counted in ((DECIDES, "at least"), (HARMLESS, "exactly")):
            statements = [sql for sql in statements if "inner_call" not in sql]
            out = subprocess.run(["node", "-e", script, folder, SO, self.path, json.dumps(statements)], capture_output=True, text=True,
                                 env=clean_env())
            self.assertEqual(out.stderr, "")
            wrong = [(sql, told) for sql, told in zip(statements, json.loads(out.stdout)) if told != counted]
            self.assertEqual(wrong, [])

    def test_what_can_t_be_foreseen(self):
        for sql, counted in {"SELECT llm_complete(q, '{\"cache\":\"semantic\"}') FROM t": "at most",
                             "SELECT id FROM t WHERE llm_complete(q, '{\"cache\":\"semantic\"}') = 'a'": "about",
                             "SELECT id, llm_complete(q) FROM (SELECT * FROM t ORDER BY random() LIMIT 5)": "about",
                             "SELECT llm_complete('n' || coalesce(llm_last_call(), 0)) FROM t": "about"}.items():
            self.assertEqual(self.counted(sql)[0], counted, sql)

    def test_questions_that_mean_what_was_answered(self):
        """Those that the semantic cache would answer as it stands are no part of the bill, and looking leaves no trace."""
        how = '{"model":"gpt-4o","cache":"semantic"}'
        self.db.execute("SELECT llm_complete('How do I reset my password?', ?)", (how,)).fetchone()
        self.db.execute("CREATE TABLE s(id INTEGER PRIMARY KEY, q TEXT)")
        self.db.executemany("INSERT INTO s(q) VALUES (?)", [("How do I reset my password?",), ("How can I reset my password?",),
                                                            ("Do you deliver to Iceland?",)])
        before = self.standin.bill()["calls"]
        for sql, options in (("SELECT llm_complete(q, '%s') FROM s" % how, "{}"), ("SELECT id, q FROM s", how)):
            told = self.db.execute("SELECT requests, hits, semantic_hits, input_tokens, counted FROM llm_estimate(?, ?)",
                                   (sql, options)).fetchone()
            one = self.db.execute("SELECT input_tokens FROM llm_estimate('SELECT llm_complete(''Do you deliver to Iceland?'')')").fetchone()
            self.assertEqual(told, (3, 1, 1, one[0], "at most"), sql)
        self.assertEqual(self.standin.bill()["calls"], before)
        self.assertEqual(self.db.execute("SELECT llm_complete('How can I reset my password?', ?) ->> '$.cache'",
                                         (how[:-1] + ',"dry_run":true}',)).fetchone()[0], "similar")
        self.db.execute("SELECT count(*) FROM llm_map('SELECT id, q FROM s', ?)", (how,)).fetchone()
        self.assertEqual(self.standin.bill()["calls"], before + 1)
        self.assertEqual(self.db.execute("SELECT count(*) FROM llm_calls WHERE kind = 'hit_semantic'").fetchone()[0], 1)

    def test_rows_that_make_no_request(self):
        self.db.execute("CREATE TABLE m(id INTEGER PRIMARY KEY, q TEXT, model TEXT)")
        self.db.execute("INSERT INTO m(q, model) VALUES ('a', 'gpt-4o'), ('b', 'no-such-model'), (NULL, 'gpt-4o')")
        told = self.db.execute("SELECT \"rows\", requests, errors, counted FROM llm_estimate('SELECT id, q, model FROM m')").fetchone()
        self.assertEqual(told, (3, 1, 1, "exactly"))

    def test_a_limit_of_the_statement(self):
        told = self.db.execute("SELECT requests, counted FROM llm_estimate('SELECT id, q FROM t', '{\"max_calls\":3}')").fetchone()
        self.assertEqual(told[1], "at most")

    def test_a_system_prompt_for_each_row(self):
        """Answers under it say how long one is; where there are too many of them, those under any."""
        sql = "SELECT llm_complete(q, json_object('model', 'gpt-4o', 'system', 'It is the ' || id || '.')) FROM t WHERE id < %d"
        self.db.execute(sql % 3).fetchall()
        told = self.db.execute("SELECT requests, output_from FROM llm_estimate(?)", (sql % 39,)).fetchone()
        self.assertEqual(told[0], 39)
        self.assertIn("under this system prompt", told[1])
        self.db.execute("INSERT INTO t SELECT id + 1000, plan, q FROM t")
        self.db.execute("INSERT INTO t SELECT id + 10000, plan, q FROM t")
        many = "SELECT llm_complete(q, json_object('model', 'gpt-4o', 'system', 'It is the ' || id || '.')) FROM t"
        self.assertEqual(self.counted(many)[:3], ("exactly", 160, 160))

    def test_what_stands_behind_the_select(self):
        for tail in ("", ";", " ; -- labels", ";\n/* all of them */\n", ";;"):
            self.assertEqual(self.counted("SELECT llm_complete(q) FROM t" + tail)[2], 40, tail)

    def test_a_database_file_can_t_run_it(self):
        self.db.execute("CREATE VIEW v AS SELECT * FROM llm_estimate('SELECT llm_complete(q) FROM t')")
        self.assertRegex(error_of(self.db, "SELECT * FROM v"), "unsafe use of virtual table|names llm_estimate")
        self.nothing_was_sent()

    def test_nested_calls_count(self):
        self.assertEqual(self.counted("SELECT llm_complete('again: ' || llm_complete(q)) FROM t")[2:4], (80, 60))
        self.nothing_was_sent()

    def test_it_comes_to_that(self):
        """The estimate of the input is exact; with the length of answers known it is the bill."""
        sql = "SELECT llm_complete(q, '{\"model\":\"gpt-4o\",\"system\":\"Be brief.\"}') FROM t"
        told = self.db.execute("SELECT input_tokens, input_is, cost_usd FROM llm_estimate(?)", (sql,)).fetchone()
        self.assertEqual(told[1:], ("exact", None))
        self.db.execute(sql).fetchall()
        billed = self.db.execute("SELECT sum(input_tokens), sum(output_tokens), count(*), sum(cost_nusd) FROM llm_calls"
                                 " WHERE kind = 'call'").fetchone()
        counted = value(self.db, "SELECT sum(n) FROM (SELECT DISTINCT q, llm_chat_tokens(json_array(json_object('role', 'system', 'content',"
                        " 'Be brief.'), json_object('role', 'user', 'content', q)), 'gpt-4o') AS n FROM t)")
        self.assertEqual((told[0], 30), (counted, billed[2]))  # (the stand-in counts in its own way)
        again = self.db.execute("SELECT hits, requests, cost_usd, input_tokens FROM llm_estimate(?)", (sql,)).fetchone()
        self.assertEqual(again, (30, 30, 0.0, 0))
        new = sql.replace("llm_complete(q,", "llm_complete('New: ' || q,")
        told = self.db.execute("SELECT output_from, output_tokens, cost_usd FROM llm_estimate(?)", (new,)).fetchone()
        self.assertEqual(told[0], "30 answers of yours")
        self.assertAlmostEqual(told[1], billed[1], delta=30)
        self.db.execute(new).fetchall()
        paid = value(self.db, "SELECT sum(cost_nusd) / 1e9 FROM llm_calls") - billed[3] / 1e9
        self.assertAlmostEqual(told[2], paid, delta=paid / 5)

    def test_dollars(self):
        sql = "SELECT llm_complete(q, '{\"model\":\"gpt-4o\",\"max_tokens\":50}') FROM t"
        lines = self.db.execute("SELECT model, what, output_tokens, cost_usd, max_usd FROM llm_estimate(?, '{\"output_tokens\":20}')", (sql,)).fetchall()
        self.assertEqual([(line[1], line[2]) for line in lines], [("asked", 600), ("instead", 600), ("instead", 600)])
        self.assertTrue(lines[0][3] > lines[2][3] and lines[0][3] > lines[1][3])
        tokens = value(self.db, "SELECT input_tokens FROM llm_estimate(?)", sql)
        self.assertAlmostEqual(lines[0][3], (tokens * 2.5 + 600 * 10) / 1e6, places=9)
        self.assertAlmostEqual(lines[0][4], (tokens * 2.5 + 1500 * 10) / 1e6, places=9)
        named = self.db.execute("SELECT model, cost_usd FROM llm_estimate(?, '{\"output_tokens\":20,\"models\":[\"claude-haiku-4-5\",\"ollama/x\"]}')",
                                (sql,)).fetchall()
        self.assertEqual([name for name, _ in named], ["gpt-4o", "claude-haiku-4-5", "x"])
        self.assertIsNone(named[2][1])
        mixed = self.db.execute("SELECT model, input_is FROM llm_estimate('SELECT llm_complete(q, json_object(''model'', CASE plan WHEN ''pro''"
                                " THEN ''gpt-4o'' ELSE ''claude-haiku-4-5'' END)) FROM t')").fetchone()
        self.assertEqual((sorted(mixed[0].split(", ")), mixed[1]), (["claude-haiku-4-5", "gpt-4o"], "estimated"))
        self.nothing_was_sent()

    def test_how_long_answers_are(self):
        """From the lengths of 60 answers, between which two the sum of 200 others lies: so it does in 19 of 20 draws, or nearly."""
        self.db.execute("CREATE TABLE drawn(id INTEGER PRIMARY KEY, seed INTEGER, q TEXT)")
        draw = random.Random(7)
        for seed in range(20):
            for n in range(260):
                words = " ".join(["word"] * (1 + int(draw.expovariate(1 / 12))))
                self.db.execute("INSERT INTO drawn(seed, q) VALUES (?, ?)", (seed, f"Draw {seed}, {n}\n@say: {words}"))
        held = 0
        for seed in range(20):
            options = json.dumps({"model": "gpt-4o", "system": f"You are number {seed}.", "concurrency": 64})
            part = f"SELECT id, q FROM drawn WHERE seed = {seed} ORDER BY id LIMIT 60"
            rest = f"SELECT id, q FROM drawn WHERE seed = {seed} ORDER BY id LIMIT 200 OFFSET 60"
            self.db.execute("SELECT count(*) FROM llm_map(?, ?)", (part, options)).fetchall()
            low, high = self.db.execute("SELECT output_low, output_high FROM llm_estimate(?, ?) LIMIT 1",
                                        (rest, json.dumps({**json.loads(options), "concurrency": 8}))).fetchone()
            before = value(self.db, "SELECT total(output_tokens) FROM llm_calls")
            self.db.execute("SELECT count(*) FROM llm_map(?, ?)", (rest, options)).fetchall()
            made = value(self.db, "SELECT total(output_tokens) FROM llm_calls") - before
            held += low <= made <= high
            self.assertLess(high - low, 1.2 * made)
        self.assertGreaterEqual(held, 17)  # of 20, where each holds 19 times of 20: fewer once in 60 runs

    def test_the_bill_of_the_demo(self):
        """What its table costs, beforehand: as many tokens as OpenAI's own tokenizer has for it, with 3 for each message and 3 for
        each answer (the stand-in bills by a rule of its own), and as many requests as the run then sends."""
        folder = npm_package("tiktoken")
        if not folder:
            self.skipTest("needs npm tiktoken")
        with open(os.path.join(ROOT, "examples/support_desk.csv"), newline="") as f:
            rows = [(row["id"], row["question"]) for row in csv.DictReader(f)]
        self.db.execute("CREATE TABLE desk(id INTEGER PRIMARY KEY, question TEXT)")
        self.db.executemany("INSERT INTO desk VALUES (?, ?)", rows)
        system = "You answer for an outdoor shop, in two sentences."
        options = {"model": "gpt-4o-mini", "system": system}
        each, once = (self.db.execute("SELECT requests, input_tokens, input_is FROM llm_estimate('SELECT id, question FROM desk', ?)"
                                      " LIMIT 1", (json.dumps({**options, **more}),)).fetchone() for more in ({"cache": "off"}, {}))
        self.nothing_was_sent()
        count = ("const [folder, list] = process.argv.slice(1); const e = require(folder).get_encoding('o200k_base');"
                 "console.log(JSON.parse(list).reduce((sum, text) => sum + e.encode(text, [], []).length, 0))")
        texts = [text for _, q in rows for text in (system, "system", q, "user")]
        out = subprocess.run(["node", "-e", count, folder, json.dumps(texts)], capture_output=True, text=True, env=clean_env())
        self.assertEqual(each, (len(rows), int(out.stdout) + len(rows) * (2 * 3 + 3), "exact"))
        self.db.execute("SELECT count(*) FROM llm_map('SELECT id, question FROM desk', ?)",
                        (json.dumps({**options, "concurrency": 64}),)).fetchall()
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_calls WHERE kind = 'call'"), once[0])

    def test_by_tag(self):
        """Answers with this tag say how long one is; where there are none, those of the model."""
        for tag, words in (("short", 2), ("long", 40)):
            options = json.dumps({"model": "gpt-4o", "tag": tag})
            for n in range(4):
                value(self.db, "SELECT llm_complete(?, ?)", f"{tag} {n}\n@say: " + " ".join(["word"] * words), options)
        mean = {}
        for tag in ("short", "long", "new"):
            mean[tag] = value(self.db, "SELECT output_tokens FROM llm_estimate('SELECT id, q FROM t LIMIT 1', ?) LIMIT 1",
                              json.dumps({"model": "gpt-4o", "tag": tag}))
        self.assertLess(5 * mean["short"], mean["long"])
        self.assertTrue(mean["short"] < mean["new"] < mean["long"], mean)

    def test_in_a_batch_and_with_a_prefix(self):
        """Half price in a batch; and what rows begin with alike is written once, and read for a tenth."""
        self.db.execute("CREATE TABLE docs AS SELECT id, q, (SELECT group_concat('word ' || id, ' ') FROM t) || printf('%.30000c', 'x') AS doc"
                        " FROM t")
        sql = "SELECT cost_usd, batch_usd, prefix_usd, input_usd FROM llm_estimate('SELECT id, q, doc FROM docs', ?) LIMIT 1"
        options = {"model": "claude-haiku-4-5", "fields": True, "output_tokens": 0}
        given = self.db.execute(sql, (json.dumps(options),)).fetchone()
        ours = self.db.execute(sql, (json.dumps({**options, "fields": "any"}),)).fetchone()
        self.assertAlmostEqual(given[1], given[0] / 2, 9)
        self.assertEqual(given[2], given[0])
        self.assertLess(ours[2], 0.3 * ours[0])
        self.assertGreater(ours[2], 0.1 * ours[0])

    def test_a_table_of_prompts(self):
        """A SELECT without calls is llm_map's: what it would ask, with its options; the bill of the run is that."""
        inner = "SELECT id, q FROM t"
        columns = '"rows", calls, requests, hits, input_tokens, cost_usd, counted'
        sql = f"SELECT {columns} FROM llm_estimate(?, ?) LIMIT 1"
        own = json.dumps({"model": "gpt-4o", "output_tokens": 20})
        calls = self.db.execute(sql, ("SELECT llm_complete(q, '{\"model\":\"gpt-4o\"}') FROM t", '{"output_tokens":20}')).fetchone()
        self.assertEqual(self.db.execute(sql, (inner, own)).fetchone(), calls)
        made = self.db.execute(sql, (inner, json.dumps({"model": "gpt-4o", "output_tokens": 20, "prompt": "{id}: {q}"}))).fetchone()
        self.assertEqual((made[0], made[2]), (40, 40))
        self.assertGreater(made[4], calls[4])
        before = self.standin.bill()["calls"]
        value(self.db, "SELECT count(*) FROM llm_map(?, ?)", inner, json.dumps({"model": "gpt-4o"}))
        self.assertEqual(self.standin.bill()["calls"] - before, calls[2])
        self.assertEqual(self.db.execute(sql, (inner, own)).fetchone()[3], calls[2])

    def test_what_is_no_select(self):
        for sql, says in {"INSERT INTO t SELECT 99, 'x', llm_complete(q) FROM t": "give the SELECT alone",
                          "UPDATE t SET q = llm_complete(q)": "give the SELECT alone", "CREATE TABLE x(y)": "give the SELECT alone",
                          "SELECT 1; SELECT 2": "give one SELECT", "SELECT 1;; SELECT 2": "give one SELECT",
                          "SELECT 1; nonsense": "give one SELECT", "": "there is no statement", " -- nothing": "there is no statement",
                          "EXPLAIN SELECT 1": "an EXPLAIN", "SELECT ?": "has parameters", "BEGIN": "no SELECT",
                          "SELECT nope": "no such column: nope", "SELECT llm_complete('x', '{\"modle\":1}')": "did you mean 'model'?",
                          "SELECT llm_complete('x', '{\"model\":\"nope\"}')": "no model 'nope'",
                          "SELECT llm_complete(q) ->> '$.a' FROM t": "each call gives its prompt back",
                          "SELECT embed(q, 'text-embedding-3-small') FROM t": "embeddings of a provider",
                          "SELECT calls FROM llm_estimate('SELECT 1')": "an estimate can't be estimated"}.items():
            self.assertIn(says, error_of(self.db, "SELECT * FROM llm_estimate(?)", sql), sql)
        of_call = error_of(self.db, "SELECT * FROM llm_estimate('SELECT llm_complete(q) FROM t', '{\"model\":\"x\"}')")
        self.assertIn("option 'model': this SELECT makes its calls itself", of_call)
        self.assertIn("the first is the key, the second the prompt", error_of(self.db, "SELECT * FROM llm_estimate('SELECT 1', '{\"model\":\"x\"}')"))
        self.assertEqual(value(self.db, "SELECT count(*) FROM t"), 40)
        for changes in ("llm_init()", "llm_config('max_calls', 0)", "llm_secret('OPENAI_API_KEY', 'other')", "llm_allow_host('h.example')",
                        "llm_cache_feedback(1, 1)", "llm_import('x')", "llm_prices_import('{}')", "llm_trust_store()", "llm_check()"):
            self.assertIn("not while llm_estimate runs", error_of(self.db, "SELECT * FROM llm_estimate(?)", "SELECT " + changes), changes)
        self.assertEqual(self.counted("SELECT llm_config('max_calls'), llm_complete('x')")[0], "exactly")
        self.assertIn("makes embeddings, not answers", error_of(
            self.db, "SELECT * FROM llm_estimate('SELECT llm_complete(''x'')', '{\"models\":\"text-embedding-3-small\"}')"))
        # afterwards calls are made again
        self.assertIsNotNone(value(self.db, "SELECT llm_complete('made')"))
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_calls WHERE kind = 'call'"), 1)

    def test_it_is_interrupted_and_bounded(self):
        steps = [0]

        def stop():
            steps[0] += 1
            return steps[0] > 1000
        self.db.set_progress_handler(stop, 10)
        with self.assertRaises(sqlite3.OperationalError) as e:
            self.db.execute("SELECT * FROM llm_estimate('WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
                            " SELECT llm_complete(i) FROM n')").fetchall()
        self.assertIn("interrupted", str(e.exception))
        self.db.set_progress_handler(None, 0)
        self.assertEqual(self.counted("SELECT llm_complete(q) FROM t")[1], 40)

    def test_without_a_store_and_without_a_key(self):
        from harness import connect
        db = connect(":memory:")
        row = db.execute("SELECT model, requests, input_usd, output_from FROM llm_estimate('SELECT llm_complete(''Hi'')')").fetchone()
        self.assertEqual(row[:2], ("gpt-4o-mini", 1))
        self.assertIn('give {"output_tokens":N}', row[3])
        db.close()


if __name__ == "__main__":
    unittest.main()
