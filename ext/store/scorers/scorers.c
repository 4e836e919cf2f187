/*
** See scorers.h for the contract.
*/
#include "store/scorers/scorers.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

static int fail(Store *s, int rc, Err *err) {
  return store_error(s, rc, "keep or read a scorer", err);
}

/* A statement about that name; NULL and *err. */
static sqlite3_stmt *start(Store *s, const char *sql, const char *name, Err *err) {
  sqlite3_stmt *stmt = NULL;
  int rc = sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL);
  rc = rc == SQLITE_OK ? sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC) : rc;
  if (rc != SQLITE_OK) {
    sqlite3_finalize(stmt);
    fail(s, rc, err);
    return NULL;
  }
  return stmt;
}

static int finish(Store *s, sqlite3_stmt *stmt, Err *err) {
  int rc = sqlite3_finalize(stmt);
  return rc == SQLITE_OK ? RC_OK : fail(s, rc, err);
}

static int write(Store *s, const char *name, const TrainedScorer *scorer, long long now, Err *err) {
  sqlite3_stmt *stmt =
      start(s, "INSERT OR REPLACE INTO main.llm_scorers VALUES (?1, ?2, ?3, ?4, ?5)", name, err);
  if (!stmt) {
    return err->rc;
  }
  int rc = sqlite3_bind_text(stmt, 2, scorer->version, -1, SQLITE_STATIC);
  sqlite3_bind_int64(stmt, 3, now);
  rc = rc ? rc : sqlite3_bind_text(stmt, 4, scorer->report, -1, SQLITE_STATIC);
  rc = rc ? rc : sqlite3_bind_blob64(stmt, 5, scorer->weights, scorer->n, SQLITE_STATIC);
  if (rc == SQLITE_OK) {
    sqlite3_step(stmt);
  }
  int end = sqlite3_finalize(stmt);
  return rc != SQLITE_OK || end != SQLITE_OK ? fail(s, rc ? rc : end, err) : RC_OK;
}

int scorers_put(Store *s, const char *name, const TrainedScorer *scorer, long long now, Err *err) {
  if (store_begin(s, err) == RC_OK) {
    write(s, name, scorer, now, err);
    store_end(s, err->rc == RC_OK, err);
  }
  return err->rc;
}

int scorers_version(Store *s, const char *name, char version[SCORER_VERSION], Err *err) {
  sqlite3_stmt *stmt = start(s, "SELECT version FROM main.llm_scorers WHERE name = ?1", name, err);
  int found = stmt && sqlite3_step(stmt) == SQLITE_ROW;
  if (found) {
    const char *text = (const char *)sqlite3_column_text(stmt, 0);
    utf8_copy(version, SCORER_VERSION, text ? text : "");
  }
  return stmt && finish(s, stmt, err) == RC_OK ? found : -1;
}

int scorers_get(Store *s, const char *name, TrainedScorer *scorer, Err *err) {
  sqlite3_stmt *stmt =
      start(s, "SELECT version, weights FROM main.llm_scorers WHERE name = ?1", name, err);
  int found = stmt && sqlite3_step(stmt) == SQLITE_ROW;
  *scorer = (TrainedScorer){.n = 0};
  if (found) {
    const char *text = (const char *)sqlite3_column_text(stmt, 0);
    const void *bytes = sqlite3_column_blob(stmt, 1);
    utf8_copy(scorer->version, sizeof scorer->version, text ? text : "");
    scorer->n = (size_t)sqlite3_column_bytes(stmt, 1);
    scorer->weights = bytes ? malloc(scorer->n) : NULL;
    if (scorer->weights) {
      memcpy(scorer->weights, bytes, scorer->n);
    } else {
      err_nomem(err);
    }
  }
  if (!stmt || finish(s, stmt, err) != RC_OK || err->rc != RC_OK) {
    free(scorer->weights);
    scorer->weights = NULL;
    return -1;
  }
  return found;
}
