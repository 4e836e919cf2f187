/*
** The semantic_cache virtual table, from outside.
*/
#ifndef LLMCOST_CACHE_H
#define LLMCOST_CACHE_H

#include "vec/cache/state/host.h"
#include "base/sqlite/sqlite_api.h"

/* The module. */
const sqlite3_module *cache_module(void);

#endif
