/*
** The schema that is sent. See schema_form.h for what becomes of it, and where that is documented.
**
** Whatever is left out or closed here is a wish to the model; the answer is held against the caller's schema. What must
** not happen is the reverse: a form that forbids an answer which the schema demands.
*/
#include "core/schema/schema_form.h"

#include "base/buf.h"
#include "core/schema/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Nesting of schemas by which a $ref must have come to its end; and schemas that are looked at. */
enum { MOST_DEPTH = 2 * LIMIT_JSON_DEPTH, MOST_SCHEMAS = 20000 };

#define HAS(schema, keyword) (cJSON_GetObjectItemCaseSensitive(schema, keyword) != NULL)

static int is_one_of(const char *word, const char *const *words) {
  for (; word && *words; words++) {
    if (strcmp(word, *words) == 0) {
      return 1;
    }
  }
  return 0;
}

/* 1 if every keyword of the schema is one of these. */
static int has_only(const cJSON *schema, const char *const *words) {
  const cJSON *k;
  cJSON_ArrayForEach(k, schema) {
    if (!is_one_of(k->string, words)) {
      return 0;
    }
  }
  return 1;
}

static int lists_name(const cJSON *names, const char *name) {
  const cJSON *n;
  cJSON_ArrayForEach(n, names) {
    if (cJSON_IsString(n) && strcmp(n->valuestring, name) == 0) {
      return 1;
    }
  }
  return 0;
}

/* 1 if "type" is the word, or has it among others. */
static int has_type(const cJSON *schema, const char *word) {
  const cJSON *type = cJSON_GetObjectItemCaseSensitive(schema, "type");
  return cJSON_IsArray(type) ? lists_name(type, word)
                             : cJSON_IsString(type) && strcmp(type->valuestring, word) == 0;
}

int schema_is_of_objects(const cJSON *schema) {
  return schema_types(schema, schema) == TYPE_OBJECT;
}

char *schema_in_words(const char *system, const cJSON *schema, Err *err) {
  Buf b;
  char *json = json_print_exact(schema, err);
  buf_init(&b, 2 * LIMIT_REQUEST_BYTES); /* what is too much for the body is refused there */
  if (system) {
    buf_puts(&b, system);
    buf_puts(&b, "\n\n");
  }
  buf_puts(&b, "Answer with nothing but JSON that satisfies this JSON Schema: ");
  buf_puts(&b, json ? json : "");
  int is_big = b.failed == RC_TOOBIG;
  char *text = buf_take(&b);
  if (is_big) {
    err_set(err, RC_TOOBIG, ERR_TOO_BIG, "the request is over %zu bytes", LIMIT_REQUEST_BYTES);
  } else if (!json || !text) {
    err_nomem(err);
  }
  cJSON_free(json);
  return text;
}

/* ---- older drafts: the providers hold a schema, strict or not, against the document of 2020-12 */

/* Draft 4's flag beside a bound, as the bound that it means. */
static void renew_bound(cJSON *schema, const char *flag, const char *bound, Err *err) {
  cJSON *is = cJSON_GetObjectItemCaseSensitive(schema, flag);
  if (!cJSON_IsBool(is)) {
    return;
  }
  int excludes = cJSON_IsTrue(is) && HAS(schema, bound);
  cJSON_DeleteItemFromObjectCaseSensitive(schema, flag);
  if (excludes) {
    json_add(schema, flag, cJSON_DetachItemFromObjectCaseSensitive(schema, bound), err);
  }
}

/* Draft 7's list of items, and what is behind it. */
static void renew_items(cJSON *schema, Err *err) {
  if (!cJSON_IsArray(cJSON_GetObjectItemCaseSensitive(schema, "items")) ||
      HAS(schema, "prefixItems")) {
    return;
  }
  json_add(schema, "prefixItems", cJSON_DetachItemFromObjectCaseSensitive(schema, "items"), err);
  if (HAS(schema, "additionalItems")) {
    json_add(schema, "items", cJSON_DetachItemFromObjectCaseSensitive(schema, "additionalItems"),
             err);
  }
}

