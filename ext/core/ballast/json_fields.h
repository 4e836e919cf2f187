/*
** What a JSON Schema says of the names in an answer, as far as prose can say it too: which there are, their types,
** what they may be. Nothing is checked against it (core/schema does that), so it takes any JSON.
*/
#ifndef LLMCOST_JSON_FIELDS_H
#define LLMCOST_JSON_FIELDS_H

#include "base/text/json.h"

#include <stddef.h>
#include <stdint.h>

typedef struct JsonFields JsonFields;

/* Of a JSON Schema, or its n bytes. Owned (json_fields_free); NULL and *err: ERR_BAD_OPTION where it is no
** object, no JSON, or no memory. */
JsonFields *json_fields_of(const cJSON *schema, Err *err);
JsonFields *json_fields_read(const char *schema, size_t n, Err *err);
void json_fields_free(JsonFields *s);

enum {
  FIELD_NAME = 1,     /* a word of a property's name */
  FIELD_VALUE = 2,    /* of a value that a property may have (enum, const) */
  FIELD_OPTIONAL = 4, /* it is the name of a property that may be missing somewhere */
  FIELD_WHOLE = 8     /* it is a name as a whole */
};

/* What a word is in it, by its key (split/terms.h): 0 for nothing. */
unsigned json_fields_word(const JsonFields *s, uint64_t key);

/* 1 if a property whose name has that key has a type of the first letters of one of "string number integer boolean
** array object null". */
int json_fields_have_type(const JsonFields *s, uint64_t name, const char *type, size_t n);

/* 1 if an answer as a whole has a type of these first letters. Of a schema that does not say: that of none. */
int json_fields_are_type(const JsonFields *s, const char *type, size_t n);

/* 1 if those of `keys` (n of them) that are values of an enumeration are all of its values: a list of some of them
** says more than the schema. */
int json_fields_list_all(const JsonFields *s, const uint64_t *keys, size_t n);

#endif
