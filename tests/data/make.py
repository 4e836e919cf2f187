#!/usr/bin/python3
"""Makes the fixtures of one version, with the build of the commit that wrote that version.

  git worktree add OLD COMMIT && make -C OLD llmcost.so build/standin
  /usr/bin/python3 tests/data/make.py OLD [FOLDER]

writes store_vN.db, main_vN.db and, where N is 3, cache_v0.1.db into FOLDER (this one). N is the version of the store
that OLD makes. README.md beside this file says which commits made the files that are kept. The extension, the stand-in
provider and the harness are OLD's; only contents.py is ours. Times, ids of requests and the seed of a store are new
each time; all that contents.py says is the same. A file that holds a key, a path or the name of this machine is not
written.
"""
import importlib.util
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import contents


def load_harness(checkout):
    """tests/live/harness.py of the checkout; its paths are those of the checkout."""
    spec = importlib.util.spec_from_file_location("old_harness", os.path.join(checkout, "tests/live/harness.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(db, sql, *args):
    return db.execute(sql, args).fetchall()


def has(db, function):
    return bool(run(db, "SELECT 1 FROM pragma_function_list WHERE name = ?", function))


class Asker:
    """Sends the requests of contents.py through one connection."""

    def __init__(self, db, url):
        self.db, self.url = db, url
        self.base_urls = None
        run(db, "SELECT llm_config('backoff_ms', 1)")

    def at(self, scenario):
        """From now on every model is at the stand-in, which does as the scenario says."""
        run(self.db, "UPDATE llm_models SET base_url = ?", self.url + (f"/s/{scenario}" if scenario else "") + "/v1")

    def ask(self, request):
        run(self.db, "SELECT llm_config('log_text', ?)", request.log_text)
        if request.fault:
            self.at(request.fault)
        answer = request.run(self.db)
        if request.fault:
            self.at(None)
        return answer

    def ask_all(self):
        for request in contents.ANSWERED + contents.OTHERS:
            self.ask(request)
        run(self.db, "SELECT llm_config('log_text', 'full')")
        if has(self.db, "llm_cache_feedback"):
            self.ask_similar()
            self.embed()

    def ask_similar(self):
        run(self.db, "SELECT llm_config('minilm', '/nonexistent')")
        for request in contents.SIMILAR:
            self.ask(request)
        run(self.db, "SELECT llm_cache_feedback(llm_last_call(), 0)")

    def embed(self):
        run(self.db, "UPDATE llm_models SET supports = json_set(supports, '$.dimensions', ?) WHERE name = ?",
            contents.DIMENSIONS, contents.EMBEDDER)
        for _ in range(2):
            run(self.db, "SELECT embed(?, ?)", contents.EMBEDDED, contents.EMBEDDER)


def default_base_urls(harness):
    db = harness.connect(":memory:")
    run(db, "SELECT llm_init()")
    urls = run(db, "SELECT base_url, name FROM llm_models")
    db.close()
    return urls


def kill_in_flight(harness, path, standin):
    """Another process asks, and is killed while its answer is on its way: its intent stays open."""
    db = harness.open_desk(path, standin.url)
    run(db, "UPDATE llm_models SET base_url = ?", standin.url + "/s/hang/v1")
    db.close()
    before = standin.bill()["requests"]
    secrets = [s for s in harness.setup_sql(standin.url) if "llm_allow_host" in s or "llm_secret" in s]
    options = json.dumps({"model": "gpt-4o-mini", "tag": "faults"})
    sql = [f".load {harness.SO}"] + [s + ";" for s in secrets + [f"SELECT llm_complete('{contents.KILLED}', '{options}')"]]
    child = subprocess.Popen(["sqlite3", "-batch", path], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                             env=harness.clean_env(), text=True)
    child.stdin.write("\n".join(sql) + "\n")
    child.stdin.close()
    while child.poll() is None and standin.bill()["requests"] == before:
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait()


def merge_wal(path):
    """Into one file, through SQLite alone: the extension would look after the open intent."""
    db = sqlite3.connect(path)
    assert run(db, "PRAGMA wal_checkpoint(TRUNCATE)")[0][0] == 0
    db.close()
    left = [path + end for end in ("-wal", "-shm", "-journal") if os.path.exists(path + end)]
    assert not left, left


def squeeze(path):
    """Small pages, none of them free: a store has many small tables."""
    db = sqlite3.connect(path)
    was = run(db, "PRAGMA journal_mode")[0][0]
    for sql in ("PRAGMA journal_mode = delete", "PRAGMA page_size = 1024", "VACUUM", f"PRAGMA journal_mode = {was}"):
        run(db, sql)
    db.close()


def make_store(harness, standin, folder):
    path = os.path.join(folder, "desk.db")
    db = harness.open_desk(path, standin.url)
    Asker(db, standin.url).ask_all()
    db.close()
    kill_in_flight(harness, path, standin)
    merge_wal(path + "-llmcost")
    squeeze(path + "-llmcost")
    return path + "-llmcost"


def make_main(harness, standin, folder):
    path = os.path.join(folder, "main.db")
    db = harness.open_desk(path, standin.url)
    run(db, "CREATE TABLE customers(id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
    run(db, "INSERT INTO customers(name) VALUES ('ann'), ('bob')")
    run(db, "SELECT llm_config('store', 'main')")
    Asker(db, standin.url).ask_all()
    db.executemany("UPDATE llm_models SET base_url = ? WHERE name = ?", default_base_urls(harness))
    run(db, "SELECT count(*) FROM llm_calls")  # writes the rows of hits that wait
    db.close()
    merge_wal(path)
    squeeze(path)
    return path


def fill(db, name, rows):
    for row in rows:
        columns = ", ".join(row)
        db.execute(f"INSERT INTO {name}({columns}) VALUES ({', '.join('?' * len(row))})", tuple(row.values()))


def make_caches(harness, folder):
    path = os.path.join(folder, "cache.db")
    db = harness.connect(path)
    for name, (arguments, rows) in contents.TABLES.items():
        first = "dots" if name == "points" else name
        run(db, f"CREATE VIRTUAL TABLE {first} USING semantic_cache({arguments})")
        fill(db, first, rows)
        if first != name:
            run(db, f"ALTER TABLE {first} RENAME TO {name}")
    for index, cosine, word in contents.LABELS:
        run(db, "INSERT INTO learned(learned, rowid, similarity) VALUES (?, ?, ?)", word, index + 1, cosine)
    for query in contents.LOOKUPS:
        run(db, "SELECT response FROM learned WHERE query MATCH ?", query)
    fill(db, "faq", [contents.entry("This one is deleted again.", "…", tag="gone")])
    run(db, "DELETE FROM faq WHERE tag = 'gone'")
    run(db, "INSERT INTO learned(learned) VALUES ('flush')")
    db.close()
    return path


def version_of(path):
    db = sqlite3.connect(path)
    version = run(db, "SELECT value FROM llm_meta WHERE name = 'schema_version'")[0][0]
    db.close()
    return version


def check_is_clean(harness, path, folder):
    words = [*harness.KEYS.values(), folder, harness.ROOT, HERE, socket.gethostname(), os.path.expanduser("~")]
    with open(path, "rb") as f:
        data = f.read()
    found = [w for w in words if len(w) > 3 and w.encode() in data]
    assert not found, f"{path} holds {found}"


def keep(harness, path, folder, target):
    check_is_clean(harness, path, folder)
    shutil.copyfile(path, target)
    print(f"{os.path.basename(target)}: {os.path.getsize(target)} bytes")


def main(checkout, target=HERE):
    harness = load_harness(os.path.abspath(checkout))
    with tempfile.TemporaryDirectory() as folder:
        with harness.Standin() as standin:
            store = make_store(harness, standin, folder)
        with harness.Standin() as standin:
            user_database = make_main(harness, standin, folder)
        version = version_of(store)
        keep(harness, store, folder, os.path.join(target, f"store_v{version}.db"))
        keep(harness, user_database, folder, os.path.join(target, f"main_v{version}.db"))
        if version == 3:
            keep(harness, make_caches(harness, folder), folder, os.path.join(target, "cache_v0.1.db"))


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("Usage: make.py CHECKOUT [FOLDER]")
    main(*sys.argv[1:])
