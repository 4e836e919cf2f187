/*
** The guard's larger lists: opposites, and the words of other languages. Lists are words apart by
** one blank, folded as tokens are; all end with NULL (GUARD_OPPOSITES: a row of NULLs).
*/
#ifndef LLMCOST_GUARD_LISTS_H
#define LLMCOST_GUARD_LISTS_H

enum { GUARD_SIDES = 6 }; /* sides a row of opposites can have */

/* Each row: words that exclude each other, a list for each side. */
extern const char *const GUARD_OPPOSITES[][GUARD_SIDES];

/* The same in other languages. */
extern const char *const GUARD_FOREIGN_OPPOSITES[][GUARD_SIDES];

/* Grammar, politeness, and the verbs that a question is asked with: a list per language. */
extern const char *const GUARD_FOREIGN_STOP[];

/* Each row: words that may stand for each other. */
extern const char *const GUARD_FOREIGN_SAME[];

/* Each row: number words from 0 on; "-" where a language has none, or another row has it. */
extern const char *const GUARD_FOREIGN_NUMBERS[];

/* Each row: one date. */
extern const char *const GUARD_FOREIGN_DATES[];

#endif
