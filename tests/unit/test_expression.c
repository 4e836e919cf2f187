/*
** SQL expressions over texts: what they may, and that nothing else runs, or runs long.
*/
#include "unit.h"

#include "base/clock.h"
#include "trust/sandbox/expression.h"

#include <math.h>
#include <stdio.h>

static Expression *opened(void) {
  Err err = {0};
  Expression *e = expression_open(&err);
  check(e, "%s", err.msg);
  return e;
}

static int eval(Expression *e, const char *expr, const char *answer, ExpressionValue *v, Err *err) {
  const ExpressionText texts[] = {{":answer", answer, answer ? strlen(answer) : 0},
                                  {":prompt", "What is 2 + 2?", 14}};
  return expression_eval(e, expr, texts, COUNT(texts), v, err);
}

static void test_values(void **state) {
  (void)state;
  static const struct {
    const char *expr, *answer;
    int is_true, is_null;
    double number; /* NAN: none */
  } cases[] = {
      {"length(:answer) < 10", "short", 1, 0, 1},
      {"length(:answer) < 10", "not so very short", 0, 0, 0},
      {":answer LIKE '%kind%'", "Kind regards", 1, 0, 1},
      {"NULL", "", 0, 1, NAN},
      {":answer IS NULL", NULL, 1, 0, 1},
      {"json_extract(:answer, '$.total') > 5", "{\"total\":7}", 1, 0, 1},
      {":answer ->> '$.a' = 'x'", "{\"a\":\"x\"}", 1, 0, 1},
      {"0.5", "", 1, 0, .5},
      {"'abc'", "", 0, 0, NAN},
      {"'5 apples'", "", 1, 0, NAN},
      {"1 -- why", "", 1, 0, 1},
      {"/* one */ 1", "", 1, 0, 1},
      {"(SELECT count(*) FROM json_each(:answer)) = 3", "[1,2,3]", 1, 0, 1},
      {"(SELECT max(value) FROM json_each(:answer) WHERE type = 'integer')", "[1,\"b\",3]", 1, 0,
       3},
      {"SELECT sum(value) FROM json_each(:answer)", "[1,2]", 1, 0, 3},
      {"(SELECT 1 WHERE 0)", "", 0, 1, NAN},
      {"instr(:prompt, :answer)", "2 + 2", 1, 0, 9},
      {"instr(:answer, 'b')",
       "\xC3\xA4\xC3\xB6"
       "b",
       1, 0, 3},
      {"instr(:answer, 'x')", "ab", 0, 0, 0},
      {"length(replace(:answer, 'ab', 'c'))", "abab", 1, 0, 2},
      {"trim(:answer) = 'x' AND ltrim(:answer, ' .') = 'x . '", " . x . ", 0, 0, 0},
      {"rtrim(:answer, '.\xC3\xA4') = 'x'", "x.\xC3\xA4.", 1, 0, 1},
      {"round(2.567, 1)", "", 1, 0, 2.6},
      {"')' = ')' AND '--' <> ';'", "", 1, 0, 1},
      {"(WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 100) SELECT "
       "sum(i) FROM c)",
       "", 1, 0, 5050},
  };
  Expression *e = opened();
  for (size_t i = 0; i < COUNT(cases); i++) {
    for (int again = 0; again < 2; again++) {
      Err err = {0};
      ExpressionValue v;
      check(eval(e, cases[i].expr, cases[i].answer, &v, &err) == RC_OK, "%s", err.msg);
      check(v.is_true == cases[i].is_true && v.is_null == cases[i].is_null, "%s: %d %d",
            cases[i].expr, v.is_true, v.is_null);
      check(isnan(v.number) ? isnan(cases[i].number) : v.number == cases[i].number, "%s: %g",
            cases[i].expr, v.number);
    }
  }
  expression_close(e);
}

