/*
** How the limits of llm_budgets stand: a row for each limit, and of a limit with GLOBs for each value that has spent or holds
** anything in its period. All of it in one state of the store.
*/
#ifndef LLMCOST_BUDGET_STATUS_H
#define LLMCOST_BUDGET_STATUS_H

#include "money/budget/budgets.h"

typedef struct StatusRow {
  const BudgetLimit *limit; /* in the report's list */
  char *value;              /* the scope of this one value; owned */
  ReserveLimit at;          /* as the store knows it (its values are no longer there) */
  Projection basis;
  long long projected_nusd; /* where PROJECTED */
} StatusRow;

typedef struct StatusReport {
  BudgetList *list;
  Zone zone;
  long long now;
  StatusRow *at; /* owned */
  int n, cap;
} StatusReport;

/* RC_OK or *err; status_free afterwards, in each case. */
int status_read(Conn *conn, StatusReport *report, Err *err);
void status_free(StatusReport *report);

#endif
