"""The store as it is documented, brought up to date, and shared by builds that differ."""
import os
import re
import unittest

from harness import ROOT, Desk, value


class Documents(Desk):
    def test_readme_names_each_column_of_the_ledger(self):
        with open(os.path.join(ROOT, "README.md")) as f:
            table = f.read().split("| column | meaning |\n|---|---|\n")[1].split("\n\n")[0]
        named = [name for line in table.splitlines() for name in re.findall(r"`(\w+)`", line.split(" | ")[0])]
        columns = [r[0] for r in self.db.execute("SELECT name FROM pragma_table_info('llm_calls')")]
        self.assertEqual(sorted(named), sorted(columns))


if __name__ == "__main__":
    unittest.main()
