/*
** The logical request: its cache key, reading a conversation, and its transcript.
*/
#include "unit.h"

#include "core/request/request.h"

#include <stdio.h>

enum { SEED = 1 };

/* The cache key of a prompt, or of messages where they start with '['. */
static Hash key_of(const char *options, const char *text, unsigned long long seed) {
  Options o;
  Request r;
  Hash key = {{0}};
  Err err = {0};
  check(options_parse(options, strlen(options), &o, &err) == RC_OK, "%s: %s", options, err.msg);
  if (text[0] == '[') {
    request_from_messages(text, strlen(text), &o, &r, &err);
  } else {
    request_from_prompt(text, strlen(text), &o, &r, &err);
  }
  check(err.rc == RC_OK, "%s: %s", text, err.msg);
  check(request_key(&r, &(KeyBeside){NULL, NULL}, seed, &key, &err) == RC_OK, "%s: %s", text,
        err.msg);
  request_free(&r);
  options_free(&o);
  return key;
}

static int same_key(const Hash *a, const Hash *b) {
  return memcmp(a->b, b->b, sizeof a->b) == 0;
}

/* No two of these requests may share an answer. */
static void test_key_differs(void **state) {
  static const struct {
    const char *options, *text;
  } cases[] = {
      {"{}", "q"},
      {"{}", "Q"},
      {"{}", "q."},
      {"{}", "q\nq"},
      {"{}", "q q"},
      {"{}", "qq"},
      {"{\"model\": \"gpt-4o\"}", "q"},
      {"{\"model\": \"gpt-4o-mini\"}", "q"},
      {"{\"max_tokens\": 10}", "q"},
      {"{\"max_tokens\": 11}", "q"},
      {"{\"temperature\": 0}", "q"},
      {"{\"temperature\": 0.5}", "q"},
      {"{\"temperature\": 1}", "q"},
      {"{\"top_p\": 0.5}", "q"},
      {"{\"top_p\": 1}", "q"},
      {"{\"temperature\": 0.5, \"top_p\": 0.5}", "q"},
      {"{\"seed\": 0}", "q"},
      {"{\"seed\": 1}", "q"},
      {"{\"seed\": -1}", "q"},
      {"{\"seed\": 9007199254740990}", "q"},
      {"{\"seed\": 9007199254740991}", "q"},
      {"{\"stop\": \"a\"}", "q"},
      {"{\"stop\": \"b\"}", "q"},
      {"{\"stop\": [\"a\", \"b\"]}", "q"},
      {"{\"stop\": [\"a\\\",\\\"b\"]}", "q"},
      {"{\"stop\": [\"b\", \"a\"]}", "q"},
      {"{\"schema\": {}}", "q"},
      {"{\"schema\": {\"type\": \"object\"}}", "q"},
      {"{\"schema\": {\"type\": \"array\"}}", "q"},
      {"{\"schema\": {\"maximum\": 9007199254740991}}", "q"},
      {"{\"schema\": {\"maximum\": 9007199254740990}}", "q"},
      {"{\"schema\": {\"maximum\": 0.3}}", "q"},
      {"{\"schema\": {\"maximum\": 0.30000000000000004}}", "q"},
      {"{\"system\": \"a\"}", "q"},
      {"{\"system\": \"A\"}", "q"},
      {"{\"system\": \"q\"}", "a"},
      {"{\"system\": \"a\"}", "b"},
      {"{\"system\": \"ab\"}", "q"},
      {"{}", "a;system:1:b"},
      {"{}", "ab"},
      {"{\"system\": \"a;user:1:b\"}", "q"},
      {"{\"system\": \"a;user:b\"}", "q"},
      {"{\"system\": \"a\"}", "b;user:q"},
      {"{\"system\": \"a\"}", "[{\"role\":\"user\",\"content\":\"b\"},"
                              "{\"role\":\"user\",\"content\":\"q\"}]"},
      {"{\"system\": \"a\"}", "b;user:1:q"},
      {"{\"model\": \"x;system:1:a\"}", "q"},
      {"{}", "[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"b\"},"
             "{\"role\":\"user\",\"content\":\"q\"}]"},
      {"{}", "[{\"role\":\"user\",\"content\":\"ab\"},{\"role\":\"assistant\",\"content\":\"b\"},"
             "{\"role\":\"user\",\"content\":\"q\"}]"},
      {"{}", "[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"user\",\"content\":\"b\"},"
             "{\"role\":\"user\",\"content\":\"q\"}]"},
      {"{}", "[{\"role\":\"assistant\",\"content\":\"a\"},{\"role\":\"user\",\"content\":\"b\"},"
             "{\"role\":\"user\",\"content\":\"q\"}]"},
      {"{}", "[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"user\",\"content\":\"q\"}]"},
      {"{}", "[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"user\",\"content\":\"a\"}]"},
      {"{}", "a\nq"},
  };
  Hash keys[COUNT(cases)];
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    keys[i] = key_of(cases[i].options, cases[i].text, SEED);
    for (size_t k = 0; k < i; k++) {
      check(!same_key(&keys[i], &keys[k]), "%s %s and %s %s", cases[i].options, cases[i].text,
            cases[k].options, cases[k].text);
    }
  }
}

