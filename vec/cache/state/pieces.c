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
** A row says in x_rows.pieces how many there are; x_rows.embedding has vectors that are in none: small ones, those of
** tables made before there were pieces until they are written again ('rebuild' does it for all), and of rows whose id is
** too large to be multiplied. How many pieces a vector has depends on its dimension alone: a row that says another number
** is damaged. Older versions refuse a table with that column: they would leave pieces behind.
**
** The first piece also has its row's partition and time of expiry, as an index would, since a lookup and the loading of a
** partition need no more of the row: so they read one page for an entry, and not one of each table.
*/
#include "vec/cache/state/table.h"

#include <stdlib.h>
#include <string.h>

enum {
  PAGE_BYTES = 4096,   /* SQLite's default; pages of another size are filled well enough */
  PAGE_ROOM = 4088,    /* of a leaf, without its header */
  PIECE_OVERHEAD = 12, /* of a record, its number and its place in the page */
  PIECE_BYTES = 4000,  /* more would not fit into one page */
  WORTH_A_STEP =
      20, /* more pieces are more steps: worth it if they save more than one part in so many */
  INLINE_BYTES =
      512 /* pages that hold several rows waste little: the vector is read with its row */
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

/* (The statements of rows.c and check.c say it in SQL.) */
_Static_assert(PIECES_MOST == 1 << 6, "x_pieces.part is shifted by 6 in SQL");

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

/* Columns of the statements that read pieces; the last one's only those of a partition have. */
enum { PIECE_NUMBER, PIECE_DATA, PIECE_PARTITION, PIECE_EXPIRES, PIECE_ID };

/* Steps to a piece: 1, or 0 where it is not there. The first of a vector is often the next of the last one lent. */
static int step_to(CacheTable *t, sqlite3_stmt *stmt, int64_t part, int is_first, Err *err) {
  int rc = t->pieces.is_open ? sqlite3_step(stmt) : SQLITE_DONE;
  if (is_first && (rc != SQLITE_ROW || sqlite3_column_int64(stmt, PIECE_NUMBER) != part)) {
    sqlite3_reset(stmt);
    sqlite3_bind_int64(stmt, 1, part);
    t->pieces.is_open = 1;
    rc = sqlite3_step(stmt);
  }
  if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
    rows_error(t, rc, err);
  }
  return rc == SQLITE_ROW && sqlite3_column_int64(stmt, PIECE_NUMBER) == part;
}

/* Copies the piece that the statement stands on: 1, or 0 where it is none of this length. */
static int take_piece(CacheTable *t, sqlite3_stmt *stmt, int at, Err *err) {
  size_t size = sizeof(float) * (size_t)floats_at(&t->pieces, at);
  int is_sound = sqlite3_column_type(stmt, PIECE_DATA) == SQLITE_BLOB &&
                 (size_t)sqlite3_column_bytes(stmt, PIECE_DATA) == size;
  const void *bytes = is_sound ? sqlite3_column_blob(stmt, PIECE_DATA) : NULL;
  if (is_sound && !bytes) {
    err_nomem(err);
  } else if (bytes) {
    memcpy(t->pieces.lent + t->pieces.each * at, bytes, size);
  }
  return bytes != NULL;
}

static void note_row(Pieces *p, sqlite3_stmt *stmt) {
  p->partition = sqlite3_column_int64(stmt, PIECE_PARTITION);
  p->expires_at = sqlite3_column_type(stmt, PIECE_EXPIRES) == SQLITE_NULL
                      ? VEC_NEVER
                      : sqlite3_column_int64(stmt, PIECE_EXPIRES);
}

int pieces_find(CacheTable *t, int64_t id, const void **vector, Err *err) {
  int n = 0, is_there = 1;
  *vector = NULL;
  if (!pieces_are_used(t, err) || !has_number(id)) {
    return err->rc;
  }
  sqlite3_stmt *stmt = rows_stmt(t, PIECES_FROM, err);
  while (stmt && is_there && n < t->pieces.n) {
    is_there = step_to(t, stmt, first_piece(id) + n, n == 0, err);
    if (is_there && n == 0) {
      note_row(&t->pieces, stmt);
    }
    n += is_there;
    is_there = is_there && take_piece(t, stmt, n - 1, err);
  }
  if (err->rc != RC_OK || n == 0) {
    return err->rc;
  }
  *vector = is_there ? t->pieces.lent : NULL;
  return is_there ? RC_OK : rows_bad_vector(t, id, err);
}

