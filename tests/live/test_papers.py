"""The papers agree with the code: one version, and no path that is gone."""
import glob
import os
import re
import unittest

from harness import ROOT, connect, value

PAPERS = sorted(glob.glob(os.path.join(ROOT, "sql/manual/*.md"))) + [os.path.join(ROOT, "README.md")]


def read(path):
    with open(os.path.join(ROOT, path)) as f:
        return f.read()


class Version(unittest.TestCase):
    def test_it_is_one(self):
        version = read("VERSION").strip()
        self.assertRegex(version, r"^\d+\.\d+\.\d+$")
        self.assertEqual(re.search(r'#define LLMCOST_VERSION "(.*)"', read("ext/llmcost.h")).group(1), version)
        db = connect(":memory:")
        self.assertEqual(value(db, "SELECT llmcost_version()"), version)
        db.close()
        self.assertRegex(read("sql/manual/CHANGELOG.md"), rf"(?m)^## v{re.escape(version.removesuffix('.0'))} \(\d{{4}}-\d\d-\d\d\)$")


class Paths(unittest.TestCase):
    def test_they_are_there(self):
        for paper in PAPERS:
            for path in re.findall(r"`((?:ext|vec|sql|tests|bench|examples|\.ci)/[^`\s]*)`", read(paper)):
                if not re.search(r"[<>*…]", path):
                    with self.subTest(paper=os.path.basename(paper), path=path):
                        self.assertTrue(os.path.exists(os.path.join(ROOT, path)), "it names what is not there")


if __name__ == "__main__":
    unittest.main()
