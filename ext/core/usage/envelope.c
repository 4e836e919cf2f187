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
  static const char *const names[] = {"usage", "usageMetadata", "usage_metadata", "usage_info"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (member(body, names[i])) {
      return 1;
    }
  }
  return cJSON_IsObject(member(member(body, "meta"), "billed_units"));
}

/* The answer in a line of a batch's results, whatever it has. */
static const cJSON *open_line(const cJSON *body) {
  static const char *const paths[][4] = {{"response", "body"},
                                         {"result", "message"},
                                         {"modelOutput"},
                                         {"batch_result", "response", "chat_get_completion"}};
  const cJSON *found = NULL;
  for (size_t i = 0; i < sizeof paths / sizeof paths[0] && !cJSON_IsObject(found); i++) {
    found = shape_walk(body, paths[i]);
  }
  return cJSON_IsObject(found) && envelope_is_batch(body) ? found : NULL;
}

/* Events have it in "message", "response", "delta" (Cohere), "metadata" (Bedrock) or "event" (Claude Code), lines of a
** batch's results in "response"."body", "result"."message" or "modelOutput", what is asked for afterwards in "data"
** (OpenRouter), programs' objects in "meta" or "kwargs". */
const cJSON *envelope_open(const cJSON *body) {
  static const char *const wrappers[] = {"message",     "response", "body",     "result",
                                         "modelOutput", "delta",    "metadata", "data",
                                         "event",       "meta",     "kwargs"};
  const cJSON *at = body, *line = open_line(body);
  for (int depth = 0; depth < 3 && at && !has_usage(at); depth++) {
    const cJSON *inner = NULL;
    for (size_t i = 0; i < sizeof wrappers / sizeof wrappers[0] && !cJSON_IsObject(inner); i++) {
      inner = member(at, wrappers[i]);
    }
    at = cJSON_IsObject(inner) ? inner : NULL;
  }
  return at && has_usage(at) ? at : line ? line : body;
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

cJSON *envelope_parse(const cJSON *body) {
  const cJSON *metadata = member(body, "metadata");
  const char *name = cJSON_IsObject(metadata) ? "usage_object" : "metadata";
  const char *text = json_text(cJSON_IsObject(metadata) ? metadata : body, name);
  Err ignored = {0};
  cJSON *inner =
      text && json_begins(text) ? json_parse(text, strlen(text), "the metadata", &ignored) : NULL;
  cJSON *copy = cJSON_IsObject(inner) ? cJSON_Duplicate(body, 1) : NULL;
  cJSON *at = cJSON_IsObject(metadata) ? cJSON_GetObjectItemCaseSensitive(copy, "metadata") : copy;
  if (!at || !cJSON_ReplaceItemInObjectCaseSensitive(at, name, inner)) {
    cJSON_Delete(inner);
  }
  return copy;
}

/* ---- snapshots of a stream */

/* More names than any object of an answer has, and any span attributes. Members are looked up one after the other: more
** would take their square in time. */
enum { MOST_NAMES = 512 };

static void too_many(const char *what, Err *err) {
  err_set(err, RC_ERROR, ERR_BAD_USAGE, "usage: more than %d %s", MOST_NAMES, what);
}

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

/* 1 for what tells nothing: null, and words for a service or a place that is not known (yet). */
static int says_nothing(const cJSON *item) {
  static const char *const words[] = {"", "auto", "not_available", "unspecified",
                                      "TRAFFIC_TYPE_UNSPECIFIED"};
  const char *text = cJSON_GetStringValue(item);
  for (size_t i = 0; i < sizeof words / sizeof words[0] && text; i++) {
    if (strcmp(text, words[i]) == 0) {
      return 1;
    }
  }
  return cJSON_IsNull(item);
}

/* What says nothing takes no place of what does; what is not merged is replaced. */
static void merge_object(cJSON *into, const cJSON *from, Err *err) {
  const cJSON *item;
  int n = cJSON_GetArraySize(into);
  cJSON_ArrayForEach(item, from) {
    cJSON *old = cJSON_GetObjectItemCaseSensitive(into, item->string);
    if (cJSON_IsNull(item) || (old && says_nothing(item)) || merge_item(old, item, err)) {
      continue;
    }
    if (old) {
      cJSON_Delete(cJSON_DetachItemViaPointer(into, old));
    } else if (n++ >= MOST_NAMES) {
      too_many("names in an object", err);
      return;
    }
    json_add(into, item->string, cJSON_Duplicate(item, 1), err);
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

/* What says which answer a snapshot is of: two of them are two answers. The names of the line go in front, those of the
** answer in it may be the same ("id"). A line of a batch has one of its own. */
static void check_ids(const cJSON *whole, const cJSON *snapshot, const char *const *names,
                      Err *err) {
  for (; *names && err->rc == RC_OK; names++) {
    const char *id = json_text(snapshot, *names), *other = json_text(whole, *names);
    if (id && other && strcmp(id, other) != 0) {
      err_set(err, RC_ERROR, ERR_BAD_USAGE,
              "usage: an array holds the snapshots of one answer, but this one has two ids ('%s')",
              *names);
    }
  }
}

/* Keeps the line's own ids, which the answer in it does not have. */
static void keep_ids(cJSON *whole, const cJSON *line, const char *const *names, Err *err) {
  for (; *names; names++) {
    const char *id = json_text(line, *names);
    if (id && !json_text(whole, *names)) {
      json_add(whole, *names, cJSON_CreateString(id), err);
    }
  }
}

/* 1 if an array holds the sum of several steps, each with an answer's id of its own (AI SDK). */
static int has_sum(const cJSON *array) {
  const cJSON *item;
  cJSON_ArrayForEach(item, array) {
    if (cJSON_IsObject(member(item, "totalUsage"))) {
      return 1;
    }
  }
  return 0;
}

static void check_same(cJSON *whole, const cJSON *line, const cJSON *snapshot, int is_sum,
                       Err *err) {
  static const char *const batch[] = {"custom_id", "recordId", NULL};
  static const char *const lines[] = {"requestId", "request_id", "spanId", "span_id", NULL};
  static const char *const answers[] = {"id", "responseId", "response_id", NULL};
  check_ids(whole, line, batch, err);
  if (!json_text(line, "custom_id") && !json_text(line, "recordId")) {
    check_ids(whole, line, lines, err);
    check_ids(whole, snapshot, answers, err);
    if (!is_sum) {
      check_ids(member(whole, "response"), member(snapshot, "response"), answers, err);
    }
  }
  keep_ids(whole, line, batch, err);
  keep_ids(whole, line, lines, err);
}

/* What ends an answer that has no id: another one is of another answer. */
static int is_end(const cJSON *line) {
  static const char *const types[] = {"turn.completed", "stream-end", "message_stop"};
  const char *type = json_text(line, "type");
  int is = cJSON_IsTrue(member(line, "done")) && cJSON_IsNumber(member(line, "eval_count"));
  type = type ? type : json_text(line, "event_type");
  for (size_t i = 0; type && i < sizeof types / sizeof types[0]; i++) {
    is |= strcmp(type, types[i]) == 0;
  }
  return is;
}

static void check_ends(const cJSON *whole, int ends, Err *err) {
  if (ends > 1 && !json_text(whole, "id")) {
    err_set(err, RC_ERROR, ERR_BAD_USAGE,
            "usage: an array holds the snapshots of one answer, but this one has two ends");
  }
}

/* Codex logs a line per turn, with the sums of the session beside it: lines with other sums are of other turns. */
static void check_turn(const cJSON *whole, const cJSON *snapshot, Err *err) {
  static const char *const sums[] = {"payload", "info", "total_token_usage", NULL};
  static const char *const old_sums[] = {"msg", "info", "total_token_usage", NULL};
  static const char *const names[] = {"input_tokens", "output_tokens", "total_tokens"};
  const cJSON *a = json_at(whole, sums), *b = json_at(snapshot, sums);
  int differ = 0;
  a = a ? a : json_at(whole, old_sums);
  b = b ? b : json_at(snapshot, old_sums);
  for (size_t i = 0; i < sizeof names / sizeof names[0] && a && b; i++) {
    const cJSON *x = member(a, names[i]), *y = member(b, names[i]);
    differ |= cJSON_IsNumber(x) && cJSON_IsNumber(y) && x->valuedouble != y->valuedouble;
  }
  if (differ) {
    err_set(err, RC_ERROR, ERR_BAD_USAGE,
            "usage: an array holds the snapshots of one answer, but 'total_token_usage' is of two "
            "turns");
  }
}

cJSON *envelope_merge(const cJSON *array, Err *err) {
  cJSON *whole = cJSON_CreateObject();
  const cJSON *item;
  int is_sum = has_sum(array), ends = 0;
  cJSON_ArrayForEach(item, array) {
    const cJSON *snapshot = envelope_open(item);
    ends += is_end(item);
    check_same(whole, item, snapshot, is_sum, err);
    check_turn(whole, snapshot, err);
    check_ends(whole, ends, err);
    if (err->rc != RC_OK) {
      break;
    }
    if (cJSON_IsObject(snapshot)) {
      merge_object(whole, snapshot, err);
    }
  }
  if (!whole) {
    err_nomem(err);
  }
  return whole;
}

/* ---- attributes of a span */

/* An attribute is a member, an object of a key and a value, or an array of the two. */
static const char *name_of_attribute(const cJSON *item) {
  const char *name = item->string ? item->string : json_text(item, "key");
  return cJSON_IsArray(item) && !name ? cJSON_GetStringValue(item->child) : name;
}

/* 1 for an attribute about tokens: OpenTelemetry's, or OpenInference's; or, of a key and a value, one of the events that
** coding agents send. */
static int is_about_tokens(const cJSON *item) {
  static const char *const fronts[] = {"gen_ai.usage", "llm.token_count", "llm.usage"};
  static const char *const keys[] = {"input_token_count", "input_tokens"};
  const char *name = name_of_attribute(item);
  for (size_t i = 0; i < sizeof fronts / sizeof fronts[0] && name; i++) {
    if (strncmp(name, fronts[i], strlen(fronts[i])) == 0) {
      return 1;
    }
  }
  for (size_t i = 0; i < sizeof keys / sizeof keys[0] && name && !item->string; i++) {
    if (strcmp(name, keys[i]) == 0) {
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
    here |= is_about_tokens(item);
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
  value = cJSON_IsArray(item) && item->child && !item->string ? item->child->next : value;
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

/* Makes room for a name whose place an object or a number has: what is in the object goes into one of the name and
** "_details" ("….input_tokens.cached", where "….input_tokens" is a number itself). */
static cJSON *object_of(cJSON *tree, const char *name, Err *err) {
  char details[80];
  cJSON *inner = cJSON_GetObjectItemCaseSensitive(tree, name);
  snprintf(details, sizeof details, "%s_details", name);
  if (inner && !cJSON_IsObject(inner)) {
    name = details;
    inner = cJSON_GetObjectItemCaseSensitive(tree, name);
  }
  return cJSON_IsObject(inner) ? inner : json_add(tree, name, cJSON_CreateObject(), err);
}

static void put_leaf(cJSON *tree, const char *name, cJSON *value, Err *err) {
  char details[80];
  cJSON *old = cJSON_GetObjectItemCaseSensitive(tree, name);
  if (cJSON_IsObject(old) && !cJSON_IsObject(value)) {
    snprintf(details, sizeof details, "%.60s_details", name);
    json_add(tree, details, cJSON_DetachItemViaPointer(tree, old), err);
    old = NULL;
  }
  if (old) {
    cJSON_Delete(value);
  } else {
    json_add(tree, name, value, err);
  }
}

/* Puts an attribute into objects in objects, a level a dot; none has so many that it has more. */
static void put_attribute(cJSON *tree, const char *name, cJSON *value, Err *err) {
  char step[64];
  const char *dot;
  int left = 12;
  while ((dot = strchr(name, '.')) != NULL && err->rc == RC_OK && left-- > 0) {
    snprintf(step, sizeof step, "%.*s", (int)(dot - name), name);
    tree = object_of(tree, step, err);
    name = dot + 1;
  }
  put_leaf(tree, name, value, err);
}

int envelope_is_span(const cJSON *array) {
  const cJSON *item;
  cJSON_ArrayForEach(item, array) {
    if (is_about_tokens(item)) {
      return 1;
    }
  }
  return 0;
}

/* Those about tokens and the service first: of the others (a conversation's whole text) only as many as may matter. */
static void put_attributes(cJSON *tree, const cJSON *span, Err *err) {
  const cJSON *item;
  int n = 0;
  for (int tokens = 1; tokens >= 0; tokens--) {
    cJSON_ArrayForEach(item, span) {
      const char *name = name_of_attribute(item);
      int is_first = name && (is_about_tokens(item) || strstr(name, "service_tier"));
      if (err->rc != RC_OK || !name || is_first != tokens) {
        continue;
      }
      if (n++ < MOST_NAMES) {
        put_attribute(tree, name, value_of(item), err);
      } else if (tokens) {
        too_many("attributes", err);
      }
    }
  }
}

cJSON *envelope_attributes(const cJSON *body, Err *err) {
  int n = 0;
  const cJSON *span = find_span(body, 10, &n);
  cJSON *tree = span ? cJSON_CreateObject() : NULL;
  if (n > 1) {
    err_set(err, RC_ERROR, ERR_BAD_USAGE,
            "usage: the attributes of %d spans, of which some may hold others: give those of one",
            n);
  }
  if (tree) {
    put_attributes(tree, span, err);
  } else if (span) {
    err_nomem(err);
  }
  if (err->rc != RC_OK) {
    cJSON_Delete(tree);
    tree = NULL;
  }
  return tree;
}
