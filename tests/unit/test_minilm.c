/*
** MiniLM: the kernels of all levels against each other, the model file and its damaged copies. The
** tests of the model need minilm.bin (make minilm) in the current directory or above the program's
** and are skipped without it; tests/live/test_embedders.py compares with ONNX Runtime.
*/
#include "unit.h"

#include "vec/embed/minilm.h"
#include "vec/embed/minilm_kernels.h"

#include <math.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *model_path = "minilm.bin";

static uint32_t seed = 1;

static uint32_t next_random(void) {
  seed = seed * 1664525u + 1013904223u;
  return seed >> 8;
}

/* From -1 to 1, the small ones more often. */
static float next_float(void) {
  float x = (float)next_random() / (1 << 23) - 1;
  return x * x * x;
}

static float *floats(size_t n, float scale) {
  float *x = malloc(n * sizeof *x);
  for (size_t i = 0; i < n; i++) {
    x[i] = next_float() * scale;
  }
  return x;
}

/* --- kernels */

/* Random weights within the contract of Matrix. */
static Matrix random_matrix(size_t rows, size_t columns) {
  unsigned char *codes = malloc(rows * columns);
  int32_t *sum = calloc(columns, sizeof *sum);
  float *scale = floats(columns, 0.01f), *bias = floats(columns, 1);
  for (size_t i = 0; i < rows * columns; i++) {
    codes[i] = (unsigned char)(next_random() % 8 == 0 ? next_random() % 2 * 126 + 1
                                                      : next_random() % 127 + 1);
    sum[i / (rows * MATRIX_COLUMNS) * MATRIX_COLUMNS + i % 64 / 4] += codes[i] - 64;
  }
  return (Matrix){rows, columns, codes, scale, bias, sum};
}

static void free_matrix(Matrix *m) {
  free((void *)(uintptr_t)m->codes);
  free((void *)(uintptr_t)m->scale);
  free((void *)(uintptr_t)m->bias);
  free((void *)(uintptr_t)m->sum);
}

/* One output computed from the definition alone. */
static double expected_output(const Matrix *m, const float *x, size_t c, const Quantized *q) {
  double sum = 0;
  for (size_t k = 0; k < m->rows; k++) {
    size_t at = c / 16 * 16 * m->rows + k / 4 * 64 + c % 16 * 4 + k % 4;
    double code = fmin(fmax(rint((double)(x[k] / q->scale)) + q->zero, 0), 255) - q->zero;
    sum += code * (m->codes[at] - 64);
  }
  return sum * (double)(q->scale * m->scale[c]) + (double)m->bias[c];
}

static void test_dense(void **state) {
  static const size_t heights[] = {1, 2, 3, 4, 5, 31};
  const MinilmKernels *best = minilm_kernels(vec_cpu()), *scalar = minilm_kernels(VEC_SCALAR);
  Matrix m = random_matrix(384, 48);
  (void)state;
  for (size_t i = 0; i < COUNT(heights); i++) {
    size_t n = heights[i];
    float *x = floats(n * m.rows, 3), low, high, low2, high2;
    float *a = malloc(n * m.columns * sizeof *a), *b = malloc(n * m.columns * sizeof *b);
    Quantized p = {.groups = malloc(n * m.rows / 8 * sizeof(Group))};
    Quantized q = {.groups = malloc(n * m.rows / 8 * sizeof(Group))};
    scalar->range(x, n * m.rows, &low, &high);
    best->range(x, n * m.rows, &low2, &high2);
    check(low == low2 && high == high2, "%zu rows", n);
    p.scale = q.scale = (high - low) / (i == 1 ? 100 : 255); /* case 1 saturates */
    p.zero = q.zero = (int)lrintf(-low / p.scale) > 255 ? 255 : (int)lrintf(-low / p.scale);
    scalar->quantize(x, n * m.rows, &p);
    best->quantize(x, n * m.rows, &q);
    assert_memory_equal(p.groups, q.groups, n * m.rows / 8 * sizeof(Group));
    scalar->matmul(&m, &p, n, a);
    best->matmul(&m, &q, n, b);
    assert_memory_equal(a, b, n * m.columns * sizeof *a);
    for (size_t r = 0; r < n; r++) {
      for (size_t c = 0; c < m.columns; c++) {
        double e = expected_output(&m, x + r * m.rows, c, &q);
        check(fabs((double)a[r * m.columns + c] - e) < 1e-5 * (1 + fabs(e)), "%zu, %zu", r, c);
      }
    }
    free(x), free(a), free(b), free(p.groups), free(q.groups);
  }
  free_matrix(&m);
}