/* What is refused, or stopped: parts of what is said, of which one is there. */
static const struct {
  const char *expr, *part;
} hostile[] = {
    {"", "empty"},
    {"-- nothing", "empty"},
    {"1); DROP TABLE x; SELECT (1", "a ')' too many"},
    {"1; SELECT 2", "without ';'"},
    {"1), (2", "a ')' too many"},
    {"(1", "a ')' is missing"},
    {"1 /*", "does not end"},
    {"'abc", "does not end"},
    {"1, 2", "expected one value|row value"},
    {"nonsense here", "syntax error|no such column"},
    {"\"answer\" = 'x'", "no such column"},
    {":reply = 1", "unknown :reply (valid: :answer, :prompt)"},
    {"? = 1", "unknown ? (valid"},
    {"(SELECT 1 FROM sqlite_schema)", "the table sqlite"},
    {"(SELECT 1 FROM t)", "no such table"},
    {"(SELECT count(*) FROM sqlite_schema)", "the table sqlite"},
    {"(SELECT count(*) FROM pragma_table_list)", "not allowed|no such table"},
    {"(SELECT count(*) FROM dbstat)", "not allowed|no such table"},
    {"(SELECT * FROM pragma_database_list)", "not allowed|no such table"},
    {"load_extension('x')",
     "the function load_extension is not allowed|no such function|not authorized"},
    {"readfile('/etc/passwd')", "no such function"},
    {"randomblob(1000000000)", "the function randomblob is not allowed"},
    {"zeroblob(1000000000)", "the function zeroblob is not allowed"},
    {"random()", "the function random is not allowed"},
    {"sqlite_version()", "the function sqlite_version is not allowed"},
    {"llm_complete('x')", "no such function"},
    {"printf('%.1000000000d', 1)", "NULL"},
    {"length(printf('%.*c', 900000000, 'x'))", "NULL"},
    {"replace(printf('%.*c', 100000, 'a'), 'a', printf('%.*c', 100, 'b'))", "too big"},
    {"(WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c) SELECT sum(i) FROM c)",
     "stopped"},
    {"(WITH RECURSIVE c(x) AS (SELECT 'a' UNION ALL SELECT x || x FROM c) SELECT count(*) FROM "
     "c)",
     "too big|stopped"},
    {"(WITH RECURSIVE c(x, i) AS (SELECT printf('%.*c', 4000000, 'x'), 1 UNION SELECT x || i, i "
     "+ 1 FROM c "
     "WHERE i < 100000) SELECT count(*) FROM c)",
     "too big|stopped"},
    {"(WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c), d(i, x) AS (SELECT i, "
     "printf('%.*c', 2000000, 'x') || i FROM c) SELECT max(x) OVER (ORDER BY x DESC) FROM d)",
     "stopped|too big"},
    {"(SELECT count(*) FROM json_each(:answer) a, json_each(:answer) b, json_each(:answer) c, "
     "json_each(:answer) d, json_each(:answer) e, json_each(:answer) f, json_each(:answer) g)",
     "stopped"},
    {"ATTACH 'x' AS y", "syntax error"},
    {"(PRAGMA user_version)", "syntax error"},
    {"EXISTS (DELETE FROM t)", "syntax error"},
    {"(VALUES (1), (2)) IN (SELECT raise(IGNORE))", "RAISE|allowed|syntax"},
};

/* Refused, or stopped, each within a second; afterwards the connection works. */
static void test_hostile(void **state) {
  (void)state;
  Expression *e = opened();
  for (size_t i = 0; i < COUNT(hostile); i++) {
    Err err = {0};
    ExpressionValue v;
    char part[160], *rest = part;
    long long began = monotonic_ms();
    int rc =
        eval(e, hostile[i].expr, "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]", &v, &err);
    long long took = monotonic_ms() - began;
    if (strcmp(hostile[i].part, "NULL") == 0) { /* SQLite's own answer to what would be too long */
      check(rc != RC_OK || v.is_null, "%s: %g", hostile[i].expr, v.number);
      continue;
    }
    check(rc != RC_OK, "%s: %g", hostile[i].expr, v.number);
    check(took < 1500, "%s: %lld ms", hostile[i].expr,
          took); /* sanitized; by itself under a second */
    snprintf(part, sizeof part, "%s", hostile[i].part);
    int says = 0;
    for (char *one; (one = strsep(&rest, "|"));) {
      says |= strstr(err.msg, one) != NULL;
    }
    check(says, "%s: '%s' does not say '%s'", hostile[i].expr, err.msg, hostile[i].part);
    err = (Err){0};
    check(eval(e, "1", "", &v, &err) == RC_OK && v.is_true, "after %s: %s", hostile[i].expr,
          err.msg);
  }
  expression_close(e);
}

