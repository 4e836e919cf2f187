/*
** OpenAI chat completions, and everything that speaks it: Mistral, Gemini's, Ollama's, vLLM's and
** llama.cpp's OpenAI endpoints, OpenRouter, Groq, DeepSeek. Wire format: the openai npm package's
** type declarations, 6.49.
**
** A sampling parameter the caller did not give is not sent. Options have the names that the provider has for them (takes.h).
*/
#include "wire/model/dialect.h"
#include "wire/provider.h"

#include "core/schema/schema_form.h"

#include <stdlib.h>
#include <string.h>

/* response_format: the schema; for a model that can't be given one, "some JSON object" where it must be one. */
static void add_schema(cJSON *tree, const cJSON *schema, int takes_schema, Err *err) {
  SentSchema sent;
  if (!takes_schema && schema_is_of_objects(schema)) {
    cJSON *format = json_add(tree, "response_format", cJSON_CreateObject(), err);
    json_add(format, "type", cJSON_CreateString("json_object"), err);
  }
  if (!takes_schema || schema_form(schema, FORM_OPENAI, &sent, err) != RC_OK) {
    return;
  }
  cJSON *format = json_add(tree, "response_format", cJSON_CreateObject(), err);
  json_add(format, "type", cJSON_CreateString("json_schema"), err);
  cJSON *inner = json_add(format, "json_schema", cJSON_CreateObject(), err);
  json_add(inner, "name", cJSON_CreateString("answer"), err);
  json_add(inner, "strict", cJSON_CreateBool(sent.is_strict), err);
  json_add(inner, "schema", sent.schema, err);
}

/* More stop strings than the provider takes. */
static int check_stops(const cJSON *stop, const Dialect *dialect, Err *err) {
  int n = cJSON_GetArraySize(stop);
  return dialect->most_stops && n > dialect->most_stops
             ? err_set(err, RC_ERROR, ERR_BAD_OPTION, "option 'stop': %s takes at most %d strings",
                       dialect->vendor, dialect->most_stops)
             : RC_OK;
}

static void add_stream(cJSON *tree, const Sending *how, Err *err) {
  if (how->streams) {
    json_add(tree, "stream", cJSON_CreateTrue(), err);
  }
  if (how->streams && how->wants_usage) {
    cJSON *options = json_add(tree, "stream_options", cJSON_CreateObject(), err);
    json_add(options, "include_usage", cJSON_CreateTrue(), err);
  }
}

/* How a schema is asked for: by the option for it; by a tool that must be called, whose arguments it describes; or in words. */
typedef enum SchemaWay { SCHEMA_NONE, SCHEMA_AS_OPTION, SCHEMA_AS_TOOL, SCHEMA_IN_WORDS } SchemaWay;

static SchemaWay way_of(const Options *o, const Model *model, Err *err) {
  if (!o->schema) {
    return SCHEMA_NONE;
  }
  if (wire_supports(model, "json_schema", 1, err)) {
    return SCHEMA_AS_OPTION;
  }
  int has_tools = wire_supports(model, "tools", 0, err) && !o->tools;
  return has_tools && message_form_fits(o->schema) ? SCHEMA_AS_TOOL : SCHEMA_IN_WORDS;
}

int openai_build(const Request *request, const Model *model, const Sending *how, Buf *body,
                 Err *err) {
  const Options *o = request->options;
  SchemaWay way = way_of(o, model, err);
  if (check_stops(o->stop, dialect_of(model), err) != RC_OK) {
    return err->rc;
  }
  char *words = way == SCHEMA_IN_WORDS ? schema_in_words(request->system, o->schema, err) : NULL;
  const Saying saying = {"messages", words ? words : request->system, STYLE_OPENAI, model};
  cJSON *tree = cJSON_CreateObject();
  json_add(tree, "model", cJSON_CreateString(model->name), err);
  wire_add_messages(tree, request, &saying, how, err);
  wire_add_beside(tree, how, err);
  if (way == SCHEMA_AS_TOOL) {
    message_form_schema(tree, o->schema, STYLE_OPENAI, err);
  } else if (way != SCHEMA_NONE) {
    add_schema(tree, o->schema, way == SCHEMA_AS_OPTION, err);
  }
  add_stream(tree, how, err);
  wire_add_options(tree, request, model, STYLE_OPENAI, how, err);
  free(words);
  return wire_finish(tree, body, err);
}
