/*
** The kernels for NEON (arm64, where it is always there). See kernels.h for what each computes.
**
** Differences of bytes: vabdq on signed bytes would not wrap, so the wrapped difference is taken
** first and its absolute value, saturated by vqabs, is at most 127 as required. The two squares of
** a pair are widened, added in pairs and saturated.
*/
#include "vec/engine/kernels/kernels.h"

#if defined(VEC_SIMDE)
#define VEC_SIMDE_NEON
#include "simde_kernels.h"
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#if defined(VEC_SIMDE) || defined(__aarch64__)

static float dot_row(const float *row, const float *x, size_t n) {
  float32x4_t s0 = vdupq_n_f32(0), s1 = s0, s2 = s0, s3 = s0;
  for (size_t i = 0; i < n; i += 16) {
    s0 = vfmaq_f32(s0, vld1q_f32(row + i), vld1q_f32(x + i));
    s1 = vfmaq_f32(s1, vld1q_f32(row + i + 4), vld1q_f32(x + i + 4));
    s2 = vfmaq_f32(s2, vld1q_f32(row + i + 8), vld1q_f32(x + i + 8));
    s3 = vfmaq_f32(s3, vld1q_f32(row + i + 12), vld1q_f32(x + i + 12));
  }
  return vaddvq_f32(vaddq_f32(vaddq_f32(s0, s1), vaddq_f32(s2, s3)));
}

static void project(const float *rows, size_t n_rows, const float *x, size_t n, float *out) {
  for (size_t j = 0; j < n_rows; j++) {
    out[j] = dot_row(rows + j * n, x, n);
  }
}

static void add4(float *y, const float *x, const float *c, size_t n) {
  for (size_t i = 0; i < n; i += 4) {
    float32x4_t s = vld1q_f32(y + i);
    s = vfmaq_n_f32(s, vld1q_f32(x + i), c[0]);
    s = vfmaq_n_f32(s, vld1q_f32(x + n + i), c[1]);
    s = vfmaq_n_f32(s, vld1q_f32(x + 2 * n + i), c[2]);
    s = vfmaq_n_f32(s, vld1q_f32(x + 3 * n + i), c[3]);
    vst1q_f32(y + i, s);
  }
}

static double apart(const float *a, const float *b, size_t n) {
  float64x2_t s = vdupq_n_f64(0), t = s;
  for (size_t i = 0; i < n; i += 4) {
    float32x4_t x = vld1q_f32(a + i), y = vld1q_f32(b + i);
    float64x2_t d = vsubq_f64(vcvt_f64_f32(vget_low_f32(x)), vcvt_f64_f32(vget_low_f32(y)));
    float64x2_t e = vsubq_f64(vcvt_f64_f32(vget_high_f32(x)), vcvt_f64_f32(vget_high_f32(y)));
    s = vfmaq_f64(s, d, d);
    t = vfmaq_f64(t, e, e);
  }
  return vaddvq_f64(vaddq_f64(s, t));
}

static float quantise(const float *x, size_t n, float scale, float inverse, int8_t *bytes) {
  float32x4_t most = vdupq_n_f32(127), least = vdupq_n_f32(-127);
  float32x4_t sums[2] = {vdupq_n_f32(0), vdupq_n_f32(0)};
  for (size_t i = 0; i < n; i += 8) {
    int16x4_t half[2];
    for (size_t j = 0; j < 2; j++) {
      float32x4_t v = vld1q_f32(x + i + 4 * j);
      int32x4_t r = vcvtnq_s32_f32(vmaxq_f32(vminq_f32(vmulq_n_f32(v, inverse), most), least));
      float32x4_t d = vfmaq_f32(v, vdupq_n_f32(-scale), vcvtq_f32_s32(r));
      sums[j] = vfmaq_f32(sums[j], d, d);
      half[j] = vqmovn_s32(r);
    }
    vst1_s8(bytes + i, vqmovn_s16(vcombine_s16(half[0], half[1])));
  }
  return vaddvq_f32(vaddq_f32(sums[0], sums[1]));
}

