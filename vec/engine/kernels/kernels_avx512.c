/*
** The kernels for AVX-512 (F, BW, VL, DQ). Each function names its instruction set. See kernels.h
** for what each computes; the pairs of a leaf's 32 rows are one register.
*/
#include "vec/engine/kernels/kernels.h"

#if defined(VEC_SIMDE)
#define VEC_SIMDE_AVX512
#include "simde_kernels.h"
#define AVX512
#elif defined(__x86_64__)
#include <immintrin.h>
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))
#endif

#if defined(AVX512)

static float sum_of_16(const float v[16]) {
  float a = 0, b = 0;
  for (int i = 0; i < 8; i++) {
    a += v[i];
    b += v[i + 8];
  }
  return a + b;
}

AVX512 static float sum_of(__m512 v) {
  float all[16];
  _mm512_storeu_ps(all, v);
  return sum_of_16(all);
}

AVX512 static void project(const float *rows, size_t n_rows, const float *x, size_t n, float *out) {
  size_t j = 0;
  for (; j + 4 <= n_rows; j += 4) {
    const float *r = rows + j * n;
    __m512 s0 = _mm512_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
    for (size_t i = 0; i < n; i += 16) {
      __m512 v = _mm512_loadu_ps(x + i);
      s0 = _mm512_fmadd_ps(_mm512_loadu_ps(r + i), v, s0);
      s1 = _mm512_fmadd_ps(_mm512_loadu_ps(r + n + i), v, s1);
      s2 = _mm512_fmadd_ps(_mm512_loadu_ps(r + 2 * n + i), v, s2);
      s3 = _mm512_fmadd_ps(_mm512_loadu_ps(r + 3 * n + i), v, s3);
    }
    out[j] = sum_of(s0);
    out[j + 1] = sum_of(s1);
    out[j + 2] = sum_of(s2);
    out[j + 3] = sum_of(s3);
  }
  for (; j < n_rows; j++) {
    __m512 s = _mm512_setzero_ps();
    for (size_t i = 0; i < n; i += 16) {
      s = _mm512_fmadd_ps(_mm512_loadu_ps(rows + j * n + i), _mm512_loadu_ps(x + i), s);
    }
    out[j] = sum_of(s);
  }
}

AVX512 static void add4(float *y, const float *x, const float *c, size_t n) {
  __m512 c0 = _mm512_set1_ps(c[0]), c1 = _mm512_set1_ps(c[1]);
  __m512 c2 = _mm512_set1_ps(c[2]), c3 = _mm512_set1_ps(c[3]);
  for (size_t i = 0; i < n; i += 16) {
    __m512 s = _mm512_fmadd_ps(c0, _mm512_loadu_ps(x + i), _mm512_loadu_ps(y + i));
    s = _mm512_fmadd_ps(c1, _mm512_loadu_ps(x + n + i), s);
    s = _mm512_fmadd_ps(c2, _mm512_loadu_ps(x + 2 * n + i), s);
    s = _mm512_fmadd_ps(c3, _mm512_loadu_ps(x + 3 * n + i), s);
    _mm512_storeu_ps(y + i, s);
  }
}

AVX512 static double apart(const float *a, const float *b, size_t n) {
  __m512d s = _mm512_setzero_pd();
  double all[8];
  for (size_t i = 0; i < n; i += 8) {
    __m512d d = _mm512_sub_pd(_mm512_cvtps_pd(_mm256_loadu_ps(a + i)),
                              _mm512_cvtps_pd(_mm256_loadu_ps(b + i)));
    s = _mm512_fmadd_pd(d, d, s);
  }
  _mm512_storeu_pd(all, s);
  return ((all[0] + all[1]) + (all[2] + all[3])) + ((all[4] + all[5]) + (all[6] + all[7]));
}

