/*
** The inner loops of MiniLM in plain C, and the choice among the levels. See minilm_kernels.h for
** the contract, and the top of minilm.c for why each rounding counts.
**
** fmaf is one instruction on arm64; on an x86-64 without FMA it is a slow function of libm, but such
** a machine is slow at this model anyway. erf and exp are N. Juffa's published single-precision
** functions, with the constants and the order of operations of ONNX Runtime.
*/
#include "vec/embed/minilm_kernels.h"

#include <math.h>

static void range_scalar(const float *x, size_t n, float *low, float *high) {
  float lo = 0, hi = 0;
  for (size_t i = 0; i < n; i++) {
    lo = x[i] < lo ? x[i] : lo;
    hi = x[i] > hi ? x[i] : hi;
  }
  *low = lo;
  *high = hi;
}

/* One value's code. Written so that a NaN is the lowest. */
static int8_t code_of(float x, float scale, int zero) {
  float low = (float)-zero, high = (float)(255 - zero), v = x / scale;
  v = v > low ? v : low;
  v = v < high ? v : high;
  return (int8_t)((int)lrintf(v) + zero - 128);
}

static void quantize_scalar(const float *x, size_t n, Quantized *q) {
  for (size_t i = 0; i < n; i += MATRIX_GROUP) {
    Group *g = &q->groups[i / MATRIX_GROUP];
    int8_t *c = g->codes;
    for (int k = 0; k < MATRIX_GROUP; k++) {
      c[k] = code_of(x[i + (size_t)k], q->scale, q->zero);
    }
    g->lift[0] = (int16_t)(-64 * (c[0] + c[1] + c[4] + c[5]));
    g->lift[1] = (int16_t)(-64 * (c[2] + c[3] + c[6] + c[7]));
  }
}

/* The products of one row with a panel of columns. */
static void panel_sums(const unsigned char *panel, const Group *groups, size_t rows,
                       int32_t sums[MATRIX_COLUMNS]) {
  for (int c = 0; c < MATRIX_COLUMNS; c++) {
    sums[c] = 0;
  }
  for (size_t k = 0; k < rows; k++) {
    const unsigned char *w =
        panel + k / 4 * (4 * MATRIX_COLUMNS) + k % 4; /* four rows of all columns lie together */
    int a = groups[k / MATRIX_GROUP].codes[k % MATRIX_GROUP];
    for (int c = 0; c < MATRIX_COLUMNS; c++) {
      sums[c] += a * ((int)w[4 * c] - 64);
    }
  }
}

static void matmul_scalar(const Matrix *m, const Quantized *q, size_t n, float *out) {
  int32_t sums[MATRIX_COLUMNS];
  for (size_t p = 0; p < m->columns; p += MATRIX_COLUMNS) {
    for (size_t r = 0; r < n; r++) {
      panel_sums(m->codes + p * m->rows, q->groups + r * m->rows / MATRIX_GROUP, m->rows, sums);
      for (size_t i = 0; i < MATRIX_COLUMNS; i++) {
        int32_t sum =
            (int32_t)((uint32_t)sums[i] + (uint32_t)(128 - q->zero) * (uint32_t)m->sum[p + i]);
        out[r * m->columns + p + i] = (float)sum * (q->scale * m->scale[p + i]) + m->bias[p + i];
      }
    }
  }
}

/* exp of a value from -88 up to 0: 2^n times a polynomial of the rest, with these coefficients from
** the sixth degree to the second. */
static float exp_of(float x, const float c[5]) {
  const float bias = 12582912; /* 1.5 * 2^23: what is added to it is rounded to an integer */
  x = x > -88.3762626647949f ? x : -88.3762626647949f;
  float n = fmaf(x, 1.44269504088896341f, bias) - bias, p = c[0];
  x = fmaf(n, -6.93145752e-1f, x);
  x = fmaf(n, -1.42860677e-6f, x);
  for (int i = 1; i < 5; i++) {
    p = fmaf(p, x, c[i]);
  }
  p = fmaf(fmaf(p, x, 1), x, 1);
  return ldexpf(p, (int)n);
}

