/*
** See sent_prompts.h for the contract.
*/
#include "work/prompts/sent_prompts.h"

#include "base/clock.h"
#include "base/text/text.h"
#include "core/lint/lint.h"
#include "core/lint/order.h"
#include "store/ledger.h"
#include "work/prompts/families.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_TEXTS = 10000, DAY_MS = 86400000 };

/* The newest call of each text says whom it was sent to. */
static const char texts_sql[] =
    "SELECT x.text, c.system_hash, coalesce(c.model, c.model_requested), c.provider, count(*), "
    "max(c.ts),"
    " (SELECT min(ts) FROM main.llm_calls WHERE ts >= ?1), count(c.output_tokens), "
    " count(*) FILTER (WHERE c.output_tokens >= ?3), sum(c.output_tokens)"
    " FROM main.llm_calls c JOIN main.llm_texts x ON x.hash = c.system_hash"
    " WHERE c.kind = 'call' AND c.ts >= ?1 GROUP BY c.system_hash, 3 ORDER BY max(c.ts) DESC LIMIT "
    "?2";

/* The keys of a text, and its sentences. */
static int look_at(MovingFinder *finder, const char *text, size_t n, SentPrompt *p, Err *err) {
  TextUnits u = {NULL, 0, 0, 0};
  MovingList m = {NULL, 0, 0};
  if (units_find(text, n, &u, err) == RC_OK && moving_find(finder, text, &u, &m, err) == RC_OK &&
      order_hash(text, &u, &m, &p->order, &p->key, err) == RC_OK) {
    sentences_read(text, &u, &m, &p->sentences, err);
  }
  moving_free(&m);
  units_free(&u);
  return err->rc;
}

int sent_prompts_key(MovingFinder *finder, const char *text, size_t n, Hash *key, Err *err) {
  SentPrompt p = {.calls = 0};
  look_at(finder, text, n, &p, err);
  *key = p.key;
  free(p.sentences.raw);
  return err->rc;
}

static char *column_copy(sqlite3_stmt *stmt, int i, Err *err) {
  const char *text = (const char *)sqlite3_column_text(stmt, i);
  char *copy = text ? strdup(text) : NULL;
  if (text && !copy) {
    err_nomem(err);
  }
  return copy;
}

static int add_row(MovingFinder *finder, sqlite3_stmt *stmt, SentPrompts *out, Err *err) {
  if (out->n == out->cap) {
    size_t cap = out->cap ? 2 * out->cap : 64;
    SentPrompt *grown = realloc(out->at, cap * sizeof *grown);
    if (!grown) {
      return err_nomem(err);
    }
    out->at = grown;
    out->cap = cap;
  }
  const char *text = (const char *)sqlite3_column_text(stmt, 0);
  SentPrompt p = {.calls = sqlite3_column_int64(stmt, 4),
                  .last_ts = sqlite3_column_int64(stmt, 5),
                  .answers = sqlite3_column_int64(stmt, 7),
                  .long_answers = sqlite3_column_int64(stmt, 8),
                  .answer_tokens = sqlite3_column_int64(stmt, 9)};
  long long since = sqlite3_column_int64(stmt, 6);
  if (!text) {
    return RC_OK;
  }
  double days = (double)(now_ms() - since) / DAY_MS;
  out->days = days > 1 ? days : 1;
  if (look_at(finder, text, (size_t)sqlite3_column_bytes(stmt, 0), &p, err) == RC_OK) {
    p.hash = column_copy(stmt, 1, err);
    p.model = column_copy(stmt, 2, err);
    p.provider = column_copy(stmt, 3, err);
    out->at[out->n++] = p;
  }
  return err->rc;
}

/* 0: one prompt, sent to one model. */
static int compare(const SentPrompt *x, const SentPrompt *y) {
  int c = memcmp(&x->key, &y->key, sizeof x->key);
  return c ? c : strcmp(x->model ? x->model : "", y->model ? y->model : "");
}

/* The newest of each first. */
static int by_key(const void *a, const void *b) {
  const SentPrompt *x = a, *y = b;
  int c = compare(x, y);
  return c ? c : (x->last_ts < y->last_ts) - (x->last_ts > y->last_ts);
}

static int by_calls(const void *a, const void *b) {
  const SentPrompt *x = a, *y = b;
  int c = (x->calls < y->calls) - (x->calls > y->calls);
  return c ? c : compare(x, y);
}

