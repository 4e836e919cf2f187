/*
** A growable byte buffer with a mandatory maximum, in the manner of curl's dynbuf: after any
** failure the buffer is empty and stays failed, so a chain of appends needs one check at its end.
*/
#ifndef LLMCOST_BUF_H
#define LLMCOST_BUF_H

#include <stddef.h>

typedef struct Buf {
  char *data; /* always NUL-terminated once anything was appended */
  size_t n;   /* bytes, without the NUL */
  size_t cap;
  size_t max;
  int failed; /* RC_NOMEM or RC_TOOBIG once an append did not fit */
} Buf;

/* Prepares an empty buffer that never holds more than `max` bytes. */
void buf_init(Buf *b, size_t max);

/* Frees the contents; the buffer is empty and usable again. Safe on zeroed memory. */
void buf_free(Buf *b);

/* Empties the buffer but keeps its memory. */
void buf_clear(Buf *b);

/* Makes room for n more bytes, so that appending them can't fail. Returns as those below. */
int buf_reserve(Buf *b, size_t n);

/* Appends; each returns RC_OK, RC_NOMEM or RC_TOOBIG. */
int buf_add(Buf *b, const void *data, size_t n);
int buf_puts(Buf *b, const char *text);
int buf_printf(Buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Makes it fail, as if an append had: empties it. Returns rc. */
int buf_fail(Buf *b, int rc);

/* Hands the bytes over (caller frees with free()); NULL if an append failed. Empty buffer: "". */
char *buf_take(Buf *b);

#endif
