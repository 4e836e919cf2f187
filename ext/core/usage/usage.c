/*
** Usage objects. See usage.h for the contract, vendor.h for the shapes.
*/
#include "core/usage/usage.h"

#include "base/text/decimal.h"
#include "base/utf8.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The shapes an unknown sender may report in. */
static const char *const common[] = {
    "openai",         "azure.responses", "anthropic.default", "google.default", "aws.default",
    "cohere.default", "ollama",          "azure.embeddings",  "ledger",         "langchain",
    "ai-sdk",         "cohere.v1",       "agent-sdk",         "aws.details"};

void usage_init(Usage *u) {
  *u = (Usage){.can = ~(UnitSet)0, .reported_nusd = USAGE_UNKNOWN, .service = "standard"};
}

void usage_set(Usage *u, Unit unit, long long count) {
  u->n[unit] = count;
  u->has |= UNIT_BIT(unit);
}

long long usage_get(const Usage *u, Unit unit) {
  return u->has & UNIT_BIT(unit) ? u->n[unit] : USAGE_UNKNOWN;
}

/* A word in lower case, cut off at the size of a Usage's words. */
static void take_word(char out[USAGE_WORD], const char *word) {
  utf8_copy(out, USAGE_WORD, word);
  for (; *out; out++) {
    *out = (char)tolower((unsigned char)*out);
  }
}

/* Providers' words for what is sold: the first of a pair means the second. */
void usage_set_service(Usage *u, const char *word) {
  static const struct {
    const char *word, *service;
  } words[] = {{"", "standard"},
               {"default", "standard"},
               {"auto", "standard"},
               {"on_demand", "standard"},
               {"standard_only", "standard"},
               {"not_available", "standard"},
               {"on_demand_priority", "priority"},
               {"on_demand_flex", "flex"}};
  take_word(u->service, word);
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    if (strcmp(u->service, words[i].word) == 0) {
      take_word(u->service, words[i].service);
      return;
    }
  }
}

void usage_set_geo(Usage *u, const char *word) {
  take_word(u->geo, word);
  if (strcmp(u->geo, "global") == 0 || strcmp(u->geo, "not_available") == 0) {
    u->geo[0] = 0;
  }
}

/* ---- one shape over one object */

/* One step down a path. */
static const cJSON *step_into(const cJSON *at, const char *step) {
  const char *equals = strchr(step, '=');
  const cJSON *item;
  if (!equals) {
    return cJSON_IsObject(at) ? cJSON_GetObjectItemCaseSensitive(at, step) : NULL;
  }
  cJSON_ArrayForEach(item, (cJSON_IsArray(at) ? at : NULL)) {
    char field[32];
    snprintf(field, sizeof field, "%.*s", (int)(equals - step), step);
    const char *value = json_text(item, field);
    if (value && strcasecmp(value, equals + 1) == 0) {
      return item;
    }
  }
  return NULL;
}

/* Follows a path; NULL where a step is missing or null. */
static const cJSON *walk(const cJSON *at, const char *const *steps) {
  while (at && *steps) {
    at = step_into(at, *steps++);
  }
  return at && !cJSON_IsNull(at) ? at : NULL;
}

/* The usage object in a whole answer, or the object itself where it is one already. */
static const cJSON *find_root(const cJSON *body, const Shape *shape) {
  for (const char *const *root = shape->root; *root && strcmp(*root, "-") != 0; root++) {
    const cJSON *found = walk(body, root);
    if (cJSON_IsObject(found)) {
      return found;
    }
  }
  return body;
}

/* How much of an object a shape explains: its numbers that are there, and whether all required ones
** are. */
typedef struct Fit {
  const Shape *shape;
  int complete, read;
} Fit;

/* 1 if the path before is the same: one number that counts as two units. */
static int is_again(const Shape *shape, int i) {
  const char *const *a = shape->paths[i].steps, *const *b = i ? shape->paths[i - 1].steps : NULL;
  while (b && *a && *b && strcmp(*a, *b) == 0) {
    a++;
    b++;
  }
  return b && !*a && !*b;
}

