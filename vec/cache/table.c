/*
** The semantic_cache module: SQLite's calls in, the files beside it do the work.
**
**   CREATE VIRTUAL TABLE faq USING semantic_cache(embedder='static', threshold=0.92, …);
**
** The hidden column named like the table takes commands, as in FTS5:
**   INSERT INTO faq(faq) VALUES('rebuild' | 'flush' | 'integrity-check' | 'trust')
**   INSERT INTO faq(faq, rowid, similarity) VALUES('right' | 'wrong', id, cosine)
**   INSERT INTO faq(faq) VALUES('threshold=0.9')    and other settings, kept in x_meta
**
** Entries are unique by partition, normal form of the query and model: an INSERT of one that is
** there replaces it.
**
** Counting: a lookup counts a hit for its best match. A SELECT can't write, so counts wait in
** memory for the next write through this connection.
**
** Recursion: a view, trigger or foreign key may lead from a statement on a shadow table into a table
** of ours again, on the same C stack. What would be entered twice is an error, and so is a chain of
** MOST_NESTED tables. (Joins and sub-selects on the table itself come one after another.)
**
** Savepoints: SQLite keeps a table of the transaction to its end and calls its xSync even where its
** making or renaming was taken back. So names follow savepoints, and xSync writes only where the table
** of that name is still this one. All that xSync writes can be done without: it never keeps a
** transaction from ending because the shadow tables are not what they were.
**
** Threading: a table belongs to one connection and is used under its mutex.
*/
#include "base/clock.h"
#include "base/sqlite/vtab.h"
#include "vec/cache/cache.h"
#include "vec/cache/plan.h"
#include "vec/cache/match/match.h"
#include "vec/cache/match/pending.h"
#include "vec/cache/check.h"
#include "vec/cache/write.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char declaration[] =
    "CREATE TABLE x(system_prompt TEXT, query TEXT, response, model TEXT, tag TEXT,"
    " cost_nusd INTEGER, created_at INTEGER, expires_at INTEGER, hits INTEGER,"
    " last_hit_at INTEGER, scope TEXT, embedding BLOB HIDDEN, \"%w\" HIDDEN, similarity REAL "
    "HIDDEN,"
    " threshold REAL HIDDEN, k INTEGER HIDDEN, match_kind TEXT HIDDEN, verify INTEGER HIDDEN,"
    " max_false_hits REAL HIDDEN, policy TEXT HIDDEN, why TEXT HIDDEN, user TEXT HIDDEN)";

/* A cursor over matches, or over rows in their order. */
typedef struct Cursor {
  sqlite3_vtab_cursor base;
  sqlite3_stmt *stmt; /* row by row */
  Match *matches;     /* of a lookup */
  int n_matches, at;
  int is_match, has_row;
  sqlite3_value *prompt, *scope; /* of a lookup, owned; NULL: NULL */
  double threshold, max_false_hits;
  int64_t k, verify;
} Cursor;

/* Columns of a row, as both kinds of cursor read it. A lookup knows its partition already. */
#define OWN_COLUMNS                                                                                \
  " r.query, r.response, " ROW_HAS_VECTOR                                                          \
  ", r.model, r.tag, r.cost_nusd, r.created_at, r.expires_at,"                                     \
  " r.hits, r.last_hit_at FROM @rows r "
#define SCAN_SQL                                                                                   \
  "SELECT r.id, p.system_prompt, p.scope," OWN_COLUMNS "JOIN @partitions p ON p.id = r.partition "
#define MATCH_SQL "SELECT r.id, NULL, NULL," OWN_COLUMNS "WHERE r.id = ?1"

static int fail(CacheTable *t, const Err *err) {
  int rc = vtab_fail(&t->base, t->name, err);
  return rc == SQLITE_CORRUPT ? SQLITE_CORRUPT_VTAB : rc;
}

/* --- recursion */

enum { MOST_NESTED = 16 };

