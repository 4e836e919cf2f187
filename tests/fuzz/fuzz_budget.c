/*
** Limits: a scope, a period, a time zone, and the tag, user, model and provider of a call, parted by NULs; behind a moment of
** eight bytes.
**
** Holds: a scope that is read matches the very values that it names where none of them is a GLOB; a moment is in its period, and the
** next period begins where it ends; a projection is no less than what is spent.
*/
#include "fuzz.h"

#include "base/text/glob.h"
#include "core/budget/period.h"
#include "core/budget/scope.h"

static void check_scope(const char *text, const char *const call[4]) {
  static BudgetScope scope;
  Err err = {0};
  BudgetNames names;
  char told[64];
  BudgetValues v = scope_values(call[0], call[1], call[2], call[3], &names);
  require(scope_same(BUDGET_SETS - 1, &v, &v));
  scope_describe(BUDGET_SETS - 1, &v, told, sizeof told);
  if (scope_parse(text, &scope, &err) == RC_OK) {
    int matches = scope_matches(&scope, &v);
    require(scope.set || matches);
    BudgetValues own = {.text = {NULL}};
    for (int i = 0; i < BUDGET_N; i++) {
      own.text[i] = scope.set >> i & 1 ? scope.text + scope.at[i] : NULL;
    }
    require(scope.globs || scope_matches(&scope, &own));
  }
  check_err(&err);
}

static void check_period(const char *text, const char *name, long long now) {
  Period p;
  Zone zone;
  Err err = {0};
  char when[PERIOD_TEXT];
  long long all = 0;
  if (period_parse(text, &p, &err) == RC_OK && zone_parse(name, &zone)) {
    PeriodSpan s = period_at(&p, &zone, now);
    require(p.has_since || s.from <= now);
    require(now < s.to);
    if (s.to != PERIOD_NEVER) {
      require(s.to - s.from < 40 * 86400000LL);
      PeriodSpan next = period_at(&p, &zone, s.to);
      require(next.from <= s.to && s.to - next.from < PERIOD_QUARTER_MS);
    }
    require(period_project(s, now, 1000, &all) != PROJECTED || all >= 1000);
    period_when(&zone, now, when);
  }
  check_err(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  enum { TEXTS = 7, YEARS = 200 };
  Input in = {data, size};
  char *text[TEXTS];
  unsigned long long at = 0;
  size_t n;
  for (int i = 0; i < 8; i++) {
    at = at << 8 | take_byte(&in);
  }
  for (int i = 0; i < TEXTS; i++) {
    text[i] = take_text(&in, &n);
  }
  const char *const call[] = {text[3], text[4], text[5], text[6]};
  check_scope(text[0], call);
  check_period(text[1], text[2], (long long)(at % (YEARS * 31556952000ULL)));
  require(glob_matches("*", text[3]));
  glob_matches(text[0], text[3]);
  for (int i = 0; i < TEXTS; i++) {
    free(text[i]);
  }
  return 0;
}
