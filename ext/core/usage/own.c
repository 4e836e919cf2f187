/*
** Our own form of what was billed. See usage.h for the form, reading.h for the contract.
**
** Some programs log counts by the same words in another sense (opencode's reasoning stands beside its output,
** Langfuse's cached tokens beside its input). They are told by a name that is none of ours: such an object is read as
** a shape of theirs only if that explains all of it.
*/
#include "core/usage/reading.h"
#include "core/usage/usage.h"

#include "base/text/glob.h"
#include "base/utf8.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* The shapes whose names are like ours. */
static const char *const logs[] = {"opencode", "gemini-cli", "gemini-cli.stats", "pi", "langfuse"};

static const char *const beside[] = {"service", "geo", "other", "model"};

void name_words(const char *name, char out[NAME_WORDS]) {
  size_t n = 0;
  for (const char *p = name; *p && n + 3 < NAME_WORDS; p++) {
    int before = p > name ? (unsigned char)p[-1] : 0, c = (unsigned char)*p;
    int begins = (isupper(c) && (islower(before) || islower((unsigned char)p[1]))) ||
                 (isdigit(c) && !isdigit(before)) || (isdigit(before) && !isdigit(c));
    if ((begins || !isalnum(c)) && n > 0 && out[n - 1] != '_') {
      out[n++] = '_';
    }
    if (isalnum(c)) {
      out[n++] = (char)tolower(c);
    }
  }
  out[n] = 0;
}

int name_has_word(const char *globs, const char *words) {
  char word[NAME_WORDS];
  for (const char *p = words; *p; p += strspn(p, "_")) {
    size_t n = strcspn(p, "_");
    snprintf(word, sizeof word, "%.*s", (int)n, p);
    if (n > 0 && glob_any(globs, word)) {
      return 1;
    }
    p += n;
  }
  return 0;
}

static Unit unit_of(const char *name) {
  return unit_parse(strcmp(name, "cached") == 0 ? "cache_read" : name);
}

/* 1 if an object is counts of our units and what we say beside them, and nothing else: pages that were
** read, say, without a token, or only something that no unit counts. */
static int has_only_units(const cJSON *body) {
  const cJSON *item;
  int units = 0;
  cJSON_ArrayForEach(item, (cJSON_IsObject(body) ? body : NULL)) {
    int known = cJSON_IsNumber(item) && unit_parse(item->string) < UNIT_COUNT;
    units += known || (cJSON_IsString(item) && strcmp(item->string, "other") == 0);
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

static const cJSON *find_in(const cJSON *body) {
  static const char *const members[] = {"usage", "tokens", "usage_details", "usageDetails"};
  if (is_own(body)) {
    return body;
  }
  for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(body, members[i]);
    if (cJSON_IsObject(item) && is_own(item)) {
      return item;
    }
  }
  return NULL;
}

/* Events of coding agents have it a level or two deeper. */
const cJSON *own_find(const cJSON *body) {
  static const char *const inside[][3] = {{NULL},
                                          {"part"},
                                          {"info"},
                                          {"properties", "info"},
                                          {"properties", "part"},
                                          {"message"},
                                          {"metadata", "assistant"}};
  const cJSON *found = NULL;
  for (size_t i = 0; i < sizeof inside / sizeof inside[0] && !found; i++) {
    found = find_in(shape_walk(body, inside[i]));
  }
  return found;
}

int own_is_beside(const char *name) {
  static const char *const words[] = {"total", "cost", "usd", "latency", "duration", "time"};
  char lower[40];
  snprintf(lower, sizeof lower, "%s", name);
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

/* 1 if a member counts something that our form has no word for. */
static int is_foreign(const cJSON *item) {
  return (cJSON_IsNumber(item) || cJSON_IsObject(item)) && unit_of(item->string) == UNIT_COUNT &&
         !own_is_beside(item->string);
}

const Shape *own_shape(const cJSON *own, const cJSON **unknown) {
  const cJSON *item = own ? own->child : NULL, *rest;
  while (item && !is_foreign(item)) {
    item = item->next;
  }
  *unknown = item;
  for (size_t i = 0; i < sizeof logs / sizeof logs[0] && item; i++) {
    const Shape *shape = shape_by_name(logs[i]);
    if (shape && shape_explains(shape, own, &rest)) {
      if (!rest) {
        return shape;
      }
      *unknown = rest == item ? *unknown : rest;
    }
  }
  return NULL;
}

/* A count under another name would be billed as what contains it: it is an error. */
int own_read(const cJSON *own, const cJSON *unknown, Usage *u, Err *err) {
  const cJSON *item;
  cJSON_ArrayForEach(item, own) {
    Unit unit = unit_of(item->string);
    const char *const steps[] = {item->string, NULL};
    long long count;
    if (unit < UNIT_COUNT && shape_count(own, steps, &count, err) == 1) {
      usage_set(u, unit, count);
    }
  }
  if (unknown) {
    err_set(err, RC_ERROR, ERR_BAD_USAGE, "usage: '%.40s' is no unit", unknown->string);
  }
  const char *other = json_text(own, "other");
  utf8_copy(u->other, sizeof u->other, other ? other : "");
  fees_read_words(&(FeePlace){own, own, NULL, NULL}, u);
  return err->rc;
}

/* ---- writing */

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
