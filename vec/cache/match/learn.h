/*
** What was learned about entries: labels, from feedback and from questions that were asked although one was near.
*/
#ifndef LLMCOST_CACHE_LEARN_H
#define LLMCOST_CACHE_LEARN_H

#include "base/hash.h"
#include "vec/cache/match/query.h"

/* Writes a label. `source`: "feedback" (of a caller), "comparison" (of an adaptive policy), "lookup". Returns err->rc, as
** all of these. */
int learn_add(CacheTable *t, int64_t ts, int64_t partition, int64_t entry, const Evidence *e,
              int ok, const char *source, Err *err);

/* A question was asked anyway: the entry's answer was the one it got, or not. */
int learn_compared(CacheTable *t, int64_t partition, int64_t entry, const Evidence *e, int same,
                   int64_t now, Err *err);
/* An entry holds this answer. */
int learn_noted(CacheTable *t, int64_t partition, const Hash *answer, int64_t entry, Err *err);

/* 1 if an answer was wrong too often to be believed (track_doubts). */
int learn_doubts(CacheTable *t, Partition *p, const Hash *answer, Err *err);

/* 1 if anybody ever said that a hit of this table was right. */
int learn_has_rights(CacheTable *t, Err *err);
/* How often callers said that an entry was right for a question of this cosine or a little less (0.03), or wrong for any. */
int learn_count(CacheTable *t, int64_t entry, double cosine, int *rights, int *wrongs, Err *err);

/* Records that a served answer was right or wrong (similarity NAN: the entry's own text). */
int learn_feedback(CacheTable *t, int64_t partition, int64_t id, double similarity, int ok,
                   int64_t now, Err *err);

/* The policy of a partition with max_false_hits, having learned every label there is; NULL and *err. */
Policy *learn_policy(CacheTable *t, Partition *p, Err *err);

#endif
