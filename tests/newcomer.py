"""The steps of newcomer.sh, driven from outside the root that it made: nothing is in there but what Debian and README
put there. What is run is read from the README.md of the clone. From `make demo` on there is no network.

Usage: newcomer.py ROOT
"""
import ctypes
import fcntl
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "live"))
from test_manual import blocks, examples, read, run

ROOT = sys.argv[1]
HOME = "/home/newcomer"
CLONE = f"{HOME}/llmcost"
KEY = "sk-newcomer"
README = read(f"{ROOT}/srv/README.md")  # of the commit that is cloned
WRONG = re.compile(r"(?m)^(Parse|Runtime) error.*|^Error: .*|^.*: command not found$")


def enter(command, user="newcomer", folder=CLONE, **env):
    """The arguments that run a shell's command in the root; the process is the command's own, so signals reach it."""
    home = HOME if user == "newcomer" else "/root"
    env = {"HOME": home, "USER": user, "TERM": "dumb", "LANG": "C.UTF-8",
           "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", **env}
    if user == "root":  # a proxy of Debian's mirror
        env.update((k, v) for k, v in os.environ.items() if k.lower() in ("http_proxy", "https_proxy", "no_proxy"))
    return ["chroot", f"--userspec={user}:{user}", ROOT, "env", "-i", *(f"{k}={v}" for k, v in env.items()),
            "bash", "-c", f"cd {folder} && {command}"]


def do(command, fails=False, timeout=900, given=None, **where):
    """Runs it, and gives what it printed."""
    done = subprocess.run(enter(command, **where), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          stdin=None if given is not None else subprocess.DEVNULL, input=given, timeout=timeout)
    expect((done.returncode != 0) == fails, f"`{command}` ended with {done.returncode}: {done.stdout[-1500:]}")
    return done.stdout


def sql(text, db="desk.db", **where):
    """What the shell prints for it, errors too."""
    done = subprocess.run(enter(f"exec sqlite3 -batch {db}", **where), input=text, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=120)
    return done.stdout.strip()


def expect(true, seen):
    if not true:
        raise AssertionError(seen)


def readme(heading, language):
    """The code of a section, as printed."""
    found = blocks(re.split(rf"(?m)^##+ {re.escape(heading)}\n", README)[1].split("\n##")[0], language)
    expect(found, f"README.md: no ```{language} under '{heading}'")
    return found


def without_network():
    """This process, and what it starts, have 127.0.0.1 alone."""
    expect(ctypes.CDLL(None, use_errno=True).unshare(0x40000000) == 0, "unshare: " + os.strerror(ctypes.get_errno()))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:  # SIOCSIFFLAGS: IFF_UP
        fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 1))


