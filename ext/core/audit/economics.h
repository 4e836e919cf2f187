/*
** The arithmetic of saving: steps that follow each other, hosting a model instead of asking for it, and what tuning one pays back.
**
** What is known is handed in: nothing here knows a price. Fixed sums and the cost of one request are in the same money (nano-dollars
** or dollars); a break-even is a number of requests, not rounded, NAN where there is none: a volume at which it pays does not exist.
*/
#ifndef LLMCOST_ECONOMICS_H
#define LLMCOST_ECONOMICS_H

/* X(id, word): whether something pays. */
#define ECONOMICS_VERDICTS(X)                                                                      \
  X(YES, "yes")         /* at this volume */                                                       \
  X(NO, "no")           /* not at this volume */                                                   \
  X(NEVER, "never")     /* at none */                                                              \
  X(DEPENDS, "depends") /* on what was not said */

typedef enum EconomicsVerdict {
#define ECONOMICS_ID(id, word) ECONOMICS_##id,
  ECONOMICS_VERDICTS(ECONOMICS_ID)
#undef ECONOMICS_ID
} EconomicsVerdict;

const char *economics_word(EconomicsVerdict verdict);

/* Below so much a month at the API, in dollars, running machines usually costs more work than it saves: a rule of thumb. */
#define ECONOMICS_OPS_DOMINATE_USD 5000.0

/* ---- steps that follow each other */

/* What a step keeps of what was spent before it, if it saves a share of it on a share of the traffic: 1 - share x saves, to 12 digits. A step
** that costs more has saves < 0. */
double economics_factor(double saves, double share);

/* The product of two factors, to 12 digits. */
double economics_both(double factor, double next);

/* Puts what is left of a sum in nano-dollars, rounded half away from 0, into *after. 1, or 0 where that is no such number any more. */
int economics_apply(long long nusd, double factor, long long *after);

/* ---- what is paid once, against what each request saves */

/* fixed / saved_each; NAN where a request saves nothing. */
double economics_break_even(double fixed, double saved_each);

/* ---- hosting */

typedef struct HostingCase {
  double
      saved_each;  /* the API's price of a request, less what one costs here beside the machines */
  double fixed;    /* of one instance, a month */
  double ops;      /* a month, however many instances; 0: not counted */
  double capacity; /* requests a month that one instance can be given; INFINITY: not known */
} HostingCase;

/* As many as serve so many requests; at least one, for it is there without any. */
double economics_instances(double requests, double capacity);

/* The smallest number of requests a month at which it costs no more than the API. (k instances serve up to k x capacity requests: it is
** the first k whose full capacity saves k x fixed + ops. Right above a multiple of the capacity it may cost more again.) */
double economics_hosting_break_even(const HostingCase *h);

/* ---- tuning */

enum {
  TUNING_EXAMPLES = 500 /* good ones that a narrow task needs at least: a rule of thumb */
};

/* What speaks against it, or is not known. */
enum {
  TUNING_SAVES_NOTHING = 1,
  TUNING_FEW_EXAMPLES = 2,
  TUNING_UNSTABLE = 4, /* what is asked of it changes sooner than it is tuned again */
  TUNING_SLOW = 8,     /* it pays back too late */
  TUNING_EXAMPLES_UNSAID = 16,
  TUNING_STABLE_UNSAID = 32
};

typedef struct TuningCase {
  double saved_each;
  double months,
      within; /* until it has paid back at the most, NAN: never; and how long that may take */
  long long examples; /* -1: not said */
  int stable;         /* -1: not said */
} TuningCase;

/* Bits of the above, and what they come to. */
unsigned economics_tuning_reasons(const TuningCase *t);
EconomicsVerdict economics_tuning_verdict(unsigned reasons);

#endif
