/*
** The rules that have files of their own. Each returns 1 where the texts say different things by what
** it looks at, and keeps what it objected to.
*/
#ifndef LLMCOST_GUARD_RULES_H
#define LLMCOST_GUARD_RULES_H

#include "core/guard/guard_texts.h"

/* What tokens fold away: capitals and accents (guard_case.c), signs, layout. */
int marks_case(Texts *p);
int marks_accent(Texts *p);
int marks_sign(Texts *p);
int marks_layout(Texts *p);

/* The character at byte i of the n of text, 0 at the end or where it is none; its bytes in *len (1
** where it is none). */
uint32_t marks_character(const char *text, size_t n, size_t i, size_t *len);

/* Other persons in the same roles ("I owe you", "you owe me"), other owners, another subject. */
int roles_person(Texts *p);

/* "Only" on one side or said of something else; "not all" against "all not"; what was done or must
** be done against what may be done ("did", "have to", "can"); "and" against "or"; the end of a German
** verb ("ein", "aus"). */
int roles_polarity(Texts *p);

/* Two shared words that have changed what they belong to ("two pairs, one came"), or their places. */
int order_differs(Texts *p);

/* Other telling words: a score over what is left without counterpart (guard_content.c). */
int content_differs(Texts *p);

enum { CONTENT_FEATURES_MAX = 32 };

/* Counts what that score is made of, in the order of FEATURES; returns how many counts there are.
** Symmetric in the texts. */
size_t content_features(const Texts *p, int f[CONTENT_FEATURES_MAX]);

#endif
