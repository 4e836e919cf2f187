/*
** Opening, migrating and closing the store, and its prepared statements. See store.h for the
** contract.
**
** File format: schema in sql/store.sql and sql/views.sql; `llm_meta` holds schema_version, the key
** seed and the store's id, `llm_marks` who may use it (genuine.h); user_version and application_id
** repeat the version for outside tools (not in main mode: there they are the user's).
**
** In main mode no prepared statement outlives a call, because a statement left on the caller's
** connection would make its sqlite3_close() fail.
*/
#include "store/store.h"

#include "base/clock.h"
#include "base/sqlite/columns.h"
#include "sql/sql_text.h"
#include "store/schema/genuine.h"
#include "store/claim/inflight.h"
#include "store/ledger.h"
#include "store/schema/migrate.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes that the WAL's file keeps once it starts anew: a reader that holds a snapshot for long makes it grow
** beyond. Four times what SQLite lets it grow to by itself. */
#define WAL_KEPT "16777216"

static const char *const sql_texts[SQL_COUNT] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    /* ?1 … ?32: the columns of llm_calls in their order. Settling leaves the indexed columns as
       they are. */
    [SQL_INSERT_CALL] = "INSERT INTO main.llm_calls VALUES "
                        "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,"
                        "?18,?19,?20,?21,?22,?23,?24,?25,?26,?27,?28,?29,?30,?31,?32)",
    [SQL_UPDATE_CALL] = "UPDATE main.llm_calls SET kind=?5, provider=?6, model_requested=?7, "
                        "model=?8, tier=?9, input_tokens=?17,"
                        " cached_input_tokens=?18, cache_write_tokens=?19, output_tokens=?20, "
                        "reasoning_tokens=?21, cost_nusd=?22,"
                        " cost_reported_nusd=?23, latency_ms=?25, http_status=?26, error=?27, "
                        "finish_reason=?29, usage=?32 WHERE id=?1",
    [SQL_PUT_TEXT] = "INSERT OR IGNORE INTO main.llm_texts(hash, text) VALUES (?1, ?2)",
    [SQL_GET_ANSWER] = "SELECT key_rest, answer, expires_at, call_id, provider, model, tier, "
                       "cost_nusd, prompt_hash"
                       " FROM main.llm_answers WHERE key = ?1",
    [SQL_PUT_ANSWER] =
        "INSERT OR REPLACE INTO main.llm_answers(key, key_rest, answer, created_at, expires_at,"
        " call_id, provider, model, tier, tag, cost_nusd, prompt_hash)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    [SQL_GET_INTENT] = "SELECT call_id, owner, lease_until FROM main.llm_intents WHERE key = ?1",
    [SQL_PUT_INTENT] = "INSERT OR REPLACE INTO main.llm_intents(call_id, key, owner, lease_until)"
                       " VALUES (?1, ?2, ?3, ?4)",
    [SQL_DROP_INTENT] = "DELETE FROM main.llm_intents WHERE call_id = ?1",
    [SQL_MARK_DEAD] = "UPDATE main.llm_calls SET error = ?2 WHERE id = ?1 AND kind = 'unknown'",
