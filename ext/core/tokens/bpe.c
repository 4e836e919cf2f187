/*
** Byte-pair merging without merging. See bpe.h for the contract.
**
** tiktoken's rule: as long as two neighbours together are a token, join the pair of lowest rank,
** the leftmost of equals. Done literally that is quadratic, or with a heap n log n and 12 bytes of
** memory per byte. The way here (that of the Rust crate `bpe`, github/rust-gems) reads left to
** right:
**
**   A sequence of tokens is what the rule gives if and only if each two neighbours are what the rule
**   gives for their bytes. So: append the longest token that the text goes on with; if it does not
**   go with the one before, the next shorter one; if none does, take the last one back and try a
**   shorter one in its place. A position from which there was no way on is marked in a bit set and
**   never entered again, so each is left at most once for each length of a token: linear time.
**
** Whether two tokens go together: undo their last merges, latest (highest rank) first, and look
** whether at any time the two tokens that meet at the seam would have been joined. The halves of a
** token stand in the vocabulary; two tokens that meet are joined if their bytes, side by side in
** the text, are a token. Only tokens that merging can make (they have halves, or are one byte) take
** part; a piece that is a token is one token in any case, and that is asked first.
*/
#include "core/tokens/bpe.h"

#include <stdlib.h>

enum {
  FEW = 16,   /* bytes that are merged literally */
  SMALL = 256 /* bytes of a piece that needs no memory but the stack */
};

/* Rank of the n bytes at p, if they are a token of this encoding. */
static inline uint32_t find(const Bpe *bpe, const unsigned char *p, size_t n, size_t room) {
  uint32_t rank = ranks_seek(bpe->vocabulary, p, n, room);
  return rank < bpe->limit ? rank : RANK_NONE;
}

static int is_merged(const Ranks *v, uint32_t rank) {
  return v->halves[2 * (size_t)rank] != RANK_NONE;
}

/* The longest token of at most `most` bytes that merging can make and that p begins with. */
static uint32_t find_longest(const Bpe *bpe, const unsigned char *p, size_t most, size_t room) {
  const Ranks *v = bpe->vocabulary;
  if (most > 1) {
    size_t reach = v->reach[p[0] << 8 | p[1]];
    for (size_t n = most < reach ? most : reach; n > 1; n--) {
      uint32_t rank = find(bpe, p, n, room);
      if (rank != RANK_NONE && is_merged(v, rank)) {
        return rank;
      }
    }
  }
  return find(bpe, p, 1, room);
}

/* 1 if the tokens a and b that meet at `seam` stay two tokens. `limit` bounds the ranks of merges
** that can still happen at the seam: one of equal rank further left comes first. */
static int go_together(const Bpe *bpe, uint32_t a, uint32_t b, const unsigned char *seam,
                       size_t room) {
  const Ranks *v = bpe->vocabulary;
  uint32_t limit = RANK_NONE;
  for (;;) {
    size_t left = ranks_length(v, a), both = left + ranks_length(v, b);
    if (both <= v->longest && find(bpe, seam - left, both, room + left) < limit) {
      return 0;
    }
    int undo_a = is_merged(v, a) && (!is_merged(v, b) || a > b);
    if (undo_a) {
      limit = a;
      a = v->halves[2 * (size_t)a + 1];
    } else if (is_merged(v, b)) {
      limit = b + 1;
      b = v->halves[2 * (size_t)b];
    } else {
      return 1;
    }
  }
}

typedef struct Walk {
  unsigned char *dead;    /* a bit per position: no way on from there */
  unsigned char *lengths; /* of the tokens so far */
  uint32_t *ranks;        /* of the tokens so far, or NULL */
} Walk;

static int is_dead(const Walk *w, size_t at) {
  return w->dead[at >> 3] >> (at & 7) & 1;
}

/* Each byte as a token of its own. */
static size_t split_bytes(const Bpe *bpe, const unsigned char *p, size_t n, size_t room,
                          uint32_t *ranks) {
  for (size_t i = 0; ranks && i < n; i++) {
    ranks[i] = find(bpe, p + i, 1, room - i);
  }
  return n;
}

