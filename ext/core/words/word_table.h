/*
** Lists of words as a table: which classes a word is in, and which word it stands for. Words are looked up by the
** hash of their folded bytes (hash_short; the key of a term, split/terms.h).
*/
#ifndef LLMCOST_WORD_TABLE_H
#define LLMCOST_WORD_TABLE_H

#include <stddef.h>
#include <stdint.h>

/* Folded words apart by one blank, all of a class (a bit). With `=` in front they all mean the first one; with `~`
** as well, and the
** first one is not of the class: the others are its opposite. A word may stand in several rows. */
typedef struct WordRow {
  unsigned class;
  const char *words;
} WordRow;

typedef struct WordEntry {
  uint64_t key;   /* 0: free */
  uint64_t means; /* the key of the word it stands for; 0: of itself */
  unsigned classes;
} WordEntry;

/* Fills a table of n entries, all zero: at least twice as many as there are words. */
void word_table_make(const WordRow *rows, size_t n_rows, WordEntry *table, size_t n);

/* The entry of a key; one without classes where it is in no row. */
const WordEntry *word_table_find(const WordEntry *table, size_t n, uint64_t key);

#endif
