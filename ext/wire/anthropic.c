/*
** Anthropic Messages, API version 2023-06-01. Wire format: the @anthropic-ai/sdk npm package's type declarations, 0.137,
** the last of that version. The next one, 2026-10-21, refuses temperature and top_p and has no other request or answer that
** would matter here: https://platform.claude.com/docs/en/api/migration-2026-10-21
**
** max_tokens is required there; where the caller gave none it is the model's own maximum, at most
** what the API says (provider.c). There is no `seed`, and temperature ends at 1. A schema that their grammar has no form for, or for
** a model that takes none ("json_schema": false in llm_models.supports), stands in words behind the system prompt.
*/
#include "wire/provider.h"

#include "base/text/glob.h"

#include "core/schema/schema_form.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Models that take no sampling parameters: Anthropic's migration guides. (Of those that take temperature or top_p, not
** both, the provider says so.) */
#define UNSAMPLED "claude-opus-4-7* claude-opus-4-8* claude-fable-5*"

/* Stop strings of nothing but blanks are refused there. */
static int check_stops(const cJSON *stop, Err *err) {
  const cJSON *s = cJSON_IsArray(stop) ? stop->child : stop;
  for (; s; s = cJSON_IsArray(stop) ? s->next : NULL) {
    if (strspn(s->valuestring, " \t\r\n") == strlen(s->valuestring)) {
      return err_set(err, RC_ERROR, ERR_BAD_OPTION,
                     "option 'stop': the Anthropic API takes no string of nothing but blanks");
    }
  }
  return RC_OK;
}

static int check_options(const Options *o, const Model *model, Err *err) {
  if (o->has_seed) {
    return err_set(err, RC_ERROR, ERR_BAD_OPTION, "option 'seed': the Anthropic API has none");
  }
  if (!isnan(o->temperature) && o->temperature > 1) {
    return err_set(err, RC_ERROR, ERR_BAD_OPTION,
                   "option 'temperature': the Anthropic API takes 0 to 1");
  }
  int takes_it = !glob_any(UNSAMPLED, model->name);
  return wire_check_sampling(o, model, takes_it, err) == RC_OK ? check_stops(o->stop, err)
                                                               : err->rc;
}

/* Takes the schema. */
static void add_schema(cJSON *tree, cJSON *schema, Err *err) {
  cJSON *config = json_add(tree, "output_config", cJSON_CreateObject(), err);
  cJSON *format = json_add(config, "format", cJSON_CreateObject(), err);
  json_add(format, "type", cJSON_CreateString("json_schema"), err);
  json_add(format, "schema", schema, err);
}

static void add_stop(cJSON *tree, const cJSON *stop, Err *err) {
  if (cJSON_IsArray(stop)) {
    json_add(tree, "stop_sequences", cJSON_Duplicate(stop, 1), err);
  } else {
    cJSON *array = json_add(tree, "stop_sequences", cJSON_CreateArray(), err);
    json_add(array, NULL, cJSON_Duplicate(stop, 1), err);
  }
}

static void add_system(cJSON *tree, const char *system, const Sending *how, Err *err) {
  int is_marked = how->form && (how->marks & PREFIX_SYSTEM);
  json_add(tree, "system",
           is_marked ? wire_marked_text(system, how, err) : cJSON_CreateString(system), err);
}

int anthropic_build(const Request *request, const Model *model, const Sending *how, Buf *body,
                    Err *err) {
  const Options *o = request->options;
  SentSchema sent = {0};
  if (check_options(o, model, err) != RC_OK) {
    return err->rc;
  }
  if (how->logprobs) {
    return err_set(err, RC_ERROR, ERR_BAD_OPTION,
                   "option 'logprobs' (and a gate 'logprob'): the Anthropic API has none");
  }
  if (o->schema && wire_supports(model, "json_schema", 1, err)) {
    schema_form(o->schema, FORM_ANTHROPIC, &sent, err);
  }
  char *words = o->schema && !sent.schema ? schema_in_words(request->system, o->schema, err) : NULL;
  const char *system = words ? words : request->system;
  double most = (double)provider_most_output(provider_api("anthropic"), request, model);
  cJSON *tree = cJSON_CreateObject();
  json_add(tree, "model", cJSON_CreateString(model->name), err);
  json_add(tree, "max_tokens", cJSON_CreateNumber(most), err);
  if (system) {
    add_system(tree, system, how, err);
  }
  wire_add_messages(tree, request, NULL, how, err);
  wire_add_beside(tree, how, err);
  if (!isnan(o->temperature)) {
    json_add(tree, "temperature", cJSON_CreateNumber(o->temperature), err);
  }
  if (!isnan(o->top_p)) {
    json_add(tree, "top_p", cJSON_CreateNumber(o->top_p), err);
  }
  if (o->stop) {
    add_stop(tree, o->stop, err);
  }
  if (sent.schema) {
    add_schema(tree, sent.schema, err);
  }
  if (how->streams) {
    json_add(tree, "stream", cJSON_CreateTrue(), err);
  }
  free(words);
  return wire_finish(tree, body, err);
}
