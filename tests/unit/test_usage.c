/*
** Usage objects of every provider, read into one shape.
*/
#include "unit.h"

#include "core/usage/usage.h"

enum { X = USAGE_UNKNOWN };

typedef struct Counts {
  long long input, cached, write, write_1h, output, reasoning, reported_nusd;
} Counts;

typedef struct Case {
  const char *name, *json;
  Counts u;
} Case;

static void check_usage(const char *provider, const Case *c) {
  Usage got;
  Err err = {0};
  cJSON *tree = tree_of(c->json);
  check(usage_read(tree, provider ? vendor_by_word(provider) : NULL, NULL, &got, &err) == RC_OK,
        "%s: %s", c->name, err.msg);
  cJSON_Delete(tree);
  Counts u = {usage_get(&got, UNIT_INPUT),
              usage_get(&got, UNIT_CACHE_READ),
              usage_get(&got, UNIT_CACHE_WRITE),
              usage_get(&got, UNIT_CACHE_WRITE_1H),
              usage_get(&got, UNIT_OUTPUT),
              usage_get(&got, UNIT_REASONING),
              got.reported_nusd};
  check(u.input == c->u.input, "%s: %lld", c->name, u.input);
  check(u.cached == c->u.cached, "%s: %lld", c->name, u.cached);
  check(u.write == c->u.write, "%s: %lld", c->name, u.write);
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
     {1000003, 0, 1000000, 400000, 1, X, X}},
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
     {11, X, 10, 4, 1, X, X}},
    {"all of it for 1 hour",
     "{\"input_tokens\":1,\"output_tokens\":1,"
     "\"cache_creation_input_tokens\":10,"
     "\"cache_creation\":{\"ephemeral_1h_input_tokens\":10}}",
     {11, X, 10, 10, 1, X, X}},
    {"all null", "{\"input_tokens\":null,\"output_tokens\":null}", {X, X, X, X, X, X, X}},
    {"input unknown, reads known",
     "{\"cache_read_input_tokens\":5,\"output_tokens\":1}",
     {X, 5, X, X, 1, X, X}},
    {"only reads",
     "{\"input_tokens\":0,\"cache_read_input_tokens\":5,\"output_tokens\":1}",
     {5, 5, X, X, 1, X, X}},
};

/* Whoever reports it, and whether that is known or not. */
static void test_openai(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(openai_cases); i++) {
    check_usage(NULL, &openai_cases[i]);
    check_usage("openai", &openai_cases[i]);
    check_usage("no such provider", &openai_cases[i]);
  }
}

static void test_anthropic(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(anthropic_cases); i++) {
    check_usage(NULL, &anthropic_cases[i]);
    check_usage("anthropic", &anthropic_cases[i]);
  }
}

static const Case other_cases[] = {
    {"Gemini: thoughts are output, tool use is input",
     "{\"usageMetadata\":{\"promptTokenCount\":324,\"candidatesTokenCount\":1364,"
     "\"thoughtsTokenCount\":495,\"toolUsePromptTokenCount\":10,\"cachedContentTokenCount\":100,"
     "\"totalTokenCount\":2193}}",
     {334, 100, X, X, 1859, 495, X}},
    {"Gemini without an answer",
     "{\"promptTokenCount\":14,\"totalTokenCount\":14}",
     {14, X, X, X, 0, X, X}},
    {"Bedrock: reads and writes stand beside the input",
     "{\"usage\":{\"inputTokens\":22,\"outputTokens\":13,\"cacheReadInputTokens\":0,"
     "\"cacheWriteInputTokens\":2492}}",
     {2514, 0, 2492, X, 13, X, X}},
    {"Cohere bills on billed units",
     "{\"usage\":{\"billed_units\":{\"input_tokens\":5,\"output_tokens\":418},"
     "\"tokens\":{\"input_tokens\":71,\"output_tokens\":420}}}",
     {5, X, X, X, 418, X, X}},
    {"Ollama", "{\"prompt_eval_count\":26,\"eval_count\":298}", {26, X, X, X, 298, X, X}},
    {"xAI: reasoning stands beside the output",
     "{\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":20,\"total_tokens\":150,"
     "\"completion_tokens_details\":{\"reasoning_tokens\":30}}}",
     {100, X, X, X, 50, 30, X}},
    {"a whole answer",
     "{\"id\":\"x\",\"model\":\"gpt-4o\",\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":6}}",
     {5, X, X, X, 6, X, X}},
    {"a stream's snapshots are cumulative",
     "[{\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"usage\":{\"input_tokens\":25,"
     "\"output_tokens\":9}}},"
     "{\"type\":\"message_delta\",\"usage\":{\"output_tokens\":9}},"
     "{\"type\":\"message_delta\",\"usage\":{\"output_tokens\":159}}]",
     {25, X, X, X, 159, X, X}},
    {"a message logged more than once",
     "[{\"id\":\"m\",\"usage\":{\"input_tokens\":175000,\"output_tokens\":202}},"
     "{\"id\":\"m\",\"usage\":{\"input_tokens\":175000,\"output_tokens\":202}}]",
     {175000, X, X, X, 202, X, X}},
    {"our own form", "{\"input\":10,\"output\":2,\"cache_read\":4}", {10, 4, X, X, 2, X, X}},
};

