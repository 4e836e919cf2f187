/*
** The inner loops of MiniLM for AVX2 and FMA. See minilm_kernels.h for the contract.
**
** matmul. vpmaddubsw multiplies unsigned by signed bytes and adds pairs in 16 bits, saturating. Here
** the unsigned operand is the weight code (0 … 128), the signed one the activation (-128 … 127), so a
** pair is within -32768 … 32512: exact. Two such pairs are added in 16 bits before the widening
** vpmaddwd, which saves a multiplication in four. That sum may wrap, but `lift` takes out the 64 that
** the code has above the weight, and what is left, the sum of four weights times activations, is
** within ±128 * 255 by the contract of Matrix: modulo 2^16, it is exact again. (The converter checks
** each group of weights; in this model none exceeds 220.)
**
** No compiler may fuse the products and sums written apart here: -std=c11 (-ffp-contract=off) sees
** to that, and the unit test compares this file with the scalar code bit by bit.
**
** Tiles are three rows by sixteen columns: six accumulators, four registers of weights, and three
** loads per row. The weights of a panel (6 to 24 KB) stay in the first-level cache for all rows,
** while the next panel is fetched into the second-level one.
*/
#if defined(__x86_64__)
#include "vec/embed/minilm_kernels.h"

#include <immintrin.h>
#include <math.h>
#include <string.h>

#define AVX2 __attribute__((target("avx2,fma")))
#define AVX2_INLINE __attribute__((target("avx2,fma"), always_inline)) static inline

/* --- across a register, and exp */

AVX2_INLINE float max_of(__m256 v) {
  __m128 s = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  s = _mm_max_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}

/* exp of values from -88 up to 0: 2^n times a polynomial of the rest, its coefficients from the
** fifth to the second degree given. */
AVX2_INLINE __m256 exp_of(__m256 x, float c6, float c5, float c4, float c3, float c2) {
  const __m256 bias = _mm256_set1_ps(12582912), one = _mm256_set1_ps(1); /* 1.5 * 2^23 */
  x = _mm256_max_ps(_mm256_set1_ps(-88.3762626647949f), x);
  __m256 biased = _mm256_fmadd_ps(x, _mm256_set1_ps(1.44269504088896341f), bias);
  __m256 n = _mm256_sub_ps(biased, bias);
  x = _mm256_fmadd_ps(n, _mm256_set1_ps(-6.93145752e-1f), x);
  x = _mm256_fmadd_ps(n, _mm256_set1_ps(-1.42860677e-6f), x);
  __m256 p = _mm256_fmadd_ps(_mm256_set1_ps(c6), x, _mm256_set1_ps(c5));
  p = _mm256_fmadd_ps(p, x, _mm256_set1_ps(c4));
  p = _mm256_fmadd_ps(p, x, _mm256_set1_ps(c3));
  p = _mm256_fmadd_ps(p, x, _mm256_set1_ps(c2));
  p = _mm256_fmadd_ps(p, x, one);
  p = _mm256_fmadd_ps(p, x, one);
  __m256i power = _mm256_add_epi32(_mm256_slli_epi32(_mm256_castps_si256(biased), 23),
                                   _mm256_castps_si256(one));
  return _mm256_mul_ps(p, _mm256_castsi256_ps(power));
}

/* --- quantization */

AVX2 static void range_avx2(const float *x, size_t n, float *low, float *high) {
  __m256 lo = _mm256_setzero_ps(), hi = lo, lo2 = lo, hi2 = lo;
  for (size_t i = 0; i < n; i += 16) {
    __m256 a = _mm256_loadu_ps(x + i), b = _mm256_loadu_ps(x + i + 8);
    lo = _mm256_min_ps(a, lo);
    hi = _mm256_max_ps(a, hi);
    lo2 = _mm256_min_ps(b, lo2);
    hi2 = _mm256_max_ps(b, hi2);
  }
  lo = _mm256_min_ps(lo, lo2);
  *low = -max_of(_mm256_sub_ps(_mm256_setzero_ps(), lo));
  *high = max_of(_mm256_max_ps(hi, hi2));
}

/* Eight values as codes of 32 bits. The limits come second: a NaN is the lowest. */
AVX2_INLINE __m256i codes_of(const float *x, __m256 scale, __m256 low, __m256 high, __m256i shift) {
  __m256 v = _mm256_div_ps(_mm256_loadu_ps(x), scale);
  v = _mm256_min_ps(_mm256_max_ps(v, low), high);
  return _mm256_add_epi32(_mm256_cvtps_epi32(v), shift);
}

