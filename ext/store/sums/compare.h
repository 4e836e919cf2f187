/*
** The sums that are kept, held against what the ledger's rows come to now.
*/
#ifndef LLMCOST_COMPARE_H
#define LLMCOST_COMPARE_H

#include "store/sums/rebuild.h"

/* A measure of a sum that differs. Texts are borrowed. */
typedef struct SumDifference {
  const SumKey *key;
  const char *measure;
  long long kept, rebuilt; /* 0 where there is none */
} SumDifference;

typedef void (*DifferenceFn)(void *arg, const SumDifference *difference, Err *err);

typedef struct Compared {
  long long days; /* that were compared */
  SumState state; /* sealed days and stopped dimensions have nothing to compare */
  long long differs;
} Compared;

/* Compares all days that are not sealed, each in one state of the store, and hands over what differs. Writes first what
** waits. `repairs`: such a day's sums are made anew, each in a transaction. RC_OK or *err. */
int compare_sums(Store *s, sqlite3 *reader, int repairs, DifferenceFn take, void *arg,
                 Compared *compared, Err *err);

const char *sum_dimension_name(int dimension);

#endif
