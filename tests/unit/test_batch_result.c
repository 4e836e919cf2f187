/*
** What came of requests: answers that the ordinary readers read, errors worth another try or not, expired and cancelled ones (A01,
** A02), bad lines among good ones (A05), ids that are doubled, missing or another's (A08).
*/
#include "unit.h"

#include "wire/batch/result.h"
#include "wire/provider.h"

#include <stdio.h>

#define CHAT                                                                                       \
  "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"model\":\"gpt-4o-mini-2024-07-18\","    \
  "\"choices\":[{\"index\":0,"                                                                     \
  "\"message\":{\"role\":\"assistant\",\"content\":\"yes\"},\"finish_reason\":\"stop\"}],"         \
  "\"usage\":{\"prompt_tokens\":9,"                                                                \
  "\"completion_tokens\":2,\"total_tokens\":11}}"
#define MESSAGE                                                                                    \
  "{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-haiku-4-5\","  \
  "\"content\":[{\"type\":\"text\","                                                               \
  "\"text\":\"yes\"}],\"stop_reason\":\"end_turn\",\"usage\":{\"input_tokens\":9,\"output_"        \
  "tokens\":2,\"service_tier\":\"batch\"}}"
#define OPENAI(status, body)                                                                       \
  "{\"id\":\"batch_req_1\",\"custom_id\":\"r7-1\",\"response\":{\"status_code\":" status           \
  ",\"request_id\":\"req_9\",\"body\":" body "},\"error\":null}"
#define ERROR(error)                                                                               \
  "{\"id\":\"batch_req_1\",\"custom_id\":\"r7-1\",\"response\":null,\"error\":" error "}"
#define CLAUDE(result) "{\"custom_id\":\"r7-1\",\"result\":" result "}"
#define CLAUDE_ERROR(type, message)                                                                \
  CLAUDE("{\"type\":\"errored\",\"error\":{\"type\":\"error\",\"error\":{\"type\":\"" type         \
         "\",\"message\":\"" message "\"},\"request_id\":\"req_9\"}}")

static int read_text(const char *text, int is_whole, BatchResult *r) {
  Err err = {0};
  size_t n = strlen(text);
  char *copy = malloc(n ? n : 1);
  assert_non_null(copy);
  memcpy(copy, text, n);
  const SplitLine line = {.at = copy, .n = n, .number = 1, .is_whole = is_whole};
  int rc = batch_result_read(&line, r, &err);
  free(copy);
  check(rc == err.rc, "%s", text);
  return rc;
}

