#!/usr/bin/python3
"""Runs every test and ends with one line that counts them.

  unit  build/unit/*: C tests under cmocka, sanitized
  sql   tests/sql/*.sql in the plain shell: each line they print is name|1, or the test failed; a comment
        "-- error: 'name' words" names the next error and words of it; with the plain build and with the sanitized one
  live  tests/live/test_*.py: processes, faults, other clients, other people's checkers
  fuzz  build/unit/fuzz_*: each for some seconds on what is kept in tests/fuzz/corpus (see tests/fuzz/driver.c),
        sanitized, beside the other tests

Usage: run.py [word ...]   only the tests whose name holds one of the words

Live tests that measure no time run beside the others, in a process of their own.
"""
import glob
import os
import re
import subprocess
import sys
import threading
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "live"))
import harness

FUZZ_SECONDS = "3"
# Live modules that care for no clock, with much to compute or to wait for.
BESIDE = ["live/test_" + name for name in
          ("batch_create", "batch_kills", "batch_peers", "batch_processes", "bench", "client_programs", "clients", "drift_ledgers", "embedders",
           "fixtures", "imports", "ledger_of_answers", "peers", "prices", "recipes", "savings", "sdks", "semantic_faults", "sums", "tokens")]

WORDS = sys.argv[1:]
passed, failed, skipped = 0, 0, 0


def wanted(name):
    return not WORDS or any(w in name for w in WORDS)


def report(word, name, detail=""):
    global passed, failed, skipped
    passed += word == "ok"
    failed += word == "FAIL"
    skipped += word == "skip"
    if word != "ok":
        print(f"{word:5} {name}{': ' if detail else ''}{detail}", flush=True)


def run_unit():
    for path in sorted(glob.glob(os.path.join(harness.BUILD, "unit/test_*"))):
        name = os.path.basename(path)
        if os.path.isdir(path) or not os.access(path, os.X_OK) or not wanted("unit/" + name):
            continue
        out = subprocess.run([path], capture_output=True, text=True, errors="replace", timeout=300)
        oks = re.findall(r"^\[       OK \] (\S+)", out.stdout, re.M)
        bad = set(re.findall(r"^\[  FAILED  \] (\S+)", out.stdout + out.stderr, re.M))
        for test in oks:
            report("ok", name + "." + test)
        for test in sorted(bad - {"tests:"}):
            report("FAIL", name + "." + test, out.stderr[-2000:])
        if out.returncode != 0 and not bad:
            report("FAIL", name, f"exit {out.returncode}\n{out.stderr[-3000:]}")


def report_errors(script, stderr, label):
    """The errors that a script announces, in its order. Returns what else was said."""
    wanted = re.findall(r"^-- error: '([^']*)' (.*)$", script, re.M)
    got = re.findall(r"^(?:Runtime|Parse) error near line .*$", stderr, re.M) if wanted else []
    for i, (name, words) in enumerate(wanted):
        error = got[i] if i < len(got) else "no error"
        report("ok" if words in error else "FAIL", f"{label} {name}", "" if words in error else f"{words}: {error}")
    return "\n".join(got[len(wanted):]) if wanted and got else stderr.strip()


def run_sql_file(path, so, env, label):
    with harness.Standin() as standin, harness.TempDir() as tmp:
        prelude = os.path.join(tmp, "prelude.sql")
        with open(prelude, "w") as f:
            f.write(harness.prelude_sql(so, standin.url))
        with open(path) as f:
            out = subprocess.run(
                ["sqlite3", "-batch", os.path.join(tmp, "test.db"), "-cmd", ".read " + prelude],
                stdin=f, capture_output=True, text=True, env=env, timeout=120, cwd=ROOT)
    lines = [x for x in out.stdout.splitlines() if x.strip()]
    for line in lines:
        name, _, verdict = line.rpartition("|")
        report("ok" if verdict == "1" else "FAIL", f"{label} {name or line}", "" if verdict == "1" else line)
    with open(path) as f:
        script = f.read()
    expected = len(re.findall(r"^SELECT '", script, re.M))
    left = report_errors(script, out.stderr, label)
    if left or len(lines) < expected:
        report("FAIL", f"{label} ran", f"{len(lines)} of {expected} lines; {left[-3000:]}")


