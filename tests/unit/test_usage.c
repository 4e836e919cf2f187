/*
** Usage objects of every provider, read into one shape.
*/
#include "unit.h"

#include "core/usage.h"

enum { X = USAGE_UNKNOWN };

typedef struct Case {
  const char *name, *json;
  Usage u; /* input, cached, write_5m, write_1h, output, reasoning, reported_nusd */
} Case;

static void check_usage(int (*read)(const cJSON *, Usage *, Err *), const Case *c) {
  Usage u;
  Err err = {0};
  cJSON *tree = tree_of(c->json);
  check(read(tree, &u, &err) == RC_OK, "%s: %s", c->name, err.msg);
  cJSON_Delete(tree);
  check(u.input == c->u.input, "%s: %lld", c->name, u.input);
  check(u.cached == c->u.cached, "%s: %lld", c->name, u.cached);
  check(u.write_5m == c->u.write_5m, "%s: %lld", c->name, u.write_5m);
  check(u.write_1h == c->u.write_1h, "%s: %lld", c->name, u.write_1h);
  check(u.output == c->u.output, "%s: %lld", c->name, u.output);
  check(u.reasoning == c->u.reasoning, "%s: %lld", c->name, u.reasoning);
  check(u.reported_nusd == c->u.reported_nusd, "%s: %lld", c->name, u.reported_nusd);
}

static const Case openai_cases[] = {
    {"chat completions, cached inside",
     "{\"prompt_tokens\":2006,\"completion_tokens\":300,\"total_tokens\":2306,"
     "\"prompt_tokens_details\":{\"cached_tokens\":1920,\"cache_write_tokens\":0,\"audio_tokens\":"
     "0},"
     "\"completion_tokens_details\":{\"reasoning_tokens\":0,\"audio_tokens\":0,"
     "\"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}}",
     {2006, 1920, 0, X, 300, 0, X}},
    {"written tokens",
     "{\"prompt_tokens\":12317,\"completion_tokens\":5,"
     "\"prompt_tokens_details\":{\"cached_tokens\":0,\"cache_write_tokens\":12314}}",
     {12317, 0, 12314, X, 5, X, X}},
    {"Responses",
     "{\"input_tokens\":10,\"input_tokens_details\":{\"cached_tokens\":4},"
     "\"output_tokens\":7,\"output_tokens_details\":{\"reasoning_tokens\":6},"
     "\"total_tokens\":17}",
     {10, 4, X, X, 7, 6, X}},
    {"no details",
     "{\"prompt_tokens\":5,\"completion_tokens\":6,\"total_tokens\":11}",
     {5, X, X, X, 6, X, X}},
    {"details of null",
     "{\"prompt_tokens\":5,\"completion_tokens\":6,"
     "\"prompt_tokens_details\":null,\"completion_tokens_details\":null}",
     {5, X, X, X, 6, X, X}},
    {"zeros are known",
     "{\"prompt_tokens\":0,\"completion_tokens\":0,\"total_tokens\":0}",
     {0, X, X, X, 0, X, X}},
    {"nulls are not", "{\"prompt_tokens\":null,\"completion_tokens\":null}", {X, X, X, X, X, X, X}},
    {"nothing", "{}", {X, X, X, X, X, X, X}},
    {"input only", "{\"prompt_tokens\":5}", {5, X, X, X, X, X, X}},
    {"embeddings have no output",
     "{\"prompt_tokens\":8,\"total_tokens\":8}",
     {8, X, X, X, 0, X, X}},
    {"total above input hides output",
     "{\"prompt_tokens\":8,\"total_tokens\":9}",
     {8, X, X, X, X, X, X}},
    {"DeepSeek",
     "{\"prompt_tokens\":100,\"completion_tokens\":1,\"prompt_cache_hit_tokens\":64,"
     "\"prompt_cache_miss_tokens\":36}",
     {100, 64, X, X, 1, X, X}},
    {"Groq",
     "{\"prompt_tokens\":5,\"completion_tokens\":6,\"queue_time\":0.01,\"total_time\":0.2}",
     {5, X, X, X, 6, X, X}},
    {"xAI, text_tokens include cached; ticks of 1e-10 dollars",
     "{\"prompt_tokens\":100,\"completion_tokens\":20,\"prompt_tokens_details\":{\"text_tokens\":"
     "100,"
     "\"cached_tokens\":60},\"cost_in_usd_ticks\":49100000}",
     {100, 60, X, X, 20, X, 4910000}},
    {"ticks are rounded",
     "{\"prompt_tokens\":1,\"completion_tokens\":1,\"cost_in_usd_ticks\":15}",
     {1, X, X, X, 1, X, 2}},
    {"ticks of the wrong type",
     "{\"prompt_tokens\":1,\"completion_tokens\":1,"
     "\"cost_in_usd_ticks\":\"15\"}",
     {1, X, X, X, 1, X, X}},
    {"OpenRouter",
     "{\"prompt_tokens\":194,\"completion_tokens\":2,\"cost\":0.00095,"
     "\"cost_details\":{\"upstream_inference_cost\":null},\"is_byok\":false}",
     {194, X, X, X, 2, X, 950000}},
    {"a cost of zero is known",
     "{\"prompt_tokens\":1,\"completion_tokens\":1,\"cost\":0}",
     {1, X, X, X, 1, X, 0}},
    {"a negative cost is none",
     "{\"prompt_tokens\":1,\"completion_tokens\":1,\"cost\":-1}",
     {1, X, X, X, 1, X, X}},
    {"a cost of the wrong type is none",
     "{\"prompt_tokens\":1,\"completion_tokens\":1,\"cost\":\"1\"}",
     {1, X, X, X, 1, X, X}},
    {"a cost past all bounds is none",
     "{\"prompt_tokens\":1,\"completion_tokens\":1,\"cost\":1e300}",
     {1, X, X, X, 1, X, X}},
    {"reported both read and written",
     "{\"prompt_tokens\":10,\"completion_tokens\":1,\"prompt_tokens_details\":{\"cached_tokens\":9,"
     "\"cache_write_tokens\":9}}",
     {10, 9, 9, X, 1, X, X}},
};

