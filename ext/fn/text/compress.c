/*
** llm_compress: a text without what says nothing. llm_prune: a conversation without its oldest turns.
*/
#include "fn/fn.h"

#include "base/sqlite/args.h"
#include "work/prompts/shorten.h"
#include "work/prune/turns_kept.h"

#include <stdlib.h>

/* An options argument's bytes; NULL where it is missing or NULL. */
static const char *options_of(int argc, sqlite3_value **argv, size_t *n, Err *err) {
  *n = 0;
  return argc > 1 && sqlite3_value_type(argv[1]) != SQLITE_NULL ? arg_bytes(argv[1], n, err) : NULL;
}

void fn_llm_compress(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  size_t n, n_options;
  Shortened s = {.is_loss = 0};
  const char *options = options_of(argc, argv, &n_options, err);
  const char *text = err->rc == RC_OK ? arg_bytes(argv[0], &n, err) : NULL;
  if (text && shorten_text(fn_conn(ctx), text, n, options, n_options, &s, err) == RC_OK) {
    sqlite3_result_text64(ctx, s.c.text, s.c.n, free, SQLITE_UTF8);
    s.c.text = NULL;
  }
  shortened_free(&s);
}

void fn_llm_prune(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  Kept kept;
  KeptAsk ask = {.sends = 1, .memo = memo_of_statement(ctx)};
  ask.options = options_of(argc, argv, &ask.n_options, err);
  ask.messages = err->rc == RC_OK ? arg_bytes(argv[0], &ask.n, err) : NULL;
  if (ask.messages && turns_kept(fn_conn(ctx), &ask, &kept, err) == RC_OK) {
    sqlite3_result_text64(ctx, kept.text, kept.n, free, SQLITE_UTF8);
    sqlite3_result_subtype(ctx, 'J');
  }
}
