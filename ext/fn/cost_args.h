/*
** The arguments that llm_cost and llm_cost_explain share: (model, input_tokens, output_tokens
** [, options]) or (model, usage [, options]).
*/
#ifndef LLMCOST_COST_ARGS_H
#define LLMCOST_COST_ARGS_H

#include "base/text/json.h"
#include "money/pricing.h"

typedef struct CostArgs {
  PricingAsk ask; /* borrows the options and the first argument */
  Usage usage;
  UsagePart *parts; /* owned (free): of a usage that was billed in several parts, or NULL */
  int n_parts;
  int is_null; /* an argument is: there is no more to be read */
  int unknown_is_null, error_is_null;
  void *options; /* owned where the statement does not own it; cost_args_free */
} CostArgs;

/* Looks whether prices have changed (pricing_refresh) and reads them. RC_OK, or *err; cost_args_free in
** each case. */
int cost_args_read(sqlite3_context *ctx, int argc, sqlite3_value **argv, CostArgs *args, Err *err);
void cost_args_free(CostArgs *args);

/* What llm_cost_explain tells, as JSON (owned); NULL and *err. After pricing_refresh. */
cJSON *cost_explain(Conn *c, CostArgs *args, Err *err);

/* The options of llm_price and llm_cache_minimum: which price is meant. */
typedef struct PriceOptions {
  PricingAsk ask; /* borrows from `owned` and from `usage` */
  Usage usage;    /* its service and place */
  int unknown_is_null;
  void *owned; /* free() */
} PriceOptions;

/* Reads them, after pricing_refresh. RC_OK or *err; free out->owned in each case. */
int price_options_read(Conn *c, const char *json, size_t n, PriceOptions *out, Err *err);

/* The options of llm_usage. A provider that nobody knows has no shapes of its own. */
typedef struct UsageOptions {
  const Vendor *vendor; /* NULL: not known, or not named */
  int is_named;
  char api[32]; /* "": not given; else the vendor is */
} UsageOptions;

/* RC_OK or *err. */
int usage_options_read(const char *json, size_t n, UsageOptions *out, Err *err);

#endif
