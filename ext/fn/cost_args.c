/*
** Reading what is to be priced. See cost_args.h for the forms.
*/
#include "fn/cost_args.h"

#include "core/decimal.h"

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The options object, parsed. */
typedef struct CostOptions {
  long long at_ms; /* LLONG_MIN: now */
  UnitSet has;     /* counts that were given */
  long long n[UNIT_COUNT];
  char provider[64], api[32], list[64], service[USAGE_WORD], geo[USAGE_WORD]; /* "": not given */
  int unknown_is_null;
} CostOptions;

static int bad(const char *key, const char *expected, Err *err) {
  return err_set(err, RC_ERROR, "bad_option", "option '%s': expected %s", key, expected);
}

static int read_count(const cJSON *item, CostOptions *o, Unit unit, Err *err) {
  double d = cJSON_IsNumber(item) ? item->valuedouble : -1.0;
  if (cJSON_IsNull(item)) {
    return RC_OK;
  }
  if (!(d >= 0 && d <= (double)LIMIT_TOKENS) || d != (double)(long long)d) {
    return bad(item->string, "a count", err);
  }
  o->n[unit] = (long long)d;
  o->has |= UNIT_BIT(unit);
  return RC_OK;
}

static int read_at(const cJSON *item, CostOptions *o, Err *err) {
  char number[32];
  snprintf(number, sizeof number, "%.0f", cJSON_IsNumber(item) ? item->valuedouble : 0.0);
  const char *text = cJSON_IsNumber(item) ? number : cJSON_GetStringValue(item);
  return cJSON_IsNull(item) || (text && time_parse(text, &o->at_ms))
             ? RC_OK
             : bad("at", "'YYYY-MM-DD[THH:MM:SSZ]' or Unix ms", err);
}

static int read_unknown(const cJSON *item, CostOptions *o, Err *err) {
  const char *word = cJSON_GetStringValue(item);
  o->unknown_is_null = word && strcmp(word, "null") == 0;
  return cJSON_IsNull(item) || o->unknown_is_null || (word && strcmp(word, "error") == 0)
             ? RC_OK
             : bad("unknown", "'null' or 'error'", err);
}

/* Which function reads the options: each knows its own. */
enum { OF_COST = 1, OF_PRICE = 2, OF_USAGE = 4 };

static const struct {
  int of;
  const char *valid;
} readers[] = {
    {OF_COST,
     "cached, cache_write, cache_write_1h, reasoning and the other units, at, provider, api, "
     "service, geo, list, unknown"},
    {OF_PRICE, "input, at, provider, service, geo, list, unknown"},
    {OF_USAGE, "provider, api"},
};

static int unknown_option(const char *key, int of, Err *err) {
  int i = 0;
  while (readers[i].of != of) {
    i++;
  }
  return err_set(err, RC_ERROR, "bad_option", "unknown option '%.40s' (valid: %s)", key,
                 readers[i].valid);
}

static int read_word(const cJSON *item, char *at, size_t size, Err *err) {
  const char *word = cJSON_GetStringValue(item);
  if (cJSON_IsNull(item)) {
    return RC_OK;
  }
  return word && word[0] && strlen(word) < size ? (snprintf(at, size, "%s", word), RC_OK)
                                                : bad(item->string, "a word", err);
}

/* One of the options that this function knows; null is as if it were not there. */
static int read_option(const cJSON *item, int of, CostOptions *o, Err *err) {
  static const struct {
    const char *key;
    int of;
    size_t at, size;
  } words[] = {{"provider", OF_COST | OF_PRICE | OF_USAGE, offsetof(CostOptions, provider),
                sizeof o->provider},
               {"api", OF_COST | OF_USAGE, offsetof(CostOptions, api), sizeof o->api},
               {"list", OF_COST | OF_PRICE, offsetof(CostOptions, list), sizeof o->list},
               {"service", OF_COST | OF_PRICE, offsetof(CostOptions, service), sizeof o->service},
               {"geo", OF_COST | OF_PRICE, offsetof(CostOptions, geo), sizeof o->geo}};
  const char *key = item->string;
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    if (words[i].of & of && strcmp(key, words[i].key) == 0) {
      return read_word(item, (char *)o + words[i].at, words[i].size, err);
    }
  }
  Unit unit = unit_parse(strcmp(key, "cached") == 0 ? "cache_read" : key);
  if (unit < UNIT_COUNT && (of == OF_COST || (of == OF_PRICE && unit == UNIT_INPUT))) {
    return read_count(item, o, unit, err);
  }
  if (of != OF_USAGE && strcmp(key, "at") == 0) {
    return read_at(item, o, err);
  }
  return of != OF_USAGE && strcmp(key, "unknown") == 0 ? read_unknown(item, o, err)
                                                       : unknown_option(key, of, err);
}