static Fit fit_of(const cJSON *body, const Shape *shape) {
  const cJSON *root = find_root(body, shape);
  Fit fit = {shape, 1, 0};
  for (int i = 0; i < shape->n; i++) {
    int there = walk(root, shape->paths[i].steps) != NULL;
    fit.read += there && !(shape->paths[i].required && is_again(shape, i));
    fit.complete &= there || !shape->paths[i].required;
  }
  return fit;
}

static void offer(Fit *best, const cJSON *body, const Shape *shape) {
  Fit fit = shape ? fit_of(body, shape) : (Fit){0};
  if (fit.read > 0 && (!best->shape || fit.complete > best->complete ||
                       (fit.complete == best->complete && fit.read > best->read))) {
    *best = fit;
  }
}

/* A shape without output is only believed where the total says there was none. */
static int hides_output(const cJSON *body, const Shape *shape) {
  const cJSON *root = find_root(body, shape);
  long long total = 0, input = -1;
  json_count(root, "total_tokens", &total);
  json_count(root, "prompt_tokens", &input);
  return !(shape->can & UNIT_BIT(UNIT_OUTPUT)) && input >= 0 && total != input;
}

static const Shape *find_shape(const cJSON *body, const Vendor *vendor) {
  Fit best = {0};
  const Shape *shape;
  for (int i = 0; vendor && (shape = vendor_shape_at(vendor, i, NULL, NULL)) != NULL; i++) {
    if (!hides_output(body, shape)) {
      offer(&best, body, shape);
    }
  }
  for (size_t i = 0; i < sizeof common / sizeof common[0]; i++) {
    shape = shape_by_name(common[i]);
    if (shape && !hides_output(body, shape)) {
      offer(&best, body, shape);
    }
  }
  return best.shape;
}

/* The count at the end of a path: 1 and *count, 0 where there is none, -1 and *err. */
static int read_count(const cJSON *root, const char *const *steps, long long *count, Err *err) {
  const cJSON *item = walk(root, steps);
  double d = item && cJSON_IsNumber(item) ? item->valuedouble : -1.0;
  if (!item) {
    return 0;
  }
  if (!decimal_is_whole(d, 0, (double)LIMIT_TOKENS)) {
    while (steps[1]) {
      steps++;
    }
    err_set(err, RC_ERROR, ERR_BAD_USAGE, "usage: '%s' is not a token count", *steps);
    return -1;
  }
  *count = (long long)d;
  return 1;
}

static void read_shape(const cJSON *root, const Shape *shape, Usage *u, Err *err) {
  UnitSet incomplete = 0;
  u->can = shape->can;
  for (int i = 0; i < shape->n; i++) {
    const ShapePath *p = &shape->paths[i];
    long long count = 0;
    if (p->otherwise && u->has & UNIT_BIT(p->unit)) {
      continue;
    }
    if (read_count(root, p->steps, &count, err) == 1) {
      u->n[p->unit] += count;
      u->has |= UNIT_BIT(p->unit);
    } else if (p->required) {
      incomplete |= UNIT_BIT(p->unit);
    }
  }
  u->has &= ~incomplete;
}

/* 1 if cached tokens are reported outside the input tokens, as Anthropic does: their paths then count as input too. */
static int stands_beside(const Shape *shape) {
  int inputs = 0;
  for (int i = 0; i < shape->n; i++) {
    inputs += shape->paths[i].unit == UNIT_INPUT;
  }
  return inputs > 1;
}

