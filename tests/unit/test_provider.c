/*
** Provider APIs: the request bodies they are sent, the answers and errors they give.
*/
#include "unit.h"
#include "base/utf8.h"

#include "wire/provider.h"

#include <math.h>
#include <stdio.h>

static const Model gpt =
    MODEL("gpt-4o", "openai", "openai", "", "", "{\"json_schema\":true}", 128000, 16384);
static const Model old_style =
    MODEL("mistral-small-2603", "mistral", "openai", "", "", "", 128000, 0);
static const Model own_server =
    MODEL("own", "vllm", "openai", "", "", "{\"max_completion_tokens\":true}", 0, 0);
static const Model own_openai =
    MODEL("own", "openai", "openai", "", "", "{\"max_completion_tokens\":false}", 0, 0);
static const Model old_claude =
    MODEL("claude-old", "anthropic", "anthropic", "", "", "{\"json_schema\":false}", 0, 0);
static const Model no_schema =
    MODEL("llama", "groq", "openai", "", "", "{\"json_schema\":false}", 0, 0);
static const Model haiku =
    MODEL("claude-haiku-4-5", "anthropic", "anthropic", "", "", "", 200000, 64000);
static const Model small =
    MODEL("claude-small", "anthropic", "anthropic", "", "", "", 200000, 4096);
static const Model unknown_size = MODEL("claude-new", "anthropic", "anthropic", "", "", "", 0, 0);

static const Sending whole = {0};

/* Builds the request's body: of a prompt, or of messages where the text starts with '['. */
static int build(const Model *model, const char *options, const char *text, Buf *body, Err *err) {
  Options o;
  Request r;
  check(options_parse(options, strlen(options), &o, err) == RC_OK, "%s: %s", options, err->msg);
  int rc = text[0] == '[' ? request_from_messages(text, strlen(text), &o, &r, err)
                          : request_from_prompt(text, strlen(text), &o, &r, err);
  check(rc == RC_OK, "%s: %s", text, err->msg);
  rc = provider_api(model->api)->build(&r, model, &whole, body, err);
  request_free(&r);
  options_free(&o);
  return rc;
}

#define ONE "\"messages\":[{\"role\":\"user\",\"content\":\"q\"}]"
#define STRICT_SCHEMA                                                                              \
  "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}},\"required\":[\"a\"],"       \
  "\"additionalProperties\":false}"
#define CHAT                                                                                       \
  "[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":\"a\"},"                \
  "{\"role\":\"assistant\",\"content\":\"b\"},{\"role\":\"user\",\"content\":\"q\"}]"

