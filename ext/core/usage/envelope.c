/*
** What an answer comes wrapped in. See reading.h for the contract.
*/
#include "core/usage/reading.h"

#include "base/text/decimal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- events and lines */

static const cJSON *member(const cJSON *object, const char *name) {
  return cJSON_GetObjectItemCaseSensitive(object, name);
}

static int has_usage(const cJSON *body) {
  return member(body, "usage") != NULL || member(body, "usageMetadata") != NULL;
}

/* Events have it in "message", "response", "delta" (Cohere) or "metadata" (Bedrock), lines of a batch's results in
** "response"."body", "result"."message" or "modelOutput", what is asked for afterwards in "data" (OpenRouter). */
const cJSON *envelope_open(const cJSON *body) {
  static const char *const wrappers[] = {"message",     "response", "body",     "result",
                                         "modelOutput", "delta",    "metadata", "data"};
  const cJSON *at = body;
  for (int depth = 0; depth < 3 && at && !has_usage(at); depth++) {
    const cJSON *inner = NULL;
    for (size_t i = 0; i < sizeof wrappers / sizeof wrappers[0] && !cJSON_IsObject(inner); i++) {
      inner = member(at, wrappers[i]);
    }
    at = cJSON_IsObject(inner) ? inner : NULL;
  }
  return at && has_usage(at) ? at : body;
}

/* Only such lines have the id that the request brought, or stand (Gemini) beside a key, metadata or the request, or
** (Bedrock) in a record. */
int envelope_is_batch(const cJSON *body) {
  static const char *const beside[] = {"key", "metadata", "request", "processed_time"};
  const cJSON *gemini = member(member(body, "response"), "usageMetadata");
  int found = json_text(body, "custom_id") != NULL ||
              (json_text(body, "recordId") && cJSON_IsObject(member(body, "modelOutput")));
  for (size_t i = 0; i < sizeof beside / sizeof beside[0] && gemini; i++) {
    found |= cJSON_HasObjectItem(body, beside[i]);
  }
  return found;
}

/* ---- snapshots of a stream */

static void merge_object(cJSON *into, const cJSON *from, Err *err);
static void merge_array(cJSON *into, const cJSON *from, Err *err);

/* Merges a later snapshot into what an earlier one said, where both are of a kind that is merged: 1, or 0. Less is
** no news, as all are cumulative (gateways send a 0 for what they don't know again). */
static int merge_item(cJSON *old, const cJSON *item, Err *err) {
  if (cJSON_IsObject(old) && cJSON_IsObject(item)) {
    merge_object(old, item, err);
  } else if (cJSON_IsArray(old) && cJSON_IsArray(item)) {
    merge_array(old, item, err);
  } else if (cJSON_IsNumber(old) && cJSON_IsNumber(item)) {
    if (item->valuedouble > old->valuedouble) {
      cJSON_SetNumberHelper(old, item->valuedouble);
    }
  } else {
    return 0;
  }
  return 1;
}

/* null says nothing; what is not merged is replaced. */
static void merge_object(cJSON *into, const cJSON *from, Err *err) {
  const cJSON *item;
  cJSON_ArrayForEach(item, from) {
    cJSON *old = cJSON_GetObjectItemCaseSensitive(into, item->string);
    if (!cJSON_IsNull(item) && !merge_item(old, item, err)) {
      if (old) {
        cJSON_Delete(cJSON_DetachItemViaPointer(into, old));
      }
      json_add(into, item->string, cJSON_Duplicate(item, 1), err);
    }
  }
}

/* What an element is called in its array, or NULL. */
static const char *name_of(const cJSON *item) {
  static const char *const names[] = {"id", "modality", "ttl"};
  const char *name = cJSON_GetStringValue(item);
  for (size_t i = 0; i < sizeof names / sizeof names[0] && !name; i++) {
    name = json_text(item, names[i]);
  }
  return name;
}

/* The element of that name; nobody has more than so many. */
static cJSON *find_named(const cJSON *array, const char *name) {
  int left = 256;
  cJSON *at;
  cJSON_ArrayForEach(at, array) {
    const char *other = name_of(at);
    if (left-- == 0 || (other && strcmp(other, name) == 0)) {
      return left < 0 ? NULL : at;
    }
  }
  return NULL;
}

/* Elements are merged with those of the same name, or at the same place where they have none. */
static void merge_array(cJSON *into, const cJSON *from, Err *err) {
  const cJSON *item;
  cJSON *place = into->child;
  cJSON_ArrayForEach(item, from) {
    const char *name = name_of(item);
    cJSON *old = name ? find_named(into, name) : place;
    place = place ? place->next : NULL;
    if (old) {
      merge_item(old, item, err);
    } else {
      json_add(into, NULL, cJSON_Duplicate(item, 1), err);
    }
  }
}

/* What says which answer a snapshot is of: two of them are two answers. */
static void check_same(cJSON *whole, const cJSON *line, const cJSON *snapshot, Err *err) {
  static const char *const names[] = {"id", "responseId", "response_id"};
  const char *custom = json_text(line, "custom_id"), *first = json_text(whole, "custom_id");
  int differ = custom && first && strcmp(custom, first) != 0;
  if (custom && !first) {
    json_add(whole, "custom_id", cJSON_CreateString(custom), err);
  }
  for (size_t i = 0; i < sizeof names / sizeof names[0] && !custom; i++) {
    const char *id = json_text(snapshot, names[i]), *other = json_text(whole, names[i]);
    differ |= id && other && strcmp(id, other) != 0;
  }
  if (differ) {
    err_set(err, RC_ERROR, ERR_BAD_USAGE,
            "usage: an array holds the snapshots of one answer, but this one has two ids");
  }
}

