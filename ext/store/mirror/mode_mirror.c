/*
** A store over the copy of a ledger that came with the database. See mirror.h, and StoreMode in store/db/store.h.
**
** Nothing can be written: store_begin says so on a replica, where alone this mode is. Each reader is a database in memory of its
** own: some milliseconds when the first question comes.
*/
#include "store/mirror/forward.h"
#include "store/mirror/mirror.h"
#include "store/schema/model.h"

static sqlite3 *open_over(Store *s, Err *err) {
  sqlite3 *db = store_model(&s->host, err);
  if (db && forward_tables(db, s->caller, err) == RC_OK) {
    int rc = store_harden(s, db);
    rc = rc ? rc : sqlite3_exec(db, "PRAGMA query_only=ON", NULL, NULL, NULL);
    rc == SQLITE_OK ? RC_OK : store_error(s, rc, "open it", err);
  }
  if (err->rc != RC_OK) {
    sqlite3_close(db);
    db = NULL;
  }
  return db;
}

static int attach(Store *s, sqlite3 *caller, Err *err) {
  s->caller = caller;
  return err->rc;
}

static int connect(Store *s, Err *err) {
  s->db = open_over(s, err);
  return err->rc;
}

static int make_ready(Store *s, Err *err) {
  (void)s;
  return err->rc;
}

static int begin(Store *s, Err *err) {
  (void)s;
  return err_set(err, RC_ERROR, ERR_REPLICA,
                 "a copy of the ledger is only read: nothing was written");
}

static int end(Store *s, int ok, Err *err) {
  (void)s;
  (void)ok;
  return err->rc;
}

static int takes_back(const Store *s) {
  (void)s;
  return 1;
}

static void nothing(Store *s) {
  (void)s;
}

const StoreMode mode_mirror = {.name = "mirror",
                               .is_view = 1,
                               .owns_connection = 1,
                               .settle_tries = 1,
                               .attach = attach,
                               .connect = connect,
                               .make_ready = make_ready,
                               .open_reader = open_over,
                               .begin = begin,
                               .end = end,
                               .takes_back = takes_back,
                               .start_last = nothing,
                               .end_last = nothing};
