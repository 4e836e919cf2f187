/*
** Statements on llm_cache. See semantic.h for the contract.
*/
#include "store/semantic.h"

#include <math.h>

static void bind_number(sqlite3_stmt *stmt, int at, double value) {
  if (!isnan(value)) {
    sqlite3_bind_double(stmt, at, value);
  }
}

static void bind_question(sqlite3_stmt *stmt, const Question *q) {
  sqlite3_bind_text64(stmt, 1, q->text, q->n, SQLITE_STATIC, SQLITE_UTF8);
  sqlite3_bind_text(stmt, 2, q->system, -1, SQLITE_STATIC);
  sqlite3_bind_text(stmt, 3, q->scope, -1, SQLITE_STATIC);
}

static void bind_user(sqlite3_stmt *stmt, int at, const Question *q) {
  sqlite3_bind_text(stmt, at, q->user, -1, SQLITE_STATIC);
}

/* A threshold the caller gave, and a bound that is set, are conditions of their own. */
static StoreSql lookup_of(const Question *q) {
  return !isnan(q->threshold)        ? SQL_FIND_ABOVE
         : !isnan(q->max_false_hits) ? SQL_FIND_ADAPTIVE
                                     : SQL_FIND_SIMILAR;
}

/* A text of a row; "" for NULL. *ok 0: SQLite had no memory for it. */
static const char *text_of(sqlite3_stmt *stmt, int at, int *ok) {
  const char *text = (const char *)sqlite3_column_text(stmt, at);
  *ok &= text || sqlite3_column_type(stmt, at) == SQLITE_NULL;
  return text ? text : "";
}

/* Who gave the entry, as the ledger has it. */
static int find_origin(Store *s, SemanticHit *hit, Err *err) {
  sqlite3_stmt *stmt = store_stmt(s, SQL_ORIGIN, err);
  int ok = 1;
  if (!stmt) {
    return err->rc;
  }
  sqlite3_bind_int64(stmt, 1, hit->entry);
  if (sqlite3_step(stmt) == SQLITE_ROW) {
    sqlite3_snprintf((int)sizeof hit->provider, hit->provider, "%s", text_of(stmt, 0, &ok));
    sqlite3_snprintf((int)sizeof hit->tier, hit->tier, "%s", text_of(stmt, 1, &ok));
  }
  int rc = store_done(s, stmt);
  return rc == SQLITE_OK && ok
             ? RC_OK
             : store_error(s, ok ? rc : SQLITE_NOMEM, "read who gave an entry", err);
}

/* What the entry cost; anything but a whole number from 0 is not known. */
static long long cost_of(sqlite3_stmt *stmt) {
  long long cost =
      sqlite3_column_type(stmt, 5) == SQLITE_INTEGER ? sqlite3_column_int64(stmt, 5) : LEDGER_NULL;
  return cost < 0 ? LEDGER_NULL : cost;
}

int semantic_find(Store *s, const Question *q, SemanticHit *hit, sqlite3_stmt **held, Err *err) {
  sqlite3_stmt *stmt = store_stmt(s, lookup_of(q), err);
  *held = stmt;
  if (!stmt) {
    return -1;
  }
  bind_question(stmt, q);
  bind_number(stmt, 4, isnan(q->threshold) ? q->max_false_hits : q->threshold);
  bind_user(stmt, 5, q);
  int rc = sqlite3_step(stmt);
  if (rc == SQLITE_DONE) {
    return 0;
  }
  if (rc != SQLITE_ROW) {
    store_error(s, rc, "look into the semantic cache", err);
    return -1;
  }
  int ok = 1;
  text_of(stmt, 3, &ok);
  text_of(stmt, 4, &ok);
  *hit = (SemanticHit){.entry = sqlite3_column_int64(stmt, 0),
                       .text = (const char *)sqlite3_column_text(stmt, 1),
                       .n = (size_t)sqlite3_column_bytes(stmt, 1),
                       .similarity = sqlite3_column_double(stmt, 2),
                       .model = (const char *)sqlite3_column_text(stmt, 3),
                       .tag = (const char *)sqlite3_column_text(stmt, 4),
                       .cost_nusd = cost_of(stmt)};
  if (sqlite3_column_type(stmt, 1) != SQLITE_TEXT) {
    return 0;
  }
  if (!ok || !hit->text) {
    err_nomem(err);
  }
  return err->rc == RC_OK && find_origin(s, hit, err) == RC_OK ? 1 : -1;
}

void semantic_done(Store *s, sqlite3_stmt *held) {
  if (held) {
    store_done(s, held);
  }
}

/* 1 if there is an entry with this very text; 0 also with *err. */
static int is_kept(Store *s, const Question *q, Err *err) {
  sqlite3_stmt *stmt = store_stmt(s, SQL_FIND_ABOVE, err);
  if (!stmt) {
    return 0;
  }
  bind_question(stmt, q);
  sqlite3_bind_double(stmt, 4, 1);
  int found = sqlite3_step(stmt) == SQLITE_ROW;
  int rc = store_done(s, stmt);
  return rc == SQLITE_OK ? found : (store_error(s, rc, "look into the semantic cache", err), 0);
}

/* Notes which entry holds the answer of a call. */
static int put_entry(Store *s, long long call_id, long long entry, Err *err) {
  sqlite3_stmt *stmt = store_stmt(s, SQL_PUT_SERVED, err);
  if (!stmt) {
    return err->rc;
  }
  sqlite3_bind_int64(stmt, 1, call_id);
  sqlite3_bind_int64(stmt, 2, entry);
  sqlite3_step(stmt);
  int rc = store_done(s, stmt);
  return rc == SQLITE_OK ? RC_OK : store_error(s, rc, "note an entry", err);
}

int semantic_put(Store *s, const Question *q, const Answer *a, Err *err) {
  if (q->only_replaces && !is_kept(s, q, err)) {
    return err->rc;
  }
  sqlite3_stmt *stmt = store_stmt(s, SQL_PUT_SIMILAR, err);
  if (!stmt) {
    return err->rc;
  }
  bind_question(stmt, q);
  sqlite3_bind_text64(stmt, 4, a->text, a->n, SQLITE_STATIC, SQLITE_UTF8);
  sqlite3_bind_text(stmt, 5, a->model, -1, SQLITE_STATIC);
  sqlite3_bind_text(stmt, 6, a->tag, -1, SQLITE_STATIC);
  if (a->cost_nusd != LEDGER_NULL) {
    sqlite3_bind_int64(stmt, 7, a->cost_nusd);
  }
  sqlite3_bind_int64(stmt, 8, a->created_at);
  if (a->expires_at != LEDGER_NULL) {
    sqlite3_bind_int64(stmt, 9, a->expires_at);
  }
  bind_number(stmt, 10, q->max_false_hits);
  bind_user(stmt, 11, q);
  sqlite3_step(stmt);
  int rc = store_done(s, stmt);
  return rc == SQLITE_OK ? put_entry(s, a->call_id, sqlite3_last_insert_rowid(s->db), err)
                         : store_error(s, rc, "keep an answer by meaning", err);
}
