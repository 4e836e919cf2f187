/*
** Requests side by side: each a job on a fiber of its own (fiber.h), all on the thread that asks for their results.
**
** A job calls pipeline_run as any function would. What that waits for (conn.h: ConnSide) is waited for here: an answer, a pause
** before another attempt, its turn. Who waits gives the thread back, and the pool goes on with whoever can: it drives libcurl for
** all of them, wakes who has slept long enough, and gives turns in the order in which they were asked for, as the user's
** `concurrency` and what is known of the provider's limits (core/pace) allow. What they write to the store is committed
** together (store/group): nothing leaves before its intent is on disk, and no job ends before what it paid for is.
**
**   job:   … intent ─┐ (written)                  ┌─ sent ─┐ (answered)   ┌ settle ─┐ (written)       ┌─ ends
**   pool:            └── one commit for all ──────┘        └── libcurl ───┘         └── one commit ───┘
**
** Between two calls of pool_step nothing of the store is open, and jobs that are on their way stay there: their answers are
** read at the next step, and while this connection waits for anything else.
**
** A pool hangs on its connection, and is used under its mutex. What it knows of providers' limits lives as long.
*/
#ifndef LLMCOST_POOL_H
#define LLMCOST_POOL_H

#include "conn/conn.h"
#include "work/pool/lanes.h"

typedef struct Pool Pool;

/* Whose jobs they are: one statement's, say. Zeroed, and `most` set. Lives until pool_drain. */
typedef struct PoolOwner {
  int most;    /* of its requests on their way at once, with what was answered and not taken yet */
  int live;    /* jobs that have not ended */
  int engaged; /* of these, those that have not had their answer yet */
  int sent;    /* on their way */
  int untaken; /* answers that were paid and nobody has had yet: the owner's to count, from 0 when it comes for more */
  int is_stopping;       /* its jobs wait for nothing any more but what is on its way */
  long long ended;       /* jobs, since its beginning */
  PaceWhy waits_for;     /* the one whose turn it is next; PACE_FREE: nothing */
  long long waits_until; /* monotonic ms; LLONG_MAX: until something else ends */
} PoolOwner;

/* Starts jobs (pool_start) while there is room for them (pool_has_room). */
typedef struct PoolFeed {
  int (*more)(void *arg, Err *err);
  void *arg;
} PoolFeed;

/* The pool of a connection, made when first asked for; NULL and *err without memory. */
Pool *pool_of(Conn *conn, Err *err);

/* 1 if another job of this owner may begin: not all that it may have on their way are, and not as many wait for their turn already: those of one
** model that is slowed down don't hold up those of another. */
int pool_has_room(const Pool *p, const PoolOwner *owner);

/* Starts a job and runs it until it waits for the first time, or ends. RC_OK, or *err without memory. */
int pool_start(Pool *p, PoolOwner *owner, void (*run)(void *arg), void *arg, Err *err);

/* Goes on with all jobs until one of this owner has ended since the last step, nothing of it is live any more, or `ms` are over. An
** interrupt ends all jobs, as it ends a request, and is the error then. */
int pool_step(Pool *p, PoolOwner *owner, const PoolFeed *feed, long long ms, Err *err);

/* Ends its jobs: those on their way are waited for, as they are paid for; nothing else begins. */
void pool_drain(Pool *p, PoolOwner *owner);

#endif
