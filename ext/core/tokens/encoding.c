/*
** A text through splitting and merging. See encoding.h for the contract, ranks/ for the
** vocabularies, their licence and how they were made.
**
** Pieces are split off in batches, so that splitting (branches) and looking up (memory) do not wait
** for each other. A vocabulary is read at its first use: about 25 ms and 14 MB for o200k_base, half
** of that for cl100k_base. It is checked then like a file from outside: one that isn't what this
** code expects leaves the encoding without memory to work with (-1), never with wild reads. Where there
** was no memory to read it, the next call tries again.
*/
#include "core/tokens/encoding.h"

#include "core/tokens/bpe.h"
#include "base/once.h"
#include "core/tokens/pretokenize.h"
#include "base/utf8.h"
#include "base/text/text.h"

#include <stdlib.h>

#define RANKS(name, file)                                                                          \
  __asm__(".pushsection .rodata\n"                                                                 \
          ".globl encoding_" name "\n"                                                             \
          ".hidden encoding_" name "\n"                                                            \
          "encoding_" name ":\n"                                                                   \
          ".incbin \"core/tokens/ranks/" file "\"\n" /* found by the compiler's -Iext */           \
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
enum { R50K_RANKS = 50256, BATCH = 64, COPIED = 1024, PADDING = 16 };

static Ranks o200k, cl100k, p50k; /* without ranks if the file could not be read */
static Once o200k_once = ONCE_INIT, cl100k_once = ONCE_INIT, p50k_once = ONCE_INIT;

static int read_file(Ranks *v, const unsigned char *file, const unsigned char *end) {
  return ranks_read(v, file, (uintptr_t)end - (uintptr_t)file);
}

static int read_o200k(void) {
  return read_file(&o200k, encoding_o200k, encoding_o200k_end);
}

static int read_cl100k(void) {
  return read_file(&cl100k, encoding_cl100k, encoding_cl100k_end);
}

static int read_p50k(void) {
  return read_file(&p50k, encoding_p50k, encoding_p50k_end);
}

static const struct {
  const char *name;
  SplitRule rule;
  Bpe bpe;
  Once *once;
  int (*read)(void);
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
  /* tiktoken's names of the same vocabulary under other special tokens, which are text here. */
  static const struct {
    const char *name;
    Encoding encoding;
  } also[] = {{"o200k_harmony", ENCODING_O200K}, {"p50k_edit", ENCODING_P50K}};
  for (size_t i = 0; i < sizeof also / sizeof also[0]; i++) {
    if (strcmp(name, also[i].name) == 0) {
      return also[i].encoding;
    }
  }
  for (int e = 0; e < ENCODING_COUNT; e++) {
    if (strcmp(name, encodings[e].name) == 0) {
      return e;
    }
  }
  return -1;
}

/* A batch of pieces: where they end, and the short ones as their slots would hold them. */
typedef struct Batch {
  size_t n, ends[BATCH];
  uint64_t low[BATCH];
  uint32_t high[BATCH];
} Batch;

/* Asks for the slots of the short pieces, so that they have arrived when they are looked at. */
static void fetch_slots(const Ranks *v, const unsigned char *text, size_t room, size_t at,
                        Batch *b) {
  for (size_t i = 0; i < b->n; i++) {
    size_t length = b->ends[i] - at;
    if (length <= RANK_SHORT) {
      ranks_fields(text + at, length, room - at, &b->low[i], &b->high[i]);
      __builtin_prefetch(&v->slots[ranks_hash(b->low[i], b->high[i]) >> v->shift]);
    }
    at = b->ends[i];
  }
}

/* Tokens of a short piece that is no token, by way of the cache. A cached piece's tag is its count
** * 2^16 + its encoding * 2^8 + its length. */
static inline size_t count_again(Encoding e, const unsigned char *p, size_t n, size_t room,
                                 uint64_t low, uint32_t high, EncodingCache *cache) {
  uint32_t key = (uint32_t)e << 8 | (uint32_t)n;
  struct EncodingPiece *piece = &cache->pieces[ranks_hash(low, high) >> (64 - ENCODING_CACHE_BITS)];
  if (piece->low != low || piece->high != high || (piece->tag & 0xFFFF) != key) {
    size_t count = bpe_merge(&encodings[e].bpe, p, n, room, NULL);
    *piece = (struct EncodingPiece){low, high, (uint32_t)count << 16 | key};
  }
  return piece->tag >> 16;
}

/* Tokens of a batch that begins at `at`. BPE_NOMEM: no memory. */
static size_t count_batch(Encoding e, const unsigned char *text, size_t room, size_t at, Batch *b,
                          EncodingCache *cache) {
  const Bpe *bpe = &encodings[e].bpe;
  size_t total = 0, count;
  fetch_slots(bpe->vocabulary, text, room, at, b);
  for (size_t i = 0; i < b->n; i++) {
    size_t length = b->ends[i] - at;
    if (length > RANK_SHORT) {
      count = bpe_encode(bpe, text + at, length, room - at, NULL);
    } else if (ranks_find_slot(bpe->vocabulary, b->low[i], b->high[i], length) < bpe->limit) {
      count = 1;
    } else {
      count = cache ? count_again(e, text + at, length, room - at, b->low[i], b->high[i], cache)
                    : bpe_merge(bpe, text + at, length, room - at, NULL);
    }
    if (count == BPE_NOMEM) {
      return count;
    }
    total += count;
    at = b->ends[i];
  }
  return total;
}

/* The ranks of a batch. */
static size_t encode_batch(const Bpe *bpe, const unsigned char *text, size_t room, size_t at,
                           const Batch *b, uint32_t *ranks) {
  size_t total = 0;
  for (size_t i = 0; i < b->n; i++) {
    size_t count = bpe_encode(bpe, text + at, b->ends[i] - at, room - at, ranks + total);
    if (count == BPE_NOMEM) {
      return count;
    }
    total += count;
    at = b->ends[i];
  }
  return total;
}

/* Tokens of n bytes of valid UTF-8, of `room` that can be read; their ranks to `ranks` unless NULL.
** -1: no memory. */
static long long encode_valid(Encoding e, const char *text, size_t n, size_t room, uint32_t *ranks,
                              EncodingCache *cache) {
  const Bpe *bpe = &encodings[e].bpe;
  const unsigned char *bytes = (const unsigned char *)text;
  size_t at = 0, total = 0;
  Batch b;
  if (!once_make(encodings[e].once, encodings[e].read)) {
    return -1;
  }
  while (at < n) {
    b.n = pretokenize(encodings[e].rule, text, n, room, at, b.ends, BATCH);
    size_t count = b.n == 0 ? BPE_NOMEM
                   : ranks  ? encode_batch(bpe, bytes, room, at, &b, ranks + total)
                            : count_batch(e, bytes, room, at, &b, cache);
    if (count == BPE_NOMEM) {
      return -1;
    }
    total += count;
    at = b.ends[b.n - 1];
  }
  return (long long)total;
}

/* 1 if all n bytes are ASCII; n is a multiple of 8. */
static int is_ascii(const char *text, size_t n) {
  uint64_t all = 0, word;
  for (size_t i = 0; i < n; i += 8) {
    memcpy(&word, text + i, 8);
    all |= word;
  }
  return !(all & 0x8080808080808080u);
}

/* Counts valid UTF-8, or what is made of it. */
static long long encode_repaired(Encoding e, const char *text, size_t n, uint32_t *ranks,
                                 EncodingCache *cache) {
  size_t bad_at = 0;
  Buf repaired;
  if (utf8_is_valid(text, n, &bad_at)) {
    return encode_valid(e, text, n, n, ranks, cache);
  }
  buf_init(&repaired, SIZE_MAX / 2);
  long long total = text_replace_invalid(text, n, &repaired) != 0
                        ? -1
                        : encode_valid(e, repaired.data, repaired.n, repaired.n, ranks, cache);
  buf_free(&repaired);
  return total;
}

/* A short text is copied, so that a few bytes can be read behind its end: most texts are short, and
** the care at their ends would cost more. */
static long long encode(Encoding e, const char *text, size_t n, uint32_t *ranks,
                        EncodingCache *cache) {
  char copy[COPIED + PADDING];
  if (n > COPIED) {
    return encode_repaired(e, text, n, ranks, cache);
  }
  memcpy(copy, text, n);
  memset(copy + n, 0, PADDING);
  return is_ascii(copy, (n + 7) / 8 * 8) ? encode_valid(e, copy, n, n + PADDING, ranks, cache)
                                         : encode_repaired(e, text, n, ranks, cache);
}

long long encoding_count(Encoding e, const char *text, size_t n, EncodingCache *cache) {
  return n > 0 ? encode(e, text, n, NULL, cache) : 0;
}

long long encoding_encode(Encoding e, const char *text, size_t n, uint32_t **ranks) {
  long long total = -1;
  *ranks = n <= SIZE_MAX / 3 / sizeof **ranks ? malloc(3 * n * sizeof **ranks + 1) : NULL;
  if (*ranks) {
    total = n > 0 ? encode(e, text, n, *ranks, NULL) : 0;
  }
  if (total <= 0) {
    free(*ranks);
    *ranks = NULL;
  }
  return total;
}
