/*
** Arguments of a semantic_cache table: one table of names, kinds and places.
*/
#include "vec/cache/settings.h"

#include "core/request/options.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DIMENSIONS = 16384 };

typedef enum Kind { TEXT_VALUE, COUNT, COSINE, SHARE, DURATION, SWITCH, INTEGER } Kind;

static const struct Setting {
  const char *name;
  Kind kind;
  size_t at;
  int is_fixed; /* what is stored was made with it */
} settings[] = {
    {"embedder", TEXT_VALUE, offsetof(CacheSettings, embedder), 1},
    {"dim", COUNT, offsetof(CacheSettings, dim), 1},
    {"threshold", COSINE, offsetof(CacheSettings, threshold), 0},
    {"ttl", DURATION, offsetof(CacheSettings, ttl_ms), 0},
    {"max_entries", INTEGER, offsetof(CacheSettings, max_entries), 0},
    {"max_false_hits", SHARE, offsetof(CacheSettings, max_false_hits), 0},
    {"guard", SWITCH, offsetof(CacheSettings, guard), 0},
    {"confirm", SWITCH, offsetof(CacheSettings, confirm), 0},
    {"seed", INTEGER, offsetof(CacheSettings, seed), 1},
};
enum { N_SETTINGS = sizeof settings / sizeof settings[0] };

#define NAMES "embedder, dim, threshold, ttl, max_entries, max_false_hits, guard, confirm, seed"

/* Copies a value without its quotes (doubled ones inside are one). 0 where it is too long or its
** quote is not closed. */
static int unquote(const char *text, size_t n, char out[SETTING_VALUE]) {
  char quote = n && (text[0] == '\'' || text[0] == '"') ? text[0] : 0;
  size_t at = 0;
  if (quote && (n < 2 || text[n - 1] != quote)) {
    return 0;
  }
  for (size_t i = quote ? 1 : 0; i < n - (quote ? 1 : 0); i++) {
    if (at + 1 >= SETTING_VALUE) {
      return 0;
    }
    i += quote && text[i] == quote && i + 2 < n && text[i + 1] == quote;
    out[at++] = text[i];
  }
  out[at] = 0;
  return 1;
}

static int bad_value(const struct Setting *s, const char *expected, Err *err) {
  return err_set(err, RC_ERROR, "bad_argument", "argument '%s': expected %s", s->name, expected);
}

static int set_number(const struct Setting *s, const char *value, void *at, Err *err) {
  char *end = NULL;
  double d = strtod(value, &end);
  int is_number = end != value && *end == 0 && isfinite(d);
  int is_whole = is_number && d == floor(d) && fabs(d) <= (double)LIMIT_COUNT;
  switch (s->kind) {
  case COUNT:
    if (!is_whole || d < 1 || d > MOST_DIMENSIONS) {
      return bad_value(s, "a whole number from 1 to 16384", err);
    }
    *(int *)at = (int)d;
    return RC_OK;
  case INTEGER:
    if (!is_whole || d < 0) {
      return bad_value(s, "a whole number from 0", err);
    }
    *(long long *)at = (long long)d;
    return RC_OK;
  case COSINE:
    if (!is_number || d < -1 || d > 1) {
      return bad_value(s, "a cosine, from -1 to 1", err);
    }
    *(double *)at = d;
    return RC_OK;
  default:
    if (!is_number || d <= 0 || d >= 1) {
      return bad_value(s, "a share above 0 and below 1, such as 0.01", err);
    }
    *(double *)at = d;
    return RC_OK;
  }
}

static int set_value(const struct Setting *s, const char *value, CacheSettings *set, Err *err) {
  void *at = (char *)set + s->at;
  long long ms;
  switch (s->kind) {
  case TEXT_VALUE:
    if (!value[0]) {
      return bad_value(s, "'static', 'minilm', 'none' or a model of llm_models", err);
    }
    memcpy(at, value, strlen(value) + 1);
    return RC_OK;
  case DURATION:
    ms = duration_parse(value);
    if (ms <= 0) {
      return bad_value(s, "a duration such as '90s', '36h', '7d'", err);
    }
    *(long long *)at = ms;
    return RC_OK;
  case SWITCH:
    if (strcmp(value, "on") != 0 && strcmp(value, "off") != 0) {
      return bad_value(s, "'on' or 'off'", err);
    }
    *(int *)at = strcmp(value, "on") == 0;
    return RC_OK;
  default:
    return set_number(s, value, at, err);
  }
}

