/*
** The token estimate. See tokens.h for the rule.
*/
#include "tokens.h"

#include <utf8proc.h>

enum Class { LETTER, DIGIT, BLANK, NEWLINE, MARK, ALPHABET, WIDE };

static enum Class classify(utf8proc_int32_t c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
    return LETTER;
  }
  if (c >= '0' && c <= '9') {
    return DIGIT;
  }
  if (c == '\n') {
    return NEWLINE;
  }
  if (c == ' ' || c == '\t' || c == '\r' || c == 0xA0) {
    return BLANK;
  }
  if (c < 0x80) {
    return MARK;
  }
  return c < 0x1100 ? ALPHABET : WIDE;
}

/* Tokens of a run of `len` characters of one class. */
static long long run_tokens(enum Class class, long long len) {
  switch (class) {
  case LETTER:
    return len <= 6 ? 1 : 1 + (len - 1) / 6;
  case DIGIT:
    return (len + 2) / 3;
  case BLANK:
    return len > 1;
  case NEWLINE:
    return 1;
  case MARK:
    return (len + 3) / 4;
  case ALPHABET:
    return (len + 1) / 2;
  default:
    return len;
  }
}

long long tokens_estimate(const char *text, size_t n) {
  long long total = 0, run = 0;
  enum Class class = BLANK;
  utf8proc_int32_t previous = 0;
  size_t i = 0;
  while (i < n) {
    utf8proc_int32_t c;
    utf8proc_ssize_t len =
        utf8proc_iterate((const utf8proc_uint8_t *)text + i, (utf8proc_ssize_t)(n - i), &c);
    len = len < 1 ? 1 : len;
    c = len < 1 || c < 0 ? '?' : c;
    enum Class now = classify(c);
    if (run && (now != class || (now == MARK && c != previous))) {
      total += run_tokens(class, run);
      run = 0;
    }
    class = now;
    previous = c;
    run++;
    i += (size_t)len;
  }
  return run ? total + run_tokens(class, run) : total;
}
