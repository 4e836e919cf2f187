/*
** Reading and making the configuration tables. See config.h for the contract.
*/
#include "store/host/config.h"

#include "base/sqlite/ddl.h"
#include "base/sqlite/savepoint.h"
#include "sql/sql_text.h"
#include "store/host/host.h"
#include "store/host/prices.h"

#include <stdlib.h>
#include <string.h>

/* 1 if a column of the table is hidden or generated; -1 and *err. (PRAGMA as a statement: a table in a
** hostile file may be named like the table-valued form.) */
static int has_generated_column(sqlite3 *host, const char *name, Err *err) {
  sqlite3_stmt *stmt = NULL;
  int found = 0;
  char sql[64];
  sqlite3_snprintf(sizeof sql, sql, "PRAGMA main.table_xinfo(%Q)", name);
  int rc = sqlite3_prepare_v2(host, sql, -1, &stmt, NULL);
  while (rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    found |= sqlite3_column_int(stmt, 6) != 0;
  }
  int end = sqlite3_finalize(stmt);
  if (rc != SQLITE_OK || end != SQLITE_OK) {
    host_error(host, "read the schema", err);
    return -1;
  }
  return found;
}

/* `rc`: of the bindings. */
static int run_insert(sqlite3 *host, sqlite3_stmt *stmt, int rc, Err *err) {
  if (rc == SQLITE_OK) {
    sqlite3_step(stmt);
    rc = sqlite3_reset(stmt);
  }
  return rc == SQLITE_OK ? RC_OK : host_error(host, "fill the configuration", err);
}

static int bind_text_or_null(sqlite3_stmt *stmt, int at, const char *text) {
  return text[0] ? sqlite3_bind_text(stmt, at, text, -1, SQLITE_STATIC)
                 : sqlite3_bind_null(stmt, at);
}

static int bind_int_or_null(sqlite3_stmt *stmt, int at, long long value) {
  return value ? sqlite3_bind_int64(stmt, at, value) : sqlite3_bind_null(stmt, at);
}

static int fill_models(sqlite3 *host, Err *err) {
  int n;
  const Model *models = catalogue_models(&n);
  sqlite3_stmt *stmt = NULL;
  if (sqlite3_prepare_v2(
          host,
          "INSERT OR IGNORE INTO main.llm_models(name, provider, api, base_url, key_env,"
          " context_window, max_output, supports) VALUES (?,?,?,?,?,?,?,?)",
          -1, &stmt, NULL) != SQLITE_OK) {
    return host_error(host, "fill llm_models", err);
  }
  for (int i = 0; i < n && err->rc == RC_OK; i++) {
    const char *texts[] = {models[i].name, models[i].provider, models[i].api, models[i].base_url,
                           models[i].key_env};
    int rc = bind_text_or_null(stmt, 8, models[i].supports);
    for (int k = 0; k < 5 && rc == SQLITE_OK; k++) {
      rc = bind_text_or_null(stmt, k + 1, texts[k]);
    }
    bind_int_or_null(stmt, 6, models[i].context_window);
    bind_int_or_null(stmt, 7, models[i].max_output);
    run_insert(host, stmt, rc, err);
  }
  sqlite3_finalize(stmt);
  return err->rc;
}

static int fill_tiers(sqlite3 *host, Err *err) {
  int n;
  const Tier *tiers = catalogue_tiers(&n);
  sqlite3_stmt *stmt = NULL;
  if (sqlite3_prepare_v2(
          host,
          "INSERT OR IGNORE INTO main.llm_tiers(name, max_score, model, rank) VALUES (?,?,?,?)", -1,
          &stmt, NULL) != SQLITE_OK) {
    return host_error(host, "fill llm_tiers", err);
  }
  for (int i = 0; i < n && err->rc == RC_OK; i++) {
    int rc = bind_text_or_null(stmt, 1, tiers[i].name);
    rc = rc == SQLITE_OK ? bind_text_or_null(stmt, 3, tiers[i].model) : rc;
    sqlite3_bind_double(stmt, 2, tiers[i].max_score);
    sqlite3_bind_int(stmt, 4, tiers[i].rank);
    run_insert(host, stmt, rc, err);
  }
  sqlite3_finalize(stmt);
  return err->rc;
}

enum { MODELS, PRICES, TIERS, GATES, BUDGETS, EXAMPLES, N_TABLES };
static const char *const table_names[N_TABLES] = {
    "llm_models", "llm_prices", "llm_tiers", "llm_gates", "llm_budgets", "llm_route_examples"};