class Standin:
    """The local provider that `make demo` built."""

    def __init__(self):
        self.process = subprocess.Popen(enter("exec build/standin --latency-ms 20"), stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split()[-1]
        self.env = {"OPENAI_API_KEY": KEY, "LLMCOST_ALLOW_HOSTS": f"{self.url.split('//')[1]}=OPENAI_API_KEY"}

    def bill(self):
        with urllib.request.urlopen(f"{self.url}/standin/bill", timeout=10) as r:
            return json.load(r)["calls"]

    def latency(self, ms):
        urllib.request.urlopen(f"{self.url}/standin/latency", json.dumps({"ms": ms}).encode(), timeout=10).close()

    def at_it(self, load="./llmcost"):
        """What points a database at it."""
        return (f".load {load}\n.output /dev/null\nSELECT llm_init();\nUPDATE llm_models SET base_url = '{self.url}/v1', "
                "key_env = 'OPENAI_API_KEY';\n.output stdout\n")

    def end(self):
        self.process.terminate()
        self.process.wait()


standin = None
STEPS = []


def step(f):
    STEPS.append((f.__name__, f))
    return f


@step
def git_and_make():
    """README names what a bare Debian lacks for its two commands."""
    line = re.search(r"`(apt-get install [a-z -]+)`", README)
    expect(line, "README.md names no `apt-get install …`")
    do(f"apt-get update && DEBIAN_FRONTEND=noninteractive {line[1]} -y --no-install-recommends", user="root", folder="/")
    return line[1]


def two_commands():
    return [line.split("#")[0].strip() for line in readme("Two commands", "sh")[0].splitlines()]


@step
def clone():
    line = re.search(r"(?m)^git clone … (\w+) && cd \w+$", README)
    expect(line, "README.md has no line `git clone … llmcost && cd llmcost`")
    do(line[0].replace("…", "-q /srv/llmcost.bundle"), folder=HOME)
    return do("git log -1 --format=%h").strip()


@step
def deps_without_root():
    said = do("make deps", fails=True)
    expect("as root" in said and "not found" not in said, said)
    return said.splitlines()[0][:100]


@step
def deps():
    expect("make deps" in two_commands(), two_commands())
    return do("make deps", user="root").splitlines()[0][:100]


@step
def certificates():
    """What the first call to a provider is checked with."""
    return do("grep -c BEGIN /etc/ssl/certs/ca-certificates.crt").strip()


@step
def nothing_left_to_install():
    said = do("make deps")
    expect(said == "", said)


@step
def demo():
    expect("make demo" in two_commands(), two_commands())
    without_network()
    said = do("make demo", TERM="xterm")
    bills = re.findall(r"billed (\d+) calls", said)
    wrong = [line for line in said.splitlines() if WRONG.search(line)]
    expect(len(bills) == 2 and len(wrong) == 1 and "llm_budgets: 'tag:nightly'" in wrong[0], f"{wrong}\n{said[-1500:]}")
    expect("warning" not in said, said)
    return f"{bills[-1]} calls billed"


@step
def the_tree_is_clean():
    expect(do("git status --porcelain") == "", do("git status --porcelain"))
    expect(do("find . -not -user newcomer") == "", "files of root in the clone")


def first_call():
    """README's lines, the shell's and its shell's."""
    export = readme("The first call", "sh")[0].splitlines()[0]
    return export.split("#")[0].strip().replace("sk-…", KEY), readme("The first call", "sql")[0]


def compare(found, given):
    """Fails where an example gave an error or another value."""
    for e, lines in zip(found, given):
        expect(not WRONG.search("\n".join(lines)), f"{e.sql.strip()}\n{lines}")
        expect(e.given is None or [line.strip() for line in lines] == e.given, f"{e.sql.strip()}\n{lines}")
    return f"{len(found)} statements"


def as_printed(text, prelude, db="desk.db", folder=CLONE, **env):
    """Runs a block's statements in one shell."""
    bad = []
    found = examples(text, bad)
    expect(not bad, bad)
    argv = enter(f"exec stdbuf -oL sqlite3 -batch {db}", folder=folder, **env)
    return compare(found, run(argv, prelude, found))


@step
def first_call_without_a_key():
    said = sql(first_call()[1], db=":memory:")
    expect("OPENAI_API_KEY" in said and "llm_secret" in said and "ollama" in said, said)
    return said.splitlines()[0]


@step
def first_call_with_a_key():
    """As printed, but that the provider is the stand-in."""
    global standin
    standin = Standin()
    export, text = first_call()
    expect(export == f"export OPENAI_API_KEY={KEY}", export)
    seen = as_printed(text, standin.at_it(), **standin.env)
    expect(standin.bill() == 1, f"{standin.bill()} calls billed")
    return seen


@step
def the_first_lines_of_readme():
    return as_printed(blocks(README, "sql")[0], standin.at_it(), **standin.env)


@step
def recipe_coding_agent():
    line = re.search(r"(?m)^sqlite3 .* < examples/my_claude_code\.sql", README)[0]
    said = do(f"{line} 2>&1", fails=True)
    expect("~/.claude" in said or ".claude" in said, said)
    do(f"mkdir -p ~/.claude && cp -r {CLONE}/tests/data/imports/claude_code ~/.claude/projects")
    said = do(f"{line} 2>&1")
    expect(not WRONG.search(said) and "list_usd" in said, said)
    return "without logs and with some"


def recipe(heading):
    def go():
        return as_printed("\n".join(readme(heading, "sql")), standin.at_it(), **standin.env)
    STEPS.append(("recipe_" + re.sub(r"\W+", "_", heading.lower()).strip("_"), go))


RECIPES = re.split(r"(?m)^## Recipes\n", README)[1].split("\n## ")[0]
for title, text in re.findall(r"(?ms)^### (.*?)\n(.*?)(?=^### |\Z)", RECIPES):
    if "```sql" in text:
        recipe(title)


class Terminal:
    """Somebody at the sqlite3 shell."""

    def __init__(self, db, **env):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # ignored where all this runs in the background
            argv = enter(f"exec sqlite3 {db}", **env)
            os.execvp(argv[0], argv)

    def type(self, text):
        os.write(self.fd, text.encode())

    def until(self, wanted, seconds=60):
        """What it shows until then."""
        shown, end = "", time.monotonic() + seconds
        while wanted not in shown:
            expect(time.monotonic() < end, f"waited for {wanted!r}: {shown[-500:]}")
            if select.select([self.fd], [], [], 0.2)[0]:
                shown += os.read(self.fd, 4096).decode(errors="replace")
        return shown

    def end(self):
        os.close(self.fd)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def ledger(what):
    return sql(f".load ./llmcost\nSELECT {what} FROM llm_calls;")


@step
def ctrl_c_and_again():
    """README's job over 200 tickets; Ctrl-C in the middle; the same statement again."""
    job = re.search(r"(?ms)^INSERT INTO answers\n.*?;.*?$\n", RECIPES)[0]
    sql("DROP TABLE answers; DROP TABLE tickets;")
    sql(standin.at_it() + "CREATE TABLE tickets(id INTEGER PRIMARY KEY, plan TEXT, question TEXT);"
        "CREATE TABLE answers(id INTEGER PRIMARY KEY, answer TEXT);"
        "INSERT INTO tickets SELECT value, 'free', 'Where is order ' || value || ' of mine?' FROM generate_series(1, 200);")
    before, booked = standin.bill(), int(ledger("max(id)"))
    shell = Terminal("desk.db", **standin.env)
    shell.until("sqlite> ")
    shell.type(".load ./llmcost\n" + job)
    while standin.bill() < before + 40:
        time.sleep(0.02)
    standin.latency(2000)
    time.sleep(0.3)
    shell.type("\x03")
    said = shell.until("run the statement again")
    standin.latency(20)
    at_stop = standin.bill() - before
    shell.type("SELECT 'rows=' || count(*) FROM answers;\n")
    shell.until("rows=0")
    shell.type(job + "SELECT 'rows=' || count(answer) FROM answers;\n")
    shell.until("rows=200")
    shell.end()
    billed, unknown = standin.bill() - before, int(ledger(f"sum(kind = 'unknown' AND id > {booked})"))
    shown = re.search("Runtime error.*", said)[0].strip()
    expect(unknown <= 1 and billed <= 200 + unknown, f"{billed} billed for 200 questions, {unknown} was on its way")
    return f"{at_stop} billed before, {billed} in all for 200, of which {unknown} was on its way; {shown}"


@step
def an_empty_folder():
    """The first lines, with the library somewhere else."""
    do("mkdir -p empty", folder=HOME)
    said = sql(first_call()[1].splitlines()[0], folder=f"{HOME}/empty")
    expect("llmcost" in said, said)
    return as_printed(first_call()[1], standin.at_it(f"{CLONE}/llmcost"), folder=f"{HOME}/empty", db="new.db", **standin.env)


@step
def install():
    return [line for line in do("make install", user="root").splitlines() if line.startswith("installed")][0]


@step
def load_elsewhere():
    said = sql(".load llmcost\nSELECT llm_help();", folder=f"{HOME}/empty")
    expect("llm_complete" in said and not WRONG.search(said), said[:500])
    seen = as_printed(first_call()[1], standin.at_it("llmcost"), folder=f"{HOME}/empty", db="elsewhere.db", **standin.env)
    return f"llm_help: {len(said.splitlines())} lines; {seen}"


@step
def python_elsewhere():
    said = do("""python3 -c "
import sqlite3
db = sqlite3.connect('py.db')
db.enable_load_extension(True)
db.load_extension('llmcost')
print(db.execute('SELECT llmcost_version()').fetchone()[0])" """, folder=f"{HOME}/empty")
    return said.strip()


@step
def uninstall():
    do("make uninstall", user="root")
    left = do("find /usr/local -iname '*llmcost*' -o -type d -name sqlite3", folder="/")
    expect(left == "", left)
    expect(WRONG.search(sql(".load llmcost", folder=f"{HOME}/empty")), "it still loads")

def main():
    done, failed = 0, 0
    for name, go in STEPS:
        started = time.monotonic()
        try:
            seen = go()
            word = "ok"
        except Exception as e:  # whatever stopped a step is what is reported
            word, seen, failed = "FAILED", f"{type(e).__name__}: {e}", failed + 1
        done += 1
        print(f"{word} {name}{': ' if seen else ''}{seen or ''} ({time.monotonic() - started:.1f} s)", flush=True)
        if word == "FAILED" and name in ("git_and_make", "clone", "deps", "demo"):
            print("the other steps need it")
            break
    if standin:
        standin.end()
    print(f"{done - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