/* One schema of a copy of ours, and all in it. */
static int renew(void *err, const cJSON *under, const cJSON *schema) {
  cJSON *own = (cJSON *)schema;
  (void)under;
  if (cJSON_IsObject(schema)) {
    renew_bound(own, "exclusiveMinimum", "minimum", err);
    renew_bound(own, "exclusiveMaximum", "maximum", err);
    renew_items(own, err);
  }
  return schema_visit(schema, renew, err);
}

/* ---- the root */

#define VALUE_REF "#/properties/value"

/* 1 if it says nothing of a type, but speaks of members: an object is meant, though any other value would pass. */
static int means_object(const cJSON *schema) {
  return !HAS(schema, "type") && (HAS(schema, "properties") || HAS(schema, "required") ||
                                  HAS(schema, "additionalProperties"));
}

/* The providers take as a root an object in so many words, and nothing that chooses between others. */
int schema_is_wrapped(const cJSON *schema) {
  static const char *const choices[] = {"anyOf", "oneOf", "allOf", "not",
                                        "enum",  "const", "$ref",  NULL};
  const cJSON *type = cJSON_GetObjectItemCaseSensitive(schema, "type"), *k;
  int ok =
      means_object(schema) || (cJSON_IsString(type) && strcmp(type->valuestring, "object") == 0);
  cJSON_ArrayForEach(k, schema) {
    ok = ok && !is_one_of(k->string, choices) &&
         !(strcmp(k->string, "nullable") == 0 && cJSON_IsTrue(k));
  }
  return !ok;
}

/* A reference into the old root, other than into its definitions, leads into the new one's "value". */
static int move_refs(void *err, const cJSON *under, const cJSON *schema) {
  cJSON *ref = cJSON_GetObjectItemCaseSensitive(schema, "$ref");
  const char *to = cJSON_GetStringValue(ref);
  (void)under;
  if (to && to[0] == '#' && (to[1] == 0 || to[1] == '/') && strncmp(to, "#/$defs/", 8) != 0 &&
      strncmp(to, "#/definitions/", 14) != 0) {
    Buf b;
    buf_init(&b, LIMIT_OPTIONS_BYTES);
    buf_puts(&b, VALUE_REF);
    buf_puts(&b, to + 1);
    if (b.failed || !cJSON_SetValuestring(ref, b.data)) {
      err_nomem(err);
    }
    buf_free(&b);
  }
  return schema_visit(schema, move_refs, err);
}

/* {"type":"object","properties":{"value":<root>},"required":["value"],"additionalProperties":false}, the definitions
** at its end. Takes the root. Owned; NULL and *err without memory. */
static cJSON *wrap(cJSON *root, Err *err) {
  static const char *const hoisted[] = {"$schema", "$defs", "definitions"};
  cJSON *outer = cJSON_CreateObject(), *moved[3] = {NULL, NULL, NULL};
  if (cJSON_IsTrue(root)) { /* "anything" in a form that every reader knows */
    cJSON_Delete(root);
    root = cJSON_CreateObject();
  }
  move_refs(err, NULL, root);
  for (int i = 0; i < 3 && cJSON_IsObject(root); i++) {
    moved[i] = cJSON_DetachItemFromObjectCaseSensitive(root, hoisted[i]);
  }
  json_add(outer, "type", cJSON_CreateString("object"), err);
  cJSON *properties = json_add(outer, "properties", cJSON_CreateObject(), err);
  json_add(properties, "value", root, err);
  cJSON *required = json_add(outer, "required", cJSON_CreateArray(), err);
  json_add(required, NULL, cJSON_CreateString("value"), err);
  json_add(outer, "additionalProperties", cJSON_CreateFalse(), err);
  for (int i = 0; i < 3; i++) {
    if (moved[i]) {
      json_add(outer, hoisted[i], moved[i], err);
    }
  }
  return outer;
}

