/*
** The rules of advice: whose work may wait, what replaces what, and what is expected of whom.
*/
#include "unit.h"

#include "core/audit/advice.h"

static void test_waiting(void **state) {
  (void)state;
  static const struct {
    const char *tag;
    AdviceWait wait;
  } cases[] = {
      {"nightly-summaries", WAIT_PROBABLY},
      {"Backfill 2026", WAIT_PROBABLY},
      {"evals", WAIT_PROBABLY},
      {"embeddings", WAIT_PROBABLY},
      {"chat", WAIT_NEVER},
      {"chat summaries", WAIT_NEVER},
      {"MODERATION", WAIT_NEVER},
      {"streaming job", WAIT_NEVER},
      {"support", WAIT_NEVER},
      {"pricing", WAIT_UNKNOWN},
      {"", WAIT_UNKNOWN},
      {NULL, WAIT_UNKNOWN},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    AdviceWait wait = advice_may_wait(cases[i].tag);
    check(wait == cases[i].wait, "%s: %d", cases[i].tag ? cases[i].tag : "NULL", (int)wait);
  }
}

static void test_successors(void **state) {
  (void)state;
  assert_string_equal(advice_successor("gpt-4-turbo"), "gpt-4o");
  assert_string_equal(advice_successor("claude-3-opus"), "claude-opus-4-5");
  assert_null(advice_successor("gpt-4o"));
  assert_null(advice_successor(""));
}

/* The sequence, and the ranges that published comparisons give. */
static void test_rules(void **state) {
  (void)state;
  static const struct {
    Advice advice;
    const char *effort, *impact;
    int step;
    double least, most;
  } cases[] = {
      {ADVICE_COMPRESS, "low", "medium", 1, 0.2, 0.4},
      {ADVICE_ROUTE, "medium", "very high", 2, 0.6, 0.8},
      {ADVICE_CACHE, "low", "high", 3, 0.1, 0.6},
      {ADVICE_BATCH, "low", "medium", 4, 0.5, 0.5},
      {ADVICE_TUNE, "high", "high", 5, 0.7, 0.9},
      {ADVICE_HOST, "very high", "very high", 7, 0.8, 0.95},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    AdviceRule rule = advice_rule(cases[i].advice);
    check(strcmp(rule.effort, cases[i].effort) == 0 && strcmp(rule.impact, cases[i].impact) == 0 &&
              rule.step == cases[i].step,
          "%s: %s, %s, %d", rule.word, rule.effort, rule.impact, rule.step);
    check(rule.least == cases[i].least && rule.most == cases[i].most, "%s: %g to %g", rule.word,
          rule.least, rule.most);
  }
  assert_true(advice_rule(ADVICE_SERVERLESS).step < advice_rule(ADVICE_HOST).step);
  assert_true(advice_rule(ADVICE_HOST).weight < advice_rule(ADVICE_TUNE).weight);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_waiting),
                                     cmocka_unit_test(test_successors),
                                     cmocka_unit_test(test_rules)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