static float erf_of(float x) {
  static const float small[] = {-5.99104969e-4f, 4.99339588e-3f,  -2.67667342e-2f,
                                1.12818025e-1f,  -3.76124859e-1f, 1.28379151e-1f};
  static const float big[] = {1.72948930e-5f, -3.83208680e-4f, 3.88393435e-3f, -2.42545605e-2f,
                              1.06777847e-1f, 6.34846687e-1f,  1.28717512e-1f};
  static const float of_exp[] = {1.38319808e-3f, 8.37550033e-3f, 4.16689515e-2f, 1.66664466e-1f,
                                 4.99999851e-1f};
  float a = fabsf(x) < 3.925f ? fabsf(x) : 3.925f;
  int is_big = a >= 0.921875f;
  float p = is_big ? big[0] : small[0], y = is_big ? a : a * a;
  for (int i = 1; i < (is_big ? 7 : 6); i++) {
    p = fmaf(p, y, is_big ? big[i] : small[i]);
  }
  p = fmaf(p, a, a);
  return copysignf(is_big ? 1 - exp_of(-p, of_exp) : p, x);
}

static void gelu_scalar(float *x, size_t n) {
  for (size_t i = 0; i < n; i++) {
    x[i] = 0.5f * x[i] * (erf_of(x[i] * 0.70710678f) + 1);
  }
}

static void norm_row(float *x, const float *add, const float *weight, const float *bias) {
  float mean = 0, squares = 0;
  for (int i = 0; i < MINILM_HIDDEN; i++) {
    x[i] += add[i];
    mean += x[i];
    squares += x[i] * x[i];
  }
  mean /= MINILM_HIDDEN;
  float deviation = sqrtf(squares / MINILM_HIDDEN - mean * mean + 1e-12f);
  for (int i = 0; i < MINILM_HIDDEN; i++) {
    x[i] = (x[i] - mean) / deviation * weight[i] + bias[i];
  }
}

static void norm_scalar(float *x, const float *add, size_t n, const float *weight,
                        const float *bias) {
  for (size_t r = 0; r < n * MINILM_HIDDEN; r += MINILM_HIDDEN) {
    norm_row(x + r, add + r, weight, bias);
  }
}

/* Turns n scores into shares that add up to one. The sum is that of eight lanes. */
static void softmax(float *share, size_t n) {
  static const float of_exp[] = {0x1.694000p-10f, 0x1.125edcp-7f, 0x1.555b5ap-5f, 0x1.555450p-3f,
                                 0x1.fffff6p-2f};
  float most = -INFINITY, s[8] = {0};
  for (size_t t = 0; t < n; t++) {
    most = share[t] > most ? share[t] : most;
  }
  for (size_t t = 0; t < n; t++) {
    share[t] = exp_of(share[t] - most, of_exp);
    s[t % 8] += share[t];
  }
  float sum = ((s[4] + s[5]) + (s[6] + s[7])) + ((s[0] + s[1]) + (s[2] + s[3]));
  for (size_t t = 0; t < n; t++) {
    share[t] *= 1 / sum;
  }
}

static void attend_scalar(const float *qkv, size_t n, float *scratch, float *out) {
  const size_t token = 3 * MINILM_HIDDEN;
  const float *keys = qkv + MINILM_HIDDEN, *values = qkv + 2 * MINILM_HIDDEN;
  for (size_t r = 0; r < n; r++) {
    for (size_t t = 0; t < n; t++) {
      float dot = 0;
      for (size_t d = 0; d < MINILM_HEAD; d++) {
        dot = fmaf(qkv[r * token + d], keys[t * token + d], dot);
      }
      scratch[t] = dot * 0.17677669f; /* 1 / sqrt(MINILM_HEAD) */
    }
    softmax(scratch, n);
    for (size_t d = 0; d < MINILM_HEAD; d++) {
      float sum = 0;
      for (size_t t = 0; t < n; t++) {
        sum = fmaf(scratch[t], values[t * token + d], sum);
      }
      out[r * MINILM_HIDDEN + d] = sum;
    }
  }
}

const MinilmKernels *minilm_kernels(VecCpu cpu) {
  static const MinilmKernels scalar = {range_scalar, quantize_scalar, matmul_scalar,
                                       gelu_scalar,  norm_scalar,     attend_scalar};
#if defined(__x86_64__)
  if (cpu >= VEC_AVX2) {
    return &minilm_kernels_avx2;
  }
#endif
  (void)cpu;
  return &scalar;
}