/* A copy of the schema whose root is an object. */
static cJSON *with_object_root(const cJSON *schema, Err *err) {
  cJSON *copy = cJSON_Duplicate(schema, 1);
  renew(err, NULL, copy);
  if (copy && schema_is_wrapped(copy)) {
    copy = wrap(copy, err);
  } else if (copy && means_object(copy)) {
    json_add(copy, "type", cJSON_CreateString("object"), err);
  }
  if (!copy) {
    err_nomem(err);
  }
  return copy;
}

/* ---- OpenAI's subset */

typedef struct Strict {
  const cJSON *root;
  int depth, properties, values;
  size_t text;
} Strict;

/* Their regular expressions look neither ahead nor back. */
static int is_strict_text(const cJSON *schema) {
  static const char *const formats[] = {"date-time", "time", "date", "duration", "email",
                                        "hostname",  "ipv4", "ipv6", "uuid",     NULL};
  const cJSON *format = cJSON_GetObjectItemCaseSensitive(schema, "format");
  const char *pattern = json_text(schema, "pattern");
  return (!format || is_one_of(cJSON_GetStringValue(format), formats)) &&
         (!pattern || (!strstr(pattern, "(?") && !strstr(pattern, "\\b")));
}

/* Every member required, no others. */
static int is_strict_object(Strict *s, const cJSON *schema) {
  const cJSON *properties = cJSON_GetObjectItemCaseSensitive(schema, "properties");
  const cJSON *required = cJSON_GetObjectItemCaseSensitive(schema, "required");
  const cJSON *p;
  int ok = cJSON_IsObject(properties) && cJSON_IsArray(required) &&
           cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(schema, "additionalProperties")) &&
           cJSON_GetArraySize(required) == cJSON_GetArraySize(properties);
  cJSON_ArrayForEach(p, properties) {
    ok = ok && lists_name(required, p->string);
    s->properties++;
    s->text += strlen(p->string);
  }
  return ok;
}

static int are_strict_values(Strict *s, const cJSON *values) {
  const cJSON *v;
  size_t text = 0, n = 0;
  cJSON_ArrayForEach(v, values) {
    n++;
    text += cJSON_IsString(v) ? strlen(v->valuestring) : 0;
    if (cJSON_IsObject(v) || cJSON_IsArray(v)) {
      return 0;
    }
  }
  s->values += (int)n;
  s->text += text;
  return n > 0 && (n <= 250 || text <= 15000);
}

static int is_strict_ref(const Strict *s, const cJSON *schema) {
  static const char *const beside[] = {"$ref", NULL};
  const char *to = json_text(schema, "$ref");
  return to && schema_resolve(s->root, to) && has_only(schema, beside) && !strpbrk(to, "~%");
}

static int is_loose(void *strict, const cJSON *under, const cJSON *schema);

/* 1 if one schema, and all in it, is inside the subset. */
static int is_strict_schema(Strict *s, const cJSON *schema) {
  static const char *const known[] = {"type",
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
                                      "exclusiveMaximum",
                                      "multipleOf",
                                      "minItems",
                                      "maxItems",
                                      NULL};
  if (!cJSON_IsObject(schema)) {
    return 0;
  }
  if (HAS(schema, "$ref")) {
    return is_strict_ref(s, schema);
  }
  const cJSON *values = cJSON_GetObjectItemCaseSensitive(schema, "enum");
  const cJSON *any = cJSON_GetObjectItemCaseSensitive(schema, "anyOf");
  const cJSON *only = cJSON_GetObjectItemCaseSensitive(schema, "const");
  int is_object = has_type(schema, "object") || HAS(schema, "properties") ||
                  HAS(schema, "required") || HAS(schema, "additionalProperties");
  int is_array = has_type(schema, "array") || HAS(schema, "items");
  s->values += only != NULL;
  s->text += cJSON_IsString(only) ? strlen(only->valuestring) : 0;
  return has_only(schema, known) && (HAS(schema, "type") || (any && any->child)) &&
         !cJSON_IsObject(only) && !cJSON_IsArray(only) && is_strict_text(schema) &&
         (!values || are_strict_values(s, values)) && (!is_object || is_strict_object(s, schema)) &&
         (!is_array || cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(schema, "items")));
}