static const struct {
  const char *name;
  const Model *model;
  const char *options, *text, *body;
} bodies[] = {
    {"nothing that was not asked for", &gpt, "{}", "q", "{\"model\":\"gpt-4o\"," ONE "}"},
    {"what is not the provider's business", &gpt,
     "{\"tag\":\"t\",\"user\":\"u\",\"conversation\":\"c\",\"ttl\":5,\"cache\":\"off\","
     "\"retries\":1,"
     "\"timeout_ms\":9,\"dry_run\":true,\"on_error\":\"null\"}",
     "q", "{\"model\":\"gpt-4o\"," ONE "}"},
    {"sampling", &gpt, "{\"temperature\":0,\"top_p\":0.5,\"seed\":-7}", "q",
     "{\"model\":\"gpt-4o\"," ONE ",\"temperature\":0,\"top_p\":0.5,\"seed\":-7}"},
    {"the largest seed", &gpt, "{\"seed\":9007199254740991}", "q",
     "{\"model\":\"gpt-4o\"," ONE ",\"seed\":9007199254740991}"},
    {"stop string", &gpt, "{\"stop\":\"END\"}", "q",
     "{\"model\":\"gpt-4o\"," ONE ",\"stop\":\"END\"}"},
    {"stop array", &gpt, "{\"stop\":[\"a\",\"b\"]}", "q",
     "{\"model\":\"gpt-4o\"," ONE ",\"stop\":[\"a\",\"b\"]}"},
    {"length at OpenAI", &gpt, "{\"max_tokens\":5}", "q",
     "{\"model\":\"gpt-4o\"," ONE ",\"max_completion_tokens\":5}"},
    {"length elsewhere", &old_style, "{\"max_tokens\":5}", "q",
     "{\"model\":\"mistral-small-2603\"," ONE ",\"max_tokens\":5}"},
    {"length as the model says", &own_server, "{\"max_tokens\":5}", "q",
     "{\"model\":\"own\"," ONE ",\"max_completion_tokens\":5}"},
    {"length as the model says, old", &own_openai, "{\"max_tokens\":5}", "q",
     "{\"model\":\"own\"," ONE ",\"max_tokens\":5}"},
    {"system", &gpt, "{\"system\":\"s\"}", "q",
     "{\"model\":\"gpt-4o\",\"messages\":[{\"role\":\"system\",\"content\":\"s\"},"
     "{\"role\":\"user\",\"content\":\"q\"}]}"},
    {"conversation", &gpt, "{\"system\":\"o\"}", CHAT,
     "{\"model\":\"gpt-4o\",\"messages\":[{\"role\":\"system\",\"content\":\"o\\n\\ns\"},"
     "{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"b\"},"
     "{\"role\":\"user\",\"content\":\"q\"}]}"},
    {"strict schema", &gpt, "{\"schema\":" STRICT_SCHEMA "}", "q",
     "{\"model\":\"gpt-4o\"," ONE ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":"
     "{\"name\":\"answer\",\"strict\":true,\"schema\":" STRICT_SCHEMA "}}}"},
    {"a schema that is not strict", &gpt, "{\"schema\":{\"type\":\"object\"}}", "q",
     "{\"model\":\"gpt-4o\"," ONE ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":"
     "{\"name\":\"answer\",\"strict\":false,\"schema\":{\"type\":\"object\"}}}}"},
    {"schema in words", &no_schema, "{\"schema\":{\"type\":\"object\"}}", "q",
     "{\"model\":\"llama\",\"messages\":[{\"role\":\"system\",\"content\":\"Answer with nothing "
     "but "
     "JSON that satisfies this JSON Schema: {\\\"type\\\":\\\"object\\\"}\"},"
     "{\"role\":\"user\",\"content\":\"q\"}],\"response_format\":{\"type\":\"json_object\"}}"},
    {"schema in words behind the system prompt", &no_schema,
     "{\"system\":\"s\",\"schema\":{\"type\":\"object\"}}", "q",
     "{\"model\":\"llama\",\"messages\":[{\"role\":\"system\",\"content\":\"s\\n\\nAnswer with "
     "nothing "
     "but JSON that satisfies this JSON Schema: {\\\"type\\\":\\\"object\\\"}\"},"
     "{\"role\":\"user\",\"content\":\"q\"}],\"response_format\":{\"type\":\"json_object\"}}"},
    {"a schema whose root is no object", &gpt, "{\"schema\":{\"enum\":[1]}}", "q",
     "{\"model\":\"gpt-4o\"," ONE ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":"
     "{\"name\":\"answer\",\"strict\":false,\"schema\":{\"type\":\"object\",\"properties\":"
     "{\"value\":{\"enum\":[1]}},\"required\":[\"value\"],\"additionalProperties\":false}}}}"},
    {"in words, no object", &no_schema, "{\"schema\":{\"type\":\"array\"}}", "q",
     "{\"model\":\"llama\",\"messages\":[{\"role\":\"system\",\"content\":\"Answer with nothing "
     "but JSON that satisfies this JSON Schema: {\\\"type\\\":\\\"array\\\"}\"},"
     "{\"role\":\"user\",\"content\":\"q\"}]}"},
    {"as it is, not normalised", &gpt, "{}", "  \xC3\xA9 \"q\"\r\n",
     "{\"model\":\"gpt-4o\",\"messages\":[{\"role\":\"user\",\"content\":\"  \\u00e9 "
     "\\\"q\\\"\\r\\n\"}]}"},
    {"Anthropic: a length is required", &haiku, "{}", "q",
     "{\"model\":\"claude-haiku-4-5\",\"max_tokens\":8192," ONE "}"},
    {"Anthropic: at most the model's", &small, "{}", "q",
     "{\"model\":\"claude-small\",\"max_tokens\":4096," ONE "}"},
    {"Anthropic: model of unknown size", &unknown_size, "{}", "q",
     "{\"model\":\"claude-new\",\"max_tokens\":8192," ONE "}"},
    {"Anthropic: length asked for", &haiku, "{\"max_tokens\":20000}", "q",
     "{\"model\":\"claude-haiku-4-5\",\"max_tokens\":20000," ONE "}"},
    {"Anthropic: sampling", &haiku, "{\"max_tokens\":5,\"temperature\":1}", "q",
     "{\"model\":\"claude-haiku-4-5\",\"max_tokens\":5," ONE ",\"temperature\":1}"},
    {"Anthropic: stop string", &haiku, "{\"max_tokens\":5,\"stop\":\"END\"}", "q",
     "{\"model\":\"claude-haiku-4-5\",\"max_tokens\":5," ONE ",\"stop_sequences\":[\"END\"]}"},
    {"Anthropic: stop array", &haiku, "{\"max_tokens\":5,\"stop\":[\"a\",\"b\"]}", "q",
     "{\"model\":\"claude-haiku-4-5\",\"max_tokens\":5," ONE ",\"stop_sequences\":[\"a\",\"b\"]}"},
    {"Anthropic: conversation", &haiku, "{\"max_tokens\":5}", CHAT,
     "{\"model\":\"claude-haiku-4-5\",\"max_tokens\":5,\"system\":\"s\",\"messages\":["
     "{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"b\"},"
     "{\"role\":\"user\",\"content\":\"q\"}]}"},
    {"Anthropic: schema", &haiku, "{\"max_tokens\":5,\"schema\":" STRICT_SCHEMA "}", "q",
     "{\"model\":\"claude-haiku-4-5\",\"max_tokens\":5," ONE ",\"output_config\":{\"format\":"
     "{\"type\":\"json_schema\",\"schema\":" STRICT_SCHEMA "}}}"},
    {"Anthropic: a model that takes no schema", &old_claude,
     "{\"max_tokens\":5,\"system\":\"s\",\"schema\":" STRICT_SCHEMA "}", "q",
     "{\"model\":\"claude-old\",\"max_tokens\":5," ONE ",\"system\":\"s\",\"tools\":[{\"name\":"
     "\"answer\",\"description\":\"Gives the answer.\",\"input_schema\":" STRICT_SCHEMA "}],"
     "\"tool_choice\":{\"type\":\"tool\",\"name\":\"answer\"}}"},
    {"Anthropic: a schema it has no form for", &haiku,
     "{\"max_tokens\":5,\"schema\":{\"type\":\"object\"}}", "q",
     "{\"model\":\"claude-haiku-4-5\",\"max_tokens\":5," ONE ",\"system\":\"Answer with nothing "
     "but JSON that satisfies this JSON Schema: {\\\"type\\\":\\\"object\\\"}\"}"},
};

