/*
** See schema_watch.h for the contract.
*/
#include "base/sqlite/schema_watch.h"

#include <stddef.h>

int schema_watch_open(SchemaWatch *w, sqlite3 *db, const char *sql) {
  schema_watch_close(w);
  return sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &w->stmt, NULL);
}

int schema_watch_look(SchemaWatch *w, int *changed) {
  sqlite3_step(w->stmt);
  int rc = sqlite3_reset(w->stmt);
  *changed = sqlite3_stmt_status(w->stmt, SQLITE_STMTSTATUS_REPREPARE, 1) != 0;
  return rc;
}

void schema_watch_close(SchemaWatch *w) {
  sqlite3_finalize(w->stmt);
  w->stmt = NULL;
}
