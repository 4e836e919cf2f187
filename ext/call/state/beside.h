/*
** A request that another one makes: a second opinion on its answer, a model that says how hard it is. It is a request of its
** own, with all that belongs to one (cache, budget, key, retries), and one with the first for the ledger.
*/
#ifndef LLMCOST_BESIDE_H
#define LLMCOST_BESIDE_H

#include "base/buf.h"
#include "call/state/state.h"

typedef struct BesideAsk {
  const char *purpose; /* as llm_calls has it; static */
  const char *model;
  const Buf *prompt; /* a question of ours; NULL: what this one was asked */
} BesideAsk;

/* Asks within the time of this call; if its attempt is open, what that cost is on disk before. 1 and *out (beside_free); 0 and
** *why: it could not be had; -1 and *err. */
int beside_ask(Call *k, const BesideAsk *what, Outcome *out, Err *why, Err *err);

void beside_free(Outcome *out);

#endif
