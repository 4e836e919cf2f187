/*
** See model.h for the contract.
*/
#include "store/schema/model.h"

#include "sql/sql_text.h"
#include "store/db/row.h"
#include "store/db/sum_row.h"

#define DECLARE(name, type, constraint, when) ",\n  " #name " " ROW_TYPE_##type " " constraint
static const char ledger_sql[] =
    "CREATE TABLE IF NOT EXISTS main.llm_calls(\n  id INTEGER PRIMARY KEY" LEDGER_COLUMNS(
        DECLARE) ")";

#define DECLARE_SUM(name, kind) ",\n  " #name " " SUM_TYPE_##kind
static const char sums_sql[] =
    "CREATE TABLE IF NOT EXISTS main.llm_sums(\n  dimension INTEGER NOT NULL,\n  grain INTEGER NOT "
    "NULL,\n"
    "  start INTEGER NOT NULL,\n  value NOT NULL,\n  provider NOT NULL,\n  service NOT NULL,\n"
    "  source NOT NULL,\n  billed NOT NULL" SUM_MEASURES(DECLARE_SUM) ",\n  PRIMARY KEY(" SUM_KEY
                                                                      ")\n) WITHOUT ROWID";

int model_make_tables(sqlite3 *db) {
  static const char *const texts[] = {ledger_sql, sums_sql, sql_store_sql, sql_cache_sql};
  int rc = SQLITE_OK;
  for (size_t i = 0; i < sizeof texts / sizeof texts[0] && rc == SQLITE_OK; i++) {
    rc = sqlite3_exec(db, texts[i], NULL, NULL, NULL);
  }
  return rc;
}

int model_make_views(sqlite3 *db, int with_costs) {
  int rc = sqlite3_exec(db, sql_views_sql, NULL, NULL, NULL);
  return rc == SQLITE_OK && with_costs ? sqlite3_exec(db, sql_cost_views_sql, NULL, NULL, NULL)
                                       : rc;
}

sqlite3 *store_model(const StoreHost *host, Err *err) {
  sqlite3 *db = NULL;
  int rc = sqlite3_open_v2(":memory:", &db,
                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
  if (rc == SQLITE_OK) {
    rc = host->prepare(host->arg, db);
  }
  rc = rc == SQLITE_OK ? model_make_tables(db) : rc;
  rc = rc == SQLITE_OK ? model_make_views(db, 1) : rc;
  if (rc != SQLITE_OK) {
    rc == SQLITE_NOMEM ? err_nomem(err)
                       : err_set(err, RC_ERROR, ERR_STORE, "no schema: %s", sqlite3_errstr(rc));
    sqlite3_close(db);
    db = NULL;
  }
  return db;
}

/* The declaration from an empty database that holds just our schema; NULL and *err without memory, or where
** there is no such table. */
static char *declare(sqlite3 *db, const char *name, Err *err) {
  sqlite3_stmt *stmt = NULL;
  sqlite3_str *decl = sqlite3_str_new(db);
  int n = 0;
  sqlite3_str_appendf(decl, "CREATE TABLE x(");
  int rc = sqlite3_prepare_v2(
      db, "SELECT name, type || iif(hidden = 1, ' HIDDEN', '') FROM pragma_table_xinfo(?1)", -1,
      &stmt, NULL);
  rc = rc == SQLITE_OK ? sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC) : rc;
  while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    const char *column = (const char *)sqlite3_column_text(stmt, 0);
    const char *type = (const char *)sqlite3_column_text(stmt, 1);
    sqlite3_str_appendf(decl, "%s\"%w\" %s", n++ ? ", " : "", column, type);
    rc = column && type ? SQLITE_OK : SQLITE_NOMEM;
  }
  sqlite3_finalize(stmt);
  sqlite3_str_appendf(decl, ")");
  char *text = sqlite3_str_finish(decl);
  if (text && n > 0 && rc == SQLITE_DONE) {
    return text;
  }
  !text || rc == SQLITE_NOMEM ? err_nomem(err)
                              : err_set(err, RC_ERROR, ERR_STORE, "no declaration of %s", name);
  sqlite3_free(text);
  return NULL;
}

char *store_declaration(const StoreHost *host, const char *name, Err *err) {
  sqlite3 *db = store_model(host, err);
  char *decl = db ? declare(db, name, err) : NULL;
  sqlite3_close(db);
  return decl;
}
