/*
** Reading the ledger's calls again, to compare what they cost.
*/
#ifndef LLMCOST_AUDIT_H
#define LLMCOST_AUDIT_H

#include "store/db/row.h"
#include "store/sums/compare.h"

#include <limits.h>

/* A row as the ledger has it: texts are borrowed; NULL, LEDGER_NULL and NAN: the column is NULL. */
typedef LedgerRow AuditRow;

typedef void (*AuditFn)(void *arg, const AuditRow *row, Err *err);

/* Rows beside those of calls, batches and embeddings that were answered. */
enum {
  AUDIT_HITS = 1,    /* answered by a cache */
  AUDIT_UNKNOWN = 2, /* sent, and the answer never came: what it cost is not known */
  AUDIT_REFUSED = 4  /* not sent, by our own rules */
};

/* In which order: that of their ids, or of a part of time by time; in any case by time; or the newest first. */
typedef enum AuditOrder { AUDIT_AS_STORED, AUDIT_BY_TIME, AUDIT_NEWEST_FIRST } AuditOrder;

/* What is asked for; NULL and the ends of time: all. */
typedef struct AuditAsk {
  const char *provider;
  long long from, to; /* Unix ms; the end is outside */
  int is_paid;        /* not what is at list prices because nobody says one (imports) */
  int also;           /* AUDIT_… */
  const char *tag;
  AuditOrder order;
} AuditAsk;

#define AUDIT_ALL ((AuditAsk){.from = LLONG_MIN, .to = LLONG_MAX})

/* Hands every such row to `take`. Writes first what waits. RC_OK or *err, which `take` may set to end it. */
int audit_each(Store *s, const AuditAsk *ask, AuditFn take, void *arg, Err *err);

/* When the first and the last call were made that cost something, of those before a time; Unix ms, 0: there are none. */
typedef struct AuditEnds {
  long long first, last;
} AuditEnds;

int audit_ends(Store *s, long long before, AuditEnds *ends, Err *err);

/* One row in words, as JSON without its last brace (owned, sqlite3_free): what was asked, what the caches did, as far as the
** ledger keeps that, and all attempts. Handed to `take`, too, where audit_each would. NULL without an error: no such
** row; or *err. */
char *audit_explain(Store *s, long long id, AuditFn take, void *arg, Err *err);

/* The same for the sums that are kept: compare_sums. Writes first what waits. */
int audit_sums(Store *s, int repair, DifferenceFn take, void *arg, Compared *compared, Err *err);

#endif
