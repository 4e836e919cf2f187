/*
** What own calls have cost, by what limits are for: a rollup of the ledger for each set of columns that some limit names.
**
**   llm_budget_sets(columns)                                    the sets that are kept
**   llm_budget_sums(columns, tag, user, model, provider, grain, start, calls, cost_nusd, unknown_nusd, unpriced)
**
** A row is what the ledger's rows of one quarter of an hour (grain 15) or one UTC day (grain 1440) come to, for one value of
** each column of the set (others are the empty BLOB). A call that has no value in one of them is in none. Imported rows are
** no calls of ours. The model is the one that was asked for, in its plain name: the same that its money was held under.
**
** A set is made once, from the ledger, in the transaction of the first limit that asks for it; from then on each row is
** added in the transaction that makes it final. So at every moment
**
**   sums = what the own rows of llm_calls come to that are not in llm_intents,
**
** and unknown_nusd is the worst case of those whose cost nobody knows. (llm_sums is not used: rows are added to it some at a
** time, and it has neither two columns at once nor all values of one.)
**
** In main mode there are no intents, and rows follow the caller's transaction, these sums with them.
*/
#ifndef LLMCOST_SPENT_H
#define LLMCOST_SPENT_H

#include "core/budget/period.h"
#include "core/budget/scope.h"
#include "store/db/row.h"
#include "store/db/store.h"

typedef struct Spent {
  long long nusd;         /* what was billed */
  long long unknown_nusd; /* the worst case of what may have been billed, and nobody knows */
  long long unpriced;     /* calls whose cost is not known, held or not */
} Spent;

/* Adds a row that is final from now on, in the open transaction. RC_OK or *err. */
int spent_add(Store *s, const LedgerRow *row, Err *err);

/* The same by its number, as it stands in the ledger. */
int spent_add_call(Store *s, long long call_id, Err *err);

/* Sums what this row counts in anew: it may be in it as it was before. (In the open transaction, and once the row is
** written.) RC_OK or *err. */
int spent_refresh(Store *s, const LedgerRow *row, Err *err);

/* Makes the sums of a set, in the open transaction, unless they are kept already. RC_OK or *err. */
int spent_keep(Store *s, unsigned set, Err *err);

/* The sets whose sums are kept, a bit for each set; the second as any connection of the store's sees it. RC_OK or *err. */
int spent_kept(Store *s, unsigned *sets, Err *err);
int spent_kept_in(sqlite3 *db, unsigned *sets, Err *err);

/* What the values have spent in a span. `db`: the store's own connection, or a reader's. RC_OK or *err. */
int spent_read(sqlite3 *db, unsigned set, const BudgetValues *values, PeriodSpan span, Spent *spent,
               Err *err);

/* The same by the store's own statement. */
int spent_ask(Store *s, unsigned set, const BudgetValues *values, PeriodSpan span, Spent *spent,
              Err *err);

/* Each quarter of an hour of the values in a span, in the order of time; stops where `take` gives 0. RC_OK or *err. */
int spent_quarters(sqlite3 *db, unsigned set, const BudgetValues *values, PeriodSpan span,
                   int (*take)(void *arg, long long start, const Spent *spent), void *arg,
                   Err *err);

/* Each values that have any sum in a span. Texts are borrowed for the time of `take`. RC_OK or *err. */
int spent_values(sqlite3 *db, unsigned set, PeriodSpan span,
                 int (*take)(void *arg, const BudgetValues *values, Err *err), void *arg, Err *err);

/* Where sums differ from the ledger: how many quarters and days, of all sets. `db` is any connection of the store's. -1 and
** *err. */
long long spent_differs(sqlite3 *db, Err *err);

/* Gives all sets up: each is made again by the limit that asks next. In the open transaction. RC_OK or *err. */
int spent_drop(Store *s, Err *err);

/* A row's values. `names` keeps the model's. */
BudgetValues spent_values_of(const LedgerRow *row, BudgetNames *names);

#endif
