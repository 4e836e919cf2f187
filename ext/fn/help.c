/*
** llm_help: the manual that is compiled in.
*/
#include "fn/fn.h"

#include "base/buf.h"
#include "base/sqlite/args.h"
#include "core/manual/help.h"

#include <stdlib.h>

/* All pages together have a few hundred KB. */
enum { MOST_HELP = 4 << 20 };

void fn_llm_help(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  size_t n = 0;
  const char *topic = argc > 0 ? arg_bytes(argv[0], &n, err) : "";
  Buf out;
  buf_init(&out, MOST_HELP);
  if (err->rc == RC_OK && help_write(sql_manual, topic, n, &out) != RC_OK) {
    err_nomem(err);
  }
  if (err->rc == RC_OK) {
    n = out.n > 0 ? out.n - 1 : 0; /* without the last line's end: the shell makes its own */
    sqlite3_result_text64(ctx, buf_take(&out), n, free, SQLITE_UTF8);
  }
  buf_free(&out);
}
