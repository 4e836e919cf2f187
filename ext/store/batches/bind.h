/*
** Binding and running this room's statements: what cannot be bound is the statement's error.
*/
#ifndef LLMCOST_BATCHES_BIND_H
#define LLMCOST_BATCHES_BIND_H

#include "store/db/store.h"

/* A statement being bound. */
typedef struct Bound {
  Store *s;
  sqlite3_stmt *stmt; /* NULL: *err says why */
  int rc;
} Bound;

Bound bind_start(Store *s, StoreSql id, Err *err);

/* Texts are borrowed until it has run; NULL binds NULL, and so does LEDGER_NULL. */
void bind_number(Bound *b, int at, long long value);
void bind_words(Bound *b, int at, const char *text);

/* Runs it to its end. How many rows it changed; -1 and *err. */
int bind_run(Bound *b, const char *doing, Err *err);

/* Steps it: 1 a row, 0 none or *err. Then bind_end, which gives it back. RC_OK or *err. */
int bind_step(Bound *b, Err *err);
int bind_end(Bound *b, const char *doing, Err *err);

#endif
