/*
** See period.h for the contract.
*/
#include "core/report/period.h"

#include "base/text/spec.h"

#include <stdio.h>
#include <string.h>

enum { SECOND_MS = 1000, DAY_S = 86400, QUARTER_MS = 900000, USUAL_DAYS = 30 };

static const long long day_ms = (long long)DAY_S * SECOND_MS;

/* Smaller numbers of milliseconds are taken for seconds, where times are options. */
#define FIRST_MS 100000000000LL

static long long floor_to(long long x, long long step) {
  return x - ((x % step) + step) % step;
}

/* When the day of a moment began there, and when the one `days` later (earlier: below 0) began. */
static long long day_from(const Zone *zone, long long at, long long days) {
  long long local = floor_to(at, SECOND_MS) / SECOND_MS + zone_offset(zone, at);
  return span_moment(zone, floor_to(local, DAY_S) + days * DAY_S);
}

static long long quarter_after(long long at) {
  return floor_to(at + QUARTER_MS - 1, QUARTER_MS);
}

/* How many days there are between the beginnings of two; clocks may have changed. */
static long long days_between(long long from, long long to) {
  return (to - from + day_ms / 2) / day_ms;
}

void report_label(const Zone *zone, long long at, char out[REPORT_LABEL]) {
  char text[PERIOD_TEXT];
  period_when(zone, at, text);
  snprintf(out, REPORT_LABEL, "%.16s", text);
}

/* Days up to a moment, and as many before them. */
static void take_days(const Zone *zone, long long from, long long to, ReportPeriod *p) {
  long long n = days_between(from, day_from(zone, to - 1, 1));
  p->is = (PeriodSpan){from, to};
  p->before.from = day_from(zone, from, -n);
  p->before.to = from;
}

/* What a calendar names, or words that count back from now. */
static int take_words(const ReportSpan *ask, const Zone *zone, ReportPeriod *p, Err *err) {
  NamedSpan is, before;
  if (span_parse(ask->words, zone, p->now, &is, &before, err) != RC_OK) {
    return err->rc;
  }
  if (day_from(zone, is.span.from, 0) == is.span.from) {
    p->is = is.span;
    p->before = before.span;
    memcpy(p->label, is.label, sizeof p->label);
    memcpy(p->before_label, before.label, sizeof p->before_label);
    p->is_named = is.span.to < p->now;
  } else {
    long long n = (is.span.to - is.span.from + day_ms - 1) / day_ms;
    take_days(zone, day_from(zone, is.span.to - 1, 1 - n), is.span.to, p);
  }
  return RC_OK;
}

static int take_moments(const ReportSpan *ask, const Zone *zone, ReportPeriod *p, Err *err) {
  long long to = ask->to == SPEC_NO_TIME || ask->to > p->now ? p->now : ask->to;
  long long from = ask->from == SPEC_NO_TIME ? day_from(zone, to - 1, 1 - USUAL_DAYS) : ask->from;
  if (from >= to) {
    return err_set(
        err, RC_ERROR, ERR_BAD_ARGUMENT,
        "the period ends before it begins ('from' is not before 'until', or has not come)");
  }
  take_days(zone, day_from(zone, from, 0), to, p);
  return RC_OK;
}

/* Thirty days up to now; where nothing happened in them, up to the end of the last day with anything. */
static void take_usual(const ReportSpan *ask, const Zone *zone, ReportPeriod *p) {
  long long from = day_from(zone, p->now, 1 - USUAL_DAYS), to = p->now;
  if (ask->newest != SPEC_NO_TIME && ask->newest < from) {
    to = day_from(zone, ask->newest, 1);
    from = day_from(zone, ask->newest, 1 - USUAL_DAYS);
  }
  take_days(zone, from, to, p);
}