static void test_bodies(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(bodies); i++) {
    Buf body;
    Err err = {0};
    buf_init(&body, LIMIT_REQUEST_BYTES);
    int rc = build(bodies[i].model, bodies[i].options, bodies[i].text, &body, &err);
    check(rc == RC_OK, "%s: %s", bodies[i].name, err.msg);
    cJSON *got = tree_of(body.data), *expected = tree_of(bodies[i].body);
    check(cJSON_Compare(got, expected, 1), "%s: %s", bodies[i].name, body.data);
    cJSON_Delete(got);
    cJSON_Delete(expected);
    buf_free(&body);
  }
}

static void test_what_an_api_does_not_have(void **state) {
  static const struct {
    const Model *model;
    const char *options, *says;
  } cases[] = {
      {&haiku, "{\"seed\":0}", "option 'seed'"},
      {&haiku, "{\"temperature\":1.5}", "option 'temperature'"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Buf body;
    Err err = {0};
    buf_init(&body, LIMIT_REQUEST_BYTES);
    build(cases[i].model, cases[i].options, "q", &body, &err);
    check_error(&err, "bad_option", cases[i].says, cases[i].options);
    check(body.n == 0, "%s", cases[i].options);
    buf_free(&body);
  }
}

/* Bodies over the limit fail; a system prompt that does not fit is never left out of the
** request. */
static void test_bodies_are_bounded(void **state) {
  static const Model *const models[] = {&gpt, &no_schema, &haiku};
  size_t n = LIMIT_REQUEST_BYTES - 64;
  char *text = malloc(n + 1);
  (void)state;
  memset(text, 'x', n);
  text[n] = 0;
  cJSON *schema = tree_of("{\"type\":\"object\"}");
  for (size_t i = 0; i < 2 * COUNT(models); i++) {
    int long_system = i % 2 == 0;
    Options o;
    Request r;
    Buf body;
    Err err = {0};
    options_init(&o);
    o.schema = schema;
    o.system = long_system ? text : NULL;
    buf_init(&body, LIMIT_REQUEST_BYTES);
    const char *prompt = long_system ? "q" : text;
    assert_int_equal(request_from_prompt(prompt, strlen(prompt), &o, &r, &err), RC_OK);
    int rc = provider_api(models[i / 2]->api)->build(&r, models[i / 2], &whole, &body, &err);
    check(rc == RC_TOOBIG && body.n == 0, "%s: %d", models[i / 2]->name, rc);
    check_error(&err, "too_big", "the request is over", models[i / 2]->name);
    buf_free(&body);
    request_free(&r);
  }
  cJSON_Delete(schema);
  free(text);
}

static void test_apis(void **state) {
  (void)state;
  assert_string_equal(provider_api("openai")->path, "/chat/completions");
  assert_string_equal(provider_api("openai")->auth, "bearer");
  assert_null(provider_api("openai")->fixed_header);
  assert_string_equal(provider_api("anthropic")->path, "/messages");
  assert_string_equal(provider_api("anthropic")->auth, "x-api-key");
  assert_string_equal(provider_api("anthropic")->fixed_header, "anthropic-version: 2023-06-01");
  assert_null(provider_api("OpenAI"));
  assert_null(provider_api(""));
}

#define CHOICE(message, reason)                                                                    \
  "{\"model\":\"gpt-4o-2024-08-06\",\"choices\":[{\"index\":0,\"message\":" message                \
  ",\"finish_reason\":" reason "}],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":6}}"
