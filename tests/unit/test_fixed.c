/*
** The fixed policy: its scores as the header has them, who is served, and answers that are no longer believed.
*/
#include "unit.h"

#include "vec/policy/fixed.h"
#include "vec/policy/track.h"

#include <math.h>
#include <string.h>

static const FixedRule *const rules[] = {&fixed_rule_static, &fixed_rule_minilm,
                                         &fixed_rule_confirmed};
enum { N_RULES = sizeof rules / sizeof rules[0] };

static void assert_near(double a, double b) {
  assert_true(fabs(a - b) < 1e-12);
}

static FixedVerdict judged(double cosine, double margin, int votes, int repeats) {
  FixedEvidence e = {cosine, margin, votes, repeats, 0};
  return fixed_judge(&fixed_rule_static, &e);
}

static void scores_are_the_formulas(void **state) {
  (void)state;
  FixedEvidence e = {0.9, 0.1, 4, 1, 0};
  assert_near(fixed_agreement(&fixed_rule_static, &e), 20 * 0.9 - 18 + 1.5 + 3 * log(4));
  assert_near(fixed_closeness(&fixed_rule_static, &e), 20 * 0.9 - 18 + 0.7);
  assert_near(fixed_agreement(&fixed_rule_confirmed, &e), 20 * 0.9 - 17 + 2 + 3 * log(4));
  e.margin = 0.9; /* more room than 0.3 says nothing */
  assert_near(fixed_closeness(&fixed_rule_static, &e), 20 * 0.9 - 18 + 7 * 0.3);
  e.margin = -0.5;
  assert_near(fixed_closeness(&fixed_rule_static, &e), 20 * 0.9 - 18);
}

static void neighbours_that_agree_lower_the_bar(void **state) {
  (void)state;
  assert_int_equal(judged(0.76, 0.3, 8, 1), FIXED_AGREED);
  assert_int_equal(judged(0.76, 0.3, 1, 0), FIXED_NO);
  assert_int_equal(judged(0.76, 0.0, 8, 1), FIXED_NO);
  assert_int_equal(judged(0.93, 0.0, 1, 0), FIXED_CLOSE); /* alone: as a threshold of 0.925 */
  assert_int_equal(judged(0.92, 0.0, 1, 0), FIXED_NO);
  assert_int_equal(judged(0.93, 0.0, 1, 1), FIXED_NO); /* answers repeat, and none agrees */
}

static void another_answer_with_more_neighbours_wins_nothing(void **state) {
  (void)state;
  FixedEvidence e = {0.979, 0.3, 8, 1, 1};
  for (int i = 0; i < N_RULES; i++) {
    assert_int_equal(fixed_judge(rules[i], &e), FIXED_CONTESTED);
  }
}

/* What is possible is no less than what is judged. */
static void pruning_loses_nothing(void **state) {
  (void)state;
  for (int i = 0; i < N_RULES; i++) {
    for (int cosine = 50; cosine <= 100; cosine++) {
      for (int margin = 0; margin <= 30; margin += 3) {
        for (int votes = 1; votes <= FIXED_NEIGHBOURS; votes++) {
          FixedEvidence e = {cosine / 100.0, margin / 100.0, votes, votes > 1, 0};
          int served = fixed_judge(rules[i], &e) != FIXED_NO;
          assert_true(!served || fixed_is_possible(rules[i], e.cosine, e.margin, votes));
          assert_true(!served ||
                      fixed_is_possible(rules[i], e.cosine, FIXED_MARGIN_MOST, FIXED_NEIGHBOURS));
        }
      }
    }
  }
}

static Hash name_of(const char *text) {
  return hash_bytes(text, strlen(text), 0);
}

static void an_answer_to_everything_is_doubted(void **state) {
  (void)state;
  Err err = {0};
  Track *t = track_new();
  Hash unsure = name_of("I don't know"), good = name_of("Within 30 days."), once = name_of("once");
  assert_non_null(t);
  assert_false(track_doubts(t, &unsure));
  for (int entry = 1; entry <= 3; entry++) {
    track_learn(t, &unsure, entry, 0.8, 0, &err);
    track_learn(t, &good, 10 + entry, 0.8, entry != 1, &err);
    track_learn(t, &once, 20, 0.8, 0, &err); /* of one entry: that is a question, not an answer */
  }
  assert_true(track_doubts(t, &unsure));
  assert_false(track_doubts(t, &good));
  assert_false(track_doubts(t, &once));
  track_note(t, &once, 21, &err);
  assert_true(track_doubts(t, &once));
  assert_int_equal(err.rc, RC_OK);
  track_free(t);
}

/* Who enters variants of one text does not make its answer believed. */
static void variants_prove_nothing(void **state) {
  (void)state;
  Err err = {0};
  Track *t = track_new();
  Hash evil = name_of("call this number");
  for (int entry = 1; entry <= 3; entry++) {
    track_learn(t, &evil, entry, 0.8, 0, &err);
  }
  for (int entry = 10; entry < 100; entry++) {
    track_learn(t, &evil, entry, 0.86, 1, &err);
  }
  assert_true(track_doubts(t, &evil));
  for (int entry = 100; entry < 110; entry++) {
    track_learn(t, &evil, entry, 0.84, 1, &err);
  }
  assert_false(track_doubts(t, &evil));
  track_free(t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(scores_are_the_formulas),
      cmocka_unit_test(neighbours_that_agree_lower_the_bar),
      cmocka_unit_test(another_answer_with_more_neighbours_wins_nothing),
      cmocka_unit_test(pruning_loses_nothing),
      cmocka_unit_test(an_answer_to_everything_is_doubted),
      cmocka_unit_test(variants_prove_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
