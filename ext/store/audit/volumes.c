/*
** See volumes.h for the contract.
*/
#include "store/audit/volumes.h"

#include "base/sqlite/columns.h"
#include "store/ledger.h"

#include <stdio.h>

/* ?1 the model or NULL, ?2 the tag or NULL, ?3 where the month begins and ?4 where it ends. */
static const char volume_sql[] =
    "SELECT coalesce(model, model_requested), max(provider), count(*), count(cost_nusd),"
    " coalesce(sum(cost_nusd), 0), count(input_tokens + output_tokens),"
    " coalesce(sum(input_tokens) FILTER (WHERE output_tokens IS NOT NULL), 0),"
    " coalesce(sum(output_tokens) FILTER (WHERE input_tokens IS NOT NULL), 0),"
    " (SELECT min(ts) FROM main.llm_calls)"
    " FROM main.llm_calls WHERE kind IN ('call', 'batch') AND ts >= ?3 AND ts < ?4"
    " AND (input_tokens IS NOT NULL OR cost_nusd IS NOT NULL)"
    " AND (?1 IS NULL OR model_requested = ?1 OR model = ?1) AND (?2 IS NULL OR tag = ?2)"
    " GROUP BY CASE WHEN ?1 IS NULL THEN coalesce(model, model_requested) END"
    " ORDER BY sum(cost_nusd) DESC, count(*) DESC LIMIT 1";

static void read_name(sqlite3_stmt *stmt, int i, char name[VOLUME_NAME]) {
  const char *text = (const char *)sqlite3_column_text(stmt, i);
  snprintf(name, VOLUME_NAME, "%s", text ? text : "");
}

static void read_volume(sqlite3_stmt *stmt, Volume *v) {
  read_name(stmt, 0, v->model);
  read_name(stmt, 1, v->provider);
  v->calls = sqlite3_column_int64(stmt, 2);
  v->priced = sqlite3_column_int64(stmt, 3);
  v->cost_nusd = sqlite3_column_int64(stmt, 4);
  v->measured = sqlite3_column_int64(stmt, 5);
  v->input_tokens = sqlite3_column_int64(stmt, 6);
  v->output_tokens = sqlite3_column_int64(stmt, 7);
  v->first = sqlite3_column_int64(stmt, 8);
}

static int bind(sqlite3_stmt *stmt, const VolumeAsk *ask) {
  static const long long month_ms = VOLUME_DAYS * 86400000LL;
  sqlite3_bind_int64(stmt, 3, ask->now - month_ms);
  sqlite3_bind_int64(stmt, 4, ask->now + 1); /* a row of this very moment counts */
  int rc = sqlite3_bind_text(stmt, 1, ask->model, -1, SQLITE_STATIC);
  return rc == SQLITE_OK ? sqlite3_bind_text(stmt, 2, ask->tag, -1, SQLITE_STATIC) : rc;
}

static int fail(sqlite3 *db, int rc, Err *err) {
  return rc == SQLITE_NOMEM
             ? err_nomem(err)
             : err_set(err, rc & 0xff, rc == SQLITE_INTERRUPT ? ERR_INTERRUPTED : ERR_STORE,
                       "cannot read the ledger: %s", sqlite3_errmsg(db));
}

/* One row, or none. */
static int read_from(sqlite3 *db, const VolumeAsk *ask, Volume *v, Err *err) {
  sqlite3_stmt *stmt = NULL;
  int rc = sqlite3_prepare_v2(db, volume_sql, -1, &stmt, NULL);
  rc = rc == SQLITE_OK ? bind(stmt, ask) : rc;
  rc = rc == SQLITE_OK ? sqlite3_step(stmt) : rc;
  if (rc == SQLITE_ROW && columns_have_texts(stmt)) {
    read_volume(stmt, v);
  } else if (rc != SQLITE_DONE) {
    fail(db, rc == SQLITE_ROW ? SQLITE_NOMEM : rc, err);
  }
  sqlite3_finalize(stmt);
  return err->rc;
}

int volumes_read(Store *s, const VolumeAsk *ask, Volume *volume, Err *err) {
  *volume = (Volume){.first = 0};
  sqlite3 *reader = ledger_flush(s, err) == RC_OK ? store_reader_take(s, err) : NULL;
  if (err->rc == RC_OK) {
    read_from(reader ? reader : s->db, ask, volume, err);
  }
  store_reader_give(s, reader);
  return err->rc;
}
