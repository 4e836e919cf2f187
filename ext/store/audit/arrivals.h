/*
** When requests with the same beginning came, and whether the provider's cache had it: what of the ledger says whether a
** prefix is worth being kept.
**
** A trial (keeping.h) is a call and the one behind it that begins alike. The calls with one system prompt are a sequence, and so are
** those of one conversation. What is to be decided now is the n-th call of its sequence: its own trials count, and those of others'
** n-th calls (where n is large about the n-th), for people mostly ask a document three questions, or talk for as many turns as others. Looked
** at are the calls of the last day, the newest ARRIVALS_MOST at most, as far as they are written.
*/
#ifndef LLMCOST_ARRIVALS_H
#define LLMCOST_ARRIVALS_H

#include "core/price/keeping.h"
#include "store/db/store.h"

enum { ARRIVALS_MOST = 500, ARRIVALS_TRIALS = 50 };

typedef struct ArrivalsAsk {
  const char *model;        /* as llm_models names it */
  const char *system_hash;  /* NULL: no system prompt */
  const char *conversation; /* of the call that is to be made; NULL: none */
  long long now_ms;
} ArrivalsAsk;

typedef struct Arrivals {
  KeepTrials system;  /* of the system prompt, this call being the last that came */
  KeepTrials history; /* of what this conversation had said, and others with that system prompt */
  long long least;    /* tokens of the shortest prefix that this model's provider wrote; -1: none */
} Arrivals;

/* RC_OK or *err. */
int arrivals_read(Store *s, const ArrivalsAsk *ask, Arrivals *out, Err *err);

#endif