#define SAYS "{\"role\":\"assistant\",\"content\":\"hello\",\"refusal\":null}"
#define CONTENT(blocks, reason)                                                                    \
  "{\"id\":\"msg_1\",\"type\":\"message\",\"model\":\"claude-haiku-4-5-20251001\","                \
  "\"content\":" blocks ",\"stop_reason\":" reason                                                 \
  ",\"usage\":{\"input_tokens\":5,\"output_tokens\":6}}"
#define HELLO "[{\"type\":\"text\",\"text\":\"hello\"}]"

static void test_answers(void **state) {
  static const struct {
    const char *api, *answer, *text, *reason;
  } cases[] = {
      {"openai", CHOICE(SAYS, "\"stop\""), "hello", "complete"},
      {"openai", CHOICE(SAYS, "\"length\""), "hello", "cut_off"},
      {"openai", CHOICE(SAYS, "\"content_filter\""), "hello", "filtered"},
      {"openai", CHOICE("{\"content\":null,\"tool_calls\":[]}", "\"tool_calls\""), NULL, "cut_off"},
      {"openai", CHOICE("{\"content\":null}", "\"function_call\""), NULL, "cut_off"},
      {"openai", CHOICE(SAYS, "\"eos\""), "hello", "complete"},
      {"openai", CHOICE(SAYS, "null"), "hello", "unknown"},
      {"openai", CHOICE("{\"content\":\"\"}", "\"stop\""), "", "complete"},
      {"openai", CHOICE("{\"content\":null,\"refusal\":\"I can't.\"}", "\"stop\""), NULL,
       "filtered"},
      {"openai", CHOICE("{\"role\":\"assistant\"}", "\"stop\""), NULL, "complete"},
      {"openai", CHOICE("{\"content\":5}", "\"stop\""), "5", "complete"},
      {"openai", CHOICE("{\"content\":\"\\ud83d\\ude00\\u0000\"}", "\"stop\""),
       "\xF0\x9F\x98\x80\xEF\xBF\xBD", "complete"},
      {"anthropic", CONTENT(HELLO, "\"end_turn\""), "hello", "complete"},
      {"anthropic", CONTENT(HELLO, "\"stop_sequence\""), "hello", "complete"},
      {"anthropic", CONTENT(HELLO, "\"max_tokens\""), "hello", "cut_off"},
      {"anthropic", CONTENT(HELLO, "\"model_context_window_exceeded\""), "hello", "cut_off"},
      {"anthropic", CONTENT("[{\"type\":\"tool_use\",\"input\":{}}]", "\"tool_use\""), NULL,
       "cut_off"},
      {"anthropic", CONTENT(HELLO, "\"refusal\""), "hello", "filtered"},
      {"anthropic", CONTENT("[]", "\"refusal\""), NULL, "filtered"},
      {"anthropic", CONTENT(HELLO, "\"pause_turn\""), "hello", "cut_off"},
      {"anthropic", CONTENT(HELLO, "null"), "hello", "unknown"},
      {"anthropic",
       CONTENT("[{\"type\":\"thinking\",\"thinking\":\"hm\"},{\"type\":\"text\",\"text\":\"a\"},"
               "{\"type\":\"text\",\"text\":\"b\"}]",
               "\"end_turn\""),
       "ab", "complete"},
      {"anthropic", CONTENT("[{\"type\":\"text\",\"text\":\"\"}]", "\"end_turn\""), "", "complete"},
      {"anthropic", CONTENT("[1,null,{\"type\":\"text\"},{\"text\":\"x\"}]", "\"end_turn\""), "x",
       "complete"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Reply reply = {0};
    Err err = {0};
    cJSON *tree = tree_of(cases[i].answer);
    int rc = provider_api(cases[i].api)->parse(&(Body){.tree = tree}, &reply, &err);
    provider_read_usage(tree, cases[i].api, &reply);
    cJSON_Delete(tree);
    check(rc == RC_OK, "%s: %s", cases[i].answer, err.msg);
    check(!reply.text == !cases[i].text, "%s", cases[i].answer);
    check(!reply.text || strcmp(reply.text, cases[i].text) == 0, "%s: %s", cases[i].answer,
          reply.text);
    check(strcmp(finish_name(reply.finish), cases[i].reason) == 0, "%s: %s", cases[i].answer,
          finish_name(reply.finish));
    check(usage_get(&reply.usage, UNIT_INPUT) == 5 && usage_get(&reply.usage, UNIT_OUTPUT) == 6,
          "%s", cases[i].answer);
    check(!reply.usage_error[0] && strlen(reply.model) > 15, "%s: %s", cases[i].answer,
          reply.model);
    reply_free(&reply);
    reply_free(&reply);
  }
}

/* An answer we can't read may still have been billed: its usage is kept. */
static void test_answers_that_cannot_be_read(void **state) {
  static const struct {
    const char *api, *answer;
    long long output;
  } cases[] = {
      {"openai", "{}", USAGE_UNKNOWN},
      {"openai", "[]", USAGE_UNKNOWN},
      {"openai", "null", USAGE_UNKNOWN},
      {"openai", "{\"choices\":[]}", USAGE_UNKNOWN},
      {"openai", "{\"choices\":{}}", USAGE_UNKNOWN},
      {"openai", "{\"choices\":[{}]}", USAGE_UNKNOWN},
      {"openai", "{\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":6}}", 6},
      {"anthropic", "{}", USAGE_UNKNOWN},
      {"anthropic", "[]", USAGE_UNKNOWN},
      {"anthropic", "{\"content\":null,\"usage\":{\"input_tokens\":5,\"output_tokens\":6}}", 6},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Reply reply = {0};
    Err err = {0};
    cJSON *tree = tree_of(cases[i].answer);
    provider_api(cases[i].api)->parse(&(Body){.tree = tree}, &reply, &err);
    provider_read_usage(tree, cases[i].api, &reply);
    cJSON_Delete(tree);
    check(err.rc == RC_OK || (err.code == ERR_BAD_ANSWER && strstr(err.msg, "the answer has no")),
          "%s: %s", cases[i].answer, err.msg);
    check(!reply.text && usage_get(&reply.usage, UNIT_OUTPUT) == cases[i].output, "%s: %lld",
          cases[i].answer, usage_get(&reply.usage, UNIT_OUTPUT));
    reply_free(&reply);
  }
}

