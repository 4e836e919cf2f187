/*
** The error buffer. See error.h for the contract.
*/
#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Cuts a UTF-8 string that vsnprintf truncated back to its last whole character. */
static void trim_partial_utf8(char *s) {
  size_t n = strlen(s);
  size_t i = n;
  while (i > 0 && n - i < 4 && ((unsigned char)s[i - 1] & 0xC0) == 0x80) {
    i--;
  }
  if (i == 0) {
    return;
  }
  unsigned char lead = (unsigned char)s[i - 1];
  size_t need = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
  if (n - (i - 1) < need) {
    s[i - 1] = 0;
  }
}

int err_set(Err *err, int rc, const char *code, const char *fmt, ...) {
  if (err->rc != RC_OK) {
    return err->rc;
  }
  va_list ap;
  va_start(ap, fmt);
  int n = vsnprintf(err->msg, sizeof err->msg, fmt, ap);
  va_end(ap);
  if (n >= (int)sizeof err->msg) {
    trim_partial_utf8(err->msg);
  }
  err->rc = rc;
  err->code = code;
  return rc;
}

int err_nomem(Err *err) { return err_set(err, RC_NOMEM, "no_memory", "out of memory"); }
