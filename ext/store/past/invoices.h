/*
** Imported sums, read again.
*/
#ifndef LLMCOST_INVOICES_H
#define LLMCOST_INVOICES_H

#include "store/past/past.h"

/* What is asked for; NULL and the ends of time: all. */
typedef struct InvoiceAsk {
  const char *source, *provider;
  long long from, to;
  int counts; /* only what counts as spending: of providers of whom no paid calls of that time are known (the view llm_invoiced); with
                 what an agent says of its trace. Source and provider are not looked at */
} InvoiceAsk;

typedef void (*InvoiceFn)(void *arg, const PastSum *sum, Err *err);

/* Hands over the sums whose period begins in that time, in its order: of several sources of the same money (or usage) of a
** provider only those that go before; money, and then usage. Texts are borrowed. RC_OK or *err, which `take` may set to end
** it. */
int invoices_each(Store *s, const InvoiceAsk *ask, InvoiceFn take, void *arg, Err *err);

#endif
