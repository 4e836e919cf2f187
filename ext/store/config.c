/*
** Reading and making the configuration tables. See config.h for the contract.
*/
#include "store/config.h"

#include "core/model_name.h"
#include "core/sql_text.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static int host_error(sqlite3 *host, const char *doing, Err *err) {
  int rc = sqlite3_errcode(host) & 0xff;
  if (rc == SQLITE_INTERRUPT) {
    return err_set(err, RC_INTERRUPT, "interrupted", "interrupted");
  }
  return err_set(err, rc ? rc : RC_ERROR, "config", "cannot %s: %s", doing, sqlite3_errmsg(host));
}

/* 1 if a column of the table is hidden or generated. (PRAGMA as a statement: a table in a hostile file may be named
** like the table-valued form.) */
static int has_generated_column(sqlite3 *host, const char *name) {
  sqlite3_stmt *stmt = NULL;
  int found = 0;
  char sql[64];
  sqlite3_snprintf(sizeof sql, sql, "PRAGMA main.table_xinfo(%Q)", name);
  if (sqlite3_prepare_v2(host, sql, -1, &stmt, NULL) != SQLITE_OK) {
    return 1;
  }
  while (sqlite3_step(stmt) == SQLITE_ROW) {
    found |= sqlite3_column_int(stmt, 6) != 0;
  }
  sqlite3_finalize(stmt);
  return found;
}

/* 1 the table is there and plain, 0 it is missing, -1 refused or failed. */
static int is_plain_table(sqlite3 *host, const char *name, Err *err) {
  static const char sql[] = "SELECT type = 'table' AND rootpage > 0 FROM main.sqlite_schema"
                            " WHERE name = ?1 COLLATE NOCASE AND type IN ('table', 'view')";
  sqlite3_stmt *stmt = NULL;
  int found = 0;
  if (sqlite3_prepare_v2(host, sql, -1, &stmt, NULL) != SQLITE_OK) {
    host_error(host, "read the schema", err);
    return -1;
  }
  sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
  int rc = sqlite3_step(stmt);
  if (rc == SQLITE_ROW) {
    found = sqlite3_column_int(stmt, 0) && !has_generated_column(host, name) ? 1 : -1;
  }
  if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
    found = -1;
    host_error(host, "read the schema", err);
  } else if (found < 0) {
    err_set(err, RC_ERROR, "config",
            "%s in this database is a view, a virtual table or has generated columns: not read;"
            " drop it and run SELECT llm_init()",
            name);
  }
  sqlite3_finalize(stmt);
  return found;
}

static int run_insert(sqlite3 *host, sqlite3_stmt *stmt, Err *err) {
  sqlite3_step(stmt);
  return sqlite3_reset(stmt) == SQLITE_OK ? RC_OK : host_error(host, "fill the configuration", err);
}

static void bind_text_or_null(sqlite3_stmt *stmt, int at, const char *text) {
  if (text[0]) {
    sqlite3_bind_text(stmt, at, text, -1, SQLITE_STATIC);
  } else {
    sqlite3_bind_null(stmt, at);
  }
}

static void bind_int_or_null(sqlite3_stmt *stmt, int at, long long value) {
  if (value) {
    sqlite3_bind_int64(stmt, at, value);
  } else {
    sqlite3_bind_null(stmt, at);
  }
}

static int fill_models(sqlite3 *host, Err *err) {
  int n;
  const Model *models = catalogue_models(&n);
  sqlite3_stmt *stmt = NULL;
  if (sqlite3_prepare_v2(host, "INSERT OR IGNORE INTO main.llm_models(name, provider, api, base_url, key_env,"
                               " context_window, max_output, supports) VALUES (?,?,?,?,?,?,?,?)",
                         -1, &stmt, NULL) != SQLITE_OK) {
    return host_error(host, "fill llm_models", err);
  }
  for (int i = 0; i < n && err->rc == RC_OK; i++) {
    const char *texts[] = {models[i].name, models[i].provider, models[i].api, models[i].base_url,
                           models[i].key_env};
    for (int k = 0; k < 5; k++) {
      bind_text_or_null(stmt, k + 1, texts[k]);
    }
    bind_int_or_null(stmt, 6, models[i].context_window);
    bind_int_or_null(stmt, 7, models[i].max_output);
    bind_text_or_null(stmt, 8, models[i].supports);
    run_insert(host, stmt, err);
  }
  sqlite3_finalize(stmt);
  return err->rc;
}

