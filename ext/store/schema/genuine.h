/*
** Is this really a store of ours? Its schema must be exactly the one that we make, and it must carry the
** mark of this installation (trust/mark.h).
**
** A trigger, a view in the place of a table, a generated column or an index over an expression would run
** somebody's SQL while we read and write. So the objects are compared, at every opening, with those of a
** database in memory that was just made by our own statements: texts but for comments, blanks and case.
*/
#ifndef LLMCOST_GENUINE_H
#define LLMCOST_GENUINE_H

#include "store/db/store.h"

enum { GENUINE_ID_SIZE = 64 }; /* of a store's id with its NUL */

typedef enum GenuineScope {
  GENUINE_FILE, /* the schema holds nothing but a store */
  GENUINE_TABLES /* a store's tables among the user's own: only what is called like ours is looked at,
                    and no trigger and no index of others may be on it */
} GenuineScope;

/* RC_OK if the schema's objects are ours; else an error that names the first one that is not, and the
** cure. `older` allows for a store of an earlier version, whose objects may be fewer and other, but of our
** names and kinds: it is compared again once it was brought up to date. `what` names the store. */
int genuine_check(sqlite3 *db, const char *schema, GenuineScope scope, int older, const char *what,
                  const StoreHost *host, Err *err);

/* 1 if the schema has a mark of this installation (of this process, where it has no file), 0 if not, -1
** error. */
int genuine_is_marked(sqlite3 *db, const char *schema, Err *err);

/* Adds the mark of this installation; others stay. */
int genuine_mark(sqlite3 *db, const char *schema, Err *err);

#endif
