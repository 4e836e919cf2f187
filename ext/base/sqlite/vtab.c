/*
** See vtab.h for the contract.
*/
#include "base/sqlite/vtab.h"

#include <stddef.h>

int vtab_fail(sqlite3_vtab *table, const char *name, const Err *err) {
  sqlite3_free(table->zErrMsg);
  table->zErrMsg =
      err->rc == RC_NOMEM ? NULL : sqlite3_mprintf("%s: %s%s", name, err->msg, err_advice(err));
  return err->rc;
}

const char *vtab_operator(unsigned char op, int *unary) {
  *unary = op == SQLITE_INDEX_CONSTRAINT_ISNULL || op == SQLITE_INDEX_CONSTRAINT_ISNOTNULL;
  switch (op) {
  case SQLITE_INDEX_CONSTRAINT_EQ:
    return "=";
  case SQLITE_INDEX_CONSTRAINT_GT:
    return ">";
  case SQLITE_INDEX_CONSTRAINT_GE:
    return ">=";
  case SQLITE_INDEX_CONSTRAINT_LT:
    return "<";
  case SQLITE_INDEX_CONSTRAINT_LE:
    return "<=";
  case SQLITE_INDEX_CONSTRAINT_IS:
    return "IS";
  case SQLITE_INDEX_CONSTRAINT_MATCH:
    return "MATCH";
  case SQLITE_INDEX_CONSTRAINT_ISNULL:
    return "IS NULL";
  case SQLITE_INDEX_CONSTRAINT_ISNOTNULL:
    return "IS NOT NULL";
  default:
    return NULL;
  }
}