/* Cache writes that are only reported by their lifetimes. */
static void add_split_writes(const Shape *shape, Usage *u) {
  UnitSet split = UNIT_BIT(UNIT_CACHE_WRITE_5M) | UNIT_BIT(UNIT_CACHE_WRITE_1H);
  if (shape->can & UNIT_BIT(UNIT_CACHE_WRITE) && u->has & split &&
      usage_get(u, UNIT_CACHE_WRITE) <= 0) {
    usage_set(u, UNIT_CACHE_WRITE, u->n[UNIT_CACHE_WRITE_5M] + u->n[UNIT_CACHE_WRITE_1H]);
    u->n[UNIT_INPUT] += stands_beside(shape) ? u->n[UNIT_CACHE_WRITE] : 0;
  }
}

static long long total_of(const cJSON *root) {
  long long total = -1;
  if (json_count(root, "total_tokens", &total) != 1) {
    json_count(root, "totalTokenCount", &total);
  }
  return total <= LIMIT_TOKENS ? total : -1;
}

/* Where the total is the input alone, there was no output. */
static void note_no_output(const cJSON *root, Usage *u) {
  if (usage_get(u, UNIT_OUTPUT) == USAGE_UNKNOWN && u->has & UNIT_BIT(UNIT_INPUT) &&
      total_of(root) == u->n[UNIT_INPUT]) {
    usage_set(u, UNIT_OUTPUT, 0);
  }
}

/* Where the total is more than its two parts, the rest is reasoning that completion_tokens leaves out
** (xAI, Gemini's OpenAI endpoint at times, servers that are spoken to as if they were OpenAI): it is
** billed as output. Others' totals hold other things (audio at Mistral), so of the known providers
** only these are read like that. */
static void add_unlisted_output(const Vendor *vendor, const cJSON *root, Usage *u) {
  if (vendor && strcmp(vendor->id, "x-ai") != 0 && strcmp(vendor->id, "google") != 0 &&
      strcmp(vendor->id, "openai") != 0) {
    return;
  }
  UnitSet both = UNIT_BIT(UNIT_INPUT) | UNIT_BIT(UNIT_OUTPUT);
  long long total = total_of(root);
  if ((u->has & both) == both && total > u->n[UNIT_INPUT] + u->n[UNIT_OUTPUT]) {
    usage_set(u, UNIT_OUTPUT, total - u->n[UNIT_INPUT]);
  }
}

/* ---- what stands beside the counts */

/* A cost in dollars (OpenRouter; Perplexity's with its parts) or in ticks of 1e-10 dollars (xAI). */
static void read_reported_cost(const cJSON *usage, Usage *u) {
  const cJSON *cost = cJSON_GetObjectItemCaseSensitive(usage, "cost");
  const cJSON *total = cJSON_GetObjectItemCaseSensitive(cost, "total_cost");
  long long ticks;
  cost = total ? total : cost;
  if (cJSON_IsNumber(cost) && cost->valuedouble >= 0 && cost->valuedouble < 9e9) {
    u->reported_nusd = llround(cost->valuedouble * 1e9);
  } else if (json_count(usage, "cost_in_usd_ticks", &ticks) == 1) {
    u->reported_nusd = (ticks + 5) / 10;
  }
}

/* What was sold, as the answer (never the request) tells it. */
static void read_service(const cJSON *body, const cJSON *usage, Usage *u) {
  const char *tier = json_text(usage, "service_tier");
  tier = tier ? tier : json_text(body, "service_tier");
  tier = tier ? tier : json_text(usage, "trafficType");
  tier = tier ? tier : json_text(usage, "serviceTier");
  tier = tier ? tier : json_text(usage, "service");
  tier = tier ? tier : json_text(cJSON_GetObjectItemCaseSensitive(body, "serviceTier"), "type");
  if (tier) {
    usage_set_service(u, tier);
  }
  const char *speed = json_text(usage, "speed");
  if (speed && strcmp(speed, "fast") == 0) { /* (not sold together with another service) */
    usage_set_service(u, strcmp(u->service, "standard") == 0 ? "fast" : "fast with another");
  }
  const char *geo = json_text(usage, "inference_geo");
  geo = geo ? geo : json_text(usage, "geo");
  if (geo) {
    usage_set_geo(u, geo);
  }
}

/* ---- our own form */