/* Stores four groups: their codes in the four quarters of one register, their lifts at the start of
** the quarters of the other. */
AVX2_INLINE void store_groups(__m256i codes, __m256i lift, Group *g) {
  uint64_t c[4], l[4];
  _mm256_storeu_si256((__m256i *)c, codes);
  _mm256_storeu_si256((__m256i *)l, lift);
  for (int i = 0; i < 4; i++) {
    memcpy(g[i].codes, &c[i], sizeof g->codes);
    memcpy(g[i].lift, &l[i], sizeof g->lift);
  }
}

AVX2 static void quantize_avx2(const float *x, size_t n, Quantized *q) {
  const __m256 scale = _mm256_set1_ps(q->scale), low = _mm256_set1_ps((float)-q->zero);
  const __m256 high = _mm256_set1_ps((float)(255 - q->zero));
  const __m256i shift = _mm256_set1_epi32(q->zero - 128), sixty_four = _mm256_set1_epi8(64);
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  for (size_t i = 0; i < n; i += 32) {
    __m256i a = _mm256_packs_epi32(codes_of(x + i, scale, low, high, shift),
                                   codes_of(x + i + 8, scale, low, high, shift));
    __m256i b = _mm256_packs_epi32(codes_of(x + i + 16, scale, low, high, shift),
                                   codes_of(x + i + 24, scale, low, high, shift));
    __m256i codes = _mm256_permutevar8x32_epi32(_mm256_packs_epi16(a, b), order);
    __m256i pairs = _mm256_maddubs_epi16(sixty_four, codes);
    __m256i lift = _mm256_add_epi16(pairs, _mm256_srli_epi64(pairs, 32));
    store_groups(codes, _mm256_sub_epi16(_mm256_setzero_si256(), lift),
                 q->groups + i / MATRIX_GROUP);
  }
}

/* --- matrix product */

AVX2_INLINE __m256i broadcast4(const void *bytes) {
  int32_t word;
  memcpy(&word, bytes, sizeof word);
  return _mm256_set1_epi32(word);
}

/* Eight rows of a column, four products at a time: see the top. */
AVX2_INLINE __m256i products(__m256i w0, __m256i w4, __m256i a0, __m256i a4, __m256i lift) {
  __m256i low = _mm256_maddubs_epi16(w0, a0), high = _mm256_maddubs_epi16(w4, a4);
  __m256i sum = _mm256_add_epi16(_mm256_add_epi16(low, lift), high);
  return _mm256_madd_epi16(sum, _mm256_set1_epi16(1));
}

/* The real numbers of eight columns of one row. */
AVX2_INLINE void store_columns(const Matrix *m, const Quantized *q, size_t column, __m256i sum,
                               float *out) {
  __m256i zero = _mm256_mullo_epi32(_mm256_set1_epi32(128 - q->zero),
                                    _mm256_loadu_si256((const __m256i *)(m->sum + column)));
  __m256 scale = _mm256_mul_ps(_mm256_set1_ps(q->scale), _mm256_loadu_ps(m->scale + column));
  __m256 x = _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_add_epi32(sum, zero)), scale);
  _mm256_storeu_ps(out + column, _mm256_add_ps(x, _mm256_loadu_ps(m->bias + column)));
}