/* Pairs of requests that are one. */
static void test_key_is_equal(void **state) {
  static const struct {
    const char *options_a, *text_a, *options_b, *text_b;
  } cases[] = {
      {"{}", "q", "{}", "q"},
      {"{}", "q", "{\"model\": \"auto\"}", "q"},
      {"{}", "  what  is it ?\r\n", "{}", "what is it ?"},
      {"{}", "cafe\xCC\x81", "{}", "caf\xC3\xA9"},
      {"{}",
       "a\xC2\xA0"
       "b",
       "{}", "a b"},
      {"{\"system\": \"be  brief\\n\"}", "q", "{\"system\": \"be brief\"}", "q"},
      {"{\"system\": \"\"}", "q", "{}", "q"},
      {"{\"temperature\": 1}", "q", "{\"temperature\": 1.0}", "q"},
      {"{\"stop\": [\"a\"], \"max_tokens\": 5}", "q", "{\"max_tokens\": 5, \"stop\": [\"a\"]}",
       "q"},
      {"{\"schema\": {\"type\": \"object\"}}", "q", "{\"schema\":{\"type\":\"object\"}}", "q"},
      {"{}", "q", "{}", "[{\"role\":\"user\",\"content\":\"q\"}]"},
      {"{\"system\": \"s\"}", "q", "{}",
       "[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":\"q\"}]"},
      {"{}", "q",
       "{\"tag\": \"t\", \"user\": \"u\", \"conversation\": \"c\", \"timeout_ms\": 5, \"retries\": "
       "1,"
       " \"dry_run\": true, \"on_error\": \"null\", \"ttl\": 9, \"cache\": \"refresh\"}",
       "q"},
      {"{\"prompt_cache\": \"1h\"}", "q", "{\"prompt_cache\": \"off\"}", "q"},
      {"{\"prompt_cache\": \"5m\", \"system\": \"s\"}", "q", "{\"system\": \"s\"}", "q"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Hash a = key_of(cases[i].options_a, cases[i].text_a, SEED);
    Hash b = key_of(cases[i].options_b, cases[i].text_b, SEED);
    check(same_key(&a, &b), "%s %s and %s %s", cases[i].options_a, cases[i].text_a,
          cases[i].options_b, cases[i].text_b);
  }
}

static void test_key_depends_on_the_store(void **state) {
  (void)state;
  Hash a = key_of("{}", "q", 1), again = key_of("{}", "q", 1), b = key_of("{}", "q", 2);
  assert_true(same_key(&a, &again));
  assert_false(same_key(&a, &b));
}

static void test_prompt(void **state) {
  static const struct {
    const char *name, *prompt;
    size_t n;
    const char *code; /* NULL: taken */
  } cases[] = {
      {"plain", "q", 1, NULL},
      {"blanks", "  ", 2, "bad_prompt"},
      {"not ASCII", "caf\xC3\xA9", 5, NULL},
      {"empty", "", 0, "bad_prompt"},
      {"NUL inside", "a\0b", 3, "bad_utf8"},
      {"bad UTF-8", "a\xFF", 2, "bad_utf8"},
      {"surrogate", "\xED\xA0\x80", 3, "bad_utf8"},
  };
  Options o;
  (void)state;
  options_init(&o);
  for (size_t i = 0; i < COUNT(cases); i++) {
    Request r;
    Err err = {0};
    int rc = request_from_prompt(cases[i].prompt, cases[i].n, &o, &r, &err);
    if (cases[i].code) {
      check_error(&err, cases[i].code, "the prompt", cases[i].name);
    } else {
      check(rc == RC_OK, "%s: %s", cases[i].name, err.msg);
      check(r.n_messages == 1 && r.turn == 1 && r.messages[0].n == cases[i].n, "%s", cases[i].name);
      check(strcmp(r.messages[0].role, "user") == 0 && !r.system, "%s", cases[i].name);
      check(strcmp(r.model, "auto") == 0, "%s", cases[i].name);
    }
    request_free(&r);
  }
}

static void test_prompt_size_is_bounded(void **state) {
  size_t n = LIMIT_REQUEST_BYTES + 1;
  char *prompt = malloc(n + 1);
  Options o;
  (void)state;
  options_init(&o);
  memset(prompt, 'x', n);
  prompt[n] = 0;
  for (int over = 0; over < 2; over++) {
    Request r;
    Err err = {0};
    int rc = request_from_prompt(prompt + 1 - over, n - 1 + (size_t)over, &o, &r, &err);
    check(rc == (over ? RC_TOOBIG : RC_OK), "%d over: %s", over, err.msg);
    request_free(&r);
  }
  free(prompt);
}

#define USER(text) "{\"role\":\"user\",\"content\":\"" text "\"}"
#define ASSISTANT(text) "{\"role\":\"assistant\",\"content\":\"" text "\"}"
#define SYSTEM(text) "{\"role\":\"system\",\"content\":\"" text "\"}"

static void test_messages(void **state) {
  static const struct {
    const char *json, *option; /* the `system` option, or NULL */
    const char *system;
    int n, turn;
    const char *last;
  } cases[] = {
      {"[" USER("a") "]", NULL, NULL, 1, 1, "a"},
      {"[" USER("a") "," ASSISTANT("b") "," USER("c") "]", NULL, NULL, 3, 2, "c"},
      {"[" USER("a") "," USER("b") "]", NULL, NULL, 2, 2, "b"},
      {"[" ASSISTANT("a") "," USER("b") "]", NULL, NULL, 2, 1, "b"},
      {"[" SYSTEM("s") "," USER("a") "]", NULL, "s", 1, 1, "a"},
      {"[" SYSTEM("s") "," SYSTEM("t") "," USER("a") "]", NULL, "s\n\nt", 1, 1, "a"},
      {"[" SYSTEM("s") "," USER("a") "]", "o", "o\n\ns", 1, 1, "a"},
      {"[" USER("a") "]", "o", "o", 1, 1, "a"},
      {"[" USER("a") "]", "", NULL, 1, 1, "a"},
      {"[{\"role\":\"developer\",\"content\":\"d\"}," USER("a") "]", NULL, "d", 1, 1, "a"},
      {"[{\"content\":\"a\",\"name\":\"x\",\"role\":\"user\"}]", NULL, NULL, 1, 1, "a"},
      {"[" USER("caf\\u00e9") "]", NULL, NULL, 1, 1, "caf\xC3\xA9"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Options o;
    Request r;
    Err err = {0};
    const char *json = cases[i].json;
    options_init(&o);
    o.system = cases[i].option;
    check(request_from_messages(json, strlen(json), &o, &r, &err) == RC_OK, "%s: %s", json,
          err.msg);
    check(r.n_messages == cases[i].n && r.turn == cases[i].turn, "%s: %d, turn %d", json,
          r.n_messages, r.turn);
    check(!r.system == !cases[i].system, "%s", json);
    check(!r.system || strcmp(r.system, cases[i].system) == 0, "%s: '%s'", json, r.system);
    const Message *last = &r.messages[r.n_messages - 1];
    check(strcmp(last->content, cases[i].last) == 0, "%s: '%s'", json, last->content);
    check(last->n == strlen(cases[i].last) && strcmp(last->role, "user") == 0, "%s", json);
    request_free(&r);
  }
}

static void test_messages_refused(void **state) {
  static const struct {
    const char *json, *code, *says;
  } cases[] = {
      {"[]", "bad_messages", "expected a JSON array"},
      {"{}", "bad_messages", "expected a JSON array"},
      {USER("a"), "bad_messages", "expected a JSON array"},
      {"\"a\"", "bad_messages", "a single text is for llm_complete(prompt)"},
      {"null", "bad_messages", "a single text"},
      {"", "bad_json", "the messages"},
      {"[", "bad_json", "the messages"},
      {"hello", "bad_messages", "a single text"},
      {"[\"a\"]", "bad_messages", "message 1"},
      {"[null]", "bad_messages", "message 1"},
      {"[" USER("a") ",{\"role\":\"user\"}]", "bad_messages", "message 2"},
      {"[{\"content\":\"a\"}]", "bad_messages", "message 1"},
      {"[{\"role\":1,\"content\":\"a\"}]", "bad_messages", "message 1"},
      {"[{\"role\":\"user\",\"content\":[]}]", "bad_messages", "message 1"},
      {"[{\"role\":\"user\",\"content\":null}]", "bad_messages", "message 1"},
      {"[" USER("") "]", "bad_messages", "message 1"},
      {"[{\"role\":\"tool\",\"content\":\"a\"}]", "bad_messages", "tool_call_id"},
      {"[{\"role\":\"User\",\"content\":\"a\"}]", "bad_messages", "role 'User'"},
      {"[{\"role\":\"\",\"content\":\"a\"}]", "bad_messages", "role ''"},
      {"[" USER("a") "," SYSTEM("s") "," USER("b") "]", "bad_messages",
       "message 2: a system message"},
      {"[" SYSTEM("s") "," USER("a") "," SYSTEM("t") "," USER("b") "]", "bad_messages",
       "message 3"},
      {"[" SYSTEM("s") ",{\"role\":\"x\",\"content\":\"a\"}]", "bad_messages",
       "message 2: role 'x'"},
      {"[" USER("a") "," ASSISTANT("b") "]", "bad_messages", "the last message must be the user's"},
      {"[" SYSTEM("s") "]", "bad_messages", "the last message must be the user's"},
      {"[" USER("\xFF") "]", "bad_utf8", "the messages"},
  };
  Options o;
  (void)state;
  options_init(&o);
  for (size_t i = 0; i < COUNT(cases); i++) {
    Request r;
    Err err = {0};
    request_from_messages(cases[i].json, strlen(cases[i].json), &o, &r, &err);
    check_error(&err, cases[i].code, cases[i].says, cases[i].json);
    request_free(&r);
  }
  Request zeroed = {0};
  request_free(&zeroed);
}

typedef struct Kept {
  int n, rc;
  Hash hash;
  char text[1024];
} Kept;

static int keep(void *arg, const char *text, size_t n, Hash *name) {
  Kept *kept = arg;
  kept->n++;
  *name = kept->hash = hash_text(text, n, 7);
  assert_true(n < sizeof kept->text);
  memcpy(kept->text, text, n);
  kept->text[n] = 0;
  return kept->rc;
}

/* Contents just below and at the length from which they are kept by hash. */
static void test_transcript(void **state) {
  (void)state;
  for (int len = LIMIT_INLINE_TEXT - 1; len <= LIMIT_INLINE_TEXT; len++) {
    char json[1024], filled[512], hex[HASH_HEX_SIZE];
    Options o;
    Request r;
    Err err = {0};
    Kept kept = {0};
    size_t n = 0;
    snprintf(filled, sizeof filled, "%0*d", len, 7);
    snprintf(json, sizeof json,
             "[" SYSTEM("s") "," USER("a \\\"b\\\"") ",{\"role\":\"assistant\","
                                                     "\"content\":\"%s\"}," USER("c") "]",
             filled);
    options_init(&o);
    assert_int_equal(request_from_messages(json, strlen(json), &o, &r, &err), RC_OK);
    char *text = request_transcript(&r, keep, &kept, &n, &err);
    assert_non_null(text);
    assert_int_equal(n, strlen(text));

    int by_hash = len >= LIMIT_INLINE_TEXT;
    Hash hash = hash_text(filled, (size_t)len, 7);
    hash_hex(&hash, hex);
    snprintf(json, sizeof json,
             "[{\"role\":\"user\",\"text\":\"a \\\"b\\\"\"},{\"role\":\"assistant\",\"%s\":\"%s\"},"
             "{\"role\":\"user\",\"text\":\"c\"}]",
             by_hash ? "hash" : "text", by_hash ? hex : filled);
    assert_string_equal(text, json);
    assert_int_equal(kept.n, by_hash);
    if (by_hash) {
      assert_string_equal(kept.text, filled);
      assert_true(same_key(&kept.hash, &hash));
    }
    free(text);
    request_free(&r);
  }
}

static void test_transcript_that_cannot_be_kept(void **state) {
  char prompt[LIMIT_INLINE_TEXT + 1];
  Options o;
  Request r;
  Err err = {0};
  Kept kept = {.rc = RC_ERROR};
  size_t n = 0;
  (void)state;
  memset(prompt, 'x', LIMIT_INLINE_TEXT);
  prompt[LIMIT_INLINE_TEXT] = 0;
  options_init(&o);
  assert_int_equal(request_from_prompt(prompt, LIMIT_INLINE_TEXT, &o, &r, &err), RC_OK);
  assert_null(request_transcript(&r, keep, &kept, &n, &err));
  assert_int_not_equal(err.rc, RC_OK);
  request_free(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_key_differs),
      cmocka_unit_test(test_key_is_equal),
      cmocka_unit_test(test_key_depends_on_the_store),
      cmocka_unit_test(test_prompt),
      cmocka_unit_test(test_prompt_size_is_bounded),
      cmocka_unit_test(test_messages),
      cmocka_unit_test(test_messages_refused),
      cmocka_unit_test(test_transcript),
      cmocka_unit_test(test_transcript_that_cannot_be_kept),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
