/*
** A text through splitting and merging. See encoding.h for the contract, ranks/ for the vocabularies,
** their licence and how they were made.
**
** Pieces are split off in batches, so that splitting (branches) and looking up (memory) do not wait for
** each other. A vocabulary is read at its first use: about 15 ms and 14 MB for o200k_base, half of
** that for cl100k_base. It is checked then like a file from outside: one that isn't what this code
** expects leaves the encoding without memory to work with (-1), never with wild reads.
*/
#include "encoding.h"

#include "bpe.h"
#include "pretokenize.h"
#include "text.h"

#include <pthread.h>
#include <stdlib.h>

#define RANKS(name, file)                                                                          \
  __asm__(".pushsection .rodata\n"                                                                 \
          ".globl encoding_" name "\n"                                                             \
          ".hidden encoding_" name "\n"                                                            \
          "encoding_" name ":\n"                                                                   \
          ".incbin \"core/ranks/" file "\"\n" /* found by the compiler's -Iext */                  \
          ".globl encoding_" name "_end\n"                                                         \
          ".hidden encoding_" name "_end\n"                                                        \
          "encoding_" name "_end:\n"                                                               \
          ".byte 0\n"                                                                              \
          ".popsection\n")
RANKS("o200k", "o200k_base.bin");
RANKS("cl100k", "cl100k_base.bin");
RANKS("p50k", "p50k_base.bin");

#define HIDDEN __attribute__((visibility("hidden")))
extern const unsigned char encoding_o200k[] HIDDEN, encoding_o200k_end[] HIDDEN;
extern const unsigned char encoding_cl100k[] HIDDEN, encoding_cl100k_end[] HIDDEN;
extern const unsigned char encoding_p50k[] HIDDEN, encoding_p50k_end[] HIDDEN;

/* r50k_base is p50k_base without the runs of spaces at its end. */
enum { R50K_RANKS = 50256, BATCH = 256 };

static Ranks o200k, cl100k, p50k; /* without ranks if the file could not be read */
static pthread_once_t o200k_once = PTHREAD_ONCE_INIT, cl100k_once = PTHREAD_ONCE_INIT,
                      p50k_once = PTHREAD_ONCE_INIT;

static void read_file(Ranks *v, const unsigned char *file, const unsigned char *end) {
  ranks_read(v, file, (uintptr_t)end - (uintptr_t)file);
}

static void read_o200k(void) {
  read_file(&o200k, encoding_o200k, encoding_o200k_end);
}

static void read_cl100k(void) {
  read_file(&cl100k, encoding_cl100k, encoding_cl100k_end);
}

static void read_p50k(void) {
  read_file(&p50k, encoding_p50k, encoding_p50k_end);
}

static const struct {
  const char *name;
  SplitRule rule;
  Bpe bpe;
  pthread_once_t *once;
  void (*read)(void);
} encodings[ENCODING_COUNT] = {
    [ENCODING_O200K] = {"o200k_base", SPLIT_O200K, {&o200k, UINT32_MAX}, &o200k_once, read_o200k},
    [ENCODING_CL100K] =
        {"cl100k_base", SPLIT_CL100K, {&cl100k, UINT32_MAX}, &cl100k_once, read_cl100k},
    [ENCODING_P50K] = {"p50k_base", SPLIT_GPT2, {&p50k, UINT32_MAX}, &p50k_once, read_p50k},
    [ENCODING_R50K] = {"r50k_base", SPLIT_GPT2, {&p50k, R50K_RANKS}, &p50k_once, read_p50k},
};

const char *encoding_name(Encoding e) {
  return encodings[e].name;
}

int encoding_parse(const char *name) {
  for (int e = 0; e < ENCODING_COUNT; e++) {
    if (strcmp(name, encodings[e].name) == 0) {
      return e;
    }
  }
  return -1;
}

/* Tokens of valid UTF-8; their ranks to `ranks` unless NULL. -1: no memory. */
static long long encode_valid(Encoding e, const char *text, size_t n, uint32_t *ranks) {
  const Bpe *bpe = &encodings[e].bpe;
  size_t at = 0, total = 0, ends[BATCH];
  pthread_once(encodings[e].once, encodings[e].read);
  if (!bpe->vocabulary->n) {
    return -1;
  }
  while (at < n) {
    size_t n_ends = pretokenize(encodings[e].rule, text, n, at, ends, BATCH);
    for (size_t i = 0; i < n_ends; i++) {
      size_t count = bpe_encode(bpe, (const unsigned char *)text + at, ends[i] - at, n - at,
                                ranks ? ranks + total : NULL);
      if (count == BPE_NOMEM) {
        return -1;
      }
      total += count;
      at = ends[i];
    }
    if (n_ends == 0) {
      return -1;
    }
  }
  return (long long)total;
}

static long long encode(Encoding e, const char *text, size_t n, uint32_t **ranks) {
  size_t bad_at = 0;
  Buf repaired;
  buf_init(&repaired, SIZE_MAX / 2);
  if (!text_is_utf8(text, n, &bad_at)) {
    if (text_replace_invalid(text, n, &repaired) != 0) {
      return -1;
    }
    text = repaired.data;
    n = repaired.n;
  }
  if (ranks && n > 0) {
    *ranks = n <= SIZE_MAX / sizeof **ranks ? malloc(n * sizeof **ranks) : NULL;
  }
  long long total =
      ranks && n > 0 && !*ranks ? -1 : encode_valid(e, text, n, ranks ? *ranks : NULL);
  buf_free(&repaired);
  return total;
}

long long encoding_count(Encoding e, const char *text, size_t n) {
  return encode(e, text, n, NULL);
}

long long encoding_encode(Encoding e, const char *text, size_t n, uint32_t **ranks) {
  *ranks = NULL;
  long long total = encode(e, text, n, ranks);
  if (total < 0) {
    free(*ranks);
    *ranks = NULL;
  }
  return total;
}
