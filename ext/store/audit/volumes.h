/*
** How much was asked lately: the calls of a model in the ledger, with what they read, wrote and cost.
*/
#ifndef LLMCOST_VOLUMES_H
#define LLMCOST_VOLUMES_H

#include "store/db/store.h"

enum { VOLUME_NAME = 256, VOLUME_DAYS = 30 };

/* What is asked for. NULL: of the models the one that costs most; of all tags. */
typedef struct VolumeAsk {
  const char *model; /* as it was asked for, or as it answered */
  const char *tag;
  long long now; /* Unix ms: the month ends there */
} VolumeAsk;

/* The calls of the last VOLUME_DAYS days that a provider answered (single ones and those of batches; no embeddings, no hits), each attempt
** of a request for itself, because each is paid for. All 0: there are none. */
typedef struct Volume {
  char model[VOLUME_NAME], provider[VOLUME_NAME]; /* "": not known */
  long long calls;
  long long priced, cost_nusd; /* those whose cost is known, and what they cost */
  long long measured, input_tokens,
      output_tokens; /* those whose tokens are known, and their sums */
  long long first;   /* when the ledger begins, Unix ms; 0: it is empty */
} Volume;

/* RC_OK or *err. Writes first what waits. */
int volumes_read(Store *s, const VolumeAsk *ask, Volume *volume, Err *err);

#endif
