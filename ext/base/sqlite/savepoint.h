/*
** A savepoint whose end is prepared before it begins: ending it needs no memory that might be missing then.
**
** Once memory was out, or an interrupt came, while a statement that called us runs, SQLite runs nothing more on that
** connection before the statement has ended: no ROLLBACK TO either, and the savepoint would stay open, with
** everything that is written afterwards inside of it. But a statement that may write, and is stepped then, ends at
** once, before its first instruction, and SQLite rolls the whole transaction back for it. So one is kept at hand: a
** PRAGMA that needs no table (and would take one free page off an auto_vacuum file, if it ever ran).
*/
#ifndef LLMCOST_SAVEPOINT_H
#define LLMCOST_SAVEPOINT_H

#include "base/sqlite/sqlite_api.h"

typedef struct Savepoint {
  sqlite3_stmt *release, *undo, *last_resort; /* NULL: it did not begin */
} Savepoint;

/* Begins the savepoint llmcost. SQLITE_OK, or the error (SQLITE_BUSY: a statement that writes is running, and
** stands for it); then there is nothing to end. */
int savepoint_begin(sqlite3 *db, Savepoint *s);

/* Ends it: keeps what was done since where `keep`, else takes that back. If it can't be kept it is taken back,
** and the error returned; where even that can't be done, the whole transaction is, as SQLite itself does without
** memory. */
int savepoint_end(Savepoint *s, int keep);

#endif