/* What ends the visit of a schema that is outside. */
static int is_loose(void *strict, const cJSON *under, const cJSON *schema) {
  Strict *s = strict;
  if (under && strcmp(under->string, "additionalProperties") == 0) {
    return 0; /* false, which its object has looked at */
  }
  if (under && (strcmp(under->string, "$defs") == 0 || strcmp(under->string, "definitions") == 0)) {
    s->text += strlen(schema->string);
  }
  int is_level = has_type(schema, "object") || has_type(schema, "array");
  s->depth += is_level;
  int loose = s->depth > 10 || !is_strict_schema(s, schema) || schema_visit(schema, is_loose, s);
  s->depth -= is_level;
  return loose;
}

static int is_strict(const cJSON *root) {
  Strict s = {.root = root};
  return !is_loose(&s, NULL, root) && s.properties <= 5000 && s.values <= 1000 && s.text <= 120000;
}

/* ---- Anthropic's subset */

typedef struct Reduction {
  const cJSON *root;
  int optional, unions;
  int in_words; /* there is no form that forbids nothing */
  Err *err;
} Reduction;

static cJSON *reduce(Reduction *r, const cJSON *schema);

static void give_up(Reduction *r) {
  r->in_words = 1;
}

/* What is said of keywords that are left out. */
static const struct Said {
  const char *keyword, *text;
} said[] = {
    {"minimum", "minimum %s"},
    {"maximum", "maximum %s"},
    {"exclusiveMinimum", "more than %s"},
    {"exclusiveMaximum", "less than %s"},
    {"multipleOf", "a multiple of %s"},
    {"minLength", "at least %s characters"},
    {"maxLength", "at most %s characters"},
    {"pattern", "matches the regular expression %s"},
    {"format", "format %s"},
    {"minItems", "at least %s items"},
    {"maxItems", "at most %s items"},
    {"uniqueItems", "no two items alike: %s"},
    {"contains", "holds an item of %s"},
    {"minContains", "at least %s such items"},
    {"maxContains", "at most %s such items"},
    {"minProperties", "at least %s members"},
    {"maxProperties", "at most %s members"},
    {"dependentRequired", "members that need others: %s"},
    {"not", "not %s"},
    {"allOf", "all of %s"},
    {"default", "default %s"},
    {"examples", "examples %s"},
};

/* The description: the schema's own, and what is left out. */
static void describe(Reduction *r, const cJSON *schema, cJSON *out) {
  Buf b;
  buf_init(&b, LIMIT_OPTIONS_BYTES);
  const char *own = json_text(schema, "description");
  buf_puts(&b, own ? own : "");
  int is_first = 1;
  for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
    const cJSON *k = cJSON_GetObjectItemCaseSensitive(schema, said[i].keyword);
    int is_moot = k && strcmp(k->string, "uniqueItems") == 0 && !cJSON_IsTrue(k);
    if (!k || is_moot || HAS(out, said[i].keyword)) {
      continue;
    }
    char *value = json_print_exact(k, r->err);
    const char *text = cJSON_IsString(k) ? k->valuestring : value ? value : "";
    const char *hole = strstr(said[i].text, "%s");
    buf_puts(&b, !is_first ? "; " : own && *own ? "\n\n" : "");
    buf_add(&b, said[i].text, (size_t)(hole - said[i].text));
    buf_puts(&b, text);
    buf_puts(&b, hole + 2);
    is_first = 0;
    cJSON_free(value);
  }
  if (b.failed == RC_TOOBIG) {
    give_up(r);
  } else if (b.failed) {
    err_nomem(r->err);
  } else if (b.n > 0) {
    json_add(out, "description", cJSON_CreateString(b.data), r->err);
  }
  buf_free(&b);
}

