/*
** See feedback.h for the contract.
*/
#include "store/feedback.h"

#include "store/ledger.h"

/* Runs a statement with the call's id as ?1, and as ?2 and ?3 what feedback says. */
static int run(Store *s, StoreSql sql, long long call_id, int ok, long long now, Err *err) {
  sqlite3_stmt *stmt = err->rc == RC_OK ? store_stmt(s, sql, err) : NULL;
  if (!stmt) {
    return err->rc;
  }
  int most = sqlite3_bind_parameter_count(stmt);
  sqlite3_bind_int64(stmt, 1, call_id);
  if (most >= 2) {
    sqlite3_bind_int(stmt, 2, ok);
  }
  if (most >= 3) {
    sqlite3_bind_int64(stmt, 3, now);
  }
  sqlite3_step(stmt);
  int rc = store_done(s, stmt);
  return rc == SQLITE_OK ? RC_OK : store_error(s, rc, "record feedback", err);
}

/* 1 if the ledger has this call and knows what it answered. */
static int is_known(Store *s, long long call_id, int ok, Err *err) {
  sqlite3_stmt *stmt = store_stmt(s, SQL_HAS_CALL, err);
  if (!stmt) {
    return 0;
  }
  sqlite3_bind_int64(stmt, 1, call_id);
  int step = sqlite3_step(stmt);
  if (step == SQLITE_DONE) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "no call %lld in llm_calls", call_id);
  } else if (step == SQLITE_ROW && !ok && sqlite3_column_int(stmt, 0)) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
            "call %lld was an exact hit whose text was not kept (log_text 'none'), so its answer"
            " can't be found: ask again with cache 'refresh'",
            call_id);
  }
  int rc = store_done(s, stmt);
  if (rc != SQLITE_OK && err->rc == RC_OK) {
    store_error(s, rc, "look for the call", err);
  }
  return err->rc == RC_OK;
}

int feedback_record(Store *s, long long call_id, int ok, long long now, Err *err) {
  if (ledger_flush(s, err) != RC_OK || !is_known(s, call_id, ok, err) ||
      store_begin(s, err) != RC_OK) {
    return err->rc;
  }
  run(s, SQL_TEACH_SIMILAR, call_id, ok, now, err); /* once, however often it is said */
  run(s, SQL_PUT_FEEDBACK, call_id, ok, now, err);
  if (!ok) {
    run(s, SQL_FORGET_ANSWER, call_id, ok, now, err);
    run(s, SQL_FORGET_SIMILAR, call_id, ok, now, err);
  }
  return store_end(s, err->rc == RC_OK, err);
}
