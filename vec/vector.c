/*
** Unit vectors. See vector.h for the contract.
*/
#include "vector.h"

#include <math.h>
#include <string.h>

static float element(const unsigned char *bytes, size_t i) {
  float f;
  memcpy(&f, bytes + 4 * i, sizeof f);
  return f;
}

VectorFault vector_unit(const void *bytes, size_t n, float *out) {
  double largest = 0, sum = 0;
  for (size_t i = 0; i < n; i++) {
    double x = fabs((double)element(bytes, i));
    if (!isfinite(x)) {
      return VECTOR_NOT_FINITE;
    }
    largest = x > largest ? x : largest;
  }
  if (!(largest > 0)) {
    return VECTOR_ZERO;
  }
  for (size_t i = 0; i < n; i++) {
    double x = (double)element(bytes, i) / largest;
    sum += x * x;
  }
  double norm = sqrt(sum);
  for (size_t i = 0; i < n; i++) {
    out[i] = (float)((double)element(bytes, i) / largest / norm);
  }
  return VECTOR_FINE;
}
