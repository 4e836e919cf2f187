/*
** The two sides of a drift, filled: what calls, what is left of trimmed ones (llm_sums), and invoices say of spending, by
** kinds of tokens and models, in one or several groups (a tag, a model, …).
**
** A call's cost is what the ledger has; how it is made up comes from pricing its usage again, as it was (billing.h), by the
** standard service, and without a cache. Cached tokens are the first of a prompt: those of the system prompt, then the
** history's. Where the ledger counts the parts of a prompt otherwise than it was billed, they are scaled to what was billed.
*/
#ifndef LLMCOST_SIDES_H
#define LLMCOST_SIDES_H

#include "base/limits.h"
#include "base/tables/hash_map.h"
#include "conn/conn.h"
#include "core/audit/drift.h"
#include "core/audit/span.h"
#include "core/budget/scope.h"
#include "store/db/row.h"

/* X(id, word): where a side's money is from. */
#define SIDES_BASES(X)                                                                             \
  X(CALLS, "calls")                                                                                \
  X(INVOICE, "invoice")

typedef enum SidesBasis {
#define SIDES_ID(id, word) BASIS_##id,
  SIDES_BASES(SIDES_ID)
#undef SIDES_ID
      BASIS_N
} SidesBasis;

const char *sides_basis_word(SidesBasis basis);

typedef struct Group {
  char *value; /* of the dimension that is grouped by; NULL: no value, or not grouped */
  int is_list; /* at list prices, because nobody says one */
  SidesBasis basis;
  DriftSide side[2];
  int cap_models; /* of each side's cells */
  HashMap users[2];
  int has_unnamed[2];
  long long unpriced[2];     /* calls whose cost nobody knows */
  double unpriced_tokens[2]; /* of usage reports of providers of whom no cost is known then */
  double uncounted[2];       /* nano-dollars of providers who count no requests then */
} Group;

/* What a value's sides come to, whether or not it is a group of its own. */
typedef struct Weight {
  Hash key;
  double nusd[2];
} Weight;

typedef struct Sides {
  Conn *conn;
  int by; /* BUDGET_TAG, …; -1: not grouped */
  Group *groups;
  int n_groups, cap_groups;
  HashMap group_places;
  Weight *weights;
  int n_weights, cap_weights;
  HashMap weight_places;
  HashMap chosen;         /* the values that are groups, where there are too many */
  int is_full, is_chosen; /* there are too many; it is known which */
  char *models[DRIFT_MODELS], *reasons[DRIFT_REASONS];
  int n_models, n_reasons;
  HashMap model_places;
} Sides;

enum {
  SIDES_GROUPS = 1000
}; /* of more values those that moved most; the others are one, "(other)" */

/* Sums of money end at a billion dollars: differences of them, and what drivers come to, fit into a number then, whatever stands in
** a file. */
#define SIDES_MOST_NUSD (1LL << 60)

static inline long long sides_sum(long long a, long long b) {
  long long sum = sum_at_most(a, b);
  return sum > SIDES_MOST_NUSD ? SIDES_MOST_NUSD : sum < -SIDES_MOST_NUSD ? -SIDES_MOST_NUSD : sum;
}

/* What one side is asked for. */
typedef struct SideAsk {
  PeriodSpan span;
  const BudgetScope *scope;
} SideAsk;

/* Reads both. After pricing_refresh. RC_OK or *err; sides_free in any case. */
int sides_read(Sides *s, Store *store, const SideAsk ask[2], Err *err);
void sides_free(Sides *s);

#endif
