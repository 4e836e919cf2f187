/*
** See savepoint.h for the contract.
*/
#include "base/sqlite/savepoint.h"

#include <stddef.h>

static const char last_resort[] = "PRAGMA main.incremental_vacuum(1)";

static int run(sqlite3_stmt *stmt) {
  sqlite3_step(stmt);
  return sqlite3_reset(stmt);
}

static void forget(Savepoint *s) {
  sqlite3_finalize(s->release);
  sqlite3_finalize(s->undo);
  sqlite3_finalize(s->last_resort);
  *s = (Savepoint){0};
}

/* One that is a transaction of its own ends by COMMIT: where that fails at its last step (an interrupt, in a virtual table's
** xSync), SQLite has rolled all back, and RELEASE goes on to read the savepoint that is gone (OP_Savepoint, seen in 3.40 and
** 3.53). */
int savepoint_begin(sqlite3 *db, Savepoint *s) {
  const char *keep = sqlite3_get_autocommit(db) ? "COMMIT" : "RELEASE llmcost";
  sqlite3_stmt *start = NULL;
  *s = (Savepoint){0};
  int rc = sqlite3_prepare_v2(db, "ROLLBACK TO llmcost", -1, &s->undo, NULL);
  if (rc == SQLITE_OK) {
    rc = sqlite3_prepare_v2(db, last_resort, -1, &s->last_resort, NULL);
  }
  if (rc == SQLITE_OK) {
    rc = sqlite3_prepare_v2(db, keep, -1, &s->release, NULL);
  }
  if (rc == SQLITE_OK) {
    rc = sqlite3_prepare_v2(db, "SAVEPOINT llmcost", -1, &start, NULL);
  }
  if (rc == SQLITE_OK) {
    sqlite3_step(start);
    rc = sqlite3_finalize(start);
  }
  if (rc != SQLITE_OK) {
    forget(s);
  }
  return rc;
}

/* Takes back what was done since. */
static int take_back(Savepoint *s) {
  int rc = run(s->undo);
  return rc == SQLITE_OK ? run(s->release) : rc;
}

/* See savepoint.h. Tables that were made in between have expired the one that was prepared: then another. */
static void roll_back_all(sqlite3 *db, Savepoint *s) {
  sqlite3_stmt *fresh = NULL;
  sqlite3_step(s->last_resort);
  if (!sqlite3_get_autocommit(db) &&
      sqlite3_prepare_v2(db, last_resort, -1, &fresh, NULL) == SQLITE_OK) {
    sqlite3_step(fresh);
  }
  sqlite3_finalize(fresh);
}

int savepoint_end(Savepoint *s, int keep) {
  if (!s->release) {
    return SQLITE_OK;
  }
  sqlite3 *db = sqlite3_db_handle(s->release);
  int rc = keep ? run(s->release) : SQLITE_OK, is_open = !keep || rc != SQLITE_OK;
  if (is_open && !sqlite3_get_autocommit(db)) { /* else SQLite has rolled it all back */
    int back = take_back(s) & 0xff;
    if (back == SQLITE_NOMEM || back == SQLITE_INTERRUPT) {
      roll_back_all(db, s);
    } else if (back != SQLITE_OK &&
               !sqlite3_get_autocommit(db)) { /* a page that can't be read, say */
      sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    }
  }
  forget(s);
  return rc;
}
