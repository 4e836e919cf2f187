/*
** UTF-8: checking, and cutting between characters.
*/
#ifndef LLMCOST_UTF8_H
#define LLMCOST_UTF8_H

#include <stddef.h>

/* 1 if the n bytes are well-formed UTF-8 (no surrogates, no overlong forms); else 0 and *bad_at
** is the offset of the first bad byte. */
int utf8_is_valid(const char *text, size_t n, size_t *bad_at);

/* Bytes at the front of `text`, where no well-formed sequence begins, that one U+FFFD stands for: as many as could
** begin one (table 3-11 of the Unicode Standard; browsers and Node do the same). */
size_t utf8_bad_length(const char *text, size_t n);

/* Bytes of the character at the front; 0 where no well-formed sequence begins. */
size_t utf8_length(const char *text, size_t n);

/* Bytes of ASCII at the front. */
size_t utf8_ascii_prefix(const char *text, size_t n);

/* Copies UTF-8 of `size` bytes at most with its NUL; cut, where it is longer, between two characters. */
void utf8_copy(char *out, size_t size, const char *text);

/* Writes the character as UTF-8 and returns its bytes; half of a surrogate pair as WTF-8 (https://simonsapin.github.io/wtf-8/):
** the three bytes that it would have. */
size_t utf8_encode(unsigned character, char out[4]);

/* The half of a pair whose three bytes stand at the front, or 0; and the character of two halves (CESU-8), or 0. */
unsigned utf8_half(const char *text, size_t n);
unsigned utf8_pair(const char *text, size_t n);

#endif
