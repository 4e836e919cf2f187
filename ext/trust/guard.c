/*
** Searching the schemas. See guard.h for the rule and what it leaves open.
*/
#include "trust/guard.h"

#include "base/schema_watch.h"
#include "base/ddl.h"

#include <string.h>

typedef struct Name {
  const char *name;
  size_t n; /* its length */
  GuardKind kind;
  int may_be_plain;
  char *culprit; /* owned (sqlite3_free): what the error says of who names it; NULL: nobody */
} Name;

/* What SQLite knows of a file without asking it: which one, and how often its content has changed, by this
** connection or, as far as this one has noticed, by others. */
typedef struct FileState {
  sqlite3_file *file;
  unsigned version;
} FileState;

struct Guard {
  sqlite3 *db;
  GuardIsStore is_store;
  void *arg;
  SchemaWatch watch;
  int n_schemas;  /* attached when the watch was opened */
  FileState seen; /* of main, when it was last looked at */
  int is_hosted;  /* guard_module has a table on this connection, which will close the watch */
  int n;
  Name names[GUARD_MOST];
  char *impostor; /* owned: likewise, of a table that stands in for one of ours */
};

/* A schema whose rows are being read. */
typedef struct Search {
  Guard *guard;
  const char *schema;
  int has_store_name; /* a table called like one of ours */
  Err *err;
} Search;

Guard *guard_new(sqlite3 *db, GuardIsStore is_store, void *arg) {
  Guard *g = sqlite3_malloc64(sizeof *g);
  if (g) {
    memset(g, 0, sizeof *g);
    g->db = db;
    g->is_store = is_store;
    g->arg = arg;
  }
  return g;
}

/* Forgets what was found. */
static void forget(Guard *g) {
  for (int i = 0; i < g->n; i++) {
    sqlite3_free(g->names[i].culprit);
    g->names[i].culprit = NULL;
  }
  sqlite3_free(g->impostor);
  g->impostor = NULL;
}

void guard_free(Guard *g) {
  if (g) {
    schema_watch_close(&g->watch);
    forget(g);
    sqlite3_free(g);
  }
}

static int find(const Guard *g, const char *name, size_t n) {
  int i = 0;
  while (i < g->n && (g->names[i].n != n || !ddl_is_name(name, n, g->names[i].name))) {
    i++;
  }
  return i < g->n ? i : -1;
}

int guard_add(Guard *g, const char *name, GuardKind kind) {
  int at = find(g, name, strlen(name));
  if (at < 0 && g->n < GUARD_MOST) {
    at = g->n++;
    g->names[at] = (Name){.name = name, .n = strlen(name), .kind = kind};
  }
  return at;
}

void guard_allow_plain_call(Guard *g, const char *name) {
  int at = find(g, name, strlen(name));
  if (at >= 0) {
    g->names[at].may_be_plain = 1;
  }
}

/* --- searching */

/* Whether an object that is spelled so breaks the rule for this name. */
static int is_breach(const Name *name, const Ddl *d) {
  if (name->kind == GUARD_TABLE && !d->is_temp && d->kind != DDL_VIRTUAL && d->kind != DDL_OTHER) {
    return 0;
  }
  if (name->kind == GUARD_FUNCTION && ddl_is_string(d)) {
    return 0;
  }
  return !name->may_be_plain || !ddl_is_plain_call(d);
}

/* What to do about it: a table holds somebody's rows, anything else can go. */
static char *describe(const Search *s, const Ddl *d, const char *name) {
  const char *kind = ddl_kind_name(d->kind), *drop = d->kind == DDL_VIRTUAL ? "TABLE" : kind;
  char shown[64], schema[64];
  int is_plain = ddl_show_name(d->name, d->n_name, shown, sizeof shown) &
                 ddl_show_name(s->schema, strlen(s->schema), schema, sizeof schema);
  char *cure =
      d->kind == DDL_OTHER || d->is_temp || !is_plain
          ? sqlite3_mprintf("find it in sqlite_schema of '%s' and drop it", schema)
          : sqlite3_mprintf("DROP %s \"%s\".\"%s\", or make it anew %s", drop, schema, shown,
                            d->kind == DDL_VIEW || d->kind == DDL_TRIGGER ? "as TEMP"
                                                                          : "without that name");
  char *text =
      sqlite3_mprintf("%s '%s' of '%s' names %s: nothing was done, since a database file must"
                      " not spend, send or read the ledger; %s",
                      kind, shown, schema, name, cure ? cure : "");
  sqlite3_free(cure);
  return text;
}

