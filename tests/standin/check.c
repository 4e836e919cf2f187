/*
** check.c: refusals. A request body the provider would not take is answered as the provider would:
** the status, the error's shape, its code and the name of the offending parameter; the wording is
** close to theirs, and nothing should depend on it.
**
** Top-level parameters are tables: name, type, bounds. Whatever isn't in the table is refused, save
** for parameters that other OpenAI-compatible providers take and whose model names give them away
** (mistral..., vendor/model). Deeper rules are one small function each. Every function returns 0
** when fine, else the HTTP status, with the error body in *error (owned by the caller).
*/
#include "standin.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define IRE "invalid_request_error"
#define NONE (-1e300)

enum kind { K_STRING, K_NUMBER, K_INTEGER, K_BOOL, K_ARRAY, K_OBJECT, K_ANY };

struct param {
  const char *name;
  enum kind kind;
  double lo, hi; /* NONE = unbounded */
};

static const struct param aChat[] = {
    {"messages", K_ARRAY, NONE, NONE},
    {"model", K_STRING, NONE, NONE},
    {"audio", K_OBJECT, NONE, NONE},
    {"frequency_penalty", K_NUMBER, -2, 2},
    {"function_call", K_ANY, NONE, NONE},
    {"functions", K_ARRAY, NONE, NONE},
    {"logit_bias", K_OBJECT, NONE, NONE},
    {"logprobs", K_BOOL, NONE, NONE},
    {"max_completion_tokens", K_INTEGER, 1, NONE},
    {"max_tokens", K_INTEGER, 1, NONE},
    {"metadata", K_OBJECT, NONE, NONE},
    {"modalities", K_ARRAY, NONE, NONE},
    {"n", K_INTEGER, 1, 128},
    {"parallel_tool_calls", K_BOOL, NONE, NONE},
    {"prediction", K_OBJECT, NONE, NONE},
    {"presence_penalty", K_NUMBER, -2, 2},
    {"prompt_cache_key", K_STRING, NONE, NONE},
    {"prompt_cache_options", K_OBJECT, NONE, NONE},
    {"prompt_cache_retention", K_STRING, NONE, NONE},
    {"reasoning_effort", K_STRING, NONE, NONE},
    {"response_format", K_OBJECT, NONE, NONE},
    {"safety_identifier", K_STRING, NONE, NONE},
    {"seed", K_INTEGER, NONE, NONE},
    {"service_tier", K_STRING, NONE, NONE},
    {"stop", K_ANY, NONE, NONE},
    {"store", K_BOOL, NONE, NONE},
    {"stream", K_BOOL, NONE, NONE},
    {"stream_options", K_OBJECT, NONE, NONE},
    {"temperature", K_NUMBER, 0, 2},
    {"tool_choice", K_ANY, NONE, NONE},
    {"tools", K_ARRAY, NONE, NONE},
    {"top_logprobs", K_INTEGER, 0, 20},
    {"top_p", K_NUMBER, 0, 1},
    {"user", K_STRING, NONE, NONE},
    {"verbosity", K_STRING, NONE, NONE},
    {"web_search_options", K_OBJECT, NONE, NONE},
};

static const struct param aEmbed[] = {
    {"input", K_ANY, NONE, NONE},       {"model", K_STRING, NONE, NONE},
    {"dimensions", K_INTEGER, 1, 4096}, {"encoding_format", K_STRING, NONE, NONE},
    {"user", K_STRING, NONE, NONE},
};

static const struct param aMessages[] = {
    {"model", K_STRING, NONE, NONE},         {"messages", K_ARRAY, NONE, NONE},
    {"max_tokens", K_INTEGER, 0, NONE},      {"cache_control", K_OBJECT, NONE, NONE},
    {"container", K_ANY, NONE, NONE},        {"context_management", K_OBJECT, NONE, NONE},
    {"diagnostics", K_OBJECT, NONE, NONE},   {"inference_geo", K_STRING, NONE, NONE},
    {"mcp_servers", K_ARRAY, NONE, NONE},    {"metadata", K_OBJECT, NONE, NONE},
    {"output_config", K_OBJECT, NONE, NONE}, {"service_tier", K_STRING, NONE, NONE},
    {"speed", K_STRING, NONE, NONE},         {"stop_sequences", K_ARRAY, NONE, NONE},
    {"stream", K_BOOL, NONE, NONE},          {"system", K_ANY, NONE, NONE},
    {"temperature", K_NUMBER, 0, 1},         {"thinking", K_OBJECT, NONE, NONE},
    {"tool_choice", K_OBJECT, NONE, NONE},   {"tools", K_ARRAY, NONE, NONE},
    {"top_k", K_INTEGER, 0, NONE},           {"top_p", K_NUMBER, 0, 1},
};
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* Taken when the model's name says that it's another provider's. */
static const char *const aMistral[] = {"safe_prompt",      "random_seed",  "prompt_mode",
                                       "output_dimension", "output_dtype", "guardrails"};
