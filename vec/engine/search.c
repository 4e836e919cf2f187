/*
** The search: codes reject almost everything, bytes most of the rest, and what is left is decided
** in double on the vector that the source lends.
**
** `bound` is the cosine that a hit must have: the threshold, and once k hits are held, that of the
** worst of them if greater. A row is left out only if its cosine, computed as cosine_f32 does, is
** certainly less than the bound; rows that equal it are looked at, because a higher id wins a tie.
** Expiry is looked at before a row can count, and a row that is not lent changes nothing.
**
** Lending is what costs most: a row of a database is read. A row whose bytes allow the bound, but that is probably below it
** (the middle of what its bytes allow is), waits with a few others: by the time they are many, or the search ends, the bound
** has risen above most of them. Of the first leaves all wait, until the best of them can be asked for first.
**
** Slack of the cosine. cosine_f32 adds n exact products in double: it is off by less than 3 (n + 3)
** 2^-53, 6e-12 for 16,384 dimensions. So a computed cosine >= bound means a true one >= bound -
** COSINE_ERROR, and |u - v|^2 = 2 - 2 cos <= 2 - 2 bound + 2 COSINE_ERROR. That gives the radius,
** and the codes of such a row are no further apart than radius / step and both errors (see
** basis.c). The square of that, rounded up by 1e-9, is the limit given to the integer kernels.
**
** Slack of the bytes. With u = the query, u' its 16-bit version s q, v = the row, v' its bytes,
** e = |u - u'|, f = |v - v'|:   u.v <= u'.v' + |u'| f + e |v| <= u'.v' + (1 + e) f + e
** where e and f include BASIS_UNIT_ERROR for u and v not being exactly the vectors meant, and f's
** share of |v| its own part of that. u'.v' is an exact integer times two scales.
** |q| stays so small that the integer can't overflow: |q[i]| <= 2^31 / (128 width), at most 8,191.
*/
#include "base/check.h"
#include "vec/engine/kernels/cosine.h"
#include "vec/engine/index_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COSINE_ERROR 1e-11

enum {
  FIRST_LEAVES = 16, /* at least so many are taken in the order of their distance, */
  MOST_FIRST = 64,   /* at most so many */
  AHEAD = 6,         /* leaves fetched into the cache before they're needed */
  PENDING = 8,       /* rows fetched so */
  WAITING = 128,     /* rows that wait, at most */
  CACHE_LINE = 64
};

/* A row that may be a hit: the cosine that its bytes say, and the most that they allow. */
typedef struct Maybe {
  double cosine, most;
  uint32_t row;
} Maybe;

typedef struct Search {
  const VecIndex *index;
  const VecKernels *kernels;
  const VecSource *source;
  const void *query;
  int64_t now;
  double threshold, bound; /* see above */
  double radius;           /* of the bound, in steps */
  VecHit *hits;            /* a heap, the worst on top */
  int k, n_hits;
  int quantised; /* whether `wide` … `error` are made: not before they're needed */
  float *unit;   /* width floats */
  int16_t *wide; /* width of them: the query for `dots` */
  double scale, error;
  uint32_t pending[PENDING]; /* rows to check, on their way into the cache */
  int n_pending;
  Maybe waiting[WAITING];
  int n_waiting;
  int waits; /* 1: no row is decided on before it has waited, however good it looks */
  Code code;
  uint8_t spread[KERNEL_QUERY_BYTES]; /* the query for `scan` and `boxes` */
  VecWork work;
} Search;

/* --- hits */

static int worse(const VecHit *a, const VecHit *b) {
  return a->cosine < b->cosine || (a->cosine == b->cosine && a->id < b->id);
}

/* Lets the hit at `at` sink to its place in the heap. */
static void sink(VecHit *hits, int n, int at) {
  VecHit hit = hits[at];
  for (int child = 2 * at + 1; child < n; child = 2 * at + 1) {
    if (child + 1 < n && worse(&hits[child + 1], &hits[child])) {
      child++;
    }
    if (!worse(&hits[child], &hit)) {
      break;
    }
    hits[at] = hits[child];
    at = child;
  }
  hits[at] = hit;
}

