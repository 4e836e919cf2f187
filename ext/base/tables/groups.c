/*
** See groups.h for the contract.
**
** A key is a byte for each text, which says whether it is there, and the text with its NUL.
*/
#include "base/tables/groups.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

typedef struct GroupKey {
  char *bytes; /* owned */
  size_t n;
} GroupKey;

void groups_init(Groups *g, size_t size) {
  *g = (Groups){.size = size};
}

void groups_free(Groups *g) {
  if (g->texts) {
    groups_free(g->texts);
    free(g->texts);
  }
  for (int i = 0; i < g->n; i++) {
    free(g->keys[i].bytes);
  }
  free(g->records);
  free(g->keys);
  free(g->slots);
  free(g->scratch);
  groups_init(g, g->size);
}

static int *slot_of(const Groups *g, const void *key, size_t n) {
  unsigned mask = (unsigned)g->n_slots - 1, i = (unsigned)hash_short(key, n) & mask;
  for (; g->slots[i]; i = (i + 1) & mask) {
    const GroupKey *known = &g->keys[g->slots[i] - 1];
    if (known->n == n && memcmp(known->bytes, key, n) == 0) {
      break;
    }
  }
  return &g->slots[i];
}

static int grow(Groups *g, Err *err) {
  int cap = g->cap ? 2 * g->cap : 64;
  if (g->n >= GROUP_MOST) {
    return err_set(err, RC_ERROR, ERR_LIMIT,
                   "more than %d groups: ask for a part of the ledger ('from', 'to', 'tag')",
                   (int)GROUP_MOST);
  }
  char *records = realloc(g->records, (size_t)cap * g->size);
  if (!records) {
    return err_nomem(err);
  }
  g->records = records;
  GroupKey *keys = realloc(g->keys, (size_t)cap * sizeof *keys);
  if (!keys) {
    return err_nomem(err);
  }
  g->keys = keys;
  int *slots = calloc(2 * (size_t)cap, sizeof *slots);
  if (!slots) {
    return err_nomem(err);
  }
  free(g->slots);
  g->slots = slots;
  g->n_slots = 2 * cap;
  g->cap = cap;
  for (int i = 0; i < g->n; i++) {
    *slot_of(g, g->keys[i].bytes, g->keys[i].n) = i + 1;
  }
  return RC_OK;
}

/* The place of a key; -1 and *err. */
static int place_of(Groups *g, const void *key, size_t n, Err *err) {
  if (err->rc != RC_OK || (g->n == g->cap && grow(g, err) != RC_OK)) {
    return -1;
  }
  int *slot = slot_of(g, key, n);
  g->is_new = !*slot;
  if (g->is_new) {
    char *bytes = malloc(n ? n : 1);
    if (!bytes) {
      err_nomem(err);
      return -1;
    }
    memcpy(bytes, key, n);
    memset(g->records + (size_t)g->n * g->size, 0, g->size);
    g->keys[g->n].bytes = bytes;
    g->keys[g->n].n = n;
    *slot = ++g->n;
  }
  return *slot - 1;
}

void *groups_of_bytes(Groups *g, const void *key, size_t n, Err *err) {
  int place = place_of(g, key, n, err);
  return place < 0 ? NULL : g->records + (size_t)place * g->size;
}

int groups_has(const Groups *g, const void *key, size_t n) {
  return g->n > 0 && *slot_of(g, key, n) != 0;
}

static int make_room(Groups *g, size_t n, Err *err) {
  if (g->n_scratch < n) {
    char *more = realloc(g->scratch, 2 * n);
    if (!more) {
      return err_nomem(err);
    }
    g->scratch = more;
    g->n_scratch = 2 * n;
  }
  return RC_OK;
}

void *groups_of(Groups *g, const char *const *texts, int n, const char **kept, Err *err) {
  size_t lengths[GROUP_MOST_TEXTS], size = 0, at = 0;
  for (int i = 0; i < n; i++) {
    lengths[i] = texts[i] ? strlen(texts[i]) + 1 : 0;
    size += 1 + lengths[i];
  }
  if (make_room(g, size, err) != RC_OK) {
    return NULL;
  }
  for (int i = 0; i < n; i++, at += 1 + lengths[i - 1]) {
    g->scratch[at] = texts[i] != NULL;
    memcpy(g->scratch + at + 1, texts[i] ? texts[i] : "", lengths[i]);
  }
  int place = place_of(g, g->scratch, size, err);
  at = 0;
  for (int i = 0; i < n && place >= 0; i++, at += 1 + lengths[i - 1]) {
    kept[i] = texts[i] ? g->keys[place].bytes + at + 1 : NULL;
  }
  return place < 0 ? NULL : g->records + (size_t)place * g->size;
}

const char *groups_keep(Groups *g, const char *text, Err *err) {
  const char *kept = NULL;
  if (text && !g->texts) {
    g->texts = malloc(sizeof *g->texts);
    g->texts ? groups_init(g->texts, 1) : (void)err_nomem(err);
  }
  if (text && g->texts) {
    groups_of(g->texts, &text, 1, &kept, err);
  }
  return err->rc == RC_OK ? kept : NULL;
}

void groups_sort(Groups *g, int (*compare)(const void *a, const void *b)) {
  if (g->n > 0) {
    qsort(g->records, (size_t)g->n, g->size, compare);
  }
}

int groups_compare_texts(const char *a, const char *b) {
  return a && b ? strcmp(a, b) : (a != NULL) - (b != NULL);
}