/* An owned object, or NULL and *err. */
static CostOptions *parse_options(const char *json, size_t n, int of, Err *err) {
  CostOptions *o = calloc(1, sizeof *o);
  cJSON *tree = o ? json_parse(json, n, "the options", err) : (err_nomem(err), NULL);
  const cJSON *item;
  if (o) {
    o->at_ms = LLONG_MIN;
  }
  if (tree && !cJSON_IsObject(tree)) {
    err_set(err, RC_ERROR, "bad_option", "the options must be one JSON object");
  }
  cJSON_ArrayForEach(item, (err->rc == RC_OK ? tree : NULL)) {
    read_option(item, of, o, err);
  }
  cJSON_Delete(tree);
  if (err->rc != RC_OK) {
    free(o);
    o = NULL;
  }
  return o;
}

/* The options argument, parsed once where it is the same for every row. *owned: what the caller frees,
** or NULL. */
static const CostOptions *options_of(sqlite3_context *ctx, sqlite3_value *v, int at, void **owned,
                                     Err *err) {
  static const CostOptions none = {.at_ms = LLONG_MIN};
  const char *json = v ? (const char *)sqlite3_value_text(v) : NULL;
  CostOptions *o = json ? sqlite3_get_auxdata(ctx, at) : NULL;
  *owned = NULL;
  if (!json || o) {
    return o ? o : &none;
  }
  size_t n = (size_t)sqlite3_value_bytes(v);
  o = parse_options(json, n, OF_COST, err);
  if (o) {
    sqlite3_set_auxdata(ctx, at, o, free);
    if (sqlite3_get_auxdata(ctx, at) != o) { /* SQLite had no memory for it and freed it */
      *owned = o = parse_options(json, n, OF_COST, err);
    }
  }
  return o;
}

/* ---- counts */

static int read_count_arg(sqlite3_value *v, const char *what, Unit unit, Usage *u, Err *err) {
  int type = sqlite3_value_numeric_type(v);
  double d = type == SQLITE_INTEGER || type == SQLITE_FLOAT ? sqlite3_value_double(v) : -1.0;
  if (!(d >= 0 && d <= (double)LIMIT_TOKENS) || d != (double)(long long)d) {
    return err_set(err, RC_ERROR, "bad_argument",
                   "%s: expected a token count of one request (at most %lld)", what, LIMIT_TOKENS);
  }
  usage_set(u, unit, (long long)d);
  return RC_OK;
}

/* The counts of the options. There cache_write means those with the short lifetime, beside
** cache_write_1h; in a usage it is all of them. */
static void take_counts(const CostOptions *o, Usage *u) {
  UnitSet writes =
      UNIT_BIT(UNIT_CACHE_WRITE) | UNIT_BIT(UNIT_CACHE_WRITE_5M) | UNIT_BIT(UNIT_CACHE_WRITE_1H);
  for (UnitSet left = o->has; left; left &= left - 1) {
    usage_set(u, UNIT_FIRST(left), o->n[UNIT_FIRST(left)]);
  }
  if (o->has & writes) {
    usage_set(u, UNIT_CACHE_WRITE,
              o->n[UNIT_CACHE_WRITE] + o->n[UNIT_CACHE_WRITE_5M] + o->n[UNIT_CACHE_WRITE_1H]);
  }
}

/* Who reports: the provider that was named, or the one that sells the model. */
static const Vendor *vendor_of(Conn *c, const CostOptions *o, const PricingAsk *ask, Err *err) {
  PricingFound found;
  if (o->provider[0]) {
    return vendor_by_word(o->provider);
  }
  return pricing_find(c, ask, 0, "standard", "", &found, err) >= 0 ? found.ref->seller.vendor
                                                                   : NULL;
}

static int check_api(const CostOptions *o, const Vendor *vendor, Err *err) {
  return o->api[0] && !vendor
             ? err_set(err, RC_ERROR, "bad_option", "option 'api': needs a known 'provider' too")
             : RC_OK;
}

static int read_usage(Conn *c, sqlite3_value *v, const CostOptions *o, CostArgs *args, Err *err) {
  const char *json = (const char *)sqlite3_value_text(v);
  cJSON *tree = json_parse(json ? json : "", (size_t)sqlite3_value_bytes(v), "the usage", err);
  const Vendor *vendor = vendor_of(c, o, &args->ask, err);
  if (tree && !cJSON_IsObject(tree) && !cJSON_IsArray(tree)) {
    err_set(err, RC_ERROR, "bad_usage", "expected a provider's usage object");
  } else if (tree && check_api(o, vendor, err) == RC_OK) {
    usage_read_all(tree, vendor, o->api[0] ? o->api : NULL, &args->usage, &args->parts,
                   &args->n_parts, err);
  }
  cJSON_Delete(tree);
  return err->rc;
}

/* 1 if the second argument is a usage object and not a count. */
static int is_usage_object(int argc, sqlite3_value **argv) {
  if (sqlite3_value_type(argv[1]) == SQLITE_INTEGER) {
    return 0;
  }
  const char *text = (const char *)sqlite3_value_text(argv[1]);
  return sqlite3_value_numeric_type(argv[1]) == SQLITE_TEXT && (argc == 2 || json_begins(text));
}