/* Codex logs a line per turn, with the sums of the session beside it: lines with other sums are of other turns. */
static void check_turn(const cJSON *whole, const cJSON *snapshot, Err *err) {
  static const char *const sums[] = {"payload", "info", "total_token_usage", NULL};
  const cJSON *a = json_at(whole, sums), *b = json_at(snapshot, sums);
  if (cJSON_IsObject(a) && cJSON_IsObject(b) && !cJSON_Compare(a, b, 1)) {
    err_set(err, RC_ERROR, ERR_BAD_USAGE,
            "usage: an array holds the snapshots of one answer, but 'total_token_usage' is of two "
            "turns");
  }
}

cJSON *envelope_merge(const cJSON *array, Err *err) {
  cJSON *whole = cJSON_CreateObject();
  const cJSON *item;
  cJSON_ArrayForEach(item, array) {
    const cJSON *snapshot = envelope_open(item);
    check_same(whole, item, snapshot, err);
    check_turn(whole, snapshot, err);
    if (cJSON_IsObject(snapshot) && err->rc == RC_OK) {
      merge_object(whole, snapshot, err);
    }
  }
  if (!whole) {
    err_nomem(err);
  }
  return whole;
}

/* ---- attributes of a span */

/* 1 if a name is an attribute about tokens: OpenTelemetry's, or OpenInference's. */
static int is_attribute(const char *name) {
  static const char *const fronts[] = {"gen_ai.usage", "llm.token_count", "llm.usage"};
  for (size_t i = 0; i < sizeof fronts / sizeof fronts[0]; i++) {
    if (name && strncmp(name, fronts[i], strlen(fronts[i])) == 0) {
      return 1;
    }
  }
  return 0;
}

/* The object or array that has such attributes; *n counts them. */
static const cJSON *find_span(const cJSON *at, int depth, int *n) {
  const cJSON *item, *found = NULL, *inner;
  int here = 0;
  cJSON_ArrayForEach(item, (depth > 0 ? at : NULL)) {
    here |= is_attribute(item->string) || is_attribute(json_text(item, "key"));
  }
  if (here) {
    ++*n;
    return at;
  }
  cJSON_ArrayForEach(item, (depth > 0 ? at : NULL)) {
    inner = find_span(item, depth - 1, n);
    found = found ? found : inner;
  }
  return found;
}

/* An attribute's value: OTLP's are in an object that tells the type, whole numbers in a text. */
static cJSON *value_of(const cJSON *item) {
  static const char *const types[] = {"intValue",  "doubleValue",  "stringValue", "boolValue",
                                      "int_value", "double_value", "string_value"};
  const cJSON *value = member(item, "key") ? member(item, "value") : item, *typed = NULL;
  for (size_t i = 0; i < sizeof types / sizeof types[0] && !typed; i++) {
    typed = cJSON_IsObject(value) ? member(value, types[i]) : NULL;
  }
  value = typed ? typed : value;
  const char *text = cJSON_GetStringValue(value);
  if (text && text[0] && strlen(text) <= 10 && strspn(text, "0123456789") == strlen(text)) {
    return cJSON_CreateNumber(strtod(text, NULL));
  }
  return value ? cJSON_Duplicate(value, 1) : cJSON_CreateNull();
}

/* Puts an attribute into objects in objects, a level a dot. What would stand in a number ("….input_tokens.cached"
** where "….input_tokens" is one) goes into an object of its name and "_details". */
static void put_attribute(cJSON *tree, const char *name, cJSON *value, Err *err) {
  char step[64];
  const char *dot;
  while ((dot = strchr(name, '.')) != NULL && err->rc == RC_OK) {
    snprintf(step, sizeof step, "%.*s", (int)(dot - name), name);
    cJSON *inner = cJSON_GetObjectItemCaseSensitive(tree, step);
    if (inner && !cJSON_IsObject(inner)) {
      snprintf(step, sizeof step, "%.*s_details", (int)(dot - name), name);
      inner = cJSON_GetObjectItemCaseSensitive(tree, step);
    }
    tree = cJSON_IsObject(inner) ? inner : json_add(tree, step, cJSON_CreateObject(), err);
    name = dot + 1;
  }
  if (cJSON_HasObjectItem(tree, name)) {
    cJSON_Delete(value);
  } else {
    json_add(tree, name, value, err);
  }
}

cJSON *envelope_attributes(const cJSON *body, Err *err) {
  int n = 0;
  const cJSON *span = find_span(body, 10, &n), *item;
  cJSON *tree = span ? cJSON_CreateObject() : NULL;
  if (n > 1) {
    err_set(err, RC_ERROR, ERR_BAD_USAGE,
            "usage: the attributes of %d spans, of which some may hold others: give those of one",
            n);
  }
  cJSON_ArrayForEach(item, span) {
    const char *name = item->string ? item->string : json_text(item, "key");
    if (name && tree && err->rc == RC_OK) {
      put_attribute(tree, name, value_of(item), err);
    }
  }
  if (span && !tree) {
    err_nomem(err);
  }
  if (err->rc != RC_OK) {
    cJSON_Delete(tree);
    tree = NULL;
  }
  return tree;
}
