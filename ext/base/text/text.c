/*
** Valid UTF-8 out of any bytes, and distances of names. See text.h for the contract; normal.c has the normal form.
*/
#include "base/text/text.h"

#include "base/error.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

int text_replace_invalid(const char *text, size_t n, Buf *out) {
  size_t at = 0, good;
  while (at < n && !utf8_is_valid(text + at, n - at, &good)) {
    buf_add(out, text + at, good);
    buf_add(out, "\xEF\xBF\xBD", 3);
    at += good + utf8_bad_length(text + at + good, n - at - good);
  }
  return buf_add(out, text + at, n - at);
}

int text_join_halves(const char *text, size_t n, Buf *out) {
  size_t at = 0, good;
  while (at < n && !utf8_is_valid(text + at, n - at, &good)) {
    buf_add(out, text + at, good);
    at += good;
    char bytes[4];
    unsigned pair = utf8_pair(text + at, n - at);
    buf_add(out, bytes, utf8_encode(pair ? pair : 0xFFFD, bytes));
    at += pair ? 6 : utf8_half(text + at, n - at) ? 3 : utf8_bad_length(text + at, n - at);
  }
  return buf_add(out, text + at, n - at);
}

int text_mend(Buf *text) {
  size_t bad_at;
  if (text->failed || utf8_is_valid(text->data ? text->data : "", text->n, &bad_at)) {
    return text->failed;
  }
  Buf mended;
  buf_init(&mended, 3 * text->n);
  int rc = text_join_halves(text->data, text->n, &mended);
  if (rc == RC_OK) {
    mended.max = text->max > mended.n ? text->max : mended.n;
    buf_free(text);
    *text = mended;
    return RC_OK;
  }
  buf_free(&mended);
  return buf_fail(text, rc);
}

int text_distance(const char *a, const char *b, int cap) {
  int row[LIMIT_MODEL_NAME + 1];
  int n = (int)strlen(b);
  if (n > LIMIT_MODEL_NAME || strlen(a) > LIMIT_MODEL_NAME) {
    return cap;
  }
  for (int j = 0; j <= n; j++) {
    row[j] = j;
  }
  for (int i = 1; a[i - 1]; i++) {
    int diagonal = row[0];
    row[0] = i;
    for (int j = 1; j <= n; j++) {
      int substitute = diagonal + (a[i - 1] != b[j - 1]);
      int insert = row[j - 1] + 1, erase = row[j] + 1;
      diagonal = row[j];
      int best = insert < erase ? insert : erase;
      row[j] = substitute < best ? substitute : best;
    }
  }
  return row[n] < cap ? row[n] : cap;
}