static int recursion(CacheTable *t) {
  Err err = {0};
  err_set(
      &err, RC_ERROR, ERR_CACHE,
      "recursion: '%.60s' is used from within its own shadow tables, by a trigger or view on one"
      " of them",
      t->name);
  return fail(t, &err);
}

/* Comes before whatever runs statements. SQLITE_OK, and leave() it again; or a code to return. */
static int enter(CacheTable *t) {
  if (t->is_busy || t->host->nested >= MOST_NESTED) {
    return recursion(t);
  }
  t->is_busy = 1;
  t->host->nested++;
  return SQLITE_OK;
}

static void leave(CacheTable *t) {
  t->is_busy = 0;
  t->host->nested--;
}

/* --- names under savepoints */

static void set_name(CacheTable *t, char *name) {
  rows_finalize(t); /* statements name the shadow tables */
  t->name = name;
}

/* Takes back every renaming since more than `level` savepoints were open. */
static void restore_name(CacheTable *t, int level) {
  while (t->n_old_names > 0 && t->old_names[t->n_old_names - 1].level > level) {
    sqlite3_free(t->name);
    set_name(t, t->old_names[--t->n_old_names].name);
  }
}

static void forget_names(CacheTable *t) {
  while (t->n_old_names > 0) {
    sqlite3_free(t->old_names[--t->n_old_names].name);
  }
  sqlite3_free(t->old_names);
  t->old_names = NULL;
  t->level = 0;
}

static int take_name(CacheTable *t, const char *name, Err *err) {
  OldName *more = sqlite3_realloc64(t->old_names, (t->n_old_names + 1) * sizeof *more);
  char *copy = more ? sqlite3_mprintf("%s", name) : NULL;
  t->old_names = more ? more : t->old_names;
  if (!copy) {
    return err_nomem(err);
  }
  t->old_names[t->n_old_names++] = (OldName){t->level, t->name};
  set_name(t, copy);
  return RC_OK;
}

/* --- create, connect, destroy */

static void table_free(CacheTable *t) {
  rows_finalize(t);
  schema_watch_close(&t->watch);
  forget_names(t);
  rows_forget_recent(t);
  memory_free(t);
  match_free(t);
  buf_free(&t->text);
  free(t->vector);
  pieces_free(t);
  sqlite3_free(t->schema);
  sqlite3_free(t->name);
  sqlite3_free(t);
}

static CacheTable *table_new(sqlite3 *db, void *aux, int argc, const char *const *argv, Err *err) {
  CacheTable *t = sqlite3_malloc64(sizeof *t);
  if (!t) {
    err_nomem(err);
    return NULL;
  }
  memset(t, 0, sizeof *t);
  t->db = db;
  t->host = aux;
  t->schema = sqlite3_mprintf("%s", argv[1]);
  t->name = sqlite3_mprintf("%s", argv[2]);
  buf_init(&t->text, LIMIT_REQUEST_BYTES * 4);
  if (!t->schema || !t->name) {
    err_nomem(err);
  } else {
    cache_settings_parse(argc - 3, argv + 3, &t->made, err);
    t->set = t->made;
    t->is_trusted = trust_is_local(t);
  }
  return t;
}

/* A table that would send texts to a provider must not be reachable from a stranger's view. */
static int declare(CacheTable *t, Err *err) {
  char *sql = sqlite3_mprintf(declaration, t->name);
  int rc = sql ? sqlite3_declare_vtab(t->db, sql) : SQLITE_NOMEM;
  sqlite3_free(sql);
  if (rc != SQLITE_OK) {
    return rows_error(t, rc, err);
  }
  sqlite3_vtab_config(t->db, SQLITE_VTAB_CONSTRAINT_SUPPORT, 1);
  sqlite3_vtab_config(t->db, trust_is_local(t) ? SQLITE_VTAB_INNOCUOUS : SQLITE_VTAB_DIRECTONLY);
  return RC_OK;
}

