/*
** The inner loops of the vector engine, one table of functions per instruction set.
**
** The integer kernels give the same numbers on every level, bit for bit. The float kernels add in
** an order of their own, within the error that basis.c allows for; no answer depends on it, since
** hits are decided in double (see search.c).
**
** Codes lie in leaves of 32 rows, column by column: the pair of coordinates 2p and 2p+1 of the 32
** rows is 64 bytes, row r at 2r and 2r+1. A leaf has KERNEL_HEAD pairs in its head and KERNEL_REST
** in its rest, which are kept apart in memory: most leaves are rejected by their heads.
*/
#ifndef LLMCOST_KERNELS_H
#define LLMCOST_KERNELS_H

#include "vec/engine/kernels/vec.h"

#include <stddef.h>
#include <stdint.h>

enum {
  KERNEL_LANES = 32, /* rows of a leaf, boxes of a group */
  KERNEL_HEAD = 6,   /* pairs of coordinates in the head: 12 dimensions */
  KERNEL_REST = 10,  /* pairs in the rest: 20 dimensions */
  KERNEL_PAIRS = KERNEL_HEAD + KERNEL_REST,
  KERNEL_PAIR_BYTES = 2 * KERNEL_LANES,
  KERNEL_HEAD_BYTES = KERNEL_HEAD * KERNEL_PAIR_BYTES,
  KERNEL_REST_BYTES = KERNEL_REST * KERNEL_PAIR_BYTES,
  KERNEL_BOX_BYTES = 2 * KERNEL_HEAD_BYTES, /* 32 boxes: per pair, 64 bytes low and 64 high */
  KERNEL_QUERY_BYTES = KERNEL_PAIRS * KERNEL_PAIR_BYTES,
  KERNEL_FLOATS = 32, /* float and int8 rows are padded with zeros to a multiple of this */
  KERNEL_ALL = 65535  /* a limit that lets everything pass */
};

typedef struct VecKernels {
  /* out[j] = the sum over n floats of rows[j * n + i] * x[i], for j < n_rows. n is a multiple of
  ** 32. At least 16 partial sums run side by side, so no sum has more than n / 16 + 8 terms. */
  void (*project)(const float *rows, size_t n_rows, const float *x, size_t n, float *out);

  /* y[i] += the sum over j < 4 of c[j] * x[j * n + i]. n is a multiple of 32. */
  void (*add4)(float *y, const float *x, const float *c, size_t n);

  /* The sum of (a[i] - b[i])^2, in double. n is a multiple of 32. */
  double (*apart)(const float *a, const float *b, size_t n);

  /* bytes[i] = x[i] * inverse rounded, at most 127 either way; returns the sum of
  ** (x[i] - scale * bytes[i])^2, in float with at least 8 partial sums. n is a multiple of 32. */
  float (*quantise)(const float *x, size_t n, float scale, float inverse, int8_t *bytes);

  /* out[j] = the sum over n of rows[j * n + i] * b[i], for j < n_rows. n is a multiple of 32; the
  ** caller bounds |b| so that nothing overflows. */
  void (*dots)(const int8_t *rows, size_t n_rows, const int16_t *b, size_t n, int32_t *out);

  /* Bit r is set where row r of a leaf is within both limits: the sum over the coordinates of
  ** min(127, |a - q| as a wrapped signed byte)^2, saturated at 65,535, is at most head_limit over
  ** the head and at most limit over all. `query` holds each pair of the query's code 32 times. */
  uint32_t (*scan)(const uint8_t *head, const uint8_t *rest, const uint8_t *query,
                   unsigned head_limit, unsigned limit);

  /* Bit b is set where the distance of the query's head from box b (low <= high), the sum of
  ** min(127, low - q or q - high or 0)^2 saturated at 65,535, is at most limit. Distances of all
  ** boxes are in `distance` if any bit is set. */
  uint32_t (*boxes)(const uint8_t *boxes, const uint8_t *query, unsigned limit,
                    uint16_t distance[KERNEL_LANES]);
} VecKernels;

/* The table of a level; NULL where this build has none. VEC_SCALAR is always there. */
const VecKernels *kernels_of(VecCpu cpu);

/* The table in use: that of vec_cpu(), unless a test has forced another. */
const VecKernels *kernels_now(void);

/* For tests: uses `cpu` from now on (not thread-safe). Returns 0 where there's no such table. */
int kernels_force(VecCpu cpu);

/* The tables, each in its own file; defined only where the compiler can build them. */
extern const VecKernels kernels_scalar;
#if defined(__x86_64__)
extern const VecKernels kernels_avx2, kernels_avx512;
#endif
#if defined(__aarch64__) || defined(VEC_SIMDE)
extern const VecKernels kernels_neon;
#endif

#endif