/* `height` rows (a constant: 1, 2 or 3) from row r on times the panel at a column. */
AVX2_INLINE void multiply_tile(const Matrix *m, const Quantized *q, size_t r, size_t column,
                               float *out, const int height) {
  const __m256i *w = (const __m256i *)(const void *)(m->codes + column * m->rows);
  const Group *a = q->groups + r * m->rows / MATRIX_GROUP, *end = a + m->rows / MATRIX_GROUP;
  const size_t stride = m->rows / MATRIX_GROUP;
  const size_t next = m->rows * MATRIX_COLUMNS / sizeof *w; /* to the panel after this one */
  const __m256i zero = _mm256_setzero_si256();
  __m256i sum[3][2] = {{zero, zero}, {zero, zero}, {zero, zero}};
  for (; a < end; a++, w += 4) {
    _mm_prefetch((const char *)(w + next), _MM_HINT_T1);
    _mm_prefetch((const char *)(w + next + 2), _MM_HINT_T1);
    __m256i w00 = _mm256_loadu_si256(w), w01 = _mm256_loadu_si256(w + 1);
    __m256i w40 = _mm256_loadu_si256(w + 2), w41 = _mm256_loadu_si256(w + 3);
#pragma GCC unroll 3
    for (int i = 0; i < height; i++) {
      const Group *g = a + (size_t)i * stride;
      __m256i a0 = broadcast4(g->codes), a4 = broadcast4(g->codes + 4), l = broadcast4(g->lift);
      sum[i][0] = _mm256_add_epi32(sum[i][0], products(w00, w40, a0, a4, l));
      sum[i][1] = _mm256_add_epi32(sum[i][1], products(w01, w41, a0, a4, l));
    }
  }
  for (int i = 0; i < height; i++) {
    float *o = out + (r + (size_t)i) * m->columns;
    store_columns(m, q, column, sum[i][0], o);
    store_columns(m, q, column + 8, sum[i][1], o);
  }
}

AVX2 static void matmul_avx2(const Matrix *m, const Quantized *q, size_t n, float *out) {
  for (size_t column = 0; column < m->columns; column += MATRIX_COLUMNS) {
    size_t r = 0;
    for (; r + 3 <= n; r += 3) {
      multiply_tile(m, q, r, column, out, 3);
    }
    if (n - r == 2) {
      multiply_tile(m, q, r, column, out, 2);
    } else if (n - r == 1) {
      multiply_tile(m, q, r, column, out, 1);
    }
  }
}

/* --- functions */

/* Eight values of erf. Two polynomials, for |x| below and from 0.921875, as in N. Juffa's published
** erff(); constants and order of operations are those of ONNX Runtime. */
AVX2_INLINE __m256 erf_of(__m256 x) {
  const __m256 minus = _mm256_set1_ps(-0.0f);
  __m256 a = _mm256_min_ps(_mm256_andnot_ps(minus, x), _mm256_set1_ps(3.925f));
  __m256 is_big = _mm256_cmp_ps(_mm256_set1_ps(0.921875f), a, _CMP_LE_OQ);
  __m256 s = _mm256_mul_ps(a, a), p = _mm256_set1_ps(-5.99104969e-4f);
  p = _mm256_fmadd_ps(p, s, _mm256_set1_ps(4.99339588e-3f));
  p = _mm256_fmadd_ps(p, s, _mm256_set1_ps(-2.67667342e-2f));
  p = _mm256_fmadd_ps(p, s, _mm256_set1_ps(1.12818025e-1f));
  p = _mm256_fmadd_ps(p, s, _mm256_set1_ps(-3.76124859e-1f));
  p = _mm256_fmadd_ps(p, s, _mm256_set1_ps(1.28379151e-1f));
  p = _mm256_fmadd_ps(p, a, a);
  __m256 q = _mm256_set1_ps(1.72948930e-5f);
  q = _mm256_fmadd_ps(q, a, _mm256_set1_ps(-3.83208680e-4f));
  q = _mm256_fmadd_ps(q, a, _mm256_set1_ps(3.88393435e-3f));
  q = _mm256_fmadd_ps(q, a, _mm256_set1_ps(-2.42545605e-2f));
  q = _mm256_fmadd_ps(q, a, _mm256_set1_ps(1.06777847e-1f));
  q = _mm256_fmadd_ps(q, a, _mm256_set1_ps(6.34846687e-1f));
  q = _mm256_fmadd_ps(q, a, _mm256_set1_ps(1.28717512e-1f));
  q = _mm256_xor_ps(_mm256_fmadd_ps(q, a, a), minus);
  __m256 e =
      _mm256_sub_ps(_mm256_set1_ps(1), exp_of(q, 1.38319808e-3f, 8.37550033e-3f, 4.16689515e-2f,
                                              1.66664466e-1f, 4.99999851e-1f));
  return _mm256_or_ps(_mm256_blendv_ps(p, e, is_big), _mm256_and_ps(minus, x));
}

AVX2 static void gelu_avx2(float *x, size_t n) {
  const __m256 one = _mm256_set1_ps(1);
  for (size_t i = 0; i < n; i += 8) {
    __m256 v = _mm256_loadu_ps(x + i), half = _mm256_mul_ps(v, _mm256_set1_ps(0.5f));
    __m256 e = erf_of(_mm256_mul_ps(v, _mm256_set1_ps(0.70710678f)));
    _mm256_storeu_ps(x + i, _mm256_mul_ps(half, _mm256_add_ps(e, one)));
  }
}