static int finish(CacheTable *t, const Err *err, sqlite3_vtab **table, char **message) {
  if (err->rc == RC_OK) {
    *table = &t->base;
    return SQLITE_OK;
  }
  *message = err->rc == RC_NOMEM ? NULL : sqlite3_mprintf("semantic_cache: %s", err->msg);
  if (t) {
    table_free(t);
  }
  return err->rc;
}

static int table_connect(sqlite3 *db, void *aux, int argc, const char *const *argv,
                         sqlite3_vtab **table, char **message) {
  Err err = {0};
  CacheTable *t = table_new(db, aux, argc, argv, &err);
  if (err.rc == RC_OK) {
    declare(t, &err);
  }
  return finish(t, &err, table, message);
}

static int table_create(sqlite3 *db, void *aux, int argc, const char *const *argv,
                        sqlite3_vtab **table, char **message) {
  Err err = {0};
  CacheTable *t = table_new(db, aux, argc, argv, &err);
  if (err.rc == RC_OK && declare(t, &err) == RC_OK && rows_create(t, &err) == RC_OK) {
    t->is_trusted = 1;
    match_embedder(t, 0, &err);
  }
  if (err.rc == RC_OK && check_write_meta(t, &err) == RC_OK) {
    trust_grant(t, &err);
  }
  return finish(t, &err, table, message);
}

static int table_disconnect(sqlite3_vtab *base) {
  table_free((CacheTable *)base);
  return SQLITE_OK;
}

static int table_destroy(sqlite3_vtab *base) {
  CacheTable *t = (CacheTable *)base;
  Err err = {0};
  int rc = enter(t);
  if (rc != SQLITE_OK) {
    return rc;
  }
  rows_drop(t, &err);
  leave(t);
  if (err.rc != RC_OK) {
    return fail(t, &err);
  }
  table_free(t);
  return SQLITE_OK;
}

/* Hits that wait are written first: SQLite makes another instance for the new name. */
static int table_rename(sqlite3_vtab *base, const char *name) {
  CacheTable *t = (CacheTable *)base;
  Err err = {0}, why = {0};
  int rc = enter(t);
  if (rc != SQLITE_OK) {
    return rc;
  }
  if (shadow_check(t, &why) == RC_OK && shadow_is_ours(t, &why)) {
    pending_flush(t, &err);
  }
  if (err.rc == RC_OK && rows_rename(t, name, &err) == RC_OK) {
    take_name(t, name, &err);
  }
  leave(t);
  return err.rc == RC_OK ? SQLITE_OK : fail(t, &err);
}

/* --- the cursor */

static int table_open(sqlite3_vtab *base, sqlite3_vtab_cursor **cursor) {
  (void)base;
  Cursor *c = sqlite3_malloc64(sizeof *c);
  if (!c) {
    return SQLITE_NOMEM;
  }
  memset(c, 0, sizeof *c);
  *cursor = &c->base;
  return SQLITE_OK;
}

/* Gives back the statement of a lookup, for the next one. */
static void give_back(CacheTable *t, sqlite3_stmt *stmt) {
  if (t->idle_match) {
    sqlite3_finalize(stmt);
  } else {
    sqlite3_reset(stmt);
    t->idle_match = stmt;
  }
}

static void cursor_reset(Cursor *c) {
  if (c->is_match && c->stmt) {
    give_back((CacheTable *)c->base.pVtab, c->stmt);
  } else {
    sqlite3_finalize(c->stmt);
  }
  for (int i = 0; i < c->n_matches; i++) {
    sqlite3_free(c->matches[i].why);
  }
  free(c->matches);
  sqlite3_value_free(c->prompt);
  sqlite3_value_free(c->scope);
  c->prompt = c->scope = NULL;
  c->stmt = NULL;
  c->matches = NULL;
  c->n_matches = c->at = c->is_match = c->has_row = 0;
}

