/*
** Options as data. See spec.h for the contract.
**
** What a message says of a wrong value (describe) comes from the line of the table that the check
** (put) goes by.
*/
#include "base/text/spec.h"

#include "base/text/decimal.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const switch_words[] = {"on", "off", NULL};

SpecValue spec_value_json(const cJSON *item) {
  return (SpecValue){.name = item->string,
                     .text = cJSON_GetStringValue(item),
                     .number = cJSON_IsNumber(item) ? item->valuedouble : (double)NAN,
                     .json = item,
                     .is_null = cJSON_IsNull(item)};
}

SpecValue spec_value_text(const char *name, const char *text) {
  char *end = NULL;
  double d = strtod(text, &end);
  int is_number = end != text && *end == 0 && isfinite(d);
  return (SpecValue){.name = name, .text = text, .number = is_number ? d : (double)NAN};
}

/* ---- members */

static void *member(const Spec *s, void *to) {
  return (char *)to + s->at;
}

static int find_word(const char *const *words, const char *word) {
  for (int i = 0; word && words[i]; i++) {
    if (strcmp(word, words[i]) == 0) {
      return i;
    }
  }
  return -1;
}

static void put_integer(const Spec *s, long long value, void *at) {
  if (s->size == sizeof(int)) {
    *(int *)at = (int)value;
  } else {
    *(long long *)at = value;
  }
}

/* Makes a member what it is where nobody gave it. */
static void clear(const Spec *s, void *at) {
  const char *initial = s->initial;
  switch (s->type) {
  case SPEC_TEXT:
  case SPEC_OWNED:
  case SPEC_OBJECT:
    memset(at, 0, s->size);
    break;
  case SPEC_CHARS:
    snprintf(at, s->size, "%s", initial ? initial : "");
    break;
  case SPEC_INTEGER:
    put_integer(s, initial ? strtoll(initial, NULL, 10) : SPEC_UNSET, at);
    break;
  case SPEC_NUMBER:
  case SPEC_SHARE:
    *(double *)at = initial ? strtod(initial, NULL) : (double)NAN;
    break;
  case SPEC_SWITCH:
    *(int *)at = find_word(switch_words, initial) == 0;
    break;
  case SPEC_WORD:
    *(int *)at = find_word(s->words, initial);
    break;
  case SPEC_DURATION:
    *(long long *)at = initial ? duration_parse(initial) : SPEC_UNSET;
    break;
  case SPEC_TIME:
    *(long long *)at = SPEC_NO_TIME;
    break;
  case SPEC_OTHER:
    break;
  }
}

void spec_init(const SpecTable *table, void *to) {
  for (int i = 0; i < table->n; i++) {
    clear(&table->at[i], member(&table->at[i], to));
  }
}

void spec_reset(const Spec *s, void *to) {
  if (s->type == SPEC_OWNED) {
    free(*(char **)member(s, to));
  }
  clear(s, member(s, to));
}

void spec_free(const SpecTable *table, void *to) {
  for (int i = 0; i < table->n; i++) {
    if (table->at[i].type == SPEC_OWNED) {
      spec_reset(&table->at[i], to);
    }
  }
}

/* ---- values: 1, or 0 where it is none of the type */

static int put_text(const Spec *s, const SpecValue *v, void *at) {
  if (s->type == SPEC_TEXT) {
    *(const char **)at = v->text ? v->text : *(const char **)at;
    return v->text != NULL;
  }
  size_t n = v->text ? strlen(v->text) : 0;
  if (n == 0 || n >= s->size) {
    return 0;
  }
  memcpy(at, v->text, n + 1);
  return 1;
}

static int put_number(const Spec *s, const SpecValue *v, double *at) {
  double d = v->number;
  int fits = s->type == SPEC_SHARE ? d > 0 && d < 1 : d >= s->min && d <= s->max;
  *at = fits ? d : *at;
  return fits;
}

static int put_word(const Spec *s, const SpecValue *v, int *at) {
  int i = find_word(s->words, v->text);
  *at = i >= 0 ? i : *at;
  return i >= 0;
}

static int put_switch(const SpecValue *v, int *at) {
  int i = v->json ? -1 : find_word(switch_words, v->text);
  int fits = i >= 0 || cJSON_IsBool(v->json);
  *at = fits ? i == 0 || cJSON_IsTrue(v->json) : *at;
  return fits;
}

/* As many seconds as a text could say. */
static int put_duration(const SpecValue *v, long long *at) {
  int in_range = v->number > 0 && v->number * 1e3 <= (double)LIMIT_COUNT;
  long long ms = v->text ? duration_parse(v->text) : in_range ? (long long)(v->number * 1e3) : -1;
  *at = ms > 0 ? ms : *at;
  return ms > 0;
}

static int put_time(const SpecValue *v, long long *at) {
  char number[32];
  int in_range = fabs(v->number) <= (double)LIMIT_COUNT;
  snprintf(number, sizeof number, "%.0f", in_range ? v->number : 0.0);
  const char *text = v->text ? v->text : in_range ? number : "";
  long long ms = 0;
  int is_time = time_parse(text, &ms);
  *at = is_time ? ms : *at;
  return is_time;
}

