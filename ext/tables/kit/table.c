/*
** See table.h for the contract.
*/
#include "tables/kit/table.h"

#include "base/sqlite/vtab.h"
#include "store/schema/model.h"
#include "trust/guard.h"

#include <string.h>

/* The user data of a module. */
typedef struct Binding {
  const TableKind *kind;
  const char *name;
  Conn *conn;
  const void *of;
} Binding;

Table *table_of(const TableCursor *c) {
  return (Table *)c->base.pVtab;
}

/* The columns of the store's table, without the declaration around them. Owned (sqlite3_free); NULL and *err. */
static char *ledger_columns(Conn *conn, const char *name, Err *err) {
  char *decl = store_declaration(&conn->host, name, err);
  if (decl) {
    const char *from = strchr(decl, '(') + 1;
    size_t n = strlen(from) - 1;
    memmove(decl, from, n);
    decl[n] = 0;
  }
  return decl;
}

/* All columns but the arguments. Owned (sqlite3_free); NULL and *err. */
static char *columns_of(const Binding *b, Err *err) {
  const TableKind *kind = b->kind;
  const char *own = kind->own_columns ? kind->own_columns(b->of) : NULL;
  char *theirs = own             ? sqlite3_mprintf("%s", own)
                 : kind->ledger  ? ledger_columns(b->conn, kind->ledger, err)
                 : kind->columns ? NULL
                                 : ledger_columns(b->conn, b->name, err);
  if (theirs && kind->declare) {
    char *declared = kind->declare(b->of, theirs);
    sqlite3_free(theirs);
    theirs = declared ? declared : (err_nomem(err), NULL);
  }
  if (err->rc != RC_OK || !kind->columns) {
    return theirs;
  }
  char *all = sqlite3_mprintf("%s%s%s", kind->columns, theirs ? ", " : "", theirs ? theirs : "");
  sqlite3_free(theirs);
  if (!all) {
    err_nomem(err);
  }
  return all;
}

static int declare(sqlite3 *db, const TableKind *kind, const char *columns, Err *err) {
  sqlite3_str *sql = sqlite3_str_new(db);
  sqlite3_str_appendf(sql, "CREATE TABLE x(%s", columns);
  for (int i = 0; i < TABLE_MOST_ARGS && kind->args[i]; i++) {
    sqlite3_str_appendf(sql, ", %s HIDDEN", kind->args[i]);
  }
  if (kind->hidden) {
    sqlite3_str_appendf(sql, ", %s HIDDEN", kind->hidden);
  }
  sqlite3_str_appendf(sql, ")");
  char *text = sqlite3_str_finish(sql);
  int rc = text ? sqlite3_declare_vtab(db, text) : SQLITE_NOMEM;
  sqlite3_free(text);
  if (rc == SQLITE_OK) {
    rc = sqlite3_vtab_config(db, kind->is_guarded ? SQLITE_VTAB_DIRECTONLY : SQLITE_VTAB_INNOCUOUS);
  }
  return rc == SQLITE_NOMEM ? err_nomem(err)
         : rc != SQLITE_OK  ? err_set(err, rc, ERR_STORE, "%s", sqlite3_errmsg(db))
                            : RC_OK;
}

static void free_table(Table *t) {
  if (t && t->kind->disconnect) {
    t->kind->disconnect(t);
  }
  sqlite3_free(t);
}

/* A table whose columns are declared; NULL and *err. */
static Table *make_table(const Binding *b, const char *columns, Err *err) {
  Table *t = sqlite3_malloc64(b->kind->table_size);
  if (!t) {
    err_nomem(err);
    return NULL;
  }
  memset(t, 0, b->kind->table_size);
  *t = (Table){.kind = b->kind, .name = b->name, .conn = b->conn, .of = b->of, .n_columns = 1};
  for (const char *p = columns; *p; p++) {
    t->n_columns += *p == ',';
  }
  if (b->kind->connect && b->kind->connect(t, columns, err) != RC_OK) {
    free_table(t);
    t = NULL;
  }
  return t;
}

