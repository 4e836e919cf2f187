/*
** The arguments that llm_cost and llm_cost_explain share: (model, input_tokens, output_tokens
** [, options]) or (model, usage [, options]).
*/
#ifndef LLMCOST_COST_ARGS_H
#define LLMCOST_COST_ARGS_H

#include "fn/pricing.h"

typedef struct CostArgs {
  PricingAsk ask; /* borrows the options and the first argument */
  Usage usage;
  UsagePart *parts; /* owned (free): of a usage that was billed in several parts, or NULL */
  int n_parts;
  int unknown_is_null;
  void *options; /* owned where the statement does not own it; cost_args_free */
} CostArgs;

/* Reads them, after pricing_refresh. 1 and *args; 0 where one is NULL; -1 and *err. cost_args_free in
** each case. */
int cost_args_read(sqlite3_context *ctx, int argc, sqlite3_value **argv, CostArgs *args, Err *err);
void cost_args_free(CostArgs *args);

/* Reads the options that say which price is meant (at, provider, service, geo, list) for other
** functions. *ask borrows from *options (free). service and geo go into *usage. RC_OK or *err. */
int price_options_read(const char *json, size_t n, PricingAsk *ask, Usage *usage, void **options,
                       Err *err);

/* The option 'api' of what price_options_read gave, or NULL. */
const char *price_options_api(const void *options);

#endif
