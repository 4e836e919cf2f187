/*
** See queues.h for the contract.
*/
#include "store/batches/queues.h"

#include "store/batches/lease.h"
#include "store/batches/bind.h"
#include "store/db/row.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Where a file is; all zero: there is none. */
typedef struct Place {
  long long device, inode;
} Place;

static Place place_of(const char *path) {
  struct stat st;
  return path && path[0] && stat(path, &st) == 0
             ? (Place){(long long)st.st_dev, (long long)st.st_ino}
             : (Place){0, 0};
}

static int is_same(Place a, Place b) {
  return a.device == b.device && a.inode == b.inode;
}

/* Where it was seen against where it is. */
static QueueSeen compare(const char *was_at, Place was, const char *path, Place now) {
  if (!was_at || !path) {
    return was_at || path ? QUEUE_COPY : QUEUE_KNOWN; /* from a file into memory, or back */
  }
  const Place there = place_of(was_at);
  int is_gone = there.inode == 0, has_moved = is_same(was, now);
  return strcmp(was_at, path) == 0 || is_gone || is_same(there, now) || has_moved ? QUEUE_KNOWN
                                                                                  : QUEUE_COPY;
}

static QueueSeen look(Store *s, const char *id, const char *path, Place now, Err *err) {
  QueueSeen seen = QUEUE_NEW;
  Bound b = bind_start(s, SQL_GET_QUEUE, err);
  bind_words(&b, 1, id);
  if (bind_step(&b, err)) {
    const char *was_at = (const char *)sqlite3_column_text(b.stmt, 0);
    const Place was = {sqlite3_column_int64(b.stmt, 1), sqlite3_column_int64(b.stmt, 2)};
    if (!was_at && sqlite3_column_type(b.stmt, 0) != SQLITE_NULL) {
      err_nomem(err);
    }
    seen = compare(was_at, was, path, now);
  }
  bind_end(&b, "look for a queue", err);
  return seen;
}

int queues_see(Store *s, const char *id, const char *path, QueueSeen *seen, Err *err) {
  path = path && path[0] ? path : NULL;
  const Place now = place_of(path);
  if (store_begin(s, err) != RC_OK) {
    return err->rc;
  }
  *seen = look(s, id, path, now, err);
  if (err->rc == RC_OK && *seen != QUEUE_COPY) {
    Bound b = bind_start(s, SQL_PUT_QUEUE, err);
    bind_words(&b, 1, id);
    bind_words(&b, 2, path);
    bind_number(&b, 3, path ? now.device : LEDGER_NULL);
    bind_number(&b, 4, path ? now.inode : LEDGER_NULL);
    bind_run(&b, "note a queue", err);
  }
  return store_end(s, err->rc == RC_OK, err);
}

static Lease lease_of(const char *id) {
  return (Lease){SQL_GET_QUEUE_LEASE, SQL_PUT_QUEUE_LEASE, id, 0};
}

int queues_take(Store *s, const char *id, long long now, long long lease_ms, Err *err) {
  const Lease lease = lease_of(id);
  return lease_take(s, &lease, now, lease_ms, err);
}

int queues_leave(Store *s, const char *id, Err *err) {
  const Lease lease = lease_of(id);
  return lease_leave(s, &lease, err);
}
