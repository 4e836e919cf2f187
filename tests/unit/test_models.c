/*
** Model names as people write them, and the compiled-in catalogue agreeing with itself.
*/
#include "unit.h"

#include "core/price/catalogue.h"
#include "base/text/decimal.h"
#include "core/price/price.h"
#include "trust/hosts.h"
#include "base/text/text.h"
#include "core/names/model_name.h"
#include "wire/provider.h"

static void test_match(void **state) {
  static const struct {
    const char *asked, *known;
    int match;
  } cases[] = {
      {"gpt-4o", "gpt-4o", 3},
      {"ft:gpt-4o:acme::abc", "ft:gpt-4o:acme::abc", 3},
      {"openai/gpt-4o", "openai/gpt-4o", 3},
      {"GPT-4o", "gpt-4o", 2},
      {"openai/gpt-4o", "gpt-4o", 2},
      {"OpenAI/GPT-4O", "gpt-4o", 2},
      {"models/gemini-2.5-pro", "gemini-2.5-pro", 2},
      {"google/gemini-2.5-pro", "gemini-2.5-pro", 2},
      {"anthropic/claude-haiku-4-5", "claude-haiku-4-5", 2},
      {"llama-4-maverick-17b-128e-instruct", "meta-llama/llama-4-maverick-17b-128e-instruct", 2},
      {"gpt-4o-2024-08-06", "gpt-4o", 1},
      {"gpt-4o-latest", "gpt-4o", 1},
      {"claude-haiku-4-5-20251001", "claude-haiku-4-5", 1},
      {"claude-haiku-4-5@20251001", "claude-haiku-4-5", 1},
      {"anthropic/claude-haiku-4-5-20251001", "claude-haiku-4-5", 1},
      {"GPT-4o-2024-08-06", "gpt-4o", 1},
      {"gpt-4-0613", "gpt-4", 1},
      {"mistral-large-2512", "mistral-large", 1},
      {"gpt-4o-mini", "gpt-4o", 0},
      {"gpt-4o-mini-2024-07-18", "gpt-4o", 0},
      {"gpt-4o", "gpt-4o-mini", 0},
      {"gpt-4o", "gpt-4o-2024-08-06", 0},
      {"gpt-4", "gpt-4o", 0},
      {"gpt-4o", "gpt-4", 0},
      {"gpt-4o-", "gpt-4o", 0},
      {"gpt-4o-2024", "gpt-4", 0},
      {"gpt-4o-2024-08", "gpt-4o", 0},
      {"gpt-4o-2024-08-06-preview", "gpt-4o", 0},
      {"gpt-4o-2024-08-0x", "gpt-4o", 0},
      {"gpt-4o:free", "gpt-4o", 0},
      {"gpt-4o-audio-preview", "gpt-4o", 0},
      {"gpt-5.6-luna", "gpt-5", 0},
      {"claude-opus-4-8", "claude-opus-4", 0},
      {"claude-sonnet-4-6", "claude-sonnet-4-5", 0},
      {"ft:gpt-4o:acme::abc", "gpt-4o", 0},
      {"ft:gpt-4o-2024-08-06:acme::abc", "gpt-4o", 0},
      {"gpt-4o", "ft:gpt-4o:acme::abc", 0},
      {"ft:gpt-4o:acme::abc-1234", "ft:gpt-4o:acme::abc", 0},
      {"ft:gpt-4o:acme::abc-latest", "ft:gpt-4o:acme::abc", 0},
      {"", "gpt-4o", 0},
      {"openai/", "gpt-4o", 0},
      {"somebody/gpt-4o", "gpt-4o", 0},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    int match = model_name_match(cases[i].asked, cases[i].known);
    check(match == cases[i].match, "'%s' for '%s': %d", cases[i].asked, cases[i].known, match);
  }
}

