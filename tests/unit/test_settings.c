/*
** Settings of a connection (conn/settings.h) and of a semantic_cache table (vec/cache/state/settings.h):
** their defaults, and that every one can be said and refused.
*/
#include "unit.h"

#include "conn/settings.h"
#include "core/request/options.h"
#include "vec/cache/state/settings.h"

#include <math.h>

static int set(Settings *s, const char *name, const char *text, Err *err) {
  const Spec *spec = spec_find(&settings_table, 0, name, strlen(name), err);
  SpecValue v = spec_value_text(name, text);
  return spec ? spec_set(&settings_table, spec, &v, s, err) : err->rc;
}

static void test_the_defaults(void **state) {
  Settings s;
  (void)state;
  settings_init(&s);
  assert_true(!s.store && !s.proxy && !s.minilm);
  assert_true(s.log_text == LOG_FULL && s.cache == CACHE_EXACT && s.scope == SCOPE_SHARED);
  assert_true(s.heeds_volatile);
  assert_true(isnan(s.max_false_hits) && s.ttl_ms == OPTION_UNSET && s.timeout_ms == 300000);
  assert_true(s.connect_timeout_ms == 10000 && s.idle_timeout_ms == 120000);
  assert_true(s.route == ROUTE_SCORE && s.scorer == SCORER_HEURISTIC);
  assert_true(s.fallback == FALLBACK_DOWN && !s.gate && !s.prune && s.audit == 0);
  assert_true(s.retries == 2 && s.backoff_ms == 500);
  settings_free(&s);
}

/* What stands in a table as the default must be a value that could be given, too. */
static void test_a_default_is_a_value(void **state) {
  Settings s;
  (void)state;
  settings_init(&s);
  for (int i = 0; i < settings_table.n; i++) {
    const Spec *spec = &settings_table.at[i];
    Err err = {0};
    check(!spec->initial || set(&s, spec->name, spec->initial, &err) == RC_OK, "%s", err.msg);
  }
  test_the_defaults(state);
  settings_free(&s);
}

static void test_every_setting(void **state) {
  static const char *const cases[][3] = {{"store", "main", NULL},
                                         {"proxy", "http://proxy:3128", NULL},
                                         {"time_zone", "+05:30", NULL},
                                         {"keep_calls", "90d", "0"},
                                         {"max_usd", "0.5", "-1"},
                                         {"max_calls", "100", "0.5"},
                                         {"route", "first", "best"},
                                         {"scorer", "examples", "magic"},
                                         {"fallback", "up", "sideways"},
                                         {"progress", "on", "yes"},
                                         {"gate", "polite", NULL},
                                         {"prune", "{\"budget\":4000}", NULL},
                                         {"audit", "0.05", "1.1"},
                                         {"minilm", "/usr/share/minilm.bin", NULL},
                                         {"log_text", "none", "Full"},
                                         {"cache", "refresh", "maybe"},
                                         {"cache_scope", "user", ""},
                                         {"volatile", "off", "maybe"},
                                         {"max_false_hits", "0.02", "1"},
                                         {"ttl", "7d", "0"},
                                         {"timeout_ms", "3600000", "3600001"},
                                         {"connect_timeout_ms", "1", "0"},
                                         {"idle_timeout_ms", "0", "-1"},
                                         {"retries", "9", "10"},
                                         {"backoff_ms", "8000", "8001"}};
  Settings s;
  (void)state;
  settings_init(&s);
  assert_int_equal(settings_table.n, COUNT(cases));
  for (size_t i = 0; i < COUNT(cases); i++) {
    Err err = {0}, refused = {0};
    check(set(&s, cases[i][0], cases[i][1], &err) == RC_OK, "%s", err.msg);
    if (cases[i][2]) {
      set(&s, cases[i][0], cases[i][2], &refused);
      check_error(&refused, "bad_option", cases[i][0], cases[i][2]);
    }
  }
  assert_string_equal(s.store, "main");
  assert_string_equal(s.proxy, "http://proxy:3128");
  assert_string_equal(s.minilm, "/usr/share/minilm.bin");
  assert_true(s.log_text == LOG_NONE && s.cache == CACHE_REFRESH && s.scope == SCOPE_USER);
  assert_false(s.heeds_volatile);
  assert_true(s.max_false_hits == 0.02 && s.ttl_ms == 604800000 && s.timeout_ms == 3600000);
  assert_true(s.connect_timeout_ms == 1 && s.idle_timeout_ms == 0 && s.retries == 9);
  assert_int_equal(s.backoff_ms, 8000);
  assert_true(s.max_usd == 0.5 && s.max_calls == 100);
  settings_free(&s);
  assert_null(s.store);
}

