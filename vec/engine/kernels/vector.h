/*
** Vectors as they come from outside, made unit vectors.
*/
#ifndef LLMCOST_VECTOR_H
#define LLMCOST_VECTOR_H

#include "vec/engine/kernels/vec.h"

#include <stddef.h>

#define VECTOR_SUBTYPE 223 /* of a float32 vector as an SQL value, as sqlite-vec marks them */

typedef enum VectorFault { VECTOR_FINE, VECTOR_NOT_FINITE, VECTOR_ZERO } VectorFault;

/* Writes the unit vector of n float32 (little-endian bytes, any alignment) to out. Norms are taken
** in double, and the result is rounded once: denormal and 1e30 elements come out right. */
VectorFault vector_unit(const void *bytes, size_t n, float *out);

#endif
