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

/* The request, and an answer of so many tokens (OPTION_UNSET: nobody says), must fit into the model's window, counted as that
** model counts. RC_OK, or an error that tiers_is_unfit knows. */
int target_check_window(const Call *k, const Model *model, long long most, Err *err);

/* 1 if a model of that name could be asked what the call asks: it can be asked, and its window is large enough,
** for an answer of its own, or for one as long as the call's. */
int target_can_take(const Call *k, const char *name, int answers);

/* Where what it begins with is marked, so that the provider keeps it: into k->how. *err: no memory, or its row of llm_models
** says nothing that there is. */
void target_mark(Call *k, Err *err);

/* URL and body; again for another attempt. */
int target_prepare(Call *k, Err *err);

#endif
