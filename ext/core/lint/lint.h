/*
** What in a prompt costs money and says nothing. Precision before recall: what is not sure is not said.
**
**   LINT_VOLATILE_PREFIX  something that moves (moving.h) with text behind it: no provider's cache reads beyond it. `tokens` are those
**                         behind it, up to the next that moves, which the cache could read without it: 0 where the
**                         stable text is shorter than the least prefix that the provider keeps
**   LINT_BELOW_FLOOR      the text has less than that least prefix, but half of it at least; `tokens` are missing
**   LINT_DUPLICATE        a sentence or item that was said before, in the same words (compress/repeats.h)
**   LINT_NEAR_DUPLICATE   in almost the same words
**   LINT_PRETTY_JSON      blanks between the values of JSON
**   LINT_BLANKS           blanks that mean nothing
**                         (both where it is a hundredth of the text's tokens or more)
**
** For the last four `tokens` are what each request pays for them.
*/
#ifndef LLMCOST_LINT_H
#define LLMCOST_LINT_H

#include "core/compress/compress.h"
#include "core/lint/moving.h"

#define LINT_KINDS(X)                                                                              \
  X(LINT_VOLATILE_PREFIX, "volatile_prefix")                                                       \
  X(LINT_BELOW_FLOOR, "below_floor")                                                               \
  X(LINT_DUPLICATE, "duplicate")                                                                   \
  X(LINT_NEAR_DUPLICATE, "near_duplicate")                                                         \
  X(LINT_PRETTY_JSON, "pretty_json")                                                               \
  X(LINT_BLANKS, "blanks")

typedef enum LintKind {
#define LINT_ID_OF(id, name) id,
  LINT_KINDS(LINT_ID_OF)
#undef LINT_ID_OF
      LINT_N_KINDS
} LintKind;

enum { LINT_MOST_MOVING = 64 }; /* that are told of a text: one with more is a log */

typedef struct LintFinding {
  LintKind kind;
  MovingKind moving; /* of LINT_VOLATILE_PREFIX */
  size_t from,
      n; /* bytes of the text; of LINT_BLANKS, LINT_PRETTY_JSON and LINT_BELOW_FLOOR the whole of it */
  long long tokens;
  char *changed; /* the text without it; owned; NULL where that is not ours to do */
  size_t n_changed;
  size_t moved,
      n_moved; /* bytes of the text that `changed` lacks and that are to be said elsewhere: the whole sentence */
} LintFinding;

typedef struct LintOptions {
  long long
      floor; /* the least prefix that is kept, in tokens; below 0: not known, then none is assumed */
  TokenCount *count; /* of the model's tokenizer */
  void *arg;
} LintOptions;

typedef struct Lint {
  LintFinding *at; /* owned; in the order of the kinds, then by place */
  size_t n, cap;
  long long tokens; /* of the text */
} Lint;

/* The word of a kind. Static storage. */
const char *lint_kind_name(LintKind kind);

/* Looks through n bytes (any; at most LIMIT_REQUEST_BYTES). Returns RC_OK with *out owned (lint_free), or *err and an empty *out.
** Linear time but for counting tokens. */
int lint_text(MovingFinder *finder, const char *text, size_t n, const LintOptions *options,
              Lint *out, Err *err);
void lint_free(Lint *l);

#endif
