/*
** What is usual. See usual.h for the contract.
*/
#include "core/pace/usual.h"

#include <math.h>

enum {
  VALID_MS = 30000,
  KNOWN = 200, /* a share of so many is known well enough */
  LEAST_BLOCK = 64,
  WAVES =
      2 /* where each request is refused once, waves of refusals and of answers take turns: a block is two of them */
};

/* To judge by it takes at least so much more speed. */
#define FASTER 1.5

void usual_forget(Usual *u) {
  u->share = (TrialShare){0};
  u->is_exceeded = 0;
}

static void next_block(Usual *u, long long sent) {
  u->block = (TrialBlock){.from = sent};
  u->most = 0;
}

void usual_learn(Usual *u, const Trial *trial, double slow_rate, long long sent, long long now) {
  u->share = trial_sum(&u->share, &trial->whole);
  u->is_exceeded = 0;
  u->until = now + VALID_MS;
  u->began = now;
  u->is_new = 1;
  u->slow_rate = slow_rate;
  next_block(u, sent);
}

int usual_covers(const Usual *u, long long now) {
  return u->share.all > 0 && !u->is_exceeded && now < u->until;
}

/* Where only the pace was for it, nothing more is answered however much faster it is; else as much more. The middle of both, as a ratio. */
static int is_for_pace(const Usual *u) {
  double s = fmax((double)(u->closed - u->began), 1) / 1e3;
  double faster = (double)(u->block.to - u->block.from) / s / u->slow_rate;
  double answered = (1 - trial_share(&u->block.share)) / (1 - trial_share(&u->share));
  return faster >= FASTER && faster * answered * answered <= 1;
}

static void judge(Usual *u) {
  int is_wrong = u->is_new && is_for_pace(u);
  u->is_new = 0;
  if (is_wrong) {
    usual_forget(u);
  } else if (trial_may_be_chance(&u->share, &u->block.share)) {
    u->share = u->share.all < KNOWN ? trial_sum(&u->share, &u->block.share) : u->share;
  } else if (trial_share(&u->block.share) < trial_share(&u->share)) {
    usual_forget(u);
  } else {
    u->is_exceeded = 1;
  }
}

void usual_ended(Usual *u, const TrialEnd *e, long long under_way, long long now) {
  int was_open = u->block.to == 0;
  u->most = u->most > under_way ? u->most : under_way + 1;
  long long least = u->most * WAVES > LEAST_BLOCK ? u->most * WAVES : LEAST_BLOCK;
  int is_whole = trial_block_ended(&u->block, e, least);
  u->closed = was_open ? now : u->closed;
  if (is_whole) {
    judge(u);
    next_block(u, e->sent);
  }
}
