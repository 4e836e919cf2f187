/*
** A store in the caller's own database, through the caller's own connection. See StoreMode in store.h.
**
** No prepared statement outlives a call: one left on the connection would make the caller's sqlite3_close() fail.
** A write is a savepoint inside whatever the caller has begun. The caller's busy timeout may be 0, so that a paid row
** is tried again for a moment ("briefly") before it waits for the next write.
*/
#include "base/limits.h"
#include "store/db/mode.h"

static int attach(Store *s, sqlite3 *host, Err *err) {
  s->db = host;
  return err->rc;
}

/* The caller did, and has made it ready too. */
static int nothing(Store *s, Err *err) {
  (void)s;
  return err->rc;
}

static sqlite3 *no_reader(Store *s, Err *err) {
  (void)s;
  (void)err;
  return NULL;
}

/* Takes the lock for writing: who reads first and wants it then is told "busy" at once, whatever the caller's timeout. (The UPDATE
** changes nothing; where there are no tables yet it is none.) */
static int lock(sqlite3 *db) {
  int rc = sqlite3_exec(db, "UPDATE main.llm_meta SET value = value WHERE 0", NULL, NULL, NULL);
  return (rc & 0xff) == SQLITE_BUSY ? rc : SQLITE_OK;
}

/* On a node, inside of a statement that reads tables: what it reads may be older than what others have committed, and then it can't
** write before it has ended. A try would not be free: libSQL server keeps its turn for who was told "busy", and lets nobody else write
** for five seconds. */
static int is_too_early(Store *s, Err *err) {
  if (s->has_snapshot && node_role(s->host.node) != NODE_ALONE) {
    s->is_stale = 1;
    err_set(err, RC_BUSY, ERR_STORE,
            "the store 'main': on a server a SELECT that reads tables writes nothing: give it "
            "values, or make it"
            " part of a write");
  }
  return err->rc != RC_OK;
}

/* The lock. Whose turn a server keeps takes it: by then others have committed, and the first try was of an older snapshot. */
static int take_lock(Store *s) {
  enum { TRIES = 8, BETWEEN_MS = 5 };
  int tries = node_role(s->host.node) == NODE_ALONE ? 1 : TRIES;
  int rc = lock(s->db);
  for (int i = 1; i < tries && (rc & 0xff) == SQLITE_BUSY; i++) {
    sqlite3_sleep(BETWEEN_MS);
    rc = lock(s->db);
  }
  return rc;
}

/* A write statement of the caller's that runs stands for a savepoint of our own: SQLite says busy. */
static int begin(Store *s, Err *err) {
  s->has_snapshot = sqlite3_txn_state(s->db, "main") == SQLITE_TXN_READ;
  if (is_too_early(s, err)) {
    return err->rc;
  }
  int is_alone = sqlite3_get_autocommit(s->db);
  int rc = savepoint_begin(s->db, &s->savepoint);
  s->in_savepoint = rc == SQLITE_OK;
  if (s->in_savepoint && is_alone && (rc = take_lock(s)) != SQLITE_OK) {
    store_error(s, rc, "start writing", err);
    savepoint_end(&s->savepoint, 0);
    return err->rc;
  }
  return rc == SQLITE_OK || (rc & 0xff) == SQLITE_BUSY ? RC_OK
                                                       : store_error(s, rc, "start writing", err);
}

static int end(Store *s, int ok, Err *err) {
  int rc = savepoint_end(&s->savepoint, ok);
  return rc == SQLITE_OK ? err->rc : store_error(s, rc, "commit", err);
}

/* Outside of a transaction, and of a statement that writes. On a node, of one that reads, too: there it can't be written. */
static int commits_alone(const Store *s) {
  int state = sqlite3_txn_state(s->db, "main");
  int can_be = state == SQLITE_TXN_NONE ||
               (state == SQLITE_TXN_READ && node_role(s->host.node) == NODE_ALONE);
  return can_be && sqlite3_get_autocommit(s->db);
}

static int may_write_ahead(const Store *s) {
  return sqlite3_txn_state(s->db, "main") == SQLITE_TXN_WRITE || commits_alone(s);
}

static int takes_back(const Store *s) {
  return s->in_savepoint;
}

/* The caller's connection is closing: nothing of ours may run on it. What waits to be written goes through one of
** our own; but on a node, where the server would not see it: there the process's next connection writes it. */
static void start_last(Store *s) {
  const Node *node = s->host.node;
  s->db = NULL;
  if (!s->pending || !node->file[0] || node_role(node) != NODE_ALONE) {
    return;
  }
  if (sqlite3_open_v2(node->file, &s->db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) {
    sqlite3_close(s->db); /* the file is gone */
    s->db = NULL;
    return;
  }
  sqlite3_busy_timeout(s->db, LIMIT_BUSY_MS);
  s->host.prepare(s->host.arg, s->db);
}

const StoreMode mode_main = {.name = "main",
                             .shares_file = 1,
                             .owns_connection = 0,
                             .follows_caller = 1,
                             .has_intents = 0,
                             .rows_wait = 0,
                             .tells_failure = 0,
                             .settle_tries = 8,
                             .may_write_ahead = may_write_ahead,
                             .commits_alone = commits_alone,
                             .attach = attach,
                             .connect = nothing,
                             .make_ready = nothing,
                             .open_reader = no_reader,
                             .begin = begin,
                             .end = end,
                             .takes_back = takes_back,
                             .start_last = start_last,
                             .end_last = store_hang_up};
