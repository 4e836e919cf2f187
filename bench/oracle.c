/*
** The vector engine against a double-precision oracle, until told to stop: recall and false hits.
**
**   oracle [seconds] [seed]        (defaults: 60 1)
**
** Each round makes an index of random size, dimension and kind of data (clustered, isotropic,
** lopsided, duplicates, small integers with many ties), with some entries replaced, removed,
** expired or not lent, settled at a random moment, sometimes sent through a snapshot, on a random
** instruction set. Each query is put at many thresholds, among them cosines that occur and their
** neighbours among the doubles, for one hit and for k. A check is one search; it fails if ids or
** cosines are not exactly the oracle's. "missing" are hits the oracle has and the index has not,
** "false" the reverse. Exit code 1 if there are any.
*/
#include "vec/engine/kernels/cosine.h"
#include "vec/engine/index.h"
#include "vec/engine/kernels/kernels.h"
#include "vec/engine/kernels/vector.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KINDS = 5, CENTRES = 20, MOST_CELLS = 1 << 20, MOST_N = 12000, MOST_K = 100, NOW = 50 };

typedef struct Round {
  int kind, dim;
  size_t n;
  float *vectors, *centres;
  int64_t *expires;
  char *present, *hidden;
  VecIndex *index;
  VecHit *all; /* the oracle's answer to a query, best first */
  size_t n_all;
} Round;

static uint64_t state;
static long long checks, hits_expected, missing, false_hits, rounds;

static uint64_t next(void) {
  state += 0x9E3779B97F4A7C15u;
  uint64_t x = state;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

static size_t pick(size_t n) {
  return (size_t)(next() % n);
}

static double uniform(void) {
  return (double)(next() >> 11) * 0x1p-53;
}

static float normal(void) {
  double sum = -2;
  for (int i = 0; i < 4; i++) {
    sum += uniform();
  }
  return (float)(sum * 1.732);
}

static void make_vector(const Round *r, float *out) {
  size_t dim = (size_t)r->dim;
  do {
    const float *centre = r->centres + pick(CENTRES) * dim;
    float noise = (float)pow(10, -uniform() * 3) / sqrtf((float)dim);
    for (size_t i = 0; i < dim; i++) {
      switch (r->kind) {
      case 0:
        out[i] = centre[i] + noise * normal();
        break;
      case 1:
        out[i] = normal();
        break;
      case 2:
        out[i] = i == 0 ? 2 : normal() / sqrtf((float)(i * i + 1));
        break;
      case 3:
        out[i] = centre[i];
        break;
      default:
        out[i] = (float)((int)pick(3) - 1);
      }
    }
  } while (vector_unit(out, dim, out) != VECTOR_FINE);
}

static void make_query(const Round *r, float *out) {
  size_t dim = (size_t)r->dim;
  double noise = pow(10, -uniform() * 8);
  if (pick(4) == 0) {
    make_vector(r, out);
    return;
  }
  const float *near = r->vectors + pick(r->n) * dim;
  for (size_t i = 0; i < dim; i++) {
    out[i] = near[i] + (float)(noise * normal() / sqrt((double)dim));
  }
  if (pick(4) == 0) {
    memcpy(out, near, dim * sizeof *out);
  }
  if (vector_unit(out, dim, out) != VECTOR_FINE) {
    make_vector(r, out);
  }
}

static int lend(void *ctx, int64_t id, const void **vector) {
  const Round *r = ctx;
  *vector = r->present[id] && !r->hidden[id] ? r->vectors + (size_t)id * (size_t)r->dim : NULL;
  return VEC_OK;
}

static void put(Round *r, size_t slot) {
  float *v = r->vectors + slot * (size_t)r->dim;
  make_vector(r, v);
  r->present[slot] = 1;
  r->hidden[slot] = pick(30) == 0;
  r->expires[slot] = pick(20) ? VEC_NEVER : (int64_t)pick(2 * NOW);
  vec_index_put(r->index, (int64_t)slot, v, r->expires[slot]);
}

static void change(Round *r, size_t changes) {
  while (changes-- > 0) {
    size_t slot = pick(r->n);
    if (pick(2)) {
      put(r, slot);
    } else {
      r->present[slot] = 0;
      vec_index_remove(r->index, (int64_t)slot);
    }
  }
}

static void settle(Round *r) {
  VecSource source = {lend, r};
  int64_t before = vec_index_count(r->index);
  vec_index_settle(r->index, &source);
  for (size_t slot = 0; slot < r->n && vec_index_count(r->index) != before; slot++) {
    r->present[slot] = r->present[slot] && !r->hidden[slot];
  }
}

/* --- through a snapshot */

typedef struct Bytes {
  char *at;
  size_t n, room, read;
} Bytes;

static int sink(void *ctx, const void *data, size_t n) {
  Bytes *b = ctx;
  if (b->n + n > b->room) {
    b->room = 2 * (b->n + n);
    b->at = realloc(b->at, b->room);
  }
  memcpy(b->at + b->n, data, n);
  b->n += n;
  return VEC_OK;
}

static int pull(void *ctx, void *data, size_t n) {
  Bytes *b = ctx;
  if (n > b->n - b->read) {
    return VEC_CORRUPT;
  }
  memcpy(data, b->at + b->read, n);
  b->read += n;
  return VEC_OK;
}

static void reopen(Round *r) {
  Bytes b = {NULL, 0, 0, 0};
  VecIndex *copy = NULL;
  vec_index_write(r->index, sink, &b);
  if (vec_index_read(pull, &b, &copy) != VEC_OK) {
    printf("a snapshot did not read back\n");
    exit(1);
  }
  vec_index_free(r->index);
  r->index = copy;
  free(b.at);
}

/* --- checking */

static int better_first(const void *a, const void *b) {
  const VecHit *x = a, *y = b;
  if (x->cosine != y->cosine) {
    return x->cosine < y->cosine ? 1 : -1;
  }
  return x->id < y->id ? 1 : -1;
}

static void ask_oracle(Round *r, const float *query) {
  r->n_all = 0;
  for (size_t slot = 0; slot < r->n; slot++) {
    const float *v = r->vectors + slot * (size_t)r->dim;
    VecHit *hit = &r->all[r->n_all];
    hit->id = (int64_t)slot;
    r->n_all += r->present[slot] && !r->hidden[slot] && r->expires[slot] > NOW &&
                cosine_f32(query, v, (size_t)r->dim, &hit->cosine);
  }
  qsort(r->all, r->n_all, sizeof *r->all, better_first);
}

static void check(Round *r, const float *query, double threshold, int k) {
  VecSource source = {lend, r};
  VecHit hits[MOST_K];
  int n = 0, expected = 0, same = 0;
  while (expected < k && (size_t)expected < r->n_all && r->all[expected].cosine >= threshold) {
    expected++;
  }
  vec_index_nearest(r->index, query, threshold, k, NOW, &source, hits, &n, NULL);
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < expected; j++) {
      same += hits[i].id == r->all[j].id && hits[i].cosine == r->all[j].cosine && i == j;
    }
  }
  checks++;
  hits_expected += expected;
  missing += expected - same;
  false_hits += n - same;
  if (same != n || same != expected) {
    printf("kind %d, %zu x %d, threshold %.17g, k %d: %d hits, %d expected, %d the same\n", r->kind,
           r->n, r->dim, threshold, k, n, expected, same);
  }
}

