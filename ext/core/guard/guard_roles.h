/*
** Who does it, to whom, whose it is, and what "only" is said of.
*/
#ifndef LLMCOST_GUARD_ROLES_H
#define LLMCOST_GUARD_ROLES_H

#include "core/guard/guard_texts.h"

/* Each returns 1 where the texts differ in it, and keeps what it objected to. */

/* Other persons in the same roles ("I owe you", "you owe me"), other owners, another subject. */
int roles_person(Texts *p);

/* "Only" on one side or said of something else; "not all" against "all not"; what was done against
** what may be done ("did", "can"); the end of a German verb ("ein", "aus"). */
int roles_polarity(Texts *p);

#endif
