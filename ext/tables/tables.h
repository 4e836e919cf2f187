/*
** The SQL tables. llmcost.c registers them.
*/
#ifndef LLMCOST_TABLES_H
#define LLMCOST_TABLES_H

#include "tables/kit/table.h"

extern const TableKind call_table;            /* llm_call(prompt, options) */
extern const TableKind embed_table;           /* embed_batch(texts, model) */
extern const TableKind compress_report_table; /* llm_compress_report(text [, options]) */
extern const TableKind lint_table;            /* llm_lint([text [, options]]) */
extern const TableKind catalogue_table;       /* llm_catalogue */
extern const TableKind reconcile_table;       /* llm_reconcile(options) */
extern const TableKind drift_table;           /* llm_drift(period | two | four times, options) */
extern const TableKind advise_table;          /* llm_advise(options) */
extern const TableKind savings_table;         /* llm_savings(options) */
extern const TableKind prefix_cache_table;    /* llm_prefix_cache(options) */
extern const TableKind conversations_table;   /* llm_conversations(options) */
extern const TableKind system_prompts_table;  /* llm_system_prompts(options) */
extern const TableKind system_diff_table;     /* llm_system_diff(hash1, hash2) */
extern const TableKind stack_table;           /* llm_stack(baseline, steps) */
extern const TableKind selfhost_table;        /* llm_selfhost(options) */
extern const TableKind finetune_table;        /* llm_finetune(options) */
extern const TableKind map_table;             /* llm_map(sql, options) */
extern const TableKind progress_table;        /* llm_progress */
extern const TableKind estimate_table;        /* llm_estimate(sql, options) */
extern const TableKind functions_table;       /* llm_functions() */
extern const TableKind budget_status_table;   /* llm_budget_status */
extern const TableKind holds_table;           /* llm_holds */
extern const TableKind store_table;           /* the tables and views of the store */

extern const TableKind cost_table, cost_daily_table, cost_hourly_table; /* the views of costs */

/* A view of costs: its name, its kind, and what it selects from (sql/cost_views.sql). */
typedef struct CostSource {
  const char *name;
  const TableKind *kind;
  const char *from;
} CostSource;

/* All of them; ends with a NULL name. */
extern const CostSource cost_sources[];

/* A table or view of the store: its name, and the column that is its rowid (NULL: a view). */
typedef struct StoreSource {
  const char *name, *rowid;
  const char *from; /* what is read, where it isn't all of the table of that name; else NULL */
  const char
      *columns; /* of what is no table or view of the store, as "\"a\" INTEGER, …"; else NULL */
  const char *hidden; /* " a b ": columns that SELECT * does not show; NULL: none */
  int has_time;       /* behind `ts` stands `time`, its text in the setting time_zone */
} StoreSource;

/* What store_table serves; ends with a NULL name. */
extern const StoreSource store_sources[];

#endif
