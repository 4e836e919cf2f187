/*
** Opening a store and closing it, and what is ordered around that: making its tables, marking what dead processes
** left, writing what waits at the end, and what a child process gives up after fork().
*/
#ifndef LLMCOST_OPEN_H
#define LLMCOST_OPEN_H

#include "store/db/store.h"
#include "store/schema/known.h"

/* Opens the store of that mode (of mode_file at `path`, else NULL), creating and migrating it, and marks what
** dead processes left. One that is not ours, by `trust` and by its schema (genuine.h), is not read and not
** written. Owned by the caller (store_close). NULL and *err on failure. */
Store *store_open(sqlite3 *db, const StoreMode *mode, const char *path, StoreTrust trust,
                  const StoreHost *host, Err *err);

/* Before it is used: opens the file again where its connection had to be closed; in main mode makes the tables
** again if the rollback of a transaction has taken them. */
int store_revive(Store *s, Err *err);

/* 1 if it is there to be read; 0 where the rollback of a transaction has taken its tables; -1 and *err. */
int store_is_there(const Store *s, Err *err);

/* After a fork, in the child: gives up every store that the parent had open, without writing to any and without
** a word to the parent's connections. They are to be freed by store_close. An error where a cursor of the parent
** still reads from one: no file can then be locked safely here. */
int store_leave(Err *err);

/* Writes what is pending, as far as possible, and frees. Returns RC_OK, or the error of rows
** that had to be given up. */
int store_close(Store *s);

#endif
