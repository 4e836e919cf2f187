/*
** Periods in words: which moments they are, and which period comes before.
*/
#include "unit.h"

#include "base/text/decimal.h"
#include "core/audit/span.h"

#include <limits.h>
#include <stdio.h>

static long long moment(const char *text) {
  long long ms = 0;
  check(time_parse(text, &ms), "%s", text);
  return ms;
}

static void test_words(void **state) {
  (void)state;
  static const char now[] = "2026-11-29 12:30:00";
  static const struct {
    const char *text, *zone, *from, *to, *before, *until, *label;
  } cases[] = {
      {"last month", "UTC", "2026-10-01", "2026-11-01", "2026-09-01", "2026-10-01", "2026-10"},
      {"this month", "UTC", "2026-11-01", now, "2026-10-01", "2026-10-29 12:30:00",
       "2026-11 so far"},
      {"last week", "UTC", "2026-11-16", "2026-11-23", "2026-11-09", "2026-11-16", "2026-W47"},
      {"yesterday", "UTC", "2026-11-28", "2026-11-29", "2026-11-27", "2026-11-28", "2026-11-28"},
      {"today", "UTC", "2026-11-29", now, "2026-11-28", "2026-11-28 12:30:00", "2026-11-29 so far"},
      {"last 7 days", "UTC", "2026-11-22 12:30:00", now, "2026-11-15 12:30:00",
       "2026-11-22 12:30:00", "2026-11-22 12:30 \xE2\x80\x93 2026-11-29 12:30"},
      {"last year", "UTC", "2025-01-01", "2026-01-01", "2024-01-01", "2025-01-01", "2025"},
      {"2026-03", "UTC", "2026-03-01", "2026-04-01", "2026-02-01", "2026-03-01", "2026-03"},
      {"2026", "UTC", "2026-01-01", now, "2025-01-01", "2025-11-29 12:30:00", "2026 so far"},
      {"2026-11-04", "UTC", "2026-11-04", "2026-11-05", "2026-11-03", "2026-11-04", "2026-11-04"},
      {"2026-11-04 09", "UTC", "2026-11-04 09:00:00", "2026-11-04 10:00:00", "2026-11-04 08:00:00",
       "2026-11-04 09:00:00", "2026-11-04 09:00"},
      {"2026-W01", "UTC", "2025-12-29", "2026-01-05", "2025-12-22", "2025-12-29", "2026-W01"},
      {"2020-W53", "UTC", "2020-12-28", "2021-01-04", "2020-12-21", "2020-12-28", "2020-W53"},
      {"2026-10", "+02:00", "2026-09-30 22:00:00", "2026-10-31 22:00:00", "2026-08-31 22:00:00",
       "2026-09-30 22:00:00", "2026-10"},
      /* the clocks were set back on 25 October: a day of 25 hours */
      {"2026-10-25", "Europe/Berlin", "2026-10-24 22:00:00", "2026-10-25 23:00:00",
       "2026-10-23 22:00:00", "2026-10-24 22:00:00", "2026-10-25"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    Zone zone = {0};
    Err err = {0};
    NamedSpan is, before;
    check(zone_parse(cases[i].zone, &zone), "%s", cases[i].zone);
    span_parse(cases[i].text, &zone, moment(now), &is, &before, &err);
    check(err.rc == RC_OK, "%s: %s", cases[i].text, err.msg);
    check(is.span.from == moment(cases[i].from), "%s: from %lld", cases[i].text, is.span.from);
    check(is.span.to == moment(cases[i].to), "%s: to %lld", cases[i].text, is.span.to);
    check(before.span.from == moment(cases[i].before), "%s: before %lld", cases[i].text,
          before.span.from);
    check(before.span.to == moment(cases[i].until), "%s: until %lld", cases[i].text,
          before.span.to);
    check(strcmp(is.label, cases[i].label) == 0, "%s: '%s'", cases[i].text, is.label);
    /* What is not over is compared with a part of one that is. */
    check((strstr(is.label, " so far") != NULL) ==
              (strncmp(before.label, "as much of 20", 13) == 0),
          "%s: '%s'", cases[i].text, before.label);
    check(!strstr(before.label, "so far"), "%s: '%s'", cases[i].text, before.label);
  }
}

static void test_none(void **state) {
  (void)state;
  static const char *const cases[] = {
      "",         "month",    "last",     "last moon", "last 0 days",  "2026-13",
      "2026-W54", "2026-W00", "2025-W53", "tomorrow",  "last 7 days ", "next month"};
  for (size_t i = 0; i < COUNT(cases); i++) {
    Zone zone = {0};
    Err err = {0};
    NamedSpan is;
    span_parse(cases[i], &zone, moment("2026-11-29"), &is, NULL, &err);
    check_error(&err, "bad_argument", "is no period: expected 'last month'", cases[i]);
  }
}

static void test_dates(void **state) {
  static const struct Case {
    const char *zone;
    long long at;
    const char *date;
  } cases[] = {
      {"UTC", 0, "1970-01-01"},
      {"-01:00", 0, "1969-12-31"},
      {"UTC", -1, ""},
      {"UTC", 1795823999999, "2026-11-27"},
      {"UTC", 1795824000000, "2026-11-28"},
      {"+00:30", 1795823999999, "2026-11-28"},
      {"UTC", 253402300799999, "9999-12-31"},
      {"UTC", 253402300800000, ""},
      {"UTC", LLONG_MAX, ""},
      {"UTC", LLONG_MIN, ""},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    char date[SPAN_DATE] = "before";
    Zone zone;
    assert_true(zone_parse(cases[i].zone, &zone));
    span_date(&zone, cases[i].at, date);
    check(strcmp(date, cases[i].date) == 0, "%s %lld: %s", cases[i].zone, cases[i].at, date);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_words), cmocka_unit_test(test_none),
                                     cmocka_unit_test(test_dates)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
