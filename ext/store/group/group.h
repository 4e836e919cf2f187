/*
** A group: requests that run side by side on one thread and write in the same transactions.
**
** What one request writes is durable once its transaction is committed, and a commit waits for the disk. Of many requests each
** would wait for its own; here the first who writes opens a transaction for all of them, each writes inside a savepoint of its own,
** and who has written is suspended until the leader has committed for all. store_begin and store_end are the same for who calls
** them: what has ended without an error is on disk, and what failed was taken back.
**
** A failure that makes SQLite roll the whole transaction back (the disk is full, memory is out) is everybody's: each gets it as
** the error of its own store_end, and does what it would do with one.
**
** Only where the store has a connection of its own (mode.h). Threading: as the store.
*/
#ifndef LLMCOST_GROUP_H
#define LLMCOST_GROUP_H

#include "store/db/store.h"

typedef struct Group {
  StoreGroup member; /* what its members' store_begin and store_end do */
  /* Suspends who runs until the transaction is over, with *err its error; set by the leader. */
  int (*wait)(void *arg, Err *err);
  void *arg;
  int is_open; /* a transaction is */
  int n;       /* who have written in it and wait for its end */
  Err failure; /* of the transaction that ended last, for those who wait */
} Group;

/* An empty one: `wait` and `arg` as above. */
void group_init(Group *g, int (*wait)(void *arg, Err *err), void *arg);

/* Ends the open transaction for all who wait: commits it, and notes its error in the group too. For the leader, in whose turn
** s->group is NULL. */
int group_commit(Store *s, Group *g, Err *err);

/* 1 if SQLite rolled it back behind our backs: then it is over, and `failure` says so. After each member's turn. */
int group_is_broken(Store *s, Group *g);

#endif
