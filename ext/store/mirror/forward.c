/*
** See forward.h for the contract.
**
** A table's plan (idxStr) is the query that runs on the caller's connection; its parameters are xFilter's arguments. SQLite checks
** each condition again. What the copy lacks of a table's columns (another version made it) reads as NULL.
*/
#include "store/mirror/forward.h"

#include "base/sqlite/columns.h"
#include "base/sqlite/vtab.h"
#include "store/mirror/mirror.h"

#include <string.h>

/* What is on its way is not summed yet: the store's views ask llm_intents for it. */
#define OPEN_CALLS                                                                                 \
  "(SELECT id AS rowid, id AS call_id, NULL AS key, '' AS owner, 0 AS lease_until FROM "           \
  "main." MIRROR_CALLS " WHERE is_open)"

static const struct {
  const char *store; /* the table's name in the store */
  const char *name;  /* in main of the caller's; NULL: `from` */
  const char *from;
} places[] = {
    {"llm_calls", MIRROR_CALLS, NULL},
    {"llm_sums", "llm_mirror_rollups", NULL},
    {"llm_invoices", "llm_mirror_invoices", NULL},
    {"llm_sum_state", NULL, "(SELECT rowid, * FROM main.llm_mirror_state WHERE dimension >= 0)"},
    {"llm_intents", NULL, OPEN_CALLS},
};
enum { PLACES = sizeof places / sizeof places[0], MOST_COLUMNS = 96 };

typedef struct Forward {
  sqlite3_vtab base;
  sqlite3 *caller;
  int place;
  int n;
  char *columns[MOST_COLUMNS]; /* names; NULL: the copy lacks it */
} Forward;

typedef struct Cursor {
  sqlite3_vtab_cursor base;
  sqlite3_stmt *stmt; /* NULL: at the end */
} Cursor;

static int disconnect(sqlite3_vtab *base) {
  Forward *f = (Forward *)base;
  for (int i = 0; i < f->n; i++) {
    sqlite3_free(f->columns[i]);
  }
  sqlite3_free(f);
  return SQLITE_OK;
}

/* The name at the head of a column's definition, "a" INTEGER; NULL without memory. */
static char *name_of(const char *definition) {
  const char *end = strchr(definition + 1, '"');
  return sqlite3_mprintf("%.*s", (int)(end - definition - 1), definition + 1);
}

static int add_column(Forward *f, const char *definition) {
  int is_there = 1, rc = SQLITE_OK;
  char *name = name_of(definition);
  if (name && places[f->place].name) {
    rc = column_look(f->caller, "main", places[f->place].name, name, &is_there);
  }
  if (!is_there || rc != SQLITE_OK) {
    sqlite3_free(name);
  }
  f->columns[f->n++] = is_there && rc == SQLITE_OK ? name : NULL;
  return rc != SQLITE_OK ? rc : name || !is_there ? SQLITE_OK : SQLITE_NOMEM;
}

static int find_place(const char *table) {
  int at = PLACES - 1;
  while (at > 0 && strcmp(places[at].store, table) != 0) {
    at--;
  }
  return at;
}

/* The arguments behind the third are the definitions of its columns. */
static int connect(sqlite3 *db, void *caller, int argc, const char *const *argv,
                   sqlite3_vtab **table, char **message) {
  sqlite3_str *sql = sqlite3_str_new(db);
  Forward *f = sqlite3_malloc64(sizeof *f);
  int rc = f && argc - 3 <= MOST_COLUMNS ? SQLITE_OK : SQLITE_NOMEM;
  (void)message;
  if (f) {
    memset(f, 0, sizeof *f);
    f->caller = caller;
    f->place = find_place(argv[2]);
  }
  for (int i = 3; i < argc && rc == SQLITE_OK; i++) {
    sqlite3_str_appendf(sql, "%s%s", i > 3 ? ", " : "CREATE TABLE x(", argv[i]);
    rc = add_column(f, argv[i]);
  }
  sqlite3_str_appendf(sql, ")");
  char *text = sqlite3_str_finish(sql);
  rc = rc ? rc : text ? sqlite3_declare_vtab(db, text) : SQLITE_NOMEM;
  rc = rc ? rc : sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
  sqlite3_free(text);
  if (rc != SQLITE_OK && f) {
    disconnect(&f->base);
    f = NULL;
  }
  *table = f ? &f->base : NULL;
  return rc;
}

