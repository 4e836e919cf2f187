/*
** Reading the ledger's calls again. See audit.h for the contract.
*/
#include "store/audit/audit.h"

#include "base/limits.h"
#include "sql/sql_text.h"
#include "store/ledger.h"

#define HITS "'hit_exact', 'hit_semantic'"
#define AUDIT_SQL                                                                                  \
  "SELECT " ROW_COLUMNS " FROM main.llm_calls WHERE (kind IN ('call', 'batch', 'embed')"           \
  " OR (?5 & 1 AND kind IN (" HITS ")) OR (?5 & 2 AND kind = 'unknown')"                           \
  " OR (?5 & 4 AND kind = 'refused')) AND (?3 IS NULL OR provider = ?3)"                           \
  " AND (NOT ?4 OR billed IS NOT 'list') AND (?6 IS NULL OR tag = ?6)"

#define PART_SQL AUDIT_SQL " AND ts >= ?1 AND ts < ?2 ORDER BY ts"

/* All of them, and those of a part of time, by its index. */
static const char *const statements[][2] = {
    [AUDIT_AS_STORED] = {AUDIT_SQL " ORDER BY id", PART_SQL ", id"},
    [AUDIT_BY_TIME] = {AUDIT_SQL " ORDER BY ts, id", PART_SQL ", id"},
    [AUDIT_NEWEST_FIRST] = {AUDIT_SQL " ORDER BY id DESC", PART_SQL " DESC, id DESC"},
};
static const char one_sql[] = AUDIT_SQL " AND id = ?1";

static int bind(sqlite3_stmt *stmt, const AuditAsk *ask) {
  sqlite3_bind_int64(stmt, 1, ask->from);
  sqlite3_bind_int64(stmt, 2, ask->to);
  sqlite3_bind_int(stmt, 4, ask->is_paid);
  sqlite3_bind_int(stmt, 5, ask->also);
  int rc = sqlite3_bind_text(stmt, 3, ask->provider, -1, SQLITE_STATIC);
  return rc == SQLITE_OK ? sqlite3_bind_text(stmt, 6, ask->tag, -1, SQLITE_STATIC) : rc;
}

static int fail(sqlite3 *db, int rc, Err *err) {
  return rc == SQLITE_NOMEM
             ? err_nomem(err)
             : err_set(err, rc & 0xff, rc == SQLITE_INTERRUPT ? ERR_INTERRUPTED : ERR_STORE,
                       "cannot read the ledger: %s", sqlite3_errmsg(db));
}

/* (What no clock shows, as what any store may hold, is the end of time: so that differences of moments are numbers.) */
static long long moment(long long ts) {
  return ts > LIMIT_COUNT ? LIMIT_COUNT : ts < -LIMIT_COUNT ? -LIMIT_COUNT : ts;
}

/* Hands the rows of a statement over. */
static int take_each(sqlite3 *db, const char *sql, const AuditAsk *ask, AuditFn take, void *arg,
                     Err *err) {
  sqlite3_stmt *stmt = NULL;
  int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
  rc = rc == SQLITE_OK ? bind(stmt, ask) : rc;
  while (rc == SQLITE_OK && err->rc == RC_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    AuditRow row;
    if (row_read(stmt, &row) != SQLITE_OK) {
      err_nomem(err);
      break;
    }
    row.ts = moment(row.ts);
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
  int is_part = ask->from != LLONG_MIN || ask->to != LLONG_MAX;
  if (err->rc == RC_OK) {
    take_each(reader ? reader : s->db, statements[ask->order][is_part], ask, take, arg, err);
  }
  store_reader_give(s, reader);
  return err->rc;
}

#define END_SQL "(SELECT ts FROM main.llm_calls WHERE cost_nusd > 0 AND ts < ?1 ORDER BY ts"

int audit_ends(Store *s, long long before, AuditEnds *ends, Err *err) {
  sqlite3 *reader = ledger_flush(s, err) == RC_OK ? store_reader_take(s, err) : NULL;
  sqlite3 *db = reader ? reader : s->db;
  sqlite3_stmt *stmt = NULL;
  *ends = (AuditEnds){0, 0};
  if (err->rc == RC_OK) {
    int rc = sqlite3_prepare_v2(db, "SELECT " END_SQL " LIMIT 1), " END_SQL " DESC LIMIT 1)", -1,
                                &stmt, NULL);
    rc = rc == SQLITE_OK ? sqlite3_bind_int64(stmt, 1, before) : rc;
    rc = rc == SQLITE_OK ? sqlite3_step(stmt) : rc;
    if (rc == SQLITE_ROW) {
      *ends =
          (AuditEnds){moment(sqlite3_column_int64(stmt, 0)), moment(sqlite3_column_int64(stmt, 1))};
    } else {
      fail(db, rc, err);
    }
  }
  sqlite3_finalize(stmt);
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
