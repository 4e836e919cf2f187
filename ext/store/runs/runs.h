/*
** Runs of llm_map as others see them: a row of llm_runs, written by who runs it about once a second, and read by anybody.
**
** A run that ends before its first second leaves none. A process that dies leaves its last row as it was: who reads it finds
** its owner gone. In main mode there are none: nobody else would see them before the caller commits.
*/
#ifndef LLMCOST_RUNS_H
#define LLMCOST_RUNS_H

#include "store/db/store.h"

typedef struct RunRow {
  long long id; /* 0: it has none yet */
  const char *state;
  long long started_at, updated_at; /* Unix ms */
  long long rows, requests, done, hits, errors, calls, spent_nusd;
  long long expected_nusd; /* negative: not known */
  const char *waits_for;   /* NULL: nothing */
  long long waits_until;   /* Unix ms; negative: not known */
} RunRow;

/* How long a row is believed whose process can't be seen from here. */
enum { RUNS_LEASE_MS = 15000 };

/* Writes it; a new one gets its id, and the oldest of many goes. Nothing in main mode. */
int runs_put(Store *s, RunRow *run, Err *err);

#endif
