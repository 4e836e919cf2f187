/*
** The SQL functions and tables, by family. llmcost.c registers them.
*/
#ifndef LLMCOST_FN_H
#define LLMCOST_FN_H

#include "conn/conn.h"

/* The connection a function of ours was called on. */
Conn *fn_conn(sqlite3_context *ctx);

/* SQL functions. What llmcost.c registers as DIRECTONLY has passed the guard when it runs. */
void fn_llm_complete(sqlite3_context *ctx, int argc, sqlite3_value **argv);
void fn_llm_chat(sqlite3_context *ctx, int argc, sqlite3_value **argv);
void fn_llm_last_call(sqlite3_context *ctx, int argc, sqlite3_value **argv);
void fn_llm_config(sqlite3_context *ctx, int argc, sqlite3_value **argv);
void fn_llm_secret(sqlite3_context *ctx, int argc, sqlite3_value **argv);
void fn_llm_allow_host(sqlite3_context *ctx, int argc, sqlite3_value **argv);
void fn_llm_trust_store(sqlite3_context *ctx, int argc, sqlite3_value **argv);
void fn_llm_init(sqlite3_context *ctx, int argc, sqlite3_value **argv);
void fn_llmcost_version(sqlite3_context *ctx, int argc, sqlite3_value **argv);
void fn_llmcost_debug(sqlite3_context *ctx, int argc, sqlite3_value **argv);
void fn_llm_price(sqlite3_context *ctx, int argc, sqlite3_value **argv);
void fn_llm_cost(sqlite3_context *ctx, int argc, sqlite3_value **argv);
void fn_llm_cost_explain(sqlite3_context *ctx, int argc, sqlite3_value **argv);
void fn_llm_cache_minimum(sqlite3_context *ctx, int argc, sqlite3_value **argv);
void fn_llm_usage(sqlite3_context *ctx, int argc, sqlite3_value **argv);
void fn_llm_prices_import(sqlite3_context *ctx, int argc, sqlite3_value **argv);
void fn_llm_tokens(sqlite3_context *ctx, int argc, sqlite3_value **argv);
void fn_llm_chat_tokens(sqlite3_context *ctx, int argc, sqlite3_value **argv);
void fn_llm_normalize(sqlite3_context *ctx, int argc, sqlite3_value **argv);
void fn_llm_cache_feedback(sqlite3_context *ctx, int argc, sqlite3_value **argv);
void fn_embed(sqlite3_context *ctx, int argc, sqlite3_value **argv);
void fn_embed_cosine(sqlite3_context *ctx, int argc, sqlite3_value **argv);

/* Virtual tables. */
extern const sqlite3_module call_table_module;      /* llm_call(prompt, options) */
extern const sqlite3_module embed_table_module;     /* embed_batch(texts, model) */
extern const sqlite3_module catalogue_table_module; /* llm_catalogue */
extern const sqlite3_module store_table_module;     /* the tables and views of the store */

/* A table or view of the store: its name, and the column that is its rowid (NULL: a view). */
typedef struct StoreSource {
  const char *name, *rowid;
} StoreSource;

/* What store_table_module serves; ends with a NULL name. */
extern const StoreSource store_sources[];

/* One of them as user data of its module. */
typedef struct StoreTable {
  Conn *conn;
  const StoreSource *source;
} StoreTable;

/* Parses the options argument of a call, or "nothing given" where argv[at] is missing or NULL.
** The result belongs to the statement where the argument is constant: *owned tells whether the
** caller frees it (arg_options_free). */
Options *arg_options(sqlite3_context *ctx, int argc, sqlite3_value **argv, int at, int *owned,
                     Err *err);
void arg_options_free(Options *options);

#endif
