/*
** The schema that is sent. What an answer must be is checked here against the caller's own schema (schema.h,
** answer_json.h); a provider is sent the form of it that it takes.
**
** OpenAI (https://platform.openai.com/docs/guides/structured-outputs, "Supported schemas"): strict where the schema is
** inside the documented subset, then as it is; else "strict": false, also as it is.
**
** Anthropic (https://platform.claude.com/docs/en/build-with-claude/structured-outputs, "JSON Schema limitations";
** lib/transform-json-schema of their npm package): reduced. Objects are closed, oneOf is anyOf, bounds and what else
** their grammar has no room for stand in the description. Where a reduced schema would forbid what the whole one allows
** (maps, tuples, objects of any members, several schemas at once), and where theirs must not be (recursion, more than
** 24 optional members or 16 unions), it is sent in words.
**
** To both, what only older drafts have is written as 2020-12 has it: draft 4's flags exclusiveMinimum and exclusiveMaximum,
** draft 7's list of items.
**
** At both the root is an object: another is wrapped as {"value": …}, its $defs beside it, and references into the root
** follow. The answer's side needs no flag for that: the schema says whether it is, and answer_json takes both.
**
** In every form numbers have the digits that they have as doubles (json_number): a schema of zod's says 9007199254740991.
*/
#ifndef LLMCOST_SCHEMA_FORM_H
#define LLMCOST_SCHEMA_FORM_H

#include "base/error.h"
#include "base/text/json.h"

typedef enum SchemaForm { FORM_OPENAI, FORM_ANTHROPIC } SchemaForm;

typedef struct SentSchema {
  cJSON *schema; /* owned (cJSON_Delete); NULL: it can't be sent, but in words */
  int is_strict; /* OpenAI's flag */
} SentSchema;

/* The form of a schema that schema_check took. RC_OK, or *err: no memory. */
int schema_form(const cJSON *schema, SchemaForm form, SentSchema *out, Err *err);

/* 1 if the schema is sent wrapped, where it is sent at all. */
int schema_is_wrapped(const cJSON *schema);

/* 1 if every value of the schema is an object: what "some JSON object" modes can answer. */
int schema_is_of_objects(const cJSON *schema);

/* A system prompt (NULL: none) with the schema in words behind it: owned (free), or NULL and *err. */
char *schema_in_words(const char *system, const cJSON *schema, Err *err);

#endif