static void test_distance(void **state) {
  static const struct {
    const char *a, *b;
    int cap, distance;
  } cases[] = {
      {"", "", 9, 0},
      {"gpt-4o", "gpt-4o", 9, 0},
      {"gpt-4o", "gpt4o", 9, 1},
      {"gpt4o", "gpt-4o", 9, 1},
      {"gpt-4o", "gtp-4o", 9, 2},
      {"kitten", "sitting", 9, 3},
      {"", "abc", 9, 3},
      {"abc", "", 9, 3},
      {"abc", "xyz", 2, 2},
      {"abc", "abcdefgh", 4, 4},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    int distance = text_distance(cases[i].a, cases[i].b, cases[i].cap);
    check(distance == cases[i].distance, "'%s', '%s': %d", cases[i].a, cases[i].b, distance);
  }
  char longest[LIMIT_MODEL_NAME + 2];
  memset(longest, 'x', sizeof longest - 1);
  longest[sizeof longest - 1] = 0;
  assert_int_equal(text_distance(longest, "x", 1000), 1000);
  assert_int_equal(text_distance("x", longest, 1000), 1000);
  assert_int_equal(text_distance(longest + 1, "x", 1000), LIMIT_MODEL_NAME - 1);
}

static const Model *model_named(const char *name) {
  int n = 0;
  const Model *models = catalogue_models(&n);
  for (int i = 0; i < n; i++) {
    if (strcmp(models[i].name, name) == 0) {
      return &models[i];
    }
  }
  return NULL;
}

/* Each model's address is one that prompts and its key may go to, and its API one that is
** spoken. */
static void test_models_can_be_called(void **state) {
  int n = 0;
  const Model *models = catalogue_models(&n);
  (void)state;
  assert_true(n > 20);
  for (int i = 0; i < n; i++) {
    const Model *m = &models[i];
    Url url;
    Err err = {0};
    check(strlen(m->name) > 0 && strlen(m->name) < LIMIT_MODEL_NAME, "model %d", i);
    check(model_named(m->name) == m, "%s: there twice", m->name);
    check(provider_api(m->api), "%s: api '%s'", m->name, m->api);
    check(url_parse(m->base_url, &url, &err) == RC_OK, "%s: %s", m->name, err.msg);
    check(m->base_url[strlen(m->base_url) - 1] != '/', "%s: %s", m->name, m->base_url);
    check(host_builtin(&url, m->key_env[0] ? m->key_env : NULL) == 1, "%s: %s", m->name,
          m->key_env);
    check(m->context_window >= 0 && m->max_output >= 0, "%s", m->name);
    cJSON *supports = tree_of(m->supports);
    check(cJSON_IsObject(supports), "%s: %s", m->name, m->supports);
    cJSON_Delete(supports);
  }
}

static void test_models_have_prices(void **state) {
  int n = 0;
  const Model *models = catalogue_models(&n);
  PriceBook none;
  (void)state;
  assert_true(book_init(&none, ""));
  const PriceBook *books[] = {&none, catalogue_prices()};
  for (int i = 0; i < n; i++) {
    PriceRef ref;
    PriceSet set = {0};
    PriceWhen when = {1795305600000, 1000, "standard", ""};
    int known =
        price_find(books, 2, (Seller){vendor_by_word(models[i].provider), models[i].provider},
                   models[i].name, &ref);
    int free_of_charge = !models[i].key_env[0] || strcmp(models[i].name, "openrouter/auto") == 0;
    check(!known || price_select(&ref, &when, &set), "%s", models[i].name);
    check(known || free_of_charge, "%s", models[i].name);
    check(!known || set.pusd[UNIT_INPUT] > 0, "%s", models[i].name);
  }
  book_free(&none);
}

