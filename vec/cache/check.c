/*
** See check.h for the contract.
**
** What can't be told: that a vector is not that of its query (it may have been given with it), and that an entry was moved
** from one partition to another.
*/
#include "vec/cache/check.h"

#include "vec/cache/match/match.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- counts and meta rows */

int check_set_entries(CacheTable *t, int64_t n, Err *err) {
  char number[32];
  sqlite3_snprintf(sizeof number, number, "%lld", (long long)n);
  return rows_set_meta(t, "entries", number, err);
}

int64_t check_count_entries(CacheTable *t, Err *err) {
  sqlite3_stmt *stmt = rows_prepare(t, "SELECT count(*) FROM @rows", err);
  int64_t n = stmt && sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
  int rc = sqlite3_finalize(stmt);
  if (rc != SQLITE_OK) {
    rows_error(t, rc, err);
  }
  return err->rc == RC_OK && check_set_entries(t, n, err) == RC_OK ? n : 0;
}

int check_write_meta(CacheTable *t, Err *err) {
  char number[32];
  int64_t seed = t->set.seed;
  if (seed == 0) {
    sqlite3_randomness(sizeof seed, &seed);
    seed &= INT64_MAX;
  }
  rows_set_meta(t, "embedder", t->embedder.name, err);
  rows_set_meta(t, "embedder_version", t->embedder.version, err);
  sqlite3_snprintf(sizeof number, number, "%d", t->embedder.dim);
  rows_set_meta(t, "dim", number, err);
  sqlite3_snprintf(sizeof number, number, "%lld", seed);
  rows_set_meta(t, "seed", number, err);
  return err->rc == RC_OK ? rows_set_meta(t, "entries", "0", err) : err->rc;
}

/* --- the integrity check */

/* The row whose vector a piece is part of: see first_piece in pieces.c. */
#define PIECE_OWNER "(SELECT 1 FROM @rows WHERE id = part >> 6 AND pieces > part & 63)"
/* What the first piece has of its row, and what it must have. */
#define PIECE_ROW                                                                                  \
  "part & 63 = 0 AND (partition, expires_at) IS NOT"                                               \
  " (SELECT partition, expires_at FROM @rows WHERE id = part >> 6)"

/* Queries that count what must not be. */
static const struct Check {
  const char *sql, *what;
  int is_of_pieces; /* x_pieces must be there; else that it is not may be what is wrong */
} checks[] = {
    {"SELECT count(*) FROM @rows WHERE partition NOT IN (SELECT id FROM @partitions)",
     "entries of no partition", 0},
    {"SELECT count(*) FROM @rows WHERE embedding IS NOT NULL AND (typeof(embedding) <> 'blob'"
     " OR length(embedding) <> 4 * (SELECT value FROM @meta WHERE name = 'dim'))",
     "vectors of a wrong length", 0},
    {"SELECT count(*) FROM @rows r WHERE pieces IS NOT NULL AND (embedding IS NOT NULL OR (pieces,"
     " 4 * (SELECT CAST(value AS INTEGER) FROM @meta WHERE name = 'dim')) IS NOT (SELECT count(*),"
     " sum(length(data)) FROM @pieces WHERE part BETWEEN r.id * 64 AND r.id * 64 + 63 AND"
     " typeof(data) = 'blob'))",
     "vectors without all of their pieces", 1},
    {"SELECT count(*) FROM @pieces WHERE NOT EXISTS " PIECE_OWNER, "pieces of no vector", 1},
    {"SELECT count(*) FROM @pieces WHERE " PIECE_ROW, "pieces that know their row wrong", 1},
    {"SELECT count(*) FROM @rows WHERE (query IS NULL) <> (text_hash IS NULL)",
     "queries without their hash", 0},
    {"SELECT count(*) FROM @snapshots WHERE length(data) > 8388608", "snapshot segments too long",
     0},
    {"SELECT count(*) FROM @labels WHERE entry NOT IN (SELECT id FROM @rows)", "labels of no entry",
     0},
    {"SELECT count(*) FROM (SELECT 1 FROM @partitions GROUP BY system_prompt, scope HAVING "
     "count(*) > 1)",
     "partitions that are there twice", 0},
    {"SELECT 4 - count(*) FROM @meta WHERE (name = 'embedder_version' AND value <> '') OR (name IN "
     "('dim', 'seed', 'entries')"
     " AND CAST(CAST(value AS INTEGER) AS TEXT) = CAST(value AS TEXT) AND CAST(value AS INTEGER) "
     ">= 0)",
     "meta rows missing or no numbers", 0},
};

