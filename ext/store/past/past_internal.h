/*
** What the files of this room share: statements, prepared once for an import.
*/
#ifndef LLMCOST_PAST_INTERNAL_H
#define LLMCOST_PAST_INTERNAL_H

#include "store/past/past.h"
#include "store/sums/sums.h"

typedef enum PastSql {
  PAST_IS_OURS,
  PAST_GET_KEY,
  PAST_TAKE_KEY,
  PAST_PUT_KEY,
  PAST_NOTE_GROUP,
  PAST_GET_CALL,
  PAST_ADD_CALL,
  PAST_PUT_CALL,
  PAST_DROP_GROUP,
  PAST_TOTAL,
  PAST_DROP_BUCKET,
  PAST_PUT_SUM,
  PAST_WIDEN,
  PAST_NESTED,
  PAST_GROUP_NESTED,
  PAST_MARK_BUCKET,
  PAST_GET_FILE,
  PAST_PUT_FILE,
  PAST_SQL_COUNT
} PastSql;

struct Past {
  Store *store;
  Sums *sums;
  sqlite3 *
      reader; /* looks for files, while another thread may be writing; NULL: the store's own does */
  int is_open; /* a transaction is */
  int knows_next_id;
  long long next_id; /* of the ledger, in this transaction; 0: it can't be said */
  char *texts;       /* of the file that was asked for */
  sqlite3_stmt *stmt[PAST_SQL_COUNT];
};

/* A statement ready to be bound; NULL and *err. */
sqlite3_stmt *past_stmt(Past *p, PastSql id, Err *err);

/* Resets it. RC_OK, or *err where it, or binding it (rc), failed. */
int past_done(Past *p, sqlite3_stmt *stmt, int rc, Err *err);

/* Runs a bound one to its end. */
int past_run(Past *p, sqlite3_stmt *stmt, int rc, Err *err);

/* Text (NULL: SQL NULL), hash, and a number where LEDGER_NULL is SQL NULL: SQLite codes. */
int past_bind_text(sqlite3_stmt *stmt, int at, const char *text);
int past_bind_hash(sqlite3_stmt *stmt, int at, const Hash *hash);
int past_bind_int(sqlite3_stmt *stmt, int at, long long value);

/* A hash in a column: 1, or 0 where it is none. */
int past_column_hash(sqlite3_stmt *stmt, int at, Hash *hash);

#endif
