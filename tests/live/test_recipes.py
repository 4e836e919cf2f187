"""Each recipe of sql/manual/CONTRIBUTING.md done once: what it adds is built and works, and it touches three places at
most, documentation included. One copy of the sources takes them all."""
import os
import shutil
import subprocess
import unittest

from harness import ROOT, Standin, TempDir, connect, open_desk, setup_sql, value

# Recipe -> [(file, the line it goes behind, what goes there)]
RECIPES = {
    "function": [
        ("ext/llmcost.c", "  X(llm_normalize, 1, 1, PURE, FIRST)", " \\\n  X(llm_recipe, 1, 2, DIRECT, FIRST)"),
        ("ext/fn/text/text.c", "", """
void fn_llm_recipe(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  argc == 2 ? (void)err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "no second") : sqlite3_result_value(ctx, argv[0]);
}
"""),
        ("README.md", "| `llm_usd(nusd)` | nano-dollars as text in dollars |\n", "| `llm_recipe(a [, b])` | a |\n"),
    ],
    "view": [
        ("sql/views.sql", "", "\nCREATE VIEW IF NOT EXISTS main.llm_recipe_view AS SELECT count(*) AS n FROM llm_spend;\n"),
        ("ext/tables/store_table.c", '{.name = "llm_spend", .rowid = "id", .has_time = 1},', ' {.name = "llm_recipe_view"},'),
        ("README.md", "| `llm_spend` | the ledger, with what each row counts as |\n", "| `llm_recipe_view` | n |\n"),
    ],
    "column": [
        ("ext/store/db/row.h", '  X(cache_miss, TEXT, "", SETTLED)', ' \\\n  X(recipe, TEXT, "", SETTLED)'),
        ("ext/store/schema/migrate.c", "{15, NULL, add_columns_of_15},", " {16, NULL, add_columns},"),
        ("sql/manual/ledger.md", "", ""),
    ],
    "option": [
        ("ext/core/request/options.h", "  int dry_run;\n", "  int recipe;\n"),
        ("ext/core/request/options.c", '    {"dry_run", INTO(SWITCH, dry_run)},\n', '    {"recipe", INTO(SWITCH, recipe)},\n'),
        ("sql/manual/options.md", "| `user` | for whom it was: a customer, a colleague | none | `\"ann\"` |\n",
         "| `recipe` | a recipe | `false` | `true` |\n"),
    ],
    "setting": [
        ("ext/conn/settings.h", "  long long ttl_ms, ", "recipe, "),
        ("ext/conn/settings.c", '.initial = "500"},\n',
         '    {"recipe", INTO(INTEGER, recipe), .min = 0, .max = 9, .initial = "7"},\n'),
        ("sql/manual/settings.md", "| `retries` | how many more attempts after the first | 2 |\n", "| `recipe` | a recipe | 7 |\n"),
    ],
    "price": [
        ("sql/prices_more.tsv", "", "@provider\tmoonshotai\n@source\texample.com/prices\n"
         "recipe-1\trecipe-1\t-\t-\t-\t0\tstandard\tinput=1.5 output=2.5\n"),
    ],
}


def put(tree, name, behind, what):
    path = os.path.join(tree, name)
    with open(path) as f:
        text = f.read()
    assert behind in text, f"{name}: {behind!r} is gone: mend this test and CONTRIBUTING.md"
    at = text.index(behind) + len(behind) if behind else len(text)
    with open(path, "w") as f:
        f.write(text[:at] + what + text[at:])


