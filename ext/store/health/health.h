/*
** Whom it is no use to ask just now (llm_provider_state), for all processes that share the store.
**
** A row is a model at an address, or (model '') everything there under one account. It is paused until until_ts: the time
** the provider named, or, after HEALTH_FAILURES failures in a row, a pause that doubles with each. Once that is over, one
** request tries (a row of llm_trials, under a lease, which ends with its process); for each that is answered twice as many
** may be on their way, until HEALTH_CROWD are: then the row goes.
**
** Where the store has no connection of its own nothing is kept.
*/
#ifndef LLMCOST_HEALTH_H
#define LLMCOST_HEALTH_H

#include "store/db/store.h"

enum {
  HEALTH_FAILURES = 3,        /* in a row, before whoever says nothing of a time is paused */
  HEALTH_CROWD = 64,          /* requests at once that need no counting any more */
  HEALTH_FIRST_MS = 1000,     /* the first pause of whoever says nothing of a time; doubled up to */
  HEALTH_LONGEST_MS = 60000,  /* that */
  HEALTH_ACCOUNT_MS = 300000, /* of an account without money, where no time is said */
  HEALTH_MOST_MS =
      7 * 86400000, /* a week: longer than any quota; what is said beyond that is no time */
  HEALTH_REASON = 160
};

/* Who. Texts are borrowed. */
typedef struct HealthKey {
  const char *provider, *base_url;
  const char *model; /* "": the account */
} HealthKey;

typedef struct Health {
  int is_there;    /* else all is well */
  int is_account;  /* of the account, not of the model alone */
  int is_told;     /* the provider named that time; else it is our guess */
  long long until; /* Unix ms; 0: it is not paused */
  long long
      noted; /* when that was written: a clock that stands before it was set back, and the pause is over */
  char reason[HEALTH_REASON];
} Health;

/* The pause that lasts longer, of the model and of its account. RC_OK or *err. */
int health_look(Store *s, const HealthKey *key, Health *h, Err *err);

/* A failure: paused until then (Unix ms), at least; 0: nobody said. */
typedef struct HealthFailure {
  long long until, now;
  long long sent_at; /* of several that were on their way together, the first one counts */
  int is_told;
  const char *reason;
} HealthFailure;
int health_fail(Store *s, const HealthKey *key, const HealthFailure *f, Err *err);

/* Notes an answer, of whoever has a row. */
int health_answer(Store *s, const HealthKey *key, Err *err);

/* Behind a pause: takes the place of one of those who may try, *trial is its id; 0: as many as may are on their way.
** health_end gives it back. RC_OK or *err. */
int health_try(Store *s, const HealthKey *key, long long now, long long lease_until,
               long long *trial, Err *err);
int health_end(Store *s, long long trial, Err *err);

#endif
