/*
** A row of the ledger, llm_calls. Its columns stand once, in LEDGER_COLUMNS: the struct, the table, the statements
** that write it and what an older store lacks are made from that list.
**
** To add a column: a line at the end of the list; an entry of `migrations` (schema/migrate.c) that adds what is
** missing; a line in the table of columns of sql/manual/ledger.md; and who fills it.
**
** A row is written twice at most. It is begun before its request leaves (kind 'unknown'), and settled when the answer
** is there; what is FIXED by then stays as it was begun, so that no index is touched.
*/
#ifndef LLMCOST_ROW_H
#define LLMCOST_ROW_H

#include "base/sqlite/sqlite_api.h"
#include "store/db/kinds.h"

#include <stddef.h>

/* X(name, type, constraint, when): INT, TEXT, REAL or KIND (kinds.h); FIXED: known when the row is begun; SETTLED: when it ends.
** HIT, HIT_SETTLED: the same, and the row of a hit has it; of the others such a row is NULL. STATE, before all that is SETTLED:
** what the row is by now. Behind the id, in the order of the table: new ones at the end. */
#define LEDGER_COLUMNS(X)                                                                          \
  X(request_id, TEXT, "NOT NULL", HIT)                                                             \
  X(attempt, INT, "NOT NULL", HIT)                                                                 \
  X(ts, INT, "NOT NULL", HIT)                                                                      \
  X(kind, KIND, "NOT NULL", STATE)                                                                 \
  X(provider, TEXT, "", HIT_SETTLED)                                                               \
  X(model_requested, TEXT, "", HIT_SETTLED)                                                        \
  X(model, TEXT, "", HIT_SETTLED)                                                                  \
  X(tier, TEXT, "", HIT_SETTLED)                                                                   \
  X(tag, TEXT, "", HIT)                                                                            \
  X(user, TEXT, "", HIT)                                                                           \
  X(conversation, TEXT, "", HIT)                                                                   \
  X(turn, INT, "", HIT)                                                                            \
  X(system_hash, TEXT, "", HIT)                                                                    \
  X(system_tokens, INT, "", FIXED)                                                                 \
  X(history_tokens, INT, "", FIXED)                                                                \
  X(input_tokens, INT, "", SETTLED)                                                                \
  X(cached_input_tokens, INT, "", SETTLED)                                                         \
  X(cache_write_tokens, INT, "", SETTLED)                                                          \
  X(output_tokens, INT, "", SETTLED)                                                               \
  X(reasoning_tokens, INT, "", SETTLED)                                                            \
  X(cost_nusd, INT, "", HIT_SETTLED)                                                               \
  X(cost_reported_nusd, INT, "", SETTLED)                                                          \
  X(saved_nusd, INT, "", HIT)                                                                      \
  X(latency_ms, INT, "", HIT_SETTLED)                                                              \
  X(http_status, INT, "", SETTLED)                                                                 \
  X(error, TEXT, "", SETTLED)                                                                      \
  X(retry_reason, TEXT, "", FIXED)                                                                 \
  X(finish_reason, TEXT, "", SETTLED)                                                              \
  X(similarity, REAL, "", HIT)                                                                     \
  X(prompt_hash, TEXT, "", HIT)                                                                    \
  X(usage, TEXT, "", SETTLED)                                                                      \
  X(ended, TEXT, "", SETTLED)                                                                      \
  X(provider_request_id, TEXT, "", SETTLED)                                                        \
  X(service, TEXT, "", SETTLED)                                                                    \
  X(geo, TEXT, "", SETTLED)                                                                        \
  X(cache_write_long_tokens, INT, "", SETTLED)                                                     \
  X(list_nusd, INT, "", SETTLED)                                                                   \
  X(source, TEXT, "", FIXED)                                                                       \
  X(billed, TEXT, "", FIXED)                                                                       \
  X(answer_hash, TEXT, "", SETTLED)                                                                \
  X(gate, TEXT, "", SETTLED)                                                                       \
  X(tier_drawn, TEXT, "", FIXED)                                                                   \
  X(tier_served, TEXT, "", FIXED)                                                                  \
  X(route_score, REAL, "", FIXED)                                                                  \
  X(route_version, TEXT, "", FIXED)                                                                \
  X(escalated_from, INT, "", FIXED)                                                                \
  X(purpose, TEXT, "", HIT)                                                                        \
  X(notes, TEXT, "", FIXED)                                                                        \
  X(held_nusd, INT, "", FIXED)                                                                     \
  X(batch_id, INT, "", FIXED)                                                                      \
  X(cache_miss, TEXT, "", SETTLED)

#define LEDGER_NULL (-1LL) /* an INT that is SQL NULL. A TEXT is NULL, a REAL is NAN */

#define ROW_C_INT long long
#define ROW_C_TEXT const char *
#define ROW_C_REAL double
#define ROW_C_KIND LedgerKind

/* Its declaration in SQL. */
#define ROW_TYPE_INT "INTEGER"
#define ROW_TYPE_TEXT "TEXT"
#define ROW_TYPE_REAL "REAL"
#define ROW_TYPE_KIND "TEXT"

/* Texts are borrowed. */
typedef struct LedgerRow {
  long long id; /* 0: assigned when written */
#define LEDGER_FIELD(name, type, constraint, when) ROW_C_##type name;
  LEDGER_COLUMNS(LEDGER_FIELD)
#undef LEDGER_FIELD
} LedgerRow;

/* ", name" for each column, behind an id. */
#define ROW_COLUMN(name, type, constraint, when) ", " #name
#define ROW_COLUMNS "id" LEDGER_COLUMNS(ROW_COLUMN)

/* A row in which every column is NULL, attempt 1. */
void row_init(LedgerRow *row);

/* Binds the id (0: NULL) behind `at` parameters, and behind it in their order the columns, or only those that settling
** writes. An SQLite code. Texts are borrowed until the statement has run. */
int row_bind(sqlite3_stmt *stmt, int at, const LedgerRow *row, int only_settled);

/* The same for a new row of a hit: what such rows have, without an id, behind `at` parameters. */
int row_bind_hit(sqlite3_stmt *stmt, int at, const LedgerRow *row);

/* What such a row has, as a list: "ITEM(name)" of each, in their order. */
#define ROW_HIT_HIT(ITEM, name) ITEM(name)
#define ROW_HIT_HIT_SETTLED(ITEM, name) ITEM(name)
#define ROW_HIT_STATE(ITEM, name) ITEM(name)
#define ROW_HIT_FIXED(ITEM, name)
#define ROW_HIT_SETTLED(ITEM, name)

/* The parameters of a whole row, and of a hit's. */
#define ROW_ONE(name, type, constraint, when) +1
enum { ROW_PARAMETERS = 1 LEDGER_COLUMNS(ROW_ONE) };
#define ROW_ONE_MORE(name) +1
#define ROW_HIT_ONE(name, type, constraint, when) ROW_HIT_##when(ROW_ONE_MORE, name)
enum { ROW_HIT_PARAMETERS = 0 LEDGER_COLUMNS(ROW_HIT_ONE) };

/* Reads it back: the id, and behind it the columns in their order. Texts are borrowed from the statement. An SQLite
** code: where a text has no memory nothing is to be believed. */
int row_read(sqlite3_stmt *stmt, LedgerRow *row);

/* The bytes of its texts with their NULs; and their copies behind *at, which moves, in the place of the texts. */
size_t row_texts_size(const LedgerRow *row);
void row_keep_texts(LedgerRow *row, char **at);

/* The same for one text; NULL stays NULL. */
size_t row_text_size(const char *text);
void row_keep_text(const char **text, char **at);

#endif