/* Of llm_models; read in this order, behind the others. */
static const char *const later_names[] = {"extra", "auth", "headers"};
static const HostColumns later_columns = {"llm_models", later_names, 3};

/* Notes which of our tables an object is, by its text (see ddl.h): 1, or -1 for what is no plain table. */
static void note_object(const char *sql, size_t n, int found[N_TABLES]) {
  Ddl d;
  ddl_start(&d, sql, n);
  if (d.kind == DDL_INDEX || d.kind == DDL_TRIGGER) {
    return;
  }
  for (int i = 0; i < N_TABLES; i++) {
    if (ddl_is_name(d.name, d.n_name, table_names[i])) {
      found[i] = d.kind == DDL_TABLE && !d.is_temp && found[i] == 0 ? 1 : -1;
    }
  }
}

/* Goes over the schema itself: an index could hide rows of it. */
static int find_objects(sqlite3 *host, int found[N_TABLES], Err *err) {
  sqlite3_stmt *stmt = NULL;
  int rc = sqlite3_prepare_v2(
      host, "SELECT sql FROM main.sqlite_schema NOT INDEXED WHERE sql IS NOT NULL", -1, &stmt,
      NULL);
  while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    const char *sql = (const char *)sqlite3_column_text(stmt, 0);
    rc = sql ? SQLITE_OK : SQLITE_NOMEM;
    if (sql) {
      note_object(sql, (size_t)sqlite3_column_bytes(stmt, 0), found);
    }
  }
  if (rc != SQLITE_DONE) {
    host_error(host, "read the schema", err);
  }
  sqlite3_finalize(stmt);
  return err->rc;
}

/* Which tables are missing, as a bit each; -1 on error, or where one is not a plain table. */
static int find_missing(sqlite3 *host, Err *err) {
  int found[N_TABLES] = {0}, missing = 0;
  find_objects(host, found, err);
  for (int i = 0; i < N_TABLES && err->rc == RC_OK; i++) {
    int is_odd = found[i] < 0 || (found[i] && has_generated_column(host, table_names[i], err));
    if (is_odd) { /* (says nothing where that could not be looked at) */
      err_set(err, RC_ERROR, ERR_CONFIG,
              "%s in this database is a view, a virtual table or has generated columns: not read;"
              " drop it and run SELECT llm_init()",
              table_names[i]);
    }
    missing |= found[i] ? 0 : 1 << i;
  }
  return err->rc == RC_OK ? missing : -1;
}

/* How many columns were added to tables of an older version. */
typedef struct Added {
  int models, prices;
} Added;

static void describe_added(sqlite3_str *s, int n, const char *table) {
  if (n) {
    sqlite3_str_appendf(s, "%sadded %d columns to %s", sqlite3_str_length(s) ? "; " : "", n, table);
  }
}

static char *describe(int missing, Added added) {
  sqlite3_str *s = sqlite3_str_new(NULL);
  for (int i = 0; i < N_TABLES; i++) {
    if (missing & 1 << i) {
      sqlite3_str_appendf(s, "%s%s", sqlite3_str_length(s) ? ", " : "created ", table_names[i]);
    }
  }
  describe_added(s, added.models, "llm_models");
  describe_added(s, added.prices, "llm_prices");
  if (!sqlite3_str_length(s)) {
    sqlite3_str_appendf(s, "up to date");
  }
  return sqlite3_str_finish(s);
}

/* Inside a savepoint: the tables that are missing, filled, and the columns of an older version. */
static int create_and_fill(sqlite3 *host, int missing, Added *added, Err *err) {
  if (missing && sqlite3_exec(host, sql_config_sql, NULL, NULL, NULL) != SQLITE_OK) {
    host_error(host, "create the tables", err);
  }
  if (err->rc == RC_OK && (missing & 1 << MODELS)) {
    fill_models(host, err);
  }
  if (err->rc == RC_OK && (missing & 1 << TIERS)) {
    fill_tiers(host, err);
  }
  if (err->rc == RC_OK) {
    host_add_columns(host, &later_columns, &added->models, err);
  }
  return err->rc == RC_OK ? prices_add_columns(host, &added->prices, err) : err->rc;
}

/* 1 if the tables, which are all there, have every column of this version, 0 if not; -1 and *err. */
static int are_current(sqlite3 *host, Err *err) {
  int models = host_has_columns(host, &later_columns, err);
  return models == 1 ? prices_are_current(host, err) : models;
}

