/*
** Bills of the ledger. See bills.h for the contract.
**
** Found from the newest row backwards, without an index: the window bounds what a model costs that
** the ledger hardly knows. Texts over LIMIT_BILL_TEXT bytes are passed over: they teach no more than
** shorter ones, and are slower to count. A conversation is one too: its text in the ledger is not
** what was sent. Only a store of this installation is asked: another's would teach what its author likes.
*/
#include "store/bills.h"

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

/* The first row's first number, 0 for none. */
static long long ask(sqlite3 *db, const char *sql) {
  sqlite3_stmt *stmt = NULL;
  long long value = 0;
  if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK &&
      sqlite3_step(stmt) == SQLITE_ROW) {
    value = sqlite3_column_int64(stmt, 0);
  }
  sqlite3_finalize(stmt);
  return value;
}

/* Not with SQLITE_OPEN_READONLY: such a connection can't take the WAL files away again. */
static sqlite3 *open_file(const char *path, const StoreHost *host) {
  sqlite3 *db = NULL;
  int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
  Err ignored = {0};
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
  if (rc == SQLITE_OK) {
    rc = sqlite3_exec(db, "PRAGMA query_only=ON", NULL, NULL, NULL);
  }
  if (rc == SQLITE_OK && ask(db, "PRAGMA main.application_id") == STORE_APPLICATION_ID &&
      store_is_ours(db, "main", host, &ignored) == 1) {
    return db;
  }
  sqlite3_close(db);
  return NULL;
}

int bills_open(Bills *b, Store *store, const char *path, const StoreHost *host) {
  Err ignored = {0};
  *b = (Bills){NULL, NULL, 0};
  if (store && store->is_main) {
    b->db = store->db;
  } else if (store) {
    b->db = store_reader_take(store, &ignored);
    b->store = store;
  } else if (path) {
    b->db = open_file(path, host);
    b->owned = 1;
  }
  return b->db != NULL;
}

void bills_close(Bills *b) {
  if (b->store) {
    store_reader_give(b->store, b->db);
  } else if (b->owned) {
    sqlite3_close(b->db);
  }
  b->db = NULL;
}

long long bills_newest(Bills *b) {
  return ask(b->db, newest_sql);
}

static const char *text_of(sqlite3_stmt *stmt, int column, size_t *n) {
  const char *text = (const char *)sqlite3_column_text(stmt, column);
  *n = (size_t)sqlite3_column_bytes(stmt, column);
  return text;
}

void bills_read(Bills *b, const char *model, BillFn take, void *arg) {
  sqlite3_stmt *stmt = NULL;
  if (sqlite3_prepare_v2(b->db, bills_sql, -1, &stmt, NULL) == SQLITE_OK) {
    sqlite3_bind_text(stmt, 1, model, -1, SQLITE_STATIC);
    sqlite3_bind_int(stmt, 2, LIMIT_BILL_ROWS);
    sqlite3_bind_int(stmt, 3, LIMIT_BILL_TEXT);
    sqlite3_bind_int(stmt, 4, LIMIT_BILLS);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
      Bill bill = {.input_tokens = sqlite3_column_int64(stmt, 2)};
      bill.prompt = text_of(stmt, 0, &bill.n_prompt);
      bill.system = text_of(stmt, 1, &bill.n_system);
      if (bill.prompt) {
        take(arg, &bill);
      }
    }
  }
  sqlite3_finalize(stmt);
}
