/*
** The arithmetic of saving: steps, break-evens, tuning.
*/
#include "unit.h"

#include "core/audit/economics.h"

#include <math.h>

enum { MOST_STEPS = 4 };

static int is_near(double a, double b) {
  return (isnan(a) && isnan(b)) || fabs(a - b) <= 1e-9 * fmax(1, fabs(b));
}

/* ---- steps */

static const struct {
  const char *name;
  double saves, share, factor;
} factors[] = {
    {"a share of all", 0.3, 1, 0.7},
    {"the rest has no tail of digits", 0.7, 1, 0.3},
    {"half of 40 % of the traffic", 0.5, 0.4, 0.8},
    {"nothing", 0, 1, 1},
    {"everything", 1, 1, 0},
    {"of no traffic", 0.9, 0, 1},
    {"it costs more", -0.25, 1, 1.25},
    {"twice as much, of half", -1, 0.5, 1.5},
    {"a thousand times", -999, 1, 1000},
};

static void test_factors(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(factors); i++) {
    double factor = economics_factor(factors[i].saves, factors[i].share);
    check(factor == factors[i].factor, "%s: %.17g", factors[i].name, factor);
  }
  check(economics_both(0.7, 0.3) == 0.21, "%.17g", economics_both(0.7, 0.3));
}

static void test_steps_follow_each_other(void **state) {
  (void)state;
  static const double saves[MOST_STEPS] = {0.3, 0.7, 0.4, 0.2};
  static const long long left[MOST_STEPS] = {7000, 2100, 1260, 1008};
  long long nusd = 10000000000000;
  double kept = 1;
  for (int i = 0; i < MOST_STEPS; i++) {
    double factor = economics_factor(saves[i], 1);
    kept = economics_both(kept, factor);
    check(economics_apply(nusd, factor, &nusd), "step %d", i);
    check(nusd == left[i] * 1000000000, "step %d: %lld", i, nusd);
  }
  check(kept == 0.1008, "%.17g", kept);
}

static void test_money_is_whole(void **state) {
  (void)state;
  long long nusd = 0;
  check(economics_apply(5, 0.5, &nusd) && nusd == 3, "half away from 0: %lld", nusd);
  check(economics_apply(0, 0.5, &nusd) && nusd == 0, "%lld", nusd);
  check(!economics_apply(9000000000000000000, 1000, &nusd) && nusd == 0, "too large: %lld", nusd);
  check(!economics_apply(1, (double)NAN, &nusd), "no factor");
}

/* ---- break-evens */

static const struct {
  const char *name;
  double fixed, each, calls;
} break_evens[] = {
    {"a GPU against $0.025", 2000, 0.025, 80000},
    {"owned hardware", 4500, 0.025, 180000},
    {"tuning against few-shot, low", 50, 0.0006, 83333.3333333333},
    {"tuning against few-shot, high", 200, 0.0006, 333333.333333333},
    {"tuning against the large model", 200, 0.0241, 8298.75518672199},
    {"nothing to pay back", 0, 0.1, 0},
    {"nothing saved", 10, 0, NAN},
    {"it costs more", 10, -1, NAN},
    {"nothing for nothing", 0, 0, NAN},
};

static void test_break_even(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(break_evens); i++) {
    double calls = economics_break_even(break_evens[i].fixed, break_evens[i].each);
    check(is_near(calls, break_evens[i].calls), "%s: %.12g", break_evens[i].name, calls);
  }
}

static void test_instances(void **state) {
  (void)state;
  check(economics_instances(0, 100) == 1, "one without a request");
  check(economics_instances(100, 100) == 1, "full");
  check(economics_instances(101, 100) == 2, "one more");
  check(economics_instances(1e7, 4e6) == 3, "the note's third column");
  check(economics_instances(1e15, (double)INFINITY) == 1, "no capacity said");
}

static const struct {
  const char *name;
  HostingCase of;
  double requests;
} hostings[] = {
    {"one instance is enough", {0.025, 2000, 0, 4e6}, 80000},
    {"with operations", {0.025, 2000, 3000, 4e6}, 200000},
    {"no capacity said", {0.025, 2000, 3000, INFINITY}, 200000},
    {"full when it breaks even", {1, 100, 0, 100}, 100},
    {"an instance never serves enough", {1, 100, 0, 99}, NAN},
    {"operations need several instances", {1, 60, 100, 100}, 280}, /* 3 x 60 + 100 */
    {"a full one saves nothing towards operations", {1, 100, 1, 100}, NAN},
    {"a request costs more here", {-0.001, 100, 0, 1000}, NAN},
    {"nothing fixed", {0.1, 0, 0, INFINITY}, 0},
};

