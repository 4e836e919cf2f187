/*
** llm_normalize: a text as the cache key sees it.
*/
#include "fn/fn.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "base/text/text.h"
#include "base/sqlite/args.h"

#include <stdlib.h>

void fn_llm_normalize(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  (void)argc;
  size_t n, bad_at = 0;
  const char *text = arg_bytes(argv[0], &n, err);
  Buf b;
  buf_init(&b, LIMIT_REQUEST_BYTES * 4);
  int rc = RC_OK;
  if (text && !utf8_is_valid(text, n, &bad_at)) {
    err_set(err, RC_ERROR, ERR_BAD_UTF8, "not valid UTF-8 (byte %zu)", bad_at);
  } else if (text && (rc = text_normalize(text, n, &b)) == RC_TOOBIG) {
    err_set(err, rc, ERR_TOO_BIG, "a text of %zu bytes", n);
  } else if (rc != RC_OK) {
    err_nomem(err);
  }
  if (err->rc == RC_OK) {
    n = b.n;
    sqlite3_result_text64(ctx, buf_take(&b), n, free, SQLITE_UTF8);
  }
  buf_free(&b);
}