static void test_outcomes(void **state) {
  (void)state;
  static const struct {
    const char *name, *line;
    BatchOutcome outcome;
    BatchAgain again;
    long status;
    const char *word, *says;
  } cases[] = {
      {"OpenAI", OPENAI("200", CHAT), RESULT_ANSWERED, AGAIN_NO, 200, "", ""},
      {"OpenRouter, 201", OPENAI("201", CHAT), RESULT_ANSWERED, AGAIN_NO, 201, "", ""},
      {"Mistral without a status", "{\"custom_id\":\"r7-1\",\"response\":{\"body\":" CHAT "}}",
       RESULT_ANSWERED, AGAIN_NO, 0, "", ""},
      {"a body as a text",
       OPENAI("200", "\"{\\\"choices\\\":[{\\\"message\\\":{\\\"content\\\":\\\"yes\\\"}}]}\""),
       RESULT_ANSWERED, AGAIN_NO, 200, "", ""},
      {"an answer and an error",
       "{\"custom_id\":\"r7-1\",\"response\":{\"status_code\":200,\"body\":" CHAT
       "},\"error\":{\"code\":\"x\"}}",
       RESULT_ANSWERED, AGAIN_NO, 200, "", ""},
      {"A01: refused",
       OPENAI("400", "{\"error\":{\"message\":\"Unknown parameter "
                     "'x'.\",\"type\":\"invalid_request_error\",\"code\":"
                     "\"unknown_parameter\"}}"),
       RESULT_REFUSED, AGAIN_NO, 400, "unknown_parameter", "Unknown parameter 'x'."},
      {"the server's",
       OPENAI("500",
              "{\"error\":{\"message\":\"The server had an error\",\"type\":\"server_error\"}}"),
       RESULT_ERRORED, AGAIN_YES, 500, "server_error", "The server had an error"},
      {"a rate limit",
       OPENAI("429", "{\"error\":{\"message\":\"Rate limit\",\"code\":\"rate_limit_exceeded\"}}"),
       RESULT_ERRORED, AGAIN_YES, 429, "rate_limit_exceeded", "Rate limit"},
      {"no quota",
       OPENAI("429", "{\"error\":{\"message\":\"You exceeded your current "
                     "quota\",\"code\":\"insufficient_quota\"}}"),
       RESULT_ERRORED, AGAIN_PAID, 429, "insufficient_quota", "quota"},
      {"a page as a body", OPENAI("502", "\"<html><title>502 Bad Gateway</title></html>\""),
       RESULT_ERRORED, AGAIN_YES, 502, "", "502 Bad Gateway"},
      {"a status and nothing", OPENAI("404", "null"), RESULT_REFUSED, AGAIN_NO, 404, "", ""},
      {"an error in a 200", OPENAI("200", "{\"error\":{\"message\":\"overloaded\",\"code\":503}}"),
       RESULT_ERRORED, AGAIN_YES, 503, "", "overloaded"},
      {"A02: expired",
       ERROR("{\"code\":\"batch_expired\",\"message\":\"This request could not be executed before "
             "the completion window expired.\"}"),
       RESULT_EXPIRED, AGAIN_YES, 0, "batch_expired", "completion window"},
      {"A03: cancelled", ERROR("{\"code\":\"batch_cancelled\"}"), RESULT_CANCELLED, AGAIN_YES, 0,
       "batch_cancelled", "was cancelled"},
      {"out of time", ERROR("{\"code\":\"request_timeout\",\"message\":\"m\"}"), RESULT_ERRORED,
       AGAIN_YES, 504, "request_timeout", "m"},
      {"words alone", ERROR("\"model not found\""), RESULT_REFUSED, AGAIN_NO, 0, "",
       "model not found"},
      {"Mistral's detail",
       "{\"custom_id\":\"r7-1\",\"response\":{\"status_code\":422,\"body\":{\"detail\":[{\"loc\":["
       "\"body\",\"x\"],\"msg\":"
       "\"extra\"}]}},\"error\":null}",
       RESULT_REFUSED, AGAIN_NO, 422, "", "extra"},
      {"Anthropic", CLAUDE("{\"type\":\"succeeded\",\"message\":" MESSAGE "}"), RESULT_ANSWERED,
       AGAIN_NO, 0, "", ""},
      {"Anthropic, errored", CLAUDE_ERROR("invalid_request_error", "max_tokens: too many"),
       RESULT_REFUSED, AGAIN_NO, 400, "invalid_request_error", "max_tokens: too many"},
      {"Anthropic, its own fault", CLAUDE_ERROR("api_error", "Internal server error"),
       RESULT_ERRORED, AGAIN_YES, 500, "api_error", "Internal"},
      {"Anthropic, no credit",
       CLAUDE_ERROR("invalid_request_error",
                    "Your credit balance is too low to access the Anthropic API."),
       RESULT_ERRORED, AGAIN_PAID, 400, "invalid_request_error", "credit balance"},
      {"Anthropic, expired", CLAUDE("{\"type\":\"expired\"}"), RESULT_EXPIRED, AGAIN_YES, 0, "",
       "time ran out"},
      {"Anthropic, cancelled", CLAUDE("{\"type\":\"canceled\"}"), RESULT_CANCELLED, AGAIN_YES, 0,
       "", "cancelled"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    BatchResult r;
    read_text(cases[i].line, 1, &r);
    check(r.outcome == cases[i].outcome && r.again == cases[i].again, "%s: %s, %d (%s)",
          cases[i].name, batch_outcome_word(r.outcome), (int)r.again, r.message);
    check(r.status == cases[i].status && strcmp(r.word, cases[i].word) == 0, "%s: %ld, '%s'",
          cases[i].name, r.status, r.word);
    check(strstr(r.message, cases[i].says) && (r.message[0] == 0) == (r.outcome == RESULT_ANSWERED),
          "%s: '%s'", cases[i].name, r.message);
    check((r.body.tree != NULL) == (r.outcome == RESULT_ANSWERED), "%s: body", cases[i].name);
    check(r.is_ours && r.key.rowid == 7 && r.key.attempt == 1 && strcmp(r.id, "r7-1") == 0,
          "%s: '%s'", cases[i].name, r.id);
    batch_result_free(&r);
    batch_result_free(&r);
  }
}

/* A05: whatever a line is, it is a row with a reason. */
static void test_bad_lines(void **state) {
  (void)state;
  static const struct {
    const char *line;
    BatchOutcome outcome;
    const char *says;
  } cases[] = {
      {"{\"custom_id\":\"r7-1\",\"response\":{\"status_code\":200,\"bo", RESULT_UNREADABLE,
       "where it ends"},
      {"null", RESULT_UNREADABLE, "no object"},
      {"[1,2]", RESULT_UNREADABLE, "no object"},
      {"\"text\"", RESULT_UNREADABLE, "no object"},
      {"{}", RESULT_UNREADABLE, "neither"},
      {"{\"custom_id\":\"r7-1\"}", RESULT_UNREADABLE, "neither"},
      {"{\"custom_id\":\"r7-1\",\"response\":null,\"error\":null}", RESULT_UNREADABLE, "neither"},
      {"{\"custom_id\":\"r7-1\",\"response\":[],\"error\":null}", RESULT_UNREADABLE, "neither"},
      {"{\"custom_id\":\"r7-1\",\"response\":{\"status_code\":200,\"body\":{}}}", RESULT_UNREADABLE,
       "neither"},
      {"{\"custom_id\":\"r7-1\",\"response\":{\"status_code\":200,\"body\":[1]}}",
       RESULT_UNREADABLE, "neither"},
      {"{\"custom_id\":\"r7-1\",\"response\":{\"status_code\":1e300,\"body\":null}}",
       RESULT_UNREADABLE, "neither"},
      {"{\"custom_id\":\"r7-1\",\"result\":{}}", RESULT_UNREADABLE, "neither"},
      {"{\"custom_id\":\"r7-1\",\"result\":{\"type\":\"succeeded\"}}", RESULT_UNREADABLE,
       "neither"},
      {"{\"custom_id\":\"r7-1\",\"result\":{\"type\":\"succeeded\",\"message\":null}}",
       RESULT_UNREADABLE, "no body"},
      {"{\"custom_id\":\"r7-1\",\"result\":{\"type\":7,\"message\":\"x\"}}", RESULT_UNREADABLE,
       "no body"},
      {"{\"custom_id\":\"r7-1\",\"result\":\"x\"}", RESULT_UNREADABLE, "neither"},
      {"{\"error\":{\"message\":\"No such file\"}}", RESULT_FAULT, "No such file"},
      {"<html>", RESULT_UNREADABLE, "byte 0"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    BatchResult r;
    assert_int_equal(read_text(cases[i].line, 1, &r), RC_OK);
    check(r.outcome == cases[i].outcome && strstr(r.message, cases[i].says), "%s: %s, %s",
          cases[i].line, batch_outcome_word(r.outcome), r.message);
    check(r.outcome == RESULT_FAULT || r.again == AGAIN_NO, "%s", cases[i].line);
    batch_result_free(&r);
  }
}

/* A last line without its end is a result if it is whole all the same. */
static void test_torn_lines(void **state) {
  (void)state;
  BatchResult r;
  Err err = {0};
  read_text(OPENAI("200", CHAT), 0, &r);
  assert_int_equal(r.outcome, RESULT_ANSWERED);
  batch_result_free(&r);
  read_text("{\"custom_id\":\"r7-1\",\"response\":{\"status_co", 0, &r);
  assert_int_equal(r.outcome, RESULT_TORN);
  SplitLine line = {.at = "", .n = 31457280, .is_whole = 1, .is_too_long = 1, .id = "r7-2-t"};
  batch_result_read(&line, &r, &err);
  check(r.outcome == RESULT_TOO_LONG && r.is_ours && r.key.attempt == 2 &&
            strstr(r.message, "31457280 bytes"),
        "%s", r.message);
  line.is_whole = 0;
  batch_result_read(&line, &r, &err);
  assert_int_equal(r.outcome, RESULT_TORN);
}

/* A08: an id that we never wrote is nobody's row. */
static void test_ids(void **state) {
  (void)state;
  static const struct {
    const char *id; /* JSON */
    int is_ours;
    long long rowid, attempt;
    const char *tag, *kept;
  } cases[] = {
      {"\"r12-3-tag\"", 1, 12, 3, "tag", "r12-3-tag"},
      {"\"unknown-custom-id\"", 0, 0, 0, "", "unknown-custom-id"},
      {"\"r12-03\"", 0, 0, 0, "", "r12-03"},
      {"\"\"", 0, 0, 0, "", ""},
      {"null", 0, 0, 0, "", ""},
      {"7", 0, 0, 0, "", ""},
      {"\"r1\\u0032-3\"", 1, 12, 3, "", "r12-3"},
      {"\"\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9"
       "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9"
       "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9"
       "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9"
       "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\"",
       0, 0, 0, "", NULL},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    char line[800];
    BatchResult r;
    size_t bad_at;
    snprintf(line, sizeof line,
             "{\"custom_id\":%s,\"response\":{\"status_code\":200,\"body\":" CHAT "}}",
             cases[i].id);
    read_text(line, 1, &r);
    check(r.outcome == RESULT_ANSWERED && r.is_ours == cases[i].is_ours, "%s: %d", cases[i].id,
          r.is_ours);
    check(!r.is_ours || (r.key.rowid == cases[i].rowid && r.key.attempt == cases[i].attempt &&
                         strcmp(r.key.tag, cases[i].tag) == 0),
          "%s", cases[i].id);
    check(!cases[i].kept || strcmp(r.id, cases[i].kept) == 0, "%s: '%s'", cases[i].id, r.id);
    check(utf8_is_valid(r.id, strlen(r.id), &bad_at), "%s", cases[i].id);
    batch_result_free(&r);
  }
}

/* Answers are read as those of ordinary calls: text, model, usage; and what is wrong with them is said there. */
static void test_answers_are_ordinary(void **state) {
  (void)state;
  static const struct {
    const char *name, *line, *provider;
    const char *text, *model;
    long long input; /* -1: the usage can't be read */
    int embeds;
  } cases[] = {
      {"OpenAI", OPENAI("200", CHAT), "openai", "yes", "gpt-4o-mini-2024-07-18", 9, 0},
      {"Anthropic", CLAUDE("{\"type\":\"succeeded\",\"message\":" MESSAGE "}"), "anthropic", "yes",
       "claude-haiku-4-5", 9, 0},
      {"A05: without usage",
       OPENAI("200", "{\"model\":\"m\",\"choices\":[{\"message\":{\"content\":\"yes\"},\"finish_"
                     "reason\":\"stop\"}]}"),
       "openai", "yes", "m", -1, 0},
      {"others' line ends",
       OPENAI("200", "{\"model\":\"m\",\"choices\":[{\"message\":{\"content\":"
                     "\"a\xE2\x80\xA8\x0B\r\xC2\x85z\"},\"finish_reason\":\"stop\"}],"
                     "\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":2}}"),
       "openai", "a\xE2\x80\xA8\x0B\r\xC2\x85z", "m", 9, 0},
      {"vectors",
       OPENAI("200", "{\"object\":\"list\",\"data\":[{\"object\":\"embedding\",\"index\":0,"
                     "\"embedding\":[1,0]}],\"model\":\"e\","
                     "\"usage\":{\"prompt_tokens\":9,\"total_tokens\":9}}"),
       "openai", NULL, "e", 9, 1},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    BatchResult r;
    Reply reply = {0};
    Err err = {0};
    read_text(cases[i].line, 1, &r);
    const Api *api =
        cases[i].embeds ? provider_embedding_api("openai") : provider_api(cases[i].provider);
    check(api->parse(&r.body, &reply, &err) == RC_OK, "%s: %s", cases[i].name, err.msg);
    provider_read_usage(r.body.tree, cases[i].provider, &reply);
    check(!cases[i].text || strcmp(reply.text, cases[i].text) == 0, "%s: %s", cases[i].name,
          reply.text);
    check(cases[i].embeds == (reply.n_vectors == 1), "%s", cases[i].name);
    check(strcmp(reply.model, cases[i].model) == 0, "%s: '%s'", cases[i].name, reply.model);
    long long input = usage_get(&reply.usage, UNIT_INPUT);
    check((cases[i].input < 0) == (reply.usage_error[0] != 0 || input == USAGE_UNKNOWN),
          "%s: %lld, %s", cases[i].name, input, reply.usage_error);
    check(cases[i].input < 0 || input == cases[i].input, "%s: %lld", cases[i].name, input);
    reply_free(&reply);
    batch_result_free(&r);
  }
}

static void test_request_ids(void **state) {
  (void)state;
  BatchResult r;
  read_text(OPENAI("200", CHAT), 1, &r);
  assert_string_equal(r.request_id, "req_9");
  batch_result_free(&r);
  read_text(CLAUDE_ERROR("api_error", "m"), 1, &r);
  assert_string_equal(r.request_id, "req_9");
}

/* Nesting beyond what readers can follow is unreadable, not the end. */
static void test_deep_lines(void **state) {
  (void)state;
  enum { DEEP = 100000 };
  static char line[DEEP + 40];
  BatchResult r;
  size_t n = (size_t)snprintf(line, sizeof line, "{\"custom_id\":\"r1-1\",\"response\":");
  memset(line + n, '[', DEEP);
  read_text(line, 1, &r);
  assert_int_equal(r.outcome, RESULT_UNREADABLE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_outcomes),
      cmocka_unit_test(test_bad_lines),
      cmocka_unit_test(test_torn_lines),
      cmocka_unit_test(test_ids),
      cmocka_unit_test(test_answers_are_ordinary),
      cmocka_unit_test(test_request_ids),
      cmocka_unit_test(test_deep_lines),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
