/*
** The queues that this store serves: each database with a batch_submit has a random name (batch_queue, host/queue.h), under which
** its batches stand here.
**
** A database file can be moved, and it can be copied, with its name and with rows that are under way. One that was moved goes on.
** A copy must not be told what the original asked: it needs a name of its own. They are told apart by where the file was last seen.
*/
#ifndef LLMCOST_QUEUES_H
#define LLMCOST_QUEUES_H

#include "store/db/store.h"

typedef enum QueueSeen {
  QUEUE_NEW,   /* this store had not seen it: none of its batches stands here */
  QUEUE_KNOWN, /* the same file as before, or the same in another place */
  QUEUE_COPY   /* the file that it was seen in is still there, and is another: nothing was noted */
} QueueSeen;

/* Looks where it is and notes it. `path`: of the database's file; NULL or "": it is in memory. RC_OK or *err. */
int queues_see(Store *s, const char *id, const char *path, QueueSeen *seen, Err *err);

/* Takes a queue, so that nobody else chooses its rows to send: as batches_take. */
int queues_take(Store *s, const char *id, long long now, long long lease_ms, Err *err);
int queues_leave(Store *s, const char *id, Err *err);

#endif
