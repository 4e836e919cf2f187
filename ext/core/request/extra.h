/*
** What goes into a request's body beside what options are for: members that the caller, or the model's row in llm_models, gives
** as JSON. What a request is made of stays ours, so that key, budgets, prices and ledger are true: these names are refused, with
** the option that is meant.
*/
#ifndef LLMCOST_EXTRA_H
#define LLMCOST_EXTRA_H

#include "base/error.h"
#include "base/text/json.h"

typedef enum ExtraFrom {
  EXTRA_OF_CALL,
  EXTRA_OF_ROW /* anybody's file: only members that are known to cost nothing more and to reach nobody */
} ExtraFrom;

/* RC_OK, or ERR_BAD_OPTION that names the member and says what to do. `extra` is an object. */
int extra_check(const cJSON *extra, ExtraFrom from, Err *err);

/* Puts the members of one object into another: objects are joined, everything else takes the place of what was there. */
int extra_merge(cJSON *into, const cJSON *extra, Err *err);

#endif
