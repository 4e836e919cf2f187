/*
** Sums of the ledger, kept beside it, so that a report over ten million calls reads thousands of rows.
**
** A row of llm_sums is what the ledger's rows of one UTC quarter of an hour (grain 15), one UTC day (grain 1440) or one
** UTC month (grain 43200) come to, for one value of one dimension: 0 all of them; 1 a model at a provider and its service;
** 2 a tag; 3 a user; each apart by source and billed. Quarters, because local days begin at :30 and :45 too; days and
** months, because a year has 35,000 quarters. A month is always what its days come to.
**
**   llm_sums(dimension, grain, start, value, provider, service, source, billed, measures …)
**
** `start` is in Unix ms. A text that is NULL in the ledger is the empty BLOB here (a key has no NULLs). A model's value
** is its plain name (model_name_plain): its spellings are one.
**
** A row of the ledger is counted from when it is final, in the transaction that makes it so: with others that are written
** then, or by a line in llm_uncounted, whose rows are added some at a time. What is on its way (llm_intents) is not in
** them; views add both. So at every moment
**
**   sums = what the rows of llm_calls come to that are neither in llm_intents nor in llm_uncounted,
**
** but for what was trimmed (llm_sum_state.sealed_before), and for a dimension that is stopped: one with more than
** LIMIT_SUM_VALUES values (a tag for each ticket) would grow like the ledger; views read the ledger for it.
*/
#ifndef LLMCOST_SUMS_H
#define LLMCOST_SUMS_H

#include "store/db/row.h"
#include "store/db/store.h"
#include "store/db/sum_row.h"

/* Sums in memory, of many rows, before they are written. */
typedef struct Sums Sums;

/* NULL and *err without memory. */
Sums *sums_new(Err *err);
void sums_free(Sums *sums);

/* Adds a row of the ledger as it is (sign 1), or takes one out as it was (sign -1). Texts are copied. RC_OK or *err. */
int sums_fold(Sums *sums, const LedgerRow *row, int sign, Err *err);

/* Adds a sum as it is. RC_OK or *err. */
int sums_add(Sums *sums, const SumRow *row, Err *err);

/* The month of a moment, and the one after it (Unix ms). */
long long sums_month(long long ts);
long long sums_next_month(long long month);

/* Adds all of them to llm_sums, in the open transaction, and empties them. Of a dimension that is stopped only those
** before sealed_before are kept; there values beyond the limit are one, SUM_OTHER. RC_OK or *err. */
int sums_write(Store *s, Sums *sums, Err *err);

/* The same where llm_sums is known to have none of them yet, but for months, which are left out; and only of some
** dimensions, a bit each. */
int sums_write_new(Store *s, Sums *sums, Err *err);
int sums_write_of(Store *s, Sums *sums, unsigned dimensions, Err *err);

#define SUM_OTHER "(other)"

/* The i-th, of sums_length(). */
int sums_length(Sums *sums);
const SumRow *sums_at(const Sums *sums, int i);

/* The one with a key, NULL where there is none; it is taken from then on. */
const SumRow *sums_take(Sums *sums, const SumKey *key);
int sums_is_taken(const Sums *sums, int i);

/* What of them is to be believed: llm_sum_state. */
typedef struct SumState {
  unsigned stopped;        /* dimensions, a bit each */
  long long sealed_before; /* Unix ms; 0: nothing was trimmed */
} SumState;

/* RC_OK or *err. */
int sums_state(Store *s, SumState *state, Err *err);

#endif
