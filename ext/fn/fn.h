/*
** What the SQL functions share. Each is a fn_<name> of the type FnRun in a file of its family; the table in llmcost.c
** names them all.
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

/* Parses the options argument of a call, or "nothing given" where argv[at] is missing or NULL.
** The result belongs to the statement where the argument is constant: *owned tells whether the
** caller frees it (arg_options_free). */
Options *arg_options(sqlite3_context *ctx, int argc, sqlite3_value **argv, int at, int *owned,
                     Err *err);
void arg_options_free(Options *options);

#endif
