/*
** Content codings of an answer: gzip, deflate, br. What a server calls by another name ("utf-8", "binary", "json") is no
** coding, and bytes that are not what the server says they are stay as they came: whether they can be used, who reads
** them sees. No answer begins as gzip does, so what does is gzip whatever its header says, or when it has none; the same holds of zlib
** where its sum is right.
*/
#ifndef LLMCOST_DECODE_H
#define LLMCOST_DECODE_H

#include "base/buf.h"

/* What we can undo, for Accept-Encoding. */
#define DECODE_ACCEPTS "gzip, deflate, br"

/* Undoes the codings, a list as in Content-Encoding, the last first, and then up to three that it
** does not name. Of bytes that end early, what there is. RC_OK,
** RC_NOMEM (nothing is changed), or RC_TOOBIG where it comes to more than the buffer's max. */
int decode_body(Buf *body, const char *codings);

#endif
