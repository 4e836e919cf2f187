/*
** The guard: spending, sending, writing and reading the ledger happen only because the application
** asked for it, never because a database file did.
**
** SQLITE_DIRECTONLY is not enough. SQLite 3.40 runs such functions in CHECK constraints, and a module
** that prepares statements of its own on the connection (FTS with content='…') reads DIRECTONLY tables
** for whoever wrote its arguments. Which statement a call comes from can't be told from inside it:
** sqlite3_next_stmt() lists a module's own statements as well, busy and indistinguishable. So the rule is
** about the schema: no object of an attached database file may name what is guarded. Names can't be
** spelled otherwise than by their letters (case aside), so the text of every row of every sqlite_schema is
** searched for them, whatever the row says of itself (see ddl.h), and never through an index, which the
** file's author may have filled. What SQLite compiled is asked as well (compiled.h): the rows may have been
** changed since it read them.
**
**   a function    must not be named by anything (a comment outside of a virtual table's arguments names
**                 nothing)
**   a table       must not be named by a virtual table or by CREATE TEMP …; in plain views and triggers
**                 SQLite itself refuses it, and in other objects no table can be read
**
** and no table or view of a file may be called like a guarded table, unless that file is a store of this
** installation: it would stand in for the ledger. (Reading such a table by plain SQL asks nobody; the
** first use of anything guarded says that it is there.)
**
** Objects of the temp schema are the application's own.
**
** What stays unseen: functions and modules of others that run SQL which they take from data (eval(),
** define(), a module whose table is filled with statements). Who loads one of these lets the file run SQL.
**
** Searches that found nothing are kept until SQLite parses a schema anew (watched.h).
**
** Threading: belongs to one connection and is used under its mutex.
*/
#ifndef LLMCOST_GUARD_H
#define LLMCOST_GUARD_H

#include "base/error.h"
#include "base/sqlite/sqlite_api.h"

typedef enum GuardKind { GUARD_FUNCTION, GUARD_TABLE } GuardKind;

enum { GUARD_MOST = 128 }; /* names; loading fails where there are more */

typedef struct Guard Guard;

/* 1 if the tables of that schema are a store of this installation, 0 if not, -1 where that can't be
** told (*err). */
typedef int (*GuardIsStore)(void *arg, const char *schema, Err *err);

/* A guard with no names. `arg` is borrowed. NULL without memory. */
Guard *guard_new(sqlite3 *db, GuardIsStore is_store, void *arg);
void guard_free(Guard *g); /* NULL is allowed */

/* Guards a name (borrowed) and returns its number; one that is guarded already keeps its own. */
int guard_add(Guard *g, const char *name, GuardKind kind);

/* The name has a harmless form too: a call with one plain argument, as in a generated column
** embed(body). */
void guard_allow_plain_call(Guard *g, const char *name);

/* RC_OK, or an error (code "hostile_schema") that names the object and the cure; the same where the
** schemas could not be searched. */
int guard_check(Guard *g, int number, Err *err);

/* The same for a name; one that is not guarded may be used. */
int guard_check_name(Guard *g, const char *name, Err *err);

/* As guard_check, but a table that stands in for the ledger is no obstacle: for llm_trust_store(). */
int guard_check_but_impostors(Guard *g, int number, Err *err);

/* The table without rows that holds the guard's statement: see schema_watch.h. Its user data is the
** Guard. */
extern const sqlite3_module guard_module;
#define GUARD_MODULE_NAME "llmcost_guard"

#endif
