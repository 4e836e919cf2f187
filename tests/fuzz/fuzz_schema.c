/*
** A JSON Schema and, behind a NUL, a value.
**
** Holds: a value that is accepted for a schema that was accepted is so again; what is refused says why.
*/
#include "fuzz.h"

#include "core/schema/schema.h"
#include "core/schema/schema_form.h"

/* What is sent, as it is read. (Its numbers stand there as texts.) */
static int is_schema(const cJSON *sent) {
  Err err = {0};
  char *text = cJSON_PrintUnformatted(sent);
  cJSON *read = text ? json_parse(text, strlen(text), "it", &err) : NULL;
  int is = read && schema_check(read, &err) == RC_OK;
  cJSON_Delete(read);
  cJSON_free(text);
  return is;
}

/* The root is an object, and the form can be checked against as any schema. */
static void check_forms(const cJSON *schema) {
  for (SchemaForm form = FORM_OPENAI; form <= FORM_ANTHROPIC; form++) {
    SentSchema sent;
    Err err = {0};
    require(schema_form(schema, form, &sent, &err) == RC_OK);
    require(sent.schema || form == FORM_ANTHROPIC);
    const char *type = json_text(sent.schema, "type");
    require(!sent.schema || (type && strcmp(type, "object") == 0));
    require(!sent.schema || is_schema(sent.schema));
    cJSON_Delete(sent.schema);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Input in = {data, size};
  size_t n_schema, n;
  char *schema_text = take_text(&in, &n_schema), *text = take_rest(&in, &n);
  cJSON *schema = fuzz_json(schema_text, n_schema), *value = fuzz_json(text, n);
  Err err = {0};
  if (schema && schema_check(schema, &err) == RC_OK) {
    check_forms(schema);
    if (value) {
      Err bad = {0}, again = {0};
      int rc = schema_validate(schema, value, &bad);
      require(rc == bad.rc && rc == schema_validate(schema, value, &again));
      check_err(&bad);
    }
  }
  check_err(&err);
  cJSON_Delete(schema);
  cJSON_Delete(value);
  free(schema_text);
  free(text);
  return 0;
}
