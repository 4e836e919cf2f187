/*
** Our schema as it is compiled in: a database in memory that holds it, and what is read from that.
*/
#ifndef LLMCOST_MODEL_H
#define LLMCOST_MODEL_H

#include "store/db/store.h"

/* Makes what is missing of our tables, and of our views (with those of costs: views.h), in main of that connection. An
** SQLite code. */
int model_make_tables(sqlite3 *db);
int model_make_views(sqlite3 *db, int with_costs);

/* A database in memory with our schema and nothing in it: needs no store. Closed by the caller; NULL and
** *err on failure. */
sqlite3 *store_model(const StoreHost *host, Err *err);

/* Columns of a table or view of the store as a declaration "CREATE TABLE x(a INTEGER, …)", from
** the compiled-in schema: needs no store. Owned by the caller (sqlite3_free); NULL and *err on
** failure. */
char *store_declaration(const StoreHost *host, const char *name, Err *err);

#endif
