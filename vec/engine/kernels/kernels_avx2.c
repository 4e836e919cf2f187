/*
** The kernels for AVX2 + FMA. Each function names its instruction set, so that the file is compiled
** like any other and runs only where vec_cpu() allows it. See kernels.h for what each computes.
**
** Differences of bytes: the absolute value of a wrapped difference is 0 … 128, cut to 127 because
** maddubs takes its second operand as signed. Two squares of 127 are 32,258, within its 16 bits;
** sums then saturate at 65,535.
*/
#include "vec/engine/kernels/kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,fma")))

AVX2 static inline float sum_of(__m256 v) {
  __m128 a = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  a = _mm_add_ps(a, _mm_movehl_ps(a, a));
  return _mm_cvtss_f32(_mm_add_ss(a, _mm_movehdup_ps(a)));
}

AVX2 static inline float dot_row(const float *row, const float *x, size_t n) {
  __m256 a = _mm256_setzero_ps(), b = a;
  for (size_t i = 0; i < n; i += 16) {
    a = _mm256_fmadd_ps(_mm256_loadu_ps(row + i), _mm256_loadu_ps(x + i), a);
    b = _mm256_fmadd_ps(_mm256_loadu_ps(row + i + 8), _mm256_loadu_ps(x + i + 8), b);
  }
  return sum_of(_mm256_add_ps(a, b));
}

AVX2 static void project(const float *rows, size_t n_rows, const float *x, size_t n, float *out) {
  size_t j = 0;
  for (; j + 4 <= n_rows; j += 4) {
    const float *r = rows + j * n;
    __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
    __m256 t0 = s0, t1 = s0, t2 = s0, t3 = s0;
    for (size_t i = 0; i < n; i += 16) {
      __m256 v = _mm256_loadu_ps(x + i), w = _mm256_loadu_ps(x + i + 8);
      s0 = _mm256_fmadd_ps(_mm256_loadu_ps(r + i), v, s0);
      t0 = _mm256_fmadd_ps(_mm256_loadu_ps(r + i + 8), w, t0);
      s1 = _mm256_fmadd_ps(_mm256_loadu_ps(r + n + i), v, s1);
      t1 = _mm256_fmadd_ps(_mm256_loadu_ps(r + n + i + 8), w, t1);
      s2 = _mm256_fmadd_ps(_mm256_loadu_ps(r + 2 * n + i), v, s2);
      t2 = _mm256_fmadd_ps(_mm256_loadu_ps(r + 2 * n + i + 8), w, t2);
      s3 = _mm256_fmadd_ps(_mm256_loadu_ps(r + 3 * n + i), v, s3);
      t3 = _mm256_fmadd_ps(_mm256_loadu_ps(r + 3 * n + i + 8), w, t3);
    }
    out[j] = sum_of(_mm256_add_ps(s0, t0));
    out[j + 1] = sum_of(_mm256_add_ps(s1, t1));
    out[j + 2] = sum_of(_mm256_add_ps(s2, t2));
    out[j + 3] = sum_of(_mm256_add_ps(s3, t3));
  }
  for (; j < n_rows; j++) {
    out[j] = dot_row(rows + j * n, x, n);
  }
}

AVX2 static void add4(float *y, const float *x, const float *c, size_t n) {
  __m256 c0 = _mm256_set1_ps(c[0]), c1 = _mm256_set1_ps(c[1]);
  __m256 c2 = _mm256_set1_ps(c[2]), c3 = _mm256_set1_ps(c[3]);
  for (size_t i = 0; i < n; i += 8) {
    __m256 s = _mm256_fmadd_ps(c0, _mm256_loadu_ps(x + i), _mm256_loadu_ps(y + i));
    s = _mm256_fmadd_ps(c1, _mm256_loadu_ps(x + n + i), s);
    s = _mm256_fmadd_ps(c2, _mm256_loadu_ps(x + 2 * n + i), s);
    s = _mm256_fmadd_ps(c3, _mm256_loadu_ps(x + 3 * n + i), s);
    _mm256_storeu_ps(y + i, s);
  }
}

AVX2 static double apart(const float *a, const float *b, size_t n) {
  __m256d s = _mm256_setzero_pd(), t = s;
  for (size_t i = 0; i < n; i += 8) {
    __m256 x = _mm256_loadu_ps(a + i), y = _mm256_loadu_ps(b + i);
    __m256d d = _mm256_sub_pd(_mm256_cvtps_pd(_mm256_castps256_ps128(x)),
                              _mm256_cvtps_pd(_mm256_castps256_ps128(y)));
    __m256d e = _mm256_sub_pd(_mm256_cvtps_pd(_mm256_extractf128_ps(x, 1)),
                              _mm256_cvtps_pd(_mm256_extractf128_ps(y, 1)));
    s = _mm256_fmadd_pd(d, d, s);
    t = _mm256_fmadd_pd(e, e, t);
  }
  s = _mm256_add_pd(s, t);
  __m128d h = _mm_add_pd(_mm256_castpd256_pd128(s), _mm256_extractf128_pd(s, 1));
  return _mm_cvtsd_f64(_mm_add_sd(h, _mm_unpackhi_pd(h, h)));
}

