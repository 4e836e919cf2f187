/*
** Statements, transactions and files. See past.h for the contract.
*/
#include "store/past/past_internal.h"

#include "base/sqlite/columns.h"

#include <stdlib.h>
#include <string.h>

#define PARAMETER(name, type, constraint, when) ",?"
#define CALL_ROW " main.llm_calls VALUES (?1" LEDGER_COLUMNS(PARAMETER) ")"
#define KEY_ROW                                                                                    \
  " main.llm_import_keys(key, call_id, part, is_copy, rank) VALUES (?1, ?2, ?3, ?4, ?5)"
#define SUM_COLUMN(name, type) "," #name
#define SUM_PARAMETER(name, type) ",?"
#define NESTED                                                                                     \
  "SELECT from_ts, to_ts, precedence >= " PAST_UNDER_TEXT ", count(*), count(amount_nusd),"        \
  " total(amount_nusd), total(input_tokens) + total(output_tokens) FROM main.llm_invoices"
#define BY_BUCKET " GROUP BY from_ts, to_ts ORDER BY from_ts, to_ts DESC"
#define OF_BUCKET " WHERE source = ?1 AND from_ts = ?2 AND to_ts = ?3 AND belongs IS ?4"

static const char *const texts[PAST_SQL_COUNT] = {
    [PAST_IS_OURS] = "SELECT 1 FROM main.llm_calls WHERE ts = ?1 AND attempt = ?3"
                     " AND (request_id = substr(?2, 8) AND source IS NULL"
                     " OR request_id = ?2 AND source <> 'llmcost') LIMIT 1",
    [PAST_GET_KEY] = "SELECT call_id, part, is_copy, rank FROM main.llm_import_keys WHERE key = ?1",
    [PAST_TAKE_KEY] = "INSERT OR IGNORE INTO" KEY_ROW,
    [PAST_PUT_KEY] = "INSERT OR REPLACE INTO" KEY_ROW,
    [PAST_NOTE_GROUP] = "INSERT OR IGNORE INTO main.llm_import_keys(key) VALUES (?1)",
    [PAST_GET_CALL] = "SELECT " ROW_COLUMNS " FROM main.llm_calls WHERE id = ?1",
    [PAST_ADD_CALL] = "INSERT INTO" CALL_ROW,
    [PAST_PUT_CALL] = "INSERT OR REPLACE INTO" CALL_ROW,
    [PAST_DROP_GROUP] = "DELETE FROM main.llm_invoices WHERE belongs = ?1",
    [PAST_TOTAL] = "SELECT count(*), count(amount_nusd), total(amount_nusd),"
                   " total(input_tokens) + total(output_tokens) FROM main.llm_invoices" OF_BUCKET,
    [PAST_DROP_BUCKET] = "DELETE FROM main.llm_invoices" OF_BUCKET,
    [PAST_PUT_SUM] =
        "INSERT INTO main.llm_invoices(source, from_ts, to_ts, belongs, "
        "precedence" PAST_SUM_COLUMNS(SUM_COLUMN) ") VALUES (?1, ?2, ?3, ?4, ?5" PAST_SUM_COLUMNS(
            SUM_PARAMETER) ")",
    /* (a month is the longest of periods) */
    [PAST_WIDEN] =
        "SELECT min(from_ts), max(to_ts) FROM main.llm_invoices WHERE source = ?1"
        " AND from_ts > ?2 - 2764800000 AND from_ts < ?3 AND to_ts > ?2 AND belongs IS ?4",
    [PAST_NESTED] =
        NESTED " WHERE source = ?1 AND from_ts >= ?2 AND from_ts < ?3 AND belongs IS ?4" BY_BUCKET,
    [PAST_GROUP_NESTED] = NESTED " WHERE source = ?1 AND ?2 <= ?3 AND belongs = ?4" BY_BUCKET,
    [PAST_MARK_BUCKET] = "UPDATE main.llm_invoices SET precedence = precedence + ?5" OF_BUCKET,
    [PAST_GET_FILE] = "SELECT format, size, mtime, inode, offset, line, head, tail, state"
                      " FROM main.llm_import_files WHERE path = ?1",
    [PAST_PUT_FILE] =
        "INSERT OR REPLACE INTO main.llm_import_files(path, format, size, mtime, inode,"
        " offset, line, head, tail, state, imported_at)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
};

