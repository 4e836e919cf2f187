/*
** See runs.h for the contract.
*/
#include "store/runs/runs.h"

#include "store/db/owner.h"

static void bind_count(sqlite3_stmt *stmt, int at, long long n) {
  if (n >= 0) {
    sqlite3_bind_int64(stmt, at, n);
  }
}

static int finish(Store *s, sqlite3_stmt *stmt, Err *err) {
  sqlite3_step(stmt);
  int rc = store_done(s, stmt);
  return rc == SQLITE_OK ? RC_OK : store_error(s, rc, "note the progress of a run", err);
}

static int put(Store *s, RunRow *r, Err *err) {
  char owner[OWNER_SIZE];
  sqlite3_stmt *stmt = store_stmt(s, SQL_PUT_RUN, err);
  if (!stmt) {
    return err->rc;
  }
  owner_self(s->place, owner);
  const long long counts[] = {r->started_at, r->updated_at,   r->rows,   r->requests,
                              r->done,       r->hits,         r->errors, r->calls,
                              r->spent_nusd, r->expected_nusd};
  bind_count(stmt, 1, r->id > 0 ? r->id : -1);
  sqlite3_bind_text(stmt, 2, owner, -1, SQLITE_STATIC);
  sqlite3_bind_int64(stmt, 3, r->updated_at + RUNS_LEASE_MS);
  sqlite3_bind_text(stmt, 4, r->state, -1, SQLITE_STATIC);
  for (int i = 0; i < (int)(sizeof counts / sizeof counts[0]); i++) {
    bind_count(stmt, 5 + i, counts[i]);
  }
  sqlite3_bind_text(stmt, 15, r->waits_for, -1, SQLITE_STATIC);
  bind_count(stmt, 16, r->waits_for ? r->waits_until : -1);
  return finish(s, stmt, err);
}

static int drop_old(Store *s, long long newest, Err *err) {
  sqlite3_stmt *stmt = store_stmt(s, SQL_DROP_RUNS, err);
  if (!stmt) {
    return err->rc;
  }
  sqlite3_bind_int64(stmt, 1, newest);
  return finish(s, stmt, err);
}

int runs_put(Store *s, RunRow *run, Err *err) {
  long long id = run->id;
  if (!s->mode->has_intents || store_begin(s, err) != RC_OK) {
    return err->rc;
  }
  if (put(s, run, err) == RC_OK && id == 0) {
    id = sqlite3_last_insert_rowid(s->db);
    drop_old(s, id, err);
  }
  if (store_end(s, err->rc == RC_OK, err) == RC_OK) {
    run->id = id;
  }
  return err->rc;
}
