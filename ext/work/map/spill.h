/*
** The spill: the rows of llm_map's SELECT, and what became of them, in a private temporary database.
**
** All rows are there before the first request leaves, so that nothing that is written meanwhile is read, and what a second scan of
** the same rows wants is replayed. SQLite keeps the database in memory while it is small (SPILL_BYTES) and in a file of its own
** beyond; it is gone when it is closed. Neither the caller's temp schema, which a ROLLBACK empties, nor its main is touched.
**
**   rows(id, h, c0, c1, …)   the SELECT's columns as they came; h: the hash of what its request is made of
**   done(seq, row, …)        in the order in which they ended
*/
#ifndef LLMCOST_SPILL_H
#define LLMCOST_SPILL_H

#include "base/error.h"
#include "base/sqlite/sqlite_api.h"

#include <stddef.h>

typedef struct Spill Spill;

/* What became of a row. Borrowed. */
typedef struct SpillResult {
  long long row;
  const char *answer; /* NULL: none */
  size_t n;
  const char *error;            /* NULL: none */
  const char *model, *kind;     /* NULL: none */
  long long cost_nusd, call_id; /* negative: not known */
  int is_retryable;             /* of an error: the same may be answered later */
} SpillResult;

/* The columns of a result, behind the key in column 0. */
enum {
  SPILL_KEY,
  SPILL_ANSWER,
  SPILL_ERROR,
  SPILL_MODEL,
  SPILL_COST,
  SPILL_KIND,
  SPILL_CALL,
  SPILL_RETRYABLE,
  SPILL_COLUMNS
};

/* An empty one for rows of n columns; NULL and *err. */
Spill *spill_new(int n_columns, Err *err);
void spill_free(Spill *s);

/* Adds the current row of a statement: its number, from 1; -1 and *err. */
long long spill_add(Spill *s, sqlite3_stmt *from, long long hash, Err *err);

/* How many different hashes there are; -1 and *err. */
long long spill_distinct(Spill *s, Err *err);

/* The next row after `after` that has this hash; 0: none, -1 and *err. */
long long spill_find_equal(Spill *s, long long hash, long long after, Err *err);

/* Of a column, the sum over its different values of (times it occurs - 1) * its bytes; *err: 0. */
double spill_repeated(Spill *s, int column, Err *err);

/* Numbers the rows in the order of these columns; and the row at a position, -1 and *err. */
int spill_sort(Spill *s, const int *columns, int n, Err *err);
long long spill_place(Spill *s, long long position, Err *err);

/* A row: column 0 is its hash, its own columns follow. Until spill_read_done. NULL and *err. */
sqlite3_stmt *spill_read(Spill *s, long long row, Err *err);
void spill_read_done(sqlite3_stmt *stmt);

/* The next row after `after` that has this key (compared as SQLite compares a column without a type); 0: none, -1 and *err. */
long long spill_find_key(Spill *s, sqlite3_value *key, long long after, Err *err);

/* Keeps a result. */
int spill_put(Spill *s, const SpillResult *r, Err *err);

/* A result by the number in which it ended, or of a row: *out stands on it, with the columns SPILL_…, until it is reset; SQLITE_ROW,
** SQLITE_DONE where there is none, or another code and *err. *out is made where it is NULL; for sqlite3_finalize. */
int spill_result(Spill *s, int of_row, long long number, sqlite3_stmt **out, Err *err);

#endif
