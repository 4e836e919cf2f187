/*
** What lint finds, and what it is told: types. lint.h says what the kinds are.
*/
#ifndef LLMCOST_FOUND_H
#define LLMCOST_FOUND_H

#include "core/ballast/json_fields.h"
#include "core/compress/compress.h"
#include "core/lint/moving.h"

#define LINT_KINDS(X)                                                                              \
  X(LINT_VOLATILE_PREFIX, "volatile_prefix")                                                       \
  X(LINT_UNSTABLE_ORDER, "unstable_order")                                                         \
  X(LINT_BELOW_FLOOR, "below_floor")                                                               \
  X(LINT_DUPLICATE, "duplicate")                                                                   \
  X(LINT_NEAR_DUPLICATE, "near_duplicate")                                                         \
  X(LINT_CONTRADICTION, "contradiction")                                                           \
  X(LINT_EXAMPLE_REPEATS, "example_repeats")                                                       \
  X(LINT_FEW_SHOT, "few_shot")                                                                     \
  X(LINT_FORMAT_PROSE, "format_prose")                                                             \
  X(LINT_FILLER, "filler")                                                                         \
  X(LINT_PRETTY_JSON, "pretty_json")                                                               \
  X(LINT_BLANKS, "blanks")                                                                         \
  X(LINT_NO_LENGTH_LIMIT, "no_length_limit")

typedef enum LintKind {
#define LINT_ID_OF(id, name) id,
  LINT_KINDS(LINT_ID_OF)
#undef LINT_ID_OF
      LINT_N_KINDS
} LintKind;

enum {
  LINT_MOST_MOVING = 64, /* that are told of a text: one with more is a log */
  LINT_MOST_FOUND = 64,  /* of one of the kinds of which a text may have many */
  LINT_FEW = 3,          /* examples */
  LINT_LONG_ANSWER = 300 /* tokens from which on an answer is a long one */
};

typedef struct LintFinding {
  LintKind kind;
  MovingKind moving; /* of LINT_VOLATILE_PREFIX */
  int at_end;        /* of the same: nothing stable is behind it */
  /* Bytes of the text; of LINT_BLANKS, LINT_PRETTY_JSON, LINT_BELOW_FLOOR and LINT_NO_LENGTH_LIMIT the whole of it, of
     LINT_FEW_SHOT from the first example to the last. */
  size_t from, n;
  /* Of LINT_CONTRADICTION and LINT_EXAMPLE_REPEATS the earlier one; n_other 0: there is none. */
  size_t other, n_other;
  long long examples; /* of LINT_FEW_SHOT: how many */
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
  int wants_marks; /* the provider keeps only what is marked: a mark stands behind the text */
  const JsonFields *fields; /* of the schema of the answers; NULL: none is known (borrowed) */
  const char *before; /* the text of last time, n_before bytes (borrowed); NULL: none is known */
  size_t n_before;
  const unsigned
      *moves; /* places of sentences that are others in other texts of this prompt (borrowed) */
  size_t n_moves;
  /* Of the answers to this prompt: how many are known, how many of them are long, and the tokens of all. 0: none is
     known. */
  long long answers, long_answers, answer_tokens;
} LintOptions;

typedef struct Lint {
  LintFinding *at; /* owned; in the order of the kinds, then by place */
  size_t n, cap;
  long long tokens; /* of the text */
} Lint;

#endif
