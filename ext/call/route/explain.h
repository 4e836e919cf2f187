/*
** Why a request goes where it goes, in JSON.
*/
#ifndef LLMCOST_EXPLAIN_H
#define LLMCOST_EXPLAIN_H

#include "call/route/route.h"

/* Of a call that is only looked at: score, scorer, what was read, each feature's share, the tier that was drawn and the one
** that would serve, and of each other tier why not. Owned (cJSON_free); NULL and *err. */
char *route_explain(Call *k, Err *err);

#endif
