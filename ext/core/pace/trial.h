/*
** Whether slowing down pays: tests of shares of refusals.
**
** A limit answers nearly all that is sent a little below it; what refuses every other request whatever the pace goes on to. So after a slow-down
** the next requests are put to a sequential test (Wald: Sequential Tests of Statistical Hypotheses, 1945): are as many refused as before, or a
** small part of that? Requests are judged in blocks, each when all of it has ended: refusals tend to arrive before answers do.
*/
#ifndef LLMCOST_TRIAL_H
#define LLMCOST_TRIAL_H

typedef struct TrialShare {
  double refused, all;
} TrialShare;

/* 0 of none. */
double trial_share(const TrialShare *s);
TrialShare trial_sum(const TrialShare *a, const TrialShare *b);

/* Whether chance may make the difference of two shares: not beyond three standard deviations. None differs from nothing. */
int trial_may_be_chance(const TrialShare *a, const TrialShare *b);

/* Whether so many refusals, of `s->all`, are more than chance would make of this share: once in a hundred times (Hoeffding: Probability
** inequalities for sums of bounded random variables, 1963, theorem 1). A share beyond a half is taken for about a half. */
int trial_is_more(const TrialShare *s, double share);

/* What became of a request: its number among all that left, and the number of the last that left by now. */
typedef struct TrialEnd {
  long long number, sent;
  int is_refused, is_lost; /* lost: it says nothing of the pace */
} TrialEnd;

/* The requests behind number `from`, up to `to`; 0: it is still open. */
typedef struct TrialBlock {
  long long from, to, ended;
  TrialShare share;
} TrialBlock;

/* It closes when so many have left. 1: all of them have ended. */
int trial_block_ended(TrialBlock *b, const TrialEnd *e, long long least);

typedef enum TrialState {
  TRIAL_NONE,
  TRIAL_WAITS, /* for the first answer after the slow-down: until then a limit may be used up */
  TRIAL_RUNS,
  TRIAL_PAYS,
  TRIAL_IN_VAIN
} TrialState;

typedef struct Trial {
  TrialState state;
  double before;   /* the share that was refused before */
  double evidence; /* that as many are now: the logarithm of the ratio of the likelihoods */
  TrialBlock block;
  TrialShare whole; /* all its blocks */
} Trial;

/* The slow-down came when `sent` had left. */
void trial_begin(Trial *t, double before, long long sent);

void trial_ended(Trial *t, const TrialEnd *e);

#endif
