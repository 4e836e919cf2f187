/*
** The SQL tables. llmcost.c registers them.
*/
#ifndef LLMCOST_TABLES_H
#define LLMCOST_TABLES_H

#include "conn/conn.h"

extern const sqlite3_module call_table_module;      /* llm_call(prompt, options) */
extern const sqlite3_module embed_table_module;     /* embed_batch(texts, model) */
extern const sqlite3_module catalogue_table_module; /* llm_catalogue */
extern const sqlite3_module store_table_module;     /* the tables and views of the store */

/* A table or view of the store: its name, and the column that is its rowid (NULL: a view). */
typedef struct StoreSource {
  const char *name, *rowid;
} StoreSource;

/* What store_table_module serves; ends with a NULL name. */
extern const StoreSource store_sources[];

/* One of them as user data of its module. */
typedef struct StoreTable {
  Conn *conn;
  const StoreSource *source;
} StoreTable;

#endif
