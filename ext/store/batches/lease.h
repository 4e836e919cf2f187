/*
** A lease of this room: the owner is a connection, by its process (db/owner.h) and its store's place there. It may be taken from a
** process that is gone, and from anybody once it has run out.
**
** In a copy of the store (db/owner.h) it holds as in the original: what it guards is at the provider, and that is the same for both.
** Who took a batch that the original is just sending would take it back there. It is over within minutes.
*/
#ifndef LLMCOST_LEASE_H
#define LLMCOST_LEASE_H

#include "store/db/store.h"

/* Who this connection is: the same for as long as it lives, whatever can be read of it the next time. Borrowed. */
const char *lease_self(Store *s);

/* A row with a lease: by a number, or by a text. `get` selects owner and lease_until by ?1; `put` writes ?2 and ?3 there. */
typedef struct Lease {
  StoreSql get, put;
  const char *id; /* NULL: number */
  long long number;
} Lease;

/* 1 if it is the caller's now; 0 if another has it, or there is no such row; -1 and *err. */
int lease_take(Store *s, const Lease *lease, long long now, long long lease_ms, Err *err);

/* Gives it back, where it is the caller's. RC_OK or *err. */
int lease_leave(Store *s, const Lease *lease, Err *err);

#endif
