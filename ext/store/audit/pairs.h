/*
** Prompts that were asked of one model in more ways than one: under several system prompts, or with a JSON Schema and without.
*/
#ifndef LLMCOST_PAIRS_H
#define LLMCOST_PAIRS_H

#include "store/audit/audit.h"

/* One way. Texts are borrowed. */
typedef struct Pair {
  const char *prompt_hash, *model,
      *system_hash;   /* system_hash NULL: there was no system prompt, or it is not known */
  const char *system; /* its text; NULL: it is not kept */
  size_t n_system;
  int has_schema;
  int is_answered;      /* 0: each of them failed; then there are no tokens */
  double input, output; /* tokens: means of those that were answered */
} Pair;

typedef void (*PairFn)(void *arg, const Pair *pair, Err *err);

/* Hands each way of such prompts to `take`. Writes first what waits. RC_OK or *err. */
int pairs_each(Store *s, const AuditAsk *ask, PairFn take, void *arg, Err *err);

#endif
