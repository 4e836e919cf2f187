/*
** See watched.h for the contract.
*/
#include "trust/watched.h"

#include <string.h>

/* From 3.39 on SQLite lists its databases without a statement. */
static int has_names(void) {
  return sqlite3_libversion_number() >= 3039000;
}

void watched_close(Watched *w) {
  for (int i = 0; i < w->n; i++) {
    schema_watch_close(&w->list[i].watch);
    sqlite3_free(w->list[i].name);
  }
  sqlite3_free(w->list);
  *w = (Watched){0};
}

int watched_is_bytes(sqlite3 *db, const char *schema) {
  sqlite3_vfs *vfs = NULL;
  sqlite3_file_control(db, schema, SQLITE_FCNTL_VFS_POINTER, &vfs);
  return vfs && vfs->zName && strcmp(vfs->zName, "memdb") == 0;
}

static int is_in_use(sqlite3 *db, const char *schema) {
  return sqlite3_txn_state(db, schema) != SQLITE_TXN_NONE;
}

int watched_error(sqlite3 *db, const char *schema, int rc, Err *err) {
  int code = rc & 0xff;
  if ((code == SQLITE_BUSY || code == SQLITE_LOCKED) && !is_in_use(db, schema)) {
    return RC_OK;
  }
  if (code == SQLITE_NOMEM) {
    return err_nomem(err);
  }
  if (code == SQLITE_INTERRUPT) {
    return err_set(err, RC_INTERRUPT, ERR_INTERRUPTED, "interrupted");
  }
  return err_set(err, code ? code : RC_ERROR, ERR_CONFIG,
                 "nothing was done, since the schema of '%.60s' can't be looked at: %s%s", schema,
                 sqlite3_errmsg(db),
                 code == SQLITE_AUTH ? " (the authorizer must let sqlite_schema be read)" : "");
}

static int add(Watched *w, const char *name, Err *err) {
  WatchedSchema *more = sqlite3_realloc64(w->list, sizeof *more * (sqlite3_uint64)(w->n + 1));
  char *copy = more ? sqlite3_mprintf("%s", name) : NULL;
  w->list = more ? more : w->list;
  if (!copy) {
    return err_nomem(err);
  }
  w->list[w->n++] = (WatchedSchema){.name = copy};
  return RC_OK;
}

/* Every database but number 1, which is temp. */
static int list_all(Watched *w, sqlite3 *db, Err *err) {
  const char *name;
  for (int i = 0; has_names() && err->rc == RC_OK && (name = sqlite3_db_name(db, i)) != NULL; i++) {
    i == 1 ? RC_OK : add(w, name, err);
  }
  if (has_names()) {
    return err->rc;
  }
  sqlite3_stmt *stmt = NULL;
  int rc = sqlite3_prepare_v2(db, "PRAGMA database_list", -1, &stmt, NULL);
  while (rc == SQLITE_OK && err->rc == RC_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    name = (const char *)sqlite3_column_text(stmt, 1);
    rc = name ? SQLITE_OK : SQLITE_NOMEM;
    name &&sqlite3_column_int(stmt, 0) != 1 ? add(w, name, err) : RC_OK;
  }
  sqlite3_finalize(stmt);
  return rc == SQLITE_DONE || err->rc != RC_OK ? err->rc : watched_error(db, "main", rc, err);
}

/* Of what may still be rolled back, and of bytes in memory, nothing is sure. */
static void see(WatchedSchema *s, sqlite3 *db) {
  s->file = NULL;
  if (sqlite3_txn_state(db, s->name) != SQLITE_TXN_WRITE && !watched_is_bytes(db, s->name)) {
    int rc = sqlite3_file_control(db, s->name, SQLITE_FCNTL_FILE_POINTER, &s->file);
    if (rc != SQLITE_OK ||
        sqlite3_file_control(db, s->name, SQLITE_FCNTL_DATA_VERSION, &s->version) != SQLITE_OK) {
      s->file = NULL;
    }
  }
}

static int begin(WatchedSchema *s, sqlite3 *db, int *all, Err *err) {
  int changed;
  char *sql = sqlite3_mprintf("SELECT 1 FROM \"%w\".sqlite_schema NOT INDEXED WHERE 0", s->name);
  int rc = sql ? schema_watch_open(&s->watch, db, sql) : SQLITE_NOMEM;
  rc = rc == SQLITE_OK ? schema_watch_look(&s->watch, &changed) : rc;
  sqlite3_free(sql);
  if (rc != SQLITE_OK) {
    *all = 0;
    watched_error(db, s->name, rc, err);
    schema_watch_close(&s->watch);
    return err->rc;
  }
  see(s, db);
  return RC_OK;
}

int watched_open(Watched *w, sqlite3 *db, int keep, int *all, Err *err) {
  watched_close(w);
  *all = keep;
  list_all(w, db, err);
  for (int i = 0; keep && i < w->n && err->rc == RC_OK; i++) {
    begin(&w->list[i], db, all, err);
  }
  return err->rc;
}

/* 1 if this one is as it was, by the file as SQLite knows it, or by a look. */
static int is_same(WatchedSchema *s, sqlite3 *db) {
  WatchedSchema now = *s;
  int changed = 1;
  see(&now, db);
  if (now.file && now.file == s->file && now.version == s->version && !is_in_use(db, s->name)) {
    return 1;
  }
  if (!s->watch.stmt || watched_is_bytes(db, s->name) ||
      schema_watch_look(&s->watch, &changed) != SQLITE_OK || changed) {
    return 0;
  }
  see(s, db);
  return 1;
}

int watched_is_current(Watched *w, sqlite3 *db) {
  int i = 0;
  if (!has_names() || w->n == 0) {
    return 0;
  }
  for (const char *name; (name = sqlite3_db_name(db, i < 1 ? i : i + 1)) != NULL; i++) {
    if (i >= w->n || strcmp(name, w->list[i].name) != 0 || !is_same(&w->list[i], db)) {
      return 0;
    }
  }
  return i == w->n;
}
