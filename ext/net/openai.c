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
#include "net/provider.h"

#include "core/schema.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* response_format: the schema itself where the model takes one, else "some JSON object". */
static int add_schema(cJSON *tree, const cJSON *schema, int takes_schema) {
  cJSON *format = cJSON_AddObjectToObject(tree, "response_format");
  if (!takes_schema) {
    return cJSON_AddStringToObject(format, "type", "json_object") != NULL;
  }
  cJSON_AddStringToObject(format, "type", "json_schema");
  cJSON *inner = cJSON_AddObjectToObject(format, "json_schema");
  return cJSON_AddStringToObject(inner, "name", "answer") &&
         cJSON_AddBoolToObject(inner, "strict", schema_is_strict(schema)) &&
         cJSON_AddItemToObject(inner, "schema", cJSON_Duplicate(schema, 1));
}

/* All digits: as a double, cJSON would write a large seed with an exponent. */
static int add_seed(cJSON *tree, long long seed) {
  char digits[24];
  snprintf(digits, sizeof digits, "%lld", seed);
  return cJSON_AddRawToObject(tree, "seed", digits) != NULL;
}

static int add_sampling(cJSON *tree, const Options *o) {
  return (isnan(o->temperature) || cJSON_AddNumberToObject(tree, "temperature", o->temperature)) &&
         (isnan(o->top_p) || cJSON_AddNumberToObject(tree, "top_p", o->top_p)) &&
         (!o->has_seed || add_seed(tree, o->seed)) &&
         (!o->stop || cJSON_AddItemToObject(tree, "stop", cJSON_Duplicate(o->stop, 1)));
}

/* The system prompt, with the schema in words where the model can't be given it. Owned; NULL:
** none. */
static char *system_with_schema(const Request *r, int in_words) {
  Buf b;
  if (!r->system && !in_words) {
    return NULL;
  }
  buf_init(&b, 2 * LIMIT_REQUEST_BYTES); /* what is too much for the body is refused there */
  if (r->system) {
    buf_puts(&b, r->system);
  }
  if (in_words) {
    char *schema = cJSON_PrintUnformatted(r->options->schema);
    buf_printf(&b, "%sAnswer with nothing but JSON that satisfies this JSON Schema: %s",
               r->system ? "\n\n" : "", schema ? schema : "{}");
    cJSON_free(schema);
  }
  return buf_take(&b);
}

int openai_build(const Request *request, const Model *model, Buf *body, Err *err) {
  const Options *o = request->options;
  int takes_schema = wire_supports(model, "json_schema", 1);
  int new_limit =
      wire_supports(model, "max_completion_tokens", strcmp(model->provider, "openai") == 0);
  int in_words = o->schema && !takes_schema;
  char *system = system_with_schema(request, in_words);
  cJSON *tree = cJSON_CreateObject();
  int ok = (system || (!request->system && !in_words)) &&
           cJSON_AddStringToObject(tree, "model", model->name) &&
           wire_add_messages(tree, request, system) && add_sampling(tree, o) &&
           (!o->schema || add_schema(tree, o->schema, takes_schema));
  if (ok && o->max_tokens != OPTION_UNSET) {
    ok = cJSON_AddNumberToObject(tree, new_limit ? "max_completion_tokens" : "max_tokens",
                                 (double)o->max_tokens) != NULL;
  }
  free(system);
  if (!ok) {
    cJSON_Delete(tree);
    tree = NULL;
  }
  return wire_finish(tree, body, err);
}

static const char *finish_reason(const char *word, const cJSON *message) {
  static const char *const same[] = {"stop", "length", "tool_calls", "content_filter"};
  if (json_text(message, "refusal")) {
    return "refusal";
  }
  if (word && strcmp(word, "function_call") == 0) {
    return "tool_calls";
  }
  for (int i = 0; word && i < 4; i++) {
    if (strcmp(word, same[i]) == 0) {
      return same[i];
    }
  }
  return "other";
}

int openai_parse(const cJSON *answer, Reply *reply, Err *err) {
  const cJSON *choices = cJSON_GetObjectItemCaseSensitive(answer, "choices");
  const cJSON *choice = cJSON_GetArrayItem(choices, 0);
  const cJSON *message = cJSON_GetObjectItemCaseSensitive(choice, "message");
  const char *content = json_text(message, "content");
  if (!cJSON_IsObject(message)) {
    return err_set(err, RC_ERROR, "bad_answer", "the answer has no choices[0].message");
  }
  reply->finish_reason = finish_reason(json_text(choice, "finish_reason"), message);
  reply->text = content ? strdup(content) : NULL;
  return content && !reply->text ? err_nomem(err) : RC_OK;
}