AVX512 static float quantise(const float *x, size_t n, float scale, float inverse, int8_t *bytes) {
  __m512 most = _mm512_set1_ps(127), least = _mm512_set1_ps(-127), sum = _mm512_setzero_ps();
  for (size_t i = 0; i < n; i += 16) {
    __m512 v = _mm512_loadu_ps(x + i), t = _mm512_mul_ps(v, _mm512_set1_ps(inverse));
    __m512i r = _mm512_cvtps_epi32(_mm512_max_ps(_mm512_min_ps(t, most), least));
    __m512 d = _mm512_fnmadd_ps(_mm512_set1_ps(scale), _mm512_cvtepi32_ps(r), v);
    sum = _mm512_fmadd_ps(d, d, sum);
    _mm_storeu_si128((__m128i *)(void *)(bytes + i), _mm512_cvtsepi32_epi8(r));
  }
  return sum_of(sum);
}

AVX512 static inline int32_t dot(const int8_t *a, const int16_t *b, size_t n) {
  __m512i s = _mm512_setzero_si512();
  int32_t all[16], sum = 0;
  for (size_t i = 0; i < n; i += 32) {
    __m512i v = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)(a + i)));
    __m512i w = _mm512_loadu_si512((const void *)(b + i));
    s = _mm512_add_epi32(s, _mm512_madd_epi16(v, w));
  }
  _mm512_storeu_si512((void *)all, s);
  for (int i = 0; i < 16; i++) {
    sum += all[i];
  }
  return sum;
}

AVX512 static void dots(const int8_t *rows, size_t n_rows, const int16_t *b, size_t n,
                        int32_t *out) {
  for (size_t j = 0; j < n_rows; j++) {
    out[j] = dot(rows + j * n, b, n);
  }
}

AVX512 static inline __m512i load(const uint8_t *p) {
  return _mm512_loadu_si512((const void *)p);
}

AVX512 static inline __m512i add_square(__m512i sum, __m512i d) {
  d = _mm512_min_epu8(d, _mm512_set1_epi8(127));
  return _mm512_adds_epu16(sum, _mm512_maddubs_epi16(d, d));
}

AVX512 static uint32_t scan(const uint8_t *head, const uint8_t *rest, const uint8_t *query,
                            unsigned head_limit, unsigned limit) {
  __m512i sum = _mm512_setzero_si512();
  for (size_t p = 0; p < KERNEL_HEAD_BYTES; p += KERNEL_PAIR_BYTES) {
    sum = add_square(sum, _mm512_abs_epi8(_mm512_sub_epi8(load(head + p), load(query + p))));
  }
  uint32_t mask = _mm512_cmple_epu16_mask(sum, _mm512_set1_epi16((short)head_limit));
  if (mask == 0) {
    return 0;
  }
  query += KERNEL_HEAD_BYTES;
  for (size_t p = 0; p < KERNEL_REST_BYTES; p += KERNEL_PAIR_BYTES) {
    sum = add_square(sum, _mm512_abs_epi8(_mm512_sub_epi8(load(rest + p), load(query + p))));
  }
  return mask & _mm512_cmple_epu16_mask(sum, _mm512_set1_epi16((short)limit));
}

AVX512 static uint32_t boxes(const uint8_t *box, const uint8_t *query, unsigned limit,
                             uint16_t distance[KERNEL_LANES]) {
  __m512i sum = _mm512_setzero_si512();
  for (size_t p = 0; p < KERNEL_HEAD_BYTES; p += KERNEL_PAIR_BYTES) {
    __m512i q = load(query + p);
    __m512i below = _mm512_subs_epu8(load(box + 2 * p), q);
    __m512i above = _mm512_subs_epu8(q, load(box + 2 * p + KERNEL_PAIR_BYTES));
    sum = add_square(sum, _mm512_or_si512(below, above));
  }
  uint32_t mask = _mm512_cmple_epu16_mask(sum, _mm512_set1_epi16((short)limit));
  if (mask) {
    _mm512_storeu_si512((void *)distance, sum);
  }
  return mask;
}

const VecKernels kernels_avx512 = {project, add4, apart, quantise, dots, scan, boxes};
#endif
