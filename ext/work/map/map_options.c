/*
** See map_options.h for the contract. What is not an option of llm_map itself is one of its calls, and is read as such.
*/
#include "work/map/map_options.h"

#include <stdio.h>
#include <string.h>

/* true, or a word. */
static int take_fields(const SpecTable *table, const Spec *s, const SpecValue *v, void *to,
                       Err *err) {
  static const char *const words[] = {MAP_FIELDS(SPEC_AS_WORD) NULL};
  MapOptions *o = to;
  int at = cJSON_IsTrue(v->json) ? FIELDS_GIVEN : cJSON_IsFalse(v->json) ? FIELDS_OFF : -1;
  for (int i = 0; v->text && words[i]; i++) {
    at = strcmp(v->text, words[i]) == 0 ? i : at;
  }
  if (at < 0) {
    return spec_bad(table, s->name,
                    "true (the columns in their order), false, or 'any' (in the order that shares "
                    "the longest beginnings)",
                    err);
  }
  o->fields = at;
  return RC_OK;
}

#define INTO(type, member) SPEC_INTO(MapOptions, type, member)

static const Spec specs[] = {
    {"concurrency", INTO(INTEGER, concurrency), .min = 1, .max = MAP_MOST_CONCURRENCY,
     .initial = "16"},
    {"ordered", INTO(SWITCH, is_ordered)},
    {"prompt", INTO(TEXT, prompt)},
    {"instruction", INTO(TEXT, instruction)},
    {"fields", SPEC_OTHER, .take = take_fields},
    {"max_usd", INTO(NUMBER, max_usd), .min = 0, .max = 1e9},
    {"max_calls", INTO(INTEGER, max_calls), .min = 0, .max = LIMIT_COUNT},
};

static const SpecTable table = {"option", ERR_BAD_OPTION, NULL,
                                NULL,     specs,          sizeof specs / sizeof specs[0]};

static int is_own(const char *name) {
  int found = 0;
  for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
    found |= strcmp(specs[i].name, name) == 0;
  }
  return found;
}

/* Moves llm_map's own members out of the object. NULL and *err without memory. */
static cJSON *take_own(cJSON *given, Err *err) {
  cJSON *own = cJSON_CreateObject();
  for (cJSON *item = given->child, *next; item && own; item = next) {
    next = item->next;
    if (is_own(item->string)) {
      cJSON_DetachItemViaPointer(given, item);
      cJSON_AddItemToArray(own, item); /* (its name stays) */
    }
  }
  if (!own) {
    err_nomem(err);
  }
  return own;
}

/* Behind the list of what a call takes. */
static void tell_own(Err *err) {
  size_t n = strlen(err->msg);
  if (err->code == ERR_BAD_OPTION && strstr(err->msg, "unknown option")) {
    snprintf(err->msg + n, sizeof err->msg - n, "; llm_map's own:");
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
      n = strlen(err->msg);
      snprintf(err->msg + n, sizeof err->msg - n, "%s %s", i ? "," : "", specs[i].name);
    }
  }
}

static int check_together(const MapOptions *o, Err *err) {
  const char *why =
      o->prompt && o->fields ? "give 'prompt' or 'fields', not both"
      : o->instruction && !o->fields
          ? "'instruction' stands before the row's fields: give 'fields' true with it"
      : o->call.dry_run ? "a dry run of many rows is llm_estimate"
      : o->call.on_error == ON_ERROR_JSON
          ? "llm_map has the column error: 'on_error' is 'null' (the default) or 'error'"
          : NULL;
  return why ? err_set(err, RC_ERROR, ERR_BAD_OPTION, "%s", why) : RC_OK;
}

/* Takes the tree. */
static int read_call(cJSON *given, MapOptions *o, Err *err) {
  const char *on_error = json_text(given, "on_error");
  o->stops = on_error && strcmp(on_error, "error") == 0;
  char *rest = json_print(given, err);
  if (rest && options_parse(rest, strlen(rest), &o->call, err) != RC_OK) {
    tell_own(err);
  }
  cJSON_free(rest);
  return err->rc;
}

int map_options_parse(const char *json, size_t n, MapOptions *o, Err *err) {
  *o = (MapOptions){.fields = FIELDS_OFF};
  spec_init(&table, o);
  options_init(&o->call);
  cJSON *given = json ? spec_parse(&table, json, n, err) : NULL;
  o->doc = given ? take_own(given, err) : NULL;
  if (o->doc && spec_read(&table, 0, o->doc, o, err) == RC_OK) {
    read_call(given, o, err);
    given = NULL;
  }
  cJSON_Delete(given);
  if (err->rc == RC_OK) {
    check_together(o, err);
  }
  if (o->call.on_error != ON_ERROR_JSON) {
    o->call.on_error = ON_ERROR_NULL;
  }
  return err->rc;
}

void map_options_free(MapOptions *o) {
  cJSON_Delete(o->doc);
  options_free(&o->call);
}