/* A service that nobody sells is a slip of the pen. */
static int check_service(const Config *config, const char *service, Err *err) {
  static const char *const usual[] = {"standard", "batch", "flex", "priority", "fast"};
  for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
    if (strcmp(service, usual[i]) == 0) {
      return RC_OK;
    }
  }
  for (int b = 0; b < config->n_books; b++) {
    const PriceModels *groups[] = {&config->books[b].models, &config->books[b].shared};
    for (int g = 0; g < 2; g++) {
      for (int m = 0; m < groups[g]->n; m++) {
        for (int r = 0; r < groups[g]->at[m].n; r++) {
          if (strcmp(groups[g]->at[m].rows[r].terms.service, service) == 0) {
            return RC_OK;
          }
        }
      }
    }
  }
  return err_set(err, RC_ERROR, "bad_option",
                 "option 'service': '%s' (valid: standard, batch, flex, priority, fast, or one in "
                 "llm_prices)",
                 service);
}

static int take_service(Conn *c, const CostOptions *o, Usage *u, Err *err) {
  if (o->service[0]) {
    usage_set_service(u, o->service);
    check_service(c->config, u->service, err);
  }
  if (o->geo[0]) {
    usage_set_geo(u, o->geo);
  }
  return err->rc;
}

static void take_ask(const CostOptions *o, PricingAsk *ask) {
  ask->provider = o->provider[0] ? o->provider : NULL;
  ask->list = o->list[0] ? o->list : NULL;
  ask->at_ms = o->at_ms != LLONG_MIN ? o->at_ms : now_ms();
}

/* Counts go with the last part of a usage of several; service and place with all. */
static int take_options(Conn *c, const CostOptions *o, CostArgs *args, Err *err) {
  args->unknown_is_null = o->unknown_is_null;
  take_ask(o, &args->ask);
  take_counts(o, args->n_parts ? &args->parts[args->n_parts - 1].usage : &args->usage);
  for (int i = 0; i < args->n_parts; i++) {
    take_service(c, o, &args->parts[i].usage, err);
  }
  return take_service(c, o, &args->usage, err);
}

int cost_args_read(sqlite3_context *ctx, int argc, sqlite3_value **argv, CostArgs *args, Err *err) {
  Conn *c = sqlite3_user_data(ctx);
  int is_usage = is_usage_object(argc, argv);
  int at = is_usage ? 2 : 3;
  *args = (CostArgs){.ask.model = (const char *)sqlite3_value_text(argv[0])};
  usage_init(&args->usage);
  for (int i = 0; i < at && i < argc; i++) {
    if (sqlite3_value_type(argv[i]) == SQLITE_NULL) {
      return 0; /* an unknown count has an unknown cost */
    }
  }
  if (!is_usage && argc < 3) {
    err_set(
        err, RC_ERROR, "bad_argument",
        "expected (model, input_tokens, output_tokens [, options]) or (model, usage [, options])");
  } else if (argc > at + 1) {
    err_set(err, RC_ERROR, "bad_argument", "too many arguments behind a usage object");
  }
  const CostOptions *o = err->rc == RC_OK
                             ? options_of(ctx, argc > at ? argv[at] : NULL, at, &args->options, err)
                             : NULL;
  if (!o || !args->ask.model || pricing_refresh(c, ctx, err) != RC_OK) {
    return err->rc == RC_OK ? 0 : -1;
  }
  if (is_usage) {
    read_usage(c, argv[1], o, args, err);
  } else {
    read_count_arg(argv[1], "input_tokens", UNIT_INPUT, &args->usage, err);
    read_count_arg(argv[2], "output_tokens", UNIT_OUTPUT, &args->usage, err);
  }
  if (err->rc == RC_OK) {
    take_options(c, o, args, err);
  }
  return err->rc == RC_OK ? 1 : -1;
}

void cost_args_free(CostArgs *args) {
  free(args->parts);
  free(args->options);
}

int price_options_read(Conn *c, const char *json, size_t n, PriceOptions *out, Err *err) {
  CostOptions *o = parse_options(json, n, OF_PRICE, err);
  out->owned = o;
  if (!o) {
    return err->rc;
  }
  take_ask(o, &out->ask);
  out->unknown_is_null = o->unknown_is_null;
  out->input_tokens = o->has & UNIT_BIT(UNIT_INPUT) ? o->n[UNIT_INPUT] : 0;
  return take_service(c, o, &out->usage, err);
}

int usage_options_read(const char *json, size_t n, const Vendor **vendor, char *api, size_t size,
                       Err *err) {
  CostOptions *o = parse_options(json, n, OF_USAGE, err);
  *vendor = o && o->provider[0] ? vendor_by_word(o->provider) : NULL;
  snprintf(api, size, "%s", o ? o->api : "");
  if (o && o->provider[0] && !*vendor) {
    err_set(err, RC_ERROR, "bad_option", "option 'provider': nobody is known as '%s'", o->provider);
  } else if (o) {
    check_api(o, *vendor, err);
  }
  free(o);
  return err->rc;
}