#define FIND_SIMILAR                                                                               \
  "SELECT rowid, response, similarity, model, tag, cost_nusd FROM main.llm_cache"                  \
  " WHERE query MATCH ?1 AND system_prompt IS ?2 AND scope IS ?3"
    [SQL_FIND_SIMILAR] = FIND_SIMILAR,
    [SQL_FIND_ABOVE] = FIND_SIMILAR " AND threshold = ?4",
    [SQL_FIND_ADAPTIVE] = FIND_SIMILAR " AND max_false_hits = ?4",
    [SQL_PUT_SIMILAR] =
        "INSERT INTO main.llm_cache(query, system_prompt, scope, response, model, tag, cost_nusd,"
        " created_at, expires_at, max_false_hits) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    [SQL_PUT_SERVED] = "INSERT OR REPLACE INTO main.llm_served(call_id, entry) VALUES (?1, ?2)",
    [SQL_HAS_CALL] = "SELECT kind = 'hit_exact' AND prompt_hash IS NULL FROM main.llm_calls"
                     " WHERE id = ?1",
    [SQL_PUT_FEEDBACK] =
        "INSERT OR REPLACE INTO main.llm_feedback(call_id, ok, ts) VALUES (?1, ?2, ?3)",
    [SQL_TEACH_SIMILAR] =
        "INSERT INTO main.llm_cache(llm_cache, rowid, similarity)"
        " SELECT CASE ?2 WHEN 0 THEN 'wrong' ELSE 'right' END, v.entry, c.similarity"
        " FROM main.llm_served v JOIN main.llm_calls c ON c.id = v.call_id"
        " WHERE v.call_id = ?1 AND c.kind = 'hit_semantic'"
        " AND v.entry IN (SELECT id FROM main.llm_cache_rows)",
/* The answer a call paid for, or a hit was served from: same text, system prompt and model. */
#define ANSWERED_BY                                                                                \
  "(SELECT ?1 UNION SELECT o.id FROM main.llm_calls h JOIN main.llm_calls o"                       \
  " ON o.prompt_hash = h.prompt_hash AND o.system_hash IS h.system_hash AND o.model IS h.model"    \
  " WHERE h.id = ?1 AND h.kind = 'hit_exact')"
    [SQL_FORGET_ANSWER] = "DELETE FROM main.llm_answers WHERE call_id IN " ANSWERED_BY,
    [SQL_FORGET_SIMILAR] =
        "DELETE FROM main.llm_cache WHERE rowid IN (SELECT v.entry FROM main.llm_served v"
        " JOIN main.llm_calls c ON c.id = v.call_id AND c.kind = 'call'"
        " WHERE v.call_id IN " ANSWERED_BY ")",
    [SQL_ORIGIN] = "SELECT c.provider, c.tier FROM main.llm_served v JOIN main.llm_calls c"
                   " ON c.id = v.call_id AND c.kind = 'call' WHERE v.entry = ?1"
                   " ORDER BY v.call_id DESC LIMIT 1",
};

int store_error(Store *s, int rc, const char *doing, Err *err) {
  int code = rc & 0xff;
  if (code == SQLITE_INTERRUPT || (code == SQLITE_BUSY && s->host.interrupted(s->host.arg))) {
    return err_set(err, RC_INTERRUPT, "interrupted", "interrupted");
  }
  if (code == SQLITE_NOMEM) {
    return err_nomem(err);
  }
  return err_set(err, code, "store", "the store '%s': cannot %s: %s%s", s->path ? s->path : "main",
                 doing, s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(rc),
                 code == SQLITE_FULL ? "; free some space and run it again"
                 : code == SQLITE_CANTOPEN || code == SQLITE_READONLY
                     ? "; LLMCOST_STORE or llm_config('store', path) can name another file"
                     : "");
}

sqlite3_stmt *store_stmt(Store *s, StoreSql id, Err *err) {
  sqlite3_stmt *stmt = s->is_main ? NULL : s->stmt[id];
  if (stmt) {
    return stmt;
  }
  const char *sql = sql_texts[id];
  unsigned flags = s->is_main ? 0 : SQLITE_PREPARE_PERSISTENT;
  int rc = sqlite3_prepare_v3(s->db, sql, -1, flags, &stmt, NULL);
  if (rc != SQLITE_OK) {
    store_error(s, rc, "prepare", err);
    return NULL;
  }
  if (!s->is_main) {
    s->stmt[id] = stmt;
  }
  return stmt;
}

int store_done(Store *s, sqlite3_stmt *stmt) {
  if (s->is_main) {
    return sqlite3_finalize(stmt);
  }
  int rc = sqlite3_reset(stmt);
  sqlite3_clear_bindings(stmt);
  return rc;
}

