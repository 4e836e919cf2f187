/*
** JSON Schema: what pydantic and zod write, checked here because a provider's promise is not proof.
**
** Checked: type, enum, const, nullable; properties, patternProperties, additionalProperties, propertyNames, required,
** minProperties, maxProperties, dependentRequired, dependentSchemas; items, prefixItems, additionalItems (behind a list
** of items, draft 7), minItems, maxItems, uniqueItems, contains, minContains, maxContains; minLength, maxLength, pattern
** (PCRE2, as ECMA 262 means it); minimum, maximum, exclusiveMinimum, exclusiveMaximum (numbers, or draft 4's flags),
** multipleOf; anyOf, oneOf, allOf, not, if, then, else; $ref within the document, $defs, definitions.
**
** Accepted and not checked: format, contentEncoding, contentMediaType, contentSchema; title, description, default,
** example, examples, discriminator, propertyOrdering, $schema, $id, id, $anchor, $comment, deprecated, readOnly,
** writeOnly, xml, externalDocs, and members "x-…". All else is refused by name: unevaluatedProperties, $dynamicRef, …
*/
#ifndef LLMCOST_SCHEMA_H
#define LLMCOST_SCHEMA_H

#include "base/error.h"
#include "base/text/json.h"

struct Check;

/* Refuses a schema with a keyword we would not check or that can't mean anything, before
** anything is paid for it. The error names the keyword, and those there are. */
int schema_check(const cJSON *schema, Err *err);

/* Checks a value. The error says where ("at /items/0/price: expected number"). */
int schema_validate(const cJSON *schema, const cJSON *value, Err *err);

/* The types that a value of the schema (in the document `root`) may have, as far as type, enum, const, $ref, anyOf, oneOf and allOf say; and that of a value. */
enum {
  TYPE_NULL = 1,
  TYPE_BOOLEAN = 2,
  TYPE_NUMBER = 4,
  TYPE_STRING = 8,
  TYPE_ARRAY = 16,
  TYPE_OBJECT = 32,
  TYPE_ANY = 63
};
unsigned schema_types(const cJSON *root, const cJSON *schema);
unsigned schema_type_of(const cJSON *value);

/* What stands under a keyword: a value, a schema, a list of them, a map of them, or what says nothing of a value. */
typedef enum SchemaNested { LEAF, SCHEMA, LIST, MAP, NOTE } SchemaNested;

/* What a keyword's own value may be. */
typedef enum SchemaTakes {
  TAKES_ANY,
  TAKES_TYPES, /* words of "type" */
  TAKES_OBJECT,
  TAKES_ARRAY,
  TAKES_NUMBER,
  TAKES_POSITIVE,
  TAKES_BOUND, /* a number or a flag */
  TAKES_BOOLEAN,
  TAKES_NAMES, /* a list of texts */
  TAKES_LISTS, /* an object of such lists */
  TAKES_PATTERN,
  TAKES_PATTERNS, /* an object whose members' names are patterns */
  TAKES_REF
} SchemaTakes;

typedef struct SchemaKeyword {
  const char *name;
  int (*check)(struct Check *c, const cJSON *keyword, const cJSON *schema, const cJSON *value);
  SchemaNested nested;
  SchemaTakes takes;
} SchemaKeyword;

/* The keyword of that name, or NULL; all of them, behind the last one without a name. */
const SchemaKeyword *schema_keyword(const char *name);
const SchemaKeyword *schema_keywords(void);

/* ECMA 262 for PCRE2: `$` is the very end, \uXXXX a character, [] matches nothing. */
#define SCHEMA_PATTERN_FLAGS                                                                       \
  (PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_BSUX | PCRE2_ALLOW_EMPTY_CLASS |                   \
   PCRE2_MATCH_UNSET_BACKREF)

/* Calls `visit` for each schema that stands in this one, not for those further in, with the keyword that it stands under
** (for a member of properties, $defs and the like: the map). Ends at the first that does not return 0, and returns
** that. */
int schema_visit(const cJSON *schema,
                 int (*visit)(void *arg, const cJSON *keyword, const cJSON *inner), void *arg);

/* What a $ref leads to within the document: "#" and a JSON pointer, its escapes (~0, ~1, %20) read; or NULL. */
const cJSON *schema_resolve(const cJSON *root, const char *ref);

#endif
