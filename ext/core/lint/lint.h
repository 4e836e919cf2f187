/*
** What in a prompt costs money and says nothing. Precision before recall: what is not sure is not said.
**
**   LINT_VOLATILE_PREFIX  something that moves (moving.h) with text behind it: no provider's cache reads beyond it.
**                         `tokens` are those behind it, up to the next that moves as often, which the cache could read
**                         without it: 0 where the stable text is shorter than the least prefix that the provider
**                         keeps, and of a date behind what moves at each request.
**                         What moves at the very end counts where a provider asks for marks: the mark behind the
**                         prompt is behind it too, so nothing is read. `tokens` are those in front of it then (at_end)
**   LINT_UNSTABLE_ORDER   the text of last time in another order (order.c): `tokens` are those from the first that
**                         differs on, as above
**   LINT_BELOW_FLOOR      the text, without what moves, has less than that least prefix, but half of it at least; `tokens` are missing
**   LINT_DUPLICATE        a sentence or item that was said before, in the same words (compress/repeats.h)
**   LINT_NEAR_DUPLICATE   in almost the same words
**   LINT_CONTRADICTION    a rule that nobody can follow beside an earlier one (contradictions.c)
**   LINT_EXAMPLE_REPEATS  an example that shows again what an earlier one shows (ballast/examples.h)
**   LINT_FEW_SHOT         examples: LINT_FEW of them or more, or a fifth of the tokens or more. One finding for all
**   LINT_FORMAT_PROSE     prose that says how the answer's JSON is to look (ballast/format_prose.h)
**   LINT_FILLER           a sentence or a phrase that says nothing to a model (ballast/filler.h)
**   LINT_PRETTY_JSON      blanks between the values of JSON
**   LINT_BLANKS           blanks that mean nothing
**                         (both where it is a hundredth of the text's tokens or more)
**   LINT_NO_LENGTH_LIMIT  a system prompt for prose without a word about length (length.c). `tokens`: of a mean
**                         answer; 0: nobody knows
**
** For those without a note `tokens` are what each request pays for them.
*/
#ifndef LLMCOST_LINT_H
#define LLMCOST_LINT_H

#include "core/lint/found.h"

/* The word of a kind. Static storage. */
const char *lint_kind_name(LintKind kind);

/* Looks through n bytes (any; at most LIMIT_REQUEST_BYTES). Returns RC_OK with *out owned (lint_free), or *err and
** an empty *out. Linear time but for counting tokens and sorting. */
int lint_text(MovingFinder *finder, const char *text, size_t n, const LintOptions *options,
              Lint *out, Err *err);
void lint_free(Lint *l);

#endif
