/*
** SIMDe's portable AVX-512 and NEON under their native names, for testing kernels that the machine
** at hand can't run, with what Debian 12's SIMDe 0.7.4 lacks or has wrong. Included by the kernels
** where VEC_SIMDE is defined.
*/
#ifndef LLMCOST_SIMDE_KERNELS_H
#define LLMCOST_SIMDE_KERNELS_H

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <math.h>

#if defined(VEC_SIMDE_AVX512)
#include <simde/x86/avx512.h>

#undef _mm512_madd_epi16
#define _mm512_madd_epi16 simde_mm512_madd_epi16

static inline simde__m512i gap_cvtps_epi32(simde__m512 v) {
  float from[16];
  int32_t to[16];
  simde_mm512_storeu_ps(from, v);
  for (int i = 0; i < 16; i++) {
    to[i] = (int32_t)lrintf(from[i]);
  }
  return simde_mm512_loadu_si512(to);
}
#undef _mm512_cvtps_epi32
#define _mm512_cvtps_epi32 gap_cvtps_epi32

static inline simde__m512 gap_cvtepi32_ps(simde__m512i v) {
  int32_t from[16];
  float to[16];
  simde_mm512_storeu_si512(from, v);
  for (int i = 0; i < 16; i++) {
    to[i] = (float)from[i];
  }
  return simde_mm512_loadu_ps(to);
}
#undef _mm512_cvtepi32_ps
#define _mm512_cvtepi32_ps gap_cvtepi32_ps

static inline simde__m512d gap_cvtps_pd(simde__m256 v) {
  float from[8];
  double to[8];
  simde_mm256_storeu_ps(from, v);
  for (int i = 0; i < 8; i++) {
    to[i] = (double)from[i];
  }
  return simde_mm512_loadu_pd(to);
}
#undef _mm512_cvtps_pd
#define _mm512_cvtps_pd gap_cvtps_pd
#endif

#if defined(VEC_SIMDE_NEON)
#include <simde/arm/neon.h>

static inline simde_int32x4_t gap_vcvtnq_s32_f32(simde_float32x4_t v) {
  float from[4];
  int32_t to[4];
  simde_vst1q_f32(from, v);
  for (int i = 0; i < 4; i++) {
    to[i] = (int32_t)lrintf(from[i]);
  }
  return simde_vld1q_s32(to);
}
#define vcvtnq_s32_f32 gap_vcvtnq_s32_f32
#endif

#endif
