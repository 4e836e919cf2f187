#!/usr/bin/python3
"""llm_import beside npm ccusage (its program for Linux, without Node around it) over the same logs of Claude Code and Codex
(bench/logs.py makes them, and knows what they say): what each says was used, and what it takes. ccusage is fast and careful,
and sums up: it reads everything each time and keeps nothing; llm_import keeps each call, priced, with its indexes, on disk.

Runs alternate, files are in the page cache; the least and the median of each are printed, of the time that passes and of the
time of processors, which a busy machine does not lengthen as much. Everything is removed in the end.
Usage: imports.py [MILLIONS OF BYTES] [ROUNDS] [FILES]   (1000 5 10000)
"""
import contextlib
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(ROOT, "tests", "live"), os.path.join(ROOT, "bench")]
import harness
import logs

MB, ROUNDS, FILES = [int(arg) for arg in sys.argv[1:]] + [1000, 5, 10_000][len(sys.argv) - 1:]
FORMATS = ("claude", "codex")
COUNTS = ("calls", "input", "cached", "written", "output", "reasoning")


class Run:
    """A process: its output, and what it took."""

    def __init__(self, command, **env):
        with tempfile.TemporaryFile() as out:
            t0 = time.perf_counter()
            process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, cwd=ROOT,
                                       env=harness.clean_env(NO_COLOR="1", TZ="UTC", **env))
            _, status, used = os.wait4(process.pid, 0)
            self.wall = time.perf_counter() - t0
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            self.text = out.read().decode()
        assert process.returncode == 0, self.text[-2000:]
        self.cpu, self.rss = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


class Ours:
    name = "llm_import"

    @staticmethod
    def run(folder, format, db):
        return Run(["sqlite3", "-batch", db, ".load ./llmcost", f"SELECT llm_import('{folder}/{format}')"])

    @staticmethod
    def counts(db, source):
        """Of one source; what a log can't say is 0, as others show it."""
        rows = Run(["sqlite3", "-batch", "-json", db, ".load ./llmcost",
                    "SELECT count(*) calls, sum(input_tokens) input, total(cached_input_tokens) cached, total(cache_write_tokens) written,"
                    " sum(output_tokens) output, total(reasoning_tokens) reasoning, sum(cost_nusd) / 1e9 usd FROM llm_calls"
                    f" WHERE source = '{source}'"]).text
        return {name: n if name == "usd" else int(n) for name, n in json.loads(rows)[0].items()}


class Theirs:
    name = "ccusage"
    program = None

    @classmethod
    def report(cls, folder, kind, which):
        return Run([cls.program, kind, which, "--offline", "--json", "--timezone", "UTC"], HOME=folder,
                   CLAUDE_CONFIG_DIR=f"{folder}/claude", CODEX_HOME=f"{folder}/{kind}")

    @classmethod
    def run(cls, folder, format, db=None):
        return cls.report(folder, format, "daily")

    @classmethod
    def counts(cls, folder, format):
        """(Calls are counted in its blocks, of Claude Code alone.)"""
        home = folder
        if format == "hard":
            home = os.path.join(folder, "hard-home")
            os.makedirs(home, exist_ok=True)
            if not os.path.exists(f"{home}/codex"):
                os.symlink(f"{folder}/hard", f"{home}/codex")
        kind = "claude" if format == "claude" else "codex"
        t = json.loads(cls.report(home, kind, "daily").text)["totals"]
        calls = None
        if kind == "claude":
            calls = sum(b["entries"] for b in json.loads(cls.report(home, kind, "blocks").text)["blocks"])
        return {"calls": calls, "input": t["inputTokens"] + t["cacheReadTokens"] + t["cacheCreationTokens"], "cached": t["cacheReadTokens"],
                "written": t["cacheCreationTokens"], "output": t["outputTokens"], "reasoning": t.get("reasoningOutputTokens", 0),
                "usd": t.get("totalCost", t.get("costUSD"))}


class Maker:
    """Logs, made and grown by a process of their own: what this one has in memory would count as that of those it starts."""

    def __init__(self, folder, size):
        fork = multiprocessing.get_context("fork")
        self.pipe, far = fork.Pipe()
        self.process = fork.Process(target=Maker.serve, args=(far, folder, size))
        self.process.start()
        far.close()
        self.truth = self.pipe.recv()

    @staticmethod
    def serve(pipe, folder, size):
        made = logs.Logs(folder, size)
        pipe.send({name: truth.total() for name, truth in made.truth.items()})
        while share := pipe.recv():
            pipe.send(made.grow(share))
            pipe.send({name: truth.total() for name, truth in made.truth.items()})

    def grow(self, share):
        self.pipe.send(share)
        added, self.truth = self.pipe.recv(), self.pipe.recv()
        return added

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.pipe.send(None)
        self.process.join()


def write_files(folder):
    """Short sessions, a call in each."""
    maker = logs.Maker(folder, 2)
    for _ in range(FILES):
        session = logs.Claude(maker, "web")
        session.user(200)
        session.call(logs.Truth())
        maker.write(session.path(), session.lines)


def warm(folder):
    size = files = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(path, name), "rb") as f:
                while n := len(f.read(1 << 16)):
                    size += n
            files += 1
    return size, files


