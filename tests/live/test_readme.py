"""The README's SQL runs as printed, from top to bottom, in the shell."""
import os
import re
import unittest

from harness import ROOT, SO, Standin, TempDir, clean_env, prelude_sql, shell


# A SELECT of one line with what it gives behind it: "SELECT llm_tokens('a'), 2;   -- 1, 2"
VALUE = re.compile(r"^(SELECT .*);\s+-- ([-0-9., ]+)$", re.M)


class Readme(unittest.TestCase):
    def test_every_example_runs(self):
        with open(os.path.join(ROOT, "README.md")) as f:
            blocks = re.findall(r"```sql\n(.*?)```", f.read(), re.S)
        self.assertGreater(len(blocks), 8)
        with Standin() as standin, TempDir() as tmp:
            sql = prelude_sql(SO, standin.url)
            sql += "UPDATE llm_models SET key_env = NULL, base_url = 'http://127.0.0.1:11434/v1' WHERE name = 'llama3.2';\n"
            sql += "CREATE TABLE answers(id, answer);\nCREATE TEMP TABLE t0 AS SELECT 1;\n"
            first = blocks[0].replace("FROM tickets", "FROM (SELECT 1 AS id, 'first' AS question)")
            printed = "\n".join([first] + blocks[1:])
            values = VALUE.findall(printed)
            self.assertGreater(len(values), 7)
            with open(os.path.join(tmp, "calls.csv"), "w") as f:
                f.write("Time,Model,In,Out\n2026-11-04T09:00:00Z,gpt-4o-mini,10,5\n")
            os.symlink(f"{ROOT}/tests/data/imports/claude_code", os.path.join(tmp, ".claude"))
            printed = printed.replace("'exports/openai_costs_*", f"'{ROOT}/tests/data/imports/openai_costs*")
            printed = printed.replace("'calls.csv'", f"'{tmp}/calls.csv'")
            out = shell(os.path.join(tmp, "readme.db"), sql + VALUE.sub(r"\g<0>\nSELECT 'gives', * FROM (\1);", printed),
                        env=clean_env(HOME=str(tmp)))
            self.assertEqual(out.stderr, "")
            self.assertEqual([line.split("|")[1:] for line in out.stdout.splitlines() if line.startswith("gives|")],
                             [given.split(", ") for _, given in values])
            self.assertIn("hit_exact|0|", out.stdout)
            self.assertGreater(standin.bill()["calls"], 6)


if __name__ == "__main__":
    unittest.main()