static const Case anthropic_cases[] = {
    {"written and read stand beside the input",
     "{\"input_tokens\":21,\"output_tokens\":393,\"cache_creation_input_tokens\":188086,"
     "\"cache_read_input_tokens\":1000,\"cache_creation\":{\"ephemeral_5m_input_tokens\":188086,"
     "\"ephemeral_1h_input_tokens\":0},\"output_tokens_details\":{\"thinking_tokens\":7},"
     "\"server_tool_use\":{\"web_search_requests\":0},\"service_tier\":\"standard\"}",
     {21 + 188086 + 1000, 1000, 188086, 0, 393, 7, X}},
    {"5 minutes and 1 hour",
     "{\"input_tokens\":3,\"output_tokens\":1,"
     "\"cache_creation_input_tokens\":1000000,\"cache_read_input_tokens\":0,"
     "\"cache_creation\":{\"ephemeral_5m_input_tokens\":600000,"
     "\"ephemeral_1h_input_tokens\":400000}}",
     {1000003, 0, 600000, 400000, 1, X, X}},
    {"no split",
     "{\"input_tokens\":15460,\"output_tokens\":10370,"
     "\"cache_creation_input_tokens\":19810}",
     {35270, X, 19810, X, 10370, X, X}},
    {"nulls",
     "{\"input_tokens\":21,\"output_tokens\":5,\"cache_creation_input_tokens\":null,"
     "\"cache_read_input_tokens\":null,\"cache_creation\":null,\"output_tokens_details\":null}",
     {21, X, X, X, 5, X, X}},
    {"half a split",
     "{\"input_tokens\":1,\"output_tokens\":1,\"cache_creation_input_tokens\":10,"
     "\"cache_creation\":{\"ephemeral_1h_input_tokens\":4}}",
     {11, X, 6, 4, 1, X, X}},
    {"all of it for 1 hour",
     "{\"input_tokens\":1,\"output_tokens\":1,"
     "\"cache_creation_input_tokens\":10,"
     "\"cache_creation\":{\"ephemeral_1h_input_tokens\":10}}",
     {11, X, 0, 10, 1, X, X}},
    {"all null", "{\"input_tokens\":null,\"output_tokens\":null}", {X, X, X, X, X, X, X}},
    {"input unknown, reads known",
     "{\"cache_read_input_tokens\":5,\"output_tokens\":1}",
     {X, 5, X, X, 1, X, X}},
    {"only reads",
     "{\"input_tokens\":0,\"cache_read_input_tokens\":5,\"output_tokens\":1}",
     {5, 5, X, X, 1, X, X}},
};

static void test_openai(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(openai_cases); i++) {
    check_usage(usage_from_openai, &openai_cases[i]);
    check_usage(usage_from_any, &openai_cases[i]);
  }
}

static void test_anthropic(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(anthropic_cases); i++) {
    check_usage(usage_from_anthropic, &anthropic_cases[i]);
  }
}

