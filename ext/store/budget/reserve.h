/*
** Admission: whether an attempt's worst case fits into what limits leave, asked in the very transaction that writes its
** intent. Its row carries what is held for it (held_nusd), so nothing else has to be given back: a hold is a row of
** llm_intents whose row of llm_calls has a held_nusd and no cost yet.
**
** An attempt is refused for good only where what is spent and its own worst case are more than a limit. Where only what
** others hold is in the way, it waits: they may come to less. What nobody will settle any more (the owner is gone, or its
** lease is over) is no hold that one waits for: it may have been billed, and counts as spent at its worst case until its
** price is known.
**
** What batches hold (llm_batch_groups, a row for all requests of a batch that count alike) is held for hours or days: nobody waits for
** that, and it counts as spent. It belongs to the time of the batch's intent, as its bill will.
*/
#ifndef LLMCOST_RESERVE_H
#define LLMCOST_RESERVE_H

#include "store/budget/spent.h"

/* One limit, for the values of one call. */
typedef struct ReserveLimit {
  unsigned set;
  BudgetValues values; /* borrowed */
  PeriodSpan span;
  long long limit_nusd;
  int warns; /* only: it stops nothing */

  /* as found */
  Spent spent;           /* what nobody will settle included */
  long long held_nusd;   /* by others */
  long long booked_nusd; /* of that, by batches */
} ReserveLimit;

typedef enum ReserveOutcome { RESERVE_FITS, RESERVE_WAITS, RESERVE_REFUSED } ReserveOutcome;

typedef struct Reserve {
  ReserveLimit *limits; /* borrowed */
  int n;
  long long now;
  /* The attempt's worst case. 0 passes every limit; one that nobody can tell (LEDGER_NULL) passes those that have anything
  ** left. */
  long long most_nusd;
  ReserveOutcome outcome;
  int at; /* the limit that is in the way */
} Reserve;

/* Ends the intent of a call that nobody will settle. */
typedef int (*ReserveBuryFn)(Store *s, long long call_id, Err *err);

/* Asks all limits, in the open transaction; their sums are made where they are not kept yet. RC_OK or *err. */
int reserve_ask(Store *s, Reserve *reserve, ReserveBuryFn bury, Err *err);

/* 1 if a limit has no room for so much (LEDGER_NULL: for anything) beside what is spent or booked (and, `held`, all that is held). */
int reserve_is_over(const ReserveLimit *limit, long long nusd, int held);

/* A request on its way, or those of a batch (id LEDGER_NULL). Texts are borrowed. */
typedef struct HeldRow {
  long long id, ts, cost_nusd, held_nusd, lease_until;
  const char *owner, *tag, *user, *model;
  BudgetNames names;
  BudgetValues values;
  int is_gone; /* nobody will settle it */
} HeldRow;

/* Each request that is on its way and has a hold, or a cost already. `looks`: whether its owner lives is looked up; else only
** its lease. RC_OK or *err. */
int reserve_each(sqlite3 *db, long long now, int looks,
                 int (*take)(void *arg, const HeldRow *row, Err *err), void *arg, Err *err);

/* Adds a row to a limit's sums, if it is one of its. */
void reserve_count(ReserveLimit *limit, const HeldRow *row);

#endif
