/*
** The index against an oracle that computes every cosine: random histories of puts, replacements,
** removals, hidden and expired entries, settled at any time, on every kind of data that could upset
** a bound; every instruction set; snapshots, whole and damaged; a shortage of memory.
*/
#include "unit.h"

#include "vec/engine/kernels/cosine.h"
#include "vec/engine/index.h"
#include "vec/engine/index_internal.h"
#include "vec/engine/kernels/kernels.h"
#include "vec/engine/kernels/vector.h"

#include <math.h>

/* --- a world: entries as the caller has them */

typedef enum Kind { CLUSTERED, ISOTROPIC, LOPSIDED, DUPLICATES, LATTICE, KINDS } Kind;
static const char *const kind_names[] = {"clustered", "isotropic", "lopsided", "duplicates",
                                         "lattice"};

enum { NOW = 1000, CLUSTERS = 12, MOST_K = 64 };

typedef struct World {
  Kind kind;
  int dim;
  size_t n;
  float *vectors; /* n * dim */
  int64_t *expires;
  char *present, *hidden;
  float *centres; /* CLUSTERS * dim */
  char *loan;     /* an unaligned copy of the vector lent */
  int refuse;     /* what lending returns, if not VEC_OK */
  uint64_t random;
} World;

static uint64_t next(World *w) {
  w->random += 0x9E3779B97F4A7C15u;
  uint64_t x = w->random;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

static size_t pick(World *w, size_t n) {
  return (size_t)(next(w) % n);
}

static float normal(World *w) {
  double sum = -6;
  for (int i = 0; i < 12; i++) {
    sum += (double)(next(w) >> 11) * 0x1p-53;
  }
  return (float)sum;
}

/* Ids of either sign, not in the order of the slots. */
static int64_t id_of(size_t slot) {
  return ((int64_t)slot ^ 5) * 7919 - 4000000;
}
static size_t slot_of(int64_t id) {
  return (size_t)((id + 4000000) / 7919) ^ 5;
}

static void make_vector(World *w, float *out) {
  size_t dim = (size_t)w->dim, c = pick(w, CLUSTERS);
  float noise = w->kind == CLUSTERED ? 0.3f / sqrtf((float)dim) : 1;
  do {
    for (size_t i = 0; i < dim; i++) {
      float x = normal(w), centre = w->centres[c * dim + i];
      out[i] = w->kind == CLUSTERED    ? centre + noise * x
               : w->kind == LOPSIDED   ? (i == 0 ? 3.0f : x / (float)(i + 1))
               : w->kind == DUPLICATES ? centre
               : w->kind == LATTICE    ? (float)((int)pick(w, 3) - 1)
                                       : x;
    }
  } while (vector_unit(out, dim, out) != VECTOR_FINE);
}

static World world_make(Kind kind, int dim, size_t n, uint64_t seed) {
  size_t d = (size_t)dim;
  World w = {.kind = kind, .dim = dim, .n = n, .random = seed};
  w.vectors = calloc(n * d, sizeof *w.vectors);
  w.expires = calloc(n, sizeof *w.expires);
  w.present = calloc(n, 1);
  w.hidden = calloc(n, 1);
  w.centres = calloc(CLUSTERS * d, sizeof *w.centres);
  w.loan = malloc(d * 4 + 1);
  for (size_t c = 0; c < CLUSTERS; c++) {
    for (size_t i = 0; i < d; i++) {
      w.centres[c * d + i] = normal(&w);
    }
    vector_unit(w.centres + c * d, d, w.centres + c * d);
  }
  return w;
}

static void world_free(World *w) {
  free(w->vectors);
  free(w->expires);
  free(w->present);
  free(w->hidden);
  free(w->centres);
  free(w->loan);
}

static int lend(void *ctx, int64_t id, const void **vector) {
  World *w = ctx;
  size_t slot = slot_of(id);
  *vector = NULL;
  if (w->refuse) {
    return w->refuse;
  }
  if (slot < w->n && w->present[slot] && !w->hidden[slot]) {
    memcpy(w->loan + 1, w->vectors + slot * (size_t)w->dim, (size_t)w->dim * 4);
    *vector = w->loan + 1;
  }
  return VEC_OK;
}

static void put(World *w, VecIndex *index, size_t slot) {
  float *v = w->vectors + slot * (size_t)w->dim;
  make_vector(w, v);
  w->present[slot] = 1;
  w->hidden[slot] = pick(w, 16) == 0;
  w->expires[slot] = pick(w, 8) ? VEC_NEVER : NOW - 2 + (int64_t)pick(w, 5);
  assert_int_equal(vec_index_put(index, id_of(slot), v, w->expires[slot]), VEC_OK);
}

/* --- the oracle */

static int better_first(const void *a, const void *b) {
  const VecHit *x = a, *y = b;
  if (x->cosine != y->cosine) {
    return x->cosine < y->cosine ? 1 : -1;
  }
  return x->id < y->id ? 1 : -1;
}

static size_t oracle(World *w, const float *query, VecHit *all) {
  size_t n = 0;
  for (size_t slot = 0; slot < w->n; slot++) {
    const float *v = w->vectors + slot * (size_t)w->dim;
    if (w->present[slot] && !w->hidden[slot] && w->expires[slot] > NOW &&
        cosine_f32(query, v, (size_t)w->dim, &all[n].cosine)) {
      all[n++].id = id_of(slot);
    }
  }
  qsort(all, n, sizeof *all, better_first);
  return n;
}

static void check_one(World *w, VecIndex *index, const float *query, double threshold, int k,
                      const VecHit *all, size_t n_all) {
  const VecSource source = {lend, w};
  VecHit hits[MOST_K + 1];
  VecWork work;
  int n = -1, expected = 0;
  while (expected < k && (size_t)expected < n_all && all[expected].cosine >= threshold) {
    expected++;
  }
  int rc = k == 1 ? vec_index_best(index, query, threshold, NOW, &source, hits, &n, &work)
                  : vec_index_nearest(index, query, threshold, k, NOW, &source, hits, &n, NULL);
  assert_int_equal(rc, VEC_OK);
  check(n == expected, "%s, %d dimensions, threshold %.17g, k %d: %d hits, not %d",
        kind_names[w->kind], w->dim, threshold, k, n, expected);
  for (int i = 0; i < n; i++) {
    check(hits[i].id == all[i].id && hits[i].cosine == all[i].cosine,
          "%s, %d dimensions, threshold %.17g, k %d, hit %d: %lld %.17g, not %lld %.17g",
          kind_names[w->kind], w->dim, threshold, k, i, (long long)hits[i].id, hits[i].cosine,
          (long long)all[i].id, all[i].cosine);
  }
}

/* One query at many thresholds, some of them the very cosines, on every instruction set here. */
static void check_query(World *w, VecIndex *index, const float *query, VecHit *all) {
  size_t n = oracle(w, query, all);
  double tie = n ? all[pick(w, n)].cosine : 0.5, top = n ? all[0].cosine : 0;
  double near_top = n ? all[pick(w, n < 8 ? n : 8)].cosine : 0;
  const double thresholds[] = {0.95,     0.9999999,
                               1.0,      0.5,
                               0,        -1,
                               tie,      nextafter(tie, 2),
                               top,      nextafter(top, 2),
                               near_top, nextafter(near_top, -2)};
  static const VecCpu levels[] = {VEC_SCALAR, VEC_NEON, VEC_AVX2, VEC_AVX512};
  for (size_t level = 0; level < COUNT(levels); level++) {
    if (!kernels_force(levels[level])) {
      continue;
    }
    for (size_t t = level == 0 ? pick(w, 3) : 0; t < COUNT(thresholds); t += level == 0 ? 3 : 1) {
      check_one(w, index, query, thresholds[t], 1, all, n);
      check_one(w, index, query, thresholds[t], 1 + (int)pick(w, 5), all, n);
    }
    check_one(w, index, query, -1, MOST_K, all, n);
  }
}

static void check_index(World *w, VecIndex *index, int queries) {
  float *query = malloc((size_t)w->dim * sizeof *query);
  VecHit *all = malloc((w->n + 1) * sizeof *all);
  int64_t present = 0;
  for (size_t slot = 0; slot < w->n; slot++) {
    present += w->present[slot];
  }
  assert_int_equal(vec_index_count(index), present);
  for (int q = 0; q < queries; q++) {
    const float *near = w->vectors + pick(w, w->n) * (size_t)w->dim;
    float noise = q % 4 == 1 ? 0.02f : 1e-4f;
    make_vector(w, query);
    if (q % 4 != 0) {
      for (size_t i = 0; i < (size_t)w->dim; i++) {
        query[i] = near[i] + (q % 4 == 3 ? 0 : noise * normal(w));
      }
    }
    if (vector_unit(query, (size_t)w->dim, query) == VECTOR_FINE) {
      check_query(w, index, query, all);
    }
  }
  free(query);
  free(all);
}

static void settle(World *w, VecIndex *index) {
  const VecSource source = {lend, w};
  int64_t before = vec_index_count(index), hidden = 0;
  assert_int_equal(vec_index_settle(index, &source), VEC_OK);
  for (size_t slot = 0; slot < w->n; slot++) {
    hidden += w->present[slot] && w->hidden[slot];
  }
  int64_t after = vec_index_count(index);
  check(after == before || after == before - hidden, "%lld of %lld", (long long)after,
        (long long)before);
  for (size_t slot = 0; after != before && slot < w->n; slot++) {
    w->present[slot] = w->present[slot] && !w->hidden[slot];
  }
}

/* Fills up, then changes at random, with a look now and then. */
static void run_history(Kind kind, int dim, size_t n, int steps, int queries) {
  World w = world_make(kind, dim, n, 77 + (uint64_t)kind + (uint64_t)dim * 1000 + n);
  VecIndex *index = NULL;
  assert_int_equal(vec_index_new(dim, &index), VEC_OK);
  check_index(&w, index, 2);
  for (size_t slot = 0; slot < n; slot++) {
    put(&w, index, slot);
    if (slot == n / 3) {
      settle(&w, index);
      check_index(&w, index, 1);
    }
  }
  check_index(&w, index, 1);
  for (int step = 0; step < steps; step++) {
    settle(&w, index);
    check_index(&w, index, queries);
    size_t changes = step % 2 ? n / 3 : n / 20 + 1;
    for (size_t i = 0; i < changes; i++) {
      size_t slot = pick(&w, n);
      if (pick(&w, 3) == 0) {
        put(&w, index, slot);
      } else if (pick(&w, 2)) {
        w.present[slot] = 0;
        assert_int_equal(vec_index_remove(index, id_of(slot)), VEC_OK);
      } else {
        w.hidden[slot] = !w.hidden[slot];
      }
    }
    check_index(&w, index, queries);
  }
  vec_index_free(index);
  world_free(&w);
}

static void test_small(void **state) {
  static const int dims[] = {1, 3, 17, 256, 384};
  (void)state;
  for (int kind = 0; kind < KINDS; kind++) {
    for (size_t d = 0; d < COUNT(dims); d++) {
      run_history((Kind)kind, dims[d], 1, 1, 4);
      run_history((Kind)kind, dims[d], 40, 4, 4);
      run_history((Kind)kind, dims[d], 200, 3, 3);
    }
  }
}

static void test_coded(void **state) {
  static const int dims[] = {1, 3, 17, 256};
  (void)state;
  for (int kind = 0; kind < KINDS; kind++) {
    for (size_t d = 0; d < COUNT(dims); d++) {
      run_history((Kind)kind, dims[d], 1500, 2, 1);
    }
  }
}

static void test_trees(void **state) {
  (void)state;
  for (int kind = 0; kind < KINDS; kind++) {
    run_history((Kind)kind, 17, 6000, 3, 1);
    run_history((Kind)kind, 3, 5000, 2, 1);
  }
  run_history(DUPLICATES, 1, 5000, 2, 1);
  run_history(CLUSTERED, 384, 6000, 2, 1);
  run_history(ISOTROPIC, 384, 5000, 1, 1);
}

/* --- answers that don't need an oracle */

static void test_edges(void **state) {
  static const float a[3] = {1, 0, 0}, zero[3] = {0, 0, 0}, bad[3] = {NAN, 0, 1};
  static const float doubled[3] = {2, 0, 0};
  World w = world_make(ISOTROPIC, 3, 8, 1);
  const VecSource source = {lend, &w};
  VecIndex *index = NULL;
  VecHit hit;
  int n = -1;
  (void)state;
  assert_int_equal(vec_index_new(3, &index), VEC_OK);
  assert_int_equal(vec_index_best(index, a, 0, NOW, &source, &hit, &n, NULL), VEC_OK);
  assert_int_equal(n, 0);
  assert_int_equal(vec_index_put(index, id_of(2), zero, VEC_NEVER), VEC_ERROR);
  assert_int_equal(vec_index_put(index, id_of(2), bad, VEC_NEVER), VEC_ERROR);
  assert_int_equal(vec_index_count(index), 0);
  assert_int_equal(vec_index_remove(index, 99), VEC_OK);
  for (size_t slot = 2; slot < 5; slot++) {
    memcpy(w.vectors + 3 * slot, a, sizeof a);
    w.present[slot] = 1;
    assert_int_equal(vec_index_put(index, id_of(slot), slot == 4 ? doubled : a, VEC_NEVER), VEC_OK);
  }
  assert_int_equal(vec_index_best(index, zero, 0, NOW, &source, &hit, &n, NULL), VEC_ERROR);
  assert_int_equal(vec_index_best(index, a, (double)NAN, NOW, &source, &hit, &n, NULL), VEC_OK);
  assert_int_equal(n, 0);
  assert_int_equal(vec_index_best(index, a, 1.0000001, NOW, &source, &hit, &n, NULL), VEC_OK);
  assert_int_equal(n, 0);
  assert_int_equal(vec_index_nearest(index, a, 0, 0, NOW, &source, &hit, &n, NULL), VEC_OK);
  assert_int_equal(n, 0);
  assert_int_equal(vec_index_best(index, a, 1, INT64_MAX, &source, &hit, &n, NULL), VEC_OK);
  assert_int_equal(n, 1);
  assert_true(hit.id == id_of(2) && hit.cosine == 1); /* the highest: 2 ^ 5 is 7 */
  w.refuse = 8;
  assert_int_equal(vec_index_best(index, a, 1, NOW, &source, &hit, &n, NULL), 8);
  assert_int_equal(n, 0);
  vec_index_free(index);
  vec_index_free(NULL);
  world_free(&w);
}

/* An expired or hidden best must not hide the second best. */
static void test_best_out_of_sight(void **state) {
  enum { N = 5000 };
  World w = world_make(CLUSTERED, 17, N, 5);
  VecIndex *index = NULL;
  (void)state;
  assert_int_equal(vec_index_new(17, &index), VEC_OK);
  for (size_t slot = 0; slot < N; slot++) {
    put(&w, index, slot);
    w.hidden[slot] = 0;
  }
  settle(&w, index);
  assert_string_equal(vec_index_strategy(index), "kd");
  VecHit *all = malloc(N * sizeof *all);
  for (int round = 0; round < 6; round++) {
    const float *query = w.vectors + 17 * pick(&w, N);
    size_t n = oracle(&w, query, all);
    for (size_t i = 0; i < 20; i++) {
      size_t slot = slot_of(all[i].id);
      if (i % 3 == 0) {
        w.hidden[slot] = 1;
      } else if (i % 3 == 1) {
        w.expires[slot] = NOW;
        vec_index_put(index, all[i].id, w.vectors + 17 * slot, NOW);
      } else {
        w.present[slot] = 0;
        vec_index_remove(index, all[i].id);
      }
    }
    assert_true(n > 100);
    check_query(&w, index, query, all);
  }
  free(all);
  vec_index_free(index);
  world_free(&w);
}

/* A hundred thousand small partitions have to fit in memory. */
static void test_small_is_small(void **state) {
  World w = world_make(ISOTROPIC, 384, 50, 9);
  VecIndex *index = NULL;
  (void)state;
  assert_int_equal(vec_index_new(384, &index), VEC_OK);
  check(vec_index_bytes(index) < 512, "%zu", vec_index_bytes(index));
  for (size_t slot = 0; slot < 50; slot++) {
    put(&w, index, slot);
    check(vec_index_bytes(index) < 512 + 408 * (slot < 8 ? 8 : slot * 3 / 2 + 2), "%zu at %zu",
          vec_index_bytes(index), slot);
  }
  settle(&w, index);
  assert_string_equal(vec_index_strategy(index), "flat");
  vec_index_free(index);
  world_free(&w);
}

/* A source that fails or lends nothing while the index settles. */
static void test_settling_without_vectors(void **state) {
  enum { N = 5000 };
  World w = world_make(CLUSTERED, 17, N, 6);
  const VecSource source = {lend, &w};
  VecIndex *index = NULL;
  (void)state;
  assert_int_equal(vec_index_new(17, &index), VEC_OK);
  for (size_t slot = 0; slot < N; slot++) {
    put(&w, index, slot);
  }
  w.refuse = 10;
  assert_int_equal(vec_index_settle(index, &source), 10);
  w.refuse = 0;
  check_index(&w, index, 1);
  memset(w.hidden, 1, N);
  assert_int_equal(vec_index_settle(index, &source), VEC_OK);
  assert_int_equal(vec_index_count(index), N);
  memset(w.hidden, 0, N);
  check_index(&w, index, 1);
  vec_index_free(index);
  world_free(&w);
}

/* Without memory a call fails and changes nothing; with it again, it succeeds. */
static void test_no_memory(void **state) {
  enum { N = 4500 };
  World w = world_make(CLUSTERED, 17, N, 8);
  const VecSource source = {lend, &w};
  VecIndex *index = NULL;
  int failures = 0;
  (void)state;
  assert_int_equal(vec_index_new(17, &index), VEC_OK);
  for (size_t slot = 0; slot < N; slot++) {
    float *v = w.vectors + slot * 17;
    make_vector(&w, v);
    for (int n = 1; n < 40; n++) {
      rows_alloc_fail(slot < 100 || slot % 97 == 0 ? n : 0);
      int rc = vec_index_put(index, id_of(slot), v, VEC_NEVER);
      rows_alloc_fail(0);
      if (rc == VEC_OK) {
        break;
      }
      failures++;
      assert_int_equal(rc, VEC_NOMEM);
      assert_int_equal(vec_index_count(index), slot);
    }
    w.present[slot] = 1;
    w.expires[slot] = VEC_NEVER;
  }
  check_index(&w, index, 2);
  for (int n = 1; n < 60; n++) {
    rows_alloc_fail(n);
    int rc = vec_index_settle(index, &source);
    rows_alloc_fail(0);
    if (rc == VEC_OK) {
      break;
    }
    failures++;
    assert_int_equal(rc, VEC_NOMEM);
    check_index(&w, index, n % 8 == 0);
  }
  assert_string_equal(vec_index_strategy(index), "kd");
  check_index(&w, index, 2);
  check(failures > 100, "%d", failures);
  vec_index_free(index);
  world_free(&w);
}

/* --- snapshots */

typedef struct Stream {
  unsigned char *bytes;
  size_t n, room, at;
} Stream;

static int sink(void *ctx, const void *data, size_t n) {
  Stream *s = ctx;
  if (s->n + n > s->room) {
    s->room = 2 * (s->n + n);
    s->bytes = realloc(s->bytes, s->room);
  }
  memcpy(s->bytes + s->n, data, n);
  s->n += n;
  return VEC_OK;
}

static int pull(void *ctx, void *data, size_t n) {
  Stream *s = ctx;
  if (n > s->n - s->at) {
    return VEC_CORRUPT;
  }
  memcpy(data, s->bytes + s->at, n);
  s->at += n;
  return VEC_OK;
}

static void check_damage(World *w, const Stream *whole, int rounds) {
  Stream s = {malloc(whole->n), whole->n, whole->n, 0};
  for (int round = 0; round < rounds; round++) {
    VecIndex *index = NULL;
    memcpy(s.bytes, whole->bytes, whole->n);
    s.n = whole->n;
    s.at = 0;
    if (round % 3 == 0) {
      s.n = pick(w, whole->n);
    } else {
      s.bytes[round % 3 == 1 ? pick(w, 64) : pick(w, s.n)] ^= (unsigned char)(1 << pick(w, 8));
    }
    check(vec_index_read(pull, &s, &index) == VEC_CORRUPT && !index, "round %d", round);
  }
  free(s.bytes);
}

static void test_snapshots(void **state) {
  static const size_t sizes[] = {0, 1, 50, 1500, 6000};
  (void)state;
  for (size_t i = 0; i < COUNT(sizes); i++) {
    World w = world_make(CLUSTERED, 17, sizes[i] + 1, sizes[i]);
    Stream s = {NULL, 0, 0, 0}, again = {NULL, 0, 0, 0};
    VecIndex *index = NULL, *copy = NULL;
    assert_int_equal(vec_index_new(17, &index), VEC_OK);
    for (size_t round = 0; round < 2 * sizes[i]; round++) {
      put(&w, index, pick(&w, sizes[i]));
      if (round == sizes[i]) {
        settle(&w, index);
      }
    }
    assert_int_equal(vec_index_write(index, sink, &s), VEC_OK);
    assert_int_equal(vec_index_read(pull, &s, &copy), VEC_OK);
    assert_int_equal(s.at, s.n);
    assert_string_equal(vec_index_strategy(copy), vec_index_strategy(index));
    assert_int_equal(vec_index_write(copy, sink, &again), VEC_OK);
    assert_true(again.n == s.n && memcmp(again.bytes, s.bytes, s.n) == 0);
    check_index(&w, copy, 2);
    for (size_t slot = 0; slot < sizes[i] / 2; slot++) {
      put(&w, copy, slot);
    }
    settle(&w, copy);
    check_index(&w, copy, 2);
    check_damage(&w, &s, 60);
    vec_index_free(index);
    vec_index_free(copy);
    free(s.bytes);
    free(again.bytes);
    world_free(&w);
  }
}

/* A header that promises billions of rows must not cost memory before they come. */
static void test_lying_header(void **state) {
  World w = world_make(CLUSTERED, 17, 3, 1);
  Stream s = {NULL, 0, 0, 0};
  VecIndex *index = NULL, *copy = NULL;
  uint32_t many = 0x7fffffe0;
  (void)state;
  assert_int_equal(vec_index_new(17, &index), VEC_OK);
  put(&w, index, 0);
  assert_int_equal(vec_index_write(index, sink, &s), VEC_OK);
  memcpy(s.bytes + 24, &many, sizeof many); /* rows */
  assert_int_equal(vec_index_read(pull, &s, &copy), VEC_CORRUPT);
  assert_null(copy);
  vec_index_free(index);
  free(s.bytes);
  world_free(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_edges),
      cmocka_unit_test(test_small),
      cmocka_unit_test(test_coded),
      cmocka_unit_test(test_trees),
      cmocka_unit_test(test_best_out_of_sight),
      cmocka_unit_test(test_small_is_small),
      cmocka_unit_test(test_settling_without_vectors),
      cmocka_unit_test(test_no_memory),
      cmocka_unit_test(test_snapshots),
      cmocka_unit_test(test_lying_header),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
