/*
** See economics.h for the contract.
*/
#include "core/audit/economics.h"

#include <math.h>

/* Shares and factors are said in decimals: 1 - 0.7 is 0.3 and not 0.30000000000000004. */
#define DIGITS 1e12

/* The largest sum that is counted: nine billion dollars. */
#define MOST_NUSD 9e18

const char *economics_word(EconomicsVerdict verdict) {
  static const char *const words[] = {
#define ECONOMICS_WORD(id, word) word,
      ECONOMICS_VERDICTS(ECONOMICS_WORD)
#undef ECONOMICS_WORD
  };
  return words[verdict];
}

static double to_digits(double x) {
  return fabs(x) < 1e3 ? round(x * DIGITS) / DIGITS : x; /* (larger ones have no 12 digits) */
}

double economics_factor(double saves, double share) {
  return to_digits(1 - share * saves);
}

double economics_both(double factor, double next) {
  return to_digits(factor * next);
}

int economics_apply(long long nusd, double factor, long long *after) {
  double left = (double)nusd * factor;
  if (!(fabs(left) < MOST_NUSD)) {
    return 0;
  }
  *after = llround(left);
  return 1;
}

double economics_break_even(double fixed, double saved_each) {
  return saved_each > 0 ? fixed / saved_each : (double)NAN;
}

double economics_instances(double requests, double capacity) {
  return fmax(1, ceil(requests / capacity));
}

double economics_hosting_break_even(const HostingCase *h) {
  double at_one = economics_break_even(h->fixed + h->ops, h->saved_each);
  double full = h->saved_each * h->capacity - h->fixed; /* what a full instance saves */
  if (isnan(at_one) || at_one <= h->capacity) {
    return at_one;
  }
  return full > 0 ? (ceil(h->ops / full) * h->fixed + h->ops) / h->saved_each : (double)NAN;
}

unsigned economics_tuning_reasons(const TuningCase *t) {
  unsigned reasons = 0;
  reasons |= t->saved_each > 0 ? 0 : TUNING_SAVES_NOTHING;
  reasons |= t->examples >= 0 && t->examples < TUNING_EXAMPLES ? TUNING_FEW_EXAMPLES : 0;
  reasons |= t->stable == 0 ? TUNING_UNSTABLE : 0;
  reasons |= t->saved_each > 0 && !(t->months <= t->within) ? TUNING_SLOW : 0;
  reasons |= t->examples < 0 ? TUNING_EXAMPLES_UNSAID : 0;
  reasons |= t->stable < 0 ? TUNING_STABLE_UNSAID : 0;
  return reasons;
}

EconomicsVerdict economics_tuning_verdict(unsigned reasons) {
  return reasons & TUNING_SAVES_NOTHING ? ECONOMICS_NEVER
         : reasons & (TUNING_FEW_EXAMPLES | TUNING_UNSTABLE | TUNING_SLOW)
             ? ECONOMICS_NO
             : (reasons ? ECONOMICS_DEPENDS : ECONOMICS_YES);
}
