/*
** Periods as people name them: labels ('2026-11', '2026-W45', '2026-11-04 09:00') and words ('last month', 'yesterday',
** 'last 7 days'), by the clocks of a time zone; and the period that each is compared with, which is the one before.
*/
#ifndef LLMCOST_SPAN_H
#define LLMCOST_SPAN_H

#include "core/budget/period.h"

/* Seconds of the time of day somewhere; from inclusive, to exclusive. */
typedef struct LocalSpan {
  long long from, to;
} LocalSpan;

/* A label: 'YYYY', 'YYYY-MM', 'YYYY-MM-DD', 'YYYY-MM-DD HH' or 'YYYY-MM-DD HH:MM' (T for the blank too). Returns its length,
** 0 where the text is none; *span is what it names. */
int span_read_label(const char *text, LocalSpan *span);

/* The first moment (Unix ms) at which clocks there show that time or a later one. LLONG_MIN and LLONG_MAX stay. */
long long span_moment(const Zone *zone, long long local);

enum { SPAN_LABEL = 48 };

typedef struct NamedSpan {
  PeriodSpan span; /* Unix ms */
  char label[SPAN_LABEL];
} NamedSpan;

/* Reads a period and the one before it, of the same kind: of a month the month before, of 'last 7 days' the seven days before
** those. What is not over ('this month', 'today') ends now, and the one before it after as long. RC_OK, or ERR_BAD_ARGUMENT
** that lists how periods are written. `is` alone may be asked for (`before` NULL). */
int span_parse(const char *text, const Zone *zone, long long now, NamedSpan *is, NamedSpan *before,
               Err *err);

/* The date of a moment by the clocks there: '2026-11-28'; "" where its year has no four digits. */
enum { SPAN_DATE = 11 };
void span_date(const Zone *zone, long long at, char out[SPAN_DATE]);

/* A span from one moment to another, with a label of its times: "2026-11-04 – 2026-11-06", the last day of whole days. */
NamedSpan span_between(const Zone *zone, long long from, long long to);

#endif
