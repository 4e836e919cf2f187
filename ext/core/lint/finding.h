/*
** A text as lint's parts look through it, and how they add what they find. Within the room.
*/
#ifndef LLMCOST_FINDING_H
#define LLMCOST_FINDING_H

#include "core/ballast/places.h"
#include "core/lint/found.h"

typedef struct LintWork {
  const char *text;
  size_t n;
  const TextUnits *u;
  const MovingList *moving;
  const Examples *examples;
  long long stable;            /* tokens without the sentences that move */
  const unsigned char *places; /* of each unit */
  unsigned task;               /* what is asked of it (ballast/places.h) */
  const LintOptions *options;
  MovingFinder *finder;
  Lint *out;
  Err *err;
} LintWork;

/* Adds one. NULL and *err without memory. It is borrowed until the next one is added. */
LintFinding *lint_add(LintWork *w, LintKind kind, size_t from, size_t n, long long tokens);

/* Tokens of n bytes. */
long long lint_count(const LintWork *w, size_t from, size_t n);

/* The place behind which nothing is stable any more: the end of the last unit without anything that moves. */
size_t lint_stable_end(const LintWork *w);

/* Sets `changed` to the text without these bytes, or without these units (labels: and without labels under which
** nothing is left). Returns RC_OK, or *err. */
int lint_without_bytes(LintWork *w, LintFinding *f, size_t from, size_t n);
int lint_without_units(LintWork *w, LintFinding *f, size_t first, size_t behind, int labels);

/* The parts, each over the whole text. Return RC_OK, or *err. */
int lint_contradictions(LintWork *w);
int lint_order(LintWork *w);
int lint_length(LintWork *w);

#endif
