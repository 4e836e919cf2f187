/*
** Reading what is to be priced. See cost_args.h for the forms.
*/
#include "fn/cost_args.h"

#include "fn/fn.h"

#include "base/text/decimal.h"
#include "base/sqlite/args.h"
#include "base/text/spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is to become of something that has no cost. */
#define CHOICES(X) X(CHOICE_ERROR, "error") X(CHOICE_NULL, "null")
typedef enum Choice { CHOICES(SPEC_AS_ID) } Choice;

/* The options object, parsed. */
typedef struct CostOptions {
  long long at_ms; /* SPEC_NO_TIME: now */
  UnitSet has;     /* counts that were given */
  long long n[UNIT_COUNT];
  char provider[64], api[32], list[64], service[USAGE_WORD], geo[USAGE_WORD]; /* "": not given */
  int unknown, on_error;                                                      /* Choice */
} CostOptions;

/* The unit that an option counts, or UNIT_COUNT. */
static Unit counted_by(const char *name) {
  return unit_parse(strcmp(name, "cached") == 0 ? "cache_read" : name);
}

static int is_count(const char *name) {
  return counted_by(name) < UNIT_COUNT;
}

static int take_count(const SpecTable *table, const Spec *s, const SpecValue *v, void *to,
                      Err *err) {
  CostOptions *o = to;
  Unit unit = counted_by(v->name);
  (void)s;
  if (!decimal_is_whole(v->number, 0, (double)LIMIT_TOKENS)) {
    return spec_bad(table, v->name, "a count", err);
  }
  if (o->has & UNIT_BIT(unit)) {
    return err_set(err, RC_ERROR, table->code, "option '%s': %s was given before", v->name,
                   unit_word(unit));
  }
  o->n[unit] = (long long)v->number;
  o->has |= UNIT_BIT(unit);
  return RC_OK;
}

/* Which function reads the options: each knows its own. */
enum { OF_COST = 1, OF_PRICE = 2, OF_USAGE = 4 };

#define INTO(type, member) SPEC_INTO(CostOptions, type, member)

static const Spec specs[] = {
    {"cached, cache_write, cache_write_1h, reasoning and the other units", SPEC_OTHER,
     .of = OF_COST, .means = is_count, .take = take_count},
    {"input", SPEC_OTHER, .of = OF_PRICE, .take = take_count},
    {"at", INTO(TIME, at_ms), .of = OF_COST | OF_PRICE},
    {"provider", INTO(CHARS, provider), .of = OF_COST | OF_PRICE | OF_USAGE},
    {"api", INTO(CHARS, api), .of = OF_COST | OF_USAGE},
    {"service", INTO(CHARS, service), .of = OF_COST | OF_PRICE},
    {"geo", INTO(CHARS, geo), .of = OF_COST | OF_PRICE},
    {"list", INTO(CHARS, list), .of = OF_COST | OF_PRICE},
    {"unknown", INTO(WORD, unknown), .of = OF_COST | OF_PRICE, .words = SPEC_WORDS(CHOICES),
     .initial = "error"},
    {"on_error", INTO(WORD, on_error), .of = OF_COST, .words = SPEC_WORDS(CHOICES),
     .initial = "error"},
};

static const SpecTable table = {"option", ERR_BAD_OPTION, "service",
                                NULL,     specs,          sizeof specs / sizeof specs[0]};

/* An owned object, or NULL and *err. */
static CostOptions *parse_options(const char *json, size_t n, unsigned of, Err *err) {
  CostOptions *o = calloc(1, sizeof *o);
  cJSON *tree = o ? spec_parse(&table, json, n, err) : (err_nomem(err), NULL);
  if (tree) {
    spec_init(&table, o);
    spec_read(&table, of, tree, o, err);
  }
  cJSON_Delete(tree);
  if (err->rc != RC_OK) {
    free(o);
    o = NULL;
  }
  return o;
}

/* ---- words that nobody has */

/* 1 if any row of a book is of a service. */
static int sells(const PriceBook *book, const char *service) {
  const PriceModels *groups[] = {&book->shared, &book->models};
  for (int g = 0; g < 2; g++) {
    for (int m = 0; m < groups[g]->n; m++) {
      for (int r = 0; r < groups[g]->at[m].n; r++) {
        if (strcmp(groups[g]->at[m].rows[r].terms.service, service) == 0) {
          return 1;
        }
      }
    }
  }
  return 0;
}

