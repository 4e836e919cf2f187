/*
** llm_price, llm_cost, llm_cost_explain, llm_cache_minimum: prices and what they come to.
*/
#include "fn/fn.h"

#include "core/catalogue.h"
#include "core/decimal.h"
#include "fn/cost_args.h"
#include "store/prices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WHY = 200 };

/* ---- llm_cost */

/* The provider that sells the main model, as far as it is known; for the parts. */
static const char *seller_of(Conn *c, const CostArgs *args, Err *err) {
  PricingFound found;
  return pricing_find(c, &args->ask, 0, "standard", "", &found, err) == 1 &&
                 found.ref->seller.vendor
             ? found.ref->seller.vendor->id
             : NULL;
}

/* A name that nobody prices is an error, unless the caller wants NULL. */
static int check_known(Conn *c, const PricingAsk *ask, Err *err) {
  PricingFound found;
  int known = pricing_find(c, ask, 0, "standard", "", &found, err);
  return known == 0 ? pricing_unknown(found.ref, ", or give {\"unknown\":\"null\"}", err) : err->rc;
}

/* The cost of one usage. Returns as pricing_cost; a model that nobody prices is an error, if the caller
** did not want NULL. */
static int cost_of_one(Conn *c, const CostArgs *args, const PricingAsk *ask, const Usage *u,
                       Cost *cost, char *why, Err *err) {
  int priced = pricing_cost(c, ask, u, cost, why, WHY, err);
  if (priced == 0 && !why[0] && !args->unknown_is_null) {
    check_known(c, ask, err);
  }
  return priced;
}

/* The cost of what was billed, in all its parts. Returns as pricing_cost. */
static int cost_of(Conn *c, const CostArgs *args, Cost *cost, char *why, Err *err) {
  Cost sum = 0;
  if (!args->n_parts) {
    return cost_of_one(c, args, &args->ask, &args->usage, cost, why, err);
  }
  int priced = 1;
  const char *seller = seller_of(c, args, err);
  for (int i = 0; i < args->n_parts && priced == 1; i++) {
    PricingAsk ask = pricing_ask_of_part(&args->ask, &args->parts[i], seller);
    priced = cost_of_one(c, args, &ask, &args->parts[i].usage, cost, why, err);
    sum = cost_add(sum, *cost);
  }
  *cost = sum;
  return priced;
}

/* A usage that can't be read is found again by its model. (The usage itself is not quoted.) */
static void name_model(const CostArgs *args, Err *err) {
  char msg[sizeof err->msg];
  if (strcmp(err->code, "bad_usage") == 0 && args->ask.model) {
    snprintf(msg, sizeof msg, "%s", err->msg);
    snprintf(err->msg, sizeof err->msg, "%.300s (model '%.80s')", msg, args->ask.model);
  }
}

void fn_llm_cost(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
  Conn *c = fn_conn(ctx);
  Err err = {0};
  CostArgs args;
  Cost cost = 0;
  char why[WHY] = "";
  int priced = cost_args_read(ctx, argc, argv, &args, &err);
  if (priced == 1) {
    priced = cost_of(c, &args, &cost, why, &err);
    if (priced == -1) {
      err_set(&err, RC_ERROR, "bad_usage", "%s", why);
    }
  }
  if (err.rc != RC_OK && !(args.error_is_null && err.rc != RC_NOMEM)) {
    name_model(&args, &err);
    result_error(ctx, "llm_cost", &err);
  } else if (priced == 1) {
    sqlite3_result_double(ctx, cost_usd(cost));
  }
  cost_args_free(&args);
}

/* ---- llm_cost_explain */

static void add_decimal(cJSON *tree, const char *name, Cost value, int scale) {
  char text[64];
  decimal_format(value, scale, text, sizeof text);
  cJSON_AddRawToObject(tree, name, text);
}

static void add_text(cJSON *tree, const char *name, const char *text) {
  if (text && text[0]) {
    cJSON_AddStringToObject(tree, name, text);
  } else {
    cJSON_AddNullToObject(tree, name);
  }
}

