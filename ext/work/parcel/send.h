/*
** A batch on its way to the provider: uploaded, created, and found again where nobody can tell whether it was.
**
** A POST that creates one is never repeated before the provider's list was looked at (remote.h). What is not known to be there stays
** 'begun', its rows 'sending', until a look at the list tells.
*/
#ifndef LLMCOST_SEND_H
#define LLMCOST_SEND_H

#include "work/parcel/parcel.h"

typedef enum Sent {
  SENT_FAILED = -1, /* *err */
  SENT_NOT,         /* taken back, for good or for later: the fault says which */
  SENT_UNSURE,      /* it may be there: who polls looks */
  SENT
} Sent;

/* Sends a parcel that was made. Where it is taken back batch_submit is told; *fault says why. */
Sent send_parcel(Parcel *p, BatchFault *fault, Err *err);

/* Looks for a batch without an id at the provider: SENT, noted; SENT_NOT, taken back, where it is certainly not there; SENT_UNSURE
** where that can't be told yet; SENT_FAILED and *err. The caller has its lease. */
Sent send_recover(Desk *d, Remote *r, const BatchRow *batch, Err *err);

/* Notes what a provider says of a batch. */
int send_note(Desk *d, long long batch, const BatchForm *form, const BatchStatus *status, Err *err);

#endif
