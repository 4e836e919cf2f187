/*
** Normalisation. See text.h for the contract.
**
** NFC is utf8proc's. Pure ASCII, the common case, skips it: NFC leaves ASCII as it is. Blanks are folded
** before NFC, because a dropped zero-width character can bring a letter and its accent together.
*/
#include "base/text/text.h"

#include "base/error.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

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

/* Blanks other than space and tab: NBSP, Ogham space, en quad … hair space, narrow NBSP, medium
** mathematical space, ideographic space. */
static int is_unicode_blank(utf8proc_int32_t c) {
  return c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

/* Zero-width space and no-break space. (The joiners U+200C and U+200D carry meaning and stay.) */
static int is_invisible(utf8proc_int32_t c) {
  return c == 0x200B || c == 0xFEFF || c == 0x2060;
}

typedef struct Fold {
  Buf *out;
  size_t blanks;    /* characters of pending blanks */
  size_t newlines;  /* pending line ends */
  int line_started; /* the current line has a visible character */
  int text_started;
} Fold;

/* Writes what is pending in front of a visible character. */
static void fold_pending(Fold *f) {
  for (size_t i = 0; f->text_started && i < f->newlines; i++) {
    buf_add(f->out, "\n", 1);
  }
  if (f->text_started && f->blanks) {
    size_t n = f->line_started ? 1 : f->blanks;
    for (size_t i = 0; i < n; i++) {
      buf_add(f->out, " ", 1);
    }
  }
  f->newlines = f->blanks = 0;
  f->line_started = f->text_started = 1;
}

static void fold_char(Fold *f, utf8proc_int32_t c, const char *bytes, size_t len) {
  if (c == '\n') {
    f->newlines++;
    f->blanks = 0;
    f->line_started = 0;
  } else if (c == '\t') {
    f->blanks += f->line_started ? 1 : 4;
  } else if (c == ' ' || is_unicode_blank(c)) {
    f->blanks++;
  } else if (!is_invisible(c)) {
    fold_pending(f);
    buf_add(f->out, bytes, len);
  }
}

/* Bytes of visible ASCII at the front of p: what most text is, copied in one go. */
static size_t visible_prefix(const char *p, size_t n) {
  size_t i = 0;
  while (i < n && p[i] > ' ' && !(p[i] & 0x80)) {
    i++;
  }
  return i;
}

static int fold_blanks(const char *text, size_t n, Buf *out) {
  Fold f = {.out = out};
  size_t i = 0;
  buf_add(out, "", 0);
  while (i < n) {
    utf8proc_int32_t c;
    size_t visible = visible_prefix(text + i, n - i);
    if (visible) {
      fold_pending(&f);
      buf_add(out, text + i, visible);
      i += visible;
      continue;
    }
    if (text[i] == '\r') {
      int pair = i + 1 < n && text[i + 1] == '\n';
      fold_char(&f, '\n', "\n", 1);
      i += pair ? 2 : 1;
      continue;
    }
    utf8proc_ssize_t len =
        utf8proc_iterate((const utf8proc_uint8_t *)text + i, (utf8proc_ssize_t)(n - i), &c);
    len = len < 1 ? 1 : len;
    fold_char(&f, c, text + i, (size_t)len);
    i += (size_t)len;
  }
  return out->failed;
}

int text_normalize(const char *text, size_t n, Buf *out) {
  if (utf8_ascii_prefix(text, n) == n) {
    return fold_blanks(text, n, out);
  }
  Buf folded;
  utf8proc_uint8_t *nfc = NULL;
  buf_init(&folded, n * 4); /* a tab can become four blanks */
  int rc = fold_blanks(text, n, &folded);
  if (rc == RC_OK) {
    utf8proc_ssize_t len =
        utf8proc_map((const utf8proc_uint8_t *)folded.data, (utf8proc_ssize_t)folded.n, &nfc,
                     UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    rc = len == UTF8PROC_ERROR_NOMEM ? RC_NOMEM
         : len < 0                   ? RC_TOOBIG /* (it is valid UTF-8) */
                                     : buf_add(out, nfc, (size_t)len);
  }
  buf_free(&folded);
  free(nfc);
  return rc;
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
