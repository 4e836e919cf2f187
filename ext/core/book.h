/*
** A price book: prices of models by the names their sellers give them, dated, tiered and by service.
**
** The compiled-in catalogue is one, each imported price list is one, and so are the single rows of
** llm_prices. Units of money: pico-dollars (1e-12 USD) per million units, so every price with up to
** 12 decimals is exact. Factors multiply all token prices; they are millionths.
*/
#ifndef LLMCOST_BOOK_H
#define LLMCOST_BOOK_H

#include "unit.h"
#include "vendor.h"

#define BOOK_FACTOR_ONE 1000000LL

/* When and for what a price or a factor holds. */
typedef struct PriceTerms {
  const char *service;    /* "standard", "batch", …, or "geo:us" */
  long long from_ms;      /* valid from, Unix ms, inclusive */
  long long to_ms;        /* valid to, exclusive */
  long long above_tokens; /* for requests whose whole input is strictly above this */
  int hours_from;         /* of the day, UTC, in seconds; equal: all day */
  int hours_to;
  const char *source, *checked;
} PriceTerms;

typedef struct PriceRow {
  Unit unit;      /* UNIT_COUNT: a factor over all token prices */
  long long pusd; /* pico-USD per million units; of a factor, millionths */
  PriceTerms terms;
} PriceRow;

/* The rows of one model, in the order they were added. */
typedef struct PriceModel {
  const char *provider; /* "": of any */
  const char *name;
  const char *names; /* GLOBs that mean it; "": the name only */
  PriceRow *rows;
  int n;
} PriceModel;

typedef struct PriceModels {
  PriceModel *at;
  int n;
} PriceModels;

typedef struct BookText BookText;

typedef struct PriceBook {
  const char *list; /* the name of a price list; "": single rows */
  PriceModels models;
  PriceModels
      shared;      /* factors, and in a list rows of the model "*": for all models that their names
                         mean, beside their own rows */
  BookText *texts; /* owns every text above */
} PriceBook;

/* An empty book; `list` is copied. Returns 0 without memory. */
int book_init(PriceBook *book, const char *list);
void book_free(PriceBook *book);

/* Adds a row, copying its texts. It joins the rows of the same provider and model; without `names` ("")
** those of any earlier one of that name. Returns 0 without memory. */
int book_add(PriceBook *book, const char *provider, const char *model, const char *names,
             const PriceRow *row);

/* What a model's name was found to mean. */
typedef struct BookMatch {
  const PriceModel *model; /* NULL: nothing */
  const Vendor *vendor;    /* who sells it, where known */
  const char *also;        /* with NULL: two sellers of that name whose prices may differ */
  const char *other;
} BookMatch;

/* Finds a model of a named list. `vendor` and `name` (lower case) are as asked; without a vendor the
** name tells it (its prefix, or whose models are called like that), and where it does not, the name
** must be sold by one provider only. Tried: the name, with its date written out, without a vendor's
** prefix, without a snapshot's suffix; then the providers whose models the vendor resells. */
BookMatch book_find(const PriceBook *book, const Vendor *vendor, const char *name);

/* Finds a model among single rows: the best match of the rows of this or any provider, as
** model_name_match ranks names (a row whose model is a GLOB matches worse than any name). */
const PriceModel *book_find_single(const PriceBook *book, const Vendor *vendor, const char *name);

#endif