/* 1 if a vector is finite and of unit length, as the engine takes it to be. */
static int is_unit(const void *vector, int dim) {
  double length = 0;
  for (int i = 0; i < dim; i++) {
    float x;
    memcpy(&x, (const char *)vector + sizeof x * (size_t)i, sizeof x);
    length += (double)x * (double)x;
  }
  return fabs(length - 1) < 1e-5;
}

/* Every vector can be read and is of unit length. */
static const char *check_vectors(CacheTable *t, Err *err) {
  sqlite3_stmt *stmt = rows_prepare(t,
                                    "SELECT id, " ROW_HAS_VECTOR " FROM @rows WHERE " ROW_HAS_VECTOR
                                    " IS NOT NULL ORDER BY id",
                                    err);
  const char *what = NULL;
  while (stmt && !what && err->rc == RC_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    Err why = {0};
    const void *vector;
    int rc = pieces_lend(t, stmt, 1, sqlite3_column_int64(stmt, 0), &vector, &why);
    if (rc == SQLITE_CORRUPT) {
      what = "a vector that can't be read";
    } else if (rc != RC_OK) {
      *err = why;
    } else if (!is_unit(vector, t->pieces.dim)) {
      what = "a vector that is not of unit length";
    }
  }
  pieces_end(t);
  sqlite3_finalize(stmt);
  return what;
}

/* Every query is found by its hash. */
static const char *check_queries(CacheTable *t, Err *err) {
  sqlite3_stmt *stmt =
      rows_prepare(t, "SELECT query, text_hash FROM @rows WHERE query IS NOT NULL", err);
  const char *what = NULL;
  while (stmt && !what && err->rc == RC_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    Err why = {0};
    int64_t hash = 0;
    const char *text = (const char *)sqlite3_column_text(stmt, 0);
    int rc = text ? rows_text_hash(t, text, (size_t)sqlite3_column_bytes(stmt, 0), &hash, &why)
                  : RC_NOMEM;
    if (rc == RC_NOMEM) {
      err_nomem(err);
    } else if (rc != RC_OK || hash != sqlite3_column_int64(stmt, 1)) {
      what = "a query that is not found by its hash";
    }
  }
  sqlite3_finalize(stmt);
  return what;
}

/* Every partition is found by its hash. */
static const char *check_partitions(CacheTable *t, Err *err) {
  sqlite3_stmt *stmt = rows_prepare(t, "SELECT system_prompt, scope, hash FROM @partitions", err);
  const char *what = NULL;
  while (stmt && !what && err->rc == RC_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    int64_t hash =
        rows_partition_hash(sqlite3_column_value(stmt, 0), sqlite3_column_value(stmt, 1), err);
    what =
        hash == sqlite3_column_int64(stmt, 2) ? NULL : "a partition that is not found by its hash";
  }
  sqlite3_finalize(stmt);
  return what;
}

/* The number of entries is what x_meta says, where somebody counts them. */
static const char *check_entries(CacheTable *t, Err *err) {
  if (!t->set.max_entries) {
    return NULL;
  }
  sqlite3_stmt *stmt =
      rows_prepare(t,
                   "SELECT (SELECT count(*) FROM @rows) ="
                   " (SELECT CAST(value AS INTEGER) FROM @meta WHERE name = 'entries')",
                   err);
  int is_right = stmt && sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_int(stmt, 0);
  sqlite3_finalize(stmt);
  return is_right ? NULL : "another number of entries than it counted";
}

static const char *check_whole(CacheTable *t, Err *err) {
  static const char *(*const looks[])(CacheTable *, Err *) = {check_vectors, check_queries,
                                                              check_partitions, check_entries};
  const char *what = NULL;
  for (size_t i = 0; i < sizeof looks / sizeof looks[0] && !what && err->rc == RC_OK; i++) {
    what = looks[i](t, err);
  }
  return what;
}

int check_run(CacheTable *t, int quick, char **report, Err *err) {
  *report = NULL;
  for (size_t i = 0; i < sizeof checks / sizeof checks[0] && !*report && err->rc == RC_OK; i++) {
    int is_possible = !checks[i].is_of_pieces || !rows_lacks_pieces(t);
    sqlite3_stmt *stmt = is_possible ? rows_prepare(t, checks[i].sql, err) : NULL;
    long long n = stmt && sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
    sqlite3_finalize(stmt);
    if (n > 0) {
      *report = sqlite3_mprintf("semantic_cache %s: %lld %s", t->name, n, checks[i].what);
    }
  }
  const char *what = err->rc == RC_OK && !*report && !quick ? check_whole(t, err) : NULL;
  if (what) {
    *report = sqlite3_mprintf("semantic_cache %s: %s", t->name, what);
  }
  return err->rc;
}

