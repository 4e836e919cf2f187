/*
** Texts of schemas (base/sqlite/ddl.h) and what providers repeat (trust/scrub.h), without a database.
*/
#include "unit.h"

#include "base/sqlite/ddl.h"
#include "trust/scrub.h"

#include <stdio.h>

#include <stdlib.h>
#include <string.h>

static void test_kinds_and_names(void **state) {
  static const struct {
    const char *sql;
    DdlKind kind;
    int is_temp;
    const char *name;
  } cases[] = {
      {"CREATE TABLE t(a)", DDL_TABLE, 0, "t"},
      {"create\ttable\n\"a b\" (a)", DDL_TABLE, 0, "a b"},
      {"CREATE/**/TABLE--x\nIF NOT EXISTS [x](a)", DDL_TABLE, 0, "x"},
      {"CREATE TEMP VIEW v AS SELECT 1", DDL_VIEW, 1, "v"},
      {"CREATE TEMPORARY TRIGGER `t` AFTER INSERT ON x BEGIN SELECT 1; END", DDL_TRIGGER, 1, "t"},
      {"CREATE VIRTUAL TABLE v USING fts5(a)", DDL_VIRTUAL, 0, "v"},
      {"CREATE UNIQUE INDEX i ON t(a)", DDL_INDEX, 0, "i"},
      {"CREATE VIRTUAL VIEW v", DDL_OTHER, 0, ""},
      {" CREATE TABLE t(a)", DDL_OTHER, 0, ""}, /* SQLite wants it to begin with CR */
      {"/**/CREATE TABLE t(a)", DDL_OTHER, 0, ""},
      {"CREATED TABLE t(a)", DDL_OTHER, 0, ""},
      {"", DDL_OTHER, 0, ""},
      {"CREATE", DDL_OTHER, 0, ""},
      {"CREATE TABLE 'q'(a)", DDL_TABLE, 0, "q"},
      {"CREATE TABLE if\xc3\xa9(a)", DDL_TABLE, 0, "if\xc3\xa9"}, /* no IF, a name that begins so */
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Ddl d;
    ddl_start(&d, cases[i].sql, strlen(cases[i].sql));
    check(d.kind == cases[i].kind && d.is_temp == cases[i].is_temp, "%s: kind %d", cases[i].sql,
          (int)d.kind);
    check(ddl_is_name(d.name, d.n_name, cases[i].name), "%s: name '%.*s'", cases[i].sql,
          (int)d.n_name, d.name);
  }
}

