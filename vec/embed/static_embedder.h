/*
** The embedder that is always there: a distilled table of wordpiece vectors, compiled in.
*/
#ifndef LLMCOST_STATIC_EMBEDDER_H
#define LLMCOST_STATIC_EMBEDDER_H

#include "vec/engine/kernels/vec.h"

#include <stddef.h>

#define STATIC_DIM 256
#define STATIC_VERSION "static256_4-6d6d351b" /* the table's name and the start of its sha256 */

/* The unit vector of n bytes of UTF-8: the normalised sum of the rows of its wordpieces; unknown
** words count for nothing. Returns VEC_OK; VEC_EMPTY where no wordpiece is known; VEC_NOMEM.
** Thread-safe; the first call builds the lookup table. */
int static_embed(const char *text, size_t n, float out[STATIC_DIM]);

#endif
