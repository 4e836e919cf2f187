/*
** The store's connections, statements and transactions. See store.h for the contract.
**
** In main mode no prepared statement outlives a call, because a statement left on the caller's
** connection would make its sqlite3_close() fail.
*/
#include "store/db/store.h"

#include "base/limits.h"
#include "base/sqlite/columns.h"

#include <string.h>
#include <unistd.h>

const char *store_name(const Store *s) {
  return s->path ? s->path : s->mode->name;
}

/* (What was asked of the connection since, such as whether it was interrupted, may have taken its own words away.) */
static const char *words_of(const Store *s, int rc) {
  int is_last = s->db && (sqlite3_errcode(s->db) & 0xff) == (rc & 0xff);
  return is_last ? sqlite3_errmsg(s->db) : sqlite3_errstr(rc);
}

int store_error(Store *s, int rc, const char *doing, Err *err) {
  int code = rc & 0xff;
  s->is_stale =
      code == SQLITE_BUSY && s->db && sqlite3_extended_errcode(s->db) == SQLITE_BUSY_SNAPSHOT;
  if (code == SQLITE_INTERRUPT || (code == SQLITE_BUSY && s->host.interrupted(s->host.arg))) {
    return err_set(err, RC_INTERRUPT, ERR_INTERRUPTED, "interrupted");
  }
  if (code == SQLITE_NOMEM) {
    return err_nomem(err);
  }
  return err_set(
      err, code, ERR_STORE, "the store '%s': cannot %s: %s%s", store_name(s), doing,
      words_of(s, rc),
      code == SQLITE_FULL ? "; free some space and run it again"
      : code == SQLITE_CANTOPEN || code == SQLITE_READONLY
          ? "; LLMCOST_STORE" ERR_CURE(" or llm_config('store', path)") " can name another file"
          : "");
}

sqlite3_stmt *store_stmt(Store *s, StoreSql id, Err *err) {
  sqlite3_stmt *stmt = s->stmt[id]; /* NULL always on a connection that isn't ours */
  if (stmt) {
    return stmt;
  }
  const char *sql = statement_text(id);
  unsigned flags = s->mode->owns_connection ? SQLITE_PREPARE_PERSISTENT : 0;
  int rc = sqlite3_prepare_v3(s->db, sql, -1, flags, &stmt, NULL);
  if (rc != SQLITE_OK) {
    store_error(s, rc, "prepare", err);
    return NULL;
  }
  if (s->mode->owns_connection) {
    s->stmt[id] = stmt;
  }
  return stmt;
}

int store_done(Store *s, sqlite3_stmt *stmt) {
  if (!s->mode->owns_connection) {
    return sqlite3_finalize(stmt);
  }
  int rc = sqlite3_reset(stmt);
  sqlite3_clear_bindings(stmt);
  return rc;
}

int store_run(Store *s, StoreSql id, Err *err) {
  sqlite3_stmt *stmt = store_stmt(s, id, err);
  if (!stmt) {
    return err->rc;
  }
  sqlite3_step(stmt);
  int rc = store_done(s, stmt);
  return rc == SQLITE_OK ? RC_OK
                         : store_error(s, rc, id == SQL_BEGIN ? "start writing" : "commit", err);
}

int store_exec(Store *s, const char *sql, const char *doing, Err *err) {
  if (err->rc == RC_OK) {
    int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
    if (rc != SQLITE_OK) {
      store_error(s, rc, doing, err);
    }
  }
  return err->rc;
}

int store_ask(Store *s, const char *sql, long long *value, Err *err) {
  sqlite3_stmt *stmt = NULL;
  int rc = sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL), found = 0;
  if (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    found = sqlite3_column_type(stmt, 0) == SQLITE_INTEGER ? 1 : -1;
    *value = sqlite3_column_int64(stmt, 0);
  }
  sqlite3_finalize(stmt);
  if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
    store_error(s, rc, "read its settings", err);
    return -1;
  }
  return found >= 0 ? found
                    : (err_set(err, RC_ERROR, ERR_STORE,
                               "the store '%s' is damaged: a setting is no number", store_name(s)),
                       -1);
}

