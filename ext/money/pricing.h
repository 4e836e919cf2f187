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

/* A question about prices. */
typedef struct PricingAsk {
  const char *model;
  const char *provider; /* NULL: that of the model's row in llm_models, or as the name tells */
  const char *list; /* NULL: all; else only this list ("catalogue": the compiled-in one; "": none,
                        the single rows) */
  int is_listed;    /* list prices only: without the single rows, which are yours */
  long long at_ms;
  const char *service, *geo; /* NULL: the standard one; anywhere. A usage says its own */
  long long input_tokens;    /* the size of the request: tiers go by it. A usage says its own */
  struct {
    struct PricingEntry *entry;
    unsigned of; /* how often names at hand had been dropped then: others since, and it is gone */
  } found;       /* what pricing_find keeps, of this model, provider and list; else zero */
} PricingAsk;

/* The answer, borrowed until prices are asked for again. */
typedef struct PricingAnswer {
  const PriceRef *ref; /* what the name means: who sells it. With NO_MODEL why it means nothing */
  const PriceSet *set; /* the prices that hold; NULL with NO_MODEL. set->missing: none does */
  PriceSum sum;        /* of a usage; sum.why says NO_PRICE and BAD_USAGE, "" with others */
} PricingAnswer;

/* Looks whether the user's tables have changed. Once per execution of a statement is enough: pass
** the function's context, or NULL to look now. */
int pricing_refresh(Conn *conn, sqlite3_context *ctx, Err *err);

/* 1 if there are rows of the user's own that may make a price another than a list's. After pricing_refresh. */
int pricing_has_own(const Conn *conn);

/* What a name means, whatever is then asked of it: who sells it. It is not looked up again for this
** `ask`. Borrowed until prices are asked for again; NULL and *err. All of these after pricing_refresh. */
const PriceRef *pricing_find(Conn *conn, PricingAsk *ask, Err *err);

/* The prices for a request: PRICED, NO_MODEL, NO_PRICE or FAILED. */
PriceVerdict pricing_prices(Conn *conn, const PricingAsk *ask, PricingAnswer *answer, Err *err);

/* The cost of a usage, at the prices of its service, place and size. */
PriceVerdict pricing_answer(Conn *conn, const PricingAsk *ask, const Usage *usage,
                            PricingAnswer *answer, Err *err);

/* What so many tokens cost in one request now, in nano-dollars; -1 where nobody says, or *err. */
long long pricing_of_tokens(Conn *conn, const Model *model, long long input, long long output,
                            Err *err);

/* The same in a service (NULL: the standard one). Of one that nobody has prices for: of 'flex', which is never dearer, the standard
** one's; of others -1. */
long long pricing_of_service(Conn *conn, const Model *model, const char *service, long long input,
                             long long output, Err *err);

/* The same in a batch; -1, too, where it is not sold so. */
long long pricing_of_batch(Conn *conn, const Model *model, long long input, long long output,
                           Err *err);

/* What a request begins with, and how many begin so. */
typedef struct PrefixAsk {
  long long tokens;
  int sharers;
} PrefixAsk;

/* The same where that pays (pricing_prefix_pays): the mean of those requests, of which one writes it and the others read it. */
long long pricing_of_shared(Conn *conn, const Model *model, long long input,
                            const PrefixAsk *prefix, long long output, Err *err);

/* The same where the whole input is of one kind: UNIT_INPUT, or written to a cache, say. */
long long pricing_of_input(Conn *conn, const Model *model, long long input, Unit kind,
                           long long output, Err *err);

/* 1 if a prefix that so many requests begin with costs less in all when the first writes it to the provider's cache and the others read it from there; 0 where
** it does not, the provider caches none so short, or nobody says the prices. */
int pricing_prefix_pays(Conn *conn, const Model *model, long long tokens, int sharers, Err *err);

/* Input prices of a model now, in nano-dollars a million tokens, -1 where nobody says: fresh, read from the provider's cache, written
** to it; and pricing_least_prefix. */
typedef struct CachePrices {
  long long fresh, read, written, least;
} CachePrices;

/* RC_OK, or *err. */
int pricing_of_cache(Conn *conn, const Model *model, CachePrices *out, Err *err);

/* Tokens of the shortest prefix that the model's provider caches; -1: nobody says. */
long long pricing_least_prefix(Conn *conn, const Model *model, Err *err);

/* The same where the first `prefix` tokens of the input were read before: from the cache, if the provider caches so short a
** prefix. */
long long pricing_of_turn(Conn *conn, const Model *model, long long input, long long prefix,
                          long long output, Err *err);

/* What is asked of one part of an answer: its own model, at who sells the main one where `ask` does
** not say who. (A seller may have another name for the same: "us.anthropic.claude-opus-4-8-v1:0".) */
PricingAsk pricing_ask_of_part(Conn *conn, PricingAsk *ask, const UsagePart *part, Err *err);

/* Records that a name has no price: the nearest that have, or whose it may be. `hint` goes behind it.
** Returns err->rc. */
int pricing_unknown(const PriceRef *ref, const char *hint, Err *err);

#endif
