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

/* Bytes of ASCII at the front. */
size_t utf8_ascii_prefix(const char *text, size_t n);

/* Copies UTF-8 of `size` bytes at most with its NUL; cut, where it is longer, between two characters. */
void utf8_copy(char *out, size_t size, const char *text);

#endif
