/*
** An index as a stream of bytes.
**
**   header     magic, version, byte order, dim, counts, basis' scalars (struct Header, no padding)
**   basis      mean and rows, float32, if there is one
**   arrays     ids, expires, quants, bytes, and with a basis slacks, heads, rests; each of
**              header.rows rows (codes: of whole leaves)
**   checksum   64 bits over everything before
**
** Boxes, the largest errors of leaves and the map are made anew from the arrays. Reading checks
** what it relies on before relying on it: sizes before they're multiplied, the checksum before the
** content, then that ids are unique, numbers finite and the basis sound. What no check can see is a
** stream whose checksum was forged along with its codes: that could hide a hit, but not crash or
** invent one, since the vectors are the source's.
**
** Arrays grow while their bytes arrive, GROWTH times as large each time, so that a header that lies about its counts runs
** into the end of the stream before it has cost much memory. (Twice as large each time, and half of the time of opening went
** into fresh pages for memory that was given back at once.)
*/
#include "vec/engine/index_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION = 1, ORDER_MARK = 0x01020304, PIECE = 1 << 20, GROWTH = 8 };

typedef struct Header {
  char magic[8];
  uint32_t version, order_mark;
  uint32_t dim, coded; /* whether there's a basis, and so codes */
  uint32_t rows, tree_rows;
  uint32_t live, learned;
  double step, centre;
} Header;

static const char magic[8] = {'L', 'L', 'M', 'C', 'V', 'E', 'C', '\n'};

/* --- checksum: four lanes of multiply and rotate over 8-byte words */

typedef struct Sum {
  uint64_t lanes[4], length;
  unsigned char rest[32]; /* bytes that don't fill the lanes yet */
  size_t n_rest;
} Sum;

static uint64_t mix(uint64_t lane, uint64_t word) {
  lane += word * 0xC2B2AE3D27D4EB4Fu;
  return ((lane << 31) | (lane >> 33)) * 0x9E3779B185EBCA87u;
}

static void sum_words(Sum *sum, const unsigned char *bytes) {
  for (size_t lane = 0; lane < 4; lane++) {
    uint64_t word;
    memcpy(&word, bytes + 8 * lane, sizeof word);
    sum->lanes[lane] = mix(sum->lanes[lane], word);
  }
}

static void sum_add(Sum *sum, const void *data, size_t n) {
  const unsigned char *bytes = data;
  sum->length += n;
  while (n > 0 && (sum->n_rest > 0 || n < sizeof sum->rest)) {
    size_t some = sizeof sum->rest - sum->n_rest;
    some = some < n ? some : n;
    memcpy(sum->rest + sum->n_rest, bytes, some);
    sum->n_rest = (sum->n_rest + some) % sizeof sum->rest;
    bytes += some;
    n -= some;
    if (sum->n_rest == 0) {
      sum_words(sum, sum->rest);
    }
  }
  for (; n >= sizeof sum->rest; n -= sizeof sum->rest, bytes += sizeof sum->rest) {
    sum_words(sum, bytes);
  }
  if (n > 0) {
    memcpy(sum->rest, bytes, n);
    sum->n_rest = n;
  }
}

static uint64_t sum_end(Sum *sum) {
  uint64_t all = sum->length;
  memset(sum->rest + sum->n_rest, 0, sizeof sum->rest - sum->n_rest);
  sum_words(sum, sum->rest);
  for (size_t lane = 0; lane < 4; lane++) {
    all = mix(all, sum->lanes[lane]);
    all ^= all >> 29;
  }
  return all;
}

uint64_t stream_checksum(const void *data, size_t n) {
  Sum sum = {{0}, 0, {0}, 0};
  sum_add(&sum, data, n);
  return sum_end(&sum);
}

/* --- writing */

typedef struct Writer {
  int (*sink)(void *ctx, const void *data, size_t n);
  void *ctx;
  Sum sum;
} Writer;

static int put(Writer *w, const void *data, size_t n) {
  if (n == 0) {
    return VEC_OK;
  }
  sum_add(&w->sum, data, n);
  return w->sink(w->ctx, data, n);
}

static int put_basis(Writer *w, const Basis *basis) {
  return put(w, basis->mean, ((size_t)basis->rank + 1) * basis->width * sizeof *basis->mean);
}

static int put_rows(Writer *w, const VecIndex *index) {
  const Rows *rows = &index->rows;
  size_t n = rows->n, leaves = (n + LEAF - 1) / LEAF;
  const struct {
    const void *data;
    size_t n;
  } arrays[] = {
      {rows->ids, n * sizeof *rows->ids},
      {rows->expires, n * sizeof *rows->expires},
      {rows->quants, n * sizeof *rows->quants},
      {rows->bytes, n * index->width},
      {rows->slacks, index->basis ? n * sizeof *rows->slacks : 0},
      {rows->heads, index->basis ? leaves * KERNEL_HEAD_BYTES : 0},
      {rows->rests, index->basis ? leaves * KERNEL_REST_BYTES : 0},
  };
  int rc = VEC_OK;
  for (size_t i = 0; rc == VEC_OK && i < sizeof arrays / sizeof arrays[0]; i++) {
    rc = put(w, arrays[i].data, arrays[i].n);
  }
  return rc;
}

