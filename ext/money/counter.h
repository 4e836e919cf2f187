/*
** How this connection counts a model's tokens: the rule of core/tokens/tokens.h, with the user's
** llm_models and with what the ledger has taught.
*/
#ifndef LLMCOST_COUNTER_H
#define LLMCOST_COUNTER_H

#include "core/tokens/tokens.h"
#include "conn/conn.h"
#include "store/bills.h"

/* The rule for a model by name; one that llm_models does not know has the rule of its name. NULL:
** o200k_base. Estimates have the factor of this ledger's bills. Returns an SQLite code. */
int counter_rule(Conn *c, const char *model, TokenRule *rule, Err *err);

/* The same for a model that was looked up. */
int counter_model_rule(Conn *c, const Model *model, TokenRule *rule, Err *err);

/* How long answers were lately, in tokens; of none: n is 0. */
int counter_typical_output(Conn *c, const TypicalAsk *ask, Typical *typical, Err *err);

#endif
