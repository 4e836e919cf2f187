/*
** Searching the schemas. See guard.h for the rule and what it leaves open.
*/
#include "trust/guard.h"

#include "base/check.h"
#include "base/sqlite/columns.h"
#include "base/sqlite/ddl.h"
#include "trust/compiled.h"
#include "trust/watched.h"

#include <string.h>

typedef struct Name {
  const char *name;
  size_t n; /* its length */
  GuardKind kind;
  int may_be_plain;
  char *culprit; /* owned (sqlite3_free): what the error says of who names it; NULL: nobody */
} Name;

struct Guard {
  sqlite3 *db;
  GuardIsStore is_store;
  void *arg;
  Watched watched;
  int is_hosted;   /* guard_module has a table on this connection, which will end the watches */
  int is_complete; /* every database was searched */
  int n;
  Name names[GUARD_MOST];
  char *impostor; /* owned: likewise, of a table that stands in for one of ours */
  char *damage;   /* owned: likewise, of a file that was made to change under SQLite */
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
  sqlite3_free(g->damage);
  g->impostor = g->damage = NULL;
}

void guard_free(Guard *g) {
  if (g) {
    watched_close(&g->watched);
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
  const char *kind = ddl_kind_name(d->kind), *drop = d->kind == DDL_VIRTUAL ? "table" : kind;
  char shown[64], schema[64];
  int is_plain = ddl_show_name(d->name, d->n_name, shown, sizeof shown) &
                 ddl_show_name(s->schema, strlen(s->schema), schema, sizeof schema);
  const char *anew = d->kind == DDL_TABLE ? "without that name, its rows copied"
                     : d->kind == DDL_VIEW || d->kind == DDL_TRIGGER ? "as TEMP"
                                                                     : "without that name";
  char *cure =
      d->kind == DDL_OTHER || d->is_temp || !is_plain
          ? sqlite3_mprintf("find it in sqlite_schema of '%s' and drop it", schema)
          : sqlite3_mprintf("make it anew %s, or DROP %s \"%s\".\"%s\"", anew, drop, schema, shown);
  char *text =
      !cure
          ? NULL
          : sqlite3_mprintf("%s '%s' of '%s' names %s: nothing was done, since a database file must"
                            " not spend, send or read the ledger; %s",
                            kind, shown, schema, name, cure);
  sqlite3_free(cure);
  return text;
}

static void note_impostor(Search *s, const char *kind, int number) {
  Guard *g = s->guard;
  s->has_store_name = 1;
  if (!g->impostor) {
    g->impostor = sqlite3_mprintf(
        "%s '%s' of '%.40s' has the name of a table of llmcost and is not the one of this "
        "installation:"
        " nothing was done; rename or drop it" ERR_CURE(
            ", or, if it is a store that you trust, %sSELECT llm_trust_store()"),
        kind, g->names[number].name, s->schema,
        strcmp(s->schema, "main") == 0 ? "" : "open it and ");
    g->impostor ? 0 : err_nomem(s->err);
  }
}

/* By the text, which shows views too. */
static void find_impostor(Search *s, const Ddl *d) {
  int makes_table = d->kind == DDL_TABLE || d->kind == DDL_VIEW || d->kind == DDL_VIRTUAL;
  int at = makes_table ? find(s->guard, d->name, d->n_name) : -1;
  if (at >= 0 && s->guard->names[at].kind == GUARD_TABLE) {
    note_impostor(s, ddl_kind_name(d->kind), at);
  }
}

/* By what SQLite has in memory, whatever the texts say. */
static void find_compiled_impostors(Search *s) {
  Guard *g = s->guard;
  for (int i = 0; i < g->n && s->err->rc == RC_OK; i++) {
    int is_there = 0;
    int rc = g->names[i].kind == GUARD_TABLE
                 ? column_look(g->db, s->schema, g->names[i].name, NULL, &is_there)
                 : SQLITE_OK;
    if (rc != SQLITE_OK) {
      g->is_complete = 0;
      watched_error(g->db, s->schema, rc, s->err);
    }
    if (is_there) {
      note_impostor(s, "table", i);
    }
  }
}

/* What it is called itself: whether it may be called so, find_impostor() says. */
static int is_own_name(const Name *name, const Ddl *d, const char *word) {
  return name->kind == GUARD_TABLE && word == d->name && !d->is_temp;
}

static void search_text(Search *s, const char *sql, size_t n) {
  Guard *g = s->guard;
  Ddl d;
  const char *word;
  size_t length;
  ddl_start(&d, sql, n);
  find_impostor(s, &d);
  while (ddl_next_word(&d, &word, &length)) {
    int at = find(g, word, length);
    if (at >= 0 && !g->names[at].culprit && !is_own_name(&g->names[at], &d, word) &&
        is_breach(&g->names[at], &d)) {
      g->names[at].culprit = describe(s, &d, g->names[at].name);
      g->names[at].culprit ? 0 : err_nomem(s->err);
    }
  }
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

static int search_rows(Search *s) {
  Guard *g = s->guard;
  sqlite3_stmt *stmt = NULL;
  char *sql = sqlite3_mprintf("SELECT sql FROM \"%w\".sqlite_schema NOT INDEXED", s->schema);
  int rc = sql ? sqlite3_prepare_v2(g->db, sql, -1, &stmt, NULL) : SQLITE_NOMEM;
  while (rc == SQLITE_OK && s->err->rc == RC_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    const char *text =
        (const char *)sqlite3_column_text(stmt, 0); /* as SQLite's own reading of it */
    rc = SQLITE_OK;
    if (text) {
      search_text(s, text, (size_t)sqlite3_column_bytes(stmt, 0));
    } else if (sqlite3_column_type(stmt, 0) != SQLITE_NULL) {
      err_nomem(s->err);
    }
  }
  if (s->err->rc == RC_OK && rc != SQLITE_DONE) {
    g->is_complete = 0;
    watched_error(g->db, s->schema, rc, s->err);
  }
  sqlite3_finalize(stmt);
  sqlite3_free(sql);
  return s->err->rc;
}

/* A function in a CHECK constraint, as it was compiled. */
static void note_call(void *arg, const char *name, size_t n, int n_args) {
  Search *s = arg;
  int at = find(s->guard, name, n);
  Name *found = at >= 0 ? &s->guard->names[at] : NULL;
  if (found && found->kind == GUARD_FUNCTION && !found->culprit &&
      !(found->may_be_plain && n_args == 1)) {
    found->culprit = sqlite3_mprintf("a CHECK constraint of '%.60s' calls %s: nothing was done, "
                                     "since a database file must not spend,"
                                     " send or read the ledger",
                                     s->schema, found->name);
    found->culprit ? 0 : err_nomem(s->err);
  }
}

/* What SQLite goes by, whatever the rows say by now. */
static int search_compiled(Search *s) {
  int is_aliased;
  compiled_look(s->guard->db, s->schema, note_call, s, &is_aliased, s->err);
  if (is_aliased < 0) {
    s->guard->is_complete = 0; /* it is looked at again */
  }
  if (s->err->rc == RC_OK && is_aliased > 0 && !s->guard->damage) {
    s->guard->damage =
        sqlite3_mprintf("'%.60s' is damaged or was made to deceive: a table lies inside of its "
                        "schema, so that writing to it"
                        " changes what the schema says; nothing was done: DETACH or close it",
                        s->schema);
    s->guard->damage ? 0 : err_nomem(s->err);
  }
  return s->err->rc;
}

static int search_schema(Guard *g, const char *schema, Err *err) {
  Search s = {.guard = g, .schema = schema, .err = err};
  char *before = g->impostor;
  if (search_rows(&s) == RC_OK) {
    find_compiled_impostors(&s);
    search_compiled(&s);
  }
  judge_store(&s, before);
  return err->rc;
}

/* --- looking again */

/* Makes sure that the guard's table is connected, so that the kept statements end with the connection.
** (In temp, where no file can have a table of that name but by CREATE TEMP: then nothing is kept.) */
static void host_watches(Guard *g) {
  sqlite3_stmt *stmt = NULL;
  if (!g->is_hosted) {
    sqlite3_prepare_v2(g->db, "SELECT * FROM temp." GUARD_MODULE_NAME, -1, &stmt, NULL);
    sqlite3_finalize(stmt);
  }
}

/* Begins to watch, then searches: what changes from now on is seen by the next look. */
static int search_all(Guard *g, Err *err) {
  forget(g);
  host_watches(g);
  watched_open(&g->watched, g->db, g->is_hosted, &g->is_complete, err);
  for (int i = 0; i < g->watched.n && err->rc == RC_OK; i++) {
    const WatchedSchema *s = &g->watched.list[i];
    if (s->watch.stmt || !g->is_hosted) {
      search_schema(g, s->name, err);
    }
  }
  return err->rc;
}

/* What was found is believed only where it was nothing: a culprit may be gone by another's hand, and a store
** adopted, without a change that this connection sees. */
static int is_current(Guard *g) {
  int is_clean = g->is_complete && !g->impostor && !g->damage;
  for (int i = 0; i < g->n && is_clean; i++) {
    is_clean = g->names[i].culprit == NULL;
  }
  return is_clean && watched_is_current(&g->watched, g->db);
}

static int look(Guard *g, Err *err) {
  if (!is_current(g) && search_all(g, err) != RC_OK) {
    g->is_complete = 0;
  }
  return err->rc;
}

/* --- the verdict */

int guard_check_but_impostors(Guard *g, int number, Err *err) {
  if (look(g, err) != RC_OK) {
    return err->rc;
  }
  const char *why = g->damage ? g->damage : g->names[number].culprit;
  return why ? err_set(err, RC_ERROR, ERR_HOSTILE_SCHEMA, "%s", why) : RC_OK;
}

int guard_check(Guard *g, int number, Err *err) {
  CHECK(number >= 0 && number < g->n);
  if (guard_check_but_impostors(g, number, err) == RC_OK && g->impostor) {
    err_set(err, RC_ERROR, ERR_HOSTILE_SCHEMA, "%s", g->impostor);
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
  watched_close(&t->guard->watched);
  t->guard->is_complete = 0;
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
