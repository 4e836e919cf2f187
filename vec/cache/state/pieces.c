/*
** Vectors in pieces: where a row would waste pages.
**
** A row with a vector of 1 to 3 KB leaves a page of 4 KB half empty, since SQLite puts whole records onto pages. So a
** vector of more than INLINE_BYTES is cut into pieces of one size, so many that pages of them are nearly full, and the
** pieces stand in x_pieces under numbers that follow from the row's id: id · PIECES_MOST + 0, 1, … A vector is read by
** one seek, those of rows in their order without seeking at all, and SQLite keeps free space, transactions and
** copies right as for any table. (Blocks of several vectors fill pages a little better; but they have places to give
** out and take back, and a read or write of one vector moves several pages.)
**
** The row's own column says what there is: NULL none, an integer that many pieces, a BLOB the vector itself. The latter
** have small vectors, rows of tables made before there were pieces until they are written again ('rebuild' does it for
** all), and rows whose id is too large to be multiplied. How many pieces a vector has depends on its dimension alone:
** a row that says another number is damaged.
*/
#include "vec/cache/state/table.h"

#include <stdlib.h>
#include <string.h>

enum {
  PAGE_BYTES = 4096,    /* SQLite's default; pages of another size are filled well enough */
  PAGE_ROOM = 4088,     /* of a leaf, without its header */
  PIECE_OVERHEAD = 12,  /* of a record, its number and its place in the page */
  PIECE_BYTES = 4000,   /* more would not fit into one page */
  WORTH_A_STEP = 20,    /* more pieces are more steps: worth it if they save more than one part in so many */
  INLINE_BYTES = 512    /* pages that hold several rows waste little: the vector is read with its row */
};
#define PIECE_IDS (INT64_MAX / PIECES_MOST / 2)

static int floats_of_piece(int dim, int n) {
  return (dim + n - 1) / n;
}

/* Bytes of pages that a vector takes in n pieces; 0: it can't be cut so. */
static long cost_of(int dim, int n) {
  int each = floats_of_piece(dim, n) * (int)sizeof(float);
  int is_possible = each <= PIECE_BYTES && (n - 1) * floats_of_piece(dim, n) < dim;
  return is_possible ? (long)PAGE_BYTES * n / (PAGE_ROOM / (each + PIECE_OVERHEAD)) : 0;
}

int pieces_of(int dim) {
  long best = 0, cost;
  if (dim * (int)sizeof(float) <= INLINE_BYTES) {
    return 0;
  }
  for (int n = 1; n <= PIECES_MOST; n++) {
    cost = cost_of(dim, n);
    best = cost && (!best || cost < best) ? cost : best;
  }
  int n = 1;
  while (!(cost = cost_of(dim, n)) || cost > best + best / WORTH_A_STEP) {
    n++;
  }
  return n;
}

/* The dimension of the table's vectors; 0 also with *err. Who only reads one needs no embedder. */
static int find_dim(CacheTable *t, Err *err) {
  char text[16];
  int64_t dim = 0;
  if (t->embedder.dim) {
    return t->embedder.dim;
  }
  if (rows_meta(t, "dim", text, sizeof text, err) >= 0 &&
      !text_integer(text, 1, MOST_DIMENSIONS, &dim)) {
    err_set(err, SQLITE_CORRUPT, ERR_CACHE,
            "the shadow tables of '%.60s' are damaged: \"%.60s_meta\" has no dim from 1 to %d;"
            " INSERT INTO \"%.60s\"(\"%.60s\") VALUES('rebuild') writes it again",
            t->name, t->name, MOST_DIMENSIONS, t->name, t->name);
  }
  return (int)dim;
}

/* What depends on the dimension, which a rebuild may change. */
static int make_ready(CacheTable *t, Err *err) {
  Pieces *p = &t->pieces;
  int dim = find_dim(t, err);
  if (err->rc != RC_OK || p->dim == dim) {
    return err->rc;
  }
  pieces_free(t);
  p->lent = malloc(sizeof(float) * (size_t)dim);
  if (!p->lent) {
    return err_nomem(err);
  }
  p->dim = dim;
  p->n = pieces_of(dim);
  p->each = p->n ? floats_of_piece(dim, p->n) : 0;
  return err->rc;
}

void pieces_free(CacheTable *t) {
  pieces_end(t);
  free(t->pieces.lent);
  t->pieces = (Pieces){0};
}

static int64_t first_piece(int64_t id) {
  return id * PIECES_MOST;
}

static int has_number(int64_t id) {
  return id >= -PIECE_IDS && id <= PIECE_IDS;
}

/* Floats of one piece; the last has what is left. */
static int floats_at(const Pieces *p, int at) {
  return at < p->n - 1 ? p->each : p->dim - p->each * at;
}

/* --- reading */

void pieces_end(CacheTable *t) {
  if (t->pieces.is_open) {
    sqlite3_reset(t->stmt[PIECES_FROM]);
    t->pieces.is_open = 0;
  }
}

/* Steps to a piece: SQLITE_ROW, SQLITE_DONE where it is not there, or an error's code. The first of a vector is often
** the next of the last one lent. */
static int step_to(CacheTable *t, sqlite3_stmt *stmt, int64_t part, int is_first) {
  int rc = t->pieces.is_open ? sqlite3_step(stmt) : SQLITE_DONE;
  if (is_first && (rc != SQLITE_ROW || sqlite3_column_int64(stmt, 0) != part)) {
    sqlite3_reset(stmt);
    sqlite3_bind_int64(stmt, 1, part);
    t->pieces.is_open = 1;
    rc = sqlite3_step(stmt);
  }
  return rc == SQLITE_ROW && sqlite3_column_int64(stmt, 0) != part ? SQLITE_DONE : rc;
}