/* The largest sums there may be: every code at an end, every activation at an end. */
static void test_no_overflow(void **state) {
  const MinilmKernels *best = minilm_kernels(vec_cpu()), *scalar = minilm_kernels(VEC_SCALAR);
  Matrix m = random_matrix(384, 16);
  Quantized q = {.groups = malloc(48 * sizeof(Group)), .scale = 1};
  float x[384], a[16], b[16];
  (void)state;
  for (int round = 0; round < 8; round++) {
    for (size_t i = 0; i < 384 * 16; i++) { /* magnitudes 63, 64, 64, 64 of each four */
      int high = round & 1 ? 1 : (int)(i / 64 % 2);
      int w = i % 64 == 0 || i % 4 == 3 ? 63 : 64;
      w = (i % 4 < 2) == (i / 64 % 2) ? 63 : w; /* sums of four: 63 + 63 + 64 + 64 */
      ((unsigned char *)(uintptr_t)m.codes)[i] = (unsigned char)(high ? 64 + w : 64 - w);
    }
    q.zero = round & 2 ? 0 : 255;
    for (int k = 0; k < 384; k++) {
      x[k] = round & 4 ? (k % 3 ? 1e6f : -1e6f) : q.zero ? -1e6f : 1e6f;
    }
    best->quantize(x, 384, &q);
    best->matmul(&m, &q, 1, a);
    scalar->matmul(&m, &q, 1, b);
    assert_memory_equal(a, b, sizeof a);
  }
  free(q.groups);
  free_matrix(&m);
}

static void test_gelu(void **state) {
  enum { N = 1 << 16 };
  float *a = malloc(N * sizeof *a), *b = malloc(N * sizeof *b);
  (void)state;
  for (int i = 0; i < N; i++) {
    a[i] = b[i] = (float)(i - N / 2) * (8.0f / N) * (i % 64 == 0 ? 100.0f : 2.0f);
  }
  minilm_kernels(VEC_SCALAR)->gelu(a, N);
  minilm_kernels(vec_cpu())->gelu(b, N);
  for (int i = 0; i < N; i++) {
    double x = (double)((float)(i - N / 2) * (8.0f / N) * (i % 64 == 0 ? 100.0f : 2.0f));
    double e = 0.5 * x * (1 + erf(x / sqrt(2)));
    check(fabs((double)b[i] - e) <= 1e-6 * (1 + fabs(x)), "gelu(%g): %g, not %g", x, (double)b[i],
          e);
    check(a[i] == b[i], "gelu(%g): levels", x);
  }
  free(a);
  free(b);
}

static void test_norm_and_attention(void **state) {
  const MinilmKernels *best = minilm_kernels(vec_cpu()), *scalar = minilm_kernels(VEC_SCALAR);
  float *weight = floats(384, 1), *bias = floats(384, 1);
  float *scratch = aligned_alloc(64, ATTENTION_SCRATCH * sizeof *scratch);
  (void)state;
  for (size_t n = 1; n <= 256; n += n < 20 ? 1 : 59) {
    size_t bytes = n * 384 * sizeof(float);
    float *x = floats(n * 384, 2), *y = malloc(bytes), *add = floats(n * 384, 1);
    float *qkv = floats(n * 1152, 4), *a = calloc(n, 384 * sizeof *a),
          *b = calloc(n, 384 * sizeof *b);
    memcpy(y, x, bytes);
    scalar->norm(x, add, n, weight, bias);
    best->norm(y, add, n, weight, bias);
    assert_memory_equal(x, y, bytes);
    scalar->attend(qkv + 32, n, scratch, a + 32);
    best->attend(qkv + 32, n, scratch, b + 32);
    assert_memory_equal(a, b, bytes);
    free(x), free(y), free(add), free(qkv), free(a), free(b);
  }
  free(weight), free(bias), free(scratch);
}

/* --- the model */

static MiniLm *open_model(void) {
  char why[300];
  MiniLm *model;
  if (access(model_path, R_OK) != 0) {
    print_message("test_minilm: skipped, no minilm.bin (make minilm)\n");
    skip();
  }
  int rc = minilm_open(model_path, &model, why, sizeof why);
  check(rc == VEC_OK, "%s", why);
  return model;
}

