/*
** llm_reconcile: imported invoices held against the ledger, by period, model and kind of tokens.
**
** A line is one period of an invoice (a UTC day, as a rule), one model (by its plain name) and one kind: a unit's word
** ("input" is what was neither read from a cache nor written to it), or the invoice's own words. Where an invoice says no
** model, or no kind, the ledger's lines are added up to what it says. What an invoice does not count is counted by the
** usage report of the same period, if that was imported too.
**
** The ledger's side are its calls, batches and embeddings of that provider in that period, own and imported, but for those
** that are only at list prices; each is priced again from its row, so that it falls into kinds.
*/
#ifndef LLMCOST_WORK_RECONCILE_H
#define LLMCOST_WORK_RECONCILE_H

#include "conn/conn.h"
#include "core/audit/reconcile.h"

typedef struct ReconcileAsk {
  const char *source, *provider; /* NULL: all */
  long long from, to;            /* Unix ms; LLONG_MIN, LLONG_MAX */
} ReconcileAsk;

typedef struct ReconcileLine {
  long long from, to;
  const char *source, *provider, *model, *item; /* borrowed; NULL: the invoice does not say it */
  ReconcileItem sums;
  int counts_itself;  /* the invoice says the quantity; else a usage report may */
  long long unpriced; /* calls of the ledger whose cost is not known: not in its sum */
  long long causes[RECONCILE_COUNT];
} ReconcileLine;

typedef struct Reconciled Reconciled;

/* All lines. Owned (reconcile_free); NULL and *err. */
Reconciled *reconcile_new(Conn *conn, const ReconcileAsk *ask, Err *err);
void reconcile_free(Reconciled *r);

/* The i-th line, NULL behind the last. */
const ReconcileLine *reconcile_at(const Reconciled *r, int i);

#endif
