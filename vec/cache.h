/*
** The semantic_cache virtual table, from outside.
*/
#ifndef LLMCOST_CACHE_H
#define LLMCOST_CACHE_H

#include "embedder.h"
#include "sqlite_api.h"

/* What the table asks of the connection it lives on: the module's user data. */
typedef struct CacheHost {
  void *ctx;
  /* Resolves the name of an embedder other than 'none'. */
  int (*embedder)(void *ctx, const char *name, Embedder *e, Err *err);
} CacheHost;

/* The module. */
const sqlite3_module *cache_module(void);

#endif
