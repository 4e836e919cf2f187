/*
** See word_table.h for the contract. Open addressing, linear probing, never deleted from.
*/
#include "core/words/word_table.h"

#include "base/check.h"
#include "base/hash.h"

#include <string.h>

static size_t slot_of(const WordEntry *table, size_t n, uint64_t key) {
  size_t at = key % n;
  while (table[at].key != 0 && table[at].key != key) {
    at = (at + 1) % n;
  }
  return at;
}

/* Adds a row; returns the number of its words. */
static size_t add_row(const WordRow *row, WordEntry *table, size_t n) {
  char sign = *row->words == '=' || *row->words == '~' ? *row->words : 0;
  uint64_t first = 0;
  size_t words = 0;
  for (const char *w = row->words + (sign != 0); *w; words++) {
    size_t length = strcspn(w, " ");
    uint64_t key = hash_short(w, length);
    WordEntry *e = &table[slot_of(table, n, key)];
    first = words ? first : key;
    e->key = key;
    e->means = sign ? first : e->means;
    e->classes |= sign == '~' && !words ? 0 : row->class;
    w += length + (w[length] == ' ');
  }
  return words;
}

void word_table_make(const WordRow *rows, size_t n_rows, WordEntry *table, size_t n) {
  size_t words = 0;
  for (size_t i = 0; i < n_rows; i++) {
    words += add_row(&rows[i], table, n);
  }
  CHECK(2 * words <= n);
  (void)words;
}

const WordEntry *word_table_find(const WordEntry *table, size_t n, uint64_t key) {
  return &table[slot_of(table, n, key)];
}
