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
