/*
** Of context, the sentences that answer the question, as many as fit.
**
** Units are scored by how much they have to do with the question (score.h). Taken are the best ones that still fit, ties by place, in their order in the text;
** with each the labels it hangs on. A sentence that begins with "This", "He", "However" is taken with the one before it or not at all;
** one that restricts or forbids ("This does not hold for …", "Never swimwear.") goes along with the one before it: a rule without its
** exception is another rule. So does an answer with its question. What is taken is whole.
*/
#ifndef LLMCOST_EXTRACT_H
#define LLMCOST_EXTRACT_H

#include "core/compress/score.h"
#include "core/compress/cuts.h"

/* Tokens of n bytes; below 0: no memory. */
typedef long long TokenCount(void *arg, const char *text, size_t n);

typedef struct ExtractOptions {
  ScoreOptions question;
  long long budget;  /* tokens that the whole text may have: 1 or more */
  TokenCount *count; /* of the model's tokenizer */
  void *arg;
} ExtractOptions;

/* Marks the units of n bytes that are to go: gone[i] = CUT_OFF_TOPIC (or CUT_NOTHING_LEFT), where gone[i] was CUT_KEPT and the role is
** context; nothing where the text fits. *fits: 0 where what is fixed has more tokens than the budget alone: then nothing is marked, for
** it would not help. The text that is left has at most `budget` tokens otherwise. Returns RC_OK, or *err. */
int extract_find(const char *text, size_t n, const TextUnits *u, const unsigned char *roles,
                 const ExtractOptions *options, unsigned char *gone, int *fits, Err *err);

#endif
