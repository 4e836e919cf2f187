/*
** What the user decides: llm_models, llm_prices, llm_tiers, llm_gates and llm_budgets in `main`, or the compiled-in
** defaults where a table is missing. Read into memory as a whole, and again only when the database
** has changed.
**
** A database file may come from anybody, so these are read only if they are what llm_init() makes:
** plain tables. A view, a virtual table or a generated column would run somebody's expressions
** while we read.
*/
#ifndef LLMCOST_CONFIG_H
#define LLMCOST_CONFIG_H

#include "base/sqlite/savepoint.h"
#include "core/price/catalogue.h"
#include "base/error.h"
#include "base/sqlite/sqlite_api.h"

/* A row of llm_gates, and of llm_budgets: owned texts, not looked at yet ("" where there is none). */
typedef struct GateRow {
  const char *name, *kind, *spec;
} GateRow;

typedef struct BudgetRow {
  const char *scope, *period, *action, *unpriced;
  double limit_usd;
} BudgetRow;

typedef struct Config {
  Model *models; /* owned texts; the compiled-in ones too, where there is no table */
  int n_models;
  int has_model_table, has_price_table, has_tier_table;
  Tier *tiers; /* by rank; owned texts */
  int n_tiers;
  GateRow *gates;
  int n_gates;
  BudgetRow *budgets; /* by scope and period */
  int n_budgets;
  PriceBook *books; /* of llm_prices: the single rows first, then each list by its name; NULL until
                       config_prices */
  int n_books;
  unsigned serial;       /* another one each time it was read, in the whole process; not 0 */
  unsigned data_version; /* of the database when read */
  int keep;              /* 0: read inside a transaction, which may roll back: good for one use */
} Config;

/* Creates the tables that are missing and fills new ones with the defaults, in one savepoint.
** report: what was done, owned (sqlite3_free). */
int config_init(sqlite3 *host, char **report, Err *err);

/* The configuration as it is now: `known` itself where nothing has changed, else a new one
** (config_free), and `known` is freed. NULL and *err on failure, also where it can't be told whether anything
** has changed; `known` is freed then too, but for RC_INTERRUPT: then it stays, for who can't ask again. */
Config *config_read(sqlite3 *host, Config *known, Err *err);
void config_free(Config *config);

/* 1 if there is a plain table llm_route_examples, 0 if none; -1 and *err: something else has that name. */
int config_has_examples(sqlite3 *host, Err *err);

/* Reads llm_prices too, unless that was done: a list of thousands of rows takes milliseconds, and who
** counts tokens needs none. */
int config_prices(sqlite3 *host, Config *config, Err *err);

/* The model a name means, copied (config_model_free): the row of that very name, else the best
** match (a snapshot of a known model, under the name asked for). "provider/name" is a row of that provider; where
** there is none, that name as the provider's other rows are asked, or its endpoint (catalogue_endpoint). A name without
** a provider that no row matches is the one in the catalogue of its maker. Unknown: an error that names the nearest ones
** and says how else to name it. */
int config_model(const Config *config, const char *name, Model *model, Err *err);

/* What rows add to the requests to a model (the columns extra and headers), as one text to be part of their keys: of the model's
** row, or of those of all tiers where it is "auto". Owned (free); NULL where they add nothing, or *err. */
char *config_row_extras(const Config *config, const char *name, Err *err);

/* 1 if any row adds something. */
int config_adds(const Config *config);

/* 1 if any row of the table adds something, as it is now, whatever was read before; 0 if none; -1 and *err. For a table that was
** read once. */
int config_adds_now(sqlite3 *host, Err *err);

/* The same among the rows alone. */
int config_row(const Config *config, const char *name, Model *model, Err *err);
int config_model_copy(const Model *from, Model *to, Err *err);
void config_model_free(Model *model);

#endif
