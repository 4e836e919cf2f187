/*
** See examples.h for the contract.
*/
#include "store/host/examples.h"

#include "store/host/host.h"

static int take_row(sqlite3_stmt *stmt, TakeExample take, void *arg, Err *err) {
  int type = sqlite3_column_type(stmt, 1);
  double label = sqlite3_column_double(stmt, 1);
  if ((type != SQLITE_INTEGER && type != SQLITE_FLOAT) || !(label >= 0 && label <= 1)) {
    return err_set(err, RC_ERROR, ERR_CONFIG,
                   "llm_route_examples, row %lld: a label is a number from 0 to 1",
                   sqlite3_column_int64(stmt, 2));
  }
  const char *prompt = host_text(stmt, 0, "llm_route_examples", err);
  return prompt ? take(arg, prompt, (size_t)sqlite3_column_bytes(stmt, 0), label, err) : err->rc;
}

int examples_read(sqlite3 *host, TakeExample take, void *arg, Err *err) {
  sqlite3_stmt *stmt = NULL;
  int is_there = config_has_examples(host, err);
  if (is_there <= 0) {
    return err->rc
               ? err->rc
               : err_set(err, RC_ERROR, ERR_CONFIG,
                         "there is no table llm_route_examples yet: SELECT llm_init() makes it");
  }
  int rc = sqlite3_prepare_v2(
      host, "SELECT prompt, label, rowid FROM main.llm_route_examples ORDER BY rowid", -1, &stmt,
      NULL);
  while (rc == SQLITE_OK && err->rc == RC_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    rc = take_row(stmt, take, arg, err) == RC_OK ? SQLITE_OK : SQLITE_ERROR;
  }
  if (err->rc == RC_OK && rc != SQLITE_DONE) {
    host_error(host, "read llm_route_examples", err);
  }
  sqlite3_finalize(stmt);
  return err->rc;
}
