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
#include "wire/provider.h"

#include "core/request/schema.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* response_format: the schema itself where the model takes one, else "some JSON object". */
static void add_schema(cJSON *tree, const cJSON *schema, int takes_schema, Err *err) {
  cJSON *format = json_add(tree, "response_format", cJSON_CreateObject(), err);
  if (!takes_schema) {
    json_add(format, "type", cJSON_CreateString("json_object"), err);
    return;
  }
  json_add(format, "type", cJSON_CreateString("json_schema"), err);
  cJSON *inner = json_add(format, "json_schema", cJSON_CreateObject(), err);
  json_add(inner, "name", cJSON_CreateString("answer"), err);
  json_add(inner, "strict", cJSON_CreateBool(schema_is_strict(schema)), err);
  json_add(inner, "schema", cJSON_Duplicate(schema, 1), err);
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

/* The system prompt with the schema in words, for a model that can't be given it. Owned; NULL and *err. */
static char *schema_in_words(const Request *r, Err *err) {
  Buf b;
  char *schema = cJSON_PrintUnformatted(r->options->schema);
  buf_init(&b, 2 * LIMIT_REQUEST_BYTES); /* what is too much for the body is refused there */
  if (r->system) {
    buf_puts(&b, r->system);
    buf_puts(&b, "\n\n");
  }
  buf_puts(&b, "Answer with nothing but JSON that satisfies this JSON Schema: ");
  buf_puts(&b, schema ? schema : "");
  int is_big = b.failed == RC_TOOBIG;
  char *text = buf_take(&b);
  if (is_big) {
    err_set(err, RC_TOOBIG, ERR_TOO_BIG, "the request is over %zu bytes", LIMIT_REQUEST_BYTES);
  } else if (!schema || !text) {
    err_nomem(err);
  }
  cJSON_free(schema);
  return text;
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

int openai_build(const Request *request, const Model *model, const Sending *how, Buf *body,
                 Err *err) {
  const Options *o = request->options;
  int takes_schema = wire_supports(model, "json_schema", 1, err);
  const Dialect *dialect = dialect_of(model);
  const char *limit = dialect->max_tokens;
  int is_new = strcmp(limit, "max_completion_tokens") == 0;
  is_new = wire_supports(model, "max_completion_tokens", is_new, err);
  limit = is_new ? "max_completion_tokens" : "max_tokens";
  char *words = o->schema && !takes_schema ? schema_in_words(request, err) : NULL;
  cJSON *tree = cJSON_CreateObject();
  json_add(tree, "model", cJSON_CreateString(model->name), err);
  wire_add_messages(tree, request, words ? words : request->system, how, err);
  add_sampling(tree, o, dialect->seed, err);
  if (o->schema) {
    add_schema(tree, o->schema, takes_schema, err);
  }
  if (o->max_tokens != OPTION_UNSET) {
    json_add(tree, limit, cJSON_CreateNumber((double)o->max_tokens), err);
  }
  add_stream(tree, how, err);
  free(words);
  return wire_finish(tree, body, err);
}