/* The end is that of a quarter, and as much of the period before is what it is compared with. */
static void end_it(const Zone *zone, ReportPeriod *p) {
  p->is_over = p->is.to < p->now;
  p->is.to = quarter_after(p->is.to);
  if (!p->is_over) {
    long long end = p->before.from + (p->is.to - p->is.from);
    p->before.to = end < p->is.from ? end : p->is.from;
  }
  if (!p->label[0]) {
    long long end = day_from(zone, p->is.to - 1, 1);
    memcpy(p->label, span_between(zone, p->is.from, end).label, sizeof p->label);
    memcpy(p->before_label, span_between(zone, p->before.from, p->before.to).label,
           sizeof p->before_label);
  }
}

int report_period(const ReportSpan *ask, const Zone *zone, long long now, ReportPeriod *p,
                  Err *err) {
  const Period month = {.kind = PERIOD_MONTH};
  *p = (ReportPeriod){.now = now, .month = period_at(&month, zone, now)};
  int has_moments = ask->from != SPEC_NO_TIME || ask->to != SPEC_NO_TIME;
  if (ask->words[0] && has_moments) {
    return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "give 'period', or 'from' and 'until'");
  }
  if (ask->words[0] ? take_words(ask, zone, p, err) != RC_OK
                    : has_moments && take_moments(ask, zone, p, err) != RC_OK) {
    return err->rc;
  }
  if (!ask->words[0] && !has_moments) {
    take_usual(ask, zone, p);
  }
  if (p->is.from < FIRST_MS || p->is.from > now) {
    return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "%s",
                   p->is.from > now ? "the period has not begun"
                                    : "a report begins in 1974 at the earliest");
  }
  end_it(zone, p);
  p->days = (int)days_between(p->is.from, day_from(zone, p->is.to - 1, 1));
  return p->days <= REPORT_MOST_DAYS
             ? RC_OK
             : err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
                       "a report covers %d days at most: give a shorter period",
                       (int)REPORT_MOST_DAYS);
}

/* ---- its months and weeks */

enum { WEEKS_DAYS = 62, WEEK = 7, THURSDAY = 3 /* 1970-01-01, counted from Monday */ };

/* Adds one, clipped to the period and to what is over. */
static int add_range(const ReportPeriod *p, const Zone *zone, PeriodSpan shown, ReportRange out[],
                     int n) {
  long long over = p->is_over ? p->is.to : day_from(zone, p->now, 0);
  PeriodSpan inside = {shown.from > p->is.from ? shown.from : p->is.from,
                       shown.to < p->is.to ? shown.to : p->is.to};
  long long to = inside.to < over ? inside.to : over;
  int is_whole = inside.from == p->is.from && inside.to == p->is.to;
  if (n == REPORT_RANGES || inside.from >= to || is_whole) {
    return n;
  }
  long long days = days_between(inside.from, to);
  out[n] =
      (ReportRange){inside, {inside.from, to}, {day_from(zone, inside.from, -days), inside.from}};
  return n + 1;
}

/* How many days a moment is behind the Monday there. */
static long long days_of_week(const Zone *zone, long long at) {
  long long local = floor_to(at, SECOND_MS) / SECOND_MS + zone_offset(zone, at);
  return (floor_to(local, DAY_S) / DAY_S + THURSDAY) % WEEK;
}

int report_ranges(const ReportPeriod *p, const Zone *zone, ReportRange out[REPORT_RANGES]) {
  const Period month = {.kind = PERIOD_MONTH};
  long long last = day_from(zone, p->is_over ? p->is.to - 1 : p->now, 1);
  int n = add_range(p, zone, (PeriodSpan){day_from(zone, last - 1, 1 - WEEK), last}, out, 0);
  for (long long at = p->is.from; at < p->is.to;) {
    PeriodSpan span = period_at(&month, zone, at);
    n = add_range(p, zone, span, out, n);
    at = span.to;
  }
  for (long long at = p->is.from; at < p->is.to && p->days <= WEEKS_DAYS;) {
    long long from = day_from(zone, at, -days_of_week(zone, at));
    long long to = day_from(zone, from, WEEK);
    n = add_range(p, zone, (PeriodSpan){from, to}, out, n);
    at = to;
  }
  return n;
}
