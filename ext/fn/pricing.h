/*
** Prices of this database: the catalogue under the overrides of llm_prices.
*/
#ifndef LLMCOST_PRICING_H
#define LLMCOST_PRICING_H

#include "core/error.h"
#include "core/price.h"
#include "fn/conn.h"

/* The prices of a model for a request. 1 known, 0 unknown model, -1 error. */
int pricing_resolve(Conn *conn, const char *model, long long at_ms, long long input_tokens,
                    PriceSet *set, Err *err);

/* The cost of a usage. 1 and *cost; 0 where the model or a price that is needed is unknown; -1
** and *err. */
int pricing_cost(Conn *conn, const char *model, long long at_ms, const Usage *usage, Cost *cost,
                 Err *err);

#endif