static void note_impostor(Search *s, const Ddl *d) {
  int makes_table = d->kind == DDL_TABLE || d->kind == DDL_VIEW || d->kind == DDL_VIRTUAL;
  int at = makes_table ? find(s->guard, d->name, d->n_name) : -1;
  if (at < 0 || s->guard->names[at].kind != GUARD_TABLE) {
    return;
  }
  s->has_store_name = 1;
  if (!s->guard->impostor) {
    s->guard->impostor = sqlite3_mprintf(
        "%s '%s' of '%.40s' has the name of a table of llmcost and is not the one of this "
        "installation:"
        " nothing was done; rename or drop it, or, if it is a store that you trust, %sSELECT"
        " llm_trust_store()",
        ddl_kind_name(d->kind), s->guard->names[at].name, s->schema,
        strcmp(s->schema, "main") == 0 ? "" : "open it and ");
    s->guard->impostor ? 0 : err_nomem(s->err);
  }
}

static void search_text(Search *s, const char *sql, size_t n) {
  Guard *g = s->guard;
  Ddl d;
  const char *word;
  size_t length;
  ddl_start(&d, sql, n);
  note_impostor(s, &d);
  while (ddl_next_word(&d, &word, &length)) {
    int at = find(g, word, length);
    if (at >= 0 && !g->names[at].culprit && is_breach(&g->names[at], &d)) {
      g->names[at].culprit = describe(s, &d, g->names[at].name);
      g->names[at].culprit ? 0 : err_nomem(s->err);
    }
  }
}

static int fail(const Guard *g, int rc, const char *doing, Err *err) {
  int code = rc & 0xff;
  if (code == SQLITE_NOMEM) {
    return err_nomem(err);
  }
  return code == SQLITE_INTERRUPT
             ? err_set(err, RC_INTERRUPT, "interrupted", "interrupted")
             : err_set(err, code ? code : RC_ERROR, "config", "nothing was done, since %s: %s",
                       doing, sqlite3_errmsg(g->db));
}

/* Tables called like ours are no impostors where they are a store of ours. */
static void judge_store(Search *s, char *impostor_before) {
  Guard *g = s->guard;
  int is_ours =
      s->has_store_name && s->err->rc == RC_OK ? g->is_store(g->arg, s->schema, s->err) : 0;
  if (is_ours == 1 && !impostor_before) {
    sqlite3_free(g->impostor);
    g->impostor = NULL;
  }
}

static int search_schema(Guard *g, const char *schema, void *unused, Err *err) {
  (void)unused;
  Search s = {.guard = g, .schema = schema, .err = err};
  sqlite3_stmt *stmt = NULL;
  char *before = g->impostor;
  char *sql = sqlite3_mprintf("SELECT sql FROM \"%w\".sqlite_schema NOT INDEXED", schema);
  int rc = sql ? sqlite3_prepare_v2(g->db, sql, -1, &stmt, NULL) : SQLITE_NOMEM;
  while (rc == SQLITE_OK && err->rc == RC_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    const char *text =
        (const char *)sqlite3_column_text(stmt, 0); /* as SQLite's own reading of it */
    rc = SQLITE_OK;
    if (text) {
      search_text(&s, text, (size_t)sqlite3_column_bytes(stmt, 0));
    } else if (sqlite3_column_type(stmt, 0) != SQLITE_NULL) {
      err_nomem(err);
    }
  }
  if (err->rc == RC_OK && rc != SQLITE_DONE) {
    fail(g, rc, "the schema can't be read", err);
  }
  sqlite3_finalize(stmt);
  sqlite3_free(sql);
  judge_store(&s, before);
  return err->rc;
}

/* --- the watch */

/* How many databases are attached; -1 where SQLite is too old to say without a statement. */
static int count_schemas(sqlite3 *db) {
  int n = 0;
  if (sqlite3_libversion_number() < 3039000) {
    return -1;
  }
  while (sqlite3_db_name(db, n)) {
    n++;
  }
  return n;
}

