/*
** The adaptive policy: when is a near match good enough to be served, if at most a given share of
** what is served may be wrong?
**
** One policy belongs to one partition. It learns from labels (was the nearest entry's answer the
** right one?), which come for free whenever a near match was not served and the question was
** answered anew, and from feedback.
*/
#ifndef LLMCOST_CACHE_POLICY_H
#define LLMCOST_CACHE_POLICY_H

#include <stdint.h>

/* What is known of a near match when the decision is made. */
typedef struct Evidence {
  double similarity; /* cosine of the two questions */
  double second;     /* the same by the confirming embedder; NAN: not asked */
  double margin;     /* the cosine that ranks the neighbours, less that of the nearest one with
                        another answer (or of the farthest looked at) */
  int agree;         /* neighbours with this answer, the entry itself included */
} Evidence;

enum { WHY_SIZE = 160 }; /* bytes of what stood in the way, in words */

typedef struct Decision {
  int64_t ts, partition, entry;
  Evidence evidence;
  double chance; /* that the answer is right, as far as is known */
  double needed; /* the chance it takes to be served */
  double draw;   /* 0 … 1; below POLICY_EXPLORE it is not served, so that its answer teaches */
  int served;
  char why[WHY_SIZE]; /* "": it was served, or the chance says it */
} Decision;

#define POLICY_EXPLORE 0.05

typedef struct Policy Policy;

/* A policy that knows only its prior. `centre` is the cosine of an even chance by the embedder,
** `second_centre` by the confirming one (NAN: there is none). NULL without memory. */
Policy *policy_new(double centre, double second_centre, uint64_t seed);
void policy_free(Policy *p); /* NULL is allowed */

/* Learns that serving `entry` on this evidence would have been right (ok 1) or wrong (0). Returns 0,
** or 7 without memory. */
int policy_learn(Policy *p, const Evidence *evidence, int64_t entry, int ok);

/* Fills chance, needed, draw and served from d->evidence and d->entry, so that of all served in
** expectation at most the share `bound` (0 … 1) is wrong. The draw depends on the seed,
** on `question` (a hash) and on how much was learned, so a decision can be made again. */
void policy_decide(Policy *p, double bound, uint64_t question, Decision *d);

#endif
