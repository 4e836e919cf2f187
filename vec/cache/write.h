/*
** Writing to a semantic_cache, and checking it.
*/
#ifndef LLMCOST_CACHE_WRITE_H
#define LLMCOST_CACHE_WRITE_H

#include "vec/cache/state/table.h"

/* xUpdate: a DELETE (argc 1), INSERT, UPDATE or command. */
int write_run(CacheTable *t, int argc, sqlite3_value **argv, sqlite3_int64 *rowid, int64_t now,
              Err *err);
/* Checks the shadow tables; *report is what is wrong, owned (sqlite3_free), or NULL. `quick` leaves
** out what needs every vector. */
int write_check(CacheTable *t, int quick, char **report, Err *err);

#endif