static void check_query(Round *r, float *query) {
  make_query(r, query);
  ask_oracle(r, query);
  double top = r->n_all ? r->all[0].cosine : 0.9;
  double some = r->n_all ? r->all[pick(r->n_all < 50 ? r->n_all : 50)].cosine : 0.5;
  const double thresholds[] = {top,
                               nextafter(top, 2),
                               nextafter(top, -2),
                               some,
                               nextafter(some, 2),
                               nextafter(some, -2),
                               0.95,
                               0.9,
                               0.9999999,
                               1.0,
                               uniform() * 2 - 1,
                               0.5};
  for (size_t t = 0; t < sizeof thresholds / sizeof thresholds[0]; t++) {
    check(r, query, thresholds[t], 1);
    check(r, query, thresholds[t], 2 + (int)pick(10));
  }
  check(r, query, -1, 1);
  check(r, query, -1, 1 + (int)pick(MOST_K));
}

static void run_round(void) {
  static const int dims[] = {1, 2, 3, 8, 17, 31, 32, 33, 64, 128, 256, 384, 768};
  Round r = {.kind = (int)pick(KINDS), .dim = dims[pick(sizeof dims / sizeof dims[0])]};
  size_t dim = (size_t)r.dim, most = MOST_CELLS / dim < MOST_N ? MOST_CELLS / dim : MOST_N;
  r.n = 1 + (size_t)pow((double)most, 0.3 + 0.7 * uniform());
  r.vectors = malloc(r.n * dim * sizeof *r.vectors);
  r.centres = malloc(CENTRES * dim * sizeof *r.centres);
  r.expires = calloc(r.n, sizeof *r.expires);
  r.present = calloc(r.n, 1);
  r.hidden = calloc(r.n, 1);
  r.all = malloc((r.n + 1) * sizeof *r.all);
  float *query = malloc(dim * sizeof *query);
  for (size_t i = 0; i < CENTRES * dim; i++) {
    r.centres[i] = normal();
  }
  kernels_force(pick(4) ? vec_cpu() : VEC_SCALAR);
  vec_index_new(r.dim, &r.index);
  for (size_t slot = 0, at = pick(r.n); slot < r.n; slot++) {
    put(&r, slot);
    if (slot == at) {
      settle(&r);
    }
  }
  for (int part = 0; part < 3; part++) {
    for (int q = 0; q < 6; q++) {
      check_query(&r, query);
    }
    change(&r, pick(r.n));
    if (pick(2)) {
      settle(&r);
    }
    if (pick(3) == 0) {
      reopen(&r);
    }
  }
  vec_index_free(r.index);
  free(r.vectors);
  free(r.centres);
  free(r.expires);
  free(r.present);
  free(r.hidden);
  free(r.all);
  free(query);
  rounds++;
}

int main(int argc, char **argv) {
  double seconds = argc > 1 ? strtod(argv[1], NULL) : 60;
  time_t start = time(NULL);
  state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
  while (difftime(time(NULL), start) < seconds && missing + false_hits < 50) {
    run_round();
  }
  printf("%lld checks in %lld rounds, %lld hits expected, recall %.10f, %lld missing, %lld false\n",
         checks, rounds, hits_expected,
         hits_expected ? 1 - (double)missing / (double)hits_expected : 1, missing, false_hits);
  return missing + false_hits > 0;
}
