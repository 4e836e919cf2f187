/*
** See limit.h for the contract.
*/
#include "call/limit.h"

#include "store/db/store.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* The answers of one model with the tag; LLONG_MAX: cut off. */
typedef struct Lengths {
  long long at[LIMIT_MOST_ANSWERS];
  int n;
} Lengths;

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

static int read_lengths(Store *s, const char *tag, const char *model, Lengths *l, Err *err) {
  sqlite3_stmt *stmt = store_stmt(s, SQL_LAST_LENGTHS, err);
  l->n = 0;
  if (!stmt) {
    return err->rc;
  }
  sqlite3_bind_int(stmt, 2, LIMIT_MOST_ANSWERS);
  int rc = sqlite3_bind_text(stmt, 1, tag, -1, SQLITE_STATIC);
  rc = rc == SQLITE_OK ? sqlite3_bind_text(stmt, 3, model, -1, SQLITE_STATIC) : rc;
  while (rc == SQLITE_OK && l->n < LIMIT_MOST_ANSWERS && sqlite3_step(stmt) == SQLITE_ROW) {
    l->at[l->n++] = sqlite3_column_int(stmt, 1) ? LLONG_MAX : sqlite3_column_int64(stmt, 0);
  }
  int done = store_done(s, stmt);
  rc = rc == SQLITE_OK ? done : rc;
  qsort(l->at, (size_t)l->n, sizeof l->at[0], compare);
  return rc == SQLITE_OK ? RC_OK : store_error(s, rc, "look how long answers were", err);
}

/* The limit of one model; LLONG_MAX: none. */
static long long limit_of(const Lengths *l) {
  if (l->n < LIMIT_LEAST_ANSWERS) {
    return LLONG_MAX;
  }
  long long tokens = l->at[(l->n * 99 + 99) / 100 - 1];
  return tokens == LLONG_MAX ? tokens : round_up(tokens);
}

/* One model's limit, if it is the longest so far. */
static int take_model(Store *s, const char *model, Options *o, long long *most, Err *err) {
  Lengths l;
  int cut = 0;
  if (read_lengths(s, o->tag, model, &l, err) != RC_OK) {
    return err->rc;
  }
  long long limit = limit_of(&l);
  for (int i = 0; i < l.n; i++) {
    cut += l.at[i] > limit || l.at[i] == LLONG_MAX;
  }
  if (limit > *most) {
    *most = limit;
    o->by_tag_of = l.n;
    o->by_tag_cut = l.n ? (double)cut / l.n : 0;
  }
  return RC_OK;
}

int limit_by_tag(Conn *conn, const char *model, Options *options, Err *err) {
  int is_auto = strcmp(model, "auto") == 0;
  Store *store = conn_store(conn, 0, err);
  const Config *config = store && is_auto ? conn_config(conn, err) : NULL;
  long long most = 0;
  if (store && !is_auto) {
    take_model(store, model, options, &most, err);
  }
  for (int i = 0; config && i < config->n_tiers && err->rc == RC_OK; i++) {
    take_model(store, config->tiers[i].model, options, &most, err);
  }
  if (err->rc == RC_OK && most > 0 && most < LLONG_MAX) {
    options->max_tokens = most;
  }
  return err->rc;
}
