/*
** Whether two models' answers to one question say the same: the best gate that was measured without labels (asked of
** a second small model, it finds three in four of the answers that a large one would mend; see bench/RESULTS.md).
*/
#ifndef LLMCOST_AGREE_H
#define LLMCOST_AGREE_H

#include "core/gate/gate.h"

typedef enum AgreeHow { GATE_COMPARES(SPEC_AS_ID) AGREE_HOWS } AgreeHow;

/* Compares. *score is 1 where they agree, 0 where they don't, and for texts the share of words they have in common.
**
**   auto    what both end in, the first of these that both have: a final number (a member "answer" of JSON, "#### 5",
**           \boxed{5}, "the answer is 5", the last number of the text); equal short texts (case, blanks, articles
**           and closing points aside); equal JSON; else as text
**   exact   bytes, blanks at both ends aside
**   number  final numbers, to a millionth; none in either is no agreement
**   json    JSON values, members in any order, numbers by value
**   text    words, as sets with their numbers: the share in common (Dice)
**
** What it was compared by goes into *by (may be NULL; static: "number", "text", ...). Errors: memory. */
int agree_compare(const GateText *a, const GateText *b, AgreeHow how, double *score,
                  const char **by, Err *err);

/* The final answer of a text, if it is a number: 1 and *value. */
int agree_number(const GateText *text, double *value);

/* The verdict of gate `agree` on both answers. */
int agree_check(const Gate *gate, const GateText *answer, const GateText *other, GateVerdict *out,
                Err *err);

#endif
