/*
** Options as data. See spec.h for the contract.
**
** What a message says of a wrong value (describe) comes from the line of the table that the check
** (put) goes by.
*/
#include "base/text/spec.h"

#include "base/text/decimal.h"
#include "base/text/text.h"

#include <ctype.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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
  case SPEC_SET:
    *(unsigned *)at = 0;
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

/* An array without a word says nothing. */
static int put_set(const Spec *s, const SpecValue *v, unsigned *at) {
  const cJSON *first = cJSON_IsArray(v->json) ? v->json->child : NULL;
  int i = cJSON_IsArray(v->json) ? -1 : find_word(s->words, v->text);
  unsigned set = i >= 0 ? 1u << i : 0;
  for (const cJSON *item = first; item; item = item->next) {
    i = find_word(s->words, cJSON_GetStringValue(item));
    if (i < 0) {
      return 0;
    }
    set |= 1u << i;
  }
  *at = set ? set : *at;
  return set != 0;
}

static int put_switch(const SpecValue *v, int *at) {
  int i = v->json ? -1 : find_word(switch_words, v->text);
  int is_number = v->json && (v->number == 0 || v->number == 1);
  int fits = i >= 0 || is_number || cJSON_IsBool(v->json);
  *at = fits ? i == 0 || v->number == 1 || cJSON_IsTrue(v->json) : *at;
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
  case SPEC_SET:
    return put_set(s, v, at);
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
  int has_words = s->type == SPEC_WORD || s->type == SPEC_SET;
  if (has_words || s->type == SPEC_SWITCH) {
    list_words(has_words ? s->words : switch_words, words, sizeof words);
    what = s->type == SPEC_SWITCH && v->json ? "true or false" : words;
  } else if (s->type == SPEC_INTEGER || s->type == SPEC_NUMBER) {
    describe_range(s, range, sizeof range);
  }
  snprintf(out, size, "%s%s%s%s", what ? what : types[s->type], range,
           s->type == SPEC_SET ? ", or an array of these" : "", s->null_is_none ? ", or NULL" : "");
}

/* 1 if a line is one of those that are looked at. */
static int is_of(const Spec *s, unsigned of) {
  return !of || s->of & of;
}

/* How far two names are from each other, whatever their case. */
static int distance_of(const char *given, const char *name, int cap) {
  char lower[64];
  size_t n = 0;
  for (; given[n] && n + 1 < sizeof lower; n++) {
    lower[n] = (char)tolower((unsigned char)given[n]);
  }
  lower[n] = 0;
  return given[n] ? cap : text_distance(lower, name, cap);
}

/* The name most like an unknown one, if a slip of the fingers may be what is between them; or NULL. */
static const char *nearest_name(const SpecTable *table, unsigned of, const char *name) {
  const char *nearest = NULL;
  int least = strlen(name) < 5 ? 2 : 3; /* not that */
  for (int i = 0; i < table->n; i++) {
    int d = is_of(&table->at[i], of) ? distance_of(name, table->at[i].name, least) : least;
    nearest = d < least ? table->at[i].name : nearest;
    least = d < least ? d : least;
  }
  return nearest;
}

/* What to say of an unknown name before the valid ones: ": it is called 'system' here", or nothing. */
static void hint(const SpecTable *table, unsigned of, const char *name, char *out, size_t size) {
  const SpecHint *h = table->hints;
  while (h && h->name && strcasecmp(h->name, name) != 0) {
    h++;
  }
  const char *means = h && h->name ? h->means : NULL, *nearest = nearest_name(table, of, name);
  out[0] = 0;
  if (means && strchr(means, ' ')) {
    snprintf(out, size, ": %s", means);
  } else if (means) {
    snprintf(out, size, ": it is called '%s' here", means);
  } else if (nearest) {
    snprintf(out, size, ": did you mean '%s'?", nearest);
  }
}

static int unknown(const SpecTable *table, unsigned of, const char *name, Err *err) {
  char valid[LIMIT_ERROR_TEXT] = "", meant[200];
  size_t n = 0;
  for (int i = 0; i < table->n && n < sizeof valid; i++) {
    const Spec *s = &table->at[i];
    if (is_of(s, of)) {
      n += (size_t)snprintf(valid + n, sizeof valid - n, "%s%s", n ? ", " : "", s->name);
    }
  }
  hint(table, of, name, meant, sizeof meant);
  return err_set(err, RC_ERROR, table->code, "unknown %s '%.40s'%s (%s%s)", table->noun, name,
                 meant, n ? "valid: " : "there is none", valid);
}

/* ---- reading */

static int is_named(const Spec *s, const char *name, size_t n) {
  return s->means ? s->means(name) : strncmp(s->name, name, n) == 0 && s->name[n] == 0;
}

const Spec *spec_find(const SpecTable *table, unsigned of, const char *name, size_t n, Err *err) {
  for (int i = 0; i < table->n; i++) {
    const Spec *s = &table->at[i];
    if (is_of(s, of) && is_named(s, name, n)) {
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

/* Options that are no object. A word was meant as the value of one of them. */
static int no_object(const SpecTable *table, const char *given, size_t n, Err *err) {
  char example[200] = "";
  int is_word = n > 0 && n <= 80;
  for (size_t i = 0; i < n && is_word; i++) {
    is_word = given[i] > ' ' && given[i] < 127 && !strchr("\"'{}[],\\", given[i]);
  }
  if (table->word_is) {
    snprintf(example, sizeof example, "%s '{\"%s\":\"%.*s\"}'%s",
             is_word ? ": did you mean" : ", such as", table->word_is, is_word ? (int)n : 3,
             is_word ? given : "...", is_word ? "?" : "");
  }
  return err_set(err, RC_ERROR, table->code, "the %ss must be one JSON object%s", table->noun,
                 example);
}

cJSON *spec_parse(const SpecTable *table, const char *json, size_t n, Err *err) {
  size_t from = 0, to = n;
  while (from < to && strchr(" \t\r\n\"'", json[from])) {
    from++;
  }
  while (to > from && strchr(" \t\r\n\"'", json[to - 1])) {
    to--;
  }
  if (from == to || json[from] != '{') {
    no_object(table, json + from, to - from, err);
    return NULL;
  }
  char what[40];
  snprintf(what, sizeof what, "the %.20ss", table->noun);
  return json_parse(json, n, what, err);
}

int spec_read(const SpecTable *table, unsigned of, const cJSON *object, void *to, Err *err) {
  if (!cJSON_IsObject(object)) {
    return no_object(table, "", 0, err);
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
