/*
** What the columns of llm_map's SELECT are: the key, the prompt (or what it is made of), and options of single rows; and the
** request that a row asks.
*/
#ifndef LLMCOST_COLUMNS_OF_MAP_H
#define LLMCOST_COLUMNS_OF_MAP_H

#include "base/buf.h"
#include "base/sqlite/sqlite_api.h"
#include "core/prompt/fields.h"
#include "core/prompt/template.h"
#include "core/request/request.h"
#include "work/map/map_options.h"

typedef enum ColumnUse {
  COLUMN_UNUSED,
  COLUMN_KEY,      /* the first */
  COLUMN_PROMPT,   /* a text */
  COLUMN_MESSAGES, /* its name says so: the JSON of llm_chat */
  COLUMN_FIELD,    /* of a template (the first column too), or a named one */
  COLUMN_OPTION    /* its name is an option's: it goes before the one that is given for all */
} ColumnUse;

typedef struct MapColumns {
  int n;
  char **names; /* owned */
  ColumnUse *uses;
  int has_options;
  Template *template;  /* owned; NULL: none */
  int *fields;         /* owned: the columns that are fields; NULL: none is named */
  const char **titles; /* owned: their names */
  int *order;          /* owned: which of them stands where */
  int n_fields;
  TemplateValue *values;     /* owned: of a row, while its prompt is made */
  Field *cells;              /* likewise */
  const MapOptions *options; /* borrowed */
} MapColumns;

/* What a row asks. */
typedef struct MapAsk {
  Request request;
  Options own; /* where the row has some */
  int has_own;
  Buf text;    /* what the request borrows */
  int is_null; /* nothing is asked */
} MapAsk;

/* Reads them off a prepared statement. RC_OK or *err; map_columns_free afterwards, after an error too. */
int map_columns_read(MapColumns *c, sqlite3_stmt *stmt, const MapOptions *options, Err *err);
void map_columns_free(MapColumns *c);

/* The hash of all that the request of a row is made of; equal rows ask the same. `first`: where its columns begin. */
long long map_columns_hash(const MapColumns *c, sqlite3_stmt *row, int first);

/* The prompt of a row alone, appended; of messages, nothing. RC_OK, or *err. */
int map_columns_prompt(const MapColumns *c, sqlite3_stmt *row, int first, Buf *out, Err *err);

/* The same where it is made of fields, and where each of its first `n` ends: end[1] … end[n], in bytes. */
int map_columns_ends(const MapColumns *c, sqlite3_stmt *row, int first, Buf *out, size_t *end,
                     int n, Err *err);

/* The request of a row. RC_OK, or *err where this row can't be asked; map_ask_done afterwards, after an error too. */
int map_columns_ask(const MapColumns *c, sqlite3_stmt *row, int first, MapAsk *ask, Err *err);
void map_ask_done(MapAsk *ask);

#endif
