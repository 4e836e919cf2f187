/*
** JSON Schema validation. See schema.h for what is understood.
**
** One table maps each keyword to its check; a schema is valid for a value when every keyword in it
** says so (https://json-schema.org/draft/2020-12/json-schema-validation).
*/
#define PCRE2_CODE_UNIT_WIDTH 8
#include "core/request/schema.h"

#include <float.h>
#include <math.h>
#include <pcre2.h>
#include <stdio.h>
#include <string.h>

/* `$` is the very end, as in ECMA 262: PCRE2's own would let a line end follow. */
#define PATTERN_FLAGS (PCRE2_UTF | PCRE2_DOLLAR_ENDONLY)

typedef struct Check {
  const cJSON *root; /* for $ref */
  int depth;
  int steps;     /* schemas visited */
  int exhausted; /* gave up: too deep, or too many steps */
  int failed;    /* RC_NOMEM: there is no verdict */
  char path[160];
  Err *err; /* NULL: only the verdict is wanted (inside anyOf, not, …) */
} Check;

static int valid(Check *c, const cJSON *schema, const cJSON *value);

/* Records a mismatch at the current path. Always returns 0. */
static int mismatch(Check *c, const char *fmt, const char *detail) {
  if (c->err && !c->failed) {
    char what[160];
    snprintf(what, sizeof what, fmt, detail);
    err_set(c->err, RC_ERROR, ERR_SCHEMA, "at %s: %s", c->path[0] ? c->path : "/", what);
  }
  return 0;
}

static int has_type(const cJSON *v, const char *type) {
  if (strcmp(type, "integer") == 0) {
    return cJSON_IsNumber(v) && v->valuedouble == floor(v->valuedouble);
  }
  return (strcmp(type, "object") == 0 && cJSON_IsObject(v)) ||
         (strcmp(type, "array") == 0 && cJSON_IsArray(v)) ||
         (strcmp(type, "string") == 0 && cJSON_IsString(v)) ||
         (strcmp(type, "number") == 0 && cJSON_IsNumber(v)) ||
         (strcmp(type, "boolean") == 0 && cJSON_IsBool(v)) ||
         (strcmp(type, "null") == 0 && cJSON_IsNull(v));
}

static int check_type(Check *c, const cJSON *k, const cJSON *schema, const cJSON *v) {
  (void)schema;
  if (cJSON_IsString(k)) {
    return has_type(v, k->valuestring) || mismatch(c, "expected %s", k->valuestring);
  }
  const cJSON *t;
  cJSON_ArrayForEach(t, k) {
    if (cJSON_IsString(t) && has_type(v, t->valuestring)) {
      return 1;
    }
  }
  return mismatch(c, "not one of the %s", "types allowed");
}

static int check_enum(Check *c, const cJSON *k, const cJSON *schema, const cJSON *v) {
  (void)schema;
  const cJSON *e;
  cJSON_ArrayForEach(e, k) {
    if (cJSON_Compare(e, v, 1)) {
      return 1;
    }
  }
  return mismatch(c, "not one of the %s", "values allowed");
}

static int check_const(Check *c, const cJSON *k, const cJSON *schema, const cJSON *v) {
  (void)schema;
  return cJSON_Compare(k, v, 1) || mismatch(c, "not the %s", "constant required");
}

/* Validates a child value with its name added to the path. */
static int valid_at(Check *c, const cJSON *schema, const cJSON *value, const char *name) {
  size_t n = strlen(c->path);
  snprintf(c->path + n, sizeof c->path - n, "/%s", name);
  int ok = valid(c, schema, value);
  c->path[n] = 0;
  return ok;
}

static int check_properties(Check *c, const cJSON *k, const cJSON *schema, const cJSON *v) {
  (void)schema;
  const cJSON *p;
  cJSON_ArrayForEach(p, (cJSON_IsObject(v) ? k : NULL)) {
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(v, p->string);
    if (member && !valid_at(c, p, member, p->string)) {
      return 0;
    }
  }
  return 1;
}

