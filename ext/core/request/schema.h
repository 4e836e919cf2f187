/*
** JSON Schema: the part that structured outputs use, checked here because a provider's promise is
** not proof.
**
** Understood: type, enum, const, properties, required, additionalProperties, items, minItems,
** maxItems, minLength, maxLength, pattern (PCRE2), minimum, maximum, exclusiveMinimum,
** exclusiveMaximum, multipleOf, anyOf, oneOf, allOf, not, $ref within the document, $defs,
** definitions. Annotations (title, description, default, examples, format, $schema, $id, $comment,
** deprecated, readOnly, writeOnly) are accepted and not checked.
*/
#ifndef LLMCOST_SCHEMA_H
#define LLMCOST_SCHEMA_H

#include "base/error.h"
#include "base/text/json.h"

/* Refuses a schema with a keyword we would not check or that can't mean anything, before
** anything is paid for it. */
int schema_check(const cJSON *schema, Err *err);

/* Checks a value. The error says where ("at /items/0/price: expected number"). */
int schema_validate(const cJSON *schema, const cJSON *value, Err *err);

/* The types that a value of the schema may have, as far as type, enum, const, $ref, anyOf, oneOf and allOf say. */
enum {
  TYPE_NULL = 1,
  TYPE_BOOLEAN = 2,
  TYPE_NUMBER = 4,
  TYPE_STRING = 8,
  TYPE_ARRAY = 16,
  TYPE_OBJECT = 32,
  TYPE_ANY = 63
};
unsigned schema_types(const cJSON *schema);

/* 1 if every object of the schema lists all its properties as required and allows no others:
** what OpenAI's strict mode asks for. */
int schema_is_strict(const cJSON *schema);

#endif
