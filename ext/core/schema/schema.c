/*
** JSON Schema validation. See schema.h for what is understood.
**
** One table maps each keyword to its check; a schema is valid for a value when every keyword in it
** says so (https://json-schema.org/draft/2020-12/json-schema-validation). A keyword that others lean on looks at them
** itself: contains at minContains, items at prefixItems, if at then and else.
**
** A hostile schema or value ends at LIMIT_SCHEMA_STEPS: a step is a schema held against a value, or as much work.
*/
#define PCRE2_CODE_UNIT_WIDTH 8
#include "core/schema/schema.h"

#include "base/hash.h"

#include <float.h>
#include <math.h>
#include <pcre2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a step is worth: members whose names are compared; and in steps, a pattern that is compiled and run. */
enum { NAMES_PER_STEP = 16, STEPS_PER_PATTERN = 50 };

typedef struct Check {
  const cJSON *root; /* for $ref */
  int depth;
  long long steps;
  int exhausted; /* gave up: too deep, or too many steps */
  int failed;    /* RC_NOMEM: there is no verdict */
  char path[160];
  Err *err; /* NULL: only the verdict is wanted (inside anyOf, not, …) */
} Check;

static int valid(Check *c, const cJSON *schema, const cJSON *value);

/* 0 once there were too many steps. */
static int go_on(Check *c, long long steps) {
  c->steps += steps;
  c->exhausted |= c->steps > LIMIT_SCHEMA_STEPS;
  return !c->exhausted && !c->failed;
}

/* The member of that name, or NULL. */
static const cJSON *member_of(Check *c, const cJSON *object, const char *name) {
  const cJSON *m = cJSON_IsObject(object) ? object->child : NULL;
  int n = 0;
  while (m && strcmp(m->string, name) != 0 && (++n % NAMES_PER_STEP || go_on(c, 1))) {
    m = m->next;
  }
  return c->exhausted ? NULL : m;
}

/* Records a mismatch at the current path. Always returns 0. */
static int mismatch(Check *c, const char *fmt, const char *detail) {
  if (c->err && !c->failed && !c->exhausted) {
    char what[160];
    snprintf(what, sizeof what, fmt, detail);
    err_set(c->err, RC_ERROR, ERR_SCHEMA, "at %s: %s", c->path[0] ? c->path : "/", what);
  }
  return 0;
}

/* The same for a keyword of a number or a text, which is told too. */
static int against(Check *c, const cJSON *k) {
  char what[80];
  if (cJSON_IsNumber(k)) {
    char digits[JSON_NUMBER];
    json_number(k->valuedouble, digits);
    snprintf(what, sizeof what, "%s %s", k->string, digits);
  } else {
    snprintf(what, sizeof what, "%s %.60s", k->string, cJSON_IsString(k) ? k->valuestring : "");
  }
  return mismatch(c, "against %s", what);
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
  char values[100] = "values allowed";
  const cJSON *e;
  cJSON_ArrayForEach(e, k) {
    if (cJSON_Compare(e, v, 1)) {
      return 1;
    }
  }
  if (c->err && !cJSON_PrintPreallocated((cJSON *)(uintptr_t)k, values, sizeof values, 0)) {
    snprintf(values, sizeof values, "values allowed"); /* too many to be told */
  }
  return mismatch(c, "not one of the %s", values);
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
    const cJSON *member = member_of(c, v, p->string);
    if (member && !valid_at(c, p, member, p->string)) {
      return 0;
    }
  }
  return 1;
}

/* 1 if the object has each of the names. */
static int has_names(Check *c, const cJSON *names, const cJSON *v) {
  const cJSON *name;
  cJSON_ArrayForEach(name, names) {
    if (cJSON_IsString(name) && !member_of(c, v, name->valuestring)) {
      return mismatch(c, "'%s' is missing", name->valuestring);
    }
  }
  return 1;
}

