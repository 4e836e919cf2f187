/*
** Reading a vocabulary. See ranks.h for the contract and ranks/ for the files.
**
** The file (little-endian):
**
**   "LCBPE001" | u32 ranks | u32 bytes of all tokens together | u32 bytes of the bit string
**   the 256 one-byte tokens in the order of their ranks
**   a bit string, lowest bit of each byte first; per rank from 256 up, w = bits of the rank itself:
**     w bits a, w bits b        the token is token a followed by token b, both of lower rank, and
**                               these two are what the merging of its bytes puts together last
**     w bits the rank itself, 8 bits n, n bytes     a token that merging never makes, spelled out;
**                                                   n = 0: no token has this rank
**
** A token is thus 4.2 bytes instead of the 7 of its letters, and the file says what bpe.c needs to
** know, how a token comes about. Every rank and length is checked as it is read.
**
** Two open-addressing tables: short tokens (9 in 10, and nearly all that occur) lie in their slots,
** 16 bytes each, four to a cache line, at most half full; longer ones are found by a hash and
** compared in the bytes. Never changed after reading, so any thread may use it.
*/
#include "core/tokens/ranks.h"

#include <stdlib.h>

enum { HEADER = 20, SINGLES = 256, MAX_RANKS = 1 << 20, MAX_TOKEN = 255 };

