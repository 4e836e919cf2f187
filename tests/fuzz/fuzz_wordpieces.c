/*
** A vocabulary of wordpieces (two bytes: its entries and its bytes; then the table) and a text in it; the
** text in the vocabulary that is compiled in, too.
**
** Holds: pieces are of the vocabulary, a word has at most as many as letters, there are no more words than
** bytes, and a vector has length 1.
*/
#include "fuzz.h"

#include "vec/embed/static_embedder.h"
#include "vec/embed/wordpiece.h"

#include <math.h>

static void check_words(const Vocabulary *v, const char *text, size_t n) {
  Wordpiece w;
  uint32_t ids[WORDPIECE_MAX_CHARS];
  size_t words = 0;
  wordpiece_start(&w, v, text, n);
  for (int count; (count = wordpiece_next(&w, ids)) != WORDPIECE_END;) {
    require(count >= 0 && count <= WORDPIECE_MAX_CHARS);
    for (int i = 0; i < count; i++) {
      require(ids[i] < v->n);
    }
    /* A character may come apart into several words (a ligature of symbols), but not into many. */
    require(++words <= 18 * n);
  }
  require(wordpiece_next(&w, ids) == WORDPIECE_END);
}

static void check_vector(const char *text, size_t n) {
  float vector[STATIC_DIM];
  double norm = 0;
  int rc = static_embed(text, n, vector);
  require(rc == VEC_OK || rc == VEC_EMPTY);
  for (int i = 0; rc == VEC_OK && i < STATIC_DIM; i++) {
    norm += (double)vector[i] * (double)vector[i];
  }
  require(rc == VEC_EMPTY || fabs(norm - 1) < 1e-4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input in = {data, size};
  Vocabulary v;
  uint32_t entries = take_byte(&in);
  size_t bytes = take_byte(&in), used = 0, n;
  bytes = bytes < in.n ? bytes : in.n;
  unsigned char *table = malloc(bytes ? bytes : 1);
  require(table);
  if (bytes > 0) {
    memcpy(table, in.at, bytes);
  }
  in = (Input){in.at + bytes, in.n - bytes};
  char *copy = take_rest(&in, &n), *text = malloc(n ? n : 1);
  require(text);
  memcpy(text, copy, n);
  int rc = vocabulary_build(&v, table, bytes, entries, &used);
  if (rc == VEC_OK) {
    require(used <= bytes);
    check_words(&v, text, n);
    vocabulary_free(&v);
  }
  check_vector(text, n);
  free(table);
  free(copy);
  free(text);
  return 0;
}
