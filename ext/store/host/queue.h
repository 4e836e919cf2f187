/*
** The table batch_submit in the user's own database, with its indexes and triggers, and the random name of its queue
** (sql/queue.sql).
**
** Others' triggers on it that live in the file, and other columns, would run, or be filled, with what is paid: the table is used only
** as it is made here. What the application has in TEMP is its own.
*/
#ifndef LLMCOST_QUEUE_H
#define LLMCOST_QUEUE_H

#include "base/error.h"
#include "base/sqlite/sqlite_api.h"

enum { QUEUE_ID = 33 }; /* with its NUL */

/* Makes what is missing of it, in one savepoint. RC_OK or *err. */
int queue_make(sqlite3 *host, Err *err);

/* 1 and the queue's name, where all of it is there as it is made here; 0 where there is none of it; -1 and *err, which names what is
** missing, or another's. */
int queue_look(sqlite3 *host, char id[QUEUE_ID], Err *err);

/* Gives the queue another name, for a database that is a copy. RC_OK or *err. */
int queue_rename(sqlite3 *host, char id[QUEUE_ID], Err *err);

#endif
