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

    def test_each_room_is_told_of(self):
        rooms = [line.split("\t")[0] for line in read("tests/rooms.tsv").splitlines() if line and line[0] != "#"]
        told = re.findall(r"^\| `([^`]+)` \|", read("sql/manual/ARCHITECTURE.md"), re.M)
        self.assertEqual(set(rooms) - set(told), set())

    def test_names_of_the_code_are_there(self):
        code = "".join(read(p) for pattern in ("ext/**/*.[ch]", "vec/**/*.[ch]", "sql/*", "tests/*.*", "tests/*/*.[hcp]*",
                       "bench/*.mk", "Makefile")
                       for p in glob.glob(pattern, root_dir=ROOT, recursive=True) if os.path.isfile(os.path.join(ROOT, p)))
        for paper in ("ARCHITECTURE", "CONTRIBUTING"):
            text = read(f"sql/manual/{paper}.md")
            names = set(re.findall(r"`([A-Za-z]\w*(?:_\w+|[a-z][A-Z]\w*))`", text))
            names |= set(re.findall(r"(?m)^ {4,}.*?\b([a-z]+(?:_[a-z]+)+)\b", text)) if paper == "ARCHITECTURE" else set()
            for name in sorted(names):
                with self.subTest(paper=paper, name=name):
                    self.assertIn(name, code)


if __name__ == "__main__":
    unittest.main()