/* --- layer norm */

/* Sums and sums of squares of `height` rows (a constant), each in the order of its values: rows go
** side by side, because one sum alone waits for its last addition. */
AVX2_INLINE void sum_rows(const float *x, const int height, float *sum, float *squares) {
  for (int r = 0; r < height; r++) {
    sum[r] = squares[r] = 0;
  }
  for (int i = 0; i < MINILM_HIDDEN; i++) {
#pragma GCC unroll 4
    for (int r = 0; r < height; r++) {
      float v = x[r * MINILM_HIDDEN + i];
      sum[r] += v;
      squares[r] += v * v;
    }
  }
}

AVX2_INLINE void norm_row(float *x, float sum, float squares, const float *weight,
                          const float *bias) {
  float mean = sum / MINILM_HIDDEN;
  __m256 m = _mm256_set1_ps(mean);
  __m256 deviation = _mm256_set1_ps(sqrtf(squares / MINILM_HIDDEN - mean * mean + 1e-12f));
  for (int i = 0; i < MINILM_HIDDEN; i += 8) {
    __m256 v = _mm256_div_ps(_mm256_sub_ps(_mm256_loadu_ps(x + i), m), deviation);
    v = _mm256_mul_ps(v, _mm256_loadu_ps(weight + i));
    _mm256_storeu_ps(x + i, _mm256_add_ps(v, _mm256_loadu_ps(bias + i)));
  }
}

AVX2 static void norm_avx2(float *x, const float *add, size_t n, const float *weight,
                           const float *bias) {
  float sum[4], squares[4];
  for (size_t i = 0; i < n * MINILM_HIDDEN; i += 8) {
    _mm256_storeu_ps(x + i, _mm256_add_ps(_mm256_loadu_ps(x + i), _mm256_loadu_ps(add + i)));
  }
  for (size_t r = 0; r < n; x += 4 * MINILM_HIDDEN, r += 4) {
    size_t height = n - r < 4 ? n - r : 4;
    if (height == 4) {
      sum_rows(x, 4, sum, squares);
    } else {
      for (size_t i = 0; i < height; i++) {
        sum_rows(x + i * MINILM_HIDDEN, 1, sum + i, squares + i);
      }
    }
    for (size_t i = 0; i < height; i++) {
      norm_row(x + i * MINILM_HIDDEN, sum[i], squares[i], weight, bias);
    }
  }
}

/* --- attention */

enum { TOKEN = 3 * MINILM_HIDDEN, TILE = 4 /* queries at a time */ };

/* The keys with a dimension's values side by side, `width` (a multiple of 16) of them, the last ones
** zeros. */
static void transpose_keys(const float *keys, size_t n, size_t width, float *turned) {
  memset(turned, 0, MINILM_HEAD * width * sizeof *turned);
  for (size_t t = 0; t < n; t++) {
    for (size_t d = 0; d < MINILM_HEAD; d++) {
      turned[d * width + t] = keys[t * TOKEN + d];
    }
  }
}

/* Scores of `height` queries (a constant, up to TILE) against all keys. */
AVX2_INLINE void score_tile(const float *queries, const float *turned, size_t width, float *scores,
                            const int height) {
  const __m256 scale = _mm256_set1_ps(0.17677669f); /* 1 / sqrt(MINILM_HEAD) */
  for (size_t t = 0; t < width; t += 16) {
    const __m256 zero = _mm256_setzero_ps();
    __m256 dot[TILE][2] = {{zero, zero}, {zero, zero}, {zero, zero}, {zero, zero}};
    for (size_t d = 0; d < MINILM_HEAD; d++) {
      __m256 k0 = _mm256_loadu_ps(turned + d * width + t);
      __m256 k1 = _mm256_loadu_ps(turned + d * width + t + 8);
#pragma GCC unroll 4
      for (int i = 0; i < height; i++) {
        __m256 q = _mm256_set1_ps(queries[(size_t)i * TOKEN + d]);
        dot[i][0] = _mm256_fmadd_ps(q, k0, dot[i][0]);
        dot[i][1] = _mm256_fmadd_ps(q, k1, dot[i][1]);
      }
    }
    for (int i = 0; i < height; i++) {
      float *s = scores + (size_t)i * width + t;
      _mm256_storeu_ps(s, _mm256_mul_ps(dot[i][0], scale));
      _mm256_storeu_ps(s + 8, _mm256_mul_ps(dot[i][1], scale));
    }
  }
}

