/*
** Opening and closing the store. See open.h for the contract.
**
** File format: schema in sql/store.sql and sql/views.sql; `llm_meta` holds schema_version, the key
** seed and the store's id, `llm_marks` who may use it (genuine.h); user_version and application_id
** repeat the version for outside tools (not in main mode: there they are the user's).
*/
#include "store/open.h"

#include "base/clock.h"
#include "base/limits.h"
#include "store/db/inflight.h"
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
  if (known_check(s, err) != RC_OK || prepare(s, s->db, err) != RC_OK) {
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
    err_set(err, RC_ERROR, "store", "the store '%s' is damaged: it has no seed", store_name(s));
  }
  s->seed = (unsigned long long)seed;
  return err->rc;
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

/* Twice does nothing. */
static void leave(Store *s) {
  for (int i = 0; i < SQL_COUNT; i++) {
    sqlite3_finalize(s->stmt[i]);
    s->stmt[i] = NULL;
  }
  while (s->n_readers > 0) {
    store_leave_connection(s->readers[--s->n_readers]); /* nobody reads with it */
  }
  s->n_taken += !store_leave_connection(s->is_main ? NULL : s->db);
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
    return s->main_path ? known_check(s, err) : err_nomem(err);
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
