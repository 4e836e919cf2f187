/*
** Unit vectors: known values, what has no direction, extreme and unaligned elements.
*/
#include "unit.h"

#include "vec/engine/kernels/cosine.h"
#include "vec/engine/kernels/vector.h"

#include <float.h>
#include <math.h>

static void test_known_values(void **state) {
  static const struct {
    const char *name;
    float in[3], out[3];
  } cases[] = {
      {"unit already", {0, 1, 0}, {0, 1, 0}},
      {"3-4-5", {3, 0, -4}, {0.6f, 0, -0.8f}},
      {"large", {3e30f, 0, 4e30f}, {0.6f, 0, 0.8f}},
      {"largest", {FLT_MAX, 0, -FLT_MAX}, {0.70710678f, 0, -0.70710678f}},
      {"small", {3e-30f, 4e-30f, 0}, {0.6f, 0.8f, 0}},
      {"smallest", {FLT_TRUE_MIN, 0, FLT_TRUE_MIN}, {0.70710678f, 0, 0.70710678f}},
      {"one smallest", {0, -FLT_TRUE_MIN, 0}, {0, -1, 0}},
      {"large and small", {1e30f, 1e-30f, 0}, {1, 0, 0}},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    float out[3] = {9, 9, 9};
    check(vector_unit(cases[i].in, 3, out) == VECTOR_FINE, "%s", cases[i].name);
    for (size_t j = 0; j < 3; j++) {
      check(fabsf(out[j] - cases[i].out[j]) <= 6e-8f, "%s: element %zu is %.9g", cases[i].name, j,
            (double)out[j]);
    }
  }
}

static void test_no_direction(void **state) {
  static const struct {
    const char *name;
    float in[3];
    VectorFault fault;
  } cases[] = {
      {"zero", {0, 0, 0}, VECTOR_ZERO},
      {"minus zero", {0, -0.0f, 0}, VECTOR_ZERO},
      {"NaN", {1, NAN, 0}, VECTOR_NOT_FINITE},
      {"NaN last", {0, 0, NAN}, VECTOR_NOT_FINITE},
      {"infinity", {INFINITY, 0, 0}, VECTOR_NOT_FINITE},
      {"minus infinity", {0, 0, -INFINITY}, VECTOR_NOT_FINITE},
  };
  float out[3];
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    check(vector_unit(cases[i].in, 3, out) == cases[i].fault, "%s", cases[i].name);
  }
  assert_int_equal(vector_unit(cases, 0, out), VECTOR_ZERO);
}

/* Any alignment, any length: the length comes out as 1, the direction is kept, twice is once. */
static void test_random(void **state) {
  enum { MOST = 1536 };
  static float in[MOST + 1], once[MOST], twice[MOST];
  unsigned seed = 3;
  (void)state;
  for (size_t round = 0; round < 300; round++) {
    size_t n = 1 + round * 37 % MOST;
    char *bytes = (char *)in + round % 4;
    double cosine = 0, norm = 0;
    for (size_t i = 0; i < n; i++) {
      seed = seed * 1103515245u + 12345u;
      float x = (float)((double)(seed >> 8) / (1 << 24) - 0.5) * powf(10, (float)(round % 60) - 30);
      memcpy(bytes + 4 * i, &x, 4);
    }
    assert_int_equal(vector_unit(bytes, n, once), VECTOR_FINE);
    for (size_t i = 0; i < n; i++) {
      norm += (double)once[i] * (double)once[i];
    }
    check(fabs(sqrt(norm) - 1) < 1.2e-7, "round %zu: %.17g", round, norm);
    assert_int_equal(cosine_f32(bytes, once, n, &cosine), 1);
    check(cosine > 1 - 1e-13, "round %zu: %.17g", round, cosine);
    assert_int_equal(vector_unit(once, n, twice), VECTOR_FINE);
    for (size_t i = 0; i < n; i++) {
      check(fabsf(once[i] - twice[i]) <= 1.3e-7f * fabsf(once[i]), "round %zu", round);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_known_values),
      cmocka_unit_test(test_no_direction),
      cmocka_unit_test(test_random),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
