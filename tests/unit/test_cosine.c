/*
** Cosine similarity: known values, vectors that have none, extreme and unaligned elements.
*/
#include "unit.h"

#include "vec/engine/kernels/cosine.h"

#include <float.h>
#include <math.h>

static void test_known_values(void **state) {
  static const struct {
    const char *name;
    float a[4], b[4];
    double cosine;
  } cases[] = {
      {"the same", {1, 2, 3, 4}, {1, 2, 3, 4}, 1},
      {"longer", {1, 2, 3, 4}, {2, 4, 6, 8}, 1},
      {"opposite", {1, 2, 3, 4}, {-1, -2, -3, -4}, -1},
      {"right angle", {1, 0, 0, 0}, {0, 1, 0, 0}, 0},
      {"half", {1, 1, 0, 0}, {1, 0, 1, 0}, 0.5},
      {"45 degrees", {1, 0, 0, 0}, {1, 1, 0, 0}, 0.70710678118654752},
      {"3-4-5", {3, 4, 0, 0}, {4, 3, 0, 0}, 0.96},
      {"large", {1e30f, 1e30f, 0, 0}, {1e30f, 0, 1e30f, 0}, 0.5},
      {"largest", {FLT_MAX, FLT_MAX, FLT_MAX, FLT_MAX}, {FLT_MAX, FLT_MAX, FLT_MAX, FLT_MAX}, 1},
      {"large and small", {1e30f, 0, 0, 0}, {1e-30f, 1e-30f, 0, 0}, 0.70710678118654752},
      {"denormals", {1e-45f, 1e-45f, 0, 0}, {1e-45f, 0, 1e-45f, 0}, 0.5},
      {"smallest and largest", {FLT_TRUE_MIN, 0, 0, 0}, {FLT_MAX, 0, 0, 0}, 1},
      {"negative zero", {1, -0.0f, 0, 0}, {1, 0, -0.0f, 0}, 1},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    double c = 9, back = 9;
    check(cosine_f32(cases[i].a, cases[i].b, 4, &c) == 1, "%s", cases[i].name);
    check(cosine_f32(cases[i].b, cases[i].a, 4, &back) == 1, "%s", cases[i].name);
    check(fabs(c - cases[i].cosine) < 1e-15, "%s: %.17g", cases[i].name, c);
    check(c == back && c >= -1 && c <= 1, "%s: %.17g, %.17g", cases[i].name, c, back);
  }
}

static void test_what_has_no_cosine(void **state) {
  static const struct {
    const char *name;
    float v[4];
  } cases[] = {
      {"zero", {0, 0, 0, 0}},
      {"negative zero", {-0.0f, 0, 0, 0}},
      {"NaN", {1, NAN, 0, 0}},
      {"NaN last", {1, 2, 3, NAN}},
      {"infinity", {INFINITY, 1, 0, 0}},
      {"minus infinity", {1, -INFINITY, 0, 0}},
  };
  static const float good[4] = {1, 2, 3, 4}, zero_where_bad[4] = {1, 0, 0, 0};
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    double c = 9;
    check(cosine_f32(cases[i].v, good, 4, &c) == 0, "%s", cases[i].name);
    check(cosine_f32(good, cases[i].v, 4, &c) == 0, "%s", cases[i].name);
    check(cosine_f32(cases[i].v, cases[i].v, 4, &c) == 0, "%s", cases[i].name);
    check(cosine_f32(zero_where_bad, cases[i].v, 4, &c) == 0, "%s", cases[i].name);
  }
  double c = 9;
  assert_int_equal(cosine_f32(good, good, 0, &c), 0);
}

/* Each of the four alignments, exactly as many bytes as elements. */
static void test_unaligned(void **state) {
  static const float a[5] = {1, 2, 3, 4, 5}, b[5] = {5, 4, 3, 2, 1};
  (void)state;
  for (size_t shift = 0; shift < 4; shift++) {
    char *x = malloc(sizeof a + shift), *y = malloc(sizeof b + 3 - shift);
    double c = 9;
    memcpy(x + shift, a, sizeof a);
    memcpy(y + 3 - shift, b, sizeof b);
    check(cosine_f32(x + shift, y + 3 - shift, 5, &c) == 1, "shift %zu", shift);
    check(fabs(c - 35.0 / 55.0) < 1e-15, "shift %zu: %.17g", shift, c);
    free(x);
    free(y);
  }
}

static void test_stays_within_one(void **state) {
  enum { N = 1536 };
  static float v[N], w[N];
  unsigned seed = 1;
  (void)state;
  for (int round = 0; round < 200; round++) {
    double c = 9;
    for (int i = 0; i < N; i++) {
      seed = seed * 1103515245u + 12345u;
      v[i] = (float)((double)(seed >> 8) / (1 << 24) - 0.5);
      w[i] = -3 * v[i];
    }
    assert_int_equal(cosine_f32(v, v, N, &c), 1);
    check(c <= 1 && c > 1 - 1e-12, "round %d: %.17g", round, c);
    assert_int_equal(cosine_f32(v, w, N, &c), 1);
    check(c >= -1 && c < -1 + 1e-12, "round %d: %.17g", round, c);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_known_values),
      cmocka_unit_test(test_what_has_no_cosine),
      cmocka_unit_test(test_unaligned),
      cmocka_unit_test(test_stays_within_one),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