static void test_others(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(other_cases); i++) {
    check_usage(strncmp(other_cases[i].name, "xAI", 3) == 0 ? "x-ai" : NULL, &other_cases[i]);
  }
}

/* What stands beside the counts, and the way back through our own form. */
static void test_service_and_geo(void **state) {
  static const struct {
    const char *json, *service, *geo;
  } cases[] = {
      {"{\"usage\":{\"input_tokens\":1,\"output_tokens\":1,\"service_tier\":\"batch\"}}", "batch",
       ""},
      {"{\"usage\":{\"input_tokens\":1,\"output_tokens\":1,\"service_tier\":\"standard\",\"speed\":"
       "\"fast\","
       "\"inference_geo\":\"us\"}}",
       "fast", "us"},
      {"{\"usage\":{\"input_tokens\":1,\"output_tokens\":1,\"inference_geo\":\"not_available\"}}",
       "standard", ""},
      {"{\"service_tier\":\"flex\",\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}}",
       "flex", ""},
      {"{\"service_tier\":\"default\",\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}}",
       "standard", ""},
      {"{\"service_tier\":null,\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}}",
       "standard", ""},
      {"{\"service_tier\":\"a tier that nobody has ever heard of\",\"usage\":{\"prompt_tokens\":1,"
       "\"completion_tokens\":1}}",
       "a tier that nobody has ", ""},
      {"{\"usageMetadata\":{\"promptTokenCount\":1,\"candidatesTokenCount\":1,\"trafficType\":\"ON_"
       "DEMAND\"}}",
       "standard", ""},
      {"{\"usageMetadata\":{\"promptTokenCount\":1,\"candidatesTokenCount\":1,"
       "\"trafficType\":\"ON_DEMAND_PRIORITY\"}}",
       "priority", ""},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Usage u, again;
    Err err = {0};
    cJSON *tree = tree_of(cases[i].json), *own;
    check(usage_read(tree, NULL, NULL, &u, &err) == RC_OK, "%s", cases[i].json);
    check(strcmp(u.service, cases[i].service) == 0, "%s: %s", cases[i].json, u.service);
    check(strcmp(u.geo, cases[i].geo) == 0, "%s: %s", cases[i].json, u.geo);
    own = usage_json(&u);
    check(usage_read(own, NULL, NULL, &again, &err) == RC_OK, "%s", cases[i].json);
    check(again.has == u.has && strcmp(again.service, u.service) == 0 &&
              strcmp(again.geo, u.geo) == 0,
          "%s", cases[i].json);
    cJSON_Delete(own);
    cJSON_Delete(tree);
  }
}

/* What is written is read back, also where nothing went in or came out. */
static void test_own_form(void **state) {
  static const UnitSet sets[] = {
      UNIT_BIT(UNIT_INPUT) | UNIT_BIT(UNIT_OUTPUT_AUDIO),
      UNIT_BIT(UNIT_CACHE_READ),
      UNIT_BIT(UNIT_PAGE) | UNIT_BIT(UNIT_ANNOTATED_PAGE),
      UNIT_BIT(UNIT_WEB_SEARCH),
  };
  (void)state;
  for (size_t i = 0; i < COUNT(sets); i++) {
    Usage u, again;
    Err err = {0};
    usage_init(&u);
    usage_set_service(&u, i % 2 ? "batch" : "standard");
    usage_set_geo(&u, i % 2 ? "us" : "");
    for (UnitSet left = sets[i]; left; left &= left - 1) {
      usage_set(&u, UNIT_FIRST(left), 3);
    }
    cJSON *own = usage_json(&u);
    check(usage_read(own, NULL, NULL, &again, &err) == RC_OK, "%zu: %s", i, err.msg);
    check(again.has == u.has && strcmp(again.service, u.service) == 0 &&
              strcmp(again.geo, u.geo) == 0,
          "%zu", i);
    cJSON_Delete(own);
  }
}