/* A service or a list that nobody has is a slip of the pen. */
static int check_sold(const Config *config, const char *word, const char *service, Err *err) {
  const PriceBook *catalogue = catalogue_prices();
  if (!catalogue) {
    return err_nomem(err);
  }
  int found = strcmp(service, "standard") == 0 || sells(catalogue, service);
  for (int b = 0; b < config->n_books && !found; b++) {
    found = sells(&config->books[b], service);
  }
  return found ? RC_OK
               : err_set(err, RC_ERROR, ERR_BAD_OPTION,
                         "option 'service': no price list has a price for '%s' (SELECT DISTINCT "
                         "service FROM llm_catalogue)",
                         word);
}

static int check_list(const Config *config, const char *list, Err *err) {
  const PriceBook *catalogue = catalogue_prices();
  if (!catalogue) {
    return err_nomem(err);
  }
  int found = strcmp(list, catalogue->list) == 0;
  for (int b = 1; b < config->n_books && !found; b++) {
    found = strcmp(list, config->books[b].list) == 0;
  }
  return found ? RC_OK
               : err_set(err, RC_ERROR, ERR_BAD_OPTION,
                         "option 'list': no price list '%s' ('catalogue', or one in llm_prices)",
                         list);
}

static int check_words(const Config *config, const CostOptions *o, Err *err) {
  Usage u;
  usage_init(&u);
  usage_set_service(&u, o->service);
  if (o->list[0] && check_list(config, o->list, err) != RC_OK) {
    return err->rc;
  }
  return o->service[0] && o->on_error != CHOICE_NULL
             ? check_sold(config, o->service, u.service, err)
             : RC_OK;
}

/* ---- the argument */

/* The options argument, read and checked once where it is the same for every row. *owned: what the caller
** frees, or NULL. */
static const CostOptions *options_of(sqlite3_context *ctx, sqlite3_value *v, int at, void **owned,
                                     Err *err) {
  static const CostOptions none = {.at_ms = SPEC_NO_TIME};
  const Conn *c = fn_conn(ctx);
  size_t n = 0;
  const char *json = v ? arg_bytes(v, &n, err) : NULL;
  CostOptions *o = json ? sqlite3_get_auxdata(ctx, at) : NULL;
  *owned = NULL;
  if (!json || o || err->rc != RC_OK) {
    return o ? o : err->rc == RC_OK ? &none : NULL;
  }
  o = parse_options(json, n, OF_COST, err);
  if (o && check_words(c->config, o, err) != RC_OK) {
    free(o);
    o = NULL;
  }
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
  if (!decimal_is_whole(d, 0, (double)LIMIT_TOKENS)) {
    return err_set(err, RC_ERROR, ERR_BAD_ARGUMENT,
                   "%s: expected a token count of one request (at most %lld)", what, LIMIT_TOKENS);
  }
  usage_set(u, unit, (long long)d);
  return RC_OK;
}

/* The counts of the options. There cache_write means those with the short lifetime, beside
** cache_write_1h; in a usage it is all of them. */
static int take_counts(const CostOptions *o, Usage *u, Err *err) {
  UnitSet writes =
      UNIT_BIT(UNIT_CACHE_WRITE) | UNIT_BIT(UNIT_CACHE_WRITE_5M) | UNIT_BIT(UNIT_CACHE_WRITE_1H);
  for (UnitSet left = o->has; left; left &= left - 1) {
    Unit unit = UNIT_FIRST(left);
    if (u->has & UNIT_BIT(unit) && u->n[unit] != o->n[unit]) {
      return err_set(err, RC_ERROR, ERR_BAD_OPTION,
                     "option '%s': %lld, but it was given as %lld already", unit_word(unit),
                     o->n[unit], u->n[unit]);
    }
    usage_set(u, unit, o->n[unit]);
  }
  if (o->has & writes) {
    usage_set(u, UNIT_CACHE_WRITE,
              o->n[UNIT_CACHE_WRITE] + o->n[UNIT_CACHE_WRITE_5M] + o->n[UNIT_CACHE_WRITE_1H]);
  }
  return RC_OK;
}

/* Who reports: the provider that was named, or the one that sells the model. */
static const Vendor *vendor_of(Conn *c, const CostOptions *o, PricingAsk *ask, Err *err) {
  if (o->provider[0]) {
    return vendor_by_word(o->provider);
  }
  const PriceRef *ref = pricing_find(c, ask, err);
  return ref ? ref->seller.vendor : NULL;
}

static int check_api(const CostOptions *o, const Vendor *vendor, Err *err) {
  return o->api[0] && !vendor
             ? err_set(err, RC_ERROR, ERR_BAD_OPTION, "option 'api': needs a known 'provider' too")
             : RC_OK;
}

