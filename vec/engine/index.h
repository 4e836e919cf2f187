/*
** The index of one partition: the exact best match with cosine >= t, and the exact k nearest.
**
** The index holds codes, not vectors. The vectors stay with the caller, who lends them one at a
** time through a VecSource; a hit is decided in double on the vector lent. An id whose vector the
** source does not lend (a row this transaction can't see, one that a filter leaves out) never
** counts, and never hides another: the index is a hint, the source is the truth.
**
** Not thread-safe: one index belongs to one connection.
*/
#ifndef LLMCOST_INDEX_H
#define LLMCOST_INDEX_H

#include "vec/engine/kernels/vec.h"

#include <stddef.h>
#include <stdint.h>

#define VEC_NEVER INT64_MAX /* an entry that does not expire */

typedef struct VecIndex VecIndex;

/* Lends the unit vector of an entry: *vector points to dim float32 (any alignment), valid until the
** next call; NULL where the entry is not to be seen. Returns VEC_OK, or a code that ends the work. */
typedef struct VecSource {
  int (*vector)(void *ctx, int64_t id, const void **vector);
  void *ctx;
} VecSource;

typedef struct VecHit {
  int64_t id;
  double cosine; /* of the stored vector and the query, in double, order of summation fixed */
} VecHit;

/* What one search did, for benchmarks and EXPLAIN-like output. */
typedef struct VecWork {
  long long boxes, leaves, coded, int8, lent; /* boxes tested, leaves and rows scanned, … */
} VecWork;

/* An empty index of dim-dimensional vectors (1 … 16,384). Returns VEC_OK or VEC_NOMEM. */
int vec_index_new(int dim, VecIndex **index);
void vec_index_free(VecIndex *index); /* NULL is allowed */

/* Adds an entry or replaces the one with this id. `vector` is dim float32 of unit length (see
** vector_unit; one without a direction is VEC_ERROR); the source must lend the same, to 1e-6 in
** direction. expires_at in Unix milliseconds, or VEC_NEVER. */
int vec_index_put(VecIndex *index, int64_t id, const void *vector, int64_t expires_at);

/* Removes an entry; an unknown id is no error. */
int vec_index_remove(VecIndex *index, int64_t id);

/* Does the reorganisation that is due, if any: (re)learns the basis, orders the tail into the tree,
** gives back the space of removed entries. Amortised over inserts it costs microseconds each; call
** it where a pause is welcome (at commit). Searches are exact with or without it. Entries the
** source does not lend are dropped where their vectors are needed. */
int vec_index_settle(VecIndex *index, const VecSource *source);

/* The entry with the highest cosine among those with cosine >= threshold that have not expired at
** `now` and that the source lends; of equals, the highest id. `query` is dim float32 of unit
** length. *n_hits is 1 or 0. work may be NULL. */
int vec_index_best(VecIndex *index, const void *query, double threshold, int64_t now,
                   const VecSource *source, VecHit *hit, int *n_hits, VecWork *work);

/* As vec_index_best, up to k hits, best first. */
int vec_index_nearest(VecIndex *index, const void *query, double threshold, int k, int64_t now,
                      const VecSource *source, VecHit *hits, int *n_hits, VecWork *work);

int64_t vec_index_count(const VecIndex *index);        /* entries, expired ones included */
size_t vec_index_bytes(const VecIndex *index);         /* memory held */
const char *vec_index_strategy(const VecIndex *index); /* "flat" or "kd", in static storage */
int vec_index_dim(const VecIndex *index);

/* Writes the index as a stream of bytes in pieces of any size to `sink` (which returns VEC_OK or a
** code that ends the work), and reads one back from `pull`, which fills exactly n bytes or returns
** a code. Reading checks everything it will rely on: a damaged stream is VEC_CORRUPT, never a
** crash or a wrong answer later. The stream is in the machine's byte order and says so. */
int vec_index_write(const VecIndex *index, int (*sink)(void *ctx, const void *data, size_t n),
                    void *ctx);
int vec_index_read(int (*pull)(void *ctx, void *data, size_t n), void *ctx, VecIndex **index);

#endif
