/*
** The semantic cache of paid answers: the table llm_cache of the store.
*/
#ifndef LLMCOST_SEMANTIC_H
#define LLMCOST_SEMANTIC_H

#include "store/answers/answer.h"
#include "store/db/store.h"

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

#endif
