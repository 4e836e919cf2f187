#!/usr/bin/python3
"""Runs every test and ends with one line that counts them.

  unit  build/unit/*: C tests under cmocka, sanitized
  sql   tests/sql/*.sql in the plain shell: each line they print is name|1, or the test failed; a comment
        "-- error: 'name' words" names the next error and words of it; with the plain build and with the sanitized one
  live  tests/live/test_*.py: processes, faults, other clients, other people's checkers
  fuzz  build/unit/fuzz_*: each for some seconds on what is kept in tests/fuzz/corpus (see tests/fuzz/driver.c),
        sanitized, beside the other tests

Usage: run.py [word ...]   only the tests whose name holds one of the words, or is it where the word is =live/test_name

Some live modules run beside the others, each in a process of its own. Of each module is printed how long it took and when it began;
of those beside, and of single ones, how much of that a processor was busy.
"""
import glob
import os
import re
import resource
import subprocess
import sys
import threading
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "live"))
import harness

FUZZ_SECONDS = "3"
# Live modules with much to compute that care for no clock: the longest first, but those that need npm's packages, which are
# installed meanwhile, late.
COMPUTING = ("semantic_faults", "drift_ledgers", "hostile", "ledger_of_answers", "imports", "sums", "fixtures", "recipes", "prices", "report", "manual",
             "report_page", "bench", "sdks", "batch_peers", "client_programs", "embedders", "peers", "tokens", "savings", "clients")
# Those that wait: a processor is busy for less than a third of their time. Two of them at once disturb nobody.
WAITING = ("answers", "map", "batch_create", "batch_processes", "faults", "transfers", "copies", "batch_kills", "prune", "route", "server_load", "server", "server_reads", "main_store")
BESIDE = ["live/test_" + name for name in COMPUTING + WAITING]

WORDS = sys.argv[1:]
BEGAN = float(os.environ.setdefault("TESTS_BEGAN", str(time.monotonic())))
passed, failed, skipped = 0, 0, 0
counting = threading.Lock()


def wanted(name):
    return not WORDS or any(w == "=" + name or w in name for w in WORDS)


def count(ok=0, bad=0, left_out=0):
    global passed, failed, skipped
    with counting:
        passed += ok
        failed += bad
        skipped += left_out


def report(word, name, detail=""):
    count(word == "ok", word == "FAIL", word == "skip")
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


def busy():
    """Seconds of a processor, of this process and of those that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def run_live():
    for path in sorted(glob.glob(os.path.join(ROOT, "tests/live/test_*.py"))):
        name = os.path.basename(path)[:-3]
        if not wanted("live/" + name) or (not WORDS and "live/" + name in BESIDE):
            continue
        started, used = time.monotonic(), busy()
        suite = unittest.defaultTestLoader.loadTestsFromName(name)
        suite.run(Result())
        took = f"{time.monotonic() - started:.0f} s" + (f" ({busy() - used:.0f} busy)" if WORDS else "")  # (else that of the others is in it)
        print(f"      live/{name}: {took}, from {started - BEGAN:.0f} s on", flush=True)


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
    """Runs the modules of a list that are left, each by another run of this program."""

    def __init__(self, left, niceness):
        super().__init__(daemon=True)
        self.left, self.niceness = left, str(niceness)

    def run(self):
        while self.left:
            try:
                self.run_module("live/test_" + self.left.pop(0))
            except IndexError:  # another was faster
                return

    def run_module(self, name):
        out = subprocess.run(["nice", "-n", self.niceness, sys.executable, __file__, "=" + name], capture_output=True, text=True,
                             errors="replace")
        lines = out.stdout.rstrip().splitlines()
        counts = {what: int(n) for n, what in re.findall(r"(\d+) (passed|failed|skipped)", lines[-1] if lines else "")}
        print("\n".join(lines[:-1]), flush=True)
        count(counts.get("passed", 0), counts.get("failed", 0), counts.get("skipped", 0))
        if not counts:
            report("FAIL", name, out.stderr[-3000:])


def main():
    if not any(w.startswith("=") for w in WORDS):
        harness.start_npm_install()
    fuzzing = Fuzz(daemon=True)
    computing, waiting = ([], []) if WORDS else (list(COMPUTING), list(WAITING))
    beside = [Beside(computing, 5), Beside(waiting, 0), Beside(waiting, 0)]
    for thread in (fuzzing, *beside):
        thread.start()
    run_unit()
    run_sql()
    run_live()
    Beside(computing, 0).run()
    for thread in beside:
        thread.join()
    fuzzing.report()
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
