/*
** The model that a call goes to: how it is asked, and what it is sent.
*/
#ifndef LLMCOST_TARGET_H
#define LLMCOST_TARGET_H

#include "call/state/state.h"

/* Makes a model the call's, by its name: its row, its API, its key. One that is known but can't be called stays in k->model,
** for the ledger. RC_OK or *err. */
int target_take(Call *k, const char *name, Err *err);

/* The same for the model that is the call's already: its API, its key; or its API alone. */
int target_access(Call *k, Err *err);
int target_api(Call *k, Err *err);

/* 1 if a model of that name could be asked: it is known, its host is allowed, its key is there. */
int target_can_ask(Conn *conn, const char *name);

/* URL and body; again for another attempt. */
int target_prepare(Call *k, Err *err);

#endif
