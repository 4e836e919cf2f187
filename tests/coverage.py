#!/usr/bin/python3
"""Which lines of each room the tests run. Usage: coverage.py [lines]      (make coverage builds what it needs)

Runs the unit tests, the .sql files and the live tests named below on build/coverage (compiled by `make coverage` with
--coverage, without optimisation), then asks gcov of every object and prints a line per room. "lines": also the lines of
each file that nothing ran. A line counts if one of its instances ran. What the tests kill counts nothing after its last exit.
"""
import collections
import glob
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, "build/coverage")
TESTS = ["unit/", "sql/"] + [f"live/test_{name}" for name in (
    "durability", "embed_remote", "faults", "fixtures", "guard_words", "prices", "security", "semantic", "tokens", "trust")]


def run_tests():
    for path in glob.glob(os.path.join(BUILD, "**/*.gcda"), recursive=True):
        os.remove(path)
    out = subprocess.run(["/usr/bin/python3", os.path.join(ROOT, "tests/run.py"), *TESTS], env={**os.environ, "BUILD": BUILD},
                         cwd=ROOT)
    return out.returncode


def spans(numbers):
    """"3-5 9" of 3, 4, 5, 9."""
    out = []
    for n in sorted(numbers):
        if out and out[-1][1] == n - 1:
            out[-1][1] = n
        else:
            out.append([n, n])
    return " ".join(str(a) if a == b else f"{a}-{b}" for a, b in out)


def read_lines():
    """{file: {line: whether it ran}} of our own files."""
    files = collections.defaultdict(dict)
    notes = [os.path.relpath(p, ROOT) for p in glob.glob(os.path.join(BUILD, "so/**/*.gcno"), recursive=True)]
    for note in notes:
        out = subprocess.run(["gcov", "--json-format", "--stdout", note], capture_output=True, text=True, cwd=ROOT)
        for text in out.stdout.splitlines():
            for one in json.loads(text)["files"]:
                path = os.path.normpath(one["file"])
                if path.startswith(("ext/", "vec/")) and os.path.exists(os.path.join(ROOT, path)):  # not of an older tree
                    for line in one["lines"]:
                        seen = files[path]
                        seen[line["line_number"]] = seen.get(line["line_number"], False) or line["count"] > 0
    return files


def report(files, with_lines):
    rooms = collections.defaultdict(lambda: [0, 0])
    for path, lines in files.items():
        for room in (os.path.dirname(path), "all"):
            rooms[room][0] += sum(lines.values())
            rooms[room][1] += len(lines)
    print(f"{'room':20} {'lines':>6} {'run':>6}")
    for room, (ran, n) in sorted(rooms.items(), key=lambda x: (x[0] == "all", x[0])):
        print(f"{room:20} {n:6} {100 * ran / n:5.1f} %")
    for path, lines in sorted(files.items()) if with_lines else ():
        missed = [n for n, ran in lines.items() if not ran]
        if missed:
            print(f"{path}: {spans(missed)}")


def main():
    failed = run_tests()
    report(read_lines(), "lines" in sys.argv[1:])
    return failed


if __name__ == "__main__":
    sys.exit(main())
