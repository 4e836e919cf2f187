/*
** The semantic_cache virtual table, from outside.
*/
#ifndef LLMCOST_CACHE_H
#define LLMCOST_CACHE_H

#include "vec/embed/embedder.h"
#include "base/sqlite/sqlite_api.h"

/* What the table asks of the connection it lives on: the module's user data. */
enum { CACHE_MARK_SIZE = 65 };

/* Resolves the name of an embedder other than 'none'. */
typedef int (*CacheFindEmbedder)(void *ctx, const char *name, Embedder *e, Err *err);

typedef struct CacheHost {
  void *ctx;
  CacheFindEmbedder embedder;
  /* The mark that only this installation can make for `id`; "" where it has made none yet and `create`
  ** is 0. An error: it can keep none. */
  int (*mark)(void *ctx, const char *id, int create, char out[CACHE_MARK_SIZE], Err *err);
  int nested; /* tables of this host that are at work on the C stack */
} CacheHost;

/* The module. */
const sqlite3_module *cache_module(void);

#endif
