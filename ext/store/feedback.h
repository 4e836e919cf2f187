/*
** What a user says of an answer.
*/
#ifndef LLMCOST_FEEDBACK_H
#define LLMCOST_FEEDBACK_H

#include "store/db/store.h"

/* Records whether the answer of call `call_id` was right. A wrong one is not served again: the exact
** cache forgets it, the semantic cache learns from it. An unknown id is an error. */
int feedback_record(Store *s, long long call_id, int ok, long long now, Err *err);

#endif
