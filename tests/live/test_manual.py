"""README and the pages of the manual: every example runs in the shell as printed, from the top of its page to the bottom, and
gives what stands behind it; the index names all that there is, and nothing else; llm_help answers.

An example's value is written '--> value' behind a statement or on the lines after it: what the shell prints, a line each;
'--> error: text' is a part of its error's message."""
import glob
import os
import re
import sqlite3
import subprocess
import unittest

from harness import ROOT, SO, Desk, Standin, TempDir, clean_env, connect, error_of, leave_midnight, prelude_sql, value

PAPERS = {"ARCHITECTURE", "CHANGELOG", "CONTRIBUTING", "SECURITY"}
PAGES = {"README": os.path.join(ROOT, "README.md")}
PAGES.update({name: path for path in sorted(glob.glob(os.path.join(ROOT, "sql/manual/*.md")))
              for name in [os.path.basename(path)[:-3]] if name not in PAPERS})
MARK = "-->"
# A comment that is a value, or wants to be one.
LIKE_A_VALUE = re.compile(r"^[-+]?[\d.,| ]+$|^'[^']*'$|^\S*\|\S*|^(=|→|gives?\b|NULL$)")


def read(path):
    with open(path) as f:
        return f.read()


def blocks(text, language):
    return re.findall(rf"(?m)^```{language}\n(.*?)^```", text, re.S)


class Example:
    """A statement of the shell, and what it gives; given None: nothing is said of that."""

    def __init__(self, sql):
        self.sql, self.given = sql, None

    def gives(self, line):
        self.given = [*(self.given or []), line]


def comment_of(line):
    """Where a comment begins: its place, or -1."""
    quoted = False
    for i, c in enumerate(line):
        quoted ^= c == "'"
        if not quoted and line.startswith("--", i):
            return i
    return -1


def examples(block, bad):
    """The statements of a block. Comments that look like values and are none go into `bad`."""
    found, so_far = [], ""
    for line in block.splitlines():
        at = comment_of(line) if not so_far.count("'") % 2 else -1
        code, comment = (line[:at], line[at:]) if at >= 0 else (line, "")
        if not so_far and code.startswith("."):
            if not code.startswith(".load"):
                found.append(Example(code))
            continue
        so_far += code.rstrip() + "\n" if code.strip() else ""
        if sqlite3.complete_statement(so_far):
            found.append(Example(so_far))
            so_far = ""
        if comment.startswith(MARK):
            found[-1].gives(comment[len(MARK):].strip()) if found and not so_far else bad.append(line)
        elif LIKE_A_VALUE.match(comment[2:].strip()):
            bad.append(line)
    if so_far.strip():
        bad.append(f"a statement that does not end: {so_far}")
    return found


def run(argv, prelude, found, **process):
    """What the shell that argv starts prints for each example, a list of lines."""
    sql = prelude + "".join(f"SELECT '@@{i}@@';\n{e.sql}\n" for i, e in enumerate(found)) + "SELECT '@@end@@';\n"
    done = subprocess.run(argv, input=sql, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, **process)
    parts = re.split(r"(?m)^@@\w+@@\n", done.stdout)
    assert len(parts) == len(found) + 2, done.stdout[-2000:]
    return [part.splitlines() for part in parts[1:-1]]


