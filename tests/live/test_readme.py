"""The README's SQL runs as printed, from top to bottom, in the shell."""
import os
import re
import unittest

from harness import ROOT, SO, Standin, TempDir, prelude_sql, shell


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
            out = shell(os.path.join(tmp, "readme.db"), sql + "\n".join([first] + blocks[1:]))
            self.assertEqual(out.stderr, "")
            self.assertIn("0.005615", out.stdout)
            self.assertIn("0.2|0.1", out.stdout)
            self.assertIn("\n2|4|6\n15\n", out.stdout)
            self.assertIn("hit_exact|0|", out.stdout)
            self.assertGreater(standin.bill()["calls"], 6)


if __name__ == "__main__":
    unittest.main()
