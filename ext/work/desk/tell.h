/*
** batch_submit brought to what the store says: the only way in which what came of a batch reaches the caller's table.
*/
#ifndef LLMCOST_TELL_OF_BATCH_H
#define LLMCOST_TELL_OF_BATCH_H

#include "work/desk/desk.h"

/* The rows of a batch that is begun are 'sending', with their attempts, where they are 'queued' still: from then on nobody changes
** them. RC_OK or *err. */
int tell_begun(Desk *d, long long batch, Err *err);

/* Each outcome that was not told yet. How many rows were moved on; -1 and *err. */
long long tell_outcomes(Desk *d, const BatchRow *batch, Err *err);

/* 1 if a batch that ended like this was no attempt: the provider has not taken it. */
int tell_is_no_attempt(const char *trouble);

#endif
