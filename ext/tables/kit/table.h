/*
** The kit under our tables: eponymous, read-only, some of them with hidden arguments, as in
**
**   SELECT … FROM llm_call('a prompt', '{"model":"gpt-4o"}')
**
** A table is a TableKind: its columns, its arguments and a handful of functions over a cursor. The kit declares it,
** plans the arguments, asks the guard before every query, copies the arguments for whoever selects them, counts
** rows, and puts the table's name in front of its errors.
**
** Threading: all of it runs under the connection's mutex.
*/
#ifndef LLMCOST_TABLE_H
#define LLMCOST_TABLE_H

#include "base/sqlite/args.h"
#include "conn/conn.h"

enum {
  TABLE_MOST_ARGS = 5,
  TABLE_TOLD_COLUMNS = 16,
  TABLE_HIDDEN = -1 /* the number of a kind's `hidden` column; of a second one the next lower */
};

typedef struct TableKind TableKind;

/* A table as a connection has it. A kind that keeps more begins its own struct with this. */
typedef struct Table {
  sqlite3_vtab base;
  const TableKind *kind;
  const char *name;
  Conn *conn;
  const void *of; /* what the registration gave */
  int n_columns;  /* without the arguments */
} Table;

/* A cursor; a kind's own begins with this, is zeroed when made, and is freed by the kit after `clear`. */
typedef struct TableCursor {
  sqlite3_vtab_cursor base;
  sqlite3_value *args[TABLE_MOST_ARGS]; /* owned copies; NULL: not given */
  sqlite3_int64 row;                    /* counted from 1 */
} TableCursor;

/* What a query came with. */
typedef struct TableQuery {
  sqlite3_value *key; /* only rows whose `key` is that; NULL: all */
  long long limit;    /* rows that are wanted, with those that are passed over; -1: nobody says */
  int is_used[TABLE_TOLD_COLUMNS]; /* of the first columns: 1 if it is looked at */
  const char *plan;                /* of a kind that plans by itself: its idxStr */
  int n;                           /* of `args` */
  sqlite3_value **args; /* of a kind with arguments: in their order, NULL where not given */
} TableQuery;

struct TableKind {
  /* What is wrong where the value of a hidden argument is asked for that was not given; NULL: it is NULL. */
  const char *unsaid;
  int is_guarded; /* it spends, sends or reads the ledger: DIRECTONLY, and the guard is asked; else INNOCUOUS */
  const char
      *columns; /* "a TEXT, b INTEGER"; NULL: those of the ledger's table or view of that name */
  const char *
      ledger; /* NULL: columns are all; else they are followed by those of that table of the store */
  const char *args[TABLE_MOST_ARGS]; /* hidden columns */
  const char *
      hidden; /* a hidden column that is no argument, as "name TYPE"; NULL: none. (Two: "a TYPE HIDDEN, b TYPE") */
  int n_required;    /* of the arguments */
  const char *usage; /* said where one of these is missing */
  int has_key;       /* its first column can be looked up; and a LIMIT is handed on */
  double rows, cost; /* estimates */
  size_t table_size, cursor_size;

  /* NULL, or the columns of what the store does not know as a table; NULL: it does. */
  const char *(*own_columns)(const void *of);
  /* NULL, or makes of the ledger's columns those that are declared: owned (sqlite3_free); NULL without memory. */
  char *(*declare)(const void *of, const char *columns);
  /* NULL, or what more there is to do; `columns` as declared; and its end. */
  int (*connect)(Table *t, const char *columns, Err *err);
  void (*disconnect)(Table *t);
  /* NULL: the kit plans the arguments. */
  int (*plan)(Table *t, sqlite3_index_info *info);
  /* To the first row, or the end; what was queried before is cleared. */
  int (*query)(TableCursor *c, const TableQuery *q, Err *err);
  int (*next)(TableCursor *c, Err *err);
  int (*is_done)(const TableCursor *c);
  void (*column)(TableCursor *c, sqlite3_context *ctx, int column);
  /* NULL: the row's number. */
  sqlite3_int64 (*rowid)(const TableCursor *c);
  /* Frees what a query made, also one that failed; and, unless NULL, what lives as long as the cursor. */
  void (*clear)(TableCursor *c);
  void (*close)(TableCursor *c);
};

/* Registers a table under a name, with the guard too. `name` and `of` are borrowed for good. An SQLite code. */
int table_register(Conn *conn, const TableKind *kind, const char *name, const void *of);

/* The table that a cursor reads. */
Table *table_of(const TableCursor *c);

#endif