/* --- the plan */

static void add_columns(const Forward *f, sqlite3_str *sql, sqlite3_uint64 used) {
  for (int i = 0; i < f->n; i++) {
    sqlite3_uint64 bit = (sqlite3_uint64)1 << (i < 63 ? i : 63);
    if (f->columns[i] && used & bit) {
      sqlite3_str_appendf(sql, ", \"%w\"", f->columns[i]);
    } else {
      sqlite3_str_appendf(sql, ", NULL");
    }
  }
}

static const char *column_at(const Forward *f, int i) {
  return i < 0 ? "rowid" : f->columns[i];
}

/* The terms that can be handed on; how many, and *is_one: by the first column, or the rowid, alone. */
static int add_where(const Forward *f, sqlite3_index_info *info, sqlite3_str *sql, int *is_one) {
  int terms = 0, n_args = 0;
  for (int i = 0; i < info->nConstraint; i++) {
    const struct sqlite3_index_constraint *c = &info->aConstraint[i];
    int unary;
    const char *op = vtab_operator(c->op, &unary);
    const char *collation = op && c->usable ? sqlite3_vtab_collation(info, i) : NULL;
    if (!op || !c->usable || c->op == SQLITE_INDEX_CONSTRAINT_MATCH || !column_at(f, c->iColumn) ||
        (collation && sqlite3_stricmp(collation, "BINARY") != 0)) {
      continue;
    }
    sqlite3_str_appendf(sql, " %s \"%w\" %s%s", terms++ ? "AND" : "WHERE", column_at(f, c->iColumn),
                        op, unary ? "" : " ?");
    if (!unary) {
      info->aConstraintUsage[i].argvIndex = ++n_args;
    }
    *is_one |= c->op == SQLITE_INDEX_CONSTRAINT_EQ && c->iColumn <= 0;
  }
  return terms;
}

static void add_order(const Forward *f, sqlite3_index_info *info, sqlite3_str *sql) {
  for (int i = 0; i < info->nOrderBy; i++) {
    if (!column_at(f, info->aOrderBy[i].iColumn)) {
      return;
    }
  }
  for (int i = 0; i < info->nOrderBy; i++) {
    sqlite3_str_appendf(sql, "%s \"%w\"%s", i ? "," : " ORDER BY",
                        column_at(f, info->aOrderBy[i].iColumn),
                        info->aOrderBy[i].desc ? " DESC" : "");
  }
  info->orderByConsumed = info->nOrderBy > 0;
}

/* As the ledger is taken for large (tables/store_table.c), so is its copy. */
static int plan(sqlite3_vtab *base, sqlite3_index_info *info) {
  enum { ROWS = 1000000, FOUND = 10 };
  const Forward *f = (const Forward *)base;
  sqlite3_str *sql = sqlite3_str_new(NULL);
  int is_one = 0;
  sqlite3_str_appendf(sql, "SELECT rowid");
  add_columns(f, sql, info->colUsed);
  if (places[f->place].name) {
    sqlite3_str_appendf(sql, " FROM main.\"%w\"", places[f->place].name);
  } else {
    sqlite3_str_appendf(sql, " FROM %s", places[f->place].from);
  }
  int terms = add_where(f, info, sql, &is_one);
  add_order(f, info, sql);
  info->estimatedRows = is_one ? FOUND : ROWS >> (terms < 8 ? 2 * terms : 16);
  info->estimatedCost = (double)info->estimatedRows * 10 + 10;
  info->idxStr = sqlite3_str_finish(sql);
  info->needToFreeIdxStr = 1;
  return info->idxStr ? SQLITE_OK : SQLITE_NOMEM;
}

/* --- cursors */

static int open_cursor(sqlite3_vtab *base, sqlite3_vtab_cursor **cursor) {
  Cursor *c = sqlite3_malloc64(sizeof *c);
  (void)base;
  if (c) {
    memset(c, 0, sizeof *c);
  }
  *cursor = c ? &c->base : NULL;
  return c ? SQLITE_OK : SQLITE_NOMEM;
}

static int close_cursor(sqlite3_vtab_cursor *base) {
  sqlite3_finalize(((Cursor *)base)->stmt);
  sqlite3_free(base);
  return SQLITE_OK;
}

