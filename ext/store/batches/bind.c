/*
** See bind.h for the contract.
*/
#include "store/batches/bind.h"

#include "store/db/row.h"

Bound bind_start(Store *s, StoreSql id, Err *err) {
  return (Bound){s, err->rc == RC_OK ? store_stmt(s, id, err) : NULL, SQLITE_OK};
}

static void note(Bound *b, int rc) {
  b->rc = b->rc ? b->rc : rc;
}

void bind_number(Bound *b, int at, long long value) {
  if (b->stmt) {
    note(b, value == LEDGER_NULL ? sqlite3_bind_null(b->stmt, at)
                                 : sqlite3_bind_int64(b->stmt, at, value));
  }
}

void bind_words(Bound *b, int at, const char *text) {
  if (b->stmt) {
    note(b, sqlite3_bind_text(b->stmt, at, text, -1, SQLITE_STATIC));
  }
}

int bind_step(Bound *b, Err *err) {
  return b->stmt && b->rc == SQLITE_OK && err->rc == RC_OK && sqlite3_step(b->stmt) == SQLITE_ROW;
}

int bind_end(Bound *b, const char *doing, Err *err) {
  if (!b->stmt) {
    return err->rc;
  }
  int rc = store_done(b->s, b->stmt);
  b->stmt = NULL;
  rc = b->rc ? b->rc : rc;
  return rc == SQLITE_OK || err->rc != RC_OK ? err->rc : store_error(b->s, rc, doing, err);
}

int bind_run(Bound *b, const char *doing, Err *err) {
  bind_step(b, err);
  return bind_end(b, doing, err) == RC_OK ? sqlite3_changes(b->s->db) : -1;
}