/* --- the rebuild */

static int run_sql(CacheTable *t, const char *sql, Err *err) {
  sqlite3_stmt *stmt = rows_prepare(t, sql, err);
  if (stmt && sqlite3_step(stmt) != SQLITE_DONE) {
    rows_error(t, sqlite3_errcode(t->db), err);
  }
  sqlite3_finalize(stmt);
  return err->rc;
}

/* Gives every partition its hash; of those that are there twice, the first has the entries of all. */
static int mend_partitions(CacheTable *t, Err *err) {
  run_sql(t,
          "UPDATE @rows SET partition = (SELECT min(q.id) FROM @partitions p JOIN @partitions q ON "
          "q.system_prompt IS"
          " p.system_prompt AND q.scope IS p.scope WHERE p.id = partition) WHERE partition IN "
          "(SELECT id FROM @partitions)",
          err);
  run_sql(t, "DELETE FROM @partitions WHERE id NOT IN (SELECT partition FROM @rows)", err);
  sqlite3_stmt *row = err->rc == RC_OK
                          ? rows_prepare(t, "SELECT id, system_prompt, scope FROM @partitions", err)
                          : NULL;
  sqlite3_stmt *put =
      row ? rows_prepare(t, "UPDATE @partitions SET hash = ?2 WHERE id = ?1", err) : NULL;
  while (put && err->rc == RC_OK && sqlite3_step(row) == SQLITE_ROW) {
    sqlite3_bind_int64(put, 1, sqlite3_column_int64(row, 0));
    sqlite3_bind_int64(
        put, 2,
        rows_partition_hash(sqlite3_column_value(row, 1), sqlite3_column_value(row, 2), err));
    rows_run(t, put, err);
  }
  sqlite3_finalize(row);
  sqlite3_finalize(put);
  return err->rc;
}

/* What belongs to nothing goes; what is missing of the making comes back. */
static int mend_leftovers(CacheTable *t, Err *err) {
  char seed[SEED_TEXT];
  int64_t number;
  run_sql(t, "DELETE FROM @rows WHERE partition NOT IN (SELECT id FROM @partitions)", err);
  run_sql(t, "DELETE FROM @labels WHERE entry NOT IN (SELECT id FROM @rows)", err);
  int found = rows_meta(t, "seed", seed, sizeof seed, err);
  int is_sound = found == 1 && text_integer(seed, 0, INT64_MAX, &number);
  return found < 0 || is_sound ? err->rc : check_write_meta(t, err);
}

/* A row of the rebuild, in the order of its SELECT. */
enum { OLD_ID, OLD_QUERY, OLD_PARTITION, OLD_VECTOR, OLD_HASH, OLD_EXPIRES };
typedef struct OldRow {
  sqlite3_stmt *stmt;
  int64_t id;
  const char *text; /* NULL: none */
  size_t n_text;
  int64_t hash;       /* as it must be; 0 without a text */
  const void *vector; /* from now on, in t->vector; NULL: none */
  int is_right;       /* nothing need be written */
} OldRow;

/* Takes the vector that the row has, unless that can't be read: then nobody can make it again. */
static int keep_vector(CacheTable *t, OldRow *r, Err *err) {
  Err why = {0};
  const void *own = NULL;
  int rc = pieces_lend(t, r->stmt, OLD_VECTOR, r->id, &own, &why);
  if (rc != RC_OK && rc != SQLITE_CORRUPT) {
    *err = why;
  } else if (rc == RC_OK && own && is_unit(own, t->pieces.dim)) {
    r->vector = memcpy(t->vector, own, sizeof(float) * (size_t)t->pieces.dim);
  }
  r->is_right = r->is_right && pieces_are_where(t, r->stmt, OLD_VECTOR, r->id, r->vector);
  pieces_end(t);
  return err->rc;
}

static int make_vector(CacheTable *t, OldRow *r, Err *err) {
  int rc = match_embed(t, r->text, r->n_text, err);
  r->vector = rc == RC_OK ? t->vector : NULL;
  r->is_right = 0;
  return err->rc;
}