/* The piece that the statement stands on, if it is one of this row: 1 or 0. They come in any order, since SQLite may be told
** to (PRAGMA reverse_unordered_selects). */
static int gather_piece(CacheTable *t, sqlite3_stmt *stmt, int64_t id, Err *err) {
  int64_t at = sqlite3_column_int64(stmt, PIECE_NUMBER) - first_piece(id);
  if (at < 0 || at >= t->pieces.n || sqlite3_column_int64(stmt, PIECE_ID) != id) {
    return 0;
  }
  if (at == 0) {
    note_row(&t->pieces, stmt);
  }
  return take_piece(t, stmt, (int)at, err);
}

int pieces_gather(CacheTable *t, sqlite3_stmt *stmt, int64_t *id, const void **vector, Err *err) {
  int n = 0, rc = SQLITE_ROW;
  *id = sqlite3_column_int64(stmt, PIECE_ID);
  *vector = NULL;
  if (sqlite3_column_type(stmt, PIECE_NUMBER) == SQLITE_NULL) {
    return err->rc;
  }
  while (rc == SQLITE_ROW && gather_piece(t, stmt, *id, err) && ++n < t->pieces.n) {
    rc = sqlite3_step(stmt);
  }
  if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
    rows_error(t, rc, err);
  }
  *vector = n == t->pieces.n ? t->pieces.lent : NULL;
  return err->rc == RC_OK && !*vector ? rows_bad_vector(t, *id, err) : err->rc;
}

int pieces_are_used(CacheTable *t, Err *err) {
  return make_ready(t, err) == RC_OK && t->pieces.n > 0 && !rows_lacks_pieces(t);
}

int pieces_lend(CacheTable *t, sqlite3_stmt *row, int column, int64_t id, const void **vector,
                Err *err) {
  int type = sqlite3_column_type(row, column);
  *vector = NULL;
  if (type == SQLITE_NULL || make_ready(t, err) != RC_OK) {
    return err->rc;
  }
  if (type == SQLITE_INTEGER && sqlite3_column_int64(row, column) == t->pieces.n) {
    pieces_find(t, id, vector, err);
    return err->rc == RC_OK && !*vector ? rows_bad_vector(t, id, err) : err->rc;
  }
  if (type != SQLITE_BLOB ||
      sqlite3_column_bytes(row, column) != (int)sizeof(float) * t->pieces.dim) {
    return rows_bad_vector(t, id, err);
  }
  *vector = sqlite3_column_blob(row, column);
  return *vector ? err->rc : err_nomem(err);
}

/* --- writing */

static int bind_vector(CacheTable *t, sqlite3_stmt *stmt, int at, const void *vector, Err *err) {
  int rc =
      sqlite3_bind_blob64(stmt, at, vector, sizeof(float) * (size_t)t->pieces.dim, SQLITE_STATIC);
  return rc == SQLITE_OK ? err->rc : rows_error(t, rc, err);
}

int pieces_bind(CacheTable *t, sqlite3_stmt *row, int embedding, int pieces, const void *vector,
                Err *err) {
  if (!vector || make_ready(t, err) != RC_OK) {
    return err->rc;
  }
  if (t->pieces.n == 0) {
    return bind_vector(t, row, embedding, vector, err);
  }
  sqlite3_bind_int(row, pieces, t->pieces.n);
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

static int put_piece(CacheTable *t, int64_t id, const NewVector *v, int at, Err *err) {
  const float *from = (const float *)v->vector + t->pieces.each * at;
  int size = (int)sizeof *from * floats_at(&t->pieces, at);
  sqlite3_stmt *stmt = rows_stmt(t, PIECE_PUT, err);
  if (!stmt) {
    return err->rc;
  }
  sqlite3_bind_int64(stmt, 1, first_piece(id) + at);
  sqlite3_bind_blob(stmt, 2, from, size, SQLITE_STATIC);
  if (at == 0) {
    sqlite3_bind_int64(stmt, 3, v->partition);
  }
  if (at == 0 && v->expires_at != VEC_NEVER) {
    sqlite3_bind_int64(stmt, 4, v->expires_at);
  }
  return rows_run(t, stmt, err);
}

int pieces_store(CacheTable *t, int64_t id, const NewVector *v, Err *err) {
  if (!v->vector || make_ready(t, err) != RC_OK || t->pieces.n == 0) {
    return err->rc;
  }
  if (!has_number(id)) {
    return store_in_row(t, id, v->vector, err);
  }
  for (int i = 0; i < t->pieces.n && err->rc == RC_OK; i++) {
    put_piece(t, id, v, i, err);
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

int pieces_are_where(CacheTable *t, sqlite3_stmt *row, int column, int64_t id, const void *vector) {
  int type = sqlite3_column_type(row, column);
  return !vector ? type == SQLITE_NULL
                 : type == (t->pieces.n && has_number(id) ? SQLITE_INTEGER : SQLITE_BLOB);
}
