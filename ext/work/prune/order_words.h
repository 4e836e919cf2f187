/*
** What orders are told by, a user's and a summary's: words, phrases, who is spoken of. Within the room.
*/
#ifndef LLMCOST_ORDER_WORDS_H
#define LLMCOST_ORDER_WORDS_H

#include <stddef.h>

/* 1 if that word stands at p, as a whole; text ends at `end`. */
int order_is_word(const char *p, const char *word, const char *end);

/* 1 if one of the phrases (in small letters, ended by NULL) stands in n bytes, from a word's beginning on; `at_front`: begins them. */
int order_has_phrase(const char *const *phrases, const char *p, size_t n, int at_front);

/* 1 if somebody speaks of himself: that orders nothing. */
int order_is_remark(const char *p, size_t n);

/* 1 if a sentence holds for what comes: by words of negation and force (its unit's flags), or by phrases that have neither. */
int order_is_told(const char *p, size_t n, unsigned flags);

#endif
