/*
** The cascade: an answer passes its gates, or the next tier is asked.
*/
#ifndef LLMCOST_CASCADE_H
#define LLMCOST_CASCADE_H

#include "call/state/state.h"

/* The attempts of a request until an answer passes its gates: the text in *k, its row not settled. Without gates the attempts
** alone. Where none passes, and where the next tier can't be had, ERR_GATE; the best answer that was paid for is in *k, and
** the error says which row that is. An answer that did not pass is not kept by the cache. */
int cascade_run(Call *k, Err *err);

/* 1 if what came is paid for and no answer: it can't be read, was refused or cut off, or does not satisfy the schema. */
int cascade_is_no_answer(ErrCode code);

#endif
