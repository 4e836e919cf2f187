/*
** strict.c: which schemas the providers take for structured output, by their documents of 2026, and what they say of
** others. OpenAI: "Supported schemas" of the guide; Anthropic: "JSON Schema limitations".
**
** Written apart from the extension, of which it is the judge.
*/
#include "standin.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

struct judged {
  const cJSON *root;
  char path[200]; /* 'properties', 'a' */
  int levels, depth, properties, values, optional, unions;
  size_t text;
  char *why;
  size_t cap;
};

/* Always returns 0. */
static int __attribute__((format(printf, 2, 3))) refuse(struct judged *j, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(j->why, j->cap, fmt, ap);
  va_end(ap);
  return 0;
}

static int in_list(const char *s, const char *const *list, size_t n) {
  for (size_t i = 0; s && i < n; i++) {
    if (strcmp(s, list[i]) == 0) {
      return 1;
    }
  }
  return 0;
}

static int lists(const cJSON *names, const char *name) {
  const cJSON *n;
  cJSON_ArrayForEach(n, names) {
    if (cJSON_IsString(n) && strcmp(n->valuestring, name) == 0) {
      return 1;
    }
  }
  return 0;
}

static int is_a(const cJSON *s, const char *type) {
  const cJSON *t = json_get(s, "type");
  return cJSON_IsArray(t) ? lists(t, type) : cJSON_IsString(t) && strcmp(t->valuestring, type) == 0;
}

/* Runs `one` on each schema in s, with its place in the path; 0 at the first refusal. */
static int each(struct judged *j, const cJSON *s, int (*one)(struct judged *, const cJSON *)) {
  static const char *const aMap[] = {"properties", "$defs", "definitions"};
  static const char *const aList[] = {"anyOf", "allOf"};
  size_t at = strlen(j->path);
  const cJSON *m, *inner;
  int ok = 1;
  cJSON_ArrayForEach(m, s) {
    int map = in_list(m->string, aMap, COUNT(aMap)), list = in_list(m->string, aList, COUNT(aList));
    int i = 0;
    cJSON_ArrayForEach(inner, (map || list ? m : NULL)) {
      snprintf(j->path + at, sizeof j->path - at, "%s'%s', '%.40s'", at ? ", " : "", m->string,
               map ? inner->string : (char[]){(char)('0' + i++ % 10), 0});
      ok = ok && one(j, inner);
      j->path[at] = ok ? 0 : j->path[at];
    }
    if (strcmp(m->string, "items") == 0) {
      snprintf(j->path + at, sizeof j->path - at, "%s'items'", at ? ", " : "");
      ok = ok && one(j, m);
      j->path[at] = ok ? 0 : j->path[at];
    }
  }
  return ok;
}

/* ---- OpenAI ---- */

/* The text limits of names and values. */
static int values_o(struct judged *j, const cJSON *s) {
  const cJSON *v, *p, *only = json_get(s, "const");
  size_t n = 0, text = 0;
  cJSON_ArrayForEach(v, json_get(s, "enum")) {
    n++;
    text += cJSON_IsString(v) ? strlen(v->valuestring) : 0;
  }
  cJSON_ArrayForEach(p, json_get(s, "properties")) {
    j->properties++;
    j->text += strlen(p->string);
  }
  j->values += (int)n;
  j->text += text + (cJSON_IsString(only) ? strlen(only->valuestring) : 0);
  if (n > 250 && text > 15000) {
    return refuse(j, "In context=(%s), enum has too many characters.", j->path);
  }
  return 1;
}

static int object_o(struct judged *j, const cJSON *s) {
  const cJSON *p;
  if (!cJSON_IsFalse(json_get(s, "additionalProperties"))) {
    return refuse(
        j, "In context=(%s), 'additionalProperties' is required to be supplied and to be false.",
        j->path);
  }
  cJSON_ArrayForEach(p, json_get(s, "properties")) {
    if (!lists(json_get(s, "required"), p->string)) {
      return refuse(j,
                    "In context=(%s), 'required' is required to be supplied and to be an array "
                    "including every key in properties. Missing '%.40s'.",
                    j->path, p->string);
    }
  }
  cJSON_ArrayForEach(p, json_get(s, "required")) {
    if (!json_get(json_get(s, "properties"), cJSON_IsString(p) ? p->valuestring : "")) {
      return refuse(j, "In context=(%s), 'required' has an extra key.", j->path);
    }
  }
  return 1;
}