static void add_line(cJSON *lines, const PriceSet *set, Unit unit, long long count) {
  cJSON *line = cJSON_CreateObject();
  cJSON_AddStringToObject(line, "unit", unit_word(unit));
  cJSON_AddNumberToObject(line, "count", (double)count);
  add_decimal(line, "usd_per_million", (Cost)(unsigned long long)set->pusd[unit], 12);
  add_decimal(line, "factor", (Cost)(unsigned long long)set->factor[unit], 12);
  add_decimal(line, "usd", price_leaf(set, unit, count), COST_SCALE);
  add_text(line, "source", set->row[unit]->terms.source);
  add_text(line, "checked", set->row[unit]->terms.checked);
  cJSON_AddItemToArray(lines, line);
}

/* The leaves, each with its price, and their sums by direction. */
static void add_lines(cJSON *tree, const PriceSet *set, const long long leaves[UNIT_COUNT]) {
  cJSON *lines = cJSON_AddArrayToObject(tree, "lines");
  Cost input = 0, output = 0, total = 0;
  for (Unit unit = 0; unit < UNIT_COUNT; unit++) {
    if (leaves[unit] > 0) {
      Cost cost = price_leaf(set, unit, leaves[unit]);
      input += unit_is_input(unit) ? cost : 0;
      output += unit_is_output(unit) ? cost : 0;
      total += cost;
      add_line(lines, set, unit, leaves[unit]);
    }
  }
  add_decimal(tree, "input_usd", input, COST_SCALE);
  add_decimal(tree, "output_usd", output, COST_SCALE);
  add_decimal(tree, "total_usd", total, COST_SCALE);
}

static cJSON *unpriced(const char *model, const char *why) {
  cJSON *tree = cJSON_CreateObject();
  cJSON_AddStringToObject(tree, "model", model);
  cJSON_AddStringToObject(tree, "unpriced", why);
  return tree;
}

/* One request, or one part of it, as JSON (owned); NULL and *err. */
static cJSON *explain(Conn *c, const PricingAsk *ask, const Usage *u, int null_if_unknown,
                      Err *err) {
  PricingFound found;
  long long leaves[UNIT_COUNT] = {0};
  char why[WHY] = "";
  long long input = usage_get(u, UNIT_INPUT);
  int known =
      pricing_find(c, ask, input == USAGE_UNKNOWN ? 0 : input, u->service, u->geo, &found, err);
  if (known == 0 && null_if_unknown) {
    return unpriced(ask->model,
                    found.ref->miss.also ? "several providers sell it" : "unknown model");
  }
  if (known < 0 || (known == 0 && pricing_unknown(found.ref, "", err) != RC_OK)) {
    return NULL;
  }
  int priced = found.set->missing ? 0 : price_leaves(found.set, u, leaves, why, sizeof why);
  if (priced < 0) {
    err_set(err, RC_ERROR, "bad_usage", "%s", why);
    return NULL;
  }
  cJSON *tree = cJSON_CreateObject();
  cJSON_AddStringToObject(tree, "model", ask->model);
  add_text(tree, "provider", found.ref->seller.vendor ? found.ref->seller.vendor->id : NULL);
  const PriceSource *source = found.ref->list.model ? &found.ref->list : &found.ref->singles[0];
  add_text(tree, "priced_as", source->model->name);
  add_text(tree, "list", source->book->list[0] ? source->book->list : "llm_prices");
  cJSON_AddNumberToObject(tree, "at", (double)ask->at_ms);
  cJSON_AddStringToObject(tree, "service", u->service);
  add_text(tree, "geo", u->geo);
  add_text(tree, "unpriced", priced ? NULL : found.set->missing ? found.set->missing : why);
  if (priced) {
    add_lines(tree, found.set, leaves);
  }
  return tree;
}