/* Texts that would keep SQLite's own functions busy. */
static void test_texts(void **state) {
  (void)state;
  static const char *const exprs[] = {
      "instr(:answer, substr(:answer, 1, 1000000) || 'b')",
      "length(replace(:answer, substr(:answer, 1, 1000000) || 'b', ''))",
      "length(trim(:answer, 'a'))",
      ":answer LIKE '%a%a%a%a%a%a%a%a%b'",
      ":answer GLOB '*a*a*a*a*a*a*a*a*b'",
      "length(upper(:answer))",
      "json_valid(:answer)",
  };
  enum { N = 3 << 20 };
  char *text = malloc(N + 1);
  Expression *e = opened();
  memset(text, 'a', N);
  text[N] = 0;
  for (size_t i = 0; i < COUNT(exprs); i++) {
    Err err = {0};
    ExpressionValue v;
    const ExpressionText texts[] = {{":answer", text, N}};
    long long began = monotonic_ms();
    expression_eval(e, exprs[i], texts, 1, &v, &err);
    check(monotonic_ms() - began < 1500, "%s: %lld ms", exprs[i], monotonic_ms() - began);
  }
  const ExpressionText odd[] = {{":answer", "a\0b\xFF", 4}};
  Err err = {0};
  ExpressionValue v;
  check(expression_eval(e, "hex(:answer) = '610062FF'", odd, 1, &v, &err) == RC_OK, "%s", err.msg);
  assert_int_equal(v.is_true, 1);
  text = realloc(text, (size_t)EXPRESSION_TEXT_BYTES + 2);
  const ExpressionText large[] = {{":answer", memset(text, 'a', (size_t)EXPRESSION_TEXT_BYTES + 1),
                                   (size_t)EXPRESSION_TEXT_BYTES + 1}};
  assert_int_not_equal(expression_eval(e, "1 OR :answer", large, 1, &v, &err), RC_OK);
  check_error(&err, "failed", "too big", "a text over the limit");
  expression_close(e);
  free(text);
}

static void test_check(void **state) {
  (void)state;
  Expression *e = opened();
  Err err = {0};
  const ExpressionText names[] = {{":answer", NULL, 0}};
  assert_int_equal(expression_check(e, "length(:answer) > 2", names, 1, &err), RC_OK);
  assert_int_not_equal(expression_check(e, "length(:prompt) > 2", names, 1, &err), RC_OK);
  check_error(&err, "bad_option", "unknown :prompt (valid: :answer)", "names");
  char *longest = malloc(EXPRESSION_BYTES + 2);
  memset(longest, '1', EXPRESSION_BYTES + 1);
  longest[EXPRESSION_BYTES + 1] = 0;
  err = (Err){0};
  assert_int_not_equal(expression_check(e, longest, names, 1, &err), RC_OK);
  check_error(&err, "bad_option", "at most 10000", "length");
  free(longest);
  char deep[2001];
  memset(deep, '(', 999);
  deep[999] = '1';
  memset(deep + 1000, ')', 999);
  deep[1999] = 0;
  err = (Err){0};
  assert_int_not_equal(expression_check(e, deep, names, 1, &err), RC_OK);
  check_error(&err, "bad_option", "", "depth");
  expression_close(e);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_values),
      cmocka_unit_test(test_hostile),
      cmocka_unit_test(test_texts),
      cmocka_unit_test(test_check),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
