/*
** The error buffer. See error.h for the contract.
*/
#include "base/error.h"

#include "base/check.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdatomic.h>
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

static atomic_int leaves_out_cures;

void err_leave_out_cures(void) {
  leaves_out_cures = 1;
}

/* Takes the marks of ERR_CURE out, or the clauses with them. */
static void settle_cures(char *s) {
  int leaves_out = leaves_out_cures, in_cure = 0;
  char *to = strchr(s, '\001');
  for (const char *from = to; from && *from; from++) {
    int is_mark = *from == '\001' || *from == '\002';
    in_cure = is_mark ? *from == '\001' : in_cure;
    if (!is_mark && !(in_cure && leaves_out)) {
      *to++ = *from;
    }
  }
  if (to) {
    *to = 0;
  }
}

static const struct {
  const char *word;
  int covers;
} codes[] = {[ERR_NONE] = {"", 0},
#define ROW(id, word, covers) [id] = {word, covers},
             ERROR_CODES(ROW)
#undef ROW
};

const char *err_word(ErrCode code) {
  return codes[code].word;
}

int err_is_text_of(const char *text, ErrCode code) {
  const size_t n = strlen(codes[code].word);
  return strncmp(text, codes[code].word, n) == 0 && text[n] == ':';
}

int err_is_covered(ErrCode code) {
  return codes[code].covers;
}

const char *err_advice(const Err *err) {
  return err->rc == RC_INTERRUPT ? "; what was paid is kept: run the statement again" : "";
}

void err_clear(Err *err) {
  err->rc = RC_OK;
  err->code = ERR_NONE;
  err->provider_code[0] = 0;
  err->http_status = 0;
  err->retryable = 0;
  err->msg[0] = 0;
}

int err_set(Err *err, int rc, ErrCode code, const char *fmt, ...) {
  CHECK(rc != RC_OK && code != ERR_NONE);
  if (err->rc != RC_OK) {
    return err->rc;
  }
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(err->msg, sizeof err->msg, fmt, ap);
  va_end(ap);
  settle_cures(err->msg);
  drop_partial_utf8(err->msg);
  err->rc = rc;
  err->code = code;
  return rc;
}

int err_nomem(Err *err) {
  return err_set(err, RC_NOMEM, ERR_NO_MEMORY, "out of memory");
}