/* An answer that several models worked on is billed at each one's own price. */
static void test_parts(void **state) {
  static const char json[] =
      "{\"model\":\"claude-opus-4-8\",\"usage\":{\"input_tokens\":5,\"output_tokens\":2,"
      "\"iterations\":["
      "{\"type\":\"message\",\"model\":\"claude-fable-5\",\"input_tokens\":7,\"output_tokens\":0},"
      "{\"type\":\"message\",\"model\":\"claude-fable-5\",\"input_tokens\":3,\"output_tokens\":1,"
      "\"cache_read_input_tokens\":4},"
      "{\"type\":\"fallback_message\",\"model\":\"claude-opus-4-8\",\"input_tokens\":5,\"output_"
      "tokens\":2}]}}";
  UsagePart *parts;
  Usage whole;
  int n;
  Err err = {0};
  cJSON *tree = tree_of(json),
        *plain = tree_of("{\"usage\":{\"input_tokens\":1,\"output_tokens\":1}}"),
        *bad = tree_of("{\"input\":3,\"output\":9,\"parts\":[{\"model\":\"a\",\"input\":1,"
                       "\"output\":2},{\"model\":\"b\",\"inpud\":1,\"output\":7}]}");
  (void)state;
  assert_int_equal(usage_read_all(tree, NULL, NULL, &whole, &parts, &n, &err), RC_OK);
  assert_int_equal(n, 2); /* an attempt without output is not billed */
  assert_string_equal(parts[0].model, "claude-fable-5");
  assert_int_equal(usage_get(&parts[0].usage, UNIT_INPUT), 7);
  assert_string_equal(parts[1].model, "claude-opus-4-8");
  free(parts);
  assert_int_equal(usage_read_all(plain, NULL, NULL, &whole, &parts, &n, &err), RC_OK);
  assert_true(!parts && n == 0);
  assert_int_equal(usage_read_all(bad, NULL, NULL, &whole, &parts, &n, &err), RC_ERROR);
  assert_true(!parts && n == 0); /* nor of one of which a part can't be read */
  cJSON_Delete(bad);
  cJSON_Delete(tree);
  cJSON_Delete(plain);
}

/* Of what no unit counts the first name is there, the others as far as they fit whole. */
static void test_other(void **state) {
  Usage u;
  char longest[USAGE_OTHER + 20];
  (void)state;
  usage_init(&u);
  usage_add_other(&u, "images");
  usage_add_other(&u, "page");
  usage_add_other(&u, "images");
  assert_string_equal(u.other, "images, page");
  memset(longest, 'x', sizeof longest - 1);
  longest[sizeof longest - 1] = 0;
  usage_add_other(&u, longest);
  usage_add_other(&u, "pages");
  assert_string_equal(u.other, "images, page, pages");
  usage_init(&u);
  usage_add_other(&u, longest);
  assert_int_equal(strlen(u.other), USAGE_OTHER - 1);
}

/* The name that was asked for may have a price of its own. */
static void test_asked(void **state) {
  static const struct {
    const char *provider, *model;
    long long routed;
  } cases[] = {{"azure", "model-router", 7},  {"azure", "Model-Router-2025-11-18", 7},
               {"azure", "gpt-5-nano", X},    {"azure", "my-model-router", 7},
               {"openai", "model-router", X}, {"no such provider", "model-router", X}};
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Usage u;
    usage_init(&u);
    usage_note_asked(&u, vendor_by_word(cases[i].provider), cases[i].model);
    check(u.has == 0, "%s: nothing is known", cases[i].model);
    usage_set(&u, UNIT_INPUT, 7);
    usage_note_asked(&u, vendor_by_word(cases[i].provider), cases[i].model);
    check(usage_get(&u, UNIT_ROUTED) == cases[i].routed, "%s at %s", cases[i].model,
          cases[i].provider);
  }
}

static void test_no_usage_is_no_error(void **state) {
  static const char *const bodies[] = {"{}", "null", "{\"usage\":null}", "[]", "{\"usage\":[]}"};
  (void)state;
  for (size_t i = 0; i < COUNT(bodies); i++) {
    Usage u;
    Err err = {0};
    cJSON *tree = tree_of(bodies[i]);
    check(usage_read(tree, NULL, NULL, &u, &err) == RC_OK, "%s", bodies[i]);
    check(u.has == 0 && u.reported_nusd == X, "%s", bodies[i]);
    cJSON_Delete(tree);
  }
}

