/*
** See host.h for the contract.
*/
#include "store/host/host.h"

#include <string.h>

int host_error(sqlite3 *host, const char *doing, Err *err) {
  int rc = sqlite3_errcode(host) & 0xff;
  if (rc == SQLITE_INTERRUPT) {
    return err_set(err, RC_INTERRUPT, ERR_INTERRUPTED, "interrupted");
  }
  if (rc == SQLITE_NOMEM) {
    return err_nomem(err);
  }
  return err_set(err, rc ? rc : RC_ERROR, ERR_CONFIG, "cannot %s: %s", doing, sqlite3_errmsg(host));
}

const char *host_text(sqlite3_stmt *stmt, int column, const char *table, Err *err) {
  int is_null = sqlite3_column_type(stmt, column) == SQLITE_NULL;
  const char *text = is_null ? "" : (const char *)sqlite3_column_text(stmt, column);
  if (!text) {
    err_nomem(err);
  } else if (!is_null && strlen(text) != (size_t)sqlite3_column_bytes(stmt, column)) {
    err_set(err, RC_ERROR, ERR_CONFIG, "a row of %s holds a NUL character: not read", table);
    text = NULL;
  }
  return text;
}

int host_end(sqlite3 *host, Savepoint *savepoint, Err *err) {
  if (savepoint_end(savepoint, err->rc == RC_OK) != SQLITE_OK) {
    host_error(host, "keep what was done", err);
  }
  return err->rc;
}
