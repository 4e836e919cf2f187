/*
** What flush, poll, wait and cancel work with: the caller's queue, and the store that serves it.
**
** They run as a statement of their own, outside of a transaction: in one, a ROLLBACK would forget what was sent, and what was read
** before would be stale when it is written to.
*/
#ifndef LLMCOST_DESK_H
#define LLMCOST_DESK_H

#include "store/batches/batches.h"
#include "store/batches/queues.h"
#include "store/host/queue.h"
#include "work/queue/ask.h"
#include "work/queue/submit.h"
#include "work/remote/remote.h"

enum {
  DESK_LEASE_MS =
      600000,        /* who works on a queue or a batch has it so long; taken anew on the way */
  DESK_CHUNK = 2000, /* rows that are written together */
};

typedef struct Desk {
  Conn *conn;
  Store *store;
  Submits rows;
  Asker asker;
  char queue[QUEUE_ID];
  long long taken_at; /* monotonic ms: when its queue was taken last */
} Desk;

/* RC_OK, or *err: inside a transaction or another statement; no batch_submit, or not as it is made here; a store that can't be used.
** desk_close afterwards, after an error too. */
int desk_open(Desk *d, Conn *conn, Err *err);
void desk_close(Desk *d);

/* Takes its queue, so that nobody else chooses its rows: 1; 0 where another has it; -1 and *err. */
int desk_take(Desk *d, Err *err);

/* Keeps it, where it is a while since that was said. RC_OK or *err. */
int desk_keep(Desk *d, Err *err);

/* A batch with its texts, owned. */
typedef struct DeskBatch {
  BatchRow row;
  char *texts;
} DeskBatch;

typedef struct DeskBatches {
  DeskBatch *list; /* owned */
  int n, cap;
} DeskBatches;

/* The batches of this queue, as they stand. RC_OK or *err; desk_batches_free afterwards, after an error too. */
int desk_batches(Desk *d, BatchChoice which, DeskBatches *out, Err *err);
void desk_batches_free(DeskBatches *b);

/* Those of all queues that this store serves. */
int desk_batches_of_all(Desk *d, DeskBatches *out, Err *err);

/* One of them, whatever its state: 1, 0 where there is none, -1 and *err. desk_batch_free afterwards. */
int desk_batch(Desk *d, long long id, DeskBatch *out, Err *err);
void desk_batch_free(DeskBatch *b);

/* The model that a batch went to, with its server and key as they were then. Owned (config_model_free). */
int desk_model(Desk *d, const BatchRow *batch, Model *model, Err *err);

/* Whether the form of a batch makes vectors. */
int desk_embeds(const BatchRow *batch);

#endif