static const char *const aRouter[] = {"provider", "models",    "transforms",        "route",
                                      "usage",    "reasoning", "include_reasoning", "plugins",
                                      "top_k",    "min_p",     "repetition_penalty"};

/* ---- shared ---- */

/* An OpenAI refusal: status 400 unless the code says otherwise. */
static int __attribute__((format(printf, 4, 5)))
refuse_o(cJSON **error, const char *code, const char *param, const char *fmt, ...) {
  char message[512];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(message, sizeof message, fmt, ap);
  va_end(ap);
  *error = error_openai(IRE, code, param, message);
  return code && strcmp(code, "model_not_found") == 0 ? 404 : 400;
}

/* An Anthropic refusal. */
static int __attribute__((format(printf, 3, 4)))
refuse_a(cJSON **error, int status, const char *fmt, ...) {
  char message[512];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(message, sizeof message, fmt, ap);
  va_end(ap);
  *error = error_anthropic(status, NULL, NULL, message);
  return status;
}

/* 1 when s is one of the n strings. */
static int in_list(const char *s, const char *const *list, size_t n) {
  for (size_t i = 0; s && i < n; i++) {
    if (strcmp(s, list[i]) == 0) {
      return 1;
    }
  }
  return 0;
}

/* The row of a parameter, or NULL. */
static const struct param *param_find(const struct param *a, size_t n, const char *name) {
  for (size_t i = 0; i < n; i++) {
    if (strcmp(a[i].name, name) == 0) {
      return &a[i];
    }
  }
  return NULL;
}

/* 1 when a value is of a kind. */
static int has_kind(const cJSON *j, enum kind kind) {
  switch (kind) {
  case K_STRING:
    return cJSON_IsString(j);
  case K_NUMBER:
    return cJSON_IsNumber(j);
  case K_INTEGER:
    return cJSON_IsNumber(j) && floor(j->valuedouble) == j->valuedouble;
  case K_BOOL:
    return cJSON_IsBool(j);
  case K_ARRAY:
    return cJSON_IsArray(j);
  case K_OBJECT:
    return cJSON_IsObject(j);
  default:
    return 1;
  }
}

/* The kind of a value, in words. */
static const char *kind_got(const cJSON *j) {
  return cJSON_IsString(j)   ? "a string"
         : cJSON_IsNumber(j) ? "a decimal"
         : cJSON_IsBool(j)   ? "a boolean"
         : cJSON_IsArray(j)  ? "an array"
         : cJSON_IsObject(j) ? "an object"
                             : "null";
}

/* The first member of a that isn't in the list, or NULL. */
static const char *stranger(const cJSON *o, const char *const *list, size_t n) {
  const cJSON *m;
  cJSON_ArrayForEach(m, o) {
    if (!in_list(m->string, list, n)) {
      return m->string;
    }
  }
  return NULL;
}

/* ---- OpenAI ---- */

/* 1 when another provider's model takes the parameter. */
static int foreign_param(const cJSON *req, const char *name) {
  const char *model = json_text(req, "model");
  if (!model) {
    return 0;
  }
  if (strchr(model, '/') && in_list(name, aRouter, COUNT(aRouter))) {
    return 1;
  }
  return strstr(model, "stral") && in_list(name, aMistral, COUNT(aMistral));
}

/* A kind, in words. */
static const char *kind_wanted(enum kind kind) {
  static const char *const aKind[] = {"a string", "a decimal", "an integer", "a boolean",
                                      "an array", "an object", "a value"};
  return aKind[kind];
}

/* Bounds of one number. */
static int range_o(const cJSON *j, const struct param *p, cJSON **error) {
  const char *word = p->kind == K_INTEGER ? "integer" : "decimal";
  char code[40];
  if (p->lo > NONE && j->valuedouble < p->lo) {
    snprintf(code, sizeof code, "%s_below_min_value", word);
    return refuse_o(error, code, p->name,
                    "Invalid '%s': %s below minimum value. Expected a value >= %g, but got %g "
                    "instead.",
                    p->name, word, p->lo, j->valuedouble);
  }
  if (p->hi > NONE && j->valuedouble > p->hi) {
    snprintf(code, sizeof code, "%s_above_max_value", word);
    return refuse_o(error, code, p->name,
                    "Invalid '%s': %s above maximum value. Expected a value <= %g, but got %g "
                    "instead.",
                    p->name, word, p->hi, j->valuedouble);
  }
  return 0;
}

