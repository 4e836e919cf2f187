/*
** A second opinion on an answer: what another model says to the same question, or of the answer. It is a request of its
** own, with all that belongs to one (cache, budget, key, retries), and one with the first for the ledger.
*/
#ifndef LLMCOST_SECOND_H
#define LLMCOST_SECOND_H

#include "call/state/state.h"
#include "core/gate/gate.h"

/* The verdict of a gate that needs a model (agree, verifier). The call's attempt is settled first: what it cost is known.
** A model that can't be had is no agreement. RC_OK, or an error of this call. */
int second_check(Call *k, const Gate *gate, const GateCase *c, GateVerdict *v, Err *err);

/* With the chance that option or setting `audit` says: asks the tier above whether it would have answered the same, and notes
** that in the call's `gate`. */
int second_audit(Call *k, Err *err);

/* Which model a gate of a request would ask: its own, or one of the tiers, where there is one whose key is at hand; NULL: there
** is none. And which one an audit. Borrowed of the configuration: until another request is made. */
const char *second_model(const Call *k, const Gate *gate);
const char *second_auditor(const Call *k);

#endif
