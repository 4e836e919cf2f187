/*
** OpenAI chat completions, and everything that speaks it: Mistral, Gemini's, Ollama's, vLLM's and
** llama.cpp's OpenAI endpoints, OpenRouter, Groq, DeepSeek. Wire format: the openai npm package's
** type declarations, 6.49.
**
** A sampling parameter the caller did not give is not sent. Options have the names that the provider has for
** them (dialect.h): the length limit is `max_completion_tokens` at OpenAI (its reasoning models refuse `max_tokens`)
** and `max_tokens` at most others; "max_completion_tokens": true or false in llm_models.supports decides for other
** servers.
*/
#include "wire/dialect.h"
#include "wire/provider.h"

#include "core/schema/schema_form.h"

#include <math.h>
#include <stdio.h>
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

static void add_sampling(cJSON *tree, const Options *o, const char *seed, Err *err) {
  if (!isnan(o->temperature)) {
    json_add(tree, "temperature", cJSON_CreateNumber(o->temperature), err);
  }
  if (!isnan(o->top_p)) {
    json_add(tree, "top_p", cJSON_CreateNumber(o->top_p), err);
  }
  if (o->has_seed) { /* all digits: as a double, cJSON would write a large one with an exponent */
    char digits[24];
    snprintf(digits, sizeof digits, "%lld", o->seed);
    json_add(tree, seed, cJSON_CreateRaw(digits), err);
  }
  if (o->stop) {
    json_add(tree, "stop", cJSON_Duplicate(o->stop, 1), err);
  }
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

/* What the limit of the answer's length is called. */
static const char *limit_name(const Model *model, const Dialect *dialect, Err *err) {
  static const char new_name[] = "max_completion_tokens";
  int is_new = wire_supports(model, new_name, strcmp(dialect->max_tokens, new_name) == 0, err);
  return is_new ? new_name : "max_tokens";
}

int openai_build(const Request *request, const Model *model, const Sending *how, Buf *body,
                 Err *err) {
  const Options *o = request->options;
  int takes_schema = wire_supports(model, "json_schema", 1, err);
  const Dialect *dialect = dialect_of(model);
  if (wire_check_sampling(o, model, 1, err) != RC_OK ||
      check_stops(o->stop, dialect, err) != RC_OK) {
    return err->rc;
  }
  char *words =
      o->schema && !takes_schema ? schema_in_words(request->system, o->schema, err) : NULL;
  cJSON *tree = cJSON_CreateObject();
  json_add(tree, "model", cJSON_CreateString(model->name), err);
  wire_add_messages(tree, request, words ? words : request->system, how, err);
  wire_add_beside(tree, how, err);
  add_sampling(tree, o, dialect->seed, err);
  if (o->schema) {
    add_schema(tree, o->schema, takes_schema, err);
  }
  if (o->max_tokens != OPTION_UNSET) {
    json_add(tree, limit_name(model, dialect, err), cJSON_CreateNumber((double)o->max_tokens), err);
  }
  if (how->logprobs) {
    json_add(tree, "logprobs", cJSON_CreateTrue(), err);
  }
  add_stream(tree, how, err);
  free(words);
  return wire_finish(tree, body, err);
}
