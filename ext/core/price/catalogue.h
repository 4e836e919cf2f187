/*
** What the product knows without being told: models and their prices, compiled in from sql/models.tsv,
** sql/endpoints.tsv, sql/prices.tsv (generated), sql/prices_more.tsv and sql/cache_minimum.tsv.
*/
#ifndef LLMCOST_CATALOGUE_H
#define LLMCOST_CATALOGUE_H

#include "core/price/book.h"
#include "base/limits.h"

/* One model that can be called. Text members are "" where the file has none. The last three stand in a table of the user's
** alone; in a Model that was put together for a question, and to which nothing is sent, they may be NULL. */
typedef struct Model {
  const char *name, *provider, *api, *base_url, *key_env, *supports;
  long long context_window, max_output; /* 0: unknown */
  const char *extra;                    /* JSON for the body of each request */
  const char *auth, *headers; /* how its key is sent, and what beside it: trust/headers/headers.h */
} Model;

/* Where a provider is asked: by its words any of its models can be named, "word/name". */
typedef struct Endpoint {
  const char *words; /* separated by blanks, lower case */
  const char *provider, *api, *base_url, *key_env, *supports;
  const char *automatic; /* the model that "auto" asks where its key is the only one; "": none */
} Endpoint;

/* One routing tier. A prompt of score s goes to the first tier with s < max_score. */
typedef struct Tier {
  const char *name, *model;
  double max_score;
  int rank;
} Tier;

/* In the place of a tier: the one provider whose key is set. */
#define TIER_ONLY_KEY "only key"

/* The compiled-in lists, parsed at first use (safe from any thread) and never freed. The prices are
** NULL without memory: not that there are none, and made anew when next asked for. */
const PriceBook *catalogue_prices(void);
const Model *catalogue_models(int *n);
const Tier *catalogue_tiers(int *n);
const Endpoint *catalogue_endpoints(int *n);

/* The endpoint with that word (its first n bytes, in any case), or of that provider; NULL: none. */
const Endpoint *catalogue_endpoint(const char *word, size_t n);

/* The shortest prefix that a model's provider caches, in tokens, at a time: dated facts, since they
** change. -1 where it is not known. `name` as the provider returns it. */
long long catalogue_cache_minimum(const Vendor *vendor, const char *name, long long at_ms);

/* How many prices it has; -1 without memory. */
int catalogue_rows(void);

/* The newest day a compiled-in price was checked, 'YYYY-MM-DD'; NULL without memory. */
const char *catalogue_date(void);

#endif
