/*
** See period.h for the contract.
*/
#include "core/budget/period.h"

#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

enum { HOUR = 3600, DAY = 86400, WEEK_DAYS = 7, SEARCHED = 26 * HOUR };

static const struct Kind {
  const char *word;
  int rolls;
  long long ms;
} kinds[PERIOD_N] = {
#define KIND(id, word, rolls, ms) {word, rolls, ms},
    BUDGET_PERIODS(KIND)
#undef KIND
};

/* ---- dates (Hinnant, "chrono-Compatible Low-Level Date Algorithms") */

static long long floor_div(long long a, long long b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

static long long day_of(long long y, int m, int d) {
  y -= m <= 2;
  long long era = floor_div(y, 400), yoe = y - era * 400;
  long long doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
  return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

typedef struct Date {
  long long y;
  int m, d;
} Date;

static Date date_of(long long day) {
  day += 719468;
  long long era = floor_div(day, 146097), doe = day - era * 146097;
  long long yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  long long doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
  int m = (int)(mp < 10 ? mp + 3 : mp - 9);
  return (Date){yoe + era * 400 + (m <= 2), m, (int)(doy - (153 * mp + 2) / 5 + 1)};
}

/* ---- reading */

/* "2026-11-01". 1, or 0. */
static int read_date(const char *text, long long *day) {
  int y, m, d, used = 0;
  if (strspn(text, "0123456789-") != 10 || sscanf(text, "%4d-%2d-%2d%n", &y, &m, &d, &used) != 3 ||
      used != 10 || text[10] || m < 1 || m > 12 || d < 1 || y < 1970) {
    return 0;
  }
  *day = day_of(y, m, d);
  Date back = date_of(*day);
  return back.m == m && back.d == d;
}

int period_parse(const char *text, Period *period, Err *err) {
  static const char since[] = "total since ";
  *period = (Period){0};
  for (int i = 0; i < PERIOD_N; i++) {
    if (strcmp(text, kinds[i].word) == 0) {
      period->kind = (PeriodKind)i;
      return RC_OK;
    }
  }
  if (strncmp(text, since, sizeof since - 1) == 0 &&
      read_date(text + sizeof since - 1, &period->since)) {
    period->kind = PERIOD_TOTAL;
    period->has_since = 1;
    return RC_OK;
  }
  char shown[40];
  utf8_copy(shown, sizeof shown, text);
  return err_set(err, RC_ERROR, ERR_CONFIG,
                 "llm_budgets: the period '%s' is none of hour, day, week, month (of the calendar),"
                 " 24h, 7d, 30d (rolling), total, total since YYYY-MM-DD",
                 shown);
}

/* ---- moments */

static long long offset_at(const Zone *zone, long long second) {
  return zone_offset(zone, second * 1000);
}

/* The moment at which clocks change between two that differ: the first second of the later offset. */
static long long change_between(const Zone *zone, long long low, long long high) {
  long long before = offset_at(zone, low);
  while (high - low > 1) {
    long long middle = low + (high - low) / 2;
    *(offset_at(zone, middle) == before ? &low : &high) = middle;
  }
  return high;
}

/* The moment from which on clocks there show `local` or later, whatever they do (seconds): of a time that is there twice
** the first, unless they had gone back before it; of one that is left out the change. */
static long long moment_of(const Zone *zone, long long local) {
  long long low = local - SEARCHED, high = local + SEARCHED;
  long long before = offset_at(zone, low), after = offset_at(zone, high);
  if (before == after) {
    return local - before;
  }
  long long change = change_between(zone, low, high);
  if (change + after < local) {
    return local - after;
  }
  return local - before < change ? local - before : change;
}

static long long floor_quarter(long long ms) {
  return floor_div(ms, PERIOD_QUARTER_MS) * PERIOD_QUARTER_MS;
}

/* The span between two local times, its beginning on a quarter. */
static PeriodSpan between(const Zone *zone, long long from, long long to) {
  return (PeriodSpan){floor_quarter(moment_of(zone, from) * 1000), moment_of(zone, to) * 1000};
}

static PeriodSpan month_of(const Zone *zone, long long day) {
  Date d = date_of(day);
  Date next = {d.y + (d.m == 12), d.m == 12 ? 1 : d.m + 1, 1};
  return between(zone, day_of(d.y, d.m, 1) * DAY, day_of(next.y, next.m, 1) * DAY);
}

static PeriodSpan hour_of(const Zone *zone, long long second, long long local) {
  long long hour = floor_div(local, HOUR);
  hour -= moment_of(zone, hour * HOUR) > second;
  return between(zone, hour * HOUR, (hour + 1) * HOUR);
}

/* What had begun when clocks went back before its beginning begins later, once more: until then it is the one before. */
static PeriodSpan calendar_at(PeriodKind kind, const Zone *zone, long long now) {
  long long second = floor_div(now, 1000), local = second + offset_at(zone, second);
  long long day = floor_div(local, DAY);
  day -= moment_of(zone, day * DAY) > second;
  long long monday = day - (((day + 3) % WEEK_DAYS) + WEEK_DAYS) % WEEK_DAYS;
  switch (kind) {
  case PERIOD_HOUR:
    return hour_of(zone, second, local);
  case PERIOD_WEEK:
    return between(zone, monday * DAY, (monday + WEEK_DAYS) * DAY);
  case PERIOD_MONTH:
    return month_of(zone, day);
  default:
    return between(zone, day * DAY, (day + 1) * DAY);
  }
}

PeriodSpan period_at(const Period *period, const Zone *zone, long long now) {
  if (period->kind == PERIOD_TOTAL) {
    long long since = period->has_since ? floor_quarter(moment_of(zone, period->since * DAY) * 1000)
                                        : PERIOD_EVER;
    return (PeriodSpan){since, PERIOD_NEVER};
  }
  if (kinds[period->kind].rolls) {
    return (PeriodSpan){floor_quarter(now - kinds[period->kind].ms), PERIOD_NEVER};
  }
  return calendar_at(period->kind, zone, now);
}

int period_rolls(const Period *period) {
  return kinds[period->kind].rolls;
}

long long period_leaves(const Period *period, long long start) {
  return start + PERIOD_QUARTER_MS + kinds[period->kind].ms;
}

void period_when(const Zone *zone, long long at_ms, char out[PERIOD_TEXT]) {
  long long second = floor_div(at_ms, 1000), offset = zone_offset(zone, at_ms);
  long long local = second + offset, day = floor_div(local, DAY), of_day = local - day * DAY;
  long long away = offset < 0 ? -offset : offset;
  Date d = date_of(day);
  snprintf(out, PERIOD_TEXT, "%04d-%02d-%02d %02d:%02d %c%02d:%02d", (int)(d.y % 10000), d.m, d.d,
           (int)(of_day / HOUR), (int)(of_day % HOUR / 60), offset < 0 ? '-' : '+',
           (int)(away / HOUR % 100), (int)(away % HOUR / 60));
}

Projection period_project(PeriodSpan span, long long now, long long spent, long long *projected) {
  enum { MINUTE_MS = 60000 };
  if (span.to == PERIOD_NEVER) {
    return NO_END;
  }
  long long whole = span.to - span.from, over = now - span.from;
  if (over < MINUTE_MS || over < whole / 100) {
    return TOO_EARLY;
  }
  __int128 all = (__int128)spent * whole / over;
  *projected = all > PERIOD_NEVER ? PERIOD_NEVER : (long long)all;
  return PROJECTED;
}
