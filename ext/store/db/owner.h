/*
** Who sent a request that has no answer yet, and whether that process still lives.
*/
#ifndef LLMCOST_OWNER_H
#define LLMCOST_OWNER_H

#define OWNER_SIZE 128

/* Writes this process's identity: boot, process-id namespace, process id and start time (Linux
** /proc), and which copy of this library it is. */
void owner_self(char out[OWNER_SIZE]);

typedef enum OwnerState {
  OWNER_DEAD,  /* same boot and namespace, and no such process (or a later one with its number) */
  OWNER_ALIVE, /* it runs */
  OWNER_UNSEEN /* it can't be seen from here (another machine, container or boot), or not now: its lease decides */
} OwnerState;

OwnerState owner_state(const char *owner);

/* 1 if nobody will end any more what that process began: it is dead, or can't be seen and its lease is over; or the lease is
** over since an hour: then even a living process has forgotten it (its connection was closed over a full disk, say). */
int owner_has_left(const char *owner, long long lease_until, long long now);

#endif
