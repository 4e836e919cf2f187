/*
** See texts.h for the contract.
*/
#include "tables/audit/texts.h"

#include "work/audit/prompts.h"

const char *texts_read(Reading *r, Conn *conn, const char *hash, Err *err) {
  static const char sql[] = "SELECT text FROM main.llm_texts WHERE hash = ?1";
  sqlite3 *db = reading_connection(r, conn, sql, err);
  if (!db || reading_prepare(r, db, sql, err) != RC_OK) {
    return NULL;
  }
  sqlite3_bind_text(r->stmt, 1, hash, -1, SQLITE_TRANSIENT);
  if (reading_next(r, err) != RC_OK || !r->stmt) {
    return NULL;
  }
  const char *text = (const char *)sqlite3_column_text(r->stmt, 0);
  if (!text) {
    err_nomem(err);
  }
  return text;
}

char *texts_copy(Reading *r, Conn *conn, const char *hash, Err *err) {
  const char *text = texts_read(r, conn, hash, err);
  char *copy = text ? sqlite3_mprintf("%s", text) : NULL;
  if (text && !copy) {
    err_nomem(err);
  }
  return copy;
}

int texts_result_change(Reading *r, Conn *conn, const char *before, const char *hash,
                        TextChange what, sqlite3_context *ctx, Err *err) {
  char *old = texts_copy(r, conn, before, err);
  const char *text = old ? texts_read(r, conn, hash, err) : NULL;
  size_t at = text ? prompts_first_change(old, text) : 0;
  if (text && what == CHANGE_AT) {
    sqlite3_result_int64(ctx, (sqlite3_int64)at);
  } else if (text) {
    char *around = prompts_around(text, at);
    around ? sqlite3_result_text(ctx, around, -1, sqlite3_free) : (void)err_nomem(err);
  }
  sqlite3_free(old);
  return err->rc;
}
