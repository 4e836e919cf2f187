/*
** Tools that a model may ask to be called, and what it asks: OpenAI's form is ours, other forms are read and written.
*/
#ifndef LLMCOST_TOOLS_H
#define LLMCOST_TOOLS_H

#include "base/error.h"
#include "base/text/json.h"

/* What is given as tools, in OpenAI's form: owned, NULL and *err. Taken are {"type":"function","function":{name, description,
** parameters}}, the same without that frame (parameters or input_schema), and a provider's own tools ({"type": other, …}), which
** stay as they are. Names are 1 to 64 letters, digits, '_' and '-', each once. */
cJSON *tools_read(const cJSON *given, Err *err);

/* RC_OK if a choice is 'auto', 'none', 'required', the name of one of the tools, or an object, which is the provider's. */
int tools_check_choice(const cJSON *tools, const cJSON *choice, Err *err);

/* 1 if a choice forces a call. */
int tools_is_forced(const cJSON *choice);

/* The function of a tool: {name, description, parameters}; NULL of a provider's own tool. */
const cJSON *tool_function(const cJSON *tool);

#endif