static void rise(VecHit *hits, int at) {
  VecHit hit = hits[at];
  while (at > 0 && worse(&hit, &hits[(at - 1) / 2])) {
    hits[at] = hits[(at - 1) / 2];
    at = (at - 1) / 2;
  }
  hits[at] = hit;
}

/* No hit is better than the one above it. */
static int is_heap(const VecHit *hits, int n) {
  int i = 1;
  while (i < n && !worse(&hits[i], &hits[(i - 1) / 2])) {
    i++;
  }
  return i >= n;
}

/* The heap becomes a list, the best first. */
static void sort_hits(VecHit *hits, int n) {
  for (int left = n - 1; left > 0; left--) {
    VecHit worst = hits[0];
    hits[0] = hits[left];
    hits[left] = worst;
    sink(hits, left, 0);
  }
}

static void set_bound(Search *s) {
  s->bound = s->threshold;
  if (s->n_hits == s->k && s->hits[0].cosine > s->bound) {
    s->bound = s->hits[0].cosine;
  }
  if (s->index->basis) {
    double apart2 = 2 - 2 * s->bound;
    s->radius = sqrt((apart2 > 0 ? apart2 : 0) + 2 * COSINE_ERROR) / s->index->basis->step;
  }
}

static void add_hit(Search *s, int64_t id, double cosine) {
  VecHit hit = {id, cosine};
  if (s->n_hits < s->k) {
    s->hits[s->n_hits++] = hit;
    rise(s->hits, s->n_hits - 1);
  } else if (worse(&s->hits[0], &hit)) {
    s->hits[0] = hit;
    sink(s->hits, s->n_hits, 0);
  }
  CHECK(is_heap(s->hits, s->n_hits));
  set_bound(s);
}

/* --- one row */

/* The largest magnitude, four side by side; n is a multiple of 32. */
static double largest_of(const float *x, size_t n) {
  float most[4] = {0, 0, 0, 0};
  for (size_t i = 0; i < n; i += 4) {
    for (size_t j = 0; j < 4; j++) {
      float v = fabsf(x[i + j]);
      most[j] = v > most[j] ? v : most[j];
    }
  }
  float a = most[0] > most[1] ? most[0] : most[1], b = most[2] > most[3] ? most[2] : most[3];
  return (double)(a > b ? a : b);
}

/* The query in 16-bit steps. No element is off by more than half a step (and a rounding of the
** product, far below 1e-6 of one), so the whole not by more than half a step times sqrt(dim). */
static void quantise_query(Search *s) {
  double most = floor(0x1p31 / 128 / (double)s->index->width);
  most = most < 8191 ? most : 8191;
  double largest = largest_of(s->unit, s->index->width), inverse = most / largest;
  s->scale = largest / most;
  for (size_t i = 0; i < s->index->width; i++) {
    double t = (double)s->unit[i] * inverse;
    s->wide[i] = (int16_t)(t < 0 ? t - 0.5 : t + 0.5);
  }
  s->error = 0.5 * s->scale * sqrt((double)s->index->dim) * (1 + 1e-6) + BASIS_UNIT_ERROR;
  s->quantised = 1;
}

/* What the bytes of a row say, whose product with the query is `sum`. */
static inline Maybe maybe_of(const Search *s, uint32_t row, int32_t sum) {
  Quant quant = s->index->rows.quants[row];
  double cosine = sum * (double)quant.scale * s->scale;
  double most = cosine + (1 + s->error) * (double)quant.error + s->error + COSINE_ERROR + 1e-9;
  return (Maybe){cosine, most, row};
}

/* The products of rows first … first + n - 1 with the query. */
static void dots_of(Search *s, uint32_t first, uint32_t n, int32_t *sums) {
  size_t width = s->index->width;
  if (!s->quantised) {
    quantise_query(s);
  }
  s->work.int8 += n;
  s->kernels->dots(s->index->rows.bytes + first * width, n, s->wide, width, sums);
}

