/*
** llm_tokens, llm_chat_tokens.
**
** Where the model is a constant of the statement, its rule is looked up once per execution and kept
** with the argument.
*/
#include "fn/fn.h"

#include "base/sqlite/args.h"
#include "money/counter.h"

#include <stdlib.h>

/* The rule for the model argv[at], if it is given: the one kept with the argument, or `room`. NULL
** and *err on failure. */
static const TokenRule *rule_of(sqlite3_context *ctx, int argc, sqlite3_value **argv, int at,
                                TokenRule *room, Err *err) {
  Conn *c = fn_conn(ctx);
  const TokenRule *kept = argc > at ? sqlite3_get_auxdata(ctx, at) : NULL;
  if (kept) {
    return kept;
  }
  const char *model = argc > at ? arg_name(argv[at], "the model", err) : NULL;
  if (err->rc != RC_OK || counter_rule(c, model, room, err) != RC_OK) {
    return NULL;
  }
  TokenRule *copy = argc > at ? malloc(sizeof *copy) : NULL;
  if (copy) {
    *copy = *room;
    sqlite3_set_auxdata(ctx, at, copy, free); /* may free it at once */
  }
  return room;
}

static void give(sqlite3_context *ctx, long long tokens, Err *err) {
  if (tokens < 0) {
    err_nomem(err);
  } else {
    sqlite3_result_int64(ctx, tokens);
  }
}

void fn_llm_tokens(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  TokenRule room;
  size_t n;
  const char *text = arg_bytes(argv[0], &n, err);
  const TokenRule *rule = text ? rule_of(ctx, argc, argv, 1, &room, err) : NULL;
  if (rule) {
    give(ctx, tokens_count(rule, text, n), err);
  }
}

void fn_llm_chat_tokens(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err) {
  TokenRule room;
  Options options;
  Request request = {0};
  size_t n;
  const char *messages = arg_bytes(argv[0], &n, err);
  options_init(&options);
  const TokenRule *rule = messages ? rule_of(ctx, argc, argv, 1, &room, err) : NULL;
  if (rule && request_from_messages(messages, n, &options, &request, err) == RC_OK) {
    long long tokens = tokens_request(rule, &request), names = tokens_names(rule, request.doc);
    give(ctx, tokens < 0 || names < 0 ? -1 : tokens + names, err);
  }
  request_free(&request);
  options_free(&options);
}