/* All top-level parameters against their table. null counts as absent, but for the first two. */
static int params_o(const cJSON *req, const struct param *a, size_t n, cJSON **error) {
  const cJSON *j;
  if (!cJSON_IsObject(req)) {
    return refuse_o(error, NULL, NULL, "Invalid body: expected a JSON object.");
  }
  cJSON_ArrayForEach(j, req) {
    const struct param *p = param_find(a, n, j->string);
    if (!p && foreign_param(req, j->string)) {
      continue;
    }
    if (!p) {
      return refuse_o(error, NULL, NULL, "Unrecognized request argument supplied: %s", j->string);
    }
    if (cJSON_IsNull(j) && p >= a + 2) {
      continue;
    }
    if (!has_kind(j, p->kind) || (p->kind == K_ANY && cJSON_IsNull(j))) {
      return refuse_o(error, "invalid_type", p->name,
                      "Invalid type for '%s': expected %s, but got %s instead.", p->name,
                      kind_wanted(p->kind), kind_got(j));
    }
    if (cJSON_IsNumber(j) && range_o(j, p, error)) {
      return 400;
    }
  }
  return 0;
}

/* The model: there, and known. */
static int model_o(const cJSON *req, cJSON **error) {
  const char *model = json_text(req, "model");
  if (!model || !*model) {
    return refuse_o(error, NULL, NULL, "you must provide a model parameter");
  }
  if (strlen(model) >= MODEL_MAX) {
    return refuse_o(error, NULL, "model", "invalid model ID");
  }
  if (strncmp(model, "no-such-", 8) == 0) {
    return refuse_o(error, "model_not_found", NULL,
                    "The model `%s` does not exist or you do not have access to it.", model);
  }
  return 0;
}

/* One part of a message's content. */
static int part_o(const cJSON *part, int i, int k, cJSON **error) {
  static const char *const aType[] = {"text", "image_url", "input_audio", "file", "refusal"};
  const char *type = json_text(part, "type");
  char param[64];
  snprintf(param, sizeof param, "messages[%d].content[%d]", i, k);
  if (!type) {
    return refuse_o(error, "missing_required_parameter", param,
                    "Missing required parameter: '%s.type'.", param);
  }
  if (!in_list(type, aType, COUNT(aType))) {
    return refuse_o(error, "invalid_value", param,
                    "Invalid value: '%s'. Supported values are: 'text', 'image_url', "
                    "'input_audio', 'refusal', 'audio', and 'file'.",
                    type);
  }
  if (!json_get(part, type) || (strcmp(type, "text") == 0 && !json_text(part, "text"))) {
    return refuse_o(error, "missing_required_parameter", param,
                    "Missing required parameter: '%s.%s'.", param, type);
  }
  return 0;
}

/* A message's content: string, or a list of parts; null for an assistant that calls tools. */
static int content_o(const cJSON *m, int i, cJSON **error) {
  const cJSON *content = json_get(m, "content"), *part;
  const char *role = json_text(m, "role");
  char param[40];
  int k = 0, assistant = strcmp(role, "assistant") == 0;
  snprintf(param, sizeof param, "messages[%d].content", i);
  if (cJSON_IsString(content) ||
      (assistant && (json_get(m, "tool_calls") || json_get(m, "refusal")))) {
    return 0;
  }
  if (!content && !assistant) {
    return refuse_o(error, "missing_required_parameter", param, "Missing required parameter: '%s'.",
                    param);
  }
  if (!cJSON_IsArray(content)) {
    return refuse_o(error, "invalid_type", param,
                    "Invalid type for '%s': expected one of a string or array of objects, but got "
                    "%s instead.",
                    param, content ? kind_got(content) : "null");
  }
  if (!content->child) {
    return refuse_o(error, "empty_array", param,
                    "Invalid '%s': empty array. Expected an array with minimum length 1, but got "
                    "an empty array instead.",
                    param);
  }
  cJSON_ArrayForEach(part, content) {
    if (part_o(part, i, k++, error)) {
      return 400;
    }
  }
  return 0;
}

