/*
** Requests that this process has under way, so that its connections know them from those that nobody will
** end any more.
**
** An intent in the store says which process asks. For another process that is enough: while it lives, one
** waits. Inside of one process it is not: the connection may be closed, or may have its answer and no way to
** store it. So each process keeps a list; what its own name stands behind and the list does not know is
** over. (A second copy of this library in the process has a list, and a name, of its own.) A store is listed by which
** file it is, not by its path: a link leads to the same one, and under a path another may stand the next time.
**
** Threading: the list is locked; connections of all threads share it.
*/
#ifndef LLMCOST_INFLIGHT_H
#define LLMCOST_INFLIGHT_H

typedef enum InflightState {
  INFLIGHT_NONE,   /* nobody here has it */
  INFLIGHT_ASKING, /* a connection waits for its answer */
  INFLIGHT_STUCK   /* a connection has its answer and could not store it */
} InflightState;

/* Notes that `owner` (a connection's store) asks with the ledger row `call_id` of that file (owner_place, or what else
** tells it). 0 without memory. */
int inflight_add(const void *owner, const char *file, long long call_id);

/* Its answer is there and can't be stored. */
void inflight_stick(const void *owner, long long call_id);

/* It is over; or, call_id 0, everything of this owner is. */
void inflight_end(const void *owner, long long call_id);

/* After a fork, in the child: nothing of the parent's is under way here. */
void inflight_forget(void);

InflightState inflight_find(const char *file, long long call_id);

/* A number that no other copy of this library in the process has. */
unsigned long long inflight_token(void);

#endif
