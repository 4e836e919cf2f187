/*
** OpenAI Responses, for models that live only there. Wire format: the openai npm package's type declarations, 7.59
** (ResponseCreateParams). Answers are read like any other (answer/reply.h).
**
** Nothing is kept at the provider ("store": false): what was said before is sent again, as everywhere.
*/
#include "wire/provider.h"

#include "core/schema/schema_form.h"

#include <stdlib.h>

/* text.format: the schema. */
static void add_schema(cJSON *tree, const cJSON *schema, Err *err) {
  SentSchema sent;
  if (schema_form(schema, FORM_OPENAI, &sent, err) != RC_OK) {
    return;
  }
  cJSON *text = json_add(tree, "text", cJSON_CreateObject(), err);
  cJSON *format = json_add(text, "format", cJSON_CreateObject(), err);
  json_add(format, "type", cJSON_CreateString("json_schema"), err);
  json_add(format, "name", cJSON_CreateString("answer"), err);
  json_add(format, "strict", cJSON_CreateBool(sent.is_strict), err);
  json_add(format, "schema", sent.schema, err);
}

int responses_build(const Request *request, const Model *model, const Sending *how, Buf *body,
                    Err *err) {
  const Options *o = request->options;
  int takes_schema = wire_supports(model, "json_schema", 1, err);
  char *words =
      o->schema && !takes_schema ? schema_in_words(request->system, o->schema, err) : NULL;
  const char *system = words ? words : request->system;
  const Saying saying = {"input", NULL, STYLE_RESPONSES, model};
  cJSON *tree = cJSON_CreateObject();
  json_add(tree, "model", cJSON_CreateString(model->name), err);
  if (system) {
    json_add(tree, "instructions", cJSON_CreateString(system), err);
  }
  wire_add_messages(tree, request, &saying, how, err);
  if (o->schema && takes_schema) {
    add_schema(tree, o->schema, err);
  }
  json_add(tree, "store", cJSON_CreateFalse(), err);
  if (how->streams) {
    json_add(tree, "stream", cJSON_CreateTrue(), err);
  }
  wire_add_options(tree, request, model, STYLE_RESPONSES, how, err);
  free(words);
  return wire_finish(tree, body, err);
}
