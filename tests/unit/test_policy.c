/*
** The adaptive policy against evidence that no cosine gives.
*/
#include "unit.h"

#include "vec/policy/policy.h"

#include <math.h>

static const double odd[] = {
    (double)NAN, (double)INFINITY, -(double)INFINITY, 1e300, -1e300, 0, -1, 1, 5e-324};
enum { N_ODD = sizeof odd / sizeof odd[0] };

/* Every decision is made on a chance and a bound that are some. */
static void decides_soundly(Policy *p, const Evidence *e) {
  Decision d = {.entry = 1, .evidence = *e};
  policy_decide(p, 0.1, 7, &d);
  assert_true(d.needed >= 0 && d.needed <= 0.9);
  assert_true(isnan(d.chance) || (d.chance >= 0 && d.chance <= 1));
  assert_true(!d.served || d.chance >= d.needed);
}

static void any_evidence_is_survived(void **state) {
  (void)state;
  for (int second = 0; second < 2; second++) {
    Policy *p = policy_new(0.9, second ? 0.9 : (double)NAN, 1);
    for (int n = 0; n < 3000; n++) {
      Evidence e = {odd[n % N_ODD], odd[n / N_ODD % N_ODD], odd[n / (N_ODD * N_ODD) % N_ODD],
                    n % 5 ? n : INT32_MIN};
      assert_int_equal(policy_learn(p, &e, n % 3, n % 2), 0);
      decides_soundly(p, &e);
    }
    policy_free(p);
  }
}

/* One label of a stranger's does not spoil what was learned. */
static void sound_evidence_still_counts(void **state) {
  (void)state;
  Policy *p = policy_new(0.9, (double)NAN, 1);
  Evidence wild = {(double)INFINITY, (double)NAN, -1e300, 1}, good = {0.99, (double)NAN, 0.2, 4};
  assert_int_equal(policy_learn(p, &wild, 9, 0), 0);
  for (int n = 0; n < 300; n++) {
    assert_int_equal(policy_learn(p, &good, n % 5, 1), 0);
  }
  Decision d = {.entry = 1, .evidence = good};
  policy_decide(p, 0.1, 7, &d);
  assert_true(d.chance > 0.9);
  policy_free(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(any_evidence_is_survived),
      cmocka_unit_test(sound_evidence_still_counts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
