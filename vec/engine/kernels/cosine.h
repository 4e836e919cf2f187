/*
** Cosine similarity, the reference the vector engine is checked against. Plain C, no dependency.
*/
#ifndef LLMCOST_COSINE_H
#define LLMCOST_COSINE_H

#include <stddef.h>

/* The cosine of two float32 vectors of n elements (unaligned little-endian bytes), computed in
** double. Returns 1 and *cosine in [-1, 1]; 0 where a vector is zero or an element is not
** finite. */
int cosine_f32(const void *a, const void *b, size_t n, double *cosine);

#endif
