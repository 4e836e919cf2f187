/*
** What those who fill the two sides of a drift share. See sides.h.
*/
#ifndef LLMCOST_SIDES_INTERNAL_H
#define LLMCOST_SIDES_INTERNAL_H

#include "core/usage/unit.h"
#include "work/drift/sides.h"

/* The group of a value, made where there is none yet; NULL and *err. Borrowed until the next. */
Group *sides_group(Sides *s, const char *value, int is_list, SidesBasis basis, Err *err);

/* Notes what a value comes to on a side: from that, values are chosen where there are too many. */
int sides_weigh(Sides *s, const char *value, int side, double nusd, Err *err);

/* The cells of a model on a side, by all spellings of its name; NULL and *err. */
DriftCell *sides_cells(Sides *s, Group *g, int side, const char *model, Err *err);

/* A call into the cells of its model: `row` has a cost. */
int sides_add_call(Sides *s, Group *g, int side, const LedgerRow *row, Err *err);

/* What was trimmed of a side's period; *from: where the ledger's rows begin. And invoices of it. */
int sides_add_trimmed(Sides *s, int side, Store *store, const SideAsk *ask, long long *from,
                      Err *err);
int sides_add_invoices(Sides *s, int side, Store *store, const SideAsk *ask, Err *err);

/* Units by what they are to a bill. */
typedef enum LineGroup {
  LINE_PLAIN,
  LINE_READ,
  LINE_WRITTEN,
  LINE_OUT,
  LINE_REASONED,
  LINE_FEES,
  LINE_GROUPS
} LineGroup;

LineGroup line_group(Unit unit);

#endif
