/*
** The header lines of a request: what a row may add, by name of what it may not, and how a key is sent.
*/
#include "unit.h"

#include "base/buf.h"
#include "trust/headers/headers.h"

#include <stdio.h>

static Model with(const char *auth, const char *headers) {
  return (Model){.name = "own", .auth = auth, .headers = headers};
}

static void test_headers_taken(void **state) {
  static const struct {
    const char *json, *lines; /* of the row, joined by '|' */
  } cases[] = {
      {NULL, ""},
      {"", ""},
      {"{}", ""},
      {" {\"X-Title\" : \"my desk\"} ", "X-Title: my desk"},
      {"{\"HTTP-Referer\":\"https://a.example/?b=c\",\"OpenAI-Organization\":\"org-1\"}",
       "HTTP-Referer: https://a.example/?b=c|OpenAI-Organization: org-1"},
      {"{\"anthropic-beta\":\"a-2025-01-01,b-2025-02-02\"}",
       "anthropic-beta: a-2025-01-01,b-2025-02-02"},
      {"{\"X_a.b\":\"\\u0041\\\"\\\\/\"}", "X_a.b: A\"\\/"},
      {"{\"X\":{\"env\":\"GATEWAY_TOKEN\"},\"Y\":\"1\"}", "X: |Y: 1"},
      {"{\"Accept\":\"application/json\",\"X-Hosted\":\"1\",\"Contents\":\"2\"}",
       "Accept: application/json|X-Hosted: 1|Contents: 2"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    const Model model = with("", cases[i].json);
    Headers headers;
    Err err = {0};
    char lines[400] = "";
    check(headers_read(&model, &headers, &err) == RC_OK, "%s: %s", cases[i].json, err.msg);
    for (int k = 0; k < headers.n; k++) {
      size_t n = strlen(lines);
      snprintf(lines + n, sizeof lines - n, "%s%s", k ? "|" : "", headers.list[k].line);
    }
    check(strcmp(lines, cases[i].lines) == 0, "%s: '%s'", cases[i].json, lines);
    headers_free(&headers);
    headers_free(&headers);
  }
}

#define OBJECT "is no JSON object"
#define NAME "is no name of a header"
#define KEY "can't be set: it carries a key"
#define CONNECTION "can't be set: it belongs to the connection"
#define REQUEST "can't be set: it is of each request"
#define CONTROL "holds a line break or another control character"
#define NEITHER "is neither a text nor {\"env\": \"VARIABLE\"}"

static void test_headers_refused(void **state) {
  static const char *const cases[][2] = {
      {"no json", OBJECT},
      {"[]", OBJECT},
      {"\"X: 1\"", OBJECT},
      {"null", OBJECT},
      {"1", OBJECT},
      {"{\"X\":\"1\"} {}", OBJECT},
      {"{\"X\":\"1\"", OBJECT},
      {"{\"X\":\"\xff\"}", OBJECT},
      {"{\"\":\"1\"}", NAME},
      {"{\"X Y\":\"1\"}", NAME},
      {"{\"X:\":\"1\"}", NAME},
      {"{\"X: 1\\r\\nHost\":\"evil.example\"}", NAME},
      {"{\"X\\u0000\":\"1\"}", NAME},
      {"{\"X\\t\":\"1\"}", NAME},
      {"{\"X;\":\"1\"}", NAME},
      {"{\"@X\":\"1\"}", NAME},
      {"{\"(X)\":\"1\"}", NAME},
      {"{\":authority\":\"evil.example\"}", NAME},
      {"{\"X\xc3\xa4\":\"1\"}", NAME},
      {"{\"Authorization\":\"Bearer x\"}", KEY},
      {"{\"AUTHORIZATION\":\"Bearer x\"}", KEY},
      {"{\"authorization\":{\"env\":\"OPENAI_API_KEY\"}}", KEY},
      {"{\"Proxy-Authorization\":\"x\"}", KEY},
      {"{\"x-api-key\":\"x\"}", KEY},
      {"{\"X-API-Key\":\"x\"}", KEY},
      {"{\"Api-Key\":\"x\"}", KEY},
      {"{\"X-Goog-Api-Key\":\"x\"}", KEY},
      {"{\"Cookie\":\"x\"}", KEY},
      {"{\"Host\":\"x\"}", CONNECTION},
      {"{\"Content-Length\":\"0\"}", CONNECTION},
      {"{\"Content-Type\":\"text/plain\"}", CONNECTION},
      {"{\"content-encoding\":\"gzip\"}", CONNECTION},
      {"{\"Transfer-Encoding\":\"chunked\"}", CONNECTION},
      {"{\"Connection\":\"close\"}", CONNECTION},
      {"{\"TE\":\"trailers\"}", CONNECTION},
      {"{\"Trailer\":\"X\"}", CONNECTION},
      {"{\"Upgrade\":\"h2c\"}", CONNECTION},
      {"{\"HTTP2-Settings\":\"x\"}", CONNECTION},
      {"{\"Expect\":\"100-continue\"}", CONNECTION},
      {"{\"Keep-Alive\":\"x\"}", CONNECTION},
      {"{\"Accept-Encoding\":\"br\"}", CONNECTION},
      {"{\"Range\":\"bytes=0-0\"}", CONNECTION},
      {"{\"If-None-Match\":\"*\"}", CONNECTION},
      {"{\"User-Agent\":\"x\"}", REQUEST},
      {"{\"X-Client-Request-Id\":\"x\"}", REQUEST},
      {"{\"Idempotency-Key\":\"x\"}", REQUEST},
      {"{\"X-HTTP-Method-Override\":\"DELETE\"}", REQUEST},
      {"{\"X\":\"1\",\"x\":\"2\"}", "stands there twice"},
      {"{\"X\":\"1\",\"X\":\"1\"}", "stands there twice"},
      {"{\"X\":\"\"}", "has no value"},
      {"{\"X\":\"1\\r\\nY: 2\"}", CONTROL},
      {"{\"X\":\"1\\n\"}", CONTROL},
      {"{\"X\":\"1\\t2\"}", CONTROL},
      {"{\"X\":\"\\u007f\"}", CONTROL},
      {"{\"X\":\"\\u0001\"}", CONTROL},
      {"{\"X\":\"a\\u0000b\"}", "not ASCII"},
      {"{\"X\":\"\xc3\xa4\"}", "not ASCII"},
      {"{\"X\":\"\\u2028\"}", "not ASCII"},
      {"{\"X\":\" 1\"}", "begins or ends with a blank"},
      {"{\"X\":\"1 \"}", "begins or ends with a blank"},
      {"{\"X\":1}", NEITHER},
      {"{\"X\":true}", NEITHER},
      {"{\"X\":null}", NEITHER},
      {"{\"X\":[\"1\"]}", NEITHER},
      {"{\"X\":{}}", NEITHER},
      {"{\"X\":{\"env\":1}}", NEITHER},
      {"{\"X\":{\"env\":\"\"}}", NEITHER},
      {"{\"X\":{\"ENV\":\"A\"}}", NEITHER},
      {"{\"X\":{\"env\":{\"env\":\"A\"}}}", NEITHER},
      {"{\"X\":{\"env\":\"A\",\"or\":\"B\"}}", NEITHER},
      {"{\"X\":{\"env\":\"A\",\"env\":\"B\"}}", NEITHER},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    const Model model = with("", cases[i][0]);
    Headers headers;
    Err err = {0};
    headers_read(&model, &headers, &err);
    check_error(&err, "config", cases[i][1], cases[i][0]);
    check(strstr(err.msg, "model 'own': header"), "%s: %s", cases[i][0], err.msg);
    headers_free(&headers);
  }
}

/* So many headers of so many bytes each, and what stands behind them, as JSON. Owned (free). */
static char *many(int n, int length, const char *behind) {
  Buf json;
  buf_init(&json, 1 << 20);
  buf_puts(&json, "{");
  for (int i = 0; i < n; i++) {
    buf_printf(&json, "%s\"X-%02d\":\"%0*d\"", i ? "," : "", i, length, 7);
  }
  buf_printf(&json, "%s}", behind);
  return buf_take(&json);
}

static void test_limits(void **state) {
  static const struct {
    int n, length;
    const char *error;
  } cases[] = {
      {32, 1, NULL},
      {33, 1, "over 32 headers"},
      {1, 4090, NULL}, /* "X-00: " has six */
      {1, 4091, "over 4096 bytes"},
      {32, 122, NULL},
      {32, 123, "over 4096 bytes"},
      {1, 40000, "over 4096 bytes"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    char *json = many(cases[i].n, cases[i].length, "");
    const Model model = with("", json);
    Headers headers;
    Err err = {0};
    headers_read(&model, &headers, &err);
    if (cases[i].error) {
      check_error(&err, "config", cases[i].error, "limit");
    } else {
      check(err.rc == RC_OK && headers.n == cases[i].n, "%d of %d: %s", cases[i].n, cases[i].length,
            err.msg);
    }
    headers_free(&headers);
    free(json);
  }
}

static void test_a_name_has_an_end(void **state) {
  char json[200];
  (void)state;
  for (int over = 0; over < 2; over++) {
    Headers headers;
    Err err = {0};
    snprintf(json, sizeof json, "{\"%0*d\":\"1\"}", 79 + over, 1);
    const Model model = with("", json);
    check((headers_read(&model, &headers, &err) == RC_OK) == !over, "%d over: %s", over, err.msg);
    headers_free(&headers);
  }
}

static void test_variables(void **state) {
  static const char *const cases[][2] = {
      {"the-value", NULL},       {"two words", NULL},  {"a\r\nHost: x", "control character"},
      {"\xc3\xa4", "not ASCII"}, {"", "has no value"},
  };
  const Model model = with("", "{\"X-A\":\"1\",\"X-B\":{\"env\":\"B_B\"}}");
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Headers headers;
    Err err = {0};
    const char *why;
    assert_int_equal(headers_read(&model, &headers, &err), RC_OK);
    assert_null(headers.list[0].variable);
    assert_string_equal(headers.list[1].variable, "B_B");
    assert_int_equal(headers_fill(&headers, 1, cases[i][0], &why, &err), RC_OK);
    check(cases[i][1] ? why && strstr(why, cases[i][1]) : !why, "%s: %s", cases[i][0],
          why ? why : "");
    if (!why) {
      assert_string_equal(header_value(&headers.list[1]), cases[i][0]);
      assert_string_equal(headers.list[1].line + 5, cases[i][0]);
    }
    headers_free(&headers);
  }
}

static void test_a_variable_counts(void **state) {
  char *json = many(31, 100, ",\"X\":{\"env\":\"A\"}"), value[1024];
  Headers headers;
  Err err = {0};
  const char *why;
  (void)state;
  memset(value, 'v', sizeof value);
  value[sizeof value - 1] = 0;
  const Model model = with("", json);
  assert_int_equal(headers_read(&model, &headers, &err), RC_OK);
  headers_fill(&headers, 31, value, &why, &err);
  check(why && strstr(why, "4096"), "%s", why ? why : "taken");
  headers_free(&headers);
  free(json);
}

static void test_a_request(void **state) {
  static const char version[] = "anthropic-version: 2023-06-01";
  static const struct {
    const char *auth, *of_api, *key, *fixed, *headers;
    const char *lines; /* behind User-Agent */
  } cases[] = {
      {"", "bearer", "k-1", NULL, "", "|Authorization: Bearer k-1"},
      {NULL, "x-api-key", "k-1", version, NULL, "|x-api-key: k-1|anthropic-version: 2023-06-01"},
      {"", "bearer", NULL, NULL, "", ""},
      {"api-key", "bearer", "k-1", NULL, "", "|api-key: k-1"},
      {"x-api-key", "bearer", "k-1", NULL, "", "|x-api-key: k-1"},
      {"bearer", "x-api-key", "k-1", version, "",
       "|Authorization: Bearer k-1|anthropic-version: 2023-06-01"},
      {"none", "bearer", "k-1", NULL, "", ""},
      {"none", "x-api-key", NULL, version, "{\"X\":\"1\"}", "|anthropic-version: 2023-06-01|X: 1"},
      {"", "x-api-key", "k-1", version, "{\"Anthropic-Version\":\"2099-01-01\",\"Y\":\"2\"}",
       "|x-api-key: k-1|Anthropic-Version: 2099-01-01|Y: 2"},
      {"", "bearer", "k-1", version, "{\"anthropic-beta\":\"b\"}",
       "|Authorization: Bearer k-1|anthropic-version: 2023-06-01|anthropic-beta: b"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    const Model model = with(cases[i].auth, cases[i].headers);
    Headers headers;
    HeaderLines lines;
    Err err = {0};
    char all[400] = "";
    check(headers_read(&model, &headers, &err) == RC_OK, "%d: %s", (int)i, err.msg);
    headers_begin(&lines);
    headers_add_model(&lines, &headers, cases[i].key, cases[i].of_api, cases[i].fixed);
    check(strncmp(lines.at[0], "User-Agent: llmcost/", 20) == 0, "%s", lines.at[0]);
    for (int k = 1; lines.at[k]; k++) {
      size_t n = strlen(all);
      snprintf(all + n, sizeof all - n, "|%s", lines.at[k]);
    }
    check(strcmp(all, cases[i].lines) == 0, "%d: '%s'", (int)i, all);
    headers_wipe(&lines);
    check(!strstr(lines.key, "k-1"), "%d", (int)i);
    headers_free(&headers);
  }
}

static void test_as_many_as_there_may_be(void **state) {
  char *json = many(HEADERS_MOST, 1, ""), key[HEADERS_KEY + 1];
  const Model model = with("", json);
  Headers headers;
  HeaderLines lines;
  Err err = {0};
  (void)state;
  memset(key, 'k', sizeof key);
  key[HEADERS_KEY] = 0;
  assert_int_equal(headers_read(&model, &headers, &err), RC_OK);
  headers_begin(&lines);
  headers_add(&lines, "Content-Type: application/json");
  headers_add(&lines, "X-Client-Request-Id: 1");
  headers_add_model(&lines, &headers, key, "bearer", "anthropic-version: 1");
  assert_int_equal(lines.n, HEADERS_MOST + 5);
  assert_null(lines.at[lines.n]);
  assert_int_equal(strlen(lines.key), HEADERS_KEY + strlen("Authorization: Bearer "));
  headers_free(&headers);
  free(json);
}

static void test_words_of_auth(void **state) {
  static const char *const wrong[] = {"Bearer", "basic", " bearer", "bearer ", "key", "x-api-key:"};
  (void)state;
  for (size_t i = 0; i < COUNT(wrong); i++) {
    const Model model = with(wrong[i], "{\"X\":\"1\"}");
    Headers headers;
    Err err = {0};
    headers_read(&model, &headers, &err);
    check_error(&err, "config", "'bearer', 'x-api-key', 'api-key', 'none'", wrong[i]);
    check(strstr(err.msg, wrong[i]) && strstr(err.msg, "model 'own': auth"), "%s", err.msg);
    headers_free(&headers);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_headers_taken), cmocka_unit_test(test_headers_refused),
      cmocka_unit_test(test_limits),        cmocka_unit_test(test_a_name_has_an_end),
      cmocka_unit_test(test_variables),     cmocka_unit_test(test_a_variable_counts),
      cmocka_unit_test(test_a_request),     cmocka_unit_test(test_as_many_as_there_may_be),
      cmocka_unit_test(test_words_of_auth),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