/* 1 if every keyword of the schema is one of these, says nothing of a value, or holds definitions. */
static int has_but_notes(const cJSON *schema, const char *const *words) {
  const cJSON *k;
  cJSON_ArrayForEach(k, schema) {
    const SchemaKeyword *word = schema_keyword(k->string);
    int is_note = (word && word->nested == NOTE) || strcmp(k->string, "$defs") == 0 ||
                  strcmp(k->string, "definitions") == 0;
    if (!is_note && !is_one_of(k->string, words)) {
      return 0;
    }
  }
  return 1;
}

/* 1 for null, words, numbers and texts. */
static int are_simple(const cJSON *values) {
  const cJSON *v;
  cJSON_ArrayForEach(v, values) {
    if (cJSON_IsObject(v) || cJSON_IsArray(v)) {
      return 0;
    }
  }
  return values && values->child;
}

/* A member of `out` of that name with each schema of a map or list, reduced. */
static void reduce_each(Reduction *r, const cJSON *schemas, const char *name, cJSON *out) {
  const cJSON *one;
  cJSON *into = json_add(
      out, name, cJSON_IsArray(schemas) ? cJSON_CreateArray() : cJSON_CreateObject(), r->err);
  cJSON_ArrayForEach(one, schemas) {
    cJSON *reduced = reduce(r, one);
    if (reduced) {
      json_add(into, one->string, reduced, r->err);
    }
  }
}

/* Closed: so there must be nothing that only an open one has. */
static void reduce_object(Reduction *r, const cJSON *schema, cJSON *out) {
  const cJSON *properties = cJSON_GetObjectItemCaseSensitive(schema, "properties");
  const cJSON *required = cJSON_GetObjectItemCaseSensitive(schema, "required");
  const cJSON *more = cJSON_GetObjectItemCaseSensitive(schema, "additionalProperties"), *item;
  if ((more && !cJSON_IsFalse(more)) || (!more && !(properties && properties->child))) {
    give_up(r);
  }
  cJSON_ArrayForEach(item, required) {
    if (!cJSON_GetObjectItemCaseSensitive(properties, item->valuestring)) {
      give_up(r);
    }
  }
  cJSON_ArrayForEach(item, properties) {
    r->optional += !lists_name(required, item->string);
  }
  reduce_each(r, properties, "properties", out);
  if (required) {
    json_add(out, "required", cJSON_Duplicate(required, 1), r->err);
  }
  json_add(out, "additionalProperties", cJSON_CreateFalse(), r->err);
}

static void reduce_array(Reduction *r, const cJSON *schema, cJSON *out) {
  const cJSON *least = cJSON_GetObjectItemCaseSensitive(schema, "minItems");
  cJSON *items = reduce(r, cJSON_GetObjectItemCaseSensitive(schema, "items"));
  if (items) {
    json_add(out, "items", items, r->err);
  }
  if (least && (least->valuedouble == 0 || least->valuedouble == 1)) {
    json_add(out, "minItems", cJSON_CreateNumber(least->valuedouble), r->err);
  }
}

/* "type", or the one that other keywords speak of; with null where that is allowed besides. */
static void reduce_type(Reduction *r, const cJSON *schema, cJSON *out) {
  const cJSON *type = cJSON_GetObjectItemCaseSensitive(schema, "type");
  int or_null = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(schema, "nullable")) &&
                !has_type(schema, "null");
  cJSON *own = type                        ? cJSON_Duplicate(type, 1)
               : HAS(schema, "properties") ? cJSON_CreateString("object")
                                           : cJSON_CreateString("array");
  if (or_null && !cJSON_IsArray(own)) {
    cJSON *both = cJSON_CreateArray();
    json_add(both, NULL, own, r->err);
    own = both;
  }
  if (or_null) {
    json_add(own, NULL, cJSON_CreateString("null"), r->err);
  }
  r->unions += cJSON_GetArraySize(own) > 1;
  json_add(out, "type", own, r->err);
}