/* 1 if an object is counts of our units and what we say beside them, and nothing else: pages that were
** read, say, without a token. */
static int has_only_units(const cJSON *body) {
  static const char *const beside[] = {"service", "geo", "other", "model"};
  const cJSON *item;
  int units = 0;
  cJSON_ArrayForEach(item, (cJSON_IsObject(body) ? body : NULL)) {
    int known = cJSON_IsNumber(item) && unit_parse(item->string) < UNIT_COUNT;
    units += known;
    for (size_t i = 0; i < sizeof beside / sizeof beside[0]; i++) {
      known |= cJSON_IsString(item) && strcmp(item->string, beside[i]) == 0;
    }
    if (!known) {
      return 0;
    }
  }
  return units > 0;
}

/* (A provider's whole answer may have an "output" too: its text.) */
static int is_own(const cJSON *body) {
  return cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(body, "input")) ||
         cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(body, "output")) || has_only_units(body);
}

/* 1 if a member that is no unit is no count of tokens either. */
static int is_beside(const char *key) {
  static const char *const words[] = {"total", "cost", "usd", "latency", "duration", "time"};
  char lower[40];
  snprintf(lower, sizeof lower, "%s", key);
  for (char *p = lower; *p; p++) {
    *p = (char)tolower((unsigned char)*p);
  }
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    if (strstr(lower, words[i])) {
      return 1;
    }
  }
  return 0;
}

/* A count under another name would be billed as what contains it: it is an error. */
static void read_own(const cJSON *body, Usage *u, Err *err) {
  const cJSON *item;
  cJSON_ArrayForEach(item, body) {
    Unit unit = unit_parse(strcmp(item->string, "cached") == 0 ? "cache_read" : item->string);
    const char *const steps[] = {item->string, NULL};
    long long count;
    if (unit < UNIT_COUNT && read_count(body, steps, &count, err) == 1) {
      usage_set(u, unit, count);
    } else if (unit == UNIT_COUNT && (cJSON_IsNumber(item) || cJSON_IsObject(item)) &&
               !is_beside(item->string)) {
      err_set(err, RC_ERROR, ERR_BAD_USAGE, "usage: '%.40s' is no unit", item->string);
    }
  }
  const char *other = json_text(body, "other");
  utf8_copy(u->other, sizeof u->other, other ? other : "");
  read_service(body, body, u);
}

/* Puts a usage into an object. */
static void add_usage(cJSON *tree, const Usage *u, Err *err) {
  for (UnitSet left = u->has; left; left &= left - 1) {
    Unit unit = UNIT_FIRST(left);
    json_add(tree, unit_word(unit), cJSON_CreateNumber((double)u->n[unit]), err);
  }
  if (strcmp(u->service, "standard") != 0) {
    json_add(tree, "service", cJSON_CreateString(u->service), err);
  }
  if (u->geo[0]) {
    json_add(tree, "geo", cJSON_CreateString(u->geo), err);
  }
  if (u->other[0]) {
    json_add(tree, "other", cJSON_CreateString(u->other), err);
  }
}

cJSON *usage_json(const Usage *u) {
  return usage_parts_json(u, NULL, 0);
}

cJSON *usage_parts_json(const Usage *whole, const UsagePart *parts, int n) {
  Err err = {0};
  cJSON *tree = cJSON_CreateObject();
  add_usage(tree, whole, &err);
  cJSON *list = n ? json_add(tree, "parts", cJSON_CreateArray(), &err) : NULL;
  for (int i = 0; i < n; i++) {
    cJSON *part = json_add(list, NULL, cJSON_CreateObject(), &err);
    add_usage(part, &parts[i].usage, &err);
    if (parts[i].model[0]) {
      json_add(part, "model", cJSON_CreateString(parts[i].model), &err);
    }
  }
  if (err.rc != RC_OK) {
    cJSON_Delete(tree);
    tree = NULL;
  }
  return tree;
}

/* ---- snapshots of a stream */