/* Copies the piece that the statement stands on: 1, or 0 where it is none of this length. */
static int take_piece(CacheTable *t, sqlite3_stmt *stmt, int at, Err *err) {
  size_t size = sizeof(float) * (size_t)floats_at(&t->pieces, at);
  int is_sound = sqlite3_column_type(stmt, 1) == SQLITE_BLOB &&
                 (size_t)sqlite3_column_bytes(stmt, 1) == size;
  const void *bytes = is_sound ? sqlite3_column_blob(stmt, 1) : NULL;
  if (is_sound && !bytes) {
    err_nomem(err);
  } else if (bytes) {
    memcpy(t->pieces.lent + t->pieces.each * at, bytes, size);
  }
  return bytes != NULL;
}

static int put_together(CacheTable *t, int64_t id, const void **vector, Err *err) {
  sqlite3_stmt *stmt = rows_stmt(t, PIECES_FROM, err);
  for (int i = 0; stmt && i < t->pieces.n && err->rc == RC_OK; i++) {
    int rc = step_to(t, stmt, first_piece(id) + i, i == 0);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
      rows_error(t, rc, err);
    } else if ((rc == SQLITE_DONE || !take_piece(t, stmt, i, err)) && err->rc == RC_OK) {
      rows_bad_vector(t, id, err);
    }
  }
  *vector = err->rc == RC_OK ? t->pieces.lent : NULL;
  return err->rc;
}

int pieces_lend(CacheTable *t, sqlite3_stmt *row, int column, int64_t id, const void **vector,
                Err *err) {
  int type = sqlite3_column_type(row, column);
  *vector = NULL;
  if (type == SQLITE_NULL || make_ready(t, err) != RC_OK) {
    return err->rc;
  }
  if (type == SQLITE_INTEGER && t->pieces.n > 0 && has_number(id) && !rows_lacks_pieces(t) &&
      sqlite3_column_int64(row, column) == t->pieces.n) {
    return put_together(t, id, vector, err);
  }
  if (type != SQLITE_BLOB || sqlite3_column_bytes(row, column) != (int)sizeof(float) * t->pieces.dim) {
    return rows_bad_vector(t, id, err);
  }
  *vector = sqlite3_column_blob(row, column);
  return *vector ? err->rc : err_nomem(err);
}

/* --- writing */

static int bind_vector(CacheTable *t, sqlite3_stmt *stmt, int at, const void *vector, Err *err) {
  int rc = sqlite3_bind_blob64(stmt, at, vector, sizeof(float) * (size_t)t->pieces.dim,
                               SQLITE_STATIC);
  return rc == SQLITE_OK ? err->rc : rows_error(t, rc, err);
}

int pieces_bind(CacheTable *t, sqlite3_stmt *row, int at, const void *vector, Err *err) {
  if (!vector || make_ready(t, err) != RC_OK) {
    return err->rc;
  }
  if (t->pieces.n == 0) {
    return bind_vector(t, row, at, vector, err);
  }
  sqlite3_bind_int(row, at, t->pieces.n);
  return err->rc;
}

/* Takes the number of pieces back: the row has the vector itself. */
static int store_in_row(CacheTable *t, int64_t id, const void *vector, Err *err) {
  sqlite3_stmt *stmt = rows_stmt(t, ROW_SET_VECTOR, err);
  if (stmt) {
    sqlite3_bind_int64(stmt, 1, id);
    bind_vector(t, stmt, 2, vector, err);
    rows_run(t, stmt, err);
  }
  return err->rc;
}

int pieces_store(CacheTable *t, int64_t id, const void *vector, Err *err) {
  if (!vector || make_ready(t, err) != RC_OK || t->pieces.n == 0) {
    return err->rc;
  }
  if (!has_number(id)) {
    return store_in_row(t, id, vector, err);
  }
  sqlite3_stmt *stmt = rows_stmt(t, PIECE_PUT, err);
  for (int i = 0; stmt && i < t->pieces.n && err->rc == RC_OK; i++) {
    sqlite3_bind_int64(stmt, 1, first_piece(id) + i);
    sqlite3_bind_blob(stmt, 2, (const float *)vector + t->pieces.each * i,
                      (int)sizeof(float) * floats_at(&t->pieces, i), SQLITE_STATIC);
    rows_run(t, stmt, err);
  }
  return err->rc;
}

int pieces_drop(CacheTable *t, int64_t id, Err *err) {
  sqlite3_stmt *stmt =
      has_number(id) && !rows_lacks_pieces(t) ? rows_stmt(t, PIECES_DROP, err) : NULL;
  if (stmt) {
    sqlite3_bind_int64(stmt, 1, first_piece(id));
    sqlite3_bind_int64(stmt, 2, first_piece(id) + PIECES_MOST - 1);
    rows_run(t, stmt, err);
  }
  return err->rc;
}

int pieces_are_where(CacheTable *t, sqlite3_stmt *row, int column, int64_t id,
                     const void *vector) {
  int type = sqlite3_column_type(row, column);
  return !vector ? type == SQLITE_NULL
                 : type == (t->pieces.n && has_number(id) ? SQLITE_INTEGER : SQLITE_BLOB);
}