int config_init(sqlite3 *host, char **report, Err *err) {
  Added added = {0, 0};
  int missing = find_missing(host, err);
  *report = NULL;
  if (missing < 0) {
    return err->rc;
  }
  int is_current = missing ? 0 : are_current(host, err);
  if (is_current) {
    *report = is_current > 0 ? describe(0, added) : NULL;
    return *report || err->rc != RC_OK ? err->rc : err_nomem(err);
  }
  Savepoint savepoint;
  if (savepoint_begin(host, &savepoint) != SQLITE_OK) {
    return host_error(host, "create the tables (run llm_init() in a SELECT of its own)", err);
  }
  if (create_and_fill(host, missing, &added, err) == RC_OK &&
      (*report = describe(missing, added)) == NULL) {
    err_nomem(err);
  }
  if (host_end(host, &savepoint, err) != RC_OK) {
    sqlite3_free(*report);
    *report = NULL;
  }
  return err->rc;
}

/* ---- reading */

/* A copy (free); NULL and *err. A NUL inside is an error: an address cut there would be another one. */
static char *column_copy(sqlite3_stmt *stmt, int i, const char *table, Err *err) {
  const char *text = host_text(stmt, i, table, err);
  char *copy = text ? strdup(text) : NULL;
  if (text && !copy) {
    err_nomem(err);
  }
  return copy;
}

/* One more element of `size` bytes at the end of an array, zeroed; NULL without memory. */
static void *append(void **array, int *n, size_t size) {
  char *longer = realloc(*array, (size_t)(*n + 1) * size);
  if (!longer) {
    return NULL;
  }
  *array = longer;
  char *at = longer + (size_t)*n * size;
  memset(at, 0, size);
  ++*n;
  return at;
}

/* The texts of a model, in the order in which they are read. */
enum { MODEL_TEXTS = 9 };
static void list_texts(Model *m, const char **texts[MODEL_TEXTS]) {
  const char **const all[MODEL_TEXTS] = {&m->name,     &m->provider, &m->api,
                                         &m->base_url, &m->key_env,  &m->supports,
                                         &m->extra,    &m->auth,     &m->headers};
  memcpy(texts, all, sizeof all);
}

int config_model_copy(const Model *from, Model *to, Err *err) {
  const char **texts[MODEL_TEXTS];
  int all = 1;
  *to = *from;
  list_texts(to, texts);
  for (int i = 0; i < MODEL_TEXTS; i++) {
    *texts[i] = strdup(*texts[i] ? *texts[i] : "");
    all &= *texts[i] != NULL;
  }
  return all ? RC_OK : err_nomem(err);
}

void config_model_free(Model *m) {
  const char **texts[MODEL_TEXTS];
  list_texts(m, texts);
  for (int i = 0; i < MODEL_TEXTS; i++) {
    free((char *)*texts[i]);
  }
  memset(m, 0, sizeof *m);
}

static int read_model(sqlite3_stmt *stmt, Config *c, Err *err) {
  Model *m = append((void **)&c->models, &c->n_models, sizeof *m);
  if (!m) {
    return err_nomem(err);
  }
  const char **texts[MODEL_TEXTS];
  list_texts(m, texts);
  for (int i = 0; i < MODEL_TEXTS && err->rc == RC_OK; i++) {
    *texts[i] = column_copy(stmt, i, "llm_models", err);
  }
  m->context_window = sqlite3_column_int64(stmt, MODEL_TEXTS);
  m->max_output = sqlite3_column_int64(stmt, MODEL_TEXTS + 1);
  return err->rc;
}

static int add_tier(Config *c, const char *name, const char *model, double max_score, int rank,
                    Err *err) {
  Tier *t = append((void **)&c->tiers, &c->n_tiers, sizeof *t);
  if (t) {
    *t = (Tier){strdup(name), strdup(model), max_score, rank};
  }
  return t && t->name && t->model ? RC_OK : err_nomem(err);
}

static int read_tier(sqlite3_stmt *stmt, Config *c, Err *err) {
  const char *name = host_text(stmt, 0, "llm_tiers", err);
  const char *model = host_text(stmt, 1, "llm_tiers", err);
  return err->rc == RC_OK ? add_tier(c, name, model, sqlite3_column_double(stmt, 2),
                                     sqlite3_column_int(stmt, 3), err)
                          : err->rc;
}

