/*
** The store's tables and views under their bare names: read-only eponymous virtual tables.
**
** One module serves all; a query is handed to a reading connection of the store with its WHERE,
** ORDER BY, LIMIT and the columns it uses. Each cursor has a connection to itself while it is open,
** so each sees the newest rows when it starts. Where there is no store yet there are no rows, and
** none is made.
**
** The rowid is the row's own where there is one: SQLite's OR optimization tells rows apart by it.
** Views have none, so no WHERE is handed to them (which keeps that optimization away).
**
** DIRECTONLY: the ledger may hold other databases' prompts (LLMCOST_STORE), and a trigger in a
** stranger's file could copy them. Views over these tables belong into temp.
**
** Plan: idxStr is the SQL to run, its parameters in the order of xFilter's arguments. Constraints
** are pushed down but not omitted (SQLite checks them again), so that a difference in affinity
** can't change an answer; text comparisons only under BINARY collation, which the store uses.
*/
#include "fn/fn.h"

#include "store/ledger.h"
#include "store/schema/model.h"
#include "trust/guard.h"

#include <string.h>

const StoreSource store_sources[] = {
    {"llm_calls", "id"},         {"llm_answers", "key"},
    {"llm_texts", "rowid"},      {"llm_feedback", "call_id"},
    {"llm_cache", "rowid"},      {"llm_cache_stats", NULL},
    {"llm_cost_hourly", NULL},   {"llm_cost_daily", NULL},
    {"llm_cost_by_model", NULL}, {"llm_cost_by_tag", NULL},
    {"llm_cost_by_user", NULL},  {"llm_retries", NULL},
    {"llm_unpriced", NULL},      {"llm_reported_costs", NULL},
    {"llm_spend", "id"},         {NULL, NULL},
};

enum { MOST_COLUMNS = 64 };

typedef struct Table {
  sqlite3_vtab base;
  const StoreTable *of;
  int n_columns;
  char *columns[MOST_COLUMNS]; /* names */
} Table;

typedef struct Cursor {
  sqlite3_vtab_cursor base;
  sqlite3_stmt *stmt; /* NULL: past the end */
  sqlite3 *reader;    /* taken from `store` while the cursor is open; NULL: none yet */
  Store *store;
  sqlite3_int64 rowid; /* of a view: counted */
} Cursor;

static int table_disconnect(sqlite3_vtab *base) {
  Table *t = (Table *)base;
  for (int i = 0; i < t->n_columns; i++) {
    sqlite3_free(t->columns[i]);
  }
  sqlite3_free(t);
  return SQLITE_OK;
}

/* The column names of a declaration made by store_declaration: CREATE TABLE x("a" INTEGER, "b"
** …). */
static int read_names(Table *t, const char *decl) {
  const char *p = strchr(decl, '"');
  while (p && t->n_columns < MOST_COLUMNS) {
    const char *end = strchr(p + 1, '"');
    char *name = sqlite3_mprintf("%.*s", (int)(end - p - 1), p + 1);
    if (!name) {
      return SQLITE_NOMEM;
    }
    t->columns[t->n_columns++] = name;
    p = strchr(end + 1, '"');
  }
  return SQLITE_OK;
}

static int table_connect(sqlite3 *db, void *aux, int argc, const char *const *argv,
                         sqlite3_vtab **table, char **message) {
  (void)argc;
  (void)argv;
  const StoreTable *of = aux;
  Err err = {0};
  char *decl = store_declaration(&of->conn->host, of->source->name, &err);
  Table *t = decl ? sqlite3_malloc64(sizeof *t) : NULL;
  int rc = t ? SQLITE_OK : err.rc ? err.rc : SQLITE_NOMEM;
  if (t) {
    memset(t, 0, sizeof *t);
    t->of = of;
    rc = sqlite3_declare_vtab(db, decl);
    rc = rc == SQLITE_OK ? read_names(t, decl) : rc;
    rc = rc == SQLITE_OK ? sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY) : rc;
  }
  if (rc == SQLITE_OK) {
    *table = &t->base;
  } else {
    *message = sqlite3_mprintf("%s: %s", of->source->name, err.rc ? err.msg : sqlite3_errmsg(db));
    t ? table_disconnect(&t->base) : 0;
  }
  sqlite3_free(decl);
  return rc;
}