static int check_required(Check *c, const cJSON *k, const cJSON *schema, const cJSON *v) {
  (void)schema;
  return !cJSON_IsObject(v) || has_names(c, k, v);
}

static int check_dependent(Check *c, const cJSON *k, const cJSON *schema, const cJSON *v) {
  (void)schema;
  const cJSON *d;
  cJSON_ArrayForEach(d, (cJSON_IsObject(v) ? k : NULL)) {
    if (member_of(c, v, d->string) && !(cJSON_IsArray(d) ? has_names(c, d, v) : valid(c, d, v))) {
      return 0;
    }
  }
  return 1;
}

/* 1 if the text matches the pattern; 0 too where that can't be known, which the check notes. */
static int matches(Check *c, const char *pattern, const char *text) {
  int code = 0, found = PCRE2_ERROR_NOMEMORY;
  PCRE2_SIZE at;
  if (!go_on(c, STEPS_PER_PATTERN)) {
    return 0;
  }
  pcre2_code *re = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, SCHEMA_PATTERN_FLAGS,
                                 &code, &at, NULL);
  pcre2_match_data *match = re ? pcre2_match_data_create_from_pattern(re, NULL) : NULL;
  if (match) {
    found = pcre2_match(re, (PCRE2_SPTR)text, strlen(text), 0, 0, match, NULL);
  }
  pcre2_match_data_free(match);
  pcre2_code_free(re);
  if (found == PCRE2_ERROR_NOMEMORY && (re || code == PCRE2_ERROR_HEAP_FAILED)) {
    c->failed = RC_NOMEM;
  } else if (found < PCRE2_ERROR_PARTIAL && re) { /* its own limits: it can't be known */
    c->exhausted = 1;
  }
  return found >= 0;
}

static int check_pattern(Check *c, const cJSON *k, const cJSON *schema, const cJSON *v) {
  (void)schema;
  return !cJSON_IsString(v) || !cJSON_IsString(k) || matches(c, k->valuestring, v->valuestring) ||
         against(c, k);
}

static int check_patterns(Check *c, const cJSON *k, const cJSON *schema, const cJSON *v) {
  (void)schema;
  const cJSON *p, *member;
  cJSON_ArrayForEach(p, (cJSON_IsObject(v) ? k : NULL)) {
    cJSON_ArrayForEach(member, v) {
      if (matches(c, p->string, member->string) && !valid_at(c, p, member, member->string)) {
        return 0;
      }
    }
  }
  return 1;
}

/* 1 if properties or patternProperties speak of the name. */
static int is_named(Check *c, const cJSON *schema, const char *name) {
  const cJSON *p;
  if (member_of(c, cJSON_GetObjectItemCaseSensitive(schema, "properties"), name)) {
    return 1;
  }
  cJSON_ArrayForEach(p, cJSON_GetObjectItemCaseSensitive(schema, "patternProperties")) {
    if (matches(c, p->string, name)) {
      return 1;
    }
  }
  return 0;
}