void fn_llm_cost_explain(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
  Conn *c = fn_conn(ctx);
  Err err = {0};
  CostArgs args;
  cJSON *tree = NULL;
  int there = cost_args_read(ctx, argc, argv, &args, &err);
  if (there == 1) {
    tree = args.n_parts ? cJSON_CreateArray()
                        : explain(c, &args.ask, &args.usage, args.unknown_is_null, &err);
  }
  const char *seller = args.n_parts ? seller_of(c, &args, &err) : NULL;
  for (int i = 0; i < args.n_parts && tree; i++) {
    PricingAsk ask = pricing_ask_of_part(&args.ask, &args.parts[i], seller);
    cJSON_AddItemToArray(tree, explain(c, &ask, &args.parts[i].usage, args.unknown_is_null, &err));
  }
  if (err.rc != RC_OK && err.rc != RC_NOMEM && args.error_is_null) {
    cJSON_Delete(tree);
    tree = unpriced(args.ask.model, err.msg);
    err = (Err){0};
  }
  char *text = tree && err.rc == RC_OK ? cJSON_PrintUnformatted(tree) : NULL;
  if (err.rc != RC_OK) {
    name_model(&args, &err);
    result_error(ctx, "llm_cost_explain", &err);
  } else if (text) {
    sqlite3_result_text(ctx, text, -1, SQLITE_TRANSIENT);
    sqlite3_result_subtype(ctx, 'J');
  }
  cJSON_free(text);
  cJSON_Delete(tree);
  cost_args_free(&args);
}

/* ---- llm_price */

/* The argument behind a model's name: a time, or the options object. */
static int read_price_when(Conn *c, sqlite3_value *v, PriceOptions *o, Err *err) {
  const char *text = v ? (const char *)sqlite3_value_text(v) : NULL;
  o->ask.at_ms = now_ms();
  usage_init(&o->usage);
  if (json_begins(text)) {
    return price_options_read(c, text, strlen(text), o, err);
  }
  if (text && !time_parse(text, &o->ask.at_ms)) {
    err_set(err, RC_ERROR, "bad_argument",
            "at '%.40s' (expected 'YYYY-MM-DD[THH:MM:SSZ]', Unix ms, not seconds, or an options "
            "object)",
            text);
  }
  return err->rc;
}

void fn_llm_price(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
  Conn *c = fn_conn(ctx);
  Err err = {0};
  PricingFound found = {NULL, NULL};
  PriceOptions o = {.ask.model = (const char *)sqlite3_value_text(argv[0])};
  Cost price;
  const char *word = (const char *)sqlite3_value_text(argv[1]);
  Unit unit = word ? unit_parse(word) : UNIT_COUNT;
  if (!o.ask.model || !word) {
    return;
  }
  if (unit == UNIT_COUNT) {
    err_set(&err, RC_ERROR, "bad_argument", "kind '%.40s' (valid: %s)", word, PRICE_KIND_WORDS);
  } else if (pricing_refresh(c, ctx, &err) == RC_OK &&
             read_price_when(c, argc > 2 ? argv[2] : NULL, &o, &err) == RC_OK &&
             pricing_find(c, &o.ask, o.input_tokens, o.usage.service, o.usage.geo, &found, &err) ==
                 0 &&
             !o.unknown_is_null) {
    pricing_unknown(found.ref, "", &err);
  }
  if (err.rc != RC_OK) {
    result_error(ctx, "llm_price", &err);
  } else if (found.set && !found.set->missing && price_of_unit(found.set, unit, &price)) {
    sqlite3_result_double(ctx, decimal_double(price, UNIT_PRICE_SCALE));
  }
  free(o.owned);
}

/* ---- llm_cache_minimum */

void fn_llm_cache_minimum(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
  Conn *c = fn_conn(ctx);
  Err err = {0};
  PricingFound found;
  PriceOptions o = {.ask.model = (const char *)sqlite3_value_text(argv[0])};
  long long tokens = -1;
  if (!o.ask.model) {
    return;
  }
  if (pricing_refresh(c, ctx, &err) == RC_OK &&
      read_price_when(c, argc > 1 ? argv[1] : NULL, &o, &err) == RC_OK &&
      pricing_find(c, &o.ask, 0, "standard", "", &found, &err) >= 0 && found.ref->bare) {
    tokens = catalogue_cache_minimum(found.ref->seller.vendor, found.ref->bare, o.ask.at_ms);
  }
  if (err.rc != RC_OK) {
    result_error(ctx, "llm_cache_minimum", &err);
  } else if (tokens >= 0) {
    sqlite3_result_int64(ctx, tokens);
  }
  free(o.owned);
}
