/*
** What of a prompt is ballast: it could go, and the answer would be the same. Told by words alone, with no model.
**
**   filler.h        sentences, and phrases in front of sentences, that say nothing to a model
**   format_prose.h  sentences that say what a JSON Schema says better
**   examples.h      examples, and those among them that show again what another one showed
**
** Each finds ranges of a text; leaving them out is for others to do (core/compress), and to say what they cost
** (core/lint). What is an order, a number, a name, or may be a technique that works is never ballast. When in doubt
** nothing is.
*/
#ifndef LLMCOST_BALLAST_H
#define LLMCOST_BALLAST_H

#include "core/split/units.h"

/* A range of a text. One that is units as a whole goes with the gap beside it (compress/cuts.h); of a phrase the
** bytes alone. */
typedef struct Ballast {
  size_t from, n; /* bytes */
  size_t first,
      behind;    /* the units [first, behind) that it is; of a phrase the one that holds it */
  int is_phrase; /* it stands in front of the rest of a sentence, with the blank behind it */
} Ballast;

/* In order, none over another. Zeroed: empty. */
typedef struct BallastList {
  Ballast *at; /* owned */
  size_t n, cap;
} BallastList;

/* A unit as a whole; of an item that says nothing else with its marker. */
Ballast ballast_of_unit(const TextUnits *u, size_t i);

/* 1 if a unit ends with a colon, marks of Markdown aside: "**Format:**". */
int ballast_leads_in(const char *text, const TextUnit *x);

/* Adds one behind all others. Returns err->rc. */
int ballast_add(BallastList *list, const Ballast *b, Err *err);
void ballast_free(BallastList *list);

#endif