/* One message: role, members, content. */
static int message_o(const cJSON *m, int i, cJSON **error) {
  static const char *const aRole[] = {"system",   "assistant", "user",
                                      "function", "tool",      "developer"};
  static const char *const aMember[] = {"role",         "content", "name",  "tool_calls",
                                        "tool_call_id", "refusal", "audio", "function_call"};
  const char *role = json_text(m, "role"), *extra;
  char param[32];
  snprintf(param, sizeof param, "messages[%d]", i);
  if (!cJSON_IsObject(m)) {
    return refuse_o(error, "invalid_type", param,
                    "Invalid type for '%s': expected an object, but got %s instead.", param,
                    kind_got(m));
  }
  if (!json_get(m, "role")) {
    return refuse_o(error, "missing_required_parameter", param,
                    "Missing required parameter: '%s.role'.", param);
  }
  if (!in_list(role, aRole, COUNT(aRole))) {
    return refuse_o(error, "invalid_value", param,
                    "Invalid value: '%s'. Supported values are: 'system', 'assistant', 'user', "
                    "'function', 'tool', and 'developer'.",
                    role ? role : "");
  }
  extra = stranger(m, aMember, COUNT(aMember));
  if (extra) {
    return refuse_o(error, "unknown_parameter", param, "Unknown parameter: '%s.%s'.", param, extra);
  }
  if (strcmp(role, "tool") == 0 && !json_text(m, "tool_call_id")) {
    return refuse_o(error, "missing_required_parameter", param,
                    "Missing required parameter: '%s.tool_call_id'.", param);
  }
  return content_o(m, i, error);
}

/* The list of messages. */
static int messages_o(const cJSON *req, cJSON **error) {
  const cJSON *list = json_get(req, "messages"), *m;
  int i = 0;
  if (!list) {
    return refuse_o(error, "missing_required_parameter", "messages",
                    "Missing required parameter: 'messages'.");
  }
  if (!list->child) {
    return refuse_o(error, "empty_array", "messages",
                    "Invalid 'messages': empty array. Expected an array with minimum length 1, but "
                    "got an empty array instead.");
  }
  cJSON_ArrayForEach(m, list) {
    if (message_o(m, i++, error)) {
      return 400;
    }
  }
  return 0;
}

/* 1 when some message speaks of JSON, as json_object mode asks. */
static int speaks_of_json(const cJSON *req) {
  struct buf b = {0};
  buf_json(&b, json_get(req, "messages"));
  int yes = strcasestr(b.p, "json") != NULL;
  buf_free(&b);
  return yes;
}

/* response_format. */
static int format_o(const cJSON *req, cJSON **error) {
  const cJSON *f = json_get(req, "response_format"), *js = json_get(f, "json_schema");
  const char *type = json_text(f, "type"), *name = json_text(js, "name");
  if (!cJSON_IsObject(f) || (type && strcmp(type, "text") == 0)) {
    return 0;
  }
  if (type && strcmp(type, "json_object") == 0) {
    return speaks_of_json(req)
               ? 0
               : refuse_o(error, NULL, "messages",
                          "'messages' must contain the word 'json' in some form, to "
                          "use 'response_format' of type 'json_object'.");
  }
  if (!type || strcmp(type, "json_schema") != 0) {
    return refuse_o(error, "invalid_value", "response_format.type",
                    "Invalid value: '%s'. Supported values are: 'json_object', 'json_schema', and "
                    "'text'.",
                    type ? type : "");
  }
  if (!cJSON_IsObject(js) || !name) {
    return refuse_o(error, "missing_required_parameter", "response_format.json_schema",
                    "Missing required parameter: 'response_format.json_schema%s'.",
                    js ? ".name" : "");
  }
  if (!name_valid(name, NAME_MAX_LEN)) {
    return refuse_o(error, "invalid_value", "response_format.json_schema.name",
                    "Invalid 'response_format.json_schema.name': string does not match pattern. "
                    "Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.");
  }
  if (!cJSON_IsObject(json_get(js, "schema"))) {
    return refuse_o(error, "missing_required_parameter", "response_format.json_schema.schema",
                    "Missing required parameter: 'response_format.json_schema.schema'.");
  }
  char why[300];
  return schema_taken_o(json_get(js, "schema"), cJSON_IsTrue(json_get(js, "strict")), why,
                        sizeof why)
             ? 0
             : refuse_o(error, NULL, "response_format",
                        "Invalid schema for response_format '%s': %s", name, why);
}

