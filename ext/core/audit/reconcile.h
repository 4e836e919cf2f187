/*
** An invoice held against the ledger: what it says of a day, a model and a kind of tokens beside what the calls of that day
** came to, and the difference split over its causes.
**
** The causes of one item add up to its difference to the nano-dollar. They are told in this order, each from what is left:
** a discount that the invoice itself states; what the invoice counts and the ledger has not (calls that we never saw), or
** the other way round, at our price; another price of the same (a service, a tier, the other lifetime of a cache),
** recognised by its being within half a percent of a price that we know; rounding, where the rest is no more than the
** invoice's rows can hide. The rest is unexplained.
*/
#ifndef LLMCOST_RECONCILE_H
#define LLMCOST_RECONCILE_H

#include <stddef.h>

/* X(id, word) */
#define RECONCILE_CAUSES(X)                                                                        \
  X(DISCOUNT, "discount")                                                                          \
  X(NOT_SEEN, "not_seen")     /* the invoice has more than the ledger: calls that went past us */  \
  X(NOT_BILLED, "not_billed") /* the ledger has more than the invoice */                           \
  X(SERVICE, "service")       /* batch, flex, priority, fast, or a place */                        \
  X(TIER, "tier")             /* the price of longer requests */                                   \
  X(CACHE, "cache")           /* the other lifetime of what was written */                         \
  X(ROUNDING, "rounding")                                                                          \
  X(UNEXPLAINED, "unexplained")

typedef enum ReconcileCause {
#define RECONCILE_ID(id, word) RECONCILE_##id,
  RECONCILE_CAUSES(RECONCILE_ID)
#undef RECONCILE_ID
      RECONCILE_COUNT
} ReconcileCause;

const char *reconcile_word(ReconcileCause cause);

/* Another price that one unit may have had, in nano-dollars, and what that would mean. */
typedef struct ReconcilePrice {
  ReconcileCause cause;
  double nusd;
} ReconcilePrice;

/* One day, model and kind. Money in nano-dollars. */
typedef struct ReconcileItem {
  int is_invoiced, is_in_ledger;
  long long invoiced, list; /* to be paid; before a discount (the same where none is stated) */
  double quantity;          /* that the invoice counts; NAN: it does not say */
  long long hidden;         /* by rounding, at most: of all its rows */
  long long ledger;
  double counted; /* by the ledger */
  const ReconcilePrice *prices;
  int n_prices;
} ReconcileItem;

/* invoiced - ledger, split. */
void reconcile_split(const ReconcileItem *item, long long causes[RECONCILE_COUNT]);

#endif
