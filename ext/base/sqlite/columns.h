/*
** Has a table a column? SQLite's sqlite3_table_column_metadata() says SQLITE_ERROR for "no" and for a schema
** that could not be read; these are parted here.
*/
#ifndef LLMCOST_COLUMNS_H
#define LLMCOST_COLUMNS_H

#include "base/sqlite/sqlite_api.h"

/* *is_there: 1 if that table of the schema is there and has the column (NULL: any), else 0. Not a view. An
** SQLite code: where looking failed nothing is known. */
int column_look(sqlite3 *db, const char *schema, const char *table, const char *column,
                int *is_there);

/* 1 if every text of a row is there; 0 where SQLite had no memory for one, which must not pass for NULL. */
int columns_have_texts(sqlite3_stmt *stmt);

#endif
