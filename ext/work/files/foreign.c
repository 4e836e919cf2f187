/*
** See foreign.h for the contract.
*/
#include "work/files/foreign.h"

#include "base/sqlite/sqlite_api.h"
#include "base/text/json.h"

#include <string.h>
#include <sys/stat.h>

enum { BUSY_MS = 2000, STEPS = 20000 };

/* Reads through SQLite's own descriptors, which it closes when no lock of this process needs them any more. */
static size_t read_head(sqlite3_vfs *vfs, const char *name, char head[FOREIGN_HEAD]) {
  sqlite3_file *file = sqlite3_malloc(vfs->szOsFile);
  size_t n = 0;
  if (file) {
    memset(file, 0, (size_t)vfs->szOsFile);
    int rc = vfs->xOpen(vfs, name, file, SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB, NULL);
    if (rc == SQLITE_OK && file->pMethods->xRead(file, head, FOREIGN_HEAD, 0) == SQLITE_OK) {
      n = FOREIGN_HEAD;
    }
    if (file->pMethods) {
      file->pMethods->xClose(file);
    }
  }
  sqlite3_free(file);
  return n;
}

size_t foreign_head(const char *path, char head[FOREIGN_HEAD]) {
  struct stat st;
  sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
  if (!vfs || stat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
    return 0;
  }
  const char *name = sqlite3_create_filename(path, "", "", 0, NULL);
  size_t n = name ? read_head(vfs, name, head) : 0;
  sqlite3_free_filename((char *)name);
  return n > 0 && memcmp(head, "SQLite format 3", 16) == 0 ? n : 0;
}

static int fail(sqlite3 *db, int rc, const ForeignRows *f, Err *err) {
  int code = rc & 0xff;
  if (code == SQLITE_NOMEM) {
    return err_nomem(err);
  }
  if (code == SQLITE_INTERRUPT && f->interrupted(f->arg)) {
    return err_set(err, RC_INTERRUPT, ERR_INTERRUPTED, "interrupted");
  }
  return err_set(err, RC_ERROR, ERR_IO, "%s", db ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
}

static int interrupted(void *arg) {
  const ForeignRows *f = arg;
  return f->interrupted(f->arg);
}

static sqlite3 *open_file(const ForeignRows *f, Err *err) {
  sqlite3 *db = NULL;
  int rc = sqlite3_open_v2(f->path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
  if (rc == SQLITE_OK) {
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_busy_timeout(db, BUSY_MS);
#ifndef SQLITE_CORE
    if (sqlite3_api->progress_handler)
#endif
    {
      sqlite3_progress_handler(db, STEPS, interrupted, (void *)f);
    }
    rc = sqlite3_exec(db, "PRAGMA query_only=ON; PRAGMA cell_size_check=ON", NULL, NULL, NULL);
  }
  if (rc != SQLITE_OK) {
    fail(db, rc, f, err);
    sqlite3_close(db);
    db = NULL;
  }
  return db;
}

/* A value; a BLOB is left out. */
static cJSON *value_of(sqlite3_stmt *stmt, int i) {
  char number[32];
  const char *text;
  switch (sqlite3_column_type(stmt, i)) {
  case SQLITE_INTEGER:
    sqlite3_snprintf(sizeof number, number, "%lld", sqlite3_column_int64(stmt, i));
    return cJSON_CreateRaw(number);
  case SQLITE_FLOAT:
    return cJSON_CreateNumber(sqlite3_column_double(stmt, i));
  case SQLITE_TEXT:
    text = (const char *)sqlite3_column_text(stmt, i);
    return text ? cJSON_CreateString(text) : NULL;
  default:
    return cJSON_CreateNull();
  }
}

static int take_row(const ForeignRows *f, sqlite3_stmt *stmt, long long number, Err *err) {
  cJSON *row = cJSON_CreateObject();
  for (int i = 0; i < sqlite3_column_count(stmt); i++) {
    json_add(row, sqlite3_column_name(stmt, i), value_of(stmt, i), err);
  }
  char *text = json_print(row, err);
  if (text) {
    f->take(f->arg, text, strlen(text), number, err);
  }
  cJSON_free(text);
  return err->rc;
}

/* 1 if this version of the file has not what the query asks for. */
static int is_missing(sqlite3 *db) {
  const char *why = sqlite3_errmsg(db);
  return strncmp(why, "no such table", 13) == 0 || strncmp(why, "no such column", 14) == 0;
}

/* The length of the query at the head of several. */
static size_t query_length(const char *query) {
  const char *end = strchr(query, ';');
  return end ? (size_t)(end - query) + 1 : strlen(query);
}

static int run_query(const ForeignRows *f, sqlite3 *db, const char *query, long long *number,
                     int *ran, Err *err) {
  sqlite3_stmt *stmt = NULL;
  int rc = sqlite3_prepare_v2(db, query, (int)query_length(query), &stmt, NULL);
  if (rc == SQLITE_ERROR && is_missing(db)) {
    return RC_OK;
  }
  *ran |= stmt != NULL;
  while (stmt && rc == SQLITE_OK && err->rc == RC_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    take_row(f, stmt, ++*number, err);
    rc = SQLITE_OK;
  }
  if (err->rc == RC_OK && rc != SQLITE_OK && rc != SQLITE_DONE) {
    fail(db, rc, f, err);
  }
  sqlite3_finalize(stmt);
  return err->rc;
}

int foreign_each(const ForeignRows *f, Err *err) {
  sqlite3 *db = open_file(f, err);
  long long number = 0;
  int ran = 0;
  for (const char *q = f->query; db && q && *q && err->rc == RC_OK; q += query_length(q)) {
    run_query(f, db, q, &number, &ran, err);
  }
  if (db && !ran && err->rc == RC_OK) {
    err_set(err, RC_ERROR, ERR_IO, "it has none of the tables that are read");
  }
  sqlite3_close(db);
  return err->rc;
}
