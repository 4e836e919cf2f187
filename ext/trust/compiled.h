/*
** What SQLite has compiled from a schema, beside the texts in its rows.
**
** The texts are what the guard searches, but they need not be what SQLite goes by: a file may be made so
** that the root of one of its tables is a page of sqlite_schema itself; writing to that table then changes the
** texts, after SQLite has parsed them and before anybody looks. So SQLite is asked for what it has in memory:
** EXPLAIN PRAGMA integrity_check compiles (and does not run) every CHECK constraint of every table it
** knows, and lists their root pages.
*/
#ifndef LLMCOST_COMPILED_H
#define LLMCOST_COMPILED_H

#include "base/error.h"
#include "base/sqlite/sqlite_api.h"

#include <stddef.h>

/* Called for each function in a CHECK constraint: its name (n bytes) and how many arguments it is given. */
typedef void (*CompiledCall)(void *arg, const char *name, size_t n, int n_args);

/* Looks at one schema. *is_aliased: 1 if a table or index lies in a page of the schema's own. What this
** connection may not or can't ask (an authorizer, a function of the application's that is missing, no
** dbstat) stays unknown: the texts still count. Where a lock or the disk kept it from being looked at,
** *is_aliased is -1: not now. RC_OK, out of memory, or interrupted. */
int compiled_look(sqlite3 *db, const char *schema, CompiledCall call, void *arg, int *is_aliased,
                  Err *err);

#endif
