/*
** How much each unit of a context has to do with what is asked.
**
** Okapi BM25 over the units (k1 = 1.2, b = 0.75), summed over the question's distinct words q:
**
**   idf(q) tf (k1 + 1) / (tf + k1 (1 - b + b length / mean length)),   idf(q) = ln(1 + (N - df + 0.5) / (df + 0.5))
**
** (Robertson, Zaragoza: The Probabilistic Relevance Framework: BM25 and Beyond, 2009, with the idf that is never negative.) Words are
** compared by their stems; words of grammar count nothing. What BM25 does not see is added, in shares of the best unit's score: words
** that only begin alike, an answer of the kind that is asked for (a number for "how many", a date for "when", a name for "who"), the
** heading, the sentences beside it, and the caller's own score (a cosine). What each is worth was measured; the weights stand in
** score.c.
**
** Without a question the words of the context itself are asked for: its most typical sentences come first.
*/
#ifndef LLMCOST_SCORE_H
#define LLMCOST_SCORE_H

#include "core/split/context.h"

/* How near n bytes are to what is asked, -1 to 1, in *score. Returns RC_OK, or *err. */
typedef int UnitScore(void *arg, const char *text, size_t n, double *score, Err *err);

typedef struct ScoreOptions {
  const char *query; /* what is asked (borrowed); NULL: the units that the roles call a question */
  size_t n_query;
  UnitScore *score; /* NULL: none */
  void *arg;        /* its own */
  int is_plain;     /* BM25 alone, by words as they are: what the rest is measured against */
} ScoreOptions;

/* Fills in the scores of the units whose role is context (an array of u->n; 0 for others). Linear time. Returns RC_OK, or *err. */
int score_units(const char *text, const TextUnits *u, const unsigned char *roles,
                const ScoreOptions *options, double *scores, Err *err);

#endif
