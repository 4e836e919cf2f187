/*
** What a semantic_cache asks of the connection it lives on.
*/
#ifndef LLMCOST_CACHE_HOST_H
#define LLMCOST_CACHE_HOST_H

#include "vec/embed/embedder.h"

enum { CACHE_MARK_SIZE = 65 };

/* Resolves the name of an embedder other than 'none'. */
typedef int (*CacheFindEmbedder)(void *ctx, const char *name, Embedder *e, Err *err);

/* The module's user data. */
typedef struct CacheHost {
  void *ctx;
  CacheFindEmbedder embedder;
  /* The mark that only this installation can make for `id`; "" where it has made none yet and `create`
  ** is 0. An error: it can keep none. */
  int (*mark)(void *ctx, const char *id, int create, char out[CACHE_MARK_SIZE], Err *err);
  int nested; /* tables of this host that are at work on the C stack */
} CacheHost;

#endif
