/*
** What came of a batch: its results read as they come, each judged, priced and settled in the store, once, in chunks; and what becomes
** of the requests of which none came.
*/
#ifndef LLMCOST_SETTLE_H
#define LLMCOST_SETTLE_H

#include "work/desk/desk.h"
#include "work/desk/report.h"

/* Reads all results of a batch that is over, as `status` shows it, and settles what is open. 1: each request has an outcome now; 0:
** something has to be read again later (noted as its trouble); -1 and *err. The caller has its lease. */
int settle_batch(Desk *d, Remote *r, const BatchRow *batch, const BatchStatus *status,
                 Report *report, Err *err);

/* The results are no more: what is open may have been billed. RC_OK or *err. */
int settle_gone(Desk *d, const BatchRow *batch, const char *why, Report *report, Err *err);

#endif
