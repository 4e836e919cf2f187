/*
** Embedders by name: the local ones, and the models of llm_models that embed.
*/
#ifndef LLMCOST_EMBEDDERS_H
#define LLMCOST_EMBEDDERS_H

#include "vec/embed/embedder.h"
#include "conn/conn.h"

/* Resolves 'static', 'minilm' or a model of llm_models. `conn` is a Conn*. */
int embedders_find(void *conn, const char *name, Embedder *e, Err *err);

#endif
