/*
** JSON of somebody who writes it badly, read as JavaScript, Python and Go read it. For answers that were paid for;
** what a user writes is read by json_parse.
*/
#ifndef LLMCOST_JSON_LENIENT_H
#define LLMCOST_JSON_LENIENT_H

#include "base/text/json.h"

/* As json_parse (an owned tree, or NULL and *err), but what is wrong only in its letters is no error:
**
**   bytes that are no UTF-8, halves of a surrogate pair, NULs inside strings   U+FFFD each
**   two halves in three bytes each (CESU-8)                                    the character
**   \x27 in strings                                                            the character
**   other unknown escapes: of a letter or digit (\d)                           both characters
**                          of anything else (\', \_)                           without the backslash
**   NUL bytes in front of the text and behind it, byte order marks             passed over
**   UTF-16 with a byte order mark                                              read
**   NaN, Infinity and -Infinity where a value stands, in any case              null
**   numbers of more digits than cJSON takes                                    the nearest double
**
** A text that ends early, or has anything else wrong, stays "bad_json" at that byte (of UTF-16: of the same text in
** UTF-8). Of members of one name the last one counts, and the others are not in the tree. A text without any of this costs one
** look at its tree more than json_parse. Nesting: up to LIMIT_ANSWER_DEPTH. */
cJSON *json_parse_lenient(const char *text, size_t n, const char *what, Err *err);

/* The same for a piece of a stream: halves of a surrogate pair (as WTF-8) and stray bytes stay in the strings that are
** values, since the next piece may bring the rest of the character. A text that was joined from several pieces is
** mended by text_mend (text.h), every value of a piece by json_piece_mend (RC_OK, or *err: no memory). */
cJSON *json_piece_parse(const char *text, size_t n, const char *what, Err *err);
int json_piece_mend(cJSON *piece, Err *err);

#endif