int store_begin(Store *s, Err *err) {
  if (node_may_change(s->host.node, err) != RC_OK) {
    return err->rc;
  }
  return s->group ? s->group->begin(s, err) : s->mode->begin(s, err);
}

int store_end(Store *s, int ok, Err *err) {
  return s->group ? s->group->end(s, ok, err) : s->mode->end(s, ok, err);
}

/* Waits for another process's write, in steps short enough that an interrupt ends it at once. */
static int wait_while_busy(void *arg, int n) {
  static const int delays[] = {1, 2, 5, 10, 15, 20, 25};
  int last = (int)(sizeof delays / sizeof delays[0]) - 1;
  Store *s = arg;
  int waited = n <= last ? n * 10 : last * 10 + (n - last) * delays[last];
  if (waited > LIMIT_BUSY_MS || s->host.interrupted(s->host.arg)) {
    return 0;
  }
  sqlite3_sleep(delays[n < last ? n : last]);
  return 1;
}

/* Ctrl-C ends a long statement of ours, but not the one that keeps what was paid for. */
static int is_interrupted(void *arg) {
  Store *s = arg;
  return s->n_settling == 0 && s->host.interrupted(s->host.arg);
}

/* Lets Ctrl-C end a long query on a connection of ours. (Some hosts are built without the function.) */
static void watch_interrupts(Store *s, sqlite3 *db) {
  enum { STEPS = 20000 }; /* about a millisecond */
#ifndef SQLITE_CORE
  if (!sqlite3_api->progress_handler) {
    return;
  }
#endif
  sqlite3_progress_handler(db, STEPS, is_interrupted, s);
}

int store_harden(Store *s, sqlite3 *db) {
  int rc = sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  if (rc == SQLITE_OK) {
    rc = sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
  }
  if (rc == SQLITE_OK) { /* a column that is missing is an error, not the text of its name */
    rc = sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
  }
  sqlite3_busy_handler(db, wait_while_busy, s);
  watch_interrupts(s, db);
  return rc;
}

int store_has_schema(sqlite3 *db, Err *err) {
  int is_there = 0, rc = column_look(db, "main", "llm_meta", "value", &is_there);
  if (rc == SQLITE_OK) {
    return is_there;
  }
  rc == SQLITE_NOMEM ? err_nomem(err)
                     : err_set(err, rc & 0xff, ERR_STORE, "cannot look for the store in main: %s",
                               sqlite3_errmsg(db));
  return -1;
}

int store_has_schema_now(sqlite3 *db, Err *err) {
  /* (a statement that runs compares the schema's number; its own errors come again below) */
  sqlite3_exec(db, "SELECT 1 FROM main.sqlite_schema NOT INDEXED LIMIT 1", NULL, NULL, NULL);
  return store_has_schema(db, err);
}

void store_hang_up(Store *s) {
  for (int i = 0; i < SQL_COUNT; i++) {
    sqlite3_finalize(s->stmt[i]);
    s->stmt[i] = NULL;
  }
  sqlite3_close_v2(s->db);
  s->db = NULL;
}

int store_is_inherited(const Store *s) {
  return s->pid != getpid();
}

/* A connection that came by fork: its file must not be written, nor its WAL taken away. Inside a transaction
** (another thread of the parent's was writing) even rolling back would write: it is left as it is. While it is
** open SQLite takes its locks for this process's, so that others can't be opened: 0 for that. */
int store_leave_connection(sqlite3 *db) {
  int is_idle = db && sqlite3_get_autocommit(db);
  if (is_idle) {
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_close_v2(db);
  }
  return is_idle || !db;
}

/* Takes the idle one at a place, with what it keeps. */
static sqlite3 *take_idle(Store *s, int at, sqlite3_stmt **kept) {
  sqlite3 *reader = s->readers[at];
  *kept = s->kept[at];
  s->n_readers--;
  s->readers[at] = s->readers[s->n_readers];
  s->kept[at] = s->kept[s->n_readers];
  return reader;
}

