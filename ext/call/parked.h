/*
** Calls whose answer is here and could not be dealt with for want of memory, or stored for want of room where the
** cache would not keep it.
**
** The provider has been paid, so the answer must not get lost, and keeping it must need no memory: the place is
** made before the request leaves, and takes over what the call owns, the bytes of the answer among it. Asked
** again, on the same connection, the call goes on where it stopped: nothing is sent. Others of this process are
** told that the answer is stuck here. When the connection closes, what was never asked again is settled: the
** ledger has its cost, the answer is given up.
**
** Used under the connection's mutex.
*/
#ifndef LLMCOST_PARKED_H
#define LLMCOST_PARKED_H

#include "call/state/state.h"

typedef struct Parked {
  struct Parked *next;
  Call call; /* without what it borrowed: request, memo, plan, question */
} Parked;

/* A place for a call that is about to be sent. Owned (free); NULL and *err without memory. */
Parked *parked_reserve(Conn *c, Err *err);

/* Puts a call there: takes `place` and all that the call owns. */
void parked_put(Parked *place, Call *k);

/* Goes on with the call of this key where there is one: k takes over what it owns. 1, or 0 for none. */
int parked_take(Call *k);

/* 1 if the connection has any. */
int parked_any(const Conn *c);

#endif
