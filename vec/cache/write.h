/*
** Writing to a semantic_cache.
*/
#ifndef LLMCOST_CACHE_WRITE_H
#define LLMCOST_CACHE_WRITE_H

#include "vec/cache/state/table.h"

/* xUpdate: a DELETE (argc 1), INSERT, UPDATE or command. */
int write_run(CacheTable *t, int argc, sqlite3_value **argv, sqlite3_int64 *rowid, int64_t now,
              Err *err);
#endif
