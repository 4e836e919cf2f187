/*
** Arguments of a semantic_cache table: one table of names, kinds and places.
*/
#include "vec/cache/state/settings.h"

#include "base/text/spec.h"

#include <string.h>

/* Whether a table that exists may change it; what is stored was made with the others. */
enum { IN_PLACE = 1 };

#define INTO(type, member) SPEC_INTO(CacheSettings, type, member)

static const Spec specs[] = {
    {"embedder", INTO(CHARS, embedder), .initial = "static",
     .what = "'static', 'minilm', 'none' or a model of llm_models"},
    {"dim", INTO(INTEGER, dim), .min = 1, .max = MOST_DIMENSIONS, .initial = "0"},
    {"threshold", INTO(NUMBER, threshold), .of = IN_PLACE, .min = -1, .max = 1, .what = "a cosine"},
    {"ttl", INTO(DURATION, ttl_ms), .of = IN_PLACE, .initial = "0"},
    {"max_entries", INTO(INTEGER, max_entries), .of = IN_PLACE, .min = 0,
     .max = (double)LIMIT_COUNT, .initial = "0"},
    {"max_false_hits", INTO(SHARE, max_false_hits), .of = IN_PLACE},
    {"guard", INTO(SWITCH, guard), .of = IN_PLACE, .initial = "on"},
    {"confirm", INTO(SWITCH, confirm), .of = IN_PLACE, .initial = "on"},
    {"seed", INTO(INTEGER, seed), .min = 0, .max = (double)LIMIT_COUNT, .initial = "0"},
};

static const SpecTable table = {
    "argument", ERR_BAD_ARGUMENT, NULL, NULL, specs, sizeof specs / sizeof specs[0]};

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

static const char *skip_blanks(const char *p) {
  return p + strspn(p, " \t\r\n");
}

/* The argument and the value without its quotes; NULL on error. */
static const Spec *split(const char *text, char value[SETTING_VALUE], Err *err) {
  const char *name = skip_blanks(text);
  size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz_ABCDEFGHIJKLMNOPQRSTUVWXYZ");
  const char *p = skip_blanks(name + n);
  const Spec *s = spec_find(&table, 0, name, n, err);
  if (!s) {
    return NULL;
  }
  p = *p == '=' ? skip_blanks(p + 1) : NULL;
  size_t length = p ? strlen(p) : 0;
  while (length && strchr(" \t\r\n", p[length - 1])) {
    length--;
  }
  if (!length || !unquote(p, length, value)) {
    spec_bad(&table, s->name, "name=value, text in quotes", err);
    return NULL;
  }
  return s;
}

static int set_value(const Spec *s, const char *value, CacheSettings *set, Err *err) {
  const SpecValue v = spec_value_text(s->name, value);
  return spec_set(&table, s, &v, set, err);
}

static int parse_one(const char *text, CacheSettings *set, Err *err) {
  char value[SETTING_VALUE];
  const Spec *s = split(text, value, err);
  return s ? set_value(s, value, set, err) : err->rc;
}

/* 'default' is what it is in a table that was made without it. */
static int change(const Spec *s, const char *value, CacheSettings *set, Err *err) {
  if (!(s->of & IN_PLACE)) {
    return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
                   "argument '%s' can't be changed in place: make a new table with it and copy:"
                   " INSERT INTO new SELECT * FROM old",
                   s->name);
  }
  if (strcmp(value, "default") == 0) {
    spec_reset(s, set);
    return RC_OK;
  }
  return set_value(s, value, set, err);
}

int cache_settings_change(const char *text, char name[SETTING_NAME], char value[SETTING_VALUE],
                          Err *err) {
  CacheSettings tried;
  spec_init(&table, &tried);
  const Spec *s = split(text, value, err);
  if (s && change(s, value, &tried, err) == RC_OK) {
    memcpy(name, s->name, strlen(s->name) + 1);
  }
  return err->rc;
}

int cache_settings_apply(const char *name, const char *value, CacheSettings *set, Err *err) {
  const Spec *s = spec_find(&table, 0, name, strlen(name), err);
  return s ? change(s, value, set, err) : err->rc;
}

int cache_settings_parse(int argc, const char *const *argv, CacheSettings *set, Err *err) {
  memset(set, 0, sizeof *set);
  spec_init(&table, set);
  for (int i = 0; i < argc && err->rc == RC_OK; i++) {
    parse_one(argv[i], set, err);
  }
  int brings_vectors = strcmp(set->embedder, "none") == 0;
  if (err->rc == RC_OK && brings_vectors != (set->dim > 0)) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
            brings_vectors ? "embedder='none' needs dim=N: the length of the vectors you bring"
                           : "dim goes with embedder='none' only: every other has its own");
  }
  return err->rc;
}
