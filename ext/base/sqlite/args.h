/*
** The arguments and results of SQL functions, as far as they can fail.
*/
#ifndef LLMCOST_ARGS_H
#define LLMCOST_ARGS_H

#include "base/error.h"
#include "base/text/json.h"
#include "base/text/spec.h"
#include "base/sqlite/sqlite_api.h"

/* The n bytes of an argument as text, NUL-terminated, borrowed until it is converted. NULL where the argument
** is NULL, or *err: out of memory. */
const char *arg_bytes(sqlite3_value *v, size_t *n, Err *err);

/* The same for what is used as a C string (a name, a path, a word): a NUL inside, which would cut it into
** another one, is an error that says `what` it is. */
const char *arg_text(sqlite3_value *v, const char *what, Err *err);

/* The same for a name: an options object in its place is an error that says so. */
const char *arg_name(sqlite3_value *v, const char *what, Err *err);

/* Reads an options object by its table into *to, where what was not given is as the table says; `v` NULL, or SQL
** NULL: nothing was. Members that borrow texts are not for it: the object does not outlive it. RC_OK or *err. */
int arg_spec(sqlite3_value *v, const SpecTable *table, void *to, Err *err);

/* Gives a text as result and frees it; NULL is out of memory. */
void result_owned_text(sqlite3_context *ctx, char *text); /* sqlite3_free */
void result_json(sqlite3_context *ctx, char *json);       /* cJSON_free; with the subtype of JSON */

#endif
