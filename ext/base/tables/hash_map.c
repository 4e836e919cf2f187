/*
** See hash_map.h for the contract. Open addressing, half full at most.
*/
#include "base/tables/hash_map.h"

#include <stdlib.h>
#include <string.h>

/* The place of a name, or the free one where it belongs. */
static HashMapSlot *place_of(const HashMap *m, const Hash *key) {
  size_t at;
  memcpy(&at, key->b, sizeof at);
  for (at &= m->cap - 1;
       m->slots[at].value != HASH_MAP_NONE && memcmp(&m->slots[at].key, key, sizeof *key) != 0;) {
    at = (at + 1) & (m->cap - 1);
  }
  return &m->slots[at];
}

long long hash_map_get(const HashMap *m, const Hash *key) {
  return m->cap ? place_of(m, key)->value : HASH_MAP_NONE;
}

static int grow(HashMap *m, Err *err) {
  enum { FIRST = 64 };
  HashMap more = {.cap = m->cap ? 2 * m->cap : FIRST, .n = m->n};
  more.slots = malloc(more.cap * sizeof *more.slots);
  if (!more.slots) {
    return err_nomem(err);
  }
  for (size_t i = 0; i < more.cap; i++) {
    more.slots[i].value = HASH_MAP_NONE;
  }
  for (size_t i = 0; i < m->cap; i++) {
    if (m->slots[i].value != HASH_MAP_NONE) {
      *place_of(&more, &m->slots[i].key) = m->slots[i];
    }
  }
  free(m->slots);
  *m = more;
  return RC_OK;
}

int hash_map_put(HashMap *m, const Hash *key, long long value, Err *err) {
  if (2 * (m->n + 1) > m->cap && grow(m, err) != RC_OK) {
    return err->rc;
  }
  *place_of(m, key) = (HashMapSlot){*key, value};
  m->n++;
  return RC_OK;
}

void hash_map_free(HashMap *m) {
  free(m->slots);
  *m = (HashMap){0};
}
