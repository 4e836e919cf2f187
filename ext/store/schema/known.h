/*
** May a store that lies there be used? Asked before anything in it is believed, and answered without writing a byte.
*/
#ifndef LLMCOST_KNOWN_H
#define LLMCOST_KNOWN_H

#include "store/db/store.h"

/* RC_OK if what the open store names is none yet, or is one of ours: made by this version or an older one, as we
** make them (genuine.h), and, unless the user named or adopted it, with the mark of this installation. Else an
** error that says what is wrong, and the cure. */
int known_check(Store *s, Err *err);

/* 1 if the tables in that schema of `db` are a store of this installation (in memory: made by this process),
** 0 if not, -1 where that can't be told. */
int store_is_ours(sqlite3 *db, const char *schema, const StoreHost *host, Err *err);

#endif
