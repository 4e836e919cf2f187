/*
** A system prompt that was sent, and a list of them: types, and joining two.
*/
#ifndef LLMCOST_SENT_PROMPT_H
#define LLMCOST_SENT_PROMPT_H

#include "base/hash.h"

#include <stddef.h>

/* Hashes of a text's sentences: as they are, and with names and numbers as marks; of what moves by its words 1. */
typedef struct Sentences {
  unsigned long long *raw, *masked; /* owned by the first */
  unsigned n;                       /* 0: it has too many */
} Sentences;

typedef struct SentPrompt {
  Hash key;                 /* equal for texts that are one prompt */
  Hash order;               /* and in one order */
  long long calls, last_ts; /* of the last SENT_DAYS */
  long long orders; /* changes of the order from one text to the next one, by their newest calls */
  long long answers, long_answers,
      answer_tokens;             /* whose tokens are known; of LINT_LONG_ANSWER and more; of all */
  char *hash, *model, *provider; /* owned: of the newest call */
  Sentences sentences;
  unsigned *
      moves; /* owned: places of sentences that were others in other texts of its family (families.h) */
  size_t n_moves;
  long long texts; /* of the family; 0: it has none */
  Hash *others;    /* owned: the keys of these */
  size_t n_others;
  char *before; /* owned: the hash of the newest text in another order; NULL: there is none */
} SentPrompt;

typedef struct SentPrompts {
  SentPrompt *at; /* owned; those with most calls first */
  size_t n, cap;
  double days; /* that they were counted over: 1 at least */
} SentPrompts;

/* Adds the calls of a text that is the same prompt, which is none then. */
void sent_prompt_add(SentPrompt *p, SentPrompt *other);

/* 1 if a text with that key is this prompt. */
int sent_prompt_is(const SentPrompt *p, const Hash *key);

void sent_prompt_free(SentPrompt *p);

#endif
