/*
** The route stage: which model, under which address and key, and the body it is sent.
*/
#ifndef LLMCOST_ROUTE_H
#define LLMCOST_ROUTE_H

#include "call/state/state.h"

/* Model, api, key, URL and body. An SQLite code. */
int route_choose(Call *k, Err *err);

/* The same for a model by its name, but for URL and body. One that is known but can't be called stays in k->model, for
** the ledger. */
int route_take_model(Call *k, const char *name, Err *err);

/* The same where nothing is to be sent: without a key, or a host that is allowed, the first tier stands for "auto". */
int route_choose_for_show(Call *k, Err *err);

/* How the call's model is asked: its API, its key. */
int route_take_access(Call *k, Err *err);

/* What was passed over, and what was kept, into the row's notes. */
int route_note_skipped(Call *k, Err *err);

/* URL and body; again for another attempt. */
int route_prepare(Call *k, Err *err);

#endif
