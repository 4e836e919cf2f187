/*
** A byte-pair vocabulary file. The first byte chooses: the rest is the file, or it is what stands behind
** a good header and the single bytes.
**
** Holds: what is read can be merged by, into at most as many tokens as bytes, all of the vocabulary.
*/
#include "fuzz.h"

#include "core/tokens/bpe.h"

enum { HEADER = 20, SINGLES = 256 };

static size_t make_file(Input *in, unsigned char **file) {
  int is_whole = take_byte(in) % 2;
  size_t n_ranks = is_whole ? 0 : SINGLES + take_byte(in) % 8,
         total = is_whole ? 0 : SINGLES + take_byte(in), n = in->n,
         before = is_whole ? 0 : HEADER + SINGLES;
  unsigned char *p = malloc(before + n + 1);
  require(p);
  if (!is_whole) {
    const uint32_t numbers[] = {(uint32_t)n_ranks, (uint32_t)total, (uint32_t)n};
    memcpy(p, "LCBPE001", 8);
    memcpy(p + 8, numbers, sizeof numbers);
    for (int i = 0; i < SINGLES; i++) {
      p[HEADER + i] = (unsigned char)i;
    }
  }
  if (n > 0) {
    memcpy(p + before, in->at, n);
  }
  *file = realloc(p, before + n + (before + n == 0));
  require(*file);
  return before + n;
}

static void merge(const Ranks *v, const unsigned char *text, size_t n) {
  uint32_t ranks[400];
  Bpe bpe = {v, UINT32_MAX};
  size_t count = bpe_encode(&bpe, text, n, n, ranks);
  require(count >= 1 && count <= n);
  for (size_t i = 0; i < count; i++) {
    require(ranks[i] < v->n);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char letters[] = "abcc";
  Input in = {data, size};
  unsigned char *file, text[400];
  Ranks v;
  size_t n = make_file(&in, &file);
  if (ranks_read(&v, file, n)) {
    for (size_t i = 0; i < sizeof text; i++) {
      text[i] = (unsigned char)letters[(i * 2654435761u >> 7) % 4];
    }
    merge(&v, text, 40);
    merge(&v, text, sizeof text);
    for (size_t i = 0; i < sizeof text; i++) {
      text[i] = n > 0 ? file[(i * 7) % n] : 0;
    }
    merge(&v, text, sizeof text);
  }
  ranks_free(&v);
  free(file);
  return 0;
}