static void test_normal_form(void **state) {
  static const char *const cases[][2] = {
      {"CREATE TABLE t( a  INTEGER,\n b TEXT -- c\n)", "create table t(a integer,b text)"},
      {"CREATE  TABLE/*x*/\"T\" (a)", "create table\"T\"(a)"},
      {"SELECT 'A  -- b' , X", "select'A  -- b',x"},
      {"a/**/b", "a b"},
      {"a --", "a"},
      {"x \xef\xbb\xbf (a)", "x(a)"},
      {"x\xef\xbb\xbf (a)", "x\xef\xbb\xbf(a)"}, /* another name than x */
      {"a \xc3\xa9 b", "a \xc3\xa9 b"},
      {"SELECT X '00'", "select x '00'"},
      {"'a' 'b', 'a''b'", "'a' 'b','a''b'"},
      {"a - -b / *c", "a- -b/ *c"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    char out[256];
    ddl_normalize(cases[i][0], strlen(cases[i][0]), out);
    assert_string_equal(out, cases[i][1]);
  }
}

static void test_keys(void **state) {
  static const char key[] = "sk-Abc12345Defg";
  static const struct {
    const char *text;
    int holds;
  } cases[] = {
      {"", 0},
      {"nothing of it", 0},
      {"sk-Abc1", 0}, /* seven */
      {"xsk-abc12y", 1},
      {"SK-ABC12345DEFG", 1},
      {"c2stQWJjMTIzNDVEZWZn", 1},     /* base64 */
      {"eHh4c2stQWJjMTIzNDVEZWZn", 1}, /* base64 of xxxsk-… */
      {"c2stqwjjmtizndvezwzn", 1},     /* base64 made small */
      {"736b2d41626331323334", 1},
      {"%73%6b%2d%41%62%63%31%32", 1},
      {"s k - A b c 1 2", 0},
      {"\\u0073\\u006b\\u002d\\u0041\\u0062\\u0063\\u0031\\u0032", 1},
      {"\\\\u0073\\\\u006b\\\\u002dAbc12", 1}, /* escaped twice */
      {"\\x73\\x6b\\x2d\\x41\\x62\\x63\\x31\\x32", 1},
      {"&#115;&#107;&#45;&#65;&#98;&#99;&#49;&#50;", 1},
      {"&#x73;&#X6b;&#x2D;&#0065&#98&amp;#99;12", 1},
      {"\\u{73}\\u{6b}%u002d\\U00000041bc12", 1},
      {"sk-&#;Abc1 \\u00 \\u{} \\x7 &#x; \\u{7 &#", 0},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    check(scrub_holds_key(cases[i].text, key) == cases[i].holds, "'%s'", cases[i].text);
  }
  assert_int_equal(scrub_holds_key("the key is abc", "abc"), 1); /* all of a short one */
  assert_int_equal(scrub_holds_key("anything", NULL), 0);
  assert_int_equal(scrub_holds_key(NULL, key), 0);
}

static void test_masks(void **state) {
  static const char key[] = "sk-proj-Abc12345Defg6789";
  static const char *const cases[][2] = {
      {"", ""},
      {"nothing of it.", "nothing of it."},
      {"Incorrect API key provided: sk-proj-Abc12345Defg6789.", "Incorrect API key provided: ***."},
      {"provided: sk-proj-********************6789.", "provided: ***."},
      {"provided: 'sk-other-one'", "provided: '***'"},
      {"key=Abc12345D&x=1", "key=***&x=1"},
      {"ABC12345DEFG is not it", "*** is not it"},
      {"xAbc12345y", "***"},
      {"ends in 6789, begins with sk-pro", "ends in ***, begins with ***"},
      {"****6789 is invalid", "*** is invalid"},
      {"sk-pr...6789 is invalid", "*** is invalid"},
      {"AIzaSyA1234 gsk_12345 xai-12345 hf_12345 eyJhbGciOi.eyJz.x", "*** *** *** *** ***"},
      {"Authorization: Bearer some-token-here", "Authorization: Bearer ***"},
      {"a bearer of news", "a bearer of news"},
      {"hash 0123456789abcdef0123456789abcdef", "hash ***"},
      {"claude-haiku-4-5-20251001 of 2026-11-28 at asia-southeast1-a",
       "claude-haiku-4-5-20251001 of 2026-11-28 at asia-southeast1-a"},
      {"see https://platform.openai.com/account/api-keys...",
       "see https://platform.openai.com/account/api-keys..."},
      {"12345678901234567890123456 tokens", "12345678901234567890123456 tokens"},
      {"caf\xC3\xA9 6789", "caf\xC3\xA9 ***"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    char text[200];
    snprintf(text, sizeof text, "%s", cases[i][0]);
    scrub_mask(text, key);
    check(strcmp(text, cases[i][1]) == 0, "'%s': '%s'", cases[i][0], text);
  }
  char text[] = "sk-anybody and 6789";
  scrub_mask(text, NULL);
  assert_string_equal(text, "*** and 6789");
}

static void test_prompts(void **state) {
  static const char prompt[] = "Is Mr. Nowak's contract of 2021 still valid?";
  (void)state;
  assert_int_equal(scrub_holds_prompt("bad: is mr nowaks contract", prompt, strlen(prompt)), 1);
  assert_int_equal(scrub_holds_prompt("is_mr_nowak_s_contract_of", prompt, strlen(prompt)), 1);
  assert_int_equal(scrub_holds_prompt("the contract is bad", prompt, strlen(prompt)), 0);
  assert_int_equal(scrub_holds_prompt("say Hello there", "Hello", 5), 0); /* too short to tell */
  assert_int_equal(scrub_holds_prompt("say hello, you", "Hello you", 9), 1);
  size_t n = (size_t)1 << 22; /* goes over a long one once */
  char *long_prompt = malloc(n);
  memset(long_prompt, 'a', n);
  memcpy(long_prompt + n - 20, "0123456789bcdefghijk", 20);
  assert_int_equal(scrub_holds_prompt("at the end 3456789bcdefghijk", long_prompt, n), 1);
  assert_int_equal(scrub_holds_prompt("at the end 3456789bcxefghijk", long_prompt, n), 0);
  free(long_prompt);
}

/* Characters as JSON, HTML and programs write them, where a text ends within one too. */
static void test_prompts_of_characters(void **state) {
  static const char prompt[] =
      "\xE7\xA7\x98\xE5\xAF\x86\xE3\x81\xAE\xE8\xA8\x88\xE7\x94\xBB"; /* five */
  static const char faces[] = "\xF0\x9F\x98\x80\xF0\x9F\x98\x81\xF0\x9F\x98\x82";
  static const struct {
    const char *text, *of;
    int holds;
  } cases[] = {
      {"it says \\u79d8\\u5BC6\\u306e\\u8a08\\u753b.", prompt, 1},
      {"it says \\\\u79d8\\\\u5bc6\\\\u306e\\\\u8a08", prompt, 1},
      {"it says &#31192;&#23494;&#12398;&#35336;", prompt, 1},
      {"it says &#x79d8;&#X5BC6; &#x306e; &#x8a08;", prompt, 1},
      {"&amp;#31192;&amp;#23494;&amp;#12398;&amp;#35336;", prompt, 1},
      {"%u79d8%u5bc6%u306e%u8a08", prompt, 1},
      {"\\u{79d8}\\u{5bc6}\\u{306e}\\u{8a08}", prompt, 1},
      {"\\U000079d8\\U00005bc6\\U0000306e\\U00008a08", prompt, 1},
      {"\\U79D8\\U5BC6\\U306E\\U8A08", prompt, 1}, /* made large */
      {"\\xe7\\xa7\\x98\\xe5\\xaf\\x86\\xe3\\x81\\xae\\xe8\\xa8\\x88", prompt, 1},
      {"\\ud83d\\ude00\\ud83d\\ude01\\ud83d\\ude02", faces, 1},
      {"&#55357;&#56832;&#55357;&#56833;&#55357;&#56834;", faces, 1},
      {"&#128512;&#128513;&#128514;", faces, 1},
      {"\\u79d8\\u5bc6\\u306e", prompt, 0}, /* too few */
      {"\\u79d8\\u5bc6\\u306e\\u8a0", prompt, 0},
      {"\\ud83d\\ude00\\ud83d", faces, 0},
      {"&#999999999;&#xffffffff;\\u{ffffffff}\\ud800\\u0041&#", prompt, 0},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    char *text = strdup(cases[i].text); /* no byte behind its end is read */
    check(scrub_holds_prompt(text, cases[i].of, strlen(cases[i].of)) == cases[i].holds, "'%s'",
          text);
    free(text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_kinds_and_names),
      cmocka_unit_test(test_normal_form),
      cmocka_unit_test(test_keys),
      cmocka_unit_test(test_masks),
      cmocka_unit_test(test_prompts),
      cmocka_unit_test(test_prompts_of_characters),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
