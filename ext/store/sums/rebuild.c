/*
** See rebuild.h for the contract. A day at a time, so that memory holds the sums of one day only.
*/
#include "store/sums/rebuild.h"

#include <stdint.h>

/* A row that is on its way is not final; others are added later. */
static const char day_sql[] =
    "SELECT " ROW_COLUMNS " FROM main.llm_calls WHERE ts >= ?1 AND ts < ?1 + 86400000"
    " AND id NOT IN (SELECT call_id FROM main.llm_intents UNION ALL SELECT call_id FROM "
    "main.llm_uncounted)";

static const char next_sql[] =
    "SELECT min(t) FROM (SELECT min(ts) AS t FROM main.llm_calls WHERE ts >= ?1 UNION ALL"
    " SELECT min(start) FROM main.llm_sums WHERE dimension = 0 AND grain = 1440 AND start >= ?1)";

static const char drop_sql[] = "DELETE FROM main.llm_sums WHERE dimension IN (0, 1, 2, 3)"
                               " AND grain IN (15, 1440) AND start >= ?1 AND start < ?1 + 86400000";

static int fail(sqlite3 *db, int rc, Err *err) {
  return rc == SQLITE_NOMEM
             ? err_nomem(err)
             : err_set(err, rc & 0xff, rc == SQLITE_INTERRUPT ? ERR_INTERRUPTED : ERR_STORE,
                       "cannot read the ledger: %s", sqlite3_errmsg(db));
}

long long rebuild_day_of(long long ts) {
  long long rest = ts % REBUILD_DAY_MS;
  return ts - (rest < 0 ? rest + REBUILD_DAY_MS : rest);
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql, long long value, Err *err) {
  sqlite3_stmt *stmt = NULL;
  int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
  if (rc != SQLITE_OK) {
    fail(db, rc, err);
    return NULL;
  }
  sqlite3_bind_int64(stmt, 1, value);
  return stmt;
}

static int fold_rows(sqlite3 *db, sqlite3_stmt *stmt, Sums *sums, Err *err) {
  int rc = SQLITE_DONE;
  while (stmt && err->rc == RC_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    LedgerRow row;
    if (row_read(stmt, &row) == SQLITE_OK) {
      sums_fold(sums, &row, 1, err);
    } else {
      err_nomem(err);
    }
  }
  if (err->rc == RC_OK && rc != SQLITE_DONE) {
    fail(db, rc, err);
  }
  return err->rc;
}

int rebuild_fold(sqlite3 *db, long long day, Sums *sums, Err *err) {
  sqlite3_stmt *stmt = prepare(db, day_sql, day, err);
  fold_rows(db, stmt, sums, err);
  sqlite3_finalize(stmt);
  return err->rc;
}

int rebuild_uncounted(Store *s, Err *err) {
  Sums *sums = sums_new(err);
  sqlite3_stmt *stmt = sums ? store_stmt(s, SQL_GET_UNCOUNTED, err) : NULL;
  if (stmt) {
    fold_rows(s->db, stmt, sums, err);
    store_done(s, stmt);
  }
  if (err->rc == RC_OK && sums_length(sums) > 0 && sums_write(s, sums, err) == RC_OK) {
    store_run(s, SQL_DROP_UNCOUNTED, err);
  }
  sums_free(sums);
  return err->rc;
}

int rebuild_next_day(sqlite3 *db, long long from, long long *day, Err *err) {
  sqlite3_stmt *stmt = prepare(db, next_sql, from, err);
  int found = 0, rc = stmt ? sqlite3_step(stmt) : SQLITE_DONE;
  if (rc == SQLITE_ROW) {
    found = sqlite3_column_type(stmt, 0) == SQLITE_INTEGER;
    *day = rebuild_day_of(sqlite3_column_int64(stmt, 0));
  } else if (err->rc == RC_OK) {
    fail(db, rc, err);
  }
  sqlite3_finalize(stmt);
  return err->rc == RC_OK ? found : -1;
}

/* Runs a statement with one or two moments. */
static int run(Store *s, const char *sql, long long from, long long to, Err *err) {
  sqlite3_stmt *stmt = err->rc == RC_OK ? prepare(s->db, sql, from, err) : NULL;
  int rc = SQLITE_OK;
  if (stmt) {
    sqlite3_bind_int64(stmt, 2, to); /* (where there is a second) */
    sqlite3_step(stmt);
    rc = sqlite3_finalize(stmt);
  }
  return rc == SQLITE_OK ? err->rc : store_error(s, rc, "make its sums anew", err);
}

int rebuild_month(Store *s, long long month, Err *err) {
  run(s,
      "DELETE FROM main.llm_sums WHERE dimension IN (0, 1, 2, 3) AND grain = 43200 AND start = ?1",
      month, 0, err);
  return run(s, "INSERT INTO main.llm_sums " REBUILD_MONTH_SQL, month, sums_next_month(month), err);
}

static int rebuild_one_day(Store *s, long long day, Err *err) {
  Sums *sums = sums_new(err);
  if (sums && run(s, drop_sql, day, 0, err) == RC_OK &&
      rebuild_fold(s->db, day, sums, err) == RC_OK) {
    sums_write_new(s, sums, err);
  }
  sums_free(sums);
  return err->rc;
}

int rebuild_day(Store *s, long long day, Err *err) {
  SumState state;
  if (sums_state(s, &state, err) != RC_OK || day < state.sealed_before) {
    return err->rc;
  }
  return rebuild_one_day(s, day, err) == RC_OK ? rebuild_month(s, sums_month(day), err) : err->rc;
}

int rebuild_all(Store *s, Err *err) {
  long long day = 0, from = INT64_MIN, month = 0;
  int found = 0, has_month = 0;
  while ((found = rebuild_next_day(s->db, from, &day, err)) == 1) {
    if (has_month && sums_month(day) != month) {
      rebuild_month(s, month, err);
    }
    month = sums_month(day);
    has_month = 1;
    if (err->rc != RC_OK || rebuild_one_day(s, day, err) != RC_OK) {
      break;
    }
    from = day + REBUILD_DAY_MS;
  }
  return found == 0 && has_month ? rebuild_month(s, month, err) : err->rc;
}