/* A usage that can't be priced does not cost us the answer. */
static void test_answers_with_a_strange_usage(void **state) {
  static const struct {
    const char *api, *answer, *error;
  } cases[] = {
      {"openai", "{\"choices\":[{\"message\":" SAYS "}],\"usage\":{\"prompt_tokens\":\"5\"}}",
       "'prompt_tokens'"},
      {"openai", "{\"choices\":[{\"message\":" SAYS "}],\"usage\":null}", ""},
      {"openai", "{\"choices\":[{\"message\":" SAYS "}]}", ""},
      {"anthropic", "{\"content\":" HELLO ",\"usage\":{\"input_tokens\":-5,\"output_tokens\":6}}",
       "'input_tokens'"},
      {"anthropic", "{\"content\":" HELLO ",\"usage\":null}", ""},
      {"anthropic", "{\"content\":" HELLO "}", ""},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Reply reply = {0};
    Err err = {0};
    cJSON *tree = tree_of(cases[i].answer);
    int rc = provider_api(cases[i].api)->parse(&(Body){.tree = tree}, &reply, &err);
    provider_read_usage(tree, cases[i].api, &reply);
    cJSON_Delete(tree);
    check(rc == RC_OK && strcmp(reply.text, "hello") == 0, "%s: %s", cases[i].answer, err.msg);
    check(!reply.usage_error[0] == !cases[i].error[0], "%s: %s", cases[i].answer,
          reply.usage_error);
    check(strstr(reply.usage_error, cases[i].error), "%s: %s", cases[i].answer, reply.usage_error);
    check(reply.usage.has == 0, "%s", cases[i].answer);
    check(reply.model[0] == 0, "%s: %s", cases[i].answer, reply.model);
    reply_free(&reply);
  }
}

