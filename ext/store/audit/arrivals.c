/*
** See arrivals.h for the contract.
**
** The rows come newest first and are turned round: then each knows which one of its sequence it is, and which comes behind it.
*/
#include "store/audit/arrivals.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

enum { DAY_MS = 86400000, SLOTS = 1024, ABOUT = 8 /* of n calls the n / ABOUT around it count */ };

enum { BY_SYSTEM, BY_CONVERSATION, SEQUENCES };

/* One call, as far as its prefix goes. */
typedef struct Arrival {
  long long ts, read, written, latency;
  int is_marked; /* by us */
  int is_long;   /* what it wrote lives an hour */
  struct {
    uint64_t key;    /* of its sequence; 0: it is in none */
    int place, next; /* which one it is; the row behind it, -1: none */
    KeepLife life;   /* of what was written last */
  } in[SEQUENCES];
} Arrival;

/* A sequence, as far as it has been read; kept by its key, 0: free. */
typedef struct Slot {
  uint64_t key;
  int count, last;
  KeepLife life;
} Slot;

typedef struct Reading {
  const ArrivalsAsk *ask;
  Arrivals *out;
  Arrival rows[ARRIVALS_MOST]; /* the oldest first */
  int n;
  uint64_t own[SEQUENCES]; /* of the call that is to be made */
  int place[SEQUENCES];
  Slot slots[SEQUENCES][SLOTS]; /* more than there are rows */
} Reading;

static uint64_t key_of(const char *name) {
  return name ? hash_short(name, strlen(name)) | 1 : 0;
}

/* ---- trials */

/* 1 if the next one read what a call had the provider keep. (A tenth less is the same prefix, counted in another company.) */
static int was_read(const Arrival *a, const Arrival *next, int is_whole) {
  return next->read > 0 && (!is_whole || next->read * 10 >= (a->read + a->written) * 9);
}

static void add_trial(KeepTrials *t, const Arrival *a, const Arrival *next) {
  for (KeepLife life = KEEP_5M; life < KEEP_LIVES; life++) {
    if (t->n[life] < ARRIVALS_TRIALS) {
      t->n[life]++;
      t->in_time[life] += next->ts - a->ts <= keeping_life_ms(life);
    }
  }
}

/* (Who asks before the answer comes can't read what is not written yet.) */
static void add_told(KeepTrials *t, const Arrival *a, const Arrival *next, int is_whole) {
  int is_told = a->is_marked && next->is_marked && a->read + a->written > 0 &&
                next->ts - a->ts >= a->latency && next->ts - a->ts <= keeping_life_ms(KEEP_5M);
  if (is_told && t->marked < ARRIVALS_TRIALS) {
    t->marked++;
    t->found += was_read(a, next, is_whole);
  }
}

/* The last call of another sequence: what it wrote was not read yet. Whether it will be is known when its life is over. */
static void add_last(KeepTrials *t, const Arrival *a, long long now_ms) {
  for (KeepLife life = KEEP_5M; life < KEEP_LIVES; life++) {
    t->n[life] += now_ms - a->ts > keeping_life_ms(life) && t->n[life] < ARRIVALS_TRIALS;
  }
}

/* One row in one of its sequences. */
static void take(Reading *r, const Arrival *a, int by) {
  KeepTrials *t = by == BY_SYSTEM ? &r->out->system : &r->out->history;
  const Arrival now = {.ts = r->ask->now_ms};
  const Arrival *next = a->in[by].next >= 0 ? &r->rows[a->in[by].next] : NULL;
  int is_own = a->in[by].key == r->own[by], place = r->place[by];
  int is_alike = abs(a->in[by].place - place) <= place / ABOUT;
  if (!a->in[by].key) {
    return;
  }
  if (is_own && !next) {
    KeepLife life = a->in[by].life;
    t->is_alive[life] = a->is_marked && a->read + a->written > 0 && now.ts - a->ts >= a->latency &&
                        now.ts - a->ts <= keeping_life_ms(life);
  }
  if (is_own || (is_alike && next)) {
    add_trial(t, a, next ? next : &now);
  } else if (is_alike) {
    add_last(t, a, now.ts);
  }
  if (next && (is_own || by == BY_CONVERSATION)) {
    add_told(t, a, next, by == BY_CONVERSATION);
  }
}

/* ---- rows */

