"""llm_import: what of others' usage logs comes into the ledger, once, whatever happens to the files and to us.

The formats' own rules are tests/unit/test_logs*.c; here are files, copies, kills, and others at work. Logs are shaped as Claude
Code writes them.
"""
import csv
import glob
import gzip
import io
import itertools
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import unittest

from harness import ASAN_SO, ROOT, SO, TempDir, asan_env, clean_env, connect, error_of, value

SAMPLES = f"{ROOT}/tests/data/imports"
DAY = "2026-11-04T"


def line(id, output=10, at="09:00:00.000", request="", session="S1", sidechain=False, model="claude-haiku-4-5", day=DAY, **more):
    """A line of an answer; request "": one of its own, None: it has none."""
    message = {"type": "message", "role": "assistant", "model": model, "stop_reason": "end_turn",
               "usage": {"input_tokens": 100, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
                         "output_tokens": output, "service_tier": "standard"}}
    if id:
        message["id"] = id
    record = {"type": "assistant", "uuid": f"u{random.getrandbits(60)}", "isSidechain": sidechain, "sessionId": session,
              "timestamp": f"{day}{at}Z", "version": "2.1.87", "cwd": "/home/u/demo", "message": message, **more}
    if request is not None:
        record["requestId"] = request or f"req_{id}"
    return json.dumps(record, separators=(",", ":")) + "\n"


def call(n, **more):
    return line(f"msg_{n}", output=n, at=f"09:{n // 60 % 60:02}:{n % 60:02}.000", **more)


class Imports(unittest.TestCase):
    def setUp(self):
        self.tmp = TempDir()
        self.addCleanup(self.tmp.cleanup)
        self.logs = f"{self.tmp.name}/logs"
        os.mkdir(self.logs)
        self.db = self.new()

    def new(self, name=None, **kwargs):
        """A connection with a store of its own, unless the name is known."""
        self.n = getattr(self, "n", 0) + 1
        db = connect(f"{self.tmp.name}/{name or self.n}.db", **kwargs)
        self.addCleanup(db.close)
        return db

    def write(self, name, *lines, mode="w"):
        path = f"{self.logs}/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, mode) as f:
            f.write("".join(lines))
        return path

    def take(self, path=None, db=None, **options):
        return json.loads(value(db or self.db, "SELECT llm_import(?, ?)", path or self.logs, json.dumps(options)))

    def rows(self, db=None):
        """What was imported, without what depends on the order it came in."""
        return (db or self.db).execute("SELECT ts, model, input_tokens, output_tokens, cost_nusd, conversation, tag, finish_reason, request_id,"
                                       " provider_request_id FROM llm_calls ORDER BY request_id").fetchall()

    def outputs(self, db=None):
        return sorted(r[3] for r in self.rows(db))

    def sound(self, db=None):
        """The sums beside the ledger are those of its rows."""
        check = json.loads(value(db or self.db, "SELECT llm_check()"))
        self.assertEqual((check["sums"]["differs"], check["differs"]), (0, 0), check)


