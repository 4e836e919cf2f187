/*
** Anthropic Messages, API version 2023-06-01. Wire format: the @anthropic-ai/sdk npm package's type declarations, 0.137,
** the last of that version. The next one, 2026-10-21, refuses temperature and top_p and has no other request or answer that
** would matter here: https://platform.claude.com/docs/en/api/migration-2026-10-21
**
** max_tokens is required there; where the caller gave none it is the model's own maximum, at most
** what the API says (provider.c). What its models take of the other options stands in takes.tsv. A schema that their grammar has no form for, or for
** a model that takes none ("json_schema": false in llm_models.supports), stands in words behind the system prompt.
*/
#include "wire/provider.h"

#include "core/request/tools.h"
#include "core/schema/schema_form.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_MARKS = 4 }; /* cache_control */

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

/* Takes the schema. */
static void add_schema(cJSON *tree, cJSON *schema, Err *err) {
  cJSON *config = json_add(tree, "output_config", cJSON_CreateObject(), err);
  cJSON *format = json_add(config, "format", cJSON_CreateObject(), err);
  json_add(format, "type", cJSON_CreateString("json_schema"), err);
  json_add(format, "schema", schema, err);
}

static void add_system(cJSON *tree, const char *system, const Request *r, const Sending *how,
                       Err *err) {
  int is_marked = how->form && (how->marks & PREFIX_SYSTEM);
  json_add(tree, "system",
           is_marked || r->system_marks ? wire_marked_system(system, r, how, err)
                                        : cJSON_CreateString(system),
           err);
}

/* A single stop string is an array, too. */
static void wrap_stop(cJSON *tree, Err *err) {
  static const char name[] = "stop_sequences";
  if (cJSON_IsString(cJSON_GetObjectItemCaseSensitive(tree, name))) {
    cJSON *array = cJSON_CreateArray();
    json_add(array, NULL, cJSON_DetachItemFromObjectCaseSensitive(tree, name), err);
    json_add(tree, name, array, err);
  }
}

/* What a model thinks counts to the length of its answer, and leaves something of it. */
static int check_room(const cJSON *tree, Err *err) {
  const cJSON *thinking = cJSON_GetObjectItemCaseSensitive(tree, "thinking");
  long long budget = 0, most = 0;
  json_count(thinking, "budget_tokens", &budget);
  json_count(tree, "max_tokens", &most);
  return budget < most || !budget
             ? RC_OK
             : err_set(
                   err, RC_ERROR, ERR_BAD_OPTION,
                   "option 'reasoning': %lld tokens of thought do not fit into max_tokens %lld, "
                   "which counts them too",
                   budget, most);
}

/* It can't be made to call while it thinks: the API refuses that. */
static int check_force(const Options *o, Err *err) {
  const char *word = cJSON_GetStringValue(o->reasoning);
  int thinks = o->reasoning && !(word && strcmp(word, "none") == 0);
  return thinks && tools_is_forced(o->tool_choice)
             ? err_set(err, RC_ERROR, ERR_BAD_OPTION,
                       "option 'tool_choice': the Anthropic API forces no call while a model "
                       "thinks: 'auto', or reasoning 'none'")
             : RC_OK;
}

/* The schema: by the option for it, or by a tool that must be called (not while it thinks: that is refused there). 0: in words. */
static int place_schema(cJSON *tree, const Options *o, const Model *model, Err *err) {
  SentSchema sent = {0};
  int has_option = wire_supports(model, "json_schema", 1, err);
  if (o->schema && has_option && err->rc == RC_OK) {
    schema_form(o->schema, FORM_ANTHROPIC, &sent, err);
  }
  if (sent.schema) {
    add_schema(tree, sent.schema, err);
    return 1;
  }
  int can_force = o->schema && !has_option && !o->tools && !o->reasoning &&
                  wire_supports(model, "tools", 1, err) && message_form_fits(o->schema);
  if (can_force) {
    message_form_schema(tree, o->schema, STYLE_ANTHROPIC, err);
  }
  return can_force;
}

int anthropic_build(const Request *request, const Model *model, const Sending *how, Buf *body,
                    Err *err) {
  const Options *o = request->options;
  if ((o->stop && check_stops(o->stop, err) != RC_OK) || check_force(o, err) != RC_OK) {
    return err->rc;
  }
  Marks own = message_form_marks(request);
  if (own.front + own.messages > MOST_MARKS) {
    return err_set(err, RC_ERROR, ERR_BAD_MESSAGES,
                   "messages and tools have %d marks (cache_control): the Anthropic API takes %d",
                   own.front + own.messages, MOST_MARKS);
  }
  cJSON *tree = cJSON_CreateObject();
  double most = (double)provider_most_output(provider_api("anthropic"), request, model);
  json_add(tree, "model", cJSON_CreateString(model->name), err);
  json_add(tree, "max_tokens", cJSON_CreateNumber(most), err);
  int is_placed = place_schema(tree, o, model, err);
  char *words = o->schema && !is_placed && err->rc == RC_OK
                    ? schema_in_words(request->system, o->schema, err)
                    : NULL;
  const char *system = words ? words : request->system;
  if (system) {
    add_system(tree, system, request, how, err);
  }
  const Saying saying = {"messages", NULL, STYLE_ANTHROPIC, model};
  wire_add_messages(tree, request, &saying, how, err);
  wire_add_beside(tree, how, err);
  if (how->streams) {
    json_add(tree, "stream", cJSON_CreateTrue(), err);
  }
  wire_add_options(tree, request, model, STYLE_ANTHROPIC, how, err);
  wrap_stop(tree, err);
  check_room(tree, err);
  free(words);
  return wire_finish(tree, body, err);
}
