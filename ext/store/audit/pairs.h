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
  double answers;       /* how many of them did not fail; 0: there are no tokens */
  double input, output; /* tokens of these, in sum */
} Pair;

typedef void (*PairFn)(void *arg, const Pair *pair, Err *err);

/* Hands each way of such prompts to `take`: of those that calls in `ask` asked, with all that the whole ledger has of them, so that what a
** call is compared with does not hang on which are counted. Writes first what waits. RC_OK or *err. */
int pairs_each(Store *s, const AuditAsk *ask, PairFn take, void *arg, Err *err);

#endif
