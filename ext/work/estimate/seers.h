/*
** Who would see a prompt: the model that answers, those that are asked if its answer does not pass, those that look at it,
** those that stand in where one can't be had; and what each may cost.
*/
#ifndef LLMCOST_SEERS_H
#define LLMCOST_SEERS_H

#include "call/call.h"

enum { MOST_SEERS = 64 };

typedef struct Seer {
  char model[LIMIT_MODEL_NAME], provider[64];
  const char *why; /* "answer", "escalation", "agree", "verifier", "audit", "score", "instead" */
  long long most_nusd; /* the longest answer; -1: not known */
} Seer;

/* Of a call whose route is chosen. How many; *err. */
int seers_of(Call *k, Seer list[MOST_SEERS], Err *err);

/* What all of them may cost together: those that stand in cost it in another's stead, those that look at answers look at each.
** -1: not known. */
long long seers_most(const Seer *list, int n);

#endif
