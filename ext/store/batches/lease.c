/*
** See lease.h for the contract.
*/
#include "store/batches/lease.h"

#include "store/batches/bind.h"
#include "store/db/owner.h"
#include "store/db/row.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

const char *lease_self(Store *s) {
  char process[OWNER_SIZE];
  if (!s->owner[0]) {
    owner_self("", process);
    snprintf(s->owner, sizeof s->owner, "%s/%llx", process, (unsigned long long)(uintptr_t)s);
  }
  return s->owner;
}

static void bind_id(Bound *b, const Lease *lease) {
  if (lease->id) {
    bind_words(b, 1, lease->id);
  } else {
    bind_number(b, 1, lease->number);
  }
}

typedef enum Held { HELD_NO_ROW, HELD_FREE, HELD_MINE, HELD_BY_ANOTHER } Held;

static Held look(Store *s, const Lease *lease, long long now, Err *err) {
  const char *self = lease_self(s);
  Held held = HELD_NO_ROW;
  Bound b = bind_start(s, lease->get, err);
  bind_id(&b, lease);
  if (bind_step(&b, err)) {
    const char *owner = (const char *)sqlite3_column_text(b.stmt, 0);
    if (!owner && sqlite3_column_type(b.stmt, 0) != SQLITE_NULL) {
      err_nomem(err);
    } else if (!owner || sqlite3_column_int64(b.stmt, 1) < now) {
      held = HELD_FREE;
    } else if (strcmp(owner, self) == 0) {
      held = HELD_MINE;
    } else {
      held = owner_state(owner) == OWNER_DEAD ? HELD_FREE : HELD_BY_ANOTHER;
    }
  }
  bind_end(&b, "read a lease", err);
  return held;
}

static int put(Store *s, const Lease *lease, const char *owner, long long until, Err *err) {
  Bound b = bind_start(s, lease->put, err);
  bind_id(&b, lease);
  bind_words(&b, 2, owner);
  bind_number(&b, 3, until);
  bind_run(&b, "write a lease", err);
  return err->rc;
}

int lease_take(Store *s, const Lease *lease, long long now, long long lease_ms, Err *err) {
  int is_taken = 0;
  if (store_begin(s, err) != RC_OK) {
    return -1;
  }
  Held held = look(s, lease, now, err);
  if (err->rc == RC_OK && (held == HELD_FREE || held == HELD_MINE)) {
    is_taken = put(s, lease, lease_self(s), now + lease_ms, err) == RC_OK;
  }
  store_end(s, err->rc == RC_OK, err);
  return err->rc == RC_OK ? is_taken : -1;
}

int lease_leave(Store *s, const Lease *lease, Err *err) {
  if (store_begin(s, err) != RC_OK) {
    return err->rc;
  }
  if (look(s, lease, 0, err) == HELD_MINE) {
    put(s, lease, NULL, LEDGER_NULL, err);
  }
  return store_end(s, err->rc == RC_OK, err);
}
