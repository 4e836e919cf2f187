/*
** A savepoint whose end is prepared before it begins: ending it needs no memory that might be missing then.
*/
#ifndef LLMCOST_SAVEPOINT_H
#define LLMCOST_SAVEPOINT_H

#include "sqlite_api.h"

typedef struct Savepoint {
  sqlite3_stmt *release, *undo; /* NULL: it did not begin */
} Savepoint;

/* Begins the savepoint llmcost. SQLITE_OK, or the error (SQLITE_BUSY: a statement that writes is running, and
** stands for it); then there is nothing to end. */
int savepoint_begin(sqlite3 *db, Savepoint *s);

/* Ends it: keeps what was done since where `keep`, else takes that back. If it can't be kept it is taken back,
** and the error returned. */
int savepoint_end(Savepoint *s, int keep);

#endif
