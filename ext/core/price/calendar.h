/*
** When a price holds: hours of the day, days of the week, a time zone, dated exceptions.
**
** As text: [days] [hours] [zone] [except dates] [also dates], in any order, each at most once:
**   09:00-12:00,14:00-18:00              every day, UTC
**   Mon-Fri 09:00-18:00 +08:00 except 2026-10-01..2026-10-07
**   Sat,Sun America/New_York             whole days, by that place's clock
** Days are those of the zone, and so are the dates. Hours may pass midnight: they belong to the day on
** which they begin. On the days of `except` it does not hold; on those of `also` it does, `except` or not, whatever day of
** the week they are.
*/
#ifndef LLMCOST_CALENDAR_H
#define LLMCOST_CALENDAR_H

#include "core/price/zone.h"

enum { CALENDAR_SPANS = 8, CALENDAR_DATES = 128, CALENDAR_WHY = 160 };

/* Days from `from` to `to`, both in it, counted from 1970-01-01: on which it holds all the same, or not. */
typedef struct CalendarDates {
  int from, to, holds;
} CalendarDates;

typedef struct Calendar {
  unsigned days; /* a bit per day of the week; Monday is 1 */
  struct {
    int from, to; /* seconds of the day; from > to: it passes midnight */
  } spans[CALENDAR_SPANS];
  int n_spans;
  Zone zone;
  CalendarDates dates[CALENDAR_DATES];
  int n_dates;
  const char *text; /* as it was written; borrowed */
} Calendar;

/* Reads a text. Returns 1, or 0 and why it is none. */
int calendar_parse(const char *text, Calendar *calendar, char why[CALENDAR_WHY]);

/* 1 if it holds at a moment. */
int calendar_holds(const Calendar *calendar, long long at_ms);

/* Narrows [*from_ms, *to_ms), which has the moment in it, to times at which calendar_holds says the same. */
void calendar_narrow(const Calendar *calendar, long long at_ms, long long *from_ms,
                     long long *to_ms);

#endif
