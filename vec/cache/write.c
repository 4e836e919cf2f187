/*
** Writing to a semantic_cache: INSERT, UPDATE, DELETE, eviction, commands, the integrity check.
**
** Eviction: at max_entries, what has expired goes first, then the least value per byte. The value of
** an entry is what serving it has saved and may save again, (hits + 1) · cost, halved for every
** HALF_LIFE since it was last of use (Greedy-Dual-Size-Frequency, Cherkasova 1998, with decay for
** its clock). One in EVICT_SHARE goes at a time, so that finding them costs little per insert.
*/
#include "vec/cache/write.h"
#include "vec/cache/check.h"
#include "vec/cache/match/match.h"
#include "vec/cache/match/pending.h"
#include "vec/cache/match/learn.h"

#include "vec/engine/kernels/cosine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EVICT_SHARE = 20, PREPARED_PER_TRANSACTION = 100, EXPIRE_EVERY = 64 };
#define HALF_LIFE_MS (7 * 86400000.0)

/* An entry to be written. Values are the caller's. */
typedef struct NewEntry {
  sqlite3_value **columns; /* as xUpdate has them */
  int64_t id, partition, now, made_at;
  int64_t asker;      /* who it was answered for; 0: nobody said */
  int keeps_times;    /* an UPDATE that leaves them as they are */
  int has_id;         /* 0: the row gets the next */
  const void *vector; /* NULL: none */
  int64_t expires_at; /* VEC_NEVER: never */
  const char *query;  /* its text; NULL: none */
  size_t n_query;
  int64_t text_hash; /* of the query */
} NewEntry;

static sqlite3_value *column(const NewEntry *e, CacheColumn c) {
  return e->columns[c];
}

/* --- deleting */

static int add_entries(CacheTable *t, int n, Err *err) {
  sqlite3_stmt *stmt = t->set.max_entries ? rows_stmt(t, META_ADD, err) : NULL;
  if (stmt) {
    rows_bind_text(t, stmt, 1, "entries", 7, err);
    sqlite3_bind_int(stmt, 2, n);
    rows_run(t, stmt, err);
  }
  return err->rc;
}

/* The partition of a row; 0 where there is no such row. */
static int64_t partition_of(CacheTable *t, int64_t id, Err *err) {
  sqlite3_stmt *stmt = rows_stmt(t, ROW_KEY, err);
  int64_t partition = 0;
  if (stmt) {
    sqlite3_bind_int64(stmt, 1, id);
    partition = sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
    rows_reset(t, stmt, err);
  }
  return partition;
}

static int run_with_id(CacheTable *t, CacheSql sql, int64_t id, Err *err) {
  sqlite3_stmt *stmt = err->rc == RC_OK ? rows_stmt(t, sql, err) : NULL;
  if (stmt) {
    sqlite3_bind_int64(stmt, 1, id);
    rows_run(t, stmt, err);
  }
  return err->rc;
}

/* Takes a row out; what was learned about it goes with it unless it comes back. */
static int remove_entry(CacheTable *t, int64_t id, int keeps_labels, Err *err) {
  int64_t partition = partition_of(t, id, err);
  if (!partition || run_with_id(t, ROW_DELETE, id, err) != RC_OK) {
    return err->rc;
  }
  pending_forget_misses(t, id);
  pieces_drop(t, id, err);
  if (!keeps_labels) {
    run_with_id(t, LABEL_DROP, id, err);
  }
  if (err->rc == RC_OK && memory_changed(t, partition, id, NULL, 0, err) == RC_OK) {
    run_with_id(t, PARTITION_DROP, partition, err);
    if (err->rc == RC_OK && sqlite3_changes(t->db) == 1) {
      rows_forget_recent(t);
      run_with_id(t, SNAPSHOT_DROP, partition, err);
    }
  }
  return err->rc == RC_OK ? add_entries(t, -1, err) : err->rc;
}

static int delete_entry(CacheTable *t, int64_t id, Err *err) {
  return remove_entry(t, id, 0, err);
}

