/*
** The names of texts before version 4: their hashes with seed 0.
*/
#ifndef LLMCOST_RENAME_H
#define LLMCOST_RENAME_H

#include "store/db/store.h"

/* Puts the keyed name (base/hash.h) in the place of each, inside the open transaction: of the texts, in the
** ledger, with the answers, and in the transcripts that refer to long messages. */
int rename_texts(Store *s, Err *err);

#endif
