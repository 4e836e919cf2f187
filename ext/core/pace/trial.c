/*
** The tests. See trial.h for the contract.
*/
#include "core/pace/trial.h"

#include <math.h>

/* What slowing down leaves where it pays, of the share before. */
#define SMALL_PART (1.0 / 8)

/* Shares beyond these are taken for these: fewer are what a limit refuses that is sought, and where all was refused any answer is news. */
#define LEAST_SHARE 0.05
#define MOST_SHARE 0.8

#define DEVIATIONS 3.0
#define EVIDENCE 4.0 /* e to that: one verdict in fifty is wrong */
#define SURPRISE 4.6 /* once in a hundred times, likewise */

/* Eight refusals in a row are more than chance whatever the share. */
#define ABOUT_HALF 0.56

enum { BLOCK = 8 };

double trial_share(const TrialShare *s) {
  return s->all > 0 ? s->refused / s->all : 0;
}

TrialShare trial_sum(const TrialShare *a, const TrialShare *b) {
  return (TrialShare){a->refused + b->refused, a->all + b->all};
}

int trial_may_be_chance(const TrialShare *a, const TrialShare *b) {
  TrialShare both = trial_sum(a, b);
  double share = trial_share(&both), apart = trial_share(a) - trial_share(b);
  double variance = share * (1 - share) * (1 / a->all + 1 / b->all);
  return a->all <= 0 || b->all <= 0 || apart * apart <= DEVIATIONS * DEVIATIONS * variance;
}

int trial_is_more(const TrialShare *s, double share) {
  double part = trial_share(s);
  share = fmin(share, ABOUT_HALF);
  if (part <= share) {
    return 0;
  }
  double answered = part < 1 ? (1 - part) * log((1 - part) / (1 - share)) : 0;
  return s->all * (part * log(part / share) + answered) > SURPRISE;
}

int trial_block_ended(TrialBlock *b, const TrialEnd *e, long long least) {
  if (b->to == 0 && e->sent - b->from >= least) {
    b->to = e->sent;
  }
  if (e->number > b->from && (b->to == 0 || e->number <= b->to)) {
    b->ended++;
    b->share.all += !e->is_lost;
    b->share.refused += e->is_refused;
  }
  return b->to > 0 && b->ended >= b->to - b->from;
}

void trial_begin(Trial *t, double before, long long sent) {
  *t = (Trial){.state = TRIAL_WAITS,
               .before = fmin(fmax(before, LEAST_SHARE), MOST_SHARE),
               .block = {.from = sent}};
}

/* Adds the block, and begins the next. */
static void judge(Trial *t, long long sent) {
  const TrialShare *s = &t->block.share;
  double many = t->before, few = many * SMALL_PART, answered = s->all - s->refused;
  t->evidence += s->refused * log(many / few) + answered * log((1 - many) / (1 - few));
  t->whole = trial_sum(&t->whole, s);
  t->block = (TrialBlock){.from = sent};
  t->state = t->evidence >= EVIDENCE    ? TRIAL_IN_VAIN
             : t->evidence <= -EVIDENCE ? TRIAL_PAYS
                                        : TRIAL_RUNS;
}

void trial_ended(Trial *t, const TrialEnd *e) {
  if (t->state == TRIAL_WAITS && e->number > t->block.from && !e->is_refused && !e->is_lost) {
    t->state = TRIAL_RUNS;
    t->block = (TrialBlock){.from = e->sent};
  } else if (t->state == TRIAL_RUNS && trial_block_ended(&t->block, e, BLOCK)) {
    judge(t, e->sent);
  }
}
