/*
** See arrivals.h for the contract.
**
** The newest rows come first, so each meets the one that came behind it.
*/
#include "store/audit/arrivals.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

enum { DAY_MS = 86400000, SLOTS = 1024 };

/* One call, as far as its prefix goes. */
typedef struct Arrival {
  long long ts, read, written, latency;
  int is_marked; /* by us */
} Arrival;

/* The earliest call so far of a conversation; kept by its name's hash, 0: free. */
typedef struct Slot {
  uint64_t key;
  Arrival first;
} Slot;

typedef struct Reading {
  const ArrivalsAsk *ask;
  Arrivals *out;
  Arrival behind; /* of the same system prompt: the call behind the row that is read */
  Slot *slots;    /* owned; more than there are rows */
} Reading;

/* 1 if the next one read what a call had the provider keep. (A tenth less is the same prefix, counted in another company.) */
static int was_read(const Arrival *a, const Arrival *next, int is_whole) {
  return next->read > 0 && (!is_whole || next->read * 10 >= (a->read + a->written) * 9);
}

static void add_trial(KeepTrials *t, const Arrival *a, const Arrival *next, int is_whole) {
  for (KeepLife life = KEEP_5M; life < KEEP_LIVES; life++) {
    if (t->n[life] < ARRIVALS_TRIALS) {
      t->n[life]++;
      t->in_time[life] += next->ts - a->ts <= keeping_life_ms(life);
    }
  }
  /* (Who asks before the answer comes can't read what is not written yet.) */
  int is_told = a->is_marked && next->is_marked && a->read + a->written > 0 &&
                next->ts - a->ts >= a->latency && next->ts - a->ts <= keeping_life_ms(KEEP_5M);
  if (is_told && t->marked < ARRIVALS_TRIALS) {
    t->marked++;
    t->found += was_read(a, next, is_whole);
  }
}

/* The last call of another conversation: what it wrote was not read yet. Whether it will be is known when its life is over. */
static void add_last(KeepTrials *t, const Arrival *a, long long now_ms) {
  for (KeepLife life = KEEP_5M; life < KEEP_LIVES; life++) {
    t->n[life] += now_ms - a->ts > keeping_life_ms(life) && t->n[life] < ARRIVALS_TRIALS;
  }
}

static Slot *slot_of(Reading *r, const char *conversation) {
  uint64_t key = hash_short(conversation, strlen(conversation)) | 1;
  size_t i = (size_t)(key >> 1) % SLOTS;
  while (r->slots[i].key && r->slots[i].key != key) {
    i = (i + 1) % SLOTS;
  }
  r->slots[i].key = key;
  return &r->slots[i];
}

static void take_turn(Reading *r, const char *conversation, const Arrival *a) {
  const Arrival now = {.ts = r->ask->now_ms};
  Slot *s = slot_of(r, conversation);
  int is_own = r->ask->conversation && strcmp(r->ask->conversation, conversation) == 0;
  if (s->first.ts) {
    add_trial(&r->out->history, a, &s->first, 1);
  } else if (is_own) {
    add_trial(&r->out->history, a, &now, 1);
  } else {
    add_last(&r->out->history, a, now.ts);
  }
  s->first = *a;
}

static void take_row(Reading *r, sqlite3_stmt *stmt) {
  const Arrival a = {.ts = sqlite3_column_int64(stmt, 0),
                     .read = sqlite3_column_int64(stmt, 3),
                     .written = sqlite3_column_int64(stmt, 4),
                     .is_marked = sqlite3_column_int(stmt, 5),
                     .latency = sqlite3_column_int64(stmt, 6)};
  const char *conversation = (const char *)sqlite3_column_text(stmt, 1);
  long long kept = a.read + a.written;
  Arrivals *out = r->out;
  if (a.written > 0 && kept > 0 && (out->least < 0 || kept < out->least)) {
    out->least = kept;
  }
  if (!sqlite3_column_int(stmt, 2)) {
    return;
  }
  if (r->ask->system_hash) {
    add_trial(&out->system, &a, &r->behind, 0);
    r->behind = a;
  }
  if (conversation) {
    take_turn(r, conversation, &a);
  }
}

static int read_rows(Store *s, Reading *r, Err *err) {
  const ArrivalsAsk *ask = r->ask;
  sqlite3_stmt *stmt = store_stmt(s, SQL_LAST_ARRIVALS, err);
  if (!stmt) {
    return err->rc;
  }
  sqlite3_bind_int64(stmt, 1, ask->now_ms - DAY_MS);
  sqlite3_bind_int64(stmt, 4, ARRIVALS_MOST);
  int rc = sqlite3_bind_text(stmt, 2, ask->model, -1, SQLITE_STATIC);
  rc = rc == SQLITE_OK ? sqlite3_bind_text(stmt, 3, ask->system_hash, -1, SQLITE_STATIC) : rc;
  while (rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW) {
    take_row(r, stmt);
  }
  int done = store_done(s, stmt);
  rc = rc == SQLITE_OK ? done : rc;
  return rc == SQLITE_OK ? RC_OK : store_error(s, rc, "look when such calls came", err);
}

int arrivals_read(Store *s, const ArrivalsAsk *ask, Arrivals *out, Err *err) {
  Reading r = {.ask = ask, .out = out, .behind = {.ts = ask->now_ms}};
  memset(out, 0, sizeof *out);
  out->least = -1;
  r.slots = calloc(SLOTS, sizeof *r.slots);
  if (!r.slots) {
    return err_nomem(err);
  }
  read_rows(s, &r, err);
  free(r.slots);
  return err->rc;
}
