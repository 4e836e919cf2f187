/*
** schema.c: the smallest JSON value that satisfies a JSON schema, for structured output.
**
** Understood: type (one or several), properties, required, items, prefixItems, minItems, enum,
** const, anyOf, oneOf, allOf, local $ref, minLength, maxLength, format, minimum, exclusiveMinimum,
** maximum, exclusiveMaximum, multipleOf. Not understood: pattern, not, if/then, patternProperties.
** Objects hold their required members only, arrays minItems elements. A schema that contains itself
** ends at the alternative that allows null, or at null after DEPTH_MAX levels or NODES_MAX values.
*/
#include "standin.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 24
#define DEPTH_PREFER_NULL 6
#define NODES_MAX                                                                                  \
  100000 /* of one value: arrays of arrays that ask for many items would never end */

struct build {
  const cJSON *root;
  const char *word; /* what strings are made of */
  int depth, nodes;
};

static cJSON *make(struct build *b, const cJSON *schema);

/* The schema a local reference ("#/$defs/x") points to, or NULL. */
static const cJSON *resolve(const cJSON *root, const char *ref) {
  const cJSON *at = root;
  if (ref[0] != '#') {
    return NULL;
  }
  for (ref++; at && *ref == '/';) {
    struct buf key = {0};
    for (ref++; *ref && *ref != '/'; ref++) {
      int escaped = ref[0] == '~' && (ref[1] == '0' || ref[1] == '1');
      buf_add(&key, !escaped ? ref : ref[1] == '0' ? "~" : "/", 1);
      ref += escaped;
    }
    if (cJSON_IsArray(at)) {
      at = cJSON_GetArrayItem(at, (int)strtol(key.p ? key.p : "0", NULL, 10));
    } else {
      at = json_get(at, key.p ? key.p : "");
    }
    buf_free(&key);
  }
  return at;
}

/* 1 when the schema's type is, or contains, the given one. */
static int allows(const cJSON *schema, const char *type) {
  const cJSON *t = json_get(schema, "type"), *one;
  if (cJSON_IsString(t)) {
    return strcmp(t->valuestring, type) == 0;
  }
  cJSON_ArrayForEach(one, t) {
    if (cJSON_IsString(one) && strcmp(one->valuestring, type) == 0) {
      return 1;
    }
  }
  return 0;
}

/* The type to build: the first one named, or what the other keywords suggest. */
static const char *type_of(const cJSON *s) {
  const cJSON *t = json_get(s, "type");
  if (cJSON_IsArray(t)) {
    t = t->child;
  }
  if (cJSON_IsString(t)) {
    return t->valuestring;
  }
  if (json_get(s, "properties") || json_get(s, "required")) {
    return "object";
  }
  if (json_get(s, "items") || json_get(s, "minItems")) {
    return "array";
  }
  if (json_get(s, "minimum") || json_get(s, "maximum") || json_get(s, "multipleOf")) {
    return "number";
  }
  return "string";
}

/* A string of the format, or NULL. */
static const char *format_text(const char *format) {
  static const char *const aFormat[][2] = {
      {"date-time", "2025-01-01T00:00:00Z"},
      {"date", "2025-01-01"},
      {"time", "00:00:00Z"},
      {"duration", "P1D"},
      {"email", "support@example.com"},
      {"hostname", "example.com"},
      {"uri", "https://example.com/"},
      {"ipv4", "127.0.0.1"},
      {"ipv6", "::1"},
      {"uuid", "00000000-0000-4000-8000-000000000000"},
  };
  for (size_t i = 0; format && i < sizeof aFormat / sizeof aFormat[0]; i++) {
    if (strcmp(format, aFormat[i][0]) == 0) {
      return aFormat[i][1];
    }
  }
  return NULL;
}

/* A string of the format, or the word, padded or cut to length. */
static cJSON *make_string(const struct build *b, const cJSON *s) {
  const char *fixed = format_text(json_text(s, "format"));
  int64_t min = json_int(s, "minLength", 0), max = json_int(s, "maxLength", -1);
  struct buf t = {0};
  buf_str(&t, fixed ? fixed : b->word);
  while ((int64_t)t.n < min && t.n < 1000000) {
    buf_str(&t, "x");
  }
  if (max >= 0 && (int64_t)t.n > max) {
    t.p[max] = 0;
  }
  cJSON *j = cJSON_CreateString(t.p);
  buf_free(&t);
  return j;
}

/* A numeric keyword, or otherwise. */
static double number_or(const cJSON *s, const char *key, double otherwise) {
  const cJSON *j = json_get(s, key);
  return cJSON_IsNumber(j) ? j->valuedouble : otherwise;
}

/* 0 where allowed, else the nearest value inside the bounds. */
static cJSON *make_number(const cJSON *s, int integer) {
  double lo = number_or(s, "minimum", -INFINITY), hi = number_or(s, "maximum", INFINITY);
  double xlo = number_or(s, "exclusiveMinimum", -INFINITY);
  double xhi = number_or(s, "exclusiveMaximum", INFINITY);
  double unit = number_or(s, "multipleOf", integer ? 1 : 0), v = 0;
  double gap = unit > 0 ? unit : isfinite(xlo) && isfinite(xhi) ? (xhi - xlo) / 2 : 0.5;
  if (unit > 0) {
    if (lo > 0 || xlo >= 0) {
      v = fmax(ceil(lo / unit) * unit, isfinite(xlo) ? (floor(xlo / unit) + 1) * unit : -INFINITY);
    } else if (hi < 0 || xhi <= 0) {
      v = fmin(floor(hi / unit) * unit, isfinite(xhi) ? (ceil(xhi / unit) - 1) * unit : INFINITY);
    }
  } else if (lo > 0 || xlo >= 0) {
    v = fmax(lo, xlo >= lo ? xlo + gap : lo);
  } else if (hi < 0 || xhi <= 0) {
    v = fmin(hi, xhi <= hi ? xhi - gap : hi);
  }
  return cJSON_CreateNumber(v);
}

