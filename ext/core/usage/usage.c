/*
** Reading what was billed. See usage.h for the contract, reading.h for the pieces.
*/
#include "core/usage/usage.h"

#include "core/usage/reading.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- one usage object */

/* What a program says of each model, by its name: Claude Code's result, gemini-cli's. */
static const cJSON *models_of(const cJSON *body) {
  static const char *const paths[][3] = {{"modelUsage"}, {"stats", "models"}};
  const cJSON *found = NULL;
  for (size_t i = 0; i < sizeof paths / sizeof paths[0] && !cJSON_IsObject(found); i++) {
    found = shape_walk(body, paths[i]);
  }
  return cJSON_IsObject(found) ? found : NULL;
}

static int read_found(const cJSON *body, const cJSON *answer, const Vendor *vendor, Usage *u,
                      Err *err);

/* Langfuse counts characters, seconds, requests and images by the words that it has for tokens. */
static int check_unit(const cJSON *object, Err *err) {
  const char *unit = json_text(object, "unit");
  if (unit && strcasecmp(unit, "tokens") != 0) {
    err_set(err, RC_ERROR, ERR_BAD_USAGE, "usage: its unit is '%.40s': those are no tokens", unit);
  }
  return err->rc;
}

/* An object in our own form, or in a log's that has names like it. */
static int read_own(const cJSON *body, const cJSON *own, Usage *u, Err *err) {
  const cJSON *unknown;
  const Shape *shape = own_shape(own, &unknown);
  if (check_unit(body, err) != RC_OK || check_unit(own, err) != RC_OK) {
    return err->rc;
  }
  if (!shape) {
    return own_read(own, unknown, u, err);
  }
  shape_read(shape, own, u, err);
  shape_use_total(shape, NULL, own, u);
  fees_read_words(&(FeePlace){body, own, shape, NULL}, u);
  return err->rc;
}

/* A line of a batch's results is priced as one, if it does not say otherwise. */
static void note_batch(const cJSON *body, Usage *u) {
  if (envelope_is_batch(body) && strcmp(u->service, "standard") == 0) {
    usage_set_service(u, "batch");
  }
}

/* By the shape that is said to be there, and nothing else is counted. */
static int read_exactly(const cJSON *body, const Shape *shape, const Vendor *vendor, Usage *u,
                        Err *err) {
  FeePlace place = {body, shape_root(body, shape), shape, vendor};
  shape_read(shape, place.usage, u, err);
  shape_use_total(NULL, vendor, place.usage, u);
  fees_read_words(&place, u);
  note_batch(body, u);
  fees_read(&place, 1, u);
  fees_read_cost(&place, u);
  return err->rc;
}

/* What a program says of the input is all of it, or what stands beside the cached tokens. */
static int is_same_input(const Usage *raw, long long input) {
  long long cached = usage_get(raw, UNIT_CACHE_READ), written = usage_get(raw, UNIT_CACHE_WRITE);
  long long plain = raw->n[UNIT_INPUT] - (cached > 0 ? cached : 0) - (written > 0 ? written : 0);
  return raw->n[UNIT_INPUT] == input || plain == input;
}

/* A program's digest may hold what the provider said itself, which tells more (lifetimes, searches, service): that is
** read instead where both say the same. (Of several steps together it is the last one's.) */
static void prefer_raw(const FeePlace *place, Usage *u) {
  static const char *const paths[][4] = {{"raw"}, {"rawUsage"}, {"raw_usage"}};
  static const char *const beside[][4] = {{"providerMetadata", "anthropic", "usage"},
                                          {"provider_metadata", "anthropic", "usage"}};
  enum { INSIDE = sizeof paths / sizeof paths[0], BESIDE = sizeof beside / sizeof beside[0] };
  UnitSet both = UNIT_BIT(UNIT_INPUT) | UNIT_BIT(UNIT_OUTPUT);
  for (size_t i = 0; i < INSIDE + BESIDE; i++) {
    const cJSON *raw = i < INSIDE ? shape_walk(place->usage, paths[i])
                                  : shape_walk(place->answer, beside[i - INSIDE]);
    Err ignored = {0};
    Usage own;
    usage_init(&own);
    if (cJSON_IsObject(raw) && read_found(raw, raw, place->vendor, &own, &ignored) == RC_OK &&
        (own.has & u->has & both) == both && is_same_input(&own, u->n[UNIT_INPUT]) &&
        own.n[UNIT_OUTPUT] == u->n[UNIT_OUTPUT]) {
      *u = own;
      return;
    }
  }
}

/* By the shape that is found, and with all else that the answer shows. */
static int read_found(const cJSON *body, const cJSON *answer, const Vendor *vendor, Usage *u,
                      Err *err) {
  const cJSON *steps = cJSON_GetObjectItemCaseSensitive(answer, "totalUsage"); /* all together */
  const cJSON *counted = cJSON_IsObject(steps) ? steps : answer;
  const Shape *shape = shape_find(counted, vendor);
  FeePlace place = {answer, shape ? shape_root(counted, shape) : answer, shape, vendor};
  if (shape) {
    check_unit(place.usage, err);
    shape_read(shape, place.usage, u, err);
    shape_use_total(shape, vendor, place.usage, u);
    prefer_raw(&place, u);
  }
  fees_read_words(&place, u);
  note_batch(body, u);
  fees_read(&place, 0, u);
  u->can = shape ? u->can : u->has; /* (of a thing that is billed alone, no tokens are missing) */
  fees_read_cost(&place, u);
  return err->rc;
}

