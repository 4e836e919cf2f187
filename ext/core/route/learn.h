/*
** Learning from labelled prompts: the nearest ones by cosine say how hard a prompt is, and a logistic line over that makes
** it a score. The classifier of embeddings in its smallest form: two numbers are learned, so that few labels do.
**
** How good it is, is measured on prompts that it did not see (folds), beside the base rate: what always saying the mean
** label would get. Deterministic.
*/
#ifndef LLMCOST_LEARN_H
#define LLMCOST_LEARN_H

#include "base/error.h"

#include <stdint.h>

enum {
  LEARN_LEAST = 20,   /* examples: fewer say nothing about others */
  LEARN_MOST = 20000, /* examples: all pairs are compared, a minute's work at that */
  LEARN_K = 20,
  LEARN_MOST_K = 100,
  LEARN_FOLDS = 5
};

/* Borrowed: n unit vectors of `dim` numbers, one behind the other, and their labels, 0 (simple) to 1 (hard). */
typedef struct LearnExamples {
  const float *vectors;
  const double *labels;
  int n, dim;
} LearnExamples;

typedef struct LearnQuality {
  double auc;      /* of labels of .5 and more against the others; NAN where all are on one side */
  double log_loss; /* mean, natural logarithm */
  double brier;
} LearnQuality;

typedef struct Learned {
  int k;
  double intercept, slope;
  double base_rate;
  LearnQuality here, base; /* out of fold; and the base rate's, whose AUC is .5 */
} Learned;

/* Trains with k neighbours (0: LEARN_K). `unseen` (n numbers, or NULL) gets the scores out of fold. RC_OK, or *err: too few
** or too many examples, a label that is none, all labels equal. */
int learn_train(const LearnExamples *x, int k, Learned *out, double *unseen, Err *err);

/* The score of a vector, 0..1, and in *near (may be NULL) what its neighbours say. NAN where there are no examples. */
double learn_score(const LearnExamples *x, const Learned *l, const float *vector, double *near);

/* The area under the curve of n scores against labels (of .5 and more); ties count half. NAN where all are on one side; -1
** where memory lacks. */
double learn_auc(const double *scores, const double *labels, int n);

#endif
