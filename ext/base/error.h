/*
** Errors: one buffer per call, the first error wins.
**
** Return codes are SQLite's own numbers, so that a core function's result can be handed to SQLite
** unchanged without core including sqlite3.h.
*/
#ifndef LLMCOST_ERROR_H
#define LLMCOST_ERROR_H

#include "base/limits.h"

enum {
  RC_OK = 0,
  RC_ERROR = 1,
  RC_BUSY = 5,
  RC_NOMEM = 7,
  RC_INTERRUPT = 9,
  RC_IOERR = 10, /* what was to be looked at is there, or may be, and could not be looked at */
  RC_TOOBIG = 18
};

typedef struct Err {
  int rc;           /* RC_OK while nothing went wrong */
  const char *code; /* a stable word: "bad_option", "no_key", "timeout", … (static storage) */
  char provider_code[64];     /* the provider's own code where it gave one, else "" */
  int http_status;            /* 0 where no answer arrived */
  int retryable;              /* 1: the same request may succeed later */
  char msg[LIMIT_ERROR_TEXT]; /* never holds a key or a prompt; no function name in front */
} Err;

/* Makes it an error that is none. (Cheaper than zeroing the texts.) */
void err_clear(Err *err);

/* Records rc, code and a printf-formatted message unless an error is there already. Returns
** err->rc. */
int err_set(Err *err, int rc, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Records "out of memory". Returns RC_NOMEM (or the earlier error). */
int err_nomem(Err *err);

#endif