class Examples(unittest.TestCase):
    def setUp(self):
        leave_midnight(20)
        self.standin = Standin().__enter__()
        self.folder = TempDir()
        with open(os.path.join(self.folder.name, "calls.csv"), "w") as f:
            f.write("Time,Model,In,Out\n2026-11-04T09:00:00Z,gpt-4o-mini,10,5\n")
        os.symlink(f"{ROOT}/tests/data/imports/claude_code", os.path.join(self.folder.name, ".claude"))
        os.symlink(f"{ROOT}/examples", os.path.join(self.folder.name, "examples"))
        os.mkdir(os.path.join(self.folder.name, "exports"))
        os.symlink(f"{ROOT}/tests/data/imports/openai_costs.json", os.path.join(self.folder.name, "exports/openai_costs_11.json"))

    def tearDown(self):
        self.standin.__exit__()
        self.folder.cleanup()

    def check(self, page):
        bad = []
        found = [e for block in blocks(read(PAGES[page]), "sql") for e in examples(block, bad)]
        self.assertEqual(bad, [], f"{page}: write a value as '{MARK} value'")
        prelude = prelude_sql(SO, self.standin.url) + ("DROP TABLE temp.standin;\n"
            "UPDATE llm_models SET key_env = 'OPENAI_API_KEY' WHERE key_env IS NULL;\n")  # the stand-in wants one
        given = run(["stdbuf", "-oL", "sqlite3", "-batch", "desk.db"], prelude, found, env=clean_env(HOME=self.folder.name),
                    cwd=self.folder.name)
        for e, lines in zip(found, given):
            with self.subTest(page=page, sql=e.sql.strip()):
                wrong = [line for line in lines if re.match(r"(Parse|Runtime|Error)\b.*error|Error:", line)]
                if e.given and e.given[0].startswith("error:"):
                    self.assertTrue(wrong, f"no error, but {lines}")
                    self.assertIn(e.given[0][len("error:"):].strip(), "\n".join(lines))
                    continue
                self.assertEqual(wrong, [])
                if e.given is not None:
                    self.assertEqual([line.strip() for line in lines], e.given)
        return found


def add_page_tests():
    for page in PAGES:
        setattr(Examples, f"test_{page}", lambda self, page=page: self.check(page))


add_page_tests()


class Form(unittest.TestCase):
    def test_lengths(self):
        self.assertLess(len(read(PAGES["README"]).splitlines()), 250)
        for page, path in PAGES.items():
            text = re.sub(r"(?ms)^```.*?^```", "", read(path))
            for line in text.splitlines():
                with self.subTest(page=page, line=line):
                    if line.startswith("|"):
                        cells = [c.strip() for c in re.split(r"(?<!\\)\|", line)[1:-1]]
                        self.assertLessEqual(max(map(len, cells)), 260)
                    else:
                        self.assertLessEqual(len(line), 120)
            for line in "\n".join(blocks(read(path), r"\w+")).splitlines():
                with self.subTest(page=page, code=line):
                    self.assertLessEqual(len(line), 125)

    def test_sentences_are_short(self):
        """Words of a sentence, on average: of prose, without tables and code."""
        for page, path in PAGES.items():
            text = re.sub(r"(?ms)^```.*?^```|^\|.*?$|^#.*?$|<!--.*?-->", "", read(path))
            sentences = [s.split() for s in re.split(r"[.!?:](?:\s|$)|\n\s*\n|^\* ", text) if s and len(s.split()) > 2]
            with self.subTest(page=page):
                self.assertLess(sum(map(len, sentences)) / max(len(sentences), 1), 20)

    def test_targets_of_make(self):
        makefiles = "".join(read(p) for p in [f"{ROOT}/Makefile", *glob.glob(f"{ROOT}/tests/*.mk"), *glob.glob(f"{ROOT}/*/*.mk"),
                                              *glob.glob(f"{ROOT}/tests/*/*.mk")])
        for page, path in PAGES.items():
            for target in re.findall(r"\bmake ([a-z][a-z-]+)", " ".join(re.findall(r"`[^`]*`|```sh.*?```", read(path), re.S))):
                with self.subTest(page=page, target=target):
                    self.assertRegex(makefiles, rf"(?m)^{target}:")

    def test_links_lead_to_pages(self):
        for page, path in PAGES.items():
            for link in re.findall(r"\]\((?!http)([^)#]+)", read(path)):
                with self.subTest(page=page, link=link):
                    self.assertTrue(os.path.exists(os.path.join(os.path.dirname(path), link)))