sqlite3 *store_reader_next_idle(Store *s) {
  sqlite3_stmt *kept = NULL;
  sqlite3 *reader = s->n_readers > 0 ? take_idle(s, s->n_readers - 1, &kept) : NULL;
  sqlite3_finalize(kept);
  return reader;
}

sqlite3 *store_reader_take_for(Store *s, const char *sql, sqlite3_stmt **kept, Err *err) {
  int at = s->n_readers - 1;
  while (at >= 0 && (!s->kept[at] || strcmp(sqlite3_sql(s->kept[at]), sql) != 0)) {
    at--;
  }
  *kept = NULL;
  if (at < 0 || s->snapshot) {
    return store_reader_take(s, err);
  }
  s->n_taken++;
  return take_idle(s, at, kept);
}

sqlite3 *store_reader_take(Store *s, Err *err) {
  sqlite3 *reader = s->snapshot ? s->snapshot : store_reader_next_idle(s);
  reader = reader ? reader : s->mode->open_reader(s, err);
  s->n_taken += reader != NULL;
  return reader;
}

/* Gives it back out of its transaction; where that can't be ended (without memory) it is closed. */
static void leave_snapshot(Store *s, sqlite3 *reader) {
  sqlite3_exec(reader, "ROLLBACK", NULL, NULL, NULL);
  if (sqlite3_get_autocommit(reader)) {
    store_reader_give(s, reader);
  } else {
    s->n_taken--;
    sqlite3_close_v2(reader);
  }
}

int store_snapshot_begin(Store *s, Err *err) {
  static const char sql[] = "BEGIN; SELECT 1 FROM main.llm_meta LIMIT 1";
  sqlite3 *reader = store_reader_take(s, err);
  int rc = reader ? sqlite3_exec(reader, sql, NULL, NULL, NULL) : SQLITE_OK;
  if (rc != SQLITE_OK) {
    (rc & 0xff) == SQLITE_NOMEM ? err_nomem(err)
                                : err_set(err, rc & 0xff, ERR_STORE, "the store '%s': %s",
                                          store_name(s), sqlite3_errmsg(reader));
    leave_snapshot(s, reader);
  } else {
    s->snapshot = reader;
  }
  return err->rc;
}

void store_snapshot_end(Store *s) {
  sqlite3 *reader = s->snapshot;
  s->snapshot = NULL;
  if (reader) {
    leave_snapshot(s, reader);
  }
}

void store_reader_give_with(Store *s, sqlite3 *reader, sqlite3_stmt *kept) {
  if (reader && reader == s->snapshot) {
    sqlite3_finalize(kept);
    s->n_taken--;
    return;
  }
  int is_idle = reader && s->pid != 0 && s->n_readers < STORE_IDLE_READERS;
  if (!is_idle) {
    sqlite3_finalize(kept);
  }
  if (!reader) {
    return;
  }
  s->n_taken--;
  if (is_idle) {
    sqlite3_reset(kept);
    if (kept) {
      sqlite3_clear_bindings(kept);
    }
    s->kept[s->n_readers] = kept;
    s->readers[s->n_readers++] = reader;
  } else if (s->pid == 0) {
    store_leave_connection(reader);
  } else {
    sqlite3_close(reader);
  }
}

void store_reader_give(Store *s, sqlite3 *reader) {
  if (reader) {
    store_reader_give_with(s, reader, NULL);
  }
}

char *store_default_path(sqlite3 *host, Err *err) {
  const char *file = sqlite3_db_filename(host, "main");
  sqlite3_vfs *vfs = NULL;
  sqlite3_file_control(host, "main", SQLITE_FCNTL_VFS_POINTER, &vfs);
  if (!file || !file[0] || (vfs && strcmp(vfs->zName, "memdb") == 0)) {
    return NULL;
  }
  char *path = sqlite3_mprintf("%s-llmcost", file);
  if (!path) {
    err_nomem(err);
  }
  return path;
}
