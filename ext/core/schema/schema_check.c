/*
** What a schema says of itself, before any value: whether it can be checked, where its references lead, which types it
** allows. See schema.h for the contract.
*/
#define PCRE2_CODE_UNIT_WIDTH 8
#include "core/schema/schema.h"

#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- references */

/* One step of a JSON pointer, up to '/' or the end, its escapes read: its length in the pointer; -1 where it is too
** long, or holds a NUL. */
static int read_step(const char *pointer, char *name, size_t size) {
  size_t n = 0;
  const char *p = pointer;
  while (*p && *p != '/') {
    char hex[3] = "", *end = hex;
    if (*p == '%' && p[1] && p[2]) {
      memcpy(hex, p + 1, 2);
    }
    long byte = strtol(hex, &end, 16);
    int is_byte = end == hex + 2 && byte > 0;
    char c = is_byte ? (char)byte : *p;
    p += is_byte ? 3 : 1;
    if (c == '~' && (*p == '0' || *p == '1')) {
      c = *p++ == '0' ? '~' : '/';
    }
    if (n + 1 >= size) {
      return -1;
    }
    name[n++] = c;
  }
  name[n] = 0;
  return (int)(p - pointer);
}

/* One step: to the item of that index, or to the member of that name. */
static const cJSON *go_to(const cJSON *from, const char *name) {
  char *end = NULL;
  if (!cJSON_IsArray(from)) {
    return cJSON_GetObjectItemCaseSensitive(from, name);
  }
  long i = strtol(name, &end, 10);
  return end > name && !*end && i >= 0 && i < 1000000 ? cJSON_GetArrayItem(from, (int)i) : NULL;
}

/* What stands at a keyword of a schema. */
static SchemaNested nested_at(const cJSON *k) {
  const SchemaKeyword *word = schema_keyword(k->string);
  return !word ? LEAF : word->nested == SCHEMA && cJSON_IsArray(k) ? LIST : word->nested;
}

/* Only what schema_check looks at as a schema is one: not the map that $defs is, nor a default. */
const cJSON *schema_resolve(const cJSON *root, const char *ref) {
  const cJSON *at = root;
  SchemaNested what = SCHEMA;
  if (*ref++ != '#') {
    return NULL;
  }
  while (at && *ref == '/') {
    char name[1024];
    int n = read_step(++ref, name, sizeof name);
    at = n >= 0 ? go_to(at, name) : NULL;
    what = what != SCHEMA ? SCHEMA : at ? nested_at(at) : LEAF;
    at = what == LEAF || what == NOTE ? NULL : at;
    ref += n >= 0 ? n : 0;
  }
  return *ref || what != SCHEMA ? NULL : at;
}

/* ---- keywords */

static int bad_keyword(const cJSON *k, const char *why, Err *err) {
  return err_set(err, RC_ERROR, ERR_BAD_OPTION, "option 'schema': keyword '%.40s' %s", k->string,
                 why);
}

/* Names it, and all that are checked. */
static int unknown_keyword(const cJSON *k, Err *err) {
  char names[LIMIT_ERROR_TEXT] = "";
  size_t n = 0;
  for (const SchemaKeyword *word = schema_keywords(); word->name; word++) {
    if (word->nested != NOTE && n < sizeof names) {
      n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", n ? ", " : "", word->name);
    }
  }
  char why[LIMIT_ERROR_TEXT + 40];
  snprintf(why, sizeof why, "is not supported (%s)", names);
  return bad_keyword(k, why, err);
}

static int check_pattern(const char *keyword, const char *pattern, Err *err) {
  int code = 0;
  PCRE2_SIZE at = 0;
  pcre2_code *re = pattern ? pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                                           SCHEMA_PATTERN_FLAGS, &code, &at, NULL)
                           : NULL;
  if (!re) {
    return code == PCRE2_ERROR_HEAP_FAILED
               ? err_nomem(err)
               : err_set(err, RC_ERROR, ERR_BAD_OPTION,
                         "option 'schema': '%s' is no regular expression", keyword);
  }
  pcre2_code_free(re);
  return RC_OK;
}

/* "type": one of the seven words, or several. */
static int are_types(const cJSON *k) {
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
  return known;
}

static int are_names(const cJSON *k) {
  const cJSON *name;
  int ok = cJSON_IsArray(k);
  cJSON_ArrayForEach(name, (ok ? k : NULL)) {
    ok = ok && cJSON_IsString(name);
  }
  return ok;
}