static int check_additional(Check *c, const cJSON *k, const cJSON *schema, const cJSON *v) {
  const cJSON *member;
  cJSON_ArrayForEach(member, (cJSON_IsObject(v) && !cJSON_IsTrue(k) ? v : NULL)) {
    if (is_named(c, schema, member->string)) {
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

static int check_names(Check *c, const cJSON *k, const cJSON *schema, const cJSON *v) {
  (void)schema;
  const cJSON *member;
  cJSON_ArrayForEach(member, (cJSON_IsObject(v) ? v : NULL)) {
    const cJSON name = {.type = cJSON_String, .valuestring = member->string};
    if (!valid_at(c, k, &name, member->string)) {
      return 0;
    }
  }
  return 1;
}

/* The items from `first` on against one schema, or, where it is a list, each against its own. */
static int valid_items(Check *c, const cJSON *schema, const cJSON *v, int first) {
  const cJSON *item, *own = cJSON_IsArray(schema) ? schema->child : schema;
  int i = 0;
  cJSON_ArrayForEach(item, (cJSON_IsArray(v) ? v : NULL)) {
    char name[16];
    snprintf(name, sizeof name, "%d", i);
    if (i++ < first) {
      continue;
    }
    if (own && !valid_at(c, own, item, name)) {
      return 0;
    }
    own = cJSON_IsArray(schema) && own ? own->next : own;
  }
  return 1;
}

static int check_prefix(Check *c, const cJSON *k, const cJSON *schema, const cJSON *v) {
  (void)schema;
  return valid_items(c, k, v, 0);
}

/* Behind the prefix. (Draft 7 has a list here instead, and additionalItems for what is behind it.) */
static int check_items(Check *c, const cJSON *k, const cJSON *schema, const cJSON *v) {
  const cJSON *prefix = cJSON_GetObjectItemCaseSensitive(schema, "prefixItems");
  return valid_items(c, k, v, cJSON_IsArray(k) ? 0 : cJSON_GetArraySize(prefix));
}

static int check_more_items(Check *c, const cJSON *k, const cJSON *schema, const cJSON *v) {
  const cJSON *items = cJSON_GetObjectItemCaseSensitive(schema, "items");
  return !cJSON_IsArray(items) || valid_items(c, k, v, cJSON_GetArraySize(items));
}

static double number_or(const cJSON *schema, const char *keyword, double otherwise) {
  const cJSON *k = cJSON_GetObjectItemCaseSensitive(schema, keyword);
  return cJSON_IsNumber(k) ? k->valuedouble : otherwise;
}

static int check_contains(Check *c, const cJSON *k, const cJSON *schema, const cJSON *v) {
  const cJSON *item;
  Err *err = c->err;
  double n = 0;
  c->err = NULL;
  cJSON_ArrayForEach(item, (cJSON_IsArray(v) ? v : NULL)) {
    n += valid(c, k, item);
  }
  c->err = err;
  int ok = n >= number_or(schema, "minContains", 1) && n <= number_or(schema, "maxContains", n);
  return !cJSON_IsArray(v) || ok || mismatch(c, "against %s", "contains");
}

/* ---- uniqueItems: equal values have equal hashes, and by 128 bits others don't */

static int compare_hashes(const void *a, const void *b) {
  return memcmp(a, b, sizeof(Hash));
}

/* The hash of a value in which the order of members does not count. */
static Hash hash_value(Check *c, const cJSON *v) {
  unsigned char sum[sizeof(Hash)] = {0};
  const cJSON *item;
  if (!cJSON_IsObject(v) && !cJSON_IsArray(v)) {
    double number = v->valuedouble == 0 ? 0 : v->valuedouble; /* -0 is 0 */
    return cJSON_IsString(v)   ? hash_bytes(v->valuestring, strlen(v->valuestring), cJSON_String)
           : cJSON_IsNumber(v) ? hash_bytes(&number, sizeof number, cJSON_Number)
                               : hash_bytes("", 0, (unsigned)v->type & 0xFF);
  }
  cJSON_ArrayForEach(item, v) {
    Hash pair[2] = {{{0}}, hash_value(c, item)};
    if (item->string) {
      pair[0] = hash_bytes(item->string, strlen(item->string), 1);
    } else {
      memcpy(&pair[0], sum, sizeof sum); /* in an array it does: each hash holds those before it */
    }
    const Hash h = hash_bytes(pair, sizeof pair, 2);
    for (size_t i = 0; i < sizeof sum; i++) {
      sum[i] = cJSON_IsArray(v) ? h.b[i] : (unsigned char)(sum[i] ^ h.b[i]);
    }
    if (!go_on(c, 1)) {
      break;
    }
  }
  return hash_bytes(sum, sizeof sum, (unsigned)v->type & 0xFF);
}

static int check_unique(Check *c, const cJSON *k, const cJSON *schema, const cJSON *v) {
  (void)schema;
  size_t n = 0, twice = 0;
  const cJSON *item;
  if (!cJSON_IsArray(v) || !v->child || !cJSON_IsTrue(k)) {
    return 1;
  }
  Hash *all = malloc((size_t)cJSON_GetArraySize(v) * sizeof *all);
  if (!all) {
    c->failed = RC_NOMEM;
    return 0;
  }
  cJSON_ArrayForEach(item, v) {
    all[n++] = hash_value(c, item);
  }
  qsort(all, n, sizeof *all, compare_hashes);
  for (size_t i = 1; i < n; i++) {
    twice += compare_hashes(&all[i - 1], &all[i]) == 0;
  }
  free(all);
  return !twice || mismatch(c, "%s", "two items are the same (uniqueItems)");
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
  return ok || against(c, k);
}

static int check_count(Check *c, const cJSON *k, const cJSON *schema, const cJSON *v) {
  (void)schema;
  int of_members = strcmp(k->string + 3, "Properties") == 0;
  if (of_members ? !cJSON_IsObject(v) : !cJSON_IsArray(v)) {
    return 1;
  }
  double n = cJSON_GetArraySize(v);
  int ok = strncmp(k->string, "min", 3) == 0 ? n >= k->valuedouble : n <= k->valuedouble;
  return ok || against(c, k);
}

/* 1 if x / step is whole, as near as doubles can say (19.99 is a multiple of 0.01). */
static int is_multiple(double x, double step) {
  double q = x / step;
  return step > 0 && fabs(q - round(q)) <= 4 * DBL_EPSILON * fabs(q);
}

/* A flag beside. With it (of draft 4 and OpenAPI 3.0) a bound excludes its own value. */
static int is_set(const cJSON *schema, const char *flag) {
  return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(schema, flag));
}

static int check_range(Check *c, const cJSON *k, const cJSON *schema, const cJSON *v) {
  double limit = k->valuedouble, x = v->valuedouble;
  int ok = !cJSON_IsNumber(v) || !cJSON_IsNumber(k);
  if (strcmp(k->string, "minimum") == 0) {
    ok = ok || x > limit || (x == limit && !is_set(schema, "exclusiveMinimum"));
  } else if (strcmp(k->string, "maximum") == 0) {
    ok = ok || x < limit || (x == limit && !is_set(schema, "exclusiveMaximum"));
  } else {
    ok = ok || (strcmp(k->string, "exclusiveMinimum") == 0 && x > limit) ||
         (strcmp(k->string, "exclusiveMaximum") == 0 && x < limit) ||
         (strcmp(k->string, "multipleOf") == 0 && is_multiple(x, limit));
  }
  return ok || against(c, k);
}

/* 1 if the schema accepts the value, without messages. */
static int accepts(Check *c, const cJSON *schema, const cJSON *v) {
  Err *err = c->err;
  c->err = NULL;
  int ok = valid(c, schema, v);
  c->err = err;
  return ok;
}

/* Of schemas that all refuse a value the one that is of its type, where there is just one: what it has against the
** value says more than that all refuse. */
static const cJSON *likely_schema(const Check *c, const cJSON *schemas, const cJSON *v) {
  const cJSON *s, *likely = NULL;
  int n = 0;
  cJSON_ArrayForEach(s, schemas) {
    if (schema_types(c->root, s) & schema_type_of(v)) {
      likely = s;
      n++;
    }
  }
  return n == 1 ? likely : NULL;
}

static int check_all(Check *c, const cJSON *k, const cJSON *schema, const cJSON *v) {
  (void)schema;
  const cJSON *s;
  int ok = 1;
  cJSON_ArrayForEach(s, k) {
    ok = ok && valid(c, s, v);
  }
  return ok;
}

static int check_choice(Check *c, const cJSON *k, const cJSON *schema, const cJSON *v) {
  (void)schema;
  const cJSON *s;
  int n = 0;
  cJSON_ArrayForEach(s, k) {
    n += accepts(c, s, v);
  }
  if (strcmp(k->string, "anyOf") == 0 ? n >= 1 : n == 1) {
    return 1;
  }
  const cJSON *likely = n == 0 && c->err ? likely_schema(c, k, v) : NULL;
  return likely ? valid(c, likely, v) : mismatch(c, "against %s", k->string);
}

static int check_not(Check *c, const cJSON *k, const cJSON *schema, const cJSON *v) {
  (void)schema;
  return !accepts(c, k, v) || mismatch(c, "against %s", "not");
}

static int check_if(Check *c, const cJSON *k, const cJSON *schema, const cJSON *v) {
  const cJSON *next = cJSON_GetObjectItemCaseSensitive(schema, accepts(c, k, v) ? "then" : "else");
  return !next || valid(c, next, v);
}

static int check_ref(Check *c, const cJSON *k, const cJSON *schema, const cJSON *v) {
  (void)schema;
  const cJSON *target = cJSON_IsString(k) ? schema_resolve(c->root, k->valuestring) : NULL;
  return target ? valid(c, target, v) : mismatch(c, "$ref leads %s", "nowhere");
}

/* ---- the keywords */

static const SchemaKeyword keywords[] = {
    {"type", check_type, LEAF, TAKES_TYPES},
    {"enum", check_enum, LEAF, TAKES_ARRAY},
    {"const", check_const, LEAF, TAKES_ANY},
    {"properties", check_properties, MAP, TAKES_OBJECT},
    {"patternProperties", check_patterns, MAP, TAKES_PATTERNS},
    {"required", check_required, LEAF, TAKES_NAMES},
    {"additionalProperties", check_additional, SCHEMA, TAKES_ANY},
    {"propertyNames", check_names, SCHEMA, TAKES_ANY},
    {"minProperties", check_count, LEAF, TAKES_NUMBER},
    {"maxProperties", check_count, LEAF, TAKES_NUMBER},
    {"dependentRequired", check_dependent, LEAF, TAKES_LISTS},
    {"dependentSchemas", check_dependent, MAP, TAKES_OBJECT},
    {"prefixItems", check_prefix, LIST, TAKES_ARRAY},
    {"items", check_items, SCHEMA, TAKES_ANY},
    {"additionalItems", check_more_items, SCHEMA, TAKES_ANY},
    {"minItems", check_count, LEAF, TAKES_NUMBER},
    {"maxItems", check_count, LEAF, TAKES_NUMBER},
    {"uniqueItems", check_unique, LEAF, TAKES_BOOLEAN},
    {"contains", check_contains, SCHEMA, TAKES_ANY},
    {"minContains", NULL, LEAF, TAKES_NUMBER},
    {"maxContains", NULL, LEAF, TAKES_NUMBER},
    {"minLength", check_length, LEAF, TAKES_NUMBER},
    {"maxLength", check_length, LEAF, TAKES_NUMBER},
    {"pattern", check_pattern, LEAF, TAKES_PATTERN},
    {"minimum", check_range, LEAF, TAKES_NUMBER},
    {"maximum", check_range, LEAF, TAKES_NUMBER},
    {"exclusiveMinimum", check_range, LEAF, TAKES_BOUND},
    {"exclusiveMaximum", check_range, LEAF, TAKES_BOUND},
    {"multipleOf", check_range, LEAF, TAKES_POSITIVE},
    {"anyOf", check_choice, LIST, TAKES_ARRAY},
    {"oneOf", check_choice, LIST, TAKES_ARRAY},
    {"allOf", check_all, LIST, TAKES_ARRAY},
    {"not", check_not, SCHEMA, TAKES_ANY},
    {"if", check_if, SCHEMA, TAKES_ANY},
    {"then", NULL, SCHEMA, TAKES_ANY},
    {"else", NULL, SCHEMA, TAKES_ANY},
    {"nullable", NULL, LEAF, TAKES_BOOLEAN},
    {"$ref", check_ref, LEAF, TAKES_REF},
    {"$defs", NULL, MAP, TAKES_OBJECT},
    {"definitions", NULL, MAP, TAKES_OBJECT},
    {"title", NULL, NOTE, TAKES_ANY},
    {"description", NULL, NOTE, TAKES_ANY},
    {"default", NULL, NOTE, TAKES_ANY},
    {"example", NULL, NOTE, TAKES_ANY},
    {"examples", NULL, NOTE, TAKES_ANY},
    {"format", NULL, NOTE, TAKES_ANY},
    {"contentEncoding", NULL, NOTE, TAKES_ANY},
    {"contentMediaType", NULL, NOTE, TAKES_ANY},
    {"contentSchema", NULL, NOTE, TAKES_ANY},
    {"discriminator", NULL, NOTE, TAKES_ANY},
    {"propertyOrdering", NULL, NOTE, TAKES_ANY},
    {"$schema", NULL, NOTE, TAKES_ANY},
    {"$id", NULL, NOTE, TAKES_ANY},
    {"id", NULL, NOTE, TAKES_ANY},
    {"$anchor", NULL, NOTE, TAKES_ANY},
    {"$comment", NULL, NOTE, TAKES_ANY},
    {"deprecated", NULL, NOTE, TAKES_ANY},
    {"readOnly", NULL, NOTE, TAKES_ANY},
    {"writeOnly", NULL, NOTE, TAKES_ANY},
    {"xml", NULL, NOTE, TAKES_ANY},
    {"externalDocs", NULL, NOTE, TAKES_ANY},
    {NULL, NULL, LEAF, TAKES_ANY},
};

const SchemaKeyword *schema_keywords(void) {
  return keywords;
}

/* Members "x-…" are somebody's notes. */
const SchemaKeyword *schema_keyword(const char *name) {
  static const SchemaKeyword extension = {"x-", NULL, NOTE, TAKES_ANY};
  const SchemaKeyword *k = keywords;
  while (k->name && strcmp(k->name, name) != 0) {
    k++;
  }
  return k->name ? k : strncmp(name, "x-", 2) == 0 ? &extension : NULL;
}

int schema_visit(const cJSON *schema,
                 int (*visit)(void *arg, const cJSON *keyword, const cJSON *inner), void *arg) {
  const cJSON *k, *inner;
  int stop = 0;
  cJSON_ArrayForEach(k, (cJSON_IsObject(schema) ? schema : NULL)) {
    const SchemaKeyword *word = schema_keyword(k->string);
    SchemaNested nested = word ? word->nested : LEAF;
    if (nested == SCHEMA && cJSON_IsArray(k) && strcmp(k->string, "items") == 0) {
      nested = LIST;
    }
    if (nested == SCHEMA && !stop) {
      stop = visit(arg, k, k);
    }
    cJSON_ArrayForEach(inner, (nested == MAP || nested == LIST ? k : NULL)) {
      stop = stop ? stop : visit(arg, k, inner);
    }
  }
  return stop;
}

static int valid(Check *c, const cJSON *schema, const cJSON *value) {
  if (cJSON_IsBool(schema)) {
    return cJSON_IsTrue(schema) || mismatch(c, "%s is allowed here", "nothing");
  }
  if (c->failed) {
    return 0;
  }
  c->exhausted |= c->depth >= 2 * LIMIT_JSON_DEPTH;
  if (!go_on(c, 1)) {
    return 0;
  }
  if (cJSON_IsNull(value) && is_set(schema, "nullable")) {
    return 1;
  }
  c->depth++;
  int ok = 1;
  const cJSON *k;
  cJSON_ArrayForEach(k, schema) {
    const SchemaKeyword *word = ok ? schema_keyword(k->string) : NULL;
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