static size_t walk(const Bpe *bpe, const unsigned char *p, size_t n, size_t room, const Walk *w) {
  const Ranks *v = bpe->vocabulary;
  size_t at = 0, count = 0, most = n;
  uint32_t last = RANK_NONE;
  while (at < n) {
    uint32_t next = RANK_NONE;
    size_t length = most + 1;
    do {
      next = length > 1 ? find_longest(bpe, p + at, length - 1, room - at) : RANK_NONE;
      length = next == RANK_NONE ? 0 : ranks_length(v, next);
    } while (length > 0 && (is_dead(w, at + length) ||
                            (count && !go_together(bpe, last, next, p + at, room - at))));
    if (length > 0) {
      w->lengths[count] = (unsigned char)length;
      if (w->ranks) {
        w->ranks[count] = next;
      }
      count++;
      at += length;
      most = n - at;
      last = next;
      continue;
    }
    if (count == 0) { /* the vocabulary denies a merge that it makes */
      return split_bytes(bpe, p, n, room, w->ranks);
    }
    w->dead[at >> 3] |= (unsigned char)(1 << (at & 7));
    count--;
    at -= w->lengths[count];
    most = w->lengths[count] - 1u;
    last = count ? find(bpe, p + at - w->lengths[count - 1], w->lengths[count - 1],
                        room - at + w->lengths[count - 1])
                 : RANK_NONE;
  }
  return count;
}

/* A rank and the place it is at, so that the least of them is the leftmost of the lowest. */
static inline uint32_t key_of(uint32_t rank, size_t at, uint32_t limit) {
  return rank < limit ? rank * 32 + (uint32_t)at : RANK_NONE;
}

/* The rule done literally: for few bytes it is the quickest. A part is named by the byte it begins
** with; key[i] is that of part i together with the next one. */
static size_t merge_few(const Bpe *bpe, const unsigned char *p, size_t n, size_t room,
                        uint32_t *ranks) {
  unsigned char next[FEW + 1], before[FEW + 1];
  uint32_t key[FEW + 1];
  size_t parts = n;
  for (size_t i = 0; i < n; i++) {
    next[i] = (unsigned char)(i + 1);
    before[i + 1] = (unsigned char)i;
    key[i] =
        key_of(i + 1 < n ? bpe->vocabulary->pairs[p[i] << 8 | p[i + 1]] : RANK_NONE, i, bpe->limit);
  }
  for (;;) {
    uint32_t best = RANK_NONE;
    for (size_t i = 0; i + 1 < n; i++) {
      best = key[i] < best ? key[i] : best;
    }
    if (best == RANK_NONE) {
      break;
    }
    size_t at = best % 32, end = next[next[at]];
    key[next[at]] = RANK_NONE;
    next[at] = (unsigned char)end;
    before[end] = (unsigned char)at;
    parts--;
    key[at] = RANK_NONE;
    if (end < n) {
      key[at] = key_of(find(bpe, p + at, next[end] - at, room - at), at, bpe->limit);
    }
    if (at > 0) {
      size_t left = before[at];
      key[left] = key_of(find(bpe, p + left, end - left, room - left), left, bpe->limit);
    }
  }
  for (size_t i = 0; ranks && i < n; i = next[i]) {
    *ranks++ = find(bpe, p + i, next[i] - i, room - i);
  }
  return parts;
}

size_t bpe_merge(const Bpe *bpe, const unsigned char *p, size_t n, size_t room, uint32_t *ranks) {
  unsigned char small[SMALL + SMALL / 8 + 1];
  if (n <= FEW) {
    return merge_few(bpe, p, n, room, ranks);
  }
  unsigned char *memory = n > SMALL ? malloc(n + n / 8 + 1) : small;
  if (!memory) {
    return BPE_NOMEM;
  }
  Walk w = {memory, memory + n / 8 + 1, ranks};
  memset(w.dead, 0, n / 8 + 1);
  size_t count = walk(bpe, p, n, room, &w);
  if (memory != small) {
    free(memory);
  }
  return count;
}
