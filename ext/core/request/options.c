/*
** Options as one table: name, type, place, range. See options.h for the contract.
*/
#include "core/request/options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum Type {
  T_TEXT,
  T_NUMBER,
  T_INTEGER,
  T_BOOL,
  T_SEED,
  T_STOP,
  T_SCHEMA,
  T_TTL,
  T_CACHE,
  T_ON_ERROR
} Type;

typedef struct Spec {
  const char *name;
  Type type;
  size_t at; /* offset in Options */
  double min, max;
} Spec;

#define AT(member) offsetof(Options, member)

static const Spec specs[] = {
    {"model", T_TEXT, AT(model), 0, 0},
    {"system", T_TEXT, AT(system), 0, 0},
    {"max_tokens", T_INTEGER, AT(max_tokens), 1, 10000000},
    {"temperature", T_NUMBER, AT(temperature), 0, 2},
    {"top_p", T_NUMBER, AT(top_p), 0, 1},
    {"seed", T_SEED, AT(seed), 0, 0},
    {"stop", T_STOP, AT(stop), 0, 0},
    {"schema", T_SCHEMA, AT(schema), 0, 0},
    {"cache", T_CACHE, AT(cache), 0, 0},
    {"threshold", T_NUMBER, AT(threshold), -1, 1},
    {"ttl", T_TTL, AT(ttl_ms), 0, 0},
    {"tag", T_TEXT, AT(tag), 0, 0},
    {"user", T_TEXT, AT(user), 0, 0},
    {"conversation", T_TEXT, AT(conversation), 0, 0},
    {"gate", T_TEXT, AT(gate), 0, 0},
    {"escalate", T_BOOL, AT(escalate), 0, 0},
    {"timeout_ms", T_INTEGER, AT(timeout_ms), 1, 3600000},
    {"retries", T_INTEGER, AT(retries), 0, LIMIT_ATTEMPTS - 1},
    {"dry_run", T_BOOL, AT(dry_run), 0, 0},
    {"on_error", T_ON_ERROR, AT(on_error), 0, 0},
};
enum { N_SPECS = sizeof specs / sizeof specs[0] };

static const char *const cache_words[] = {"exact", "semantic", "off", "refresh"};
static const char *const on_error_words[] = {"error", "null", "json"};

static int find_word(const char *word, const char *const *words, int n) {
  for (int i = 0; word && i < n; i++) {
    if (strcmp(word, words[i]) == 0) {
      return i;
    }
  }
  return -1;
}

int cache_mode_parse(const char *word) {
  return find_word(word, cache_words, 4);
}

void options_init(Options *o) {
  memset(o, 0, sizeof *o);
  o->temperature = o->top_p = o->threshold = (double)NAN;
  o->max_tokens = o->timeout_ms = o->retries = o->ttl_ms = OPTION_UNSET;
  o->cache = -1;
}

void options_free(Options *o) {
  cJSON_Delete(o->doc);
  options_init(o);
}

long long duration_parse(const char *text) {
  static const struct {
    const char *unit;
    double ms;
  } units[] = {{"", 1e3},    {"ms", 1},     {"s", 1e3},    {"m", 6e4},
               {"h", 3.6e6}, {"d", 8.64e7}, {"w", 6.048e8}};
  char *end = NULL;
  double value = strtod(text, &end);
  if (end == text || !(value >= 0)) {
    return -1;
  }
  for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
    if (strcmp(end, units[i].unit) == 0 && value * units[i].ms <= (double)LIMIT_COUNT) {
      return (long long)(value * units[i].ms);
    }
  }
  return -1;
}

static int bad_type(const Spec *s, const char *expected, Err *err) {
  return err_set(err, RC_ERROR, "bad_option", "option '%s': expected %s", s->name, expected);
}

static int set_number(const Spec *s, const cJSON *v, Options *o, Err *err) {
  double d = cJSON_IsNumber(v) ? v->valuedouble : (double)NAN;
  int whole = s->type == T_INTEGER;
  if (!(d >= s->min && d <= s->max) || (whole && d != floor(d))) {
    char expected[96];
    snprintf(expected, sizeof expected, "%s from %.15g to %.15g", whole ? "an integer" : "a number",
             s->min, s->max);
    return bad_type(s, expected, err);
  }
  void *at = (char *)o + s->at;
  if (whole) {
    *(long long *)at = (long long)d;
  } else {
    *(double *)at = d;
  }
  return RC_OK;
}

static int set_seed(const Spec *s, const cJSON *v, Options *o, Err *err) {
  double d = cJSON_IsNumber(v) ? v->valuedouble : (double)NAN;
  if (!(fabs(d) <= (double)LIMIT_COUNT) || d != floor(d)) {
    return bad_type(s, "an integer of at most 53 bits", err);
  }
  o->seed = (long long)d;
  o->has_seed = 1;
  return RC_OK;
}