class Recipes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """The tree with every recipe in it, its library built from what was compiled already."""
        cls.folder = TempDir()
        tree = cls.tree = os.path.join(cls.folder.name, "tree")
        for name in ("ext", "vec", "sql", "bench", "Makefile", "VERSION", "README.md"):
            source = os.path.join(ROOT, name)
            (shutil.copytree if os.path.isdir(source) else shutil.copy2)(source, os.path.join(tree, name))
        shutil.copytree(os.path.join(ROOT, "tests"), os.path.join(tree, "tests"), ignore=shutil.ignore_patterns("corpus", "data"))
        shutil.copytree(os.path.join(ROOT, "build/so"), os.path.join(tree, "build/so"))
        for name in os.listdir(os.path.join(ROOT, "build")):  # what tells make that flags are the same
            path = os.path.join(ROOT, "build", name)
            if os.path.isfile(path) and os.path.getsize(path) < 100000:
                shutil.copy2(path, os.path.join(tree, "build", name))
        for edits in RECIPES.values():
            for name, behind, what in edits:
                if what:
                    put(tree, name, behind, what)
        built = subprocess.run(["make", "-j2", "llmcost.so"], cwd=tree, capture_output=True, text=True)
        assert built.returncode == 0, built.stdout[-1000:] + built.stderr[-3000:]
        cls.so = os.path.join(tree, "llmcost.so")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def setUp(self):
        self.standin = Standin().__enter__()
        self.desk = TempDir()
        self.path = os.path.join(self.desk.name, "desk.db")

    def tearDown(self):
        self.standin.__exit__()
        self.desk.cleanup()

    def open(self):
        db = connect(self.path, so=self.so)
        for sql in setup_sql(self.standin.url):
            db.execute(sql).fetchall()
        return db

    def test_three_places_at_most(self):
        for recipe, edits in RECIPES.items():
            self.assertLessEqual(len({name for name, _, _ in edits}), 3, recipe)

    def test_a_function(self):
        db = self.open()
        self.assertEqual(value(db, "SELECT llm_recipe(?)", "x"), "x")
        self.assertIsNone(value(db, "SELECT llm_recipe(NULL, 1)"))
        with self.assertRaisesRegex(Exception, "^llm_recipe: no second$"):
            value(db, "SELECT llm_recipe(1, 2)")
        db.execute("CREATE TABLE t(x)")
        db.execute("PRAGMA writable_schema = 1")
        db.execute("UPDATE sqlite_schema SET sql = 'CREATE TABLE t(x CHECK (llm_recipe(x) IS NOT 5))' WHERE name = 't'")
        db.close()
        db = self.open_plain()
        with self.assertRaisesRegex(Exception, "names llm_recipe: nothing was done"):
            db.execute("INSERT INTO t VALUES (1)")
        db.close()

    def open_plain(self):
        return connect(self.path, so=self.so)

    def test_a_view_and_a_column_reach_a_store_that_exists(self):
        open_desk(self.path, self.standin.url).close()  # the build without them
        old = connect(self.path)
        for sql in setup_sql(self.standin.url):
            old.execute(sql).fetchall()
        value(old, "SELECT llm_complete('x')")
        old.close()
        db = self.open()
        self.assertIsNone(value(db, "SELECT recipe FROM llm_calls"))
        value(db, "SELECT llm_complete('y')")
        self.assertEqual(value(db, "SELECT n FROM llm_recipe_view"), 2)
        db.close()

    def test_an_option_and_a_setting(self):
        db = self.open()
        self.assertEqual(value(db, "SELECT llm_config('recipe')"), 7)
        self.assertEqual(value(db, "SELECT llm_config('recipe', 3)"), 3)
        with self.assertRaisesRegex(Exception, "recipe.*0 to 9"):
            value(db, "SELECT llm_config('recipe', 10)")
        self.assertTrue(value(db, "SELECT llm_complete('x', '{\"recipe\":true}')"))
        with self.assertRaisesRegex(Exception, "recipe"):
            value(db, "SELECT llm_complete('x', '{\"recipe\":\"perhaps\"}')")
        db.close()

    def test_the_manual_knows_them(self):
        db = self.open()
        told = dict(db.execute("SELECT name, kind FROM llm_functions() WHERE name GLOB '*recipe*'").fetchall())
        self.assertEqual(told, {"llm_recipe": "function", "llm_recipe_view": "view", "recipe": "setting"})
        self.assertIn("[option]", value(db, "SELECT llm_help('recipe')"))
        db.close()

    def test_a_price(self):
        db = self.open()
        self.assertEqual(value(db, "SELECT llm_cost('recipe-1', 1000000, 1000000, '{\"provider\":\"moonshotai\"}')"), 4.0)
        db.close()
