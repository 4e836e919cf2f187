/*
** A store in a file of its own: connections of ours, write transactions of ours. See StoreMode in store.h.
*/
#include "base/sqlite/columns.h"
#include "store/db/mode.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes that the WAL's file keeps once it starts anew: a reader that holds a snapshot for long makes it grow
** beyond. Four times what SQLite lets it grow to by itself. */
#define WAL_KEPT "16777216"

enum {
  LARGEST_PAGE = 65536
}; /* of SQLite's: a store has dozens of tables, each on a page of its own */

/* 1 if nobody has a WAL beside the file. */
static int lacks_wal(const Store *s, Err *err) {
  char *wal = sqlite3_mprintf("%s-wal", s->path);
  int is_absent = wal ? access(wal, F_OK) != 0 && errno == ENOENT : (err_nomem(err), 0);
  sqlite3_free(wal);
  return is_absent;
}

/* A store whose file was copied without its WAL, before anything of that came into the file, has a first page and no table. (One that
** another process is just making looks so for a moment.) */
static int look_bare(Store *s, sqlite3 *host, Err *err) {
  enum { MAKING_MS = 50 };
  int is_used = 0;
  if (!lacks_wal(s, err)) {
    return err->rc;
  }
  if (column_look(host, "main", "llm_models", NULL, &is_used) == SQLITE_NOMEM) {
    return err_nomem(err);
  }
  if (is_used) {
    sqlite3_sleep(MAKING_MS);
  }
  s->is_bare = is_used && lacks_wal(s, err);
  return err->rc;
}

/* Makes the file with the permissions of the database it belongs to: it holds the same secrets.
** (SQLite gives them to the WAL files too.) A link that stands in its place is not followed. */
static int attach(Store *s, sqlite3 *host, Err *err) {
  const char *beside = sqlite3_db_filename(host, "main");
  struct stat st;
  mode_t mode = beside && beside[0] && stat(beside, &st) == 0 ? st.st_mode & 0666 : 0600;
  if (lstat(s->path, &st) == 0) {
    return !S_ISREG(st.st_mode)
               ? err_set(err, RC_ERROR, ERR_STORE, "the store '%s' is %s", s->path,
                         S_ISLNK(st.st_mode) ? "a symbolic link: not followed" : "not a file")
           : st.st_size > 0 && st.st_size <= LARGEST_PAGE ? look_bare(s, host, err)
                                                          : RC_OK;
  }
  int fd = open(s->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
  if (fd < 0 && errno != EEXIST) { /* SQLite would try again, and give it other permissions */
    return err_set(err, RC_ERROR, ERR_STORE,
                   "the store '%s': cannot open it: %s; LLMCOST_STORE" ERR_CURE(
                       " or llm_config('store', path)") " can name another file",
                   s->path, strerror(errno));
  }
  if (fd >= 0) {
    close(fd);
  }
  return RC_OK;
}

static int connect_file(Store *s, Err *err) {
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  int rc = sqlite3_open_v2(s->path, &s->db, flags, NULL);
  rc = rc == SQLITE_OK ? store_harden(s, s->db) : rc;
  rc = rc == SQLITE_OK ? sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) : rc;
  return rc == SQLITE_OK ? RC_OK : store_error(s, rc, "open it", err);
}

/* Who makes a file a WAL file needs it alone. Of several who want that of a new one SQLite tells all but one that it is busy,
** and asks no busy handler: waiting for each other, they would wait for ever. */
static int set_up(Store *s, Err *err) {
  enum { STEP_MS = 20 };
  for (int waited = 0;; waited += STEP_MS) {
    *err = (Err){0};
    store_exec(s,
               "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16000;"
               "PRAGMA mmap_size=1073741824; PRAGMA foreign_keys=OFF;"
               "PRAGMA journal_size_limit=" WAL_KEPT,
               "set up", err);
    if (err->rc != RC_BUSY || waited >= LIMIT_BUSY_MS || s->host.interrupted(s->host.arg)) {
      return err->rc;
    }
    unsigned char random;
    sqlite3_randomness(sizeof random, &random);
    sqlite3_sleep(STEP_MS / 2 + random % STEP_MS);
  }
}

/* Until here not a byte of it was written, not even by closing it. */
static int make_ready(Store *s, Err *err) {
  int rc = s->host.prepare(s->host.arg, s->db);
  if (rc != SQLITE_OK) {
    return store_error(s, rc, "prepare a connection", err);
  }
  sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
  return set_up(s, err);
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
                       : err_set(err, rc & 0xff, ERR_STORE, "cannot read the store '%s': %s",
                                 s->path, sqlite3_errstr(rc));
    sqlite3_close(db);
    db = NULL;
  }
  return db;
}

static int begin(Store *s, Err *err) {
  int moved = 0;
  if (!s->db) {
    return err_set(err, RC_ERROR, ERR_STORE, "the store '%s' had to be closed: run it again",
                   s->path);
  }
  int rc = sqlite3_file_control(s->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  if (rc != SQLITE_OK && rc != SQLITE_NOTFOUND) {
    return store_error(s, rc, "look for its file", err);
  }
  if (moved) {
    return err_set(
        err, RC_ERROR, ERR_STORE,
        "the store '%s' was moved or deleted while it was open: close this connection and open"
        " it again",
        s->path);
  }
  return store_stmt(s, SQL_COMMIT, err) && store_stmt(s, SQL_ROLLBACK, err)
             ? store_run(s, SQL_BEGIN, err)
             : err->rc;
}

static int end(Store *s, int ok, Err *err) {
  Err ignored = {0};
  if (ok && store_run(s, SQL_COMMIT, err) == RC_OK) {
    return RC_OK;
  }
  if (!sqlite3_get_autocommit(s->db) &&
      (store_run(s, SQL_ROLLBACK, &ignored) != RC_OK || !sqlite3_get_autocommit(s->db))) {
    store_hang_up(s);
  }
  return err->rc;
}

static int takes_back(const Store *s) {
  (void)s;
  return 1;
}

static void nothing(Store *s) {
  (void)s;
}

const StoreMode mode_file = {.shares_file = 0,
                             .owns_connection = 1,
                             .follows_caller = 0,
                             .has_intents = 1,
                             .rows_wait = 1,
                             .tells_failure = 1,
                             .settle_tries = 1, /* the busy handler waits (store_harden) */
                             .attach = attach,
                             .connect = connect_file,
                             .make_ready = make_ready,
                             .open_reader = open_reader,
                             .begin = begin,
                             .end = end,
                             .takes_back = takes_back,
                             .start_last = nothing,
                             .end_last = nothing};
