/*
** What the files of the index share: its rows, and who does what with them.
**
**   rows.c    the arrays, the map from id to row, adding, moving and removing a row
**   tree.c    ordering rows into leaves with boxes
**   settle.c  when to learn a basis and to order the rows again, and doing it
**   search.c  the search
**   stream.c  writing and reading
**   index.c   the rest of the contract in index.h
**
** Rows 0 … tree.rows - 1 are ordered: leaf i is the rows 32 i … 32 i + 31, and has a box. Rows from
** there on are the tail, in no order; it begins at a whole leaf. A removed row of the tree stays,
** as a tombstone; of the tail, the last row takes its place. Without a basis there are no codes and
** no tree; with few rows there is no map either. An array that is not needed is not allocated.
*/
#ifndef LLMCOST_INDEX_INTERNAL_H
#define LLMCOST_INDEX_INTERNAL_H

#include "vec/engine/basis.h"
#include "vec/engine/index.h"
#include "vec/engine/kernels/kernels.h"

#define ROW_DEAD INT64_MIN /* expires of a tombstone and of padding; live rows have more */
#define ROW_NONE UINT32_MAX

enum {
  LEAF = KERNEL_LANES,
  BASIS_FROM = 1024, /* rows: below, 8-bit vectors alone are as fast */
  TREE_FROM = 4096,  /* rows: below, scanning all codes is as fast */
  TAIL_MOST = 4096,  /* rows, or an eighth of the tree, before it is ordered again */
  MAP_FROM = 64,     /* rows: below, ids are looked for one by one */
  DIM_MOST = 16384,
  ROWS_MOST = 0x7fffffe0
};

/* A vector rounded to bytes: within `error` of scale * bytes. */
typedef struct Quant {
  float scale, error;
} Quant;

/* The code errors of a row, or the largest of a leaf; see Code. */
typedef struct Slack {
  uint16_t head, all;
} Slack;

typedef struct Rows {
  uint32_t n, room; /* rows in use; allocated */
  int64_t *ids, *expires;
  Quant *quants;
  int8_t *bytes; /* width bytes each */
  Slack *slacks; /* from here on only with a basis; room is a multiple of LEAF then */
  Slack *leaf_slacks;
  uint8_t *heads, *rests; /* leaves of KERNEL_HEAD_BYTES, KERNEL_REST_BYTES */
} Rows;

/* A leaf that may hold a hit, and the square of its box's distance in steps. */
typedef struct Near {
  uint32_t distance, leaf;
} Near;

/* Boxes of leaves in groups of 32, and boxes of groups in groups of 32 again. */
typedef struct Tree {
  uint32_t rows, leaves, groups;
  uint8_t *boxes, *group_boxes; /* KERNEL_BOX_BYTES per group, per group of groups */
  Near *near;                   /* room for every leaf: the search's list */
  Slack slack;                  /* the largest of all */
} Tree;

struct VecIndex {
  int dim;
  size_t width;     /* dim, padded to KERNEL_FLOATS */
  uint32_t live;    /* rows that are neither tombstones nor padding */
  uint32_t learned; /* live when the basis was learned */
  uint32_t *map;    /* open addressing; map_room is a power of two, or 0 */
  uint32_t map_room;
  Basis *basis;
  Rows rows;
  Tree tree;
};

/* --- rows.c */

/* n bytes, not cleared; over a few MB on huge pages. NULL for 0 bytes, too. Freed with free(). */
void *rows_alloc(size_t n);

/* For tests: the n-th call from now and all after it fail; never, if n is 0. */
void rows_alloc_fail(int n);

/* Arrays for `room` rows of `width` bytes, with codes or without. VEC_OK or VEC_NOMEM. */
int rows_new(Rows *rows, size_t width, uint32_t room, int coded);
void rows_free(Rows *rows);
size_t rows_bytes(const Rows *rows, size_t width);

/* Makes room for one more row. VEC_OK or VEC_NOMEM, with nothing changed. */
int rows_reserve(VecIndex *index);

/* Copies row `from` of one to row `to` of another, everything but codes. */
void rows_copy(Rows *to_rows, uint32_t to, const Rows *from_rows, uint32_t from, size_t width);

void rows_put_code(Rows *rows, uint32_t row, const Code *code);
void rows_get_code(const Rows *rows, uint32_t row, Code *code);

/* A unit vector's bytes, and how far off they are. */
void rows_quantise(const float *unit, size_t width, int8_t *bytes, Quant *quant);

/* `vector` (dim float32, any alignment) made a unit vector of `width` floats. 0 where it has no
** direction. */
int rows_unit(const VecIndex *index, const void *vector, float *unit);

uint32_t map_find(const VecIndex *index, int64_t id); /* its row, or ROW_NONE */
/* Makes the map fit for `rows` entries, from the live rows, if it is not. VEC_OK or VEC_NOMEM. */
int map_reserve(VecIndex *index, uint32_t rows);
/* The entry of `id` leads to `row` from now on; room was reserved. */
void map_set(VecIndex *index, int64_t id, uint32_t row);
void map_drop(VecIndex *index, int64_t id); /* while its row still holds the id */

/* --- tree.c */

/* A row on its way to a place in a tree. */
typedef struct Record {
  Code code;
  uint32_t row;
} Record;

/* Replaces the index's rows by those of the records, in a tree if `ordered` (which reorders the
** records), and its basis by `basis` (taken; the old one is freed). VEC_OK, or VEC_NOMEM with
** nothing changed and `basis` not taken. */
int tree_replace(VecIndex *index, Record *records, uint32_t n, int ordered, Basis *basis);

/* The boxes over the first n_rows rows, a multiple of LEAF, from their codes. VEC_OK or
** VEC_NOMEM. */
int tree_new(Tree *tree, const Rows *rows, uint32_t n_rows);
void tree_free(Tree *tree);
size_t tree_bytes(const Tree *tree);

/* --- stream.c */

/* The checksum that ends a stream of n bytes before it: for tests that mutate what it guards. */
uint64_t stream_checksum(const void *data, size_t n);

#endif
