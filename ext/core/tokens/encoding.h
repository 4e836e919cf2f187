/*
** OpenAI's encodings: exact token counts of texts.
*/
#ifndef LLMCOST_ENCODING_H
#define LLMCOST_ENCODING_H

#include <stddef.h>
#include <stdint.h>

typedef enum Encoding {
  ENCODING_O200K,
  ENCODING_CL100K,
  ENCODING_P50K,
  ENCODING_R50K,
  ENCODING_COUNT
} Encoding;

#define ENCODING_NAMES "o200k_base, cl100k_base, p50k_base, r50k_base"

/* "o200k_base" and so on. */
const char *encoding_name(Encoding e);

/* The encoding of that very name, or -1. "o200k_harmony" and "p50k_edit" count as their bases do. */
int encoding_parse(const char *name);

/* Counts of pieces that are no token, as they occurred lately, for the next text: half a megabyte,
** touched as it fills. For one thread at a time; zeros are an empty one. */
enum { ENCODING_CACHE_BITS = 15 };
typedef struct EncodingCache {
  struct EncodingPiece {
    uint64_t low;
    uint32_t high, tag; /* see encoding.c */
  } pieces[1 << ENCODING_CACHE_BITS];
} EncodingCache;

/* Tokens of n bytes: what the official tiktoken's encode_ordinary gives. What looks like a special
** token ("<|endoftext|>") is text like any other. Bytes that are not UTF-8 count as U+FFFD,
** which is what a client would send for them. Linear time. Any thread; the tables of an encoding
** are made at its first use and kept. cache: NULL, or the caller's own. -1: no memory. */
long long encoding_count(Encoding e, const char *text, size_t n, EncodingCache *cache);

/* The same with their ranks: owned by the caller (free), NULL where there are none. */
long long encoding_encode(Encoding e, const char *text, size_t n, uint32_t **ranks);

#endif