static int run(Store *s, StoreSql id, Err *err) {
  sqlite3_stmt *stmt = store_stmt(s, id, err);
  if (!stmt) {
    return err->rc;
  }
  sqlite3_step(stmt);
  int rc = store_done(s, stmt);
  return rc == SQLITE_OK ? RC_OK
                         : store_error(s, rc, id == SQL_BEGIN ? "start writing" : "commit", err);
}

/* A write statement of the caller's that runs stands for a savepoint of our own: SQLite says busy. */
static int begin_savepoint(Store *s, Err *err) {
  int rc = savepoint_begin(s->db, &s->savepoint);
  s->in_savepoint = rc == SQLITE_OK;
  return rc == SQLITE_OK || (rc & 0xff) == SQLITE_BUSY ? RC_OK
                                                       : store_error(s, rc, "start writing", err);
}

int store_begin(Store *s, Err *err) {
  int moved = 0;
  if (s->is_main) {
    return begin_savepoint(s, err);
  }
  if (!s->db) {
    return err_set(err, RC_ERROR, "store", "the store '%s' had to be closed: run it again",
                   s->path);
  }
  int rc = sqlite3_file_control(s->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  if (rc != SQLITE_OK && rc != SQLITE_NOTFOUND) {
    return store_error(s, rc, "look for its file", err);
  }
  if (moved) {
    return err_set(
        err, RC_ERROR, "store",
        "the store '%s' was moved or deleted while it was open: close this connection and open"
        " it again",
        s->path);
  }
  return store_stmt(s, SQL_COMMIT, err) && store_stmt(s, SQL_ROLLBACK, err) ? run(s, SQL_BEGIN, err)
                                                                            : err->rc;
}

static int end_savepoint(Store *s, int ok, Err *err) {
  int rc = savepoint_end(&s->savepoint, ok);
  return rc == SQLITE_OK ? err->rc : store_error(s, rc, "commit", err);
}

int store_end(Store *s, int ok, Err *err) {
  Err ignored = {0};
  if (s->is_main) {
    return end_savepoint(s, ok, err);
  }
  if (ok && run(s, SQL_COMMIT, err) == RC_OK) {
    return RC_OK;
  }
  if (!sqlite3_get_autocommit(s->db) &&
      (run(s, SQL_ROLLBACK, &ignored) != RC_OK || !sqlite3_get_autocommit(s->db))) {
    store_hang_up(s);
  }
  return err->rc;
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
  return found >= 0
             ? found
             : (err_set(err, RC_ERROR, "store", "the store '%s' is damaged: a setting is no number",
                        s->path ? s->path : "main"),
                -1);
}

/* The version that a store which lies there claims to be; 0 where there is none. Read before anything in it
** is believed: from the header of a file; in the user's own database once its objects are known to be tables. */
static int claimed_version(Store *s, long long *version, Err *err) {
  long long tables = 0, application = 0;
  *version = 0;
  if (s->is_main) {
    return store_has_schema(s->db, err) != 1 ||
                   genuine_check(s->db, "main", GENUINE_TABLES, 1, "main", &s->host, err) != RC_OK
               ? err->rc
               : store_version(s, version, err);
  }
  if (store_ask(s, "SELECT count(*) FROM main.sqlite_schema NOT INDEXED", &tables, err) < 0 ||
      tables == 0) {
    return err->rc;
  }
  store_ask(s, "PRAGMA main.application_id", &application, err);
  store_ask(s, "PRAGMA main.user_version", version, err);
  return err->rc == RC_OK && (application != STORE_APPLICATION_ID || *version < 1)
             ? err_set(err, RC_ERROR, "store",
                       "'%s' is another program's database, not a store of llmcost", s->path)
             : err->rc;
}

static int refuse_stranger(const Store *s, Err *err) {
  return err_set(
      err, RC_ERROR, "store",
      "the store '%.300s' was not made by this installation, so nothing was read from it and"
      " nothing sent; if you trust it and the answers in it, SELECT llm_trust_store()%s",
      s->path ? s->path : "main",
      s->path ? ", or name it (LLMCOST_STORE, llm_config('store', path)); else delete it" : "");
}

/* A store that lies there is used only if it is known, and as we make them. */
static int check_is_ours(Store *s, Err *err) {
  const char *what = s->path ? s->path : "main";
  long long version;
  if (claimed_version(s, &version, err) != RC_OK || version == 0) {
    return err->rc;
  }
  if (version > STORE_VERSION) {
    return err_set(err, RC_ERROR, "store",
                   "the store '%s' was made by a newer llmcost (version %lld, ours %d)", what,
                   version, STORE_VERSION);
  }
  int older = version < STORE_VERSION;
  GenuineScope scope = s->is_main ? GENUINE_TABLES : GENUINE_FILE;
  if (genuine_check(s->db, "main", scope, older, what, &s->host, err) != RC_OK ||
      s->trust != STORE_MARKED) {
    return err->rc;
  }
  int is_known = older ? 0 : genuine_is_marked(s->db, "main", err);
  return is_known == 0 ? refuse_stranger(s, err) : err->rc;
}

/* Makes the file with the permissions of the database it belongs to: it holds the same secrets.
** (SQLite gives them to the WAL files too.) A link that stands in its place is not followed. */
static int create_file(Store *s, sqlite3 *host, Err *err) {
  const char *beside = sqlite3_db_filename(host, "main");
  struct stat st;
  mode_t mode = beside && beside[0] && stat(beside, &st) == 0 ? st.st_mode & 0666 : 0600;
  if (lstat(s->path, &st) == 0) {
    return S_ISREG(st.st_mode)
               ? RC_OK
               : err_set(err, RC_ERROR, "store", "the store '%s' is %s", s->path,
                         S_ISLNK(st.st_mode) ? "a symbolic link: not followed" : "not a file");
  }
  int fd = open(s->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
  if (fd < 0 && errno != EEXIST) { /* SQLite would try again, and give it other permissions */
    return err_set(err, RC_ERROR, "store",
                   "the store '%s': cannot open it: %s; LLMCOST_STORE or llm_config('store', path)"
                   " can name another file",
                   s->path, strerror(errno));
  }
  if (fd >= 0) {
    close(fd);
  }
  return RC_OK;
}

/* Ctrl-C ends a long statement of ours, but not the one that keeps what was paid for. */
static int is_interrupted(void *arg) {
  Store *s = arg;
  return !s->is_settling && s->host.interrupted(s->host.arg);
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
  sqlite3_busy_handler(db, wait_while_busy, s);
  watch_interrupts(s, db);
  return rc;
}

/* Makes a connection of ours able to use llm_cache. */
static int prepare(Store *s, sqlite3 *db, Err *err) {
  int rc = s->host.prepare(s->host.arg, db);
  return rc == SQLITE_OK ? RC_OK : store_error(s, rc, "prepare a connection", err);
}

static int open_file(Store *s, Err *err) {
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  int rc = sqlite3_open_v2(s->path, &s->db, flags, NULL);
  rc = rc == SQLITE_OK ? store_harden(s, s->db) : rc;
  rc = rc == SQLITE_OK ? sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) : rc;
  if (rc != SQLITE_OK) {
    return store_error(s, rc, "open it", err);
  }
  if (check_is_ours(s, err) != RC_OK || prepare(s, s->db, err) != RC_OK) {
    return err->rc; /* and not a byte of it is written */
  }
  sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
  return store_exec(s,
                    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16000;"
                    "PRAGMA mmap_size=1073741824; PRAGMA foreign_keys=OFF;"
                    "PRAGMA journal_size_limit=" WAL_KEPT,
                    "set up", err);
}

static int prepare_schema(Store *s, Err *err) {
  long long seed = 0;
  if (migrate_run(s, err) == RC_OK &&
      store_ask(s, "SELECT value FROM main.llm_meta WHERE name = 'seed'", &seed, err) == 0) {
    err_set(err, RC_ERROR, "store", "the store '%s' is damaged: it has no seed",
            s->path ? s->path : "main");
  }
  s->seed = (unsigned long long)seed;
  return err->rc;
}

int store_is_ours(sqlite3 *db, const char *schema, const StoreHost *host, Err *err) {
  Err foreign = {0};
  int marked = genuine_is_marked(db, schema, err);
  return marked == 1 ? genuine_check(db, schema, GENUINE_TABLES, 0, schema, host, &foreign) == RC_OK
                     : marked;
}

int store_has_schema(sqlite3 *db, Err *err) {
  int is_there = 0, rc = column_look(db, "main", "llm_meta", "value", &is_there);
  if (rc == SQLITE_OK) {
    return is_there;
  }
  rc == SQLITE_NOMEM ? err_nomem(err)
                     : err_set(err, rc & 0xff, "store", "cannot look for the store in main: %s",
                               sqlite3_errmsg(db));
  return -1;
}

/* Makes sure of the tables, and marks what dead processes left. */
static int set_up(Store *s, Err *err) {
  return prepare_schema(s, err) == RC_OK ? ledger_recover(s, now_ms(), err) : err->rc;
}

int store_revive(Store *s, Err *err) {
  if (!s->is_main) {
    if (!s->db && (open_file(s, err) != RC_OK || set_up(s, err) != RC_OK)) {
      store_hang_up(s);
    }
    return err->rc;
  }
  int is_there = s->is_doubtful ? 0 : store_has_schema(s->db, err);
  return is_there == 0 ? prepare_schema(s, err) : err->rc;
}

/* Main mode, at the end: what waits to be written goes through a connection of our own. */
static void reopen_main(Store *s) {
  s->db = NULL; /* the caller's connection is closing: nothing of ours may run on it */
  if (s->pending && s->main_path && s->main_path[0] &&
      sqlite3_open_v2(s->main_path, &s->db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK) {
    Err ignored = {0};
    sqlite3_busy_timeout(s->db, LIMIT_BUSY_MS);
    s->host.prepare(s->host.arg, s->db);
    store_revive(s, &ignored);
  }
}

void store_hang_up(Store *s) {
  for (int i = 0; i < SQL_COUNT; i++) {
    sqlite3_finalize(s->stmt[i]);
    s->stmt[i] = NULL;
  }
  sqlite3_close_v2(s->db);
  s->db = NULL;
}

/* The last chance of what waits: the connection, or the process, ends. */
static int flush_last(Store *s, Err *err) {
  if (s->is_main) {
    reopen_main(s);
  }
  ledger_flush(s, err);
  if (s->is_main) {
    store_hang_up(s);
  }
  return err->rc;
}

/* --- the stores of this process */

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static Store *stores;
static int exit_is_watched;

/* Writes what waits in stores that nobody is using just now. (One that waits for its user could wait for ever.) */
static void flush_at_exit(void) {
  Err ignored = {0};
  if (pthread_mutex_trylock(&list_lock) != 0) {
    return;
  }
  for (Store *s = stores; s; s = s->next) {
    if (s->pending && !store_is_inherited(s) && sqlite3_mutex_try(s->users) == SQLITE_OK) {
      flush_last(s, &ignored);
      sqlite3_mutex_leave(s->users);
    }
  }
  pthread_mutex_unlock(&list_lock);
}

static int enter_list(Store *s, Err *err) {
  pthread_mutex_lock(&list_lock);
  if (!exit_is_watched && atexit(flush_at_exit) != 0) {
    err_nomem(err);
  }
  exit_is_watched |= err->rc == RC_OK;
  s->next = stores;
  stores = s;
  pthread_mutex_unlock(&list_lock);
  return err->rc;
}

static void leave_list(Store *s) {
  pthread_mutex_lock(&list_lock);
  for (Store **at = &stores; *at; at = &(*at)->next) {
    if (*at == s) {
      *at = s->next;
      break;
    }
  }
  pthread_mutex_unlock(&list_lock);
}

int store_is_inherited(const Store *s) {
  return s->pid != getpid();
}

/* A connection that came by fork: its file must not be written, nor its WAL taken away. Inside a transaction
** (another thread of the parent's was writing) even rolling back would write: it is left as it is. While it is
** open SQLite takes its locks for this process's, so that others can't be opened: 0 for that. */
static int leave_connection(sqlite3 *db) {
  int is_idle = db && sqlite3_get_autocommit(db);
  if (is_idle) {
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_close_v2(db);
  }
  return is_idle || !db;
}

/* Twice does nothing. */
static void leave(Store *s) {
  for (int i = 0; i < SQL_COUNT; i++) {
    sqlite3_finalize(s->stmt[i]);
    s->stmt[i] = NULL;
  }
  while (s->n_readers > 0) {
    leave_connection(s->readers[--s->n_readers]); /* nobody reads with it */
  }
  s->n_taken += !leave_connection(s->is_main ? NULL : s->db);
  s->db = NULL;
  s->pid = 0;
  ledger_drop_pending(s); /* the parent writes it */
}

int store_leave(Err *err) {
  int n_taken = 0;
  pthread_mutex_lock(&list_lock);
  for (Store *s = stores; s; s = s->next) {
    if (s->pid && store_is_inherited(s)) {
      inflight_forget();
      leave(s);
    }
    n_taken += s->pid == 0 ? s->n_taken : 0;
  }
  pthread_mutex_unlock(&list_lock);
  return n_taken == 0
             ? RC_OK
             : err_set(err, RC_ERROR, "store",
                       "this process was forked while a query over the ledger was open, or the"
                       " ledger was being written: end that in the parent first");
}

/* --- opening and closing */

/* Opens what `s` names, as far as its struct is filled. */
static int open_any(Store *s, sqlite3 *host, Err *err) {
  if (s->is_main) {
    s->db = host;
    s->main_path = sqlite3_mprintf("%s", sqlite3_db_filename(host, "main"));
    return s->main_path ? check_is_ours(s, err) : err_nomem(err);
  }
  return s->path && migrate_can_mark(s, err) && create_file(s, host, err) == RC_OK
             ? open_file(s, err)
             : err->rc;
}

Store *store_open(sqlite3 *db, const char *path, StoreTrust trust, const StoreHost *host,
                  Err *err) {
  Store *s = sqlite3_malloc64(sizeof *s);
  if (!s) {
    err_nomem(err);
    return NULL;
  }
  memset(s, 0, sizeof *s);
  s->host = *host;
  s->trust = trust;
  s->pid = getpid();
  s->users = sqlite3_db_mutex(db);
  s->pending_end = &s->pending;
  s->is_main = path == NULL;
  s->path = path ? sqlite3_mprintf("%s", path) : NULL;
  if (path && !s->path) {
    err_nomem(err);
  }
  if (enter_list(s, err) != RC_OK || open_any(s, db, err) != RC_OK || set_up(s, err) != RC_OK) {
    store_close(s);
    return NULL;
  }
  return s;
}

int store_close(Store *s) {
  Err err = {0};
  if (!s) {
    return RC_OK;
  }
  leave_list(s);
  if (store_is_inherited(s)) {
    leave(s);
  } else {
    flush_last(s, &err);
    ledger_drop_pending(s);
    inflight_end(s, 0);
    store_hang_up(s);
  }
  while (s->n_readers > 0) {
    sqlite3_close(s->readers[--s->n_readers]);
  }
  sqlite3_free(s->path);
  sqlite3_free(s->main_path);
  sqlite3_free(s);
  return err.rc;
}

static sqlite3 *open_reader(Store *s, Err *err) {
  sqlite3 *db = NULL;
  int rc = sqlite3_open_v2(s->path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
  if (rc == SQLITE_OK) {
    rc = store_harden(s, db);
  }
  if (rc == SQLITE_OK) {
    rc = s->host.prepare(s->host.arg, db);
  }
  if (rc == SQLITE_OK) {
    rc = sqlite3_exec(db, "PRAGMA query_only=ON", NULL, NULL, NULL);
  }
  if (rc != SQLITE_OK) {
    rc == SQLITE_NOMEM ? err_nomem(err)
                       : err_set(err, rc & 0xff, "store", "cannot read the store '%s': %s", s->path,
                                 sqlite3_errstr(rc));
    sqlite3_close(db);
    db = NULL;
  }
  return db;
}

sqlite3 *store_reader_take(Store *s, Err *err) {
  sqlite3 *reader = s->n_readers > 0 ? s->readers[--s->n_readers] : open_reader(s, err);
  s->n_taken += reader != NULL;
  return reader;
}

void store_reader_give(Store *s, sqlite3 *reader) {
  if (!reader) {
    return;
  }
  s->n_taken--;
  if (s->pid == 0) {
    leave_connection(reader);
  } else if (s->n_readers < STORE_IDLE_READERS) {
    s->readers[s->n_readers++] = reader;
  } else {
    sqlite3_close(reader);
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

/* The declaration from an empty database that holds just our schema; NULL and *err without memory, or where
** there is no such table. */
static char *declare(sqlite3 *db, const char *name, Err *err) {
  sqlite3_stmt *stmt = NULL;
  sqlite3_str *decl = sqlite3_str_new(db);
  int n = 0;
  sqlite3_str_appendf(decl, "CREATE TABLE x(");
  int rc = sqlite3_prepare_v2(
      db, "SELECT name, type || iif(hidden = 1, ' HIDDEN', '') FROM pragma_table_xinfo(?1)", -1,
      &stmt, NULL);
  rc = rc == SQLITE_OK ? sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC) : rc;
  while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    const char *column = (const char *)sqlite3_column_text(stmt, 0);
    const char *type = (const char *)sqlite3_column_text(stmt, 1);
    sqlite3_str_appendf(decl, "%s\"%w\" %s", n++ ? ", " : "", column, type);
    rc = column && type ? SQLITE_OK : SQLITE_NOMEM;
  }
  sqlite3_finalize(stmt);
  sqlite3_str_appendf(decl, ")");
  char *text = sqlite3_str_finish(decl);
  if (text && n > 0 && rc == SQLITE_DONE) {
    return text;
  }
  !text || rc == SQLITE_NOMEM ? err_nomem(err)
                              : err_set(err, RC_ERROR, "store", "no declaration of %s", name);
  sqlite3_free(text);
  return NULL;
}

sqlite3 *store_model(const StoreHost *host, Err *err) {
  static const char *const schema[] = {sql_store_sql, sql_cache_sql, sql_views_sql};
  sqlite3 *db = NULL;
  int rc = sqlite3_open_v2(":memory:", &db,
                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
  if (rc == SQLITE_OK) {
    rc = host->prepare(host->arg, db);
  }
  for (int i = 0; i < 3 && rc == SQLITE_OK; i++) {
    rc = sqlite3_exec(db, schema[i], NULL, NULL, NULL);
  }
  if (rc != SQLITE_OK) {
    rc == SQLITE_NOMEM ? err_nomem(err)
                       : err_set(err, RC_ERROR, "store", "no schema: %s", sqlite3_errstr(rc));
    sqlite3_close(db);
    db = NULL;
  }
  return db;
}

char *store_declaration(const StoreHost *host, const char *name, Err *err) {
  sqlite3 *db = store_model(host, err);
  char *decl = db ? declare(db, name, err) : NULL;
  sqlite3_close(db);
  return decl;
}
