/*
** The SQL functions, by family. llmcost.c registers them.
*/
#ifndef LLMCOST_FN_H
#define LLMCOST_FN_H

#include "conn/conn.h"

/* The connection a function of ours was called on. */
Conn *fn_conn(sqlite3_context *ctx);

/* A function puts its result into ctx, or records in *err why there is none: whoever calls it (llmcost.c) tells that
** under the function's name. It has been registered with what it may be given and what NULL means: what is
** DIRECTONLY has passed the guard when it runs, and an argument that makes the result NULL is none. */
typedef void (*FnRun)(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err);

void fn_llm_complete(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err);
void fn_llm_chat(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err);
void fn_llm_last_call(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err);
void fn_llm_config(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err);
void fn_llm_secret(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err);
void fn_llm_allow_host(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err);
void fn_llm_trust_store(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err);
void fn_llm_init(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err);
void fn_llmcost_version(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err);
void fn_llmcost_debug(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err);
void fn_llm_price(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err);
void fn_llm_cost(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err);
void fn_llm_cost_explain(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err);
void fn_llm_cache_minimum(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err);
void fn_llm_usage(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err);
void fn_llm_prices_import(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err);
void fn_llm_tokens(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err);
void fn_llm_chat_tokens(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err);
void fn_llm_normalize(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err);
void fn_llm_cache_feedback(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err);
void fn_embed(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err);
void fn_embed_cosine(sqlite3_context *ctx, int argc, sqlite3_value **argv, Err *err);

/* Parses the options argument of a call, or "nothing given" where argv[at] is missing or NULL.
** The result belongs to the statement where the argument is constant: *owned tells whether the
** caller frees it (arg_options_free). */
Options *arg_options(sqlite3_context *ctx, int argc, sqlite3_value **argv, int at, int *owned,
                     Err *err);
void arg_options_free(Options *options);

#endif
