/*
** See health.h for the contract.
*/
#include "store/health/health.h"

#include "base/utf8.h"
#include "store/db/owner.h"

static int bind_key(sqlite3_stmt *stmt, const HealthKey *key) {
  int rc = sqlite3_bind_text(stmt, 1, key->provider, -1, SQLITE_STATIC);
  rc = rc ? rc : sqlite3_bind_text(stmt, 2, key->base_url, -1, SQLITE_STATIC);
  return rc ? rc : sqlite3_bind_text(stmt, 3, key->model, -1, SQLITE_STATIC);
}

/* A statement with its key bound; NULL and *err. */
static sqlite3_stmt *start(Store *s, StoreSql id, const HealthKey *key, Err *err) {
  sqlite3_stmt *stmt = store_stmt(s, id, err);
  int rc = stmt ? bind_key(stmt, key) : SQLITE_OK;
  if (rc != SQLITE_OK) {
    store_done(s, stmt);
    store_error(s, rc, "read who is paused", err);
    stmt = NULL;
  }
  return stmt;
}

static int finish(Store *s, sqlite3_stmt *stmt, Err *err) {
  int rc = store_done(s, stmt);
  return rc == SQLITE_OK ? RC_OK : store_error(s, rc, "note who is paused", err);
}

/* Runs one to its end. */
static int run(Store *s, sqlite3_stmt *stmt, Err *err) {
  if (!stmt) {
    return err->rc;
  }
  sqlite3_step(stmt);
  return finish(s, stmt, err);
}

static void read_state(sqlite3_stmt *stmt, Health *h, Err *err) {
  const char *model = (const char *)sqlite3_column_text(stmt, 0);
  const char *reason = (const char *)sqlite3_column_text(stmt, 2);
  if (!model || !reason) {
    err_nomem(err);
    return;
  }
  if (h->is_there && h->until >= sqlite3_column_int64(stmt, 1)) {
    return;
  }
  h->is_there = 1;
  h->is_account = !model[0];
  h->is_told = sqlite3_column_int(stmt, 3);
  h->noted = sqlite3_column_int64(stmt, 4);
  h->until = sqlite3_column_int64(stmt, 1);
  utf8_copy(h->reason, sizeof h->reason, reason);
}

int health_look(Store *s, const HealthKey *key, Health *h, Err *err) {
  *h = (Health){0};
  sqlite3_stmt *stmt = s->mode->has_intents ? start(s, SQL_GET_HEALTH, key, err) : NULL;
  if (!stmt) {
    return err->rc;
  }
  while (sqlite3_step(stmt) == SQLITE_ROW && err->rc == RC_OK) { /* two at most: no sorting */
    read_state(stmt, h, err);
  }
  return finish(s, stmt, err);
}

/* In a transaction of its own. */
static int write(Store *s, StoreSql id, const HealthKey *key, Err *err) {
  if (s->mode->has_intents && store_begin(s, err) == RC_OK) {
    run(s, start(s, id, key, err), err);
    store_end(s, err->rc == RC_OK, err);
  }
  return err->rc;
}

int health_fail(Store *s, const HealthKey *key, const HealthFailure *f, Err *err) {
  if (!s->mode->has_intents || store_begin(s, err) != RC_OK) {
    return err->rc;
  }
  sqlite3_stmt *stmt = start(s, SQL_PUT_HEALTH, key, err);
  if (stmt) {
    long long last = f->now + HEALTH_MOST_MS;
    sqlite3_bind_int64(stmt, 4, f->until < last ? f->until : last);
    sqlite3_bind_int64(stmt, 5, f->now);
    sqlite3_bind_text(stmt, 6, f->reason, -1, SQLITE_STATIC);
    sqlite3_bind_int(stmt, 7, f->is_told);
    sqlite3_bind_int64(stmt, 8, f->sent_at);
    run(s, stmt, err);
  }
  return store_end(s, err->rc == RC_OK, err);
}

int health_answer(Store *s, const HealthKey *key, Err *err) {
  return write(s, SQL_DROP_HEALTH, key, err) == RC_OK ? write(s, SQL_GROW_HEALTH, key, err)
                                                      : err->rc;
}

/* Takes the places of those back that nobody will give back. */
static int drop_dead(Store *s, const HealthKey *key, long long now, Err *err) {
  enum { MOST = HEALTH_CROWD };
  long long dead[MOST];
  int n = 0;
  sqlite3_stmt *stmt = start(s, SQL_GET_TRIALS, key, err);
  while (stmt && n < MOST && sqlite3_step(stmt) == SQLITE_ROW) {
    const char *owner = (const char *)sqlite3_column_text(stmt, 1);
    int is_dead =
        owner && (owner_is_elsewhere(owner, s->place) || owner_state(owner) == OWNER_DEAD);
    if (is_dead || sqlite3_column_int64(stmt, 2) < now) {
      dead[n++] = sqlite3_column_int64(stmt, 0);
    }
  }
  if (stmt) {
    finish(s, stmt, err);
  }
  for (int i = 0; i < n && err->rc == RC_OK; i++) {
    stmt = store_stmt(s, SQL_DROP_TRIAL, err);
    if (stmt) {
      sqlite3_bind_int64(stmt, 1, dead[i]);
      run(s, stmt, err);
    }
  }
  return err->rc;
}

/* Takes a place where there is one: the statement inserts none where there is not. */
static int take_place(Store *s, const HealthKey *key, long long lease_until, long long *trial,
                      Err *err) {
  char self[OWNER_SIZE];
  owner_self(s->place, self);
  sqlite3_stmt *stmt = start(s, SQL_PUT_TRIAL, key, err);
  if (!stmt) {
    return err->rc;
  }
  sqlite3_bind_text(stmt, 4, self, -1, SQLITE_STATIC);
  sqlite3_bind_int64(stmt, 5, lease_until);
  if (run(s, stmt, err) == RC_OK && sqlite3_changes(s->db) == 1) {
    *trial = sqlite3_last_insert_rowid(s->db);
  }
  return err->rc;
}

int health_try(Store *s, const HealthKey *key, long long now, long long lease_until,
               long long *trial, Err *err) {
  *trial = 0;
  if (store_begin(s, err) == RC_OK) {
    if (drop_dead(s, key, now, err) == RC_OK) {
      take_place(s, key, lease_until, trial, err);
    }
    store_end(s, err->rc == RC_OK, err);
  }
  return err->rc;
}

int health_end(Store *s, long long trial, Err *err) {
  if (!trial || store_begin(s, err) != RC_OK) {
    return err->rc;
  }
  sqlite3_stmt *stmt = store_stmt(s, SQL_DROP_TRIAL, err);
  if (stmt) {
    sqlite3_bind_int64(stmt, 1, trial);
    run(s, stmt, err);
  }
  return store_end(s, err->rc == RC_OK, err);
}
