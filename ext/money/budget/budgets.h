/*
** The limits of llm_budgets, as a connection has them, and what one attempt is to them.
**
** Which limits an attempt meets, its model and its worst case decide; whether it fits, the store (store/budget/reserve.h), in
** the transaction that writes its intent. LLMCOST_BUDGET_USD_DAY (day_cap.h) is asked before it.
*/
#ifndef LLMCOST_BUDGETS_H
#define LLMCOST_BUDGETS_H

#include "conn/conn.h"
#include "money/budget/worst.h"
#include "store/budget/reserve.h"

#define BUDGET_ACTIONS(X)                                                                          \
  X(ERROR, "error")                                                                                \
  X(CHEAPEST, "cheapest")                                                                          \
  X(WARN, "warn")

typedef enum BudgetAction {
#define BUDGET_ACTION_ID(id, word) BUDGET_ON_##id,
  BUDGET_ACTIONS(BUDGET_ACTION_ID)
#undef BUDGET_ACTION_ID
      BUDGET_N_ACTIONS
} BudgetAction;

const char *budget_action_word(BudgetAction action);

/* A row of llm_budgets, read. */
typedef struct BudgetLimit {
  BudgetScope scope;
  Period period;
  long long limit_nusd;
  BudgetAction action;
  int allows_unpriced;
  const char *scope_text, *period_text; /* owned by the list */
} BudgetLimit;

typedef struct BudgetList {
  int refs;
  int n;
  BudgetLimit at[];
} BudgetList;

/* All of this connection's, and the zone of its calendar; to be given back. NULL and *err: one of them, or the zone, is none. */
BudgetList *budgets_list(Conn *conn, Zone *zone, Err *err);
void budgets_list_unref(BudgetList *list);

/* What is held for an attempt. Zeroed: nothing. */
typedef struct Budgets {
  Reserve reserve;      /* reserve.n 0: no limit applies */
  ReserveLimit *limits; /* owned */
  BudgetList *list;     /* each limit's row is in it; a reference of its own */
  int *rows;            /* owned */
  BudgetNames names;
  Zone zone;
  long long worst_nusd, input; /* its worst case, and the tokens of it */
  long long output;
  int is_batch;                 /* it is several requests together */
  long long capped_nusd, began; /* held of the day's cap */
  int by_catalogue; /* the day's cap counts by the catalogue and in UTC, whatever this database says: server mode */
  long long
      catalogue_nusd; /* of what came of it, by the catalogue: put here by who bills it; below 0: it says none */
} Budgets;

/* The limits that an attempt meets, and what it would hold; takes its part of the day's cap, for which it waits until
** `deadline_ms` (monotonic). An error (ERR_BUDGET) where that has no room, or a limit refuses a model that nobody prices. */
int budgets_begin(Conn *conn, const WorstAsk *ask, const Options *options, long long deadline_ms,
                  Budgets *budgets, Err *err);

/* What an attempt may come to at most (worst_case); where the day's cap counts by the catalogue, not less than that says. */
long long budgets_worst(Conn *conn, const WorstAsk *ask, long long *input, Err *err);

/* The same for requests of a batch, which come to so much together at most (LEDGER_NULL: nobody says). */
int budgets_begin_batch(Conn *conn, const Model *model, const Options *options, long long nusd,
                        Budgets *budgets, Err *err);

/* 1 if there is any limit at all: else no worst case has to be known. */
int budgets_has_any(Conn *conn, Err *err);

/* What the store is asked, as of now; NULL: nothing. Borrowed. */
Reserve *budgets_reserve(Budgets *budgets);

/* ERR_BUDGET: what is spent, held and left, and until when, of the limit in the way. `waited`: it was waited for in vain.
** *action: what that limit asks for. */
int budgets_refuse(Budgets *budgets, Store *store, int waited, BudgetAction *action, Err *err);

/* The limits that only warn and have no room for it, as a JSON array of texts; owned (cJSON_Delete); NULL: none, or *err. */
cJSON *budgets_warnings(const Budgets *budgets, Err *err);

/* What came of it: its cost in nano-dollars, or LEDGER_NULL. `was_sent` 0: nothing left. Frees it. */
void budgets_settle(Budgets *budgets, long long cost_nusd, int was_sent);

/* "$0.012". */
enum { BUDGET_USD = 48 };
const char *budget_usd(long long nusd, char out[BUDGET_USD]);

#endif