static int schema_o(struct judged *j, const cJSON *s) {
  static const char *const aKnown[] = {"type",
                                       "properties",
                                       "required",
                                       "additionalProperties",
                                       "items",
                                       "enum",
                                       "const",
                                       "anyOf",
                                       "$defs",
                                       "definitions",
                                       "title",
                                       "description",
                                       "$schema",
                                       "pattern",
                                       "format",
                                       "minimum",
                                       "maximum",
                                       "exclusiveMinimum",
                                       "minItems",
                                       "maxItems",
                                       "exclusiveMaximum",
                                       "multipleOf",
                                       "$ref"};
  static const char *const aFormat[] = {"date-time", "time", "date", "duration", "email",
                                        "hostname",  "ipv4", "ipv6", "uuid"};
  const cJSON *m, *format = json_get(s, "format"), *pattern = json_get(s, "pattern");
  if (!cJSON_IsObject(s)) {
    return refuse(j, "In context=(%s), schema must be an object.", j->path);
  }
  cJSON_ArrayForEach(m, s) {
    if (!in_list(m->string, aKnown, COUNT(aKnown))) {
      return refuse(j, "In context=(%s), '%.40s' is not permitted.", j->path, m->string);
    }
  }
  if (json_get(s, "$ref")) {
    return !s->child->next || refuse(j, "context=(%s), $ref cannot have keywords.", j->path);
  }
  if (!json_get(s, "type") && !json_get(s, "anyOf")) {
    return refuse(j, "In context=(%s), schema must have a 'type' key.", j->path);
  }
  if (format && !in_list(cJSON_GetStringValue(format), aFormat, COUNT(aFormat))) {
    return refuse(j, "In context=(%s), '%.40s' is not a valid format.", j->path,
                  cJSON_GetStringValue(format));
  }
  if (pattern && strstr(pattern->valuestring, "(?")) {
    return refuse(j, "In context=(%s), 'pattern' holds lookaround, which is not supported.",
                  j->path);
  }
  if (is_a(s, "array") && !cJSON_IsObject(json_get(s, "items"))) {
    return refuse(j, "In context=(%s), array schema missing items.", j->path);
  }
  if (!values_o(j, s) || (is_a(s, "object") && !object_o(j, s))) {
    return 0;
  }
  j->levels += is_a(s, "object");
  int ok = j->levels <= 10 ? each(j, s, schema_o)
                           : refuse(j, "%d levels of nesting exceeds limit of 10.", j->levels);
  j->levels -= is_a(s, "object");
  return ok;
}

/* Any schema needs an object for its root; a strict one all the rest. */
int schema_taken_o(const cJSON *schema, int strict, char *why, size_t cap) {
  static const char *const aChoice[] = {"oneOf", "anyOf", "allOf", "enum", "not"};
  struct judged j = {.root = schema, .why = why, .cap = cap};
  const char *type = json_text(schema, "type");
  if (!type || strcmp(type, "object") != 0) {
    return refuse(&j, "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"%s\"'.",
                  type ? type : "None");
  }
  for (size_t i = 0; i < COUNT(aChoice); i++) {
    if (json_get(schema, aChoice[i])) {
      return refuse(&j, "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/"
                        "'enum'/'not' at the top level.");
    }
  }
  if (strict && !schema_o(&j, schema)) {
    return 0;
  }
  return !strict || (j.properties <= 5000 && j.values <= 1000 && j.text <= 120000) ||
         refuse(&j, "the schema exceeds the limits on its size.");
}

/* ---- Anthropic ---- */

