/*
** Texts embedded by a provider: ordinary requests through the pipeline, so they are ledgered,
** priced, retried, and no text is paid for twice.
*/
#ifndef LLMCOST_EMBED_REMOTE_H
#define LLMCOST_EMBED_REMOTE_H

#include "conn/conn.h"

#include "vec/embed/embedder.h"

/* Texts sent in one request at most: OpenAI takes 2,048 and 300,000 tokens; a request that fails is
** paid for whole. */
#define EMBED_BATCH 128
#define EMBED_BATCH_BYTES ((size_t)512 << 10)

/* The unit vectors of n texts (NUL-terminated at their lengths) by a model of llm_models, one behind
** the other: owned (free); *dim is their length. Texts whose vectors are remembered are not sent;
** the others go EMBED_BATCH to a request. NULL and *err on failure; what was paid until then is
** remembered. */
float *embed_remote(Conn *conn, const char *model, const char *const *texts, const size_t *lengths,
                    int n, int *dim, Err *err);

/* The model as an embedder of a semantic_cache: its dimension must be in llm_models.supports. */
int embed_remote_find(Conn *conn, const char *name, Embedder *e, Err *err);

#endif