static int xConnect(sqlite3 *db, void *aux, int argc, const char *const *argv, sqlite3_vtab **table,
                    char **message) {
  const Binding *b = aux;
  Err err = {0};
  (void)argc;
  (void)argv;
  char *columns = columns_of(b, &err);
  Table *t =
      columns && declare(db, b->kind, columns, &err) == RC_OK ? make_table(b, columns, &err) : NULL;
  sqlite3_free(columns);
  *table = t ? &t->base : NULL;
  if (!t && err.rc != RC_NOMEM) {
    *message = sqlite3_mprintf("%s: %s", b->name, err.msg);
  }
  return err.rc;
}

static int xDisconnect(sqlite3_vtab *table) {
  free_table((Table *)table);
  return SQLITE_OK;
}

static int count_args(const TableKind *kind) {
  int n = 0;
  while (n < TABLE_MOST_ARGS && kind->args[n]) {
    n++;
  }
  return n;
}

/* Bits of a plan's number, behind those of the arguments; and which columns are looked at. */
enum {
  PLAN_KEY = 1 << TABLE_MOST_ARGS,
  PLAN_LIMIT = PLAN_KEY << 1,
  PLAN_OFFSET = PLAN_KEY << 2,
  PLAN_COLUMNS = PLAN_KEY << 3,
  PLAN_MISSING = 1 << 28
};

/* 1 if a constraint is an argument's, or a LIMIT's own. */
static int is_taken(const Table *t, const struct sqlite3_index_constraint *c) {
  int arg = c->iColumn - t->n_columns;
  return c->op == SQLITE_INDEX_CONSTRAINT_LIMIT || c->op == SQLITE_INDEX_CONSTRAINT_OFFSET ||
         (arg >= 0 && arg < TABLE_MOST_ARGS && c->op == SQLITE_INDEX_CONSTRAINT_EQ);
}

/* 1 if a constraint is one that this bit stands for. (A key is looked up as SQLite compares by itself.) */
static int is_wanted(sqlite3_index_info *info, int i, int bit) {
  const struct sqlite3_index_constraint *c = &info->aConstraint[i];
  if (!c->usable) {
    return 0;
  }
  return bit == PLAN_LIMIT    ? c->op == SQLITE_INDEX_CONSTRAINT_LIMIT
         : bit == PLAN_OFFSET ? c->op == SQLITE_INDEX_CONSTRAINT_OFFSET
                              : c->op == SQLITE_INDEX_CONSTRAINT_EQ && c->iColumn == 0 &&
                                    strcmp(sqlite3_vtab_collation(info, i), "BINARY") == 0;
}

/* What a kind whose first column can be looked up is handed beside its arguments; SQLite checks each again. A LIMIT counts rows that
** pass all conditions: it is ours only where there is no other. */
static void plan_key(const Table *t, sqlite3_index_info *info, int n) {
  static const int bits[] = {PLAN_KEY, PLAN_LIMIT, PLAN_OFFSET};
  int has_others = 0;
  for (int i = 0; i < info->nConstraint; i++) {
    has_others |= !is_taken(t, &info->aConstraint[i]);
  }
  for (size_t b = 0; b < sizeof bits / sizeof bits[0]; b++) {
    int is_allowed = bits[b] == PLAN_KEY || !has_others;
    for (int i = 0; i < info->nConstraint && is_allowed && !(info->idxNum & bits[b]); i++) {
      if (is_wanted(info, i, bits[b])) {
        info->aConstraintUsage[i].argvIndex = ++n;
        info->idxNum |= bits[b];
      }
    }
  }
  if (info->idxNum & PLAN_KEY) {
    info->estimatedRows = 1;
    info->estimatedCost /= 1000;
  }
  info->idxNum |= (int)(info->colUsed & ((1u << TABLE_TOLD_COLUMNS) - 1)) * PLAN_COLUMNS;
}

