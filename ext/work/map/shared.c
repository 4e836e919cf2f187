/*
** See shared.h for the contract.
*/
#include "work/map/shared.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_STATEMENTS = 32 }; /* that run at once and name llm_map: of more nothing is shared */

/* Which statements run, each with the number that this execution of it was given when it was first seen. */
typedef struct Stamp {
  int n, is_full;
  struct {
    sqlite3_stmt *stmt;
    long long execution;
  } at[MOST_STATEMENTS];
} Stamp;

typedef struct Entry {
  struct Entry *next;
  MapRun *run;
  Stamp stamp;
  Hash arguments;
  int users;
} Entry;

typedef struct Shared {
  Entry *first;
  Stamp seen;
  long long executions;
} Shared;

static int names_us(const char *sql) {
  int found = 0;
  for (; sql && *sql && !found; sql++) {
    found = (*sql | 32) == 'l' && sqlite3_strnicmp(sql, "llm_map", 7) == 0;
  }
  return found;
}

/* The place of a statement among those that were seen; -1. */
static int place_of(const Stamp *stamp, const sqlite3_stmt *stmt) {
  int at = stamp->n - 1;
  while (at >= 0 && stamp->at[at].stmt != stmt) {
    at--;
  }
  return at;
}

/* The number of the execution that is going on. SQLite counts a statement's executions as each begins; we set that count to 0, and
** find it so again until the next one, of it or of another that has got its address. */
static long long execution_of(Shared *shared, sqlite3_stmt *stmt) {
  int is_new = sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_RUN, 1) != 0;
  int at = place_of(&shared->seen, stmt);
  return is_new || at < 0 ? ++shared->executions : shared->seen.at[at].execution;
}

static Stamp stamp_now(Shared *shared, sqlite3 *db) {
  Stamp stamp = {0};
  for (sqlite3_stmt *s = sqlite3_next_stmt(db, NULL); s; s = sqlite3_next_stmt(db, s)) {
    if (!sqlite3_stmt_busy(s) || !names_us(sqlite3_sql(s))) {
      continue;
    }
    if (stamp.n == MOST_STATEMENTS) {
      stamp.is_full = 1;
      break;
    }
    stamp.at[stamp.n].stmt = s;
    stamp.at[stamp.n++].execution = execution_of(shared, s);
  }
  shared->seen = stamp;
  return stamp;
}

/* 1 if all of those still run. */
static int is_within(const Stamp *a, const Stamp *now) {
  int within = 1;
  for (int i = 0; i < a->n && within; i++) {
    int at = place_of(now, a->at[i].stmt);
    within = at >= 0 && now->at[at].execution == a->at[i].execution;
  }
  return within;
}

static int is_same(const Stamp *a, const Stamp *b) {
  return a->n == b->n && !a->is_full && !b->is_full && is_within(a, b);
}

static void free_entry(Entry *e) {
  map_run_free(e->run);
  free(e);
}

/* Gives up those whose statements have ended. */
static void give_up(Shared *shared, const Stamp *now) {
  for (Entry **at = &shared->first; *at;) {
    Entry *e = *at;
    if (e->users == 0 && !is_within(&e->stamp, now)) {
      *at = e->next;
      free_entry(e);
    } else {
      at = &e->next;
    }
  }
}

/* The connection closes: no cursor is open any more. */
static void settle(Conn *conn, void *slot) {
  Shared *shared = slot;
  (void)conn;
  for (Entry *e = shared->first, *next; e; e = next) {
    next = e->next;
    free_entry(e);
  }
  shared->first = NULL;
}

static const ConnSlot shared_slot = {.size = sizeof(Shared), .settle = settle};

static Hash hash_arguments(const char *sql, const char *options, size_t n) {
  Hash h[2] = {hash_bytes(sql, strlen(sql), 0),
               hash_bytes(options ? options : "", n, options != NULL)};
  return hash_bytes(h, sizeof h, 0);
}

static Entry *find(Shared *shared, const Stamp *stamp, const Hash *arguments) {
  Entry *e = shared->first;
  while (e &&
         !(is_same(&e->stamp, stamp) && memcmp(&e->arguments, arguments, sizeof *arguments) == 0)) {
    e = e->next;
  }
  return e;
}

MapRun *shared_take(Conn *conn, const char *sql, const char *options, size_t n, Err *err) {
  Shared *shared = conn_slot(conn, &shared_slot, err);
  if (!shared) {
    return NULL;
  }
  const Stamp stamp = stamp_now(shared, conn->db);
  const Hash arguments = hash_arguments(sql, options, n);
  give_up(shared, &stamp);
  Entry *e = find(shared, &stamp, &arguments);
  if (e) {
    e->users++;
    return e->run;
  }
  e = calloc(1, sizeof *e);
  if (!e) {
    err_nomem(err);
    return NULL;
  }
  e->run = map_run_new(conn, sql, options, n, err);
  if (!e->run) {
    free(e);
    return NULL;
  }
  e->stamp = stamp;
  e->arguments = arguments;
  e->users = 1;
  e->next = shared->first;
  shared->first = e;
  return e->run;
}

void shared_release(Conn *conn, MapRun *run) {
  Shared *shared = conn_slot_if_any(conn, &shared_slot);
  Entry *e = shared ? shared->first : NULL;
  while (e && e->run != run) {
    e = e->next;
  }
  if (e && --e->users == 0) {
    map_run_rest(run);
  }
}