static int check_required(Check *c, const cJSON *k, const cJSON *schema, const cJSON *v) {
  (void)schema;
  const cJSON *name;
  cJSON_ArrayForEach(name, (cJSON_IsObject(v) ? k : NULL)) {
    if (cJSON_IsString(name) && !cJSON_GetObjectItemCaseSensitive(v, name->valuestring)) {
      return mismatch(c, "'%s' is missing", name->valuestring);
    }
  }
  return 1;
}

static int check_additional(Check *c, const cJSON *k, const cJSON *schema, const cJSON *v) {
  const cJSON *known = cJSON_GetObjectItemCaseSensitive(schema, "properties");
  const cJSON *member;
  cJSON_ArrayForEach(member, (cJSON_IsObject(v) ? v : NULL)) {
    if (cJSON_GetObjectItemCaseSensitive(known, member->string)) {
      continue;
    }
    if (cJSON_IsFalse(k)) {
      return mismatch(c, "'%s' is not allowed", member->string);
    }
    if (!valid_at(c, k, member, member->string)) {
      return 0;
    }
  }
  return 1;
}

static int check_items(Check *c, const cJSON *k, const cJSON *schema, const cJSON *v) {
  (void)schema;
  const cJSON *item;
  int i = 0;
  cJSON_ArrayForEach(item, (cJSON_IsArray(v) ? v : NULL)) {
    char name[16];
    snprintf(name, sizeof name, "%d", i++);
    if (!valid_at(c, k, item, name)) {
      return 0;
    }
  }
  return 1;
}

/* Characters of UTF-8 text. */
static double text_length(const char *s) {
  double n = 0;
  for (; *s; s++) {
    n += ((unsigned char)*s & 0xC0) != 0x80;
  }
  return n;
}

static int check_length(Check *c, const cJSON *k, const cJSON *schema, const cJSON *v) {
  (void)schema;
  if (!cJSON_IsString(v)) {
    return 1;
  }
  double n = text_length(v->valuestring);
  int ok = strcmp(k->string, "minLength") == 0 ? n >= k->valuedouble : n <= k->valuedouble;
  return ok || mismatch(c, "against %s", k->string);
}

static int check_count(Check *c, const cJSON *k, const cJSON *schema, const cJSON *v) {
  (void)schema;
  if (!cJSON_IsArray(v)) {
    return 1;
  }
  double n = cJSON_GetArraySize(v);
  int ok = strcmp(k->string, "minItems") == 0 ? n >= k->valuedouble : n <= k->valuedouble;
  return ok || mismatch(c, "against %s", k->string);
}

/* 1 if x / step is whole, as near as doubles can say (19.99 is a multiple of 0.01). */
static int is_multiple(double x, double step) {
  double q = x / step;
  return step > 0 && fabs(q - round(q)) <= 4 * DBL_EPSILON * fabs(q);
}

static int check_range(Check *c, const cJSON *k, const cJSON *schema, const cJSON *v) {
  (void)schema;
  double limit = k->valuedouble, x = v->valuedouble;
  int ok = !cJSON_IsNumber(v) || (strcmp(k->string, "minimum") == 0 && x >= limit) ||
           (strcmp(k->string, "maximum") == 0 && x <= limit) ||
           (strcmp(k->string, "exclusiveMinimum") == 0 && x > limit) ||
           (strcmp(k->string, "exclusiveMaximum") == 0 && x < limit) ||
           (strcmp(k->string, "multipleOf") == 0 && is_multiple(x, limit));
  return ok || mismatch(c, "against %s", k->string);
}

