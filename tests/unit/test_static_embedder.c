/* The compiled-in embedder. tests/live/test_embedders.py computes its vectors anew from the table. */
#include "unit.h"

#include "vec/embed/static_embedder.h"
#include "vec/embed/static_rows.h"

#include <math.h>

static double dot(const float *a, const float *b) {
  double sum = 0;
  for (int i = 0; i < STATIC_DIM; i++) {
    sum += (double)a[i] * (double)b[i];
  }
  return sum;
}

static double cosine_of(const char *a, const char *b) {
  float x[STATIC_DIM], y[STATIC_DIM];
  assert_int_equal(static_embed(a, strlen(a), x), VEC_OK);
  assert_int_equal(static_embed(b, strlen(b), y), VEC_OK);
  check(fabs(dot(x, x) - 1) < 1e-6 && fabs(dot(y, y) - 1) < 1e-6, "'%s', '%s': length", a, b);
  return dot(x, y);
}

static void test_meaning(void **state) {
  (void)state;
  double near = cosine_of("How do I reset my password?", "I forgot my password, how to reset it");
  double far = cosine_of("How do I reset my password?", "The weather in Paris is sunny today");
  check(near > 0.8 && far < 0.4, "%g, %g", near, far);
}

static void test_same_text(void **state) {
  static const struct {
    const char *a, *b;
  } cases[] = {
      {"What is your return policy?", "what IS your  Return\tpolicy ?"},
      {"caf\u00e9 na\u00efve", "cafe\u0301 nai\u0308ve"},
      {"I don\u2019t \u201clike\u201d it", "I don't \"like\" it"},
      {"one two", "one\u00a0two"},
      {"one two", "one\u2003\u200btwo"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    double c = cosine_of(cases[i].a, cases[i].b);
    check(c > 1 - 1e-6, "'%s', '%s': %.9g", cases[i].a, cases[i].b, c);
  }
}

static void test_nothing_to_embed(void **state) {
  static const char *const texts[] = {"", " \n\t", "\u0301", "\xff\xfe", "\u200b"};
  float v[STATIC_DIM];
  (void)state;
  for (size_t i = 0; i < COUNT(texts); i++) {
    check(static_embed(texts[i], strlen(texts[i]), v) == VEC_EMPTY, "case %zu", i);
  }
}

/* More wordpieces than are summed at a time; repeating a text doesn't change its direction. */
static void test_long_text(void **state) {
  static const char phrase[] = "return policy of the shop ";
  const size_t n = sizeof phrase - 1, times = 5000;
  float once[STATIC_DIM], often[STATIC_DIM];
  char *text = malloc(n * times);
  (void)state;
  for (size_t i = 0; i < times; i++) {
    memcpy(text + i * n, phrase, n);
  }
  assert_int_equal(static_embed(phrase, n, once), VEC_OK);
  assert_int_equal(static_embed(text, n * times, often), VEC_OK);
  check(dot(once, often) > 1 - 1e-5, "%.9g", dot(once, often));
  free(text);
}

static void test_levels_agree(void **state) {
  enum { ROWS = 50, IDS = 77 };
  static unsigned char rows[ROWS * ROW_BYTES];
  uint32_t ids[IDS], seed = 7;
  float weights[IDS], scalar[ROW_DIM], best[ROW_DIM];
  (void)state;
  for (size_t i = 0; i < sizeof rows; i++) {
    rows[i] = (unsigned char)((seed = seed * 1103515245u + 12345u) >> 16);
  }
  for (int i = 0; i < IDS; i++) {
    ids[i] = (seed = seed * 1103515245u + 12345u) >> 16 & 31;
    weights[i] = (float)(seed >> 8) * 1e-9f;
  }
  for (int d = 0; d < ROW_DIM; d++) {
    scalar[d] = best[d] = (float)d * 0.01f;
  }
  static_rows_add(VEC_SCALAR, rows, ids, weights, IDS, scalar);
  static_rows_add(vec_cpu(), rows, ids, weights, IDS, best);
  assert_memory_equal(scalar, best, sizeof scalar);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_meaning),          cmocka_unit_test(test_same_text),
      cmocka_unit_test(test_nothing_to_embed), cmocka_unit_test(test_long_text),
      cmocka_unit_test(test_levels_agree),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
