/*
** The store: the SQLite database that holds the ledger and the paid answers. Here: its connections, statements and
** transactions. What is in it, schema/ knows; what is done with it, and how it is opened, the room above.
**
** One writing connection of our own (WAL, synchronous FULL), so that what was paid stays when the
** caller's transaction rolls back or the process dies; one reading connection for the virtual
** tables, so that an open SELECT over the ledger never blocks a write with an old snapshot. With
** the store 'main' both are the caller's own connection, and ledger rows follow the caller's
** transaction.
**
** Threading: a Store belongs to one database connection and is used under that connection's mutex. The list of
** the stores of this process is locked.
**
** After fork() the child has a copy of it all, and no right to any of it: its pid is not the store's. It gives
** its copies up without writing (store_leave) and opens the store anew. At exit() what waits is written.
*/
#ifndef LLMCOST_STORE_H
#define LLMCOST_STORE_H

#include "base/sqlite/savepoint.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/sqlite/sqlite_api.h"
#include "store/db/owner.h"
#include "store/db/statements.h"
#include "trust/node/node.h"

#include <sys/types.h>

#define STORE_IDLE_READERS 4            /* kept open for the next query */
#define STORE_APPLICATION_ID 0x6c6c6d63 /* "llmc" */

typedef int (*InterruptFn)(void *arg); /* 1: the user wants to stop */

/* Why a store that lies there may be used. */
typedef enum StoreTrust {
  STORE_MARKED, /* it carries the mark of this installation; one that is made here gets it */
  STORE_NAMED,  /* the user named its file: it is marked, where this installation can make marks */
  STORE_COPIED, /* a replica's copy of the primary's: read as it is */
  STORE_ADOPTED /* the user said so: it is marked, or the opening fails */
} StoreTrust;

/* What the store asks of its owner. */
typedef struct StoreHost {
  InterruptFn interrupted;
  int (*prepare)(void *arg, sqlite3 *db); /* registers on a connection what llm_cache needs */
  void *arg;
  const Node *node; /* where the caller's connection runs */
} StoreHost;

struct Store;

/* Where a store lies decides how it is written, and what can be promised. There are two (mode.h): a file of our own,
** and the caller's database; and, on a replica, a third (mirror/mirror.h). What differs between them stands here, and nowhere else. */
typedef struct StoreMode {
  const char *name; /* what messages call it; NULL: by its path */
  int is_view; /* made anew for each connection, over a copy: nothing to check, to migrate or to recover */
  int shares_file; /* the user's tables stand beside ours: the file's header, and other names, are theirs */
  int owns_connection; /* nobody else closes it, so statements may outlive a call, and rows be written at the end */
  int follows_caller; /* what is written, tables too, goes when the caller's transaction is rolled back */
  int has_intents; /* a request is made durable before it leaves, and others wait for its answer */
  int rows_wait;   /* rows of hits are written together, later; else each at once, if it can be */
  int tells_failure; /* what was paid and can't be stored is an error; else it waits, and nobody is told */
  int settle_tries; /* of a write that finds another at work */

  /* 1 if writing now holds nobody up: it is committed at once, or the caller holds others up already. NULL: always. And 1 if it is
  ** committed by itself, and not with what the caller has begun. NULL: always. */
  int (*may_write_ahead)(const struct Store *s);
  int (*commits_alone)(const struct Store *s);

  /* Opening: takes from the caller's connection, or makes, what is needed; connects (again, after store_hang_up)
  ** and writes nothing; once the store is known to be ours, makes the connection ready. */
  int (*attach)(struct Store *s, sqlite3 *host, Err *err);
  int (*connect)(struct Store *s, Err *err);
  int (*make_ready)(struct Store *s, Err *err);

  /* A connection that only reads; NULL without an error where one reads through the caller's. */
  sqlite3 *(*open_reader)(struct Store *s, Err *err);

  /* Transactions: see store_begin. */
  int (*begin)(struct Store *s, Err *err);
  int (*end)(struct Store *s, int ok, Err *err);
  int (*takes_back)(
      const struct Store *s); /* 1 if store_end with ok 0 took back what was written */

  /* Around the last writing, when the caller's connection or the process ends. Errors are those of the writing. */
  void (*start_last)(struct Store *s);
  void (*end_last)(struct Store *s);
} StoreMode;

struct Pending;

/* What stands for begin and end of a transaction while one of several who write together runs (store/group). */
typedef struct StoreGroup {
  int (*begin)(struct Store *s, Err *err);
  int (*end)(struct Store *s, int ok, Err *err);
} StoreGroup;

