/*
** UTF-8. See utf8.h for the contract.
**
** The check follows table 3-7 of the Unicode Standard (well-formed byte sequences).
*/
#include "base/utf8.h"

#include <string.h>

/* Length of the well-formed sequence at p (n bytes left), or 0. */
static size_t sequence_length(const unsigned char *p, size_t n) {
  unsigned char c = p[0];
  unsigned char lo = 0x80, hi = 0xBF;
  size_t len;
  if (c < 0x80) {
    return 1;
  } else if (c >= 0xC2 && c <= 0xDF) {
    len = 2;
  } else if (c >= 0xE0 && c <= 0xEF) {
    len = 3;
    lo = c == 0xE0 ? 0xA0 : 0x80;
    hi = c == 0xED ? 0x9F : 0xBF;
  } else if (c >= 0xF0 && c <= 0xF4) {
    len = 4;
    lo = c == 0xF0 ? 0x90 : 0x80;
    hi = c == 0xF4 ? 0x8F : 0xBF;
  } else {
    return 0;
  }
  if (n < len || p[1] < lo || p[1] > hi) {
    return 0;
  }
  for (size_t i = 2; i < len; i++) {
    if ((p[i] & 0xC0) != 0x80) {
      return 0;
    }
  }
  return len;
}

size_t utf8_length(const char *text, size_t n) {
  return n > 0 ? sequence_length((const unsigned char *)text, n) : 0;
}

size_t utf8_ascii_prefix(const char *p, size_t n) {
  size_t i = 0;
  while (i + 8 <= n) {
    unsigned long long word;
    memcpy(&word, p + i, 8);
    if (word & 0x8080808080808080ULL) {
      break;
    }
    i += 8;
  }
  while (i < n && !(p[i] & 0x80)) {
    i++;
  }
  return i;
}

int utf8_is_valid(const char *text, size_t n, size_t *bad_at) {
  size_t i = 0;
  while (i < n) {
    i += utf8_ascii_prefix(text + i, n - i);
    if (i < n) {
      size_t len = sequence_length((const unsigned char *)text + i, n - i);
      if (len == 0) {
        *bad_at = i;
        return 0;
      }
      i += len;
    }
  }
  return 1;
}

void utf8_copy(char *out, size_t size, const char *text) {
  size_t n = strnlen(text, size - 1), cut_at = n;
  memcpy(out, text, n);
  utf8_is_valid(out, n, &cut_at);
  out[cut_at] = 0;
}

size_t utf8_bad_length(const char *text, size_t n) {
  for (size_t k = n < 3 ? n : 3; k > 1; k--) {
    unsigned char low[4], high[4];
    memset(low, 0x80, sizeof low);
    memset(high, 0xBF, sizeof high);
    memcpy(low, text, k);
    memcpy(high, text, k);
    if (sequence_length(low, 4) > k || sequence_length(high, 4) > k) {
      return k;
    }
  }
  return 1;
}

size_t utf8_encode(unsigned c, char out[4]) {
  static const unsigned char first[] = {0, 0, 0xC0, 0xE0, 0xF0};
  size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  for (size_t i = n - 1; i > 0; i--, c >>= 6) {
    out[i] = (char)(0x80 | (c & 0x3F));
  }
  out[0] = (char)(first[n] | c);
  return n;
}

unsigned utf8_half(const char *text, size_t n) {
  const unsigned char *p = (const unsigned char *)text;
  int is = n >= 3 && p[0] == 0xED && (p[1] & 0xE0) == 0xA0 && (p[2] & 0xC0) == 0x80;
  return is ? 0xD000u | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu) : 0;
}

unsigned utf8_pair(const char *text, size_t n) {
  unsigned high = utf8_half(text, n), low = n > 3 ? utf8_half(text + 3, n - 3) : 0;
  int is = high && high < 0xDC00 && low >= 0xDC00;
  return is ? 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00) : 0;
}
