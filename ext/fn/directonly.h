/*
** The check in front of every function that can spend, send or write.
**
** SQLITE_DIRECTONLY keeps views, triggers, defaults, indexes and generated columns of a database
** file from calling such a function. CHECK constraints it does not keep (seen in SQLite 3.40): an
** INSERT, an UPDATE or PRAGMA integrity_check would run them. So before such a function does
** anything inside a statement that can check constraints, the schemas are searched for a CHECK that
** names one.
*/
#ifndef LLMCOST_DIRECTONLY_H
#define LLMCOST_DIRECTONLY_H

#include "core/error.h"
#include "sqlite_api.h"

/* RC_OK, or an error that names the table. Looks once per execution of a statement. */
int directonly_check(sqlite3_context *ctx, Err *err);

/* 1 if the text of a CREATE TABLE has a CHECK and names a function that directonly_check protects. */
int directonly_names_function(const char *create_table);

#endif