/* metadata and safety_identifier. */
static int metadata_o(const cJSON *req, cJSON **error) {
  const cJSON *m, *all = json_get(req, "metadata");
  if (cJSON_GetArraySize(all) > 16) {
    return refuse_o(error, "object_above_max_properties", "metadata",
                    "Invalid 'metadata': too many properties. Expected at most 16.");
  }
  cJSON_ArrayForEach(m, all) {
    if (!cJSON_IsString(m)) {
      return refuse_o(error, "invalid_type", "metadata",
                      "Invalid type for 'metadata.%s': expected a string, but got %s instead.",
                      m->string, kind_got(m));
    }
    if (strlen(m->string) > 64 || strlen(m->valuestring) > 512) {
      return refuse_o(error, "string_above_max_length", "metadata",
                      "Invalid 'metadata': key or value too long.");
    }
  }
  const char *who = json_text(req, "safety_identifier");
  if (who && strlen(who) > 64) {
    return refuse_o(error, "string_above_max_length", "safety_identifier",
                    "Invalid 'safety_identifier': string too long. Expected at most 64.");
  }
  return 0;
}

/* tools and tool_choice. */
static int tools_o(const cJSON *req, cJSON **error) {
  const cJSON *t, *tools = json_get(req, "tools");
  int i = 0;
  cJSON_ArrayForEach(t, tools) {
    const char *type = json_text(t, "type"), *name = json_text(json_get(t, "function"), "name");
    if (!type || (strcmp(type, "function") == 0 && !name_valid(name, 64))) {
      return refuse_o(error, "invalid_value", "tools",
                      "Invalid 'tools[%d].function.name': string does not match pattern.", i);
    }
    i++;
  }
  if (!cJSON_IsArray(tools) && json_get(req, "tool_choice") &&
      !cJSON_IsNull(json_get(req, "tool_choice"))) {
    return refuse_o(error, NULL, "tool_choice",
                    "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' "
                    "are specified.");
  }
  return 0;
}

/* The length limits, the stop list and the stream options. */
static int limits_o(const cJSON *req, cJSON **error) {
  static const char *const aStem[] = {"o1", "o3", "o4", "gpt-5"};
  const char *model = json_text(req, "model");
  const cJSON *stop = json_get(req, "stop");
  int old = cJSON_IsNumber(json_get(req, "max_tokens"));
  for (size_t i = 0; old && i < COUNT(aStem); i++) {
    if (strncmp(model, aStem[i], strlen(aStem[i])) == 0) {
      return refuse_o(error, "unsupported_parameter", "max_tokens",
                      "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
                      "'max_completion_tokens' instead.");
    }
  }
  if (old && cJSON_IsNumber(json_get(req, "max_completion_tokens"))) {
    return refuse_o(error, "invalid_parameter_combination", "max_tokens",
                    "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not "
                    "supported.");
  }
  if (cJSON_IsArray(stop) ? cJSON_GetArraySize(stop) > 4 : stop && !cJSON_IsString(stop)) {
    return cJSON_IsNull(stop) ? 0
                              : refuse_o(error, "invalid_type", "stop",
                                         "Invalid 'stop': expected a "
                                         "string or up to 4 strings.");
  }
  if (cJSON_IsObject(json_get(req, "stream_options")) && !cJSON_IsTrue(json_get(req, "stream"))) {
    return refuse_o(error, NULL, "stream_options",
                    "The 'stream_options' parameter is only allowed when 'stream' is enabled.");
  }
  return 0;
}

/* A chat completion's body. */
int check_chat(const cJSON *req, cJSON **error) {
  static int (*const aRule[])(const cJSON *, cJSON **) = {model_o,  messages_o, limits_o,
                                                          format_o, metadata_o, tools_o};
  int status = params_o(req, aChat, COUNT(aChat), error);
  for (size_t i = 0; !status && i < COUNT(aRule); i++) {
    status = aRule[i](req, error);
  }
  return status;
}

/* One entry of an embedding's input: a non-empty string, or a non-empty list of token numbers. */
static int entry_o(const cJSON *j, cJSON **error) {
  const cJSON *t;
  int ok = cJSON_IsString(j) ? *j->valuestring != 0 : cJSON_IsArray(j) && j->child;
  cJSON_ArrayForEach(t, j) {
    ok = ok && cJSON_IsNumber(t);
  }
  if (!ok) {
    return refuse_o(error, NULL, "input",
                    "'$.input' is invalid. Please check the API reference: "
                    "https://platform.openai.com/docs/api-reference.");
  }
  if (cJSON_IsString(j) && token_count(j->valuestring, strlen(j->valuestring)) > 8192) {
    return refuse_o(error, NULL, NULL,
                    "This model's maximum context length is 8192 tokens, however you requested "
                    "more. Please reduce your prompt.");
  }
  return 0;
}

