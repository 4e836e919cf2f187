/*
** Within the room: the checks of the kinds, one a function, for the table of gate.c; and what they share.
*/
#ifndef LLMCOST_CHECKS_H
#define LLMCOST_CHECKS_H

#include "core/gate/gate.h"

typedef int GateCheck(const Gate *gate, const GateCase *c, GateVerdict *out, Err *err);

GateCheck check_json, check_regex, check_length, check_contains; /* plain.c */
GateCheck check_refusal, check_hedge;                            /* refusal.c */
GateCheck check_grounded;                                        /* grounded.c */
GateCheck check_arithmetic;                                      /* arithmetic.c */

/* Compiles the pattern of gate `regex` (plain.c). */
int regex_compile(Gate *gate, Err *err);
void regex_free(void *regex);

/* Writes a verdict: with a reason, cut between characters and made valid UTF-8, it fails. Returns RC_OK. */
int verdict_pass(GateVerdict *out);
int verdict_fail(GateVerdict *out, double score, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* 1 if the answer is what prompt or system text ask to be said where they can't be answered ("answer NOT FOUND if it is not
** in the text"); RC through *err (refusal.c). */
int is_asked_abstention(const GateCase *c, Err *err);

#endif
