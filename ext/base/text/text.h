/*
** Text: valid UTF-8 out of any bytes, and the normal form that cache keys are made of.
*/
#ifndef LLMCOST_TEXT_H
#define LLMCOST_TEXT_H

#include "base/buf.h"

#include <stddef.h>

/* Appends the text with U+FFFD in place of what is not UTF-8, as JavaScript's TextDecoder does it.
** Returns RC_OK, RC_NOMEM or RC_TOOBIG. */
int text_replace_invalid(const char *text, size_t n, Buf *out);

/* Appends the normal form of valid UTF-8: Unicode NFC; CR LF and CR are LF; every Unicode blank
** is a space; zero-width characters and byte-order marks are dropped; runs of blanks inside a
** line are one blank (a line's indentation is kept: in code it means something); no blanks at
** line ends; no blank lines at either end of the text, no blanks at its very start. Case and
** punctuation stay: they can change an answer. Returns RC_OK, RC_NOMEM or RC_TOOBIG. */
int text_normalize(const char *text, size_t n, Buf *out);

#endif
