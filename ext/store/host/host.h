/*
** Reading and writing the tables that are the user's own (llm_models, llm_tiers, llm_prices), in the user's own
** database.
*/
#ifndef LLMCOST_HOST_H
#define LLMCOST_HOST_H

#include "base/error.h"
#include "base/sqlite/savepoint.h"

/* The text of a column, "" where it is NULL; borrowed. NULL and *err where there is no memory for it, or where
** a NUL would cut it into another one. `table` is named in the message. */
const char *host_text(sqlite3_stmt *stmt, int column, const char *table, Err *err);

/* Ends a savepoint (none: does nothing): what was done inside is kept where no error stands there, and taken back where
** one does, or where it can't be kept (*err). Returns err->rc. */
int host_end(sqlite3 *host, Savepoint *savepoint, Err *err);

/* Records what the host said when it could not do something ("read llm_prices"). Returns err->rc. */
int host_error(sqlite3 *host, const char *doing, Err *err);

#endif
