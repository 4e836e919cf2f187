/*
** The system prompts that the ledger's calls began with, and how often each was sent. Texts that differ only in what
** moves (core/lint/moving.h) are one: a clock in a prompt makes it another text each minute. So are those that differ
** in the order of their sentences, items and JSON members alone (core/lint/order.h). Sent to two models it is two.
*/
#ifndef LLMCOST_SENT_PROMPTS_H
#define LLMCOST_SENT_PROMPTS_H

#include "base/hash.h"
#include "conn/conn.h"
#include "core/lint/moving.h"

enum { SENT_DAYS = 30 };

typedef struct SentPrompt {
  Hash key;                 /* equal for texts that are one prompt */
  Hash order;               /* and in one order */
  long long calls, last_ts; /* of the last SENT_DAYS */
  long long orders; /* changes of the order from one text to the next one, by their newest calls */
  long long answers, long_answers,
      answer_tokens;             /* whose tokens are known; of LINT_LONG_ANSWER and more; of all */
  char *hash, *model, *provider; /* owned: of the newest call */
  char *before; /* owned: the hash of the newest text in another order; NULL: there is none */
} SentPrompt;

typedef struct SentPrompts {
  SentPrompt *at; /* owned; those with most calls first */
  size_t n, cap;
  double days; /* that they were counted over: 1 at least */
} SentPrompts;

/* Reads them. RC_OK or *err. */
int sent_prompts_read(Conn *conn, MovingFinder *finder, SentPrompts *out, Err *err);
void sent_prompts_free(SentPrompts *s);

/* The text of a hash, with its n bytes: owned. NULL: it is gone since, or *err. */
char *sent_prompts_text(Conn *conn, const char *hash, size_t *n, Err *err);

/* The key of a text, and that of its order. RC_OK or *err. */
int sent_prompts_key(MovingFinder *finder, const char *text, size_t n, Hash *key, Hash *order,
                     Err *err);

#endif
