/*
** See reading.h for the contract.
*/
#include "tables/kit/reading.h"

#include "store/ledger.h"

#include <string.h>

int reading_fail(int rc, const char *message, Err *err) {
  return rc == SQLITE_NOMEM ? err_nomem(err) : err_set(err, rc & 0xff, ERR_STORE, "%s", message);
}

sqlite3 *reading_connection(Reading *r, Conn *conn, const char *sql, Err *err) {
  Store *store = conn_store(conn, 0, err);
  if (store && ledger_flush(store, err) == RC_OK && !r->reader) {
    r->store = store;
    r->reader =
        sql ? store_reader_take_for(store, sql, &r->kept, err) : store_reader_take(store, err);
  }
  return err->rc != RC_OK || !store ? NULL : r->reader ? r->reader : store->db;
}

int reading_prepare(Reading *r, sqlite3 *db, const char *sql, Err *err) {
  if (!r->kept || strcmp(sqlite3_sql(r->kept), sql) != 0) {
    sqlite3_finalize(r->kept);
    r->kept = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &r->kept, NULL);
    if (rc != SQLITE_OK) {
      return reading_fail(rc, sqlite3_errmsg(db), err);
    }
  }
  sqlite3_reset(r->kept);
  r->stmt = r->kept;
  return RC_OK;
}

int reading_next(Reading *r, Err *err) {
  int rc = sqlite3_step(r->stmt);
  if (rc == SQLITE_ROW) {
    return RC_OK;
  }
  sqlite3 *db = sqlite3_db_handle(r->stmt);
  rc = sqlite3_reset(r->stmt);
  r->stmt = NULL;
  return rc == SQLITE_OK ? RC_OK : reading_fail(rc, sqlite3_errmsg(db), err);
}

void reading_clear(Reading *r) {
  sqlite3_reset(r->kept);
  r->stmt = NULL;
}

void reading_close(Reading *r) {
  if (r->reader) {
    store_reader_give_with(r->store, r->reader, r->kept);
  } else {
    sqlite3_finalize(r->kept);
  }
}
