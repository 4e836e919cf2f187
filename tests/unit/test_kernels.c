/*
** The kernels of every instruction set beside the scalar ones, which are the definition: integers
** bit for bit, floats within what the bounds of basis.c allow.
**
** What this processor can't run is tested through SIMDe: with VEC_SIMDE defined, kernels_avx512.c and
** kernels_neon.c are compiled against its headers and looked at here as well.
*/
#include "unit.h"

#include "vec/engine/kernels/kernels.h"

#include <math.h>

typedef struct Level {
  const char *name;
  const VecKernels *kernels;
} Level;

static size_t levels(Level out[4]) {
  size_t n = 0;
#if defined(VEC_SIMDE)
  out[n++] = (Level){"avx512 by SIMDe", &kernels_avx512};
  out[n++] = (Level){"neon by SIMDe", &kernels_neon};
#endif
  for (VecCpu cpu = VEC_NEON; cpu <= VEC_AVX512; cpu++) {
    if (kernels_force(cpu)) {
      out[n++] = (Level){vec_cpu_name(cpu), kernels_of(cpu)};
    }
  }
  assert_true(kernels_force(VEC_SCALAR));
  assert_ptr_equal(kernels_now(), &kernels_scalar);
  kernels_force(vec_cpu());
  return n;
}

static uint64_t state_of_random = 88172645463325252u;

static uint64_t next(void) {
  state_of_random ^= state_of_random << 13;
  state_of_random ^= state_of_random >> 7;
  state_of_random ^= state_of_random << 17;
  return state_of_random >> 11;
}

/* Random bytes: of all values, of few values near each other, or extremes. */
static void fill(uint8_t *bytes, size_t n, int how) {
  for (size_t i = 0; i < n; i++) {
    uint8_t b = (uint8_t)next();
    bytes[i] = how == 0 ? b : how == 1 ? (uint8_t)(100 + b % 32) : b & 1 ? (b & 2 ? 255 : 128) : 0;
  }
}

/* A query's code as the kernels want it: each pair 32 times. */
static void fill_query(uint8_t query[KERNEL_QUERY_BYTES], int how) {
  for (size_t pair = 0; pair < KERNEL_PAIRS; pair++) {
    uint8_t *at = query + pair * KERNEL_PAIR_BYTES;
    fill(at, 2, how);
    for (size_t i = 2; i < KERNEL_PAIR_BYTES; i++) {
      at[i] = at[i - 2];
    }
  }
}

static unsigned some_limit(void) {
  static const unsigned limits[] = {0, 1, 32767, 32768, 65534, KERNEL_ALL};
  size_t at = next() % 12;
  return at < COUNT(limits) ? limits[at] : (unsigned)(next() % 65536) >> at;
}

static void test_scan(void **state) {
  static uint8_t head[KERNEL_HEAD_BYTES], rest[KERNEL_REST_BYTES], query[KERNEL_QUERY_BYTES];
  Level all[4];
  size_t n = levels(all), some = 0, none = 0;
  (void)state;
  for (int round = 0; round < 20000; round++) {
    unsigned head_limit = some_limit(), limit = round % 2 ? some_limit() : KERNEL_ALL;
    fill(head, sizeof head, round % 3);
    fill(rest, sizeof rest, round % 3);
    fill_query(query, round % 3);
    uint32_t expected = kernels_scalar.scan(head, rest, query, head_limit, limit);
    some += expected != 0;
    none += expected == 0;
    for (size_t i = 0; i < n; i++) {
      uint32_t mask = all[i].kernels->scan(head, rest, query, head_limit, limit);
      check(mask == expected, "%s, round %d: %x, not %x", all[i].name, round, mask, expected);
    }
  }
  check(some > 1000 && none > 1000, "%zu, %zu", some, none);
}

/* What a limit of the scalar scan means, by its own arithmetic. */
static void test_scan_is_a_bound(void **state) {
  static uint8_t head[KERNEL_HEAD_BYTES], rest[KERNEL_REST_BYTES], query[KERNEL_QUERY_BYTES];
  (void)state;
  for (int round = 0; round < 3000; round++) {
    unsigned limit = (unsigned)next() % 65535;
    fill(head, sizeof head, round % 3);
    fill(rest, sizeof rest, round % 3);
    fill_query(query, round % 3);
    uint32_t mask = kernels_scalar.scan(head, rest, query, KERNEL_ALL, limit);
    for (size_t row = 0; row < KERNEL_LANES; row++) {
      long sum = 0;
      for (size_t i = 0; i < KERNEL_QUERY_BYTES; i++) {
        if (i % KERNEL_PAIR_BYTES / 2 == row) {
          int code = i < sizeof head ? head[i] : rest[i - sizeof head], d = code - query[i];
          sum += d * d;
        }
      }
      check(sum > (long)limit || (mask >> row & 1), "round %d: %ld within %u", round, sum, limit);
    }
  }
}