#define LOW(n) (((uint64_t)1 << (8 * (n))) - 1)
const uint64_t ranks_low_mask[RANK_SHORT + 1] = {
    LOW(0), LOW(1),     LOW(2),     LOW(3),     LOW(4),     LOW(5),    LOW(6),
    LOW(7), UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
const uint32_t ranks_high_mask[RANK_SHORT + 1] = {0, 0, 0,    0,      0,        0,         0,
                                                  0, 0, 0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF};

typedef struct Bits {
  const unsigned char *bytes;
  size_t at, n; /* in bits */
} Bits;

static uint32_t take(Bits *b, unsigned width) {
  uint64_t word = 0;
  if (b->at > b->n || b->n - b->at < width) {
    b->at = b->n + 1; /* marks the end; nothing is read there */
    return 0;
  }
  size_t byte = b->at >> 3, left = (b->n >> 3) - byte;
  memcpy(&word, b->bytes + byte, left < 8 ? left : 8);
  word >>= b->at & 7;
  b->at += width;
  return (uint32_t)(word & (((uint64_t)1 << width) - 1));
}

static int is_short_of_bits(const Bits *b) {
  return b->at > b->n;
}

static uint32_t read_u32(const unsigned char *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Appends bytes to the token being read; 0 if they are more than the header promised. */
static int append(Ranks *v, uint32_t *used, uint32_t total, const unsigned char *p, size_t n) {
  if (n > total - *used) {
    return 0;
  }
  memcpy(v->bytes + *used, p, n);
  *used += (uint32_t)n;
  return 1;
}

/* A token that is spelled out, or none. */
static int read_spelled(Ranks *v, Bits *bits, uint32_t *used, uint32_t total) {
  uint32_t n = take(bits, 8);
  for (uint32_t i = 0; i < n; i++) {
    unsigned char c = (unsigned char)take(bits, 8);
    if (!append(v, used, total, &c, 1)) {
      return 0;
    }
  }
  return 1;
}

static int read_merged(Ranks *v, Bits *bits, uint32_t rank, uint32_t *used, uint32_t total) {
  unsigned width = 32 - (unsigned)__builtin_clz(rank);
  uint32_t half[2];
  half[0] = take(bits, width);
  if (half[0] == rank) {
    return read_spelled(v, bits, used, total);
  }
  half[1] = take(bits, width);
  for (int i = 0; i < 2; i++) {
    if (half[i] >= rank ||
        !append(v, used, total, v->bytes + v->offset[half[i]], ranks_length(v, half[i]))) {
      return 0;
    }
    v->halves[2 * (size_t)rank + (size_t)i] = half[i];
  }
  return 1;
}

/* Fills offset, bytes and halves. 1, or 0 where the file is not what it should be. */
static int read_tokens(Ranks *v, const unsigned char *file, uint32_t total, uint32_t n_bits) {
  Bits bits = {file + HEADER + SINGLES, 0, (size_t)n_bits * 8};
  uint32_t used = 0;
  memset(v->halves, 0xFF, sizeof *v->halves * 2 * v->n);
  v->longest = 1;
  for (uint32_t rank = 0; rank < v->n; rank++) {
    v->offset[rank] = used;
    int ok = rank < SINGLES ? append(v, &used, total, file + HEADER + rank, 1)
                            : read_merged(v, &bits, rank, &used, total);
    if (!ok || is_short_of_bits(&bits) || used - v->offset[rank] > MAX_TOKEN) {
      return 0;
    }
    v->offset[rank + 1] = used;
    v->longest = used - v->offset[rank] > v->longest ? used - v->offset[rank] : v->longest;
  }
  return used == total;
}

static uint64_t long_hash(const unsigned char *p, size_t n) {
  uint64_t h = n * 0x9E3779B97F4A7C15u, word;
  size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    memcpy(&word, p + i, 8);
    h = (h ^ word) * 0xD6E8FEB86659FD93u;
    h ^= h >> 32;
  }
  memcpy(&word, p + n - 8, 8); /* n > RANK_SHORT */
  return (h ^ word) * 0x9E3779B97F4A7C15u;
}

uint32_t ranks_find_long(const Ranks *v, const unsigned char *p, size_t n) {
  if (n > v->longest) {
    return RANK_NONE;
  }
  size_t mask = ((size_t)1 << (64 - v->far_shift)) - 1;
  for (size_t i = (size_t)(long_hash(p, n) >> v->far_shift);; i = (i + 1) & mask) {
    uint32_t rank = v->far_slots[i] - 1;
    if (rank == RANK_NONE) {
      return rank;
    }
    if (ranks_length(v, rank) == n && memcmp(v->bytes + v->offset[rank], p, n) == 0) {
      return rank;
    }
  }
}

/* Puts a token into its table. 0 if it is there already: a vocabulary names each once. */
static int insert(Ranks *v, uint32_t rank, uint32_t total) {
  const unsigned char *p = v->bytes + v->offset[rank];
  size_t n = ranks_length(v, rank), i, mask;
  if (n > RANK_SHORT) {
    if (ranks_find_long(v, p, n) != RANK_NONE) {
      return 0;
    }
    mask = ((size_t)1 << (64 - v->far_shift)) - 1;
    for (i = (size_t)(long_hash(p, n) >> v->far_shift); v->far_slots[i];) {
      i = (i + 1) & mask;
    }
    v->far_slots[i] = rank + 1;
    return 1;
  }
  RankSlot slot = {.tag = rank << 8 | (uint32_t)n};
  ranks_fields(p, n, total - v->offset[rank], &slot.low, &slot.high);
  uint64_t hash = ranks_hash(slot.low, slot.high);
  size_t bit = (size_t)(hash >> (v->shift - 2));
  mask = ((size_t)1 << (64 - v->shift)) - 1;
  for (i = (size_t)(hash >> v->shift); v->slots[i].tag; i = (i + 1) & mask) {
    const RankSlot *s = &v->slots[i];
    if (s->low == slot.low && s->high == slot.high && (s->tag & 255) == n) {
      return 0;
    }
  }
  v->slots[i] = slot;
  v->filter[bit >> 6] |= (uint64_t)1 << (bit & 63);
  return 1;
}

static int table_shift(size_t entries) {
  int bits = 4;
  while (((size_t)1 << bits) < 2 * entries) {
    bits++;
  }
  return 64 - bits;
}

static int build(Ranks *v, uint32_t total) {
  size_t n_long = 0, n_short = 0;
  for (uint32_t rank = 0; rank < v->n; rank++) {
    size_t n = ranks_length(v, rank);
    n_long += n > RANK_SHORT;
    n_short += n > 0 && n <= RANK_SHORT;
  }
  v->shift = table_shift(n_short);
  v->far_shift = table_shift(n_long);
  v->slots = calloc((size_t)1 << (64 - v->shift), sizeof *v->slots);
  v->far_slots = calloc((size_t)1 << (64 - v->far_shift), sizeof *v->far_slots);
  v->filter = calloc((size_t)1 << (64 - v->shift + 2 - 6), sizeof *v->filter);
  v->reach = calloc(65536, 1);
  v->pairs = malloc(65536 * sizeof *v->pairs);
  if (!v->slots || !v->far_slots || !v->filter || !v->reach || !v->pairs) {
    return 0;
  }
  memset(v->pairs, 0xFF, 65536 * sizeof *v->pairs);
  for (uint32_t rank = 0; rank < v->n; rank++) {
    const unsigned char *p = v->bytes + v->offset[rank];
    size_t n = ranks_length(v, rank);
    if (n > 0 && !insert(v, rank, total)) {
      return 0;
    }
    if (n == 2) {
      v->pairs[p[0] << 8 | p[1]] = rank;
    }
    if (n > 1 && n > v->reach[p[0] << 8 | p[1]] && v->halves[2 * (size_t)rank] != RANK_NONE) {
      v->reach[p[0] << 8 | p[1]] = (unsigned char)n;
    }
  }
  return 1;
}

int ranks_read(Ranks *v, const unsigned char *file, size_t size) {
  memset(v, 0, sizeof *v);
  if (size < HEADER + SINGLES || memcmp(file, "LCBPE001", 8) != 0) {
    return 0;
  }
  uint32_t n = read_u32(file + 8), total = read_u32(file + 12), n_bits = read_u32(file + 16);
  if (n < SINGLES || n > MAX_RANKS || total > (uint64_t)n * MAX_TOKEN ||
      size - HEADER - SINGLES != n_bits) {
    return 0;
  }
  v->n = n;
  v->offset = malloc(((size_t)n + 1) * sizeof *v->offset);
  v->halves = malloc(2 * (size_t)n * sizeof *v->halves);
  v->bytes = malloc((size_t)total + 1);
  if (v->offset && v->halves && v->bytes && read_tokens(v, file, total, n_bits) &&
      build(v, total)) {
    return 1;
  }
  ranks_free(v);
  return 0;
}

void ranks_free(Ranks *v) {
  free(v->offset);
  free(v->halves);
  free(v->bytes);
  free(v->slots);
  free(v->far_slots);
  free(v->filter);
  free(v->pairs);
  free(v->reach);
  memset(v, 0, sizeof *v);
}
