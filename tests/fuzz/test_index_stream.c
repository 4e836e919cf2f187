/*
** Mutated index streams, signed again so that the checksum does not stop them: reading gives
** VEC_CORRUPT, or an index that can be searched, changed, settled and written without harm, and
** whose hits are true, because the source is. With a fixed seed; FUZZ_ROUNDS runs it longer.
*/
#include "../unit/unit.h"

#include "cosine.h"
#include "index.h"
#include "index_internal.h"
#include "vector.h"

enum { DIM = 17, N = 4200, IDS = 5000 };

static float vectors[IDS][DIM];
static uint64_t state_of_random = 0x9E3779B97F4A7C15u;

static size_t pick(size_t n) {
  state_of_random ^= state_of_random << 13;
  state_of_random ^= state_of_random >> 7;
  state_of_random ^= state_of_random << 17;
  return (size_t)(state_of_random >> 16) % n;
}

static int lend(void *ctx, int64_t id, const void **vector) {
  (void)ctx;
  *vector = id >= 0 && id < IDS ? vectors[id] : NULL;
  return VEC_OK;
}
static const VecSource source = {lend, NULL};

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

/* An index of `n` entries, with a tail and tombstones if there are enough for a tree. */
static Stream write_index(size_t n) {
  Stream s = {NULL, 0, 0, 0};
  VecIndex *index = NULL;
  assert_int_equal(vec_index_new(DIM, &index), VEC_OK);
  for (size_t id = 0; id < n; id++) {
    assert_int_equal(vec_index_put(index, (int64_t)id, vectors[id], VEC_NEVER), VEC_OK);
  }
  assert_int_equal(vec_index_settle(index, &source), VEC_OK);
  for (size_t id = 0; id < n / 20; id++) {
    vec_index_remove(index, (int64_t)pick(n));
    vec_index_put(index, (int64_t)pick(n), vectors[pick(n)], 1);
  }
  assert_int_equal(vec_index_write(index, sink, &s), VEC_OK);
  vec_index_free(index);
  return s;
}

static void mutate(Stream *s) {
  size_t times = 1 + pick(4), body = s->n - sizeof(uint64_t);
  for (size_t i = 0; i < times; i++) {
    size_t at = pick(3) ? pick(body < 64 ? body : 64) : pick(body);
    unsigned flipped = s->bytes[at] ^ (1u << pick(8));
    s->bytes[at] = (unsigned char)(pick(2) ? pick(256) : flipped);
  }
  if (pick(8) == 0) {
    body -= pick(body / 2);
    s->n = body + sizeof(uint64_t);
  }
  uint64_t sum = stream_checksum(s->bytes, body);
  memcpy(s->bytes + body, &sum, sizeof sum);
}

static void use(VecIndex *index) {
  Stream again = {NULL, 0, 0, 0};
  for (int round = 0; round < 3; round++) {
    VecHit hits[20];
    int n = 0;
    const float *query = vectors[pick(IDS)];
    assert_int_equal(vec_index_nearest(index, query, 0.2, 20, 0, &source, hits, &n, NULL), VEC_OK);
    for (int i = 0; i < n; i++) {
      double cosine = 0;
      cosine_f32(query, vectors[hits[i].id], DIM, &cosine);
      assert_true(hits[i].cosine == cosine && cosine >= 0.2);
    }
    for (size_t i = 0; i < 40; i++) {
      size_t id = pick(IDS);
      vec_index_remove(index, (int64_t)pick(IDS));
      assert_int_equal(vec_index_put(index, (int64_t)id, vectors[id], VEC_NEVER), VEC_OK);
    }
    assert_int_equal(vec_index_settle(index, &source), VEC_OK);
  }
  assert_int_equal(vec_index_write(index, sink, &again), VEC_OK);
  free(again.bytes);
}

static void test_mutations(void **state) {
  static const size_t sizes[] = {3, 90, 1100, N};
  const char *rounds = getenv("FUZZ_ROUNDS");
  long most = rounds ? strtol(rounds, NULL, 10) : 300, accepted = 0, refused = 0;
  (void)state;
  for (size_t i = 0; i < IDS; i++) {
    for (size_t j = 0; j < DIM; j++) {
      vectors[i][j] = (float)pick(2001) - 1000 + (j == i % 5 ? 3000 : 0);
    }
    vector_unit(vectors[i], DIM, vectors[i]);
  }
  for (size_t size = 0; size < COUNT(sizes); size++) {
    Stream whole = write_index(sizes[size]);
    for (long round = 0; round < most; round++) {
      Stream s = {malloc(whole.n), whole.n, whole.n, 0};
      VecIndex *index = NULL;
      memcpy(s.bytes, whole.bytes, whole.n);
      mutate(&s);
      int rc = vec_index_read(pull, &s, &index);
      free(s.bytes);
      check(rc == VEC_OK || (rc == VEC_CORRUPT && !index), "round %ld: %d", round, rc);
      if (rc == VEC_OK && vec_index_count(index) > 0 && index->dim == DIM) {
        use(index);
      }
      accepted += rc == VEC_OK;
      refused += rc != VEC_OK;
      vec_index_free(index);
    }
    free(whole.bytes);
  }
  check(accepted > 50 && refused > 50, "%ld accepted, %ld refused", accepted, refused);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_mutations)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
