/*
** Price books: what a model's name is found to mean, in the catalogue and in lists of one's own.
*/
#include "unit.h"

#include "core/price/book.h"
#include "core/price/catalogue.h"
#include "base/text/glob.h"

#include <limits.h>

static void test_globs(void **state) {
  static const struct {
    const char *patterns, *name;
    int matches;
  } cases[] = {
      {"gpt-4o", "gpt-4o", 1},
      {"gpt-4o", "gpt-4o-mini", 0},
      {"gpt-4o*", "gpt-4o-mini", 1},
      {"a b gpt-*", "gpt-4o", 1},
      {"gpt-4o-[0-9][0-9]", "gpt-4o-12", 1},
      {"gpt-4o-[0-9][0-9]", "gpt-4o-1x", 0},
      {"gemini-* !*-tts", "gemini-2.5-pro", 1},
      {"gemini-* !*-tts", "gemini-2.5-pro-tts", 0},
      {"!*-tts gemini-*", "gemini-2.5-pro-tts", 0},
      {"*/x", "a/b/x", 1},
      {"grok[[]fast=true]", "grok[fast=true]", 1},
      {"[!x]", "x", 1}, /* no negation: the shell's [!…] is not GLOB's */
      {"[", "[", 1},
      {"[abc", "[abc", 1},
      {"[]]", "]", 1},
      {"a[b-d]e", "ace", 1},
      {"a[b-d]e", "aee", 0},
      {"*a*b*", "xxaxxbxx", 1},
      {"*ab", "aab", 1},
      {"?", "", 0},
      {"", "x", 0},
      {NULL, "x", 0},
      {"*", "", 1},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    check(glob_any(cases[i].patterns, cases[i].name) == cases[i].matches, "'%s', '%s'",
          cases[i].patterns ? cases[i].patterns : "NULL", cases[i].name);
  }
}

static Seller of(const char *word) {
  return (Seller){word ? vendor_by_word(word) : NULL, word};
}

static void test_names_in_the_catalogue(void **state) {
  static const struct {
    const char *provider, *name, *seller, *model; /* model NULL: not found */
  } cases[] = {
      {NULL, "gpt-4o", "openai", "gpt-4o"},
      {NULL, "openai/gpt-4o-2024-08-06", "openai", "gpt-4o"},
      {NULL, "gpt-4o-2031-01-01", "openai", "gpt-4o"},
      {NULL, "gpt-4o-nonsense", NULL, NULL},
      {NULL, "claude-haiku-4-5@20251001", "anthropic", "claude-haiku-4-5"},
      {NULL, "eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "aws",
       "regional.anthropic.claude-sonnet-4-5-20250929-v1:0"},
      {NULL, "models/gemini-2.5-flash", "google", "gemini-2.5-flash"},
      {NULL, "meta-llama/llama-3.3-70b-instruct", NULL, NULL}, /* weights that many run */
      {NULL, "deepseek/deepseek-r1:free", "openrouter", "deepseek/deepseek-r1:free"},
      {NULL, "openrouter/anthropic/claude-sonnet-4.5", "openrouter", "anthropic/claude-sonnet-4.5"},
      {NULL, "llama-3.3-70b-versatile", "groq", "llama-3.3-70b-versatile"},
      {NULL, "text-embedding-3-large", "openai", "text-embedding-3-large"},
      {"openrouter", "openai/gpt-4o", "openrouter", "openai/gpt-4o"},
      {"azure", "gpt-4o", "azure", "gpt-4o"}, /* resold */
      {"google", "claude-sonnet-4-5@20250929", "google", "claude-sonnet-4-5"},
      {"groq", "gpt-4o", "groq", NULL},
      {"ollama", "deepseek-r1:8b", "self-hosted", NULL}, /* not DeepSeek's */
      {"vllm", "gpt-oss-120b", "self-hosted", NULL},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    BookMatch match = book_find(catalogue_prices(), of(cases[i].provider), cases[i].name);
    const char *model = match.model ? match.model->name : NULL;
    check(!model == !cases[i].model, "%s: %s", cases[i].name, model ? model : "none");
    check(!model || strcmp(model, cases[i].model) == 0, "%s: %s", cases[i].name, model);
    check(!cases[i].seller || (match.vendor && strcmp(match.vendor->id, cases[i].seller) == 0),
          "%s: %s", cases[i].name, match.vendor ? match.vendor->id : "nobody");
  }
}

