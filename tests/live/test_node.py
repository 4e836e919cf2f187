"""Where a connection runs, without a server: roles by entry point, LLMCOST_ROLE and the files beside the database; what a replica
refuses and answers; the copy of the ledger; server mode. (With libSQL server itself: test_server.py.)

What is known of a process stays known, so each node is a process of its own.
"""
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import unittest

from harness import Desk, KEYS, SO, Standin, TempDir, clean_env, error_of, value

NODE = r"""
import json, sqlite3, sys
path, so, entry = sys.argv[1:4]
db = sqlite3.connect(path, isolation_level=None)
db.enable_load_extension(True)
db.execute("SELECT load_extension(?, ?)", (so, entry)) if entry else db.load_extension(so)
for line in sys.stdin:
    try:
        print(json.dumps([[c.hex() if isinstance(c, bytes) else c for c in row] for row in db.execute(json.loads(line))]), flush=True)
    except sqlite3.Error as e:
        print(json.dumps(str(e)), flush=True)
"""
REPLICA = "sqlite3_llmcostro_init"


class Node:
    """A connection in a process of its own."""

    def __init__(self, path, entry="", so=SO, **env):
        env = env if "PATH" in env else clean_env(**env)
        self.process = subprocess.Popen([sys.executable, "-c", NODE, path, so, entry], text=True, env=env, bufsize=1,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(20)

    def ask(self, sql):
        """Rows, or the error's text."""
        print(json.dumps(sql), file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def value(self, sql):
        rows = self.ask(sql)
        assert isinstance(rows, list), f"{sql}: {rows}"
        return rows[0][0]

    def error(self, sql):
        text = self.ask(sql)
        assert isinstance(text, str), f"{sql}: no error, but {text}"
        return text


def spending(standin, **more):
    return clean_env(LLMCOST_ALLOW_HOSTS=",".join(f"{standin.host}={key}" for key in KEYS), **KEYS, **more)


ROLE = "SELECT llmcost_debug() ->> '$.node'"
REFUSED = ("SELECT llm_complete('never asked')", "SELECT llm_chat('[{\"role\":\"user\",\"content\":\"never asked\"}]')",
           "SELECT * FROM llm_call('never asked')", "SELECT * FROM llm_map('SELECT 1, ''never asked''')",
           "SELECT embed('never asked', 'text-embedding-3-small')",
           "SELECT * FROM embed_batch('[\"never asked\"]', 'text-embedding-3-small')",
           "SELECT llm_init()", "SELECT llm_prices_import('{}')", "SELECT llm_cache_feedback(1, 1)",
           "SELECT llm_cache_forget('{\"tag\":\"x\"}')", "SELECT llm_batch_flush()", "SELECT llm_batch_poll()",
           "SELECT llm_batch_wait()", "SELECT llm_batch_cancel(1)", "SELECT llm_route_calibrate()",
           "SELECT llm_route_train('verifier')", "SELECT llm_mirror()")
ANSWERED = ("SELECT llm_cost('gpt-4o-mini', 1000, 10)", "SELECT llm_price('gpt-4o', 'input')", "SELECT llm_tokens('abc')",
            "SELECT embed('abc') IS NOT NULL", "SELECT count(*) > 1 FROM llm_catalogue", "SELECT llm_route('What is 2 + 2?')",
            "SELECT llm_complete('never asked', '{\"dry_run\":true}') IS NOT NULL", "SELECT length(llm_report()) > 1000",
            "SELECT count(*) FROM llm_savings", "SELECT llm_compress('a  b')", "SELECT llm_last_call() IS NULL")


class Roles(unittest.TestCase):
    def setUp(self):
        self.tmp = TempDir()
        self.addCleanup(self.tmp.cleanup)

    def role(self, name="desk.db", beside=(), entry="", so=SO, **env):
        folder = os.path.join(self.tmp.name, str(len(os.listdir(self.tmp.name))))
        os.mkdir(folder)
        for file in beside:
            open(os.path.join(folder, file), "w").close()
        with Node(os.path.join(folder, name), entry, so, **env) as node:
            return node.value(ROLE)

    def test_who_says_which_it_is(self):
        self.assertEqual(self.role(), "alone")
        self.assertEqual(self.role("data", ["wallog"]), "primary")
        self.assertEqual(self.role("data", ["client_wal_index"]), "replica")
        self.assertEqual(self.role("data", ["wallog", "client_wal_index"]), "replica")
        self.assertEqual(self.role("desk.db", ["wallog"]), "alone")
        self.assertEqual(self.role("data"), "alone")
        self.assertEqual(self.role("data", ["client_wal_index"], LLMCOST_ROLE="primary"), "primary")
        self.assertEqual(self.role("data", ["wallog"], LLMCOST_ROLE="Replica"), "replica")
        self.assertEqual(self.role("data", ["wallog"], entry=REPLICA, LLMCOST_ROLE="primary"), "replica")
        self.assertEqual(self.role(LLMCOST_ROLE="both"), "unclear")

    def test_the_name_of_the_library_chooses_the_entry_point(self):
        copy = os.path.join(self.tmp.name, "llmcost_ro.so")
        shutil.copy(SO, copy)
        self.assertEqual(self.role(so=copy), "replica")

    def test_the_role_is_asked_each_time(self):
        """A replica that has just started does not have its files yet."""
        with Node(os.path.join(self.tmp.name, "data")) as node:
            self.assertEqual(node.value(ROLE), "alone")
            open(os.path.join(self.tmp.name, "client_wal_index"), "w").close()
            self.assertIn("this is a replica", node.error("SELECT llm_init()"))

    def test_an_unclear_role_writes_nothing(self):
        path = os.path.join(self.tmp.name, "desk.db")
        with Node(path, LLMCOST_ROLE="both", OPENAI_API_KEY="sk-x-123456789") as node:
            for sql in ("SELECT llm_complete('x')", "SELECT llm_init()"):
                self.assertIn("LLMCOST_ROLE says neither primary nor replica", node.error(sql))
        self.assertEqual([f for f in os.listdir(self.tmp.name) if os.path.getsize(os.path.join(self.tmp.name, f))], [])

    def test_files_beside_a_database_make_it_no_more_trusted(self):
        """A stranger's folder with a server's files in it: the ledger in it is not shown."""
        with Standin() as standin:
            path = os.path.join(self.tmp.name, "made")
            with Node(path, **spending(standin, LLMCOST_STORE="main")) as maker:
                maker.ask("SELECT llm_init()")
                maker.ask(f"UPDATE llm_models SET base_url = '{standin.url}/v1'")
                maker.ask("SELECT llm_complete('x')")
            folder = os.path.join(self.tmp.name, "stranger")
            os.mkdir(folder)
            shutil.copy(path, os.path.join(folder, "data"))
            open(os.path.join(folder, "client_wal_index"), "w").close()
            elsewhere = os.path.join(self.tmp.name, "state")
            os.mkdir(elsewhere)
            with Node(os.path.join(folder, "data"), **spending(standin, LLMCOST_STORE="main", XDG_STATE_HOME=elsewhere)) as node:
                self.assertIn("not the one of this installation", node.error("SELECT llm_complete('x')"))
            with Node(os.path.join(folder, "data"),
                      **spending(standin, LLMCOST_STORE="main", XDG_STATE_HOME=elsewhere, LLMCOST_ROLE="replica")) as node:
                self.assertIn("x", node.value("SELECT llm_complete('x')"))


class Replica(Desk):
    """Of a database whose store is a file: what it is asked, and the copy of the ledger."""

    def replica(self, **env):
        return Node(self.path, REPLICA, **spending(self.standin, **env))

    def test_what_pays_sends_or_writes_is_refused_first(self):
        value(self.db, "SELECT llm_complete('x')")
        value(self.db, "SELECT llm_mirror()")
        before = self.standin.bill()["requests"], os.stat(self.path).st_mtime_ns
        with self.replica() as node:
            for sql in REFUSED:
                with self.subTest(sql):
                    self.assertIn("this is a replica, which only reads: nothing was sent or written", node.error(sql))
            for sql in ANSWERED:
                with self.subTest(sql):
                    self.assertIsInstance(node.ask(sql), list)
        self.assertEqual((self.standin.bill()["requests"], os.stat(self.path).st_mtime_ns), before)

    def test_a_replica_to_which_nothing_was_copied_has_no_rows(self):
        value(self.db, "SELECT llm_complete('x')")
        with self.replica() as node:
            self.assertEqual(node.value("SELECT count(*) FROM llm_calls"), 0)
            self.assertEqual(node.ask("SELECT * FROM llm_cost_daily"), [])

    def spend(self):
        for i in range(12):
            value(self.db, f"SELECT llm_complete('q {i % 8}', json_object('tag', 'tag {i % 3}', 'user', 'u{i % 2}', 'conversation', 'c'))")
        value(self.db, "SELECT llm_complete('again', '{\"model\":\"claude-haiku-4-5\",\"system\":\"be brief\"}')")

    def test_the_ledger_is_read_from_its_copy(self):
        """Every column but those that may quote, every view of costs, drift, savings and conditions of all kinds."""
        self.spend()
        value(self.db, "SELECT llm_mirror()")
        columns = [r[0] for r in self.db.execute("SELECT name FROM pragma_table_xinfo('llm_calls')") if r[0] not in ("error", "gate", "notes")]
        questions = [f"SELECT {', '.join(columns)} FROM llm_calls ORDER BY id"]
        questions += [f"SELECT * FROM {view}" for view in (
            "llm_cost_daily", "llm_cost_hourly", "llm_cost_weekly", "llm_cost_monthly", "llm_cost_by_model", "llm_cost_by_tag",
            "llm_cost_by_user", "llm_cost_daily_by_tag", "llm_retries", "llm_unpriced", "llm_finish_reasons", "llm_spend",
            "llm_savings", "llm_conversations", "llm_prefix_cache", "llm_provider_state")]
        questions += [f"SELECT id FROM llm_calls WHERE {term} ORDER BY id" for term in (
            "id = 3", "id IN (2, 5, 99)", "tag = 'tag 1'", "tag IS NULL", "tag IS NOT NULL AND ts > 0", "kind = 'hit_exact' OR user = 'u1'",
            "user = 'u1' OR tag = 'tag 2'", "cost_nusd > 100", "ts BETWEEN 0 AND 9e15", "request_id = 'x' AND attempt > 0", "tag LIKE 'TAG 1'")]
        questions += ["SELECT tag, count(*), sum(cost_nusd) FROM llm_calls GROUP BY tag ORDER BY 1",
                      "SELECT id FROM llm_calls ORDER BY ts DESC, id DESC LIMIT 3",
                      "SELECT calls FROM llm_cost_by_tag WHERE day = date('now') ORDER BY 1"]
        with self.replica() as node:
            for sql in questions:
                with self.subTest(sql):
                    self.assertEqual(node.ask(sql.replace("notes", "NULL")), [list(r) for r in self.db.execute(sql)])

    def test_no_prompt_and_no_answer_is_in_the_copy(self):
        secret = "the zebra of Zanzibar"
        answer = value(self.db, f"SELECT llm_complete('{secret}', '{{\"system\":\"mind {secret}\"}}')")
        for scenario in ("bad-request", "content-filter", "wrong-schema", "refusal", "bad-json"):
            self.standin.scenario(scenario)
            options = '{"on_error":"null","retries":0,"schema":{"type":"object","required":["a"]}}'
            self.db.execute(f"SELECT llm_complete('{secret} {scenario}', '{options}')").fetchall()
        self.standin.scenario("ok")
        value(self.db, f"SELECT llm_complete('What is the time for {secret}?', '{{\"cache\":\"semantic\"}}')")
        value(self.db, "SELECT llm_mirror()")
        copies = [r[0] for r in self.db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'llm_mirror%'")]
        self.assertEqual(len(copies), 4)
        words = [w for w in re.findall(r"\w{6,}", secret + " " + answer)]
        for table in copies:
            for row in self.db.execute(f"SELECT * FROM {table}"):
                for cell in row:
                    self.assertFalse([w for w in words if w in str(cell)], (table, cell))

    def test_copying_again_writes_what_is_new(self):
        self.spend()
        first = json.loads(value(self.db, "SELECT llm_mirror()"))
        self.assertEqual((first["calls"], first["total"], first["left"]), (13, 13, 0))
        again = json.loads(value(self.db, "SELECT llm_mirror()"))
        self.assertEqual((again["calls"], again["rollups"], again["invoices"], again["removed"]), (0, 0, 0, 0))
        value(self.db, "SELECT llm_complete('new')")
        self.assertEqual(json.loads(value(self.db, "SELECT llm_mirror()"))["calls"], 1)

    def test_what_was_on_its_way_is_copied_again(self):
        self.standin.latency(1500)
        with Node(self.path, **spending(self.standin)) as other:
            print(json.dumps("SELECT llm_complete('slow')"), file=other.process.stdin, flush=True)
            while not value(self.db, "SELECT count(*) FROM llm_calls"):
                pass
            value(self.db, "SELECT llm_mirror()")
            self.assertEqual(self.db.execute("SELECT kind, is_open FROM llm_mirror_calls").fetchall(), [("unknown", 1)])
            with self.replica() as node:
                self.assertEqual(node.value("SELECT calls FROM llm_cost_daily"), 1)
            self.assertTrue(json.loads(other.process.stdout.readline()))
        self.standin.latency(0)
        self.assertEqual(json.loads(value(self.db, "SELECT llm_mirror()"))["calls"], 1)
        self.assertEqual(self.db.execute("SELECT kind, is_open, cost_nusd > 0 FROM llm_mirror_calls").fetchall(), [("call", 0, 1)])
        with self.replica() as node:
            self.assertEqual(node.ask("SELECT calls, cost_usd > 0 FROM llm_cost_daily"), [[1, 1]])

    def test_what_was_trimmed_or_imported_is_found(self):
        self.spend()
        value(self.db, "SELECT llm_mirror()")
        log = os.path.join(self.tmp.name, "calls.csv")
        with open(log, "w") as f:
            f.write("Time,Model,In,Out\n2026-01-05T10:00:00Z,gpt-4o-mini,1000,100\n2026-01-05T11:00:00Z,gpt-4o-mini,500,50\n")
        value(self.db, f"SELECT llm_import('{log}', '{{\"columns\":{{\"ts\":\"Time\",\"model\":\"Model\",\"input_tokens\":\"In\",\"output_tokens\":\"Out\"}}}}')")
        self.assertEqual(json.loads(value(self.db, "SELECT llm_mirror()"))["total"], 15)
        months = self.db.execute("SELECT * FROM llm_cost_monthly").fetchall()
        with self.replica() as node:
            self.assertEqual(node.ask("SELECT * FROM llm_cost_monthly"), [list(r) for r in months])
        value(self.db, "SELECT llm_config('keep_calls', '90d')")
        report = json.loads(value(self.db, "SELECT llm_mirror()"))
        self.assertGreaterEqual(report["removed"], 1)
        self.assertEqual(report["total"], value(self.db, "SELECT count(*) FROM llm_calls"))
        with self.replica() as node:
            self.assertEqual(node.ask("SELECT * FROM llm_cost_monthly"), [list(r) for r in self.db.execute("SELECT * FROM llm_cost_monthly")])
            self.assertEqual(node.ask("SELECT id FROM llm_calls ORDER BY id"), [list(r) for r in self.db.execute("SELECT id FROM llm_calls ORDER BY id")])

    def test_the_copy_follows_the_callers_transaction(self):
        self.spend()
        self.db.execute("BEGIN")
        value(self.db, "SELECT llm_mirror()")
        self.db.execute("ROLLBACK")
        self.assertEqual(value(self.db, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'llm_mirror%'"), 0)

    def test_a_copy_of_another_version_is_made_anew_and_read(self):
        self.spend()
        value(self.db, "SELECT llm_mirror()")
        self.db.execute("ALTER TABLE llm_mirror_calls DROP COLUMN cache_miss")
        with self.replica() as node:
            self.assertEqual(node.ask("SELECT count(*), count(cache_miss) FROM llm_calls"), [[13, 0]])
        self.assertEqual(json.loads(value(self.db, "SELECT llm_mirror()"))["calls"], 13)
        self.db.execute("ALTER TABLE llm_mirror_invoices RENAME TO kept")
        self.db.execute("CREATE TABLE llm_mirror_invoices(a)")
        self.db.execute("INSERT INTO llm_mirror_invoices VALUES ('mine')")
        self.assertIn("something else called llm_mirror_invoices", error_of(self.db, "SELECT llm_mirror()"))
        self.assertEqual(value(self.db, "SELECT a FROM llm_mirror_invoices"), "mine")
        self.db.execute("DROP TABLE llm_mirror_invoices")
        self.db.execute("DROP TABLE llm_mirror_rollups")
        self.db.execute("CREATE VIEW llm_mirror_rollups AS SELECT 1 AS x")
        self.assertIn("something else called llm_mirror_rollups", error_of(self.db, "SELECT llm_mirror()"))

    def test_with_the_store_in_main_hits_are_served_and_leave_no_row(self):
        path = os.path.join(self.tmp.name, "main.db")
        with Node(path, **spending(self.standin, LLMCOST_STORE="main")) as primary:
            primary.ask("SELECT llm_init()")
            primary.ask(f"UPDATE llm_models SET base_url = '{self.standin.url}/v1'")
            answer = primary.value("SELECT llm_complete('How do I return an item?', '{\"cache\":\"semantic\"}')")
            rows = primary.ask("SELECT count(*), max(id) FROM llm_calls")
            sent = self.standin.bill()["requests"]
            with Node(path, REPLICA, **spending(self.standin)) as node:
                self.assertEqual(node.value("SELECT llmcost_debug() ->> '$.store'"), "main")
                self.assertEqual(node.value("SELECT llm_complete('How do I return an item?')"), answer)
                self.assertEqual(node.value("SELECT answer FROM llm_call('How do I return an item?')"), answer)
                self.assertEqual(node.value("SELECT llm_complete('how do i return an item', '{\"cache\":\"semantic\",\"threshold\":0.8}')"), answer)
                self.assertEqual(node.ask("SELECT count(*), max(id) FROM llm_calls"), rows)
                self.assertEqual(node.value("SELECT calls FROM llm_cost_daily"), 1)
                for sql in REFUSED:
                    with self.subTest(sql):
                        self.assertIn("this is a replica", node.error(sql))
            self.assertEqual(primary.ask("SELECT count(*), max(id) FROM llm_calls"), rows)
            self.assertIn("there is nothing to copy", primary.error("SELECT llm_mirror()"))
        self.assertEqual(self.standin.bill()["requests"], sent)

    def test_a_replica_never_brings_a_store_up_to_date(self):
        path = os.path.join(self.tmp.name, "main.db")
        with Node(path, **spending(self.standin, LLMCOST_STORE="main")) as primary:
            primary.ask("SELECT llm_init()")
            primary.ask(f"UPDATE llm_models SET base_url = '{self.standin.url}/v1'")
            primary.value("SELECT llm_complete('x')")
            primary.ask("UPDATE llm_meta SET value = 14 WHERE name = 'schema_version'")
        with open(path, "rb") as f:
            before = f.read()
        with Node(path, REPLICA, **spending(self.standin, LLMCOST_STORE="main")) as node:
            self.assertIn("another version's: nothing was written", node.error("SELECT llm_complete('x')"))
        with open(path, "rb") as f:
            self.assertEqual(f.read(), before)


class ServerMode(Desk):
    """LLMCOST_LOCK=1: hosts, keys, files and stores are the environment's to name."""
    NAMING = ("SELECT llm_allow_host('evil.example')", "SELECT llm_allow_host('evil.example', 'OPENAI_API_KEY')",
              "SELECT llm_secret('OPENAI_API_KEY', 'sk-mine-123456')", "SELECT llm_trust_store()",
              "SELECT llm_config('store', '/tmp/other')", "SELECT llm_config('store', NULL)",
              "SELECT llm_config('proxy', 'http://127.0.0.1:1')", "SELECT llm_config('minilm', '/etc/passwd')",
              "SELECT llm_import('/etc/passwd')", "SELECT llm_prices_import('/etc/passwd')",
              "SELECT llm_report('{\"to\":\"/tmp/llmcost-test-report.html\"}')")

    def locked(self, lock="1", **env):
        return Node(self.path, **spending(self.standin, LLMCOST_LOCK=lock, **env))

    def test_what_names_or_adopts_is_refused(self):
        with self.locked() as node:
            self.assertEqual(node.value("SELECT llmcost_debug() ->> '$.server_mode'"), 1)
            for sql in self.NAMING:
                with self.subTest(sql):
                    self.assertIn("is refused in server mode", node.error(sql))
            self.assertEqual(node.value("SELECT llm_config('timeout_ms', 1000)"), 1000)
            self.assertIsNotNone(node.value("SELECT llm_config('store')"))
            self.assertEqual(node.value("SELECT llm_prices_import('{\"my-model\":{\"litellm_provider\":\"openai\",\"input_cost_per_token\":1e-07}}') ->> '$.list'"), "litellm")
            self.assertGreater(node.value("SELECT length(llm_report())"), 1000)
        self.assertFalse(os.path.exists("/tmp/llmcost-test-report.html"))

    def test_every_function_and_setting_is_looked_at(self):
        """A new one that names a host, key, file or store has to be told here."""
        with open(os.path.join(os.path.dirname(SO), "ext/llmcost.c")) as f:
            flagged = set(re.findall(r"X\((\w+), \d+, \d+, [^,]*\bNAMES\b", f.read()))
        with open(os.path.join(os.path.dirname(SO), "ext/conn/settings.c")) as f:
            settings = set(re.findall(r'\{"(\w+)",[^}]*\.is_operators = 1', f.read()))
        self.assertEqual(flagged, {"llm_secret", "llm_allow_host", "llm_trust_store", "llm_import"})
        self.assertEqual(settings, {"store", "proxy", "minilm"})

    def test_the_day_s_cap_is_the_operator_s(self):
        """Who may write SQL can't lower what counts against it: neither by prices of 0, of rows or of a list, nor by another day's zone."""
        free = "INSERT INTO llm_prices(model, kind, usd_per_million) VALUES ('gpt-4o-mini', 'input', 0), ('gpt-4o-mini', 'output', 0)"
        listed = "SELECT llm_prices_import('{\"gpt-4o-mini\":{\"litellm_provider\":\"openai\",\"input_cost_per_token\":0,\"output_cost_per_token\":0}}')"
        ask = "SELECT llm_complete('question {}', '{{\"model\":\"{}\",\"max_tokens\":{},\"cache\":\"off\"}}')".format
        bill = lambda: sum(e["nusd"] for e in self.standin.journal() if e["billed"])
        for changed in (free, listed):
            self.db.execute("DELETE FROM llm_prices")
            value(self.db, changed) if changed is listed else self.db.execute(changed)
            before = bill()
            with self.locked(LLMCOST_BUDGET_USD_DAY="0.0001") as node:
                self.assertIn("LLMCOST_BUDGET_USD_DAY", node.error(ask(0, "gpt-4o-mini", 4000)))  # too dear by itself, by the catalogue
                told = next(said for said in (node.ask(ask(i, "gpt-4o-mini", 100)) for i in range(40)) if isinstance(said, str))
                self.assertRegex(told, "of \\$0.0001.*nothing was sent; until ....-..-.. 00:00")
                self.assertIn("LLMCOST_BUDGET_USD_DAY", node.error("SELECT llm_config('time_zone', 'Pacific/Kiritimati'), " + ask(99, "gpt-4o-mini", 100)[7:]))
            self.assertGreater(bill() - before, 10000)
            self.assertLessEqual(bill() - before, 100000)
            with Node(self.path, **spending(self.standin, LLMCOST_BUDGET_USD_DAY="0.0001")) as node:
                node.value(ask(0, "gpt-4o-mini", 4000))  # one's own process: one's own prices

    def test_what_the_catalogue_does_not_price_has_no_price_under_the_operator_s_cap(self):
        self.db.execute("INSERT INTO llm_prices(model, kind, usd_per_million) VALUES ('new-one', 'input', 0), ('new-one', 'output', 0)")
        self.db.execute("INSERT INTO llm_models(name, provider, api, base_url, key_env, supports) SELECT 'new-one', provider, api, base_url, key_env, supports FROM llm_models WHERE name = 'gpt-4o'")
        ask = "SELECT llm_complete('q', '{\"model\":\"new-one\",\"max_tokens\":9}')"
        with self.locked(LLMCOST_BUDGET_USD_DAY="1") as node:
            said = node.error(ask)
            self.assertIn("nobody prices model 'new-one'", said)
            self.assertNotIn("llm_prices", said)
        with Node(self.path, **spending(self.standin, LLMCOST_BUDGET_USD_DAY="1")) as node:
            self.assertIsNotNone(node.value(ask))

    def test_no_error_offers_what_is_refused(self):
        self.db.execute("UPDATE llm_models SET base_url = 'http://127.0.0.1:9/v1', key_env = 'AWS_SECRET_KEY' WHERE name = 'gpt-4o-mini'")
        self.db.execute("UPDATE llm_models SET key_env = 'AWS_SECRET_KEY' WHERE name = 'gpt-4o'")
        asked = [f"SELECT llm_complete('x', '{{\"model\":\"{m}\"}}')" for m in ("gpt-4o-mini", "gpt-4o", "mistral/mistral-small-2603", "groq/llama-3.1-8b-instant")]
        asked += ["SELECT llm_complete('x', '{\"api_key\":\"sk\"}')", "SELECT llm_complete('x', '{\"proxy\":\"sk\"}')",
                  "CREATE VIRTUAL TABLE f USING semantic_cache(embedder='minilm')"]
        offers = re.compile("llm_allow_host|llm_secret|llm_trust_store|llm_config\\('(store|proxy|minilm)")
        with self.locked(LLMCOST_MINILM="/nonexistent") as node:
            for sql in asked:
                with self.subTest(sql):
                    self.assertIsNone(offers.search(node.error(sql)), node.error(sql))
        with Node(self.path, **spending(self.standin)) as node:
            self.assertIn("llm_allow_host", node.error(asked[0]))

    def test_a_stranger_store_is_refused_without_offering_to_adopt_it(self):
        value(self.db, "SELECT llm_complete('x')")
        state = os.path.join(self.tmp.name, "state")
        os.mkdir(state)
        with self.locked(XDG_STATE_HOME=state) as node:
            message = node.error("SELECT llm_complete('x')")
            self.assertIn("was not made by this installation", message)
            self.assertNotIn("llm_trust_store", message)

    def test_off_is_off(self):
        with self.locked("0") as node:
            self.assertEqual(node.value("SELECT llm_allow_host('evil.example')"), "evil.example")
        with self.locked("off") as node:
            self.assertIn("server mode", node.error("SELECT llm_allow_host('evil.example')"))

    def test_calls_go_on(self):
        with self.locked() as node:
            self.assertIn("x", node.value("SELECT llm_complete('x')"))


class Primary(unittest.TestCase):
    """Where the store of a primary may lie."""

    def setUp(self):
        self.tmp = TempDir()
        self.addCleanup(self.tmp.cleanup)
        self.dbs = os.path.join(self.tmp.name, "server/dbs")
        for name in ("a", "b"):
            os.makedirs(os.path.join(self.dbs, name))
            open(os.path.join(self.dbs, name, "wallog"), "w").close()
        self.stores = os.path.join(self.tmp.name, "stores")
        os.mkdir(self.stores)

    def node(self, name, store, **env):
        more = {"LLMCOST_STORE": store} if store else {}
        return Node(os.path.join(self.dbs, name, "data"), **env, **more)

    def test_places_that_are_refused(self):
        link = os.path.join(self.tmp.name, "link")
        os.symlink(os.path.join(self.dbs, "a"), link)
        for store in (None, os.path.join(self.tmp.name, "one"), os.path.join(self.dbs, "a/"), os.path.join(self.tmp.name, "server/"),
                      os.path.join(self.dbs, "../stores-of-mine/../dbs/"), link + "/"):
            with self.subTest(store), self.node("a", store, OPENAI_API_KEY="sk-x-123456789") as node:
                self.assertIn("on a server the store must be outside of the database's folder", node.error("SELECT llm_complete('x')"))
                self.assertEqual(node.value("SELECT llm_cost('gpt-4o-mini', 1000, 10) > 0"), 1)
                self.assertEqual(node.value("SELECT llm_tokens('abc', 'gpt-4o')"), 1)
                self.assertIn("LLMCOST_STORE", node.value("SELECT llmcost_debug() ->> '$.store_error'"))

    def test_each_database_has_a_file_of_its_own(self):
        with Standin() as standin:
            for name in ("a", "b"):
                with self.node(name, self.stores + "/", **spending(standin)) as node:
                    node.ask("SELECT llm_init()")
                    node.ask(f"UPDATE llm_models SET base_url = '{standin.url}/v1'")
                    node.value(f"SELECT llm_complete('of {name}')")
            for name in ("a", "b"):
                with self.node(name, self.stores + "/", **spending(standin)) as node:
                    self.assertEqual(node.ask("SELECT text FROM llm_texts"), [[f"of {name}"]])
            self.assertEqual(sorted(f.split("-")[0] for f in os.listdir(self.stores) if f.endswith("-llmcost")), ["a", "b"])

    def test_a_database_that_was_made_anew_is_another_one(self):
        """As when a namespace is deleted and made again: same path, often the same inode."""
        with Standin() as standin:
            stores = []
            for _ in range(2):
                with self.node("a", self.stores + "/", **spending(standin)) as node:
                    node.ask("SELECT llm_init()")
                    node.ask(f"UPDATE llm_models SET base_url = '{standin.url}/v1'")
                    stores.append(node.value("SELECT llmcost_debug() ->> '$.store'"))
                    node.value("SELECT llm_complete('mine')")
                    self.assertEqual(node.ask("SELECT kind FROM llm_calls"), [["call"]])
                with self.node("a", self.stores + "/", **spending(standin)) as node:
                    self.assertEqual(node.value("SELECT count(*) FROM llm_calls"), 1)  # opened again it is the same
                for file in os.listdir(os.path.join(self.dbs, "a")):
                    if file.startswith("data"):
                        os.remove(os.path.join(self.dbs, "a", file))
            self.assertNotEqual(*stores)


if __name__ == "__main__":
    unittest.main()