/* A type's keywords. */
static int typed_a(struct judged *j, const cJSON *s) {
  static const char *const aBound[] = {
      "minimum",     "maximum",       "exclusiveMinimum", "exclusiveMaximum",  "multipleOf",
      "minLength",   "maxLength",     "maxItems",         "uniqueItems",       "contains",
      "minContains", "maxContains",   "minProperties",    "maxProperties",     "patternProperties",
      "prefixItems", "propertyNames", "dependentSchemas", "dependentRequired", "additionalItems"};
  const cJSON *type = json_get(s, "type"), *least = json_get(s, "minItems");
  const char *name = cJSON_IsString(type) ? type->valuestring : "union";
  for (size_t i = 0; i < COUNT(aBound); i++) {
    if (json_get(s, aBound[i])) {
      return refuse(j, "For '%s' type, property '%s' is not supported", name, aBound[i]);
    }
  }
  if (least && least->valuedouble != 0 && least->valuedouble != 1) {
    return refuse(j, "For 'array' type, 'minItems' values other than 0 or 1 are not supported");
  }
  if (is_a(s, "object") && !cJSON_IsFalse(json_get(s, "additionalProperties"))) {
    return refuse(j, "For 'object' type, 'additionalProperties' must be explicitly set to false");
  }
  if (is_a(s, "array") && json_get(s, "items") && !cJSON_IsObject(json_get(s, "items"))) {
    return refuse(j, "For 'array' type, 'items' must be an object");
  }
  return 1;
}

static int schema_a(struct judged *j, const cJSON *s) {
  static const char *const aNever[] = {"oneOf", "not", "if", "then", "else", "nullable"};
  static const char *const aFormat[] = {"date-time", "time", "date", "duration", "email",
                                        "hostname",  "uri",  "ipv4", "ipv6",     "uuid"};
  const cJSON *p, *format = json_get(s, "format"), *type = json_get(s, "type");
  const char *ref = json_text(s, "$ref");
  if (!cJSON_IsObject(s) || !s->child) {
    return refuse(j, "Empty schema is not supported: specify a 'type'");
  }
  for (size_t i = 0; i < COUNT(aNever); i++) {
    if (json_get(s, aNever[i])) {
      return refuse(j, "Schema type '%s' is not supported", aNever[i]);
    }
  }
  if (ref) {
    const char *name = strncmp(ref, "#/$defs/", 8) == 0          ? ref + 8
                       : strncmp(ref, "#/definitions/", 14) == 0 ? ref + 14
                                                                 : "";
    const cJSON *to = json_get(json_get(j->root, "$defs"), name);
    to = to ? to : json_get(json_get(j->root, "definitions"), name);
    if (!to) {
      return refuse(j, "Invalid reference '%.60s'", ref);
    }
    if (++j->depth > 100) {
      return refuse(j, "Circular reference detected in schema definitions: %.60s", ref);
    }
    int optional = j->optional, unions = j->unions, ok = schema_a(j, to);
    j->depth--;
    j->optional = optional; /* counted where it is defined */
    j->unions = unions;
    return ok;
  }
  if (!type && !json_get(s, "anyOf") && !json_get(s, "allOf") && !json_get(s, "enum") &&
      !json_get(s, "const")) {
    return refuse(j, "Schema is missing a 'type'");
  }
  if (format && !in_list(cJSON_GetStringValue(format), aFormat, COUNT(aFormat))) {
    return refuse(j, "String format '%.40s' is not supported", cJSON_GetStringValue(format));
  }
  cJSON_ArrayForEach(p, json_get(s, "enum")) {
    if (cJSON_IsObject(p) || cJSON_IsArray(p)) {
      return refuse(j, "Complex types in enums are not supported");
    }
  }
  cJSON_ArrayForEach(p, json_get(s, "properties")) {
    j->optional += !lists(json_get(s, "required"), p->string);
  }
  j->unions += cJSON_IsArray(type) || json_get(s, "anyOf");
  return typed_a(j, s) && each(j, s, schema_a);
}

int schema_taken_a(const cJSON *schema, char *why, size_t cap) {
  struct judged j = {.root = schema, .why = why, .cap = cap};
  if (!schema_a(&j, schema)) {
    return 0;
  }
  if (j.optional > 24) {
    return refuse(&j, "Schemas contains too many optional parameters (%d), limit: 24", j.optional);
  }
  return j.unions <= 16 ||
         refuse(&j, "Schemas contains too many parameters with union types (%d), limit: 16",
                j.unions);
}
