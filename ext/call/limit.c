/*
** See limit.h for the contract.
*/
#include "call/limit.h"

#include "store/db/store.h"

#include <stdlib.h>

static int compare(const void *a, const void *b) {
  const long long *x = a, *y = b;
  return (*x > *y) - (*x < *y);
}

/* 812 → 896: 0b1100101100 → 0b1110000000. (A limit that moved with each answer would be another one for each request.) */
static long long round_up(long long tokens) {
  long long unit = 1;
  while (tokens >= 8 * unit) {
    unit *= 2;
  }
  return (tokens + unit - 1) / unit * unit;
}

static int read_lengths(Store *s, const char *tag, long long *lengths, int *n, Err *err) {
  sqlite3_stmt *stmt = store_stmt(s, SQL_LAST_LENGTHS, err);
  if (!stmt) {
    return err->rc;
  }
  sqlite3_bind_int(stmt, 2, LIMIT_MOST_ANSWERS);
  int rc = sqlite3_bind_text(stmt, 1, tag, -1, SQLITE_STATIC);
  while (rc == SQLITE_OK && *n < LIMIT_MOST_ANSWERS && sqlite3_step(stmt) == SQLITE_ROW) {
    lengths[(*n)++] = sqlite3_column_int64(stmt, 0);
  }
  int done = store_done(s, stmt);
  rc = rc == SQLITE_OK ? done : rc;
  return rc == SQLITE_OK ? RC_OK : store_error(s, rc, "look how long answers were", err);
}

int limit_by_tag(Conn *conn, Options *options, Err *err) {
  long long lengths[LIMIT_MOST_ANSWERS];
  int n = 0, cut = 0;
  Store *store = conn_store(conn, 0, err);
  if (!store || read_lengths(store, options->tag, lengths, &n, err) != RC_OK ||
      n < LIMIT_LEAST_ANSWERS) {
    return err->rc;
  }
  qsort(lengths, (size_t)n, sizeof lengths[0], compare);
  options->max_tokens = round_up(lengths[(n * 99 + 99) / 100 - 1]);
  for (int i = 0; i < n; i++) {
    cut += lengths[i] > options->max_tokens;
  }
  options->by_tag_of = n;
  options->by_tag_cut = (double)cut / n;
  return RC_OK;
}