static int table_close(sqlite3_vtab_cursor *cursor) {
  cursor_reset((Cursor *)cursor);
  sqlite3_free(cursor);
  return SQLITE_OK;
}

/* The next row of a scan. */
static int step(Cursor *c) {
  CacheTable *t = (CacheTable *)c->base.pVtab;
  int rc = sqlite3_step(c->stmt);
  c->has_row = rc == SQLITE_ROW;
  if (rc == SQLITE_ROW || rc == SQLITE_DONE) {
    return SQLITE_OK;
  }
  Err err = {0};
  rows_error(t, rc, &err);
  return fail(t, &err);
}

/* Gives the cursor of a lookup its statement. */
static int take_statement(Cursor *c) {
  CacheTable *t = (CacheTable *)c->base.pVtab;
  if (t->idle_match) {
    c->stmt = t->idle_match;
    t->idle_match = NULL;
    return SQLITE_OK;
  }
  Err err = {0};
  c->stmt = rows_prepare(t, MATCH_SQL, &err);
  return c->stmt ? SQLITE_OK : fail(t, &err);
}

/* The row of the match the cursor is at; one that is gone was just deleted through this cursor. */
static int read_match(Cursor *c) {
  int rc = SQLITE_OK;
  c->has_row = 0;
  while (rc == SQLITE_OK && c->at < c->n_matches && !c->has_row) {
    rc = c->stmt ? SQLITE_OK : take_statement(c);
    if (rc == SQLITE_OK) {
      sqlite3_reset(c->stmt);
      sqlite3_bind_int64(c->stmt, 1, c->matches[c->at].id);
      rc = step(c);
    }
    c->at += !c->has_row;
  }
  return rc;
}

static int scan_filter(Cursor *c, int bits, sqlite3_value *const by_bit[P_FLAGS]) {
  static const struct {
    Plan bit;
    const char *sql;
  } terms[] = {{P_ROWID, "r.id = ?"},
               {P_PROMPT, "p.system_prompt IS ?"},
               {P_SCOPE, "p.scope IS ?"},
               {P_TAG, "r.tag = ?"},
               {P_MODEL, "r.model = ?"}};
  CacheTable *t = (CacheTable *)c->base.pVtab;
  Err err = {0};
  sqlite3_str *sql = sqlite3_str_new(t->db);
  const char *word = "WHERE";
  sqlite3_str_appendf(sql, SCAN_SQL);
  for (size_t i = 0; i < sizeof terms / sizeof terms[0]; i++) {
    if (bits & (int)terms[i].bit) {
      sqlite3_str_appendf(sql, "%s %s ", word, terms[i].sql);
      word = "AND";
    }
  }
  char *text = sqlite3_str_finish(sql);
  c->stmt = text && shadow_check(t, &err) == RC_OK ? rows_prepare(t, text, &err) : NULL;
  sqlite3_free(text);
  if (!c->stmt) {
    err_nomem(&err);
    return fail(t, &err);
  }
  for (size_t i = 0, n = 0; i < sizeof terms / sizeof terms[0]; i++) {
    if (bits & (int)terms[i].bit) {
      rows_bind_value(t, c->stmt, (int)++n, plan_value(by_bit, terms[i].bit), &err);
    }
  }
  return err.rc == RC_OK ? step(c) : fail(t, &err);
}

/* What is matched: text, or a vector of the table's length. */
static int take_question(sqlite3_value *v, MatchQuery *q, Err *err) {
  if (sqlite3_value_type(v) == SQLITE_BLOB) {
    q->vector = sqlite3_value_blob(v);
    q->vector_bytes = (size_t)sqlite3_value_bytes(v);
    return q->vector || q->vector_bytes == 0 ? RC_OK : err_nomem(err);
  }
  q->text = (const char *)sqlite3_value_text(v);
  q->n = (size_t)sqlite3_value_bytes(v);
  return q->text ? RC_OK : err_nomem(err);
}