static void add(PriceBook *book, const char *provider, const char *model, const char *names) {
  PriceRow row = {.unit = UNIT_INPUT, .pusd = 1};
  row.terms = (PriceTerms){.service = "standard", .to_ms = LLONG_MAX, .source = "", .checked = ""};
  assert_true(book_add(book, provider, model, names, &row));
}

static void test_a_name_that_several_sell(void **state) {
  PriceBook book;
  (void)state;
  assert_true(book_init(&book, "list"));
  add(&book, "novita", "quill-9", "quill-9");
  add(&book, "together", "quill-9", "quill-9");
  add(&book, "novita", "org/quill-9", "org/quill-9");
  add(&book, "openrouter", "org/quill-9", "org/quill-9");
  const PriceModel *sellers[4];
  assert_null(book_find(&book, of(NULL), "quill-9").model);
  assert_null(book_find(&book, of(NULL), "org/quill-9").model);
  assert_int_equal(book_sellers(&book, "quill-9", sellers, 4), 3);
  assert_string_equal(sellers[2]->provider, "openrouter");
  BookMatch match = book_find(&book, of("together_ai"), "quill-9");
  assert_true(match.model && strcmp(match.model->provider, "together") == 0);
  book_free(&book);
}

/* Rows that follow each other join; book_join finds the model wherever it stands. */
static void test_building(void **state) {
  PriceBook book;
  PriceRow row = {.unit = UNIT_OUTPUT, .pusd = 2, .terms = {.source = "", .checked = ""}};
  (void)state;
  row.terms.service = "standard";
  assert_true(book_init(&book, ""));
  add(&book, "", "gpt-4o", "");
  add(&book, "", "gpt-4o", "");
  add(&book, "", "other", "");
  add(&book, "azure", "gpt-4o", "");
  assert_int_equal(book.models.n, 3);
  assert_int_equal(book.models.at[0].n, 2);
  assert_true(book_join(&book, "", "gpt-4o", &row));
  assert_int_equal(book.models.n, 3);
  assert_int_equal(book.models.at[0].n, 3);
  add(&book, "Azure", "gpt-4o", "");
  assert_int_equal(book.models.at[2].n, 2);
  book_free(&book);
  book_free(&book);
}

/* A '*' means snapshots, not another version and not a variant with its own price. */
static void test_what_a_glob_means(void **state) {
  static const struct {
    const char *names, *name;
    int means;
  } cases[] = {
      {"m-5*", "m-5", 1},
      {"m-5*", "m-5-2026-01-01", 1},
      {"m-5*", "m-5-20260101", 1},
      {"m-5*", "m-5-latest", 1},
      {"m-5*", "m-5-1", 0},
      {"m-5*", "m-5.1", 0},
      {"m-5*", "m-51", 0},
      {"org/r1*", "org/r1:free", 0},
      {"org/r1*", "org/r1-0528", 1},
      {"m-5-1*", "m-5-1-20260101", 1},
      {"m-*:free", "m-5:free", 1},
      {"m-2.0-0*", "m-2.0-001", 1},
      {"m-lite-preview*", "m-lite-preview-09-2025", 1},
      {"m-2.5-pro*", "m-2.5-pro-exp-03-25", 1},
      {"m-embed*", "m-embed-v2:0", 0},
      {"*", "-v2", 0},
      {"*m*", "m-20241022-v2:0", 1},
      {"m-embed*", "m-embed-v1:0", 1},
      {"*o4-mini*", "o4-mini-deep-research", 0},
      {"r1*", "r1-distill-llama-70b", 0},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    PriceModel model = {.provider = "", .name = "none of these", .names = cases[i].names};
    check(book_means(&model, cases[i].name) == cases[i].means, "'%s', '%s'", cases[i].names,
          cases[i].name);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_globs),
      cmocka_unit_test(test_names_in_the_catalogue),
      cmocka_unit_test(test_a_name_that_several_sell),
      cmocka_unit_test(test_building),
      cmocka_unit_test(test_what_a_glob_means),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
