/*
** Whether a prompt asks for short answers: a sentence with a word of brevity ("Be brief.", "kurz", "concis"), or with a bound
** and a number of units that texts have ("at most two sentences", "under 80 words", "in einem Satz").
*/
#ifndef LLMCOST_BREVITY_H
#define LLMCOST_BREVITY_H

#include "base/error.h"

#include <stddef.h>

/* 1 if n bytes (any) do. Linear time. Returns 0 and *err without memory. */
int brevity_is_asked(const char *text, size_t n, Err *err);

#endif
