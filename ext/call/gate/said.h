/*
** What was said of an answer, as its row's `gate` has it: one JSON object that grows.
*/
#ifndef LLMCOST_SAID_H
#define LLMCOST_SAID_H

#include "call/state/state.h"

/* Puts it into the row. Takes the text, JSON (cJSON_free); NULL changes nothing. */
void said_put(Call *k, char *text);

/* Adds a member, which it takes over, to what was said before. RC_OK or *err. */
int said_add(Call *k, const char *name, cJSON *item, Err *err);

#endif