/* An embeddings request's body. */
int check_embeddings(const cJSON *req, cJSON **error) {
  const cJSON *in = json_get(req, "input"), *one;
  int status = params_o(req, aEmbed, COUNT(aEmbed), error);
  if (!status) {
    status = model_o(req, error);
  }
  if (status) {
    return status;
  }
  if (!in) {
    return refuse_o(error, "missing_required_parameter", "input",
                    "Missing required parameter: 'input'.");
  }
  const char *form = json_text(req, "encoding_format");
  if (form && strcmp(form, "float") != 0 && strcmp(form, "base64") != 0) {
    return refuse_o(error, "invalid_value", "encoding_format",
                    "Invalid value: '%s'. Supported values are: 'float' and 'base64'.", form);
  }
  if (!cJSON_IsArray(in) || cJSON_IsNumber(in->child)) {
    return entry_o(in, error);
  }
  if (!in->child || cJSON_GetArraySize(in) > 2048) {
    return refuse_o(error, NULL, "input",
                    "'$.input' is invalid: expected 1 to 2048 entries, but got %d.",
                    cJSON_GetArraySize(in));
  }
  int64_t tokens = 0;
  cJSON_ArrayForEach(one, in) {
    if (entry_o(one, error)) {
      return 400;
    }
    if (cJSON_IsString(one)) {
      tokens += token_count(one->valuestring, strlen(one->valuestring));
    }
  }
  if (tokens > 300000) {
    return refuse_o(error, "max_tokens_per_request", NULL,
                    "Requested %lld tokens, max 300000 tokens per request", (long long)tokens);
  }
  return 0;
}

/* ---- Anthropic ---- */

static const char *const aKindA[] = {"string", "number",     "integer", "boolean",
                                     "list",   "dictionary", "value"};

/* All top-level parameters against their table. null counts as absent, but for the first three. */
static int params_a(const cJSON *req, cJSON **error) {
  const cJSON *j;
  if (!cJSON_IsObject(req)) {
    return refuse_a(error, 400, "Input should be a valid dictionary");
  }
  cJSON_ArrayForEach(j, req) {
    const struct param *p = param_find(aMessages, COUNT(aMessages), j->string);
    if (!p) {
      return refuse_a(error, 400, "%s: Extra inputs are not permitted", j->string);
    }
    if (cJSON_IsNull(j) && p >= aMessages + 3) {
      continue;
    }
    if (!has_kind(j, p->kind)) {
      return refuse_a(error, 400, "%s: Input should be a valid %s", p->name, aKindA[p->kind]);
    }
    if (cJSON_IsNumber(j) && p->lo > NONE && j->valuedouble < p->lo) {
      return refuse_a(error, 400, "%s: Input should be greater than or equal to %g", p->name,
                      p->lo);
    }
    if (cJSON_IsNumber(j) && p->hi > NONE && j->valuedouble > p->hi) {
      return refuse_a(error, 400, "%s: Input should be less than or equal to %g", p->name, p->hi);
    }
  }
  return 0;
}

/* Counts cache_control objects anywhere below j, and checks their form. -1 = malformed. */
static int count_cache(const cJSON *j) {
  const cJSON *m;
  int n = 0;
  cJSON_ArrayForEach(m, j) {
    if (m->string && strcmp(m->string, "cache_control") == 0 && cJSON_IsObject(m)) {
      const char *type = json_text(m, "type"), *ttl = json_text(m, "ttl");
      if (!type || strcmp(type, "ephemeral") != 0 ||
          (ttl && strcmp(ttl, "5m") != 0 && strcmp(ttl, "1h") != 0)) {
        return -1;
      }
      n++;
    } else if (cJSON_IsArray(m) || cJSON_IsObject(m)) {
      int inner = count_cache(m);
      if (inner < 0) {
        return -1;
      }
      n += inner;
    }
  }
  return n;
}