/* Deletes what a statement lists, which is run to its end first. */
static int delete_listed(CacheTable *t, sqlite3_stmt *list, Err *err) {
  int64_t *ids = NULL;
  size_t n = 0, cap = 0;
  while (err->rc == RC_OK && sqlite3_step(list) == SQLITE_ROW) {
    if (n == cap) {
      cap = cap ? cap * 2 : 64;
      int64_t *more = realloc(ids, cap * sizeof *more);
      if (!more) {
        err_nomem(err);
        break;
      }
      ids = more;
    }
    ids[n++] = sqlite3_column_int64(list, 0);
  }
  rows_reset(t, list, err);
  for (size_t i = 0; i < n && err->rc == RC_OK; i++) {
    delete_entry(t, ids[i], err);
  }
  free(ids);
  return err->rc;
}

static int delete_expired(CacheTable *t, int64_t now, Err *err) {
  sqlite3_stmt *stmt = rows_stmt(t, ROW_EXPIRED, err);
  if (!stmt) {
    return err->rc;
  }
  sqlite3_bind_int64(stmt, 1, now);
  return delete_listed(t, stmt, err);
}

/* --- eviction */

typedef struct Worth {
  double value;
  int64_t id;
} Worth;

static int by_value(const void *a, const void *b) {
  const Worth *x = a, *y = b;
  return x->value != y->value ? (x->value > y->value) - (x->value < y->value)
                              : (x->id > y->id) - (x->id < y->id);
}

/* Numbers below 0 are as good as 0. */
static double worth_of(sqlite3_stmt *row, int64_t now) {
  double hits = fmax((double)sqlite3_column_int64(row, 2), 0);
  double age = (double)now - (double)sqlite3_column_int64(row, 3);
  double cost = (double)sqlite3_column_int64(row, 4);
  double bytes = (double)sqlite3_column_int64(row, 5);
  int has_expired =
      sqlite3_column_type(row, 6) != SQLITE_NULL && sqlite3_column_int64(row, 6) <= now;
  if (has_expired) {
    return -1;
  }
  return (hits + 1) * (cost > 1 ? cost : 1) / (bytes + 64) * exp2(-fmax(age, 0) / HALF_LIFE_MS);
}

/* All entries with their worth, owned (free). */
static Worth *weigh(CacheTable *t, int64_t now, size_t *n, Err *err) {
  sqlite3_stmt *stmt = rows_stmt(t, ROW_VALUES, err);
  Worth *all = NULL;
  size_t cap = 0;
  *n = 0;
  if (stmt) {
    sqlite3_bind_int64(stmt, 1, (int64_t)sizeof(float) * t->embedder.dim);
  }
  while (stmt && err->rc == RC_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    if (*n == cap) {
      cap = cap ? cap * 2 : 1024;
      Worth *more = realloc(all, cap * sizeof *more);
      if (!more) {
        err_nomem(err);
        break;
      }
      all = more;
    }
    all[(*n)++] = (Worth){worth_of(stmt, now), sqlite3_column_int64(stmt, 0)};
  }
  if (stmt) {
    rows_reset(t, stmt, err);
  }
  return all;
}

/* 1 if it may be time to evict, as far as the counter knows. One that no table can have is counted
** anew. */
static int is_full(CacheTable *t, Err *err) {
  char text[32];
  int64_t n;
  if (!t->set.max_entries || rows_meta(t, "entries", text, sizeof text, err) < 0) {
    return 0;
  }
  if (!text_integer(text, 0, INT64_MAX / 2, &n)) {
    n = check_count_entries(t, err);
  }
  return err->rc == RC_OK && n >= t->set.max_entries;
}

/* Makes room for one more. How many go is what the rows say: the counter only says when to look. */
static int evict(CacheTable *t, int64_t now, Err *err) {
  int64_t most = t->set.max_entries;
  size_t n = 0;
  if (!is_full(t, err) || pending_flush(t, err) != RC_OK) {
    return err->rc;
  }
  Worth *all = weigh(t, now, &n, err);
  int64_t go = (int64_t)n < most ? 0 : (int64_t)n - most + 1 + most / EVICT_SHARE;
  if (err->rc == RC_OK && check_set_entries(t, (int64_t)n, err) == RC_OK && n > 0) {
    qsort(all, n, sizeof *all, by_value);
  }
  for (size_t i = 0; i < n && (int64_t)i < go && err->rc == RC_OK; i++) {
    delete_entry(t, all[i].id, err);
  }
  free(all);
  return err->rc;
}

