/*
** See select.h for the contract.
*/
#include "base/sqlite/select.h"

#include <string.h>

/* 1 if more than blanks and comments stands behind a statement. */
static int has_more(sqlite3 *db, const char *tail) {
  int more = 0;
  while (tail[0] && !more) {
    sqlite3_stmt *stmt = NULL;
    const char *rest = tail + strlen(tail);
    more = sqlite3_prepare_v2(db, tail, -1, &stmt, &rest) != SQLITE_OK || stmt || rest == tail;
    sqlite3_finalize(stmt);
    tail = rest;
  }
  return more;
}

/* What is wrong with a statement; NULL: nothing. */
static const char *fault_of(sqlite3 *db, sqlite3_stmt *stmt, const char *tail) {
  return !stmt                ? "there is no statement"
         : has_more(db, tail) ? "give one SELECT, not several statements"
         : !sqlite3_stmt_readonly(stmt)
             ? "give the SELECT alone, without the INSERT, UPDATE or other"
               " statement around it: nothing was run"
         : sqlite3_column_count(stmt) == 0 ? "this is no SELECT"
         : sqlite3_stmt_isexplain(stmt)    ? "this is an EXPLAIN"
         : sqlite3_bind_parameter_count(stmt)
             ? "the SELECT has parameters: write their values in it"
             : NULL;
}

sqlite3_stmt *select_prepare(sqlite3 *db, const char *sql, Err *err) {
  sqlite3_stmt *stmt = NULL;
  const char *tail = "";
  int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, &tail);
  if (rc != SQLITE_OK) {
    rc == SQLITE_NOMEM
        ? err_nomem(err)
        : err_set(err, rc & 0xff, ERR_BAD_ARGUMENT, "the SELECT: %s", sqlite3_errmsg(db));
    return NULL;
  }
  const char *fault = fault_of(db, stmt, tail);
  if (fault) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "%s", fault);
    sqlite3_finalize(stmt);
    stmt = NULL;
  }
  return stmt;
}
