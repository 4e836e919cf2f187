/*
** A price book: prices of models by the names their sellers give them, dated, tiered and by service.
**
** The compiled-in catalogue is one, each imported price list is one, and so are the single rows of
** llm_prices. Units of money: pico-dollars (1e-12 USD) per million units, so every price with up to
** 12 decimals is exact. Factors multiply all token prices; they are in 1e-12 too.
*/
#ifndef LLMCOST_BOOK_H
#define LLMCOST_BOOK_H

#include "core/price/calendar.h"
#include "core/usage/unit.h"
#include "core/usage/vendor.h"

#define BOOK_FACTOR_ONE 1000000000000LL
#define BOOK_UNKNOWN (-1LL) /* of a price: it is billed apart, and nobody knows at what */
#define BOOK_FACTOR_MOST (1000 * BOOK_FACTOR_ONE)

/* When and for what a price or a factor holds. */
typedef struct PriceTerms {
  const char *service;    /* "standard", "batch", …, or "geo:us" */
  long long from_ms;      /* valid from, Unix ms, inclusive */
  long long to_ms;        /* valid to, exclusive */
  long long above_tokens; /* for requests whose whole input is strictly above this */
  const Calendar *hours;  /* NULL: at all times */
  const char *source, *checked;
} PriceTerms;

typedef struct PriceRow {
  Unit unit;      /* UNIT_COUNT: a factor over all token prices */
  long long pusd; /* pico-USD per million units, or BOOK_UNKNOWN; of a factor, 1e-12 */
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
  /* Factors, and in a list rows of the model "*": for all models that their names mean, beside their own rows. */
  PriceModels shared;
  BookText *texts;                /* owns every text above */
  struct BookCalendar *calendars; /* and every calendar */
} PriceBook;

/* An empty book; `list` is copied. Returns 0 without memory. */
int book_init(PriceBook *book, const char *list);
void book_free(PriceBook *book);

/* Adds a row, copying its texts and its calendar; names in lower case, a provider's word as its id. It joins the rows
** added last, if those are of the same provider and model. Returns 0 without memory. */
int book_add(PriceBook *book, const char *provider, const char *model, const char *names,
             const PriceRow *row);

/* Adds a row to the model of that very provider and name, wherever it stands. */
int book_join(PriceBook *book, const char *provider, const char *model, const PriceRow *row);

/* What a model's name was found to mean. */
typedef struct BookMatch {
  const PriceModel *model; /* NULL: nothing */
  const Vendor *vendor;    /* who sells it, where known */
  const char *service;     /* the service that the name's end tells ("fast"), or NULL */
} BookMatch;

/* Who is said to sell a model. */
typedef struct Seller {
  const Vendor *vendor; /* NULL: nobody that is known */
  const char *word;     /* as asked; NULL: it was not said */
} Seller;

/* Finds a model of a list. `name` in lower case.
** Of a known seller: the name, with its date written out, without a vendor's prefix, without the suffixes
** that may be left out (core/names/suffix.h), with its version in the other spelling; then the same at the
** providers whose models it resells; then the one model whose path ends with it. Of an unknown seller: the
** name itself in rows of that provider. Where nobody is named, the name tells the seller: by its prefix, by
** a suffix that one alone writes, or as its maker's, who has one shop. Otherwise it is nobody's: a
** reseller is never guessed. (A list of the user's own may have a name of no known maker from one seller.) */
BookMatch book_find(const PriceBook *book, Seller seller, const char *name);

/* The models of a book, one a provider, that are sold under a name (lower case) or the same behind a
** path or in another spelling: at most `max` of them, its maker's first. Returns how many there are. */
int book_sellers(const PriceBook *book, const char *name, const PriceModel **models, int max);

/* 1 if a name (lower case) means the model: its own, or its GLOBs match and their '*' took nothing but
** suffixes of snapshots and revisions ("…-5*" is neither "…-5-1" nor "…-5-fast" nor "…-5:free"). */
int book_means(const PriceModel *model, const char *name);

/* A name without the prefix of a seller or of "models/"; *vendor: the seller it names, or NULL. */
const char *book_bare_name(const char *name, const Vendor **vendor);

#endif