/* The required members. */
static cJSON *make_object(struct build *b, const cJSON *s) {
  const cJSON *name;
  cJSON *o = cJSON_CreateObject();
  cJSON_ArrayForEach(name, json_get(s, "required")) {
    if (!cJSON_IsString(name) || json_get(o, name->valuestring)) {
      continue;
    }
    const cJSON *one = json_get(json_get(s, "properties"), name->valuestring);
    if (!one) {
      one = json_get(s, "additionalProperties");
    }
    cJSON_AddItemToObject(o, name->valuestring, make(b, one));
  }
  return o;
}

/* minItems elements. */
static cJSON *make_array(struct build *b, const cJSON *s) {
  cJSON *a = cJSON_CreateArray();
  const cJSON *prefix = json_get(s, "prefixItems");
  int64_t n = json_int(s, "minItems", 0);
  n = n > 10000 ? 10000 : n;
  for (int i = 0; i < n && b->nodes < NODES_MAX; i++) {
    const cJSON *one = cJSON_GetArrayItem(prefix, i);
    cJSON_AddItemToArray(a, make(b, one ? one : json_get(s, "items")));
  }
  return a;
}

/* One of several alternatives: the first; deep inside, one that is null or has no reference. */
static cJSON *make_any(struct build *b, const cJSON *list) {
  const cJSON *one, *pick = list->child;
  cJSON_ArrayForEach(one, list) {
    if (b->depth > DEPTH_PREFER_NULL && allows(one, "null")) {
      pick = one;
    }
  }
  return make(b, pick);
}

/* All of several: objects are merged, otherwise the last one stands. */
static cJSON *make_all(struct build *b, const cJSON *s) {
  const cJSON *one;
  cJSON *sum = json_get(s, "required") || json_get(s, "properties") ? make_object(b, s) : NULL;
  cJSON_ArrayForEach(one, json_get(s, "allOf")) {
    cJSON *part = make(b, one);
    while (cJSON_IsObject(sum) && cJSON_IsObject(part) && part->child) {
      cJSON *member = cJSON_DetachItemViaPointer(part, part->child);
      cJSON_DeleteItemFromObjectCaseSensitive(sum, member->string);
      cJSON_AddItemToObject(sum, member->string, member);
    }
    if (cJSON_IsObject(sum) && cJSON_IsObject(part)) {
      cJSON_Delete(part);
    } else {
      cJSON_Delete(sum);
      sum = part;
    }
  }
  return sum;
}

/* By type, once the combining keywords are out of the way. */
static cJSON *make_type(struct build *b, const cJSON *s) {
  const char *t = type_of(s);
  if (b->depth > DEPTH_PREFER_NULL && allows(s, "null")) {
    t = "null";
  }
  if (strcmp(t, "object") == 0) {
    return make_object(b, s);
  }
  if (strcmp(t, "array") == 0) {
    return make_array(b, s);
  }
  if (strcmp(t, "integer") == 0 || strcmp(t, "number") == 0) {
    return make_number(s, t[0] == 'i');
  }
  if (strcmp(t, "boolean") == 0) {
    return cJSON_CreateTrue();
  }
  return strcmp(t, "null") == 0 ? cJSON_CreateNull() : make_string(b, s);
}

/* A value for a schema; NULL or a boolean schema takes anything. */
static cJSON *make(struct build *b, const cJSON *s) {
  cJSON *j;
  if (b->depth >= DEPTH_MAX || b->nodes++ >= NODES_MAX) {
    return cJSON_CreateNull();
  }
  b->depth++;
  const char *ref = json_text(s, "$ref");
  if (ref) {
    j = make(b, resolve(b->root, ref));
  } else if (json_get(s, "const")) {
    j = cJSON_Duplicate(json_get(s, "const"), 1);
  } else if (cJSON_IsArray(json_get(s, "enum")) && json_get(s, "enum")->child) {
    j = cJSON_Duplicate(json_get(s, "enum")->child, 1);
  } else if (cJSON_IsArray(json_get(s, "anyOf")) && json_get(s, "anyOf")->child) {
    j = make_any(b, json_get(s, "anyOf"));
  } else if (cJSON_IsArray(json_get(s, "oneOf")) && json_get(s, "oneOf")->child) {
    j = make_any(b, json_get(s, "oneOf"));
  } else if (cJSON_IsArray(json_get(s, "allOf")) && json_get(s, "allOf")->child) {
    j = make_all(b, s);
  } else {
    j = make_type(b, s);
  }
  b->depth--;
  return need(j);
}

/* A value that satisfies the schema, owned; word is what strings are made of. */
cJSON *schema_instance(const cJSON *schema, const char *word) {
  struct build b = {schema, word, 0, 0};
  return make(&b, schema);
}

/* Valid JSON that breaks the schema: a required member is missing, or the type is another. */
cJSON *schema_violation(const cJSON *schema, const char *word) {
  cJSON *j = schema_instance(schema, word);
  if (cJSON_IsObject(j) && j->child) {
    cJSON_Delete(cJSON_DetachItemViaPointer(j, j->child));
    return j;
  }
  int array = cJSON_IsArray(j);
  cJSON_Delete(j);
  j = array ? cJSON_CreateObject() : cJSON_CreateArray();
  if (!array) {
    cJSON_AddItemToArray(j, cJSON_CreateString(word));
  }
  return j;
}
