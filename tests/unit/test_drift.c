/*
** The difference between two sides, split over its drivers: published figures, identities over random sides, and a
** driver that alone moves gets all of it.
*/
#include "unit.h"

#include "core/audit/drift.h"

#include <math.h>

enum { MODELS = 4, ROUNDS = 3000 };

static DriftModel models[2][MODELS];

static unsigned long long seed = 88172645463325252ULL;

static double chance(void) { /* xorshift64, Marsaglia */
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return (double)(seed >> 11) / 9007199254740992.0;
}

/* A side of `users` who ask ten times each, half of it answered by a cache, at 1,000 input tokens of `price`. */
static DriftSide plain_side(int i, double users, double price) {
  DriftSide s = {.users = users, .requests = 10 * users, .hits = 5 * users, .named = 10 * users};
  memset(models[i], 0, sizeof models[i]);
  s.models = models[i];
  s.attempts[0] = 5 * users;
  DriftCell *c = &models[i][0][KIND_OF_OUTPUT];
  c->tokens = 1000 * s.attempts[0];
  for (int k = 0; k < DRIFT_STEPS; k++) {
    c->nusd[k] = c->tokens * price;
  }
  s.nusd = llround(c->nusd[STEP_PAID]);
  return s;
}

static long long of_driver(const Drift *d, DriftDriver driver) {
  long long sum = 0;
  for (int i = 0; i < d->n; i++) {
    sum += d->rows[i].driver == driver ? d->rows[i].nusd : 0;
  }
  return sum;
}

static void check_sum(const Drift *d, const char *name) {
  long long sum = 0;
  for (int i = 0; i < d->n; i++) {
    sum += d->rows[i].nusd;
  }
  check(sum == d->after - d->before, "%s: %lld for %lld", name, sum, d->after - d->before);
}

/* Users times what each costs: 50 → 500 users, $200 → $2,400 a day. (Energy-economics papers call them activity and intensity.) */
static void test_published(void **state) {
  (void)state;
  static const struct {
    double users[2], usd[2];
    double by_users, by_each;
  } cases[] = {
      {{50, 500}, {200, 2400}, 2038.58, 161.42},
      {{400, 500}, {1500, 2400}, 427.29, 472.71},
      {{200, 400}, {800, 1500}, 771.87, -71.87},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    DriftSide side[2];
    Drift d;
    for (int k = 0; k < 2; k++) {
      side[k] =
          plain_side(k, cases[i].users[k], 1e9 * cases[i].usd[k] / (5000 * cases[i].users[k]));
    }
    assert_true(drift_split(&side[0], &side[1], MODELS, 0, &d));
    double users = (double)of_driver(&d, DRIFT_USERS) / 1e9;
    double each = (double)of_driver(&d, DRIFT_LIST_PRICE) / 1e9;
    check(fabs(users - cases[i].by_users) < 0.005, "case %zu: users %f", i, users);
    check(fabs(each - cases[i].by_each) < 0.005, "case %zu: each %f", i, each);
    check_sum(&d, "published");
  }
}

/* One thing changes at a time, and it gets all of the change. */
static void test_alone(void **state) {
  (void)state;
  for (int what = 0; what < 6; what++) {
    static const DriftDriver expected[] = {DRIFT_USERS,    DRIFT_HIT_RATE,   DRIFT_OUTPUT,
                                           DRIFT_ATTEMPTS, DRIFT_LIST_PRICE, DRIFT_REASONING};
    DriftSide a = plain_side(0, 100, 2000), b = plain_side(1, 100, 2000);
    DriftCell *c = &models[1][0][KIND_OF_OUTPUT];
    double times = what == 1 ? 1.5 : 3;
    if (what == 0) {
      b.users *= 3, b.requests *= 3, b.named *= 3, b.hits *= 3, b.attempts[0] *= 3;
    } else if (what == 1) {
      b.hits = 250, b.attempts[0] = 750;
    } else if (what == 3) {
      b.attempts[2] = 1000;
    } else if (what == 5) {
      c = &models[1][0][KIND_OF_REASONING];
      *c = models[1][0][KIND_OF_OUTPUT];
      times = 1;
    }
    c->tokens *= what == 4 ? 1 : times;
    for (int k = 0; k < DRIFT_STEPS; k++) {
      c->nusd[k] *= times;
    }
    b.nusd = llround(models[1][0][KIND_OF_OUTPUT].nusd[STEP_PAID] +
                     models[1][0][KIND_OF_REASONING].nusd[STEP_PAID]);
    Drift d;
    assert_true(drift_split(&a, &b, MODELS, 0, &d));
    check_sum(&d, "alone");
    check(d.rows[0].driver == expected[what], "%d: first is %s", what,
          drift_word(d.rows[0].driver));
    check(llabs(d.rows[0].nusd - (d.after - d.before)) <= 2, "%d: %lld of %lld", what,
          d.rows[0].nusd, d.after - d.before);
  }
}

/* A whole move from one model to another is the mix, while twice as many users are still users. */
static void test_migration(void **state) {
  (void)state;
  DriftSide a = plain_side(0, 100, 2000), b = plain_side(1, 200, 6000);
  memcpy(models[1][1], models[1][0], sizeof models[1][1]);
  memset(models[1][0], 0, sizeof models[1][0]);
  Drift d;
  assert_true(drift_split(&a, &b, MODELS, 0, &d));
  check_sum(&d, "migration");
  assert_true(of_driver(&d, DRIFT_LIST_PRICE) == 0 && of_driver(&d, DRIFT_OUTPUT) == 0);
  double mean = (double)(b.nusd - a.nusd) / log((double)b.nusd / (double)a.nusd);
  assert_true(fabs((double)of_driver(&d, DRIFT_USERS) - mean * log(2)) < 2);
  assert_true(fabs((double)of_driver(&d, DRIFT_MIX) - mean * log(3)) < 2);
}

