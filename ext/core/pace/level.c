/*
** A level. See level.h for the contract.
*/
#include "core/pace/level.h"

#include <math.h>

enum {
  /* Resets in whole seconds, and what passes between a provider's clock and ours: less is no difference. */
  SLOP_MS = 1500,
  /* Of a limit whose reset is not said: most are by the minute. */
  PERIOD_MS = 60000
};

void level_init(Level *l) {
  *l = (Level){.reset_at = -1};
}

static double level_now(const Level *l, long long now) {
  double risen = l->level + l->refill * (double)(now - l->at);
  int is_over = l->refill <= 0 && l->reset_at >= 0 && now >= l->reset_at;
  return is_over || risen > l->limit ? l->limit : risen;
}

/* Brings it to this time. */
static void settle(Level *l, long long now) {
  l->level = level_now(l, now);
  l->at = now;
  l->reset_at = now >= l->reset_at ? -1 : l->reset_at;
}

void level_take(Level *l, double amount, long long now) {
  settle(l, now);
  l->level = fmin(l->level - amount, l->limit);
}

/* When it is whole again, and whether it rises until then: a reset that is further away now, with less left. `level`: what we thought. */
static void learn_reset(Level *l, const PaceLimit *said, double level, long long now) {
  if (said->reset_ms < 0) {
    l->refill = l->reset_at < 0 ? l->limit / PERIOD_MS : l->refill;
    return;
  }
  long long ms = said->reset_ms < PACE_LONGEST_MS ? said->reset_ms : PACE_LONGEST_MS;
  int has_moved = l->reset_at > now && now + ms - l->reset_at > SLOP_MS;
  int is_new = has_moved && (double)said->remaining > level; /* it began anew a little before */
  has_moved = has_moved && !is_new;
  int is_bucket = has_moved || l->refill > 0;
  double missing = l->limit - (double)said->remaining;
  if (is_bucket && missing > 0 && said->reset_ms > 0) {
    l->refill = missing / (double)said->reset_ms;
  }
  if (is_bucket || is_new || l->reset_at < 0 || now + ms < l->reset_at - SLOP_MS) {
    l->reset_at = now + ms;
  }
}

void level_learn(Level *l, const PaceLimit *said, double unaccounted, long long now) {
  double remaining = (double)said->remaining;
  if (said->limit == 0 || said->remaining < 0) {
    return;
  }
  int is_first = l->limit <= 0;
  settle(l, now);
  l->limit = said->limit > 0 ? (double)said->limit : fmax(l->limit, remaining);
  double least = remaining - unaccounted, thought = l->level;
  l->level = is_first ? least : fmin(fmax(l->level, least), remaining);
  learn_reset(l, said, thought, now);
}

void level_distrust(Level *l, long long now) {
  settle(l, now);
  double missing = l->limit - l->level;
  l->refill = l->refill > 0 || l->reset_at <= now ? 0 : missing / (double)(l->reset_at - now);
}

long long level_wait(const Level *l, double amount, int is_alone, long long now) {
  double here = level_now(l, now), enough = fmin(amount, l->limit), ms;
  if (l->limit <= 0 || (here >= enough && (amount <= l->limit || is_alone))) {
    return 0;
  }
  if (here >= enough) { /* until the others have ended */
    return PACE_LONGEST_MS;
  }
  if (l->refill > 0) {
    ms = ceil((enough - here) / l->refill);
  } else if (l->reset_at < 0) { /* the next answer will say more */
    ms = is_alone ? 0 : PACE_LONGEST_MS;
  } else {
    ms = (double)(l->reset_at - now);
  }
  return ms < PACE_LONGEST_MS ? (long long)ms : PACE_LONGEST_MS;
}