/* --- inserting */

/* A vector that was given: its length checked, made unit length in t->vector. */
static int take_vector(CacheTable *t, sqlite3_value *v, Err *err) {
  int bytes = sqlite3_value_bytes(v), want = 4 * t->embedder.dim;
  if (sqlite3_value_type(v) != SQLITE_BLOB || bytes != want) {
    return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
                   "embedding: expected %d float32 (%d bytes), received %s%d bytes",
                   t->embedder.dim, want,
                   sqlite3_value_type(v) == SQLITE_BLOB ? "" : "no BLOB but ", bytes);
  }
  const void *given = sqlite3_value_blob(v);
  if (!given) {
    return err_nomem(err);
  }
  switch (vector_unit(given, (size_t)t->embedder.dim, t->vector)) {
  case VECTOR_NOT_FINITE:
    return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
                   "embedding: expected finite numbers, received NaN or infinity");
  case VECTOR_ZERO:
    return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
                   "embedding: expected a vector with a direction, received all zeros");
  default:
    return RC_OK;
  }
}

/* The entry's vector, in t->vector: given, or made from its query. */
static int find_vector(CacheTable *t, NewEntry *e, Err *err) {
  sqlite3_value *given = column(e, C_EMBEDDING), *query = column(e, C_QUERY);
  if (!value_is_null(given)) {
    e->vector = t->vector;
    return take_vector(t, given, err);
  }
  if (value_is_null(query)) {
    return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
                   "an entry needs a query, an embedding, or both");
  }
  if (!t->embedder.run) {
    return match_embed(t, "", 0, err); /* says that a vector must be given */
  }
  int rc = match_embed(t, e->query, e->n_query, err);
  e->vector = rc == RC_OK ? t->vector : NULL; /* a text of unknown words: exact hits only */
  return err->rc;
}

/* A query is a text, whatever it is given as. */
static int find_hash(CacheTable *t, NewEntry *e, Err *err) {
  sqlite3_value *query = column(e, C_QUERY);
  if (value_is_null(query)) {
    return RC_OK;
  }
  e->query = value_bytes(query, &e->n_query, err);
  return e->query ? rows_text_hash(t, e->query, e->n_query, &e->text_hash, err) : err->rc;
}

/* --- times */

#define TIME_LEAST                                                                                 \
  100000000000LL /* of 1973: what is less was meant as seconds, or as something else */

/* A time in Unix milliseconds; NULL stays `otherwise`. */
static int take_time(sqlite3_value *v, const char *name, int64_t otherwise, int64_t *time,
                     Err *err) {
  int type = value_is_null(v) ? SQLITE_NULL : sqlite3_value_numeric_type(v);
  *time = type == SQLITE_NULL ? otherwise : sqlite3_value_int64(v);
  if (type == SQLITE_NULL || (type == SQLITE_INTEGER && *time >= TIME_LEAST)) {
    return RC_OK;
  }
  const char *text =
      sqlite3_value_type(v) == SQLITE_BLOB ? "a BLOB" : (const char *)sqlite3_value_text(v);
  return err_set(
      err, RC_ERROR, ERR_BAD_ARGUMENT,
      "%s: expected Unix milliseconds (1700000000000 is in November 2023), received %.40s%s", name,
      text ? text : "",
      type == SQLITE_INTEGER ? " (seconds? milliseconds are 1000 times that)" : "");
}

/* 1 where a word says that the entry does not expire. */
static int is_never(sqlite3_value *v) {
  const char *text =
      sqlite3_value_type(v) == SQLITE_TEXT ? (const char *)sqlite3_value_text(v) : NULL;
  return text && sqlite3_stricmp(text, "never") == 0;
}

