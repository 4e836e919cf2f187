/*
** See answers_schema.h for the contract.
*/
#include "work/prompts/answers_schema.h"

#include <string.h>

int answers_schema_take(const SpecTable *table, const Spec *spec, const SpecValue *value, void *to,
                        Err *err) {
  if (!value->json || !(cJSON_IsObject(value->json) || cJSON_IsString(value->json))) {
    return spec_bad(table, spec->name, "a JSON Schema (an object)", err);
  }
  *(const cJSON **)((char *)to + spec->at) = value->json;
  return RC_OK;
}

JsonFields *answers_schema_fields(const cJSON *schema, Err *err) {
  if (cJSON_IsString(schema)) {
    return json_fields_read(schema->valuestring, strlen(schema->valuestring), err);
  }
  char *text = schema ? json_print_exact(schema, err) : NULL;
  JsonFields *fields = text ? json_fields_read(text, strlen(text), err) : NULL;
  cJSON_free(text);
  return fields;
}
