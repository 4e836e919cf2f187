/*
** The statement memo: open addressing on the request keys, which are hashes already. See memo.h.
*/
#include "call/memo.h"

#include <stdlib.h>
#include <string.h>

#define MEMO_SLOT (-0x6c6c6d63)

struct Memo {
  MemoEntry *entries; /* in order of arrival */
  unsigned n, cap;
  unsigned long long allowed; /* a bit per name of the guard */
  unsigned *slots; /* index of an entry plus 1; 0: free. Twice cap in size, a power of two */
};

int memo_is_allowed(const Memo *m, int number) {
  return (m->allowed >> number & 1) != 0;
}

void memo_allow(Memo *m, int number) {
  m->allowed |= 1ull << number;
}

Memo *memo_new(void) {
  return calloc(1, sizeof(Memo));
}

void memo_free(void *p) {
  Memo *m = p;
  for (unsigned i = 0; m && i < m->n; i++) {
    free(m->entries[i].text);
    free(m->entries[i].failure);
  }
  if (m) {
    free(m->entries);
    free(m->slots);
    free(m);
  }
}

Memo *memo_of_statement(sqlite3_context *ctx) {
  Memo *m = sqlite3_get_auxdata(ctx, MEMO_SLOT);
  if (!m && (m = memo_new()) != NULL) {
    sqlite3_set_auxdata(ctx, MEMO_SLOT, m, memo_free);
    m = sqlite3_get_auxdata(ctx, MEMO_SLOT); /* NULL if SQLite had no memory and freed it */
  }
  return m;
}

static unsigned slot_of(const Memo *m, const Hash *key) {
  unsigned at, mask = 2 * m->cap - 1;
  memcpy(&at, key->b, sizeof at);
  at &= mask;
  while (m->slots[at] && memcmp(m->entries[m->slots[at] - 1].key.b, key->b, sizeof key->b) != 0) {
    at = (at + 1) & mask;
  }
  return at;
}

const MemoEntry *memo_find(const Memo *m, const Hash *key) {
  if (!m || m->n == 0) {
    return NULL;
  }
  unsigned i = m->slots[slot_of(m, key)];
  return i ? &m->entries[i - 1] : NULL;
}

/* Doubles the room. 0 if there is none. */
static int grow(Memo *m) {
  unsigned cap = m->cap ? 2 * m->cap : 16;
  if (cap > LIMIT_MEMO_ENTRIES) {
    return 0;
  }
  MemoEntry *entries = realloc(m->entries, cap * sizeof *entries);
  if (!entries) {
    return 0;
  }
  m->entries = entries;
  unsigned *slots = calloc(2 * (size_t)cap, sizeof *slots);
  if (!slots) {
    return 0;
  }
  free(m->slots);
  m->slots = slots;
  m->cap = cap;
  for (unsigned i = 0; i < m->n; i++) {
    m->slots[slot_of(m, &m->entries[i].key)] = i + 1;
  }
  return 1;
}

void memo_add(Memo *m, const Hash *key, const char *text, size_t n, long long call_id,
              const Err *failure) {
  if (!m || (m->n == m->cap && !grow(m))) {
    return;
  }
  MemoEntry e = {.key = *key, .n = n, .call_id = call_id};
  e.text = text ? malloc(n + 1) : NULL;
  e.failure = failure ? malloc(sizeof *failure) : NULL;
  if ((text && !e.text) || (failure && !e.failure)) {
    free(e.text);
    free(e.failure);
    return;
  }
  if (text) {
    memcpy(e.text, text, n);
    e.text[n] = 0;
  }
  if (failure) {
    *e.failure = *failure;
  }
  unsigned at = slot_of(m, key);
  if (m->slots[at] == 0) {
    m->entries[m->n++] = e;
    m->slots[at] = m->n;
  } else {
    free(e.text);
    free(e.failure);
  }
}
