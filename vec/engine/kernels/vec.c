#include "vec/engine/kernels/vec.h"

VecCpu vec_cpu(void) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {
    return VEC_AVX512;
  }
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? VEC_AVX2 : VEC_SCALAR;
#elif defined(__aarch64__)
  return VEC_NEON;
#else
  return VEC_SCALAR;
#endif
}

const char *vec_cpu_name(VecCpu cpu) {
  static const char *const names[] = {"scalar", "neon", "avx2+fma", "avx512"};
  return names[cpu];
}
