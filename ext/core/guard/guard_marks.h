/*
** What a text says by its marks: capitals, accents, signs and layout, which tokens fold away.
*/
#ifndef LLMCOST_GUARD_MARKS_H
#define LLMCOST_GUARD_MARKS_H

#include "core/guard/guard_texts.h"

/* Each returns 1 where the texts say different things by them, and keeps what it objected to; see
** guard_case.c (marks_case, marks_accent), guard_signs.c and guard_layout.c for what counts. */
int marks_case(Texts *p);
int marks_accent(Texts *p);
int marks_sign(Texts *p);
int marks_layout(Texts *p);

/* The character at byte i of the n of text, 0 at the end or where it is none; its bytes in *len (1
** where it is none). */
uint32_t marks_character(const char *text, size_t n, size_t i, size_t *len);

#endif