static int put(const Spec *s, const SpecValue *v, void *at) {
  switch (s->type) {
  case SPEC_TEXT:
  case SPEC_CHARS:
    return put_text(s, v, at);
  case SPEC_INTEGER:
    return decimal_is_whole(v->number, s->min, s->max) &&
           (put_integer(s, (long long)v->number, at), 1);
  case SPEC_NUMBER:
  case SPEC_SHARE:
    return put_number(s, v, at);
  case SPEC_SWITCH:
    return put_switch(v, at);
  case SPEC_WORD:
    return put_word(s, v, at);
  case SPEC_DURATION:
    return put_duration(v, at);
  case SPEC_TIME:
    return put_time(v, at);
  case SPEC_OBJECT:
    *(const cJSON **)at = cJSON_IsObject(v->json) ? v->json : *(const cJSON **)at;
    return cJSON_IsObject(v->json);
  default:
    return 0;
  }
}

/* ---- what messages say */

int spec_bad(const SpecTable *table, const char *name, const char *expected, Err *err) {
  return err_set(err, RC_ERROR, table->code, "%s '%.40s': expected %s", table->noun, name,
                 expected);
}

/* "'exact', 'off' or 'refresh'" */
static void list_words(const char *const *words, char *out, size_t size) {
  size_t n = 0;
  for (int i = 0; words[i] && n < size; i++) {
    const char *between = i == 0 ? "" : words[i + 1] ? ", " : " or ";
    n += (size_t)snprintf(out + n, size - n, "%s'%s'", between, words[i]);
  }
}

static void describe_range(const Spec *s, char *out, size_t size) {
  if (s->type == SPEC_INTEGER && s->max >= (double)LIMIT_COUNT) {
    snprintf(out, size, " from %.15g", s->min);
  } else {
    snprintf(out, size, " from %.15g to %.15g", s->min, s->max);
  }
}

static void describe(const Spec *s, const SpecValue *v, char *out, size_t size) {
  static const char *const types[] = {
      [SPEC_TEXT] = "text",
      [SPEC_OWNED] = "text",
      [SPEC_CHARS] = "a word",
      [SPEC_INTEGER] = "an integer",
      [SPEC_NUMBER] = "a number",
      [SPEC_SHARE] = "a share above 0 and below 1, such as 0.01",
      [SPEC_DURATION] = "seconds above 0, or a duration such as '90s', '15m', '36h', '7d'",
      [SPEC_TIME] = "'YYYY-MM-DD[THH:MM:SSZ]' or Unix ms (not seconds)",
      [SPEC_OBJECT] = "an object"};
  const char *what = s->what;
  char words[200] = "", range[64] = "";
  if (s->type == SPEC_WORD || s->type == SPEC_SWITCH) {
    list_words(s->type == SPEC_WORD ? s->words : switch_words, words, sizeof words);
    what = s->type == SPEC_SWITCH && v->json ? "true or false" : words;
  } else if (s->type == SPEC_INTEGER || s->type == SPEC_NUMBER) {
    describe_range(s, range, sizeof range);
  }
  snprintf(out, size, "%s%s%s", what ? what : types[s->type], range,
           s->null_is_none ? ", or NULL" : "");
}

static int unknown(const SpecTable *table, unsigned of, const char *name, Err *err) {
  char valid[LIMIT_ERROR_TEXT] = "";
  size_t n = 0;
  for (int i = 0; i < table->n && n < sizeof valid; i++) {
    const Spec *s = &table->at[i];
    if (!of || s->of & of) {
      n += (size_t)snprintf(valid + n, sizeof valid - n, "%s%s", n ? ", " : "", s->name);
    }
  }
  return err_set(err, RC_ERROR, table->code, "unknown %s '%.40s' (valid: %s)", table->noun, name,
                 valid);
}

/* ---- reading */

static int is_named(const Spec *s, const char *name, size_t n) {
  return s->means ? s->means(name) : strncmp(s->name, name, n) == 0 && s->name[n] == 0;
}

const Spec *spec_find(const SpecTable *table, unsigned of, const char *name, size_t n, Err *err) {
  for (int i = 0; i < table->n; i++) {
    const Spec *s = &table->at[i];
    if ((!of || s->of & of) && is_named(s, name, n)) {
      return s;
    }
  }
  unknown(table, of, name, err);
  return NULL;
}

/* A copy takes the place of what stood there. */
static int set_owned(const Spec *s, const char *text, void *to, Err *err) {
  char *copy = text[0] ? strdup(text) : NULL;
  if (text[0] && !copy) {
    return err_nomem(err);
  }
  spec_reset(s, to);
  *(char **)member(s, to) = copy;
  return RC_OK;
}

int spec_set(const SpecTable *table, const Spec *s, const SpecValue *v, void *to, Err *err) {
  char expected[320];
  if (s->null_is_none && v->is_null) {
    spec_reset(s, to);
    return RC_OK;
  }
  if (s->type == SPEC_OTHER) {
    return s->take(table, s, v, to, err);
  }
  if (s->type == SPEC_OWNED && v->text) {
    return set_owned(s, v->text, to, err);
  }
  if (put(s, v, member(s, to))) {
    return RC_OK;
  }
  describe(s, v, expected, sizeof expected);
  return spec_bad(table, v->name, expected, err);
}

int spec_read(const SpecTable *table, unsigned of, const cJSON *object, void *to, Err *err) {
  if (!cJSON_IsObject(object)) {
    return err_set(err, RC_ERROR, table->code, "the %ss must be one JSON object%s%s%s", table->noun,
                   table->example ? ", such as '" : "", table->example ? table->example : "",
                   table->example ? "'" : "");
  }
  for (const cJSON *item = object->child; item && err->rc == RC_OK; item = item->next) {
    const SpecValue value = spec_value_json(item);
    const Spec *s = spec_find(table, of, item->string, strlen(item->string), err);
    if (s && !value.is_null) {
      spec_set(table, s, &value, to, err);
    }
  }
  return err->rc;
}
