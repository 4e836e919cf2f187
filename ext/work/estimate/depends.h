/*
** Whether the answers of a statement's calls decide what else it asks, or which rows it gives: read off the program
** that SQLite makes of it (EXPLAIN).
*/
#ifndef LLMCOST_DEPENDS_H
#define LLMCOST_DEPENDS_H

#include "base/error.h"
#include "base/sqlite/sqlite_api.h"

/* 1 if they may, 0 if they certainly don't; -1 and *err: out of memory. A program that can't be looked at may. `from_tables`:
** some of the calls are made by virtual tables. *varies: it has a function, such as random(), by which it may be another
** one the next time. */
int answers_decide(sqlite3 *db, const char *sql, int from_tables, int *varies, Err *err);

#endif
