/*
** Prices of this database: the single rows of llm_prices, then its lists, then the catalogue.
**
** What a name means, and which prices hold, is kept per connection until the configuration has been
** read again: finding takes some 100 microseconds, using what was found well under one.
*/
#ifndef LLMCOST_PRICING_H
#define LLMCOST_PRICING_H

#include "base/error.h"
#include "core/price/price.h"
#include "conn/conn.h"

/* What is to be priced. */
typedef struct PricingAsk {
  const char *model;
  const char *provider; /* NULL: that of the model's row in llm_models, or as the name tells */
  const char *list; /* NULL: all; else only this list ("catalogue": the compiled-in one; "": none,
                           the single rows) */
  long long at_ms;
} PricingAsk;

/* What was found; borrowed until the next call. */
typedef struct PricingFound {
  const PriceRef *ref;
  const PriceSet *set; /* NULL: not known. set->missing: known, but not priced */
} PricingFound;

/* What is asked of one part of an answer: its own model, at who sells the main one (`seller`: where `ask`
** does not say who). A seller may have another name for the same: "us.anthropic.claude-opus-4-8-v1:0". */
PricingAsk pricing_ask_of_part(const PricingAsk *ask, const UsagePart *part, const char *seller);

/* Looks whether the user's tables have changed. Once per execution of a statement is enough: pass
** the function's context, or NULL to look now. */
int pricing_refresh(Conn *conn, sqlite3_context *ctx, Err *err);

/* The prices for a request. 1 and *found; 0 where the model is not known (found->ref says why); -1
** and *err. After pricing_refresh. */
int pricing_find(Conn *conn, const PricingAsk *ask, long long input_tokens, const char *service,
                 const char *geo, PricingFound *found, Err *err);

/* The cost of a usage. 1 and *cost; 0 where the model, a count or a price that is needed is not known;
** -1 where the usage contradicts itself: `why` says it for both ("" where the model is unknown), in
** `size` bytes. -2 and *err. */
int pricing_cost(Conn *conn, const PricingAsk *ask, const Usage *usage, Cost *cost, char *why,
                 size_t size, Err *err);

/* Records that a name has no price: the nearest that have, or whose it may be. `hint` goes behind it.
** Returns err->rc. */
int pricing_unknown(const PriceRef *ref, const char *hint, Err *err);

#endif
