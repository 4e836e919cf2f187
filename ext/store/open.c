/*
** Opening and closing the store. See open.h for the contract.
**
** File format: the schema is LEDGER_COLUMNS (row.h), sql/store.sql and sql/views.sql; `llm_meta` holds schema_version,
** the key seed, the store's id and a note of its views (views.h), `llm_marks` who may use it (genuine.h); user_version
** and application_id repeat the version for outside tools (not in main mode: there they are the user's).
*/
#include "store/open.h"

#include "base/clock.h"
#include "store/answers/flight.h"
#include "store/db/inflight.h"
#include "store/ledger.h"
#include "store/schema/migrate.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int prepare_schema(Store *s, Err *err) {
  long long seed = 0;
  if (migrate_run(s, err) == RC_OK &&
      store_ask(s, "SELECT value FROM main.llm_meta WHERE name = 'seed'", &seed, err) == 0) {
    err_set(err, RC_ERROR, ERR_STORE, "the store '%s' is damaged: it has no seed", store_name(s));
  }
  s->seed = (unsigned long long)seed;
  return err->rc;
}

/* Makes sure of the tables, and marks what dead processes left. */
static int set_up(Store *s, Err *err) {
  return s->mode->is_view                  ? RC_OK
         : prepare_schema(s, err) == RC_OK ? ledger_recover(s, now_ms(), err)
                                           : err->rc;
}

/* Connects to what the mode has attached. What is not ours is neither read nor written. */
static int open_known(Store *s, Err *err) {
  if (s->mode->connect(s, err) != RC_OK || (!s->mode->is_view && known_check(s, err) != RC_OK)) {
    return err->rc;
  }
  owner_place(s->path, s->place);
  return s->mode->make_ready(s, err);
}

int store_revive(Store *s, Err *err) {
  if (!s->db && (open_known(s, err) != RC_OK || set_up(s, err) != RC_OK)) {
    store_hang_up(s);
  }
  if (!s->mode->follows_caller || err->rc != RC_OK) {
    return err->rc;
  }
  int is_there = s->is_doubtful ? 0 : store_has_schema(s->db, err);
  return is_there == 0 ? prepare_schema(s, err) : err->rc;
}

int store_is_there(const Store *s, Err *err) {
  return s->mode->follows_caller ? store_has_schema(s->db, err) : 1;
}

/* The last chance of what waits: the connection, or the process, ends. */
static int flush_last(Store *s, Err *err) {
  Err ignored = {0};
  s->mode->start_last(s);
  if (s->db && s->pending) {
    store_revive(s, &ignored);
  }
  ledger_flush(s, err);
  s->mode->end_last(s);
  if (s->mode->follows_caller && node_role(s->host.node) != NODE_ALONE) {
    ledger_strand(s);
    *err = (Err){0}; /* (that the connection is closing) */
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
  for (sqlite3 *idle; (idle = store_reader_next_idle(s)) != NULL;) {
    store_leave_connection(idle); /* nobody reads with it */
  }
  s->n_taken += !store_leave_connection(s->mode->owns_connection ? s->db : NULL);
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
      flight_leave();
      leave(s);
    }
    n_taken += s->pid == 0 ? s->n_taken : 0;
  }
  pthread_mutex_unlock(&list_lock);
  return n_taken == 0
             ? RC_OK
             : err_set(err, RC_ERROR, ERR_STORE,
                       "this process was forked while a query over the ledger was open, or the"
                       " ledger was being written: end that in the parent first");
}

/* --- opening and closing */

static int attach(Store *s, sqlite3 *host, Err *err) {
  return migrate_can_mark(s, err) ? s->mode->attach(s, host, err) : err->rc;
}

Store *store_open(sqlite3 *db, const StoreMode *mode, const char *path, StoreTrust trust,
                  const StoreHost *host, Err *err) {
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
  s->mode = mode;
  s->path = path ? sqlite3_mprintf("%s", path) : NULL;
  if (path && !s->path) {
    err_nomem(err);
  }
  if (enter_list(s, err) != RC_OK || attach(s, db, err) != RC_OK || open_known(s, err) != RC_OK ||
      set_up(s, err) != RC_OK) {
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
    flight_drop(s);
    store_hang_up(s);
  }
  for (sqlite3 *idle; (idle = store_reader_next_idle(s)) != NULL;) {
    sqlite3_close(idle);
  }
  free(s->landed);
  sqlite3_free(s->path);
  sqlite3_free(s);
  return err.rc;
}