int vec_index_write(const VecIndex *index, int (*sink)(void *ctx, const void *data, size_t n),
                    void *ctx) {
  Writer w = {.sink = sink, .ctx = ctx};
  Header header;
  memset(&header, 0, sizeof header);
  memcpy(header.magic, magic, sizeof magic);
  header.version = VERSION;
  header.order_mark = ORDER_MARK;
  header.dim = (uint32_t)index->dim;
  header.coded = index->basis != NULL;
  header.rows = index->rows.n;
  header.tree_rows = index->tree.rows;
  header.live = index->live;
  header.learned = index->learned;
  header.step = index->basis ? index->basis->step : 0;
  header.centre = index->basis ? index->basis->centre : 0;
  int rc = put(&w, &header, sizeof header);
  if (rc == VEC_OK && index->basis) {
    rc = put_basis(&w, index->basis);
  }
  if (rc == VEC_OK) {
    rc = put_rows(&w, index);
  }
  uint64_t sum = sum_end(&w.sum);
  return rc == VEC_OK ? sink(ctx, &sum, sizeof sum) : rc;
}

/* --- reading */

typedef struct Reader {
  int (*pull)(void *ctx, void *data, size_t n);
  void *ctx;
  Sum sum;
} Reader;

/* (In pieces that are still in the processor's cache when they are summed.) */
static int get(Reader *r, void *data, size_t n) {
  enum { CACHED = 128 << 10 };
  unsigned char *out = data;
  int rc = VEC_OK;
  for (size_t done = 0, some; rc == VEC_OK && done < n; done += some) {
    some = n - done < CACHED ? n - done : CACHED;
    rc = r->pull(r->ctx, out + done, some);
    if (rc == VEC_OK) {
      sum_add(&r->sum, out + done, some);
    }
  }
  return rc;
}

/* An array of n bytes in memory of `room`, allocated as the bytes arrive. *out is the caller's, to
** free, whatever is returned. */
static int get_array(Reader *r, void **out, size_t n, size_t room) {
  size_t have = 0, done = 0;
  while (done < n || have < room) {
    size_t next = have ? GROWTH * have : PIECE;
    next = next < room ? next : room;
    unsigned char *grown = rows_alloc(next);
    if (!grown) {
      return VEC_NOMEM;
    }
    if (done > 0) {
      memcpy(grown, *out, done);
    }
    free(*out);
    *out = grown;
    have = next;
    size_t some = (have < n ? have : n) - done;
    int rc = some > 0 ? get(r, grown + done, some) : VEC_OK;
    if (rc != VEC_OK) {
      return rc;
    }
    done += some;
  }
  return VEC_OK;
}

static int header_is_fine(const Header *h) {
  return memcmp(h->magic, magic, sizeof magic) == 0 && h->version == VERSION &&
         h->order_mark == ORDER_MARK && h->dim >= 1 && h->dim <= DIM_MOST && h->coded <= 1 &&
         h->rows <= ROWS_MOST && h->tree_rows <= h->rows && h->tree_rows % LEAF == 0 &&
         (h->coded || h->tree_rows == 0) && h->live <= h->rows && h->learned <= ROWS_MOST;
}

static int get_basis(Reader *r, const Header *h, Basis **out) {
  Basis *basis = basis_new((int)h->dim);
  *out = basis;
  if (!basis) {
    return VEC_NOMEM;
  }
  basis->step = h->step;
  basis->centre = h->centre;
  return get(r, basis->mean, ((size_t)basis->rank + 1) * basis->width * sizeof *basis->mean);
}

static int get_rows(Reader *r, const Header *h, size_t width, Rows *rows) {
  size_t n = h->rows, leaves = (n + LEAF - 1) / LEAF, room = h->coded ? leaves * LEAF : n;
  struct {
    void *data;
    size_t n, room;
  } arrays[] = {
      {NULL, n * sizeof *rows->ids, room * sizeof *rows->ids},
      {NULL, n * sizeof *rows->expires, room * sizeof *rows->expires},
      {NULL, n * sizeof *rows->quants, room * sizeof *rows->quants},
      {NULL, n * width, room * width},
      {NULL, n * sizeof *rows->slacks, room * sizeof *rows->slacks},
      {NULL, leaves * KERNEL_HEAD_BYTES, leaves * KERNEL_HEAD_BYTES},
      {NULL, leaves * KERNEL_REST_BYTES, leaves * KERNEL_REST_BYTES},
  };
  int rc = VEC_OK;
  for (size_t i = 0; rc == VEC_OK && i < (h->coded ? 7 : 4); i++) {
    rc = get_array(r, &arrays[i].data, arrays[i].n, arrays[i].room);
  }
  rows->n = h->rows;
  rows->room = (uint32_t)room;
  rows->ids = arrays[0].data;
  rows->expires = arrays[1].data;
  rows->quants = arrays[2].data;
  rows->bytes = arrays[3].data;
  rows->slacks = arrays[4].data;
  rows->heads = arrays[5].data;
  rows->rests = arrays[6].data;
  return rc;
}

