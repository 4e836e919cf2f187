/*
** The statement memo: open addressing on the keys, which are hashes already. See memo.h.
*/
#include "call/state/memo.h"

#include "base/clock.h"
#include "store/db/row.h"

#include <stdlib.h>
#include <string.h>

#define MEMO_SLOT (-0x6c6c6d63)

struct Memo {
  MemoEntry *entries; /* in order of arrival */
  unsigned n, cap;
  unsigned long long allowed; /* a bit per name of the guard */
  long long since;            /* Unix ms */
  int is_for_rows, is_wanted, adds_nothing;
  unsigned *slots; /* index of an entry plus 1; 0: free. Twice cap in size, a power of two */
};

int memo_is_allowed(const Memo *m, int number) {
  return (m->allowed >> number & 1) != 0;
}

void memo_allow(Memo *m, int number) {
  m->allowed |= 1ull << number;
}

int memo_adds_nothing(const Memo *m) {
  return m->adds_nothing;
}

void memo_note_nothing(Memo *m) {
  m->adds_nothing = 1;
}

Memo *memo_new(void) {
  Memo *m = calloc(1, sizeof(Memo));
  if (m) {
    m->since = now_ms();
  }
  return m;
}

long long memo_since(const Memo *m) {
  return m->since;
}

Memo *memo_for_rows(void) {
  Memo *m = memo_new();
  if (m) {
    m->is_for_rows = 1;
  }
  return m;
}

void memo_want(Memo *m) {
  m->is_wanted = 1;
}

int memo_is_for_rows(const Memo *m) {
  return m->is_for_rows;
}

int memo_is_empty(const Memo *m) {
  return m->n == 0;
}

static void free_entry(const MemoEntry *e) {
  free((MemoAnswer *)e->answer);
  free((Err *)e->failure);
}

void memo_free(void *p) {
  Memo *m = p;
  for (unsigned i = 0; m && i < m->n; i++) {
    free_entry(&m->entries[i]);
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

/* The answer with its texts behind, in one block (free); NULL without memory. */
static MemoAnswer *copy_answer(const MemoAnswer *from) {
  size_t names = row_text_size(from->provider) + row_text_size(from->model);
  MemoAnswer *a = malloc(sizeof *a + from->n + 1 + names + row_text_size(from->tier));
  if (a) {
    char *at = (char *)(a + 1);
    *a = *from;
    memcpy(at, from->text, from->n);
    at[from->n] = 0;
    a->text = at;
    at += from->n + 1;
    row_keep_text(&a->provider, &at);
    row_keep_text(&a->model, &at);
    row_keep_text(&a->tier, &at);
  }
  return a;
}

/* An entry whose texts are its own; 0 without memory. */
static int copy_entry(const MemoEntry *from, MemoEntry *to) {
  Err *failure = from->failure ? malloc(sizeof *failure) : NULL;
  *to = *from;
  to->answer = from->answer ? copy_answer(from->answer) : NULL;
  to->failure = failure;
  if ((from->answer && !to->answer) || (from->failure && !failure)) {
    free_entry(to);
    return 0;
  }
  if (failure) {
    *failure = *from->failure;
  }
  return 1;
}

void memo_add(Memo *m, const MemoEntry *e) {
  int is_elsewhere = !e->failure && !e->answer, is_for_rows = m && m->is_for_rows;
  int is_left = is_for_rows && ((is_elsewhere && !m->is_wanted) || memo_find(m, &e->key));
  if (!m || is_left || (m->n == m->cap && !grow(m))) {
    return;
  }
  MemoEntry asker = {.key = e->asking, .call_id = e->call_id}, copy;
  unsigned at = slot_of(m, &e->key);
  if (m->slots[at]) {
    e = &asker;
    at = slot_of(m, &e->key);
  }
  if (m->slots[at] == 0 && copy_entry(e, &copy)) {
    m->entries[m->n++] = copy;
    m->slots[at] = m->n;
  }
}
