/*
** What is left of a limit that a provider tells in its answers: a level between two of them.
**
** The answers are the truth, and the level is an estimate between them: others may share the account, and what is under way may be
** counted already or not. So each answer only bounds it: at most what the answer says, and at least that without all that the answer
** can't have known of.
**
** It fills again as a whole at the reset that the answers name, as a fixed window does. That is safe for a bucket, which fills little by
** little, too, and costs it no throughput (it is full at the same time). Where the reset moves away although it has not come, it is a bucket's:
** then the level rises steadily, as far as until a request is refused that it let through.
*/
#ifndef LLMCOST_LEVEL_H
#define LLMCOST_LEVEL_H

#include "base/limits.h"

enum {
  /* No wait is longer, whatever a provider says: after it one request tries. Who does not want to wait as long as a provider says asks it
  ** of the answer. */
  PACE_LONGEST_MS = LIMIT_RETRY_AFTER_MS
};

/* As the provider says it; -1: it does not. A limit of 0 is none. */
typedef struct PaceLimit {
  long long limit, remaining, reset_ms;
} PaceLimit;

typedef struct Level {
  double level, limit; /* limit 0: nothing is known, all may leave */
  double refill;       /* a millisecond; 0: all at once, at reset_at */
  long long at;        /* the time of `level` */
  long long reset_at;  /* -1: not known */
} Level;

/* No limit is known. */
void level_init(Level *l);

/* `amount` of it leaves now (or, negative, was less than thought). */
void level_take(Level *l, double amount, long long now);

/* What an answer says. `unaccounted`: what had not ended when its request left, or left since, without itself: of that it may not know.
** A reset that is further away than PACE_LONGEST_MS is taken for that: by then one request tries. */
void level_learn(Level *l, const PaceLimit *said, double unaccounted, long long now);

/* It let something through that was refused. */
void level_distrust(Level *l, long long now);

/* Milliseconds until `amount` may leave, at most PACE_LONGEST_MS; 0: now. What is more than the whole limit leaves when all of it is there
** and nothing else is under way (is_alone): it can't be waited for, and only the provider knows whether it takes it. */
long long level_wait(const Level *l, double amount, int is_alone, long long now);

#endif
