/*
** Token counts. An estimate, and named as one: exact counts need each model's own vocabulary.
*/
#ifndef LLMCOST_TOKENS_H
#define LLMCOST_TOKENS_H

#include <stddef.h>

/* Estimated tokens of n bytes of UTF-8, from the kinds of character in it: a word of letters is
** one token and one more for every 6 letters past the first 6, digits count one per three, each
** other ASCII mark is one (runs of one mark count one per four), a run of blanks is one where it
** is longer than one, and outside ASCII one token per two letters (alphabets) or per character
** (ideographs, kana, emoji). Linear time. */
long long tokens_estimate(const char *text, size_t n);

#endif
