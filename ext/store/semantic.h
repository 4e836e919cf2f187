/*
** The semantic cache of paid answers: the table llm_cache of the store.
*/
#ifndef LLMCOST_SEMANTIC_H
#define LLMCOST_SEMANTIC_H

#include "store/ledger.h"

/* A question as the semantic cache knows it. Texts are borrowed. */
typedef struct Question {
  const char *system; /* NULL: none */
  char scope[HASH_HEX_SIZE];
  const char *text;
  size_t n;
  double threshold;      /* NAN: the table's */
  double max_false_hits; /* NAN: the threshold is fixed */
  int only_replaces;     /* an answer is kept only in place of one to the same text */
} Question;

/* An entry that answers it. Texts are valid until semantic_done. */
typedef struct SemanticHit {
  long long entry;
  const char *text;
  size_t n;
  double similarity;
  const char *model, *tag;
  long long cost_nusd;         /* LEDGER_NULL: unknown */
  char provider[64], tier[64]; /* of the call that paid for it; "" where not known */
} SemanticHit;

/* Looks it up: 1 and *hit, 0 none, -1 error. `held` goes to semantic_done. */
int semantic_find(Store *s, const Question *q, SemanticHit *hit, sqlite3_stmt **held, Err *err);
void semantic_done(Store *s, sqlite3_stmt *held);

/* Keeps an answer, inside the transaction that settles its call. */
int semantic_put(Store *s, const Question *q, const Answer *a, Err *err);

/* Records whether the answer of call `call_id` was right. A wrong one is not served again: the exact
** cache forgets it, the semantic cache learns from it. An unknown id is an error. */
int semantic_feedback(Store *s, long long call_id, int ok, long long now, Err *err);

#endif
