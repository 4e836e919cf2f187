/*
** Learning from labelled prompts: what can be learned is, what can't is said, and the same data give the same line.
*/
#include "unit.h"

#include "core/route/learn.h"

#include <math.h>

enum { DIM = 16, N = 200 };

typedef struct Data {
  float vectors[N * DIM];
  double labels[N];
} Data;

static unsigned seed;
static double draw(void) {
  seed = seed * 1664525u + 1013904223u;
  return (double)(seed >> 8) / 16777216.0 - .5;
}

/* Two clouds, of which the second is hard; noise from 0 (apart) to 1 (labels by chance). */
static LearnExamples make(Data *d, int n, double noise) {
  seed = 7;
  for (int i = 0; i < n; i++) {
    double square = 0;
    int hard = draw() > 0;
    for (int k = 0; k < DIM; k++) {
      d->vectors[i * DIM + k] = (float)(draw() + (k == hard ? 1.5 : 0));
      square += (double)d->vectors[i * DIM + k] * (double)d->vectors[i * DIM + k];
    }
    for (int k = 0; k < DIM; k++) {
      d->vectors[i * DIM + k] = (float)((double)d->vectors[i * DIM + k] / sqrt(square));
    }
    d->labels[i] = draw() + .5 < noise ? draw() > 0 : hard;
  }
  return (LearnExamples){d->vectors, d->labels, n, DIM};
}

static void test_learns(void **state) {
  (void)state;
  static Data d;
  Learned l, again;
  Err err = {0};
  double unseen[N], near;
  LearnExamples x = make(&d, N, 0);
  assert_int_equal(learn_train(&x, 0, &l, unseen, &err), RC_OK);
  check(l.here.auc > .98 && l.here.brier < .05 && l.here.log_loss < l.base.log_loss / 2, "%g %g %g",
        l.here.auc, l.here.brier, l.here.log_loss);
  check(l.base.auc == .5 && fabs(l.base.brier - l.base_rate * (1 - l.base_rate)) < 1e-9, "%g",
        l.base.brier);
  check(fabs(learn_auc(unseen, d.labels, N) - l.here.auc) < 1e-12, "%g", l.here.auc);
  for (int i = 0; i < N; i++) {
    double s = learn_score(&x, &l, d.vectors + i * DIM, &near);
    check((s > .5) == (d.labels[i] > .5) && near >= 0 && near <= 1, "%d: %g", i, s);
  }
  assert_int_equal(learn_train(&x, 0, &again, NULL, &err), RC_OK);
  assert_memory_equal(&l, &again, sizeof l);
}

/* Labels by chance: no better than the base rate, and not much worse. */
static void test_noise(void **state) {
  (void)state;
  static Data d;
  Learned l;
  LearnExamples x = make(&d, N, 1);
  assert_int_equal(learn_train(&x, 20, &l, NULL, &(Err){0}), RC_OK);
  check(fabs(l.here.auc - .5) < .12 && l.here.log_loss < l.base.log_loss * 1.05, "%g %g %g",
        l.here.auc, l.here.log_loss, l.base.log_loss);
}

static void test_refuses(void **state) {
  (void)state;
  static Data d;
  Learned l;
  Err err = {0};
  LearnExamples x = make(&d, 19, 0);
  assert_int_not_equal(learn_train(&x, 0, &l, NULL, &err), RC_OK);
  check_error(&err, "bad_argument", "19 labelled examples, at least 20", "few");
  x = make(&d, 40, 0);
  for (int i = 0; i < 40; i++) {
    d.labels[i] = 1;
  }
  err = (Err){0};
  assert_int_not_equal(learn_train(&x, 0, &l, NULL, &err), RC_OK);
  check_error(&err, "bad_argument", "same label", "one class");
  d.labels[3] = 1.5;
  err = (Err){0};
  assert_int_not_equal(learn_train(&x, 0, &l, NULL, &err), RC_OK);
  check_error(&err, "bad_argument", "label 4", "range");
  x.n = LEARN_MOST + 1;
  err = (Err){0};
  assert_int_not_equal(learn_train(&x, 0, &l, NULL, &err), RC_OK);
  check_error(&err, "bad_argument", "at most", "many");
}

/* Vectors of zeros, NANs, all equal: a score all the same. */
static void test_odd_vectors(void **state) {
  (void)state;
  static Data d;
  Learned l;
  LearnExamples x = make(&d, 60, 0);
  for (int i = 0; i < 60 * DIM; i++) {
    d.vectors[i] = i < 20 * DIM ? 0 : i < 40 * DIM ? .25f : (float)NAN;
  }
  Err err = {0};
  assert_int_equal(learn_train(&x, 5, &l, NULL, &err), RC_OK);
  check(isfinite(l.intercept) && isfinite(l.slope), "%g %g", l.intercept, l.slope);
  for (int i = 0; i < 60; i++) {
    double s = learn_score(&x, &l, d.vectors + i * DIM, NULL);
    check(isnan(s) || (s >= 0 && s <= 1), "%g", s);
  }
}

static void test_auc(void **state) {
  (void)state;
  const double scores[] = {.1, .4, .35, .8}, labels[] = {0, 0, 1, 1}, equal[] = {1, 1, 1, 1};
  check(fabs(learn_auc(scores, labels, 4) - .75) < 1e-12, "%g", learn_auc(scores, labels, 4));
  check(fabs(learn_auc(equal, labels, 4) - .5) < 1e-12, "%g", learn_auc(equal, labels, 4));
  check(isnan(learn_auc(scores, equal, 4)), "one class");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_learns),  cmocka_unit_test(test_noise),
      cmocka_unit_test(test_refuses), cmocka_unit_test(test_odd_vectors),
      cmocka_unit_test(test_auc),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