/* Decides on a row that its bytes allow. */
static int decide(Search *s, uint32_t row) {
  const Rows *rows = &s->index->rows;
  const void *vector = NULL;
  double cosine = 0;
  if (rows->expires[row] <= s->now) {
    return VEC_OK;
  }
  s->work.lent++;
  int rc = s->source->vector(s->source->ctx, rows->ids[row], &vector);
  if (rc == VEC_OK && vector && cosine_f32(s->query, vector, (size_t)s->index->dim, &cosine) &&
      cosine >= s->threshold) {
    add_hit(s, rows->ids[row], cosine);
  }
  return rc;
}

/* The greatest first; few of them, and often nearly in order. */
static void sort_maybes(Maybe *list, int n) {
  for (int i = 1; i < n; i++) {
    Maybe it = list[i];
    int to = i;
    for (; to > 0 && list[to - 1].cosine < it.cosine; to--) {
      list[to] = list[to - 1];
    }
    list[to] = it;
  }
}

/* Decides on those that wait, the likeliest first. */
static int check_waiting(Search *s) {
  int rc = VEC_OK;
  sort_maybes(s->waiting, s->n_waiting);
  for (int i = 0; rc == VEC_OK && i < s->n_waiting; i++) {
    if (s->waiting[i].most >= s->bound) {
      rc = decide(s, s->waiting[i].row);
    }
  }
  s->n_waiting = 0;
  return rc;
}

/* Those that the bound has left behind go. */
static int make_room(Search *s) {
  int n = 0;
  for (int i = 0; i < s->n_waiting; i++) {
    if (s->waiting[i].most >= s->bound) {
      s->waiting[n++] = s->waiting[i];
    }
  }
  s->n_waiting = n;
  return n > WAITING - PENDING ? check_waiting(s) : VEC_OK;
}

/* Decides on a row now or later, if its bytes allow the bound. */
static int weigh(Search *s, const Maybe *m) {
  if (m->most < s->bound) {
    return VEC_OK;
  }
  if (m->cosine >= s->bound && !s->waits) {
    return decide(s, m->row);
  }
  s->waiting[s->n_waiting++] = *m;
  return s->n_waiting == WAITING ? make_room(s) : VEC_OK;
}

/* --- leaves */

/* The limit for codes whose error is `units`, the query's own being `own`. */
static unsigned limit_of(const Search *s, unsigned units, unsigned own) {
  if (units == BASIS_ERROR_MOST || own == BASIS_ERROR_MOST) {
    return KERNEL_ALL;
  }
  double far = s->radius + (units + own) * (1.0 / BASIS_ERROR_UNIT);
  double limit = far * far * (1 + 1e-9);
  return limit < KERNEL_ALL ? (unsigned)limit : KERNEL_ALL;
}

static unsigned head_limit(const Search *s, Slack slack) {
  return limit_of(s, slack.head, s->code.head_error);
}

static void fetch(const void *data, size_t n) {
  for (size_t at = 0; at < n; at += CACHE_LINE) {
    __builtin_prefetch((const char *)data + at);
  }
}

static int check_pending(Search *s) {
  Maybe list[PENDING];
  int rc = VEC_OK, n = 0;
  for (int i = 0; i < s->n_pending; i++) {
    uint32_t row = s->pending[i];
    if (s->index->rows.expires[row] > s->now) {
      int32_t sum;
      dots_of(s, row, 1, &sum);
      list[n] = maybe_of(s, row, sum);
      n += list[n].most >= s->bound;
    }
  }
  s->n_pending = 0;
  sort_maybes(list, n);
  for (int i = 0; rc == VEC_OK && i < n; i++) {
    rc = weigh(s, &list[i]);
  }
  return rc;
}

static int check_later(Search *s, uint32_t row) {
  const Rows *rows = &s->index->rows;
  size_t width = s->index->width;
  fetch(rows->bytes + row * width, width < 512 ? width : 512);
  __builtin_prefetch(&rows->quants[row]);
  __builtin_prefetch(&rows->expires[row]);
  s->pending[s->n_pending++] = row;
  return s->n_pending == PENDING ? check_pending(s) : VEC_OK;
}