static int fill_tiers(sqlite3 *host, Err *err) {
  int n;
  const Tier *tiers = catalogue_tiers(&n);
  sqlite3_stmt *stmt = NULL;
  if (sqlite3_prepare_v2(host, "INSERT OR IGNORE INTO main.llm_tiers(name, max_score, model, rank) VALUES (?,?,?,?)",
                         -1, &stmt, NULL) != SQLITE_OK) {
    return host_error(host, "fill llm_tiers", err);
  }
  for (int i = 0; i < n && err->rc == RC_OK; i++) {
    sqlite3_bind_text(stmt, 1, tiers[i].name, -1, SQLITE_STATIC);
    sqlite3_bind_double(stmt, 2, tiers[i].max_score);
    sqlite3_bind_text(stmt, 3, tiers[i].model, -1, SQLITE_STATIC);
    sqlite3_bind_int(stmt, 4, tiers[i].rank);
    run_insert(host, stmt, err);
  }
  sqlite3_finalize(stmt);
  return err->rc;
}

static const char *const table_names[] = {"llm_models", "llm_prices", "llm_tiers"};
enum { N_TABLES = 3 };

/* Which tables are missing, as a bit each; -1 on error. */
static int find_missing(sqlite3 *host, Err *err) {
  int missing = 0;
  for (int i = 0; i < N_TABLES; i++) {
    int found = is_plain_table(host, table_names[i], err);
    if (found < 0) {
      return -1;
    }
    missing |= found ? 0 : 1 << i;
  }
  return missing;
}

static char *describe(int missing) {
  sqlite3_str *s = sqlite3_str_new(NULL);
  for (int i = 0; i < N_TABLES; i++) {
    if (missing & 1 << i) {
      sqlite3_str_appendf(s, "%s%s", sqlite3_str_length(s) ? ", " : "created ", table_names[i]);
    }
  }
  if (!missing) {
    sqlite3_str_appendf(s, "up to date");
  }
  return sqlite3_str_finish(s);
}

int config_init(sqlite3 *host, char **report, Err *err) {
  *report = NULL;
  int missing = find_missing(host, err);
  if (missing < 0) {
    return err->rc;
  }
  if (missing && sqlite3_exec(host, "SAVEPOINT llm_init", NULL, NULL, NULL) != SQLITE_OK) {
    return host_error(host, "create the tables (run llm_init() in a SELECT of its own)", err);
  }
  if (missing && sqlite3_exec(host, sql_config_sql, NULL, NULL, NULL) != SQLITE_OK) {
    host_error(host, "create the tables", err);
  }
  if (err->rc == RC_OK && (missing & 1)) {
    fill_models(host, err);
  }
  if (err->rc == RC_OK && (missing & 4)) {
    fill_tiers(host, err);
  }
  if (missing) {
    sqlite3_exec(host, err->rc == RC_OK ? "RELEASE llm_init" : "ROLLBACK TO llm_init; RELEASE llm_init", NULL,
                 NULL, NULL);
  }
  *report = err->rc == RC_OK ? describe(missing) : NULL;
  return err->rc;
}

static char *column_copy(sqlite3_stmt *stmt, int i) {
  const char *text = (const char *)sqlite3_column_text(stmt, i);
  return strdup(text ? text : "");
}

static int copy_model(const Model *from, Model *to, Err *err) {
  *to = *from;
  to->name = strdup(from->name);
  to->provider = strdup(from->provider);
  to->api = strdup(from->api);
  to->base_url = strdup(from->base_url);
  to->key_env = strdup(from->key_env);
  to->supports = strdup(from->supports);
  return to->name && to->provider && to->api && to->base_url && to->key_env && to->supports ? RC_OK
                                                                                            : err_nomem(err);
}

void config_model_free(Model *m) {
  free((char *)m->name);
  free((char *)m->provider);
  free((char *)m->api);
  free((char *)m->base_url);
  free((char *)m->key_env);
  free((char *)m->supports);
  memset(m, 0, sizeof *m);
}

/* The best match among the compiled-in models; NULL: none. */
static const Model *find_builtin(const char *name) {
  int n, best = 0;
  const Model *models = catalogue_models(&n), *found = NULL;
  for (int i = 0; i < n; i++) {
    int match = model_name_match(name, models[i].name);
    if (match > best) {
      best = match;
      found = &models[i];
    }
  }
  return found;
}

static const char model_columns[] = "SELECT name, provider, api, base_url, key_env, supports, context_window,"
                                    " max_output FROM main.llm_models";

