/*
** An index's life and its entries. See index_internal.h for who does what else.
**
** Adding makes room first and changes something only then, so that a failure changes nothing. An
** entry that is replaced keeps its row if that is in the tail; one in the tree becomes a tombstone
** and a row of the tail.
*/
#include "base/check.h"
#include "vec/engine/index_internal.h"

#include <stdlib.h>
#include <string.h>

int vec_index_new(int dim, VecIndex **out) {
  VecIndex *index = calloc(1, sizeof *index);
  *out = index;
  if (index) {
    index->dim = dim;
    index->width = basis_width(dim);
  }
  return index ? VEC_OK : VEC_NOMEM;
}

void vec_index_free(VecIndex *index) {
  if (index) {
    rows_free(&index->rows);
    tree_free(&index->tree);
    free(index->map);
    free(index->basis);
    free(index);
  }
}

/* What holds of an index between two calls. */
static int is_sound(const VecIndex *index) {
  const Rows *rows = &index->rows;
  return rows->n <= rows->room && index->tree.rows % LEAF == 0 && index->tree.rows <= rows->n &&
         index->live <= rows->n && (index->map_room & (index->map_room - 1)) == 0 &&
         (!index->map_room || index->live < index->map_room) && (!index->tree.rows || index->basis);
}

/* Removes a live row: a tombstone in the tree; the last row takes its place in the tail. */
static void drop_row(VecIndex *index, uint32_t row) {
  Rows *rows = &index->rows;
  uint32_t last = rows->n - 1;
  Code code;
  map_drop(index, rows->ids[row]);
  index->live--;
  if (row < index->tree.rows) {
    rows->expires[row] = ROW_DEAD;
    return;
  }
  if (row != last) {
    rows_copy(rows, row, rows, last, index->width);
    if (index->basis) {
      rows_get_code(rows, last, &code);
      rows_put_code(rows, row, &code);
    }
    map_set(index, rows->ids[row], row);
  }
  rows->n--;
}

static void write_row(VecIndex *index, uint32_t row, int64_t id, int64_t expires_at,
                      const float *unit) {
  Rows *rows = &index->rows;
  rows->ids[row] = id;
  rows->expires[row] = expires_at > INT64_MIN ? expires_at : INT64_MIN + 1;
  rows_quantise(unit, index->width, rows->bytes + row * index->width, &rows->quants[row]);
  if (index->basis) {
    Code code;
    basis_code(index->basis, unit, kernels_now(), &code);
    rows_put_code(rows, row, &code);
  }
}

static int put_unit(VecIndex *index, int64_t id, const float *unit, int64_t expires_at) {
  uint32_t row = map_find(index, id);
  if (row != ROW_NONE && row >= index->tree.rows) {
    write_row(index, row, id, expires_at, unit);
    return VEC_OK;
  }
  int rc = rows_reserve(index);
  if (rc == VEC_OK) {
    rc = map_reserve(index, index->live + 1);
  }
  if (rc != VEC_OK) {
    return rc;
  }
  if (row != ROW_NONE) {
    drop_row(index, row);
  }
  row = index->rows.n;
  write_row(index, row, id, expires_at, unit);
  map_set(index, id, row);
  index->rows.n++;
  index->live++;
  CHECK(is_sound(index));
  return VEC_OK;
}

int vec_index_put(VecIndex *index, int64_t id, const void *vector, int64_t expires_at) {
  float *unit = rows_alloc(index->width * sizeof *unit);
  int rc = VEC_NOMEM;
  if (unit) {
    rc = rows_unit(index, vector, unit) ? put_unit(index, id, unit, expires_at) : VEC_ERROR;
  }
  free(unit);
  return rc;
}

int vec_index_remove(VecIndex *index, int64_t id) {
  uint32_t row = map_find(index, id);
  if (row != ROW_NONE) {
    drop_row(index, row);
  }
  CHECK(is_sound(index));
  return VEC_OK;
}

int64_t vec_index_count(const VecIndex *index) {
  return index->live;
}

size_t vec_index_bytes(const VecIndex *index) {
  size_t basis = index->basis ? sizeof(Basis) + ((size_t)index->basis->rank + 1) *
                                                    index->basis->width * sizeof(float)
                              : 0;
  return sizeof *index + basis + index->map_room * sizeof *index->map +
         rows_bytes(&index->rows, index->width) + tree_bytes(&index->tree);
}

const char *vec_index_strategy(const VecIndex *index) {
  return index->tree.leaves > 0 ? "kd" : "flat";
}

int vec_index_dim(const VecIndex *index) {
  return index->dim;
}