Past *past_new(Store *s, Err *err) {
  Past *p = calloc(1, sizeof *p);
  if (!p) {
    err_nomem(err);
    return NULL;
  }
  p->store = s;
  p->sums = sums_new(err);
  p->reader = p->sums ? store_reader_take(s, err) : NULL;
  if (err->rc != RC_OK) {
    past_free(p);
    return NULL;
  }
  return p;
}

void past_free(Past *p) {
  Err ignored = {0};
  if (!p) {
    return;
  }
  if (p->is_open) {
    past_end(p, 0, &ignored);
  }
  for (int i = 0; i < PAST_SQL_COUNT; i++) {
    sqlite3_finalize(p->stmt[i]);
  }
  store_reader_give(p->store, p->reader);
  sums_free(p->sums);
  free(p->texts);
  free(p);
}

/* An error of the reader: the writing connection may be another thread's now, with its errors. */
static int reader_error(Past *p, int rc, Err *err) {
  int code = rc & 0xff;
  return code == SQLITE_NOMEM ? err_nomem(err)
         : code == SQLITE_INTERRUPT
             ? err_set(err, RC_INTERRUPT, ERR_INTERRUPTED, "interrupted")
             : err_set(err, code, ERR_STORE, "the store '%s': cannot look for files: %s",
                       store_name(p->store), sqlite3_errmsg(p->reader));
}

static int error(Past *p, sqlite3 *db, int rc, const char *doing, Err *err) {
  return p->reader && db == p->reader ? reader_error(p, rc, err)
                                      : store_error(p->store, rc, doing, err);
}

sqlite3_stmt *past_stmt(Past *p, PastSql id, Err *err) {
  if (!p->stmt[id] && err->rc == RC_OK) {
    sqlite3 *db = id == PAST_GET_FILE && p->reader ? p->reader : p->store->db;
    int rc = sqlite3_prepare_v2(db, texts[id], -1, &p->stmt[id], NULL);
    if (rc != SQLITE_OK) {
      error(p, db, rc, "prepare", err);
    }
  }
  return err->rc == RC_OK ? p->stmt[id] : NULL;
}

int past_done(Past *p, sqlite3_stmt *stmt, int rc, Err *err) {
  int ended = sqlite3_reset(stmt);
  sqlite3_clear_bindings(stmt);
  rc = rc == SQLITE_OK ? ended : rc;
  return rc == SQLITE_OK ? err->rc
                         : error(p, sqlite3_db_handle(stmt), rc, "write what was imported", err);
}

int past_run(Past *p, sqlite3_stmt *stmt, int rc, Err *err) {
  if (rc == SQLITE_OK) {
    sqlite3_step(stmt);
  }
  return past_done(p, stmt, rc, err);
}

int past_bind_text(sqlite3_stmt *stmt, int at, const char *text) {
  return sqlite3_bind_text(stmt, at, text, -1, SQLITE_STATIC);
}

int past_bind_hash(sqlite3_stmt *stmt, int at, const Hash *hash) {
  return sqlite3_bind_blob(stmt, at, hash->b, sizeof hash->b, SQLITE_TRANSIENT);
}

int past_bind_int(sqlite3_stmt *stmt, int at, long long value) {
  return value == LEDGER_NULL ? sqlite3_bind_null(stmt, at) : sqlite3_bind_int64(stmt, at, value);
}

int past_column_hash(sqlite3_stmt *stmt, int at, Hash *hash) {
  const void *bytes = sqlite3_column_blob(stmt, at);
  int is_hash = bytes && sqlite3_column_bytes(stmt, at) == (int)sizeof hash->b;
  if (is_hash) {
    memcpy(hash->b, bytes, sizeof hash->b);
  }
  return is_hash;
}

