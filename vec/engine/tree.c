/*
** Ordering rows into a kd-tree's leaves, and the boxes over them.
**
** The rows are split at the median along the coordinate of the widest spread, again and again,
** until 32 are left. Nothing of the splits is kept, only the order: a leaf is 32 consecutive rows
** and has a box of the smallest and largest codes in its head; 32 leaves (1,024 rows) are a group,
** which has a box too. Splits fall on multiples of 32,768, of 1,024 and of 32 rows, so that groups,
** and groups of groups, are cells of the tree. The last leaf is padded with dead rows that repeat
** the last code.
**
** Ordering moves the codes themselves, front to back through memory, rather than an index of them:
** at a million rows that is several times faster.
*/
#include "vec/engine/index_internal.h"

#include <stdlib.h>
#include <string.h>

enum { GROUP = LEAF * KERNEL_LANES, SAMPLE = 256 };

/* --- order */

static size_t widest(const Record *records, size_t n) {
  size_t taken = n < SAMPLE ? n : SAMPLE, best = 0;
  int64_t most = -1;
  for (size_t d = 0; d < BASIS_HEAD; d++) {
    int64_t sum = 0, sum2 = 0, count = (int64_t)taken;
    for (size_t i = 0; i < taken; i++) {
      int64_t v = records[i * n / taken].code.at[d];
      sum += v;
      sum2 += v * v;
    }
    int64_t spread = sum2 * count - sum * sum;
    best = spread > most ? d : best;
    most = spread > most ? spread : most;
  }
  return best;
}

/* Moves the `left` records that are lowest along a coordinate to the front. */
static void split(Record *records, size_t n, size_t left, size_t along, Record *spare) {
  size_t counts[256] = {0}, below = 0, kept = 0, moved = 0;
  unsigned pivot = 0;
  for (size_t i = 0; i < n; i++) {
    counts[records[i].code.at[along]]++;
  }
  while (below + counts[pivot] < left) {
    below += counts[pivot++];
  }
  size_t ties = left - below;
  for (size_t i = 0; i < n; i++) {
    unsigned v = records[i].code.at[along];
    if (v < pivot || (v == pivot && ties > 0)) {
      ties -= v == pivot;
      records[kept++] = records[i];
    } else {
      spare[moved++] = records[i];
    }
  }
  memcpy(records + kept, spare, moved * sizeof *spare);
}

static void order(Record *records, size_t n, Record *spare) {
  while (n > LEAF) {
    size_t cell = n > (size_t)GROUP * KERNEL_LANES ? (size_t)GROUP * KERNEL_LANES
                  : n > GROUP                      ? GROUP
                                                   : LEAF;
    size_t cells = (n + cell - 1) / cell, left = cells / 2 * cell;
    split(records, n, left, widest(records, n), spare);
    order(records, left, spare);
    records += left;
    n -= left;
  }
}

/* --- boxes */

void tree_free(Tree *tree) {
  free(tree->boxes);
  free(tree->group_boxes);
  free(tree->near);
  memset(tree, 0, sizeof *tree);
}

static size_t groups_of(size_t n) {
  return (n + KERNEL_LANES - 1) / KERNEL_LANES;
}

size_t tree_bytes(const Tree *tree) {
  size_t boxes = (size_t)tree->groups + groups_of(tree->groups);
  return boxes * KERNEL_BOX_BYTES + tree->leaves * sizeof *tree->near;
}

/* The pair of bytes of box `at` in an array of groups: low, and KERNEL_PAIR_BYTES on, high. */
static uint8_t *box_pair(uint8_t *boxes, size_t at, size_t pair) {
  return boxes + at / KERNEL_LANES * KERNEL_BOX_BYTES + 2 * pair * KERNEL_PAIR_BYTES +
         at % KERNEL_LANES * 2;
}

static void widen(uint8_t *low, uint8_t *high, uint8_t from, uint8_t to) {
  *low = *low < from ? *low : from;
  *high = *high > to ? *high : to;
}

static void box_of_leaf(Tree *tree, const Rows *rows, size_t leaf) {
  for (size_t pair = 0; pair < KERNEL_HEAD; pair++) {
    const uint8_t *codes = rows->heads + leaf * KERNEL_HEAD_BYTES + pair * KERNEL_PAIR_BYTES;
    uint8_t *low = box_pair(tree->boxes, leaf, pair), *high = low + KERNEL_PAIR_BYTES;
    for (size_t i = 0; i < KERNEL_PAIR_BYTES; i++) {
      widen(&low[i % 2], &high[i % 2], codes[i], codes[i]);
    }
  }
}

