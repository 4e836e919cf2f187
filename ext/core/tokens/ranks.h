/*
** A byte-pair vocabulary: its tokens' bytes and ranks, found by bytes in constant time.
*/
#ifndef LLMCOST_RANKS_H
#define LLMCOST_RANKS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define RANK_NONE UINT32_MAX

/* Tokens up to this long are kept whole in their slot of the hash table. */
enum { RANK_SHORT = 12 };

/* A short token. `tag` is its rank * 256 + its length; 0: a free slot. */
typedef struct RankSlot {
  uint64_t low;  /* bytes 0 to 7, zeros behind the end */
  uint32_t high; /* bytes 8 to 11 */
  uint32_t tag;
} RankSlot;

typedef struct Ranks {
  uint32_t n;       /* ranks: a token's rank is below it */
  uint32_t longest; /* bytes of the longest token */
  uint32_t *offset; /* n + 1 of them: token i is bytes[offset[i]] to bytes[offset[i + 1]] */
  uint32_t *halves; /* 2 per rank: what it is merged from last; RANK_NONE: never merged */
  unsigned char *bytes;
  RankSlot *slots;     /* short tokens, 2^k slots */
  int shift;           /* 64 - k */
  uint32_t *far_slots; /* the longer ones: rank + 1, 0: free; 2^k of them */
  int far_shift;
  uint64_t *filter; /* 4 bits per slot: which hashes occur. Most that is no token ends here */
  uint32_t *pairs;  /* 65536: the rank of each two bytes, the first one * 256 */
  unsigned char
      *reach; /* 65536: the longest token made by merging that begins with these two bytes */
} Ranks;

/* Reads a vocabulary file (the format: ranks.c) and builds the tables. 1, or 0 where the file
** is not one or memory is out; then *v is zeros. */
int ranks_read(Ranks *v, const unsigned char *file, size_t size);
void ranks_free(Ranks *v);

/* The rank of a token longer than RANK_SHORT, or RANK_NONE. */
uint32_t ranks_find_long(const Ranks *v, const unsigned char *p, size_t n);

static inline size_t ranks_length(const Ranks *v, uint32_t rank) {
  return v->offset[rank + 1] - v->offset[rank];
}

/* The upper bits depend on every byte: the first 64 - shift of them name the slot, two more the bit
** of the filter. */
static inline uint64_t ranks_hash(uint64_t low, uint32_t high) {
  return (low ^ ((uint64_t)high * 0xD6E8FEB86659FD93u)) * 0x9E3779B97F4A7C15u;
}

/* The rank of a short token given as its slot's fields. */
static inline uint32_t ranks_find_slot(const Ranks *v, uint64_t low, uint32_t high, size_t n) {
  size_t mask = ((size_t)1 << (64 - v->shift)) - 1;
  for (size_t i = (size_t)(ranks_hash(low, high) >> v->shift);; i = (i + 1) & mask) {
    const RankSlot *s = &v->slots[i];
    if (s->low == low && s->high == high && (s->tag & 255) == n) {
      return s->tag >> 8;
    }
    if (s->tag == 0) {
      return RANK_NONE;
    }
  }
}

/* 0 if there is certainly no such short token. */
static inline int ranks_may_have(const Ranks *v, uint64_t low, uint32_t high) {
  size_t bit = (size_t)(ranks_hash(low, high) >> (v->shift - 2));
  return v->filter[bit >> 6] >> (bit & 63) & 1;
}

/* What n bytes leave of a slot's fields. */
extern const uint64_t ranks_low_mask[RANK_SHORT + 1];
extern const uint32_t ranks_high_mask[RANK_SHORT + 1];

/* The fields of a slot from n bytes, 1 <= n <= RANK_SHORT, of which `room` >= n can be read.
** (Little-endian: byte 0 is the lowest.) */
static inline void ranks_fields(const unsigned char *p, size_t n, size_t room, uint64_t *low,
                                uint32_t *high) {
  unsigned char copy[16] = {0};
  if (__builtin_expect(room < RANK_SHORT, 0)) {
    memcpy(copy, p, n);
    p = copy;
  }
  memcpy(low, p, 8);
  memcpy(high, p + 8, 4);
  *low &= ranks_low_mask[n];
  *high &= ranks_high_mask[n];
}

/* The rank of the token with these n bytes, or RANK_NONE. `room` >= n bytes can be read.
** ranks_find expects that they are one; ranks_seek is quicker where they are not. */
static inline uint32_t ranks_find(const Ranks *v, const unsigned char *p, size_t n, size_t room) {
  uint64_t low;
  uint32_t high;
  if (n > RANK_SHORT) {
    return ranks_find_long(v, p, n);
  }
  ranks_fields(p, n, room, &low, &high);
  return ranks_find_slot(v, low, high, n);
}

static inline uint32_t ranks_seek(const Ranks *v, const unsigned char *p, size_t n, size_t room) {
  uint64_t low;
  uint32_t high;
  if (n > RANK_SHORT) {
    return ranks_find_long(v, p, n);
  }
  ranks_fields(p, n, room, &low, &high);
  return ranks_may_have(v, low, high) ? ranks_find_slot(v, low, high, n) : RANK_NONE;
}

#endif