/* Puts the members of `from` into `into`: objects member by member, null says nothing, all else
** replaces. */
static void merge(cJSON *into, const cJSON *from, Err *err) {
  const cJSON *item;
  cJSON_ArrayForEach(item, from) {
    cJSON *old = cJSON_GetObjectItemCaseSensitive(into, item->string);
    if (cJSON_IsNull(item)) {
      continue;
    }
    if (cJSON_IsObject(old) && cJSON_IsObject(item)) {
      merge(old, item, err);
    } else {
      if (old) {
        cJSON_Delete(cJSON_DetachItemViaPointer(into, old));
      }
      json_add(into, item->string, cJSON_Duplicate(item, 1), err);
    }
  }
}

static int has_usage(const cJSON *body) {
  return cJSON_GetObjectItemCaseSensitive(body, "usage") != NULL ||
         cJSON_GetObjectItemCaseSensitive(body, "usageMetadata") != NULL;
}

/* The answer inside an event of a stream ("message", "response") or a line of a batch's results
** ("response"."body", "result"."message"), or the body itself. */
static const cJSON *unwrap(const cJSON *body) {
  static const char *const wrappers[] = {"message", "response", "body", "result"};
  const cJSON *at = body;
  for (int depth = 0; depth < 3 && at && !has_usage(at); depth++) {
    const cJSON *inner = NULL;
    for (size_t i = 0; i < sizeof wrappers / sizeof wrappers[0] && !cJSON_IsObject(inner); i++) {
      inner = cJSON_GetObjectItemCaseSensitive(at, wrappers[i]);
    }
    at = cJSON_IsObject(inner) ? inner : NULL;
  }
  return at && has_usage(at) ? at : body;
}

/* A line of a batch's results: only those have the id that the request brought, or (Gemini) stand beside
** a key, metadata or the request. */
static int is_batch_line(const cJSON *body) {
  static const char *const beside[] = {"key", "metadata", "request", "processed_time"};
  const cJSON *gemini = cJSON_GetObjectItemCaseSensitive(
      cJSON_GetObjectItemCaseSensitive(body, "response"), "usageMetadata");
  int found = json_text(body, "custom_id") != NULL;
  for (size_t i = 0; i < sizeof beside / sizeof beside[0] && gemini; i++) {
    found |= cJSON_HasObjectItem(body, beside[i]);
  }
  return found;
}

/* 1 if an array holds an object of a type. */
static int has_type(const cJSON *array, const char *prefix) {
  const cJSON *item;
  cJSON_ArrayForEach(item, array) {
    const char *type = json_text(item, "type");
    if (type && strncmp(type, prefix, strlen(prefix)) == 0) {
      return 1;
    }
  }
  return 0;
}

/* The tools a whole answer of OpenAI's Responses says it used, which its usage does not count. Of a web
** search's actions only the search itself is billed; the older tool has another price, by model. */
static void count_tools(const cJSON *answer, Usage *u) {
  const cJSON *item;
  long long web = 0, file = 0;
  cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(answer, "output")) {
    const char *type = json_text(item, "type");
    const char *action = json_text(cJSON_GetObjectItemCaseSensitive(item, "action"), "type");
    web +=
        type && strcmp(type, "web_search_call") == 0 && (!action || strcmp(action, "search") == 0);
    file += type && strcmp(type, "file_search_call") == 0;
  }
  if (web && has_type(cJSON_GetObjectItemCaseSensitive(answer, "tools"), "web_search_preview")) {
    snprintf(u->other, sizeof u->other, "web_search_preview");
  } else if (web && usage_get(u, UNIT_WEB_SEARCH) == USAGE_UNKNOWN) {
    usage_set(u, UNIT_WEB_SEARCH, web);
  }
  if (file && usage_get(u, UNIT_FILE_SEARCH) == USAGE_UNKNOWN) {
    usage_set(u, UNIT_FILE_SEARCH, file);
  }
}

