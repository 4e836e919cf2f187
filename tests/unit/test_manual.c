/*
** The manual: blocks of Markdown, the index, topics.
*/
#include "unit.h"

#include "core/manual/entry.h"
#include "core/manual/help.h"
#include "core/manual/show.h"
#include "core/manual/words.h"

static const char front[] =
    "# It\n\nWhat it is.\n\n## Index\n\n### Functions\n\n| name | what it gives |\n|---|---|\n"
    "| `f(a [, b])` | the **f** of a |\n| `g()` | g, see [calls](x.md) |\n\n"
    "### Settings\n\n| name | what it gives |\n|---|---|\n| `proxy` | a proxy |\n\n## "
    "After\n\nEnd.\n";
static const char calls[] =
    "# Calls\n\nHow to call.\n\n## `f(a [, b])`: asking\n\nThe f. It has "
    "`proxy`.\n\n```sql\nSELECT f(1);   --> 2\n```\n\n"
    "### Parts\n\n* one\n  goes on\n* two\n\n## Waiting\n<!-- also: patience,\nslow -->\n\n<!-- "
    "nothing\nof this -->\nNo rare_word "
    "here.\n\n"
    "| option | meaning | default |\n|---|---|---|\n| `speed`, `haste` | how \\| fast | `1` |\n";
static const char errors[] =
    "# Errors\n\n## Keys\n\n| you see | do |\n|---|---|\n| `no key for model '…': set …_KEY` | set "
    "it |\n"
    "| `429`, `answered 429` | wait |\n| `database is locked` | wait too |\n";
static const ManualPage pages[] = {
    {"README", front}, {"calls", calls}, {"errors", errors}, {NULL, NULL}};

static char *help(const char *topic) {
  Buf out;
  buf_init(&out, 1 << 20);
  check(help_write(pages, topic, strlen(topic), &out) == RC_OK, "%s", topic);
  return buf_take(&out);
}

static void check_help(const char *topic, const char *wanted) {
  char *text = help(topic);
  check(strstr(text, wanted), "llm_help('%s') has no '%s' but: %s", topic, wanted, text);
  free(text);
}

static void test_blocks(void **state) {
  static const PageBlockKind kinds[] = {PAGE_HEADING, PAGE_TEXT,    PAGE_HEADING, PAGE_TEXT,
                                        PAGE_CODE,    PAGE_HEADING, PAGE_ITEM,    PAGE_ITEM,
                                        PAGE_HEADING, PAGE_TEXT,    PAGE_ROW};
  PageBlocks b;
  PageBlock next, block = {0};
  size_t n = 0;
  (void)state;
  for (blocks_start(&b, calls); blocks_next(&b, &next); n++) {
    block = next;
    check(n < COUNT(kinds) && block.kind == kinds[n], "block %zu: %d", n, block.kind);
  }
  assert_int_equal(n, COUNT(kinds));
  Span cell;
  check(row_cell(block.text, 1, &cell) && span_same(cell, "how \\| fast", 11), "a bar in a cell");
  check(row_cell(block.head, 2, &cell) && span_same(cell, "DEFAULT", 7), "the header");
  check(!row_cell(block.text, 3, &cell), "no fourth cell");
}

static void test_entries(void **state) {
  static const char *const wanted[] = {"f",     "a [, b]", "function", "the f of a",   "calls",
                                       "g",     "",        "function", "g, see calls", "-",
                                       "proxy", "-",       "setting",  "a proxy",      "-"};
  Walk w;
  Entry e = {0};
  size_t i = 0;
  (void)state;
  for (walk_start(&w, pages); entry_next(&w, &e); i += 5) {
    Buf kind, line;
    buf_init(&kind, 100);
    buf_init(&line, 100);
    entry_put_kind(&e, &kind);
    show_plain(e.line, &line);
    const ManualPage *page = entry_page(pages, &e);
    assert_true(i + 5 <= COUNT(wanted));
    check(span_same(e.name, wanted[i], strlen(wanted[i])), "%s", wanted[i]);
    check(e.arguments.at ? span_same(e.arguments, wanted[i + 1], strlen(wanted[i + 1]))
                         : wanted[i + 1][0] == '-',
          "%s", wanted[i]);
    assert_string_equal(kind.data, wanted[i + 2]);
    assert_string_equal(line.data, wanted[i + 3]);
    assert_string_equal(page ? page->name : "-", wanted[i + 4]);
    buf_free(&kind);
    buf_free(&line);
  }
  assert_int_equal(i, COUNT(wanted));
}

