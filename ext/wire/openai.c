/*
** OpenAI chat completions, and everything that speaks it: Mistral, Gemini's, Ollama's, vLLM's and
** llama.cpp's OpenAI endpoints, OpenRouter, Groq, DeepSeek. Wire format: the openai npm package's
** type declarations, 6.49.
**
** A sampling parameter the caller did not give is not sent. The length limit is
** `max_completion_tokens` at OpenAI (its reasoning models refuse `max_tokens`) and `max_tokens`
** elsewhere; "max_completion_tokens": true or false in llm_models.supports decides for other
** servers.
*/
#include "wire/provider.h"

#include "core/request/schema_form.h"

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

static void add_sampling(cJSON *tree, const Options *o, Err *err) {
  if (!isnan(o->temperature)) {
    json_add(tree, "temperature", cJSON_CreateNumber(o->temperature), err);
  }
  if (!isnan(o->top_p)) {
    json_add(tree, "top_p", cJSON_CreateNumber(o->top_p), err);
  }
  if (o->has_seed) { /* all digits: as a double, cJSON would write a large one with an exponent */
    char digits[24];
    snprintf(digits, sizeof digits, "%lld", o->seed);
    json_add(tree, "seed", cJSON_CreateRaw(digits), err);
  }
  if (o->stop) {
    json_add(tree, "stop", cJSON_Duplicate(o->stop, 1), err);
  }
}

int openai_build(const Request *request, const Model *model, Buf *body, Err *err) {
  const Options *o = request->options;
  int takes_schema = wire_supports(model, "json_schema", 1, err);
  int new_limit =
      wire_supports(model, "max_completion_tokens", strcmp(model->provider, "openai") == 0, err);
  char *words =
      o->schema && !takes_schema ? schema_in_words(request->system, o->schema, err) : NULL;
  cJSON *tree = cJSON_CreateObject();
  json_add(tree, "model", cJSON_CreateString(model->name), err);
  wire_add_messages(tree, request, words ? words : request->system, err);
  add_sampling(tree, o, err);
  if (o->schema) {
    add_schema(tree, o->schema, takes_schema, err);
  }
  if (o->max_tokens != OPTION_UNSET) {
    json_add(tree, new_limit ? "max_completion_tokens" : "max_tokens",
             cJSON_CreateNumber((double)o->max_tokens), err);
  }
  free(words);
  return wire_finish(tree, body, err);
}

int openai_parse(const cJSON *answer, Reply *reply, Err *err) {
  const cJSON *choices = cJSON_GetObjectItemCaseSensitive(answer, "choices");
  const cJSON *choice = cJSON_GetArrayItem(choices, 0);
  const cJSON *message = cJSON_GetObjectItemCaseSensitive(choice, "message");
  const char *content = json_text(message, "content");
  if (!cJSON_IsObject(message)) {
    return err_set(err, RC_ERROR, ERR_BAD_ANSWER, "the answer has no choices[0].message");
  }
  reply->finish = json_text(message, "refusal") ? FINISH_REFUSAL
                                                : finish_of(json_text(choice, "finish_reason"));
  reply->text = content ? strdup(content) : NULL;
  return content && !reply->text ? err_nomem(err) : RC_OK;
}
