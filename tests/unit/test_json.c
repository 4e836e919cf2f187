/*
** JSON from outside: limits, \u0000, counts.
*/
#include "unit.h"

#include "base/buf.h"

static void test_parse(void **state) {
  static const struct {
    const char *json;
    const char *error; /* NULL: it parses */
  } cases[] = {
      {"{}", NULL},
      {"[]", NULL},
      {"null", NULL},
      {"\"text\"", NULL},
      {" \t\r\n{\"a\": [1, 2.5e3, true, null]} \n", NULL},
      {"\"\\ud83d\\ude00\"", NULL},
      {"\"[[[[{{{{\"", NULL},
      {"\"\\\"[\\\\\"", NULL},
      {"", "not valid JSON"},
      {" ", "not valid JSON"},
      {"{", "not valid JSON"},
      {"[1,]", "not valid JSON"},
      {"{\"a\" 1}", "not valid JSON"},
      {"{a: 1}", "not valid JSON"},
      {"'a'", "not valid JSON"},
      {"{} {}", "not valid JSON"},
      {"{}x", "not valid JSON"},
      {"1 2", "not valid JSON"},
      {"1.2.3", "not valid JSON"},
      {"nul", "not valid JSON"},
      {"\"open", "not valid JSON"},
      {"\"\\ud83d\"", "not valid JSON"},
      {"\"\\ude00\"", "not valid JSON"},
      {"\"\\u12\"", "not valid JSON"},
      {"\"\\u0000", "not valid JSON"},
      {"\"\\u000", "not valid JSON"},
      {"\"\\", "not valid JSON"},
      {"\"a\xFF\"", "not valid UTF-8 at byte 2"},
      {"\"\xED\xA0\x80\"", "not valid UTF-8 at byte 1"},
      {"\xC0\x80", "not valid UTF-8 at byte 0"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Err err = {0};
    size_t n = strlen(cases[i].json);
    char *exact = malloc(n + (n == 0)); /* no NUL behind the text */
    memcpy(exact, cases[i].json, n);
    cJSON *tree = json_parse(exact, n, "the answer", &err);
    free(exact);
    check(!tree == !!cases[i].error, "%s", cases[i].json);
    check(!tree == (err.rc != RC_OK), "%s", cases[i].json);
    if (cases[i].error) {
      check_error(&err, strstr(cases[i].error, "UTF-8") ? "bad_utf8" : "bad_json", cases[i].error,
                  cases[i].json);
      check_error(&err, err_word(err.code), "the answer", cases[i].json);
    }
    cJSON_Delete(tree);
  }
}

static void test_raw_nul_is_refused(void **state) {
  static const struct {
    const char *json;
    size_t n;
  } cases[] = {{"\"a\0b\"", 5}, {"{}\0", 3}, {"\0{}", 3}, {"[1\0,2]", 6}, {"{\"a\0b\":1}", 9}};
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Err err = {0};
    cJSON *tree = json_parse(cases[i].json, cases[i].n, "the answer", &err);
    check(!tree && err.rc == RC_ERROR, "case %zu", i);
  }
}

static void test_depth(void **state) {
  static const struct { const char *open, *close; } kinds[] = {{"[", "]"}, {"{\"a\":", "}"}};
  (void)state;
  for (size_t k = 0; k < COUNT(kinds); k++) {
    for (int depth = LIMIT_JSON_DEPTH - 1; depth <= LIMIT_JSON_DEPTH + 1; depth++) {
      Buf b;
      Err err = {0};
      buf_init(&b, 4096);
      for (int i = 0; i < depth; i++) {
        buf_puts(&b, kinds[k].open);
      }
      buf_puts(&b, "1");
      for (int i = 0; i < depth; i++) {
        buf_puts(&b, kinds[k].close);
      }
      cJSON *tree = json_parse(b.data, b.n, "the answer", &err);
      check(!tree == (depth > LIMIT_JSON_DEPTH), "%d of %s", depth, kinds[k].open);
      if (!tree) {
        check_error(&err, "bad_json", "nested 65 deep (at most 64)", kinds[k].open);
      }
      cJSON_Delete(tree);
      buf_free(&b);
    }
  }
}