static void test_topics(void **state) {
  (void)state;
  check_help("", "\nFunctions\n  f                       the f of a\n");
  check_help("", "\nSettings\n  proxy                   a proxy\n");
  check_help("f", "f(a [, b])   [function]\n  the f of a\n");
  check_help(
      "F(1, 2)",
      "== calls: `f(a [, b])`: asking\n\nThe f. It has `proxy`.\n\n    SELECT f(1);   --> 2\n");
  check_help("f", "## Parts\n\n* one goes on\n* two\n");
  check_help("the option speed",
             "  `speed`, `haste`\n      meaning: how | fast\n      default: `1`\n");
  check_help("calls.haste", "meaning: how | fast");
  check_help("Proxy", "proxy   [setting]");
  check_help("calls.md", "No rare_word here.");
  check_help("429", "== errors: Keys\n  `429`, `answered 429`\n      wait\n");
  check_help("f: no key for model 'gpt': set ABC_KEY, or do not", "set it");
  check_help("Error: DATABASE is \"locked\" (5)", "wait too");
  check_help("%locked%", "wait too");
  check_help("!?", "Functions");
  check_help("SELECT f(1, 2);", "[function]");
  check_help("select proxy", "[setting]");
  check_help("Waiting", "== calls: Waiting\n\nNo rare_word here.\n");
  check_help("tell me of a rare_word, please", "No rare_word here.");
  check_help("sped", "There is no 'sped'. Nearest:\n  SELECT llm_help('speed');\n");
  check_help("xyzzy", "Nothing in the manual");
  check_help("how do I", "Functions");
  check_help("is it slow", "== calls: Waiting\n\nNo rare_word here.\n");
  check_help("goes on with patience", "== calls: Waiting\n");
  check_help("database is", "wait too");
  char *text = help("no rows of the comment: nothing of this");
  assert_null(strstr(text, "<!--"));
  free(text);
}

static void test_words(void **state) {
  static const char *const cases[][2] = {
      {"No key for 'X'…", " no key for x "},
      {"", ""},
      {"%%", ""},
      {"Ctrl-C", " ctrl c "},
      {"é→É", " é É "},
      {"llm_cost(a)", " llm_cost a "},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Buf b;
    buf_init(&b, 100);
    words_add(cases[i][0], strlen(cases[i][0]), &b);
    assert_string_equal(b.n ? b.data : "", cases[i][1]);
    buf_free(&b);
  }
}

static void test_words_that_fit(void **state) {
  static const struct {
    const char *form, *word;
    int fits;
  } cases[] = {
      {" a mac ", "mac", WORD_WHOLE},
      {" macos ", "mac", WORD_ALIKE},
      {" machine ", "mac", 0},
      {" cost ", "costs", WORD_ALIKE},
      {" installing ", "install", WORD_ALIKE},
      {" installation ", "install", 0},
      {" to ", "t", 0},
      {NULL, "x", 0},
      {" costs cost ", "cost", WORD_WHOLE},
  };
  static const char *const headings[][2] = {
      {"`f(key)`: asking", " f asking "},
      {"A server (any)", " a server any "},
      {"`f(a", " f a "},
      {"`f(a)`, `g(b)`", " f g "},
      {"", ""},
      {"()", ""},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    assert_int_equal(words_has(cases[i].form, cases[i].word, strlen(cases[i].word)), cases[i].fits);
  }
  for (size_t i = 0; i < COUNT(headings); i++) {
    Buf b;
    buf_init(&b, 100);
    words_add_heading(headings[i][0], strlen(headings[i][0]), &b);
    assert_string_equal(b.n ? b.data : "", headings[i][1]);
    buf_free(&b);
  }
  assert_true(words_is_common("how", 3) && words_is_common("a", 1) && words_is_common("your", 4));
  assert_false(words_is_common("ho", 2) || words_is_common("budget", 6));
}

static void test_lines_are_broken(void **state) {
  static const char text[] =
      "word word word word word word word word word word word word word word word word wörd\n"
      "w [link](to.md) `a*b` **bold**";
  PageBlock block = {PAGE_TEXT, 0, {text, sizeof text - 1}, {text, 0}};
  Buf b;
  (void)state;
  buf_init(&b, 1000);
  show_block(&block, &b);
  assert_string_equal(
      b.data, "word word word word word word word word word word word word word word word word\n"
              "wörd w link `a*b` bold\n");
  buf_free(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_blocks),           cmocka_unit_test(test_entries),
      cmocka_unit_test(test_topics),           cmocka_unit_test(test_words),
      cmocka_unit_test(test_lines_are_broken), cmocka_unit_test(test_words_that_fit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