static void test_hosting(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(hostings); i++) {
    double requests = economics_hosting_break_even(&hostings[i].of);
    check(is_near(requests, hostings[i].requests), "%s: %.12g", hostings[i].name, requests);
  }
}

/* What a month of n requests saves. */
static double saved(const HostingCase *h, double n) {
  return n * h->saved_each - economics_instances(n, h->capacity) * h->fixed - h->ops;
}

/* Against counting: whole numbers, so that nothing is rounded. */
static void test_hosting_by_counting(void **state) {
  (void)state;
  enum { MOST_REQUESTS = 3000 };
  for (int seed = 0; seed < 3000; seed++) {
    HostingCase h = {1 + seed % 3, 5 * (1 + seed / 3 % 10), 20 * (seed / 30 % 10),
                     7 + seed / 300 * 5};
    double requests = economics_hosting_break_even(&h);
    int first = 0;
    while (first <= MOST_REQUESTS && saved(&h, first) < 0) {
      first++;
    }
    check(first > MOST_REQUESTS ? isnan(requests) || requests > MOST_REQUESTS
                                : ceil(requests) == first,
          "saved %g, fixed %g, ops %g, capacity %g: %g, counted %d", h.saved_each, h.fixed, h.ops,
          h.capacity, requests, first);
  }
}

/* ---- tuning */

static const struct {
  const char *name;
  TuningCase of;
  unsigned reasons;
  EconomicsVerdict verdict;
} tunings[] = {
    {"all is well", {0.01, 3, 12, 500, 1}, 0, ECONOMICS_YES},
    {"just in time", {0.01, 12, 12, 5000, 1}, 0, ECONOMICS_YES},
    {"one example short", {0.01, 3, 12, 499, 1}, TUNING_FEW_EXAMPLES, ECONOMICS_NO},
    {"no example", {0.01, 3, 12, 0, 1}, TUNING_FEW_EXAMPLES, ECONOMICS_NO},
    {"it changes weekly", {0.01, 3, 12, 500, 0}, TUNING_UNSTABLE, ECONOMICS_NO},
    {"too little volume", {0.01, 12.1, 12, 500, 1}, TUNING_SLOW, ECONOMICS_NO},
    {"no volume", {0.01, NAN, 12, 500, 1}, TUNING_SLOW, ECONOMICS_NO},
    {"it saves nothing", {0, NAN, 12, 500, 1}, TUNING_SAVES_NOTHING, ECONOMICS_NEVER},
    {"it costs more, and all else",
     {-1, NAN, 12, 1, 0},
     TUNING_SAVES_NOTHING | TUNING_FEW_EXAMPLES | TUNING_UNSTABLE,
     ECONOMICS_NEVER},
    {"not said",
     {0.01, 3, 12, -1, -1},
     TUNING_EXAMPLES_UNSAID | TUNING_STABLE_UNSAID,
     ECONOMICS_DEPENDS},
    {"not said, but too slow",
     {0.01, 13, 12, -1, 1},
     TUNING_SLOW | TUNING_EXAMPLES_UNSAID,
     ECONOMICS_NO},
};

static void test_tuning(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(tunings); i++) {
    unsigned reasons = economics_tuning_reasons(&tunings[i].of);
    check(reasons == tunings[i].reasons, "%s: reasons %u", tunings[i].name, reasons);
    EconomicsVerdict verdict = economics_tuning_verdict(reasons);
    check(verdict == tunings[i].verdict, "%s: %s", tunings[i].name, economics_word(verdict));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_factors),
      cmocka_unit_test(test_steps_follow_each_other),
      cmocka_unit_test(test_money_is_whole),
      cmocka_unit_test(test_break_even),
      cmocka_unit_test(test_instances),
      cmocka_unit_test(test_hosting),
      cmocka_unit_test(test_hosting_by_counting),
      cmocka_unit_test(test_tuning),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