/* The attributes of a span, if there are any; what looks like tokens and was not read is an error. */
static int read_rest(const cJSON *body, const Vendor *vendor, Usage *u, Err *err) {
  cJSON *span = envelope_attributes(body, err);
  if (span) {
    read_found(span, span, vendor, u, err);
  }
  const char *name = u->has || u->other[0] ? NULL : shape_token_like(body);
  if (name) {
    err_set(err, RC_ERROR, ERR_BAD_USAGE,
            "usage: '%.60s' looks like a count of tokens, but it is none of a known shape", name);
  }
  cJSON_Delete(span);
  return err->rc;
}

static int read_object(const cJSON *body, const Vendor *vendor, const char *api, Usage *u,
                       Err *err) {
  const Shape *shape = vendor && api ? vendor_shape(vendor, api) : NULL;
  if (vendor && api && !shape) {
    return err_set(err, RC_ERROR, ERR_BAD_OPTION, "provider '%s' has no api '%.40s'", vendor->id,
                   api);
  }
  if (shape) {
    return read_exactly(body, shape, vendor, u, err);
  }
  const cJSON *own = own_find(body);
  if (own) {
    return read_own(body, own, u, err);
  }
  if (read_found(body, envelope_open(body), vendor, u, err) == RC_OK && !u->has && !u->other[0] &&
      !models_of(body)) {
    read_rest(body, vendor, u, err);
  }
  return err->rc;
}

/* ---- parts */

static const cJSON *list_of_parts(const cJSON *body) {
  const cJSON *own = cJSON_GetObjectItemCaseSensitive(body, "parts");
  const cJSON *answer = envelope_open(body),
              *usage = cJSON_GetObjectItemCaseSensitive(answer, "usage");
  const cJSON *list =
      cJSON_GetObjectItemCaseSensitive(cJSON_IsObject(usage) ? usage : answer, "iterations");
  list = cJSON_IsArray(own) ? own : cJSON_IsArray(list) && list->child ? list : models_of(body);
  return list && list->child ? list : NULL;
}

/* 1 if the only part is of the answer's own model. */
static int is_alone(const cJSON *body, const UsagePart *part, int n) {
  const char *model = json_text(envelope_open(body), "model");
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
  const char *model = item->string ? item->string : json_text(item, "model");
  utf8_copy(part->model, sizeof part->model, model ? model : "");
  usage_init(&part->usage);
  memcpy(part->usage.service, whole->service, sizeof part->usage.service);
  memcpy(part->usage.geo, whole->geo, sizeof part->usage.geo);
  if (item->string) {
    read_object(item, NULL, NULL, &part->usage, err);
  } else {
    read_object(item, vendor_by_word("anthropic"), own_find(item) ? NULL : "default", &part->usage,
                err);
  }
}

/* Searches and other fees that are told of the whole only go with the last part. */
static void move_fees(const Usage *whole, UsagePart *parts, int n) {
  UnitSet told = 0;
  for (int i = 0; i < n; i++) {
    told |= parts[i].usage.has;
  }
  for (Unit unit = UNIT_REQUEST; unit < UNIT_COUNT; unit++) {
    if (whole->has & ~told & UNIT_BIT(unit)) {
      usage_set(&parts[n - 1].usage, unit, whole->n[unit]);
    }
  }
}

/* Of parts alone (models of which none is the answer's own) the whole is their sum. */
static void add_up(Usage *whole, const UsagePart *parts, int n) {
  whole->can = 0;
  for (int i = 0; i < n; i++) {
    const Usage *part = &parts[i].usage;
    whole->can |= part->can;
    for (UnitSet left = part->has; left; left &= left - 1) {
      Unit unit = UNIT_FIRST(left);
      usage_set(whole, unit, (whole->has & UNIT_BIT(unit) ? whole->n[unit] : 0) + part->n[unit]);
    }
    usage_add_other(whole, part->other);
  }
}

/* More than any program's result tells of. */
enum { MOST_MODELS = 512 };

static int read_parts(const cJSON *body, Usage *whole, UsagePart **parts, int *n, Err *err) {
  const cJSON *list = list_of_parts(body), *item;
  UsagePart *all = list ? calloc((size_t)cJSON_GetArraySize(list), sizeof *all) : NULL;
  if (!list || !all) {
    return list ? err_nomem(err) : RC_OK;
  }
  if (cJSON_IsObject(list) && cJSON_GetArraySize(list) > MOST_MODELS) {
    free(all);
    return err_set(err, RC_ERROR, ERR_BAD_USAGE, "usage: more than %d models", MOST_MODELS);
  }
  int is_attempt = cJSON_IsArray(list) && !cJSON_HasObjectItem(body, "parts");
  cJSON_ArrayForEach(item, list) {
    read_part(item, whole, &all[*n], err);
    move_lifetime(whole, &all[*n].usage);
    *n += is_attempt ? usage_get(&all[*n].usage, UNIT_OUTPUT) != 0 : all[*n].usage.has != 0;
  }
  if (*n == 0) { /* nothing but declined attempts: what the whole says */
    free(all);
    return err->rc;
  }
  if (!whole->has) {
    add_up(whole, all, *n);
  }
  move_fees(whole, all, *n);
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
  cJSON *whole = !cJSON_IsArray(body)     ? envelope_parse(body)
                 : envelope_is_span(body) ? envelope_attributes(body, err)
                                          : envelope_merge(body, err);
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
  body = shape ? body : envelope_open(body);
  const cJSON *name = shape_walk(
      body, shape && shape->model[0] ? shape->model : (const char *const[]){"model", NULL});
  name = name ? name : shape_walk(body, (const char *const[]){"modelVersion", NULL});
  return cJSON_GetStringValue(name);
}
