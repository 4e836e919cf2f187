/*
** What a limit is for, and how long it holds.
*/
#include "unit.h"

#include "core/budget/period.h"
#include "core/budget/scope.h"

#include <limits.h>
#include <stdio.h>

/* ---- scopes */

static BudgetScope scope_of(const char *text) {
  BudgetScope s;
  Err err = {0};
  check(scope_parse(text, &s, &err) == RC_OK, "%s: %s", text, err.msg);
  return s;
}

static int matches(const char *scope, const char *tag, const char *user, const char *model,
                   const char *provider) {
  BudgetScope s = scope_of(scope);
  BudgetNames names;
  BudgetValues v = scope_values(tag, user, model, provider, &names);
  return scope_matches(&s, &v);
}

static void scopes_match_what_they_name(void **state) {
  static const struct {
    const char *scope, *tag, *user, *model, *provider;
    int is;
  } cases[] = {
      {"*", NULL, NULL, NULL, NULL, 1},
      {"tag:a", "a", NULL, NULL, NULL, 1},
      {"tag:a", "A", NULL, NULL, NULL, 0},
      {"tag:a", NULL, "a", NULL, NULL, 0},
      {"tag:", "", NULL, NULL, NULL, 1},
      {"tag:", NULL, NULL, NULL, NULL, 0},
      {"tag:*", "", NULL, NULL, NULL, 1},
      {"tag:*", NULL, NULL, NULL, NULL, 0},
      {"tag:a b", "a b", NULL, NULL, NULL, 1},
      {"tag:a b*", "a bc", NULL, NULL, NULL, 1},
      {"tag:!x", "!x", NULL, NULL, NULL, 1},
      {"tag:?", "\xc3\xa9", NULL, NULL, NULL, 1},
      {"tag:[^a]", "b", NULL, NULL, NULL, 1},
      {"tag:[^a]", "a", NULL, NULL, NULL, 0},
      {"tag:x[&]y", "x&y", NULL, NULL, NULL, 1},
      {"tag:[a", "[a", NULL, NULL, NULL, 0},
      {"tag:a:b", "a:b", NULL, NULL, NULL, 1},
      {"tag:a & user:u", "a", "u", NULL, NULL, 1},
      {"tag:a & user:u", "a", "v", NULL, NULL, 0},
      {"user:u* & tag:a", "a", "u7", NULL, NULL, 1},
      {"model:gpt-4o-mini", NULL, NULL, "openai/GPT-4o-mini-2024-07-18", "x", 1},
      {"model:openai/gpt-4o", NULL, NULL, "gpt-4o", "openai", 1},
      {"model:gpt-4o", NULL, NULL, "gpt-4o-mini", "openai", 0},
      {"model:GPT-*", NULL, NULL, "gpt-4o", "openai", 1},
      {"provider:OpenAI", NULL, NULL, "gpt-4o", "openai", 1},
      {"provider:openai", NULL, NULL, "gpt-4o", "OpenAI", 1},
      {"provider:openai & model:gpt-4o & tag:t & user:u", "t", "u", "gpt-4o", "openai", 1},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    int is =
        matches(cases[i].scope, cases[i].tag, cases[i].user, cases[i].model, cases[i].provider);
    check(is == cases[i].is, "%s, case %zu: %d", cases[i].scope, i, is);
  }
}

static void what_is_no_scope_says_how_they_are_written(void **state) {
  static const char *const cases[] = {"",
                                      "all",
                                      "tag",
                                      "tag:a & ",
                                      "tag:a & *",
                                      "tag:a & tag:b",
                                      "Tag:a",
                                      " tag:a",
                                      "team:x",
                                      "* & tag:a",
                                      "tag:a &",
                                      "tag:a & user:b &",
                                      "tag:a&user:b & nonsense"};
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    BudgetScope s;
    Err err = {0};
    scope_parse(cases[i], &s, &err);
    check_error(&err, "config", "provider:x", cases[i]);
  }
  char longest[2 * BUDGET_SCOPE];
  memset(longest, 'x', sizeof longest);
  memcpy(longest, "tag:", 4);
  longest[sizeof longest - 1] = 0;
  BudgetScope s;
  Err err = {0};
  scope_parse(longest, &s, &err);
  check_error(&err, "config", "too long", "a long one");
}

static void a_value_is_told_as_a_scope(void **state) {
  BudgetNames names;
  char out[80], shortest[8];
  (void)state;
  BudgetValues v = scope_values("t", "u", "openai/gpt-4o", "OpenAI", &names);
  scope_describe(1u << BUDGET_TAG | 1u << BUDGET_MODEL, &v, out, sizeof out);
  assert_string_equal(out, "tag:t & model:gpt-4o");
  scope_describe(0, &v, out, sizeof out);
  assert_string_equal(out, "*");
  scope_describe(15, &v, shortest, sizeof shortest);
  assert_string_equal(shortest, "tag:t &");
}

/* ---- periods */

static Period period_of(const char *text) {
  Period p;
  Err err = {0};
  check(period_parse(text, &p, &err) == RC_OK, "%s: %s", text, err.msg);
  return p;
}

