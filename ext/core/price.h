/*
** Prices and exact cost arithmetic.
**
** Units: a price is an integer number of pico-dollars (1e-12 USD) per million tokens, so every
** price with up to 12 decimals is exact. A cost is tokens × price, an integer in 1e-18 USD; it is
** summed in 128 bits and rounded once, half up, to nano-dollars (1e-9 USD) where it enters the
** ledger.
*/
#ifndef LLMCOST_PRICE_H
#define LLMCOST_PRICE_H

#include "error.h"
#include "usage.h"

typedef enum PriceKind {
  PRICE_INPUT,
  PRICE_OUTPUT,
  PRICE_CACHE_READ,
  PRICE_CACHE_WRITE,
  PRICE_CACHE_WRITE_1H,
  PRICE_KINDS
} PriceKind;

#define PRICE_UNKNOWN (-1LL)

typedef struct PriceRow {
  const char *model;
  PriceKind kind;
  long long pusd;         /* pico-USD per million tokens */
  long long from_ms;      /* valid from, Unix ms, inclusive */
  long long to_ms;        /* valid to, exclusive */
  long long above_tokens; /* for requests whose whole input is strictly above this */
} PriceRow;

typedef struct PriceList {
  const PriceRow *rows;
  int n;
} PriceList;

/* The prices of one model, at one time, for one size of request; PRICE_UNKNOWN where there is
** none. */
typedef struct PriceSet {
  long long pusd[PRICE_KINDS];
} PriceSet;

typedef unsigned __int128 Cost; /* in 1e-18 USD */

/* The kind a word names ("input", "output", "cache_read", "cache_write", "cache_write_1h"), or
** -1. */
int price_kind_parse(const char *word);
#define PRICE_KIND_WORDS "'input', 'output', 'cache_read', 'cache_write' or 'cache_write_1h'"

/* Resolves the prices of `model` at `at_ms` for a request of `input_tokens`: `overrides` row by
** row before the catalogue; of several rows the one with the highest threshold crossed, then the
** latest start. A kind without a price falls back to its ancestor: 1-hour writes to writes,
** writes and reads to input. Returns 1 if any row names the model, 0 if it is unknown. */
int price_resolve(PriceList overrides, const char *model, long long at_ms, long long input_tokens,
                  PriceSet *set);

/* The cost of a usage, its leaves priced disjointly: uncached input, reads, 5-minute and 1-hour
** writes, output. Returns 1 and *cost; 0 where a price or a count that is needed is unknown; -1
** where a leaf is negative (more cached than there was input). */
int price_cost(const PriceSet *set, const Usage *usage, Cost *cost);

/* Nano-dollars, rounded half up; and dollars. */
long long cost_nusd(Cost cost);
double cost_usd(Cost cost);

/* Parses a decimal number ("0.15", "2.5e-1") scaled by 10^12 into *value, digits past that
** rounded half up. Returns 1, or 0 where the text is no non-negative number or does not fit. */
int decimal_parse_pico(const char *text, long long *value);

/* Parses 'YYYY-MM-DD', with or without 'THH:MM[:SS][Z]' (blank for T too), as UTC, or an
** integer: Unix ms. Returns 1 and *ms, or 0. */
int time_parse(const char *text, long long *ms);

#endif
