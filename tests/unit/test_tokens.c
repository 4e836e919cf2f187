/*
** Which rule counts a model's tokens, what a request adds, and what bills teach.
*/
#include "unit.h"

#include "core/price/catalogue.h"
#include "core/tokens/tokens.h"

#include <math.h>

static void test_models(void **state) {
  static const struct {
    const char *model;
    int encoding; /* -1: an estimate */
  } cases[] = {
      {NULL, ENCODING_O200K},
      {"", ENCODING_O200K},
      {"gpt-4o", ENCODING_O200K},
      {"GPT-4o-Mini-2024-07-18", ENCODING_O200K},
      {"chatgpt-4o-latest", ENCODING_O200K},
      {"gpt-4.1-nano", ENCODING_O200K},
      {"gpt-5.6-sol", ENCODING_O200K},
      {"gpt-6", ENCODING_O200K},
      {"o1", ENCODING_O200K},
      {"o3-mini-2025-01-31", ENCODING_O200K},
      {"o4-mini", ENCODING_O200K},
      {"openai/gpt-oss-120b", ENCODING_O200K},
      {"accounts/x/models/gpt-oss-20b", ENCODING_O200K},
      {"openai.gpt-oss-20b-1:0", ENCODING_O200K},
      {"gpt-realtime-mini", ENCODING_O200K},
      {"ft:gpt-4o-mini-2024-07-18:acme::A1b2", ENCODING_O200K},
      {"gpt-4", ENCODING_CL100K},
      {"gpt-4-0613", ENCODING_CL100K},
      {"gpt-4-turbo-2024-04-09", ENCODING_CL100K},
      {"gpt-3.5-turbo", ENCODING_CL100K},
      {"azure/gpt-35-turbo", ENCODING_CL100K},
      {"ft:gpt-3.5-turbo-0125:acme::x", ENCODING_CL100K},
      {"text-embedding-3-large", ENCODING_CL100K},
      {"text-embedding-ada-002", ENCODING_CL100K},
      {"davinci-002", ENCODING_CL100K},
      {"text-davinci-003", ENCODING_P50K},
      {"code-davinci-002", ENCODING_P50K},
      {"code-search-ada-code-001", ENCODING_R50K},
      {"davinci", ENCODING_R50K},
      {"ada:ft-acme-2022", ENCODING_R50K},
      {"text-ada-001", ENCODING_R50K},
      {"gpt2", ENCODING_R50K},
      {"us.openai.gpt-5.6-sol", ENCODING_O200K},
      {"global.openai.gpt-5.6-luna", ENCODING_O200K},
      {"openai.gpt-oss-120b-1:0", ENCODING_O200K},
      {"azure/gpt-4o", ENCODING_O200K},
      {"azure/eu/GPT-4o-2024-08-06", ENCODING_O200K},
      {"groq/openai/gpt-oss-120b", ENCODING_O200K},
      {"gpt-oss:20b", ENCODING_O200K},
      {"openai:gpt-5.5", ENCODING_O200K},
      {"openrouter/openai/o4-mini:free", ENCODING_O200K},
      {"computer-use-preview", ENCODING_O200K},
      {"gpt-chat-latest", ENCODING_O200K},
      {"davinci-2020-05-03", ENCODING_R50K},
      {"o200k_base", ENCODING_O200K},
      {"o200k_harmony", ENCODING_O200K},
      {"p50k_edit", ENCODING_P50K},
      {"cl100k_base", ENCODING_CL100K},
      {"p50k_base", ENCODING_P50K},
      {"r50k_base", ENCODING_R50K},
      {"claude-haiku-4-5", -1},
      {"gemini-2.5-pro", -1},
      {"o1x", -1},
      {"us.meta.llama4-scout-17b-instruct-v1:0", -1},
      {"openai/", -1},
      {"my-own", -1},
      {"adamant", -1},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    TokenRule rule;
    tokens_rule(cases[i].model, &rule);
    check(rule.is_exact == (cases[i].encoding >= 0), "%s", cases[i].model);
    check(!rule.is_exact || (rule.encoding == (Encoding)cases[i].encoding && rule.factor == 1),
          "%s: %s", cases[i].model, encoding_name(rule.encoding));
    check(rule.is_exact || (rule.encoding == ENCODING_O200K && rule.factor > 1), "%s: %f",
          cases[i].model, rule.factor);
  }
}

