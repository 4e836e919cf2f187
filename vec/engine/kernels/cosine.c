/*
** Cosine in double. See cosine.h for the contract.
**
** A double holds any product of two float32 without rounding, and neither denormal nor 1e30
** elements under- or overflow in the sums.
*/
#include "vec/engine/kernels/cosine.h"

#include <math.h>
#include <string.h>

static double element(const unsigned char *bytes, size_t i) {
  float f;
  memcpy(&f, bytes + 4 * i, sizeof f);
  return (double)f;
}

int cosine_f32(const void *a, const void *b, size_t n, double *cosine) {
  double dot = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < n; i++) {
    double x = element(a, i), y = element(b, i);
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  if (!(aa > 0) || !(bb > 0) || !isfinite(aa) || !isfinite(bb)) {
    return 0;
  }
  double c = dot / (sqrt(aa) * sqrt(bb));
  *cosine = c > 1 ? 1 : c < -1 ? -1 : c;
  return 1;
}
