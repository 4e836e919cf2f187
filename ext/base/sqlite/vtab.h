/*
** What every virtual table needs.
*/
#ifndef LLMCOST_VTAB_H
#define LLMCOST_VTAB_H

#include "base/error.h"
#include "base/sqlite/sqlite_api.h"

/* Records "name: message" as the table's error (of missing memory SQLite has a message of its own). Returns the
** code to give to SQLite. */
int vtab_fail(sqlite3_vtab *table, const char *name, const Err *err);

/* The SQL operator of a constraint that can be handed to another query, NULL where it can't; *unary: it takes no value. */
const char *vtab_operator(unsigned char op, int *unary);

#endif