/* Adds an older text of one prompt to it. `last`: the order of the one that was added before; returns that of this
** one. */
static Hash add_older(SentPrompt *p, SentPrompt *older, Hash last) {
  sent_prompt_add(p, older);
  p->orders += memcmp(&last, &older->order, sizeof last) != 0;
  if (!p->before && memcmp(&p->order, &older->order, sizeof last) != 0) {
    p->before = older->hash;
    older->hash = NULL;
  }
  return older->order;
}

/* Of texts that are one prompt, sent to one model, the newest stays, with the calls of all. */
static void join(SentPrompts *s) {
  size_t n = 0;
  Hash last = {{0}};
  if (s->n) {
    qsort(s->at, s->n, sizeof *s->at, by_key);
  }
  for (size_t i = 0; i < s->n; i++) {
    if (n && compare(&s->at[n - 1], &s->at[i]) == 0) {
      last = add_older(&s->at[n - 1], &s->at[i], last);
      sent_prompt_free(&s->at[i]);
    } else {
      last = s->at[i].order;
      s->at[n++] = s->at[i];
    }
  }
  s->n = n;
}

/* Without those that were added to others; the most calls first. */
static void put_in_order(SentPrompts *s) {
  size_t n = 0;
  for (size_t i = 0; i < s->n; i++) {
    if (s->at[i].calls) {
      s->at[n++] = s->at[i];
    } else {
      sent_prompt_free(&s->at[i]);
    }
  }
  s->n = n;
  if (n) {
    qsort(s->at, n, sizeof *s->at, by_calls);
  }
}

static int read_rows(Conn *conn, MovingFinder *finder, sqlite3_stmt *stmt, SentPrompts *out,
                     Err *err) {
  int rc = SQLITE_DONE;
  while (err->rc == RC_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    add_row(finder, stmt, out, err);
  }
  return err->rc != RC_OK || rc == SQLITE_DONE
             ? err->rc
             : store_error(conn->store, rc, "read the ledger", err);
}

int sent_prompts_read(Conn *conn, MovingFinder *finder, SentPrompts *out, Err *err) {
  sqlite3_stmt *stmt = NULL;
  memset(out, 0, sizeof *out);
  Store *store = conn_store(conn, 0, err);
  if (!store || ledger_flush(store, err) != RC_OK) {
    return err->rc;
  }
  sqlite3 *reader = store_reader_take(store, err), *db = reader ? reader : store->db;
  int rc = err->rc == RC_OK ? sqlite3_prepare_v2(db, texts_sql, -1, &stmt, NULL) : SQLITE_OK;
  if (rc != SQLITE_OK) {
    store_error(store, rc, "read the ledger", err);
  } else if (err->rc == RC_OK) {
    sqlite3_bind_int64(stmt, 1, now_ms() - (long long)SENT_DAYS * DAY_MS);
    sqlite3_bind_int(stmt, 2, MOST_TEXTS);
    sqlite3_bind_int(stmt, 3, LINT_LONG_ANSWER);
    if (read_rows(conn, finder, stmt, out, err) == RC_OK) {
      join(out);
      families_join(out, err);
      put_in_order(out);
    }
  }
  sqlite3_finalize(stmt);
  store_reader_give(store, reader);
  if (err->rc != RC_OK) {
    sent_prompts_free(out);
  }
  return err->rc;
}

char *sent_prompts_text(Conn *conn, const char *hash, size_t *n, Err *err) {
  sqlite3_stmt *stmt = NULL;
  char *out = NULL;
  sqlite3 *reader = store_reader_take(conn->store, err), *db = reader ? reader : conn->store->db;
  int rc = err->rc == RC_OK
               ? sqlite3_prepare_v2(db, "SELECT text FROM main.llm_texts WHERE hash = ?1", -1,
                                    &stmt, NULL)
               : SQLITE_OK;
  if (stmt) {
    sqlite3_bind_text(stmt, 1, hash, -1, SQLITE_STATIC);
    rc = sqlite3_step(stmt);
  }
  if (rc == SQLITE_ROW) {
    out = column_copy(stmt, 0, err);
    *n = out ? strlen(out) : 0;
  } else if (rc != SQLITE_OK && rc != SQLITE_DONE) {
    store_error(conn->store, rc, "read the ledger", err);
  }
  sqlite3_finalize(stmt);
  store_reader_give(conn->store, reader);
  return out;
}

void sent_prompts_free(SentPrompts *s) {
  for (size_t i = 0; i < s->n; i++) {
    sent_prompt_free(&s->at[i]);
  }
  free(s->at);
  memset(s, 0, sizeof *s);
}