def counts(arguments):
    """Fewest and most arguments of 'a, b [, c]'."""
    optional = re.findall(r"\[[^\]]*\]", arguments)
    few = len([a for a in re.sub(r"\[[^\]]*\]", "", arguments).split(",") if a.strip()])
    return few, few + sum(len([a for a in o.strip("[]").split(",") if a.strip()]) for o in optional)


class Index(Desk):
    """README's index beside the library, both ways."""

    def setUp(self):
        super().setUp()
        self.entries = self.db.execute("SELECT name, arguments, kind, line, page FROM llm_functions()").fetchall()

    def names(self, *kinds):
        return {name for name, _, kind, _, _ in self.entries if kind in kinds}

    def valid(self, sql):
        """The names that an error lists."""
        return set(re.findall(r"[a-z_0-9]+", re.search(r"\(valid: (.*?)\)", error_of(self.db, sql)).group(1)))

    def test_each_entry_is_whole(self):
        self.assertGreater(len(self.entries), 90)
        for name, arguments, kind, line, page in self.entries:
            with self.subTest(name):
                self.assertTrue(line and kind)
                self.assertIn(page, set(PAGES) - {"README"} if kind != "page" else PAGES, "no page tells of it")
                self.assertLess(len(line), 260 if kind in ("option", "setting") else 100)

    def test_functions(self):
        ours = set(self.db.execute("SELECT name, narg FROM pragma_function_list WHERE name GLOB 'llm*' OR name GLOB 'embed*'"))
        told = {(name, n) for name, arguments, kind, _, _ in self.entries if kind == "function"
                for n in range(counts(arguments)[0], counts(arguments)[1] + 1)}
        self.assertEqual(told, ours)

    def test_modules(self):
        ours = {r[0] for r in self.db.execute("SELECT name FROM pragma_module_list WHERE name GLOB 'llm_*' OR name GLOB 'embed*'"
                                              " OR name = 'semantic_cache'")}
        yours = {r[0] for r in self.db.execute("SELECT name FROM sqlite_schema WHERE (name GLOB 'llm_*' OR name = 'batch_submit') AND type = 'table'")}
        self.assertEqual(self.names("table", "view", "table function"), ours | yours)

    def test_arguments_of_table_functions(self):
        for name, arguments, kind, _, _ in self.entries:
            if kind == "table function":
                hidden = [r[0] for r in self.db.execute("SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 1", (name,))]
                with self.subTest(name):
                    self.assertEqual(re.findall(r"\w+", arguments), [h for h in hidden if h not in ("reasoning", "logprobs")])

    def test_settings(self):
        self.assertEqual(self.names("setting"), self.valid("SELECT llm_config('nonsense')"))

    def test_options(self):
        valid = self.valid("SELECT llm_complete('x', '{\"nonsense\":1}')")  # these it refuses
        self.assertEqual(self.names("option"), valid)

    def test_pages(self):
        self.assertEqual(self.names("page"), set(PAGES) - {"README"})


def rows(page, head=None):
    """The names in the first cells of a page's tables; of those whose first column is called so."""
    cells, header = [], None
    for line in read(PAGES[page]).splitlines():
        cell = re.split(r"(?<!\\)\|", line)[1] if line.startswith("|") else None
        header = (header or cell.strip()) if cell is not None else None
        if cell and line.startswith("| ") and head in (None, header):
            cells.append(cell)
    return {re.match(r"\w*", code).group() for cell in cells for code in re.findall(r"`([^`]*)`", cell)}