/* Makes sure that the guard's table is connected, so that the kept statement ends with the connection.
** (In temp, where no file can have a table of that name but by CREATE TEMP: then nothing is kept.) */
static void host_watch(Guard *g) {
  sqlite3_stmt *stmt = NULL;
  if (!g->is_hosted) {
    sqlite3_prepare_v2(g->db, "SELECT * FROM temp." GUARD_MODULE_NAME, -1, &stmt, NULL);
    sqlite3_finalize(stmt);
  }
}

static int open_watch(Guard *g, const char *sql, Err *err) {
  int changed, rc = SQLITE_OK;
  host_watch(g);
  g->n_schemas = count_schemas(g->db);
  if (g->is_hosted) {
    rc = schema_watch_open(&g->watch, g->db, sql);
    rc = rc == SQLITE_OK ? schema_watch_look(&g->watch, &changed) : rc;
  }
  return rc == SQLITE_OK ? RC_OK : fail(g, rc, "the schema can't be watched", err);
}

/* Calls `each` for every attached database but temp. */
static int for_each_schema(Guard *g, int (*each)(Guard *, const char *, void *, Err *), void *arg,
                           Err *err) {
  sqlite3_stmt *list = NULL;
  int rc = sqlite3_prepare_v2(g->db, "PRAGMA database_list", -1, &list, NULL);
  while (rc == SQLITE_OK && err->rc == RC_OK && (rc = sqlite3_step(list)) == SQLITE_ROW) {
    const char *schema = (const char *)sqlite3_column_text(list, 1);
    rc = schema ? SQLITE_OK : SQLITE_NOMEM;
    if (schema && sqlite3_column_int(list, 0) != 1) {
      each(g, schema, arg, err);
    }
  }
  if (err->rc == RC_OK && rc != SQLITE_DONE) {
    fail(g, rc, "the databases can't be listed", err);
  }
  sqlite3_finalize(list);
  return err->rc;
}

static int add_to_watch(Guard *g, const char *schema, void *arg, Err *err) {
  sqlite3_str *sql = arg;
  (void)g;
  (void)err;
  sqlite3_str_appendf(sql, "%sSELECT 1 FROM \"%w\".sqlite_schema NOT INDEXED WHERE 0",
                      sqlite3_str_length(sql) ? " UNION ALL " : "", schema);
  return RC_OK;
}

/* Begins to watch, then searches: what changes from now on is seen by the next look. */
static int search_all(Guard *g, Err *err) {
  sqlite3_str *watched = sqlite3_str_new(g->db);
  forget(g);
  for_each_schema(g, add_to_watch, watched, err);
  char *sql = sqlite3_str_finish(watched);
  if (err->rc == RC_OK) {
    sql ? open_watch(g, sql, err) : err_nomem(err);
  }
  sqlite3_free(sql);
  return err->rc == RC_OK ? for_each_schema(g, search_schema, NULL, err) : err->rc;
}

/* Of what may still be rolled back, nothing is known. */
static FileState state_of_main(Guard *g) {
  FileState state = {0};
  if (sqlite3_txn_state(g->db, "main") == SQLITE_TXN_WRITE) {
    return state;
  }
  sqlite3_file_control(g->db, "main", SQLITE_FCNTL_FILE_POINTER, &state.file);
  sqlite3_file_control(g->db, "main", SQLITE_FCNTL_DATA_VERSION, &state.version);
  return state;
}

/* 1 if nothing can have changed, told without opening a transaction on main, which would cost more than an
** answer from the cache: while there is none, what SQLite holds of main's schema is what it read under this
** version of the file. */
static int is_untouched(Guard *g) {
  if (g->n_schemas != 2 || sqlite3_txn_state(g->db, "main") != SQLITE_TXN_NONE) {
    return 0;
  }
  FileState now = state_of_main(g);
  return now.file && now.file == g->seen.file && now.version == g->seen.version;
}