/* One content block; where is "messages.0.content" or "system". */
static int block_a(const cJSON *b, const char *where, int k, cJSON **error) {
  static const char *const aType[] = {
      "text",        "image",    "document",          "tool_use",
      "tool_result", "thinking", "redacted_thinking", "search_result"};
  static const char *const aText[] = {"type", "text", "cache_control", "citations"};
  const char *type = json_text(b, "type"), *extra;
  if (!cJSON_IsObject(b)) {
    return refuse_a(error, 400, "%s.%d: Input should be a valid dictionary", where, k);
  }
  if (!type) {
    return refuse_a(error, 400, "%s.%d.type: Field required", where, k);
  }
  if (!in_list(type, aType, COUNT(aType))) {
    return refuse_a(error, 400,
                    "%s.%d: Input tag '%s' found using 'type' does not match any of the expected "
                    "tags",
                    where, k, type);
  }
  if (strcmp(type, "text") != 0) {
    return 0;
  }
  if (!json_text(b, "text")) {
    return refuse_a(error, 400, "%s.%d.text.text: Field required", where, k);
  }
  if (!*json_text(b, "text")) {
    return refuse_a(error, 400, "%s: text content blocks must be non-empty", where);
  }
  extra = stranger(b, aText, COUNT(aText));
  return extra ? refuse_a(error, 400, "%s.%d.text.%s: Extra inputs are not permitted", where, k,
                          extra)
               : 0;
}

/* A content: a string, or a list of blocks. */
static int content_a(const cJSON *c, const char *where, cJSON **error) {
  const cJSON *b;
  int k = 0;
  if (cJSON_IsString(c)) {
    return 0;
  }
  if (!cJSON_IsArray(c)) {
    return refuse_a(error, 400, "%s: Input should be a valid list", where);
  }
  cJSON_ArrayForEach(b, c) {
    if (block_a(b, where, k++, error)) {
      return 400;
    }
  }
  return 0;
}

/* One message: role, members, content. */
static int message_a(const cJSON *m, int i, cJSON **error) {
  static const char *const aMember[] = {"role", "content"};
  const char *role = json_text(m, "role"), *extra;
  const cJSON *c = json_get(m, "content");
  char where[40];
  if (!cJSON_IsObject(m)) {
    return refuse_a(error, 400, "messages.%d: Input should be a valid dictionary", i);
  }
  if (!json_get(m, "role")) {
    return refuse_a(error, 400, "messages.%d.role: Field required", i);
  }
  if (role && strcmp(role, "system") == 0) {
    return refuse_a(error, 400,
                    "messages: Unexpected role \"system\". The Messages API accepts a top-level "
                    "`system` parameter, not \"system\" as an input message role.");
  }
  if (!role || (strcmp(role, "user") != 0 && strcmp(role, "assistant") != 0)) {
    return refuse_a(error, 400, "messages.%d.role: Input should be 'user' or 'assistant'", i);
  }
  extra = stranger(m, aMember, 2);
  if (extra) {
    return refuse_a(error, 400, "messages.%d.%s: Extra inputs are not permitted", i, extra);
  }
  if (!c) {
    return refuse_a(error, 400, "messages.%d.content: Field required", i);
  }
  if (role[0] == 'u' && (cJSON_IsArray(c) ? !c->child : cJSON_IsString(c) && !*c->valuestring)) {
    return refuse_a(error, 400, "messages.%d: user messages must have non-empty content", i);
  }
  snprintf(where, sizeof where, "messages.%d.content", i);
  return content_a(c, where, error);
}

/* The list of messages, and the system prompt. */
static int messages_a(const cJSON *req, cJSON **error) {
  const cJSON *list = json_get(req, "messages"), *system = json_get(req, "system"), *m;
  int i = 0;
  if (!list) {
    return refuse_a(error, 400, "messages: Field required");
  }
  if (!list->child) {
    return refuse_a(error, 400, "messages: at least one message is required");
  }
  cJSON_ArrayForEach(m, list) {
    if (message_a(m, i++, error)) {
      return 400;
    }
  }
  return system && !cJSON_IsNull(system) ? content_a(system, "system", error) : 0;
}

/* Model, max_tokens and the cache blocks. */
static int basics_a(const cJSON *req, int counting, cJSON **error) {
  const char *model = json_text(req, "model");
  int marks = count_cache(req);
  if (!model) {
    return refuse_a(error, 400, "model: Field required");
  }
  if (!*model || strlen(model) >= MODEL_MAX) {
    return refuse_a(error, 400, "model: String should have at least 1 character");
  }
  if (!counting && !json_get(req, "max_tokens")) {
    return refuse_a(error, 400, "max_tokens: Field required");
  }
  if (counting && (json_get(req, "max_tokens") || json_get(req, "stream"))) {
    return refuse_a(error, 400, "%s: Extra inputs are not permitted",
                    json_get(req, "max_tokens") ? "max_tokens" : "stream");
  }
  if (!counting && json_int(req, "max_tokens", 0) < 1 && marks < 1) {
    return refuse_a(error, 400, "max_tokens: Input should be greater than or equal to 1");
  }
  if (marks < 0) {
    return refuse_a(error, 400, "cache_control: Input should be {'type': 'ephemeral'}");
  }
  if (marks > BREAKS_MAX) {
    return refuse_a(error, 400,
                    "A maximum of %d blocks with cache_control may be provided. Found %d.",
                    BREAKS_MAX, marks);
  }
  if (strncmp(model, "no-such-", 8) == 0) {
    return refuse_a(error, 404, "model: %s", model);
  }
  return 0;
}