static const char *skip_blanks(const char *p) {
  return p + strspn(p, " \t\r\n");
}

static const struct Setting *find_setting(const char *name, size_t n, Err *err) {
  for (int i = 0; i < N_SETTINGS; i++) {
    if (strlen(settings[i].name) == n && strncmp(settings[i].name, name, n) == 0) {
      return &settings[i];
    }
  }
  err_set(err, RC_ERROR, "bad_argument", "unknown argument '%.40s' (valid: " NAMES ")", name);
  return NULL;
}

/* The setting and the value without its quotes; NULL on error. */
static const struct Setting *split(const char *text, char value[SETTING_VALUE], Err *err) {
  const char *name = skip_blanks(text);
  size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz_ABCDEFGHIJKLMNOPQRSTUVWXYZ");
  const char *p = skip_blanks(name + n);
  const struct Setting *s = find_setting(name, n, err);
  if (!s) {
    return NULL;
  }
  p = *p == '=' ? skip_blanks(p + 1) : NULL;
  size_t length = p ? strlen(p) : 0;
  while (length && strchr(" \t\r\n", p[length - 1])) {
    length--;
  }
  if (!length || !unquote(p, length, value)) {
    bad_value(s, "name=value, text in quotes", err);
    return NULL;
  }
  return s;
}

static int parse_one(const char *text, CacheSettings *set, Err *err) {
  char value[SETTING_VALUE];
  const struct Setting *s = split(text, value, err);
  return s ? set_value(s, value, set, err) : err->rc;
}

static const CacheSettings defaults = {.embedder = "static",
                                       .threshold = (double)NAN,
                                       .max_false_hits = (double)NAN,
                                       .guard = 1,
                                       .confirm = 1};

/* Sets a setting to the default, as in a table that was made without it. */
static int set_default(const struct Setting *s, CacheSettings *set) {
  size_t size = s->kind == COSINE || s->kind == SHARE ? sizeof(double)
                : s->kind == SWITCH                   ? sizeof(int)
                                                      : sizeof(long long);
  memcpy((char *)set + s->at, (const char *)&defaults + s->at, size);
  return RC_OK;
}

static int change(const struct Setting *s, const char *value, CacheSettings *set, Err *err) {
  if (s->is_fixed) {
    return err_set(err, RC_ERROR, "bad_argument",
                   "argument '%s' can't be changed in place: make a new table with it and copy:"
                   " INSERT INTO new SELECT * FROM old",
                   s->name);
  }
  return strcmp(value, "default") == 0 ? set_default(s, set) : set_value(s, value, set, err);
}

int cache_settings_change(const char *text, char name[SETTING_NAME], char value[SETTING_VALUE],
                          Err *err) {
  CacheSettings tried = defaults;
  const struct Setting *s = split(text, value, err);
  if (s && change(s, value, &tried, err) == RC_OK) {
    memcpy(name, s->name, strlen(s->name) + 1);
  }
  return err->rc;
}

int cache_settings_apply(const char *name, const char *value, CacheSettings *set, Err *err) {
  const struct Setting *s = find_setting(name, strlen(name), err);
  return s ? change(s, value, set, err) : err->rc;
}

int cache_settings_parse(int argc, const char *const *argv, CacheSettings *set, Err *err) {
  *set = defaults;
  for (int i = 0; i < argc && err->rc == RC_OK; i++) {
    parse_one(argv[i], set, err);
  }
  int brings_vectors = strcmp(set->embedder, "none") == 0;
  if (err->rc == RC_OK && brings_vectors != (set->dim > 0)) {
    err_set(err, RC_ERROR, "bad_argument",
            brings_vectors ? "embedder='none' needs dim=N: the length of the vectors you bring"
                           : "dim goes with embedder='none' only: every other has its own");
  }
  return err->rc;
}
