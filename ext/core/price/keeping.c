/*
** See keeping.h for the contract.
*/
#include "core/price/keeping.h"

#include <math.h>

long long keeping_life_ms(KeepLife life) {
  static const long long lives[KEEP_LIVES] = {[KEEP_5M] = 300000, [KEEP_1H] = 3600000};
  return lives[life];
}

double keeping_share(int good, int n) {
  const double z = 2.575829, z2 = z * z;
  if (n <= 0) {
    return 0;
  }
  double p = (double)good / n;
  double middle = p + z2 / (2.0 * n), half = z * sqrt(p * (1 - p) / n + z2 / (4.0 * n * n));
  double least = (middle - half) / (1 + z2 / n);
  return least > 0 ? least : 0;
}

/* What a token of a place costs less when it is marked; below 0: more. */
static double gain(const KeepPrices *p, const KeepPlace *place, KeepLife life) {
  const KeepTrials *t = &place->trials;
  double in_time = t->is_alive[life] ? 1 : keeping_share(t->in_time[life], t->n[life]);
  double share = in_time * (t->found + 0.25) / (t->marked + 0.25);
  return p->plain - share * p->read - (1 - share) * p->write[life];
}

unsigned keeping_choose(const KeepPrices *prices, const KeepPlace *places, int n, KeepLife *life) {
  unsigned best = 0;
  double most = 0;
  for (KeepLife at = KEEP_5M; at < KEEP_LIVES && prices->plain >= 0 && prices->read >= 0; at++) {
    unsigned marks = 0;
    double gained = 0;
    for (int i = 0; i < n && prices->write[at] >= 0; i++) {
      double one = gain(prices, &places[i], at);
      marks |= one > 0 ? places[i].mark : 0;
      gained += one > 0 ? one * places[i].tokens : 0;
    }
    if (gained > most) {
      most = gained;
      best = marks;
      *life = at;
    }
  }
  return best;
}
