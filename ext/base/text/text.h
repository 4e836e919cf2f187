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

/* The same for a text that was put together from pieces, each of which may have ended within a character
** (json_piece_parse): halves of a surrogate pair that came together are the character, one that stayed alone is one U+FFFD.
** text_mend does so in place. */
int text_join_halves(const char *text, size_t n, Buf *out);
int text_mend(Buf *text);

/* Appends the normal form of valid UTF-8: Unicode NFC; CR LF and CR are LF; every Unicode blank is a space; zero-width
** characters and byte-order marks are dropped; runs of blanks inside a line are one blank; no blanks at line ends; no blank
** lines at either end of the text, no blanks at its very start. Case and punctuation stay: they can change an answer.
**
** Not so where a text may be about these very characters: what stands quoted ("…", '…', “…”, „…“, «…») or as a regular
** expression (/…/) within a line, in code (`…`, a fenced block, a line that begins with a tab or four blanks) and what a
** line begins with keep their bytes, but for CR. A normal form is its own normal form.
**
** Returns RC_OK, RC_NOMEM or RC_TOOBIG. */
int text_normalize(const char *text, size_t n, Buf *out);

/* The same without what is kept as it stands (but of a line's indentation: as many spaces, a tab being four). So stores named
** texts up to version 1.0: it finds what they hold, and names nothing new. */
int text_normalize_plain(const char *text, size_t n, Buf *out);

/* Edit distance of two names (bytes inserted, left out or changed), at most `cap`, which it also is for names over
** LIMIT_MODEL_NAME bytes: for "did you mean". */
int text_distance(const char *a, const char *b, int cap);

#endif
