/*
** The call stage: attempts at one request, and what comes of them.
*/
#ifndef LLMCOST_ATTEMPT_H
#define LLMCOST_ATTEMPT_H

#include "call/state/state.h"

/* The call and its retries; the last attempt's row is filled, not settled. */
int attempt_all(Call *k, Err *err);

#endif
