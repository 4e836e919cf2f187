/*
** Marks behind what a request begins with: where, in whose words, and nothing where they are not asked for.
*/
#include "unit.h"

#include "wire/provider.h"

#include <stdio.h>

#define KEEP "\"cache_control\":{\"type\":\"ephemeral\"}"
#define KEEP_1H "\"cache_control\":{\"type\":\"ephemeral\",\"ttl\":\"1h\"}"
#define BREAK "\"prompt_cache_breakpoint\":{\"mode\":\"explicit\"}"
#define CHAT                                                                                       \
  "[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"b\"},"             \
  "{\"role\":\"user\",\"content\":\"q\"}]"
#define CLAUDE "{\"model\":\"claude-haiku-4-5\",\"max_tokens\":5,"
#define GPT "{\"model\":\"gpt-5.6-sol\","
#define PART(text, mark) "{\"type\":\"text\",\"text\":\"" text "\"," mark "}"
#define REST(text) "{\"type\":\"text\",\"text\":\"" text "\"}"
#define USER(content) "\"messages\":[{\"role\":\"user\",\"content\":" content "}]"

#define CALLS(id)                                                                                  \
  "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"" id                         \
  "\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},"
#define RESULT(id) "{\"role\":\"tool\",\"tool_call_id\":\"" id "\",\"content\":\"r\"}"
#define USE(id)                                                                                    \
  "{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":\"" id                       \
  "\",\"name\":\"f\",\"input\":{}}]}"
#define RETURN(id, mark)                                                                           \
  "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"" id                \
  "\",\"content\":\"r\"" mark "}]}"

static const Model haiku =
    MODEL("claude-haiku-4-5", "anthropic", "anthropic", "", "", "", 200000, 64000);
static const Model sol =
    MODEL("gpt-5.6-sol", "openai", "openai", "https://api.openai.com/v1", "", "", 0, 0);

enum { ALL = PREFIX_SYSTEM | PREFIX_SHARED | PREFIX_HISTORY };

