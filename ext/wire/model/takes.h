/*
** How options of a call are written into a request, and which models take them: sql/takes.tsv, whose head says how it is read.
**
** An option that a model is known not to take is refused before anything is sent; one that has another name there, or another
** form, is written as it is there. What a row of llm_models says ("temperature": true in supports) wins.
*/
#ifndef LLMCOST_TAKES_H
#define LLMCOST_TAKES_H

#include "base/text/json.h"
#include "core/price/catalogue.h"
#include "core/request/options.h"

/* Writes those options of a call that are given and stand in the table: max_tokens, temperature, top_p, seed, stop, logprobs
** (`wants_logprobs`: a gate may ask for them), reasoning, service. RC_OK, or ERR_BAD_OPTION that says which one the model does not
** take. */
int takes_write(cJSON *body, const Options *o, const Model *model, int wants_logprobs, Err *err);

/* The tokens that a model is allowed to think by the option `reasoning`, where it is written as a number of them; 0: it is not
** given, not a number there, or refused. */
long long takes_budget(const Options *o, const Model *model);

#endif
