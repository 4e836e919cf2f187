/*
** See reconcile.h for the contract.
*/
#include "core/audit/reconcile.h"

#include <math.h>
#include <string.h>

const char *reconcile_word(ReconcileCause cause) {
  static const char *const words[] = {
#define WORD(id, word) word,
      RECONCILE_CAUSES(WORD)
#undef WORD
  };
  return words[cause];
}

static long long nearest(double x) {
  const double most = 9e18; /* of a long long */
  return x >= most ? (long long)most : x <= -most ? -(long long)most : llround(x);
}

/* What one unit costs in the ledger; where it has none, at our standard price. */
static double our_price(const ReconcileItem *item) {
  if (item->counted > 0) {
    return (double)item->ledger / item->counted;
  }
  return item->n_prices > 0 ? item->prices[0].nusd : 0;
}

/* The cause of another price: the known one that it is, within half a percent (and half a nano-dollar a unit is no price). */
static ReconcileCause cause_of_price(const ReconcileItem *item, double price) {
  const double near = 0.005;
  for (int i = 0; i < item->n_prices; i++) {
    if (price > 0 && fabs(item->prices[i].nusd - price) <= near * price) {
      return item->prices[i].cause;
    }
  }
  return RECONCILE_UNEXPLAINED;
}

/* Moves as much of the rest to a cause. */
static void take(long long causes[RECONCILE_COUNT], ReconcileCause cause, long long amount,
                 long long *rest) {
  causes[cause] += amount;
  *rest -= amount;
}

/* By how much the counts differ, at our price. */
static void split_quantity(const ReconcileItem *item, long long causes[RECONCILE_COUNT],
                           long long *rest) {
  double more = item->quantity - item->counted;
  if (!isnan(item->quantity) && more != 0) {
    take(causes, more > 0 ? RECONCILE_NOT_SEEN : RECONCILE_NOT_BILLED,
         nearest(more * our_price(item)), rest);
  }
}

static void split_price(const ReconcileItem *item, long long causes[RECONCILE_COUNT],
                        long long *rest) {
  long long size = *rest < 0 ? -*rest : *rest;
  ReconcileCause cause = RECONCILE_UNEXPLAINED;
  if (size <= item->hidden) {
    cause = RECONCILE_ROUNDING;
  } else if (!isnan(item->quantity) && item->quantity > 0) {
    cause = cause_of_price(item, (double)item->list / item->quantity);
  }
  take(causes, cause, *rest, rest);
}

void reconcile_split(const ReconcileItem *item, long long causes[RECONCILE_COUNT]) {
  long long rest = item->invoiced - item->ledger;
  memset(causes, 0, RECONCILE_COUNT * sizeof *causes);
  take(causes, RECONCILE_DISCOUNT, item->invoiced - item->list, &rest);
  if (!item->is_in_ledger || !item->is_invoiced) {
    take(causes, item->is_invoiced ? RECONCILE_NOT_SEEN : RECONCILE_NOT_BILLED, rest, &rest);
    return;
  }
  split_quantity(item, causes, &rest);
  split_price(item, causes, &rest);
}
