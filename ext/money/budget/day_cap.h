/*
** LLMCOST_BUDGET_USD_DAY: what this process's own calls may cost in a day, whatever tables say.
**
** For who runs a program that can change its tables, or on many databases: one number in the environment, which SQL can't
** reach. It is counted in memory, over all connections and stores, from the start of the process; a child that came by fork()
** begins with nothing. Attempts are held at their worst case; what was billed counts in the quarter of an hour in which it
** began. A model that nobody prices is refused. In server mode (trust/node/node.h) who sends SQL is not who set it: it counts by
** the catalogue's prices where those of the database are lower, and by the days of UTC.
**
** Threading: one lock.
*/
#ifndef LLMCOST_DAY_CAP_H
#define LLMCOST_DAY_CAP_H

#include "core/budget/period.h"

/* What a day has left for one attempt. */
typedef struct DayCap {
  long long limit_nusd; /* -1: the variable is not set */
  long long spent_nusd, held_nusd;
  PeriodSpan day;
} DayCap;

typedef enum DayCapOutcome { DAY_CAP_FITS, DAY_CAP_WAITS, DAY_CAP_REFUSED } DayCapOutcome;

/* 1 if it is set. An error (ERR_CONFIG) where its text is no number of dollars. */
int day_cap_is_set(DayCap *cap, Err *err);

/* Holds so much, if it fits; spent, held and the day as they are now. */
DayCapOutcome day_cap_take(DayCap *cap, const Zone *zone, long long now, long long nusd);

/* What came of it: its cost, or its worst case where that is not known; 0: nothing was sent. `began`: when it was held. */
void day_cap_settle(long long held, long long began, long long nusd);

/* What was settled as spent at `began` was not sent after all. */
void day_cap_give(long long began, long long nusd);

#endif
