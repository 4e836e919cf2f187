/*
** Whether a prefix is worth being kept: core/price/keeping.h.
*/
#include "unit.h"

#include "core/price/keeping.h"

#include <math.h>

/* As the formula has it. */
static void test_share(void **state) {
  (void)state;
  static const struct {
    int read, n;
    double least;
  } cases[] = {{0, 0, 0.0000}, {0, 10, 0.0000}, {1, 1, 0.1310},   {2, 2, 0.2316}, {5, 5, 0.4297},
               {8, 8, 0.5466}, {5, 10, 0.1842}, {50, 50, 0.8828}, {1, 50, 0.0024}};
  for (size_t i = 0; i < COUNT(cases); i++) {
    double share = keeping_share(cases[i].read, cases[i].n);
    check(fabs(share - cases[i].least) < 5e-5, "%d of %d: %.6f", cases[i].read, cases[i].n, share);
  }
}

#define ALWAYS(n)                                                                                  \
  {                                                                                                \
    {n, n}, {n, n}, 0, 0, {                                                                        \
      0, 0                                                                                         \
    }                                                                                              \
  }
#define NEVER(n)                                                                                   \
  {                                                                                                \
    {n, n}, {0, 0}, 0, 0, {                                                                        \
      0, 0                                                                                         \
    }                                                                                              \
  }
#define WITHIN_AN_HOUR(n)                                                                          \
  {                                                                                                \
    {n, n}, {0, n}, 0, 0, {                                                                        \
      0, 0                                                                                         \
    }                                                                                              \
  }
#define FOUND(n, marked, found)                                                                    \
  {                                                                                                \
    {n, n}, {n, n}, marked, found, {                                                               \
      0, 0                                                                                         \
    }                                                                                              \
  }

static void test_choice(void **state) {
  (void)state;
  static const KeepPrices claude = {1, 0.1, {1.25, 2}}, free_write = {1, 0.5, {1, -1}},
                          unknown = {-1, 0.1, {1.25, 2}}, unsold = {1, 0.1, {-1, -1}};
  static const struct {
    const char *name;
    const KeepPrices *prices;
    KeepPlace places[2];
    int n;
    unsigned marks;
    KeepLife life;
  } cases[] = {
      {"once is luck", &claude, {{1, 1000, ALWAYS(1)}}, 1, 0, KEEP_5M},
      {"twice is more", &claude, {{1, 1000, ALWAYS(2)}}, 1, 1, KEEP_5M},
      {"nothing was ever asked again", &claude, {{1, 1000, NEVER(50)}}, 1, 0, KEEP_5M},
      {"nobody knows", &claude, {{1, 1000, {{0, 0}, {0, 0}, 0, 0, {0, 0}}}}, 1, 0, KEEP_5M},
      {"the hour is dearer: seven times are too few",
       &claude,
       {{1, 1000, WITHIN_AN_HOUR(7)}},
       1,
       0,
       KEEP_5M},
      {"eight are enough", &claude, {{1, 1000, WITHIN_AN_HOUR(8)}}, 1, 1, KEEP_1H},
      {"the shorter life where it does", &claude, {{1, 1000, ALWAYS(50)}}, 1, 1, KEEP_5M},
      {"each place for itself",
       &claude,
       {{1, 9000, ALWAYS(20)}, {4, 50, NEVER(20)}},
       2,
       1,
       KEEP_5M},
      {"one life for both",
       &claude,
       {{1, 9000, WITHIN_AN_HOUR(30)}, {4, 50, ALWAYS(30)}},
       2,
       5,
       KEEP_1H},
      {"in vain once", &claude, {{1, 1000, FOUND(50, 1, 0)}}, 1, 0, KEEP_5M},
      {"in vain once, found since", &claude, {{1, 1000, FOUND(50, 2, 1)}}, 1, 1, KEEP_5M},
      {"found mostly", &claude, {{1, 1000, FOUND(50, 40, 38)}}, 1, 1, KEEP_5M},
      {"writing is free",
       &free_write,
       {{1, 1000, {{30, 30}, {1, 1}, 0, 0, {0, 0}}}},
       1,
       1,
       KEEP_5M},
      {"it is there, whatever comes behind",
       &claude,
       {{1, 1000, {{9, 9}, {0, 0}, 3, 3, {1, 0}}}},
       1,
       1,
       KEEP_5M},
      {"it is there, and was never found",
       &claude,
       {{1, 1000, {{9, 9}, {0, 0}, 3, 0, {1, 0}}}},
       1,
       0,
       KEEP_5M},
      {"no price", &unknown, {{1, 1000, ALWAYS(50)}}, 1, 0, KEEP_5M},
      {"not sold", &unsold, {{1, 1000, ALWAYS(50)}}, 1, 0, KEEP_5M},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    KeepLife life = KEEP_5M;
    unsigned marks = keeping_choose(cases[i].prices, cases[i].places, cases[i].n, &life);
    check(marks == cases[i].marks && life == cases[i].life, "%s: %u %d", cases[i].name, marks,
          life);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_share), cmocka_unit_test(test_choice)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