/* When it was made, last hit, and when it ends. What an UPDATE leaves as it is stays, whatever it is. */
static int find_times(const CacheTable *t, NewEntry *e, Err *err) {
  sqlite3_value *ends = column(e, C_EXPIRES_AT);
  int64_t latest = VEC_NEVER - 1 - t->set.ttl_ms, last;
  if (e->keeps_times) {
    e->made_at = sqlite3_value_int64(column(e, C_CREATED_AT));
    e->expires_at = value_is_null(ends) ? VEC_NEVER : sqlite3_value_int64(ends);
    return RC_OK;
  }
  if (take_time(column(e, C_CREATED_AT), "created_at", e->now, &e->made_at, err) != RC_OK ||
      take_time(column(e, C_LAST_HIT_AT), "last_hit_at", 0, &last, err) != RC_OK) {
    return err->rc;
  }
  int64_t by_ttl =
      t->set.ttl_ms ? (e->made_at < latest ? e->made_at : latest) + t->set.ttl_ms : VEC_NEVER;
  e->expires_at = VEC_NEVER;
  return is_never(ends) ? RC_OK : take_time(ends, "expires_at", by_ttl, &e->expires_at, err);
}

/* An entry this one takes the place of; 0 where there is none. */
static int64_t find_same(CacheTable *t, const NewEntry *e, Err *err) {
  sqlite3_stmt *stmt = rows_stmt(t, ROW_BY_TEXT, err);
  int64_t id = 0;
  if (!stmt) {
    return 0;
  }
  MatchQuery q = {.text = e->query, .n = e->n_query};
  sqlite3_bind_int64(stmt, 1, e->partition);
  sqlite3_bind_int64(stmt, 2, e->text_hash);
  while (!id && err->rc == RC_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    const char *text = (const char *)sqlite3_column_text(stmt, 1);
    if (text && value_is_same(column(e, C_MODEL), sqlite3_column_value(stmt, 3)) &&
        match_same_text(t, &q, text, (size_t)sqlite3_column_bytes(stmt, 1), err)) {
      id = sqlite3_column_int64(stmt, 0);
    }
  }
  return rows_reset(t, stmt, err) == RC_OK ? id : 0;
}

static int replace_same(CacheTable *t, const NewEntry *e, Err *err) {
  int64_t id = e->query ? find_same(t, e, err) : 0, last = 0;
  while (id && id != last && delete_entry(t, id, err) == RC_OK) {
    last = id;
    id = find_same(t, e, err);
  }
  return id && err->rc == RC_OK ? rows_corrupt(t, "rows: can't delete row", id, err) : err->rc;
}

static void bind_entry(CacheTable *t, const NewEntry *e, sqlite3_stmt *stmt, Err *err) {
  static const struct {
    int at;
    CacheColumn column;
  } copied[] = {{6, C_LAST_HIT_AT}, {7, C_COST_NUSD}, {11, C_RESPONSE}, {12, C_MODEL}, {13, C_TAG}};
  if (e->has_id) {
    sqlite3_bind_int64(stmt, 1, e->id);
  }
  sqlite3_bind_int64(stmt, 2, e->partition);
  if (e->expires_at != VEC_NEVER) {
    sqlite3_bind_int64(stmt, 3, e->expires_at);
  }
  sqlite3_bind_int64(stmt, 4, e->made_at);
  sqlite3_bind_int64(stmt, 5, sqlite3_value_int64(column(e, C_HITS)));
  if (e->query) {
    sqlite3_bind_int64(stmt, 8, e->text_hash);
    rows_bind_text(t, stmt, 10, e->query, e->n_query, err);
  }
  int64_t asker = value_is_null(column(e, C_USER)) ? e->asker : rows_asker(column(e, C_USER), err);
  if (asker) {
    sqlite3_bind_int64(stmt, 14, asker);
  }
  pieces_bind(t, stmt, 9, 15, e->vector, err);
  for (size_t i = 0; i < sizeof copied / sizeof copied[0]; i++) {
    rows_bind_value(t, stmt, copied[i].at, column(e, copied[i].column), err);
  }
}

/* Finds the partition, which starts in memory where it is new. */
static int find_partition(CacheTable *t, NewEntry *e, Err *err) {
  sqlite3_value *prompt = column(e, C_SYSTEM_PROMPT), *scope = column(e, C_SCOPE);
  if (rows_partition(t, prompt, scope, 0, &e->partition, err) == RC_OK && !e->partition &&
      rows_partition(t, prompt, scope, 1, &e->partition, err) == RC_OK) {
    memory_add(t, e->partition, err);
  }
  return err->rc;
}