/* Reads rows of llm_models and keeps the best match. 1 found, 0 not, -1 error. */
static int find_in_table(sqlite3 *host, const char *name, Model *model, Err *err) {
  sqlite3_stmt *stmt = NULL;
  int best = 0, rc;
  if (sqlite3_prepare_v2(host, model_columns, -1, &stmt, NULL) != SQLITE_OK) {
    host_error(host, "read llm_models (has it the columns of llm_init()?)", err);
    return -1;
  }
  while ((rc = sqlite3_step(stmt)) == SQLITE_ROW && best < 3) {
    const char *known = (const char *)sqlite3_column_text(stmt, 0);
    int match = known ? model_name_match(name, known) : 0;
    if (match > best) {
      best = match;
      config_model_free(model);
      *model = (Model){column_copy(stmt, 0), column_copy(stmt, 1), column_copy(stmt, 2), column_copy(stmt, 3),
                       column_copy(stmt, 4), column_copy(stmt, 5), sqlite3_column_int64(stmt, 6),
                       sqlite3_column_int64(stmt, 7)};
    }
  }
  if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
    host_error(host, "read llm_models", err);
  }
  sqlite3_finalize(stmt);
  return err->rc == RC_OK ? best > 0 : -1;
}

/* A dated snapshot is asked for by its own name. */
static int keep_snapshot_name(const char *asked, Model *model, Err *err) {
  if (model_name_match(asked, model->name) == 1) {
    free((char *)model->name);
    model->name = strdup(asked);
  }
  return model->name ? RC_OK : err_nomem(err);
}

int config_model(sqlite3 *host, const char *name, Model *model, Err *err) {
  memset(model, 0, sizeof *model);
  int has_table = is_plain_table(host, "llm_models", err);
  if (has_table < 0) {
    return err->rc;
  }
  const Model *found = has_table ? NULL : find_builtin(name);
  if (found ? copy_model(found, model, err) == RC_OK : has_table && find_in_table(host, name, model, err) == 1) {
    return keep_snapshot_name(name, model, err);
  }
  if (err->rc != RC_OK) {
    return err->rc;
  }
  char near[256];
  config_nearest(host, name, near, sizeof near);
  return err_set(err, RC_ERROR, "unknown_model", "no model '%.80s' %s (nearest: %s)", name,
                 has_table ? "in llm_models" : "is built in; SELECT llm_init() and add it to llm_models", near);
}

typedef struct Nearest {
  const char *asked;
  char names[3][80];
  int distance[3];
} Nearest;

static void nearest_offer(Nearest *n, const char *name) {
  int d = model_name_distance(n->asked, name, 1000);
  for (int i = 0; i < 3; i++) {
    if (d < n->distance[i]) {
      for (int k = 2; k > i; k--) {
        n->distance[k] = n->distance[k - 1];
        memcpy(n->names[k], n->names[k - 1], sizeof n->names[k]);
      }
      n->distance[i] = d;
      sqlite3_snprintf(sizeof n->names[i], n->names[i], "%s", name);
      return;
    }
  }
}

void config_nearest(sqlite3 *host, const char *name, char *out, size_t size) {
  Nearest near = {.asked = name, .distance = {1000, 1000, 1000}};
  Err ignored = {0};
  sqlite3_stmt *stmt = NULL;
  int n;
  const Model *models = catalogue_models(&n);
  if (is_plain_table(host, "llm_models", &ignored) == 1) {
    sqlite3_prepare_v2(host, "SELECT name FROM main.llm_models", -1, &stmt, NULL);
    while (stmt && sqlite3_step(stmt) == SQLITE_ROW) {
      nearest_offer(&near, (const char *)sqlite3_column_text(stmt, 0));
    }
    sqlite3_finalize(stmt);
  } else {
    for (int i = 0; i < n; i++) {
      nearest_offer(&near, models[i].name);
    }
  }
  sqlite3_snprintf((int)size, out, "%s%s%s%s%s", near.names[0], near.names[1][0] ? ", " : "", near.names[1],
                   near.names[2][0] ? ", " : "", near.names[2]);
}

static int copy_builtin_tiers(Tier **tiers, int *n, Err *err) {
  const Tier *builtin = catalogue_tiers(n);
  *tiers = calloc((size_t)*n, sizeof **tiers);
  for (int i = 0; *tiers && i < *n; i++) {
    (*tiers)[i] = builtin[i];
    (*tiers)[i].name = strdup(builtin[i].name);
    (*tiers)[i].model = strdup(builtin[i].model);
  }
  return *tiers ? RC_OK : err_nomem(err);
}

void config_tiers_free(Tier *tiers, int n) {
  for (int i = 0; tiers && i < n; i++) {
    free((char *)tiers[i].name);
    free((char *)tiers[i].model);
  }
  free(tiers);
}