static Zone zone_of(const char *name) {
  Zone z;
  check(zone_parse(name, &z), "%s", name);
  return z;
}

/* A UTC time as Unix ms: "2026-11-28 21:00". */
static long long utc(const char *text) {
  int y, m, d, h, min;
  check(sscanf(text, "%d-%d-%d %d:%d", &y, &m, &d, &h, &min) == 5, "%s", text);
  y -= m <= 2;
  long long era = y / 400, yoe = y - era * 400,
            doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
  long long day = era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
  return ((day * 24 + h) * 60 + min) * 60000;
}

static void calendar_periods_are_those_of_the_zone(void **state) {
  static const struct {
    const char *period, *zone, *now, *from, *to;
  } cases[] = {
      {"day", "UTC", "2026-11-28 21:00", "2026-11-28 00:00", "2026-11-29 00:00"},
      {"hour", "UTC", "2026-11-28 21:59", "2026-11-28 21:00", "2026-11-28 22:00"},
      {"month", "UTC", "2026-12-31 23:59", "2026-12-01 00:00", "2027-01-01 00:00"},
      {"month", "UTC", "2028-02-29 12:00", "2028-02-01 00:00", "2028-03-01 00:00"},
      /* B08: until 00:00 there */
      {"day", "Asia/Tokyo", "2026-11-28 14:59", "2026-11-27 15:00", "2026-11-28 15:00"},
      {"day", "Asia/Tokyo", "2026-11-28 15:00", "2026-11-28 15:00", "2026-11-29 15:00"},
      {"day", "America/Los_Angeles", "2026-11-28 07:59", "2026-11-27 08:00", "2026-11-28 08:00"},
      {"day", "Pacific/Auckland", "2026-11-28 11:00", "2026-11-28 11:00", "2026-11-29 11:00"},
      /* I11: zones at :30 and :45 */
      {"day", "Asia/Kolkata", "2026-11-28 18:30", "2026-11-28 18:30", "2026-11-29 18:30"},
      {"day", "Asia/Kathmandu", "2026-11-28 18:14", "2026-11-27 18:15", "2026-11-28 18:15"},
      {"hour", "Asia/Kathmandu", "2026-11-28 18:14", "2026-11-28 17:15", "2026-11-28 18:15"},
      {"hour", "America/St_Johns", "2026-11-28 18:29", "2026-11-28 17:30", "2026-11-28 18:30"},
      /* days of 23 and of 25 hours */
      {"day", "Europe/Berlin", "2026-03-29 12:00", "2026-03-28 23:00", "2026-03-29 22:00"},
      {"day", "Europe/Berlin", "2026-10-25 12:00", "2026-10-24 22:00", "2026-10-25 23:00"},
      {"hour", "Europe/Berlin", "2026-10-25 00:30", "2026-10-25 00:00", "2026-10-25 02:00"},
      {"hour", "Europe/Berlin", "2026-10-25 01:30", "2026-10-25 00:00", "2026-10-25 02:00"},
      {"hour", "Europe/Berlin", "2026-03-29 01:30", "2026-03-29 01:00", "2026-03-29 02:00"},
      /* half an hour */
      {"hour", "Australia/Lord_Howe", "2026-04-04 15:10", "2026-04-04 14:00", "2026-04-04 15:30"},
      {"day", "Australia/Lord_Howe", "2026-04-04 15:10", "2026-04-04 13:00", "2026-04-05 13:30"},
      /* midnight that is left out: the day begins at one o'clock; one that is there twice: at the first */
      {"day", "America/Santiago", "2026-09-06 12:00", "2026-09-06 04:00", "2026-09-07 03:00"},
      {"day", "America/Havana", "2026-11-01 12:00", "2026-11-01 04:00", "2026-11-02 05:00"},
      /* clocks that go back from midnight to eleven: the day is over at the second midnight */
      {"day", "America/Santiago", "2026-04-05 03:30", "2026-04-04 03:00", "2026-04-05 04:00"},
      /* I12: Monday first, over months and years */
      {"week", "UTC", "2026-12-01 00:00", "2026-11-30 00:00", "2026-12-07 00:00"},
      {"week", "UTC", "2025-01-05 23:59", "2024-12-30 00:00", "2025-01-06 00:00"},
      {"week", "UTC", "2027-01-03 23:59", "2026-12-28 00:00", "2027-01-04 00:00"},
      {"week", "Asia/Tokyo", "2026-11-29 15:00", "2026-11-29 15:00", "2026-12-06 15:00"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Period p = period_of(cases[i].period);
    Zone z = zone_of(cases[i].zone);
    PeriodSpan s = period_at(&p, &z, utc(cases[i].now));
    check(s.from == utc(cases[i].from), "%s in %s at %s: from %+lld min", cases[i].period,
          cases[i].zone, cases[i].now, (s.from - utc(cases[i].from)) / 60000);
    check(s.to == utc(cases[i].to), "%s in %s at %s: to %+lld min", cases[i].period, cases[i].zone,
          cases[i].now, (s.to - utc(cases[i].to)) / 60000);
  }
}

/* Every moment is in one span, spans follow each other without a gap, in every zone. */
static void periods_tile_the_time(void **state) {
  static const char *const zones[] = {"UTC",
                                      "Asia/Kathmandu",
                                      "America/St_Johns",
                                      "Europe/Berlin",
                                      "Australia/Lord_Howe",
                                      "America/Santiago",
                                      "America/Havana",
                                      "Africa/Casablanca",
                                      "Pacific/Apia"};
  static const char *const periods[] = {"hour", "day", "week", "month"};
  (void)state;
  for (size_t z = 0; z < COUNT(zones); z++) {
    Zone zone = zone_of(zones[z]);
    for (size_t i = 0; i < COUNT(periods); i++) {
      Period p = period_of(periods[i]);
      PeriodSpan last = period_at(&p, &zone, utc("2026-01-01 00:00"));
      for (long long t = utc("2026-01-01 00:00"); t < utc("2027-02-01 00:00");
           t += PERIOD_QUARTER_MS) {
        PeriodSpan s = period_at(&p, &zone, t);
        check(s.from <= t && t < s.to, "%s in %s", periods[i], zones[z]);
        check(s.from == last.from ? s.to == last.to : s.from == last.to,
              "%s in %s at %lld: %lld, %lld behind %lld", periods[i], zones[z], t, s.from, s.to,
              last.to);
        last = s;
      }
    }
  }
}

static void rolling_periods_reach_back_by_quarters(void **state) {
  Zone z = zone_of("Asia/Tokyo");
  Period day = period_of("24h"), month = period_of("30d"), total = period_of("total"),
         since = period_of("total since 2026-11-01");
  (void)state;
  long long now = utc("2026-11-28 21:07");
  assert_int_equal(period_at(&day, &z, now).from, utc("2026-11-27 21:00"));
  assert_true(period_at(&day, &z, now).to == PERIOD_NEVER);
  assert_int_equal(period_at(&month, &z, now).from, utc("2026-10-29 21:00"));
  assert_int_equal(period_leaves(&day, utc("2026-11-27 21:00")), utc("2026-11-28 21:15"));
  assert_int_equal(period_at(&day, &z, utc("2026-11-28 21:15")).from, utc("2026-11-27 21:15"));
  assert_true(period_at(&total, &z, now).from == PERIOD_EVER);
  assert_int_equal(period_at(&since, &z, now).from, utc("2026-10-31 15:00"));
}

static void periods_have_one_spelling(void **state) {
  static const char *const cases[] = {"",
                                      " Day ",
                                      "Day",
                                      "daily",
                                      "1d",
                                      "24H",
                                      "0h",
                                      "-7d",
                                      "7",
                                      "1mo",
                                      "year",
                                      "30D",
                                      "day ",
                                      "total since",
                                      "total since 2026-02-30",
                                      "total since 2026-1-01",
                                      "total since 2026-11-01x"};
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    Period p;
    Err err = {0};
    period_parse(cases[i], &p, &err);
    check_error(&err, "config", "24h, 7d, 30d", cases[i]);
  }
}

