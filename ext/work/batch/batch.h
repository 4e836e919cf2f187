/*
** Batches, as SQL asks for them: flush, poll, wait, cancel. Each gives JSON (owned, cJSON_free), or NULL and *err.
*/
#ifndef LLMCOST_BATCH_H
#define LLMCOST_BATCH_H

#include "conn/conn.h"

/* Splits what is queued: answers from the cache, sends at once what is due soon, and the rest by batch. `options`: JSON of n bytes, or
** NULL (so with all of these). */
char *batch_flush(Conn *conn, const char *options, size_t n, Err *err);

/* Looks at each batch that is under way, and settles what has come. From as many processes as you like. */
char *batch_poll(Conn *conn, const char *options, size_t n, Err *err);

/* The same until none is under way, or a time is over. An interrupt ends the waiting, and nothing else. */
char *batch_wait(Conn *conn, const char *options, size_t n, Err *err);

/* Asks for the end of one. Its requests are over when the provider says so: poll. */
char *batch_cancel(Conn *conn, long long id, Err *err);

#endif
