/*
** What one attempt may cost: the connection's allowance (money/allowance.h) and the limits of llm_budgets
** (money/budget/budgets.h), held from before its intent until it is settled. Each attempt asks anew, for the model that it
** goes to.
*/
#ifndef LLMCOST_AFFORD_H
#define LLMCOST_AFFORD_H

#include "call/state/state.h"

/* May the next attempt be paid for? Held until afford_settle. An error where the allowance, a limit on unpriced models or the
** day's cap say no; what the store knows is asked with the intent. */
int afford_begin(Call *k, Err *err);

/* What is written with its row: its key, its lease, and the limits to be asked as of now. */
LedgerIntent afford_intent(Call *k);

/* A limit had no room (LEDGER_HELD, LEDGER_OVER): waits a little, longer each time (*waited begins as 0); or the error, where
** there will be none within the call's time. k->over: what the limit asks for then. */
int afford_wait(Call *k, LedgerBegin outcome, long long *waited, Err *err);

/* What came of the attempt: its cost, or LEDGER_NULL. `was_sent` 0: nothing left. */
void afford_settle(Call *k, long long cost_nusd, int was_sent);

#endif
