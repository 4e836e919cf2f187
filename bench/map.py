"""llm_map beside bare libcurl multi, npm openai with a pool of workers, and that behind npm @portkey-ai/gateway: the same
prompts, the same stand-in, in one run, taking turns. Then how much memory and time cached rows take, and what becomes of
a rate limit.

  table   seconds, ratio to bare libcurl and CPU a call, for some numbers of requests at once
  cached  peak memory and rows a second of 1,000, 100,000 and 1,000,000 rows that are all in the cache
  rate    a provider that takes 100 requests a second: share of that used, share refused after the first second

Usage: bench/map.py [table|cached|rate ...] [quick]                                    all three by default
In the environment: LATENCY=200 (ms), AT=64,256 (only these of the table's numbers at once), DISTINCT=100000 (so many different prompts are answered once for `cached`, then
read again; 1000000 takes a while), ROUNDS=1. Needs npm for the peers; a peer that is not here is named and left out.
The gateway listens on all interfaces, so with it the whole run is in a network namespace that has only loopback.
"""
import fcntl
import json
import os
import re
import socket
import sqlite3
import statistics
import struct
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests/live"))
import harness  # noqa: E402

MODEL = "gpt-4o-mini"
GATEWAY_PORT = 8787  # its own default; nothing else is in the namespace
QUICK = "quick" in sys.argv
LATENCY = int(os.environ.get("LATENCY", 20 if QUICK else 200))
ROUNDS = int(os.environ.get("ROUNDS", 1))
# Requests at once -> rows: so that each takes between 8 seconds and 40 at 200 ms.
ROWS = {1: 10, 8: 40, 64: 200} if QUICK else {1: 200, 8: 1600, 64: 10000, 256: 10000}
ROWS = {k: n for k, n in ROWS.items() if str(k) in os.environ.get("AT", str(k)).split(",")}
CACHED = [1000, 3000] if QUICK else [1000, 100000, 1000000]
REPEATED = 1000  # different prompts where rows repeat them
DISTINCT = int(os.environ.get("DISTINCT", 2000 if QUICK else 100000))
RATE, RATE_ROWS, RATE_LATENCY = (50, 160, 20) if QUICK else (100, 1500, 200)


def prompt(i):
    return f"Ticket {i}: parcel {i * 7919 % 1000003} has not arrived, what can I do?"


class Measured:
    """What one client took: seconds of the loop, its CPU, peak memory, requests by what became of them."""

    def __init__(self, line):
        f = line.split()
        self.seconds, self.cpu = float(f[0]), float(f[1])
        self.requests, self.answered, self.refused, self.failed = map(int, f[2:6])
        self.rss = int(f[6])
        self.own = 0  # of that, peak of what is its own: no file's pages


