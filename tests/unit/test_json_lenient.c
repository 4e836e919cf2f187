/*
** JSON of somebody who writes it badly: what is read all the same, and what stays an error.
*/
#include "unit.h"

#include "base/buf.h"
#include "base/text/json_lenient.h"
#include "base/text/text.h"

#include <stdio.h>

#define FFFD "\xEF\xBF\xBD"

static cJSON *read(const char *text, size_t n, Err *err) {
  char *exact = malloc(n + (n == 0)); /* no NUL behind the text */
  memcpy(exact, text, n);
  cJSON *tree = json_parse_lenient(exact, n, "the answer", err);
  free(exact);
  return tree;
}

/* What a text is read as, printed. */
static void test_what_is_read(void **state) {
  static const struct {
    const char *text;
    size_t n; /* 0: to its NUL */
    const char *is;
  } cases[] = {
      {"{\"a\":[1,\"b\"]}", 0, "{\"a\":[1,\"b\"]}"},
      /* letters */
      {"\"a\xFF\"", 0, "\"a" FFFD "\""},
      {"\"caf\xC3\"", 0, "\"caf" FFFD "\""},
      {"\"\xF0\x9F\x98\"", 0, "\"" FFFD "\""},
      {"\"\xF0\x9F\x98\\n\x80 \xE2\x82\xAC\"", 0, "\"" FFFD "\\n" FFFD " \xE2\x82\xAC\""},
      {"\"\xED\xA0\x80\"", 0, "\"" FFFD FFFD FFFD "\""},
      {"{\"\xFF\":1}", 0, "{\"" FFFD "\":1}"},
      {"\"\\ud83d\"", 0, "\"" FFFD "\""},
      {"\"\\ude00x\"", 0, "\"" FFFD "x\""},
      {"\"\\ud83d\\ud83d\\ude00\"", 0, "\"" FFFD "\xF0\x9F\x98\x80\""},
      {"\"\\ud83d\\u0041\"", 0, "\"" FFFD "A\""},
      {"\"\\ud83d\\n\\\\ud83d\"", 0, "\"" FFFD "\\n\\\\ud83d\""},
      {"\"\\uD83D\\u0000\"", 0, "\"" FFFD FFFD "\""},
      {"[\"\\ud83d\xFF\", \"\\ude00\"]", 0, "[\"" FFFD FFFD "\",\"" FFFD "\"]"},
      {"\"\xED\xA0\xBD\xED\xB8\x80\"", 0, "\"\xF0\x9F\x98\x80\""},
      {"\"\xED\xB8\x80\xED\xA0\xBD\"", 0, "\"" FFFD FFFD FFFD FFFD FFFD FFFD "\""},
      {"\"\xED\xA0\xBD\xED\xA0\xBD\xED\xB8\x80x\"", 0, "\"" FFFD FFFD FFFD "\xF0\x9F\x98\x80x\""},
      /* escapes that JSON does not know */
      {"\"\\d+ C:\\Users\\u12 \\(\"", 0, "\"\\\\d+ C:\\\\Users\\\\u12 (\""},
      {"{\"first\\_name\":\"it\\'s\"}", 0, "{\"first_name\":\"it's\"}"},
      {"\"\\x27\\x3C\\x22\\x0a\\xe9\\x00\\xg\"", 0, "\"'<\\\"\\n\xC3\xA9" FFFD "\\\\xg\""},
      {"\"\\\n\\\xC3\xA9\\\xFF\\ \"", 0, "\"\\n\xC3\xA9" FFFD " \""},
      {"\"\\a\\\\d\\\"\"", 0, "\"\\\\a\\\\d\\\"\""},
      {"\"line\none\x01\t\"", 0, "\"line\\none\\u0001\\t\""},
      /* NULs */
      {"{\"a\":\"b\0c\"}", 11, "{\"a\":\"b" FFFD "c\"}"},
      {"{}\0", 3, "{}"},
      {"{} \0\n\0", 6, "{}"},
      {"\0\0{}", 4, "{}"},
      /* marks */
      {"\xEF\xBB\xBF{}", 0, "{}"},
      {"\xEF\xBB\xBF\xEF\xBB\xBF{}", 0, "{}"},
      {"\xEF\xBB\xBF"
       "1",
       0, "1"},
      {"\xFF\xFE{\0\"\0a\0\"\0:\0\"\0=\xD8\0\xDE\xAC \"\0}\0", 24,
       "{\"a\":\"\xF0\x9F\x98\x80\xE2\x82\xAC\"}"},
      {"\xFE\xFF\0[\0\"\xD8=\0\"\0]", 12, "[\"" FFFD "\"]"},
      /* numbers that are none */
      {"[NaN,-Infinity,Infinity, +Infinity,nan,-inf,inf,NAN,-nan]", 0,
       "[null,null,null,null,null,null,null,null,null]"},
      {"{\"logprob\": -Infinity, \"t\": \"NaN -Infinity\"}", 0,
       "{\"logprob\":null,\"t\":\"NaN -Infinity\"}"},
      {"NaN", 0, "null"},
      {"[0.33333333333333333333333333333333333333333333333333333333333333333333333333333]", 0,
       "[0.33333333333333331]"},
      {"[10000000000000000000000000000000000000000000000000000000000000000000000]", 0, "[1e+70]"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Err err = {0};
    cJSON *tree = read(cases[i].text, cases[i].n ? cases[i].n : strlen(cases[i].text), &err);
    check(tree && err.rc == RC_OK, "case %zu, %s: %s", i, cases[i].is, err.msg);
    char *printed = cJSON_PrintUnformatted(tree);
    check(strcmp(printed, cases[i].is) == 0, "%s, expected %s", printed, cases[i].is);
    cJSON_free(printed);
    cJSON_Delete(tree);
  }
}

static void test_what_stays_an_error(void **state) {
  static const struct {
    const char *text, *says;
  } cases[] = {
      {"", "the answer: not valid JSON at byte 0, where it ends"},
      {"{\"a\":", "at byte 5, where it ends"},
      {"{\"a\":\"b", "at byte 7, where it ends"},
      {"{\"a\":\"\xFF", "at byte 7, where it ends"},
      {"{\"a\":\"\\ud83d", "at byte 12, where it ends"},
      {"{\"a\":\"\\ud83d\"", "at byte 13, where it ends"},
      {"{\"a\":[NaN,", "at byte 10, where it ends"},
      {"{\"a\":-Infin", "at byte 5"},
      {"{\"a\":Na", "at byte 5"},
      {"{\"a\":NaNs}", "at byte 5"},
      {"[nulls]", "at byte 5"},
      {"{NaN:1}", "at byte 1"},
      {"[1,]", "at byte 3"},
      {"{'a':1}", "at byte 1"},
      {"{\"a\":1} x", "at byte 8"},
      {"[\"\xFF\xFF\",NaN,x]", "at byte 10"},
      {"[\"\xFF\xFF\", \"\\x\" 1]", "at byte 12"},
      {"[\"\\x\"1]", "at byte 5"},
      {"\"\\", "at byte 2, where it ends"},
      {"\"\\x2", "at byte 4, where it ends"},
      {"[\"\\ude00\",1.2.3]", "at byte 13"},
      {"[\xFF]", "at byte 1"},
      {"[\\u12]", "at byte 1"},
      {"\xEF\xBB\xBF[\"\xFF\" 1]", "at byte 8"},
      {"\xFF\xFE{", "at byte"},
      {"data: {}", "at byte 0"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Err err = {0};
    cJSON *tree = read(cases[i].text, strlen(cases[i].text), &err);
    check(!tree, "%s", cases[i].text);
    check_error(&err, "bad_json", cases[i].says, cases[i].text);
  }
}

/* Whatever an answer that needs mending is cut at, it is not one. */
static void test_a_text_that_ends_early_is_never_mended(void **state) {
  static const char whole[] =
      "{\"a\":[\"\\ud83d "
      "\xFF\xF0\x9F\",NaN,-Infinity],\"b\":\"\\ude00\",\"c\":{\"d\":\"e\xE2\x82\"}}";
  (void)state;
  for (size_t n = 0; n <= sizeof whole - 1; n++) {
    Err err = {0};
    cJSON *tree = read(whole, n, &err);
    check(!tree == (n < sizeof whole - 1), "%zu bytes", n);
    if (!tree) {
      check_error(&err, "bad_json", "not valid JSON", whole);
    }
    cJSON_Delete(tree);
  }
}

static void test_the_last_of_a_name_counts(void **state) {
  static const char *const cases[][2] = {
      {"{\"a\":1,\"a\":2}", "{\"a\":2}"},
      {"{\"a\":1,\"b\":2,\"a\":3,\"b\":4,\"a\":5}", "{\"b\":4,\"a\":5}"},
      {"{\"usage\":null,\"A\":0,\"usage\":{\"n\":1,\"n\":2}}", "{\"A\":0,\"usage\":{\"n\":2}}"},
      {"[{\"a\":[{\"b\":1,\"b\":[]}]},{\"a\":1}]", "[{\"a\":[{\"b\":[]}]},{\"a\":1}]"},
      {"{\"a\":\"\\ud800\",\"a\":\"x\"}", "{\"a\":\"x\"}"},
      {"{\"\":1,\"\":2}", "{\"\":2}"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Err err = {0};
    cJSON *tree = read(cases[i][0], strlen(cases[i][0]), &err);
    char *printed = cJSON_PrintUnformatted(tree);
    check(printed && strcmp(printed, cases[i][1]) == 0, "%s: %s", cases[i][0], printed);
    cJSON_free(printed);
    cJSON_Delete(tree);
  }
}

/* An object of very many names: the time grows with them, not with their square. */
static void test_many_names(void **state) {
  enum { MANY = 400000 };
  Buf b;
  Err err = {0};
  (void)state;
  buf_init(&b, LIMIT_RESPONSE_BYTES);
  for (int i = 0; i < MANY; i++) {
    buf_printf(&b, "%s\"name %d\":%d", i ? "," : "{", i % (MANY / 2), i);
  }
  buf_puts(&b, "}");
  cJSON *tree = read(b.data, b.n, &err);
  int at = MANY / 2;
  assert_int_equal(cJSON_GetArraySize(tree), MANY / 2);
  for (const cJSON *item = tree->child; item; item = item->next, at++) {
    check((int)item->valuedouble == at, "%s: %g", item->string, item->valuedouble);
  }
  cJSON_Delete(tree);
  buf_free(&b);
}

static void test_depth(void **state) {
  static const char *const starts[] = {"", "\"\xFF\",", "NaN,", "\"\\ud83d\","};
  (void)state;
  for (size_t s = 0; s < COUNT(starts); s++) {
    for (int depth = LIMIT_ANSWER_DEPTH - 1; depth < 200000; depth += depth < 258 ? 1 : 100000) {
      Buf b;
      Err err = {0};
      buf_init(&b, 1 << 20);
      buf_printf(&b, "[%s", starts[s]);
      for (int i = 1; i < depth; i++) {
        buf_puts(&b, "[");
      }
      for (int i = 0; i < depth; i++) {
        buf_puts(&b, "]");
      }
      cJSON *tree = read(b.data, b.n, &err);
      check(!tree == (depth > LIMIT_ANSWER_DEPTH), "%s: %d", starts[s], depth);
      if (!tree) {
        check_error(&err, "bad_json", "nested", starts[s]);
      }
      cJSON_Delete(tree);
      buf_free(&b);
    }
  }
}

/* Pieces of a stream: a text of each; what they are together, and what each is alone. */
static void test_pieces(void **state) {
  static const struct {
    const char *pieces[3], *joined, *alone[3];
  } cases[] = {
      {{"\"a\\ud83d\"", "\"\\ude00b\""},
       "a\xF0\x9F\x98\x80"
       "b",
       {"a" FFFD, FFFD "b"}},
      {{"\"a\\uD83D\"", "\"b\\uDE00\""}, "a" FFFD "b" FFFD, {"a" FFFD, "b" FFFD}},
      {{"\"caf\xC3\"", "\"\xA9!\""}, "caf\xC3\xA9!", {"caf" FFFD, FFFD "!"}},
      {{"\"\xE2\"", "\"\x82\"", "\"\xAC\""}, "\xE2\x82\xAC", {FFFD, FFFD, FFFD}},
      {{"\"\xF0\x9F\"", "\"\x98\x80\""}, "\xF0\x9F\x98\x80", {FFFD, FFFD FFFD}},
      {{"\"\xED\xA0\xBD\"", "\"\xED\xB8\x80\""}, "\xF0\x9F\x98\x80", {FFFD, FFFD}},
      {{"\"\\ud83d\"", "\"\xED\xB8\x80\""}, "\xF0\x9F\x98\x80", {FFFD, FFFD}},
      {{"\"\\ud83d\"", "\"\\ud83d\"", "\"\\ude00\""}, FFFD "\xF0\x9F\x98\x80", {FFFD, FFFD, FFFD}},
      {{"\"\xFF\\u0000\"", "\"x\\y\""}, FFFD FFFD "x\\y", {FFFD FFFD, "x\\y"}},
      {{"\"plain\"", "\"\""}, "plain", {"plain", ""}},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Buf joined;
    Err err = {0};
    buf_init(&joined, 64);
    buf_puts(&joined, "");
    for (int k = 0; k < 3 && cases[i].pieces[k]; k++) {
      const char *text = cases[i].pieces[k];
      cJSON *piece = json_piece_parse(text, strlen(text), "the answer", &err);
      check(piece && cJSON_IsString(piece), "%s: %s", text, err.msg);
      buf_puts(&joined, piece->valuestring);
      assert_int_equal(json_piece_mend(piece, &err), RC_OK);
      check(strcmp(piece->valuestring, cases[i].alone[k]) == 0, "%s: %s", text, piece->valuestring);
      cJSON_Delete(piece);
    }
    assert_int_equal(text_mend(&joined), RC_OK);
    check(strcmp(joined.data, cases[i].joined) == 0, "%zu: %s", i, joined.data);
    buf_free(&joined);
  }
}

/* Names of a piece are whole at once, and values wherever they stand when it is mended. */
static void test_names_of_a_piece(void **state) {
  static const char text[] =
      "{\"\\ud83d\":1,\"\xFF\":2,\"a\":[{\"b\":\"\\ude00\"},\"\xC3\"],\"c\":\"\xFF\"}";
  Err err = {0};
  cJSON *piece = json_piece_parse(text, sizeof text - 1, "it", &err);
  (void)state;
  assert_int_equal(json_piece_mend(piece, &err), RC_OK);
  char *printed = cJSON_PrintUnformatted(piece);
  assert_string_equal(printed, "{\"" FFFD "\":2,\"a\":[{\"b\":\"" FFFD "\"},\"" FFFD
                               "\"],\"c\":\"" FFFD "\"}");
  cJSON_free(printed);
  cJSON_Delete(piece);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_what_is_read),
      cmocka_unit_test(test_what_stays_an_error),
      cmocka_unit_test(test_a_text_that_ends_early_is_never_mended),
      cmocka_unit_test(test_the_last_of_a_name_counts),
      cmocka_unit_test(test_many_names),
      cmocka_unit_test(test_pieces),
      cmocka_unit_test(test_names_of_a_piece),
      cmocka_unit_test(test_depth),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
