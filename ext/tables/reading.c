/*
** See reading.h for the contract.
*/
#include "tables/reading.h"

#include "store/ledger.h"

#include <string.h>

int reading_fail(int rc, const char *message, Err *err) {
  return rc == SQLITE_NOMEM ? err_nomem(err) : err_set(err, rc & 0xff, ERR_STORE, "%s", message);
}

sqlite3 *reading_connection(Reading *r, Conn *conn, Err *err) {
  Store *store = conn_store(conn, 0, err);
  if (store && ledger_flush(store, err) == RC_OK && !r->reader) {
    r->store = store;
    r->reader = store_reader_take(store, err);
  }
  return err->rc != RC_OK || !store ? NULL : r->reader ? r->reader : store->db;
}

static void drop_kept(Reading *r) {
  sqlite3_finalize(r->kept);
  sqlite3_free(r->sql);
  r->kept = NULL;
  r->sql = NULL;
}

int reading_prepare(Reading *r, sqlite3 *db, const char *sql, Err *err) {
  if (!r->kept || strcmp(r->sql, sql) != 0) {
    drop_kept(r);
    r->sql = sqlite3_mprintf("%s", sql);
    int rc = r->sql ? sqlite3_prepare_v2(db, sql, -1, &r->kept, NULL) : SQLITE_NOMEM;
    if (rc != SQLITE_OK) {
      reading_fail(rc, sqlite3_errmsg(db), err);
      drop_kept(r);
      return err->rc;
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
  drop_kept(r);
  store_reader_give(r->store, r->reader);
}
