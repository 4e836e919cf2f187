/*
** What the ledger teaches about token counts: texts that were sent, and the tokens billed for them.
**
** Reads only, and only a ledger that is there: a store that is not open yet is opened for the one
** question, with query_only, so that a function that any view may call changes nothing.
*/
#ifndef LLMCOST_BILLS_H
#define LLMCOST_BILLS_H

#include "store/db/store.h"

/* One call of a single user message. Texts are borrowed. */
typedef struct Bill {
  const char *prompt, *system; /* system NULL: none */
  size_t n_prompt, n_system;
  long long input_tokens; /* as billed, all of them */
} Bill;

typedef void (*BillFn)(void *arg, const Bill *bill);

/* A ledger to ask, for the time of a question. */
typedef struct Bills {
  sqlite3 *db;
  Store *store; /* whose reader db is; NULL: db is our own, or the caller's */
  int owned;    /* db is our own */
} Bills;

/* Opens the ledger of `store`, or where that is NULL of the file `path` (NULL: there is none), if it is a
** store of this installation. 1; 0 where there is no such ledger: nothing is known then, and nothing is
** wrong; -1 and *err where it could not be looked at. bills_close in each case. */
int bills_open(Bills *b, Store *store, const char *path, const StoreHost *host, Err *err);
void bills_close(Bills *b);

/* The newest id of the ledger in *newest, 0 for none. RC_OK or *err. */
int bills_newest(Bills *b, long long *newest, Err *err);

/* Hands the latest answered calls of a model, as requested or as answered, to `take`: at most
** LIMIT_BILLS of the newest LIMIT_BILL_ROWS rows, those whose texts were kept (log_text 'full'). RC_OK, or
** *err: what was taken until then may be a part. */
int bills_read(Bills *b, const char *model, BillFn take, void *arg, Err *err);

/* How long answers were, in tokens: their mean, the variance about it, and of how many. */
typedef struct Typical {
  double mean, variance;
  int n;
  double reasoning; /* of the mean, what went into thought; -1: nobody said */
} Typical;

/* Whose: of a model; under a system prompt of that name, and with that tag, unless NULL; asked with that option `reasoning`, as it
** stands in the notes (NULL: without it). */
typedef struct TypicalAsk {
  const char *model, *system, *tag, *reasoning;
} TypicalAsk;

/* Of the latest LIMIT_BILLS of those answers. RC_OK or *err. */
int bills_typical(Bills *b, const TypicalAsk *ask, Typical *typical, Err *err);

#endif
