/*
** A weighted sum of rows of four-bit numbers. See static_rows.h for the contract.
**
** AVX2 takes 64 dimensions at a time, all rows over eight accumulators: a lane of 32 bits is eight
** nibbles, and accumulator j collects nibble j of each lane, that is, dimensions j, 8 + j, 16 + j …
** With 0x88888888 flipped, a nibble is its number in two's complement, and two shifts extend it.
** No fused multiply-add: the scalar path rounds twice.
*/
#include "vec/embed/static_rows.h"

#include <string.h>

static void add_scalar(const unsigned char *rows, const uint32_t *ids, const float *weights,
                       size_t n, float *sum) {
  for (size_t i = 0; i < n; i++) {
    const unsigned char *row = rows + (size_t)ids[i] * ROW_BYTES;
    for (int d = 0; d < ROW_BYTES; d++) {
      float lo = weights[i] * (float)((row[d] & 15) - 8);
      float hi = weights[i] * (float)((row[d] >> 4) - 8);
      sum[2 * d] += lo;
      sum[2 * d + 1] += hi;
    }
  }
}

#if defined(__x86_64__)
#include <immintrin.h>

enum { BLOCK = 64 };

#define ADD_NIBBLE(j)                                                                              \
  acc[j] = _mm256_add_ps(acc[j], _mm256_mul_ps(w, _mm256_cvtepi32_ps(_mm256_srai_epi32(            \
                                                      _mm256_slli_epi32(x, 28 - 4 * (j)), 28))))

__attribute__((target("avx2"))) static void add_block_avx2(const unsigned char *rows,
                                                           const uint32_t *ids,
                                                           const float *weights, size_t n,
                                                           float sum[BLOCK]) {
  const __m256i flip = _mm256_set1_epi32((int)0x88888888);
  float lanes[8][8];
  __m256 acc[8];
  for (int j = 0; j < 8; j++) {
    for (int lane = 0; lane < 8; lane++) {
      lanes[j][lane] = sum[8 * lane + j];
    }
    acc[j] = _mm256_loadu_ps(lanes[j]);
  }
  for (size_t i = 0; i < n; i++) {
    const unsigned char *row = rows + (size_t)ids[i] * ROW_BYTES;
    __m256i x = _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)row), flip);
    __m256 w = _mm256_set1_ps(weights[i]);
    ADD_NIBBLE(0);
    ADD_NIBBLE(1);
    ADD_NIBBLE(2);
    ADD_NIBBLE(3);
    ADD_NIBBLE(4);
    ADD_NIBBLE(5);
    ADD_NIBBLE(6);
    ADD_NIBBLE(7);
  }
  for (int j = 0; j < 8; j++) {
    _mm256_storeu_ps(lanes[j], acc[j]);
    for (int lane = 0; lane < 8; lane++) {
      sum[8 * lane + j] = lanes[j][lane];
    }
  }
}

static void add_avx2(const unsigned char *rows, const uint32_t *ids, const float *weights, size_t n,
                     float *sum) {
  for (int d = 0; d < ROW_DIM; d += BLOCK) {
    add_block_avx2(rows + d / 2, ids, weights, n, sum + d);
  }
}
#endif

void static_rows_add(VecCpu cpu, const unsigned char *rows, const uint32_t *ids,
                     const float *weights, size_t n, float sum[ROW_DIM]) {
#if defined(__x86_64__)
  if (cpu >= VEC_AVX2) {
    add_avx2(rows, ids, weights, n, sum);
    return;
  }
#endif
  (void)cpu;
  add_scalar(rows, ids, weights, n, sum);
}