/* Turns scores into shares that add up to one; the padding's shares are 0. */
AVX2_INLINE void softmax(float *scores, size_t n, size_t width) {
  __m256 most = _mm256_set1_ps(-INFINITY), sum = _mm256_setzero_ps();
  for (size_t t = n; t < width; t++) {
    scores[t] = -INFINITY;
  }
  for (size_t t = 0; t < width; t += 8) {
    most = _mm256_max_ps(most, _mm256_loadu_ps(scores + t));
  }
  most = _mm256_set1_ps(-max_of(most));
  for (size_t t = 0; t < width; t += 8) {
    __m256 x = _mm256_add_ps(most, _mm256_loadu_ps(scores + t));
    __m256 is_padding = _mm256_cmp_ps(x, _mm256_set1_ps(-INFINITY), _CMP_EQ_OQ);
    x = exp_of(x, 0x1.694000p-10f, 0x1.125edcp-7f, 0x1.555b5ap-5f, 0x1.555450p-3f, 0x1.fffff6p-2f);
    x = _mm256_andnot_ps(is_padding, x);
    sum = _mm256_add_ps(sum, x);
    _mm256_storeu_ps(scores + t, x);
  }
  sum = _mm256_hadd_ps(sum, sum);
  sum = _mm256_hadd_ps(sum, sum);
  __m128 total = _mm_add_ss(_mm256_extractf128_ps(sum, 1), _mm256_castps256_ps128(sum));
  __m256 scale = _mm256_set1_ps(1 / _mm_cvtss_f32(total));
  for (size_t t = 0; t < width; t += 8) {
    _mm256_storeu_ps(scores + t, _mm256_mul_ps(scale, _mm256_loadu_ps(scores + t)));
  }
}

/* The values by the shares of `height` queries (a constant, 1 or 2). */
AVX2_INLINE void mix_values(const float *values, const float *share, size_t n, size_t width,
                            float *out, const int height) {
  const __m256 zero = _mm256_setzero_ps();
  __m256 v[2][4] = {{zero, zero, zero, zero}, {zero, zero, zero, zero}};
  for (size_t t = 0; t < n; t++) {
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
      __m256 x = _mm256_loadu_ps(values + t * TOKEN + 8 * j);
#pragma GCC unroll 2
      for (int i = 0; i < height; i++) {
        v[i][j] = _mm256_fmadd_ps(_mm256_set1_ps(share[(size_t)i * width + t]), x, v[i][j]);
      }
    }
  }
  for (int i = 0; i < height; i++) {
    for (int j = 0; j < 4; j++) {
      _mm256_storeu_ps(out + i * MINILM_HIDDEN + 8 * j, v[i][j]);
    }
  }
}

AVX2 static void attend_avx2(const float *qkv, size_t n, float *scratch, float *out) {
  const float *values = qkv + 2 * MINILM_HIDDEN;
  size_t width = (n + 15) / 16 * 16;
  float *turned = scratch, *scores = scratch + MINILM_HEAD * width;
  transpose_keys(qkv + MINILM_HIDDEN, n, width, turned);
  for (size_t r = 0; r < n; r += TILE, out += TILE * MINILM_HIDDEN) {
    size_t height = n - r < TILE ? n - r : TILE, i;
    if (height == TILE) {
      score_tile(qkv + r * TOKEN, turned, width, scores, TILE);
    } else {
      for (i = 0; i < height; i++) {
        score_tile(qkv + (r + i) * TOKEN, turned, width, scores + i * width, 1);
      }
    }
    for (i = 0; i < height; i++) {
      softmax(scores + i * width, n, width);
    }
    for (i = 0; i + 2 <= height; i += 2) {
      mix_values(values, scores + i * width, n, width, out + i * MINILM_HIDDEN, 2);
    }
    if (i < height) {
      mix_values(values, scores + i * width, n, width, out + i * MINILM_HIDDEN, 1);
    }
  }
}

const MinilmKernels minilm_kernels_avx2 = {range_avx2, quantize_avx2, matmul_avx2,
                                           gelu_avx2,  norm_avx2,     attend_avx2};
#else
typedef int minilm_avx2_is_for_x86_64;
#endif