static int scan_leaf(Search *s, uint32_t leaf) {
  const Rows *rows = &s->index->rows;
  Slack slack = rows->leaf_slacks[leaf];
  uint32_t left = rows->n - leaf * LEAF;
  uint32_t mask = s->kernels->scan(rows->heads + (size_t)leaf * KERNEL_HEAD_BYTES,
                                   rows->rests + (size_t)leaf * KERNEL_REST_BYTES, s->spread,
                                   head_limit(s, slack), limit_of(s, slack.all, s->code.error));
  s->work.leaves++;
  s->work.coded += left < LEAF ? left : LEAF;
  if (left < LEAF) {
    mask &= (1u << left) - 1;
  }
  for (; mask; mask &= mask - 1) {
    int rc = check_later(s, leaf * LEAF + (uint32_t)__builtin_ctz(mask));
    if (rc != VEC_OK) {
      return rc;
    }
  }
  return VEC_OK;
}

/* Without codes, every row's bytes are looked at. */
static int scan_bytes(Search *s) {
  const Rows *rows = &s->index->rows;
  int32_t sums[LEAF];
  int rc = VEC_OK;
  s->waits = 1;
  for (uint32_t first = 0; first < rows->n; first += LEAF) {
    uint32_t n = rows->n - first < LEAF ? rows->n - first : LEAF;
    dots_of(s, first, n, sums);
    for (uint32_t i = 0; rc == VEC_OK && i < n; i++) {
      Maybe m = maybe_of(s, first + i, sums[i]);
      rc = weigh(s, &m);
    }
  }
  s->waits = 0;
  return rc;
}

static int scan_tail(Search *s) {
  int rc = VEC_OK;
  const Rows *rows = &s->index->rows;
  for (uint32_t row = s->index->tree.rows; rc == VEC_OK && row < rows->n; row += LEAF) {
    rc = scan_leaf(s, row / LEAF);
  }
  return rc;
}

/* --- boxes */

/* Adds the leaves of a group whose boxes are near enough to the list. */
static uint32_t list_group(Search *s, uint32_t group, uint32_t n, unsigned limit) {
  const Tree *tree = &s->index->tree;
  uint16_t distance[KERNEL_LANES];
  uint32_t mask =
      s->kernels->boxes(tree->boxes + (size_t)group * KERNEL_BOX_BYTES, s->spread, limit, distance);
  uint32_t first = group * KERNEL_LANES, left = tree->leaves - first;
  s->work.boxes += KERNEL_LANES;
  if (left < KERNEL_LANES) {
    mask &= (1u << left) - 1;
  }
  for (; mask; mask &= mask - 1) {
    uint32_t lane = (uint32_t)__builtin_ctz(mask);
    tree->near[n++] = (Near){distance[lane], first + lane};
  }
  return n;
}

static uint32_t list_leaves(Search *s) {
  const Tree *tree = &s->index->tree;
  uint16_t distance[KERNEL_LANES];
  uint32_t n = 0;
  unsigned limit = head_limit(s, tree->slack);
  for (uint32_t first = 0; first < tree->groups; first += KERNEL_LANES) {
    uint32_t left = tree->groups - first;
    uint32_t mask =
        s->kernels->boxes(tree->group_boxes + (size_t)first / KERNEL_LANES * KERNEL_BOX_BYTES,
                          s->spread, limit, distance);
    s->work.boxes += KERNEL_LANES;
    if (left < KERNEL_LANES) {
      mask &= (1u << left) - 1;
    }
    for (; mask; mask &= mask - 1) {
      n = list_group(s, first + (uint32_t)__builtin_ctz(mask), n, limit);
    }
  }
  return n;
}

/* Moves the `count` nearest of the list to its front, in order. */
static void nearest_first(Near *near, uint32_t n, uint32_t count) {
  for (uint32_t i = 1; i < n; i++) {
    uint32_t to = i < count ? i : count;
    if (to == count && near[i].distance >= near[count - 1].distance) {
      continue;
    }
    Near it = near[i];
    if (to == count) {
      near[i] = near[--to];
    }
    for (; to > 0 && near[to - 1].distance > it.distance; to--) {
      near[to] = near[to - 1];
    }
    near[to] = it;
  }
}

