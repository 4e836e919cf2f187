/*
** Which period a report is of, and which one it is compared with.
**
** A report is of whole days by the clocks of the setting time_zone; the last one ends where it is asked for, at the next
** quarter of an hour: so its figures are the same whether they are read from the sums, which are kept by quarters, or from
** rows. A period that is not over is compared with as much of the one before it.
*/
#ifndef LLMCOST_REPORT_PERIOD_H
#define LLMCOST_REPORT_PERIOD_H

#include "base/error.h"
#include "core/audit/span.h"

typedef struct ReportPeriod {
  PeriodSpan is, before;                            /* Unix ms */
  PeriodSpan month;                                 /* that `now` is in */
  char label[SPAN_LABEL], before_label[SPAN_LABEL]; /* as people name them */
  int is_over;
  int is_named; /* the label alone names both periods, for llm_drift too: "2026-10" */
  int days;
  long long now;
} ReportPeriod;

enum { REPORT_MOST_DAYS = 400 }; /* a page of more would be megabytes */

/* What is asked for: a period in words ("": none), or two moments (SPEC_NO_TIME: none). */
typedef struct ReportSpan {
  const char *words;
  long long from, to;
  long long
      newest; /* the last day with anything in it, a moment of it (Unix ms); without a period given the report ends there */
} ReportSpan;

/* The period: what was asked for, or thirty days. RC_OK, or an error that says how periods are written. */
int report_period(const ReportSpan *ask, const Zone *zone, long long now, ReportPeriod *period,
                  Err *err);

/* The months of a period, its weeks where it has few days, and its last seven days: each with as many days before it. Unfinished
** days are in no comparison. Returns how many. */
enum { REPORT_RANGES = 32 };
typedef struct ReportRange {
  PeriodSpan shown;      /* as it is named */
  PeriodSpan is, before; /* as it is compared: whole days */
} ReportRange;
int report_ranges(const ReportPeriod *period, const Zone *zone, ReportRange out[REPORT_RANGES]);

/* A moment as the label that a condition on `day` or `hour` takes: "2026-11-04 09:15". */
enum { REPORT_LABEL = 17 };
void report_label(const Zone *zone, long long at, char out[REPORT_LABEL]);

#endif