static int read_gate(sqlite3_stmt *stmt, Config *c, Err *err) {
  GateRow *g = append((void **)&c->gates, &c->n_gates, sizeof *g);
  if (!g) {
    return err_nomem(err);
  }
  const char **const texts[] = {&g->name, &g->kind, &g->spec};
  for (int i = 0; i < 3 && err->rc == RC_OK; i++) {
    *texts[i] = column_copy(stmt, i, "llm_gates", err);
  }
  return err->rc;
}

static int read_budget(sqlite3_stmt *stmt, Config *c, Err *err) {
  BudgetRow *b = append((void **)&c->budgets, &c->n_budgets, sizeof *b);
  if (!b) {
    return err_nomem(err);
  }
  const char **const texts[] = {&b->scope, &b->period, &b->action, &b->unpriced};
  for (int i = 0; i < 4 && err->rc == RC_OK; i++) {
    *texts[i] = column_copy(stmt, i, "llm_budgets", err);
  }
  b->limit_usd = sqlite3_column_double(stmt, 4);
  return err->rc;
}

/* The tables and how a row of each is read. Of the first and the third there are compiled-in rows. */
static const struct Source {
  int table;
  const char *sql, *rest;     /* the statement; between its parts stand later columns */
  const HostColumns *columns; /* those; NULL: none */
  int (*read_row)(sqlite3_stmt *stmt, Config *c, Err *err);
} sources[] = {
    {MODELS, "SELECT name, provider, api, base_url, key_env, supports",
     ", context_window, max_output FROM main.llm_models", &later_columns, read_model},
    {TIERS, "SELECT name, model, max_score, rank FROM main.llm_tiers", " ORDER BY rank, max_score",
     NULL, read_tier},
    {GATES, "SELECT name, kind, spec", " FROM main.llm_gates", NULL, read_gate},
    {BUDGETS, "SELECT scope, period, action, unpriced, limit_usd",
     " FROM main.llm_budgets ORDER BY scope, period", NULL, read_budget},
};

/* The statement that reads a table: NULL in the place of a later column that it has not. Owned (sqlite3_free). */
static char *sql_of(sqlite3 *host, const struct Source *source, Err *err) {
  sqlite3_str *s = sqlite3_str_new(NULL);
  sqlite3_str_appendall(s, source->sql);
  for (int i = 0; source->columns && i < source->columns->n && err->rc == RC_OK; i++) {
    const char *name = source->columns->names[i];
    int is_there = host_has_column(host, source->columns->table, name, err);
    sqlite3_str_appendf(s, ", %s", is_there == 1 ? name : "NULL");
  }
  sqlite3_str_appendall(s, source->rest);
  char *sql = sqlite3_str_finish(s);
  if (!sql) {
    err_nomem(err);
  }
  return sql;
}

static int read_table(sqlite3 *host, const struct Source *source, Config *c, Err *err) {
  sqlite3_stmt *stmt = NULL;
  char *sql = sql_of(host, source, err);
  int rc = err->rc == RC_OK ? sqlite3_prepare_v2(host, sql, -1, &stmt, NULL) : SQLITE_ERROR;
  sqlite3_free(sql);
  while (rc == SQLITE_OK && err->rc == RC_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    rc = source->read_row(stmt, c, err) == RC_OK ? SQLITE_OK : SQLITE_ERROR;
  }
  if (err->rc == RC_OK && rc != SQLITE_DONE) {
    char doing[64];
    sqlite3_snprintf(sizeof doing, doing, "read %s (has it the columns of llm_init()?)",
                     table_names[source->table]);
    host_error(host, doing, err);
  }
  sqlite3_finalize(stmt);
  return err->rc;
}

static int copy_builtin_models(Config *c, Err *err) {
  int n;
  const Model *models = catalogue_models(&n);
  for (int i = 0; i < n && err->rc == RC_OK; i++) {
    Model *m = append((void **)&c->models, &c->n_models, sizeof *m);
    if (!m || config_model_copy(&models[i], m, err) != RC_OK) {
      return err_nomem(err);
    }
  }
  return err->rc;
}

static int copy_builtin_tiers(Config *c, Err *err) {
  int n;
  const Tier *tiers = catalogue_tiers(&n);
  for (int i = 0; i < n && err->rc == RC_OK; i++) {
    add_tier(c, tiers[i].name, tiers[i].model, tiers[i].max_score, tiers[i].rank, err);
  }
  return err->rc;
}

