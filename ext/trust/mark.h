/*
** The mark of this installation: how a store is known for one that was made, or adopted, here.
**
** A database file can bring a store along (the file beside it, or tables of its own) whose cached answers
** and ledger its author wrote. Owner and mode of a file prove nothing: an archive gives its files the
** user's own. So a store carries a row that only this installation can make: the keyed hash (BLAKE2b,
** libsodium's crypto_generichash) of the store's random id, under a secret of 32 random bytes in
**
**   $XDG_STATE_HOME/llmcost/secret, else ~/.local/state/llmcost/secret        (mode 0600)
**
** which is made when first needed and never leaves this module. A store has a row for each installation
** that uses it; they know each other by a public name, which is a hash of the secret too.
**
** What a mark does not do: who can read a store of yours knows its mark, and can give you another file
** with the same id.
*/
#ifndef LLMCOST_MARK_H
#define LLMCOST_MARK_H

#include "base/error.h"

enum { MARK_INSTALLATION_SIZE = 33, MARK_SIZE = 65 };

typedef struct Mark {
  char installation[MARK_INSTALLATION_SIZE]; /* the public name, hex */
  char mark[MARK_SIZE];                      /* hex */
} Mark;

/* The mark for the thing of that kind (MARK_STORE, MARK_TABLE) and id. Where there is no secret yet, it is made if `create`; else both
** texts are "", for no store can have been marked. An error (code "no_state") says why there can be none:
** no folder that can be written, a secret that others can read. */
#define MARK_STORE "llmcost store"
#define MARK_TABLE "llmcost table"
int mark_make(const char *kind, const char *id, int create, Mark *mark, Err *err);

/* 1 if two marks are equal; takes the same time wherever they differ. */
int mark_is_equal(const char *a, const char *b);

#endif
