/*
** llm_price, llm_cost, llm_cost_explain, llm_cache_minimum: prices and what they come to.
*/
#include "fn/fn.h"

#include "core/price/catalogue.h"
#include "base/text/decimal.h"
#include "base/sqlite/args.h"
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
    priced = priced == 1 ? cost_add(&sum, *cost, why, WHY) : priced;
  }
  *cost = sum;
  return priced;
}

/* 1 for what is wrong with what was given: nothing that could not be looked at. */
static int is_theirs(const Err *err) {
  return err->rc == RC_ERROR || err->rc == RC_TOOBIG;
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
  if (err.rc != RC_OK && !(args.error_is_null && is_theirs(&err))) {
    name_model(&args, &err);
    result_error(ctx, "llm_cost", &err);
  } else if (priced == 1) {
    sqlite3_result_double(ctx, cost_usd(cost));
  }
  cost_args_free(&args);
}

/* ---- llm_cost_explain */

static void add_decimal(cJSON *tree, const char *name, Cost value, int scale, Err *err) {
  char text[64];
  decimal_format(value, scale, text, sizeof text);
  json_add(tree, name, cJSON_CreateRaw(text), err);
}

static void add_text(cJSON *tree, const char *name, const char *text, Err *err) {
  json_add(tree, name, text && text[0] ? cJSON_CreateString(text) : cJSON_CreateNull(), err);
}

static void add_line(cJSON *lines, const PriceSet *set, Unit unit, long long count, Err *err) {
  cJSON *line = json_add(lines, NULL, cJSON_CreateObject(), err);
  json_add(line, "unit", cJSON_CreateString(unit_word(unit)), err);
  json_add(line, "count", cJSON_CreateNumber((double)count), err);
  add_decimal(line, "usd_per_million", (Cost)(unsigned long long)set->pusd[unit], 12, err);
  add_decimal(line, "factor", (Cost)(unsigned long long)set->factor[unit], 12, err);
  add_decimal(line, "usd", price_leaf(set, unit, count), COST_SCALE, err);
  add_text(line, "source", set->row[unit]->terms.source, err);
  add_text(line, "checked", set->row[unit]->terms.checked, err);
}

/* The leaves, each with its price, and their sums by direction. (All of them together can be counted.) */
static void add_lines(cJSON *tree, const PriceSet *set, const long long leaves[UNIT_COUNT],
                      Err *err) {
  cJSON *lines = json_add(tree, "lines", cJSON_CreateArray(), err);
  Cost input = 0, output = 0, total = 0;
  for (Unit unit = 0; unit < UNIT_COUNT; unit++) {
    if (leaves[unit] > 0) {
      Cost cost = price_leaf(set, unit, leaves[unit]);
      input += unit_is_input(unit) ? cost : 0;
      output += unit_is_output(unit) ? cost : 0;
      total += cost;
      add_line(lines, set, unit, leaves[unit], err);
    }
  }
  add_decimal(tree, "input_usd", input, COST_SCALE, err);
  add_decimal(tree, "output_usd", output, COST_SCALE, err);
  add_decimal(tree, "total_usd", total, COST_SCALE, err);
}

static cJSON *unpriced(const char *model, const char *why, Err *err) {
  cJSON *tree = cJSON_CreateObject();
  json_add(tree, "model", cJSON_CreateString(model ? model : ""), err);
  json_add(tree, "unpriced", cJSON_CreateString(why), err);
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
                    found.ref->miss.also ? "several providers sell it" : "unknown model", err);
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
  json_add(tree, "model", cJSON_CreateString(ask->model), err);
  add_text(tree, "provider", found.ref->seller.vendor ? found.ref->seller.vendor->id : NULL, err);
  const PriceSource *source = found.ref->list.model ? &found.ref->list : &found.ref->singles[0];
  add_text(tree, "priced_as", source->model->name, err);
  add_text(tree, "list", source->book->list[0] ? source->book->list : "llm_prices", err);
  json_add(tree, "at", cJSON_CreateNumber((double)ask->at_ms), err);
  json_add(tree, "service", cJSON_CreateString(u->service), err);
  add_text(tree, "geo", u->geo, err);
  add_text(tree, "unpriced", priced ? NULL : found.set->missing ? found.set->missing : why, err);
  if (priced) {
    add_lines(tree, found.set, leaves, err);
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
  for (int i = 0; i < args.n_parts && err.rc == RC_OK; i++) {
    PricingAsk ask = pricing_ask_of_part(&args.ask, &args.parts[i], seller);
    json_add(tree, NULL, explain(c, &ask, &args.parts[i].usage, args.unknown_is_null, &err), &err);
  }
  if (is_theirs(&err) && args.error_is_null) {
    Err none = {0};
    cJSON_Delete(tree);
    tree = unpriced(args.ask.model, err.msg, &none);
    err = none;
  }
  char *text = there || err.rc != RC_OK ? json_print(tree, &err) : NULL;
  if (err.rc != RC_OK) {
    name_model(&args, &err);
    result_error(ctx, "llm_cost_explain", &err);
  } else if (there) {
    result_json(ctx, text);
  }
  cost_args_free(&args);
}

/* ---- llm_price */

/* The argument behind a model's name: a time, or the options object. */
static int read_price_when(Conn *c, sqlite3_value *v, PriceOptions *o, Err *err) {
  size_t n = 0;
  const char *text = v ? arg_bytes(v, &n, err) : NULL;
  o->ask.at_ms = now_ms();
  usage_init(&o->usage);
  if (json_begins(text)) {
    return price_options_read(c, text, n, o, err);
  }
  if (text && (strlen(text) != n || !time_parse(text, &o->ask.at_ms))) {
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
  PriceOptions o = {.ask.model = arg_text(argv[0], "the model", &err)};
  Cost price;
  const char *word = arg_text(argv[1], "the kind", &err);
  Unit unit = word ? unit_parse(word) : UNIT_COUNT;
  if ((!o.ask.model || !word) && err.rc == RC_OK) {
    return;
  }
  if (unit == UNIT_COUNT || err.rc != RC_OK) {
    err_set(&err, RC_ERROR, "bad_argument", "kind '%.40s' (valid: %s)", word ? word : "",
            PRICE_KIND_WORDS);
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
  PriceOptions o = {.ask.model = arg_text(argv[0], "the model", &err)};
  long long tokens = -1;
  if (!o.ask.model && err.rc == RC_OK) {
    return;
  }
  if (err.rc == RC_OK && pricing_refresh(c, ctx, &err) == RC_OK &&
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