static int find_leaf_slacks(Rows *rows) {
  size_t leaves = rows->room / LEAF;
  rows->leaf_slacks = rows_alloc(leaves * sizeof *rows->leaf_slacks);
  if (!rows->leaf_slacks && leaves > 0) {
    return VEC_NOMEM;
  }
  for (size_t row = 0; row < rows->n; row++) {
    Slack slack = rows->slacks[row], *leaf = &rows->leaf_slacks[row / LEAF];
    if (row % LEAF == 0) {
      *leaf = slack;
    }
    leaf->head = leaf->head > slack.head ? leaf->head : slack.head;
    leaf->all = leaf->all > slack.all ? leaf->all : slack.all;
  }
  return VEC_OK;
}

/* Finite and not negative errors, as many live rows as announced, none dead in the tail. */
static int rows_are_fine(const VecIndex *index) {
  const Rows *rows = &index->rows;
  uint32_t live = 0;
  for (uint32_t row = 0; row < rows->n; row++) {
    Quant quant = rows->quants[row];
    if (!isfinite(quant.scale) || !(quant.error >= 0 && quant.error < 1e6f)) {
      return 0;
    }
    if (rows->expires[row] != ROW_DEAD) {
      live++;
    } else if (row >= index->tree.rows) {
      return 0;
    }
  }
  return live == index->live;
}

/* How many different ids the live rows have: those that share one share a slot of the map. */
static uint32_t distinct_ids(const VecIndex *index) {
  const Rows *rows = &index->rows;
  uint32_t distinct = 0;
  for (uint32_t slot = 0; index->map && slot < index->map_room; slot++) {
    distinct += index->map[slot] != ROW_NONE;
  }
  for (uint32_t row = 0; !index->map && row < rows->n; row++) {
    distinct += rows->expires[row] != ROW_DEAD && map_find(index, rows->ids[row]) == row;
  }
  return distinct;
}

/* Makes the map, if there are enough rows for one. */
static int make_map(VecIndex *index) {
  int rc = map_reserve(index, index->live);
  return rc != VEC_OK ? rc : distinct_ids(index) == index->live ? VEC_OK : VEC_CORRUPT;
}

static int check_sum(Reader *r) {
  uint64_t stored = 0, sum = sum_end(&r->sum);
  int rc = r->pull(r->ctx, &stored, sizeof stored);
  return rc != VEC_OK ? rc : stored == sum ? VEC_OK : VEC_CORRUPT;
}

static int get_index(Reader *r, const Header *h, VecIndex *index) {
  int rc = h->coded ? get_basis(r, h, &index->basis) : VEC_OK;
  if (rc == VEC_OK) {
    rc = get_rows(r, h, index->width, &index->rows);
  }
  if (rc == VEC_OK) {
    rc = check_sum(r);
  }
  index->live = h->live;
  index->learned = h->learned;
  if (rc == VEC_OK && index->basis && !basis_is_sound(index->basis)) {
    rc = VEC_CORRUPT;
  }
  if (rc == VEC_OK && h->coded) {
    rc = find_leaf_slacks(&index->rows);
  }
  if (rc == VEC_OK) {
    rc = tree_new(&index->tree, &index->rows, h->tree_rows);
  }
  if (rc == VEC_OK) {
    rc = rows_are_fine(index) ? make_map(index) : VEC_CORRUPT;
  }
  return rc;
}

int vec_index_read(int (*pull)(void *ctx, void *data, size_t n), void *ctx, VecIndex **out) {
  Reader r = {.pull = pull, .ctx = ctx};
  Header header;
  VecIndex *index = NULL;
  *out = NULL;
  int rc = get(&r, &header, sizeof header);
  if (rc == VEC_OK && !header_is_fine(&header)) {
    rc = VEC_CORRUPT;
  }
  if (rc == VEC_OK) {
    rc = vec_index_new((int)header.dim, &index);
  }
  if (rc == VEC_OK) {
    rc = get_index(&r, &header, index);
  }
  if (rc != VEC_OK) {
    vec_index_free(index);
    return rc;
  }
  *out = index;
  return VEC_OK;
}