static int check_pattern(Check *c, const cJSON *k, const cJSON *schema, const cJSON *v) {
  (void)schema;
  int code = 0, found = PCRE2_ERROR_NOMEMORY;
  PCRE2_SIZE at;
  if (!cJSON_IsString(v) || !cJSON_IsString(k)) {
    return 1;
  }
  pcre2_code *re = pcre2_compile((PCRE2_SPTR)k->valuestring, PCRE2_ZERO_TERMINATED, PATTERN_FLAGS,
                                 &code, &at, NULL);
  pcre2_match_data *match = re ? pcre2_match_data_create_from_pattern(re, NULL) : NULL;
  if (match) {
    found = pcre2_match(re, (PCRE2_SPTR)v->valuestring, strlen(v->valuestring), 0, 0, match, NULL);
  }
  pcre2_match_data_free(match);
  pcre2_code_free(re);
  if (found == PCRE2_ERROR_NOMEMORY && (re || code == PCRE2_ERROR_HEAP_FAILED)) {
    c->failed = RC_NOMEM;
  } else if (found < PCRE2_ERROR_PARTIAL && re) { /* its own limits: it can't be known */
    c->exhausted = 1;
  }
  return found >= 0 || mismatch(c, "against %s", "pattern");
}

/* How many of the schemas accept the value, without messages. */
static int count_valid(Check *c, const cJSON *schemas, const cJSON *v) {
  Err *err = c->err;
  const cJSON *s;
  int n = 0;
  c->err = NULL;
  cJSON_ArrayForEach(s, schemas) {
    n += valid(c, s, v);
  }
  c->err = err;
  return n;
}

static int check_combination(Check *c, const cJSON *k, const cJSON *schema, const cJSON *v) {
  (void)schema;
  int n = count_valid(c, k, v);
  int ok = strcmp(k->string, "anyOf") == 0   ? n >= 1
           : strcmp(k->string, "oneOf") == 0 ? n == 1
                                             : n == cJSON_GetArraySize(k);
  return ok || mismatch(c, "against %s", k->string);
}

static int check_not(Check *c, const cJSON *k, const cJSON *schema, const cJSON *v) {
  (void)schema;
  Err *err = c->err;
  c->err = NULL;
  int ok = valid(c, k, v);
  c->err = err;
  return !ok || mismatch(c, "against %s", "not");
}

/* "#/$defs/name": member names only (no ~ escapes). */
static const cJSON *resolve_ref(const cJSON *root, const char *ref) {
  const cJSON *at = root;
  if (ref[0] != '#') {
    return NULL;
  }
  ref++;
  while (at && *ref == '/') {
    char name[96];
    size_t n = strcspn(ref + 1, "/");
    if (n >= sizeof name) {
      return NULL;
    }
    memcpy(name, ref + 1, n);
    name[n] = 0;
    at = cJSON_GetObjectItemCaseSensitive(at, name);
    ref += 1 + n;
  }
  return *ref ? NULL : at;
}

static int check_ref(Check *c, const cJSON *k, const cJSON *schema, const cJSON *v) {
  (void)schema;
  const cJSON *target = cJSON_IsString(k) ? resolve_ref(c->root, k->valuestring) : NULL;
  return target ? valid(c, target, v) : mismatch(c, "$ref leads %s", "nowhere");
}

typedef enum Nested { LEAF, SCHEMA, LIST, MAP } Nested; /* what schemas a keyword holds */

#define ANY (-1) /* a keyword's value may have any type */