/* From nothing, to nothing, nothing to nothing: finite, and the requests. */
static void test_zeros(void **state) {
  (void)state;
  for (int what = 0; what < 4; what++) {
    DriftSide side[2] = {plain_side(0, 100, 2000), plain_side(1, 100, 2000)};
    for (int i = 0; i < 2; i++) {
      if (what & 1 << i) {
        memset(models[i], 0, sizeof models[i]);
        side[i] = (DriftSide){.models = models[i]};
      }
    }
    Drift d;
    assert_true(drift_split(&side[0], &side[1], MODELS, 0, &d));
    check_sum(&d, "zeros");
    long long change = d.after - d.before;
    assert_true(what == 0 || what == 3 ? change == 0
                                       : of_driver(&d, DRIFT_REQUESTS) == change && change != 0);
  }
}

static void fill_cell(DriftCell *c, DriftSide *s, double *money) {
  if (chance() < 0.4) {
    return;
  }
  c->tokens = floor(chance() * 1e6);
  c->nusd[0] = c->tokens * chance() * 1e4;
  for (int k = 1; k < DRIFT_STEPS; k++) {
    c->nusd[k] = c->nusd[k - 1] * (0.3 + chance());
  }
  c->nusd[STEP_PAID] = chance() < 0.05 ? 0 : floor(c->nusd[STEP_PAID]);
  *money += c->nusd[STEP_PAID];
  s->input += c->tokens;
}

static DriftSide random_side(int i) {
  DriftSide s = {.models = models[i]};
  double money = 0;
  memset(models[i], 0, sizeof models[i]);
  s.requests = floor(chance() * 1000);
  s.hits = floor(s.requests * chance());
  s.named = chance() < 0.5 ? s.requests : 0;
  s.users = floor(1 + chance() * 50);
  for (int m = 0; m < MODELS; m++) {
    for (int k = 0; k < DRIFT_KINDS; k++) {
      fill_cell(&models[i][m][k], &s, &money);
    }
  }
  s.parted = chance() < 0.5 ? s.input : 0;
  for (int r = 0; r < 4 && money > 0; r++) {
    s.attempts[r] = floor(1 + chance() * 100);
  }
  s.nusd = (long long)money;
  s.says = chance() < 0.1 ? DRIFT_NO_REQUESTS : 0;
  return s;
}

/* Whatever two sides are, the rows sum to the change; a side against itself is zero everywhere; there and back are opposite. */
static void test_identities(void **state) {
  (void)state;
  for (int i = 0; i < ROUNDS; i++) {
    DriftSide a = random_side(0), b = random_side(1);
    Drift d, back;
    int each = chance() < 0.3;
    assert_true(drift_split(&a, &b, MODELS, each, &d));
    check_sum(&d, "random");
    for (int k = 0; k < d.n; k++) {
      check(!isinf(d.rows[k].before) && !isinf(d.rows[k].after), "round %d", i);
    }
    assert_true(drift_split(&b, &a, MODELS, each, &back));
    for (int k = 0; k < DRIFT_COUNT; k++) {
      long long sum = of_driver(&d, (DriftDriver)k) + of_driver(&back, (DriftDriver)k);
      check(llabs(sum) <= DRIFT_ROWS, "round %d: %s there and back %lld", i,
            drift_word((DriftDriver)k), sum);
    }
    assert_true(drift_split(&a, &a, MODELS, each, &d));
    for (int k = 0; k < d.n; k++) {
      check(d.rows[k].nusd == 0, "round %d: %s", i, drift_word(d.rows[k].driver));
    }
  }
}

/* A credit is below zero: the sides are sums of what there is, and no product. */
static void test_credit(void **state) {
  (void)state;
  DriftSide a = plain_side(0, 10, 2000), b = plain_side(1, 10, 2000);
  models[1][0][KIND_OF_FEES] = (DriftCell){1, {-3e9, -3e9, -3e9, -3e9}};
  b.nusd -= 3000000000;
  Drift d;
  assert_true(drift_split(&a, &b, MODELS, 0, &d));
  check_sum(&d, "credit");
  assert_true(of_driver(&d, DRIFT_FEES) == -3000000000);
}

static void test_log_mean(void **state) {
  (void)state;
  assert_true(drift_log_mean(7, 7) == 7 && drift_log_mean(0, 7) == 0 && drift_log_mean(7, 0) == 0);
  assert_true(fabs(drift_log_mean(2400, 200) - 2200 / log(12)) < 1e-9);
  assert_true(fabs(drift_log_mean(1 + 1e-12, 1) - 1) < 1e-11);
  for (double far = 10; far < 1e25; far *= 10) { /* in either order */
    double one_way = drift_log_mean(1, far), other_way = drift_log_mean(far, 1);
    check(fabs(one_way * log(far) / (far - 1) - 1) < 1e-12, "%g: %g", far, one_way);
    check(one_way == other_way, "%g: %g", far, other_way);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_log_mean),   cmocka_unit_test(test_published),
      cmocka_unit_test(test_alone),      cmocka_unit_test(test_migration),
      cmocka_unit_test(test_zeros),      cmocka_unit_test(test_credit),
      cmocka_unit_test(test_identities),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
