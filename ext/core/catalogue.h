/*
** What the product knows without being told: models and their prices, compiled in from
** sql/models.tsv and sql/prices.tsv.
*/
#ifndef LLMCOST_CATALOGUE_H
#define LLMCOST_CATALOGUE_H

#include "price.h"

/* One model that can be called. Text members are "" where the file has none. */
typedef struct Model {
  const char *name, *provider, *api, *base_url, *key_env, *supports;
  long long context_window, max_output; /* 0: unknown */
} Model;

/* One routing tier. A prompt of score s goes to the first tier with s < max_score. */
typedef struct Tier {
  const char *name, *model;
  double max_score;
  int rank;
} Tier;

/* The compiled-in lists, parsed at first use (safe from any thread) and never freed. */
PriceList catalogue_prices(void);
const Model *catalogue_models(int *n);
const Tier *catalogue_tiers(int *n);

/* The newest day a compiled-in price was checked, 'YYYY-MM-DD'. */
const char *catalogue_date(void);

#endif