class Copies(Imports):
    def test_the_same_file_twice(self):
        path = self.write("a.jsonl", *map(call, range(1, 6)))
        first = self.take(path)
        self.assertEqual((first["files"], first["calls"], first["copies"], first["formats"]), (1, 5, 0, {"claude_code": 1}))
        rows = self.rows()
        second = self.take(path)
        self.assertEqual((second["unchanged"], second["calls"], second["copies"]), (1, 0, 0))
        again = self.take(path, again=True)
        self.assertEqual((again["unchanged"], again["calls"], again["copies"], again["updated"]), (0, 0, 5, 0))
        self.assertEqual(self.rows(), rows)
        self.sound()

    def test_what_a_row_says(self):
        self.write("a.jsonl", line("msg_1", model="claude-haiku-4-5", output=40))
        report = self.take(tag="mine", user="me")
        row = dict(zip(*[(lambda c: ([d[0] for d in c.description], c.fetchone()))(self.db.execute("SELECT * FROM llm_calls"))][0]))
        self.assertEqual({k: row[k] for k in ("source", "billed", "kind", "attempt", "provider", "model", "input_tokens", "output_tokens",
                                              "cost_nusd", "list_nusd", "conversation", "user", "service", "ts")},
                         {"source": "claude_code", "billed": "list", "kind": "call", "attempt": 1, "provider": "anthropic",
                          "model": "claude-haiku-4-5", "input_tokens": 100, "output_tokens": 40, "cost_nusd": 300000,
                          "list_nusd": 300000, "conversation": "S1", "user": "me", "service": "standard", "ts": 1793782800000})
        self.assertEqual(report["cost_usd"], 0.0003)
        self.assertEqual(value(self.db, "SELECT sum(cost_nusd) FROM llm_calls"), 300000)

    def test_billed_is_what_one_says(self):
        self.write("a.jsonl", call(1))
        self.take(billed="paid")
        self.assertEqual(value(self.db, "SELECT billed FROM llm_calls"), "paid")

    def test_a_subagent_in_its_parents_file_and_its_own(self):
        """I01: 1-4 and copies of 5-6 in the parent's, 5-8 in the sub-agent's: 8 calls, in any order."""
        parent = [call(n) for n in range(1, 5)] + [call(n, sidechain=True) for n in (5, 6)]
        child = [call(n, sidechain=True, session="A1") for n in range(5, 9)]
        seen = set()
        for names in itertools.permutations(("parent", "child")):
            for together in (True, False):
                db = self.new()
                shutil.rmtree(self.logs)
                for name, lines in (("parent", parent), ("child", child)):
                    self.write(f"{names.index(name)}.jsonl", *lines)
                for path in [self.logs] if together else [f"{self.logs}/0.jsonl", f"{self.logs}/1.jsonl"]:
                    self.take(path, db)
                self.assertEqual(self.outputs(db), list(range(1, 9)))
                self.sound(db)
                seen.add(str(self.rows(db)))
        self.assertEqual(len(seen), 1)

    def test_snapshots_over_midnight(self):
        """I02: the counts of the largest, the time of the first; also when the import stopped in between."""
        small = line("m", output=1, at="23:59:58.000")
        large = line("m", output=900, at="00:00:03.000", day="2026-11-05T")
        for lines in ([small, large], [large, small]):
            for stops in (False, True):
                with self.subTest(stops=stops, first=lines[0] == small):
                    db = self.new()
                    path = self.write("a.jsonl", lines[0])
                    if stops:
                        self.take(path, db)
                    self.write("a.jsonl", lines[1], mode="a")
                    self.take(path, db)
                    self.assertEqual([(r[0], r[3]) for r in self.rows(db)], [(1793836798000, 900)])
                    self.sound(db)

    def test_missing_request_ids(self):
        """I03: copies without a request id are one; the same id with and without is one; no id at all counts each."""
        self.write("a.jsonl", *(line("x", request=None) for _ in range(3)), line("y", request="r"), line("y", request=None),
                   line(None, request=None, at="09:00:01.000", uuid=None), line(None, request=None, at="09:00:02.000", uuid=None))
        report = self.take()
        self.assertEqual((report["calls"], report["without_id"]), (4, 2))
        self.take(again=True)
        self.assertEqual(len(self.rows()), 4)

    def test_two_requests_of_one_message_and_a_copy(self):
        """Another request id is another call, unless one of them is a copy."""
        self.write("a.jsonl", line("x", request="r1", output=1), line("x", request="r2", output=2), line("x", request="r3", sidechain=True, output=9))
        self.take()
        self.assertEqual(self.outputs(), [1, 2])

    def test_any_order(self):
        """Every order of the files, in one import or in one each, comes to the same rows."""
        files = [[line("m1", 9, "09:00:02.000", session="S1"), line("m1", 159, "09:00:03.000", session="S1")],
                 [line("m1", 159, "09:00:03.000", session="S2"), line("m2", 5, session="S2")],
                 [line("m1", 9, "09:00:01.000", session="S3", sidechain=True, request="rX"), line("m3", 7, sidechain=True, session="S3")],
                 [line("m2", 6, "08:00:00.000", session="S0", request=None), line("m3", 7, session="S1")]]
        seen = set()
        for order in itertools.permutations(range(4)):
            for together in (True, False):
                db = self.new()
                shutil.rmtree(self.logs)
                paths = [self.write(f"{place}.jsonl", *files[which]) for place, which in enumerate(order)]
                for path in [self.logs] if together else paths:
                    self.take(path, db)
                seen.add(str(self.rows(db)))
                db.close()
        self.assertEqual(len(seen), 1, seen)

    def test_trimmed_rows_stay_away(self):
        path = self.write("a.jsonl", *map(call, range(1, 6)))
        self.take(path)
        self.db.close()
        store = sqlite3.connect(glob.glob(f"{self.tmp.name}/*.db-llmcost")[0])
        store.execute("DELETE FROM llm_calls WHERE output_tokens < 4")
        store.commit()
        store.close()
        db = connect(f"{self.tmp.name}/1.db")
        self.addCleanup(db.close)
        report = self.take(path, db, again=True)
        self.assertEqual((report["calls"], report["copies"], self.outputs(db)), (0, 5, [4, 5]))

    def test_a_recomputation(self):
        """A thousand calls with snapshots, forks and copies: sums are those of the distinct calls."""
        rng = random.Random(7)
        truth = {f"m{i}": rng.randint(1, 5000) for i in range(1000)}
        lines = [[] for _ in range(7)]
        for id, output in truth.items():
            home = rng.randrange(7)
            lines[home] += [line(id, max(1, output // 3), session=f"S{home}"), line(id, output, session=f"S{home}")]
            for copy in rng.sample(range(7), 2):
                lines[copy].append(line(id, output, session=f"S{copy}", sidechain=rng.random() < .3, request=rng.choice([None, ""])))
        for i, some in enumerate(lines):
            self.write(f"p{i % 3}/{i}.jsonl", *some)
        report = self.take()
        self.assertEqual((report["calls"], value(self.db, "SELECT sum(output_tokens) FROM llm_calls")), (1000, sum(truth.values())))
        self.assertEqual(round(report["cost_usd"] * 1e9), sum(100 * 1000 + o * 5000 for o in truth.values()))
        self.assertEqual(value(self.db, "SELECT sum(cost_nusd) FROM llm_calls"), round(report["cost_usd"] * 1e9))
        self.sound()


class Growing(Imports):
    def test_half_a_line(self):
        """I06: a half line is neither counted nor lost; it is read when the rest is there."""
        whole = call(3)
        path = self.write("a.jsonl", call(1), call(2), whole[:200])
        report = self.take(path)
        self.assertEqual((report["calls"], report["torn"], report["unfinished"], report["lines"][0]["line"]), (2, 0, 1, 3))
        self.assertIn("not complete", report["lines"][0]["reason"])
        self.write("a.jsonl", whole[200:], call(4), mode="a")
        self.assertEqual(self.take(path)["calls"], 2)
        self.assertEqual(self.outputs(), [1, 2, 3, 4])

    def test_every_cut(self):
        """A file that is cut at any byte and grows: each record once."""
        text = call(1) + call(2) + call(3)
        for cut in range(0, len(text), 13):
            db = self.new()
            path = self.write("a.jsonl", text[:cut])
            self.take(db=db)  # (of the folder: of a few bytes nothing tells yet what they are)
            self.write("a.jsonl", text[cut:], mode="a")
            self.take(path, db)
            self.assertEqual(self.outputs(db), [1, 2, 3], cut)
            db.close()

    def test_a_good_last_line_without_newline(self):
        path = self.write("a.jsonl", call(1), call(2).rstrip("\n"))
        self.assertEqual(self.take(path)["calls"], 2)
        self.write("a.jsonl", "\n", call(3), mode="a")
        report = self.take(path)
        self.assertEqual((report["calls"], report["copies"], self.outputs()), (1, 0, [1, 2, 3]))

    def test_a_torn_line_is_told(self):
        path = self.write("a.jsonl", call(1), call(2)[:200] + "\n", call(3), "no JSON\n")
        report = self.take(path)
        self.assertEqual((report["calls"], report["torn"], [l["line"] for l in report["lines"]]), (2, 2, [2, 4]))
        self.assertNotIn("no JSON", json.dumps(report["lines"]).replace("not valid JSON", ""))

    def test_grown_with_its_old_time(self):
        """I07: an append with the time set back."""
        path = self.write("a.jsonl", call(1))
        self.take(path)
        st = os.stat(path)
        self.write("a.jsonl", call(2), mode="a")
        os.utime(path, ns=(st.st_atime_ns, st.st_mtime_ns))
        report = self.take(path)
        self.assertEqual((report["calls"], report["copies"], self.outputs()), (1, 0, [1, 2]))

    def test_another_in_its_place(self):
        """I07: rewritten shorter; renamed over, larger; both with the time of the old."""
        path = self.write("a.jsonl", *map(call, range(1, 9)))
        self.take(path)
        st = os.stat(path)
        self.write("a.jsonl", call(11))
        os.utime(path, ns=(st.st_atime_ns, st.st_mtime_ns))
        self.assertEqual(self.take(path)["calls"], 1)
        new = self.write("new", *map(call, range(1, 21)))
        os.rename(new, path)
        os.utime(path, ns=(st.st_atime_ns, st.st_mtime_ns))
        self.take(path)
        self.assertEqual(self.outputs(), list(range(1, 21)))

    def test_same_size_same_time(self):
        path = self.write("a.jsonl", call(1), call(2))
        self.take(path)
        st = os.stat(path)
        with open(path, "r+") as f:
            f.write(call(3)[:60])
        other = self.write("b.tmp", call(3), call(4))
        self.assertEqual(abs(os.stat(other).st_size - st.st_size) < 40, True)
        os.rename(other, path)
        os.utime(path, ns=(st.st_atime_ns, st.st_mtime_ns))
        self.take(path)
        self.assertEqual(self.outputs(), [1, 2, 3, 4])

    def test_moved_and_packed(self):
        """I07: an archived copy, moved and gzip'd, counts nothing twice."""
        path = self.write("a.jsonl", *map(call, range(1, 9)))
        self.take()
        os.makedirs(f"{self.logs}/old")
        with open(path, "rb") as f, gzip.open(f"{self.logs}/old/a.jsonl.gz", "wb") as g:
            g.write(f.read() + call(9).encode())
        os.unlink(path)
        report = self.take()
        self.assertEqual((report["calls"], report["copies"], self.outputs()), (1, 8, list(range(1, 10))))
        self.assertEqual(self.take()["unchanged"], 1)

    def test_packed_members_and_damage(self):
        parts = [gzip.compress(call(n).encode()) for n in (1, 2, 3)]
        with open(f"{self.logs}/a.jsonl.gz", "wb") as f:
            f.write(b"".join(parts))
        with open(f"{self.logs}/b.jsonl.gz", "wb") as f:
            f.write(gzip.compress((call(4) * 1 + call(5)).encode())[:-30])
        report = self.take()
        self.assertEqual(sorted(self.outputs())[:3], [1, 2, 3])
        self.assertEqual([os.path.basename(s["file"]) for s in report["skipped"]], ["b.jsonl.gz"])

    def test_gone_files(self):
        """I08: what was imported stays when its file is gone."""
        for n in range(10):
            self.write(f"{n}.jsonl", call(n + 1))
        self.take()
        before = self.rows()
        for n in range(5):
            os.unlink(f"{self.logs}/{n}.jsonl")
        self.assertEqual(self.take()["unchanged"], 5)
        self.assertEqual(self.rows(), before)

    def test_grows_while_it_is_read(self):
        path = self.write("a.jsonl", *map(call, range(1, 100)))
        db = self.new("grow")
        script = f"""
import time
with open({path!r}, "a") as f:
    for text in {[call(n) for n in range(100, 400)]!r}:
        f.write(text[:100]); f.flush(); time.sleep(.001); f.write(text[100:]); f.flush()
"""
        with open(f"{self.tmp.name}/writer.py", "w") as f:
            f.write(script)
        writer = subprocess.Popen([sys.executable, f.name])
        while writer.poll() is None:
            report = self.take(path, db)
            self.assertEqual(report["torn"], 0)
        self.take(path, db)
        self.assertEqual(self.outputs(db), list(range(1, 400)))

    def test_states_go_on(self):
        """A file read in a hundred pieces says the same as one read at once."""
        lines = [line(f"m{n % 40}", n, at=f"10:{n % 60:02}:00.000") for n in range(200)]
        path = self.write("a.jsonl")
        for piece in lines:
            self.write("a.jsonl", piece, mode="a")
            self.take(path)
        whole = self.new()
        self.take(path, whole)
        self.assertEqual(self.rows(), self.rows(whole))
        self.sound()


class Places(Imports):
    def test_what_a_path_means(self):
        self.write("p/a.jsonl", call(1))
        self.write("p/q/b.jsonl", call(2))
        self.write("p/q/c.txt", call(3))
        self.write("p/.hidden.jsonl", call(4))
        self.write("p/.git/d.jsonl", call(5))
        os.symlink("..", f"{self.logs}/p/q/loop")
        os.symlink("a.jsonl", f"{self.logs}/p/e.jsonl")
        os.mkfifo(f"{self.logs}/p/f.jsonl")
        report = self.take(f"{self.logs}/p")
        self.assertEqual((report["files"], self.outputs()), (2, [1, 2]))
        self.assertEqual({os.path.basename(s["file"]) for s in report["skipped"]}, {".hidden.jsonl", ".git", "loop", "f.jsonl"})
        for pattern, expected in (("p/*.jsonl", [1]), ("p/**/*.jsonl", [1, 2]), ("p/**.jsonl", [1, 2]), ("*/q", [2]), ("p/[b-z]", [2]),
                                  ("p/q/c.txt", [3])):
            with self.subTest(pattern):
                db = self.new()
                self.take(f"{self.logs}/{pattern}", db)
                self.assertEqual(self.outputs(db), expected)

    def test_home(self):
        self.write(".claude/projects/-home-u-demo/S.jsonl", call(1))
        self.write(".claude/settings.json", "{}")
        for path in ("~/.claude/projects", "~/.claude", "~"):
            with self.subTest(path):
                out = subprocess.run(["sqlite3", ":memory:", "-cmd", f".load {SO}", f"SELECT llm_import('{path}'); SELECT count(*) FROM llm_calls"],
                                     env=clean_env(HOME=self.logs), capture_output=True, text=True)
                self.assertEqual(out.stdout.splitlines()[-1] if path != "~" else "0", "1" if path != "~" else "0", out)

    def test_wrong_paths(self):
        self.write("empty.jsonl", "")
        self.write("other.jsonl", '{"hello":1}\n')
        os.mkdir(f"{self.logs}/none")
        os.mkfifo(f"{self.logs}/fifo")
        for path, words in (("missing.jsonl", "there is nothing at"), ("*.csv", "there is nothing at"), ("none", "holds no file"),
                            ("fifo", "it is no file"), ("empty.jsonl", "empty"), ("other.jsonl", "claude_code"), ("", "empty")):
            with self.subTest(path):
                error = error_of(self.db, "SELECT llm_import(?)", f"{self.logs}/{path}" if path else f"{self.logs}/empty.jsonl")
                self.assertTrue(error.startswith("llm_import: "), error)
                self.assertIn(words, error)
        self.assertIn("no file", error_of(self.db, "SELECT llm_import('/dev/null')"))
        self.assertIn("NUL", error_of(self.db, "SELECT llm_import('/tmp/a' || char(0) || 'b')"))
        self.assertIsNone(value(self.db, "SELECT llm_import(NULL)"))
        report = self.take()
        self.assertEqual((report["files"], report["not_read"]), (0, 2))

    def test_wrong_options(self):
        path = self.write("a.jsonl", call(1))
        for options, words in (('{"nonsense":1}', "valid: "), ('{"format":"nonsense"}', "claude_code"), ('{"smaller":"x"}', "'keep'"),
                               ('{"billed":"free"}', "'paid'"), ('{"columns":"x"}', "object"), ('[]', "object"), ('{', "JSON")):
            with self.subTest(options):
                self.assertIn(words, error_of(self.db, "SELECT llm_import(?, ?)", path, options))
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_calls"), 0)

    def test_a_path_of_any_bytes(self):
        os.mkdir(os.fsencode(f"{self.logs}/a") + b"\xff")
        with open(os.fsencode(f"{self.logs}/a") + b"\xff/b.jsonl", "w") as f:
            f.write(call(1) + "torn\n")
        self.assertEqual(self.take()["calls"], 1)
        self.assertEqual(self.take()["unchanged"], 1)

    def test_unreadable(self):
        if os.geteuid() == 0:
            self.skipTest("root may read anything")
        self.write("a.jsonl", call(1))
        os.chmod(self.write("b.jsonl", call(2)), 0)
        self.assertEqual([s["reason"] for s in self.take()["skipped"]], ["Permission denied"])

    def test_ten_thousand_files(self):
        for n in range(10000):
            self.write(f"p{n % 100}/{n}.jsonl", line(f"m{n}"))
        self.assertEqual(self.take()["calls"], 10000)
        self.write("p5/5.jsonl", call(1), mode="a")
        report = self.take()
        self.assertEqual((report["unchanged"], report["calls"], report["copies"]), (9999, 1, 0))
        self.sound()

    def test_others_databases_keep_their_locks(self):
        """A database of this process that lies in the folder is looked at without losing its locks."""
        self.write("a.jsonl", call(1))
        path = f"{self.logs}/mine.db"
        mine = sqlite3.connect(path, isolation_level=None)
        self.addCleanup(mine.close)
        mine.execute("CREATE TABLE t(x)")
        mine.execute("BEGIN EXCLUSIVE")
        self.take()
        out = subprocess.run(["sqlite3", path, "INSERT INTO t VALUES (1)"], capture_output=True, text=True)
        self.assertIn("locked", out.stderr)
        mine.execute("COMMIT")


class Sizes(Imports):
    def test_long_lines(self):
        """A record of some MB is read, one beyond the limit told and passed over; nothing is kept of either in memory."""
        fill = "x" * (3 << 20)
        path = self.write("a.jsonl", call(1, fill=fill), call(2))
        with open(path, "a") as f:
            f.write('{"type":"assistant","fill":"')
            for _ in range(70):
                f.write("y" * (1 << 20))
            f.write('"}\n' + call(3))
        report = self.take(path)
        self.assertEqual((report["calls"], report["torn"], report["lines"][0]["line"]), (3, 1, 3))
        self.assertIn("longer", report["lines"][0]["reason"])

    def test_an_array_of_lines(self):
        """The same records as a JSON array."""
        lines = [json.loads(call(n)) for n in (1, 2, 3)]
        for name, text in (("a.json", json.dumps(lines)), ("b.json", json.dumps(lines, indent=2))):
            with self.subTest(name):
                db = self.new()
                self.take(self.write(name, text), db)
                self.assertEqual(self.outputs(db), [1, 2, 3])

    def test_marks_and_ends(self):
        """A byte order mark, CR LF, blank lines."""
        path = f"{self.logs}/a.jsonl"
        with open(path, "wb") as f:
            f.write(b"\xef\xbb\xbf" + call(1).strip().encode() + b"\r\n\r\n\n" + call(2).strip().encode() + b"\r\n")
        report = self.take(path)
        self.assertEqual((report["calls"], report["torn"]), (2, 0))

    def test_any_bytes(self):
        """Nothing crashes, hangs, or takes what isn't there, whatever the file holds."""
        rng = random.Random(3)
        good = "".join(map(call, range(1, 20))).encode()
        for n in range(60):
            data = bytearray(good)
            for _ in range(rng.randint(1, 40)):
                at = rng.randrange(len(data))
                data[at:at + rng.randint(0, 30)] = bytes(rng.choices(b'"\\[]{},:\n\x00\xff\xfe0e9-', k=rng.randint(0, 30)))
            for name in ("a.jsonl", "b.json", "c.csv", "d.db", "e.jsonl.gz"):
                with open(f"{self.logs}/{name}", "wb") as f:
                    f.write({"d": b"SQLite format 3\0", "e": b"\x1f\x8b\x08"}.get(name[0], b"") + bytes(data))
            report = self.take()
            self.assertLessEqual(report["not_read"], 5)
        self.sound()


class Shapes(Imports):
    """The same records in other containers; CSVs that somebody describes."""

    COLUMNS = {"ts": "Time", "model": "Model", "input_tokens": "In", "output_tokens": "Out"}

    def test_openrouters_own_answers(self):
        """I17: what an own key paid is beside the cost, wherever the API says it; without one it is in it."""
        base = {"created_at": "2026-11-04T09:00:00Z", "model": "openai/gpt-4o", "tokens_prompt": 10, "tokens_completion": 5}
        rows = [{**base, "id": "a", "total_cost": 0.00001, "upstream_inference_cost": 0.00197, "is_byok": True},
                {**base, "id": "b", "total_cost": 0.00197, "upstream_inference_cost": 0.00197, "is_byok": False},
                {**base, "id": "c", "cost": 0.00001, "cost_details": {"upstream_inference_cost": 0.00197}, "is_byok": True}]
        wanted = [("a", 1980000), ("b", 1970000), ("c", 1980000)]
        for text in ("".join(json.dumps(r) + "\n" for r in rows), "".join(json.dumps({"data": r}) + "\n" for r in rows), json.dumps(rows)):
            self.take(self.write("a.json", text), db := self.new())
            self.assertEqual(db.execute("SELECT provider_request_id, cost_reported_nusd FROM llm_calls ORDER BY 1").fetchall(), wanted)

    def test_an_agent_at_another_cloud(self):
        """Its prices are those of who serves the model; the model is one row all the same."""
        names = ("claude-sonnet-4-5", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5@20250929", "gpt-5", "glm-unknown")
        self.take(self.write("a.jsonl", *(line(f"m{i}", model=name) for i, name in enumerate(names))))
        self.assertEqual(self.db.execute("SELECT model, provider, calls, unpriced FROM llm_cost_by_model ORDER BY 1").fetchall(),
                         [("claude-sonnet-4-5", "anthropic", 3, 0), ("glm-unknown", None, 1, 1), ("gpt-5", None, 1, 0)])

    def test_nobody_is_named(self):
        """E-mail and IP addresses in any text of any format: neither in a row nor in what is kept of a file."""
        for store, name in (("mail", "jane.doe@corp.example"), ("ip", "203.0.113.77")):
            totals = {"total_token_usage": {"input_tokens": 9, "output_tokens": 1, "total_tokens": 10}}
            events = [("session_meta", {"id": name, "cwd": f"/u/{name}"}), ("turn_context", {"model": name, "cwd": f"/u/{name}"}),
                      ("event_msg", {"type": "token_count", "info": totals})]
            self.write("claude.jsonl", line("m1", request=name, session=name, cwd=f"/home/{name}"), line("m2", model=name))
            self.write("codex.jsonl", *(json.dumps({"timestamp": f"2026-11-04T09:00:0{i}.000Z", "type": kind, "payload": payload}) + "\n"
                                        for i, (kind, payload) in enumerate(events)))
            row = json.load(open(f"{SAMPLES}/litellm_spend_logs.json"))[0]
            keys = [k for k, v in row.items() if isinstance(v, str) and not k.endswith("Time")]
            self.write("litellm.json", json.dumps([{**row, "request_id": key, key: name} for key in keys]))
            for sample in ("helicone_export", "openrouter_generations", "openai_cost_dashboard", "anthropic_cost_console"):
                header, *rows = csv.reader(open(f"{SAMPLES}/{sample}.csv", encoding="utf-8"))
                for i in range(len(header)):
                    csv.writer(out := io.StringIO()).writerows([header, rows[1][:i] + [name] + rows[1][i + 1:]])
                    self.write(f"{sample}-{i}.csv", out.getvalue() if header[i] != "variant" else "")
            db = self.new(store)
            self.assertGreater(self.take(self.logs, db)["calls"], 10)
            db.close()
            bytes_of_store = open(f"{self.tmp.name}/{store}.db-llmcost", "rb").read()
            self.assertNotIn(name[:8].encode(), bytes_of_store)

    def test_columns(self):
        path = self.write("a.csv", 'Id,Time,Model,In,Out,"a ""q"""\n1,2026-11-01 10:00:00,gpt-4o-mini,100,20,"x\ny"\n',
                          "2,2026-11-01T11:00:00Z,gpt-4o-mini,200,30,z\n3,8:30:00 AM,gpt-4o-mini,1,1,z\n")
        report = self.take(path, columns=self.COLUMNS, tag="desk")
        self.assertEqual((report["calls"], report["torn"], [l["line"] for l in report["lines"]]), (2, 1, [5]))
        self.assertEqual(self.db.execute("SELECT ts, input_tokens, output_tokens, tag, cost_nusd, source FROM llm_calls ORDER BY ts").fetchall(),
                         [(1793527200000, 100, 20, "desk", 27000, "csv"), (1793530800000, 200, 30, "desk", 48000, "csv")])
        self.assertIn("columns", error_of(self.new(), "SELECT llm_import(?)", path))

    def test_a_csv_of_two_units_is_refused_whole(self):
        """I18: none of it is taken, not what came before either; others of the folder are."""
        self.write("a.csv", "Time,Model,In,Out\n", *(f"{1793782800 + n},gpt-4o-mini,1,1\n" for n in range(20000)), "1793782800000,gpt-4o-mini,1,1\n")
        self.write("b.csv", "Time,Model,In,Out\n1793782800,gpt-4o-mini,5,5\n")
        report = self.take(columns=self.COLUMNS)
        self.assertEqual((report["calls"], [os.path.basename(s["file"]) for s in report["skipped"]]), (1, ["a.csv"]))
        self.assertIn("20002", report["skipped"][0]["reason"])

    def test_wrong_columns(self):
        path = self.write("a.csv", "Time\n1\n")
        for columns in ({"nonsense": "Time"}, {"model": "Time"}, {"ts": 5}, {}):
            with self.subTest(str(columns)):
                self.assertNotEqual(error_of(self.db, "SELECT llm_import(?, ?)", path, json.dumps({"columns": columns})), "")
                self.assertNotEqual(error_of(self.db, "SELECT llm_import(?, ?)", self.logs, json.dumps({"columns": columns})), "")

    def test_a_log_in_several_shapes(self):
        """A call is the same in an array, spread over lines or not, and in JSON Lines."""
        for name, calls in (("langfuse_observations_v2.jsonl", 3), ("litellm_spend_logs.json", 4)):
            text = open(f"{SAMPLES}/{name}").read()
            records = json.loads(text) if text.lstrip()[0] == "[" else [json.loads(l) for l in text.splitlines()]
            db = self.new()
            new = [self.take(f"{SAMPLES}/{name}", db)["calls"]]
            for n, shaped in enumerate((json.dumps(records), json.dumps(records, indent=1), "\n".join(map(json.dumps, records)))):
                new.append(self.take(self.write(f"{n}.json", shaped), db)["calls"])
            self.assertEqual(new, [calls, 0, 0, 0])

    def test_our_own(self):
        """The ledger of one database in another, as JSON Lines."""
        self.take(f"{SAMPLES}/claude_code")
        cursor = self.db.execute("SELECT * FROM llm_calls")
        names = [c[0] for c in cursor.description]
        path = self.write("own.jsonl", *(json.dumps(dict(zip(names, row))) + "\n" for row in cursor))
        other = self.new()
        report = self.take(path, other)
        self.assertEqual((report["formats"], report["calls"]), ({"llmcost": 1}, 2))
        self.assertEqual(value(other, "SELECT sum(cost_nusd) FROM llm_calls"), value(self.db, "SELECT sum(cost_nusd) FROM llm_calls"))


    def test_our_own_in_full(self):
        """What only our ledger knows comes with it: attempts of a request, token parts, tiers, reasons, and what a hit was."""
        rows = [dict(id=1, request_id="r1", attempt=1, ts=1793700000000, kind="call", provider="openai", model="gpt-4o", input_tokens=900, output_tokens=10,
                     system_tokens=500, history_tokens=300, turn=3, system_hash="ab" * 16, prompt_hash="cd" * 16, tier="complex", tier_drawn="medium",
                     tier_served="complex", route_score=0.625),
                dict(id=2, request_id="r1", attempt=2, ts=1793700001000, kind="call", provider="openai", model="gpt-4o", input_tokens=900, output_tokens=10,
                     retry_reason="invalid_answer", purpose="verifier"),
                dict(id=3, request_id="r2", attempt=0, ts=1793700002000, kind="hit_semantic", model="gpt-4o", saved_nusd=70),
                dict(id=4, request_id="r3", attempt=0, ts=1793700003000, kind="hit_exact", model="gpt-4o", saved_nusd=9 * 10**18)]
        self.take(self.write("own.jsonl", *(json.dumps(r) + "\n" for r in rows)))
        self.assertEqual(self.db.execute("SELECT attempt, system_tokens, history_tokens, turn, system_hash, prompt_hash, tier, tier_drawn, tier_served,"
                                         " route_score, retry_reason, purpose FROM llm_calls ORDER BY ts").fetchall(),
                         [(1, 500, 300, 3, "ab" * 16, "cd" * 16, "complex", "medium", "complex", 0.625, None, None),
                          (2, *[None] * 9, "invalid_answer", "verifier"), (0, *[None] * 11), (0, *[None] * 11)])
        self.assertEqual(value(self.db, "SELECT count(DISTINCT request_id) FROM llm_calls"), 3)
        self.assertEqual(self.db.execute("SELECT kind, saved_nusd FROM llm_calls WHERE attempt = 0").fetchall(), [("hit_semantic", 70), ("hit_exact", None)])  # (no sum of money)

    def test_our_own_comes_back(self):
        """An export that is read by the ledger that it is of, and by one that has it from another: nothing counts twice."""
        def export(db, name):
            cursor = db.execute("SELECT * FROM llm_calls")
            names = [c[0] for c in cursor.description]
            return self.write(name, *(json.dumps(dict(zip(names, row))) + "\n" for row in cursor))

        self.db.execute("SELECT llm_complete('x', '{\"model\":\"nobody\",\"on_error\":\"null\"}')").fetchall()  # makes the store
        self.take(f"{SAMPLES}/claude_code")
        store = sqlite3.connect(f"{self.tmp.name}/1.db-llmcost")
        self.addCleanup(store.close)
        with store:
            store.executemany("INSERT INTO llm_calls(request_id, attempt, ts, kind, provider, model, input_tokens, output_tokens, cost_nusd)"
                              " VALUES (?, ?, ?, ?, 'openai', 'gpt-4o', 900, 10, ?)",
                              [("r1", 1, 1793700000000, "call", 2350000), ("r1", 2, 1793700001000, "call", 2350000), ("r2", 0, 1793700002000, "hit_exact", 0)])
        rows = self.db.execute("SELECT count(*), sum(cost_nusd) FROM llm_calls").fetchall()
        mine = export(self.db, "mine.jsonl")
        report = self.take(mine)
        self.assertEqual((report["calls"], report["copies"]), (0, 5))
        self.assertEqual(self.db.execute("SELECT count(*), sum(cost_nusd) FROM llm_calls").fetchall(), rows)
        other = self.new()
        self.assertEqual(self.take(mine, other)["calls"], 5)
        theirs = export(other, "theirs.jsonl")
        self.assertEqual(self.take(theirs)["calls"], 0)
        self.take(theirs, other)  # (a hit has no name but its id, which is another one there: nothing was paid for it)
        for db in (other, self.db):
            self.assertEqual(db.execute("SELECT count(*), sum(cost_nusd) FROM llm_calls WHERE kind = 'call'").fetchall(), [(4, rows[0][1])])

    def test_names_of_requests_that_are_long(self):
        """Two that begin alike are two, and none is cut within a letter."""
        names = ["a" + "é" * 40 + end for end in ("x", "y")] + ["é" * 30, "b" * 60]
        rows = [dict(request_id=n, attempt=1, ts=1793700000000 + i, kind="call", provider="openai", model="gpt-4o", input_tokens=9, output_tokens=1)
                for i, n in enumerate(names)]
        self.take(self.write("own.jsonl", *(json.dumps(r) + "\n" for r in rows)))
        found = [r for r, in self.db.execute("SELECT request_id FROM llm_calls ORDER BY ts")]
        self.assertEqual(len(set(found)), 4)
        self.assertEqual(found[2:], ["import:" + n for n in names[2:]])


class Buckets(Imports):
    """Sums of a period, as a provider states them: never calls, replaced as a whole."""

    def costs(self, name, *days, rows=1):
        """Days (number, dollars); each in `rows` rows."""
        data = [{"object": "bucket", "start_time": 1793750400 + 86400 * day, "end_time": 1793836800 + 86400 * day,
                 "results": [{"object": "organization.costs.result", "amount": {"value": usd / rows, "currency": "usd"},
                              "line_item": f"gpt-4o, part {i}" if rows > 1 else None, "project_id": None} for i in range(rows)]}
                for day, usd in days]
        return self.write(name, json.dumps({"object": "page", "data": data, "has_more": False, "next_page": None}))

    def invoices(self, db=None):
        return (db or self.db).execute("SELECT (from_ts / 1000 - 1793750400) / 86400, count(*), sum(amount_nusd) FROM llm_invoices"
                                       " GROUP BY 1 ORDER BY 1").fetchall()

    def test_a_bucket_is_replaced(self):
        report = self.take(self.costs("a.json", (0, 1.5), (1, 2), rows=2))
        self.assertEqual((report["calls"], report["sums"], report["replaced"]), (0, 4, 0))
        report = self.take(self.costs("b.json", (1, 3), (2, 4)))
        self.assertEqual((report["sums"], report["replaced"], report["kept"]), (2, 1, []))
        self.assertEqual(self.invoices(), [(0, 2, 1500000000), (1, 1, 3000000000), (2, 1, 4000000000)])
        self.assertEqual(value(self.db, "SELECT count(*) FROM llm_calls"), 0)

    def test_a_smaller_one(self):
        """I08: a bucket that got smaller is kept or replaced as one says, and told with both sums."""
        self.take(self.costs("a.json", (0, 10)))
        report = self.take(self.costs("b.json", (0, 4)))
        self.assertEqual([(k["source"], k["from"], k["old"], k["new"]) for k in report["kept"]], [("openai_costs", 1793750400000, 10, 4)])
        self.assertEqual(self.invoices(), [(0, 1, 10000000000)])
        report = self.take(self.costs("c.json", (0, 5)), smaller="replace")
        self.assertEqual([(k["old"], k["new"]) for k in report["shrunk"]], [(10, 5)])
        self.assertEqual((report["replaced"], self.invoices()), (1, [(0, 1, 5000000000)]))

    def test_two_pulls_of_one_period(self):
        """Grouped and ungrouped: nothing doubles, and the rows that say more stay, in any order."""
        for order in ("ab", "ba"):
            db = self.new()
            shutil.rmtree(self.logs)
            os.mkdir(self.logs)
            self.costs(f"{order[0]}.json", (0, 10), rows=4)
            self.costs(f"{order[1]}.json", (0, 10))
            self.take(db=db)
            self.assertEqual(self.invoices(db), [(0, 4, 10000000000)])

    def counted(self, db):
        """What the views count, which is what llm_invoices shows."""
        shown = db.execute("SELECT sum(requests), sum(input_tokens) FROM llm_invoices").fetchall()
        for view in ("daily", "by_model", "by_user"):
            self.assertEqual(db.execute(f"SELECT sum(calls), sum(input_tokens) FROM llm_cost_{view}").fetchall(), shown)
        return shown[0]

    def usage(self, name, *hours, n=100):
        """A pull of usage: (from, to, requests) in hours of a day."""
        return self.write(name, json.dumps({"object": "page", "has_more": False, "next_page": None, "data": [
            {"object": "bucket", "start_time": 1793750400 + 3600 * a, "end_time": 1793750400 + 3600 * b, "results": [
                {"object": "organization.usage.completions.result", "input_tokens": n * r, "output_tokens": r, "num_model_requests": r,
                 "model": "gpt-4o"}]} for a, b, r in hours]}))

    def test_hours_and_days(self):
        """The same usage pulled by day, by hour and by minutes counts once; where one of them has more, that."""
        day, hours = [(0, 24, 48)], [(h, h + 1, 2) for h in range(24)]
        halves = [(h / 2, h / 2 + 0.5, 1) for h in range(48)]
        early = hours[:10]
        for pulls, wanted in (((day, hours), 48), ((day, hours, halves), 48), ((early, day), 48), (([(0, 24, 20)], hours), 48),
                              (([(0, 24, 20)], *([h] for h in hours)), 48), ((day, [(24, 48, 5)]), 53), ((early, hours, [(0, 24, 50)]), 50)):
            for order in (pulls, pulls[::-1]):
                with self.subTest(order=order):
                    db = self.new()
                    for i, pull in enumerate(order):
                        self.take(self.usage(f"{i}.json", *pull), db)
                    self.assertEqual(self.counted(db), (wanted, 100 * wanted))
                    for i in range(len(order)):
                        self.take(f"{self.logs}/{i}.json", db, again=True)
                    self.assertEqual(self.counted(db), (wanted, 100 * wanted))

    def test_thirds(self):
        """Grouped and not, a sum differs by what its rows are rounded to."""
        def costs(name, *usd):
            rows = [{"amount": {"value": v, "currency": "usd"}, "line_item": "gpt-4o, input" if usd[1:] else None,
                     "project_id": f"p{i}" if usd[1:] else None} for i, v in enumerate(usd)]
            return self.write(name, json.dumps({"data": [{"start_time": 1793750400, "end_time": 1793836800, "results": rows}]}))
        pulls = [costs("g.json", *[0.33333333333333333] * 3), costs("u.json", 1.0)]
        for order in (pulls, pulls[::-1]):
            db = self.new()
            reports = [self.take(path, db) for path in order]
            self.assertEqual(db.execute("SELECT project FROM llm_invoices ORDER BY 1").fetchall(), [("p0",), ("p1",), ("p2",)])
            self.assertEqual([r["kept"] + r["shrunk"] for r in reports], [[], []])

    def test_pages_that_were_joined(self):
        page = open(f"{SAMPLES}/openai_usage_completions.json").read()
        self.take(self.write("a.json", page))
        once = self.counted(self.db)
        for name, text in (("twice.json", page + "\n" + page), ("list.json", f"[{page},{page}]")):
            db = self.new()
            self.take(self.write(name, text), db)
            self.assertEqual(self.counted(db), once)
        table = open(f"{SAMPLES}/anthropic_usage_console.csv").read()
        self.take(self.write("b.csv", table + table), db := self.new())
        self.assertEqual(value(db, "SELECT sum(input_tokens) FROM llm_cost_daily"), 182950 + 90000 + 260000)

    def test_the_same_again(self):
        path = self.costs("a.json", (0, 1.5), (1, 2))
        self.take(path)
        before = self.invoices()
        self.assertEqual(self.take(path)["unchanged"], 1)
        self.take(path, again=True)
        self.assertEqual(self.invoices(), before)


class Samples(Imports):
    """The totals of the samples' README."""

    def sum(self, *columns, table="llm_calls", where="1"):
        return self.db.execute(f"SELECT {', '.join(f'sum({c})' for c in columns)} FROM {table} WHERE {where}").fetchone()

    def sample(self, name, **options):
        """Imported twice: the second time there is nothing new."""
        report = self.take(f"{SAMPLES}/{name}", **options)
        again = self.take(f"{SAMPLES}/{name}", again=True, **options)
        self.assertEqual((again["calls"], again["updated"]), (0, 0))
        self.sound()
        return report

    def test_claude_code(self):
        report = self.sample("claude_code")
        self.assertEqual((report["calls"], report["torn"], report["lines"][0]["line"]), (2, 1, 5))
        rows = self.db.execute("SELECT provider_request_id IS NOT NULL, input_tokens, cached_input_tokens, cache_write_tokens, cache_write_long_tokens,"
                               " output_tokens, tag, conversation FROM llm_calls ORDER BY input_tokens DESC").fetchall()
        self.assertEqual([r[1:6] for r in rows], [(22083, 7395, 14685, 685, 159), (900, 0, 0, None, 40)])
        self.assertEqual([r[6:] for r in rows], [("demo", "S1"), ("demo", "S1")])

    def test_codex(self):
        self.assertEqual(self.sample("codex")["calls"], 2)
        self.assertEqual(self.sum("input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens"),
                         (30475, 16432, 9500, 416, 150))

    def test_invoices(self):
        for name, nusd in (("anthropic_cost_report.json", 1334560000), ("anthropic_cost_console.csv", 1410000000), ("openai_costs.json", 268800000),
                           ("openai_cost_dashboard.csv", 222635980)):
            with self.subTest(name):
                self.db.close()
                self.db = self.new()
                report = self.sample(name)
                self.assertEqual((report["calls"], report["torn"], report["lines"]), (0, 0, []))
                self.assertEqual(self.sum("amount_nusd", table="llm_invoices"), (nusd,))
                if "console" in name:
                    self.assertEqual(self.sum("list_nusd", table="llm_invoices"), (1560000000,))
                personal = str(self.db.execute("SELECT * FROM llm_invoices").fetchall())
                self.assertNotIn("@", personal)

    def test_usage_of_periods(self):
        for name, expected in (("openai_usage_completions.json", (564200, 91300, 1031)), ("anthropic_usage_messages.json", (93200, None, None)),
                               ("anthropic_usage_console.csv", (532950, None, None))):
            with self.subTest(name):
                self.db.close()
                self.db = self.new()
                self.assertEqual(self.sample(name)["calls"], 0)
                sums = self.sum("input_tokens", "output_tokens", "requests", table="llm_invoices")
                self.assertEqual([s for s, e in zip(sums, expected) if e is not None], [e for e in expected if e is not None])

    def test_empty_export(self):
        report = self.take(f"{SAMPLES}/openai_dashboard_empty.csv")
        self.assertEqual((report["calls"], report["sums"], report["torn"]), (0, 0, 0))

    def test_litellm(self):
        report = self.sample("litellm_spend_logs.json")
        self.assertEqual((report["calls"], report["reported_usd"]), (4, 0.061515))
        self.assertEqual(self.sum("kind = 'call' AND error IS NULL", "kind = 'hit_exact'", "kind = 'call' AND error IS NOT NULL", "kind = 'batch'"),
                         (1, 1, 1, 1))
        self.assertEqual(self.sum("cost_nusd", where="kind = 'hit_exact'"), (0,))
        self.assertGreater(self.sum("saved_nusd", where="kind = 'hit_exact'")[0], 0)
        self.assertIn("summarize=false", error_of(self.db, "SELECT llm_import(?)", f"{SAMPLES}/litellm_spend_logs_summarized.json"))

    def test_gateways(self):
        for name, calls, reported in (("langfuse_observations_v2.jsonl", 3, .00035314), ("helicone_export.csv", 3, .0003369)):
            with self.subTest(name):
                self.db.close()
                self.db = self.new()
                report = self.sample(name)
                self.assertEqual((report["calls"], report["reported_usd"]), (calls, reported))

    def test_langfuse(self):
        self.sample("langfuse_observations_v2.jsonl")
        self.assertEqual(self.sum("error IS NOT NULL", "error IS NOT NULL AND cost_nusd IS NULL"), (1, 1))
        self.assertEqual(value(self.db, "SELECT max(input_tokens) FROM llm_calls"), 2006)

    def test_openrouter(self):
        report = self.sample("openrouter_generations.csv")
        self.assertIn(report["reported_usd"], (.0127, .0169), report)
        for name in ("openrouter_activity.csv", "openrouter_activity_api.json"):
            self.assertEqual(self.sample(name)["calls"], 0)

    def test_otel(self):
        self.assertEqual(self.sample("otel_genai_spans.jsonl")["calls"], 3)
        self.assertEqual(self.db.execute("SELECT input_tokens, cached_input_tokens, cache_write_tokens FROM llm_calls"
                                         " ORDER BY input_tokens DESC LIMIT 1").fetchone(), (22083, 7395, 14685))
        self.assertEqual(self.sum("error IS NOT NULL", "input_tokens IS NULL AND cost_nusd IS NULL"), (1, 1))

    def test_llm(self):
        path = f"{self.logs}/logs.db"
        logs = sqlite3.connect(path)
        logs.executescript(open(f"{SAMPLES}/llm_logs.sql").read())
        logs.execute("PRAGMA journal_mode=WAL")
        logs.commit()
        before = logs.execute("PRAGMA data_version").fetchone()
        report = self.take(path)
        self.assertEqual((report["calls"], self.sum("cost_nusd IS NULL")), (3, (1,)))
        self.assertEqual(self.take(path)["copies"], 3)
        self.assertEqual(logs.execute("PRAGMA data_version").fetchone(), before)
        logs.close()

    def test_all_at_once(self):
        """The whole folder: what can't be read is listed, and nothing is counted twice the second time."""
        report = self.take(SAMPLES)
        self.assertGreater(report["calls"], 15)
        self.assertTrue(any("summarized" in s["file"] for s in report["skipped"]))
        again = self.take(SAMPLES, again=True)
        self.assertEqual((again["calls"], again["updated"], again["kept"]), (0, 0, []))
        texts = str(self.db.execute("SELECT * FROM llm_calls").fetchall() + self.db.execute("SELECT * FROM llm_invoices").fetchall())
        self.assertNotIn("@", texts.replace("@20", ""))
        self.sound()


class Parents(Imports):
    """I05: an agent's span repeats what its calls used."""

    @staticmethod
    def span(id, trace, input, operation="chat", parent="", seconds=(0, 5), answer=None):
        attributes = {"gen_ai.operation.name": operation, "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o-mini"}
        listed = [{"key": k, "value": {"stringValue": v}} for k, v in attributes.items()]
        listed += [{"key": "gen_ai.response.id", "value": {"stringValue": answer}}] if answer else []
        listed += [{"key": f"gen_ai.usage.{k}_tokens", "value": {"intValue": str(n)}} for k, n in (("input", input), ("output", 1))]
        span = {"traceId": trace * 32, "spanId": id * 16, "parentSpanId": parent and parent * 16, "name": operation, "kind": 3,
                "startTimeUnixNano": f"{1793782800 + seconds[0]}000000000", "endTimeUnixNano": f"{1793782800 + seconds[1]}000000000",
                "attributes": listed if input is not None else [a for a in listed if "usage" not in a["key"]]}
        return json.dumps({"resourceSpans": [{"resource": {"attributes": []}, "scopeSpans": [{"scope": {"name": "x"}, "spans": [span]}]}]}) + "\n"

    def test_one_call_seen_by_two_instrumentations(self):
        outer, inner = self.span("a", "1", None, answer="chatcmpl-7"), self.span("b", "1", 60, parent="a", answer="chatcmpl-7")
        others = [self.span("c", "1", 40, answer="chatcmpl-8"), self.span("d", "2", 30, answer="chatcmpl-7")]  # a server that counts its answers
        for order in ([outer, inner], [inner, outer], [inner, self.span("a", "1", 60, answer="chatcmpl-7")]):
            for together in (True, False):
                db = self.new()
                for i, text in enumerate(["".join(order + others)] if together else [*order, *others]):
                    self.take(self.write(f"{id(db)}-{i}.jsonl", text), db)
                self.assertEqual((value(db, "SELECT count(*) FROM llm_calls"), self.totals(db)[0]), (3, 130))
                db.close()

    def totals(self, db):
        return (value(db, "SELECT coalesce(sum(input_tokens), 0) FROM llm_calls"),
                value(db, "SELECT coalesce(sum(input_tokens), 0) FROM llm_invoices"))

    def test_parents_and_children(self):
        parent, children = self.span("a", "1", 100, "invoke_agent"), [self.span("b", "1", 60, parent="a"), self.span("c", "1", 40, parent="a")]
        other = self.span("d", "2", 70, "invoke_agent")
        parts = [[parent, other], children]
        for order in ([0, 1], [1, 0]):
            for together in (True, False):
                db = self.new()
                shutil.rmtree(self.logs)
                paths = [self.write(f"{i}.jsonl", *parts[which]) for i, which in enumerate(order)]
                for path in [self.logs] if together else paths:
                    self.take(path, db)
                    self.take(path, db, again=True)
                self.assertEqual(self.totals(db), (100, 70))
        db = self.new()
        self.assertEqual([self.take(self.write(f"x{i}.jsonl", *parts[i]), db)["dropped"] for i in range(2)], [0, 1])

    def test_a_growing_trace(self):
        """Written span by span, read after each: never both."""
        db = self.new()
        path = self.write("a.jsonl")
        for n, text in enumerate([self.span("d", "2", 70, "invoke_agent"), self.span("a", "1", 100, "invoke_agent"), self.span("b", "1", 60, parent="a")]):
            self.write("a.jsonl", text, mode="a")
            self.take(path, db)
            self.assertEqual(self.totals(db), [(0, 70), (0, 170), (60, 70)][n])


    def test_parents_in_parents(self):
        """A workflow repeats its agents, which nobody's calls tell: the larger counts, together or file by file."""
        flow = self.span("a", "1", 100, "invoke_workflow")
        two = [self.span("b", "1", 60, "invoke_agent", "a"), self.span("c", "1", 40, "invoke_agent", "a")]
        alone = [self.span("b", "1", 60, "invoke_agent"), self.span("c", "1", 40, "invoke_agent")]
        inside = [self.span("b", "1", 60, "invoke_agent", "x", (1, 2)), self.span("c", "1", 40, "invoke_agent", "x", (3, 5))]
        later = [self.span("b", "1", 60, "invoke_agent", "a", (7, 9))]
        deep = [self.span("b", "1", 100, "invoke_agent", "a"), self.span("c", "1", 100, "invoke_agent", "b")]
        for spans, wanted in (([flow, *two], 100), (alone, 100), ([flow, *inside], 100), ([flow, *later], 100), ([flow, *deep], 100),
                              ([self.span("a", "1", 30, "invoke_workflow"), *two], 100), ([flow, self.span("d", "2", 7, "invoke_agent")], 107)):
            for order in (spans, spans[::-1]):
                self.take(self.write("a.jsonl", *order), db := self.new())
                self.assertEqual(self.totals(db), (0, wanted), order)
                self.assertEqual(value(db, "SELECT sum(input_tokens) FROM llm_cost_daily"), wanted)
        for order in itertools.permutations([flow, *inside]):
            db = self.new()
            for i, text in enumerate(order):
                self.take(self.write(f"{i}.jsonl", text), db)
            self.assertEqual(self.totals(db), (0, 100), order)

    def test_a_child_that_tells_no_usage(self):
        """Its parent's sum is all that is known; and it does not hide behind other traces' calls of that day."""
        parent, child = self.span("a", "1", 100, "invoke_agent"), self.span("b", "1", None, parent="a")
        other = self.span("c", "2", 50)
        for order in itertools.permutations((parent, child, other)):
            self.take(self.write("a.jsonl", *order), db := self.new())
            self.assertEqual(self.totals(db), (50, 100))
            self.assertEqual(db.execute("SELECT sum(input_tokens), basis FROM llm_cost_daily GROUP BY 2").fetchall(),
                             [(100, "invoice"), (50, "sums")])


class Others(Imports):
    """Kills, other processes, interrupts, the caller's transactions."""

    def many(self, files=40, each=500):
        for f in range(files):
            self.write(f"{f:03}.jsonl", *(line(f"m{f}_{n}", output=n % 900 + 1, at=f"{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}.000",
                                               session=f"S{f}") for n in range(each)))
        return files * each

    def start(self, path="shared", before=""):
        script = (before + "import sqlite3,sys\ndb=sqlite3.connect(sys.argv[1],isolation_level=None)\ndb.enable_load_extension(True)\n"
                  "db.load_extension(sys.argv[2])\nprint('go',flush=True)\nprint(db.execute('SELECT llm_import(?)',(sys.argv[3],)).fetchone()[0])")
        process = subprocess.Popen(["/usr/bin/python3", "-c", script, f"{self.tmp.name}/{path}.db", SO, self.logs], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, env=clean_env())
        process.stdout.readline()
        return process

    def test_kills(self):
        """Killed at any moment and begun again: no call is lost or counted twice."""
        n = self.many()
        rng = random.Random(5)
        for _ in range(8):
            process = self.start()
            time.sleep(rng.uniform(.02, .5))
            process.kill()
            process.communicate()
        db = self.new("shared")
        self.take(db=db)
        self.assertEqual(value(db, "SELECT count(*), 0 FROM llm_calls"), n)
        self.assertEqual(value(db, "SELECT count(DISTINCT request_id) FROM llm_calls"), n)
        self.sound(db)

    def test_no_room(self):
        """The file can't grow while one thread writes and the other reads: an error, no half of a transaction, and the next
        import has it all."""
        n = self.many()
        for size in (1, 4, 7):
            with self.subTest(megabytes=size):
                process = self.start(f"full{size}", "import resource,signal\nsignal.signal(signal.SIGXFSZ,signal.SIG_IGN)\n"
                                     f"resource.setrlimit(resource.RLIMIT_FSIZE,({size << 20},{size << 20}))\n")
                _, error = process.communicate(timeout=60)
                self.assertEqual(process.returncode, 1)
                self.assertRegex(error, "the store '.*': cannot ")
                db = self.new(f"full{size}")
                store = sqlite3.connect(f"{self.tmp.name}/full{size}.db-llmcost")
                self.assertEqual(value(store, "SELECT count(*) FROM llm_calls"), value(store, "SELECT total(line) FROM llm_import_files"))
                store.close()
                self.take(db=db)
                self.assertEqual(value(db, "SELECT count(*) FROM llm_calls"), n)
                self.sound(db)

    def test_two_at_once(self):
        n = self.many()
        self.new("shared").execute("SELECT llm_import(?)", (self.write("first.jsonl", line("first")),)).fetchall()
        both = [self.start(), self.start()]
        results = [p.communicate(timeout=120) for p in both]
        self.assertEqual([p.returncode for p in both], [0, 0], results)
        self.assertEqual(sum(json.loads(out)["calls"] for out, _ in results), n)
        db = self.new("shared")
        self.assertEqual(value(db, "SELECT count(*) FROM llm_calls"), n + 1)
        self.sound(db)

    def test_interrupt(self):
        n = self.many()
        db = self.new("int", check_same_thread=False)
        import threading
        timer = threading.Timer(.15, db.interrupt)
        timer.start()
        try:
            self.take(db=db)
        except sqlite3.OperationalError as e:
            self.assertIn("interrupted", str(e))
        timer.join()
        self.take(db=db)
        self.assertEqual(value(db, "SELECT count(*) FROM llm_calls"), n)
        self.sound(db)

    def test_rollback_loses_nothing(self):
        self.write("a.jsonl", *map(call, range(1, 6)))
        self.db.execute("BEGIN IMMEDIATE")
        self.assertEqual(self.take()["calls"], 5)
        self.db.execute("ROLLBACK")
        self.assertEqual(self.outputs(), [1, 2, 3, 4, 5])
        self.assertEqual(self.take()["unchanged"], 1)

    def test_in_main(self):
        """With the store in main it follows the caller's transaction, the notes of files too."""
        value(self.db, "SELECT llm_config('store', 'main')")
        self.write("a.jsonl", *map(call, range(1, 6)))
        self.db.execute("BEGIN")
        self.assertEqual(self.take()["calls"], 5)
        self.db.execute("ROLLBACK")
        self.assertEqual(self.take()["calls"], 5)
        self.assertEqual(self.take()["unchanged"], 1)
        self.assertEqual(self.outputs(), [1, 2, 3, 4, 5])
        self.sound()
        self.db.execute("CREATE TABLE t(x)")
        self.write("a.jsonl", call(6), mode="a")
        self.db.execute("INSERT INTO t SELECT llm_import(?)", (self.logs,))
        self.assertEqual(len(self.outputs()), 6)

    def test_a_rollback_of_the_first_import(self):
        """In main it takes the tables too: the views are those of a database without a store, until one is made again."""
        path = self.write("a.jsonl", call(1))
        self.db.execute("SELECT llm_config('store', 'main')").fetchall()
        self.db.execute("BEGIN")
        self.take(path)
        self.db.execute("ROLLBACK")
        for view in ("daily", "by_tag"):
            self.assertEqual(self.db.execute(f"SELECT * FROM llm_cost_{view}").fetchall(), [])
        self.assertEqual(value(self.db, "SELECT llm_check() ->> 'rows'"), 0)
        self.db.execute("SELECT llm_config('keep_calls', '1d')").fetchall()
        self.assertEqual(self.take(path)["calls"], 1)
        self.assertEqual(value(self.db, "SELECT sum(calls) FROM llm_cost_daily"), 1)

    def test_in_memory(self):
        db = connect(":memory:")
        self.addCleanup(db.close)
        self.write("a.jsonl", *map(call, range(1, 6)))
        self.assertEqual(self.take(db=db)["calls"], 5)

    def test_sanitized(self):
        """The same under AddressSanitizer: copies, torn and long lines, arrays, packed files, databases."""
        self.write("a.jsonl", call(1), call(2), call(2), "torn\n", call(3)[:90])
        self.write("b.json", json.dumps([json.loads(call(4))]))
        self.write("c.jsonl", '{"a":"' + "x" * 300000 + '"}\n', call(5))
        with gzip.open(f"{self.logs}/d.jsonl.gz", "wb") as f:
            f.write(call(6).encode())
        sqlite3.connect(f"{self.logs}/e.db").close()
        script = f".load {ASAN_SO}\n" + f"SELECT llm_import('{self.logs}') -> '$.calls';\n" * 2 + \
            f"SELECT llm_import('{self.logs}', '{{\"again\":true}}') -> '$.copies';\nSELECT llm_import('{self.logs}/nothing');\n"
        out = subprocess.run(["sqlite3", ":memory:"], input=script, capture_output=True, text=True, env=asan_env())
        self.assertEqual((out.stdout.split(), "AddressSanitizer" in out.stderr, "runtime error" in out.stderr), (["5", "0", "6"], False, False), out)


if __name__ == "__main__":
    unittest.main()