/* Arguments come as equalities. The plan's number has a bit for each that is given; they are handed over in their
** order. */
static int plan_args(Table *t, sqlite3_index_info *info) {
  const TableKind *kind = t->kind;
  int at[TABLE_MOST_ARGS], n = 0;
  memset(at, -1, sizeof at);
  for (int i = 0; i < info->nConstraint; i++) {
    const struct sqlite3_index_constraint *c = &info->aConstraint[i];
    int arg = c->iColumn - t->n_columns;
    if (arg < 0 || arg >= count_args(kind) || c->op != SQLITE_INDEX_CONSTRAINT_EQ) {
      continue;
    }
    if (!c->usable) {
      return SQLITE_CONSTRAINT; /* SQLite finds an order of its tables in which it is */
    }
    at[arg] = i;
  }
  for (int arg = 0; arg < TABLE_MOST_ARGS && kind->args[arg]; arg++) {
    if (at[arg] >= 0) {
      info->aConstraintUsage[at[arg]].argvIndex = ++n;
      info->aConstraintUsage[at[arg]].omit = 1;
      info->idxNum |= 1 << arg;
    } else if (arg < kind->n_required) {
      info->idxNum |= PLAN_MISSING;
    }
  }
  if (info->idxNum &
      PLAN_MISSING) { /* of an OR SQLite plans each side by itself: it is not to choose that */
    info->estimatedRows = 1LL << 60;
    info->estimatedCost = 1e300;
    return SQLITE_OK;
  }
  info->idxFlags = kind->rows > 1 ? 0 : SQLITE_INDEX_SCAN_UNIQUE;
  info->estimatedRows = (sqlite3_int64)kind->rows;
  info->estimatedCost = kind->cost;
  if (kind->has_key) {
    plan_key(t, info, n);
  }
  return SQLITE_OK;
}

static int xBestIndex(sqlite3_vtab *table, sqlite3_index_info *info) {
  Table *t = (Table *)table;
  return t->kind->plan ? t->kind->plan(t, info) : plan_args(t, info);
}

static int xOpen(sqlite3_vtab *table, sqlite3_vtab_cursor **cursor) {
  size_t size = ((Table *)table)->kind->cursor_size;
  TableCursor *c = sqlite3_malloc64(size);
  if (!c) {
    return SQLITE_NOMEM;
  }
  memset(c, 0, size);
  *cursor = &c->base;
  return SQLITE_OK;
}

static void clear(TableCursor *c) {
  table_of(c)->kind->clear(c);
  for (int i = 0; i < TABLE_MOST_ARGS; i++) {
    sqlite3_value_free(c->args[i]);
    c->args[i] = NULL;
  }
  c->row = 1;
}

static int xClose(sqlite3_vtab_cursor *cursor) {
  TableCursor *c = (TableCursor *)cursor;
  clear(c);
  if (table_of(c)->kind->close) {
    table_of(c)->kind->close(c);
  }
  sqlite3_free(c);
  return SQLITE_OK;
}

/* Copies the arguments: they are columns too, and what the kind reads. */
static int take_args(TableCursor *c, int given, sqlite3_value **argv, Err *err) {
  for (int i = 0; i < TABLE_MOST_ARGS; i++) {
    if (given >> i & 1) {
      c->args[i] = sqlite3_value_dup(*argv++);
      if (!c->args[i]) {
        return err_nomem(err);
      }
    }
  }
  return RC_OK;
}

/* What stands behind the arguments. */
static void take_key(int plan, sqlite3_value **argv, TableQuery *q) {
  argv += __builtin_popcount((unsigned)plan & (PLAN_KEY - 1));
  q->key = plan & PLAN_KEY ? *argv++ : NULL;
  long long limit = plan & PLAN_LIMIT ? sqlite3_value_int64(*argv++) : -1;
  long long offset = plan & PLAN_OFFSET ? sqlite3_value_int64(*argv++) : 0;
  int fits = limit >= 0 && limit < LIMIT_COUNT && offset < LIMIT_COUNT;
  q->limit = fits ? limit + (offset > 0 ? offset : 0) : -1;
  for (int i = 0; i < TABLE_TOLD_COLUMNS; i++) {
    q->is_used[i] = plan / PLAN_COLUMNS >> i & 1;
  }
}