static int are_lists(const cJSON *k) {
  const cJSON *list;
  int ok = cJSON_IsObject(k);
  cJSON_ArrayForEach(list, (ok ? k : NULL)) {
    ok = ok && are_names(list);
  }
  return ok;
}

/* 1 if the keyword's value is of the type that it takes. */
static int has_right_type(const cJSON *k, SchemaTakes takes) {
  switch (takes) {
  case TAKES_OBJECT:
  case TAKES_PATTERNS:
    return cJSON_IsObject(k);
  case TAKES_ARRAY:
    return cJSON_IsArray(k);
  case TAKES_NUMBER:
  case TAKES_POSITIVE:
    return cJSON_IsNumber(k);
  case TAKES_BOUND:
    return cJSON_IsNumber(k) || cJSON_IsBool(k);
  case TAKES_BOOLEAN:
    return cJSON_IsBool(k);
  case TAKES_NAMES:
    return are_names(k);
  case TAKES_LISTS:
    return are_lists(k);
  case TAKES_PATTERN:
  case TAKES_REF:
    return cJSON_IsString(k);
  default:
    return 1;
  }
}

/* One keyword by itself: known, of the right type, and meaning something. */
static int check_keyword(const cJSON *root, const cJSON *k, const SchemaKeyword *word, Err *err) {
  const cJSON *p;
  if (!word) {
    return unknown_keyword(k, err);
  }
  if (!has_right_type(k, word->takes)) {
    return bad_keyword(k, "has a value of the wrong type", err);
  }
  if (word->takes == TAKES_TYPES && !are_types(k)) {
    return bad_keyword(k, "names no JSON type", err);
  }
  if (word->takes == TAKES_POSITIVE && !(k->valuedouble > 0)) {
    return bad_keyword(k, "must be above 0", err);
  }
  if (word->takes == TAKES_REF && !schema_resolve(root, k->valuestring)) {
    return bad_keyword(k, "leads nowhere in this schema", err);
  }
  if (word->takes == TAKES_PATTERN) {
    return check_pattern(word->name, k->valuestring, err);
  }
  cJSON_ArrayForEach(p, (word->takes == TAKES_PATTERNS ? k : NULL)) {
    check_pattern(word->name, p->string, err);
  }
  return err->rc;
}

typedef struct Checked {
  const cJSON *root;
  Err *err;
} Checked;

static int check_schema_at(void *checked, const cJSON *under, const cJSON *schema) {
  const Checked *c = checked;
  const cJSON *k;
  (void)under;
  if (cJSON_IsBool(schema)) {
    return RC_OK;
  }
  if (!cJSON_IsObject(schema)) {
    return err_set(c->err, RC_ERROR, ERR_BAD_OPTION, "option 'schema': a schema must be an object");
  }
  cJSON_ArrayForEach(k, schema) {
    if (check_keyword(c->root, k, schema_keyword(k->string), c->err) != RC_OK) {
      return c->err->rc;
    }
  }
  return schema_visit(schema, check_schema_at, checked);
}

int schema_check(const cJSON *schema, Err *err) {
  Checked c = {schema, err};
  check_schema_at(&c, NULL, schema);
  return err->rc;
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

unsigned schema_type_of(const cJSON *v) {
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
    return schema_type_of(k);
  }
  if (strcmp(name, "type") == 0 && cJSON_IsString(k)) {
    return type_bit(k->valuestring);
  }
  if (strcmp(name, "$ref") == 0) {
    const cJSON *target = cJSON_IsString(k) ? schema_resolve(root, k->valuestring) : NULL;
    return target ? types_of(root, target, steps) : TYPE_ANY;
  }
  int is_values = strcmp(name, "enum") == 0, is_words = strcmp(name, "type") == 0;
  int is_all = strcmp(name, "allOf") == 0;
  if (!is_values && !is_words && !is_all && strcmp(name, "anyOf") != 0 &&
      strcmp(name, "oneOf") != 0) {
    return TYPE_ANY;
  }
  cJSON_ArrayForEach(item, k) {
    unsigned one = is_values  ? schema_type_of(item)
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

unsigned schema_types(const cJSON *root, const cJSON *schema) {
  int steps = 1000;
  return types_of(root, schema, &steps);
}