static int take_numbers(sqlite3_value *const by_bit[P_FLAGS], MatchQuery *q, Err *err) {
  enum { MOST_MATCHES = 4096 };
  sqlite3_value *threshold = plan_value(by_bit, P_THRESHOLD),
                *verify = plan_value(by_bit, P_VERIFY);
  sqlite3_value *k = plan_value(by_bit, P_K), *limit = plan_value(by_bit, P_LIMIT);
  sqlite3_value *bound = plan_value(by_bit, P_BOUND);
  q->max_false_hits =
      bound && sqlite3_value_type(bound) != SQLITE_NULL ? sqlite3_value_double(bound) : (double)NAN;
  q->threshold = threshold ? sqlite3_value_double(threshold) : (double)NAN;
  q->verify = !verify || sqlite3_value_int(verify) != 0;
  if (verify && (sqlite3_value_numeric_type(verify) != SQLITE_INTEGER ||
                 (sqlite3_value_int64(verify) != 0 && sqlite3_value_int64(verify) != 1))) {
    return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "verify: expected 0 or 1");
  }
  q->k = 1;
  int type = threshold ? sqlite3_value_numeric_type(threshold) : SQLITE_FLOAT;
  if (threshold && ((type != SQLITE_INTEGER && type != SQLITE_FLOAT) ||
                    !(q->threshold >= -1 && q->threshold <= 1))) {
    return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "threshold: expected a cosine, from -1 to 1");
  }
  if (!isnan(q->max_false_hits) && !(q->max_false_hits > 0 && q->max_false_hits < 1)) {
    return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
                   "max_false_hits: expected a share above 0, below 1");
  }
  if (k && sqlite3_value_numeric_type(k) != SQLITE_INTEGER) {
    return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "k: expected a whole number, 1 to %d",
                   MOST_MATCHES);
  }
  if (k || limit) {
    sqlite3_int64 n = sqlite3_value_int64(k ? k : limit);
    if (k && (n < 1 || n > MOST_MATCHES)) {
      return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "k = %lld: expected 1 to %d", n,
                     MOST_MATCHES);
    }
    q->k = n < 0 || n > MOST_MATCHES ? MOST_MATCHES : n < 1 ? 1 : (int)n;
  }
  return RC_OK;
}

/* A copy of a value, NULL for SQL NULL; or *err. */
static sqlite3_value *keep_value(sqlite3_value *v, Err *err) {
  sqlite3_value *copy = NULL;
  if (v && sqlite3_value_type(v) != SQLITE_NULL && !(copy = sqlite3_value_dup(v))) {
    err_nomem(err);
  }
  return copy;
}

/* x = NULL is never true. */
static int equals_null(int bits, int is_bit, sqlite3_value *v) {
  return v && !(bits & is_bit) && sqlite3_value_type(v) == SQLITE_NULL;
}

