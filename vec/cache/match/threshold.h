/*
** Where a threshold decides: somebody chose one, or nobody measured the table's embedder.
*/
#ifndef LLMCOST_CACHE_THRESHOLD_H
#define LLMCOST_CACHE_THRESHOLD_H

#include "vec/cache/match/search.h"

/* The nearest entry above the threshold that neither guard nor feedback is against. Returns err->rc. */
int threshold_match(Search *s, Match *m, int *n, Err *err);

/* Up to k of them, out of one search; with verify 0 the nearest themselves, with why not (`explains`). */
int threshold_several(Search *s, Match *m, int *n, Err *err);

/* Keeps for the log why an entry just below the threshold was not served for this question. */
int threshold_learn(Search *s, Err *err);

#endif
