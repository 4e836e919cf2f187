/*
** See json_fields.h for the contract.
*/
#include "core/ballast/json_fields.h"

#include "base/hash.h"
#include "base/text/json.h"
#include "core/split/terms.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
  MOST_ENTRIES =
      4096 /* names and values that are looked at; a schema with more carries the first of them */
};

typedef struct Entry {
  uint64_t key;
  unsigned flags, types; /* types: bits of a letter each, see type_bit */
  int group;             /* of a value: its enumeration, from 1 on */
} Entry;

struct JsonFields {
  Entry *at;
  size_t n, cap;
  int groups;
  unsigned root; /* types of an answer as a whole */
  Err *err;      /* while it is read */
};

static int add(JsonFields *s, const Entry *e) {
  if (s->n == MOST_ENTRIES) {
    return s->err->rc;
  }
  if (s->n == s->cap) {
    size_t cap = s->cap ? 2 * s->cap : 32;
    Entry *grown = realloc(s->at, cap * sizeof *grown);
    if (!grown) {
      return err_nomem(s->err);
    }
    s->at = grown;
    s->cap = cap;
  }
  s->at[s->n++] = *e;
  return RC_OK;
}

/* Adds the words of a text. */
static void add_words(JsonFields *s, const char *text, Entry e) {
  TermWalk w;
  Term t;
  size_t n = strlen(text);
  terms_begin(&w, text, 0, n);
  while (s->err->rc == RC_OK && terms_next(&w, &t)) {
    Entry one = e;
    one.key = t.key;
    one.flags |= e.flags & FIELD_NAME && t.from == 0 && t.n == n ? FIELD_WHOLE : 0;
    add(s, &one);
  }
}

/* Prose has words of its own for some: text, int, bool, list, float. What is an integer is a number too. */
static unsigned type_bit(const char *type, size_t n) {
  static const struct {
    const char *word;
    unsigned bits, needs;
  } types[] = {{"str", 1, 1},   {"text", 1, 1},  {"int", 6, 4},   {"num", 2, 2},
               {"float", 2, 2}, {"bool", 8, 8},  {"arr", 16, 16}, {"list", 16, 16},
               {"obj", 32, 32}, {"null", 64, 64}};
  for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
    size_t k = strlen(types[i].word);
    if (n >= k && strncasecmp(type, types[i].word, k) == 0) {
      return types[i].bits | types[i].needs << 8;
    }
  }
  return 0;
}

static unsigned own_types(const cJSON *schema) {
  const cJSON *type = cJSON_GetObjectItemCaseSensitive(schema, "type"), *one;
  unsigned bits = cJSON_IsString(type) ? type_bit(type->valuestring, strlen(type->valuestring)) : 0;
  if (cJSON_IsArray(type)) {
    cJSON_ArrayForEach(one, type) {
      bits |= cJSON_IsString(one) ? type_bit(one->valuestring, strlen(one->valuestring)) : 0;
    }
  }
  return bits & 0xFF;
}

static unsigned types_of(const cJSON *schema) {
  const cJSON *items = cJSON_GetObjectItemCaseSensitive(schema, "items");
  return own_types(schema) | (items ? types_of(items) : 0);
}

static unsigned root_types(const cJSON *schema) {
  unsigned own = own_types(schema);
  int has_names = cJSON_GetObjectItemCaseSensitive(schema, "properties") != NULL;
  return own ? own : has_names ? type_bit("object", 6) & 0xFF : 0;
}

static int is_required(const cJSON *schema, const char *name) {
  const cJSON *one;
  cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(schema, "required")) {
    if (cJSON_IsString(one) && strcmp(one->valuestring, name) == 0) {
      return 1;
    }
  }
  return 0;
}

static void add_values(JsonFields *s, const cJSON *values) {
  const cJSON *one;
  s->groups++;
  cJSON_ArrayForEach(one, values) {
    if (cJSON_IsString(one)) {
      add_words(s, one->valuestring, (Entry){.flags = FIELD_VALUE, .group = s->groups});
    }
  }
}

/* Whatever is nested in it is a schema too, or says nothing that is looked for. */
static void read(JsonFields *s, const cJSON *schema) {
  const cJSON *property, *member;
  cJSON_ArrayForEach(property, cJSON_GetObjectItemCaseSensitive(schema, "properties")) {
    unsigned flags =
        FIELD_NAME |
        (property->string && is_required(schema, property->string) ? 0 : FIELD_OPTIONAL);
    if (property->string) {
      add_words(s, property->string, (Entry){.flags = flags, .types = types_of(property)});
    }
  }
  cJSON_ArrayForEach(member, schema) {
    if (cJSON_IsArray(member) && member->string && strcmp(member->string, "enum") == 0) {
      add_values(s, member);
    } else if (s->err->rc == RC_OK && (cJSON_IsObject(member) || cJSON_IsArray(member))) {
      read(s, member);
    }
  }
}

JsonFields *json_fields_of(const cJSON *schema, Err *err) {
  if (!cJSON_IsObject(schema)) {
    err_set(err, RC_ERROR, ERR_BAD_OPTION, "schema must be a JSON Schema, an object");
    return NULL;
  }
  JsonFields *s = calloc(1, sizeof *s);
  if (!s) {
    err_nomem(err);
    return NULL;
  }
  s->err = err;
  read(s, schema);
  s->root = root_types(schema);
  s->err = NULL;
  if (err->rc != RC_OK) {
    json_fields_free(s);
    return NULL;
  }
  return s;
}

JsonFields *json_fields_read(const char *schema, size_t n, Err *err) {
  cJSON *doc = json_parse(schema, n, "the schema", err);
  JsonFields *s = doc ? json_fields_of(doc, err) : NULL;
  cJSON_Delete(doc);
  return s;
}

void json_fields_free(JsonFields *s) {
  if (s) {
    free(s->at);
  }
  free(s);
}

unsigned json_fields_word(const JsonFields *s, uint64_t key) {
  unsigned flags = 0;
  for (size_t i = 0; i < s->n; i++) {
    flags |= s->at[i].key == key ? s->at[i].flags : 0;
  }
  return flags;
}

int json_fields_have_type(const JsonFields *s, uint64_t name, const char *type, size_t n) {
  unsigned needs = type_bit(type, n) >> 8;
  for (size_t i = 0; i < s->n; i++) {
    if (s->at[i].key == name && s->at[i].flags & FIELD_WHOLE && s->at[i].types & needs) {
      return 1;
    }
  }
  return 0;
}

int json_fields_are_type(const JsonFields *s, const char *type, size_t n) {
  return (s->root & type_bit(type, n) >> 8) != 0;
}

static int is_among(uint64_t key, const uint64_t *keys, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (keys[i] == key) {
      return 1;
    }
  }
  return 0;
}

/* 1 if all values of a group, or none, are among the keys. */
static int is_all_or_none(const JsonFields *s, int group, const uint64_t *keys, size_t n) {
  size_t there = 0, of = 0;
  for (size_t i = 0; i < s->n; i++) {
    if (s->at[i].group == group) {
      of++;
      there += (size_t)is_among(s->at[i].key, keys, n);
    }
  }
  return there == 0 || there == of;
}

int json_fields_list_all(const JsonFields *s, const uint64_t *keys, size_t n) {
  for (int group = 1; group <= s->groups; group++) {
    if (!is_all_or_none(s, group, keys, n)) {
      return 0;
    }
  }
  return 1;
}