/* A string, or one to four strings; none empty (providers refuse those). */
static int set_stop(const Spec *s, const cJSON *v, Options *o, Err *err) {
  static const char expected[] = "a non-empty string, or an array of 1 to 4 of them";
  int n = cJSON_IsArray(v) ? cJSON_GetArraySize(v) : 1;
  const cJSON *item = cJSON_IsArray(v) ? v->child : v;
  if (n < 1 || n > 4) {
    return bad_type(s, expected, err);
  }
  for (int i = 0; i < n; i++, item = item->next) {
    if (!cJSON_IsString(item) || !item->valuestring[0]) {
      return bad_type(s, expected, err);
    }
  }
  o->stop = v;
  return RC_OK;
}

static int set_ttl(const Spec *s, const cJSON *v, Options *o, Err *err) {
  double seconds = cJSON_IsNumber(v) ? v->valuedouble : -1.0;
  long long ms = cJSON_IsString(v)                ? duration_parse(v->valuestring)
                 : seconds > 0 && seconds <= 1e12 ? (long long)(seconds * 1e3)
                                                  : -1;
  if (ms <= 0) {
    return bad_type(s, "seconds above 0, or a duration such as '90s', '15m', '36h', '7d'", err);
  }
  o->ttl_ms = ms;
  return RC_OK;
}

static int set_word(const Spec *s, const cJSON *v, Options *o, Err *err) {
  int is_cache = s->type == T_CACHE;
  int i =
      find_word(cJSON_GetStringValue(v), is_cache ? cache_words : on_error_words, is_cache ? 4 : 3);
  if (i < 0) {
    return bad_type(s, is_cache ? CACHE_MODES : "'error', 'null' or 'json'", err);
  }
  *(int *)((char *)o + s->at) = i;
  return RC_OK;
}

static int set_option(const Spec *s, const cJSON *v, Options *o, Err *err) {
  switch (s->type) {
  case T_TEXT:
    if (!cJSON_IsString(v)) {
      return bad_type(s, "text", err);
    }
    *(const char **)((char *)o + s->at) = v->valuestring;
    return RC_OK;
  case T_BOOL:
    if (!cJSON_IsBool(v)) {
      return bad_type(s, "true or false", err);
    }
    *(int *)((char *)o + s->at) = cJSON_IsTrue(v);
    return RC_OK;
  case T_SCHEMA:
    if (!cJSON_IsObject(v)) {
      return bad_type(s, "a JSON Schema (an object)", err);
    }
    o->schema = v;
    return RC_OK;
  case T_SEED:
    return set_seed(s, v, o, err);
  case T_STOP:
    return set_stop(s, v, o, err);
  case T_TTL:
    return set_ttl(s, v, o, err);
  case T_CACHE:
  case T_ON_ERROR:
    return set_word(s, v, o, err);
  default:
    return set_number(s, v, o, err);
  }
}

static const Spec *find_spec(const char *name) {
  for (int i = 0; i < N_SPECS; i++) {
    if (strcmp(specs[i].name, name) == 0) {
      return &specs[i];
    }
  }
  return NULL;
}

static int unknown_key(const char *key, Err *err) {
  char valid[512] = "";
  size_t n = 0;
  for (int i = 0; i < N_SPECS && n < sizeof valid; i++) {
    n += (size_t)snprintf(valid + n, sizeof valid - n, "%s%s", i ? ", " : "", specs[i].name);
  }
  return err_set(err, RC_ERROR, "bad_option", "unknown option '%.40s' (valid: %s)", key, valid);
}

/* What no single option shows. */
static int check_together(const Options *o, Err *err) {
  if (!isnan(o->threshold) && o->cache != CACHE_SEMANTIC) {
    return err_set(err, RC_ERROR, "bad_option",
                   "option 'threshold' is for the semantic cache: give cache 'semantic' with it");
  }
  if (o->model && !o->model[0]) {
    return err_set(err, RC_ERROR, "bad_option", "option 'model': expected a name, or 'auto'");
  }
  if (o->model && strlen(o->model) >= LIMIT_MODEL_NAME) {
    return err_set(err, RC_ERROR, "bad_option", "option 'model': at most %d bytes",
                   LIMIT_MODEL_NAME - 1);
  }
  return RC_OK;
}

int options_parse(const char *json, size_t n, Options *o, Err *err) {
  options_init(o);
  if (n > LIMIT_OPTIONS_BYTES) {
    return err_set(err, RC_TOOBIG, "bad_option", "options of %zu bytes (at most %zu)", n,
                   LIMIT_OPTIONS_BYTES);
  }
  o->doc = json_parse(json, n, "the options", err);
  if (o->doc && !cJSON_IsObject(o->doc)) {
    err_set(err, RC_ERROR, "bad_option",
            "the options must be one JSON object, such as '{\"model\":\"auto\"}'");
  }
  const cJSON *item = err->rc == RC_OK ? o->doc->child : NULL;
  for (; item && err->rc == RC_OK; item = item->next) {
    const Spec *s = find_spec(item->string);
    if (!s) {
      unknown_key(item->string, err);
    } else if (!cJSON_IsNull(item)) {
      set_option(s, item, o, err);
    }
  }
  if (err->rc == RC_OK) {
    check_together(o, err);
  }
  if (err->rc != RC_OK) {
    options_free(o);
  }
  return err->rc;
}