static const struct Keyword {
  const char *name;
  int (*check)(Check *c, const cJSON *keyword, const cJSON *schema, const cJSON *value);
  Nested nested;
  int type; /* of the keyword's value: a cJSON type, or ANY */
} keywords[] = {
    {"type", check_type, LEAF, ANY},
    {"enum", check_enum, LEAF, cJSON_Array},
    {"const", check_const, LEAF, ANY},
    {"properties", check_properties, MAP, cJSON_Object},
    {"required", check_required, LEAF, cJSON_Array},
    {"additionalProperties", check_additional, SCHEMA, ANY},
    {"items", check_items, SCHEMA, ANY},
    {"minItems", check_count, LEAF, cJSON_Number},
    {"maxItems", check_count, LEAF, cJSON_Number},
    {"minLength", check_length, LEAF, cJSON_Number},
    {"maxLength", check_length, LEAF, cJSON_Number},
    {"pattern", check_pattern, LEAF, cJSON_String},
    {"minimum", check_range, LEAF, cJSON_Number},
    {"maximum", check_range, LEAF, cJSON_Number},
    {"exclusiveMinimum", check_range, LEAF, cJSON_Number},
    {"exclusiveMaximum", check_range, LEAF, cJSON_Number},
    {"multipleOf", check_range, LEAF, cJSON_Number},
    {"anyOf", check_combination, LIST, cJSON_Array},
    {"oneOf", check_combination, LIST, cJSON_Array},
    {"allOf", check_combination, LIST, cJSON_Array},
    {"not", check_not, SCHEMA, ANY},
    {"$ref", check_ref, LEAF, cJSON_String},
    {"$defs", NULL, MAP, cJSON_Object},
    {"definitions", NULL, MAP, cJSON_Object},
    {"title", NULL, LEAF, ANY},
    {"description", NULL, LEAF, ANY},
    {"default", NULL, LEAF, ANY},
    {"examples", NULL, LEAF, ANY},
    {"format", NULL, LEAF, ANY},
    {"$schema", NULL, LEAF, ANY},
    {"$id", NULL, LEAF, ANY},
    {"$comment", NULL, LEAF, ANY},
    {"deprecated", NULL, LEAF, ANY},
    {"readOnly", NULL, LEAF, ANY},
    {"writeOnly", NULL, LEAF, ANY},
};

static const struct Keyword *find_keyword(const char *name) {
  for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++) {
    if (strcmp(keywords[i].name, name) == 0) {
      return &keywords[i];
    }
  }
  return NULL;
}

static int valid(Check *c, const cJSON *schema, const cJSON *value) {
  if (cJSON_IsBool(schema)) {
    return cJSON_IsTrue(schema) || mismatch(c, "%s is allowed here", "nothing");
  }
  if (c->failed) {
    return 0;
  }
  c->exhausted |= c->depth >= 2 * LIMIT_JSON_DEPTH || ++c->steps > LIMIT_SCHEMA_STEPS;
  if (c->exhausted) {
    return mismatch(c, "%s", "$ref nested too deep");
  }
  c->depth++;
  int ok = 1;
  const cJSON *k;
  cJSON_ArrayForEach(k, schema) {
    const struct Keyword *word = ok ? find_keyword(k->string) : NULL;
    ok = ok && (!word || !word->check || word->check(c, k, schema, value));
  }
  c->depth--;
  return ok;
}

int schema_validate(const cJSON *schema, const cJSON *value, Err *err) {
  Check c = {.root = schema, .err = err};
  int ok = valid(&c, schema, value);
  if (c.failed && err->rc == RC_OK) {
    err_nomem(err);
  }
  if (err->rc == RC_OK && (!ok || c.exhausted)) {
    err_set(err, RC_ERROR, ERR_SCHEMA,
            c.exhausted ? "the schema's $refs or patterns go on too long to check"
                        : "does not satisfy the schema");
  }
  return err->rc;
}

static int check_pattern_compiles(const cJSON *k, Err *err) {
  int code = 0;
  PCRE2_SIZE at = 0;
  pcre2_code *re = cJSON_IsString(k)
                       ? pcre2_compile((PCRE2_SPTR)k->valuestring, PCRE2_ZERO_TERMINATED,
                                       PATTERN_FLAGS, &code, &at, NULL)
                       : NULL;
  if (!re) {
    return code == PCRE2_ERROR_HEAP_FAILED
               ? err_nomem(err)
               : err_set(err, RC_ERROR, ERR_BAD_OPTION,
                         "option 'schema': 'pattern' is no regular expression");
  }
  pcre2_code_free(re);
  return RC_OK;
}

