/*
** Virtual tables in the database in memory of mode_mirror: each reads a table of main through another connection, the caller's, with the WHERE
** and ORDER BY of the query. Read-only; they name nothing of the caller's that is not ours.
*/
#ifndef LLMCOST_FORWARD_H
#define LLMCOST_FORWARD_H

#include "base/error.h"
#include "base/sqlite/sqlite_api.h"

/* In `db`, which is ours and holds our empty tables, puts such tables in the place of those that are copied (mirror.h); they read
** through `caller`, which outlives `db`. RC_OK or *err. */
int forward_tables(sqlite3 *db, sqlite3 *caller, Err *err);

#endif