Hash past_hash(const char *const *parts) {
  Hash hash = {{0}};
  for (; *parts; parts++) { /* each is hashed by itself: where one ends is no question */
    struct {
      Hash before, text;
    } pair = {hash, hash_bytes(*parts, strlen(*parts), 0)};
    hash = hash_bytes(&pair, sizeof pair, 0);
  }
  return hash;
}

/* ---- transactions */

int past_begin(Past *p, Err *err) {
  p->is_open = store_begin(p->store, err) == RC_OK;
  p->knows_next_id = 0; /* others wrote in between */
  return err->rc;
}

/* Sums in memory are of this transaction: they go with it. */
static void forget_sums(Past *p) {
  Err ignored = {0};
  Sums *empty = sums_new(&ignored);
  if (empty) {
    sums_free(p->sums);
    p->sums = empty;
  }
}

int past_end(Past *p, int ok, Err *err) {
  int keeps = ok && err->rc == RC_OK && sums_write(p->store, p->sums, err) == RC_OK;
  p->is_open = 0;
  store_end(p->store, keeps, err);
  if (!keeps || err->rc != RC_OK) {
    forget_sums(p);
  }
  return err->rc;
}

/* ---- files */

/* The row that a statement stands on; its texts are copied, so that it need not stay open. An SQLite code. */
static int read_file(Past *p, sqlite3_stmt *stmt, PastFile *f) {
  const char *format = (const char *)sqlite3_column_text(stmt, 0);
  const char *state = (const char *)sqlite3_column_text(stmt, 8);
  if (!columns_have_texts(stmt)) {
    return SQLITE_NOMEM;
  }
  size_t n = row_text_size(format) + row_text_size(state);
  char *at = malloc(n + 1);
  free(p->texts);
  p->texts = at;
  if (!at) {
    return SQLITE_NOMEM;
  }
  *f = (PastFile){.path = f->path,
                  .format = format,
                  .size = sqlite3_column_int64(stmt, 1),
                  .mtime = sqlite3_column_int64(stmt, 2),
                  .inode = sqlite3_column_int64(stmt, 3),
                  .offset = sqlite3_column_int64(stmt, 4),
                  .line = sqlite3_column_int64(stmt, 5),
                  .state = state};
  f->has_hashes = past_column_hash(stmt, 6, &f->head) && past_column_hash(stmt, 7, &f->tail);
  row_keep_text(&f->format, &at);
  row_keep_text(&f->state, &at);
  return SQLITE_OK;
}

int past_get_file(Past *p, const char *path, PastFile *f, Err *err) {
  sqlite3_stmt *stmt = past_stmt(p, PAST_GET_FILE, err);
  if (!stmt) {
    return -1;
  }
  *f = (PastFile){.path = path};
  int rc = past_bind_text(stmt, 1, path);
  rc = rc == SQLITE_OK ? sqlite3_step(stmt) : rc;
  int found = rc == SQLITE_ROW;
  rc = found ? read_file(p, stmt, f) : rc;
  past_done(p, stmt, rc == SQLITE_DONE ? SQLITE_OK : rc, err);
  return err->rc == RC_OK ? found : -1;
}

int past_put_file(Past *p, const PastFile *f, long long now, Err *err) {
  sqlite3_stmt *stmt = past_stmt(p, PAST_PUT_FILE, err);
  if (!stmt) {
    return err->rc;
  }
  const long long numbers[] = {f->size, f->mtime, f->inode, f->offset, f->line};
  int rc = past_bind_text(stmt, 1, f->path);
  rc = rc == SQLITE_OK ? past_bind_text(stmt, 2, f->format) : rc;
  for (int i = 0; i < 5; i++) {
    sqlite3_bind_int64(stmt, 3 + i, numbers[i]);
  }
  if (f->has_hashes && rc == SQLITE_OK) {
    rc = past_bind_hash(stmt, 8, &f->head);
    rc = rc == SQLITE_OK ? past_bind_hash(stmt, 9, &f->tail) : rc;
  }
  rc = rc == SQLITE_OK ? past_bind_text(stmt, 10, f->state) : rc;
  sqlite3_bind_int64(stmt, 11, now);
  return past_run(p, stmt, rc, err);
}