static int bad_keyword(const cJSON *k, const char *why, Err *err) {
  return err_set(err, RC_ERROR, ERR_BAD_OPTION, "option 'schema': keyword '%.40s' %s", k->string,
                 why);
}

/* "type": one of the seven words, or several. */
static int check_type_words(const cJSON *k, Err *err) {
  static const char *const words[] = {"object",  "array",   "string", "number",
                                      "integer", "boolean", "null"};
  const cJSON *t = cJSON_IsArray(k) ? k->child : k;
  int known = t != NULL;
  for (; t && known; t = cJSON_IsArray(k) ? t->next : NULL) {
    known = 0;
    for (int i = 0; i < 7 && cJSON_IsString(t); i++) {
      known |= strcmp(t->valuestring, words[i]) == 0;
    }
  }
  return known ? RC_OK : bad_keyword(k, "names no JSON type", err);
}

/* One keyword by itself: known, of the right type, and meaning something. */
static int check_keyword(const cJSON *root, const cJSON *k, const struct Keyword *word, Err *err) {
  if (!word) {
    return bad_keyword(k, "is not supported", err);
  }
  if (word->type != ANY && (k->type & 0xFF) != word->type) {
    return bad_keyword(k, "has a value of the wrong type", err);
  }
  if (word->check == check_type) {
    return check_type_words(k, err);
  }
  if (word->check == check_ref && !resolve_ref(root, k->valuestring)) {
    return bad_keyword(k, "leads nowhere in this schema", err);
  }
  return word->check == check_pattern ? check_pattern_compiles(k, err) : RC_OK;
}

static int check_schema_at(const cJSON *root, const cJSON *schema, Err *err) {
  if (cJSON_IsBool(schema) || err->rc != RC_OK) {
    return err->rc;
  }
  if (!cJSON_IsObject(schema)) {
    return err_set(err, RC_ERROR, ERR_BAD_OPTION, "option 'schema': a schema must be an object");
  }
  const cJSON *k, *inner;
  cJSON_ArrayForEach(k, schema) {
    const struct Keyword *word = find_keyword(k->string);
    if (check_keyword(root, k, word, err) != RC_OK) {
      return err->rc;
    }
    if (word->nested == SCHEMA) {
      check_schema_at(root, k, err);
    }
    cJSON_ArrayForEach(inner, (word->nested == MAP || word->nested == LIST ? k : NULL)) {
      check_schema_at(root, inner, err);
    }
  }
  return err->rc;
}

int schema_check(const cJSON *schema, Err *err) {
  return check_schema_at(schema, schema, err);
}

/* ---- which types */

/* The bit of a word of "type". */
static unsigned type_bit(const char *word) {
  static const struct {
    const char *word;
    unsigned bit;
  } types[] = {{"null", TYPE_NULL},      {"boolean", TYPE_BOOLEAN}, {"number", TYPE_NUMBER},
               {"integer", TYPE_NUMBER}, {"string", TYPE_STRING},   {"array", TYPE_ARRAY},
               {"object", TYPE_OBJECT}};
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
    if (strcmp(types[i].word, word) == 0) {
      return types[i].bit;
    }
  }
  return 0;
}

static unsigned type_of_value(const cJSON *v) {
  return cJSON_IsNull(v)     ? TYPE_NULL
         : cJSON_IsBool(v)   ? TYPE_BOOLEAN
         : cJSON_IsNumber(v) ? TYPE_NUMBER
         : cJSON_IsString(v) ? TYPE_STRING
                             : (cJSON_IsArray(v) ? TYPE_ARRAY : TYPE_OBJECT);
}

/* What one keyword leaves. `steps` are left before any type is thought possible. */
static unsigned types_of(const cJSON *root, const cJSON *schema, int *steps);