int config_tiers(sqlite3 *host, Tier **tiers, int *n, Err *err) {
  enum { MOST = 64 };
  sqlite3_stmt *stmt = NULL;
  *tiers = NULL;
  *n = 0;
  int has_table = is_plain_table(host, "llm_tiers", err);
  if (has_table <= 0) {
    return has_table < 0 ? err->rc : copy_builtin_tiers(tiers, n, err);
  }
  if (sqlite3_prepare_v2(host, "SELECT name, model, max_score, rank FROM main.llm_tiers ORDER BY rank, max_score",
                         -1, &stmt, NULL) != SQLITE_OK) {
    return host_error(host, "read llm_tiers (has it the columns of llm_init()?)", err);
  }
  *tiers = calloc(MOST, sizeof **tiers);
  while (*tiers && *n < MOST && sqlite3_step(stmt) == SQLITE_ROW) {
    (*tiers)[(*n)++] = (Tier){column_copy(stmt, 0), column_copy(stmt, 1), sqlite3_column_double(stmt, 2),
                              sqlite3_column_int(stmt, 3)};
  }
  sqlite3_finalize(stmt);
  return *tiers ? RC_OK : err_nomem(err);
}

static int read_time(sqlite3_stmt *stmt, int column, long long otherwise, long long *ms, Err *err) {
  const char *text = (const char *)sqlite3_column_text(stmt, column);
  *ms = otherwise;
  if (text && text[0] && !time_parse(text, ms)) {
    return err_set(err, RC_ERROR, "config", "llm_prices: '%.40s' is no date (expected 'YYYY-MM-DD' or Unix ms)", text);
  }
  return RC_OK;
}

static int read_price(sqlite3_stmt *stmt, PriceRow *row, Err *err) {
  const char *kind = (const char *)sqlite3_column_text(stmt, 1);
  const char *price = (const char *)sqlite3_column_text(stmt, 2);
  int k = kind ? price_kind_parse(kind) : -1;
  if (k < 0) {
    return err_set(err, RC_ERROR, "config", "llm_prices: kind '%.40s' (valid: %s)", kind ? kind : "NULL",
                   PRICE_KIND_WORDS);
  }
  if (!price || !decimal_parse_pico(price, &row->pusd)) {
    return err_set(err, RC_ERROR, "config", "llm_prices: '%.40s' is no price in dollars", price ? price : "NULL");
  }
  row->kind = (PriceKind)k;
  row->above_tokens = sqlite3_column_int64(stmt, 5);
  read_time(stmt, 3, 0, &row->from_ms, err);
  read_time(stmt, 4, LLONG_MAX, &row->to_ms, err);
  row->model = column_copy(stmt, 0);
  return row->model ? err->rc : err_nomem(err);
}

/* Adds the row to the list; on error nothing of it is kept. */
static int append_price(PriceList *list, sqlite3_stmt *stmt, Err *err) {
  PriceRow row = {0};
  PriceRow *rows = realloc((PriceRow *)list->rows, (size_t)(list->n + 1) * sizeof *rows);
  if (!rows) {
    return err_nomem(err);
  }
  list->rows = rows;
  if (read_price(stmt, &row, err) == RC_OK) {
    rows[list->n++] = row;
  } else {
    free((char *)row.model);
  }
  return err->rc;
}

int config_prices(sqlite3 *host, const char *model, PriceList *list, Err *err) {
  sqlite3_stmt *stmt = NULL;
  *list = (PriceList){0};
  int rc = SQLITE_DONE, has_table = is_plain_table(host, "llm_prices", err);
  if (has_table <= 0) {
    return has_table < 0 ? err->rc : RC_OK;
  }
  if (sqlite3_prepare_v2(host, "SELECT model, kind, usd_per_million, valid_from, valid_to, above_tokens"
                               " FROM main.llm_prices", -1, &stmt, NULL) != SQLITE_OK) {
    return host_error(host, "read llm_prices (has it the columns of llm_init()?)", err);
  }
  while (err->rc == RC_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    const char *known = (const char *)sqlite3_column_text(stmt, 0);
    if (known && model_name_match(model, known)) {
      append_price(list, stmt, err);
    }
  }
  if (err->rc == RC_OK && rc != SQLITE_DONE) {
    host_error(host, "read llm_prices", err);
  }
  sqlite3_finalize(stmt);
  if (err->rc != RC_OK) {
    config_prices_free(list);
  }
  return err->rc;
}

void config_prices_free(PriceList *list) {
  for (int i = 0; i < list->n; i++) {
    free((char *)list->rows[i].model);
  }
  free((PriceRow *)list->rows);
  *list = (PriceList){0};
}
