/*
** The inner loops of MiniLM, one table of functions per instruction set.
**
** Every level gives the same bits: the order of additions and the places of fused multiply-adds are
** part of the contract, and are ONNX Runtime's (see the top of minilm.c).
*/
#ifndef LLMCOST_MINILM_KERNELS_H
#define LLMCOST_MINILM_KERNELS_H

#include "vec/engine/kernels/vec.h"

#include <stddef.h>
#include <stdint.h>

enum {
  MINILM_HIDDEN = 384,
  MINILM_HEADS = 12,
  MINILM_HEAD = MINILM_HIDDEN / MINILM_HEADS,
  MINILM_INNER = 1536, /* of the feed-forward part */
  MINILM_TOKENS = 256, /* longest input, [CLS] and [SEP] included: sentence-transformers' limit */
  MATRIX_COLUMNS = 16, /* a matrix is stored in panels of so many columns */
  MATRIX_GROUP = 8     /* and its rows go by groups of so many */
};

/* Weights of a dense layer: out = in * (codes - 64) * scale + bias, `rows` in, `columns` out.
**
** A panel holds, per group of 8 rows (4 + 4), 16 columns (8 + 8): first rows 0-3 of columns 0-7, each
** column's four bytes together, then rows 0-3 of columns 8-15, rows 4-7 of columns 0-7, rows 4-7 of
** columns 8-15. A code is the signed weight + 64, 0 … 128. Of the weights of one column, those of
** rows {0,1,4,5} and those of {2,3,6,7} of a group have magnitudes that add up to 255 at most. */
typedef struct Matrix {
  size_t rows, columns;
  const unsigned char *codes;
  const float *scale, *bias; /* per column */
  const int32_t *sum;        /* of a column's weights */
} Matrix;

/* Eight activations, and what the product with weight codes has too much: -64 * the sum of codes
** {0,1,4,5}, and of {2,3,6,7}. */
typedef struct Group {
  int8_t codes[MATRIX_GROUP];
  int16_t lift[2];
} Group;

/* Activations in eight bits, row by row: value = (code + 128 - zero) * scale. */
typedef struct Quantized {
  Group *groups;
  float scale;
  int zero; /* 0 … 255 */
} Quantized;

typedef struct MinilmKernels {
  /* The least and the greatest of n values and 0. n is a multiple of 32. */
  void (*range)(const float *x, size_t n, float *low, float *high);

  /* Writes the groups of n values, by q->scale and q->zero: x / scale rounded to the
  ** nearest (even), plus zero, kept in 0 … 255, less 128. n is a multiple of 32. */
  void (*quantize)(const float *x, size_t n, Quantized *q);

  /* out[r][c] = (the sum over k of (q[r][k] + 128 - zero) * weight[k][c]) * (q->scale *
  ** scale[c]) + bias[c] for n rows. */
  void (*matmul)(const Matrix *m, const Quantized *q, size_t n, float *out);

  /* x = x / 2 * (erf(x / sqrt(2)) + 1) for n values, within 1e-6. n is a multiple of 32. */
  void (*gelu)(float *x, size_t n);

  /* x = the layer norm of x + add, n rows of MINILM_HIDDEN values: (x - mean) / sqrt(mean square -
  ** mean^2 + 1e-12) * weight + bias, the sums in the order of the values. */
  void (*norm)(float *x, const float *add, size_t n, const float *weight, const float *bias);

  /* One head over n tokens, softmax(query . key / sqrt(MINILM_HEAD)) . value, the products added one
  ** after the other, each fused: qkv is its first query, the key MINILM_HIDDEN further, the value as far
  ** again, and the next token 3 * MINILM_HIDDEN further. Writes MINILM_HEAD values per token, the
  ** tokens MINILM_HIDDEN apart. scratch: ATTENTION_SCRATCH floats, aligned to 32 bytes. */
  void (*attend)(const float *qkv, size_t n, float *scratch, float *out);
} MinilmKernels;

enum { ATTENTION_SCRATCH = (MINILM_HEAD + 4) * MINILM_TOKENS };

/* Borrowed; of static storage. A level without code of its own gets the best one below it. */
const MinilmKernels *minilm_kernels(VecCpu cpu);

#if defined(__x86_64__)
extern const MinilmKernels minilm_kernels_avx2;
#endif

#endif
