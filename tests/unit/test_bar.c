/*
** The line of a run's progress.
*/
#include "unit.h"

#include "core/pace/bar.h"

#include <limits.h>
#include <math.h>

static void test_lines(void **state) {
  (void)state;
  static const struct {
    Bar bar;
    int width;
    const char *expected;
  } cases[] = {
      {{420, 1000, 210, 3, 35000, 120000000, 300000000, PACE_TOKENS, 34000},
       200,
       "420 of 1,000 rows (42 %), 12 rows/s, 48 s left, 3 errors, 210 cached, $0.12 of about "
       "$0.30, waiting for tokens 34 s"},
      /* Narrower and narrower: what is left out last is why nothing moves. */
      {{420, 1000, 210, 3, 35000, 120000000, 300000000, PACE_TOKENS, 34000},
       100,
       "420 of 1,000 rows (42 %), 48 s left, 3 errors, $0.12 of about $0.30, waiting for tokens 34 "
       "s"},
      {{420, 1000, 210, 3, 35000, 120000000, 300000000, PACE_TOKENS, 34000},
       80,
       "420 of 1,000 rows (42 %), 3 errors, waiting for tokens 34 s"},
      {{420, 1000, 210, 3, 35000, 120000000, 300000000, PACE_TOKENS, 34000},
       50,
       "420 of 1,000 rows (42 %), waiting for tokens 34 s"},
      {{420, 1000, 210, 3, 35000, 120000000, 300000000, PACE_TOKENS, 34000},
       48,
       "420 of 1,000 rows (42 %)"},
      {{420, 1000, 210, 3, 35000, 120000000, 300000000, PACE_TOKENS, 34000}, 5, "420 o"},
      {{420, 1000, 210, 3, 35000, 120000000, 300000000, PACE_TOKENS, 34000}, 0, ""},
      {{420, 1000, 210, 3, 35000, 120000000, 300000000, PACE_TOKENS, 34000}, -1, ""},
      /* What is not known is not said. */
      {{.total = -1, .expected_nusd = -1}, 200, "0 rows"},
      {{.done = 1, .total = -1, .elapsed_ms = 500, .expected_nusd = -1}, 200, "1 row, 2.0 rows/s"},
      {{.total = 0, .expected_nusd = -1}, 200, "0 of 0 rows"},
      {{.done = 5, .total = 10, .hits = 5, .expected_nusd = -1},
       200,
       "5 of 10 rows (50 %), 5 cached"},
      {{.total = 10, .elapsed_ms = 90000, .expected_nusd = 0},
       200,
       "0 of 10 rows (0 %), $0.00 of about $0.00"},
      {{.done = 10, .total = 10, .elapsed_ms = 100, .errors = 1, .expected_nusd = -1},
       200,
       "10 of 10 rows (100 %), 100 rows/s, 1 error"},
      {{.done = 9999999,
        .total = 10000000,
        .elapsed_ms = 1000000,
        .spent_nusd = 12345,
        .expected_nusd = -1},
       200,
       "9,999,999 of 10,000,000 rows (99 %), 10000 rows/s, 0 s left, $0.000012"},
      {{.done = 12, .total = 10, .elapsed_ms = 1000, .expected_nusd = -1},
       200,
       "12 of 10 rows (100 %), 12 rows/s"},
      /* Slow ones; long ones. */
      {{.done = 1,
        .total = 3,
        .elapsed_ms = 10000,
        .spent_nusd = 2500000,
        .expected_nusd = 7500000},
       200,
       "1 of 3 rows (33 %), 6 rows/min, 20 s left, $0.0025 of about $0.0075"},
      {{.done = 1, .total = 100, .elapsed_ms = 100000, .expected_nusd = -1},
       200,
       "1 of 100 rows (1 %), 36 rows/h, 2 h 45 min left"},
      {{.done = 1, .total = 1000, .elapsed_ms = 1000000, .expected_nusd = -1},
       200,
       "1 of 1,000 rows (0 %), 4 rows/h, 11 d 13 h left"},
      {{.done = 10, .total = 100, .elapsed_ms = 10000, .expected_nusd = -1},
       200,
       "10 of 100 rows (10 %), 1.0 rows/s, 1 min 30 s left"},
      /* A moment's wait, and one for others to end, is how it goes. */
      {{.total = -1, .expected_nusd = -1, .why = PACE_REQUESTS, .wait_ms = 1999}, 200, "0 rows"},
      {{.total = -1, .expected_nusd = -1, .why = PACE_CONCURRENCY, .wait_ms = 60000},
       200,
       "0 rows"},
      {{.total = -1, .expected_nusd = -1, .why = PACE_FREE, .wait_ms = 60000}, 200, "0 rows"},
      {{.total = -1, .expected_nusd = -1, .why = PACE_REQUESTS, .wait_ms = 2000},
       200,
       "0 rows, waiting for requests 2 s"},
      {{.total = -1, .expected_nusd = -1, .why = PACE_PAUSE, .wait_ms = 60000},
       200,
       "0 rows, paused by the provider 1 min 0 s"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    char out[BAR_BYTES];
    size_t n = bar_line(&cases[i].bar, cases[i].width, out);
    check(strcmp(out, cases[i].expected) == 0 && n == strlen(out), "'%s', expected '%s'", out,
          cases[i].expected);
  }
}

/* Numbers of any size, in one line of any width. */
static void test_bounds(void **state) {
  (void)state;
  static const long long numbers[] = {LLONG_MAX, LLONG_MIN, 0, 1, -1, 1000000000000};
  for (size_t i = 0; i < COUNT(numbers) * COUNT(numbers); i++) {
    long long a = numbers[i / COUNT(numbers)], b = numbers[i % COUNT(numbers)];
    const Bar bar = {a, b, b, a, b, a, b, PACE_PAUSE, a};
    for (int width = 0; width < 300; width++) {
      char out[BAR_BYTES];
      size_t n = bar_line(&bar, width, out);
      check(n <= (size_t)width && n < BAR_BYTES && strlen(out) == n && !strpbrk(out, "\r\n"), "%s",
            out);
    }
  }
}

static void test_unknown(void **state) {
  (void)state;
  const Bar none = {.total = 10}, at_once = {.done = 5, .total = 10},
            open = {.done = 5, .total = -1, .elapsed_ms = 10};
  assert_true(isnan(bar_rate(&none)) && isnan(bar_rate(&at_once)) && bar_rate(&open) > 0);
  assert_true(bar_left_ms(&none) == -1 && bar_left_ms(&at_once) == -1 && bar_left_ms(&open) == -1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_lines),
      cmocka_unit_test(test_bounds),
      cmocka_unit_test(test_unknown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
