/*
** What a sentence says, whatever words of grammar it says it in: the stems of its words in their order, without articles, relative
** words, politeness, and words that give an order no other sense (always, must, make sure). "Please always ask the guest that calls" and
** "Ask guests who call" have one gist.
**
** All other words count, prepositions and negations too, and so do numbers, signs, names in capitals, and whether something is done or does
** ("are paid", not "pay"): of two sentences of the same gist nobody needs both.
*/
#ifndef LLMCOST_GIST_H
#define LLMCOST_GIST_H

#include <stddef.h>
#include <stdint.h>

typedef struct Gist {
  uint64_t hash;
  size_t n_words; /* that count */
} Gist;

/* Takes the next word of a sentence in, by its key (split/terms.h): "news" is not "new". `written` differs where its capitals make it
** another word. Zeroed: of none. */
void gist_take(Gist *g, uint64_t key, unsigned written);

#endif
