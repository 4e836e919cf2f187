/*
** The basis of an index: a mean and up to 31 principal directions, learned from a sample, and the
** 32-byte codes of vectors in it. Which basis it is only matters for speed: any that basis_is_sound
** accepts gives exact answers (the proof is in basis.c).
*/
#ifndef LLMCOST_BASIS_H
#define LLMCOST_BASIS_H

#include "vec/engine/kernels/kernels.h"

#include <stddef.h>
#include <stdint.h>

enum {
  BASIS_CODED = 2 * KERNEL_PAIRS, /* coordinates of a code; the last is the residual norm */
  BASIS_HEAD = 2 * KERNEL_HEAD,   /* of them in the head */
  BASIS_RANK = BASIS_CODED - 1,   /* most directions */
  BASIS_ERROR_UNIT = 256,         /* errors of codes are in steps / 256 … */
  BASIS_ERROR_MOST = 65535        /* … and this one means "unknown: prune nothing" */
};

/* How far a vector that is lent may be from the one that was put, both made unit vectors. */
#define BASIS_UNIT_ERROR 1e-6

typedef struct Basis {
  int dim, rank;             /* rank = min(BASIS_RANK, dim) */
  size_t width;              /* floats in a row: dim padded with zeros to KERNEL_FLOATS */
  double step, centre;       /* of the codes; the middle of the residual coordinate */
  double offset[BASIS_RANK]; /* rows times mean */
  float *mean, *rows;        /* width; rank * width. One allocation with the struct */
} Basis;

/* A vector's coordinates, rounded. The errors bound the distance, in units of step /
** BASIS_ERROR_UNIT and rounded up, between the code and the vector's point in the coded space
** clamped to the range of the codes: over the head alone, and over all. */
typedef struct Code {
  uint8_t at[BASIS_CODED];
  uint16_t head_error, error;
} Code;

/* A basis with nothing in it yet; NULL without memory. Freed with free(). */
Basis *basis_new(int dim);

/* Learns from n sample vectors of `width` floats each (unit vectors, padded), which are
** overwritten. Returns VEC_OK, VEC_NOMEM, or VEC_ERROR where no sound basis came out. */
int basis_learn(Basis *basis, float *sample, size_t n, const VecKernels *kernels);

/* Whether everything the bounds need holds: finite numbers, |mean| <= 1, |rows| <= 1 as an
** operator, offset = rows * mean, a positive step. Fills in `offset`, so that a stored one need not
** be trusted. */
int basis_is_sound(Basis *basis);

/* The code of a unit vector of `width` floats. */
void basis_code(const Basis *basis, const float *unit, const VecKernels *kernels, Code *code);

/* floats in a padded row of this dimension */
static inline size_t basis_width(int dim) {
  return ((size_t)dim + KERNEL_FLOATS - 1) / KERNEL_FLOATS * KERNEL_FLOATS;
}

#endif
