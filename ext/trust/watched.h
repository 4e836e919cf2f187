/*
** The attached databases, each with a watch on its schema: may what was found in them still be believed?
**
** A schema of which no transaction is open on this connection needs no look: nothing of it is running, and what
** SQLite holds of it is what it read under the version of the file that was seen. So a statement that
** touches no table takes no lock, and no attached file is held open for one that does not use it.
**
** Always looked at again: databases of the VFS "memdb", whose bytes sqlite3_deserialize() exchanges without a trace.
*/
#ifndef LLMCOST_WATCHED_H
#define LLMCOST_WATCHED_H

#include "base/sqlite/schema_watch.h"
#include "base/error.h"

typedef struct WatchedSchema {
  char *name; /* owned (sqlite3_free) */
  SchemaWatch watch;
  sqlite3_file *file; /* as seen last; NULL: nothing is sure */
  unsigned version;
} WatchedSchema;

typedef struct Watched {
  WatchedSchema *list; /* all but temp; owned */
  int n;
} Watched;

/* Lists the databases anew and begins to watch each (`keep` 0: only lists them). A database that another
** process has locked and that nothing here uses is left out until it can be looked at: *all is 0 then. */
int watched_open(Watched *w, sqlite3 *db, int keep, int *all, Err *err);

/* 1 if nothing has changed since: the same databases, and in each the same schema. */
int watched_is_current(Watched *w, sqlite3 *db);

/* 1 for a database of the VFS "memdb". */
int watched_is_bytes(sqlite3 *db, const char *schema);

/* Ends every watch. Safe on zeroed memory, and twice. */
void watched_close(Watched *w);

/* An error of a look at that database: RC_OK where it is only locked and nothing here uses it. */
int watched_error(sqlite3 *db, const char *schema, int rc, Err *err);

#endif