static void a_projection_is_of_its_own_period(void **state) {
  Zone z = zone_of("UTC");
  Period week = period_of("week"), day = period_of("24h");
  long long all = -1;
  (void)state;
  PeriodSpan s = period_at(&week, &z, utc("2026-11-15 12:00"));
  assert_int_equal(period_project(s, utc("2026-11-15 12:00"), 650, &all), PROJECTED);
  assert_int_equal(all, 700); /* six and a half days of seven */
  assert_int_equal(period_project(s, s.from, 650, &all), TOO_EARLY);
  assert_int_equal(period_project(s, s.from + 59999, 650, &all), TOO_EARLY);
  assert_int_equal(period_project(period_at(&day, &z, s.from), s.from, 650, &all), NO_END);
  assert_int_equal(period_project(s, s.to - 1, PERIOD_NEVER, &all), PROJECTED);
  assert_true(all == PERIOD_NEVER);
}

static void a_moment_is_told_with_its_offset(void **state) {
  Zone tokyo = zone_of("Asia/Tokyo"), john = zone_of("America/St_Johns");
  char out[PERIOD_TEXT];
  (void)state;
  period_when(&tokyo, utc("2026-11-28 15:00"), out);
  assert_string_equal(out, "2026-11-29 00:00 +09:00");
  period_when(&john, utc("2026-11-28 15:00"), out);
  assert_string_equal(out, "2026-11-28 11:30 -03:30");
  period_when(&john, LLONG_MIN, out); /* (whatever anybody asks for) */
  period_when(&john, LLONG_MAX, out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(scopes_match_what_they_name),
      cmocka_unit_test(what_is_no_scope_says_how_they_are_written),
      cmocka_unit_test(a_value_is_told_as_a_scope),
      cmocka_unit_test(calendar_periods_are_those_of_the_zone),
      cmocka_unit_test(periods_tile_the_time),
      cmocka_unit_test(rolling_periods_reach_back_by_quarters),
      cmocka_unit_test(periods_have_one_spelling),
      cmocka_unit_test(a_projection_is_of_its_own_period),
      cmocka_unit_test(a_moment_is_told_with_its_offset),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
