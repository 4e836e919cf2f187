/*
** See columns.h for the contract.
*/
#include "base/sqlite/columns.h"

#include <string.h>

int column_look(sqlite3 *db, const char *schema, const char *table, const char *column,
                int *is_there) {
  static const char absent[] = "no such table column: ";
  int rc = sqlite3_table_column_metadata(db, schema, table, column, NULL, NULL, NULL, NULL, NULL);
  *is_there = rc == SQLITE_OK;
  return rc == SQLITE_ERROR && strncmp(sqlite3_errmsg(db), absent, sizeof absent - 1) == 0
             ? SQLITE_OK
             : rc;
}

int columns_have_texts(sqlite3_stmt *stmt) {
  int all = 1;
  for (int i = 0; i < sqlite3_column_count(stmt); i++) {
    all &= sqlite3_column_type(stmt, i) != SQLITE_TEXT || sqlite3_column_text(stmt, i) != NULL;
  }
  return all;
}
