/*
** Questions whose answer is of one moment or of one person: what a cache by meaning must not give to others.
**
** Decided by lists of phrases (sql/volatile.tsv), not by a model: what decided can be told. A how-to that says "my" or
** "today" is neither ("How do I reset my password?"): its answer is everybody's. What the lists do not know is NO, so they
** make a cache more careful, and never promise that an answer is for ever.
**
** Read are 2,000 bytes at most, half of them from the end, where people put their question behind a document. What stands
** in quotes or in a fenced block of code is not asked, and counts as one word. So it takes the same time for any length.
*/
#ifndef LLMCOST_VOLATILE_H
#define LLMCOST_VOLATILE_H

#include <stddef.h>

typedef enum Volatile {
  VOLATILE_NO,
  VOLATILE_NOW, /* the time, the weather, prices, news, chance; and turns that mean nothing alone. Before PERSONAL */
  VOLATILE_PERSONAL /* about who asks, or what is theirs */
} Volatile;

enum { VOLATILE_WORD = 64 };

/* What n bytes of a user's message ask for (any bytes). `word` (may be NULL): the words of it that decided, folded, as much
** of them as fits; "" where none did. Any thread; needs no memory. */
Volatile volatile_kind(const char *text, size_t n, char word[VOLATILE_WORD]);

#endif