static int read_usage(Conn *c, sqlite3_value *v, const CostOptions *o, CostArgs *args, Err *err) {
  size_t n;
  const char *json = arg_bytes(v, &n, err);
  cJSON *tree = json ? json_parse(json, n, "the usage", err) : NULL;
  const Vendor *vendor = vendor_of(c, o, &args->ask, err);
  if (tree && cJSON_IsNull(tree)) {
    cJSON_Delete(tree);
    return RC_OK;
  }
  if (tree && !cJSON_IsObject(tree) && !cJSON_IsArray(tree)) {
    err_set(err, RC_ERROR, ERR_BAD_USAGE, "expected a provider's usage object");
  } else if (tree && check_api(o, vendor, err) == RC_OK) {
    usage_read_all(tree, vendor, o->api[0] ? o->api : NULL, &args->usage, &args->parts,
                   &args->n_parts, err);
  }
  cJSON_Delete(tree);
  return err->rc;
}

/* 1 if the second argument is a usage object (or a JSON null in its place) and not a count. */
static int is_usage_object(int argc, sqlite3_value **argv, Err *err) {
  size_t n;
  if (sqlite3_value_type(argv[1]) == SQLITE_INTEGER) {
    return 0;
  }
  const char *text = arg_bytes(argv[1], &n, err);
  return sqlite3_value_numeric_type(argv[1]) == SQLITE_TEXT &&
         (argc == 2 || json_begins(text) || (text && strcmp(text, "null") == 0));
}

static void take_service(const CostOptions *o, Usage *u) {
  if (o->service[0]) {
    usage_set_service(u, o->service);
  }
  if (o->geo[0]) {
    usage_set_geo(u, o->geo);
  }
}

static void take_ask(const CostOptions *o, PricingAsk *ask) {
  ask->provider = o->provider[0] ? o->provider : NULL;
  ask->list = o->list[0] ? o->list : NULL;
  ask->at_ms = o->at_ms != SPEC_NO_TIME ? o->at_ms : now_ms();
}

/* Counts go with the last part of a usage of several; service and place with all. */
static int take_options(const CostOptions *o, CostArgs *args, Err *err) {
  take_counts(o, args->n_parts ? &args->parts[args->n_parts - 1].usage : &args->usage, err);
  for (int i = 0; i < args->n_parts; i++) {
    take_service(o, &args->parts[i].usage);
  }
  take_service(o, &args->usage);
  return err->rc;
}

int cost_args_read(sqlite3_context *ctx, int argc, sqlite3_value **argv, CostArgs *args, Err *err) {
  Conn *c = fn_conn(ctx);
  int is_usage = is_usage_object(argc, argv, err);
  int at = is_usage ? 2 : 3;
  *args = (CostArgs){.ask.model = arg_name(argv[0], "the model", err)};
  usage_init(&args->usage);
  for (int i = 0; i < at && i < argc; i++) {
    if (sqlite3_value_type(argv[i]) == SQLITE_NULL && err->rc == RC_OK) {
      args->is_null = 1; /* an unknown count has an unknown cost */
      return RC_OK;
    }
  }
  if (!is_usage && argc < 3) {
    err_set(
        err, RC_ERROR, ERR_BAD_ARGUMENT,
        "expected (model, input_tokens, output_tokens [, options]) or (model, usage [, options])");
  } else if (argc > at + 1) {
    err_set(err, RC_ERROR, ERR_BAD_ARGUMENT, "too many arguments behind a usage object");
  }
  const CostOptions *o = err->rc == RC_OK && pricing_refresh(c, ctx, err) == RC_OK
                             ? options_of(ctx, argc > at ? argv[at] : NULL, at, &args->options, err)
                             : NULL;
  if (!o || !args->ask.model) {
    args->is_null = 1;
    return err->rc;
  }
  args->unknown_is_null = o->unknown == CHOICE_NULL;
  args->error_is_null = o->on_error == CHOICE_NULL;
  take_ask(o, &args->ask);
  if (is_usage) {
    read_usage(c, argv[1], o, args, err);
  } else {
    read_count_arg(argv[1], "input_tokens", UNIT_INPUT, &args->usage, err);
    read_count_arg(argv[2], "output_tokens", UNIT_OUTPUT, &args->usage, err);
  }
  return err->rc == RC_OK ? take_options(o, args, err) : err->rc;
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
  out->unknown_is_null = o->unknown == CHOICE_NULL;
  out->ask.input_tokens = o->has & UNIT_BIT(UNIT_INPUT) ? o->n[UNIT_INPUT] : 0;
  take_service(o, &out->usage);
  return check_words(c->config, o, err);
}

int usage_options_read(const char *json, size_t n, UsageOptions *out, Err *err) {
  CostOptions *o = parse_options(json, n, OF_USAGE, err);
  if (o) {
    out->is_named = o->provider[0] != 0;
    out->vendor = out->is_named ? vendor_by_word(o->provider) : NULL;
    snprintf(out->api, sizeof out->api, "%s", o->api);
    check_api(o, out->vendor, err);
  }
  free(o);
  return err->rc;
}
