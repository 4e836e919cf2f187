/*
** Byte-pair merging: the tokens of one piece of text.
*/
#ifndef LLMCOST_BPE_H
#define LLMCOST_BPE_H

#include "core/tokens/ranks.h"

/* A vocabulary up to a rank: r50k_base is the beginning of p50k_base. */
typedef struct Bpe {
  const Ranks *vocabulary;
  uint32_t limit; /* ranks below it */
} Bpe;

#define BPE_NOMEM ((size_t)-1)

/* Tokens of the n bytes at p, n >= 1, which are no token themselves: what tiktoken's merging of the
** lowest-ranked pair, leftmost first, comes to. `room` >= n bytes can be read. Their ranks go to
** `ranks` unless it is NULL (room for n of them). Linear time. BPE_NOMEM: no memory, which only
** pieces over 256 bytes ask for. */
size_t bpe_merge(const Bpe *bpe, const unsigned char *p, size_t n, size_t room, uint32_t *ranks);

/* The same for any piece: one that is a token is that token. */
static inline size_t bpe_encode(const Bpe *bpe, const unsigned char *p, size_t n, size_t room,
                                uint32_t *ranks) {
  uint32_t rank = ranks_find(bpe->vocabulary, p, n, room);
  if (__builtin_expect(rank >= bpe->limit, 0)) {
    return bpe_merge(bpe, p, n, room, ranks);
  }
  if (ranks) {
    *ranks = rank;
  }
  return 1;
}

#endif
