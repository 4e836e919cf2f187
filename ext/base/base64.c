#include "base/base64.h"

#include <stdlib.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(const void *data, size_t n) {
  const unsigned char *in = data;
  char *text = n <= (size_t)-1 / 2 ? malloc((n + 2) / 3 * 4 + 1) : NULL, *at = text;
  for (size_t i = 0; text && i < n; i += 3) {
    size_t left = n - i;
    unsigned v = (unsigned)in[i] << 16 | (left > 1 ? (unsigned)in[i + 1] << 8 : 0) |
                 (left > 2 ? in[i + 2] : 0);
    *at++ = digits[v >> 18];
    *at++ = digits[v >> 12 & 63];
    *at++ = left > 1 ? digits[v >> 6 & 63] : '=';
    *at++ = left > 2 ? digits[v & 63] : '=';
  }
  if (text) {
    *at = 0;
  }
  return text;
}

/* The value of each character, 64 where it is no digit. */
static void fill_values(unsigned char values[256]) {
  memset(values, 64, 256);
  for (unsigned char i = 0; i < 64; i++) {
    values[(unsigned char)digits[i]] = i;
  }
}

int base64_decode(const char *text, size_t n, unsigned char **out, size_t *size) {
  unsigned char values[256];
  unsigned bits = 0;
  size_t at = 0;
  fill_values(values);
  while (n > 0 && text[n - 1] == '=') {
    n--;
  }
  *size = 0;
  *out = n % 4 == 1 ? NULL : malloc(n / 4 * 3 + 3);
  if (!*out) {
    return n % 4 == 1 ? 0 : -1;
  }
  for (size_t i = 0; *out && i < n; i++) {
    unsigned char v = values[(unsigned char)text[i]];
    if (v == 64) {
      free(*out);
      *out = NULL;
      break;
    }
    bits = bits << 6 | v;
    if (i % 4 != 0) { /* every digit but the first of four completes a byte */
      (*out)[at++] = (unsigned char)(bits >> (2 * (3 - i % 4)));
    }
  }
  *size = at;
  return *out != NULL;
}
