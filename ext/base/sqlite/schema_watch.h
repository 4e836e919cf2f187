/*
** Has the schema that SQLite holds in memory changed since the last look?
**
** Who has searched a schema need not search it again while SQLite itself still goes by what it has
** parsed. That is not what the file's schema cookie says (a rollback, a RESET of the schema or a file
** attached anew can bring other objects under the same number), so the question is put to SQLite: a
** prepared statement that names the schema is prepared again when what was parsed is no longer valid, and
** SQLITE_STMTSTATUS_REPREPARE counts that. A look costs about a thousand instructions. (Not seen: bytes
** that sqlite3_deserialize() puts in the place of others under the same cookie; see trust/watched.h.)
**
** The statement stays on the caller's connection: close the watch in a virtual table's xDisconnect,
** which sqlite3_close() calls before it looks for statements that are left.
*/
#ifndef LLMCOST_SCHEMA_WATCH_H
#define LLMCOST_SCHEMA_WATCH_H

#include "base/sqlite/sqlite_api.h"

typedef struct SchemaWatch {
  sqlite3_stmt *stmt; /* NULL: nothing is watched yet */
} SchemaWatch;

/* Begins to watch: `sql` (a SELECT that reads nothing) names the sqlite_schema of each schema that
** matters, such as SELECT 1 FROM main.sqlite_schema WHERE 0. Ends an earlier watch. An SQLite code. */
int schema_watch_open(SchemaWatch *w, sqlite3 *db, const char *sql);

/* *changed: 1 if a schema may have changed since the last look (or since the opening), else 0. An
** SQLite code: where looking failed (a lock, memory, a schema detached) nothing is known. */
int schema_watch_look(SchemaWatch *w, int *changed);

/* Ends it. Safe on zeroed memory, and twice. */
void schema_watch_close(SchemaWatch *w);

#endif
