/*
** What is refused whatever the pace: a share of all, as slowing down did not lessen it (trial.h).
**
** Such refusals mean nothing for the pace, as long as they are as many as that. When they become more, beyond chance, a limit has been met; when they
** become fewer, there is nothing usual any more; and after some tens of seconds it is to be tried anew. The first that leave at the old
** speed, too, say whether it was right to go back to it: of so many more requests more have to be answered.
*/
#ifndef LLMCOST_USUAL_H
#define LLMCOST_USUAL_H

#include "core/pace/trial.h"

typedef struct Usual {
  TrialShare share; /* of none: nothing is usual */
  TrialBlock block; /* judged by it */
  long long most;   /* under way at once, in the block */
  long long until;
  int is_exceeded;
  int is_new;              /* its first block is still to be judged */
  long long began, closed; /* when the first of it may have left, and the last */
  double slow_rate;        /* of the trial, in requests a second */
} Usual;

/* A trial of this share, at so many requests a second, was in vain: from now, after number `sent`, speed is as before. */
void usual_learn(Usual *u, const Trial *trial, double slow_rate, long long sent, long long now);

/* There is nothing usual. */
void usual_forget(Usual *u);

/* Whether a refusal that arrives now is. */
int usual_covers(const Usual *u, long long now);

/* Each request that ended while it covers refusals; `under_way` without it. */
void usual_ended(Usual *u, const TrialEnd *e, long long under_way, long long now);

#endif