/* 1 if what was found last still holds. */
static int is_current(Guard *g) {
  int changed = 1;
  if (!g->watch.stmt || g->n_schemas < 0 || g->n_schemas != count_schemas(g->db)) {
    return 0;
  }
  if (g->impostor) { /* it may have been adopted: that changes rows, not the schema */
    return 0;
  }
  if (is_untouched(g)) {
    return 1;
  }
  if (schema_watch_look(&g->watch, &changed) != SQLITE_OK || changed) {
    return 0;
  }
  g->seen = state_of_main(g);
  return 1;
}

static int look(Guard *g, Err *err) {
  if (is_current(g)) {
    return RC_OK;
  }
  if (search_all(g, err) != RC_OK) {
    schema_watch_close(&g->watch); /* what was found is not all there is */
  }
  g->seen = state_of_main(g);
  return err->rc;
}

/* --- the verdict */

int guard_check_but_impostors(Guard *g, int number, Err *err) {
  if (look(g, err) == RC_OK && g->names[number].culprit) {
    err_set(err, RC_ERROR, "hostile_schema", "%s", g->names[number].culprit);
  }
  return err->rc;
}

int guard_check(Guard *g, int number, Err *err) {
  if (guard_check_but_impostors(g, number, err) == RC_OK && g->impostor) {
    err_set(err, RC_ERROR, "hostile_schema", "%s", g->impostor);
  }
  return err->rc;
}

int guard_check_name(Guard *g, const char *name, Err *err) {
  int number = find(g, name, strlen(name));
  return number < 0 ? RC_OK : guard_check(g, number, err);
}

/* --- the table that holds the statement */

typedef struct GuardTable {
  sqlite3_vtab base;
  Guard *guard;
} GuardTable;

static int guard_connect(sqlite3 *db, void *aux, int argc, const char *const *argv,
                         sqlite3_vtab **table, char **message) {
  (void)argc;
  (void)argv;
  (void)message;
  GuardTable *t = sqlite3_malloc64(sizeof *t);
  int rc = t ? sqlite3_declare_vtab(db, "CREATE TABLE x(unused)") : SQLITE_NOMEM;
  if (rc != SQLITE_OK) {
    sqlite3_free(t);
    return rc;
  }
  memset(t, 0, sizeof *t);
  t->guard = aux;
  t->guard->is_hosted = 1;
  *table = &t->base;
  return sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
}

static int guard_disconnect(sqlite3_vtab *base) {
  GuardTable *t = (GuardTable *)base;
  schema_watch_close(&t->guard->watch);
  t->guard->is_hosted = 0;
  sqlite3_free(t);
  return SQLITE_OK;
}

static int guard_best_index(sqlite3_vtab *base, sqlite3_index_info *info) {
  (void)base;
  (void)info;
  return SQLITE_OK;
}

static int guard_open(sqlite3_vtab *base, sqlite3_vtab_cursor **cursor) {
  (void)base;
  *cursor = sqlite3_malloc64(sizeof **cursor);
  return *cursor ? SQLITE_OK : SQLITE_NOMEM;
}

static int guard_close(sqlite3_vtab_cursor *cursor) {
  sqlite3_free(cursor);
  return SQLITE_OK;
}

static int guard_filter(sqlite3_vtab_cursor *cursor, int plan, const char *name, int argc,
                        sqlite3_value **argv) {
  (void)cursor;
  (void)plan;
  (void)name;
  (void)argc;
  (void)argv;
  return SQLITE_OK;
}

static int guard_next(sqlite3_vtab_cursor *cursor) {
  (void)cursor;
  return SQLITE_OK;
}

static int guard_eof(sqlite3_vtab_cursor *cursor) {
  (void)cursor;
  return 1;
}

static int guard_column(sqlite3_vtab_cursor *cursor, sqlite3_context *ctx, int i) {
  (void)cursor;
  (void)ctx;
  (void)i;
  return SQLITE_OK;
}

static int guard_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *rowid) {
  (void)cursor;
  *rowid = 0;
  return SQLITE_OK;
}

const sqlite3_module guard_module = {.xConnect = guard_connect,
                                     .xBestIndex = guard_best_index,
                                     .xDisconnect = guard_disconnect,
                                     .xOpen = guard_open,
                                     .xClose = guard_close,
                                     .xFilter = guard_filter,
                                     .xNext = guard_next,
                                     .xEof = guard_eof,
                                     .xColumn = guard_column,
                                     .xRowid = guard_rowid};
