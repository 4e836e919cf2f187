/*
** What the user decides: llm_models, llm_prices and llm_tiers in `main`, or the compiled-in defaults where a table is
** missing.
**
** A database file may come from anybody, so these are read only if they are what llm_init() makes: plain tables. A view,
** a virtual table or a generated column would run somebody's expressions while we read.
*/
#ifndef LLMCOST_CONFIG_H
#define LLMCOST_CONFIG_H

#include "core/catalogue.h"
#include "core/error.h"
#include "store/sqlite.h"

/* Creates the tables that are missing and fills new ones with the defaults, in one savepoint. *report: what was done, owned
** (sqlite3_free). */
int config_init(sqlite3 *host, char **report, Err *err);

/* The model a name means: the row of that very name, else the best match (a snapshot of a known model). Texts are owned
** (config_model_free). Unknown: an error that names the nearest ones. */
int config_model(sqlite3 *host, const char *name, Model *model, Err *err);
void config_model_free(Model *model);

/* The tiers by rank, owned (config_tiers_free). */
int config_tiers(sqlite3 *host, Tier **tiers, int *n, Err *err);
void config_tiers_free(Tier *tiers, int n);

/* The override rows for one model, owned (config_prices_free). */
int config_prices(sqlite3 *host, const char *model, PriceList *list, Err *err);
void config_prices_free(PriceList *list);

/* Names of the known models nearest to `name`, "a, b, c", for messages. */
void config_nearest(sqlite3 *host, const char *name, char *out, size_t size);

#endif
