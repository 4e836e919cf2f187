/*
** Scorers that were trained (llm_scorers): kept by name, the newest alone.
*/
#ifndef LLMCOST_SCORERS_H
#define LLMCOST_SCORERS_H

#include "store/db/store.h"

enum { SCORER_VERSION = 24 };

/* What is kept of one. Borrowed when it is put; of scorers_get the weights are owned (free). */
typedef struct TrainedScorer {
  char version[SCORER_VERSION];
  const char *report; /* JSON */
  void *weights;
  size_t n;
} TrainedScorer;

/* Keeps it in the place of an older one. RC_OK or *err. */
int scorers_put(Store *s, const char *name, const TrainedScorer *scorer, long long now, Err *err);

/* The version of that name: 1; 0: there is none; -1 and *err. */
int scorers_version(Store *s, const char *name, char version[SCORER_VERSION], Err *err);

/* Version and weights: 1; 0: there is none; -1 and *err. */
int scorers_get(Store *s, const char *name, TrainedScorer *scorer, Err *err);

#endif
