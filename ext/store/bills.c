/*
** Bills of the ledger. See bills.h for the contract.
**
** Found from the newest row backwards, without an index: the window bounds what a model costs that
** the ledger hardly knows. Texts over LIMIT_BILL_TEXT bytes are passed over: they teach no more than
** shorter ones, and are slower to count. A conversation is one too: its text in the ledger is not
** what was sent. Only a store of this installation is asked: another's would teach what its author likes.
*/
#include "store/bills.h"

#include "base/limits.h"
#include "store/schema/known.h"
#include "store/schema/migrate.h"

#include <errno.h>
#include <sys/stat.h>

static const char newest_sql[] = "SELECT max(id) FROM main.llm_calls";

static const char bills_sql[] =
    "SELECT p.text, s.text, c.input_tokens FROM main.llm_calls c"
    " JOIN main.llm_texts p ON p.hash = c.prompt_hash"
    " LEFT JOIN main.llm_texts s ON s.hash = c.system_hash"
    " WHERE c.id > (SELECT max(id) FROM main.llm_calls) - ?2"
    " AND c.kind = 'call' AND (c.model = ?1 OR c.model_requested = ?1) AND c.error IS NULL"
    " AND c.history_tokens = 0 AND c.turn = 1 AND c.input_tokens > 0"
    " AND (c.system_hash IS NULL OR s.text IS NOT NULL)"
    " AND length(p.text) <= ?3 AND (s.text IS NULL OR length(s.text) <= ?3)"
    " ORDER BY c.id DESC LIMIT ?4";

