/*
** The apparent effort of a prompt, without a model, a network or labels: what a person would call simple, ordinary or
** hard from the words alone.
**
** It is no evidence of savings. On prompts that people sorted by hand it agrees with them; on outcomes of models (MMLU,
** GSM8K, AlpacaEval, ...: `make bench-route`) it predicts no better than the prompt's length where a strong model does
** better than a weak one, and on MMLU worse than chance. What a tier saves has to be measured on one's own rows.
**
** x is a sum of shares, a feature each: stems of "prove", "design", "explain" and constraints, less those of errands
** ("translate") and of questions that a shop is asked ("where is"); the logarithm of the words, distinct numbers,
** questions, sentences, long words, signs of code and of formulas. Weights, caps and stems stand in sql/effort.tsv.
** Where the prompt begins with an errand, and nothing says proof or design, the rest is what it is done to: words count
** up to 12, numbers, sentences and constraints up to 1, "explain" half. Where something says so, there is no errand.
** The score is logistic in x, through the two points of the table.
**
** Read are 8,000 bytes at most, 6,000 from the front and 2,000 from the end, where people put their question behind a
** document; words count in proportion to the whole. So it takes the same time for any length.
*/
#ifndef LLMCOST_EFFORT_H
#define LLMCOST_EFFORT_H

#include "core/route/features.h"

#include <stddef.h>

/* The version of the rule, for a ledger's column; changes with any weight or stem. Static. */
const char *effort_version(void);

typedef struct EffortPart {
  const char *name; /* static storage */
  double n;         /* how often, after all caps; of words their number; 1 for the base */
  double share;     /* its part of x: all of them together are x */
} EffortPart;

/* The score, 0..1, of any n bytes (NULs and bad UTF-8 too), and in `parts` (may be NULL) what it came from. Any thread;
** needs no memory. */
double effort_score(const char *text, size_t n, EffortPart parts[EFFORT_PARTS]);

#endif
