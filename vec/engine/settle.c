/*
** Settling: when to learn a basis and to order the rows again, and doing it.
**
** A basis is learned at BASIS_FROM rows and anew whenever their number has grown fourfold, from
** vectors that the source lends in ascending order of id: first a sample for the basis, then every
** one for its code. Ordering again needs codes only. It is due when the tail has grown to an eighth
** of the tree or a quarter of the tree is tombstones, so that over n insertions the rows are moved
** about 8 log(n) times each, a microsecond or so a time.
**
** Everything is built aside and put in place at the end: a failure leaves the index as it was.
*/
#include "vec/engine/index_internal.h"

#include <stdlib.h>

enum { SAMPLE_MOST = 8192, SAMPLE_FLOATS = 8 << 20 };

static uint32_t tail_of(const VecIndex *index) {
  return index->rows.n - index->tree.rows;
}

static int learning_due(const VecIndex *index) {
  return index->live >= BASIS_FROM && index->live / 4 >= index->learned;
}

static int ordering_due(const VecIndex *index) {
  uint32_t dead = index->rows.n - index->live, tree = index->tree.rows;
  if (tree == 0) {
    return index->live >= TREE_FROM;
  }
  return tail_of(index) > (tree / 8 > TAIL_MOST ? tree / 8 : TAIL_MOST) ||
         (dead >= LEAF && dead > tree / 4);
}

static int shrinking_due(const VecIndex *index) {
  return index->tree.rows == 0 && index->rows.room > 64 && index->live < index->rows.room / 4;
}

/* --- by codes alone */

static int order_again(VecIndex *index) {
  Record *records = rows_alloc(index->live * sizeof *records);
  uint32_t n = 0;
  if (!records && index->live > 0) {
    return VEC_NOMEM;
  }
  for (uint32_t row = 0; row < index->rows.n; row++) {
    if (index->rows.expires[row] != ROW_DEAD) {
      records[n].row = row;
      if (index->basis) {
        rows_get_code(&index->rows, row, &records[n].code);
      }
      n++;
    }
  }
  int rc = tree_replace(index, records, n, index->basis && n >= TREE_FROM, index->basis);
  free(records);
  return rc;
}

/* --- with vectors */

typedef struct Place {
  int64_t id;
  uint32_t row;
} Place;

static int compare_ids(const void *a, const void *b) {
  int64_t x = ((const Place *)a)->id, y = ((const Place *)b)->id;
  return (x > y) - (x < y);
}

/* The live rows in ascending order of id. */
static int rows_by_id(const VecIndex *index, uint32_t **out) {
  Place *places = rows_alloc(index->live * sizeof *places);
  uint32_t *rows = rows_alloc(index->live * sizeof *rows), n = 0;
  int ascending = 1;
  if (!places || !rows) {
    free(places);
    free(rows);
    return VEC_NOMEM;
  }
  for (uint32_t row = 0; row < index->rows.n; row++) {
    if (index->rows.expires[row] != ROW_DEAD) {
      places[n].id = index->rows.ids[row];
      places[n].row = row;
      ascending = ascending && (n == 0 || places[n - 1].id < places[n].id);
      n++;
    }
  }
  if (!ascending) {
    qsort(places, n, sizeof *places, compare_ids);
  }
  for (uint32_t i = 0; i < n; i++) {
    rows[i] = places[i].row;
  }
  free(places);
  *out = rows;
  return VEC_OK;
}

/* The unit vector of a row as lent. *lent is 0 where the source doesn't, or it has no direction. */
static int borrow(const VecIndex *index, const VecSource *source, uint32_t row, float *unit,
                  int *lent) {
  const void *vector = NULL;
  int rc = source->vector(source->ctx, index->rows.ids[row], &vector);
  *lent = rc == VEC_OK && vector && rows_unit(index, vector, unit);
  return rc;
}

static int learn_basis(VecIndex *index, const VecSource *source, const uint32_t *rows, Basis *basis,
                       int *sound) {
  size_t most = SAMPLE_FLOATS / index->width, n = 0;
  most = most < SAMPLE_MOST ? most : SAMPLE_MOST;
  most = most < index->live ? most : index->live;
  float *sample = rows_alloc(most * index->width * sizeof *sample);
  int rc = sample ? VEC_OK : VEC_NOMEM;
  for (size_t i = 0; rc == VEC_OK && i < most; i++) {
    int lent = 0;
    uint32_t row = rows[i * index->live / most];
    rc = borrow(index, source, row, sample + n * index->width, &lent);
    n += lent != 0;
  }
  if (rc == VEC_OK) {
    rc = basis_learn(basis, sample, n, kernels_now());
    *sound = rc == VEC_OK;
    rc = rc == VEC_ERROR ? VEC_OK : rc;
  }
  free(sample);
  return rc;
}

static int code_all(VecIndex *index, const VecSource *source, const uint32_t *rows,
                    const Basis *basis, Record *records, uint32_t *n_records) {
  float *unit = rows_alloc(index->width * sizeof *unit);
  int rc = unit ? VEC_OK : VEC_NOMEM;
  uint32_t n = 0;
  for (uint32_t i = 0; rc == VEC_OK && i < index->live; i++) {
    int lent = 0;
    rc = borrow(index, source, rows[i], unit, &lent);
    if (lent) {
      basis_code(basis, unit, kernels_now(), &records[n].code);
      records[n++].row = rows[i];
    }
  }
  free(unit);
  *n_records = n;
  return rc;
}

/* Where no sound basis comes out (a source that lends next to nothing), the index stays as it is
** and learning is due again at four times the rows. */
static int learn(VecIndex *index, const VecSource *source) {
  uint32_t *rows = NULL, n = 0;
  Record *records = rows_alloc(index->live * sizeof *records);
  Basis *basis = basis_new(index->dim);
  int rc = records && basis ? rows_by_id(index, &rows) : VEC_NOMEM;
  int sound = 0;
  if (rc == VEC_OK) {
    rc = learn_basis(index, source, rows, basis, &sound);
  }
  if (rc == VEC_OK && sound) {
    rc = code_all(index, source, rows, basis, records, &n);
  }
  if (rc == VEC_OK && sound) {
    rc = tree_replace(index, records, n, n >= TREE_FROM, basis);
    basis = rc == VEC_OK ? NULL : basis;
  } else if (rc == VEC_OK) {
    index->learned = index->live;
  }
  free(basis);
  free(rows);
  free(records);
  return rc;
}

int vec_index_settle(VecIndex *index, const VecSource *source) {
  int rc = VEC_OK;
  if (learning_due(index)) {
    rc = learn(index, source);
  }
  if (rc == VEC_OK && ((index->basis && ordering_due(index)) || shrinking_due(index))) {
    rc = order_again(index);
  }
  return rc;
}
