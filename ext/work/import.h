/*
** Others' usage logs into the ledger: llm_import.
**
** Files are found, each is recognised, read from where it was understood the last time, and cut into records; what a
** record says becomes calls (llm_calls) or sums (llm_invoices). What can't be understood is counted and listed with its
** line and a reason, never with what it holds, and does not stop the rest.
**
** Records are read outside of any transaction, some thousand at a time, and written in a short one together with how far
** the file was understood: a kill or an interrupt leaves what the next import goes on from, and others write in between.
*/
#ifndef LLMCOST_IMPORT_H
#define LLMCOST_IMPORT_H

#include "base/text/spec.h"
#include "conn/conn.h"

typedef struct ImportOptions {
  char format[64];      /* "": as it is recognised */
  const cJSON *columns; /* which column is what, of a CSV; NULL: not said */
  char *tag, *user;     /* of rows that say none */
  int billed;           /* a LogBilled for all rows; -1: as they say */
  int smaller;          /* an ImportSmaller */
  int again;            /* files are read from their beginning, though they seem unchanged */
} ImportOptions;

/* What becomes of a bucket of sums that got smaller. */
#define IMPORT_SMALLER(X)                                                                          \
  X(SMALLER_KEEP, "keep")                                                                          \
  X(SMALLER_REPLACE, "replace")
typedef enum ImportSmaller { IMPORT_SMALLER(SPEC_AS_ID) } ImportSmaller;

/* Imports what a path means. What came of it as JSON, owned (cJSON_free); NULL and *err. Prices are current. */
char *import_run(Conn *conn, const char *path, const ImportOptions *options, Err *err);

#endif
