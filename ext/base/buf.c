/*
** The growable buffer. See buf.h for the contract.
*/
#include "base/buf.h"

#include "base/check.h"
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(Buf *b, size_t max) {
  memset(b, 0, sizeof *b);
  b->max = max;
}

void buf_free(Buf *b) {
  size_t max = b->max;
  free(b->data);
  buf_init(b, max);
}

void buf_clear(Buf *b) {
  b->n = 0;
  b->failed = 0;
  if (b->data) {
    b->data[0] = 0;
  }
}

int buf_fail(Buf *b, int rc) {
  buf_free(b);
  b->failed = rc;
  return rc;
}

int buf_reserve(Buf *b, size_t n) {
  if (b->failed) {
    return b->failed;
  }
  if (n > b->max || b->n > b->max - n) {
    return buf_fail(b, RC_TOOBIG);
  }
  size_t need = b->n + n + 1;
  if (need <= b->cap) {
    return RC_OK;
  }
  size_t cap = b->cap < 128 ? 256 : b->cap * 2;
  if (cap < need) {
    cap = need;
  }
  char *data = realloc(b->data, cap);
  if (!data) {
    return buf_fail(b, RC_NOMEM);
  }
  b->data = data;
  b->cap = cap;
  return RC_OK;
}

int buf_add(Buf *b, const void *data, size_t n) {
  int rc = buf_reserve(b, n);
  if (rc == RC_OK && n) {
    memcpy(b->data + b->n, data, n);
    b->n += n;
  }
  if (rc == RC_OK) {
    b->data[b->n] = 0;
  }
  CHECK(b->failed ? !b->data : b->n < b->cap && b->n <= b->max);
  return rc;
}

int buf_puts(Buf *b, const char *text) {
  return buf_add(b, text, strlen(text));
}

int buf_printf(Buf *b, const char *fmt, ...) {
  char small[256];
  va_list ap;
  va_start(ap, fmt);
  int n = vsnprintf(small, sizeof small, fmt, ap);
  va_end(ap);
  if (n >= 0 && (size_t)n < sizeof small) {
    return buf_add(b, small, (size_t)n);
  }
  int rc = n < 0 ? buf_fail(b, RC_NOMEM) : buf_reserve(b, (size_t)n);
  if (rc == RC_OK) {
    va_start(ap, fmt);
    vsnprintf(b->data + b->n, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->n += (size_t)n;
  }
  return rc;
}

char *buf_take(Buf *b) {
  if (!b->failed && !b->data) {
    buf_add(b, "", 0);
  }
  char *data = b->data;
  b->data = NULL;
  buf_free(b);
  return data;
}
