/*
** Options as one table: name, type, place, range. See options.h for the contract.
*/
#include "core/request/options.h"

#include "base/once.h"
#include "base/text/decimal.h"

#include <math.h>
#include <string.h>

/* Any integer that a JSON number can hold. */
static int take_seed(const SpecTable *table, const Spec *s, const SpecValue *v, void *to,
                     Err *err) {
  Options *o = to;
  if (!decimal_is_whole(v->number, -(double)LIMIT_COUNT, (double)LIMIT_COUNT)) {
    return spec_bad(table, s->name, "an integer of at most 53 bits", err);
  }
  o->seed = (long long)v->number;
  o->has_seed = 1;
  return RC_OK;
}

enum { MOST_STOPS = 64 };

/* A string, or some of them; none empty (providers refuse those). How many there may be, each provider says. */
static int take_stop(const SpecTable *table, const Spec *s, const SpecValue *v, void *to,
                     Err *err) {
  Options *o = to;
  const cJSON *item = cJSON_IsArray(v->json) ? v->json->child : v->json;
  int n = cJSON_IsArray(v->json) ? cJSON_GetArraySize(v->json) : 1;
  int fits = n >= 1 && n <= MOST_STOPS;
  for (int i = 0; i < n && fits; i++, item = item->next) {
    fits = cJSON_IsString(item) && item->valuestring[0];
  }
  if (!fits) {
    return spec_bad(table, s->name, "a non-empty string, or an array of 1 to 64 of them", err);
  }
  o->stop = v->json;
  return RC_OK;
}

/* true and false, or 1 and 0. */
static int take_retry_lost(const SpecTable *table, const Spec *s, const SpecValue *v, void *to,
                           Err *err) {
  Options *o = to;
  int is_number = cJSON_IsNumber(v->json) && (v->number == 0 || v->number == 1);
  if (!is_number && !cJSON_IsBool(v->json)) {
    return spec_bad(table, s->name, "true or false", err);
  }
  o->retry_lost = is_number ? v->number == 1 : cJSON_IsTrue(v->json);
  return RC_OK;
}

#define INTO(type, member) SPEC_INTO(Options, type, member)

static const Spec specs[] = {
    {"model", INTO(TEXT, model)},
    {"system", INTO(TEXT, system)},
    {"max_tokens", INTO(INTEGER, max_tokens), .min = 1, .max = 10000000},
    {"temperature", INTO(NUMBER, temperature), .min = 0, .max = 2},
    {"top_p", INTO(NUMBER, top_p), .min = 0, .max = 1},
    {"seed", SPEC_OTHER, .take = take_seed},
    {"stop", SPEC_OTHER, .take = take_stop},
    {"schema", INTO(OBJECT, schema), .what = "a JSON Schema (an object)"},
    {"cache", INTO(WORD, cache), .words = SPEC_WORDS(CACHE_MODES)},
    {"threshold", INTO(NUMBER, threshold), .min = -1, .max = 1, .what = "a cosine"},
    {"ttl", INTO(DURATION, ttl_ms)},
    {"tag", INTO(TEXT, tag)},
    {"user", INTO(TEXT, user)},
    {"conversation", INTO(TEXT, conversation)},
    {"gate", INTO(TEXT, gate)},
    {"escalate", INTO(SWITCH, escalate)},
    {"timeout_ms", INTO(INTEGER, timeout_ms), .min = 1, .max = 3600000},
    {"retries", INTO(INTEGER, retries), .min = 0, .max = LIMIT_ATTEMPTS - 1},
    {"retry_lost", SPEC_OTHER, .take = take_retry_lost},
    {"dry_run", INTO(SWITCH, dry_run)},
    {"on_error", INTO(WORD, on_error), .words = SPEC_WORDS(ON_ERRORS), .initial = "error"},
};

static const SpecTable table = {"option", ERR_BAD_OPTION, "{\"model\":\"auto\"}", specs,
                                sizeof specs / sizeof specs[0]};

/* What every call without options starts from: going through the table each time would cost an exact
** hit one instruction in twelve. */
static Options nothing;
static Once once = ONCE_INIT;

static int make_nothing(void) {
  spec_init(&table, &nothing);
  return 1;
}

void options_init(Options *o) {
  once_make(&once, make_nothing);
  *o = nothing;
}

void options_free(Options *o) {
  cJSON_Delete(o->doc);
  options_init(o);
}

/* What no single option shows. */
static int check_together(const Options *o, Err *err) {
  if (!isnan(o->threshold) && o->cache != CACHE_SEMANTIC) {
    return err_set(err, RC_ERROR, ERR_BAD_OPTION,
                   "option 'threshold' is for the semantic cache: give cache 'semantic' with it");
  }
  if (o->model && !o->model[0]) {
    return err_set(err, RC_ERROR, ERR_BAD_OPTION, "option 'model': expected a name, or 'auto'");
  }
  if (o->model && strlen(o->model) >= LIMIT_MODEL_NAME) {
    return err_set(err, RC_ERROR, ERR_BAD_OPTION, "option 'model': at most %d bytes",
                   LIMIT_MODEL_NAME - 1);
  }
  return RC_OK;
}

int options_parse(const char *json, size_t n, Options *o, Err *err) {
  options_init(o);
  if (n > LIMIT_OPTIONS_BYTES) {
    return err_set(err, RC_TOOBIG, ERR_BAD_OPTION, "options of %zu bytes (at most %zu)", n,
                   LIMIT_OPTIONS_BYTES);
  }
  o->doc = json_parse(json, n, "the options", err);
  if (!o->doc || spec_read(&table, 0, o->doc, o, err) != RC_OK || check_together(o, err) != RC_OK) {
    options_free(o);
  }
  return err->rc;
}
