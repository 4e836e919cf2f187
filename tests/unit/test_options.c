/*
** The options object: each option, its range, and what the errors say.
*/
#include "unit.h"

#include "base/buf.h"

#include "core/request/options.h"

#include <math.h>

static int parse(const char *json, Options *o, Err *err) {
  return options_parse(json, strlen(json), o, err);
}

static void test_nothing_given(void **state) {
  static const char *const cases[] = {
      "{}",
      "  {} ",
      "{\"model\": null, \"system\": null, \"max_tokens\": null, \"temperature\": null, \"top_p\": "
      "null,"
      " \"seed\": null, \"stop\": null, \"schema\": null, \"cache\": null, \"threshold\": null,"
      " \"ttl\": null, \"tag\": null, \"user\": null, \"conversation\": null,"
      " \"timeout_ms\": null, \"retries\": null, \"dry_run\": null,"
      " \"gate\": null, \"escalate\": null, \"audit\": null, \"score\": null, \"scorer\": null,"
      " \"logprobs\": null, \"prompt_cache\": null, \"on_error\": null}",
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Options o;
    Err err = {0};
    check(parse(cases[i], &o, &err) == RC_OK, "%s: %s", cases[i], err.msg);
    assert_true(!o.model && !o.system && !o.tag && !o.user && !o.conversation);
    assert_true(!o.stop && !o.schema && !o.has_seed && !o.dry_run);
    assert_true(!o.gate && !o.escalate && !o.logprobs && o.scorer == -1);
    assert_true(isnan(o.score) && isnan(o.audit) && o.prompt_cache == PROMPT_CACHE_AUTO);
    assert_true(isnan(o.temperature) && isnan(o.top_p) && isnan(o.threshold));
    assert_int_equal(o.max_tokens, OPTION_UNSET);
    assert_int_equal(o.timeout_ms, OPTION_UNSET);
    assert_int_equal(o.retries, OPTION_UNSET);
    assert_int_equal(o.ttl_ms, OPTION_UNSET);
    assert_int_equal(o.cache, -1);
    assert_int_equal(o.on_error, ON_ERROR_ERROR);
    options_free(&o);
  }
}

static void test_every_option(void **state) {
  Options o;
  Err err = {0};
  (void)state;
  assert_int_equal(
      parse("{\"model\": \"gpt-4o\", \"system\": \"Be brief.\", \"max_tokens\": 100,"
            " \"temperature\": 0.25, \"top_p\": 0.5, \"seed\": -42, \"stop\": \"END\","
            " \"schema\": {\"type\": \"object\"}, \"cache\": \"semantic\","
            " \"threshold\": 0.9, \"ttl\": \"7d\", \"tag\": \"t\", \"user\": \"u\","
            " \"conversation\": \"c\","
            " \"timeout_ms\": 5000, \"retries\": 2, \"dry_run\": true, \"prompt_cache\": \"1h\","
            " \"gate\": [\"polite\", {\"kind\": \"json\"}], \"escalate\": true,"
            " \"audit\": 0.05, \"score\": 0.4, \"scorer\": \"verifier\","
            " \"logprobs\": 1,"
            " \"on_error\": \"json\"}",
            &o, &err),
      RC_OK);
  assert_string_equal(o.model, "gpt-4o");
  assert_string_equal(o.system, "Be brief.");
  assert_int_equal(o.max_tokens, 100);
  assert_true(o.temperature == 0.25 && o.top_p == 0.5 && o.threshold == 0.9);
  assert_true(o.has_seed && o.seed == -42);
  assert_string_equal(cJSON_GetStringValue(o.stop), "END");
  assert_true(cJSON_IsObject(o.schema));
  assert_int_equal(o.cache, CACHE_SEMANTIC);
  assert_int_equal(o.ttl_ms, 7LL * 24 * 3600 * 1000);
  assert_string_equal(o.tag, "t");
  assert_string_equal(o.user, "u");
  assert_string_equal(o.conversation, "c");
  assert_true(o.dry_run && o.escalate && o.logprobs && o.prompt_cache == PROMPT_CACHE_1H);
  assert_int_equal(cJSON_GetArraySize(o.gate), 2);
  assert_true(o.audit == 0.05 && o.score == 0.4 && o.scorer == SCORER_VERIFIER);
  assert_int_equal(o.timeout_ms, 5000);
  assert_int_equal(o.retries, 2);
  assert_int_equal(o.on_error, ON_ERROR_JSON);
  options_free(&o);
  options_free(&o);
}