static int match_filter(Cursor *c, int bits, sqlite3_value *const by_bit[P_FLAGS],
                        const Condition *conditions, int n) {
  CacheTable *t = (CacheTable *)c->base.pVtab;
  MatchQuery q = {.now = now_ms(), .conditions = conditions, .n_conditions = n};
  Err err = {0};
  c->is_match = 1;
  q.explains = (bits & P_EXPLAINS) != 0;
  q.asker = rows_asker(plan_value(by_bit, P_USER), &err);
  if (sqlite3_value_type(plan_value(by_bit, P_MATCH)) == SQLITE_NULL ||
      equals_null(bits, P_PROMPT_IS, plan_value(by_bit, P_PROMPT)) ||
      equals_null(bits, P_SCOPE_IS, plan_value(by_bit, P_SCOPE))) {
    return SQLITE_OK;
  }
  if (shadow_check(t, &err) == RC_OK &&
      take_question(plan_value(by_bit, P_MATCH), &q, &err) == RC_OK &&
      take_numbers(by_bit, &q, &err) == RC_OK && match_embedder(t, 0, &err) == RC_OK &&
      memory_sync(t, &err) == RC_OK && rows_settings(t, &err) == RC_OK) {
    rows_partition(t, plan_value(by_bit, P_PROMPT), plan_value(by_bit, P_SCOPE), 0, &q.partition,
                   &err);
  }
  if (err.rc == RC_OK) {
    c->matches = calloc((size_t)q.k, sizeof *c->matches);
    c->matches ? match_run(t, &q, c->matches, &c->n_matches, &err) : err_nomem(&err);
  }
  c->prompt = keep_value(plan_value(by_bit, P_PROMPT), &err);
  c->scope = keep_value(plan_value(by_bit, P_SCOPE), &err);
  c->threshold = q.threshold;
  c->max_false_hits = q.max_false_hits;
  c->k = q.k;
  c->verify = q.verify;
  return err.rc == RC_OK ? read_match(c) : fail(t, &err);
}

static int table_filter(sqlite3_vtab_cursor *cursor, int bits, const char *plan, int argc,
                        sqlite3_value **argv) {
  (void)argc;
  Cursor *c = (Cursor *)cursor;
  CacheTable *t = (CacheTable *)cursor->pVtab;
  sqlite3_value *by_bit[P_FLAGS];
  Condition conditions[CONDITIONS_MOST];
  cursor_reset(c);
  int first = plan_spread(bits & ((1 << P_FLAGS) - 1), argv, by_bit);
  int n = bits & P_MATCH ? plan_conditions(plan, argv + first, conditions) : 0;
  int rc = enter(t);
  if (rc == SQLITE_OK) {
    rc = bits & P_MATCH ? match_filter(c, bits, by_bit, conditions, n)
                        : scan_filter(c, bits, by_bit);
    leave(t);
  }
  return rc;
}

static int table_next(sqlite3_vtab_cursor *cursor) {
  Cursor *c = (Cursor *)cursor;
  int rc = enter((CacheTable *)cursor->pVtab);
  if (rc == SQLITE_OK) {
    c->at += c->is_match;
    rc = c->is_match ? read_match(c) : step(c);
    leave((CacheTable *)cursor->pVtab);
  }
  return rc;
}

static int table_eof(sqlite3_vtab_cursor *cursor) {
  return !((Cursor *)cursor)->has_row;
}

static void result_of_match(const Cursor *c, sqlite3_context *ctx, int column) {
  const Match *m = &c->matches[c->at];
  switch (column) {
  case C_SIMILARITY:
    sqlite3_result_double(ctx, m->similarity);
    break;
  case C_MATCH_KIND:
    sqlite3_result_text(ctx, m->is_exact ? "exact" : "semantic", -1, SQLITE_STATIC);
    break;
  case C_USER: /* as it was asked: who entered it is not told */
    break;
  case C_POLICY:
    sqlite3_result_text(ctx, m->policy, -1, SQLITE_STATIC);
    break;
  case C_WHY:
    sqlite3_result_text(ctx, m->why, -1, SQLITE_TRANSIENT);
    break;
  case C_THRESHOLD:
    if (!isnan(c->threshold)) {
      sqlite3_result_double(ctx, c->threshold);
    }
    break;
  case C_K:
    sqlite3_result_int64(ctx, c->k);
    break;
  case C_VERIFY:
    sqlite3_result_int64(ctx, c->verify);
    break;
  case C_MAX_FALSE:
    if (!isnan(c->max_false_hits)) {
      sqlite3_result_double(ctx, c->max_false_hits);
    }
    break;
  default:
    break;
  }
}