/* Of the caller's connection, in its words. */
static int fail(Cursor *c, int rc) {
  const Forward *f = (const Forward *)c->base.pVtab;
  Err err = {0};
  sqlite3_finalize(c->stmt);
  c->stmt = NULL;
  rc == SQLITE_NOMEM ? err_nomem(&err)
                     : err_set(&err, rc & 0xff, ERR_STORE, "%s", sqlite3_errmsg(f->caller));
  return vtab_fail(c->base.pVtab, "the copy of the ledger", &err);
}

static int next(sqlite3_vtab_cursor *base) {
  Cursor *c = (Cursor *)base;
  int rc = sqlite3_step(c->stmt);
  if (rc == SQLITE_DONE) {
    sqlite3_finalize(c->stmt);
    c->stmt = NULL;
  }
  return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : fail(c, rc);
}

static int filter(sqlite3_vtab_cursor *base, int number, const char *sql, int argc,
                  sqlite3_value **argv) {
  Cursor *c = (Cursor *)base;
  const Forward *f = (const Forward *)base->pVtab;
  (void)number;
  sqlite3_finalize(c->stmt);
  c->stmt = NULL;
  int rc = sqlite3_prepare_v2(f->caller, sql, -1, &c->stmt, NULL);
  for (int i = 0; i < argc && rc == SQLITE_OK; i++) {
    rc = sqlite3_bind_value(c->stmt, i + 1, argv[i]);
  }
  return rc == SQLITE_OK ? next(base) : fail(c, rc);
}

static int is_done(sqlite3_vtab_cursor *base) {
  return ((Cursor *)base)->stmt == NULL;
}

static int column(sqlite3_vtab_cursor *base, sqlite3_context *ctx, int i) {
  sqlite3_result_value(ctx, sqlite3_column_value(((Cursor *)base)->stmt, i + 1));
  return SQLITE_OK;
}

static int rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *id) {
  *id = sqlite3_column_int64(((Cursor *)base)->stmt, 0);
  return SQLITE_OK;
}

static const sqlite3_module module = {.xCreate = connect,
                                      .xConnect = connect,
                                      .xBestIndex = plan,
                                      .xDisconnect = disconnect,
                                      .xDestroy = disconnect,
                                      .xOpen = open_cursor,
                                      .xClose = close_cursor,
                                      .xFilter = filter,
                                      .xNext = next,
                                      .xEof = is_done,
                                      .xColumn = column,
                                      .xRowid = rowid};

/* --- putting them in place */

/* "a" TEXT, … of a table; owned, NULL without memory. */
static char *definitions(sqlite3 *db, const char *table) {
  sqlite3_stmt *stmt = NULL;
  sqlite3_str *text = sqlite3_str_new(db);
  int rc = sqlite3_prepare_v2(db, "SELECT name, type FROM pragma_table_info(?1)", -1, &stmt, NULL);
  rc = rc ? rc : sqlite3_bind_text(stmt, 1, table, -1, SQLITE_STATIC);
  while (rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    sqlite3_str_appendf(text, "%s\"%w\" %s", sqlite3_str_length(text) ? ", " : "",
                        (const char *)sqlite3_column_text(stmt, 0),
                        (const char *)sqlite3_column_text(stmt, 1));
  }
  sqlite3_finalize(stmt);
  return sqlite3_str_finish(text);
}

static int forward_table(sqlite3 *db, const char *table) {
  char *columns = definitions(db, table);
  char *sql = columns
                  ? sqlite3_mprintf(
                        "DROP TABLE main.%s; CREATE VIRTUAL TABLE main.%s USING llm_forward(%s)",
                        table, table, columns)
                  : NULL;
  int rc = sql ? sqlite3_exec(db, sql, NULL, NULL, NULL) : SQLITE_NOMEM;
  sqlite3_free(columns);
  sqlite3_free(sql);
  return rc;
}

int forward_tables(sqlite3 *db, sqlite3 *caller, Err *err) {
  int rc = sqlite3_create_module_v2(db, "llm_forward", &module, caller, NULL);
  for (int i = 0; i < PLACES && rc == SQLITE_OK; i++) {
    rc = forward_table(db, places[i].store);
  }
  return rc == SQLITE_OK ? RC_OK
         : rc == SQLITE_NOMEM
             ? err_nomem(err)
             : err_set(err, rc & 0xff, ERR_STORE, "the copy of the ledger: %s", sqlite3_errmsg(db));
}
