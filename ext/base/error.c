/*
** The error buffer. See error.h for the contract.
*/
#include "base/error.h"

#include "base/check.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Drops the bytes of characters that a precision ("%.40s") or the end of the buffer cut in two. */
static void drop_partial_utf8(char *s) {
  size_t n = strlen(s), at = 0, bad_at = 0;
  while (!utf8_is_valid(s + at, n - at, &bad_at)) {
    at += bad_at;
    memmove(s + at, s + at + 1, n - at);
    n--;
  }
}

void err_clear(Err *err) {
  err->rc = RC_OK;
  err->code = NULL;
  err->provider_code[0] = 0;
  err->http_status = 0;
  err->retryable = 0;
  err->msg[0] = 0;
}

int err_set(Err *err, int rc, const char *code, const char *fmt, ...) {
  CHECK(rc != RC_OK && code);
  if (err->rc != RC_OK) {
    return err->rc;
  }
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(err->msg, sizeof err->msg, fmt, ap);
  va_end(ap);
  drop_partial_utf8(err->msg);
  err->rc = rc;
  err->code = code;
  return rc;
}

int err_nomem(Err *err) {
  return err_set(err, RC_NOMEM, "no_memory", "out of memory");
}