/* The vector, as it was stored, of the row the cursor is at. (What is damaged and no piece is shown as it is.) */
static int result_vector(const Cursor *c, sqlite3_context *ctx, int column) {
  CacheTable *t = (CacheTable *)c->base.pVtab;
  Err err = {0};
  const void *vector;
  if (sqlite3_column_type(c->stmt, column) != SQLITE_INTEGER) {
    sqlite3_result_value(ctx, sqlite3_column_value(c->stmt, column));
  } else if (pieces_lend(t, c->stmt, column, sqlite3_column_int64(c->stmt, 0), &vector, &err) ==
             RC_OK) {
    sqlite3_result_blob(ctx, vector, (int)sizeof(float) * t->pieces.dim, SQLITE_TRANSIENT);
  }
  pieces_end(t);
  sqlite3_result_subtype(ctx, VECTOR_SUBTYPE);
  return err.rc == RC_OK ? SQLITE_OK : fail(t, &err);
}

static int table_column(sqlite3_vtab_cursor *cursor, sqlite3_context *ctx, int column) {
  static const signed char places[] = {
      [C_SYSTEM_PROMPT] = 1, [C_QUERY] = 3,        [C_RESPONSE] = 4,   [C_MODEL] = 6,
      [C_TAG] = 7,           [C_COST_NUSD] = 8,    [C_CREATED_AT] = 9, [C_EXPIRES_AT] = 10,
      [C_HITS] = 11,         [C_LAST_HIT_AT] = 12, [C_SCOPE] = 2,      [C_EMBEDDING] = 5,
  };
  const Cursor *c = (Cursor *)cursor;
  if (c->is_match && (column == C_SYSTEM_PROMPT || column == C_SCOPE)) {
    sqlite3_value *v = column == C_SCOPE ? c->scope : c->prompt;
    if (v) {
      sqlite3_result_value(ctx, v);
    }
  } else if (column == C_EMBEDDING) {
    return result_vector(c, ctx, places[column]);
  } else if (column < C_EMBEDDING) {
    sqlite3_result_value(ctx, sqlite3_column_value(c->stmt, places[column]));
  } else if (c->is_match) {
    result_of_match(c, ctx, column);
  }
  return SQLITE_OK;
}

static int table_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *rowid) {
  *rowid = sqlite3_column_int64(((Cursor *)cursor)->stmt, 0);
  return SQLITE_OK;
}

/* --- transactions */

static int table_begin(sqlite3_vtab *base) {
  memory_begin((CacheTable *)base);
  return SQLITE_OK;
}

static int table_sync(sqlite3_vtab *base) {
  CacheTable *t = (CacheTable *)base;
  Err err = {0}, why = {0};
  sqlite3_int64 rowid = sqlite3_last_insert_rowid(t->db); /* the caller's: kept */
  int rc = enter(t);
  if (rc != SQLITE_OK) {
    return rc;
  }
  if (shadow_check(t, &why) == RC_OK && shadow_is_ours(t, &why) &&
      pending_flush(t, &err) == RC_OK && match_note_policy(t, &err) == RC_OK) {
    memory_before_commit(t, &err);
  }
  leave(t);
  sqlite3_set_last_insert_rowid(t->db, rowid);
  return err.rc == RC_OK ? SQLITE_OK : fail(t, &err);
}

static int table_commit(sqlite3_vtab *base) {
  CacheTable *t = (CacheTable *)base;
  t->is_rebuilt = 0;
  forget_names(t);
  memory_committed(t);
  return SQLITE_OK;
}

/* A rebuild that is taken back leaves the version of the embedder to be checked again. */
static void doubt_embedder(CacheTable *t) {
  if (t->is_rebuilt) {
    free(t->vector);
    t->vector = NULL;
    t->embedder.dim = t->is_rebuilt = 0;
    memory_drop(t);
  }
}

static void take_back(CacheTable *t) {
  pending_forget_misses(t, 0);
  t->policy = NULL;
  t->is_trusted = trust_is_local(t); /* what was granted may have been taken back: asked again */
  doubt_embedder(t);
  memory_rolled_back(t);
}

