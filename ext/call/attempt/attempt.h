/*
** The call stage: attempts at one request, and what comes of them.
*/
#ifndef LLMCOST_ATTEMPT_H
#define LLMCOST_ATTEMPT_H

#include "call/route/ready.h"
#include "call/state/state.h"

/* The call and its retries; the last attempt's row is filled, not settled. */
int attempt_all(Call *k, Err *err);

/* What follows an attempt that was no answer. */
typedef struct Next {
  int waits;          /* it may be sent to the same model again, after */
  long long delay_ms; /* that */
  int moves;          /* it may go to another tier, before it waits */
  MoveTo to;
  int escalates; /* the other tier is a better one: what it answers is no stopgap */
} Next;

/* Closes the attempt in the ledger, its intent kept, goes where the next one is to go, and opens it. On failure *failure is
** why there is none: the attempt's own where there is nowhere to go. */
int attempt_next(Call *k, const Next *next, Err *failure);

#endif
