/*
** See flight.h for the contract.
*/
#include "store/answers/flight.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT = 256, KEPT_MS = 10000 };

typedef struct Entry {
  struct Entry *next;
  const void *owner; /* who asks; NULL: it is answered */
  const void *by;    /* who asked */
  int may_be_open;   /* the transaction that wrote its answer */
  Hash key;
  long long landed_at;
  Answer *answer; /* owned */
  char file[];
} Entry;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Entry *entries; /* the newest first */

Answer *answer_copy(const Answer *from) {
  const char *const texts[] = {from->provider, from->model, from->tier, from->tag,
                               from->prompt_hash};
  size_t size = sizeof *from + from->n + 1;
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    size += row_text_size(texts[i]);
  }
  Answer *a = malloc(size);
  if (!a) {
    return NULL;
  }
  char *at = (char *)(a + 1);
  *a = *from;
  a->question = NULL;
  a->next = NULL;
  memcpy(at, from->text, from->n);
  at[from->n] = 0;
  a->text = at;
  at += from->n + 1;
  row_keep_text(&a->provider, &at);
  row_keep_text(&a->model, &at);
  row_keep_text(&a->tier, &at);
  row_keep_text(&a->tag, &at);
  row_keep_text(&a->prompt_hash, &at);
  return a;
}

static void free_entry(Entry *e) {
  free(e->answer);
  free(e);
}

/* The lock is held, as in all of these. */
static Entry *find(const char *file, const Hash *key) {
  Entry *e = entries;
  while (e && (memcmp(e->key.b, key->b, sizeof key->b) != 0 || strcmp(e->file, file) != 0)) {
    e = e->next;
  }
  return e;
}

/* Takes out what `is_over` says. */
static void sweep(int (*is_over)(const Entry *e, const void *arg), const void *arg) {
  for (Entry **at = &entries, *e; (e = *at) != NULL;) {
    if (is_over(e, arg)) {
      *at = e->next;
      free_entry(e);
    } else {
      at = &e->next;
    }
  }
}

static int is_old(const Entry *e, const void *now) {
  return !e->owner && e->landed_at < *(const long long *)now - KEPT_MS;
}

static int is_of(const Entry *e, const void *owner) {
  return e->owner == owner;
}

static int is_answer_in(const Entry *e, const void *file) {
  return !e->owner && strcmp(e->file, file) == 0;
}

static int is_any(const Entry *e, const void *arg) {
  (void)e;
  (void)arg;
  return 1;
}

static void sweep_locked(int (*is_over)(const Entry *e, const void *arg), const void *arg) {
  pthread_mutex_lock(&lock);
  sweep(is_over, arg);
  pthread_mutex_unlock(&lock);
}

static int has_expired(const Answer *a, long long now) {
  return a->expires_at != LEDGER_NULL && a->expires_at <= now;
}

static void add(const FlightAsk *ask) {
  size_t n = strlen(ask->file) + 1;
  Entry *e = calloc(1, sizeof *e + n);
  if (e) {
    e->owner = ask->owner;
    e->key = *ask->key;
    memcpy(e->file, ask->file, n);
    e->next = entries;
    entries = e;
  }
}

/* What the owner wrote before can be seen by whoever looks now. */
static void note_committed(const void *owner) {
  for (Entry *e = entries; e; e = e->next) {
    e->may_be_open &= e->by != owner;
  }
}

static int is_wanted(const Entry *e, const FlightAsk *ask) {
  return (e->may_be_open || e->landed_at >= ask->since) && !has_expired(e->answer, ask->now);
}

FlightState flight_claim(const FlightAsk *ask, Answer **answer) {
  FlightState state = FLIGHT_NONE;
  *answer = NULL;
  pthread_mutex_lock(&lock);
  sweep(is_old, &ask->now);
  if (ask->is_alone) {
    note_committed(ask->owner);
  }
  Entry *e = find(ask->file, ask->key);
  if (!e) {
    add(ask);
  } else if (e->owner) {
    state = e->owner == ask->owner ? FLIGHT_NONE : FLIGHT_ASKED;
  } else if (is_wanted(e, ask) && (*answer = answer_copy(e->answer)) != NULL) {
    state = FLIGHT_ANSWERED;
  } else {
    e->owner = ask->owner;
    free(e->answer);
    e->answer = NULL;
  }
  pthread_mutex_unlock(&lock);
  return state;
}

/* Of more than are kept the oldest go. */
static void bound(void) {
  int n = 0;
  for (Entry **at = &entries, *e; (e = *at) != NULL;) {
    if (!e->owner && ++n > KEPT) {
      *at = e->next;
      free_entry(e);
    } else {
      at = &e->next;
    }
  }
}

static void end(Entry **at, const FlightAsk *ask, const Answer *answer) {
  Entry *e = *at;
  e->answer = answer ? answer_copy(answer) : NULL;
  e->by = e->owner;
  e->owner = NULL;
  e->landed_at = ask->now;
  e->may_be_open = !ask->is_alone;
  if (!e->answer) {
    *at = e->next;
    free_entry(e);
  }
}

void flight_land(const FlightAsk *ask, const Answer *answer) {
  pthread_mutex_lock(&lock);
  for (Entry **at = &entries; *at; at = &(*at)->next) {
    const Entry *e = *at;
    if (e->owner == ask->owner && memcmp(e->key.b, ask->key->b, sizeof e->key.b) == 0 &&
        strcmp(e->file, ask->file) == 0) {
      end(at, ask, answer);
      break;
    }
  }
  bound();
  pthread_mutex_unlock(&lock);
}

void flight_drop(const void *owner) {
  pthread_mutex_lock(&lock);
  sweep(is_of, owner);
  note_committed(owner);
  pthread_mutex_unlock(&lock);
}

void flight_forget(const char *file) {
  sweep_locked(is_answer_in, file);
}

void flight_leave(void) {
  sweep_locked(is_any, NULL);
}
