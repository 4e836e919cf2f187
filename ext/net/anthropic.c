/*
** Anthropic Messages. Wire format: the @anthropic-ai/sdk npm package's type declarations, 1.12.
**
** max_tokens is required there; where the caller gave none it is the model's own maximum, at most
** DEFAULT_MAX_TOKENS. There is no `seed`, and temperature ends at 1.
*/
#include "net/provider.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_MAX_TOKENS = 8192 };

static int check_options(const Options *o, Err *err) {
  if (o->has_seed) {
    return err_set(err, RC_ERROR, "bad_option", "option 'seed': the Anthropic API has none");
  }
  if (!isnan(o->temperature) && o->temperature > 1) {
    return err_set(err, RC_ERROR, "bad_option",
                   "option 'temperature': the Anthropic API takes 0 to 1");
  }
  return RC_OK;
}

static int add_schema(cJSON *tree, const cJSON *schema) {
  cJSON *config = cJSON_AddObjectToObject(tree, "output_config");
  cJSON *format = cJSON_AddObjectToObject(config, "format");
  return cJSON_AddStringToObject(format, "type", "json_schema") &&
         cJSON_AddItemToObject(format, "schema", cJSON_Duplicate(schema, 1));
}

static int add_stop(cJSON *tree, const cJSON *stop) {
  if (cJSON_IsArray(stop)) {
    return cJSON_AddItemToObject(tree, "stop_sequences", cJSON_Duplicate(stop, 1));
  }
  cJSON *array = cJSON_AddArrayToObject(tree, "stop_sequences");
  return cJSON_AddItemToArray(array, cJSON_Duplicate(stop, 1));
}

static double max_tokens(const Options *o, const Model *model) {
  if (o->max_tokens != OPTION_UNSET) {
    return (double)o->max_tokens;
  }
  return model->max_output > 0 && model->max_output < DEFAULT_MAX_TOKENS ? (double)model->max_output
                                                                         : DEFAULT_MAX_TOKENS;
}

int anthropic_build(const Request *request, const Model *model, Buf *body, Err *err) {
  const Options *o = request->options;
  if (check_options(o, err) != RC_OK) {
    return err->rc;
  }
  cJSON *tree = cJSON_CreateObject();
  int ok =
      cJSON_AddStringToObject(tree, "model", model->name) &&
      cJSON_AddNumberToObject(tree, "max_tokens", max_tokens(o, model)) &&
      (!request->system || cJSON_AddStringToObject(tree, "system", request->system)) &&
      wire_add_messages(tree, request, NULL) &&
      (isnan(o->temperature) || cJSON_AddNumberToObject(tree, "temperature", o->temperature)) &&
      (isnan(o->top_p) || cJSON_AddNumberToObject(tree, "top_p", o->top_p)) &&
      (!o->stop || add_stop(tree, o->stop)) && (!o->schema || add_schema(tree, o->schema));
  if (!ok) {
    cJSON_Delete(tree);
    tree = NULL;
  }
  return wire_finish(tree, body, err);
}

static const char *finish_reason(const char *word) {
  static const struct {
    const char *theirs, *ours;
  } reasons[] = {
      {"end_turn", "stop"},     {"stop_sequence", "stop"},
      {"max_tokens", "length"}, {"tool_use", "tool_calls"},
      {"refusal", "refusal"},   {"model_context_window_exceeded", "length"},
  };
  for (size_t i = 0; word && i < sizeof reasons / sizeof reasons[0]; i++) {
    if (strcmp(word, reasons[i].theirs) == 0) {
      return reasons[i].ours;
    }
  }
  return "other";
}

/* The text blocks one after another; NULL where there is none. */
static char *join_text(const cJSON *content) {
  Buf b;
  int blocks = 0;
  const cJSON *block;
  buf_init(&b, LIMIT_RESPONSE_BYTES);
  cJSON_ArrayForEach(block, content) {
    const char *type = json_text(block, "type"), *text = json_text(block, "text");
    if (type && text && strcmp(type, "text") == 0) {
      buf_puts(&b, text);
      blocks++;
    }
  }
  if (blocks == 0) {
    buf_free(&b);
    return NULL;
  }
  return buf_take(&b);
}

int anthropic_parse(const cJSON *answer, Reply *reply, Err *err) {
  const cJSON *content = cJSON_GetObjectItemCaseSensitive(answer, "content");
  if (!cJSON_IsArray(content)) {
    return err_set(err, RC_ERROR, "bad_answer", "the answer has no content array");
  }
  reply->finish_reason = finish_reason(json_text(answer, "stop_reason"));
  reply->text = join_text(content);
  return RC_OK;
}
