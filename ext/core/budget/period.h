/*
** How long a limit holds: the period of a row of llm_budgets.
**
** Calendar periods (hour, day, week, month) are those of a time zone: a day begins where its date begins, whatever the
** clocks do that day (23 or 25 hours), a week on Monday (ISO 8601), an hour that is there twice is one. Rolling ones (24h,
** 7d, 30d) reach back by whole quarters of an hour, as sums are kept: what is younger than 24 hours always counts, and at
** most fourteen minutes more. `total` never ends: all that the ledger knows, or with `total since 2026-11-01` from the
** beginning of that day on.
**
** Every word has one spelling: two words for one length take two paths some day, and '1mo' is neither a month nor 30 days.
*/
#ifndef LLMCOST_PERIOD_H
#define LLMCOST_PERIOD_H

#include "base/error.h"
#include "core/price/zone.h"

/* X(id, word, rolls, milliseconds); 0 ms: as the calendar has it. */
#define BUDGET_PERIODS(X)                                                                          \
  X(HOUR, "hour", 0, 3600000LL)                                                                    \
  X(DAY, "day", 0, 86400000LL)                                                                     \
  X(WEEK, "week", 0, 604800000LL)                                                                  \
  X(MONTH, "month", 0, 0LL)                                                                        \
  X(24H, "24h", 1, 86400000LL)                                                                     \
  X(7D, "7d", 1, 604800000LL)                                                                      \
  X(30D, "30d", 1, 2592000000LL)                                                                   \
  X(TOTAL, "total", 0, 0LL)

typedef enum PeriodKind {
#define PERIOD_ID(id, word, rolls, ms) PERIOD_##id,
  BUDGET_PERIODS(PERIOD_ID)
#undef PERIOD_ID
      PERIOD_N
} PeriodKind;

enum { PERIOD_TEXT = 32, PERIOD_QUARTER_MS = 900000, PERIOD_LATEST_YEAR = 9999 };

typedef struct Period {
  PeriodKind kind;
  int has_since;
  long long since; /* of `total since`: its day, counted from 1970-01-01 */
} Period;

/* From (inclusive) to (exclusive), Unix ms. */
typedef struct PeriodSpan {
  long long from, to;
} PeriodSpan;

#define PERIOD_NEVER 0x7fffffffffffffffLL /* the end of what rolls, and of a total */
#define PERIOD_EVER (-PERIOD_NEVER)       /* the beginning of a total */

/* Reads one. RC_OK, or ERR_CONFIG that lists those there are. */
int period_parse(const char *text, Period *period, Err *err);

/* The one that a moment is in. `from` is a quarter of an hour's beginning, at or before the true one. What rolls has no
** end. */
PeriodSpan period_at(const Period *period, const Zone *zone, long long now);

/* 1 if it rolls; and when what was spent in the quarter that begins at `start` is no longer in it. */
int period_rolls(const Period *period);
long long period_leaves(const Period *period, long long start);

/* "2026-11-29 00:00 +09:00". */
void period_when(const Zone *zone, long long at_ms, char out[PERIOD_TEXT]);

/* What a period comes to if it goes on as it began: PROJECTED, or why that can't be told. */
typedef enum Projection { PROJECTED, TOO_EARLY, NO_END } Projection;

/* `spent` in proportion to what of the span is over: not before a hundredth of it, nor its first minute. */
Projection period_project(PeriodSpan span, long long now, long long spent, long long *projected);

#endif
