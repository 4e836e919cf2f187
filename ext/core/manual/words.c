/*
** The normal form of texts that are searched. See words.h for the contract.
*/
#include "core/manual/words.h"

#include <string.h>

/* Bytes of a sign that is no part of a word (U+2000 to U+22FF: quotes, dashes, arrows; U+00A0 to U+00BF), else 0. */
static size_t sign_length(const unsigned char *p, size_t n) {
  if (n >= 3 && p[0] == 0xE2 && p[1] >= 0x80 && p[1] < 0x8C) {
    return 3;
  }
  return n >= 2 && p[0] == 0xC2 && p[1] < 0xC0 ? 2 : 0;
}

static char lower_word(unsigned char c) {
  if (c >= 'A' && c <= 'Z') {
    return (char)(c + 32);
  }
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c >= 0x80 ? (char)c : ' ';
}

void words_add(const char *text, size_t n, Buf *out) {
  const unsigned char *p = (const unsigned char *)text;
  char last = ' ';
  if (buf_reserve(out, n + 2) != 0 ||
      buf_add(out, "", 0) != 0) { /* (ends with a NUL in each case) */
    return;
  }
  for (size_t i = 0; i < n; i++) {
    size_t sign = sign_length(p + i, n - i);
    char c = sign ? ' ' : lower_word(p[i]);
    i += sign ? sign - 1 : 0;
    if (c == ' ' && last == ' ') {
      continue;
    }
    if (last == ' ') {
      out->n > 0 && out->data[out->n - 1] == ' ' ? 0 : buf_add(out, " ", 1);
    }
    buf_add(out, &c, 1);
    last = c;
  }
  if (last != ' ') {
    buf_add(out, " ", 1);
  }
}

void words_add_heading(const char *text, size_t n, Buf *out) {
  const char *end = text + n, *at = text, *open, *close;
  while ((open = memchr(at, '(', (size_t)(end - at))) &&
         (close = memchr(open, ')', (size_t)(end - open)))) {
    int is_call = open > text && open[-1] != ' ';
    words_add(at, (size_t)((is_call ? open : close) - at), out);
    at = close + 1;
  }
  words_add(at, (size_t)(end - at), out);
}

int words_have(const char *form, const char *words, size_t n) {
  for (const char *p = form ? strchr(form, ' ') : NULL; p; p = strchr(p + 1, ' ')) {
    if (strncmp(p + 1, words, n) == 0) {
      return 1;
    }
  }
  return 0;
}

/* 1 if one is the other with a short ending. */
static int is_alike(const char *a, size_t n_a, const char *b, size_t n_b) {
  size_t shorter = n_a < n_b ? n_a : n_b, more = n_a + n_b - 2 * shorter;
  return shorter >= 3 && more <= (shorter >= 5 ? 3 : 2) && memcmp(a, b, shorter) == 0;
}

int words_has(const char *form, const char *word, size_t n) {
  const char *other;
  int best = 0;
  for (size_t k; best < WORD_WHOLE && (k = words_next(&form, &other)) > 0;) {
    if (k == n && memcmp(word, other, n) == 0) {
      best = WORD_WHOLE;
    } else if (is_alike(word, n, other, k)) {
      best = WORD_ALIKE;
    }
  }
  return best;
}

int words_is_common(const char *word, size_t n) {
  static const char common[] = " a about all am an and any are as at be been but by can cannot did "
                               "do does don error for from get give "
                               "had has have help how i if in into is it its just line llmcost "
                               "make me my near need no not of on or our "
                               "please runtime s select set should show so some t tell than that "
                               "the them then there these this to "
                               "too up us use used using want was we were what when where which "
                               "who why will with work would you your ";
  for (const char *p = common; (p = strchr(p, ' ')) && p[1]; p++) {
    if (strncmp(p + 1, word, n) == 0 && p[1 + n] == ' ') {
      return 1;
    }
  }
  return 0;
}

size_t words_next(const char **at, const char **word) {
  if (!*at) {
    return 0;
  }
  *word = *at + strspn(*at, " ");
  size_t n = strcspn(*word, " ");
  *at = *word + n;
  return n;
}
