/*
** A batch being made: rows of one part, cut to what the provider takes at once, held against the budget, written into the store,
** marked in batch_submit, and their lines put into a spool.
**
** Nothing is sent here. In this order, so that a process that ends anywhere leaves what the next one can go on with
** (store/batches/batches.h): opened and held, added, sealed, marked; only then lines are made, of rows that nobody can change any more.
*/
#ifndef LLMCOST_PARCEL_H
#define LLMCOST_PARCEL_H

#include "work/parcel/dispatch.h"
#include "work/desk/report.h"

/* What the caller allows in one batch; SPEC_UNSET: what the provider does. */
typedef struct ParcelLimits {
  long long requests, bytes, tokens;
} ParcelLimits;

typedef struct Parcel {
  Dispatch *dispatch;
  DispatchPart *part;
  DispatchRow *rows; /* of the part */
  int n;
  Report *report;
  long long batch; /* llm_batches.id; 0: there is none (any more) */
  char mark[40], tag[BATCH_TAG];
  BatchSize size;
  Spool spool; /* its lines */
  int is_sent; /* by whoever sends it: it may be at the provider */
  long long allowed_calls,
      allowed_nusd;                 /* of the connection's allowance: given back where it is not */
  long long capped_nusd, capped_at; /* of the day's cap, likewise */
} Parcel;

/* How many of the n rows go together, from the first on: 0 where what is under way leaves no room, told in `report`. */
int parcel_cut(Dispatch *d, DispatchPart *part, DispatchRow *rows, int n,
               const ParcelLimits *limits, Report *report);

/* Makes it, of p->rows, which it puts into another order and reduces to those that limits allow (others are told why, and stay
** queued). 1; 0 where nothing is to be sent; -1 and *err. parcel_close afterwards. */
int parcel_make(Parcel *p, Err *err);
void parcel_close(Parcel *p);

/* Takes it back: each row gets this outcome, and batch_submit is told. */
int parcel_return(Parcel *p, ItemOutcome outcome, BatchTrouble trouble, const char *why, Err *err);

#endif