static Slot *slot_of(Reading *r, int by, uint64_t key) {
  size_t i = (size_t)(key >> 1) % SLOTS;
  while (r->slots[by][i].key && r->slots[by][i].key != key) {
    i = (i + 1) % SLOTS;
  }
  Slot *s = &r->slots[by][i];
  s->key = key;
  return s;
}

/* Conversations are compared where they have the same system prompt. */
static void put_in_order(Reading *r) {
  for (int i = 0; i < r->n; i++) {
    Arrival *a = &r->rows[i];
    int is_same = a->in[BY_SYSTEM].key == r->own[BY_SYSTEM];
    a->in[BY_CONVERSATION].key = is_same ? a->in[BY_CONVERSATION].key : 0;
    for (int by = 0; by < SEQUENCES; by++) {
      Slot *s = a->in[by].key ? slot_of(r, by, a->in[by].key) : NULL;
      a->in[by].next = -1;
      if (s) {
        a->in[by].place = s->count++;
        if (s->count > 1) {
          r->rows[s->last].in[by].next = i;
        }
        s->last = i;
        s->life = a->written == 0 ? s->life : a->is_long ? KEEP_1H : KEEP_5M;
        a->in[by].life = s->life;
      }
    }
  }
  for (int by = 0; by < SEQUENCES; by++) {
    r->place[by] = r->own[by] ? slot_of(r, by, r->own[by])->count : 0;
  }
}

/* The newest first, so that their trials are the ones that count. */
static void take_all(Reading *r) {
  for (int i = r->n; i-- > 0;) {
    const Arrival *a = &r->rows[i];
    long long kept = a->read + a->written;
    if (a->written > 0 && kept > 0 && (r->out->least < 0 || kept < r->out->least)) {
      r->out->least = kept;
    }
    for (int by = 0; by < SEQUENCES; by++) {
      take(r, a, by);
    }
  }
}

static void turn_round(Reading *r) {
  for (int i = 0, k = r->n - 1; i < k; i++, k--) {
    const Arrival a = r->rows[i];
    r->rows[i] = r->rows[k];
    r->rows[k] = a;
  }
}

static int read_rows(Store *s, Reading *r, Err *err) {
  const ArrivalsAsk *ask = r->ask;
  sqlite3_stmt *stmt = store_stmt(s, SQL_LAST_ARRIVALS, err);
  if (!stmt) {
    return err->rc;
  }
  sqlite3_bind_int64(stmt, 1, ask->now_ms - DAY_MS);
  sqlite3_bind_int64(stmt, 3, ARRIVALS_MOST);
  int rc = sqlite3_bind_text(stmt, 2, ask->model, -1, SQLITE_STATIC);
  while (rc == SQLITE_OK && r->n < ARRIVALS_MOST && sqlite3_step(stmt) == SQLITE_ROW) {
    r->rows[r->n++] = (Arrival){
        .ts = sqlite3_column_int64(stmt, 0),
        .read = sqlite3_column_int64(stmt, 3),
        .written = sqlite3_column_int64(stmt, 4),
        .is_marked = sqlite3_column_int(stmt, 5),
        .latency = sqlite3_column_int64(stmt, 6),
        .is_long = sqlite3_column_int(stmt, 7),
        .in = {[BY_SYSTEM] = {.key = key_of((const char *)sqlite3_column_text(stmt, 2))},
               [BY_CONVERSATION] = {.key = key_of((const char *)sqlite3_column_text(stmt, 1))}}};
  }
  int done = store_done(s, stmt);
  rc = rc == SQLITE_OK ? done : rc;
  return rc == SQLITE_OK ? RC_OK : store_error(s, rc, "look when such calls came", err);
}

int arrivals_read(Store *s, const ArrivalsAsk *ask, Arrivals *out, Err *err) {
  memset(out, 0, sizeof *out);
  out->least = -1;
  Reading *r = calloc(1, sizeof *r);
  if (!r) {
    return err_nomem(err);
  }
  r->ask = ask;
  r->out = out;
  r->own[BY_SYSTEM] = key_of(ask->system_hash);
  r->own[BY_CONVERSATION] = key_of(ask->conversation);
  if (read_rows(s, r, err) == RC_OK) {
    turn_round(r);
    put_in_order(r);
    take_all(r);
  }
  free(r);
  return err->rc;
}
