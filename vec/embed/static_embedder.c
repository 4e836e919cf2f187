/*
** The compiled-in embedder. See static_embedder.h for the contract, and vec/embedder for the table,
** its licence and how it was made.
**
** The table (little-endian, unaligned):
**
**   "LCEMB001" | u32 rows | u32 dimensions | u32 bits | u32 bytes of vocabulary
**   vocabulary: per row one length byte and the wordpiece
**   f32 scale per row
**   rows of four-bit numbers, low nibble first, number = nibble - 8
**
** A text is the normalised sum of scale * row over its wordpieces. A word that has none counts for
** nothing, as do [CLS], [SEP] and [UNK], which the table does not hold. Curly quotes count as straight
** ones: the table was made from texts that have no others, so their own rows mean nothing (with them,
** “don’t” had a cosine of 0.6 with "don't"). All processors give the same
** bits (see static_rows.h), so vectors stored by one can be compared with those of another.
**
** The lookup table is built on the first call (about a millisecond, 0.4 MB) and kept for the life of
** the process. The table is checked then like a file from outside: one that isn't what this code
** expects leaves the embedder without memory to work with (VEC_NOMEM), never with wild reads. Where there
** was no memory to build it, the next call tries again.
*/
#include "vec/embed/static_embedder.h"

#include "base/once.h"
#include "vec/embed/static_rows.h"
#include "vec/embed/wordpiece.h"

#include <math.h>
#include <string.h>

__asm__(".pushsection .rodata\n"
        ".balign 64\n"
        ".globl static_embedder_table\n"
        ".hidden static_embedder_table\n"
        "static_embedder_table:\n"
        ".incbin \"vec/embed/recipe/static256_4.bin\"\n" /* found by the compiler's -I. */
        ".globl static_embedder_table_end\n"
        ".hidden static_embedder_table_end\n"
        "static_embedder_table_end:\n"
        ".byte 0\n"
        ".popsection\n");
extern const unsigned char static_embedder_table[] __attribute__((visibility("hidden")));
extern const unsigned char static_embedder_table_end[] __attribute__((visibility("hidden")));

enum { HEADER = 24, BITS = 4, CHUNK = 512 };

static Once once = ONCE_INIT;
static Vocabulary vocabulary;
static const unsigned char *scales, *rows;
static VecCpu cpu;
static uint32_t curly[4], straight[4]; /* the ids of ‘ ’ “ ” and of what stands for them */

static uint32_t header_field(const unsigned char *table, size_t i) {
  const unsigned char *p = table + 8 + 4 * i;
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void find_quotes(void) {
  static const char text[] = "\u2018\u2019\u201c\u201d''\"\"";
  uint32_t ids[WORDPIECE_MAX_CHARS], all[8] = {0};
  Wordpiece words;
  int known = 1;
  wordpiece_start(&words, &vocabulary, text, sizeof text - 1);
  for (int i = 0; i < 8; i++) {
    known &= wordpiece_next(&words, ids) == 1;
    all[i] = ids[0];
  }
  if (known) {
    memcpy(curly, all, sizeof curly);
    memcpy(straight, all + 4, sizeof straight);
  }
}

/* The id that a word's only piece counts as. */
static uint32_t straighten(uint32_t id) {
  for (int i = 0; i < 4; i++) {
    if (id == curly[i]) {
      return straight[i];
    }
  }
  return id;
}

static int read_table(void) {
  const unsigned char *table = static_embedder_table;
  size_t size = (uintptr_t)static_embedder_table_end - (uintptr_t)table, used;
  cpu = vec_cpu();
  if (size < HEADER || memcmp(table, "LCEMB001", 8) != 0 || header_field(table, 1) != STATIC_DIM ||
      header_field(table, 2) != BITS) {
    return 0;
  }
  uint32_t n = header_field(table, 0);
  size_t bytes = header_field(table, 3);
  if (n > 65535 || size != HEADER + bytes + (size_t)n * (sizeof(float) + ROW_BYTES) ||
      vocabulary_build(&vocabulary, table + HEADER, bytes, n, &used) != VEC_OK) {
    return 0;
  }
  if (used != bytes) {
    vocabulary_free(&vocabulary);
    return 0;
  }
  scales = table + HEADER + bytes;
  rows = scales + (size_t)n * sizeof(float);
  find_quotes();
  return 1;
}

/* Adds the rows of n wordpieces to the sum. */
static void add_rows(const uint32_t *ids, size_t n, float *sum) {
  float weights[CHUNK];
  for (size_t i = 0; i < n; i++) {
    memcpy(&weights[i], scales + (size_t)ids[i] * sizeof(float), sizeof(float));
  }
  static_rows_add(cpu, rows, ids, weights, n, sum);
}

/* Makes v a unit vector; returns 0 where it has no direction. */
static int normalize(float *v) {
  double squares[8] = {0}, total = 0;
  for (int d = 0; d < STATIC_DIM; d++) {
    squares[d % 8] += (double)v[d] * (double)v[d];
  }
  for (int i = 0; i < 8; i++) {
    total += squares[i];
  }
  if (!(total > 0)) {
    return 0;
  }
  double scale = 1 / sqrt(total);
  for (int d = 0; d < STATIC_DIM; d++) {
    v[d] = (float)((double)v[d] * scale);
  }
  return 1;
}

int static_embed(const char *text, size_t n, float out[STATIC_DIM]) {
  uint32_t ids[CHUNK];
  size_t n_ids = 0;
  int pieces;
  Wordpiece words;
  if (!once_make(&once, read_table)) {
    return VEC_NOMEM;
  }
  memset(out, 0, STATIC_DIM * sizeof *out);
  wordpiece_start(&words, &vocabulary, text, n);
  while ((pieces = wordpiece_next(&words, ids + n_ids)) != WORDPIECE_END) {
    if (pieces == 1) {
      ids[n_ids] = straighten(ids[n_ids]);
    }
    n_ids += (size_t)pieces;
    if (n_ids > CHUNK - WORDPIECE_MAX_CHARS) {
      add_rows(ids, n_ids, out);
      n_ids = 0;
    }
  }
  add_rows(ids, n_ids, out);
  return normalize(out) ? VEC_OK : VEC_EMPTY;
}
