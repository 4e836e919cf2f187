/*
** Tables of the process that are made when first needed, and where that failed, when next needed.
**
** Not pthread_once(): it never calls again, so that memory which was short once would be taken for a
** table that isn't there for the life of the process.
*/
#ifndef LLMCOST_ONCE_H
#define LLMCOST_ONCE_H

#include <pthread.h>

typedef struct Once {
  pthread_mutex_t lock;
  int is_made;
} Once;

#define ONCE_INIT                                                                                  \
  { PTHREAD_MUTEX_INITIALIZER, 0 }

/* 1 once `make` has returned 1; 0 where it has not now (it leaves nothing half made). Any thread. */
static inline int once_make(Once *o, int (*make)(void)) {
  if (__atomic_load_n(&o->is_made, __ATOMIC_ACQUIRE)) {
    return 1;
  }
  pthread_mutex_lock(&o->lock);
  int is_made = o->is_made || make();
  __atomic_store_n(&o->is_made, is_made, __ATOMIC_RELEASE);
  pthread_mutex_unlock(&o->lock);
  return is_made;
}

#endif