static void test_boxes(void **state) {
  static uint8_t boxes[KERNEL_BOX_BYTES], query[KERNEL_QUERY_BYTES];
  Level all[4];
  size_t n = levels(all);
  (void)state;
  for (int round = 0; round < 20000; round++) {
    uint16_t expected[KERNEL_LANES] = {0}, distance[KERNEL_LANES] = {0};
    unsigned limit = some_limit();
    fill(boxes, sizeof boxes, round % 3);
    fill_query(query, round % 3);
    for (size_t i = 0; i < sizeof boxes; i++) {
      size_t low = i / (2 * KERNEL_PAIR_BYTES) * 2 * KERNEL_PAIR_BYTES + i % KERNEL_PAIR_BYTES;
      size_t high = low + KERNEL_PAIR_BYTES;
      if (boxes[low] > boxes[high]) {
        uint8_t swap = boxes[low];
        boxes[low] = boxes[high];
        boxes[high] = swap;
      }
    }
    uint32_t mask = kernels_scalar.boxes(boxes, query, limit, expected);
    for (size_t i = 0; i < n; i++) {
      uint32_t got = all[i].kernels->boxes(boxes, query, limit, distance);
      check(got == mask, "%s, round %d: %x, not %x", all[i].name, round, got, mask);
      check(!mask || memcmp(distance, expected, sizeof expected) == 0, "%s, round %d", all[i].name,
            round);
    }
  }
}

static void test_dot(void **state) {
  enum { MOST = 16384 };
  static int8_t a[MOST];
  static int16_t b[MOST];
  Level all[4];
  size_t n = levels(all);
  (void)state;
  for (int round = 0; round < 300; round++) {
    size_t width = round < 3 ? MOST : 32 * (1 + next() % 48);
    int most = (int)(0x1p31 / 128 / (double)width);
    most = most < 8191 ? most : 8191;
    for (size_t i = 0; i < MOST; i++) {
      a[i] = (int8_t)(round == 0 ? 127 : round == 1 ? -127 : (int)(next() % 255) - 127);
      b[i % width] = (int16_t)(round < 2 ? most : (int)(next() % (uint64_t)(2 * most + 1)) - most);
    }
    int32_t expected[3], got[3];
    size_t n_rows = width <= MOST / 3 ? 1 + next() % 3 : 1;
    kernels_scalar.dots(a, n_rows, b, width, expected);
    for (size_t i = 0; i < n; i++) {
      all[i].kernels->dots(a, n_rows, b, width, got);
      check(memcmp(got, expected, n_rows * sizeof *got) == 0, "%s, round %d", all[i].name, round);
    }
  }
}

static double uniform(void) {
  return (double)next() * 0x1p-53 * 2 - 1;
}

static void test_floats(void **state) {
  enum { MOST = 16384, ROWS = 7 };
  static float rows[ROWS * MOST], x[MOST], y[MOST], z[MOST];
  static int8_t bytes[MOST];
  Level all[5]; /* as many as levels() can find, and scalar */
  size_t n = levels(all);
  (void)state;
  all[n++] = (Level){"scalar", &kernels_scalar};
  for (int round = 0; round < 60; round++) {
    size_t width = round == 0 ? MOST : 32 * (1 + next() % 48);
    float out[ROWS], c[4] = {0.5f, -1.25f, 3, 0.001f};
    for (size_t i = 0; i < ROWS * width; i++) {
      rows[i] = (float)uniform();
      x[i % width] = (float)uniform();
    }
    for (size_t i = 0; i < n; i++) {
      const VecKernels *k = all[i].kernels;
      double longest = (double)width / 16 + 8, sum = 0, error2 = 0;
      k->project(rows, ROWS, x, width, out);
      for (size_t j = 0; j < ROWS; j++) {
        double exact = 0, size = 0;
        for (size_t t = 0; t < width; t++) {
          exact += (double)rows[j * width + t] * (double)x[t];
          size += fabs((double)rows[j * width + t] * (double)x[t]);
        }
        check(fabs(exact - (double)out[j]) <= 1.01 * longest * 0x1p-24 * size, "%s, round %d",
              all[i].name, round);
      }
      memcpy(y, x, width * sizeof *y);
      k->add4(y, rows, c, width);
      memcpy(z, x, width * sizeof *z);
      kernels_scalar.add4(z, rows, c, width);
      for (size_t t = 0; t < width; t++) {
        check(fabsf(y[t] - z[t]) < 2e-6f, "%s, round %d", all[i].name, round);
        sum += ((double)x[t] - (double)rows[t]) * ((double)x[t] - (double)rows[t]);
      }
      check(fabs(k->apart(x, rows, width) - sum) < 1e-12 * sum, "%s, round %d", all[i].name, round);
      double got = (double)k->quantise(x, width, 1 / 127.0f, 127, bytes);
      for (size_t t = 0; t < width; t++) {
        double d = (double)x[t] - (double)(1 / 127.0f) * bytes[t];
        check(fabs(d) <= 0.5 / 126.9, "%s, round %d: %g", all[i].name, round, d);
        error2 += d * d;
      }
      check(fabs(sqrt(got) - sqrt(error2)) < 3e-4 * sqrt(error2), "%s, round %d", all[i].name,
            round);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_scan),   cmocka_unit_test(test_scan_is_a_bound),
      cmocka_unit_test(test_boxes),  cmocka_unit_test(test_dot),
      cmocka_unit_test(test_floats),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