/* Every row has a sensible price, a source and the day it was checked; every provider is known. */
static void check_models(const PriceModels *list) {
  for (int i = 0; i < list->n; i++) {
    const PriceModel *m = &list->at[i];
    check(m->name[0] && vendor_by_word(m->provider), "%s of '%s'", m->name, m->provider);
    check(strcmp(vendor_by_word(m->provider)->id, m->provider) == 0, "%s", m->provider);
    for (int k = 0; k < m->n; k++) {
      const PriceRow *r = &m->rows[k];
      long long ms, most = r->unit == UNIT_COUNT ? 10 * BOOK_FACTOR_ONE : 100000000000000000;
      check((r->pusd >= 0 || r->pusd == BOOK_UNKNOWN) && r->pusd <= most, "%s: %lld", m->name,
            r->pusd);
      check(r->terms.from_ms < r->terms.to_ms && r->terms.above_tokens >= 0, "%s", m->name);
      check(r->terms.source[0] && time_parse(r->terms.checked, &ms), "%s: '%s', '%s'", m->name,
            r->terms.source, r->terms.checked);
    }
  }
}

static void test_prices_are_plausible(void **state) {
  static const char *const sellers[] = {"openai", "anthropic", "google", "mistral", "deepseek",
                                        "x-ai",   "groq",      "cohere", "aws",     "openrouter"};
  const PriceBook *book = catalogue_prices();
  (void)state;
  assert_true(book->models.n > 1500 && catalogue_rows() > 4000);
  check_models(&book->models);
  check_models(&book->shared);
  for (size_t s = 0; s < COUNT(sellers); s++) {
    int found = 0;
    for (int i = 0; i < book->models.n; i++) {
      found += strcmp(book->models.at[i].provider, sellers[s]) == 0;
    }
    check(found >= 5, "%s: %d", sellers[s], found);
  }
}

static void test_cache_minimums(void **state) {
  static const struct {
    const char *provider, *name, *when;
    long long tokens;
  } cases[] = {
      {"openai", "gpt-4o", "2026-11-22", 1024},
      {"anthropic", "claude-sonnet-4-6", "2026-07-01", 2048},
      {"anthropic", "claude-sonnet-4-6", "2026-11-22", 1024},
      {"anthropic", "claude-opus-4-8", "2026-07-01", 4096},
      {"anthropic", "claude-opus-4-8", "2026-11-22", 1024},
      {"anthropic", "claude-haiku-4-5-20251001", "2026-11-22", 4096},
      {"anthropic", "claude-opus-5", "2026-11-22", 512},
      {"groq", "llama-3.3-70b-versatile", "2026-11-22", -1},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    long long ms = 0;
    assert_true(time_parse(cases[i].when, &ms));
    long long got = catalogue_cache_minimum(vendor_by_word(cases[i].provider), cases[i].name, ms);
    check(got == cases[i].tokens, "%s at %s: %lld", cases[i].name, cases[i].when, got);
  }
}

static void test_tiers(void **state) {
  static const struct {
    const char *name, *model;
    double max_score;
  } expected[] = {{"simple", "gpt-4o-mini", 0.3},
                  {"medium", "claude-haiku-4-5", 0.7},
                  {"complex", "gpt-4o", 1.0}};
  int n = 0;
  const Tier *tiers = catalogue_tiers(&n);
  (void)state;
  assert_int_equal(n, 3);
  for (int i = 0; i < n; i++) {
    assert_string_equal(tiers[i].name, expected[i].name);
    assert_string_equal(tiers[i].model, expected[i].model);
    assert_true(i == n - 1 ? tiers[i].max_score >= 1.0
                           : tiers[i].max_score == expected[i].max_score);
    assert_int_equal(tiers[i].rank, i + 1);
    assert_non_null(model_named(tiers[i].model));
  }
}

static void test_date(void **state) {
  long long ms = 0;
  (void)state;
  assert_int_equal(strlen(catalogue_date()), 10);
  assert_true(time_parse(catalogue_date(), &ms));
  assert_true(strcmp(catalogue_date(), "2026-11-22") >= 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_match),
      cmocka_unit_test(test_distance),
      cmocka_unit_test(test_models_can_be_called),
      cmocka_unit_test(test_models_have_prices),
      cmocka_unit_test(test_prices_are_plausible),
      cmocka_unit_test(test_cache_minimums),
      cmocka_unit_test(test_tiers),
      cmocka_unit_test(test_date),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
