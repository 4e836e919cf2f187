/*
** A table from names (128-bit hashes, which are spread evenly by themselves) to numbers, in memory.
*/
#ifndef LLMCOST_HASH_MAP_H
#define LLMCOST_HASH_MAP_H

#include "base/error.h"
#include "base/hash.h"

typedef struct HashMapSlot {
  Hash key;
  long long value; /* HASH_MAP_NONE: it is free */
} HashMapSlot;

#define HASH_MAP_NONE (-1LL)

/* Zeroed: empty. */
typedef struct HashMap {
  HashMapSlot *slots; /* owned */
  size_t n, cap;      /* cap: a power of two */
} HashMap;

/* The number of a name; HASH_MAP_NONE where it is not there. */
long long hash_map_get(const HashMap *m, const Hash *key);

/* Gives a name that is not there a number of 0 or more. RC_OK, or *err without memory. */
int hash_map_put(HashMap *m, const Hash *key, long long value, Err *err);

void hash_map_free(HashMap *m);

#endif