/* output_config: format and effort. */
static int output_a(const cJSON *req, cJSON **error) {
  static const char *const aMember[] = {"format", "effort", "task_budget"};
  static const char *const aEffort[] = {"low", "medium", "high", "xhigh", "max"};
  const cJSON *c = json_get(req, "output_config"), *f = json_get(c, "format"),
              *e = json_get(c, "effort");
  const char *extra = stranger(c, aMember, COUNT(aMember)), *type = json_text(f, "type");
  char why[300];
  if (extra) {
    return refuse_a(error, 400, "output_config.%s: Extra inputs are not permitted", extra);
  }
  if (e && !cJSON_IsNull(e) && !in_list(cJSON_GetStringValue(e), aEffort, COUNT(aEffort))) {
    return refuse_a(error, 400,
                    "output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or "
                    "'max'");
  }
  if (!f || cJSON_IsNull(f)) {
    return 0;
  }
  if (!type || strcmp(type, "json_schema") != 0) {
    return refuse_a(error, 400, "output_config.format.type: Input should be 'json_schema'");
  }
  if (!cJSON_IsObject(json_get(f, "schema"))) {
    return refuse_a(error, 400, "output_config.format.schema: Field required");
  }
  if (!schema_taken_a(json_get(f, "schema"), why, sizeof why)) {
    return refuse_a(error, 400, "output_config.format.schema: %s", why);
  }
  return 0;
}

/* tools and tool_choice. */
static int tools_a(const cJSON *req, cJSON **error) {
  const cJSON *t, *tools = json_get(req, "tools"), *choice = json_get(req, "tool_choice");
  const char *type = json_text(choice, "type"), *want = json_text(choice, "name");
  int i = 0, found = 0;
  cJSON_ArrayForEach(t, tools) {
    const char *name = json_text(t, "name"),
               *schema = json_text(json_get(t, "input_schema"), "type");
    if (!name_valid(name, 128)) {
      return refuse_a(error, 400,
                      "tools.%d.custom.name: String should match pattern "
                      "'^[a-zA-Z0-9_-]{1,128}$'",
                      i);
    }
    if (!json_text(t, "type") && (!schema || strcmp(schema, "object") != 0)) {
      return refuse_a(error, 400, "tools.%d.custom.input_schema.type: Field required", i);
    }
    found += want && strcmp(want, name) == 0;
    i++;
  }
  if (type && strcmp(type, "tool") == 0 && !found) {
    return refuse_a(error, 400, "tool_choice.name: Tool '%s' not found in provided tools",
                    want ? want : "");
  }
  return 0;
}

/* stop_sequences, metadata. */
static int rest_a(const cJSON *req, cJSON **error) {
  static const char *const aMeta[] = {"user_id"};
  const cJSON *one;
  cJSON_ArrayForEach(one, json_get(req, "stop_sequences")) {
    const char *s = cJSON_GetStringValue(one);
    if (!s || !s[strspn(s, " \t\r\n")]) {
      return refuse_a(error, 400, "stop_sequences: each stop sequence must contain non-whitespace");
    }
  }
  const char *extra = stranger(json_get(req, "metadata"), aMeta, 1);
  if (extra) {
    return refuse_a(error, 400, "metadata.%s: Extra inputs are not permitted", extra);
  }
  return 0;
}

/* A message's body; counting = for count_tokens, which has no max_tokens. */
int check_messages(const cJSON *req, int counting, cJSON **error) {
  static int (*const aRule[])(const cJSON *, cJSON **) = {messages_a, output_a, tools_a, rest_a};
  int status = params_a(req, error);
  if (!status) {
    status = basics_a(req, counting, error);
  }
  for (size_t i = 0; !status && i < COUNT(aRule); i++) {
    status = aRule[i](req, error);
  }
  return status;
}
