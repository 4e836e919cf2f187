/*
** The scorer `examples`: how near a prompt is to prompts whose difficulty is known (core/route/learn.h), by `embed`'s static
** vectors.
*/
#ifndef LLMCOST_EXAMPLES_H
#define LLMCOST_EXAMPLES_H

#include "conn/conn.h"
#include "core/route/learn.h"

#define EXAMPLES_NAME "examples"

/* The weights of a trained one, as they are kept: owned (free), *n bytes; NULL and *err. */
void *examples_pack(const LearnExamples *x, const Learned *l, size_t *n, Err *err);

/* The score of a text by what was trained, and its version. An error where nothing was: it says how. */
int examples_score(Conn *conn, Store *store, const char *text, size_t n, double *score,
                   char version[24], Err *err);

#endif
