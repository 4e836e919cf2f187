/*
** A cursor's reading of the store: a connection of its own while it is open, and a statement that is kept for the next query,
** for a join asks the same for each of its rows.
*/
#ifndef LLMCOST_READING_H
#define LLMCOST_READING_H

#include "conn/conn.h"

/* Zeroed: nothing yet. */
typedef struct Reading {
  sqlite3_stmt *stmt; /* at a row; NULL: past the end */
  sqlite3_stmt *kept; /* the last one; the next cursor has it */
  sqlite3 *reader;    /* taken from `store`; NULL: none yet, or in main */
  Store *store;
} Reading;

/* (`sql`: what will be run on it, or NULL.) A connection that sees all that was written; where the store is in main that one. NULL where there is no store, and with
** *err. */
sqlite3 *reading_connection(Reading *r, Conn *conn, const char *sql, Err *err);

/* A statement of that connection, in r->stmt: ready to be bound. RC_OK or *err. */
int reading_prepare(Reading *r, sqlite3 *db, const char *sql, Err *err);

/* To its next row. RC_OK or *err. */
int reading_next(Reading *r, Err *err);

/* The error of an SQLite code. Returns err->rc. */
int reading_fail(int rc, const char *message, Err *err);

/* Ends a query; and all of it. */
void reading_clear(Reading *r);
void reading_close(Reading *r);

#endif