/* Whatever an answer calls itself is cut between two characters: it goes into the ledger. */
static void test_long_names_stay_utf8(void **state) {
  char name[LIMIT_MODEL_NAME + 8], text[4 * sizeof name];
  (void)state;
  for (size_t n = 20; n < LIMIT_MODEL_NAME; n++) { /* letters before the first one of two bytes */
    Reply reply = {0};
    memset(name, 'a', n);
    snprintf(name + n, sizeof name - n, "%s", "\xC3\xA9\xC3\xA9");
    snprintf(text, sizeof text,
             "{\"model\":\"%s\",\"usage\":{\"input_tokens\":1,\"output_tokens\":1,"
             "\"service_tier\":\"%s\",\"%s\":[]}}",
             name, name, name);
    cJSON *tree = tree_of(text);
    provider_read_usage(tree, "anthropic", &reply);
    size_t bad_at;
    check(utf8_is_valid(reply.model, strlen(reply.model), &bad_at), "%zu: model", n);
    check(utf8_is_valid(reply.usage.service, strlen(reply.usage.service), &bad_at), "%zu", n);
    check(utf8_is_valid(reply.usage_error, strlen(reply.usage_error), &bad_at), "%zu", n);
    cJSON_Delete(tree);
    reply_free(&reply);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_apis),
      cmocka_unit_test(test_bodies),
      cmocka_unit_test(test_what_an_api_does_not_have),
      cmocka_unit_test(test_bodies_are_bounded),
      cmocka_unit_test(test_answers),
      cmocka_unit_test(test_answers_that_cannot_be_read),
      cmocka_unit_test(test_answers_with_a_strange_usage),
      cmocka_unit_test(test_long_names_stay_utf8),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
