"""The files of tests/sql/hostile that hold many cases, and the three clients that run them.

attacks_*.sql and harmless_*.sql are cases, each begun by a line

  --- its name

then comments that say how it is to be run,

  -- allowed: KEY       the attacker's host may have the keys (as it is without this line, so that whatever
                        passes the guard arrives); HOST: it may be asked, without a key; nothing: neither
  -- store: NAMED       LLMCOST_STORE names a store of the victim's own (as without this line); main: it says
                        main; beside: the variable is not set
  -- file: NAME         what the victim opens; hostile.db without this line
  -- models: none       no table llm_models that sends everything to the attacker
  -- says: TEXT|TEXT    one of the victim's statements must give an error with one of these texts
  -- unsaid: TEXT       nothing that is printed may hold this text
  -- requests: N        so many requests are the victim's own (0 without this line)
  -- clients: NAMES     only these of: shell python node

then statements of the stranger, who makes hostile.db with the extension loaded and no key at hand; then, behind
a line `-- store`, statements on hostile.db-llmcost, the store that the stranger's own calls made (with it the stranger
has keys and asks); then, behind `-- victim`, what the victim does. HOST and URL are the attacker's address.

A harmless case has statements of the application alone, and behind each may stand what it must give:
`-- gives: VALUE` (the first of the first row; nothing for none) or
`-- error: TEXT|TEXT`.
"""
import glob
import json
import os
import re
import select
import signal
import sqlite3
import subprocess

import harness
from harness import KEYS, ROOT, SO, clean_env

AWS_SECRET = "wJalrXUtnFEMI-test-K7MDENG-bPxRfiCYzEXAMPLE"
SECRET_PROMPT = "the salary of the board in 2026, prompt 5f1c"
ATTACKED = os.environ.get("LLMCOST_ATTACKED", SO)  # another build, to see which attacks it falls to


class Case:
    def __init__(self, path, text):
        self.name, _, body = text.partition("\n")
        self.theme = os.path.basename(path)[:-4]
        self.switches = dict(re.findall(r"^-- (allowed|store|file|models|says|unsaid|requests|clients): (.*)$", body, re.M))
        body = re.sub(r"^-- (allowed|store|file|models|says|unsaid|requests|clients): .*\n", "", body, flags=re.M)
        made, _, self.victim_text = body.partition("\n-- victim\n")
        self.stranger_text, _, self.store_text = ("\n" + made + "\n").partition("\n-- store\n")

    def switch(self, name, default=""):
        return self.switches.get(name, default)


def cases(pattern):
    found = []
    for path in sorted(glob.glob(os.path.join(ROOT, "tests/sql/hostile", pattern))):
        with open(path) as f:
            found += [Case(path, text) for text in re.split(r"^--- ", f.read(), flags=re.M)[1:]]
    return found


def statements(text):
    """The statements of a text, each with the comment lines that follow it."""
    found, at = [], ""
    for line in text.splitlines():
        if not at and re.match(r"-- (gives|error):", line) and found:
            found[-1][1].append(line)
        elif at or (line.strip() and not line.startswith("--")):
            at += line + "\n"
            if sqlite3.complete_statement(at):
                found.append((at.strip().rstrip(";"), []))
                at = ""
    assert not at.strip(), "no end: " + at
    return found


class Driver:
    """A client that takes jobs one by one; started again after a crash."""

    def __init__(self, name, argv, env):
        self.name, self.argv, self.env, self.process = name, argv, env, None

    def run(self, job, timeout=60):
        """The results of a job, or a text that says how the client died."""
        if not self.process:
            self.process = subprocess.Popen(self.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=subprocess.PIPE, text=True, env=self.env)
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        ready = select.select([self.process.stdout], [], [], timeout)[0]
        line = self.process.stdout.readline() if ready else ""
        if line:
            return json.loads(line)
        if not ready:
            self.process.send_signal(signal.SIGKILL)
        _, errors = self.process.communicate()
        code, self.process = self.process.returncode, None
        return f"{self.name} {'hung' if not ready else 'ended'} ({code}): {errors[-2000:]}"

    def close(self):
        if self.process:
            self.process.communicate()
            self.process = None


class ShellDriver:
    """Debian's shell with the sanitized build: a process for each job."""
    name = "shell"
    mark = "--8<--"

    def __init__(self, so, env):
        self.so, self.env = so, env

    def run(self, job, timeout=60):
        env = {k: v for k, v in self.env.items() if not k.startswith("LLMCOST_")}
        script = f".load {self.so}\n" + "".join(f"{s};\n.print {self.mark}\n" for s in job["statements"])
        try:
            out = subprocess.run(["sqlite3", "-batch", job["file"]], input=script, capture_output=True, text=True,
                                 errors="replace", env={**env, **job["env"]}, cwd=job["folder"], timeout=timeout)
        except subprocess.TimeoutExpired:
            return "the shell hung"
        parts = out.stdout.split(self.mark + "\n")
        if len(parts) != len(job["statements"]) + 1 or out.returncode < 0 or re.search("Sanitizer|runtime error:", out.stderr):
            return f"the shell ended ({out.returncode}): {out.stderr[:3000]}"
        errors = re.findall(r"^(?:Runtime|Parse) error(?: near line \d+)?:? ?(.*)|^Error: (.*)", out.stderr, re.M)
        return [["value", p.split("\n")[0].split("|")[0] if p else None, p] for p in parts[:-1]] + \
            [["error", a or b, ""] for a, b in errors]

    def close(self):
        pass


def drivers():
    """Those of the three clients that are here."""
    env = clean_env(AWS_SECRET_ACCESS_KEY=AWS_SECRET, **KEYS)
    asan = harness.asan_env(AWS_SECRET_ACCESS_KEY=AWS_SECRET, **KEYS) if ATTACKED == SO else env
    found = [ShellDriver(harness.ASAN_SO if ATTACKED == SO else ATTACKED, asan),
             Driver("python", ["/usr/bin/python3", os.path.join(ROOT, "tests/live/victim.py"), ATTACKED], env)]
    folder = harness.npm_package("better-sqlite3")
    if folder:
        found.append(Driver("node", ["node", os.path.join(ROOT, "tests/live/victim.js"), folder, ATTACKED], env))
    return found