static int put_row(CacheTable *t, NewEntry *e, Err *err) {
  sqlite3_stmt *stmt = rows_extend(t, err) == RC_OK ? rows_stmt(t, ROW_INSERT, err) : NULL;
  if (!stmt) {
    return err->rc;
  }
  bind_entry(t, e, stmt, err);
  if (rows_run(t, stmt, err) != RC_OK) {
    return err->rc;
  }
  e->id = sqlite3_last_insert_rowid(t->db);
  const NewVector vector = {e->vector, e->partition, e->expires_at};
  if (pieces_store(t, e->id, &vector, err) != RC_OK ||
      memory_changed(t, e->partition, e->id, e->vector, e->expires_at, err) != RC_OK) {
    return err->rc;
  }
  return add_entries(t, 1, err);
}

/* Confirming vectors cost milliseconds: made at once for a few, when needed for an import. */
static int prepare_second(CacheTable *t, const NewEntry *e, Err *err) {
  if (!e->query || t->memory.n_touched > PREPARED_PER_TRANSACTION) {
    return RC_OK;
  }
  return second_prepare(t, e->id, e->query, e->n_query, err);
}

/* max_false_hits given with the entry: a lookup was made with it. */
static double bound_given(const NewEntry *e) {
  sqlite3_value *v = column(e, C_MAX_FALSE);
  return value_is_null(v) ? (double)NAN : sqlite3_value_double(v);
}

/* What can be refused: done before anything is written, since an UPDATE of one row has no
** statement journal to undo it. */
static int prepare_entry(CacheTable *t, NewEntry *e, Err *err) {
  return find_times(t, e, err) == RC_OK && find_hash(t, e, err) == RC_OK ? find_vector(t, e, err)
                                                                         : err->rc;
}

static int place_entry(CacheTable *t, NewEntry *e, Err *err) {
  if (find_partition(t, e, err) != RC_OK || replace_same(t, e, err) != RC_OK ||
      evict(t, e->now, err) != RC_OK) {
    return err->rc;
  }
  /* The last of a partition may just have been deleted, and the partition with it. */
  if (find_partition(t, e, err) == RC_OK && put_row(t, e, err) == RC_OK &&
      prepare_second(t, e, err) == RC_OK && e->vector) {
    match_learn(t, e->partition, e->id, column(e, C_QUERY), column(e, C_RESPONSE), bound_given(e),
                e->now, err);
  }
  return err->rc;
}

/* --- commands */

static int command_check(CacheTable *t, Err *err) {
  char *report = NULL;
  if (check_run(t, 0, &report, err) == RC_OK && report) {
    err_set(err, SQLITE_CORRUPT, ERR_CACHE, "%.500s", report);
  }
  sqlite3_free(report);
  return err->rc;
}

/* An answer that is wrong for its own text has no use left. */
static int command_feedback(CacheTable *t, int ok, sqlite3_value *rowid, sqlite3_value *similarity,
                            int64_t now, Err *err) {
  int64_t id = sqlite3_value_int64(rowid), partition = partition_of(t, id, err);
  double cosine = value_is_null(similarity) ? (double)NAN : sqlite3_value_double(similarity);
  if (!value_is_null(similarity) &&
      (sqlite3_value_numeric_type(similarity) == SQLITE_TEXT || !(fabs(cosine) <= COSINE_MOST))) {
    return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
                   "similarity: expected a cosine, from -1 to 1, or NULL");
  }
  if (!value_is_null(rowid) && partition && !ok && cosine >= 1) {
    return delete_entry(t, id, err);
  }
  if (value_is_null(rowid) || !partition) {
    return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "'%s' needs the rowid of an entry",
                   ok ? "right" : "wrong");
  }
  return learn_feedback(t, partition, id, cosine, ok, now, err);
}

/* name=value, as an argument of CREATE; 'default' takes a change, and the argument, back. */
static int command_setting(CacheTable *t, const char *text, Err *err) {
  char name[SETTING_NAME], value[SETTING_VALUE], key[SETTING_NAME + sizeof STORED_SETTING];
  if (cache_settings_change(text, name, value, err) != RC_OK) {
    return err->rc;
  }
  sqlite3_snprintf(sizeof key, key, STORED_SETTING "%s", name);
  if (rows_set_meta(t, key, value, err) != RC_OK || memory_noted(t, err) != RC_OK) {
    return err->rc;
  }
  t->has_settings = 0;
  if (strcmp(name, "max_entries") == 0) {
    check_count_entries(t, err); /* nobody does while there is none */
  }
  return err->rc;
}

