/*
** The embedders on lines of text, for the tests written in Python.
**
** Usage: embed_lines ids|static|minilm [FILE]     FILE: the vocabulary table, or the model
**
** Reads texts from standard input, each a little-endian u32 length and its bytes. Writes for each:
** `ids` an i32 count and as many i32 (an unknown word is -1); otherwise an i32 result code and the
** vector's float32 (zeros where the code isn't 0).
*/
#include "vec/embed/minilm.h"
#include "vec/embed/static_embedder.h"
#include "vec/embed/wordpiece.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Writes the wordpieces of one text. */
static void write_ids(const Vocabulary *v, const char *text, size_t n) {
  int32_t *ids = malloc((n + 1 + WORDPIECE_MAX_CHARS) * 4 * sizeof *ids), count = 0;
  uint32_t pieces[WORDPIECE_MAX_CHARS];
  Wordpiece words;
  int k;
  if (!ids) {
    exit(1);
  }
  wordpiece_start(&words, v, text, n);
  while ((k = wordpiece_next(&words, pieces)) != WORDPIECE_END) {
    for (int i = 0; i < k; i++) {
      ids[count++] = (int32_t)pieces[i];
    }
    if (k == 0) {
      ids[count++] = -1;
    }
  }
  fwrite(&count, sizeof count, 1, stdout);
  fwrite(ids, sizeof *ids, (size_t)count, stdout);
  free(ids);
}

static void write_vector(int rc, float *v, size_t dim) {
  int32_t code = rc;
  if (rc != VEC_OK) {
    memset(v, 0, dim * sizeof *v);
  }
  fwrite(&code, sizeof code, 1, stdout);
  fwrite(v, sizeof *v, dim, stdout);
}

/* Reads a vocabulary as `tests/live/test_embedders.py` writes it: u32 entries, then the table. */
static unsigned char *read_vocabulary(const char *path, Vocabulary *v) {
  enum { MOST = 1 << 22 };
  FILE *f = fopen(path, "rb");
  unsigned char *bytes = malloc(MOST);
  uint32_t n;
  size_t used;
  if (!f || !bytes || fread(&n, sizeof n, 1, f) != 1) {
    exit(1);
  }
  size_t size = fread(bytes, 1, MOST, f);
  fclose(f);
  if (vocabulary_build(v, bytes, size, n, &used) != VEC_OK) {
    exit(1);
  }
  return bytes;
}

int main(int argc, char **argv) {
  const char *mode = argc > 1 ? argv[1] : "", *path = argc > 2 ? argv[2] : "";
  float vector[MINILM_DIM];
  unsigned char *table = NULL;
  Vocabulary vocabulary = {0};
  MiniLm *model = NULL;
  char why[256], *text = NULL;
  uint32_t n;
  if (strcmp(mode, "ids") == 0) {
    table = read_vocabulary(path, &vocabulary);
  } else if (strcmp(mode, "minilm") == 0 && minilm_open(path, &model, why, sizeof why) != VEC_OK) {
    fprintf(stderr, "%s\n", why);
    return 1;
  }
  while (fread(&n, sizeof n, 1, stdin) == 1) {
    text = malloc(n + 1u);
    if (!text || fread(text, 1, n, stdin) != n) {
      return 1;
    }
    if (table) {
      write_ids(&vocabulary, text, n);
    } else if (model) {
      write_vector(minilm_embed(model, text, n, vector), vector, MINILM_DIM);
    } else {
      write_vector(static_embed(text, n, vector), vector, STATIC_DIM);
    }
    free(text);
  }
  minilm_close(model);
  vocabulary_free(&vocabulary);
  free(table);
  return 0;
}
