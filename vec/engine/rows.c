/*
** The arrays of an index, and the map from id to row. See index_internal.h for the layout.
**
** The map holds rows, not ids: slot i holds a row whose id hashes to i or a slot before it with no
** gap between. Dropping closes the gap behind it, so there are no tombstones in it.
**
** Unit vectors. One whose length is off by less than UNIT_ENOUGH is taken as it is: that is less
** than half of the BASIS_UNIT_ERROR that all bounds allow for. Others are divided by their length.
**
** Quantising. Bytes are round(unit / scale) with scale = the largest magnitude / 127; error is
** |unit - scale * bytes|. Summed in float, in sums of at most width / 8 + 8 terms, its square is
** off by less than 2^-24 * 2056 = 1.3e-4 of it; the rounding of scale * bytes, where it isn't
** fused, moves the vector by 2^-24 * |scale * bytes| < 1e-7. Enlarging it by 0.001 and 0.2
** BASIS_UNIT_ERROR covers both and the rounding to float; another BASIS_UNIT_ERROR is for the
** vector itself.
*/
#include "vec/engine/index_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define UNIT_ENOUGH 4e-7

enum { HUGE_FROM = 4 << 20, HUGE_PAGE = 2 << 20, FIRST_ROOM = 8 };

static int fail_in; /* see rows_alloc_fail */

void rows_alloc_fail(int n) {
  fail_in = n;
}

void *rows_alloc(size_t n) {
  if (n == 0 || (fail_in > 0 && (fail_in == 1 || --fail_in == 0))) {
    return NULL;
  }
  if (n < HUGE_FROM) {
    return n < 1024 ? malloc(n) : aligned_alloc(64, (n + 63) & ~(size_t)63);
  }
  size_t whole = (n + HUGE_PAGE - 1) & ~(size_t)(HUGE_PAGE - 1);
  void *p = aligned_alloc(HUGE_PAGE, whole);
#ifdef MADV_HUGEPAGE
  if (p) {
    madvise(p, whole, MADV_HUGEPAGE); /* advice: it may be refused */
  }
#endif
  return p;
}

/* --- arrays */

void rows_free(Rows *rows) {
  free(rows->ids);
  free(rows->expires);
  free(rows->quants);
  free(rows->bytes);
  free(rows->slacks);
  free(rows->leaf_slacks);
  free(rows->heads);
  free(rows->rests);
  memset(rows, 0, sizeof *rows);
}

static size_t row_bytes(size_t width) {
  return sizeof(int64_t) * 2 + sizeof(Quant) + width;
}

size_t rows_bytes(const Rows *rows, size_t width) {
  size_t leaf = LEAF * sizeof(Slack) + sizeof(Slack) + KERNEL_HEAD_BYTES + KERNEL_REST_BYTES;
  return rows->room * row_bytes(width) + (rows->heads ? rows->room / LEAF * leaf : 0);
}

int rows_new(Rows *rows, size_t width, uint32_t room, int coded) {
  memset(rows, 0, sizeof *rows);
  if (coded) {
    room = (room + LEAF - 1) / LEAF * LEAF;
  }
  if (room == 0) {
    return VEC_OK;
  }
  size_t n = room, leaves = n / LEAF;
  rows->room = room;
  rows->ids = rows_alloc(n * sizeof *rows->ids);
  rows->expires = rows_alloc(n * sizeof *rows->expires);
  rows->quants = rows_alloc(n * sizeof *rows->quants);
  rows->bytes = rows_alloc(n * width);
  int fine = rows->ids && rows->expires && rows->quants && rows->bytes;
  if (coded) {
    rows->slacks = rows_alloc(n * sizeof *rows->slacks);
    rows->leaf_slacks = rows_alloc(leaves * sizeof *rows->leaf_slacks);
    rows->heads = rows_alloc(leaves * KERNEL_HEAD_BYTES);
    rows->rests = rows_alloc(leaves * KERNEL_REST_BYTES);
    fine = fine && rows->slacks && rows->leaf_slacks && rows->heads && rows->rests;
  }
  if (!fine) {
    rows_free(rows);
  }
  return fine ? VEC_OK : VEC_NOMEM;
}

static void copy(void *to, const void *from, size_t n) {
  if (n > 0) {
    memcpy(to, from, n);
  }
}

int rows_reserve(VecIndex *index) {
  Rows *old = &index->rows, grown;
  size_t n = old->n, leaves = (n + LEAF - 1) / LEAF;
  if (n < old->room) {
    return VEC_OK;
  }
  size_t room = n < FIRST_ROOM ? FIRST_ROOM : n + n / 2;
  room = room < ROWS_MOST ? room : ROWS_MOST;
  if (n >= room || rows_new(&grown, index->width, (uint32_t)room, index->basis != NULL) != VEC_OK) {
    return VEC_NOMEM;
  }
  grown.n = old->n;
  copy(grown.ids, old->ids, n * sizeof *old->ids);
  copy(grown.expires, old->expires, n * sizeof *old->expires);
  copy(grown.quants, old->quants, n * sizeof *old->quants);
  copy(grown.bytes, old->bytes, n * index->width);
  if (index->basis) {
    copy(grown.slacks, old->slacks, n * sizeof *old->slacks);
    copy(grown.leaf_slacks, old->leaf_slacks, leaves * sizeof *old->leaf_slacks);
    copy(grown.heads, old->heads, leaves * KERNEL_HEAD_BYTES);
    copy(grown.rests, old->rests, leaves * KERNEL_REST_BYTES);
  }
  rows_free(old);
  *old = grown;
  return VEC_OK;
}

