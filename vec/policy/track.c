/*
** See track.h for the contract. At most TRACK_MOST answers are known; further ones are not believed less for it.
*/
#include "vec/policy/track.h"

#include "base/tables/hash_map.h"
#include "vec/policy/fixed.h"

#include <stdlib.h>

enum { TRACK_MOST = 65536 }; /* 3 MB */

typedef struct Record {
  int64_t entry;   /* the first one known that holds it */
  int is_repeated; /* 1: so does another */
  int same, differs;
} Record;

struct Track {
  HashMap index;
  Record *list;
  size_t n, cap;
};

Track *track_new(void) {
  return calloc(1, sizeof(Track));
}

void track_free(Track *r) {
  if (r) {
    hash_map_free(&r->index);
    free(r->list);
    free(r);
  }
}

/* The record of an answer, made where there is none; NULL where there is no room, or with *err. */
static Record *record_of(Track *r, const Hash *key, int64_t entry, Err *err) {
  long long at = hash_map_get(&r->index, key);
  if (at != HASH_MAP_NONE || r->n == TRACK_MOST) {
    return at != HASH_MAP_NONE ? &r->list[at] : NULL;
  }
  if (r->n == r->cap) {
    size_t cap = r->cap ? r->cap * 2 : 16;
    Record *more = realloc(r->list, cap * sizeof *more);
    if (!more) {
      err_nomem(err);
      return NULL;
    }
    r->list = more;
    r->cap = cap;
  }
  if (hash_map_put(&r->index, key, (long long)r->n, err) != RC_OK) {
    return NULL;
  }
  r->list[r->n] = (Record){.entry = entry};
  return &r->list[r->n++];
}

int track_note(Track *r, const Hash *key, int64_t entry, Err *err) {
  Record *x = record_of(r, key, entry, err);
  if (x) {
    x->is_repeated |= x->entry != entry;
  }
  return err->rc;
}

int track_learn(Track *r, const Hash *key, int64_t entry, double cosine, int ok, Err *err) {
  Record *x = record_of(r, key, entry, err);
  if (x) {
    x->is_repeated |= x->entry != entry;
    x->same += ok && cosine < FIXED_NO_NEWS;
    x->differs += !ok;
  }
  return err->rc;
}

int track_doubts(const Track *r, const Hash *key) {
  long long at = hash_map_get(&r->index, key);
  const Record *x = at == HASH_MAP_NONE ? NULL : &r->list[at];
  return x && x->is_repeated && x->differs >= FIXED_DIFFERS_FROM &&
         x->differs > FIXED_DIFFERS_BY * x->same;
}
