/*
** The SQL tables. llmcost.c registers them.
*/
#ifndef LLMCOST_TABLES_H
#define LLMCOST_TABLES_H

#include "tables/table.h"

extern const TableKind call_table;      /* llm_call(prompt, options) */
extern const TableKind embed_table;     /* embed_batch(texts, model) */
extern const TableKind catalogue_table; /* llm_catalogue */
extern const TableKind store_table;     /* the tables and views of the store */

/* A table or view of the store: its name, and the column that is its rowid (NULL: a view). */
typedef struct StoreSource {
  const char *name, *rowid;
} StoreSource;

/* What store_table serves; ends with a NULL name. */
extern const StoreSource store_sources[];

#endif