/* Claude's two tokenizers, however a name is written. */
static void test_claudes_generations(void **state) {
  static const char *const second[] = {
      "claude-opus-4-7",
      "claude-opus-4.7",
      "anthropic/claude-opus-4.8",
      "us.anthropic.claude-opus-4-7-v1:0",
      "global.anthropic.claude-opus-5-5",
      "claude-opus-4-8@20260528",
      "claude-opus-4-8-fast",
      "claude-opus-4-7[1m]",
      "anthropic/claude-4.7-opus",
      "claude-fable-5",
      "claude-fable-5-2",
      "anthropic/claude-fable-5.1",
      "claude-mythos-5",
      "claude-mythos-preview",
      "claude-sonnet-5",
      "claude-sonnet-5-5[1m]",
      "Claude-Haiku-5-5",
      "claude-haiku-5.5-thinking",
      "databricks-claude-opus-4-7",
      "claude-opus-6-20270101",
      "claude-sonnet-latest",
  };
  static const char *const first[] = {
      "claude-2.1",
      "claude-instant-1.2",
      "claude-3-haiku-20240307",
      "claude-3-5-sonnet-v2@20241022",
      "anthropic/claude-3.7-sonnet:thinking",
      "claude-opus-4-20250514",
      "claude-opus-4@20250514",
      "claude-opus-4",
      "claude-opus-4-1-20250805",
      "anthropic/claude-opus-4.6-fast",
      "us.anthropic.claude-opus-4-6-v1:0",
      "claude-4-opus",
      "claude-4-6-opus",
      "claude-sonnet-4-6[1m]",
      "claude-sonnet-4.5-thinking",
      "eu.anthropic.claude-haiku-4-5-20251001-v1:0",
      "anthropic/claude-4.5-haiku-20251001",
  };
  TokenRule rule;
  (void)state;
  for (size_t i = 0; i < COUNT(second); i++) {
    tokens_rule(second[i], &rule);
    check(!rule.is_exact && rule.factor == 1.45, "%s: %f", second[i], rule.factor);
  }
  for (size_t i = 0; i < COUNT(first); i++) {
    tokens_rule(first[i], &rule);
    check(!rule.is_exact && rule.factor == 1.2, "%s: %f", first[i], rule.factor);
  }
}

/* What the built-in table says is what the names say. */
static void test_catalogue_agrees(void **state) {
  int n = 0;
  const Model *models = catalogue_models(&n);
  (void)state;
  for (int i = 0; i < n; i++) {
    TokenRule by_name, declared;
    Err err = {0};
    cJSON *supports = tree_of(models[i].supports);
    check(cJSON_GetObjectItem(supports, "tokens"), "%s says nothing", models[i].name);
    cJSON_Delete(supports);
    tokens_rule(models[i].name, &by_name);
    assert_int_equal(tokens_rule_declared(models[i].name, models[i].supports, &declared, &err),
                     RC_OK);
    check(by_name.is_exact == declared.is_exact && by_name.encoding == declared.encoding &&
              by_name.factor == declared.factor,
          "%s: %s", models[i].name, models[i].supports);
  }
}

static void test_declared(void **state) {
  TokenRule rule;
  Err err = {0};
  (void)state;
  tokens_rule_declared("my-gpt-oss", "{\"tokens\":\"o200k_base\"}", &rule, &err);
  assert_true(rule.is_exact && rule.encoding == ENCODING_O200K && rule.factor == 1);
  tokens_rule_declared("claude-x", "{\"tokens\":\"r50k_base\"}", &rule, &err);
  assert_true(rule.is_exact && rule.encoding == ENCODING_R50K);
  tokens_rule_declared("gpt-4", "{\"tokens\":\"estimate\"}", &rule, &err);
  assert_true(!rule.is_exact && rule.encoding == ENCODING_O200K && rule.factor > 1);
  tokens_rule_declared("gpt-4", "{\"json_schema\":true}", &rule, &err);
  assert_true(rule.is_exact && rule.encoding == ENCODING_CL100K);
  tokens_rule_declared("gpt-4", "no json", &rule, &err);
  assert_true(rule.is_exact && err.rc == RC_OK);
  tokens_rule_declared("m", "{\"tokens\":\"bytes\"}", &rule, &err);
  check_error(&err, "config", "'bytes' (valid: o200k_base", "an unknown encoding");
  err = (Err){0};
  tokens_rule_declared("m", "{\"tokens\":3}", &rule, &err);
  check_error(&err, "config", "no text", "a number");
}