static unsigned types_of_keyword(const cJSON *root, const cJSON *k, int *steps) {
  const char *name = k->string;
  const cJSON *item;
  unsigned any = 0, all = TYPE_ANY;
  if (strcmp(name, "const") == 0) {
    return type_of_value(k);
  }
  if (strcmp(name, "type") == 0 && cJSON_IsString(k)) {
    return type_bit(k->valuestring);
  }
  if (strcmp(name, "$ref") == 0) {
    const cJSON *target = cJSON_IsString(k) ? resolve_ref(root, k->valuestring) : NULL;
    return target ? types_of(root, target, steps) : TYPE_ANY;
  }
  int is_values = strcmp(name, "enum") == 0, is_words = strcmp(name, "type") == 0;
  int is_all = strcmp(name, "allOf") == 0;
  if (!is_values && !is_words && !is_all && strcmp(name, "anyOf") != 0 &&
      strcmp(name, "oneOf") != 0) {
    return TYPE_ANY;
  }
  cJSON_ArrayForEach(item, k) {
    unsigned one = is_values  ? type_of_value(item)
                   : is_words ? type_bit(cJSON_IsString(item) ? item->valuestring : "")
                              : types_of(root, item, steps);
    any |= one;
    all &= one;
  }
  return is_all ? all : any;
}

static unsigned types_of(const cJSON *root, const cJSON *schema, int *steps) {
  const cJSON *k;
  unsigned types = cJSON_IsFalse(schema) ? 0 : TYPE_ANY;
  if (--*steps < 0) {
    return TYPE_ANY;
  }
  cJSON_ArrayForEach(k, (cJSON_IsObject(schema) ? schema : NULL)) {
    types &= types_of_keyword(root, k, steps);
  }
  return types;
}

unsigned schema_types(const cJSON *schema) {
  int steps = 1000;
  return types_of(schema, schema, &steps);
}

/* 1 if the schema speaks of objects. */
static int is_object_schema(const cJSON *schema) {
  const cJSON *type = cJSON_GetObjectItemCaseSensitive(schema, "type");
  const cJSON *t = cJSON_IsArray(type) ? type->child : type;
  for (; t; t = cJSON_IsArray(type) ? t->next : NULL) {
    if (cJSON_IsString(t) && strcmp(t->valuestring, "object") == 0) {
      return 1;
    }
  }
  return cJSON_GetObjectItemCaseSensitive(schema, "properties") ||
         cJSON_GetObjectItemCaseSensitive(schema, "required") ||
         cJSON_GetObjectItemCaseSensitive(schema, "additionalProperties");
}

static int lists_name(const cJSON *required, const char *name) {
  const cJSON *r;
  cJSON_ArrayForEach(r, required) {
    if (cJSON_IsString(r) && strcmp(r->valuestring, name) == 0) {
      return 1;
    }
  }
  return 0;
}

/* The rule for one object schema. */
static int object_is_strict(const cJSON *schema) {
  const cJSON *properties = cJSON_GetObjectItemCaseSensitive(schema, "properties");
  const cJSON *required = cJSON_GetObjectItemCaseSensitive(schema, "required");
  const cJSON *more = cJSON_GetObjectItemCaseSensitive(schema, "additionalProperties");
  const cJSON *p;
  cJSON_ArrayForEach(p, properties) {
    if (!lists_name(required, p->string)) {
      return 0;
    }
  }
  return !is_object_schema(schema) ||
         (cJSON_IsFalse(more) && cJSON_GetArraySize(required) == cJSON_GetArraySize(properties));
}

int schema_is_strict(const cJSON *schema) {
  if (!cJSON_IsObject(schema)) {
    return 1;
  }
  const cJSON *k, *inner;
  int strict = object_is_strict(schema);
  cJSON_ArrayForEach(k, schema) {
    const struct Keyword *word = find_keyword(k->string);
    if (word && word->nested == SCHEMA) {
      strict = strict && schema_is_strict(k);
    }
    cJSON_ArrayForEach(inner, (word && (word->nested == MAP || word->nested == LIST) ? k : NULL)) {
      strict = strict && schema_is_strict(inner);
    }
  }
  return strict;
}