/* The SQL operator of a constraint, NULL where it is not pushed down; *unary: it takes no value. */
static const char *operator_of(unsigned char op, int *unary) {
  *unary = op == SQLITE_INDEX_CONSTRAINT_ISNULL || op == SQLITE_INDEX_CONSTRAINT_ISNOTNULL;
  switch (op) {
  case SQLITE_INDEX_CONSTRAINT_EQ:
    return "=";
  case SQLITE_INDEX_CONSTRAINT_GT:
    return ">";
  case SQLITE_INDEX_CONSTRAINT_GE:
    return ">=";
  case SQLITE_INDEX_CONSTRAINT_LT:
    return "<";
  case SQLITE_INDEX_CONSTRAINT_LE:
    return "<=";
  case SQLITE_INDEX_CONSTRAINT_IS:
    return "IS";
  case SQLITE_INDEX_CONSTRAINT_MATCH:
    return "MATCH";
  case SQLITE_INDEX_CONSTRAINT_ISNULL:
    return "IS NULL";
  case SQLITE_INDEX_CONSTRAINT_ISNOTNULL:
    return "IS NOT NULL";
  default:
    return NULL;
  }
}

/* The rowid, then the columns; NULL stands for those that are not used. */
static void add_columns(Table *t, sqlite3_str *sql, sqlite3_uint64 used) {
  sqlite3_str_appendf(sql, "%s", t->of->source->rowid ? t->of->source->rowid : "NULL");
  for (int i = 0; i < t->n_columns; i++) {
    sqlite3_uint64 bit = (sqlite3_uint64)1 << (i < 63 ? i : 63);
    sqlite3_str_appendf(sql, ", ");
    if (used & bit) {
      sqlite3_str_appendf(sql, "\"%w\"", t->columns[i]);
    } else {
      sqlite3_str_appendf(sql, "NULL");
    }
  }
}

static const char *column_name(Table *t, int i) {
  return i >= 0 ? t->columns[i] : t->of->source->rowid;
}

/* How much a query costs that `equal` constraints on an id, or `bounded` others, narrow. */
static void estimate(sqlite3_index_info *info, int by_id, int constraints) {
  info->estimatedRows = by_id ? 1 : 1000000 >> (constraints < 4 ? 2 * constraints : 8);
  info->estimatedCost = by_id ? 10 : (double)info->estimatedRows * 10 + 100;
}

/* Adds the WHERE terms that can be pushed down. Returns 1 if every usable constraint was. */
static int add_where(Table *t, sqlite3_index_info *info, sqlite3_str *sql, int *n_args) {
  int all = 1, by_id = 0, terms = 0;
  for (int i = 0; i < info->nConstraint; i++) {
    const struct sqlite3_index_constraint *c = &info->aConstraint[i];
    int unary;
    if (c->op == SQLITE_INDEX_CONSTRAINT_LIMIT || c->op == SQLITE_INDEX_CONSTRAINT_OFFSET) {
      continue;
    }
    const char *op = operator_of(c->op, &unary);
    const char *name = column_name(t, c->iColumn);
    const char *collation = sqlite3_vtab_collation(info, i);
    if (!t->of->source->rowid || !c->usable || !op || !name ||
        (collation && sqlite3_stricmp(collation, "BINARY") != 0)) {
      all = 0;
      continue;
    }
    sqlite3_str_appendf(sql, " %s \"%w\" %s%s", terms++ ? "AND" : "WHERE", name, op,
                        unary ? "" : " ?");
    if (!unary) {
      info->aConstraintUsage[i].argvIndex = ++*n_args;
      info->aConstraintUsage[i].omit = c->op == SQLITE_INDEX_CONSTRAINT_MATCH;
    }
    by_id |= op[0] == '=' && strcmp(name, "id") == 0;
  }
  estimate(info, by_id, terms);
  return all;
}

static void add_order(Table *t, sqlite3_index_info *info, sqlite3_str *sql) {
  for (int i = 0; i < info->nOrderBy; i++) {
    if (!column_name(t, info->aOrderBy[i].iColumn)) {
      return;
    }
  }
  for (int i = 0; i < info->nOrderBy; i++) {
    sqlite3_str_appendf(sql, "%s \"%w\"%s", i ? "," : " ORDER BY",
                        column_name(t, info->aOrderBy[i].iColumn),
                        info->aOrderBy[i].desc ? " DESC" : "");
  }
  info->orderByConsumed = info->nOrderBy > 0;
}

/* Finds a usable constraint of that kind, -1 where there is none. */
static int find_constraint(const sqlite3_index_info *info, unsigned char op) {
  for (int i = 0; i < info->nConstraint; i++) {
    if (info->aConstraint[i].op == op && info->aConstraint[i].usable) {
      return i;
    }
  }
  return -1;
}

/* LIMIT and OFFSET count rows behind every other condition: only where all of them were pushed
** down. */
static void add_limit(sqlite3_index_info *info, sqlite3_str *sql, int *n_args) {
  int limit = find_constraint(info, SQLITE_INDEX_CONSTRAINT_LIMIT);
  int offset = find_constraint(info, SQLITE_INDEX_CONSTRAINT_OFFSET);
  if (limit < 0) {
    return;
  }
  sqlite3_str_appendf(sql, offset < 0 ? " LIMIT ?" : " LIMIT ? OFFSET ?");
  info->aConstraintUsage[limit].argvIndex = ++*n_args;
  info->aConstraintUsage[limit].omit = 1;
  if (offset >= 0) {
    info->aConstraintUsage[offset].argvIndex = ++*n_args;
    info->aConstraintUsage[offset].omit = 1;
  }
}

