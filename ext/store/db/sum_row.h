/*
** A row of llm_sums: what many rows of the ledger come to (sums/sums.h). Its measures stand once, in SUM_MEASURES: the
** struct, the table and the statements that write it are made from that list.
**
** To add a measure: a line at the end of the list, where sums.c says what a row of the ledger counts for it, and the
** view llm_row_sums (sql/views.sql) says the same; and an entry of `migrations` that drops llm_sums and builds it anew.
*/
#ifndef LLMCOST_SUM_ROW_H
#define LLMCOST_SUM_ROW_H

/* X(name, kind): COUNT (never NULL), or SUM (NULL where no row of the ledger says it). */
#define SUM_MEASURES(X)                                                                            \
  X(n, COUNT) /* rows of the ledger */                                                             \
  X(calls, COUNT)                                                                                  \
  X(hits_exact, COUNT)                                                                             \
  X(hits_semantic, COUNT)                                                                          \
  X(misses, COUNT)                                                                                 \
  X(errors, COUNT)                                                                                 \
  X(unpriced, COUNT)                                                                               \
  X(input_tokens, SUM)                                                                             \
  X(cached_input_tokens, SUM)                                                                      \
  X(cache_write_tokens, SUM)                                                                       \
  X(cache_write_long_tokens, SUM)                                                                  \
  X(output_tokens, SUM)                                                                            \
  X(reasoning_tokens, SUM)                                                                         \
  X(cost_nusd, SUM)                                                                                \
  X(list_nusd, SUM)                                                                                \
  X(cost_reported_nusd, SUM)                                                                       \
  X(saved_nusd, SUM)                                                                               \
  X(latency_ms, SUM)

enum {
#define SUM_ID(name, kind) SUM_##name,
  SUM_MEASURES(SUM_ID)
#undef SUM_ID
      SUM_COUNT
};

#define SUM_TYPE_COUNT "INTEGER NOT NULL"
#define SUM_TYPE_SUM "INTEGER"

enum { SUM_ALL, SUM_MODEL, SUM_TAG, SUM_USER, SUM_DIMENSIONS };

/* The texts of its key, in their order; NULL is the empty BLOB in the table. */
enum { SUM_VALUE, SUM_PROVIDER, SUM_SERVICE, SUM_SOURCE, SUM_BILLED, SUM_TEXTS };

#define SUM_KEY "dimension, grain, start, value, provider, service, source, billed"

/* Grains, in minutes; a month is that of the calendar, whatever its length. */
enum { SUM_QUARTER = 15, SUM_DAY = 1440, SUM_MONTH = 43200, SUM_MINUTE_MS = 60000 };

typedef struct SumKey {
  int dimension, grain;
  long long start; /* Unix ms */
  const char *text[SUM_TEXTS];
} SumKey;

typedef struct SumRow {
  SumKey key;
  long long value[SUM_COUNT];
  unsigned has; /* bits of those that any row says */
} SumRow;

#endif