void config_free(Config *c) {
  for (int i = 0; c && i < c->n_models; i++) {
    config_model_free(&c->models[i]);
  }
  for (int i = 0; c && i < c->n_tiers; i++) {
    free((char *)c->tiers[i].name);
    free((char *)c->tiers[i].model);
  }
  for (int i = 0; c && i < c->n_gates; i++) {
    free((char *)c->gates[i].name);
    free((char *)c->gates[i].kind);
    free((char *)c->gates[i].spec);
  }
  for (int i = 0; c && i < c->n_budgets; i++) {
    free((char *)c->budgets[i].scope);
    free((char *)c->budgets[i].period);
    free((char *)c->budgets[i].action);
    free((char *)c->budgets[i].unpriced);
  }
  if (c) {
    free(c->gates);
    free(c->budgets);
    prices_free(c->books, c->n_books);
    free(c->models);
    free(c->tiers);
    free(c);
  }
}

/* The version of main's content, changes by this and by other connections included. (The PRAGMA
** opens a read transaction, without which another connection's commit would not be noticed.) RC_OK or
** *err. */
static int data_version(sqlite3 *host, unsigned *version, Err *err) {
  sqlite3_stmt *stmt = NULL;
  int seen = SQLITE_ERROR,
      rc = sqlite3_prepare_v2(host, "PRAGMA main.data_version", -1, &stmt, NULL);
  *version = 0;
  if (rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    seen = sqlite3_file_control(host, "main", SQLITE_FCNTL_DATA_VERSION, version);
  }
  int end = sqlite3_finalize(stmt);
  if (rc != SQLITE_OK || end != SQLITE_OK || seen != SQLITE_OK) {
    host_error(host, "see whether the database has changed", err);
  }
  return err->rc;
}

/* What is read from tables, and what is compiled in where they are missing. */
static int read_tables(sqlite3 *host, Config *c, int missing, Err *err) {
  for (size_t i = 0; i < sizeof sources / sizeof sources[0] && err->rc == RC_OK; i++) {
    if (!(missing & 1 << sources[i].table)) {
      read_table(host, &sources[i], c, err);
    }
  }
  if (missing & 1 << MODELS && err->rc == RC_OK) {
    copy_builtin_models(c, err);
  }
  if (missing & 1 << TIERS && err->rc == RC_OK) {
    copy_builtin_tiers(c, err);
  }
  return err->rc;
}

static Config *read_all(sqlite3 *host, unsigned version, unsigned serial, Err *err) {
  Config *c = calloc(1, sizeof *c);
  int missing = c ? find_missing(host, err) : (err_nomem(err), -1);
  if (missing < 0 || read_tables(host, c, missing, err) != RC_OK) {
    config_free(c);
    return NULL;
  }
  c->has_model_table = !(missing & 1 << MODELS);
  c->has_tier_table = !(missing & 1 << TIERS);
  c->has_price_table = !(missing & 1 << PRICES);
  c->data_version = version;
  c->serial = serial;
  c->keep = sqlite3_get_autocommit(host);
  return c;
}

/* Never the same twice: what was kept of a configuration that is gone, after a reading that failed too, must
** not be taken for this one's. */
static unsigned new_serial(void) {
  static unsigned last;
  return __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
}

Config *config_read(sqlite3 *host, Config *known, Err *err) {
  unsigned version;
  Config *now = NULL;
  if (data_version(host, &version, err) == RC_OK) {
    if (known && known->keep && sqlite3_get_autocommit(host) && known->data_version == version) {
      return known;
    }
    now = read_all(host, version, new_serial(), err);
  }
  if (err->rc != RC_INTERRUPT) {
    config_free(known);
  }
  return now;
}

int config_adds_now(sqlite3 *host, Err *err) {
  sqlite3_stmt *stmt = NULL;
  int rc = sqlite3_prepare_v2(host,
                              "SELECT 1 FROM main.llm_models NOT INDEXED"
                              " WHERE extra IS NOT NULL OR headers IS NOT NULL LIMIT 1",
                              -1, &stmt, NULL);
  if (rc == SQLITE_ERROR) {
    return 0; /* a table of before there was anything to add */
  }
  int step = stmt ? sqlite3_step(stmt) : SQLITE_DONE, end = sqlite3_finalize(stmt);
  if (rc != SQLITE_OK || end != SQLITE_OK) {
    host_error(host, "look at llm_models", err);
    return -1;
  }
  return step == SQLITE_ROW;
}

int config_has_examples(sqlite3 *host, Err *err) {
  int missing = find_missing(host, err);
  return missing < 0 ? -1 : !(missing & 1 << EXAMPLES);
}

int config_prices(sqlite3 *host, Config *c, Err *err) {
  return c->books ? RC_OK : prices_read(host, c->has_price_table, &c->books, &c->n_books, err);
}
