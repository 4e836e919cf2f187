/*
** What an answer comes to: everything it billed, in all its parts, at the prices of who sold it.
*/
#ifndef LLMCOST_BILLING_H
#define LLMCOST_BILLING_H

#include "base/error.h"
#include "conn/conn.h"
#include "money/pricing.h"
#include "store/db/row.h"

/* Counts of an answer's units, each in one, and what each came to. */
typedef struct BillingLines {
  long long count[UNIT_COUNT];
  Cost cost[UNIT_COUNT];
} BillingLines;

/* What was billed, by whom and when. Borrowed. */
typedef struct Billed {
  const char *model;     /* that answered; "": it was not told */
  const char *requested; /* that was asked for */
  const char *provider;  /* who was paid */
  long long at_ms;
  const Usage *usage;     /* where it has no parts */
  const UsagePart *parts; /* each billed at its own model's price; NULL: none */
  int n_parts;
  BillingLines *lines; /* where each unit is added, if it is PRICED; NULL: nowhere */
} Billed;

#define BILLING_UNKNOWN (-1LL)

typedef struct Billing {
  long long nusd; /* BILLING_UNKNOWN where it is not PRICED */
  long long
      list_nusd; /* at list prices, without rows of one's own; BILLING_UNKNOWN where no list prices it */
  char service
      [USAGE_WORD]; /* the one it is priced by: the usage's, or the one that its model's name tells */
  char why[PRICE_WHY]; /* in words where a usage can't be priced, else "" */
} Billing;

/* A count as a column has it, LEDGER_NULL where it was not reported; and those of a ledger row. */
long long billing_count(const Usage *u, Unit unit);
void billing_counts(const Usage *u, LedgerRow *row);

/* What it comes to by the catalogue alone, whatever this database says; BILLING_UNKNOWN: it does not say, or *err. After pricing_refresh. */
long long billing_by_catalogue(Conn *conn, const Billed *billed, Err *err);

/* Prices it, after pricing_refresh. The model that answered is priced, by the name that was asked where that is the same
** with more to it; where nobody prices that name, one's own rows
** for the one that was asked for: of a private server's models the user prices that one. PRICED, NO_MODEL, NO_PRICE,
** BAD_USAGE, or FAILED and *err. */
PriceVerdict billing_price(Conn *conn, const Billed *billed, Billing *billing, Err *err);

#endif
