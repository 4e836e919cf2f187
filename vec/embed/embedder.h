/*
** An embedder as the semantic cache sees it: a name, a version, and a function from text to unit
** vector.
*/
#ifndef LLMCOST_EMBEDDER_H
#define LLMCOST_EMBEDDER_H

#include "base/error.h"
#include "base/limits.h"

#include <stddef.h>

typedef struct Embedder {
  char name[LIMIT_MODEL_NAME];    /* as a table's argument names it */
  char version[LIMIT_MODEL_NAME]; /* vectors of two versions are never compared */
  int dim;
  double
      threshold; /* cosine from which a match is a hit where a threshold decides and nobody chose one */
  double even;  /* cosine at which a match is as likely right as wrong, roughly */
  double floor; /* cosine under which two texts are not even looked at as paraphrases */
  /* Writes the unit vector of n bytes of UTF-8. Returns RC_OK, VEC_EMPTY for a text that has none,
  ** or an error in *err. NULL: this embedder is no text embedder (vectors come from outside). */
  int (*run)(void *ctx, const char *text, size_t n, float *out, Err *err);
  void *ctx;
} Embedder;

/* The two embedders that need nothing: 'static', and 'none' for vectors you bring (dim given). */
void embedder_static(Embedder *e);
void embedder_none(Embedder *e, int dim);

#endif