static inline int32_t dot(const int8_t *a, const int16_t *b, size_t n) {
  int32x4_t s = vdupq_n_s32(0), t = s;
  for (size_t i = 0; i < n; i += 16) {
    int8x16_t v = vld1q_s8(a + i);
    int16x8_t low = vmovl_s8(vget_low_s8(v)), high = vmovl_s8(vget_high_s8(v));
    int16x8_t x = vld1q_s16(b + i), y = vld1q_s16(b + i + 8);
    s = vmlal_s16(s, vget_low_s16(low), vget_low_s16(x));
    t = vmlal_s16(t, vget_high_s16(low), vget_high_s16(x));
    s = vmlal_s16(s, vget_low_s16(high), vget_low_s16(y));
    t = vmlal_s16(t, vget_high_s16(high), vget_high_s16(y));
  }
  return vaddvq_s32(vaddq_s32(s, t));
}

static void dots(const int8_t *rows, size_t n_rows, const int16_t *b, size_t n, int32_t *out) {
  for (size_t j = 0; j < n_rows; j++) {
    out[j] = dot(rows + j * n, b, n);
  }
}

/* The squares of 16 bytes of at most 127, added in pairs: at most 32,258 each. */
static inline uint16x8_t squares(uint8x16_t d) {
  return vpaddq_u16(vmull_u8(vget_low_u8(d), vget_low_u8(d)),
                    vmull_u8(vget_high_u8(d), vget_high_u8(d)));
}

static inline uint16x8_t add_pair(uint16x8_t sum, const uint8_t *codes, const uint8_t *query) {
  int8x16_t d = vreinterpretq_s8_u8(vsubq_u8(vld1q_u8(codes), vld1q_u8(query)));
  return vqaddq_u16(sum, squares(vreinterpretq_u8_s8(vqabsq_s8(d))));
}

static void add_pairs(uint16x8_t sums[4], const uint8_t *codes, const uint8_t *query, size_t n) {
  for (size_t p = 0; p < n; p += KERNEL_PAIR_BYTES) {
    for (size_t j = 0; j < 4; j++) {
      sums[j] = add_pair(sums[j], codes + p + 16 * j, query + p + 16 * j);
    }
  }
}

static uint32_t within(const uint16x8_t sums[4], unsigned limit) {
  static const uint16_t bits[8] = {1, 2, 4, 8, 16, 32, 64, 128};
  uint16x8_t most = vdupq_n_u16((uint16_t)limit), bit = vld1q_u16(bits);
  uint32_t mask = 0;
  for (unsigned j = 0; j < 4; j++) {
    mask |= (uint32_t)vaddvq_u16(vandq_u16(vcleq_u16(sums[j], most), bit)) << (8 * j);
  }
  return mask;
}

static uint32_t scan(const uint8_t *head, const uint8_t *rest, const uint8_t *query,
                     unsigned head_limit, unsigned limit) {
  uint16x8_t zero = vdupq_n_u16(0), sums[4] = {zero, zero, zero, zero};
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
  uint16x8_t zero = vdupq_n_u16(0), sums[4] = {zero, zero, zero, zero};
  for (size_t p = 0; p < KERNEL_HEAD_BYTES; p += KERNEL_PAIR_BYTES) {
    for (size_t j = 0; j < 4; j++) {
      uint8x16_t q = vld1q_u8(query + p + 16 * j);
      uint8x16_t below = vqsubq_u8(vld1q_u8(box + 2 * p + 16 * j), q);
      uint8x16_t above = vqsubq_u8(q, vld1q_u8(box + 2 * p + KERNEL_PAIR_BYTES + 16 * j));
      uint8x16_t gap = vminq_u8(vorrq_u8(below, above), vdupq_n_u8(127));
      sums[j] = vqaddq_u16(sums[j], squares(gap));
    }
  }
  for (size_t j = 0; j < 4; j++) {
    vst1q_u16(distance + 8 * j, sums[j]);
  }
  return within(sums, limit);
}

const VecKernels kernels_neon = {project, add4, apart, quantise, dots, scan, boxes};
#endif
