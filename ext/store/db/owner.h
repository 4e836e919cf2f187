/*
** Who sent a request that has no answer yet, in which file that was noted, and whether that process still lives.
**
** An owner is a text: "boot/namespace/pid/start/token", and behind it, where it is told, "@" and the file. A store that is
** copied is copied with the owners in it; they live, and will never write into the copy. By the file they are told from
** its own.
*/
#ifndef LLMCOST_OWNER_H
#define LLMCOST_OWNER_H

#define OWNER_SIZE 168
#define OWNER_PLACE_SIZE 40

/* Writes which file that is, by whatever name: its device and inode; "" where that can't be told, and for NULL. One that is
** renamed stays the same, as long as it stays on its file system; links are the same file. */
void owner_place(const char *path, char place[OWNER_PLACE_SIZE]);

/* Writes this process's identity: boot, process-id namespace, process id and start time (Linux
** /proc), and which copy of this library it is; and the place, unless it is "". */
void owner_self(const char *place, char out[OWNER_SIZE]);

/* 1 if it is this process, wherever. */
int owner_is_self(const char *owner);

/* 1 if it certainly wrote into another file than that of this place, which is a copy of it then. (Of another boot or machine
** that can't be told: devices have other numbers there.) */
int owner_is_elsewhere(const char *owner, const char *place);

typedef enum OwnerState {
  OWNER_DEAD,  /* same boot and namespace, and no such process (or a later one with its number) */
  OWNER_ALIVE, /* it runs */
  OWNER_UNSEEN /* it can't be seen from here (another machine, container or boot), or not now: its lease decides */
} OwnerState;

OwnerState owner_state(const char *owner);

/* 1 if nobody will end any more, in the file of this place, what that process began: it is dead, or works in another file, or
** can't be seen and its lease is over; or the lease is over since an hour: then even a living process has forgotten it (its
** connection was closed over a full disk, say). */
int owner_has_left(const char *owner, const char *place, long long lease_until, long long now);

#endif
