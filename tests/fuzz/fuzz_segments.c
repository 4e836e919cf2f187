/*
** The stream of a vector index, as snapshots keep it. The checksum is made anew, so that it does not stop
** what is looked for.
**
** The first byte chooses: one of four indexes written by us (a few rows; a map; codes; a tree), changed in
** some places as the rest of the input says (Patch, five bytes each); or the rest is the stream itself.
**
** Holds: reading gives VEC_CORRUPT, or an index that can be searched, changed, settled and written without
** harm, and whose hits are true, because the source is.
*/
#include "fuzz.h"

#include "vec/engine/kernels/cosine.h"
#include "vec/engine/index.h"
#include "vec/engine/index_internal.h"
#include "vec/engine/kernels/vector.h"

enum { DIM = 17, IDS = 5000, INDEXES = 4 };

typedef struct Stream {
  unsigned char *bytes;
  size_t n, room, at;
} Stream;

static float vectors[IDS][DIM];
static Stream written[INDEXES];
static uint64_t state_of_random;

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

static int sink(void *ctx, const void *data, size_t n) {
  Stream *s = ctx;
  if (s->n + n > s->room) {
    s->room = 2 * (s->n + n);
    s->bytes = realloc(s->bytes, s->room);
    require(s->bytes);
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

/* An index of n entries, with a tail and tombstones if there are enough for a tree. */
static Stream write_index(size_t n) {
  Stream s = {NULL, 0, 0, 0};
  VecIndex *index = NULL;
  require(vec_index_new(DIM, &index) == VEC_OK);
  for (size_t id = 0; id < n; id++) {
    require(vec_index_put(index, (int64_t)id, vectors[id], VEC_NEVER) == VEC_OK);
  }
  require(vec_index_settle(index, &source) == VEC_OK);
  for (size_t id = 0; id < n / 20; id++) {
    vec_index_remove(index, (int64_t)pick(n));
    vec_index_put(index, (int64_t)pick(n), vectors[pick(n)], 1);
  }
  require(vec_index_write(index, sink, &s) == VEC_OK);
  vec_index_free(index);
  return s;
}

static void write_all(void) {
  static const size_t sizes[INDEXES] = {3, 90, 1100, 4200};
  state_of_random = 0x9E3779B97F4A7C15u;
  for (size_t i = 0; i < IDS; i++) {
    for (size_t j = 0; j < DIM; j++) {
      vectors[i][j] = (float)pick(2001) - 1000 + (j == i % 5 ? 3000 : 0);
    }
    vector_unit(vectors[i], DIM, vectors[i]);
  }
  for (int i = 0; i < INDEXES; i++) {
    written[i] = write_index(sizes[i]);
  }
}

/* One change: what is done, where (in the first 64 bytes if the place is small), and with what. */
static void patch(Stream *s, Input *in) {
  unsigned what = take_byte(in);
  size_t at = (size_t)take_byte(in) << 8;
  at = (what & 8 ? at << 8 : 0) | take_byte(in) << (what & 8 ? 8 : 0) | take_byte(in);
  unsigned char value = (unsigned char)take_byte(in);
  if (s->n == 0) {
    return;
  }
  at %= s->n;
  switch (what & 3) {
  case 0:
    s->bytes[at] = value;
    return;
  case 1:
    s->bytes[at] ^= (unsigned char)(value | 1);
    return;
  case 2: /* a whole number, or a double, of one byte over and over */
    memset(s->bytes + at, value, s->n - at < 8 ? s->n - at : 8);
    return;
  default:
    s->n = at;
  }
}

static Stream make_stream(Input *in) {
  unsigned which = take_byte(in) % (INDEXES + 1);
  const Stream raw = {NULL, in->n, 0, 0}, *of = which < INDEXES ? &written[which] : &raw;
  Stream s = {malloc(of->n + sizeof(uint64_t)), of->n, 0, 0};
  require(s.bytes);
  if (which < INDEXES) {
    s.n -= sizeof(uint64_t);
    memcpy(s.bytes, of->bytes, s.n);
    while (in->n > 0) {
      patch(&s, in);
    }
  } else if (in->n > 0) {
    memcpy(s.bytes, in->at, in->n);
  }
  uint64_t sum = stream_checksum(s.bytes, s.n);
  memcpy(s.bytes + s.n, &sum, sizeof sum);
  s.n += sizeof sum;
  return s;
}

static void check_hits(VecIndex *index, const float *query) {
  VecHit hits[20];
  int n = 0;
  require(vec_index_nearest(index, query, 0.2, 20, 0, &source, hits, &n, NULL) == VEC_OK);
  for (int i = 0; i < n; i++) {
    double cosine = 0;
    cosine_f32(query, vectors[hits[i].id], DIM, &cosine);
    require(hits[i].cosine == cosine && cosine >= 0.2);
    require(i == 0 || hits[i].cosine <= hits[i - 1].cosine);
  }
}

static void use(VecIndex *index) {
  Stream again = {NULL, 0, 0, 0};
  for (int round = 0; round < 2; round++) {
    check_hits(index, vectors[pick(IDS)]);
    for (size_t i = 0; i < 20; i++) {
      size_t id = pick(IDS);
      vec_index_remove(index, (int64_t)pick(IDS));
      require(vec_index_put(index, (int64_t)id, vectors[id], VEC_NEVER) == VEC_OK);
    }
    require(vec_index_settle(index, &source) == VEC_OK);
  }
  require(vec_index_write(index, sink, &again) == VEC_OK);
  VecIndex *copy = NULL;
  require(vec_index_read(pull, &again, &copy) == VEC_OK);
  require(vec_index_count(copy) == vec_index_count(index));
  vec_index_free(copy);
  free(again.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input in = {data, size};
  VecIndex *index = NULL;
  if (!written[0].bytes) {
    write_all();
  }
  state_of_random = 88172645463325252u;
  Stream s = make_stream(&in);
  int rc = vec_index_read(pull, &s, &index);
  free(s.bytes);
  require(rc == VEC_OK ? index != NULL : rc == VEC_CORRUPT && !index);
  if (index && vec_index_dim(index) == DIM) {
    use(index);
  }
  vec_index_free(index);
  return 0;
}