static int table_rollback(sqlite3_vtab *base) {
  CacheTable *t = (CacheTable *)base;
  restore_name(t, -1);
  forget_names(t);
  take_back(t);
  return SQLITE_OK;
}

/* Savepoints count from 0, those of statements included; n is the one that is meant. */
static int table_savepoint(sqlite3_vtab *base, int n) {
  ((CacheTable *)base)->level = n + 1;
  return SQLITE_OK;
}

static int table_release(sqlite3_vtab *base, int n) {
  CacheTable *t = (CacheTable *)base;
  for (size_t i = 0; i < t->n_old_names; i++) {
    t->old_names[i].level = t->old_names[i].level > n ? n : t->old_names[i].level;
  }
  t->level = n;
  return SQLITE_OK;
}

static int table_rollback_to(sqlite3_vtab *base, int n) {
  CacheTable *t = (CacheTable *)base;
  restore_name(t, n);
  t->level = n + 1;
  take_back(t);
  return SQLITE_OK;
}

static int table_shadow_name(const char *suffix) {
  return rows_is_shadow_name(suffix);
}

static int table_update(sqlite3_vtab *base, int argc, sqlite3_value **argv, sqlite3_int64 *rowid) {
  CacheTable *t = (CacheTable *)base;
  Err err = {0};
  sqlite3_int64 last = sqlite3_last_insert_rowid(t->db);
  int rc = enter(t);
  if (rc != SQLITE_OK) {
    return rc;
  }
  if (shadow_check(t, &err) == RC_OK) {
    write_run(t, argc, argv, rowid, now_ms(), &err);
  }
  leave(t);
  if (err.rc != RC_OK) {
    doubt_embedder(t);
  }
  sqlite3_set_last_insert_rowid(t->db, last); /* SQLite sets it after an INSERT */
  return err.rc == RC_OK ? SQLITE_OK : fail(t, &err);
}

static int table_integrity(sqlite3_vtab *base, const char *schema, const char *name, int flags,
                           char **message) {
  CacheTable *t = (CacheTable *)base;
  Err err = {0};
  (void)schema;
  (void)name;
  int rc = enter(t);
  if (rc != SQLITE_OK) {
    return rc;
  }
  if (shadow_check(t, &err) == RC_OK) {
    check_run(t, flags & 1, message, &err);
  }
  leave(t);
  return err.rc == RC_OK ? SQLITE_OK : fail(t, &err);
}

/* xIntegrity came with SQLite 3.44, behind the members that 3.40's header knows; older ones look
** at iVersion and never read it. */
static const struct Module {
  sqlite3_module m;
#if SQLITE_VERSION_NUMBER < 3044000
  int (*xIntegrity)(sqlite3_vtab *, const char *, const char *, int, char **);
#endif
} module = {
    .m =
        {
            .iVersion = 4,
            .xCreate = table_create,
            .xConnect = table_connect,
            .xBestIndex = plan_best_index,
            .xDisconnect = table_disconnect,
            .xDestroy = table_destroy,
            .xOpen = table_open,
            .xClose = table_close,
            .xFilter = table_filter,
            .xNext = table_next,
            .xEof = table_eof,
            .xColumn = table_column,
            .xRowid = table_rowid,
            .xUpdate = table_update,
            .xBegin = table_begin,
            .xSync = table_sync,
            .xCommit = table_commit,
            .xRollback = table_rollback,
            .xRename = table_rename,
            .xSavepoint = table_savepoint,
            .xRelease = table_release,
            .xRollbackTo = table_rollback_to,
            .xShadowName = table_shadow_name,
#if SQLITE_VERSION_NUMBER >= 3044000
            .xIntegrity = table_integrity,
#endif
        },
#if SQLITE_VERSION_NUMBER < 3044000
    .xIntegrity = table_integrity,
#endif
};

const sqlite3_module *cache_module(void) {
  return &module.m;
}