typedef struct Store {
  struct Store *next;   /* of this process */
  pid_t pid;            /* of the process that opened it; 0: given up after a fork */
  sqlite3 *db;          /* writes; the caller's own in main mode; NULL: to be opened anew */
  sqlite3_mutex *users; /* held while the store is used; NULL: nobody shares it */
  sqlite3 *readers[STORE_IDLE_READERS]; /* idle ones */
  sqlite3_stmt
      *kept[STORE_IDLE_READERS]; /* what each ran last, ready to run again; NULL: nothing */
  int n_readers, n_taken;        /* idle; with a cursor */
  sqlite3 *snapshot;             /* the one that all share at the moment; NULL: each has its own */
  const StoreMode *mode;
  Savepoint savepoint;          /* main mode: of the current write */
  int in_savepoint;             /* it, or the last one, had one of its own */
  sqlite3 *caller;              /* mirror mode: the connection through which the copy is read */
  char *path;                   /* of the store's file; NULL where it has none */
  char place[OWNER_PLACE_SIZE]; /* which file that is; "" where it has none */
  int is_bare; /* its file was there, beside a database that is in use, and nothing in it (mode_file.c) */
  StoreTrust trust;
  int has_snapshot; /* main mode: the caller read already when the last write began */
  int is_stale; /* main mode: that is older than others' commits, so it failed: no use to try again */
  struct Answer *
      landed; /* main mode: another connection's, for who claimed its key last (answers/flight.h); owned (free) */
  int is_doubtful; /* main mode: tables were made or changed in a transaction, which may be taken back */
  int bind_rc;             /* of the texts bound to the statement that is made ready */
  int n_settling;          /* paid answers that are being written: no interrupt may end that */
  unsigned long long seed; /* of the cache keys; secret */
  StoreHost host;
  sqlite3_stmt *stmt[SQL_COUNT];
  struct Pending *pending, **pending_end; /* rows not written yet: see ledger.h */
  int n_pending, n_unsettled;
  StoreGroup *group;       /* NULL: each by itself */
  int n_uncounted;         /* rows put into llm_uncounted since the last were added to the sums */
  long long pending_since; /* monotonic */
  long long last_call_id;  /* of the newest row put */
  char owner[OWNER_SIZE + 20]; /* of leases: see batches/lease.h. "": nobody has asked yet */
} Store;

/* 1 if main of this connection holds a store, 0 if not, -1 where that can't be told. */
int store_has_schema(sqlite3 *db, Err *err);

/* The same, by the file's schema and not by what this connection remembers of it: another may have made it. */
int store_has_schema_now(sqlite3 *db, Err *err);

/* 1 if the store is another process's: this one came by fork() from the one that opened it. */
int store_is_inherited(const Store *s);

/* What messages call it. */
const char *store_name(const Store *s);

/* Closes a connection that came by fork without a word to its file; 0 if it had to be left open. */
int store_leave_connection(sqlite3 *db);

/* Closes the writing connection, which can't be brought out of a transaction; what waits is kept, and the next
** store_revive opens another. */
void store_hang_up(Store *s);

/* A connection for one cursor to read from, its own until given back (reader NULL: nothing to
** give). NULL without an error in main mode: there it is the store's own. NULL and *err on failure. */
sqlite3 *store_reader_take(Store *s, Err *err);
void store_reader_give(Store *s, sqlite3 *reader);

/* The same for who will run that statement: *kept is it, prepared and taken, where it was given back with its connection;
** else NULL. (A correlated subquery opens a cursor for each row: preparing costs more than looking up.) */
sqlite3 *store_reader_take_for(Store *s, const char *sql, sqlite3_stmt **kept, Err *err);
void store_reader_give_with(Store *s, sqlite3 *reader, sqlite3_stmt *kept);

/* From here on all that is taken is one connection, in one transaction: several questions see the same ledger. (In main mode
** there is none: the caller's own transaction decides.) Ended by store_snapshot_end, when all was given back. RC_OK or *err. */
int store_snapshot_begin(Store *s, Err *err);
void store_snapshot_end(Store *s);

/* The next idle one, for who closes it; NULL: there is none. */
sqlite3 *store_reader_next_idle(Store *s);

/* A statement ready to be bound. Give it back with store_done, which returns the statement's own
** result code. */
sqlite3_stmt *store_stmt(Store *s, StoreSql id, Err *err);
int store_done(Store *s, sqlite3_stmt *stmt);

/* Opens and ends a write transaction. In main mode inside a running write statement there is
** none of its own: the caller's stands for it. `ok` 0 rolls back. What ends it is prepared before it begins;
** a connection that can't be brought out of it is closed (store_hang_up), so that nobody is locked out. */
int store_begin(Store *s, Err *err);
int store_end(Store *s, int ok, Err *err);

/* Records the connection's error with what was being done. Returns the code. */
int store_error(Store *s, int rc, const char *doing, Err *err);

/* Runs one of the statements to its end. */
int store_run(Store *s, StoreSql id, Err *err);

/* Settings of a connection of our own, before anything is read: nothing that a schema brings along may
** run or be written into, and an interrupt ends a long statement. */
int store_harden(Store *s, sqlite3 *db);

/* One INTEGER from a query of no parameters: 1 and *value, 0 for no row, -1 error (also for anything but
** an INTEGER). */
int store_ask(Store *s, const char *sql, long long *value, Err *err);

/* Runs statements in the store's connection. */
int store_exec(Store *s, const char *sql, const char *doing, Err *err);

/* The path that holds the store of a database: "<file>-llmcost", owned (sqlite3_free); NULL for
** a database in memory, and with *err without memory. */
char *store_default_path(sqlite3 *host, Err *err);

#endif
