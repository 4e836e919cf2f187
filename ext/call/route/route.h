/*
** The route stage: which model a request goes to.
*/
#ifndef LLMCOST_ROUTE_H
#define LLMCOST_ROUTE_H

#include "call/state/state.h"

/* Model, API, key, URL and body. RC_OK or *err. */
int route_choose(Call *k, Err *err);

/* The same where nothing is to be sent: without a key, or a host that is allowed, the tier that was drawn stands for "auto". */
int route_choose_for_show(Call *k, Err *err);

#endif
