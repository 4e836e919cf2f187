/*
** The inner loop of the static embedder: a weighted sum of rows of four-bit numbers.
*/
#ifndef LLMCOST_STATIC_ROWS_H
#define LLMCOST_STATIC_ROWS_H

#include "vec/engine/kernels/vec.h"

#include <stddef.h>
#include <stdint.h>

enum { ROW_DIM = 256, ROW_BYTES = ROW_DIM / 2 };

/* sum[d] += weights[i] * row[ids[i]][d], for i = 0 … n-1 in that order: each product and each sum is
** rounded by itself, so every level gives the same bits. Number d of a row is nibble d (low nibble
** first) less 8. A level without code of its own runs the scalar one. */
void static_rows_add(VecCpu cpu, const unsigned char *rows, const uint32_t *ids,
                     const float *weights, size_t n, float sum[ROW_DIM]);

#endif