static int run_command(CacheTable *t, const char *name, sqlite3_value *rowid,
                       sqlite3_value **columns, int64_t now, Err *err) {
  int right = strcmp(name, "right") == 0;
  if (strcmp(name, "rebuild") == 0) {
    return check_rebuild(t, err);
  }
  if (strcmp(name, "flush") == 0) {
    return rows_extend(t, err) == RC_OK && pending_flush(t, err) == RC_OK ? memory_snapshot(t, err)
                                                                          : err->rc;
  }
  if (strcmp(name, "integrity-check") == 0) {
    return command_check(t, err);
  }
  if (right || strcmp(name, "wrong") == 0) {
    return command_feedback(t, right, rowid, columns[C_SIMILARITY], now, err);
  }
  if (strchr(name, '=')) {
    return command_setting(t, name, err);
  }
  return err_set(
      err, RC_ERROR, ERR_BAD_ARGUMENT,
      "unknown command '%.40s' (valid: 'rebuild', 'flush', 'integrity-check', 'trust', 'right',"
      " 'wrong', or name=value for a setting)",
      name);
}

/* --- xUpdate */

/* A rowid that is taken is a conflict, unless what is there is to be replaced. (For OR IGNORE,
** SQLite takes the error back.) */
static int take_rowid(CacheTable *t, int64_t id, Err *err) {
  if (!partition_of(t, id, err) || err->rc != RC_OK) {
    return err->rc;
  }
  return sqlite3_vtab_on_conflict(t->db) == SQLITE_REPLACE
             ? delete_entry(t, id, err)
             : err_set(err, SQLITE_CONSTRAINT, ERR_CONSTRAINT, "rowid %lld is taken",
                       (long long)id);
}

static int insert(CacheTable *t, sqlite3_value **argv, sqlite3_int64 *rowid, int64_t now,
                  Err *err) {
  NewEntry e = {.columns = argv + 2, .now = now, .has_id = !value_is_null(argv[1])};
  e.id = sqlite3_value_int64(argv[1]);
  if (prepare_entry(t, &e, err) == RC_OK && (!e.has_id || take_rowid(t, e.id, err) == RC_OK) &&
      place_entry(t, &e, err) == RC_OK) {
    *rowid = e.id;
  }
  return err->rc;
}

enum { STALE_VECTOR = 1, OTHER_TEXT = 2, OTHER_TIMES = 4 };

static int same_times(sqlite3_stmt *row, sqlite3_value *const *columns) {
  static const CacheColumn times[] = {C_CREATED_AT, C_EXPIRES_AT, C_LAST_HIT_AT};
  int i = 0;
  while (i < 3 && value_is_same(columns[times[i]], sqlite3_column_value(row, 3 + i))) {
    i++;
  }
  return i == 3;
}

/* 1 if the vector of a row (its statement has it in column 1) is this one. One that is damaged is another. */
static int has_vector(CacheTable *t, sqlite3_stmt *row, int64_t id, sqlite3_value *given,
                      Err *err) {
  size_t n = sizeof(float) * (size_t)t->embedder.dim;
  Err why = {0};
  const void *own = NULL, *bytes = NULL;
  if (value_is_null(given) || (size_t)sqlite3_value_bytes(given) != n) {
    return 0;
  }
  if (pieces_lend(t, row, 1, id, &own, &why) != RC_OK && why.rc != SQLITE_CORRUPT) {
    *err = why;
  } else if (own && !(bytes = sqlite3_value_blob(given))) {
    err_nomem(err);
  }
  int is_same = err->rc == RC_OK && bytes && memcmp(own, bytes, n) == 0;
  pieces_end(t);
  return is_same;
}

