/*
** Unit vectors. See vector.h for the contract.
**
** The square of a float neither over- nor underflows as a double (1e-45 to 3e38 squared), and a sum
** of squares is finite exactly where every element is.
*/
#include "vec/engine/kernels/vector.h"

#include <math.h>
#include <string.h>

static float element(const unsigned char *bytes, size_t i) {
  float f;
  memcpy(&f, bytes + 4 * i, sizeof f);
  return f;
}

/* The sum of squares, four side by side in a fixed order. */
static double length2(const unsigned char *bytes, size_t n) {
  double sum[4] = {0, 0, 0, 0};
  size_t i = 0;
  for (; i + 4 <= n; i += 4) {
    for (size_t j = 0; j < 4; j++) {
      double x = (double)element(bytes, i + j);
      sum[j] += x * x;
    }
  }
  for (; i < n; i++) {
    double x = (double)element(bytes, i);
    sum[0] += x * x;
  }
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

VectorFault vector_unit(const void *bytes, size_t n, float *out) {
  double sum = length2(bytes, n);
  if (!isfinite(sum)) {
    return VECTOR_NOT_FINITE;
  }
  if (!(sum > 0)) {
    return VECTOR_ZERO;
  }
  double scale = 1 / sqrt(sum);
  for (size_t i = 0; i < n; i++) {
    out[i] = (float)((double)element(bytes, i) * scale);
  }
  return VECTOR_FINE;
}