/* What a usage says is billed, in what we have no unit for. */
static void read_other(const cJSON *usage, Usage *u) {
  static const char *const fields[] = {"prompt_audio_seconds", "images"};
  for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(usage, fields[i]);
    if (cJSON_IsNumber(item) && item->valuedouble > 0) {
      snprintf(u->other, sizeof u->other, "%s", fields[i]);
    }
  }
}

/* The snapshots of one answer as one object, owned; NULL and *err. */
static cJSON *merge_snapshots(const cJSON *array, Err *err) {
  cJSON *whole = cJSON_CreateObject();
  const cJSON *item;
  cJSON_ArrayForEach(item, array) {
    const cJSON *snapshot = unwrap(item);
    const char *line = json_text(item, "custom_id"), *key = line ? "custom_id" : "id";
    const char *id = line ? line : json_text(snapshot, "id"), *first = json_text(whole, key);
    if (line && !first) {
      json_add(whole, key, cJSON_CreateString(line), err);
    }
    if (id && first && strcmp(id, first) != 0) {
      err_set(err, RC_ERROR, ERR_BAD_USAGE,
              "usage: an array holds the snapshots of one answer, but this one has two ids");
    } else if (cJSON_IsObject(snapshot)) {
      merge(whole, snapshot, err);
    }
  }
  if (!whole) {
    err_nomem(err);
  }
  return whole;
}

/* ---- reading */

static int read_object(const cJSON *body, const Vendor *vendor, const char *api, Usage *u,
                       Err *err) {
  const Shape *shape = vendor && api ? vendor_shape(vendor, api) : NULL;
  if (vendor && api && !shape) {
    return err_set(err, RC_ERROR, ERR_BAD_OPTION, "provider '%s' has no api '%.40s'", vendor->id,
                   api);
  }
  if (!shape && is_own(body)) {
    read_own(body, u, err);
    return err->rc;
  }
  const cJSON *answer = shape ? body : unwrap(body);
  shape = shape ? shape : find_shape(answer, vendor);
  if (!shape) {
    return RC_OK;
  }
  const cJSON *root = find_root(answer, shape);
  read_shape(root, shape, u, err);
  add_split_writes(shape, u);
  note_no_output(root, u);
  if (!api) {
    add_unlisted_output(vendor, root, u);
    count_tools(answer, u);
  }
  read_service(answer, root, u);
  if (is_batch_line(body) && strcmp(u->service, "standard") == 0) {
    usage_set_service(u, "batch");
  }
  read_other(root, u);
  read_reported_cost(root, u);
  return err->rc;
}

/* ---- parts */

static const cJSON *list_of_parts(const cJSON *body) {
  const cJSON *own = cJSON_GetObjectItemCaseSensitive(body, "parts");
  const cJSON *answer = unwrap(body), *usage = cJSON_GetObjectItemCaseSensitive(answer, "usage");
  const cJSON *list =
      cJSON_GetObjectItemCaseSensitive(cJSON_IsObject(usage) ? usage : answer, "iterations");
  list = own ? own : list;
  return cJSON_IsArray(list) && cJSON_GetArraySize(list) > 0 ? list : NULL;
}

/* 1 if the only part is of the answer's own model. */
static int is_alone(const cJSON *body, const UsagePart *part, int n) {
  const char *model = json_text(unwrap(body), "model");
  return n == 1 && (!part->model[0] || (model && strcmp(model, part->model) == 0));
}

/* 1 if the whole counts what its only part does, and maybe says more of it; a compaction's tokens are in
** the part alone. */
static int says_the_same(const Usage *whole, const Usage *part) {
  return usage_get(whole, UNIT_OUTPUT) == usage_get(part, UNIT_OUTPUT) &&
         usage_get(whole, UNIT_INPUT) >= usage_get(part, UNIT_INPUT);
}

