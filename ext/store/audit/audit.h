/*
** Reading the ledger's calls again, to compare what they cost.
*/
#ifndef LLMCOST_AUDIT_H
#define LLMCOST_AUDIT_H

#include "store/sums/compare.h"

#include <limits.h>

/* What a row says of a call that was answered. Texts are borrowed; NULL and LEDGER_NULL: the column is NULL. */
typedef struct AuditRow {
  long long id, ts, cost_nusd;
  int embeds; /* it is an embedding: it has no output */
  const char *provider, *model_requested, *model, *usage, *service, *geo;
  long long input_tokens, cached_input_tokens, cache_write_tokens, cache_write_long_tokens,
      output_tokens, reasoning_tokens;
} AuditRow;

typedef void (*AuditFn)(void *arg, const AuditRow *row, Err *err);

/* What is asked for; NULL and the ends of time: all. */
typedef struct AuditAsk {
  const char *provider;
  long long from, to; /* Unix ms; the end is outside */
  int is_paid;        /* not what is at list prices because nobody says one (imports) */
} AuditAsk;

#define AUDIT_ALL ((AuditAsk){NULL, LLONG_MIN, LLONG_MAX, 0})

/* Hands every row of a call, a batch's or an embedding's to `take`, oldest first, but those whose answer never came
** (their cost is not known). Writes first what waits. RC_OK or *err, which `take` may set to end it. */
int audit_each(Store *s, const AuditAsk *ask, AuditFn take, void *arg, Err *err);

/* One row in words, as JSON without its last brace (owned, sqlite3_free): what was asked, what the caches did, as far as the
** ledger keeps that, and all attempts. Handed to `take`, too, where audit_each would. NULL without an error: no such
** row; or *err. */
char *audit_explain(Store *s, long long id, AuditFn take, void *arg, Err *err);

/* The same for the sums that are kept: compare_sums. Writes first what waits. */
int audit_sums(Store *s, int repair, DifferenceFn take, void *arg, Compared *compared, Err *err);

#endif
