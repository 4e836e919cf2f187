/*
** BERT-uncased tokenization: a text into words, a word into the longest known pieces.
**
** A vocabulary is given as a table of n entries of (one length byte, that many bytes of UTF-8), the
** entry's number being its id; a piece that continues a word starts with "##". The table is
** borrowed: it must outlive the vocabulary.
*/
#ifndef LLMCOST_WORDPIECE_H
#define LLMCOST_WORDPIECE_H

#include "vec/engine/kernels/vec.h"

#include <stddef.h>
#include <stdint.h>

#define WORDPIECE_MAX_CHARS 100 /* a longer word is unknown, as in BERT */

typedef struct Vocabulary {
  const unsigned char *table; /* borrowed */
  uint32_t *offset;           /* of each id's length byte in the table */
  uint32_t *slots;            /* hash table: 16 bits of hash, 16 bits of id + 1; 0 is free */
  uint32_t n, mask;
  size_t longest; /* bytes of the longest piece, without "##" */
} Vocabulary;

/* Reads n entries (at most 65,535) from at most `bytes` of the table; *used is what they take.
** Returns VEC_OK, VEC_CORRUPT (an entry is empty or goes beyond the end) or VEC_NOMEM. */
int vocabulary_build(Vocabulary *v, const unsigned char *table, size_t bytes, uint32_t n,
                     size_t *used);
void vocabulary_free(Vocabulary *v);

/* A walk over the words of a text; the text and the vocabulary are borrowed. */
typedef struct Wordpiece {
  const Vocabulary *vocabulary;
  const unsigned char *at, *end;
  int32_t pending[4]; /* characters decomposed and not yet used, a stack */
  int n_pending;
  size_t n_bytes, n_chars; /* of the word being read */
  unsigned char word[4 * WORDPIECE_MAX_CHARS];
} Wordpiece;

enum { WORDPIECE_END = -1 };

/* Starts at the front of n bytes of UTF-8. Bytes that aren't UTF-8 are passed over. */
void wordpiece_start(Wordpiece *w, const Vocabulary *vocabulary, const char *text, size_t n);

/* The pieces of the next word: their number, 0 for an unknown word, WORDPIECE_END after the last. */
int wordpiece_next(Wordpiece *w, uint32_t ids[WORDPIECE_MAX_CHARS]);

#endif
