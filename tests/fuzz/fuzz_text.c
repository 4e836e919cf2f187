/*
** Texts: UTF-8 and the normal form.
**
** Holds: what replaces bad bytes leaves UTF-8 and good text as it was, and the normal form is UTF-8, a
** fixed point, and the same of a text and of its copy with CR LF for LF; it has the plain form of its text.
*/
#include "fuzz.h"

#include "base/text/text.h"
#include "base/utf8.h"

static void normalize(const char *text, size_t n, Buf *out) {
  buf_init(out, 1 << 20);
  require(text_normalize(text, n, out) == RC_OK);
}

static void check_same(const Buf *a, const Buf *b) {
  require(a->n == b->n && (a->n == 0 || memcmp(a->data, b->data, a->n) == 0));
}

static void check_plain_form(const char *text, size_t n, const Buf *normal) {
  Buf of_text, of_normal;
  buf_init(&of_text, 1 << 20);
  buf_init(&of_normal, 1 << 20);
  require(text_normalize_plain(text, n, &of_text) == RC_OK);
  require(text_normalize_plain(normal->data ? normal->data : "", normal->n, &of_normal) == RC_OK);
  check_same(&of_text, &of_normal);
  buf_free(&of_text);
  buf_free(&of_normal);
}

static void check_normal_form(const char *text, size_t n) {
  Buf once, twice, crlf, of_crlf;
  size_t bad_at;
  normalize(text, n, &once);
  normalize(once.data ? once.data : "", once.n, &twice);
  check_same(&once, &twice);
  require(once.n == 0 || utf8_is_valid(once.data, once.n, &bad_at));
  buf_init(&crlf, 1 << 20);
  for (size_t i = 0; i < n; i++) {
    int is_lone = text[i] == '\n' && (i == 0 || text[i - 1] != '\r');
    buf_add(&crlf, is_lone ? "\r\n" : text + i, is_lone ? 2 : 1);
  }
  normalize(crlf.data ? crlf.data : "", crlf.n, &of_crlf);
  check_same(&once, &of_crlf);
  check_plain_form(text, n, &once);
  buf_free(&once);
  buf_free(&twice);
  buf_free(&crlf);
  buf_free(&of_crlf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = malloc(size ? size : 1);
  size_t bad_at = 0;
  Buf valid;
  require(text);
  if (size > 0) {
    memcpy(text, data, size);
  }
  buf_init(&valid, 1 << 20);
  require(text_replace_invalid(text, size, &valid) == RC_OK);
  require(valid.n == 0 || utf8_is_valid(valid.data, valid.n, &bad_at));
  if (utf8_is_valid(text, size, &bad_at)) {
    require(valid.n == size && (size == 0 || memcmp(valid.data, text, size) == 0));
  } else {
    require(bad_at < size && utf8_is_valid(text, bad_at, &bad_at));
  }
  check_normal_form(valid.data ? valid.data : "", valid.n);
  buf_free(&valid);
  free(text);
  return 0;
}