class Pages(Desk):
    """What else SQL can say stands in its page."""

    def test_columns_of_the_ledger(self):
        told = read(PAGES["ledger"]).split("### The columns of `llm_calls`")[1].split("\n#")[0]
        named = [name for line in told.splitlines() if line.startswith("| `")
                 for name in re.findall(r"`(\w+)`", line.split(" | ")[0])]
        columns = [r[0] for r in self.db.execute("SELECT name FROM pragma_table_info('llm_calls')")]
        self.assertEqual(sorted(named), sorted(columns))

    def test_error_codes(self):
        codes = set(re.findall(r'^  X\(ERR_\w+, "(\w+)"', read(f"{ROOT}/ext/base/error.h"), re.M))
        table = read(PAGES["errors"]).split("## Codes")[1].split("\n### ")[0]
        told = re.findall(r"`(\w+)`", " ".join(line.split(" | ")[1] for line in table.splitlines() if line.startswith("| ")))
        self.assertEqual(sorted(told), sorted(codes))

    def test_what_is_named_is_there(self):
        value(self.db, "SELECT llm_complete('x')")
        value(self.db, "SELECT llm_mirror()")
        known = {"llmcost_ro"} | {r[0] for sql in ("SELECT name FROM pragma_function_list", "SELECT name FROM pragma_module_list",
                                  "SELECT name FROM sqlite_schema") for r in self.db.execute(sql)} | rows("imports")
        store = sqlite3.connect(self.path + "-llmcost")
        known |= {r[0] for r in store.execute("SELECT name FROM sqlite_schema")}
        store.close()
        for page in PAGES:
            with self.subTest(page):
                named = set(re.findall(r"\b(?:llm|llmcost|embed)_[a-z_]+\b", read(PAGES[page])))
                self.assertEqual(named - known, set())

    def test_options_of_prices_and_caches(self):
        for page, sql in (("prices", "SELECT llm_cost('gpt-4o', 1, 1, '{\"nonsense\":1}')"),
                          ("prices", "SELECT llm_price('gpt-4o', 'input', '{\"nonsense\":1}')"),
                          ("cache", "CREATE VIRTUAL TABLE c USING semantic_cache(nonsense=1)"),
                          ("imports", "SELECT llm_import('x', '{\"nonsense\":1}')"),
                          ("imports", "SELECT * FROM llm_reconcile('{\"nonsense\":1}')")):
            valid = re.search(r"\(valid: (.*?)\)", error_of(self.db, sql)).group(1).replace(" and the other units", "")
            with self.subTest(sql):
                self.assertEqual(set(re.findall(r"[a-z_0-9]+", valid)) - rows(page), set())

    def test_columns_have_a_row(self):
        """Of all that is ours; and what a table of columns names is a column."""
        value(self.db, "SELECT llm_init()")
        self.db.execute("CREATE VIRTUAL TABLE faq USING semantic_cache")
        names = [r[0] for r in self.db.execute("SELECT name FROM llm_functions() WHERE kind IN ('table', 'view', 'table function')")]
        columns = {}
        for table in [*names, "faq"]:
            for column, in self.db.execute("SELECT name FROM pragma_table_xinfo(?)", (table,)):
                columns.setdefault(column, table)
        told = set().union(*map(rows, PAGES))
        for column in sorted(set(columns) - told - {"faq"}):
            with self.subTest(column):
                self.fail(f"no table of a page has `{column}` (of {columns[column]}) in its first cell")
        for page in PAGES:
            with self.subTest(page):
                self.assertEqual(rows(page, "column") - set(columns), set(), "no such column")

    def test_settings_and_options_have_a_row(self):
        for page, sql in (("settings", "SELECT llm_config('nonsense')"), ("options", "SELECT llm_complete('x', '{\"nonsense\":1}')")):
            valid = re.search(r"\(valid: (.*?)\)", error_of(self.db, sql)).group(1)
            self.assertEqual(set(re.findall(r"[a-z_0-9]+", valid)) - rows(page), set())