/* The shapes that an unknown sender is matched against must be there. */
static void test_shapes(void **state) {
  static const char *const names[] = {
      "openai",         "azure.responses", "anthropic.default", "google.default", "aws.default",
      "cohere.default", "ollama",          "azure.embeddings",  "codex",          "otel",
      "openinference",  "opencode",        "gemini-cli",        "langfuse",       "aws.metrics",
      "ai-sdk.provider"};
  (void)state;
  for (size_t i = 0; i < COUNT(names); i++) {
    check(shape_by_name(names[i]) && shape_by_name(names[i])->n > 0, "%s", names[i]);
  }
  assert_true(vendor_shape(vendor_by_word("openai"), "chat") != NULL);
  assert_true(vendor_shape(vendor_by_word("openai"), "telepathy") == NULL);
  assert_true(vendor_by_word("Bedrock") == vendor_by_word("aws"));
  assert_true(vendor_by_word("vertex_ai") == vendor_by_word("google"));
  assert_true(vendor_by_word("no such provider") == NULL);
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
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Usage u;
    Err err = {0};
    cJSON *tree = tree_of(cases[i].json);
    usage_read(tree, vendor_by_word(cases[i].anthropic ? "anthropic" : "openai"), NULL, &u, &err);
    cJSON_Delete(tree);
    check_error(&err, "bad_usage", cases[i].member, cases[i].json);
  }
}

/* What would have been fits together as what was did. */
static void test_resized(void **state) {
  static const struct Resized {
    Unit of;
    long long to;
    struct {
      Unit unit;
      long long was, is;
    } n[6];
  } cases[] = {
      {UNIT_OUTPUT, 300, {{UNIT_OUTPUT, 500, 300}, {UNIT_REASONING, 450, 270}}},
      {UNIT_OUTPUT, 900, {{UNIT_OUTPUT, 500, 900}, {UNIT_REASONING, 450, 450}}},
      {UNIT_OUTPUT, 0, {{UNIT_OUTPUT, 500, 0}, {UNIT_REASONING, 450, 0}, {UNIT_INPUT, 7, 7}}},
      {UNIT_OUTPUT, 5, {{UNIT_OUTPUT, 0, 5}, {UNIT_REASONING, 0, 0}}},
      {UNIT_INPUT,
       3000,
       {{UNIT_INPUT, 5000, 3000},
        {UNIT_CACHE_READ, 4000, 2400},
        {UNIT_CACHE_WRITE, 999, 599},
        {UNIT_CACHE_WRITE_1H, 800, 480},
        {UNIT_OUTPUT, 50, 50}}},
      /* all of it sound or read, some both: rounded, both are no more than all */
      {UNIT_INPUT,
       7,
       {{UNIT_INPUT, 9, 7},
        {UNIT_CACHE_READ, 5, 3},
        {UNIT_INPUT_AUDIO, 6, 4},
        {UNIT_CACHE_READ_AUDIO, 2, 1}}},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Usage u;
    usage_init(&u);
    for (size_t k = 0; k < 6; k++) {
      if (cases[i].n[k].was || cases[i].n[k].is || k == 0) {
        usage_set(&u, cases[i].n[k].unit, cases[i].n[k].was);
      }
    }
    usage_resize(&u, cases[i].of, cases[i].to);
    for (size_t k = 0; k < 6; k++) {
      if (cases[i].n[k].was || cases[i].n[k].is) {
        check(usage_get(&u, cases[i].n[k].unit) == cases[i].n[k].is, "%zu: %s %lld", i,
              unit_word(cases[i].n[k].unit), usage_get(&u, cases[i].n[k].unit));
      }
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_openai),
      cmocka_unit_test(test_anthropic),
      cmocka_unit_test(test_others),
      cmocka_unit_test(test_service_and_geo),
      cmocka_unit_test(test_own_form),
      cmocka_unit_test(test_parts),
      cmocka_unit_test(test_shapes),
      cmocka_unit_test(test_no_usage_is_no_error),
      cmocka_unit_test(test_what_is_no_count),
      cmocka_unit_test(test_other),
      cmocka_unit_test(test_asked),
      cmocka_unit_test(test_resized),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