static double cosine_of(MiniLm *m, const char *a, const char *b) {
  float x[MINILM_DIM], y[MINILM_DIM];
  double sum = 0;
  assert_int_equal(minilm_embed(m, a, strlen(a), x), VEC_OK);
  assert_int_equal(minilm_embed(m, b, strlen(b), y), VEC_OK);
  for (int i = 0; i < MINILM_DIM; i++) {
    sum += (double)x[i] * (double)y[i];
  }
  return sum;
}

static void test_model(void **state) {
  static char text[100000];
  float v[MINILM_DIM];
  MiniLm *m = open_model();
  (void)state;
  double near =
      cosine_of(m, "How do I reset my password?", "I forgot my password, how to reset it");
  double far = cosine_of(m, "How do I reset my password?", "The weather in Paris is sunny today");
  check(near > 0.8 && far < 0.2, "%g, %g", near, far);
  assert_int_equal(minilm_embed(m, "", 0, v), VEC_EMPTY);
  assert_int_equal(minilm_embed(m, " \n\xff", 3, v), VEC_EMPTY);
  assert_int_equal(minilm_embed(m, "\u2603\u2603", 6, v), VEC_OK); /* [UNK] */
  for (size_t i = 0; i + 4 <= sizeof text; i += 4) {
    memcpy(text + i, "dog ", 4);
  }
  assert_int_equal(minilm_embed(m, text, sizeof text, v), VEC_OK);
  memset(text + 254 * 4, 'x', sizeof text - 254 * 4); /* what is cut off doesn't count */
  float w[MINILM_DIM];
  assert_int_equal(minilm_embed(m, text, sizeof text, w), VEC_OK);
  assert_memory_equal(v, w, sizeof v);
  minilm_close(m);
}

/* Writes n bytes to a file in the build folder, opens it as a model, expects a refusal. */
static void refuse(const char *path, const unsigned char *bytes, size_t n, const char *label) {
  char why[300] = "";
  MiniLm *m = NULL;
  FILE *f = fopen(path, "wb");
  assert_non_null(f);
  assert_int_equal(fwrite(bytes, 1, n, f), n);
  fclose(f);
  int rc = minilm_open(path, &m, why, sizeof why);
  check(rc != VEC_OK && m == NULL && why[0], "%s: code %d, '%s'", label, rc, why);
}

static void test_damaged_files(void **state) {
  char path[] = "/tmp/llmcost-minilm-XXXXXX", why[300], label[40];
  MiniLm *m = open_model();
  (void)state;
  minilm_close(m);
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  close(fd);
  FILE *f = fopen(model_path, "rb");
  assert_non_null(f);
  fseek(f, 0, SEEK_END);
  size_t n = (size_t)ftell(f);
  unsigned char *bytes = malloc(n);
  rewind(f);
  assert_int_equal(fread(bytes, 1, n, f), n);
  fclose(f);
  refuse(path, bytes, 0, "empty");
  refuse(path, bytes, 100, "a piece of the header");
  refuse(path, bytes, 200, "the header alone");
  refuse(path, bytes, n - 64, "cut off");
  for (size_t at = 0; at < n;
       at = at < 112 ? at + 4 : at * 3) { /* each field, then here and there */
    bytes[at] ^= 0x10;
    snprintf(label, sizeof label, "byte %zu", at);
    refuse(path, bytes, n, label);
    bytes[at] ^= 0x10;
  }
  free(bytes);
  unlink(path);
  assert_int_equal(minilm_open(path, &m, why, sizeof why), VEC_ABSENT);
  assert_int_equal(minilm_open("/tmp", &m, why, sizeof why), VEC_ERROR);
  assert_int_equal(minilm_open("/dev/zero", &m, why, sizeof why), VEC_ERROR);
  assert_int_equal(mkfifo(path, 0600), 0); /* nobody writes: opening it must not wait */
  assert_int_equal(minilm_open(path, &m, why, sizeof why), VEC_ERROR);
  unlink(path);
  minilm_close(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_dense), cmocka_unit_test(test_no_overflow),
      cmocka_unit_test(test_gelu),  cmocka_unit_test(test_norm_and_attention),
      cmocka_unit_test(test_model), cmocka_unit_test(test_damaged_files),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
