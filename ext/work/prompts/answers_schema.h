/*
** The option `schema` of what looks at prompts: as a call has it, a JSON Schema as JSON or as text.
*/
#ifndef LLMCOST_ANSWERS_SCHEMA_H
#define LLMCOST_ANSWERS_SCHEMA_H

#include "base/text/spec.h"
#include "core/ballast/json_fields.h"

/* For a Spec (spec->at: a const cJSON *): takes an object or a text. */
int answers_schema_take(const SpecTable *table, const Spec *spec, const SpecValue *value, void *to,
                        Err *err);

/* What it says of fields; NULL for none, or *err: the text is no JSON Schema. */
JsonFields *answers_schema_fields(const cJSON *schema, Err *err);

#endif