class Watch(threading.Thread):
    """The most memory of its own that a process has, looked at every 20 ms: without pages of files, which the system takes back
    when others need them."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.most, self.over = pid, 0, threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.02):
            try:
                with open(f"/proc/{self.pid}/status") as f:
                    self.most = max([self.most, *map(int, re.findall(r"^RssAnon:\s+(\d+) kB", f.read(), re.M))])
            except OSError:
                return

    def end(self):
        self.over.set()
        self.join()
        return self.most


def run(command, **more):
    out = subprocess.run(command, capture_output=True, text=True, env=harness.clean_env(), **more)
    if out.returncode != 0:
        raise SystemExit(f"{command[0]}: {out.stdout[-1000:]}{out.stderr[-2000:]}")
    return out.stdout


JOINED = "prompts AS p LEFT JOIN llm_map"  # a row of it for each of the table, looked up by its key


# ---- the peers

class Curl:
    name = "bare libcurl multi"

    def __init__(self, tmp, standin):
        self.url, self.tmp = standin.url, tmp

    def measure(self, k, n):
        bodies = os.path.join(self.tmp, "bodies")
        with open(bodies, "w") as f:
            for i in range(n):
                f.write(json.dumps({"model": MODEL, "messages": [{"role": "user", "content": prompt(i)}]}) + "\n")
        return Measured(run([f"{harness.BUILD}/bench_map", f"{self.url}/v1/chat/completions", bodies, str(k)]))


class Pool:
    name = "npm openai, pool"

    def __init__(self, tmp, standin):
        self.base, self.tmp, self.headers = f"{standin.url}/v1", tmp, "{}"

    def measure(self, k, n):
        prompts = os.path.join(self.tmp, "prompts")
        with open(prompts, "w") as f:
            f.write("\n".join(map(prompt, range(n))))
        return Measured(run(["node", "bench/map.js", f"{harness.NPM_DIR}/node_modules", self.base, prompts, str(k), str(n),
                             self.headers], cwd=ROOT))


class Gateway(Pool):
    name = "the same behind Portkey"

    def __init__(self, tmp, standin):
        super().__init__(tmp, standin)
        self.headers = json.dumps({"x-portkey-provider": "openai", "x-portkey-custom-host": f"{standin.url}/v1"})
        self.base = f"http://127.0.0.1:{GATEWAY_PORT}/v1"
        server = f"{harness.NPM_DIR}/node_modules/@portkey-ai/gateway/build/start-server.js"
        self.process = subprocess.Popen(["node", server, f"--port={GATEWAY_PORT}", "--headless"], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, env=harness.clean_env())
        for _ in range(200):
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", GATEWAY_PORT)) == 0:
                    return
            time.sleep(0.05)
        raise SystemExit("the gateway does not answer")

    def cpu(self):
        with open(f"/proc/{self.process.pid}/stat") as f:
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def measure(self, k, n):
        before = self.cpu()
        m = super().measure(k, n)
        m.cpu += self.cpu() - before  # what stands between is part of the way
        return m

    def close(self):
        self.process.terminate()
        self.process.wait()


class Ours:
    name = "llm_map"

    def __init__(self, tmp, standin):
        self.url, self.path, self.last = standin.url, os.path.join(tmp, "ours.db"), None

    def fresh(self, prompts):
        """A new database with these prompts, and a new store."""
        for suffix in ("", "-wal", "-shm", "-journal"):
            for path in (self.path + suffix, f"{self.path}-llmcost{suffix}"):
                if os.path.exists(path):
                    os.remove(path)
        self.replace(prompts)

    def replace(self, prompts):
        """The same database and store with other prompts."""
        with sqlite3.connect(self.path) as db:
            db.execute("DROP TABLE IF EXISTS prompts")
            db.execute("CREATE TABLE prompts(id INTEGER PRIMARY KEY, prompt TEXT)")
            db.executemany("INSERT INTO prompts(prompt) VALUES (?)", ((p,) for p in prompts))
        db.close()

    def ask(self, k, n, source="llm_map", **options):
        """One statement over all prompts, in the plain shell. All rows have to be answered. `source`: JOINED, a row of it for each prompt."""
        options = json.dumps({"concurrency": k, "model": MODEL, **options}).replace("'", "''")
        sql = (harness.prelude_sql(harness.SO, self.url) + ".timer on\n.mode list\nSELECT 'seen', count(*), count(answer), "
               f"sum(cost_usd), count(error), max(error) FROM {source}('SELECT id, prompt FROM prompts', '{options}')"
               f"{' AS m ON m.key = p.id' if source == JOINED else ''};\n"
               ".system grep VmHWM /proc/$PPID/status\n")  # (what wait4 says counts what this program has, too)
        shell = subprocess.Popen(["sqlite3", "-batch", self.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True, env=harness.clean_env(), cwd=ROOT)
        watch = Watch(shell.pid)
        out = shell.communicate(sql)[0]
        seen = re.search(r"^seen\|(\d+)\|(\d+)\|([^|]*)\|(\d+)\|(.*)$", out, re.M)
        timer = re.findall(r"^Run Time: real ([\d.]+) user ([\d.]+) sys ([\d.]+)$", out, re.M)
        peak = re.search(r"^VmHWM:\s+(\d+) kB", out, re.M)
        if not seen or not timer or not peak or int(seen.group(2)) != n:
            raise SystemExit(f"llm_map: {n} rows were to be answered:\n{out[-2000:]}")
        real, user, system = map(float, timer[-1])
        m = Measured(f"{real} {user + system} {n} {seen.group(2)} 0 {seen.group(4)} {peak.group(1)}")
        m.own = watch.end()
        return m

    def measure(self, k, n):
        self.fresh(map(prompt, range(n)))
        return self.ask(k, n)


# ---- the three measurements

def table(tmp, standin):
    standin.latency(LATENCY)
    peers = [Curl(tmp, standin), *openai_peers(tmp, standin), Ours(tmp, standin)]
    found = {}
    for k, n in ROWS.items():
        for _ in range(ROUNDS):
            for p in peers:
                m = p.measure(k, n)
                if m.answered != n:
                    raise SystemExit(f"{p.name}: {m.answered} of {n} answered")
                found.setdefault((p, k), []).append(m)
    for p in peers:
        getattr(p, "close", lambda: None)()
    print(f"\nSeconds (ratio to bare libcurl; CPU ms a call), {LATENCY} ms latency, medians of {ROUNDS}\n")
    print("| client | " + " | ".join(f"{n:,} rows, {k} at once" for k, n in ROWS.items()) + " |")
    print("|---" * (len(ROWS) + 1) + "|")
    for p in peers:
        cells = []
        for k, n in ROWS.items():
            seconds, floor = (statistics.median(m.seconds for m in found[x, k]) for x in (p, peers[0]))
            cpu = statistics.median(m.cpu for m in found[p, k]) / n * 1e3
            cells.append(f"{seconds:.2f} ({seconds / floor:.3f} ×; {cpu:.3f})")
        print(f"| {p.name} | " + " | ".join(cells) + " |")
    print("peak memory, MB: " + ", ".join(f"{p.name} {max(m.rss for m in found[p, k]) / 1024:.0f} at {k} at once"
                                          for p in peers for k in (max(ROWS),)))


def openai_peers(tmp, standin):
    for package, peer in (("openai", Pool), ("@portkey-ai/gateway", Gateway)):
        if not os.path.isdir(f"{harness.NPM_DIR}/node_modules/{package}"):
            print(f"left out: npm {package} is not here")
        elif peer is Gateway and not alone():
            print(f"left out: npm {package}, as there is no network namespace to be had for it")
        else:
            yield peer(tmp, standin)


def cached(tmp, standin):
    standin.latency(0)
    ours = Ours(tmp, standin)
    ours.fresh([prompt(0)])
    base = ours.ask(1, 1)
    print(f"\nRows that are all in the cache, 32 at once; the shell with the extension and one row: {base.rss / 1024:.1f} MB, its "
          f"own {base.own / 1024:.1f}\n")
    print("| rows | different prompts | seconds | rows a second | CPU µs a row | peak memory, MB | of that its own |\n|---|---|---|---|---|---|---|")

    def row(n, different, m):
        print(f"| {n:,} | {different:,} | {m.seconds:.3f} | {n / m.seconds:,.0f} | {m.cpu / n * 1e6:.1f} | {m.rss / 1024:.1f} | {m.own / 1024:.1f} |",
              flush=True)

    ours.fresh(map(prompt, range(REPEATED)))
    ours.ask(32, REPEATED)
    for n in CACHED:
        ours.replace(prompt(i % REPEATED) for i in range(n))
        row(n, min(n, REPEATED), ours.ask(32, n))
    joined = CACHED[1] // 5
    ours.replace(prompt(i % REPEATED) for i in range(joined))
    m = ours.ask(32, joined, source=JOINED)
    print(f"(a LEFT JOIN of {joined:,} rows with all of them by its key: {m.seconds:.3f} s)")
    ours.fresh(map(prompt, range(DISTINCT)))
    first = ours.ask(32, DISTINCT)
    row(DISTINCT, DISTINCT, ours.ask(32, DISTINCT))
    print(f"(those {DISTINCT:,} were answered before by a provider without latency in {first.seconds:.1f} s: "
          f"{DISTINCT / first.seconds:,.0f} a second, {first.cpu / DISTINCT * 1e6:.0f} µs of CPU each, {first.rss / 1024:.1f} MB)")


def share(numerator, denominator):
    return f"{100 * numerator / denominator:.1f} %" if denominator else "none"


# What the provider tells of its limit: in words, its headers, Retry-After.
TOLD = [("headers and Retry-After", True, True), ("Retry-After", False, True), ("nothing", False, False)]


def rate(tmp, standin):
    standin.latency(RATE_LATENCY)
    ours, curl = Ours(tmp, standin), Curl(tmp, standin)
    print(f"\n{RATE} requests a second allowed, {RATE_ROWS} rows, 64 at once, {RATE_LATENCY} ms latency\n")
    print("| limit | told by | client | seconds | share of the rate used | refused after the first second | refused in all |\n"
          "|---|---|---|---|---|---|---|")
    for kind, more in (("window", {}), ("bucket", {"burst": RATE // 10})):
        for told, headers, retry in TOLD[:1 if QUICK else None]:
            for client in (ours, curl) if headers else (ours,):
                standin.post("/standin/rate", {"kind": kind, "requests": RATE, "headers": headers, "retry_after": retry, **more})
                m = client.measure(64, RATE_ROWS)
                seen = standin.get("/standin/rate")
                whole = seen["seconds"][1:-1]  # the first is a start, the last is not whole
                later = seen["seconds"][1:]
                print(f"| {kind} | {told} | {client.name} | {m.seconds:.1f} | {share(sum(a for a, _ in whole), RATE * len(whole))} | "
                      f"{share(sum(b for _, b in later), sum(a + b for a, b in later))} | {seen['refused']} |", flush=True)
    standin.post("/standin/reset", {})


# ---- a network of its own

def alone():
    return os.environ.get("LLMCOST_BENCH_ALONE") == "1"


def go_alone():
    """Starts this program again in a network namespace that has loopback alone, where one can be had."""
    if alone() or subprocess.run(["unshare", "-rn", "true"], stderr=subprocess.DEVNULL).returncode != 0:
        return
    os.environ["LLMCOST_BENCH_ALONE"] = "1"
    raise SystemExit(subprocess.call(["unshare", "-rn", sys.executable, *sys.argv]))


def loopback_up():
    with socket.socket() as s:
        flags = struct.unpack("16sH", fcntl.ioctl(s, 0x8913, struct.pack("16sH14x", b"lo", 0))[:18])[1]  # SIOCGIFFLAGS
        fcntl.ioctl(s, 0x8914, struct.pack("16sH14x", b"lo", flags | 1))  # SIOCSIFFLAGS, IFF_UP


def main():
    parts = [p for p in (table, cached, rate) if p.__name__ in sys.argv[1:]] or [table, cached, rate]
    if os.path.isdir(f"{harness.NPM_DIR}/node_modules/@portkey-ai/gateway") and table in parts:
        go_alone()
    if alone():
        loopback_up()
    with harness.TempDir() as tmp, harness.Standin() as standin:
        for part in parts:
            part(tmp, standin)


if __name__ == "__main__":
    main()
