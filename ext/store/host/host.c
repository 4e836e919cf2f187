/*
** See host.h for the contract.
*/
#include "store/host/host.h"

#include "base/sqlite/columns.h"

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

int host_has_column(sqlite3 *host, const char *table, const char *column, Err *err) {
  int is_there;
  if (column_look(host, "main", table, column, &is_there) != SQLITE_OK) {
    host_error(host, "read the schema", err);
    return -1;
  }
  return is_there;
}

int host_has_columns(sqlite3 *host, const HostColumns *columns, Err *err) {
  int all = 1;
  for (int i = 0; i < columns->n && all == 1; i++) {
    all = host_has_column(host, columns->table, columns->names[i], err);
  }
  return all;
}

int host_add_columns(sqlite3 *host, const HostColumns *columns, int *added, Err *err) {
  *added = 0;
  for (int i = 0; i < columns->n && err->rc == RC_OK; i++) {
    char sql[96], doing[64];
    if (host_has_column(host, columns->table, columns->names[i], err)) {
      continue; /* also where that is not known: *err */
    }
    sqlite3_snprintf(sizeof sql, sql, "ALTER TABLE main.%s ADD COLUMN %s TEXT", columns->table,
                     columns->names[i]);
    sqlite3_snprintf(sizeof doing, doing, "add a column to %s", columns->table);
    if (sqlite3_exec(host, sql, NULL, NULL, NULL) != SQLITE_OK) {
      host_error(host, doing, err);
    }
    ++*added;
  }
  return err->rc;
}

int host_end(sqlite3 *host, Savepoint *savepoint, Err *err) {
  if (savepoint_end(savepoint, err->rc == RC_OK) != SQLITE_OK) {
    host_error(host, "keep what was done", err);
  }
  return err->rc;
}