/* STALE_VECTOR: the query is new but the vector is still that of the old one; OTHER_TEXT: query or
** response is new, so what was learned holds no longer; OTHER_TIMES: a time is new. */
static int what_changed(CacheTable *t, int64_t id, sqlite3_value *const *columns, int64_t *asker,
                        Err *err) {
  sqlite3_stmt *stmt = rows_stmt(t, ROW_TEXT_VECTOR, err);
  int change = 0;
  if (!stmt) {
    return 0;
  }
  sqlite3_bind_int64(stmt, 1, id);
  if (sqlite3_step(stmt) == SQLITE_ROW) {
    int same_query = value_is_same(columns[C_QUERY], sqlite3_column_value(stmt, 0));
    int same_vector = has_vector(t, stmt, id, columns[C_EMBEDDING], err);
    int same_answer = value_is_same(columns[C_RESPONSE], sqlite3_column_value(stmt, 2));
    change = !same_query && same_vector ? STALE_VECTOR : 0;
    change |= same_query && same_answer ? 0 : OTHER_TEXT;
    change |= same_times(stmt, columns) ? 0 : OTHER_TIMES;
    *asker = sqlite3_column_int64(stmt, 6);
  }
  rows_reset(t, stmt, err);
  return change;
}

/* An UPDATE is a DELETE and an INSERT under the same rowid. The vector is made again only where the
** query changed and none was given with it. */
static int update(CacheTable *t, sqlite3_value **argv, int64_t now, Err *err) {
  NewEntry e = {.now = now, .has_id = 1};
  sqlite3_int64 old = sqlite3_value_int64(argv[0]);
  sqlite3_value *values[N_CACHE_COLUMNS];
  e.id = sqlite3_value_int64(argv[1]);
  memcpy(values, argv + 2, sizeof values);
  int change = what_changed(t, old, values, &e.asker, err);
  if (t->embedder.run && change & STALE_VECTOR) {
    values[C_EMBEDDING] = values[C_COMMAND]; /* which is NULL here */
  }
  e.columns = values;
  e.keeps_times = !(change & OTHER_TIMES);
  if (err->rc == RC_OK && prepare_entry(t, &e, err) == RC_OK &&
      (e.id == old || take_rowid(t, e.id, err) == RC_OK) &&
      remove_entry(t, old, e.id == old && !(change & OTHER_TEXT), err) == RC_OK) {
    place_entry(t, &e, err);
  }
  return err->rc;
}

/* The command of an INSERT into the table's own column; NULL where it is an entry. */
static const char *command_of(int argc, sqlite3_value **argv, Err *err) {
  size_t n;
  int is_command = argc > 1 && value_is_null(argv[0]) && !value_is_null(argv[2 + C_COMMAND]);
  const char *command = is_command ? value_bytes(argv[2 + C_COMMAND], &n, err) : NULL;
  int is_word = command && sqlite3_value_type(argv[2 + C_COMMAND]) != SQLITE_BLOB;
  return !command || (is_word && strlen(command) == n) ? command : ""; /* which is unknown */
}

/* Brings the table up to what the transaction sees. What takes a bad setting back, or makes log and
** index anew, goes on without them. */
static int make_ready(CacheTable *t, int argc, const char *command, Err *err) {
  int rebuilds = command && strcmp(command, "rebuild") == 0;
  if (argc > 1 && match_embedder(t, rebuilds, err) != RC_OK) {
    return err->rc;
  }
  if (!rebuilds && memory_sync(t, err) != RC_OK) {
    return err->rc;
  }
  int needs_settings = argc > 1 && !rebuilds && !(command && strchr(command, '='));
  return needs_settings ? rows_settings(t, err) : RC_OK;
}

int write_run(CacheTable *t, int argc, sqlite3_value **argv, sqlite3_int64 *rowid, int64_t now,
              Err *err) {
  const char *command = command_of(argc, argv, err);
  if (err->rc == RC_OK && command && strcmp(command, "trust") == 0) {
    return trust_grant(t, err);
  }
  if (err->rc != RC_OK || make_ready(t, argc, command, err) != RC_OK) {
    return err->rc;
  }
  if (argc == 1) {
    return delete_entry(t, sqlite3_value_int64(argv[0]), err);
  }
  if (command) {
    return run_command(t, command, argv[1], argv + 2, now, err);
  }
  if (!value_is_null(argv[0])) {
    return update(t, argv, now, err);
  }
  if (t->writes % EXPIRE_EVERY == 0) {
    delete_expired(t, now, err);
  }
  return err->rc == RC_OK ? insert(t, argv, rowid, now, err) : err->rc;
}