def run_sql():
    for path in sorted(glob.glob(os.path.join(ROOT, "tests/sql/*.sql"))):
        name = "sql/" + os.path.basename(path)
        if wanted(name):
            run_sql_file(path, harness.SO, harness.clean_env(), name)
            if harness.ASAN_SO != harness.SO:
                run_sql_file(path, harness.ASAN_SO, harness.asan_env(leaks=True), name + " (sanitized)")


class Result(unittest.TestResult):
    def startTest(self, test):
        super().startTest(test)
        self.started = time.time()

    def name(self, test):
        return f"live/{test.id()}"

    def addSuccess(self, test):
        report("ok", self.name(test))

    def addFailure(self, test, err):
        report("FAIL", self.name(test), self._exc_info_to_string(err, test))

    addError = addFailure

    def addSkip(self, test, reason):
        report("skip", self.name(test), reason)

    def addSubTest(self, test, subtest, err):
        if err:
            report("FAIL", self.name(subtest), self._exc_info_to_string(err, test))


def run_live():
    for path in sorted(glob.glob(os.path.join(ROOT, "tests/live/test_*.py"))):
        name = os.path.basename(path)[:-3]
        if not wanted("live/" + name) or (not WORDS and "live/" + name in BESIDE):
            continue
        started = time.time()
        suite = unittest.defaultTestLoader.loadTestsFromName(name)
        suite.run(Result())
        print(f"      live/{name}: {time.time() - started:.0f} s", flush=True)


def fuzz(path):
    """Runs one target; what is wrong, or None."""
    folder = os.path.join(ROOT, "tests/fuzz/corpus", os.path.basename(path)[len("fuzz_"):])
    try:
        out = subprocess.run(["nice", "-n", "10", path, FUZZ_SECONDS, folder],
                             capture_output=True, text=True, errors="replace", timeout=120)
    except subprocess.TimeoutExpired:
        return "it did not end"
    return f"exit {out.returncode}\n{out.stderr[-20000:]}" if out.returncode != 0 else None


class Fuzz(threading.Thread):
    """The fuzz targets, one after the other, while other tests wait for processes."""

    def run(self):
        self.faults = {}
        for path in sorted(glob.glob(os.path.join(harness.BUILD, "unit/fuzz_*"))):
            name = "fuzz/" + os.path.basename(path)[len("fuzz_"):]
            if wanted(name) and os.access(path, os.X_OK):
                self.faults[name] = fuzz(path)

    def report(self):
        self.join()
        for name, fault in self.faults.items():
            report("FAIL" if fault else "ok", name, fault or "")


class Beside(threading.Thread):
    """The modules of BESIDE, by another run of this program."""

    def run(self):
        self.out = subprocess.run(["nice", "-n", "5", sys.executable, __file__, *BESIDE],
                                  capture_output=True, text=True, errors="replace")

    def report(self):
        global passed, failed, skipped
        self.join()
        lines = self.out.stdout.rstrip().splitlines()
        counts = re.findall(r"(\d+) (passed|failed|skipped)", lines[-1] if lines else "")
        print("\n".join(lines[:-1]), flush=True)
        if not counts:
            report("FAIL", "beside", self.out.stderr[-3000:])
        for n, what in counts:
            passed += int(n) * (what == "passed")
            failed += int(n) * (what == "failed")
            skipped += int(n) * (what == "skipped")


def main():
    harness.start_npm_install()
    fuzzing = Fuzz(daemon=True)
    fuzzing.start()
    beside = None if WORDS else Beside(daemon=True)
    if beside:
        beside.start()
    run_unit()
    run_sql()
    run_live()
    fuzzing.report()
    if beside:
        beside.report()
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
