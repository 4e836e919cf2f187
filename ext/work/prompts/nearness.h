/*
** How near texts are to a question by meaning: cosines of the compiled-in embedder, as llm_compress and llm_prune add them to what
** words say (core/compress/score.h).
*/
#ifndef LLMCOST_NEARNESS_H
#define LLMCOST_NEARNESS_H

#include "vec/embed/embedder.h"

typedef struct Nearness {
  Embedder embedder;
  float *query, *unit; /* owned; vectors */
} Nearness;

/* 1 where n bytes of a question have a vector; 0: they have none, or *err. nearness_close in any case. */
int nearness_open(Nearness *m, const char *query, size_t n, Err *err);
void nearness_close(Nearness *m);

/* The cosine of a text and the question; of one without a word that is known 0. RC_OK or *err. */
int nearness_of(Nearness *m, const char *text, size_t n, double *score, Err *err);

#endif
