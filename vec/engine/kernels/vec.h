/*
** What every part of the vector engine shares: result codes and the level of the processor.
**
** The engine is plain C over libm and the C library. Result codes are SQLite's own numbers, so that
** the table above can pass them on.
*/
#ifndef LLMCOST_VEC_H
#define LLMCOST_VEC_H

enum {
  VEC_OK = 0,
  VEC_ERROR = 1,
  VEC_NOMEM = 7,
  VEC_IO = 10,
  VEC_CORRUPT = 11,
  VEC_EMPTY = 100,
  VEC_ABSENT = 101
};

/* Instruction sets a kernel may be written for, each including those before it on its
** architecture. */
typedef enum VecCpu { VEC_SCALAR, VEC_NEON, VEC_AVX2, VEC_AVX512 } VecCpu;

/* The best level this processor and its operating system support (AVX2 means AVX2 + FMA; AVX-512
** means F, BW, VL and DQ besides), found once. */
VecCpu vec_cpu(void);

/* "scalar", "neon", "avx2+fma", "avx512". */
const char *vec_cpu_name(VecCpu cpu);

#endif