/* enum and const. */
static void reduce_values(Reduction *r, const cJSON *schema, cJSON *out) {
  const cJSON *values = cJSON_GetObjectItemCaseSensitive(schema, "enum");
  const cJSON *only = cJSON_GetObjectItemCaseSensitive(schema, "const");
  int or_null = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(schema, "nullable"));
  if ((values && !are_simple(values)) || cJSON_IsObject(only) || cJSON_IsArray(only) ||
      (only && or_null)) {
    give_up(r);
  }
  if (values) {
    cJSON *copy = json_add(out, "enum", cJSON_Duplicate(values, 1), r->err);
    if (or_null) {
      json_add(copy, NULL, cJSON_CreateNull(), r->err);
    }
  }
  if (only) {
    json_add(out, "const", cJSON_Duplicate(only, 1), r->err);
  }
}

/* A schema of one or several types. */
static void reduce_typed(Reduction *r, const cJSON *schema, cJSON *out) {
  static const char *const formats[] = {"date-time", "time",     "date", "duration",
                                        "email",     "hostname", "uri",  "ipv4",
                                        "ipv6",      "uuid",     NULL};
  static const char *const known[] = {"type",
                                      "enum",
                                      "const",
                                      "nullable",
                                      "properties",
                                      "required",
                                      "items",
                                      "minimum",
                                      "maximum",
                                      "additionalProperties",
                                      "multipleOf",
                                      "minLength",
                                      "maxLength",
                                      "exclusiveMinimum",
                                      "exclusiveMaximum",
                                      "pattern",
                                      "minItems",
                                      "maxItems",
                                      "contains",
                                      "minContains",
                                      "maxContains",
                                      "uniqueItems",
                                      "not",
                                      "allOf",
                                      "minProperties",
                                      "maxProperties",
                                      "dependentRequired",
                                      NULL};
  const cJSON *format = cJSON_GetObjectItemCaseSensitive(schema, "format");
  int has_values = HAS(schema, "enum") || HAS(schema, "const");
  int is_object = has_type(schema, "object") || HAS(schema, "properties");
  int is_array = has_type(schema, "array") || HAS(schema, "items");
  int is_bound = !HAS(schema, "allOf") || !(is_object || is_array); /* else its parts add members */
  if (!has_but_notes(schema, known) || !is_bound || (has_values && (is_object || is_array)) ||
      (!HAS(schema, "type") && !has_values && is_object == is_array)) {
    give_up(r);
    return;
  }
  if (HAS(schema, "type") || !has_values) {
    reduce_type(r, schema, out);
  }
  reduce_values(r, schema, out);
  if (is_object) {
    reduce_object(r, schema, out);
  }
  if (is_array) {
    reduce_array(r, schema, out);
  }
  if (is_one_of(cJSON_GetStringValue(format), formats)) {
    json_add(out, "format", cJSON_Duplicate(format, 1), r->err);
  }
}

/* anyOf and oneOf, alone. */
static void reduce_choice(Reduction *r, const cJSON *schema, const cJSON *choice, cJSON *out) {
  static const char *const known[] = {"anyOf", "oneOf", "nullable", NULL};
  if (!has_but_notes(schema, known) || (HAS(schema, "anyOf") && HAS(schema, "oneOf"))) {
    give_up(r);
  }
  reduce_each(r, choice, "anyOf", out);
  r->unions++;
  if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(schema, "nullable"))) {
    cJSON *null = json_add(cJSON_GetObjectItemCaseSensitive(out, "anyOf"), NULL,
                           cJSON_CreateObject(), r->err);
    json_add(null, "type", cJSON_CreateString("null"), r->err);
  }
}

