/*
** Reading the ledger's calls again. See audit.h for the contract.
*/
#include "store/audit/audit.h"

#include "base/sqlite/columns.h"
#include "sql/sql_text.h"
#include "store/ledger.h"

#define AUDIT_SQL                                                                                  \
  "SELECT id, ts, cost_nusd, provider, model_requested, model, usage, service, geo, input_tokens," \
  " cached_input_tokens, cache_write_tokens, cache_write_long_tokens, output_tokens,"              \
  " reasoning_tokens, kind = 'embed' FROM main.llm_calls WHERE kind IN ('call', 'batch', 'embed')" \
  " AND (?3 IS NULL OR provider = ?3) AND (NOT ?4 OR billed IS NOT 'list')"

/* All of them in the order they came; those of a time by its index. */
static const char all_sql[] = AUDIT_SQL " ORDER BY id";
static const char time_sql[] = AUDIT_SQL " AND ts >= ?1 AND ts < ?2";
static const char one_sql[] = AUDIT_SQL " AND id = ?1";

static long long number(sqlite3_stmt *stmt, int i) {
  return sqlite3_column_type(stmt, i) == SQLITE_INTEGER ? sqlite3_column_int64(stmt, i)
                                                        : LEDGER_NULL;
}

static const char *text(sqlite3_stmt *stmt, int i) {
  return (const char *)sqlite3_column_text(stmt, i);
}

static void read_row(sqlite3_stmt *stmt, AuditRow *row) {
  *row = (AuditRow){.id = number(stmt, 0),
                    .ts = number(stmt, 1),
                    .cost_nusd = number(stmt, 2),
                    .provider = text(stmt, 3),
                    .model_requested = text(stmt, 4),
                    .model = text(stmt, 5),
                    .usage = text(stmt, 6),
                    .service = text(stmt, 7),
                    .geo = text(stmt, 8),
                    .input_tokens = number(stmt, 9),
                    .cached_input_tokens = number(stmt, 10),
                    .cache_write_tokens = number(stmt, 11),
                    .cache_write_long_tokens = number(stmt, 12),
                    .output_tokens = number(stmt, 13),
                    .reasoning_tokens = number(stmt, 14),
                    .embeds = number(stmt, 15) == 1};
}

static int bind(sqlite3_stmt *stmt, const AuditAsk *ask) {
  sqlite3_bind_int64(stmt, 1, ask->from);
  sqlite3_bind_int64(stmt, 2, ask->to);
  sqlite3_bind_int(stmt, 4, ask->is_paid);
  return sqlite3_bind_text(stmt, 3, ask->provider, -1, SQLITE_STATIC);
}

static int fail(sqlite3 *db, int rc, Err *err) {
  return rc == SQLITE_NOMEM
             ? err_nomem(err)
             : err_set(err, rc & 0xff, rc == SQLITE_INTERRUPT ? ERR_INTERRUPTED : ERR_STORE,
                       "cannot read the ledger: %s", sqlite3_errmsg(db));
}

/* Hands the rows of a statement over. */
static int take_each(sqlite3 *db, const char *sql, const AuditAsk *ask, AuditFn take, void *arg,
                     Err *err) {
  sqlite3_stmt *stmt = NULL;
  int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
  rc = rc == SQLITE_OK ? bind(stmt, ask) : rc;
  while (rc == SQLITE_OK && err->rc == RC_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    AuditRow row;
    if (!columns_have_texts(stmt)) {
      err_nomem(err);
      break;
    }
    read_row(stmt, &row);
    take(arg, &row, err);
    rc = SQLITE_OK;
  }
  if (err->rc == RC_OK && rc != SQLITE_DONE) {
    fail(db, rc, err);
  }
  sqlite3_finalize(stmt);
  return err->rc;
}

int audit_each(Store *s, const AuditAsk *ask, AuditFn take, void *arg, Err *err) {
  sqlite3 *reader = ledger_flush(s, err) == RC_OK ? store_reader_take(s, err) : NULL;
  if (err->rc == RC_OK) {
    take_each(reader ? reader : s->db, ask->from == LLONG_MIN ? all_sql : time_sql, ask, take, arg,
              err);
  }
  store_reader_give(s, reader);
  return err->rc;
}

/* The row's JSON, open at its end; NULL where there is no such row, or *err. */
static char *read_json(sqlite3 *db, long long id, Err *err) {
  sqlite3_stmt *stmt = NULL;
  char *json = NULL;
  int rc = sqlite3_prepare_v2(db, sql_explain_sql, -1, &stmt, NULL);
  if (rc == SQLITE_OK) {
    sqlite3_bind_int64(stmt, 1, id);
    rc = sqlite3_step(stmt);
  }
  if (rc == SQLITE_ROW) {
    const char *text = (const char *)sqlite3_column_text(stmt, 0);
    int n = sqlite3_column_bytes(stmt, 0);
    json = text && n > 0 ? sqlite3_mprintf("%.*s", n - 1, text) : NULL;
    json ? RC_OK : err_nomem(err);
  } else if (rc != SQLITE_DONE) {
    fail(db, rc, err);
  }
  sqlite3_finalize(stmt);
  return json;
}

char *audit_explain(Store *s, long long id, AuditFn take, void *arg, Err *err) {
  const AuditAsk ask = {.from = id};
  sqlite3 *reader = ledger_flush(s, err) == RC_OK ? store_reader_take(s, err) : NULL;
  sqlite3 *db = reader ? reader : s->db;
  char *json = err->rc == RC_OK ? read_json(db, id, err) : NULL;
  if (json && take_each(db, one_sql, &ask, take, arg, err) != RC_OK) {
    sqlite3_free(json);
    json = NULL;
  }
  store_reader_give(s, reader);
  return json;
}

int audit_sums(Store *s, int repair, DifferenceFn take, void *arg, Compared *compared, Err *err) {
  sqlite3 *reader = ledger_flush(s, err) == RC_OK ? store_reader_take(s, err) : NULL;
  if (err->rc == RC_OK) {
    compare_sums(s, reader, repair, take, arg, compared, err);
  }
  store_reader_give(s, reader);
  return err->rc;
}