static void test_escaped_nul_is_a_replacement_character(void **state) {
  static const struct {
    const char *json, *text;
  } cases[] = {
      {"\"a\\u0000b\"", "a\xEF\xBF\xBD"
                        "b"},
      {"\"\\u0000\"", "\xEF\xBF\xBD"},
      {"\"\\u0000\\u0000\"", "\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"\"\\\\u0000\"", "\\u0000"},
      {"\"\\\\\\u0000\"", "\\\xEF\xBF\xBD"},
      {"\"\\u00001\"", "\xEF\xBF\xBD"
                       "1"},
      {"\"\\u0001\"", "\x01"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    cJSON *tree = tree_of(cases[i].json);
    check(strcmp(cJSON_GetStringValue(tree), cases[i].text) == 0, "%s: %s", cases[i].json,
          cJSON_GetStringValue(tree));
    cJSON_Delete(tree);
  }
  cJSON *named = tree_of("{\"a\\u0000b\": 1}");
  assert_non_null(cJSON_GetObjectItemCaseSensitive(named, "a\xEF\xBF\xBD"
                                                          "b"));
  cJSON_Delete(named);
}

static void test_counts(void **state) {
  static const struct {
    const char *json;
    int found;
    long long value;
  } cases[] = {
      {"{\"n\": 0}", 1, 0},
      {"{\"n\": 42}", 1, 42},
      {"{\"n\": 42.0}", 1, 42},
      {"{\"n\": 1e3}", 1, 1000},
      {"{\"n\": 4294967296}", 1, 4294967296},
      {"{\"n\": 9007199254740991}", 1, 9007199254740991},
      {"{\"n\": null}", 0, -7},
      {"{}", 0, -7},
      {"{\"N\": 1}", 0, -7},
      {"[]", 0, -7},
      {"5", 0, -7},
      {"{\"n\": -1}", -1, -7},
      {"{\"n\": 1.5}", -1, -7},
      {"{\"n\": \"42\"}", -1, -7},
      {"{\"n\": true}", -1, -7},
      {"{\"n\": false}", -1, -7},
      {"{\"n\": []}", -1, -7},
      {"{\"n\": {}}", -1, -7},
      {"{\"n\": 9007199254740992}", -1, -7},
      {"{\"n\": 1e300}", -1, -7},
      {"{\"n\": 1e999}", -1, -7},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    cJSON *tree = tree_of(cases[i].json);
    long long value = -7;
    int found = json_count(tree, "n", &value);
    cJSON_Delete(tree);
    check(found == cases[i].found, "%s: %d", cases[i].json, found);
    check(value == cases[i].value, "%s: %lld", cases[i].json, value);
  }
  long long untouched = -7;
  assert_int_equal(json_count(NULL, "n", &untouched), 0);
}

static void test_members(void **state) {
  static const char *const deep[] = {"a", "b", NULL};
  static const char *const missing[] = {"a", "x", "b", NULL};
  (void)state;
  cJSON *tree = tree_of("{\"a\": {\"b\": \"text\", \"n\": 1}, \"s\": \"\"}");
  assert_string_equal(cJSON_GetStringValue(json_at(tree, deep)), "text");
  assert_null(json_at(tree, missing));
  assert_null(json_at(NULL, deep));
  assert_string_equal(json_text(tree, "s"), "");
  assert_null(json_text(tree, "a"));
  assert_null(json_text(tree, "S"));
  assert_null(json_text(NULL, "s"));
  cJSON_Delete(tree);
}

/* What cJSON itself makes of n bytes: 1 a value, 0 none. */
static int cjson_takes(const char *text, size_t n) {
  const char *end = NULL;
  cJSON *tree = cJSON_ParseWithLengthOpts(text, n, &end, 0);
  int takes = tree != NULL;
  cJSON_Delete(tree);
  while (takes && end < text + n && strchr(" \n\r\t", *end)) {
    end++;
  }
  return takes && end == text + n;
}

/* The grammar that parts "no JSON" from "no memory" is cJSON's own: nothing that it takes is refused, but
** for \u without four digits, and what passes has a tree. */
static void compare_with_cjson(const char *text, size_t n) {
  Err err = {0};
  char *exact = malloc(n);
  memcpy(exact, text, n);
  cJSON *tree = json_parse(exact, n, "it", &err);
  check(err.rc != RC_NOMEM, "%.*s", (int)n, text);
  check((tree != NULL) == cjson_takes(exact, n) || (!tree && memmem(text, n, "\\u", 2)), "%.*s",
        (int)n, text);
  cJSON_Delete(tree);
  free(exact);
}

static void test_the_grammar_is_cjsons(void **state) {
  static const char letters[] = "{}[]\",:\\u01-.e+ ntdDc8\n\x01/";
  static const char *const words[] = {"{",
                                      "}",
                                      "[",
                                      "]",
                                      "\"",
                                      "\"a\"",
                                      ":",
                                      ",",
                                      "-",
                                      "0",
                                      "1e5",
                                      ".5",
                                      "1.",
                                      "\\",
                                      "\\u",
                                      "d800",
                                      "\\ud800\\udc00",
                                      "\\udc00",
                                      "0041",
                                      "null",
                                      "true",
                                      "fals",
                                      " ",
                                      "\x01",
                                      "x",
                                      "\xEF\xBB\xBF",
                                      "e+",
                                      "E-1"};
  char text[256];
  unsigned seed = 1;
  (void)state;
  for (size_t length = 1; length <= 3; length++) {
    size_t all = 1;
    for (size_t i = 0; i < length; i++) {
      all *= sizeof letters - 1;
    }
    for (size_t k = 0; k < all; k++) {
      for (size_t i = 0, rest = k; i < length; i++, rest /= sizeof letters - 1) {
        text[i] = letters[rest % (sizeof letters - 1)];
      }
      compare_with_cjson(text, length);
    }
  }
  for (int k = 0; k < 100000; k++) {
    size_t n = 0;
    for (int i = 0; i < 9; i++) {
      seed = seed * 1664525u + 1013904223u;
      const char *word = words[(seed >> 8) % COUNT(words)];
      memcpy(text + n, word, strlen(word));
      n += strlen(word);
      compare_with_cjson(text, n);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_grammar_is_cjsons),
      cmocka_unit_test(test_parse),
      cmocka_unit_test(test_raw_nul_is_refused),
      cmocka_unit_test(test_depth),
      cmocka_unit_test(test_escaped_nul_is_a_replacement_character),
      cmocka_unit_test(test_counts),
      cmocka_unit_test(test_members),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
