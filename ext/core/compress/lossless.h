/*
** White space that means nothing, left out: what is left says the same to anybody.
**
**   running text   runs of blanks between two words, or a word and a number, of a line that has three words (two and a stop) and is made of
**                  words for the most part; none at a line's end, but the two of a Markdown line break
**   between blocks a blank line at most; none at the text's ends
**   JSON           no blanks between its values, where a whole block is JSON (alone on its lines, or fenced)
**
** A text that speaks of spaces, of a pattern, or of what is to stay as it stands ("verbatim") keeps its blanks; so do a block that
** speaks of what is to be exactly so and the one behind it, a line with "^" or "\", and one with two blanks behind a colon.
** Blanks beside a quotation mark stay: a string may begin or end with them. A text with <pre>, a shell's <<, or \" keeps all of its blanks.
** Kept byte for byte: quotations over lines and blocks, indentation, diffs, code, tables, columns, records, quotations and other marks, lines that look like code, and
** what stands between two blocks of these. Digits, order and repeated names of JSON stay as they are: nothing is read as a number.
*/
#ifndef LLMCOST_LOSSLESS_H
#define LLMCOST_LOSSLESS_H

#include "core/compress/cuts.h"

/* The methods, bits: white space of text, of JSON. */
enum { LOSSLESS_TEXT = 1, LOSSLESS_JSON = 2 };

/* The cuts of n bytes by these methods. Any bytes; linear time. Returns RC_OK, or *err without memory. */
int lossless_find(const char *text, size_t n, unsigned methods, Cuts *out, Err *err);

#endif
