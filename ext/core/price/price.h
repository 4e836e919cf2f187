/*
** Prices and exact cost arithmetic.
**
** A usage is split into leaves, every token in exactly one, and each leaf is priced once: the leaf of
** a priced unit is its count less the leaves of the priced units inside it, so a unit without a price
** of its own is billed as the one that contains it (the leaf decomposition of genai-prices; but for
** writes of an hour, which are not billed as those of five minutes).
**
** A price is an integer number of pico-dollars (1e-12 USD) per million, a factor one of 1e-12:
** count × price × factor is an integer in 1e-30 USD. It is summed in 128 bits and rounded once, half
** up, to nano-dollars (1e-9 USD) where it enters the ledger. (Factors that are multiplied with each
** other are exact to 12 decimals together, rounded half up beyond.)
*/
#ifndef LLMCOST_PRICE_H
#define LLMCOST_PRICE_H

#include "core/price/book.h"
#include "base/error.h"
#include "core/usage/usage.h"

/* A model in a book. */
typedef struct PriceSource {
  const PriceBook *book;
  const PriceModel *model; /* NULL: not in it */
  int rank;                /* of a single row's model: how well it matches */
} PriceSource;

enum { PRICE_SINGLES = 32, PRICE_SELLERS = 6 };

/* What a model's name was found to mean, before it is known when and how much. Borrows the books. */
typedef struct PriceRef {
  Seller seller;        /* who sells it; the vendor as far as it is known */
  const PriceBook *own; /* the single rows */
  /* Those that match, best first: they go before the lists, unit by unit. */
  PriceSource singles[PRICE_SINGLES];
  int n_singles;
  PriceSource list;    /* in the first list that knows it */
  PriceSource next;    /* in the next one: for services and fees that the first has not */
  const char *service; /* the service that the name's end tells ("fast"), or NULL */
  /* Where nothing was found and nobody named the seller: who sells a model of that name, and how many do. */
  PriceSource sellers[PRICE_SELLERS];
  int n_sellers;
  char name[LIMIT_MODEL_NAME]; /* as asked, in lower case */
  const char *bare;            /* the same without a seller's prefix */
} PriceRef;

/* A request: what decides which of a model's prices hold. */
typedef struct PriceWhen {
  long long at_ms;
  long long input_tokens; /* all of them, cached too: tiers are chosen on them */
  const char *service, *geo;
} PriceWhen;

/* The prices of one model for one kind of request. */
typedef struct PriceSet {
  UnitSet priced;
  UnitSet unknown; /* billed apart, at a price that nobody knows: not as what contains them */
  long long pusd[UNIT_COUNT];      /* where priced */
  long long factor[UNIT_COUNT];    /* 1e-12 */
  const PriceRow *row[UNIT_COUNT]; /* where each comes from */
  const char *
      service; /* the one they are of, borrowed: when->service, or the one its model's name tells */
  const char *missing; /* why there are none, or NULL: "no price for this service" */
  /* The same for every request of the same service in these bounds. */
  long long from_ms, to_ms; /* from inclusive, to exclusive */
  long long above, up_to;   /* input tokens: above exclusive, up_to inclusive */
} PriceSet;

typedef unsigned __int128 Cost; /* in 1e-30 USD */
#define COST_MOST (~(Cost)0)    /* or more: unknown, never a number to be reported */

/* Finds what a name means: among the single rows of books[0], and in the first two of the lists
** books[1 … n-1] that know it. A single row applies to the very name (best), to it in other case or with
** a prefix, to other spellings and snapshots that a list knows as the same model, and by GLOB (last);
** one of this very provider before one of any. Returns 1 if anything was found. */
int price_find(const PriceBook *const *books, int n, Seller seller, const char *name,
               PriceRef *ref);

/* Who sells it, the i-th, as a reference of its own in *of. Borrows the books. */
void price_of_seller(const PriceRef *ref, int i, PriceRef *of);

/* The prices that hold. Of several rows for a unit: single rows before the list; in a list the rows of
** the latest start (of those of an hour of the day, if any holds); of those the highest threshold
** crossed. Another service than the standard one has its own rows, or a factor on the standard ones
** (fees that are no tokens have none); a geo has a factor, which stacks. Returns 1, or 0 where nothing
** is priced: set->missing says why. */
int price_select(const PriceRef *ref, const PriceWhen *when, PriceSet *set);

/* The price of a unit, or of the nearest that contains it: USD per million in 1e-24, in *price. Returns
** 1, or 0 where it has none, or two and neither contains the other. */
int price_of_unit(const PriceSet *set, Unit unit, Cost *price);

/* What came of asking what something costs. */
typedef enum PriceVerdict {
  PRICED,
  NO_MODEL,  /* nobody has prices of a model of this name */
  NO_PRICE,  /* the model is known; a count or a price that is needed is not */
  BAD_USAGE, /* the usage contradicts itself, or costs more than can be counted */
  FAILED     /* it could not be looked up: *err */
} PriceVerdict;

enum { PRICE_WHY = 200 };

/* What a usage comes to. */
typedef struct PriceSum {
  Cost cost;                    /* where PRICED; else 0 */
  long long leaves[UNIT_COUNT]; /* where PRICED: counts by priced unit, others are 0 */
  char why[PRICE_WHY];          /* in words, where not */
} PriceSum;

/* The cost of a usage at prices that hold: PRICED, NO_PRICE or BAD_USAGE. Where it is PRICED, sum->why
** is as it was. */
PriceVerdict price_cost(const PriceSet *set, const Usage *usage, PriceSum *sum);

/* The part of a cost that one leaf is; COST_MOST: not to be counted. */
Cost price_leaf(const PriceSet *set, Unit unit, long long count);

/* Nano-dollars, rounded half up; and dollars. */
long long cost_nusd(Cost cost);
double cost_usd(Cost cost);

/* Where decimal.h is asked to print one: a Cost is dollars / 10^COST_SCALE. */
#define COST_SCALE 30
#define UNIT_PRICE_SCALE 24

/* Adds to a sum: PRICED; or NO_PRICE where that is more than can be counted, and the sum not known. */
PriceVerdict cost_add(Cost *sum, Cost more, char why[PRICE_WHY]);

#endif