static void test_values_at_the_edge_are_taken(void **state) {
  static const char *const cases[] = {
      "{\"max_tokens\": 1}",
      "{\"max_tokens\": 5.0}",
      "{\"temperature\": 0}",
      "{\"temperature\": 2}",
      "{\"top_p\": 0}",
      "{\"top_p\": 1}",
      "{\"seed\": 0}",
      "{\"seed\": 9007199254740991}",
      "{\"seed\": -9007199254740991}",
      "{\"stop\": [\"a\"]}",
      "{\"stop\": [\"a\", \"b\", \"c\", \"d\"]}",
      "{\"schema\": {}}",
      "{\"threshold\": 1, \"cache\": \"semantic\"}",
      "{\"threshold\": -1, \"cache\": \"semantic\"}",
      "{\"cache\": \"exact\"}",
      "{\"cache\": \"off\"}",
      "{\"cache\": \"refresh\"}",
      "{\"ttl\": 0.5}",
      "{\"ttl\": \"1ms\"}",
      "{\"timeout_ms\": 1}",
      "{\"timeout_ms\": 3600000}",
      "{\"retries\": 0}",
      "{\"retries\": 9}",
      "{\"dry_run\": false}",
      "{\"on_error\": \"null\"}",
      "{\"on_error\": \"error\"}",
      "{\"model\": \"auto\"}",
      "{\"tag\": \"\"}",
      "{\"system\": \"\"}",
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Options o;
    Err err = {0};
    check(parse(cases[i], &o, &err) == RC_OK, "%s: %s", cases[i], err.msg);
    options_free(&o);
  }
}