void rows_copy(Rows *to_rows, uint32_t to, const Rows *from_rows, uint32_t from, size_t width) {
  to_rows->ids[to] = from_rows->ids[from];
  to_rows->expires[to] = from_rows->expires[from];
  to_rows->quants[to] = from_rows->quants[from];
  memcpy(to_rows->bytes + to * width, from_rows->bytes + from * width, width);
}

/* --- codes */

static uint8_t *code_pair(const Rows *rows, uint32_t row, size_t pair) {
  size_t leaf = row / LEAF, at = row % LEAF * 2;
  return pair < KERNEL_HEAD ? rows->heads + leaf * KERNEL_HEAD_BYTES + pair * KERNEL_PAIR_BYTES + at
                            : rows->rests + leaf * KERNEL_REST_BYTES +
                                  (pair - KERNEL_HEAD) * KERNEL_PAIR_BYTES + at;
}

void rows_put_code(Rows *rows, uint32_t row, const Code *code) {
  Slack *leaf = &rows->leaf_slacks[row / LEAF];
  Slack slack = {code->head_error, code->error};
  if (row % LEAF == 0 && row == rows->n) { /* the first row of a leaf */
    *leaf = slack;
    memset(code_pair(rows, row, 0), 0, KERNEL_HEAD_BYTES);
    memset(code_pair(rows, row, KERNEL_HEAD), 0, KERNEL_REST_BYTES);
  }
  for (size_t pair = 0; pair < KERNEL_PAIRS; pair++) {
    memcpy(code_pair(rows, row, pair), code->at + 2 * pair, 2);
  }
  rows->slacks[row] = slack;
  leaf->head = leaf->head > slack.head ? leaf->head : slack.head;
  leaf->all = leaf->all > slack.all ? leaf->all : slack.all;
}

void rows_get_code(const Rows *rows, uint32_t row, Code *code) {
  for (size_t pair = 0; pair < KERNEL_PAIRS; pair++) {
    memcpy(code->at + 2 * pair, code_pair(rows, row, pair), 2);
  }
  code->head_error = rows->slacks[row].head;
  code->error = rows->slacks[row].all;
}

/* --- vectors */

int rows_unit(const VecIndex *index, const void *vector, float *unit) {
  static const float zeros[DIM_MOST];
  size_t n = (size_t)index->dim;
  memcpy(unit, vector, n * sizeof *unit);
  memset(unit + n, 0, (index->width - n) * sizeof *unit);
  double norm = sqrt(kernels_now()->apart(unit, zeros, index->width));
  if (!(norm > 0) || !isfinite(norm)) {
    return 0;
  }
  for (size_t i = 0; fabs(norm - 1) > UNIT_ENOUGH && i < n; i++) {
    unit[i] = (float)(unit[i] / norm);
  }
  return 1;
}

void rows_quantise(const float *unit, size_t width, int8_t *bytes, Quant *quant) {
  float largest = 0;
  for (size_t i = 0; i < width; i++) {
    float x = fabsf(unit[i]);
    largest = x > largest ? x : largest;
  }
  float scale = largest / 127;
  float error2 = kernels_now()->quantise(unit, width, scale, 127 / largest, bytes);
  quant->scale = scale;
  quant->error = (float)(sqrt((double)error2) * 1.001 + 1.2 * BASIS_UNIT_ERROR);
}

/* --- map */

static uint32_t slot_of(const VecIndex *index, int64_t id) {
  uint64_t x = (uint64_t)id;
  x = (x ^ (x >> 32)) * 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 29)) * 0xBF58476D1CE4E5B9u;
  return (uint32_t)(x >> 32) & (index->map_room - 1);
}

/* The slot of an id, or the empty slot where it would go. */
static uint32_t slot_find(const VecIndex *index, int64_t id) {
  uint32_t slot = slot_of(index, id);
  while (index->map[slot] != ROW_NONE && index->rows.ids[index->map[slot]] != id) {
    slot = (slot + 1) & (index->map_room - 1);
  }
  return slot;
}

uint32_t map_find(const VecIndex *index, int64_t id) {
  if (index->map) {
    return index->map[slot_find(index, id)];
  }
  for (uint32_t row = 0; row < index->rows.n; row++) {
    if (index->rows.ids[row] == id && index->rows.expires[row] != ROW_DEAD) {
      return row;
    }
  }
  return ROW_NONE;
}

int map_reserve(VecIndex *index, uint32_t rows) {
  if (rows < MAP_FROM || (uint64_t)rows * 3 <= (uint64_t)index->map_room * 2) {
    return VEC_OK;
  }
  uint64_t room = 2 * MAP_FROM;
  while (room * 2 < (uint64_t)rows * 3) {
    room *= 2;
  }
  uint32_t *map = rows_alloc(room * sizeof *map);
  if (!map) {
    return VEC_NOMEM;
  }
  free(index->map);
  index->map = map;
  index->map_room = (uint32_t)room;
  memset(map, 0xff, room * sizeof *map);
  for (uint32_t row = 0; row < index->rows.n; row++) {
    if (index->rows.expires[row] != ROW_DEAD) {
      map[slot_find(index, index->rows.ids[row])] = row;
    }
  }
  return VEC_OK;
}

void map_set(VecIndex *index, int64_t id, uint32_t row) {
  if (index->map) {
    index->map[slot_find(index, id)] = row;
  }
}

void map_drop(VecIndex *index, int64_t id) {
  if (!index->map) {
    return;
  }
  uint32_t mask = index->map_room - 1, gap = slot_find(index, id);
  for (uint32_t slot = (gap + 1) & mask; index->map[slot] != ROW_NONE; slot = (slot + 1) & mask) {
    uint32_t home = slot_of(index, index->rows.ids[index->map[slot]]);
    if (((slot - home) & mask) >= ((slot - gap) & mask)) {
      index->map[gap] = index->map[slot];
      gap = slot;
    }
  }
  index->map[gap] = ROW_NONE;
}