static void box_of_group(Tree *tree, size_t group) {
  for (size_t pair = 0; pair < KERNEL_HEAD; pair++) {
    const uint8_t *lows = box_pair(tree->boxes, group * KERNEL_LANES, pair);
    const uint8_t *highs = lows + KERNEL_PAIR_BYTES;
    uint8_t *low = box_pair(tree->group_boxes, group, pair), *high = low + KERNEL_PAIR_BYTES;
    for (size_t i = 0; i < KERNEL_PAIR_BYTES; i++) {
      widen(&low[i % 2], &high[i % 2], lows[i], highs[i]);
    }
  }
}

/* Boxes that hold nothing: low above high, far from everything. */
static void clear_boxes(uint8_t *boxes, size_t groups) {
  for (size_t at = 0; at < groups * KERNEL_BOX_BYTES; at += KERNEL_PAIR_BYTES) {
    memset(boxes + at, at / KERNEL_PAIR_BYTES % 2 ? 0 : 255, KERNEL_PAIR_BYTES);
  }
}

int tree_new(Tree *tree, const Rows *rows, uint32_t n_rows) {
  memset(tree, 0, sizeof *tree);
  if (n_rows == 0) {
    return VEC_OK;
  }
  size_t leaves = n_rows / LEAF, groups = groups_of(leaves), tops = groups_of(groups);
  tree->boxes = rows_alloc(groups * KERNEL_BOX_BYTES);
  tree->group_boxes = rows_alloc(tops * KERNEL_BOX_BYTES);
  tree->near = rows_alloc(leaves * sizeof *tree->near);
  if (!tree->boxes || !tree->group_boxes || !tree->near) {
    tree_free(tree);
    return VEC_NOMEM;
  }
  tree->rows = n_rows;
  tree->leaves = (uint32_t)leaves;
  tree->groups = (uint32_t)groups;
  clear_boxes(tree->boxes, groups);
  clear_boxes(tree->group_boxes, tops);
  for (size_t leaf = 0; leaf < leaves; leaf++) {
    Slack slack = rows->leaf_slacks[leaf], *most = &tree->slack;
    box_of_leaf(tree, rows, leaf);
    most->head = most->head > slack.head ? most->head : slack.head;
    most->all = most->all > slack.all ? most->all : slack.all;
  }
  for (size_t group = 0; group < groups; group++) {
    box_of_group(tree, group);
  }
  return VEC_OK;
}

/* --- replacing the rows */

static void add_padding(Rows *rows, const Code *code, size_t width) {
  rows->ids[rows->n] = 0;
  rows->expires[rows->n] = ROW_DEAD;
  rows->quants[rows->n] = (Quant){0, 0};
  memset(rows->bytes + rows->n * width, 0, width);
  rows_put_code(rows, rows->n, code);
  rows->n++;
}

static void fill(Rows *rows, const Rows *old, const Record *records, uint32_t n, size_t width,
                 int coded) {
  for (uint32_t i = 0; i < n; i++) {
    if (i + 8 < n) {
      __builtin_prefetch(old->bytes + records[i + 8].row * width);
    }
    rows_copy(rows, i, old, records[i].row, width);
    if (coded) {
      rows_put_code(rows, i, &records[i].code);
    }
    rows->n++;
  }
}

int tree_replace(VecIndex *index, Record *records, uint32_t n, int ordered, Basis *basis) {
  VecIndex next = {.dim = index->dim, .width = index->width, .live = n, .basis = basis};
  int rc = rows_new(&next.rows, index->width, n + n / 16, basis != NULL);
  if (rc == VEC_OK && ordered) {
    Record *spare = rows_alloc(n * sizeof *spare);
    rc = spare ? VEC_OK : VEC_NOMEM;
    if (spare) {
      order(records, n, spare);
    }
    free(spare);
  }
  if (rc == VEC_OK) {
    fill(&next.rows, &index->rows, records, n, index->width, basis != NULL);
    while (ordered && next.rows.n % LEAF != 0) {
      add_padding(&next.rows, &records[n - 1].code, index->width);
    }
    rc = tree_new(&next.tree, &next.rows, ordered ? next.rows.n : 0);
  }
  rc = rc == VEC_OK ? map_reserve(&next, n) : rc;
  if (rc != VEC_OK) {
    rows_free(&next.rows);
    tree_free(&next.tree);
    return rc;
  }
  next.learned = basis == index->basis ? index->learned : n;
  if (basis != index->basis) {
    free(index->basis);
  }
  rows_free(&index->rows);
  tree_free(&index->tree);
  free(index->map);
  *index = next;
  return VEC_OK;
}
