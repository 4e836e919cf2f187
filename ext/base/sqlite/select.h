/*
** A SELECT that a user hands over as text, to be run for its rows.
*/
#ifndef LLMCOST_SELECT_H
#define LLMCOST_SELECT_H

#include "base/error.h"
#include "base/sqlite/sqlite_api.h"

/* Prepares it: one statement that reads and gives columns, without parameters. NULL and *err, with SQLite's own words (where it does not
** compile, only its sentence: the caller says more) or ours. */
sqlite3_stmt *select_prepare(sqlite3 *db, const char *sql, Err *err);

#endif