AVX2 static float quantise(const float *x, size_t n, float scale, float inverse, int8_t *bytes) {
  __m256 most = _mm256_set1_ps(127), least = _mm256_set1_ps(-127), sum = _mm256_setzero_ps();
  for (size_t i = 0; i < n; i += 32) {
    __m256i r[4];
    for (size_t j = 0; j < 4; j++) {
      __m256 v = _mm256_loadu_ps(x + i + 8 * j);
      __m256 t = _mm256_mul_ps(v, _mm256_set1_ps(inverse));
      r[j] = _mm256_cvtps_epi32(_mm256_max_ps(_mm256_min_ps(t, most), least));
      __m256 d = _mm256_fnmadd_ps(_mm256_set1_ps(scale), _mm256_cvtepi32_ps(r[j]), v);
      sum = _mm256_fmadd_ps(d, d, sum);
    }
    __m256i b = _mm256_packs_epi16(_mm256_packs_epi32(r[0], r[1]), _mm256_packs_epi32(r[2], r[3]));
    b = _mm256_permutevar8x32_epi32(b, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    _mm256_storeu_si256((__m256i *)(void *)(bytes + i), b);
  }
  return sum_of(sum);
}

AVX2 static inline int32_t dot(const int8_t *a, const int16_t *b, size_t n) {
  __m256i s = _mm256_setzero_si256(), t = s;
  for (size_t i = 0; i < n; i += 32) {
    __m256i v = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(a + i)));
    __m256i w = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(a + i + 16)));
    s = _mm256_add_epi32(
        s, _mm256_madd_epi16(v, _mm256_loadu_si256((const __m256i *)(const void *)(b + i))));
    t = _mm256_add_epi32(
        t, _mm256_madd_epi16(w, _mm256_loadu_si256((const __m256i *)(const void *)(b + i + 16))));
  }
  s = _mm256_add_epi32(s, t);
  __m128i h = _mm_add_epi32(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1));
  h = _mm_add_epi32(h, _mm_shuffle_epi32(h, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(h, _mm_shuffle_epi32(h, 0xb1)));
}

AVX2 static void dots(const int8_t *rows, size_t n_rows, const int16_t *b, size_t n, int32_t *out) {
  for (size_t j = 0; j < n_rows; j++) {
    out[j] = dot(rows + j * n, b, n);
  }
}

AVX2 static inline __m256i load(const uint8_t *p) {
  return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

AVX2 static inline __m256i add_square(__m256i sum, __m256i d) {
  d = _mm256_min_epu8(d, _mm256_set1_epi8(127));
  return _mm256_adds_epu16(sum, _mm256_maddubs_epi16(d, d));
}

AVX2 static inline __m256i add_pair(__m256i sum, const uint8_t *codes, __m256i query) {
  return add_square(sum, _mm256_abs_epi8(_mm256_sub_epi8(load(codes), query)));
}

AVX2 static inline __m256i at_most(__m256i sum, unsigned limit) {
  return _mm256_cmpeq_epi16(_mm256_min_epu16(sum, _mm256_set1_epi16((short)limit)), sum);
}

AVX2 static inline uint32_t lanes_of(__m256i a, __m256i b) {
  __m256i both = _mm256_permute4x64_epi64(_mm256_packs_epi16(a, b), 0xd8);
  return (uint32_t)_mm256_movemask_epi8(both);
}

AVX2 static uint32_t scan(const uint8_t *head, const uint8_t *rest, const uint8_t *query,
                          unsigned head_limit, unsigned limit) {
  __m256i a = _mm256_setzero_si256(), b = a;
  for (size_t p = 0; p < KERNEL_HEAD_BYTES; p += KERNEL_PAIR_BYTES) {
    __m256i q = load(query + p);
    a = add_pair(a, head + p, q);
    b = add_pair(b, head + p + 32, q);
  }
  __m256i in_a = at_most(a, head_limit), in_b = at_most(b, head_limit);
  __m256i any = _mm256_or_si256(in_a, in_b);
  if (_mm256_testz_si256(any, any)) {
    return 0;
  }
  query += KERNEL_HEAD_BYTES;
  for (size_t p = 0; p < KERNEL_REST_BYTES; p += KERNEL_PAIR_BYTES) {
    __m256i q = load(query + p);
    a = add_pair(a, rest + p, q);
    b = add_pair(b, rest + p + 32, q);
  }
  return lanes_of(_mm256_and_si256(in_a, at_most(a, limit)),
                  _mm256_and_si256(in_b, at_most(b, limit)));
}

AVX2 static inline __m256i add_gap(__m256i sum, const uint8_t *box, __m256i query) {
  __m256i below = _mm256_subs_epu8(load(box), query);
  __m256i above = _mm256_subs_epu8(query, load(box + KERNEL_PAIR_BYTES));
  return add_square(sum, _mm256_or_si256(below, above));
}

AVX2 static uint32_t boxes(const uint8_t *box, const uint8_t *query, unsigned limit,
                           uint16_t distance[KERNEL_LANES]) {
  __m256i a = _mm256_setzero_si256(), b = a;
  for (size_t p = 0; p < KERNEL_HEAD_BYTES; p += KERNEL_PAIR_BYTES) {
    __m256i q = load(query + p);
    a = add_gap(a, box + 2 * p, q);
    b = add_gap(b, box + 2 * p + 32, q);
  }
  uint32_t mask = lanes_of(at_most(a, limit), at_most(b, limit));
  if (mask) {
    _mm256_storeu_si256((__m256i *)(void *)distance, a);
    _mm256_storeu_si256((__m256i *)(void *)(distance + 16), b);
  }
  return mask;
}

const VecKernels kernels_avx2 = {project, add4, apart, quantise, dots, scan, boxes};
#endif
