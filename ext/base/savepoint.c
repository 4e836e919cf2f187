/*
** See savepoint.h for the contract.
*/
#include "base/savepoint.h"

#include <stddef.h>

static int run(sqlite3_stmt *stmt) {
  sqlite3_step(stmt);
  return sqlite3_reset(stmt);
}

static void forget(Savepoint *s) {
  sqlite3_finalize(s->release);
  sqlite3_finalize(s->undo);
  *s = (Savepoint){0};
}

int savepoint_begin(sqlite3 *db, Savepoint *s) {
  sqlite3_stmt *start = NULL;
  *s = (Savepoint){0};
  int rc = sqlite3_prepare_v2(db, "ROLLBACK TO llmcost", -1, &s->undo, NULL);
  if (rc == SQLITE_OK) {
    rc = sqlite3_prepare_v2(db, "RELEASE llmcost", -1, &s->release, NULL);
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

int savepoint_end(Savepoint *s, int keep) {
  int rc = SQLITE_OK;
  if (!s->release) {
    return rc;
  }
  if (!keep) {
    run(s->undo);
  }
  rc = run(s->release);
  if (rc != SQLITE_OK) {
    run(s->undo);
    run(s->release);
  }
  forget(s);
  return rc;
}
