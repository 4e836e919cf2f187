/*
** The scalar kernels, and the choice of a table.
**
** The scalar versions are the definition: the tests compare every other level with them.
*/
#include "vec/engine/kernels/kernels.h"

#include <stdlib.h>

enum { SUMS = 16 };

static void project(const float *rows, size_t n_rows, const float *x, size_t n, float *out) {
  for (size_t j = 0; j < n_rows; j++, rows += n) {
    float sums[SUMS] = {0}, total = 0;
    for (size_t i = 0; i < n; i += SUMS) {
      for (size_t s = 0; s < SUMS; s++) {
        sums[s] += rows[i + s] * x[i + s];
      }
    }
    for (size_t width = SUMS / 2; width > 0; width /= 2) {
      for (size_t s = 0; s < width; s++) {
        sums[s] += sums[s + width];
      }
    }
    total = sums[0];
    out[j] = total;
  }
}

static void add4(float *y, const float *x, const float *c, size_t n) {
  for (size_t i = 0; i < n; i++) {
    y[i] += c[0] * x[i] + c[1] * x[n + i] + c[2] * x[2 * n + i] + c[3] * x[3 * n + i];
  }
}

static double apart(const float *a, const float *b, size_t n) {
  double sums[4] = {0};
  for (size_t i = 0; i < n; i += 4) {
    for (size_t s = 0; s < 4; s++) {
      double d = (double)a[i + s] - (double)b[i + s];
      sums[s] += d * d;
    }
  }
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

static float quantise(const float *x, size_t n, float scale, float inverse, int8_t *bytes) {
  float sums[8] = {0};
  for (size_t i = 0; i < n; i += 8) {
    for (size_t s = 0; s < 8; s++) {
      float t = x[i + s] * inverse;
      t = t > 127 ? 127 : t < -127 ? -127 : t;
      bytes[i + s] = (int8_t)(t < 0 ? t - 0.5f : t + 0.5f);
      float d = x[i + s] - scale * bytes[i + s];
      sums[s] += d * d;
    }
  }
  return (sums[0] + sums[1]) + (sums[2] + sums[3]) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

static inline int32_t dot(const int8_t *a, const int16_t *b, size_t n) {
  int32_t sum = 0;
  for (size_t i = 0; i < n; i++) {
    sum += a[i] * b[i];
  }
  return sum;
}

static void dots(const int8_t *rows, size_t n_rows, const int16_t *b, size_t n, int32_t *out) {
  for (size_t j = 0; j < n_rows; j++) {
    out[j] = dot(rows + j * n, b, n);
  }
}

/* The square of the wrapped difference, at most 127 squared. */
static unsigned wrapped(unsigned a, unsigned b) {
  int d = abs((int)(((a - b) & 255) ^ 128) - 128);
  d = d > 127 ? 127 : d;
  return (unsigned)(d * d);
}

static void add_pairs(unsigned sums[KERNEL_LANES], const uint8_t *codes, const uint8_t *query,
                      size_t n_bytes) {
  for (size_t i = 0; i < n_bytes; i++) {
    unsigned *sum = &sums[i % KERNEL_PAIR_BYTES / 2];
    *sum += wrapped(codes[i], query[i]);
  }
}

static uint32_t within(const unsigned sums[KERNEL_LANES], unsigned limit) {
  uint32_t mask = 0;
  for (unsigned lane = 0; lane < KERNEL_LANES; lane++) {
    unsigned sum = sums[lane] > 65535 ? 65535 : sums[lane];
    mask |= (uint32_t)(sum <= limit) << lane;
  }
  return mask;
}

static uint32_t scan(const uint8_t *head, const uint8_t *rest, const uint8_t *query,
                     unsigned head_limit, unsigned limit) {
  unsigned sums[KERNEL_LANES] = {0};
  add_pairs(sums, head, query, KERNEL_HEAD_BYTES);
  uint32_t mask = within(sums, head_limit);
  if (mask) {
    add_pairs(sums, rest, query + KERNEL_HEAD_BYTES, KERNEL_REST_BYTES);
    mask &= within(sums, limit);
  }
  return mask;
}

static uint32_t boxes(const uint8_t *box, const uint8_t *query, unsigned limit,
                      uint16_t distance[KERNEL_LANES]) {
  unsigned sums[KERNEL_LANES] = {0};
  for (size_t i = 0; i < KERNEL_HEAD_BYTES; i++) {
    size_t at = i / KERNEL_PAIR_BYTES * KERNEL_PAIR_BYTES + i;
    int below = box[at] - query[i], above = query[i] - box[at + KERNEL_PAIR_BYTES];
    int d = below > 0 ? below : above > 0 ? above : 0;
    d = d > 127 ? 127 : d;
    sums[i % KERNEL_PAIR_BYTES / 2] += (unsigned)(d * d);
  }
  for (size_t lane = 0; lane < KERNEL_LANES; lane++) {
    distance[lane] = (uint16_t)(sums[lane] > 65535 ? 65535 : sums[lane]);
  }
  return within(sums, limit);
}

const VecKernels kernels_scalar = {project, add4, apart, quantise, dots, scan, boxes};

const VecKernels *kernels_of(VecCpu cpu) {
  switch (cpu) {
  case VEC_SCALAR:
    return &kernels_scalar;
#if defined(__aarch64__)
  case VEC_NEON:
    return &kernels_neon;
#elif defined(__x86_64__)
  case VEC_AVX2:
    return &kernels_avx2;
  case VEC_AVX512:
    return &kernels_avx512;
#endif
  default:
    return NULL;
  }
}

static const VecKernels *forced;

const VecKernels *kernels_now(void) {
  const VecKernels *table = forced ? forced : kernels_of(vec_cpu());
  return table ? table : &kernels_scalar;
}

int kernels_force(VecCpu cpu) {
  const VecKernels *table = cpu <= vec_cpu() ? kernels_of(cpu) : NULL;
  if (table) {
    forced = table;
  }
  return table != NULL;
}