static void test_bodies(void **state) {
  (void)state;
  static const struct {
    const char *name;
    const Model *model;
    const char *options, *text;
    size_t shared;
    unsigned marks;
    int is_long;
    const char *body;
  } cases[] = {
      {"nothing is marked", &haiku, "{\"max_tokens\":5,\"system\":\"s\"}", "prefix, rest", 7, 0, 0,
       CLAUDE "\"system\":\"s\"," USER("\"prefix, rest\"") "}"},
      {"the system prompt", &haiku, "{\"max_tokens\":5,\"system\":\"s\"}", "q", 0, ALL, 0,
       CLAUDE "\"system\":[" PART("s", KEEP) "]," USER("\"q\"") "}"},
      {"for an hour", &haiku, "{\"max_tokens\":5,\"system\":\"s\"}", "q", 0, ALL, 1,
       CLAUDE "\"system\":[" PART("s", KEEP_1H) "]," USER("\"q\"") "}"},
      {"the shared part", &haiku, "{\"max_tokens\":5}", "prefix, rest", 7, ALL, 0,
       CLAUDE USER("[" PART("prefix,", KEEP) "," REST(" rest") "]") "}"},
      {"both", &haiku, "{\"max_tokens\":5,\"system\":\"s\"}", "prefix, rest", 7, ALL, 0,
       CLAUDE "\"system\":[" PART("s", KEEP) "]," USER(
           "[" PART("prefix,", KEEP) "," REST(" rest") "]") "}"},
      {"the system prompt alone", &haiku, "{\"max_tokens\":5,\"system\":\"s\"}", "prefix, rest", 7,
       PREFIX_SYSTEM, 0, CLAUDE "\"system\":[" PART("s", KEEP) "]," USER("\"prefix, rest\"") "}"},
      {"all of it", &haiku, "{\"max_tokens\":5}", "prefix", 99, ALL, 0,
       CLAUDE USER("[" PART("prefix", KEEP) "]") "}"},
      {"whole characters", &haiku, "{\"max_tokens\":5}", "\xC3\xA4\xC3\xB6\xC3\xBC", 3, ALL, 0,
       CLAUDE USER("[" PART("\xC3\xA4", KEEP) "," REST("\xC3\xB6\xC3\xBC") "]") "}"},
      {"what looks like a blank", &haiku, "{\"max_tokens\":5}", "prefix \\n ", 6, ALL, 0,
       CLAUDE USER("[" PART("prefix", KEEP) "," REST(" \\\\n ") "]") "}"},
      {"a conversation: where the turn before ended, too", &haiku, "{\"max_tokens\":5}", CHAT, 0,
       ALL, 0,
       CLAUDE "\"messages\":[{\"role\":\"user\",\"content\":[" PART(
           "a", KEEP) "]},{\"role\":\"assistant\",\"content\":\"b\"},"
                      "{\"role\":\"user\",\"content\":[" PART("q", KEEP) "]}]}"},
      {"tools: in front of the last answer, the user before, the result", &haiku,
       "{\"max_tokens\":5}",
       "[{\"role\":\"user\",\"content\":\"a\"}," CALLS("x") RESULT("x") "," CALLS("y")
           RESULT("y") "]",
       0, ALL, 0,
       CLAUDE "\"messages\":[{\"role\":\"user\",\"content\":[" PART("a", KEEP) "]}," USE(
           "x") "," RETURN("x", "," KEEP) "," USE("y") "," RETURN("y", "," KEEP) "]}"},
      {"the caller's marks in instructions stay where they are", &haiku, "{\"max_tokens\":5}",
       "[{\"role\":\"system\",\"content\":[{\"type\":\"text\",\"text\":\"s\"," KEEP_1H
       "},{\"type\":\"text\",\"text\":\"t\"}]},{\"role\":\"user\",\"content\":\"q\"}]",
       0, PREFIX_SYSTEM, 0,
       CLAUDE "\"system\":[" PART("s", KEEP_1H) "," PART("\\nt", KEEP) "]," USER("\"q\"") "}"},
      {"OpenAI", &sol, "{\"system\":\"s\"}", "prefix, rest", 7, ALL, 0,
       GPT "\"messages\":[{\"role\":\"system\",\"content\":[" PART(
           "s",
           BREAK) "]},{\"role\":\"user\",\"content\":[" PART("prefix,",
                                                             BREAK) "," REST(" rest") "]}],"
                                                                                      "\"prompt_"
                                                                                      "cache_"
                                                                                      "options\":{"
                                                                                      "\"mode\":"
                                                                                      "\"explicit\""
                                                                                      "}}"},
      {"OpenAI has one lifetime", &sol, "{\"system\":\"s\"}", "q", 0, ALL, 1,
       GPT "\"messages\":[{\"role\":\"system\",\"content\":[" PART(
           "s", BREAK) "]},{\"role\":\"user\",\"content\":\"q\"}],"
                       "\"prompt_cache_options\":{\"mode\":\"explicit\"}}"},
      {"OpenAI, nothing to mark", &sol, "{}", "q", 0, ALL, 0, GPT USER("\"q\"") "}"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    Options o;
    Request r;
    Buf body;
    Err err = {0};
    const char *text = cases[i].text;
    check(options_parse(cases[i].options, strlen(cases[i].options), &o, &err) == RC_OK, "%s",
          err.msg);
    int rc = text[0] == '[' ? request_from_messages(text, strlen(text), &o, &r, &err)
                            : request_from_prompt(text, strlen(text), &o, &r, &err);
    check(rc == RC_OK, "%s: %s", cases[i].name, err.msg);
    r.shared = cases[i].shared;
    const Sending how = {.form = prefix_form(cases[i].model, &err),
                         .marks = prefix_places(&r) & cases[i].marks,
                         .is_long = cases[i].is_long};
    buf_init(&body, LIMIT_REQUEST_BYTES);
    rc = provider_api(cases[i].model->api)->build(&r, cases[i].model, &how, &body, &err);
    check(rc == RC_OK, "%s: %s", cases[i].name, err.msg);
    cJSON *got = tree_of(body.data), *expected = tree_of(cases[i].body);
    check(cJSON_Compare(got, expected, 1), "%s: %s", cases[i].name, body.data);
    cJSON_Delete(got);
    cJSON_Delete(expected);
    buf_free(&body);
    request_free(&r);
    options_free(&o);
  }
}

static void test_forms(void **state) {
  (void)state;
  static const struct {
    Model model;
    const char *member; /* NULL: none */
  } cases[] = {
      {MODEL("claude-haiku-4-5", "anthropic", "anthropic", "https://api.anthropic.com/v1", "", "",
             0, 0),
       "cache_control"},
      {MODEL("claude-x", "own", "anthropic", "http://127.0.0.1:1", "", "", 0, 0), "cache_control"},
      {MODEL("claude-x", "own", "anthropic", "http://127.0.0.1:1", "", "{\"prompt_cache\":false}",
             0, 0),
       NULL},
      {MODEL("gpt-5.6-sol", "openai", "openai", "https://api.openai.com/v1", "", "", 0, 0),
       "prompt_cache_breakpoint"},
      {MODEL("gpt-6-astra", "openai", "openai", "https://api.openai.com/v1", "",
             "{\"prompt_cache\":null}", 0, 0),
       "prompt_cache_breakpoint"},
      {MODEL("gpt-6-astra", "openai", "openai", "https://gateway.example/v1", "", "", 0, 0), NULL},
      {MODEL("gpt-5", "openai", "openai", "https://api.openai.com/v1", "", "", 0, 0), NULL},
      {MODEL("gpt-4o", "openai", "openai", "https://api.openai.com/v1", "", "", 0, 0), NULL},
      {MODEL("mistral-small-2603", "mistral", "openai", "https://api.mistral.ai/v1", "", "", 0, 0),
       NULL},
      {MODEL("anthropic/claude-sonnet-5", "openrouter", "openai", "https://openrouter.ai/api/v1",
             "", "", 0, 0),
       "cache_control"},
      {MODEL("openai/gpt-4o-mini", "openrouter", "openai", "https://openrouter.ai/api/v1", "", "",
             0, 0),
       NULL},
      {MODEL("own", "vllm", "openai", "http://127.0.0.1:1", "",
             "{\"prompt_cache\":\"cache_control\"}", 0, 0),
       "cache_control"},
      {MODEL("own", "vllm", "openai", "http://127.0.0.1:1", "",
             "{\"prompt_cache\":\"prompt_cache_breakpoint\"}", 0, 0),
       "prompt_cache_breakpoint"},
      {MODEL("own", "vllm", "openai", "http://127.0.0.1:1", "", "no JSON", 0, 0), NULL},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    Err err = {0};
    const PrefixForm *form = prefix_form(&cases[i].model, &err);
    const char *member = form ? form->member : "",
               *expected = cases[i].member ? cases[i].member : "";
    check(err.rc == RC_OK && strcmp(member, expected) == 0, "%zu %s: '%s' %s", i,
          cases[i].model.name, member, err.msg);
  }
  Err err = {0};
  const Model wrong = MODEL("own", "vllm", "openai", "", "", "{\"prompt_cache\":\"yes\"}", 0, 0);
  assert_null(prefix_form(&wrong, &err));
  check_error(&err, "config",
              "\"prompt_cache\" in llm_models.supports is 'yes' (valid: 'cache_control'", "yes");
}

static void test_places(void **state) {
  (void)state;
  static const struct {
    const char *system, *text;
    size_t shared, bytes;
    unsigned places;
  } cases[] = {
      {NULL, "prefix rest", 0, 0, 0},
      {"s", "prefix rest", 6, 6, PREFIX_SYSTEM | PREFIX_SHARED},
      {" \n", "prefix rest", 6, 6, PREFIX_SHARED},
      {NULL, "prefix \n", 6, 0, 0},
      {NULL, "  rest", 2, 0, 0},
      {NULL, "prefix", 6, 6, PREFIX_SHARED},
      {NULL, "prefix", 7, 6, PREFIX_SHARED},
      {NULL, "\xE2\x82\xAC", 1, 0, 0},
      {NULL, "a\xE2\x82\xAC", 3, 1, PREFIX_SHARED},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    Message one = {.role = "user", .content = cases[i].text, .n = strlen(cases[i].text)};
    const Request r = {
        .messages = &one, .n_messages = 1, .system = cases[i].system, .shared = cases[i].shared};
    check(prefix_shared(&r) == cases[i].bytes && prefix_places(&r) == cases[i].places,
          "%s: %zu, %u", cases[i].text, prefix_shared(&r), prefix_places(&r));
  }
}

/* Writes that were asked for an hour, by answers that tell lifetimes apart and by others. */
static void test_hours(void **state) {
  (void)state;
  static const struct {
    const char *usage;
    long long hour;
  } cases[] = {
      {"{\"input_tokens\":10,\"output_tokens\":1,\"cache_creation_input_tokens\":50,\"cache_read_"
       "input_tokens\":0}",
       50},
      {"{\"input_tokens\":10,\"output_tokens\":1,\"cache_creation_input_tokens\":0,\"cache_read_"
       "input_tokens\":50}",
       USAGE_UNKNOWN},
      {"{\"input_tokens\":10,\"output_tokens\":1,\"cache_creation_input_tokens\":50,\"cache_"
       "creation\":"
       "{\"ephemeral_5m_input_tokens\":40,\"ephemeral_1h_input_tokens\":10}}",
       10},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    Usage u;
    Err err = {0};
    cJSON *tree = tree_of(cases[i].usage);
    check(usage_read(tree, vendor_by_word("anthropic"), NULL, &u, &err) == RC_OK, "%s", err.msg);
    usage_note_hour(&u);
    check(usage_get(&u, UNIT_CACHE_WRITE_1H) == cases[i].hour, "%s: %lld", cases[i].usage,
          usage_get(&u, UNIT_CACHE_WRITE_1H));
    cJSON_Delete(tree);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_bodies),
      cmocka_unit_test(test_forms),
      cmocka_unit_test(test_places),
      cmocka_unit_test(test_hours),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