def table_of_counts(folder, truths, db, what):
    """Fails where we are wrong."""
    print(f"\n{what}\n\n| | | calls | input | cached | written | output | reasoning | $ |\n|---|---|---|---|---|---|---|---|---|")
    for format in (*FORMATS, "hard"):
        truth = truths[format]
        if format == "hard":
            db += "-hard"
            Ours.run(folder, format, db)
        ours = Ours.counts(db, "claude_code" if format == "claude" else "codex")
        for name, counts in (("true", truth), (Ours.name, ours), (Theirs.name, Theirs.counts(folder, format))):
            cells = ["—" if counts[c] is None else f"{counts[c]:,}" for c in COUNTS]
            print(f"| {format} | {name} | " + " | ".join(cells) + f" | {'' if name == 'true' else format_usd(counts['usd'])} |")
        assert all(ours[c] == truth[c] for c in COUNTS), (format, ours, truth)


def format_usd(usd):
    return f"{usd:,.4f}"


def spread(runs, of):
    values = [getattr(run, of) for run in runs]
    return min(values), statistics.median(values)


def row(what, ours, theirs):
    """A line of the table of times; and the ratios of the least."""
    cells = []
    for of in ("wall", "cpu"):
        a, b = spread(ours, of), spread(theirs, of)
        cells += [f"{a[0]:.3f} ({a[1]:.3f})", f"{b[0]:.3f} ({b[1]:.3f})", f"{b[0] / a[0]:.2f} ×"]
    print(f"| {what} | " + " | ".join(cells) + f" | {max(r.rss for r in ours):.0f} | {max(r.rss for r in theirs):.0f} |", flush=True)


def alternate(what, folder, dbs):
    """Ours, theirs, ours, theirs: each in a database of its own. A row for each format, and one for both."""
    runs = {(tool, format): [] for tool in (Ours, Theirs) for format in FORMATS}
    for db in dbs:
        for format in FORMATS:
            for tool in (Ours, Theirs):
                runs[tool, format].append(tool.run(folder, format, db))
    for format in FORMATS:
        row(f"{what}, {format}", runs[Ours, format], runs[Theirs, format])
    for tool in (Ours, Theirs):
        runs[tool, "both"] = [both(a, b) for a, b in zip(runs[tool, "claude"], runs[tool, "codex"])]
    row(f"{what}, both", runs[Ours, "both"], runs[Theirs, "both"])


def both(a, b):
    run = object.__new__(Run)
    run.wall, run.cpu, run.rss = a.wall + b.wall, a.cpu + b.cpu, max(a.rss, b.rss)
    return run


def head_of_times(what):
    print(f"\n{what}\n\n| least (median) of {ROUNDS} | s, llm_import | s, ccusage | | processor s, llm_import | processor s, ccusage | | "
          "peak MiB, llm_import | peak MiB, ccusage |\n|---|---|---|---|---|---|---|---|---|")


def many_files(tmp):
    folder = os.path.join(tmp, "files")
    process = multiprocessing.get_context("fork").Process(target=write_files, args=(folder,))
    process.start()
    process.join()
    warm(folder)
    for what in ("read first", "unchanged"):
        runs = {Ours: [], Theirs: []}
        for i in range(ROUNDS):
            for tool in runs:
                runs[tool].append(tool.run(folder, "claude", os.path.join(tmp, f"files{i}.db")))
        row(f"{FILES:,} files, {what}", runs[Ours], runs[Theirs])
    assert Ours.counts(os.path.join(tmp, "files0.db"), "claude_code")["calls"] == FILES


def main():
    harness.start_npm_install()
    package = harness.npm_package("@ccusage/ccusage-linux-x64")
    if not package:
        raise SystemExit("needs npm @ccusage/ccusage-linux-x64, the peer that it measures")
    Theirs.program = os.path.join(package, "bin", "ccusage")
    os.chmod(Theirs.program, 0o755)  # (the script around it does so)
    with contextlib.ExitStack() as stack:
        tmp = stack.enter_context(tempfile.TemporaryDirectory(prefix="llmcost-imports-"))
        small, folder = os.path.join(tmp, "small"), os.path.join(tmp, "all")
        with Maker(small, MB * 100_000):
            warm(small)
        made = stack.enter_context(Maker(folder, MB * 1_000_000))
        for name in FORMATS:
            size, files = warm(os.path.join(folder, name))
            calls = made.truth[name]["calls"]
            print(f"{name}: {size / 1e6:,.1f} MB in {files:,} files, {calls:,} calls, {size / calls:,.0f} bytes for each")
        dbs = [os.path.join(tmp, f"{i}.db") for i in range(ROUNDS)]
        head_of_times("What it takes")
        alternate("a tenth of it", small, [db + "-small" for db in dbs])
        alternate("all of it", folder, dbs)
        print(f"| the ledger's file: {os.path.getsize(dbs[0] + '-llmcost') / 1e6:.1f} MB | | | | | | | | |")
        alternate("again, unchanged", folder, dbs)
        added = made.grow(0.01)
        warm(folder)
        alternate(f"again, {added / 1e6:.2f} MB appended", folder, dbs)
        many_files(tmp)
        table_of_counts(folder, made.truth, dbs[0], "What each says was used, in the end")


main()
