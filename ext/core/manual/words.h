/*
** Texts as they are compared: words in lower case, a blank before and behind each. Letters of ASCII, digits, '_' and what
** is no ASCII make words; quotes, '%', brackets, dashes and dots do not.
*/
#ifndef LLMCOST_MANUAL_WORDS_H
#define LLMCOST_MANUAL_WORDS_H

#include "base/buf.h"

#include <stddef.h>

/* Appends that form of any bytes: " no key for model "; nothing where there is no word. */
void words_add(const char *text, size_t n, Buf *out);

/* The same of a heading, without the arguments of what it names: "`f(key)`: asking" is " f asking ". */
void words_add_heading(const char *text, size_t n, Buf *out);

/* 1 if a normal form (NULL: an empty one) has words that begin with these (n bytes, no blank around). */
int words_have(const char *form, const char *words, size_t n);

/* How well a normal form (NULL: an empty one) has a word: WORD_WHOLE; WORD_ALIKE with another ending ("costs" for "cost",
** "mac" for "macos"); 0 not at all. */
enum { WORD_WHOLE = 10, WORD_ALIKE = 7 };
int words_has(const char *form, const char *word, size_t n);

/* 1 for a word that tells nothing of a topic: "how", "the". */
int words_is_common(const char *word, size_t n);

/* The next word of a normal form at *at, which moves behind it: its bytes, and *word; 0 at the end. */
size_t words_next(const char **at, const char **word);

#endif