/* Ends the wait of all, once there are enough to choose from or the leaves are not the nearest any more. */
static int end_wait(Search *s, uint32_t leaves) {
  enum { MOST_LEAVES = 4 };
  if (!s->waits || (s->n_waiting < 2 * s->k && leaves < MOST_LEAVES)) {
    return VEC_OK;
  }
  s->waits = 0;
  return check_waiting(s);
}

static int scan_tree(Search *s) {
  const Tree *tree = &s->index->tree;
  const Rows *rows = &s->index->rows;
  uint32_t n = list_leaves(s), first = FIRST_LEAVES + (uint32_t)s->k / 8;
  first = first < MOST_FIRST ? first : MOST_FIRST;
  nearest_first(tree->near, n, n < first ? n : first);
  s->waits = s->k > 1;
  int rc = VEC_OK;
  for (uint32_t i = 0; rc == VEC_OK && i < n; i++) {
    uint32_t leaf = tree->near[i].leaf;
    if (i + AHEAD < n) {
      fetch(rows->heads + (size_t)tree->near[i + AHEAD].leaf * KERNEL_HEAD_BYTES,
            KERNEL_HEAD_BYTES);
    }
    if (tree->near[i].distance <= head_limit(s, rows->leaf_slacks[leaf])) {
      rc = scan_leaf(s, leaf);
    }
    if (rc == VEC_OK && i < first) { /* the best leaves tighten the bound for the others */
      rc = check_pending(s);
      rc = rc == VEC_OK ? end_wait(s, i + 1) : rc;
    }
  }
  s->waits = 0;
  return rc;
}

/* --- the contract */

static void spread_code(Search *s) {
  for (size_t pair = 0; pair < KERNEL_PAIRS; pair++) {
    for (size_t lane = 0; lane < KERNEL_LANES; lane++) {
      memcpy(s->spread + pair * KERNEL_PAIR_BYTES + 2 * lane, s->code.at + 2 * pair, 2);
    }
  }
}

static int run(Search *s) {
  const VecIndex *index = s->index;
  if (index->basis) {
    basis_code(index->basis, s->unit, s->kernels, &s->code);
    spread_code(s);
  }
  set_bound(s);
  int rc = index->tree.leaves > 0 ? scan_tree(s) : VEC_OK;
  if (rc == VEC_OK) {
    rc = index->basis ? scan_tail(s) : scan_bytes(s);
  }
  rc = rc == VEC_OK ? check_pending(s) : rc;
  rc = rc == VEC_OK ? check_waiting(s) : rc;
  sort_hits(s->hits, s->n_hits);
  return rc;
}

int vec_index_nearest(VecIndex *index, const void *query, double threshold, int k, int64_t now,
                      const VecSource *source, VecHit *hits, int *n_hits, VecWork *work) {
  Search s = {.index = index,
              .kernels = kernels_now(),
              .source = source,
              .query = query,
              .threshold = threshold,
              .hits = hits,
              .k = k};
  s.now = now > INT64_MIN ? now < VEC_NEVER ? now : VEC_NEVER - 1 : INT64_MIN + 1;
  int rc = VEC_OK;
  *n_hits = 0;
  if (k > 0 && index->live > 0 && threshold <= 1) { /* false for NaN */
    s.unit = malloc(index->width * (sizeof *s.unit + sizeof *s.wide));
    s.wide = s.unit ? (int16_t *)(void *)(s.unit + index->width) : NULL;
    rc = !s.unit ? VEC_NOMEM : rows_unit(index, query, s.unit) ? run(&s) : VEC_ERROR;
    free(s.unit);
  }
  if (rc == VEC_OK) {
    *n_hits = s.n_hits;
  }
  if (work) {
    *work = s.work;
  }
  return rc;
}

int vec_index_best(VecIndex *index, const void *query, double threshold, int64_t now,
                   const VecSource *source, VecHit *hit, int *n_hits, VecWork *work) {
  return vec_index_nearest(index, query, threshold, 1, now, source, hit, n_hits, work);
}