static int table_best_index(sqlite3_vtab *base, sqlite3_index_info *info) {
  Table *t = (Table *)base;
  sqlite3_str *sql = sqlite3_str_new(NULL);
  int n_args = 0;
  sqlite3_str_appendf(sql, "SELECT ");
  add_columns(t, sql, info->colUsed);
  sqlite3_str_appendf(sql, " FROM main.\"%w\"", t->of->source->name);
  int all = add_where(t, info, sql, &n_args);
  add_order(t, info, sql);
  if (all && (info->nOrderBy == 0 || info->orderByConsumed)) {
    add_limit(info, sql, &n_args);
  }
  info->idxStr = sqlite3_str_finish(sql);
  info->needToFreeIdxStr = 1;
  return info->idxStr ? SQLITE_OK : SQLITE_NOMEM;
}

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

static int table_close(sqlite3_vtab_cursor *cursor) {
  Cursor *c = (Cursor *)cursor;
  sqlite3_finalize(c->stmt);
  store_reader_give(c->store, c->reader);
  sqlite3_free(cursor);
  return SQLITE_OK;
}

static int fail(sqlite3_vtab_cursor *cursor, int rc, const char *message) {
  Table *t = (Table *)cursor->pVtab;
  sqlite3_free(t->base.zErrMsg);
  t->base.zErrMsg = sqlite3_mprintf("%s: %s", t->of->source->name, message);
  return rc;
}

static int table_next(sqlite3_vtab_cursor *cursor) {
  Cursor *c = (Cursor *)cursor;
  int rc = sqlite3_step(c->stmt);
  c->rowid++;
  if (rc == SQLITE_ROW) {
    return SQLITE_OK;
  }
  sqlite3 *db = sqlite3_db_handle(c->stmt);
  rc = sqlite3_finalize(c->stmt);
  c->stmt = NULL;
  return rc == SQLITE_OK ? SQLITE_OK : fail(cursor, rc & 0xff, sqlite3_errmsg(db));
}

static int table_filter(sqlite3_vtab_cursor *cursor, int idx, const char *sql, int argc,
                        sqlite3_value **argv) {
  (void)idx;
  Cursor *c = (Cursor *)cursor;
  Table *t = (Table *)cursor->pVtab;
  Err err = {0};
  sqlite3_finalize(c->stmt);
  c->stmt = NULL;
  c->rowid = 0;
  Store *store = guard_check_name(t->of->conn->guard, t->of->source->name, &err) == RC_OK
                     ? conn_store(t->of->conn, 0, &err)
                     : NULL;
  if (store) {
    ledger_flush(store, &err);
  }
  if (store && err.rc == RC_OK && !c->reader) {
    c->store = store;
    c->reader = store_reader_take(store, &err);
  }
  if (err.rc != RC_OK) {
    return fail(cursor, err.rc, err.msg);
  }
  if (!c->reader) {
    return SQLITE_OK; /* in main the real tables have these names, and come before this one */
  }
  int rc = sqlite3_prepare_v2(c->reader, sql, -1, &c->stmt, NULL);
  if (rc != SQLITE_OK) {
    return fail(cursor, rc & 0xff, sqlite3_errmsg(c->reader));
  }
  for (int i = 0; i < argc && rc == SQLITE_OK; i++) {
    rc = sqlite3_bind_value(c->stmt, i + 1, argv[i]);
  }
  return rc == SQLITE_OK ? table_next(cursor) : fail(cursor, rc, sqlite3_errstr(rc));
}

static int table_eof(sqlite3_vtab_cursor *cursor) {
  return ((Cursor *)cursor)->stmt == NULL;
}

static int table_column(sqlite3_vtab_cursor *cursor, sqlite3_context *ctx, int i) {
  sqlite3_result_value(ctx, sqlite3_column_value(((Cursor *)cursor)->stmt, i + 1));
  return SQLITE_OK;
}

static int table_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *rowid) {
  Cursor *c = (Cursor *)cursor;
  int has_own = sqlite3_column_type(c->stmt, 0) != SQLITE_NULL;
  *rowid = has_own ? sqlite3_column_int64(c->stmt, 0) : c->rowid;
  return SQLITE_OK;
}

const sqlite3_module store_table_module = {
    .xConnect = table_connect,
    .xBestIndex = table_best_index,
    .xDisconnect = table_disconnect,
    .xOpen = table_open,
    .xClose = table_close,
    .xFilter = table_filter,
    .xNext = table_next,
    .xEof = table_eof,
    .xColumn = table_column,
    .xRowid = table_rowid,
};