static void test_wrong_values_are_refused(void **state) {
  static const struct {
    const char *json, *says;
  } cases[] = {
      {"{\"model\": 4}", "option 'model': expected text"},
      {"{\"model\": \"\"}", "option 'model'"},
      {"{\"system\": []}", "option 'system': expected text"},
      {"{\"max_tokens\": 0}", "option 'max_tokens': expected an integer from 1"},
      {"{\"max_tokens\": -1}", "'max_tokens'"},
      {"{\"max_tokens\": 1.5}", "'max_tokens'"},
      {"{\"max_tokens\": \"100\"}", "'max_tokens'"},
      {"{\"max_tokens\": 1e99}", "'max_tokens'"},
      {"{\"max_tokens\": true}", "'max_tokens'"},
      {"{\"temperature\": -0.1}", "option 'temperature': expected a number from 0 to 2"},
      {"{\"temperature\": 2.1}", "'temperature'"},
      {"{\"temperature\": \"0\"}", "'temperature'"},
      {"{\"top_p\": 1.01}", "option 'top_p': expected a number from 0 to 1"},
      {"{\"top_p\": -1}", "'top_p'"},
      {"{\"seed\": 1.5}", "'seed'"},
      {"{\"seed\": \"1\"}", "'seed'"},
      {"{\"seed\": 9007199254740992}", "'seed'"},
      {"{\"stop\": \"\"}", "'stop'"},
      {"{\"stop\": []}", "'stop'"},
      {"{\"stop\": [\"a\", \"\"]}", "'stop'"},
      {"{\"stop\": [\"a\", 1]}", "'stop'"},
      {"{\"stop\": {}}", "'stop'"},
      {"{\"schema\": \"object\"}", "'schema'"},
      {"{\"schema\": true}", "'schema'"},
      {"{\"schema\": []}", "'schema'"},
      {"{\"cache\": \"Exact\"}", "'exact', 'semantic', 'off' or 'refresh'"},
      {"{\"cache\": true}", "'cache'"},
      {"{\"cache\": \"\"}", "'cache'"},
      {"{\"threshold\": 0.9}", "give cache 'semantic' with it"},
      {"{\"threshold\": 0.9, \"cache\": \"exact\"}", "'threshold'"},
      {"{\"threshold\": 1.5, \"cache\": \"semantic\"}",
       "'threshold': expected a cosine from -1 to 1"},
      {"{\"ttl\": 0}", "'ttl'"},
      {"{\"ttl\": -5}", "'ttl'"},
      {"{\"ttl\": \"0s\"}", "'ttl'"},
      {"{\"ttl\": \"soon\"}", "'ttl'"},
      {"{\"ttl\": 1e15}", "'ttl'"},
      {"{\"ttl\": true}", "'ttl'"},
      {"{\"tag\": 1.5}", "'tag': expected text or an integer"},
      {"{\"user\": {}}", "'user'"},
      {"{\"conversation\": false}", "'conversation'"},
      {"{\"timeout_ms\": 0}", "'timeout_ms'"},
      {"{\"timeout_ms\": 3600001}", "'timeout_ms'"},
      {"{\"retries\": -1}", "'retries'"},
      {"{\"retries\": 10}", "option 'retries': expected an integer from 0 to 9"},
      {"{\"prompt_cache\": \"10m\"}", "'prompt_cache': expected 'off', 'auto', '5m' or '1h'"},
      {"{\"prompt_cache\": true}", "'prompt_cache'"},
      {"{\"cache_control\": 1}", "unknown option 'cache_control'"},
      {"{\"dry_run\": 2}", "'dry_run': expected true or false"},
      {"{\"dry_run\": \"on\"}", "'dry_run'"},
      {"{\"on_error\": \"ignore\"}", "'error', 'null' or 'json'"},
      {"{\"on_error\": 1}", "'on_error'"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Options o;
    Err err = {0};
    parse(cases[i].json, &o, &err);
    check_error(&err, "bad_option", cases[i].says, cases[i].json);
    check(!o.doc && !o.model && o.cache == -1 && isnan(o.temperature), "%s", cases[i].json);
  }
}

static void test_an_unknown_key_lists_the_valid_ones(void **state) {
  static const char *const valid[] = {
      "model",      "system",  "max_tokens", "temperature", "top_p", "seed",     "stop",
      "schema",     "cache",   "threshold",  "ttl",         "tag",   "user",     "conversation",
      "timeout_ms", "retries", "dry_run",    "on_error",    "gate",  "escalate", "audit",
      "score",      "scorer",  "logprobs",   "prompt_cache"};
  static const char *const cases[][2] = {
      {"{\"temprature\": 1}", "unknown option 'temprature'"},
      {"{\"Model\": \"gpt-4o\"}", "unknown option 'Model'"},
      {"{\"\": 1}", "unknown option ''"},
      {"{\"model\": \"gpt-4o\", \"nope\": null}", "unknown option 'nope'"},
      {"{\"a\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3"
       "\xA9"
       "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\": 1}",
       "unknown option 'a\xC3\xA9"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Options o;
    Err err = {0};
    parse(cases[i][0], &o, &err);
    check_error(&err, "bad_option", cases[i][1], cases[i][0]);
    for (size_t k = 0; k < COUNT(valid); k++) {
      check_error(&err, "bad_option", valid[k], cases[i][0]);
    }
  }
}

static void test_what_was_meant_is_said(void **state) {
  static const char *const cases[][2] = {
      {"{\"system_prompt\": \"x\"}", "unknown option 'system_prompt': it is called 'system' here"},
      {"{\"maxOutputTokens\": 5}", "it is called 'max_tokens' here"},
      {"{\"timeout\": 5}", "'timeout_ms' here, in milliseconds"},
      {"{\"api_key\": \"sk-x\"}", "llm_secret(name, value)"},
      {"{\"modle\": \"x\"}", "did you mean 'model'?"},
      {"{\"Tag\": \"x\"}", "did you mean 'tag'?"},
      {"{\"maxTokens\": 1}", "did you mean 'max_tokens'?"},
      {"gpt-4o-mini", "must be one JSON object: did you mean '{\"model\":\"gpt-4o-mini\"}'?"},
      {" \"openai/o3\" ", "did you mean '{\"model\":\"openai/o3\"}'?"},
      {"be brief please", "must be one JSON object, such as '{\"model\":\"...\"}'"},
      {"['a']", "must be one JSON object, such as"},
      {"{\"schema\": \"{\\\"type\\\":\"}", "option 'schema'"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Options o;
    Err err = {0};
    parse(cases[i][0], &o, &err);
    check(err.rc == RC_ERROR && strstr(err.msg, cases[i][1]), "%s: %s", cases[i][0], err.msg);
  }
}

/* What SQL makes of keys, booleans and nested JSON. */
static void test_values_as_sql_has_them(void **state) {
  Options o;
  Err err = {0};
  (void)state;
  parse("{\"tag\": 7, \"user\": -9007199254740991, \"conversation\": \"c\", \"dry_run\": 1,"
        " \"retry_lost\": 0, \"schema\": \"{\\\"type\\\":\\\"object\\\"}\", \"tag\": 8}",
        &o, &err);
  assert_int_equal(err.rc, RC_OK);
  assert_string_equal(o.tag, "8");
  assert_string_equal(o.user, "-9007199254740991");
  assert_string_equal(o.conversation, "c");
  assert_true(o.dry_run && !o.retry_lost && cJSON_IsObject(o.schema));
  options_free(&o);
  parse("{\"tag\":9007199254740993,\"tag\":null,\"user\":5}", &o, &err);
  assert_string_equal(o.tag, "9007199254740993");
  options_free(&o);
  parse("{\"tag\":1,\"\\u0074ag\":7}", &o, &err);
  assert_string_equal(o.tag, "7");
  options_free(&o);
  parse("{\"tag\" : 18446744073709551616, \"user\":1e3, \"conversation\":-0.0, \"stop\":[\"tag\"], "
        "\"schema\":"
        "{\"tag\":5}}",
        &o, &err);
  assert_int_equal(err.rc, RC_OK);
  assert_string_equal(o.tag, "18446744073709551616");
  assert_string_equal(o.user, "1000");
  assert_string_equal(o.conversation, "0");
  options_free(&o);
}

static void test_only_one_object(void **state) {
  static const struct {
    const char *json, *code;
  } cases[] = {
      {"[]", "bad_option"},       {"\"gpt-4o\"", "bad_option"}, {"null", "bad_option"},
      {"5", "bad_option"},        {"", "bad_option"},           {"gpt-4o", "bad_option"},
      {"{\"model\"", "bad_json"}, {"{} {}", "bad_json"},        {"{\"tag\": \"\xFF\"}", "bad_utf8"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Options o;
    Err err = {0};
    parse(cases[i].json, &o, &err);
    check_error(&err, cases[i].code, "the options", cases[i].json);
    check(!o.doc, "%s", cases[i].json);
  }
}

static void test_sizes_are_bounded(void **state) {
  Options o;
  Err too_big = {0}, long_name = {0};
  Buf b;
  (void)state;
  buf_init(&b, 1 << 20);
  buf_printf(&b, "{\"tag\": \"%0*d\"}", (int)LIMIT_OPTIONS_BYTES, 0);
  options_parse(b.data, b.n, &o, &too_big);
  check_error(&too_big, "bad_option", "at most 262144", "options");
  assert_int_equal(too_big.rc, RC_TOOBIG);
  buf_clear(&b);
  buf_printf(&b, "{\"model\": \"%0*d\"}", LIMIT_MODEL_NAME, 0);
  options_parse(b.data, b.n, &o, &long_name);
  check_error(&long_name, "bad_option", "option 'model': at most 255 bytes", "model");
  buf_free(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_nothing_given),
      cmocka_unit_test(test_every_option),
      cmocka_unit_test(test_values_at_the_edge_are_taken),
      cmocka_unit_test(test_wrong_values_are_refused),
      cmocka_unit_test(test_an_unknown_key_lists_the_valid_ones),
      cmocka_unit_test(test_what_was_meant_is_said),
      cmocka_unit_test(test_values_as_sql_has_them),
      cmocka_unit_test(test_only_one_object),
      cmocka_unit_test(test_sizes_are_bounded),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
