/*
** llm_normalize: a text as the cache key sees it.
*/
#include "fn/fn.h"

#include "core/buf.h"
#include "core/text.h"

#include <stdlib.h>

void fn_llm_normalize(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
  (void)argc;
  const char *text = (const char *)sqlite3_value_text(argv[0]);
  size_t n = (size_t)sqlite3_value_bytes(argv[0]), bad_at = 0;
  Err err = {0};
  Buf b;
  if (!text) {
    return;
  }
  buf_init(&b, LIMIT_REQUEST_BYTES * 4);
  if (!text_is_utf8(text, n, &bad_at)) {
    err_set(&err, RC_ERROR, "bad_utf8", "not valid UTF-8 (byte %zu)", bad_at);
  } else if (text_normalize(text, n, &b) != RC_OK) {
    err_nomem(&err);
  }
  if (err.rc == RC_OK) {
    n = b.n;
    sqlite3_result_text64(ctx, buf_take(&b), n, free, SQLITE_UTF8);
  } else {
    result_error(ctx, "llm_normalize", &err);
  }
  buf_free(&b);
}