/* The lifetime of writes, where only the whole tells it: if all of them live for an hour, a part's do. */
static void move_lifetime(const Usage *whole, Usage *part) {
  long long hour = usage_get(whole, UNIT_CACHE_WRITE_1H),
            writes = usage_get(part, UNIT_CACHE_WRITE);
  if (hour > 0 && hour == usage_get(whole, UNIT_CACHE_WRITE) && writes > 0 &&
      usage_get(part, UNIT_CACHE_WRITE_1H) == USAGE_UNKNOWN) {
    usage_set(part, UNIT_CACHE_WRITE_1H, writes);
  }
}

/* One attempt: what it does not say itself is as the whole says. */
static void read_part(const cJSON *item, const Usage *whole, UsagePart *part, Err *err) {
  const char *model = json_text(item, "model");
  utf8_copy(part->model, sizeof part->model, model ? model : "");
  usage_init(&part->usage);
  memcpy(part->usage.service, whole->service, sizeof part->usage.service);
  memcpy(part->usage.geo, whole->geo, sizeof part->usage.geo);
  read_object(item, vendor_by_word("anthropic"), is_own(item) ? NULL : "default", &part->usage,
              err);
}

/* Searches and other fees are told of the whole only: they go with the last part. */
static void move_fees(const Usage *whole, UsagePart *last) {
  for (Unit unit = UNIT_REQUEST; unit < UNIT_COUNT; unit++) {
    if (whole->has & UNIT_BIT(unit) && !(last->usage.has & UNIT_BIT(unit))) {
      usage_set(&last->usage, unit, whole->n[unit]);
    }
  }
}

static int read_parts(const cJSON *body, Usage *whole, UsagePart **parts, int *n, Err *err) {
  const cJSON *list = list_of_parts(body), *item;
  UsagePart *all = list ? calloc((size_t)cJSON_GetArraySize(list), sizeof *all) : NULL;
  if (!list || !all) {
    return list ? err_nomem(err) : RC_OK;
  }
  cJSON_ArrayForEach(item, list) {
    read_part(item, whole, &all[*n], err);
    move_lifetime(whole, &all[*n].usage);
    *n += usage_get(&all[*n].usage, UNIT_OUTPUT) != 0;
  }
  if (*n == 0) { /* nothing but declined attempts: what the whole says */
    free(all);
    return err->rc;
  }
  move_fees(whole, &all[*n - 1]);
  if (is_alone(body, all, *n)) {
    all->usage.reported_nusd = whole->reported_nusd;
    *whole = says_the_same(whole, &all->usage) ? *whole : all->usage;
    *n = 0;
    free(all);
    return err->rc;
  }
  *parts = all;
  return err->rc;
}

int usage_read_all(const cJSON *body, const Vendor *vendor, const char *api, Usage *u,
                   UsagePart **parts, int *n, Err *err) {
  cJSON *whole = cJSON_IsArray(body) ? merge_snapshots(body, err) : NULL;
  usage_init(u);
  *parts = NULL;
  *n = 0;
  body = whole ? whole : body;
  if (err->rc == RC_OK && cJSON_IsObject(body) && read_object(body, vendor, api, u, err) == RC_OK &&
      !api) {
    read_parts(body, u, parts, n, err);
  }
  if (err->rc != RC_OK) {
    free(*parts);
    *parts = NULL;
    *n = 0;
  }
  cJSON_Delete(whole);
  return err->rc;
}

int usage_read(const cJSON *body, const Vendor *vendor, const char *api, Usage *u, Err *err) {
  UsagePart *parts;
  int n;
  usage_read_all(body, vendor, api, u, &parts, &n, err);
  free(parts);
  return err->rc;
}

const char *usage_model(const cJSON *body, const Vendor *vendor, const char *api) {
  const Shape *shape = vendor && api ? vendor_shape(vendor, api) : NULL;
  body = shape ? body : unwrap(body);
  const cJSON *name =
      walk(body, shape && shape->model[0] ? shape->model : (const char *const[]){"model", NULL});
  name = name ? name : walk(body, (const char *const[]){"modelVersion", NULL});
  return cJSON_GetStringValue(name);
}