static void test_any_tells_anthropic_by_its_members(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(anthropic_cases); i++) {
    if (strstr(anthropic_cases[i].json, "\"cache_")) {
      check_usage(usage_from_any, &anthropic_cases[i]);
    }
  }
}

static void test_no_usage_is_no_error(void **state) {
  static int (*const readers[])(const cJSON *, Usage *,
                                Err *) = {usage_from_openai, usage_from_anthropic, usage_from_any};
  (void)state;
  for (size_t i = 0; i < COUNT(readers); i++) {
    Usage u;
    Err err = {0};
    check(readers[i](NULL, &u, &err) == RC_OK, "reader %zu", i);
    check(u.input == X && u.cached == X && u.write_5m == X && u.write_1h == X, "reader %zu", i);
    check(u.output == X && u.reasoning == X && u.reported_nusd == X, "reader %zu", i);
  }
}

static void test_what_is_no_count(void **state) {
  static const struct {
    int anthropic;
    const char *json, *member;
  } cases[] = {
      {0, "{\"prompt_tokens\":\"5\",\"completion_tokens\":1}", "'prompt_tokens'"},
      {0, "{\"prompt_tokens\":-5,\"completion_tokens\":1}", "'prompt_tokens'"},
      {0, "{\"prompt_tokens\":true,\"completion_tokens\":1}", "'prompt_tokens'"},
      {0, "{\"prompt_tokens\":1.5,\"completion_tokens\":1}", "'prompt_tokens'"},
      {0, "{\"prompt_tokens\":1e300,\"completion_tokens\":1}", "'prompt_tokens'"},
      {0, "{\"input_tokens\":[],\"output_tokens\":1}", "'input_tokens'"},
      {0, "{\"prompt_tokens\":5,\"completion_tokens\":{}}", "'completion_tokens'"},
      {0,
       "{\"prompt_tokens\":5,\"completion_tokens\":1,\"prompt_tokens_details\":"
       "{\"cached_tokens\":\"4\"}}",
       "'cached_tokens'"},
      {0,
       "{\"prompt_tokens\":5,\"completion_tokens\":1,\"prompt_tokens_details\":"
       "{\"cache_write_tokens\":-4}}",
       "'cache_write_tokens'"},
      {0,
       "{\"prompt_tokens\":5,\"completion_tokens\":1,\"completion_tokens_details\":"
       "{\"reasoning_tokens\":0.5}}",
       "'reasoning_tokens'"},
      {1, "{\"input_tokens\":\"5\",\"output_tokens\":1}", "'input_tokens'"},
      {1, "{\"input_tokens\":5,\"output_tokens\":-1}", "'output_tokens'"},
      {1, "{\"input_tokens\":5,\"output_tokens\":1,\"cache_read_input_tokens\":false}",
       "'cache_read_input_tokens'"},
      {1, "{\"input_tokens\":5,\"output_tokens\":1,\"cache_creation_input_tokens\":\"9\"}",
       "'cache_creation_input_tokens'"},
      {1,
       "{\"input_tokens\":5,\"output_tokens\":1,\"cache_creation\":"
       "{\"ephemeral_5m_input_tokens\":\"9\"}}",
       "'ephemeral_5m_input_tokens'"},
      {1,
       "{\"input_tokens\":5,\"output_tokens\":1,\"cache_creation\":"
       "{\"ephemeral_1h_input_tokens\":-1}}",
       "'ephemeral_1h_input_tokens'"},
      {1,
       "{\"input_tokens\":5,\"output_tokens\":1,\"cache_creation_input_tokens\":5,"
       "\"cache_creation\":{\"ephemeral_1h_input_tokens\":6}}",
       "1-hour"},
      {1,
       "{\"input_tokens\":5,\"output_tokens\":1,\"cache_creation_input_tokens\":5,"
       "\"cache_creation\":{\"ephemeral_1h_input_tokens\":9}}",
       "1-hour"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Usage u;
    Err err = {0};
    cJSON *tree = tree_of(cases[i].json);
    (cases[i].anthropic ? usage_from_anthropic : usage_from_openai)(tree, &u, &err);
    cJSON_Delete(tree);
    check_error(&err, "bad_usage", cases[i].member, cases[i].json);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_openai),
      cmocka_unit_test(test_anthropic),
      cmocka_unit_test(test_any_tells_anthropic_by_its_members),
      cmocka_unit_test(test_no_usage_is_no_error),
      cmocka_unit_test(test_what_is_no_count),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