static long long tokens_of(const char *model, const char *messages) {
  TokenRule rule;
  Options options;
  Request r = {0};
  Err err = {0};
  options_init(&options);
  tokens_rule(model, &rule);
  check(request_from_messages(messages, strlen(messages), &options, &r, &err) == RC_OK, "%s",
        err.msg);
  long long tokens = tokens_request(&rule, &r) + tokens_names(&rule, r.doc);
  request_free(&r);
  options_free(&options);
  return tokens;
}

/* OpenAI's cookbook: 3 a message, its role and text; 1 and the name where there is one; 3 at the
** end. */
static void test_chats(void **state) {
  static const char hello[] = "[{\"role\":\"user\",\"content\":\"Hello\"}]";
  static const char named[] = "[{\"role\":\"system\",\"content\":\"You are a helpful assistant\"},"
                              "{\"role\":\"user\",\"name\":\"bob\",\"content\":\"Hello\"}]";
  (void)state;
  assert_int_equal(tokens_of("gpt-4o", hello), 3 + 1 + 1 + 3);
  assert_int_equal(tokens_of("gpt-4", named), (3 + 1 + 5) + (3 + 1 + 1 + 1 + 1) + 3);
  assert_int_equal(tokens_of("gpt-3.5-turbo-0301", named), (4 + 1 + 5) + (4 + 1 + 1 + 1 - 1) + 3);
  assert_int_equal(tokens_of("claude-opus-4-8", hello), 3 + 1 + 1 + 3); /* 1 * 1.45 is 1 */
}

static void test_estimates(void **state) {
  static const char text[] = "Six words that are all known";
  TokenRule rule;
  (void)state;
  tokens_rule("claude-haiku-4-5", &rule);
  assert_int_equal(tokens_count(&rule, text, sizeof text - 1), 7); /* 6 * 1.2 = 7.2 */
  assert_int_equal(tokens_count(&rule, "", 0), 0);
  assert_null(rule.cache);
  rule.factor = 0.01;
  assert_int_equal(tokens_count(&rule, "a", 1), 1); /* a text is never free */
  rule.factor = 2;
  assert_int_equal(tokens_count(&rule, text, sizeof text - 1), 12);
}

static double learn(int n, double ratio, double odd, double prior) {
  TokenSample samples[64];
  for (int i = 0; i < n; i++) {
    double counted = 10 + i;
    samples[i] = (TokenSample){counted, counted * (i == n / 2 && odd > 0 ? odd : ratio)};
  }
  return tokens_learn(samples, n, prior);
}

static void test_learning(void **state) {
  TokenSample heavy[] = {{10, 30}, {1000, 1500}, {20, 60}};
  (void)state;
  assert_true(learn(0, 9, 0, 1.2) == 1.2);
  assert_true(fabs(learn(1, 2.2, 0, 1.2) - 1.4) < 1e-9);  /* one of five */
  assert_true(fabs(learn(16, 2.2, 0, 1.2) - 2.0) < 1e-9); /* sixteen of twenty */
  assert_true(fabs(learn(60, 1.5, 50, 1.2) - learn(60, 1.5, 0, 1.2)) < 1e-9); /* an odd one */
  assert_true(fabs(tokens_learn(heavy, 3, 1.5) - 1.5) < 1e-9); /* by tokens, not by bills */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_models),
      cmocka_unit_test(test_claudes_generations),
      cmocka_unit_test(test_catalogue_agrees),
      cmocka_unit_test(test_declared),
      cmocka_unit_test(test_chats),
      cmocka_unit_test(test_estimates),
      cmocka_unit_test(test_learning),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