static int read_old(CacheTable *t, OldRow *r, Err *err) {
  r->id = sqlite3_column_int64(r->stmt, OLD_ID);
  r->text = (const char *)sqlite3_column_text(r->stmt, OLD_QUERY);
  r->n_text = (size_t)sqlite3_column_bytes(r->stmt, OLD_QUERY);
  if (!r->text && sqlite3_column_type(r->stmt, OLD_QUERY) != SQLITE_NULL) {
    return err_nomem(err);
  }
  if (r->text && rows_text_hash(t, r->text, r->n_text, &r->hash, err) != RC_OK) {
    return err->rc;
  }
  r->is_right = !r->text || r->hash == sqlite3_column_int64(r->stmt, OLD_HASH);
  return r->text && t->embedder.run ? make_vector(t, r, err) : keep_vector(t, r, err);
}

static int rebuild_row(CacheTable *t, sqlite3_stmt *row, sqlite3_stmt *put, Err *err) {
  OldRow r = {.stmt = row};
  if (read_old(t, &r, err) != RC_OK || r.is_right) {
    return err->rc;
  }
  const NewVector v = {r.vector, sqlite3_column_int64(row, OLD_PARTITION),
                       sqlite3_column_type(row, OLD_EXPIRES) == SQLITE_NULL
                           ? VEC_NEVER
                           : sqlite3_column_int64(row, OLD_EXPIRES)};
  sqlite3_bind_int64(put, 1, r.id);
  pieces_bind(t, put, 2, 4, r.vector, err);
  if (r.text) {
    sqlite3_bind_int64(put, 3, r.hash);
  }
  return rows_run(t, put, err) == RC_OK && pieces_drop(t, r.id, err) == RC_OK &&
                 pieces_store(t, r.id, &v, err) == RC_OK
             ? memory_changed(t, v.partition, r.id, NULL, 0, err)
             : err->rc;
}

static int rebuild_rows(CacheTable *t, Err *err) {
  sqlite3_stmt *row = rows_prepare(t,
                                   "SELECT id, query, partition, " ROW_HAS_VECTOR
                                   ", text_hash, expires_at FROM @rows ORDER BY id",
                                   err);
  sqlite3_stmt *put = rows_prepare(
      t,
      "UPDATE @rows SET embedding = ?2, pieces = ?4, text_hash = ?3, second = NULL WHERE id = ?1",
      err);
  int rc = SQLITE_DONE;
  while (row && put && err->rc == RC_OK && (rc = sqlite3_step(row)) == SQLITE_ROW) {
    rebuild_row(t, row, put, err);
  }
  if (err->rc == RC_OK && rc != SQLITE_DONE) {
    rows_error(t, rc, err);
  }
  sqlite3_finalize(row);
  sqlite3_finalize(put);
  return err->rc;
}

/* Pieces that are left over, and what is wrong of those whose vector was kept. */
static int mend_pieces(CacheTable *t, Err *err) {
  run_sql(t, "DELETE FROM @pieces WHERE NOT EXISTS " PIECE_OWNER, err);
  return run_sql(
      t,
      "UPDATE @pieces SET partition = (SELECT partition FROM @rows WHERE id = part >> 6),"
      " expires_at = (SELECT expires_at FROM @rows WHERE id = part >> 6)"
      " WHERE " PIECE_ROW,
      err);
}

int check_rebuild(CacheTable *t, Err *err) {
  char number[16];
  if (rows_extend(t, err) != RC_OK) {
    return err->rc;
  }
  t->is_rebuilt = 1;
  t->has_settings = 0;
  t->memory.has_wrong = t->memory.has_right = -1;
  rows_forget_recent(t);
  memory_drop(t);
  run_sql(t, "DELETE FROM @snapshots", err);
  run_sql(t, "DELETE FROM @log", err);
  memory_noted(t, err);
  mend_partitions(t, err);
  mend_leftovers(t, err);
  if (rebuild_rows(t, err) == RC_OK) {
    mend_pieces(t, err);
  }
  memory_drop(t);
  check_count_entries(t, err);
  sqlite3_snprintf(sizeof number, number, "%d", t->embedder.dim);
  rows_set_meta(t, "embedder", t->embedder.name, err);
  if (err->rc == RC_OK && rows_set_meta(t, "embedder_version", t->embedder.version, err) == RC_OK) {
    rows_set_meta(t, "dim", number, err);
  }
  return err->rc;
}
