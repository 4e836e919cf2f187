/*
** Reading and writing the tables that are the user's own (llm_models, llm_tiers, llm_prices), in the user's own
** database.
*/
#ifndef LLMCOST_HOST_H
#define LLMCOST_HOST_H

#include "base/error.h"
#include "base/sqlite/savepoint.h"

/* The text of a column, "" where it is NULL; borrowed. NULL and *err where there is no memory for it, or where
** a NUL would cut it into another one. `table` is named in the message. */
const char *host_text(sqlite3_stmt *stmt, int column, const char *table, Err *err);

/* Ends a savepoint (none: does nothing): what was done inside is kept where no error stands there, and taken back where
** one does, or where it can't be kept (*err). Returns err->rc. */
int host_end(sqlite3 *host, Savepoint *savepoint, Err *err);

/* Columns that a table of main got after its first version, each TEXT and NULL where nothing stands there. Older tables go on
** without them until they are added. Borrows. */
typedef struct HostColumns {
  const char *table;
  const char *const *names;
  int n;
} HostColumns;

/* 1 if the table has a column; -1 and *err. */
int host_has_column(sqlite3 *host, const char *table, const char *column, Err *err);

/* 1 if it has all of them, 0 if not; -1 and *err. */
int host_has_columns(sqlite3 *host, const HostColumns *columns, Err *err);

/* Adds those that it has not; *added: how many. */
int host_add_columns(sqlite3 *host, const HostColumns *columns, int *added, Err *err);

/* Records what the host said when it could not do something ("read llm_prices"). Returns err->rc. */
int host_error(sqlite3 *host, const char *doing, Err *err);

#endif
