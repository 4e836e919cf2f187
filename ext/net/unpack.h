/*
** The content coding of a body that is handed on piece by piece: gzip, the only one that is asked for there.
**
** decode.h undoes codings of an answer that is all there; it may look twice. What goes on to a sink is gone: a coding that was not
** asked for (deflate, br, zstd, compress) is refused before a byte of it goes on. As there, a name that is no coding ("utf-8",
** "identity") is none, what begins as gzip does is gzip whatever it is called, and what is called gzip and does not begin so goes on
** as it came. Bytes behind the last member are left out.
*/
#ifndef LLMCOST_UNPACK_H
#define LLMCOST_UNPACK_H

#include <stddef.h>

/* For Accept-Encoding. */
#define UNPACK_ACCEPTS "gzip"

typedef struct Unpack Unpack;

/* Who takes the bytes: RC_OK, or what ends it. */
typedef int UnpackTake(void *arg, const char *data, size_t n);

/* NULL: no memory. */
Unpack *unpack_open(void);
void unpack_close(Unpack *u);

/* 1 if `codings`, a list as in Content-Encoding, names one that is not undone here. */
int unpack_is_foreign(const char *codings);

/* Hands on what these bytes come to. RC_OK; RC_NOMEM; RC_MISMATCH: they are not what gzip makes; or what `take` gave. */
int unpack_feed(Unpack *u, const char *data, size_t n, UnpackTake *take, void *arg);

/* No more come. RC_OK, RC_MISMATCH: they ended in the middle; or what `take` gave. */
int unpack_end(Unpack *u, UnpackTake *take, void *arg);

#endif
