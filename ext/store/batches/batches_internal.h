/*
** What the files of this room share.
*/
#ifndef LLMCOST_BATCHES_INTERNAL_H
#define LLMCOST_BATCHES_INTERNAL_H

#include "store/batches/batches.h"

/* Inside an open transaction: where a batch has ended and each item an outcome it is settled; and once all are told, its items go.
** RC_OK or *err. */
int batches_end_if_over(Store *s, long long batch, long long now, Err *err);

#endif
