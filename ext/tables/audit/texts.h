/*
** System prompts in reports: texts of the store, read when a row is looked at, so that none is held in memory.
*/
#ifndef LLMCOST_TEXTS_H
#define LLMCOST_TEXTS_H

#include "tables/kit/reading.h"

/* The text of that name, borrowed until the next is read; NULL where it is not kept, or *err. */
const char *texts_read(Reading *r, Conn *conn, const char *hash, Err *err);

/* The same, owned (sqlite3_free). */
char *texts_copy(Reading *r, Conn *conn, const char *hash, Err *err);

/* What of a change between two texts is asked for: the byte at which they part, or what stands there. */
typedef enum TextChange { CHANGE_AT, CHANGE_AROUND } TextChange;

/* As the result of a column; NULL where one of them is not kept. RC_OK or *err. */
int texts_result_change(Reading *r, Conn *conn, const char *before, const char *hash,
                        TextChange what, sqlite3_context *ctx, Err *err);

#endif
