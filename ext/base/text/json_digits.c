/*
** JSON whose long integers keep their digits: numbers of orders and messages are longer than a double holds. See json.h.
**
** cJSON reads numbers as doubles. So the digits are handed to it as strings that begin with two characters nobody uses, and put
** back as raw text; a text that uses them is read as it is.
*/
#include "base/text/json.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

#define MARK "\xEE\x80\x80\xEE\x80\x81" /* U+E000, U+E001 */

enum { LEAST_DIGITS = 16 };

/* The digits at p: how many, in front of `end`. */
static size_t count_digits(const char *p, const char *end) {
  size_t n = 0;
  while (p + n < end && p[n] >= '0' && p[n] <= '9') {
    n++;
  }
  return n;
}

int json_has_digits(const char *text, size_t n) {
  const char *end = text + n;
  for (const char *p = text; p < end;) {
    size_t digits = count_digits(p, end);
    if (digits >= LEAST_DIGITS) {
      return 1;
    }
    p += digits ? digits : 1;
  }
  return 0;
}

static const char *skip_string(const char *p, const char *end) {
  for (p++; p < end && *p != '"'; p++) {
    p += *p == '\\' && p + 1 < end;
  }
  return p < end ? p + 1 : end;
}

/* The bytes of the number at p, if one stands there. */
static size_t number_length(const char *p, const char *end) {
  size_t n = 0;
  while (p + n < end && (count_digits(p + n, end) || strchr("+-.eE", p[n]))) {
    n++;
  }
  return *p == '-' || count_digits(p, end) ? n : 0;
}

/* 1 if a number's n bytes are an integer that a double does not hold. */
static int is_long(const char *number, size_t n) {
  static const char most[] = "9007199254740992"; /* 2^53 */
  size_t minus = number[0] == '-', digits = n - minus;
  const char *p = number + minus;
  return digits >= LEAST_DIGITS && count_digits(p, p + digits) == digits && p[0] != '0' &&
         (digits > LEAST_DIGITS || memcmp(p, most, digits) > 0);
}

/* The text with its long integers as strings. */
static void mark_digits(const char *text, size_t n, Buf *out) {
  const char *end = text + n, *from = text;
  for (const char *p = text; p < end;) {
    if (*p == '"') {
      p = skip_string(p, end);
      continue;
    }
    size_t length = number_length(p, end);
    if (length && is_long(p, length)) {
      buf_add(out, from, (size_t)(p - from));
      buf_puts(out, "\"" MARK);
      buf_add(out, p, length);
      buf_puts(out, "\"");
      from = p + length;
    }
    p += length ? length : 1;
  }
  buf_add(out, from, (size_t)(end - from));
}

/* Puts raw text where the marked strings are. */
static void restore(cJSON *item) {
  for (cJSON *child = item->child; child; child = child->next) {
    restore(child);
  }
  if (cJSON_IsString(item) && strncmp(item->valuestring, MARK, sizeof MARK - 1) == 0) {
    size_t n = strlen(item->valuestring) + 1 - (sizeof MARK - 1);
    memmove(item->valuestring, item->valuestring + sizeof MARK - 1, n);
    item->type = (item->type & ~0xFF) | cJSON_Raw;
  }
}

cJSON *json_parse_digits(const char *text, size_t n, const char *what, Err *err) {
  if (!json_has_digits(text, n) || memmem(text, n, MARK, sizeof MARK - 1)) {
    return json_parse(text, n, what, err);
  }
  Buf marked;
  buf_init(&marked, 2 * n + 64);
  mark_digits(text, n, &marked);
  cJSON *tree =
      marked.failed ? (err_nomem(err), NULL) : json_parse(marked.data, marked.n, what, err);
  buf_free(&marked);
  if (tree) {
    restore(tree);
  }
  return tree;
}