static int cannot_read(sqlite3 *db, int rc, Err *err) {
  int code = rc & 0xff;
  if (code == SQLITE_NOMEM) {
    return err_nomem(err);
  }
  if (code == SQLITE_INTERRUPT) {
    return err_set(err, RC_INTERRUPT, ERR_INTERRUPTED, "interrupted");
  }
  return err_set(err, code ? code : RC_ERROR, ERR_STORE, "cannot read what the ledger teaches: %s",
                 db ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
}

/* The first row's first number, 0 for none or NULL. An SQLite code. */
static int ask(sqlite3 *db, const char *sql, long long *value) {
  sqlite3_stmt *stmt = NULL;
  int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
  *value = 0;
  if (rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    *value = sqlite3_column_int64(stmt, 0);
  }
  int end = sqlite3_finalize(stmt);
  return rc == SQLITE_OK ? end : rc;
}

/* 1 if there is certainly no such file. */
static int is_absent(const char *path) {
  struct stat st;
  return lstat(path, &st) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

/* 1 if the open file is a store of this installation, and of our version; 0 if not; -1 and *err. */
static int is_ledger(sqlite3 *db, const StoreHost *host, Err *err) {
  long long application = 0, version = 0;
  Err why = {0};
  int rc = sqlite3_exec(db, "PRAGMA query_only=ON", NULL, NULL, NULL);
  rc = rc == SQLITE_OK ? ask(db, "PRAGMA main.application_id", &application) : rc;
  rc = rc == SQLITE_OK ? ask(db, "PRAGMA main.user_version", &version) : rc;
  if (rc != SQLITE_OK) {
    return (rc & 0xff) == SQLITE_NOTADB ? 0 : (cannot_read(db, rc, err), -1);
  }
  int is_newest = application == STORE_APPLICATION_ID && version == migrate_newest();
  int is_ours = is_newest ? store_is_ours(db, "main", host, &why) : 0;
  if (is_ours < 0 && why.rc != RC_ERROR) { /* (RC_ERROR: nothing here makes it ours) */
    *err = why;
    return -1;
  }
  return is_ours == 1;
}

/* Not with SQLITE_OPEN_READONLY: such a connection can't take the WAL files away again. */
static int open_file(const char *path, const StoreHost *host, sqlite3 **db, Err *err) {
  if (is_absent(path)) {
    return 0;
  }
  int rc = sqlite3_open_v2(path, db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
  if (rc != SQLITE_OK) {
    cannot_read(*db, rc, err);
    return -1;
  }
  sqlite3_db_config(*db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  sqlite3_db_config(*db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
  return is_ledger(*db, host, err);
}

int bills_open(Bills *b, Store *store, const char *path, const StoreHost *host, Err *err) {
  *b = (Bills){NULL, NULL, 0};
  int found = 0;
  if (store) {
    b->store = store;
    b->db = store_reader_take(store, err);
    if (!b->db && err->rc == RC_OK) {
      b->store = NULL;
      b->db = store->db;
    }
    found = b->db ? 1 : -1;
  } else if (path) {
    b->owned = 1;
    found = open_file(path, host, &b->db, err);
  }
  return found;
}

void bills_close(Bills *b) {
  if (b->store) {
    store_reader_give(b->store, b->db);
  } else if (b->owned) {
    sqlite3_close(b->db);
  }
  b->db = NULL;
}

int bills_newest(Bills *b, long long *newest, Err *err) {
  int rc = ask(b->db, newest_sql, newest);
  return rc == SQLITE_OK ? RC_OK : cannot_read(b->db, rc, err);
}

/* A text of a row, NULL where it is NULL. 0 where there is no memory for it. */
static int take_text(sqlite3_stmt *stmt, int column, const char **text, size_t *n) {
  int is_null = sqlite3_column_type(stmt, column) == SQLITE_NULL;
  *text = is_null ? NULL : (const char *)sqlite3_column_text(stmt, column);
  *n = *text ? (size_t)sqlite3_column_bytes(stmt, column) : 0;
  return is_null || *text;
}

int bills_read(Bills *b, const char *model, BillFn take, void *arg, Err *err) {
  sqlite3_stmt *stmt = NULL;
  int rc = sqlite3_prepare_v2(b->db, bills_sql, -1, &stmt, NULL);
  if (rc == SQLITE_OK) {
    rc = sqlite3_bind_text(stmt, 1, model, -1, SQLITE_STATIC);
    sqlite3_bind_int(stmt, 2, LIMIT_BILL_ROWS);
    sqlite3_bind_int(stmt, 3, LIMIT_BILL_TEXT);
    sqlite3_bind_int(stmt, 4, LIMIT_BILLS);
  }
  while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    Bill bill = {.input_tokens = sqlite3_column_int64(stmt, 2)};
    rc = take_text(stmt, 0, &bill.prompt, &bill.n_prompt) &&
                 take_text(stmt, 1, &bill.system, &bill.n_system)
             ? SQLITE_OK
             : SQLITE_NOMEM;
    if (rc == SQLITE_OK && bill.prompt) {
      take(arg, &bill);
    }
  }
  if (rc != SQLITE_DONE) {
    cannot_read(b->db, rc, err);
  }
  sqlite3_finalize(stmt);
  return err->rc;
}

static const char typical_sql[] =
    "SELECT avg(output_tokens), count(*), avg(output_tokens * output_tokens * 1.0),"
    " avg(reasoning_tokens) FROM (SELECT output_tokens, reasoning_tokens FROM main.llm_calls"
    " WHERE id > (SELECT max(id) FROM main.llm_calls) - ?2 AND kind = 'call' AND source IS NULL"
    " AND (model = ?1 OR model_requested = ?1) AND (?4 IS NULL OR system_hash = ?4)"
    " AND (?5 IS NULL OR tag = ?5)"
    " AND coalesce(CASE WHEN json_valid(notes) THEN json_extract(notes, '$.asked.reasoning') END, "
    "'')"
    " = coalesce(?6, '')"
    " AND output_tokens IS NOT NULL AND error IS NULL ORDER BY id DESC LIMIT ?3)";

int bills_typical(Bills *b, const TypicalAsk *ask, Typical *typical, Err *err) {
  sqlite3_stmt *stmt = NULL;
  int rc = sqlite3_prepare_v2(b->db, typical_sql, -1, &stmt, NULL);
  if (rc == SQLITE_OK) {
    rc = sqlite3_bind_text(stmt, 1, ask->model, -1, SQLITE_STATIC);
    sqlite3_bind_int(stmt, 2, LIMIT_BILL_ROWS);
    sqlite3_bind_int(stmt, 3, LIMIT_BILLS);
    rc = rc == SQLITE_OK ? sqlite3_bind_text(stmt, 4, ask->system, -1, SQLITE_STATIC) : rc;
    rc = rc == SQLITE_OK ? sqlite3_bind_text(stmt, 5, ask->tag, -1, SQLITE_STATIC) : rc;
    rc = rc == SQLITE_OK ? sqlite3_bind_text(stmt, 6, ask->reasoning, -1, SQLITE_STATIC) : rc;
  }
  if (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    double mean = sqlite3_column_double(stmt, 0), squares = sqlite3_column_double(stmt, 2);
    int n = sqlite3_column_int(stmt, 1);
    double variance = n > 1 ? (squares - mean * mean) * n / (n - 1) : 0;
    int is_told = sqlite3_column_type(stmt, 3) != SQLITE_NULL;
    *typical = (Typical){mean, variance > 0 ? variance : 0, n,
                         is_told ? sqlite3_column_double(stmt, 3) : -1};
  }
  if (rc != SQLITE_ROW) {
    cannot_read(b->db, rc, err);
  }
  sqlite3_finalize(stmt);
  return err->rc;
}
