/*
** See inflight.h for the contract.
*/
#include "store/db/inflight.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct Entry {
  struct Entry *next;
  const void *owner;
  long long call_id;
  InflightState state;
  char file[];
} Entry;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Entry *entries;

int inflight_add(const void *owner, const char *file, long long call_id) {
  size_t n = strlen(file) + 1;
  Entry *e = malloc(sizeof *e + n);
  if (!e) {
    return 0;
  }
  e->owner = owner;
  e->call_id = call_id;
  e->state = INFLIGHT_ASKING;
  memcpy(e->file, file, n);
  pthread_mutex_lock(&lock);
  e->next = entries;
  entries = e;
  pthread_mutex_unlock(&lock);
  return 1;
}

void inflight_stick(const void *owner, long long call_id) {
  pthread_mutex_lock(&lock);
  for (Entry *e = entries; e; e = e->next) {
    e->state = e->owner == owner && e->call_id == call_id ? INFLIGHT_STUCK : e->state;
  }
  pthread_mutex_unlock(&lock);
}

void inflight_end(const void *owner, long long call_id) {
  pthread_mutex_lock(&lock);
  for (Entry **at = &entries, *e; (e = *at) != NULL;) {
    if (e->owner == owner && (call_id == 0 || e->call_id == call_id)) {
      *at = e->next;
      free(e);
    } else {
      at = &e->next;
    }
  }
  pthread_mutex_unlock(&lock);
}

void inflight_forget(void) {
  pthread_mutex_lock(&lock);
  for (Entry *next; entries; entries = next) {
    next = entries->next;
    free(entries);
  }
  pthread_mutex_unlock(&lock);
}

InflightState inflight_find(const char *file, long long call_id) {
  InflightState state = INFLIGHT_NONE;
  pthread_mutex_lock(&lock);
  for (Entry *e = entries; e; e = e->next) {
    state = e->call_id == call_id && strcmp(e->file, file) == 0 ? e->state : state;
  }
  pthread_mutex_unlock(&lock);
  return state;
}

unsigned long long inflight_token(void) {
  return (unsigned long long)(uintptr_t)&entries;
}