class Help(unittest.TestCase):
    def setUp(self):
        self.db = connect(":memory:")
        self.addCleanup(self.db.close)

    def ask(self, topic):
        text = value(self.db, "SELECT llm_help(?)", topic)
        for line in text.splitlines():
            self.assertLess(len(line), 140, f"llm_help('{topic}'): {line}")
        return text

    def test_all_that_is_listed_has_its_page(self):
        overview = value(self.db, "SELECT llm_help()")
        for name, kind, line in self.db.execute("SELECT name, kind, line FROM llm_functions()").fetchall():
            with self.subTest(name):
                self.assertRegex(overview, rf"[ ]{re.escape(name)}\b")
                text = self.ask(name)
                if kind != "page":
                    self.assertIn(f"[{kind}]", text)
                    self.assertIn(line.split()[0], text)
                self.assertIn("== ", text, "the index alone is no explanation")

    def test_topics(self):
        for topic, wanted in {
                "429": "tried again",
                "Runtime error near line 3: llm_complete: openai answered 429 (rate_limit): slow down": "429",
                "unsafe use of virtual table": "TEMP",
                "Parse error: unsafe use of virtual table \"llm_calls\"": "TEMP",
                "no such column: cost_usd": "cost_nusd",
                "Error: stepping, wrong number of arguments to function llm_cost()": "llm_help",
                "SELECT llm_cost('gpt-4o', 1, 2);": "[function]",
                "locked": "database is locked",
                "no such table: llm_calls": ".load",
                "no such function": ".load",
                "no such function: llm_complete": ".load",
                "llm_complete: no key for model 'gpt-4o-mini': set OPENAI_API_KEY, or SELECT llm_secret('OPENAI_API_KEY', 'sk')": "key",
                "llm_compleet": "llm_help('llm_complete')",
                "LLM_COST(": "[function]",
                "llm_calls.cost_nusd": "nano-dollars",
                "%proxy%": "[setting]",
                "ctrl-c": "interrupt",
                "php": "querySingle",
                "python": "set_progress_handler",
                "Python": "enable_load_extension(True)",
                "prices.md": "llm_cost",
                "the option schema": "JSON Schema",
                "cache_write_1h": "hour",
                "xyzzyplugh": "llm_help()"}.items():
            with self.subTest(topic):
                self.assertIn(wanted, self.ask(topic))

    def test_what_is_shown_first(self):
        """A topic as a newcomer types it, and the first finding: 'page: heading', or what its first lines hold."""
        for line in read(os.path.join(ROOT, "tests/data/topics.txt")).splitlines():
            if line and not line.startswith("#"):
                topic, wanted = (part.strip() for part in line.split(" => "))
                with self.subTest(topic):
                    text = self.ask(topic)
                    first = re.split(r"\n\n(?=== )", text)[0].replace("`", "")
                    place, _, inside = wanted.partition(" ~ ")
                    if place.split(":")[0] in PAGES and ": " in place:
                        self.assertEqual(first.splitlines()[0], "== " + place)
                        self.assertIn(inside, " ".join(first.split()))
                    else:
                        self.assertIn(wanted, "\n".join(text.splitlines()[:3]))

    def test_every_column_is_found(self):
        for name in ("saved_usd", "near_misses", "false_hits_reported", "hits_exact", "drift_usd", "wasted_usd", "is_miss", "week",
                     "last_ts", "precedence", "belongs", "cause", "offset", "grain"):
            with self.subTest(name):
                self.assertRegex(self.ask(name), rf"^== (ledger|cache|imports): [^\n]*\n  .*`{name}`")

    def test_nearest_only_for_what_is_nowhere(self):
        for topic in ("version", "slow", "readonly", "wal", "npm", "windows", "key", "free"):
            with self.subTest(topic):
                self.assertNotIn("Nearest", self.ask(topic))

    def test_null_and_bytes(self):
        self.assertIsNone(value(self.db, "SELECT llm_help(NULL)"))
        for topic in ("", "  ", "'", "\x00", "x" * 100000, "%_%", "é", "((((", 7, b"\xff\xfe"):
            self.assertTrue(value(self.db, "SELECT llm_help(?)", topic))


if __name__ == "__main__":
    unittest.main()