static int parse(const char *argument, CacheSettings *s, Err *err) {
  return cache_settings_parse(argument ? 1 : 0, &argument, s, err);
}

static void test_the_defaults_of_a_table(void **state) {
  CacheSettings s;
  Err err = {0};
  (void)state;
  assert_int_equal(parse(NULL, &s, &err), RC_OK);
  assert_string_equal(s.embedder, "static");
  assert_true(s.dim == 0 && isnan(s.threshold) && isnan(s.max_false_hits));
  assert_true(s.ttl_ms == 0 && s.max_entries == 0 && s.seed == 0 && s.guard == 1 && s.confirm == 1);
}

static void test_arguments_of_a_table(void **state) {
  static const char *const taken[] = {
      "embedder = 'minilm'", "threshold=-1",   "ttl='7d'",   "ttl=60",     "max_entries=0",
      "max_false_hits=0.01", "guard = 'off' ", "confirm=on", "seed=12345", "embedder='it''s'"};
  static const char *const refused[][2] = {
      {"embedder=''", "expected 'static', 'minilm', 'none' or a model of llm_models"},
      {"dim=0", "argument 'dim': expected an integer from 1 to 16384"},
      {"dim=16385", "from 1 to 16384"},
      {"dim=1.5", "from 1 to 16384"},
      {"threshold=2", "argument 'threshold': expected a cosine from -1 to 1"},
      {"threshold=nan", "a cosine"},
      {"ttl=0", "argument 'ttl': expected seconds above 0, or a duration"},
      {"max_entries=-1", "argument 'max_entries': expected an integer from 0"},
      {"max_false_hits=1", "expected a share above 0 and below 1, such as 0.01"},
      {"guard=maybe", "argument 'guard': expected 'on' or 'off'"},
      {"guard", "name=value, text in quotes"},
      {"ttl='7d", "name=value, text in quotes"},
      {"seed=1e300", "an integer from 0"},
      {"colour=1", "unknown argument 'colour=1' (valid: embedder, dim, threshold, ttl, "
                   "max_entries, max_false_hits, guard, confirm, seed)"},
      {"thresholds=1", "unknown argument"},
      {"=1", "unknown argument '=1'"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(taken); i++) {
    CacheSettings s;
    Err err = {0};
    check(parse(taken[i], &s, &err) == RC_OK, "%s: %s", taken[i], err.msg);
  }
  for (size_t i = 0; i < COUNT(refused); i++) {
    CacheSettings s;
    Err err = {0};
    parse(refused[i][0], &s, &err);
    check_error(&err, "bad_argument", refused[i][1], refused[i][0]);
  }
}

static void test_changes_of_a_table(void **state) {
  static const char *const fixed[] = {"embedder='minilm'", "dim=3", "seed=1"};
  char name[SETTING_NAME], value[SETTING_VALUE];
  CacheSettings s;
  Err err = {0};
  (void)state;
  parse("threshold=0.5", &s, &err);
  assert_int_equal(cache_settings_change(" threshold = 'default'", name, value, &err), RC_OK);
  assert_string_equal(name, "threshold");
  assert_string_equal(value, "default");
  assert_int_equal(cache_settings_apply(name, value, &s, &err), RC_OK);
  assert_true(isnan(s.threshold));
  for (size_t i = 0; i < COUNT(fixed); i++) {
    Err why = {0};
    cache_settings_change(fixed[i], name, value, &why);
    check_error(&why, "bad_argument", "can't be changed in place", fixed[i]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_defaults),         cmocka_unit_test(test_a_default_is_a_value),
      cmocka_unit_test(test_every_setting),        cmocka_unit_test(test_the_defaults_of_a_table),
      cmocka_unit_test(test_arguments_of_a_table), cmocka_unit_test(test_changes_of_a_table),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
