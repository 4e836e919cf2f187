/*
** A paid answer, and the question it answers, as the caches keep them.
*/
#ifndef LLMCOST_ANSWER_H
#define LLMCOST_ANSWER_H

#include "base/hash.h"
#include "store/db/row.h"

/* A question as the semantic cache knows it. Texts are borrowed. */
typedef struct Question {
  const char *system; /* NULL: none */
  char scope[HASH_HEX_SIZE];
  const char *user; /* who asks; NULL: not said */
  const char *text;
  size_t n;
  double threshold;      /* NAN: the table's */
  double max_false_hits; /* NAN: the threshold is fixed */
  int only_replaces;     /* an answer is kept only in place of one to the same text */
} Question;

/* A paid answer to keep. Texts are borrowed. */
typedef struct Answer {
  Hash key;
  const char *text;
  size_t n;
  long long created_at, expires_at; /* expires_at LEDGER_NULL: never */
  long long call_id;
  const char *provider, *model, *tier, *tag, *prompt_hash;
  long long cost_nusd;
  const Question *question; /* NULL: not for the semantic cache too */
  struct Answer *next;      /* another answer of the same call, or NULL */
} Answer;

#endif