static int xFilter(sqlite3_vtab_cursor *cursor, int given, const char *plan, int argc,
                   sqlite3_value **argv) {
  TableCursor *c = (TableCursor *)cursor;
  Table *t = table_of(c);
  const TableKind *kind = t->kind;
  TableQuery q = {.limit = -1, .plan = plan, .n = argc, .args = argv};
  Err err = {0};
  clear(c);
  if (!kind->plan && (given & PLAN_MISSING)) {
    err_set(&err, RC_ERROR, ERR_BAD_ARGUMENT, "%s", kind->usage);
    return vtab_fail(&t->base, t->name, &err);
  }
  if (kind->is_guarded) {
    guard_check_name(t->conn->guard, t->name, &err);
  }
  if (!kind->plan && err.rc == RC_OK && take_args(c, given, argv, &err) == RC_OK) {
    q = (TableQuery){.limit = -1, .n = TABLE_MOST_ARGS, .args = c->args};
    if (kind->has_key) {
      take_key(given, argv, &q);
    }
  }
  if (err.rc != RC_OK || kind->query(c, &q, &err) != RC_OK) {
    kind->clear(c);
    return vtab_fail(&t->base, t->name, &err);
  }
  return SQLITE_OK;
}

static int xNext(sqlite3_vtab_cursor *cursor) {
  TableCursor *c = (TableCursor *)cursor;
  Err err = {0};
  c->row++;
  return table_of(c)->kind->next(c, &err) == RC_OK
             ? SQLITE_OK
             : vtab_fail(&table_of(c)->base, table_of(c)->name, &err);
}

static int xEof(sqlite3_vtab_cursor *cursor) {
  return table_of((TableCursor *)cursor)->kind->is_done((TableCursor *)cursor);
}

static int xColumn(sqlite3_vtab_cursor *cursor, sqlite3_context *ctx, int column) {
  TableCursor *c = (TableCursor *)cursor;
  const Table *t = table_of(c);
  int arg = column - t->n_columns;
  if (arg < 0 || arg >= count_args(t->kind)) {
    t->kind->column(c, ctx, arg < 0 ? column : TABLE_HIDDEN - (arg - count_args(t->kind)));
  } else if (c->args[arg]) {
    sqlite3_result_value(ctx, c->args[arg]);
  } else if (t->kind->unsaid) {
    char *text = sqlite3_mprintf("%s: %s: %s", t->name, t->kind->args[arg], t->kind->unsaid);
    text ? sqlite3_result_error(ctx, text, -1) : sqlite3_result_error_nomem(ctx);
    sqlite3_free(text);
  }
  return SQLITE_OK;
}

static int xRowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *rowid) {
  const TableCursor *c = (TableCursor *)cursor;
  *rowid = table_of(c)->kind->rowid ? table_of(c)->kind->rowid(c) : c->row;
  return SQLITE_OK;
}

static const sqlite3_module module = {
    .xConnect = xConnect,
    .xBestIndex = xBestIndex,
    .xDisconnect = xDisconnect,
    .xOpen = xOpen,
    .xClose = xClose,
    .xFilter = xFilter,
    .xNext = xNext,
    .xEof = xEof,
    .xColumn = xColumn,
    .xRowid = xRowid,
};

static void free_binding(void *p) {
  Binding *b = p;
  conn_unref(b->conn);
  sqlite3_free(b);
}

int table_register(Conn *conn, const TableKind *kind, const char *name, const void *of) {
  Binding *b = sqlite3_malloc64(sizeof *b);
  if (!b) {
    return SQLITE_NOMEM;
  }
  *b = (Binding){kind, name, conn_ref(conn), of};
  if (kind->is_guarded && guard_add(conn->guard, name, GUARD_TABLE) < 0) {
    free_binding(b);
    return SQLITE_ERROR;
  }
  return sqlite3_create_module_v2(conn->db, name, &module, b, free_binding);
}