/* A $ref, alone, to a definition. */
static void reduce_ref(Reduction *r, const cJSON *schema, cJSON *out) {
  static const char *const known[] = {"$ref", NULL};
  const char *to = json_text(schema, "$ref");
  const char *name = strncmp(to, "#/$defs/", 8) == 0          ? to + 8
                     : strncmp(to, "#/definitions/", 14) == 0 ? to + 14
                                                              : "/";
  if (!has_but_notes(schema, known) || strpbrk(name, "/~%")) {
    give_up(r);
  }
  json_add(out, "$ref", cJSON_CreateString(to), r->err);
}

/* One schema reduced: owned; NULL where there is no such form, or no memory. */
static cJSON *reduce(Reduction *r, const cJSON *schema) {
  static const char *const all_known[] = {"allOf", NULL};
  static const char *const maps[] = {"$defs", "definitions"};
  const cJSON *all = cJSON_GetObjectItemCaseSensitive(schema, "allOf");
  const cJSON *any = cJSON_GetObjectItemCaseSensitive(schema, "anyOf");
  const cJSON *one = cJSON_GetObjectItemCaseSensitive(schema, "oneOf");
  if (!cJSON_IsObject(schema) || r->in_words || r->err->rc != RC_OK) {
    give_up(r);
    return NULL;
  }
  if (all && cJSON_GetArraySize(all) == 1 && has_but_notes(schema, all_known)) {
    return reduce(r, all->child);
  }
  cJSON *out = cJSON_CreateObject();
  if (json_text(schema, "$ref")) {
    reduce_ref(r, schema, out);
  } else if (any || one) {
    reduce_choice(r, schema, any ? any : one, out);
  } else {
    reduce_typed(r, schema, out);
  }
  if (HAS(schema, "title") && !HAS(out, "$ref")) {
    json_add(out, "title", cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(schema, "title"), 1),
             r->err);
  }
  if (!HAS(out, "$ref")) {
    describe(r, schema, out);
  }
  for (int i = 0; i < 2; i++) {
    if (HAS(schema, maps[i])) {
      reduce_each(r, cJSON_GetObjectItemCaseSensitive(schema, maps[i]), maps[i], out);
    }
  }
  if (r->in_words || r->err->rc != RC_OK) {
    cJSON_Delete(out);
    return NULL;
  }
  return out;
}

typedef struct Round {
  const cJSON *root;
  int depth, steps;
} Round;

/* 1 if a schema never comes to an end, or not soon. */
static int goes_round(void *round, const cJSON *under, const cJSON *schema) {
  Round *r = round;
  const char *ref = json_text(schema, "$ref");
  const cJSON *target = ref ? schema_resolve(r->root, ref) : NULL;
  (void)under;
  if (r->depth >= MOST_DEPTH || ++r->steps > MOST_SCHEMAS) {
    return 1;
  }
  r->depth++;
  int does = (target && goes_round(r, NULL, target)) || schema_visit(schema, goes_round, r);
  r->depth--;
  return does;
}

static cJSON *reduced(const cJSON *root, Err *err) {
  Reduction r = {.root = root, .err = err};
  Round round = {.root = root};
  cJSON *out = goes_round(&round, NULL, root) ? NULL : reduce(&r, root);
  if (out && (r.optional > 24 || r.unions > 16)) {
    cJSON_Delete(out);
    out = NULL;
  }
  return out;
}

/* ---- both */

int schema_form(const cJSON *schema, SchemaForm form, SentSchema *out, Err *err) {
  cJSON *root = with_object_root(schema, err);
  *out = (SentSchema){0};
  if (form == FORM_ANTHROPIC && err->rc == RC_OK) {
    out->schema = reduced(root, err);
    cJSON_Delete(root);
  } else {
    out->schema = root;
    out->is_strict = err->rc == RC_OK && is_strict(root);
  }
  if (out->schema) {
    json_exact_numbers(out->schema, err);
  }
  if (err->rc != RC_OK) {
    cJSON_Delete(out->schema);
    out->schema = NULL;
  }
  return err->rc;
}
